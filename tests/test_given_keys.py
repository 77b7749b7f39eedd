"""Tests of existing KMS keys, which replace those that Tierra creates."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Variant

from tierra.validation.kms_keys import COPY, KmsKeys

Variants = Callable[..., Variant]
REGION, COPIES = "us-east-1", "us-west-2"
EVERYTHING: dict[str, Any] = {
    "storage": {"backup": {"copy_region": COPIES}},
    "systems": {"shop": {"framework": "django", "volumes": {"media": {"path": "/srv/media"}}}},
}


def arn(number: int, region: str = REGION) -> str:
    return f"arn:aws:kms:{region}:210987654321:key/{number:08d}-89ab-cdef-0123-456789abcdef"


GIVEN = {
    name: arn(number, COPIES if name == COPY else REGION)
    for number, name in enumerate(KmsKeys.model_fields, start=1)
}


@pytest.fixture
def given(variant: Variants) -> Variant:
    return variant(kms_keys=GIVEN, **EVERYTHING)


def test_keys_of_the_section_are_those_that_tierra_creates(variant: Variants) -> None:
    created = {name for root in variant(**EVERYTHING).values() for name in root.all("aws_kms_key")}
    assert created == {*GIVEN, "state"}


def test_only_the_state_key_is_created(given: Variant) -> None:
    for tier, root in given.items():
        ours = {"state"} if tier == "state" else set()
        assert set(root.all("aws_kms_key")) == set(root.all("aws_kms_alias")) == ours, tier


def test_a_previous_key_is_kept_for_data_that_it_encrypted(given: Variant) -> None:
    left = {name: root.body.get("removed", []) for name, root in given.items()}
    names = {each["from"] for blocks in left.values() for each in blocks}
    assert names == {f"aws_kms_key.{name}" for name in GIVEN}
    assert all(each["lifecycle"] == {"destroy": False} for blocks in left.values() for each in blocks)


def test_a_plan_reads_each_key_once(given: Variant) -> None:
    read: dict[str, Any] = {}
    for root in given.values():
        for name, key in root.body.get("data", {}).get("aws_kms_key", {}).items():
            assert name not in read
            read[name] = key
    assert {name: key["key_id"] for name, key in read.items()} == GIVEN
    assert {name: key["region"] for name, key in read.items() if "region" in key} == {COPY: COPIES}


def test_resources_use_the_existing_key(variant: Variants, given: Variant) -> None:
    """Arguments, rights and outputs differ only in the reference to the key."""
    plain = variant(environment="plain", **EVERYTHING)
    for tier in set(given) - {"state", "delivery"}:
        text = json.dumps(given[tier].body).replace("acme-trial", "acme-plain")
        wanted = json.dumps(plain[tier].body)
        for name in GIVEN:
            address = f"aws_kms_key.{name}."
            assert text.count(f"data.{address}") == wanted.count(address) - wanted.count(
                f"{address}key_id"
            ), name
            assert text.count(f"{{{address}") == 0, name


def test_an_apply_may_use_these_keys_and_no_other_untagged_key(given: Variant, variant: Variants) -> None:
    statements = given["delivery"].statements("aws_iam_policy.apply_keys")
    assert set(statements["UseKeysOfTheCompany"]["Resource"]) == set(GIVEN.values())
    through = statements["UseKeysOfTheCompany"]["Condition"]["StringEquals"]["kms:ViaService"]
    assert f"rds.{REGION}.amazonaws.com" in through
    assert set(statements["LetServicesUseThem"]["Resource"]) == set(GIVEN.values())
    plain = variant(environment="plain")["delivery"]
    assert "apply_keys" not in plain.all("aws_iam_policy")


def test_one_key_may_have_several_purposes(variant: Variants) -> None:
    mrk = "arn:aws:kms:us-east-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef"
    tiers = variant(kms_keys={"files": mrk, "backup": mrk})
    assert set(tiers["storage"].body["data"]["aws_kms_key"]) == {"files", "backup"}
    statements = tiers["delivery"].statements("aws_iam_policy.apply_keys")
    assert statements["LetServicesUseThem"]["Resource"] == mrk
