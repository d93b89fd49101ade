"""The kernel matrices of a set of inputs, and their eigenvalues."""

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from lengthlab.activations import Activation, Array
from lengthlab.activations import activation as catalogued
from lengthlab.correlation.kernel import product_mean, slope_product_mean
from lengthlab.derivative import mean_square_slope

_STEPS = 0.02 * 4.0 ** -np.arange(4)
# Central differences of order 8.
_STENCIL = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))
_MOST_INPUTS = 500
_SHARP = 1e-9  # relative error of an entry of the gradient matrix
_LARGEST = 1e300  # what a slope counts as where phi has left the floats: beyond all weights


def gram_spectrum(
    activation: str | Activation,
    inputs: Any,
    *,
    matrix: Literal["features", "gradient"] = "features",
) -> Array:
    """Eigenvalues of a kernel matrix of random features on some inputs.

    Parameters
    ----------
    activation : str or Activation
        A name from `catalogue`, or an `Activation`.
    inputs : array_like, shape (n, d)
        n points x_i; lengths matter.
    matrix : {"features", "gradient"}
        "features": ``E phi(w.x_i) phi(w.x_j)`` for w ~ Normal(0, I), the infinite-width Gram matrix
        of a hidden layer. "gradient": ``E phi'(w.x_i) phi'(w.x_j) x_i.x_j``, that of the gradients
        by the weights w.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Ascending; what rounding makes slightly negative is left so.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or an entry is infinite: phi grows too fast, or, for the
        gradient, jumps.

    Notes
    -----
    Panigrahi et al. (2020) bound the smallest eigenvalue of the gradient matrix on separated data:
    away from 0 where phi is not smooth, tiny where it is smooth and the data of low dimension.
    Eigenvalues far below 1e-12 of the largest are rounding.

    Examples
    --------
    >>> angle = 2 * np.pi * np.arange(8) / 8
    >>> circle = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> values = gram_spectrum("relu", circle)
    >>> bool(abs(values[0]) < 1e-15 < 0.01 < values[-1])
    True
    """
    phi = activation if isinstance(activation, Activation) else catalogued(activation)
    points = _check_inputs(inputs)
    if matrix not in ("features", "gradient"):
        msg = f"matrix must be 'features' or 'gradient', got {matrix!r}"
        raise ValueError(msg)
    products = points @ points.T
    if matrix == "features":
        entries = _kernel_matrix(lambda p, q, c: product_mean(phi, p, q, c).value, products)
    else:
        entries = _kernel_matrix(_Slopes(phi), products) * products
    return np.asarray(np.linalg.eigvalsh(entries))


def _check_inputs(inputs: Any) -> Array:
    try:
        points = np.asarray(inputs, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        msg = f"inputs must be an array of numbers, shape (n, d), got {inputs!r}"
        raise TypeError(msg) from None
    if points.ndim != 2 or not points.size:
        msg = f"inputs must have shape (n, d), one point a row, got shape {points.shape}"
        raise ValueError(msg)
    if len(points) > _MOST_INPUTS:
        msg = (
            f"inputs must hold at most {_MOST_INPUTS} points, got {len(points)}; take some of them"
        )
        raise ValueError(msg)
    if not np.isfinite(points).all():
        msg = f"inputs must be finite, got {float(points[~np.isfinite(points)][0])!r} among them"
        raise ValueError(msg)
    return points


def _kernel_matrix(entry: Callable[[float, float, float], float], products: Array) -> Array:
    """Entries by two variances and a correlation, from covariances `products`; equal ones once."""
    squares, found = np.diag(products), {}
    kernel = np.empty_like(products)
    for i in range(len(products)):
        for j in range(i + 1):
            p, q = sorted((float(squares[i]), float(squares[j])))
            size = math.sqrt(p) * math.sqrt(q)
            c = 1.0 if i == j else float(products[i, j]) / size if size else 0.0
            key = (float(f"{p:.14g}"), float(f"{q:.14g}"), round(min(max(c, -1.0), 1.0), 15))
            if key not in found:
                found[key] = entry(*key)
            kernel[i, j] = kernel[j, i] = found[key]
    return kernel


# --- phi' -----------------------------------------------------------------------------------------


class _Slopes:
    """E phi'(sqrt(p) U) phi'(sqrt(q) V) by p, q and their correlation."""

    def __init__(self, phi: Activation) -> None:
        self.phi, self._squares = phi, dict[float, float]()

    def __call__(self, p: float, q: float, c: float) -> float:
        if p == 0 or q == 0:
            return 0.0  # the entry is a multiple of the product of the two inputs, which is 0
        size = math.sqrt(self._square(p)) * math.sqrt(self._square(q))
        if c == 1 and p == q:
            return self._square(p)
        if abs(c) < 1:
            found = slope_product_mean(self.phi, p, q, c)
            if found.error <= _SHARP * size:
                return found.value
        return product_mean(slope(self.phi), p, q, c, rtol=_SHARP).value

    def _square(self, q: float) -> float:
        if q not in self._squares:
            self._squares[q] = mean_square_slope(self.phi, q).value
        if math.isinf(self._squares[q]):
            msg = (
                "activation must have a slope of finite mean square where matrix is 'gradient', "
                f"got {self.phi.label}"
            )
            raise ValueError(msg)
        return self._squares[q]


def slope(phi: Activation) -> Activation:
    """phi' as an activation, by differences that do not reach over a kink; about 1e-11 relative.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> slope(activation("relu"))([-1.0, 2.0]).round(12)
    array([0., 1.])
    """
    breaks = np.array([*phi.kinks, *(pole.location for pole in phi.poles)])

    def function(x: Array) -> Array:
        room = np.abs(x[..., None] - breaks).min(axis=-1) / 16 if len(breaks) else math.inf
        steps = np.minimum(_STEPS.reshape(-1, *[1] * x.ndim), room)
        found = np.stack([_difference(phi, x, step) for step in steps])
        # The step at which two neighbouring steps agree best.
        apart = np.abs(np.diff(found, axis=0))
        best = np.where(np.isnan(apart), np.inf, apart).argmin(axis=0)
        slopes = np.take_along_axis(found, best[None], axis=0)[0]
        return np.asarray(np.where(np.isnan(slopes) & np.isinf(phi(x)), _LARGEST, slopes))

    return Activation(function, f"slope of {phi.label}", kinks=phi.kinks, growth=phi.growth)


def _difference(phi: Activation, x: Array, step: Array) -> Array:
    step = (x + step) - x  # what the floats make of it
    with np.errstate(all="ignore"):
        parts = [weight * (phi(x + k * step) - phi(x - k * step)) for k, weight in _STENCIL]
        return np.asarray(np.where(step > 0, sum(parts) / step, 0.0))
