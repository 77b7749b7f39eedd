"""Load balancer and Kong as systems see them: paths, headers, readiness, failover to another pod."""

from __future__ import annotations

import json
import secrets
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.examples.pod import Pod

CLIENT = "203.0.113.7"
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Gateway:
    """Sends requests to ready pods: a pod is not ready after three failed probes, as in Kubernetes."""

    path: str
    host: str
    port: int
    pods: list[Pod] = field(default_factory=list)
    turns: Any = field(default_factory=count)
    failed: Counter[str] = field(default_factory=Counter)
    stopped: bool = False

    def begin(self) -> None:
        threading.Thread(target=self._probe, daemon=True).start()

    def _probe(self) -> None:
        while not self.stopped:
            for pod in list(self.pods):
                fine = pod.probe("readinessProbe", self.port) == 200
                self.failed[pod.name] = 0 if fine else self.failed[pod.name] + 1
            time.sleep(0.5)

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        sampled: bool = False,
        trace: str = "",
    ) -> Answer:
        """An answer; 502 or 503 where a client would get one of Kong's.

        Source: Kong 3.9, kong/runloop/handler.lua (X-Forwarded-*, X-Real-IP) and its plugins correlation-id
        and opentelemetry; the ingress controller keeps the Host and, as the chart asks for, strips the path.
        """
        if not (path + "/").startswith(self.path + "/"):
            return 404, {}, b"no Route matched"
        given = {
            "Host": self.host,
            "Connection": "keep-alive",
            # The client sends the first value; the load balancer adds the second, Kong the third.
            "X-Forwarded-For": f"198.51.100.1, {CLIENT}, 10.20.192.9",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": self.host,
            "X-Forwarded-Port": "443",
            "X-Forwarded-Path": path,
            "X-Forwarded-Prefix": self.path,
            "X-Real-IP": CLIENT,
            "X-Request-ID": str(uuid.uuid4()),
            "X-Amzn-Trace-Id": "Root=1-6569c3a5-0123456789abcdef01234567",
            "traceparent": f"00-{trace or secrets.token_hex(16)}-{secrets.token_hex(8)}-0{int(sampled)}",
            **(headers or {}),
        }
        for _ in range(6):
            ready = [pod for pod in self.pods if self.failed[pod.name] < 3]
            if not ready:
                return 503, {}, b"failure to get a peer from the ring-balancer"
            pod = ready[next(self.turns) % len(ready)]
            try:
                return pod.ask(self.port, method, path.removeprefix(self.path) or "/", body, given)
            except (ConnectionRefusedError, TimeoutError):
                continue  # nothing was sent yet
            except OSError as error:
                return 502, {}, str(error).encode()
        return 502, {}, b"no pod takes a connection"


class Load:
    """Clients that place orders, and send each again with its Idempotency-Key until it is acknowledged."""

    def __init__(self, gateway: Gateway, clients: int = 3) -> None:
        self.gateway = gateway
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.answers: Counter[int] = Counter()
        self.longest = 0.0
        self.wrong: list[str] = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients)]

    def begin(self) -> None:
        for each in self.threads:
            each.start()

    def end(self) -> None:
        self.stop.set()
        for each in self.threads:
            each.join(60)

    def _client(self) -> None:
        while not self.stop.is_set():
            self.place()
            time.sleep(0.3)

    def place(self) -> str:
        """Places one order, with as many retries as necessary."""
        number = str(uuid.uuid4())
        order = {"item": f"chair {number[:8]}", "quantity": 1 + int(number[:2], 16) % 9}
        headers = {"Content-Type": "application/json", "Idempotency-Key": number}
        begun = time.monotonic()
        while True:
            status, _, body = self.gateway.send(
                "POST", f"{self.gateway.path}/orders", json.dumps(order).encode(), headers
            )
            self.answers[status] += 1
            if status == 201:
                self.acknowledged[number] = order
                break
            if status < 500:
                self.wrong.append(f"{status} {body[:200]!r}")
                break
            time.sleep(0.2)
            if self.stop.is_set() and time.monotonic() - begun > 30:
                break
        self.longest = max(self.longest, time.monotonic() - begun)
        return number
