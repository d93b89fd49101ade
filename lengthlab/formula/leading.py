"""Leading terms of functions on one side of the line, as far as they are known.

On one side, as |x| grows, what is known of a function is one of
- `Power`: ``u ~ factor |x|^degree``,
- `Exponential`: ``log|u| ~ rate |x|^degree``, with a sign,
- `Below`: ``|u| <= C |x|^degree`` for some C, and no more (``sin(x)``, or what cancels),
- `Mild`: ``limsup log|u| / x^2 <= 0``, and no more (``exp(x)*sin(x)``),
- `NoValue`: the formula has no value there (``log(x)`` on the left),
or nothing (None). A rule that is not sure gives None.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

SLOW = 0.01
"""A degree above that of any power of a logarithm."""

_CLEAR = 1e-9
"""Numbers that differ by less may be one number, rounded: nothing is concluded from their order."""


@dataclass(frozen=True)
class Power:
    """``u ~ factor |x|^degree``, factor not 0."""

    factor: float
    degree: float


@dataclass(frozen=True)
class Exponential:
    """``log|u| ~ rate |x|^degree``: rate not 0, degree > 0; the degree inf stands for more."""

    sign: int
    rate: float
    degree: float


@dataclass(frozen=True)
class Below:
    """``|u| <= C |x|^degree``."""

    degree: float


class Zero(Below):
    """0 far out."""


class Constant(Power):
    """A number, rather than what only tends to one."""


@dataclass(frozen=True)
class Mild:
    """``limsup log|u| / x^2 <= 0``."""


@dataclass(frozen=True)
class NoValue:
    """No value far out."""


Side: TypeAlias = Power | Exponential | Below | Mild | NoValue | None


ZERO = Zero(-math.inf)
ONE = Constant(1.0, 0.0)


def rate_of(side: Side) -> float | None:
    """limsup log|u| / x^2 if it is positive, 0 if it is not, None if it is not known."""
    match side:
        case None:
            return None
        case Exponential(rate=rate, degree=degree) if rate > 0 and not _below_2(degree):
            return rate if degree == 2 else math.inf if degree > 2 + _CLEAR else None
    return 0.0


def _below_2(degree: float) -> bool:
    return degree < 2 - _CLEAR


def degree_of(side: Side) -> float | None:
    """Degree >= 0 of a power that bounds u, None if none is known."""
    match side:
        case Power(degree=degree) | Below(degree=degree):
            return max(degree, 0.0)
        case NoValue():
            return 0.0
        case Exponential(rate=rate) if rate < 0:
            return 0.0
    return None


def _larger(u: Side, v: Side) -> Side:
    """Whichever of two leading terms is larger far out; None if that is not clear."""
    orders = [_order(u), _order(v)]
    for one, other in zip(*(order or () for order in orders), strict=False):
        if math.isinf(one) or math.isinf(other):
            return None if one == other else u if one > other else v
        if abs(one - other) > _CLEAR * max(abs(one), abs(other)):
            return u if one > other else v
    return None


def _order(u: Side) -> tuple[float, float] | None:
    """Give a pair that is larger where the leading term is larger far out."""
    match u:
        case Power(degree=degree):
            return 0.0, degree
        case Exponential(rate=rate, degree=degree):
            return math.copysign(degree, rate), rate
    return None


def sign_of(u: Side) -> int:
    """1 or -1 where it is known far out, else 0."""
    match u:
        case Power(factor=factor):
            return 1 if factor > 0 else -1
        case Exponential(sign=sign):
            return sign
    return 0


def upper(u: Side, v: Side) -> Side:
    """Bound u, v, their sum, and what is now the one, now the other."""
    degrees = [upper_degree(u), upper_degree(v)]
    known = [degree for degree in degrees if degree is not None]
    if len(known) == 2:
        return Below(max(known))
    return Mild() if rate_of(u) == 0 and rate_of(v) == 0 else None


def upper_degree(u: Side) -> float | None:
    """Degree of a power that bounds u, also if it falls."""
    match u:
        case Power(degree=degree) | Below(degree=degree):
            return degree
        case Exponential(rate=rate) if rate < 0:
            return -math.inf
        case NoValue():
            return -math.inf
    return None


def negative(u: Side) -> Side:
    """Give -u."""
    match u:
        case Power(factor, degree):
            return Power(-factor, degree)
        case Exponential(sign, rate, degree):
            return Exponential(-sign, rate, degree)
    return u


def add(u: Side, v: Side) -> Side:
    """Give u + v: of what may cancel, no more than a bound."""
    if isinstance(u, Zero) or isinstance(v, Zero):
        return v if isinstance(u, Zero) else u
    larger = _larger(u, v)
    if larger is not None:
        return larger
    if isinstance(u, Power) and isinstance(v, Power) and u.degree == v.degree:
        total = u.factor + v.factor
        if abs(total) > _CLEAR * max(abs(u.factor), abs(v.factor)):
            return Power(total, u.degree)
    if isinstance(u, Exponential) and u.rate > 0 and u == v and u.sign:
        return u
    for big, small in ((u, v), (v, u)):
        degree = upper_degree(small)
        if degree is None:
            continue
        if isinstance(big, Power) and big.degree > degree + _CLEAR:
            return big
        if isinstance(big, Exponential) and big.rate > 0:
            return big
    return upper(u, v)


def multiply(u: Side, v: Side) -> Side:
    """Give u v."""
    if isinstance(u, Zero) or isinstance(v, Zero):
        return ZERO
    for one, other in ((u, v), (v, u)):
        match one, other:
            case Power(a, p), Power(b, q):
                return Power(a * b, _sum(p, q)) if math.isfinite(a * b) and a * b else None
            case Power(degree=p) | Below(degree=p), Below(degree=q):
                return Below(p + q)
            case Power(), Exponential(sign, rate, degree):
                return Exponential(sign * sign_of(one), rate, degree)
            case Below(), Exponential(rate=rate, degree=degree):
                return Below(-math.inf) if rate < 0 else Mild() if _below_2(degree) else None
            case Mild(), Power() | Below() | Mild():
                return Mild()
            case Mild(), Exponential(rate=rate, degree=degree):
                return Mild() if rate < 0 or _below_2(degree) else None
            case Exponential(s, a, p), Exponential(t, b, q):
                return _multiply_exponentials(Exponential(s * t, a, p), Exponential(s * t, b, q))
    return None


def _sum(p: float, q: float) -> float:
    """p + q, and 0 where nothing but rounding is left."""
    return p + q if abs(p + q) > _CLEAR * max(abs(p), abs(q)) else 0.0


def _multiply_exponentials(u: Exponential, v: Exponential) -> Side:
    if u.degree != v.degree:
        close = abs(u.degree - v.degree) < _CLEAR
        return None if close else max(u, v, key=lambda one: one.degree)
    rate = u.rate + v.rate
    if math.isinf(u.degree):
        return u if u.rate == v.rate else None
    clear = abs(rate) > _CLEAR * max(abs(u.rate), abs(v.rate))
    return Exponential(u.sign, rate, u.degree) if clear else None


def inverse(u: Side) -> Side:
    """Give 1 / u."""
    match u:
        case Power(factor, degree):
            return Power(1 / factor, -degree) if math.isfinite(1 / factor) else None
        case Exponential(sign, rate, degree):
            return Exponential(sign, -rate, degree)
    return None


def power(u: Side, v: Side) -> Side:
    """Give u^v."""
    if isinstance(v, Zero):
        return Constant(1.0, 0.0)
    if isinstance(v, Constant):
        return constant_power(u, v.factor)
    if isinstance(u, Constant) and u.factor == 1:
        return u
    return exp(multiply(log(u), v)) if sign_of(u) > 0 else None


def constant_power(u: Side, exponent: float) -> Side:
    """Give u^exponent for a number."""
    sign = sign_of(u)
    if exponent == 0:
        return Constant(1.0, 0.0)
    if sign < 0:
        if not exponent.is_integer():
            return NoValue()
        sign = -1 if exponent % 2 else 1
    match u:
        case Power(factor, degree):
            try:
                size = abs(factor) ** exponent
            except OverflowError:
                return None
            return Power(sign * size, degree * exponent) if size else None
        case Exponential(_, rate, degree):
            return Exponential(sign, rate * exponent, degree)
        case Below(degree) if exponent > 0:
            return Below(degree * exponent)
        case Mild() if exponent > 0:
            return u
    return None


def exp(v: Side) -> Side:
    """Give e^v."""
    match v:
        case Power(factor, degree):
            if degree > 0:
                return Exponential(1, factor, degree)
            limit = math.exp(min(factor, 700.0)) if degree == 0 else 1.0
            return Power(limit, 0.0) if abs(factor) < 700 or degree else None
        case Exponential(sign, rate, _) if rate > 0:
            return Exponential(1, float(sign), math.inf) if sign else None
        case Exponential():
            return Power(1.0, 0.0)
        case Below(degree) if degree < 0:
            return Power(1.0, 0.0)
        case Below(degree) if _below_2(degree):
            return Below(0.0) if degree == 0 else Mild()
    return None


def log(u: Side) -> Side:
    """Give the logarithm of u."""
    if sign_of(u) < 0:
        return NoValue()
    match u:
        case Power(factor, degree):
            if degree:
                return Below(SLOW)
            logarithm = math.log(factor)
            return Power(logarithm, 0.0) if abs(logarithm) > 1e-9 else Below(0.0)
        case Exponential(1, rate, degree) if degree < math.inf:
            return Power(rate, degree)
    return None


def absolute(u: Side) -> Side:
    """Give |u|."""
    match u:
        case Power(factor, degree):
            return Power(abs(factor), degree)
        case Exponential(_, rate, degree):
            return Exponential(1, rate, degree)
    return u
