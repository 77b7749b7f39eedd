"""Answers of data sources. Lookups find what the rehearsal itself created."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from rehearsal.account import Account
from rehearsal.answers import ANSWERS
from rehearsal.catalog import Type
from rehearsal.cloud import Cloud
from rehearsal.planning import null
from rehearsal.protocol import UNKNOWN, Object
from rehearsal.values import ValueFactory

# Data sources that return the ids of several objects, and the type that they list.
LISTS = {
    "aws_ebs_volumes": "aws_ebs_volume",
    "aws_eips": "aws_eip",
    "aws_instances": "aws_instance",
    "aws_route_tables": "aws_route_table",
    "aws_security_groups": "aws_security_group",
    "aws_subnets": "aws_subnet",
    "aws_vpcs": "aws_vpc",
}
# Names of filters that differ from those of arguments.
FILTERS = {"group_name": "name", "cidr": "cidr_block", "route_table_id": "id"}


def answer(type_: Type, config: Object, account: Account, cloud: Cloud) -> Object:
    """The data source with every computed attribute filled in.

    Values that the state named by REHEARSAL_KNOWN has are returned again. An object that the rehearsal did
    not create is made up.
    """
    if known := _known(type_, config, os.environ.get("REHEARSAL_KNOWN", "")):
        return known
    answers = _answers(type_, config, account, cloud)
    state: Object = {**null(type_.block)}
    for name, attribute in type_.block.attributes.items():
        given = config.get(name)
        if given is not None:
            state[name] = given
        elif name in answers and (attribute.computed or answers[name] is None):
            state[name] = answers[name]
        elif attribute.computed and (not attribute.optional or type_.name not in ANSWERS):
            state[name] = UNKNOWN
    state.update({name: config.get(name) for name in type_.block.blocks})
    if "region" in state:
        state["region"] = config.get("region") or account.region
    return ValueFactory(type_, state, account).completed()


def _known(type_: Type, config: Object, file: str) -> Object | None:
    """The values in the state of a data source of this type with the same arguments."""
    arguments = {name: value for name, value in config.items() if value not in (None, [], {})}
    if UNKNOWN in arguments.values():
        return None
    for attributes in _recorded(file).get(type_.name, []):
        if all(attributes.get(name) == value for name, value in arguments.items()):
            return {**null(type_.block), **attributes}
    return None


@cache
def _recorded(file: str) -> dict[str, list[dict[str, Any]]]:
    """The data sources in a state, by type."""
    objects: dict[str, list[dict[str, Any]]] = {}
    state = json.loads(Path(file).read_text(encoding="utf-8")) if file and Path(file).exists() else {}
    for resource in state.get("resources", []):
        if resource["mode"] == "data":
            for instance in resource["instances"]:
                objects.setdefault(resource["type"], []).append(instance["attributes"])
    return objects


def _answers(type_: Type, config: Object, account: Account, cloud: Cloud) -> Object:
    if type_.name in LISTS:
        objects = list(_matching(LISTS[type_.name], config, cloud))
        return {
            "ids": [object_["id"] for object_ in objects],
            "public_ips": [object_.get("public_ip") for object_ in objects],
        }
    for state in _matching(type_.name, config, cloud):
        return state
    return ANSWERS[type_.name](config, account) if type_.name in ANSWERS else {}


def _matching(type_name: str, config: Object, cloud: Cloud) -> Iterator[Object]:
    """The objects that match the arguments, filters and tags."""
    arguments = {key: value for key, value in config.items() if isinstance(value, str) and key != "region"}
    blocks = config.get("filter") if isinstance(config.get("filter"), list) else []
    filters = [(filter_["name"], filter_["values"]) for filter_ in blocks or [] if "values" in filter_]
    tags = config.get("tags") or {}
    if not (arguments or filters or tags):
        return
    for state in cloud.all(type_name):
        its_tags = state.get("tags_all") or {}
        if (
            all(state.get(key) == value for key, value in arguments.items())
            and all(its_tags.get(key) == value for key, value in tags.items())
            and all(_fits(state, its_tags, name, values) for name, values in filters)
        ):
            yield state


def _fits(state: Object, tags: Object, name: str, values: list[str]) -> bool:
    if name.startswith("tag:"):
        return tags.get(name.removeprefix("tag:")) in values
    argument = name.replace("-", "_")
    value = state.get(FILTERS.get(argument, argument))
    return (str(value).lower() if isinstance(value, bool) else value) in values
