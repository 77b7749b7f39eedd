"""WAF: web ACLs, rule groups, their capacity, associations and logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rehearsal.refusals.rules import CREATE, DELETE, Rule, blocks, changed, find_object, texts, used_by
from tierra.aws.transition_answers import Around, Values

ACL, GROUP, LINK = "aws_wafv2_web_acl", "aws_wafv2_rule_group", "aws_wafv2_web_acl_association"
SETS = ("aws_wafv2_ip_set", "aws_wafv2_regex_pattern_set")
CAPACITY = 5000  # page waf/latest/developerguide/limits.html
# Source: pages waf/latest/developerguide/aws-managed-rule-groups-*.html, WCU.
MANAGED = {
    "AWSManagedRulesACFPRuleSet": 50,
    "AWSManagedRulesATPRuleSet": 50,
    "AWSManagedRulesAdminProtectionRuleSet": 100,
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesAntiDDoSRuleSet": 50,
    "AWSManagedRulesBotControlRuleSet": 50,
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesLinuxRuleSet": 200,
    "AWSManagedRulesPHPRuleSet": 100,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesUnixRuleSet": 100,
    "AWSManagedRulesWindowsRuleSet": 200,
    "AWSManagedRulesWordPressRuleSet": 100,
}
INVALID = "WAFInvalidParameterException: Error reason:"


def statements(values: Values) -> Iterator[tuple[str, Values]]:
    """Every statement of a rule, with its kind, those inside others included."""
    for block in blocks(values, "statement"):
        for name, value in block.items():
            if not name.endswith("_statement"):
                continue
            for statement in value if isinstance(value, list) else [value]:
                if isinstance(statement, dict):
                    yield name, statement
                    yield from statements(statement)
                    for scope in blocks(statement, "scope_down_statement"):
                        yield from statements({"statement": [scope]})


def priorities(was: Values, now: Values, _around: Around) -> str:
    if not changed(was, now, "rule"):
        return ""
    for argument in ("priority", "name"):
        counted = Counter(rule.get(argument) for rule in blocks(now, "rule"))
        twice = [value for value, number in counted.items() if number > 1 and isinstance(value, (int, str))]
        if twice:
            return (
                f"{INVALID} Rules must have different priorities and names, field: RULE, parameter:"
                f" {argument}"
                f" {twice[0]}"
            )
    return ""


def capacity(was: Values, now: Values, around: Around) -> str:
    """At least: managed groups and groups of the account, and one unit for each rule with none."""
    if not changed(was, now, "rule"):
        return ""
    total = 0
    for rule in blocks(now, "rule"):
        found_here = list(statements(rule))
        for kind, statement in found_here:
            if kind == "managed_rule_group_statement" and statement.get("vendor_name") == "AWS":
                total += MANAGED.get(str(statement.get("name")), 0)
            group = find_object(around, GROUP, "arn", statement.get("arn"))
            units = group and group.get("capacity")
            total += units if isinstance(units, int) else 0
        leaves = ("byte_match_statement", "geo_match_statement", "ip_set_reference_statement")
        total += sum(kind in leaves for kind, _ in found_here)
    if total <= CAPACITY:
        return ""
    return (
        "WAFLimitsExceededException: AWS WAF couldn't perform the operation because you exceeded your"
        " resource"
        f" limit: the rules need {total} WCU, the limit is {CAPACITY}"
    )


def group_capacity(_was: Values, now: Values, _around: Around) -> str:
    own = now.get("capacity")
    least = sum(
        not kind.startswith(("and_", "or_", "not_"))
        for rule in blocks(now, "rule")
        for kind, _ in statements(rule)
    )
    if not isinstance(own, int) or own >= least:
        return ""
    return f"WAFLimitsExceededException: The rules need {least} WCU or more, the rule group has {own}"


def scope(_was: Values, now: Values, _around: Around) -> str:
    region = now.get("region")
    if now.get("scope") != "CLOUDFRONT" or not isinstance(region, str) or region == "us-east-1":
        return ""
    return f"{INVALID} The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT"


def link(_was: Values, now: Values, around: Around) -> str:
    arn, acl = now.get("resource_arn"), now.get("web_acl_arn")
    wrong = isinstance(arn, str) and ":loadbalancer/" in arn and ":loadbalancer/app/" not in arn
    if wrong:
        return f"{INVALID} The ARN isn't valid., field: RESOURCE_ARN, parameter: {arn}"
    known = find_object(around, ACL, "arn", acl)
    if (known and known.get("scope") == "CLOUDFRONT") or ":global/webacl/" in str(acl):
        return f"{INVALID} The ARN isn't valid., field: WEB_ACL_ARN, parameter: {acl}"
    return ""


def log_names(was: Values, now: Values, _around: Around) -> str:
    if not changed(was, now, "log_destination_configs"):
        return ""
    for arn in texts(now.get("log_destination_configs")):
        tail = arn.removesuffix(":*").rpartition(":")[2].rpartition("deliverystream/")[2]
        if arn.startswith("arn:") and not tail.startswith("aws-waf-logs-"):
            return (
                f"{INVALID} The ARN isn't valid. A valid ARN begins with arn: and includes other information"
                f" separated by colons or slashes., field: LOG_DESTINATION, parameter: {arn}"
            )
    return ""


API = "API wafv2, "


def response_body(_was: Values, now: Values, _around: Around) -> str:
    defined = {body.get("key") for body in blocks(now, "custom_response_body")}
    for key in _named_bodies([*blocks(now, "rule"), *blocks(now, "default_action")]):
        if key not in defined:
            return (
                "WAFInvalidParameterException: Error reason: A custom response body of this key must be"
                f" defined, field: CUSTOM_RESPONSE_BODY, parameter: {key}"
            )
    return ""


def _named_bodies(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for member in value:
            yield from _named_bodies(member)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name == "custom_response_body_key" and isinstance(member, str) and member:
                yield member
            else:
                yield from _named_bodies(member)


RULES = (
    Rule(
        "priorities",
        (ACL, GROUP),
        "priorities and names of rules must be unique",
        API + "CreateWebACL, WAFInvalidParameterException; Rule, Priority: must be different",
        priorities,
    ),
    Rule(
        "capacity",
        (ACL,),
        f"the rules of a web ACL must need at most {CAPACITY} capacity units",
        API + "CreateWebACL, WAFLimitsExceededException; page waf/latest/developerguide/limits.html",
        capacity,
    ),
    Rule(
        "group_capacity",
        (GROUP,),
        "a rule group must have at least the capacity that its rules need: one unit for each",
        API + "CreateRuleGroup, Capacity, WAFLimitsExceededException",
        group_capacity,
    ),
    Rule(
        "scope",
        (ACL, GROUP, *SETS),
        "objects with the scope CLOUDFRONT must be in us-east-1",
        API + "CreateWebACL, Scope, WAFInvalidParameterException",
        scope,
        CREATE,
    ),
    Rule(
        "link",
        (LINK,),
        "a load balancer of a regional web ACL must be an application load balancer",
        API + "AssociateWebACL, ResourceArn, WAFInvalidParameterException",
        link,
        CREATE,
    ),
    Rule(
        "log_names",
        ("aws_wafv2_web_acl_logging_configuration",),
        "the name of a destination of WAF's logs must begin with `aws-waf-logs-`",
        API + "LoggingConfiguration, LogDestinationConfigs;"
        " PutLoggingConfiguration, WAFInvalidParameterException",
        log_names,
    ),
    Rule(
        "acl_used",
        (ACL,),
        "a web ACL in use must not be deleted",
        API + "DeleteWebACL, WAFAssociatedItemException",
        used_by(
            ((LINK, "web_acl_arn"),),
            "arn",
            "WAFAssociatedItemException: AWS WAF couldn't perform the operation because your resource is"
            " being"
            " used by another resource or it's associated with another resource.",
        ),
        DELETE,
    ),
    Rule(
        "response_body",
        ("aws_wafv2_web_acl", "aws_wafv2_rule_group"),
        "a custom response must name a body that is defined beside it",
        "API wafv2, CustomResponse, CustomResponseBodyKey",
        response_body,
    ),
)
