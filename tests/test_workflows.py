"""The workflows, judged by the linters of the trade and by running their scripts on a cluster of files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ENVIRONMENTS, ROOT, read_roots
from support import reading
from support.actions import SHA, Runner
from support.charts import values
from support.deployments import BEFORE_ANY, BIN, NEW, OLD, REPOSITORY, SPEC, Deployment, all_of, jobs, pods
from support.project import Project, without_make

from modules.loader import load
from modules.spec import Environment
from tierra.github import __main__ as workflows_command
from tierra.github import environments as environments_command
from tierra.github.actions import ACTIONS
from tierra.github.workflows import account_of, workflows
from tierra.terraform.templating import TEMPLATES
from tierra.validation.errors import SpecError

INFRASTRUCTURE = "acme/platform/.github/workflows/infrastructure.yml"
OF_ONE = "acme/platform/.github/workflows/infrastructure-environment.yml"
# Specs that lead to other texts than those of the project do.
VARIED: dict[str, dict[str, Any]] = {
    "codebuild": {"delivery": {"runner": ["codebuild-acme"], "branch": "release/2.x"}},
    "elsewhere": {"systems": {"shop": {"framework": "go", "repository": "acme@12/shop@34", "path": "/"}}},
    "folders": {"systems": {"shop": {"framework": "go", "folder": "services/shop"}}},
    "arm": {"compute": {"nodes": {"instance_type": "t4g.large", "min": 3, "max": 9}}},
}


@pytest.fixture(scope="session")
def written() -> dict[str, dict[str, str]]:
    """The workflows of every environment, by its name."""
    made = {name: load(ROOT / "environments" / f"{name}.yaml") for name in ENVIRONMENTS}
    return {name: workflows(each, waves=2) for name, each in made.items()}


def scripts(text: str) -> Iterator[str]:
    for job in jobs(text).values():
        for step in job.get("steps", []):
            if "run" in step:
                yield step["run"]


# What linters say


def checkout(folder: Path, files: dict[str, str]) -> list[Path]:
    """A repository that holds these workflows; where they are."""
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    places = []
    for place, text in files.items():
        path = folder / place.split("/", 2)[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        places.append(path)
    return places


def lint(tool: str, folder: Path, places: list[Path]) -> subprocess.CompletedProcess[str]:
    command = {
        "actionlint": ["-no-color"],
        "zizmor": ["--offline", "--no-config", "--persona=pedantic", "--quiet"],
        "check-jsonschema": ["--builtin-schema", "vendor.github-workflows"],
    }[tool]
    return subprocess.run(
        [BIN / tool, *command, *places], cwd=folder, capture_output=True, text=True, check=False
    )


LINTERS = ("actionlint", "zizmor", "check-jsonschema")


@pytest.mark.parametrize("tool", LINTERS)
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_linters_find_nothing_in_the_workflows(
    written: dict[str, dict[str, str]], name: str, tool: str, tmp_path: Path
) -> None:
    # A chain of environments calls the workflows of each.
    rest = {} if name == "sandbox" else written["production"] | written["staging"]
    found = lint(tool, tmp_path, checkout(tmp_path, rest | written[name]))
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("name", VARIED)
def test_linters_find_nothing_whatever_the_spec_says(
    environment: Callable[..., Environment], name: str, tmp_path: Path
) -> None:
    places = checkout(tmp_path / "checkout", workflows(environment(**VARIED[name])))
    for tool in LINTERS:
        found = lint(tool, tmp_path / "checkout", places)
        assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("tool", "right", "wrong"),
    [
        ("actionlint", "needs.image.outputs.digest", "needs.image.outputs.digests"),
        ("zizmor", "permissions: {}", "permissions: write-all"),
        ("zizmor", ACTIONS["checkout"], "actions/checkout@v7"),
        ("check-jsonschema", "cancel-in-progress", "cancel-in-progres"),
    ],
)
def test_linters_find_a_flaw(
    written: dict[str, dict[str, str]], tool: str, right: str, wrong: str, tmp_path: Path
) -> None:
    place = next(place for place in written["sandbox"] if "sistema-1" in place)
    text = written["sandbox"][place]
    assert right in text
    flawed = {place: text.replace(right, wrong)}
    assert lint(tool, tmp_path, checkout(tmp_path, flawed)).returncode != 0


def test_every_script_is_shell_and_holds_no_expression(written: dict[str, dict[str, str]]) -> None:
    seen = {script for files in written.values() for text in files.values() for script in scripts(text)}
    assert len(seen) >= 15
    for script in seen:
        assert "${{" not in script  # what GitHub puts into a script, it does not quote
        checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        assert "\n" not in script.strip() or "set -euo pipefail" in script


# What they promise


def test_actions_are_pinned_by_commit_and_say_which_version_that_is(
    written: dict[str, dict[str, str]],
) -> None:
    for files in written.values():
        for text in files.values():
            for line in re.findall(r"uses: (.*)", text):
                if not line.startswith("./"):
                    assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_jobs_have_the_least_rights_and_no_secret(written: dict[str, dict[str, str]]) -> None:
    allowed = {"contents: read", "id-token: write", "pull-requests: write", "issues: write"}
    for files in written.values():
        for text in files.values():
            assert "secrets." not in text
            assert reading.parsed(text)["permissions"] == {}
            for job in jobs(text).values():
                rights = {f"{what}: {how}" for what, how in job["permissions"].items()}
                assert rights <= allowed
                uses = [step.get("uses", "") for step in job.get("steps", [])]
                signs_in = any("configure-aws-credentials" in each for each in uses)
                assert ("id-token: write" in rights) == (signs_in or "uses" in job)
                assert ("contents: read" in rights) == (
                    any("checkout" in each for each in uses) or "uses" in job
                )
                assert not signs_in or "environment" in job


def test_nothing_that_changes_things_is_cancelled_half_way(written: dict[str, dict[str, str]]) -> None:
    for files in written.values():
        for text in files.values():
            parsed = reading.parsed(text)
            groups = [parsed.get("concurrency"), *(job.get("concurrency") for job in parsed["jobs"].values())]
            assert any(groups)
            assert not any(group["cancel-in-progress"] for group in groups if group)


def test_deployments_and_applies_of_an_environment_wait_for_each_other(
    written: dict[str, dict[str, str]],
) -> None:
    """In one group, in which all that wait stay. Source: docs.github.com, "Control the concurrency of
    workflows and jobs"; github.blog/changelog, 2026-05-07."""
    for name, files in written.items():
        group = jobs(files[OF_ONE])["apply"]["concurrency"]
        assert group.pop("group").replace("${{ inputs.environment }}", name) == f"changes-{name}"
        assert group == {"cancel-in-progress": False, "queue": "max"}
        deployments = [jobs(text)["deploy"] for text in files.values() if "deploy" in jobs(text)]
        assert len(deployments) == 3
        for each in deployments:
            assert each["concurrency"] == {"group": f"changes-{name}", **group}


def chained(folder: Path, *named: str, **changes: dict[str, Any]) -> dict[str, Environment]:
    """Environments of which each takes its images from the one before."""
    for place, name in enumerate(named):
        spec = yaml.safe_load(yaml.safe_dump(SPEC))
        spec |= {
            "account": f"12345678901{place}",
            "edge": {"zone": "example.com", "domain": f"{name}.example.com"},
        }
        if place:
            spec["delivery"]["promote_from"] = named[place - 1]
        spec |= changes.get(name, {})
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(spec))
    return {name: load(folder / f"{name}.yaml") for name in named}


def test_an_image_is_built_once_and_promoted_by_its_digest(tmp_path: Path) -> None:
    made = chained(tmp_path, "dev", "staging", "live")
    root = workflows(made["dev"])["acme/platform/.github/workflows/shop.chain.dev.yml"]
    links = jobs(root)
    assert list(links) == ["dev", "staging", "live"]
    assert [link.get("needs") for link in links.values()] == [None, "dev", "staging"]
    assert links["live"]["with"] == {"digest": "${{ needs.staging.outputs.digest }}"}
    assert links["live"]["concurrency"] == {"group": "shop to live", "cancel-in-progress": False}
    for name, environment in made.items():
        place = f"acme/platform/.github/workflows/shop.{name}.yml"
        assert links[name]["uses"] == f"./{place.partition('/platform/')[2]}"
        text = workflows(environment)[place]
        # Nothing but the chain starts it: what is deployed ran in the environment before.
        assert list(yaml.safe_load(text)[True]) == ["workflow_call"]
        found = jobs(text)
        assert ("test" in found) is (name == "dev")
        assert (ACTIONS["build"].partition("@")[0] in text) is (name == "dev")
        assert (ACTIONS["scan"].partition("@")[0] in text) is (name == "dev")
        assert found["deploy"]["environment"]["name"] == name
        assert "needs.image.outputs.digest" in found["deploy"]["env"]["IMAGE"]
    # A chain of its own for the system whose repository is another.
    assert "acme/site/.github/workflows/site.chain.dev.yml" in workflows(made["dev"])
    assert not [place for place in workflows(made["live"]) if ".chain." in place]


def test_linters_find_nothing_in_a_chain(tmp_path: Path) -> None:
    made = chained(tmp_path, "dev", "staging", "live")
    files = {place: text for each in made.values() for place, text in workflows(each, waves=3).items()}
    places = checkout(
        tmp_path / "checkout", {place: files[place] for place in files if "acme/platform" in place}
    )
    for tool in LINTERS:
        found = lint(tool, tmp_path / "checkout", places)
        assert found.returncode == 0, found.stdout + found.stderr


@pytest.fixture
def promotion(tmp_path: Path) -> tuple[Runner, dict[str, Any]]:
    """The job that takes an image from dev to live."""
    made = chained(tmp_path, "dev", "live")["live"]
    text = workflows(made)["acme/platform/.github/workflows/shop.live.yml"]
    digest = NEW.partition("@")[2]
    runner = Runner(tmp_path / "runner", {"registry": {}, "digest": digest}, {"inputs.digest": digest})
    return runner, jobs(text)["image"]


def test_production_gets_the_very_image_that_ran_before(promotion: tuple[Runner, dict[str, Any]]) -> None:
    runner, job = promotion
    done = runner.run(job)
    assert done["tag"] == {"outcome": "success", "outputs": {"digest": NEW.partition("@")[2]}}, runner.log
    here, there = (
        f"{account}.dkr.ecr.us-east-1.amazonaws.com" for account in ("123456789011", "123456789010")
    )
    assert runner.world["logins"] == [[there, "secret\n"], [here, "secret\n"]]
    copied = f"{here}/acme-live/shop:{SHA} {there}/acme-dev/shop@{NEW.partition('@')[2]}"
    assert f"docker buildx imagetools create --prefer-index=false --tag {copied}" in runner.calls
    runner.change()
    assert runner.run(job)["tag"]["outcome"] == "success"
    assert not [call for call in runner.calls if call.startswith("docker")]


def test_an_image_with_another_digest_is_not_promoted(promotion: tuple[Runner, dict[str, Any]]) -> None:
    runner, job = promotion
    runner.change(registry={SHA: "sha256:" + "3" * 64})
    done = runner.run(job)
    assert done["tag"] == {"outcome": "failure", "outputs": {}}
    assert "but the approved image is sha256:2" in runner.log


def test_the_infrastructure_of_an_environment_waits_for_that_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "environments").mkdir()
    made = chained(tmp_path / "environments", "dev", "live", "other", other={"delivery": SPEC["delivery"]})
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_RUN_ID", raising=False)
    assert environments_command.main() == 0
    matrices = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    names = {name: [each["environment"] for each in json.loads(text)] for name, text in matrices.items()}
    assert names == {
        "all": ["dev", "live", "other"],
        "apart": ["other"],
        "wave_1": ["dev"],
        "wave_2": ["live"],
    }
    found = jobs(workflows_command.gathered(list(made.values()))[INFRASTRUCTURE])
    assert found["wave-1"]["needs"] == "environments"
    assert found["wave-2"]["needs"] == ["environments", "wave-1"]
    for wave in ("wave-1", "wave-2"):
        assert found[wave]["if"] == "needs.environments.outputs.apply == 'true'"
        assert found[wave]["with"] == found["environment"]["with"]
    assert "wave-3" not in found


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"live": {"delivery": {**SPEC["delivery"], "promote_from": "nowhere"}}}, "there is no nowhere.yaml"),
        (
            {"dev": {"delivery": {**SPEC["delivery"], "promote_from": "live"}}},
            "must not go round in a circle: dev from live from dev",
        ),
        (
            {"dev": {"target": "rehearsal"}},
            "target must be the same in both: it is aws here, and rehearsal in environments/dev.yaml",
        ),
        (
            {"dev": {"systems": {"site": {"framework": "go"}}}},
            "must be in dev, which its image comes from, and is not",
        ),
        (
            {"dev": {"compute": {"nodes": {"instance_type": "t4g.large", "min": 3, "max": 9}}}},
            "the processor of the nodes of shop must be the same in both: it is amd64 here, and arm64",
        ),
        (
            {"dev": {"delivery": {**SPEC["delivery"], "branch": "next"}}},
            "delivery.branch must be the same in both: it is main here, and next",
        ),
        (
            {"dev": {"delivery": {**SPEC["delivery"], "repository": "acme/other"}}},
            "the repository of shop must be the same in both: it is acme/platform here, and acme/other",
        ),
    ],
)
def test_a_chain_that_cannot_hold_is_refused(
    tmp_path: Path, changes: dict[str, dict[str, Any]], says: str
) -> None:
    with pytest.raises(SpecError) as refused:
        chained(tmp_path, "dev", "live", **changes)
    assert "delivery.promote_from" in str(refused.value)
    assert says in str(refused.value)


def test_drift_is_looked_for_in_an_environment_of_its_own(written: dict[str, dict[str, str]]) -> None:
    found = jobs(written["production"][OF_ONE])
    assert found["drift"]["environment"] == "${{ inputs.drift_environment }}"
    assert found["plan"]["environment"] == "${{ inputs.plan_environment }}"
    (credentials,) = (s for s in found["drift"]["steps"] if "credentials" in s.get("uses", ""))
    assert credentials["with"]["role-to-assume"] == "${{ inputs.plan_role }}"


def test_the_workflow_of_a_system_names_what_the_tiers_make(
    written: dict[str, dict[str, str]], folders: dict[str, Path]
) -> None:
    for name, files in written.items():
        environment = load(ROOT / "environments" / f"{name}.yaml")
        roots = read_roots(folders[name], environment)
        delivery, systems = roots["delivery"], roots["systems"]
        for system in environment.systems:
            address = system.replace("-", "_")
            text = files[f"acme/platform/.github/workflows/{system}.{name}.yml"]
            found = jobs(text)
            for job, role in (("image", f"push_{address}"), ("deploy", f"deploy_{address}")):
                made = delivery[f"aws_iam_role.{role}"]
                (sign_in,) = (s["with"] for s in found[job]["steps"] if "credentials" in s.get("uses", ""))
                account = f"arn:aws:iam::{environment.account}:role/"
                assert sign_in["role-to-assume"] == account + made["name"]
                (trust,) = json.loads(made["assume_role_policy"])["Statement"]
                trusted = trust["Condition"]["StringEquals"]
                place = found[job]["environment"]
                place = place if isinstance(place, str) else place["name"]
                assert trusted["token.actions.githubusercontent.com:sub"] == (
                    f"repo:acme/platform:environment:{place}"
                )
                assert trusted["token.actions.githubusercontent.com:aud"] == sign_in["audience"]
            image, steps = found["image"]["env"], {each.get("id"): each for each in found["deploy"]["steps"]}
            assert image["REPOSITORY_NAME"] == delivery[f"aws_ecr_repository.{address}"]["name"]
            assert image["REPOSITORY"].endswith("/" + image["REPOSITORY_NAME"])
            (cluster,) = roots["compute"].all("aws_eks_cluster").values()
            assert steps["connect"]["env"]["CLUSTER"] == cluster["name"]
            parameter = systems[f"aws_ssm_parameter.{address}"]["name"]
            assert steps["record"]["env"]["PARAMETER"] == parameter
            given = values(systems, address)
            domain = environment.edge.main_domain
            path = given["path"] + given["probes"]["ready"]
            assert steps["check-health"]["env"]["URL"] == f"https://{domain}{path}"
            assert steps["roll-out"]["env"]["REPLICAS"] == str(given["replicas"]["min"])
            release = systems[f"helm_release.{address}"]
            assert release["name"] == given["system"] == found["deploy"]["env"]["SYSTEM"]


def test_jobs_that_meet_the_cluster_run_where_the_spec_says(environment: Callable[..., Environment]) -> None:
    spec = {"delivery": {"runner": ["codebuild-acme", "linux"]}, "systems": {"shop": {"framework": "go"}}}
    made = environment(**spec)
    found = jobs(workflows(made)["acme/platform/.github/workflows/shop.trial.yml"])
    label = "codebuild-acme-${{ github.run_id }}-${{ github.run_attempt }}"
    assert json.loads(found["image"]["outputs"]["runner"]) == [label, "linux"]
    assert found["deploy"]["runs-on"] == "${{ fromJSON(needs.image.outputs.runner) }}"
    assert found["image"]["runs-on"] == found["test"]["runs-on"] == "ubuntu-24.04"
    assert account_of(made)["runner"] == ["codebuild-acme", "linux"]
    for job in ("plan", "apply", "drift"):
        assert jobs(workflows(made)[OF_ONE])[job]["runs-on"] == "${{ fromJSON(inputs.runner) }}"


def test_runners_that_are_built_here_are_named_by_the_project_of_their_repository(
    environment: Callable[..., Environment],
) -> None:
    arn = "arn:aws:codeconnections:us-east-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef"
    spec = {
        "delivery": {"repository": "acme/platform", "runner": "codebuild", "connection": arn},
        "systems": {"shop": {"framework": "go", "repository": "acme@1/shop@2"}},
    }
    made = environment(**spec)
    assert account_of(made)["runner"] == ["codebuild-acme-trial-runner-acme--platform"]
    text = workflows(made)["acme/shop/.github/workflows/shop.trial.yml"]
    run = "${{ github.run_id }}-${{ github.run_attempt }}"
    assert f"codebuild-acme-trial-runner-acme--shop-{run}" in text


def test_a_pull_request_of_a_fork_starts_nothing(written: dict[str, dict[str, str]]) -> None:
    found = jobs(written["production"][INFRASTRUCTURE])
    assert "head.repo.full_name == github.repository" in found["environments"]["if"]
    assert "environments" in found["environment"]["needs"]


def test_plans_are_applied_on_the_branch_alone(environment: Callable[..., Environment]) -> None:
    made = environment(delivery={"branch": "release/2.x"})
    whole = jobs(workflows(made)[INFRASTRUCTURE])
    found = whole["environment"]["with"]
    assert found["apply"] == "${{ needs.environments.outputs.apply == 'true' }}"
    assert whole["environments"]["outputs"]["apply"] == (
        "${{ github.event_name == 'push' || (github.event_name == 'workflow_dispatch'"
        " && github.ref_name == 'release/2.x') }}"
    )
    assert found["drift"] == "${{ github.event_name == 'schedule' }}"
    of_one = jobs(workflows(made)[OF_ONE])
    assert of_one["apply"]["environment"] == "${{ inputs.apply_environment }}"
    assert of_one["plan"]["if"] == "${{ !inputs.drift }}"


def test_a_system_more_adds_its_workflow_and_changes_no_other(
    environment: Callable[..., Environment],
) -> None:
    shop: dict[str, Any] = {"shop": {"framework": "go"}}
    before = workflows(environment(systems=shop))
    after = workflows(environment(systems={**shop, "billing": {"framework": "django"}}))
    assert after.keys() - before.keys() == {"acme/platform/.github/workflows/billing.trial.yml"}
    assert {place: after[place] for place in before} == before


def test_an_environment_more_changes_no_workflow_of_the_infrastructure(
    written: dict[str, dict[str, str]],
) -> None:
    for place in (INFRASTRUCTURE, OF_ONE):
        assert len({files[place] for files in written.values()}) == 1


def test_a_spec_with_other_pods_or_stores_changes_its_own_workflow_alone(
    environment: Callable[..., Environment],
) -> None:
    systems: dict[str, Any] = {"shop": {"framework": "go"}, "site": {"framework": "go"}}
    before = workflows(environment(systems=systems))
    after = workflows(environment(systems={**systems, "shop": {"framework": "go", "replicas": 3}}))
    changed = {place for place in before if before[place] != after[place]}
    assert changed == {"acme/platform/.github/workflows/shop.trial.yml"}


# Literals of other languages, each where it stands in the template and in the file
LITERALS = {
    "expression of GitHub": "${{ steps.found.outputs.digest || steps.tag.outputs.digest }}",
    "expression with a function": "${{ fromJSON(needs.image.outputs.runner) }}",
    "variable of the shell": '"$REPOSITORY:$GITHUB_SHA"',
    "variable in braces": '"${REPOSITORY%%/*}"',
    "array of the shell": '"${workloads[@]}"',
    "command of the shell": 'job="$SYSTEM-migrate-$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT"',
    "arithmetic": "good=$((good + 1))",
    "JSONPath": "'{.status.conditions[?(@.status==\"True\")].type}'",
    "JMESPath": "'imageDetails[0].imageDigest'",
    "format of curl": "'%{http_code}'",
    "quoted backticks": "\\`$IMAGE\\`",
    "here string": '<<<"$line"',
    "pattern": "@sha256:[0-9a-f]{64}$",
}
OF_THE_INFRASTRUCTURE = {
    "expression of a matrix": "${{ toJSON(matrix.runner) }}",
    "expression with strings": "${{ join(fromJSON(needs.environments.outputs.all).*.environment, ' ') }}",
    "negation": "if: ${{ !cancelled() && github.event_name == 'schedule' && needs.environments.result",
    "program of jq": 'select(.user.type == "Bot" and (.body | startswith("<!-- tierra: plans -->"))) | .id\'',
    "comment of HTML": "<!-- tierra: drift -->",
    "part of a variable": "${COMMIT:0:8}",
    "schedule": '"17 3 * * *"',
}


@pytest.mark.parametrize("kind", [*LITERALS, *OF_THE_INFRASTRUCTURE])
def test_literals_of_other_languages_survive(written: dict[str, dict[str, str]], kind: str) -> None:
    literal = (LITERALS | OF_THE_INFRASTRUCTURE)[kind]
    sources = "".join(each.read_text() for each in sorted((TEMPLATES / "delivery").rglob("*.*")))
    assert literal in sources
    place = INFRASTRUCTURE if kind in OF_THE_INFRASTRUCTURE else None
    place = place or "acme/platform/.github/workflows/sistema-1.staging.yml"
    assert literal in written["staging"][place]


# Deploying a system: Django with workers and a clock, on what helm makes of the chart


def test_the_chart_has_the_workloads_that_the_pipeline_deploys(deployment: Deployment) -> None:
    assert deployment.runs() == BEFORE_ANY


def test_a_new_image_is_migrated_rolled_out_looked_at_and_recorded(running: Deployment) -> None:
    assert running.deploy() == "success", running.log
    assert running.runs() == all_of(NEW)
    assert running.world["parameters"] == {"/acme/trial/systems/shop/image": NEW}
    assert f"shop runs `{NEW}`" in running.summary
    calls = running.calls
    places = [
        next(index for index, call in enumerate(calls) if call.startswith(start))
        for start in (
            "aws eks update-kubeconfig --name acme-trial",
            "kubectl config set-context acme-trial --namespace=shop",
            "kubectl auth can-i patch deployments",
            f"kubectl set image cronjob/shop-migrate app={NEW}",
            "kubectl create job shop-migrate-77-1 --from=cronjob/shop-migrate",
            f"kubectl set image deployment/shop app={NEW}",
            "kubectl rollout status deployment/shop --timeout",
            "curl",
            "aws ssm put-parameter",
        )
    ]
    assert places == sorted(places)
    # The autoscaler decides how many pods run, and the pipeline leaves that alone.
    assert not [call for call in calls if call.startswith("kubectl scale")]


def test_migrations_run_with_the_new_image_before_any_pod_of_it(running: Deployment) -> None:
    assert running.deploy() == "success"
    job = running.world["cluster"]["job/shop-migrate-77-1"]
    assert pods(job)["image"] == NEW
    assert pods(job)["command"] == ["python", "manage.py", "migrate", "--noinput"]


def test_the_first_deployment_brings_the_pods_that_the_spec_asks_for(deployment: Deployment) -> None:
    assert deployment.deploy() == "success", deployment.log
    assert deployment.runs() == {**all_of(NEW), "deployment/shop": (2, NEW)}
    assert deployment.world["parameters"] == {"/acme/trial/systems/shop/image": NEW}


def test_the_second_deployment_leaves_the_number_of_pods_alone(deployment: Deployment) -> None:
    assert deployment.deploy() == "success"
    deployment.change()
    assert deployment.deploy() == "success"
    assert not [call for call in deployment.calls if call.startswith("kubectl scale")]


def test_a_migration_that_fails_leaves_every_pod_as_it_is(running: Deployment) -> None:
    running.change(migrations={NEW: "Failed"})
    assert running.deploy() == "failure"
    assert running.runs() == all_of(OLD)
    assert f"kubectl set image deployment/shop app={NEW}" not in running.calls
    assert running.world["parameters"] == {"/acme/trial/systems/shop/image": OLD}
    assert "::error::the migrations of shop failed" in running.log
    assert "kubectl logs job/shop-migrate-77-1 --container=app --tail=200" in running.calls


def test_a_migration_that_does_not_end_is_a_failure(running: Deployment) -> None:
    running.change(migrations={NEW: ""})
    assert running.deploy() == "failure"
    assert running.runs() == all_of(OLD)
    assert "::error::the migrations of shop did not end in time" in running.log


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        ("broken", "error: timed out waiting for the condition"),
        ("ill", "::error::https://app.example.com/shop/readyz does not answer 200"),
    ],
)
def test_an_unhealthy_image_is_rolled_back(running: Deployment, flaw: str, message: str) -> None:
    running.change(**{flaw: [NEW]})
    assert running.deploy() == "failure"
    assert f"kubectl set image deployment/shop app={NEW}" in running.calls
    assert running.runs() == all_of(OLD)
    assert running.world["parameters"] == {"/acme/trial/systems/shop/image": OLD}
    assert message in running.log
    assert f"The deployment of `{NEW}` failed. shop runs what it ran before:" in running.summary
    assert f"- `deployment/shop 3 {OLD}`" in running.summary


def test_a_first_image_that_is_not_well_leaves_nothing_running(deployment: Deployment) -> None:
    deployment.change(ill=[NEW])
    assert deployment.deploy() == "failure"
    assert deployment.runs() == BEFORE_ANY
    assert deployment.world["parameters"] == {}


def test_health_is_three_good_answers_in_a_row(running: Deployment) -> None:
    running.change(answers=["000", "200", "200", "503", "200"])
    (step,) = (step for step in running.job["steps"] if step.get("id") == "check-health")
    step["env"]["TRIES"] = "7"
    assert running.deploy() == "success", running.log
    assert len([call for call in running.calls if call.startswith("curl")]) == 7
    running.change(answers=["200", "200", "503", "200", "200", "503", "200"])
    assert running.deploy() == "failure"


def test_health_is_asked_as_users_ask(running: Deployment) -> None:
    assert running.deploy() == "success"
    asked = next(call for call in running.calls if call.startswith("curl"))
    assert asked.endswith("https://app.example.com/shop/readyz")
    assert "--user-agent" in asked  # the firewall refuses requests without one
    assert "--insecure" not in asked


@pytest.mark.parametrize("step", ["migrate", "roll-out", "check-health", "record"])
def test_a_run_that_is_cancelled_goes_back(running: Deployment, step: str) -> None:
    assert running.deploy(cancel_at=step) == "cancelled"
    assert running.runs() == all_of(OLD)


def test_an_image_that_terraform_does_not_learn_of_goes_back(running: Deployment) -> None:
    running.change(records=False)
    assert running.deploy() == "failure"
    assert running.runs() == all_of(OLD)


def test_nothing_is_touched_where_the_cluster_is_out_of_reach(running: Deployment) -> None:
    running.change(reachable=False)
    done = running.run(running.job)
    assert (done["connect"]["outcome"], done["roll-back"]["outcome"]) == ("failure", "skipped")
    assert "::error::this runner does not reach the cluster acme-trial" in running.log
    assert running.runs() == all_of(OLD)


def test_an_image_without_a_digest_is_not_deployed(running: Deployment) -> None:
    running.says["needs.image.outputs.digest"] = ""
    assert running.deploy() == "failure"
    assert f"::error::{REPOSITORY}@ is not an image with a digest" in running.log
    assert not [call for call in running.calls if call.startswith("kubectl")]


def test_a_runner_without_kubectl_says_so(running: Deployment) -> None:
    (running.folder / "bin" / "kubectl").unlink()
    assert running.deploy() == "failure"
    assert "::error::this runner has no kubectl" in running.log


def test_a_system_that_terraform_has_not_made_is_named(running: Deployment) -> None:
    running.change(cluster={})
    done = running.run(running.job)
    assert (done["remember"]["outcome"], done["roll-back"]["outcome"]) == ("failure", "skipped")
    assert (
        "::error::there is no deployment shop: apply the tier systems of this environment first"
        in running.log
    )


def test_a_system_without_migrations_or_helpers_is_deployed_too(running: Deployment) -> None:
    running.change(cluster={"deployment/shop": running.world["cluster"]["deployment/shop"]})
    assert running.deploy() == "success", running.log
    assert running.runs() == {"deployment/shop": (3, NEW)}
    assert "shop has no migrations" in running.log


def test_a_way_back_that_fails_is_said_aloud(running: Deployment) -> None:
    running.change(broken=[NEW, OLD])
    assert running.deploy() == "failure"
    assert "::error::shop could not be rolled back" in running.log
    assert running.summary == ""


# Building an image


def test_what_was_scanned_is_tagged_and_known_by_its_digest(image: tuple[Runner, dict[str, Any]]) -> None:
    runner, job = image
    done = runner.run(job)
    assert done["job"]["outcome"] == "success", runner.log
    assert done["tag"]["outputs"] == {"digest": "sha256:" + "2" * 64}
    names = list(done)
    assert (
        names.index("build")
        < names.index("Refuse known vulnerabilities that have a fix")
        < names.index("tag")
    )
    built, scanned = (
        step["with"] for step in job["steps"] if step.get("name", "").startswith(("Build", "Ref"))
    )
    assert scanned["image"] == f"{REPOSITORY}@${{{{ steps.build.outputs.digest }}}}"
    assert "push-by-digest=true" in built["outputs"]
    assert (built["provenance"], built["sbom"]) == ("mode=max", True)
    copied = f"docker buildx imagetools create --prefer-index=false --tag {REPOSITORY}:{SHA} {NEW}"
    assert copied in runner.calls
    assert runner.world["logins"][0] == [REPOSITORY.partition("/")[0], "secret\n"]


def test_an_image_that_the_scan_refuses_gets_no_tag(image: tuple[Runner, dict[str, Any]]) -> None:
    runner, job = image
    done = runner.run(job, {"Refuse known vulnerabilities that have a fix": "failure"})
    assert done["job"]["outcome"] == "failure"
    assert done["tag"]["outcome"] == "skipped"
    assert not [call for call in runner.calls if call.startswith("docker buildx")]
    # Without the output there is nothing to deploy, and GitHub starts no job whose need failed.
    assert runner.world["registry"] == {}


def test_a_commit_that_has_an_image_gets_no_second_one(image: tuple[Runner, dict[str, Any]]) -> None:
    runner, job = image
    runner.change(registry={SHA: "sha256:" + "9" * 64})
    done = runner.run(job)
    assert done["found"]["outputs"] == {"digest": "sha256:" + "9" * 64}
    assert {done[each]["outcome"] for each in ("build", "tag")} == {"skipped"}


def test_a_registry_that_refuses_is_not_taken_for_an_empty_one(image: tuple[Runner, dict[str, Any]]) -> None:
    runner, job = image
    runner.change(registry="refuses")
    done = runner.run(job)
    assert done["job"]["outcome"] == "failure"
    assert "AccessDeniedException" in runner.log
    assert done["tag"]["outcome"] == "skipped"


def test_a_build_without_a_digest_gets_no_tag(image: tuple[Runner, dict[str, Any]]) -> None:
    runner, job = image
    runner.says["steps.build.outputs.digest"] = ""
    assert runner.run(job)["tag"]["outcome"] == "failure"
    assert "::error::there is no digest of the image of" in runner.log


def test_a_registry_that_holds_another_image_than_the_scanned_one_fails(
    image: tuple[Runner, dict[str, Any]],
) -> None:
    runner, job = image
    runner.change(digest="sha256:" + "3" * 64)
    assert runner.run(job)["tag"]["outcome"] == "failure"
    assert f"but the approved image is {NEW.partition('@')[2]}" in runner.log


@pytest.mark.parametrize("severity", ["critical", "high", "medium"])
def test_the_spec_says_which_findings_stop_an_image(
    environment: Callable[..., Environment], severity: str
) -> None:
    made = environment(delivery={"image_severity": severity}, systems={"shop": {"framework": "go"}})
    job = jobs(workflows(made)["acme/platform/.github/workflows/shop.trial.yml"])["image"]
    (scan,) = (step for step in job["steps"] if "scan-action" in step.get("uses", ""))
    assert scan["with"]["severity-cutoff"] == severity


# The infrastructure


def step_of(text: str, job: str, name: str) -> dict[str, Any]:
    """A job of one step of another."""
    found = jobs(text)[job]
    (step,) = (step for step in found["steps"] if step.get("name") == name)
    return {"env": found.get("env", {}), "steps": [step]}


SAYS = {
    "join(fromJSON(needs.environments.outputs.all).*.environment, ' ')": "production staging",
    "github.server_url": "https://github.example.com",
    "github.repository": "acme/platform",
    "github.run_id": "77",
    "github.event.pull_request.head.sha": SHA,
    "github.event.pull_request.number": "5",
    "inputs.environment": "production",
    "needs.plan.outputs.tiers": "network data compute",
}


@pytest.fixture
def infrastructure(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "runner", {"github": {}, "make": {}, "changed": ""}, dict(SAYS))


def rows(runner: Runner, **texts: str) -> None:
    folder = runner.folder / "checkout" / "rows"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"row-{name}.md").write_text(f"| {name} | {text} |\n")


COMMENT = "Write the comment, or change the one that is there"
COMMENTS = "repos/acme/platform/issues/5/comments"


def test_plans_are_summed_up_in_one_comment(
    infrastructure: Runner, written: dict[str, dict[str, str]]
) -> None:
    text = written["production"][INFRASTRUCTURE]
    rows(infrastructure, production="3 | 1 | 0 | network")
    for name in ("Sum up", COMMENT):
        done = infrastructure.run(step_of(text, "comment", name))
        assert done["job"]["outcome"] == "success", infrastructure.log
    ((method, path, fields),) = infrastructure.world["sent"]
    assert (method, path) == ("POST", COMMENTS)
    assert fields["body"] == (
        "<!-- tierra: plans -->\n### Plans of 01234567\n\n"
        "| environment | add | change | destroy | tiers |\n|---|--:|--:|--:|---|\n"
        "| production | 3 | 1 | 0 | network |\n"
        "| staging | | | | **not planned**: see the"
        " [run](https://github.example.com/acme/platform/actions/runs/77) |\n\n"
        "Each plan in full: [run](https://github.example.com/acme/platform/actions/runs/77)\n"
    )
    assert "| production | 3 | 1 | 0 | network |" in infrastructure.summary


def test_the_comment_that_is_there_is_changed(
    infrastructure: Runner, written: dict[str, dict[str, str]]
) -> None:
    text = written["production"][INFRASTRUCTURE]
    rows(infrastructure, production="0 | 0 | 0 | no changes", staging="0 | 0 | 0 | no changes")
    person, bot = {"type": "User"}, {"type": "Bot"}
    comments = [
        {"id": 1, "user": person, "body": "<!-- tierra: plans --> said by a person"},
        {"id": 2, "user": bot, "body": "said by another program"},
        {"id": 3, "user": bot, "body": "<!-- tierra: plans -->\nof yesterday"},
    ]
    infrastructure.change(github={COMMENTS: comments})
    for name in ("Sum up", COMMENT):
        infrastructure.run(step_of(text, "comment", name))
    ((method, path, _),) = infrastructure.world["sent"]
    assert (method, path) == ("PATCH", "repos/acme/platform/issues/comments/3")


def test_reports_follow_in_the_comment_as_long_as_it_is_not_too_long(
    infrastructure: Runner, written: dict[str, dict[str, str]]
) -> None:
    text = written["production"][INFRASTRUCTURE]
    rows(infrastructure, production="3 | 1 | 0 | network", staging="1 | 0 | 0 | data")
    folder = infrastructure.folder / "checkout" / "rows"
    (folder / "report-production.md").write_text("## Plan of production\n" + 64_900 * "x")
    (folder / "report-staging.md").write_text("## Plan of staging\n" + 32_000 * "x")
    for name in ("Sum up", COMMENT):
        done = infrastructure.run(step_of(text, "comment", name))
        assert done["job"]["outcome"] == "success", infrastructure.log
    ((_, _, fields),) = infrastructure.world["sent"]
    assert "## Plan of staging" in fields["body"]
    assert "## Plan of production" not in fields["body"]
    assert "| production | 3 | 1 | 0 | network |" in fields["body"]
    assert len(fields["body"]) < 65_536


ISSUES = "repos/acme/platform/issues"


@pytest.mark.parametrize(
    ("found", "open_issue", "sent"),
    [
        ({"production": "none", "staging": "none"}, False, None),
        ({"production": "**differs**", "staging": "none"}, False, ("POST", ISSUES)),
        ({"production": "none"}, False, ("POST", ISSUES)),  # staging could not be compared
        ({"production": "**differs**", "staging": "none"}, True, ("PATCH", f"{ISSUES}/9")),
        ({"production": "none", "staging": "none"}, True, ("PATCH", f"{ISSUES}/9")),
    ],
)
def test_drift_has_one_issue_that_is_opened_changed_and_closed(
    infrastructure: Runner,
    written: dict[str, dict[str, str]],
    found: dict[str, str],
    open_issue: bool,
    sent: tuple[str, str] | None,
) -> None:
    rows(infrastructure, **found)
    issues = [
        {"number": 8, "user": {"type": "Bot"}, "body": None},
        {"number": 9, "user": {"type": "Bot"}, "body": "<!-- tierra: drift -->\n"},
    ]
    infrastructure.change(github={ISSUES: issues if open_issue else issues[:1]})
    name = "Open, change or close the issue"
    done = infrastructure.run(step_of(written["production"][INFRASTRUCTURE], "drift", name))
    assert done["job"]["outcome"] == "success", infrastructure.log
    if sent is None:
        assert infrastructure.world["sent"] == []
        return
    ((method, path, fields),) = infrastructure.world["sent"]
    assert (method, path) == sent
    if set(found.values()) == {"none"} and len(found) == 2:
        assert fields == {"state": "closed"}
    else:
        assert fields["body"].startswith("<!-- tierra: drift -->\n")
        for environment in ("production", "staging"):
            assert f"| {environment} | {found.get(environment, '**not compared**')} |\n" in fields["body"]


VERSIONS = "acme/platform/.github/workflows/versions.yml"


@pytest.mark.parametrize(
    ("old", "open_issue", "sent"),
    [
        ("", False, None),
        ("1 of 9 versions are old.\n", False, ("POST", ISSUES)),
        ("1 of 9 versions are old.\n", True, ("PATCH", f"{ISSUES}/9")),
        ("", True, ("PATCH", f"{ISSUES}/9")),
    ],
)
def test_old_versions_have_one_issue_that_is_opened_changed_and_closed(
    infrastructure: Runner,
    written: dict[str, dict[str, str]],
    old: str,
    open_issue: bool,
    sent: tuple[str, str] | None,
) -> None:
    (infrastructure.folder / "checkout" / "versions.md").write_text(old)
    issues = [
        {"number": 7, "user": {"type": "User"}, "body": "<!-- tierra: versions -->\n"},
        {"number": 8, "user": {"type": "Bot"}, "body": "<!-- tierra: drift -->\n"},
        {"number": 9, "user": {"type": "Bot"}, "body": "<!-- tierra: versions -->\n"},
    ]
    infrastructure.change(github={ISSUES: issues if open_issue else issues[:2]})
    name = "Open, change or close the issue"
    done = infrastructure.run(step_of(written["production"][VERSIONS], "issue", name))
    assert done["job"]["outcome"] == "success", infrastructure.log
    found = [(method, path) for method, path, _ in infrastructure.world["sent"]]
    assert found == ([sent] if sent else [])
    for _, _, fields in infrastructure.world["sent"]:
        if old:
            assert fields["body"].startswith(f"<!-- tierra: versions -->\n{old}")
        else:
            assert fields == {"state": "closed"}


def test_issues_are_written_where_nothing_of_the_repository_runs(written: dict[str, dict[str, str]]) -> None:
    made = yaml.safe_load(written["production"][VERSIONS])
    assert {name: job["permissions"] for name, job in made["jobs"].items()} == {
        "list": {"contents": "read"},
        "issue": {"issues": "write"},
    }
    assert [step["run"] for step in made["jobs"]["list"]["steps"] if "run" in step] == [
        "make versions LIST=versions.md"
    ]
    assert made[True]["schedule"] == [{"cron": "41 5 * * 1"}]


@pytest.mark.parametrize(
    ("code", "verdict", "row"),
    [
        (0, "none", "none"),
        (2, "drift", "**differs**"),
        (2, "error", "**not compared**"),
        (2, None, "**not compared**"),
        (137, None, "**not compared**"),
    ],
)
def test_every_night_make_drift_says_what_differs(
    infrastructure: Runner,
    written: dict[str, dict[str, str]],
    code: int,
    verdict: str | None,
    row: str,
) -> None:
    """make ends with 2 in either case: what it wrote tells a difference from a failure."""
    infrastructure.change(make={"drift": [code, ""]})
    checkout = infrastructure.folder / "checkout"
    (checkout / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "drift.sh", checkout / "tools")
    if verdict:
        made = checkout / "cdktf.out" / "production"
        made.mkdir(parents=True)
        (made / "drift.json").write_text(json.dumps({"verdict": verdict}))
        (made / "drift.md").write_text("what differs\n")
    job = step_of(written["production"][OF_ONE], "drift", "Compare what runs with what was applied")
    assert job["env"]["ENV"] == "${{ inputs.environment }}"
    assert infrastructure.run(job)["job"]["outcome"] == "success"
    assert (checkout / "row-production.md").read_text() == f"| production | {row} |\n"
    if verdict:
        assert "what differs" in (infrastructure.folder / "summary").read_text()


FIND = "Read the specs, and see that the workflows fit them"


def test_environments_are_found_by_their_specs(
    infrastructure: Runner, written: dict[str, dict[str, str]]
) -> None:
    listed = '[{"environment":"production"}]'
    said = f"setup: installing\nall={listed}\napart=[]\nwave_1={listed}\n"
    infrastructure.change(make={"--silent environments": [0, said]})
    done = infrastructure.run(step_of(written["production"][INFRASTRUCTURE], "environments", FIND))
    outputs = {"all": listed, "apart": "[]", "wave_1": listed}
    assert done["find"] == {"outcome": "success", "outputs": outputs}, infrastructure.log
    assert "make --silent workflows" in infrastructure.calls


def test_workflows_that_do_not_fit_the_specs_are_refused(
    infrastructure: Runner, written: dict[str, dict[str, str]]
) -> None:
    infrastructure.change(
        make={"--silent environments": [0, "all=[]\n"]}, changed=" M .github/workflows/shop.production.yml\n"
    )
    done = infrastructure.run(step_of(written["production"][INFRASTRUCTURE], "environments", FIND))
    assert done["find"]["outcome"] == "failure"
    assert "::error::the workflows do not match the specs: run make workflows" in infrastructure.log


def test_a_wrong_spec_stops_the_run(infrastructure: Runner, written: dict[str, dict[str, str]]) -> None:
    infrastructure.change(make={"--silent environments": [2, ""]})
    done = infrastructure.run(step_of(written["production"][INFRASTRUCTURE], "environments", FIND))
    assert done["find"] == {"outcome": "failure", "outputs": {}}


LOCK = ".terraform.lock.hcl"


def planned(runner: Runner) -> Path:
    """What make plan leaves: one tier without changes, two with, one of them a forecast."""
    folder = runner.folder / "checkout" / "cdktf.out" / "production"
    counts = {"add": 0, "change": 0, "destroy": 0, "forecast": False}
    report = {
        "environment": "production",
        "tiers": {
            "network": {**counts, "add": 2, "destroy": 1},
            "storage": counts,
            "data": counts,  # an output alone
            "compute": {**counts, "add": 30, "forecast": True},
        },
    }
    for tier in report["tiers"]:  # type: ignore[attr-defined]
        stack = folder / "stacks" / tier
        stack.mkdir(parents=True)
        (stack / "plan.json").write_text(json.dumps({"applyable": tier != "storage"}))
        names = ("plan.config", "forecast") if tier == "compute" else ("plan.tfplan", "plan.config", LOCK)
        for name in names:
            (stack / name).write_text(f"{name} of {tier}")
    (folder / "shown.json").write_text("{}")
    (folder / "report.json").write_text(json.dumps(report))
    (folder / "target").write_text("aws\n")
    (folder / "report.md").write_text("## Plan of production\n")
    (folder / "report.html").write_text("<h1>Plan of production</h1>\n")
    for name in (".venv", "modules", "tierra"):
        (runner.folder / "checkout" / name).symlink_to(ROOT / name)
    return folder


def test_the_plans_that_were_approved_are_those_that_are_applied(
    infrastructure: Runner, written: dict[str, dict[str, str]]
) -> None:
    text, folder = written["production"][OF_ONE], planned(infrastructure)
    kept = infrastructure.run(step_of(text, "plan", "Keep the plans"))["keep"]
    assert kept["outcome"] == "success", infrastructure.log
    assert kept["outputs"]["tiers"] == "network data compute"
    row = "| production | 32 | 0 | 1 | network, data, compute (forecast) |\n"
    assert (infrastructure.folder / "checkout" / "row-production.md").read_text() == row
    assert row in infrastructure.summary
    assert "## Plan of production" in infrastructure.summary
    assert (infrastructure.folder / "checkout" / "report-production.html").exists()
    shutil.rmtree(folder)
    infrastructure.says["needs.plan.outputs.sum"] = kept["outputs"]["sum"]
    infrastructure.says["needs.plan.outputs.tiers"] = kept["outputs"]["tiers"]
    done = infrastructure.run(step_of(text, "apply", "Apply the saved plans"))
    assert done["job"]["outcome"] == "success", infrastructure.log
    assert infrastructure.calls[-2:] == [
        "make init TIER=network data compute",
        "make apply APPROVE=yes TIER=network data compute",
    ]
    for tier in ("network", "data"):
        for name in ("plan.tfplan", "plan.config", LOCK):
            assert (folder / "stacks" / tier / name).read_text() == f"{name} of {tier}"
    assert (folder / "stacks" / "compute" / "forecast").exists()
    assert not (folder / "stacks" / "storage").exists()
    assert (folder / "report.json").exists()
    assert (folder / "shown.json").exists()


def test_plans_of_one_runner_are_applied_by_another(
    written: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    project = Project(tmp_path / "project")
    place = {
        **without_make(),
        "ENV": "sandbox",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    assert project.make("plan", TIER="storage").returncode == 0

    def script(job: str, name: str) -> subprocess.CompletedProcess[str]:
        (text,) = (each["run"] for each in step_of(written["production"][OF_ONE], job, name)["steps"])
        return subprocess.run(
            ["bash", "-c", text], cwd=project.folder, env=place, capture_output=True, text=True, check=False
        )

    kept = script("plan", "Keep the plans")
    assert kept.returncode == 0, kept.stderr
    outputs = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert outputs["tiers"] == "storage"
    shutil.rmtree(project.folder / "cdktf.out")
    place |= {"TIERS": outputs["tiers"], "SUM": outputs["sum"]}
    applied = script("apply", "Apply the saved plans")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert re.search(r"^apply +storage +[1-9]\d* added, 0 changed", applied.stdout, re.M)


def test_plans_that_are_not_the_approved_ones_are_refused(
    infrastructure: Runner, written: dict[str, dict[str, str]]
) -> None:
    text = written["production"][OF_ONE]
    planned(infrastructure)
    kept = infrastructure.run(step_of(text, "plan", "Keep the plans"))["keep"]
    infrastructure.says["needs.plan.outputs.sum"] = kept["outputs"]["sum"]
    with (infrastructure.folder / "checkout" / "plans.tar").open("ab") as file:
        file.write(b"more")
    done = infrastructure.run(step_of(text, "apply", "Apply the saved plans"))
    assert done["job"]["outcome"] == "failure"
    assert not [call for call in infrastructure.calls if call.startswith("make")]


# make workflows, make environments


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one environment on AWS and a sandbox, in which a test is."""
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "live.yaml").write_text(yaml.safe_dump(SPEC))
    shutil.copy(ROOT / "environments" / "sandbox.yaml", tmp_path / "environments")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_RUN_ID", raising=False)
    return tmp_path


def respec(folder: Path, name: str = "live", **changes: Any) -> None:
    (folder / "environments" / f"{name}.yaml").write_text(yaml.safe_dump({**SPEC, **changes}))


def found_in(folder: Path) -> set[str]:
    return {path.name for path in (folder / ".github" / "workflows").iterdir()}


HERE = {"infrastructure.yml", "infrastructure-environment.yml", "versions.yml", "shop.live.yml"}


def test_workflows_are_written_where_they_belong(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert workflows_command.main() == 0
    assert found_in(project) == HERE  # none of the sandbox, which deploys nothing
    elsewhere = "cdktf.out/workflows/acme/site/.github/workflows/site.live.yml"
    said = capsys.readouterr().out
    assert f"new       {elsewhere}: commit it to acme/site as .github/workflows/site.live.yml" in said
    assert (project / elsewhere).read_text() == workflows(load(Path("environments/live.yaml")))[
        "acme/site/.github/workflows/site.live.yml"
    ]


def test_a_second_run_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workflows_command.main()
    times = {path: path.stat().st_mtime_ns for path in project.rglob("*.yml")}
    capsys.readouterr()
    assert workflows_command.main() == 0
    assert {path: path.stat().st_mtime_ns for path in project.rglob("*.yml")} == times
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 5
    assert all(line.startswith("unchanged ") for line in said)


def test_workflows_of_systems_that_are_gone_go_and_those_of_others_stay(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflows_command.main()
    (project / ".github" / "workflows" / "lint.yml").write_text("name: ours\n")
    respec(project, systems={"store": {"framework": "go"}})
    assert workflows_command.main() == 0
    assert found_in(project) == {*HERE - {"shop.live.yml"}, "store.live.yml", "lint.yml"}
    said = capsys.readouterr().out
    assert "removed   .github/workflows/shop.live.yml: no spec needs it" in said
    assert not (project / "cdktf.out/workflows/acme/site/.github/workflows/site.live.yml").exists()


def test_without_an_environment_on_aws_there_is_no_workflow(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflows_command.main()
    (project / "environments" / "live.yaml").unlink()
    assert workflows_command.main() == 0
    assert found_in(project) == set()
    assert "workflows: no environment has target: aws" in capsys.readouterr().out


def test_a_workflow_that_was_changed_by_hand_is_put_right(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflows_command.main()
    place = project / ".github" / "workflows" / "shop.live.yml"
    text = place.read_text()
    place.write_text(text + "# mine\n")
    assert workflows_command.main() == 0
    assert "changed   .github/workflows/shop.live.yml" in capsys.readouterr().out
    assert place.read_text() == text


def test_environments_that_disagree_on_the_branch_are_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflows_command.main()
    edge = {"zone": "example.com", "domain": "next.example.com"}
    delivery = {**SPEC["delivery"], "branch": "next", "oidc_provider": "existing"}  # type: ignore[dict-item]
    respec(project, "next", edge=edge, delivery=delivery)
    assert workflows_command.main() == 1
    said = capsys.readouterr().err
    assert "live and next share the repository of the infrastructure and disagree on its branch" in said
    assert found_in(project) == HERE


def test_a_wrong_spec_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    respec(project, delivery={"repository": "acme/platform"})
    assert workflows_command.main() == 1
    assert "delivery.runner" in capsys.readouterr().err
    assert not (project / ".github").exists()


def test_the_matrix_has_what_each_environment_needs(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert environments_command.main() == 0
    everything, apart = capsys.readouterr().out.splitlines()
    (entry,) = json.loads(everything.removeprefix("all="))
    assert json.loads(apart.removeprefix("apart=")) == [entry]
    assert entry == {
        "environment": "live",
        "region": "us-east-1",
        "account": "123456789012",
        "audience": "sts.amazonaws.com",
        "runner": ["self-hosted", "codebuild-acme"],
        "plan_environment": "live-plan",
        "plan_role": "arn:aws:iam::123456789012:role/acme-live-plan",
        "drift_environment": "live-drift",
        "apply_environment": "live-infrastructure",
        "apply_role": "arn:aws:iam::123456789012:role/acme-live-apply",
    }
    inputs = yaml.safe_load(workflows(load(Path("environments/live.yaml")))[OF_ONE])[True]["workflow_call"]
    assert set(inputs["inputs"]) == {*entry, "apply", "drift"}
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    assert environments_command.main() == 0
    (entry,) = json.loads(capsys.readouterr().out.splitlines()[0].removeprefix("all="))
    assert entry["runner"] == ["self-hosted", "codebuild-acme-77-2"]


def test_more_environments_than_a_matrix_holds_are_refused(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments_command, "MOST_ENVIRONMENTS", 1)
    edge = {"zone": "example.com", "domain": "next.example.com"}
    delivery = {**SPEC["delivery"], "oidc_provider": "existing"}  # type: ignore[dict-item]
    respec(project, "next", edge=edge, delivery=delivery)
    assert environments_command.main() == 1
    assert "environments: 2 have target: aws; a matrix of GitHub Actions has at most 1 jobs" in (
        capsys.readouterr().err
    )
