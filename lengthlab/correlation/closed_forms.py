"""Closed forms of E phi(sqrt(p) U) phi(sqrt(q) V) for standard normals U, V with correlation c."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from lengthlab.activations import Activation, Array

Kernel: TypeAlias = Callable[[float, float, float], float]
"""(p, q, c) -> the mean; p, q > 0 and -1 <= c <= 1."""

_PROBES = np.array([0.013, 0.4, 1.0, 1.7, 6.1])


def closed_form(phi: Activation) -> Kernel | None:
    """Kernel of phi where one is known, by what phi is and does, not by its name alone.

    Notes
    -----
    Sources: Cho & Saul (2009) for piecewise powers, the arc-cosine kernels; Williams (1997) for
    erf; the characteristic function of a Gaussian for sin, cos and exp, its moments for x^2, its
    determinant for exp(-x^2), and Hermite series for log|x|.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> closed_form(activation("sign"))(1.0, 2.0, 1.0)
    1.0
    >>> closed_form(activation("tanh")) is None
    True
    """
    piecewise = _piecewise(phi)
    if piecewise is not None:
        return piecewise
    function, kernel = _KNOWN.get(phi.name, (None, None))
    if function is None or kernel is None:
        return None
    x = np.concatenate([_PROBES, -_PROBES])
    return kernel if np.allclose(phi(x), function(x), rtol=1e-12, atol=0) else None


def is_homogeneous(phi: Activation) -> bool:
    """Whether phi itself, not |phi| alone, is ``a x^d`` for x > 0 and ``b |x|^d`` for x < 0."""
    return _piecewise(phi) is not None


def _angle(c: float) -> float:
    """Arc cosine, as good near 1 and -1 as elsewhere."""
    return 2 * math.atan2(math.sqrt(1 - c), math.sqrt(1 + c))


def _piecewise(phi: Activation) -> Kernel | None:
    """Arc-cosine kernel of degree 0 or 1: both positive, both negative, and one of each."""
    law = phi.homogeneous
    if law is None or law.degree not in (0, 1):
        return None
    right, left = phi(_PROBES), phi(-_PROBES)
    (a, b), shape = phi([1.0, -1.0]).tolist(), _PROBES**law.degree
    if not np.allclose(right, a * shape, rtol=1e-12) or not np.allclose(
        left, b * shape, rtol=1e-12
    ):
        return None

    def same_side(c: float) -> float:
        """E U+^d V+^d."""
        angle = _angle(c)
        if law.degree == 0:
            return (math.pi - angle) / (2 * math.pi)
        return (math.sin(angle) + c * (math.pi - angle)) / (2 * math.pi)

    def kernel(p: float, q: float, c: float) -> float:
        both = float((a * a + b * b) * same_side(c) + 2 * a * b * same_side(-c))
        return both * math.sqrt(p * q) if law.degree else both

    return kernel


def _apart(p: float, q: float, c: float) -> float:
    """Variance of sqrt(p) U - sqrt(q) V."""
    return (math.sqrt(p) - math.sqrt(q)) ** 2 + 2 * math.sqrt(p * q) * (1 - c)


def _determinant(p: float, q: float, c: float) -> float:
    """Of 1 + 2 Sigma, for the covariance Sigma of the two."""
    return 1 + 2 * p + 2 * q + 4 * p * q * (1 - c) * (1 + c)


def _erf(p: float, q: float, c: float) -> float:
    angle = math.atan2(2 * c * math.sqrt(p * q), math.sqrt(_determinant(p, q, c)))
    return 2 / math.pi * angle


def _sin(p: float, q: float, c: float) -> float:
    near, far = _apart(p, q, c), _apart(p, q, -c)
    return (math.exp(-near / 2) - math.exp(-far / 2)) / 2


def _cos(p: float, q: float, c: float) -> float:
    near, far = _apart(p, q, c), _apart(p, q, -c)
    return (math.exp(-near / 2) + math.exp(-far / 2)) / 2


def _exp(p: float, q: float, c: float) -> float:
    exponent = _apart(p, q, -c) / 2
    return math.exp(exponent) if exponent < 709.78 else math.inf


def _relu_squared(p: float, q: float, c: float) -> float:
    angle = _angle(c)
    both = 3 * math.sin(angle) * c + (math.pi - angle) * (1 + 2 * c * c)
    return p * q * both / (2 * math.pi)


def _log_abs(p: float, q: float, c: float) -> float:
    shift = (np.euler_gamma + math.log(2)) / 2  # -E log|Z|
    means = (math.log(p) / 2 - shift) * (math.log(q) / 2 - shift)
    return means + math.asin(c) ** 2 / 2


def _erf_function(x: Array) -> Any:
    from scipy.special import erf

    return erf(x)


_KNOWN: dict[str, tuple[Callable[[Array], Any], Kernel]] = {
    "erf": (_erf_function, _erf),
    "sin": (np.sin, _sin),
    "cos": (np.cos, _cos),
    "exp": (np.exp, _exp),
    "square": (np.square, lambda p, q, c: p * q * (1 + 2 * c * c)),
    "relu_squared": (lambda x: np.maximum(x, 0.0) ** 2, _relu_squared),
    "gaussian": (lambda x: np.exp(-x * x), lambda p, q, c: 1 / math.sqrt(_determinant(p, q, c))),
    "log_abs": (lambda x: np.log(np.abs(x)), _log_abs),
    "dirichlet": (np.ones_like, lambda p, q, c: 0.0),  # exactly, whatever the program computes
}
