"""Every key that can change has a change, from one valid spec to another, and it reaches Terraform."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.changing import (
    Change,
    bases,
    changeable,
    changes,
    concrete,
    leaves,
    legal,
    replaced,
    table,
    together,
)

from modules.architecture import TIERS, synthesize
from modules.loader import load
from modules.spec import Environment
from tierra.github.workflows import workflows
from tierra.validation.errors import SpecError

ROOT = "(root)"
SECTIONS = sorted({key.partition(".")[0] if "." in key else ROOT for key in changeable()})


def parsed(spec: Any) -> Environment:
    return Environment.model_validate(deepcopy(spec))


def terraform(spec: Any, tier: str, folder: Path) -> str:
    synthesize(parsed(spec), folder, {tier: TIERS[tier]})
    return (folder / "stacks" / tier / "cdk.tf.json").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The generated Terraform of a tier of a base environment."""
    return cache(lambda base, tier: terraform(bases()[base], tier, tmp_path_factory.mktemp("before")))


def test_each_key_has_a_change() -> None:
    missing = leaves().keys() - {change.key for change in changes()} - fixed()
    assert not missing, f"tests/changes.yaml needs `values` for {', '.join(sorted(missing))}"


def fixed() -> set[str]:
    return {*table()["elsewhere"], *table()["refused"]}


def test_the_table_names_keys_and_changes_that_exist() -> None:
    named = {str(change) for change in changes()} | leaves().keys()
    for part in ("values", "elsewhere", "refused", "idle", "expect"):
        assert not table()[part].keys() - named, f"{part} of tests/changes.yaml"
    for part in ("values", "elsewhere", "refused", "idle", "unplanned", "replaceable"):
        for key, rows in table()[part].items():
            assert all(row.get("why") for row in (rows if isinstance(rows, list) else [rows])), key
    for base in table()["bases"].values():
        for key in base.get("keys", ()):
            assert any(f"{leaf}.".startswith(f"{key.rstrip('.')}.") for leaf in leaves()), key


@pytest.mark.parametrize("name", bases())
def test_an_environment_that_changes_is_valid(name: str) -> None:
    parsed(bases()[name])


def test_a_change_is_one_valid_spec_after_another() -> None:
    assert len({str(change) for change in changes()}) == len(changes())
    for change in changes():
        assert change.before != change.after, change
        assert legal(change.after), change


def test_most_keys_change_at_once() -> None:
    combined = [together(base) for base in bases()]
    assert all(legal(change.after) for change in combined)
    assert sum(len(change.edits) for change in combined) > len(changeable()) // 2


@pytest.mark.parametrize("section", SECTIONS)
def test_a_change_reaches_the_terraform_unless_it_is_listed_as_idle(
    section: str, before: Any, tmp_path: Path
) -> None:
    wrong = []
    tiers = sorted(TIERS, key=lambda tier: tier != section)
    for number, change in enumerate(changes()):
        if section_of(change) != section or change.key in table()["idle"]:
            continue
        found = next((tier for tier in tiers if differs(change, tier, before, tmp_path / f"{number}")), None)
        if found:  # the next change is likely to affect the same tier
            tiers.remove(found)
            tiers.insert(0, found)
        else:
            wrong.append(f"{change}: has no effect on Terraform")
    assert not wrong, "\n".join(wrong)


def test_a_change_that_is_listed_as_idle_does_not_reach_the_terraform(before: Any, tmp_path: Path) -> None:
    """As many changes at once as a spec may have."""
    for number, change in enumerate(combined([each for each in changes() if each.key in table()["idle"]])):
        for tier in TIERS:
            affected = differs(change, tier, before, tmp_path / f"{number}")
            assert not affected, f"{change}: has an effect on the tier {tier}"


def combined(separate: list[Change]) -> list[Change]:
    """Changes of one or more keys: together they are the given changes."""
    several: list[Change] = []
    for change in separate:
        for place, other in enumerate(several):
            both = Change(f"{other} {change.key}", change.value, change.base, (*other.edits, *change.edits))
            paths = [path for path, _ in both.edits]
            if other.base == change.base and len(set(paths)) == len(paths) and legal(both.after):
                several[place] = both
                break
        else:
            several.append(change)
    return several


def section_of(change: Change) -> str:
    return change.key.partition(".")[0] if "." in change.key else ROOT


def differs(change: Change, tier: str, before: Any, folder: Path) -> bool:
    return bool(terraform(change.after, tier, folder) != before(change.base, tier))


@pytest.mark.parametrize("key", [key for key, row in table()["idle"].items() if row.get("workflows")])
def test_an_idle_key_that_is_for_workflows_changes_them(key: str) -> None:
    for change in changes():
        if change.key == key:
            assert workflows(parsed(change.before)) != workflows(parsed(change.after)), change


@pytest.mark.parametrize("key", table()["elsewhere"])
def test_a_change_of_a_naming_key_uses_other_states(key: str, before: Any, tmp_path: Path) -> None:
    edited = replaced(bases()["usual"], (key,), table()["elsewhere"][key]["to"])
    for tier in TIERS:
        old, new = json.loads(before("usual", tier)), json.loads(terraform(edited, tier, tmp_path / tier))
        assert old["terraform"]["backend"] != new["terraform"]["backend"], tier


@pytest.mark.parametrize("key", table()["refused"])
def test_changes_that_no_environment_allows_are_refused(key: str, tmp_path: Path) -> None:
    row = table()["refused"][key]
    path = tmp_path / "sandbox.yaml"
    path.write_text(
        yaml.safe_dump(replaced(bases()["usual"], tuple(key.split(".")), row["to"])), encoding="utf-8"
    )
    with pytest.raises(SpecError, match=row["says"]):
        load(path)


def test_a_wildcard_key_is_resolved_to_the_first_name() -> None:
    assert concrete("systems.*.sidecars.*.port", bases()["usual"]) == (
        "systems",
        "shop",
        "sidecars",
        "agent",
        "port",
    )
