"""Tests of `make lock` and of plans with the locked providers."""

from __future__ import annotations

import re

from support.mirrors import PLATFORMS, mirror
from support.on_aws import Production
from support.project import refused, succeeded


def test_plans_only_use_providers_of_the_lock_file(production: Production) -> None:
    output = succeeded(production.make("lock", f"MIRROR={mirror(production.folder / 'mirror')}"))
    assert "\x1b" not in output + (production.folder / "cdktf.out/production/lock/lock.log").read_text()
    lock = production.folder / "environments" / "providers.lock.hcl"
    blocks = re.findall(r'provider "(\S+)" \{(.*?)\n\}', lock.read_text(), re.S)
    assert [address.rsplit("/", 1)[1] for address, _ in blocks] == ["aws", "helm"]
    assert all(len(set(re.findall(r'"(h1:\S+)"', body))) == len(PLATFORMS) for _, body in blocks)

    output = succeeded(production.make("-n", "plan", "TIER=state"))
    assert re.search(r"init -input=false -lockfile=readonly", output)
    succeeded(production.make("plan", "TIER=state"))

    def placed(tier: str) -> set[str]:
        return set(
            re.findall(r"hashicorp/(\w+)", (production.stack(tier) / ".terraform.lock.hcl").read_text())
        )

    assert (placed("state"), placed("gateway")) == ({"aws"}, {"aws", "helm"})

    lock.write_text(re.sub(r'"h1:[^"]{6}', '"h1:AAAAAA', lock.read_text()))
    run = production.make("plan", "TIER=state")
    refused(run, "the providers are not those of environments/providers.lock.hcl")
    assert "make lock, on a machine that reaches the registry" in run.stderr
