"""Terraform's plugin protocol 6: messages, and the codec of the values inside them.

Messages come from the package pyvider, whose stubs carry the current protocol (write-only arguments and
ephemeral resources included). Only the generated message modules are loaded: importing pyvider itself
costs 0.6 s, and terraform starts the provider several times per command.

Values travel as msgpack: objects as maps, lists and sets as arrays, numbers beyond 64 bits as strings, and
unknown values as an extension type. A value of dynamic type is a pair of its type and itself; it is passed
through unchanged. Source: docs/plugin-protocol/object-wire-format.md of hashicorp/terraform.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import msgpack

PROTOCOL = "protocols/tfprotov6/protobuf/tfplugin6_pb2"
CONTROLLER = "rpcplugin/protocol/grpc_controller_pb2"
STDIO = "rpcplugin/protocol/grpc_stdio_pb2"

Object = dict[str, Any]


class UnknownValue:
    """A value that terraform calls "known after apply". There is one: `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __deepcopy__(self, _: object) -> UnknownValue:
        return self


UNKNOWN = UnknownValue()


@cache
def messages(path: str = PROTOCOL) -> ModuleType:
    """The generated message module at `path` of the installed package pyvider, without its framework.

    Raises ImportError when pyvider is not installed.
    """
    name = f"tierra_stub_{Path(path).name}"
    package = importlib.util.find_spec("pyvider")
    if package is None or not package.submodule_search_locations:
        raise ImportError("the package pyvider is not installed: run make setup")
    candidates = [Path(root, f"{path}.py") for root in package.submodule_search_locations]
    file = next((candidate for candidate in candidates if candidate.exists()), None)
    spec = importlib.util.spec_from_file_location(name, file) if file else None
    if spec is None or spec.loader is None:
        raise ImportError(f"the installed package pyvider has no {path}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def decode(value: Any) -> Any:
    """The Python value of a DynamicValue message; UNKNOWN where terraform does not know it yet."""
    if not value.msgpack:
        return None
    return msgpack.unpackb(value.msgpack, ext_hook=_unknown, strict_map_key=False)


def encode(value: Any) -> Any:
    """A DynamicValue message that holds `value`."""
    return messages().DynamicValue(msgpack=pack(value))


def pack(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, default=_extension)
    return packed


def unpack(packed: bytes) -> Any:
    return msgpack.unpackb(packed, ext_hook=_unknown, strict_map_key=False)


def _unknown(_code: int, _data: bytes) -> UnknownValue:
    return UNKNOWN


def _extension(value: Any) -> msgpack.ExtType:
    if isinstance(value, UnknownValue):
        return msgpack.ExtType(0, b"\x00")
    raise TypeError(f"{type(value).__name__} has no form in terraform's protocol")


def warning(summary: str, detail: str) -> Any:
    """A warning diagnostic; terraform prints it and continues."""
    pb = messages()
    return pb.Diagnostic(severity=pb.Diagnostic.WARNING, summary=summary, detail=detail)


def error(summary: str, detail: str = "", attribute: str = "") -> Any:
    """An error diagnostic; `attribute` names the top-level argument that it is about."""
    pb = messages()
    path = None
    if attribute:
        path = pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=attribute)])
    return pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=summary, detail=detail, attribute=path)
