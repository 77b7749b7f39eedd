"""A checkout of the project in which a test runs make."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.sharing import compile_sources, existing, once

ROOT = Path(__file__).resolve().parents[2]


# Files of the embedded provider in .rehearsal.
PROVIDER = ("catalog.sqlite", "mirror", "python", "terraform.rc")


UNCOPIED = (
    ".git",
    ".venv",
    ".lean",
    ".rehearsal",
    "cdktf.out",
    ".*_cache",
    "*-pytest-*",
    ".hypothesis",
    "golden",
)


# Folders that no test changes, linked instead of copied.
CODE = (
    "docs",
    "examples",
    "modules",
    "rehearsal",
    "requirements",
    "templates",
    "tests",
    "tierra",
    "tools",
)


def without_make() -> dict[str, str]:
    """The environment variables without those that make sets."""
    of_make = ("ENV", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    return {name: value for name, value in os.environ.items() if name not in of_make}


class Project:
    """A copy of the repository with links to its installed tools, in which a test runs make."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        copy(once("checkout", _check_out), folder)

    def make(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env=without_make() | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )

    def report(self, environment: str = "sandbox") -> dict[str, dict[str, int]]:
        text = (self.folder / "cdktf.out" / environment / "report.json").read_text()
        report = json.loads(text)
        assert report["environment"] == environment
        return {
            name: {key: count for key, count in tier.items() if key != "cost"}
            for name, tier in report["tiers"].items()
        }

    def actions(self, environment: str = "sandbox") -> dict[str, list[str]]:
        """The actions of the saved plans by tier and address, without unchanged resources."""
        plans = (self.folder / "cdktf.out" / environment / "stacks").glob("*/plan.json")
        return {
            f"{file.parent.name}: {change['address']}": change["change"]["actions"]
            for file in plans
            for change in json.loads(file.read_text())["resource_changes"]
            if change["change"]["actions"] not in (["no-op"], ["read"])
        }

    def edit(self, old: str, new: str, environment: str = "sandbox") -> None:
        spec = self.folder / "environments" / f"{environment}.yaml"
        text = spec.read_text()
        assert old in text
        spec.write_text(text.replace(old, new))

    def write(self, spec: Mapping[str, Any]) -> None:
        """Replaces the spec of the sandbox."""
        text = yaml.safe_dump(dict(spec), sort_keys=False, allow_unicode=True)
        (self.folder / "environments" / "sandbox.yaml").write_text(text, encoding="utf-8")

    def addresses(self, environment: str = "sandbox") -> set[str]:
        """Every managed resource in the local states, as tier: address."""
        return {
            f"{file.stem}: {resource['type']}.{resource['name']}"
            for file in (self.folder / ".rehearsal" / environment).glob("*.tfstate")
            for resource in json.loads(file.read_text())["resources"]
            if resource["mode"] == "managed"
        }


class Copy(Project):
    """A copy of another project with the files that make wrote there."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.folder = folder
        copy(source, folder)


def copy(source: Path, folder: Path) -> None:
    """Copies a checkout. Its code is linked, which takes a fifth of the time: tests must not write to it."""

    def place(file: str, target: str) -> None:
        linked = Path(file).relative_to(source).parts[0] in CODE
        (os.link if linked else shutil.copy2)(file, target)

    shutil.copytree(source, folder, symlinks=True, copy_function=place)


def _check_out(folder: Path) -> None:
    compile_sources()
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*UNCOPIED))
    for name in (".venv", ".lean"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".rehearsal").mkdir()
    for name in PROVIDER:
        (folder / ".rehearsal" / name).symlink_to(ROOT / ".rehearsal" / name)


@pytest.fixture(scope="session", autouse=True)
def _code_is_unchanged() -> Iterator[None]:
    """Fails if a test wrote to the code that the checkouts of all tests share."""
    yield
    checkout = existing("checkout")
    if checkout is None:
        return
    for name in CODE:
        for file in (checkout / name).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                original = ROOT / file.relative_to(checkout)
                assert file.read_bytes() == original.read_bytes(), f"{original}: a test wrote to a link of it"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A checkout in which the sandbox is synthesized but not planned."""
    return Copy(tmp_path / "tierra", synthesized())


PLAN_OUTPUT = "plan.txt"  # of make plan, in the checkout that `planned` returns


def synthesized() -> Path:
    return once("synthesized", lambda folder: succeeded(Project(folder).make("synth")))


def planned() -> Path:
    """A checkout in which the sandbox is planned, for tests to copy."""
    return once("planned", _plan)


def _plan(folder: Path) -> None:
    output = succeeded(Copy(folder, synthesized()).make("plan"))
    (folder / PLAN_OUTPUT).write_text(output)


def applied() -> Path:
    """A checkout in which all tiers of the sandbox are applied, for tests to copy."""
    return once("applied", lambda folder: succeeded(Copy(folder, planned()).make("apply", APPROVE="yes")))


def succeeded(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return run.stdout


def refused(run: subprocess.CompletedProcess[str], message: str) -> None:
    assert run.returncode in (1, 2)
    assert message in run.stderr
    assert "Traceback" not in run.stderr
