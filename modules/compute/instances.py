"""Facts of EC2 instance types: CPU, memory, network interfaces and addresses.

The types for which capacity can be calculated are in two tables. Sources: the instance type pages of AWS for
CPU and memory; for interfaces and addresses the EC2 user guide (IP addresses per network interface per
instance type), which has the numbers of eni-max-pods.txt in awslabs/amazon-eks-ami.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from tierra.aws.service_models import instance_types
from tierra.validation.messages import choices
from tierra.validation.model import rule_error


@dataclass(frozen=True)
class Instance:
    """`memory` in MiB; `addresses` is the number of IPv4 addresses of each of the `interfaces`."""

    name: str
    vcpus: int
    memory: int
    interfaces: int
    addresses: int
    arm: bool

    @property
    def ami_type(self) -> str:
        """The Amazon Linux 2023 AMI type of EKS for its architecture."""
        return "AL2023_ARM_64_STANDARD" if self.arm else "AL2023_x86_64_STANDARD"


# Families of fixed performance -> GiB of memory per vCPU. Graviton families have a g after the generation.
GIB_PER_VCPU = {
    **dict.fromkeys(("c5", "c5a", "c6a", "c6g", "c6i", "c7a", "c7g", "c7i", "c7i-flex", "c8g"), 2),
    **dict.fromkeys(("m5", "m5a", "m6a", "m6g", "m6i", "m7a", "m7g", "m7i", "m7i-flex", "m8g"), 4),
    **dict.fromkeys(("r5", "r5a", "r6a", "r6g", "r6i", "r7a", "r7g", "r7i", "r8g"), 8),
}
# Sizes of those families -> vCPUs, interfaces, addresses per interface. The same in all of them.
SIZES = {
    "large": (2, 3, 10),
    "xlarge": (4, 4, 15),
    "2xlarge": (8, 4, 15),
    "4xlarge": (16, 8, 30),
    "8xlarge": (32, 8, 30),
    "12xlarge": (48, 8, 30),
    "16xlarge": (64, 15, 50),
}
# c5 has 9 and 18xlarge where the others have 8 and 16.
_NO_SUCH = {"c5.8xlarge", "c5.16xlarge"}

# Burstable types: GiB, vCPUs, interfaces, addresses per interface. Sizes below small cannot hold the agents.
BURSTABLE = {
    "small": (2, 2, 3, 4),
    "medium": (4, 2, 3, 6),
    "large": (8, 2, 3, 12),
    "xlarge": (16, 4, 4, 15),
    "2xlarge": (32, 8, 4, 15),
}
_SMALLER = {"t3a.small": (2, 2, 2, 4)}


@cache
def instances() -> dict[str, Instance]:
    """Every type for which capacity can be calculated, by name."""
    result = {}
    for family in ("t3", "t3a", "t4g"):
        for size, usual in BURSTABLE.items():
            name = f"{family}.{size}"
            gib, vcpus, interfaces, addresses = _SMALLER.get(name, usual)
            result[name] = Instance(name, vcpus, gib * 1024, interfaces, addresses, _arm(family))
    for family, gib in GIB_PER_VCPU.items():
        for size, (vcpus, interfaces, addresses) in SIZES.items():
            name = f"{family}.{size}"
            if name not in _NO_SUCH:
                result[name] = Instance(name, vcpus, vcpus * gib * 1024, interfaces, addresses, _arm(family))
    return result


# Families with GPUs, FPGAs or machine learning chips: "Accelerated computing" on the instance type pages.
# They would require a device plugin.
ACCELERATED = re.compile(r"(dl|f|g|gr|inf|p|trn|vt)\d")


def _arm(family: str) -> bool:
    return bool(re.fullmatch(r"[a-z]+\d+g[a-z]*", family))


def _usable(name: str) -> str:
    if name in instances():
        return name
    if name not in instance_types():
        plain = re.sub(r"[\s_]+", "", name.lower())
        every = sorted({*instances(), *instance_types()})
        close = [plain] if plain in every else difflib.get_close_matches(plain, every, n=1, cutoff=0.6)
        raise rule_error("the instance type must exist at AWS", f"write {close[0] if close else 't3.medium'}")
    if ACCELERATED.match(name):
        rule = (
            f"a node must have no GPU or other accelerator, but {name} has one: Tierra does not install the"
            " device plugin"
        )
        raise rule_error(rule, "write a type without one, such as m7i.xlarge")
    near = choices(difflib.get_close_matches(name, instances(), n=3, cutoff=0))
    raise rule_error(f"the type must be one that Tierra has figures for, and {name} is not", f"write {near}")


InstanceType = Annotated[
    str,
    AfterValidator(_usable),
    WithJsonSchema(
        {"type": "string", "pattern": r"^[a-z0-9-]+\.[a-z0-9-]+$", "examples": ["t3.medium", "m7g.large"]}
    ),
]
