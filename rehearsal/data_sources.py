"""Answers of data sources. Those that look something up find what the rehearsal itself created."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from rehearsal.catalog import Type
from rehearsal.cloud import Cloud
from rehearsal.planning import Account, null
from rehearsal.policy_document import render
from rehearsal.protocol import UNKNOWN, Object
from rehearsal.values import Maker

ZONES = {"us-east-1": "abcdef", "us-west-2": "abcd", "ap-northeast-2": "abcd", "ca-central-1": "abd"}
ZONES |= {"ap-northeast-1": "acd"}
DEFAULT_ZONES = "abc"


def read(type_: Type, config: Object, account: Account, cloud: Cloud) -> Object:
    """The data source with every computed attribute filled in."""
    answers = ANSWERS[type_.name](config, account) if type_.name in ANSWERS else _stored(type_, config, cloud)
    state: Object = {**null(type_.block)}
    for name, attribute in type_.block.attributes.items():
        given = config.get(name)
        if given is not None:
            state[name] = given
        elif name in answers:
            state[name] = answers[name]
        elif attribute.computed or name in ("id", "region"):
            state[name] = UNKNOWN
    state.update({name: config.get(name) for name in type_.block.blocks})
    if "region" in state and state["region"] is UNKNOWN:
        state["region"] = account.region
    return Maker(type_, state, account).completed()


def _stored(type_: Type, config: Object, cloud: Cloud) -> Object:
    """The resource of the same type that has the arguments asked for, or nothing."""
    asked = {key: value for key, value in config.items() if isinstance(value, str) and key != "region"}
    for state in cloud.all(type_.name):
        if asked and all(state.get(key) == value for key, value in asked.items()):
            return state
    return {}


def _zones(_config: Object, account: Account) -> Object:
    letters = ZONES.get(account.region, DEFAULT_ZONES)
    short = "".join(part[0] for part in account.region.split("-")[1:-1]) + account.region[-1]
    prefix = account.region.split("-")[0]
    return {
        "id": account.region,
        "group_names": [account.region],
        "names": [f"{account.region}{letter}" for letter in letters],
        "zone_ids": [f"{prefix}{short}-az{number}" for number, _ in enumerate(letters, 1)],
    }


def _caller(_config: Object, account: Account) -> Object:
    arn = f"arn:{account.partition}:iam::{account.id}:user/rehearsal"
    return {"id": account.id, "account_id": account.id, "arn": arn, "user_id": "AIDAREHEARSALEXAMPLE1"}


def _partition(_config: Object, account: Account) -> Object:
    reverse = ".".join(reversed(account.dns_suffix.split(".")))
    return {
        "id": account.partition,
        "partition": account.partition,
        "dns_suffix": account.dns_suffix,
        "reverse_dns_prefix": reverse,
    }


def _region(config: Object, account: Account) -> Object:
    name = config.get("region") or config.get("name") or account.region
    endpoint = f"ec2.{name}.{account.dns_suffix}"
    return {"id": name, "name": name, "region": name, "description": name, "endpoint": endpoint}


def _policy_document(config: Object, _account: Account) -> Object:
    text, minified = render(config)
    return {"id": str(zlib.crc32(text.encode())), "json": text, "minified_json": minified}


ANSWERS: dict[str, Callable[[dict[str, Any], Account], dict[str, Any]]] = {
    "aws_availability_zones": _zones,
    "aws_caller_identity": _caller,
    "aws_iam_policy_document": _policy_document,
    "aws_partition": _partition,
    "aws_region": _region,
}
