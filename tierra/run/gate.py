"""Policies of the company: every executable file of `policy/` runs with the JSON of each plan, prints its
findings, and forbids the plan with an exit code other than 0. It can be any program, such as a script that
calls conftest or checkov; docs/decisions/0010-policy-gate.md.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from tierra.report.findings import POLICY, Finding
from tierra.run.workspace import Tier

FOLDER = Path("policy")
SECONDS = 600
MOST = 40  # lines of one policy about one plan
LONGEST = 400  # characters of a line


def policies() -> list[Path]:
    """The executable files of the folder, by name; their data, such as rego, is beside them."""
    files = sorted(FOLDER.iterdir()) if FOLDER.is_dir() else []
    return [file for file in files if file.is_file() and os.access(file, os.X_OK)]


def findings(tiers: Iterable[Tier]) -> list[Finding]:
    """The findings of the policies about the saved plans of these tiers; critical if a plan is forbidden."""
    programs = policies()
    return [
        line
        for tier in tiers
        if programs and tier.plan_json.exists()
        for policy in programs
        for line in _answer(policy, tier)
    ]


def _answer(policy: Path, tier: Tier) -> Iterator[Finding]:
    lines, reason = _run(policy, tier)
    shown = [_plain(line) for line in lines[:MOST]]
    if len(lines) > MOST:
        shown.append(f"… {len(lines) - MOST} more lines")
    if reason or shown:
        action = "forbids" if reason else "reports"
        marked = tuple(f"~ {line}" for line in shown)
        yield Finding(POLICY, tier.name, policy.as_posix(), action, reason, marked, bool(reason))


def _run(policy: Path, tier: Tier) -> tuple[list[str], str]:
    """The output, and the reason why the plan is forbidden; empty if it is allowed."""
    workspace = tier.workspace
    environment = {**workspace.variables, "ENV": workspace.environment, "TIER": tier.name}
    try:
        ended = subprocess.run(
            [policy.resolve(), tier.plan_json.resolve()],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [], f"it did not end within {SECONDS // 60} minutes"
    except OSError as error:
        return [], f"it cannot be started ({error.strerror}): begin it with #! and a program, such as /bin/sh"
    lines = [line for line in ended.stdout.decode(errors="replace").splitlines() if line.strip()]
    if ended.returncode == 0:
        return lines, ""
    how = f"signal {-ended.returncode}" if ended.returncode < 0 else f"exit code {ended.returncode}"
    return lines, f"it ended with {how}"


def _plain(line: str) -> str:
    """A line without control sequences."""
    return "".join(letter if letter.isprintable() else " " for letter in line).rstrip()[:LONGEST]
