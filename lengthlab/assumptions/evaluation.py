"""Values of an expression at a point, to many digits."""

import operator
from collections.abc import Callable

from lengthlab.assumptions.coefficients import Real, real
from lengthlab.assumptions.expression import Expression, UndecidedError
from lengthlab.assumptions.workspace import mp, tick

_HUGE = 10**40


def value(t: Expression, x: Real) -> Real | None:
    """Value of `t` at `x`; None where it has none.

    Raises
    ------
    UndecidedError
        If a number on the way is too large to work with.
    """
    match t.op:
        case "x":
            return x
        case "number":
            return real(t.value)
        case "pi":
            return +mp().pi
        case "switch":
            u = value(t.args[0], x)
            return None if u is None else value(t.args[2 + (u > 0) - (u < 0)], x)
    values = [value(argument, x) for argument in t.args]
    return None if None in values else _RULES[t.op](*values)


def trusted_value(t: Expression, x: Real) -> Real | None:
    """Value of `t` at `x` if twice the digits give the same.

    Raises
    ------
    UndecidedError
        If they do not: rounding is all that is seen.
    """
    tick()
    once = value(t, x)
    with mp().workdps(2 * mp().dps):
        twice = value(t, x)
    if once is None and twice is None:
        return None
    if once is None or twice is None or abs(once - twice) > abs(twice) * mp().mpf("1e-6"):
        msg = "values of phi are lost in rounding, whatever the number of digits"
        raise UndecidedError(msg)
    return once


def _limited(v: Real, most: int = _HUGE) -> Real:
    if abs(v) > most:
        msg = "a number is too large to work with"
        raise UndecidedError(msg)
    return v


def _power(base: Real, p: Real) -> Real | None:
    if base == 0:
        return None if p < 0 else mp().mpf(1 if p == 0 else 0)
    is_whole = p == mp().floor(p)
    if base < 0 and not is_whole:
        return None
    _limited(p * mp().log(abs(base)))
    if is_whole and abs(p) < 10**6:
        return base ** int(p)
    return abs(base) ** p * (-1 if base < 0 and p % 2 == 1 else 1)


def _exp(v: Real) -> Real:
    return mp().mpf(0) if v < -_HUGE else mp().exp(_limited(v))


def _erfc(v: Real) -> Real:
    if abs(v) > 10**7:
        return mp().mpf(0 if v > 0 else 2)
    return mp().erfc(v) if mp().dps < 300 or abs(v) < 8 else _limited(v, 0)


_RULES: dict[str, Callable[..., Real | None]] = {
    "+": lambda *values: sum(values),
    "*": lambda *values: mp().fprod(values),
    "**": _power,
    "exp": _exp,
    "log": lambda v: mp().log(v) if v > 0 else None,
    "sin": lambda v: mp().sin(_limited(v, 10**60)),
    "cos": lambda v: mp().cos(_limited(v, 10**60)),
    "arctan": lambda v: mp().atan(v),
    "arcsinh": lambda v: mp().asinh(v),
    "erfc": _erfc,
    "abs": operator.abs,
    "max": max,
    "floor": lambda v: mp().floor(v),
}
