"""Plans, applies and plans again examples of public modules on the rehearsal: `make referees`.

`tests/referees.yaml` names them, each repository at one commit. They are cloned from GitHub, or read from a
folder of bare repositories, `<owner>+<name>` or `<owner>+<name>/repo`, that REFEREES_MIRROR names. Modules
that an example takes from the registry come from these repositories, too. The table in docs/rehearsal.md is
written by this.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from support.rehearsing import ROOT, Project, terraform_command

LIST = ROOT / "tests/referees.yaml"
DOCUMENT = ROOT / "docs/rehearsal.md"
BEGIN, END = "<!-- referees: written by make referees -->", "<!-- end of referees -->"
REGISTRY = re.compile(r'^(\s*source\s*=\s*")([\w-]+)/([\w-]+)/(\w+)((?://[\w/.-]+)?)"(.*)$', re.M)
VERSION = re.compile(r'^\s*version\s*=\s*"[^"]*".*\n', re.M)
BACKEND = re.compile(r'^\s*(?:backend "\w+"|cloud)\s*\{[^{}]*\}\s*$', re.M)
# Fixed names in place of those of the provider `random`.
RANDOM = (
    (re.compile(r'^(?:resource|ephemeral) "random_\w+" "\w+" \{\n(?:(?!\}).*\n)*\}\n', re.M), ""),
    (re.compile(r"^\s*random\s*=\s*\{[^{}]*\}\n", re.M), ""),
    (re.compile(r"\b(?:ephemeral\.)?random_\w+\.\w+(?:\[\w+\])?\.\w+"), '"tidy-otter-42"'),
)
LONGEST = 110


@dataclass(frozen=True)
class Result:
    module: str
    example: str
    reached: str  # the failed step (init, plan, apply or again), or done
    why: str = ""

    def row(self) -> str:
        steps = ("init", "plan", "apply", "again", "done")
        passed = steps.index(self.reached)
        cells = ["yes" if passed > step else "no" if passed == step else "" for step in (1, 2, 3)]
        return f"| {self.module} | {self.example} | {' | '.join(cells)} | {self.why} |"


def repositories() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return listed


def fetch(repository: str, commit: str, folder: Path) -> Path:
    """The files of a repository at a commit. Raises CalledProcessError where git cannot have them."""
    target = folder / repository.replace("/", "+")
    target.mkdir(parents=True)
    if mirror := os.environ.get("REFEREES_MIRROR"):
        bare = Path(mirror, repository.replace("/", "+"))
        bare = bare / "repo" if (bare / "repo").exists() else bare
    else:
        bare = folder / f"{target.name}.git"
        git("init", "--quiet", "--bare", str(bare))
        git(f"--git-dir={bare}", "fetch", "--quiet", "--depth=1", f"https://github.com/{repository}", commit)
    archive = folder / f"{target.name}.tar"
    # Some mirrors lack large files; no example needs one.
    git(f"--git-dir={bare}", "archive", f"--output={archive}", commit, "--", ".", ":(exclude)*.zip")
    subprocess.run(["tar", "-xf", str(archive), "-C", str(target)], check=True)
    return target


def git(*words: str) -> None:
    subprocess.run(["git", "-c", "safe.directory=*", *words], check=True, capture_output=True, text=True)


def pin(folder: Path, modules: Mapping[str, Path]) -> None:
    """Replaces registry modules by the fetched ones and random names by fixed ones, and removes backends."""
    for path in folder.rglob("*.tf"):
        text = old = path.read_text(encoding="utf-8")

        def local(match: re.Match[str], path: Path = path) -> str:
            before, owner, name, provider, inner, after = match.groups()
            module = modules.get(f"{owner}/terraform-{provider}-{name}")
            if module is None:
                return match.group()
            where = os.path.relpath(module / inner.removeprefix("//"), path.parent)
            return f'{before}{where if where.startswith(".") else f"./{where}"}"{after}'

        text = REGISTRY.sub(local, text)
        text = BACKEND.sub("", text)
        for pattern, instead in RANDOM:
            text = pattern.sub(instead, text)
        if text != old:
            path.write_text(_unversioned(text), encoding="utf-8")


def _unversioned(text: str) -> str:
    """Removes the versions of modules that are local now, which terraform refuses."""
    parts = re.split(r'(?m)^(?=module ")', text)
    return "".join(
        VERSION.sub("", part, count=1) if re.search(r'source\s*=\s*"\.', part) else part for part in parts
    )


def judge(module: str, example: str, files: Path) -> Result:
    """The result of an example of a module on an empty account."""
    folder = files / "examples" / example
    main = folder / "main.tf"
    project = Project(folder, main.read_text(encoding="utf-8") if main.exists() else "", terraform_command())
    options = [f"-var-file={file.name}" for file in sorted(folder.glob("fixtures.*.tfvars"))[:1]]
    steps = (
        ("init", ["init", "-input=false"]),
        ("plan", ["plan", *options]),
        ("apply", ["apply", "-auto-approve", *options]),
        ("again", ["plan", "-detailed-exitcode", *options]),
    )
    for name, words in steps:
        try:
            project.run(*words)
        except AssertionError as failed:
            return Result(module, example, name, reason(str(failed)))
    return Result(module, example, "done")


def reason(output: str) -> str:
    """The first error of terraform's output, or the first change of a plan that should have none."""
    text = " ".join(line.strip(" │╷╵") for line in output.splitlines())
    match = re.search(r"Error: (.*?)(?=Error: |$)", text) or re.search(
        r"# (\S+ (?:will|must) be [\w ]+)", text
    )
    words = re.sub(r"\s+", " ", match.group(1) if match else text).strip()
    words = words.replace("|", "/").replace("<", "&lt;").replace("`", "'")
    return words if len(words) <= LONGEST else f"{words[:LONGEST].rsplit(' ', 1)[0]} …"


def table(results: list[Result]) -> str:
    count = Counter(result.reached for result in results)
    started = len(results) - count["init"]
    planned, applied = started - count["plan"], started - count["plan"] - count["apply"]
    modules = len({result.module for result in results})
    listed = sum(len(each.get("examples", [])) for each in repositories())
    lines = [
        f"{len(results)} of the {listed} listed examples, of {modules} modules, were run; {started} could be",
        "started, the others need a provider or a module that was not at hand.",
        f"Of these {planned} plan, {applied} apply, and {count['done']} have an empty second plan.",
        "",
        "| module | example | plans | applies | second plan empty | why not |",
        "|---|---|---|---|---|---|",
        *(result.row() for result in results),
    ]
    return "\n".join(lines)


def write(text: str) -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    before, rest = document.split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="tierra-referees-") as scratch:
        modules = {}
        for each in repositories():
            try:
                modules[each["repository"]] = fetch(each["repository"], each["commit"], Path(scratch))
            except (OSError, subprocess.CalledProcessError) as failed:
                detail = getattr(failed, "stderr", None) or failed
                print(f"referees: {each['repository']} cannot be fetched: {detail}", file=sys.stderr)
                print("  remedy: reach GitHub, or set REFEREES_MIRROR (docs/rehearsal.md)", file=sys.stderr)
                return 1
        for module in modules.values():
            pin(module, modules)
        asked = [
            (each["repository"], example) for each in repositories() for example in each.get("examples", [])
        ]
        results = []
        try:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                for result in pool.map(lambda task: judge(task[0], task[1], modules[task[0]]), asked):
                    results.append(result)
                    print(result.row(), flush=True)
        finally:  # an interrupted run writes the finished rows
            write(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
