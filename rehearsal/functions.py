"""The provider's own functions, such as `provider::aws::arn_parse`.

Source: website/docs/functions/*.html.markdown of hashicorp/terraform-provider-aws 6.25.0.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rehearsal.protocol import encode, messages

PARTS = ("partition", "service", "region", "account_id", "resource")


@dataclass(frozen=True)
class Function:
    parameters: tuple[str, ...]
    returns: Any
    call: Callable[..., Any]


def _parse(arn: str) -> dict[str, str]:
    prefix, *parts = arn.split(":", len(PARTS))
    if prefix != "arn" or len(parts) != len(PARTS):
        raise ValueError(f"{arn!r} is not an ARN: it must be arn:partition:service:region:account:resource")
    return dict(zip(PARTS, parts, strict=True))


def _trim(arn: str) -> str:
    parts = _parse(arn)
    kind, _, path = parts["resource"].partition("/")
    if parts["service"] != "iam" or kind != "role" or not path:
        raise ValueError(f"{arn!r} is not the ARN of an IAM role")
    return f"{arn.removesuffix(parts['resource'])}role/{path.rpartition('/')[2]}"


def _user_agent(product: str, version: str, comment: str) -> str:
    return product + (f"/{version}" if version else "") + (f" ({comment})" if comment else "")


FUNCTIONS = {
    "arn_build": Function(PARTS, "string", lambda *parts: ":".join(("arn", *parts))),
    "arn_parse": Function(("arn",), ["object", dict.fromkeys(PARTS, "string")], _parse),
    "trim_iam_role_path": Function(("arn",), "string", _trim),
    "user_agent": Function(("product_name", "product_version", "comment"), "string", _user_agent),
}


def schemas() -> dict[str, Any]:
    """The functions in the form of terraform's protocol."""
    pb = messages().Function
    return {
        name: pb(
            parameters=[pb.Parameter(name=parameter, type=b'"string"') for parameter in function.parameters],
            **{"return": pb.Return(type=json.dumps(function.returns).encode())},
        )
        for name, function in FUNCTIONS.items()
    }


def call(name: str, arguments: list[Any]) -> Any:
    """The CallFunction response: the result, or why the arguments do not fit."""
    pb = messages()
    try:
        return pb.CallFunction.Response(result=encode(FUNCTIONS[name].call(*arguments)))
    except ValueError as problem:
        return pb.CallFunction.Response(error=pb.FunctionError(text=str(problem)))
