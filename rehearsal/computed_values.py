"""Values that follow from other arguments, where one pattern per type is not enough.

Source: the documentation of each resource at registry.terraform.io/providers/hashicorp/aws/6.25.0.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

from rehearsal.protocol import Object

Patterns = dict[str, Any]
PORTS = {"mysql": 3306, "mariadb": 3306, "postgres": 5432, "oracle": 1521, "sqlserver": 1433}
PORTS |= {"aurora-mysql": 3306, "aurora-postgresql": 5432}


def _database(state: Object) -> Patterns:
    engine = state.get("engine") if isinstance(state.get("engine"), str) else ""
    patterns: Patterns = {}
    for name, port in PORTS.items():
        if str(engine).startswith(name):
            patterns["port"] = port
    version = state.get("engine_version")
    if isinstance(version, str):
        patterns["engine_version_actual"] = version
    if state.get("manage_master_user_password") is True:
        arn = "arn:{partition}:secretsmanager:{region}:{account}:secret:rds!db-{uuid}-{alnum6}"
        patterns["master_user_secret"] = [{"kms_key_id": "", "secret_arn": arn, "secret_status": "active"}]
    return patterns


def _endpoint(state: Object) -> Patterns:
    if state.get("vpc_endpoint_type") == "Gateway":
        return {"dns_entry": [], "network_interface_ids": []}
    return {"prefix_list_id": "", "cidr_blocks": []}


def _load_balancer(state: Object) -> Patterns:
    kind = {"network": "net", "gateway": "gwy"}.get(str(state.get("load_balancer_type")), "app")
    return {"arn_suffix": f"{kind}/{{name}}/{{hex16}}"}


def _below(argument: str, kind: str, its: str) -> Callable[[Object], Patterns]:
    """The ARN of a listener or a rule begins like that of its load balancer or listener."""

    def patterns_of(state: Object) -> Patterns:
        above = state.get(argument)
        if not isinstance(above, str) or f":{kind}/" not in above:
            return {}
        return {"arn": f"{above.replace(f':{kind}/', f':{its}/')}/{{hex16}}"}

    return patterns_of


def _issuer(state: Object) -> Patterns:
    """The ARN contains the URL without its scheme."""
    url = state.get("url")
    host = str(url).removeprefix("https://")
    return {"arn": f"arn:{{partition}}:iam::{{account}}:oidc-provider/{host}"} if isinstance(url, str) else {}


def _certificate(state: Object) -> Patterns:
    """A validation record for each name; a wildcard shares that of its parent name."""
    others = state.get("subject_alternative_names")
    names = dict.fromkeys([state.get("domain_name"), *(others if isinstance(others, list) else [])])
    options = [
        {
            "domain_name": name,
            "resource_record_name": f"_{{hex32}}.{name.removeprefix('*.')}.",
            "resource_record_type": "CNAME",
            "resource_record_value": "_{hex32}.{alnum10}.acm-validations.aws.",
        }
        for name in names
        if isinstance(name, str)
    ]
    return {"domain_validation_options": options} if state.get("validation_method") == "DNS" else {}


def _hosted_zone(_state: Object) -> Patterns:
    """Also for the data source, which finds zones that were not created here."""
    arn = "arn:{partition}:route53:::hostedzone/{zone_id}"
    return {"arn": arn, "id": "{zone_id}", "zone_id": "Z{base32_20}"}


def _vpc(state: Object) -> Patterns:
    if state.get("assign_generated_ipv6_cidr_block") is not True:
        return {}
    block = {"ipv6_cidr_block": "2a05:d018:{hex4}:1200::/56"}
    return {**block, "ipv6_association_id": "vpc-cidr-assoc-{hex17}"}


def _key(state: Object) -> Patterns:
    return {"key_id": "mrk-{hex32}"} if state.get("multi_region") is True else {}


def _subnet(state: Object) -> Patterns:
    """Adjacent subnets whose zones AWS chooses are in different zones."""
    from rehearsal.answers import zone_id

    zone, given = state.get("availability_zone"), state.get("availability_zone_id")
    if isinstance(zone, str):
        return {"availability_zone_id": zone_id(zone[:-1], ord(zone[-1]) - ord("a") + 1)}
    if isinstance(given, str) and given[-1:].isdigit():
        return {"availability_zone": f"{{region}}{chr(ord('a') + int(given[-1]) - 1)}"}
    try:
        block = ip_network(str(state.get("cidr_block")))
    except ValueError:
        return {}
    number = int(block.network_address) // block.num_addresses % 3
    return {"availability_zone": f"{{region}}{'abc'[number]}"}


def _node_group(state: Object) -> Patterns:
    """The image has the version of its nodes."""
    return {"release_version": "{version}.0-20251120"} if isinstance(state.get("version"), str) else {}


def _release(state: Object) -> Patterns:
    version = state.get("version")
    version = version if isinstance(version, str) else "1.0.0"
    known = {
        "app_version": "1.0.0",
        "chart": "{chart}",
        "name": "{name}",
        "namespace": "default",
        "notes": "",
    }
    if isinstance(state.get("namespace"), str):
        known["namespace"] = "{namespace}"
    metadata = {**known, "revision": 1, "values": "{}", "version": version}
    return {"metadata": metadata, "status": "deployed", "version": version}


COMPUTED: dict[str, Callable[[Object], Patterns]] = {
    "aws_acm_certificate": _certificate,
    "aws_alb": _load_balancer,
    "aws_alb_listener": _below("load_balancer_arn", "loadbalancer", "listener"),
    "aws_alb_listener_rule": _below("listener_arn", "listener", "listener-rule"),
    "aws_db_instance": _database,
    "aws_eks_node_group": _node_group,
    "aws_iam_openid_connect_provider": _issuer,
    "aws_kms_external_key": _key,
    "aws_kms_key": _key,
    "aws_lb": _load_balancer,
    "aws_lb_listener": _below("load_balancer_arn", "loadbalancer", "listener"),
    "aws_lb_listener_rule": _below("listener_arn", "listener", "listener-rule"),
    "aws_rds_cluster": _database,
    "aws_route53_zone": _hosted_zone,
    "aws_subnet": _subnet,
    "aws_vpc": _vpc,
    "aws_vpc_endpoint": _endpoint,
    "helm_release": _release,
}


def patterns(type_name: str, state: Object) -> Patterns:
    """Values that replace the `values` of the facts for this resource."""
    compute = COMPUTED.get(type_name)
    return compute(state) if compute else {}
