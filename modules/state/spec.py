"""Keys of `state:`: retention of saved plans, earlier versions of states and their access logs."""

from __future__ import annotations

from pydantic import Field

from tierra.validation.model import Model


class State(Model):
    """The bucket of Terraform's states, and the plans that are saved."""

    plan_hours: int = Field(
        default=24,
        ge=1,
        le=720,
        description="Hours after which make apply refuses a saved plan, because the account changes"
        " while a plan waits for approval.",
    )
    version_days: int = Field(
        default=365,
        ge=30,
        le=3650,
        description="Days that an earlier version of a state can be restored. The newest hundred stay"
        " longer.",
    )
    log_days: int = Field(
        default=365, ge=1, le=3650, description="Days that the access log of the states is kept."
    )
