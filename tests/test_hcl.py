"""The HCL says what the JSON says: real terraform plans both, and the plans are equal."""

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
from tierra.hcl.__main__ import GENERATED, Hcl
from tierra.hcl.strings import HclError
from tierra.hcl.values import parse
from tierra.run.override import NAME, rehearsed, save

PROVIDER = {"aws": [{"region": "us-east-1", "allowed_account_ids": ["123456789012"]}]}


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "module")


@pytest.fixture(scope="module")
def folders(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Copies of the output folders, beside whose JSON the HCL is written."""
    copies = tmp_path_factory.mktemp("hcl")
    return {name: shutil.copytree(folder, copies / name) for name, folder in folders.items()}


def write(out: Path, name: str, *tiers: str, own: str = "") -> str:
    """`make hcl`, less make; what it prints."""
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


def producers(folder: Path, tier: str) -> list[str]:
    """The tiers whose states a tier reads."""
    generated = json.loads((folder / "stacks" / tier / "cdk.tf.json").read_text())
    return list(generated.get("data", {}).get("terraform_remote_state", {}))


# --- every tier of every environment ------------------------------------------------------------------------


@cache
def as_hcl(folder: Path, name: str) -> Path:
    """All tiers as HCL, written once."""
    write(folder, name, *order())
    return folder / "hcl"


def tiers_of(folder: Path, scratch: Path) -> Iterator[tuple[str, Pair]]:
    """Tiers in order, each with a folder to plan it in. Producers are those of the applied sandbox, except
    tiers that the caller applied in their folders."""
    states = {tier: applied() / f".rehearsal/sandbox/{tier}.tfstate" for tier in order()}
    for tier in order():
        pair = Pair(scratch / tier, scratch / "cloud.sqlite")
        producer_states = {need: states[need] for need in producers(folder, tier)}
        save(pair.folder / NAME, rehearsed(pair.folder, pair.folder / STATE, producer_states))
        yield tier, pair
        if (pair.folder / STATE).exists():
            states[tier] = pair.folder / STATE


@pytest.mark.parametrize("name", ["production", "sandbox"])
def test_the_plan_of_the_hcl_is_the_plan_of_the_json(
    folders: dict[str, Path], tmp_path: Path, name: str
) -> None:
    check_format(as_hcl(folders[name], name))
    for tier, pair in tiers_of(folders[name], tmp_path):
        if name == "sandbox":
            plan = json.loads((applied() / f"cdktf.out/sandbox/stacks/{tier}/{APPLIED}").read_text())
        else:
            plan = pair.plan(contents(folders[name] / "stacks" / tier))
        assert created(plan) == generated(folders[name], tier)
        assert essence(pair.plan(contents(folders[name] / "hcl" / tier))) == essence(plan), tier
        if tier == "network" and name == "production":  # its NAT gateways are not those of the sandbox
            pair.project.run("apply", "plan")


def test_a_plan_of_staging_creates_what_is_generated(folders: dict[str, Path], tmp_path: Path) -> None:
    for tier, pair in tiers_of(folders["staging"], tmp_path):
        plan = pair.plan(contents(folders["staging"] / "stacks" / tier))
        assert created(plan) == generated(folders["staging"], tier)


def test_staging_has_no_argument_that_production_and_the_sandbox_lack(folders: dict[str, Path]) -> None:
    """So the plans of their HCL prove the HCL of staging, too."""
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
        resources = json.loads((folder / "stacks" / tier / GENERATED).read_text())["resource"]
        for terraform_type, named in resources.items():
            for resource in named.values():
                yield from below(resource, terraform_type)


def generated(folder: Path, tier: str) -> dict[str, int]:
    """How many resources of each type a tier has."""
    resources = json.loads((folder / "stacks" / tier / GENERATED).read_text())["resource"]
    return {terraform_type: len(named) for terraform_type, named in resources.items()}


def created(plan: dict[str, Any]) -> Counter[str]:
    """How many resources of each type a plan creates; it does nothing else."""
    changes = [each for each in plan["resource_changes"] if each["mode"] == "managed"]
    assert {action for each in changes for action in each["change"]["actions"]} == {"create"}
    return Counter(each["type"] for each in changes)


@pytest.mark.parametrize("name", ["sandbox", pytest.param("production", marks=pytest.mark.soak)])
def test_what_one_leaves_with_changes_nothing_of_what_the_json_built(
    folders: dict[str, Path], tmp_path: Path, name: str
) -> None:
    write(folders[name], name, *order(), own="yes")
    check_format(folders[name] / "own")
    states = {tier: tmp_path / tier / STATE for tier in order()}
    built = applied() / ".rehearsal" / "sandbox" if name == "sandbox" else None
    if built:
        for file in built.glob("cloud.sqlite*"):  # what SQLite has not yet moved into the first is beside it
            shutil.copy(file, tmp_path)
    for tier in order():
        pair = Pair(tmp_path / tier, tmp_path / "cloud.sqlite")
        local = {need: states[need] for need in producers(folders[name], tier)}
        save(pair.folder / NAME, rehearsed(pair.folder, states[tier], local))
        if built:
            shutil.copy(built / f"{tier}.tfstate", states[tier])
        else:
            pair.plan(contents(folders[name] / "stacks" / tier))
            pair.project.run("apply", "plan")
        again = pair.plan(contents(folders[name] / "own" / tier))
        changed = [
            each["address"]
            for each in again["resource_changes"]
            if each["change"]["actions"] not in (["no-op"], ["read"])
        ]
        assert changed == [], tier
        outputs = again.get("output_changes", {}).items()
        assert [output for output, each in outputs if each["actions"] != ["no-op"]] == [], tier
        assert len(again["prior_state"]["values"]["root_module"]["resources"]) > 1


def test_what_one_leaves_with_says_a_name_once_and_nothing_of_tierra(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "production"
    shutil.copytree(folders["production"], out, ignore=shutil.ignore_patterns("hcl"))
    write(out, "production", *order(), own="yes")
    assert not (out / "hcl").exists()
    for tier in order():
        files = contents(out / "own" / tier)
        own = {file: text_of for file, text_of in files.items() if "/" not in file}
        assert 'stem        = "${local.project}-${local.environment}"' in own["locals.tf"]
        rest = "\n".join(text_of for file, text_of in own.items() if file not in ("locals.tf", "versions.tf"))
        assert "Written by Tierra" not in rest
        assert not re.search(r"^# (modules|tierra)/", rest, re.M)
        texts = [line for line in rest.splitlines() if not line.strip().startswith("description")]
        assert [
            line for line in texts if re.search(r"acme-production(?!\w)|us-east-1|123456789012", line)
        ] == []
    compute = contents(out / "own" / "compute")["addons.tf"]
    assert "configuration_values = jsonencode({" in compute
    assert "Backup      = local.stem" in compute


FACTS = {"project": "acme", "environment": "dev", "account": "123456789012", "region": "us-east-1"}


@pytest.mark.parametrize(
    ("text_of", "owned"),
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
def test_what_becomes_of_a_text(text_of: str, owned: str) -> None:
    made = owning.owned({"resource": {"aws_vpc": {"a": {"tags": {"Name": text_of}}}}}, FACTS)
    assert made["resource"]["aws_vpc"]["a"]["tags"]["Name"] == owned
    assert ("locals" in made) == (owned != text_of)


@pytest.mark.parametrize(
    ("file", "content", "clashes"),
    [
        ("own_a.tf", 'locals {\n  a = 1\n  stem = "x"\n}\n', True),
        ("own_a.tf.json", '{"locals": {"stem": "x"}}', True),
        ("own_a.tf", 'locals {\n  system = "x"\n}\nresource "a" "b" {\n  stem = 1\n}\n', False),
        ("files/a.tf", 'locals {\n  stem = "x"\n}\n', False),
    ],
)
def test_own_terraform_has_no_local_of_these_names(file: str, content: str, clashes: bool) -> None:
    if not clashes:
        owning.check(["stem"], {file: content.encode()})
        return
    with pytest.raises(HclError, match="remedy: choose another name"):
        owning.check(["stem"], {file: content.encode()})


def test_what_is_read_before_locals_stays() -> None:
    configuration = {
        "terraform": {"backend": {"s3": {"bucket": "acme-dev"}}},
        "resource": {
            "aws_vpc": {"a": {"depends_on": ["acme-dev"], "lifecycle": {"ignore_changes": ["dev"]}}}
        },
        "moved": [{"from": "aws_vpc.acme-dev", "to": "aws_vpc.a"}],
    }
    assert owning.owned(configuration, FACTS) == configuration


def test_policies_are_expressions_and_no_json_stays_a_quoted_text(folders: dict[str, Path]) -> None:
    """What AWS compares as a document needs `documents` among the facts of its type. What it compares letter
    by letter must be generated as jsonencode writes it: keys sorted, no spaces."""
    found = contents(as_hcl(folders["production"], "production"))
    texts = [line.strip() for text_of in found.values() for line in text_of.splitlines() if '"{\\"' in line]
    assert texts == []
    policies = [
        line
        for text_of in found.values()
        for line in text_of.splitlines()
        if re.match(r"  (assume_role_)?policy(_document)? +=", line)
    ]
    assert len(policies) > 50
    assert all(line.endswith("= jsonencode({") for line in policies)


def test_a_block_is_in_the_file_of_its_module_with_its_name(folders: dict[str, Path]) -> None:
    found = contents(as_hcl(folders["production"], "production") / "data")
    for text_of in found.values():
        assert text_of.startswith("# Written by Tierra from environments/production.yaml; change that file")
    for file, address in {
        "postgres.tf": "aws_db_instance.postgres",
        "redis.tf": "aws_elasticache_replication_group.redis",
        "keys.tf": "aws_kms_key.postgres",
        "password.tf": "aws_secretsmanager_secret.postgres",
    }.items():
        terraform_type, name = address.split(".")
        made_by = f"# modules/data/{Path(file).stem}.py\n"
        assert f'{made_by}resource "{terraform_type}" "{name}" {{\n' in found[file]
    kinds = ['"aws_kms_key" "postgres"', '"aws_kms_alias" "postgres"', '"aws_kms_key" "redis"']
    headers = [f"resource {kind} {{" for kind in kinds]
    assert sorted(headers, key=found["keys.tf"].index) == headers
    assert '# modules/data/password.py\nephemeral "aws_secretsmanager_' in found["password.tf"]
    assert '# modules/data/tier.py\ndata "terraform_remote_state" "network" {' in found["main.tf"]
    assert '# modules/data/tier.py\noutput "' in found["outputs.tf"]
    assert '# tierra/terraform/stack.py\nprovider "aws" {' in found["versions.tf"]
    assert "hashicorp/aws" in found["versions.tf"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_block_says_where_it_came_from_and_stands_once(folders: dict[str, Path], name: str) -> None:
    sources = json.loads((folders[name] / "sources.json").read_text())
    for tier in order():
        configuration = parse((folders[name] / "stacks" / tier / GENERATED).read_text(encoding="utf-8"))
        files = Hcl(configuration, sources[tier], schemas(), tier, "environments/trial.yaml").files()
        lines = [line for text_of in files.values() for line in text_of.splitlines()]
        starts = [number for number, line in enumerate(lines) if line.endswith("{") and line[0] not in " #"]
        assert [
            lines[number]
            for number in starts
            if not lines[number - 1].startswith(("# modules/", "# tierra/"))
        ] == []
        assert all((ROOT / lines[number - 1].removeprefix("# ")).is_file() for number in starts)
        elements = [
            (kind, each)
            for kind in ("data", "ephemeral", "resource")
            for each in configuration.get(kind, {}).values()
        ]
        named = sum(len(each) for _, each in elements) + len(configuration["output"])
        assert len(starts) == named + len(configuration["provider"]) + 1


def test_the_hcl_is_the_same_at_every_run_and_old_files_go(folders: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "production"
    shutil.copytree(folders["production"], out)
    chart = out / "stacks" / "gateway" / "charts" / "cluster"
    (out / "stacks" / "gateway" / ".terraform").mkdir()

    printed = write(out, "production", "gateway")
    folder = out / "hcl" / "gateway"
    assert printed.startswith(f"hcl: {folder}: autoscaler.tf, cluster.tf, ")
    assert (folder / "charts/cluster/values.yaml").read_text() == (chart / "values.yaml").read_text()
    first = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files_of(folder)}

    for name in ("old.tf", "charts/old/Chart.yaml", ".terraform/kept", "terraform.tfstate"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (chart / "values.yaml").unlink()
    write(out, "production", "gateway")
    left = {path.relative_to(folder).as_posix() for path in files_of(folder)}
    before = {path.relative_to(folder).as_posix() for path in first}
    kept = {".terraform/kept", "terraform.tfstate"}
    assert left == (before - {"charts/cluster/values.yaml"}) | kept
    assert not (folder / "charts/old").exists()
    for path, (content, time) in first.items():
        if path.exists():
            assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, time)


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_hcl_that_differs_is_noticed(pair: Pair) -> None:
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
        changed = {name: re.sub(right, wrong, text_of) for name, text_of in files.items()}
        assert changed != files
        assert essence(pair.plan(changed)) != as_json, right


# --- what the generated Terraform might hold one day --------------------------------------------------------


def test_every_kind_of_block_and_argument_plans_alike(pair: Pair) -> None:
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


def test_rules_of_waf_are_blocks_down_to_the_deepest(pair: Pair) -> None:
    """`statement` has no type in the bindings; the rehearsal has its schema, and refuses what is no block."""
    match = {
        "byte_match_statement": {
            "field_to_match": {"single_header": {"name": "host"}},
            "positional_constraint": "EXACTLY",
            "search_string": 'a "quoted" \\ ${"x"} $${y}',
            "text_transformation": [{"priority": 0, "type": "NONE"}, {"priority": 1, "type": "LOWERCASE"}],
        }
    }
    other = {"geo_match_statement": {"country_codes": ["NL", "FR"]}}
    statements = {
        "deep": {"and_statement": {"statement": [{"not_statement": {"statement": [match]}}, other]}},
        "rate": {
            "rate_based_statement": {
                "limit": 100,
                "aggregate_key_type": "CUSTOM_KEYS",
                "custom_key": [{"ip": {}}, {"header": {"name": "x", "text_transformation": []}}],
                "scope_down_statement": {"or_statement": {"statement": [match, other]}},
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
    seen = {"cloudwatch_metrics_enabled": True, "metric_name": "x", "sampled_requests_enabled": True}
    rules = [
        {"name": name, "priority": number, "statement": statement, "visibility_config": seen, **action}
        for number, (name, statement) in enumerate(statements.items())
        for action in [{"override_action": {"none": {}}} if name == "managed" else {"action": {"block": {}}}]
    ]
    acl = {"name": "a", "scope": "REGIONAL", "default_action": {"allow": {}}, "visibility_config": seen}
    plan = pair.equal(
        {"provider": PROVIDER, "resource": {"aws_wafv2_web_acl": {"this": {**acl, "rule": rules}}}}
    )
    planned = plan["resource_changes"][0]["change"]["after"]["rule"]
    assert {rule["name"] for rule in planned} == set(statements)
    (deep,) = [rule for rule in planned if rule["name"] == "deep"]
    inner = deep["statement"][0]["and_statement"][0]["statement"][0]["not_statement"][0]["statement"][0]
    assert inner["byte_match_statement"][0]["search_string"] == 'a "quoted" \\ x ${y}'


def test_policies_keep_references_variables_and_what_json_escapes(pair: Pair) -> None:
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
    written = text(configuration)
    assert written.count("jsonencode({\n") == 4
    assert f"[tostring(local.port), tostring(local.port), tostring({alarm}.this.period)]" in written
    assert '["AWS/S3", "NumberOfObjects", "BucketName", aws_s3_bucket.this.id]' in written
    assert '        Resource = "arn:aws:s3:::${local.name}/$${aws:username}/*"\n' in written
    assert "        Resource = aws_s3_bucket.this.arn\n" in written
    assert '  dashboard_body = "{\\"Statement\\":${jsonencode([{ Effect = "Allow" }])}}"\n' in written


def test_a_text_of_json_that_aws_compares_by_letter_stays_as_it_is(pair: Pair) -> None:
    """Add-ons compare the text of their configuration; it is written anew only where that is the same."""
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


def test_lifecycle_means_the_same(pair: Pair) -> None:
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
    refused = pair.project.run("plan", "-destroy", code=1)
    assert "aws_vpc.guarded" in refused
    assert "prevent_destroy" in refused


@pytest.mark.parametrize(
    ("configuration", "named"),
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
def test_what_has_no_hcl_is_named_and_not_guessed(configuration: dict[str, Any], named: str) -> None:
    with pytest.raises(HclError, match=named.replace(".", r"\.")):
        hcl_files(configuration)


# --- form ---------------------------------------------------------------------------------------------------


def test_long_texts_are_heredocs_and_references_are_bare() -> None:
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
