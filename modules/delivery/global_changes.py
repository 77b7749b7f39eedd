"""What the apply role may change outside the region: names, budgets, Shield, networks of other accounts."""

from __future__ import annotations

from modules.delivery.apply_actions import BUDGETS
from modules.delivery.changes import tagged
from modules.network.subnets_spec import KINDS
from tierra.terraform.policy import Everything, Statement
from tierra.terraform.stack import Stack

_RECORDS = "route53:ChangeResourceRecordSetsNormalizedRecordNames"


def global_changes(stack: Stack) -> list[Statement]:
    """Services without a region; actions of EFS on behalf of the role; runners. Budgets and Shield Advanced
    exist in the partition aws only."""
    environment = stack.environment
    result = _connection(stack)
    if environment.partition == "aws":
        budgets = stack.arn("budgets", f"budget/{stack.names.stem}-*", region="")
        result.append(Statement(sid="SetBudgets", actions=BUDGETS, resources=budgets))
    if environment.edge.shield:
        result += [
            Statement(
                sid="ProtectWithShield",
                actions="shield:CreateProtection",
                resources=Everything("a protection has no ARN before it exists"),
                conditions={"StringEquals": tagged(stack, "RequestTag")},
            ),
            Statement(
                sid="SetShield",
                actions=["shield:DeleteProtection", "shield:TagResource", "shield:UntagResource"],
                resources=stack.arn("shield", "protection/*", region=""),
                conditions={"StringEquals": tagged(stack, "ResourceTag")},
            ),
        ]
    result += records(stack) if not environment.edge.zones else []
    result.append(
        Statement(
            # Network interfaces that EFS creates for a mount target have no tags of the environment (EFS API
            # Reference, CreateMountTarget).
            sid="LetEfsPlaceMountTargets",
            actions=["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"],
            resources=[
                stack.arn("ec2", f"{kind}/*") for kind in ("network-interface", "security-group", "subnet")
            ],
            conditions={"Bool": {"aws:ViaAWSService": "true"}},
        )
    )
    result.append(
        Statement(
            sid="NameEndpoints",
            actions="route53:AssociateVPCWithHostedZone",
            resources=stack.arn("route53", "hostedzone/*", region="", account=""),
        )
    )
    return result


def _connection(stack: Stack) -> list[Statement]:
    """With CodeBuild runners, an apply passes the connection to their projects."""
    connection = stack.environment.delivery.connection
    if not connection:
        return []
    actions = [
        "codeconnections:GetConnection",
        "codeconnections:PassConnection",
        "codeconnections:UseConnection",
    ]
    return [Statement(sid="HandTheConnectionToRunners", actions=actions, resources=connection)]


def records(stack: Stack) -> list[Statement]:
    """Records in the hosted zones of the spec, if Tierra writes any. `global_changes` only has room for those
    of one zone."""
    edge = stack.environment.edge
    if not edge.records:
        return []
    ids = [edge.zone_id, *(zone.id for zone in edge.zones.values())]
    zone_ids = [zone_id for zone_id in ids if zone_id] if all(ids) else ["*"]
    return [
        Statement(
            sid="SetRecordsOfTheZone",
            actions="route53:ChangeResourceRecordSets",
            resources=[
                stack.arn("route53", f"hostedzone/{zone_id}", region="", account="") for zone_id in zone_ids
            ],
            conditions={
                "ForAllValues:StringLike": {
                    _RECORDS: [name for zone in edge.zone_names for name in (zone, f"*.{zone}")]
                },
                "Null": {_RECORDS: "false"},
            },
        )
    ]


def attachments(stack: Stack) -> list[Statement]:
    """Attachments in an existing VPC, and to gateways of network.routes; those of another account have its
    ARNs. Separate, because the other policies are full."""
    network = stack.environment.network
    if network.existing:
        ids = [subnet for kind in KINDS for subnet in getattr(network.existing, kind).values()]
        return [
            Statement(
                sid="BuildInTheExistingNetwork",
                actions=[
                    "ec2:CreateFlowLogs",
                    "ec2:CreateSecurityGroup",
                    "ec2:CreateVpcEndpoint",
                    "ec2:ModifyVpcEndpoint",
                    "ec2:RunInstances",
                ],
                resources=[
                    stack.arn("ec2", f"vpc/{network.existing.vpc}", account="*"),
                    *(stack.arn("ec2", f"subnet/{subnet}", account="*") for subnet in ids),
                ],
            )
        ]
    gateways = dict.fromkeys(route.via for route in network.routes if route.kind != "pcx")
    if not gateways:
        return []
    kinds = {"tgw": "transit-gateway", "vgw": "vpn-gateway"}
    return [
        Statement(
            sid="AttachToOtherNetworks",
            actions=[
                "ec2:AttachVpnGateway",
                "ec2:CreateTransitGatewayVpcAttachment",
                "ec2:DetachVpnGateway",
            ],
            resources=[
                *(stack.arn("ec2", f"{kinds[gateway[:3]]}/{gateway}", account="*") for gateway in gateways),
                stack.arn("ec2", "transit-gateway-attachment/*"),
            ],
        )
    ]
