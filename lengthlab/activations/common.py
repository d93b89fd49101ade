"""Activations in common use, one entry each: formula, and what is known of it."""

import math
from collections.abc import Callable

import numpy as np

from lengthlab.activations.catalogue import entry, exp_or_inf, known, typed
from lengthlab.activations.core import Activation, Array, Homogeneous
from lengthlab.checks import check_real


@entry
def identity() -> Activation:
    """phi(x) = x."""
    one = Homogeneous(1, 1.0, 1.0)
    return known(
        "identity", "x", lambda x, out: np.copyto(out, x),
        degree=1, homogeneous=one, mean_square=lambda q: q,
    )  # fmt: skip


@entry
def relu() -> Activation:
    """phi(x) = max(x, 0)."""
    return known(
        "relu", "max(x, 0)", lambda x, out: np.maximum(x, 0.0, out=out),
        kinks=(0.0,), degree=1, homogeneous=Homogeneous(1, 1.0, 0.0), mean_square=lambda q: q / 2,
    )  # fmt: skip


@entry
def leaky_relu(slope: float = 0.01) -> Activation:
    """phi(x) = x for x > 0, slope x for x < 0."""
    slope = check_real("slope", slope)

    def into(x: Array, out: Array) -> None:
        np.multiply(x, slope, out=out)
        np.copyto(out, x, where=x > 0)

    return known(
        "leaky_relu", typed("where(x > 0, x, {}*x)", slope), into, kinks=(0.0,), degree=1,
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


@entry
def elu() -> Activation:
    """phi(x) = x for x > 0, exp(x) - 1 for x < 0 (Clevert et al. 2016)."""
    return known("elu", "where(x > 0, x, expm1(x))", _elu_into(1.0, 1.0), kinks=(0.0,), degree=1)


@entry
def selu() -> Activation:
    """phi(x) = 1.0507 x for x > 0, 1.7581 (exp(x) - 1) for x < 0 (Klambauer et al. 2017)."""
    into = _elu_into(1.0507009873554804934, 1.6732632423543772848)
    expression = "1.0507009873554805*where(x > 0, x, 1.6732632423543772*expm1(x))"
    return known("selu", expression, into, kinks=(0.0,), degree=1)


@entry
def gelu() -> Activation:
    """phi(x) = x Phi(x), Phi the standard normal cdf (Hendrycks & Gimpel 2016)."""
    from scipy.special import ndtr

    def into(x: Array, out: Array) -> None:
        ndtr(x, out=out)
        np.multiply(out, x, out=out)

    return known("gelu", "x*normcdf(x)", into, degree=1)


@entry
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

    formula = "x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3)))/2"
    expression = "x/(1 + exp(-2*sqrt(2/pi)*(x + 0.044715*x^3)))"
    return known("gelu_tanh", expression, into, degree=1, formula=formula)


@entry
def silu() -> Activation:
    """phi(x) = x / (1 + exp(-x)) (swish)."""
    from scipy.special import expit

    def into(x: Array, out: Array) -> None:
        expit(x, out=out)
        np.multiply(out, x, out=out)

    return known("silu", "x/(1 + exp(-x))", into, degree=1)


def _softplus_into(x: Array, out: Array) -> None:
    np.logaddexp(0.0, x, out=out)


@entry
def softplus() -> Activation:
    """phi(x) = log(1 + exp(x))."""
    return known("softplus", "log1p(exp(x))", _softplus_into, degree=1)


@entry
def mish() -> Activation:
    """phi(x) = x tanh(log(1 + exp(x))) (Misra 2019)."""

    def into(x: Array, out: Array) -> None:
        _softplus_into(x, out)
        np.tanh(out, out=out)
        np.multiply(out, x, out=out)

    return known("mish", "x*tanh(log1p(exp(x)))", into, degree=1)


@entry
def tanh() -> Activation:
    """phi(x) = tanh(x)."""
    return known("tanh", "tanh(x)", lambda x, out: np.tanh(x, out=out), degree=0)


@entry
def sigmoid() -> Activation:
    """phi(x) = 1 / (1 + exp(-x))."""
    from scipy.special import expit

    return known("sigmoid", "1/(1 + exp(-x))", lambda x, out: expit(x, out=out), degree=0)


@entry
def erf() -> Activation:
    """phi(x) = erf(x); E phi^2 = 2 / pi arcsin(2 q / (1 + 2 q)) by Williams (1997)."""
    from scipy import special

    return known(
        "erf", "erf(x)", lambda x, out: special.erf(x, out=out), degree=0,
        mean_square=lambda q: 2 / math.pi * math.atan(q / math.sqrt(0.25 + q)),  # the same angle
    )  # fmt: skip


@entry
def sin() -> Activation:
    """phi(x) = sin(x)."""
    return known(
        "sin", "sin(x)", lambda x, out: np.sin(x, out=out),
        degree=0, mean_square=lambda q: -math.expm1(-2 * q) / 2,
    )  # fmt: skip


@entry
def cos() -> Activation:
    """phi(x) = cos(x)."""
    return known(
        "cos", "cos(x)", lambda x, out: np.cos(x, out=out),
        degree=0, mean_square=lambda q: (1 + math.exp(-2 * q)) / 2,
    )  # fmt: skip


@entry
def arctan() -> Activation:
    """phi(x) = arctan(x)."""
    return known("arctan", "arctan(x)", lambda x, out: np.arctan(x, out=out), degree=0)


@entry
def softsign() -> Activation:
    """phi(x) = x / (1 + |x|)."""

    def into(x: Array, out: Array) -> None:
        np.abs(x, out=out)
        np.add(out, 1.0, out=out)
        np.divide(x, out, out=out)

    return known("softsign", "x/(1 + abs(x))", into, kinks=(0.0,), degree=0)


@entry
def hardtanh() -> Activation:
    """phi(x) = x cut at -1 and 1."""
    return known(
        "hardtanh", "min(max(x, -1), 1)", lambda x, out: np.clip(x, -1.0, 1.0, out=out),
        kinks=(-1.0, 1.0), degree=0,
    )  # fmt: skip


@entry
def heaviside() -> Activation:
    """phi(x) = 1 for x > 0, else 0."""
    return known(
        "heaviside", "step(x)", lambda x, out: np.copyto(out, x > 0), kinks=(0.0,),
        degree=0, homogeneous=Homogeneous(0, 1.0, 0.0), mean_square=lambda q: 0.5,
    )  # fmt: skip


@entry
def sign() -> Activation:
    """phi(x) = -1, 0 or 1 with the sign of x."""
    return known(
        "sign", "sign(x)", lambda x, out: np.sign(x, out=out), kinks=(0.0,),
        degree=0, homogeneous=Homogeneous(0, 1.0, 1.0), mean_square=lambda q: 1.0,
    )  # fmt: skip


@entry
def abs_() -> Activation:
    """phi(x) = |x|."""
    return known(
        "abs", "abs(x)", lambda x, out: np.abs(x, out=out), kinks=(0.0,),
        degree=1, homogeneous=Homogeneous(1, 1.0, 1.0), mean_square=lambda q: q,
    )  # fmt: skip


@entry
def square() -> Activation:
    """phi(x) = x^2."""
    return known(
        "square", "x^2", lambda x, out: np.multiply(x, x, out=out),
        degree=2, mean_square=lambda q: 3 * q * q,
    )  # fmt: skip


@entry
def relu_squared() -> Activation:
    """phi(x) = max(x, 0)^2."""

    def into(x: Array, out: Array) -> None:
        np.maximum(x, 0.0, out=out)
        np.multiply(out, out, out=out)

    return known(
        "relu_squared", "max(x, 0)^2", into,
        kinks=(0.0,), degree=2, mean_square=lambda q: 1.5 * q * q,
    )  # fmt: skip


@entry
def exp() -> Activation:
    """phi(x) = exp(x)."""
    return known(
        "exp", "exp(x)", lambda x, out: np.exp(x, out=out),
        mean_square=lambda q: exp_or_inf(2 * q), log_abs=lambda x: x,
    )  # fmt: skip


@entry
def gaussian() -> Activation:
    """phi(x) = exp(-x^2)."""

    def into(x: Array, out: Array) -> None:
        np.multiply(x, x, out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)

    return known(
        "gaussian", "exp(-x^2)", into, degree=0, mean_square=lambda q: 1 / math.sqrt(1 + 4 * q)
    )


@entry
def cbrt() -> Activation:
    """phi(x) = x^(1/3), odd."""
    moment = 2 ** (1 / 3) * math.gamma(5 / 6) / math.sqrt(math.pi)
    return known(
        "cbrt", "cbrt(x)", lambda x, out: np.cbrt(x, out=out), kinks=(0.0,),
        degree=1 / 3, mean_square=lambda q: moment * q ** (1 / 3),
    )  # fmt: skip
