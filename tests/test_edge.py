"""Tests of the edge tier: its generated Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Root
from support.web_acl import group, rules

from modules.edge.domains import slug
from modules.edge.waf_capacity import COVERED, GROUPS, PRIORITIES, arithmetic, total
from modules.edge.waf_spec import Rules, Waf

STORAGE = "data.terraform_remote_state.storage.outputs"
NETWORK = "data.terraform_remote_state.network.outputs"
Variant = Callable[..., dict[str, Root]]


def domain(edge: Root) -> str:
    """The name that users type."""
    return edge.environment.edge.domain or "app.example.com"


# Names and certificate


def test_the_hosted_zone_is_looked_up_not_created(edge: Root, variant: Variant) -> None:
    assert edge.body["data"]["aws_route53_zone"] == {"main": {"name": "example.com", "private_zone": False}}
    assert edge.all("aws_route53_zone") == {}
    named = variant(edge={"zone_id": "Z0123456789EXAMPLE"})["edge"]
    assert "aws_route53_zone" not in named.body["data"]
    assert {each["zone_id"] for each in named.all("aws_route53_record").values()} == {"Z0123456789EXAMPLE"}


def test_records_are_in_the_longest_matching_zone(variant: Variant) -> None:
    dns = "arn:aws:iam::210987654321:role/dns"
    edge = variant(
        edge={
            "aliases": ["*.shop.example.com", "shop.example.com", "www.other.example.com"],
            "zones": {
                "shop.example.com": {"id": "Z0123456789SHOP"},
                "other.example.com": {"role": dns},
                "orders.example.com": None,
            },
        },
        systems={"orders": {"framework": "go", "hosts": ["a.orders.example.com"]}},
        delivery={"ci": "off"},
    )["edge"]
    assert edge.body["data"]["aws_route53_zone"] == {
        "main": {"name": "example.com", "private_zone": False},
        "other_example_com": {
            "name": "other.example.com",
            "private_zone": False,
            "provider": "aws.zone_other_example_com",
        },
        "orders_example_com": {"name": "orders.example.com", "private_zone": False},
    }
    assert edge.body["provider"]["aws"][1]["assume_role"] == [{"role_arn": dns}]
    zones = {
        "app": "${data.aws_route53_zone.main.zone_id}",
        "shop": "Z0123456789SHOP",
        "other": "${data.aws_route53_zone.other_example_com.zone_id}",
        "orders": "${data.aws_route53_zone.orders_example_com.zone_id}",
    }
    records = edge.all("aws_route53_record")
    for name, record in records.items():
        zone = next(each for each in zones if f"{each}_example_com" in name)
        assert record["zone_id"] == zones[zone], name
        assert ("provider" in record) == (zone == "other"), name
    # Each validation record is in the zone of its name; a zone gets no CAA record unless requested.
    assert {name for name in records if name.startswith("proof_")} == {
        *("proof_app_example_com", "proof_shop_example_com"),
        *("proof_www_other_example_com", "proof_a_orders_example_com"),
    }
    assert "caa_shop_example_com" not in records
    assert "caa_www_other_example_com" in records
    header = edge["aws_lb_listener.https"]["routing_http_response_strict_transport_security_header_value"]
    assert "includeSubDomains" not in header


def test_the_apply_role_may_write_records_of_all_zones(variant: Variant) -> None:
    zones = {"shop.example.com": {"id": "Z0123456789SHOP"}}
    alias = ["shop.example.com"]
    for number, (its_id, resources) in enumerate(
        [(None, ["*"]), ("Z0123456789EXAMPLE", ["Z0123456789EXAMPLE", "Z0123456789SHOP"])]
    ):
        edge = {"zone_id": its_id, "zones": zones, "aliases": alias}
        delivery = variant(environment=f"v{number}", edge=edge)["delivery"]
        allowed = delivery.statements("aws_iam_policy.apply_records")["SetRecordsOfTheZone"]
        arns = [allowed["Resource"]] if isinstance(allowed["Resource"], str) else allowed["Resource"]
        assert arns == [f"arn:aws:route53:::hostedzone/{each}" for each in resources]
        (names,) = allowed["Condition"]["ForAllValues:StringLike"].values()
        assert names == ["example.com", "*.example.com", "shop.example.com", "*.shop.example.com"]
        assert "SetRecordsOfTheZone" not in delivery.statements("aws_iam_policy.apply_global")


def test_the_https_listener_waits_for_the_issued_certificate(edge: Root) -> None:
    certificate = edge["aws_acm_certificate.main"]
    assert (certificate["domain_name"], certificate["validation_method"]) == (domain(edge), "DNS")
    assert certificate["lifecycle"] == {"create_before_destroy": True}
    assert edge["aws_acm_certificate_validation.main"] == {
        "certificate_arn": "${aws_acm_certificate.main.arn}",
        "validation_record_fqdns": [f"${{aws_route53_record.proof_{slug(domain(edge))}.fqdn}}"],
    }
    issued = "${aws_acm_certificate_validation.main.certificate_arn}"
    assert edge["aws_lb_listener.https"]["certificate_arn"] == issued


def test_every_name_has_one_validation_record_known_at_plan(variant: Variant) -> None:
    aliases = ["*.example.com", "any.example.com", "a-b.example.com", "a.b.example.com"]
    edge = variant(edge={"domain": "example.com", "aliases": aliases})["edge"]
    assert edge["aws_acm_certificate.main"]["subject_alternative_names"] == ["example.com", *aliases]
    proofs = {name for name in edge.all("aws_route53_record") if name.startswith("proof_")}
    # A wildcard is validated with the name below it.
    own = ["example.com", "any.example.com", "a-b.example.com", "a.b.example.com"]
    assert proofs == {f"proof_{slug(name)}" for name in own}
    assert len(edge["aws_acm_certificate_validation.main"]["validation_record_fqdns"]) == len(own)
    for name in own:
        proof = edge[f"aws_route53_record.proof_{slug(name)}"]
        assert f'option.domain_name == "{name}"' in proof["name"]
        assert proof["allow_overwrite"] is True
    assert "for_each" not in json.dumps(edge.body)


def test_a_wildcard_alone_has_its_own_validation_record(variant: Variant) -> None:
    edge = variant(edge={"aliases": ["*.app.example.com", "*.web.example.com"]})["edge"]
    assert '== "*.web.example.com"' in edge["aws_route53_record.proof_web_example_com"]["name"]
    assert '== "app.example.com"' in edge["aws_route53_record.proof_app_example_com"]["name"]


def test_names_have_a_records_of_the_load_balancer_only(edge: Root, variant: Variant) -> None:
    record = edge[f"aws_route53_record.address_{slug(domain(edge))}"]
    assert (record["name"], record["type"]) == (domain(edge), "A")
    assert record["alias"]["name"] == "${aws_lb.main.dns_name}"
    assert edge["aws_lb.main"]["ip_address_type"] == "ipv4"
    assert "AAAA" not in json.dumps(edge.all("aws_route53_record"))
    wide = variant(edge={"aliases": ["*.app.example.com"]})["edge"]
    assert wide["aws_route53_record.address_any___app_example_com"]["name"] == "*.app.example.com"


def caa_records(root: Root) -> set[str]:
    records = root.all("aws_route53_record")
    return {f"aws_route53_record.{name}" for name in records if name.startswith("caa_")}


def test_only_amazon_may_issue_certificates_for_the_names(edge: Root, variant: Variant) -> None:
    caa = edge[f"aws_route53_record.caa_{slug(domain(edge))}"]
    assert caa["records"] == ['0 issue "amazon.com"', '0 issuewild ";"']
    proof = edge[f"aws_route53_record.proof_{slug(domain(edge))}"]
    assert proof["depends_on"] == [f"aws_route53_record.caa_{slug(domain(edge))}"]
    wide = variant(edge={"aliases": ["*.app.example.com"]})["edge"]
    assert '0 issuewild "amazon.com"' in wide["aws_route53_record.caa_app_example_com"]["records"]
    apex = {"aliases": ["example.com"]}
    assert "aws_route53_record.caa_example_com" not in caa_records(variant(edge=apex)["edge"])
    assert "aws_route53_record.caa_app_example_com" in caa_records(variant(edge=apex)["edge"])
    star = variant(edge={"aliases": ["*.example.com"]})["edge"]
    assert "aws_route53_record.caa_example_com" not in caa_records(star)
    bound = variant(edge={**apex, "caa": True})["edge"]
    assert "aws_route53_record.caa_example_com" in caa_records(bound)
    without = variant(edge={"caa": False})["edge"]
    assert caa_records(without) == set()


# Load balancer


def test_the_load_balancer_is_protected_and_drops_invalid_headers(edge: Root) -> None:
    balancer = edge["aws_lb.main"]
    assert balancer["enable_deletion_protection"] is edge.environment.protection
    assert balancer["drop_invalid_header_fields"] is True
    assert balancer["desync_mitigation_mode"] == "defensive"
    assert balancer["enable_waf_fail_open"] is False
    assert balancer["idle_timeout"] < 75  # the default of Kong; see modules/edge/load_balancer.py
    assert balancer["security_groups"] == [f"${{{NETWORK}.load_balancer_security_group_id}}"]
    zones = edge.environment.network.zones
    assert balancer["subnets"] == [f"${{{NETWORK}.public_subnet_ids.{zone}}}" for zone in zones]


def test_load_balancer_logs_go_to_prefixes_that_storage_allows(edge: Root, storage: Root) -> None:
    balancer = edge["aws_lb.main"]
    allowed = storage.statements("aws_s3_bucket_policy.logs")["DeliverLogsOfTheLoadBalancer"]
    for logs in ("access_logs", "connection_logs", "health_check_logs"):
        assert balancer[logs]["enabled"] is True
        assert balancer[logs]["bucket"] == f"${{{STORAGE}.logs_bucket_name}}"
        prefix = f"/{balancer[logs]['prefix']}/AWSLogs/{edge.environment.account}/*"
        assert [each for each in allowed["Resource"] if each.endswith(prefix)], logs
    source = allowed["Condition"]["ArnLike"]["aws:SourceArn"]
    assert source.endswith(f":loadbalancer/app/{balancer['name']}/*")


def test_plain_http_is_redirected_to_https(edge: Root) -> None:
    [action] = edge["aws_lb_listener.http"]["default_action"]
    redirect = {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}
    assert action == {"type": "redirect", "redirect": redirect}


def test_https_has_an_explicit_tls_policy_and_unknown_hosts_get_404(edge: Root, variant: Variant) -> None:
    https = edge["aws_lb_listener.https"]
    assert https["ssl_policy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    [action] = https["default_action"]
    assert (action["type"], action["fixed_response"]["status_code"]) == ("fixed-response", "404")
    rule = edge["aws_lb_listener_rule.gateway"]
    assert rule["condition"] == [{"host_header": {"values": [domain(edge)]}}]
    assert rule["action"][0]["target_group_arn"] == "${aws_lb_target_group.gateway.arn}"
    strict = variant(edge={"tls": "1.3"})["edge"]["aws_lb_listener.https"]
    assert strict["ssl_policy"] == "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"


@pytest.mark.parametrize(
    ("spec", "header"),
    [
        ({}, "max-age=31536000; includeSubDomains"),
        ({"hsts_days": 1}, "max-age=86400; includeSubDomains"),
        ({"domain": "example.com"}, "max-age=31536000"),  # other names may exist in the zone
        ({"aliases": ["example.com"]}, "max-age=31536000"),
        ({"aliases": ["www.example.com"]}, "max-age=31536000; includeSubDomains"),
        (
            {"aliases": ["example.com"], "hsts_subdomains": True},
            "max-age=31536000; includeSubDomains",
        ),
        ({"hsts_subdomains": False}, "max-age=31536000"),
    ],
)
def test_responses_have_security_headers(variant: Variant, spec: dict[str, Any], header: str) -> None:
    https = variant(edge=spec)["edge"]["aws_lb_listener.https"]
    prefix = "routing_http_response_"
    assert https[f"{prefix}strict_transport_security_header_value"] == header
    assert https[f"{prefix}x_content_type_options_header_value"] == "nosniff"
    assert https[f"{prefix}x_frame_options_header_value"] == "SAMEORIGIN"
    assert https[f"{prefix}server_enabled"] is False


def test_gateway_pods_have_health_checks_and_are_registered_elsewhere(edge: Root) -> None:
    target = edge["aws_lb_target_group.gateway"]
    assert (target["target_type"], target["port"], target["protocol"]) == ("ip", 8000, "HTTP")
    assert target["load_balancing_algorithm_type"] == "least_outstanding_requests"
    check = target["health_check"]
    assert (check["path"], check["port"], check["matcher"]) == ("/status/ready", "8100", "200")
    assert target["lifecycle"] == {"create_before_destroy": True}
    assert edge.all("aws_lb_target_group_attachment") == {}


def test_security_groups_open_the_ports_of_the_target_group(edge: Root, network: Root) -> None:
    target = edge["aws_lb_target_group.gateway"]
    for port in (target["port"], int(target["health_check"]["port"])):
        assert f"node_from_load_balancer_{port}" in network.all("aws_vpc_security_group_ingress_rule")


def test_shield_advanced_is_opt_in(edge: Root, variant: Variant) -> None:
    assert edge.all("aws_shield_protection") == {}
    asked = variant(edge={"shield": True})["edge"]
    assert asked["aws_shield_protection.main"]["resource_arn"] == "${aws_lb.main.arn}"


# Firewall


def test_terraform_attaches_the_web_acl_to_the_load_balancer(edge: Root) -> None:
    assert edge["aws_wafv2_web_acl.main"]["scope"] == "REGIONAL"
    assert edge["aws_wafv2_web_acl_association.main"] == {
        "web_acl_arn": "${aws_wafv2_web_acl.main.arn}",
        "resource_arn": "${aws_lb.main.arn}",
    }


def test_by_default_all_waf_rules_but_one_block(variant: Variant) -> None:
    waf_rules = rules(variant()["edge"])
    assert set(waf_rules) == {
        "anti_ddos",
        "reputation",
        "rate",
        "bad_inputs",
        "common",
        "sqli",
        "linux",
        "unix",
    }
    for name, rule in waf_rules.items():
        if name in GROUPS:
            assert (rule["override_action"], "action" in rule) == ({"none": {}}, False), name
        else:
            assert set(rule["action"]) == {"block"}, name


def test_waf_priorities_are_unique_and_sorted_and_every_rule_has_metrics(variant: Variant) -> None:
    paths = {f"path{number}": {"path": f"/p{number}"} for number in range(9)}
    waf = {
        "capacity": 5000,
        "rules": {"anonymous": "block"},
        "paths": paths,
        "allowed_addresses": ["203.0.113.0/24"],
        "blocked_addresses": ["198.51.100.0/24"],
        "blocked_countries": ["KP"],
    }
    edge = variant(edge={"waf": waf})["edge"]
    listed = edge["aws_wafv2_web_acl.main"]["rule"]
    priorities = [rule["priority"] for rule in listed]
    assert priorities == sorted(set(priorities))
    assert len(listed) == len(PRIORITIES) - 1 + len(paths)
    for rule in listed:
        metrics = rule["visibility_config"]
        assert metrics["metric_name"] == rule["name"]
        assert metrics["cloudwatch_metrics_enabled"] is True
    assert rules(edge)["allowed"]["action"] == {"allow": {}}
    assert priorities[0] == rules(edge)["allowed"]["priority"]


@pytest.mark.parametrize("name", sorted(set(Rules.model_fields) - {"blocked", "countries", "paths"}))
def test_each_waf_rule_can_count_or_be_off(variant: Variant, name: str) -> None:
    others = {"anonymous": "off", "unix": "off"}
    edge = variant(edge={"waf": {"rules": {**others, name: "count"}}})["edge"]
    rule = rules(edge)[name]
    assert rule.get("override_action" if name in GROUPS else "action") == {"count": {}}
    off = variant(environment="other", edge={"waf": {"rules": {**others, name: "off"}}})["edge"]
    assert name not in rules(off)


def test_lists_and_path_rates_can_count(variant: Variant) -> None:
    waf = {
        "rules": {"blocked": "count", "countries": "count", "paths": "count", "unix": "off"},
        "blocked_addresses": ["198.51.100.0/24"],
        "blocked_countries": ["KP"],
        "paths": {"login": {"path": "/login"}},
    }
    waf_rules = rules(variant(edge={"waf": waf})["edge"])
    assert [waf_rules[name]["action"] for name in ("blocked", "countries", "path_login")] == [
        {"count": {}}
    ] * 3


def test_attacks_are_challenged_and_known_attackers_blocked(edge: Root) -> None:
    [config] = group(rules(edge)["anti_ddos"])["managed_rule_group_configs"]
    settings = config["aws_managed_rules_anti_ddos_rule_set"]
    challenge = settings["client_side_action_config"]["challenge"]
    assert challenge["usage_of_action"] == "ENABLED"
    assert challenge["exempt_uri_regular_expression"]  # AWS refuses an empty list
    assert settings["sensitivity_to_block"] == "LOW"
    assert group(rules(edge)["reputation"])["rule_action_override"] == [
        {"name": "AWSManagedIPDDoSList", "action_to_use": {"block": {}}}
    ]


def exempted(root: Root) -> Callable[[str], bool]:
    """Whether a path of the domain is exempt from challenges."""
    [config] = group(rules(root)["anti_ddos"])["managed_rule_group_configs"]
    side = config["aws_managed_rules_anti_ddos_rule_set"]["client_side_action_config"]
    listed = [each["regex_string"] for each in side["challenge"]["exempt_uri_regular_expression"]]
    assert 1 <= len(listed) <= 5
    assert all(len(each) <= 512 for each in listed)
    return lambda path: any(re.search(each, f"app.example.com{path}") for each in listed)


def test_neither_apis_nor_health_paths_are_challenged(variant: Variant) -> None:
    systems = {
        "site": {"framework": "django", "path": "/"},
        "admin": {"framework": "django", "health": {"live": "/up", "ready": "/health/ready"}},
        "orders": {"framework": "fastapi", "path": "/v1.2/orders"},
        "search": {"framework": "go", "serves": "pages"},
    }
    spared = exempted(variant(systems=systems)["edge"])
    for path in ("/v1.2/orders", "/v1.2/orders/7", "/readyz", "/livez", "/admin/up", "/search/readyz"):
        assert spared(path), path
    assert spared("/admin/health/ready")
    for path in ("/", "/cart", "/admin", "/admin/upload", "/v1x2/orders", "/v1.2/ordersheet", "/search/all"):
        assert not spared(path), path


def test_an_api_at_the_root_is_exempt_and_many_paths_are_joined(variant: Variant) -> None:
    root = variant(systems={"core": {"framework": "go", "path": "/"}})["edge"]
    assert exempted(root)("/anything")
    many = {
        f"system-{number:02}-with-a-long-name": {"framework": "go", "replicas": 1} for number in range(25)
    }
    nodes = {"nodes": {"instance_type": "m6i.2xlarge"}}
    spared = exempted(variant(environment="many", systems=many, compute=nodes)["edge"])
    assert all(spared(f"/{name}/orders") for name in many)


def test_large_bodies_are_allowed_and_single_rules_can_count(edge: Root, variant: Variant) -> None:
    large = {"name": "SizeRestrictions_BODY", "action_to_use": {"count": {}}}
    assert group(rules(edge)["common"])["rule_action_override"] == [large]
    waf = {"only_count": {"sqli": ["SQLi_BODY"], "reputation": ["AWSManagedIPDDoSList"]}}
    waf_rules = rules(variant(edge={"waf": waf})["edge"])
    assert group(waf_rules["sqli"])["rule_action_override"] == [
        {"name": "SQLi_BODY", "action_to_use": {"count": {}}}
    ]
    [listed] = group(waf_rules["reputation"])["rule_action_override"]
    assert listed["action_to_use"] == {"count": {}}
    assert "rule_action_override" not in group(waf_rules["common"])


def test_too_many_requests_are_answered_with_429(variant: Variant) -> None:
    waf = {
        "rules": {"unix": "off"},
        "rate": {"requests": 500, "seconds": 60},
        "paths": {"login": {"path": "/sistema-1/login"}},
    }
    edge = variant(edge={"waf": waf})["edge"]
    rate, path = rules(edge)["rate"], rules(edge)["path_login"]
    keys = {row["key"] for row in edge["aws_wafv2_web_acl.main"]["custom_response_body"]}
    for rule in (rate, path):
        answer = rule["action"]["block"]["custom_response"]
        assert answer["response_code"] == 429
        assert answer["custom_response_body_key"] in keys
    assert rate["statement"]["rate_based_statement"] == {
        "limit": 500,
        "evaluation_window_sec": 60,
        "aggregate_key_type": "IP",
    }
    scope = path["statement"]["rate_based_statement"]["scope_down_statement"]["byte_match_statement"]
    assert (scope["search_string"], scope["positional_constraint"]) == ("/sistema-1/login", "STARTS_WITH")
    assert scope["field_to_match"] == {"uri_path": {}}


def test_the_capacity_calculation_covers_the_generated_rules(variant: Variant) -> None:
    edge = variant()["edge"]
    costs = edge.environment.edge.waf.costs
    assert [cost.rule for cost in costs] == list(rules(edge))
    assert total(costs) <= COVERED
    assert arithmetic(costs).endswith(" + unix 100 = 1477")
    assert {group(rules(edge)[name])["name"] for name in GROUPS if name in rules(edge)} == {
        each.name for name, each in GROUPS.items() if name != "anonymous"
    }
    assert Waf().capacity == COVERED


# Logs of the firewall


def test_the_waf_log_is_encrypted_and_has_no_secrets(edge: Root) -> None:
    log = edge["aws_cloudwatch_log_group.waf"]
    assert log["name"].startswith("aws-waf-logs-")
    assert log["kms_key_id"] == f"${{{NETWORK}.logs_key_arn}}"
    assert log["retention_in_days"] == edge.environment.edge.waf.log_days
    configuration = edge["aws_wafv2_web_acl_logging_configuration.main"]
    assert configuration["log_destination_configs"] == ["${aws_cloudwatch_log_group.waf.arn}"]
    assert configuration["depends_on"] == ["aws_cloudwatch_log_resource_policy.waf"]
    redacted = {each["single_header"]["name"] for each in configuration["redacted_fields"]}
    assert redacted == {"authorization", "cookie"}
    [log_filter] = configuration["logging_filter"]["filter"]
    actions = {each["action_condition"]["action"] for each in log_filter["condition"]}
    assert configuration["logging_filter"]["default_behavior"] == "DROP"
    assert {"BLOCK", "COUNT", "EXCLUDED_AS_COUNT"} <= actions
    [hidden] = edge["aws_wafv2_web_acl.main"]["data_protection_config"]["data_protection"]
    assert hidden["field"]["field_keys"] == ["authorization", "cookie"]


def test_only_log_delivery_of_this_account_writes_the_waf_log(edge: Root) -> None:
    environment = edge.environment
    statements = edge.statements("aws_cloudwatch_log_resource_policy.waf", "policy_document")
    name = edge["aws_cloudwatch_log_group.waf"]["name"]
    start = f"arn:aws:logs:{environment.region}:{environment.account}"
    assert statements == {
        "DeliverLogsOfTheWebAcl": {
            "Effect": "Allow",
            "Principal": {"Service": "delivery.logs.amazonaws.com"},
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{start}:log-group:{name}:log-stream:*",
            "Condition": {
                "ArnLike": {"aws:SourceArn": f"{start}:*"},
                "StringEquals": {"aws:SourceAccount": environment.account},
            },
        }
    }
