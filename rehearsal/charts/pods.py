"""What Kubernetes refuses in the pod of a workload, beyond its schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rehearsal.charts import quantities
from rehearsal.charts.manifests import Thing, mapping, sequence
from rehearsal.charts.names import label, labels, number_or_name, port, port_name, subdomain
from rehearsal.charts.violations import CORE, Flaw, Flaws, choice

KUBELET = "Kubernetes, pkg/kubelet/prober: a probe whose port is not found never succeeds"
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
# The path of the pod's template in each kind.
TEMPLATES = {
    "Deployment": "spec.template",
    "ReplicaSet": "spec.template",
    "ReplicationController": "spec.template",
    "StatefulSet": "spec.template",
    "DaemonSet": "spec.template",
    "Job": "spec.template",
    "CronJob": "spec.jobTemplate.spec.template",
    "Pod": "",
}
_GROUPS = {"Deployment": "apps", "ReplicaSet": "apps", "StatefulSet": "apps", "DaemonSet": "apps"}
_GROUPS |= {"Job": "batch", "CronJob": "batch", "Pod": "", "ReplicationController": ""}


def template_path(thing: Thing) -> str | None:
    """The path of the pod's template in an object; None for objects without pods."""
    return TEMPLATES[thing.kind] if _GROUPS.get(thing.kind) == thing.group else None


def template(thing: Thing) -> dict[str, Any]:
    """Metadata and spec of the pod of an object; empty for objects without pods."""
    path = template_path(thing)
    node: Any = thing.body if path is not None else {}
    for step in (path or "").split("."):
        node = mapping(node).get(step) if step else node
    return mapping(node)


def containers(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each container of a pod, with its path."""
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(sequence(spec.get(kind))):
            if isinstance(container, dict):
                yield f"{kind}[{index}]", container


def starts(thing: Thing) -> bool:
    """Whether pods start as soon as the object exists."""
    if thing.kind == "CronJob" or thing.spec.get("suspend") is True:
        return False
    return bool(thing.spec.get("replicas", 1) != 0)


def flaws(thing: Thing) -> Flaws:
    path = template_path(thing)
    if path is None:
        return
    pod = template(thing)
    root = f"{path}." if path else ""
    if thing.kind != "Pod":
        yield from labels(mapping(pod.get("metadata")).get("labels"), f"{root}metadata.labels")
    spec = mapping(pod.get("spec"))
    if not spec:
        return
    yield from _policy(thing, spec, f"{root}spec")
    claims = {
        mapping(mapping(claim).get("metadata")).get("name")
        for claim in sequence(thing.spec.get("volumeClaimTemplates"))
    }
    volumes = [mapping(volume).get("name") for volume in sequence(spec.get("volumes"))]
    for name, count in Counter(map(str, filter(None, volumes))).items():
        if count > 1:
            yield Flaw(f"{root}spec.volumes", f"the name {name} is there {count} times", CORE)
        if words := label(name):
            yield Flaw(f"{root}spec.volumes", words, CORE)
    names: Counter[str] = Counter()
    for where, container in containers(spec):
        names[str(container.get("name"))] += 1
        yield from _container(container, f"{root}spec.{where}", {*volumes, *claims})
        helper = where.startswith("init") and container.get("restartPolicy") != "Always"
        yield from _probes(container, f"{root}spec.{where}", spec, helper)
    for name, count in names.items():
        if count > 1:
            yield Flaw(f"{root}spec.containers", f"the name {name} is there {count} times", CORE)
    yield from labels(spec.get("nodeSelector"), f"{root}spec.nodeSelector")


def _policy(thing: Thing, spec: dict[str, Any], path: str) -> Flaws:
    given = spec.get("restartPolicy")
    if thing.kind in ("Job", "CronJob"):
        if given not in ("Never", "OnFailure"):
            message = f"must be Never or OnFailure in a {thing.kind}, got {given or 'Always, the default'}"
            yield Flaw(
                f"{path}.restartPolicy", message, "Kubernetes, pkg/apis/batch/validation/validation.go"
            )
    elif thing.kind != "Pod" and given not in (None, "", "Always"):
        message = f"must be Always in a {thing.kind}, got {given}"
        yield Flaw(f"{path}.restartPolicy", message, "Kubernetes, pkg/apis/apps/validation/validation.go")
    policies = "ClusterFirst ClusterFirstWithHostNet Default None"
    yield from choice(spec.get("dnsPolicy"), policies, f"{path}.dnsPolicy")
    for index, toleration in enumerate(sequence(spec.get("tolerations"))):
        where, effects = f"{path}.tolerations[{index}]", "NoSchedule PreferNoSchedule NoExecute"
        yield from choice(mapping(toleration).get("effect"), effects, f"{where}.effect")
        yield from choice(mapping(toleration).get("operator"), "Exists Equal Lt Gt", f"{where}.operator")
    if sequence(spec.get("containers")) == [] and "containers" in spec:
        yield Flaw(f"{path}.containers", "must have at least one container", CORE)
    account = spec.get("serviceAccountName")
    if account and (words := subdomain(account)):
        yield Flaw(f"{path}.serviceAccountName", words, CORE)
    for key in ("terminationGracePeriodSeconds", "activeDeadlineSeconds"):
        if isinstance(spec.get(key), int) and spec[key] < 0:
            yield Flaw(f"{path}.{key}", f"must be greater than or equal to 0, got {spec[key]}", CORE)
    for index, constraint in enumerate(sequence(spec.get("topologySpreadConstraints"))):
        given, skew = mapping(constraint), mapping(constraint).get("maxSkew")
        where = f"{path}.topologySpreadConstraints[{index}].whenUnsatisfiable"
        yield from choice(given.get("whenUnsatisfiable"), "DoNotSchedule ScheduleAnyway", where)
        if isinstance(skew, int) and skew < 1:
            yield Flaw(
                f"{path}.topologySpreadConstraints[{index}].maxSkew",
                f"must be greater than 0, got {skew}",
                CORE,
            )


def _container(container: dict[str, Any], path: str, volumes: set[Any]) -> Flaws:
    name = container.get("name")
    if name and (words := label(name)):
        yield Flaw(f"{path}.name", words, CORE)
    if not container.get("image"):
        yield Flaw(f"{path}.image", "is required", CORE)
    elif isinstance(container["image"], str) and container["image"].strip() != container["image"]:
        yield Flaw(f"{path}.image", f"must not begin or end with blanks, got {container['image']!r}", CORE)
    for where, message in quantities.requirements(container.get("resources"), f"{path}.resources"):
        yield Flaw(where, message, quantities.SOURCE)
    yield from choice(
        container.get("imagePullPolicy"), "Always IfNotPresent Never", f"{path}.imagePullPolicy"
    )
    named: set[str] = set()
    for index, container_port in enumerate(sequence(container.get("ports"))):
        given = mapping(container_port)
        for key, words in (
            ("containerPort", port(given.get("containerPort"))),
            ("hostPort", port(given.get("hostPort") or 1)),
            (
                "name",
                port_name(given["name"]) if isinstance(given.get("name"), str) and given["name"] else "",
            ),
        ):
            if words:
                yield Flaw(f"{path}.ports[{index}].{key}", words, CORE)
        yield from choice(given.get("protocol"), "TCP UDP SCTP", f"{path}.ports[{index}].protocol")
        if given.get("name") in named:
            yield Flaw(f"{path}.ports[{index}].name", f"the name {given['name']} is there twice", CORE)
        named |= {given["name"]} if given.get("name") else set()
    mounts: set[str] = set()
    for index, mount in enumerate(sequence(container.get("volumeMounts"))):
        given = mapping(mount)
        if given.get("name") and given["name"] not in volumes:
            yield Flaw(f"{path}.volumeMounts[{index}].name", f"the pod has no volume {given['name']}", CORE)
        if given.get("mountPath") in mounts:
            message = f"must be unique, got {given['mountPath']} twice"
            yield Flaw(f"{path}.volumeMounts[{index}].mountPath", message, CORE)
        mounts |= {given["mountPath"]} if isinstance(given.get("mountPath"), str) else set()
    for index, variable in enumerate(sequence(container.get("env"))):
        given = mapping(variable)
        if given.get("value") and given.get("valueFrom"):
            yield Flaw(f"{path}.env[{index}]", "value and valueFrom exclude each other", CORE)
        if isinstance(given.get("name"), str) and "=" in given["name"]:
            yield Flaw(f"{path}.env[{index}].name", f"must not contain =, got {given['name']!r}", CORE)


def _probes(container: dict[str, Any], path: str, spec: dict[str, Any], helper: bool) -> Flaws:
    known = {mapping(port).get("name") for port in sequence(container.get("ports"))}
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container.get(kind)
        if not isinstance(probe, dict) or not probe:
            continue
        where = f"{path}.{kind}"
        if helper:
            yield Flaw(where, "must not be set for init containers without restartPolicy: Always", CORE)
        given = [name for name in HANDLERS if probe.get(name) is not None]
        if len(given) != 1:
            message = f"must have one of {', '.join(HANDLERS)}" + (
                f", got {' and '.join(given)}" if given else ""
            )
            yield Flaw(where, message, CORE)
        if kind != "readinessProbe" and probe.get("successThreshold") not in (None, 0, 1):
            yield Flaw(f"{where}.successThreshold", f"must be 1, got {probe['successThreshold']}", CORE)
        for key, value in probe.items():
            if isinstance(value, int) and value < 0:
                yield Flaw(f"{where}.{key}", f"must be greater than or equal to 0, got {value}", CORE)
        for handler in ("httpGet", "tcpSocket"):
            port_ = mapping(probe.get(handler)).get("port")
            if port_ is None:
                continue
            if words := number_or_name(port_):
                yield Flaw(f"{where}.{handler}.port", words, CORE)
            elif isinstance(port_, str) and not port_.isdecimal() and port_ not in known:
                message = f"the container has no port named {port_}"
                # An invalid liveness probe is skipped; with an invalid probe of another kind no pod becomes
                # ready.
                yield Flaw(f"{where}.{handler}.port", message, KUBELET, sure=kind != "livenessProbe")
    grace = spec.get("terminationGracePeriodSeconds", 30)
    seconds = mapping(mapping(mapping(container.get("lifecycle")).get("preStop")).get("sleep")).get("seconds")
    if isinstance(seconds, int) and isinstance(grace, int) and not 0 <= seconds <= grace:
        message = f"must be between 0 and terminationGracePeriodSeconds ({grace}), got {seconds}"
        yield Flaw(f"{path}.lifecycle.preStop.sleep.seconds", message, CORE)
