"""Ephemeral resources of the AWS provider. The bindings do not have them, so their schemas are written here.

Source: website/docs/ephemeral-resources/*.html.markdown of hashicorp/terraform-provider-aws 6.25.0.
"""

from __future__ import annotations

import hashlib
import string

from bindings.schema import Attribute, Block, CtyType
from rehearsal.planning import Account
from rehearsal.protocol import Object, pack

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
DEFAULT_LENGTH = 32


def _block(required: dict[str, CtyType], optional: dict[str, CtyType], computed: dict[str, CtyType]) -> Block:
    return Block(
        {name: Attribute(type_, required=True) for name, type_ in required.items()}
        | {name: Attribute(type_, optional=True) for name, type_ in optional.items()}
        | {
            name: Attribute(type_, optional=name in ("version_id", "version_stage", "region"), computed=True)
            for name, type_ in computed.items()
        }
    )


TYPES: dict[str, Block] = {
    "aws_secretsmanager_random_password": _block(
        {},
        {
            "exclude_characters": "string",
            "exclude_lowercase": "bool",
            "exclude_numbers": "bool",
            "exclude_punctuation": "bool",
            "exclude_uppercase": "bool",
            "include_space": "bool",
            "password_length": "number",
            "require_each_included_type": "bool",
        },
        {"random_password": "string", "region": "string"},
    ),
    "aws_secretsmanager_secret_version": _block(
        {"secret_id": "string"},
        {},
        {
            "arn": "string",
            "created_date": "string",
            "region": "string",
            "secret_binary": "string",
            "secret_string": "string",
            "version_id": "string",
            "version_stage": "string",
            "version_stages": ["list", "string"],
        },
    ),
    "aws_eks_cluster_auth": _block({"name": "string"}, {}, {"region": "string", "token": "string"}),
    "aws_ssm_parameter": _block(
        {"arn": "string"},
        {"with_decryption": "bool"},
        {"name": "string", "region": "string", "type": "string", "value": "string", "version": "number"},
    ),
}
for _name in ("random_password", "secret_string", "secret_binary", "token", "value"):
    for _type in TYPES.values():
        if _name in _type.attributes:
            _type.attributes[_name].sensitive = True


def open_resource(type_name: str, config: Object, account: Account) -> Object:
    """The open ephemeral resource. Its secret is made up from its arguments, and kept nowhere."""
    seed = hashlib.sha256(pack([type_name, sorted(config.items())])).hexdigest()
    text = _password(seed, config)
    made = {
        "random_password": text,
        "secret_string": text,
        "token": f"k8s-aws-v1.{seed}",
        "value": text,
        "arn": config.get("secret_id") or config.get("arn"),
        "name": str(config.get("name") or config.get("arn") or "").rpartition("/")[2],
        "region": account.region,
        "created_date": "2026-01-01T00:00:00Z",
        "version_id": f"{seed[:8]}-{seed[8:12]}-4{seed[13:16]}-a{seed[17:20]}-{seed[20:32]}",
        "version_stage": "AWSCURRENT",
        "version_stages": ["AWSCURRENT"],
        "type": "SecureString",
        "version": 1,
        "secret_binary": "",
    }
    block = TYPES[type_name]
    return {
        name: made.get(name) if attribute.computed and config.get(name) is None else config.get(name)
        for name, attribute in block.attributes.items()
    }


def _password(seed: str, config: Object) -> str:
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
