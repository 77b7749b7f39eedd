"""Tests of `make new`: its questions, the spec that it writes, and refusals that write nothing.

The commands of docs/getting-started.md, which test_commands.py runs, show that a new spec can be planned.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from support.project import without_make

from modules.loader import load
from tools.new import EXAMPLES, QUESTIONS

AWS = {
    "PROJECT": "acme",
    "REGION": "us-east-1",
    "TARGET": "aws",
    "ACCOUNT": "210987654321",
    "ZONE": "example.com",
    "REPOSITORY": "acme/platform",
}
MORE = {
    "DOMAIN": "dev.example.com",
    "RUNNER": "self-hosted, dev",
    "ADMIN": "arn:aws:iam::210987654321:role/platform",
    "EMAIL": "ops@example.com",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one environment."""
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/test.yaml").write_text(
        "project: acme\nregion: us-east-1\nnetwork: {cidr: 10.20.0.0/16}\n"
    )
    return tmp_path


def variables(given: dict[str, str]) -> dict[str, str]:
    asked = {question.variable for question in QUESTIONS}
    inherited = {name: value for name, value in without_make().items() if name not in asked}
    return {**inherited, "PYTHONPATH": str(ROOT), **given}


def new(folder: Path, environment: str = "dev", **given: str) -> subprocess.CompletedProcess[str]:
    """Runs make new without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "tools.new", environment],
        cwd=folder,
        env=variables(given),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )


def typed(folder: Path, *lines: str, **given: str) -> tuple[int, str]:
    """The exit code and the output after these lines and end of file are typed on a terminal."""
    child, screen = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-m", "tools.new", "dev"], variables(given))
    shown, waiting = "", [*(f"{line}\n" for line in lines), "\x04"]
    while True:
        try:
            piece = os.read(screen, 4096).decode()
        except OSError:  # Linux: the other side is closed
            break
        if not piece:
            break
        shown += piece
        if waiting and shown.endswith(": "):
            os.write(screen, waiting.pop(0).encode())
    os.close(screen)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.replace("\r\n", "\n")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "environments").iterdir())


def test_two_answers_give_a_valid_spec_without_overlapping_ranges(folder: Path) -> None:
    created = new(folder, PROJECT="acme", REGION="eu-west-1")
    assert (created.returncode, created.stderr) == (0, "")
    assert "make plan ENV=dev" in created.stdout
    written = load(folder / "environments/dev.yaml")
    assert (written.project, written.region, written.target) == ("acme", "eu-west-1", "rehearsal")
    assert str(written.network.cidr) == "10.21.0.0/16"


@pytest.mark.parametrize("more", [{}, MORE], ids=["least", "all"])
def test_a_spec_for_aws_contains_the_answers(folder: Path, more: dict[str, str]) -> None:
    created = new(folder, **AWS, **more)
    assert (created.returncode, created.stderr) == (0, "")
    written = load(folder / "environments/dev.yaml")
    assert (written.target, written.account) == ("aws", AWS["ACCOUNT"])
    assert written.edge.domain == more.get("DOMAIN", "app.example.com")
    assert written.delivery.runner == ("self-hosted", "dev")
    assert written.compute.admins == ((more["ADMIN"],) if more else ())
    assert written.observability.alarm_emails == ((more["EMAIL"],) if more else ())


@pytest.mark.parametrize("given", [{"PROJECT": "acme", "REGION": "us-east-1"}, AWS], ids=["rehearsal", "aws"])
def test_every_commented_choice_is_valid(folder: Path, given: dict[str, str]) -> None:
    assert new(folder, **given).returncode == 0
    path = folder / "environments/dev.yaml"
    text, taken = re.subn(r"^( *)# (\w+: .+)$", r"\1\2", path.read_text(), flags=re.M)
    assert taken >= 9
    path.write_text(text)
    assert load(path).data.redis.nodes == 2


def test_without_a_terminal_all_missing_answers_are_reported_at_once(folder: Path) -> None:
    (folder / "environments/other.yaml").write_text("project: shop\nregion: us-east-1\n")
    refused = new(folder, TARGET="aws")
    assert refused.returncode == 1
    assert re.findall(r"^  ([A-Z]+)=", refused.stderr, re.M) == ["PROJECT", "ACCOUNT", "ZONE", "REPOSITORY"]
    assert "no terminal" in refused.stderr
    assert names(folder) == ["other.yaml", "test.yaml"]


def test_defaults_come_from_other_environments_without_conflicts(folder: Path) -> None:
    assert new(folder, "prod", **AWS).returncode == 0
    text = (folder / "environments/prod.yaml").read_text()
    (folder / "environments/prod.yaml").write_text(
        text.replace("cidr: 10.21.0.0/16", "cidr: 10.21.0.0/16\n  reserved: [10.22.0.0/15]")
    )
    created = new(folder, TARGET="aws")
    assert (created.returncode, created.stderr) == (0, "")
    written = load(folder / "environments/dev.yaml")
    assert (written.project, written.region, written.account) == ("acme", "us-east-1", AWS["ACCOUNT"])
    assert (written.edge.zone, written.edge.domain) == ("example.com", "dev.example.com")
    assert written.delivery.repository == "acme/platform"
    assert written.delivery.oidc_provider == "existing"
    assert str(written.network.cidr) == "10.24.0.0/16"


def test_an_environment_that_conflicts_with_another_is_not_written(folder: Path) -> None:
    assert new(folder, "prod", **AWS).returncode == 0
    refused = new(folder, "prod-eu", TARGET="aws")
    assert refused.returncode == 1
    assert "names begin with acme-prod-eu" in refused.stderr
    assert "remedy: rename one" in refused.stderr
    assert names(folder) == ["prod.yaml", "test.yaml"]


def test_invalid_answers_are_reported_at_once_with_the_rules_of_the_spec(folder: Path) -> None:
    refused = new(folder, **{**AWS, "PROJECT": "Acme", "ACCOUNT": "2109-8765-4321"})
    assert refused.returncode == 1
    assert sorted(re.findall(r"^([A-Z]+): (.*)$", refused.stderr, re.M)) == [
        ("ACCOUNT", '"2109-8765-4321"'),
        ("PROJECT", "Acme"),
    ]
    assert "remedy: write acme" in refused.stderr
    assert names(folder) == ["test.yaml"]


@pytest.mark.parametrize("example", ["django", "fastapi", "go"])
def test_an_example_becomes_a_system_of_the_new_environment(folder: Path, example: str) -> None:
    created = new(folder, PROJECT="acme", REGION="us-east-1", EXAMPLE=example, SYSTEM="shop")
    assert (created.returncode, created.stderr) == (0, "")
    assert "systems/shop has the application" in created.stdout
    copied, source = folder / "systems/shop/Dockerfile", EXAMPLES / example / "Dockerfile"
    assert copied.read_bytes() == source.read_bytes()
    [(name, written)] = load(folder / "environments/dev.yaml").systems.items()
    assert (name, written.folder) == ("shop", "systems/shop")
    sandbox = load(ROOT / "environments/sandbox.yaml").systems
    [original] = [each for each in sandbox.values() if each.folder == f"examples/{example}"]
    own = {"folder", "path"}
    assert written.model_dump(exclude=own) == original.model_dump(exclude=own)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"EXAMPLE": "rails"}, "EXAMPLE: rails\n  rule:   must be one of django, fastapi, go"),
        ({"EXAMPLE": "go", "SYSTEM": "Shop"}, "SYSTEM: "),
        ({"EXAMPLE": "go", "SYSTEM": "../shop"}, "SYSTEM: "),
        ({"EXAMPLE": "go", "SYSTEM": "mine"}, "SYSTEM: mine\n  rule:   systems/mine must not exist"),
    ],
)
def test_an_example_that_cannot_be_copied_is_refused(
    folder: Path, given: dict[str, str], message: str
) -> None:
    (folder / "systems/mine").mkdir(parents=True)
    refused = new(folder, PROJECT="acme", REGION="us-east-1", **given)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert names(folder) == ["test.yaml"]
    assert [path.name for path in (folder / "systems").iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["Dev", "../dev", "", "a b", "averyveryverylongname"])
def test_an_invalid_environment_name_is_refused(folder: Path, name: str) -> None:
    refused = new(folder, name, PROJECT="acme", REGION="us-east-1")
    assert refused.returncode == 1
    assert "2 to 12 lowercase letters" in refused.stderr
    assert names(folder) == ["test.yaml"]


def test_existing_files_are_not_replaced(folder: Path) -> None:
    before = (folder / "environments/test.yaml").read_text()
    refused = new(folder, "test", PROJECT="other", REGION="us-east-1")
    assert refused.returncode == 1
    assert "exists" in refused.stderr
    assert (folder / "environments/test.yaml").read_text() == before


def test_text_is_quoted_for_yaml(folder: Path) -> None:
    refused = new(folder, PROJECT="acme\nregion: x", REGION="us-east-1")
    assert refused.returncode == 1
    assert "PROJECT" in refused.stderr
    assert new(folder, PROJECT="null", REGION="us-east-1").returncode == 0
    assert load(folder / "environments/dev.yaml").project == "null"


def test_on_a_terminal_an_invalid_answer_is_asked_again_with_rule_and_remedy(folder: Path) -> None:
    code, shown = typed(folder, "us-east1", "us-east-1", "", "", PROJECT="acme")
    assert code == 0, shown
    assert shown.count("AWS region") == 2
    assert "rule:   the region must exist at AWS" in shown
    assert load(folder / "environments/dev.yaml").target == "rehearsal"


def test_on_a_terminal_target_aws_asks_more_questions(folder: Path) -> None:
    lines = ["acme", "us-east-1", "aws", "210987654321", "example.com", "", "acme/platform", "", "", ""]
    code, shown = typed(folder, *lines, "go", "")
    assert code == 0, shown
    assert "Public host name [app.example.com]: " in shown
    assert load(folder / "environments/dev.yaml").edge.domain == "app.example.com"
    assert list(load(folder / "environments/dev.yaml").systems) == ["orders"]


def test_end_of_input_writes_nothing(folder: Path) -> None:
    code, shown = typed(folder, "acme")
    assert code == 1
    assert "nothing was written" in shown
    assert names(folder) == ["test.yaml"]
