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
# Defaults that the models say in code.
SAID = {
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
    """The page."""
    pages = list(sections(Environment.model_json_schema()))
    contents = [f"| {link(path)} | {summary(node)} |" for path, node in pages if path]
    parts = [HEADING + "\n".join(contents), *(section(path, node) for path, node in pages)]
    return "\n\n".join(parts) + "\n"


def sections(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of the spec by its dotted path, the whole first, in the order of the models."""

    def resolved(node: dict[str, Any]) -> dict[str, Any]:
        options = [each for each in node.get("anyOf", ()) if each.get("type") != "null"]
        chosen = [each for each in options if "$ref" in each] if len(options) > 1 else options
        if len(chosen) == 1:
            others = {OTHERS: [each for each in options if each is not chosen[0]]}
            node = {**chosen[0], **others, **{key: value for key, value in node.items() if key != "anyOf"}}
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
        keys = {key: resolved(each) for key, each in node["properties"].items()}
        yield path, {**node, "properties": keys}
        for key, each in keys.items():
            yield from below(f"{path}.{key}".lstrip("."), each)

    return below("", schema)


def section(path: str, node: dict[str, Any]) -> str:
    """A heading, and a table of the keys that are no sections themselves."""
    title, about = (f"## `{path}`", summary(node)) if path else ("## Top", "The top-level keys.")
    lines = [title, "", about, "", "| key | type or values | default | description |", "|---|---|---|---|"]
    for key, each in node["properties"].items():
        inner = inside(path, key, each)
        others = "".join(f", or `{describe(other)}`" for other in each.get(OTHERS, ()))
        may_be = f"see {link(inner)}{others}" if inner else allowed(each)
        given = "required" if key in required(path, node) else default(each, "properties" in each)
        given = given if path else SAID.get(key, given)
        lines.append(f"| `{key}` | {may_be} | {given} | {cell(each.get('description', ''))} |")
    return "\n".join(lines)


def required(path: str, node: dict[str, Any]) -> set[str]:
    """The keys without which there is no spec: the environment's name comes from its file."""
    return set(node.get("required", ())) - ({"environment"} if not path else set())


def inside(path: str, key: str, node: dict[str, Any]) -> str:
    """The path of the section below a key; empty when there is none."""
    inner = f"{path}.{key}".lstrip(".")
    if "properties" in node:
        return inner
    if "$ref" in node.get("items", {}):
        return f"{inner}[]"
    more = node.get("additionalProperties")
    return f"{inner}.<name>" if isinstance(more, dict) and "$ref" in more else ""


def allowed(node: dict[str, Any]) -> str:
    """The type of a value, or the values that it may have."""
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
    """What a section is."""
    return cell(node.get("description", ""))


def cell(words: str) -> str:
    """A text in a table: on one line, its marks of Markdown and HTML as they are."""
    return re.sub(r"([|<*])", r"\\\1", " ".join(words.split()))


def link(path: str) -> str:
    """To the heading of a section, whose anchor has letters, digits, _ and - alone."""
    return f"[`{path}`](#{re.sub(r'[^a-z0-9_-]', '', path)})"


def end_of_page(tier: str) -> str:
    """What a tier needs, who needs it, and what it promises."""
    # Only now cdktf, which a page of keys does without.
    node.use()
    trim.activate()
    from modules.architecture import TIERS as GRAPH
    from tierra.terraform.outputs import Outputs

    import_module(f"modules.{tier}.outputs")
    (outputs,) = (each for each in Outputs.__subclasses__() if each.tier == tier)
    needed_by = sorted(name for name, other in GRAPH.items() if tier in other.needs)
    lines = [
        "## Outputs",
        "",
        f"Needs: {pages(sorted(GRAPH[tier].needs))}. Needed by: {pages(needed_by)}.",
        "",
        "| output | what it is |",
        "|---|---|",
        *(f"| `{each.name}` | {cell(each.description)} |" for each in outputs.described()),
    ]
    return "\n".join(lines) + "\n"


def pages(tiers: list[str]) -> str:
    """Links to the pages of tiers."""
    return ", ".join(f"[{tier}]({tier}.md)" for tier in tiers) or "nothing"


def page_of_tier(path: Path) -> str:
    """The page of a tier as it should be: what people wrote, then what is written here."""
    written = path.read_text(encoding="utf-8").partition(MARK)[0].rstrip()
    return f"{written}\n\n{MARK}\n{end_of_page(path.stem)}"


def main() -> None:
    FILE.write_text(text(), encoding="utf-8")
    for path in sorted(TIERS.glob("*.md")):
        if path.name != "README.md":
            path.write_text(page_of_tier(path), encoding="utf-8")


if __name__ == "__main__":
    main()
