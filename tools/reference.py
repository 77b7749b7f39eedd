"""The generated part of docs/: every key with its possible values, default and purpose, and the outputs that
tiers read of each other.

`python -m tools.reference` writes docs/reference.md, and the end of docs/tiers/<tier>.md below MARK. The
texts depend on the models and the outputs of tiers alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from modules.spec import Environment
from tierra.bindings import node, trim
from tierra.validation.explain import NUMBERS, OTHERS, describe
from tierra.validation.messages import shown

FILE = Path(__file__).resolve().parent.parent / "docs/reference.md"
TIERS = FILE.parent / "tiers"
MARK = "<!-- from here on written by python -m tools.reference -->\n"
MOST_CHOICES = 12
# Defaults that the models compute.
DEFAULTS = {
    "environment": "the file's name",
    "account": '`"123456789012"`, in a rehearsal',
    "systems": "three default systems",
    "caa": "all names but the zone",
    "hsts_subdomains": "true, or false where a name is the zone",
}
HEADING = """# Every key of the spec

`python -m tools.reference` writes this page from `modules/spec.py` and the `spec.py` of each tier; a test
checks that it is current. [spec.md](spec.md) has the rules that concern several keys, and examples. Keys that
are not required may be left out.

| section | contents |
|---|---|
"""


def text() -> str:
    """The content of the page."""
    pages = list(sections(Environment.model_json_schema()))
    contents = [f"| {link(path)} | {summary(node)} |" for path, node in pages if path]
    parts = [HEADING + "\n".join(contents), *(section(path, node) for path, node in pages)]
    return "\n\n".join(parts) + "\n"


def sections(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of the spec by its dotted path, the top level first, in the order of the models."""

    def resolved(node: dict[str, Any]) -> dict[str, Any]:
        options = [option for option in node.get("anyOf", ()) if option.get("type") != "null"]
        chosen = [option for option in options if "$ref" in option] if len(options) > 1 else options
        if len(chosen) == 1:
            alternatives = {OTHERS: [option for option in options if option is not chosen[0]]}
            node = {
                **chosen[0],
                **alternatives,
                **{key: value for key, value in node.items() if key != "anyOf"},
            }
        if "$ref" in node:
            target = schema["$defs"][node["$ref"].rpartition("/")[2]]
            node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
        return node

    def below(path: str, node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        node = resolved(node)
        if isinstance(node.get("additionalProperties"), dict):
            yield from below(f"{path}.<name>", node["additionalProperties"])
        if isinstance(node.get("items"), dict):
            yield from below(f"{path}[]", node["items"])
        if "properties" not in node:
            return
        keys = {key: resolved(child) for key, child in node["properties"].items()}
        yield path, {**node, "properties": keys}
        for key, child in keys.items():
            yield from below(f"{path}.{key}".lstrip("."), child)

    return below("", schema)


def section(path: str, node: dict[str, Any]) -> str:
    """A heading, and a table of the keys, with links to those that have a section."""
    title, about = (f"## `{path}`", summary(node)) if path else ("## Top", "The top-level keys.")
    lines = [title, "", about, "", "| key | type or values | default | description |", "|---|---|---|---|"]
    for key, child in node["properties"].items():
        inner = inside(path, key, child)
        alternatives = "".join(f", or `{describe(option)}`" for option in child.get(OTHERS, ()))
        may_be = f"see {link(inner)}{alternatives}" if inner else allowed(child)
        usual = "required" if key in required(path, node) else default(child, "properties" in child)
        usual = usual if path else DEFAULTS.get(key, usual)
        lines.append(f"| `{key}` | {may_be} | {usual} | {cell(child.get('description', ''))} |")
    return "\n".join(lines)


def required(path: str, node: dict[str, Any]) -> set[str]:
    """The required keys; the name of the environment comes from its file."""
    return set(node.get("required", ())) - ({"environment"} if not path else set())


def inside(path: str, key: str, node: dict[str, Any]) -> str:
    """The path of the section of a key; empty if it has none."""
    inner = f"{path}.{key}".lstrip(".")
    if "properties" in node:
        return inner
    if "$ref" in node.get("items", {}):
        return f"{inner}[]"
    more = node.get("additionalProperties")
    return f"{inner}.<name>" if isinstance(more, dict) and "$ref" in more else ""


def allowed(node: dict[str, Any]) -> str:
    """The type of a value, or its possible values."""
    choices = node.get("enum", [])
    if len(choices) > MOST_CHOICES and node.get("type") in NUMBERS:
        return f"{', '.join(map(str, choices[:3]))} … {choices[-1]}"
    return cell(describe(node))


def default(node: dict[str, Any], is_section: bool) -> str:
    """The value of a key that is left out."""
    if "default" not in node:
        return "its defaults" if is_section else "none"
    value = node["default"]
    if value is None:
        return "none"
    if isinstance(value, str) and " " in value:
        return cell(value)
    written = f'"{value}"' if isinstance(value, str) and re.fullmatch(r"[\d.]+", value) else shown(value)
    return f"`{written.replace('|', chr(92) + '|')}`"


def summary(node: dict[str, Any]) -> str:
    """The description of a section."""
    return cell(node.get("description", ""))


def cell(words: str) -> str:
    """A text for a table: on one line, with Markdown and HTML escaped."""
    return re.sub(r"([|<*])", r"\\\1", " ".join(words.split()))


def link(path: str) -> str:
    """A link to the heading of a section, whose anchor has only letters, digits, _ and -."""
    return f"[`{path}`](#{re.sub(r'[^a-z0-9_-]', '', path)})"


def end_of_page(tier: str) -> str:
    """The needs of a tier, the tiers that need it, and its outputs."""
    # Imported late: cdktf, which the page of keys does not need.
    node.use()
    trim.activate()
    from modules.architecture import TIERS as GRAPH
    from tierra.terraform.outputs import Outputs

    import_module(f"modules.{tier}.outputs")
    (outputs,) = (class_ for class_ in Outputs.__subclasses__() if class_.tier == tier)
    needed_by = sorted(name for name, consumer in GRAPH.items() if tier in consumer.needs)
    lines = [
        "## Outputs",
        "",
        f"Needs: {pages(sorted(GRAPH[tier].needs))}. Needed by: {pages(needed_by)}.",
        "",
        "| output | what it is |",
        "|---|---|",
        *(f"| `{output.name}` | {cell(output.description)} |" for output in outputs.described()),
    ]
    return "\n".join(lines) + "\n"


def pages(tiers: list[str]) -> str:
    """Links to the pages of tiers."""
    return ", ".join(f"[{tier}]({tier}.md)" for tier in tiers) or "nothing"


def page_of_tier(path: Path) -> str:
    """The page of a tier: the text written by hand, then the generated part."""
    written = path.read_text(encoding="utf-8").partition(MARK)[0].rstrip()
    return f"{written}\n\n{MARK}\n{end_of_page(path.stem)}"


def main() -> None:
    FILE.write_text(text(), encoding="utf-8")
    for path in sorted(TIERS.glob("*.md")):
        if path.name != "README.md":
            path.write_text(page_of_tier(path), encoding="utf-8")


if __name__ == "__main__":
    main()
