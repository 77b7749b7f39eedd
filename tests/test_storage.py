"""Tests of the storage tier: its generated Terraform."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Root

from modules.spec import Environment
from tierra.validation.errors import SpecError

BUCKETS = ("files", "logs")


@pytest.mark.parametrize("bucket", BUCKETS)
def test_buckets_are_private(storage: Root, bucket: str) -> None:
    reference = f"${{aws_s3_bucket.{bucket}.id}}"
    assert storage[f"aws_s3_bucket_public_access_block.{bucket}"] == {
        "bucket": reference,
        "block_public_acls": True,
        "block_public_policy": True,
        "ignore_public_acls": True,
        "restrict_public_buckets": True,
    }
    assert storage[f"aws_s3_bucket_ownership_controls.{bucket}"] == {
        "bucket": reference,
        "rule": {"object_ownership": "BucketOwnerEnforced"},
    }


@pytest.mark.parametrize("bucket", BUCKETS)
def test_buckets_have_versions_and_remove_incomplete_uploads(storage: Root, bucket: str) -> None:
    assert storage[f"aws_s3_bucket_versioning.{bucket}"]["versioning_configuration"] == {"status": "Enabled"}
    lifecycle = storage[f"aws_s3_bucket_lifecycle_configuration.{bucket}"]
    assert lifecycle["depends_on"] == [f"aws_s3_bucket_versioning.{bucket}"]
    assert lifecycle["transition_default_minimum_object_size"] == "all_storage_classes_128K"
    [rule] = lifecycle["rule"]
    assert rule["abort_incomplete_multipart_upload"] == [{"days_after_initiation": 7}]
    assert rule["noncurrent_version_expiration"][0]["noncurrent_days"] >= 1


@pytest.mark.parametrize("bucket", BUCKETS)
def test_buckets_refuse_plain_http_and_old_tls(storage: Root, bucket: str) -> None:
    statements = storage.statements(f"aws_s3_bucket_policy.{bucket}")
    arn = f"arn:aws:s3:::acme-{storage.environment.environment}-{storage.environment.account}-{bucket}"
    for sid, condition in {
        "RefusePlainHttp": {"Bool": {"aws:SecureTransport": "false"}},
        "RefuseOldTls": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    }.items():
        assert statements[sid] == {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": condition,
        }


def test_files_are_only_encrypted_with_their_key(storage: Root) -> None:
    assert storage["aws_s3_bucket_server_side_encryption_configuration.files"]["rule"] == [
        {
            "apply_server_side_encryption_by_default": {
                "sse_algorithm": "aws:kms",
                "kms_master_key_id": "${aws_kms_key.files.arn}",
            },
            "bucket_key_enabled": True,
            "blocked_encryption_types": ["SSE-C"],
        }
    ]
    statements = storage.statements("aws_s3_bucket_policy.files")
    header = "s3:x-amz-server-side-encryption"
    for sid, key, value in (
        ("RefuseOtherEncryption", header, "aws:kms"),
        ("RefuseOtherKeys", f"{header}-aws-kms-key-id", "${aws_kms_key.files.arn}"),
    ):
        assert statements[sid]["Effect"] == "Deny"
        assert statements[sid]["Action"] == "s3:PutObject"
        assert statements[sid]["Condition"] == {"StringNotEquals": {key: value}, "Null": {key: "false"}}
    # KMS without a key ID would use the AWS managed key of the account.
    unnamed = statements["RefuseUnnamedKey"]
    assert (unnamed["Effect"], unnamed["Action"]) == ("Deny", "s3:PutObject")
    assert unnamed["Condition"] == {
        "StringEquals": {header: "aws:kms"},
        "Null": {f"{header}-aws-kms-key-id": "true"},
    }


def test_every_bucket_states_s3_defaults_and_blocks_sse_c(roots: dict[str, Root]) -> None:
    kind = "aws_s3_bucket_server_side_encryption_configuration"
    rules = [rule for root in roots.values() for each in root.all(kind).values() for rule in each["rule"]]
    assert len(rules) == sum(len(root.all("aws_s3_bucket")) for root in roots.values()) >= 4
    assert [rule["blocked_encryption_types"] for rule in rules] == [["SSE-C"]] * len(rules)


def test_access_to_files_is_logged_and_the_log_bucket_only_accepts_its_logs(storage: Root) -> None:
    logging = storage["aws_s3_bucket_logging.files"]
    assert (logging["target_bucket"], logging["target_prefix"]) == ("${aws_s3_bucket.logs.id}", "files/")
    assert logging["depends_on"] == ["aws_s3_bucket_policy.logs"]
    name = storage["aws_s3_bucket.logs"]["bucket"]
    allowed = {
        sid: each
        for sid, each in storage.statements("aws_s3_bucket_policy.logs").items()
        if each["Effect"] == "Allow"
    }
    spec = storage.environment
    balancer = f"loadbalancer/app/acme-{spec.environment}/*"
    assert allowed == {
        "DeliverLogsOfTheLoadBalancer": {
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": [
                f"arn:aws:s3:::{name}/load-balancer/{kind}/AWSLogs/{spec.account}/*"
                for kind in ("access", "connections", "health-checks")
            ],
            "Condition": {
                "ArnLike": {
                    "aws:SourceArn": f"arn:aws:elasticloadbalancing:{spec.region}:{spec.account}:{balancer}"
                }
            },
        },
        "DeliverAccessLogsOfFiles": {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{name}/files/*",
            "Condition": {
                "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{storage['aws_s3_bucket.files']['bucket']}"},
                "StringEquals": {"aws:SourceAccount": storage.environment.account},
            },
        },
    }


def test_the_log_bucket_output_waits_for_the_bucket_policy(storage: Root) -> None:
    assert storage.body["output"]["logs_bucket_name"]["value"] == "${aws_s3_bucket_policy.logs.bucket}"


def test_the_log_bucket_is_encrypted_with_the_key_of_s3(storage: Root) -> None:
    [rule] = storage["aws_s3_bucket_server_side_encryption_configuration.logs"]["rule"]
    assert rule["apply_server_side_encryption_by_default"] == {"sse_algorithm": "AES256"}
    [lifecycle] = storage["aws_s3_bucket_lifecycle_configuration.logs"]["rule"]
    assert lifecycle["expiration"] == [{"days": storage.environment.storage.log_days}]


def test_files_move_to_a_cheaper_class_and_never_expire(storage: Root) -> None:
    settings = storage.environment.storage.files
    [rule] = storage["aws_s3_bucket_lifecycle_configuration.files"]["rule"]
    assert rule["transition"] == [{"days": settings.archive_days, "storage_class": "STANDARD_IA"}]
    assert rule["expiration"] == [{"expired_object_delete_marker": True}]
    assert rule["noncurrent_version_expiration"] == [{"noncurrent_days": settings.noncurrent_days}]


@pytest.mark.parametrize("terraform_type", ["aws_kms_key", "aws_s3_bucket", "aws_backup_vault"])
def test_resources_with_data_are_only_destroyed_without_protection(
    roots: dict[str, Root], terraform_type: str
) -> None:
    for root in roots.values():
        for name, arguments in root.all(terraform_type).items():
            guarded = arguments.get("lifecycle", {}).get("prevent_destroy", False)
            assert guarded == root.environment.protection, name
            if terraform_type != "aws_kms_key":
                assert arguments["force_destroy"] is not root.environment.protection


def test_keys_rotate_and_have_an_alias_and_iam_administration(roots: dict[str, Root]) -> None:
    for root in roots.values():
        assert set(root.all("aws_kms_alias")) == set(root.all("aws_kms_key"))
        for name, key in root.all("aws_kms_key").items():
            assert (key["enable_key_rotation"], key["deletion_window_in_days"]) == (True, 30)
            assert root.statements(f"aws_kms_key.{name}")["AccountAdministersThroughIam"] == {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{root.environment.account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }


def test_the_files_key_is_only_used_through_iam(storage: Root) -> None:
    assert set(storage.statements("aws_kms_key.files")) == {"AccountAdministersThroughIam"}


def test_the_backup_key_encrypts_reports_of_this_account(storage: Root) -> None:
    statements = storage.statements("aws_kms_key.backup")
    assert set(statements) == {"AccountAdministersThroughIam", "BackupReportsToTheTopic"}
    assert statements["BackupReportsToTheTopic"] == {
        "Effect": "Allow",
        "Principal": {"Service": "backup.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": storage.environment.account}},
    }


def test_rarer_backups_are_kept_longer(storage: Root) -> None:
    settings = storage.environment.storage.backup
    rules = {rule["rule_name"]: rule for rule in storage["aws_backup_plan.main"]["rule"]}
    retention = {name: rule["lifecycle"]["delete_after"] for name, rule in rules.items()}
    assert retention == {
        "daily": settings.daily_days,
        "weekly": settings.weekly_days,
        "monthly": settings.monthly_days,
    }
    continuous = {name for name, rule in rules.items() if rule["enable_continuous_backup"]}
    assert continuous == {"daily"}
    assert retention["daily"] <= 35  # the AWS maximum for point-in-time recovery


def test_the_backup_plan_selects_by_the_tag_of_the_environment(storage: Root) -> None:
    stem = f"acme-{storage.environment.environment}"
    selection = storage["aws_backup_selection.tagged"]
    assert selection["selection_tag"] == [{"type": "STRINGEQUALS", "key": "Backup", "value": stem}]
    assert storage["aws_s3_bucket.files"]["tags"]["Backup"] == stem


def test_the_backup_role_is_for_this_account_only(storage: Root) -> None:
    [trust] = storage.statements("aws_iam_role.backup", "assume_role_policy").values()
    assert trust["Principal"] == {"Service": "backup.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": storage.environment.account}}
    attached = {
        each["policy_arn"].split("policy/")[1]
        for each in storage.all("aws_iam_role_policy_attachment").values()
    }
    assert attached == {
        "service-role/AWSBackupServiceRolePolicyForBackup",
        "service-role/AWSBackupServiceRolePolicyForRestores",
        "AWSBackupServiceRolePolicyForS3Backup",
        "AWSBackupServiceRolePolicyForS3Restore",
    }


def test_the_vault_is_encrypted_locked_and_refuses_deletion(storage: Root) -> None:
    settings = storage.environment.storage.backup
    assert storage["aws_backup_vault.main"]["kms_key_arn"] == "${aws_kms_key.backup.arn}"
    lock = storage["aws_backup_vault_lock_configuration.main"]
    assert (lock["min_retention_days"], lock["max_retention_days"]) == (
        settings.lock_min_days,
        settings.lock_max_days,
    )
    assert "changeable_for_days" not in lock  # this would make the lock irreversible
    if storage.environment.protection:
        refusal = storage.statements("aws_backup_vault_policy.main")["RefuseDeletion"]
        assert (refusal["Effect"], refusal["Principal"]) == ("Deny", "*")
        assert "backup:DeleteRecoveryPoint" in refusal["Action"]
    else:
        assert storage.all("aws_backup_vault_policy") == {}


def test_restores_are_tested_every_week(storage: Root) -> None:
    plan = storage["aws_backup_restore_testing_plan.weekly"]
    assert plan["recovery_point_selection"][0]["include_vaults"] == ["${aws_backup_vault.main.arn}"]
    selection = storage["aws_backup_restore_testing_selection.files"]
    assert selection["protected_resource_type"] == "S3"
    assert selection["protected_resource_arns"] == ["${aws_s3_bucket.files.arn}"]


def test_only_the_vault_publishes_to_the_encrypted_topic(storage: Root) -> None:
    assert storage["aws_sns_topic.backups"]["kms_master_key_id"] == "${aws_kms_key.backup.arn}"
    statements = storage.statements("aws_sns_topic_policy.backups")
    allowed = [each for each in statements.values() if each["Effect"] == "Allow"]
    spec, vault = storage.environment, storage["aws_backup_vault.main"]["name"]
    assert [each["Condition"] for each in allowed] == [
        {
            "ArnEquals": {
                "aws:SourceArn": f"arn:aws:backup:{spec.region}:{spec.account}:backup-vault:{vault}"
            },
            "StringEquals": {"aws:SourceAccount": spec.account},
        }
    ]
    notifications = storage["aws_backup_vault_notifications.main"]
    assert notifications["depends_on"] == ["aws_sns_topic_policy.backups"]


def test_a_second_region_gets_a_vault_a_key_and_a_copy_of_each_recovery_point(
    variant: Callable[..., dict[str, Root]],
) -> None:
    storage = variant(storage={"backup": {"copy_region": "us-west-2", "cold_days": 30}})["storage"]
    for address in (
        "aws_backup_vault.copy",
        "aws_backup_vault_lock_configuration.copy",
        "aws_backup_vault_policy.copy",
        "aws_kms_key.backup_copy",
        "aws_kms_alias.backup_copy",
    ):
        assert storage[address]["region"] == "us-west-2", address
    assert storage["aws_backup_vault.copy"]["kms_key_arn"] == "${aws_kms_key.backup_copy.arn}"
    for rule in storage["aws_backup_plan.main"]["rule"]:
        assert rule["copy_action"] == [
            {"destination_vault_arn": "${aws_backup_vault.copy.arn}", "lifecycle": rule["lifecycle"]}
        ]
    cold = {rule["rule_name"]: rule["lifecycle"] for rule in storage["aws_backup_plan.main"]["rule"]}
    assert cold["monthly"]["cold_storage_after"] == 30
    assert cold["monthly"]["opt_in_to_archive_for_supported_resources"] is True
    assert "cold_storage_after" not in cold["daily"]


def test_settings_of_the_spec_reach_the_bucket_and_the_lock(variant: Callable[..., dict[str, Root]]) -> None:
    origins = ["https://app.example.com"]
    spec = {
        "files": {"cors_origins": origins, "archive_days": "never"},
        "backup": {"lock": "compliance", "lock_grace_days": 10},
    }
    storage = variant(storage=spec)["storage"]
    [rule] = storage["aws_s3_bucket_cors_configuration.files"]["cors_rule"]
    assert rule["allowed_origins"] == origins
    [lifecycle] = storage["aws_s3_bucket_lifecycle_configuration.files"]["rule"]
    assert "transition" not in lifecycle
    assert storage["aws_backup_vault_lock_configuration.main"]["changeable_for_days"] == 10


def test_a_change_of_retention_does_not_change_the_lock(variant: Callable[..., dict[str, Root]]) -> None:
    longer = {"daily_days": 35, "weekly_days": 100, "monthly_days": 200}
    locks = [
        variant(environment=name, storage={"backup": backup})["storage"][
            "aws_backup_vault_lock_configuration.main"
        ]
        for name, backup in (("plain", {}), ("longer", longer))
    ]
    assert [(each["min_retention_days"], each["max_retention_days"]) for each in locks] == [(35, 365)] * 2


@pytest.mark.parametrize(
    ("backup", "rule"),
    [
        ({"daily_days": 14}, "daily_days must be at least lock_min_days .35."),
        ({"monthly_days": 400}, "monthly_days must be at most lock_max_days .365."),
    ],
)
def test_backups_that_the_lock_would_refuse_are_refused(
    backup: dict[str, int], rule: str, environment: Callable[..., Environment]
) -> None:
    with pytest.raises(SpecError, match=rule):
        environment(storage={"backup": backup})
    environment(storage={"backup": {**backup, "lock": "off"}})


def test_cors_and_the_lock_are_opt_in(storage: Root, variant: Callable[..., dict[str, Root]]) -> None:
    assert storage.all("aws_s3_bucket_cors_configuration") == {}
    unlocked = variant(storage={"backup": {"lock": "off"}})["storage"]
    assert unlocked.all("aws_backup_vault_lock_configuration") == {}
