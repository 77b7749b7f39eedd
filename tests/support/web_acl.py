"""The WAF rules of generated Terraform."""

from __future__ import annotations

from typing import Any

from conftest import Root


def rules(edge: Root) -> dict[str, dict[str, Any]]:
    return {rule["name"]: rule for rule in edge["aws_wafv2_web_acl.main"]["rule"]}


def group(rule: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = rule["statement"]["managed_rule_group_statement"]
    return statement
