"""The web application firewall: one web ACL for the load balancer."""

from __future__ import annotations

import json

from cdktf_cdktf_provider_aws.lb import Lb
from cdktf_cdktf_provider_aws.wafv2_ip_set import Wafv2IpSet
from cdktf_cdktf_provider_aws.wafv2_web_acl import (
    Wafv2WebAcl,
    Wafv2WebAclCustomResponseBody,
    Wafv2WebAclDataProtectionConfig,
    Wafv2WebAclDataProtectionConfigDataProtection,
    Wafv2WebAclDataProtectionConfigDataProtectionField,
    Wafv2WebAclDefaultAction,
    Wafv2WebAclDefaultActionAllow,
    Wafv2WebAclVisibilityConfig,
)
from cdktf_cdktf_provider_aws.wafv2_web_acl_association import Wafv2WebAclAssociation

from modules.edge.challenge import exemptions
from modules.edge.waf_rules import TOO_MANY, waf_rules
from modules.edge.waf_spec import Waf
from tierra.terraform.stack import Stack

# Headers with credentials of users.
SECRET_HEADERS = ("authorization", "cookie")


def waf(stack: Stack, settings: Waf, load_balancer: Lb) -> Wafv2WebAcl:
    """`aws_wafv2_web_acl.main`. Requests that no rule blocks are allowed."""
    systems = stack.environment.systems.values()
    acl = stack.add(
        Wafv2WebAcl,
        "main",
        name=stack.names.of("web_acl", "edge"),
        description="In front of the load balancer",
        scope="REGIONAL",
        default_action=Wafv2WebAclDefaultAction(allow=Wafv2WebAclDefaultActionAllow()),
        custom_response_body=[
            Wafv2WebAclCustomResponseBody(
                key=TOO_MANY,
                content_type="APPLICATION_JSON",
                content=json.dumps({"error": "too many requests"}, separators=(",", ":")),
            )
        ],
        data_protection_config=_data_protection(),
        rule=waf_rules(settings, _address_sets(stack, settings), exemptions(settings, systems)),
        visibility_config=Wafv2WebAclVisibilityConfig(
            cloudwatch_metrics_enabled=True,
            metric_name=stack.names.of("web_acl", "edge"),
            sampled_requests_enabled=True,
        ),
        tags=stack.tags("edge"),
    )
    stack.add(Wafv2WebAclAssociation, "main", web_acl_arn=acl.arn, resource_arn=load_balancer.arn)
    return acl


def _data_protection() -> Wafv2WebAclDataProtectionConfig:
    """Logs and sampled requests do not contain sessions of users."""
    field = Wafv2WebAclDataProtectionConfigDataProtectionField(
        field_type="SINGLE_HEADER",
        field_keys=list(SECRET_HEADERS),
    )
    return Wafv2WebAclDataProtectionConfig(
        data_protection=[Wafv2WebAclDataProtectionConfigDataProtection(action="SUBSTITUTION", field=field)]
    )


def _address_sets(stack: Stack, settings: Waf) -> dict[str, str]:
    """The ARNs of the IP sets of rules, by the rule's name."""
    wanted = {
        "allowed": settings.allowed_addresses,
        "blocked": settings.blocked_addresses if settings.rules.blocked != "off" else (),
    }
    return {
        role: stack.add(
            Wafv2IpSet,
            role,
            name=stack.names.of("web_acl", role),
            description=f"Addresses of the rule {role}",
            scope="REGIONAL",
            ip_address_version="IPV4",
            addresses=list(addresses),
            tags=stack.tags(role),
        ).arn
        for role, addresses in wanted.items()
        if addresses
    }
