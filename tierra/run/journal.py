"""A record of what an apply has created, kept beside the state until the state has it.

terraform writes a state in S3 at most every twenty seconds, and at the end. If it is killed in between,
resources exist that are in no state. It prints each resource that it has created; this output goes to the
file `journal` first. The file is locked as long as terraform runs, even if make has ended.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from tierra.run.failure import ANSI

JOURNAL = "journal"
ROOM = 1024 * 1024
# terraform prints the id of a resource, or its name, or neither.
DONE = re.compile(
    r"^(?P<address>[\w.-]+): (?P<what>Creation|Destruction) complete after \S+?(?: \[\w+=(?P<id>.*)\])?$",
    re.M,
)

BEGUN = re.compile(r"^([\w.-]+): Creating\.\.\.$", re.M)


class Running(Exception):
    """An apply of this tier is running in this folder."""


def begin(stack: Path) -> BinaryIO:
    """A new journal, open and locked, with disk space reserved. Raises Running, or OSError if there is no
    space."""
    journal = (stack / JOURNAL).open("ab")
    try:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        journal.close()
        raise Running from None
    try:
        journal.write(bytes(ROOM))
        journal.flush()
        os.fsync(journal.fileno())
    except OSError:
        with suppress(OSError):
            journal.close()
        (stack / JOURNAL).unlink()
        raise
    journal.truncate(0)
    return journal


def created(text: str) -> dict[str, str]:
    """The ids of resources that were created and not destroyed again, by address."""
    result: dict[str, str] = {}
    for match in DONE.finditer(ANSI.sub("", text)):
        if match["what"] == "Creation":
            result[match["address"]] = match["id"] or ""
        else:
            result.pop(match["address"], None)
    return result


def in_flight(text: str) -> list[str]:
    """The addresses of resources that were being created at the end: AWS had not responded yet, or had
    refused."""
    plain = ANSI.sub("", text)
    ended = {match["address"] for match in DONE.finditer(plain) if match["what"] == "Creation"}
    return [address for address in BEGUN.findall(plain) if address not in ended]


def unrecorded(stack: Path, pull: Callable[[], str], *, ended: bool = False) -> dict[str, str]:
    """Resources in the journal that the state lacks, ids by address; `pull` reads the stored state. A journal
    without any is removed, unless AWS may not have answered about a resource: `ended` says that terraform
    ended by itself, so that AWS has answered about all. Raises Running, and the errors of `pull`."""
    file = stack / JOURNAL
    if not file.exists():
        return {}
    with file.open("rb") as journal:
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Running from None
        text = journal.read().decode("utf-8", errors="replace")
        resources = created(text)
        known = recorded(pull()) if resources else {}
        lost = {address: id_ for address, id_ in resources.items() if id_ not in known.get(address, ())}
        if not lost and (ended or not in_flight(text)):
            file.unlink()
    return lost


def recorded(pulled: str) -> dict[str, set[str]]:
    """By address, the values of each resource in the state, one of which is its id; an empty id is always
    among them. `text` is a stored state, or empty."""
    state = json.loads(pulled) if pulled.strip() else {"resources": []}
    return {
        f"{resource['type']}.{resource['name']}": {
            "",
            *(
                str(value)
                for instance in resource["instances"]
                for value in instance["attributes"].values()
                if isinstance(value, str)
            ),
        }
        for resource in state["resources"]
        if resource["mode"] == "managed"
    }
