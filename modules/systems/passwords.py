"""The secrets of a system: its password in PostgreSQL and DocumentDB, which a job sets in the databases, and
secrets that its spec names."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret

from modules.data.outputs import DataOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.systems.auth_spec import clients
from modules.systems.own_spec import Source, secret_address
from modules.systems.spec import System
from tierra.patterns.cluster_password import ClusterPassword, cluster_password
from tierra.patterns.generated_password import RECOVERY_DAYS
from tierra.patterns.secret_reader import SecretReader, secret_reader
from tierra.terraform.policy import Statement
from tierra.terraform.stack import Stack


@dataclass(frozen=True)
class Secrets:
    """`reader` is the role with which External Secrets reads all of them; `created` are secrets that an
    operator fills in, by variable; `keys` likewise, by client or issuer."""

    password: ClusterPassword | None
    created: dict[str, SecretsmanagerSecret]
    keys: dict[str, SecretsmanagerSecret]
    reader: SecretReader | None


def system_secrets(
    stack: Stack, name: str, system: System, data: DataOutputs, gateway: GatewayOutputs
) -> Secrets:
    """The secrets of a system with databases or secrets; of the platform's roles, only its own can read
    them."""
    created = {
        variable: _created_secret(stack, name, variable, data)
        for variable, source in system.sources.items()
        if source is None
    }
    callers = clients(name, stack.environment.systems_by_first_name)
    keys = {caller.name: _key(stack, name, caller.name, data) for caller in callers if caller.source is None}
    arns = [secret.arn for secret in (*created.values(), *keys.values())]
    sources = (*system.sources.values(), *(caller.source for caller in callers))
    rights = _rights(stack, [source for source in sources if source])
    if system.databases:
        password = _password(stack, name, system, data, gateway, arns, rights)
        return Secrets(password, created, keys, password.reader)
    if not system.secrets and not callers:
        return Secrets(None, created, keys, None)
    operator = gateway.secrets_operator_role_arn
    reader = secret_reader(stack, name, arns, operator, data.secrets_key_arn, *rights)
    return Secrets(None, created, keys, reader)


def _password(
    stack: Stack,
    name: str,
    system: System,
    data: DataOutputs,
    gateway: GatewayOutputs,
    beside: list[str],
    rights: list[Statement],
) -> ClusterPassword:
    """`aws_secretsmanager_secret.<system>`. It changes with systems.<system>.password_version."""
    return cluster_password(
        stack,
        name,
        key=data.secrets_key_arn,
        operator=gateway.secrets_operator_role_arn,
        role=f"system-{name}",
        tag=f"{name}-password",
        description=f"Password of {name} in {_databases(stack)}",
        number=system.password_version,
        beside=beside,
        rights=rights,
    )


def _created_secret(stack: Stack, name: str, variable: str, data: DataOutputs) -> SecretsmanagerSecret:
    """`aws_secretsmanager_secret.secrets_<system>__<variable>`."""
    address, role = secret_address(name, variable), variable.lower().replace("_", "-")
    return _empty(
        stack, address, f"system-{name}/{variable}", f"{variable} of {name}", f"{name}-{role}", data
    )


def _key(stack: Stack, name: str, client: str, data: DataOutputs) -> SecretsmanagerSecret:
    """`aws_secretsmanager_secret.keys_<system>__<client>`."""
    address, role = f"keys_{name.replace('-', '_')}__{client.replace('-', '_')}", f"key-{client}"
    return _empty(
        stack, address, f"system-{name}/{role}", f"Key of {client} at {name}", f"{name}-{role}", data
    )


def _empty(
    stack: Stack, address: str, path: str, what: str, role: str, data: DataOutputs
) -> SecretsmanagerSecret:
    """A secret without a value."""
    return stack.add(
        SecretsmanagerSecret,
        address,
        name=stack.names.of("secret", path),
        description=f"{what}; an operator writes its value",
        kms_key_id=data.secrets_key_arn,
        recovery_window_in_days=RECOVERY_DAYS if stack.environment.protection else 0,
        lifecycle=stack.prevent_destroy,
        tags=stack.tags(role),
    )


def _rights(stack: Stack, sources: list[Source]) -> list[Statement]:
    """Permissions to read existing secrets. Their keys belong to others, so use of a key is restricted to
    decrypting these secrets: both services pass them in the encryption context (Secrets Manager User Guide,
    "Secret encryption and decryption"; Systems Manager User Guide, "How AWS Systems Manager Parameter Store
    uses AWS KMS")."""
    secrets = sorted({_arn(stack, source) for source in sources if not source.parameter})
    parameters = sorted({_arn(stack, source) for source in sources if source.parameter})
    keys = stack.arn("kms", "key/*")
    environment = stack.environment
    statements = []
    for sid, service, context, actions, arns in (
        ("Secrets", "secretsmanager", "SecretARN", ["DescribeSecret", "GetSecretValue"], secrets),
        ("Parameters", "ssm", "PARAMETER_ARN", ["GetParameter"], parameters),
    ):
        if not arns:
            continue
        through = f"{service}.{environment.region}.{environment.dns_suffix}"
        statements += [
            Statement(
                sid=f"Read{sid}OfItsOwner",
                actions=[f"{service}:{action}" for action in actions],
                resources=arns,
            ),
            Statement(
                sid=f"Decrypt{sid}OfItsOwner",
                actions="kms:Decrypt",
                resources=keys,
                conditions={
                    "StringEquals": {"kms:ViaService": through},
                    "StringLike": {f"kms:EncryptionContext:{context}": arns},
                },
            ),
        ]
    return statements


def _arn(stack: Stack, source: Source) -> str:
    """The ARN of a secret with a wildcard for the hyphen and six random characters that AWS appends."""
    if source.arn:
        return source.arn
    if source.parameter:
        return stack.arn("ssm", f"parameter{source.key}")
    return stack.arn("secretsmanager", f"secret:{source.key}-??????")


def _databases(stack: Stack) -> str:
    titles = {"postgres": "PostgreSQL", "documentdb": "DocumentDB"}
    return " and ".join(title for name, title in titles.items() if name in stack.environment.data.databases)
