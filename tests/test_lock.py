"""`make lock`, and plans that take the providers of its file and no others."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from on_aws import Production
from test_make import ROOT, refused, succeeded

PLATFORMS = ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64")


def mirror(folder: Path) -> Path:
    """The embedded provider as a mirror has one for each platform; each with a file of its own."""
    for version in (ROOT / ".rehearsal" / "mirror").glob("*/*/*/*"):
        [here] = version.iterdir()
        for platform in PLATFORMS:
            place = folder / version.relative_to(ROOT / ".rehearsal" / "mirror") / platform
            shutil.copytree(here, place)
            if platform != here.name:
                (place / "platform").write_text(platform)
    return folder


def test_plans_take_the_providers_of_the_lock_file_and_no_others(production: Production) -> None:
    succeeded(production.make("lock", f"MIRROR={mirror(production.folder / 'mirror')}"))
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

    lock.write_text(re.sub(r'"h1:\w{6}', '"h1:AAAAAA', lock.read_text()))
    run = production.make("plan", "TIER=state")
    refused(run, "the providers are not those of environments/providers.lock.hcl")
    assert "make lock, on a machine that reaches the registry" in run.stderr
