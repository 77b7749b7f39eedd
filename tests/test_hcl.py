"""Tests of make hcl: real terraform plans the HCL as it plans the JSON."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import ENVIRONMENTS, ROOT
from support.hcl import STATE, Pair, check_format, contents, essence, hcl_files, schemas, text
from support.living import APPLIED
from support.project import applied
from support.rehearsing import installed, terraform_command

from modules.architecture import order
from tierra.hcl import owning
from tierra.hcl.__main__ import GENERATED, Hcl, formatted
from tierra.hcl.strings import HclError
from tierra.hcl.values import parse
from tierra.run.override import NAME, rehearsed, save

PROVIDER = {"aws": [{"region": "us-east-1", "allowed_account_ids": ["123456789012"]}]}


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "module")


@pytest.fixture(scope="module")
def folders(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Copies of the output folders, to which tests add HCL."""
    copies = tmp_path_factory.mktemp("hcl")
    return {name: shutil.copytree(folder, copies / name) for name, folder in folders.items()}


def write(out: Path, name: str, *tiers: str, own: str = "") -> str:
    """Writes HCL as make hcl does, with OWN. Returns the printed text."""
    installed()
    run = subprocess.run(
        [
            *(sys.executable, "-m", "tierra.hcl", *terraform_command()),
            *(str(out), f"environments/{name}.yaml", *tiers),
        ],
        cwd=ROOT,
        env={**os.environ, "OWN": own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_hcl_is_formatted_in_a_folder_that_is_reached_through_a_symbolic_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """terraform believes PWD, as the shell sets it."""
    folder, link = tmp_path / "deep" / "er" / "folder", tmp_path / "link"
    folder.mkdir(parents=True)
    link.symlink_to(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PWD", str(link))
    [terraform] = terraform_command()
    assert formatted(terraform, {"state": {"main.tf": "a=1\n"}}) == {"state": {"main.tf": "a = 1\n"}}


def producers(folder: Path, tier: str) -> list[str]:
    """The tiers whose states a tier reads."""
    return list(root_module(folder, tier).get("data", {}).get("terraform_remote_state", {}))


def root_module(folder: Path, tier: str) -> dict[str, Any]:
    """The generated JSON of a tier."""
    body: dict[str, Any] = json.loads((folder / "stacks" / tier / GENERATED).read_text())
    return body


# --- every tier of every environment ------------------------------------------------------------------------


@cache
def hcl_of(folder: Path, name: str) -> Path:
    """The folder with the HCL of all tiers, written once."""
    write(folder, name, *order())
    return folder / "hcl"


def tiers_of(folder: Path, scratch: Path) -> Iterator[tuple[str, Pair]]:
    """The tiers in order, each with a folder for its plans. They read the states of the applied sandbox, or
    of tiers that the caller applied in these folders."""
    states = {tier: applied() / f".rehearsal/sandbox/{tier}.tfstate" for tier in order()}
    for tier in order():
        pair = Pair(scratch / tier, scratch / "cloud.sqlite")
        producer_states = {producer: states[producer] for producer in producers(folder, tier)}
        save(pair.folder / NAME, rehearsed(pair.folder, pair.folder / STATE, producer_states))
        yield tier, pair
        if (pair.folder / STATE).exists():
            states[tier] = pair.folder / STATE


@pytest.mark.parametrize("name", ["production", "sandbox"])
def test_hcl_and_json_have_equal_plans(folders: dict[str, Path], tmp_path: Path, name: str) -> None:
    check_format(hcl_of(folders[name], name))
    for tier, pair in tiers_of(folders[name], tmp_path):
        if name == "sandbox":
            plan = json.loads((applied() / f"cdktf.out/sandbox/stacks/{tier}/{APPLIED}").read_text())
        else:
            plan = pair.plan(contents(folders[name] / "stacks" / tier))
        assert created(plan) == generated(folders[name], tier)
        assert essence(pair.plan(contents(folders[name] / "hcl" / tier))) == essence(plan), tier
        if tier == "network" and name == "production":  # it has more NAT gateways than the sandbox
            pair.project.run("apply", "plan")


def test_plan_of_staging_creates_every_generated_resource(folders: dict[str, Path], tmp_path: Path) -> None:
    for tier, pair in tiers_of(folders["staging"], tmp_path):
        plan = pair.plan(contents(folders["staging"] / "stacks" / tier))
        assert created(plan) == generated(folders["staging"], tier)


def test_arguments_of_staging_are_in_production_or_the_sandbox(folders: dict[str, Path]) -> None:
    """Plans of the HCL of production and the sandbox therefore cover the HCL of staging."""
    staging, *others = ({*arguments(folders[name])} for name in ("staging", "production", "sandbox"))
    assert staging
    assert staging <= set().union(*others)


def arguments(folder: Path) -> Iterator[str]:
    """Paths of all arguments of the resources of an environment: `aws_vpc.tags.Name`."""

    def below(value: Any, path: str) -> Iterator[str]:
        yield path
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from below(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for inner in value:
                yield from below(inner, path)

    for tier in order():
        for terraform_type, named in root_module(folder, tier)["resource"].items():
            for resource in named.values():
                yield from below(resource, terraform_type)


def generated(folder: Path, tier: str) -> dict[str, int]:
    """The number of generated resources of each type in a tier."""
    resources = root_module(folder, tier)["resource"]
    return {terraform_type: len(named) for terraform_type, named in resources.items()}


def created(plan: dict[str, Any]) -> Counter[str]:
    """The number of resources of each type that a plan creates. Fails if the plan has other actions."""
    changes = [change for change in plan["resource_changes"] if change["mode"] == "managed"]
    assert {action for change in changes for action in change["change"]["actions"]} == {"create"}
    return Counter(change["type"] for change in changes)


@pytest.mark.parametrize("name", ["sandbox", pytest.param("production", marks=pytest.mark.soak)])
def test_exported_hcl_plans_no_changes_on_the_applied_json(
    folders: dict[str, Path], tmp_path: Path, name: str
) -> None:
    write(folders[name], name, *order(), own="yes")
    check_format(folders[name] / "own")
    states = {tier: tmp_path / tier / STATE for tier in order()}
    applied_states = applied() / ".rehearsal" / "sandbox" if name == "sandbox" else None
    if applied_states:
        for file in applied_states.glob("cloud.sqlite*"):  # with the write-ahead log of SQLite
            shutil.copy(file, tmp_path)
    for tier in order():
        pair = Pair(tmp_path / tier, tmp_path / "cloud.sqlite")
        producer_states = {producer: states[producer] for producer in producers(folders[name], tier)}
        save(pair.folder / NAME, rehearsed(pair.folder, states[tier], producer_states))
        if applied_states:
            shutil.copy(applied_states / f"{tier}.tfstate", states[tier])
        else:
            pair.plan(contents(folders[name] / "stacks" / tier))
            pair.project.run("apply", "plan")
        plan = pair.plan(contents(folders[name] / "own" / tier))
        changed = [
            each["address"]
            for each in plan["resource_changes"]
            if each["change"]["actions"] not in (["no-op"], ["read"])
        ]
        assert changed == [], tier
        outputs = plan.get("output_changes", {}).items()
        assert [output for output, each in outputs if each["actions"] != ["no-op"]] == [], tier
        assert len(plan["prior_state"]["values"]["root_module"]["resources"]) > 1


def test_exported_hcl_repeats_no_names_and_does_not_mention_tierra(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "production"
    shutil.copytree(folders["production"], out, ignore=shutil.ignore_patterns("hcl"))
    write(out, "production", *order(), own="yes")
    assert not (out / "hcl").exists()
    for tier in order():
        files = contents(out / "own" / tier)
        root_files = {file: content for file, content in files.items() if "/" not in file}
        assert 'stem        = "${local.project}-${local.environment}"' in root_files["locals.tf"]
        other_files = "\n".join(
            content for file, content in root_files.items() if file not in ("locals.tf", "versions.tf")
        )
        assert "Written by Tierra" not in other_files
        assert not re.search(r"^# (modules|tierra)/", other_files, re.M)
        lines = [line for line in other_files.splitlines() if not line.strip().startswith("description")]
        assert [
            line for line in lines if re.search(r"acme-production(?!\w)|us-east-1|123456789012", line)
        ] == []
    compute = contents(out / "own" / "compute")["addons.tf"]
    assert "configuration_values = jsonencode({" in compute
    assert "Backup      = local.stem" in compute


FACTS = {"project": "acme", "environment": "dev", "account": "123456789012", "region": "us-east-1"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("acme-dev-postgres", "${local.stem}-postgres"),
        ("aws-waf-logs-acme-dev", "aws-waf-logs-${local.stem}"),
        ("acme-device", "acme-device"),
        ("xacme-dev", "xacme-dev"),
        ("acme-dev.${aws_vpc.a.id}.acme-dev", "${local.stem}.${aws_vpc.a.id}.acme-dev"),
        ("${acme-dev}", "${acme-dev}"),
        ("$${acme-dev}", "$${${local.stem}}"),
        ("us-east-1b", "${local.region}b"),
        ("us-east-11", "us-east-11"),
        ("arn:aws:iam::123456789012:role/x", "arn:aws:iam::${local.account}:role/x"),
        ("1234567890123", "1234567890123"),
        ("/acme/dev/systems/x", "/${local.path}/systems/x"),
        ("dev", "${local.environment}"),
        ("dev ${aws_vpc.a.id}", "dev ${aws_vpc.a.id}"),
        ("the dev", "the dev"),
    ],
)
def test_exported_texts_refer_to_locals(value: str, expected: str) -> None:
    configuration = owning.owned({"resource": {"aws_vpc": {"a": {"tags": {"Name": value}}}}}, FACTS)
    assert configuration["resource"]["aws_vpc"]["a"]["tags"]["Name"] == expected
    assert ("locals" in configuration) == (expected != value)


@pytest.mark.parametrize(
    ("file", "content", "clashes"),
    [
        ("own_a.tf", 'locals {\n  a = 1\n  stem = "x"\n}\n', True),
        ("own_a.tf.json", '{"locals": {"stem": "x"}}', True),
        ("own_a.tf", 'locals {\n  system = "x"\n}\nresource "a" "b" {\n  stem = 1\n}\n', False),
        ("files/a.tf", 'locals {\n  stem = "x"\n}\n', False),
    ],
)
def test_own_terraform_with_a_local_of_the_same_name_is_refused(
    file: str, content: str, clashes: bool
) -> None:
    if not clashes:
        owning.check(["stem"], {file: content.encode()})
        return
    with pytest.raises(HclError, match="remedy: choose another name"):
        owning.check(["stem"], {file: content.encode()})


def test_settings_that_cannot_use_locals_are_unchanged() -> None:
    configuration = {
        "terraform": {"backend": {"s3": {"bucket": "acme-dev"}}},
        "resource": {
            "aws_vpc": {"a": {"depends_on": ["acme-dev"], "lifecycle": {"ignore_changes": ["dev"]}}}
        },
        "moved": [{"from": "aws_vpc.acme-dev", "to": "aws_vpc.a"}],
    }
    assert owning.owned(configuration, FACTS) == configuration


def test_json_documents_are_jsonencode_expressions(folders: dict[str, Path]) -> None:
    """An argument that AWS compares as a document needs `documents` among the facts of its type. A text that
    AWS compares as a string must be generated as jsonencode writes it: keys sorted, no spaces."""
    files = contents(hcl_of(folders["production"], "production"))
    quoted = [line.strip() for content in files.values() for line in content.splitlines() if '"{\\"' in line]
    assert quoted == []
    policies = [
        line
        for content in files.values()
        for line in content.splitlines()
        if re.match(r"  (assume_role_)?policy(_document)? +=", line)
    ]
    assert len(policies) > 50
    assert all(line.endswith("= jsonencode({") for line in policies)


def test_blocks_are_in_the_file_of_their_module(folders: dict[str, Path]) -> None:
    files = contents(hcl_of(folders["production"], "production") / "data")
    for content in files.values():
        assert content.startswith("# Written by Tierra from environments/production.yaml; change that file")
    for file, address in {
        "postgres.tf": "aws_db_instance.postgres",
        "redis.tf": "aws_elasticache_replication_group.redis",
        "keys.tf": "aws_kms_key.postgres",
        "password.tf": "aws_secretsmanager_secret.postgres",
    }.items():
        terraform_type, name = address.split(".")
        source = f"# modules/data/{Path(file).stem}.py\n"
        assert f'{source}resource "{terraform_type}" "{name}" {{\n' in files[file]
    kinds = ['"aws_kms_key" "postgres"', '"aws_kms_alias" "postgres"', '"aws_kms_key" "redis"']
    headers = [f"resource {kind} {{" for kind in kinds]
    assert sorted(headers, key=files["keys.tf"].index) == headers
    assert '# modules/data/password.py\nephemeral "aws_secretsmanager_' in files["password.tf"]
    assert '# modules/data/tier.py\ndata "terraform_remote_state" "network" {' in files["main.tf"]
    assert '# modules/data/tier.py\noutput "' in files["outputs.tf"]
    assert '# tierra/terraform/stack.py\nprovider "aws" {' in files["versions.tf"]
    assert "hashicorp/aws" in files["versions.tf"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_block_names_its_source_and_appears_once(folders: dict[str, Path], name: str) -> None:
    sources = json.loads((folders[name] / "sources.json").read_text())
    for tier in order():
        configuration = parse((folders[name] / "stacks" / tier / GENERATED).read_text(encoding="utf-8"))
        files = Hcl(configuration, sources[tier], schemas(), tier, "environments/trial.yaml").files()
        lines = [line for content in files.values() for line in content.splitlines()]
        starts = [number for number, line in enumerate(lines) if line.endswith("{") and line[0] not in " #"]
        assert [
            lines[number]
            for number in starts
            if not lines[number - 1].startswith(("# modules/", "# tierra/"))
        ] == []
        assert all((ROOT / lines[number - 1].removeprefix("# ")).is_file() for number in starts)
        types = [
            (kind, named_blocks)
            for kind in ("data", "ephemeral", "resource")
            for named_blocks in configuration.get(kind, {}).values()
        ]
        expected = sum(len(named_blocks) for _, named_blocks in types) + len(configuration["output"])
        assert len(starts) == expected + len(configuration["provider"]) + 1


def test_second_run_keeps_equal_files_and_removes_old_ones(folders: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "production"
    shutil.copytree(folders["production"], out)
    chart = out / "stacks" / "gateway" / "charts" / "cluster"
    (out / "stacks" / "gateway" / ".terraform").mkdir()

    printed = write(out, "production", "gateway")
    folder = out / "hcl" / "gateway"
    assert printed.startswith(f"hcl: {folder}: autoscaler.tf, cluster.tf, ")
    assert (folder / "charts/cluster/values.yaml").read_text() == (chart / "values.yaml").read_text()
    first = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files_of(folder)}

    for name in ("old.tf", "charts/old/Chart.yaml", ".terraform/providers", "terraform.tfstate"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (chart / "values.yaml").unlink()
    write(out, "production", "gateway")
    after = {path.relative_to(folder).as_posix() for path in files_of(folder)}
    before = {path.relative_to(folder).as_posix() for path in first}
    preserved = {".terraform/providers", "terraform.tfstate"}
    assert after == (before - {"charts/cluster/values.yaml"}) | preserved
    assert not (folder / "charts/old").exists()
    for path, (content, time) in first.items():
        if path.exists():
            assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, time)


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_essence_of_different_plans_differs(pair: Pair) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:alarms"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": topic}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    configuration = {
        "resource": {
            "aws_vpc": {"one": {"cidr_block": "10.1.0.0/16"}, "two": {"cidr_block": "10.2.0.0/16"}},
            "aws_subnet": {"this": {"vpc_id": "${aws_vpc.one.id}", "depends_on": ["aws_vpc.two"]}},
            "aws_sns_topic_policy": {"this": {"arn": topic, "policy": json.dumps(policy)}},
        },
        "output": {"this": {"value": "x", "sensitive": True}},
    }
    files = hcl_files(configuration)
    as_json = essence(pair.plan({GENERATED: json.dumps(configuration)}))
    assert essence(pair.plan(files)) == as_json
    for right, wrong in {
        r"vpc_id += aws_vpc.one.id": "vpc_id = aws_vpc.two.id",
        r"  depends_on = \[aws_vpc.two\]\n": "",
        r'"10.2.0.0/16"': '"10.3.0.0/16"',
        r"sensitive += true": "sensitive = false",
        r'Effect += "Allow"': 'Effect = "Deny"',
    }.items():
        changed = {name: re.sub(right, wrong, content) for name, content in files.items()}
        assert changed != files
        assert essence(pair.plan(changed)) != as_json, right


# --- configurations that no environment generates -----------------------------------------------------------


def test_all_kinds_of_blocks_and_arguments_plan_as_json(pair: Pair) -> None:
    plan = pair.equal(
        {
            "terraform": {"required_version": ">= 1.11", "backend": {"s3": {"bucket": "${a}", "key": "k"}}},
            "provider": {
                **PROVIDER,
                "helm": [
                    {
                        "kubernetes": {
                            "host": "https://example.com",
                            "exec": {"api_version": "v1", "command": "aws", "args": ["eks", "get-token"]},
                        }
                    }
                ],
            },
            "locals": {"zones": ["a", "b"], "name": "acme", "none": None, "deep": [[{"a": []}, {}], []]},
            "data": {"aws_caller_identity": {"this": {}}},
            "ephemeral": {"aws_secretsmanager_random_password": {"this": {"password_length": 40}}},
            "resource": {
                "aws_secretsmanager_secret": {"this": {"name_prefix": "${local.name}-"}},
                "aws_secretsmanager_secret_version": {
                    "this": {
                        "secret_id": "${aws_secretsmanager_secret.this.id}",
                        "secret_string_wo": (
                            "${ephemeral.aws_secretsmanager_random_password.this.random_password}"
                        ),
                        "secret_string_wo_version": 1,
                    }
                },
                "aws_security_group": {
                    "this": {
                        "name": "a",
                        "ingress": [
                            {
                                "description": "",
                                "from_port": 1,
                                "to_port": 2,
                                "protocol": "tcp",
                                "cidr_blocks": ["10.0.0.0/8"],
                                "ipv6_cidr_blocks": [],
                                "prefix_list_ids": [],
                                "security_groups": [],
                                "self": False,
                            }
                        ],
                        "timeouts": {"create": "5m"},
                        "tags": {"Name": "a", "kubernetes.io/role/elb": "1", "for": "x", "null": "y"},
                    }
                },
                "aws_subnet": {
                    "each": {
                        "for_each": "${toset(local.zones)}",
                        "vpc_id": "vpc-1",
                        "availability_zone": "us-east-1${each.key}",
                        "depends_on": ["aws_security_group.this", "data.aws_caller_identity.this"],
                    }
                },
                "helm_release": {
                    "this": {
                        "name": "own",
                        "chart": "./charts/own",
                        "values": [
                            "one: 1\ntwo: '${local.name}'\n",
                            "three: |\n  $${HOME}\n\n  end\n",
                            "four: 4",
                        ],
                        "set": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
                    }
                },
                "terraform_data": {
                    "this": {
                        "input": {"id": "${data.aws_caller_identity.this.account_id}", "n": 1.5},
                        "lifecycle": {
                            "precondition": [
                                {"condition": "${length(local.zones) > 1}", "error_message": "one zone only"}
                            ]
                        },
                    }
                },
            },
            "moved": [{"from": "aws_security_group.old", "to": "aws_security_group.this"}],
            "removed": [{"from": "aws_kms_key.old", "lifecycle": {"destroy": False}}],
            "output": {
                "plain": {"value": "${local.zones[1]}", "description": "is ${not} read as a template"},
                "secret": {"value": "x", "sensitive": True, "depends_on": ["aws_security_group.this"]},
            },
        }
    )
    assert len(plan["resource_changes"]) == 7
    description = plan["configuration"]["root_module"]["outputs"]["plain"]["description"]
    assert description == "is ${not} read as a template"


def test_nested_waf_statements_are_blocks(pair: Pair) -> None:
    """`statement` has no type in the bindings. The rehearsal has its schema and refuses other arguments."""
    match = {
        "byte_match_statement": {
            "field_to_match": {"single_header": {"name": "host"}},
            "positional_constraint": "EXACTLY",
            "search_string": 'a "quoted" \\ ${"x"} $${y}',
            "text_transformation": [{"priority": 0, "type": "NONE"}, {"priority": 1, "type": "LOWERCASE"}],
        }
    }
    countries = {"geo_match_statement": {"country_codes": ["NL", "FR"]}}
    statements = {
        "deep": {"and_statement": {"statement": [{"not_statement": {"statement": [match]}}, countries]}},
        "rate": {
            "rate_based_statement": {
                "limit": 100,
                "aggregate_key_type": "CUSTOM_KEYS",
                "custom_key": [{"ip": {}}, {"header": {"name": "x", "text_transformation": []}}],
                "scope_down_statement": {"or_statement": {"statement": [match, countries]}},
            }
        },
        "managed": {
            "managed_rule_group_statement": {
                "name": "AWSManagedRulesCommonRuleSet",
                "vendor_name": "AWS",
                "rule_action_override": [
                    {"name": "A", "action_to_use": {"count": {}}},
                    {"name": "B", "action_to_use": {"block": {}}},
                ],
            }
        },
    }
    statements["rate"]["rate_based_statement"]["custom_key"][1]["header"]["text_transformation"] = [
        {"priority": 0, "type": "NONE"}
    ]
    visibility = {"cloudwatch_metrics_enabled": True, "metric_name": "x", "sampled_requests_enabled": True}
    rules = [
        {"name": name, "priority": number, "statement": statement, "visibility_config": visibility, **action}
        for number, (name, statement) in enumerate(statements.items())
        for action in [{"override_action": {"none": {}}} if name == "managed" else {"action": {"block": {}}}]
    ]
    acl = {"name": "a", "scope": "REGIONAL", "default_action": {"allow": {}}, "visibility_config": visibility}
    plan = pair.equal(
        {"provider": PROVIDER, "resource": {"aws_wafv2_web_acl": {"this": {**acl, "rule": rules}}}}
    )
    planned = plan["resource_changes"][0]["change"]["after"]["rule"]
    assert {rule["name"] for rule in planned} == set(statements)
    (deep,) = [rule for rule in planned if rule["name"] == "deep"]
    inner = deep["statement"][0]["and_statement"][0]["statement"][0]["not_statement"][0]["statement"][0]
    assert inner["byte_match_statement"][0]["search_string"] == 'a "quoted" \\ x ${y}'


def test_policies_keep_references_variables_and_escapes(pair: Pair) -> None:
    def policy(resource: str) -> str:
        statement = {"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": resource}
        tests = {"StringLike": {"s3:prefix": ["<&>", "é \u2028", 'say "\\"', "a\tb", "%%{x}"]}}
        return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Condition": tests}]})

    alarm = "aws_cloudwatch_metric_alarm"
    policies = {
        "known": policy("arn:aws:s3:::${local.name}/$${aws:username}/*"),
        "unknown": policy("${aws_s3_bucket.this.arn}"),
    }
    bodies = {
        "bare": '{"Statement":${jsonencode([{Effect = "Allow"}])}}',
        "repeated": '{"Statement":[],"Statement":[1]}',
        "made_text": json.dumps(["${local.port}", "${~ local.port ~}", f"${{{alarm}.this.period}}"]),
        "numbers": '{"a":1.50,"b":1e3,"c":12345678901234567890,"d":[true,null,-0]}',
    }
    metric = ["AWS/S3", "NumberOfObjects", "BucketName", "${aws_s3_bucket.this.id}"]
    widget = {"type": "metric", "properties": {"metrics": [metric], "title": "${local.name}", "period": 60}}
    configuration = {
        "provider": PROVIDER,
        "locals": {"name": "acme", "port": 5432},
        "resource": {
            "aws_s3_bucket": {"this": {}},
            alarm: {
                "this": {
                    "alarm_name": "a",
                    "comparison_operator": "GreaterThanThreshold",
                    "evaluation_periods": 1,
                    "period": 60,
                }
            },
            "aws_iam_policy": {name: {"policy": document} for name, document in policies.items()},
            "aws_cloudwatch_dashboard": {
                name: {"dashboard_name": name, "dashboard_body": body}
                for name, body in {**bodies, "this": json.dumps({"widgets": [widget]})}.items()
            },
        },
    }
    pair.equal(configuration)
    hcl = text(configuration)
    assert hcl.count("jsonencode({\n") == 4
    assert f"[tostring(local.port), tostring(local.port), tostring({alarm}.this.period)]" in hcl
    assert '["AWS/S3", "NumberOfObjects", "BucketName", aws_s3_bucket.this.id]' in hcl
    assert '        Resource = "arn:aws:s3:::${local.name}/$${aws:username}/*"\n' in hcl
    assert "        Resource = aws_s3_bucket.this.arn\n" in hcl
    assert '  dashboard_body = "{\\"Statement\\":${jsonencode([{ Effect = "Allow" }])}}"\n' in hcl


def test_json_that_aws_compares_as_text_is_unchanged(pair: Pair) -> None:
    """EKS compares the configuration of add-ons as text: jsonencode is used only if it writes the same."""
    addons = {
        "same": '{"a":{"b":"c"},"d":[1,true,null]}',
        "spaces": '{"a": 1}',
        "order": '{"b":1,"a":2}',
        "escaped": '{"a":"<&>"}',
        "number": '{"a":1.0}',
        "reference": '{"a":"${aws_vpc.this.id}"}',
    }
    configuration = {
        "provider": PROVIDER,
        "resource": {
            "aws_vpc": {"this": {"cidr_block": "10.0.0.0/16"}},
            "aws_eks_addon": {
                name: {"addon_name": "a", "cluster_name": "b", "configuration_values": values}
                for name, values in addons.items()
            },
        },
    }
    pair.equal(configuration)
    assert text(configuration).count("jsonencode(") == 1


def test_lifecycle_has_the_same_effect(pair: Pair) -> None:
    def configured(cidr: str) -> dict[str, Any]:
        return {
            "provider": PROVIDER,
            "resource": {
                "aws_vpc": {
                    "guarded": {"cidr_block": "10.0.0.0/16", "lifecycle": {"prevent_destroy": True}},
                    "ignored": {"cidr_block": cidr, "lifecycle": {"ignore_changes": ["cidr_block"]}},
                    "wholly": {"cidr_block": cidr, "lifecycle": {"ignore_changes": "all"}},
                    "first": {"cidr_block": cidr, "lifecycle": {"create_before_destroy": True}},
                    "pulled": {
                        "cidr_block": "10.1.0.0/16",
                        "lifecycle": [{"replace_triggered_by": ["aws_vpc.first.id"]}],
                    },
                }
            },
        }

    pair.hold(hcl_files(configured("10.2.0.0/16")))
    pair.project.apply()
    plan = pair.equal(configured("10.3.0.0/16"))
    actions = {change["name"]: change["change"]["actions"] for change in plan["resource_changes"]}
    assert actions == {
        "guarded": ["no-op"],
        "ignored": ["no-op"],
        "wholly": ["no-op"],
        "first": ["create", "delete"],
        "pulled": ["delete", "create"],
    }
    output = pair.project.run("plan", "-destroy", code=1)
    assert "aws_vpc.guarded" in output
    assert "prevent_destroy" in output


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"module": {"a": {}}}, "module: sections"),
        ({"resource": {"aws_nothing": {"a": {}}}}, "aws_nothing"),
        ({"resource": {"aws_vpc": {"a": {"cidr": "x"}}}}, "aws_vpc.a: cidr:"),
        ({"resource": {"aws_vpc": {"a": {"provisioner": {}}}}}, "aws_vpc.a: provisioner:"),
        ({"resource": {"aws_lb": {"a": {"access_logs": "x"}}}}, "aws_lb.a: access_logs is a block"),
        ({"resource": {"aws_quicksight_dashboard": {"a": {"definition": {}}}}}, "definition:"),
        ({"terraform": {"cloud": {}}}, "terraform: cloud"),
        ({"locals": {"a": "%{ if true ~}\n x\n%{ endif ~}"}}, "locals: '%{ if true"),
    ],
)
def test_unsupported_configuration_is_refused(configuration: dict[str, Any], message: str) -> None:
    with pytest.raises(HclError, match=message.replace(".", r"\.")):
        hcl_files(configuration)


# --- format -------------------------------------------------------------------------------------------------


def test_multiline_texts_are_heredocs_and_references_have_no_quotes() -> None:
    configuration = {
        "output": {
            "script": {
                "value": "#!/bin/sh\n\nif true; then\n  echo ${local.name}\nfi\n",
                "description": "One",
            },
            "open": {"value": "a\nb\nc"},
            "encoded": {"value": "IyEvYmluL3NoCmVjaG8gJHtIT01FfSA+IC9kZXYvbnVsbApleGl0IDAK"},
            "mixed": {"value": ["${local.name}", "x-${local.name}", 'y "z"', True, None, 1.25]},
        }
    }
    assert text(configuration).partition('output "script"')[2] == (
        ' {\n  description = "One"\n  value       = <<-EOT\n    #!/bin/sh\n\n    if true; then\n'
        "      echo ${local.name}\n    fi\n  EOT\n}\n\n"
        'output "open" {\n  value = chomp(<<-EOT\n    a\n    b\n    c\n  EOT\n  )\n}\n\n'
        'output "encoded" {\n  value = base64encode(<<-EOT\n    #!/bin/sh\n    echo $${HOME} > /dev/null\n'
        "    exit 0\n  EOT\n  )\n}\n\n"
        'output "mixed" {\n  value = [local.name, "x-${local.name}", "y \\"z\\"", true, null, 1.25]\n}\n'
    )
