"""A parser for the subset of Go that schemas in the sources of a Terraform provider use: literals and
calls."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Expression = (
    Any  # Text, Name, Call, Literal, a number, or a tuple: ("bin", op, a, b), ("un", op, a), ("func", Body)
)

_TOKEN = re.compile(
    r"(?P<space>[ \t\r]+|/\*.*?\*/)|(?P<comment>//[^\n]*)|(?P<newline>\n)"
    r"|(?P<raw>`[^`]*`)|(?P<text>\"(?:[^\"\\\n]|\\.)*\")|(?P<rune>'(?:[^'\\\n]|\\.)+')"
    r"|(?P<number>0x[0-9a-fA-F]+|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign>:=|\.\.\.|&&|\|\||==|!=|<=|>=|<-|\+\+|--|\+=|-=|<<|>>|[^\s])",
    re.S,
)


SNUG = (".", ",", ")", "(", "[", "]")


@dataclass(frozen=True)
class Text:
    value: str


@dataclass(frozen=True)
class Name:
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass
class Call:
    name: str
    arguments: list[Expression]
    types: list[str] = field(default_factory=list)
    base: Expression = None


@dataclass
class Literal:
    type: Any
    elements: list[tuple[Expression, Expression]]


@dataclass
class Function:
    name: str
    parameters: list[str]
    body: Body
    file: str
    annotated: list[tuple[str, str]] = field(default_factory=list)

    @property
    def returns(self) -> list[Expression]:
        return self.body.returns()


class Tokens:
    """Tokens of a file, without comments; ends of lines are kept where a statement may end."""

    def __init__(self, text: str) -> None:
        self.kinds: list[str] = []
        self.values: list[str] = []
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup or ""
            if kind in ("space", "comment"):
                continue
            if kind == "newline":
                if not self.kinds or self.kinds[-1] == "newline":
                    continue
                last = self.values[-1]
                if not (
                    self.kinds[-1] in ("raw", "text", "rune", "number", "word")
                    or last in (")", "]", "}", "++", "--")
                ):
                    continue
            self.kinds.append(kind)
            self.values.append(match[0])

    def close(self, start: int) -> int:
        """The index of the bracket that closes the one at `start`."""
        depth = 0
        for index in range(start, len(self.values)):
            if self.kinds[index] != "sign":
                continue
            if self.values[index] in "([{":
                depth += 1
            elif self.values[index] in ")]}":
                depth -= 1
                if depth == 0:
                    return index
        raise SyntaxError("no closing bracket")


class Body:
    """The body of a function: tokens from `start` to `end`, without its braces."""

    def __init__(self, tokens: Tokens, start: int, end: int, signature: str = "") -> None:
        self.tokens, self.start, self.end, self.signature = tokens, start, end, signature

    def text(self) -> str:
        return self._text(self.start, self.end)

    def _text(self, start: int, end: int) -> str:
        text = ""
        for index in range(start, end):
            value, kind = self.tokens.values[index], self.tokens.kinds[index]
            if kind == "newline":
                text += " "
            elif text and (
                (text[-1] not in " (.[!" and value not in (".", ",", ")", "(", "[", "]"))
                or value in ("{", "}")
            ):
                text += f" {value}"
            else:
                text += value
        return re.sub(r"  +", " ", text)

    def returns(self) -> list[Expression]:
        """The first value of each return statement outside of inner functions."""
        expressions: list[Expression] = []
        local: dict[str, Expression] = {}
        index = self.start
        depth = 0
        while index < self.end:
            value, kind = self.tokens.values[index], self.tokens.kinds[index]
            if kind == "word" and value == "func":
                opening = _body_of(self.tokens, index)
                index = self.tokens.close(opening) + 1
                continue
            if kind == "sign" and value in "{":
                depth += 1
            elif kind == "sign" and value == "}":
                depth -= 1
            if (
                kind == "sign"
                and value == ":="
                and self.tokens.kinds[index - 1] == "word"
                and self.tokens.values[index - 2] != ","
            ):
                name = self.tokens.values[index - 1]
                try:
                    parser = Parser(self.tokens, index + 1)
                    local[name] = parser.expression()
                    index = max(parser.index, index + 1)
                    continue
                except (SyntaxError, IndexError, RecursionError):
                    pass
            if kind == "word" and value == "return" and self.tokens.kinds[index + 1] != "newline":
                parser = Parser(self.tokens, index + 1)
                try:
                    expression = parser.expression()
                except (SyntaxError, IndexError):
                    index += 1
                    continue
                if isinstance(expression, Name) and expression.name in local:
                    expression = local[expression.name]
                expressions.append(expression)
                index = max(parser.index, index + 1)
                continue
            index += 1
        return expressions

    def branches(self) -> Iterator[str]:
        """The text of each outermost `if` and of each of its `else if`."""
        index = self.start
        while index < self.end:
            if self.tokens.kinds[index] == "word" and self.tokens.values[index] == "if":
                opening = index
                while self.tokens.values[opening] != "{":
                    opening += 1
                closing = self.tokens.close(opening)
                yield self._text(index, closing + 1)
                index = closing + 1
                if self.tokens.values[index] == "else" and self.tokens.values[index + 1] == "{":
                    yield "else"
                continue
            index += 1

    def literals(self, type_name: str) -> Iterator[Literal]:
        for index in range(self.start, self.end - 3):
            head = "".join(self.tokens.values[index : index + 3])
            if head == type_name and self.tokens.values[index + 3] == "{":
                literal = Parser(self.tokens, index).expression()
                if isinstance(literal, Literal):
                    yield literal

    def calls(self, prefix: str) -> Iterator[Call]:
        for index in range(self.start, self.end - 1):
            if (
                self.tokens.kinds[index] == "word"
                and "".join(self.tokens.values[index : index + 2]) == prefix
            ):
                call = Parser(self.tokens, index).expression()
                if isinstance(call, Call):
                    yield call


def _body_of(tokens: Tokens, index: int) -> int:
    """The brace that opens the body of the function whose `func` is at `index`."""
    index += 1
    while tokens.values[index] != "(":
        index += 1
    index = tokens.close(index) + 1
    while True:
        value = tokens.values[index]
        if value in ("(", "["):
            index = tokens.close(index) + 1
        elif value in ("interface", "struct") and tokens.values[index + 1] == "{":
            index = tokens.close(index + 1) + 1
        elif value == "{":
            return index
        else:
            index += 1


class Parser:
    """A parser of expressions."""

    LEVELS = ({"||"}, {"&&"}, {"==", "!=", "<", ">", "<=", ">="}, {"+", "-", "|"}, {"*", "/", "%", "&", "<<"})

    def __init__(self, tokens: Tokens, index: int) -> None:
        self.tokens, self.index = tokens, index

    def peek(self) -> str:
        return self.tokens.values[self.index] if self.index < len(self.tokens.values) else ""

    def skip(self) -> None:
        while self.index < len(self.tokens.kinds) and self.tokens.kinds[self.index] == "newline":
            self.index += 1

    def take(self, value: str) -> None:
        if self.peek() != value:
            raise SyntaxError(f"{value} expected, {self.peek()} found")
        self.index += 1

    def expression(self, level: int = 0) -> Expression:
        if level == len(self.LEVELS):
            return self.unary()
        left = self.expression(level + 1)
        while self.peek() in self.LEVELS[level] and self.tokens.kinds[self.index] == "sign":
            sign = self.peek()
            self.index += 1
            self.skip()
            left = ("bin", sign, left, self.expression(level + 1))
        return left

    def unary(self) -> Expression:
        self.skip()
        if self.tokens.kinds[self.index] == "sign" and self.peek() in ("&", "-", "!", "*", "+", "^", "<-"):
            sign = self.peek()
            self.index += 1
            return ("un", sign, self.unary())
        return self.primary()

    def primary(self) -> Expression:
        kind, value = self.tokens.kinds[self.index], self.peek()
        result: Expression
        if kind == "raw":
            self.index += 1
            return Text(value[1:-1])
        if kind == "text":
            self.index += 1
            try:
                return Text(json.loads(value))
            except ValueError:
                return ("text", value)
        if kind == "rune":
            self.index += 1
            return ("rune", value)
        if kind == "number":
            self.index += 1
            plain = value.replace("_", "")
            return int(plain, 0) if re.fullmatch(r"0x\w+|\d+", plain) else float(plain)
        if value == "(":
            self.index += 1
            result = self.expression()
            self.skip()
            self.take(")")
            return self.after(result)
        if value == "func":
            opening = _body_of(self.tokens, self.index)
            closing = self.tokens.close(opening)
            self.index = closing + 1
            return self.after(("func", Body(self.tokens, opening + 1, closing)))
        if value in ("[", "map", "struct", "interface"):
            type_ = self.type()
            if self.peek() == "{":
                return self.after(self.composite(type_))
            return self.after(Name(type_))
        if kind == "word":
            self.index += 1
            return self.after(Name(value))
        raise SyntaxError(value)

    def type(self) -> str:
        value = self.peek()
        if value == "[":
            closing = self.tokens.close(self.index)
            inside = "".join(self.tokens.values[self.index : closing + 1])
            self.index = closing + 1
            return inside + self.type()
        if value == "map":
            self.index += 1
            closing = self.tokens.close(self.index)
            inside = "".join(self.tokens.values[self.index : closing + 1])
            self.index = closing + 1
            return f"map{inside}{self.type()}"
        if value == "*":
            self.index += 1
            return f"*{self.type()}"
        if value in ("interface", "struct"):
            closing = self.tokens.close(self.index + 1)
            self.index = closing + 1
            return f"{value}{{}}"
        if value == "func":
            raise SyntaxError("type of a function")
        name = value
        self.index += 1
        while self.peek() == ".":
            name += f".{self.tokens.values[self.index + 1]}"
            self.index += 2
        if self.peek() == "[":
            closing = self.tokens.close(self.index)
            self.index = closing + 1
        return name

    def after(self, result: Expression) -> Expression:
        types: list[str] = []
        while True:
            value = self.peek()
            if value == ".":
                self.index += 1
                self.skip()
                last = self.peek()
                if last == "(":
                    self.index = self.tokens.close(self.index) + 1
                    result = ("cast", result)
                    continue
                self.index += 1
                if isinstance(result, Name):
                    result = Name(f"{result.name}.{last}")
                else:
                    result = ("member", result, last)
            elif value == "(":
                arguments = [argument for _, argument in self.elements(")")]
                if isinstance(result, Name):
                    result = Call(result.name, arguments, types)
                elif isinstance(result, tuple) and result[0] == "member":
                    result = Call(f".{result[2]}", arguments, [], result[1])
                else:
                    result = Call("", arguments, [], result)
                types = []
            elif value == "[":
                closing = self.tokens.close(self.index)
                types = [t for t in "".join(self.tokens.values[self.index + 1 : closing]).split(",") if t]
                self.index = closing + 1
            elif value == "{" and isinstance(result, Name):
                result = self.composite(result.name)
            else:
                return result

    def composite(self, type_: Any) -> Literal:
        return Literal(type_, self.elements("}"))

    def elements(self, end: str) -> list[tuple[Expression, Expression]]:
        self.index += 1
        elements: list[tuple[Expression, Expression]] = []
        while True:
            self.skip()
            if self.peek() == end:
                self.index += 1
                return elements
            key, element = None, self.element()
            self.skip()
            if self.peek() == ":":
                self.index += 1
                self.skip()
                key, element = element, self.element()
            elements.append((key, element))
            self.skip()
            if self.peek() == "...":
                self.index += 1
            if self.peek() == ",":
                self.index += 1
            elif self.peek() != end:
                self.skip()
                if self.peek() != end:
                    raise SyntaxError(f"{self.peek()} in a list")

    def element(self) -> Expression:
        if self.peek() == "{":
            return self.composite(None)
        return self.expression()


@dataclass
class Package:
    functions: dict[str, Function] = field(default_factory=dict)
    methods: dict[str, dict[str, Function]] = field(default_factory=dict)
    values: dict[str, tuple[str, Expression]] = field(default_factory=dict)
    imports: dict[str, dict[str, str]] = field(default_factory=dict)

    def function(self, body: Body, file: str) -> Function:
        return Function("", [], body, file)


_ANNOTATION = re.compile(r'//\s*@SDK(Resource|DataSource)\("(aws_\w+)"')


def read_package(folder: Path) -> Package:
    """The functions, constants and variables of the Go files in a folder."""
    package = Package()
    for path in sorted(folder.glob("*.go")):
        if not path.name.endswith("_test.go"):
            _read_file(package, path)
    return package


def _read_file(package: Package, path: Path) -> None:
    text = path.read_text()
    tokens = Tokens(text)
    package.imports[path.name] = imports = {}
    block = re.search(r"^import \((.*?)^\)", text, re.S | re.M)
    for alias, imported in re.findall(r'^\s*(\w+ )?"([^"]+)"', block[1] if block else "", re.M):
        imports[(alias.strip() or re.sub(r"/v\d+$", "", imported).rpartition("/")[2])] = imported
    annotated: dict[str, list[tuple[str, str]]] = {}
    for match in re.finditer(r"((?:^//[^\n]*\n)+)^func (\w+)\(", text, re.M):
        for kind, name in _ANNOTATION.findall(match[1]):
            annotated.setdefault(match[2], []).append(("resource" if kind == "Resource" else "data", name))
    index = 0
    while index < len(tokens.values):
        value = tokens.values[index]
        if value == "func":
            index = _read_function(package, tokens, index, path.name, annotated)
        elif value in ("const", "var"):
            index = _read_values(package, tokens, index + 1, path.name)
        elif value in ("type", "import") and "{" in tokens.values[index : index + 6]:
            opening = tokens.values.index("{", index)
            index = tokens.close(opening) + 1
        elif value in ("(", "{", "["):
            index = tokens.close(index) + 1
        else:
            index += 1


def _read_function(
    package: Package, tokens: Tokens, index: int, file: str, annotated: dict[str, list[tuple[str, str]]]
) -> int:
    opening = _body_of(tokens, index + 1 if tokens.values[index + 1] != "(" else tokens.close(index + 1))
    closing = tokens.close(opening)
    signature = " ".join(tokens.values[index:opening]).replace(" . ", ".")
    body = Body(tokens, opening + 1, closing, signature)
    at = index + 1
    receiver = ""
    if tokens.values[at] == "(":
        end = tokens.close(at)
        receiver = tokens.values[end - 1]
        at = end + 1
    name = tokens.values[at]
    at += 1
    if tokens.values[at] == "[":
        at = tokens.close(at) + 1
    end = tokens.close(at)
    parameters = []
    for position in range(at + 1, end):
        if tokens.kinds[position] == "word" and tokens.values[position - 1] in ("(", ","):
            parameters.append(tokens.values[position])
    function = Function(name, parameters, body, file, annotated.get(name, []))
    if receiver:
        package.methods.setdefault(receiver, {})[name] = function
    else:
        package.functions[name] = function
    return closing + 1


def _read_values(package: Package, tokens: Tokens, index: int, file: str) -> int:
    many = tokens.values[index] == "("
    end = tokens.close(index) if many else len(tokens.values)
    index += many
    while index < end:
        if tokens.kinds[index] == "word" and (
            not many or tokens.kinds[index - 1] == "newline" or tokens.values[index - 1] == "("
        ):
            name, at = tokens.values[index], index + 1
            while at < end and tokens.values[at] != "=" and tokens.kinds[at] != "newline":
                at += 1
            if at < end and tokens.values[at] == "=":
                parser = Parser(tokens, at + 1)
                try:
                    package.values[name] = (file, parser.expression())
                    index = parser.index
                except (SyntaxError, IndexError):
                    index = at
            else:
                index = at
            if not many:
                return index
        else:
            index += 1
    return end + 1
