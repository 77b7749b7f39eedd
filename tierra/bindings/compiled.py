"""Reads the schema of every type from the compiled JavaScript of a provider's bindings, of cdktf or cdktn.

The bindings are one folder a resource type inside `<package>/_jsii/*.jsii.tgz` (the largest types keep
their blocks in a folder `index-structs` below it). Three places describe a type well enough for terraform:

    *.js    `…ToHclTerraform`, `synthesizeHclAttributes`   every argument and block, with its type
    *.js    getters marked "computed: true"                what the provider fills in
    *.d.ts  `readonly name?:` of the config interfaces     which arguments and blocks are required

They do not contain which optional arguments are also computed, which ones force replacement, and the
defaults: `rehearsal/facts/` does.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from tierra.bindings.schema import Attribute, Block, CtyType, Nested, TypeSchema

KINDS = {"TerraformResource": "resource", "TerraformDataSource": "data", "TerraformProvider": "provider"}
# How deep a struct may be nested in itself.
DEEPEST = 2
PRIMITIVES = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
MAPS = {"StringMap": "string", "NumberMap": "number", "BooleanMap": "bool"}
META_ARGUMENTS = ("cdktf.TerraformMetaArguments", "cdktn.TerraformMetaArguments")

# Arguments of objects that the bindings cannot tell from blocks. Source: the provider's schema, 6.25.0.
ATTRIBUTES_OF_OBJECTS = {
    "aws_bedrockagent_agent": ["guardrail_configuration"],
    "aws_emr_cluster": ["placement_group_config"],
    "aws_lexv2models_bot_version": ["locale_specification"],
    "aws_odb_cloud_autonomous_vm_cluster": ["maintenance_window.days_of_week", "maintenance_window.months"],
    "aws_odb_cloud_exadata_infrastructure": ["customer_contacts_to_send_to_oci"],
    "aws_s3tables_table_bucket": ["encryption_configuration"],
}

_STRUCT = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{(.*?)^\}", re.S | re.M)
_CLASS = re.compile(r"^class (\w+) extends cdkt[fn]\.(\w+) \{(.*?)^\}", re.S | re.M)
_ARGUMENT = re.compile(
    r'^\s{8,12}"?(\w+)"?: \{\s*value: (.*?),\s*isBlock: (true|false),\s*'
    r'type: "(\w+)",\s*storageClassType: "(\w+)",',
    re.M,
)
_STRUCT_OF_VALUE = re.compile(r"(\w+)ToHclTerraform\b")
_COMPUTED = re.compile(
    r"// (\w+) - computed: true, optional: (?:true|false), required: false\s*"
    r"(?:_\w+;\s*)?(?:get \w+\(\) \{\s*return (.*?);|(?:this\.)?(_\w+) = )"
)
_COMPLEX = re.compile(r'(?:this\.)?(_\w+) = new (?:\w+\.)?(\w+)\(this, "(\w+)"(?:, (true|false))?\)')
_INTERFACE = re.compile(r"^export interface (\w+)(?: extends ([\w.]+))? \{(.*?)^\}", re.S | re.M)
_PROPERTY = re.compile(r"#(\w+) \w+#\w+\}(?:(?!\*/).)*?\*/\s*readonly \w+(\?)?:", re.S)
_PROVIDER_VERSION = re.compile(r"providerVersion: '([\d.]+)'")
_TYPE_NAME = re.compile(r"terraformResourceType: '(\w+)'")


class Module:
    """The module of one type: its JavaScript and its declarations."""

    def __init__(self, javascript: str, declarations: str) -> None:
        self.javascript = javascript
        self.declarations = declarations
        self._open: list[str] = []

    @cached_property
    def structs(self) -> dict[str, str]:
        return {m[1]: m[2] for m in _STRUCT.finditer(self.javascript)}

    @cached_property
    def classes(self) -> dict[str, tuple[str, str]]:
        return {m[1]: (m[2], m[3]) for m in _CLASS.finditer(self.javascript)}

    @cached_property
    def required(self) -> dict[str, set[str]]:
        """The arguments without a question mark, by config interface; "" is that of the type itself."""
        return {
            "" if m[2] in META_ARGUMENTS else m[1]: {p[1] for p in _PROPERTY.finditer(m[3]) if not p[2]}
            for m in _INTERFACE.finditer(self.declarations)
        }

    def schema(self) -> TypeSchema | None:
        """The schema of the type this module defines; None for a module that defines none."""
        for class_name, (base, body) in self.classes.items():
            if base in KINDS:
                match = _TYPE_NAME.search(body)
                arguments = body[body.find("synthesizeHclAttributes") :]
                own = "" if "" in self.required else f"{class_name}Config"
                block = self._block(arguments, body, self.required.get(own, set()))
                name = match[1] if match else ""
                for path in ATTRIBUTES_OF_OBJECTS.get(name, []) if KINDS[base] == "resource" else []:
                    _make_attribute(block, path)
                return TypeSchema(KINDS[base], name, block)
        return None

    def _block(self, arguments: str, class_body: str, required: set[str]) -> Block:
        block = Block()
        members = {m[1]: (m[2], m[4] == "true") for m in _COMPLEX.finditer(class_body)}
        single = {m[3] for m in _COMPLEX.finditer(class_body) if m[2].endswith("OutputReference")}
        filled = {m[1]: (m[2] or f"this.{m[3]}") for m in _COMPUTED.finditer(class_body)}
        for name, value, is_block, collection, storage in _ARGUMENT.findall(arguments):
            needed = name in required
            if is_block == "false":
                type_ = _argument_type(collection, storage)
                block.attributes[name] = Attribute(type_, required=needed, optional=not needed)
                continue
            struct = _STRUCT_OF_VALUE.search(value)
            inner = self._struct_block(struct[1] if struct else "")
            if name in filled:
                block.attributes[name] = _object_attribute(inner, collection)
            else:
                block.blocks[name] = _nested(inner, collection, needed, name in single)
        for name, expression in filled.items():
            if name not in block.attributes and name not in block.blocks:
                block.attributes[name] = Attribute(self._computed_type(expression, members), computed=True)
        return block

    def _struct_block(self, name: str) -> Block:
        """The block of the struct with that function name; its class is the same name with a capital.

        A struct that contains itself (a statement of WAF) is expanded to the depth DEEPEST.
        """
        if self._open.count(name) == DEEPEST:
            return Block()
        class_name = name[:1].upper() + name[1:]
        body = self.classes.get(f"{class_name}OutputReference", ("", ""))[1]
        self._open.append(name)
        try:
            return self._block(self.structs.get(name, ""), body, self.required.get(class_name, set()))
        finally:
            self._open.pop()

    def _computed_type(self, expression: str, members: dict[str, tuple[str, bool]]) -> CtyType:
        member = re.fullmatch(r"this\.(\w+)", expression)
        if not member:
            return _getter_type(expression)
        class_name, wraps_set = members.get(member[1], ("StringMap", False))
        if class_name in MAPS:
            return ["map", MAPS[class_name]]
        if class_name.removesuffix("List") in MAPS:
            return ["list", ["map", MAPS[class_name.removesuffix("List")]]]
        base = self.classes.get(class_name, ("", ""))[0]
        suffix = {"ComplexList": "List", "ComplexMap": "Map"}.get(base, "OutputReference")
        element = class_name.removesuffix(suffix)
        object_type = self._struct_block(element[:1].lower() + element[1:]).object_type()
        if suffix == "OutputReference":
            return object_type
        return ["map" if suffix == "Map" else "set" if wraps_set else "list", object_type]


def _nested(inner: Block, collection: str, needed: bool, single: bool) -> Nested:
    nesting = "single" if collection == "struct" else collection
    if nesting == "set" and inner.dynamic:
        nesting = "list"
    return Nested(inner, nesting, required=needed, single=single and nesting in ("list", "set"))


def _object_attribute(inner: Block, collection: str) -> Attribute:
    """A list that is argument and computed at once: for terraform an attribute of objects.

    (The SDK's "attributes as blocks", such as `ingress` of aws_security_group.)
    """
    type_ = inner.object_type()
    return Attribute(type_ if collection == "struct" else [collection, type_], optional=True, computed=True)


def _make_attribute(block: Block, path: str) -> None:
    """Turn the block at a dotted path into an attribute of objects, unless it is one already."""
    first, _, rest = path.partition(".")
    if first not in block.blocks:
        return
    if rest:
        _make_attribute(block.blocks[first].block, rest)
        return
    nested = block.blocks.pop(first)
    object_type = nested.block.object_type()
    type_ = object_type if nested.nesting == "single" else [nested.nesting, object_type]
    block.attributes[first] = Attribute(type_, required=nested.required, optional=not nested.required)


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


def provider_version(archive: Path) -> str:
    """The version of the provider that the bindings were generated from. Raises LookupError if they do not
    contain it."""
    for module in modules(archive):
        if match := _PROVIDER_VERSION.search(module.javascript):
            return match[1]
    raise LookupError(f"{archive.name} does not say its provider's version")


def modules(archive: Path) -> Iterator[Module]:
    """Every module of the bindings in that assembly, `….jsii.tgz`, without importing them."""
    texts: dict[str, dict[str, str]] = {}
    structs: dict[str, list[str]] = {}
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            parts = member.name.split("/")
            if len(parts) < 4 or parts[1] != "lib" or not member.name.endswith((".js", ".d.ts")):
                continue
            content = tar.extractfile(member)
            text = content.read().decode() if content else ""
            if parts[3] == "index-structs":
                structs.setdefault(parts[2], []).append(text)
                continue
            texts.setdefault(parts[2], {})[parts[3]] = text
            if len(texts[parts[2]]) == 2 and 'require("./index-structs' not in texts[parts[2]]["index.js"]:
                whole = texts.pop(parts[2])
                yield Module(whole["index.js"], whole["index.d.ts"])
    for folder, parts_of_it in structs.items():
        everything = "\n".join([*texts[folder].values(), *parts_of_it])
        yield Module(everything, everything)


def schemas(archive: Path) -> Iterator[TypeSchema]:
    """The schema of every type of the bindings in that assembly."""
    for module in modules(archive):
        schema = module.schema()
        if schema is not None:
            yield schema
