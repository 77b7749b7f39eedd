"""Private access to AWS services: S3 always, through a free gateway endpoint; other services through
interface endpoints, if the spec says endpoints: all.

Endpoint policies restrict what passes through an endpoint, in addition to IAM.
"""

from __future__ import annotations

from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_endpoint import VpcEndpoint

from modules.network.routes import Routes
from modules.network.subnets import Subnets
from modules.network.vpc import AnyVpc
from tierra.terraform.policy import Everyone, Everything, Statement, document
from tierra.terraform.stack import Stack

# Services that nodes, pods and their controllers call, with the prefix of their IAM actions if only
# principals of this account may pass. sts has none, because callers have no account before they assume a
# role; neither have the registry and the agents, which use their own tokens.
INTERFACES: dict[str, str | None] = {
    "autoscaling": "autoscaling",
    "ec2": "ec2",
    "ecr.api": None,
    "ecr.dkr": None,
    "eks": None,
    "eks-auth": None,
    "elasticloadbalancing": "elasticloadbalancing",
    "kms": "kms",
    "logs": "logs",
    "monitoring": "cloudwatch",
    "secretsmanager": "secretsmanager",
    "ssm": "ssm",
    "ssmmessages": None,
    "sts": None,
    "xray": "xray",
}

# The names of these have another prefix in China: aws ec2 describe-vpc-endpoint-services there, as in
# aws-cdk's table (packages/aws-cdk-lib/aws-ec2/lib/vpc-endpoint.ts). The gateway endpoint of S3 has not.
IN_CHINA = {"autoscaling", "ec2", "ecr.api", "ecr.dkr", "eks", "monitoring", "sts", "xray"}


def service_name(region: str, partition: str, service: str) -> str:
    """The name of the service of an interface endpoint in the region."""
    start = "cn." if partition == "aws-cn" and service in IN_CHINA else ""
    return f"{start}com.amazonaws.{region}.{service}"


def endpoints(
    stack: Stack, vpc: AnyVpc, subnets: Subnets, routes: Routes | None, firewall: dict[str, SecurityGroup]
) -> dict[str, VpcEndpoint]:
    """`aws_vpc_endpoint.s3`, if Tierra manages the route tables, and those of INTERFACES if network.endpoints
    is all."""
    result = {}
    if routes:
        result["s3"] = stack.add(
            VpcEndpoint,
            "s3",
            vpc_id=vpc.id,
            service_name=f"com.amazonaws.{stack.environment.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in (*routes.private.values(), routes.database)],
            policy=_s3_policy(stack),
            tags=stack.tags("s3"),
        )
    if stack.environment.network.endpoints == "all":
        result |= _interfaces(stack, vpc, subnets, firewall["endpoint"])
    return result


def _interfaces(stack: Stack, vpc: AnyVpc, subnets: Subnets, group: SecurityGroup) -> dict[str, VpcEndpoint]:
    """In every private subnet, with private DNS."""
    subnet_ids = [subnet.id for subnet in subnets.private.values()]
    vpc_id, group_id, environment = vpc.id, group.id, stack.environment
    result = {}
    for service, actions in INTERFACES.items():
        if service == "xray" and not environment.observability.traces:
            continue
        role = service.replace(".", "_").replace("-", "_")
        result[service] = stack.add(
            VpcEndpoint,
            role,
            vpc_id=vpc_id,
            service_name=service_name(environment.region, environment.partition, service),
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            subnet_ids=subnet_ids,
            security_group_ids=[group_id],
            policy=_own_account_policy(stack, actions) if actions else None,
            tags=stack.tags(role.replace("_", "-")),
        )
    return result


def _own_account_policy(stack: Stack, actions: str) -> str:
    """Refuses credentials of other accounts, which could be used to exfiltrate data."""
    return document(
        Statement(
            sid="CallersOfThisAccount",
            actions=f"{actions}:*",
            resources=Everything("an endpoint serves all of its service; IAM says which resources"),
            principals=Everyone("narrowed to this account by the condition"),
            conditions={"StringEquals": {"aws:PrincipalAccount": stack.environment.account}},
        )
    )


def _s3_policy(stack: Stack) -> str:
    """Reads are allowed everywhere, because image layers are in buckets of AWS; writes only in this
    account."""
    anywhere = Everything("image layers and packages lie in buckets of AWS and of registries")
    return document(
        Statement(
            sid="ReadWhatIsReadable",
            actions=["s3:GetObject*", "s3:ListBucket*"],
            resources=anywhere,
            principals=Everyone("public objects are read without credentials"),
            conditions={"Bool": {"aws:SecureTransport": "true"}},
        ),
        Statement(
            sid="WriteToBucketsOfThisAccount",
            actions="s3:*",
            resources=Everything("narrowed to buckets of this account by the condition"),
            principals=Everyone("narrowed to buckets of this account by the condition"),
            conditions={"StringEquals": {"aws:ResourceAccount": stack.environment.account}},
        ),
    )
