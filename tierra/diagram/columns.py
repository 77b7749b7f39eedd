"""The divisions of the page, in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

MARGIN = 32
BETWEEN = 46  # bands, where the ports of vertical lines are written
GUTTER = 18  # for each line that runs down in it
PORTS = 118  # margin in a band where ports are written
INSET = 32  # of what stands in frames in a band
ACROSS = 330  # width of the column of what is in all zones
ARROW = 84  # between it and the zones
ZONES, ZONE, SYSTEM = 1000, 300, 310  # width of all zones together, of one, of a system in them, at least
BESIDE = 20  # between zones
LANE = 40  # strip in a column that no text may enter
REGIONAL = 310
ENTRY = 44  # from the right end of the first column to the line from the internet


class Columns:
    """Left ends, and right ends where the name says so."""

    def __init__(self, zones: Sequence[str], trunks: int, systems: int) -> None:
        number = max(1, len(zones))
        # About as many systems beside as below each other.
        room = max(ZONES, ceil(sqrt(systems)) * SYSTEM)
        self.vpc = MARGIN + 24
        self.band = self.vpc + 14 + GUTTER * max(1, trunks)
        self.frame = self.band + PORTS
        self.across = self.frame + INSET
        self.first = self.across + ACROSS + ARROW
        self.zone = max(ZONE, (room - (number - 1) * BESIDE) / number)
        self.zones = {zone: self.first + index * (self.zone + BESIDE) for index, zone in enumerate(zones)}
        self.end = self.first + number * self.zone + (number - 1) * BESIDE
        self.frame_end = self.end + INSET
        self.band_end = self.frame_end + 16
        self.vpc_end = self.band_end + 16
        self.regional = self.vpc_end + 24
        self.aws_end = self.regional + REGIONAL + 24
        self.entry = self.across + ACROSS - ENTRY
        # Room of a title at the left of a frame, before the line from the internet.
        self.titles = self.entry - self.frame - 24

    def lane(self, zone: str) -> float:
        """Where the line from a zone to the internet runs."""
        return self.zones[zone] + self.zone - LANE / 2

    def track(self, number: int) -> float:
        """Where a line down the gutter runs."""
        return self.band - GUTTER * (number + 0.75)
