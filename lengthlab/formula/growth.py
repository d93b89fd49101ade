"""How a formula grows, where simple rules over the tree tell it (`leading`)."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lengthlab.formula.leading import (
    ONE,
    SLOW,
    ZERO,
    Below,
    Constant,
    Exponential,
    NoValue,
    Power,
    Side,
    Zero,
    absolute,
    add,
    constant_power,
    degree_of,
    exp,
    inverse,
    log,
    multiply,
    negative,
    power,
    rate_of,
    sign_of,
    upper,
    upper_degree,
)
from lengthlab.formula.roots import varies
from lengthlab.formula.tree import Node
from lengthlab.formula.values import Values


@dataclass(frozen=True)
class Growth:
    """What is known of phi at infinity.

    Attributes
    ----------
    growth : float or None
        ``limsup log|phi| / x^2`` if it is positive, 0 if it is not, None if it is not known.
    degree : float or None
        ``|phi(x)| <= C (1 + |x|^degree)`` far out, if that is known.
    """

    growth: float | None
    degree: float | None


def growth(tree: Node) -> Growth:
    """Growth of phi, which is 0 where the formula has no value.

    Examples
    --------
    >>> from lengthlab.formula.tree import parse
    >>> growth(parse("x^2*normcdf(x) + cos(x)"))
    Growth(growth=0.0, degree=2.0)
    >>> growth(parse("exp(x^2/10)/cosh(x)"))
    Growth(growth=0.1, degree=None)
    >>> growth(parse("exp(x^2*sin(x))"))
    Growth(growth=None, degree=None)
    """
    sides = [_side(tree, sign) for sign in (-1, 1)]
    rates, degrees = [rate_of(side) for side in sides], [degree_of(side) for side in sides]
    known_rates = [rate for rate in rates if rate is not None]
    known_degrees = [degree for degree in degrees if degree is not None]
    return Growth(
        max(known_rates) if len(known_rates) == 2 else None,
        max(known_degrees) if len(known_degrees) == 2 else None,
    )


def _side(tree: Node, side: int) -> Side:
    """Leading behaviour on the side of `side` times infinity."""
    if tree.op == "x":
        return Power(side, 1.0)
    if not varies(tree):
        return _constant(tree)
    args = [_side(arg, side) for arg in tree.args]
    if tree.op != "where" and any(isinstance(arg, NoValue) for arg in args):
        return NoValue()
    rule = _RULES.get(tree.op)
    return rule(*args) if rule else None


def _constant(tree: Node) -> Side:
    value = float(Values(tree).or_nan(np.zeros(1))[0])
    if math.isnan(value):
        return NoValue()
    if math.isinf(value):
        return None
    return Constant(value, 0.0) if value else ZERO


def _max(u: Side, v: Side) -> Side:
    sign = sign_of(add(u, negative(v)))
    return u if sign > 0 else v if sign < 0 else upper(u, v)


def _where(condition: Side, u: Side, v: Side) -> Side:
    match condition:
        case NoValue():
            return condition
        case Power():
            return u
        case Zero():
            return v
    return u if u == v else upper(u, v)


def _compare(below: int, above: int) -> Callable[[Side, Side], Side]:
    """Rule of a comparison that gives `below` where u < v, and `above` where u > v."""

    def rule(u: Side, v: Side) -> Side:
        sign = sign_of(add(u, negative(v)))
        holds = below if sign < 0 else above
        return Below(0.0) if sign == 0 else Constant(1.0, 0.0) if holds else ZERO

    return rule


def _grows(u: Side) -> bool:
    match u:
        case Power(degree=degree):
            return degree > 0
        case Exponential(rate=rate):
            return rate > 0
    return False


def _saturate(limit: float) -> Callable[[Side], Side]:
    """Rule of an odd function that tends to `limit`."""
    return lambda u: Power(sign_of(u) * limit, 0.0) if _grows(u) else Below(0.0)


def _normcdf(u: Side) -> Side:
    match u:
        case Power(factor, degree) if degree > 0 and factor < 0:
            return Exponential(1, -factor * factor / 2, 2 * degree)
        case Exponential(sign, rate, _) if rate > 0 and sign < 0:
            return Exponential(1, -1.0, math.inf)
    return Power(1.0, 0.0) if _grows(u) else Below(0.0)


def _scaled(factor: float, u: Side) -> Side:
    return multiply(Constant(factor, 0.0), u)


def _arcsinh(u: Side) -> Side:
    if isinstance(u, Exponential) and u.rate > 0:
        return Power(u.sign * u.rate, u.degree) if u.degree < math.inf else None
    degree = upper_degree(u)
    return None if degree is None else Below(SLOW if degree > 0 else 0.0)


def _arccosh(u: Side) -> Side:
    return NoValue() if sign_of(u) < 0 else _arcsinh(u) if _grows(u) else None


def _arctanh(u: Side) -> Side:
    degree = upper_degree(u)
    if _grows(u):
        return NoValue()
    return Below(0.0) if degree is not None and degree < 0 else None


def _rounded(u: Side) -> Side:
    degree = upper_degree(u)
    return u if _grows(u) or degree is None else Below(max(degree, 0.0))


def _cbrt(u: Side) -> Side:
    root = constant_power(absolute(u), 1 / 3)
    return negative(root) if sign_of(u) < 0 else root


_RULES: dict[str, Callable[..., Side]] = {
    "neg": negative,
    "+": add,
    "-": lambda u, v: add(u, negative(v)),
    "*": multiply,
    "/": lambda u, v: multiply(u, inverse(v)),
    "**": power,
    "<": _compare(1, 0),
    "<=": _compare(1, 0),
    ">": _compare(0, 1),
    ">=": _compare(0, 1),
    "==": _compare(0, 0),
    "!=": _compare(1, 1),
    "where": _where,
    "abs": absolute,
    "max": _max,
    "min": lambda u, v: negative(_max(negative(u), negative(v))),
    "sign": lambda u: Power(sign_of(u), 0.0) if sign_of(u) else Below(0.0),
    "step": lambda u: _compare(0, 1)(u, ZERO),
    **dict.fromkeys(("floor", "ceil", "trunc", "rint"), _rounded),
    "sqrt": lambda u: constant_power(u, 0.5),
    "cbrt": _cbrt,
    "exp": exp,
    "expm1": lambda u: add(exp(u), negative(ONE)),
    "log": log,
    "log1p": lambda u: log(add(ONE, u)),
    "sinh": lambda u: _scaled(0.5, add(exp(u), negative(exp(negative(u))))),
    "cosh": lambda u: _scaled(0.5, add(exp(u), exp(negative(u)))),
    **dict.fromkeys(("sin", "cos"), lambda u: Below(0.0)),
    **dict.fromkeys(("tanh", "erf"), _saturate(1.0)),
    "arctan": _saturate(math.pi / 2),
    "normcdf": _normcdf,
    "erfc": lambda u: _scaled(2.0, _normcdf(_scaled(-math.sqrt(2.0), u))),
    **dict.fromkeys(("arcsin", "arccos"), lambda u: NoValue() if _grows(u) else Below(0.0)),
    "arcsinh": _arcsinh,
    "arccosh": _arccosh,
    "arctanh": _arctanh,
}
"""Of ``tan`` nothing is known: its poles have no end."""
