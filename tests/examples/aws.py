"""Stand-ins for AWS: the agent of EKS Pod Identity, S3 and Secrets Manager (moto), the collector.

The collector accepts only traces, as protobuf over HTTP, as with the values of the platform.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.examples import network

REGION = "us-east-1"
S3 = f"http://{network.STORES['aws.example.com']}:5000"


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(address: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
    server = ThreadingHTTPServer((address, port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()


class Identity:
    """Returns new credentials for each request that has the token of the pod."""

    def __init__(self, token: Path) -> None:
        self.known: dict[str, tuple[str, str]] = {}  # access key: secret key, session token
        token.write_text(secrets.token_hex(16))
        identity, expected = self, token.read_text()

        class Agent(Quiet):
            def do_GET(self) -> None:
                if self.path != "/v1/credentials" or self.headers["Authorization"] != expected:
                    self.answer(400, b"{}")
                    return
                key, secret, session = (
                    "ASIA" + secrets.token_hex(8).upper(),
                    secrets.token_hex(20),
                    secrets.token_hex(64),
                )
                identity.known[key] = secret, session
                until = datetime.now(UTC) + timedelta(hours=6)
                body = {
                    "AccessKeyId": key,
                    "SecretAccessKey": secret,
                    "Token": session,
                    "AccountId": "123456789012",
                    "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
                self.answer(200, json.dumps(body).encode())

        serve(network.AGENT, 80, Agent)


class Collector:
    """Received spans by the name of the service."""

    def __init__(self) -> None:
        self.spans: dict[str, list[Any]] = {}
        self.refused: list[str] = []
        collector = self

        class Receiver(Quiet):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kind = self.headers["Content-Type"]
                if self.path != "/v1/traces" or kind != "application/x-protobuf":
                    collector.refused.append(f"{self.path} {kind}")
                    self.answer(404 if kind == "application/x-protobuf" else 415)
                    return
                if self.headers["Content-Encoding"] == "gzip":
                    import gzip

                    body = gzip.decompress(body)
                for each in ExportTraceServiceRequest.FromString(body).resource_spans:
                    words = {word.key: word.value.string_value for word in each.resource.attributes}
                    spans = collector.spans.setdefault(words.get("service.name", "?"), [])
                    spans += [span for scope in each.scope_spans for span in scope.spans]
                self.answer(200, b"", "application/x-protobuf")

        serve(network.STORES["collector.observability.svc.cluster.local"], 4318, Receiver)


def moto(log: Path) -> Any:
    """Starts moto and returns a function that creates clients."""
    host, port = S3.removeprefix("http://").split(":")
    subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", host, "-p", port],
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
    )
    import boto3

    def client(name: str) -> Any:
        keys = {"aws_access_key_id": "it", "aws_secret_access_key": "it"}
        return boto3.client(name, region_name=REGION, endpoint_url=S3, **keys)

    for _ in range(150):
        try:
            client("s3").list_buckets()
            return client
        except Exception:
            time.sleep(0.2)
    raise RuntimeError(f"moto does not start: {log}")
