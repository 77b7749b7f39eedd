"""The provider that terraform starts: it passes the call to the host, which has everything loaded.

terraform starts a provider three times in one plan, and loading Python's packages takes 0.3 s each time. The
host (host.py) loads them once and answers each call from a copy of itself, in the folder and environment of
the call. This module starts it if there is none, and it ends by itself. Only small modules are imported here:
`socket` makes enumerations of its constants, which takes as long as the start of Python.

The commands of make save the three starts as well: they ask the host for one copy of itself, to which
terraform attaches (`running`).
"""

import _socket as socket
import fcntl
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

# The folder of the providers that terraform starts, which may be reached through a link.
_MIRROR = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".rehearsal", "mirror")
HOME = os.path.dirname(os.path.realpath(_MIRROR))
PROJECT = os.path.dirname(HOME)
RUNNING = "*"  # the name in a call for all providers of a folder
TEMPORARY = os.path.join(os.sep, "tmp")
LONGEST = 100  # bytes in the name of a socket; macOS allows 103, Linux 107


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
    """The name of the host's socket, below HOME."""
    return f"host-{stamp()}.sock"


def folder_of_sockets() -> "TemporaryDirectory[str]":
    """A new temporary folder that only this user can enter; in that of the system if TMPDIR is too long for
    sockets."""
    import tempfile

    short = len(os.fsencode(tempfile.gettempdir())) + len("/tierra-12345678/provider.sock") <= LONGEST
    return tempfile.TemporaryDirectory(prefix="tierra-", dir=None if short else TEMPORARY)


def connected() -> socket.socket | None:
    """A connection to the host; by a link if the name of its socket is too long."""
    path = os.path.join(HOME, address())
    if len(os.fsencode(path)) <= LONGEST:
        return _connected(path)
    with folder_of_sockets() as folder:
        os.symlink(HOME, os.path.join(folder, "home"))
        return _connected(os.path.join(folder, "home", address()))


def _connected(path: str) -> socket.socket | None:
    host = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        host.connect(path)
    except OSError:
        host.close()
        return None
    return host


def started() -> socket.socket | None:
    """A connection to a new host; None if none can be started."""
    with open(os.path.join(HOME, "host.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        host = connected()
        if host is None:
            reads, writes = os.pipe()
            null = os.open(os.devnull, os.O_RDWR)
            os.posix_spawn(
                sys.executable,
                [sys.executable, "-m", "rehearsal.host", address()],
                {**os.environ, "PYTHONPATH": PROJECT, "PYTHONNOUSERSITE": "1", "PYTHONSAFEPATH": "1"},
                setsid=True,
                file_actions=[
                    *((os.POSIX_SPAWN_DUP2, null, descriptor) for descriptor in (0, 2)),
                    (os.POSIX_SPAWN_DUP2, writes, 1),
                ],
            )
            os.close(null)
            os.close(writes)
            os.read(reads, 1)  # a word when it listens, nothing when it ended
            os.close(reads)
            host = connected()
    return host


def call(name: str, folder: str, environment: dict[str, str], files: tuple[int, int]) -> socket.socket | None:
    """A connection to a copy of the host that answers as a provider, with these files as its output and
    errors; None if no host can be started. The copy ends when the last holder of the connection closes it."""
    try:
        host = connected() or started()
    except OSError:
        return None
    if host is not None:
        parts = [name, folder, *(f"{key}={value}" for key, value in environment.items())]
        descriptors = b"".join(number.to_bytes(4, sys.byteorder) for number in files)  # C's int
        host.sendmsg([b"-"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        host.sendall(os.fsencode("\0".join(parts)))
        host.shutdown(socket.SHUT_WR)
    return host


def running(folder: str, environment: dict[str, str]) -> tuple[socket.socket, str] | None:
    """The providers of a root module, all in one process, and the value of TF_REATTACH_PROVIDERS with which
    terraform uses them. They end with the last holder of the connection. None if terraform must start them:
    without a host, and in a root module that configures a provider twice, because one process has one
    configuration."""
    null = os.open(os.devnull, os.O_RDWR)
    answer, host = b"", None
    try:
        host = call(RUNNING, folder, environment, (null, null))
        while host and not answer.endswith(b"\n") and (part := host.recv(65536)):
            answer += part
    except OSError:
        answer = b""
    finally:
        os.close(null)
    if host and answer.endswith(b"\n"):
        return host, os.fsdecode(answer.rstrip())
    if host:
        host.close()
    return None


def main() -> int:
    host = call(sys.argv[1], os.getcwd(), dict(os.environ), (1, 2))
    if host is None:
        os.execv(sys.executable, [sys.executable, "-m", "rehearsal", sys.argv[1]])
    return int(host.recv(3) or 1)


if __name__ == "__main__":
    sys.exit(main())
