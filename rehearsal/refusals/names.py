"""Names that can be taken once, in services of which nothing else is judged."""

from __future__ import annotations

from rehearsal.refusals.rules import CREATE, Rule, others, taken
from rehearsal.transition_answers import Around, Values

PARAMETER, MONITOR = "aws_ssm_parameter", "aws_ce_anomaly_monitor"


def monitor(_was: Values, now: Values, around: Around) -> str:
    kinds = [each.get("monitor_type") for each in others(around, MONITOR, now, everywhere=True)]
    if now.get("monitor_type") != "DIMENSIONAL" or "DIMENSIONAL" not in kinds:
        return ""
    return "LimitExceededException: Limit exceeded on dimensional spend monitor creation"


def parameter(was: Values, now: Values, around: Around) -> str:
    if now.get("overwrite") is True:
        return ""
    words = (
        "ParameterAlreadyExists: The parameter already exists. To overwrite this value, set the overwrite"
        " option"
        " in the request to true."
    )
    return taken(PARAMETER, ("name",), words)(was, now, around)


RULES = (
    Rule(
        "same_parameter",
        (PARAMETER,),
        "a parameter has a name of its own, without overwrite",
        "API ssm, PutParameter, ParameterAlreadyExists",
        parameter,
        CREATE,
    ),
    Rule(
        "same_budget",
        ("aws_budgets_budget",),
        "a budget has a name of its own",
        "API budgets, CreateBudget, DuplicateRecordException",
        taken(
            "aws_budgets_budget",
            ("name",),
            "DuplicateRecordException: Error creating budget: {name} - the budget already exists.",
            everywhere=True,
        ),
        CREATE,
    ),
    Rule(
        "one_monitor",
        (MONITOR,),
        "an account has one anomaly monitor of all services",
        "API ce, CreateAnomalyMonitor, LimitExceededException; page cost-management/latest/userguide/"
        "management-limits.html",
        monitor,
        CREATE,
    ),
    Rule(
        "same_trace_group",
        ("aws_xray_group",),
        "a group of X-Ray has a name of its own",
        "API xray, CreateGroup, InvalidRequestException",
        taken(
            "aws_xray_group", ("group_name",), "InvalidRequestException: Group {group_name} already exists"
        ),
        CREATE,
    ),
    Rule(
        "same_sampling_rule",
        ("aws_xray_sampling_rule",),
        "a sampling rule of X-Ray has a name of its own",
        "API xray, CreateSamplingRule, InvalidRequestException",
        taken(
            "aws_xray_sampling_rule",
            ("rule_name",),
            "InvalidRequestException: Sampling rule {rule_name} already exists",
        ),
        CREATE,
    ),
    Rule(
        "same_resource_group",
        ("aws_resourcegroups_group",),
        "a resource group has a name of its own",
        "API resource-groups, CreateGroup, BadRequestException",
        taken("aws_resourcegroups_group", ("name",), "BadRequestException: Group {name} already exists"),
        CREATE,
    ),
)
