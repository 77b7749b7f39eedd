"""Tests of the docs: links, make targets, domains and local paths."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from support.makefiles import NAMES, PAGES, ROOT, TARGET, makefiles

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.M)
FENCED = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
# In code: `make plan`, or a line of a block that starts with make. Prose such as "make it so" is none.
COMMAND = re.compile(r"(?:`|^ {4,}|^\$ )make((?: +[A-Za-z0-9_=.…<>$\"/-]+)*)", re.M)

# Folders of one machine, and hosts of package registries. `registry.terraform.io` is none of these: it is
# part of the address by which terraform knows a provider.
MACHINE = re.compile(r"(?<![\w.$}<>*)/-])/(?:work|home|root|Users|tmp|opt|var/folders)(?:/|\b)")
REGISTRY = re.compile(
    r"\b(?:(?:test\.)?pypi\.(?:org|python\.org)|files\.pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com"
    r"|proxy\.golang\.org|--(?:extra-)?index-url|--find-links)"
)


def text_files() -> list[Path]:
    """Files that git tracks or would track, without binaries and this test."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    files = [ROOT / name for name in listed.decode().split("\0") if name]
    existing = [file for file in files if file.is_file() and file != Path(__file__).resolve()]
    return [file for file in existing if b"\0" not in file.read_bytes()[:8192]]


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as code hosts make them."""
    headings = HEADING.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", NAMES)
def test_every_relative_link_has_a_target(name: str) -> None:
    page = ROOT / name
    broken = []
    for groups in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        link = groups[0] or groups[1]
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        inside = target.is_relative_to(ROOT) and target.exists()
        if not inside or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("name", NAMES)
def test_files_of_the_project_that_the_docs_name_exist(name: str) -> None:
    named = re.findall(
        r"`((?:modules|rehearsal|templates|tests|tierra|tools)/[\w./-]+)`",
        FENCED.sub("", (ROOT / name).read_text(encoding="utf-8")),
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_make_targets_in_the_docs_exist(name: str) -> None:
    targets = set(TARGET.findall(makefiles()))
    named = {
        word
        for words in COMMAND.findall((ROOT / name).read_text(encoding="utf-8"))
        for word in words.split()
        if re.fullmatch(r"[a-z][a-z-]*", word)
    }
    assert named - targets == set()


def test_targets_of_the_makefile_are_found() -> None:
    targets = set(TARGET.findall(makefiles()))
    assert {"setup", "synth", "validate", "plan", "apply", "destroy", "rehearse", "test"} <= targets
    assert COMMAND.findall("run `make -j plan ENV=x`") == [" -j plan ENV=x"]
    assert COMMAND.findall("make it so") == []


def test_every_decision_is_in_the_list_and_numbered_once() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(page.name for page in folder.glob("[0-9]*.md"))
    listed = re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == pages
    assert [int(page[:4]) for page in pages] == list(range(1, len(pages) + 1))


def test_no_file_has_a_local_path_or_a_package_registry() -> None:
    problems = []
    for file in text_files():
        text = file.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if MACHINE.search(line) or REGISTRY.search(line):
                problems.append(f"{file.relative_to(ROOT).as_posix()}:{number}: {line.strip()[:100]}")
    assert problems == []


def test_docs_only_use_example_domains() -> None:
    """Links lead to real pages; names in examples are example.com. Public registries are no examples."""
    registries = {
        "docker.io",
        "ghcr.io",
        "quay.io",
        "registry.k8s.io",
        "registry.terraform.io",
        "registry.opentofu.org",
    }
    allowed = re.compile(r"(?:.+\.)?(?:example\.com|amazonaws\.com(?:\.cn)?)$")
    problems = []
    for page in PAGES:
        text = re.sub(r"https?://[^\s)>]+", "", page.read_text(encoding="utf-8"))
        for domain in re.findall(r"\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|cloud)\b", text):
            if not allowed.match(domain) and domain not in registries:
                problems.append(f"{page.name}: {domain}")
    assert problems == []


def test_the_readmes_have_the_same_commands_links_and_numbers() -> None:
    english, spanish = (
        FENCED.sub("", (ROOT / name).read_text(encoding="utf-8")).replace(f"]({translation})", "")
        for name, translation in (("README.md", "README.es.md"), ("README.es.md", "README.md"))
    )
    for part in (r"`[^`\n]+`", r"\]\(([^)]+)\)", r"^ {4,}.*$"):
        assert Counter(re.findall(part, spanish, re.M)) == Counter(re.findall(part, english, re.M))


def test_the_readme_counts_what_the_sandbox_builds() -> None:
    rows = dict(re.findall(r"^ {6}([a-z]+) +(\d+) +0 +0", (ROOT / "README.md").read_text("utf-8"), re.M))
    counts = {
        path.name.removesuffix(".tf.json"): sum(
            map(len, json.loads(path.read_text("utf-8"))["resource"].values())
        )
        for path in (ROOT / "tests/golden/sandbox").glob("*.tf.json")
    }
    assert {name: int(count) for name, count in rows.items()} == {**counts, "total": sum(counts.values())}
