"""Made-up values like those that AWS would choose: ids, ARNs, hosts. They have AWS's form, and are the same
on every run.

A value is derived from the type and the known arguments of its resource. Patterns come from the facts:
`subnet-{hex17}`, `arn:{partition}:ec2:{region}:{account}:subnet/{id}`; a name in braces is an attribute of
the resource or one of the words below, and any other pair of braces stays as it is.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

from rehearsal.account import Account
from rehearsal.catalog import Type
from rehearsal.computed_values import patterns
from rehearsal.planning import conform
from rehearsal.protocol import UNKNOWN, Object, pack
from tierra.bindings.schema import Block, CtyType, Nested

_WORD = re.compile(r"(?<![$#])\{(\w+)\}")
_SIZED = re.compile(r"(hex|int|alnum|base32_|base64_)(\d+)")
WORDS = {"partition", "dns_suffix", "account", "region", "uuid", "ip_public", "ip_private", "hash"}
WORDS |= {"timestamp", "base64_sha256"}
CREATED = "2026-01-01T00:00:00Z"
ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyz"
SUFFIX_DIGITS = 26  # what the provider appends to a name_prefix


class ValueFactory:
    """Completes one resource: every unknown value of its planned state gets a value."""

    def __init__(self, type_: Type, planned: Object, account: Account, salt: int = 0) -> None:
        self.type = type_
        self.account = account
        self.region = planned.get("region") if isinstance(planned.get("region"), str) else account.region
        self.state = planned
        self.pending: set[str] = set()
        self.salt = salt
        self.whole = patterns(type_.name, planned)
        self.values = {**type_.facts.values, **self.whole}
        known = {name: value for name, value in planned.items() if not _unknown_in(value)}
        self.seed = pack(
            [type_.name, sorted(known.items(), key=lambda item: item[0]), salt, account.remembered]
        )

    def completed(self) -> Object:
        """The state with no unknown value left in it."""
        self.state = dict(self.state)
        for name, attribute in self.type.block.attributes.items():
            if self.state.get(name) is UNKNOWN:
                self.state[name] = self.attribute(name)
            elif _unknown_in(self.state.get(name)) and name in self.whole:
                self.state[name] = self._pattern(self.values[name], name, attribute.type)
            elif _unknown_in(self.state.get(name)):
                self.state[name] = self._known(self.state[name], name, attribute.type)
        for name, nested in self.type.block.blocks.items():
            value = self.state.get(name)
            self.state[name] = self._nested(nested, value, name)
        return self.state

    def attribute(self, name: str) -> Any:
        """The value of a top-level attribute, chosen now if it is not known yet."""
        value = self.state.get(name)
        if value is not UNKNOWN:
            return value
        attribute = self.type.block.attributes.get(name)
        type_ = attribute.type if attribute else "string"
        if name in self.pending:
            return self._fallback(name, type_)
        self.pending.add(name)
        facts = self.type.facts
        patterns_ = {"id": facts.id, "arn": facts.arn, **self.whole}
        pattern = patterns_.get(name) or self.values.get(name)
        if (pattern is None and name not in self.values) or self._prefix(name):
            value = self._fallback(name, type_)
        elif name == "id" and pattern in self.type.block.attributes:
            value = self.attribute(pattern)
        else:
            value = self._pattern(pattern, name, type_)
        self.pending.discard(name)
        self.state[name] = value
        return value

    def _pattern(self, pattern: Any, name: str, type_: CtyType) -> Any:
        if isinstance(pattern, list):
            inner = type_[1] if isinstance(type_, list) else "string"
            return [self._pattern(member, name, inner) for member in pattern]
        if isinstance(pattern, dict):
            members = type_[1] if isinstance(type_, list) and type_[0] == "object" else {}
            result = {
                key: self._pattern(member, key, members.get(key, "string")) for key, member in pattern.items()
            }
            missing = {
                key: self._fallback(f"{name}_{key}", members[key]) for key in members if key not in result
            }
            return {**result, **missing}
        if not isinstance(pattern, str):
            return pattern
        whole = _WORD.fullmatch(pattern)
        if whole and whole[1] in self.type.block.attributes:
            return self.attribute(whole[1])
        return _WORD.sub(lambda match: str(self._word(match[1], name)), pattern)

    def _word(self, word: str, purpose: str) -> Any:
        fixed: dict[str, Callable[[], Any]] = {
            "partition": lambda: self.account.partition,
            "dns_suffix": lambda: self.account.dns_suffix,
            "account": lambda: self.account.id,
            "region": lambda: self.region,
            "uuid": lambda: self._uuid(purpose),
            "ip_public": lambda: self._ip("198.51.100", purpose),
            "ip_private": lambda: self._ip("10.0.0", purpose),
            "hash": lambda: self._digest(purpose, 10),
            "timestamp": lambda: CREATED,
            "base64_sha256": lambda: base64.b64encode(hashlib.sha256(self.seed).digest()).decode(),
        }
        sized = _SIZED.fullmatch(word)
        if word in self.type.block.attributes and word != "region":
            value = self.attribute(word)
            return "" if value is None else value
        if word in fixed:
            return fixed[word]()
        return self._sized(sized[1], int(sized[2]), purpose) if sized else f"{{{word}}}"

    def _sized(self, kind: str, length: int, purpose: str) -> str:
        if kind == "hex":
            # AWS's longer ids begin with a zero: vpc-0a1b…
            digits = self._digest(purpose, length)
            return f"0{digits[1:]}" if length == 17 else digits
        if kind == "int":
            return str(int(self._digest(purpose, 40), 16)).rjust(length, "7")[:length]
        raw = hashlib.sha512(self.seed + purpose.encode()).digest() * (length // 64 + 1)
        if kind == "alnum":
            return "".join(ALPHANUMERIC[byte % len(ALPHANUMERIC)] for byte in raw[:length])
        text = base64.b32encode(raw) if kind == "base32_" else base64.b64encode(raw)
        return text.decode()[:length]

    def _digest(self, purpose: str, length: int) -> str:
        return hashlib.sha256(self.seed + purpose.encode()).hexdigest()[:length]

    def _uuid(self, purpose: str) -> str:
        digits = self._digest(purpose, 32)
        return "-".join((digits[:8], digits[8:12], f"4{digits[13:16]}", f"a{digits[17:20]}", digits[20:32]))

    def _ip(self, network: str, purpose: str) -> str:
        return f"{network}.{int(self._digest(purpose, 4), 16) % 253 + 1}"

    def _fallback(self, name: str, type_: CtyType) -> Any:
        """A plausible value of the type, for an attribute without a fact."""
        if type_ == "string":
            return self._text(name)
        if type_ in ("number", "bool"):
            return 0 if type_ == "number" else False
        if not isinstance(type_, list):
            return None
        if type_[0] == "object":
            return {key: self._fallback(key, inner) for key, inner in type_[1].items()}
        if type_[0] in ("list", "set") and isinstance(type_[1], list) and type_[1][0] == "object":
            return [self._fallback(name, type_[1])]
        return {} if type_[0] == "map" else []

    def _text(self, name: str) -> str:
        if self._prefix(name):
            digits = str(int(self._digest(name, 40), 16)).rjust(SUFFIX_DIGITS, "0")[-SUFFIX_DIGITS:]
            return f"{self._prefix(name)}{digits}"
        service, _, noun = self.type.name.removeprefix("aws_").partition("_")
        if name == "arn" or name.endswith("_arn"):
            prefix = f"{self.account.partition}:{service}:{self.region}:{self.account.id}"
            return f"arn:{prefix}:{noun or service}/{self._digest(name, 12)}"
        if name in ("owner_id", "account_id", "owner"):
            return self.account.id
        if name == "availability_zone":
            return f"{self.region}a"
        if name == "id" and isinstance(self.state.get("name"), str):
            given = str(self.state["name"])
            return f"{given}-{self._digest(name, 8)}" if self.salt else given
        if name.endswith(("_date", "_time", "_at")):
            return CREATED
        if name.endswith(("endpoint", "dns_name", "domain_name", "address", "hostname")):
            return f"{self._digest(name, 12)}.{service}.{self.region}.{self.account.dns_suffix}"
        if name in ("policy", "json", "document", "definition"):
            return "{}"
        if name.endswith(("cidr_block", "cidr")) and "ipv6" not in name:
            return "172.31.0.0/16"  # the range of a default VPC
        if name in ("status", "state"):
            return "available"
        return f"{name.removesuffix('_id').replace('_', '-')}-{self._digest(name, 17)}"

    def _prefix(self, name: str) -> str:
        """The prefix of a generated name in the configuration; often empty."""
        prefix = self.state.get(f"{name}_prefix")
        return prefix if isinstance(prefix, str) else ""

    def _nested(self, nested: Nested, value: Any, path: str) -> Any:
        """The value of a block; AWS's values if it was not given."""
        if value is not UNKNOWN:
            return self._block(nested.block, value, path)
        pattern = self.values.get(_without_indexes(path))
        if pattern is None or nested.nesting == "map":
            return {} if nested.nesting == "map" else None if nested.nesting == "single" else []
        members = self._pattern(pattern, path, "string")
        if isinstance(members, list):
            return [conform(nested.block, member) for member in members]
        return conform(nested.block, members)

    def _block(self, block: Block, value: Any, path: str) -> Any:
        if isinstance(value, list):
            return [self._block(block, member, f"{path}.{index}") for index, member in enumerate(value)]
        if not isinstance(value, dict):
            return value
        filled = dict(value)
        for name, attribute in block.attributes.items():
            if _unknown_in(value.get(name)):
                filled[name] = self._known(value[name], f"{path}.{name}", attribute.type)
        for name, nested in block.blocks.items():
            filled[name] = self._nested(nested, value.get(name), f"{path}.{name}")
        return filled

    def _known(self, value: Any, path: str, type_: CtyType) -> Any:
        if value is UNKNOWN:
            name = path.rpartition(".")[2]
            plain = _without_indexes(path)
            if plain in self.values:
                return self._pattern(self.values[plain], path, type_)
            return self._fallback(name, type_)
        inner = type_[1] if isinstance(type_, list) else "string"
        if isinstance(value, list):
            return [self._known(member, f"{path}.{index}", inner) for index, member in enumerate(value)]
        if isinstance(value, dict):
            types = inner if isinstance(inner, dict) else dict.fromkeys(value, inner)
            return {
                key: self._known(member, f"{path}.{key}", types.get(key, "string"))
                for key, member in value.items()
            }
        return value


def _without_indexes(path: str) -> str:
    return re.sub(r"\.\d+(?=\.|$)", "", path)


def _unknown_in(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_unknown_in(member) for member in value.values())
    if isinstance(value, list):
        return any(_unknown_in(member) for member in value)
    return value is UNKNOWN
