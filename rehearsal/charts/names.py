"""Names, labels and ports as Kubernetes writes them.

Source: kubernetes/apimachinery, pkg/util/validation/validation.go, and pkg/api/validation/objectmeta.go.
"""

from __future__ import annotations

import re
from typing import Any

from rehearsal.charts.manifests import Thing, mapping
from rehearsal.charts.violations import Flaw, Flaws

SOURCE = "kubernetes/apimachinery, pkg/util/validation/validation.go"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(\.{_LABEL.pattern})*")
_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
RBAC = "rbac.authorization.k8s.io"
# Kinds whose names must only be valid in a path.
_FREE = {"APIService", "Event", "Lease", "EndpointSlice", "ControllerRevision", "CertificateSigningRequest"}


def label(text: Any) -> str:
    """The problem of a DNS label; empty for a valid one. The next functions return the same."""
    if isinstance(text, str) and len(text) <= 63 and _LABEL.fullmatch(text):
        return ""
    words = "must be an RFC 1123 label: at most 63 of a-z, 0-9 and -, with a letter or digit at both ends"
    return f"{words}, got {text!r}"


def subdomain(text: Any) -> str:
    if isinstance(text, str) and len(text) <= 253 and _SUBDOMAIN.fullmatch(text):
        return ""
    words = (
        "must be an RFC 1123 subdomain: a-z, 0-9, - and ., with a letter or digit at both ends of each part"
    )
    return f"{words}, got {text!r}"


def port_name(text: str) -> str:
    if len(text) <= 15 and _LABEL.fullmatch(text) and "--" not in text and re.search("[a-z]", text):
        return ""
    words = "must be a port number or a name: at most 15 of a-z, 0-9 and -, with a letter among them"
    return f"{words}, got {text!r}"


def port(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or 1 <= value <= 65535:
        return ""  # the schema checks values that are not numbers
    return f"must be between 1 and 65535, got {value}"


def number_or_name(value: Any) -> str:
    return port_name(value) if isinstance(value, str) else port(value)


def config_key(text: str) -> str:
    if len(text) <= 253 and _CONFIG_KEY.fullmatch(text) and text not in (".", "..") and text[:2] != "..":
        return ""
    return f"must be a key of letters, digits, -, _ and ., got {text!r}"


def qualified(text: str) -> str:
    """The problem of the key of a label."""
    prefix, _, name = text.rpartition("/")
    fits = len(name) <= 63 and _NAME.fullmatch(name)
    if fits and (not prefix or not subdomain(prefix)) and text[:1] != "/":
        return ""
    words = "must be a name of letters, digits, -, _ and ., with or without a DNS subdomain and / before it"
    return f"{words}, got {text!r}"


def label_value(text: str) -> str:
    if not text or (len(text) <= 63 and _NAME.fullmatch(text)):
        return ""
    words = "must be a valid label value: at most 63 of letters, digits, -, _ and ., the ends no punctuation"
    return f"{words}, got {text!r}"


def labels(value: Any, path: str) -> Flaws:
    for key, text in mapping(value).items():
        for words in (qualified(str(key)), label_value(text) if isinstance(text, str) else ""):
            if words:
                yield Flaw(f"{path}.{key}", words, SOURCE)


def metadata(thing: Thing) -> Flaws:
    """Name, namespace, labels and annotations."""
    meta = thing.metadata
    if not meta.get("name") and not meta.get("generateName"):
        yield Flaw("metadata.name", "is required", SOURCE)
    elif isinstance(meta.get("name"), str) and thing.kind not in _FREE and (words := _object_name(thing)):
        yield Flaw("metadata.name", words, SOURCE)
    if meta.get("namespace") and (words := label(meta["namespace"])):
        yield Flaw("metadata.namespace", words, SOURCE)
    yield from labels(meta.get("labels"), "metadata.labels")
    for key in mapping(meta.get("annotations")):
        if words := qualified(str(key).lower()):
            yield Flaw("metadata.annotations", words, SOURCE)


def _object_name(thing: Thing) -> str:
    if thing.group == RBAC:
        bad = thing.name in (".", "..") or "/" in thing.name or "%" in thing.name
        return f"must not contain / or %, got {thing.name!r}" if bad else ""
    if thing.api == "v1" and thing.kind in ("Namespace", "Service"):
        return label(thing.name)
    if thing.kind == "CronJob" and thing.group == "batch" and len(thing.name) > 52:
        return f"must have at most 52 characters, got {len(thing.name)}"
    return subdomain(thing.name)
