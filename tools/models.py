"""The service models of botocore: allowed values and limits, by the names that the SDKs for Go use."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from tierra.aws.service_models import files, opened

# Services whose package in the Go SDK has another name than botocore's folder or service ID.
SERVICES = {
    "configservice": "config",
    "eventbridge": "events",
    "prometheusservice": "amp",
    "sfn": "stepfunctions",
}


def text(folder: str) -> bytes:
    with opened(files()[folder]) as model:
        return model.read()


@cache
def shapes(folder: str) -> dict[str, dict[str, Any]]:
    result: dict[str, dict[str, Any]] = json.loads(text(folder))["shapes"]
    return result


@cache
def service(package: str) -> str | None:
    """The folder in botocore of the service that a package of the Go SDK is for."""
    wanted = SERVICES.get(package, package)
    for folder in files():
        if folder.replace("-", "") == wanted:
            return folder
    for folder in files():
        match = re.search(rb'"serviceId"\s*:\s*"([^"]+)"', text(folder))
        if match and re.sub(r"[\W_]", "", match[1].decode()).lower() == package:
            return folder
    return None


@cache
def enums(folder: str) -> dict[str, list[str]]:
    """The values of each enumeration, by its name in lower case."""
    return {name.lower(): shape["enum"] for name, shape in shapes(folder).items() if "enum" in shape}


@cache
def limits(folder: str) -> dict[str, list[tuple[str, Any, Any]]]:
    """The limits of each member of the structures, by its name in lower case: type, least, most."""
    result: dict[str, list[tuple[str, Any, Any]]] = {}
    for shape in shapes(folder).values():
        for member, target in shape.get("members", {}).items():
            inner = shapes(folder)[target["shape"]]
            if "min" in inner or "max" in inner:
                triple = (inner["type"], inner.get("min"), inner.get("max"))
                result.setdefault(member.lower(), []).append(triple)
    return result


def value_of(folder: str, constant: str) -> str | None:
    """The value that a constant of the Go SDK, such as `ProtocolEnumHttp`, stands for."""
    for shape, values in enums(folder).items():
        if constant.lower().startswith(shape):
            rest = _plain(constant[len(shape) :])
            fits = [value for value in values if _plain(value) == rest]
            if len(fits) == 1:
                return fits[0]
    return None


def _plain(word: str) -> str:
    return re.sub(r"[\W_]", "", word).lower()
