"""Extracts the checks of hashicorp/terraform-provider-aws from its sources, for the rehearsal.

`python -m tools.provider_checks CHECKOUT` writes `rehearsal/rules/provider.json.gz`: per type its source
file, rules per argument, and which arguments exclude or need one another. CHECKOUT has the provider's
folders `internal` and `names`; values of enumerations come from botocore's service models.

A checkout may be older than the provider that is rehearsed, so a check is kept only when all of it is
understood and nothing in it can have been relaxed since: lists of values that the SDK enumerates, limits that
the service's model confirms or that cannot change, and formats of texts. Lists and limits in the provider's
own code belong in the YAML files in `rehearsal/rules/`, after a review of each.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rehearsal.catalog import Catalog, catalog_path
from rehearsal.checks import GENERATED, usable, write_generated
from tierra.bindings.schema import Block, Nested
from tools import models
from tools.go import Call, Expression, Function, Literal, Name, Package, Text, read_package

Rule = dict[str, Any]
# Functions of the provider and of its SDK that take no arguments, as kinds of rehearsal/checks.py.
NAMED = {
    "verify.ValidARN": "arn",
    "verify.ValidAccountID": "account",
    "fwvalidators.AWSAccountID": "account",
    "verify.ValidBase64String": "base64",
    "validation.StringIsBase64": "base64",
    "verify.ValidCIDRNetworkAddress": "cidr",
    "verify.ValidIPv4CIDRNetworkAddress": "cidr4",
    "fwvalidators.IPv4CIDRNetworkAddress": "cidr4",
    "verify.ValidIPv6CIDRNetworkAddress": "cidr6",
    "fwvalidators.IPv6CIDRNetworkAddress": "cidr6",
    "validation.IsCIDR": "address_cidr",
    "validation.IsIPAddress": "ip",
    "validation.IsIPv4Address": "ip4",
    "fwvalidators.IPv4Address": "ip4",
    "validation.IsIPv6Address": "ip6",
    "fwvalidators.IPv6Address": "ip6",
    "verify.ValidIAMPolicyJSON": "policy",
    "validation.StringIsJSON": "json",
    "fwvalidators.JSON": "json",
    "verify.ValidOnceADayWindowFormat": "day_window",
    "verify.ValidOnceAWeekWindowFormat": "week_window",
    "verify.ValidUTCTimestamp": "utc",
    "validation.IsRFC3339Time": "rfc3339",
    "verify.ValidRegionName": "region",
    "verify.ValidServicePrincipal": "service",
    "validation.IsURLWithHTTPS": "https",
    "validation.IsURLWithHTTPorHTTPS": "http",
    "validation.StringIsNotEmpty": "filled",
    "validation.StringIsNotWhiteSpace": "filled",
    "validation.NoZeroValues": "filled",
    "validation.IsUUID": "uuid",
}
CUSTOM_TYPES = {
    "fwtypes.ARNType": "arn",
    "fwtypes.CIDRBlockType": "cidr",
    "fwtypes.IAMPolicyType": "policy",
    "jsontypes.NormalizedType": "json",
    "timetypes.RFC3339Type": "rfc3339",
}
ALL = (
    *("validation.ToDiagFunc", "validation.All", "validation.AllDiag", "stringvalidator.All"),
    *("setvalidator.ValueStringsAre", "listvalidator.ValueStringsAre"),
)
ANY = ("validation.Any", "validation.AnyDiag", "stringvalidator.Any", "int64validator.Any")
OTHERS = ("validation.", "stringvalidator.", "int64validator.", "float64validator.", "nullable.", "verify.")
GROUPS = {
    "ConflictsWith": "conflicts",
    "ExactlyOneOf": "exactly_one",
    "AtLeastOneOf": "at_least_one",
    "RequiredWith": "together",
}
DEEPEST = 8


class Unknown(Exception):
    """A part of a check that this module does not understand."""


class Values(list[Any]):
    """All values in the service's model; newer versions of the provider also allow newer values."""


NUMBERS = ("integer", "long", "float", "double")


def widened(rule: Rule, path: str, folder: str | None) -> Rule | None:
    """A rule of numbers with the limits of the current model, which are those of newer versions of the
    provider. A limit that the model does not confirm stays only if it cannot change: nothing negative, at
    most one hundred percent, a port. None if nothing is left."""
    key = "range" if "range" in rule else "length"
    low, high = rule[key]
    word = path.rpartition(".")[2].replace("_", "")
    sorts = NUMBERS if key == "range" else ("string",)
    limits = [(a, b) for sort, a, b in models.limits(folder).get(word, []) if sort in sorts] if folder else []
    lows = [a for a, _ in limits if a is not None]
    highs = [b for _, b in limits if b is not None]
    if key == "range":
        low = min([low, *lows]) if low is not None and lows else low if low in (None, 0, 1) else None
        high = (
            max([high, *highs])
            if high is not None and highs
            else high
            if high in (None, 100, 65535)
            else None
        )
    else:
        low = min([low, *lows]) if low is not None else None
        high = max([high, *highs]) if high is not None else None
    return None if low is None and high is None else {key: [low, high]}


class Reader:
    """Reads the types of one package of the provider."""

    def __init__(self, package: Package, names: dict[str, str]) -> None:
        self.package = package
        self.names = names

    # Values

    def text(
        self, expression: Expression, function: Function | None, arguments: dict[str, Expression]
    ) -> str:
        value = self.value(expression, function, arguments)
        if not isinstance(value, str):
            raise Unknown(str(expression))
        return value

    def value(self, expression: Expression, file: Any, arguments: dict[str, Expression]) -> Any:
        """The text, number or list that an expression stands for. Raises Unknown."""
        if isinstance(expression, Text):
            return expression.value
        if isinstance(expression, int | float):
            return expression
        if isinstance(expression, Name):
            return self._named_value(expression.name, file, arguments)
        if isinstance(expression, Literal) and str(expression.type) in (
            "[]string",
            "[]int",
            "[]interface{}",
            "[]any",
        ):
            return [self.value(element, file, arguments) for _, element in expression.elements]
        if isinstance(expression, Call):
            return self._called(expression, file, arguments)
        if isinstance(expression, tuple) and expression[0] == "bin":
            left, right = (self.value(operand, file, arguments) for operand in expression[2:])
            if expression[1] == "+":
                return left + right
            if expression[1] == "*":
                return left * right
            if expression[1] == "-":
                return left - right
        if isinstance(expression, tuple) and expression[0] == "un" and expression[1] == "-":
            return -self.value(expression[2], file, arguments)
        raise Unknown(str(expression))

    def _named_value(self, name: str, file: Any, arguments: dict[str, Expression]) -> Any:
        if name in ("true", "false"):
            return name == "true"
        if name in arguments:
            bound = arguments[name]
            return (
                bound
                if not isinstance(bound, Name | Call | Literal | Text | tuple)
                else self.value(bound, file, {})
            )
        if name.removeprefix("names.") in self.names and name.startswith("names."):
            return self.names[name.removeprefix("names.")]
        if name in ("math.MaxInt", "math.MaxInt32", "math.MaxInt64", "math.MaxInt16"):
            return {"6": 2**15 - 1, "2": 2**31 - 1}.get(name[-1], 2**63 - 1)
        if name in self.package.values:
            where, bound = self.package.values[name]
            return self.value(bound, where, {})
        head, _, last = name.rpartition(".")
        folder = self._imported(head, file)
        value = models.value_of(folder, last) if folder else None
        if value is not None:
            return value
        raise Unknown(name)

    def _imported(self, alias: str, file: Any) -> str | None:
        path = self.package.imports.get(file, {}).get(alias, "")
        match = re.search(r"aws-sdk-go(?:-v2)?/service/(\w+)", path)
        return models.service(match[1]) if match else None

    def _shape(self, name: str, file: Any) -> list[str]:
        head, _, last = name.rpartition(".")
        folder = self._imported(head, file)
        values = models.enums(folder).get(last.lower()) if folder else None
        if not values:
            raise Unknown(name)
        return Values(values)

    def _called(self, call: Call, file: Any, arguments: dict[str, Expression]) -> Any:
        name = call.name
        if (
            name in ("string", "int", "int64", "int32", "float64", "aws.ToString", "aws.String")
            and len(call.arguments) == 1
        ):
            return self.value(call.arguments[0], file, arguments)
        if name in ("enum.Values", "enum.Slice") and call.types:
            return self._shape(call.types[0], file)
        if name == "enum.Slice":
            return [self.value(argument, file, arguments) for argument in call.arguments]
        if name.endswith("_Values") and not call.arguments:
            if name in self.package.functions:
                return self._returned(name, call, arguments)
            return self._shape(name.removesuffix("_Values"), file)
        if name.endswith(".Values") and isinstance(call.base, Call | Literal):
            raise Unknown(name)
        if name == "append":
            first, *rest = (self.value(argument, file, arguments) for argument in call.arguments)
            more = [x for value in rest for x in (value if isinstance(value, list) else [value])]
            return type(first)([*first, *more])
        if name in self.package.functions:
            return self._returned(name, call, arguments)
        raise Unknown(name)

    def _returned(self, name: str, call: Call, arguments: dict[str, Expression]) -> Any:
        function = self.package.functions[name]
        if len(function.returns) != 1:
            raise Unknown(name)
        return self.value(function.returns[0], function.file, self._bind(function, call, arguments))

    def _bind(
        self, function: Function, call: Call, arguments: dict[str, Expression]
    ) -> dict[str, Expression]:
        given = [
            arguments.get(argument.name, argument) if isinstance(argument, Name) else argument
            for argument in call.arguments
        ]
        return dict(zip(function.parameters, given, strict=False))

    # Checks

    def rules(self, expression: Expression, file: Any, arguments: dict[str, Expression]) -> list[Rule]:
        """The rules of a validator. Raises Unknown."""
        if isinstance(expression, tuple) and expression[0] == "func":
            return function_rules(self, expression[1], file)
        if isinstance(expression, Name):
            name = expression.name
            if name in NAMED:
                return [{"is": NAMED[name]}]
            if name in ("validation.IsPortNumber", "validation.IsPortNumberOrZero"):
                return [{"range": [0 if name.endswith("Zero") else 1, 65535]}]
            if name == "verify.ValidKMSKeyID":
                return [{"length": [1, 2048]}]
            if name in self.package.functions:
                return function_rules(
                    self, self.package.functions[name].body, self.package.functions[name].file
                )
            if name in self.package.values:
                where, bound = self.package.values[name]
                return self.rules(bound, where, {})
            raise Unknown(name)
        if not isinstance(expression, Call):
            raise Unknown(str(expression))
        name = expression.name
        if name in NAMED and not expression.arguments:
            return [{"is": NAMED[name]}]
        last = name.rpartition(".")[2]
        if name in ALL:
            return self.all(expression.arguments, file, arguments)
        if name in ANY:
            return [{"any": [self.rules(argument, file, arguments) for argument in expression.arguments]}]
        if name == "verify.IsIPv4CIDRBlockOrIPv6CIDRBlock":
            both = [self.rules(argument, file, arguments) for argument in expression.arguments]
            sorts = zip(("cidr4", "cidr6"), both, strict=True)
            return [{"any": [[{"is": kind}, *rules] for kind, rules in sorts]}]
        if name == "verify.ValidARNCheck":
            return [{"is": "arn"}]
        if name in ("enum.Validate", "enum.FrameworkValidate", "enum.ValidateIgnoreCase"):
            key = "enum_any_case" if last.endswith("Case") else "enum"
            return [{key: list(self._shape(expression.types[0], file))}]
        if name in (
            "validation.StringMatch",
            "stringvalidator.RegexMatches",
            "validation.StringDoesNotMatch",
        ):
            key = "no_match" if "DoesNot" in name else "match"
            return [{key: pattern(self.regex(expression.arguments[0], file, arguments))}]
        if name.startswith(OTHERS):
            values = [self.value(argument, file, arguments) for argument in expression.arguments]
            if (rule := numbers(last, values)) is not None:
                return [rule]
            if last in ("StringInSlice", "IntInSlice"):
                return allowed("enum_any_case" if values[1:] == [True] else "enum", values[0])
            if last in ("OneOf", "OneOfCaseInsensitive"):
                flat = values[0] if len(values) == 1 and isinstance(values[0], list) else values
                return allowed("enum_any_case" if last != "OneOf" else "enum", flat)
            if last == "StringHasPrefix":
                return [{"match": "^" + re.escape(values[0])}]
        if name in self.package.functions:
            function = self.package.functions[name]
            if len(function.returns) == 1:
                bound = self._bind(function, expression, arguments)
                return self.rules(function.returns[0], function.file, bound)
        raise Unknown(name)

    def all(self, expressions: list[Expression], file: Any, arguments: dict[str, Expression]) -> list[Rule]:
        """The rules of all expressions; checks that are not understood are left out."""
        rules = []
        for expression in expressions:
            try:
                rules += self.rules(expression, file, arguments)
            except Unknown as unknown:
                MISSED[str(unknown)[:60]] += 1
        return rules

    def regex(self, expression: Expression, file: Any, arguments: dict[str, Expression]) -> str:
        if isinstance(expression, Call) and expression.name.endswith("MustCompile"):
            return self.text(expression.arguments[0], file, arguments)
        if isinstance(expression, Name) and expression.name in self.package.values:
            where, bound = self.package.values[expression.name]
            return self.regex(bound, where, {})
        raise Unknown(str(expression))

    # Schemas

    def literal(
        self, expression: Expression, file: Any, arguments: dict[str, Expression]
    ) -> tuple[Literal, Any, dict[str, Expression]]:
        """The composite literal that an expression, or the function that it calls, stands for."""
        for _ in range(DEEPEST):
            if isinstance(expression, tuple) and expression[0] == "un" and expression[1] == "&":
                expression = expression[2]
            elif isinstance(expression, Literal):
                return expression, file, arguments
            elif isinstance(expression, Call) and expression.name in self.package.functions:
                function = self.package.functions[expression.name]
                if len(function.returns) != 1:
                    break
                arguments = self._bind(function, expression, arguments)
                expression, file = function.returns[0], function.file
            elif isinstance(expression, Name) and expression.name in self.package.values:
                file, expression = self.package.values[expression.name]
            elif isinstance(expression, tuple) and expression[0] == "func":
                returns = self.package.function(expression[1], file).returns
                if len(returns) != 1:
                    break
                expression = returns[0]
            else:
                break
        raise Unknown(str(expression)[:60])

    def schema(
        self,
        entry: Entry,
        expression: Expression,
        prefix: str,
        file: Any,
        arguments: dict[str, Expression],
        depth: int = 0,
    ) -> None:
        """Adds the checks in a map of arguments."""
        if depth > DEEPEST:
            return
        try:
            mapping, file, arguments = self.literal(expression, file, arguments)
        except Unknown as unknown:
            MISSED[f"schema {unknown}"[:70]] += 1
            return
        for key, element in mapping.elements:
            try:
                name = self.text(key, file, arguments) if key is not None else ""
                entry.seen.add(f"{prefix}{name}")
                argument, where, bound = self.literal(element, file, arguments)
            except Unknown as unknown:
                MISSED[f"argument {unknown}"[:70]] += 1
                continue
            self.argument(entry, argument, f"{prefix}{name}", where, bound, depth)

    def argument(
        self,
        entry: Entry,
        argument: Literal,
        path: str,
        file: Any,
        arguments: dict[str, Expression],
        depth: int,
    ) -> None:
        members = {key.name: value for key, value in argument.elements if isinstance(key, Name)}
        for member in ("ValidateFunc", "ValidateDiagFunc"):
            if member in members and str(members.get("Type")) not in ("schema.TypeMap",):
                self.keep(entry, path, [members[member]], file, arguments)
        if "Validators" in members:
            listed = members["Validators"]
            if isinstance(listed, Literal):
                self.keep(
                    entry,
                    path,
                    [
                        validator
                        for _, validator in listed.elements
                        if not self.group(entry, path, validator, file)
                    ],
                    file,
                    arguments,
                )
        custom = members.get("CustomType")
        if isinstance(custom, Call) and custom.name == "fwtypes.StringEnumType" and custom.types:
            try:
                entry.rules(path).append({"enum": self._shape(custom.types[0], file)})
            except Unknown as unknown:
                MISSED[str(unknown)] += 1
        elif isinstance(custom, Name | Call | Literal):
            name = custom.name if isinstance(custom, Name | Call) else str(custom.type)
            if name in CUSTOM_TYPES:
                entry.rules(path).append({"is": CUSTOM_TYPES[name]})
        for member, group in GROUPS.items():
            if member in members:
                try:
                    paths = self.value(members[member], file, arguments)
                except Unknown:
                    continue
                entry.group(group, path, [re.sub(r"\.\d+(?=\.|$)", "", name) for name in paths])
        least = members.get("MinItems")  # the maximum is in the schema, or may have grown
        if isinstance(least, int):
            entry.rules(path).append({"items": [least, None]})
        self.inside(entry, members, path, file, arguments, depth)

    def inside(
        self,
        entry: Entry,
        members: dict[str, Expression],
        path: str,
        file: Any,
        arguments: dict[str, Expression],
        depth: int,
    ) -> None:
        inner: Any = members.get("Elem") or members.get("NestedObject") or members.get("ElementType")
        if inner is None:
            for member in ("Attributes", "Blocks"):
                if member in members:
                    self.schema(entry, members[member], f"{path}.", file, arguments, depth + 1)
            return
        try:
            literal, file, arguments = self.literal(inner, file, arguments)
        except Unknown:
            return
        if str(literal.type) in ("schema.Schema",):
            self.argument(entry, literal, path, file, arguments, depth)
        for key, element in literal.elements:
            if isinstance(key, Name) and key.name in ("Schema", "SchemaFunc", "Attributes", "Blocks"):
                self.schema(entry, element, f"{path}.", file, arguments, depth + 1)

    def model(self) -> str | None:
        """The folder in botocore of the service that most files of the package import."""
        services = Counter(
            imported[1]
            for aliases in self.package.imports.values()
            for path in aliases.values()
            if (imported := re.search(r"aws-sdk-go(?:-v2)?/service/(\w+)", path))
        )
        return models.service(services.most_common(1)[0][0]) if services else None

    def keep(
        self,
        entry: Entry,
        path: str,
        validators: list[Expression],
        file: Any,
        arguments: dict[str, Expression],
    ) -> None:
        if rules := self.all(validators, file, arguments):
            entry.rules(path).extend(rules)

    def group(self, entry: Entry, path: str, expression: Expression, file: Any) -> bool:
        """Whether a validator of the framework is about other arguments; if so, it is recorded."""
        if not isinstance(expression, Call):
            return False
        last = expression.name.rpartition(".")[2]
        kinds = {
            "ExactlyOneOf": "exactly_one",
            "ConflictsWith": "conflicts",
            "AtLeastOneOf": "at_least_one",
            "AlsoRequires": "together",
        }
        if last in ("SizeAtMost", "SizeAtLeast", "SizeBetween", "IsRequired"):
            try:
                values = [self.value(argument, file, {}) for argument in expression.arguments]
            except Unknown:
                return True
            low = 1 if last == "IsRequired" else None if last == "SizeAtMost" else values[0]
            high = values[-1] if last in ("SizeAtMost", "SizeBetween") else None
            high = 1 if high == 1 else None  # a larger number may have grown
            if low or high:
                entry.rules(path).append({"items": [low, high]})
            return True
        if last not in kinds:
            return False
        paths = [self.path_expression(argument, path, file) for argument in expression.arguments]
        if all(paths):
            entry.group(kinds[last], path, [name for name in paths if name])
        return True

    def path_expression(self, expression: Expression, path: str, file: Any) -> str | None:
        """`path.MatchRoot("a")`, `path.MatchRelative().AtParent().AtName("a")`."""
        if isinstance(expression, Call) and expression.name == "path.Expressions":
            return None
        if not isinstance(expression, Call) or not expression.arguments:
            return None
        try:
            name = self.text(expression.arguments[0], file, {})
        except Unknown:
            return None
        if expression.name in ("path.MatchRoot", "path.Root"):
            return name
        if expression.name.endswith("AtName") and "AtParent" in str(expression.base):
            return f"{path.rpartition('.')[0]}.{name}".lstrip(".")
        return None


MISSED: Counter[str] = Counter()


def numbers(last: str, values: list[Any]) -> Rule | None:
    """The rule of a function about limits, by the end of its name; None for other functions."""
    if last == "IsCIDRNetwork":
        return {"is": "cidr"}
    key = "length" if "Len" in last else "range"
    if re.fullmatch(r"(Int|Float|StringLen|Length|ValidateTypeStringNullableInt)?Between", last):
        return {key: values}
    if re.fullmatch(r"(Int|Float|Length|ValidateTypeStringNullableInt)?AtLeast", last):
        return {key: [values[0], None]}
    if re.fullmatch(r"(Int|Float|Length)?AtMost", last):
        return {key: [None, values[0]]}
    return None


def allowed(key: str, values: list[Any]) -> list[Rule]:
    """A rule for a list of values if the list is that of the model: a list in the provider's code may have
    grown since."""
    if isinstance(values, Values):
        return [{key: list(values)}]
    raise Unknown(f"list {values}")


class Entry:
    """The checks of a type."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.checks: dict[str, list[Rule]] = {}
        self.groups: dict[str, list[list[str]]] = {}
        self.seen: set[str] = set()

    def rules(self, path: str) -> list[Rule]:
        return self.checks.setdefault(path, [])

    def group(self, kind: str, path: str, paths: list[str]) -> None:
        if kind in ("exactly_one", "at_least_one"):
            listed = sorted({path, *paths})
        else:
            listed = [path, *sorted(set(paths) - {path})]
        groups = self.groups.setdefault(kind, [])
        if listed not in groups and len(listed) > 1:
            groups.append(listed)


POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "space": r"\s",
    "punct": r"!-/:-@\[-`{-~",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
    "print": " -~",
    "graph": "!-~",
}


def pattern(regex: str) -> str:
    """A Go pattern as a Python pattern with the same meaning. Raises Unknown if there is none."""
    regex = re.sub(r"\[:(\w+):\]", lambda m: POSIX.get(m[1], r"\p"), regex)
    if re.search(r"\\[pPCQEz]|\(\?[^:PiSsm]|\(\?P?<|\\x\{", regex):
        raise Unknown(f"pattern {regex}")
    translated, inside, index = "", False, 0
    while index < len(regex):
        char = regex[index]
        if char == "\\":
            translated += regex[index : index + 2]
            index += 2
            continue
        if char == "[" and not inside:
            inside = True
            if regex[index + 1 : index + 2] == "^":
                translated += "[^"
                index += 2
            else:
                translated += "["
                index += 1
            if regex[index : index + 1] == "]":
                translated += r"\]"
                index += 1
            continue
        if char == "]" and inside:
            inside = False
        if char == "[" and inside:
            char = r"\["
        if char == "$" and not inside:
            char = r"\Z"
        translated += char
        index += 1
    try:
        re.compile(translated, re.ASCII)
    except re.error as problem:
        raise Unknown(f"pattern {regex}: {problem}") from None
    return translated


_GUARD = re.compile(
    r'^if (?:value|val|v) == "" \{ return[^}]*\}$|^if len\((?:value|val)\) (?:== 0|< 1) \{ return[^}]*\}$'
)
_MATCH = re.compile(
    r"^if (!?)(regexache\.MustCompile\((`[^`]*`|\"(?:[^\"\\]|\\.)*\")\)|[A-Za-z_]\w*)"
    r"\.MatchString\((?:value|val|v)\) \{"
)
_LONG = re.compile(r"^if len\((?:value|val|v)\) > (\d+) \{")
_SHORT = re.compile(r"^if len\((?:value|val|v)\) < (\d+) \{")
_BETWEEN = re.compile(
    r"^if \(?len\((?:value|val|v)\) < (\d+)\)? \|\| \(?len\((?:value|val|v)\) > (\d+)\)? \{"
)
_BETWEEN_OTHER = re.compile(
    r"^if \(?len\((?:value|val|v)\) > (\d+)\)? \|\| \(?len\((?:value|val|v)\) < (\d+)\)? \{"
)
_NUMBER = re.compile(r"^if \(?(?:value|val|v) < (-?\d+)\)? \|\| \(?(?:value|val|v) > (-?\d+)\)? \{")


def function_rules(reader: Reader, body: Any, file: Any) -> list[Rule]:
    """The rules in a handwritten function, if each of its branches has a known form."""
    rules: list[Rule] = []
    optional = False
    source = body.text()
    if re.search(r"\b(switch|for|ToLower|ToUpper|TrimSpace|Split|TrimSuffix|TrimPrefix|else \{)", source):
        raise Unknown(f"function {source[:40]}")
    for statement in body.branches():
        if _GUARD.match(statement):
            optional = True
        elif match := _MATCH.match(statement):
            if match[3]:
                regex = match[3][1:-1] if match[3].startswith("`") else json.loads(match[3])
            else:
                regex = reader.regex(Name(match[2]), file, {})
            rules.append({"match" if match[1] else "no_match": pattern(regex)})
        elif match := _LONG.match(statement):
            rules.append({"length": [None, int(match[1])]})
        elif match := _SHORT.match(statement):
            rules.append({"length": [int(match[1]), None]})
        elif match := _BETWEEN.match(statement):
            rules.append({"length": [int(match[1]), int(match[2])]})
        elif match := _BETWEEN_OTHER.match(statement):
            rules.append({"length": [int(match[2]), int(match[1])]})
        elif match := _NUMBER.match(statement):
            rules.append({"range": [int(match[1]), int(match[2])]})
        else:
            MISSED[f"branch {statement[:50]}"] += 1
            if "return" in statement and "append" not in statement:
                raise Unknown(f"branch {statement[:50]}")
    if not rules:
        raise Unknown(f"function {source[:40]}")
    return [{"any": [[{"length": [0, 0]}], rules]}] if optional else rules


def types(package: Package, reader: Reader, folder: str) -> Iterator[tuple[str, str, Entry]]:
    """Kind, name and checks of each type of a package."""
    for function in package.functions.values():
        for kind, name in function.annotated:
            entry = Entry(f"{folder}/{function.file}")
            for expression in function.returns:
                try:
                    literal, file, arguments = reader.literal(expression, function.file, {})
                except Unknown:
                    continue
                for key, element in literal.elements:
                    if isinstance(key, Name) and key.name in ("Schema", "SchemaFunc"):
                        reader.schema(entry, element, "", file, arguments)
            yield kind, name, entry
    for methods in package.methods.values():
        metadata, described = methods.get("Metadata"), methods.get("Schema")
        named = metadata and re.search(r'TypeName = "(aws_\w+)"', metadata.body.text())
        if not metadata or not named or not described:
            continue
        entry = Entry(f"{folder}/{described.file}")
        for literal in described.body.literals("schema.Schema"):
            for key, element in literal.elements:
                if isinstance(key, Name) and key.name in ("Attributes", "Blocks"):
                    reader.schema(entry, element, "", described.file, {})
        validators = methods.get("ConfigValidators")
        if validators:
            for call in validators.body.calls("resourcevalidator."):
                last = call.name.rpartition(".")[2]
                kinds = {
                    "ExactlyOneOf": "exactly_one",
                    "Conflicting": "conflicts",
                    "AtLeastOneOf": "at_least_one",
                    "RequiredTogether": "together",
                }
                paths = [reader.path_expression(argument, "", validators.file) for argument in call.arguments]
                if last in kinds and all(paths):
                    first, *rest = [path for path in paths if path]
                    entry.group(kinds[last], first, rest)
        kind = "data" if "datasource." in metadata.body.signature else "resource"
        yield kind, named[1], entry


def refers(type_name: str, path: str) -> bool:
    """Whether an argument is likely to contain the ID of another resource: the rehearsal makes it up, and its
    format may differ from that of AWS."""
    name = path.rpartition(".")[2]
    match = re.fullmatch(r"(?:.+_)?(id|ids|identifier|identifiers|arn|arns)", name)
    noun = re.sub(r"_(id|identifier)$", "", name)
    return bool(match) and not type_name.endswith(f"_{noun}")


def of_form(rule: Rule) -> bool:
    """Whether a rule is about the format of a text."""
    return bool({"match", "no_match", "length", "any"} & set(rule))


def settle(entry: Entry, name: str, block: Block, folder: str | None) -> None:
    """Adapts the checks of an older version to the newer one with this schema."""
    for path, rules in entry.checks.items():
        judged = [rule for rule in rules if not (of_form(rule) and refers(name, path))]
        entry.checks[path] = [
            settled for rule in judged if (settled := _settled(rule, path, folder)) is not None
        ]
    for kind in ("exactly_one", "at_least_one"):
        for paths in entry.groups.get(kind, []):
            parent = paths[0].rpartition(".")[0]
            level = block.find(parent) if parent else Nested(block, "single")
            prefix = f"{parent}." if parent else ""
            if isinstance(level, Nested):
                there = {*level.block.attributes, *level.block.blocks}
                new = {name for name in there if f"{prefix}{name}" not in entry.seen} - {
                    "region",
                    "tags_all",
                    "id",
                }
                if new:
                    MISSED[f"{kind} {entry.source} {paths} may have grown by {sorted(new)}"] += 1
                    entry.groups[kind] = [members for members in entry.groups[kind] if members is not paths]
                    if kind == "exactly_one":
                        for path in paths:
                            entry.group("conflicts", path, [sibling for sibling in paths if sibling != path])


def _settled(rule: Rule, path: str, folder: str | None) -> Rule | None:
    if "range" in rule or "length" in rule:
        return rule if rule.get("length") == [0, 0] else widened(rule, path, folder)
    if "any" in rule:
        inner = [
            [settled for member in rules if (settled := _settled(member, path, folder)) is not None]
            for rules in rule["any"]
        ]
        return {"any": inner} if all(inner) else None
    return rule


def attribute_names(folder: Path) -> dict[str, str]:
    text = (folder / "names" / "attr_consts.go").read_text() + (folder / "names" / "names.go").read_text()
    return dict(re.findall(r'^\s*(\w+)\s*=\s*"([^"]*)"', text, re.M))


def extract(folder: Path) -> dict[str, dict[str, Any]]:
    """The checks of every type, by kind and name."""
    names = attribute_names(folder)
    catalog = Catalog(catalog_path())
    known = {kind: catalog.load("aws", kind) for kind in ("resource", "data")}
    result: dict[str, dict[str, Any]] = {"resource": {}, "data": {}}
    for service in sorted((folder / "internal" / "service").iterdir()):
        package = read_package(service)
        reader = Reader(package, names)
        for kind, name, entry in types(package, reader, f"internal/service/{service.name}"):
            type_ = known[kind].get(name)
            if type_ is None:
                continue
            settle(entry, name, type_.block, reader.model())
            cleaned = usable(type_.block, {"source": entry.source, "checks": entry.checks, **entry.groups})
            if cleaned:
                result[kind][name] = cleaned
    return result


def main() -> int:
    checks = extract(Path(sys.argv[1]))
    write_generated(GENERATED, checks)
    for kind, types_ in checks.items():
        sys.stdout.write(
            f"{kind}: {len(types_)} types, {sum(len(t['checks']) for t in types_.values())} arguments\n"
        )
    for what, times in MISSED.most_common(30):
        sys.stderr.write(f"{times:5} {what}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
