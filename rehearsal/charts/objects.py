"""Problems of the objects of one release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.charts import immutable, kinds, names, pods, security
from rehearsal.charts.manifests import Thing, mapping, sequence
from rehearsal.charts.schemas import Schemas
from rehearsal.charts.violations import Violation

Identity = tuple[str, str, str, str]
HELM = "helm.sh/helm/v3, pkg/action/validate.go"
TWICE = "helm.sh/helm/v3, pkg/kube/client.go, Create"
FIELDS = "kubernetes.io/docs/reference/using-api/api-concepts/#field-validation"
REMOVED = "kubernetes.io/docs/reference/using-api/deprecation-guide"
CLUSTER_WIDE = {
    *(
        "APIService",
        "CSIDriver",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "FlowSchema",
    ),
    *(
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
    ),
    *("PriorityLevelConfiguration", "RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy"),
    *("ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "VolumeSnapshotClass"),
}


def identity(thing: Thing) -> Identity:
    """The identity of an object in a cluster."""
    return (thing.group, thing.kind, "" if thing.kind in CLUSTER_WIDE else thing.home, thing.name)


def owned(thing: Thing) -> bool:
    """Whether the release owns the object: it owns neither hooks nor the objects of a chart's folder
    crds/."""
    return not thing.hook and "/crds/" not in thing.source


@dataclass(frozen=True)
class Validator:
    """Checks the objects of a release. `labels` are those of the known namespaces. `chooses`: the chart
    selects apiVersions by those of the cluster. `exact`: the schemas are of the cluster's own version."""

    schemas: Schemas
    exact: bool
    waits: bool
    labels: Mapping[str, Mapping[str, Any]]
    chooses: bool

    def violations(self, created: Sequence[Thing]) -> Iterator[Violation]:
        for thing in created:
            yield from self._schema(thing)
            for flaw in (*names.metadata(thing), *kinds.flaws(thing), *pods.flaws(thing)):
                sure = flaw.sure and (flaw.source != pods.KUBELET or self._waited(thing))
                yield self._violation(thing, flaw.path, flaw.message, flaw.source, sure)
            yield from self._security(thing)
        yield from self._targets(created)

    def _violation(self, thing: Thing, path: str, message: str, source: str, sure: bool = True) -> Violation:
        file = f" ({thing.source.partition('/')[2]})" if thing.source else ""
        return Violation(f"{thing.called}{file}: {path}", message, source, sure)

    def _waited(self, thing: Thing) -> bool:
        """Whether helm certainly fails if the pods of an object never become ready."""
        if thing.hook or not self.waits or not pods.starts(thing):
            return False
        rolling = mapping(mapping(thing.spec.get("strategy")).get("rollingUpdate"))
        return thing.kind in ("Deployment", "StatefulSet", "Pod") and not rolling.get("maxUnavailable")

    def _schema(self, thing: Thing) -> Iterator[Violation]:
        if self.exact and self.schemas.serves(thing.api, thing.kind) is False:
            others = self.schemas.others(thing.kind)
            instead = f"; it has {' and '.join(others)}" if others else ""
            if not self.chooses:
                message = f"the cluster has no {thing.kind} of {thing.api}{instead}"
                yield self._violation(thing, "apiVersion", message, REMOVED)
            return
        for mismatch in self.schemas.mismatches(thing.body):
            yield self._violation(thing, mismatch.path, mismatch.message, FIELDS, sure=not mismatch.unknown)

    def _security(self, thing: Thing) -> Iterator[Violation]:
        level = self.labels.get(thing.home, {}).get(security.ENFORCE)
        spec = mapping(pods.template(thing).get("spec"))
        if not isinstance(level, str) or not spec:
            return
        for path, message in security.breaches(level, spec):
            words = f"{message}: pods of the namespace {thing.home} are {level}"
            sure = thing.kind == "Pod" or self._waited(thing)
            yield self._violation(thing, f"pod: {path}", words, security.SOURCE, sure)

    def _targets(self, created: Sequence[Thing]) -> Iterator[Violation]:
        """Ports of a service that none of its pods has. Kubernetes accepts them, and requests to them
        fail."""
        for service in created:
            selector = mapping(service.spec.get("selector"))
            if (service.group, service.kind) != ("", "Service") or not selector:
                continue
            ports: list[set[Any]] = []
            for thing in created:
                template = pods.template(thing)
                labels = mapping(mapping(template.get("metadata")).get("labels"))
                if thing.home == service.home and kinds.matches({"matchLabels": selector}, labels):
                    spec = mapping(template.get("spec"))
                    ports.append(
                        {
                            mapping(port).get("name")
                            for _, container in pods.containers(spec)
                            for port in sequence(container.get("ports"))
                        }
                    )
            for index, port in enumerate(sequence(service.spec.get("ports"))):
                wanted = mapping(port).get("targetPort")
                if isinstance(wanted, str) and ports and not any(wanted in known for known in ports):
                    message = f"none of its pods has a port named {wanted}"
                    where = f"spec.ports[{index}].targetPort"
                    yield self._violation(
                        service, where, message, "Kubernetes, pkg/api/v1/pod/util.go, FindPort", False
                    )


def duplicates(created: Sequence[Thing]) -> Iterator[Violation]:
    """Objects that a release contains twice, which makes its first installation fail."""
    for (_, kind, home, name), count in Counter(identity(thing) for thing in created if owned(thing)).items():
        if count > 1:
            where = f"{kind} {name}" + (f" in {home}" if home else "")
            yield Violation(where, f"the chart makes it {count} times: the second one already exists", TWICE)


def owned_by_others(created: Sequence[Thing], others: Mapping[str, Sequence[Thing]]) -> Iterator[Violation]:
    """Objects that another release owns."""
    owners = {
        identity(thing): release for release, objects in others.items() for thing in objects if owned(thing)
    }
    for thing in created:
        owner = owners.get(identity(thing)) if owned(thing) else None
        if owner:
            message = f"exists and cannot be imported into the current release: the release {owner} owns it"
            yield Violation(thing.called, message, HELM, later=True)


def changes_of_immutable_fields(was: Sequence[Thing], created: Sequence[Thing]) -> Iterator[Violation]:
    """Changes of existing objects that Kubernetes refuses."""
    before = {identity(thing): thing for thing in was if owned(thing)}
    for thing in created:
        old = before.get(identity(thing))
        for flaw in immutable.changes(old, thing) if old and owned(thing) else ():
            yield Violation(f"{thing.called}: {flaw.path}", flaw.message, flaw.source)
