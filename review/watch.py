"""Runs a rule of make that runs terraform, and where it fails says why.

`python -m review.watch ENV VERB STACK TERRAFORM make …`

The output of an apply goes through its journal (journal.py); errors are kept in memory, for a full disk has
no room for them. A terminal that closes does not stop terraform in the middle: it ends as it would, and the
state is written.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

from review.failure import tell
from review.journal import JOURNAL, Running, begin, unrecorded

RECOVERABLE = "errored.tfstate"
SECONDS = 0.1


def main() -> int:
    environment, verb, folder, terraform, *command = sys.argv[1:]
    stack = Path(folder)
    reason = unsafe(stack, terraform, environment)
    errors = in_memory()
    if not reason:
        try:
            code = run(command, stack, begin(stack) if verb == "apply" else None, errors)
        except Running:
            reason = "another make apply runs in this folder\n  remedy: wait for it"
        except OSError as error:
            reason = f"{stack / JOURNAL}: {error.strerror}\n  remedy: make room, or the folder yours"
    if not reason and code and not (stack / RECOVERABLE).exists():
        reason = unsafe(stack, terraform, environment)
    if reason:
        errors.seek(0)
        sys.stderr.write(errors.read().decode(errors="replace"))
        sys.stderr.write(f"{verb}: {stack.name} of {environment}: {reason}\n")
        return 1
    if code:
        errors.seek(0)
        tell(environment, verb, stack, errors.read().decode(errors="replace"))
    return code


def unsafe(stack: Path, terraform: str, environment: str) -> str:
    """Why a plan would be wrong: something exists that the state does not tell of. Empty when all is well."""
    remedy = f"\n  remedy: make recover ENV={environment} TIER={stack.name}"
    if (stack / RECOVERABLE).exists():
        return f"an apply could not write its state, which is in {stack / RECOVERABLE}{remedy}"
    try:
        lost = unrecorded(stack, terraform)
    except (Running, subprocess.CalledProcessError):
        return ""  # terraform itself will meet the lock, or the cause that its state cannot be read
    if not lost:
        return ""
    some = ", ".join(list(lost)[:3]) + (", …" if len(lost) > 3 else "")
    return (
        f"an apply ended before the state held all that it had created; {len(lost)} missing: {some}{remedy}"
    )


def in_memory() -> IO[Any]:
    """A file without a place on a disk, where the system has such."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("errors"), "w+b")
    return tempfile.TemporaryFile()


def run(command: list[str], stack: Path, journal: BinaryIO | None, errors: IO[Any]) -> int:
    """The exit code of the command, whose output is shown while it runs, and whose errors go to a file. A
    journal is removed when the command succeeds, and only then."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=journal,
        stderr=errors,
        close_fds=False,  # make counts its jobs by open files
        preexec_fn=_not_hung_up,
    )
    # An interrupt reaches terraform, too, which then ends in good order; so this waits for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if journal is None:
        return process.wait()
    with journal, open(stack / JOURNAL, "rb") as written:
        while process.poll() is None:
            _show(written)
            time.sleep(SECONDS)
        _show(written)
    if process.returncode == 0:
        (stack / JOURNAL).unlink()
    return process.returncode


def _not_hung_up() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _show(written: BinaryIO) -> None:
    with suppress(OSError):  # nobody looks any more
        os.write(1, written.read())


if __name__ == "__main__":
    sys.exit(main())
