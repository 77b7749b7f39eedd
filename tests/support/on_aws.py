"""A project whose production has `target: aws`: real make and terraform, an S3 API, the embedded provider."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from support.pretend_aws import ACCOUNT, Aws
from support.project import ROOT, Project, copy, without_make

BUCKET = f"acme-production-{ACCOUNT}-state"
PROJECTS = "acme/production"
# Fewer retries of S3 requests than the default. The states of forecasts and bootstraps are files.
IMPATIENT = 'init) exec terraform "$@" -backend-config=max_retries=2;;'


class Production(Project):
    """A project whose make uses the simulated account and creates resources with the embedded provider.

    It is a copy of `source`, if given.
    """

    def __init__(self, folder: Path, aws: Aws, source: Path | None = None) -> None:
        if source is None:
            super().__init__(folder)
            # A copy: make removes the embedded provider's own file from the variables of environments on AWS.
            settings = (ROOT / ".rehearsal" / "terraform.rc").read_text()
            (folder / "terraform.rc").write_text(settings)
        else:
            self.folder = folder
            copy(source, folder)
        self.aws = aws
        self.cloud = folder / "cloud.sqlite"
        aws.clouds.append(self.cloud)
        self.variables = aws.variables()

    @property
    def environment(self) -> dict[str, str]:
        settings = {
            "ENV": "production",
            "TF_CLI_CONFIG_FILE": str(self.folder / "terraform.rc"),
            "REHEARSAL_CLOUD": str(self.cloud),
            "REHEARSAL_CONFIGURED": "yes",
            "HOME": str(self.folder),
            "LOCK_TIMEOUT": "0s",
        }
        variables = without_make().items()
        inherited = {name: value for name, value in variables if not name.startswith(("AWS_", "TF_"))}
        return inherited | settings | self.variables

    def make(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **variables)
        output, errors = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["make", *arguments],
            cwd=self.folder,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )

    def terraform(self, *cases: str) -> None:
        """Replaces terraform by a shell script. `cases` are cases by its command, for root modules of tiers:
        `plan) exec terraform "$@" -target=…;;`."""
        program = self.folder / "terraform-with-options"
        here = "-chdir=cdktf.out/production/stacks/*"
        lines = ["#!/bin/sh", f"case $1 in {here}) case $2 in", *cases, "esac;; esac", 'exec terraform "$@"']
        program.write_text("\n".join(lines) + "\n")
        program.chmod(0o755)
        self.variables["TERRAFORM"] = str(program)

    def create_bucket(self) -> None:
        """Creates the bucket for the states, as make bootstrap does."""
        self.aws.client("s3").create_bucket(Bucket=BUCKET)

    def stack(self, tier: str) -> Path:
        return self.folder / "cdktf.out" / "production" / "stacks" / tier

    def state(self, tier: str) -> dict[str, Any]:
        """The state of a tier in the bucket; one without resources if there is none."""
        s3 = self.aws.client("s3")
        try:
            content = s3.get_object(Bucket=BUCKET, Key=f"{PROJECTS}/{tier}/terraform.tfstate")["Body"].read()
        except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
            return {"resources": []}
        state: dict[str, Any] = json.loads(content)
        return state

    def recorded(self, tier: str) -> set[str]:
        """The addresses of the managed resources in the state of a tier."""
        resources = [resource for resource in self.state(tier)["resources"] if resource["mode"] == "managed"]
        return {f"{resource['type']}.{resource['name']}" for resource in resources}

    def locks(self) -> list[str]:
        """The keys of the lock files in the bucket."""
        objects = self.aws.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [each["Key"] for each in objects if each["Key"].endswith(".tflock")]


def planned(folder: Path, aws: Aws) -> None:
    """Creates a project in which the smallest tier is planned, for tests to copy."""
    production = Production(folder, aws)
    production.create_bucket()
    production.terraform(IMPATIENT)
    run = production.make("plan", "TIER=state")
    assert run.returncode == 0, run.stdout + run.stderr


def kill_terraform(process: subprocess.Popen[str], verb: str) -> None:
    """Sends SIGKILL to the terraform that a make started, and to no other process."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for pid in _session(process.pid):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if os.path.basename(words[0]) == b"terraform" and verb.encode() in words:
                os.kill(pid, signal.SIGKILL)
                return
        time.sleep(0.01)
    raise AssertionError("terraform does not run")


def _session(leader: int) -> list[int]:
    pids = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            pids.append(int(status.parent.name))
    return pids
