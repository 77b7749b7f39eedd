"""A system in the cluster: a release for what surrounds it, and one for the system itself."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release

from modules.helm import release
from modules.stack import Stack
from modules.systems.naming import slug


def namespace_release(stack: Stack, name: str, values: str, after: Sequence[ITerraformDependable]) -> Release:
    """`helm_release.<system>_namespace`. It makes the namespace, so its own notes lie in another."""
    return release(
        stack,
        f"{slug(name)}_namespace",
        "systems/namespace",
        name=f"{name}-namespace",
        namespace="default",
        values=[values],
        depends_on=after,
    )


def system_release(stack: Stack, name: str, values: str, after: Sequence[ITerraformDependable]) -> Release:
    """`helm_release.<system>`. Going, it goes before what it needs to stop in order."""
    return release(
        stack,
        slug(name),
        "systems/chart",
        name=name,
        namespace=name,
        values=[values],
        depends_on=after,
    )
