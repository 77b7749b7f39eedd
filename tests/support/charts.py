"""Values and pods of the charts of systems, rendered by helm."""

from __future__ import annotations

from typing import Any

from conftest import Root

from support.rendering import Objects, sample

DIGEST = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-trial/shop@sha256:" + "0" * 64


SHOP = {"framework": "django", "needs": ["postgres", "redis", "files"], "workers": 2, "beat": True}


def values(root: Root, release: str) -> dict[str, Any]:
    """The values of a release, with a sample in place of each reference."""
    (text,) = root[f"helm_release.{release}"]["values"]
    return sample(text)


def pods(objects: Objects) -> Objects:
    specs = {}
    for name, each in objects.items():
        if each["kind"] in ("Deployment", "Job"):
            specs[name] = each["spec"]["template"]["spec"]
        elif each["kind"] == "CronJob":
            specs[name] = each["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return specs
