"""Tests of the commands in the docs.

Blocks of `console` run in a copy of the project, in the order of the page; the text below a command must be
part of its output. Blocks of `sh` need AWS or a cluster: only their syntax and make targets are checked.
Every `aws` command in the docs must exist in the models of botocore, with its options.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from support.makefiles import NAMES, ROOT, TARGET, makefiles
from support.project import Project, without_make

FENCE = re.compile(r"^```(.*?)\n(.*?)^```", re.M | re.S)
CODE = re.compile(r"`([^`]+)`")
INDENTED = re.compile(r"^(?: {4,})(.*)$", re.M)
AWS = re.compile(r"(?:^|[\s(])aws ([a-z0-9-]+) ([a-z0-9-]+)([^|;&()\n]*)", re.M)
LANGUAGES = {"console", "go", "json", "mermaid", "python", "sh", "text", "yaml"}

GLOBAL_OPTIONS = {
    "cli-input-json",
    "max-items",
    "no-cli-pager",
    "output",
    "page-size",
    "profile",
    "query",
    "region",
}
# Commands of the AWS CLI that are in no model: https://docs.aws.amazon.com/cli/latest/reference/
CLI_COMMANDS = {
    ("configure", "sso"): set(),
    ("eks", "get-token"): {"cluster-name", "role-arn"},
    ("eks", "update-kubeconfig"): {"name", "alias", "role-arn"},
    ("logs", "tail"): {
        "filter-pattern",
        "follow",
        "format",
        "log-stream-name-prefix",
        "log-stream-names",
        "since",
    },
    ("s3", "cp"): {"recursive"},
    ("s3", "ls"): {"recursive", "summarize"},
    ("s3", "sync"): {"delete", "dryrun"},
    ("sso", "login"): {"sso-session"},
}
SERVICES = {"s3api": "s3", "deploy": "codedeploy", "configservice": "config"}


def blocks(name: str, language: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return [body for kind, body in FENCE.findall(text) if kind == language]


@cache
def session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def options(service: str, operation: str) -> frozenset[str]:
    """The options of a command of the AWS CLI, without dashes. Raises LookupError for an unknown command."""
    if (service, operation) in CLI_COMMANDS:
        return frozenset(CLI_COMMANDS[service, operation])
    name = SERVICES.get(service, service)
    if name not in session().get_available_services():
        raise LookupError(f"aws has no {service}")
    model = session().get_service_model(name)
    names = {xform_name(each, "-"): each for each in model.operation_names}
    if operation not in names:
        raise LookupError(f"aws {service} has no {operation}")
    shape = model.operation_model(names[operation]).input_shape
    members = {xform_name(member, "-") for member in (shape.members if shape else ())}
    return frozenset(members | {f"no-{each}" for each in members})


@cache
def waiters(service: str) -> frozenset[str]:
    model = session().get_waiter_model(SERVICES.get(service, service))
    return frozenset(xform_name(each, "-") for each in model.waiter_names)


def aws_commands(text: str) -> Iterator[tuple[str, str, set[str]]]:
    """Service, operation and options of every command of the AWS CLI in a text."""
    fenced = [body for _, body in FENCE.findall(text)]
    prose = FENCE.sub("", text)
    spans = [re.sub(r"\s+", " ", span) for span in CODE.findall(INDENTED.sub("", prose))]
    indented = ["\n".join(INDENTED.findall(prose))]
    for code in [*fenced, *spans, *indented]:
        plain = re.sub(r"'[^']*'|\"[^\"$]*\"", "Q", code.replace("\\\n", " "))
        for service, operation, rest in AWS.findall(plain):
            yield service, operation, set(re.findall(r"(?<=\s)--([a-z0-9-]+)", rest))


@pytest.mark.parametrize("name", NAMES)
def test_code_blocks_name_a_known_language(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert {kind for kind, _ in FENCE.findall(text)} <= LANGUAGES


@pytest.mark.parametrize("name", NAMES)
def test_aws_commands_and_their_options_exist(name: str) -> None:
    wrong = []
    for service, operation, given in aws_commands((ROOT / name).read_text(encoding="utf-8")):
        try:
            if operation == "wait":
                continue  # waiters are checked below
            unknown = given - options(service, operation) - GLOBAL_OPTIONS
        except LookupError as error:
            wrong.append(str(error))
            continue
        wrong += [f"aws {service} {operation} has no --{option}" for option in sorted(unknown)]
    for service, waiter in re.findall(r"aws ([a-z0-9-]+) wait ([a-z-]+)", (ROOT / name).read_text("utf-8")):
        wrong += [] if waiter in waiters(service) else [f"aws {service} waits for no {waiter}"]
    assert wrong == []


def test_unknown_aws_commands_are_found() -> None:
    text = "`aws rds reboot-db-instance --force`, and\n\n    aws rds fly\n\n```sh\naws nothing here\n```\n"
    assert list(aws_commands(text)) == [
        ("nothing", "here", set()),
        ("rds", "reboot-db-instance", {"force"}),
        ("rds", "fly", set()),
    ]
    assert "force-failover" in options("rds", "reboot-db-instance")
    assert "force" not in options("rds", "reboot-db-instance")
    for service, operation in (("rds", "fly"), ("nothing", "here")):
        with pytest.raises(LookupError):
            options(service, operation)


@pytest.mark.parametrize("name", [name for name in NAMES if blocks(name, "sh")])
def test_shell_blocks_parse_and_their_make_targets_exist(name: str) -> None:
    targets = set(TARGET.findall(makefiles()))
    for body in blocks(name, "sh"):
        run = subprocess.run(["bash", "-n"], input=body, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"{body}\n{run.stderr}"
        words = {
            word for line in re.findall(r"^make (.*)", body, re.M) for word in line.split("#")[0].split()
        }
        assert {word for word in words if re.fullmatch(r"[a-z-]+", word) and word[0] != "-"} <= targets


@pytest.mark.parametrize("name", [name for name in NAMES if blocks(name, "console")])
def test_console_blocks_succeed_with_the_shown_output(name: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "tierra")
    for body in blocks(name, "console"):
        for step in re.split(r"^\$ ", body, flags=re.M)[1:]:
            command, _, expected = step.partition("\n")
            run = subprocess.run(
                ["bash", "-c", command],
                cwd=project.folder,
                env=without_make(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,
            )
            output = run.stdout + run.stderr
            assert run.returncode == 0, f"{command}\n{output}"
            for line in expected.splitlines():
                assert line.strip() in ("", "…") or line.rstrip("…").strip() in output, (
                    f"{command}\n{line}\n{output}"
                )
