"""The expressions that are reasoned about: a formula in few operations, in one normal form."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple


class UndecidedError(Exception):
    """The question is left open; the message says why."""


class Expression(NamedTuple):
    """An operation on its arguments.

    Attributes
    ----------
    op : str
        ``"number"``, ``"pi"``, ``"x"``; ``"+"`` and ``"*"`` of any number of arguments (a product
        has its rational factor first); ``"**"`` (division is the power -1); ``"exp"``, ``"log"``,
        ``"sin"``, ``"cos"``, ``"arctan"``, ``"arcsinh"``, ``"erfc"``, ``"abs"``, ``"max"``,
        ``"floor"``; and ``"switch"`` of (u, a, b, c): a where u < 0, b where u = 0, c where u > 0.
    args : tuple of Expression
    value : Fraction
        Of a ``"number"``.
    """

    op: str
    args: tuple["Expression", ...] = ()
    value: Fraction = Fraction(0)

    def __str__(self) -> str:
        """Write it as a student would."""
        match self.op:
            case "number":
                return str(self.value)
            case "+":
                terms = sorted(map(str, self.args), key=lambda term: term.startswith("-"))
                return " + ".join(terms).replace("+ -", "- ")
            case "*":
                text = "*".join(_bracketed(t, "+") for t in self.args)
                return text.replace("-1*", "-", 1) if self.args[0] == MINUS_ONE else text
            case "**":
                return "^".join(_bracketed(t, "+", "*", "**") for t in self.args)
        return f"{self.op}({', '.join(map(str, self.args))})" if self.args else self.op


def _bracketed(t: Expression, *ops: str) -> str:
    simple = t.op not in ops and not (t.op == "number" and "**" in ops and "/" in str(t.value))
    return str(t) if simple else f"({t})"


def number(value: int | Fraction) -> Expression:
    """Expression of a rational number."""
    return Expression("number", (), Fraction(value))


ZERO, ONE, MINUS_ONE, TWO, HALF = (number(Fraction(v)) for v in ("0", "1", "-1", "2", "1/2"))
PI, X = Expression("pi"), Expression("x")


def subtrees(t: Expression) -> Iterator[Expression]:
    """`t` and everything in it, arguments first."""
    for argument in t.args:
        yield from subtrees(argument)
    yield t


def is_longer(t: Expression, most: int) -> bool:
    """Whether `t` has more than `most` parts, equal ones counted each time.

    Examples
    --------
    >>> is_longer(Expression("exp", (X,)), 2), is_longer(Expression("exp", (X,)), 1)
    (False, True)
    """
    waiting = [t]
    for _ in range(most):
        waiting += waiting.pop().args
        if not waiting:
            return False
    return True


def has(t: Expression, *ops: str) -> bool:
    """Whether one of the operations is in `t`."""
    return any(part.op in ops for part in subtrees(t))


def varies(t: Expression) -> bool:
    """Whether x is in `t`."""
    return has(t, "x")


def as_power(t: Expression) -> tuple[Expression, Fraction]:
    """Give base and exponent of a power with a rational exponent; else `t` and 1."""
    if t.op == "**" and t.args[1].op == "number":
        return t.args[0], t.args[1].value
    return t, Fraction(1)


def as_multiple(t: Expression) -> tuple[Fraction, tuple[Expression, ...]]:
    """Rational factor of `t`, and the other factors."""
    if t.op == "number":
        return t.value, ()
    if t.op != "*":
        return Fraction(1), (t,)
    if t.args[0].op == "number":
        return t.args[0].value, t.args[1:]
    return Fraction(1), t.args
