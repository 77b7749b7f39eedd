"""Versions as numbers."""

from __future__ import annotations

import re


def numbers(version: object) -> tuple[int, ...]:
    """What versions are compared by: 1, 2, 3 of `1.2.3`, of `v1.2.3` and of `1.2.3+build`; empty for what is
    no release, such as 1.2.3-beta1."""
    match = re.fullmatch(r"v?(\d+(?:\.\d+)*)(?:\+.*)?", str(version))
    return tuple(int(part) for part in match[1].split(".")) if match else ()
