"""S3 buckets of the platform: private, versioned, encrypted, TLS 1.2 or newer only, with lifecycle rules."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
    S3BucketLifecycleConfigurationRuleTransition,
)
from cdktf_cdktf_provider_aws.s3_bucket_notification import S3BucketNotification
from cdktf_cdktf_provider_aws.s3_bucket_ownership_controls import (
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import (
    S3BucketVersioningA,
    S3BucketVersioningVersioningConfiguration,
)

from tierra.patterns.encryption import Key
from tierra.terraform.policy import Conditions, Everyone, Statement, document
from tierra.terraform.stack import Stack

# Incomplete uploads are invisible and are billed.
UNFINISHED_DAYS = 7
# New buckets block it anyway. If the argument is missing, providers from 6.22 to 6.39 plan to remove it every
# time:
# https://github.com/hashicorp/terraform-provider-aws/issues/47320
BLOCKED = "SSE-C"


class PrivateBucket:
    """A bucket with the resources that make it private; each has the address `aws_s3_bucket_….<role>`. With a
    key, objects are encrypted only with it; uploads name no encryption, or KMS and the key, by ARNs of its
    aliases too. Without a key S3's own key is used, the only encryption that log deliveries of AWS can write
    to.
    """

    def __init__(
        self,
        stack: Stack,
        role: str,
        *,
        key: Key | None = None,
        aliases: Sequence[str] = (),
        grants: Sequence[Statement] = (),
        tags: dict[str, str] | None = None,
    ) -> None:
        self._stack = stack
        self._role = role
        self.name = stack.names.bucket(role.replace("_", "-"))
        self.arn = bucket_arn(stack, role)
        self.bucket = stack.add(
            S3Bucket,
            role,
            bucket=self.name,
            force_destroy=not stack.environment.protection,
            lifecycle=stack.prevent_destroy,
            tags=stack.tags(role.replace("_", "-"), **(tags or {})),
        )
        self._block_public_access()
        self._encrypt(key)
        # Free of charge; rules can react to changes of objects without a change here.
        stack.add(S3BucketNotification, role, bucket=self.bucket.id, eventbridge=True)
        self.versioning = self._keep_versions()
        self.policy = stack.add(
            S3BucketPolicy,
            role,
            bucket=self.bucket.id,
            policy=document(*self._refusals(key, aliases), *grants),
            depends_on=[self.public_access_block],  # S3 refuses two changes of access to one bucket at once
        )

    def sweep(
        self,
        *,
        noncurrent_days: int,
        noncurrent_versions: int | None = None,
        archive_days: int | None = None,
        expire_days: int | None = None,
    ) -> None:
        """The lifecycle of old objects: after `archive_days` they move to a cheaper class, after
        `expire_days` they are deleted; None means never. Earlier versions are deleted after
        `noncurrent_days`, except the newest `noncurrent_versions`; the delete marker is deleted with the last
        version.
        """
        rule = S3BucketLifecycleConfigurationRule(
            id="everything",
            status="Enabled",
            filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
            transition=[
                S3BucketLifecycleConfigurationRuleTransition(days=archive_days, storage_class="STANDARD_IA")
            ]
            if archive_days is not None
            else None,
            expiration=[
                S3BucketLifecycleConfigurationRuleExpiration(days=expire_days)
                if expire_days is not None
                else S3BucketLifecycleConfigurationRuleExpiration(expired_object_delete_marker=True)
            ],
            noncurrent_version_expiration=[
                S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(
                    noncurrent_days=noncurrent_days, newer_noncurrent_versions=noncurrent_versions
                )
            ],
            abort_incomplete_multipart_upload=[
                S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                    days_after_initiation=UNFINISHED_DAYS
                )
            ],
        )
        self._stack.add(
            S3BucketLifecycleConfiguration,
            self._role,
            bucket=self.bucket.id,
            # Smaller objects cost more in a cheaper class than they save.
            transition_default_minimum_object_size="all_storage_classes_128K",
            rule=[rule],
            depends_on=[self.versioning],
        )

    def _block_public_access(self) -> None:
        self.public_access_block = self._stack.add(
            S3BucketPublicAccessBlock,
            self._role,
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        self._stack.add(
            S3BucketOwnershipControls,
            self._role,
            bucket=self.bucket.id,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )

    def _encrypt(self, key: Key | None) -> None:
        by_default = S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
            sse_algorithm="aws:kms" if key else "AES256",
            kms_master_key_id=key.arn if key else None,
        )
        self._stack.add(
            S3BucketServerSideEncryptionConfigurationA,
            self._role,
            bucket=self.bucket.id,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=by_default,
                    bucket_key_enabled=True if key else None,
                    blocked_encryption_types=[BLOCKED],
                )
            ],
        )

    def _keep_versions(self) -> S3BucketVersioningA:
        return self._stack.add(
            S3BucketVersioningA,
            self._role,
            bucket=self.bucket.id,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )

    def _refusals(self, key: Key | None, aliases: Sequence[str]) -> list[Statement]:
        """The requests that are denied to every role, administrators included."""
        refusals = [
            self._refuse("PlainHttp", "s3:*", {"Bool": {"aws:SecureTransport": "false"}}),
            self._refuse("OldTls", "s3:*", {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        ]
        if key is not None:
            # Uploads that name no encryption get the bucket's; those that name another are refused.
            header = "s3:x-amz-server-side-encryption"
            key_header = f"{header}-aws-kms-key-id"
            refusals += [
                self._refuse(sid, "s3:PutObject", {"StringNotEquals": {name: value}, "Null": {name: "false"}})
                for sid, name, value in (
                    ("OtherEncryption", header, ["aws:kms"]),
                    ("OtherKeys", key_header, [key.arn, *aliases]),
                )
            ]
            # KMS without a key is the key aws/s3 of the account, not that of the bucket:
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html (SSEKMSKeyId)
            named: Conditions = {"StringEquals": {header: ["aws:kms"]}, "Null": {key_header: "true"}}
            refusals.append(self._refuse("UnnamedKey", "s3:PutObject", named))
        return refusals

    def _refuse(self, what: str, actions: str, conditions: Conditions) -> Statement:
        return Statement(
            sid=f"Refuse{what}",
            effect="Deny",
            principals=Everyone("no role is exempt from a refusal"),
            actions=actions,
            resources=f"{self.arn}/*" if actions == "s3:PutObject" else [self.arn, f"{self.arn}/*"],
            conditions=conditions,
        )


def bucket_arn(stack: Stack, role: str) -> str:
    """ARN of a bucket of this environment, known before the bucket exists."""
    return stack.arn("s3", stack.names.bucket(role.replace("_", "-")), region="", account="")
