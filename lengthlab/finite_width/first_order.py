"""Width N: first-order laws of the lengths around the length map, without sampling."""

import math
from dataclasses import dataclass

import numpy as np

from lengthlab.activations import Array
from lengthlab.checks import check_real, check_width
from lengthlab.gaussian import mean_fourth, mean_square
from lengthlab.length_map import LengthMap, length_map
from lengthlab.network import Network


@dataclass(frozen=True, eq=False)
class Band:
    """Lengths between which a layer's q_l lies with the probability asked for.

    Attributes
    ----------
    lower, upper : ndarray, shape (depth,)
        Layer 1 first; ``0 <= lower <= upper``.
    """

    lower: Array
    upper: Array


class InfiniteSpreadError(ValueError):
    """From layer `layer` on the lengths have no spread of order 1/sqrt(width)."""

    def __init__(self, layer: int, reason: str) -> None:
        self.layer, self.reason = layer, reason
        super().__init__(f"{reason}; ask for depth < {layer}" if layer > 1 else reason)


def length_variance(net: Network, *, depth: int) -> Array:
    """``lim N Var(q_l)`` as the width N grows: the first-order spread of each layer's length.

    Parameters
    ----------
    net : Network
        Activation and scales.
    depth : int
        Number of layers, ``>= 1``.

    Returns
    -------
    ndarray, shape (depth,)
        ``2 qt_l^2 + U_l``, where U_l = lim N Var(v_l) follows
        ``U_{l+1} = gain^2 (E phi^4 / p - m^2 + m'^2 U_l)`` from U_1 = 0, with
        ``m(q) = E phi(sqrt(q) Z)^2`` at qt_l and p the keep probability.

    Raises
    ------
    InfiniteSpreadError
        If the length map or the variance of phi^2 is infinite at some layer; a ValueError.

    Notes
    -----
    Source: the delta method on the exact chain; for ReLU it is Hanin & Nica (2020).

    Examples
    --------
    >>> length_variance(Network("relu", sigma_w=2**0.5), depth=3)
    array([ 8., 28., 48.])
    """
    return _spread(net, length_map(net, depth=depth))


def _spread(net: Network, prediction: LengthMap) -> Array:
    depth = len(prediction.values)
    spread = np.empty(depth)
    node = 0.0
    for k, q in enumerate(prediction.values.tolist()):
        if not math.isfinite(q):
            size = "infinite" if prediction.first_overflow is None else "beyond every float"
            raise InfiniteSpreadError(k + 1, f"the length map is {size} at layer {k + 1}")
        spread[k] = 2 * q * q + node
        if k + 1 == depth:
            break
        m = mean_square(net.activation, q)
        fourth = mean_fourth(net.activation, q)
        if not math.isfinite(fourth.value):
            what = "a variance beyond every float" if fourth.overflow else "infinite variance"
            reason = f"phi^2 has {what} at layer {k + 1}, where the length is {q:.4g}"
            raise InfiniteSpreadError(k + 2, reason)
        mean, slope = m.estimate.value, m.slope
        noise = max(fourth.value / net.keep_probability - mean * mean, 0.0)
        node = net.gain * net.gain * (noise + slope * slope * node)
    return spread


def band(net: Network, *, width: int, depth: int, level: float = 0.95) -> Band:
    """Central band of each layer's length at width N, to first order in 1/N.

    Parameters
    ----------
    net : Network
        Activation and scales.
    width, depth : int
        Units a layer, from 1 to 10^12, and number of layers, ``>= 1``.
    level : float
        Probability of each layer's interval, ``0 < level < 1``; tails are equal.

    Returns
    -------
    Band

    Raises
    ------
    InfiniteSpreadError
        If the length map or the variance of phi^2 is infinite at some layer: no band exists there.
    TypeError, ValueError
        If an argument breaks its rule.

    Notes
    -----
    Layer 1 is exact: q_1 ~ v_1 chi2_N / N. Beyond it log q_l is taken as Normal(log qt_l,
    Var(q_l) / qt_l^2), which is never negative and tends to the law as the width grows; at small
    widths the median lies below the length map, and the band does not know.

    Examples
    --------
    >>> ten = band(Network("tanh", sigma_w=1.5, sigma_b=0.3), width=64, depth=2, level=0.9)
    >>> ten.lower.round(2), ten.upper.round(2)
    (array([1.7 , 0.96]), array([3.06, 1.81]))
    """
    width = check_width(width)
    level = check_real("level", level, above=0, below=1)
    return band_around(length_map(net, depth=depth), net, width=width, level=level)


def band_around(prediction: LengthMap, net: Network, *, width: int, level: float) -> Band:
    """`band` of a network whose length map is there already."""
    from scipy.special import gammaincinv, ndtri

    spread, lengths = _spread(net, prediction), prediction.values
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(lengths > 0, np.sqrt(spread / width) / lengths, 0.0)
    with np.errstate(over="ignore"):
        reach = np.exp(float(ndtri((1 + level) / 2)) * relative)
        lower, upper = lengths / reach, lengths * reach
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        lower[0], upper[0] = lengths[0] * (2 * gammaincinv(width / 2, tails) / width)
    return Band(lower, upper)
