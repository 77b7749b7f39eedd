"""KMS: key policies, and the operations of each kind of key."""

from __future__ import annotations

from rehearsal.refusals.documents import (
    NO_ACTION,
    RESOURCE,
    allows,
    covers,
    policy_error,
    principals,
    statements,
    unknown_principal,
)
from rehearsal.refusals.rules import Rule, changed, find_object, region_of
from tierra.aws.transition_answers import Around, Values

KEYS = ("aws_kms_key", "aws_kms_replica_key", "aws_kms_external_key", "aws_kms_key_policy")
MALFORMED = "MalformedPolicyDocumentException"


def document(was: Values, now: Values, around: Around) -> str:
    """KMS accepts a statement without actions or resources, though it has no effect."""
    if not changed(was, now, "policy"):
        return ""
    words = policy_error(now.get("policy"), RESOURCE)
    listed = statements(now.get("policy")) or []
    if words == NO_ACTION:
        words = ""
    if not words and any(not {"principal", "notprincipal"} & set(statement) for statement in listed):
        words = "Missing required field Principal"
    words = words or unknown_principal(now.get("policy"), around)
    return f"{MALFORMED}: {words}" if words else ""


def lockout(was: Values, now: Values, _around: Around) -> str:
    listed = statements(now.get("policy"))
    if not listed or now.get("bypass_policy_lockout_safety_check") is True or not changed(was, now, "policy"):
        return ""
    for statement in listed:
        if allows(statement) and covers(statement, "kms:PutKeyPolicy") and principals(statement, "AWS"):
            return ""
    return f"{MALFORMED}: The new key policy will not allow you to update the key policy in the future."


def rotation(_was: Values, now: Values, _around: Around) -> str:
    spec, usage = now.get("customer_master_key_spec"), now.get("key_usage")
    symmetric = spec in ("SYMMETRIC_DEFAULT", None) or not isinstance(spec, str)
    not_for_encryption = isinstance(usage, str) and usage != "ENCRYPT_DECRYPT"
    if now.get("enable_key_rotation") is not True or (symmetric and not not_for_encryption):
        return ""
    return f"UnsupportedOperationException: Keys of {spec} and {usage} have no automatic rotation"


def replica(_was: Values, now: Values, around: Around) -> str:
    arn, own = now.get("primary_key_arn"), now.get("region")
    primary = find_object(around, "aws_kms_key", "arn", arn)
    if primary and primary.get("multi_region") is False:
        return f"UnsupportedOperationException: {arn} is not a multi-Region primary key"
    if isinstance(own, str) and region_of(arn) == own:
        return (
            f"UnsupportedOperationException: {arn} is in {own}; a replica is in another Region of the"
            " partition"
        )
    return ""


API = "API kms, "
RULES = (
    Rule(
        "key_policy",
        KEYS,
        "a key policy must follow the grammar, and its principals must exist",
        API + "CreateKey, Policy, MalformedPolicyDocumentException",
        document,
    ),
    Rule(
        "lockout",
        KEYS,
        "a key policy must let an account, role or user change it later",
        API + "CreateKeyRequest, Policy, BypassPolicyLockoutSafetyCheck",
        lockout,
    ),
    Rule(
        "rotation",
        ("aws_kms_key",),
        "automatic rotation requires a symmetric encryption key",
        API + "EnableKeyRotation, UnsupportedOperationException",
        rotation,
    ),
    Rule(
        "replica",
        ("aws_kms_replica_key",),
        "a replica must be of a multi-Region key in another region",
        API + "ReplicateKey, UnsupportedOperationException",
        replica,
    ),
)
