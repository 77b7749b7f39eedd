"""A proxy in front of Redis: TLS, and users that sign in with an IAM token, as with ElastiCache.

Behind it is a real Redis with a user of its ACL, whose password only the gate knows. What ElastiCache checks
is in https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

from tests.examples.aws import REGION

LONGEST = 900


def _signature(secret: str, day: str, text: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in (day, REGION, "elasticache", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def wrong(token: str, group: str, user: str, known: Mapping[str, tuple[str, str]], valid: float) -> str:
    """The reason for which a token is refused, or ""."""
    host, _, query = token.partition("/?")
    words = dict(parse_qsl(query, keep_blank_values=True))
    if host != group:
        return f"it is for {host} and this is {group}"
    if (words.get("Action"), words.get("User")) != ("connect", user):
        return "it is for another action or user"
    key, day, region, service, _ = words.get("X-Amz-Credential", "////").split("/")
    if (region, service) != (REGION, "elasticache") or key not in known:
        return "its credentials are not known here"
    secret, session = known[key]
    if words.get("X-Amz-Security-Token") != session:
        return "its session is another one"
    signed_at = datetime.strptime(words["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    seconds = int(words["X-Amz-Expires"])
    if seconds > LONGEST:
        return f"it is valid for longer than {LONGEST} seconds"
    if (datetime.now(UTC) - signed_at).total_seconds() > min(seconds, valid):
        return "it has expired"
    signed = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(words.items())
        if name != "X-Amz-Signature"
    )
    empty = hashlib.sha256(b"").hexdigest()
    request = f"GET\n/\n{signed}\nhost:{group}\n\nhost\n{empty}"
    scope = f"{day}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{words['X-Amz-Date']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    return (
        ""
        if hmac.compare_digest(_signature(secret, day, text), words.get("X-Amz-Signature", ""))
        else "signature"
    )


class Gate:
    """`valid` is the time in seconds for which a token is accepted; the drive shortens it."""

    def __init__(
        self, group: str, user: str, password: str, upstream: int, known: Mapping[str, tuple[str, str]]
    ) -> None:
        self.group, self.user, self.password, self.upstream, self.known = (
            group,
            user,
            password,
            upstream,
            known,
        )
        self.valid: float = LONGEST
        self.signed_in, self.refused = 0, list[str]()
        self.open: set[asyncio.StreamWriter] = set()

    async def listen(self, address: str, tls: ssl.SSLContext) -> None:
        await asyncio.start_server(self._client, address, 6379, ssl=tls)

    def drop(self) -> None:
        """Closes every connection, as ElastiCache does after twelve hours. Runs in the event loop."""
        for each in list(self.open):
            each.transport.abort()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        answers: asyncio.Task[None] | None = None
        upstream: asyncio.StreamWriter | None = None
        try:
            source, upstream = await asyncio.open_connection("127.0.0.1", self.upstream)
            answers = asyncio.create_task(self._answers(source, writer))
            while words := await self._command(reader):
                upstream.write(self._written(self._signing(words)))
                await upstream.drain()
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self.open.discard(writer)
            if answers:
                answers.cancel()
            for each in (writer, upstream):
                with suppress(Exception):
                    if each:
                        each.close()

    async def _answers(self, source: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ssl.SSLError):
            while part := await source.read(65536):
                writer.write(part)
                await writer.drain()
        writer.close()

    async def _command(self, reader: asyncio.StreamReader) -> list[bytes]:
        head = await reader.readline()
        if not head:
            return []
        words = []
        for _ in range(int(head[1:])):
            size = int((await reader.readline())[1:])
            words.append((await reader.readexactly(size + 2))[:-2])
        return words

    def _signing(self, words: list[bytes]) -> list[bytes]:
        """The command with a valid token replaced by the password of the ACL; an invalid token fails."""
        name = words[0].upper()
        at = (
            1
            if name == b"AUTH"
            else 3
            if name == b"HELLO" and len(words) > 4 and words[2].upper() == b"AUTH"
            else 0
        )
        if not at or len(words) < at + 2:
            return words
        user, token = (word.decode() for word in words[at : at + 2])
        reason = (
            wrong(token, self.group, user, self.known, self.valid) if user == self.user else f"user {user}"
        )
        if reason:
            self.refused.append(reason)
        else:
            self.signed_in += 1
        return [*words[: at + 1], b"wrong" if reason else self.password.encode(), *words[at + 2 :]]

    @staticmethod
    def _written(words: list[bytes]) -> bytes:
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
