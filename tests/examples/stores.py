"""Real servers: PostgreSQL with a replica, Redis with a user of its ACL. They run as user 999, confined."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.examples import network
from tests.examples.packages import libraries, program
from tests.examples.pod import SCRATCH, Confined
from tests.examples.release import ROOT

MASTER, USER = "platform", "redis-systems"


@dataclass
class Servers:
    confined: Confined
    packages: Path
    certificate: Path
    key: Path
    master_password: str = field(default_factory=lambda: secrets.token_hex(12))
    redis_password: str = field(default_factory=lambda: secrets.token_hex(12))
    running: dict[str, tuple[subprocess.Popen[bytes], int]] = field(default_factory=dict)

    def folder(self, name: str) -> Path:
        path = self.confined.scratch / name
        path.mkdir(exist_ok=True, mode=0o700)
        return path

    def command(self, name: str, *words: str, env: dict[str, str] | None = None) -> list[str]:
        """The command that runs the program `words[0]` confined: it can only write to its own folder."""
        path = program(words[0], self.packages)
        if path is None:
            raise FileNotFoundError(words[0])
        arguments = self.confined.arguments(name, 999)
        folder = str(self.folder(name))
        arguments += [
            "--tmpfs",
            SCRATCH,
            "--ro-bind",
            str(self.packages),
            str(self.packages),
            "--bind",
            folder,
            folder,
        ]
        arguments += ["--dir", "/var/run/postgresql", "--setenv", "LD_LIBRARY_PATH", libraries(self.packages)]
        arguments += ["--ro-bind", str(ROOT / "templates"), str(ROOT / "templates")]
        # initdb searches its programs on PATH and in the folder of its package.
        arguments += ["--setenv", "PATH", f"{path.parent}:/usr/bin:/bin", "--setenv", "LC_ALL", "C.UTF-8"]
        share = next(iter(self.packages.glob("usr/share/postgresql")), None)
        if share:
            arguments += ["--setenv", "TZDIR", "/usr/share/zoneinfo"]
        for key, value in (env or {}).items():
            arguments += ["--setenv", key, value]
        return [str(self.confined.bwrap), *arguments, "--", str(path), *words[1:]]

    def run(self, name: str, *words: str, env: dict[str, str] | None = None) -> None:
        done = subprocess.run(
            self.command(name, *words, env=env), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(
                f"{words[0]} ends with {done.returncode}: {done.stdout[-1000:]}{done.stderr[-2000:]}"
            )

    def start(self, name: str, *words: str) -> None:
        info, tell = os.pipe()
        command = self.command(name, *words)
        command[1:1] = ["--info-fd", str(tell)]
        with open(self.confined.logs / f"{name}.log", "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, pass_fds=[tell])
        os.close(tell)
        with os.fdopen(info) as answer:
            import json

            self.running[name] = process, json.load(answer)["child-pid"]

    def stop(self, name: str, how: signal.Signals) -> None:
        process, first = self.running.pop(name)
        os.kill(first, how)
        process.wait(30)

    # PostgreSQL

    def postgres(self) -> None:
        """Starts the primary, and one replica for both replica names."""
        folder = self.folder("postgres")
        (folder / "password").write_text(self.master_password)
        for each in (self.certificate, self.key):
            shutil.copy(each, folder / each.name)
            (folder / each.name).chmod(0o600)
        self.run(
            *(
                "postgres",
                "initdb",
                "--pgdata",
                f"{folder}/data",
                "--username",
                MASTER,
                "--auth",
                "scram-sha-256",
            ),
            *("--pwfile", f"{folder}/password", "--no-sync"),
        )
        (folder / "data/pg_hba.conf").write_text("hostssl all,replication all 0.0.0.0/0 scram-sha-256\n")
        self.start_postgres()
        copy = self.folder("replica")
        for each in (self.certificate, self.key):
            shutil.copy(each, copy / each.name)
            (copy / each.name).chmod(0o600)
        source = {"PGPASSWORD": self.master_password, "PGSSLMODE": "require"}
        self.run(
            *("replica", "pg_basebackup", "--pgdata", f"{copy}/data", "--host", "postgres.example.com"),
            *("--username", MASTER, "--write-recovery-conf", "--no-sync", "--checkpoint", "fast"),
            env=source,
        )
        self.start("replica", *self._postgres(copy, "replica-1.example.com", "replica-2.example.com"))
        self._accepts("replica-1.example.com")

    def start_postgres(self) -> None:
        self.start("postgres", *self._postgres(self.folder("postgres"), "postgres.example.com"))
        self._accepts("postgres.example.com")

    def _accepts(self, name: str) -> None:
        """Waits until the server accepts connections, which is later than it listens. Raises RuntimeError."""
        end = time.monotonic() + 60
        while True:
            try:
                return self.run("job", "pg_isready", "--quiet", "--host", name)
            except RuntimeError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.3)

    def _postgres(self, folder: Path, *names: str) -> list[str]:
        settings = {
            "listen_addresses": ",".join(network.STORES[name] for name in names),
            "unix_socket_directories": "",
            "ssl": "on",
            "ssl_cert_file": f"{folder}/server.pem",
            "ssl_key_file": f"{folder}/server.key",
            "jit": "off",
            "max_connections": "60",
            "dynamic_shared_memory_type": "mmap",
        }
        return [
            "postgres",
            "-D",
            f"{folder}/data",
            *(word for k, v in settings.items() for word in ("-c", f"{k}={v}")),
        ]

    def set_password(self, name: str, password: str) -> None:
        """Runs the job of the platform that creates a user and sets its password."""
        script = ROOT / "templates/systems/databases/scripts/postgres.sh"
        env = {
            "PGHOST": "postgres.example.com",
            "PGPORT": "5432",
            "PGUSER": MASTER,
            "PGPASSWORD": self.master_password,
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": "/authority.pem",
            "NAME": name,
            "NEW_PASSWORD": password,
        }
        command = self.command("job", "psql", env=env)
        at = command.index("--")
        authority = ["--ro-bind", str(self.confined.authority), "/authority.pem"]
        done = subprocess.run(
            [*command[:at], *authority, "--", "sh", str(script)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"the job of users ends with {done.returncode}: {done.stdout}{done.stderr}")

    # Redis

    def redis(self) -> None:
        """The user has the rights of the data tier: every command on all keys."""
        folder = self.folder("redis")
        rules = f"user default off\nuser {USER} on >{self.redis_password} ~* &* +@all\n"
        (folder / "users.acl").write_text(rules)
        self.start_redis()

    def start_redis(self) -> None:
        folder = self.folder("redis")
        options = [
            "--bind",
            "127.0.0.1",
            "--port",
            "6380",
            "--dir",
            str(folder),
            "--aclfile",
            f"{folder}/users.acl",
        ]
        self.start(
            "redis", "redis-server", *options, "--appendonly", "yes", "--maxmemory-policy", "volatile-lru"
        )
        wait_for("127.0.0.1", 6380)


def wait_for(name: str, port: int, seconds: float = 30) -> None:
    """Raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection((network.STORES.get(name, name), port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"nothing listens at {name}:{port}")
