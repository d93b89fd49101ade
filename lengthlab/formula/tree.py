"""Typed text into a tree of known operations; nothing that is typed is ever executed.

Python's own parser gives operators their precedence. It sees only tokens that are known to be
harmless (`tokens`), and its syntax tree is walked with a list of what is allowed.
"""

import ast
import decimal
import functools
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NoReturn

from lengthlab.formula.names import ALIASES, ARITY
from lengthlab.formula.tokens import Token, number, refuse, tokens

DEEPEST = 100
"""Nodes inside each other: who walks a tree may do so recursively."""

TALLEST = 3
"""Powers in the exponent of a power: ``x^x^x^x`` has 3 in all."""

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_PRECEDENCE = {
    **dict.fromkeys(_COMPARISONS.values(), 1),
    "+": 2, "-": 2, "*": 3, "/": 3, "neg": 4, "**": 5,
}  # fmt: skip


@dataclass(frozen=True)
class Node:
    """An operation on its arguments; a tree is the node at its root.

    Attributes
    ----------
    op : str
        ``"number"``, ``"x"``, ``"pi"``, ``"e"``, ``"neg"``, ``"+"``, ``"-"``, ``"*"``, ``"/"``,
        ``"**"``, a comparison (``"<"``, ``"<="``, ``">"``, ``">="``, ``"=="``, ``"!="``; 1 where it
        holds, else 0), or a function of `names.FUNCTIONS`.
    args : tuple of Node
        ``"neg"`` and most functions have one, ``"max"``, ``"min"`` and the operators two,
        ``"where"`` three: condition (holds where it is not 0), then, else.
    value : Fraction or None
        Of a ``"number"``, exactly as typed; never negative. Else None.
    """

    op: str
    args: tuple["Node", ...] = ()
    value: Fraction | None = None

    def __str__(self) -> str:
        """Text that `parse` reads as this tree."""
        if self.op == "number":
            return _decimal(self.value or Fraction(0))
        if not self.args:
            return self.op
        mine = _PRECEDENCE.get(self.op)
        if mine is None:
            return f"{self.op}({', '.join(map(str, self.args))})"
        if self.op == "neg":
            return "-" + _bracketed(self.args[0], mine)
        left, right = self.args
        if self.op == "**":
            # A minus sign binds less than a power on its left, and more than one on its right.
            return f"{_bracketed(left, mine + 1)}^{_bracketed(right, 4)}"
        space = " " if mine < 3 else ""
        at_left = mine + 1 if mine == 1 else mine  # a chain of comparisons is refused
        sign = f"{space}{self.op}{space}"
        return f"{_bracketed(left, at_left)}{sign}{_bracketed(right, mine + 1)}"


def _bracketed(node: Node, at_least: int) -> str:
    return str(node) if _PRECEDENCE.get(node.op, 6) >= at_least else f"({node})"


def _decimal(value: Fraction) -> str:
    """Digits of a number; those that were typed are decimals and come out exactly."""
    with decimal.localcontext(prec=2000):
        digits = Decimal(value.numerator) / Decimal(value.denominator)
        exact = Fraction(digits) == value
        return str(digits.normalize()).lower() if exact else f"({value})"


X = Node("x")


def constant(value: int | Fraction) -> Node:
    """Node of a number."""
    number_node = Node("number", value=abs(Fraction(value)))
    return Node("neg", (number_node,)) if value < 0 else number_node


_SHORTHANDS: dict[str, Callable[..., Node]] = {
    "relu": lambda u: Node("max", (u, constant(0))),
    "square": lambda u: Node("**", (u, constant(2))),
    "reciprocal": lambda u: Node("/", (constant(1), u)),
    "negative": lambda u: Node("neg", (u,)),
    "positive": lambda u: u,
    "exp2": lambda u: Node("**", (constant(2), u)),
    "log2": lambda u: Node("/", (Node("log", (u,)), Node("log", (constant(2),)))),
    "log10": lambda u: Node("/", (Node("log", (u,)), Node("log", (constant(10),)))),
    "degrees": lambda u: Node("/", (Node("*", (u, constant(180))), Node("pi"))),
    "radians": lambda u: Node("/", (Node("*", (u, Node("pi"))), constant(180))),
    "clip": lambda u, low, high: Node("min", (Node("max", (u, low)), high)),
}
"""Each writes its arguments once: the tree is not larger than the text."""


def parse(text: str) -> Node:
    """Read a formula in x.

    Parameters
    ----------
    text : str
        At most 500 characters of numbers, ``x``, ``pi``, ``e``, ``+ - * /``, ``^`` or ``**`` for
        powers, comparisons, and the functions of `names.ARITY`. Powers bind before a minus
        sign: ``-x^2`` is ``-(x^2)``.

    Returns
    -------
    Node

    Raises
    ------
    TypeError
        If `text` is not a string.
    ValueError
        If it is no such formula; the message says where, and what to write instead.

    Notes
    -----
    Shorthands (``relu``, ``clip``, ``log2``, ...) and other spellings (``maximum``, ``asin``, ...)
    become the operations that `Node` lists; ``max(a, b, c)`` becomes ``max(max(a, b), c)``.

    Examples
    --------
    >>> print(parse("-x^2 + relu(x)"))
    -x^2 + max(x, 0)
    >>> parse("2^-x").op
    '**'
    """
    found = tokens(text)
    # A number goes in as its place in the list, so that Python converts none of what was typed.
    words = [str(k) if t.kind == "number" else t.text for k, t in enumerate(found)]
    starts, at = {}, 0
    for token, word in zip(found, words, strict=True):
        starts[at] = token
        at += len(word) + 1
    return _Reader(found, starts).read(ast.parse(" ".join(words), mode="eval").body)


class _Reader:
    """Python's syntax tree into ours, operation by operation that is allowed."""

    def __init__(self, found: list[Token], starts: dict[int, Token]) -> None:
        self.found, self.starts = found, starts

    def read(self, node: ast.expr, depth: int = 1, tower: int = 0) -> Node:
        if depth > DEEPEST:
            rule = f"have at most {DEEPEST} operations inside each other"
            self.refuse(rule, node, "write it flatter")
        deeper = depth + 1
        match node:
            case ast.Constant(value=int(place)):
                return constant(number(self.found[place]))
            case ast.Name(id=name):
                return Node(name)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand, deeper, tower)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Node("neg", (self.read(operand, deeper, tower),))
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
                op = _BINARY[type(operator)]
                taller = tower + (op == "**")
                if taller > TALLEST:
                    rule = f"have at most {TALLEST} powers on top of each other"
                    self.refuse(rule, node, "write it with fewer ^")
                return Node(op, (self.read(left, deeper, tower), self.read(right, deeper, taller)))
            case ast.Compare(left=left, ops=[sign], comparators=[right]):
                both = self.read(left, deeper, tower), self.read(right, deeper, tower)
                return Node(_COMPARISONS[type(sign)], both)
            case ast.Compare(comparators=[_, second, *_]):
                instead = "write (a < b)*(b < c) for a < b < c"
                self.refuse("compare two things at a time", second, instead)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in ARITY:
                self.check_arity(node, name, len(args))
                return _call(name, [self.read(arg, deeper, tower) for arg in args])
        self.refuse("have only operations that are allowed", node, "take it out")

    def check_arity(self, node: ast.expr, name: str, count: int) -> None:
        fewest, most = ARITY[name]
        if not fewest <= count <= most:
            letters = "abc"[:fewest] if fewest > 1 else "x"
            rule = f"give {name} {'at least ' * (most > fewest)}{fewest} argument"
            rule += "s" * (fewest > 1) + f", not {count}"
            self.refuse(rule, node, f"write {name}({', '.join(letters)})")

    def refuse(self, rule: str, node: ast.expr, instead: str) -> NoReturn:
        token = self.starts[node.col_offset]
        refuse(rule, token.text, token.start, instead)


def _call(name: str, args: list[Node]) -> Node:
    op = ALIASES.get(name, name)
    if op in _SHORTHANDS:
        return _SHORTHANDS[op](*args)
    if op in ("max", "min"):
        return functools.reduce(lambda left, right: Node(op, (left, right)), args)
    return Node(op, tuple(args))
