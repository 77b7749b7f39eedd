"""Jinja2 templates in templates/<tier>/, filled in Python.

The files that templates write are full of other languages' braces: `{{ .Values.x }}` of Helm, `${{ github.sha
}}` of workflows, `${HOME}` of shells, `{{ $labels.pod }}` of Prometheus. All of them stay unchanged, because
the placeholders have marks that none of them uses:

    <%= value %>    a value         <% for … %>    a statement         <%# … %>    a comment

A name without a value is an error. Values are never escaped or changed, so a reference to a Terraform
resource stays a reference; marks of Terraform in the template itself are escaped in the template's source.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


class Templates:
    """The templates of a folder. Subfolders are part of the name: `systems/deployment.yaml`."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self._for_terraform, self._for_files = _environments(folder)

    def argument(self, name: str, **values: Any) -> str:
        """Text for an argument of a Terraform resource: literal `${` and `%{` reach AWS as they are."""
        return self._for_terraform.get_template(name).render(values)

    def file(self, name: str, **values: Any) -> str:
        """Text for a file that Terraform never reads, in which references to resources have no meaning."""
        return self._for_files.get_template(name).render(values)


class _EscapingLoader(BaseLoader):
    """Doubles the marks of Terraform's own templates in the source, before values are inserted."""

    def __init__(self, inner: FileSystemLoader) -> None:
        self._inner = inner

    def get_source(self, environment: Environment, template: str) -> Any:
        source, path, uptodate = self._inner.get_source(environment, template)
        return re.sub(r"(?<!<)([$%])\{", r"\1\1{", source), path, uptodate


@cache
def _environments(folder: Path) -> tuple[Environment, Environment]:
    """For arguments and for files. Shared, because each keeps the templates that it has compiled until their
    files change."""
    loader = FileSystemLoader(folder, encoding="utf-8")
    return _environment(_EscapingLoader(loader)), _environment(loader)


def _environment(loader: BaseLoader) -> Environment:
    # The text is YAML, JSON or shell, never HTML: escaping for HTML would corrupt it.
    environment = Environment(
        loader=loader,
        autoescape=False,
        undefined=StrictUndefined,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<%=",
        variable_end_string="%>",
        comment_start_string="<%#",
        comment_end_string="%>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True)
    return environment
