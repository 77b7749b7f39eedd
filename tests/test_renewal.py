"""Tests of `make versions`: every pinned version is listed, with newer ones and their dates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from conftest import ROOT

from tierra.bindings.imports import sources
from tierra.github.actions import ACTIONS
from tools import registries, renewal
from tools.registries import Unreachable
from tools.renewal import Pin, Row, answer, lines, markdown, newer, pins

TODAY = date(2026, 11, 28)
# A version number in Python text, and exceptions: addresses, examples in messages, versions of TLS.
RELEASE = re.compile(r"[\"@: ]v?(\d+\.\d+\.\d+)(?=[\"@ ])")
NONE = re.compile(
    r"nginx-unprivileged|\b(?:10|172|192|169|127|100|224|0)(?:\.\d+){3}|version: Version|5\.0\.0|1\.2\.3"
)
TAG = re.compile(r"^\s*\w+: [a-z0-9./-]+:v?(\d[\w.]*)$", re.M)


def pinned() -> Iterator[tuple[str, str]]:
    """File and version of every match of a plain search."""
    for file in [*sources(ROOT), *sorted((ROOT / "tierra" / "github").glob("*.py"))]:
        for line in file.read_text(encoding="utf-8").splitlines():
            for version in (
                [] if NONE.search(line) or line.lstrip().startswith("#") else RELEASE.findall(line)
            ):
                yield file.relative_to(ROOT).as_posix(), version
    for file in sorted((ROOT / "templates").rglob("*.y*ml")):
        text = file.read_text(encoding="utf-8")
        for version in [*TAG.findall(text), *re.findall(r"runs-on: ubuntu-(\S+)$", text, re.M)]:
            yield file.relative_to(ROOT).as_posix(), version
    for file in sorted((ROOT / "requirements").glob("*.lock")):
        for version in re.findall(r"^[\w.-]+\S*==(\S+)", file.read_text(encoding="utf-8"), re.M):
            yield file.relative_to(ROOT).as_posix(), version


def test_every_version_in_the_repository_is_listed() -> None:
    known = {(pin.file, pin.version.removeprefix("v")) for pin in pins()}
    versions = set(pinned())
    assert len(versions) > 200
    assert versions - known == set()


def test_actions_are_defined_in_one_place_and_listed() -> None:
    listed = {pin.name for pin in pins() if pin.kind == "action"}
    assert listed == {each.partition("@")[0] for each in ACTIONS.values()}
    for file in (ROOT / "templates").rglob("*.yml"):
        used = re.findall(r"uses: (\S+)", file.read_text(encoding="utf-8"))
        assert all(each.startswith(("<%=", "./")) for each in used), file


def test_every_kind_is_listed_with_its_source() -> None:
    listed = pins()
    assert {pin.kind for pin in listed} == set(renewal.ORDER)
    assert {pin.asked[0] for pin in listed} <= {*registries.ASKED, renewal.AWS, ""}
    assert {pin.name for pin in listed if not pin.asked[0]} == {"ubuntu"}
    assert len({pin.name for pin in listed if pin.kind == "add-on"}) >= 20


def test_the_lock_file_of_both_registries_is_listed(tmp_path: Path) -> None:
    for path in ("modules", "templates", "requirements", "tierra"):
        (tmp_path / path).symlink_to(ROOT / path)
    (tmp_path / "environments").mkdir()
    text = 'provider "registry.{host}/hashicorp/aws" {{\n  version     = "6.{minor}.0"\n}}\n'
    both = text.format(host="opentofu.org", minor=70) + text.format(host="terraform.io", minor=71)
    (tmp_path / "environments/providers.lock.hcl").write_text(both)
    locked = {pin.version: pin.asked for pin in pins(tmp_path) if pin.file.startswith("environments")}
    assert locked == {"6.70.0": ("opentofu", "hashicorp/aws"), "6.71.0": ("terraform", "hashicorp/aws")}


@pytest.mark.parametrize(
    ("pin", "published", "expected"),
    [
        (Pin("python", "x", "1.9.0", "f"), ["1.10.0", "1.8.0", "2.0.0rc1"], ["1.10.0"]),
        (Pin("image", "x", "7.0.14", "f"), ["7", "8.0", "7.0.15", "8.0.1-nanoserver"], ["7.0.15"]),
        (Pin("image", "x", "v1.33.5", "f", line="v1.33."), ["v1.33.6", "v1.36.1"], ["v1.33.6"]),
        (Pin("provider", "x", ">= 6.69, < 7", "f"), ["6.70.0", "7.0.0"], ["7.0.0"]),
        (Pin("terraform", "x", ">= 1.11", "f"), ["1.15.0"], []),
        (Pin("action", "x", "v7.0.1", "f"), ["v7", "v8.0.0", "v7.0.1"], ["v8.0.0"]),
    ],
)
def test_newer_versions_are_found(pin: Pin, published: list[str], expected: list[str]) -> None:
    assert [version for version, _ in newer(pin, [(each, None) for each in published])] == expected


def test_the_release_date_of_the_first_newer_version_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def releases(name: str) -> Iterator[tuple[str, date | None]]:
        yield from [("1.0.0", date(2026, 1, 1)), ("1.2.0", date(2026, 3, 1)), ("1.1.0", date(2026, 2, 1))]

    monkeypatch.setitem(registries.ASKED, "github", releases)
    row = answer(Pin("action", "acme/do", "v1.0.0", "f", ("github", "acme/do")))
    assert row == Row(row.pin, "1.2.0", True, date(2026, 2, 1))
    assert "2026-02-01 (300 days)" in markdown([row], TODAY)
    assert answer(Pin("action", "acme/do", "v1.2.0", "f", ("github", "acme/do"))).old is False


def test_an_unreachable_registry_is_reported_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(name: str) -> Iterator[tuple[str, date | None]]:
        raise Unreachable("registry.example.com: no route")
        yield

    monkeypatch.setitem(registries.ASKED, "npm", silent)
    row = answer(Pin("npm", "x", "1.0.0", "f", ("npm", "x")))
    assert (row.newest, row.old, row.remark) == ("", False, "not asked: registry.example.com: no route")
    printed = list(lines([row], TODAY))
    assert printed[-1] == "versions: 1 in all, 0 old, 1 without an answer"
    assert markdown([row], TODAY) == ""


def test_an_npm_without_a_registry_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program := tmp_path / "npm").write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda *_, **__: str(program))
    row = answer(Pin("npm", "x", "1.0.0", "f", ("npm", "x")))
    assert row.remark == "not asked: npm names no registry; try npm config get registry"


def test_text_from_registries_is_escaped() -> None:
    row = Row(Pin("npm", "x", "1.0.0", "f"), "2.0.0|<b>@acme", True)
    assert r"2.0.0\|\<b\>\@acme" in markdown([row], TODAY)


ANSWERS = {
    "https://packages.example.com/simple/acme/": {
        "versions": ["1.0", "1.1"],
        "files": [
            {"filename": "acme-1.1-py3-none-any.whl", "upload-time": "2026-05-02T00:00:00Z"},
            {"filename": "acme-1.1.tar.gz", "upload-time": "2026-05-01T00:00:00Z"},
            {"filename": "acme-1.2.tar.gz", "upload-time": "2026-06-01T00:00:00Z", "yanked": "broken"},
        ],
    },
    "https://api.github.com/repos/acme/do/releases?per_page=100": [
        {"tag_name": "v2.0.0", "published_at": "2026-01-02T00:00:00Z"},
        {"tag_name": "v3.0.0-rc1", "published_at": "2026-01-03T00:00:00Z", "prerelease": True},
    ],
    "https://registry.terraform.io/v1/providers/hashicorp/aws": {
        "version": "6.70.0",
        "published_at": "2026-11-20T00:00:00Z",
        "versions": ["6.69.1", "6.70.0"],
    },
    "https://registry.terraform.io/v1/providers/hashicorp/aws/6.69.1": {
        "published_at": "2026-11-10T00:00:00Z"
    },
    "https://registry.k8s.io/v2/a/b/tags/list": {"tags": ["v1.0.0"]},
    "https://endoflife.date/api/amazon-eks.json": [{"cycle": "1.36", "releaseDate": "2026-06-02"}],
}


def test_answers_of_registries_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(address: str, **headers: str) -> bytes:
        if address == "https://charts.example.com/index.yaml":
            return b"entries: {a: [{version: 1.0.0, created: '2026-01-01T00:00:00Z'}]}"
        return json.dumps(ANSWERS[address]).encode()

    registries.index.cache_clear()
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example.com/simple/")
    monkeypatch.setattr(registries, "get", get)
    asked = registries.ASKED
    assert list(asked["python"]("acme")) == [("1.0", None), ("1.1", date(2026, 5, 1))]
    assert list(asked["github"]("acme/do")) == [("v2.0.0", date(2026, 1, 2))]
    assert list(asked["terraform"]("hashicorp/aws")) == [("6.69.1", None), ("6.70.0", date(2026, 11, 20))]
    row = answer(Pin("provider", "aws", "6.25.0", "f", ("terraform", "hashicorp/aws")))
    assert (row.newest, row.since) == ("6.70.0", date(2026, 11, 10))
    assert list(asked["image"]("registry.k8s.io/a/b")) == [("v1.0.0", None)]
    assert list(asked["helm"]("https://charts.example.com a")) == [("1.0.0", date(2026, 1, 1))]
    assert list(asked["endoflife"]("amazon-eks")) == [("1.36", date(2026, 6, 2))]
    registries.index.cache_clear()


def test_urls_with_credentials_are_not_shown() -> None:
    with pytest.raises(Unreachable) as error:
        registries.get("https://me:secret@none.invalid/simple/")
    assert "secret" not in str(error.value)
    assert "none.invalid" in str(error.value)
