"""Cuts one jsii assembly down to the submodules a program uses.

A jsii assembly is the archive beside every Python binding: `.jsii`, which describes each type, and the
compiled JavaScript. The one of the AWS provider describes 27,000 types in 130 MB; a platform uses a few
percent of them. A submodule is kept complete, with all its types and scripts, without comments.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from collections.abc import Container, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from tierra.bindings.thin import Facts, class_facts

Json = dict[str, Any]

# Text for documentation generators only: three quarters of `.jsii`.
_PROSE = ("docs", "locationInModule", "readme", "symbolId")


class AssemblyError(Exception):
    """The archive does not have the layout of jsii-pacmak."""


def cut(archive: Path, submodules: Container[str] | None, target: Path) -> dict[str, Facts]:
    """Write to `target` the archive with only these submodules (full names, `@cdktf/provider-aws.subnet`), or
    with all. Returns the facts of each class in its scripts, by the full name that jsii has for it. The same
    input gives the same bytes: times and owners in the archive are zero.
    """
    if submodules is None:
        return _slim(archive, target)
    with tarfile.open(archive, "r:gz") as source:
        assembly = _describe(source, submodules)
        folders = {name: _folder(entry) for name, entry in assembly["submodules"].items()}
        scripts = _scripts(source, set(folders.values()))
    for folder in folders.values():
        if f"lib/{folder}/index.js" not in scripts:
            raise AssemblyError(f"{archive.name} has no script lib/{folder}/index.js")
    package = {"name": assembly["name"], "version": assembly["version"], "main": "lib/index.js"}
    assembly["submodules"] = {name: {} for name in folders}
    assembly.pop("readme", None)
    files = {
        ".jsii": _packed(assembly),
        "lib/index.js": _index(folders),
        "package.json": json.dumps(package).encode(),
        **{
            path: _generated(content) if path.endswith(".js") else content
            for path, content in scripts.items()
        },
    }
    target.write_bytes(_archive(files))
    return {
        f"{submodule}.{name}": facts
        for submodule, folder in folders.items()
        for name, facts in class_facts(scripts[f"lib/{folder}/index.js"].decode()).items()
    }


def _slim(archive: Path, target: Path) -> dict[str, Facts]:
    """The whole archive without text that only people and compilers read."""
    with tarfile.open(archive, "r:gz") as source:
        assembly = json.loads(_jsii(source), object_hook=_without_prose)
        files = {
            path: _script(content) if path.endswith((".js", ".cjs")) else content
            for path, content in _members(source)
            if path.endswith((".js", ".cjs", ".json")) or PurePosixPath(path).name.startswith("LICENSE")
        }
    files[".jsii"] = _packed(assembly)
    target.write_bytes(_archive(files))
    scripts = (content.decode() for path, content in files.items() if re.fullmatch(r"lib/[^/]+\.js", path))
    return {
        f"{assembly['name']}.{name}": facts for text in scripts for name, facts in class_facts(text).items()
    }


def _members(source: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in source:
        if member.isfile() and (file := source.extractfile(member)) is not None:
            yield str(PurePosixPath(member.name).relative_to("package")), file.read()


def _packed(assembly: Json) -> bytes:
    return json.dumps(assembly, separators=(",", ":")).encode()


def _script(content: bytes) -> bytes:
    """The script without its source map, which is longer than the script."""
    return re.sub(rb"\n//# sourceMappingURL=\S*\s*$", b"\n", content)


def _generated(content: bytes) -> bytes:
    """A script of a provider without comment lines, and without indentation if no string spans several lines:
    Node keeps the text of the scripts that it runs."""
    plain = re.sub(rb"^ *(?://[^\n]*|/\*.*?\*/ *)\n", b"", _script(content), flags=re.S | re.M)
    return plain if b"`" in plain else re.sub(rb"^ +", b"", plain, flags=re.M)


def _describe(source: tarfile.TarFile, submodules: Container[str]) -> Json:
    """The description with only these submodules and their types, without prose."""
    text = _jsii(source)
    try:
        assembly = _scan(text, submodules)
    except ValueError:
        assembly = _parse(text, submodules)
    missing = _references(assembly) - assembly["types"].keys()
    if missing:
        raise AssemblyError(f"kept types refer to types left out: {', '.join(sorted(missing)[:5])}")
    return assembly


def _jsii(source: tarfile.TarFile) -> bytes:
    text = _member(source, ".jsii")
    if len(text) < 4096 and (redirect := json.loads(text)).get("schema") == "jsii/file-redirect":
        text = _member(source, redirect["filename"])
        if redirect.get("compression") == "gzip":
            text = gzip.decompress(text)
    return text


def _member(source: tarfile.TarFile, name: str) -> bytes:
    for member in source:
        if member.name == f"package/{name}" and (file := source.extractfile(member)) is not None:
            return file.read()
    raise AssemblyError(f"the archive has no {name}")


def _scan(text: bytes, submodules: Container[str]) -> Json:
    """The result of `_parse`, in a tenth of the time and memory, for the usual layout: indented by two
    spaces.

    Line breaks inside JSON strings are escaped, so a line break, four spaces and a brace end an entry.
    Raises ValueError for any other layout.
    """
    sections: dict[str, Json] = {"submodules": {}, "types": {}}
    for section, is_type in (("types", True), ("submodules", False)):
        opening = f'\n  "{section}": {{\n'.encode()
        begin = at = text.index(opening) + len(opening)
        while text.startswith(b'    "', at):
            name_end = text.index(b'": {\n', at)
            end = text.index(b"\n    }", name_end) + len(b"\n    }")
            name = text[at + len(b'    "') : name_end].decode()
            if (name.rpartition(".")[0] if is_type else name) in submodules:
                entry = text[name_end + len(b'": ') : end]
                sections[section][name] = json.loads(entry, object_hook=_without_prose if is_type else None)
            at = text.index(b"\n", end) + 1
        if not text.startswith(b"  }", at):
            raise ValueError(f"{section} is laid out in an unknown way")
        text = text[:begin] + text[at:]
    assembly: Json = json.loads(text)
    return assembly | sections


def _parse(text: bytes, submodules: Container[str]) -> Json:
    assembly: Json = json.loads(text)
    types = {k: v for k, v in assembly["types"].items() if k.rpartition(".")[0] in submodules}
    assembly["types"] = json.loads(json.dumps(types), object_hook=_without_prose)
    assembly["submodules"] = {k: v for k, v in assembly["submodules"].items() if k in submodules}
    return assembly


def _without_prose(entry: Json) -> Json:
    for key in _PROSE:
        entry.pop(key, None)
    return entry


def _references(assembly: Json) -> set[str]:
    own = rf'"({re.escape(assembly["name"])}\.[^"]+)"'
    return set(re.findall(own, json.dumps(list(assembly["types"].values()))))


def _folder(submodule: Json) -> str:
    """The folder below lib/ of a submodule; its description contains `src/<folder>/index:`."""
    match = re.fullmatch(r"src/(.+)/index:", submodule.get("symbolId", ""))
    if match is None:
        raise AssemblyError(f"a submodule without a known folder: {submodule}")
    return match[1]


def _scripts(source: tarfile.TarFile, folders: set[str]) -> dict[str, bytes]:
    """The licence and the compiled scripts of these folders, by path inside the package."""
    scripts = {}
    for member in source:
        path = PurePosixPath(member.name).relative_to("package")
        inside = len(path.parts) > 2 and path.suffix == ".js" and path.parts[1] in folders
        if (inside or path.name == "LICENSE") and (file := source.extractfile(member)) is not None:
            scripts[str(path)] = file.read()
    return scripts


def _index(folders: dict[str, str]) -> bytes:
    """lib/index.js: each submodule is loaded at its first use."""
    lines = ['"use strict";', 'Object.defineProperty(exports, "__esModule", { value: true });']
    for name, folder in sorted(folders.items()):
        export = json.dumps(name.rpartition(".")[2])
        lines.append(
            f"Object.defineProperty(exports, {export},"
            f" {{ enumerable: true, get() {{ return require({json.dumps(f'./{folder}/index.js')}); }} }});"
        )
    return "\n".join([*lines, ""]).encode()


def _archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as archive,
    ):
        for path, content in _in_order(files):
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _in_order(files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    yield from sorted(files.items())
