"""Saved plans: what each was made of, and whether it may still be applied.

    python -m review.saved seal STACK TARGET                           right after a plan was made and shown
    python -m review.saved check ENV OUT TARGET HOURS REPORT TIER…     before anything is applied

A seal is the file `plan.seal` beside the plan, with the checksums of the plan, of the configuration and of
what else was read; review.report puts all seals into the report. A plan is applied only if everything is as
it was sealed, the plan is the one in the report, and it is not too old.
"""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SEAL = "plan.seal"
FILES = {"plan": "plan.tfplan", "shown": "plan.json", "configuration": "plan.config"}


def main() -> int:
    if sys.argv[1] == "seal":
        try:
            seal(Path(sys.argv[2]), sys.argv[3])
        except (OSError, ValueError) as error:  # terraform does not notice when it cannot write its JSON
            sys.stderr.write(f"Error: the plan was not saved whole: no space left on device? ({error})\n")
            return 1
        return 0
    environment, out, target, hours, report, *tiers = sys.argv[2:]
    refused = [
        f"apply: {reason}: run make plan ENV={environment}"
        for tier in tiers
        if (reason := fault(Path(out, "stacks", tier), target, int(hours), Path(report)))
    ]
    sys.stderr.write("".join(f"{line}\n" for line in refused))
    return 1 if refused else 0


def seal(stack: Path, target: str) -> None:
    """Writes the seal of a plan, last: a plan without one was not finished."""
    plan = json.loads((stack / FILES["shown"]).read_text())
    sealed = {name: checksum(stack / file) for name, file in FILES.items()} | {
        "carried": carried(stack),
        "terraform": plan["terraform_version"],
        "made": plan["timestamp"],
        "target": target,
    }
    temporary = stack / f"{SEAL}.new"
    temporary.write_text(json.dumps(sealed, indent=2) + "\n")
    temporary.replace(stack / SEAL)


def seals(out: Path) -> dict[str, dict[str, Any]]:
    """The seals of all saved plans of an environment, by tier."""
    return {file.parent.name: json.loads(file.read_text()) for file in sorted(out.glob(f"stacks/*/{SEAL}"))}


def fault(stack: Path, target: str, hours: int, report: Path) -> str:
    """Why the plan of a tier may not be applied; empty when it may, or when there is nothing to apply or the
    tier will be planned anew."""
    if (stack / "applied").exists() or (stack / "forecast").exists():
        return ""
    if not all((stack / file).exists() for file in (SEAL, *FILES.values())):
        return f"{stack.name} has no saved plan"
    sealed = json.loads((stack / SEAL).read_text())
    whole = f"the saved plan of {stack.name}"
    if sealed["configuration"] != checksum(stack / "cdk.tf.json") or sealed["carried"] != carried(stack):
        return f"{whole} is older than its configuration"
    if any(sealed[name] != checksum(stack / file) for name, file in FILES.items()):
        return f"{whole} is not the one that was made by make plan"
    reviewed = json.loads(report.read_text())["plans"].get(stack.name) if report.exists() else None
    if reviewed is not None and reviewed["plan"] != sealed["plan"]:
        return f"{whole} is not the one that was reviewed ({report.as_posix()} has another checksum)"
    if sealed["target"] != target:
        return f"{whole} was made for target: {sealed['target']}"
    made = datetime.fromisoformat(sealed["made"])
    if datetime.now(UTC) - made > timedelta(hours=hours):
        return f"{whole} is of {made:%Y-%m-%d %H:%M} UTC, older than {hours} hours (state.plan_hours)"
    return ""


def checksum(file: Path) -> str:
    """The SHA-256 of a file, as sha256sum prints it."""
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def carried(stack: Path) -> str:
    """One checksum of all files that lie beside the configuration for terraform and its providers to read."""
    charts = sorted(path for path in stack.glob("charts/**/*") if path.is_file())
    others = sorted({*stack.glob("*.tf"), *stack.glob("*.tf.json"), *stack.glob("*.tfvars*")})
    whole = hashlib.sha256()
    for file in (*charts, *(other for other in others if other.name != "cdk.tf.json")):
        whole.update(f"{file.relative_to(stack).as_posix()}\0{checksum(file)}\n".encode())
    return whole.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
