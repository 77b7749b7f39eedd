"""The report as a page: Markdown for a pull request, HTML for a browser and for print."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tierra.report.findings import SUBJECTS
from tierra.report.folding import folded
from tierra.report.terminal import forecasts, spent, tone, when
from tierra.report.title import REHEARSAL

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "report"
# GitHub refuses a comment of more than 65,536 characters; two environments share one.
LONGEST = 32_000  # bytes: every character has at least one
# From full detail to little more than counts: the numbers of values of a resource, lines of a finding,
# findings of a
# subject, addresses of a kind and lines of the spec's diff that are shown. The first depth that fits is used.
DEPTHS = (
    (200, 200, 1000, 1000, 200),
    (20, 20, 200, 1000, 200),
    (6, 8, 60, 1000, 100),
    (0, 4, 30, 1000, 60),
    (0, 1, 20, 1000, 30),
    (0, 1, 10, 60, 20),
    (0, 0, 5, 8, 10),
    (0, 0, 3, 0, 0),
)
VERBS = {
    "create": "create",
    "update": "update in place",
    "replace": "replace",
    "delete": "destroy",
    "forget": "forget, and leave in AWS",
    "import": "import",
    "move": "move",
}


def model(report: dict[str, Any]) -> dict[str, Any]:
    """The report, grouped for a page."""
    names = ("add", "change", "destroy")
    return {
        "report": report,
        "title": report["title"],
        "rehearsed": report["title"]["target"] == REHEARSAL,
        "facts": facts(report["title"]),
        "cost": report.get("cost", {}),
        "priced": any("cost" in tier_ for tier_ in report["tiers"].values()),
        "tone": tone(report["verdict_line"]),
        "forecasts": forecasts(report["tiers"]),
        "sums": {name: sum(tier_[name] for tier_ in report["tiers"].values()) for name in names},
        "subjects": [
            {
                "key": key,
                "title": title,
                "count": len(findings),
                "critical": any(finding["critical"] for finding in findings),
                "changed": folded(
                    [finding for finding in findings if finding["action"] != "create" or finding["critical"]]
                ),
                "new": [
                    finding
                    for finding in findings
                    if finding["action"] == "create" and not finding["critical"]
                ],
            }
            for key, title in SUBJECTS.items()
            if (findings := [finding for finding in report["findings"] if finding["subject"] == key])
        ],
        "absent": [
            title
            for key, title in SUBJECTS.items()
            if key not in {finding["subject"] for finding in report["findings"]}
        ],
        "tiers": [
            {
                "name": tier,
                "counts": count,
                "actions": _actions(
                    [resource for resource in report["resources"] if resource["tier"] == tier]
                ),
                "outputs": report["outputs"].get(tier, []),
                "seal": report["plans"].get(tier, {}),
            }
            for tier, count in report["tiers"].items()
        ],
    }


def facts(title: dict[str, Any]) -> list[tuple[str, str]]:
    """The head of the report, as names and values; unknown ones are left out."""
    spec = title["spec"]
    state = {True: "edited since ", False: "as in ", None: ""}[spec["edited"]]
    rows = [
        ("account", title["account"]),
        ("region", title["region"]),
        ("target", title["target"]),
        ("planned", when(title["made"])),
        ("spec", f"{spec['path']}, {state}{spec['commit']}" if spec["commit"] else spec["path"]),
        ("terraform", title["terraform"]),
        *title["providers"].items(),
        ("Tierra", title["tierra"]),
    ]
    return [(name, value) for name, value in rows if value]


def _actions(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The resources of a tier by action, and by kind."""
    rows = []
    for action, group in groupby(resources, lambda resource: resource["action"]):
        kinds = [
            {"type": kind, "resources": list(alike)}
            for kind, alike in groupby(
                sorted(group, key=lambda resource: (resource["type"], resource["address"])),
                lambda resource: resource["type"],
            )
        ]
        rows.append(
            {
                "action": action,
                "verb": VERBS[action],
                "kinds": kinds,
                "count": sum(len(kind_["resources"]) for kind_ in kinds),
            }
        )
    return rows


def html(report: dict[str, Any]) -> str:
    """One self-contained file; every value is escaped."""
    return _environment(escape=True).get_template("report.html").render(model(report))


def markdown(report: dict[str, Any], longest: int = LONGEST) -> str:
    """As much detail as fits; the rest is only counted. Values are code, in which GitHub interprets neither
    HTML nor mentions."""
    template = _environment(escape=False).get_template("report.md")
    shown = model(report)
    text = ""
    for depth in DEPTHS:
        values, lines, findings, addresses, edits = depth
        text = template.render(
            shown,
            values=values,
            lines=lines,
            found=findings,
            addresses=addresses,
            edits=edits,
            whole=depth is DEPTHS[0],
        )
        if len(text.encode()) <= longest:
            return text
    note = "\n\n… cut: the rest is in `report.html`.\n"
    shortened = text.encode()[: longest - len(note.encode())].decode(errors="ignore")
    return shortened.rpartition("\n")[0] + note


def code(value: object) -> str:
    """A value as code in Markdown: marked by more backticks than it has in a row."""
    text = str(value)
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    room = " " if len(fence) > 1 else ""
    return f"{fence}{room}{text}{room}{fence}"


def fenced(text: str) -> str:
    """Lines as a block of Markdown, fenced by more backticks than they have in a row."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}diff\n{text}\n{fence}"


def _environment(*, escape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"code": code, "fenced": fenced, "spent": spent}
    return environment
