"""Tests of shapes of AWS APIs, read from botocore without loading whole models."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from botocore.session import get_session

from tierra.aws import service_models as models


def plain(service: str, name: str) -> object:
    return get_session().get_service_data(service)["shapes"][name]


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("ec2", "InstanceType"),
        ("ec2", "AcceleratorCount"),
        ("wafv2", "CountryCode"),
        ("elasticache", "CreateReplicationGroupMessage"),
        ("rds", "ModifyDBInstanceMessage"),
    ],
)
def test_a_shape_equals_that_of_botocore(service: str, name: str) -> None:
    assert models.shape(service, name) == plain(service, name)


def test_a_model_may_be_uncompressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = max((models.data() / "wafv2").iterdir()) / "service-2.json.gz"
    folder = tmp_path / "wafv2" / source.parent.name
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_bytes(gzip.decompress(source.read_bytes()))
    monkeypatch.setattr(models, "data", lambda: tmp_path)
    assert models.shape("wafv2", "CountryCode") == plain("wafv2", "CountryCode")


def test_a_missing_shape_is_reported() -> None:
    with pytest.raises(LookupError, match="the model of wafv2 has no shape Nothing"):
        models.shape("wafv2", "Nothing")
