"""The edge tier: host names, certificate, load balancer and web application firewall."""

from __future__ import annotations

from modules.edge.certificate import certificate
from modules.edge.listeners import listeners
from modules.edge.load_balancer import load_balancer
from modules.edge.names import all_hosts
from modules.edge.outputs import EdgeOutputs
from modules.edge.records import records
from modules.edge.target_group import target_group
from modules.edge.waf import waf
from modules.edge.waf_logs import waf_logs
from modules.edge.zone import Zones
from modules.network.outputs import NetworkOutputs
from modules.storage.outputs import StorageOutputs
from tierra.terraform.outputs import LEFT_OUT
from tierra.terraform.stack import Stack


class Edge:
    """Fills the stack."""

    def __init__(self, stack: Stack) -> None:
        network, storage = NetworkOutputs.read(stack), StorageOutputs.read(stack)
        settings = stack.environment.edge
        self.zones = Zones(stack) if settings.records else None
        self.certificate_arn = settings.certificate or LEFT_OUT
        if self.zones and settings.certificate is None:
            self.certificate_arn = certificate(stack, self.zones)
        self.load_balancer = load_balancer(stack, network, storage)
        self.target_group = target_group(stack, network)
        listeners(stack, self.load_balancer, self.target_group, self.certificate_arn)
        self.web_acl, self.log_group = None, None
        if settings.waf:
            self.web_acl = waf(stack, settings.waf, self.load_balancer)
            self.log_group = waf_logs(stack, settings.waf, self.web_acl, network)
        if self.zones:
            records(stack, self.zones, self.load_balancer)
        self._outputs(stack).declare(stack)

    def _outputs(self, stack: Stack) -> EdgeOutputs:
        hosts = all_hosts(stack.environment.edge, stack.environment.systems)
        return EdgeOutputs(
            load_balancer_arn=self.load_balancer.arn,
            load_balancer_arn_suffix=self.load_balancer.arn_suffix,
            load_balancer_dns_name=self.load_balancer.dns_name,
            target_group_arn=self.target_group.arn,
            target_group_arn_suffix=self.target_group.arn_suffix,
            certificate_arn=self.certificate_arn,
            web_acl_arn=self.web_acl.arn if self.web_acl else LEFT_OUT,
            web_acl_name=self.web_acl.name if self.web_acl else LEFT_OUT,
            domain=stack.environment.edge.main_domain,
            dns_records=dict.fromkeys(hosts, self.load_balancer.dns_name),
            waf_log_group_name=self.log_group.name if self.log_group else LEFT_OUT,
        )
