"""Kinds of values that several parts of a system share: commands, images, paths of requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from modules.section import fault

_LONGEST_PATH = 100


def _path(path: str) -> str:
    legal = r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+"
    if path == "/" or (len(path) <= _LONGEST_PATH and re.fullmatch(legal, path)):
        return path
    words = re.findall(r"[A-Za-z0-9._~-]+", re.sub(r"^[a-z]+://[^/]*", "", path))
    plain = "/" + "/".join(word.lstrip(".") for word in words if word.lstrip("."))
    raise fault(
        "a path starts with a slash, does not end with one, and is made of letters, digits and . _ ~ -",
        f"write {plain[:_LONGEST_PATH].rstrip('/') or '/'}",
    )


def prefixes(path: str) -> Iterator[str]:
    """The path and every path above it, segment by segment: `/a/b`, `/a` and `/`."""
    parts = path.strip("/").split("/") if path != "/" else []
    for length in range(len(parts), -1, -1):
        yield "/" + "/".join(parts[:length])


def _word(word: str) -> str:
    if not word or "\0" in word:
        raise fault("a command is made of words, and none of them is empty", "remove it")
    return word


_HOST = r"[a-z0-9]+([.-][a-z0-9]+)*(:[0-9]{1,5})?"
_NAME = rf"(?:{_HOST}/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
_IMAGE = re.compile(
    rf"(?P<name>{_NAME})(:(?P<tag>[\w][\w.-]{{0,127}}))?(?P<digest>@sha256:[0-9a-f]{{64}})?", re.A
)


def _image(image: str) -> str:
    found = _IMAGE.fullmatch(image)
    if not found:
        rule = "an image is written registry/name:tag, or registry/name@sha256: and its digest"
        raise fault(rule, "write it like public.ecr.aws/nginx/nginx-unprivileged:1.29.1")
    if not found["digest"] and found["tag"] in (None, "latest"):
        rule = "an image is named by a digest or by a tag other than latest, so that every pod runs the same"
        raise fault(rule, f"write {found['name']}: and a version, or {found['name']}@sha256: and its digest")
    return image


UrlPath = Annotated[
    str,
    AfterValidator(_path),
    WithJsonSchema({"type": "string", "pattern": "^/([^/].*)?$", "examples": ["/orders"]}),
]
Command = Annotated[
    tuple[Annotated[str, AfterValidator(_word)], ...], Field(strict=False, examples=[["python", "serve.py"]])
]
Image = Annotated[
    str,
    AfterValidator(_image),
    WithJsonSchema({"type": "string", "examples": ["public.ecr.aws/nginx/nginx-unprivileged:1.29.1"]}),
]
