"""Clients of AWS that sign in as terraform does: with the credentials of the shell, or as the role that the
spec names in `assume_role`."""

from __future__ import annotations

from functools import cache
from typing import Any

SESSION = "tierra"


@cache
def _models() -> Any:
    """Reads the models of AWS's services, each once for all clients."""
    from botocore.loaders import create_loader

    return create_loader()


def client(service: str, region: str, role: str | None, config: Any) -> Any:
    """A client of a service, as the role where there is one. Raises botocore's errors, such as the refusal to
    assume the role."""
    import botocore.session  # tools.doctor runs before anything is installed

    session = botocore.session.Session()
    session.register_component("data_loader", _models())
    if role is None:
        return session.create_client(service, region_name=region, config=config)
    sts = session.create_client("sts", region_name=region, config=config)
    given = sts.assume_role(RoleArn=role, RoleSessionName=SESSION)["Credentials"]
    return session.create_client(
        service,
        region_name=region,
        config=config,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
