"""Tests of company requirements: roles, credentials, certificates, DNS and networks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Variant

from modules.architecture import TIERS
from modules.spec import Environment
from tierra.validation.errors import SpecError

ACCOUNT = "123456789012"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/company/boundary"
PRESCRIBED: dict[str, Any] = {"permissions_boundary": "company/boundary", "role_path": "/platform/"}


def test_every_role_has_the_boundary_and_the_path_of_the_company(variant: Callable[..., Variant]) -> None:
    tiers = variant(**PRESCRIBED, data={"postgres": {}})
    count = 0
    for tier in TIERS:
        roles = tiers[tier].body.get("resource", {}).get("aws_iam_role", {})
        for name, role in roles.items():
            count += 1
            assert role["permissions_boundary"] == "${data.aws_iam_policy.boundary.arn}", name
            assert role["path"] == "/platform/", name
        if roles:
            assert tiers[tier].body["data"]["aws_iam_policy"] == {"boundary": {"arn": BOUNDARY}}
    assert count > 20


def test_roles_are_found_below_their_path(variant: Callable[..., Variant]) -> None:
    """Every literal role ARN in policies and trust policies has the path."""
    tiers = variant(**PRESCRIBED)
    for tier in TIERS:
        text = json.dumps(tiers[tier].body)
        assert f":iam::{ACCOUNT}:role/acme-" not in text, tier
    assert f":iam::{ACCOUNT}:role/platform/acme-trial-secrets-*" in json.dumps(tiers["gateway"].body)
    assert f":iam::{ACCOUNT}:role/platform/acme-trial-secrets-*" in json.dumps(tiers["state"].body)


def test_an_apply_creates_only_roles_with_the_boundary_of_the_company(
    variant: Callable[..., Variant],
) -> None:
    delivery = variant(**PRESCRIBED)["delivery"]
    assert "apply_boundary" not in delivery.all("aws_iam_policy")
    statements = delivery.statements("aws_iam_policy.apply_global")
    managed = statements["ManageRolesWithinTheirBoundary"]
    assert managed["Resource"] == f"arn:aws:iam::{ACCOUNT}:role/platform/acme-trial-*"
    assert managed["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}
    assert "iam:CreateRole" in managed["Action"]
    assert statements["PassRoles"]["Resource"] == managed["Resource"]
    own = statements["RefuseOwnRights"]["Resource"]
    assert f"arn:aws:iam::{ACCOUNT}:role/platform/acme-trial-apply" in own
    assert statements["RefuseLackOfBoundary"]["Action"] == "iam:DeleteRolePermissionsBoundary"


@pytest.mark.parametrize(
    ("keys", "rule", "remedy"),
    [
        ({"role_path": "platform"}, "must start and end with a slash", "write /platform/"),
        ({"role_path": "/a b/"}, "must start and end with a slash", "write it like /platform/"),
        ({"role_path": "/aws-service-role/x/"}, "belong to AWS", "choose another path"),
        ({"permissions_boundary": "a b"}, "must be a managed policy", "write it like company-boundary"),
        (
            {"permissions_boundary": "arn:aws:iam::210987654321:policy/company"},
            "must be a policy of its own account",
            "create the policy in 123456789012",
        ),
        (
            {"permissions_boundary": "arn:aws-cn:iam::123456789012:policy/company"},
            "the partition of the roles, aws",
            "name a policy of aws",
        ),
        ({"permissions_boundary": "acme-trial-workload-boundary"}, "must not start with", "remove the line"),
    ],
)
def test_invalid_boundaries_and_role_paths_are_refused(
    environment: Callable[..., Environment], keys: dict[str, Any], rule: str, remedy: str
) -> None:
    with pytest.raises(SpecError) as refused:
        environment(**keys)
    assert rule in str(refused.value)
    assert remedy in str(refused.value)


TERRAFORM = f"arn:aws:iam::{ACCOUNT}:role/terraform"
ASSUMED: dict[str, Any] = {
    "assume_role": TERRAFORM,
    "compute": {"admins": [TERRAFORM]},
    "delivery": {"ci": "off"},
}


def test_provider_backend_states_and_helm_assume_the_role(variant: Callable[..., Variant]) -> None:
    tiers = variant(**ASSUMED)
    for tier in ("network", "gateway"):
        body = tiers[tier].body
        assert body["terraform"]["backend"]["s3"]["assume_role"] == {"role_arn": TERRAFORM}
        assert body["provider"]["aws"][0]["assume_role"] == [{"role_arn": TERRAFORM}]
    states = tiers["gateway"].body["data"]["terraform_remote_state"]
    assert states
    for each in states.values():
        assert each["config"]["assume_role"] == {"role_arn": TERRAFORM}
    asked = tiers["gateway"].body["provider"]["helm"][0]["kubernetes"]["exec"]["args"]
    assert asked[-2:] == ["--role-arn", TERRAFORM]


def test_aws_clients_of_a_run_assume_the_role(
    variant: Callable[..., Variant], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tierra.aws import signing
    from tierra.run import account

    tiers = variant(**ASSUMED)
    assert tiers["network"].environment.assume_role == TERRAFORM
    backend = account.Backend.of(tiers.folder / "network" / "stacks" / "network")
    assert backend.role == TERRAFORM
    asked: list[Any] = []
    monkeypatch.setattr(signing, "client", lambda *with_: asked.append(with_[:3]))
    account.client("s3", backend.region, backend.role)
    assert asked == [("s3", "us-east-1", TERRAFORM)]


def test_a_client_has_the_credentials_of_the_role(aws: Any) -> None:
    """moto returns the role of the session's credentials. The client runs in a separate process, because the
    fake account runs in this one."""
    program = (
        "import sys; from botocore.config import Config; from tierra.aws import signing\n"
        "for role in (None, sys.argv[1]):\n"
        "    print(signing.client('sts', 'us-east-1', role, Config()).get_caller_identity()['Arn'])\n"
    )
    command = [sys.executable, "-c", program, TERRAFORM]
    output = subprocess.check_output(command, cwd=ROOT, env={**os.environ, **aws.variables()}, text=True)
    plain, taken = output.split()
    assert ":assumed-role/terraform/tierra" in taken
    assert ":assumed-role/" not in plain


@pytest.mark.parametrize(
    ("change", "rule", "remedy"),
    [
        ({"delivery": {}}, "GitHub workflows have their own roles", "write delivery.ci: off"),
        ({"compute": {}}, "compute.admins must name it", f"add {TERRAFORM} to compute.admins"),
        ({"account": "210987654321"}, "must be in the account 210987654321", "name a role of 210987654321"),
        ({"ignore_tags": {"keys": ["Owner"]}}, "it sets Owner", "remove it"),
        ({"ignore_tags": {"keys": ["Cost"]}, "tags": {"Cost": "1"}}, "it sets Cost", "remove it"),
        ({"ignore_tags": {"key_prefixes": ["kubernetes.io/"]}}, "sets kubernetes", "write a longer prefix"),
        ({"ignore_tags": {"keys": ["a;b"]}}, "the key of a tag", "write it exactly as in the tag"),
    ],
)
def test_invalid_assumed_roles_and_ignored_tags_are_refused(
    environment: Callable[..., Environment], change: dict[str, Any], rule: str, remedy: str
) -> None:
    environment(**ASSUMED)
    with pytest.raises(SpecError) as refused:
        environment(**{**ASSUMED, **change})
    assert rule in str(refused.value)
    assert remedy in str(refused.value)


def test_configured_and_kubernetes_tags_are_ignored(variant: Callable[..., Variant]) -> None:
    tiers = variant(ignore_tags={"keys": ["map-migrated"], "key_prefixes": ["company:"]})
    assert tiers["network"].body["provider"]["aws"][0]["ignore_tags"] == [
        {
            "keys": ["map-migrated"],
            "key_prefixes": ["kubernetes.io/cluster/", "kubernetes.io/created-for/", "company:"],
        }
    ]


CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/01234567-89ab-cdef-0123-456789abcdef"


def test_the_listener_uses_an_existing_certificate(variant: Callable[..., Variant]) -> None:
    edge = variant(edge={"certificate": CERTIFICATE})["edge"]
    assert edge["aws_lb_listener.https"]["certificate_arn"] == CERTIFICATE
    assert not edge.all("aws_acm_certificate")
    assert not edge.all("aws_acm_certificate_validation")
    assert set(edge.all("aws_route53_record")) == {"address_app_example_com"}


def test_without_route_53_the_records_are_in_an_output(variant: Callable[..., Variant]) -> None:
    tiers = variant(edge={"dns": "off", "certificate": CERTIFICATE, "aliases": ["www.example.com"]})
    edge = tiers["edge"]
    assert not edge.all("aws_route53_record")
    assert "aws_route53_zone" not in edge.body.get("data", {})
    target = "${aws_lb.main.dns_name}"
    records = edge.body["output"]["dns_records"]["value"]
    assert records == {"app.example.com": target, "www.example.com": target}
    rights = tiers["delivery"].statements("aws_iam_policy.apply_global")
    assert "SetRecordsOfTheZone" not in rights
    plain = variant()
    assert "dns_records" not in plain["edge"].body["output"]
    assert "SetRecordsOfTheZone" in plain["delivery"].statements("aws_iam_policy.apply_global")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"dns": "off"}, "dns: off requires certificate"),
        ({"dns": "off", "certificate": CERTIFICATE, "zone_id": "Z01"}, "this zone must be left out"),
        ({"certificate": CERTIFICATE, "caa": True}, "caa requires a certificate that Tierra"),
        (
            {"certificate": CERTIFICATE.replace("us-east-1", "eu-west-1")},
            "must be in the region us-east-1 and the account",
        ),
        ({"certificate": "arn:aws:iam::123456789012:server-certificate/a"}, "of a certificate in ACM"),
    ],
)
def test_invalid_certificate_and_dns_settings_are_refused(
    environment: Callable[..., Environment], change: dict[str, Any], rule: str
) -> None:
    with pytest.raises(SpecError, match=rule):
        environment(edge=change)


def test_a_wildcard_of_a_certificate_covers_one_label() -> None:
    from modules.edge.given import covers

    assert covers("*.example.com", "app.example.com")
    assert covers("*.example.com", "*.example.com")
    assert not covers("*.example.com", "a.app.example.com")
    assert not covers("*.example.com", "example.com")
    assert not covers("app.example.com", "*.example.com")
    assert not covers("*.app.example.com", "*.example.com")


def test_doctor_checks_that_the_certificate_covers_every_name(
    environment: Callable[..., Environment], monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    from tools import doctor

    loaded = environment(edge={"certificate": CERTIFICATE, "aliases": ["www.example.com"]})
    spec: Any = SimpleNamespace(target="aws", edge=loaded.edge, systems=loaded.systems)

    def answers(status: str, *names: str) -> doctor.Check:
        described = {"Status": status, "DomainName": names[0], "SubjectAlternativeNames": list(names)}
        fake = SimpleNamespace(describe_certificate=lambda CertificateArn: {"Certificate": described})
        monkeypatch.setattr(doctor, "client", lambda *_: fake)
        return doctor.look_at_certificate(spec)

    assert answers("ISSUED", "*.example.com").status == doctor.OK
    assert "www.example.com" in answers("ISSUED", "app.example.com").details
    assert answers("ISSUED", "app.example.com").status == doctor.MISSING
    assert answers("EXPIRED", "*.example.com").details == "it is EXPIRED, not ISSUED"


DNS = "arn:aws:iam::210987654321:role/dns"


def test_a_zone_in_another_account_has_a_separate_provider(
    variant: Callable[..., Variant],
) -> None:
    tiers = variant(edge={"zone_role": DNS}, delivery={"ci": "off"})
    edge = tiers["edge"]
    _, zone = edge.body["provider"]["aws"]
    assert (zone["alias"], zone["allowed_account_ids"]) == ("zone", ["210987654321"])
    assert zone["assume_role"] == [{"role_arn": DNS}]
    assert edge.body["data"]["aws_route53_zone"]["main"]["provider"] == "aws.zone"
    records = edge.all("aws_route53_record")
    assert {each["provider"] for each in records.values()} == {"aws.zone"}
    assert {name.partition("_")[0] for name in records} == {"address", "caa", "proof"}
    rest = {kind: all_ for kind, all_ in edge.body["resource"].items() if kind != "aws_route53_record"}
    assert "aws.zone" not in json.dumps(rest)
    assert "aws.zone" not in json.dumps(tiers["network"].body)


def test_the_zone_role_is_assumed_after_the_account_role(variant: Callable[..., Variant]) -> None:
    edge = variant(**ASSUMED, edge={"zone_role": DNS})["edge"]
    assert edge.body["provider"]["aws"][1]["assume_role"] == [{"role_arn": TERRAFORM}, {"role_arn": DNS}]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"delivery": {}}, "plans of pull requests must not be able to"),
        ({"edge": {"zone_role": f"arn:aws:iam::{ACCOUNT}:role/dns"}}, "must be in another account"),
        ({"edge": {"zone_role": DNS.replace("arn:aws", "arn:aws-cn")}}, "in the partition aws"),
        ({"edge": {"zone_role": DNS, "dns": "off", "certificate": CERTIFICATE}}, "this role must be left"),
    ],
)
def test_invalid_zone_roles_are_refused(
    environment: Callable[..., Environment], change: dict[str, Any], rule: str
) -> None:
    with pytest.raises(SpecError, match=rule):
        environment(**{"edge": {"zone_role": DNS}, "delivery": {"ci": "off"}, **change})


INTERNAL: dict[str, Any] = {
    "network": {"reserved": ["10.0.0.0/14"]},
    "edge": {"scheme": "internal", "clients": ["10.1.0.0/16"]},
}


def ingress(tiers: Variant) -> dict[tuple[int, str], str]:
    """The ingress rules of the load balancer's security group, by port and range."""
    rules = tiers["network"].all("aws_vpc_security_group_ingress_rule")
    return {
        (rule["from_port"], rule["cidr_ipv4"]): name
        for name, rule in rules.items()
        if rule["security_group_id"] == "${aws_security_group.load_balancer.id}"
    }


def test_an_internal_load_balancer_admits_the_vpc_and_clients(variant: Callable[..., Variant]) -> None:
    tiers = variant(**INTERNAL)
    balancer = tiers["edge"]["aws_lb.main"]
    assert balancer["internal"] is True
    assert all("private_subnet_ids" in subnet for subnet in balancer["subnets"])
    assert tiers["edge"].all("aws_wafv2_web_acl")
    ranges = ("10.20.0.0/16", "10.1.0.0/16")
    assert set(ingress(tiers)) == {(port, cidr) for port in (80, 443) for cidr in ranges}
    plain = variant()
    assert plain["edge"]["aws_lb.main"]["internal"] is False
    assert set(ingress(plain)) == {(80, "0.0.0.0/0"), (443, "0.0.0.0/0")}


def test_network_acls_allow_clients_but_not_the_internet(variant: Callable[..., Variant]) -> None:
    rules = variant(**INTERNAL)["network"].all("aws_network_acl_rule")
    inbound = [rule for rule in rules.values() if not rule["egress"]]
    opened = {
        (rule["network_acl_id"].split(".")[1], rule["from_port"], rule["cidr_block"])
        for rule in inbound
        if rule.get("from_port") in (80, 443)
    }
    assert opened == {
        ("private", port, cidr)
        for port in (80, 443)
        for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    }
    numbers = [(rule["network_acl_id"], rule["rule_number"]) for rule in inbound]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"edge": {"clients": ["10.1.0.0/16"]}}, "clients requires scheme: internal"),
        ({"edge": {"scheme": "internal", "shield": True}}, "protects public load balancers"),
        ({"network": {}}, "must be inside a range of network.routes"),
        ({"edge": {"scheme": "internal", "clients": ["10.20.4.0/24"]}}, "must be outside the VPC"),
        ({"edge": {"scheme": "internal", "clients": ["10.1.0.0/16"] * 2}}, "named once"),
    ],
)
def test_invalid_client_ranges_are_refused(
    environment: Callable[..., Environment], change: dict[str, Any], rule: str
) -> None:
    with pytest.raises(SpecError, match=rule):
        environment(**{**INTERNAL, **change})


def test_an_internal_load_balancer_is_drawn_among_the_private_subnets(
    variant: Callable[..., Variant],
) -> None:
    from support.picturing import flaws

    from tierra.diagram.layout import arrange
    from tierra.diagram.read import picture_of
    from tierra.diagram.terraform import Terraform

    tiers = variant(**INTERNAL)
    picture = picture_of("trial", "rehearsal", Terraform({tier: tiers[tier].body for tier in TIERS}))
    assert not flaws(arrange(picture))
    [box] = [each for each in picture.private.boxes if each.kind == "load_balancer"]
    assert "from 10.1.0.0/16, 10.20.0.0/16" in " ".join(box.notes)
    assert not [each for each in picture.public.boxes if each.kind == "load_balancer"]
    assert not [edge for edge in picture.edges if edge.source == "internet"]


def test_the_rehearsal_has_existing_resources_of_the_spec(
    environment: Callable[..., Environment], tmp_path: Path
) -> None:
    from modules.architecture import facts
    from tierra.run.terraform import settings
    from tierra.run.workspace import Workspace

    written = facts(environment(edge={"certificate": CERTIFICATE, "zone_id": "Z0123456789EXAMPLE"}))
    assert written["existing"] == [CERTIFICATE, "Z0123456789EXAMPLE"]
    (tmp_path / "environment.json").write_text(json.dumps(written))
    variables = {"REHEARSE": "yes", "REHEARSAL_EXISTS": "vpc-0a"}
    given = settings(Workspace("trial", tmp_path, variables))
    assert given["REHEARSAL_EXISTS"] == f"{CERTIFICATE},Z0123456789EXAMPLE,vpc-0a"


def test_an_apply_prints_the_records_to_create(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tierra.run import after
    from tierra.run.workspace import Workspace

    records = {"app.example.com": "acme-1.us-east-1.elb.amazonaws.com"}
    monkeypatch.setattr(after.upstream, "now", lambda _: {"dns_records": records})
    [line] = after.wanted_records(Workspace("trial", tmp_path, {}))
    assert "app.example.com CNAME acme-1.us-east-1.elb.amazonaws.com" in line
