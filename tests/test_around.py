"""What a company prescribes around an environment: roles, the way into the account, names and networks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Variant

from modules.architecture import TIERS
from modules.errors import SpecError
from modules.spec import Environment

ACCOUNT = "123456789012"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/company/boundary"
PRESCRIBED: dict[str, Any] = {"permissions_boundary": "company/boundary", "role_path": "/platform/"}


def test_every_role_has_the_boundary_and_the_path_of_the_company(variant: Callable[..., Variant]) -> None:
    found = variant(**PRESCRIBED, data={"postgres": {}})
    count = 0
    for tier in TIERS:
        roles = found[tier].body.get("resource", {}).get("aws_iam_role", {})
        for name, role in roles.items():
            count += 1
            assert role["permissions_boundary"] == "${data.aws_iam_policy.boundary.arn}", name
            assert role["path"] == "/platform/", name
        if roles:
            assert found[tier].body["data"]["aws_iam_policy"] == {"boundary": {"arn": BOUNDARY}}
    assert count > 20


def test_roles_are_found_below_their_path(variant: Callable[..., Variant]) -> None:
    """No ARN of a role that is written out lacks the path: policies and trust name roles that exist."""
    found = variant(**PRESCRIBED)
    for tier in TIERS:
        text = json.dumps(found[tier].body)
        assert f":iam::{ACCOUNT}:role/acme-" not in text, tier
    assert f":iam::{ACCOUNT}:role/platform/acme-trial-secrets-*" in json.dumps(found["gateway"].body)
    assert f":iam::{ACCOUNT}:role/platform/acme-trial-secrets-*" in json.dumps(found["state"].body)


def test_an_apply_makes_roles_with_the_boundary_of_the_company_alone(
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
    ("said", "rule", "remedy"),
    [
        ({"role_path": "platform"}, "starts and ends with a slash", "write /platform/"),
        ({"role_path": "/a b/"}, "starts and ends with a slash", "write it like /platform/"),
        ({"role_path": "/aws-service-role/x/"}, "belong to AWS", "choose another path"),
        ({"permissions_boundary": "a b"}, "is a managed policy", "write it like company-boundary"),
        (
            {"permissions_boundary": "arn:aws:iam::210987654321:policy/company"},
            "a policy of its own account",
            "create the policy in 123456789012",
        ),
        (
            {"permissions_boundary": "arn:aws-cn:iam::123456789012:policy/company"},
            "the partition aws",
            "name a policy of aws",
        ),
        ({"permissions_boundary": "acme-trial-workload-boundary"}, "removed by Tierra", "remove the line"),
    ],
)
def test_what_no_role_can_have_is_refused(
    environment: Callable[..., Environment], said: dict[str, Any], rule: str, remedy: str
) -> None:
    with pytest.raises(SpecError) as refused:
        environment(**said)
    assert rule in str(refused.value)
    assert remedy in str(refused.value)
