"""Checks this machine, the credentials and the network, and reports what is missing and how to get it.

    python -m tools.doctor ENV

Runs on the standard library of Python, before anything is installed. Each check takes a few seconds at most,
and none changes anything. Exit code 0, or 1 when something that this environment needs is missing.
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
SECONDS = 4  # timeout of a request over the network
BACKED_UP = ("RDS", "DocumentDB", "S3", "EBS")  # resource types that the tiers tag for AWS Backup


@dataclass(frozen=True)
class Check:
    """The result of a check: its status, details, and the remedy, which is empty if none is needed."""

    name: str
    status: str
    details: str
    remedy: str = ""


@dataclass(frozen=True)
class Tool:
    """A program: the arguments that print its version, the oldest version of each supported major, and its
    purpose."""

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
    checks = examine(environment)
    show(checks)
    missing = [check for check in checks if check.status == MISSING]
    if missing:
        print(f"doctor: {environment} lacks: {', '.join(check.name for check in missing)}")
        return 1
    print(f"doctor: nothing is missing for {environment}")
    return 0


def examine(environment: str) -> list[Check]:
    """The results of all checks, in the order in which an operator needs them. The checks run in parallel."""
    spec, spec_check = look_at_spec(environment)
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
        lambda: spec_check,
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


def look_at_make() -> Check:
    """The Makefile requires GNU make 4. macOS has 3.81; Homebrew installs version 4 as gmake."""
    details = "none"
    for name in ("make", "gmake"):
        path = shutil.which(name)
        output = answer([path, "--version"]) if path else ""
        version = first_version(output) if output.startswith("GNU Make") else ()
        if version >= (4,):
            advice = "" if name == "make" else "; type gmake wherever the docs say make"
            return Check("make", OK, f"{shown(version)}, at {path}{advice}")
        if path:
            details = f"{shown(version) if version else 'not GNU make'}, at {path}"
    remedy = "install GNU make 4 or newer; on macOS: brew install make, then type gmake in place of make"
    return Check("make", MISSING, details, remedy)


def look_at_python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036  this may run before anything is set up
        return Check("python", MISSING, version, "install Python 3.11 or newer, or name one: PYTHON3=…")
    return Check("python", OK, version)


def look_at_installed(package: str) -> Check:
    """Whether set-up was run, judged by one package that it installs."""
    try:
        __import__(package)
    except ImportError:
        return Check("packages", MISSING, "not installed", "make setup, on a machine with network")
    return Check("packages", OK, "installed in .venv")


def look_at_terraform() -> Check:
    """Terraform, or OpenTofu if TERRAFORM names it."""
    chosen, path = os.environ.get("TERRAFORM"), terraform_path()
    remedy = f"install OpenTofu ({INSTALL[OPENTOFU]}), or leave TERRAFORM out"
    if not chosen:
        remedy = f"make setup installs one, or {INSTALL[TERRAFORM]}"
    if path is None:
        return Check("terraform", MISSING, f"TERRAFORM={chosen} is not on PATH" if chosen else "none", remedy)
    program = asked(path)
    if program is None:
        return Check("terraform", MISSING, f"{path} is neither Terraform nor OpenTofu", remedy)
    details = f"{program.name} {program.version}, at {path}"
    if program.numbers < OLDEST:
        return Check("terraform", MISSING, details, f"{shown(OLDEST)} or newer: {remedy}")
    return Check("terraform", OK, details)


def terraform_path() -> str | None:
    chosen, installed = os.environ.get("TERRAFORM"), ROOT / ".venv/bin/terraform"
    return str(installed) if not chosen and installed.exists() else shutil.which(chosen or "terraform")


def look_at_node() -> Check:
    path = answer([sys.executable, "-m", "tierra.bindings.node"]).strip()
    if not path:
        remedy = "make setup installs one, or Node 22 or newer from https://nodejs.org/en/download"
        return Check("node", MISSING, "no version 22 or newer", remedy)
    return Check("node", OK, f"{shown(first_version(answer([path, '--version'])))}, at {path}")


def look_at_tool(tool: Tool, needed: bool, cluster: str = "") -> Check:
    """A program on PATH. One that is not needed is reported as well. `cluster`: the Kubernetes version that
    it must work with, from which it may be one minor version apart."""
    path = shutil.which(tool.name)
    version = first_version(answer([path, *tool.question])) if path else ()
    if any(version[:1] == oldest[:1] and version >= oldest for oldest in tool.oldest):
        if cluster and abs(version[1] - int(cluster.split(".")[1])) > 1:
            details = f"{shown(version)}, and the spec has Kubernetes {cluster}"
            return Check(tool.name, WARNING, details, f"use one at most a minor version apart: {tool.remedy}")
        return Check(tool.name, OK, f"{shown(version)}, at {path}")
    details = f"{shown(version)}, at {path}" if version else f"{path} prints no version" if path else "none"
    return Check(tool.name, MISSING if needed else WARNING, f"{details}; {tool.purpose}", tool.remedy)


def answer(command: list[str], **variables: str) -> str:
    """The output of a command; empty when it fails."""
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
    """The first version number in a text, such as 1, 11, 0; empty when there is none."""
    match = re.search(r"\d+\.\d+(\.\d+)?", text)
    return numbers(match[0]) if match else ()


def shown(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version)) or "unknown version"


# --- the spec, and what it needs in AWS ---


def look_at_spec(environment: str) -> tuple[Any, Check]:
    """The spec if it is valid, and the result of its check."""
    file = f"environments/{environment}.yaml"
    try:
        from modules.loader import load
        from tierra.validation.errors import SpecError, counted
    except ImportError:
        return None, Check("spec", WARNING, "not read before packages are installed", "make setup")
    try:
        spec = load(Path(file))
    except SpecError as error:
        count, problem = len(error.problems), error.problems[0]
        if count > 1 or problem.line:
            return None, Check(
                "spec", MISSING, f"{file}: {counted(count, 'problem')}", "make synth lists them"
            )
        return None, Check("spec", MISSING, f"{file}: {problem.rule}", problem.remedy)
    target = f"{spec.target}, {spec.region}" + (f", account {spec.account}" if spec.target == "aws" else "")
    return spec, Check("spec", OK, f"{file}: {target}")


def look_at_calendar(spec: Any) -> Check:
    """Whether AWS supports the versions of the spec today and in the near future."""
    if spec is None:
        return Check("versions", UNUSED, "the spec cannot be read")
    from tierra.report import calendar

    warnings = list(calendar.warnings(spec, calendar.today()))
    if not warnings:
        return Check("versions", OK, "in standard support")
    status = MISSING if any(warning.refused for warning in warnings) and spec.target == "aws" else WARNING
    details = "; ".join(f"{warning.key}: {warning.what}" for warning in warnings)
    return Check(
        "versions", status, details, "; ".join(dict.fromkeys(warning.remedy for warning in warnings))
    )


def not_on_aws(spec: Any) -> str:
    """Why checks of AWS are skipped; empty if they are not."""
    if spec is None:
        return "not known until the spec is valid"
    return "" if spec.target == "aws" else "a rehearsal needs none"


def client(service: str, spec: Any) -> Any:
    """A client of AWS with the credentials of terraform, and with the same role if the spec names one."""
    from botocore.config import Config

    quick = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1})
    return signing.client(service, spec.region, spec.assume_role, quick)


def look_at_credentials(spec: Any) -> Check:
    """Whether the credentials are valid, and of the account of the spec."""
    if reason := not_on_aws(spec):
        return Check("credentials", UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    sign_in = f"sign in to {spec.account}: aws sso login, AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret"
    try:
        identity = client("sts", spec).get_caller_identity()
    except NoCredentialsError:
        return Check("credentials", MISSING, "none", sign_in)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if spec.assume_role and error.operation_name == "AssumeRole":
            remedy = "sign in with an identity that the role trusts, or correct assume_role"
            return Check("credentials", MISSING, f"may not assume {spec.assume_role} ({code})", remedy)
        return Check("credentials", MISSING, f"refused ({code})", sign_in)
    except BotoCoreError as error:
        details = " ".join(str(error).split())
        return Check("credentials", MISSING, details, f"check the network and its proxy, then {sign_in}")
    details = f"{identity['Arn']}, account {identity['Account']}"
    if identity["Account"] != spec.account:
        remedy = f"the spec is for {spec.account}: sign in there, or correct account"
        return Check("credentials", MISSING, details, remedy)
    return Check("credentials", OK, details)


def look_at_zones(spec: Any) -> Check:
    """Whether the account has the zones of the spec, and EKS supports them."""
    if reason := not_on_aws(spec):
        return Check("zones", UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError

    from tierra.run.account import wrong_zone

    try:
        wrong = wrong_zone(spec.region, spec.network.zones, spec.assume_role)
    except (BotoCoreError, ClientError):
        return Check("zones", WARNING, "AWS did not list them", "see credentials")
    if wrong:
        return Check("zones", MISSING, *wrong)
    return Check("zones", OK, ", ".join(f"{spec.region}{zone}" for zone in spec.network.zones))


def look_at_addresses(spec: Any) -> Check:
    """Whether the quota of the account allows the Elastic IP addresses of the NAT gateways. The default is
    five per region (botocore: ec2, DescribeAccountAttributes, vpc-max-elastic-ips)."""
    name = "addresses"
    if reason := not_on_aws(spec):
        return Check(name, UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError

    ec2 = client("ec2", spec)
    try:
        addresses = ec2.describe_addresses()["Addresses"]
        limits = ec2.describe_account_attributes(AttributeNames=["vpc-max-elastic-ips"])["AccountAttributes"]
    except (BotoCoreError, ClientError):
        return Check(name, WARNING, "could not be read from AWS", "see credentials")
    most = int(limits[0]["AttributeValues"][0]["AttributeValue"])
    stem = f"{spec.project}-{spec.environment}-"
    tags = [{tag["Key"]: tag["Value"] for tag in address.get("Tags", [])} for address in addresses]
    others = sum(not tag_set.get("Name", "").startswith(stem) for tag_set in tags)
    needed = len(spec.network.nat_zones)
    details = f"{needed} for NAT gateways, {others} used by others, {most} allowed in {spec.region}"
    if others + needed <= most:
        return Check(name, OK, details)
    remedy = "request more (Service Quotas, EC2-VPC Elastic IPs), release some, or write network.nat: single"
    return Check(name, MISSING, details, remedy)


def look_at_services(spec: Any) -> Check:
    """Whether the region has the services that some regions lack. Only AWS can answer: endpoints.json of
    botocore has no endpoint of DocumentDB for regions that have had it for years, and no rule groups of
    WAF."""
    if reason := not_on_aws(spec):
        return Check("services", UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError

    version = spec.data.documentdb.version if spec.data.documentdb else ""
    floods = bool(spec.edge.waf) and spec.edge.waf.rules.anti_ddos != "off"
    features = {f"DocumentDB {version}": version, "the rules of WAF": spec.edge.waf}
    required = [what for what, asks in features.items() if asks]
    if not required:
        return Check("services", UNUSED, "the spec uses only services that every region has")
    try:
        if version and not _documentdb_is_sold(spec, version):
            remedy = "choose another region, or another data.documentdb.version"
            return Check("services", MISSING, f"{spec.region} has no DocumentDB {version}", remedy)
        if floods:
            groups = client("wafv2", spec)
            groups.describe_managed_rule_group(
                VendorName="AWS", Name="AWSManagedRulesAntiDDoSRuleSet", Scope="REGIONAL"
            )
    except ClientError as error:
        if error.response["Error"]["Code"].startswith(("WAFNonexistentItem", "WAFInvalid")):
            remedy = "write edge.waf.rules.anti_ddos: off"
            return Check("services", MISSING, f"{spec.region} has no anti-DDoS rules of WAF", remedy)
        return Check("services", WARNING, "could not be read from AWS", "see credentials")
    except BotoCoreError:
        return Check("services", WARNING, "could not be read from AWS", "see credentials")
    verb = "are" if spec.edge.waf else "is"
    return Check("services", OK, f"{' and '.join(required)} {verb} in {spec.region}")


def _documentdb_is_sold(spec: Any, version: str) -> bool:
    docdb = client("docdb", spec)
    return bool(docdb.describe_db_engine_versions(Engine="docdb", EngineVersion=version)["DBEngineVersions"])


def look_at_certificate(spec: Any) -> Check:
    """Whether an existing certificate is issued and covers every host name."""
    if reason := not_on_aws(spec):
        return Check("certificate", UNUSED, reason)
    if spec.edge.certificate is None:
        return Check("certificate", UNUSED, "the tier edge requests one")
    from botocore.exceptions import BotoCoreError, ClientError

    from modules.edge.given import covers
    from modules.edge.names import all_hosts

    try:
        response = client("acm", spec).describe_certificate(CertificateArn=spec.edge.certificate)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            remedy = "correct edge.certificate: aws acm list-certificates"
            return Check("certificate", MISSING, f"{spec.edge.certificate} does not exist", remedy)
        return Check("certificate", WARNING, "could not be read from AWS", "see credentials")
    except BotoCoreError:
        return Check("certificate", WARNING, "could not be read from AWS", "see credentials")
    certificate = response["Certificate"]
    if certificate["Status"] != "ISSUED":
        remedy = "have it issued, or name another one in edge.certificate"
        return Check("certificate", MISSING, f"it is {certificate['Status']}, not ISSUED", remedy)
    names = [certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])]
    if lacking := [
        host for host in all_hosts(spec.edge, spec.systems) if not any(covers(name, host) for name in names)
    ]:
        remedy = "write the ARN of a certificate that has them as edge.certificate"
        return Check("certificate", MISSING, f"it lacks {', '.join(lacking)}", remedy)
    return Check("certificate", OK, f"issued for {', '.join(dict.fromkeys(names))}")


def look_at_backups(spec: Any) -> Check:
    """Whether the region opts out of AWS Backup for a resource type that is backed up: selection by tags
    alone follows the opt-in of the region. An account that has not used AWS Backup is opted in on first use.
    docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html, AWS Backup service opt-in"""
    if reason := not_on_aws(spec):
        return Check("backups", UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        settings = client("backup", spec).describe_region_settings()
    except (BotoCoreError, ClientError):
        return Check("backups", WARNING, "could not be read from AWS", "see credentials")
    chosen = settings.get("ResourceTypeOptInPreference", {})
    kinds = (*BACKED_UP, *(["EFS"] if any(system.volumes for system in spec.systems.values()) else []))
    if off := [kind for kind in kinds if chosen.get(kind) is False]:
        wish = ",".join(f"{kind}=true" for kind in off)
        remedy = f"aws backup update-region-settings --resource-type-opt-in-preference {wish}"
        return Check("backups", MISSING, f"AWS Backup leaves out {', '.join(off)}", remedy)
    return Check("backups", OK, f"AWS Backup includes {', '.join(kinds)}")


def look_at_states(spec: Any) -> Check:
    """Whether the bucket of the states exists, in the account of the spec."""
    if reason := not_on_aws(spec):
        return Check("states", UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError

    from tierra.terraform.naming import Names

    bucket = Names(spec.project, spec.environment, spec.account).bucket("state")
    try:
        client("s3", spec).head_bucket(Bucket=bucket, ExpectedBucketOwner=spec.account)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:
            remedy = f"make bootstrap ENV={spec.environment}"
            return Check("states", MISSING, f"the bucket {bucket} does not exist yet", remedy)
        return Check("states", WARNING, f"{bucket} cannot be read ({status})", "see credentials")
    except BotoCoreError:
        return Check("states", WARNING, f"{bucket} cannot be read", "see credentials")
    return Check("states", OK, bucket)


def look_at_registry(spec: Any) -> Check:
    """Whether terraform can download providers. Proxies come from the environment, as for terraform."""
    if reason := not_on_aws(spec):
        return Check("registry", UNUSED, reason)
    path = terraform_path()
    program = asked(path) if path else None
    registry = registry_of(program.name if program else TERRAFORM)
    address = f"{registry}/.well-known/terraform.json"
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as reply:
            if "providers.v1" in json.load(reply):
                return Check("registry", OK, f"{registry} answers")
            details = f"{registry} answers, but not as a registry"
    except (OSError, ValueError) as error:
        details = f"{registry} does not answer: {getattr(error, 'reason', error)}"
    remedy = "set HTTPS_PROXY, or mirror the providers: terraform providers mirror, and TF_CLI_CONFIG_FILE"
    return Check("registry", MISSING, details, remedy)


def registry_of(name: str) -> str:
    return f"https://{REGISTRIES[name]}"


def look_at_cluster(spec: Any) -> Check:
    """Whether this machine can reach the Kubernetes API, once there is a cluster."""
    if reason := not_on_aws(spec):
        return Check("cluster", UNUSED, reason)
    from botocore.exceptions import BotoCoreError, ClientError

    from tierra.terraform.naming import Names

    name = Names(spec.project, spec.environment, spec.account).of("cluster")
    try:
        cluster = client("eks", spec).describe_cluster(name=name)["cluster"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ResourceNotFoundException":
            return Check("cluster", OK, f"{name} does not exist yet: make apply builds it")
        return Check("cluster", WARNING, f"{name} cannot be described ({code})", "see credentials")
    except BotoCoreError:
        return Check("cluster", WARNING, f"{name} cannot be described", "see credentials")
    if "endpoint" not in cluster:
        return Check("cluster", OK, f"{name} is {cluster['status'].lower()}")
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
        return Check("cluster", MISSING, f"{where.hostname} does not answer: {error}", remedy)
    return Check("cluster", OK, f"{where.hostname} answers")


# --- output ---


def show(checks: list[Check]) -> None:
    """A table on a terminal; otherwise one line for each check."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        return show_lines(checks)
    if not sys.stdout.isatty() and not os.environ.get("MAKE_TERMOUT"):
        return show_lines(checks)
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    styles = {OK: "green", WARNING: "yellow", MISSING: "bold red", UNUSED: "dim"}
    for check in checks:
        table.add_row(f"[{styles[check.status]}]{check.status}[/]", check.name, check.details, check.remedy)
    Console(force_terminal=True, highlight=False).print(table)
    return None


def show_lines(checks: list[Check]) -> None:
    for check in checks:
        print(f"{check.status}: {check.name}: {check.details}")
        if check.remedy:
            print(f"  remedy: {check.remedy}")


if __name__ == "__main__":
    sys.exit(main())
