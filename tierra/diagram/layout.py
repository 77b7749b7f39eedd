"""The layout: fixed bands from the internet down, a column for each zone, one for what spans zones, and
channels for the lines.

    internet
    AWS     front:      WAF                  DNS, certificate
            VPC                              zone a       zone b       zone c     | in the region
              public:   load balancer        NAT          NAT          NAT        |
              private:  EKS: Kong, services  systems; nodes by zone               |
              database: primary              replicas by zone                     |
            monitoring
    pipeline
    legend

Text stays out of the channels that lines run in, so that no line can cross a word: the channel left of the
bands, the margin in them where ports are written, a channel at the right of each zone's column, and one in
the first column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tierra.diagram.columns import ACROSS, BETWEEN, CHANNEL, MARGIN, REGIONAL, Columns
from tierra.diagram.frames import GAP, PAD, grid, height, leaf, outer
from tierra.diagram.graph import INTERNET, Box, Picture
from tierra.diagram.legend import legend
from tierra.diagram.routes import channel_sources, routes
from tierra.diagram.scene import Area, Scene, Text
from tierra.diagram.text import cut

HEAD = 38  # of a frame with a title
INSTANCE = 170  # minimum width of a database instance
STAMP = Area(0, MARGIN, 400, 76)  # the stamp of a rehearsal

# Outer frames are drawn in this order.
ORDER = (
    *("aws", "pipeline", "vpc", "regional", "monitoring", "public", "private", "database", "zone"),
    *("eks", "engine", "nodes", "systems"),
)


def arrange(picture: Picture) -> Scene:
    """The drawing of a picture."""
    return _Layout(picture).scene


class _Layout:
    """`y` is the upper end of the next element."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.columns = columns = Columns(
            picture.zones, len(channel_sources(picture)), sum(box.kind == "system" for box in picture.boxes())
        )
        self.scene = scene = Scene(width=columns.aws_end + MARGIN)
        self.y = float(MARGIN)
        self._title()
        self._internet()
        aws = self.y = self.y + BETWEEN
        self._front()
        vpc = self.y = self.y + BETWEEN
        self._vpc()
        bottom = max(self.y, self._regional(vpc))
        self._stretch(vpc, bottom)
        self.y = bottom + GAP
        self._spread(picture.monitoring, MARGIN + 24)
        self.y += 24
        self._outer(Box("aws", "aws", f"AWS {picture.region}"), MARGIN, columns.aws_end, aws, left=24)
        self.y += BETWEEN
        self._spread(picture.pipeline, MARGIN)
        self.y = legend(scene, picture, Area(MARGIN, self.y + 36, columns.aws_end - MARGIN, 0))
        scene.height = self.y + MARGIN
        leaves = len(ORDER)
        scene.frames.sort(key=lambda frame: ORDER.index(frame.box.kind) if frame.outer else leaves)
        scene.lines += routes(picture, scene, columns)

    def _outer(
        self,
        box: Box,
        x: float,
        end: float,
        top: float,
        *,
        left: float = PAD,
        room: float = 0,
        channel: float = 0,
    ) -> None:
        area = Area(x, top, end - x, self.y - top)
        self.scene.frames.append(outer(box, area, left=left, room=room, channel=channel))

    def _title(self) -> None:
        picture, end = self.picture, self.columns.aws_end
        room = end - MARGIN - (STAMP.width + GAP if picture.rehearsal else 0)
        name = cut(picture.name, 36, room, bold=True)
        self.scene.texts.append(Text(MARGIN, self.y + 34, name, 36, bold=True))
        for line in (f"{picture.location}, {picture.region}", picture.source):
            self.y += 28
            self.scene.texts.append(Text(MARGIN, self.y + 36, cut(line, 18, room), 18, color="soft"))
        if picture.rehearsal:
            self.scene.stamp = STAMP._replace(x=end - STAMP.width)
        self.y += 36 + 26

    def _internet(self) -> None:
        area = Area(MARGIN, self.y, self.columns.aws_end - MARGIN, 44)
        self.scene.frames.append(leaf(Box(INTERNET, INTERNET, "Internet"), area))
        self.y = area.bottom

    def _front(self) -> None:
        """The WAF on the line from the internet, the rest beside it."""
        columns, front = self.columns, self.picture.front
        self.y += HEAD
        lefts = list(columns.zones.values())
        others = [box for box in front if box.kind != "waf"]
        slots: list[tuple[float, float, Box]] = []
        slots += [(columns.across, ACROSS, box) for box in front if box.kind == "waf"]
        slots += [(lefts[n % len(lefts)], columns.zone - CHANNEL, box) for n, box in enumerate(others)]
        self._columns(slots)

    def _columns(self, slots: list[tuple[float, float, Box]]) -> None:
        """Boxes at their left ends and widths, below each other if these are equal. The first boxes of all
        columns have the same height."""
        ends: dict[float, float] = {}
        firsts = {left: height(box, room) for left, room, box in reversed(slots)}
        for left, room, box in slots:
            y = ends.get(left, self.y)
            high = height(box, room) if left in ends else max(firsts.values())
            self.scene.frames.append(leaf(box, Area(left, y, room, high)))
            ends[left] = y + high + GAP
        self.y = max([self.y, *(end - GAP for end in ends.values())])

    def _vpc(self) -> None:
        columns, vpc, top = self.columns, self.picture.vpc, self.y
        self.y += HEAD
        self._band(self.picture.public, self._public)
        self.y += BETWEEN
        self._band(self.picture.private, self._private)
        self.y += 24
        self._band(self.picture.database, self._database)
        self.y += 16
        titled = replace(vpc, title=" ".join([vpc.title, *vpc.notes]))
        self._outer(titled, columns.vpc, columns.vpc_end, top, left=24, room=columns.entry - columns.vpc - 32)
        for zone, left in columns.zones.items():
            box = self.picture.zone_mark(zone)
            self._outer(box, left - 6, left + columns.zone + 6, top + 6, left=6, channel=CHANNEL + 6)

    def _stretch(self, top: float, bottom: float) -> None:
        """VPC and region end together."""
        for index, frame in enumerate(self.scene.frames):
            if frame.box.kind in ("vpc", "regional") and frame.area.y == top:
                area = frame.area._replace(height=bottom - top)
                self.scene.frames[index] = replace(frame, area=area)

    def _band(self, band: Box, fill: Callable[[list[Box]], None]) -> None:
        columns, top = self.columns, self.y
        self.y += 8
        subnets = [box for box in band.boxes if box.kind == "subnet" and box.zone in columns.zones]
        slots = [(columns.zones[box.zone or ""], columns.zone - CHANNEL, box) for box in subnets]
        self._columns(slots)
        self.y = max(self.y, top + HEAD) + 14
        fill([box for box in band.boxes if box not in subnets])
        self.y += 16
        self._outer(band, columns.band, columns.band_end, top, room=columns.entry - columns.band - 24)

    def _public(self, boxes: list[Box]) -> None:
        columns = self.columns
        zoned = [(columns.zones[box.zone], columns.zone, box) for box in boxes if box.zone in columns.zones]
        shared = [(columns.across, float(ACROSS), box) for box in boxes if box.zone not in columns.zones]
        self._columns([*shared, *zoned])

    def _private(self, boxes: list[Box]) -> None:
        columns = self.columns
        if internal := [box for box in boxes if box.kind == "load_balancer"]:
            self._columns([(columns.across, float(ACROSS), box) for box in internal])
            self.y += BETWEEN
        for eks in [box for box in boxes if box.kind == "eks"]:
            self._eks(eks)
        endpoints = [box for box in boxes if box.kind == "endpoint"]
        # The first of two, with a security group and many services, gets the remaining width.
        whole = columns.frame_end - columns.frame
        rooms = [whole - ACROSS - GAP, ACROSS] if len(endpoints) == 2 else [whole]
        lefts = [columns.frame, columns.frame + rooms[0] + GAP]
        self.y += GAP
        self._columns([(left, room, box) for left, room, box in zip(lefts, rooms, endpoints, strict=False)])

    def _eks(self, eks: Box) -> None:
        columns, top = self.columns, self.y
        self.y += HEAD
        for nodes in [box for box in eks.boxes if box.kind == "nodes"]:
            self._nodes(nodes)
        for box in [box for box in eks.boxes if box.kind == "control_plane"]:
            self.y += BETWEEN
            room = columns.end + 16 - (columns.frame + 16)
            self.scene.frames.append(leaf(box, Area(columns.frame + 16, self.y, room, height(box, room))))
            self.y += height(box, room)
        self.y += 16
        self._outer(eks, columns.frame, columns.frame_end, top, room=columns.titles)

    def _nodes(self, nodes: Box) -> None:
        """Left, the parts that every request passes; right, the systems above the nodes of each zone."""
        columns, top = self.columns, self.y
        start = self.y = self.y + HEAD
        shared = [box for box in nodes.boxes if box.kind in ("kong", "platform")]
        self._columns([(columns.across, float(ACROSS), box) for box in shared])
        left, self.y = self.y, start
        for systems in [box for box in nodes.boxes if box.kind == "systems"]:
            inside = Area(columns.first + PAD, start + HEAD, columns.end - columns.first - 2 * PAD, 0)
            self.y = grid(self.scene, systems.boxes, inside, 270) + PAD
            self._outer(systems, columns.first, columns.end, start)
            self.y += GAP
        zoned = [
            (columns.zones[box.zone], columns.zone, box) for box in nodes.boxes if box.zone in columns.zones
        ]
        self._columns(zoned)
        self.y = max(left, self.y) + 16
        self._outer(nodes, columns.frame + 16, columns.end + 16, top, room=columns.titles - 16)

    def _database(self, boxes: list[Box]) -> None:
        for engine in boxes:
            self._engine(engine)
            self.y += 14
        self.y -= 14

    def _engine(self, engine: Box) -> None:
        """Left, the parts that span all zones; instances are in the column of their zone."""
        columns, top = self.columns, self.y
        self.y += PAD
        main = engine.boxes[0]
        ends = [self.y + height(main, ACROSS)]
        self.scene.frames.append(leaf(main, Area(columns.across, self.y, ACROSS, height(main, ACROSS))))
        for zone, left in columns.zones.items():
            mine = [box for box in engine.boxes[1:] if box.zone == zone]
            ends.append(grid(self.scene, mine, Area(left, self.y, columns.zone, 0), INSTANCE, 12))
        self.y = max(ends) + PAD
        untitled = replace(engine, title="")
        self._outer(untitled, columns.frame, columns.frame_end, top)

    def _regional(self, top: float) -> float:
        columns, after = self.columns, self.y
        self.y = top + HEAD + 6
        room = REGIONAL - 2 * PAD
        self._columns([(columns.regional + PAD, room, box) for box in self.picture.regional.boxes])
        self.y += PAD
        self._outer(self.picture.regional, columns.regional, columns.regional + REGIONAL, top)
        end, self.y = self.y, after
        return end

    def _spread(self, band: Box, x: float) -> None:
        """A band over the whole width, with its boxes side by side."""
        top, end = self.y, self.columns.aws_end - (x - MARGIN)
        inside = Area(x + PAD, top + HEAD, end - x - 2 * PAD, 0)
        pipeline = band.kind == "pipeline"
        self.y = grid(self.scene, band.boxes, inside, 300, 60 if pipeline else GAP) + PAD
        self._outer(band, x, end, top)
