"""Tests of the report of saved plans: order, masked secrets, and readable formats."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from rich.console import Console
from support.browser import Browser
from support.project import Project as Checkout
from support.project import succeeded, without_make
from support.rehearsing import PROVIDERS, Project, installed
from support.reports import findings_of, plan_of, put, says

from rehearsal.catalog import Catalog, catalog_path
from tierra.aws.types import TYPES
from tierra.aws.types.entry import Type
from tierra.report import (
    compatibility,
    exposure,
    losses,
    pages,
    reach,
    resilience,
    terminal,
)
from tierra.report.holdings import has_data
from tierra.report.report import SEAL, main, publish, report
from tierra.report.title import title

BEFORE = """
resource "aws_db_instance" "postgres" {
  identifier           = "orders"
  engine               = "postgres"
  engine_version       = "17"
  instance_class       = "db.t4g.medium"
  allocated_storage    = 20
  db_name              = "platform"
  username             = "platform"
  password_wo          = "not-kept"
  password_wo_version  = 1
  skip_final_snapshot  = true
  maintenance_window   = "sun:09:00-sun:10:00"
}

resource "aws_security_group" "node" {
  name   = "node"
  vpc_id = "vpc-1"
}

resource "aws_vpc_security_group_ingress_rule" "api" {
  security_group_id = aws_security_group.node.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "10.0.0.0/8"
}

resource "aws_iam_role" "system" {
  name               = "system"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Pods", Effect = "Allow", Action = ["sts:AssumeRole", "sts:TagSession"],
      Principal = { Service = "pods.eks.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "system" {
  name   = "system"
  role   = aws_iam_role.system.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [
      { Sid = "ReadFiles", Effect = "Allow", Action = ["s3:GetObject"], Resource = "arn:aws:s3:::files/*" },
      { Sid = "Old", Effect = "Allow", Action = "sqs:SendMessage", Resource = "*" },
    ]
  })
}

resource "aws_wafv2_web_acl" "main" {
  name  = "main"
  scope = "REGIONAL"
  default_action {
    allow {}
  }
  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "main"
    sampled_requests_enabled   = true
  }
  #RULE 0 first 2000
  #RULE 2 last 2000
}
"""
RULE = """
  rule {
    name     = "%s"
    priority = %s
    action {
      block {}
    }
    statement {
      rate_based_statement {
        aggregate_key_type = "IP"
        limit              = %s
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "%s"
      sampled_requests_enabled   = true
    }
  }
"""
REPLICA = """
resource "aws_db_instance" "replica_1" {
  identifier          = "orders-replica-1"
  replicate_source_db = "orders"
  instance_class      = "db.t4g.medium"
  skip_final_snapshot = true
}
"""
EDITS = {
    'db_name              = "platform"': 'db_name              = "orders"',
    '"10.0.0.0/8"': '"0.0.0.0/0"',
    '["s3:GetObject"]': '["s3:GetObject", "s3:PutObject"]',
    '{ Sid = "Old", Effect = "Allow", Action = "sqs:SendMessage", Resource = "*" }': (
        '{ Sid = "New", Effect = "Allow", Action = "sns:Publish", Resource = "*" }'
    ),
    "#RULE 2 last 2000": "#RULE 1 middle 100\n  #RULE 2 last 2000",
}


def configuration(text: str) -> str:
    return re.sub(
        r"#RULE (\S+) (\S+) (\S+)", lambda match: RULE % (match[2], match[1], match[3], match[2]), text
    )


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of a real plan: one of each kind of change."""
    folder = tmp_path_factory.mktemp("changed")
    project = Project(folder / "project")
    project.apply(PROVIDERS + configuration(BEFORE))
    after = BEFORE
    for old, new in EDITS.items():
        assert old in after
        after = after.replace(old, new)
    plan = project.plan(PROVIDERS + configuration(after) + REPLICA)
    return report(put(folder / "dev", "data", plan), ["data"])


def test_a_replaced_database_is_data_loss_and_downtime_with_its_cause(
    changed: dict[str, Any],
) -> None:
    counts = {"add": 2, "change": 3, "destroy": 1, "forecast": False}
    assert changed["tiers"]["data"] == {**counts, "cost": changed["cost"]["tiers"]["data"]}
    assert changed["findings"][0]["address"] == "aws_db_instance.postgres"
    assert findings_of(changed, "data")["aws_db_instance.postgres"]["message"] == (
        "no final snapshot; its data is permanently lost"
    )
    assert "cannot be reached" in findings_of(changed, "downtime")["aws_db_instance.postgres"]["message"]
    forced = findings_of(changed, "replacement")["aws_db_instance.postgres"]
    assert (forced["message"], forced["lines"]) == ("forced by db_name", ("~ db_name: platform → orders",))


def test_an_added_replica_is_one_change_without_warnings(changed: dict[str, Any]) -> None:
    created = [each["address"] for each in changed["resources"] if each["action"] == "create"]
    assert created == ["aws_db_instance.replica_1"]
    assert not [each for each in changed["findings"] if each["address"] == created[0]]


def test_an_opened_rule_is_shown_before_and_after(changed: dict[str, Any]) -> None:
    rule = findings_of(changed, "exposure")["aws_vpc_security_group_ingress_rule.api"]
    assert (rule["critical"], rule["message"]) == (True, "open to the internet")
    assert [re.sub(r"sg-\w+", "sg", line) for line in rule["lines"]] == [
        "- tcp 443 from 10.0.0.0/8 into sg",
        "+ tcp 443 from 0.0.0.0/0 into sg",
    ]


def test_a_policy_is_compared_by_statement(changed: dict[str, Any]) -> None:
    assert list(findings_of(changed, "identity")) == ["aws_iam_role_policy.system"]
    assert findings_of(changed, "identity")["aws_iam_role_policy.system"]["lines"] == (
        "+ New: Allow sns:Publish on *",
        "- Old: Allow sqs:SendMessage on *",
        "~ ReadFiles: Action + s3:PutObject",
    )


def test_an_inserted_waf_rule_is_one_change(changed: dict[str, Any]) -> None:
    (line,) = findings_of(changed, "exposure")["aws_wafv2_web_acl.main"]["lines"]
    assert line.startswith("+ rule middle: priority 1, block: ")
    assert '"limit": 100' in line


def test_the_terminal_shows_a_summary_without_colour_codes(
    changed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.show(changed, "cdktf.out/dev/report.html")
    printed = capsys.readouterr().out
    for text in (
        "Data loss",
        "permanently lost",
        "+ New: Allow sns:Publish on *",
        "forced by db_name",
        "report.html",
    ):
        assert text in printed
    assert "\x1b" not in printed
    assert len(printed.splitlines()) <= 41


def printed(result: dict[str, Any], width: int, height: int) -> list[str]:
    """The rows of the first screen."""
    console = Console(file=StringIO(), width=width, highlight=False, markup=False)
    for each in terminal.screen(result, "cdktf.out/dev/report.html", width, height):
        console.print(each)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_the_first_screen_fits_the_smallest_terminal(first: dict[str, Any], changed: dict[str, Any]) -> None:
    many = {**changed, "tiers": first["tiers"], "findings": [*changed["findings"], *first["findings"]]}
    for result in (first, changed, many):
        rows = printed(result, 80, 24)
        assert len(rows) <= 23
        assert max(map(len, rows)) <= 80
        for tier, counts in result["tiers"].items():
            assert any(re.match(rf"{tier} +{counts['add']} ", row) for row in rows), tier
        assert any(row.startswith("total") for row in rows)
        assert rows[1].startswith(result["verdict_line"].capitalize())
        assert rows[-1] == "The whole report: cdktf.out/dev/report.html"
    assert len(printed(changed, 100, 60)) > len(printed(changed, 80, 24))


def test_forecasts_and_costs_are_one_line(changed: dict[str, Any]) -> None:
    counts = {**changed["tiers"]["data"], "forecast": True, "cost": {"before": 100.2, "after": 1250.0}}
    cost = {
        "currency": "USD",
        "date": "2026-01-15",
        "source": "AWS's Price List (oldest price: 2026-01-15)",
        "unpriced": [
            {
                "tier": "network",
                "address": "aws_flow_log.main",
                "type": "aws_flow_log",
                "why": "no price of <logs>",
                "count": 3,
            }
        ],
        "before": 100.2,
        "after": 1250.0,
    }
    result = {**changed, "tiers": {"data": counts}, "cost": cost}
    rows = printed(result, 80, 24)
    assert "1 plan is a forecast, made again before it is applied." in rows
    priced = [row.split()[0] for row in rows if "100 → 1,250" in row]
    assert priced == ["data", "total"]
    assert "Prices: AWS's Price List (oldest price: 2026-01-15); 1 without one" in rows
    for text in (pages.html(result), pages.markdown(result)):
        for word in ("100 → 1,250", "USD a month", "2026-01-15"):
            assert word in text
    assert "<li>aws_flow_log.main (network, and 2 more like it): no price of &lt;logs&gt;</li>" in pages.html(
        result
    )
    assert "\n- `aws_flow_log.main` (network, and 2 more like it): `no price of <logs>`\n" in pages.markdown(
        result
    )
    unpriced = {key: value for key, value in changed.items() if key != "cost"}
    unpriced["tiers"] = {
        tier: {key: value for key, value in each.items() if key != "cost"}
        for tier, each in changed["tiers"].items()
    }
    assert "a month" not in pages.html(unpriced) + pages.markdown(unpriced)


@pytest.fixture(scope="module")
def first(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of a first plan of everything that the production environment generates, as terraform would
    plan it if it knew every argument."""
    folder = tmp_path_factory.mktemp("first") / "production"
    tiers = []
    for file in sorted(folders["production"].glob("stacks/*/cdk.tf.json")):
        body = json.loads(file.read_text())
        changes = [
            {
                "address": f"{kind}.{name}",
                "type": kind,
                "name": name,
                "change": {
                    "actions": ["create"],
                    "before": None,
                    "after": arguments,
                    "after_unknown": {"arn": True},
                },
            }
            for kind, named in body["resource"].items()
            for name, arguments in named.items()
        ]
        put(folder, file.parent.name, {"resource_changes": changes}, body)
        tiers.append(file.parent.name)
    return report(folder, tiers)


def test_a_first_plan_fits_half_a_comment_and_names_every_resource(first: dict[str, Any]) -> None:
    count = sum(tier["add"] for tier in first["tiers"].values())
    assert count > 400
    text = pages.markdown(first)
    assert len(text.encode()) <= pages.LONGEST < 65_536 / 2
    assert text.count("<details>") == text.count("</details>") > 9
    assert not [each for each in first["resources"] if each["address"].split(".")[1] not in text]
    assert "load_balancer_from_world_443" in text.split("<details>")[0]


def test_long_pages_are_truncated(first: dict[str, Any]) -> None:
    for longest in (200, 2_000, 8_000, 16_000, 300_000):
        assert len(pages.markdown(first, longest).encode()) <= longest


def test_the_order_does_not_depend_on_the_order_of_the_plan(changed: dict[str, Any], tmp_path: Path) -> None:
    plan = {
        "resource_changes": [
            {"address": f"aws_sqs_queue.{name}", "type": "aws_sqs_queue", "name": name,
             "change": {"actions": actions, "before": {"c": None, "b": 1, "a": 1}, "after": {"a": 2, "b": 2}}}
            for name, actions in (
                ("a", ["update"]), ("b", ["delete", "create"]), ("c", ["update"]), ("d", ["delete"]),
            )
        ]
    }  # fmt: skip
    pictures = set()
    for turned in (False, True):
        listed = plan["resource_changes"][:: -1 if turned else 1]
        result = report(put(tmp_path / f"{turned}" / "dev", "data", {"resource_changes": listed}), ["data"])
        pictures.add((json.dumps(result), pages.markdown(result), pages.html(result)))
    assert len(pictures) == 1


SECRETS = (
    "hunter2",
    "correct-horse",
    "battery-staple",
    "old-token",
    "new-token",
    "4711-4711",
    "nested-secret",
)
WITH_SECRETS = {
    "terraform_version": "1.11.4",
    "resource_changes": [
        {
            "address": "helm_release.kong", "type": "helm_release", "name": "kong",
            "change": {
                "actions": ["update"],
                "before": {
                    "values": ["password: hunter2\nenv:\n- name: API_TOKEN\n  value: old-token\n"],
                    "set_sensitive": [{"name": "x", "value": "correct-horse"}],
                    "whole": '{"a": "4711-4711"}',
                },
                "after": {
                    "values": ["password: battery-staple\nenv:\n- name: API_TOKEN\n  value: new-token\n"],
                    "set_sensitive": [
                        {"name": "y", "value": "battery-staple"}, {"name": "x", "value": "hunter2"},
                    ],
                    "whole": '{"a": "hunter2"}',
                },
                "before_sensitive": {"set_sensitive": [{"value": True}], "whole": True},
                "after_sensitive": {"set_sensitive": [{"value": True}, {"value": True}], "whole": True},
            },
        },
        {
            "address": "aws_wafv2_web_acl.main", "type": "aws_wafv2_web_acl", "name": "main",
            "change": {
                "actions": ["create"], "before": None,
                "after": {"rule": [{"name": "r", "statement": {"deep": [{"key": "nested-secret"}]}}]},
                "after_sensitive": {"rule": [{"statement": {"deep": [{"key": True}]}}]},
            },
        },
        {
            "address": "aws_sqs_queue_policy.q", "type": "aws_sqs_queue_policy", "name": "q",
            "change": {
                "actions": ["delete", "create"], "replace_paths": [["policy"]],
                "before": {"policy": '{"Statement": [{"Effect": "Allow", "Resource": "hunter2"}]}'},
                "after": {"policy": '{"Statement": [{"Effect": "Allow", "Resource": "nested-secret"}]}'},
                "before_sensitive": {"policy": True}, "after_sensitive": {"policy": True},
            },
        },
        {
            "address": "aws_vpc_security_group_ingress_rule.r", "type": "aws_vpc_security_group_ingress_rule",
            "name": "r",
            "change": {
                "actions": ["delete"], "after": None,
                "before": {"cidr_ipv4": "4711-4711", "description": "hunter2", "ip_protocol": "tcp"},
                "before_sensitive": {"cidr_ipv4": True, "description": True},
            },
        },
    ],
    "output_changes": {
        "token": {"actions": ["update"], "before": "old-token", "after": "new-token", "after_sensitive": True}
    },
}  # fmt: skip


def test_no_output_shows_a_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put(
        tmp_path / "dev", "edge", WITH_SECRETS, {"resource": {"aws_wafv2_web_acl": {"main": {"rule": 1}}}}
    )
    monkeypatch.setattr("sys.argv", ["report", "--detailed", str(folder), "edge"])
    assert main() == 2
    outputs = {name: (folder / name).read_text() for name in ("report.json", "report.md", "report.html")}
    outputs["terminal"] = capsys.readouterr().out
    for name, text in outputs.items():
        assert [secret for secret in SECRETS if secret in text] == [], name
        assert "(sensitive)" in text, name
    assert "values[0].password" in outputs["report.md"]


class Page(HTMLParser):
    """The addresses that a page loads, and its unclosed tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_self_contained_and_escapes_values(first: dict[str, Any], tmp_path: Path) -> None:
    plan = {
        "resource_changes": [
            {"address": "aws_sqs_queue.q", "type": "aws_sqs_queue", "name": "q",
             "change": {"actions": ["update"], "before": {"name": "a"},
                        "after": {"name": "<script>alert(1)</script>` | @everyone <b>"}}}
        ]
    }  # fmt: skip
    result = report(put(tmp_path / "dev", "data", plan), ["data"])
    for each in (result, first):
        page = Page()
        page.feed(pages.html(each))
        assert page.open == []
        assert not {"script", "link", "img", "iframe"} & page.tags
        assert all(link.startswith("#") for link in page.links)
    assert "url(" not in pages.html(result)
    assert "<script" not in pages.html(result)
    (line,) = [line for line in pages.markdown(result).splitlines() if "script" in line]
    assert line == "  - `name`: `a` → `` <script>alert(1)</script>` | @everyone <b> ``"


def test_no_changes_are_reported_with_exit_code_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    same = {
        "address": "aws_vpc.main",
        "type": "aws_vpc",
        "change": {"actions": ["no-op"], "before": {}, "after": {}},
    }
    folder = put(tmp_path / "dev", "network", {"resource_changes": [same]})
    monkeypatch.setattr("sys.argv", ["report", "--detailed", str(folder), "network"])
    assert main() == 0
    result = json.loads((folder / "report.json").read_text())
    assert (result["verdict"], result["verdict_line"]) == ("none", "no changes")
    assert "No changes." in (folder / "report.md").read_text()
    assert capsys.readouterr().out.splitlines()[-1] == "No changes."


CONFIGURED = {
    "provider": {"aws": [{"allowed_account_ids": ["123456789012"], "region": "eu-west-1"}]},
    "terraform": {"required_providers": {"aws": {"source": "aws", "version": "6.25.0"}}},
}


def planned(folder: Path, target: str) -> Path:
    """An output folder with a plan and its target."""
    plan = {"terraform_version": "1.11.4", "timestamp": "2026-01-31T09:30:12Z"}
    put(folder, "network", plan, CONFIGURED)
    (folder / "target").write_text(f"{target}\n")
    return folder


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def test_the_header_names_environment_date_and_commit(tmp_path: Path) -> None:
    result = report(planned(tmp_path / "out", "aws"), ["network"], "production")
    title = result["title"]
    assert (title["account"], title["region"], title["target"]) == ("123456789012", "eu-west-1", "aws")
    assert (title["made"], title["terraform"]) == (["2026-01-31T09:30:12Z"] * 2, "1.11.4")
    assert title["providers"] == {"aws": "6.25.0"}
    assert title["tierra"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for text in (pages.html(result), pages.markdown(result)):
        for word in ("123456789012", "eu-west-1", "2026-01-31 09:30 UTC", "1.11.4", "6.25.0"):
            assert word in text
        assert "REHEARSAL" not in text
    assert printed(result, 80, 24)[0].startswith(
        "AWS production  123456789012 eu-west-1  2026-01-31 09:30 UTC"
    )


def test_provider_versions_come_from_the_lock_file(tmp_path: Path) -> None:
    folder = planned(tmp_path / "dev", "aws")
    lock = 'provider "registry.example.com/hashicorp/aws" {\n  version     = "6.25.1"\n}\n'
    (folder / "stacks/network/.terraform.lock.hcl").write_text(lock)
    assert report(folder, ["network"])["title"]["providers"] == {"aws": "6.25.1"}


def test_a_rehearsal_is_labelled(tmp_path: Path) -> None:
    result = report(planned(tmp_path / "dev", "rehearsal"), ["network"])
    assert result["title"]["target"] == "rehearsal"
    for text in (pages.html(result), pages.markdown(result)):
        assert "REHEARSAL" in text
        assert "Nothing in AWS is touched." in text
    assert "REHEARSAL" in printed(result, 20, 24)[0]


def test_a_modified_spec_is_distinguished_from_its_commit(tmp_path: Path) -> None:
    root = tmp_path / "project"
    spec = root / "environments" / "dev.yaml"
    spec.parent.mkdir(parents=True)
    spec.write_text("replicas: 2\n")
    folder = planned(tmp_path / "dev", "aws")

    def head() -> dict[str, Any]:
        spec_of_title: dict[str, Any] = title(folder, ["network"], "dev", root)["spec"]
        return spec_of_title

    assert head() == {"path": "environments/dev.yaml", "commit": "", "edited": None, "diff": ""}
    git(root, "init", "-q")
    git(root, "commit", "-q", "--allow-empty", "-m", "first")
    assert (head()["edited"], head()["diff"]) == (True, "(the commit does not have this file)")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "second")
    assert (head()["commit"], head()["edited"]) == (git(root, "rev-parse", "--short=12", "HEAD"), False)
    spec.write_text("replicas: 3 # ``` <b>\n")
    assert head()["edited"]
    assert head()["diff"].splitlines()[-2:] == ["-replicas: 2", "+replicas: 3 # ``` <b>"]
    result = report(folder, ["network"])
    result["title"]["spec"] = head()
    assert "+replicas: 3 # ``` &lt;b&gt;" in pages.html(result)
    assert "````diff\n" in pages.markdown(result)
    assert f"edited since {head()['commit']}" in pages.markdown(result)


def test_without_git_the_header_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = report(planned(tmp_path / "sandbox", "aws"), ["network"])
    assert result["title"]["spec"]["commit"] == ""
    assert "environments/sandbox.yaml" in pages.markdown(result)


def test_a_report_is_written_atomically(tmp_path: Path) -> None:
    folder = planned(tmp_path / "out", "aws")
    result = publish(folder, ["network"], "production")
    assert json.loads((folder / "report.json").read_text()) == result
    assert result["environment"] == "production"
    before = {name: (folder / name).read_bytes() for name in ("report.json", "report.md", "report.html")}
    with pytest.raises(FileNotFoundError):
        publish(folder, ["network", "data"], "production")
    assert before == {name: (folder / name).read_bytes() for name in before}
    assert {each.name for each in folder.iterdir()} == {*before, "stacks", "target"}


def test_imported_moved_forgotten_and_tainted_resources_are_reported(tmp_path: Path) -> None:
    def entry(name: str, actions: list[str], **more: Any) -> dict[str, Any]:
        importing = {"importing": more.pop("importing")} if "importing" in more else {}
        change = {"actions": actions, "before": {"a": 1}, "after": {"a": 1}, **importing}
        return {"address": f"aws_vpc.{name}", "type": "aws_vpc", "name": name, "change": change, **more}

    plan = {
        "resource_changes": [
            entry("adopted", ["no-op"], importing={"id": "vpc-1"}),
            entry("moved", ["no-op"], previous_address="aws_vpc.old"),
            entry("left", ["forget"]),
            entry("tainted", ["create", "delete"], action_reason="replace_because_tainted"),
            entry("old", ["delete"], deposed="abc123"),
            entry("data", ["read"]),
        ]
    }
    result = report(put(tmp_path / "dev", "network", plan), ["network"])
    assert [(each["address"], each["action"], each["reason"]) for each in result["resources"]] == [
        ("aws_vpc.tainted", "replace", "an earlier apply left it incomplete"),
        ("aws_vpc.old (deposed abc123)", "delete", ""),
        ("aws_vpc.left", "forget", ""),
        ("aws_vpc.adopted", "import", "adopts vpc-1"),
        ("aws_vpc.moved", "move", "was aws_vpc.old"),
    ]
    for text in (pages.html(result), pages.markdown(result)):
        assert "adopts vpc-1" in text
        assert "was aws_vpc.old" in text


def test_a_grant_that_is_moved_imported_or_forgotten_is_not_new(tmp_path: Path) -> None:
    """These actions change no permission in AWS. A renamed system moves its grants."""

    def entry(name: str, actions: list[str], type_now: str = "STANDARD", **more: Any) -> dict[str, Any]:
        before = {"principal_arn": "arn:aws:iam::123456789012:role/deploy", "type": "STANDARD"}
        after = {**before, "type": type_now} if actions != ["forget"] else None
        change = {
            "actions": actions,
            "before": before,
            "after": after,
            "importing": more.pop("importing", None),
        }
        kind = "aws_eks_access_entry"
        return {"address": f"{kind}.{name}", "type": kind, "name": name, "change": change, **more}

    plan = {
        "resource_changes": [
            entry("moved", ["no-op"], previous_address="aws_eks_access_entry.old"),
            entry("adopted", ["no-op"], importing={"id": "cluster:role"}),
            entry("left", ["forget"]),
            entry("changed", ["update"], "EC2_LINUX", importing={"id": "cluster:role"}),
            entry("deleted", ["delete"]),
        ]
    }
    result = report(put(tmp_path / "dev", "delivery", plan), ["delivery"])
    rights = {each["address"]: list(each["lines"]) for each in result["findings"]}
    assert rights == {
        "aws_eks_access_entry.changed": ["~ type: STANDARD → EC2_LINUX"],
        "aws_eks_access_entry.deleted": [
            "- principal_arn arn:aws:iam::123456789012:role/deploy, type STANDARD"
        ],
    }


def test_the_seal_of_a_plan_is_shown(tmp_path: Path) -> None:
    folder = put(tmp_path / "dev", "network", {"terraform_version": "1.11.4"})
    sealed = {"terraform": "1.11.4", "plan": "0f3a"}
    (folder / "stacks" / "network" / SEAL).write_text(json.dumps(sealed))
    result = report(folder, ["network"])
    assert result["plans"] == {"network": sealed}
    for text in (pages.html(result), pages.markdown(result)):
        assert "0f3a" in text


def arguments(entry: Type) -> Iterator[str]:
    """The arguments that an entry names for its type."""
    yield from (*entry.interrupts, *entry.public, *entry.standbys, *entry.counts, *entry.waits, *entry.grants)
    yield from (*entry.import_sets, entry.version)
    yield from (each[0] for each in (entry.shields, entry.emptied) if each)
    yield entry.emptied[2] if entry.emptied else ""
    yield entry.tenant[1] if entry.tenant else ""


def test_types_and_attributes_of_the_report_exist() -> None:
    installed()
    named = {
        *((kind, "") for kind in TYPES),
        *((kind, name) for kind, each in TYPES.items() for name in arguments(each)),
        *(each.shields[1:] for each in TYPES.values() if each.shields and each.shields[2] != "id"),
        *((reach.ADDRESS, "public_ip"), (resilience.NAT, ""), (resilience.NODES, "scaling_config")),
        *((compatibility.NODES, "ami_type"), (compatibility.NODES, "instance_types"), ("aws_s3_bucket", "")),
        *((kind, "") for kind in exposure.RULES),
        (exposure.WEB_ACL, "rule"),
        (exposure.IP_SET, "addresses"),
        (exposure.CLUSTER, "vpc_config"),
    }
    kinds = {kind for kind, _ in named}
    catalog = Catalog(catalog_path())
    types = {
        **catalog.load("aws", "resource", {kind for kind in kinds if kind.startswith("aws_")}),
        **catalog.load("helm", "resource", {kind for kind in kinds if kind.startswith("helm_")}),
    }
    assert kinds == types.keys()
    assert [(kind, name) for kind, name in named if name and not types[kind].block.find(name)] == []
    with_data = catalog.load(
        "aws", "resource", {kind for kind in TYPES if has_data(kind) and kind.startswith("aws_")}
    )
    for name in (*losses.LOOSE, *losses.KEPT):
        assert any(each.block.find(name) for each in with_data.values()), name


def test_every_template_is_used() -> None:
    assert {file.name for file in (ROOT / "templates" / "report").iterdir()} == {"report.html", "report.md"}


def test_resources_in_a_removed_network_are_listed(tmp_path: Path) -> None:
    stacks = tmp_path / "dev" / "stacks"
    data = {
        "aws_db_instance": {
            "postgres": {"identifier": "acme-postgres"},
            "replica_1": {"identifier": "acme-replica", "replicate_source_db": "acme-postgres"},
        },
        "aws_docdb_cluster": {"documentdb": {"cluster_identifier": "acme-documents"}},
        "aws_elasticache_replication_group": {"redis": {"replication_group_id": "acme-redis"}},
    }
    (stacks / "data").mkdir(parents=True)
    (stacks / "data" / "cdk.tf.json").write_text(json.dumps({"resource": data}))
    databases = "DocumentDB acme-documents, PostgreSQL acme-postgres and Redis acme-redis"
    end = "in it; AWS deletes it only when it is empty"
    tag = {"tags": {"Subnet": "database"}}
    for kind, values, words in (
        ("aws_vpc", {}, f"{databases} are {end}"),
        ("aws_subnet", tag, f"parts of {databases} may be {end}"),
        ("aws_db_subnet_group", {}, f"PostgreSQL acme-postgres is {end}"),
    ):
        plan = plan_of(kind, ["delete", "create"], values, values)
        findings = report(put(tmp_path / "dev", "network", plan), ["network"])["findings"]
        (loss,) = (each for each in findings if each["subject"] == "data")
        assert (loss["message"], loss["critical"]) == (words, True)
    (stacks / "data" / "plan.json").write_text("")  # as when terraform begins to write it
    gone = plan_of("aws_subnet", ["delete"], tag, None)  # a removed zone: its databases are deleted first
    findings = report(put(tmp_path / "dev", "network", gone), ["network"])["findings"]
    assert [each for each in findings if each["subject"] == "data"] == []
    # By its plan the other tier is not applied yet.
    put(tmp_path / "dev", "data", {"prior_state": {}})
    plan = plan_of("aws_vpc", ["delete", "create"], {}, {})
    findings = report(put(tmp_path / "dev", "network", plan), ["network"])["findings"]
    assert findings[0]["message"] == "AWS deletes it only when it is empty"


def test_containers_that_must_be_empty_are_reported_with_a_remedy(tmp_path: Path) -> None:
    named = {"name": "acme/shop", "bucket": "acme-files", "region": "us-east-1"}
    for kind, by, command in (
        (
            "aws_ecr_repository",
            "force_delete",
            "aws ecr delete-repository --force --repository-name acme/shop",
        ),
        ("aws_s3_bucket", "force_destroy", "aws s3api list-object-versions --bucket acme-files"),
        ("aws_backup_vault", "force_destroy", "--backup-vault-name acme/shop --region us-east-1"),
    ):
        ((_, words),) = says(tmp_path, plan_of(kind, ["delete"], {**named, by: False}, None))
        assert words.startswith("AWS refuses while there are ")
        assert command in words
        ((_, words),) = says(tmp_path, plan_of(kind, ["delete"], {**named, by: True}, None))
        assert words.endswith(" in it are deleted")


def test_an_unknown_policy_is_read_from_the_configuration(tmp_path: Path) -> None:
    statement = {
        "Sid": "Use",
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": "${aws_kms_key.files.arn}",
    }
    plan = plan_of("aws_iam_role_policy", ["create"], None, {"name": "x"}, after_unknown={"policy": True})
    for policy, line in (
        (json.dumps({"Statement": statement}), "+ Use: Allow kms:Decrypt on ${aws_kms_key.files.arn}"),
        ("${aws_x.y.json}", "~ policy: its statements are known after apply"),
    ):
        generated = {"resource": {"aws_iam_role_policy": {"x": {"policy": policy}}}}
        assert says(tmp_path, plan, generated) == [("identity", "", line)]


def test_public_access_is_reported(tmp_path: Path) -> None:
    def policy(**condition: Any) -> str:
        everyone = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": "*",
            **condition,
        }
        return json.dumps({"Statement": [everyone]})

    closed, opened = policy(Condition={"Bool": {"aws:SecureTransport": "true"}}), policy()
    plan = plan_of("aws_s3_bucket_policy", ["update"], {"policy": closed}, {"policy": opened})
    ((subject, words, *_),) = says(tmp_path, plan)
    assert (subject, words) == ("identity", "anyone may use it")
    plan = plan_of("aws_s3_bucket_policy", ["update"], {"policy": opened}, {"policy": closed})
    ((_, words, *_),) = says(tmp_path, plan)
    assert words == ""


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        (
            "aws_eks_cluster",
            {"vpc_config": [{"endpoint_public_access": True, "public_access_cidrs": ["192.0.2.0/24"]}]},
            {"vpc_config": [{"endpoint_public_access": True, "public_access_cidrs": ["0.0.0.0/0"]}]},
            ("exposure", "open to the internet", "- API open to 192.0.2.0/24", "+ API open to 0.0.0.0/0"),
        ),
        (
            "aws_db_instance",
            {"publicly_accessible": False},
            {"publicly_accessible": True},
            ("exposure", "open to the internet", "+ publicly_accessible: true"),
        ),
        (
            "aws_wafv2_ip_set",
            {"addresses": ["192.0.2.0/24", "198.51.100.0/24"]},
            {"addresses": ["198.51.100.0/24", "203.0.113.0/24"]},
            ("exposure", "", "- 192.0.2.0/24", "+ 203.0.113.0/24"),
        ),
        (
            "aws_db_instance",
            {"deletion_protection": True, "backup_retention_period": 14},
            {"deletion_protection": False, "backup_retention_period": 1},
            (
                "data",
                "its data loses protection",
                "~ backup_retention_period: 14 → 1",
                "~ deletion_protection: true → false",
            ),
        ),
        (
            "aws_cloudwatch_log_group",
            {"retention_in_days": 0},
            {"retention_in_days": 30},
            ("data", "data is kept for a shorter time", "~ retention_in_days: 0 → 30"),
        ),
        (
            "aws_db_instance",
            {"engine_version": "16", "apply_immediately": True},
            {"engine_version": "17", "apply_immediately": True},
            ("downtime", "engine_version changes: it is upgraded, and cannot be reached meanwhile, at once"),
        ),
    ],
)
def test_consequences_of_updates_are_reported(
    tmp_path: Path, kind: str, before: Any, after: Any, expected: tuple[str, ...]
) -> None:
    assert says(tmp_path, plan_of(kind, ["update"], before, after)) == [expected]


def test_a_longer_retention_is_no_data_loss(tmp_path: Path) -> None:
    plan = plan_of(
        "aws_cloudwatch_log_group", ["update"], {"retention_in_days": 30}, {"retention_in_days": 0}
    )
    assert says(tmp_path, plan) == []


def test_exit_codes_distinguish_changes_from_errors(tmp_path: Path) -> None:
    project = Checkout(tmp_path / "tierra")
    written = project.folder / "cdktf.out" / "sandbox" / "report.json"

    def code() -> int:
        run = subprocess.run(
            ["tools/plan.sh", "TIER=storage"],
            cwd=project.folder,
            env=without_make(),
            capture_output=True,
            check=False,
        )
        return run.returncode

    assert code() == 2
    assert written.exists()
    assert project.make("plan", "TIER=storage", "DETAILED=yes").returncode == 2
    succeeded(project.make("apply", "TIER=storage", "APPROVE=yes"))
    assert code() == 0
    assert written.exists()
    project.edit("region: us-east-1", "region: nowhere")
    assert code() == 1
    assert not written.exists()


# In a browser


@pytest.fixture(scope="module")
def page(first: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(pages.html(first), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_is_readable(page: Path, width: int, dark: bool) -> None:
    with Browser(page, width, dark=dark) as browser:
        browser.value("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert browser.value("document.documentElement.scrollWidth") <= width
        small = (
            "[...document.querySelectorAll('body *')].filter(each => each.innerText && !each.children.length)"
        )
        assert browser.value(f"{small}.length") > 400
        assert browser.value(f"Math.min(...{small}.map(e => parseFloat(getComputedStyle(e).fontSize)))") >= 11
        light = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
        back = browser.value(f"({light}).reduce((a, b) => a + b) / 3")
        assert back < 80 if dark else back > 200
        assert browser.complaints == []


def test_requests_of_the_page_are_detected(tmp_path: Path) -> None:
    """The check of the page fails for a page with requests."""
    path = tmp_path / "page.html"
    path.write_text('<p style="width: 2000px">wide</p><img src="nowhere.png"><script>nothing()</script>')
    with Browser(path, 400) as browser:
        assert browser.value("document.documentElement.scrollWidth") > 400
        assert any("nowhere.png" in each for each in browser.complaints)
        assert any("nothing is not defined" in each for each in browser.complaints)


def test_the_readme_shows_the_page() -> None:
    picture = (ROOT / "docs" / "report.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 400_000
    for name in ("README.md", "README.es.md"):
        assert "](docs/report.png)" in (ROOT / name).read_text(encoding="utf-8")
