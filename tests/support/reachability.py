"""Whether one place of the platform can open a TCP connection to another, and if not, which rules refuse it.

Four kinds of rules are checked: network policies of pods, security groups, routes, and access lists of
subnets (which are stateless, so replies are checked, too). All are read from the generated Terraform of the
network and from the charts, rendered by helm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from conftest import Root

from modules.network.ranges import PRIVATE
from support.rendering import Objects

# Source ports of connections, to which replies are sent: Linux (net.ipv4.ip_local_port_range) and
# Windows within 32768 to 65535, NAT gateways from 1024 up (Amazon VPC user guide, "NAT gateway basics").
EPHEMERAL = (32768, 49152, 60999)
NAT_EPHEMERAL = (1024, 3388, 3390, 32768, 65535)


@dataclass(frozen=True)
class Place:
    """An end of a connection. `subnet` is public, private or database; outside the VPC it is empty, and so
    is `group`. `labels` and `namespace` are those of a pod."""

    address: IPv4Address
    subnet: str = ""
    group: str = ""
    namespace: str = ""
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Platform:
    """The generated rules of all four kinds."""

    network: Root
    charts: tuple[Objects, ...]

    def refusal(self, source: Place, target: Place, port: int) -> str:
        """The first kind of rules that refuses the connection, or "" if it is possible."""
        asked = f"{target.address}:{port}"
        checks = (
            (self._policies(source, target, port, "Egress"), "network policies allow egress of the pod"),
            (self._policies(target, source, port, "Ingress"), "network policies allow ingress of the pod"),
            (self._group(source, target, port, "egress"), f"security group {source.group} out to {asked}"),
            (self._group(target, source, port, "ingress"), f"security group {target.group} in at {port}"),
            (self._routed(source, target), f"route from {source.subnet or 'outside'} to {asked}"),
        )
        refused = next((f"no {wall}" for passes, wall in checks if not passes), "")
        return refused or next(self._lists(source, target, port), "")

    # --- network policies ---

    def _policies(self, pod: Place, remote: Place, port: int, way: str) -> bool:
        """Kubernetes: a pod that no policy of a direction selects is open in it; else one rule must match."""
        if not pod.namespace:
            return True
        chosen = [
            policy["spec"]
            for policy in self._objects("NetworkPolicy")
            if policy["metadata"]["namespace"] == pod.namespace
            and way in policy["spec"]["policyTypes"]
            and _selects(policy["spec"]["podSelector"], pod.labels)
        ]
        rules = [rule for spec in chosen for rule in spec.get(way.lower(), [])]
        side = "to" if way == "Egress" else "from"
        return not chosen or any(
            _port_matches(rule.get("ports"), port) and self._peers(rule.get(side), pod, remote)
            for rule in rules
        )

    def _peers(self, peers: list[dict[str, Any]] | None, pod: Place, remote: Place) -> bool:
        return peers is None or any(self._peer(peer, pod, remote) for peer in peers)

    def _peer(self, peer: dict[str, Any], pod: Place, remote: Place) -> bool:
        if "ipBlock" in peer:
            return remote.address in IPv4Network(peer["ipBlock"]["cidr"])
        if not remote.namespace:
            return False
        if "namespaceSelector" in peer:
            inside = _selects(peer["namespaceSelector"], self._namespace(remote.namespace))
        else:
            inside = remote.namespace == pod.namespace
        return inside and _selects(peer.get("podSelector", {}), remote.labels)

    def _namespace(self, name: str) -> dict[str, str]:
        written: dict[str, Any] = next(
            (each for each in self._objects("Namespace") if each["metadata"]["name"] == name),
            {"metadata": {}},
        )
        return {"kubernetes.io/metadata.name": name, **written["metadata"].get("labels", {})}

    def _objects(self, kind: str) -> Iterator[dict[str, Any]]:
        return (each for chart in self.charts for each in chart.values() if each["kind"] == kind)

    # --- security groups ---

    def _group(self, own: Place, remote: Place, port: int, way: str) -> bool:
        """Security groups are stateful, so only the request is checked."""
        if not own.group:
            return True
        rules = self.network.all(f"aws_vpc_security_group_{way}_rule").values()
        return any(
            _names(rule["security_group_id"], "aws_security_group", own.group)
            and (rule["ip_protocol"] == "-1" or rule["from_port"] <= port <= rule["to_port"])
            and (
                remote.address in IPv4Network(rule["cidr_ipv4"])
                if "cidr_ipv4" in rule
                else _names(rule["referenced_security_group_id"], "aws_security_group", remote.group)
            )
            for rule in rules
        )

    # --- routes ---

    def _routed(self, source: Place, target: Place) -> bool:
        """Within the VPC always; to and from the internet as tables say. The routes of private ranges beyond
        the VPC are the operator's, to private subnets."""
        inner, outer = (source, target) if source.subnet else (target, source)
        if outer.subnet:
            return True
        if _private(outer):
            return inner.subnet == "private"
        ways = self._ways_out(inner.subnet)
        return bool(ways & ({"gateway_id"} if outer is source else {"gateway_id", "nat_gateway_id"}))

    def _ways_out(self, subnet: str) -> set[str]:
        """The targets of the default routes of a kind of subnets."""
        ties = self.network.all("aws_route_table_association")
        tables = {tie["route_table_id"] for name, tie in ties.items() if name.startswith(f"{subnet}_")}
        return {
            way
            for route in self.network.all("aws_route").values()
            if route["route_table_id"] in tables and route["destination_cidr_block"] == "0.0.0.0/0"
            for way in ("gateway_id", "nat_gateway_id")
            if way in route
        }

    # --- access lists ---

    def _lists(self, source: Place, target: Place, port: int) -> Iterator[str]:
        """The request or reply that an access list refuses. Every place counts as in a separate
        subnet, because no list applies within one."""
        through_nat = source.subnet == "private" and not target.subnet and not _private(target)
        yield from self._crossing(source.subnet, source.address, target.address, port, EPHEMERAL, out=True)
        yield from self._crossing(target.subnet, target.address, source.address, port, EPHEMERAL, out=False)
        if through_nat:
            yield from self._crossing("public", source.address, source.address, port, EPHEMERAL, out=False)
            yield from self._crossing("public", source.address, target.address, port, NAT_EPHEMERAL, out=True)

    def _crossing(
        self,
        subnet: str,
        own: IPv4Address,
        remote: IPv4Address,
        port: int,
        answers: Iterable[int],
        *,
        out: bool,
    ) -> Iterator[str]:
        """Checks a connection that leaves (`out`) a subnet to `remote`, or enters it from there."""
        if not subnet:
            return
        way, back = ("out", "in") if out else ("in", "out")
        if not self._listed(subnet, remote, port, egress=out):
            yield f"access list {subnet}: {way} at port {port}, {remote}"
        for answer in answers:
            if not self._listed(subnet, remote, answer, egress=not out):
                yield f"access list {subnet}: answers {back} at port {answer}, {remote}"

    def _listed(self, subnet: str, remote: IPv4Address, port: int, *, egress: bool) -> bool:
        """The matching rule with the lowest number decides; without one the connection is refused."""
        rules = [
            rule
            for rule in self.network.all("aws_network_acl_rule").values()
            if _names(rule["network_acl_id"], "aws_network_acl", subnet)
            and rule["egress"] is egress
            and remote in IPv4Network(rule["cidr_block"])
            and (
                rule["protocol"] == "-1"
                or (rule["protocol"] == "tcp" and rule["from_port"] <= port <= rule["to_port"])
            )
        ]
        rules.sort(key=lambda rule: int(rule["rule_number"]))
        return bool(rules) and rules[0]["rule_action"] == "allow"


def _private(endpoint: Place) -> bool:
    return any(endpoint.address in block for block in PRIVATE)


def _names(reference: str, terraform_type: str, name: str) -> bool:
    return reference == f"${{{terraform_type}.{name}.id}}"


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    assert selector.keys() <= {"matchLabels"}, "expressions are not read here"
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def _port_matches(ports: list[dict[str, Any]] | None, port: int) -> bool:
    return ports is None or any(each["port"] == port and each["protocol"] == "TCP" for each in ports)
