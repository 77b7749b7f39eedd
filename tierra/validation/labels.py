"""Names in the form of a DNS label, which AWS, Kubernetes and Helm all accept (RFC 1123, 2.1)."""

from __future__ import annotations

import re

from tierra.validation.model import rule_error

LONGEST = 63
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# What Helm, Kubernetes and Python's YAML read as a boolean or as nothing where it stands without quotes (YAML
# 1.1, https://yaml.org/type/bool.html and null.html).
NO_TEXT = ("yes", "no", "on", "off", "true", "false", "null")


def is_label(name: str, longest: int = LONGEST) -> bool:
    """Whether a name is lowercase letters, digits and inner hyphens, of at most so many characters."""
    return len(name) <= longest and bool(_LABEL.fullmatch(name))


def is_name(name: str, longest: int = LONGEST) -> bool:
    """Whether a name is a label that starts with a letter."""
    return is_label(name, longest) and name[0].isalpha()


def as_name(text: str, longest: int = LONGEST) -> str:
    """The name that is meant, for a remedy; empty when there is none."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).lstrip("-0123456789")[:longest].rstrip("-")


def is_text(name: str, suggestion: str) -> None:
    """Raises the error of a name that YAML reads as a value; `suggestion` is the name in the remedy."""
    if name in NO_TEXT:
        rule = "a name must not be yes, no, on, off, true, false or null: YAML reads them as values"
        raise rule_error(rule, f"write another name, such as {suggestion}")
