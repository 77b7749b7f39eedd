"""Files that are written atomically."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write(file: Path, text: str | bytes) -> None:
    """Writes the file atomically and creates its folders; a file with the same content is not touched. Raises
    OSError, and leaves nothing behind, if that is not possible."""
    content = text.encode() if isinstance(text, str) else text
    if file.is_file() and file.read_bytes() == content:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
        os.chmod(beside, 0o644)
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise
