"""Tests of configurations that terraform refuses by the provider's schema, with address and line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.rehearsing import Project

FIXTURE = Path(__file__).parent / "rehearsal/refused/main.tf"


@pytest.fixture(scope="module")
def diagnostics(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str, str]]:
    """Address, summary and detail of everything that terraform validate refuses in the fixture."""
    project = Project(tmp_path_factory.mktemp("refused"), FIXTURE.read_text())
    reported = json.loads(project.run("validate", "-json", code=1))["diagnostics"]
    return {
        (re.sub(r'[^\w."]|"', "", _address(each)), each["summary"], each["detail"].replace("\n", " "))
        for each in reported
    }


def _address(diagnostic: dict[str, dict[str, str]]) -> str:
    context = (diagnostic.get("snippet") or {}).get("context") or ""
    return ".".join(re.findall(r'"(\w+)"', context))


@pytest.mark.parametrize(
    ("address", "summary", "detail"),
    [
        (
            "aws_vpc.unknown_argument",
            "Unsupported argument",
            'An argument named "cidr" is not expected here.',
        ),
        ("aws_subnet.missing_argument", "Missing required argument", 'The argument "vpc_id" is required'),
        ("aws_subnet.wrong_type", "Incorrect attribute value type", "a bool is required"),
        ("aws_lb_listener.missing_block", "Insufficient default_action blocks", "At least 1"),
        (
            "aws_s3_bucket.unknown_block",
            "Unsupported block type",
            'Blocks of type "versions" are not expected',
        ),
        ("aws_eks_cluster.nested", "Missing required argument", 'The argument "subnet_ids" is required'),
        (
            "aws_eks_cluster.nested",
            "Unsupported argument",
            'An argument named "subnets" is not expected here.',
        ),
        ("aws_vpn.unknown_type", "Invalid resource type", "does not support resource type"),
        (
            "aws_iam_policy_document.data",
            "Unsupported argument",
            'An argument named "action" is not expected',
        ),
        ("helm_release.chart", "Incorrect attribute value type", "bool required"),
        (
            "aws_wafv2_web_acl_association.two_missing",
            "Missing required argument",
            '"web_acl_arn" is required',
        ),
        (
            "aws_wafv2_web_acl_association.two_missing",
            "Missing required argument",
            '"resource_arn" is required',
        ),
        (
            "aws_vpc.wrong_value",
            'expected cidr_block to be a valid CIDR block, got "10.0.0.0/33"',
            "internal/service/ec2/vpc_.go",
        ),
        ("aws_lb_target_group.wrong_value", "health_check[0].interval to be in the range 5 to 300", "elbv2"),
        ("aws_iam_role.misspelt_policy", "unknown key Efect", "internal/service/iam/role.go"),
        ("aws_security_group.member_of_a_set", "did you mean 10.0.0.0/8?", "vpc_security_group.go"),
        ("aws_acm_certificate.wrong_value", 'expected key_types[0] to be one of "RSA_1024"', "acm"),
        ("aws_db_instance.both", "identifier conflicts with identifier_prefix", "rds/instance.go"),
    ],
)
def test_invalid_configurations_are_refused_with_address_and_line(
    diagnostics: set[tuple[str, str, str]], address: str, summary: str, detail: str
) -> None:
    at_address = [each for each in diagnostics if each[0] == address]
    assert any(summary in each[1] and detail in each[2] for each in at_address), sorted(diagnostics)
