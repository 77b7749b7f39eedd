"""Tests of `make lock` and of plans with the locked providers."""

from __future__ import annotations

import re

from support.mirrors import PLATFORMS, mirror
from support.on_aws import Production
from support.project import refused, succeeded

from tierra.run.failure import explained


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


def test_a_saved_plan_of_other_providers_must_be_made_again() -> None:
    """The message is that of Terraform 1.11."""
    facts = {"env": "production", "verb": "apply", "tier": "state", "stack": "", "program": "Terraform"}
    text = (
        "Error: Inconsistent dependency lock file\n\n"
        "The given plan file was created with a different set of external dependency\n"
        "selections than the current configuration. A saved plan can be applied only\n"
        "to the same configuration it was created from.\n"
    )
    assert explained(text, facts) == (
        "apply: state of production: the saved plan was made with other providers\n"
        "  remedy: make plan ENV=production"
    )
