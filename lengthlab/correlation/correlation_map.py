"""Two inputs at infinite width: the correlation of their pre-activations, layer by layer."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from lengthlab.activations import Array
from lengthlab.checks import check_count, check_real
from lengthlab.correlation.closed_forms import is_homogeneous
from lengthlab.correlation.kernel import product_mean
from lengthlab.derivative import mean_square_slope, square_slope_at_zero
from lengthlab.gaussian import Estimate, mean_square
from lengthlab.length_map import LengthMap, length_map
from lengthlab.network import Network, check_network

_EPS = float(np.finfo(float).eps)
_PATIENCE = 2000  # layers in which a length settles, or not
_SETTLED = 1e-12


@dataclass(frozen=True, eq=False)
class CorrelationMap:
    """Correlations c_1, ..., c_depth of two inputs at infinite width.

    Attributes
    ----------
    values, errors : ndarray, shape (depth,)
        c_l, layer 1 first, and bounds on their absolute errors.
    fixed_point : float or None
        Limit of c_l as the depth grows; None where the lengths do not settle, or the limit depends
        on the way there.
    chi : float or None
        ``sigma_w^2 E phi'(sqrt(q*) Z)^2`` at the length q* that the layers tend to: how much small
        differences between inputs grow from layer to layer. inf where phi jumps; None where the
        lengths do not settle.
    """

    values: Array
    errors: Array
    fixed_point: float | None
    chi: float | None


def correlation_map(net: Network, *, depth: int, rho: float) -> CorrelationMap:
    """Correlation of the pre-activations of two inputs of the same length, at infinite width.

    Parameters
    ----------
    net : Network
        Activation and scales; both inputs have ``|x_0|^2 / N = input_length``. Dropout draws
        independent masks for the two.
    depth : int
        Number of layers, ``>= 1``.
    rho : float
        Correlation ``x_0 . x_0' / |x_0|^2`` of the inputs, from -1 to 1.

    Returns
    -------
    CorrelationMap

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, phi gives nan, or the length map is infinite, 0, or beyond
        every float at some layer: no correlation exists there.

    Notes
    -----
    ``c_1 = (sigma_w^2 r_0 rho + sigma_b^2) / qt_1`` and ``c_{l+1} = (sigma_w^2 E phi(U) phi(V) +
    sigma_b^2) / qt_{l+1}`` for Gaussians of variance qt_l and correlation c_l, along the length map
    qt. Sources: Poole et al. (2016); Schoenholz et al. (2017), also for dropout. As a function of
    c it is a power series with coefficients >= 0, hence what is said about its fixed points.

    Examples
    --------
    >>> found = correlation_map(Network("relu", sigma_w=2**0.5), depth=3, rho=0.0)
    >>> found.values.round(4)
    array([0.    , 0.3183, 0.4937])
    >>> found.fixed_point, found.chi.__round__(12)
    (1.0, 1.0)
    """
    check_network(net)
    depth = check_count("depth", depth)
    rho = check_real("rho", rho, at_least=-1, at_most=1)
    lengths = length_map(net, depth=depth)
    _refuse_without_correlation(lengths)
    values, errors = np.empty(depth), np.zeros(depth)
    inputs, bias = net.sigma_w * net.sigma_w * net.input_length, net.sigma_b * net.sigma_b
    values[0] = (inputs * rho + bias) / net.first_variance
    errors[0] = 0.0 if abs(values[0]) == abs(rho) == 1 else 8 * _EPS
    for layer in range(1, depth):
        q, following = lengths.values[layer - 1 : layer + 1].tolist()
        step, c, of_c = _Step(net, q, following), float(values[layer - 1]), errors[layer - 1]
        values[layer] = step(c)
        if of_c or not step.keeps(c):
            of_length = abs(values[layer]) * lengths.errors[layer] / following
            errors[layer] = min(step.error(c, of_c, lengths.errors[layer - 1]) + of_length, 2.0)
    settled = _settled_length(net, float(lengths.values[-1]))
    fixed_point = _fixed_point(net, settled, float(values[-1]))
    return CorrelationMap(values, errors, fixed_point, _chi(net, settled))


def _refuse_without_correlation(lengths: LengthMap) -> None:
    wrong = ~np.isfinite(lengths.values) | (lengths.values == 0)
    if wrong.any():
        layer = int(wrong.argmax()) + 1
        what = "beyond every float" if lengths.first_overflow == layer else "infinite"
        what = "0" if lengths.values[layer - 1] == 0 else what
        way_out = f"ask for depth < {layer}" if layer > 1 else "change sigma_w"
        msg = f"the length map is {what} at layer {layer}, where no correlation exists; {way_out}"
        raise ValueError(msg)


class _Step:
    """The map c_l -> c_{l+1} between two given lengths."""

    def __init__(self, net: Network, q: float, following: float) -> None:
        self.net, self.q, self.following = net, q, following
        self._weight = net.sigma_w * net.sigma_w
        self._shared = net.keep_probability == 1  # no masks
        self._top = mean_square(net.activation, q).estimate.value

    # A step lives no longer than a call.
    @cache  # noqa: B019
    def product(self, c: float, stretch: float = 1.0) -> Estimate:
        """E phi(U) phi(V) at this length, or at one a little longer."""
        return product_mean(self.net.activation, self.q * stretch, self.q * stretch, c)

    def keeps(self, c: float) -> bool:
        """Whether inputs that are equal, or opposite, remain so."""
        if c != -1 or not self._shared or self.net.sigma_b:
            return c == 1 and self._shared
        opposite = self.product(-1.0)
        return abs(opposite.value + self._top) <= opposite.error + 8 * _EPS * self._top

    def __call__(self, c: float) -> float:
        if self.keeps(c):
            return c
        value = (self._weight * self.product(c).value + self.net.sigma_b**2) / self.following
        return min(max(value, -1.0), 1.0)

    def error(self, c: float, of_c: float, of_q: float) -> float:
        """Error of the next correlation from those of the product, of c and of q."""
        # A power series in c with coefficients >= 0: at |c| it is no steeper than its chord to 1.
        below = min(abs(c), 1 - max(of_c, _EPS))
        chord = max(self._top - self.product(below).value, 0.0) / (1 - below)
        lengthening = abs(self.product(c, 1 + 1e-5).value - self.product(c).value)
        off = self.product(c).error + chord * of_c + lengthening / (1e-5 * self.q) * of_q
        return self._weight * off / self.following + 8 * _EPS


# --- infinite depth -------------------------------------------------------------------------------


def _settled_length(net: Network, q: float) -> float | None:
    """Length that the length map tends to from `q`, 0 included; None if it does not settle."""
    bias = net.sigma_b * net.sigma_b
    for _ in range(_PATIENCE):
        if q == 0:
            return 0.0
        following = net.gain * mean_square(net.activation, q).estimate.value + bias
        if not math.isfinite(following):
            return None
        if abs(following - q) <= _SETTLED * q:
            return following
        q = following
    return 0.0 if q < 1e-100 else None


def _chi(net: Network, q: float | None) -> float | None:
    if q is None:
        return None
    if q == 0 and not is_homogeneous(net.activation):
        slope = square_slope_at_zero(net.activation)
    else:
        slope = mean_square_slope(net.activation, q or 1.0)
    return net.sigma_w * net.sigma_w * slope.value


def _fixed_point(net: Network, q: float | None, c: float) -> float | None:
    """Limit of the correlation from `c` on, at lengths that have settled at `q`.

    Except from -1 of an odd map, or where every c is fixed, all c < 1 tend to one point: to the
    root below 1 of a convex map if there is one, else to 1.
    """
    if q == 0:  # a piecewise linear phi does not tell a small length from a large one
        q = 1.0 if net.sigma_b == 0 and is_homogeneous(net.activation) else None
    if q is None:
        return None
    following = net.gain * mean_square(net.activation, q).estimate.value + net.sigma_b**2
    step = _Step(net, q, following)

    def rise(c: float) -> float:
        return step(c) - c

    if step.keeps(c):
        return c
    if abs(rise(0.5)) <= 1e-14 and abs(rise(0.25)) <= 1e-14:
        return c  # phi is linear
    if abs(rise(0.0)) <= 1e-14:
        return 0.0
    if net.keep_probability == 1:
        slope = mean_square_slope(net.activation, q).value
        if net.sigma_w**2 * slope * q <= following * (1 + 1e-12):
            return 1.0
    return _root(rise)


def _root(rise: Callable[[float], float]) -> float:
    """Where a convex function, positive at 0, falls through 0; 1 where that is too near to 1."""
    from scipy.optimize import brentq

    high = 0.5
    while rise(high) >= 0:
        high = (1 + high) / 2
        if high > 1 - 1e-12:
            return 1.0
    return float(brentq(rise, 0.0, high, xtol=1e-14, rtol=1e-14))
