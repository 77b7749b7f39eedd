"""Tests of values that terraform returns to the provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.needed import used_words
from rehearsal.planning import conform
from tierra.bindings.schema import Attribute, Block, Nested

WORD = {"type": Attribute("string", optional=True), "value": Attribute("string", optional=True)}
STORED = {"type": "plain", "value": "text"}
TYPED = {"type": ["tuple", []], "value": []}


def test_a_block_with_attributes_type_and_value_stays_a_block() -> None:
    for nesting in ("single", "list"):
        block = Block(blocks={"entry": Nested(Block(dict(WORD)), nesting)})
        value = STORED if nesting == "single" else [STORED]
        assert conform(block, {"entry": value, "older": 1}) == {"entry": value}


def test_a_value_of_dynamic_type_becomes_a_pair_of_type_and_value() -> None:
    rule = Block({"statement": Attribute("dynamic", optional=True)})
    assert conform(Block(blocks={"rule": Nested(rule, "list")}), {"rule": TYPED}) == {
        "rule": [b'["tuple", []]', []]
    }
    inner = conform(Block(blocks={"rule": Nested(rule, "single")}), {"rule": {"statement": TYPED}})
    assert inner == {"rule": {"statement": [b'["tuple", []]', []]}}


def test_a_remote_state_may_contain_every_type_unless_only_configured_types_are_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".terraform").mkdir()
    (tmp_path / ".terraform" / "terraform.tfstate").write_text('{"backend": {"type": "s3"}}')
    (tmp_path / "cdk.tf.json").write_text('{"resource": {"aws_kms_key": {}}}')
    assert used_words(tmp_path) is None
    monkeypatch.setenv("REHEARSAL_CONFIGURED", "yes")
    assert used_words(tmp_path) == {"resource", "aws_kms_key"}
