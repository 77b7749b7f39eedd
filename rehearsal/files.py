"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write(file: Path, text: str) -> None:
    """Put the text in its place in one step; a file that says the same already is not touched."""
    if file.exists() and file.read_text() == text:
        return
    temporary = file.with_name(f"{file.name}.{os.getpid()}.new")
    temporary.write_text(text)
    os.replace(temporary, file)
