"""Runs a workflow job as a GitHub runner does, with fakes/command.py in place of external commands.

Steps run their scripts with real bash, one after the other, where their `if` says so. Actions are not run: a
test gives the outputs that one would have, or says that it fails.
"""

from __future__ import annotations

import marshal
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FAKES = Path(__file__).parents[1] / "fakes"
# Imported: Python compiles a module once, but a script at every call.
COMMAND = f"""#!{sys.executable} -IS
import sys
sys.path.insert(0, {str(FAKES)!r})
import command
"""
# Scripts may use only these other programs, which every runner has.
TOOLS = ("bash", "cat", "cp", "dirname", "grep", "mv", "rm", "sed", "sha256sum", "tail", "tar", "wc")
COMMANDS = ("aws", "curl", "docker", "gh", "git", "kubectl", "make", "sleep")
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")
SHA = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Runner:
    """`world` is the data of the fakes; `says` has the values of expressions that are not of steps."""

    folder: Path
    world: dict[str, Any]
    says: dict[str, str] = field(default_factory=dict)
    log: str = ""

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir(parents=True)
        (self.folder / "temp").mkdir()
        (self.folder / "checkout").mkdir()
        for name in COMMANDS:
            command = self.folder / "bin" / name
            command.write_text(COMMAND, encoding="utf-8")
            command.chmod(0o755)
        for name in TOOLS:
            (self.folder / "bin" / name).symlink_to(shutil.which(name) or name)
        self.says = {
            "runner.temp": str(self.folder / "temp"),
            "github.token": "token",
            "vars.TERRAFORM": "",
            **self.says,
        }
        self._keep({"calls": [], "sent": [], **self.world})

    @property
    def file(self) -> Path:
        """The file of the world, for WORLD."""
        return self.folder / "world"

    def look(self) -> None:
        """Reads the world as the commands left it."""
        self.world = marshal.loads(self.file.read_bytes())

    def _keep(self, world: dict[str, Any]) -> None:
        self.world = world
        self.file.write_bytes(marshal.dumps(world))

    def change(self, **world: Any) -> None:
        """Changes the world and clears the recorded calls."""
        self._keep({**self.world, "calls": [], **world})

    @property
    def calls(self) -> list[str]:
        return [" ".join(words) for words in self.world["calls"]]

    @property
    def summary(self) -> str:
        path = self.folder / "summary"
        return path.read_text() if path.exists() else ""

    def run(
        self,
        job: Mapping[str, Any],
        outcomes: Mapping[str, str] | None = None,
        *,
        cancel_at: str | None = None,
    ) -> dict[str, dict[str, Any]]:
        """The steps by id or name, each with outcome and outputs. `outcomes` are those of actions, which
        succeed otherwise; a step that is `cancel_at` ends as if its run were cancelled."""
        done: dict[str, dict[str, Any]] = {}
        state = "success"
        for step in job["steps"]:
            name = step.get("id") or step.get("name") or step["uses"].partition("@")[0]
            if not self._wanted(str(step.get("if", "success()")), state, done):
                done[name] = {"outcome": "skipped", "outputs": {}}
                continue
            if name == cancel_at:
                state, done[name] = "cancelled", {"outcome": "cancelled", "outputs": {}}
                continue
            if "uses" in step:
                done[name] = {"outcome": (outcomes or {}).get(name, "success"), "outputs": {}}
            else:
                done[name] = self._script({**job.get("env", {}), **step.get("env", {})}, step["run"])
            if done[name]["outcome"] == "failure" and state == "success":
                state = "failure"
        done["job"] = {"outcome": state, "outputs": {}}
        return done

    def _wanted(self, condition: str, state: str, done: dict[str, dict[str, Any]]) -> bool:
        """The value of an `if`, in the syntax that the generated workflows use."""
        text = EXPRESSION.sub(r"\1", condition)
        if not re.search(r"\b(success|failure|cancelled|always)\(\)", text):
            text = f"success() && ({text})"
        for word, meant in (("success", "success"), ("failure", "failure"), ("cancelled", "cancelled")):
            text = text.replace(f"{word}()", str(state == meant))
        text = text.replace("&&", " and ").replace("||", " or ")
        text = re.sub(r"steps\.([\w-]+)\.outcome", lambda m: repr(done[m[1]]["outcome"]), text)
        text = re.sub(
            r"steps\.([\w-]+)\.outputs\.(\w+)", lambda m: repr(done[m[1]]["outputs"].get(m[2], "")), text
        )
        return bool(eval(text, {"__builtins__": {}}, {}))

    def evaluated(self, text: str) -> str:
        """A text with its expressions replaced by their values."""
        return EXPRESSION.sub(lambda match: self.says[match[1]], text)

    def _script(self, given: Mapping[str, str], script: str) -> dict[str, Any]:
        output = self.folder / "output"
        output.write_text("")
        environment = {
            "PATH": str(self.folder / "bin"),
            "HOME": os.environ["HOME"],
            "WORLD": str(self.file),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_REPOSITORY": "acme/platform",
            "GITHUB_SHA": SHA,
            "GITHUB_RUN_ID": "77",
            "GITHUB_RUN_ATTEMPT": "1",
            "RUNNER_TEMP": str(self.folder / "temp"),
            **{name: self.evaluated(value) for name, value in given.items()},
        }
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            env=environment,
            cwd=self.folder / "checkout",
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        self.log += ended.stdout + ended.stderr
        self.look()
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return {"outcome": "success" if ended.returncode == 0 else "failure", "outputs": outputs}
