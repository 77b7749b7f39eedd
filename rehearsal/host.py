"""Answers the calls of attach.py from forks of one process that has everything loaded.

A call arrives as the standard output and error of the caller, then the provider's name, the folder and the
environment; the answer is the exit code. If the call is for all providers of the folder, the answer begins
with a line that says where terraform reaches them. The host ends when no call has come for a while.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rehearsal.__main__ import main as provide
from rehearsal.__main__ import provide_running
from rehearsal.attach import HOME, RUNNING

IDLE_SECONDS = 30


def main() -> None:
    from rehearsal import handshake, provider

    handshake.warm()
    provider.warm()
    gc.freeze()  # the collector ignores what is loaded, so forks share its memory
    os.closerange(3, 1024)
    os.chdir(HOME)
    address = Path(sys.argv[1])
    for old in Path().glob("host-*.sock"):
        old.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        os.umask(0o077)
        listener.bind(str(address))
        listener.listen(64)
        os.write(1, b"!")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        for call in _calls(listener, address):
            if os.fork() == 0:
                listener.close()
                _answer(call)
            call.close()


def _calls(listener: socket.socket, address: Path) -> Iterator[socket.socket]:
    """Calls until none comes for a while, then those that came just before the socket was removed."""
    listener.settimeout(IDLE_SECONDS)
    while True:
        try:
            yield listener.accept()[0]
        except TimeoutError:
            if not address.exists():
                return
            address.unlink()
            listener.settimeout(0.2)


def _answer(call: socket.socket) -> None:
    """Runs as the requested provider, and exits."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        call.settimeout(None)
        _, files, _, _ = socket.recv_fds(call, 1, 2)
        for number, file in enumerate(files, 1):
            os.dup2(file, number)
            os.close(file)
        name, folder, *environment = _rest(call).split("\0")
        os.environ.clear()
        os.environ.update(dict(variable.split("=", 1) for variable in environment))
        os.chdir(folder)
        sys.argv = ["rehearsal", name]
        threading.Thread(target=_follow, args=(call, threading.get_ident()), daemon=True).start()
        code = provide_running(call.sendall) if name == RUNNING else provide()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            call.sendall(str(code).encode())
        os._exit(code)


def _rest(call: socket.socket) -> str:
    parts = []
    while part := call.recv(65536):
        parts.append(part)
    return os.fsdecode(b"".join(parts))


def _follow(call: socket.socket, main: int) -> None:
    """Ends with the caller, if terraform was killed or gave up. Python handles a signal in the main thread,
    which waits, so the signal must reach that thread."""
    poll = select.poll()
    poll.register(call, 0)
    poll.poll()
    signal.pthread_kill(main, signal.SIGTERM)


if __name__ == "__main__":
    main()
