"""A plan that changes one resource of own Terraform."""

from __future__ import annotations

from typing import Any


def change(address: str, **more: Any) -> dict[str, Any]:
    kind, name = address.split("[")[0].split(".")[-2:]
    body = {"actions": ["create"], "before": None, "after": {"name": "jobs"}, "after_unknown": {}}
    return {"address": address, "mode": "managed", "type": kind, "name": name, "change": body, **more}
