"""The HCL twin: the generated Terraform JSON as people write Terraform, for those who would rather read that.

`python -m review.hcl TERRAFORM cdktf.out/<env> environments/<env>.yaml TIER…` writes `hcl/<tier>/` beside
`stacks/<tier>/`: the same root module, in files by concern. Its plan is the plan of the JSON; tests hold it
to that. Nothing else reads it.

    templates.py     strings and the expressions in them
    values.py        values in lines; JSON documents
    blocks.py        what is a block and what an argument
    terraform fmt    indentation and equals signs
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from rehearsal.catalog import Catalog, catalog_path
from rehearsal.files import write
from review.blocks import Schemas, block, conditions, configured, element, references
from review.templates import HclError
from review.values import Entry, entries, fixed, read, value

GENERATED = "cdk.tf.json"
SOURCES = "sources.json"
MAIN = "main.tf"
OUTPUTS = "outputs.tf"
VERSIONS = "versions.tf"
ELEMENTS = ("data", "ephemeral", "resource")
SECTIONS = ("//", "terraform", "provider", "locals", *ELEMENTS, "moved", "output")

Paragraph = tuple[str, str, list[str]]  # the file, the address, the lines


class Twin:
    """The HCL of a root module. Its comments name the spec, the tier and, by address, the modules in
    `sources` that asked for what stands there."""

    def __init__(
        self,
        configuration: Mapping[str, Any],
        sources: Mapping[str, str],
        schemas: Schemas,
        tier: str,
        spec: str,
    ) -> None:
        self.configuration = configuration
        self.sources = sources
        self.schemas = schemas
        self.tier = tier
        self.spec = spec

    def files(self) -> dict[str, str]:
        """The text of every file, by its name, before `terraform fmt`. Raises HclError for what has no HCL
        here."""
        unknown = sorted(self.configuration.keys() - set(SECTIONS))
        if unknown:
            raise HclError(f"{', '.join(unknown)}: sections that cannot be written as HCL")
        files: dict[str, list[str]] = {MAIN: []}
        for file, address, lines in self._paragraphs():
            comment = [f"# {self.sources[address]}"] if address in self.sources else []
            files.setdefault(file, []).append("\n".join([*comment, *lines]) + "\n")
        return {file: "\n".join([self._header(), *texts]) for file, texts in sorted(files.items())}

    def _header(self) -> str:
        return (
            f"# Written by Tierra from {self.spec}; change that file, not this one.\n"
            f"# The same as stacks/{self.tier}/{GENERATED}. Above a block: the module that asked for it.\n"
        )

    def _paragraphs(self) -> Iterator[Paragraph]:
        if settings := self._section("terraform"):
            yield VERSIONS, "terraform", block("terraform", _settings(settings))
        for name, configurations in self._section("provider").items():
            for each in configurations if isinstance(configurations, list) else [configurations]:
                address = f"provider.{name}"
                yield (
                    VERSIONS,
                    address,
                    block(f'provider "{name}"', configured(self.schemas, name, each, address)),
                )
        if values := self._section("locals"):
            yield MAIN, "locals", block("locals", entries([(key, value(of)) for key, of in values.items()]))
        yield from self._elements()
        for move in self.configuration.get("moved", []):
            ends: list[Entry] = [(end, references(move[end])) for end in ("from", "to")]
            yield MAIN, "moved", block("moved", entries(ends))
        for name, output in self._section("output").items():
            yield OUTPUTS, f"output.{name}", block(f'output "{name}"', _output(output))

    def _elements(self) -> Iterator[Paragraph]:
        elements = (
            (kind, terraform_type, name, arguments)
            for kind in ELEMENTS
            for terraform_type, named in self._section(kind).items()
            for name, arguments in named.items()
        )
        for kind, terraform_type, name, arguments in elements:
            address = f"{terraform_type}.{name}" if kind == "resource" else f"{kind}.{terraform_type}.{name}"
            lines = element(self.schemas, kind, terraform_type, arguments, address)
            header = f'{kind} "{terraform_type}" "{name}"'
            yield self._file(address), address, block(header, lines)

    def _file(self, address: str) -> str:
        """Files go by the modules of the tier: what `modules/data/redis.py` asks for is in `redis.tf`."""
        source = PurePath(self.sources.get(address, ""))
        own = source.parent.name == self.tier and source.stem != "tier"
        return f"{source.stem}.tf" if own else MAIN

    def _section(self, name: str) -> Mapping[str, Any]:
        section: Mapping[str, Any] = self.configuration.get(name) or {}
        return section


def _settings(settings: Mapping[str, Any]) -> list[str]:
    """The inside of the block `terraform`, in which Terraform's JSON has no templates."""
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
        raise HclError(f"terraform: {', '.join(unknown)}: cannot be written as HCL")
    return lines if lines[:1] != [""] else lines[1:]


def _named(provider: Any) -> Any:
    """A required provider by the whole of its name; terraform reads `aws` as `hashicorp/aws`."""
    source = provider.get("source", "") if isinstance(provider, dict) else ""
    return {**provider, "source": f"hashicorp/{source}"} if re.fullmatch(r"[\w-]+", source) else provider


def _output(output: Mapping[str, Any]) -> list[str]:
    """The inside of an output: what it says of itself, its value, and what it waits for."""
    named: list[Entry] = []
    last: list[str] = []
    for key in sorted(output, key=_rank):
        if key == "precondition":
            last += [line for lines in conditions(key, output[key]) for line in ("", *lines)]
        else:
            named.append((key, _output_argument(key, output[key])))
    return [*entries(named), *last]


def _rank(key: str) -> tuple[int, str]:
    order = ("description", "value", "sensitive", "ephemeral", "depends_on")
    return (order.index(key) if key in order else len(order), key)


def _output_argument(key: str, of: Any) -> list[str]:
    if key == "depends_on":
        return references(of)
    return fixed(of) if key == "description" else value(of)


def carried(module: Path) -> dict[str, str]:
    """The files that a root module carries in folders of its own, such as charts, by their path in it."""
    folders = sorted(each for each in module.iterdir() if each.is_dir() and not _of_terraform(each.name))
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(module).as_posix(): path.read_text(encoding="utf-8") for path in files}


def _of_terraform(name: str) -> bool:
    """Whether terraform keeps something of its own under that name, such as `.terraform`."""
    return name.startswith((".", "terraform.tfstate"))


def formatted(terraform: str, twins: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The files of several twins, by tier, as `terraform fmt` formats them. Raises HclError with what it says
    about those that it cannot read."""
    with tempfile.TemporaryDirectory(prefix="tierra-") as scratch:
        for tier, files in twins.items():
            Path(scratch, tier).mkdir()
            for name, text in files.items():
                Path(scratch, tier, name).write_text(text, encoding="utf-8")
        run = subprocess.run(
            [terraform, "fmt", "-recursive", "-list=false", scratch],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise HclError(f"terraform fmt: {run.stderr}")
        return {
            tier: {name: Path(scratch, tier, name).read_text(encoding="utf-8") for name in files}
            for tier, files in twins.items()
        }


def save(folder: Path, files: Mapping[str, str]) -> None:
    """Puts the files of a twin in their folder, each in one step. Those of an earlier run that are not among
    them go; what terraform keeps there stays."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write(folder / name, text)
    for path in sorted(folder.rglob("*"), reverse=True):
        relative = path.relative_to(folder)
        ours = len(relative.parts) > 1 or path.suffix == ".tf"
        if _of_terraform(relative.parts[0]):
            continue
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file() and ours and relative.as_posix() not in files:
            path.unlink()


def main() -> int:
    terraform, out, spec, tiers = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
    schemas = Schemas(Catalog(catalog_path()))
    sources = json.loads((out / SOURCES).read_text(encoding="utf-8"))
    twins = {}
    for tier in tiers:
        module = out / "stacks" / tier
        configuration = read((module / GENERATED).read_text(encoding="utf-8"))
        try:
            twins[tier] = Twin(configuration, sources[tier], schemas, tier, spec).files()
        except HclError as problem:
            sys.stderr.write(f"hcl: {module / GENERATED}: {problem}\n")
            return 1
    try:
        twins = formatted(terraform, twins)
    except (HclError, OSError) as problem:
        sys.stderr.write(f"hcl: {problem}\n")
        return 1
    for tier, files in twins.items():
        save(out / "hcl" / tier, files | carried(out / "stacks" / tier))
        print(f"hcl: {out / 'hcl' / tier}: {', '.join(files)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
