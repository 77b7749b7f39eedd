"""Tests of the generated reference pages of keys and tiers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import ROOT

from modules.architecture import TIERS
from modules.spec import Environment
from tools import reference

PAGES = sorted(path for path in reference.TIERS.glob("*.md") if path.name != "README.md")


def test_the_reference_page_is_current() -> None:
    stale = "docs/reference.md is stale: .venv/bin/python -m tools.reference"
    assert reference.FILE.read_text(encoding="utf-8") == reference.text(), stale


def test_every_key_has_a_row_with_a_description() -> None:
    page = reference.text()
    rows = [re.split(r"(?<!\\)\|", row)[1:-1] for row in re.findall(r"^\| `.*\|$", page, re.M)]
    assert all(len(row) == 4 and row[3].strip() for row in rows)
    keys = 0
    schema = Environment.model_json_schema()
    for model in (schema, *schema["$defs"].values()):
        keys += len(model["properties"])
        assert {f" `{key}` " for key in model["properties"]} <= {row[0] for row in rows}
    assert len(rows) >= keys


def test_defaults_and_required_keys_are_shown() -> None:
    page = reference.text()
    assert re.search(r"^\| `project` \|.*\| required \|", page, re.M)
    assert re.search(r"^\| `storage_gb` \| a whole number from 20 to 65536 \| `100` \|", page, re.M)
    assert re.search(r"^\| `kubernetes` \|.*\| `\"1\.\d+\"` \|", page, re.M)


def test_the_spec_page_has_no_key_tables_and_only_existing_keys() -> None:
    sections = dict(reference.sections(Environment.model_json_schema()))
    known = {f"{path}.{key}".lstrip(".") for path, node in sections.items() for key in node["properties"]}
    last = {key.rpartition(".")[2] for key in known}
    text = (reference.FILE.parent / "spec.md").read_text(encoding="utf-8")
    assert "| key | default |" not in text
    named = set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)*)(?:: [^`]+)?`", text))
    dotted = {key for key in named if key.partition(".")[0] in sections and "." in key}
    assert {key for key in dotted if key not in known} == set()
    assert len(named & last) + len(dotted) > 60


def test_every_tier_has_a_page_and_a_row() -> None:
    assert {path.stem for path in PAGES} == set(TIERS)
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.md\)", (reference.TIERS / "README.md").read_text(), re.M)
    assert sorted(listed) == sorted(TIERS)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_output_table_of_a_page_is_current(path: Path) -> None:
    stale = f"{path.relative_to(ROOT)} is stale: .venv/bin/python -m tools.reference"
    assert path.read_text(encoding="utf-8") == reference.page_of_tier(path), stale


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_addresses_and_files_on_tier_pages_exist(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    addresses = re.findall(r"`((?:aws|helm)_[a-z0-9_]+\.[a-z0-9_]+)`", page)
    golden = json.loads((ROOT / "tests/golden/production" / f"{path.stem}.tf.json").read_text("utf-8"))
    generated = {f"{kind}.{name}" for kind, named in golden["resource"].items() for name in named}
    assert len(addresses) >= 5
    assert sorted(set(addresses) - generated) == []
    files = re.findall(r"`([a-z_]+\.py)`", page)
    assert sorted(name for name in files if not (ROOT / "modules" / path.stem / name).exists()) == []
    folders = re.findall(r"`(templates/[a-z/-]+)`", page)
    assert sorted(name for name in folders if not (ROOT / name).exists()) == []
