"""Tests that an assembly is cut to the requested submodules, for every layout of jsii."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from tierra.bindings.assembly import AssemblyError, cut

ASSEMBLY = {
    "name": "@x/y",
    "version": "1.0.0",
    "readme": {"markdown": "long"},
    "submodules": {f"@x/y.{n}": {"symbolId": f"src/{n}-folder/index:"} for n in ("one", "two")},
    "types": {
        "@x/y.one.A": {
            "docs": {"summary": "a"},
            "fqn": "@x/y.one.A",
            "name": "A",
            "properties": [{"name": "docs"}],
        },
        "@x/y.two.B": {"fqn": "@x/y.two.B", "name": "B", "base": "@x/y.one.A"},
    },
}


def pack(path: Path, description: dict[str, bytes]) -> Path:
    files = description | {
        "lib/index.js": b"all",
        "lib/one-folder/index.js": b"one",
        "lib/one-folder/index-structs/structs0.js": b"structs",
        "lib/one-folder/index.d.ts": b"types",
        "lib/two-folder/index.js": b"two",
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def layouts() -> dict[str, dict[str, bytes]]:
    redirect = {"schema": "jsii/file-redirect", "compression": "gzip", "filename": ".jsii.gz"}
    indented = json.dumps(ASSEMBLY, indent=2).encode()
    return {
        "indented": {".jsii": indented},
        "compact": {".jsii": json.dumps(ASSEMBLY).encode()},
        "redirected": {".jsii": json.dumps(redirect).encode(), ".jsii.gz": gzip.compress(indented)},
    }


@pytest.mark.parametrize("layout", layouts())
def test_every_layout_gives_the_same_result(tmp_path: Path, layout: str) -> None:
    source = pack(tmp_path / "source.tgz", layouts()[layout])
    cut(source, {"@x/y.one"}, tmp_path / "lean.tgz")
    with tarfile.open(tmp_path / "lean.tgz") as archive:
        files = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
    assert json.loads(files.pop("package/.jsii")) == {
        "name": "@x/y",
        "version": "1.0.0",
        "submodules": {"@x/y.one": {}},
        "types": {"@x/y.one.A": {"fqn": "@x/y.one.A", "name": "A", "properties": [{"name": "docs"}]}},
    }
    assert b"./one-folder" in files["package/lib/index.js"]
    assert b"two" not in files["package/lib/index.js"]
    assert sorted(files) == [
        "package/lib/index.js",
        "package/lib/one-folder/index-structs/structs0.js",
        "package/lib/one-folder/index.js",
        "package/package.json",
    ]


def test_the_same_cut_gives_the_same_bytes(tmp_path: Path) -> None:
    source = pack(tmp_path / "source.tgz", layouts()["indented"])
    for name in ("first", "second"):
        cut(source, {"@x/y.one"}, tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_type_that_refers_to_a_removed_type_is_refused(tmp_path: Path) -> None:
    source = pack(tmp_path / "source.tgz", layouts()["indented"])
    with pytest.raises(AssemblyError, match=r"kept types refer to types left out: @x/y\.one\.A"):
        cut(source, {"@x/y.two"}, tmp_path / "lean.tgz")
