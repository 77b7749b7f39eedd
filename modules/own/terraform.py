"""Own Terraform: files that users add to a tier, in `environments/<env>/<tier>/`.

    *.tf, *.tf.json     carried into the root module as own_<name>, byte for byte
    files/, modules/    carried as they are, for ${path.module}/files/… and source = "./modules/…"
    charts/*.yaml       releases of charts, each made Terraform (own_charts.py)

It may read every resource and data source of its tier by address, and outputs of earlier tiers
by `data.terraform_remote_state.<tier>.outputs.<name>`. It adds and never changes: addresses that Tierra
generates, and a second backend or provider, are refused.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from modules.own import charts as own_charts
from modules.spec import Environment
from tierra.validation.errors import Problem, SpecError
from tierra.validation.messages import choices, short

PREFIX = "own_"
FOLDERS = ("files", "modules")
INDEX = "own.json"
# The tier with the state bucket is applied before any other, and consists of generated Terraform only.
WITHOUT = "state"
# Blocks with a type and a name, with a name, and without.
TYPED = ("resource", "data", "ephemeral")
NAMED = ("output", "module", "variable", "check", "provider")
PLAIN = ("locals", "moved", "import", "removed", "terraform")
READ = re.compile(r"data\.terraform_remote_state\.(\w+)(?:\.outputs\.([a-zA-Z_]\w*))?")
BUILT_IN = "terraform"  # the provider of terraform_data


class OwnError(Exception):
    """Problems of own Terraform, by file."""

    def __init__(self, problems: Mapping[str, Sequence[Problem]]) -> None:
        self.problems = problems
        super().__init__("\n\n".join(str(SpecError(file, found)) for file, found in sorted(problems.items())))


class Block(NamedTuple):
    """A block of a file: `resource`, its labels, its arguments and the line on which it begins."""

    file: str
    kind: str
    labels: tuple[str, ...]
    body: Mapping[str, Any]
    line: int

    @property
    def address(self) -> str:
        """As terraform writes it."""
        return ".".join(([] if self.kind == "resource" else [self.kind]) + list(self.labels))


class Reading(NamedTuple):
    """A value of another tier that a file reads, and on which line. `output` is empty for all of them."""

    file: str
    tier: str
    output: str
    line: int


@dataclass(frozen=True)
class Own:
    """The own Terraform of a tier: `files` by their path in the root module, `sources` by the same paths."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    readings: tuple[Reading, ...] = ()
    releases: tuple[own_charts.Release, ...] = ()

    @property
    def tiers(self) -> frozenset[str]:
        """Tiers whose outputs it reads."""
        return frozenset(each.tier for each in self.readings)

    def index(self) -> dict[str, Any]:
        """Its declarations, as Terraform JSON, and the source of each file."""
        declared: dict[str, Any] = {}
        for kind, labels, body in ((each.kind, each.labels, each.body) for each in self.blocks):
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
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if _ignored(place):
            continue
        if place.is_dir() and place.name in tiers:
            if own := _tier(place, problems):
                result[place.name] = own
        elif place.is_dir() or _terraform(place):
            rule = "own Terraform must be in a folder with the name of its tier"
            near = difflib.get_close_matches(place.name, tiers, n=1)
            meant = f"rename it to {near[0]}; " if near else ""
            remedy = f"{meant}the tiers are {', '.join(tiers)}"
            problems[place.as_posix()] = [Problem("", "", rule, remedy)]
    if problems:
        raise OwnError(problems)
    return result


def _tier(folder: Path, problems: dict[str, list[Problem]]) -> Own | None:
    files: dict[str, bytes] = {}
    sources: dict[str, str] = {}
    blocks: list[Block] = []
    readings: list[Reading] = []
    releases: list[own_charts.Release] = []
    for path in sorted(folder.rglob("*")):
        inside, file = path.relative_to(folder), path.as_posix()
        if any(_ignored(Path(part)) for part in inside.parts):
            continue
        if inside.parts[0] == own_charts.FOLDER and (len(inside.parts) > 1 or path.is_dir()):
            try:
                releases += [own_charts.read(path, folder.name)] if len(inside.parts) > 1 else []
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
            made, refused = _parsed(file, files[name])
            blocks += made
            readings += _readings(file, files[name].decode("utf-8", "replace"))
            if refused := [*refused, *(found for each in made for found in _refused(each))]:
                problems[file] = refused
    for release, body in own_charts.terraform(releases):
        name = f"{PREFIX}{release.address}.tf.json"
        files[name] = (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()
        sources[name] = release.file
        blocks += [each._replace(line=1) for each in _blocks(release.file, "", body)]
        readings += _readings(release.file, Path(release.file).read_text(encoding="utf-8", errors="replace"))
    if releases:
        files |= own_charts.namespace_chart()
    return Own(files, sources, tuple(blocks), tuple(readings), tuple(releases)) if files else None


def _ignored(path: Path) -> bool:
    """Files of editors and operating systems."""
    return path.name.startswith(".") or path.name.endswith(("~", ".md"))


def _terraform(path: Path) -> bool:
    return path.name.endswith((".tf", ".tf.json"))


def _misplaced(path: Path, inside: Path, tier: str) -> Problem | None:
    """Why a file is not allowed at its path."""
    if tier == WITHOUT:
        rule = "the tier state must hold the bucket of states and nothing else: it is built before any plan"
        return (
            None if path.is_dir() else Problem("", "", rule, "move the file to another tier, such as storage")
        )
    if path.is_symlink():
        return Problem("", "", "it must be a file, not a link", "put the file itself here")
    if len(inside.parts) > 1 or path.is_dir():
        if inside.parts[0] in FOLDERS:
            return None
        rule = f"a folder of own Terraform must be {choices((*FOLDERS, own_charts.FOLDER))}"
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
        return Problem("", "", rule, "rename the file; what Tierra generates is changed in the spec")
    return None


def _parsed(file: str, content: bytes) -> tuple[list[Block], list[Problem]]:
    """The blocks of a file, or why it cannot be read."""
    try:
        text = content.decode("utf-8")
        body = json.loads(text) if file.endswith(".json") else _hcl(text)
        if not isinstance(body, dict):
            raise ValueError("it must be an object")
    except (ValueError, SyntaxError) as error:
        line = getattr(error, "lineno", None) or getattr(error, "line", None)
        says = str(error).splitlines()[0]
        return [], [Problem("", "", f"the file must be Terraform: {says}", "correct it there", line or 0)]
    return list(_blocks(file, text, body)), []


def _hcl(text: str) -> Any:
    """HCL as python-hcl2 reads it. Raises ValueError with the line as `line`."""
    import hcl2  # only where there is HCL: a parser takes its time to load
    from lark.exceptions import LarkError

    options = hcl2.SerializationOptions(
        with_comments=False, explicit_blocks=False, strip_string_quotes=True, preserve_heredocs=False
    )
    try:
        return hcl2.loads(text if text.endswith("\n") else f"{text}\n", serialization_options=options)
    except LarkError as error:
        told = ValueError(str(error))
        told.line = getattr(error, "line", 0)  # type: ignore[attr-defined]
        raise told from None


def _blocks(file: str, text: str, body: Mapping[str, Any]) -> Iterator[Block]:
    for kind, value in body.items():
        depth = 2 if kind in TYPED else 1 if kind in NAMED else 0
        for labels, inner in _labelled(value, depth):
            yield Block(file, kind, labels, _plain(inner), _line(text, kind, labels))


def _labelled(value: Any, depth: int) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Bodies with their labels: HCL and JSON alike may repeat any level as a list."""
    if isinstance(value, list):
        for each in value:
            yield from _labelled(each, depth)
    elif isinstance(value, Mapping) and depth:
        for label, inner in value.items():
            if label != "//":
                for labels, found in _labelled(inner, depth - 1):
                    yield (label, *labels), found
    elif isinstance(value, Mapping):
        yield (), value


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, with the block `lifecycle` as Tierra's own JSON has it."""
    lifecycle = body.get("lifecycle")
    if isinstance(lifecycle, list) and len(lifecycle) == 1:
        return {**body, "lifecycle": lifecycle[0]}
    return dict(body)


def _line(text: str, kind: str, labels: Sequence[str]) -> int:
    """The line on which a block begins; in JSON, that of its name."""
    quoted = "".join(rf'[ \t]+"?{re.escape(label)}"?' for label in labels)
    found = re.search(rf"^[ \t]*{kind}{quoted}[ \t]*{{", text, re.M)
    if not found:
        found = re.search(re.escape(json.dumps(labels[-1] if labels else kind)), text)
    return _number(text, found.start()) if found else 0


def _number(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _readings(file: str, text: str) -> Iterator[Reading]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith(("#", "//")):
            for found in READ.finditer(line):
                yield Reading(file, found[1], found[2] or "", number)


def _refused(block: Block) -> Iterator[Problem]:
    """Why a block can be in no own file."""
    kind, labels, body = block.kind, block.labels, block.body
    written = f"{kind} {' '.join(labels)}".strip()
    if kind == "terraform":
        rule = "own Terraform must not have a block terraform: backend and versions of a tier are Tierra's"
        yield Problem(written, "", rule, "remove the block", block.line)
    elif kind == "provider" and "alias" not in body:
        rule = f"a provider must have an alias: the {labels[0]} without one is Tierra's"
        yield Problem(
            written, "", rule, f"give it an alias, and write provider = {labels[0]}.<alias>", block.line
        )
    elif kind == "variable" and "default" not in body:
        rule = "a variable must have a default: terraform runs without values of variables"
        yield Problem(written, "", rule, "write a default, or a local", block.line)
    elif kind == "data" and labels[0] == "terraform_remote_state":
        rule = (
            "own Terraform must not declare a state: Tierra declares those of its tiers where they are read"
        )
        remedy = (
            "for a tier: remove the block, and read data.terraform_remote_state.<tier>.outputs.<name>; for"
            " anything else: a data source of AWS, such as aws_ssm_parameter"
        )
        yield Problem(block.address, "", rule, remedy, block.line)
    elif kind not in (*TYPED, *NAMED, *PLAIN):
        yield Problem(
            written,
            "",
            f"a block must be one of Terraform's, and {short(kind)} is none",
            "correct it there",
            block.line,
        )


def needs(own: Mapping[str, Own], graph: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """The needs of each tier with those of its own Terraform. `graph` has the needs without.

    Raises OwnError where a tier would read one that is not built before it.
    """
    wanted = dict(graph)
    problems: dict[str, list[Problem]] = {}
    for tier, each in own.items():
        for reading in each.readings:
            problem = _unreadable(tier, reading, wanted)
            if problem:
                problems.setdefault(reading.file, []).append(problem)
            else:
                wanted[tier] = wanted[tier] | {reading.tier}
    if problems:
        raise OwnError(problems)
    return wanted


def _unreadable(tier: str, reading: Reading, graph: Mapping[str, frozenset[str]]) -> Problem | None:
    path = f"data.terraform_remote_state.{reading.tier}"
    if reading.tier not in graph:
        rule, remedy = "the state must be that of a tier", f"the tiers are {', '.join(graph)}"
    elif reading.tier == tier:
        rule = f"a file must not read outputs of its own tier, {tier}"
        remedy = "name the resource itself, such as aws_vpc.main.id"
    elif tier in _upstream(reading.tier, graph):
        rule = f"{tier} must not read {reading.tier}, which is built after it"
        remedy = f"move the file to {reading.tier} or a tier that is built after it"
    elif not reading.output:
        rule = "outputs must be read one by one: a plan waits for exactly those that change"
        remedy = f"write {path}.outputs.<name>"
    else:
        return None
    return Problem(path, "", rule, remedy, reading.line)


def _upstream(tier: str, graph: Mapping[str, frozenset[str]]) -> set[str]:
    """All that a tier needs, directly or through others."""
    found: set[str] = set()
    waiting = [tier]
    while waiting:
        for need in graph.get(waiting.pop(), frozenset()):
            if need not in found:
                found.add(need)
                waiting.append(need)
    return found


def check(own: Mapping[str, Own], generated: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises OwnError where own Terraform clashes with what Tierra generates, or reads what is not there."""
    problems: dict[str, list[Problem]] = {}
    for tier, each in own.items():
        if tier in generated:
            for file, problem in (*_clashes(each, generated[tier]), *_missing(each, own, generated)):
                problems.setdefault(file, []).append(problem)
    if problems:
        raise OwnError(problems)


def namespaces(own: Mapping[str, Own]) -> list[str]:
    """Namespaces of own charts."""
    return sorted({each.chart.namespace for tier in own.values() for each in tier.releases})


def check_charts(own: Mapping[str, Own], environment: Environment) -> None:
    """Raises OwnError if own charts do not fit the environment."""
    releases = [each for tier in own.values() for each in tier.releases]
    problems: dict[str, list[Problem]] = {}
    for file, problem in own_charts.unfit(releases, environment):
        problems.setdefault(file, []).append(problem)
    if problems:
        raise OwnError(problems)


def _clashes(own: Own, body: Mapping[str, Any]) -> Iterator[tuple[str, Problem]]:
    providers = body["terraform"]["required_providers"]
    first: dict[str, Block] = {}
    for block in own.blocks:
        labels = block.labels
        if block.kind in (*TYPED, "output", "module", "variable", "check"):
            section = body.get(block.kind, {})
            for label in labels:
                section = section.get(label, {}) if isinstance(section, Mapping) else {}
            if section:
                rule = f"each name must be unique in a tier, and Tierra generates {block.address}"
                remedy = f"choose another name, such as {PREFIX}{labels[-1]}"
                yield block.file, Problem(block.address, "", rule, remedy, block.line)
            elif (other := first.setdefault(block.address, block)) is not block:
                rule = f"each name must be unique in a tier, and {other.file}:{other.line} declares this one"
                yield block.file, Problem(block.address, "", rule, "rename one of them", block.line)
        provider = labels[0].partition("_")[0] if block.kind in TYPED else ""
        provider = labels[0] if block.kind == "provider" else provider
        if provider and provider not in (*providers, BUILT_IN):
            rule = f"the provider must be one of this tier: {choices(providers)}"
            remedy = (
                "move the file to gateway, systems or observability, which have helm"
                if provider == "helm"
                else "use what those offer, or keep this in a root module of your own"
            )
            yield block.file, Problem(block.address, "", rule, remedy, block.line)


def _missing(
    own: Own, everywhere: Mapping[str, Own], generated: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Problem]]:
    for reading in own.readings:
        if reading.tier not in generated:
            continue  # a part of the tiers is synthesized
        declared = everywhere.get(reading.tier, Own()).blocks
        known = [
            *generated[reading.tier].get("output", {}),
            *(each.labels[0] for each in declared if each.kind == "output"),
        ]
        if reading.output not in known:
            near = difflib.get_close_matches(reading.output, known, n=1)
            path = f"data.terraform_remote_state.{reading.tier}.outputs.{reading.output}"
            rule = f"the output must exist, and {reading.tier} has no {reading.output}"
            remedy = (
                f"write {near[0]}"
                if near
                else f"take one of cdktf.out/<env>/stacks/{reading.tier}/cdk.tf.json, or declare it in an own"
                f" file of {reading.tier}"
            )
            yield reading.file, Problem(path, "", rule, remedy, reading.line)
