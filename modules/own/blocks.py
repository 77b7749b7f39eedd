"""The blocks that a file of own Terraform declares, and the outputs of tiers that it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tierra.validation.errors import Problem
from tierra.validation.messages import short

# Blocks with a type and a name, with a name, and without.
TYPED = ("resource", "data", "ephemeral")
NAMED = ("output", "module", "variable", "check", "provider")
PLAIN = ("locals", "moved", "import", "removed", "terraform")
READ = re.compile(r"data\.terraform_remote_state\.(\w+)(?:\.outputs\.([a-zA-Z_]\w*))?")


class Block(NamedTuple):
    """A block of a file: `resource`, its labels, its arguments and its first line."""

    file: str
    kind: str
    labels: tuple[str, ...]
    body: Mapping[str, Any]
    line: int

    @property
    def address(self) -> str:
        """The address as terraform writes it."""
        return ".".join(([] if self.kind == "resource" else [self.kind]) + list(self.labels))


class Reading(NamedTuple):
    """A reference to an output of another tier, and its line. `output` is empty for a reference to all
    outputs."""

    file: str
    tier: str
    output: str
    line: int


def parsed(file: str, content: bytes) -> tuple[list[Block], list[Problem]]:
    """The blocks of a file, or why it cannot be read."""
    try:
        text = content.decode("utf-8")
        body = json.loads(text) if file.endswith(".json") else _hcl(text)
        if not isinstance(body, dict):
            raise ValueError("it must be an object")
    except (ValueError, SyntaxError) as error:
        line = getattr(error, "lineno", None) or getattr(error, "line", None)
        reason = str(error).splitlines()[0]
        return [], [Problem("", "", f"the file must be Terraform: {reason}", "correct it there", line or 0)]
    return list(blocks_of(file, text, body)), []


def _hcl(text: str) -> Any:
    """HCL as python-hcl2 reads it. Raises ValueError with the line as `line`."""
    import hcl2  # imported late, because the parser is slow to load
    from lark.exceptions import LarkError

    options = hcl2.SerializationOptions(
        with_comments=False, explicit_blocks=False, strip_string_quotes=True, preserve_heredocs=False
    )
    try:
        return hcl2.loads(text if text.endswith("\n") else f"{text}\n", serialization_options=options)
    except LarkError as error:
        failure = ValueError(str(error))
        failure.line = getattr(error, "line", 0)  # type: ignore[attr-defined]
        raise failure from None


def blocks_of(file: str, text: str, body: Mapping[str, Any]) -> Iterator[Block]:
    for kind, value in body.items():
        depth = 2 if kind in TYPED else 1 if kind in NAMED else 0
        for labels, inner in _labelled(value, depth):
            yield Block(file, kind, labels, _plain(inner), _line(text, kind, labels))


def _labelled(value: Any, depth: int) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Bodies with their labels: both HCL and JSON may repeat any level as a list."""
    if isinstance(value, list):
        for item in value:
            yield from _labelled(item, depth)
    elif isinstance(value, Mapping) and depth:
        for label, inner in value.items():
            if label != "//":
                for labels, body in _labelled(inner, depth - 1):
                    yield (label, *labels), body
    elif isinstance(value, Mapping):
        yield (), value


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, with the block `lifecycle` in the form of generated JSON."""
    lifecycle = body.get("lifecycle")
    if isinstance(lifecycle, list) and len(lifecycle) == 1:
        return {**body, "lifecycle": lifecycle[0]}
    return dict(body)


def _line(text: str, kind: str, labels: Sequence[str]) -> int:
    """The first line of a block; in JSON, the line of its name."""
    quoted = "".join(rf'[ \t]+"?{re.escape(label)}"?' for label in labels)
    match = re.search(rf"^[ \t]*{kind}{quoted}[ \t]*{{", text, re.M)
    if not match:
        match = re.search(re.escape(json.dumps(labels[-1] if labels else kind)), text)
    return _number(text, match.start()) if match else 0


def _number(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def readings_of(file: str, text: str) -> Iterator[Reading]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith(("#", "//")):
            for match in READ.finditer(line):
                yield Reading(file, match[1], match[2] or "", number)


def refused(block: Block) -> Iterator[Problem]:
    """Why a block is not allowed in own Terraform."""
    kind, labels, body = block.kind, block.labels, block.body
    written = f"{kind} {' '.join(labels)}".strip()
    if kind == "terraform":
        rule = "own Terraform must not have a block terraform: Tierra sets backend and versions"
        yield Problem(written, "", rule, "remove the block", block.line)
    elif kind == "provider" and "alias" not in body:
        rule = f"a provider must have an alias: the {labels[0]} without one is Tierra's"
        yield Problem(
            written, "", rule, f"give it an alias, and write provider = {labels[0]}.<alias>", block.line
        )
    elif kind == "variable" and "default" not in body:
        rule = "a variable must have a default: terraform runs without values of variables"
        yield Problem(written, "", rule, "write a default, or a local", block.line)
    elif kind == "data" and labels[0] == "terraform_remote_state":
        rule = (
            "own Terraform must not declare a state: Tierra declares those of its tiers where they are read"
        )
        remedy = (
            "for a tier: remove the block, and read data.terraform_remote_state.<tier>.outputs.<name>; for"
            " anything else: a data source of AWS, such as aws_ssm_parameter"
        )
        yield Problem(block.address, "", rule, remedy, block.line)
    elif kind not in (*TYPED, *NAMED, *PLAIN):
        yield Problem(
            written,
            "",
            f"a block must be one of Terraform's, and {short(kind)} is not",
            "correct it there",
            block.line,
        )
