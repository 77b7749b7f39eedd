"""The image of a system: a parameter that its pipeline writes after a successful deployment."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter

from tierra.terraform.stack import Stack

# What the parameter says until a pipeline has deployed something.
NONE = "none"


def image(stack: Stack, system: str) -> str:
    """The image that runs, from `aws_ssm_parameter.<system>`: what its pipeline wrote last.

    Terraform makes the parameter, then leaves its value alone and releases what it finds there; so a plan
    never takes back what a pipeline has deployed.
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
