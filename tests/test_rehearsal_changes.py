"""Tests of resources in the rehearsal: create, change, replace, delete, import and refresh."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from support.rehearsing import Project

from rehearsal.cloud import Cloud

NETWORK = """
provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["210987654321"]
  default_tags {
    tags = { Project = "tierra", Tier = "network" }
  }
}
provider "aws" {
  alias  = "virginia"
  region = "us-east-1"
}
resource "aws_vpc" "this" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = true
}
resource "aws_subnet" "a" {
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.0.0.0/24"
  availability_zone = "eu-west-1a"
  tags              = { Name = "a", Tier = "private" }
}
resource "aws_eip" "twin" {
  count = 2
}
resource "aws_sns_topic" "virginia" {
  provider = aws.virginia
  name     = "alarms"
}
resource "aws_sns_topic" "here" {
  name = "alarms"
}
resource "aws_sns_topic" "paris" {
  name   = "alarms"
  region = "eu-west-3"
}
resource "aws_security_group" "this" {
  name_prefix = "web-"
  vpc_id      = aws_vpc.this.id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
resource "aws_launch_template" "this" {
  name          = "workers"
  description   = "first"
  instance_type = "m7g.large"
}
resource "aws_lb_target_group" "this" {
  name     = "web"
  port     = 80
  protocol = "HTTP"
  vpc_id   = aws_vpc.this.id
}
"""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The applied network, which tests must not change."""
    project = Project(tmp_path_factory.mktemp("network"), NETWORK)
    project.apply()
    return project


def test_a_second_plan_is_empty(network: Project) -> None:
    assert network.unchanged()


def test_values_look_like_those_of_aws(network: Project) -> None:
    state = network.state()
    assert re.fullmatch(r"vpc-0[0-9a-f]{16}", state["aws_vpc.this"]["id"])
    subnet = state["aws_subnet.a"]
    assert subnet["vpc_id"] == state["aws_vpc.this"]["id"]
    assert subnet["arn"] == f"arn:aws:ec2:eu-west-1:210987654321:subnet/{subnet['id']}"
    assert subnet["availability_zone_id"] == "euw1-az1"
    assert re.fullmatch(r"web-\d{26}", state["aws_security_group.this"]["name"])
    assert state["aws_lb_target_group.this"]["health_check"][0]["path"] == "/"


def test_each_provider_and_each_region_argument_has_its_own_region(network: Project) -> None:
    topics = {name: each["arn"] for name, each in network.state().items() if "sns_topic" in name}
    assert topics == {
        "aws_sns_topic.virginia": "arn:aws:sns:us-east-1:123456789012:alarms",
        "aws_sns_topic.here": "arn:aws:sns:eu-west-1:210987654321:alarms",
        "aws_sns_topic.paris": "arn:aws:sns:eu-west-3:210987654321:alarms",
    }


def test_default_tags_are_overridden_by_tags_of_the_resource(network: Project) -> None:
    subnet = network.state()["aws_subnet.a"]
    assert subnet["tags"] == {"Name": "a", "Tier": "private"}
    assert subnet["tags_all"] == {"Name": "a", "Tier": "private", "Project": "tierra"}


def test_identical_resources_have_different_ids(network: Project) -> None:
    twins = [each for name, each in network.state().items() if name.startswith("aws_eip.twin")]
    assert len({each["id"] for each in twins}) == len({each["public_ip"] for each in twins}) == 2


def test_life_of_a_network_in_a_second_account(network: Project, tmp_path: Path) -> None:
    """It has the same values as the first; drift is found and repaired; a change updates, replaces or deletes
    as AWS would."""
    project = Project(tmp_path, NETWORK)
    project.apply()
    first = {name: each for name, each in network.state().items() if "twin" not in name}
    assert {name: each for name, each in project.state().items() if "twin" not in name} == first

    cloud = Cloud(project.cloud)
    state = project.state()
    cloud.delete("aws_lb_target_group", f"eu-west-1/{state['aws_lb_target_group.this']['id']}")
    vpc = f"eu-west-1/{state['aws_vpc.this']['id']}"
    stored = cloud.get("aws_vpc", vpc)
    assert stored is not None
    cloud.put("aws_vpc", vpc, {**stored, "enable_dns_hostnames": False})
    drift = project.run("plan", "-refresh-only", "-detailed-exitcode", code=2)
    assert "aws_lb_target_group.this has been deleted" in drift
    assert "enable_dns_hostnames                 = true -> false" in drift
    assert project.actions() == {"aws_lb_target_group.this": "create", "aws_vpc.this": "update"}
    project.apply()
    assert project.unchanged()

    changed = (
        NETWORK.replace("enable_dns_hostnames = true", "")  # removed from the configuration
        .replace("10.0.0.0/24", "10.0.1.0/24")
        .replace('"first"', '"second"')
        .replace("443", "8443")
        .replace("count = 2", "count = 1")
        .replace("port     = 80", "port     = 81")
        .replace('"eu-west-3"', '"eu-west-2"')
    )
    assert project.actions(changed) == {
        "aws_subnet.a": "replace",
        "aws_launch_template.this": "update",
        "aws_security_group.this": "update",
        "aws_eip.twin[1]": "delete",
        "aws_lb_target_group.this": "replace",
        "aws_sns_topic.paris": "replace",
    }
    before = project.state()
    project.apply()
    after = project.state()
    assert after["aws_launch_template.this"]["latest_version"] == 2
    assert after["aws_launch_template.this"]["id"] == before["aws_launch_template.this"]["id"]
    assert after["aws_subnet.a"]["id"] != before["aws_subnet.a"]["id"]
    assert project.unchanged()
    project.run("destroy", "-auto-approve")
    with sqlite3.connect(project.cloud) as database:
        assert database.execute("SELECT count(*) FROM objects").fetchone() == (0,)


def test_a_changed_argument_inside_a_block_replaces(tmp_path: Path) -> None:
    cluster = """
resource "aws_eks_cluster" "this" {
  name     = "main"
  role_arn = "arn:aws:iam::123456789012:role/eks"
  vpc_config { subnet_ids = ["subnet-1", "subnet-2"] }
  kubernetes_network_config { service_ipv4_cidr = "172.20.0.0/16" }
}
"""
    project = Project(tmp_path, cluster)
    project.apply()
    assert project.unchanged()
    plan = project.plan(cluster.replace("172.20", "172.21"))
    (change,) = (each["change"] for each in plan["resource_changes"])
    assert change["actions"] == ["delete", "create"]
    assert change["replace_paths"] == [["kubernetes_network_config", 0, "service_ipv4_cidr"]]


def test_import_taint_and_move(tmp_path: Path) -> None:
    topic = 'resource "aws_sns_topic" "{name}" {{\n  name = "alarms"\n}}\n'
    project = Project(tmp_path, topic.format(name="old"))
    project.apply()
    arn = project.state()["aws_sns_topic.old"]["arn"]
    moved = "moved {\n  from = aws_sns_topic.old\n  to = aws_sns_topic.new\n}\n"
    project.apply(topic.format(name="new") + moved)
    assert project.state()["aws_sns_topic.new"]["arn"] == arn
    project.run("state", "rm", "aws_sns_topic.new")
    block = f'import {{\n  to = aws_sns_topic.new\n  id = "{arn}"\n}}\n'
    assert "1 imported, 0 added, 0 changed" in project.apply(topic.format(name="new") + block)
    project.run("state", "rm", "aws_sns_topic.new")
    project.run("import", "aws_sns_topic.new", arn)
    assert project.unchanged()
    project.run("taint", "aws_sns_topic.new")
    assert project.actions() == {"aws_sns_topic.new": "replace"}
    project.run("state", "rm", "aws_sns_topic.new")
    refused = project.run("import", "aws_sns_topic.new", f"{arn}-not", code=1)
    assert "Cannot import non-existent remote object" in refused


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [("cn-north-1", "aws-cn", "amazonaws.com.cn"), ("us-gov-west-1", "aws-us-gov", "amazonaws.com")],
)
def test_other_partitions_have_their_arns(tmp_path: Path, region: str, partition: str, suffix: str) -> None:
    project = Project(
        tmp_path,
        f"""
provider "aws" {{ region = "{region}" }}
data "aws_partition" "this" {{}}
resource "aws_sqs_queue" "this" {{ name = "jobs" }}
output "seen" {{
  value = [data.aws_partition.this.partition, data.aws_partition.this.dns_suffix, aws_sqs_queue.this.arn]
}}
""",
    )
    project.apply()
    arn = f"arn:{partition}:sqs:{region}:123456789012:jobs"
    assert project.outputs()["seen"] == [partition, suffix, arn]


def test_the_key_order_of_a_policy_is_no_change(tmp_path: Path) -> None:
    def topic(policy: str) -> str:
        return f"""
          resource "aws_sns_topic_policy" "this" {{
            arn    = "arn:aws:sns:us-east-1:123456789012:x"
            policy = <<-EOT
              {policy}
            EOT
          }}"""

    project = Project(tmp_path, topic('{"Version": "2012-10-17", "Statement": []}'))
    project.apply()
    assert project.actions(topic('{"Statement":[],"Version":"2012-10-17"}')) == {}
    assert project.actions(topic('{"Statement":[],"Version":"2008-10-17"}')) == {
        "aws_sns_topic_policy.this": "update"
    }


ENCRYPTED = """
resource "aws_s3_bucket" "files" {
  bucket = "acme-files"
}
resource "aws_s3_bucket_server_side_encryption_configuration" "files" {
  bucket = aws_s3_bucket.files.id
  rule {
    %s
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}
"""


def test_blocked_sse_c_is_no_difference_in_plans(tmp_path: Path) -> None:
    project = Project(tmp_path, ENCRYPTED % "")
    project.apply()
    assert project.actions() == {}
    assert project.actions(ENCRYPTED % 'blocked_encryption_types = ["SSE-C"]') == {}
    encryption = "aws_s3_bucket_server_side_encryption_configuration.files"
    assert project.actions(ENCRYPTED % 'blocked_encryption_types = ["NONE"]') == {encryption: "update"}
