"""Makes the state tell again of all that exists, after an apply that could not: `python -m review.recover ENV
STACK TERRAFORM`.

A state that could not be written is pushed; what an apply had created when it was killed is imported, by the
ids in its journal. Both run terraform, whose commands are shown. Run it as often as needed: what is done is
not done again.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from review.failure import tell
from review.journal import Running, unrecorded
from review.watch import ERRORS, RECOVERABLE

# Where terraform imports by something else than the id that it shows. Sources: the section Import of each
# type in the documentation of hashicorp/terraform-provider-aws 6.25.0. None: creating it again is harmless,
# for AWS takes it as a change of what is there.
IMPORT_IDS: dict[str, Callable[[str], str] | None] = {}


def main() -> int:
    environment, folder, terraform = sys.argv[1:]
    stack = Path(folder)
    start = [terraform, f"-chdir={stack}"]
    if (stack / RECOVERABLE).exists():
        if _run([*start, "state", "push", RECOVERABLE], environment, stack):
            return 1
        (stack / RECOVERABLE).unlink()
    try:
        lost = unrecorded(stack, terraform)
    except Running:
        sys.stderr.write(
            f"recover: {stack.name} of {environment}: an apply is running\n  remedy: wait for it\n"
        )
        return 1
    except subprocess.CalledProcessError as error:
        (stack / ERRORS).write_text(error.stderr)
        tell(environment, "recover", stack, stack / ERRORS)
        return 1
    for address, id_ in lost.items():
        if _run([*start, "import", "-input=false", "-lock-timeout=60s", address, id_], environment, stack):
            return 1
    print(f"recover: the state of {stack.name} of {environment} tells of all that exists")
    return 0


def _run(command: list[str], environment: str, stack: Path) -> int:
    print(shlex.join(command), flush=True)
    with open(stack / ERRORS, "wb") as errors:
        code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=errors, check=False).returncode
    if code:
        tell(environment, "recover", stack, stack / ERRORS)
    return code


if __name__ == "__main__":
    sys.exit(main())
