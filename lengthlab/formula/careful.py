"""Arithmetic beyond the floats: every number together with the logarithm of its size.

`Big` keeps the value as a float, which may have become 0 or inf, and ``log|value|``, which tells
how small or large it is; only a value that is 0 has the logarithm -inf. nan stands for "no value"
and spreads to whatever needs it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lengthlab.activations import Array

_LARGEST = float(np.finfo(float).max)
_LOG_2 = float(np.log(2.0))


class Big(NamedTuple):
    """Numbers of any size: `value` with its sign (also of 0), and ``log|value|``."""

    value: Array
    log: Array

    @property
    def exact(self) -> Any:
        """Where the float holds the number."""
        return (np.isfinite(self.value) & (self.value != 0)) | (self.log == -np.inf)

    @property
    def sign(self) -> Array:
        """1 or -1; of nan nan."""
        return np.where(np.isnan(self.value), np.nan, np.copysign(1.0, self.value))

    @property
    def zero(self) -> Any:
        """Where the number is 0, rather than too small for a float."""
        return self.log == -np.inf


Operation: TypeAlias = Callable[..., Big]


def big(value: Any) -> Big:
    """Take floats for what they are."""
    value = np.asarray(value, dtype=np.float64)
    return Big(value, np.log(np.abs(value)))


def _sized(sign: Any, log: Any) -> Big:
    """Numbers from sign and logarithm; a logarithm itself beyond the floats is cut to them."""
    log = np.where(log == -np.inf, log, np.clip(log, -_LARGEST, np.inf))
    return Big(np.asarray(sign * np.exp(log)), log)


def _choose(condition: Any, a: Big, b: Big) -> Big:
    return Big(np.where(condition, a.value, b.value), np.where(condition, a.log, b.log))


def _nowhere(condition: Any, a: Big) -> Big:
    """No value where `condition` holds."""
    return Big(np.where(condition, np.nan, a.value), np.where(condition, np.nan, a.log))


def _or_sized(value: Any, sign: Any, log: Any) -> Big:
    """Take `value` where a float holds it, and else sign and logarithm."""
    plain = big(value)
    return _choose(np.isfinite(plain.value) & (plain.value != 0), plain, _sized(sign, log))


def multiply(a: Big, b: Big) -> Big:
    """Product; 0 times anything is 0."""
    known = a.exact & b.exact
    log = np.where(a.zero | b.zero, -np.inf, a.log + b.log)
    log = np.where(np.isnan(a.value) | np.isnan(b.value), np.nan, log)
    return _or_sized(np.where(known, a.value * b.value, np.nan), a.sign * b.sign, log)


def divide(a: Big, b: Big) -> Big:
    """Quotient; nothing divided by 0 has a value."""
    known = a.exact & b.exact
    quotient = np.where(known, a.value / b.value, np.nan)
    return _nowhere(b.zero, _or_sized(quotient, a.sign * b.sign, a.log - b.log))


def negative(a: Big) -> Big:
    """Change the sign."""
    return Big(-a.value, a.log)


def add(a: Big, b: Big) -> Big:
    """Sum."""
    top = np.maximum(a.log, b.log)
    top = np.where(np.isfinite(top), top, 0.0)
    total = a.sign * np.exp(a.log - top) + b.sign * np.exp(b.log - top)
    plain = big(a.value + b.value)
    scaled = _sized(np.sign(total), top + np.log(np.abs(total)))
    return _choose(a.exact & b.exact & np.isfinite(plain.value), plain, scaled)


def subtract(a: Big, b: Big) -> Big:
    """Difference."""
    return add(a, negative(b))


def power(a: Big, b: Big) -> Big:
    """a^b; of a negative number for whole b alone, of 0 for b >= 0."""
    whole = b.value == np.rint(b.value)
    odd = whole & (np.fmod(b.value, 2.0) != 0)
    sign = np.where((a.sign < 0) & odd, -1.0, 1.0)
    known = a.exact & b.exact
    raised = _or_sized(np.where(known, a.value**b.value, np.nan), sign, b.value * a.log)
    raised = _choose(a.zero & (b.value > 0), big(0.0), raised)
    raised = _choose(b.zero, big(1.0), raised)
    none = np.isnan(a.value) | np.isnan(b.value) | (a.zero & (b.value < 0))
    return _nowhere(none | ((a.sign < 0) & ~a.zero & ~whole), raised)


def exp(a: Big) -> Big:
    """e^a."""
    return _or_sized(np.exp(a.value), 1.0, np.clip(a.value, -_LARGEST, _LARGEST))


def expm1(a: Big) -> Big:
    """e^a - 1."""
    large = _or_sized(np.expm1(a.value), 1.0, np.clip(a.value, 1.0, _LARGEST))
    return _choose(a.value > 1, large, _like(np.expm1, a))


def sinh(a: Big) -> Big:
    """(e^a - e^-a) / 2."""
    return _choose(np.abs(a.value) > 1, _half_exp(np.sinh, a, a.sign), _like(np.sinh, a))


def cosh(a: Big) -> Big:
    """(e^a + e^-a) / 2."""
    return _half_exp(np.cosh, a, 1.0)


def _half_exp(function: Callable[[Array], Array], a: Big, sign: Any) -> Big:
    return _or_sized(function(a.value), sign, np.minimum(np.abs(a.value), _LARGEST) - _LOG_2)


def log(a: Big) -> Big:
    """Logarithm of what is > 0."""
    value = np.where(a.exact, np.log(a.value), a.log)
    return big(np.where((a.sign < 0) | a.zero, np.nan, value))


def log1p(a: Big) -> Big:
    """log(1 + a)."""
    large = big(np.where(np.isinf(a.value), a.log, np.log1p(a.value)))
    return _nowhere(a.value <= -1, _choose(a.value == 0, a, large))


def sqrt(a: Big) -> Big:
    """Root of what is >= 0."""
    root = _or_sized(np.where(a.exact, np.sqrt(a.value), np.nan), 1.0, a.log / 2)
    return _nowhere((a.sign < 0) & ~a.zero, root)


def cbrt(a: Big) -> Big:
    """Real third root."""
    return _or_sized(np.where(a.exact, np.cbrt(a.value), np.nan), a.sign, a.log / 3)


def arcsinh(a: Big) -> Big:
    """Inverse of sinh."""
    large = big(a.sign * (a.log + _LOG_2))
    return _choose(np.isinf(a.value), large, _like(np.arcsinh, a))


def arccosh(a: Big) -> Big:
    """Inverse of cosh on what is >= 1."""
    return _choose(np.isposinf(a.value), big(a.log + _LOG_2), big(np.arccosh(a.value)))


def arctanh(a: Big) -> Big:
    """Inverse of tanh between -1 and 1."""
    return _nowhere(np.abs(a.value) >= 1, _like(np.arctanh, a))


def absolute(a: Big) -> Big:
    """Drop the sign."""
    return Big(np.abs(a.value), a.log)


def _less(a: Big, b: Big) -> Any:
    """Where a < b, also if both are 0 or inf as floats."""
    alike = (a.value == b.value) & ~(a.zero & b.zero)
    a_size = np.where(a.zero, 0.0, a.sign)
    b_size = np.where(b.zero, 0.0, b.sign)
    deeper = np.where(a_size == b_size, a_size * a.log < b_size * b.log, a_size < b_size)
    return np.where(alike, deeper, a.value < b.value)


def maximum(a: Big, b: Big) -> Big:
    """Return the larger one."""
    none = np.isnan(a.value) | np.isnan(b.value)
    return _nowhere(none, _choose(_less(a, b), b, a))


def minimum(a: Big, b: Big) -> Big:
    """Return the smaller one."""
    none = np.isnan(a.value) | np.isnan(b.value)
    return _nowhere(none, _choose(_less(b, a), b, a))


def _comparison(holds: Callable[[Big, Big], Any]) -> Operation:
    def compare(a: Big, b: Big) -> Big:
        none = np.isnan(a.value) | np.isnan(b.value)
        return _nowhere(none, big(np.where(holds(a, b), 1.0, 0.0)))

    return compare


def where(condition: Big, a: Big, b: Big) -> Big:
    """Take a where `condition` is not 0, else b; no value where the condition has none."""
    return _nowhere(np.isnan(condition.value), _choose(condition.zero, b, a))


def _like(function: Callable[[Array], Any], a: Big) -> Big:
    """Apply a function that near 0 is its argument."""
    return _choose(a.value == 0, a, big(function(a.value)))


def lift(op: str, function: Callable[..., Any]) -> Operation:
    """Operation on `Big` numbers, of the elementwise `function` where no rule is known."""
    if op in _OPERATIONS:
        return _OPERATIONS[op]
    if op in _NEARLY_THE_ARGUMENT:
        return lambda a: _like(function, a)
    if op in ("floor", "ceil", "trunc", "rint"):
        return lambda a: _choose(np.isinf(a.value), a, big(function(a.value)))
    if op in ("erfc", "normcdf"):
        from scipy.special import log_ndtr

        if op == "erfc":
            return lambda a: _or_sized(
                function(a.value), 1.0, _LOG_2 + log_ndtr(-(2.0**0.5) * a.value)
            )
        return lambda a: _or_sized(function(a.value), 1.0, log_ndtr(a.value))
    return lambda *args: big(function(*(arg.value for arg in args)))


_NEARLY_THE_ARGUMENT = {"sin", "tan", "tanh", "arcsin", "arctan"}
_OPERATIONS: dict[str, Operation] = {
    "neg": negative,
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "**": power,
    "<": _comparison(_less),
    "<=": _comparison(lambda a, b: ~_less(b, a)),
    ">": _comparison(lambda a, b: _less(b, a)),
    ">=": _comparison(lambda a, b: ~_less(a, b)),
    "==": _comparison(lambda a, b: ~_less(a, b) & ~_less(b, a)),
    "!=": _comparison(lambda a, b: _less(a, b) | _less(b, a)),
    "abs": absolute,
    "max": maximum,
    "min": minimum,
    "where": where,
    "sign": lambda a: _nowhere(np.isnan(a.value), big(np.where(a.zero, 0.0, a.sign))),
    "step": lambda a: _nowhere(np.isnan(a.value), big(np.where(~a.zero & (a.sign > 0), 1.0, 0.0))),
    "sqrt": sqrt,
    "cbrt": cbrt,
    "exp": exp,
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    "sinh": sinh,
    "cosh": cosh,
    "arcsinh": arcsinh,
    "arccosh": arccosh,
    "arctanh": arctanh,
}
