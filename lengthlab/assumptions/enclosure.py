"""Where the values of an expression lie on an interval: float bounds, rounded outwards.

A bound that excludes 0 proves that there is no zero; a finite one proves boundedness.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

from lengthlab.assumptions.expression import Expression

Interval: TypeAlias = tuple[float, float]
INF = math.inf
LINE: Interval = (-INF, INF)
_LARGEST, _LEAST = math.nextafter(INF, 0.0), math.nextafter(0.0, 1.0)
_SLACK = 4e-15  # a few roundings: what a mathematical library may be wrong by, and more
_WIDE = 1e-12  # the same for powers and erfc, whose conditions are worse


def below(v: float, slack: float = _SLACK) -> float:
    """Give a float certainly below what was rounded to `v` (0 is taken as exact)."""
    if v in (0.0, -INF):
        return v
    v = min(v, _LARGEST)  # what overflowed is only known to be large
    return math.nextafter(v - abs(v) * slack, -INF)


def above(v: float, slack: float = _SLACK) -> float:
    """Give a float certainly above what was rounded to `v` (0 is taken as exact)."""
    return -below(-v, slack)


def around(q: Fraction) -> Interval:
    """Floats around a rational."""
    try:
        v = float(q)
    except OverflowError:
        return (_LARGEST, INF) if q > 0 else (-INF, -_LARGEST)
    return (v, v) if v == q else (math.nextafter(v, -INF), math.nextafter(v, INF))


def enclose(t: Expression, low: float = -INF, high: float = INF) -> Interval | None:
    """Bounds for the values of `t` on [low, high]; None if `t` has no value there."""
    match t.op:
        case "x":
            return low, high
        case "number":
            return around(t.value)
        case "pi":
            return 3.141592653589793, math.nextafter(math.pi, 4)
        case "switch":
            return _switch(t, low, high)
    ranges = []
    for argument in t.args:
        inner = enclose(argument, low, high)
        if inner is None:
            return None
        ranges.append(inner)
    if t.op == "**" and t.args[1].op == "number":
        return _power(ranges[0], t.args[1].value)
    return _RULES[t.op](*ranges)


def bounded(t: Expression) -> bool:
    """Whether the bounds alone prove that `t` is bounded on the whole line."""
    found = enclose(t)
    return found is None or max(abs(found[0]), abs(found[1])) < INF


def excludes_zero(r: Interval | None) -> bool:
    """Whether no value in the bounds is 0."""
    return r is None or r[0] > 0 or r[1] < 0


def _switch(t: Expression, low: float, high: float) -> Interval | None:
    u = enclose(t.args[0], low, high)
    if u is None:
        return None
    possible = (u[0] < 0, u[0] <= 0 <= u[1], u[1] > 0)
    taken = [enclose(arg, low, high) for arg, can in zip(t.args[1:], possible, strict=True) if can]
    values = [r for r in taken if r is not None]
    return (min(r[0] for r in values), max(r[1] for r in values)) if values else None


def _sum(*ranges: Interval) -> Interval:
    low = high = 0.0
    for a, b in ranges:
        low, high = low + a, high + b
        low, high = (-INF if low != low else below(low)), (INF if high != high else above(high))
    return low, high


def _times(p: float, q: float) -> float:
    """Product of two bounds: 0 only where one of them is, also where it is too small."""
    if p == 0 or q == 0:
        return 0.0
    return p * q or math.copysign(_LEAST, p) * math.copysign(1.0, q)


def _product(*ranges: Interval) -> Interval:
    result = (1.0, 1.0)
    for r in ranges:
        corners = [_times(p, q) for p in result for q in r]
        result = below(min(corners)), above(max(corners))
    return result


def _root(v: float, p: float) -> float:
    """v^p for v >= 0, p > 0: inf where it overflows, and 0 only at 0."""
    try:
        return v**p or (_LEAST if v > 0 else 0.0)
    except OverflowError:
        return INF


def _power(r: Interval, p: Fraction) -> Interval | None:
    if p < 0:
        positive = _power(r, -p)
        return None if positive is None else _reciprocal(positive)
    if p == 0:
        return 1.0, 1.0
    low, high = r
    e = around(p)[1]
    if p.denominator == 1 and p % 2 == 1:
        ends = [math.copysign(_root(abs(v), e), v) for v in r]
        return below(ends[0], _WIDE), above(ends[1], _WIDE)
    if p.denominator == 1:
        low, high = _abs(r)
    if high < 0:
        return None
    return max(0.0, below(_root(max(low, 0.0), e), _WIDE)), above(_root(high, e), _WIDE)


def _reciprocal(r: Interval) -> Interval | None:
    low, high = r
    if low == 0 == high:
        return None
    if low < 0 < high:
        return LINE
    least = below(1 / high) if high != 0 else -INF
    return least, above(1 / low) if low != 0 else INF


def _general_power(base: Interval, exponent: Interval) -> Interval:
    if base[0] > 0:
        return _exp(_product(exponent, _log(base) or LINE))
    return (0.0, INF) if base[0] == 0 else LINE


def _exp(r: Interval) -> Interval:
    def exp(v: float) -> float:
        try:
            return math.exp(v)
        except OverflowError:
            return INF

    return below(exp(r[0])), above(max(exp(r[1]), _LEAST))


def _log(r: Interval) -> Interval | None:
    if r[1] <= 0:
        return None
    least = below(math.log(r[0])) if r[0] > 0 else -INF
    return least, above(math.log(r[1])) if r[1] < INF else INF


def _monotone(function: Callable[[float], float]) -> Callable[[Interval], Interval]:
    return lambda r: (below(function(r[0])), above(function(r[1])))


def _erfc(r: Interval) -> Interval:
    return below(math.erfc(r[1]), _WIDE), min(2.0, above(max(math.erfc(r[0]), _LEAST), _WIDE))


def _wave(function: Callable[[float], float], quarter: float) -> Callable[[Interval], Interval]:
    """Bounds of a sine whose maxima are at ``quarter + k`` full turns."""

    def bounds(r: Interval) -> Interval:
        if r[1] - r[0] > 6.3 or max(abs(r[0]), abs(r[1])) > 1e8:
            return -1.0, 1.0
        ends = [function(v) for v in r]
        first, last = (v / (2 * math.pi) - quarter for v in r)
        first, last = first - 1e-7, last + 1e-7
        top = math.floor(last) > math.floor(first)
        bottom = math.floor(last + 0.5) > math.floor(first + 0.5)
        return (
            -1.0 if bottom else max(-1.0, min(ends) - 1e-15),
            1.0 if top else min(1.0, max(ends) + 1e-15),
        )

    return bounds


def _abs(r: Interval) -> Interval:
    low, high = abs(r[0]), abs(r[1])
    return (0.0 if r[0] <= 0 <= r[1] else min(low, high)), max(low, high)


def _floor(r: Interval) -> Interval:
    low, high = (float(math.floor(v)) if abs(v) < INF else v for v in r)
    return low, high


def _max(a: Interval, b: Interval) -> Interval:
    return max(a[0], b[0]), max(a[1], b[1])


_RULES: dict[str, Callable[..., Interval | None]] = {
    "+": _sum,
    "*": _product,
    "**": _general_power,
    "exp": _exp,
    "log": _log,
    "sin": _wave(math.sin, 0.25),
    "cos": _wave(math.cos, 0.0),
    "arctan": _monotone(math.atan),
    "arcsinh": _monotone(math.asinh),
    "erfc": _erfc,
    "abs": _abs,
    "max": _max,
    "floor": _floor,
}
