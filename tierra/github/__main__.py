"""`python -m tierra.github` writes the workflows of this repository to .github/workflows, and lists those
for other repositories.

The environments are those with target: aws. A file that no spec needs any more is removed if Tierra wrote it;
other files stay. Workflows of other repositories are written below cdktf.out/workflows, to be committed
there, and where one is removed it must be removed there too. For environments with delivery.ci: off, scripts
for any other CI are written to pipelines/.
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
HEAD = 60  # the first letters of a file, in which Tierra's files name their generator


def gathered(environments: list[Environment]) -> dict[str, str]:
    """The workflows of all environments, by repository and path. Raises Refused if two specs disagree."""
    result: dict[str, str] = {}
    waves = max(
        (environment.chain.position + 1 for environment in environments if environment.chain.linked),
        default=0,
    )
    sources: dict[str, str] = {}
    for environment in environments:
        for path, text in workflows(environment, waves).items():
            if result.setdefault(path, text) != text:
                earlier, later = sources[path], environment.environment
                raise Refused(
                    f"workflows: {earlier} and {later} share the repository of the infrastructure and"
                    " disagree on its branch\n  remedy: write the same delivery.branch in"
                    f" environments/{earlier}.yaml and environments/{later}.yaml"
                )
            sources.setdefault(path, environment.environment)
    return result


def put(path: Path, text: str) -> str:
    """Writes a file that differs; returns what happened to it."""
    before = path.read_text(encoding="utf-8") if path.exists() else None
    if before == text:
        return "unchanged"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return "new" if before is None else "changed"


def main() -> int:
    try:
        real = real_environments()
        environments = [environment for environment in real if environment.delivery.github]
        wanted = gathered(environments)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    ours = {infrastructure_repository(environment).lower() for environment in environments}
    files = {_here(path, ours) or ELSEWHERE / path: text for path, text in wanted.items()}
    scripts = [
        script
        for environment in real
        if not environment.delivery.github
        for script in pipelines(environment).items()
    ]
    files |= {Path(path): text for path, text in scripts}
    for path, text in sorted(files.items()):
        print(f"{put(path, text):9} {path}{_remark(path)}")
        if path.suffix == ".sh":
            path.chmod(0o755)
    known = (Path(FOLDER).glob("*.yml"), ELSEWHERE.rglob("*.yml"), Path(PIPELINES).glob("*.sh"))
    for path in sorted(path_ for paths in known for path_ in paths):
        if path not in files and WRITTEN in path.read_text(encoding="utf-8")[:HEAD]:
            path.unlink()
            print(f"removed   {path}: no spec needs it")
    if not real:
        print("workflows: no environment has target: aws, so there is nothing to deploy to")
    return 0


def _remark(path: Path) -> str:
    """The remaining step for a workflow of another repository."""
    if not path.is_relative_to(ELSEWHERE):
        return ""
    owner, name, *there = path.relative_to(ELSEWHERE).parts
    return f": commit it to {owner}/{name} as {Path(*there)}"


def _here(path: str, ours: set[str]) -> Path | None:
    """The path of a workflow in this checkout; None if it belongs to another repository."""
    owner, name, file = path.split("/", 2)
    return Path(file) if f"{owner}/{name}".lower() in ours else None


if __name__ == "__main__":
    sys.exit(main())
