"""The catalogue of activations: one entry each, with its formula and what is known of it."""

import inspect
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from lengthlab.activations.core import Activation, Array, Homogeneous, Pole
from lengthlab.checks import check_real

Builder: TypeAlias = Callable[..., Activation]
_CATALOGUE: dict[str, Builder] = {}


def catalogue() -> tuple[str, ...]:
    """Names that `activation` knows, in the order of the documentation.

    Returns
    -------
    tuple of str

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> "gelu" in catalogue()
    True
    """
    return tuple(_CATALOGUE)


def activation(name: str, **parameters: float) -> Activation:
    """Build an activation of the catalogue.

    Parameters
    ----------
    name : str
        One of `catalogue`.
    **parameters : float
        Of the activation: ``slope`` of leaky_relu, ``exponent`` of power, ``c`` of exp_square,
        ``p`` and ``c`` of exp_power.

    Returns
    -------
    Activation

    Raises
    ------
    TypeError
        If `name` is not a string, or the activation has no such parameter.
    ValueError
        If `name` is unknown, or a parameter out of range.

    Examples
    --------
    >>> activation("leaky_relu", slope=0.2)(-1.0)
    array(-0.2)
    """
    if not isinstance(name, str):
        msg = f"activation must be a name or an Activation, got {name!r}"
        raise TypeError(msg)
    if name not in _CATALOGUE:
        msg = f"activation must be one of {', '.join(_CATALOGUE)}; got {name!r}"
        raise ValueError(msg)
    build = _CATALOGUE[name]
    known = list(inspect.signature(build).parameters)
    for unknown in set(parameters) - set(known):
        takes = f"takes {', '.join(known)}" if known else "takes no parameter"
        msg = f"activation {name!r} {takes}, got {unknown}={parameters[unknown]!r}"
        raise TypeError(msg)
    defaults = {key: p.default for key, p in inspect.signature(build).parameters.items()}
    special = tuple((k, v) for k, v in sorted(parameters.items()) if v != defaults[k])
    return replace(build(**parameters), parameters=special)


def _entry(build: Builder) -> Builder:
    """Add an entry to the catalogue under the function's name."""
    _CATALOGUE[build.__name__.removesuffix("_")] = build
    return build


def _known(
    name: str,
    formula: str,
    into: Callable[[Array, Array], object],
    *,
    growth: float = 0.0,
    **more: Any,
) -> Activation:
    """Make an activation of the catalogue: its growth is known."""

    def function(x: Array) -> Array:
        out = np.empty_like(x)
        into(x, out)
        return out

    return Activation(function, name, formula=formula, into=into, growth=growth, **more)


def _where_nonzero(ufunc: Callable[..., object]) -> Callable[[Array, Array], object]:
    """Apply `ufunc` away from 0 and give 0 at 0, where the formula has no value."""

    def into(x: Array, out: Array) -> None:
        ufunc(x, out=out)
        np.copyto(out, 0.0, where=x == 0)

    return into


@_entry
def identity() -> Activation:
    """phi(x) = x."""
    one = Homogeneous(1, 1.0, 1.0)
    return _known(
        "identity", "x", lambda x, out: np.copyto(out, x),
        degree=1, homogeneous=one, mean_square=lambda q: q,
    )  # fmt: skip


@_entry
def relu() -> Activation:
    """phi(x) = max(x, 0)."""
    return _known(
        "relu", "max(x, 0)", lambda x, out: np.maximum(x, 0.0, out=out),
        kinks=(0.0,), degree=1, homogeneous=Homogeneous(1, 1.0, 0.0), mean_square=lambda q: q / 2,
    )  # fmt: skip


@_entry
def leaky_relu(slope: float = 0.01) -> Activation:
    """phi(x) = x for x > 0, slope x for x < 0."""
    slope = check_real("slope", slope)

    def into(x: Array, out: Array) -> None:
        np.multiply(x, slope, out=out)
        np.copyto(out, x, where=x > 0)

    return _known(
        "leaky_relu", f"x if x > 0 else {slope:g} x", into, kinks=(0.0,), degree=1,
        homogeneous=Homogeneous(1, 1.0, abs(slope)),
        mean_square=lambda q: q * (1 + slope * slope) / 2,
    )  # fmt: skip


def _elu_into(scale: float, alpha: float) -> Callable[[Array, Array], object]:
    def into(x: Array, out: Array) -> None:
        np.minimum(x, 0.0, out=out)
        np.expm1(out, out=out)
        np.multiply(out, alpha, out=out)
        np.copyto(out, x, where=x > 0)
        np.multiply(out, scale, out=out)

    return into


@_entry
def elu() -> Activation:
    """phi(x) = x for x > 0, exp(x) - 1 for x < 0 (Clevert et al. 2016)."""
    return _known("elu", "x if x > 0 else exp(x) - 1", _elu_into(1.0, 1.0), kinks=(0.0,), degree=1)


@_entry
def selu() -> Activation:
    """phi(x) = 1.0507 x for x > 0, 1.7581 (exp(x) - 1) for x < 0 (Klambauer et al. 2017)."""
    into = _elu_into(1.0507009873554804934, 1.6732632423543772848)
    formula = "1.0507 x if x > 0 else 1.7581 (exp(x) - 1)"
    return _known("selu", formula, into, kinks=(0.0,), degree=1)


@_entry
def gelu() -> Activation:
    """phi(x) = x Phi(x), Phi the standard normal cdf (Hendrycks & Gimpel 2016)."""
    from scipy.special import ndtr

    def into(x: Array, out: Array) -> None:
        ndtr(x, out=out)
        np.multiply(out, x, out=out)

    return _known("gelu", "x Phi(x)", into, degree=1)


@_entry
def gelu_tanh() -> Activation:
    """phi(x) = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, near GELU."""
    from scipy.special import expit

    twice = 2 * math.sqrt(2 / math.pi)  # (1 + tanh u) / 2 = expit(2 u), which does not cancel

    def into(x: Array, out: Array) -> None:
        np.multiply(x, x, out=out)
        np.multiply(out, 0.044715 * twice, out=out)
        np.add(out, twice, out=out)
        np.multiply(out, x, out=out)
        expit(out, out=out)
        np.multiply(out, x, out=out)

    formula = "x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2"
    return _known("gelu_tanh", formula, into, degree=1)


@_entry
def silu() -> Activation:
    """phi(x) = x / (1 + exp(-x)) (swish)."""
    from scipy.special import expit

    def into(x: Array, out: Array) -> None:
        expit(x, out=out)
        np.multiply(out, x, out=out)

    return _known("silu", "x / (1 + exp(-x))", into, degree=1)


def _softplus_into(x: Array, out: Array) -> None:
    np.logaddexp(0.0, x, out=out)


@_entry
def softplus() -> Activation:
    """phi(x) = log(1 + exp(x))."""
    return _known("softplus", "log(1 + exp(x))", _softplus_into, degree=1)


@_entry
def mish() -> Activation:
    """phi(x) = x tanh(log(1 + exp(x))) (Misra 2019)."""

    def into(x: Array, out: Array) -> None:
        _softplus_into(x, out)
        np.tanh(out, out=out)
        np.multiply(out, x, out=out)

    return _known("mish", "x tanh(log(1 + exp(x)))", into, degree=1)


@_entry
def tanh() -> Activation:
    """phi(x) = tanh(x)."""
    return _known("tanh", "tanh(x)", lambda x, out: np.tanh(x, out=out), degree=0)


@_entry
def sigmoid() -> Activation:
    """phi(x) = 1 / (1 + exp(-x))."""
    from scipy.special import expit

    return _known("sigmoid", "1 / (1 + exp(-x))", lambda x, out: expit(x, out=out), degree=0)


@_entry
def erf() -> Activation:
    """phi(x) = erf(x); E phi^2 = 2 / pi arcsin(2 q / (1 + 2 q)) by Williams (1997)."""
    from scipy import special

    return _known(
        "erf", "erf(x)", lambda x, out: special.erf(x, out=out), degree=0,
        mean_square=lambda q: 2 / math.pi * math.atan(q / math.sqrt(0.25 + q)),  # the same angle
    )  # fmt: skip


@_entry
def sin() -> Activation:
    """phi(x) = sin(x)."""
    return _known(
        "sin", "sin(x)", lambda x, out: np.sin(x, out=out),
        degree=0, mean_square=lambda q: -math.expm1(-2 * q) / 2,
    )  # fmt: skip


@_entry
def cos() -> Activation:
    """phi(x) = cos(x)."""
    return _known(
        "cos", "cos(x)", lambda x, out: np.cos(x, out=out),
        degree=0, mean_square=lambda q: (1 + math.exp(-2 * q)) / 2,
    )  # fmt: skip


@_entry
def arctan() -> Activation:
    """phi(x) = arctan(x)."""
    return _known("arctan", "arctan(x)", lambda x, out: np.arctan(x, out=out), degree=0)


@_entry
def softsign() -> Activation:
    """phi(x) = x / (1 + |x|)."""

    def into(x: Array, out: Array) -> None:
        np.abs(x, out=out)
        np.add(out, 1.0, out=out)
        np.divide(x, out, out=out)

    return _known("softsign", "x / (1 + |x|)", into, kinks=(0.0,), degree=0)


@_entry
def hardtanh() -> Activation:
    """phi(x) = x cut at -1 and 1."""
    return _known(
        "hardtanh", "min(max(x, -1), 1)", lambda x, out: np.clip(x, -1.0, 1.0, out=out),
        kinks=(-1.0, 1.0), degree=0,
    )  # fmt: skip


@_entry
def heaviside() -> Activation:
    """phi(x) = 1 for x > 0, else 0."""
    return _known(
        "heaviside", "1 if x > 0 else 0", lambda x, out: np.copyto(out, x > 0), kinks=(0.0,),
        degree=0, homogeneous=Homogeneous(0, 1.0, 0.0), mean_square=lambda q: 0.5,
    )  # fmt: skip


@_entry
def sign() -> Activation:
    """phi(x) = -1, 0 or 1 with the sign of x."""
    return _known(
        "sign", "sign(x)", lambda x, out: np.sign(x, out=out), kinks=(0.0,),
        degree=0, homogeneous=Homogeneous(0, 1.0, 1.0), mean_square=lambda q: 1.0,
    )  # fmt: skip


@_entry
def abs_() -> Activation:
    """phi(x) = |x|."""
    return _known(
        "abs", "|x|", lambda x, out: np.abs(x, out=out), kinks=(0.0,),
        degree=1, homogeneous=Homogeneous(1, 1.0, 1.0), mean_square=lambda q: q,
    )  # fmt: skip


@_entry
def square() -> Activation:
    """phi(x) = x^2."""
    return _known(
        "square", "x^2", lambda x, out: np.multiply(x, x, out=out),
        degree=2, mean_square=lambda q: 3 * q * q,
    )  # fmt: skip


@_entry
def relu_squared() -> Activation:
    """phi(x) = max(x, 0)^2."""

    def into(x: Array, out: Array) -> None:
        np.maximum(x, 0.0, out=out)
        np.multiply(out, out, out=out)

    return _known(
        "relu_squared", "max(x, 0)^2", into,
        kinks=(0.0,), degree=2, mean_square=lambda q: 1.5 * q * q,
    )  # fmt: skip


@_entry
def exp() -> Activation:
    """phi(x) = exp(x)."""
    return _known(
        "exp", "exp(x)", lambda x, out: np.exp(x, out=out),
        mean_square=lambda q: _exp(2 * q), log_abs=lambda x: x,
    )  # fmt: skip


@_entry
def gaussian() -> Activation:
    """phi(x) = exp(-x^2)."""

    def into(x: Array, out: Array) -> None:
        np.multiply(x, x, out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)

    return _known(
        "gaussian", "exp(-x^2)", into, degree=0, mean_square=lambda q: 1 / math.sqrt(1 + 4 * q)
    )


@_entry
def cbrt() -> Activation:
    """phi(x) = x^(1/3), odd."""
    moment = 2 ** (1 / 3) * math.gamma(5 / 6) / math.sqrt(math.pi)
    return _known(
        "cbrt", "sign(x) |x|^(1/3)", lambda x, out: np.cbrt(x, out=out), kinks=(0.0,),
        degree=1 / 3, mean_square=lambda q: moment * q ** (1 / 3),
    )  # fmt: skip


@_entry
def reciprocal() -> Activation:
    """phi(x) = 1 / x, and 0 at 0."""
    into = _where_nonzero(np.reciprocal)
    return _known("reciprocal", "1 / x", into, poles=(Pole(0.0, 1.0),))


@_entry
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
        more["mean_square"] = lambda q: _exp(log_moment + exponent * math.log(q))
    if order:
        more["poles"] = (Pole(0.0, order),)
    elif exponent % 2:
        more["kinks"] = (0.0,)
    return _known("power", f"|x|^{exponent:g}", _where_nonzero(raise_to), **more)


@_entry
def log_abs() -> Activation:
    """phi(x) = log|x|, and 0 at 0."""
    mean = (np.euler_gamma + math.log(2)) / 2  # -E log|Z|; Var log|Z| = pi^2 / 8

    def into(x: Array, out: Array) -> None:
        np.abs(x, out=out)
        np.log(out, out=out)

    return _known(
        "log_abs", "log|x|", _where_nonzero(into), poles=(Pole(0.0, 0.0),), degree=1,
        mean_square=lambda q: (math.log(q) / 2 - mean) ** 2 + math.pi**2 / 8,
    )  # fmt: skip


@_entry
def tan() -> Activation:
    """phi(x) = tan(x); the two poles nearest to 0 stand for all odd multiples of pi / 2."""
    poles = (Pole(-math.pi / 2, 1.0), Pole(math.pi / 2, 1.0))
    return _known("tan", "tan(x)", lambda x, out: np.tan(x, out=out), poles=poles)


@_entry
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

    return _known(
        "exp_square", f"exp({c:g} x^2)", into, growth=max(c, 0.0),
        mean_square=mean_square, log_abs=lambda x: c * x * x,
    )  # fmt: skip


@_entry
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
    formula = f"exp({c:g} |x|^{p:g})"
    return _known("exp_power", formula, into, growth=growth, kinks=kinks, log_abs=exponent)


@_entry
def sin_reciprocal() -> Activation:
    """phi(x) = sin(1 / x), and 0 at 0: discontinuous at 0, and permissible."""

    def into(x: Array, out: Array) -> None:
        np.reciprocal(x, out=out)
        np.sin(out, out=out)

    return _known(
        "sin_reciprocal", "sin(1 / x)", _where_nonzero(into), kinks=(0.0,), degree=0,
        mean_square=lambda q: _mean_sin_square_reciprocal(1 / math.sqrt(q)),
    )  # fmt: skip


@_entry
def dirichlet() -> Activation:
    """phi = 1 on the rationals, else 0: what no float can tell, every float being rational.

    As a program it is the constant 1; its integrals, taken exactly, are 0.
    """
    return _known(
        "dirichlet", "1 if x is rational else 0", lambda x, out: np.copyto(out, 1.0),
        degree=0, mean_square=lambda q: 0.0,
    )  # fmt: skip


def _exp(x: float) -> float:
    """exp with overflow to inf."""
    return math.exp(x) if x < 709.78 else math.inf


_THETA, _STEP = 0.4, 0.07
# exp(-z^2 / 2) z = sum of (-1/2)^k / k! z^(2 k + 1), each power summed over the nodes to the left.
_SERIES = tuple(
    (n, (-0.5) ** k / math.factorial(k) * math.cos(n * _THETA) / math.expm1(n * _STEP))
    for k, n in enumerate(range(1, 13, 2))
)


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
