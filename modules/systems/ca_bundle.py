"""Root certificates with which pods verify PostgreSQL and DocumentDB."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parent / "ca_bundle.pem"


@cache
def ca_bundle() -> dict[str, str]:
    """The certificate of each region in PEM; some regions are missing. Source: the trust store of Amazon
    RDS."""
    parts = re.split(r"^# ([a-z0-9-]+)\n", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {region: text.strip() + "\n" for region, text in zip(parts[1::2], parts[2::2], strict=True)}
