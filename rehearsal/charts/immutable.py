"""Immutable fields of Kubernetes: an upgrade that changes one fails unless the object is deleted first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rehearsal.charts.kinds import ACCESS, APPS, BATCH, SCHEDULING
from rehearsal.charts.manifests import Thing, mapping, sequence
from rehearsal.charts.names import RBAC
from rehearsal.charts.quantities import quantity
from rehearsal.charts.violations import CORE, Flaw, Flaws

STORAGE = "Kubernetes, pkg/apis/storage/validation/validation.go"
SAYS = "field is immutable"


def _same(was: Any, now: Any) -> bool:
    return bool(_bare(was) == _bare(now))


def _bare(value: Any) -> Any:
    """A value without its empty parts, which mean the same as missing ones."""
    if isinstance(value, dict):
        members = {key: _bare(member) for key, member in value.items()}
        return {key: member for key, member in members.items() if member not in (None, {}, [], "")}
    return [_bare(member) for member in value] if isinstance(value, list) else value


def _differing(was: Any, now: Any, keys: tuple[str, ...], path: str, source: str) -> Flaws:
    for key in keys:
        if not _same(mapping(was).get(key), mapping(now).get(key)):
            yield Flaw(f"{path}{key}", SAYS, source)


def _selector(was: Thing, now: Thing) -> Flaws:
    yield from _differing(was.spec, now.spec, ("selector",), "spec.", APPS)


def _stateful(was: Thing, now: Thing) -> Flaws:
    message = (
        "cannot change: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template',"
        " 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and"
        " 'minReadySeconds' are forbidden"
    )
    for key in ("selector", "serviceName", "podManagementPolicy"):
        before, after = was.spec.get(key), now.spec.get(key)
        if key == "podManagementPolicy":
            before, after = before or "OrderedReady", after or "OrderedReady"
        if not _same(before, after):
            yield Flaw(f"spec.{key}", message, APPS)
    if _claims(was) != _claims(now):
        yield Flaw("spec.volumeClaimTemplates", message, APPS)


def _claims(thing: Thing) -> list[Any]:
    claims = []
    for claim in sequence(thing.spec.get("volumeClaimTemplates")):
        spec = mapping(mapping(claim).get("spec"))
        requests = mapping(mapping(spec.get("resources")).get("requests"))
        size = quantity(requests.get("storage"))
        name = mapping(mapping(claim).get("metadata")).get("name")
        claims.append([name, size, spec.get("storageClassName"), spec.get("accessModes")])
    return claims


def _service(was: Thing, now: Thing) -> Flaws:
    before, after = was.spec.get("clusterIP"), now.spec.get("clusterIP")
    if after and before != after and "ExternalName" not in (was.spec.get("type"), now.spec.get("type")):
        yield Flaw("spec.clusterIPs[0]", "may not change once set", CORE)


def _job(was: Thing, now: Thing) -> Flaws:
    if was.spec.get("suspend") is True:
        return
    keys = ("template", "selector", "completionMode")
    yield from _differing(was.spec, now.spec, keys, "spec.", BATCH)
    if now.spec.get("completionMode") != "Indexed":
        yield from _differing(was.spec, now.spec, ("completions",), "spec.", BATCH)


def _claim(was: Thing, now: Thing) -> Flaws:
    yield from _differing(was.spec, now.spec, ("accessModes", "selector", "volumeMode"), "spec.", CORE)
    for key in ("storageClassName", "volumeName"):  # which the server may have filled in
        if was.spec.get(key) and now.spec.get(key) and was.spec[key] != now.spec[key]:
            yield Flaw(f"spec.{key}", SAYS, CORE)
    before, after = (
        quantity(mapping(mapping(spec.spec.get("resources")).get("requests")).get("storage"))
        for spec in (was, now)
    )
    if before is not None and after is not None and after < before:
        yield Flaw("spec.resources.requests.storage", "can not be less than before", CORE)


def _class(was: Thing, now: Thing) -> Flaws:
    yield from _differing(was.body, now.body, ("provisioner", "parameters"), "", STORAGE)
    for key, default in (("reclaimPolicy", "Delete"), ("volumeBindingMode", "Immediate")):
        if (was.body.get(key) or default) != (now.body.get(key) or default):
            yield Flaw(key, SAYS, STORAGE)


def _priority(was: Thing, now: Thing) -> Flaws:
    if was.body.get("value", 0) != now.body.get("value", 0):
        yield Flaw("value", "may not be changed in an update", SCHEDULING)
    default = "PreemptLowerPriority"
    if (was.body.get("preemptionPolicy") or default) != (now.body.get("preemptionPolicy") or default):
        yield Flaw("preemptionPolicy", "may not be changed in an update", SCHEDULING)


def _data(was: Thing, now: Thing) -> Flaws:
    if was.kind == "Secret" and (was.body.get("type") or "Opaque") != (now.body.get("type") or "Opaque"):
        yield Flaw("type", SAYS, CORE)
    if was.body.get("immutable") is True:
        if now.body.get("immutable") is not True:
            yield Flaw("immutable", "field is immutable when it is set", CORE)
        for key in ("data", "binaryData", "stringData"):
            if not _same(was.body.get(key), now.body.get(key)):
                yield Flaw(key, "field is immutable when `immutable` is set", CORE)


def _role(was: Thing, now: Thing) -> Flaws:
    before, after = mapping(was.body.get("roleRef")), mapping(now.body.get("roleRef"))
    if (before.get("kind"), before.get("name")) != (after.get("kind"), after.get("name")):
        yield Flaw("roleRef", "cannot change roleRef", ACCESS)


_RULES: dict[tuple[str, str], Callable[[Thing, Thing], Flaws]] = {
    **{("apps", kind): _selector for kind in ("Deployment", "ReplicaSet", "DaemonSet")},
    ("apps", "StatefulSet"): _stateful,
    ("", "Service"): _service,
    ("batch", "Job"): _job,
    ("", "PersistentVolumeClaim"): _claim,
    ("storage.k8s.io", "StorageClass"): _class,
    ("scheduling.k8s.io", "PriorityClass"): _priority,
    ("", "ConfigMap"): _data,
    ("", "Secret"): _data,
    (RBAC, "RoleBinding"): _role,
    (RBAC, "ClusterRoleBinding"): _role,
}


def changes(was: Thing, now: Thing) -> Flaws:
    """The immutable fields that an upgrade from one object to the other would change."""
    rule = _RULES.get((now.group, now.kind))
    if rule:
        yield from rule(was, now)
