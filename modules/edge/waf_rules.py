"""The rules of the web ACL, from the spec's switches.

A counting rule allows requests and logs those that it would have blocked. `statement` is untyped in
the bindings; its dicts have terraform's own keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cdktf_cdktf_provider_aws.wafv2_web_acl import (
    Wafv2WebAclRule,
    Wafv2WebAclRuleAction,
    Wafv2WebAclRuleActionAllow,
    Wafv2WebAclRuleActionBlock,
    Wafv2WebAclRuleActionBlockCustomResponse,
    Wafv2WebAclRuleActionCount,
    Wafv2WebAclRuleOverrideAction,
    Wafv2WebAclRuleOverrideActionCount,
    Wafv2WebAclRuleOverrideActionNone,
    Wafv2WebAclRuleVisibilityConfig,
)

from modules.edge.waf_capacity import GROUPS, PRIORITIES
from modules.edge.waf_spec import Rate, Switch, Waf

Statement = dict[str, Any]

TOO_MANY = "too_many_requests"
# AWS's default for this list of known attackers is count; here they are blocked.
DDOS_LIST = "AWSManagedIPDDoSList"


def waf_rules(settings: Waf, sets: dict[str, str], exempt: list[str]) -> list[Wafv2WebAclRule]:
    """Every rule that is on, by priority. `sets` are the ARNs of the IP sets, by rule; `exempt` are
    expressions for requests that are never challenged."""
    rules = [*_own(settings, sets), *_rates(settings), *_groups(settings, exempt)]
    return sorted(rules, key=lambda rule: rule.priority)


def _own(settings: Waf, sets: dict[str, str]) -> Iterator[Wafv2WebAclRule]:
    if "allowed" in sets:
        allow = Wafv2WebAclRuleAction(allow=Wafv2WebAclRuleActionAllow())
        yield _rule("allowed", {"ip_set_reference_statement": {"arn": sets["allowed"]}}, action=allow)
    if "blocked" in sets:
        refuse = _action(settings.rules.blocked)
        yield _rule("blocked", {"ip_set_reference_statement": {"arn": sets["blocked"]}}, action=refuse)
    if settings.blocked_countries and settings.rules.countries != "off":
        statement = {"geo_match_statement": {"country_codes": list(settings.blocked_countries)}}
        yield _rule("countries", statement, action=_action(settings.rules.countries))


def _rates(settings: Waf) -> Iterator[Wafv2WebAclRule]:
    """Requests above a rate get 429, which well-behaved clients handle."""
    if settings.rules.rate != "off":
        yield _rule("rate", _rate(settings.rate), action=_action(settings.rules.rate, TOO_MANY))
    for index, (name, limit) in enumerate(settings.paths.items() if settings.rules.paths != "off" else ()):
        starts = {
            "field_to_match": {"uri_path": {}},
            "positional_constraint": "STARTS_WITH",
            "search_string": limit.path,
            "text_transformation": [{"priority": 0, "type": "NORMALIZE_PATH"}],
        }
        limited = Rate(requests=limit.requests, seconds=limit.seconds)
        statement = _rate(limited, scope_down_statement={"byte_match_statement": starts})
        action = _action(settings.rules.paths, TOO_MANY)
        yield _rule(f"path_{name}", statement, action=action, priority=PRIORITIES["paths"] + index)


def _groups(settings: Waf, exempt: list[str]) -> Iterator[Wafv2WebAclRule]:
    for name, group in GROUPS.items():
        switch: Switch = getattr(settings.rules, name)
        if switch == "off":
            continue
        overrides = [_override(rule, "count") for rule in settings.only_count.get(name, ())]
        if name == "reputation" and DDOS_LIST not in settings.only_count.get(name, ()):
            overrides.append(_override(DDOS_LIST, "block"))
        statement: Statement = {"vendor_name": "AWS", "name": group.name}
        if overrides:
            statement["rule_action_override"] = overrides
        if name == "anti_ddos":
            statement["managed_rule_group_configs"] = [_anti_ddos(exempt)]
        count = Wafv2WebAclRuleOverrideAction(count=Wafv2WebAclRuleOverrideActionCount())
        as_it_says = Wafv2WebAclRuleOverrideAction(none=Wafv2WebAclRuleOverrideActionNone())
        yield _rule(
            name,
            {"managed_rule_group_statement": statement},
            override=count if switch == "count" else as_it_says,
        )


def _anti_ddos(exempt: list[str]) -> Statement:
    """During an attack, browsers get a silent challenge, and likely attackers are blocked. The sensitivities
    are AWS's defaults, stated explicitly."""
    challenge = {
        "usage_of_action": "ENABLED",
        "sensitivity": "HIGH",
        "exempt_uri_regular_expression": [{"regex_string": text} for text in exempt],
    }
    return {
        "aws_managed_rules_anti_ddos_rule_set": {
            "client_side_action_config": {"challenge": challenge},
            "sensitivity_to_block": "LOW",
        }
    }


def _rate(rate: Rate, **more: Statement) -> Statement:
    limit = {"limit": rate.requests, "evaluation_window_sec": rate.seconds, "aggregate_key_type": "IP"}
    return {"rate_based_statement": {**limit, **more}}


def _override(rule: str, action: str) -> Statement:
    return {"name": rule, "action_to_use": {action: {}}}


def _action(switch: Switch, body: str | None = None) -> Wafv2WebAclRuleAction:
    if switch == "count":
        return Wafv2WebAclRuleAction(count=Wafv2WebAclRuleActionCount())
    answer = Wafv2WebAclRuleActionBlockCustomResponse(response_code=429, custom_response_body_key=body)
    block = Wafv2WebAclRuleActionBlock(custom_response=answer) if body else Wafv2WebAclRuleActionBlock()
    return Wafv2WebAclRuleAction(block=block)


def _rule(
    name: str,
    statement: Statement,
    *,
    action: Wafv2WebAclRuleAction | None = None,
    override: Wafv2WebAclRuleOverrideAction | None = None,
    priority: int | None = None,
) -> Wafv2WebAclRule:
    return Wafv2WebAclRule(
        name=name,
        priority=PRIORITIES[name] if priority is None else priority,
        action=action,
        override_action=override,
        statement=statement,
        visibility_config=Wafv2WebAclRuleVisibilityConfig(
            cloudwatch_metrics_enabled=True,
            metric_name=name,
            sampled_requests_enabled=True,
        ),
    )
