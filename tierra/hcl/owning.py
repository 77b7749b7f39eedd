"""The HCL for users who continue without Tierra: repeated parts of names are defined once, in locals.

Values stay the same to the byte, so that its plan on the states of the JSON has no changes. Settings that
terraform reads before locals (backend, versions) are not changed, nor are references and texts in which a
name is only a part of a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from tierra.hcl.strings import HclError, split
from tierra.hcl.values import Canonical, Number, encoded, parse

FILE = "locals.tf"
# Sections whose strings are templates, if they may contain expressions.
TEMPLATES = ("provider", "data", "ephemeral", "resource", "output")
# Keys below an element whose strings are references or must be constants.
CONSTANT = ("depends_on", "lifecycle", "provider", "provisioner", "description", "alias", "version")
OF_A_WORD = "A-Za-z0-9"
# The locals that are generated here, which are all strings.
LOCAL = re.compile(r"\$\{local\.(account|environment|path|project|region|stem)\}")


def owned(configuration: Mapping[str, Any], facts: Mapping[str, str]) -> dict[str, Any]:
    """The root module with locals for the values of `facts`: project, environment, account and region."""
    used: set[str] = set()
    patterns = _patterns(facts)
    result = {
        section: _section(section, content, partial(_named, patterns, used))
        if section in TEMPLATES
        else content
        for section, content in configuration.items()
    }
    if used:
        result["locals"] = {**_locals(facts, used), **configuration.get("locals", {})}
    return result


def check(names: Iterable[str], files: Mapping[str, bytes]) -> None:
    """Raises HclError for own Terraform that has a local of one of these names."""
    for file, content in files.items():
        if "/" in file or not file.endswith((".tf", ".tf.json")):
            continue
        for body in re.findall(r'"?locals"?:?\s*\{(.*?)\n?\}', content.decode(errors="replace"), re.S):
            if clash := next(
                (name for name in names if re.search(rf'^\W*{name}"?\s*[=:]', body, re.M)), None
            ):
                raise HclError(
                    f"{file}: locals: {clash}\n  rule:   OWN=yes makes a local of this name\n  remedy: choose"
                    " another name, or write this one out"
                )


def _patterns(facts: Mapping[str, str]) -> list[tuple[str, re.Pattern[str]]]:
    """The texts that a local replaces, the longest first. A zone is a region with a letter."""
    project, environment = re.escape(facts["project"]), re.escape(facts["environment"])
    return [
        (
            "path",
            re.compile(rf"(?<![{OF_A_WORD}_.-]){project}/{environment}(?![{OF_A_WORD}_-])"),
        ),
        ("stem", re.compile(rf"(?<![{OF_A_WORD}_.]){project}-{environment}(?![{OF_A_WORD}_])")),
        ("account", re.compile(rf"(?<![{OF_A_WORD}_.]){facts['account']}(?![{OF_A_WORD}_])")),
        (
            "region",
            re.compile(rf"(?<![{OF_A_WORD}_-]){re.escape(facts['region'])}(?=[a-f]?(?![{OF_A_WORD}_]))"),
        ),
        ("environment", re.compile(rf"\A{environment}\Z")),
        ("project", re.compile(rf"\A{project}\Z")),
    ]


def _locals(facts: Mapping[str, str], used: set[str]) -> dict[str, str]:
    """The locals that are in use, and the locals that these refer to."""
    wanted = used | ({"project", "environment"} if used & {"path", "stem"} else set())
    values = {
        "project": facts["project"],
        "environment": facts["environment"],
        "account": facts["account"],
        "region": facts["region"],
        "stem": "${local.project}-${local.environment}",
        "path": "${local.project}/${local.environment}",
    }
    return {name: text for name, text in values.items() if name in wanted}


def _section(section: str, content: Any, change: Callable[[str], str]) -> Any:
    """A section with changed values below its types and names."""
    if section == "output":
        return {name: _changed(output, change) for name, output in content.items()}
    if section == "provider":
        return {name: _changed(content_, change) for name, content_ in content.items()}
    return {
        kind: {name: _changed(arguments, change) for name, arguments in named.items()}
        for kind, named in content.items()
    }


def _changed(arguments: Any, change: Callable[[str], str]) -> Any:
    """The arguments of an element."""
    if isinstance(arguments, list):
        return [_changed(member, change) for member in arguments]
    constant = CONSTANT if isinstance(arguments, dict) else ()
    return {key: item if key in constant else _deep(item, change) for key, item in arguments.items()}


def _deep(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _deep(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_deep(item, change) for item in value]
    return change(value) if isinstance(value, str) and not isinstance(value, Number) else value


def _named(patterns: list[tuple[str, re.Pattern[str]]], used: set[str], template: str) -> str:
    """A template whose texts name locals."""
    parts = split(template)
    names = []
    for part in parts:
        text = part.source
        if part.text:
            for name, pattern in patterns:
                # A text that is only a name is replaced only if it is the whole template.
                whole = pattern.pattern.startswith(r"\A")
                if (not whole or len(parts) == 1) and pattern.search(text):
                    text = pattern.sub(f"${{local.{name}}}", text)
                    used.add(name)
        names.append(text)
    text_ = "".join(names)
    return Canonical(text_) if _canonical(template) else text_


def _canonical(template: str) -> bool:
    """Whether a text equals the output of jsonencode to the byte."""
    if template[:1] not in ("{", "[") or "${" in template or "%{" in template:
        return False
    try:
        return encoded(parse(template)) == template
    except (ValueError, RecursionError):
        return False
