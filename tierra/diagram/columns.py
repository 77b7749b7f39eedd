"""The measures and columns of the page, in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

MARGIN = 32
BETWEEN = 46  # gap between bands, where the ports of vertical lines are written
TRACK = 18  # width of a track in the channel left of the bands
PORTS = 118  # margin in a band where ports are written
INSET = 32  # of frames in a band
ACROSS = 330  # width of the column of what spans all zones
ARROW = 84  # gap between that column and the zones
ZONES, ZONE, SYSTEM = 1000, 300, 310  # minimum widths of all zones together, of one zone, of a system in it
BESIDE = 20  # gap between zones
CHANNEL = 40  # width of the channel in the column of a zone, which stays free of text
REGIONAL = 310
ENTRY = 44  # from the right end of the first column to the line from the internet


class Columns:
    """Left ends of the columns; names with `end` are right ends."""

    def __init__(self, zones: Sequence[str], tracks: int, systems: int) -> None:
        number = max(1, len(zones))
        # About as many systems in a row as rows.
        room = max(ZONES, ceil(sqrt(systems)) * SYSTEM)
        self.vpc = MARGIN + 24
        self.band = self.vpc + 14 + TRACK * max(1, tracks)
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

    def channel(self, zone: str) -> float:
        """Where the line from a zone to the internet is."""
        return self.zones[zone] + self.zone - CHANNEL / 2

    def track(self, number: int) -> float:
        """Where a track of the channel left of the bands is."""
        return self.band - TRACK * (number + 0.75)
