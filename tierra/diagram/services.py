"""Boxes of monitoring, and of the pipeline that builds and deploys the systems."""

from __future__ import annotations

import re

from tierra.diagram.boxes import lasting, listed, make, named, summary
from tierra.diagram.graph import Box
from tierra.diagram.terraform import Resource, Terraform

CLUSTER = "in the cluster"


def monitoring(terraform: Terraform) -> list[Box]:
    """CloudWatch, Prometheus, Grafana, X-Ray, and the recipients of alarms."""
    alarms = terraform.all("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
    boards = terraform.all("aws_cloudwatch_dashboard")
    logs = terraform.all("aws_cloudwatch_log_group")
    flows = terraform.all("aws_flow_log")
    traces = terraform.all("aws_xray_group", "aws_xray_sampling_rule")
    releases = terraform.all("helm_release", tier="observability")
    watches = [release for release in releases if release.name.startswith("system_")]
    charts = [release for release in releases if release not in watches]
    topics = terraform.all("aws_sns_topic")
    subscriptions = terraform.all("aws_sns_topic_subscription")
    return [
        *summary("alarm", "CloudWatch alarms", alarms, named(len(lasting(alarms)), "alarm")),
        *summary(
            "dashboard", "CloudWatch dashboards", boards, listed(board.name for board in lasting(boards))
        ),
        *summary("log", "CloudWatch logs", logs, named(len(lasting(logs)), "encrypted group")),
        *summary("flow", "VPC flow logs", flows, listed(_traffic(log) for log in flows)),
        *_release(charts, "prometheus", "Prometheus, Alertmanager"),
        *_release(charts, "grafana", "Grafana"),
        *summary(
            "trace", "X-Ray", traces, listed(_share(rule) for rule in traces if "fixed_rate" in rule.values)
        ),
        *summary(
            "collector",
            "Collectors",
            [chart for chart in charts if chart.name not in ("prometheus", "grafana")],
            listed(chart.values["name"] for chart in charts if chart.name not in ("prometheus", "grafana")),
            CLUSTER,
        ),
        *summary("rules", "Alerts of systems", watches, named(len(lasting(watches)), "system"), CLUSTER),
        *(
            [
                make(
                    "topic",
                    "Alert recipients",
                    topics,
                    subscriptions,
                    notes=[listed(topic.name for topic in lasting(topics))],
                    id="topic",
                )
            ]
            if topics
            else []
        ),
        *summary("budget", "Budget", terraform.all("aws_budgets_budget")),
    ]


def _traffic(flow: Resource) -> str:
    return f"{str(flow.values.get('traffic_type', 'all')).lower()} traffic"


def _share(rule: Resource) -> str:
    return f"{rule.values['fixed_rate']:.0%} of requests"


def _release(charts: list[Resource], name: str, title: str) -> list[Box]:
    matches = [chart for chart in charts if chart.name == name]
    return (
        summary(name, title, matches, f"chart {matches[0].values.get('version')}", CLUSTER) if matches else []
    )


def pipeline(terraform: Terraform) -> list[Box]:
    """From a commit to a healthy system, in that order."""
    roles = terraform.all("aws_iam_role", tier="delivery")
    registries = terraform.all("aws_ecr_repository")
    trust = terraform.all("aws_iam_openid_connect_provider")
    push = [role for role in roles if role.name.startswith("push_")]
    deploy = [role for role in roles if role.name.startswith("deploy_")]
    rest = [role for role in roles if role not in (*push, *deploy)]
    checks = terraform.all("aws_lb_target_group")
    return [
        *(_actions(trust, push, rest) if trust else []),
        *summary(
            "registry",
            "ECR",
            registries,
            listed([registry.values["name"] for registry in lasting(registries)], 6),
        ),
        *summary(
            "deployment",
            "Deployment to EKS",
            deploy,
            f"{named(len(lasting(deploy)), 'role')}, a namespace each",
        ),
        *summary("health", "Health check", checks, listed(_health(check_) for check_ in checks)),
    ]


def _actions(trust: list[Resource], push: list[Resource], rest: list[Resource]) -> list[Box]:
    subjects = [subject for role in (*push, *rest) for subject in _repositories(role)]
    notes = [
        listed(dict.fromkeys(subjects)),
        f"{named(len(lasting(push)), 'role')} to push images",
        f"infrastructure: {listed(role.name for role in rest)}" if rest else "",
    ]
    return [make("actions", "GitHub Actions", trust, [*push, *rest], notes=notes, id="actions")]


def _repositories(role: Resource) -> list[str]:
    """Repositories whose workflows a role trusts: `repo:acme/platform:environment:production`."""
    repositories: list[str] = re.findall(
        r"repo:([\w.-]+/[\w.-]+):", str(role.values.get("assume_role_policy", ""))
    )
    return repositories


def _health(group: Resource) -> str:
    check = group.values.get("health_check") or {}
    check = check[0] if isinstance(check, list) else check
    return f"{check.get('path', '')} on {check.get('port', '')}"
