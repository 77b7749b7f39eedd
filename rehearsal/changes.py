"""Creates, updates, reads and deletes objects of the simulated account.

An object is identified by its region and id. terraform stores this key as the provider's private data, so
that an object of a type without an id is found again after a change.
"""

from __future__ import annotations

import hashlib
import threading
import time
from functools import partial
from typing import Any

from rehearsal import engines, imports, outside, refusals, remains
from rehearsal.access import ARNS, Access
from rehearsal.account import Account
from rehearsal.catalog import Type
from rehearsal.cloud import Cloud
from rehearsal.failures import Failures
from rehearsal.planning import conform, null
from rehearsal.protocol import UNKNOWN, Object, error, pack
from rehearsal.refusals import deletion
from rehearsal.values import ValueFactory
from tierra.aws import transitions

# Rules that the provider meets only when a new object is active, which takes AWS minutes: other resources may
# create what they need meanwhile (internal/service/elbv2/load_balancer.go, resourceLoadBalancerCreate).
LATE = {"aws_alb": "balancer_logs", "aws_lb": "balancer_logs"}
PATIENCE_SECONDS = 3.0
IDENTITIES = ("id", "arn", "name", "identifier")


class Changes:
    """The changes of one account, within the permissions of `role` (REHEARSAL_AS). Raises ValueError when
    that or `fail` (REHEARSAL_FAIL) is not understood."""

    def __init__(self, cloud: Cloud, account: Account, fail: str = "", role: str = "") -> None:
        self.cloud = cloud
        self.access = Access.of(role, cloud, account)
        self.account = account
        self.failures = Failures.from_text(fail)
        self._creating = threading.Lock()

    def read(self, type_: Type, state: Object, private: bytes) -> tuple[Object | None, bytes]:
        """The object as it is now, None when it is gone, and its key."""
        key = self._key(state, private)
        if not self.cloud.remembers:
            return state, key.encode()
        stored = self.cloud.get(type_.name, key)
        if stored is None:
            return None, key.encode()
        return conform(type_.block, imports.refreshed(stored, state)), key.encode()

    def create(self, type_: Type, planned: Object) -> tuple[Object, bytes, Any]:
        """The new object and its key, or an error diagnostic."""
        if self.failures.should_fail(type_.name, planned, self.cloud):
            detail = "The rehearsal was asked to fail here. Nothing was created; apply again to go on."
            return {}, b"", error(f"creating {type_.name}: failure injected by REHEARSAL_FAIL", detail)
        self._wait(type_, planned)
        with self._creating:  # of two conflicting creations the later one is refused
            return self._create(type_, planned)

    def _wait(self, type_: Type, planned: Object) -> None:
        """Wait a few seconds for the objects that a late rule needs."""
        if type_.name not in LATE or not self.cloud.remembers:
            return
        end = time.monotonic() + PATIENCE_SECONDS
        around = partial(outside.around, self.cloud, self.account.id)
        while time.monotonic() < end and any(
            rule.name == LATE[type_.name] for rule, _ in refusals.refusals(type_.name, None, planned, around)
        ):
            time.sleep(0.05)

    def _create(self, type_: Type, planned: Object) -> tuple[Object, bytes, Any]:
        if self.access:
            created = ValueFactory(type_, planned, self.account).completed()
            named = {name: created[name] for name in ARNS if planned.get(name) is UNKNOWN}
            if denied := self.denied(type_.name, "create", None, {**planned, **named}):
                return {}, b"", denied
        if refusal := self._refusal(type_, None, planned):
            return {}, b"", error(f"creating {type_.name}: {refusal}")
        created = engines.settled(type_.name, self._with_new_id(type_, planned))
        first = key = self._key(created, b"")
        number = 1
        if taken := remains.reserved(self.cloud, type_.name, created):
            return {}, b"", error(f"creating {type_.name} ({created.get('id')}): {taken}")
        while not self.cloud.add(type_.name, key, created):
            number += 1
            key = f"{first}#{number}"
        remains.begin(self.cloud, type_.name, created)
        return created, key.encode(), None

    def _with_new_id(self, type_: Type, planned: Object) -> Object:
        """The object with an id that no object of its type ever had, unless the configuration gives the
        id."""
        created = ValueFactory(type_, planned, self.account).completed()
        salt = 0
        while not self._first(type_, created):
            salt += 1
            candidate = ValueFactory(type_, planned, self.account, salt).completed()
            if self._key(candidate, b"") == self._key(created, b""):
                break
            created = candidate
        return created

    def _first(self, type_: Type, created: Object) -> bool:
        """Whether no object of the type ever had this id."""
        return self.cloud.attempt(f"{type_.name} {self._key(created, b'')}") == 1

    def update(self, type_: Type, prior: Object, planned: Object, private: bytes) -> tuple[Object, Any]:
        """The object after the change, or an error diagnostic; version counters go up by one."""
        if denied := self.denied(type_.name, "update", prior, planned):
            return prior, denied
        if refusal := self._refusal(type_, prior, planned):
            return prior, error(f"updating {type_.name} ({prior.get('id')}): {refusal}")
        updated = ValueFactory(type_, planned, self.account).completed()
        for name in type_.facts.changes:
            if planned.get(name) is UNKNOWN and isinstance(prior.get(name), int):
                updated[name] = prior[name] + 1
        key = self._key(prior, private)
        if self.cloud.remembers:
            updated = engines.accepted(self.cloud, type_.name, key, prior, updated)
        self.cloud.put(type_.name, key, updated)
        return updated, None

    def denied(self, name: str, when: str, prior: Object | None, planned: Object | None) -> Any:
        """An error diagnostic if the role may not do this; None if it may, or if there is no role."""
        return self.access.refusal(name, when, prior, planned) if self.access else None

    def _refusal(self, type_: Type, prior: Object | None, planned: Object) -> str:
        """AWS's error for a change that it refuses; empty if it accepts the change. An account that does not
        remember, as in a forecast, refuses nothing, because nothing is really applied."""
        if not self.cloud.remembers:
            return ""
        around = partial(outside.around, self.cloud, self.account.id)
        for _, answer in transitions.refusals(type_.name, prior, planned, around):
            return answer
        return next((answer for _, answer in refusals.refusals(type_.name, prior, planned, around)), "")

    def delete(self, type_: Type, state: Object, private: bytes) -> Any:
        """Delete the object; an error diagnostic when AWS would refuse."""
        if denied := self.denied(type_.name, "delete", state, None):
            return denied
        around = self.cloud.all
        refusal = deletion.protected(type_, state) or deletion.in_use(type_.name, state, around)
        if not refusal and self.cloud.remembers:
            refusal = next((answer for _, answer in refusals.refusals(type_.name, state, None, around)), None)
        if refusal := refusal or remains.leave(self.cloud, type_.name, state):
            return error(f"deleting {type_.name} ({state.get('id')}): {refusal}")
        key = self._key(state, private)
        self.cloud.delete(type_.name, key)
        engines.forget(self.cloud, type_.name, key)
        return None

    def imported(self, type_: Type, identity: str) -> tuple[Object, bytes]:
        """The object called `identity`. terraform reads it next and reports a missing one."""
        if not self.cloud.remembers:
            unknown = {name: UNKNOWN for name, a in type_.block.attributes.items() if a.computed}
            state = {**null(type_.block), **unknown, "id": identity}
            return ValueFactory(type_, conform(type_.block, state), self.account).completed(), b""
        wanted, _, region = identity.rpartition("@") if "@" in identity else (identity, "", "")
        region = region or self.account.region
        for key, stored in self.cloud.items(type_.name):
            here = stored.get("region") in (None, region)
            if here and wanted in imports.ids(type_.name, stored):
                return conform(type_.block, imports.imported(type_.name, stored)), key.encode()
        return {**null(type_.block), **({"id": wanted} if "id" in type_.block.attributes else {})}, b""

    def _key(self, state: Object, private: bytes) -> str:
        """The key that identifies an object among those of its type."""
        if private:
            return private.decode()
        for name in IDENTITIES:
            if isinstance(state.get(name), str) and state[name]:
                return f"{state.get('region') or 'global'}/{state[name]}"
        return hashlib.sha256(pack(sorted(state.items()))).hexdigest()
