"""The page of every key: it is what the models say, and it leaves nothing out."""

from __future__ import annotations

import re

from modules.spec import Environment
from tools import reference


def test_the_page_is_what_the_models_say() -> None:
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


def test_a_default_and_what_is_required_are_shown() -> None:
    page = reference.text()
    assert re.search(r"^\| `project` \|.*\| required \|", page, re.M)
    assert re.search(r"^\| `storage_gb` \| a whole number from 20 to 65536 \| `100` \|", page, re.M)
    assert re.search(r"^\| `kubernetes` \|.*\| `\"1\.\d+\"` \|", page, re.M)


def test_the_short_page_names_no_key_that_does_not_exist() -> None:
    sections = dict(reference.sections(Environment.model_json_schema()))
    known = {f"{path}.{key}".lstrip(".") for path, node in sections.items() for key in node["properties"]}
    known |= sections.keys()
    last = {key.rpartition(".")[2] for key in known}
    text = (reference.FILE.parent / "spec.md").read_text(encoding="utf-8")
    strange, count = [], 0
    for name, page in re.findall(r"^## (\w+)\n(.*?)(?=^##|\Z)", text, re.M | re.S):
        start = {"Top": "", "systems": "systems.<name>."}.get(name, f"{name}.")
        for cell in re.findall(r"^\| (`[^|]*) \|", page, re.M):
            first, *others = (key.replace("<rule>", "common") for key in re.findall(r"`([^`]+)`", cell))
            strange += [f"{start}{first}"] if "…" not in first and f"{start}{first}" not in known else []
            strange += [f"{start}{key}" for key in others if key.rpartition(".")[2] not in last]
            count += 1
    assert strange == []
    assert count > 80
