"""The APIs of S3, STS, KMS and IAM on loopback (moto) for real terraform and boto3, with network faults.

Environment variables name an endpoint that does not exist and a proxy. The proxy forwards requests to moto,
or injects the fault that a test sets. The generated configuration is not changed for it.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from rehearsal.cloud import Cloud

ENDPOINT = "http://aws.example.com"
ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"

# The fault of a request, by method and path: None forwards it, "cut" drops the connection before the request
# arrives, "answer cut" drops it after the request is carried out.
Fault = Callable[[str, str], str | None]


class Aws:
    """A simulated account; `variables()` returns the environment variables that lead to it."""

    def __init__(self) -> None:
        # Most processes that import this module have no account, and loading moto takes a second.
        from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES
        from moto.server import ThreadedMotoServer

        for table in (INSTANCE_TYPES, INSTANCE_TYPE_OFFERINGS):
            table.clear()  # 100 MB, which no test needs
        self.moto = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self.moto.start()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.fault: Fault | None = None
        self.clouds: list[Path] = []
        self._copied: dict[Path, object] = {}
        self._copying = threading.Lock()
        handler = type("Handler", (_Handler,), {"aws": self})
        self.network = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.network.daemon_threads = True
        threading.Thread(target=self.network.serve_forever, daemon=True).start()
        self.proxy = f"http://127.0.0.1:{self.network.server_address[1]}"

    def stop(self) -> None:
        self.network.shutdown()
        self.network.server_close()
        self.moto.stop()

    @cache  # noqa: B019
    def client(self, service: str) -> Any:
        """A client that bypasses the proxy and its faults; kept, because a new one is expensive."""
        import boto3

        host, port = self.moto.get_host_and_port()
        return boto3.client(
            service,
            endpoint_url=f"http://{host}:{port}",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def reset(self) -> None:
        """Empties the account and removes the fault."""
        self.fault = None
        self.clouds.clear()
        self._copied.clear()
        connection = HTTPConnection(*self.moto.get_host_and_port())
        connection.request("POST", "/moto-api/reset")
        assert connection.getresponse().status == 200

    def variables(self, account: str = ACCOUNT) -> dict[str, str]:
        """The environment variables of an operator who is signed in to an account."""
        variables = {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_ENDPOINT_URL": ENDPOINT,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "2",
            "HTTP_PROXY": self.proxy,
            "NO_PROXY": "",
        }
        if account != ACCOUNT:
            arn = f"arn:aws:iam::{account}:role/operator"
            role = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="operator")["Credentials"]
            variables |= {
                "AWS_ACCESS_KEY_ID": role["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": role["SecretAccessKey"],
                "AWS_SESSION_TOKEN": role["SessionToken"],
            }
        return variables

    def copy_resources(self) -> None:
        """Copies what the state backend needs from `clouds`, the accounts of the embedded provider: buckets,
        policies, and keys with their aliases."""
        with self._copying:
            for cloud in self.clouds:
                if cloud.exists() and self._copied.get(cloud) != (version := _version(cloud)):
                    self._copy(Cloud(cloud))
                    self._copied[cloud] = version

    def _copy(self, account: Cloud) -> None:
        s3, kms, iam = self.client("s3"), self.client("kms"), self.client("iam")
        buckets = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
        for bucket in account.all("aws_s3_bucket"):
            if bucket["bucket"] not in buckets:
                s3.create_bucket(Bucket=bucket["bucket"])
        aliases = {alias["AliasName"] for alias in kms.list_aliases()["Aliases"]}
        for alias in account.all("aws_kms_alias"):
            if alias["name"] not in aliases:
                kms.create_alias(AliasName=alias["name"], TargetKeyId=self._key(alias["target_key_id"]))
        policies = {policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]}
        for policy in account.all("aws_iam_policy"):
            if policy["name"] not in policies:
                iam.create_policy(PolicyName=policy["name"], PolicyDocument=policy["policy"])

    def _key(self, id_: str) -> str:
        """Creates a key with the id that the embedded provider gave it. The API of KMS takes no id."""
        from moto.kms.models import kms_backends

        backend = kms_backends[ACCOUNT]["us-east-1"]
        if id_ not in backend.keys:
            created = self.client("kms").create_key()["KeyMetadata"]["KeyId"]
            key = backend.keys.pop(created)
            key.id, key.arn = id_, key.arn.replace(created, id_)
            backend.keys[id_] = key
        return id_

    def wait_for(self, bucket: str, key: str, seconds: float = 30) -> bytes:
        """Waits until an object exists. Returns its content."""
        s3, end = self.client("s3"), time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                return content
            except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
                time.sleep(0.02)
        raise AssertionError(f"{key} did not appear")


class _Handler(BaseHTTPRequestHandler):
    """The HTTP proxy. `<bucket>.aws.example.com/<key>` arrives as `/<bucket>/<key>`."""

    aws: ClassVar[Aws]
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # a response is sent in one piece

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        bucket = re.fullmatch(r"(.+)\.aws\.example\.com", address.netloc)
        path = f"/{bucket[1]}{address.path}" if bucket else address.path
        fault = self.aws.fault(self.command, path) if self.aws.fault else None
        body = self._body()
        if fault == "cut":
            self.close_connection = True
            return
        self.aws.copy_resources()
        connection = HTTPConnection(*self.aws.moto.get_host_and_port())
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        connection.request(self.command, path + (f"?{address.query}" if address.query else ""), body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if fault == "answer cut":
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        length = answer.getheader("content-length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while length := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing."""


def _version(cloud: Path) -> object:
    """A value that changes with every write to the file of an account."""
    log = cloud.with_name(f"{cloud.name}-wal")
    return [(file.stat().st_mtime_ns, file.stat().st_size) for file in (cloud, log) if file.exists()]


_HOP_BY_HOP = {"connection", "host", "proxy-connection", "transfer-encoding"}
