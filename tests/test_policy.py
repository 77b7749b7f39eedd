"""Tests of policy documents, and of their way through cdktf and Terraform."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.kms_key import KmsKey
from conftest import read_roots

from modules.architecture import Tier, synthesize
from modules.spec import Environment
from tierra.terraform.policy import Everyone, Everything, Statement, document, for_terraform, trust
from tierra.terraform.stack import Stack

ARN = "arn:aws:s3:::files"
REASON = "the service has no narrower resource"


def test_the_same_statements_give_the_same_text() -> None:
    statement = Statement(
        sid="Read",
        actions=["s3:GetObject", "s3:ListBucket"],
        resources=[ARN],
        conditions={"StringEquals": {"b": "2", "a": ["1"]}, "Bool": {"aws:SecureTransport": "true"}},
    )
    assert document(statement) == (
        '{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow",'
        '"Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::files",'
        '"Condition":{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"a":"1","b":"2"}}}]}'
    )


def test_a_wildcard_requires_a_reason() -> None:
    rendered = Statement("List", "s3:ListAllMyBuckets", Everything(REASON)).render()
    assert rendered["Resource"] == "*"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"resources": "*"}, r"written Everything\(reason\)"),
        ({"resources": [ARN, "*"]}, r"written Everything\(reason\)"),
        ({"actions": "*"}, 'Action "\\*" is never least privilege'),
        ({"actions": []}, "no action"),
        ({"sid": "not a sid"}, "letters and digits"),
        ({"principals": {"AWS": "*"}}, r"written Everyone\(reason\)"),
        ({"principals": Everyone("who knows that")}, "to allow everyone needs a condition"),
    ],
)
def test_wildcards_that_are_wider_than_they_look_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Statement(**{"sid": "Read", "actions": "s3:GetObject", "resources": ARN, **arguments})


@pytest.mark.parametrize("wide", [Everything, Everyone])
@pytest.mark.parametrize("reason", ["", "because", "it works"])
def test_a_reason_must_be_text(wide: Callable[[str], object], reason: str) -> None:
    with pytest.raises(ValueError, match="reason in words"):
        wide(reason)


def test_statements_have_unique_sids() -> None:
    statement = Statement("Read", "s3:GetObject", ARN)
    with pytest.raises(ValueError, match="Read"):
        document(statement, statement)
    with pytest.raises(ValueError, match="has statements"):
        document()


def test_trust_policies_are_limited_to_the_account_and_its_resources() -> None:
    [statement] = json.loads(trust("backup.amazonaws.com", "123456789012", "arn:aws:backup:*"))["Statement"]
    assert statement == {
        "Sid": "ServiceMayAssume",
        "Effect": "Allow",
        "Principal": {"Service": "backup.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "ArnLike": {"aws:SourceArn": "arn:aws:backup:*"},
            "StringEquals": {"aws:SourceAccount": "123456789012"},
        },
    }


def test_a_deny_statement_may_except_resources() -> None:
    [statement] = json.loads(document(Statement("A", "s3:GetObject", effect="Deny", other_than=ARN)))[
        "Statement"
    ]
    assert statement == {"Sid": "A", "Effect": "Deny", "Action": "s3:GetObject", "NotResource": ARN}
    for wrong in ({"effect": "Allow"}, {"effect": "Deny", "resources": ARN}):
        with pytest.raises(ValueError, match="other_than"):
            Statement("A", "s3:GetObject", other_than=ARN, **wrong)


@pytest.mark.parametrize(
    ("written", "for_iam"),
    [
        ("home/${aws:username}/*", "home/$${aws:username}/*"),
        ("${aws:PrincipalTag/team}", "$${aws:PrincipalTag/team}"),
        ("${s3:prefix}", "$${s3:prefix}"),
        ("what${?} and ${*} and ${$}", "what$${?} and $${*} and $${$}"),
        ("$${aws:username}", "$${aws:username}"),
        ("${aws_kms_key.logs.arn}", "${aws_kms_key.logs.arn}"),
        ("${TfToken[TOKEN.12]}", "${TfToken[TOKEN.12]}"),
        ('${data.state.outputs.ids["a b"]}', '${data.state.outputs.ids["a b"]}'),
        ("${local.on ? 1 : 2}", "${local.on ? 1 : 2}"),
    ],
)
def test_variables_of_iam_are_escaped_and_references_are_not(written: str, for_iam: str) -> None:
    text = for_terraform(json.dumps({"Resource": written}))
    assert text == '{"Resource": "' + for_iam + '"}'


def test_references_are_preserved_by_cdktf(environment: Callable[..., Environment], tmp_path: Path) -> None:
    def tier(stack: Stack) -> None:
        key = stack.add(KmsKey, "files")
        stack.add(
            IamRolePolicy,
            "files",
            role="trial",
            policy=document(
                Statement("Decrypt", "kms:Decrypt", [key.arn, '${data.state.outputs.keys["a b"]}']),
                Statement("Home", "s3:GetObject", f"{ARN}/${{aws:username}}/*"),
            ),
        )

    synthesize(environment(), tmp_path, {"trial": Tier(tier)})
    policy = read_roots(tmp_path, environment())["trial"]["aws_iam_role_policy.files"]["policy"]
    assert '"Resource":["${aws_kms_key.files.arn}","${data.state.outputs.keys["a b"]}"]' in policy
    assert '"Resource":"arn:aws:s3:::files/$${aws:username}/*"' in policy
