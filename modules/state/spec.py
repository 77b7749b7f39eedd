"""Keys of `state:`: retention of saved plans, earlier versions of states and their access logs."""

from __future__ import annotations

from pydantic import Field

from modules.section import Section


class State(Section):
    """The bucket with Terraform's states, and the plans that are made from them."""

    plan_hours: int = Field(
        default=24,
        ge=1,
        le=720,
        description="Hours after which a saved plan is refused: the account moves on while a plan waits for"
        " its approval.",
    )
    version_days: int = Field(
        default=365,
        ge=30,
        le=3650,
        description="Days that an earlier version of a state can be brought back. The newest hundred stay"
        " longer.",
    )
    log_days: int = Field(
        default=365, ge=1, le=3650, description="Days that the log of who read or wrote a state is kept."
    )
