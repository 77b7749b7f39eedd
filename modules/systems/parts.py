"""Types of values that several keys of a system share: request paths, commands, images, variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from tierra.validation.messages import secret
from tierra.validation.model import rule_error


def _path(path: str) -> str:
    if path == "/" or (len(path) <= 100 and re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", path)):
        return path
    words = re.findall(r"[A-Za-z0-9._~-]+", re.sub(r"^[a-z]+://[^/]*", "", path))
    plain = "/" + "/".join(word.lstrip(".") for word in words if word.lstrip("."))
    raise rule_error(
        "a path must start with a slash, not end with one, and consist of letters, digits and . _ ~ -",
        f"write {plain[:100].rstrip('/') or '/'}",
    )


def prefixes(path: str) -> Iterator[str]:
    """The path and every path above it, segment by segment: `/a/b`, `/a` and `/`."""
    parts = path.strip("/").split("/") if path != "/" else []
    for length in range(len(parts), -1, -1):
        yield "/" + "/".join(parts[:length])


_HOST = r"[a-z0-9]+([.-][a-z0-9]+)*(:[0-9]{1,5})?"
_PART = r"[a-z0-9]+([._-]+[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?P<name>({_HOST}/)?{_PART}(/{_PART})*)(:(?P<tag>\w[\w.-]{{0,127}}))?(?P<digest>@sha256:[0-9a-f]{{64}})?",
    re.A,
)


def _image(image: str) -> str:
    match = _IMAGE.fullmatch(image) if len(image) <= 400 else None
    if not match:
        rule = "an image must be registry/name:tag, or registry/name@sha256: and its digest"
        raise rule_error(rule, "write it like public.ecr.aws/nginx/nginx-unprivileged:1.29.1")
    if not match["digest"] and match["tag"] in (None, "latest"):
        rule = "an image must have a digest or a tag other than latest, so that every pod runs the same"
        raise rule_error(rule, f"write {match['name']}: and the tag of a version")
    return image


VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
VARIABLE_RULE = "the name of a variable must be at most 100 letters, digits and underscores, no digit first"


def plain_variable(name: str) -> str:
    """The remedy for a name that is no valid variable."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_").lstrip("0123456789_")[:100].upper()
    return f"write {plain}" if plain else "write a name such as LOG_LEVEL"


def _variable(name: str) -> str:
    if not VARIABLE.fullmatch(name):
        raise rule_error(VARIABLE_RULE, plain_variable(name))
    if secret((name,)):
        rule = "a variable must not be a secret, because plans show it; this one sounds like one"
        raise rule_error(rule, "remove the line, or choose another name")
    return name


def _folder(folder: str) -> str:
    if folder == "." or re.fullmatch(
        r"(?!\.\.?(/|$))[A-Za-z0-9._-]+(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)*", folder
    ):
        return folder
    parts = [part for part in re.findall(r"[A-Za-z0-9._-]+", folder) if part.strip(".")]
    raise rule_error(
        "a folder must be a path below the root of the repository, of letters, digits and . _ -",
        f"write {'/'.join(parts) or '.'}",
    )


Folder = Annotated[
    str, AfterValidator(_folder), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9._/-]+$"})
]
UrlPath = Annotated[
    str,
    AfterValidator(_path),
    WithJsonSchema({"type": "string", "pattern": "^/([^/].*)?$", "examples": ["/orders"]}),
]
Command = Annotated[tuple[str, ...], Field(strict=False)]
Image = Annotated[
    str,
    AfterValidator(_image),
    WithJsonSchema({"type": "string", "examples": ["public.ecr.aws/nginx/nginx-unprivileged:1.29.1"]}),
]
VariableName = Annotated[str, AfterValidator(_variable)]
