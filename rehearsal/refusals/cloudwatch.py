"""CloudWatch and its logs, SNS: keys of log groups, subscriptions, alarms, dashboards, topics."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import Any

from rehearsal.refusals.documents import (
    RESOURCE,
    Statement,
    allows,
    covers,
    listed,
    policy_error,
    principals,
    statements,
    trusted,
)
from rehearsal.refusals.rules import CREATE, Rule, changed, find_object, others, region_of, texts
from tierra.aws.transition_answers import Around, Values

GROUP, FILTER, POLICY = (
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_log_subscription_filter",
    "aws_cloudwatch_log_resource_policy",
)
ALARM, DASHBOARD = "aws_cloudwatch_metric_alarm", "aws_cloudwatch_dashboard"
CONTEXT = "kms:encryptioncontext:aws:logs:arn"
# Source: API logs, PutSubscriptionFilter and PutResourcePolicy.
FILTERS, POLICIES = 2, 10
DAY, WEEK, HOUR = 86400, 604800, 3600


def _reaches(statement: Statement, arn: str, region: str) -> bool:
    """Whether a statement of a key policy lets CloudWatch Logs use the key for this group, as far as it can
    be read."""
    services = {f"logs.{region}.amazonaws.com", f"logs.{region}.amazonaws.com.cn", "logs.amazonaws.com", "*"}
    if not allows(statement) or not services & set(principals(statement, "Service")):
        return False
    if not covers(statement, "kms:GenerateDataKey"):
        return False
    for tests in (statement.get("condition") or {}).values():
        for key, wanted in tests.items() if isinstance(tests, dict) else ():
            if str(key).lower() == CONTEXT:
                return any(fnmatchcase(arn, str(pattern)) for pattern in listed(wanted))
    return True


def group_key(was: Values, now: Values, around: Around) -> str:
    arn, name, region = now.get("kms_key_id"), now.get("name"), now.get("region")
    if not all(isinstance(text, str) and text for text in (arn, name, region)):
        return ""
    if not changed(was, now, "kms_key_id"):
        return ""
    words = "The specified KMS key does not exist or is not allowed to be used with Arn"
    key = find_object(around, ("aws_kms_key", "aws_kms_replica_key"), "arn", arn)
    group = f"arn:{str(arn).split(':')[1] if ':' in str(arn) else 'aws'}:logs:{region}"
    account = str(arn).split(":")[4] if str(arn).count(":") > 4 else ""
    group = f"{group}:{account}:log-group:{name}"
    if region_of(arn) not in ("", region):
        return f"AccessDeniedException: {words} '{group}'"
    if key is None or not account:
        return ""
    more = [
        policy.get("policy") for policy in around("aws_kms_key_policy") if policy.get("key_id") in _ids(key)
    ]
    given = statements((more or [key.get("policy")])[0])
    if given is None or any(_reaches(pattern, group, str(region)) for pattern in given):
        return ""
    return f"AccessDeniedException: {words} '{group}'"


def _ids(key: Values) -> set[Any]:
    return {key.get("key_id"), key.get("arn"), key.get("id")} - {None}


def filters(_was: Values, now: Values, around: Around) -> str:
    name = now.get("log_group_name")
    same = [filter_ for filter_ in others(around, FILTER, now) if filter_.get("log_group_name") == name]
    same = [filter_ for filter_ in same if filter_.get("name") != now.get("name")]
    refused = isinstance(name, str) and len(same) >= FILTERS
    return "LimitExceededException: Resource limit exceeded." if refused else ""


def filter_goal(_was: Values, now: Values, around: Around) -> str:
    arn = str(now.get("destination_arn"))
    region = str(now.get("region"))
    function = find_object(around, "aws_lambda_function", "arn", arn)
    if function:
        names = {function.get("function_name"), function.get("arn")}
        able = [
            permission
            for permission in around("aws_lambda_permission")
            if permission.get("function_name") in names
        ]
        if not any(str(permission.get("principal")).startswith("logs.") for permission in able):
            return (
                "InvalidParameterException: Could not execute the lambda function. Make sure you have given"
                " CloudWatch Logs permission to execute your function."
            )
    kind = "Kinesis stream" if ":kinesis:" in arn else "Firehose stream" if ":firehose:" in arn else ""
    if kind and not trusted(
        around, now.get("role_arn"), "logs.amazonaws.com", f"logs.{region}.amazonaws.com"
    ):
        return (
            f"InvalidParameterException: Could not deliver test message to specified {kind}. Check if the"
            " given"
            f" {kind} is in ACTIVE state and the role can be assumed."
        )
    return ""


def resource_policies(_was: Values, now: Values, around: Around) -> str:
    names = {policy.get("policy_name") for policy in others(around, POLICY, now)} - {now.get("policy_name")}
    refused = len(names) >= POLICIES
    return "LimitExceededException: Resource limit exceeded." if refused else ""


def log_policy(was: Values, now: Values, _around: Around) -> str:
    words = policy_error(now.get("policy_document"), RESOURCE) if changed(was, now, "policy_document") else ""
    return f"InvalidParameterException: The policy document is invalid: {words}" if words else ""


def alarm_periods(was: Values, now: Values, _around: Around) -> str:
    period, number, points = (
        now.get(name) for name in ("period", "evaluation_periods", "datapoints_to_alarm")
    )
    if not isinstance(number, int) or not changed(
        was, now, "period", "evaluation_periods", "datapoints_to_alarm"
    ):
        return ""
    if isinstance(points, int) and points > number:
        return (
            f"ValidationError: Alarm datapoints to alarm ({points}) must be less than or equal to evaluation"
            f" periods ({number})"
        )
    if isinstance(period, int) and period:
        if period not in (10, 20, 30) and period % 60:
            return f"ValidationError: Period must be 10, 20, 30 or a multiple of 60: {period}"
        most, words = (DAY, "a day") if period < HOUR else (WEEK, "seven days")
        if period * number > most:
            return (
                f"ValidationError: Metrics cannot be checked across more than {words} (EvaluationPeriods *"
                " Period"
                f" must be <= {most})."
            )
    return ""


def alarm_region(was: Values, now: Values, _around: Around) -> str:
    own = now.get("region")
    names = ("alarm_actions", "ok_actions", "insufficient_data_actions")
    for arn in (action for name in names for action in texts(now.get(name))):
        if (
            ":sns:" in arn
            and isinstance(own, str)
            and region_of(arn) not in ("", own)
            and changed(was, now, *names)
        ):
            return f"ValidationError: Invalid region {region_of(arn)} specified. Only {own} is supported."
    return ""


def composite(was: Values, now: Values, around: Around) -> str:
    text = now.get("alarm_rule")
    if not isinstance(text, str) or not changed(was, now, "alarm_rule"):
        return ""
    bare = re.sub(r"\"[^\"]*\"", '""', text)
    if bare.count("(") != bare.count(")"):
        return "ValidationError: AlarmRule contains an unbalanced parenthesis"
    between = re.sub(r"(ALARM|OK|INSUFFICIENT_DATA)\s*\([^()]*\)", " ", bare)
    if wrong := re.search(r"[|&!]+", between):
        return f"ValidationError: AlarmRule must not contain {wrong[0]}: its operators are AND, OR and NOT"
    own = now.get("alarm_name")
    if own in re.findall(r"(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*\"?([^\")]+)\"?\s*\)", text):
        return f"ValidationError: AlarmRule of {own} must not contain the alarm itself"
    return ""


def dashboard(was: Values, now: Values, _around: Around) -> str:
    text = now.get("dashboard_body")
    if not isinstance(text, str) or not changed(was, now, "dashboard_body"):
        return ""
    wrong = []
    try:
        body = json.loads(text)
    except ValueError:
        body, wrong = None, ["/: the body is no JSON"]
    widgets = body.get("widgets") if isinstance(body, dict) else None
    if isinstance(body, dict) and not isinstance(widgets, list):
        wrong.append("/: should have required property 'widgets'")
    for index, widget in enumerate(widgets if isinstance(widgets, list) else []):
        kinds = ("metric", "text", "log", "alarm", "explorer", "custom")
        if not isinstance(widget, dict) or widget.get("type") not in kinds:
            wrong.append(f"/widgets/{index}/type: should be one of {', '.join(kinds)}")
        elif isinstance(widget.get("width"), int) and not 1 <= widget["width"] <= 24:
            wrong.append(f"/widgets/{index}/width: should be from 1 to 24")
    if not wrong:
        return ""
    return (
        f"InvalidParameterInput: The dashboard body is invalid, there are {len(wrong)} validation errors:"
        f" {'; '.join(wrong)}"
    )


def topic_policy(was: Values, now: Values, _around: Around) -> str:
    if not changed(was, now, "policy"):
        return ""
    words = policy_error(now.get("policy"), RESOURCE)
    for statement in statements(now.get("policy")) or [] if not words else []:
        named = [str(action) for action in listed(statement.get("action"))]
        if any(action != "*" and not action.lower().startswith("sns:") for action in named):
            words = words or "Policy statement action out of service scope!"
    return f"InvalidParameter: Invalid parameter: {words}" if words else ""


def subscription(_was: Values, now: Values, around: Around) -> str:
    protocol, goal = now.get("protocol"), now.get("endpoint")
    if not isinstance(goal, str) or not goal:
        return ""
    topic = find_object(around, "aws_sns_topic", "arn", now.get("topic_arn"))
    wrong = {
        "email": "@" not in goal and "Email address",
        "email-json": "@" not in goal and "Email address",
        "https": not goal.startswith("https://") and "Endpoint must match the specified protocol",
        "http": not goal.startswith("http://") and "Endpoint must match the specified protocol",
        "sqs": not goal.startswith("arn:") and "SQS endpoint ARN",
        "lambda": not goal.startswith("arn:") and "Lambda endpoint ARN",
    }.get(str(protocol))
    if wrong:
        return f"InvalidParameter: Invalid parameter: {wrong}"
    if topic and topic.get("fifo_topic") is True and protocol not in ("sqs", "lambda", "firehose"):
        return f"InvalidParameter: Invalid parameter: Invalid protocol type: {protocol}"
    return ""


API, LOGS, SNS = "API cloudwatch, ", "API logs, ", "API sns, "


def alarm_name(_was: Values, now: Values, around: Around) -> str:
    name = now.get("alarm_name")
    if not any(
        isinstance(name, str) and alarm.get("alarm_name") == name for alarm in others(around, ALARM, now)
    ):
        return ""
    return f'CloudWatch metric alarm "{name}" already exists'


def trace_filter(was: Values, now: Values, _around: Around) -> str:
    given = now.get("filter_expression")
    if not isinstance(given, str) or not changed(was, now, "filter_expression"):
        return ""
    open_end = re.search(r"(\b(AND|OR|CONTAINS|BEGINSWITH|ENDSWITH)|[=<>])\s*\Z", given, re.I)
    return f"InvalidRequestException: Invalid filter expression: {given}" if open_end else ""


RULES = (
    Rule(
        "group_key",
        (GROUP,),
        "the policy of a log group's KMS key must let CloudWatch Logs use it for this group",
        "hashicorp/terraform-provider-aws#29282 and ministryofjustice/modernisation-platform#7870 quote the"
        " answer;"
        " page AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
        group_key,
    ),
    Rule(
        "filters",
        (FILTER,),
        f"a log group must have at most {FILTERS} subscription filters",
        LOGS + "PutSubscriptionFilter, LimitExceededException",
        filters,
        CREATE,
    ),
    Rule(
        "filter_goal",
        (FILTER,),
        "the destination of a subscription must let CloudWatch Logs write",
        LOGS + "PutSubscriptionFilter, InvalidParameterException",
        filter_goal,
    ),
    Rule(
        "resource_policies",
        (POLICY,),
        f"a region must have at most {POLICIES} resource policies of logs",
        LOGS + "PutResourcePolicy, LimitExceededException",
        resource_policies,
        CREATE,
    ),
    Rule(
        "log_policy",
        (POLICY,),
        "a resource policy of logs must follow the grammar",
        LOGS + "PutResourcePolicy, InvalidParameterException",
        log_policy,
    ),
    Rule(
        "alarm_periods",
        (ALARM,),
        "an alarm must look back at most a day, or a week with periods of an hour, and its datapoints must"
        " fit its periods",
        API + "PutMetricAlarm, EvaluationPeriods, Period, DatapointsToAlarm",
        alarm_periods,
    ),
    Rule(
        "alarm_region",
        (ALARM, "aws_cloudwatch_composite_alarm"),
        "an alarm must notify topics in its region",
        API + "PutMetricAlarm, AlarmActions",
        alarm_region,
    ),
    Rule(
        "composite",
        ("aws_cloudwatch_composite_alarm",),
        "the rule of a composite alarm must be balanced, must use only the operators AND, OR and NOT, and"
        " must not contain the alarm",
        API + "PutCompositeAlarm, AlarmRule",
        composite,
    ),
    Rule(
        "dashboard",
        (DASHBOARD,),
        "widgets of a dashboard must have known types and a width of 1 to 24",
        API + "PutDashboard, InvalidParameterInput;"
        " page AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html",
        dashboard,
    ),
    Rule(
        "topic_policy",
        ("aws_sns_topic_policy", "aws_sns_topic"),
        "a policy of a topic must follow the grammar and name actions of SNS",
        SNS + "SetTopicAttributes, InvalidParameter",
        topic_policy,
    ),
    Rule(
        "subscription",
        ("aws_sns_topic_subscription",),
        "the endpoint of a subscription must fit its protocol, and the protocol must fit its topic",
        SNS + "Subscribe, InvalidParameter",
        subscription,
        CREATE,
    ),
    Rule(
        "alarm_name",
        (ALARM,),
        "the name of a metric alarm must be unique",
        "provider internal/service/cloudwatch/metric_alarm.go, resourceMetricAlarmCreate",
        alarm_name,
        CREATE,
    ),
    Rule(
        "trace_filter",
        ("aws_xray_group",),
        "a filter expression of X-Ray must not end with an operator",
        "API xray, CreateGroup, FilterExpression, InvalidRequestException;"
        " page xray/latest/devguide/xray-console-filters.html",
        trace_filter,
    ),
)
