"""How a system is called in addresses of Terraform."""

from __future__ import annotations


def slug(name: str) -> str:
    """The name with underscores: no two systems share one, for their names have none."""
    return name.replace("-", "_")
