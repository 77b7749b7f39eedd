"""Charts in the cluster as `helm_release`, with the same settings in every tier.

The project's own charts are in templates/<tier>/<chart>/. Synthesis copies it beside the generated JSON,
so that a root module is self-contained. The version of a chart ends with a digest of its files: the provider
compares versions of charts, not their texts, and a changed template must appear in the plan.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.provider import (
    HelmProvider,
    HelmProviderKubernetes,
    HelmProviderKubernetesExec,
)
from cdktf_cdktf_provider_helm.release import Release

from tierra.terraform.stack import Stack
from tierra.terraform.templating import TEMPLATES

MANIFEST = "Chart.yaml"
# Revisions of a release that helm keeps for a rollback, each in a Secret of its namespace.
HISTORY = 10
WAIT_SECONDS = 600


@dataclass(frozen=True)
class Chart:
    """A chart at a version. `repository` is the URL of the index that lists it, or `oci://…`."""

    name: str
    version: str
    repository: str | None = None


class Cluster(Protocol):
    """The outputs of the tier compute that Helm needs."""

    @property
    def cluster_name(self) -> str: ...
    @property
    def cluster_endpoint(self) -> str: ...
    @property
    def cluster_certificate_authority(self) -> str: ...


def helm_provider(stack: Stack, cluster: Cluster) -> HelmProvider:
    """The provider `helm` of a stack. It signs in anew for each connection, with the AWS credentials of the
    shell or as the role that the spec names (AWS CLI reference, eks get-token): a token of EKS lasts a
    quarter of an hour, less than some applies."""
    stack.require("helm")
    role = stack.environment.assume_role
    return HelmProvider(
        stack,
        "helm",
        kubernetes=HelmProviderKubernetes(
            host=cluster.cluster_endpoint,
            cluster_ca_certificate=f"${{base64decode({_bare(cluster.cluster_certificate_authority)})}}",
            exec=HelmProviderKubernetesExec(
                api_version="client.authentication.k8s.io/v1beta1",
                command="aws",
                args=[
                    "eks",
                    "get-token",
                    "--cluster-name",
                    cluster.cluster_name,
                    "--region",
                    stack.environment.region,
                    "--output",
                    "json",  # independent of AWS_DEFAULT_OUTPUT
                    *(["--role-arn", role] if role else []),
                ],
            ),
        ),
    )


def release(
    stack: Stack,
    address: str,
    chart: Chart | str,
    *,
    name: str,
    namespace: str,
    values: Sequence[str] = (),
    adapt: Callable[[Mapping[str, str]], Mapping[str, str]] = dict,
    create_namespace: bool = False,
    timeout: int = WAIT_SECONDS,
    depends_on: Sequence[ITerraformDependable] = (),
) -> Release:
    """`helm_release.<address>`: the release `name` in `namespace`, waited for up to `timeout` seconds.

    `chart` is a published one, or the folder of one of the project's own below templates/, `systems/chart`.
    `values` are YAML documents; a later one overrides an earlier. `adapt` changes the files of such a chart
    for this environment. A failed release is rolled back.
    """
    if isinstance(chart, str):
        files = adapt(texts(chart))
        path = stack.add_files(f"charts/{Path(chart).name}", own_chart(files))
        chart = Chart(path, version(files))
    return stack.add(
        Release,
        address,
        name=name,
        namespace=namespace,
        create_namespace=create_namespace or None,
        repository=chart.repository,
        chart=chart.name,
        version=chart.version,
        values=list(values) or None,
        **safety(timeout),
        depends_on=list(depends_on) or None,
    )


def safety(timeout: int) -> dict[str, Any]:
    """Arguments of every release: terraform waits for it up to `timeout` seconds, and a failed one is rolled
    back."""
    return {
        "atomic": True,
        "cleanup_on_fail": True,
        "wait": True,
        "max_history": HISTORY,
        "timeout": timeout,
    }


def document(values: Mapping[str, Any]) -> str:
    """Values as a YAML document (JSON), on several lines, so that a plan shows those that change."""
    return json.dumps(values, indent=2) + "\n"


def version(files: Mapping[str, str]) -> str:
    """The version of a chart of the project's own: that of its Chart.yaml, and a digest of all its files."""
    digest = hashlib.sha256()
    for path, text in sorted(files.items()):
        digest.update(path.encode() + b"\0" + text.encode() + b"\0")
    return f"{_VERSION.search(files[MANIFEST])[1]}+{digest.hexdigest()[:8]}"  # type: ignore[index]


def own_chart(files: Mapping[str, str]) -> dict[str, str]:
    """The files of such a chart by their path in it, its version with the digest."""
    return {**files, MANIFEST: _VERSION.sub(f"version: {version(files)}", files[MANIFEST])}


@cache
def texts(chart: str) -> Mapping[str, str]:
    """The files of a chart below templates/, by their path in it."""
    folder = TEMPLATES / chart
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


_VERSION = re.compile(r"^version: (\S+)$", re.MULTILINE)


def _bare(reference: str) -> str:
    """A reference without the marks around it, for use in an expression."""
    return reference.removeprefix("${").removesuffix("}")
