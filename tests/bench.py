"""`make bench`: speed and memory in ratios to a yardstick, so that a slow or busy machine changes nothing.

The yardstick is the import of one module of the whole AWS bindings, as usual with cdktf. Short measurements
alternate with it, and the median of the ratios counts. Exits with 1 when a limit is missed.

set-up      the first `make plan` of a fresh clone, downloads included, and the size of what it installs
synth       all tiers of production in a fresh process, and how it grows to 300 systems
plan        `make plan` of the sandbox with nothing generated yet, and again with nothing changed
spec        the answer to a wrong spec
rehearsal   a plan of many resources on the rehearsal provider
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import yaml
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
RUNS = 3
SYSTEMS = 300
MANY = 4000
SAMPLE_SECONDS = 0.03

# In yardsticks. Growth is the time of one more resource: 2 ms where the yardstick takes 12 s.
SYNTH = 1 / 12
GROWTH = 0.002 / 12
FRESH_CLONE = 2.2
FIRST_PLAN = 1.64
SAME_PLAN = 0.4
WRONG_SPEC = 1 / 12
REHEARSED = 0.73
MEGABYTES = 120
INSTALLED_MEGABYTES = 400


def measured(command: list[str], folder: Path = ROOT, **variables: str) -> tuple[float, float]:
    """The duration in seconds and the peak memory in megabytes of the command and its children (Linux only).

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
    """A process and all of its descendants."""
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


def yardstick() -> tuple[float, float]:
    """Imports `vpc` from the whole bindings, with the Node that the project uses."""
    code = "from tierra.bindings import node; node.use(); import cdktf_cdktf_provider_aws.vpc"
    whole = Path(sys.prefix, "whole")
    return measured([sys.executable, "-c", code], PYTHONPATH=f"{ROOT}{os.pathsep}{whole}")


def synth(name: str, folder: Path) -> tuple[float, float]:
    return measured([sys.executable, "-OO", "main.py", name], CDKTF_OUTDIR=str(folder))


def large_spec(scratch: Path) -> str:
    """Writes a spec of production with many systems and returns its name."""
    spec = yaml.safe_load((ROOT / "environments" / "production.yaml").read_text(encoding="utf-8"))
    spec["systems"] = {f"s{number:03}": {"framework": "fastapi"} for number in range(SYSTEMS)}
    spec.setdefault("compute", {})["nodes"] = {"min": 3, "max": 160}
    spec["delivery"].pop("promote_from", None)  # the source environment of promotions does not exist there
    path = scratch / "large" / "production.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(spec))
    return str(path.with_suffix(""))


def resources(folder: Path) -> int:
    """The number of resources in the root modules of an output folder."""
    roots = [json.loads(path.read_text()) for path in folder.glob("stacks/*/cdk.tf.json")]
    return sum(len(named) for root in roots for named in root["resource"].values())


def wrong_spec(scratch: Path) -> tuple[float, float]:
    spec = ROOT / "environments" / "sandbox.yaml"
    copy = scratch / "wrong.yaml"
    copy.write_text(
        spec.read_text().replace("environment: sandbox", "environment: wrong").replace("zones", "zone")
    )
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from tierra.validation.errors import SpecError\nfrom modules.loader import load\n"
        "try:\n    load(Path(sys.argv[1]))\nexcept SpecError:\n    sys.exit(1)\nsys.exit(3)"
    )
    return measured([sys.executable, "-c", code, str(copy)])


def make_plan(scratch: Path, *, fresh: bool) -> tuple[float, float]:
    out = scratch / "plan"
    if fresh:
        shutil.rmtree(out, ignore_errors=True)
    return measured(["make", "plan", f"OUT={out}", f"STATES={scratch / 'states'}"], ENV="sandbox")


def fresh_clone(scratch: Path) -> tuple[float, float]:
    """The duration of the first `make plan` of a clone in seconds, and the size of its `.venv` in
    megabytes."""
    folder = scratch / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    seconds, _ = measured(["make", "plan"], folder)
    files = [file for file in (folder / ".venv").rglob("*") if file.is_file() and not file.is_symlink()]
    return seconds, sum(file.stat().st_blocks for file in files) * 512 / 1024**2


def many_resources(scratch: Path) -> tuple[float, float]:
    """The duration of a plan of thousands of resources that need no cloud, without synthesis."""
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


def main() -> int:
    """The exit code: 1 if a limit is missed."""
    rows = Table("what", "measured", "in yardsticks", "limit", "verdict")
    missed = []

    def row(what: str, value: str, ratio: float, limit: float) -> None:
        if ratio > limit:
            missed.append(what)
        verdict = "[red]missed[/red]" if ratio > limit else "kept"
        rows.add_row(what, value, f"{ratio:.4g}", f"{limit:.4g}", verdict)

    def size(what: str, megabytes: float, limit: int) -> None:
        if megabytes > limit:
            missed.append(what)
        verdict = "[red]missed[/red]" if megabytes > limit else "kept"
        rows.add_row(what, f"{megabytes:.0f} MB", "", f"{limit} MB", verdict)

    with tempfile.TemporaryDirectory(prefix="tierra-bench-") as name:
        scratch = Path(name)
        small, large, spec = scratch / "small", scratch / "many-systems", large_spec(scratch)
        kinds: dict[str, Callable[[], tuple[float, float]]] = {
            "synth": lambda: synth("production", small),
            "large": lambda: synth(spec, large),
            "plan": lambda: make_plan(scratch, fresh=False),
            "wrong": lambda: wrong_spec(scratch),
        }
        clone, installed = fresh_clone(scratch)
        cold, _ = make_plan(scratch, fresh=True)
        many, _ = many_resources(scratch)
        yards: list[tuple[float, float]] = []
        runs: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
        for _ in range(RUNS):
            yards.append(yardstick())
            for kind, measure in kinds.items():
                runs[kind].append(measure())
        yard = median(seconds for seconds, _ in yards)
        seconds = {kind: median(each for each, _ in samples) for kind, samples in runs.items()}
        ratio = {
            kind: median(mine / theirs for (mine, _), (theirs, _) in zip(samples, yards, strict=True))
            for kind, samples in runs.items()
        }
        memory = max(megabytes for _, megabytes in runs["synth"])
        more = resources(large) - resources(small)
        if more <= 0:
            raise RuntimeError(f"the spec with {SYSTEMS} systems was refused: python main.py {spec} says why")
        growth = (seconds["large"] - seconds["synth"]) / more
        row("synth of production", f"{seconds['synth']:.2f} s", ratio["synth"], SYNTH)
        row(
            f"one more resource, to {SYSTEMS} systems ({more} more)",
            f"{growth * 1000:.2f} ms",
            (ratio["large"] - ratio["synth"]) / more,
            GROWTH,
        )
        row("first make plan of a clone", f"{clone:.0f} s", clone / yard, FRESH_CLONE)
        row("make plan, nothing generated", f"{cold:.1f} s", cold / yard, FIRST_PLAN)
        row("make plan, nothing changed", f"{seconds['plan']:.1f} s", ratio["plan"], SAME_PLAN)
        row("a wrong spec", f"{seconds['wrong']:.2f} s", ratio["wrong"], WRONG_SPEC)
        row(f"rehearsed plan of {MANY} resources", f"{many:.1f} s", many / yard, REHEARSED)
        size("synth of production, memory", memory, MEGABYTES)
        size("what set-up installs", installed, INSTALLED_MEGABYTES)
    console = Console(highlight=False)
    console.print(f"the yardstick: importing one module of the whole bindings takes {yard:.1f} s")
    console.print(rows)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
