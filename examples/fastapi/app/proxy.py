"""What the load balancer and Kong say of a request: its scheme, and who sent it."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class Proxied:
    """Puts both where applications look for them, so that addresses of redirects begin with https.

    The client is in X-Real-IP. The first of X-Forwarded-For, which servers believe by themselves, is what the
    client says of itself. Only Kong reaches this port, so its headers may be believed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            scope["scheme"] = headers.get(b"x-forwarded-proto", scope["scheme"].encode()).decode()
            if client := headers.get(b"x-real-ip"):
                scope["client"] = (client.decode(), 0)
        await self.app(scope, receive, send)
