"""Tests of the types of names, versions and ARNs in the spec."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from tierra.validation.arns import Arn, arn_pattern
from tierra.validation.labels import as_name, is_label, is_name
from tierra.versions import numbers


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.35.2", (1, 35, 2)),
        ("v3.1.0", (3, 1, 0)),
        ("2.4+build.7", (2, 4)),
        (17, (17,)),
        ("1.2.3-beta1", ()),
        ("latest", ()),
        (None, ()),
    ],
)
def test_versions_are_numbers(version: object, expected: tuple[int, ...]) -> None:
    assert numbers(version) == expected


@pytest.mark.parametrize(
    ("text", "label", "name"),
    [
        ("orders", True, True),
        ("o", True, True),
        ("9-lives", True, False),
        ("a" * 64, False, False),
        *((each, False, False) for each in ("", "-a", "a-", "A", "a.b", "a_b", "a\n")),
    ],
)
def test_names_are_labels_of_dns(text: str, label: bool, name: bool) -> None:
    assert (is_label(text), is_name(text)) == (label, name)


def test_a_suggested_name_is_valid() -> None:
    assert as_name("2. Orders & Returns!") == "orders-returns"
    assert as_name("orders-and-returns", 7) == "orders"
    assert as_name("99") == ""


def test_an_arn_is_refused_with_its_rule_and_shown_to_editors() -> None:
    queue = Arn(arn_pattern("sqs", "[a-z]+"), "a queue", "copy it")
    kind: TypeAdapter[str] = TypeAdapter(Annotated[str, queue])
    assert kind.validate_python("arn:aws-cn:sqs:cn-north-1:123456789012:orders", strict=True)
    for wrong in ("arn:aws:sqs:us-east-1:123:orders", "arn:aws:sqs:us-east-1:123456789012:orders:more"):
        with pytest.raises(ValidationError, match="a queue; copy it"):
            kind.validate_python(wrong)
    assert kind.json_schema()["pattern"] == "^arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[a-z]+$"
