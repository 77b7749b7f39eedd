"""What Kubernetes refuses in objects of single kinds, beyond their schemas."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from rehearsal.charts.manifests import Thing, mapping, sequence
from rehearsal.charts.names import RBAC, config_key, number_or_name, port, subdomain
from rehearsal.charts.pods import template
from rehearsal.charts.quantities import quantity
from rehearsal.charts.violations import CORE, Flaw, Flaws, choice

APPS = "Kubernetes, pkg/apis/apps/validation/validation.go"
BATCH = "Kubernetes, pkg/apis/batch/validation/validation.go"
SCALING = "Kubernetes, pkg/apis/autoscaling/validation/validation.go"
NETWORKING = "Kubernetes, pkg/apis/networking/validation/validation.go"
POLICY = "Kubernetes, pkg/apis/policy/validation/validation.go"
ACCESS = "Kubernetes, pkg/apis/rbac/validation/validation.go"
SCHEDULING = "Kubernetes, pkg/apis/scheduling/validation/validation.go"
SECURITY = "k8s.io/pod-security-admission, api/helpers.go"
_LEVELS = ("privileged", "baseline", "restricted")
_OURS = ("system-cluster-critical", "system-node-critical")


def matches(selector: Any, labels: dict[str, Any]) -> bool:
    """Whether a label selector matches these labels. An unknown operator matches all."""
    given = mapping(selector)
    if any(labels.get(key) != value for key, value in mapping(given.get("matchLabels")).items()):
        return False
    for expression in map(mapping, sequence(given.get("matchExpressions"))):
        key, values = str(expression.get("key")), sequence(expression.get("values"))
        fits = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not fits.get(str(expression.get("operator")), True):
            return False
    return True


def _workload(thing: Thing) -> Flaws:
    selector = mapping(thing.spec.get("selector"))
    labels = mapping(mapping(template(thing).get("metadata")).get("labels"))
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        if "selector" in thing.spec:
            yield Flaw("spec.selector", "must select something: an empty selector is invalid", APPS)
    elif template(thing) and not matches(selector, labels):
        wanted = _pairs(selector.get("matchLabels"))
        message = f"selector does not match template labels: {wanted} against {_pairs(labels)}"
        yield Flaw("spec.template.metadata.labels", message, APPS)
    yield from _counts(thing, APPS, "replicas", "minReadySeconds", "revisionHistoryLimit")
    strategy, update = mapping(thing.spec.get("strategy")), mapping(thing.spec.get("updateStrategy"))
    yield from choice(strategy.get("type"), "Recreate RollingUpdate", "spec.strategy.type", APPS)
    yield from choice(update.get("type"), "OnDelete RollingUpdate", "spec.updateStrategy.type", APPS)
    order = "spec.podManagementPolicy"
    yield from choice(thing.spec.get("podManagementPolicy"), "OrderedReady Parallel", order, APPS)
    rolling = mapping(strategy.get("rollingUpdate"))
    if strategy.get("type") == "Recreate" and rolling:
        yield Flaw("spec.strategy.rollingUpdate", "must not be set when the type is Recreate", APPS)
    if rolling and all(rolling.get(key) in (0, "0", "0%") for key in ("maxSurge", "maxUnavailable")):
        message = "must not be 0 when maxSurge is 0"
        yield Flaw("spec.strategy.rollingUpdate.maxUnavailable", message, APPS)
    ready, deadline = thing.spec.get("minReadySeconds", 0), thing.spec.get("progressDeadlineSeconds", 600)
    if (
        isinstance(ready, int)
        and isinstance(deadline, int)
        and thing.kind == "Deployment"
        and deadline <= ready
    ):
        message = f"must be greater than minReadySeconds ({ready}), got {deadline}"
        yield Flaw("spec.progressDeadlineSeconds", message, APPS)


def _counts(thing: Thing, source: str, *keys: str) -> Flaws:
    for key in keys:
        value = thing.spec.get(key)
        if isinstance(value, int) and value < 0:
            yield Flaw(f"spec.{key}", f"must be greater than or equal to 0, got {value}", source)


def _pairs(value: Any) -> str:
    return ", ".join(f"{key}={text}" for key, text in mapping(value).items()) or "none"


def _job(thing: Thing) -> Flaws:
    yield from _counts(
        thing,
        BATCH,
        "backoffLimit",
        "completions",
        "parallelism",
        "activeDeadlineSeconds",
        "ttlSecondsAfterFinished",
    )


def _cron(thing: Thing) -> Flaws:
    schedule = thing.spec.get("schedule")
    if isinstance(schedule, str) and (words := _schedule(schedule)):
        yield Flaw("spec.schedule", words, BATCH)
    policy = "spec.concurrencyPolicy"
    yield from choice(thing.spec.get("concurrencyPolicy"), "Allow Forbid Replace", policy, BATCH)
    yield from _counts(
        thing, BATCH, "startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"
    )


_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)


def _schedule(text: str) -> str:
    if "TZ" in text:
        return f"must not name a time zone, got {text!r}: spec.timeZone does"
    if text.startswith("@"):
        named = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
        fits = text in named or text.startswith("@every ")
        return "" if fits else f"must be a schedule of cron, got {text!r}"
    fields = text.split()
    if len(fields) != 5:
        return f"must be a schedule of five fields, such as 0 3 * * *, got {text!r}"
    for field, (name, low, high) in zip(fields, _FIELDS, strict=True):
        numbers = re.sub(r"/\d+", "", field)
        for number in re.findall(r"\d+", numbers):
            if not low <= int(number) <= high:
                return f"must be a schedule whose {name} is {low} to {high}, got {field}"
        if not re.fullmatch(r"[-*?,/\dA-Za-z]+", field):
            return f"must be a schedule of cron, got {text!r}"
    return ""


def _service(thing: Thing) -> Flaws:
    spec, ports = thing.spec, [mapping(port) for port in sequence(thing.spec.get("ports"))]
    type_ = spec.get("type") or "ClusterIP"
    yield from choice(type_, "ClusterIP ExternalName LoadBalancer NodePort", "spec.type")
    yield from choice(spec.get("sessionAffinity"), "ClientIP None", "spec.sessionAffinity")
    for traffic in ("externalTrafficPolicy", "internalTrafficPolicy"):
        yield from choice(spec.get(traffic), "Cluster Local", f"spec.{traffic}")
    if type_ == "ExternalName":
        if not spec.get("externalName"):
            yield Flaw("spec.externalName", "is required for a service of type ExternalName", CORE)
    elif not ports and spec.get("clusterIP") != "None":
        yield Flaw("spec.ports", "is required", CORE)
    names: set[Any] = set()
    pairs: set[Any] = set()
    for index, member in enumerate(ports):
        path = f"spec.ports[{index}]"
        if words := port(member.get("port")):
            yield Flaw(f"{path}.port", words, CORE)
        if "targetPort" in member and (words := number_or_name(member["targetPort"])):
            yield Flaw(f"{path}.targetPort", words, CORE)
        if len(ports) > 1 and not member.get("name"):
            yield Flaw(f"{path}.name", "is required where a service has several ports", CORE)
        yield from choice(member.get("protocol"), "TCP UDP SCTP", f"{path}.protocol")
        pair = (member.get("port"), member.get("protocol") or "TCP")
        if member.get("name") and member["name"] in names:
            yield Flaw(f"{path}.name", f"the name {member['name']} is there twice", CORE)
        if pair in pairs:
            yield Flaw(path, f"port {pair[0]} of {pair[1]} is there twice", CORE)
        names.add(member.get("name"))
        pairs.add(pair)
        if type_ == "ClusterIP" and member.get("nodePort"):
            yield Flaw(f"{path}.nodePort", "must not be set for a service of type ClusterIP", CORE)
    address = spec.get("clusterIP")
    if isinstance(address, str) and address not in ("", "None") and not _is_address(address):
        yield Flaw("spec.clusterIP", f"must be None or an IP address, got {address!r}", CORE)
    for index, source_range in enumerate(sequence(spec.get("loadBalancerSourceRanges"))):
        if isinstance(source_range, str) and not _is_range(source_range.strip()):
            yield Flaw(
                f"spec.loadBalancerSourceRanges[{index}]", f"must be a CIDR block, got {source_range!r}", CORE
            )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(
            re.fullmatch(r"0*\d{1,3}(\.0*\d{1,3}){3}", text)
        )  # leading zeros, which Go used to accept
    return True


def _is_range(text: str) -> bool:
    address, _, bits = text.partition("/")
    most = 128 if ":" in address else 32
    return _is_address(address) and bits.isdecimal() and int(bits) <= most


def _ingress(thing: Thing) -> Flaws:
    rules = [mapping(rule) for rule in sequence(thing.spec.get("rules"))]
    if not rules and not thing.spec.get("defaultBackend"):
        yield Flaw("spec", "must have rules or a defaultBackend", NETWORKING)
    for index, rule in enumerate(rules):
        host = rule.get("host")
        if isinstance(host, str) and host:
            if _is_address(host):
                yield Flaw(
                    f"spec.rules[{index}].host", f"must be a DNS name, not an IP address: {host}", NETWORKING
                )
            elif words := subdomain(host.removeprefix("*.")):
                yield Flaw(f"spec.rules[{index}].host", words, NETWORKING)
        for number, path_ in enumerate(sequence(mapping(rule.get("http")).get("paths"))):
            path = f"spec.rules[{index}].http.paths[{number}]"
            given, kind = mapping(path_), mapping(path_).get("pathType")
            text = given.get("path") or ""
            if kind in ("Exact", "Prefix") and isinstance(text, str):
                bad = next((part for part in ("//", "/./", "/../", "%2f", "%2F") if part in text), "")
                if not text.startswith("/"):
                    yield Flaw(f"{path}.path", f"must be an absolute path, got {text!r}", NETWORKING)
                elif bad or text.endswith(("/..", "/.")):
                    yield Flaw(f"{path}.path", f"must not contain {bad or '/..'}, got {text!r}", NETWORKING)
            elif kind and kind not in ("Exact", "Prefix", "ImplementationSpecific"):
                message = f"must be Exact, ImplementationSpecific or Prefix, got {kind!r}"
                yield Flaw(f"{path}.pathType", message, NETWORKING)
            yield from _backend(given.get("backend"), f"{path}.backend")
    if thing.spec.get("defaultBackend"):
        yield from _backend(thing.spec["defaultBackend"], "spec.defaultBackend")
    for index, tls in enumerate(sequence(thing.spec.get("tls"))):
        for host in sequence(mapping(tls).get("hosts")):
            if isinstance(host, str) and (words := subdomain(host.removeprefix("*."))):
                yield Flaw(f"spec.tls[{index}].hosts", words, NETWORKING)


def _backend(value: Any, path: str) -> Flaws:
    given = mapping(value)
    service = mapping(given.get("service"))
    if bool(service) == bool(given.get("resource")):
        if isinstance(value, dict):
            yield Flaw(path, "must have a service or a resource", NETWORKING)
        return
    if service:
        target = mapping(service.get("port"))
        if bool(target.get("name")) == bool(target.get("number")):
            yield Flaw(f"{path}.service.port", "must have a name or a number", NETWORKING)
        if target.get("number") and (words := port(target["number"])):
            yield Flaw(f"{path}.service.port.number", words, NETWORKING)


def _network_policy(thing: Thing) -> Flaws:
    for side, others in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(sequence(thing.spec.get(side))):
            for number, peer in enumerate(sequence(mapping(rule).get(others))):
                yield from _peer(mapping(peer), f"spec.{side}[{index}].{others}[{number}]")
            for number, port_ in enumerate(sequence(mapping(rule).get("ports"))):
                given, path = mapping(port_), f"spec.{side}[{index}].ports[{number}]"
                yield from choice(given.get("protocol"), "TCP UDP SCTP", f"{path}.protocol", NETWORKING)
                if given.get("port") is not None and (words := number_or_name(given["port"])):
                    yield Flaw(f"{path}.port", words, NETWORKING)
                end, begin = given.get("endPort"), given.get("port")
                if isinstance(end, int) and (not isinstance(begin, int) or end < begin):
                    message = f"must be a number not below port ({begin}), got {end}"
                    yield Flaw(f"{path}.endPort", message, NETWORKING)
    for index, policy_type in enumerate(sequence(thing.spec.get("policyTypes"))):
        if policy_type not in ("Ingress", "Egress"):
            yield Flaw(
                f"spec.policyTypes[{index}]", f"must be Ingress or Egress, got {policy_type!r}", NETWORKING
            )


def _peer(given: dict[str, Any], path: str) -> Flaws:
    block = given.get("ipBlock")
    if not any(key in given for key in ("ipBlock", "podSelector", "namespaceSelector")):
        yield Flaw(path, "must have an ipBlock, a podSelector or a namespaceSelector", NETWORKING)
    if not isinstance(block, dict):
        return
    if given.get("podSelector") is not None or given.get("namespaceSelector") is not None:
        yield Flaw(path, "ipBlock excludes podSelector and namespaceSelector", NETWORKING)
    cidr = block.get("cidr")
    if isinstance(cidr, str) and not _is_range(cidr):
        yield Flaw(f"{path}.ipBlock.cidr", f"must be a CIDR block, got {cidr!r}", NETWORKING)
        return
    for index, excluded in enumerate(sequence(block.get("except"))):
        where = f"{path}.ipBlock.except[{index}]"
        if not isinstance(excluded, str) or not _is_range(excluded):
            yield Flaw(where, f"must be a CIDR block, got {excluded!r}", NETWORKING)
            continue
        outer, inner = _network(cidr), _network(excluded)
        if outer and inner and not _inside(inner, outer):
            yield Flaw(where, f"must be a strict subset of {cidr}, got {excluded}", NETWORKING)


def _inside(inner: Any, outer: Any) -> bool:
    return inner.version == outer.version and inner != outer and bool(inner.subnet_of(outer))


def _network(text: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _scaler(thing: Thing) -> Flaws:
    least, most = thing.spec.get("minReplicas", 1), thing.spec.get("maxReplicas")
    if isinstance(least, int) and least < 0:
        yield Flaw("spec.minReplicas", f"must be greater than or equal to 1, got {least}", SCALING)
    if isinstance(most, int) and most < 1:
        yield Flaw("spec.maxReplicas", f"must be greater than 0, got {most}", SCALING)
    elif isinstance(least, int) and isinstance(most, int) and most < least:
        yield Flaw("spec.maxReplicas", f"must not be below minReplicas ({least}), got {most}", SCALING)
    for index, metric in enumerate(sequence(thing.spec.get("metrics"))):
        for source in ("resource", "containerResource"):
            target = mapping(mapping(mapping(metric).get(source)).get("target"))
            share = target.get("averageUtilization")
            if isinstance(share, int) and share < 1:
                path = f"spec.metrics[{index}].{source}.target.averageUtilization"
                yield Flaw(path, f"must be greater than 0, got {share}", SCALING)


def _budget(thing: Thing) -> Flaws:
    given = [key for key in ("minAvailable", "maxUnavailable") if thing.spec.get(key) is not None]
    if len(given) > 1:
        yield Flaw("spec", "minAvailable and maxUnavailable cannot be both set", POLICY)
    for key in given:
        value = thing.spec[key]
        if isinstance(value, str) and not re.fullmatch(r"\d{1,3}%", value):
            yield Flaw(
                f"spec.{key}", f"must be an integer or a percentage such as 50%, got {value!r}", POLICY
            )
        elif isinstance(value, int) and value < 0:
            yield Flaw(f"spec.{key}", f"must be greater than or equal to 0, got {value}", POLICY)


def _priority(thing: Thing) -> Flaws:
    value = thing.body.get("value")
    if thing.name.startswith("system-") and thing.name not in _OURS:
        message = f"names that begin with system- are reserved, got {thing.name}"
        yield Flaw("metadata.name", message, SCHEDULING)
    elif isinstance(value, int) and value > 1_000_000_000:
        yield Flaw("value", f"must be at most 1000000000, got {value}", SCHEDULING)


def _keys(thing: Thing) -> Flaws:
    size = 0
    for part in ("data", "binaryData", "stringData"):
        for key, value in mapping(thing.body.get(part)).items():
            size += len(value.encode()) if isinstance(value, str) else 0
            if words := config_key(str(key)):
                yield Flaw(f"{part}.{key}", words, CORE)
    if size > 1_398_104 or (
        thing.kind == "ConfigMap" and size > 1_048_576 and "binaryData" not in thing.body
    ):
        yield Flaw("data", f"must have at most 1048576 bytes, got {size}", CORE)
    if thing.kind == "Secret" and thing.body.get("type") == "kubernetes.io/tls":
        given = {**mapping(thing.body.get("data")), **mapping(thing.body.get("stringData"))}
        for key in ("tls.crt", "tls.key"):
            if key not in given:
                yield Flaw(f"data[{key}]", "is required in a Secret of type kubernetes.io/tls", CORE)


def _role(thing: Thing) -> Flaws:
    for index, member in enumerate(sequence(thing.body.get("rules"))):
        rule, path = mapping(member), f"rules[{index}]"
        if not rule.get("verbs"):
            yield Flaw(f"{path}.verbs", "must have at least one verb", ACCESS)
        if rule.get("nonResourceURLs"):
            if thing.kind == "Role":
                yield Flaw(f"{path}.nonResourceURLs", "cannot be in a Role, only in a ClusterRole", ACCESS)
            continue
        for key in ("apiGroups", "resources"):
            if not rule.get(key):
                yield Flaw(f"{path}.{key}", "must have at least one member", ACCESS)


def _binding(thing: Thing) -> Flaws:
    kind = mapping(thing.body.get("roleRef")).get("kind")
    wide = thing.kind == "ClusterRoleBinding"
    allowed = ("ClusterRole",) if wide else ("Role", "ClusterRole")
    if kind and kind not in allowed:
        yield Flaw("roleRef.kind", f"must be {' or '.join(allowed)}, got {kind}", ACCESS)
    for index, subject in enumerate(sequence(thing.body.get("subjects"))):
        given, path = mapping(subject), f"subjects[{index}]"
        if given.get("kind") not in ("User", "Group", "ServiceAccount"):
            yield Flaw(
                f"{path}.kind", f"must be User, Group or ServiceAccount, got {given.get('kind')!r}", ACCESS
            )
        elif given["kind"] == "ServiceAccount" and not given.get("namespace") and wide:
            yield Flaw(f"{path}.namespace", "is required for a ServiceAccount", ACCESS)


def _claim(thing: Thing) -> Flaws:
    if not thing.spec.get("accessModes"):
        yield Flaw("spec.accessModes", "must have at least one access mode", CORE)
    size = mapping(mapping(thing.spec.get("resources")).get("requests")).get("storage")
    amount = quantity(size)
    if size is None or (amount is not None and amount <= 0):
        yield Flaw("spec.resources.requests.storage", f"must be greater than 0, got {size}", CORE)


def _namespace(thing: Thing) -> Flaws:
    for key, value in mapping(thing.metadata.get("labels")).items():
        mode = re.fullmatch(r"pod-security\.kubernetes\.io/(enforce|audit|warn)(-version)?", str(key))
        if not mode or not isinstance(value, str):
            continue
        if mode[2] and not re.fullmatch(r"latest|v1\.\d+", value):
            yield Flaw(
                f"metadata.labels.{key}",
                f"must be latest or a version such as v1.36, got {value!r}",
                SECURITY,
            )
        elif not mode[2] and value not in _LEVELS:
            yield Flaw(
                f"metadata.labels.{key}", f"must be one of {', '.join(_LEVELS)}, got {value!r}", SECURITY
            )


_RULES: dict[tuple[str, str], Callable[[Thing], Flaws]] = {
    **{("apps", kind): _workload for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")},
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _cron,
    ("", "Service"): _service,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("networking.k8s.io", "NetworkPolicy"): _network_policy,
    ("autoscaling", "HorizontalPodAutoscaler"): _scaler,
    ("policy", "PodDisruptionBudget"): _budget,
    ("scheduling.k8s.io", "PriorityClass"): _priority,
    ("", "ConfigMap"): _keys,
    ("", "Secret"): _keys,
    ("", "Namespace"): _namespace,
    ("", "PersistentVolumeClaim"): _claim,
    (RBAC, "Role"): _role,
    (RBAC, "ClusterRole"): _role,
    (RBAC, "RoleBinding"): _binding,
    (RBAC, "ClusterRoleBinding"): _binding,
}


def flaws(thing: Thing) -> Flaws:
    rule = _RULES.get((thing.group, thing.kind))
    if rule:
        yield from rule(thing)
