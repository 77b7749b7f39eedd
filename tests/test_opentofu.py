"""Tests of TERRAFORM=tofu: OpenTofu with the providers of its registry."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.mirrors import PLATFORMS, mirror
from support.on_aws import BUCKET, PROJECTS, Production
from support.opentofu import VERSION, tofu
from support.project import ROOT, Project, refused, succeeded

from rehearsal.install import CONFIGURATION
from tierra.bindings.terraform import OPENTOFU, TERRAFORM, asked
from tierra.report.title import title
from tierra.run import program, providers, saved
from tierra.run.failure import explained
from tierra.run.workspace import Failed, Workspace

TERRAFORM_HOST, TOFU_HOST = "registry.terraform.io", "registry.opentofu.org"
BLOCK = 'provider "{host}/hashicorp/{name}" {{\n  version = "{version}"\n  hashes = []\n}}\n'


def workspace(folder: Path, path: Path | str) -> Workspace:
    (folder / "stacks" / "network").mkdir(parents=True, exist_ok=True)
    facts = {"target": "aws", "plan_hours": 24, "tiers": {"network": []}}
    (folder / "environment.json").write_text(json.dumps(facts))
    required = {"terraform": {"required_providers": {"aws": {"source": "aws"}}}}
    (folder / "stacks" / "network" / "cdk.tf.json").write_text(json.dumps(required))
    return Workspace("dev", folder, {"TERRAFORM": str(path)})


def test_a_program_is_recognized_by_its_version_output(tmp_path: Path) -> None:
    ours = program.of(workspace(tmp_path / "out", tofu(tmp_path / "bin")))
    assert (ours.name, ours.version, ours.command, ours.registry) == (OPENTOFU, VERSION, "tofu", TOFU_HOST)
    theirs = program.of(workspace(tmp_path / "out", "terraform"))
    assert (theirs.name, theirs.command, theirs.registry) == (TERRAFORM, "terraform", TERRAFORM_HOST)


def test_an_unsupported_program_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(
        Failed, match=r"OpenTofu 1\.10\.9 is too old: .*\n  remedy: install OpenTofu 1\.11 or newer"
    ):
        program.of(workspace(tmp_path / "out", tofu(tmp_path / "old", "1.10.9")))
    for path in ("/bin/true", str(tmp_path / "none")):
        with pytest.raises(Failed, match="neither Terraform nor OpenTofu"):
            program.of(workspace(tmp_path / "out", path))
    assert asked(str(tofu(tmp_path / "new", "1.12.0-beta1"))) == (OPENTOFU, "1.12.0-beta1")


@pytest.mark.parametrize(("version", "code"), [(VERSION, 0), ("1.10.9", 2), ("", 2)])
def test_setup_installs_no_terraform_if_another_program_is_configured(
    tmp_path: Path, version: str, code: int
) -> None:
    named = tofu(tmp_path / "bin", version) if version else tmp_path / "none"
    done = subprocess.run(
        [sys.executable, "-m", "tierra.bindings.terraform", "--found"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "TERRAFORM": str(named)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert ("remedy: install it" in done.stderr) == bool(code)


def test_each_program_gets_provider_blocks_of_its_registry(tmp_path: Path) -> None:
    lock = tmp_path / "providers.lock.hcl"
    blocks = {
        host: BLOCK.format(host=host, name="aws", version="6.69.1") for host in (TERRAFORM_HOST, TOFU_HOST)
    }
    lock.write_text("\n".join(blocks.values()))
    for path, host in ((tofu(tmp_path / "bin"), TOFU_HOST), ("terraform", TERRAFORM_HOST)):
        output = workspace(tmp_path / "out", path)
        providers.write_to_tiers(lock, output)
        assert (output.tier("network").folder / ".terraform.lock.hcl").read_text() == blocks[host]
    lock.write_text(blocks[TERRAFORM_HOST])
    with pytest.raises(
        Failed, match=r"has no providers of registry\.opentofu\.org(.|\n)*make lock ENV=dev TERRAFORM="
    ):
        providers.write_to_tiers(lock, workspace(tmp_path / "out", tmp_path / "bin" / "tofu"))


def plan(host: str) -> dict[str, object]:
    provider = {"aws": {"name": "aws", "full_name": f"{host}/hashicorp/aws"}}
    return {
        "terraform_version": VERSION,
        "timestamp": "2999-01-01T00:00:00Z",
        "configuration": {"provider_config": provider},
    }


@pytest.mark.parametrize(("host", "made_by"), [(TERRAFORM_HOST, TERRAFORM), (TOFU_HOST, OPENTOFU)])
def test_a_plan_is_applied_by_the_program_that_created_it(tmp_path: Path, host: str, made_by: str) -> None:
    """With equal version numbers the programs would accept each other's plans."""
    out = tmp_path / "out"
    for path, name in ((tofu(tmp_path / "bin"), OPENTOFU), ("terraform", TERRAFORM)):
        tier = workspace(out, path).tier("network")
        tier.plan.touch()
        tier.plan_json.write_text(json.dumps(plan(host)))
        tier.planned_configuration.write_bytes(tier.configuration.read_bytes())
        saved.seal(tier)
        wrong = f"the saved plan of network was made by {made_by}, and this is {name}"
        assert saved.fault(tier) == ("" if name == made_by else wrong)


def test_a_report_names_opentofu(tmp_path: Path) -> None:
    for host, shown in ((TERRAFORM_HOST, VERSION), (TOFU_HOST, f"OpenTofu {VERSION}")):
        tier = workspace(tmp_path, "terraform").tier("network")
        tier.plan_json.write_text(json.dumps(plan(host)))
        assert title(tmp_path, ["network"], "dev", tmp_path)["terraform"] == shown


def test_messages_name_the_program() -> None:
    context = {"env": "dev", "verb": "plan", "tier": "network", "stack": "s", "program": OPENTOFU}
    assert "OpenTofu failed and changed nothing" in explained("an unknown failure", context)
    plans = (
        "plan file was created by OpenTofu or Terraform 1.12.0, but this is 1.11.1; plan files cannot be"
        " transferred between different versions of OpenTofu / Terraform"
    )
    assert "the plan was made by version 1.12.0; this is OpenTofu 1.11.1" in explained(plans, context)


def test_the_rehearsal_serves_both_registries() -> None:
    settings = (ROOT / ".rehearsal" / "terraform.rc").read_text()
    assert len(re.findall(f"{TOFU_HOST}/hashicorp/(?:aws|helm)", settings)) == 4
    assert "include = [" in CONFIGURATION
    binaries = (ROOT / ".rehearsal" / "mirror").glob("*/hashicorp/*/*/*/terraform-provider-*")
    assert {file.relative_to(ROOT / ".rehearsal" / "mirror").parts[0] for file in binaries} == {
        TERRAFORM_HOST,
        TOFU_HOST,
    }


def test_make_rehearses_a_tier_with_opentofu(project: Project) -> None:
    path = tofu(project.folder / "bin")
    run = project.make("plan", "TIER=state", f"TERRAFORM={path}")
    output = succeeded(run)
    calls = (path.parent / "calls").read_text()
    assert re.search(r"stacks/state init ", calls)
    assert re.search(r"stacks/state plan ", calls)
    assert f"make apply ENV=sandbox TIER=state TERRAFORM={path}" in output
    report = json.loads((project.folder / "cdktf.out/sandbox/report.json").read_text())
    assert report["title"]["terraform"].startswith("OpenTofu ")
    refused(
        project.make("apply", "TIER=state", APPROVE="yes"),
        "the saved plan of state was made by OpenTofu, and this is Terraform",
    )
    succeeded(project.make("apply", "TIER=state", f"TERRAFORM={path}", APPROVE="yes"))
    # For the same output, terraform runs init again and continues.
    succeeded(project.make("plan", "TIER=state"))
    note = json.loads((project.folder / "cdktf.out/sandbox/program.json").read_text())
    assert note["name"] == TERRAFORM


def test_a_lock_file_has_both_registries_and_states_work_with_both_programs(production: Production) -> None:
    path = tofu(production.folder / "bin")
    named = f"TERRAFORM={path}"
    packages = f"MIRROR={mirror(production.folder / 'mirror')}"
    lock = production.folder / "environments" / "providers.lock.hcl"
    hosts = (TOFU_HOST, TERRAFORM_HOST)
    succeeded(production.make("lock", packages))
    refused(production.make("plan", "TIER=state", named), f"has no providers of {TOFU_HOST}")
    succeeded(production.make("lock", packages, named))
    blocks = re.findall(r'provider "(\S+)" \{(.*?)\n\}', lock.read_text(), re.S)
    assert [address for address, _ in blocks] == [
        f"{host}/hashicorp/{name}" for host in hosts for name in ("aws", "helm")
    ]
    assert all(len(set(re.findall(r'"(h1:\S+)"', body))) == len(PLATFORMS) for _, body in blocks)

    succeeded(production.make("plan", "TIER=state"))
    succeeded(production.make("apply", "TIER=state", APPROVE="yes"))
    placed = production.stack("state") / ".terraform.lock.hcl"
    assert TERRAFORM_HOST in placed.read_text()
    output = succeeded(production.make("plan", "TIER=state", named))
    assert f"Terraform wrote the state {PROJECTS}/state/terraform.tfstate" in output
    assert TOFU_HOST in placed.read_text()

    # In the format of OpenTofu.
    key = f"{PROJECTS}/state/terraform.tfstate"
    text = json.dumps(production.state("state")).replace(TERRAFORM_HOST, TOFU_HOST)
    production.aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=text.encode())
    run = production.make("plan", "TIER=state")
    refused(run, f"OpenTofu wrote the state {key}, and this is Terraform")
    [commands] = re.findall(
        r"(?m)^((?: {4}.*\n)+)", (ROOT / "docs" / "opentofu.md").read_text().split("## Move back")[1]
    )
    done = production.shell(
        commands.replace("    ", "").replace("ENV=production", "ENV=production; TIERS=state")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert TOFU_HOST not in json.dumps(production.state("state"))
    succeeded(production.make("plan", "TIER=state"))


def test_every_workflow_job_uses_the_program_of_the_repository() -> None:
    text = (ROOT / "templates/delivery/infrastructure-environment.yml").read_text()
    for job in re.split(r"(?m)^  (?=\w+:$)", text.split("\njobs:\n")[1]):
        assert ("TERRAFORM: ${{ vars.TERRAFORM }}" in job) == ("ENV: ${{ inputs.environment }}" in job)
    assert text.count("vars.TERRAFORM") == 3
