"""Names, certificates, load balancers and the firewall."""

from __future__ import annotations

from collections.abc import Mapping

from tierra.aws.types.entry import Type

TYPES: Mapping[str, Type] = {
    "aws_route53_record": Type(
        import_ids=("{zone_id}_{name}_{type}_{set_identifier}", "{zone_id}_{name}_{type}"),
        outage="its name is not found",
        usage="DNS queries, where the record is no alias of something in AWS",
    ),
    "aws_route53_zone": Type(kept_while_used=True),
    "aws_acm_certificate": Type(
        volatile=("not_after", "not_before", "pending_renewal", "renewal_eligibility", "renewal_summary"),
        shows={"status": "aws_acm_certificate_validation"},
        free=True,
    ),
    "aws_acm_certificate_validation": Type(free=True),
    "aws_lb": Type(
        tenant=("the load balancer", "name"),
        outage="the platform cannot be reached",
        public={"internal": False},
        usage="capacity units of the load balancer, by traffic",
    ),
    "aws_lb_listener": Type(outage="the platform cannot be reached on its port", free=True),
    "aws_lb_listener_certificate": Type(import_ids=("{listener_arn}_{certificate_arn}",)),
    "aws_lb_listener_rule": Type(free=True),
    "aws_lb_target_group": Type(
        volatile=("load_balancer_arns",),
        outage="its targets get no requests",
        free=True,
    ),
    "aws_wafv2_ip_set": Type(import_ids=("{id}/{name}/{scope}",), free=True),
    "aws_wafv2_regex_pattern_set": Type(import_ids=("{id}/{name}/{scope}",)),
    "aws_wafv2_rule_group": Type(import_ids=("{id}/{name}/{scope}",)),
    "aws_wafv2_web_acl": Type(
        import_ids=("{id}/{name}/{scope}",),
        volatile=("lock_token",),
        usage="requests that the firewall inspects",
    ),
    "aws_wafv2_web_acl_association": Type(
        import_ids=("{web_acl_arn},{resource_arn}",),
        shields=("resource_arn", "aws_lb", "arn"),
        free=True,
    ),
    "aws_wafv2_web_acl_logging_configuration": Type(
        usage="logs of the firewall, by the bytes written and kept",
    ),
    "aws_shield_protection": Type(
        usage="Shield Advanced: 3,000 USD a month for the organization, and data transfer",
    ),
}
