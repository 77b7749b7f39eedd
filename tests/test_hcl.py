"""The HCL twin says what the JSON says: real terraform plans both, and the plans are equal."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import ENVIRONMENTS, ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rehearsing import Project, installed, terraform_command

from modules.architecture import TIERS, order
from rehearsal.catalog import Catalog, catalog_path, read_facts
from rehearsal.override import NAME, rehearsed, save
from review.blocks import HclError, Schemas
from review.hcl import GENERATED, Twin
from review.layout import FILES, WHOLE, file_of
from review.values import encoded, read

STATE = "terraform.tfstate"
INITIALIZED = {
    "terraform": {
        "required_providers": {name: {"source": name} for name in ("aws", "helm")},
        "backend": {"local": {"path": STATE}},
    }
}
PROVIDER = {"aws": [{"region": "us-east-1", "allowed_account_ids": ["123456789012"]}]}
COMPARED = ("resource_changes", "output_changes", "resource_drift")


def twin(configuration: Mapping[str, Any], tier: str = "trial") -> dict[str, str]:
    """The files of the twin of a configuration."""
    return Twin(read(json.dumps(configuration)), schemas(), tier, "environments/trial.yaml").files()


def text(configuration: Mapping[str, Any]) -> str:
    """The twin of a configuration in one text, without comments."""
    lines = "\n".join(twin(configuration).values()).splitlines()
    return "\n".join(line for line in lines if not line.startswith("#")).strip() + "\n"


@cache
def schemas() -> Schemas:
    installed()
    return Schemas(Catalog(catalog_path()))


@cache
def documents() -> dict[str, list[str]]:
    return {name: facts.documents for name, facts in read_facts().items()}


def essence(plan: dict[str, Any]) -> dict[str, Any]:
    """What a plan will do. Arguments that AWS compares as JSON are read as JSON, for the order of keys means
    nothing there; all other texts must be the same to the letter."""
    for change in plan.get("resource_changes", []):
        for side in (change["change"]["before"], change["change"]["after"]):
            for name in documents().get(change["type"], []):
                if side and isinstance(side.get(name), str):
                    side[name] = json.loads(side[name])
    found = {name: plan.get(name) for name in COMPARED}
    root = plan["configuration"]["root_module"]
    found["waits"] = {
        each["address"]: sorted(each.get("depends_on", [])) for each in root.get("resources", [])
    }
    found["outputs"] = {
        name: {key: of for key, of in output.items() if key != "expression"}
        for name, output in root.get("outputs", {}).items()
    }
    return found


class Pair:
    """A root module as JSON or as HCL in one folder: the same state, account and providers."""

    def __init__(self, folder: Path, cloud: Path | None = None) -> None:
        shutil.copytree(initialized(), folder, symlinks=True, dirs_exist_ok=True)
        self.folder = folder
        self.project = Project(folder, command=terraform_command())
        self.project.cloud = cloud or folder / "cloud.sqlite"
        self.hold({})

    def hold(self, files: Mapping[str, str]) -> None:
        """The root module is these files and no others; override and state stay."""
        for old in [*self.folder.glob("*.tf"), self.folder / GENERATED]:
            old.unlink(missing_ok=True)
        for name, content in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(content, encoding="utf-8")

    def plan(self, files: Mapping[str, str]) -> dict[str, Any]:
        self.hold(files)
        self.project.run("plan", "-out=plan")
        plan: dict[str, Any] = json.loads(self.project.run("show", "-json", "plan"))
        return plan

    def equal(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """The plan of a configuration, which is the plan of its twin, whose files are formatted."""
        as_json = self.plan({GENERATED: json.dumps(configuration)})
        as_hcl = self.plan(twin(configuration))
        formatted(self.folder)
        assert essence(as_hcl) == essence(as_json)
        return as_hcl

    def values(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs of its twin, as planned."""
        changes = self.plan(twin(configuration))["output_changes"]
        return {name: change["after"] for name, change in changes.items()}


@cache
def initialized() -> Path:
    """A folder in which terraform was initialized, with both providers and a local state, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="tierra-hcl-"))
    (folder / GENERATED).write_text(json.dumps(INITIALIZED))
    Project(folder, command=terraform_command()).run("init")
    return folder


def formatted(folder: Path) -> None:
    run = subprocess.run(
        [*terraform_command(), "fmt", "-check", "-diff", "-recursive", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[:3000] + run.stderr[:3000]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "module")


def write(out: Path, name: str, *tiers: str) -> str:
    """`make hcl`, less make; what it prints."""
    installed()
    run = subprocess.run(
        [sys.executable, "-m", "review.hcl", str(out), f"environments/{name}.yaml", *tiers],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


# --- every tier of every environment ------------------------------------------------------------------------


def state_of(tier: str, folder: Path) -> Path:
    return folder / tier / STATE


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_plan_of_the_twin_is_the_plan_of_the_json(
    folders: dict[str, Path], tmp_path: Path, name: str
) -> None:
    """Tier by tier, each on the applied twins of those before it. What the twin has made, the JSON finds
    unchanged."""
    write(folders[name], name, *order())
    formatted(folders[name] / "hcl")
    for tier in order():
        generated, twins = folders[name] / "stacks" / tier, folders[name] / "hcl" / tier
        pair = Pair(tmp_path / tier, tmp_path / "cloud.sqlite")
        local = {need: state_of(need, tmp_path) for need in TIERS[tier].needs}
        save(pair.folder / NAME, rehearsed(pair.folder, state_of(tier, tmp_path), local))
        as_json = pair.plan(contents(generated))
        as_hcl = pair.plan(contents(twins))
        assert len(as_json["resource_changes"]) > 1
        assert essence(as_hcl) == essence(as_json), tier
        pair.project.run("apply", "plan")
        pair.hold(contents(generated))
        assert pair.project.unchanged(), tier


def contents(module: Path) -> dict[str, str]:
    """The files of a root module by their path in it."""
    return {
        path.relative_to(module).as_posix(): path.read_text(encoding="utf-8")
        for path in module.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_nothing_stays_a_text_of_json_that_could_be_read(folders: dict[str, Path], name: str) -> None:
    """A policy is an expression in the twin. What stays a text is what AWS compares letter by letter, and
    jsonencode would write in other letters."""
    for tier in order():
        configuration = read((folders[name] / "stacks" / tier / GENERATED).read_text(encoding="utf-8"))
        for text_of in twin(configuration, tier).values():
            for line in text_of.splitlines():
                _, _, right = line.partition(' = "{')
                if right:
                    content = json.loads(f'"{{{right}')
                    assert encoded(read(content)) != content, f"{tier}: {line}: jsonencode writes the same"


def test_every_file_of_a_twin_is_small_and_says_where_it_came_from(folders: dict[str, Path]) -> None:
    configuration = read((folders["production"] / "stacks" / "network" / GENERATED).read_text())
    files = Twin(configuration, schemas(), "network", "environments/production.yaml").files()
    assert {"main.tf", "outputs.tf", "versions.tf", "vpc.tf", "subnets.tf", "security_groups.tf"} <= set(
        files
    )
    for text_of in files.values():
        assert text_of.startswith("# Written by Tierra from environments/production.yaml; change that file")
    for terraform_type, named in configuration["resource"].items():
        for name in named:
            origin = f"# environments/production.yaml > network > resource.{terraform_type}.{name}\n"
            block = f'{origin}resource "{terraform_type}" "{name}" {{'
            assert sum(block in text_of for text_of in files.values()) == 1


def test_the_twin_is_the_same_at_every_run_and_old_files_go(folders: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "production"
    shutil.copytree(folders["production"] / "stacks" / "edge", out / "stacks" / "edge")
    chart = out / "stacks" / "edge" / "charts" / "own"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("name: own\n")
    (chart / "templates" / "one.yaml").write_text("{{ .Values.one }}\n")

    printed = write(out, "production", "edge")
    folder = out / "hcl" / "edge"
    assert printed.startswith(f"hcl: {folder}: certificates.tf, dns.tf, ")
    assert (folder / "charts/own/templates/one.yaml").read_text() == "{{ .Values.one }}\n"
    first = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files_of(folder)}

    for name in ("old.tf", "charts/old/Chart.yaml", ".terraform/kept", "terraform.tfstate"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (chart / "templates" / "one.yaml").unlink()
    write(out, "production", "edge")
    left = {path.relative_to(folder).as_posix() for path in files_of(folder)}
    before = {path.relative_to(folder).as_posix() for path in first}
    kept = {".terraform/kept", "terraform.tfstate"}
    assert left == (before - {"charts/own/templates/one.yaml"}) | kept
    assert not (folder / "charts/old").exists()
    for path, (content, time) in first.items():
        if path.exists():
            assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, time)


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


# --- what the generated Terraform might hold one day --------------------------------------------------------


def test_every_kind_of_block_and_argument_plans_alike(pair: Pair) -> None:
    plan = pair.equal(
        {
            "terraform": {"required_version": ">= 1.11", "backend": {"local": {"path": STATE}}},
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

    roles = {
        "known": policy("arn:aws:s3:::${local.name}/$${aws:username}/*"),
        "unknown": policy("${aws_s3_bucket.this.arn}"),
        "bare": '{"Statement":${jsonencode([{Effect = "Allow"}])}}',
        "repeated": '{"Statement":[],"Statement":[1]}',
        "numbers": '{"a":1.50,"b":1e3,"c":12345678901234567890,"d":[true,null,-0]}',
    }
    configuration = {
        "provider": PROVIDER,
        "locals": {"name": "acme"},
        "resource": {
            "aws_s3_bucket": {"this": {}},
            "aws_iam_policy": {name: {"policy": document} for name, document in roles.items()},
        },
    }
    pair.equal(configuration)
    written = text(configuration)
    assert written.count("jsonencode({\n") == 3
    assert '        Resource = "arn:aws:s3:::${local.name}/$${aws:username}/*"\n' in written
    assert "        Resource = aws_s3_bucket.this.arn\n" in written
    assert '  policy = "{\\"Statement\\":${jsonencode([{Effect = "Allow"}])}}"\n' in written


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
                        "lifecycle": [{"replace_triggered_by": ["${aws_vpc.first.id}"]}],
                    },
                }
            },
        }

    pair.hold(twin(configured("10.2.0.0/16")))
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
        ({"module": {"a": {}}}, "trial: module"),
        ({"resource": {"aws_nothing": {"a": {}}}}, "aws_nothing"),
        ({"resource": {"aws_vpc": {"a": {"cidr": "x"}}}}, "resource.aws_vpc.a: cidr:"),
        ({"resource": {"aws_vpc": {"a": {"provisioner": {}}}}}, "resource.aws_vpc.a: provisioner:"),
        ({"resource": {"aws_lb": {"a": {"access_logs": "x"}}}}, "resource.aws_lb.a: access_logs"),
        ({"resource": {"aws_quicksight_dashboard": {"a": {"definition": {}}}}}, "definition:"),
        ({"terraform": {"cloud": {}}}, "terraform: cloud"),
    ],
)
def test_what_has_no_hcl_is_named_and_not_guessed(configuration: dict[str, Any], named: str) -> None:
    with pytest.raises(HclError, match=named.replace(".", r"\.")):
        twin(configuration)


# --- strings ------------------------------------------------------------------------------------------------

ODD = [
    "",
    " ",
    "\n",
    "\n\n",
    'say "yes"',
    "back\\slash \\n \\",
    "$",
    "$$",
    "$${",
    "${",
    "$$${x}",
    "$$$${x}",
    "${x}",
    "%{ if true }",
    "%",
    "%%{",
    "%%%{",
    "100%",
    "$\n{",
    "{}",
    "[]",
    "{{ .Values.a }} ${{ github.sha }} $labels",
    "tab\tand\rreturn\r\n",
    "\u0000\u0001\u001f\u007f\u0085\u2028\u2029\ufeff",
    "é e\u0301 \u0301 ñ 漢字 🙂 👨\u200d👩\u200d👧 \u202e",
    "one\ntwo\n",
    "one\ntwo",
    "one\ntwo\nthree",
    "one\ntwo\nthree\n\n",
    "  all\n  indented\n",
    "  some\nindented\n\n   \n\t\n",
    "\n\n  leading\nlines\n",
    "EOT\nEOT2\n",
    "a\nEOT\nb\n  EOT3  \n",
    "\u0301accent\nfirst\nthird\n",
    "line\n\u00a0nbsp\nend\n",
    "<<-EOT\nx\nEOT\n",
    "# not\n// a\n/* comment\n",
    "${\n$${\n%{\n%%{\n",
    "trailing \n spaces  \n",
]


def in_template(plain: str) -> str:
    """The template that has this text as its value."""
    return plain.replace("${", "$${").replace("%{", "%%{")


def as_terraform_has_it(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {as_terraform_has_it(key): as_terraform_has_it(item) for key, item in value.items()}
    return [as_terraform_has_it(item) for item in value] if isinstance(value, list) else value


def escaped(value: Any) -> Any:
    if isinstance(value, str):
        return in_template(value)
    if isinstance(value, dict):
        return {in_template(key): escaped(item) for key, item in value.items()}
    return [escaped(item) for item in value] if isinstance(value, list) else value


def survive(pair: Pair, values: list[Any]) -> None:
    """Each value is an output of the twin, alone, in a list and in an object."""
    outputs = {
        f"o{number}": {"value": [escaped(value), {"key": escaped(value)}, [[escaped(value)]]]}
        for number, value in enumerate(values)
    }
    outputs |= {f"p{number}": {"value": escaped(value)} for number, value in enumerate(values)}
    found = pair.values({"output": outputs})
    for number, value in enumerate(values):
        plain = as_terraform_has_it(value)
        assert found[f"o{number}"] == [plain, {"key": plain}, [[plain]]]
        assert found[f"p{number}"] == plain
    formatted(pair.folder)


def test_odd_strings_survive(pair: Pair) -> None:
    survive(pair, ODD)
    survive(pair, [dict.fromkeys(ODD, "x"), {"a b": {"for": 1, "a-b": True, "null": None, "1": -2.5e-7}}])


def test_odd_templates_mean_the_same(pair: Pair) -> None:
    texts = [
        "${local.a}",
        " ${local.a}",
        "${ local.a }${local.a}",
        'a ${local.a} "b" ${upper("x ${local.a} \\" } { ${"deep"} ")} c\n',
        "${~ local.a ~} x",
        "%{ if local.b }yes%{ else }no%{ endif }",
        "%{ for each in local.c ~}\n${each}\n%{ endfor ~}\n",
        "one\n${local.a}\n  two ${local.a}\n$${x}\n",
        "${local.a}\n${local.a}",
        "one\ntwo\nthree ${local.a}",
        "one\ntwo\n${local.lines}",
        "  ${local.lines}\n  x\n",
        "${local.c}",
        "${{a = 1}.a}",
        '${[for each in local.c : "${each}}"]}',
        '${local.b ? "{" : "}"}',
        "${\n  local.a\n}",
        "x\n${\n  local.a\n}\ny\n",
        "$$${local.a}",
        "$${local.a}${local.a}",
        "%%{ if }${local.a}",
    ]
    configuration = {
        "locals": {"a": '$${a}"', "b": True, "c": ["x", "y"], "lines": "l\n\n"},
        "output": {f"o{number}": {"value": template} for number, template in enumerate(texts)},
    }
    pair.hold({GENERATED: json.dumps(configuration)})
    as_json = pair.plan({GENERATED: json.dumps(configuration)})
    as_hcl = pair.plan(twin(configuration))
    assert as_hcl["output_changes"] == as_json["output_changes"]
    assert as_hcl["output_changes"]["o0"]["after"] == '${a}"'


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text(
    st.sampled_from("${}%\"\\\n\t aEOT~'\u0301"), max_size=40
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            TEXT.filter(lambda key: key == unicodedata.normalize("NFC", key)), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(VALUES, min_size=20, max_size=40))
def test_any_value_survives(pair: Pair, values: list[Any]) -> None:
    survive(pair, values)


# --- form ---------------------------------------------------------------------------------------------------


def test_long_texts_are_heredocs_and_references_are_bare() -> None:
    configuration = {
        "output": {
            "script": {
                "value": "#!/bin/sh\n\nif true; then\n  echo ${local.name}\nfi\n",
                "description": "One",
            },
            "open": {"value": "a\nb\nc"},
            "mixed": {"value": ["${local.name}", "x-${local.name}", 'y "z"', True, None, 1.50]},
        }
    }
    assert text(configuration).partition('output "script"')[2] == (
        ' {\n  description = "One"\n  value       = <<-EOT\n    #!/bin/sh\n\n    if true; then\n'
        "      echo ${local.name}\n    fi\n  EOT\n}\n\n"
        'output "open" {\n  value = chomp(<<-EOT\n    a\n    b\n    c\n  EOT\n  )\n}\n\n'
        'output "mixed" {\n  value = [local.name, "x-${local.name}", "y \\"z\\"", true, null, 1.50]\n}\n'
    )


def test_a_small_tier_is_one_file_and_a_large_one_is_split_by_noun() -> None:
    assert file_of("aws_subnet", WHOLE) == "main.tf"
    split = {
        "aws_subnet": "subnets.tf",
        "aws_vpc": "vpc.tf",
        "aws_vpc_security_group_ingress_rule": "security_groups.tf",
        "aws_route53_record": "dns.tf",
        "aws_route": "routes.tf",
        "helm_release": "releases.tf",
        "terraform_remote_state": "main.tf",
        "aws_something_new": "main.tf",
    }
    assert {name: file_of(name, WHOLE + 1) for name in split} == split


def test_every_beginning_in_the_table_of_files_begins_a_type() -> None:
    installed()
    catalog = Catalog(catalog_path())
    types = {*catalog.load("aws", "resource"), *catalog.load("helm", "resource")}
    assert [start for start in FILES if not any(name.startswith(start) for name in types)] == []
