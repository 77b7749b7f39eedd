"""Which provider modules the project imports, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PREFIX = "cdktf_cdktf_provider_"
FOLDERS = ("modules", "tierra/terraform", "tierra/patterns")

Imports = dict[str, dict[str, str]]
"""Package -> module -> the first place that imports it, `modules/network/tier.py:12`."""


class TrimError(Exception):
    """One line: the place and the problem."""


def sources(root: Path) -> list[Path]:
    """The Python files of the project in `root` that may import provider modules."""
    return [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py"))]


def imports(root: Path) -> Imports:
    """Every provider module that such a file imports, anywhere in the file."""
    result: Imports = {}
    for path in sources(root):
        source = path.read_bytes()
        if PREFIX.encode() not in source:
            continue
        file = path.relative_to(root).as_posix()
        try:
            tree = ast.parse(source)
        except SyntaxError as error:
            raise TrimError(f"{file}:{error.lineno}: not valid Python: {error.msg}") from error
        for node in ast.walk(tree):
            for name in _imported(node):
                _record(result, name, f"{file}:{getattr(node, 'lineno', 0)}")
    return result


def _imported(node: ast.AST) -> Iterator[str]:
    """Dotted names of provider modules; `from package import module` counts as `package.module`."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        inside = "." in node.module
        names = [node.module] if inside else [f"{node.module}.{alias.name}" for alias in node.names]
    yield from (name for name in names if name.startswith(PREFIX))


def _record(result: Imports, name: str, file: str) -> None:
    package, _, rest = name.partition(".")
    module = rest.partition(".")[0]
    if module in ("", "*"):
        raise TrimError(
            f"{file}: import the modules you use, {package}.provider for one, not all of {package}"
        )
    result.setdefault(package, {}).setdefault(module, file)
