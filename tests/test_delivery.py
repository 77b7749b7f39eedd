"""What delivery promises, read from the Terraform it generates."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Root

from modules.delivery.services import MANAGED, SETTINGS

HOST = "token.actions.githubusercontent.com"


@pytest.fixture(scope="session")
def delivery(roots: dict[str, Root]) -> Root:
    return roots["delivery"]


def trusted(root: Root, role: str) -> dict[str, Any]:
    """What the token of a job must say to get the role."""
    statements = root.statements(f"aws_iam_role.{role}", "assume_role_policy")
    [statement] = statements.values()
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert list(statement["Condition"]) == ["StringEquals"]
    return statement["Condition"]["StringEquals"]


def granted(root: Root, role: str) -> dict[str, dict[str, Any]]:
    return root.statements(f"aws_iam_role_policy.{role}")


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_each_system_has_an_immutable_scanned_encrypted_registry(delivery: Root) -> None:
    environment = delivery.environment
    registries = delivery.all("aws_ecr_repository")
    assert set(registries) == {name.replace("-", "_") for name in environment.systems}
    for name, registry in registries.items():
        assert registry["image_tag_mutability"] == "IMMUTABLE"
        assert registry["image_scanning_configuration"] == {"scan_on_push": True}
        assert registry["encryption_configuration"] == [
            {"encryption_type": "KMS", "kms_key": "${aws_kms_key.images.arn}"}
        ]
        assert registry["force_delete"] is not environment.protection, name
        assert registry.get("lifecycle", {}).get("prevent_destroy", False) is environment.protection


def test_old_images_go_in_the_order_that_ecr_keeps(delivery: Root) -> None:
    settings = delivery.environment.delivery
    for policy in delivery.all("aws_ecr_lifecycle_policy").values():
        rules = json.loads(policy["policy"])["rules"]
        assert [rule["rulePriority"] for rule in rules] == [1, 2]
        untagged, tagged = (rule["selection"] for rule in rules)
        assert (untagged["tagStatus"], untagged["countNumber"]) == ("untagged", settings.untagged_days)
        assert (tagged["tagPatternList"], tagged["countNumber"]) == (["*"], settings.image_keep)


def test_images_come_from_the_workflow_of_the_system_alone(delivery: Root) -> None:
    for name in delivery.all("aws_ecr_repository_policy"):
        statements = delivery.statements(f"aws_ecr_repository_policy.{name}")
        refusal = statements["RefuseImagesFromElsewhere"]
        assert (refusal["Effect"], refusal["Principal"]) == ("Deny", "*")
        assert "ecr:PutImage" in refusal["Action"]
        assert refusal["Condition"] == {
            "ArnNotEquals": {"aws:PrincipalArn": f"${{aws_iam_role.push_{name}.arn}}"}
        }
        assert ("RefuseDeletion" in statements) is delivery.environment.protection
        allowed = {sid for sid, each in statements.items() if each["Effect"] == "Allow"}
        assert allowed == {"NodesPull"}


def test_the_registry_of_the_account_is_not_touched_unless_asked(
    delivery: Root, variant: Callable[..., dict[str, Root]]
) -> None:
    assert delivery.all("aws_ecr_registry_scanning_configuration") == {}
    enhanced = variant(delivery={"registry_scan": "enhanced"})["delivery"]
    scanning = enhanced["aws_ecr_registry_scanning_configuration.main"]
    assert scanning["scan_type"] == "ENHANCED"
    assert [
        (rule["scan_frequency"], rule["repository_filter"][0]["filter"]) for rule in scanning["rule"]
    ] == [
        ("SCAN_ON_PUSH", "*"),
        ("CONTINUOUS_SCAN", "acme-*"),
    ]
    basic = variant(delivery={"registry_scan": "basic"})["delivery"]
    assert len(basic["aws_ecr_registry_scanning_configuration.main"]["rule"]) == 1


def test_every_role_is_for_one_repository_and_one_place_of_it(delivery: Root) -> None:
    name = delivery.environment.environment
    expected = {"plan": f"environment:{name}-plan", "apply": f"environment:{name}-infrastructure"}
    for system in delivery.all("aws_ecr_repository"):
        expected |= {
            f"push_{system}": f"environment:{name}-images",
            f"deploy_{system}": f"environment:{name}",
        }
    assert set(delivery.all("aws_iam_role")) == set(expected)
    for role, place in expected.items():
        assert trusted(delivery, role) == {
            f"{HOST}:aud": "sts.amazonaws.com",
            f"{HOST}:sub": f"repo:acme/platform:{place}",
        }


def test_a_system_may_have_its_own_repository_and_environments(
    variant: Callable[..., dict[str, Root]],
) -> None:
    root = variant(
        delivery={
            "repository": "acme/infrastructure",
            "environments": {"push": "images", "deploy": "live", "plan": "review", "apply": "admin"},
        },
        systems={"shop": {"framework": "go", "repository": "acme@12/shop@34"}, "site": {"framework": "go"}},
    )["delivery"]
    subjects = {role: trusted(root, role)[f"{HOST}:sub"] for role in root.all("aws_iam_role")}
    assert subjects == {
        "plan": "repo:acme/infrastructure:environment:review",
        "apply": "repo:acme/infrastructure:environment:admin",
        "push_shop": "repo:acme@12/shop@34:environment:images",
        "deploy_shop": "repo:acme@12/shop@34:environment:live",
        "push_site": "repo:acme/infrastructure:environment:images",
        "deploy_site": "repo:acme/infrastructure:environment:live",
    }


def test_a_second_environment_of_an_account_uses_the_provider_that_is_there(
    delivery: Root, variant: Callable[..., dict[str, Root]]
) -> None:
    provider = delivery["aws_iam_openid_connect_provider.github"]
    assert (provider["url"], provider["client_id_list"]) == (f"https://{HOST}", ["sts.amazonaws.com"])
    second = variant(delivery={"oidc_provider": "existing"})["delivery"]
    assert second.all("aws_iam_openid_connect_provider") == {}
    [statement] = second.statements("aws_iam_role.plan", "assume_role_policy").values()
    arn = f"arn:aws:iam::123456789012:oidc-provider/{HOST}"
    assert statement["Principal"] == {"Federated": arn}
    assert second.body["output"]["oidc_provider_arn"]["value"] == arn


def test_a_push_role_reaches_one_registry(delivery: Root) -> None:
    for name, registry in delivery.all("aws_ecr_repository").items():
        statements = granted(delivery, f"push_{name}")
        assert statements.pop("SignIn")["Action"] == "ecr:GetAuthorizationToken"
        place = delivery.environment
        arn = f"arn:aws:ecr:{place.region}:{place.account}:repository/{registry['name']}"
        assert [each["Resource"] for each in statements.values()] == [arn]


def test_a_deploy_role_edits_one_namespace(delivery: Root) -> None:
    for system in delivery.environment.systems:
        role = f"deploy_{system.replace('-', '_')}"
        association = delivery[f"aws_eks_access_policy_association.{role}"]
        assert association["policy_arn"].endswith(":cluster-access-policy/AmazonEKSEditPolicy")
        assert association["access_scope"] == {"type": "namespace", "namespaces": [system]}
        assert association["principal_arn"] == f"${{aws_eks_access_entry.{role}.principal_arn}}"
        entry = delivery[f"aws_eks_access_entry.{role}"]
        assert entry["principal_arn"] == f"${{aws_iam_role.{role}.arn}}"
        actions = [action for each in granted(delivery, role).values() for action in listed(each["Action"])]
        registry = ["ecr:BatchGetImage", "ecr:DescribeImages", "eks:DescribeCluster"]
        assert sorted(actions) == [*registry, "ssm:GetParameter", "ssm:PutParameter"]
        place = delivery.environment
        assert granted(delivery, role)["SayWhichImageRuns"]["Resource"] == (
            f"arn:aws:ssm:{place.region}:{place.account}"
            f":parameter/{place.project}/{place.environment}/systems/{system}/image"
        )


def test_a_plan_changes_nothing_but_the_lock(delivery: Root) -> None:
    statements = granted(delivery, "plan")
    reading = ("Describe", "Get", "List", "View")
    for sid, each in statements.items():
        if each["Effect"] == "Deny" or sid == "DecryptThePasswords":
            continue
        assert all(action.split(":")[1].startswith(reading) for action in listed(each["Action"])), sid


def test_a_plan_reads_states_and_an_apply_writes_them(delivery: Root) -> None:
    """By the policies of the tier state, whose ARNs are known before it is read."""
    place = delivery.environment
    for role, right in (("plan", "read"), ("apply", "write")):
        attached = delivery[f"aws_iam_role_policy_attachment.{role}_state"]
        assert attached == {
            "role": f"${{aws_iam_role.{role}.name}}",
            "policy_arn": f"arn:aws:iam::{place.account}:policy/acme-{place.environment}-state-{right}",
        }


def test_a_plan_reads_no_secret_but_those_that_plans_read_back(delivery: Root) -> None:
    statements = granted(delivery, "plan")
    place = delivery.environment
    folder = f"arn:aws:secretsmanager:{place.region}:{place.account}:secret:acme-{place.environment}"
    secrets = [f"{folder}-postgres-??????", f"{folder}-documentdb-??????"]
    read = statements.pop("ReadBackThePasswords")
    assert (read["Action"], read["Resource"]) == ("secretsmanager:GetSecretValue", secrets)
    condition = statements["DecryptThePasswords"]["Condition"]
    assert condition["ForAnyValue:StringEquals"] == {
        "kms:ResourceAliases": f"alias/acme-{place.environment}-secrets"
    }
    assert condition["StringEquals"] == {"kms:ViaService": f"secretsmanager.{place.region}.amazonaws.com"}
    allowed = {
        action
        for each in statements.values()
        if each["Effect"] == "Allow"
        for action in listed(each["Action"])
    }
    assert (
        not {"secretsmanager:*", "secretsmanager:Get*", "ssm:*", "ssm:Get*", "logs:*", "logs:Get*"} & allowed
    )
    others = statements["RefuseOtherSecrets"]
    assert (others["Effect"], others["NotResource"]) == ("Deny", secrets)
    assert others["Action"] == "secretsmanager:GetSecretValue"
    assert "secretsmanager:BatchGetSecretValue" in statements["RefuseOtherWays"]["Action"]
    parameters = statements["RefuseOtherParameters"]
    assert parameters["Action"] == "ssm:GetParameter*"
    assert parameters["NotResource"] == (
        f"arn:aws:ssm:{place.region}:{place.account}"
        f":parameter/{place.project}/{place.environment}/systems/*/image"
    )
    assert statements["RefuseFiles"]["Action"] == "s3:GetObject*"


def test_a_plan_sees_records_of_releases_and_no_namespace_of_a_system(roots: dict[str, Root]) -> None:
    delivery = roots["delivery"]
    association = delivery["aws_eks_access_policy_association.plan"]
    assert association["policy_arn"].endswith(":cluster-access-policy/AmazonEKSAdminViewPolicy")
    scope = association["access_scope"]
    assert scope["type"] == "namespace"
    used = {release["namespace"] for root in roots.values() for release in root.all("helm_release").values()}
    records = "${data.terraform_remote_state.gateway.outputs.releases_namespace}"
    assert used - {records} <= set(scope["namespaces"])
    assert roots["gateway"].body["output"]["releases_namespace"]["value"] in scope["namespaces"]
    assert not set(scope["namespaces"]) & (delivery.environment.systems.keys() | {"default"})


def test_apply_works_within_its_boundary_and_cannot_change_it(delivery: Root) -> None:
    stem = f"acme-{delivery.environment.environment}"
    account = delivery.environment.account
    assert delivery["aws_iam_role.apply"]["permissions_boundary"] == "${aws_iam_policy.apply_boundary.arn}"
    boundary = delivery.statements("aws_iam_policy.apply_boundary")
    for statements in (boundary, granted(delivery, "apply")):
        refused = statements["RefuseOwnRights"]
        assert refused["Effect"] == "Deny"
        assert {
            f"arn:aws:iam::{account}:{own}"
            for own in (
                f"role/{stem}-plan",
                f"role/{stem}-apply",
                f"policy/{stem}-apply-boundary",
                f"policy/{stem}-state-read",
                f"policy/{stem}-state-write",
                f"oidc-provider/{HOST}",
            )
        } == set(refused["Resource"])
        assert all(f":{account}:" in arn and stem in arn for arn in statements["ManageRoles"]["Resource"])
        assert "iam:PassedToService" in statements["PassRoles"]["Condition"]["StringEquals"]
    assert boundary["ServicesInTheRegion"]["Condition"] == {
        "StringEquals": {"aws:RequestedRegion": delivery.environment.region}
    }


def test_apply_pushes_no_image_and_reads_no_secret_but_those_of_the_environment(delivery: Root) -> None:
    statements = granted(delivery, "apply")
    read = statements.pop("ReadBackPasswords")
    place = delivery.environment
    assert read["Action"] == "secretsmanager:GetSecretValue"
    secrets = f"arn:aws:secretsmanager:{place.region}:{place.account}:secret"
    assert read["Resource"] == f"{secrets}:acme-{place.environment}-*"
    allowed = {
        action
        for each in statements.values()
        if each["Effect"] == "Allow"
        for action in listed(each["Action"])
    }
    forbidden = {"ecr:*", "ecr:PutImage", "secretsmanager:*", "secretsmanager:GetSecretValue", "iam:*"}
    assert not forbidden & allowed


# The service of each type of resource, where its first word does not say it.
SERVICES = {
    "appautoscaling": "application-autoscaling",
    "autoscaling": "autoscaling",
    "cloudwatch_event": "events",
    "cloudwatch_log": "logs",
    "db": "rds",
    "docdb": "rds",
    "flow": "ec2",
    "launch": "ec2",
    "lb": "elasticloadbalancing",
}
EC2 = {
    "default", "ec2", "ebs", "eip", "flow", "internet", "launch", "nat", "network", "route", "route_table",
    "security", "subnet", "vpc",
}  # fmt: skip


def service(terraform_type: str) -> str:
    words = terraform_type.removeprefix("aws_").split("_")
    if "_".join(words[:2]) in SERVICES:
        return SERVICES["_".join(words[:2])]
    return SERVICES.get(words[0], "ec2" if words[0] in EC2 else words[0])


def test_apply_may_manage_whatever_the_tiers_are_made_of(roots: dict[str, Root]) -> None:
    known = {*MANAGED, *SETTINGS, "budgets", "iam", "route53", "s3"}
    for tier, root in roots.items():
        for terraform_type, name, _ in root.each():
            if terraform_type.startswith("aws_"):
                assert service(terraform_type) in known, f"{tier}: {terraform_type}.{name}"


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-northwest-1"])
def test_policies_fit_the_limits_of_iam_whatever_the_names(
    variant: Callable[..., dict[str, Root]], region: str
) -> None:
    other = {"us-gov-west-1": "us-gov-east-1", "cn-northwest-1": "cn-north-1"}[region]
    root = variant(
        project="a" * 16, environment="b" * 12, region=region, storage={"backup": {"copy_region": other}}
    )["delivery"]
    for name, policy in root.all("aws_iam_role_policy").items():
        assert len(policy["policy"]) <= 10_240, name  # all inline policies of a role, without spaces
    for name, policy in root.all("aws_iam_policy").items():
        assert len(policy["policy"]) <= 6_144, name


def test_a_system_more_adds_its_own_things_and_changes_no_others(
    variant: Callable[..., dict[str, Root]],
) -> None:
    one = {"orders": {"framework": "go"}}
    before = variant(systems=one)["delivery"].body
    after = variant(systems={"billing": {"framework": "go"}, **one})["delivery"].body
    for terraform_type, resources in before["resource"].items():
        for name, arguments in resources.items():
            assert after["resource"][terraform_type].pop(name) == arguments
    left = {name for resources in after["resource"].values() for name in resources}
    assert left == {"billing", "push_billing", "deploy_billing"}
