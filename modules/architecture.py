"""The graph of tiers, and the process that writes all of them.

    environment -> a stack for each tier, filled -> cdktf synthesizes -> plain Terraform JSON in its place

Adding a tier is adding a folder and one line to TIERS.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from cdktf import App

from modules.compute.tier import Compute
from modules.data.tier import Data
from modules.delivery.tier import Delivery
from modules.edge.tier import Edge
from modules.gateway.tier import Gateway
from modules.network.tier import Network
from modules.observability.tier import Observability
from modules.own import clashes
from modules.own import terraform as additions
from modules.own.needs import needs as own_needs
from modules.own.terraform import Own
from modules.spec import Environment
from modules.state.tier import State
from modules.storage.tier import Storage
from modules.systems.tier import Systems
from tierra.files import write
from tierra.terraform.renames import RENAMES, Rename, moved
from tierra.terraform.stack import TERRAFORM, Stack, create_stack


@dataclass(frozen=True)
class Tier:
    """`build` adds resources to an open stack; `needs` are the tiers whose outputs it reads."""

    build: Callable[[Stack], object]
    needs: frozenset[str] = frozenset()


# The tier with the bucket of all states: applied before and destroyed after every other tier.
FIRST = "state"

TIERS: Mapping[str, Tier] = {
    FIRST: Tier(State),
    "network": Tier(Network),
    "storage": Tier(Storage),
    "data": Tier(Data, needs=frozenset({"network"})),
    "compute": Tier(Compute, needs=frozenset({"network"})),
    "edge": Tier(Edge, needs=frozenset({"network", "storage"})),
    "delivery": Tier(Delivery, needs=frozenset({"network", "compute"})),
    "gateway": Tier(Gateway, needs=frozenset({"network", "compute", "edge"})),
    "systems": Tier(Systems, needs=frozenset({"compute", "data", "storage", "gateway"})),
    "observability": Tier(
        Observability, needs=frozenset({"network", "compute", "data", "edge", "gateway", "storage"})
    ),
}

REMOTE_STATE = "terraform_remote_state"
# Folders that Tierra copies into a root module.
CARRIED = ("charts", *additions.FOLDERS)

# cdktn requires this version for write-only arguments, which OpenTofu has from the same version on.
CONTEXT = {"targetVersions": {"terraform": TERRAFORM, "opentofu": TERRAFORM}}
# The file that `checkov -d …/stacks` reads by default.
CHECKOV = """\
# Written by Tierra. Each folder is a root module of its own: whether a security group of the tier `network`
# is in use shows in the tiers that use it. The tests of Tierra run this check over all of them as one.
skip-check:
  - CKV2_AWS_5
"""

# The order in which Terraform is usually written, not the alphabetical one.
SECTIONS = ("//", "terraform", "provider", "data", "resource", "moved", "removed", "output")


def order(tiers: Mapping[str, Tier] = TIERS) -> list[str]:
    """Names of the tiers, producers first; the order is always the same. If only some tiers are given, they
    may need tiers outside of these. Raises graphlib.CycleError."""
    inside = {name: sorted(tier.needs & tiers.keys()) for name, tier in tiers.items()}
    return list(TopologicalSorter(inside).static_order())


def build(
    app: App,
    environment: Environment,
    tiers: Mapping[str, Tier] = TIERS,
    own: Mapping[str, Own] | None = None,
    namespaces: Sequence[str] = (),
) -> dict[str, Stack]:
    """The filled stack of every tier, producers first, with data sources for the states that own Terraform
    reads. `namespaces` are those of own charts, of all tiers. Raises TierError for an invalid tier."""
    stacks: dict[str, Stack] = {}
    for name in order(tiers):
        stacks[name] = create_stack(app, name, environment, tiers[name].needs)
        stacks[name].own_namespaces = tuple(namespaces)
        tiers[name].build(stacks[name])
        for read in sorted((own or {}).get(name, Own()).tiers):
            stacks[name].remote_state(read)
        for need in sorted(tiers[name].needs & stacks.keys()):
            stacks[name].add_dependency(stacks[need])
    return stacks


def synthesize(
    environment: Environment,
    folder: Path,
    tiers: Mapping[str, Tier] = TIERS,
    renames: Sequence[Rename] = RENAMES,
    own: Mapping[str, Own] | None = None,
) -> None:
    """Writes manifest.json, sources.json, environment.json, tiers.mk and stacks/<tier>/ to the folder. A
    stack has cdk.tf.json, versions.tf, the files of the tier, own Terraform and its index. sources.json names
    the module that created each element, by tier and address, in the order of creation.

    The same spec gives the same bytes. Files are replaced atomically, unchanged files are not touched, and
    files that Terraform keeps beside the generated ones stay. Raises OSError if the folder cannot be written,
    and OwnError, with nothing written, if own Terraform does not fit the tiers.
    """
    additions.check_charts(own or {}, environment)
    namespaces = additions.namespaces(own or {})
    own = {name: each for name, each in (own or {}).items() if name in tiers}
    needs = own_needs(own, {name: tier.needs for name, tier in tiers.items()})
    tiers = {name: replace(tier, needs=needs[name]) for name, tier in tiers.items()}
    with tempfile.TemporaryDirectory(prefix="tierra-") as scratch:
        app = App(outdir=scratch, stack_traces=False, context=CONTEXT)
        stacks = build(app, environment, tiers, own, namespaces)
        app.synth()
        for stack in stacks.values():
            stack.check()
        written = {name: Path(scratch, "stacks", name, "cdk.tf.json") for name in stacks}
        if own:
            clashes.check(own, {name: json.loads(file.read_bytes()) for name, file in written.items()})
        for name, file in written.items():
            generated = json.loads(file.read_bytes())
            for unread in _unread(generated, own.get(name, Own()).tiers):
                del stacks[name].sources[f"data.{REMOTE_STATE}.{unread}"]
            relative = Path("stacks", name, "cdk.tf.json")
            if blocks := moves(stacks[name], addresses(generated), renames):
                generated["moved"] = blocks
            if left := sorted(stacks[name].left):
                generated["removed"] = [
                    {"from": address, "lifecycle": {"destroy": False}} for address in left
                ]
            write(folder / relative, _terraform_json(generated, environment))
            write(folder / relative.with_name("versions.tf"), _versions(environment))
            _carry(folder / relative.parent, stacks[name].carried, own.get(name))
        write(folder / "stacks" / ".checkov.yaml", CHECKOV)
        write(folder / "manifest.json", Path(scratch, "manifest.json").read_text(encoding="utf-8") + "\n")
        sources = {name: stack.sources for name, stack in stacks.items()}
        write(folder / "sources.json", json.dumps(sources, indent=2) + "\n")
        write(folder / "environment.json", json.dumps(facts(environment, tiers), indent=2) + "\n")
        write(folder / "tiers.mk", tiers_mk(environment, tiers))


def _unread(root: dict[str, Any], read: Container[str]) -> list[str]:
    """Removes the data sources of states that nothing reads, because terraform would fail if such a state
    does not exist yet. Returns their tiers."""
    blocks = root.get("data", {})
    states = blocks.get(REMOTE_STATE, {})
    text = json.dumps(root)
    unread = [tier for tier in states if tier not in read and f"data.{REMOTE_STATE}.{tier}." not in text]
    for tier in unread:
        del states[tier]
    if not states:
        blocks.pop(REMOTE_STATE, None)
    if not blocks:
        root.pop("data", None)
    return unread


def moves(stack: Stack, generated: Collection[str], renames: Sequence[Rename]) -> list[dict[str, str]]:
    """The `moved` blocks of a tier: those of renamed systems, after those of earlier releases, which know a
    system by its first name."""
    targets = {move["to"] for move in stack.moves}
    first = {move["from"] for move in stack.moves} - targets
    blocks = moved(stack.tier, [*sorted({*generated} - targets), *sorted(first)], renames)
    return sorted([*blocks, *stack.moves], key=lambda block: (block["from"], block["to"]))


def addresses(root: Mapping[str, Any]) -> list[str]:
    """The addresses of the resources in a root module."""
    return [f"{kind}.{name}" for kind, names in root.get("resource", {}).items() for name in names]


def facts(environment: Environment, tiers: Mapping[str, Tier] = TIERS) -> dict[str, Any]:
    """The facts that a run needs of the environment without reading its spec; `tiers` has the needs of
    each."""
    return {
        "environment": environment.environment,
        "project": environment.project,
        "target": environment.target,
        "account": environment.account,
        "region": environment.region,
        "zones": list(environment.network.zones),
        **({"assume_role": environment.assume_role} if environment.assume_role else {}),
        "existing": _existing(environment),
        "plan_hours": environment.state.plan_hours,
        "grafana": environment.observability.has_grafana,
        "tiers": {name: sorted(tiers[name].needs) for name in order(tiers)},
    }


def _existing(environment: Environment) -> list[str]:
    """ARNs and IDs of existing AWS resources in the spec."""
    edge = environment.edge
    references = (edge.certificate, edge.zone_id, *(zone.id for zone in edge.zones.values()))
    return [*(reference for reference in references if reference), *environment.network.foreign]


def tiers_mk(environment: Environment, tiers: Mapping[str, Tier] = TIERS) -> str:
    """The graph of tiers for make: the order of plans, applies and destroys."""
    names = order(tiers)
    lines = [
        f"# The graph of the tiers of {environment.environment}; written by Tierra.",
        f"TARGET := {environment.target}",
        f"TIERS := {' '.join(names)}",
    ]
    for name in names:
        needs = [need for need in names if need in tiers[name].needs]
        before = [need for need in names if need in tiers[name].needs or need == FIRST != name]
        lines += [f"plan-{name}: {' '.join(f'plan-{need}' for need in needs)}"] if needs else []
        lines += [f"apply-{name}: {' '.join(f'apply-{need}' for need in before)}"] if before else []
        lines += [f"destroy-{need}: destroy-{name}" for need in before]
    return "\n".join(lines) + "\n"


def _carry(module: Path, folders: Mapping[str, Mapping[str, str]], own: Own | None) -> None:
    """Writes the files of a root module and the own Terraform of its tier. Removes those of an earlier run
    that no longer exist."""
    contents = {
        module / folder / path: text.encode()
        for folder, files in folders.items()
        for path, text in files.items()
    }
    if own:
        contents |= {module / path: content for path, content in own.files.items()}
        contents[module / additions.INDEX] = (json.dumps(own.index(), indent=1) + "\n").encode()
    for path, content in contents.items():
        write(path, content)
    left = [*module.glob(f"{additions.PREFIX}*.tf"), *module.glob(f"{additions.PREFIX}*.tf.json")]
    left += [path for folder in CARRIED for path in sorted((module / folder).rglob("*"), reverse=True)]
    for path in (*left, *((module / folder) for folder in additions.FOLDERS), module / additions.INDEX):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file() and path not in contents:
            path.unlink()


def _terraform_json(generated: dict[str, Any], environment: Environment) -> str:
    """The output of cdktf without its metadata, in a readable order."""
    plain: dict[str, Any] = _without_notes(generated)
    plain["//"] = _origin(environment)
    rank = {section: position for position, section in enumerate(SECTIONS)}
    ordered = {key: plain[key] for key in sorted(plain, key=lambda key: (rank.get(key, len(rank)), key))}
    return json.dumps(ordered, indent=2, ensure_ascii=False) + "\n"


def _versions(environment: Environment) -> str:
    """The required version of terraform."""
    return f'# {_origin(environment)}\nterraform {{\n  required_version = "{TERRAFORM}"\n}}\n'


def _origin(environment: Environment) -> str:
    return (
        f"Written by Tierra from environments/{environment.environment}.yaml; change that file, not this one."
    )


def _without_notes(value: Any) -> Any:
    """Metadata of cdktf are objects named `//`; a tag may have the key `//`, too."""
    if isinstance(value, dict):
        return {
            key: _without_notes(item)
            for key, item in value.items()
            if key != "//" or not isinstance(item, dict)
        }
    return [_without_notes(item) for item in value] if isinstance(value, list) else value
