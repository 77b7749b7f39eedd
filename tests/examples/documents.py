"""A stand-in for DocumentDB with the protocol of MongoDB, because no package registry has a server.

It has what the examples use: TLS, a replica set of one member, SCRAM-SHA-1, ping, insert, find, update and
delete with equality, $set, $setOnInsert and $inc. Unlike a MongoDB it refuses retryable writes, as DocumentDB
before 8.0.2 does. It keeps documents in memory; `away` breaks its connections and keeps them.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import ssl
import struct
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import bson
from bson.codec_options import CodecOptions

Document = dict[str, Any]
OPTIONS: CodecOptions[Document] = CodecOptions(document_class=dict, tz_aware=True)
ROUNDS = 4096


class Refused(Exception):
    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, text


class Documents:
    """`passwords` by user; `data` by database and collection, then by _id."""

    def __init__(self, host: str, passwords: dict[str, str]) -> None:
        self.host, self.passwords = host, passwords
        self.data: dict[tuple[str, str], dict[bytes, Document]] = {}
        self.open: set[asyncio.StreamWriter] = set()
        self.refused: list[str] = []
        self.present = True

    async def listen(self, addresses: list[str], tls: ssl.SSLContext) -> None:
        for address in addresses:
            await asyncio.start_server(self._client, address, 27017, ssl=tls)

    def away(self, present: bool) -> None:
        """Stops or resumes answering. Runs in the event loop of the server."""
        self.present = present
        for each in list(self.open):
            each.transport.abort()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.present:
            writer.transport.abort()
            return
        self.open.add(writer)
        session: Document = {}
        with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            while True:
                size, request, _, kind = struct.unpack("<iiii", await reader.readexactly(16))
                body = await reader.readexactly(size - 16)
                if kind == 2004:
                    start = 4 + body[4:].index(b"\0") + 1 + 8
                    answer = self._answered(bson.decode(body[start:], OPTIONS), session)
                    part = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(answer)
                    writer.write(struct.pack("<iiii", 16 + len(part), 0, request, 1) + part)
                else:
                    command, quiet = self._message(body)
                    answer = self._answered(command, session)
                    if quiet:
                        continue
                    part = b"\0\0\0\0\0" + bson.encode(answer)
                    writer.write(struct.pack("<iiii", 16 + len(part), 0, request, 2013) + part)
                await writer.drain()
        self.open.discard(writer)
        writer.close()

    @staticmethod
    def _message(body: bytes) -> tuple[Document, bool]:
        (flags,) = struct.unpack("<I", body[:4])
        end = len(body) - 4 if flags & 1 else len(body)
        document: Document = {}
        sequences: Document = {}
        at = 4
        while at < end:
            kind, at = body[at], at + 1
            (size,) = struct.unpack("<i", body[at : at + 4])
            if kind == 0:
                document = bson.decode(body[at : at + size], OPTIONS)
            else:
                stop = body.index(b"\0", at + 4)
                sequences[body[at + 4 : stop].decode()] = list(
                    bson.decode_iter(body[stop + 1 : at + size], OPTIONS)
                )
            at += size
        return {**document, **sequences}, bool(flags & 2)

    def _answered(self, command: Document, session: Document) -> Document:
        try:
            return {**self._run(command, session), "ok": 1.0}
        except Refused as error:
            self.refused.append(error.text)
            return {"ok": 0.0, "errmsg": error.text, "code": error.code, "codeName": "Refused"}

    def _run(self, command: Document, session: Document) -> Document:
        name = next(iter(command))
        if name.lower() in ("hello", "ismaster"):
            return self._hello(command)
        if name == "saslStart":
            return self._challenge(command, session)
        if name == "saslContinue":
            return self._proof(command, session)
        if name in ("ping", "endSessions", "killCursors", "buildInfo"):
            return {"version": "5.0.0"} if name == "buildInfo" else {}
        if not session.get("user"):
            raise Refused(13, f"command {name} requires authentication")
        if command["$db"] != session["user"]:
            raise Refused(13, f"{session['user']} may not use the database {command['$db']}")
        if "txnNumber" in command:
            raise Refused(301, "Retryable writes are not supported")
        if name not in ("insert", "find", "update", "delete", "createIndexes"):
            raise Refused(59, f"no such command: {name}")
        reply: Document = getattr(self, f"_{name}")(
            command, self.data.setdefault((command["$db"], command[name]), {})
        )
        return reply

    def _hello(self, command: Document) -> Document:
        address = f"{self.host}:27017"
        reply: Document = {
            "ismaster": True,
            "isWritablePrimary": True,
            "helloOk": True,
            "setName": "rs0",
            "setVersion": 1,
            "hosts": [address],
            "primary": address,
            "me": address,
            "maxBsonObjectSize": 16777216,
            "maxMessageSizeBytes": 48000000,
            "maxWriteBatchSize": 100000,
            "localTime": datetime.now(UTC),
            "logicalSessionTimeoutMinutes": 30,
            "minWireVersion": 0,
            "maxWireVersion": 13,
            "readOnly": False,
        }
        return reply | ({"saslSupportedMechs": ["SCRAM-SHA-1"]} if "saslSupportedMechs" in command else {})

    def _challenge(self, command: Document, session: Document) -> Document:
        if command["mechanism"] != "SCRAM-SHA-1":
            raise Refused(18, f"mechanism {command['mechanism']} is not supported")
        first = bytes(command["payload"]).decode().removeprefix("n,,")
        words = dict(part.split("=", 1) for part in first.split(","))
        user = words["n"]
        salt = secrets.token_bytes(16)
        nonce = words["r"] + secrets.token_hex(12)
        server = f"r={nonce},s={base64.b64encode(salt).decode()},i={ROUNDS}"
        session |= {"asked": user, "salt": salt, "exchange": f"{first},{server}"}
        return {"conversationId": 1, "done": False, "payload": server.encode()}

    def _proof(self, command: Document, session: Document) -> Document:
        if "proven" in session:
            session["user"] = session["asked"]
            return {"conversationId": 1, "done": True, "payload": b""}
        text = bytes(command["payload"]).decode()
        without, _, proof = text.rpartition(",p=")
        user = session["asked"]
        password = self.passwords.get(user, secrets.token_hex(8))
        digest = hashlib.md5(f"{user}:mongo:{password}".encode()).hexdigest()
        salted = hashlib.pbkdf2_hmac("sha1", digest.encode(), session["salt"], ROUNDS)
        key = hmac.new(salted, b"Client Key", "sha1").digest()
        stored = hashlib.sha1(key).digest()
        message = f"{session['exchange']},{without}".encode()
        signed = bytes(a ^ b for a, b in zip(key, hmac.new(stored, message, "sha1").digest(), strict=True))
        if not hmac.compare_digest(signed, base64.b64decode(proof)):
            raise Refused(18, "Authentication failed")
        session["proven"] = True
        if not command.get("skipEmptyExchange", True):
            session["user"] = user
        session["user"] = user
        own = hmac.new(hmac.new(salted, b"Server Key", "sha1").digest(), message, "sha1").digest()
        return {"conversationId": 1, "done": True, "payload": b"v=" + base64.b64encode(own)}

    @staticmethod
    def _key(value: Any) -> bytes:
        return bson.encode({"": value})

    def _createIndexes(self, command: Document, collection: dict[bytes, Document]) -> Document:
        return {"numIndexesBefore": 1, "numIndexesAfter": 1 + len(command["indexes"])}

    def _insert(self, command: Document, collection: dict[bytes, Document]) -> Document:
        errors, done = [], 0
        for index, document in enumerate(command["documents"]):
            key = self._key(document["_id"])
            if key in collection:
                errors.append({"index": index, "code": 11000, "errmsg": "E11000 duplicate key error"})
                continue
            collection[key] = document
            done += 1
        return {"n": done, **({"writeErrors": errors} if errors else {})}

    def _find(self, command: Document, collection: dict[bytes, Document]) -> Document:
        matches = self._matching(command.get("filter", {}), collection)
        (sort,) = [*command.get("sort", {}).items()] or [("", 1)]
        if sort[0]:
            matches.sort(key=lambda each: each.get(sort[0]), reverse=sort[1] < 0)
        skip, limit = command.get("skip", 0), abs(command.get("limit", 0))
        matches = matches[skip : skip + limit] if limit else matches[skip:]
        name = f"{command['$db']}.{command['find']}"
        return {"cursor": {"id": bson.Int64(0), "ns": name, "firstBatch": matches}}

    def _update(self, command: Document, collection: dict[bytes, Document]) -> Document:
        matched = changed = 0
        upserted = []
        for index, each in enumerate(command["updates"]):
            matches = self._matching(each["q"], collection)[: None if each.get("multi") else 1]
            if not matches and each.get("upsert"):
                document = dict(each["q"])
                document.setdefault("_id", bson.ObjectId())
                self._apply(document, each["u"], new=True)
                collection[self._key(document["_id"])] = document
                upserted.append({"index": index, "_id": document["_id"]})
            for document in matches:
                matched += 1
                changed += self._apply(document, each["u"], new=False)
        return {
            "n": matched + len(upserted),
            "nModified": changed,
            **({"upserted": upserted} if upserted else {}),
        }

    def _delete(self, command: Document, collection: dict[bytes, Document]) -> Document:
        done = 0
        for each in command["deletes"]:
            for document in self._matching(each["q"], collection)[: each.get("limit") or None]:
                del collection[self._key(document["_id"])]
                done += 1
        return {"n": done}

    def _matching(self, wanted: Document, collection: dict[bytes, Document]) -> list[Document]:
        for value in wanted.values():
            if isinstance(value, dict) and any(key.startswith("$") for key in value):
                raise Refused(2, f"the stand-in compares by equality alone, and is asked for {wanted}")
        matches = list(collection.values())
        if "_id" in wanted:
            matches = [collection[key]] if (key := self._key(wanted["_id"])) in collection else []
        return [each for each in matches if all(each.get(key) == value for key, value in wanted.items())]

    @staticmethod
    def _apply(document: Document, update: Document, new: bool) -> int:
        before = dict(document)
        for operator, values in update.items():
            if operator == "$set" or (operator == "$setOnInsert" and new):
                document.update(values)
            elif operator == "$inc":
                for key, value in values.items():
                    document[key] = document.get(key, 0) + value
            elif operator != "$setOnInsert":
                raise Refused(2, f"the stand-in knows no {operator}")
        return int(document != before)
