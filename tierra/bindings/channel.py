"""The connection to Node: a socket on which requests go out in batches and answers come back in order."""

from __future__ import annotations

import atexit
import json
import os
import select
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

PROGRAM = "jsii/_embedded/jsii/lib/program.js"
"""Node's half, in the lean copy."""
HOST = Path(__file__).with_name("host.js")

# Synthesis ends before compiled code pays off: it is as fast without, and takes ten megabytes less; a heap
# that grows in small steps saves four more.
SHORT = (
    "--no-opt",
    "--no-maglev",
    "--max-semi-space-size=1",
    "--heap-growing-percent=10",
    "--no-compilation-cache",
)
# For a process that synthesizes hundreds of times, half the time of Node and a tenth more memory.
LONG = ("--max-semi-space-size=4", "--heap-growing-percent=40")
flags = SHORT
"""Of the next Node that is started."""
_BATCH = 16_384  # bytes


class Request:
    """A pending request. `expected` is the object that its answer must name, `line` the answer."""

    __slots__ = ("expected", "label", "line")

    def __init__(self, label: str = "", expected: bytes = b"") -> None:
        self.label = label
        self.expected = expected
        self.line: bytes | None = None


class Channel:
    """The connection to Node: lines of JSON in both directions, answered in order."""

    def __init__(self, copy: Path, callback: Callable[[Any], Any]) -> None:
        import socket

        ours, theirs = socket.socketpair()
        with theirs:
            theirs.set_inheritable(True)
            node = os.environ["JSII_NODE"]
            environment = dict(os.environ)
            if not os.path.isdir(environment.get("TMPDIR", "")):
                environment.pop("TMPDIR", None)  # as Python does: jsii needs a temporary folder that exists
            # It shares our standard output and error. It ends with the connection.
            self.pid = os.posix_spawn(
                node,
                # jsii links the packages it extracted into a folder of its own, where they find each other.
                [node, *flags, "--preserve-symlinks", str(HOST), str(copy / PROGRAM)],
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), 3),
                ],
            )
        ours.setblocking(False)
        self.socket = ours
        self.poll = select.poll()
        self.callback = callback
        self.out = bytearray()
        self.rest = b""
        self.lines: deque[bytes] = deque()
        # The first line is a greeting.
        self.waiting: deque[Request] = deque([Request("the start of Node", b"@jsii/runtime@")])
        atexit.register(self.close)

    def post(self, request: dict[str, Any], pending: Request) -> None:
        """Send with other requests, without waiting."""
        self.out += json.dumps(request, separators=(",", ":")).encode() + b"\n"
        self.waiting.append(pending)
        if len(self.out) >= _BATCH:
            self._pump()

    def ask(self, request: dict[str, Any]) -> bytes:
        """Send, and wait for the answer."""
        pending = Request(f"{request['api']} {request.get('method', request.get('property', ''))}")
        self.out += json.dumps(request, separators=(",", ":")).encode() + b"\n"
        self.waiting.append(pending)
        self._pump(lambda: pending.line is not None)
        return pending.line or b""

    def settle(self) -> None:
        """Wait for all answers and forget them."""
        for pending in self.waiting:
            pending.expected = b"*"
        self._pump(lambda: not self.waiting)

    def close(self) -> None:
        """End Node. Unread answers would be a connection error, which Node would report."""
        import socket

        atexit.unregister(self.close)
        try:
            self.socket.shutdown(socket.SHUT_WR)
            self.socket.setblocking(True)
            while self.waiting and self.socket.recv(1 << 20):
                pass
        except OSError:
            pass
        self.socket.close()

    def _pump(self, done: Callable[[], bool] = lambda: True) -> None:
        """Write pending requests and read answers until `done`."""
        self._take()
        while self.out or not done():
            self.poll.register(self.socket, select.POLLIN | (select.POLLOUT if self.out else 0))
            ((_, event),) = self.poll.poll()
            if event & select.POLLOUT:
                del self.out[: self.socket.send(self.out)]
            if event & ~select.POLLOUT:
                self._receive()
            self._take()

    def _receive(self) -> None:
        """Raises RuntimeError when Node has ended."""
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionError:
            data = b""
        if not data:
            raise RuntimeError("Node has ended; its last messages are above")
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.lines.extend(lines)

    def _take(self) -> None:
        while self.lines:
            line = self.lines.popleft()
            pending = self.waiting.popleft()
            if line.startswith(b'{"callback":'):
                # Node first answers requests that are sent meanwhile.
                answer = self.callback(line)
                self.out += json.dumps({"complete": answer}, separators=(",", ":")).encode() + b"\n"
                self.waiting.append(pending)
            elif pending.expected == b"*":
                continue
            elif line.startswith(b'{"error":'):
                _refuse(json.loads(line), pending.label)
            elif pending.expected not in line:
                raise _Unexpected(f"{pending.label}: Node answered {line[:200].decode()}")
            else:
                pending.line = line


class _Unexpected(RuntimeError):
    """An object does not have the predicted name."""


def _refuse(answer: dict[str, str], label: str) -> NoReturn:
    from jsii.errors import JavaScriptError, JSIIError

    kind = JSIIError if answer["name"] == "@jsii/kernel.Fault" else RuntimeError
    raise kind(f"{answer['error']} ({label})") from JavaScriptError(answer.get("stack") or "")  # type: ignore[no-untyped-call]
