"""A pod as Kubernetes runs it: user 10001, read-only file system, separate address, process 1."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any

from tests.examples import network
from tests.examples.release import Container

NUMBERS = count(2)
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/nsswitch.conf", "/etc/ssl")
# As in images, which have no name for the user 10001.
SCRATCH = "/" + "tmp"
USERS = "root:x:0:0::/:/bin/sh\nserver:x:999:999::/:/bin/sh\n"


@dataclass(frozen=True)
class Image:
    """The settings of the Dockerfile of an example, and the folder with its packages on this machine."""

    folder: Path
    command: list[str]
    env: dict[str, str]
    installed: Path  # a virtual environment, or a folder with the program

    @staticmethod
    def of(folder: Path, installed: Path) -> Image:
        text = (folder / "Dockerfile").read_text(encoding="utf-8")
        env = dict(
            pair.split("=", 1) for line in re.findall(r"^ENV (.+)$", text, re.M) for pair in shlex.split(line)
        )
        return Image(folder, json.loads(re.findall(r"^CMD (\[.+\])$", text, re.M)[-1]), env, installed)


@dataclass
class Confined:
    """How programs are confined: bubblewrap, and the folder of this drive."""

    bwrap: Path
    scratch: Path
    surroundings: dict[str, str]  # variables that EKS adds to every pod, addresses of the stand-ins
    token: Path
    authority: Path
    logs: Path

    def arguments(self, name: str, user: int) -> list[str]:
        hosts, users = self.scratch / "hosts", self.scratch / "users"
        hosts.write_text(network.HOSTS)
        users.write_text(USERS)
        options = ["--unshare-user", "--uid", str(user), "--gid", str(user), "--unshare-pid", "--unshare-ipc"]
        options += ["--unshare-uts", "--hostname", name, "--as-pid-1", "--die-with-parent", "--clearenv"]
        for path in SYSTEM:
            if os.path.islink(path):
                options += ["--symlink", os.readlink(path), path]
            elif os.path.exists(path):
                options += ["--ro-bind", path, path]
        options += ["--ro-bind", sys.base_prefix, sys.base_prefix]
        return [
            *options,
            "--ro-bind",
            str(hosts),
            "/etc/hosts",
            "--ro-bind",
            str(users),
            "/etc/passwd",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
        ]


@dataclass
class Pod:
    name: str
    container: Container
    image: Image
    confined: Confined
    address: str = ""
    process: subprocess.Popen[bytes] | None = None
    first: int = 0
    env: dict[str, str] = field(default_factory=dict)

    def start(self, command: list[str] | None = None) -> Pod:
        log = os.open(self.confined.logs / f"{self.name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        info, tell = os.pipe()
        self.process = subprocess.Popen(
            [
                "unshare",
                "--net",
                "--",
                "sh",
                "-c",
                'read -r _; exec "$@"',
                "sh",
                *self._command(tell, command),
            ],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[tell],
        )
        os.close(tell)
        os.close(log)
        self.address = network.connect(self.process.pid, next(NUMBERS))
        stdin: IO[bytes] = self.process.stdin  # type: ignore[assignment]
        stdin.write(b"\n")
        stdin.close()
        with os.fdopen(info) as answer:
            self.first = json.loads(answer.read())["child-pid"]
        return self

    def _command(self, tell: int, command: list[str] | None) -> list[str]:
        image, files = self.image, self.confined.scratch / f"files-{self.name}"
        files.mkdir(exist_ok=True)
        options = [
            str(self.confined.bwrap),
            *self.confined.arguments(self.name, 10001),
            "--info-fd",
            str(tell),
        ]
        built = (image.installed / "app").exists()
        options += ["--tmpfs", SCRATCH, "--ro-bind", str(image.installed if built else image.folder), "/srv"]
        options += ["--ro-bind", str(image.installed), str(image.installed)]
        for path, text in self.container.files.items():
            (files / Path(path).name).write_text(text)
            options += ["--ro-bind", str(files / Path(path).name), path]
        options += ["--ro-bind", str(self.confined.token), "/var/run/secrets/token"]
        options += ["--ro-bind", str(self.confined.authority), "/etc/trusted.pem"]
        path = f"{image.installed}/bin:{image.installed}:/usr/bin:/bin"
        env = {"PATH": path, "HOME": "/", "HOSTNAME": self.name, **image.env, **self.confined.surroundings}
        for name, value in {**env, **self.container.env}.items():
            options += ["--setenv", name, value]
        return [
            *options,
            "--chdir",
            "/srv",
            "--remount-ro",
            "/",
            "--",
            *(command or self.container.command or image.command),
        ]

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ended(self, seconds: float) -> int:
        """Its exit code. Raises TimeoutExpired."""
        assert self.process
        return self.process.wait(seconds)

    def terminate(self) -> None:
        os.kill(self.first, signal.SIGTERM)

    def kill(self) -> None:
        if self.alive():
            os.kill(self.first, signal.SIGKILL)
            self.ended(10)

    def log(self) -> list[dict[str, Any]]:
        """The lines of its log. Raises ValueError for a line that is not JSON."""
        entries = []
        for line in (self.confined.logs / f"{self.name}.log").read_text().splitlines():
            if line.startswith("worker: ") or not line:
                continue  # Celery prints that it stops by itself
            try:
                entries.append(json.loads(line))
            except ValueError:
                raise ValueError(f"{self.name} writes a line that is no JSON: {line[:300]}") from None
        return entries

    def ask(
        self,
        port: int,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        timeout: float = 30,
    ) -> tuple[int, dict[str, str], bytes]:
        """One request to the pod, on a new connection. Raises OSError."""
        connection = http.client.HTTPConnection(self.address, port, timeout=timeout)
        try:
            connection.request(method, path, body or None, headers or {})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()

    def probe(self, kind: str, port: int) -> int:
        """The status of a probe of the chart, as the kubelet sees it; 0 without an answer in time."""
        probe = self.container.probes[kind]
        get = probe["httpGet"]
        headers = {each["name"]: each["value"] for each in get.get("httpHeaders", ())}
        headers = {
            "Host": f"{self.address}:{port}",
            "User-Agent": "kube-probe/1.36",
            "Connection": "close",
            **headers,
        }
        try:
            return self.ask(
                port, "GET", get["path"], headers=headers, timeout=probe.get("timeoutSeconds", 1)
            )[0]
        except OSError:
            return 0

    def ready(self, port: int, seconds: float = 60) -> None:
        """Waits until the pod is ready. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.alive():
                break
            if self.probe("readinessProbe", port) == 200:
                return
            time.sleep(0.2)
        tail = (self.confined.logs / f"{self.name}.log").read_text()[-3000:]
        raise TimeoutError(f"{self.name} is not ready after {seconds:.0f} s; its log ends with:\n{tail}")
