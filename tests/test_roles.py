"""Tests of the workflow roles: the provider calls that they may make, and those that must be refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, Root
from support.reading import parsed_file
from support.rehearsing import Project
from support.simulator import Identity, Request, World, dependent, expanded, known, listed, reference

from modules.network.subnets_spec import KINDS
from rehearsal.actions import calls as calls_by_type
from rehearsal.cloud import Cloud
from rehearsal.iam import NEGATED, OPERATORS
from tierra.validation.kms_keys import COPY, KmsKeys

ACCOUNT = "123456789012"
CALLS = calls_by_type()
ZONE = "Z0123456789EXAMPLE"
PARTITIONS = {"us-gov-west-1": "aws-us-gov", "cn-northwest-1": "aws-cn"}
# A network that the company has, with IDs as long as they get.
NETWORK = {
    "cidr": "10.20.0.0/16",
    "subnets": {
        kind: {zone: f"10.20.{64 * row + 4 * column}.0/22" for column, zone in enumerate("abc")}
        for row, kind in enumerate(KINDS)
    },
    "existing": {
        "vpc": f"vpc-{0:017x}",
        **{
            kind: {zone: f"subnet-{row:016x}{column}" for column, zone in enumerate("abc")}
            for row, kind in enumerate(KINDS)
        },
    },
}
FACTS: dict[str, dict[str, Any]] = {
    name: each
    for path in (ROOT / "rehearsal" / "facts").glob("*.yaml")
    for name, each in parsed_file(path).items()
    if name.startswith("aws_")
}
WRITES = ("create", "update", "delete")

# Every optional key that adds a resource type, a service or a permission.
FULL: dict[str, Any] = {
    "environment": "live",
    "network": {
        "pods": "100.64.0.0/16",
        "routes": [
            {"to": "10.8.0.0/14", "via": "tgw-0123456789abcdef0"},
            {"to": "10.12.0.0/14", "via": "vgw-0123456789abcdef0"},
        ],
    },
    "storage": {
        "files": {"cors_origins": ["https://app.example.com"]},
        "backup": {"copy_region": "us-west-2", "lock": "compliance", "lock_grace_days": 3},
    },
    "data": {"redis": {"separate_broker": True}, "postgres": {"replicas": 2}},
    "compute": {
        "autoscaling_role": "create",
        "image_cache": {
            "enabled": True,
            "docker_hub": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:ecr-pullthroughcache/it",
        },
        "admins": [f"arn:aws:iam::{ACCOUNT}:role/platform"],
        "viewers": [f"arn:aws:iam::{ACCOUNT}:role/people"],
    },
    "edge": {
        "zone": "example.com",
        "domain": "app.example.com",
        "aliases": ["*.example.com"],
        "shield": True,
        "waf": {"allowed_addresses": ["203.0.113.0/24"], "blocked_addresses": ["198.51.100.0/24"]},
    },
    "delivery": {
        "registry_scan": "enhanced",
        "repository": "acme/platform",
        "runner": "codebuild",
        "connection": f"arn:aws:codeconnections:us-east-1:{ACCOUNT}:connection/"
        "01234567-89ab-cdef-0123-456789abcdef",
    },
    "observability": {
        "alarm_emails": ["ops@example.com"],
        "pager_url": "https://pager.example.com/alarms",
        "monthly_usd": 3000,
    },
    "systems": {
        "orders": {
            "framework": "django",
            "needs": ["postgres", "redis", "files"],
            "volumes": {"media": {"path": "/srv/media"}},
        }
    },
}

# ARNs that the facts lack.
OWN = {
    "aws_autoscaling_group_tag": "arn:{p}:autoscaling:{r}:{a}:autoScalingGroup:0a:autoScalingGroupName/it",
    "aws_autoscaling_policy": "arn:{p}:autoscaling:{r}:{a}:autoScalingGroup:0a:autoScalingGroupName/it",
    "aws_budgets_budget": "arn:{p}:budgets::{a}:budget/{name}",
    "aws_cloudwatch_dashboard": "arn:{p}:cloudwatch::{a}:dashboard/{dashboard_name}",
    "aws_codebuild_project": "arn:{p}:codebuild:{r}:{a}:project/{stem}-runner-it",
    "aws_codebuild_webhook": "arn:{p}:codebuild:{r}:{a}:project/{stem}-runner-it",
    "aws_eks_access_entry": "arn:{p}:eks:{r}:{a}:access-entry/{cluster}/role/{a}/it/0a",
    "aws_eks_addon": "arn:{p}:eks:{r}:{a}:addon/{cluster}/{addon_name}/0a",
    "aws_eks_node_group": "arn:{p}:eks:{r}:{a}:nodegroup/{cluster}/it/0a",
    "aws_eks_pod_identity_association": "arn:{p}:eks:{r}:{a}:podidentityassociation/{cluster}/a-0a",
    "aws_lb": "arn:{p}:elasticloadbalancing:{r}:{a}:loadbalancer/app/{name}/0a",
    "aws_lb_listener": "arn:{p}:elasticloadbalancing:{r}:{a}:listener/app/{cluster}/0a/0a",
    "aws_lb_listener_rule": "arn:{p}:elasticloadbalancing:{r}:{a}:listener-rule/app/{cluster}/0a/0a/0a",
    "aws_lb_target_group": "arn:{p}:elasticloadbalancing:{r}:{a}:targetgroup/kong-0a/0a",
    "aws_nat_gateway": "arn:{p}:ec2:{r}:{a}:natgateway/nat-0a",
    "aws_secretsmanager_secret_version": "arn:{p}:secretsmanager:{r}:{a}:secret:{stem}-it-AbCdEf",
    "aws_iam_role_policy": "arn:{p}:iam::{a}:role{path}{stem}-it",
    "aws_iam_role_policy_attachment": "arn:{p}:iam::{a}:role{path}{stem}-it",
}
# Resource types that a call needs here, although the reference lists them as optional.
ALSO = {
    "wafv2:AssociateWebACL": ["loadbalancer/app/"],
    "wafv2:DisassociateWebACL": ["loadbalancer/app/"],
    "ec2:AuthorizeSecurityGroupEgress": ["security-group-rule"],
    "ec2:AuthorizeSecurityGroupIngress": ["security-group-rule"],
}
# Parts of ARNs that do not start with the stem.
WORDS = {
    "Alias": "{stem}-it",
    "BackupVaultName": "{stem}-it",
    "BucketName": "{stem}-{account}-it",
    "ClusterName": "{stem}",
    "DbClusterInstanceName": "{stem}-it",
    "LoadBalancerName": "{stem}",
    "LogGroupName": "/aws/it/{stem}/it",
    "Name": "{stem}-it",
    "ParameterNameWithoutLeadingSlash": "{project}/{environment}/systems/it/image",
    "RepositoryName": "{stem}/it",
    "RestoreTestingPlanName": "{under}_it",
    "RoleNameWithPath": "{path}{stem}-it",
    "Scope": "regional",
    "SecretId": "{stem}-it-AbCdEf",
    "TargetGroupName": "kong-0a",
    "UserId": "{stem}-it",
    "UserGroupId": "{stem}-it",
    "ReplicationGroupId": "{stem}-it",
    "SubnetGroupName": "{stem}-it",
    "CacheClusterId": "{stem}-it-001",
}


# The two ways of scaling, which exclude each other, and roles with a company's boundary and path.
VARIANTS: dict[str, dict[str, Any]] = {
    "pods": {},
    "cpu": {"compute": {**FULL["compute"], "scaling": "cpu"}},
    "prescribed": {"permissions_boundary": "company-boundary", "role_path": "/platform/"},
}


@pytest.fixture(scope="module")
def fulls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Root]]:
    return {name: built(tmp_path_factory.mktemp(name), {**FULL, **more}) for name, more in VARIANTS.items()}


@pytest.fixture(scope="module", params=VARIANTS)
def full(request: pytest.FixtureRequest, fulls: dict[str, dict[str, Root]]) -> dict[str, Root]:
    return fulls[request.param]


def built(folder: Path, keys: Mapping[str, Any]) -> dict[str, Root]:
    from conftest import read_roots

    from modules.architecture import synthesize
    from modules.loader import load

    spec = {"project": "acme", "region": "us-east-1", **keys}
    path = folder / f"{spec.pop('environment')}.yaml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    environment = load(path)
    synthesize(environment, folder / "out")
    return read_roots(folder / "out", environment)


def world(roots: Mapping[str, Root]) -> World:
    environment = roots["delivery"].environment
    stem = f"{environment.project}-{environment.environment}"
    filled = {
        "stem": stem,
        "under": stem.replace("-", "_"),
        "account": environment.account,
        "project": environment.project,
        "environment": environment.environment,
        "path": environment.role_path.removeprefix("/"),
    }
    words = {key: pattern.format(**filled) for key, pattern in WORDS.items()}
    tags = {
        "Project": environment.project,
        "Environment": environment.environment,
        f"kubernetes.io/cluster/{stem}": "owned",
    }
    return World(
        environment.partition, environment.region, environment.account, {**words, "stem": stem}, tags
    )


def boundary_of_workloads(roots: Mapping[str, Root]) -> str:
    here, prescribed = world(roots), roots["delivery"].environment.permissions_boundary
    name = prescribed or f"{here.words['stem']}-workload-boundary"
    return f"arn:{here.partition}:iam::{here.account}:policy/{name}"


def documents(roots: Mapping[str, Root], address: str, argument: str = "policy") -> dict[str, Any]:
    """A policy of any tier, with ARNs in place of references."""
    tier = next(
        tier for tier, root in roots.items() if address.split(".")[1] in root.all(address.split(".")[0])
    )
    here = world(roots)
    text = re.sub(
        r"\$\{([^}]*)\}",
        lambda _: f"arn:{here.partition}:any:{here.region}:{here.account}:it/it",
        roots[tier][address][argument],
    )
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def identity(roots: Mapping[str, Root], role: str) -> Identity:
    """`plan` or `apply`, with all that is attached."""
    delivery = roots["delivery"]
    policies = [documents(roots, f"aws_iam_role_policy.{role}")]
    for attached in delivery.all("aws_iam_role_policy_attachment").values():
        if attached["role"] == f"${{aws_iam_role.{role}.name}}":
            name = re.findall(r"aws_iam_policy\.(\w+)\.arn|state-(\w+)$", attached["policy_arn"])[0]
            policies.append(documents(roots, f"aws_iam_policy.{name[0] or name[1]}"))
    assert len(policies) > 2
    limit = delivery[f"aws_iam_role.{role}"]["permissions_boundary"]
    if delivery.environment.permissions_boundary:  # its content is unknown here
        assert limit == "${data.aws_iam_policy.boundary.arn}"
        return Identity(policies)
    assert limit == "${aws_iam_policy.apply_boundary.arn}"
    return Identity(policies, documents(roots, "aws_iam_policy.apply_boundary"))


def resources_of(roots: Mapping[str, Root]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Tier, type, name and arguments of everything that the AWS provider reads or manages."""
    for tier, root in roots.items():
        for terraform_type, name, arguments in root.each():
            if terraform_type.startswith("aws_"):
                yield tier, terraform_type, name, arguments
        for kind in ("data", "ephemeral"):
            for terraform_type, named in root.body.get(kind, {}).items():
                if terraform_type.startswith("aws_"):
                    for name, arguments in named.items():
                        yield tier, f"{kind}.{terraform_type}", name, arguments


def arn_of(roots: Mapping[str, Root], terraform_type: str, arguments: Mapping[str, Any]) -> str | None:
    """The ARN of a resource, with sample IDs."""
    here = world(roots)
    pattern = OWN.get(terraform_type) or FACTS.get(terraform_type, {}).get("arn")
    if not pattern:
        return None
    given = {key: value for key, value in arguments.items() if isinstance(value, str) and "${" not in value}
    if "name_prefix" in given:
        given["name"] = f"{given['name_prefix']}20260101"
    stem = here.words["stem"]
    fixed = {"p": here.partition, "r": here.region, "a": here.account, "cluster": stem, "stem": stem}
    fixed |= {"partition": here.partition, "region": here.region, "account": here.account}
    fixed["path"] = roots["delivery"].environment.role_path
    region = given.pop("region", here.region)
    fixed |= {"region": region, "r": region}
    return re.sub(r"\{(\w+)\}", lambda part: fixed.get(part[1]) or given.get(part[1], "0a"), pattern)


def calls(
    roots: Mapping[str, Root],
    tier: str,
    terraform_type: str,
    name: str,
    arguments: Mapping[str, Any],
    when: str,
) -> Iterator[Request]:
    """The requests to AWS that create, read, update or delete a resource."""
    here, facts = world(roots), CALLS[terraform_type]
    context: dict[str, list[str]] = {}
    if terraform_type.startswith("aws_iam_role"):
        context["iam:permissionsboundary"] = [boundary_of_workloads(roots)]
    if terraform_type == "aws_iam_service_linked_role":
        context["iam:awsservicename"] = [arguments["aws_service_name"]]
    if terraform_type == "aws_route53_record":
        context["route53:changeresourcerecordsetsnormalizedrecordnames"] = [
            "_0a.app.example.com" if "${" in arguments["name"] else arguments["name"].replace("*", "\\052")
        ]
    if "region" in arguments:
        context["aws:requestedregion"] = [arguments["region"]]
    arn = arn_of(roots, terraform_type, arguments)
    for action in facts.get(when, []):
        if action.startswith("s3:") and arn is None:
            bucket = f"arn:{here.partition}:s3:::{here.words['BucketName']}"
            yield Request(action, bucket, {"aws:requestedregion": [here.region]})
            continue
        yield from here.requests(
            action,
            arn,
            creates=when == "create" and not facts.get("exists"),
            kinds=ALSO.get(action, ()),
            context=context,
        )
    if when in ("create", "update"):
        for service in facts.get("passes", []):
            role = f"arn:{here.partition}:iam::{here.account}:role/{here.words['RoleNameWithPath']}"
            yield Request("iam:PassRole", role, {"iam:passedtoservice": [f"{service}.amazonaws.com"]})


def by_an_administrator(tier: str, terraform_type: str, name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether only an administrator applies it: states, guards of backups, permissions of workflows."""
    if tier == "state" or "admin" in CALLS[terraform_type]:
        return True
    return terraform_type.startswith("aws_iam_role") and (
        name in ("plan", "apply") or re.search(r"aws_iam_role\.(plan|apply)\.", str(arguments)) is not None
    )


def test_the_table_of_calls_covers_the_types_of_the_tiers(
    fulls: dict[str, dict[str, Root]],
) -> None:
    types = {terraform_type for each in fulls.values() for _, terraform_type, _, _ in resources_of(each)}
    assert types == set(CALLS)
    for terraform_type, facts in CALLS.items():
        assert facts.get("source") or FACTS[terraform_type]["source"], terraform_type
        for when in ("read", *WRITES):
            for action in facts.get(when, []):
                known(action)


def test_policies_of_the_roles_are_fully_evaluated(full: dict[str, Root]) -> None:
    """The simulator would ignore unknown elements."""
    for role in ("plan", "apply"):
        who = identity(full, role)
        for document in [*who.policies, *([who.boundary] if who.boundary else [])]:
            for statement in document["Statement"]:
                for operator in statement.get("Condition", {}):
                    plain = operator.rpartition(":")[2].removesuffix("IfExists")
                    assert plain in {*OPERATORS, *NEGATED, "Null"}
                assert "${" not in json.dumps(statement)


@pytest.mark.parametrize("role", ["plan", "apply"])
def test_roles_may_make_all_read_calls_of_a_plan(full: dict[str, Root], role: str) -> None:
    who, refused = identity(full, role), set[str]()
    for tier, terraform_type, name, arguments in resources_of(full):
        for request in calls(full, tier, terraform_type, name, arguments, "read"):
            if not who.may(request):
                refused.add(f"{terraform_type}: {request}")
    assert not refused, "\n".join(sorted(refused))


@pytest.mark.parametrize("when", WRITES)
def test_apply_may_make_the_calls_of_the_tiers(full: dict[str, Root], when: str) -> None:
    who, refused = identity(full, "apply"), set[str]()
    for tier, terraform_type, name, arguments in resources_of(full):
        if by_an_administrator(tier, terraform_type, name, arguments):
            continue
        for request in calls(full, tier, terraform_type, name, arguments, when):
            if not who.may(request):
                refused.add(f"{tier}: {terraform_type}: {request}")
    assert not refused, "\n".join(sorted(refused))


def test_a_plan_changes_nothing(full: dict[str, Root]) -> None:
    who, allowed = identity(full, "plan"), set[str]()
    for tier, terraform_type, name, arguments in resources_of(full):
        for when in WRITES:
            for request in calls(full, tier, terraform_type, name, arguments, when):
                harmless = known(request.action)["access_level"] in ("Read", "List")
                secret = request.action in ("secretsmanager:GetSecretValue", "kms:Decrypt")
                if who.may(request) and (secret or not harmless):
                    allowed.add(f"{terraform_type}: {request.action}")
    assert not allowed


# Dependent actions in the reference that no call here needs.
NOT_NEEDED = {
    "ec2:CreateNetworkInterface": "ElastiCache creates them with its service-linked role",
    "iam:CreateServiceLinkedRole": "used by the services of SERVICE_LINKED, once in an account",
    "kms:PutKeyPolicy": "CreateKey with a policy needs kms:CreateKey alone, says the API reference of KMS",
    "rds:CreateTenantDatabase": "of Oracle",
    "rds:DeleteTenantDatabase": "of Oracle",
    "s3:GetObject": "no cache starts from a snapshot in S3",
    "wafv2:PutPermissionPolicy": "no rule group is shared",
}


def test_apply_has_the_dependent_permissions_of_its_calls(full: dict[str, Root]) -> None:
    """Only for services in use. KMS requests come from the service that encrypts."""
    who, here, refused = identity(full, "apply"), world(full), set[str]()
    used = {
        action.partition(":")[0]
        for each in CALLS.values()
        for when in WRITES
        for action in each.get(when, [])
    }
    asked = {
        (terraform_type, action, arn_of(full, terraform_type, arguments))
        for _, terraform_type, _, arguments in resources_of(full)
        if "admin" not in CALLS[terraform_type]
        for when in WRITES
        for action in CALLS[terraform_type].get(when, [])
    }
    for terraform_type, action, arn in asked:
        through = f"{action.partition(':')[0]}.{here.region}.amazonaws.com"
        for needed in dependent(action):
            if needed.partition(":")[0] not in used or needed in NOT_NEEDED:
                continue
            context = {"kms:viaservice": [through], "iam:passedtoservice": ["eks.amazonaws.com"]}
            makes = re.search(r":(Create|Allocate|Request)", action) is not None
            for request in here.requests(needed, arn, creates=makes, context=context):
                if request.action.startswith("secretsmanager:"):
                    request = Request(
                        needed,
                        request.resource.replace(f"{here.words['stem']}-it", "rds!cluster-0a"),
                        request.context,
                    )
                if not who.may(request):
                    refused.add(f"{terraform_type}: {action}: {request}")
    assert not refused, "\n".join(sorted(refused))


OTHER = {"Project": "shop", "Environment": "live"}
STATE = "arn:aws:s3:::acme-live-123456789012-state"


def attempt(action: str, resource: str, tags: Mapping[str, str] | None = None, **context: str) -> Request:
    """A request on something with these tags, or none. `__` in a key of the context stands for a colon."""
    conditions = {key.replace("__", ":").lower(): [value] for key, value in context.items()}
    conditions |= {f"aws:resourcetag/{key}".lower(): [value] for key, value in (tags or {}).items()}
    return Request(action, resource, {"aws:requestedregion": ["us-east-1"], **conditions})


def iam(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:{name}"


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{name}"


BOUNDARY = iam("policy/acme-live-workload-boundary")
REFUSED_TO_APPLY = [
    # IAM: no role without the workload boundary, and no change of its own permissions.
    attempt("iam:CreateRole", iam("role/acme-live-it")),
    attempt(
        "iam:CreateRole",
        iam("role/acme-live-it"),
        iam__PermissionsBoundary=iam("policy/acme-live-apply-boundary"),
    ),
    attempt(
        "iam:AttachRolePolicy",
        iam("role/acme-live-it"),
        iam__PolicyARN="arn:aws:iam::aws:policy/AdministratorAccess",
    ),
    attempt("iam:PutRolePolicy", iam("role/acme-live-it")),
    attempt("iam:UpdateAssumeRolePolicy", iam("role/acme-live-it")),
    attempt("iam:DeleteRolePermissionsBoundary", iam("role/acme-live-it"), iam__PermissionsBoundary=BOUNDARY),
    attempt(
        "iam:PutRolePermissionsBoundary", iam("role/acme-live-it"), iam__PermissionsBoundary=iam("policy/it")
    ),
    attempt("iam:CreateRole", iam("role/it"), iam__PermissionsBoundary=BOUNDARY),
    *(
        attempt(
            action,
            iam(f"role/acme-live-{role}"),
            iam__PermissionsBoundary=BOUNDARY,
            iam__PassedToService="ec2.amazonaws.com",
        )
        for role in ("plan", "apply")
        for action in (
            *("iam:AttachRolePolicy", "iam:DeleteRole", "iam:DetachRolePolicy", "iam:PassRole"),
            *(
                "iam:PutRolePolicy",
                "iam:PutRolePermissionsBoundary",
                "iam:TagRole",
                "iam:UpdateAssumeRolePolicy",
            ),
        )
    ),
    *(
        attempt(action, iam(f"policy/acme-live-{policy}"))
        for policy in (
            "apply-boundary",
            "apply-global",
            "compare",
            "state-read",
            "state-write",
            "workload-boundary",
        )
        for action in ("iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:SetDefaultPolicyVersion")
    ),
    attempt("iam:CreatePolicy", iam("policy/it")),
    attempt(
        "iam:UpdateOpenIDConnectProviderThumbprint", iam("oidc-provider/token.actions.githubusercontent.com")
    ),
    attempt(
        "iam:AddClientIDToOpenIDConnectProvider", iam("oidc-provider/token.actions.githubusercontent.com")
    ),
    attempt("iam:CreateUser", iam("user/it")),
    attempt("iam:CreateAccessKey", iam("user/it")),
    attempt("iam:PassRole", iam("role/acme-live-it"), iam__PassedToService="lambda.amazonaws.com"),
    attempt("iam:PassRole", iam("role/it"), iam__PassedToService="ec2.amazonaws.com"),
    attempt("sts:AssumeRole", iam("role/it")),
    attempt("lambda:CreateFunction", arn("lambda", "function:acme-live-it")),
    # Resources of other environments, by tag and by name, and untagged resources.
    *(
        attempt(action, resource, tags)
        for tags in (OTHER, {"Project": "acme", "Environment": "test"}, {})
        for action, resource in (
            ("ec2:DeleteVpc", arn("ec2", "vpc/vpc-0a")),
            ("ec2:TerminateInstances", arn("ec2", "instance/i-0a")),
            ("ec2:RevokeSecurityGroupIngress", arn("ec2", "security-group/sg-0a")),
            ("ec2:CreateTags", arn("ec2", "vpc/vpc-0a")),
            ("ec2:RunInstances", arn("ec2", "subnet/subnet-0a")),
            ("kms:ScheduleKeyDeletion", arn("kms", "key/0a")),
            ("kms:PutKeyPolicy", arn("kms", "key/0a")),
            ("kms:CreateGrant", arn("kms", "key/0a")),
            ("kms:DisableKey", arn("kms", "key/0a")),
            ("acm:DeleteCertificate", arn("acm", "certificate/0a")),
            ("backup:DeleteBackupPlan", arn("backup", "backup-plan:0a")),
            ("elasticloadbalancing:DeleteTargetGroup", arn("elasticloadbalancing", "targetgroup/kong-0a/0a")),
            ("shield:DeleteProtection", f"arn:aws:shield::{ACCOUNT}:protection/0a"),
            (
                "autoscaling:PutScalingPolicy",
                arn("autoscaling", "autoScalingGroup:0a:autoScalingGroupName/eks-it"),
            ),
        )
    ),
    attempt("kms:TagResource", arn("kms", "key/0a"), OTHER, aws__RequestTag__Project="acme"),
    *(
        attempt(action, resource)
        for action, resource in (
            ("rds:DeleteDBInstance", arn("rds", "db:acme-test-postgres")),
            ("rds:ModifyDBCluster", arn("rds", "cluster:shop-documentdb")),
            ("eks:DeleteCluster", arn("eks", "cluster/acme-test")),
            ("eks:CreateAccessEntry", arn("eks", "cluster/acme-test")),
            ("elasticache:DeleteReplicationGroup", arn("elasticache", "replicationgroup:acme-test-redis")),
            (
                "elasticloadbalancing:DeleteLoadBalancer",
                arn("elasticloadbalancing", "loadbalancer/app/acme-test/0a"),
            ),
            ("wafv2:DeleteWebACL", arn("wafv2", "regional/webacl/acme-test-edge/0a")),
            ("sns:DeleteTopic", arn("sns", "acme-test-alarms")),
            ("cloudwatch:DeleteAlarms", arn("cloudwatch", "alarm:acme-test-it")),
            ("logs:DeleteLogGroup", arn("logs", "log-group:/aws/vpc/acme-test/flow")),
            ("ssm:PutParameter", arn("ssm", "parameter/acme/test/systems/orders/image")),
            ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:acme-test-postgres-AbCdEf")),
            ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:rds!cluster-0a")),
            ("secretsmanager:DeleteSecret", arn("secretsmanager", "secret:rds!cluster-0a")),
            ("s3:PutBucketPolicy", "arn:aws:s3:::acme-test-123456789012-files"),
            ("ecr:DeleteRepository", arn("ecr", "repository/acme-test/orders")),
        )
    ),
    # Protection of backups and states, and access to data.
    *(
        attempt(action, arn("backup", "backup-vault:acme-live-main"))
        for action in (
            *("backup:DeleteBackupVaultAccessPolicy", "backup:DeleteBackupVaultLockConfiguration"),
            *("backup:PutBackupVaultAccessPolicy", "backup:PutBackupVaultLockConfiguration"),
        )
    ),
    attempt("backup:DeleteRecoveryPoint", arn("backup", "recovery-point:0a")),
    attempt("s3:PutBucketPolicy", STATE),
    attempt("s3:DeleteBucketPolicy", STATE),
    attempt("s3:PutBucketVersioning", STATE),
    attempt("s3:PutLifecycleConfiguration", STATE),
    attempt("s3:PutBucketLogging", STATE),
    attempt("s3:DeleteObject", f"{STATE}/acme/live/data/terraform.tfstate"),
    attempt("s3:GetObject", f"{STATE}/acme/test/data/terraform.tfstate"),
    attempt("s3:GetObject", f"{STATE}/acme/live/recovery/data/77-1/state"),
    attempt("s3:DeleteObject", f"{STATE}/acme/live/recovery/data/77-1/state"),
    *(
        attempt(
            action,
            arn("kms", "key/0a"),
            {"Project": "acme", "Environment": "live"},
            kms__ResourceAliases="alias/acme-live-state",
        )
        for action in (
            "kms:CreateGrant",
            "kms:DeleteAlias",
            "kms:DisableKey",
            "kms:PutKeyPolicy",
            "kms:ScheduleKeyDeletion",
        )
    ),
    attempt("s3:GetObject", "arn:aws:s3:::acme-live-123456789012-files/orders/it"),
    attempt("logs:GetLogEvents", arn("logs", "log-group:/aws/vpc/acme-live/flow")),
    attempt("ecr:PutImage", arn("ecr", "repository/acme-live/orders")),
    attempt("rds-db:connect", arn("rds-db", "dbuser:*/postgres")),
    # Other zones and regions.
    attempt(
        "route53:ChangeResourceRecordSets",
        "arn:aws:route53:::hostedzone/Z0A",
        route53__ChangeResourceRecordSetsNormalizedRecordNames="shop.example",
    ),
    attempt("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z0A"),
    attempt("route53:DeleteHostedZone", "arn:aws:route53:::hostedzone/Z0A"),
    attempt(
        "sns:CreateTopic", f"arn:aws:sns:eu-west-1:{ACCOUNT}:acme-live-it", aws__RequestedRegion="eu-west-1"
    ),
]

REFUSED_TO_PLAN = [
    *(
        attempt(action, arn("secretsmanager", f"secret:acme-live-{secret}-AbCdEf"))
        for secret in ("postgres", "grafana", "it")
        for action in ("secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue")
    ),
    attempt(
        "kms:Decrypt",
        arn("kms", "key/0a"),
        kms__ResourceAliases="alias/acme-live-secrets",
        kms__ViaService="secretsmanager.us-east-1.amazonaws.com",
    ),
    attempt("ssm:GetParameter", arn("ssm", "parameter/acme/live/password")),
    attempt("s3:GetObject", "arn:aws:s3:::acme-live-123456789012-files/orders/it"),
    attempt("s3:PutObject", f"{STATE}/acme/live/data/terraform.tfstate"),
    attempt("s3:GetObject", f"{STATE}/acme/live/recovery/data/77-1/state"),
    attempt("s3:PutObject", f"{STATE}/acme/live/recovery/data/77-1/state"),
    attempt("logs:GetLogEvents", arn("logs", "log-group:/aws/vpc/acme-live/flow")),
    attempt("sts:AssumeRole", iam("role/acme-live-apply")),
    attempt("iam:PassRole", iam("role/acme-live-it"), iam__PassedToService="ec2.amazonaws.com"),
    attempt("ecr:GetAuthorizationToken", "*"),
]


@pytest.mark.parametrize(("role", "requests"), [("apply", REFUSED_TO_APPLY), ("plan", REFUSED_TO_PLAN)])
def test_roles_are_refused_other_calls(full: dict[str, Root], role: str, requests: list[Request]) -> None:
    who = identity(full, role)
    for request in requests:
        known(request.action)
    assert not [request for request in requests if who.may(request)]


def test_a_plan_may_lock_a_state(full: dict[str, Root]) -> None:
    who = identity(full, "plan")
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert who.may(attempt(action, f"{STATE}/acme/live/data/terraform.tfstate.tflock"))


@pytest.mark.parametrize("role", ["plan", "apply"])
@pytest.mark.parametrize("action", ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus"])
def test_roles_may_read_the_state_key(full: dict[str, Root], role: str, action: str) -> None:
    """The provider reads it at each refresh: internal/service/kms/key.go, findKeyInfo."""
    tags = {"Project": "acme", "Environment": "live"}
    key = attempt(action, arn("kms", "key/0a"), tags, kms__ResourceAliases="alias/acme-live-state")
    assert identity(full, role).may(key)


def test_an_apply_may_save_an_errored_state(full: dict[str, Root]) -> None:
    assert identity(full, "apply").may(attempt("s3:PutObject", f"{STATE}/acme/live/recovery/data/77-1/state"))


def test_apply_may_use_the_resources_of_a_launch_template(full: dict[str, Root]) -> None:
    """EKS tries it in the name of who makes a node group; user guide, "Launch template support"."""
    who, here = identity(full, "apply"), world(full)
    request_tags = {f"aws:requesttag/{key}".lower(): [value] for key, value in here.tags.items()}
    for resource in ("instance/*", "network-interface/*", "volume/*"):
        assert who.may(
            Request(
                "ec2:RunInstances",
                arn("ec2", resource),
                {"aws:requestedregion": ["us-east-1"], **request_tags},
            )
        )
    for resource in ("subnet/subnet-0a", "launch-template/lt-0a", "security-group/sg-0a"):
        assert who.may(attempt("ec2:RunInstances", arn("ec2", resource), here.tags))
    assert who.may(attempt("ec2:RunInstances", "arn:aws:ec2:us-east-1::image/ami-0a"))


def test_every_role_has_a_boundary(full: dict[str, Root]) -> None:
    count, prescribed = 0, full["delivery"].environment.permissions_boundary
    for root in full.values():
        for name, role in root.all("aws_iam_role").items():
            of_workflow = name in ("plan", "apply")
            expected = "${aws_iam_policy.apply_boundary.arn}" if of_workflow else boundary_of_workloads(full)
            if prescribed:
                expected = "${data.aws_iam_policy.boundary.arn}"
            assert role["permissions_boundary"] == expected, name
            count += 1
    assert count >= 20


def test_the_boundary_allows_the_policies_of_workloads(full: dict[str, Root]) -> None:
    limit = documents(full, "aws_iam_policy.workload_boundary")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    who, refused, seen = Identity([{"Statement": [everything]}], limit), set[str](), 0
    for root in full.values():
        for name in root.all("aws_iam_role_policy"):
            if name in ("plan", "apply"):
                continue
            for statement in documents(full, f"aws_iam_role_policy.{name}")["Statement"]:
                for pattern in listed(statement["Action"]):
                    for action in expanded(pattern):
                        for resource in listed(statement["Resource"]):
                            seen += 1
                            if not who.may(attempt(action, resource)):
                                refused.add(f"{name}: {action} on {resource}")
    assert not refused
    assert seen > 100


# AWS managed policies of roles, with the actions that the boundary omits on purpose.
WITHHELD = {
    "AmazonEKSClusterPolicy": {"iam:CreateServiceLinkedRole"},
    "AmazonEKSWorkerNodePolicy": set[str](),
    "AmazonEKS_CNI_Policy": set[str](),
    "AmazonEC2ContainerRegistryPullOnly": set[str](),
    "AmazonSSMManagedInstanceCore": set[str](),
    "AmazonEBSCSIDriverPolicy": set[str](),
    "AmazonRDSEnhancedMonitoringRole": set[str](),
    "AWSBackupServiceRolePolicyForBackup": {
        "guardduty:GetMalwareScan",
        "guardduty:StartMalwareScan",
        "iam:PassRole",
    },
    "AWSBackupServiceRolePolicyForRestores": {
        "iam:GetRole",
        "iam:ListAttachedRolePolicies",
        "iam:PassRole",
    },
    "AWSBackupServiceRolePolicyForS3Backup": set[str](),
    "AWSBackupServiceRolePolicyForS3Restore": set[str](),
}
# Services that AWS Backup supports and no environment uses.
NOT_BACKED_UP = {
    *("aws-marketplace", "backup-gateway", "cloudformation", "dsql", "dynamodb", "elasticfilesystem", "fsx"),
    *(
        "redshift",
        "redshift-serverless",
        "ssm-sap",
        "storagegateway",
        "timestream",
        "organizations",
        "ds",
        "ebs",
    ),
}


@pytest.mark.parametrize("policy", WITHHELD)
def test_the_boundary_allows_the_aws_managed_policies_of_workloads(
    full: dict[str, Root], policy: str
) -> None:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    attached = {
        each["policy_arn"].rpartition("/")[2]
        for root in full.values()
        for each in root.all("aws_iam_role_policy_attachment").values()
        if ":iam::aws:" in each["policy_arn"]
    }
    assert attached == set(WITHHELD)
    data = json.loads(aws_managed_policies_data)
    if policy not in data:
        pytest.skip(f"moto does not know {policy}")
    limit = documents(full, "aws_iam_policy.workload_boundary")
    who = Identity([{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}], limit)
    refused = set()
    for statement in data[policy]["Document"]["Statement"]:
        for pattern in listed(statement["Action"]):
            for action in expanded(pattern):
                if action.partition(":")[0] in NOT_BACKED_UP:
                    continue
                if not who.may(attempt(action, "arn:aws:any:us-east-1:123456789012:it")):
                    refused.add(action)
    assert refused == WITHHELD[policy]


def test_a_role_created_by_apply_is_no_administrator(full: dict[str, Root]) -> None:
    """Regardless of its policies."""
    limit = documents(full, "aws_iam_policy.workload_boundary")
    who = Identity([{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}], limit)
    services = ("iam", "organizations", "account", "cloudtrail", "lambda", "sso")
    requests = [
        *(
            attempt(f"{service}:{each['privilege']}", "*")
            for service in services
            for each in reference()[service]["privileges"].values()
        ),
        attempt("sts:AssumeRole", iam("role/acme-live-apply")),
        attempt("sts:AssumeRole", iam("role/admin")),
        attempt("s3:GetObject", f"{STATE}/acme/live/data/terraform.tfstate"),
        attempt("s3:PutBucketPolicy", STATE),
        attempt("kms:Decrypt", arn("kms", "key/0a"), kms__ResourceAliases="alias/acme-live-state"),
        attempt("kms:PutKeyPolicy", arn("kms", "key/0a")),
        attempt("secretsmanager:PutSecretValue", arn("secretsmanager", "secret:it")),
        attempt("ec2:RunInstances", "*", aws__RequestedRegion="eu-west-1"),
    ]
    assert not [request for request in requests if who.may(request)]
    path = full["delivery"].environment.role_path
    assert who.may(attempt("sts:AssumeRole", iam(f"role{path}acme-live-secrets-orders")))


@pytest.mark.parametrize(
    ("region", "copies"),
    [
        ("us-gov-west-1", "us-gov-east-1"),
        ("cn-northwest-1", "cn-north-1"),
        ("ap-southeast-1", "ap-northeast-2"),
    ],
)
def test_policies_fit_the_limits_of_iam_for_any_name(
    variant: Callable[..., Mapping[str, Root]], region: str, copies: str
) -> None:
    """6,144 characters for a policy of its own, 10,240 for all inline policies of a role, and ten policies
    attached to a role (IAM and STS quotas). Nothing has spaces here."""
    spec = {
        **FULL,
        "environment": "b" * 12,
        "project": "a" * 16,
        "region": region,
        "systems": {"orders": {"framework": "go"}},
    }
    spec["storage"] = {"backup": {"copy_region": copies}}
    partition = "aws" if region.startswith("ap") else "other"
    spec["edge"] = {**FULL["edge"], "shield": partition == "aws"}
    spec["compute"] = {}
    if partition != "aws":
        spec["observability"] = {}
    if region.startswith("cn-"):
        spec["delivery"] = {"registry_scan": "enhanced", "repository": "acme/platform"}
    zones = [f"{'z' * 30}{number}.example.com" for number in range(9)]
    spec["edge"] |= {"zones": {name: {"id": ZONE} for name in zones}, "aliases": zones[:4], "zone_id": ZONE}
    volumes = {"media": {"path": "/srv/media"}}
    spec["systems"] = {"orders": {"framework": "go", "hosts": zones[4:], "volumes": volumes}}
    arns = f"arn:{PARTITIONS.get(region, 'aws')}:kms:%s:{ACCOUNT}:key/mrk-%032x"
    spec["kms_keys"] = {
        name: arns % (copies if name == COPY else region, number)
        for number, name in enumerate(KmsKeys.model_fields)
    }
    spec["network"] = NETWORK
    roots = variant(**spec)
    for tier in ("state", "delivery"):
        for name, policy in roots[tier].all("aws_iam_policy").items():
            assert len(policy["policy"]) <= 6_144, name
    for name, policy in roots["delivery"].all("aws_iam_role_policy").items():
        assert len(policy["policy"]) <= 10_240, name
    attached = [each["role"] for each in roots["delivery"].all("aws_iam_role_policy_attachment").values()]
    assert max(attached.count(role) for role in attached) <= 10


TIER = """
provider "aws" {
  default_tags {
    tags = { Project = "acme", Environment = "live" }
  }
}
resource "aws_vpc" "it" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = true
}
resource "aws_subnet" "it" {
  vpc_id     = aws_vpc.it.id
  cidr_block = "10.0.0.0/24"
}
resource "aws_security_group" "it" {
  name   = "acme-live-it"
  vpc_id = aws_vpc.it.id
}
resource "aws_vpc_security_group_egress_rule" "it" {
  security_group_id = aws_security_group.it.id
  ip_protocol       = "-1"
  cidr_ipv4         = "10.0.0.0/16"
}
resource "aws_kms_key" "it" {
  description         = "%s"
  enable_key_rotation = true
}
resource "aws_kms_alias" "it" {
  name          = "alias/acme-live-it"
  target_key_id = aws_kms_key.it.id
}
resource "aws_sns_topic" "it" {
  name = "%s"
}
"""


def test_terraform_plans_and_applies_a_tier_with_the_roles(
    fulls: dict[str, dict[str, Root]], tmp_path: Path
) -> None:
    """REHEARSAL_AS, with the policies that the tier delivery makes."""
    project = Project(tmp_path, TIER % ("it", "acme-live-it"))
    cloud = Cloud(project.cloud)
    for name in ("plan", "apply"):
        who, boundary = identity(fulls["pods"], name), iam(f"policy/limit-{name}")
        cloud.put("aws_iam_policy", boundary, {"arn": boundary, "policy": json.dumps(who.boundary)})
        cloud.put("aws_iam_role", name, {"name": f"acme-live-{name}", "permissions_boundary": boundary})
        for number, policy in enumerate(who.policies):
            inline = {"role": f"acme-live-{name}", "policy": json.dumps(policy)}
            cloud.put("aws_iam_role_policy", f"{name}-{number}", inline)
    project.apply(REHEARSAL_AS="apply")
    project.run("plan", "-detailed-exitcode", code=0, REHEARSAL_AS="plan")
    project.apply(TIER % ("other", "acme-live-it"), REHEARSAL_AS="apply")
    says = project.apply(TIER % ("third", "acme-live-it"), code=1, REHEARSAL_AS="plan")
    assert "kms:UpdateKeyDescription" in says
    says = project.apply(TIER % ("other", "shop-live-it"), code=1, REHEARSAL_AS="apply")
    assert "sns:CreateTopic" in says
