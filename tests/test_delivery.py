"""Tests of the delivery tier: its generated Terraform."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Root, read_roots

from modules.architecture import TIERS, synthesize
from modules.loader import load

HOST = "token.actions.githubusercontent.com"


@pytest.fixture(scope="session")
def delivery(roots: dict[str, Root]) -> Root:
    return roots["delivery"]


def trusted(root: Root, role: str) -> dict[str, Any]:
    """The claims that the token of a job must have to get the role."""
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


def test_lifecycle_rules_are_in_the_order_of_ecr(delivery: Root) -> None:
    settings = delivery.environment.delivery
    for policy in delivery.all("aws_ecr_lifecycle_policy").values():
        rules = json.loads(policy["policy"])["rules"]
        assert [rule["rulePriority"] for rule in rules] == [1, 2]
        untagged, tagged = (rule["selection"] for rule in rules)
        assert (untagged["tagStatus"], untagged["countNumber"]) == ("untagged", settings.untagged_days)
        assert (tagged["tagPatternList"], tagged["countNumber"]) == (["*"], settings.image_keep)


def test_only_the_workflow_of_a_system_pushes_its_images(delivery: Root) -> None:
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
        assert allowed - {"LaterEnvironmentsPull"} == {"NodesPull"}


def test_registry_settings_of_the_account_are_opt_in(
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


def test_every_role_trusts_one_repository_and_one_environment(delivery: Root) -> None:
    name = delivery.environment.environment
    expected: dict[str, str | list[str]] = {
        "plan": [f"environment:{name}-plan", f"environment:{name}-drift"],
        "apply": f"environment:{name}-infrastructure",
    }
    for system in delivery.all("aws_ecr_repository"):
        expected |= {
            f"push_{system}": f"environment:{name}-images",
            f"deploy_{system}": f"environment:{name}",
        }
    assert set(delivery.all("aws_iam_role")) == set(expected)
    for role, places in expected.items():
        subjects = trusted(delivery, role)
        assert subjects.pop(f"{HOST}:aud") == "sts.amazonaws.com"
        assert list(subjects) == [f"{HOST}:sub"]
        assert listed(subjects[f"{HOST}:sub"]) == [f"repo:acme/platform:{each}" for each in listed(places)]


def test_a_system_may_have_its_own_repository_and_github_environments(
    variant: Callable[..., dict[str, Root]],
) -> None:
    root = variant(
        delivery={
            "repository": "acme/infrastructure",
            "subjects": "numbered",
            "environments": {
                "push": "images",
                "deploy": "live",
                "plan": "review",
                "drift": "nightly",
                "apply": "admin",
            },
        },
        systems={"shop": {"framework": "go", "repository": "acme@12/shop@34"}, "site": {"framework": "go"}},
    )["delivery"]
    subjects = {role: trusted(root, role)[f"{HOST}:sub"] for role in root.all("aws_iam_role")}
    assert subjects == {
        "plan": [
            "repo:acme/infrastructure:environment:review",
            "repo:acme/infrastructure:environment:nightly",
        ],
        "apply": "repo:acme/infrastructure:environment:admin",
        "push_shop": "repo:acme@12/shop@34:environment:images",
        "deploy_shop": "repo:acme@12/shop@34:environment:live",
        "push_site": "repo:acme/infrastructure:environment:images",
        "deploy_site": "repo:acme/infrastructure:environment:live",
    }


def test_a_repository_with_ids_is_trusted_with_both_subjects_by_default(
    variant: Callable[..., dict[str, Root]],
) -> None:
    """During the migration to immutable subjects: github.blog/changelog, 2026-04-23."""
    root = variant(delivery={"repository": "acme@12/platform@34"})["delivery"]
    assert trusted(root, "apply")[f"{HOST}:sub"] == [
        "repo:acme@12/platform@34:environment:trial-infrastructure",
        "repo:acme/platform:environment:trial-infrastructure",
    ]
    moved = variant(delivery={"repository": "acme@12/platform@34", "subjects": "numbered"})
    assert trusted(moved["delivery"], "apply")[f"{HOST}:sub"] == (
        "repo:acme@12/platform@34:environment:trial-infrastructure"
    )


def test_only_the_plan_role_trusts_the_drift_environment(delivery: Root) -> None:
    drift = f"repo:acme/platform:environment:{delivery.environment.environment}-drift"
    roles = delivery.all("aws_iam_role")
    assert [role for role in roles if drift in listed(trusted(delivery, role)[f"{HOST}:sub"])] == ["plan"]


def test_a_second_environment_uses_the_existing_identity_provider(
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


def test_a_push_role_has_access_to_one_registry(delivery: Root) -> None:
    for name, registry in delivery.all("aws_ecr_repository").items():
        statements = granted(delivery, f"push_{name}")
        assert statements.pop("SignIn")["Action"] == "ecr:GetAuthorizationToken"
        environment = delivery.environment
        arn = f"arn:aws:ecr:{environment.region}:{environment.account}:repository/{registry['name']}"
        statements.pop("TakeFromTheEnvironmentBefore", None)  # of production, where it only reads
        assert [each["Resource"] for each in statements.values()] == [arn]


def test_a_deploy_role_has_the_permissions_of_its_group_in_one_namespace(delivery: Root) -> None:
    """It has no access policy of EKS: the edit policy can read Secrets and execute commands in pods."""
    for system in delivery.environment.systems:
        role = f"deploy_{system.replace('-', '_')}"
        assert role not in delivery.all("aws_eks_access_policy_association")
        entry = delivery[f"aws_eks_access_entry.{role}"]
        assert entry["principal_arn"] == f"${{aws_iam_role.{role}.arn}}"
        assert entry["kubernetes_groups"] == [f"deploy-{system}"]
        actions = [action for each in granted(delivery, role).values() for action in listed(each["Action"])]
        registry = ["ecr:BatchGetImage", "ecr:DescribeImages", "eks:DescribeCluster"]
        assert sorted(actions) == [*registry, "ssm:GetParameter", "ssm:PutParameter"]
        environment = delivery.environment
        assert granted(delivery, role)["SayWhichImageRuns"]["Resource"] == (
            f"arn:aws:ssm:{environment.region}:{environment.account}"
            f":parameter/{environment.project}/{environment.environment}/systems/{system}/image"
        )


def test_a_plan_reads_states_and_an_apply_writes_them(delivery: Root) -> None:
    """Through the policies of the state tier, whose ARNs are known without reading its outputs."""
    spec = delivery.environment
    for role, right in (("plan", "read"), ("apply", "write")):
        attached = delivery[f"aws_iam_role_policy_attachment.{role}_state"]
        assert attached == {
            "role": f"${{aws_iam_role.{role}.name}}",
            "policy_arn": f"arn:aws:iam::{spec.account}:policy/acme-{spec.environment}-state-{right}",
        }


def test_a_plan_reads_no_secret(delivery: Root) -> None:
    """Explicit denials hold whatever is attached to the role later; tests/test_roles.py simulates each."""
    statements = granted(delivery, "plan")
    refused = statements["RefuseSecrets"]
    assert (refused["Effect"], refused["Resource"]) == ("Deny", "*")
    assert {
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager:GetSecretValue",
        "sts:AssumeRole",
    } <= set(refused["Action"])
    assert [sid for sid, each in statements.items() if each["Effect"] == "Allow"] == ["MakeUpPasswords"]
    environment = delivery.environment
    parameters = statements["RefuseOtherParameters"]
    assert parameters["Action"] == "ssm:GetParameter*"
    assert parameters["NotResource"] == (
        f"arn:aws:ssm:{environment.region}:{environment.account}"
        f":parameter/{environment.project}/{environment.environment}/systems/*/image"
    )
    assert statements["RefuseFiles"]["Action"] == "s3:GetObject*"


def test_a_plan_reads_release_records_but_no_namespace_of_a_system(roots: dict[str, Root]) -> None:
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


def test_the_apply_role_has_a_boundary_and_cannot_change_it(delivery: Root) -> None:
    """The single statements are tested with simulated requests in tests/test_roles.py."""
    stem = f"acme-{delivery.environment.environment}"
    account = delivery.environment.account
    for role in ("plan", "apply"):
        limit = delivery[f"aws_iam_role.{role}"]["permissions_boundary"]
        assert limit == "${aws_iam_policy.apply_boundary.arn}"
    boundary = delivery.statements("aws_iam_policy.apply_boundary")
    for statements in (boundary, delivery.statements("aws_iam_policy.apply_global")):
        refused = statements["RefuseOwnRights"]
        assert refused["Effect"] == "Deny"
        assert {
            f"arn:aws:iam::{account}:{own}"
            for own in (
                f"role/{stem}-plan",
                f"role/{stem}-apply",
                f"policy/{stem}-*",
                f"oidc-provider/{HOST}",
            )
        } == set(refused["Resource"])
        managed = statements["ManageRolesWithinTheirBoundary"]
        assert managed["Resource"] == f"arn:aws:iam::{account}:role/{stem}-*"
        assert managed["Condition"] == {
            "StringEquals": {
                "iam:PermissionsBoundary": f"arn:aws:iam::{account}:policy/{stem}-workload-boundary"
            }
        }
        assert "iam:PassedToService" in statements["PassRoles"]["Condition"]["StringEquals"]
    assert boundary["ServicesInTheRegion"]["Condition"] == {
        "StringEquals": {"aws:RequestedRegion": delivery.environment.region}
    }


def chain(folder: Path, **changes: Any) -> dict[str, dict[str, Root]]:
    """Delivery and state tiers of staging and of production, which promotes images from staging."""
    roots = {}
    spec: dict[str, Any] = {
        "project": "acme",
        "region": "us-east-1",
        "account": "210987654321",
        "systems": {"shop": {"framework": "go"}},
    }
    later = {"account": "123456789012", "delivery": {"promote_from": "staging"}, **changes}
    for name, more in (("staging", {}), ("production", later)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(spec | more))
    for name in ("staging", "production"):
        environment = load(folder / f"{name}.yaml")
        tiers = {tier: TIERS[tier] for tier in ("state", "delivery")}
        synthesize(environment, folder / name, tiers)
        roots[name] = read_roots(folder / name, environment)
    return roots


def test_production_takes_images_from_staging_only(tmp_path: Path) -> None:
    roots = chain(tmp_path)
    before, after = roots["staging"]["delivery"], roots["production"]["delivery"]
    pulls = before.statements("aws_ecr_repository_policy.shop")["LaterEnvironmentsPull"]
    # A role that does not exist yet would make the policy invalid, so the account is the principal and a
    # condition names the role.
    assert pulls["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    role = "arn:aws:iam::123456789012:role/acme-production-push-shop"
    assert pulls["Condition"] == {"ArnEquals": {"aws:PrincipalArn": role}}
    assert after["aws_iam_role.push_shop"]["name"] == role.partition("/")[2]
    taken = granted(after, "push_shop")["TakeFromTheEnvironmentBefore"]
    assert taken["Resource"] == "arn:aws:ecr:us-east-1:210987654321:repository/acme-staging/shop"
    assert set(pulls["Action"]) == set(taken["Action"])
    assert not [action for action in pulls["Action"] if not action.startswith(("ecr:Batch", "ecr:Get"))]
    assert "TakeFromTheEnvironmentBefore" not in granted(before, "push_shop")
    assert "LaterEnvironmentsPull" not in after.statements("aws_ecr_repository_policy.shop")
    assert after["aws_ecr_repository.shop"]["image_tag_mutability"] == "IMMUTABLE"


def test_the_workload_boundary_allows_images_in_the_region_of_the_source(
    tmp_path: Path,
) -> None:
    (tmp_path / "near").mkdir()
    (tmp_path / "far").mkdir()
    near = chain(tmp_path / "near")["production"]["state"]
    far = chain(tmp_path / "far", region="eu-west-1")["production"]["state"]
    address = "aws_iam_policy.workload_boundary"
    assert "ImagesOfTheEnvironmentBefore" not in near.statements(address)
    signs_in = far.statements(address)["SignInToTheEnvironmentBefore"]
    assert signs_in["Action"] == "ecr:GetAuthorizationToken"
    assert signs_in["Condition"] == {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    statement = far.statements(address)["ImagesOfTheEnvironmentBefore"]
    assert statement["Resource"] == "arn:aws:ecr:us-east-1:210987654321:repository/acme-staging/*"


CONNECTION = "arn:aws:codeconnections:us-east-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef"


def test_codebuild_runs_jobs_of_each_repository_in_the_vpc(
    variant: Callable[..., dict[str, Root]], delivery: Root
) -> None:
    assert delivery.all("aws_codebuild_project") == {}
    root = variant(
        delivery={"repository": "acme/platform", "runner": "codebuild", "connection": CONNECTION},
        systems={
            "shop": {"framework": "go", "repository": "acme@12/shop.web@34"},
            "site": {"framework": "go"},
        },
    )["delivery"]
    projects = root.all("aws_codebuild_project")
    assert {each["name"]: each["source"]["location"] for each in projects.values()} == {
        "acme-trial-runner-acme--platform": "https://github.com/acme/platform.git",
        "acme-trial-runner-acme--shop_web": "https://github.com/acme/shop.web.git",
    }
    zones = root.environment.network.zones
    start = "${data.terraform_remote_state.network.outputs"
    for name, project in projects.items():
        assert project["vpc_config"] == {
            "vpc_id": f"{start}.vpc_id}}",
            "subnets": [f"{start}.private_subnet_ids.{zone}}}" for zone in zones],
            "security_group_ids": [f"{start}.runner_security_group_id}}"],
        }
        assert project["source"]["auth"] == {"type": "CODECONNECTIONS", "resource": CONNECTION}
        assert project["logs_config"]["cloudwatch_logs"]["status"] == "ENABLED"
        assert project["environment"].get("privileged_mode") is None
        webhook = root[f"aws_codebuild_webhook.{name}"]
        assert webhook["project_name"] == f"${{aws_codebuild_project.{name}.name}}"
        assert webhook["filter_group"] == [{"filter": [{"type": "EVENT", "pattern": "WORKFLOW_JOB_QUEUED"}]}]


def test_the_runner_role_only_has_network_permissions(
    variant: Callable[..., dict[str, Root]],
) -> None:
    root = variant(delivery={"runner": "codebuild", "connection": CONNECTION})["delivery"]
    statements = granted(root, "runner")
    actions = {action for each in statements.values() for action in listed(each["Action"])}
    assert {action.split(":")[0] for action in actions} == {"codeconnections", "ec2", "logs"}
    assert statements["TalkToGithub"]["Resource"] == CONNECTION
    [trusts] = root.statements("aws_iam_role.runner", "assume_role_policy").values()
    assert trusts["Principal"] == {"Service": "codebuild.amazonaws.com"}
    assert trusts["Condition"]["ArnLike"]["aws:SourceArn"].endswith(":project/acme-trial-runner-*")
    handed = root.statements("aws_iam_policy.apply_global")["HandTheConnectionToRunners"]
    assert handed["Resource"] == CONNECTION


def test_an_added_system_changes_no_other_resources(
    variant: Callable[..., dict[str, Root]],
) -> None:
    systems = {"orders": {"framework": "go"}}
    before = variant(systems=systems)["delivery"].body
    after = variant(systems={"billing": {"framework": "go"}, **systems})["delivery"].body
    for terraform_type, resources in before["resource"].items():
        for name, arguments in resources.items():
            assert after["resource"][terraform_type].pop(name) == arguments
    left = {name for resources in after["resource"].values() for name in resources}
    assert left == {"billing", "push_billing", "deploy_billing"}
