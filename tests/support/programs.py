"""main.py in a separate process."""

from __future__ import annotations

import os
import subprocess
import sys

from conftest import ROOT


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("ENV", "CDKTF_OUTDIR")}
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
