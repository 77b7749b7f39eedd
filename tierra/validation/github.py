"""A repository on GitHub, as the tokens of its workflows name it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from tierra.validation.model import rule_error

_OWNER = r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}"
_NAME = r"[A-Za-z0-9._-]{1,100}"
_NAMED = rf"{_OWNER}/{_NAME}"
# Since July 2026 tokens of new repositories carry the numbers of owner and repository beside their names, so
# so that a new owner of a name does not take over its trust:
# https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
_NUMBERED = rf"{_OWNER}@[1-9][0-9]*/{_NAME}@[1-9][0-9]*"


def plain(repository: str) -> str:
    """`acme/shop` of `acme@12/shop@34`: the numbers are in tokens, not in addresses."""
    return re.sub(r"@[0-9]+", "", repository)


def _repository(text: str) -> str:
    rule = "a repository must be owner/name, or owner@number/name@number if its tokens contain numbers"
    name = re.sub(r"@[0-9]*$", "", text.rpartition("/")[2])
    if re.fullmatch(f"{_NAMED}|{_NUMBERED}", text) and name not in (".", "..") and not name.endswith(".git"):
        return text
    if "*" in text or "?" in text:
        raise rule_error(
            "trust must name one repository: a pattern would let others in", "write its name in full"
        )
    plain = re.sub(r"^(?:https?://|ssh://)?(?:git@)?github\.com[:/]", "", text.strip())
    plain = re.sub(r"(?:\.git)?/*$", "", plain)
    raise rule_error(rule, f"write {plain}" if re.fullmatch(_NAMED, plain) else "write it like acme/platform")


Repository = Annotated[
    str,
    AfterValidator(_repository),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[A-Za-z0-9-]+(@[0-9]+)?/[A-Za-z0-9._-]+(@[0-9]+)?$",
            "examples": ["acme/platform", "acme@123456/platform@456789"],
        }
    ),
]
