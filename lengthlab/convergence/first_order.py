"""All layers together, to first order in 1 / sqrt(width).

The deviations ``sqrt(N) (q_l - qt_l)`` tend to a Gaussian chain: given the layer before, a layer's
is ``slope`` times that of the layer before plus independent noise, because the part of phi^2 that
is correlated with the length acts through the length alone. That makes the probability of a box a
forward recursion over one variable.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lengthlab.activations import Array
from lengthlab.finite_width import length_variance
from lengthlab.gaussian import mean_square
from lengthlab.length_map import length_map
from lengthlab.network import Network

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_PANEL = 4.0  # standard deviations of the noise; 16 nodes then give 1e-13
_REACH = 9.0  # standard deviations beyond which nothing is left
_MOST_PANELS = 4096
_ROWS = 128  # nodes that are computed together: what they depend on is a short stretch


@dataclass(frozen=True, eq=False)
class Deviations:
    """The limit law of ``sqrt(N) (q_l - qt_l)``, l = 1, ..., depth.

    Attributes
    ----------
    variance : ndarray, shape (depth,)
        ``lim N Var(q_l)``.
    slope : ndarray, shape (depth - 1,)
        Slope of the length map from each layer to the next.
    """

    variance: Array
    slope: Array

    @property
    def noise(self) -> Array:
        """Variance of each layer given the one before, shape (depth,)."""
        carried = self.slope**2 * self.variance[:-1]
        return np.concatenate([self.variance[:1], np.maximum(self.variance[1:] - carried, 0.0)])

    def covariance(self) -> Array:
        """Of all layers, shape (depth, depth)."""
        depth = len(self.variance)
        matrix = np.diag(self.variance)
        for k in range(1, depth):
            matrix[k, :k] = self.slope[k - 1] * matrix[k - 1, :k]
            matrix[:k, k] = matrix[k, :k]
        return matrix


def deviations(net: Network, *, depth: int) -> Deviations:
    """First-order law of the lengths around the length map.

    Parameters
    ----------
    net : Network
        Activation and scales.
    depth : int
        Number of layers, ``>= 1``.

    Returns
    -------
    Deviations

    Raises
    ------
    InfiniteSpreadError
        If the length map or the variance of phi^2 is infinite at some layer.

    Notes
    -----
    Source: the delta method. With ``m(v) = E phi(sqrt(v) Z)^2``, the noise of v_{l+1} and of q_l
    have covariance ``2 qt_l m'(qt_l)`` and q_l's has variance 2 qt_l^2: projected on q_l, what is
    left of v_{l+1} is independent of it, and v_l is no longer needed.

    Examples
    --------
    >>> law = deviations(Network("relu", sigma_w=2**0.5), depth=3)
    >>> law.covariance().round(6)
    array([[ 8.,  8.,  8.],
           [ 8., 28., 28.],
           [ 8., 28., 48.]])
    """
    variance = length_variance(net, depth=depth)
    lengths = length_map(net, depth=depth).values[:-1].tolist()
    slope = np.array([net.gain * mean_square(net.activation, q).slope for q in lengths])
    return Deviations(variance, slope)


def box_probability(law: Deviations, reach: float) -> float:
    """Probability that every layer deviates by `reach` at most.

    Parameters
    ----------
    law : Deviations
    reach : float
        ``eps sqrt(N)``, ``> 0``.

    Returns
    -------
    float
        Within about 1e-12, as long as the noise of a layer is a thousandth of what is carried.

    Notes
    -----
    The density of layer l, restricted to the box of the layers up to l, is known at Gauss-Legendre
    nodes that resolve the noise on both sides; the next one is a sum over them.

    Examples
    --------
    >>> box_probability(Deviations(np.array([1.0]), np.empty(0)), 1.96).__round__(3)
    0.95
    """
    law = _felt(law, reach)
    deviation, noise = np.sqrt(law.variance).tolist(), np.sqrt(law.noise).tolist()
    # Before layer 1 the deviation is 0, for certain.
    position, mass = np.zeros(1), np.ones(1)
    slopes = [0.0, *law.slope.tolist(), 0.0]
    for k, (slope, following) in enumerate(pairwise(slopes[: len(deviation) + 1])):
        if noise[k] == 0.0:  # a length of 0, or below every float: layers start anew
            position, mass = np.zeros(1), mass.sum(keepdims=True)
            continue
        ahead = noise[k + 1] / abs(following) if following else math.inf
        finest = min(noise[k], ahead or noise[k])
        nodes, weights = _panels(min(reach, _REACH * deviation[k]), finest)
        density = _spread(nodes, slope * position, mass, noise[k])
        position, mass = nodes, weights * density
    return min(float(mass.sum()), 1.0)


def _felt(law: Deviations, reach: float) -> Deviations:
    """Keep the layers that leave the box at all: those between them add their noise only.

    Where slopes are steep, as where lengths explode, the last few layers are all that is left.
    """
    felt = np.flatnonzero(reach < _REACH * np.sqrt(law.variance))
    slope = [math.prod(law.slope[a:b].tolist()) for a, b in pairwise(felt.tolist())]
    return Deviations(law.variance[felt], np.array(slope))


def _spread(at: Array, centres: Array, mass: Array, deviation: float) -> Array:
    """Density at points `at`, ascending, of masses at monotone `centres` plus Gaussian noise."""
    if centres[0] > centres[-1]:
        centres, mass = centres[::-1], mass[::-1]
    density = np.empty(len(at))
    for start in range(0, len(at), _ROWS):
        rows = at[start : start + _ROWS]
        ends = rows[0] - _REACH * deviation, rows[-1] + _REACH * deviation
        first, last = np.searchsorted(centres, ends)
        z = (rows[:, None] - centres[first:last]) / deviation
        density[start : start + _ROWS] = np.exp(-z * z / 2) @ mass[first:last]
    return density / (deviation * math.sqrt(2 * math.pi))


def _panels(half: float, finest: float) -> tuple[Array, Array]:
    """Nodes and weights on [-half, half] that resolve a Gaussian of standard deviation `finest`."""
    wanted = min(2 * half / (_PANEL * finest), _MOST_PANELS)
    edges = np.linspace(-half, half, max(1, math.ceil(wanted)) + 1)
    middle, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    nodes = (middle[:, None] + width / 2 * _NODES).ravel()
    return nodes, np.tile(width / 2 * _WEIGHTS, len(middle))
