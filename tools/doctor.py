"""Checks this machine, the credentials and the network, and reports what is missing and how to get it.

    python -m tools.doctor ENV

Runs on Python's own library when nothing is installed yet, and asks nothing that takes longer than a few
seconds. Nothing is changed. Exit code 0, or 1 when something that this environment needs is missing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from tierra.aws import signing
from tierra.bindings.terraform import INSTALL, OLDEST, OPENTOFU, REGISTRIES, TERRAFORM, asked
from tierra.versions import numbers

ROOT = Path(__file__).resolve().parent.parent
OK, WARNING, MISSING, UNUSED = "ok", "warning", "missing", "not needed"
SECONDS = 4  # for an answer from the network
BACKED_UP = ("RDS", "DocumentDB", "S3", "EBS")  # what the tiers tag for AWS Backup


@dataclass(frozen=True)
class Finding:
    """What was found of one thing, and what to do about it; an empty remedy is none."""

    name: str
    status: str
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Tool:
    """A program: how it says its version, the oldest of each major that will do, and what it is for."""

    name: str
    question: tuple[str, ...]
    oldest: tuple[tuple[int, ...], ...]
    purpose: str
    remedy: str


GIT = Tool("git", ("--version",), ((2, 0),), "to keep the spec", "install git from your system's packages")
AWS = Tool(
    "aws",
    ("--version",),
    # https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html
    ((1, 27, 160), (2, 12, 3)),
    "for access to the cluster, in the tiers gateway, systems and observability",
    "install the AWS CLI 2: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
)
KUBECTL = Tool(
    "kubectl",
    ("version", "--client", "-o", "json"),
    ((1, 0),),
    "to inspect the cluster, for the runbooks",
    "https://kubernetes.io/docs/tasks/tools/",
)
HELM = Tool(
    "helm",
    ("version", "--short"),
    ((3, 14), (4, 0)),
    "to inspect releases, for the runbooks",
    "https://helm.sh/docs/intro/install/",
)


def main() -> int:
    environment = sys.argv[1]
    findings = examine(environment)
    show(findings)
    missing = [each for each in findings if each.status == MISSING]
    if missing:
        print(f"doctor: {environment} lacks: {', '.join(each.name for each in missing)}")
        return 1
    print(f"doctor: nothing is missing for {environment}")
    return 0


def examine(environment: str) -> list[Finding]:
    """Everything, in the order in which it is needed. What takes a while is asked at once."""
    spec, judged = look_at_spec(environment)
    on_aws = spec is not None and spec.target == "aws"
    looks = [
        look_at_make,
        look_at_python,
        lambda: look_at_installed("rich"),
        look_at_terraform,
        look_at_node,
        lambda: look_at_tool(GIT, True),
        lambda: look_at_tool(AWS, on_aws),
        lambda: look_at_tool(KUBECTL, False, spec.compute.kubernetes if spec else ""),
        lambda: look_at_tool(HELM, False),
        lambda: judged,
        lambda: look_at_calendar(spec),
        lambda: look_at_credentials(spec),
        lambda: look_at_zones(spec),
        lambda: look_at_addresses(spec),
        lambda: look_at_services(spec),
        lambda: look_at_certificate(spec),
        lambda: look_at_backups(spec),
        lambda: look_at_states(spec),
        lambda: look_at_registry(spec),
        lambda: look_at_cluster(spec),
    ]
    with ThreadPoolExecutor(len(looks)) as pool:
        return list(pool.map(lambda look: look(), looks))


# --- tools ---


def look_at_make() -> Finding:
    """The Makefile needs GNU make 4, and macOS comes with 3.81; Homebrew's is called gmake."""
    found = "none"
    for name in ("make", "gmake"):
        path = shutil.which(name)
        said = answer([path, "--version"]) if path else ""
        version = first_version(said) if said.startswith("GNU Make") else ()
        if version >= (4,):
            advice = "" if name == "make" else "; type gmake wherever the docs say make"
            return Finding("make", OK, f"{shown(version)}, at {path}{advice}")
        if path:
            found = f"{shown(version) if version else 'not GNU make'}, at {path}"
    remedy = "install GNU make 4 or newer; on macOS: brew install make, then type gmake in place of make"
    return Finding("make", MISSING, found, remedy)


def look_at_python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036  this may run before anything is set up
        return Finding("python", MISSING, version, "install Python 3.11 or newer, or name one: PYTHON3=…")
    return Finding("python", OK, version)


def look_at_installed(package: str) -> Finding:
    """Whether set-up was run, by something that it installs."""
    try:
        __import__(package)
    except ImportError:
        return Finding("packages", MISSING, "not installed", "make setup, on a machine with network")
    return Finding("packages", OK, "installed in .venv")


def look_at_terraform() -> Finding:
    """Terraform, or OpenTofu where TERRAFORM names it."""
    named, path = os.environ.get("TERRAFORM"), terraform_path()
    remedy = f"install OpenTofu ({INSTALL[OPENTOFU]}), or leave TERRAFORM out"
    if not named:
        remedy = f"make setup installs one, or {INSTALL[TERRAFORM]}"
    if path is None:
        return Finding("terraform", MISSING, f"TERRAFORM={named} is not on PATH" if named else "none", remedy)
    said = asked(path)
    if said is None:
        return Finding("terraform", MISSING, f"{path} is neither Terraform nor OpenTofu", remedy)
    found = f"{said.name} {said.version}, at {path}"
    if said.numbers < OLDEST:
        return Finding("terraform", MISSING, found, f"{shown(OLDEST)} or newer: {remedy}")
    return Finding("terraform", OK, found)


def terraform_path() -> str | None:
    named, own = os.environ.get("TERRAFORM"), ROOT / ".venv/bin/terraform"
    return str(own) if not named and own.exists() else shutil.which(named or "terraform")


def look_at_node() -> Finding:
    path = answer([sys.executable, "-m", "tierra.bindings.node"]).strip()
    if not path:
        remedy = "make setup installs one, or Node 22 or newer from https://nodejs.org/en/download"
        return Finding("node", MISSING, "no version 22 or newer", remedy)
    return Finding("node", OK, f"{shown(first_version(answer([path, '--version'])))}, at {path}")


def look_at_tool(tool: Tool, needed: bool, cluster: str = "") -> Finding:
    """A program on PATH. One that is not needed is told all the same. `cluster`: the version of Kubernetes
    that it is to talk to, from which it may be one minor version away."""
    path = shutil.which(tool.name)
    version = first_version(answer([path, *tool.question])) if path else ()
    if any(version[:1] == oldest[:1] and version >= oldest for oldest in tool.oldest):
        if cluster and abs(version[1] - int(cluster.split(".")[1])) > 1:
            found = f"{shown(version)}, and the spec has Kubernetes {cluster}"
            return Finding(tool.name, WARNING, found, f"use one at most a minor version apart: {tool.remedy}")
        return Finding(tool.name, OK, f"{shown(version)}, at {path}")
    found = f"{shown(version)}, at {path}" if version else f"{path} prints no version" if path else "none"
    return Finding(tool.name, MISSING if needed else WARNING, f"{found}; {tool.purpose}", tool.remedy)


def answer(command: list[str], **variables: str) -> str:
    """What a command prints, or nothing when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=5 * SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def first_version(text: str) -> tuple[int, ...]:
    """The first number with a dot in a text, as 1, 11, 0; empty when there is none."""
    found = re.search(r"\d+\.\d+(\.\d+)?", text)
    return numbers(found[0]) if found else ()


def shown(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version)) or "unknown version"


# --- the spec, and what it needs of AWS ---


def look_at_spec(environment: str) -> tuple[Any, Finding]:
    """The spec when it can be read, and what is to be said about it."""
    file = f"environments/{environment}.yaml"
    try:
        from modules.spec import load
        from tierra.validation.errors import SpecError
    except ImportError:
        return None, Finding("spec", WARNING, "not read before packages are installed", "make setup")
    try:
        spec = load(Path(file))
    except SpecError as error:
        problem = error.problems[0]
        if len(error.problems) > 1 or problem.line:
            return None, Finding(
                "spec", MISSING, f"{file}: {len(error.problems)} problems", "make synth lists them"
            )
        return None, Finding("spec", MISSING, f"{file}: {problem.rule}", problem.remedy)
    place = f"{spec.target}, {spec.region}" + (f", account {spec.account}" if spec.target == "aws" else "")
    return spec, Finding("spec", OK, f"{file}: {place}")


def look_at_calendar(spec: Any) -> Finding:
    """Whether AWS supports the versions of the spec on the day of this machine, and for a while yet."""
    if spec is None:
        return Finding("versions", UNUSED, "the spec cannot be read")
    from tierra.report import calendar

    found = list(calendar.warnings(spec, calendar.today()))
    if not found:
        return Finding("versions", OK, "in standard support")
    status = MISSING if any(each.refused for each in found) and spec.target == "aws" else WARNING
    says = "; ".join(f"{each.key}: {each.what}" for each in found)
    return Finding("versions", status, says, "; ".join(dict.fromkeys(each.remedy for each in found)))


def not_on_aws(spec: Any) -> str:
    """Why AWS need not be asked; empty when it must."""
    if spec is None:
        return "not known until the spec is valid"
    return "" if spec.target == "aws" else "a rehearsal needs none"


def client(service: str, spec: Any) -> Any:
    """A client of AWS that signs in as terraform does, with the same role where the spec names one."""
    from botocore.config import Config

    quick = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1})
    return signing.client(service, spec.region, spec.assume_role, quick)


def look_at_credentials(spec: Any) -> Finding:
    """Who AWS says that we are, and whether that is the account of the spec."""
    if reason := not_on_aws(spec):
        return Finding("credentials", UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    sign_in = f"sign in to {spec.account}: aws sso login, AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret"
    try:
        identity = client("sts", spec).get_caller_identity()
    except NoCredentialsError:
        return Finding("credentials", MISSING, "none", sign_in)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if spec.assume_role and error.operation_name == "AssumeRole":
            remedy = "sign in with an identity that the role trusts, or correct assume_role"
            return Finding("credentials", MISSING, f"may not assume {spec.assume_role} ({code})", remedy)
        return Finding("credentials", MISSING, f"refused ({code})", sign_in)
    except BotoCoreError as error:
        found = " ".join(str(error).split())
        return Finding("credentials", MISSING, found, f"check the network and its proxy, then {sign_in}")
    found = f"{identity['Arn']}, account {identity['Account']}"
    if identity["Account"] != spec.account:
        remedy = f"the spec is for {spec.account}: sign in there, or correct account"
        return Finding("credentials", MISSING, found, remedy)
    return Finding("credentials", OK, found)


def look_at_zones(spec: Any) -> Finding:
    """Whether the account has the zones of the spec, and EKS takes them."""
    if reason := not_on_aws(spec):
        return Finding("zones", UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError

    from tierra.run.account import wrong_zone

    try:
        wrong = wrong_zone(spec.region, spec.network.zones, spec.assume_role)
    except (BotoCoreError, ClientError):
        return Finding("zones", WARNING, "AWS did not list them", "see credentials")
    if wrong:
        return Finding("zones", MISSING, *wrong)
    return Finding("zones", OK, ", ".join(f"{spec.region}{each}" for each in spec.network.zones))


def look_at_addresses(spec: Any) -> Finding:
    """Whether the account may have the Elastic IP addresses of the NAT gateways: five in a region, unless it
    asked for more (botocore: ec2, DescribeAccountAttributes, vpc-max-elastic-ips)."""
    name = "addresses"
    if reason := not_on_aws(spec):
        return Finding(name, UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError

    ec2 = client("ec2", spec)
    try:
        held = ec2.describe_addresses()["Addresses"]
        limits = ec2.describe_account_attributes(AttributeNames=["vpc-max-elastic-ips"])["AccountAttributes"]
    except (BotoCoreError, ClientError):
        return Finding(name, WARNING, "could not be read from AWS", "see credentials")
    most = int(limits[0]["AttributeValues"][0]["AttributeValue"])
    stem = f"{spec.project}-{spec.environment}-"
    tags = [{tag["Key"]: tag["Value"] for tag in each.get("Tags", [])} for each in held]
    others = sum(not each.get("Name", "").startswith(stem) for each in tags)
    needed = len(spec.network.nat_zones)
    found = f"{needed} for NAT gateways, {others} used by others, {most} allowed in {spec.region}"
    if others + needed <= most:
        return Finding(name, OK, found)
    remedy = "request more (Service Quotas, EC2-VPC Elastic IPs), release some, or write network.nat: single"
    return Finding(name, MISSING, found, remedy)


def look_at_services(spec: Any) -> Finding:
    """Whether the region sells what not every region does. AWS alone knows: endpoints.json of botocore names
    no endpoint of DocumentDB in regions that have had it for years, and no groups of rules of WAF."""
    if reason := not_on_aws(spec):
        return Finding("services", UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError

    version = spec.data.documentdb.version if spec.data.documentdb else ""
    floods = bool(spec.edge.waf) and spec.edge.waf.rules.anti_ddos != "off"
    asked = {f"DocumentDB {version}": version, "the rules of WAF": spec.edge.waf}
    wanted = [what for what, asks in asked.items() if asks]
    if not wanted:
        return Finding("services", UNUSED, "the spec uses only services that every region has")
    try:
        if version and not _documentdb_is_sold(spec, version):
            remedy = "choose another region, or another data.documentdb.version"
            return Finding("services", MISSING, f"{spec.region} has no DocumentDB {version}", remedy)
        if floods:
            groups = client("wafv2", spec)
            groups.describe_managed_rule_group(
                VendorName="AWS", Name="AWSManagedRulesAntiDDoSRuleSet", Scope="REGIONAL"
            )
    except ClientError as error:
        if error.response["Error"]["Code"].startswith(("WAFNonexistentItem", "WAFInvalid")):
            remedy = "write edge.waf.rules.anti_ddos: off"
            return Finding("services", MISSING, f"{spec.region} has no anti-DDoS rules of WAF", remedy)
        return Finding("services", WARNING, "could not be read from AWS", "see credentials")
    except BotoCoreError:
        return Finding("services", WARNING, "could not be read from AWS", "see credentials")
    verb = "are" if spec.edge.waf else "is"
    return Finding("services", OK, f"{' and '.join(wanted)} {verb} in {spec.region}")


def _documentdb_is_sold(spec: Any, version: str) -> bool:
    docdb = client("docdb", spec)
    return bool(docdb.describe_db_engine_versions(Engine="docdb", EngineVersion=version)["DBEngineVersions"])


def look_at_certificate(spec: Any) -> Finding:
    """Whether a certificate of the operator's own is issued, and holds for every name."""
    if reason := not_on_aws(spec):
        return Finding("certificate", UNUSED, reason)
    if spec.edge.certificate is None:
        return Finding("certificate", UNUSED, "the tier edge requests one")
    from botocore.exceptions import BotoCoreError, ClientError

    from modules.edge.given import covers
    from modules.edge.names import all_hosts

    try:
        asked_for = client("acm", spec).describe_certificate(CertificateArn=spec.edge.certificate)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            remedy = "correct edge.certificate: aws acm list-certificates"
            return Finding("certificate", MISSING, f"{spec.edge.certificate} does not exist", remedy)
        return Finding("certificate", WARNING, "could not be read from AWS", "see credentials")
    except BotoCoreError:
        return Finding("certificate", WARNING, "could not be read from AWS", "see credentials")
    found = asked_for["Certificate"]
    if found["Status"] != "ISSUED":
        remedy = "have it issued, or name another one in edge.certificate"
        return Finding("certificate", MISSING, f"it is {found['Status']}, not ISSUED", remedy)
    names = [found["DomainName"], *found.get("SubjectAlternativeNames", [])]
    if lacking := [
        host for host in all_hosts(spec.edge, spec.systems) if not any(covers(name, host) for name in names)
    ]:
        remedy = "write the ARN of a certificate that has them as edge.certificate"
        return Finding("certificate", MISSING, f"it lacks {', '.join(lacking)}", remedy)
    return Finding("certificate", OK, f"issued for {', '.join(dict.fromkeys(names))}")


def look_at_backups(spec: Any) -> Finding:
    """Whether AWS Backup was told to leave a kind alone that is backed up: what is selected by tags alone
    follows the opt-in of the region. An account that has not used AWS Backup is opted in when it does.
    docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html, AWS Backup service opt-in"""
    if reason := not_on_aws(spec):
        return Finding("backups", UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answered = client("backup", spec).describe_region_settings()
    except (BotoCoreError, ClientError):
        return Finding("backups", WARNING, "could not be read from AWS", "see credentials")
    chosen = answered.get("ResourceTypeOptInPreference", {})
    kinds = (*BACKED_UP, *(["EFS"] if any(each.volumes for each in spec.systems.values()) else []))
    if off := [kind for kind in kinds if chosen.get(kind) is False]:
        wish = ",".join(f"{kind}=true" for kind in off)
        remedy = f"aws backup update-region-settings --resource-type-opt-in-preference {wish}"
        return Finding("backups", MISSING, f"AWS Backup leaves out {', '.join(off)}", remedy)
    return Finding("backups", OK, f"AWS Backup includes {', '.join(kinds)}")


def look_at_states(spec: Any) -> Finding:
    """Whether there is the bucket for the states, and it is ours."""
    if reason := not_on_aws(spec):
        return Finding("states", UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError

    from tierra.terraform.naming import Names

    bucket = Names(spec.project, spec.environment, spec.account).bucket("state")
    try:
        client("s3", spec).head_bucket(Bucket=bucket, ExpectedBucketOwner=spec.account)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:
            remedy = f"make bootstrap ENV={spec.environment}"
            return Finding("states", MISSING, f"the bucket {bucket} does not exist yet", remedy)
        return Finding("states", WARNING, f"{bucket} cannot be read ({status})", "see credentials")
    except BotoCoreError:
        return Finding("states", WARNING, f"{bucket} cannot be read", "see credentials")
    return Finding("states", OK, bucket)


def look_at_registry(spec: Any) -> Finding:
    """Whether terraform can fetch providers; a proxy is taken from the environment as terraform takes it."""
    if reason := not_on_aws(spec):
        return Finding("registry", UNUSED, reason)
    path = terraform_path()
    said = asked(path) if path else None
    registry = registry_of(said.name if said else TERRAFORM)
    address = f"{registry}/.well-known/terraform.json"
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as reply:
            if "providers.v1" in json.load(reply):
                return Finding("registry", OK, f"{registry} answers")
            found = f"{registry} answers, but not as a registry"
    except (OSError, ValueError) as error:
        found = f"{registry} does not answer: {getattr(error, 'reason', error)}"
    remedy = "set HTTPS_PROXY, or mirror the providers: terraform providers mirror, and TF_CLI_CONFIG_FILE"
    return Finding("registry", MISSING, found, remedy)


def registry_of(name: str) -> str:
    return f"https://{REGISTRIES[name]}"


def look_at_cluster(spec: Any) -> Finding:
    """Whether the Kubernetes API is in reach from here, once there is a cluster."""
    if reason := not_on_aws(spec):
        return Finding("cluster", UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError

    from tierra.terraform.naming import Names

    name = Names(spec.project, spec.environment, spec.account).of("cluster")
    try:
        cluster = client("eks", spec).describe_cluster(name=name)["cluster"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ResourceNotFoundException":
            return Finding("cluster", OK, f"{name} does not exist yet: make apply builds it")
        return Finding("cluster", WARNING, f"{name} cannot be described ({code})", "see credentials")
    except BotoCoreError:
        return Finding("cluster", WARNING, f"{name} cannot be described", "see credentials")
    if "endpoint" not in cluster:
        return Finding("cluster", OK, f"{name} is {cluster['status'].lower()}")
    where = urlparse(cluster["endpoint"])
    try:
        socket.create_connection((where.hostname or "", where.port or 443), SECONDS).close()
    except OSError as error:
        private = not cluster["resourcesVpcConfig"]["endpointPublicAccess"]
        remedy = (
            f"it is private: work inside the VPC with the security group {name}-runner, or name the private"
            " range of this VPN or peered network in network.admin_cidrs, or its public one in"
            " compute.endpoint.public_cidrs"
            if private
            else "name the public range of this network in compute.endpoint.public_cidrs"
        )
        return Finding("cluster", MISSING, f"{where.hostname} does not answer: {error}", remedy)
    return Finding("cluster", OK, f"{where.hostname} answers")


# --- what people see ---


def show(findings: list[Finding]) -> None:
    """A table on a terminal, else a line for each."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        return show_lines(findings)
    if not sys.stdout.isatty() and not os.environ.get("MAKE_TERMOUT"):
        return show_lines(findings)
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    styles = {OK: "green", WARNING: "yellow", MISSING: "bold red", UNUSED: "dim"}
    for each in findings:
        table.add_row(f"[{styles[each.status]}]{each.status}[/]", each.name, each.found, each.remedy)
    Console(force_terminal=True, highlight=False).print(table)
    return None


def show_lines(findings: list[Finding]) -> None:
    for each in findings:
        print(f"{each.status}: {each.name}: {each.found}")
        if each.remedy:
            print(f"  remedy: {each.remedy}")


if __name__ == "__main__":
    sys.exit(main())
