"""Facts from other sources about every type of the AWS provider: `rehearsal/tables.json.gz`.

    python -m rehearsal.tables <clone of github.com/lonegunmanb/terraform-aws-schema>

regenerates the file for the schemas of `tierra/bindings/providers.json.gz`, from two sources:

    computed, sensitive,       the repository's dump of `terraform providers schema`, at its newest version;
    write_only, items          arguments that are newer than the dump are sensitive by name (`SENSITIVE`)
    replace                    `createOnlyProperties` of the CloudFormation schemas in the package cfn-lint,
                               where a type and its arguments have CloudFormation's names
    defaults                   `default` of the properties there: the value that AWS uses by default

A type in neither of them has no row. Facts, which people read in the provider's source, take precedence.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from tierra.bindings.schema import Block

FILE = Path(__file__).with_name("tables.json.gz")
DUMP = "github.com/lonegunmanb/terraform-aws-schema"
# Almost every argument whose name ends like this is marked sensitive.
SENSITIVE = re.compile(
    r"(password|passwords|client_secret|secret_string|secret_binary|secret_key|access_token|oauth_token"
    r"|auth_token|authorization_token|token_key|basic_auth_credentials|preshared_key|private_key|plaintext"
    r"|shared_secret|secret_token|key_material_base64)(_wo)?$"
)
# A type is the same in CloudFormation if the names and a tenth of the arguments agree, or half of the
# arguments.
SHARED_WITH_NAME, SHARED = 0.1, 0.5
COMMON = {"tag", "tagsall", "region", "id", "timeout"}

Schemas = dict[tuple[str, str], dict[str, Any]]
"""By kind and name without underscores, the schema in terraform's JSON."""


@dataclass(frozen=True)
class Row:
    """The facts about one type. Paths are dotted; `items` has the minimum and maximum number of blocks of a
    kind. `schema`: the dump has the type; `cloudformation` is the type's name there.
    """

    schema: bool = False
    cloudformation: str = ""
    computed: list[str] = field(default_factory=list)
    sensitive: list[str] = field(default_factory=list)
    write_only: list[str] = field(default_factory=list)
    items: dict[str, list[int]] = field(default_factory=dict)
    replace: list[str] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)


def read_rows(file: Path = FILE) -> dict[tuple[str, str], Row]:
    """The rows by kind ("resource", "data") and name of the type."""
    document = json.loads(gzip.decompress(file.read_bytes()))
    return {(kind, name): Row(**row) for kind, name, row in document["types"]}


def by_name(block: Block, prefix: str = "") -> Iterator[str]:
    """The arguments that are sensitive by their names."""
    yield from (f"{prefix}{name}" for name in block.attributes if SENSITIVE.search(name))
    for name, nested in block.blocks.items():
        yield from by_name(nested.block, f"{prefix}{name}.")


def row(kind: str, name: str, block: Block, dump: Schemas, formations: Mapping[str, Any]) -> Row:
    """The facts of the sources about one type."""
    result: dict[str, Any] = {"computed": [], "sensitive": [], "write_only": [], "items": {}}
    schema = dump.get((kind, _plain(name)))
    if schema:
        _compare(block, schema["block"], "", result)
    formation = _formation(name, block, formations) if kind == "resource" else ""
    replace = sorted(_create_only(block, formations[formation])) if formation else []
    defaults = dict(sorted(_defaults(block, formations[formation]))) if formation else {}
    return Row(bool(schema), formation, **result, replace=replace, defaults=defaults)


def _compare(block: Block, schema: Mapping[str, Any], prefix: str, result: dict[str, Any]) -> None:
    attributes = schema.get("attributes", {})
    for name, attribute in block.attributes.items():
        path, its = f"{prefix}{name}", attributes.get(name)
        if its is None:
            result["sensitive"] += [path] if SENSITIVE.search(name) else []
            continue
        result["computed"] += [path] if its.get("computed") and attribute.optional else []
        result["sensitive"] += [path] if its.get("sensitive") else []
        result["write_only"] += [path] if its.get("write_only") else []
    for name, nested in block.blocks.items():
        path, its = f"{prefix}{name}", schema.get("block_types", {}).get(name)
        if its is None:
            result["sensitive"] += by_name(nested.block, f"{path}.")
            continue
        least, most = its.get("min_items", 0), its.get("max_items", 0)
        if nested.nesting in ("list", "set") and (least, most) != (nested.required, nested.single):
            result["items"][path] = [least, most]
        _compare(nested.block, its["block"], f"{path}.", result)


def _formation(name: str, block: Block, formations: Mapping[str, Any]) -> str:
    """CloudFormation's name of a type; empty if no type matches."""
    plain, mine = (
        _plain(name.removeprefix("aws_")),
        {_stem(argument) for argument in _arguments(block)} - COMMON,
    )
    best: tuple[bool, float, str] = (False, 0.0, "")
    for formation, schema in formations.items():
        _, service, noun = formation.lower().split("::")
        if plain.endswith(noun):
            its = {_stem(_snake(property_)) for property_ in schema["properties"]} - COMMON
            its -= {_stem(_snake(path)) for path in _top(schema.get("readOnlyProperties", []))}
            share = len(mine & its) / max(1, len(mine | its))
            best = max(best, (service + noun == plain, share, formation))
    return best[2] if best[1] >= (SHARED_WITH_NAME if best[0] else SHARED) else ""


def _create_only(block: Block, schema: Mapping[str, Any]) -> Iterator[str]:
    names = {_stem(name): name for name in _arguments(block)}
    for path in _top(schema.get("createOnlyProperties", [])):
        if _stem(_snake(path)) in names:
            yield names[_stem(_snake(path))]


def _defaults(block: Block, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Plain defaults that are not empty, of readable properties: the provider treats an empty value as
    missing."""
    names = {_stem(name): name for name in _arguments(block)}
    unread = set(_top(schema.get("writeOnlyProperties", [])))
    for name, its in schema["properties"].items():
        if name in unread:
            continue
        argument = names.get(_stem(_snake(name)))
        value = its.get("default") if isinstance(its, dict) else None
        attribute = block.attributes.get(argument or "")
        if argument and attribute and value and attribute.type == _type(value):
            yield argument, value


def _type(value: Any) -> str:
    kinds = {bool: "bool", int: "number", float: "number", str: "string"}
    return kinds.get(type(value), "")


def _arguments(block: Block) -> list[str]:
    given = [name for name, attribute in block.attributes.items() if attribute.required or attribute.optional]
    return [*given, *block.blocks]


def _top(paths: list[str]) -> list[str]:
    """The names of `/properties/Name`; deeper paths are left out."""
    return [path.split("/")[2] for path in paths if path.count("/") == 2]


def _snake(name: str) -> str:
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def _stem(name: str) -> str:
    """A name without underscores and plural."""
    name = _plain(name)
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    return name[:-2] if name.endswith(("sses", "xes", "ches")) else name.removesuffix("s")


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def dumped(repository: Path) -> tuple[str, Schemas]:
    """The version and the schemas of the dump; files without content in the clone are left out."""
    git = ["git", "-C", str(repository)]
    subject = subprocess.run([*git, "log", "-1", "--format=%s"], capture_output=True, text=True, check=True)
    listed = subprocess.run([*git, "ls-tree", "-r", "HEAD"], capture_output=True, text=True, check=True)
    files = re.findall(
        r"^\d+ blob (\w+)\tgenerated/(resource|data)/(aws\w+)(?<!_test)\.go$", listed.stdout, re.M
    )
    wanted = "".join(f"{blob}\n" for blob, _, _ in files).encode()
    batch = subprocess.run([*git, "cat-file", "--batch"], input=wanted, capture_output=True, check=True)
    content, schemas, at = batch.stdout, {}, 0
    for _, kind, name in files:
        head, at = content[at : content.index(b"\n", at)].split(), content.index(b"\n", at) + 1
        if head[1] == b"missing":
            continue
        text = content[at : at + int(head[2])].decode()
        at += int(head[2]) + 1
        schema = text[text.index("`{") + 1 : text.rindex("}`") + 1].replace('` + "`" + `', "`")
        schemas[kind, _plain(name)] = json.loads(schema)
    return subject.stdout.split()[-1], schemas


def formations() -> tuple[str, dict[str, Any]]:
    """The release of cfn-lint and its schemas by CloudFormation's name of the type."""
    import cfnlint  # type: ignore[import-untyped]

    folder = Path(str(cfnlint.__file__)).parent / "data/schemas/resources"
    schemas = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    return metadata.version("cfn-lint"), {
        schema["typeName"]: schema for schema in schemas if schema["typeName"].count("::") == 2
    }


def main() -> int:
    from tierra.bindings import providers

    version, dump = dumped(Path(sys.argv[1]))
    release, known = formations()
    aws = providers.read_providers()["aws"]
    rows = []
    for (kind, name), block in sorted(aws.types.items()):
        entry = row(kind, name, block, dump, known)
        if kind != "provider" and (entry.schema or entry.cloudformation):
            rows.append([kind, name, {key: value for key, value in asdict(entry).items() if value}])
    sources = {"provider": aws.version, DUMP: version, "cfn-lint": release}
    lines = ",\n".join(json.dumps(row_, separators=(",", ":"), sort_keys=True) for row_ in rows)
    text = f'{{"sources": {json.dumps(sources)}, "types": [\n{lines}\n]}}\n'
    FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    with_schema = sum("schema" in row_ for *_, row_ in rows)
    replacing = sum("cloudformation" in row_ for *_, row_ in rows)
    print(
        f"{len(rows)} types of {len(aws.types) - 1}: {with_schema} in the dump, {replacing} in CloudFormation"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
