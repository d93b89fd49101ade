"""The deterministic prediction: the length map, layer by layer, with its error."""

import math
from dataclasses import dataclass

import numpy as np

from lengthlab.activations import Array
from lengthlab.checks import check_count
from lengthlab.gaussian import mean_square
from lengthlab.network import Network, check_network

_EPS = float(np.finfo(float).eps)
_MOST_LAYERS = 10**7  # two arrays of them take 160 MB


@dataclass(frozen=True, eq=False)
class LengthMap:
    """Lengths qt_1, ..., qt_depth that a network's layers have at infinite width.

    Attributes
    ----------
    values, errors : ndarray, shape (depth,)
        qt_l, layer 1 first, and bounds on their absolute errors; inf from `first_infinite` or
        `first_overflow` on, never nan.
    first_infinite : int or None
        First layer, counted from 1, whose length is infinite.
    first_overflow : int or None
        First layer whose length is finite, but beyond every float.
    certain : bool
        False where finiteness rests on probing a plain Python phi.
    """

    values: Array
    errors: Array
    first_infinite: int | None = None
    first_overflow: int | None = None
    certain: bool = True


def length_map(net: Network, *, depth: int) -> LengthMap:
    """Length map of a network: qt_1 = v_1, qt_{l+1} = gain E phi(sqrt(qt_l) Z)^2 + sigma_b^2.

    Parameters
    ----------
    net : Network
        With ``v_1 = sigma_w^2 |x_0|^2 / N + sigma_b^2``, ``gain = sigma_w^2 / keep_probability``.
    depth : int
        Number of layers, from 1 to 10^7.

    Returns
    -------
    LengthMap

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or phi gives nan.

    Notes
    -----
    Source: Long & Sedghi (2019), section 3; Poole et al. (2016). The error of a layer is that of
    its integral plus the error of the layer before times the map's slope.

    Examples
    --------
    >>> prediction = length_map(Network("tanh", sigma_w=1.5, sigma_b=0.3), depth=4)
    >>> prediction.values.round(3)
    array([2.34 , 1.322, 1.092, 1.013])
    >>> length_map(Network("exp_square", sigma_w=1.0), depth=14).first_infinite
    13
    """
    check_network(net)
    depth = check_count("depth", depth)
    if depth > _MOST_LAYERS:
        check_count("depth", depth, maximum=_MOST_LAYERS)
    values, errors = np.full(depth, math.inf), np.full(depth, math.inf)
    bias = net.sigma_b * net.sigma_b
    q, last, certain = net.first_variance, math.nan, True
    error = 4 * _EPS * q
    for layer in range(1, depth + 1):
        if not math.isfinite(q):
            return LengthMap(values, errors, None, layer, certain)
        values[layer - 1], errors[layer - 1] = q, error
        if layer == depth:
            break
        if q != last:  # a length that has settled costs nothing more
            moment, last = mean_square(net.activation, q), q
        m, certain = moment.estimate, certain and moment.estimate.certain
        if math.isinf(m.value):
            infinite, overflow = (None, layer + 1) if m.overflow else (layer + 1, None)
            return LengthMap(values, errors, infinite, overflow, certain)
        q = net.gain * m.value + bias
        error = net.gain * (m.error + abs(moment.slope) * error) + 4 * _EPS * q
    return LengthMap(values, errors, certain=certain)
