"""Tests of faults planted in the generated Terraform: the catalogue, and a daily sample.

`make faults` plants all of them.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import botocore.loaders
import planted
import pytest
from conftest import ROOT, Root, read_roots

from modules.architecture import TIERS
from modules.loader import load

FAULTS = planted.read()
SAMPLE = 10
SCHEMA = {"enum", "format", "length", "range", "cidr", "arn", "json", "conflict"}
OTHER = {"policy", "reference", "combination", "duplicate", "order", "quota", "iam", "kubernetes"}


@pytest.fixture(scope="module")
def bodies(folders: dict[str, Path]) -> dict[str, dict[str, Root]]:
    return {
        name: read_roots(folder, load(ROOT / f"environments/{name}.yaml")) for name, folder in folders.items()
    }


def test_the_catalogue_covers_all_tiers_and_kinds() -> None:
    """There are faults of every kind in every tier, about half of them of the schema."""
    kinds = Counter(fault.kind for fault in FAULTS)
    assert set(kinds) == SCHEMA | OTHER
    assert {fault.tier for fault in FAULTS} == set(TIERS)
    assert {fault.stage for fault in FAULTS} == set(planted.STAGES)
    assert len(FAULTS) >= 150
    assert 0.35 < sum(kinds[kind] for kind in SCHEMA) / len(FAULTS) < 0.65


def test_every_fault_changes_the_generated_terraform(bodies: dict[str, dict[str, Root]]) -> None:
    for fault in FAULTS:
        body = bodies[fault.environment][fault.tier].body
        assert planted.edited(body, fault) != body


def test_every_known_miss_is_in_the_catalogue() -> None:
    assert planted.known() <= {fault.name for fault in FAULTS}


@cache
def codes(service: str) -> set[str]:
    """The error codes in the model of a service."""
    model = botocore.loaders.Loader().load_service_model(service, "service-2")
    return {
        each.get("error", {}).get("code", name)
        for name, each in model["shapes"].items()
        if each.get("exception")
    }


def test_error_codes_are_those_of_the_api_model() -> None:
    for fault in FAULTS:
        if fault.source.startswith("botocore "):
            words = {word for alternatives in fault.says for word in alternatives.split("|")}
            assert words & codes(fault.source.removeprefix("botocore ")), fault.name


def test_an_expectation_has_a_source() -> None:
    """The source of a schema fault is a file of the provider, of others an API, a guide or a model."""
    for fault in FAULTS:
        if fault.kind in SCHEMA and fault.stage == "validate":
            assert re.search(r"\w+/\w+\.go|internal/verify", fault.source), fault.name


def test_the_daily_sample_of_faults_is_caught(tmp_path: Path) -> None:
    """A daily sample of ten faults that were caught when the catalogue was last recorded."""
    caught = [fault for fault in FAULTS if fault.name not in planted.known()]
    chosen = planted.sample(caught, SAMPLE, date.today())
    verdicts = planted.judge(planted.sites(tmp_path, chosen), chosen)
    assert not [f"{each.fault.name}: {each.heard}" for each in verdicts if not each.caught]


def test_a_different_error_does_not_count(tmp_path: Path) -> None:
    """terraform fails, but with another error than that of the fault."""
    (fault,) = [each for each in FAULTS if each.name == "chart-missing"]
    wrong = planted.Fault(
        **{
            **vars(fault),
            "stage": "validate",
            "says": ("InvalidSubnet.Range",),
            "edits": ({"at": "helm_release.cluster", "path": "chart", "to": None},),
        }
    )
    (verdict,) = planted.judge(planted.sites(tmp_path, [wrong]), [wrong])
    assert "chart" in verdict.heard
    assert not verdict.caught
