"""`make bench`: speed and memory, each beside its reference or its limit, measured in one run.

synth       all tiers of production in a fresh process, against importing one module of the AWS bindings as
            idiomatic cdktf does
plan        `make plan` of the sandbox with nothing generated yet, and again with nothing changed
spec        the answer to a wrong spec
rehearsal   a plan of many resources on the rehearsal provider
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
RUNS = 3
MANY = 4000
SAMPLE_SECONDS = 0.03


def measured(command: list[str], folder: Path = ROOT, **variables: str) -> tuple[float, float]:
    """Seconds, and the most megabytes that the command and all below it held at one time (Linux only).

    Memory shared by processes counts once (PSS). Raises CalledProcessError when the command exits with
    anything but 0 or 1.
    """
    peak = 0
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        peak = max(peak, sum(kilobytes(pid) for pid in descendants(process.pid)))
        time.sleep(SAMPLE_SECONDS)
    seconds = time.perf_counter() - start
    if process.returncode not in (0, 1):
        raise subprocess.CalledProcessError(process.returncode, command)
    return seconds, peak / 1024


def descendants(pid: int) -> Iterator[int]:
    """The process and all below it."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                yield from descendants(int(child))


def kilobytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def best(measure: Callable[[], tuple[float, float]], runs: int = RUNS) -> tuple[float, float]:
    results = [measure() for _ in range(runs)]
    return min(seconds for seconds, _ in results), max(megabytes for _, megabytes in results)


def synth(scratch: Path) -> tuple[float, float]:
    return best(
        lambda: measured(
            [sys.executable, "-OO", "main.py", "production"], CDKTF_OUTDIR=str(scratch / "production")
        )
    )


def idiomatic() -> tuple[float, float]:
    """Importing `vpc` from the installed bindings, with Node as the project chooses it."""
    code = "from bindings import node; node.use(); import cdktf_cdktf_provider_aws.vpc"
    return best(lambda: measured([sys.executable, "-c", code]), runs=2)


def wrong_spec(scratch: Path) -> tuple[float, float]:
    spec = ROOT / "environments" / "sandbox.yaml"
    copy = scratch / "wrong.yaml"
    copy.write_text(
        spec.read_text().replace("environment: sandbox", "environment: wrong").replace("zones", "zone")
    )
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from modules.errors import SpecError\nfrom modules.spec import load\n"
        "try:\n    load(Path(sys.argv[1]))\nexcept SpecError:\n    sys.exit(1)\nsys.exit(3)"
    )
    return best(lambda: measured([sys.executable, "-c", code, str(copy)]))


def make_plan(scratch: Path, *, fresh: bool) -> tuple[float, float]:
    out = scratch / "plan"
    if fresh:
        shutil.rmtree(out, ignore_errors=True)
    return measured(["make", "plan", f"OUT={out}", f"STATES={scratch / 'states'}"], ENV="sandbox")


def many_resources(scratch: Path) -> tuple[float, float]:
    """terraform's plan of thousands of resources that need no cloud; synthesis is not part of it."""
    folder = scratch / "many"
    folder.mkdir()
    (folder / "main.tf").write_text(
        "terraform {\n  required_providers {\n"
        '    aws = { source = "hashicorp/aws" }\n  }\n}\n'
        'provider "aws" { region = "us-east-1" }\n'
        f'resource "aws_sns_topic" "each" {{\n  count = {MANY}\n  name  = "topic-${{count.index}}"\n}}\n'
    )
    local = ROOT / ".venv" / "bin" / "terraform"
    terraform = str(local) if local.exists() else "terraform"
    settings = {"TF_CLI_CONFIG_FILE": str(ROOT / ".rehearsal" / "terraform.rc")}
    measured([terraform, "init", "-input=false"], folder, **settings)
    return measured([terraform, "plan", "-input=false"], folder, **settings)


def main() -> None:
    rows = Table("what", "measured", "reference or limit", "verdict")

    def row(what: str, value: str, limit: str, kept: bool) -> None:
        rows.add_row(what, value, limit, "kept" if kept else "[red]missed[/red]")

    with tempfile.TemporaryDirectory(prefix="tierra-bench-") as name:
        scratch = Path(name)
        reference, reference_memory = idiomatic()
        seconds, memory = synth(scratch)
        row(
            "synth of production, time",
            f"{seconds:.2f} s",
            f"1/8 of {reference:.1f} s",
            seconds * 8 <= reference,
        )
        row(
            "synth of production, memory",
            f"{memory:.0f} MB",
            f"200 MB ({reference_memory:.0f} MB)",
            memory <= 200,
        )
        cold, _ = make_plan(scratch, fresh=True)
        row("make plan, nothing generated", f"{cold:.1f} s", "45 s", cold <= 45)
        again, _ = make_plan(scratch, fresh=False)
        row("make plan again", f"{again:.1f} s", "20 s", again <= 20)
        wrong, _ = wrong_spec(scratch)
        row("a wrong spec", f"{wrong:.2f} s", "1 s", wrong <= 1)
        many, _ = many_resources(scratch)
        row(f"rehearsed plan of {MANY} resources", f"{many:.1f} s", "20 s", many <= 20)
    Console(highlight=False).print(rows)


if __name__ == "__main__":
    main()
