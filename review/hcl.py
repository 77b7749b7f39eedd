"""The HCL twin: the generated Terraform JSON as people write Terraform, for those who would rather read that.

`python -m review.hcl cdktf.out/<env> environments/<env>.yaml TIER…` writes `hcl/<tier>/` beside
`stacks/<tier>/`: the same root module, in files by concern. Its plan is the plan of the JSON; tests hold it
to that. Nothing else reads it.

    templates.py   strings and the expressions in them
    values.py      values, aligned as `terraform fmt` aligns them; JSON documents
    blocks.py      what is a block and what an argument
    layout.py      what goes into which file
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rehearsal.catalog import Catalog, catalog_path
from rehearsal.files import write
from review.blocks import HclError, Schemas, block, conditions, configured, element, references
from review.layout import MAIN, OUTPUTS, VERSIONS, file_of
from review.values import Entry, entries, fixed, read, value

GENERATED = "cdk.tf.json"
ELEMENTS = ("data", "ephemeral", "resource")
SECTIONS = ("//", "terraform", "provider", "locals", *ELEMENTS, "moved", "output")

Paragraph = tuple[str, str, list[str]]  # the file, where it came from, the lines


class Twin:
    """The HCL of a root module. `tier` and `spec` are named in its comments."""

    def __init__(self, configuration: Mapping[str, Any], schemas: Schemas, tier: str, spec: str) -> None:
        self.configuration = configuration
        self.schemas = schemas
        self.tier = tier
        self.spec = spec

    def files(self) -> dict[str, str]:
        """The text of every file, by its name. Raises HclError for what has no HCL here."""
        unknown = sorted(self.configuration.keys() - set(SECTIONS))
        if unknown:
            raise HclError(f"{self.tier}: {', '.join(unknown)}: sections that cannot be written as HCL")
        files: dict[str, list[str]] = {MAIN: []}
        for file, origin, lines in self._paragraphs():
            comment = f"# {self.spec} > {self.tier} > {origin}"
            files.setdefault(file, []).append("\n".join([comment, *lines]) + "\n")
        return {file: "\n".join([self._header(), *texts]) for file, texts in sorted(files.items())}

    def _header(self) -> str:
        return (
            f"# Written by Tierra from {self.spec}; change that file, not this one.\n"
            f"# Twin of stacks/{self.tier}/{GENERATED}. Above each block: spec > tier > path in the JSON.\n"
        )

    def _paragraphs(self) -> Iterator[Paragraph]:
        if settings := self._section("terraform"):
            yield VERSIONS, "terraform", block("terraform", _settings(settings))
        for name, configurations in self._section("provider").items():
            type_ = self.schemas.find("provider", name)
            for each in configurations if isinstance(configurations, list) else [configurations]:
                place = f"provider.{name}"
                yield VERSIONS, place, block(f'provider "{name}"', configured(type_, each, place))
        if values := self._section("locals"):
            yield MAIN, "locals", block("locals", entries([(key, value(of)) for key, of in values.items()]))
        yield from self._elements()
        for move in self.configuration.get("moved", []):
            ends: list[Entry] = [(end, references(move[end])) for end in ("from", "to")]
            yield MAIN, "moved", block("moved", entries(ends))
        for name, output in self._section("output").items():
            yield OUTPUTS, f"output.{name}", block(f'output "{name}"', _output(output))

    def _elements(self) -> Iterator[Paragraph]:
        found = [
            (kind, terraform_type, name, arguments)
            for kind in ELEMENTS
            for terraform_type, named in self._section(kind).items()
            for name, arguments in named.items()
        ]
        for kind, terraform_type, name, arguments in found:
            place = f"{kind}.{terraform_type}.{name}"
            lines = element(self.schemas, kind, terraform_type, arguments, place)
            header = f'{kind} "{terraform_type}" "{name}"'
            yield file_of(terraform_type, len(found)), place, block(header, lines)

    def _section(self, name: str) -> Mapping[str, Any]:
        section: Mapping[str, Any] = self.configuration.get(name) or {}
        return section


def _settings(settings: Mapping[str, Any]) -> list[str]:
    """The inside of the block `terraform`, in which Terraform's JSON has no templates."""
    lines = []
    if "required_version" in settings:
        lines += entries([("required_version", fixed(settings["required_version"]))])
    if providers := settings.get("required_providers"):
        wanted: list[Entry] = [(name, fixed(of)) for name, of in providers.items()]
        lines += ["", *block("required_providers", entries(wanted))]
    for kind, arguments in settings.get("backend", {}).items():
        inner: list[Entry] = [(name, fixed(of)) for name, of in arguments.items()]
        lines += ["", *block(f'backend "{kind}"', entries(inner))]
    unknown = sorted(settings.keys() - {"required_version", "required_providers", "backend"})
    if unknown:
        raise HclError(f"terraform: {', '.join(unknown)}: cannot be written as HCL")
    return lines if lines[:1] != [""] else lines[1:]


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
    folders = sorted(each for each in module.iterdir() if each.is_dir() and not each.name.startswith("."))
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(module).as_posix(): path.read_text(encoding="utf-8") for path in files}


def save(folder: Path, files: Mapping[str, str]) -> None:
    """Puts the files of a twin in their folder, each in one step. Those of an earlier run that are not among
    them go; what terraform keeps there stays."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write(folder / name, text)
    for path in sorted(folder.rglob("*"), reverse=True):
        relative = path.relative_to(folder)
        ours = len(relative.parts) > 1 or path.suffix == ".tf"
        if relative.parts[0].startswith("."):
            continue
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file() and ours and relative.as_posix() not in files:
            path.unlink()


def main() -> int:
    out, spec, tiers = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    schemas = Schemas(Catalog(catalog_path()))
    for tier in tiers:
        source, folder = out / "stacks" / tier, out / "hcl" / tier
        try:
            files = Twin(read((source / GENERATED).read_text(encoding="utf-8")), schemas, tier, spec).files()
        except HclError as problem:
            sys.stderr.write(f"hcl: {tier}: {problem}\n")
            return 1
        save(folder, files | carried(source))
        print(f"hcl: {folder}: {', '.join(files)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
