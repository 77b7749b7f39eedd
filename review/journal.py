"""What an apply has created, kept beside the state until the state is known to hold it.

terraform writes a state in S3 every twenty seconds at most, and at the end. Killed in between, it has created
what no state tells of. It does say on its output, resource by resource, what it has created; this output goes
to the file `journal` first. The file is locked as long as terraform runs, even when make is gone.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
from pathlib import Path
from typing import BinaryIO

from review.failure import ANSI

JOURNAL = "journal"
CREATED = re.compile(r"^(?P<address>[\w.\-\[\]\"]+): Creation complete after \S+ \[id=(?P<id>.*)\]$", re.M)
DESTROYED = re.compile(r"^(?P<address>[\w.\-\[\]\"]+): Destruction complete after", re.M)


class Running(Exception):
    """Somebody applies this tier from this folder right now."""


def begin(stack: Path) -> BinaryIO:
    """A new journal, open and locked. Raises Running."""
    journal = (stack / JOURNAL).open("ab")
    try:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        journal.close()
        raise Running from None
    journal.truncate(0)
    return journal


def created(text: str) -> dict[str, str]:
    """The ids of what was created and not destroyed again, by address."""
    plain = ANSI.sub("", text)
    found: dict[str, str] = {}
    for match in re.finditer(
        f"{CREATED.pattern}|{DESTROYED.pattern.replace('address', 'gone')}", plain, re.M
    ):
        if match["gone"]:
            found.pop(match["gone"], None)
        else:
            found[match["address"]] = match["id"]
    return found


def unrecorded(stack: Path, terraform: str) -> dict[str, str]:
    """What the journal tells of and the state does not, ids by address. A journal that tells of nothing such
    is removed. Raises Running."""
    file = stack / JOURNAL
    if not file.exists():
        return {}
    with open(file, "rb") as journal:
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Running from None
        found = created(journal.read().decode("utf-8", errors="replace"))
        if found:
            for address in recorded(stack, terraform):
                found.pop(address, None)
        if not found:
            file.unlink()
    return found


def recorded(stack: Path, terraform: str) -> list[str]:
    """The addresses in the state. Raises CalledProcessError when it cannot be read."""
    listed = subprocess.run(
        [terraform, f"-chdir={stack}", "state", "list"],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    if listed.returncode and "No state file was found" not in listed.stderr:
        raise subprocess.CalledProcessError(listed.returncode, "terraform state list", stderr=listed.stderr)
    return listed.stdout.split()
