"""A system's own settings: variables, secrets, configuration files, and permissions in AWS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from modules.systems.parts import VARIABLE, VARIABLE_RULE, plain_variable
from tierra.terraform.policy import Statement
from tierra.validation.messages import secret
from tierra.validation.model import Model, Violation, rule, rule_error

if TYPE_CHECKING:
    from modules.systems.spec import System

CREATE = "create"
# Variables that Tierra sets or may set for any system; modules/systems/variables.py has the values.
HANDED = frozenset(
    {
        *("PORT", "BASE_PATH", "PUBLIC_HOST", "PUBLIC_URL", "AWS_REGION", "OTEL_SERVICE_NAME"),
        "METRICS_PORT",
        *("DATABASE_HOST", "DATABASE_READER_HOSTS", "DATABASE_PORT", "DATABASE_NAME", "DATABASE_USER"),
        *("DATABASE_PASSWORD", "DATABASE_SSLMODE", "DATABASE_SSLROOTCERT"),
        *("REDIS_HOST", "REDIS_READER_HOST", "REDIS_BROKER_HOST", "REDIS_PORT", "REDIS_USER"),
        *("REDIS_GROUP", "REDIS_BROKER_GROUP"),
        *("DOCUMENTDB_HOST", "DOCUMENTDB_READER_HOST", "DOCUMENTDB_PORT", "DOCUMENTDB_NAME"),
        *("DOCUMENTDB_USER", "DOCUMENTDB_PASSWORD", "DOCUMENTDB_OPTIONS", "DOCUMENTDB_TLS_CA"),
        *("FILES_BUCKET", "FILES_PREFIX"),
        # Variables with which the pod gets the credentials of its role: EKS User Guide, "How EKS Pod Identity
        # works".
        *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        *("AWS_DEFAULT_REGION", "AWS_STS_REGIONAL_ENDPOINTS"),
        # Variables that take precedence over the role in any SDK.
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"),
    }
)
# Variables that Tierra also sets if observability.trace_percent is not 0. Without traces a system may set
# them.
TRACING = frozenset(
    {
        *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"),
        *("OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"),
    }
)
OTHERS = "SYSTEM_"  # prefix of the variables with addresses of other systems
MOST_VARIABLES = 200
# Maximum size of all files of a system: a release of Helm is one Secret of 1 MiB (Kubernetes, "Secrets").
MOST_CONFIG = 200_000
# In characters, including quotes. An IAM policy holds 6,144 and the inline policies of a role 10,240,
# including the statements of Tierra (IAM User Guide, "IAM and AWS STS quotas").
MOST_ACTIONS, MOST_PERMISSIONS = 3_000, 7_000
# Folders that exist in every pod.
MOUNTED = tuple(f"/{folder}" for folder in ("tmp", "proc", "sys", "dev", "etc/authorities", "run", "var/run"))


def _variable(name: str) -> str:
    if not VARIABLE.fullmatch(name):
        raise rule_error(VARIABLE_RULE, plain_variable(name))
    if name in HANDED or (name.startswith(OTHERS) and name.endswith("_URL")):
        raise rule_error(
            "the variable must not be one that Tierra sets", "remove the line, or choose another name"
        )
    return name


def _plain(name: str) -> str:
    _variable(name)
    if secret((name,)):
        rule = "a variable of env must not be a secret, because plans show it; this one sounds like one"
        raise rule_error(rule, "move it to secrets, with the name of its secret, or choose another name")
    return name


@dataclass(frozen=True)
class Source:
    """The source of the value of a variable: `key` for External Secrets; `name` is its ARN, or the part of an
    ARN after secret: or parameter. `field` is the key in a JSON value, if any."""

    parameter: bool
    key: str
    arn: str
    field: str


_ARN = re.compile(
    r"arn:(?P<partition>[a-z-]+):(?P<service>secretsmanager|ssm):(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12})"
    r":(?:secret:|parameter/)[A-Za-z0-9/_+=.@-]+"
)
_SECRET = re.compile(r"[A-Za-z0-9_+=.@-][A-Za-z0-9/_+=.@-]{0,511}")
_PARAMETER = re.compile(r"(/[A-Za-z0-9_.-]+){1,15}")
_FIELD = re.compile(r"[A-Za-z0-9_-]{1,100}")


def _source(text: str) -> str:
    name, mark, field = text.partition("#")
    fits = _ARN.fullmatch(name) or _SECRET.fullmatch(name) or _PARAMETER.fullmatch(name)
    if not fits or (mark and not _FIELD.fullmatch(field)) or (mark and name == CREATE):
        rule = (
            "must be create, or the name or ARN of a secret of Secrets Manager or of a parameter (/…) of"
            " Systems Manager, with # and a key if it contains JSON"
        )
        raise rule_error(rule, "write create, or a name such as orders/stripe#key or /orders/stripe")
    return text


def source(text: str) -> Source | None:
    """The source that an entry of `secrets` names; None for a secret that Tierra creates."""
    if text == CREATE:
        return None
    name, _, field = text.partition("#")
    arn = _ARN.fullmatch(name)
    parameter = arn["service"] == "ssm" if arn else name.startswith("/")
    return Source(parameter, name, name if arn else "", field)


def secret_address(name: str, variable: str) -> str:
    """The Terraform name of a secret that Tierra creates."""
    return f"secrets_{name.replace('-', '_')}__{variable.lower()}"


def _config_path(path: str) -> str:
    if not re.fullmatch(r"(/(?!\.\.?(/|$))[A-Za-z0-9._-]+){2,}", path) or len(path) > 200:
        rule = "a file must have an absolute path, at least one folder deep, of letters, digits and . _ -"
        raise rule_error(rule, "write it like /etc/orders/settings.yaml")
    if taken := next((folder for folder in MOUNTED if path == folder or path.startswith(f"{folder}/")), None):
        raise rule_error(
            f"the path must not be in {taken}, which every pod uses", "write a path such as /etc/orders/…"
        )
    return path


_ACTION = re.compile(r"(?P<service>[a-z0-9-]+):[A-Z][A-Za-z0-9]+")
# With these a role could create or change other roles.
RIGHTS = ("account", "iam", "organizations", "sso", "sts")


def _action(action: str) -> str:
    match = _ACTION.fullmatch(action)
    if "*" in action or "?" in action:
        raise rule_error("an action must be named in full, without * or ?", "write each action by itself")
    if not match:
        raise rule_error("an action must be written service:Action", "write it like sqs:SendMessage")
    if match["service"] in RIGHTS:
        rule = f"a system must not change permissions: no action of {', '.join(RIGHTS)}"
        raise rule_error(rule, "remove the action")
    return action


_RESOURCE = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:[^\s\"\\]*[^\s\"\\*:/?][^\s\"\\]*")


def _resource(arn: str) -> str:
    if not _RESOURCE.fullmatch(arn):
        rule = (
            "a resource must be an ARN that names something; wildcards only beside a name, in its last part"
        )
        raise rule_error(rule, "write it like arn:aws:sqs:us-east-1:123456789012:orders-*")
    return arn


OwnVariable = Annotated[str, AfterValidator(_plain)]
SecretVariable = Annotated[str, AfterValidator(_variable)]
SecretSource = Annotated[
    str,
    AfterValidator(_source),
    WithJsonSchema({"type": "string", "examples": [CREATE]}),
]
ConfigPath = Annotated[str, AfterValidator(_config_path)]
Action = Annotated[
    str,
    AfterValidator(_action),
    WithJsonSchema({"type": "string", "examples": ["sqs:SendMessage"]}),
]
Resource = Annotated[
    str,
    AfterValidator(_resource),
    WithJsonSchema({"type": "string", "examples": ["arn:aws:sqs:us-east-1:123456789012:orders"]}),
]


class Permission(Model):
    """Permissions of the pods of a system in AWS, in addition to those of its needs."""

    actions: Annotated[tuple[Action, ...], Field(strict=False, max_length=30)] = Field(
        json_schema_extra={"minItems": 1},
        description="Full names of actions; none of iam, sts, organizations, account or sso.",
        examples=[["sqs:SendMessage"]],
    )
    resources: Annotated[tuple[Resource, ...], Field(strict=False, max_length=30)] = Field(
        json_schema_extra={"minItems": 1},
        description="ARNs in the account and region; ARNs of services such as S3 have neither.",
        examples=[["arn:aws:sqs:us-east-1:123456789012:orders"]],
    )

    @rule("actions", "resources")
    def names_both(self) -> Iterator[Violation]:
        """A statement requires actions and resources."""
        for key in ("actions", "resources"):
            if not getattr(self, key):
                yield Violation(
                    (key,),
                    f"a permission must have at least one of {key}",
                    "add one, or remove the permission",
                )


def own_statements(permissions: Sequence[Permission]) -> list[Statement]:
    """The permissions as policy statements, in the order of the spec."""
    return [
        Statement(sid=f"OfItsOwn{number}", actions=permission.actions, resources=permission.resources)
        for number, permission in enumerate(permissions, start=1)
    ]


def tracing_violations(systems: Mapping[str, System]) -> Iterator[Violation]:
    """If Tierra traces, it sets the variables of traces. Paths start at the root of the spec."""
    for name, system in systems.items():
        for key, given in (("env", system.env), ("secrets", system.secrets)):
            for variable in given:
                if variable in TRACING:
                    rule = "the variable must not be one that Tierra sets for tracing"
                    remedy = "remove the line, or write observability.trace_percent: 0"
                    yield Violation(("systems", name, key, variable), rule, remedy)


def own_violations(
    systems: Mapping[str, System], partition: str, region: str, account: str
) -> Iterator[Violation]:
    """Secrets and permissions must be in the account and region, and fit into policies. Paths start at the
    root of the spec."""
    actions = {
        action
        for system in systems.values()
        for permission in system.permissions
        for action in permission.actions
    }
    if (length := sum(len(action) + 3 for action in actions)) > MOST_ACTIONS:
        rule = (
            f"the actions of all systems must have at most {MOST_ACTIONS} characters, the room in their"
            f" boundary; these have {length}"
        )
        yield Violation(
            ("systems",), rule, "remove permissions that are not in use", f"{len(actions)} actions"
        )
    for name, system in systems.items():
        for variable, text in system.secrets.items():
            secret = source(text)
            if secret and secret.arn:
                yield from _elsewhere(
                    ("systems", name, "secrets", variable), secret.arn, partition, region, account
                )
        for client, key in (system.auth.sources if system.auth else {}).items():
            if key and key.arn:
                keys = (
                    ("keys", client)
                    if system.auth and system.auth.keys
                    else ("issuers", client, "public_key")
                )
                yield from _elsewhere(("systems", name, "auth", *keys), key.arn, partition, region, account)
        length = sum(
            len(action) + 3
            for permission in system.permissions
            for action in (*permission.actions, *permission.resources)
        )
        if length > MOST_PERMISSIONS:
            rule = (
                f"the permissions of a system must have at most {MOST_PERMISSIONS} characters, the room in a"
                f" role; these have {length}"
            )
            remedy = "name several resources by a pattern such as orders-*"
            yield Violation(("systems", name, "permissions"), rule, remedy, f"{length} characters")
        for index, permission in enumerate(system.permissions):
            for number, arn in enumerate(permission.resources):
                path = ("systems", name, "permissions", index, "resources", number)
                yield from _elsewhere(path, arn, partition, region, account)


def _elsewhere(
    path: tuple[str | int, ...], arn: str, partition: str, region: str, account: str
) -> Iterator[Violation]:
    _, its_partition, _, its_region, its_account, *_ = arn.split(":")
    if its_partition != partition or its_region not in ("", region) or its_account not in ("", account):
        rule = f"what a system uses must be in the account {account} and in {region} ({partition})"
        yield Violation(path, rule, "name one that is there, or copy it there", arn)
