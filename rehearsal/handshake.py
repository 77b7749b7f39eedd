"""The handshake between provider and terraform: HashiCorp's go-plugin over a Unix socket with TLS.

terraform reads one line from the provider's standard output (protocol versions, socket, server certificate),
speaks gRPC from then on, and ends the provider with `GRPCController.Shutdown`.
Source: docs/internals.md of hashicorp/go-plugin.
"""

from __future__ import annotations

import base64
import datetime
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rehearsal.attach import folder_of_sockets
from rehearsal.protocol import CONTROLLER, PROTOCOL, STDIO, messages

COOKIE_NAME = "TF_PLUGIN_MAGIC_COOKIE"
COOKIE_VALUE = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
WORKERS = 8


def serve(provider: object) -> int:
    """Serve the methods of `provider` as a Terraform provider until terraform ends it; the exit code.

    A method that `provider` lacks answers UNIMPLEMENTED, which terraform understands.
    """
    if os.environ.get(COOKIE_NAME) != COOKIE_VALUE:
        sys.stderr.write(
            "This is Tierra's rehearsal provider. terraform starts it; it does nothing by itself.\n"
        )
        return 1
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # terraform decides what an interrupt means
    server = _server(provider, stopped)
    with folder_of_sockets() as folder:
        address = str(Path(folder, "provider.sock"))
        credentials, certificate = _credentials()
        server.add_secure_port(f"unix:{address}", credentials)
        server.start()
        encoded = base64.b64encode(certificate).decode().rstrip("=")
        sys.stdout.write(f"1|6|unix|{address}|grpc|{encoded}\n")
        sys.stdout.flush()
        stopped.wait()
        server.stop(grace=1).wait()
    return 0


def serve_running(providers: Mapping[str, object], announce: Callable[[dict[str, str]], None]) -> int:
    """Serve the methods of several providers to a terraform that attaches to them, until SIGTERM; the exit
    code. `announce` receives the socket of each. The sockets are in a folder that only this user can enter;
    terraform uses no TLS to attach."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    with folder_of_sockets() as folder:
        addresses = {name: str(Path(folder, f"{name}.sock")) for name in providers}
        servers = [_server(provider, stopped) for provider in providers.values()]
        for server, address in zip(servers, addresses.values(), strict=True):
            server.add_insecure_port(f"unix:{address}")
            server.start()
        announce(addresses)
        stopped.wait()
        for ending in [server.stop(grace=1) for server in servers]:
            ending.wait()
    return 0


def _server(provider: object, stopped: threading.Event) -> grpc.Server:
    server = grpc.server(ThreadPoolExecutor(WORKERS))
    server.add_generic_rpc_handlers(tuple(_services(provider, stopped)))
    return server


def warm() -> None:
    """Loads what the libraries load at the first call, so that forks of this process have it; no secret is
    loaded."""
    import_module("grpc._server")
    pair()
    list(_services(object(), threading.Event()))


def _services(provider: object, stopped: threading.Event) -> Iterator[grpc.GenericRpcHandler]:
    def shutdown(_request: object, _context: object) -> object:
        stopped.set()
        return messages(CONTROLLER).Empty()

    def no_output(_request: object, _context: object) -> Iterator[object]:
        stopped.wait()
        return iter(())

    yield _service(messages(PROTOCOL), "Provider", lambda name: getattr(provider, name, None))
    yield _service(messages(CONTROLLER), "GRPCController", {"Shutdown": shutdown}.get)
    yield _service(messages(STDIO), "GRPCStdio", {"StreamStdio": no_output}.get)


def _service(
    module: Any, name: str, method: Callable[[str], Callable[[Any, Any], Any] | None]
) -> grpc.GenericRpcHandler:
    """A gRPC service made of the methods found by name, typed by the service's own descriptor."""
    from google.protobuf.message_factory import GetMessageClass

    descriptor = module.DESCRIPTOR.services_by_name[name]
    handlers = {}
    for rpc in descriptor.methods:
        function = method(rpc.name)
        if function is None:
            continue
        streams = grpc.unary_stream_rpc_method_handler if rpc.server_streaming else None
        handlers[rpc.name] = (streams or grpc.unary_unary_rpc_method_handler)(
            function,
            request_deserializer=GetMessageClass(rpc.input_type).FromString,
            response_serializer=GetMessageClass(rpc.output_type).SerializeToString,
        )
    return grpc.method_handlers_generic_handler(descriptor.full_name, handlers)


def _credentials() -> tuple[grpc.ServerCredentials, bytes]:
    """Credentials with a fresh certificate for this process alone, and that certificate as DER."""
    private, certificate = pair()
    chain = certificate.public_bytes(serialization.Encoding.PEM)
    # terraform's certificate is of curve P-521, which gRPC's TLS library does not accept, so it is not asked
    # for; the socket is in a folder that only this user can enter (grpc/grpc issue 23235).
    credentials = grpc.ssl_server_credentials([(private, chain)])
    return credentials, certificate.public_bytes(serialization.Encoding.DER)


def pair() -> tuple[bytes, x509.Certificate]:
    """A fresh key, as PEM, and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate
