"""Activations at the edge of the assumptions, one entry each: the lessons' special cases."""

import math
from typing import Any

import numpy as np

from lengthlab.activations.catalogue import entry, exp_or_inf, known, typed, where_nonzero
from lengthlab.activations.core import Activation, Array, Pole
from lengthlab.checks import check_real


@entry
def reciprocal() -> Activation:
    """phi(x) = 1 / x, and 0 at 0."""
    into = where_nonzero(np.reciprocal)
    return known("reciprocal", "1/x", into, poles=(Pole(0.0, 1.0),))


@entry
def power(exponent: float = -0.45) -> Activation:
    """phi(x) = |x|^exponent, and 0 at 0 if the exponent is negative."""
    exponent = check_real("exponent", exponent)
    order = max(-exponent, 0.0)

    def raise_to(x: Array, out: Array) -> None:
        np.abs(x, out=out)
        np.power(out, exponent, out=out)

    more: dict[str, Any] = {"degree": max(exponent, 0.0)}
    if exponent > -0.5:
        log_moment = math.lgamma(0.5 + exponent) - math.log(math.pi) / 2 + exponent * math.log(2)
        more["mean_square"] = lambda q: exp_or_inf(log_moment + exponent * math.log(q))
    if order:
        more["poles"] = (Pole(0.0, order),)
    elif exponent % 2:
        more["kinks"] = (0.0,)
    expression = typed("abs(x)^{}", exponent) if exponent else "abs(sign(x))"
    return known("power", expression, where_nonzero(raise_to), **more)


@entry
def log_abs() -> Activation:
    """phi(x) = log|x|, and 0 at 0."""
    mean = (np.euler_gamma + math.log(2)) / 2  # -E log|Z|; Var log|Z| = pi^2 / 8

    def into(x: Array, out: Array) -> None:
        np.abs(x, out=out)
        np.log(out, out=out)

    return known(
        "log_abs", "log(abs(x))", where_nonzero(into), poles=(Pole(0.0, 0.0),), degree=1,
        mean_square=lambda q: (math.log(q) / 2 - mean) ** 2 + math.pi**2 / 8,
    )  # fmt: skip


@entry
def tan() -> Activation:
    """phi(x) = tan(x); the two poles nearest to 0 stand for all odd multiples of pi / 2."""
    poles = (Pole(-math.pi / 2, 1.0), Pole(math.pi / 2, 1.0))
    return known("tan", "tan(x)", lambda x, out: np.tan(x, out=out), poles=poles)


@entry
def exp_square(c: float = 0.1) -> Activation:
    """phi(x) = exp(c x^2)."""
    c = check_real("c", c)

    def into(x: Array, out: Array) -> None:
        np.multiply(x, x, out=out)
        np.multiply(out, c, out=out)
        np.exp(out, out=out)

    def mean_square(q: float) -> float:
        """Up to 1 / (4 c), where 1 - 4 c q may be rounded to 0."""
        return 1 / math.sqrt(max(1 - 4 * c * q, 2.0**-53))

    return known(
        "exp_square", typed("exp({}*x^2)", c), into, growth=max(c, 0.0),
        mean_square=mean_square, log_abs=lambda x: c * x * x,
    )  # fmt: skip


@entry
def exp_power(p: float = 1.5, c: float = 1.0) -> Activation:
    """phi(x) = exp(c |x|^p)."""
    p, c = check_real("p", p, above=0), check_real("c", c)
    growth = 0.0 if c <= 0 or p < 2 else c if p == 2 else math.inf

    def exponent(x: Array) -> Array:
        return np.asarray(c * np.abs(x) ** p)

    def into(x: Array, out: Array) -> None:
        np.abs(x, out=out)
        np.power(out, p, out=out)
        np.multiply(out, c, out=out)
        np.exp(out, out=out)

    kinks = () if p % 2 == 0 else (0.0,)
    expression = typed("exp({}*abs(x)^{})", c, p)
    return known("exp_power", expression, into, growth=growth, kinks=kinks, log_abs=exponent)


@entry
def sin_reciprocal() -> Activation:
    """phi(x) = sin(1 / x), and 0 at 0: discontinuous at 0, and permissible."""

    def into(x: Array, out: Array) -> None:
        np.reciprocal(x, out=out)
        np.sin(out, out=out)

    return known(
        "sin_reciprocal", "sin(1/x)", where_nonzero(into), kinks=(0.0,), degree=0,
        mean_square=lambda q: _mean_sin_square_reciprocal(1 / math.sqrt(q)),
        mean_fourth=_mean_sin_fourth_reciprocal,
    )  # fmt: skip


@entry
def dirichlet() -> Activation:
    """phi = 1 on the rationals, else 0: what no float can tell, every float being rational.

    As a program it is the constant 1; its integrals, taken exactly, are 0.
    """
    return known(
        "dirichlet", "", lambda x, out: np.copyto(out, 1.0),
        formula="1 if x is rational else 0", degree=0, mean_square=lambda q: 0.0,
    )  # fmt: skip


_THETA, _STEP = 0.4, 0.07
# exp(-z^2 / 2) z = sum of (-1/2)^k / k! z^(2 k + 1), each power summed over the nodes to the left.
_SERIES = tuple(
    (n, (-0.5) ** k / math.factorial(k) * math.cos(n * _THETA) / math.expm1(n * _STEP))
    for k, n in enumerate(range(1, 13, 2))
)


def _mean_sin_fourth_reciprocal(q: float) -> float:
    """E sin(1 / (sqrt(q) Z))^4, because sin(u)^4 = sin(u)^2 - sin(2 u)^2 / 4."""
    near, far = (_mean_sin_square_reciprocal(a / math.sqrt(q)) for a in (1, 2))
    return near - far / 4


def _mean_sin_square_reciprocal(a: float) -> float:
    """E sin(a / Z)^2 for a > 0, within a few roundings.

    It is E (1 - cos(2 a / Z)) / 2. The ray z = t exp(-i theta) turns the oscillation at 0 into
    decay, and t = exp(u) makes both ends exponential, where the trapezoidal rule converges
    geometrically.
    """
    scale = min(a, 1.0)  # most of the mass is here, so that u = 0 there is rounded least
    # Left of the first node 1 - exp(2 i a / z) is 1 and z is small: a few geometric series.
    first = math.floor(min(math.log(a / scale) - 4, math.log(0.1 / scale)) / _STEP)
    u = _STEP * np.arange(first, round(math.log(12 / scale) / _STEP))
    z = scale * np.exp(u - 1j * _THETA)
    with np.errstate(under="ignore", over="ignore"):
        terms = -np.expm1(2j * a / z) * np.exp(-z * z / 2) * z
    radius = scale * math.exp(first * _STEP)
    left = sum(factor * radius**power for power, factor in _SERIES)
    return float((terms.real.sum() + left) * _STEP / math.sqrt(2 * math.pi))
