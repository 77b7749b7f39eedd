"""Keys of `systems.<system>.sidecars:`: additional containers in each pod that answers requests."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from modules.systems.parts import Command, Image, VariableName
from modules.systems.quantities import Cpu, Memory
from tierra.validation.labels import as_name, is_name, is_text
from tierra.validation.model import Model, rule_error

APP = "app"  # the container of the system itself
LONGEST_NAME = 30


def _name(name: str) -> str:
    if not is_name(name, LONGEST_NAME):
        plain = as_name(name, LONGEST_NAME)
        rule = f"the name of a sidecar must be at most {LONGEST_NAME} lowercase letters, digits and hyphens"
        raise rule_error(rule, f"write {plain}" if plain else "write a name such as proxy")
    is_text(name, f"{name}-proxy")
    if name == APP:
        raise rule_error(
            f"the name must not be {APP}, the container of the system itself", "choose another name"
        )
    return name


SidecarName = Annotated[str, AfterValidator(_name)]


class Sidecar(Model):
    """A container that starts before the system's own and stops after it."""

    image: Image = Field(description="Image, by digest or by a tag other than latest.")
    port: int | None = Field(
        default=None,
        ge=1024,
        le=65535,
        description="Port that it listens on, if any; it must differ from the ports of other containers"
        " of the pod. Only containers of the pod reach it.",
    )
    command: Command = Field(
        default=(), json_schema_extra={"default": "the image's"}, description="Command to start."
    )
    env: dict[VariableName, str] = Field(
        default_factory=dict,
        description="Plain environment variables. Plans show them, so they must not be secrets.",
        examples=[{"LOG_LEVEL": "info"}],
    )
    cpu: Cpu = Field(default=50, json_schema_extra={"default": "50m"}, description="CPU request.")
    memory: Memory = Field(
        default=64,
        json_schema_extra={"default": "64Mi"},
        description="Memory request and limit.",
    )
