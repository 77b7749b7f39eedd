"""The API models of AWS in the files of botocore, shape by shape. No session, no network."""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, cast

_PIECE = 1 << 16


def shape(service: str, name: str) -> dict[str, Any]:
    """A shape of the newest model of a service, such as `InstanceType` of `ec2`.

    The file is read only up to the end of the shape: to parse the whole model of EC2 would take longer than
    everything else about a spec, and most of its memory. Raises LookupError if there is no such shape.
    """
    start = re.compile(rb'"%s"\s*:\s*(?=\{\s*"type")' % re.escape(name.encode()))
    file = _newest(data() / service)
    if file is None:
        raise LookupError(f"there is no model of {service}")
    with opened(file) as model:
        buffer, path = b"", None
        while piece := model.read(_PIECE):
            buffer += piece
            path = path or start.search(buffer)
            if not path:
                buffer = buffer[-_PIECE:]
                continue
            try:
                return json.JSONDecoder().raw_decode(buffer[path.end() :].decode(errors="ignore"))[0]  # type: ignore[no-any-return]
            except json.JSONDecodeError:
                continue  # the shape continues in the next piece
    raise LookupError(f"the model of {service} has no shape {name}")


@cache
def instance_types() -> frozenset[str]:
    """Every type of EC2."""
    return frozenset(shape("ec2", "InstanceType")["enum"])


def data() -> Path:
    """The folder of botocore's files; botocore itself is not imported."""
    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("botocore is not installed; remedy: make setup")
    return Path(spec.submodule_search_locations[0], "data")


@cache
def files() -> dict[str, Path]:
    """The newest model of each service, by its folder."""
    return {folder.name: file for folder in sorted(data().iterdir()) if (file := _newest(folder))}


def opened(file: Path) -> IO[bytes]:
    """A model, which botocore stores compressed or plain."""
    return cast(IO[bytes], gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def _newest(folder: Path) -> Path | None:
    return max(folder.glob("*/service-2.json*"), default=None)
