"""Tests of REHEARSAL_AS: the rehearsal refuses the calls of a role that IAM would refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.rehearsing import PROVIDERS, Project

from rehearsal import actions
from rehearsal.access import ARGUMENTS, BELONGS, Access
from rehearsal.account import Account
from rehearsal.catalog import Catalog, catalog_path
from rehearsal.cloud import Cloud
from rehearsal.iam import Identity, Request

ACCOUNT = Account()
IAM = f"arn:aws:iam::{ACCOUNT.id}"
TAGS = {"Project": "acme"}
VPC = {
    "id": "vpc-0a",
    "arn": f"arn:aws:ec2:us-east-1:{ACCOUNT.id}:vpc/vpc-0a",
    "region": "us-east-1",
    "tags_all": TAGS,
}


def statement(action: Any, resource: Any = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def access(folder: Path, *statements: dict[str, Any], boundary: list[dict[str, Any]] | None = None) -> Access:
    """The role acme-apply of an account with one VPC."""
    cloud = Cloud(folder / "cloud.sqlite")
    role: dict[str, Any] = {"name": "acme-apply", "arn": f"{IAM}:role/acme-apply"}
    if boundary is not None:
        limit = {"arn": f"{IAM}:policy/limit", "policy": json.dumps({"Statement": boundary})}
        cloud.put("aws_iam_policy", "limit", limit)
        role["permissions_boundary"] = limit["arn"]
    inline = {"role": "acme-apply", "policy": json.dumps({"Statement": list(statements)})}
    cloud.put("aws_iam_role_policy", "a", inline)
    cloud.put("aws_iam_role", "a", role)
    cloud.put("aws_vpc", "a", VPC)
    loaded = Access.of("apply", cloud, ACCOUNT)
    assert loaded
    return loaded


def refused(rights: Access, type_name: str, when: str, prior: Any = None, planned: Any = None) -> str:
    answer = rights.refused(type_name, when, prior, planned)
    return f"{answer.request.action} {answer.because}" if answer else ""


@pytest.mark.parametrize(
    ("when", "lacking"),
    [
        ("read", "ec2:DescribeVpcAttribute"),
        ("create", "ec2:CreateVpc"),
        ("update", "ec2:ModifyVpcAttribute"),
        ("delete", "ec2:DeleteVpc"),
    ],
)
def test_the_missing_action_is_in_the_message(tmp_path: Path, when: str, lacking: str) -> None:
    """With all permissions except this one, each other operation is possible."""
    rest = {"Effect": "Allow", "NotAction": lacking, "Resource": "*"}
    rights = access(tmp_path, rest)
    for each in ("read", "create", "update", "delete"):
        prior = None if each == "create" else VPC
        planned = {**VPC, "enable_dns_support": False} if each in ("create", "update") else None
        says = f"{lacking} because no identity-based policy allows the {lacking} action"
        assert refused(rights, "aws_vpc", each, prior, planned) == (says if each == when else "")


def test_a_change_of_tags_only_needs_tag_permissions(tmp_path: Path) -> None:
    rights = access(tmp_path, statement("ec2:CreateTags"))
    assert not refused(rights, "aws_vpc", "update", VPC, {**VPC, "tags_all": {**TAGS, "Team": "a"}})
    assert refused(rights, "aws_vpc", "update", VPC, {**VPC, "tags_all": {}}).startswith("ec2:DeleteTags ")


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"aws:ResourceTag/Project": "acme"}}, True),
        ({"StringEquals": {"aws:ResourceTag/Project": "shop"}}, False),
        ({"StringEquals": {"aws:RequestTag/Project": "acme"}}, False),
        ({"StringEquals": {"aws:RequestedRegion": ["us-east-1"]}}, True),
        ({"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}}, False),
        ({"Null": {"aws:ResourceTag/Project": "true"}}, False),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "a"}}, True),
    ],
)
def test_conditions_are_evaluated_with_known_values(
    tmp_path: Path, condition: dict[str, Any], allowed: bool
) -> None:
    """A condition on an unknown value refuses nothing, in Allow and Deny statements."""
    rights = access(tmp_path, statement("ec2:*", Condition=condition))
    assert (not refused(rights, "aws_vpc", "delete", VPC)) == allowed
    denied = access(tmp_path, statement("ec2:*"), statement("ec2:*", effect="Deny", Condition=condition))
    certain = allowed and not {"IpAddress"} & condition.keys() and "aws:PrincipalTag" not in str(condition)
    assert bool(refused(denied, "aws_vpc", "delete", VPC)) == certain


def test_new_resources_have_request_tags(tmp_path: Path) -> None:
    tagged = {"StringEquals": {"aws:RequestTag/Project": "acme"}}
    rights = access(tmp_path, statement(["ec2:CreateVpc", "ec2:CreateTags"], Condition=tagged))
    assert not refused(rights, "aws_vpc", "create", None, VPC)
    assert refused(rights, "aws_vpc", "create", None, {**VPC, "tags_all": {}}).startswith("ec2:CreateVpc ")


def test_resources_are_found_by_arguments_and_their_tags_in_the_account(tmp_path: Path) -> None:
    subnet = {"id": "subnet-0a", "vpc_id": "vpc-0a", "region": "us-east-1", "tags_all": TAGS}
    subnet["arn"] = f"arn:aws:ec2:us-east-1:{ACCOUNT.id}:subnet/subnet-0a"
    rest = statement("ec2:*", "arn:aws:ec2:*:*:subnet/*")
    condition = {"StringEquals": {"aws:ResourceTag/Project": "shop"}}
    rights = access(tmp_path, rest, statement("ec2:*", VPC["arn"], Condition=condition))
    answer = rights.refused("aws_subnet", "create", None, subnet)
    assert answer
    assert (answer.request.action, answer.request.resource) == ("ec2:CreateSubnet", VPC["arn"])
    rights = access(tmp_path, rest, statement("ec2:*", VPC["arn"]))
    assert not refused(rights, "aws_subnet", "create", None, subnet)


def test_an_explicit_deny_and_a_boundary_refuse(tmp_path: Path) -> None:
    everything = statement("*")
    deny = statement("ec2:DeleteVpc", effect="Deny")
    rights = access(tmp_path, everything, deny)
    assert refused(rights, "aws_vpc", "delete", VPC).endswith(
        "with an explicit deny in an identity-based policy"
    )
    rights = access(tmp_path, everything, boundary=[everything, deny])
    assert refused(rights, "aws_vpc", "delete", VPC).endswith(
        "with an explicit deny in a permissions boundary"
    )
    rights = access(tmp_path, everything, boundary=[statement("s3:*")])
    assert "because no permissions boundary allows" in refused(rights, "aws_vpc", "delete", VPC)


def test_passing_a_role_is_checked_by_service(tmp_path: Path) -> None:
    log = {"id": "fl-0a", "iam_role_arn": f"{IAM}:role/flow", "tags_all": {}}
    to = {"StringEquals": {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}}
    passes = statement("iam:PassRole", Condition=to)
    assert not refused(access(tmp_path, statement("ec2:*"), passes), "aws_flow_log", "create", None, log)
    rights = access(tmp_path, statement("ec2:*"))
    assert refused(rights, "aws_flow_log", "create", None, log).startswith("iam:PassRole ")


def test_unknown_policies_may_allow_anything(tmp_path: Path) -> None:
    rights = access(tmp_path)
    assert refused(rights, "aws_vpc", "read", VPC)
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    rights.cloud.put("aws_iam_role_policy_attachment", "a", {"role": "acme-apply", "policy_arn": arn})
    again = Access.of("acme-apply", rights.cloud, ACCOUNT)
    assert again
    assert not refused(again, "aws_vpc", "read", VPC)


def test_without_the_role_nothing_is_refused(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "cloud.sqlite")
    assert Access.of("apply", cloud, ACCOUNT) is None
    for name in ("a-apply", "b-apply"):
        cloud.put("aws_iam_role", name, {"name": name})
    with pytest.raises(ValueError, match=r"REHEARSAL_AS=apply could be a-apply, b-apply"):
        Access.of("apply", cloud, ACCOUNT)
    rights = Access.of("b-apply", cloud, ACCOUNT)
    assert rights
    assert rights.role == "b-apply"


def test_variables_of_policies_match_anything() -> None:
    own = {"Statement": [statement("s3:*", "arn:aws:s3:::${aws:username}-files")]}
    assert Identity([own]).may(Request("s3:CreateBucket", "arn:aws:s3:::someone-files"))
    assert not Identity([own]).may(Request("s3:CreateBucket", "arn:aws:s3:::logs"))
    policy = {"Statement": [statement("s3:*"), statement("s3:*", "arn:${x}", effect="Deny")]}
    assert Identity([policy]).may(Request("s3:CreateBucket", "arn:aws:s3:::logs"))


def test_stored_actions_are_those_of_the_service_reference() -> None:
    """If this fails, run python -m rehearsal.actions."""
    assert actions.load() == actions.describe(actions.wanted(actions.calls()))


def test_arguments_that_calls_depend_on_exist() -> None:
    types = Catalog(catalog_path()).load("aws", "resource", {*actions.calls(), *BELONGS})
    wrong = []
    for type_name, facts in actions.calls().items():
        for when, only in facts.get("only", {}).items():
            wrong += [f"{type_name}: {action}" for action in only if action not in facts.get(when, [])]
            arguments = {each.lstrip("!") for some in only.values() for each in some}
            wrong += [f"{type_name}: {each}" for each in arguments if not types[type_name].block.find(each)]
    assert not wrong
    for type_name, (_, pairs) in BELONGS.items():
        assert all(types[type_name].block.find(mine) for mine in pairs.values())
    known = {name for each in types.values() for name in each.block.attributes}
    assert all(name in known for names in ARGUMENTS.values() for name in names)


ROLES = """
resource "aws_iam_role" "apply" {
  name               = "acme-apply"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "apply" {
  role   = aws_iam_role.apply.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Action = ["ec2:*", "iam:Get*", "iam:List*"], Resource = "*" }] })
}
"""
REGISTRY = 'resource "aws_ecr_repository" "a" {\n  name = "images"\n}\n'
ZONE = 'data "aws_route53_zone" "a" {\n  name = "example.com"\n}\n'
PASSWORD = 'ephemeral "aws_secretsmanager_random_password" "a" {}\n'


def test_terraform_gets_the_error_message_of_aws(tmp_path: Path) -> None:
    project = Project(tmp_path)
    says = project.apply(f"{PROVIDERS}{ROLES}", REHEARSAL_AS="apply")
    assert "the account has no such role yet" in says
    says = project.apply(f"{PROVIDERS}{ROLES}{REGISTRY}", code=1, REHEARSAL_AS="apply")
    plain = " ".join(says.replace("\u2502", " ").split())
    assert "with aws_ecr_repository.a" in plain
    assert (
        "operation error ECR: CreateRepository, api error AccessDeniedException: User:"
        f" arn:aws:sts::{ACCOUNT.id}:assumed-role/acme-apply/rehearsal is not authorized to perform:"
        f" ecr:CreateRepository on resource: arn:aws:ecr:us-east-1:{ACCOUNT.id}:repository/images because no"
        " identity-based policy allows the ecr:CreateRepository action"
    ) in plain
    assert "AccessDenied: the rehearsal answers as AWS would to the role acme-apply" in plain
    project.apply()
    assert "ecr:DescribeRepositories" in project.run("plan", code=1, REHEARSAL_AS="apply")
    says = project.apply(f"{PROVIDERS}{ROLES}{ZONE}", code=1, REHEARSAL_AS="apply")
    assert "route53:ListHostedZones" in says
    says = project.apply(f"{PROVIDERS}{ROLES}{PASSWORD}", code=1, REHEARSAL_AS="acme-apply")
    assert "secretsmanager:GetRandomPassword" in says
