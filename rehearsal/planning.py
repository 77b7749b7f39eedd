"""Plans the change of a resource, which terraform requests before it applies anything.

terraform proposes a new state: the configuration, with the prior state's values where an argument that may
be computed is not set. Planning turns null into "known after apply" where AWS will choose a value, fills in
defaults, and names the arguments whose change forces a new resource.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rehearsal.account import Account
from rehearsal.catalog import Facts, Type
from rehearsal.foreseen import foreseen
from rehearsal.policy_document import POLICIES, same
from rehearsal.protocol import UNKNOWN, Object
from tierra.aws import transitions
from tierra.bindings.schema import Block, Nested

Path = tuple[str | int, ...]


def plan(
    type_: Type, prior: Object | None, proposed: Object, config: Object, account: Account
) -> tuple[Object, list[Path]]:
    """The planned state, and the paths of the changed arguments that force a new resource."""
    planned = _planned(type_.block, type_.facts, "", proposed, config, prior)
    _tags(type_.block, planned, config, account)
    if "region" in type_.block.attributes and config.get("region") is None:
        planned["region"] = account.region
    if prior is None:
        return {**planned, **foreseen(type_.name, None, planned)}, []
    planned.update(foreseen(type_.name, prior, planned))
    _documents(type_.facts, prior, planned)
    for name in transitions.suppressed(type_.name, prior, planned):
        planned[name] = prior[name]
    names = [*type_.facts.replace, *transitions.replaced(type_.name, prior, planned)]
    replace = [path for name in names for path in _changed(name, type_.block, prior, planned)]
    if planned != prior:
        _recompute(type_, prior, planned, config)
    return planned, replace


def fills_blocks(block: Block) -> bool:
    """Whether AWS fills in blocks that are not given, which terraform allows to types of the old SDK only."""
    return any((n.computed and not n.attribute) or fills_blocks(n.block) for n in block.blocks.values())


def _planned(
    block: Block, facts: Facts, prefix: str, proposed: Object, config: Object | None, prior: Object | None
) -> Object:
    """`proposed` with the unknown values and defaults of one block, and of all blocks inside it."""
    planned = dict(proposed)
    given = config or {}
    for name, attribute in block.attributes.items():
        if attribute.write_only:
            planned[name] = None
        elif given.get(name) is None and attribute.computed:
            default = facts.defaults.get(f"{prefix}{name}")
            if default is not None:
                planned[name] = default
            elif proposed.get(name) is None and prior is None:
                planned[name] = UNKNOWN
    for name, nested in block.blocks.items():
        value = proposed.get(name)
        before = prior.get(name) if prior else None
        if nested.computed and not value and given.get(name) is not UNKNOWN:
            planned[name] = UNKNOWN if prior is None else before
        else:
            path = f"{prefix}{name}."
            planned[name] = _planned_nested(nested, facts, path, value, given.get(name), before)
    return planned


def _planned_nested(nested: Nested, facts: Facts, prefix: str, value: Any, config: Any, prior: Any) -> Any:
    def element(proposed: Any, given: Any, before: Any) -> Any:
        if not isinstance(proposed, dict):
            return proposed
        own = given if isinstance(given, dict) else proposed
        return _planned(
            nested.block, facts, prefix, proposed, own, before if isinstance(before, dict) else None
        )

    if isinstance(value, list):
        given = config if isinstance(config, list) and len(config) == len(value) else [None] * len(value)
        earlier = prior if isinstance(prior, list) else []
        before = [*earlier, *[None] * len(value)][: len(value)]
        if nested.nesting == "set":
            before = [
                next((candidate for candidate in earlier if _same(candidate, its)), None) for its in value
            ]
        return [element(member, its, old) for member, its, old in zip(value, given, before, strict=True)]
    if isinstance(value, dict) and nested.nesting == "map":
        return {
            key: element(member, (config or {}).get(key), (prior or {}).get(key))
            for key, member in value.items()
        }
    return element(value, config, prior)


def _same(prior: Any, proposed: Any) -> bool:
    """Whether two elements of a set are the same, as far as they are given."""
    if not isinstance(prior, dict) or not isinstance(proposed, dict):
        return False
    return all(value is None or prior.get(name) == value for name, value in proposed.items())


def _tags(block: Block, planned: Object, config: Object, account: Account) -> None:
    """`tags_all`: the provider's default tags under the resource's own."""
    if "tags_all" not in block.attributes or config.get("tags_all") is not None:
        return
    tags = planned.get("tags")
    if tags is UNKNOWN or UNKNOWN in {**account.default_tags, **(tags or {})}.values():
        planned["tags_all"] = UNKNOWN
    else:
        planned["tags_all"] = {**account.default_tags, **(tags or {})}


def _documents(facts: Facts, prior: Object, planned: Object) -> None:
    """Keep the text of an equivalent JSON document, as the provider does."""
    for name in {*facts.documents, *POLICIES} & planned.keys():
        before, after = prior.get(name), planned.get(name)
        if isinstance(before, str) and isinstance(after, str) and _same_document(before, after):
            planned[name] = before


def _same_document(before: str, after: str) -> bool:
    try:
        return same(json.loads(before), json.loads(after))
    except ValueError:
        return False


def _recompute(type_: Type, prior: Object, planned: Object, config: Object) -> None:
    """Make unknown what an update changes by itself, such as the latest version of a launch template."""
    for name, triggers in type_.facts.changes.items():
        changed = "any" in triggers or any(prior.get(t) != planned.get(t) for t in triggers)
        if changed and name in planned and not config.get(name):
            planned[name] = UNKNOWN


def _changed(name: str, block: Block, prior: Any, planned: Any) -> Iterator[Path]:
    """The paths at which the argument at the dotted path `name` differs between two states."""
    first, _, rest = name.partition(".")
    before, after = prior.get(first), planned.get(first)
    if before == after or (_empty(before) and _empty(after)):
        return
    nested = block.blocks.get(first)
    comparable = isinstance(before, list | dict) and isinstance(before, type(after))
    if not rest or nested is None or not comparable:
        yield (first,)
    elif isinstance(before, dict):
        yield from ((first, *path) for path in _changed(rest, nested.block, before, after))
    elif nested.nesting == "set" or len(before) != len(after):
        old, new = (
            [value for member in side if not _empty(value := _at(member, rest))] for side in (before, after)
        )
        if old != new:
            yield (first,)
    else:
        for index, (was, now) in enumerate(zip(before, after, strict=True)):
            yield from ((first, index, *path) for path in _changed(rest, nested.block, was, now))


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(value, list):
            value = value[0] if value else None
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def null(block: Block) -> Object:
    """The object of a block in which nothing is set."""
    empty: Object = dict.fromkeys(block.attributes)
    for name, nested in block.blocks.items():
        counted = nested.nesting in ("list", "set") and not nested.attribute
        empty[name] = [] if counted else None
    return empty


def conform(block: Block, raw: Object) -> Object:
    """`raw` (a state written earlier, maybe by another version) with exactly the members of the block."""
    state = null(block)
    for name in state:
        value = raw.get(name)
        if value is None:
            continue
        nested = block.blocks.get(name)
        if nested is None:
            state[name] = _typed(value) if block.attributes[name].type == "dynamic" else value
        else:
            whole = nested.block.dynamic and nested.nesting != "single"
            state[name] = _typed(value) if whole else _conform_nested(nested, value)
    return state


def _conform_nested(nested: Nested, value: Any) -> Any:
    if isinstance(value, list):
        return [conform(nested.block, member) for member in value]
    if nested.nesting == "map":
        return {key: conform(nested.block, member) for key, member in value.items()}
    return conform(nested.block, value)


def _typed(value: Any) -> Any:
    """A value of dynamic type in the protocol's form, a pair of its type and itself.

    State files hold the two as an object; for a block with such an argument inside, such as `rule` of
    aws_wafv2_web_acl, they do so for the whole list of blocks.
    """
    if isinstance(value, dict) and set(value) == {"value", "type"}:
        return [json.dumps(value["type"]).encode(), value["value"]]
    return value
