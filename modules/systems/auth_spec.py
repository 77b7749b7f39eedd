"""Who may send requests to a system: clients with a key, or with a token of a known issuer. Kong checks them.

Kong's free edition checks keys, and tokens with a public key; it neither fetches keys from an issuer nor
redirects users to one (OpenID Connect).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from modules.systems.own_spec import SecretSource, Source, source
from modules.systems.parts import UrlPath, prefixes
from tierra.validation.errors import KeyPath
from tierra.validation.labels import as_name, is_name
from tierra.validation.model import Model, Violation, repeated, rule, rule_error

if TYPE_CHECKING:
    from modules.systems.spec import System

MOST_CLIENTS = 50
# Algorithms with a public key (Kong/kong, kong/plugins/jwt/daos.lua).
Algorithm = Literal["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"]


def _client(name: str) -> str:
    if not is_name(name, 30) or "--" in name:
        plain = as_name(name, 30)
        rule = (
            "the name of a client or issuer must be at most 30 lowercase letters, digits and single hyphens,"
            " start with a letter and not end with a hyphen"
        )
        raise rule_error(rule, f"write {plain}" if plain else "write a name such as mobile")
    return name


def _issuer(text: str) -> str:
    if not re.fullmatch(r"[!-~]{1,200}", text) or re.search(r"[\"\\{}]", text):
        rule = "an issuer must equal the claim iss of its tokens: at most 200 characters, no spaces"
        raise rule_error(rule, "write it like https://login.example.com/")
    return text


ClientName = Annotated[str, AfterValidator(_client)]
IssuerText = Annotated[
    str,
    AfterValidator(_issuer),
    WithJsonSchema({"type": "string", "maxLength": 200, "examples": ["https://login.example.com/"]}),
]


class Issuer(Model):
    "An issuer of tokens, and the public key with which Kong verifies its signatures."

    issuer: IssuerText = Field(
        description="The exact value of the claim iss in its tokens.",
        examples=["https://login.example.com/"],
    )
    public_key: SecretSource = Field(
        description="The secret with its public key in PEM: a name as in secrets, or create.",
        examples=["create"],
    )
    algorithm: Algorithm = Field(
        default="RS256", description="Signature algorithm of its tokens; Kong refuses other tokens."
    )


class Auth(Model):
    """Who may send requests; all others get 401."""

    keys: dict[ClientName, SecretSource] = Field(
        default_factory=dict,
        max_length=MOST_CLIENTS,
        description="Clients, each with the secret that contains its key: a name as in secrets, or"
        " create. Clients send the key in X-API-Key.",
        examples=[{"mobile": "create", "partner": "orders/partner#key"}],
    )
    issuers: dict[ClientName, Issuer] = Field(
        default_factory=dict,
        max_length=MOST_CLIENTS,
        description="Issuers of the tokens (JWT) that clients send in Authorization: Bearer. Kong checks"
        " signature, issuer and expiry; the system must check the audience.",
        examples=[{"login": {"issuer": "https://login.example.com/", "public_key": "create"}}],
    )
    open: Annotated[tuple[UrlPath, ...], Field(strict=False, max_length=20)] = Field(
        default=(),
        description="Paths, including everything below them, that need no credential, as the container"
        " sees them. Paths of health and OPTIONS requests need none either.",
        examples=[["/webhooks"]],
    )

    @rule("keys", "issuers")
    def says_one_kind(self) -> Iterator[Violation]:
        """Either keys or tokens, because Kong would require both."""
        if bool(self.keys) == bool(self.issuers):
            rule = "auth must have either keys or issuers"
            yield Violation((), rule, "keep keys or issuers, or remove auth")

    @rule("open")
    def something_is_shut(self) -> Iterator[Violation]:
        """Open paths must be different and not cover everything."""
        for index in repeated(self.open):
            yield Violation(("open", index), "each path must be named once", "remove the second one")
        for index, path in enumerate(self.open):
            if path == "/":
                rule = "open must not have /: nothing would need a key or token"
                yield Violation(("open", index), rule, "name longer paths, or remove auth")

    @property
    def sources(self) -> dict[str, Source | None]:
        """Sources of keys, by client or issuer; None for a secret that Tierra creates."""
        texts = self.keys or {name: issuer.public_key for name, issuer in self.issuers.items()}
        return {name: source(text) for name, text in texts.items()}


@dataclass(frozen=True)
class Client:
    """A consumer of Kong: `name` in its system, `username` in all of Kong. It belongs to a group for each
    system that admits it."""

    name: str
    username: str
    groups: tuple[str, ...]
    issuer: Issuer | None
    source: Source | None


def clients(name: str, systems: Mapping[str, System]) -> list[Client]:
    """The consumers that this system creates in Kong. Kong requires an issuer to be unique
    (kong/plugins/jwt/daos.lua: `key` is unique), so the first system of the spec that names one creates it
    for all."""
    auth = systems[name].auth
    if auth is None:
        return []
    result = [
        Client(client, f"{name}.{client}", (name,), None, source(text)) for client, text in auth.keys.items()
    ]
    for client, issuer in auth.issuers.items():
        groups = tuple(group for group, system in systems.items() if issuer.issuer in _issuers(system))
        if groups[0] == name:
            result.append(Client(client, issuer.issuer, groups, issuer, source(issuer.public_key)))
    return result


def _issuers(system: System) -> dict[str, Issuer]:
    return {issuer.issuer: issuer for issuer in system.auth.issuers.values()} if system.auth else {}


def auth_violations(systems: Mapping[str, System], names: Collection[str]) -> Iterator[Violation]:
    """Violations for issuers and open paths. `names` are those of systems without hosts. Paths start at the
    root of the spec."""
    known: dict[str, tuple[str, Issuer]] = {}
    for name, system in systems.items():
        if system.auth is None:
            continue
        for client, issuer in system.auth.issuers.items():
            owner, first = known.setdefault(issuer.issuer, (name, issuer))
            path = ("systems", name, "auth", "issuers", client)
            if _issuers(system)[issuer.issuer] is not issuer:
                yield Violation(path, "each issuer must be named once", "remove one of the two")
            elif first != issuer:
                rule = f"an issuer must be the same in all systems, but {owner} has other settings for it"
                yield Violation(path, rule, f"write the same as systems.{owner}.auth, or change that one")
        yield from _open_violations(name, systems, names)


def _open_violations(name: str, systems: Mapping[str, System], names: Collection[str]) -> Iterator[Violation]:
    """Kong prefers open paths, including health paths, to all other paths of the same hosts, however long."""
    system = systems[name]
    opened: list[tuple[KeyPath, str]] = [
        (("health", "live"), system.health.live),
        (("health", "ready"), system.health.ready),
    ]
    if system.auth:
        opened += [(("auth", "open", index), path) for index, path in enumerate(system.auth.open)]
    for key, path in opened:
        if path == "/":  # health paths: nothing below them is open
            continue
        location, full = ("systems", name, *key), system.path.rstrip("/") + path
        for neighbour, beside in systems.items():
            shared = set(system.hosts or names) & set(beside.hosts or names)
            if neighbour != name and beside.path and shared and full in prefixes(beside.path):
                rule = (
                    "an open path must have no other system below it, and"
                    f" {neighbour} has its path below {full}"
                )
                yield Violation(location, rule, f"name a longer path, or move {neighbour}", path)
                break
        metrics = system.inner_path
        if metrics and (full in prefixes(metrics) or metrics in prefixes(full)):
            rule = (
                f"an open path must not contain the metrics, which must stay closed to the outside: {metrics}"
            )
            remedy = f"choose another path, or give systems.{name}.metrics a separate port"
            yield Violation(location, rule, remedy, path)
