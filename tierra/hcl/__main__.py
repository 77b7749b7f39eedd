"""The generated Terraform JSON as idiomatic HCL.

`python -m tierra.hcl TERRAFORM cdktf.out/<env> environments/<env>.yaml TIER…` writes `hcl/<tier>/` beside
`stacks/<tier>/`: the same root module, in files by concern. Its plan equals the plan of the JSON; tests check
that. Nothing else reads it. With OWN=yes it writes `own/<tier>/`, for teams that leave Tierra: with locals
for values that names repeat, and without any mention of Tierra (owning.py).

    strings.py       strings and the expressions in them
    values.py        values in lines; JSON documents
    blocks.py        tells blocks from arguments
    terraform fmt    indentation and equals signs
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from rehearsal.catalog import Catalog, catalog_path
from tierra.files import write
from tierra.hcl import owning
from tierra.hcl.blocks import Schemas, block, conditions, configured, element, references
from tierra.hcl.strings import HclError
from tierra.hcl.values import Entry, entries, fixed, json_document, parse, value
from tierra.plans import own

GENERATED = "cdk.tf.json"
SOURCES = "sources.json"
FACTS = "environment.json"
MAIN = "main.tf"
OUTPUTS = "outputs.tf"
VERSIONS = "versions.tf"
ELEMENTS = ("data", "ephemeral", "resource")
SECTIONS = ("//", "terraform", "provider", "locals", *ELEMENTS, "moved", "removed", "output")

# The file, the address, and the function that makes the lines.
Paragraph = tuple[str, str, Callable[[], list[str]]]


class Hcl:
    """The HCL of a root module. Its comments name the spec, the tier and, by address, the modules in
    `sources` that created each block, in the order of creation. With `own` there are no comments."""

    def __init__(
        self,
        configuration: Mapping[str, Any],
        sources: Mapping[str, str],
        schemas: Schemas,
        tier: str,
        spec: str,
        *,
        own: bool = False,
    ) -> None:
        self.configuration = configuration
        self.sources = sources
        self.schemas = schemas
        self.tier = tier
        self.spec = spec
        self.own = own

    def files(self) -> dict[str, str]:
        """The text of every file, by its name, before `terraform fmt`. Raises HclError for values that cannot
        be written as HCL."""
        unknown = sorted(self.configuration.keys() - set(SECTIONS))
        if unknown:
            raise HclError(f"{', '.join(unknown)}: sections that cannot be written as HCL")
        files: dict[str, list[str]] = {MAIN: []}
        position = {address: number for number, address in enumerate(self.sources)}
        for file, address, render in sorted(
            self._paragraphs(), key=lambda paragraph: position.get(paragraph[1], len(position))
        ):
            try:
                lines = render()
            except HclError as problem:
                raise HclError(f"{address}: {problem}") from None
            comment = [f"# {self.sources[address]}"] if address in self.sources and not self.own else []
            files.setdefault(file, []).append("\n".join([*comment, *lines]) + "\n")
        header = [] if self.own else [self._header()]
        return {
            file: "\n".join([*header, *texts]) for file, texts in sorted(files.items()) if header or texts
        }

    def _header(self) -> str:
        return (
            f"# Written by Tierra from {self.spec}; change that file, not this one.\n"
            f"# The same as stacks/{self.tier}/{GENERATED}. Above a block: the module that asked for it.\n"
        )

    def _paragraphs(self) -> Iterator[Paragraph]:
        if settings := self._section("terraform"):
            yield VERSIONS, "terraform", partial(_settings, settings)
        for name, configurations in self._section("provider").items():
            for configuration_ in configurations if isinstance(configurations, list) else [configurations]:
                yield VERSIONS, f"provider.{name}", partial(self._provider, name, configuration_)
        if values := self._section("locals"):
            yield owning.FILE if self.own else MAIN, "locals", partial(_locals, values)
        for kind in ELEMENTS:
            for terraform_type, named in self._section(kind).items():
                for name, arguments in named.items():
                    address = f"{terraform_type}.{name}"
                    address = address if kind == "resource" else f"{kind}.{address}"
                    element = partial(self._element, kind, terraform_type, name, arguments)
                    yield self._file(address), address, element
        for move in self.configuration.get("moved", []):
            yield MAIN, "moved", partial(_moved, move)
        for left in self.configuration.get("removed", []):
            yield MAIN, "removed", partial(_removed, left)
        for name, output in self._section("output").items():
            yield OUTPUTS, f"output.{name}", partial(_output, name, output)

    def _provider(self, name: str, arguments: Mapping[str, Any]) -> list[str]:
        return block(f'provider "{name}"', configured(self.schemas, name, arguments))

    def _element(self, kind: str, terraform_type: str, name: str, arguments: Mapping[str, Any]) -> list[str]:
        lines = element(self.schemas, kind, terraform_type, arguments)
        return block(f'{kind} "{terraform_type}" "{name}"', lines)

    def _file(self, address: str) -> str:
        """Files follow the modules of the tier: resources of `modules/data/redis.py` are in `redis.tf`."""
        source = PurePath(self.sources.get(address, ""))
        own = source.parent.name == self.tier and source.stem != "tier"
        return f"{source.stem}.tf" if own else MAIN

    def _section(self, name: str) -> Mapping[str, Any]:
        section: Mapping[str, Any] = self.configuration.get(name) or {}
        return section


def _settings(settings: Mapping[str, Any]) -> list[str]:
    """The block `terraform`, in which Terraform's JSON has no templates."""
    lines = []
    if "required_version" in settings:
        lines += entries([("required_version", fixed(settings["required_version"]))])
    if providers := settings.get("required_providers"):
        wanted: list[Entry] = [(name, fixed(_named(of))) for name, of in providers.items()]
        lines += ["", *block("required_providers", entries(wanted))]
    for kind, arguments in settings.get("backend", {}).items():
        inner: list[Entry] = [(name, fixed(of)) for name, of in arguments.items()]
        lines += ["", *block(f'backend "{kind}"', entries(inner))]
    unknown = sorted(settings.keys() - {"required_version", "required_providers", "backend"})
    if unknown:
        raise HclError(f"{', '.join(unknown)}: cannot be written as HCL")
    return block("terraform", lines if lines[:1] != [""] else lines[1:])


def _named(provider: Any) -> Any:
    """A required provider by its full name; terraform reads `aws` as `hashicorp/aws`."""
    source = provider.get("source", "") if isinstance(provider, dict) else ""
    return {**provider, "source": f"hashicorp/{source}"} if re.fullmatch(r"[\w-]+", source) else provider


def _locals(values: Mapping[str, Any]) -> list[str]:
    return block("locals", entries([(key, value(of)) for key, of in values.items()]))


def _moved(move: Mapping[str, str]) -> list[str]:
    return block("moved", entries([(end, [move[end]]) for end in ("from", "to")]))


def _removed(left: Mapping[str, Any]) -> list[str]:
    """A `removed` block: what leaves the state, and whether AWS keeps it."""
    lifecycle = block("lifecycle", entries([("destroy", value(left["lifecycle"]["destroy"]))]))
    return block("removed", [*entries([("from", [left["from"]])]), "", *lifecycle])


def _output(name: str, output: Mapping[str, Any]) -> list[str]:
    """An output: its description, value and dependencies."""
    named: list[Entry] = []
    last: list[str] = []
    for key in sorted(output, key=_rank):
        if key == "precondition":
            last += [line for lines in conditions(key, output[key]) for line in ("", *lines)]
        else:
            named.append((key, _output_argument(key, output[key])))
    return block(f'output "{name}"', [*entries(named), *last])


def _rank(key: str) -> tuple[int, str]:
    order = ("description", "value", "sensitive", "ephemeral", "depends_on")
    return (order.index(key) if key in order else len(order), key)


def _output_argument(key: str, of: Any) -> list[str]:
    if key == "depends_on":
        return references(of)
    if key == "description":
        return fixed(of)
    text = json_document(of, compared=False, is_text=lambda _: False) if isinstance(of, str) else None
    return text or value(of)


def carried(module: Path) -> dict[str, bytes]:
    """The files in subfolders of a root module, such as charts, and own Terraform, unchanged, by their path
    in the module."""
    folders = sorted(
        folder for folder in module.iterdir() if folder.is_dir() and not _of_terraform(folder.name)
    )
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    files += [path for pattern in own.FILES for path in sorted(module.glob(pattern))]
    return {path.relative_to(module).as_posix(): path.read_bytes() for path in files}


def _of_terraform(name: str) -> bool:
    """Whether the name belongs to terraform itself, such as `.terraform`."""
    return name.startswith((".", "terraform.tfstate"))


def formatted(terraform: str, files_of: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The files of several tiers as `terraform fmt` formats them. Raises HclError with its message about
    files that it cannot read. terraform starts in their folder: where the working folder is reached through
    a symbolic link, it does not find the absolute path of another folder."""
    with tempfile.TemporaryDirectory(prefix="tierra-") as scratch:
        for tier, files in files_of.items():
            Path(scratch, tier).mkdir()
            for name, text in files.items():
                Path(scratch, tier, name).write_text(text, encoding="utf-8")
        run = subprocess.run(
            [terraform, f"-chdir={scratch}", "fmt", "-recursive", "-list=false"],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise HclError(f"terraform fmt: {run.stderr}")
        return {
            tier: {name: Path(scratch, tier, name).read_text(encoding="utf-8") for name in files}
            for tier, files in files_of.items()
        }


def save(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Writes the files of a tier into its folder, each atomically. Files of an earlier run that are not among
    them are removed; what terraform keeps there stays."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write(folder / name, text)
    for path in sorted(folder.rglob("*"), reverse=True):
        relative = path.relative_to(folder)
        ours = len(relative.parts) > 1 or path.name.endswith((".tf", ".tf.json"))
        if _of_terraform(relative.parts[0]):
            continue
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file() and ours and relative.as_posix() not in files:
            path.unlink()


def generate(
    terraform: str, out: Path, spec: str, tiers: Iterable[str], *, own: bool = False
) -> dict[str, dict[str, str]]:
    """The HCL files of several tiers. Raises HclError for what cannot be written as HCL."""
    schemas = Schemas(Catalog(catalog_path()))
    sources = json.loads((out / SOURCES).read_text(encoding="utf-8"))
    facts = json.loads((out / FACTS).read_text(encoding="utf-8"))
    result = {}
    for tier in tiers:
        file = out / "stacks" / tier / GENERATED
        configuration = parse(file.read_text(encoding="utf-8"))
        required = re.search(
            r'required_version = "(.+)"', file.with_name(VERSIONS).read_text(encoding="utf-8")
        )
        if required:
            configuration["terraform"]["required_version"] = required[1]
        try:
            if own:
                configuration = owning.owned(configuration, facts)
                owning.check(configuration.get("locals", {}), carried(file.parent))
            result[tier] = Hcl(configuration, sources[tier], schemas, tier, spec, own=own).files()
        except HclError as problem:
            raise HclError(f"{file}: {problem}") from None
    return formatted(terraform, result)


def main() -> int:
    terraform, out, spec, tiers = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
    leaving = os.environ.get("OWN") == "yes"
    folder = out / ("own" if leaving else "hcl")
    try:
        for tier, files in generate(terraform, out, spec, tiers, own=leaving).items():
            save(folder / tier, {**files, **carried(out / "stacks" / tier)})
            print(f"hcl: {folder / tier}: {', '.join(files)}")
    except (HclError, OSError) as problem:
        sys.stderr.write(f"hcl: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
