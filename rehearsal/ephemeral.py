"""Ephemeral resources of the AWS provider. The bindings do not have them, so their schemas are written here.

Source: website/docs/ephemeral-resources/*.html.markdown of hashicorp/terraform-provider-aws 6.25.0.
"""

from __future__ import annotations

import base64
import hashlib
import string
from typing import Any

from rehearsal.account import Account
from rehearsal.cloud import Cloud
from rehearsal.protocol import Object, pack
from tierra.bindings.schema import Attribute, Block, CtyType, Nested

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
DEFAULT_LENGTH = 32
CREATED = "2026-01-01T00:00:00Z"
SENSITIVE = {"authorization_token", "password", "plaintext", "random_password", "secret_binary"}
SENSITIVE |= {"secret_string", "token", "value"}
STRINGS: CtyType = ["map", "string"]


def _block(required: str, optional: str, computed: str, filled: str = "", **types: CtyType) -> Block:
    """A block of arguments, each parameter a list of names; they are strings unless `types` gives another
    type. `filled` ones are optional and computed, as `region` always is."""
    attributes: dict[str, Attribute] = {}
    for names, needed, given, filled_in in (
        (required, True, False, False),
        (optional, False, True, False),
        (computed, False, False, True),
        (f"region {filled}", False, True, True),
    ):
        for name in names.split():
            type_ = types.get(name, "string")
            attributes[name] = Attribute(type_, needed, given, filled_in, sensitive=name in SENSITIVE)
    return Block(attributes)


TYPES: dict[str, Block] = {
    "aws_cognito_identity_openid_token_for_developer_identity": _block(
        "identity_pool_id logins",
        "principal_tags token_duration",
        "token",
        "identity_id",
        logins=STRINGS,
        principal_tags=STRINGS,
        token_duration="number",
    ),
    "aws_ecr_authorization_token": _block(
        "", "", "authorization_token expires_at password proxy_endpoint user_name"
    ),
    "aws_eks_cluster_auth": _block("name", "", "token"),
    "aws_kms_secrets": _block("", "", "plaintext", plaintext=STRINGS),
    "aws_lambda_invocation": _block(
        "function_name payload",
        "client_context log_type qualifier",
        "executed_version function_error log_result result status_code",
        status_code="number",
    ),
    "aws_secretsmanager_random_password": _block(
        "",
        "exclude_characters exclude_lowercase exclude_numbers exclude_punctuation exclude_uppercase"
        " include_space password_length require_each_included_type",
        "random_password",
        exclude_lowercase="bool",
        exclude_numbers="bool",
        exclude_punctuation="bool",
        exclude_uppercase="bool",
        include_space="bool",
        password_length="number",
        require_each_included_type="bool",
    ),
    "aws_secretsmanager_secret_version": _block(
        "secret_id",
        "",
        "arn created_date secret_binary secret_string version_stages",
        "version_id version_stage",
        version_stages=["list", "string"],
    ),
    "aws_ssm_parameter": _block(
        "arn", "", "name type value version", "with_decryption", version="number", with_decryption="bool"
    ),
}
_SECRET = _block("name payload", "context encryption_algorithm grant_tokens key_id", "", context=STRINGS)
_SECRET.attributes["grant_tokens"].type = ["list", "string"]
del _SECRET.attributes["region"]
TYPES["aws_kms_secrets"].blocks["secret"] = Nested(_SECRET, "set")


def open_resource(type_name: str, config: Object, account: Account, cloud: Cloud) -> Object:
    """The opened ephemeral resource. Its secret is the stored one, or made up from the arguments."""
    seed = hashlib.sha256(pack([type_name, sorted(config.items())])).hexdigest()
    result = {**_answers(type_name, seed, config, account), **_stored(type_name, config, cloud)}
    opened = dict(config)
    for name, attribute in TYPES[type_name].attributes.items():
        if attribute.computed and config.get(name) is None:
            opened[name] = result.get(name)
    return opened


def _answers(type_name: str, seed: str, config: Object, account: Account) -> Object:
    text = _password(seed, config)
    host = f"{account.id}.dkr.ecr.{account.region}.{account.dns_suffix}"
    return {
        "authorization_token": base64.b64encode(f"AWS:{text}".encode()).decode(),
        "arn": config.get("secret_id"),
        "created_date": CREATED,
        "executed_version": "$LATEST",
        "expires_at": CREATED,
        "identity_id": f"{account.region}:{_uuid(seed)}",
        "name": str(config.get("arn") or "").partition(":parameter")[2],
        "password": text,
        "plaintext": {secret["name"]: secret["payload"] for secret in config.get("secret") or []},
        "proxy_endpoint": f"https://{host}",
        "random_password": text,
        "region": account.region,
        "result": "null",
        "secret_binary": "",
        "secret_string": text,
        "status_code": 200,
        "token": f"k8s-aws-v1.{seed}" if type_name == "aws_eks_cluster_auth" else seed,
        "type": "SecureString",
        "user_name": "AWS",
        "value": text,
        "version": 1,
        "version_id": _uuid(seed),
        "version_stage": "AWSCURRENT",
        "version_stages": ["AWSCURRENT"],
        "with_decryption": True,
    }


def _stored(type_name: str, config: Object, cloud: Cloud) -> Object:
    """The values that the account has for the arguments. A write-only secret is stored nowhere and therefore
    not found."""
    key = {"aws_secretsmanager_secret_version": "secret_id", "aws_ssm_parameter": "arn"}.get(type_name, "")
    for state in cloud.all(type_name) if key else []:
        if state.get(key) == config.get(key):
            return {name: value for name, value in state.items() if value not in (None, "", [])}
    return {}


def _uuid(seed: str) -> str:
    return f"{seed[:8]}-{seed[8:12]}-4{seed[13:16]}-a{seed[17:20]}-{seed[20:32]}"


def _password(seed: str, config: dict[str, Any]) -> str:
    alphabet = "".join(
        characters
        for switch, characters in (
            ("exclude_lowercase", string.ascii_lowercase),
            ("exclude_uppercase", string.ascii_uppercase),
            ("exclude_numbers", string.digits),
            ("exclude_punctuation", PUNCTUATION),
        )
        if not config.get(switch)
    )
    left = [c for c in alphabet if c not in (config.get("exclude_characters") or "")] or ["x"]
    length = int(config.get("password_length") or DEFAULT_LENGTH)
    drawn = b"".join(hashlib.sha512(f"{seed}{n}".encode()).digest() for n in range(length // 64 + 1))
    return "".join(left[byte % len(left)] for byte in drawn[:length])
