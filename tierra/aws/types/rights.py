"""Roles, keys, secrets and parameters."""

from __future__ import annotations

from collections.abc import Mapping

from tierra.aws.types.entry import Type

TYPES: Mapping[str, Type] = {
    "aws_iam_group_policy_attachment": Type(import_ids=("{group}/{policy_arn}",)),
    "aws_iam_openid_connect_provider": Type(grants=("url", "client_id_list"), free=True),
    "aws_iam_policy": Type(
        volatile=("attachment_count",),
        kept_while_used=True,
        free=True,
    ),
    "aws_iam_role": Type(
        shows_each={
            "inline_policy": "aws_iam_role_policy",
            "managed_policy_arns": "aws_iam_role_policy_attachment",
        },
        free=True,
    ),
    "aws_iam_role_policy": Type(free=True),
    "aws_iam_role_policy_attachment": Type(
        import_ids=("{role}/{policy_arn}",),
        grants=("role", "policy_arn"),
        free=True,
    ),
    "aws_iam_service_linked_role": Type(free=True),
    "aws_iam_user_policy_attachment": Type(import_ids=("{user}/{policy_arn}",)),
    "aws_kms_alias": Type(free=True),
    "aws_kms_key": Type(
        usage="requests to keys, and a key's price again after each of its first two rotations",
    ),
    "aws_secretsmanager_secret": Type(usage="requests for secrets"),
    "aws_secretsmanager_secret_version": Type(free=True),
    "aws_ssm_parameter": Type(
        volatile=("version",),  # counts the writes of attributes in ignore_changes
        free=True,
    ),
}
