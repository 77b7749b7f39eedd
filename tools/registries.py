"""Asks registries for versions and their dates. Needs no credentials.

Each function of ASKED takes a name in the registry, and yields versions with the day of their release, or
None if the registry does not have it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

SECONDS = 15
ROOT = Path(__file__).resolve().parent.parent
SIMPLE = "application/vnd.pypi.simple.v1+json"
GITHUB = "api.github.com"
Version = tuple[str, date | None]


class Unreachable(Exception):
    """Why a registry did not answer."""


def get(address: str, **headers: str) -> bytes:
    """The response of an address. Raises Unreachable, whose text has no credentials of the address."""
    parts = urllib.parse.urlsplit(address)
    if parts.username:
        pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    elif parts.hostname == GITHUB and (token := os.environ.get("GH_TOKEN")):
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(
        parts.geturl(), headers={"User-Agent": "tierra", **{k: v for k, v in headers.items() if v}}
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as reply:
            return bytes(reply.read())
    except urllib.error.HTTPError as error:
        if error.code == 401 and "Authorization" not in headers and (token := _token(error)):
            return get(address, Authorization=f"Bearer {token}", **headers)
        raise Unreachable(f"{parts.hostname} answers {error.code}") from None
    except (OSError, ValueError) as error:
        raise Unreachable(f"{parts.hostname}: {getattr(error, 'reason', error)}") from None


def _token(error: urllib.error.HTTPError) -> str:
    """An anonymous token from the server that an image registry names."""
    asked = dict(re.findall(r'(\w+)="([^"]*)"', error.headers.get("WWW-Authenticate", "")))
    if "realm" not in asked:
        return ""
    query = urllib.parse.urlencode({key: asked[key] for key in ("service", "scope") if key in asked})
    return str(json.loads(get(f"{asked['realm']}?{query}", Authorization="")).get("token", ""))


def read(address: str, **headers: str) -> Any:
    try:
        return json.loads(get(address, **headers))
    except ValueError:
        raise Unreachable(f"{urllib.parse.urlsplit(address).hostname} answers no JSON") from None


def day(text: object) -> date | None:
    return date.fromisoformat(str(text)[:10]) if text else None


def github(name: str) -> Iterator[Version]:
    """Releases of owner/repository."""
    for release in read(f"https://{GITHUB}/repos/{name}/releases?per_page=100"):
        if not release.get("prerelease") and not release.get("draft"):
            yield release["tag_name"], day(release.get("published_at"))


def terraform(name: str) -> Iterator[Version]:
    """Versions of a provider. The registry has the day of each version separately; only that of the newest is
    requested."""
    provider = read(f"https://registry.terraform.io/v1/providers/{name}")
    for version in provider.get("versions", []):
        yield version, day(provider["published_at"]) if version == provider["version"] else None


def released(registry: str, name: str, version: str) -> date | None:
    """The day of one version, from registries with a separate address for it."""
    if registry != "terraform":
        return None
    return day(read(f"https://registry.terraform.io/v1/providers/{name}/{version}").get("published_at"))


def opentofu(name: str) -> Iterator[Version]:
    for release in read(f"https://registry.opentofu.org/v1/providers/{name}/versions")["versions"]:
        yield release["version"], None


def helm(name: str) -> Iterator[Version]:
    """Versions of a chart, by the address of its repository and its name: `https://… name`."""
    repository, chart = name.split()
    for entry in charts(repository).get(chart, []):
        yield str(entry["version"]), day(entry.get("created"))


@cache
def charts(repository: str) -> dict[str, Any]:
    text = get(f"{repository}/index.yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return dict((yaml.load(text, Loader=loader) or {}).get("entries", {}))


def image(name: str) -> Iterator[Version]:
    """Tags of an image: registry/name. No registry has the day of a tag."""
    host, _, path = name.partition("/")
    host = "registry-1.docker.io" if host == "docker.io" else host
    for tag in read(f"https://{host}/v2/{path}/tags/list").get("tags") or []:
        yield tag, None


def python(name: str) -> Iterator[Version]:
    """Releases of a package, from the index of pip's configuration, each with the day of its first file."""
    project = read(f"{index()}/{name}/", Accept=SIMPLE)
    days: dict[str, date | None] = dict.fromkeys(project.get("versions", []))
    for file in project.get("files", []):
        release = re.match(r"[^-]+-([^-]+?)(?:-|\.tar\.gz|\.zip|\.whl)", file["filename"])
        uploaded = day(file.get("upload-time"))
        if release and not file.get("yanked") and uploaded:
            before = days.get(release[1])
            days[release[1]] = min(before, uploaded) if before else uploaded
    yield from days.items()


@cache
def index() -> str:
    """The address of the package index that pip uses."""
    if address := os.environ.get("PIP_INDEX_URL"):
        return address.rstrip("/")
    for key in ("global.index-url", "install.index-url"):
        configured = subprocess.run(
            [sys.executable, "-m", "pip", "config", "get", key], capture_output=True, text=True, check=False
        )
        if configured.returncode == 0:
            return configured.stdout.strip().rstrip("/")
    from pip._internal.models.index import PyPI

    return str(PyPI.simple_url)


def npm(name: str) -> Iterator[Version]:
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    program = shutil.which("npm", path=path)
    if not program:
        raise Unreachable("npm, which knows its registry, is not on PATH")
    configured = subprocess.run(
        [program, "config", "get", "registry"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if not (registry := configured.stdout.strip().rstrip("/")):
        raise Unreachable("npm names no registry; try npm config get registry")
    package = read(f"{registry}/{urllib.parse.quote(name, safe='@')}")
    for version in package.get("versions", {}):
        yield version, day(package.get("time", {}).get(version))


def grafana(name: str) -> Iterator[Version]:
    for release in read(f"https://grafana.com/api/plugins/{name}/versions").get("items", []):
        yield release["version"], day(release.get("createdAt"))


def endoflife(name: str) -> Iterator[Version]:
    """Versions of a service that AWS offers, from endoflife.date, which copies the calendars of AWS."""
    for cycle in read(f"https://endoflife.date/api/{name}.json"):
        yield str(cycle["cycle"]), day(cycle.get("releaseDate"))


ASKED: dict[str, Callable[[str], Iterator[Version]]] = {
    "github": github,
    "terraform": terraform,
    "opentofu": opentofu,
    "helm": helm,
    "image": image,
    "python": python,
    "npm": npm,
    "grafana": grafana,
    "endoflife": endoflife,
}
