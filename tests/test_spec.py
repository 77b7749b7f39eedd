"""Tests of valid specs, and of the messages about invalid ones.

The cases are files in tests/specs: `error.*` must be refused and `ok.*` accepted; the rest of
the name says why. An error case starts with one line for each expected problem, and must have no others:

    # expect: <line>: <path>: <value> | <part of the rule> | <part of the remedy>

A case that cannot contain comments has these lines in a file of the same name with the extension .expect. A
case is loaded as dev.yaml, or with the name in its line `# name:`, because an environment is named after its
file.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from importlib import resources
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from modules.loader import load
from modules.network.spec import Network
from modules.network.zones import zones_of
from modules.network.zones_spec import LETTERS
from modules.spec import Environment
from modules.storage.spec import Backup
from tierra.bindings.imports import sources
from tierra.validation.errors import Problem, SpecError
from tierra.validation.messages import dotted, short, shown
from tierra.validation.model import Model
from tierra.validation.regions import PARTITIONS, regions
from tierra.validation.retention import RETENTION_DAYS
from tierra.validation.syntax import scalar
from tools import schema

ROOT = Path(__file__).parent.parent
CASES = ROOT / "tests" / "specs"
ERRORS = sorted(CASES.glob("error.*.yaml"))
GOOD = sorted(CASES.glob("ok.*.yaml"))
DEMAND = re.compile(r"\b(must|is required|requires?)\b")
MINIMAL = "project: acme\nregion: us-east-1\n"

bounded = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def write(folder: Path, content: str | bytes, name: str = "dev") -> Path:
    path = folder / f"{name}.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path) -> SpecError:
    with pytest.raises(SpecError) as caught:
        load(path)
    return caught.value


def check_wording(problem: Problem) -> None:
    """Checks the wording of every problem."""
    for text in (problem.path, problem.value, problem.rule, problem.remedy):
        assert "\n" not in text
    assert DEMAND.search(problem.rule), problem.rule  # "min (3) is at most max (2)" would be false
    assert problem.remedy
    assert len(problem.value) <= 60
    assert len(problem.path) <= 200


# Cases as files


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case.stem.removeprefix("error."))
def test_an_invalid_spec_is_refused_with_path_value_rule_and_remedy(case: Path, tmp_path: Path) -> None:
    sibling = case.with_suffix(".expect")
    header = (sibling if sibling.exists() else case).read_text(encoding="utf-8")
    expected = [line.split(" | ") for line in re.findall(r"^# expect: (.+)$", header, re.MULTILINE)]
    name = re.search(r"^# name: (.+)$", header, re.MULTILINE)
    path = write(tmp_path, case.read_bytes(), name[1] if name else "dev")
    error = refused(path)
    message = str(error)
    assert len(error.problems) == len(expected), message
    for problem, (key, rule, remedy) in zip(error.problems, expected, strict=True):
        text = problem.text(error.file)
        assert text.split("\n")[0] == f"{path}:{key}"
        assert rule in problem.rule
        assert remedy in problem.remedy
        assert text in message
        check_wording(problem)
    assert "Traceback" not in message
    assert "pydantic" not in message


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.stem.removeprefix("ok."))
def test_a_valid_spec_is_accepted(case: Path, tmp_path: Path) -> None:
    environment = load(write(tmp_path, case.read_bytes()))
    assert environment.environment == "dev"
    assert set(environment.network.layout.private) == set(environment.network.zones)


def test_rules_say_must() -> None:
    """Rules are written with "must": "min (10) is at most max (9)" would be a false statement."""
    stated = []
    for source in [*sources(ROOT), *sorted((ROOT / "tierra/validation").glob("*.py"))]:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            rule: ast.expr | None = None
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "rule_error",
                "Violation",
                "Problem",
            ):
                position = {"rule_error": 0, "Violation": 1, "Problem": 2}[ast.unparse(node.func)]
                rule = node.args[position] if len(node.args) > position else None
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "rule":
                rule = node.value
            text = ast.unparse(rule) if isinstance(rule, (ast.Constant, ast.JoinedStr)) else ""
            if text and not DEMAND.search(text) and not re.search(r"\{_?[a-z_.]*rule\}", text, re.I):
                stated.append(f"{source.relative_to(ROOT)}: {text}")
    assert stated == []


def test_every_case_states_its_expected_problems() -> None:
    assert len(ERRORS) >= 40
    assert all(
        any(case.name.startswith(f"error.{key}") for case in ERRORS) for key in Environment.model_fields
    )


@pytest.mark.parametrize("name", ["sandbox", "staging", "production"])
def test_environments_of_the_project_are_valid(name: str) -> None:
    environment = load(ROOT / "environments" / f"{name}.yaml")
    assert environment.project == "acme"
    assert environment.protection is (name != "sandbox")
    assert environment.target == ("rehearsal" if name == "sandbox" else "aws")


# Files that cannot be read


def test_missing_file_names_the_environments_that_exist(tmp_path: Path) -> None:
    write(tmp_path, MINIMAL, "production")
    write(tmp_path, MINIMAL, "sandbox")
    message = str(refused(tmp_path / "prod.yaml"))
    assert "prod.yaml" in message
    assert "use production" in message
    assert "production, sandbox" in message


def test_a_file_with_another_extension_is_reported(tmp_path: Path) -> None:
    (tmp_path / "dev.yml").write_text(MINIMAL)
    assert "rename dev.yml to dev.yaml" in str(refused(tmp_path / "dev.yaml"))


@pytest.mark.parametrize("name", ["", "x" * 300, "nul\0", "no/such/folder", "../../etc/passwd"])
def test_unusual_names_are_refused_without_a_traceback(name: str, tmp_path: Path) -> None:
    check_wording(refused(tmp_path / f"{name}.yaml").problems[0])


def test_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "a folder" in str(refused(tmp_path / "dev.yaml"))
    assert "pipe" in str(refused(tmp_path / "pipe.yaml"))


def test_unreadable_file_says_how_to_make_it_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, MINIMAL)
    monkeypatch.setattr(Path, "open", denied)
    assert "chmod u+r" in str(refused(path))


def test_large_file_is_refused_unread(tmp_path: Path) -> None:
    assert "256 KiB" in str(refused(write(tmp_path, "#" * 2_000_000)))


# Many problems


def test_the_heading_counts_problems_and_they_are_in_line_order(tmp_path: Path) -> None:
    error = refused(write(tmp_path, (CASES / "error.everything_at_once.yaml").read_bytes()))
    assert str(error).startswith(f"{error.file}: {len(error.problems)} problems\n\n")
    lines = [problem.line for problem in error.problems]
    assert lines == sorted(lines)


def test_many_problems_are_counted_and_truncated(tmp_path: Path) -> None:
    error = refused(write(tmp_path, MINIMAL + "".join(f"key{number}: x\n" for number in range(500))))
    assert len(error.problems) == 500
    assert str(error).endswith("and 400 more problems")


def test_problem_without_line_or_path_reads_well() -> None:
    problem = Problem("", "", "a rule", "a remedy")
    assert (
        str(SpecError("x.yaml", [problem]))
        == "x.yaml: 1 problem\n\nx.yaml\n  rule:   a rule\n  remedy: a remedy"
    )


def test_environments_created_in_python_are_checked() -> None:
    network = {"cidr": "10.20.0.0/16", "zones": ["a"]}
    with pytest.raises(ValidationError, match=r"network\.zones: there must be two to four zones"):
        Environment.model_validate(
            {"project": "acme", "environment": "dev", "region": "us-east-1", "network": network}
        )


def test_an_invalid_spec_is_refused_without_loading_a_provider(tmp_path: Path) -> None:
    path = write(tmp_path, (CASES / "error.everything_at_once.yaml").read_bytes())
    program = (
        "import sys; from pathlib import Path\n"
        "from modules.loader import load\n"
        "try: load(Path(sys.argv[1]))\n"
        "except Exception as error: assert type(error).__name__ == 'SpecError'\n"
        "heavy = {'cdktf', 'jsii', 'constructs', 'boto3', 'botocore.session'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], cwd=ROOT, check=True)


# Address arithmetic

sizes = st.integers(min_value=16, max_value=19)
zones = st.lists(st.sampled_from(LETTERS), min_size=2, max_size=4, unique=True)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    size = draw(sizes)
    slot = draw(st.integers(min_value=0, max_value=2 ** (size - 8) - 1))
    cidr = IPv4Network((int(IPv4Network("10.0.0.0/8").network_address) + slot * 2 ** (32 - size), size))
    return Network(cidr=cidr, zones=tuple(draw(zones)))


def subnets(network: Network) -> list[IPv4Network]:
    layout = network.layout
    return [*layout.public.values(), *layout.private.values(), *layout.database.values()]


@bounded
@given(networks())
def test_subnets_are_inside_the_vpc_disjoint_and_large_enough(network: Network) -> None:
    assert all(subnet.subnet_of(network.cidr) for subnet in subnets(network))
    assert not any(first.overlaps(second) for first, second in combinations(subnets(network), 2))
    assert all(subnet.prefixlen <= 22 for subnet in network.layout.private.values())
    assert all(subnet.prefixlen <= 27 for subnet in network.layout.public.values())
    assert list(network.layout.private) == list(network.zones)


@bounded
@given(networks(), st.sampled_from(LETTERS))
def test_adding_a_zone_changes_no_subnet(network: Network, letter: str) -> None:
    more = Network(cidr=network.cidr, zones=(letter, *network.zones))
    for kind in ("public", "private", "database"):
        before, after = getattr(network.layout, kind), getattr(more.layout, kind)
        assert {zone: after[zone] for zone in before} == before


def test_the_documented_layout_of_a_16_is_current() -> None:
    layout = Network().layout
    assert list(map(str, layout.private.values())) == ["10.20.0.0/19", "10.20.32.0/19", "10.20.64.0/19"]
    assert list(map(str, layout.public.values())) == ["10.20.192.0/24", "10.20.193.0/24", "10.20.194.0/24"]
    assert list(map(str, layout.database.values())) == ["10.20.224.0/24", "10.20.225.0/24", "10.20.226.0/24"]


def test_own_subnets_replace_computed_ones(tmp_path: Path) -> None:
    network = load(write(tmp_path, (CASES / "ok.own_subnets.yaml").read_bytes())).network
    assert str(network.layout.private["b"]) == "10.40.64.0/19"


# Facts about AWS


def test_partition_and_suffix_follow_the_region(tmp_path: Path) -> None:
    environment = load(write(tmp_path, "project: acme\nregion: cn-northwest-1\n"))
    assert (environment.partition, environment.dns_suffix) == ("aws-cn", "amazonaws.com.cn")
    environment = load(write(tmp_path, "project: acme\nregion: us-gov-west-1\n"))
    assert (environment.partition, environment.dns_suffix) == ("aws-us-gov", "amazonaws.com")


@pytest.mark.parametrize("region", sorted(regions()))
def test_two_keys_are_a_complete_spec_in_every_region(region: str, tmp_path: Path) -> None:
    if regions()[region].partition in PARTITIONS:
        environment = load(write(tmp_path, f"project: acme\nregion: {region}\n"))
        assert environment.network.zones == tuple(zones_of(region).usual)


def test_every_retention_value_is_accepted() -> None:
    assert [Network(flow_log_days=days).flow_log_days for days in RETENTION_DAYS] == list(RETENTION_DAYS)


def test_never_means_none(tmp_path: Path) -> None:
    storage = load(write(tmp_path, f"{MINIMAL}storage: {{files: {{archive_days: never}}}}")).storage
    assert storage.files.archive_days is None
    assert Backup().cold_days is None


def test_specs_are_frozen(tmp_path: Path) -> None:
    environment = load(write(tmp_path, MINIMAL))
    with pytest.raises(ValidationError):
        environment.project = "other"  # type: ignore[misc]


# YAML


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("no", "no"), ("on", "on"), ("y", "y"), ("True", True), ("", None), ("~", None), ("Null", None)),
        *(("010", 10), ("+7", 7), ("0x10", 16), ("0o10", 8), ("1_000", "1_000"), ("1:30", "1:30")),
        *(("5.0", 5.0), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-.inf", float("-inf"))),
        *(
            ("5.0.0", "5.0.0"),
            ("2024-01-01", "2024-01-01"),
            ("-", "-"),
            (".", "."),
            ("9" * 5000, float("inf")),
        ),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text: str, value: Any) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_paths_and_values_are_shown_on_one_short_line() -> None:
    assert dotted(("network", "zones", 1)) == "network.zones[1]"
    assert dotted(("tags", "cost center")) == 'tags["cost center"]'
    assert short("a\n b\t\x1b[31mc") == "a b [31mc"
    assert len(short("x" * 1000)) == 60
    assert shown({"a": [1, True, None]}) == "{a: [1, true, (nothing)]}"


# Editors


def test_the_schema_of_editors_is_current() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), "run: python -m tools.schema"


def test_every_key_has_a_description_and_its_default() -> None:
    waiting: list[type[Model]] = [Environment]
    while waiting:
        kind = waiting.pop()
        assert kind.__doc__
        for name, field in kind.model_fields.items():
            assert field.description, f"{kind.__name__}.{name}"
            if isinstance(field.annotation, type) and issubclass(field.annotation, Model):
                waiting.append(field.annotation)


@pytest.mark.parametrize("name", ["sandbox", "production"])
def test_environments_start_with_their_schema(name: str) -> None:
    first = (ROOT / "environments" / f"{name}.yaml").read_text(encoding="utf-8").split("\n")[0]
    assert first == "# yaml-language-server: $schema=schema.json"


@pytest.mark.parametrize("name", ["sandbox", "production"])
def test_editors_accept_the_environments_and_refuse_a_misspelt_key(name: str) -> None:
    rules = json.loads((ROOT / "environments" / "schema.json").read_text(encoding="utf-8"))
    spec = yaml.safe_load((ROOT / "environments" / f"{name}.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(spec, rules)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**spec, "netwrk": {}}, rules)


@pytest.mark.parametrize(
    ("spec", "legal"),
    [
        ({"project": "acme", "region": "us-east-1"}, True),
        ({"project": "acme"}, False),
        ({"extends": "shared/base.yaml"}, True),
        ({"extends": "shared/base.yaml", "systems": {"orders": {"replicas": 1}}}, True),
        ({"extends": "shared/base.yaml", "systems": {"orders": {"egress": [{}]}}}, False),
        ({"extends": "shared/base.yaml", "netwrk": {}}, False),
    ],
)
def test_the_schema_of_editors_requires_no_key_that_a_base_may_set(spec: dict[str, Any], legal: bool) -> None:
    rules = json.loads((ROOT / "environments" / "schema.json").read_text(encoding="utf-8"))
    assert jsonschema.Draft202012Validator(rules).is_valid(spec) == legal


# Arbitrary input


def survives(path: Path) -> None:
    """Loading must give an environment with subnets or well-formed problems."""
    problems: tuple[Problem, ...] = ()
    try:
        assert subnets(load(path).network)
    except SpecError as error:
        problems = error.problems or (Problem("", "", "", ""),)  # refused below
    for problem in problems:
        check_wording(problem)


@bounded
@given(st.binary(max_size=200))
def test_any_bytes_give_an_environment_or_a_spec_error(tmp_path: Path, content: bytes) -> None:
    survives(write(tmp_path, content))


pieces = st.sampled_from(
    [
        *(*Environment.model_fields, *Network.model_fields, "files", "backup", "a", "1", "~", "true", "no"),
        *("10.20.0.0/16", "us-east-1", ": ", ":", "\n", "\n  ", "\n    ", "- ", ", ", "[", "]", "{", "}"),
        *("&x ", "*x", "!y ", "!!str ", "<<: *x", "? ", '"', "'", "#", "|", ">", "%", "@", "\t", "---\n"),
        *("...\n", "\\", "\u202e", "é", "\x00", "\ufeff"),
    ]
)


@bounded
@given(st.lists(pieces, max_size=40).map("".join))
def test_any_text_gives_an_environment_or_a_spec_error(tmp_path: Path, content: str) -> None:
    survives(write(tmp_path, content))
    survives(write(tmp_path, MINIMAL + content))


def keys(kind: type[Model]) -> st.SearchStrategy[dict[str, Any]]:
    """Mappings with correct or misspelt keys of a section, and values of every kind."""
    odd = st.sampled_from(
        [None, True, 0, -1, 30, 90, 1.5, float("nan"), "", "a", "10.0.0.0/8", "off", "never"]
    )
    flat = st.one_of(
        odd, st.lists(odd, max_size=3), st.dictionaries(st.sampled_from("abcz"), odd, max_size=3)
    )
    values: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in kind.model_fields.items():
        inner = [each for each in (field.annotation, *getattr(field.annotation, "__args__", ())) if each]
        sections = [each for each in inner if isinstance(each, type) and issubclass(each, Model)]
        values[name] = st.one_of(flat, *map(keys, sections))
        values[f"{name}x"] = flat
    return st.fixed_dictionaries({}, optional=values)


@bounded
@given(keys(Environment))
def test_any_values_give_an_environment_or_a_spec_error(tmp_path: Path, data: dict[str, Any]) -> None:
    survives(write(tmp_path, yaml.safe_dump(data)))
    survives(write(tmp_path, yaml.safe_dump({"project": "acme", "region": "ca-central-1"} | data)))


def test_all_regions_are_read_from_botocore() -> None:
    text = (resources.files("botocore") / "data" / "endpoints.json").read_text(encoding="utf-8")
    parsed = {
        name: (partition["partition"], partition["dnsSuffix"])
        for partition in json.loads(text)["partitions"]
        for name in partition["regions"]
    }
    assert parsed == {name: (each.partition, each.dns_suffix) for name, each in regions().items()}
