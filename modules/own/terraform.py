"""Own Terraform: files that users add to a tier, in `environments/<env>/<tier>/`.

    *.tf, *.tf.json     carried into the root module as own_<name>, byte for byte
    files/, modules/    carried as they are, for ${path.module}/files/… and source = "./modules/…"
    charts/*.yaml       releases of charts, translated to Terraform (chart_releases.py)

It may read every resource and data source of its tier by address, and outputs of earlier tiers
by `data.terraform_remote_state.<tier>.outputs.<name>`. It adds and never changes: addresses that Tierra
generates, and a second backend or provider, are refused.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modules.own.blocks import TYPED, Block, Reading, blocks_of, parsed, readings_of, refused
from modules.own.chart_clashes import chart_problems
from modules.own.chart_releases import chart_terraform, namespace_chart
from modules.own.charts import FOLDER as CHARTS
from modules.own.charts import Release, read_chart
from modules.spec import Environment
from tierra.validation.errors import Problem, SpecError
from tierra.validation.messages import choices

PREFIX = "own_"
FOLDERS = ("files", "modules")
INDEX = "own.json"
# The tier with the state bucket is applied before any other, and consists of generated Terraform only.
WITHOUT = "state"


class OwnError(Exception):
    """Problems of own Terraform, by file."""

    def __init__(self, problems: Mapping[str, Sequence[Problem]]) -> None:
        self.problems = problems
        super().__init__(
            "\n\n".join(str(SpecError(file, entries)) for file, entries in sorted(problems.items()))
        )


@dataclass(frozen=True)
class Own:
    """The own Terraform of a tier: `files` by their path in the root module, `sources` by the same paths."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    readings: tuple[Reading, ...] = ()
    releases: tuple[Release, ...] = ()

    @property
    def tiers(self) -> frozenset[str]:
        """Tiers whose outputs it reads."""
        return frozenset(reading.tier for reading in self.readings)

    def index(self) -> dict[str, Any]:
        """Its declarations, as Terraform JSON, and the source of each file."""
        declared: dict[str, Any] = {}
        for kind, labels, body in ((block.kind, block.labels, block.body) for block in self.blocks):
            if kind in TYPED:
                declared.setdefault(kind, {}).setdefault(labels[0], {})[labels[1]] = body
            elif kind in ("output", "module"):
                declared.setdefault(kind, {})[labels[0]] = body
        return {"sources": dict(self.sources), "configuration": declared}


def read(folder: Path, tiers: Sequence[str]) -> dict[str, Own]:
    """The own Terraform of an environment, by tier, without tiers that have none. Raises OwnError with every
    problem of the files themselves."""
    result: dict[str, Own] = {}
    problems: dict[str, list[Problem]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if _ignored(path):
            continue
        if path.is_dir() and path.name in tiers:
            if own := _tier(path, problems):
                result[path.name] = own
        elif path.is_dir() or _terraform(path):
            rule = "own Terraform must be in a folder with the name of its tier"
            possible = [tier for tier in tiers if tier != WITHOUT]
            near = difflib.get_close_matches(path.name, possible, n=1)
            suggestion = f"rename it to {near[0]}; " if near else ""
            remedy = f"{suggestion}the tiers are {', '.join(possible)}"
            problems[path.as_posix()] = [Problem("", "", rule, remedy)]
    if problems:
        raise OwnError(problems)
    return result


def _tier(folder: Path, problems: dict[str, list[Problem]]) -> Own | None:
    files: dict[str, bytes] = {}
    sources: dict[str, str] = {}
    blocks: list[Block] = []
    readings: list[Reading] = []
    releases: list[Release] = []
    for path in sorted(folder.rglob("*")):
        inside, file = path.relative_to(folder), path.as_posix()
        if any(_ignored(Path(part)) for part in inside.parts):
            continue
        if inside.parts[0] == CHARTS and (len(inside.parts) > 1 or path.is_dir()):
            try:
                releases += [read_chart(path, folder.name)] if len(inside.parts) > 1 else []
            except SpecError as refused_chart:
                problems[file] = list(refused_chart.problems)
        elif problem := _misplaced(path, inside, folder.name):
            problems[file] = [problem]
        elif path.is_file() and len(inside.parts) > 1:
            files[inside.as_posix()] = path.read_bytes()
        elif path.is_file():
            name = f"{PREFIX}{path.name}"
            files[name] = path.read_bytes()
            sources[name] = file
            declared, faults = parsed(file, files[name])
            blocks += declared
            readings += readings_of(file, files[name].decode("utf-8", "replace"))
            if faults := [*faults, *(refusal for block in declared for refusal in refused(block))]:
                problems[file] = faults
    for release, body in chart_terraform(releases):
        name = f"{PREFIX}{release.address}.tf.json"
        files[name] = (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()
        sources[name] = release.file
        blocks += [block._replace(line=1) for block in blocks_of(release.file, "", body)]
        readings += readings_of(
            release.file, Path(release.file).read_text(encoding="utf-8", errors="replace")
        )
    if releases:
        files |= namespace_chart()
    return Own(files, sources, tuple(blocks), tuple(readings), tuple(releases)) if files else None


def _ignored(path: Path) -> bool:
    """Files of editors and operating systems."""
    return path.name.startswith(".") or path.name.endswith(("~", ".md"))


def _terraform(path: Path) -> bool:
    return path.name.endswith((".tf", ".tf.json"))


def _misplaced(path: Path, inside: Path, tier: str) -> Problem | None:
    """Why a file is not allowed at its path."""
    if tier == WITHOUT:
        rule = "the tier state must contain only the bucket for the states: it is built before any plan"
        return (
            None if path.is_dir() else Problem("", "", rule, "move the file to another tier, such as storage")
        )
    if path.is_symlink():
        return Problem("", "", "it must be a file, not a link", "put the file itself here")
    if len(inside.parts) > 1 or path.is_dir():
        if inside.parts[0] in FOLDERS:
            return None
        rule = f"a folder of own Terraform must be {choices((*FOLDERS, CHARTS))}"
        return Problem(
            "", "", rule, f"move it to {FOLDERS[0]}/, and refer to ${{path.module}}/{FOLDERS[0]}/…"
        )
    if not _terraform(path):
        rule = "a file beside the folders files and modules must be *.tf or *.tf.json"
        return Problem(
            "", "", rule, f"move it to {FOLDERS[0]}/, and refer to ${{path.module}}/{FOLDERS[0]}/…"
        )
    if re.search(r"(^|_)override\.tf(\.json)?$", path.name):
        rule = "own Terraform must only add: terraform would merge this file over what Tierra generates"
        return Problem("", "", rule, "rename the file; to change what Tierra generates, edit the spec")
    return None


def namespaces(own: Mapping[str, Own]) -> list[str]:
    """Namespaces of own charts."""
    return sorted({release.chart.namespace for tier in own.values() for release in tier.releases})


def check_charts(own: Mapping[str, Own], environment: Environment) -> None:
    """Raises OwnError if own charts do not fit the environment."""
    releases = [release for tier in own.values() for release in tier.releases]
    problems: dict[str, list[Problem]] = {}
    for file, problem in chart_problems(releases, environment):
        problems.setdefault(file, []).append(problem)
    if problems:
        raise OwnError(problems)
