"""Tests of the cost estimate of plans, and of its price table."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from conftest import ROOT, Root
from support.project import Copy, applied, planned, succeeded

from tierra.aws.types import TYPES
from tierra.bindings.imports import sources
from tierra.report import costs
from tierra.report.costs import ask, prices, skus
from tierra.report.costs.kinds import PRICED, SPOT

REGION = "us-east-1"
PROVIDER = {"provider_config": {"aws": {"expressions": {"region": {"constant_value": REGION}}}}}
Values = dict[str, Any]


def plan(after: dict[str, Values], before: dict[str, Values] | None = None) -> dict[str, Any]:
    """The parts of terraform's plan JSON that an estimate reads, with values by address."""

    def module(resources: dict[str, Values]) -> dict[str, Any]:
        listed = [
            {"address": address, "type": address.split(".")[0], "mode": "managed", "values": values}
            for address, values in resources.items()
        ]
        return {"root_module": {"resources": listed}}

    state = {"prior_state": {"values": module(before)}} if before is not None else {}
    return {"planned_values": module(after), "configuration": PROVIDER, **state}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A separate cache of fetched prices for each test."""
    folder = tmp_path / "prices"
    monkeypatch.setattr(prices, "CACHE", folder)
    prices.known.cache_clear()
    yield folder
    prices.known.cache_clear()


def estimate(after: dict[str, Values], before: dict[str, Values] | None = None) -> dict[str, Any]:
    return costs.estimate(Path("cdktf.out/dev"), {"data": plan(after, before)}, REGION)


def cost_of(address: str, values: Values, **others: Values) -> float:
    """The cost of one resource in a plan with others."""
    resources = {address: values} | {f"{name.replace('__', '.')}": each for name, each in others.items()}
    costs_of_all = estimate(resources)
    return float(
        next(each["after"] for each in costs_of_all["types"] if each["type"] == address.split(".")[0])
    )


# --- every type is priced, free or billed by usage ---


def places() -> set[str]:
    """The types in the tables of costs."""
    return {*PRICED, *(name for name, each in TYPES.items() if each.free or each.usage)}


def test_every_generated_type_is_priced_free_or_billed_by_usage(roots: dict[str, Root]) -> None:
    generated = {kind for root in roots.values() for kind in root.body["resource"]}
    assert generated <= places()


def test_every_optional_type_is_priced_free_or_billed_by_usage() -> None:
    imported = {
        f"aws_{name}"
        for file in sources(ROOT)
        for name in re.findall(r"from cdktf_cdktf_provider_aws\.(\w+) import", file.read_text())
        if name != "provider" and not name.startswith("data_")
    }
    assert places() == imported | {"helm_release"}


def test_free_types_have_no_price() -> None:
    assert not [name for name, each in TYPES.items() if each.free and (each.usage or name in PRICED)]


def test_an_unknown_type_is_listed() -> None:
    [unpriced] = estimate({"aws_mq_broker.jobs": {}})["unpriced"]
    assert unpriced["address"] == "aws_mq_broker.jobs"
    assert "unknown" in unpriced["why"]


# --- quantities ---

TEMPLATE = {
    "id": "lt-1",
    "monitoring": [{"enabled": True}],
    "block_device_mappings": [{"ebs": [{"volume_size": 50, "volume_type": "gp3"}]}],
}
GROUP = {
    "capacity_type": "ON_DEMAND",
    "instance_types": ["t3.medium"],
    "scaling_config": [{"desired_size": 2, "min_size": 1, "max_size": 9}],
    "launch_template": [{}],
}
POSTGRES = {
    "identifier": "orders",
    "engine": "postgres",
    "instance_class": "db.r6g.large",
    "multi_az": True,
    "allocated_storage": 100,
    "storage_type": "gp3",
}
REPLICA = {"replicate_source_db": "orders", "instance_class": "db.r6g.large", "storage_type": "gp3"}
SUBNETS = ["subnet-1", "subnet-2", "subnet-3"]


def test_nodes_are_priced_with_disks_and_metrics() -> None:
    node = 730 * 0.0416 + 50 * 0.08 + 7 * 0.30
    assert cost_of("aws_eks_node_group.a", GROUP, aws_launch_template__nodes=TEMPLATE) == round(2 * node, 2)
    known = {**GROUP, "launch_template": [{"id": "lt-1"}]}
    template = {**TEMPLATE, "id": "lt-2", "block_device_mappings": []}
    result = estimate(
        {
            "aws_eks_node_group.a": known,
            "aws_launch_template.other": template,
            "aws_launch_template.nodes": TEMPLATE,
        }
    )
    assert result["after"] == round(2 * node, 2)


def test_node_disks_are_those_of_the_launch_template() -> None:
    small = {**TEMPLATE, "id": None, "block_device_mappings": []}
    compute = plan(
        {
            "aws_eks_node_group.spot_a": GROUP,
            "aws_launch_template.nodes": small,
            "aws_launch_template.nodes_spot": {**TEMPLATE, "id": None},
        }
    )
    names = {"references": ["aws_launch_template.nodes_spot.id", "aws_launch_template.nodes_spot"]}
    group = {"address": "aws_eks_node_group.spot_a", "expressions": {"launch_template": [{"id": names}]}}
    compute["configuration"] = {**PROVIDER, "root_module": {"resources": [group]}}
    result = costs.estimate(Path("cdktf.out/dev"), {"compute": compute}, REGION)
    assert result["after"] == round(2 * (730 * 0.0416 + 50 * 0.08 + 7 * 0.30), 2)


def test_spot_nodes_are_priced_on_demand_with_a_note() -> None:
    result = estimate({"aws_eks_node_group.a": {**GROUP, "capacity_type": "SPOT"}})
    assert result["after"] == round(2 * 730 * 0.0416, 2)
    assert SPOT in {each["what"] for each in result["usage"]}
    assert "disks" in result["unpriced"][0]["why"]


def test_a_standby_doubles_the_price_and_a_replica_has_the_class_of_its_source() -> None:
    alone = 730 * 0.45 + 100 * 0.23
    assert cost_of("aws_db_instance.postgres", POSTGRES) == round(alone, 2)
    both = estimate({"aws_db_instance.postgres": POSTGRES, "aws_db_instance.replica_1": REPLICA})
    assert both["after"] == round(alone + 730 * 0.225 + 100 * 0.115, 2)


@pytest.mark.parametrize(("size", "iops", "paid"), [(100, 3_000, 0), (400, 12_000, 0), (400, 14_000, 2_000)])
def test_iops_above_the_included_ones_are_priced(size: int, iops: int, paid: int) -> None:
    values = {**POSTGRES, "multi_az": False, "allocated_storage": size, "iops": iops}
    assert cost_of("aws_db_instance.postgres", values) == round(730 * 0.225 + size * 0.115 + paid * 0.02, 2)


@pytest.mark.parametrize(
    ("address", "values", "usd"),
    [
        ("aws_eks_cluster.main", {}, 73.0),
        ("aws_nat_gateway.a", {}, 32.85),
        ("aws_eip.nat_a", {}, 3.65),
        (
            "aws_lb.main",
            {"load_balancer_type": "application", "subnets": SUBNETS},
            730 * (0.0225 + 3 * 0.005),
        ),
        ("aws_lb.main", {"load_balancer_type": "application", "internal": True, "subnets": SUBNETS}, 16.43),
        ("aws_vpc_endpoint.sts", {"vpc_endpoint_type": "Interface", "subnet_ids": [None] * 3}, 21.9),
        ("aws_docdb_cluster_instance.a", {"instance_class": "db.r6g.large"}, 730 * 0.2631),
        (
            "aws_elasticache_replication_group.redis",
            {"engine": "redis", "node_type": "cache.r6g.large", "num_cache_clusters": 3},
            3 * 730 * 0.206,
        ),
        (
            "aws_elasticache_replication_group.redis",
            {
                "engine": "valkey",
                "node_type": "cache.r6g.large",
                "num_node_groups": 2,
                "replicas_per_node_group": 1,
            },
            4 * 730 * 0.1648,
        ),
        ("aws_kms_key.state", {}, 1.0),
        ("aws_secretsmanager_secret.pager", {}, 0.4),
        ("aws_cloudwatch_dashboard.nodes", {}, 3.0),
        ("aws_cloudwatch_composite_alarm.users", {}, 0.5),
        ("aws_cloudwatch_metric_alarm.cpu", {"period": 60}, 0.1),
        ("aws_cloudwatch_metric_alarm.cpu", {"period": 10}, 0.3),
        (
            "aws_cloudwatch_metric_alarm.rate",
            {
                "metric_query": [
                    {"expression": "a / b"},
                    {"metric": [{"period": 60}]},
                    {"metric": [{"period": 60}]},
                ]
            },
            0.2,
        ),
        ("aws_wafv2_web_acl.main", {"rule": [{"statement": []}, {"statement": []}]}, 7.0),
    ],
)
def test_other_resources_are_priced(address: str, values: Values, usd: float) -> None:
    result = estimate({address: values})
    assert result["after"] == round(usd, 2)
    assert result["unpriced"] == []


def test_gateway_endpoints_are_free() -> None:
    result = estimate({"aws_vpc_endpoint.s3": {"vpc_endpoint_type": "Gateway"}})
    assert (result["after"], result["unpriced"]) == (0, [])


def test_rule_groups_with_a_separate_price_are_listed() -> None:
    group = {"managed_rule_group_statement": [{"name": "AWSManagedRulesAntiDDoSRuleSet"}]}
    result = estimate({"aws_wafv2_web_acl.main": {"rule": [{"statement": [group]}]}})
    assert result["after"] == 6
    assert "AntiDDoS" in result["unpriced"][0]["why"]


# --- the estimate ---


def test_costs_are_shown_before_and_after_the_plan() -> None:
    small = {**POSTGRES, "multi_az": False}
    result = estimate({"aws_db_instance.postgres": POSTGRES}, {"aws_db_instance.postgres": small})
    before = round(730 * 0.225 + 100 * 0.115, 2)
    assert (result["before"], result["after"]) == (before, round(730 * 0.45 + 100 * 0.23, 2))
    assert result["tiers"]["data"] == {"before": before, "after": result["after"]}
    assert estimate({}, {"aws_db_instance.postgres": small})["before"] == before


def test_resources_without_a_price_are_listed_once_with_their_number() -> None:
    many = {
        f"aws_docdb_cluster_instance.instance_{each}": {"instance_class": "db.r8g.large"} for each in "12"
    }
    result = estimate(many, many)
    assert result["after"] == 0
    assert result["unpriced"] == [
        {
            "tier": "data",
            "address": "aws_docdb_cluster_instance.instance_1",
            "type": "aws_docdb_cluster_instance",
            "why": "no price of AmazonDocDB InstanceUsage:db.r8g.large in us-east-1",
            "count": 2,
        }
    ]


def test_resources_have_the_prices_of_their_region() -> None:
    assert estimate({"aws_nat_gateway.a": {"region": "eu-west-1"}})["after"] == round(730 * 0.048, 2)
    far = estimate({"aws_nat_gateway.a": {"region": "mx-central-1"}})
    assert "mx-central-1" in far["unpriced"][0]["why"]


def test_resources_of_modules_count_and_data_sources_do_not() -> None:
    data = plan({})
    key = {"address": "module.a.aws_kms_key.b", "type": "aws_kms_key", "mode": "managed", "values": {}}
    read = {**key, "address": "data.aws_kms_key.c", "mode": "data"}
    data["planned_values"]["root_module"]["child_modules"] = [{"resources": [key, read]}]
    assert costs.estimate(Path("dev"), {"data": data}, REGION)["after"] == 1


def test_usage_is_listed_but_not_estimated() -> None:
    plans = {tier: plan({f"aws_s3_bucket.{tier}": {}}) for tier in ("state", "storage")}
    result = costs.estimate(Path("dev"), plans, REGION)
    assert result["after"] == 0
    [bucket] = result["usage"]
    assert (bucket["tiers"], bucket["count"]) == (["state", "storage"], 2)


# --- prices ---


def test_every_price_has_a_source_and_a_date() -> None:
    table = json.loads(prices.TABLE.read_text(encoding="utf-8"))
    used = {source for region in table["regions"].values() for source in region}
    assert used == table["sources"].keys()
    assert all(date.fromisoformat(each["date"]) and each["what"] for each in table["sources"].values())
    for region, priced in table["regions"].items():
        names = [name for listed in priced.values() for name in listed]
        assert len(names) == len(set(names)), region
        assert all(usd > 0 for listed in priced.values() for usd in listed.values())


def test_the_price_table_covers_the_included_environments(roots: dict[str, Root]) -> None:
    region = next(iter(roots.values())).environment.region
    kinds = roots["compute"].environment.compute.nodes.instance_type
    wanted = [skus.instance(kinds), skus.volume("gp3"), skus.CLUSTER, skus.NAT, skus.BALANCER, skus.KEY]
    assert [str(sku) for sku in wanted if prices.price(sku, region) is None] == []


def test_prices_from_aws_take_precedence_over_the_table() -> None:
    old = estimate({"aws_nat_gateway.a": {}})
    assert old["source"] == f"table of this repository (oldest price: {old['date']})"
    prices.keep(REGION, {skus.NAT: 1.0})
    prices.known.cache_clear()
    new = estimate({"aws_nat_gateway.a": {}})
    assert (new["after"], new["date"]) == (730, date.today().isoformat())
    assert new["source"].startswith("AWS's Price List (")
    both = estimate({"aws_nat_gateway.a": {}, "aws_eip.a": {}})
    assert both["date"] < new["date"], "the date is that of the oldest price in use"
    assert " and table of this repository" in both["source"]
    prices.keep(REGION, {skus.KEY: 2.0})
    assert prices.aws_answers(REGION).keys() == {str(skus.NAT), str(skus.KEY)}, "earlier answers must stay"


@pytest.mark.parametrize(
    "usage",
    ["NatGateway-Hours", "EU-NatGateway-Hours", "SAE1-NatGateway-Hours", "eu-west-1-NatGateway-Hours"],
)
def test_a_usage_type_is_known_with_and_without_a_region(usage: str) -> None:
    assert skus.NAT.is_usage(usage)


@pytest.mark.parametrize(
    "usage", ["RegionalNatGateway-Hours", "EU-NatGateway-Prvd-Hours", "ExtendedSupportYr3-NatGateway-Hours"]
)
def test_usage_types_of_other_products_do_not_match(usage: str) -> None:
    assert not skus.NAT.is_usage(usage)


# --- the command make prices ---


def product(service: str, family: str, usd: str, first: str = "", **attributes: str) -> dict[str, Any]:
    """One entry of a PriceList, as AWS answers it; `first` is the price of a first step."""
    steps = [*([("0", "100", first)] if first else []), ("100" if first else "0", "Inf", usd)]
    dimensions = {
        f"SKU.JRTCKXETXF.{number}": {
            "unit": "Hrs",
            "beginRange": begin,
            "endRange": end,
            "description": f"${price} per unit",
            "appliesTo": [],
            "rateCode": f"SKU.JRTCKXETXF.{number}",
            "pricePerUnit": {"USD": price},
        }
        for number, (begin, end, price) in enumerate(steps)
    }
    term = {
        "priceDimensions": dimensions,
        "sku": "SKU",
        "effectiveDate": "2026-10-01T00:00:00Z",
        "offerTermCode": "JRTCKXETXF",
        "termAttributes": {},
    }
    return {
        "product": {
            "productFamily": family,
            "attributes": {"regionCode": REGION, "servicecode": service, **attributes},
            "sku": "SKU",
        },
        "serviceCode": service,
        "terms": {"OnDemand": {"SKU.JRTCKXETXF": term}},
        "version": "20261001000000",
        "publicationDate": "2026-10-01T00:00:00Z",
    }


PRODUCTS = [
    product("AmazonEC2", "NAT Gateway", "0.0460000000", usagetype="NatGateway-Hours"),
    product("AmazonEC2", "NAT Gateway", "0.0450000000", usagetype="NatGateway-Bytes"),
    product("AmazonVPC", "", "0.0050000000", usagetype="USE1-PublicIPv4:InUseAddress"),
    product("awskms", "Encryption Key", "1.0000000000", usagetype="us-east-1-KMS-Keys"),
    product("AmazonCloudWatch", "Metric", "0.1000000000", "0.3000000000", usagetype="CW:MetricMonitorUsage"),
    product("awswaf", "Web Application Firewall", "5.0000000000", usagetype="USE1-WebACLV2"),
    product("awswaf", "Web Application Firewall", "6.0000000000", usagetype="USE1-WebACLV2"),
]


class Raw(io.BytesIO):
    """A body, as urllib3 hands it to botocore."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


class PriceList:
    """Answers in place of AWS, one product per page, and records the requests."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refusal: str | None = None

    def answer(self, request: AWSRequest, **_: object) -> AWSResponse:
        body = json.loads(request.body)
        self.asked.append(body)
        if self.refusal:
            return self._response(request, 400, {"__type": self.refusal, "message": "no"})
        assert body["ServiceCode"]
        products = [each for each in PRODUCTS if self._matches(each, body)]
        page = int(body.get("NextToken", "0"))
        more = {"NextToken": str(page + 1)} if page + 1 < len(products) else {}
        listed = [json.dumps(each) for each in products[page : page + 1]]
        return self._response(request, 200, {"FormatVersion": "aws_v1", "PriceList": listed, **more})

    @staticmethod
    def _matches(entry: dict[str, Any], body: dict[str, Any]) -> bool:
        attributes = {**entry["product"]["attributes"], "productFamily": entry["product"]["productFamily"]}
        wanted = [(each["Field"], each["Value"]) for each in body["Filters"] if each["Type"] == "TERM_MATCH"]
        return attributes["servicecode"] == body["ServiceCode"] and all(
            attributes.get(key) == expected for key, expected in wanted
        )

    @staticmethod
    def _response(request: AWSRequest, status: int, body: dict[str, Any]) -> AWSResponse:
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        return AWSResponse(request.url, status, headers, Raw(json.dumps(body).encode()))


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def price_list(monkeypatch: pytest.MonkeyPatch, signed_in: None) -> PriceList:
    answers = PriceList()
    create = botocore.session.Session.create_client

    def with_answers(session: botocore.session.Session, *arguments: Any, **named: Any) -> Any:
        client = create(session, *arguments, **named)
        client.meta.events.register("before-send.pricing.GetProducts", answers.answer)
        return client

    monkeypatch.setattr(botocore.session.Session, "create_client", with_answers)
    return answers


def saved(folder: Path, after: dict[str, Values]) -> Path:
    out = folder / "dev"
    (out / "stacks/network").mkdir(parents=True)
    (out / "stacks/network/plan.json").write_text(json.dumps(plan(after)))
    return out


def prices_of(out: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["ask", str(out)])
    return ask.main()


def test_prices_that_plans_need_are_fetched_and_cached(
    price_list: PriceList,
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    resources: dict[str, Values] = {
        "aws_nat_gateway.a": {},
        "aws_eip.a": {},
        "aws_kms_key.a": {},
        "aws_wafv2_web_acl.main": {},
    }
    out = saved(tmp_path, resources)
    assert prices_of(out, monkeypatch) == 0
    asked = {(each["ServiceCode"], *sorted(f["Value"] for f in each["Filters"])) for each in price_list.asked}
    assert ("AmazonEC2", "NAT Gateway", "us-east-1") in asked
    assert ("AmazonVPC", "us-east-1") in asked
    assert {service for service, *_ in asked} == {"AmazonEC2", "AmazonVPC", "awskms", "awswaf"}
    cached = json.loads((cache / "us-east-1.json").read_text())
    today = date.today().isoformat()
    assert cached["AmazonEC2 NatGateway-Hours"] == {"usd": 0.046, "day": today}
    assert cached["awskms KMS-Keys"] == {"usd": 1.0, "day": today}
    assert "awswaf WebACLV2" not in cached, "AWS returned two prices"
    assert "no single price for awswaf WebACLV2" in capsys.readouterr().out
    prices.known.cache_clear()
    assert estimate({"aws_nat_gateway.a": {}})["after"] == round(730 * 0.046, 2)


def test_the_highest_price_of_volume_tiers_is_used(price_list: PriceList) -> None:
    assert ask.ask({(REGION, skus.METRIC)}) == {REGION: {skus.METRIC: 0.3}}


def test_global_products_are_queried_without_a_region(price_list: PriceList) -> None:
    ask.ask({(REGION, skus.DASHBOARD)})
    [asked] = price_list.asked
    assert [each["Field"] for each in asked["Filters"]] == ["productFamily"]


@pytest.mark.parametrize(
    ("refusal", "says"),
    [("AccessDeniedException", "pricing:GetProducts"), ("ExpiredTokenException", "sign in")],
)
def test_a_refused_price_query_gives_one_message_and_keeps_known_prices(
    refusal: str,
    says: str,
    price_list: PriceList,
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    price_list.refusal = refusal
    assert prices_of(saved(tmp_path, {"aws_eip.a": {}, "aws_kms_key.a": {}}), monkeypatch) == 1
    errors = capsys.readouterr().err
    assert refusal in errors
    assert says in errors
    assert errors.count("prices:") == errors.count("remedy:") == 1
    assert not cache.exists()


def test_a_network_failure_gives_one_message(
    signed_in: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert prices_of(saved(tmp_path, {"aws_eip.a": {}}), monkeypatch) == 1
    assert "cannot be reached" in capsys.readouterr().err


def test_missing_credentials_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert prices_of(saved(tmp_path, {"aws_eip.a": {}}), monkeypatch) == 1
    assert "no credentials" in capsys.readouterr().err


def test_missing_plans_are_reported_with_the_command_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prices_of(tmp_path / "dev", monkeypatch) == 1
    assert "make plan ENV=dev" in capsys.readouterr().err


# --- in a report ---


def test_plans_of_the_sandbox_are_reported_with_their_costs(tmp_path: Path) -> None:
    report = "cdktf.out/sandbox/report.json"
    nat, address, key = 730 * 0.045, 730 * 0.005, 1
    first = json.loads((planned() / report).read_text())
    assert first["tiers"]["network"]["cost"] == {"before": 0, "after": round(nat + address + key, 2)}
    project = Copy(tmp_path / "tierra", applied())
    project.edit("nat: single", "nat: zone")
    succeeded(project.make("plan", TIER="network"))
    second = json.loads((project.folder / report).read_text())["cost"]
    assert second["before"] == round(nat + address + key, 2)
    assert second["after"] == round(3 * (nat + address) + key, 2)
    assert (second["currency"], second["unpriced"]) == ("USD", [])
