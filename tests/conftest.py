"""Every environment of the project is synthesized once; tests read the generated JSON."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import resource
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

pytest_plugins = ["support.sharing", "support.project", "support.deployments"]

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# The date for checks of versions, so that the tests do not depend on the current date.
os.environ["TIERRA_TODAY"] = "2026-11-28"
# Tests of the rehearsal refer to objects that they do not create.
os.environ["REHEARSAL_EXISTS"] = "*"
# The processes of the tests already use all cores; terraform with threads of its own takes a tenth more time.
os.environ.setdefault("GOMAXPROCS", "1")

from tierra.bindings import channel, node, trim  # noqa: E402
from tierra.bindings.kernel import KERNEL  # noqa: E402

# One process compiles a file of tests for all (pytest_make_collect_report).
sys.dont_write_bytecode = False
node.use()
trim.activate()
channel.flags = channel.LONG

from modules.architecture import TIERS, synthesize  # noqa: E402
from modules.loader import load  # noqa: E402
from modules.spec import Environment  # noqa: E402

if TYPE_CHECKING:
    from support.on_aws import Production
    from support.pretend_aws import Aws

MANY_OBJECTS = 20_000  # 60 MB
GROWTH = 1.1  # of the memory of a process
_peak: list[int] = []
ENVIRONMENTS = sorted(path.stem for path in (ROOT / "environments").glob("*.yaml"))


@dataclass(frozen=True)
class Root:
    """A generated root module."""

    body: dict[str, Any]
    environment: Environment

    def all(self, terraform_type: str) -> dict[str, dict[str, Any]]:
        """Resources of a type by name; empty if there are none."""
        return self.body["resource"].get(terraform_type, {})

    def __getitem__(self, address: str) -> dict[str, Any]:
        terraform_type, name = address.split(".")
        return self.body["resource"][terraform_type][name]

    def statements(self, address: str, argument: str = "policy") -> dict[str, dict[str, Any]]:
        """The statements of a policy by Sid, without the Sid."""
        document = json.loads(self[address][argument])
        assert document["Version"] == "2012-10-17"
        return {statement.pop("Sid"): statement for statement in document["Statement"]}

    def each(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Type, name and arguments of every resource."""
        for terraform_type, resources in self.body["resource"].items():
            for name, arguments in resources.items():
                yield terraform_type, name, arguments


def read_roots(folder: Path, environment: Environment) -> dict[str, Root]:
    """The root modules below an output folder, by tier."""
    return {
        path.parent.name: Root(json.loads(path.read_text(encoding="utf-8")), environment)
        for path in sorted(folder.glob("stacks/*/cdk.tf.json"))
    }


@pytest.fixture(scope="session")
def folders() -> dict[str, Path]:
    """The output folder of each environment, which tests only read."""
    return {name: output(name) for name in ENVIRONMENTS}


def output(name: str) -> Path:
    """The output folder of an environment; only to be read."""
    from support.sharing import once

    return once(f"output/{name}", lambda folder: synthesize(load(ROOT / f"environments/{name}.yaml"), folder))


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def roots(request: pytest.FixtureRequest, folders: dict[str, Path]) -> dict[str, Root]:
    """The root modules of an environment; a test that uses it runs for each."""
    return read_roots(folders[request.param], load(ROOT / "environments" / f"{request.param}.yaml"))


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    """The simulated account of one process of the tests."""
    from support.pretend_aws import Aws

    account = Aws()
    yield account
    account.stop()


@pytest.fixture
def production(tmp_path: Path, aws: Aws) -> Production:
    """A project with an empty account, a state bucket and a plan of the tier `state`."""
    from support.on_aws import IMPATIENT, Production, planned
    from support.sharing import once

    aws.reset()
    source = once("production", lambda folder: planned(folder, aws))
    aws.reset()
    project = Production(tmp_path / "tierra", aws, source)
    project.create_bucket()
    project.terraform(IMPATIENT)
    return project


@pytest.fixture(scope="session")
def network(roots: dict[str, Root]) -> Root:
    return roots["network"]


@pytest.fixture(scope="session")
def storage(roots: dict[str, Root]) -> Root:
    return roots["storage"]


@pytest.fixture(scope="session")
def edge(roots: dict[str, Root]) -> Root:
    return roots["edge"]


@pytest.fixture(scope="module", autouse=True)
def _small_processes() -> Iterator[None]:
    """After a file of tests that needed a lot of memory, collects garbage, and ends Node, which keeps the
    objects of all syntheses."""
    yield
    if KERNEL.objects > MANY_OBJECTS:
        KERNEL.stop()
    if _peak_memory() > GROWTH * _peak[-1]:
        _peak.append(_peak_memory())
        gc.collect()


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.fixture
def environment(tmp_path: Path) -> Callable[..., Environment]:
    """A function that returns an environment with the given keys and minimal others."""

    def write(**spec: Any) -> Environment:
        spec = {"project": "acme", "region": "us-east-1", **spec}
        path = tmp_path / f"{spec.pop('environment', 'trial')}.yaml"
        path.write_text(yaml.safe_dump(spec), encoding="utf-8")
        return load(path)

    return write


class Variant(Mapping[str, Root]):
    """The root modules of an environment, by tier, synthesized on demand."""

    def __init__(self, environment: Environment, folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.roots: dict[str, Root] = {}

    def __getitem__(self, tier: str) -> Root:
        if tier not in self.roots:
            folder = self.folder / tier
            synthesize(self.environment, folder, {tier: TIERS[tier]})
            self.roots |= read_roots(folder, self.environment)
        return self.roots[tier]

    def __iter__(self) -> Iterator[str]:
        return iter(TIERS)

    def __len__(self) -> int:
        return len(TIERS)


@pytest.fixture
def variant(environment: Callable[..., Environment], tmp_path: Path) -> Callable[..., Variant]:
    """A function that returns the root modules of an environment with the given keys and minimal others."""
    return lambda **spec: Variant(loaded := environment(**spec), tmp_path / "out" / loaded.environment)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--changes", default="today", help="which changes of a spec test_living.py makes")


def pytest_configure(config: pytest.Config) -> None:
    """Sets the date once, so that midnight does not fall between processes of a run."""
    if config.option.changes == "today":
        config.option.changes = date.today().isoformat()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, ())]
    if any("test_change_of_the_day_is_applied_as_planned" in each.nodeid for each in reports):
        terminalreporter.write_line(f'changes of a spec: --changes="{config.option.changes}" repeats them')


# Files with long tests, in the order of the two halves. test_report starts Chromium, so it is first, while
# the processes take little memory. Those that share an applied environment are in one half, so that no
# process waits until the other has applied it.
LONG = (
    ("test_report", "test_make", "test_living"),
    ("test_faults", "test_bootstrap", "test_destroy", "test_forecast", "test_import", "test_commands"),
)


def pytest_collection_finish() -> None:
    """Spares the garbage collector what is loaded now: an eighth of the time of tests without terraform."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    _peak.append(_peak_memory())


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Processes import a file of tests one after the other: the first compiles it, the others find it
    compiled."""
    if not isinstance(collector, pytest.Module):
        return (yield)
    with collector.path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long tests first in each half, so that two processes, with a half each, end at about the same
    time."""
    first, second = ([each for name in names for each in items if each.path.stem == name] for names in LONG)
    short = [each for each in items if each not in {*first, *second}]
    middle = (len(items) + 1) // 2 - len(first)
    items[:] = [*first, *short[:middle], *second, *short[middle:]]
