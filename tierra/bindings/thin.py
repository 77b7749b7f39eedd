"""Makes the Python of a binding lean: the same classes and arguments, in half the time and memory. A binding
contains its signatures twice, once for people and once for the type check at run time. People and mypy read
the installed package; the lean copy keeps only the second, for runs with that check. Code that every struct
and property repeats is in one class. Values that need no request to Node are constants: the Terraform type of
a class, and properties that are plain references to an attribute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# Every binding has its own type check, reads the version of typeguard again, and resolves the same
# annotations at every call. The newer jsii has both in one place, and newer bindings are generated with the
# second line instead of the first block (see the `constructs` package).
_OWN_CHECK = (
    r"import typeguard\nfrom importlib\.metadata .*?(?=\n(?:from \.\.?_jsii import \*|import \w+\._jsii)\n)"
)
_SHARED_CHECK = "from jsii._type_checking import cached_type_hints, check_type\n"

_LAZY = "from __future__ import annotations\n"
_START = "from pkgutil import extend_path\n"

_STUB = re.compile(r"^def _typecheckingstub__\w+\(.*?^    pass\n", re.S | re.M)
_PARAMETER = re.compile(r"^        (\w+): [^\n]*?( = None)?,$", re.M)
_SETTER = re.compile(r"^(    def \w+\(self, \w+): (?:(?!, \w+: )[^\n=])*\) -> None:$", re.M)
_RESULT = re.compile(r"^(    def \w+\([^\n:]*\)|    \)) -> [^\n]*:$", re.M)
_CAST = re.compile(r"^( +return )typing\.cast\([^\n]*?, (result|jsii\.\w+\([^\n]*\))\)$", re.M)
_CLASS = re.compile(r'^class \w+\(.*?jsii_type="([^"]+)".*?(?=^[^\s)]|\Z)', re.S | re.M)
_ASKED = re.compile(r'jsii\.Field\("(\w+)"\)')
_TYPE = re.compile(
    r'    @jsii\.python\.classproperty\n    @jsii\.member\(jsii_name="tfResourceType"\)\n'
    r"    def TF_RESOURCE_TYPE\(cls\)[^\n]*\n(?:        '''.*?'''\n)?        return [^\n]*\n",
    re.S,
)
_SPLIT = re.compile(r"^    def (\w+)\(\n        self,\n    \):$", re.M)
_SPLIT_SETTER = re.compile(r"^    def (\w+)\(\n        self,\n        value,\n    \):$", re.M)
_DOCUMENTED = r"(?:        '''(?:(?!''').)*'''\n)?"
_GETTER = re.compile(
    r'    @builtins\.property\n    @jsii\.member\(jsii_name="(\w+)"\)\n    def (\w+)\(self\):\n'
    + _DOCUMENTED
    + r'        return jsii\.get\(self, "\1"\)\n'
    r"(?:\n    @\2\.setter\n    def \2\(self, value\):\n(?:        if __debug__:\n(?:            [^\n]*\n)+)?"
    r"        jsii\.set\(self, [^\n]*\n)?",
    re.S,
)
_RESET = re.compile(
    r'    @jsii\.member\(jsii_name="(reset\w+)"\)\n    def (\w+)\(self\):\n'
    + _DOCUMENTED
    + r'        return jsii\.invoke\(self, "\1", \[\]\)\n',
    re.S,
)
_FIELD = re.compile(
    r"    @builtins\.property\n    def \w+\(self\):\n(?:        '''(?:(?!''').)*'''\n)?"
    r'        result = self\._values\.get\("\w+"\)\n(?:        assert [^\n]*\n)?        return result\n\n',
    re.S,
)
_SAME = re.compile(
    r"    def __eq__\(self, rhs[^\n]*\n        return isinstance[^\n]*\n\n"
    r"    def __ne__\(self, rhs[^\n]*\n        return not [^\n]*\n\n"
    r"    def __repr__\(self\):\n        return [^\n]*\n            k \+[^\n]*\n        \)\n"
)
_STRUCT = re.compile(r"(^@jsii\.data_type\((?:(?!^class ).)*?^class \w+):\n", re.S | re.M)

_VALUE_CLASS = re.compile(
    r"^class (\w+)\(\n    _cdktf_\w+\.Complex(?:List|Map|Object),\n.*?(?=^[^\s)])", re.S | re.M
)
_PUBLISH = "publication.publish()\n"
VALUES = "values.py"
"""The file of a module with the classes of nested blocks as they are read, such as `EksClusterIdentityList`.
They are half of all classes, and hardly one is ever used."""
_VALUES_START = """\
import sys

globals().update({k: v for k, v in vars(sys.modules[__package__]).items() if not k.startswith("__")})


"""
_VALUES_LOADED = """\
def __getattr__(name):
    if name in __all__:
        from . import values

        return getattr(values, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
"""

_SCRIPT_CLASS = re.compile(r"^class (\w+) extends \S*?\b(Terraform\w+) \{(.*?)^\}", re.S | re.M)
_SCRIPT_STRING = re.compile(r"^    get (\w+)\(\) \{\s*return this\.getStringAttribute\('(\w+)'\);\s*\}", re.M)
_SCRIPT_TYPE = re.compile(r'^(\w+)\.tfResourceType = "(\w+)";', re.M)


@dataclass(frozen=True)
class Facts:
    """The facts of a class in the compiled script: its Terraform type, and which properties are
    references."""

    terraform_type: str
    references: Mapping[str, str] = field(default_factory=dict)


def class_facts(script: str) -> dict[str, Facts]:
    """The facts of every class of a script that has a Terraform type, by its name."""
    types = dict(_SCRIPT_TYPE.findall(script))
    facts = {name: Facts(kind) for name, kind in types.items()}
    for name, base, body in _SCRIPT_CLASS.findall(script):
        if name in types and base in ("TerraformResource", "TerraformDataSource"):
            start = "data." if base == "TerraformDataSource" else ""
            references = {
                asked: f"${{{start}{types[name]}.%s.{attribute}}}"
                for asked, attribute in _SCRIPT_STRING.findall(body)
            }
            facts[name] = Facts(types[name], references)
    return facts


def thin(text: str, facts: Mapping[str, Facts], shared_check: bool) -> str:
    """The lean Python of a module of bindings; `facts` by the full name that jsii has for a class. Unknown
    code stays as it is.
    """
    if shared_check:
        shared, count = re.subn(_OWN_CHECK, _SHARED_CHECK, text, flags=re.DOTALL)
        if count == 1:
            text = shared.replace("typing.get_type_hints(", "cached_type_hints(")
    if _LAZY not in text:
        text = text.replace(_START, _LAZY + _START, 1)
    text = _PARAMETER.sub(r"        \1\2,", text)
    text = _SETTER.sub(r"\1):", text)
    text = _RESULT.sub(r"\1:", text)
    text = _SPLIT_SETTER.sub(r"    def \1(self, value):", _SPLIT.sub(r"    def \1(self):", text))
    text = _CAST.sub(r"\1\2", text)
    text = _RESET.sub(r'    \2 = jsii.method("\1")\n', _GETTER.sub(r'    \2 = jsii.Field("\1")\n', text))
    text = _CLASS.sub(lambda match: _answered(match[0], facts.get(match[1])), text)
    text = _STRUCT.sub(r"\1(jsii.Struct):\n", _SAME.sub("", _FIELD.sub("", text)))
    return _STUB.sub(lambda stub: "if __debug__:\n" + re.sub(r"^(?=.)", "    ", stub[0], flags=re.M), text)


def parted(text: str) -> tuple[str, str | None]:
    """A lean module without the classes of nested blocks as they are read, and these as its file VALUES (None
    where there are none), which the module loads at the first use of one."""
    if _PUBLISH not in text or not _VALUE_CLASS.search(text):
        return text, None
    values = "".join(match[0] for match in _VALUE_CLASS.finditer(text))
    # `publish` would read each public name, and so load them.
    return _VALUE_CLASS.sub("", text).replace(_PUBLISH, _VALUES_LOADED), _VALUES_START + values


def _answered(text: str, facts: Facts | None) -> str:
    """A class with fewer requests to Node."""
    if facts is None:
        return text

    def reference(asked: re.Match[str]) -> str:
        known = facts.references.get(asked[1])
        return f'jsii.Field("{asked[1]}", "{known}")' if known else asked[0]

    text = _TYPE.sub(f'    TF_RESOURCE_TYPE = "{facts.terraform_type}"\n', text)
    return _ASKED.sub(reference, text)
