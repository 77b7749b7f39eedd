"""The Pod Security Standards, as the labels of a namespace enforce them.

Sources: kubernetes.io/docs/concepts/security/pod-security-standards, and k8s.io/pod-security-admission.
Pods are checked, not their controllers: for a Deployment whose pods are forbidden Kubernetes only warns, and
no pod ever starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rehearsal.charts.manifests import mapping, sequence

SOURCE = "kubernetes.io/docs/concepts/security/pod-security-standards"
ENFORCE = "pod-security.kubernetes.io/enforce"
_ADDED = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}
_SELINUX = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_SYSCTLS = {
    "kernel.shm_rmid_forced",
    *(
        f"net.ipv4.{name}"
        for name in (
            *("ip_local_port_range", "ip_unprivileged_port_start", "tcp_syncookies", "ping_group_range"),
            *("ip_local_reserved_ports", "tcp_keepalive_time", "tcp_fin_timeout", "tcp_keepalive_intvl"),
            *("tcp_keepalive_probes", "tcp_rmem", "tcp_wmem"),
        )
    ),
}
_VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected"),
    *("secret", "image"),
}
Breaches = Iterator[tuple[str, str]]


def breaches(level: str, spec: dict[str, Any]) -> Breaches:
    """Each path in the spec of a pod that a level forbids, and why. Other levels forbid nothing."""
    if level in ("baseline", "restricted"):
        yield from _baseline(spec)
    if level == "restricted":
        yield from _restricted(spec)


def _all(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(sequence(spec.get(kind))):
            if isinstance(container, dict):
                yield f"{kind}[{index}]", container


def _contexts(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The security context of the pod and of each container."""
    yield "securityContext", mapping(spec.get("securityContext"))
    for path, container in _all(spec):
        yield f"{path}.securityContext", mapping(container.get("securityContext"))


def _baseline(spec: dict[str, Any]) -> Breaches:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key) is True:
            yield key, "must not be true"
    for index, volume in enumerate(sequence(spec.get("volumes"))):
        if "hostPath" in mapping(volume):
            yield f"volumes[{index}].hostPath", "volumes of this type are forbidden"
    for index, sysctl in enumerate(sequence(mapping(spec.get("securityContext")).get("sysctls"))):
        if mapping(sysctl).get("name") not in _SYSCTLS:
            yield f"securityContext.sysctls[{index}]", f"{mapping(sysctl).get('name')} is forbidden"
    for path, container in _all(spec):
        for index, port in enumerate(sequence(container.get("ports"))):
            if mapping(port).get("hostPort"):
                yield f"{path}.ports[{index}].hostPort", "must not be set"
    for path, context in _contexts(spec):
        if context.get("privileged") is True:
            yield f"{path}.privileged", "must not be true"
        if mapping(context.get("windowsOptions")).get("hostProcess") is True:
            yield f"{path}.windowsOptions.hostProcess", "must not be true"
        if context.get("procMount") not in (None, "", "Default"):
            yield f"{path}.procMount", f"must be Default, got {context['procMount']}"
        for key in ("seccompProfile", "appArmorProfile"):
            if mapping(context.get(key)).get("type") == "Unconfined":
                yield f"{path}.{key}.type", "must not be Unconfined"
        linux = mapping(context.get("seLinuxOptions"))
        if (linux.get("type") or "") not in _SELINUX or linux.get("user") or linux.get("role"):
            yield f"{path}.seLinuxOptions", "must have a type of containers, and neither user nor role"
        for name in sequence(mapping(context.get("capabilities")).get("add")):
            if name not in _ADDED:
                yield f"{path}.capabilities.add", f"must not include {name}"


def _restricted(spec: dict[str, Any]) -> Breaches:
    pod = mapping(spec.get("securityContext"))
    for index, volume in enumerate(sequence(spec.get("volumes"))):
        kinds = set(mapping(volume)) - {"name"}
        if kinds and not kinds & _VOLUMES and "hostPath" not in kinds:
            yield f"volumes[{index}]", f"volumes of type {', '.join(sorted(kinds))} are forbidden"
    for path, context in _contexts(spec):
        if context.get("runAsUser") == 0 and not isinstance(context["runAsUser"], bool):
            yield f"{path}.runAsUser", "must not be 0"
        if context.get("runAsNonRoot") is False:
            yield f"{path}.runAsNonRoot", "must be true"
    windows = mapping(spec.get("os")).get("name") == "windows"
    for path, container in _all(spec):
        context = mapping(container.get("securityContext"))
        where = f"{path}.securityContext"
        if context.get("runAsNonRoot") is None and pod.get("runAsNonRoot") is None:
            yield f"{where}.runAsNonRoot", "must be true, here or for the pod"
        if windows:
            continue
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{where}.allowPrivilegeEscalation", "must be false"
        if not mapping(context.get("seccompProfile")).get("type") and not mapping(
            pod.get("seccompProfile")
        ).get("type"):
            yield f"{where}.seccompProfile.type", "must be RuntimeDefault or Localhost, here or for the pod"
        capabilities = mapping(context.get("capabilities"))
        if "ALL" not in sequence(capabilities.get("drop")):
            yield f"{where}.capabilities.drop", "must include ALL"
        for name in sequence(capabilities.get("add")):
            if name != "NET_BIND_SERVICE" and name in _ADDED:
                yield f"{where}.capabilities.add", f"must not include {name}"
