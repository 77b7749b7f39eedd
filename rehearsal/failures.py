"""Creations that fail on request, so that partial applies can be tried without a cloud."""

from __future__ import annotations

import hashlib
import os

from rehearsal.cloud import Cloud
from rehearsal.protocol import Object, pack


class Failures:
    """Creations that fail on request: `REHEARSAL_FAIL="aws_nat_gateway=0.3,aws_eip=1"`.

    Whether a creation fails depends on REHEARSAL_SEED, the resource and how often it was tried, so a run
    can be repeated exactly and a later run gets further.
    """

    def __init__(self, rates: dict[str, float], seed: str) -> None:
        self.rates = rates
        self.seed = seed

    @classmethod
    def from_text(cls, text: str) -> Failures:
        """Raises ValueError when the text is not a list of type=rate with rates from 0 to 1."""
        rates = {}
        for item in filter(None, text.replace(" ", ",").split(",")):
            name, _, rate = item.partition("=")
            try:
                rates[name] = float(rate)
            except ValueError:
                rates[name] = -1.0
            if not 0 <= rates[name] <= 1:
                rule = "write type=rate, with a rate from 0 to 1, such as aws_nat_gateway=0.3"
                raise ValueError(f"REHEARSAL_FAIL: {item}: {rule}")
        return cls(rates, os.environ.get("REHEARSAL_SEED", "0"))

    def should_fail(self, type_name: str, planned: Object, cloud: Cloud) -> bool:
        rate = self.rates.get(type_name, self.rates.get("*", 0.0))
        if not rate:
            return False
        what = hashlib.sha256(pack([type_name, planned])).hexdigest()
        number = cloud.attempt(f"create {what}")
        drawn = hashlib.sha256(f"{self.seed} {what} {number}".encode()).digest()
        return int.from_bytes(drawn[:4], "big") / 2**32 < rate
