"""The values that a refresh-only plan found changed, one by one, and which of them nobody need hear about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from modules.wording import secret, shown

MASKED = "(sensitive)"
WHOLE = ""  # the attribute of a resource that is gone as a whole

# What AWS changes by itself, in the ordinary course of things. A test holds every name against the schema:
# none can be set, so nobody can have changed one by hand.
VOLATILE: Mapping[str, frozenset[str]] = {
    "aws_acm_certificate": frozenset(
        {"not_after", "not_before", "pending_renewal", "renewal_eligibility", "renewal_summary"}
    ),
    "aws_backup_vault": frozenset({"recovery_points"}),
    "aws_db_instance": frozenset({"engine_version_actual", "latest_restorable_time", "replicas", "status"}),
    "aws_docdb_cluster_instance": frozenset({"writer"}),
    "aws_eks_addon": frozenset({"modified_at"}),
    "aws_eks_cluster": frozenset({"platform_version", "status"}),
    "aws_eks_node_group": frozenset({"resources", "status"}),
    "aws_elasticache_replication_group": frozenset({"engine_version_actual", "member_clusters"}),
    "aws_lb_target_group": frozenset({"load_balancer_arns"}),
    "aws_wafv2_web_acl": frozenset({"lock_token"}),
}


@dataclass(frozen=True)
class Difference:
    """One value: `was` in the state, `is_` in AWS. Text, short, and masked where it is sensitive."""

    address: str
    type: str
    name: str
    attribute: str
    was: str
    is_: str

    def shown(self) -> dict[str, str]:
        """As it stands in the report."""
        said = asdict(self)
        return {key: said[key] for key in ("address", "attribute", "was")} | {"is": self.is_}


def differences(plan: Mapping[str, Any]) -> Iterator[Difference]:
    """Everything that a refresh-only plan, in terraform's JSON, found changed outside of terraform."""
    for each in plan.get("resource_drift", []):
        change = each["change"]
        place = (each["address"], each["type"], each["name"])
        if change["after"] is None:
            yield Difference(*place, WHOLE, "there", "deleted")
            continue
        for attribute, (was, is_) in differing(change):
            yield Difference(*place, attribute, was, is_)


def differing(change: Mapping[str, Any]) -> list[tuple[str, tuple[str, str]]]:
    """Every attribute that a change in terraform's JSON touches, with its text before and after; `tags_all`
    only where it says more than `tags`."""
    masks = (change.get("before_sensitive"), change.get("after_sensitive"))
    changed = dict(_changed("", change["before"], change["after"], masks))
    twins = {f"tags_all{path.removeprefix('tags')}" for path in changed if re.match(r"tags(\.|$)", path)}
    return [(path, texts) for path, texts in changed.items() if path not in twins]


def left_alone(difference: Difference, resources: Mapping[str, Any]) -> bool:
    """Whether a difference does not count: AWS makes it, or the configuration ignores such changes."""
    attribute = difference.attribute
    if attribute == WHOLE:
        return False
    if re.split(r"[.\[]", attribute)[0] in VOLATILE.get(difference.type, ()):
        return True
    configured = resources.get(difference.type, {}).get(difference.name, {})
    ignored = configured.get("lifecycle", {}).get("ignore_changes", [])
    return ignored == "all" or any(_inside(attribute, each) for each in ignored)


def _inside(attribute: str, ignored: str) -> bool:
    """Whether a value is what `ignore_changes` names, or lies below it; `["a"]`, `[0]` and `.a` are one."""
    path, above = ([part for part in re.split(r"[.\[\]\"]+", each) if part] for each in (attribute, ignored))
    return path[: len(above)] == above


def _changed(path: str, was: Any, is_: Any, masks: tuple[Any, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Path and both texts of every value that differs. Lists of unequal length are one value."""
    if was == is_ or (_empty(was) and _empty(is_)):
        return
    if True in masks or (path and secret(tuple(path.split(".")))):
        yield path, (MASKED, MASKED)
    elif isinstance(was, dict) and isinstance(is_, dict):
        for key in sorted(was.keys() | is_.keys()):
            below = f"{path}.{key}" if path else key
            yield from _changed(
                below, was.get(key), is_.get(key), (_mask(masks[0], key), _mask(masks[1], key))
            )
    elif _objects(was) and _objects(is_) and len(was) == len(is_):
        for index, (one, other) in enumerate(zip(was, is_, strict=True)):
            inner = (_mask(masks[0], index), _mask(masks[1], index))
            yield from _changed(f"{path}[{index}]", one, other, inner)
    elif _holds_mask(masks[0]) or _holds_mask(masks[1]):
        yield path, (MASKED, MASKED)
    else:
        yield path, (shown(was), shown(is_))


def _mask(mask: Any, key: str | int) -> Any:
    """What terraform says about the value below a key: True, or more of the same."""
    if isinstance(mask, dict):
        return mask.get(str(key), False)
    if isinstance(mask, list) and isinstance(key, int):
        return mask[key] if key < len(mask) else False
    return mask


def _holds_mask(mask: Any) -> bool:
    if isinstance(mask, dict):
        return any(map(_holds_mask, mask.values()))
    return any(map(_holds_mask, mask)) if isinstance(mask, list) else mask is True


def _objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict) for each in value)


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
