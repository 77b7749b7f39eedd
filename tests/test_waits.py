"""Tests of changes that wait for a maintenance window: later plans and drift ignore them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import Root
from support.rehearsing import Project
from support.waiting import ADDRESS, spec

from modules.data.asked import ARGUMENTS
from rehearsal.cloud import Cloud
from rehearsal.engines import open_window
from tierra.aws.types import TYPES, known
from tierra.run.waits import asked, noted, override, without


def updates(plan: dict[str, Any]) -> list[str]:
    return [each["address"] for each in plan["resource_changes"] if each["change"]["actions"] == ["update"]]


def test_pending_changes_are_requested_once(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(spec("db.t4g.medium"))
    first = project.plan(spec("db.t4g.large"))
    assert asked(first) == {}
    project.run("apply", "plan")
    assert project.state()[ADDRESS]["instance_class"] == "db.t4g.medium"

    second = project.plan()
    assert updates(second) == [ADDRESS]
    assert asked(second) == {ADDRESS: {"instance_class": "db.t4g.medium"}}
    assert updates(without(second, asked(second))) == []
    (tmp_path / "waits_override.tf.json").write_text(override(asked(second)))
    assert project.unchanged()
    more = project.plan(spec("db.t4g.large", 60))
    assert updates(more) == [ADDRESS]
    (tmp_path / "waits_override.tf.json").unlink()
    both = project.plan(spec("db.t4g.large", 60))
    assert updates(without(both, asked(both))) == [ADDRESS]

    open_window(Cloud(project.cloud))
    project.write(spec("db.t4g.large"))
    assert project.unchanged()


def test_new_and_manual_changes_are_not_pending(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(spec("db.t4g.medium"))
    project.apply(spec("db.t4g.large"))
    assert asked(project.plan(spec("db.t4g.xlarge"))) == {}
    open_window(Cloud(project.cloud))
    project.apply(spec("db.t4g.large"))
    cloud = Cloud(project.cloud)
    (state,) = cloud.all("aws_db_instance")
    cloud.put("aws_db_instance", f"us-east-1/{state['id']}", {**state, "instance_class": "db.t4g.micro"})
    by_hand = project.plan()
    assert updates(by_hand) == [ADDRESS]
    assert asked(by_hand) == {}


def test_the_state_of_databases_stores_requested_settings(variant: Callable[..., dict[str, Root]]) -> None:
    spec = {"postgres": {"version": "17.6", "replica_version": "17.9"}, "redis": {"separate_broker": True}}
    data = variant(data=spec)["data"]
    text = data.body["output"]["asked"]["value"]
    for address, values in json.loads(text).items():
        configured = data[address]
        assert values == {name: configured[name] for name in values}
        assert not [value for value in values.values() if "${" in str(value)]
        missing = set(known(address.partition(".")[0]).waits) & configured.keys() - values.keys()
        assert missing <= {"identifier", "db_subnet_group_name"}
    assert noted(text, "aws_db_instance.replica_1")["engine_version"] == "17.9"
    assert noted(text, "aws_elasticache_replication_group.broker")
    assert noted(None, ADDRESS) == {}
    names = {name for names in ARGUMENTS.values() for name in names}
    assert names <= {name for each in TYPES.values() for name in each.waits}
