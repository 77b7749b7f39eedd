"""Which image of each system runs: the pipeline writes it, and terraform starts pods from it."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter

from modules.delivery.outputs import NO_IMAGE
from modules.stack import Stack


def image_parameters(stack: Stack) -> dict[str, str]:
    """`aws_ssm_parameter.<system>_image`, by system; what they are called.

    Terraform makes them and then leaves what they say to the pipeline, which writes the digest of an image
    that it has seen healthy: the two never undo each other. There is no description, for the pipeline would
    have to repeat it with each value.
    """
    return {
        system: stack.add(
            SsmParameter,
            f"{system.replace('-', '_')}_image",
            name=stack.names.image_parameter(system),
            type="String",
            # Not `value`, which terraform hides as if it were secret.
            insecure_value=NO_IMAGE,
            lifecycle=TerraformResourceLifecycle(ignore_changes=["insecure_value"]),
            tags=stack.tags(f"{system}-image"),
        ).name
        for system in stack.environment.systems
    }
