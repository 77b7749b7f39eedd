"""Runners that AWS CodeBuild starts inside the VPC, one per job, and stops after it.

A project serves one repository: GitHub notifies it of every queued job, and CodeBuild starts those whose
label names the project. The image of CodeBuild has bash, git, make, Python 3.11, the AWS CLI and kubectl
(github.com/aws/aws-codebuild-docker-images, al/x86_64/standard/5.0/Dockerfile).
"""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.codebuild_project import (
    CodebuildProject,
    CodebuildProjectArtifacts,
    CodebuildProjectEnvironment,
    CodebuildProjectLogsConfig,
    CodebuildProjectLogsConfigCloudwatchLogs,
    CodebuildProjectLogsConfigS3Logs,
    CodebuildProjectSource,
    CodebuildProjectSourceAuth,
    CodebuildProjectVpcConfig,
)
from cdktf_cdktf_provider_aws.codebuild_webhook import (
    CodebuildWebhook,
    CodebuildWebhookFilterGroup,
    CodebuildWebhookFilterGroupFilter,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy

from modules.delivery.runner import project_name, served
from modules.network.outputs import NetworkOutputs
from tierra.patterns.iam import grant, iam_role
from tierra.patterns.log_group import log_group
from tierra.terraform.policy import Everything, Statement, trust
from tierra.terraform.stack import Stack

IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
COMPUTE = "BUILD_GENERAL1_MEDIUM"  # four tiers are planned in parallel, each with a provider process
MINUTES = 130  # slightly more than the longest job, an apply
DAYS = 90


def runners(stack: Stack, network: NetworkOutputs) -> dict[str, CodebuildProject]:
    """`aws_codebuild_project.runner_<owner>__<name>` and its webhook, by repository; none without runner:
    codebuild."""
    delivery = stack.environment.delivery
    if not delivery.codebuild or not delivery.connection:
        return {}
    repositories = served(stack.environment)
    logs = log_group(
        stack, "runner", stack.names.log_group("codebuild", "runner"), DAYS, network.logs_key_arn
    )
    role, rights = _role(stack, delivery.connection, logs)
    projects = {}
    for repository in repositories:
        address = f"runner_{repository.lower().replace('/', '__').replace('.', '_').replace('-', '_')}"
        projects[repository] = _project(stack, address, repository, network, role, rights, logs)
        stack.add(
            CodebuildWebhook,
            address,
            project_name=projects[repository].name,
            build_type="BUILD",
            filter_group=[
                CodebuildWebhookFilterGroup(
                    filter=[CodebuildWebhookFilterGroupFilter(type="EVENT", pattern="WORKFLOW_JOB_QUEUED")]
                )
            ],
        )
    return projects


def _project(
    stack: Stack,
    address: str,
    repository: str,
    network: NetworkOutputs,
    role: IamRole,
    rights: IamRolePolicy,
    logs: CloudwatchLogGroup,
) -> CodebuildProject:
    return stack.add(
        CodebuildProject,
        address,
        name=project_name(stack.environment, repository),
        description=f"Runs jobs of GitHub Actions of {repository} inside the VPC",
        service_role=role.arn,
        build_timeout=MINUTES,
        artifacts=CodebuildProjectArtifacts(type="NO_ARTIFACTS"),
        environment=CodebuildProjectEnvironment(type="LINUX_CONTAINER", image=IMAGE, compute_type=COMPUTE),
        source=CodebuildProjectSource(
            type="GITHUB",
            location=f"https://github.com/{repository}.git",
            auth=CodebuildProjectSourceAuth(
                type="CODECONNECTIONS", resource=str(stack.environment.delivery.connection)
            ),
        ),
        logs_config=CodebuildProjectLogsConfig(
            cloudwatch_logs=CodebuildProjectLogsConfigCloudwatchLogs(status="ENABLED", group_name=logs.name),
            s3_logs=CodebuildProjectLogsConfigS3Logs(status="DISABLED"),
        ),
        vpc_config=CodebuildProjectVpcConfig(
            vpc_id=network.vpc_id,
            subnets=list(network.private_subnet_ids.values()),
            security_group_ids=[network.runner_security_group_id],
        ),
        depends_on=[rights],
        tags=stack.tags(address.replace("_", "-")),
    )


def _role(stack: Stack, connection: str, logs: CloudwatchLogGroup) -> tuple[IamRole, IamRolePolicy]:
    """Permissions of CodeBuild itself: network interfaces in the VPC, the connection to GitHub, and its log.
    Jobs can use this role as well, so it has no other permissions; they assume the roles of the workflows.
    Source: AWS CodeBuild user guide, "Allow CodeBuild access to AWS services required to create a VPC network
    interface"."""
    projects = stack.arn("codebuild", f"project/{stack.names.stem}-runner-*")
    trusted = trust("codebuild.amazonaws.com", stack.environment.account, projects)
    role = iam_role(stack, "runner", "CodeBuild runs jobs of GitHub Actions inside the VPC", trusted)
    rights = grant(
        stack,
        "runner",
        role,
        Statement(
            sid="StandInTheVpc",
            actions=[
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            resources=Everything(
                "descriptions know no resource, and an interface has no name before it exists"
            ),
            conditions={"StringEquals": {"aws:RequestedRegion": stack.environment.region}},
        ),
        Statement(
            sid="LendInterfacesToCodeBuild",
            actions="ec2:CreateNetworkInterfacePermission",
            resources=stack.arn("ec2", "network-interface/*"),
            conditions={"StringEquals": {"ec2:AuthorizedService": "codebuild.amazonaws.com"}},
        ),
        Statement(
            sid="TalkToGithub",
            actions=["codeconnections:GetConnection", "codeconnections:GetConnectionToken"],
            resources=connection,
        ),
        Statement(
            sid="WriteTheLog",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[logs.arn, f"{logs.arn}:*"],
        ),
    )
    return role, rights
