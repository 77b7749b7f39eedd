"""The lean copy holds what modules/ imports, is renewed when that changes, and is refused when it is not whole."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bindings import trim
from bindings.assembly import AssemblyError, cut
from bindings.imports import TrimError, imports
from bindings.package import locate

ROOT = Path(__file__).resolve().parent.parent
AWS = "cdktf_cdktf_provider_aws"
TIER = f"from {AWS}.provider import AwsProvider\nfrom {AWS}.vpc import Vpc\n"


def write(root: Path, source: str, name: str = "network/tier.py") -> None:
    path = root / "modules" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("built")
    write(root, TIER)
    assert trim.build(root)
    return root


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Path:
    """A copy of the built project that a test may change."""
    return shutil.copytree(built, tmp_path / "project")


@pytest.fixture(autouse=True)
def _import_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield


def copy_of(root: Path) -> Path:
    return root / ".lean" / json.loads((root / ".lean" / "manifest.json").read_text())["copy"]


def archive_of(root: Path) -> Path:
    return next(copy_of(root).glob(f"{AWS}/_jsii/*.tgz"))


def synthesize(root: Path, script: str) -> dict[str, object]:
    """Run a stack in a process of its own; its resources."""
    program = f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(ROOT)!r})
        from bindings import node, trim
        node.use(Path({str(root)!r}))
        warning = trim.activate(Path({str(root)!r}))
        assert warning is None, warning
        from cdktf import App, TerraformStack
        app = App(outdir={str(root / "out")!r}, stack_traces=False)
        stack = TerraformStack(app, "network")
    """
    code = textwrap.dedent(program) + textwrap.dedent(script) + "\napp.synth()\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    written: dict[str, dict[str, object]] = json.loads((root / "out/stacks/network/cdk.tf.json").read_text())
    return written["resource"]


# What is imported


def test_every_way_to_import_a_module_is_found(tmp_path: Path) -> None:
    write(
        tmp_path,
        f"""
import {AWS}.eip as eip
from {AWS}.vpc import Vpc
from {AWS} import subnet, route
def later():
    from {AWS}.iam_role import IamRole
""",
    )
    assert imports(tmp_path / "modules") == {
        AWS: {
            "eip": "modules/network/tier.py:2",
            "vpc": "modules/network/tier.py:3",
            "subnet": "modules/network/tier.py:4",
            "route": "modules/network/tier.py:4",
            "iam_role": "modules/network/tier.py:6",
        }
    }


def test_names_in_text_and_comments_are_not_imports(tmp_path: Path) -> None:
    write(tmp_path, f"# from {AWS}.vpc import Vpc\ntext = 'import {AWS}.eip'\n")
    assert imports(tmp_path / "modules") == {}


@pytest.mark.parametrize("statement", [f"import {AWS}", f"from {AWS} import *"])
def test_importing_a_whole_package_is_refused_with_the_place(tmp_path: Path, statement: str) -> None:
    write(tmp_path, f"\n{statement}\n")
    with pytest.raises(TrimError, match=r"modules/network/tier\.py:2: import the modules you use"):
        imports(tmp_path / "modules")


def test_a_file_that_is_not_python_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, f"from {AWS}.vpc import\n")
    assert trim.main(tmp_path) == 1
    assert "modules/network/tier.py:1: not valid Python" in capsys.readouterr().err


def test_a_module_the_provider_does_not_have_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, f"from {AWS}.subnett import Subnet\n")
    assert trim.main(tmp_path) == 1
    assert (
        "modules/network/tier.py:1: cdktf_cdktf_provider_aws has no module subnett" in capsys.readouterr().err
    )
    assert list((tmp_path / ".lean").glob("copy-*")) == []


def test_a_provider_that_is_not_installed_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "from cdktf_cdktf_provider_nowhere.vpc import Vpc\n")
    assert trim.main(tmp_path) == 1
    assert "cdktf_cdktf_provider_nowhere is not installed" in capsys.readouterr().err


# The copy


def test_the_copy_is_small_and_holds_only_what_is_imported(built: Path) -> None:
    modules = {path.name for path in (copy_of(built) / AWS).iterdir() if path.is_dir()}
    assert modules - {"__pycache__"} == {"_jsii", "provider", "vpc"}
    with tarfile.open(archive_of(built)) as archive:
        names = set(archive.getnames())
        description = json.load(archive.extractfile("package/.jsii"))  # type: ignore[arg-type]
    assert names == {
        f"package/{name}"
        for name in (".jsii", "LICENSE", "package.json", "lib/index.js")
        + ("lib/provider/index.js", "lib/vpc/index.js")
    }
    kinds = {name.rpartition(".")[0] for name in description["types"]}
    assert (
        kinds == {"@cdktf/provider-aws.provider", "@cdktf/provider-aws.vpc"} == set(description["submodules"])
    )
    assert archive_of(built).stat().st_size < 500_000


def test_a_stack_synthesizes_with_the_copy(built: Path) -> None:
    resources = synthesize(built, TIER + 'Vpc(stack, "vpc", cidr_block="10.20.0.0/16", tags={"Name": "a"})\n')
    assert resources == {"aws_vpc": {"vpc": {"cidr_block": "10.20.0.0/16", "tags": {"Name": "a"}}}}


def test_a_wrong_type_is_still_refused_in_python(built: Path) -> None:
    script = """
        from cdktf_cdktf_provider_aws.vpc import Vpc
        try:
            Vpc(stack, "vpc", cidr_block=10)
        except TypeError as error:
            assert "cidr_block" in str(error), error
        else:
            raise AssertionError("accepted")
        Vpc(stack, "vpc", cidr_block="10.20.0.0/16")
    """
    assert "aws_vpc" in synthesize(built, script)


def test_a_new_import_renews_the_copy_and_its_types_resolve(project: Path) -> None:
    """jsii keeps extracted assemblies by name and version; it must not serve the one of the copy before."""
    synthesize(project, TIER + 'Vpc(stack, "vpc")\n')
    write(
        project, TIER + f"from {AWS}.eip import Eip\nfrom cdktf_cdktf_provider_helm.release import Release\n"
    )
    assert "lacks cdktf_cdktf_provider_aws.eip (modules/network/tier.py:3)" in str(trim.problem(project))
    assert trim.build(project)
    resources = synthesize(
        project,
        """
        from cdktf_cdktf_provider_aws.eip import Eip
        from cdktf_cdktf_provider_helm.release import Release
        Eip(stack, "eip")
        Release(stack, "kong", name="kong", chart="kong")
        """,
    )
    assert resources.keys() == {"aws_eip", "helm_release"}


def test_an_import_that_is_gone_leaves_the_copy_usable_until_it_is_renewed(project: Path) -> None:
    write(project, f"from {AWS}.vpc import Vpc\n")
    assert trim.problem(project) is None
    assert trim.build(project)
    assert not (copy_of(project) / AWS / "provider").exists()


def test_nothing_is_done_while_the_copy_fits(project: Path) -> None:
    before = copy_of(project)
    command = [sys.executable, "-c", f"from bindings.trim import main, Path; main(Path({str(project)!r}))"]
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - began < 1  # 0.07 s alone; room for a busy machine
    write(project, "# a comment\n" + TIER)
    assert not trim.build(project)
    assert copy_of(project) == before


def test_two_builds_at_a_time_make_one_copy(project: Path) -> None:
    write(project, f"from {AWS}.vpc import Vpc\n")
    made: list[bool] = []
    threads = [threading.Thread(target=lambda: made.append(trim.build(project))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False, True]


def test_the_copy_before_stays_for_programs_that_still_read_it(project: Path) -> None:
    first = copy_of(project)
    write(project, f"from {AWS}.vpc import Vpc\n")
    trim.build(project)
    second = copy_of(project)
    write(project, f"from {AWS}.eip import Eip\n")
    trim.build(project)
    assert not first.exists()
    assert second.exists()
    assert copy_of(project).exists()


def test_a_build_that_fails_leaves_the_copy_as_it_was(project: Path) -> None:
    before = copy_of(project)
    write(project, TIER + f"from {AWS}.nowhere import Nowhere\n")
    assert trim.main(project) == 1
    assert list((project / ".lean").glob("copy-*")) == [before]
    write(project, TIER)
    assert trim.activate(project) is None


def test_the_copy_can_be_moved_and_still_fits(project: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(project, tmp_path / "moved", copy_function=shutil.copyfile)
    assert trim.activate(moved) is None
    assert sys.path[0] == str(copy_of(moved))


def test_the_installed_package_is_found_while_the_copy_is_first(project: Path) -> None:
    assert trim.activate(project) is None
    assert project not in locate(AWS, project / ".lean").folder.parents


# Why a copy is not used


def damage(root: Path, kind: str) -> None:
    lean, archive = root / ".lean", archive_of(root)
    manifest = json.loads((lean / "manifest.json").read_text())
    match kind:
        case "no copy":
            shutil.rmtree(lean)
        case "no folder":
            shutil.rmtree(copy_of(root))
        case "broken manifest":
            (lean / "manifest.json").write_text('{"copy": ')
        case "other manifest":
            (lean / "manifest.json").write_text("[]")
        case "truncated archive":
            archive.write_bytes(archive.read_bytes()[:1000])
        case "changed archive":
            content = bytearray(archive.read_bytes())
            content[5000] ^= 1
            archive.write_bytes(content)
        case "missing file":
            (copy_of(root) / AWS / "vpc" / "__init__.py").unlink()
        case "other release":
            manifest["packages"][AWS]["from"]["archive"] = "provider-aws@21.0.0.jsii.tgz"
            (lean / "manifest.json").write_text(json.dumps(manifest))
        case "other code":
            (lean / "manifest.json").write_text(json.dumps(manifest | {"code": "x"}))
        case "new module":
            write(root, TIER + f"\nfrom {AWS}.eip import Eip\n")
        case "not Python":
            write(root, f"from {AWS} import")


REASONS = {
    "no copy": "there is no lean copy yet",
    "no folder": "is missing from the lean copy",
    "broken manifest": "the manifest of the lean copy cannot be read",
    "other manifest": "the manifest of the lean copy cannot be read",
    "truncated archive": "has 1000 bytes instead of",
    "changed archive": "in the lean copy was changed",
    "missing file": "vpc/__init__.py is missing from the lean copy",
    "other release": "was made from provider-aws@21.0.0.jsii.tgz, installed is provider-aws@",
    "other code": "was made by another version of bindings/trim.py",
    "new module": "lacks cdktf_cdktf_provider_aws.eip (modules/network/tier.py:4)",
    "not Python": "modules/network/tier.py:1: not valid Python",
}


@pytest.mark.parametrize("kind", REASONS)
def test_a_copy_that_does_not_fit_is_left_aside_with_the_reason_in_one_line(project: Path, kind: str) -> None:
    damage(project, kind)
    before = list(sys.path)
    warning = trim.activate(project)
    assert warning is not None
    assert REASONS[kind] in warning
    assert warning.startswith("warning: ")
    assert warning.endswith("; remedy: make setup, or python -m bindings.trim")
    assert "\n" not in warning
    assert sys.path == before


@pytest.mark.parametrize("kind", ["truncated archive", "broken manifest", "missing file"])
def test_a_broken_copy_is_made_anew(project: Path, kind: str) -> None:
    damage(project, kind)
    assert trim.build(project)
    assert trim.problem(project) is None


def test_every_loss_of_bytes_is_noticed(project: Path) -> None:
    files = [path for path in copy_of(project).rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes()
        os.truncate(path, len(content) - 1)
        assert trim.problem(project) is not None, path
        path.write_bytes(content)
    assert trim.problem(project) is None


# The assembly, in the layouts jsii writes


ASSEMBLY = {
    "name": "@x/y",
    "version": "1.0.0",
    "readme": {"markdown": "long"},
    "submodules": {f"@x/y.{n}": {"symbolId": f"src/{n}-folder/index:"} for n in ("one", "two")},
    "types": {
        "@x/y.one.A": {
            "docs": {"summary": "a"},
            "fqn": "@x/y.one.A",
            "name": "A",
            "properties": [{"name": "docs"}],
        },
        "@x/y.two.B": {"fqn": "@x/y.two.B", "name": "B", "base": "@x/y.one.A"},
    },
}


def pack(path: Path, description: dict[str, bytes]) -> Path:
    files = description | {
        "lib/index.js": b"all",
        "lib/one-folder/index.js": b"one",
        "lib/one-folder/index-structs/structs0.js": b"structs",
        "lib/one-folder/index.d.ts": b"types",
        "lib/two-folder/index.js": b"two",
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def layouts() -> dict[str, dict[str, bytes]]:
    redirect = {"schema": "jsii/file-redirect", "compression": "gzip", "filename": ".jsii.gz"}
    indented = json.dumps(ASSEMBLY, indent=2).encode()
    return {
        "indented": {".jsii": indented},
        "compact": {".jsii": json.dumps(ASSEMBLY).encode()},
        "redirected": {".jsii": json.dumps(redirect).encode(), ".jsii.gz": gzip.compress(indented)},
    }


@pytest.mark.parametrize("layout", layouts())
def test_every_layout_of_a_description_is_cut_to_the_same(tmp_path: Path, layout: str) -> None:
    source = pack(tmp_path / "source.tgz", layouts()[layout])
    cut(source, {"@x/y.one"}, tmp_path / "lean.tgz")
    with tarfile.open(tmp_path / "lean.tgz") as archive:
        files = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
    assert json.loads(files.pop("package/.jsii")) == {
        "name": "@x/y",
        "version": "1.0.0",
        "submodules": {"@x/y.one": {}},
        "types": {"@x/y.one.A": {"fqn": "@x/y.one.A", "name": "A", "properties": [{"name": "docs"}]}},
    }
    assert b"./one-folder" in files["package/lib/index.js"]
    assert b"two" not in files["package/lib/index.js"]
    assert sorted(files) == [
        "package/lib/index.js",
        "package/lib/one-folder/index-structs/structs0.js",
        "package/lib/one-folder/index.js",
        "package/package.json",
    ]


def test_the_same_cut_gives_the_same_bytes(tmp_path: Path) -> None:
    source = pack(tmp_path / "source.tgz", layouts()["indented"])
    for name in ("first", "second"):
        cut(source, {"@x/y.one"}, tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_type_that_needs_one_left_out_is_refused(tmp_path: Path) -> None:
    source = pack(tmp_path / "source.tgz", layouts()["indented"])
    with pytest.raises(AssemblyError, match=r"kept types refer to types left out: @x/y\.one\.A"):
        cut(source, {"@x/y.two"}, tmp_path / "lean.tgz")
