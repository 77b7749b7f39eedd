"""Tests of WAF rules in the rehearsal, whose schema is limited to the statements in use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.rehearsing import Project, installed

from rehearsal.catalog import Catalog, catalog_path

SEEN = {"cloudwatch_metrics_enabled": True, "metric_name": "x", "sampled_requests_enabled": True}


def configuration(*statements: dict[str, Any]) -> str:
    acl = {"name": "a", "scope": "REGIONAL", "default_action": {"allow": {}}, "visibility_config": SEEN}
    rules = [
        {
            "name": f"rule-{number}",
            "priority": number,
            "action": {"block": {}},
            "statement": statement,
            "visibility_config": SEEN,
        }
        for number, statement in enumerate(statements)
    ]
    return json.dumps({"resource": {"aws_wafv2_web_acl": {"this": {**acl, "rule": rules}}}})


def nested(depth: int) -> dict[str, Any]:
    statement: dict[str, Any] = {"geo_match_statement": {"country_codes": ["NL"]}}
    for _ in range(depth):
        statement = {"not_statement": {"statement": statement}}
    return statement


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def validated(project: Project, *statements: dict[str, Any], code: int = 0) -> str:
    (project.folder / "waf.tf.json").write_text(configuration(*statements))
    return project.run("validate", code=code)


def test_statements_are_nested_as_deeply_as_the_provider_allows(project: Project) -> None:
    validated(project, nested(3))
    assert 'block type is named "not_statement"' in validated(project, nested(4), code=1)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"geo_match_statment": {"country_codes": ["NL"]}}, "geo_match_statment"),
        ({"geo_match_statement": {}}, "country_codes"),
        ({"rate_based_statement": {"limit": "many"}}, "number"),
        ({"byte_match_statement": {"positional_constraint": "EXACTLY", "search_string": "x"}}, "text_trans"),
    ],
)
def test_a_wrong_statement_is_refused(project: Project, statement: dict[str, Any], message: str) -> None:
    assert message in validated(project, statement, code=1)


def test_changed_rules_are_updated_in_place(project: Project) -> None:
    """The schema only has statements in use; a state that was written with another schema is still read."""
    for statements in (
        [nested(2), nested(0)],
        [nested(0)],
        [{"label_match_statement": {"key": "a", "scope": "LABEL"}}],
    ):
        (project.folder / "waf.tf.json").write_text(configuration(*statements))
        project.apply()
        assert project.unchanged()
        rules = project.state()["aws_wafv2_web_acl.this"]["rule"]
        assert len(rules) == len(statements)


def test_the_schema_only_has_statements_in_use() -> None:
    installed()
    words = {"aws_wafv2_web_acl", "geo_match_statement"}
    catalog = Catalog(catalog_path())
    (part,) = catalog.load("aws", "resource", {"aws_wafv2_web_acl"}, words).values()
    statement = part.block.find("rule.statement.geo_match_statement")
    assert statement is not None
    assert part.block.find("rule.statement.byte_match_statement") is None
    (whole,) = catalog.load("aws", "resource", {"aws_wafv2_web_acl"}).values()
    assert whole.block.find("rule.statement.byte_match_statement") is not None
