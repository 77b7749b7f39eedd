"""The legend below the drawing: the signs, and a summary of the saved plans."""

from __future__ import annotations

from tierra.diagram.graph import Mark, Picture
from tierra.diagram.scene import Area, Point, Scene, Text
from tierra.diagram.text import width

SIZE = 15
STEP = 32

# Words beside the sign of a mark, which is too small to be read from a distance.
SIGNS = ("line", "pipeline", "pod", "burst")
WORDS = {
    "line": "may open connections to these ports (security groups)",
    "pipeline": "next step of the pipeline",
    "pod": "pod or node that always runs",
    "burst": "more under load",
    **{mark.value: f"{mark.value} by the plan" for mark in Mark},
    Mark.ADDED.value: "added by the plan (+3: three resources)",
    "forecast": "forecast: white, dashed sign; planned for real once the tiers before it are applied",
}


def legend(scene: Scene, picture: Picture, area: Area) -> float:
    """Rows of signs with their words, then a word on each tier's plan. Returns the lower end."""
    signs = [*SIGNS, *(mark.value for mark in Mark if picture.plans)]
    signs += ["forecast"] if any(plan.forecast for plan in picture.plans) else []
    point = Point(area.x, area.y)
    for sign in signs:
        room = 64 + width(WORDS[sign], SIZE) + 28
        if point.x + room > area.right and point.x > area.x:
            point = Point(area.x, point.y + STEP)
        scene.keys.append((sign, point))
        scene.texts.append(Text(point.x + 60, point.y + 5, WORDS[sign], SIZE))
        point = Point(point.x + room, point.y)
    return _plans(scene, picture, area, point.y) if picture.plans else point.y


def _plans(scene: Scene, picture: Picture, area: Area, y: float) -> float:
    """Counts all resources, including those without a box."""
    y += STEP + 8
    heading = "All that the saved plans do:"
    scene.texts.append(Text(area.x, y, heading, SIZE, bold=True))
    x = area.x + width(heading, SIZE, bold=True) + 24
    for plan in picture.plans:
        counts = " ".join(f"{mark.sign}{count}" for mark, count in plan.marks) or "no changes"
        words = f"{plan.tier} {counts}" + (" (forecast)" if plan.forecast else "")
        room = width(words, SIZE) + 28
        if x + room > area.right and x > area.x:
            x, y = area.x, y + STEP - 6
        scene.texts.append(Text(x, y, words, SIZE))
        x += room
    return y
