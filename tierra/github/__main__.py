"""`python -m tierra.github` writes the workflows of this repository to .github/workflows, and lists those
for other repositories.

The environments are those with target: aws. A file that no spec asks for any more is removed if Tierra wrote
it; files of others stay. Workflows of other repositories are written below cdktf.out/workflows, to be
committed there, and where one is removed it must be removed there too. For environments with delivery.ci: off
scripts for any other CI lie in pipelines/.
"""

from __future__ import annotations

import sys
from pathlib import Path

from modules.spec import Environment
from tierra.github.workflows import (
    FOLDER,
    PIPELINES,
    WRITTEN,
    infrastructure_repository,
    pipelines,
    workflows,
)
from tierra.specs import Refused, real_environments

ELSEWHERE = Path("cdktf.out", "workflows")
HEAD = 60  # letters within which a file of ours says so


def gathered(environments: list[Environment]) -> dict[str, str]:
    """The workflows of all environments, by repository and place. Raises Refused where two specs disagree."""
    found: dict[str, str] = {}
    waves = max((each.chain.place + 1 for each in environments if each.chain.linked), default=0)
    sources: dict[str, str] = {}
    for environment in environments:
        for place, text in workflows(environment, waves).items():
            if found.setdefault(place, text) != text:
                one, other = sources[place], environment.environment
                raise Refused(
                    f"workflows: {one} and {other} share the repository of the infrastructure and disagree on"
                    f" its branch\n  remedy: write the same delivery.branch in environments/{one}.yaml and"
                    f" environments/{other}.yaml"
                )
            sources.setdefault(place, environment.environment)
    return found


def put(path: Path, text: str) -> str:
    """Writes a file that differs; what happened to it."""
    before = path.read_text(encoding="utf-8") if path.exists() else None
    if before == text:
        return "unchanged"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return "new" if before is None else "changed"


def main() -> int:
    try:
        real = real_environments()
        environments = [each for each in real if each.delivery.github]
        wanted = gathered(environments)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    ours = {infrastructure_repository(each).lower() for each in environments}
    files = {_here(place, ours) or ELSEWHERE / place: text for place, text in wanted.items()}
    scripts = [each for other in real if not other.delivery.github for each in pipelines(other).items()]
    files |= {Path(place): text for place, text in scripts}
    for path, text in sorted(files.items()):
        print(f"{put(path, text):9} {path}{_remark(path)}")
        if path.suffix == ".sh":
            path.chmod(0o755)
    known = (Path(FOLDER).glob("*.yml"), ELSEWHERE.rglob("*.yml"), Path(PIPELINES).glob("*.sh"))
    for path in sorted(each for found in known for each in found):
        if path not in files and WRITTEN in path.read_text(encoding="utf-8")[:HEAD]:
            path.unlink()
            print(f"removed   {path}: no spec asks for it")
    if not real:
        print("workflows: no environment has target: aws, so there is nothing to deploy to")
    return 0


def _remark(path: Path) -> str:
    """What is left to do with a workflow of another repository."""
    if not path.is_relative_to(ELSEWHERE):
        return ""
    owner, name, *there = path.relative_to(ELSEWHERE).parts
    return f": commit it to {owner}/{name} as {Path(*there)}"


def _here(place: str, ours: set[str]) -> Path | None:
    """Where a workflow lies in this checkout; None if it is another repository's."""
    owner, name, path = place.split("/", 2)
    return Path(path) if f"{owner}/{name}".lower() in ours else None


if __name__ == "__main__":
    sys.exit(main())
