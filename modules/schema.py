"""The JSON schema of a spec, by which editors complete keys, show their descriptions and underline mistakes.

`python -m modules.schema` writes it to environments/schema.json; the text depends on the models alone.
"""

from __future__ import annotations

import json
from pathlib import Path

from modules.spec import Environment

FILE = Path(__file__).parent.parent / "environments" / "schema.json"


def text() -> str:
    """The schema as it stands in the file."""
    schema = Environment.model_json_schema()
    schema["required"].remove("environment")  # the loader takes it from the name of the file
    for section in (schema, *schema["$defs"].values()):
        for key, node in section["properties"].items():
            node.pop("title", None)
            target = schema["$defs"].get(node.get("$ref", "").rpartition("/")[2], {})
            if key in section.get("required", ()) or "required" in target or "$ref" not in node:
                continue
            # A section may be left empty, with its keys in comments.
            node["anyOf"] = [{"$ref": node.pop("$ref")}, {"type": "null"}]
    heading = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Spec of a Tierra environment",
    }
    return json.dumps({**schema, **heading}, indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
