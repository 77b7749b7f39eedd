"""Tests that values have the same meaning in HCL and JSON: real terraform reads both."""

from __future__ import annotations

import base64
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.hcl import Pair, check_format, hcl_files

from tierra.hcl.__main__ import GENERATED

# terraform evaluates many values at once; shrinking a case would take too long.
AFTER_TERRAFORM = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "module")


ODD = [
    "",
    " ",
    "\n",
    "\n\n",
    'say "yes"',
    "back\\slash \\n \\",
    "$",
    "$$",
    "$${",
    "${",
    "$$${x}",
    "$$$${x}",
    "${x}",
    "%{ if true }",
    "%",
    "%%{",
    "%%%{",
    "100%",
    "$\n{",
    "{}",
    "[]",
    "{{ .Values.a }} ${{ github.sha }} $labels",
    "tab\tand\rreturn\r\n",
    "\u0000\u0001\u001f\u007f\u0085\u2028\u2029\ufeff",
    "é e\u0301 \u0301 ñ 漢字 🙂 👨\u200d👩\u200d👧 \u202e",
    "one\ntwo\n",
    "one\ntwo",
    "one\ntwo\nthree",
    "one\ntwo\nthree\n\n",
    "  all\n  indented\n",
    "  some\nindented\n\n   \n\t\n",
    "\n\n  leading\nlines\n",
    "EOT\nEOT2\n",
    "a\nEOT\nb\n  EOT3  \n",
    "\u0301accent\nfirst\nthird\n",
    "line\n\u00a0nbsp\nend\n",
    "<<-EOT\nx\nEOT\n",
    "# not\n// a\n/* comment\n",
    "${\n$${\n%{\n%%{\n",
    "trailing \n spaces  \n",
]


def in_template(plain: str) -> str:
    """The template with this text as its value."""
    return plain.replace("${", "$${").replace("%{", "%%{")


def as_terraform_has_it(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {as_terraform_has_it(key): as_terraform_has_it(item) for key, item in value.items()}
    return [as_terraform_has_it(item) for item in value] if isinstance(value, list) else value


def escaped(value: Any) -> Any:
    if isinstance(value, str):
        return in_template(value)
    if isinstance(value, dict):
        return {in_template(key): escaped(item) for key, item in value.items()}
    return [escaped(item) for item in value] if isinstance(value, list) else value


def check_preserved(pair: Pair, values: list[Any]) -> None:
    """Checks each value as an output of the HCL: alone, in a list and in an object."""
    outputs = {
        f"o{number}": {"value": [escaped(value), {"key": escaped(value)}, [[escaped(value)]]]}
        for number, value in enumerate(values)
    }
    outputs |= {f"p{number}": {"value": escaped(value)} for number, value in enumerate(values)}
    actual = pair.values({"output": outputs})
    for number, value in enumerate(values):
        plain = as_terraform_has_it(value)
        assert actual[f"o{number}"] == [plain, {"key": plain}, [[plain]]]
        assert actual[f"p{number}"] == plain
    check_format(pair.folder)


def test_unusual_strings_are_preserved(pair: Pair) -> None:
    check_preserved(pair, ODD)
    check_preserved(
        pair, [dict.fromkeys(ODD, "x"), {"a b": {"for": 1, "a-b": True, "null": None, "1": -2.5e-7}}]
    )


def test_encoded_texts_are_preserved(pair: Pair) -> None:
    check_preserved(
        pair, [encoded(3 * f"{plain}\n") for plain in ODD] + [encoded(3 * "x${y}\n%{z}\n") + "=", 50 * "A"]
    )


def test_unusual_templates_have_the_same_value(pair: Pair) -> None:
    texts = [
        "${local.a}",
        " ${local.a}",
        "${ local.a }${local.a}",
        'a ${local.a} "b" ${upper("x ${local.a} \\" } { ${"deep"} ")} c\n',
        "${~ local.a ~} x",
        "%{ if local.b }yes%{ else }no%{ endif }",
        "%{ for each in local.c }\n${each}\n%{ endfor }\n",
        "one\n${local.a}\n  two ${local.a}\n$${x}\n",
        "${local.a}\n${local.a}",
        "one\ntwo\nthree ${local.a}",
        "one\ntwo\n${local.lines}",
        "  ${local.lines}\n  x\n",
        "${local.c}",
        "${{a = 1}.a}",
        '${[for each in local.c : "${each}}"]}',
        '${local.b ? "{" : "}"}',
        "${\n  local.a\n}",
        "x\n${\n  local.a\n}\ny\n",
        "$$${local.a}",
        "$${local.a}${local.a}",
        "%%{ if }${local.a}",
        "${local.a}\r\n${local.a}\r${local.a} $${x} %{ if }\n",
    ]
    outputs = mean_the_same(pair, texts)
    assert outputs["o0"]["after"] == '${a}"'


def mean_the_same(pair: Pair, templates: list[str]) -> dict[str, Any]:
    """The outputs of the templates, which are equal from HCL and JSON."""
    outputs = {f"o{number}": {"value": template} for number, template in enumerate(templates)}
    configuration = {"locals": LOCALS, "output": outputs}
    as_json: dict[str, Any] = pair.plan({GENERATED: json.dumps(configuration)})["output_changes"]
    as_hcl: dict[str, Any] = pair.plan(hcl_files(configuration))["output_changes"]
    for name, output in outputs.items():
        assert as_hcl[name] == as_json[name], output["value"]
    check_format(pair.folder)
    return as_hcl


LOCALS = {"a": '$${a}"', "b": True, "c": ["x", "y"], "lines": "l\n\n"}


def encoded(plain: str) -> str:
    return base64.b64encode(plain.encode()).decode()


def joined(parts: list[str]) -> str:
    """Joins parts to a template; a `$` or `%` before an expression is separated by a space."""
    template = ""
    for part in parts:
        template += f" {part}" if template.endswith(("$", "%")) else part
    return template


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text(
    st.sampled_from("${}%\"\\\n\t aEOT~'\u0301"), max_size=40
)
LINES = st.lists(TEXT, min_size=2).map("\n".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | TEXT | LINES.map(encoded),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            TEXT.filter(lambda key: key == unicodedata.normalize("NFC", key)), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@AFTER_TERRAFORM
@given(st.lists(VALUES, min_size=20, max_size=40))
def test_any_value_is_preserved(pair: Pair, values: list[Any]) -> None:
    check_preserved(pair, values)


EXPRESSIONS = [
    "${local.a}",
    "${ local.lines }",
    '${local.b ? "{" : "}"}',
    '${upper("${local.a} \\" \\n }")}',
    "%{ if local.b }yes%{ else }no%{ endif }",
    "%{ for each in local.c }\n  ${each}\n%{ endfor }",
]
TEMPLATES = st.lists(TEXT.map(in_template) | st.sampled_from(EXPRESSIONS), max_size=5).map(joined)


@AFTER_TERRAFORM
@given(st.lists(TEMPLATES, min_size=40, max_size=60))
def test_any_template_has_the_same_value(pair: Pair, templates: list[str]) -> None:
    mean_the_same(pair, templates)
