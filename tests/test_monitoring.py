"""Tests of monitoring in the cluster: charts, alerts and dashboards, as Prometheus and Grafana read them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from conftest import ROOT, Root, Variant
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from support import reading
from support.picturing import generated
from support.rendering import HELM, accepted
from support.samples import SAMPLES
from support.scraping import scraped, stored

from modules.observability.slo_spec import MILLISECONDS
from modules.observability.spec import Observability
from modules.overhead import Overhead
from tierra.terraform.templating import TEMPLATES

PROMTOOL = ROOT / ".venv/bin/promtool"
RULES = ROOT / "tests/rules"
VALUES = {chart: SAMPLES[f"observability/{chart}"] for chart in ("platform", "system")}
# Variables of dashboards.
CONSTANTS = {"__rate_interval": "5m", "system": "sistema-1", "availability": "99.9"}


@pytest.fixture(scope="session")
def observability(roots: dict[str, Root]) -> Root:
    return roots["observability"]


def template(chart: str, given: dict[str, Any], folder: Path, code: int = 0) -> dict[str, dict[str, Any]]:
    """The rendered objects of an own chart by kind, validated by the Kubernetes schemas."""
    file = folder / "values.json"
    file.write_text(json.dumps(given))
    command = [HELM, "template", "it", str(TEMPLATES / "observability" / chart), "-n", "observability"]
    ended = subprocess.run([*command, "-f", str(file)], capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stderr
    documents = list(reading.documents(ended.stdout))
    for document in documents:
        accepted(document)
    return {each["kind"]: each for each in documents}


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, Any]]]:
    """Objects of the sample releases, by chart and kind."""
    return {chart: template(chart, given, tmp_path_factory.mktemp(chart)) for chart, given in VALUES.items()}


def values(root: Root, release: str) -> dict[str, Any]:
    """The values of a release, with a sample in place of each reference."""
    (text,) = root[f"helm_release.{release}"]["values"]
    plain = re.sub(r"(?<!\$)\$\{[^}]*\}", "arn:aws:iam::123456789012:role/it", text)
    parsed: dict[str, Any] = reading.parsed(plain.replace("$${", "${").replace("%%{", "%{"))
    return parsed


@pytest.fixture(scope="session")
def monitor() -> dict[str, Any]:
    """The settings of the ServiceMonitor of Kong."""
    release = generated("production")["gateway"]["resource"]["helm_release"]["kong"]
    settings: dict[str, Any] = yaml.safe_load(release["values"][0])["serviceMonitor"]
    return settings


# Rules


def rules(objects: dict[str, dict[str, Any]]) -> dict[str, Any]:
    spec: dict[str, Any] = objects["PrometheusRule"]["spec"]
    return spec


def each_rule(groups: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for group in groups["groups"]:
        yield from group["rules"]


def promtool(*arguments: str, folder: Path, code: int = 0) -> str:
    ended = subprocess.run([PROMTOOL, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


@pytest.mark.parametrize("chart", VALUES)
def test_prometheus_accepts_the_rules(
    chart: str, objects: dict[str, dict[str, dict[str, Any]]], tmp_path: Path
) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules(objects[chart])))
    promtool("check", "rules", "--lint=all", "--lint-fatal", "rules.yaml", folder=tmp_path)


@pytest.mark.parametrize(
    ("chart", "cases"), [("platform", "platform"), ("system", "system"), ("system", "system-days")]
)
def test_alerts_fire_only_when_they_should(
    chart: str,
    cases: str,
    objects: dict[str, dict[str, dict[str, Any]]],
    monitor: dict[str, Any],
    tmp_path: Path,
) -> None:
    given = (RULES / f"{cases}.yaml").read_text(encoding="utf-8")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules(objects[chart])))
    (tmp_path / "cases.yaml").write_text(scraped(given, monitor))
    promtool("test", "rules", "cases.yaml", folder=tmp_path)


# One sample of sistema-1 of each kind that Kong exports.
KONG = [
    *(f'kong_http_requests_total{{service="sistema-1.sistema-1.80", code="{code}"}}' for code in (200, 500)),
    'kong_bandwidth_bytes{service="sistema-1.sistema-1.80"}',
    *(
        f'kong_{of}_latency_ms_bucket{{service="sistema-1.sistema-1.80", le="{le}"}}'
        for of in ("kong", "request", "upstream")
        for le in ("00010.0", "01000.0", "+Inf")
    ),
    'kong_request_latency_ms_count{service="sistema-1.sistema-1.80"}',
    'kong_nginx_connections_total{state="active"}',
    "kong_nginx_requests_total",
    'kong_memory_lua_shared_dict_bytes{shared_dict="kong"}',
    'kong_memory_lua_shared_dict_total_bytes{shared_dict="kong"}',
]


def scrape(
    objects: dict[str, dict[str, dict[str, Any]]], monitor: dict[str, Any], folder: Path, **tests: Any
) -> None:
    """Runs tests of promtool at minute 90 of a scrape of Kong, with the rules of platform and system."""
    groups = [group for chart_objects in objects.values() for group in rules(chart_objects)["groups"]]
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    series = [{"series": stored(each, monitor), "values": "0+600x100"} for each in KONG]
    order = [group["name"] for group in [*rules(objects["system"])["groups"], *groups[:-4]]]
    cases = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "group_eval_order": list(dict.fromkeys(order)),
        "tests": [{"interval": "1m", "input_series": series, **tests}],
    }
    (folder / "cases.yaml").write_text(yaml.safe_dump(cases))
    promtool("test", "rules", "cases.yaml", folder=folder)


def of_kong(objects: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """The expressions of recording rules and dashboards that use metrics of Kong, raw or recorded."""
    recorded = {
        each["expr"]
        for chart_objects in objects.values()
        for each in each_rule(rules(chart_objects))
        if "record" in each
    }
    shown = {
        re.sub(r"\$(\w+)", lambda word: CONSTANTS[word[1]], target["expr"])
        for _, dashboard in dashboards(objects)
        for target in targets(dashboard)
        if "expr" in target
    }
    return sorted(each for each in recorded | shown if re.search(r"kong_|\bsystem:", each))


def test_rules_and_dashboards_match_metrics_of_kong(
    objects: dict[str, dict[str, dict[str, Any]]], monitor: dict[str, Any], tmp_path: Path
) -> None:
    asked = of_kong(objects)
    assert len(asked) > 20
    cases = [
        {"expr": f"count({each}) > bool 0", "eval_time": "90m", "exp_samples": [{"labels": "{}", "value": 1}]}
        for each in asked
    ]
    scrape(objects, monitor, tmp_path, promql_expr_test=cases)


@pytest.mark.parametrize("honoured", [True, False])
def test_an_alert_fires_if_requests_match_no_system(
    honoured: bool,
    objects: dict[str, dict[str, dict[str, Any]]],
    monitor: dict[str, Any],
    tmp_path: Path,
) -> None:
    assert monitor["honorLabels"]
    alert = next(
        each for each in each_rule(rules(objects["platform"])) if each.get("alert") == "SystemsNotCounted"
    )
    fired = {
        "exp_labels": {"severity": "critical"},
        "exp_annotations": {
            **alert["annotations"],
            "description": "20.0 requests a second reach systems, but their alerts and dashboards show none.",
        },
    }
    case = {
        "eval_time": "90m",
        "alertname": "SystemsNotCounted",
        "exp_alerts": [] if honoured else [fired],
    }
    scrape(objects, {**monitor, "honorLabels": honoured}, tmp_path, alert_rule_test=[case])


def test_rule_tests_compare_annotations(
    objects: dict[str, dict[str, dict[str, Any]]], tmp_path: Path
) -> None:
    text = yaml.safe_dump(rules(objects["platform"])).replace("Kong is down", "Kong is away")
    (tmp_path / "rules.yaml").write_text(text)
    (tmp_path / "cases.yaml").write_text((RULES / "platform.yaml").read_text(encoding="utf-8"))
    assert "Kong is away" in promtool("test", "rules", "cases.yaml", folder=tmp_path, code=1)


@pytest.mark.parametrize("chart", VALUES)
def test_every_alert_has_a_rule_test_in_which_it_fires(
    chart: str, objects: dict[str, dict[str, dict[str, Any]]]
) -> None:
    tests = [test for path in RULES.glob(f"{chart}*.yaml") for test in reading.parsed_file(path)["tests"]]
    alone = {
        case["alertname"] for test in tests for case in test.get("alert_rule_test", []) if case["exp_alerts"]
    }
    together = {
        name
        for test in tests
        for case in test.get("promql_expr_test", [])
        for sample in case["exp_samples"]
        for name in re.findall(r'alertname="(\w+)"', sample["labels"])
    }
    assert alone | together == {each["alert"] for each in each_rule(rules(objects[chart])) if "alert" in each}


@pytest.mark.parametrize("chart", VALUES)
def test_alerts_have_severity_description_and_runbook(
    chart: str, objects: dict[str, dict[str, dict[str, Any]]]
) -> None:
    for rule in each_rule(rules(objects[chart])):
        if "alert" in rule:
            assert rule["labels"]["severity"] in ("critical", "warning"), rule
            assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}, rule
            assert rule["annotations"]["runbook_url"].startswith("https://runbooks.example.com#")
        if chart == "system":
            assert rule.get("labels", {}).get("system", "sistema-1") == "sistema-1"


def test_alerts_of_a_system_have_its_objectives(variant: Callable[..., Variant], tmp_path: Path) -> None:
    promised = {"availability": 99.5, "latency_ms": 250, "fast": 95.5}
    root = variant(
        systems={"shop": {"framework": "go", "replicas": 2, "max_replicas": 5}},
        observability={"objectives": promised, "runbooks": "https://example.com/help"},
    )["observability"]
    chart_objects = template("system", values(root, "system_shop"), tmp_path)
    text = json.dumps(rules(chart_objects))
    assert "14.4 * (1 - 99.5 / 100)" in text
    assert "14.4 * (1 - 95.5 / 100)" in text
    assert 'le=\\"250.0\\"' in text or 'le=~\\"0*250' in text
    assert "max_replicas is 5" in text
    assert "https://example.com/help#a-system-is-down" in text
    assert "sistema" not in json.dumps(chart_objects)


@pytest.mark.parametrize("milliseconds", MILLISECONDS)
def test_latency_objectives_are_buckets_of_kong(
    milliseconds: int, objects: dict[str, dict[str, dict[str, Any]]]
) -> None:
    """Some versions of Kong label buckets with leading zeros and a fraction."""
    [rule] = [
        each for each in each_rule(rules(objects["system"])) if each.get("record") == "system:slow:rate5m"
    ]
    pattern = re.search(r'le=~"([^"]+)"', rule["expr"].replace("1000", str(milliseconds)))
    assert pattern, rule["expr"]
    for label in (f"{milliseconds}", f"{milliseconds}.0", f"{milliseconds:05}.0"):
        assert re.fullmatch(pattern[1], label), label
    assert not re.fullmatch(pattern[1], f"{milliseconds}0.0")


def test_a_placeholder_without_a_value_is_an_error(tmp_path: Path) -> None:
    words = {key: value for key, value in VALUES["system"]["words"].items() if key != "fast"}
    template("system", {"words": words}, tmp_path, code=1)


def test_templates_of_prometheus_are_left_unchanged(objects: dict[str, dict[str, dict[str, Any]]]) -> None:
    assert "{{ $labels.deployment }}" in json.dumps(rules(objects["system"]))
    assert "{{ $value | humanizePercentage }}" in json.dumps(rules(objects["system"]))


# Dashboards


def dashboards(objects: dict[str, dict[str, dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for chart, chart_objects in objects.items():
        [text] = chart_objects["ConfigMap"]["data"].values()
        yield chart, json.loads(text)


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def targets(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in panels(dashboard):
        yield from panel.get("targets", [])


def test_dashboards_fit_the_schema_of_grafana(
    objects: dict[str, dict[str, dict[str, Any]]],
) -> None:
    """The types drop unknown fields, so a dashboard without unknown fields is unchanged."""
    for chart, dashboard in dashboards(objects):
        typed = Dashboard.from_json(json.loads(json.dumps(dashboard)))
        again = json.loads(json.dumps(typed, cls=JSONEncoder))
        lost = {key for key in dashboard if key not in again}
        assert lost == set(), chart
        assert [each["title"] for each in panels(again)] == [each["title"] for each in panels(dashboard)]
        for before, after in zip(panels(dashboard), panels(again), strict=True):
            assert {key for key in before if key not in after} == set(), (chart, before["title"])


def test_panels_have_unique_positions_and_ids(
    objects: dict[str, dict[str, dict[str, Any]]],
) -> None:
    for chart, dashboard in dashboards(objects):
        numbers = [panel["id"] for panel in panels(dashboard)]
        assert len(numbers) == len(set(numbers)), chart
        taken: set[tuple[int, int]] = set()
        for panel in panels(dashboard):
            position = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(position["x"], position["x"] + position["w"])
                for y in range(position["y"], position["y"] + position["h"])
            }
            assert max(x for x, _ in cells) < 24, panel["title"]
            assert not cells & taken, panel["title"]
            taken |= cells


def test_dashboards_use_existing_data_sources(
    observability: Root, objects: dict[str, dict[str, dict[str, Any]]]
) -> None:
    sources = values(observability, "grafana")["datasources"]["datasources.yaml"]["datasources"]
    known = {source["uid"]: source["type"] for source in sources}
    assert {"prometheus", "cloudwatch", "xray"} <= known.keys()
    for _, dashboard in dashboards(objects):
        for each in [*panels(dashboard), *targets(dashboard)]:
            if source := each.get("datasource"):
                assert known[source["uid"]] == source["type"]


def expressions(objects: dict[str, dict[str, dict[str, Any]]]) -> Iterator[str]:
    """All PromQL of rules and dashboards, with a sample for the variables of Grafana."""
    for chart_objects in objects.values():
        yield from (each["expr"] for each in each_rule(rules(chart_objects)))
    for _, dashboard in dashboards(objects):
        for target in targets(dashboard):
            if "expr" in target:
                yield re.sub(r"\$(\w+)", lambda word: CONSTANTS[word[1]], target["expr"])


def test_promql_is_valid(objects: dict[str, dict[str, dict[str, Any]]]) -> None:
    queries = list(expressions(objects))
    assert len(queries) > 80
    for expression in queries:
        promql_parser.parse(expression)


def test_recorded_metrics_in_use_exist(objects: dict[str, dict[str, dict[str, Any]]]) -> None:
    recorded = {
        each["record"]
        for chart_objects in objects.values()
        for each in each_rule(rules(chart_objects))
        if "record" in each
    }
    asked = {name for each in expressions(objects) for name in re.findall(r"\b\w+:\w+:\w+\b", each)}
    assert asked <= recorded
    assert recorded <= asked  # every recorded metric is used


# Other components


def test_grafana_is_read_only(observability: Root) -> None:
    given = values(observability, "grafana")
    assert given["grafana.ini"]["auth.anonymous"] == {"enabled": False}
    assert given["grafana.ini"]["users"]["allow_sign_up"] is False
    assert given["grafana.ini"]["unified_alerting"]["execute_alerts"] is False
    assert given["service"] == {"type": "ClusterIP"}
    assert given["rbac"] == {"create": False}
    for statement in observability.statements("aws_iam_role_policy.grafana").values():
        for action in statement["Action"]:
            assert re.search(r":(BatchGet|Describe|Get|List|StartQuery|StopQuery)", action), action


def test_the_password_of_grafana_is_generated(observability: Root) -> None:
    """It is generated during the apply, and is in neither plan nor state."""
    version = observability["aws_secretsmanager_secret_version.grafana"]
    assert "secret_string" not in version
    assert version["secret_string_wo"].startswith("${ephemeral.aws_secretsmanager_random_password.grafana")
    assert "grafana" in observability.body["ephemeral"]["aws_secretsmanager_random_password"]


def test_alertmanager_notifies_people_and_the_heartbeat(observability: Root) -> None:
    config = values(observability, "prometheus")["alertmanager"]["config"]
    receivers = {each["name"]: each for each in config["receivers"]}
    assert receivers.keys() == {"unsent", "page", "ticket", "heartbeat"}
    used = {config["route"]["receiver"], *(route["receiver"] for route in config["route"]["routes"])}
    assert used == receivers.keys()
    text = observability["helm_release.prometheus"]["values"][0]
    for topic in ("page", "ticket", "heartbeat"):
        assert f'topic_arn: "${{aws_sns_topic.{topic}.arn}}"' in text
    statement = observability.statements("aws_iam_role_policy.alertmanager")["TellPeople"]
    assert set(statement["Resource"]) == {
        f"${{aws_sns_topic.{topic}.arn}}" for topic in ("page", "ticket", "heartbeat")
    }


def test_an_alarm_fires_when_the_heartbeat_stops(observability: Root) -> None:
    routes = values(observability, "prometheus")["alertmanager"]["config"]["route"]["routes"]
    [beat] = [route for route in routes if route["receiver"] == "heartbeat"]
    alarm = observability["aws_cloudwatch_metric_alarm.alerts_silent"]
    assert beat["matchers"] == ['alertname = "Watchdog"']
    assert alarm["treat_missing_data"] == "breaching"
    assert alarm["dimensions"] == {"TopicName": observability["aws_sns_topic.heartbeat"]["name"]}
    minutes = {"1m": 1, "2m": 2}
    assert minutes[beat["repeat_interval"]] * 60 < alarm["period"] * alarm["evaluation_periods"]


def test_requests_equal_those_of_the_capacity_calculation(observability: Root) -> None:
    """modules/overhead.py computes the required nodes; the templates set the requests of pods."""
    stack, grafana = values(observability, "prometheus"), values(observability, "grafana")
    reloader = stack["prometheusOperator"]["prometheusConfigReloader"]["resources"]
    asked = {
        "prometheus": [stack["prometheus"]["prometheusSpec"]["resources"], reloader],
        "alertmanager": [stack["alertmanager"]["alertmanagerSpec"]["resources"], reloader],
        "prometheus-operator": [stack["prometheusOperator"]["resources"]],
        "kube-state-metrics": [stack["kube-state-metrics"]["resources"]],
        "node-exporter": [stack["prometheus-node-exporter"]["resources"]],
        "grafana": [grafana["resources"], grafana["sidecar"]["resources"]],
        "collector": [values(observability, "collector")["resources"]],
        "cloudwatch-exporter": [values(observability, "cloudwatch_exporter")["resources"]],
    }
    overhead = Overhead(Observability())
    known = {each.name: each for each in (*overhead.services("pods", 2), *overhead.agents)}
    for name, containers in asked.items():
        cpu = sum(int(each["requests"]["cpu"].removesuffix("m")) for each in containers)
        memory = sum(int(each["requests"]["memory"].removesuffix("Mi")) for each in containers)
        assert (cpu, memory) == (known[name].cpu, known[name].memory), name
        assert all("memory" in each["limits"] for each in containers), name


def test_the_retention_size_is_below_the_disk_of_prometheus(variant: Callable[..., Variant]) -> None:
    root = variant(observability={"metrics_gb": 100, "metrics_days": 30})["observability"]
    spec = values(root, "prometheus")["prometheus"]["prometheusSpec"]
    claim = spec["storageSpec"]["volumeClaimTemplate"]["spec"]
    assert (spec["retention"], spec["retentionSize"]) == ("30d", "80GB")
    assert claim["resources"]["requests"]["storage"] == "100Gi"
    assert claim["storageClassName"].startswith("arn:") or claim["storageClassName"] == "gp3"


def test_the_collector_reads_its_configuration_from_its_own_environment(observability: Root) -> None:
    """`${env:…}` is syntax of the collector: Terraform must not interpret it."""
    text = observability["helm_release.collector"]["values"][0]
    assert "$${env:MY_POD_IP}:4317" in text
    config = values(observability, "collector")["alternateConfig"]
    assert config["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"] == "${env:MY_POD_IP}:4317"
    for kind in ("traces", "logs"):
        pipeline = config["service"]["pipelines"][kind]
        for part in ("receivers", "processors", "exporters"):
            assert set(pipeline[part]) <= config[part].keys(), kind
        assert pipeline["processors"][0] == "memory_limiter"


def test_pods_of_the_platform_have_separate_roles(observability: Root) -> None:
    tied = observability.all("aws_eks_pod_identity_association")
    assert set(tied) == {"alertmanager", "cloudwatch_exporter", "collector", "grafana"}
    for name, association in tied.items():
        assert association["role_arn"] == f"${{aws_iam_role.{name}.arn}}"
        assert association["namespace"] == ("grafana" if name == "grafana" else "observability")
        release = {"alertmanager": "prometheus"}.get(name, name)
        assert "helm_release.platform" in observability[f"helm_release.{release}"]["depends_on"]
        # An association takes effect after a while, so a release without such pods is installed in between.
        first = observability["helm_release.platform"]["depends_on"]
        assert f"aws_eks_pod_identity_association.{name}" in first
        assert f"aws_iam_role_policy.{name}" in first


def test_grafana_starts_without_internet_access(observability: Root) -> None:
    given = values(observability, "grafana")
    assert "plugins" not in given  # they would be installed before Grafana is ready
    ini = given["grafana.ini"]
    assert ini["plugins"]["preinstall"].startswith("grafana-x-ray-datasource@")
    assert ini["plugins"]["preinstall_auto_update"] is False
    assert ini["news"]["news_feed_enabled"] is False
    assert ini["security"]["disable_gravatar"] is True
    assert not any(ini["analytics"].values())


def test_logs_before_the_collector_are_collected(observability: Root) -> None:
    receiver = values(observability, "collector")["alternateConfig"]["receivers"]["file_log"]
    assert (receiver["start_at"], receiver["storage"]) == ("beginning", "file_storage")


def test_node_labels_in_queries_are_collected(
    observability: Root, objects: dict[str, dict[str, dict[str, Any]]]
) -> None:
    allowed = values(observability, "prometheus")["kube-state-metrics"]["metricLabelsAllowlist"]
    labels = {
        "label_" + re.sub(r"\W", "_", label)
        for entry in allowed
        for label in entry.removeprefix("nodes=[").removesuffix("]").split(",")
    }
    asked = {
        name
        for each in expressions(objects)
        if "kube_node_labels" in each
        for name in re.findall(r"label_\w+", each)
    }
    assert asked
    assert asked <= labels


def test_logs_of_pods_are_encrypted_and_kept_as_the_spec_says(variant: Callable[..., Variant]) -> None:
    root = variant(observability={"retention_days": 30})["observability"]
    group = root["aws_cloudwatch_log_group.pods"]
    assert group["retention_in_days"] == 30
    assert "logs_key_arn" in group["kms_key_id"]


def test_each_system_has_a_separate_monitoring_release(variant: Callable[..., Variant]) -> None:
    systems = {"shop": {"framework": "go"}}
    before = variant(systems=systems)["observability"].body["resource"]
    after = variant(systems={**systems, "blog": {"framework": "fastapi"}})["observability"].body["resource"]
    added = after["helm_release"].pop("system_blog")
    assert added["namespace"] == "observability"
    assert after == before
