"""Tests of templates: they replace their own placeholders and leave other braces unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from tierra.terraform.templating import Templates

FOREIGN = [
    "{{ .Values.image }}",
    '{{- include "chart.name" . | nindent 4 }}',
    "${{ github.sha }}",
    "${HOME}/bin",
    "{{ $labels.pod }}",
    "{% raw %}",
    "{# not a comment #}",
    "[[ -n $x ]] && cat <<EOF",
    "100%",
]


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    (tmp_path / "systems").mkdir()
    return Templates(tmp_path)


def write(folder: Path, source: str) -> str:
    (folder / "systems" / "values.yaml").write_text(source, encoding="utf-8")
    return "systems/values.yaml"


@pytest.mark.parametrize("line", FOREIGN)
def test_braces_of_other_languages_are_unchanged(templates: Templates, tmp_path: Path, line: str) -> None:
    assert templates.file(write(tmp_path, line + "\n")) == line + "\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("${HOME}", "$${HOME}"),
        ("${{ github.sha }}", "$${{ github.sha }}"),
        ("%{ if true }", "%%{ if true }"),
        ("$HOME 100% {x}", "$HOME 100% {x}"),
        ("<% if true %>${x}<% endif %>", "$${x}"),
    ],
)
def test_templates_are_escaped_for_terraform(
    templates: Templates, tmp_path: Path, source: str, expected: str
) -> None:
    assert templates.argument(write(tmp_path, source)) == expected


def test_a_reference_among_the_values_stays_a_reference(templates: Templates, tmp_path: Path) -> None:
    name = write(tmp_path, "cluster: <%= cluster %> # ${literal}")
    rendered = templates.argument(name, cluster="${TfToken[TOKEN.7]}")
    assert rendered == "cluster: ${TfToken[TOKEN.7]} # $${literal}"


def test_values_are_not_escaped_for_html(templates: Templates, tmp_path: Path) -> None:
    assert templates.argument(write(tmp_path, "<%= value %>"), value="a < b && 'c'") == "a < b && 'c'"


def test_a_name_without_a_value_is_an_error(templates: Templates, tmp_path: Path) -> None:
    with pytest.raises(UndefinedError, match="replicas"):
        templates.argument(write(tmp_path, "replicas: <%= replicas %>"))


def test_a_missing_template_is_an_error(templates: Templates) -> None:
    with pytest.raises(TemplateNotFound):
        templates.argument("systems/none.yaml")


def test_statements_leave_no_blank_lines_and_keep_the_last_newline(
    templates: Templates, tmp_path: Path
) -> None:
    source = "list:\n  <% for item in items %>\n  - <%= item %>\n  <% endfor %>\n<%# not rendered %>\nend\n"
    assert templates.file(write(tmp_path, source), items=["a", "b"]) == "list:\n  - a\n  - b\nend\n"


def test_values_become_json_in_a_stable_order(templates: Templates, tmp_path: Path) -> None:
    rendered = templates.file(write(tmp_path, "<%= value | tojson %>"), value={"b": "<ñ>", "a": [1, True]})
    assert rendered == '{"a": [1, true], "b": "<ñ>"}'
    assert json.loads(rendered) == {"a": [1, True], "b": "<ñ>"}
