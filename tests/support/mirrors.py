"""A mirror of providers, for lock files."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.project import ROOT

PLATFORMS = ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64")


def mirror(folder: Path) -> Path:
    """A provider mirror with the embedded provider for each platform, each in a separate file."""
    for version in (ROOT / ".rehearsal" / "mirror").glob("*/*/*/*"):
        [here] = version.iterdir()
        for platform in PLATFORMS:
            target = folder / version.relative_to(ROOT / ".rehearsal" / "mirror") / platform
            shutil.copytree(here, target)
            if platform != here.name:
                (target / "platform").write_text(platform)
    return folder
