"""Kubernetes versions on sale, and the version of each add-on that goes with them.

AS_OF is when the table was read: no clock is asked, so that one spec always gives one result. Sources: the
release calendar of the EKS user guide (kubernetes-versions), as endoflife.date/amazon-eks repeats it; for
add-ons, what `aws eks describe-addon-versions --kubernetes-version <version>` answered then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from modules.section import fault
from modules.wording import choices

AS_OF = "2026-02-14"

# Versions that EKS no longer has under standard support at AS_OF, or that leave it within weeks.
ENDED = {"1.30": "2025-07-23", "1.31": "2025-11-26", "1.32": "2026-03-23"}


@dataclass(frozen=True)
class Version:
    """`standard_until` is the day on which EKS ends standard support; `addons` by name of the add-on."""

    standard_until: str
    addons: dict[str, str]


# The add-ons of the first two are tied to no single version of Kubernetes, but for kube-proxy.
_EARLIER = {
    "vpc-cni": "v1.21.1-eksbuild.1",
    "eks-pod-identity-agent": "v1.3.10-eksbuild.2",
    "coredns": "v1.12.4-eksbuild.1",
    "aws-ebs-csi-driver": "v1.54.0-eksbuild.1",
    "metrics-server": "v0.8.0-eksbuild.6",
}
VERSIONS = {
    "1.33": Version("2026-07-29", {**_EARLIER, "kube-proxy": "v1.33.7-eksbuild.2"}),
    "1.34": Version("2026-12-02", {**_EARLIER, "kube-proxy": "v1.34.1-eksbuild.2"}),
    "1.35": Version(
        "2027-03-27",
        {
            "vpc-cni": "v1.21.1-eksbuild.3",
            "kube-proxy": "v1.35.0-eksbuild.2",
            "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
            "coredns": "v1.13.2-eksbuild.1",
            "aws-ebs-csi-driver": "v1.57.1-eksbuild.1",
            "metrics-server": "v0.8.1-eksbuild.1",
        },
    ),
}
NEWEST = max(VERSIONS)


def _on_sale(version: str) -> str:
    if version in VERSIONS:
        return version
    known = choices(VERSIONS)
    if version in ENDED:
        raise fault(
            f"standard support of Kubernetes {version} ended on {ENDED[version]}; the cluster would be billed"
            " for extended support or upgraded by AWS",
            f'write "{NEWEST}", or another of {known}',
        )
    raise fault(
        f"EKS has the versions {known} in standard support, as of {AS_OF}", f'write "{NEWEST}", in quotes'
    )


KubernetesVersion = Annotated[
    str,
    AfterValidator(_on_sale),
    WithJsonSchema({"type": "string", "pattern": r"^1\.[0-9]{2}$", "examples": [NEWEST]}),
]
