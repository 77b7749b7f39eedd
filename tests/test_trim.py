"""Tests of the lean copy of the bindings: its contents, its renewal, and the checks before its use."""

from __future__ import annotations

import compileall
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import textwrap
import threading
import zipfile
from pathlib import Path

import pytest

from tierra.bindings import package, trim
from tierra.bindings.package import Package, locate

ROOT = Path(__file__).resolve().parent.parent
AWS = "cdktf_cdktf_provider_aws"
VPC = f"from {AWS}.vpc import Vpc\n"
TIER = f"from {AWS}.provider import AwsProvider\n{VPC}"

EIP = f"from {AWS}.eip import Eip\n"
HELM = "from cdktf_cdktf_provider_helm import provider, release\n"


def write(root: Path, source: str, name: str = "network/tier.py") -> None:
    path = root / "modules" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


class Parts:
    """The parts of packages that this module has cut: the same modules of a package are cut once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cut = package._write

    def __call__(
        self, whole: Package, sources: dict[Path, str], submodules: set[str] | None, target: Path
    ) -> None:
        texts = sorted((path.as_posix(), text) for path, text in sources.items())
        part = self.folder / hashlib.sha256(repr((whole.archive.name, texts)).encode()).hexdigest()
        if not part.exists():
            self.cut(whole, sources, submodules, part)
        shutil.copytree(part, target)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return Parts(tmp_path_factory.mktemp("parts"))


@pytest.fixture(scope="module")
def built(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a lean copy, which tests only read."""
    root = tmp_path_factory.mktemp("built")
    write(root, TIER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package, "_write", parts)
        assert trim.build(root)
    return root


@pytest.fixture
def project(built: Path, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the built project, which a test may change. Builds in it share what they cut, and leave its
    compilation to those who run it."""
    monkeypatch.setattr(package, "_write", parts)
    monkeypatch.setattr(compileall, "compile_dir", lambda *_, **__: True)
    return shutil.copytree(built, tmp_path / "project")


@pytest.fixture(autouse=True)
def _import_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def copy_of(root: Path) -> Path:
    return root / ".lean" / str(json.loads((root / ".lean" / "manifest.json").read_text())["copy"])


def archive_of(root: Path) -> Path:
    return next(copy_of(root).glob(f"{AWS}/_jsii/*.tgz"))


def synthesize(root: Path, script: str) -> dict[str, object]:
    """Synthesizes a stack in a separate process. Returns its resources by type."""
    program = f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(ROOT)!r})
        from tierra.bindings import node, trim
        node.use(Path({str(root)!r}))
        warning = trim.activate(Path({str(root)!r}))
        assert warning is None, warning
        from cdktf import App, TerraformStack
        app = App(outdir={str(root / "out")!r}, stack_traces=False)
        stack = TerraformStack(app, "network")
        from cdktf_cdktf_provider_aws.provider import AwsProvider
        AwsProvider(stack, "aws", region="us-east-1")
    """
    code = textwrap.dedent(program) + textwrap.dedent(script) + "\napp.synth()\n"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    generated = json.loads((root / "out/stacks/network/cdk.tf.json").read_text())
    return {kind: without_metadata(resources) for kind, resources in generated["resource"].items()}


def without_metadata(resources: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    return {name: {k: v for k, v in body.items() if k != "//"} for name, body in resources.items()}


# Contents and renewal


def test_copy_contains_only_imported_modules(built: Path) -> None:
    modules = {path.name for path in (copy_of(built) / AWS).iterdir() if path.is_dir()}
    assert modules - {"__pycache__"} == {"_jsii", "provider", "vpc"}
    with tarfile.open(archive_of(built)) as archive:
        names = set(archive.getnames())
        description = json.load(archive.extractfile("package/.jsii"))  # type: ignore[arg-type]
    assert names == {
        f"package/{name}"
        for name in [
            ".jsii",
            "LICENSE",
            "package.json",
            *(f"lib/{n}index.js" for n in ("", "provider/", "vpc/")),
        ]
    }
    kinds = {name.rpartition(".")[0] for name in description["types"]}
    assert (
        kinds == {"@cdktf/provider-aws.provider", "@cdktf/provider-aws.vpc"} == set(description["submodules"])
    )
    assert archive_of(built).stat().st_size < 500_000
    for level in ("", "2"):  # with and without -OO
        compiled = importlib.util.cache_from_source("__init__.py", optimization=level)
        assert (copy_of(built) / AWS / "vpc" / compiled).exists()


def test_copies_of_a_wheel_and_of_the_installed_package_are_equal(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / f"{AWS}-21.22.1-py3-none-any.whl"
    modules = dict.fromkeys(("eip", "provider", "vpc"), "")
    folder = package.unpacked(locate(AWS), modules, tmp_path).folder
    with zipfile.ZipFile(wheel, "w") as files:
        for file in [*folder.rglob("*.py"), *folder.rglob("*.tgz")]:
            if (path := file.relative_to(folder)).parts[0] in ("_jsii", *modules):
                files.write(file, f"{AWS}/{path.as_posix()}")
    find = package._folder
    installed: list[Path | None] = [None]
    monkeypatch.setattr(package.Bindings, "wheels", lambda _bindings: [wheel])
    monkeypatch.setattr(
        package, "_folder", lambda name, path=None: installed[0] if name == AWS else find(name, path)
    )
    assert locate(AWS).archive == wheel
    write(tmp_path, TIER)
    assert trim.build(tmp_path)
    assert archive_of(tmp_path).read_bytes() == archive_of(built).read_bytes()
    assert {path.name for path in (copy_of(tmp_path) / AWS).iterdir()} == {
        path.name for path in (copy_of(built) / AWS).iterdir()
    }
    assert trim.problem(tmp_path) is None
    installed[0] = folder
    assert locate(AWS).folder == folder
    assert trim.problem(tmp_path) is None
    installed[0] = None
    write(tmp_path, TIER + f"from {AWS}.vpcs import Vpcs\n")
    with pytest.raises(package.TrimError, match="has no module vpcs"):
        trim.build(tmp_path)
    wheel.write_bytes(b"")
    with pytest.raises(package.TrimError, match="cannot be read"):
        trim.build(tmp_path)


def test_copy_synthesizes_a_stack(built: Path) -> None:
    resources = synthesize(built, VPC + 'Vpc(stack, "vpc", cidr_block="10.20.0.0/16", tags={"Name": "a"})\n')
    assert resources == {"aws_vpc": {"vpc": {"cidr_block": "10.20.0.0/16", "tags": {"Name": "a"}}}}


def test_copy_refuses_arguments_of_a_wrong_type(built: Path) -> None:
    script = """
        from cdktf_cdktf_provider_aws.vpc import Vpc
        Vpc(stack, "accepted", cidr_block="10.30.0.0/16", enable_dns_support=True)
        try:
            Vpc(stack, "vpc", cidr_block=10)
        except TypeError as error:
            assert "cidr_block" in str(error), error
        else:
            raise AssertionError("accepted")
        Vpc(stack, "vpc", cidr_block="10.20.0.0/16")
    """
    assert "aws_vpc" in synthesize(built, script)


def test_new_import_renews_the_copy(project: Path) -> None:
    """jsii caches extracted assemblies by name and version: it must not use that of the previous copy."""
    synthesize(project, VPC + 'Vpc(stack, "vpc")\n')
    write(project, TIER + EIP + HELM)
    assert "lacks cdktf_cdktf_provider_aws.eip (modules/network/tier.py:3)" in str(trim.problem(project))
    assert trim.build(project)
    resources = synthesize(
        project,
        """
        from cdktf_cdktf_provider_aws.eip import Eip
        from cdktf_cdktf_provider_helm.provider import HelmProvider
        from cdktf_cdktf_provider_helm.release import Release
        HelmProvider(stack, "helm")
        Eip(stack, "eip")
        Release(stack, "kong", name="kong", chart="kong")
        """,
    )
    assert resources.keys() == {"aws_eip", "helm_release"}


def test_classes_of_nested_blocks_are_loaded_on_first_use(project: Path) -> None:
    write(project, f"from {AWS}.eks_cluster import EksCluster\n", "compute/tier.py")
    assert trim.build(project)
    script = """
        from cdktf_cdktf_provider_aws.eks_cluster import EksCluster
        values = "cdktf_cdktf_provider_aws.eks_cluster.values"
        vpc = {"subnet_ids": ["subnet-1", "subnet-2"]}
        cluster = EksCluster(stack, "this", name="a", role_arn="b", vpc_config=vpc)
        assert values not in sys.modules
        issuer = cluster.identity.get(0).oidc.get(0).issuer
        EksCluster(stack, "other", name=issuer, role_arn="b", vpc_config=vpc)
        assert values in sys.modules
        from cdktf_cdktf_provider_aws.eks_cluster import EksClusterIdentityList
        assert type(cluster.identity) is EksClusterIdentityList
    """
    clusters = synthesize(project, script)["aws_eks_cluster"]
    assert isinstance(clusters, dict)
    assert clusters["other"]["name"] == "${aws_eks_cluster.this.identity[0].oidc[0].issuer}"


def test_removed_import_leaves_the_copy_usable(project: Path) -> None:
    write(project, VPC)
    assert trim.problem(project) is None
    assert trim.build(project)
    assert not (copy_of(project) / AWS / "provider").exists()


def test_current_copy_is_not_rebuilt(project: Path) -> None:
    before = copy_of(project)
    command = [
        sys.executable,
        "-c",
        f"from tierra.bindings.trim import main, Path; main(Path({str(project)!r}))",
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    write(project, "# a comment\n" + TIER)
    assert not trim.build(project)
    assert copy_of(project) == before


def test_sources_are_parsed_only_until_the_next_build(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "# a comment\n" + TIER)
    assert not trim.build(project)
    monkeypatch.setattr(trim, "imports", None)
    assert trim.problem(project) is None


def test_parallel_builds_create_one_copy(project: Path) -> None:
    write(project, VPC)
    results: list[bool] = []
    threads = [threading.Thread(target=lambda: results.append(trim.build(project))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, True]


def test_previous_copy_is_kept_for_running_programs(project: Path) -> None:
    first = copy_of(project)
    write(project, VPC)
    trim.build(project)
    second = copy_of(project)
    write(project, TIER)
    trim.build(project)
    assert not first.exists()
    assert second.exists()
    assert copy_of(project).exists()


def test_failed_build_leaves_the_copy_unchanged(project: Path) -> None:
    before = copy_of(project)
    write(project, TIER + f"from {AWS}.nowhere import Nowhere\n")
    assert trim.main(project) == 1
    assert list((project / ".lean").glob("copy-*")) == [before]
    write(project, TIER)
    assert trim.activate(project) is None


def test_copy_can_be_moved(project: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(project, tmp_path / "moved", copy_function=shutil.copyfile)
    assert trim.activate(moved) is None
    assert sys.path[0] == str(copy_of(moved))


def test_installed_package_is_located_despite_the_copy(project: Path) -> None:
    assert trim.activate(project) is None
    assert project not in locate(AWS).folder.parents


# Reasons to ignore a copy


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
            manifest["packages"][AWS]["from"] = "21.0.0"
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
    "other release": f"was made from {AWS} 21.0.0, installed is 21.22.1",
    "other code": "was made by another version of tierra/bindings/trim.py",
    "new module": "lacks cdktf_cdktf_provider_aws.eip (modules/network/tier.py:4)",
    "not Python": "modules/network/tier.py:1: not valid Python",
}


@pytest.mark.parametrize("kind", REASONS)
def test_outdated_copy_is_ignored_with_a_warning(project: Path, kind: str) -> None:
    damage(project, kind)
    before = list(sys.path)
    warning = trim.activate(project)
    assert warning is not None
    assert REASONS[kind] in warning
    assert warning.startswith("warning: ")
    assert warning.endswith("; remedy: make setup, or python -m tierra.bindings.trim")
    assert "\n" not in warning
    assert sys.path == before + [str(wheel) for wheel in package.CDKTF.wheels() if str(wheel) not in before]


@pytest.mark.parametrize("kind", ["truncated archive", "broken manifest", "missing file"])
def test_damaged_copy_is_rebuilt(project: Path, kind: str) -> None:
    damage(project, kind)
    assert trim.build(project)
    assert trim.problem(project) is None


def test_missing_bytes_are_detected(project: Path) -> None:
    files = [path for path in copy_of(project).rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes()
        os.truncate(path, len(content) - 1)
        assert trim.problem(project) is not None, path
        path.write_bytes(content)
    assert trim.problem(project) is None


def test_setup_and_successor_repair_a_damaged_copy() -> None:
    for target, command in (("setup", "trim$"), ("successor", "trim cdktn && ")):
        printed = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
        assert re.search(rf"^\S+ -m tierra\.bindings\.{command}", printed.stdout, re.M), target
