"""Writes stubs of the provider modules that the project imports, for mypy: `.venv/stubs`.

Mypy reads the whole package of AWS when one module of it is imported, which takes 3.5 GB. A stub has the
classes and signatures of a module, without bodies and documentation.
"""

from __future__ import annotations

import ast
import shutil
import sys
import tempfile
from pathlib import Path

from tierra.bindings.imports import imports
from tierra.bindings.package import locate, unpacked

ROOT = Path(__file__).resolve().parent.parent
STUBS = Path(sys.prefix, "stubs")

_KEPT = {"property", "classproperty", "classmethod", "staticmethod", "setter", "abstractmethod"}
_AT_RUN_TIME = {"publication", "typeguard"}
_PRIVATE = "_typecheckingstub__"


def write(root: Path, target: Path) -> int:
    """Writes stubs of the modules that `modules/` below `root` imports, replacing those in `target`; returns
    their number."""
    shutil.rmtree(target, ignore_errors=True)
    count = 0
    for name, modules in imports(root).items():
        with tempfile.TemporaryDirectory(prefix="tierra-") as scratch:
            folder = unpacked(locate(name), modules, Path(scratch)).folder
            for module in ("_jsii", *modules):
                stub = target / name / module / "__init__.pyi"
                stub.parent.mkdir(parents=True)
                stub.write_text(shortened((folder / module / "__init__.py").read_text(encoding="utf-8")))
                count += 1
        (target / name / "__init__.pyi").touch()
    return count


def shortened(source: str) -> str:
    """The classes, functions and imports of a module, with their types and without bodies."""
    tree = ast.parse(source)
    tree.body = _declarations(tree.body)
    return ast.unparse(tree) + "\n"


def _declarations(body: list[ast.stmt]) -> list[ast.stmt]:
    declarations: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            statement.body = _declarations(statement.body) or [_nothing()]
            statement.decorator_list = []
            statement.keywords = []
            declarations.append(statement)
        elif isinstance(statement, ast.FunctionDef):
            if statement.name.startswith(_PRIVATE):
                continue
            statement.body = [_nothing()]
            statement.decorator_list = [
                decorator for decorator in statement.decorator_list if _matters(decorator)
            ]
            declarations.append(statement)
        elif isinstance(statement, ast.Import):
            if statement.names[0].name not in _AT_RUN_TIME:
                declarations.append(statement)
        elif isinstance(statement, ast.ImportFrom | ast.AnnAssign):
            declarations.append(statement)
    return declarations


def _nothing() -> ast.stmt:
    return ast.Expr(ast.Constant(...))


def _matters(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Attribute) and decorator.attr in _KEPT


if __name__ == "__main__":
    write(ROOT, STUBS)
