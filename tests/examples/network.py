"""The network of a drive in a separate namespace: addresses of stores, names, and a route to each pod."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

AGENT = "169.254.170.23"  # of EKS Pod Identity, on every node
HERE = "10.20.0.1"
STORES = {
    "postgres.example.com": "10.20.224.10",
    "replica-1.example.com": "10.20.225.10",
    "replica-2.example.com": "10.20.226.10",
    "redis.example.com": "10.20.224.11",
    "redis-reader.example.com": "10.20.225.11",
    "documentdb.example.com": "10.20.224.12",
    "documentdb-reader.example.com": "10.20.225.12",
    "aws.example.com": "10.20.224.13",
    "collector.observability.svc.cluster.local": "10.20.224.14",
}
HOSTS = "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in STORES.items())


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def begin() -> None:
    ip("link", "set", "lo", "up")
    for address in (AGENT, HERE, *STORES.values()):
        ip("address", "add", f"{address}/32", "dev", "lo")


def connect(process: int, number: int) -> str:
    """Connects the pod with this first process to the network and returns its address."""
    own = os.readlink("/proc/self/ns/net")
    for _ in range(500):
        if os.readlink(f"/proc/{process}/ns/net") != own:
            break
        time.sleep(0.01)
    address, link = f"10.20.1.{number}", f"pod{number}"
    ip("link", "add", "name", link, "type", "veth", "peer", "name", "eth0", "netns", str(process))
    ip("link", "set", link, "up")
    ip("route", "add", f"{address}/32", "dev", link, "src", HERE)
    inside = ["nsenter", "--target", str(process), "--net", "ip"]
    for each in (
        "link set lo up",
        f"address add {address}/32 dev eth0",
        "link set eth0 up",
        f"route add {HERE}/32 dev eth0",
        f"route add default via {HERE}",
    ):
        subprocess.run([*inside, *each.split()], check=True)
    return address


def certificates(folder: Path) -> tuple[Path, Path, Path]:
    """Certificate authority, certificate of all stores, and its key."""
    authority, certificate, key = (folder / name for name in ("ca.pem", "server.pem", "server.key"))
    names = ",".join(f"DNS:{name}" for name in STORES)
    common = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run(
        [*common, "-subj", "/CN=drive", "-keyout", folder / "ca.key", "-out", authority],
        check=True,
        capture_output=True,
    )
    subprocess.run(
        [
            *common,
            *("-subj", "/CN=stores", "-addext", f"subjectAltName={names}"),
            *("-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", certificate),
            *("-CA", authority, "-CAkey", folder / "ca.key"),
        ],
        check=True,
        capture_output=True,
    )
    key.chmod(0o600)
    return authority, certificate, key
