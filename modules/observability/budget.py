"""The monthly budget of the account."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.budgets_budget import BudgetsBudget, BudgetsBudgetNotification

from modules.observability.topics import Topics
from tierra.terraform.stack import Stack

# Percent of the budget, of actual or of forecast spending.
NOTICES = (("ACTUAL", 80), ("FORECASTED", 100))


def budget(stack: Stack, topics: Topics) -> None:
    """`aws_budgets_budget.month`, if the spec has one. It covers the whole account: a budget by tag counts
    nothing until the tag is activated for billing."""
    limit = stack.environment.observability.monthly_usd
    if limit is None:
        return
    stack.add(
        BudgetsBudget,
        "month",
        name=stack.names.of("budget", "month"),
        budget_type="COST",
        limit_amount=str(limit),
        limit_unit="USD",
        time_unit="MONTHLY",
        notification=[
            BudgetsBudgetNotification(
                notification_type=kind,
                comparison_operator="GREATER_THAN",
                threshold=percent,
                threshold_type="PERCENTAGE",
                subscriber_sns_topic_arns=[topics.ticket.arn],
            )
            for kind, percent in NOTICES
        ],
        tags=stack.tags("month"),
    )
