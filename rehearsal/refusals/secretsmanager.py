"""Secrets Manager: names, replicas, rotation."""

from __future__ import annotations

from rehearsal.refusals.documents import RESOURCE, policy_error
from rehearsal.refusals.rules import Rule, blocks, changed, find_object, region_of
from tierra.aws.transition_answers import Around, Values

SECRET = "aws_secretsmanager_secret"


def replica(_was: Values, now: Values, _around: Around) -> str:
    own = now.get("region")
    for copy in blocks(now, "replica"):
        if isinstance(own, str) and copy.get("region") == own:
            return f"InvalidParameterException: Invalid replica region: {own} is the region of the secret"
    return ""


def key_region(was: Values, now: Values, around: Around) -> str:
    arn, own = now.get("kms_key_id"), now.get("region")
    key = find_object(around, "aws_kms_key", "arn", arn) or find_object(around, "aws_kms_key", "key_id", arn)
    its = region_of(arn) or (key or {}).get("region")
    if (
        not isinstance(own, str)
        or not isinstance(its, str)
        or its == own
        or not changed(was, now, "kms_key_id")
    ):
        return ""
    return f"InvalidParameterException: The KMS key {arn} is of {its}, the secret is in {own}"


def rotation(_was: Values, now: Values, around: Around) -> str:
    function = find_object(around, "aws_lambda_function", "arn", now.get("rotation_lambda_arn"))
    if function is None:
        return ""
    names = {function.get("function_name"), function.get("arn")}
    for permission in around("aws_lambda_permission"):
        if permission.get("function_name") in names and "secretsmanager" in str(permission.get("principal")):
            return ""
    return (
        "AccessDeniedException: Secrets Manager cannot invoke the specified Lambda function. Ensure that the"
        " function policy grants access to the principal secretsmanager.amazonaws.com."
    )


def document(was: Values, now: Values, _around: Around) -> str:
    words = policy_error(now.get("policy"), RESOURCE) if changed(was, now, "policy") else ""
    return f"MalformedPolicyDocumentException: {words}" if words else ""


API = "API secretsmanager, "
RULES = (
    Rule(
        "secret_replica",
        (SECRET,),
        "a replica must be in another region",
        API + "ReplicateSecretToRegions, InvalidParameterException",
        replica,
    ),
    Rule(
        "secret_key",
        (SECRET,),
        "the KMS key of a secret must be in its region",
        API + "CreateSecret, KmsKeyId, InvalidParameterException",
        key_region,
    ),
    Rule(
        "secret_policy",
        ("aws_secretsmanager_secret_policy", SECRET),
        "a policy of a secret must follow the grammar",
        API + "PutResourcePolicy, MalformedPolicyDocumentException",
        document,
    ),
    Rule(
        "rotation_permission",
        ("aws_secretsmanager_secret_rotation",),
        "a function that rotates a secret must let Secrets Manager call it",
        "page secretsmanager/latest/userguide/troubleshoot_rotation.html; " + API + "RotateSecret",
        rotation,
    ),
)
