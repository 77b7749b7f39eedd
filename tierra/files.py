"""Files that are written atomically."""

from __future__ import annotations

import os
from pathlib import Path


def write(file: Path, text: str | bytes) -> None:
    """Put the text in its place in one step; a file that says the same already is not touched."""
    content = text.encode() if isinstance(text, str) else text
    if file.exists() and file.read_bytes() == content:
        return
    temporary = file.with_name(f"{file.name}.{os.getpid()}.new")
    temporary.write_bytes(content)
    os.replace(temporary, file)
