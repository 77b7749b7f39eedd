"""Labels and taints of nodes."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tierra.validation.model import Model, rule_error

LONGEST = (
    63  # keys and values of labels and taints (botocore: eks, labelKey, labelValue, taintKey, taintValue)
)
# Domains whose labels the kubelet refuses to set by itself (Kubernetes, "NodeRestriction"), or EKS sets.
RESERVED = ("kubernetes.io", "k8s.io", "eks.amazonaws.com")

Effect = Literal["NoSchedule", "NoExecute", "PreferNoSchedule"]


def _key(key: str) -> str:
    domain, _, name = key.rpartition("/")
    fits = re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?", name) and re.fullmatch(
        r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?", domain
    )
    if not fits or key.startswith("/") or len(key) > LONGEST:
        rule = (
            f"keys of labels and taints must have at most {LONGEST} letters, digits, dots, hyphens and"
            " underscores, after a domain and a slash or without"
        )
        raise rule_error(rule, "write a key such as workload or example.com/workload")
    if any(domain == reserved or domain.endswith(f".{reserved}") for reserved in RESERVED):
        raise rule_error(
            f"the key must not be of {domain}, which Kubernetes or EKS set", "choose another key"
        )
    return key


def _value(value: str) -> str:
    if not re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?", value) or len(value) > LONGEST:
        rule = (
            f"values of labels and taints must have at most {LONGEST} letters, digits, dots, hyphens and"
            " underscores"
        )
        raise rule_error(rule, "write a value such as batch")
    return value


Key = Annotated[str, AfterValidator(_key)]
Value = Annotated[str, AfterValidator(_value)]


class Taint(Model):
    "A taint: pods that do not tolerate it stay away."

    key: Key = Field(description="Key of the taint.", examples=["workload"])
    value: Value = Field(default="", description="Value of the taint.", examples=["batch"])
    effect: Effect = Field(
        default="NoSchedule",
        description="NoSchedule keeps new pods away, NoExecute also evicts running pods, and"
        " PreferNoSchedule avoids the node if possible.",
    )
