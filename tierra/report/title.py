"""The head of a report: the target of the plans, their time, and their sources."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tierra.bindings.terraform import TERRAFORM, planned
from tierra.plans.changes import CONFIGURATION, PLAN, read_plan

ROOT = Path(__file__).resolve().parents[2]
REHEARSAL = "rehearsal"
LOCK, GENERATED = ".terraform.lock.hcl", "cdk.tf.json"
MOST_LINES = 200  # of the diff between a spec and its commit


def title(folder: Path, tiers: list[str], environment: str, root: Path = ROOT) -> dict[str, Any]:
    """The head of the report on the saved plans in an output folder; unknown values are empty.

    - `environment`, `account`, `region`
    - `target`: `aws` or `rehearsal`
    - `made`: when the first and the last plan was made, in UTC
    - `spec`: its `path`, the `commit` that is checked out, whether the spec was `edited` since (null where
      git cannot tell), and the `diff`
    - `terraform` (of OpenTofu with its name), `providers` by name, `tierra`: versions
    """
    stacks = [folder / "stacks" / tier for tier in tiers]
    plans = [read_plan(stack / PLAN) for stack in stacks]
    provider = next(filter(None, map(_provider, stacks)), {})
    times = sorted(plan["timestamp"] for plan in plans if isinstance(plan.get("timestamp"), str))
    accounts = provider.get("allowed_account_ids") or [""]
    return {
        "environment": environment,
        "account": str(accounts[0]),
        "region": str(provider.get("region", "")),
        "target": _target(folder, stacks),
        "made": [times[0], times[-1]] if times else [],
        "spec": spec(f"environments/{environment}.yaml", root),
        "terraform": ", ".join(sorted({_program(plan) for plan in plans if "terraform_version" in plan})),
        "providers": dict(sorted(pair for stack in stacks for pair in _versions(stack))),
        "tierra": _tierra(root),
    }


def _program(plan: Mapping[str, Any]) -> str:
    """`1.14.0`, or `OpenTofu 1.11.1`."""
    name = "" if planned(plan) == TERRAFORM else f"{planned(plan)} "
    return f"{name}{plan['terraform_version']}"


def spec(path: str, root: Path) -> dict[str, Any]:
    """The facts of git about a spec; empty without git, repository or commit."""
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    result: dict[str, Any] = {"path": path, "commit": (commit or "").strip(), "edited": None, "diff": ""}
    if not commit or not (root / path).exists():
        return result
    known = _git(root, "ls-files", "--", path)
    diff = _git(root, "diff", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD", "--", path)
    if known == "":
        return {**result, "edited": True, "diff": "(the commit does not have this file)"}
    if known is None or diff is None:
        return result
    lines = [line for line in diff.splitlines() if not line.startswith(("diff --git", "index "))]
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"… {len(lines) - MOST_LINES} more lines"]
    return {**result, "edited": bool(lines), "diff": "\n".join(lines)}


def _git(root: Path, *arguments: str) -> str | None:
    """The output of git; None if it fails, or is not installed."""
    try:
        ended = subprocess.run(
            ["git", *arguments],
            cwd=root,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError:
        return None
    return ended.stdout if ended.returncode == 0 else None


def _provider(stack: Path) -> Mapping[str, Any]:
    """The block of the AWS provider in the planned configuration."""
    blocks = _configuration(stack).get("provider", {}).get("aws") or [{}]
    first: Mapping[str, Any] = blocks[0] if isinstance(blocks, list) else blocks
    return first


def _configuration(stack: Path) -> dict[str, Any]:
    return read_plan(stack / CONFIGURATION) or read_plan(stack / GENERATED)


def _target(folder: Path, stacks: list[Path]) -> str:
    """The target in the seals of the plans; for a forecast, which has no seal, that of the folder."""
    for stack in stacks:
        if (stack / "plan.seal").exists():
            return str(json.loads((stack / "plan.seal").read_text(encoding="utf-8")).get("target", ""))
    file = folder / "target"
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""


def _versions(stack: Path) -> Iterator[tuple[str, str]]:
    """Providers by name: those that terraform chose, or else those that the configuration requires."""
    lock = stack / LOCK
    chosen = r'provider "[^"]*/([^"/]+)" \{\s*version\s*=\s*"([^"]+)"'
    versions = re.findall(chosen, lock.read_text(encoding="utf-8")) if lock.exists() else []
    if versions:
        yield from versions
        return
    wanted = _configuration(stack).get("terraform", {}).get("required_providers", {})
    yield from (
        (name, str(provider["version"])) for name, provider in wanted.items() if "version" in provider
    )


def _tierra(root: Path) -> str:
    project = root / "pyproject.toml"
    project_table = tomllib.loads(project.read_text(encoding="utf-8")) if project.exists() else {}
    return str(project_table.get("project", {}).get("version", ""))
