"""The provider that terraform starts: it passes the call to the host, which has everything loaded.

terraform starts a provider three times in one plan, and loading Python's packages takes 0.3 s each time. The
host (host.py) loads them once and answers each call from a copy of itself, in the folder and environment of
the call. This module starts it if there is none, and it ends by itself. Only small modules are imported here:
`socket` makes enumerations of its constants, which takes as long as the start of Python.
"""

import _socket as socket
import fcntl
import os
import sys

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOME = os.path.join(PROJECT, ".rehearsal")


def stamp() -> str:
    """Identifies the code, facts and packages that a host was started with; after a change a new host is
    used."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = os.path.join(os.path.dirname(os.path.dirname(sys.executable)), "lib", version, "site-packages")
    sources = [packages, os.path.join(HOME, "catalog.sqlite")]
    for folder in ("rehearsal", "rehearsal/charts", "rehearsal/refusals", "tierra/bindings", "tierra/aws"):
        with os.scandir(os.path.join(PROJECT, folder)) as entries:
            sources += [entry.path for entry in entries if entry.name.endswith(".py")]
    return f"{max(os.stat(source).st_mtime_ns for source in sources if os.path.exists(source)):x}"


def address() -> str:
    """The host's socket, below HOME: a relative name, because the system allows at most 107 characters."""
    return f"host-{stamp()}.sock"


def connected() -> socket.socket | None:
    host = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        host.connect(address())
    except OSError:
        host.close()
        return None
    return host


def started() -> socket.socket | None:
    """A connection to a new host; None if none can be started."""
    with open("host.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        host = connected()
        if host is None:
            reads, writes = os.pipe()
            null = os.open(os.devnull, os.O_RDWR)
            os.posix_spawn(
                sys.executable,
                [sys.executable, "-m", "rehearsal.host", address()],
                os.environ,
                setsid=True,
                file_actions=[
                    *((os.POSIX_SPAWN_DUP2, null, descriptor) for descriptor in (0, 2)),
                    (os.POSIX_SPAWN_DUP2, writes, 1),
                ],
            )
            os.close(writes)
            os.read(reads, 1)  # a word when it listens, nothing when it ended
            os.close(reads)
            host = connected()
    return host


def main() -> int:
    provider, folder = sys.argv[1], os.getcwd()
    try:
        os.chdir(HOME)
        host = connected() or started()
    except OSError:
        host = None
    os.chdir(folder)
    if host is None:
        os.execv(sys.executable, [sys.executable, "-m", "rehearsal", provider])
    call = [provider, folder, *(f"{name}={value}" for name, value in os.environ.items())]
    descriptors = b"".join(number.to_bytes(4, sys.byteorder) for number in (1, 2))  # C's int
    host.sendmsg([b"-"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
    host.sendall(os.fsencode("\0".join(call)))
    host.shutdown(socket.SHUT_WR)
    return int(host.recv(3) or 1)


if __name__ == "__main__":
    sys.exit(main())
