"""Runs terraform in the root module of a tier; no other module starts it. Its output is logged beside the
root module, below the command, and is shown only with VERBOSE=yes, or if terraform fails: then its errors are
shown in full, with a few lines of ours that explain them (failure.py).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from rehearsal import attach
from tierra.run import program
from tierra.run.board import RUNNING, Board
from tierra.run.failure import explained
from tierra.run.journal import Running, begin, in_flight, unrecorded
from tierra.run.workspace import ROOT, Failed, Tier, Workspace

PROVIDER = ".rehearsal/terraform.rc"
PROGRAMS = ".rehearsal/mirror/*/*/*/*/*/terraform-provider-*"
LOCK = ".terraform.lock.hcl"
EXISTS = "REHEARSAL_EXISTS"
ATTACHED = {"apply", "destroy", "import", "plan", "show", "validate"}  # commands that use providers
# They would make terraform use other states, folders or options than the run expects.
REFUSED = re.compile(r"TF_(WORKSPACE|DATA_DIR|CLI_ARGS(_\w+)?)$")
SECONDS = 0.1  # between two reads of terraform's output
ENDED = re.compile(rb"(?:Creation|Modifications|Destruction) complete after ")
INTERRUPTED = 130

# The environment of terraform, and the descriptors that it must inherit.
Attachment = tuple[dict[str, str], tuple[int, ...]]


class Interrupted(Exception):
    """Ctrl-C. terraform has ended properly."""


def embedded_providers() -> str:
    """One checksum of all executables of the embedded provider in the mirror, earlier versions included.
    terraform applies a plan only with the provider that made it."""
    whole = hashlib.sha256()
    for file in sorted(ROOT.glob(PROGRAMS)):
        whole.update(f"{file.name}\0".encode() + file.read_bytes())
    return whole.hexdigest()


class Terraform:
    """terraform in one folder: that of a tier, or with `embedded` that of its forecast, where it uses the
    embedded provider, which remembers nothing and returns data sources as they are in the copied state."""

    def __init__(self, tier: Tier, verb: str, folder: Path | None = None, *, embedded: bool = False) -> None:
        self.tier, self.workspace, self.verb = tier, tier.workspace, verb
        self.folder = folder or (tier.scratch if embedded else tier.folder)
        self.embedded = embedded
        self.board = Board(self.workspace.out)
        self._shared: Attachment | None = None

    def command(self, *arguments: str) -> list[str]:
        return [self.workspace.terraform, f"-chdir={self.folder.as_posix()}", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of terraform."""
        ours = {key: value for key, value in os.environ.items() if not REFUSED.match(key)}
        ours["TF_IN_AUTOMATION"] = "1"
        if self._rehearsed:
            # Schemas of the embedded provider are small, so there is enough memory to collect garbage less
            # often.
            ours.setdefault("GOGC", "400")
        return ours | settings(self.workspace, self.folder if self.embedded else None)

    def init(self) -> None:
        """Prepares the folder, unless that was done for the same backend, providers and program: Terraform
        and OpenTofu use different registries."""
        stamp = self.folder / ".terraform" / "tierra.init"
        if stamp.exists() and stamp.read_text() == self._initialized():
            return
        stamp.unlink(missing_ok=True)
        if self._rehearsed:  # the lock file may have the checksum of an earlier Tierra's provider
            (self.folder / LOCK).unlink(missing_ok=True)
        arguments = ["init", "-input=false", "-no-color", *(self.readonly)]
        with _one_at_a_time(self.environment.get("TF_PLUGIN_CACHE_DIR")):
            self.run(arguments, self.folder / "init.log", doing=f"{program.of(self.workspace).command} init")
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(self._initialized())  # with the lock file that terraform may just have written

    @property
    def readonly(self) -> list[str]:
        locked = self.workspace.locked_providers and not self.embedded
        return ["-lockfile=readonly"] if locked else []

    @property
    def _rehearsed(self) -> bool:
        """Whether the embedded provider answers."""
        return self.embedded or self.workspace.rehearsed

    def _initialized(self) -> str:
        """A checksum of all inputs of `terraform init`."""
        whole = hashlib.sha256()
        files = sorted([*self.folder.glob("*.tf"), *self.folder.glob("*.tf.json")])
        for file in [*files, self.folder / LOCK]:
            if file.exists():
                whole.update(f"{file.name}\0".encode() + file.read_bytes())
        if self._rehearsed:
            whole.update(embedded_providers().encode())
        whole.update(self.environment.get("TF_CLI_CONFIG_FILE", "").encode())
        whole.update(json.dumps(program.file(self.workspace.terraform)).encode())
        return whole.hexdigest()

    @contextmanager
    def one_provider(self) -> Iterator[None]:
        """Runs of terraform in this context attach to the same embedded provider, because neither the
        configuration nor the state changes meanwhile."""
        with self._provider("plan") as attachment:
            self._shared = attachment
            try:
                yield
            finally:
                self._shared = None

    @contextmanager
    def _provider(self, command: str) -> Iterator[Attachment]:
        """How a command attaches to the embedded provider."""
        if self._shared is not None:
            yield self._shared
        elif self._rehearsed:
            with attached(command, self.folder, self.environment) as attachment:
                yield attachment
        else:
            yield self.environment, ()

    def _start(self, arguments: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """terraform, attached to the embedded provider where that answers."""
        with self._provider(arguments[0]) as (environment, descriptors):
            return subprocess.Popen(
                self.command(*arguments),
                env=environment,
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                **options,
            )

    def ended(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs terraform to its end and returns the result, whatever the exit code."""
        process = self._start(arguments, stderr=subprocess.PIPE, text=True, errors="replace", **options)
        with process:
            output, errors = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def capture(self, *arguments: str) -> str:
        """The output of terraform. Raises Failed."""
        result = self.ended(*arguments, stdout=subprocess.PIPE)
        if result.returncode:
            raise self.failed(result.stderr)
        return result.stdout

    def save(self, arguments: Sequence[str], file: Path) -> None:
        """Writes the output of terraform to a file that only its owner can read. Raises Failed."""
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
            process = self._start(arguments, stdout=to, stderr=subprocess.PIPE)
            with process:
                _, errors = process.communicate()
        if process.returncode:
            file.unlink(missing_ok=True)
            raise self.failed(errors.decode(errors="replace"))

    def failed(self, errors: str) -> Failed:
        facts = {
            "env": self.workspace.environment,
            "verb": self.verb,
            "tier": self.tier.name,
            "stack": self.folder.as_posix(),
            "program": program.of(self.workspace).name,
        }
        return Failed(f"{errors.rstrip()}\n\n{explained(errors, facts)}")

    def run(
        self, arguments: Sequence[str], log: Path, *, doing: str, total: int = 0, journal: bool = False
    ) -> None:
        """Runs terraform to its end, with its output in `log`, and first in the journal for an apply.

        `doing` is shown in the table meanwhile, with the progress of `total` resources. Raises Failed, and
        Interrupted after Ctrl-C, which terraform receives as well and handles properly.
        """
        stack = self.folder
        command = self.command(*arguments)
        if journal and (reason := self.unsafe()):
            raise Failed(reason)
        try:
            output = begin(stack) if journal else log.open("ab")
        except Running:
            raise Failed(self._message("another make apply runs in this folder", "wait for it")) from None
        except OSError as error:
            name = stack / "journal" if journal else log
            what = f"{name}: {error.strerror}"
            raise Failed(self._message(what, "free some space, or make the folder writable")) from None
        if self.workspace.verbose:
            self.board.say(f"{shlex.join(command)}\n")
        self.board.update(self.tier.name, RUNNING, doing)
        errors = in_memory()
        shown = stack / "journal" if journal else log
        with output:
            if not journal:
                output.write(f"$ {shlex.join(command)}\n".encode())
                output.flush()
            before = output.tell()
            code = self._run(arguments, output, errors, shown, before, doing, total)
        errors.seek(0)
        text = errors.read().decode(errors="replace")
        if journal:
            with suppress(OSError):
                log.write_bytes(f"$ {shlex.join(command)}\n".encode() + shown.read_bytes())
        if code == 0:
            if journal:
                shown.unlink()
            return
        with suppress(OSError), log.open("a") as to:
            to.write(text)
        # A second interrupt ends terraform at once.
        ended = code > 0 and len(_interrupts) < 2
        if journal and not (stack / "errored.tfstate").exists() and (reason := self.unsafe(ended=ended)):
            raise Failed(f"{text}{reason}")
        if _interrupts:
            raise Interrupted
        raise self.failed(text)

    def _run(
        self,
        arguments: Sequence[str],
        output: IO[bytes],
        errors: IO[Any],
        shown: Path,
        start: int,
        doing: str,
        total: int,
    ) -> int:
        main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGINT, lambda *_: _interrupts.append(1)) if main else None
        process = self._start(arguments, stdout=output, stderr=errors, preexec_fn=_not_hung_up)
        done, rest = 0, b""
        with self.board.ticking(), shown.open("rb") as written:
            written.seek(start)
            while True:
                ended = process.poll() is not None
                if new := written.read():
                    lines = (rest + new).split(b"\n")
                    rest = lines.pop()
                    if count := sum(bool(ENDED.search(line)) for line in lines):
                        done += count
                        self.board.update(
                            self.tier.name, RUNNING, f"{doing}: {done}{f' of {total}' if total else ''}"
                        )
                    if self.workspace.verbose:
                        self.board.say(b"".join(line + b"\n" for line in lines).decode(errors="replace"))
                if ended:
                    break
                with suppress(subprocess.TimeoutExpired):
                    process.wait(SECONDS)
        if main:
            signal.signal(signal.SIGINT, before)
        return process.returncode

    def unsafe(self, *, ended: bool = False) -> str:
        """Why a plan would be wrong: something exists that the state lacks, or may exist, unless terraform
        `ended` by itself. Empty if nothing does."""
        remedy = self.workspace.command("recover", [self.tier.name])
        if self.tier.errored.exists():
            return self._message(
                f"an apply could not write its state, which is in {self.tier.errored}", remedy
            )
        if not self.tier.journal.exists():
            return ""
        try:
            lost = unrecorded(self.tier.folder, self.pull, ended=ended)
        except (Running, Failed):
            return ""  # terraform itself will report the lock, or why its state cannot be read
        if lost:
            what = f"the state had all that it created; {len(lost)} missing: {_some(lost)}"
        elif self.tier.journal.exists():
            unknown = in_flight(self.tier.journal.read_text(errors="replace"))
            what = f"AWS had answered about {_some(unknown)}"
        else:
            return ""
        return self._message(f"an apply ended before {what}", remedy)

    def _message(self, what: str, remedy: str) -> str:
        return f"{self.verb}: {self.tier.name} of {self.workspace.environment}: {what}\n  remedy: {remedy}"

    def pull(self) -> str:
        """The stored state; empty if there is none."""
        if self.workspace.rehearsed and not self.embedded:
            file = self.tier.local_state
            return file.read_text(encoding="utf-8") if file.exists() else ""
        return self.capture("state", "pull")


def _some(addresses: Collection[str]) -> str:
    return ", ".join(list(addresses)[:3]) + (", …" if len(addresses) > 3 else "")


_interrupts: list[int] = []


def _existing(workspace: Workspace) -> str:
    """Objects that exist outside the rehearsal: those in the spec, and those of the user."""
    named = [*workspace.facts.get("existing", []), workspace.variables.get(EXISTS, "")]
    return ",".join(file for file in named if file)


def settings(workspace: Workspace, forecast: Path | None = None) -> dict[str, str]:
    """The variables that select the provider: the embedded one in a rehearsal and in a forecast, whose folder
    has the state from which the provider returns data sources."""
    embedded = (ROOT / PROVIDER).as_posix()
    if forecast:
        known = (forecast / "known.tfstate").absolute()
        return {
            "TF_CLI_CONFIG_FILE": embedded,
            "REHEARSAL_CLOUD": "",
            "REHEARSAL_KNOWN": known.as_posix(),
            EXISTS: _existing(workspace),
        }
    if workspace.rehearsed:
        cloud = (workspace.states / "cloud.sqlite").absolute()
        return {
            "TF_CLI_CONFIG_FILE": embedded,
            "REHEARSAL_CLOUD": cloud.as_posix(),
            EXISTS: _existing(workspace),
        }
    # Variables of a shell that uses the embedded provider must not apply to AWS.
    named = Path(workspace.variables.get("TF_CLI_CONFIG_FILE", ""))
    ours = named.name and named.exists() and not named.samefile(ROOT / PROVIDER)
    return {"TF_CLI_CONFIG_FILE": named.as_posix()} if ours else {"TF_CLI_CONFIG_FILE": ""}


def refused(workspace: Workspace) -> str:
    """Why this shell may not run terraform here; empty if it may."""
    names = sorted(name for name, value in workspace.variables.items() if value and REFUSED.match(name))
    if not names:
        return ""
    return (
        f"{', '.join(names)}: must not be set: it would change what terraform does in every tier\n"
        f"  remedy: unset {' '.join(names)}"
    )


@contextmanager
def attached(command: str, folder: Path, environment: dict[str, str]) -> Iterator[Attachment]:
    """The environment with which a command of terraform attaches to the embedded provider instead of starting
    it three times, and the descriptors that it must inherit: the provider ends with terraform. The same
    environment and none if terraform must start it; TF_LOG shows the output of a provider only then."""
    running = None
    if command in ATTACHED and not any(name.startswith("TF_LOG") for name in environment):
        running = attach.running(folder.absolute().as_posix(), environment)
    if running is None:
        yield environment, ()
        return
    connection, providers = running
    try:
        yield {"TF_REATTACH_PROVIDERS": providers, **environment}, (connection.fileno(),)
    finally:
        connection.close()


def in_memory() -> IO[Any]:
    """A file in memory, if the system supports it: a full disk has no space for errors."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("errors"), "w+b")
    return tempfile.TemporaryFile()


def _not_hung_up() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@contextmanager
def _one_at_a_time(cache: str | None) -> Iterator[None]:
    """terraform's cache of providers is not safe for two inits at once: developer.hashicorp.com/terraform/
    cli/config/config-file#provider-plugin-cache."""
    if not cache or not Path(cache).is_dir():
        yield
        return
    with open(Path(cache) / ".tierra.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
