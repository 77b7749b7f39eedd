"""S3: names and policies of buckets, and settings that depend on each other."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from rehearsal.refusals.documents import (
    RESOURCE,
    actions,
    admits,
    allows,
    listed,
    policy_error,
    statements,
    unknown_principal,
)
from rehearsal.refusals.rules import CREATE, Rule, blocks, changed, find_object
from tierra.aws.transition_answers import Around, Values, at

BUCKET, VERSIONING, CONTROLS = "aws_s3_bucket", "aws_s3_bucket_versioning", "aws_s3_bucket_ownership_controls"
POLICY, BLOCKED = "aws_s3_bucket_policy", "aws_s3_bucket_public_access_block"
# Source: page AmazonS3/latest/userguide/bucketnamingrules.html.
RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
# Names in the documentation of S3, which are therefore taken.
GLOBAL = {"bucket", "backup", "data", "example", "examplebucket", "logs", "my-bucket", "mybucket", "test"}
OF_BUCKET = ("s3:listbucket", "s3:getbucketlocation", "s3:getbucketpolicy", "s3:listbucketversions")
OF_OBJECTS = ("s3:getobject", "s3:putobject", "s3:deleteobject", "s3:getobjectversion", "s3:putobjectacl")
LEAST_DAYS = {"STANDARD_IA": 30, "ONEZONE_IA": 30}


def bucket_name(_was: Values, now: Values, _around: Around) -> str:
    name = now.get("bucket")
    if not isinstance(name, str) or not name:
        return ""
    wrong = name.startswith(RESERVED_STARTS) or name.endswith(RESERVED_ENDS)
    if wrong or re.fullmatch(r"\d+(\.\d+){3}", name):
        return "InvalidBucketName: The specified bucket is not valid."
    if name in GLOBAL:
        return (
            "BucketAlreadyExists: The requested bucket name is not available. The bucket namespace is shared"
            " by"
            " all users of the system. Please select a different name and try again."
        )
    return ""


def same_bucket(_was: Values, now: Values, around: Around) -> str:
    name = now.get("bucket")
    if not isinstance(name, str) or not any(bucket.get("bucket") == name for bucket in around(BUCKET)):
        return ""
    return (
        "BucketAlreadyOwnedByYou: Your previous request to create the named bucket succeeded and you already"
        " own"
        " it."
    )


def policy(was: Values, now: Values, around: Around) -> str:
    name, text = now.get("bucket"), now.get("policy")
    if not isinstance(name, str) or not changed(was, now, "policy"):
        return ""
    words = policy_error(text, RESOURCE) or unknown_principal(text, around)
    for statement in statements(text) or [] if not words else []:
        if not {"principal", "notprincipal"} & set(statement):
            words = words or "Missing required field Principal"
        resources = [resource for resource in listed(statement.get("resource")) if isinstance(resource, str)]
        tails = [arn.rpartition(":::")[2] for arn in resources if ":s3:::" in arn]
        if any(tail.split("/")[0] not in (name, "*") and "*" not in tail.split("/")[0] for tail in tails):
            words = words or "Policy has invalid resource"
        done = [action.lower() for action in actions(statement)]
        plain = tails and len(tails) == len(resources)
        on_bucket = plain and all(tail == name for tail in tails)
        on_objects = plain and all(tail.startswith(f"{name}/") for tail in tails)
        if done and (
            (on_bucket and all(action in OF_OBJECTS for action in done))
            or (on_objects and all(action in OF_BUCKET for action in done))
        ):
            words = words or "Action does not apply to any resource(s) in statement"
    return f"MalformedPolicy: {words}" if words else ""


def public_policy(was: Values, now: Values, around: Around) -> str:
    name = now.get("bucket")
    block = find_object(around, BLOCKED, "bucket", name)
    if not block or block.get("block_public_policy") is not True or not changed(was, now, "policy"):
        return ""
    for statement in statements(now.get("policy")) or []:
        everyone = allows(statement) and statement.get("principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
        if everyone and not _narrowed(statement.get("condition")):
            return (
                "AccessDenied: User is not authorized to perform: s3:PutBucketPolicy on resource:"
                f' "arn:aws:s3:::{name}" because public policies are prevented by the BlockPublicPolicy'
                " setting in"
                " S3 Block Public Access."
            )
    return ""


# Conditions that keep a policy from being public: page AmazonS3/latest/userguide/
# access-control-block-public-access.html, "The meaning of public".
NARROWING = {
    *("aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner"),
    *("aws:sourceaccount", "aws:userid", "aws:principalorgid", "aws:principalarn", "aws:principalaccount"),
    *("aws:principalorgpaths", "aws:sourceorgid", "aws:sourceorgpaths", "aws:vpcsourceip", "aws:calledvia"),
    *("s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:dataaccesspointarn", "s3:dataaccesspointaccount"),
}


def _narrowed(condition: Any) -> bool:
    if not isinstance(condition, dict):
        return condition is not None
    keys = {
        str(key).lower() for operator in condition.values() if isinstance(operator, dict) for key in operator
    }
    return bool(keys & NARROWING) or any(key.startswith("aws:principal") for key in keys)


def acl(was: Values, now: Values, around: Around) -> str:
    """A bucket is created without ACLs; ownership controls turn them on."""
    name = now.get("bucket")
    bucket = find_object(around, BUCKET, "bucket", name)
    if bucket is None or not changed(was, now, "acl", "access_control_policy"):
        return ""
    controls = find_object(around, CONTROLS, "bucket", name)
    chosen = at(controls or {}, "rule.object_ownership")
    if chosen in ("BucketOwnerPreferred", "ObjectWriter") or now.get("acl") == "bucket-owner-full-control":
        return ""
    return "AccessControlListNotSupported: The bucket does not allow ACLs"


def _versioned(around: Around, name: Any) -> bool | None:
    """Whether a bucket keeps versions; None where the account does not know the bucket."""
    bucket = find_object(around, BUCKET, "bucket", name)
    if bucket is None:
        return None
    chosen = find_object(around, VERSIONING, "bucket", name)
    return at(chosen or {}, "versioning_configuration.status") == "Enabled" or (
        bucket.get("object_lock_enabled") is True
    )


def replication(_was: Values, now: Values, around: Around) -> str:
    if _versioned(around, now.get("bucket")) is False:
        return (
            "InvalidRequest: Versioning must be 'Enabled' on the bucket to apply a replication configuration"
        )
    for rule in blocks(now, "rule"):
        for goal in blocks(rule, "destination"):
            if _versioned(around, str(goal.get("bucket")).rpartition(":::")[2]) is False:
                return "InvalidRequest: Destination bucket must have versioning enabled."
    return ""


def object_lock(_was: Values, now: Values, around: Around) -> str:
    if _versioned(around, now.get("bucket")) is not False:
        return ""
    return (
        "InvalidBucketState: Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
    )


def versioning_locked(was: Values, now: Values, around: Around) -> str:
    bucket = find_object(around, BUCKET, "bucket", now.get("bucket"))
    locked = find_object(around, "aws_s3_bucket_object_lock_configuration", "bucket", now.get("bucket"))
    on = at(now, "versioning_configuration.status") == "Enabled"
    has_lock = locked or (bucket and bucket.get("object_lock_enabled") is True)
    if on or not has_lock or not changed(was, now, "versioning_configuration"):
        return ""
    return (
        "InvalidBucketState: An Object Lock configuration is present on this bucket, so the versioning state"
        " cannot be changed."
    )


def notification(_was: Values, now: Values, around: Around) -> str:
    """Topics, queues and functions whose policy is known must allow S3."""
    words = "InvalidArgument: Unable to validate the following destination configurations"
    for block, argument, type_name, extra in (
        ("topic", "topic_arn", "aws_sns_topic", "aws_sns_topic_policy"),
        ("queue", "queue_arn", "aws_sqs_queue", "aws_sqs_queue_policy"),
    ):
        for target in blocks(now, block):
            arn = target.get(argument)
            goal = find_object(around, type_name, "arn", arn)
            if goal is None:
                continue
            keys = (arn, goal.get("url"), goal.get("id"))
            more = [
                permission.get("policy")
                for permission in around(extra)
                if {permission.get("arn"), permission.get("queue_url")} & set(keys)
            ]
            own = (
                [goal.get("policy")] if isinstance(goal.get("policy"), str) and goal["policy"] != "{}" else []
            )
            wanted = "sns:Publish" if block == "topic" else "sqs:SendMessage"
            if all(admits(text, ("s3.amazonaws.com",), wanted) is False for text in more or own):
                return words
    for function_target in blocks(now, "lambda_function"):
        function = find_object(
            around, "aws_lambda_function", "arn", function_target.get("lambda_function_arn")
        )
        names = {function.get("function_name"), function.get("arn")} if function else set()
        able = [
            permission
            for permission in around("aws_lambda_permission")
            if permission.get("function_name") in names
        ]
        if function and not any(permission.get("principal") == "s3.amazonaws.com" for permission in able):
            return words
    return ""


def logging(_was: Values, now: Values, around: Around) -> str:
    source = find_object(around, BUCKET, "bucket", now.get("bucket"))
    goal = find_object(around, BUCKET, "bucket", now.get("target_bucket"))
    regions = [bucket.get("region") for bucket in (source, goal) if bucket]
    if len(regions) < 2 or regions[0] == regions[1] or not all(isinstance(region, str) for region in regions):
        return ""
    return (
        "CrossLocationLoggingProhibited: Cross S3 location logging not allowed: the bucket is in"
        f" {regions[0]},"
        f" the target in {regions[1]}"
    )


def lifecycle(was: Values, now: Values, _around: Around) -> str:
    if not changed(was, now, "rule"):
        return ""
    rules = blocks(now, "rule")
    names = Counter(str(rule.get("id")) for rule in rules)
    twice = next((name for name, number in names.items() if number > 1), None)
    if twice:
        return f"InvalidArgument: Rule ID must be unique. Found same ID for more than one rule: {twice}"
    for rule in rules:
        steps = [step for step in blocks(rule, "transition") if isinstance(step.get("days"), int)]
        for step in steps:
            least = LEAST_DAYS.get(str(step.get("storage_class")), 0)
            if step["days"] < least:
                return (
                    f"InvalidArgument: 'Days' in Transition action must be greater than or equal to {least}"
                    " for"
                    f" storageClass '{step['storage_class']}'"
                )
        ends = [end["days"] for end in blocks(rule, "expiration") if isinstance(end.get("days"), int)]
        if any(0 < end <= step["days"] for end in ends for step in steps):
            return (
                f"InvalidArgument: 'Days' in the Expiration action for rule '{rule.get('id')}' must be"
                " greater"
                " than 'Days' in the Transition action"
            )
    return ""


API = "API s3, "
ERRORS = "page AmazonS3/latest/API/ErrorResponses.html, "
RULES = (
    Rule(
        "bucket_name",
        (BUCKET,),
        "a bucket's name must not be reserved, nor one that the documentation uses",
        "page AmazonS3/latest/userguide/bucketnamingrules.html; " + API + "CreateBucket, BucketAlreadyExists",
        bucket_name,
        CREATE,
    ),
    Rule(
        "same_bucket",
        (BUCKET,),
        "a bucket's name must be unique in all regions",
        API + "CreateBucket, BucketAlreadyOwnedByYou",
        same_bucket,
        CREATE,
    ),
    Rule(
        "bucket_policy",
        (POLICY,),
        "a bucket policy must follow the grammar, and its resources must be the bucket or its objects",
        ERRORS + "MalformedPolicy",
        policy,
    ),
    Rule(
        "public_policy",
        (POLICY,),
        "a public policy requires a bucket that does not block public policies",
        "page AmazonS3/latest/userguide/access-control-block-public-access.html",
        public_policy,
    ),
    Rule(
        "acl",
        ("aws_s3_bucket_acl",),
        "ACLs require ownership controls that allow them",
        ERRORS + "AccessControlListNotSupported; page AmazonS3/latest/userguide/about-object-ownership.html",
        acl,
    ),
    Rule(
        "replication",
        ("aws_s3_bucket_replication_configuration",),
        "replication requires versioning of both buckets",
        API + "PutBucketReplication; page AmazonS3/latest/userguide/replication.html",
        replication,
    ),
    Rule(
        "object_lock",
        ("aws_s3_bucket_object_lock_configuration",),
        "Object Lock requires versioning",
        ERRORS + "InvalidBucketState; " + API + "PutObjectLockConfiguration",
        object_lock,
        CREATE,
    ),
    Rule(
        "versioning_locked",
        (VERSIONING,),
        "versioning of a bucket with Object Lock must not be suspended",
        ERRORS + "InvalidBucketState; page AmazonS3/latest/userguide/object-lock-managing.html",
        versioning_locked,
    ),
    Rule(
        "notification",
        ("aws_s3_bucket_notification",),
        "topics, queues and functions must let S3 notify them",
        "API s3, PutBucketNotificationConfiguration; " + ERRORS + "InvalidArgument",
        notification,
    ),
    Rule(
        "logging",
        ("aws_s3_bucket_logging",),
        "logs must be written to a bucket in the same region",
        "API s3, PutBucketLogging; " + ERRORS + "CrossLocationLoggingProhibited",
        logging,
    ),
    Rule(
        "lifecycle",
        ("aws_s3_bucket_lifecycle_configuration",),
        "the ids of lifecycle rules must be unique, objects must move to infrequent access after at least"
        " 30 days, and must expire after they have moved",
        "page AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html; "
        + ERRORS
        + "InvalidArgument",
        lifecycle,
    ),
)
