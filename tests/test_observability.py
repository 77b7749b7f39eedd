"""Tests of the observability tier: its generated Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from conftest import ROOT, Root, Variant

from modules.data.catalog import documentdb_classes, memory_gib, postgres_classes
from modules.spec import Environment

Roots = Mapping[str, Root]

# The metrics that alarms and dashboards may name, with the dimensions that AWS publishes them with. Sources:
# the CloudWatch page of each service's user guide (NAT gateways, Application Load Balancers, WAF, ACM, EKS
# control plane, EC2 and EC2 Auto Scaling, RDS, ElastiCache, DocumentDB, AWS Backup, S3).
PUBLISHED: dict[tuple[str, frozenset[str]], set[str]] = {
    ("AWS/NATGateway", frozenset({"NatGatewayId"})): {
        "BytesInFromDestination", "BytesOutToDestination", "ConnectionAttemptCount", "ErrorPortAllocation",
        "IdleTimeoutCount", "PacketsDropCount", "PacketsInFromDestination", "PacketsInFromSource",
    },
    ("AWS/ApplicationELB", frozenset({"LoadBalancer"})): {
        "HTTPCode_ELB_5XX_Count", "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count",
        "RejectedConnectionCount", "RequestCount", "TargetResponseTime",
    },
    ("AWS/ApplicationELB", frozenset({"LoadBalancer", "TargetGroup"})): {
        "HealthyHostCount", "UnHealthyHostCount",
    },
    ("AWS/WAFV2", frozenset({"WebACL", "Region", "Rule"})): {
        "AllowedRequests", "BlockedRequests", "CountedRequests",
    },
    ("AWS/CertificateManager", frozenset({"CertificateArn"})): {"DaysToExpiry"},
    ("AWS/EKS", frozenset({"ClusterName"})): {
        "apiserver_request_duration_seconds_GET_P99", "apiserver_request_duration_seconds_POST_P99",
        "apiserver_request_total", "apiserver_request_total_429", "apiserver_request_total_5XX",
        "apiserver_storage_size_bytes", "scheduler_pending_pods_UNSCHEDULABLE",
    },
    ("AWS/EC2", frozenset({"AutoScalingGroupName"})): {
        "CPUCreditBalance", "CPUSurplusCreditsCharged", "CPUUtilization", "StatusCheckFailed",
    },
    ("AWS/AutoScaling", frozenset({"AutoScalingGroupName"})): {
        "GroupInServiceInstances", "GroupMaxSize", "GroupMinSize",
    },
    ("AWS/RDS", frozenset({"DBInstanceIdentifier"})): {
        "CPUCreditBalance", "CPUUtilization", "DBLoad", "DatabaseConnections", "FreeStorageSpace",
        "FreeableMemory", "MaximumUsedTransactionIDs", "OldestReplicationSlotLag", "ReadLatency",
        "ReplicaLag", "WriteLatency",
    },
    ("AWS/ElastiCache", frozenset({"CacheClusterId"})): {
        "CPUCreditBalance", "CacheHitRate", "CurrConnections", "DatabaseMemoryUsagePercentage",
        "EngineCPUUtilization", "Evictions", "ReplicationLag",
    },
    ("AWS/DocDB", frozenset({"DBInstanceIdentifier"})): {
        "BufferCacheHitRatio", "CPUCreditBalance", "CPUUtilization", "DBInstanceReplicaLag",
        "DatabaseConnectionsLimit", "DatabaseConnectionsMax", "DatabaseCursorsTimedOut", "FreeableMemory",
    },
    ("AWS/DocDB", frozenset({"DBClusterIdentifier"})): {"DBClusterReplicaLagMaximum"},
    ("AWS/Backup", frozenset({"BackupVaultName"})): {
        "NumberOfBackupJobsCompleted", "NumberOfBackupJobsExpired", "NumberOfBackupJobsFailed",
        "NumberOfCopyJobsCompleted", "NumberOfCopyJobsFailed", "NumberOfRestoreJobsCompleted",
        "NumberOfRestoreJobsFailed",
    },
    ("AWS/EFS", frozenset({"FileSystemId"})): {"ClientConnections", "MeteredIOBytes", "PercentIOLimit"},
    ("AWS/EFS", frozenset({"FileSystemId", "StorageClass"})): {"StorageBytes"},
    ("AWS/SNS", frozenset({"TopicName"})): {"NumberOfMessagesPublished", "NumberOfNotificationsFailed"},
    ("AWS/S3", frozenset({"BucketName", "StorageType"})): {"BucketSizeBytes", "NumberOfObjects"},
}  # fmt: skip

# A spec with every resource that can be monitored.
EVERYTHING: dict[str, Any] = {
    "storage": {"backup": {"copy_region": "us-west-2"}},
    "data": {
        "postgres": {"instance_class": "db.t4g.medium", "replicas": 15},
        "redis": {"node_type": "cache.t4g.small", "nodes": 6, "separate_broker": True},
        "documentdb": {"instance_class": "db.t4g.medium", "instances": 16},
    },
    "observability": {
        "alarm_emails": ["ops@example.com", "on-call+night@example.com"],
        "pager_url": "https://pager.example.com/alarms",
        "monthly_usd": 3000,
    },
    "systems": {"shop": {"framework": "go", "volumes": {"media": {"path": "/srv/media"}}}},
}


@pytest.fixture
def everything(variant: Callable[..., Variant]) -> Variant:
    return variant(**EVERYTHING)


def metric_alarms(root: Root) -> dict[str, dict[str, Any]]:
    alarms = root.all("aws_cloudwatch_metric_alarm")
    assert len(alarms) > 30
    return alarms


def composite_alarms(root: Root) -> dict[str, dict[str, Any]]:
    return root.all("aws_cloudwatch_composite_alarm")


def measured(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every metric of an alarm: namespace, metric_name, dimensions, period, and its statistic as `stat`."""
    if "metric_query" not in alarm:
        yield {**alarm, "stat": alarm.get("statistic") or alarm["extended_statistic"]}
    for query in alarm.get("metric_query", []):
        if "metric" in query:
            yield query["metric"]


def watching(root: Root) -> dict[str, Any]:
    """The monitoring resources outside of the cluster, by type."""
    ours = ("aws_cloudwatch_", "aws_sns_", "aws_xray_", "aws_budgets_")
    return {kind: each for kind, each in root.body["resource"].items() if kind.startswith(ours)}


def charts(root: Root) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, arguments in root.all("aws_cloudwatch_dashboard").items():
        yield name, json.loads(arguments["dashboard_body"])


# Alarms


def test_the_alarms_of_a_large_environment_match_the_list(everything: Variant) -> None:
    """The names are listed for review."""
    replicas = [f"replica_{number}" for number in range(1, 16)]
    shared = ("cpu", "storage", "memory", "connections", "credits")
    nodes = [f"node_{number}" for number in range(1, 7)]
    instances = [f"documentdb_instance_{number}" for number in range(1, 17)]
    expected = {
        *(f"nat_{what}_{zone}" for what in ("ports", "drops") for zone in "abc"),
        *("edge_errors_balancer", "edge_errors_target", "edge_slow", "gateway_down", "gateway_unhealthy"),
        *("waf_blocked", "certificate_due", "certificate_ends", "alerts_silent"),
        *("cluster_pending", "cluster_errors", "cluster_store"),
        *(f"nodes_{what}_{zone}" for what in ("few", "failed", "busy", "credits") for zone in "abc"),
        *(f"postgres_{what}" for what in (*shared, "transaction_ids", "held_back")),
        *(f"{replica}_{what}" for replica in replicas for what in (*shared, "lag")),
        # With a separate broker the cache may be full and evict keys.
        *(f"redis_{node}_{what}" for node in nodes for what in ("cpu", "lag", "connections", "credits")),
        *(
            f"broker_{node}_{what}"
            for node in nodes
            for what in ("cpu", "lag", "connections", "credits", "memory", "evictions")
        ),
        "documentdb_lag",
        *(
            f"{instance}_{what}"
            for instance in instances
            for what in ("cpu", "memory", "connections", "cache", "cursors", "credits")
        ),
        *("backups_failed", "backups_missing", "copies_failed"),
        *("volume_shop_media_size", "volume_shop_media_busy"),
    }
    assert set(everything["observability"].all("aws_cloudwatch_metric_alarm")) == expected


def test_a_group_that_is_also_the_broker_has_memory_and_eviction_alarms(
    variant: Callable[..., Variant],
) -> None:
    alarms = metric_alarms(variant(data={"redis": {"nodes": 1}})["observability"])
    assert {name for name in alarms if name.startswith(("redis_", "broker_"))} == {
        f"redis_node_1_{what}" for what in ("cpu", "lag", "connections", "memory", "evictions")
    }


def test_burstable_classes_have_alarms_of_credits(variant: Callable[..., Variant]) -> None:
    steady = variant(compute={"nodes": {"instance_type": "m6i.large"}})["observability"]
    assert not [name for name in metric_alarms(steady) if "credits" in name]
    assert "credits" not in json.dumps(steady.body).lower()


def test_an_alarm_notifies_when_it_fires_and_when_it_clears(roots: Roots) -> None:
    """Except parts of a composite alarm, which notifies for them."""
    root = roots["observability"]
    parts = set(re.findall(r"metric_alarm\.(\w+)\.", composite_alarms(root)["edge_users"]["alarm_rule"]))
    assert parts == {"edge_errors_balancer", "edge_errors_target", "edge_slow"}
    topics = [["${aws_sns_topic.page.arn}"], ["${aws_sns_topic.ticket.arn}"]]
    silent = set()
    for name, alarm in {**metric_alarms(root), **composite_alarms(root)}.items():
        assert alarm.get("alarm_actions") == alarm.get("ok_actions")
        if "alarm_actions" in alarm:
            assert alarm["alarm_actions"] in topics, name
        else:
            silent.add(name)
    assert silent == parts


def test_the_composite_alarm_of_users_is_suppressed_while_the_gateway_is_down(roots: Roots) -> None:
    alarm = composite_alarms(roots["observability"])["edge_users"]
    assert alarm["alarm_actions"] == ["${aws_sns_topic.page.arn}"]
    assert alarm["actions_suppressor"] == {
        "alarm": "${aws_cloudwatch_metric_alarm.gateway_down.alarm_name}",
        "extension_period": 60,
        "wait_period": 120,
    }
    down = metric_alarms(roots["observability"])["gateway_down"]
    assert (down["treat_missing_data"], down["alarm_actions"]) == ("breaching", alarm["alarm_actions"])


@pytest.mark.parametrize("replicas", [0, 1, 2])
def test_one_lagging_replica_is_a_ticket_and_all_of_them_are_a_page(
    variant: Callable[..., Variant], replicas: int
) -> None:
    root = variant(data={"postgres": {"replicas": replicas}})["observability"]
    lags = {name: alarm for name, alarm in metric_alarms(root).items() if name.startswith("replica_")}
    assert {name for name in lags if name.endswith("_lag")} == {
        f"replica_{number}_lag" for number in range(1, replicas + 1)
    }
    for name in lags:
        if name.endswith("_lag"):
            assert lags[name]["alarm_actions"] == ["${aws_sns_topic.ticket.arn}"]
    assert ("replicas_lag" in composite_alarms(root)) is (replicas > 1)
    if replicas > 1:
        assert composite_alarms(root)["replicas_lag"]["alarm_rule"] == " AND ".join(
            f'ALARM("${{aws_cloudwatch_metric_alarm.replica_{number}_lag.alarm_name}}")' for number in (1, 2)
        )
        assert composite_alarms(root)["replicas_lag"]["alarm_actions"] == ["${aws_sns_topic.page.arn}"]


def test_alarms_are_within_the_limits_of_cloudwatch(roots: Roots, everything: Variant) -> None:
    """The evaluated time is at most a day, or a week for periods of an hour or longer; all metrics of an
    expression have the same period."""
    for root in (roots["observability"], everything["observability"]):
        for name, alarm in metric_alarms(root).items():
            assert 1 <= alarm["datapoints_to_alarm"] <= alarm["evaluation_periods"], name
            assert alarm["treat_missing_data"] in ("breaching", "notBreaching", "ignore", "missing")
            [period] = {metric["period"] for metric in measured(alarm)}
            assert period * alarm["evaluation_periods"] <= (604_800 if period >= 3600 else 86_400), name
            assert len(alarm["alarm_description"]) <= 1024
            assert isinstance(alarm["threshold"], (int, float)), name


def test_expressions_use_metrics_of_their_alarm(roots: Roots) -> None:
    functions = {"IF", "FILL"}
    for name, alarm in metric_alarms(roots["observability"]).items():
        queries = alarm.get("metric_query", [])
        results = [query for query in queries if query.get("return_data")]
        if queries:
            [result] = results
            ids = {query["id"] for query in queries} - {"result"}
            assert len(ids) == len(queries) - 1, name
            assert set(re.findall(r"[A-Za-z_]\w*", result["expression"])) - functions == ids, name
            assert all(re.fullmatch(r"[a-z][A-Za-z0-9_]*", each) for each in ids), name


def test_metrics_are_published_by_aws(roots: Roots, everything: Variant) -> None:
    for root in (roots["observability"], everything["observability"]):
        for name, alarm in metric_alarms(root).items():
            for metric in measured(alarm):
                kind = (metric["namespace"], frozenset(metric["dimensions"]))
                assert metric["metric_name"] in PUBLISHED[kind], name
                assert re.fullmatch(r"Average|Sum|Minimum|Maximum|p[0-9]{1,2}", metric["stat"]), name


def test_references_are_to_existing_outputs(roots: Roots, everything: Variant) -> None:
    for tiers in (roots, everything):
        text = json.dumps(watching(tiers["observability"]))
        read = set(re.findall(r"terraform_remote_state\.(\w+)\.outputs\.(\w+)(?:\.([\w-]+))?", text))
        assert len(read) > 15
        for tier, output, key in read:
            value = tiers[tier].body["output"][output]["value"]
            assert key in value if isinstance(value, dict) else not key, f"{tier}.{output}.{key}"


def test_postgres_thresholds_follow_from_class_and_storage(variant: Callable[..., Variant]) -> None:
    postgres = {"instance_class": "db.r6g.large", "storage_gb": 200, "replicas": 1}
    alarms = metric_alarms(variant(data={"postgres": postgres})["observability"])
    gib = 1024**3
    for name in ("postgres", "replica_1"):
        assert alarms[f"{name}_storage"]["threshold"] == 10 * gib
        assert alarms[f"{name}_memory"]["threshold"] == 16 * gib * 5 // 100
        # 16 GiB, of which 90 % are usable, allow 1622 connections; the threshold is 85 % of them.
        assert alarms[f"{name}_connections"]["threshold"] == 1378
    assert alarms["postgres_held_back"]["threshold"] == 40 * gib
    large = {"instance_class": "db.r6g.4xlarge"}
    alarms = metric_alarms(variant(data={"postgres": large}, environment="large")["observability"])
    assert alarms["postgres_connections"]["threshold"] == 4250


@pytest.mark.parametrize(
    ("instance_class", "gib"),
    [
        ("db.t4g.medium", 4),
        ("db.t3.2xlarge", 32),
        ("db.m5.large", 8),
        ("db.m7g.xlarge", 16),
        ("db.r6g.large", 16),
        ("db.r8g.48xlarge", 1536),
        ("db.x2iedn.xlarge", 128),
    ],
)
def test_memory_of_default_classes_is_known(instance_class: str, gib: int) -> None:
    assert memory_gib(instance_class) == gib


def test_every_available_class_has_a_known_memory() -> None:
    for instance_class in postgres_classes() | documentdb_classes():
        assert 1 <= memory_gib(instance_class) <= 4096, instance_class


def test_alarm_thresholds_follow_the_spec(variant: Callable[..., Variant]) -> None:
    alarms = metric_alarms(variant(observability={"error_percent": 7, "slow_seconds": 9})["observability"])
    assert alarms["edge_errors_balancer"]["threshold"] == alarms["edge_errors_target"]["threshold"] == 7
    assert (alarms["edge_slow"]["threshold"], alarms["edge_slow"]["extended_statistic"]) == (9, "p99")


def test_cloudwatch_alarms_do_not_depend_on_systems(variant: Callable[..., Variant]) -> None:
    """An added system changes no shared alarm."""
    usual = watching(variant(environment="usual")["observability"])
    with_orders = watching(
        variant(environment="usual2", systems={"orders": {"framework": "go"}})["observability"]
    )
    assert json.loads(json.dumps(with_orders).replace("usual2", "usual")) == usual


# Runbooks


RUNBOOKS = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
SECTIONS = {
    re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-"): text
    for heading, text in re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", RUNBOOKS, re.M | re.S)
}


def described(root: Root) -> list[str]:
    alarms = [*metric_alarms(root).values(), *composite_alarms(root).values()]
    return [alarm["alarm_description"] for alarm in alarms]


def test_every_alarm_description_ends_with_its_runbook_section(roots: Roots, everything: Variant) -> None:
    page = "https://github.com/acme/platform/blob/main/docs/runbooks.md"
    for root in (roots["observability"], everything["observability"]):
        for text in described(root):
            address = re.fullmatch(r"[A-Z].+\. (\S+)#([a-z0-9-]+)", text)
            assert address, text
            assert address[1] == page
            assert address[2] in SECTIONS, text


def test_every_runbook_section_has_an_alarm_or_alert(
    everything: Variant, variant: Callable[..., Variant]
) -> None:
    sections = {
        *described(everything["observability"]),
        *described(variant(environment="usual")["observability"]),
    }
    alarms = {text.rpartition("#")[2] for text in sections}
    alerts = {
        section
        for path in (ROOT / "templates/observability").glob("*/rules.yaml")
        for section in re.findall(r"__runbooks__#(\S+)", path.read_text(encoding="utf-8"))
    }
    assert alarms | alerts == set(SECTIONS)


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_every_runbook_section_has_an_instruction(section: str) -> None:
    text = SECTIONS[section]
    assert len(text.split()) >= 20
    # A command, a key of the spec, or a link to a section with one.
    assert re.search(r"`[^`]+`|\]\(#", text), section


@pytest.mark.parametrize(
    ("spec", "page"),
    [
        (
            {"delivery": {"repository": "shop@12/infra@34"}},
            "https://github.com/shop/infra/blob/main/docs/runbooks.md",
        ),
        ({"observability": {"runbooks": "https://example.com/help"}}, "https://example.com/help"),
    ],
)
def test_runbooks_may_be_elsewhere(variant: Callable[..., Variant], spec: dict[str, Any], page: str) -> None:
    assert all(f" {page}#" in text for text in described(variant(**spec)["observability"]))


# Topics


def test_topics_are_encrypted_and_only_services_of_the_account_publish(roots: Roots) -> None:
    root = roots["observability"]
    spec = root.environment
    for topic in ("page", "ticket"):
        assert root[f"aws_sns_topic.{topic}"]["kms_master_key_id"] == "${aws_kms_key.alarms.arn}"
        arn = f"arn:aws:sns:{spec.region}:{spec.account}:acme-{spec.environment}-{topic}"
        assert root.statements(f"aws_sns_topic_policy.{topic}") == {
            "CloudwatchPublishes": {
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": arn,
                "Condition": {
                    "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{spec.region}:{spec.account}:alarm:*"},
                    "StringEquals": {"aws:SourceAccount": spec.account},
                },
            },
            "RefusePlainHttp": {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        }


def test_publishers_may_use_the_key_of_the_topics(everything: Variant) -> None:
    """Without access to the key, alarms are lost silently."""
    statement = everything["observability"].statements("aws_kms_key.alarms")["ServicesEncryptMessages"]
    assert statement["Principal"] == {"Service": ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]}
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_every_address_gets_alarms_and_failed_backups(everything: Variant) -> None:
    subscriptions = everything["observability"].all("aws_sns_topic_subscription")
    backups = "${data.terraform_remote_state.storage.outputs.backup_topic_arn}"
    for slug, address in (("ops_at_example_com", "ops@example.com"),):
        for topic in ("page", "ticket"):
            assert subscriptions[f"{topic}_{slug}"] == {
                "topic_arn": f"${{aws_sns_topic.{topic}.arn}}",
                "protocol": "email",
                "endpoint": address,
            }
        assert subscriptions[f"backups_{slug}"] == {
            "topic_arn": backups,
            "protocol": "email",
            "endpoint": address,
            "filter_policy": '{"State": ["ABORTED", "EXPIRED", "FAILED", "PARTIAL"]}',
            "filter_policy_scope": "MessageAttributes",
        }
    assert len(subscriptions) == 2 * 3 + 1


def test_the_pager_gets_urgent_alarms(everything: Variant) -> None:
    assert everything["observability"]["aws_sns_topic_subscription.page_pager"] == {
        "topic_arn": "${aws_sns_topic.page.arn}",
        "protocol": "https",
        "endpoint": "https://pager.example.com/alarms",
        "endpoint_auto_confirms": True,
        "confirmation_timeout_in_minutes": 5,
    }


def test_only_configured_recipients_are_subscribed(variant: Callable[..., Variant]) -> None:
    assert variant()["observability"].all("aws_sns_topic_subscription") == {}


# Budget


def test_a_budget_is_opt_in(everything: Variant, variant: Callable[..., Variant]) -> None:
    budget = everything["observability"]["aws_budgets_budget.month"]
    assert (budget["limit_amount"], budget["limit_unit"], budget["time_unit"]) == ("3000", "USD", "MONTHLY")
    thresholds = {(each["notification_type"], each["threshold"]) for each in budget["notification"]}
    assert thresholds == {("ACTUAL", 80), ("FORECASTED", 100)}
    for each in budget["notification"]:
        assert each["subscriber_sns_topic_arns"] == ["${aws_sns_topic.ticket.arn}"]
    plain = variant(environment="plain")["observability"]
    assert plain.all("aws_budgets_budget") == {}
    assert "budgets" not in json.dumps(plain.body)


# Dashboards


def test_every_tier_with_metrics_has_a_dashboard(roots: Roots) -> None:
    names = {name for name, _ in charts(roots["observability"])}
    assert names == {"network", "storage", "data", "compute", "edge", "observability"}


WIDGET = {"type", "x", "y", "width", "height", "properties"}
DRAWN = {"title", "view", "stacked", "region", "metrics"}


def test_dashboards_have_the_format_of_cloudwatch(roots: Roots, everything: Variant) -> None:
    for tiers in (roots, everything):
        region = tiers["observability"].environment.region
        for name, body in charts(tiers["observability"]):
            assert set(body) == {"widgets"}, name
            assert 1 <= len(body["widgets"]) <= 500
            taken: set[tuple[int, int]] = set()
            for widget in body["widgets"]:
                assert set(widget) == WIDGET
                check_place(widget, taken)
                if widget["type"] == "alarm":
                    check_alarms(widget["properties"], tiers["observability"])
                else:
                    assert widget["type"] == "metric"
                    check_metrics(widget["properties"], region)
            lines = [each for widget in body["widgets"] for each in widget["properties"].get("metrics", [])]
            assert len(lines) <= 2500, name  # the limit of CloudWatch for a dashboard


def check_place(widget: dict[str, Any], taken: set[tuple[int, int]]) -> None:
    """Widgets are inside the grid, which is 24 wide, and do not overlap."""
    assert 1 <= widget["width"] <= 24
    assert 1 <= widget["height"] <= 1000
    assert 0 <= widget["x"] <= 24 - widget["width"]
    assert widget["y"] >= 0
    cells = {
        (widget["x"] + across, widget["y"] + down)
        for across in range(widget["width"])
        for down in range(widget["height"])
    }
    assert not cells & taken
    taken |= cells


def check_alarms(properties: dict[str, Any], root: Root) -> None:
    assert set(properties) == {"title", "alarms"}
    assert 1 <= len(properties["alarms"]) <= 100
    for arn in properties["alarms"]:
        address = re.fullmatch(r"\$\{aws_cloudwatch_metric_alarm\.(\w+)\.arn\}", arn)
        assert address
        assert address[1] in metric_alarms(root)


def check_metrics(properties: dict[str, Any], region: str) -> None:
    assert set(properties) - {"annotations"} == DRAWN
    assert (properties["view"], properties["stacked"], properties["region"]) == ("timeSeries", False, region)
    assert properties["title"]
    assert 1 <= len(properties["metrics"]) <= 500
    labels = set()
    for namespace, metric, *dimensions, options in properties["metrics"]:
        assert len(dimensions) % 2 == 0
        kind = (namespace, frozenset(dimensions[::2]))
        assert metric in PUBLISHED[kind]
        assert all(value and isinstance(value, str) for value in dimensions[1::2])
        assert set(options) == {"label", "stat", "period"}
        assert options["period"] % 60 == 0
        assert re.fullmatch(r"Average|Sum|Minimum|Maximum|p[0-9]{1,2}", options["stat"])
        labels.add(options["label"])
    assert len(labels) == len(properties["metrics"])
    for limit in properties.get("annotations", {}).get("horizontal", []):
        assert set(limit) == {"value"}
        assert isinstance(limit["value"], (int, float))


def test_every_alarm_of_a_metric_is_on_a_dashboard(roots: Roots) -> None:
    root = roots["observability"]
    shown = re.findall(
        r"aws_cloudwatch_metric_alarm\.(\w+)\.arn", json.dumps(root.all("aws_cloudwatch_dashboard"))
    )
    assert sorted(shown) == sorted(metric_alarms(root))


# Traces


def test_a_share_of_the_requests_of_users_is_traced(roots: Roots, variant: Callable[..., Variant]) -> None:
    domain = "${data.terraform_remote_state.edge.outputs.domain}"
    rule = roots["observability"]["aws_xray_sampling_rule.requests"]
    assert {key: rule[key] for key in ("host", "priority", "version", "reservoir_size", "fixed_rate")} == {
        "host": domain,
        "priority": 1000,
        "version": 1,
        "reservoir_size": 1,
        "fixed_rate": 0.05,
    }
    group = roots["observability"]["aws_xray_group.requests"]
    assert group["filter_expression"] == f'http.url CONTAINS "{domain}"'
    assert group["insights_configuration"]["insights_enabled"] is True
    all_of_them = variant(observability={"trace_percent": 100})["observability"]
    assert all_of_them["aws_xray_sampling_rule.requests"]["fixed_rate"] == 1


# Logs


def test_every_log_group_is_encrypted_and_expires(roots: Roots) -> None:
    count = 0
    for tier, root in roots.items():
        for name, group in root.all("aws_cloudwatch_log_group").items():
            count += 1
            assert re.fullmatch(
                r"\$\{(aws_kms_key\.logs\.arn|data\.terraform_remote_state\.network\.outputs\.logs_key_arn)\}",
                group["kms_key_id"],
            ), f"{tier}: {name}"
            assert group["retention_in_days"] in days_of_the_spec(root.environment), f"{tier}: {name}"
            assert group["deletion_protection_enabled"] in (root.environment.protection, False)
    assert count >= 10


def days_of_the_spec(environment: Environment) -> set[int]:
    return {
        environment.network.flow_log_days,
        environment.data.log_days,
        environment.compute.log_days,
        environment.edge.waf.log_days,
        environment.observability.retention_days,
    }


def test_log_groups_exist_before_their_writers(everything: Variant) -> None:
    """AWS creates missing groups unencrypted and without expiry."""
    data = everything["data"]
    groups = {group["name"] for group in data.all("aws_cloudwatch_log_group").values()}
    expected = set()
    for instance in data.all("aws_db_instance").values():
        folder = f"/aws/rds/instance/{instance['identifier']}"
        expected |= {f"{folder}/{log}" for log in instance["enabled_cloudwatch_logs_exports"]}
    for cluster in data.all("aws_docdb_cluster").values():
        folder = f"/aws/docdb/{cluster['cluster_identifier']}"
        expected |= {f"{folder}/{log}" for log in cluster["enabled_cloudwatch_logs_exports"]}
    for group in data.all("aws_elasticache_replication_group").values():
        for delivery in group["log_delivery_configuration"]:
            name = re.fullmatch(r"\$\{aws_cloudwatch_log_group\.(\w+)\.name\}", delivery["destination"])
            assert name
            expected.add(data[f"aws_cloudwatch_log_group.{name[1]}"]["name"])
    assert groups == expected
    cluster = everything["compute"]["aws_eks_cluster.main"]
    assert [group["name"] for group in everything["compute"].all("aws_cloudwatch_log_group").values()] == [
        f"/aws/eks/{cluster['name']}/cluster"
    ]
