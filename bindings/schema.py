"""The argument schema of a provider, read from its installed cdktf bindings.

The bindings are compiled JavaScript and its type declarations, one module a resource type, inside
`<package>/_jsii/*.jsii.tgz`. Three places in them describe a type completely enough for terraform:

    index.js    `…ToHclTerraform`, `synthesizeHclAttributes`   every argument and block, with its type
    index.js    getters marked "computed: true"                what the provider fills in
    index.d.ts  `readonly name?:` of the config interfaces     which arguments and blocks are required

They do not say which optional arguments are also computed, which ones force replacement, and what the
defaults are: `rehearsal/facts/` does.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CtyType = str | list[Any]

PACKAGES = {"aws": "cdktf_cdktf_provider_aws", "helm": "cdktf_cdktf_provider_helm"}
KINDS = {"TerraformResource": "resource", "TerraformDataSource": "data", "TerraformProvider": "provider"}
PRIMITIVES = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}

_STRUCT = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{(.*?)^\}", re.S | re.M)
_CLASS = re.compile(r"^class (\w+) extends cdktf\.(\w+) \{(.*?)^\}", re.S | re.M)
_ARGUMENT = re.compile(
    r'^\s{8,12}"?(\w+)"?: \{\s*value: (.*?),\s*isBlock: (true|false),\s*'
    r'type: "(\w+)",\s*storageClassType: "(\w+)",',
    re.M,
)
_COMPUTED = re.compile(
    r"// (\w+) - computed: true, optional: (?:true|false), required: false\s*"
    r"(?:get \w+\(\) \{\s*return (.*?);|this\.(\w+) = )"
)
_COMPLEX = re.compile(r'this\.(\w+) = new (?:cdktf\.)?(\w+)\(this, "(\w+)"(?:, (true|false))?\)')
_INTERFACE = re.compile(r"^export interface (\w+)(?: extends [\w.]+)? \{(.*?)^\}", re.S | re.M)
_PROPERTY = re.compile(r"#(\w+) \w+#\w+\}(?:(?!\*/).)*?\*/\s*readonly \w+(\?)?:", re.S)
_TYPE_NAME = re.compile(r"terraformResourceType: '(\w+)'")


@dataclass(slots=True)
class Attribute:
    """One argument or computed attribute; `type` is cty's JSON form, such as `["set", "string"]`."""

    type: CtyType
    required: bool = False
    optional: bool = False
    computed: bool = False
    write_only: bool = False
    sensitive: bool = False


@dataclass(slots=True)
class Nested:
    """A nested block, or a nested attribute of the newer plugin framework (`attribute` says which)."""

    block: Block
    nesting: str
    required: bool = False
    single: bool = False
    attribute: bool = False
    computed: bool = False


@dataclass(slots=True)
class Block:
    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: dict[str, Nested] = field(default_factory=dict)

    def object_type(self) -> CtyType:
        """The cty object type of a value of this block."""
        members: dict[str, CtyType] = {name: a.type for name, a in self.attributes.items()}
        for name, nested in self.blocks.items():
            inner = nested.block.object_type()
            members[name] = inner if nested.nesting == "single" else [nested.nesting, inner]
        return ["object", members]


@dataclass(frozen=True, slots=True)
class TypeSchema:
    """A resource type, a data source type, or the provider's own configuration."""

    kind: str
    name: str
    block: Block


class Module:
    """One module of the bindings: its JavaScript and its declarations."""

    def __init__(self, javascript: str, declarations: str) -> None:
        self.javascript = javascript
        self.declarations = declarations

    @cached_property
    def structs(self) -> dict[str, str]:
        return {m[1]: m[2] for m in _STRUCT.finditer(self.javascript)}

    @cached_property
    def classes(self) -> dict[str, tuple[str, str]]:
        return {m[1]: (m[2], m[3]) for m in _CLASS.finditer(self.javascript)}

    @cached_property
    def required(self) -> dict[str, set[str]]:
        """Per config interface, the arguments that have no question mark."""
        return {
            m[1]: {p[1] for p in _PROPERTY.finditer(m[2]) if not p[2]}
            for m in _INTERFACE.finditer(self.declarations)
        }

    def schema(self) -> TypeSchema | None:
        """The schema of the type this module defines; None for a module that defines none."""
        for class_name, (base, body) in self.classes.items():
            if base in KINDS:
                type_name = _TYPE_NAME.search(body)
                arguments = body[body.find("synthesizeHclAttributes") :]
                block = self._block(arguments, body, self.required.get(f"{class_name}Config", set()))
                return TypeSchema(KINDS[base], type_name[1] if type_name else "", block)
        return None

    def _block(self, arguments: str, class_body: str, required: set[str]) -> Block:
        block = Block()
        complex_members = {m[1]: m.groups()[1:] for m in _COMPLEX.finditer(class_body)}
        filled = {m[1]: (m[2] or f"this.{m[3]}") for m in _COMPUTED.finditer(class_body)}
        single = {name for kind, name, _ in complex_members.values() if kind.endswith("OutputReference")}
        for name, _, is_block, collection, storage in _ARGUMENT.findall(arguments):
            needed = name in required
            if is_block == "true":
                self._add_nested(block, name, collection, storage, needed, name in single, name in filled)
            else:
                block.attributes[name] = Attribute(
                    _argument_type(collection, storage), required=needed, optional=not needed
                )
        for name, expression in filled.items():
            if name not in block.attributes and name not in block.blocks:
                type_ = self._computed_type(expression, complex_members)
                block.attributes[name] = Attribute(type_, computed=True)
        return block

    def _add_nested(
        self,
        block: Block,
        name: str,
        collection: str,
        storage: str,
        needed: bool,
        single: bool,
        computed: bool,
    ) -> None:
        inner = self._struct_block(storage.removesuffix("List").removesuffix("Map"))
        nesting = "single" if collection == "struct" else collection
        if computed:
            # A list that is argument and computed at once is an attribute of objects for terraform
            # (the SDK's "attributes as blocks"), such as `ingress` of aws_security_group.
            object_type = inner.object_type()
            type_ = object_type if nesting == "single" else [nesting, object_type]
            block.attributes[name] = Attribute(type_, optional=True, computed=True)
            return
        if nesting == "set" and _is_dynamic(inner):
            nesting = "list"
        one = single and nesting in ("list", "set")
        block.blocks[name] = Nested(inner, nesting, required=needed, single=one)

    def _struct_block(self, class_name: str) -> Block:
        key = class_name[:1].lower() + class_name[1:]
        body = self.classes.get(f"{class_name}OutputReference", ("", ""))[1]
        return self._block(self.structs.get(key, ""), body, self.required.get(class_name, set()))

    def _computed_type(
        self, expression: str, complex_members: dict[str, tuple[str | Any, ...]]
    ) -> CtyType:
        member = re.fullmatch(r"this\.(\w+)", expression)
        if not member:
            return _getter_type(expression)
        class_name, _, wraps_set = complex_members.get(member[1], ("StringMap", "", None))
        if class_name.endswith("Map") and f"{class_name}" in ("StringMap", "NumberMap", "BooleanMap"):
            return ["map", PRIMITIVES[class_name.removesuffix("Map").lower()]]
        if class_name == "StringMapList":
            return ["list", ["map", "string"]]
        element = class_name.removesuffix("OutputReference").removesuffix("List").removesuffix("Map")
        object_type = self._struct_block(element).object_type()
        if class_name.endswith("OutputReference"):
            return object_type
        if class_name.endswith("Map"):
            return ["map", object_type]
        return ["set" if wraps_set == "true" else "list", object_type]


def _argument_type(collection: str, storage: str) -> CtyType:
    if collection == "simple":
        return PRIMITIVES[storage]
    base, *wrappers = re.findall(r"string|number|boolean|any|List|Map", storage)
    type_: CtyType = PRIMITIVES[base]
    for wrapper in wrappers[:-1]:
        type_ = ["list" if wrapper == "List" else "map", type_]
    return [collection, type_]


def _getter_type(expression: str) -> CtyType:
    collection = "set" if "tolist" in expression else "list"
    if "getNumberListAttribute" in expression:
        return [collection, "number"]
    if "getListAttribute" in expression:
        return [collection, "string"]
    if "getNumberAttribute" in expression:
        return "number"
    return "bool" if "getBooleanAttribute" in expression else "string"


def _is_dynamic(block: Block) -> bool:
    """Whether a value of `any` type stands in the block; terraform refuses it inside a set."""
    return any(a.type == "dynamic" for a in block.attributes.values()) or any(
        _is_dynamic(nested.block) for nested in block.blocks.values()
    )


def modules(provider: str) -> Iterator[tuple[str, Module]]:
    """Every module of the installed bindings of `provider` ("aws" or "helm"), without importing them.

    Raises LookupError when the package is not installed.
    """
    spec = find_spec(PACKAGES[provider])
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"the package {PACKAGES[provider]} is not installed")
    archive = next(Path(next(iter(spec.submodule_search_locations)), "_jsii").glob("*.jsii.tgz"))
    texts: dict[str, dict[str, str]] = {}
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            parts = member.name.split("/")
            if len(parts) == 4 and parts[1] == "lib" and parts[3] in ("index.js", "index.d.ts"):
                content = tar.extractfile(member)
                if content is not None:
                    texts.setdefault(parts[2], {})[parts[3]] = content.read().decode()
                if len(texts[parts[2]]) == 2:
                    text = texts.pop(parts[2])
                    yield parts[2], Module(text["index.js"], text["index.d.ts"])


def schemas(provider: str) -> Iterator[TypeSchema]:
    """The schema of every type that the installed bindings of `provider` know."""
    for _, module in modules(provider):
        schema = module.schema()
        if schema is not None:
            yield schema
