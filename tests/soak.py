"""Builds a new environment on fake AWS under random failures: `python -m tests.soak ROUNDS`.

In each round make plans and applies all tiers of production on a pretended account, repeatedly, until no
change is left. Each apply has a random fault: creations fail, terraform is killed when it writes a state, or
the network is cut at that moment. After each apply the commands in the messages are run. The round fails
unless in the end every object of the account is in a state.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

from support.on_aws import Production, kill_terraform
from support.pretend_aws import Aws
from support.sharing import share_in

from rehearsal.cloud import Cloud

FAULTS = ("creation", "kill", "network")
RUNS = 25  # maximum number of applies of a round; those after the last fault complete the environment
FAULTY = 8
REMEDY = re.compile(r"^  remedy: .*?\bmake ((?:unlock|recover) [^\n,]+)", re.M)


def main() -> int:
    rounds = int(sys.argv[1])
    tried: Counter[str] = Counter()
    lost = 0
    aws = Aws()
    with tempfile.TemporaryDirectory(prefix="tierra-soak-") as scratch:
        share_in(Path(scratch))
        for number in range(rounds):
            aws.reset()
            production = Production(Path(scratch, str(number)), aws)
            production.create_bucket()
            done = live(production, Random(number))
            missing = unrecorded(production)
            tried += done
            lost += missing.total()
            print(f"round {number}: {dict(done)}; lost: {dict(missing) or 'nothing'}", flush=True)
    aws.stop()
    print(f"soak: {rounds} rounds, {tried.total()} faults, {lost} objects lost")
    return 1 if lost else 0


def live(production: Production, random: Random) -> Counter[str]:
    """The faults until an apply had nothing left to do. Raises AssertionError if no apply completes."""
    met: Counter[str] = Counter()
    for run in range(RUNS):
        heal(production, "plan")
        fault = random.choice(FAULTS) if run < FAULTY else ""
        code, errors = apply(production, fault, random)
        production.aws.fault = None
        if code == 0:
            return met
        met[fault or "late"] += 1
        follow(production, errors)
    raise AssertionError(f"not done after {RUNS} applies")


def apply(production: Production, fault: str, random: Random) -> tuple[int, str]:
    variables = {"APPROVE": "yes", "REHEARSAL_SEED": str(random.random())}
    if fault == "creation":
        variables["REHEARSAL_FAIL"] = "*=0.03"
    reached, go_on = threading.Event(), threading.Event()
    count, failing = [0], random.randint(1, 4)

    def cut(method: str, path: str) -> str | None:
        if method != "PUT" or not path.endswith(".tfstate"):
            return None
        count[0] += 1
        if count[0] != failing:
            return None
        if fault == "kill":
            reached.set()
            go_on.wait(60)
        return "cut"

    if fault in ("kill", "network"):
        production.aws.fault = cut
    process = production.start("apply", **variables)
    if fault == "kill":
        threading.Thread(target=lambda: kill(process, reached, go_on), daemon=True).start()
    _, errors = process.communicate()
    reached.set()
    return process.returncode, errors


def kill(process: subprocess.Popen[str], reached: threading.Event, go_on: threading.Event) -> None:
    reached.wait()
    with suppress(AssertionError):  # it has ended
        kill_terraform(process, "apply")
    go_on.set()


def heal(production: Production, *command: str) -> None:
    """Runs a command; if its message names a remedy, runs that and the command again."""
    for _ in range(20):
        run = production.make(*command)
        if run.returncode == 0:
            return
        assert follow(production, run.stderr), run.stderr[-3000:]
    raise AssertionError(f"make {' '.join(command)} does not succeed")


def follow(production: Production, errors: str) -> int:
    """Runs the commands in messages. Returns their number."""
    commands = list(dict.fromkeys(REMEDY.findall(errors)))
    for command in commands:
        run = production.make(*command.split())
        if run.returncode:
            follow(production, run.stderr)
    return len(commands)


def unrecorded(production: Production) -> Counter[str]:
    """Objects of the account that are in no state, by type."""
    stacks = production.folder.glob("cdktf.out/production/stacks/*")
    addresses = [address for stack in stacks for address in production.recorded(stack.name)]
    recorded = Counter(address.split(".")[0] for address in addresses)
    account = Cloud(production.cloud)
    existing = Counter({each: len(account.all(each)) for each in recorded})
    assert recorded - existing == Counter(), f"only in states: {recorded - existing}"
    return existing - recorded


if __name__ == "__main__":
    sys.exit(main())
