"""The image of a system: an SSM parameter that its pipeline writes after a successful deployment."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter

from tierra.terraform.stack import Stack

# The value of the parameter until the first deployment of a pipeline.
NONE = "none"


def image(stack: Stack, system: str) -> str:
    """The running image, from `aws_ssm_parameter.<system>`, which the pipeline wrote last.

    Terraform creates the parameter, then ignores changes of its value and releases the current one, so that a
    plan never reverts a deployment.
    """
    parameter = stack.add(
        SsmParameter,
        system.replace("-", "_"),
        name=stack.names.image_parameter(system),
        description=f"Image of {system} that runs, by digest; written by its pipeline",
        type="String",
        insecure_value=NONE,
        lifecycle=TerraformResourceLifecycle(ignore_changes=["insecure_value", "value"]),
        tags=stack.tags(f"{system}-image"),
    )
    return parameter.insecure_value
