"""The last lines of a command: the result, and the next step."""

from __future__ import annotations

from collections.abc import Iterator

from tierra.report import report, terminal
from tierra.report.findings import FORBIDS, REFUSES
from tierra.run import approve, destroy, gate, order, upstream, waits
from tierra.run.apply import finish, glance
from tierra.run.board import Board
from tierra.run.workspace import Workspace


def planned(workspace: Workspace) -> int:
    """Prints the first screen of the report and writes its pages. With DETAILED=yes returns 2 if something
    changes, like terraform's exit code."""
    Board(workspace.out).close()
    refused = [*order.findings(workspace), *gate.findings(workspace.tiers())]
    approve.keep(workspace)
    result = report.publish(workspace.out, workspace.selected, workspace.environment, refused)
    terminal.show(result, f"{workspace.out}/report.html", below=1)
    for tier in workspace.tiers():
        for line in waits.lines(tier):
            print(line)
    if result["verdict"] == report.NOTHING:
        return 0
    if result["verdict_line"] not in (REFUSES, FORBIDS):
        print(f"Next: {workspace.command('apply', _named(workspace))}")
    return 2 if workspace.detailed else 0


def validated(workspace: Workspace) -> None:
    """Removes the table."""
    Board(workspace.out).close()


def destroyed(workspace: Workspace) -> None:
    """Prints what was destroyed. The table stays, because it has the counts."""
    Board(workspace.out).close(keep=True)
    names = ", ".join(tier.name for tier in destroy.destroyed(workspace))
    print(f"destroy: nothing is left of {workspace.environment} ({names})")


def applied(workspace: Workspace) -> None:
    """Removes the resources that were held back; prints what was applied, which tiers wait, and the addresses
    of the platform. The table stays, because it has the counts."""
    finish(workspace)
    Board(workspace.out).close(keep=True)
    states = {tier.name: glance(tier) for tier in workspace.tiers(workspace.order)}
    print("\n".join(_applied(workspace, states)))


def _applied(workspace: Workspace, states: dict[str, str]) -> Iterator[str]:
    waiting = {
        tier.name: outdated
        for tier in workspace.tiers(workspace.order)
        if (outdated := upstream.stale(tier, states[tier.name]))
    }
    names = ", ".join(workspace.selected)
    if waiting:
        yield f"apply: {workspace.environment}: applied {names}"
        for name, values in waiting.items():
            yield f"  {name} still uses the old {', '.join(values[:3])}{' …' if len(values) > 3 else ''}"
        again = list(waiting)
        yield f"Next: {workspace.command('plan', again)}, then {workspace.command('apply', again)}"
        return
    whole = workspace.selected == workspace.order
    yield f"apply: {workspace.environment} is up to date" + ("" if whole else f" ({names})")
    if workspace.rehearsed:
        yield "This was a rehearsal: nothing was created in AWS"
        yield from wanted_records(workspace)
        yield f"Next: {workspace.command('plan', _named(workspace))}, which ends with No changes."
    else:
        yield from reached(workspace)


def reached(workspace: Workspace) -> Iterator[str]:
    """The addresses of the platform, as far as it exists."""
    domain = upstream.now(workspace.tier("edge")).get("domain")
    cluster = upstream.now(workspace.tier("compute")).get("cluster_name")
    yield from wanted_records(workspace)
    if domain:
        yield f"Platform:  https://{domain}"
    if cluster:
        region = workspace.facts["region"]
        role = workspace.facts.get("assume_role")
        as_role = f" --role-arn {role}" if role else ""
        yield f"Cluster:   aws eks update-kubeconfig --region {region} --name {cluster}{as_role}"
        if workspace.facts["grafana"] and upstream.now(workspace.tier("observability")):
            yield "Grafana:   kubectl -n grafana port-forward svc/grafana 3000:80, then http://localhost:3000"


def wanted_records(workspace: Workspace) -> Iterator[str]:
    """The records that the operator must create if the names are not in Route 53. A CNAME is not allowed at
    the top of a zone (RFC 1034, 3.6.2)."""
    edge = upstream.now(workspace.tier("edge"))
    for host, target in edge.get("dns_records", {}).items():
        yield f"Record:    {host} CNAME {target} (an alias record if {host} is a separate zone)"


def _named(workspace: Workspace) -> list[str]:
    return workspace.selected if workspace.selected != workspace.order else []
