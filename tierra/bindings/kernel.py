"""The Python half of jsii in the lean copy: requests to one Node process, most of them asynchronous.

jsii asks Node one question at a time and waits for each answer. Most answers can be predicted: Node names
its objects with consecutive numbers, and calls such as `addOverride` return nothing. Those requests
are sent in batches, and Node works on them while Python goes on. Python waits only for answers that it cannot
predict. A reference to an attribute of a resource, `${aws_sns_topic.alarms.arn}`, needs no request at all.

A request that Node refuses raises RuntimeError at one of the requests after it, or JSIIError for a misuse of
jsii, as the original does; the message names the construct.

    start(copy)     starts Node, with the packages of this lean copy
    KERNEL          what the bindings call
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, NoReturn

from tierra.bindings.channel import Channel, Request

# Methods of cdktf that return nothing.
_SILENT = frozenset({"overrideLogicalId", "addOverride", "addDependency"})
_FIRST_OBJECT = 10_000
_PLAIN = frozenset({str, int, float, bool, type(None)})


@dataclass(frozen=True, slots=True)
class ObjRef:
    """Node's name for an object, such as `cdktf.App@10000`."""

    ref: str
    interfaces: list[str] | None = None


class Struct:
    """The base of the structs of the bindings: values by name, None for those that were not given."""

    _values: dict[str, Any]
    __jsii_name_mapping__: dict[str, str]

    def __getattr__(self, name: str) -> Any:
        if name in type(self).__jsii_name_mapping__:
            return self._values.get(name)
        raise AttributeError(f"{type(self).__name__} has no {name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other._values == self._values

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._values.items())})"


class Field:
    """A property of a Node object; some are plain references, `${aws_vpc.%s.arn}`."""

    __slots__ = ("__jsii_name__", "_reference")

    def __init__(self, name: str, reference: str | None = None) -> None:
        self.__jsii_name__ = name
        self._reference = reference

    def __get__(self, obj: Any, kind: type | None = None) -> Any:
        if obj is None:
            return self
        if self._reference and (logical_id := getattr(obj, "__logical_id__", None)) is not None:
            return self._reference % logical_id
        return KERNEL.get(obj, self.__jsii_name__)

    def __set__(self, obj: Any, value: Any) -> None:
        KERNEL.set(obj, self.__jsii_name__, value)

    @property
    def fget(self) -> Field:
        """Like `fget` of a Python property, for classes that override it."""
        return self


def method(name: str) -> Callable[[Any], Any]:
    """A method without arguments of a Node object."""

    def call(self: Any) -> Any:
        return KERNEL.invoke(self, name)

    call.__jsii_name__ = name  # type: ignore[attr-defined]
    return call


class Kernel:
    """The interface that the bindings call, with the names and arguments of jsii."""

    def __init__(self) -> None:
        self._channel: Channel | None = None
        self._loaded: set[str] = set()
        self._next = _FIRST_OBJECT
        self._overrides: dict[type, list[dict[str, str]]] = {}

    def start(self, copy: Path) -> None:
        """Start Node, unless it runs, and load the packages of this lean copy."""
        if self._channel is None:
            self._channel = Channel(copy, self._called)
            for archive in json.loads((copy / "archives.json").read_text()):
                self.load(archive["name"], archive["version"], str(copy / archive["file"]))

    def stop(self) -> None:
        """End Node. The next request starts a new Node, without the objects of the old one."""
        if self._channel:
            self._channel.close()
            os.waitpid(self._channel.pid, 0)
        self._forget()

    def _forget(self) -> None:
        self._channel, self._next = None, _FIRST_OBJECT
        self._loaded.clear()

    @property
    def objects(self) -> int:
        """The number of objects in Node, which keeps all of them."""
        return self._next - _FIRST_OBJECT

    @property
    def channel(self) -> Channel:
        if self._channel is None:
            self.start(Path(sys.modules["jsii"].__file__ or "").parents[1])
        return self._channel  # type: ignore[return-value]

    def load(self, name: str, version: str, tarball: str) -> None:
        channel = self.channel  # starts with the packages of the copy, in order
        if name not in self._loaded:
            self._loaded.add(name)
            request = {"api": "load", "name": name, "version": version, "tarball": tarball}
            channel.post(request, Request(f"loading {name}"))

    def create(self, klass: Any, obj: Any, args: list[Any] | None = None) -> ObjRef:
        fqn = klass.__jsii_type__ or "Object"
        given = args or []
        request = {
            "api": "create",
            "fqn": fqn,
            "args": [self._sent(value) for value in given],
            "overrides": self._overridden(type(obj), klass),
            "interfaces": [interface.__jsii_type__ for interface in getattr(klass, "__jsii_ifaces__", ())],
        }
        name = given[1] if len(given) > 1 and isinstance(given[1], str) else ""
        ref = self._foreseen(fqn, request, f"{fqn} {name}".rstrip())
        obj.__jsii_ref__ = reference = ObjRef(ref)
        values = getattr(given[-1], "_values", None) if given else None
        if values and values.get("for_each") is not None:
            obj.__jsii_repeated__ = True
        _references().register_reference(obj)
        return reference

    def get(self, obj: Any, property: str) -> Any:
        return self._ask({"api": "get", "objref": _named(obj), "property": property}).get("value")

    def set(self, obj: Any, property: str, value: Any) -> None:
        request = {"api": "set", "objref": _named(obj), "property": property, "value": self._sent(value)}
        self._post(request, Request(f"setting {property}"))

    def sget(self, klass: Any, property: str) -> Any:
        return self._ask({"api": "sget", "fqn": klass.__jsii_type__, "property": property}).get("value")

    def sset(self, klass: Any, property: str, value: Any) -> None:
        request = {"api": "sset", "fqn": klass.__jsii_type__, "property": property}
        self._post(request | {"value": self._sent(value)}, Request(f"setting {property}"))

    def invoke(self, obj: Any, method: str, args: list[Any] | None = None) -> Any:
        given = [self._sent(value) for value in args or ()]
        request = {"api": "invoke", "objref": _named(obj), "method": method, "args": given}
        if method == "overrideLogicalId" and not hasattr(obj, "__jsii_repeated__"):
            obj.__logical_id__ = given[0]
        elif method == "resetOverrideLogicalId":
            obj.__logical_id__ = None
        if method in _SILENT:
            return self._post(request, Request(f"{method} of {obj.__jsii_ref__.ref}"))
        return self._ask(request).get("result")

    def sinvoke(self, klass: Any, method: str, args: list[Any] | None = None) -> Any:
        given = [self._sent(value) for value in args or ()]
        request = {"api": "sinvoke", "fqn": klass.__jsii_type__, "method": method, "args": given}
        if method == "asAny" and not hasattr(args[0] if args else None, "__jsii_ref__"):
            # Wraps the value: an object whose class jsii does not know.
            ref = self._foreseen("Object", request, "a value as it is")
            resolvable = klass.__jsii_type__.replace("Token", "IResolvable")  # cdktf's or cdktn's
            return _references().resolve_reference(self, ObjRef(ref, [resolvable]))
        return self._ask(request).get("result")

    def delete(self, ref: ObjRef) -> None:
        self._post({"api": "del", "objref": _encoded(ref)}, Request(f"deleting {ref.ref}"))

    def stats(self) -> Any:
        return self._ask({"api": "stats"})

    def ainvoke(self, *_: Any, **__: Any) -> NoReturn:
        from jsii.errors import JSIIError

        raise JSIIError("asynchronous calls need the installed jsii: remove .lean")

    sainvoke = getBinScriptCommand = ainvoke

    def _foreseen(self, fqn: str, request: dict[str, Any], label: str) -> str:
        """The name that Node will give to the object of this request."""
        ref = f"{fqn}@{self._next}"
        self._next += 1
        self._post(request, Request(label, f'"{ref}"'.encode()))
        return ref

    def _post(self, request: dict[str, Any], pending: Request) -> None:
        try:
            self.channel.post(request, pending)
        except Exception:
            self._recover()
            raise

    def _ask(self, request: dict[str, Any]) -> Any:
        try:
            line = self.channel.ask(request)
        except Exception:
            self._recover()
            raise
        return json.loads(line, object_hook=self._received)["ok"]

    def _recover(self) -> None:
        """After an error, find out again how Node names the next object."""
        try:
            self.channel.settle()
            self._next = _FIRST_OBJECT + json.loads(self.channel.ask({"api": "stats"}))["ok"]["objectCount"]
        except (OSError, RuntimeError):
            self._forget()

    def _sent(self, value: Any) -> Any:
        """A value in the form that Node reads."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is dict:
            return {"$jsii.map": {name: self._sent(member) for name, member in value.items()}}
        if kind is list:
            return [self._sent(member) for member in value]
        mapping = getattr(kind, "__jsii_name_mapping__", None)
        if mapping is not None:
            data = {
                mapping[name]: self._sent(member)
                for name, member in value._values.items()
                if member is not None
            }
            return {"$jsii.struct": {"fqn": kind.__jsii_type__, "data": data}}
        if isinstance(value, Enum) and hasattr(kind, "__jsii_type__"):
            return {"$jsii.enum": f"{kind.__jsii_type__}/{value.value}"}
        if getattr(value, "__jsii_ref__", None) is not None:
            return _named(value)
        return self._sent_oddly(value)

    def _sent_oddly(self, value: Any) -> Any:
        from jsii.errors import JSIIError

        if isinstance(value, dict):
            return self._sent(dict(value))
        if isinstance(value, list):
            return self._sent(list(value))
        if isinstance(value, str):
            return str(value)
        if isinstance(value, (int, float)):
            return value
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise TypeError(f"{value} has no time zone")
            return {"$jsii.date": value.isoformat()}
        if isinstance(value, (FunctionType, MethodType, BuiltinFunctionType)):
            raise JSIIError(f"a function is no argument; was it to be called? {value!r}")
        self.create(type(value), value)
        return _named(value)

    def _received(self, value: dict[str, Any]) -> Any:
        """A JSON object from Node as a Python value."""
        ref = value.get("$jsii.byref")
        if ref is not None:
            number = ref.rpartition("@")[2]
            self._next = max(self._next, int(number) + 1)
            _load_class(ref)
            return _references().resolve_reference(self, ObjRef(ref, value.get("$jsii.interfaces")))
        if "$jsii.map" in value:
            return value["$jsii.map"]
        if "$jsii.date" in value:
            return datetime.fromisoformat(value["$jsii.date"])
        if "$jsii.enum" in value:
            name, _, member = value["$jsii.enum"].rpartition("/")
            return _references().resolve_reference(self, ObjRef(f"{name}@"))(member)
        return value

    def _overridden(self, kind: type, klass: Any) -> list[dict[str, str]]:
        """The methods and properties of jsii that the Python classes below `klass` override."""
        if kind not in self._overrides:
            mine = (c for c in kind.__mro__ if vars(c).get("__jsii_declared_type__") == klass.__jsii_type__)
            originals = [
                next(mine, object),
                *(interface for c in kind.__mro__ for interface in getattr(c, "__jsii_ifaces__", ())),
            ]
            result: dict[tuple[str, str], dict[str, str]] = {}
            for below in kind.__mro__:
                if below is object or getattr(below, "__jsii_declared_type__", None) is not None:
                    break
                for name, item in vars(below).items():
                    if name.startswith("__"):
                        continue
                    for original in originals:
                        member = getattr(original, name, None)
                        sort = "method" if isinstance(item, FunctionType) else "property"
                        named = member if sort == "method" else getattr(member, "fget", None)
                        if foreign := getattr(named, "__jsii_name__", None):
                            result.setdefault((sort, foreign), {sort: foreign, "cookie": name})
                            break
            self._overrides[kind] = list(result.values())
        return self._overrides[kind]

    def _called(self, line: bytes) -> dict[str, Any]:
        """Call a Python object on behalf of Node."""
        callback = json.loads(line, object_hook=self._received)["callback"]
        answer: dict[str, Any] = {"cbid": callback["cbid"], "err": None, "result": None}
        try:
            if invoke := callback.get("invoke"):
                answer["result"] = self._sent(
                    _call(getattr(invoke["objref"], callback["cookie"]), invoke.get("args") or [])
                )
            elif get := callback.get("get"):
                answer["result"] = self._sent(getattr(get["objref"], callback["cookie"]))
            else:
                setattr(callback["set"]["objref"], callback["cookie"], callback["set"]["value"])
        except Exception as error:
            answer["err"] = str(error)
        return answer


def _call(method: Callable[..., Any], arguments: list[Any]) -> Any:
    """Call with the last struct expanded into keywords, if the method has keywords."""
    from inspect import Parameter, signature

    parameters = signature(method).parameters.values()
    keywords = [parameter.name for parameter in parameters if parameter.kind is Parameter.KEYWORD_ONLY]
    if keywords and len(arguments) > len(parameters) - len(keywords):
        *arguments, struct = arguments
        return method(*arguments, **{k: getattr(struct, k) for k in keywords if hasattr(struct, k)})
    return method(*arguments)


def _named(obj: Any) -> dict[str, Any]:
    return _encoded(obj.__jsii_ref__)


def _encoded(ref: ObjRef) -> dict[str, Any]:
    if ref.interfaces:
        return {"$jsii.byref": ref.ref, "$jsii.interfaces": ref.interfaces}
    return {"$jsii.byref": ref.ref}


def _load_class(ref: str) -> None:
    """Import the class of an object, if the lean copy has it in a file that is loaded on demand."""
    fqn = ref.rpartition("@")[0]
    types = _references()._types
    if fqn in types or "." not in fqn:
        return
    submodule = fqn.rpartition(".")[0] + "."
    module = next((kind.__module__ for name, kind in types.items() if name.startswith(submodule)), None)
    if module:
        getattr(sys.modules[module], fqn.rpartition(".")[2], None)


def _references() -> Any:
    return sys.modules["jsii._reference_map"]


KERNEL = Kernel()
start = KERNEL.start
