"""Tests of the graph of tiers, the files that synthesis writes, and the order of imports."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Callable, Iterator
from graphlib import CycleError
from pathlib import Path

import pytest
from conftest import ROOT, Root

from modules.architecture import TIERS, Tier, order, synthesize
from modules.loader import load
from modules.spec import Environment
from tierra.aws.types import FAMILIES

MODULES = ROOT / "modules"
TIER_FOLDERS = {path.parent.name for path in MODULES.glob("*/tier.py")}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def imported(path: Path, *, for_types: bool = True) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not for_types:
        tree.body = [each for each in tree.body if ast.unparse(each).partition(":")[0] != "if TYPE_CHECKING"]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_folder_with_a_tier_is_in_the_graph() -> None:
    assert set(TIERS) == TIER_FOLDERS


def test_producers_come_first_and_always_in_the_same_order() -> None:
    tiers = {
        "gateway": Tier(print, frozenset({"edge", "network"})),
        "edge": Tier(print, frozenset({"network"})),
        "network": Tier(print),
    }
    assert order(tiers) == ["network", "edge", "gateway"]
    with pytest.raises(CycleError):
        order({**tiers, "network": Tier(print, frozenset({"gateway"}))})


def test_output_is_the_same_from_run_to_run(folders: dict[str, Path], tmp_path: Path) -> None:
    for name, folder in folders.items():
        synthesize(load(ROOT / "environments" / f"{name}.yaml"), tmp_path / name)
        assert contents(tmp_path / name) == contents(folder)


def test_output_has_no_local_paths_and_no_timestamps(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        for path, content in contents(folder).items():
            for trace in (str(ROOT), str(folder), os.sep + "tmp", "stackTrace"):
                assert trace.encode() not in content, f"{path} mentions {trace}"


def test_a_second_synthesis_changes_no_files_and_keeps_those_of_terraform(
    environment: Callable[..., Environment], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    synthesize(environment(), folder)
    lock = folder / "stacks" / "network" / ".terraform.lock.hcl"
    lock.write_text("kept")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    synthesize(environment(), folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    synthesize(environment(owner="someone"), folder)
    assert lock.read_text() == "kept"
    assert "someone" in (folder / "stacks" / "network" / "cdk.tf.json").read_text()


def test_generated_json_has_no_cdktf_metadata(roots: dict[str, Root], folders: dict[str, Path]) -> None:
    for tier, root in roots.items():
        path = folders[root.environment.environment] / "stacks" / tier / "cdk.tf.json"
        text = path.read_text(encoding="utf-8")
        needs = ["data"] if TIERS[tier].needs else []
        last = ["ephemeral"] if tier in ("data", "systems", "observability") else []
        assert list(json.loads(text)) == [
            "//",
            "terraform",
            "provider",
            *needs,
            "resource",
            "output",
            *last,
        ]
        assert text.count('"//"') == 1
        assert f"environments/{root.environment.environment}.yaml" in root.body["//"]
        assert "TfToken" not in text


def test_the_graph_is_written_for_make_and_for_the_driver(folders: dict[str, Path]) -> None:
    lines = (folders["sandbox"] / "tiers.mk").read_text().splitlines()
    assert lines[1] == "TARGET := rehearsal"
    assert lines[2].startswith("TIERS := state network storage ")
    assert "plan-data: plan-network" in lines
    assert "apply-data: apply-state apply-network" in lines
    assert "destroy-network: destroy-data" in lines
    assert not [line for line in lines if line.startswith("plan-network:")]
    facts = json.loads((folders["sandbox"] / "environment.json").read_text())
    assert list(facts["tiers"]) == order()
    assert {name: frozenset(needs) for name, needs in facts["tiers"].items()} == {
        name: tier.needs for name, tier in TIERS.items()
    }
    assert (facts["target"], facts["plan_hours"]) == ("rehearsal", 24)


def test_every_policy_is_json(roots: dict[str, Root]) -> None:
    for root in roots.values():
        for terraform_type, name, arguments in root.each():
            if terraform_type == "aws_ecr_lifecycle_policy":  # not an IAM policy
                continue
            for argument in {"policy", "assume_role_policy"} & arguments.keys():
                assert root.statements(f"{terraform_type}.{name}", argument)


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [("cn-north-1", "aws-cn", "amazonaws.com.cn"), ("us-gov-west-1", "aws-us-gov", "amazonaws.com")],
)
def test_arns_belong_to_the_partition_of_the_region(
    variant: Callable[..., dict[str, Root]], region: str, partition: str, suffix: str
) -> None:
    roots = variant(region=region)
    for root in roots.values():
        assert "arn:aws:" not in json.dumps(root.body)
        assert f"arn:{partition}:" in json.dumps(root.body)
    service = roots["network"].statements("aws_kms_key.logs")["CloudWatchLogsEncrypts"]["Principal"][
        "Service"
    ]
    assert service == f"logs.{region}.{suffix}"


# A package may import only packages further down.
FLOORS = (
    ("main",),
    ("tools",),  # set-up, and pages written from code
    ("tierra.run", "tierra.hcl", "tierra.diagram", "tierra.github"),  # the commands of make
    ("tierra.report",),
    ("tierra.plans",),  # reading and reporting saved plans
    ("tierra.specs",),  # comparison of environments
    ("modules",),  # the spec and the ten tiers
    ("tierra.patterns",),  # constructs of AWS and Helm that tiers share
    ("tierra.terraform",),  # elements of a root module
    ("tierra.validation", "rehearsal"),  # reading YAML; the embedded provider
    ("tierra.aws", "tierra.bindings"),  # facts about AWS; facts of the installed packages
    ("tierra.files", "tierra.versions"),
)
# Packages that may import the embedded provider, and the modules that they may import.
KNOWN = {"tierra.run": {"attach"}, "tierra.hcl": {"catalog", "ephemeral"}, "tools": {"catalog", "checks"}}


@pytest.mark.parametrize("package", [package for floor in FLOORS for package in floor])
def test_imports_go_one_way(package: str) -> None:
    floor = next(number for number, names in enumerate(FLOORS) if package in names)
    below = {name for names in FLOORS[floor + 1 :] for name in names} | {package}
    folder = ROOT / package.replace(".", "/")
    for path in sorted(folder.rglob("*.py")) or [folder.with_suffix(".py")]:
        for name in imported(path, for_types=False):
            first, second, *_ = [*name.split("."), ""]
            target = f"tierra.{second}" if first == "tierra" and second else first
            if target == "rehearsal" != package:
                assert not second or second in KNOWN.get(package, ()), f"{path}: {name}"
            elif target in {each for names in FLOORS for each in names}:
                assert target in below, f"{path}: {name} stands no lower"


def test_every_package_is_in_the_import_order() -> None:
    folders = {f"tierra.{path.stem}" for path in (ROOT / "tierra").iterdir() if path.stem[0] not in "_"}
    assert {*folders, "modules", "rehearsal", "tools", "main"} == {each for names in FLOORS for each in names}


@pytest.mark.parametrize(
    "path", sorted(MODULES.rglob("*.py")), ids=lambda path: str(path.relative_to(MODULES))
)
def test_tiers_import_only_outputs_and_specs_of_other_tiers(path: Path) -> None:
    names = set(imported(path))
    assert not {name for name in names if name.startswith("cdktf_cdktf_provider") and name.count(".") == 0}
    own = path.relative_to(MODULES).parts[0]
    for name in names:
        parts = name.split(".")
        if parts[0] == "modules" and len(parts) > 2 and parts[1] in TIER_FOLDERS - {own}:
            derived = {"groups", "pools", "promotion"}  # depends only on the spec
            allowed = {"outputs", *derived}
            if own == "architecture.py":
                allowed = {"tier"}
            elif own in ("spec.py", "capacity.py", "overhead.py"):
                allowed = {"zones", "ranges", "disks", "names", "instances", *derived}
            elif own == "own":
                allowed = {"quantities"}
            elif path.name.endswith("spec.py") or path.name == "disks.py":
                allowed = {"ranges", "domains"}
            spec = parts[2] == "spec" or parts[2].endswith("_spec")  # shared constants, no provider
            assert spec or parts[2] in allowed, f"{path}: only outputs.py and specs cross a tier, not {name}"


@pytest.mark.parametrize(
    "start",
    [
        "modules.loader",
        *(f"tierra.{each}" for each in ("terraform.naming", "terraform.templating", "validation.errors")),
    ],
)
def test_spec_naming_and_templating_import_no_provider(start: str) -> None:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        path = ROOT / (name.replace(".", "/") + ".py")
        if name in seen or not path.is_file():
            continue
        seen.add(name)
        modules = set(imported(path))
        assert not {each for each in modules if each.startswith(("cdktf", "constructs", "jsii"))}, name
        waiting += [each for each in modules if each.startswith(("modules.", "tierra."))]


def test_the_architecture_page_names_existing_files_and_addresses(folders: dict[str, Path]) -> None:
    page = (ROOT / "docs" / "diagram.md").read_text(encoding="utf-8")
    boxes = [
        [re.findall(r"`([^`]+)`", cell) for cell in row.split("|")[2:5]]
        for row in re.findall(r"^\| [^-].*\|$", page, re.M)[1:]
    ]
    seen = set()
    for tiers, files, addresses in boxes:
        for tier in tiers:
            seen.add(tier)
            text = (folders["production"] / "stacks" / tier / "cdk.tf.json").read_text(encoding="utf-8")
            resources = json.loads(text)["resource"]
            for file in files:
                assert (ROOT / file if "/" in file else ROOT / "modules" / tier / file).is_file(), (
                    f"{tier}: {file}"
                )
            for address in addresses:
                kind, _, name = address.partition(".")
                assert kind.startswith("make ") or name in resources.get(kind, {}), f"{tier}: {address}"
    assert seen == TIERS.keys()


def _about_types(node: ast.Dict) -> bool:
    """Whether a dict literal has data, not code, by resource type."""
    keys = [key.elts[0] if isinstance(key, ast.Tuple) and key.elts else key for key in node.keys]
    types = [key for key in keys if isinstance(key, ast.Constant) and str(key.value).startswith("aws_")]
    code = (ast.Name, ast.Attribute, ast.Call, ast.Lambda)
    return len(types) > 1 and not all(isinstance(value, code) for value in node.values)


def test_facts_of_a_type_are_only_in_its_entry() -> None:
    names = [name for family in FAMILIES for name in family.TYPES]
    assert sorted(names) == sorted(set(names))
    elsewhere = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "tierra").rglob("*.py"))
        if path.parent.name not in ("types", "bindings")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Dict) and _about_types(node)
    ]
    assert not elsewhere, "move these facts to the entries in tierra/aws/types/"


def test_a_family_has_no_duplicate_entries() -> None:
    for family in FAMILIES:
        tree = ast.parse(Path(str(family.__file__)).read_text(encoding="utf-8"))
        [table] = [node.value for node in tree.body if isinstance(node, ast.AnnAssign)]
        assert isinstance(table, ast.Dict)
        assert len(table.keys) == len(family.TYPES), family.__name__
