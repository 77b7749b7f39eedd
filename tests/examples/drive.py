"""Runs an example through the requests and failures of production."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.examples import aws, network
from tests.examples.documents import Documents
from tests.examples.gate import Gate
from tests.examples.gateway import Gateway, Load
from tests.examples.pod import Confined, Image, Pod
from tests.examples.release import Container, Release, released
from tests.examples.stores import USER, Servers

GROUP, BUCKET = "acme-sandbox-redis", "acme-sandbox-files"
OUTPUTS = {
    "postgres_endpoint": "postgres.example.com",
    "postgres_reader_hosts": "replica-1.example.com,replica-2.example.com",
    "postgres_port": "5432",
    "postgres_username": "platform",
    "redis_primary_endpoint": "redis.example.com",
    "redis_reader_endpoint": "redis-reader.example.com",
    "redis_broker_primary_endpoint": "redis.example.com",
    "redis_port": "6379",
    "redis_user_name": USER,
    "redis_replication_group_id": GROUP,
    "redis_broker_replication_group_id": GROUP,
    "documentdb_endpoint": "documentdb.example.com",
    "documentdb_reader_endpoint": "documentdb-reader.example.com",
    "documentdb_port": "27017",
    "documentdb_username": "platform",
    "files_bucket_name": BUCKET,
    "ingress_class": "kong",
    "namespace": "gateway",
}


class Wrong(Exception):
    """A rule that an application broke."""


def must(condition: object, text: str) -> None:
    if not condition:
        raise Wrong(text)


class Platform:
    """The stores and AWS services that the applications use."""

    def __init__(self, scratch: Path, folder: Path, stacks: Path, bwrap: Path) -> None:
        self.scratch, self.stacks = scratch, stacks
        logs = folder / "logs"
        logs.mkdir(exist_ok=True)
        for old in logs.glob("*.log"):
            old.unlink()
        network.begin()
        authority, certificate, key = network.certificates(self.scratch)
        token = self.scratch / "token"
        self.identity = aws.Identity(token)
        self.collector = aws.Collector()
        surroundings = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{network.AGENT}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/var/run/secrets/token",
            "AWS_ENDPOINT_URL_S3": aws.S3,
            "SSL_CERT_FILE": "/etc/trusted.pem",
        }
        self.confined = Confined(bwrap, self.scratch, surroundings, token, authority, logs)
        self.servers = Servers(self.confined, folder / "debian", certificate, key)
        self.servers.postgres()
        self.servers.redis()
        client = aws.moto(logs / "moto.log")
        client("s3").create_bucket(Bucket=BUCKET)
        self.s3, self.secrets = client("s3"), client("secretsmanager")
        self.gate = Gate(GROUP, USER, self.servers.redis_password, 6380, self.identity.known)
        self.documents = Documents("documentdb.example.com", {})
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)
        for name in ("redis", "redis-reader"):
            self._await(self.gate.listen(network.STORES[f"{name}.example.com"], tls))
        places = [network.STORES[f"{name}.example.com"] for name in ("documentdb", "documentdb-reader")]
        self._await(self.documents.listen(places, tls))

    def _await(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def call(self, work: Callable[..., None], *arguments: object) -> None:
        self.loop.call_soon_threadsafe(work, *arguments)

    def release(self, system: str) -> Release:
        """The release with the existing secret, or with a first one, created as Terraform does it."""
        name = f"systems/{system}"
        try:
            arn = self.secrets.describe_secret(SecretId=name)["ARN"]
        except self.secrets.exceptions.ResourceNotFoundException:
            arn = self.secrets.create_secret(Name=name, SecretString=secrets.token_urlsafe(24))["ARN"]

        def known(reference: str) -> str:
            output = reference.rpartition(".outputs.")[2]
            if output in OUTPUTS:
                return OUTPUTS[output]
            if reference.startswith("aws_secretsmanager_secret."):
                return arn
            if reference.startswith("aws_ssm_parameter."):
                return "example@sha256:" + "0" * 64
            if reference.startswith("aws_iam_role."):
                return "arn:aws:iam::123456789012:role/it"
            raise Wrong(f"the drive does not know what stands for {reference}")

        def secret(name: str) -> str:
            return str(self.secrets.get_secret_value(SecretId=name)["SecretString"])

        authority = self.confined.authority.read_text()
        release = released(self.stacks, system, known, secret, authority, self.scratch)
        user = system.replace("-", "_")
        if "DATABASE_HOST" in release.containers["web"].env:
            self.servers.set_password(user, release.password)
        self.documents.passwords[user] = release.password
        return release


@dataclass
class Drive:
    """One system: its pods and the steps that check it."""

    platform: Platform
    system: str
    image: Image

    def __post_init__(self) -> None:
        self.release = self.platform.release(self.system)
        values = self.release.values
        self.port, self.path, self.host = values["port"], values["path"], values["host"]
        self.gateway = Gateway(self.path, self.host, self.port)
        self.helpers: list[tuple[str, Pod]] = []  # by component: worker or beat
        self.count = 0
        self.load = Load(self.gateway)

    # Parts

    def pod(self, component: str) -> Pod:
        self.count += 1
        name = f"{self.system}-{component}-{self.count}"
        return Pod(name, self.release.containers[component], self.image, self.platform.confined).start()

    def web(self) -> Pod:
        pod = self.pod("web")
        pod.ready(self.port)
        self.gateway.pods.append(pod)
        return pod

    def migrate(self) -> None:
        if "migrate" not in self.release.containers:
            return
        for _ in range(2):  # a job may run again
            pod = self.pod("migrate")
            if code := pod.ended(60):
                text = (self.platform.confined.logs / f"{pod.name}.log").read_text()[-3000:]
                raise Wrong(f"the migration ends with {code}:\n{text}")

    def get(self, path: str, **options: Any) -> Any:
        status, _, body = self.gateway.send("GET", self.path + path, **options)
        must(status == 200, f"GET {path} answers {status}: {body[:300]!r}")
        return json.loads(body)

    def go(self, pod: Pod, seconds: float = 35) -> None:
        """A pod goes as on Kubernetes: Kong asks it until it hears of it, which is before the end of the
        chart's pause; that is shortened here. After it the pod has 35 of the chart's 60 seconds left."""
        time.sleep(1)
        self.gateway.pods.remove(pod)
        time.sleep(1)
        pod.terminate()
        must(pod.ended(seconds) == 0, f"{pod.name} ends with {pod.process.returncode if pod.process else 0}")

    @contextmanager
    def under_load(self, failures: bool = True) -> Iterator[Load]:
        """Sends orders during a block. Without `failures`, every first request must be answered with 201."""
        self.load = load = Load(self.gateway)
        load.begin()
        time.sleep(2)
        try:
            yield load
            time.sleep(2)
        finally:
            load.end()
        must(not load.wrong, f"orders are refused: {load.wrong[:3]}")
        must(load.acknowledged, "nothing was acknowledged")
        if not failures:
            must(set(load.answers) == {201}, f"requests fail that must not: {dict(load.answers)}")
        self.check_acknowledged(load)

    def check_acknowledged(self, load: Load) -> None:
        """Checks that every acknowledged order is stored unchanged and is processed in the end."""
        end = time.monotonic() + 120
        for number, order in load.acknowledged.items():
            while True:
                status, _, body = self.gateway.send("GET", f"{self.path}/orders/{number}")
                stored = json.loads(body) if status == 200 else {}
                if status == 200 and stored["done"]:
                    break
                self.restart()
                must(
                    time.monotonic() < end, f"order {number} was acknowledged, and is {status} {body[:200]!r}"
                )
                time.sleep(0.3)
            must({key: stored[key] for key in order} == order, f"order {number} is {stored} and not {order}")

    def restart(self) -> None:
        """Restarts helpers that have exited, as the kubelet does."""
        for index, (kind, old) in enumerate(self.helpers):
            if not old.alive():
                self.helpers[index] = kind, self.pod(kind)

    # Steps

    def starts(self) -> str:
        self.migrate()
        for _ in range(2):
            self.web()
        kinds = [kind for kind in ("worker", "beat") if kind in self.release.containers]
        self.helpers = [(kind, self.pod(kind)) for kind in kinds]
        self.gateway.begin()
        for pod in self.gateway.pods:
            must(pod.probe("livenessProbe", self.port) == 200, f"{pod.name} is not live")
        return f"{len(self.gateway.pods)} pods ready, {' and '.join(kinds) or 'no helper'}"

    def requests(self) -> str:
        trace = secrets.token_hex(16)
        number = self.load.place()
        order = self.load.acknowledged.get(number)
        must(order, f"the first order is not taken: {self.load.wrong}")
        must(order and self.get(f"/orders/{number}")["item"] == order["item"], "the order is another one")
        seen = self.get("/whoami", sampled=True, trace=trace, headers={"X-Request-ID": "it"})
        url = f"https://{self.host}{self.path}/whoami"
        must(
            seen == {"url": url, "client": "203.0.113.7", "request_id": "it"}, f"a request looks like {seen}"
        )
        status, headers, _ = self.gateway.send(
            "POST",
            f"{self.path}/orders",
            json.dumps(order).encode(),
            {"Content-Type": "application/json", "Idempotency-Key": number},
        )
        location = f"https://{self.host}{self.path}/orders/{number}"
        must((status, headers.get("location")) == (201, location), f"a repeated order: {status} {headers}")
        status, _, _ = self.gateway.send(
            "POST", f"{self.path}/orders", b'{"item": ""}', {"Content-Type": "application/json"}
        )
        must(status in (400, 422), f"an order without an item answers {status}")
        must(
            self.gateway.send("GET", f"{self.path}/orders/{secrets.token_hex(16)}")[0] == 404,
            "an unknown order",
        )
        self.trace = trace
        return "path, host, scheme, client, request ID, idempotency"

    def pages(self) -> str:
        """Submits a form, as a browser does."""
        status, headers, body = self.gateway.send("GET", f"{self.path}/")
        must(status == 200, f"the first page answers {status}")
        if "text/html" not in headers["content-type"]:
            return "has none"
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', body.decode())
        must(token and f'action="{self.path}/"' in body.decode(), f"the form leads elsewhere: {body[:500]!r}")
        form = f"item=chair&quantity=1&csrfmiddlewaretoken={token[1] if token else ''}".encode()
        kind = "application/x-www-form-urlencoded"
        sent = {
            "Content-Type": kind,
            "Cookie": headers["set-cookie"].split(";")[0],
            "Origin": f"https://{self.host}",
        }
        status, headers, _ = self.gateway.send("POST", f"{self.path}/", form, sent)
        must(
            (status, headers.get("location")) == (302, f"{self.path}/"), f"a form answers {status} {headers}"
        )
        sent["Origin"] = "https://other.example.com"
        must(
            self.gateway.send("POST", f"{self.path}/", form, sent)[0] == 403,
            "a form of another site is taken",
        )
        return "a form with its token"

    def files(self) -> str:
        prefix = self.release.containers["web"].env.get("FILES_PREFIX")
        if not prefix:
            return "needs none"
        number = next(iter(self.load.acknowledged))
        body = secrets.token_bytes(300_000)
        status, _, text = self.gateway.send(
            "PUT",
            f"{self.path}/orders/{number}/attachment",
            body,
            {"Content-Type": "application/octet-stream"},
        )
        must(status == 204, f"an attachment answers {status} {text[:300]!r}")
        status, headers, _ = self.gateway.send("GET", f"{self.path}/orders/{number}/attachment")
        must(status in (302, 307), f"an attachment answers {status}")
        keys = [each["Key"] for each in self.platform.s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]
        must(
            keys and all(key.startswith(prefix) for key in keys),
            f"files lie at {keys}, and only {prefix} is its own",
        )
        must("X-Amz-Signature" in headers["location"], "the address of a file is not presigned")
        stored = self.platform.s3.get_object(Bucket=BUCKET, Key=keys[0])["Body"].read()
        must(stored == body, "the file is another one")
        return f"{len(body)} bytes below {prefix}"

    def metrics(self) -> str:
        """Requests the metrics as Prometheus does, at the address of the pod."""
        scrape = self.release.values["metrics"]
        pod = self.gateway.pods[0]
        status, _, body = pod.ask(scrape["port"], "GET", scrape["path"])
        must(status == 200, f"metrics answer {status}")
        series = re.findall(r"^http_requests_total\{([^}]*)\} \S+", body.decode(), re.M)
        must(any("orders" in each for each in series), f"no request is counted: {body[-500:]!r}")
        must("livez" not in body.decode(), "probes are counted")
        must(not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", "".join(series)), "a label has the number of an order")
        return f"{len(series)} series of requests"

    def traces(self) -> str:
        """Kong decides which requests are traced; spans must reach the collector in its protocol."""
        end = time.monotonic() + 15
        spans: list[Any] = []
        while time.monotonic() < end:
            spans = self.platform.collector.spans.get(self.system, [])
            if any(each.trace_id.hex() == self.trace for each in spans):
                break
            time.sleep(0.2)
        must(
            any(each.trace_id.hex() == self.trace for each in spans),
            "the trace that Kong began does not go on",
        )
        served = [each for each in spans if each.kind == 2]
        must(
            all(each.trace_id.hex() == self.trace for each in served),
            "a request is traced that Kong did not choose",
        )
        must(not any("livez" in each.name or "readyz" in each.name for each in spans), "probes are traced")
        must(
            not self.platform.collector.refused,
            f"the collector refuses {self.platform.collector.refused[:3]}",
        )
        return f"{len(spans)} spans, {len(served)} of requests"

    def tokens(self) -> str:
        """Tokens of Redis are valid for five seconds, and connections are ended twice in that time."""
        gate = self.platform.gate
        before, gate.valid = gate.signed_in, 5.0
        with self.under_load() as load:
            for _ in range(2):
                self.platform.call(gate.drop)
                time.sleep(6)
        gate.valid = 900.0
        must(not gate.refused, f"signing in fails: {gate.refused[:3]}")
        must(gate.signed_in > before, "no connection was made again")
        return f"{gate.signed_in - before} times signed in, answers {dict(load.answers)}"

    def redis_fails(self) -> str:
        with self.under_load() as load:
            self.platform.servers.stop("redis", signal.SIGKILL)
            time.sleep(4)
            self.platform.servers.start_redis()
        return f"answers {dict(load.answers)}, the longest wait {load.longest:.1f} s"

    def postgres_fails(self) -> str:
        if "DATABASE_HOST" not in self.release.containers["web"].env:
            return "needs none"
        with self.under_load() as load:
            self.platform.servers.stop("postgres", signal.SIGQUIT)
            time.sleep(4)
            pod = self.gateway.pods[0]
            must(pod.probe("readinessProbe", self.port) != 200, "it is ready without PostgreSQL")
            must(
                pod.probe("livenessProbe", self.port) == 200, "it is started again because PostgreSQL is away"
            )
            self.platform.servers.start_postgres()
        return f"answers {dict(load.answers)}, the longest wait {load.longest:.1f} s"

    def documentdb_fails(self) -> str:
        if "DOCUMENTDB_HOST" not in self.release.containers["web"].env:
            return "needs none"
        documents = self.platform.documents
        with self.under_load() as load:
            self.platform.call(documents.away, False)
            time.sleep(4)
            self.platform.call(documents.away, True)
        refused = [each for each in documents.refused if "authentication" not in each.lower()]
        must(not refused, f"DocumentDB refuses: {refused[:3]}")
        return f"answers {dict(load.answers)}, the longest wait {load.longest:.1f} s"

    def password_changes(self) -> str:
        """The job sets the new password, then pods are replaced one by one: what password_version does."""
        with self.under_load() as load:
            self.platform.secrets.put_secret_value(
                SecretId=f"systems/{self.system}", SecretString=secrets.token_urlsafe(24)
            )
            self.release = self.platform.release(self.system)
            for old in list(self.gateway.pods):
                self.web()
                self.go(old)
            for index, (kind, old) in enumerate(self.helpers):
                old.terminate()
                must(old.ended(120) == 0, f"{old.name} ends with an error")
                self.helpers[index] = kind, self.pod(kind)
        return f"answers {dict(load.answers)}"

    def pods_go(self) -> str:
        """A release: each pod is replaced under load, and no request fails."""
        with self.under_load(failures=False) as load:
            for old in list(self.gateway.pods):
                self.web()
                self.go(old)
        return f"{sum(load.answers.values())} requests, all answered"

    def worker_goes(self) -> str:
        """A worker is killed while it processes an order, and another one finishes the order."""
        if not self.helpers:
            return "has none"
        with self.under_load():
            for index, (kind, old) in enumerate(self.helpers):
                old.kill()
                self.helpers[index] = kind, self.pod(kind)
        return "what it had begun is done"

    def logs(self) -> str:
        """Every log record is one line of JSON; records of requests have the ID that Kong assigned."""
        lines = 0
        asked = False
        for pod in self.platform.confined.logs.glob(f"{self.system}-*.log"):
            if "-migrate-" in pod.name:
                continue
            entries = Pod(pod.stem, Container([], {}, {}, {}), self.image, self.platform.confined).log()
            lines += len(entries)
            asked |= any(each.get("request_id") == "it" and each.get("client") for each in entries)
            must(
                all({"time", "level", "message"} <= each.keys() for each in entries),
                f"{pod.name} lacks a field",
            )
        must(asked, "no line says the ID of a request")
        return f"{lines} lines, each JSON"

    def ends(self) -> str:
        self.gateway.stopped = True
        pods = [*self.gateway.pods, *(pod for _, pod in self.helpers)]
        for pod in pods:
            pod.terminate()
        for pod in pods:
            must(pod.ended(60) == 0, f"{pod.name} does not end well")
        return "all end with 0"

    STEPS = (
        *(
            "starts",
            "requests",
            "pages",
            "files",
            "metrics",
            "traces",
            "tokens",
            "redis_fails",
            "postgres_fails",
        ),
        *("documentdb_fails", "password_changes", "pods_go", "worker_goes", "ends", "logs"),
    )
