"""The JSON schema of a spec, by which editors complete keys, show descriptions and underline mistakes.

`python -m tools.schema` writes it to environments/schema.json; the text depends on the models alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modules.spec import Environment
from tierra.validation.model import REFUSED

FILE = Path(__file__).parent.parent / "environments" / "schema.json"


def text() -> str:
    """The content of the schema file."""
    schema = Environment.model_json_schema()
    for section in (schema, *schema["$defs"].values()):
        section.pop(REFUSED, None)
        for key, node in section["properties"].items():
            node.pop("title", None)
            target = schema["$defs"].get(node.get("$ref", "").rpartition("/")[2], {})
            if key in section.get("required", ()) or "required" in target or "$ref" not in node:
                continue
            # A section may be left empty, with its keys in comments.
            node["anyOf"] = [{"$ref": node.pop("$ref")}, {"type": "null"}]
    in_lists = set(_in_lists(schema))
    for name, section in schema["$defs"].items():
        if name not in in_lists:
            section.pop("required", None)
    heading = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Spec of a Tierra environment",
    }
    # The loader takes `environment` from the name of the file, and asks for all that is required once a spec
    # is merged with what it extends. Lists are not merged.
    alone = [key for key in schema.pop("required") if key != "environment"]
    schema["anyOf"] = [{"required": alone}, {"required": ["extends"]}]
    return json.dumps({**schema, **heading}, indent=2) + "\n"


def _in_lists(node: Any) -> Iterator[str]:
    """The definitions that are items of lists."""
    if isinstance(node, dict):
        items = node.get("items")
        for item in (items, *items.get("anyOf", ())) if isinstance(items, dict) else ():
            if "$ref" in item:
                yield item["$ref"].rpartition("/")[2]
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _in_lists(child)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
