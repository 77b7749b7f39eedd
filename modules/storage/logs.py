"""The bucket of access logs of the other buckets and of the load balancer."""

from __future__ import annotations

from modules.storage.outputs import LOAD_BALANCER_LOGS
from tierra.patterns.access_log import delivery
from tierra.patterns.bucket import PrivateBucket, bucket_arn
from tierra.terraform.policy import Statement
from tierra.terraform.stack import Stack

ROLE = "logs"
NONCURRENT_DAYS = 30


def logs(stack: Stack) -> PrivateBucket:
    """`aws_s3_bucket.logs`. It does not log its own access, which would never end, and is encrypted with the
    key of S3, because log delivery does not support customer managed keys."""
    of_files = delivery(stack, "DeliverAccessLogsOfFiles", "files", ROLE)
    bucket = PrivateBucket(stack, ROLE, grants=[of_files, _load_balancer(stack)])
    bucket.sweep(noncurrent_days=NONCURRENT_DAYS, expire_days=stack.environment.storage.log_days)
    return bucket


def _load_balancer(stack: Stack) -> Statement:
    """The load balancer of this environment may deliver its logs.

    The service principal works in every region; the accounts of ELB that older regions used are not needed
    (ELB user guide, "Enable access logs"). There the ARN alone is a condition, and it names the account.
    """
    name, account = stack.names.of("load_balancer"), stack.environment.account
    return Statement(
        sid="DeliverLogsOfTheLoadBalancer",
        actions="s3:PutObject",
        resources=[
            f"{bucket_arn(stack, ROLE)}/{prefix}/AWSLogs/{account}/*"
            for prefix in LOAD_BALANCER_LOGS.values()
        ],
        principals={"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        conditions={
            "ArnLike": {"aws:SourceArn": stack.arn("elasticloadbalancing", f"loadbalancer/app/{name}/*")}
        },
    )
