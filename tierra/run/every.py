"""`make plan ENV=all`: one command for every environment of this checkout, one after another.

    python -m tierra.run.every VERB MAKE

Wrong specs, and specs that conflict with each other, are refused before anything is done. Each environment
runs in its own make; a failure does not stop the others. The last lines show the result of each. Exit code 0,
or 1 if one failed or, for drift, differs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tierra.run.rehearse import OURS
from tierra.specs import Refused, all_environments
from tierra.validation.messages import choices

# Read-only commands, and the file with their verdict.
VERBS = {
    "synth": "",
    "init": "",
    "validate": "",
    "plan": "report.json",
    "drift": "drift.json",
    "diagram": "",
    "hcl": "",
}
KEPT = ("TIER",)


def main() -> int:
    verbs, make = sys.argv[1].split(), sys.argv[2]
    try:
        environments = [environment_.environment for environment_ in all_environments()]
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    if refused_verbs := [verb for verb in verbs if verb not in VERBS]:
        print(refusal(refused_verbs[0], environments), file=sys.stderr)
        return 1
    failed = False
    for verb in verbs:
        results = {name: _run(make, verb, name) for name in environments}
        print(f"\n{verb} of {len(results)} environments")
        width = max(map(len, results), default=0)
        for name, (code, description) in results.items():
            print(f"  {name:{width}}  {description}")
            failed |= code != 0
    return int(failed)


def refusal(verb: str, environments: list[str]) -> str:
    """Why a command is not run for every environment."""
    return (
        f"{verb}: ENV=all\n"
        f"  rule:   ENV=all must be used only with commands that change nothing: {choices(VERBS)};"
        " changes are approved for one environment at a time\n"
        f"  remedy: name one, as in make {verb} ENV={environments[0] if environments else 'sandbox'}"
    )


def _run(make: str, verb: str, environment: str) -> tuple[int, str]:
    """The exit code, and its description."""
    print(f"\n=== {verb} ENV={environment}", flush=True)
    dry = "n" in os.environ.get("MAKEFLAGS", "").split(" ")[0]
    variables = {name: value for name, value in os.environ.items() if name not in OURS or name in KEPT}
    out = Path("cdktf.out", *(["rehearsal"] if os.environ.get("REHEARSE") == "yes" else []), environment)
    verdict = out / VERBS[verb] if VERBS[verb] else None
    command = [make, *(["-n"] if dry else []), verb, f"ENV={environment}"]
    code = subprocess.run(
        command, env={**variables, "ENV": environment}, stdin=subprocess.DEVNULL, check=False
    ).returncode
    return code, _result(code, None if dry else verdict)


def _result(code: int, verdict: Path | None) -> str:
    result = json.loads(verdict.read_text(encoding="utf-8")) if verdict and verdict.exists() else {}
    if code and result.get("verdict") != "drift":
        return "failed; the cause is above"
    return str(result.get("verdict_line") or result.get("verdict") or "done")


if __name__ == "__main__":
    sys.exit(main())
