"""What botocore has of AWS in files: the models of its APIs, shape by shape. No session, no network."""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

_PIECE = 1 << 16


def shape(service: str, name: str) -> dict[str, Any]:
    """A shape of the newest model of a service, such as `InstanceType` of `ec2`.

    Read piece by piece up to the shape and no further: the whole model of EC2, parsed, would take longer than
    everything else about a spec, and most of its memory. Raises LookupError when there is no such shape.
    """
    start = re.compile(rb'"%s"\s*:\s*(?=\{\s*"type")' % re.escape(name.encode()))
    with _opened(service) as model:
        kept, found = b"", None
        while piece := model.read(_PIECE):
            kept += piece
            found = found or start.search(kept)
            if not found:
                kept = kept[-_PIECE:]
                continue
            try:
                return json.JSONDecoder().raw_decode(kept[found.end() :].decode(errors="ignore"))[0]  # type: ignore[no-any-return]
            except json.JSONDecodeError:
                continue  # the shape goes on in the next piece
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


def _opened(service: str) -> gzip.GzipFile | BytesIO:
    """The newest model of a service, which botocore keeps packed or plain."""
    folder = max(each for each in (data() / service).iterdir() if each.is_dir())
    packed = folder / "service-2.json.gz"
    if packed.is_file():
        return gzip.GzipFile(packed)
    return BytesIO((folder / "service-2.json").read_bytes())
