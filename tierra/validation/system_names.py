"""Names of systems: each a DNS label that the platform does not use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from tierra.validation.labels import as_name, is_name, is_text
from tierra.validation.model import rule_error
from tierra.validation.namespaces import DATABASES, GATEWAY, GRAFANA, OBSERVABILITY, RELEASES, SECRETS

LONGEST_NAME = 30  # leaves space for project, environment and role in the names of its repository and roles
# Namespaces that Kubernetes, the add-ons and the platform use, or may use.
TAKEN = (
    "default",
    "kong",
    "monitoring",
    "amazon-cloudwatch",
    DATABASES,
    GATEWAY,
    GRAFANA,
    OBSERVABILITY,
    RELEASES,
    SECRETS,
)
# Roles of the platform; the one of the pods of a system has its name alone. tests/test_systems.py compares.
ROLES = (
    *("alertmanager", "apply", "backup", "cloudwatch-exporter", "cluster", "cluster-autoscaler", "collector"),
    *("database-monitoring", "ebs-csi", "external-secrets", "flow-log", "grafana"),
    *("load-balancer-controller", "node", "plan", "runner", "vpc-cni"),
)
# The prefixes of the roles with which workflows push and deploy a system.
WORKFLOWS = ("deploy-", "push-")


def _name(name: str) -> str:
    if not is_name(name, LONGEST_NAME) or len(name) < 2:
        plain = as_name(name, LONGEST_NAME)
        rule = (
            f"the name of a system must be 2 to {LONGEST_NAME} lowercase letters, digits and hyphens,"
            " start with a letter and not end with a hyphen"
        )
        raise rule_error(rule, f"write {plain}" if len(plain) >= 2 else "write a name such as orders")
    is_text(name, f"{name}-service")
    if name in TAKEN or name.startswith("kube-"):
        raise rule_error(
            "the name must not be a namespace that the platform uses",
            f"write another name, such as {name.removeprefix('kube-')}-app",
        )
    if name in ROLES:
        rule = (
            "the name must not be that of a role of the platform: a system's role has the name of the system"
        )
        raise rule_error(rule, f"write another name, such as {name}-app")
    if name.startswith("secrets-") or name.endswith("-namespace"):
        rule = "the name must not be secrets-… or …-namespace: the platform creates such names for a system"
        raise rule_error(rule, "choose another name")
    return name


SystemName = Annotated[str, AfterValidator(_name)]


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


# The names that a system had, oldest first; one may be written without a list.
MOST_FORMER = 9
FormerNames = Annotated[
    tuple[SystemName, ...],
    BeforeValidator(_several),
    Field(strict=False, max_length=MOST_FORMER),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "maxItems": MOST_FORMER},
            ]
        }
    ),
]


def called(name: str, formerly: Sequence[str]) -> str:
    """The name of a system in AWS and in the cluster, which is always its first name."""
    return formerly[0] if formerly else name


def path_of_names(name: str, formerly: Sequence[str]) -> list[str]:
    """Names from the oldest to the present one, each at its last position: a system may get a name back."""
    names = [*formerly, name]
    return [name for index, name in enumerate(names) if name not in names[index + 1 :]]
