"""One node's law at width N: from the law of the length, and in closed form for 1/x."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss

from lengthlab.activations import Activation, Array
from lengthlab.finite_width import LengthLaw, UnresolvedError, length_law
from lengthlab.gaussian import critical_variance, mean_fourth, mean_square
from lengthlab.length_map import LengthMap
from lengthlab.network import Network

_NORMAL_FROM = 10**6  # units from which a coordinate of a direction is normal to every digit shown
_LEVELS = np.linspace(-7.5, 7.5, 401)  # in standard deviations: the length's quantiles
_DIRECTIONS = 128  # coordinates of a direction, of which a smooth function is wanted
_PROBES = np.array([0.013, 0.4, 1.0, 1.7, 6.1, 1e6])
_RECIPROCAL = ("reciprocal", "1/x", "x^-1", "x**-1")


@dataclass(frozen=True, eq=False)
class NodeLaw:
    """The law of one node h of a layer, as far as it is known.

    Attributes
    ----------
    cdf : callable or None
        P(h <= x), elementwise; symmetric about 0. None where it is refused.
    kurtosis : float or None
        E h^4 / (E h^2)^2; None where it is not known or does not exist.
    dead : float
        P(h = 0).
    reason : str
        Why something is None, else "".
    name : str
        "Cauchy, scale 2.236" where the law has a name, else "".
    rare : bool
        Lengths too rare to be computed with, and to be sampled, decide the kurtosis.
    """

    cdf: Callable[[Array], Array] | None
    kurtosis: float | None = None
    dead: float = 0.0
    reason: str = ""
    name: str = ""
    rare: bool = False

    @property
    def of_squares(self) -> float | None:
        """Corr(h_i^2, h_j^2) of two nodes: ``c / (2 + 3 c)`` for a kurtosis of ``3 (1 + c)``."""
        if self.kurtosis is None:
            return None
        excess = self.kurtosis / 3 - 1
        return excess / (2 + 3 * excess)


def node_law(net: Network, *, width: int, layer: int) -> NodeLaw:
    """Law of one node of a layer in networks of one width, without sampling.

    Parameters
    ----------
    net : Network
        Activation and scales.
    width, layer : int
        Units a layer, and the layer, from 1.

    Returns
    -------
    NodeLaw

    Notes
    -----
    Given the length, ``h = sqrt(N q) d`` with a coordinate d of a uniform direction in N
    dimensions; q has the law of `length_law`. For 1/x without bias and dropout
    ``log|h|`` is a sum of independent terms: layer 2 is a Cauchy law of scale ``sqrt(N / r_0)``.

    Examples
    --------
    >>> law = node_law(Network("relu", sigma_w=2**0.5), width=5, layer=2)
    >>> round(law.kurtosis, 10), round(law.of_squares, 10)
    (6.0, 0.2)
    >>> node_law(Network("reciprocal"), width=5, layer=2).name
    'Cauchy, scale 2.236'
    """
    if layer > 1 and _is_reciprocal(net):
        return _reciprocal_law(net, width, layer)
    try:
        law = length_law(net, width=width, depth=layer)
    except UnresolvedError as error:
        return NodeLaw(None, reason=error.reason)
    dead = float(law.cdf(0.0, layer=layer))
    cdf = _mixture(law, width, layer, dead)
    try:
        spread = _relative_spread(law, width, layer)
    except UnresolvedError as error:
        return NodeLaw(cdf, dead=dead, reason=error.reason, rare=True)
    if not math.isfinite(spread):
        return NodeLaw(cdf, dead=dead, reason="its moments are beyond every float, or 0")
    return NodeLaw(cdf, kurtosis=3 * (1 + spread), dead=dead)


def why_no_kurtosis(net: Network, lengths: LengthMap, *, layer: int) -> str:
    """Say why a node has no fourth moment; "" where nothing that is known stands against it.

    Parameters
    ----------
    net : Network
    lengths : LengthMap
        Of this network.
    layer : int
        From 1.

    Returns
    -------
    str

    Notes
    -----
    Source: definition, ``E h^p = E |Z|^p E v^(p/2)``. At finite width the v before layer 3, and all
    later ones, come with some probability above whatever variance is critical for phi.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> from lengthlab.length_map import length_map
    >>> for exponent in (-0.6, -0.3, -0.2):
    ...     net = Network(activation("power", exponent=exponent))
    ...     why_no_kurtosis(net, length_map(net, depth=2), layer=2)
    'the node has no variance, E h^2 is infinite'
    'E h^4 of the node is infinite'
    ''
    """
    second, fourth = (critical_variance(net.activation, power) for power in (2, 4))
    least = net.first_variance if layer == 2 else math.inf  # that comes before the layer
    infinite = lengths.first_infinite is not None and lengths.first_infinite <= layer
    if infinite or (layer > 1 and second < math.inf and second <= least):
        return "the node has no variance, E h^2 is infinite"
    if layer > 1 and fourth < math.inf and fourth <= least:
        return "E h^4 of the node is infinite"
    return ""


def _relative_spread(law: LengthLaw, width: int, layer: int) -> float:
    """``Var v / (E v)^2``: an integral at layer 2, where the v before is known."""
    net = law.net
    if layer == 2:
        m = mean_square(net.activation, net.first_variance).estimate.value
        fourth = mean_fourth(net.activation, net.first_variance).value
        mean = net.gain * m + net.sigma_b**2
        noise = max(fourth / net.keep_probability - m * m, 0.0)
        return net.gain**2 * noise / width / mean**2 if 0 < mean**2 < math.inf else math.nan
    mean, variance = float(law.mean[-1]), float(law.variance[-1])
    if not 0 < mean**2 < math.inf:
        return math.nan
    # E q^2 = (1 + 2 / N) E v^2
    return max((variance / mean**2 + 1) / (1 + 2 / width) - 1, 0.0)


def _mixture(law: LengthLaw, width: int, layer: int, dead: float) -> Callable[[Array], Array]:
    """P(h <= x): h is the root of N q, times a coordinate of a uniform direction."""
    from scipy.special import ndtr

    if width <= 3:
        return _of_a_direction(law, width, layer)
    weights = np.diff(ndtr(_LEVELS))
    lengths = law.quantile(ndtr((_LEVELS[1:] + _LEVELS[:-1]) / 2), layer=layer)
    alive = (lengths > 0) & (lengths < math.inf)
    scales, weights = np.sqrt(lengths[alive]), weights[alive]
    weights = weights * ((1 - dead) / max(float(weights.sum()), 1e-300))

    def cdf(x: Array) -> Array:
        x = np.asarray(x, dtype=np.float64)
        half = _coordinate(np.abs(x)[..., None] / scales, width) @ weights + dead
        return np.asarray(np.where(x < 0, 1 - half, half))

    return cdf


def _of_a_direction(law: LengthLaw, width: int, layer: int) -> Callable[[Array], Array]:
    """Sum over coordinates: up to width 3 their density ends in a jump or a pole."""
    nodes, weights = leggauss(_DIRECTIONS)
    share, weights = (1 + nodes) / 2, weights / 2
    if width == 1:
        share, weights = np.ones(1), np.ones(1)
    coordinates = np.cos(math.pi / 2 * share) if width == 2 else share

    def cdf(x: Array) -> Array:
        x = np.asarray(x, dtype=np.float64)
        within: Array = law.cdf(x[..., None] ** 2 / (width * coordinates**2), layer=layer) @ weights
        return np.asarray(np.where(x < 0, 1 - within, 1 + within) / 2)

    return cdf


def _coordinate(x: Array, width: int) -> Array:
    """P(sqrt(N) d <= x) for x >= 0 and a coordinate d of a uniform direction in N dimensions."""
    from scipy.special import betainc, ndtr

    if width > _NORMAL_FROM:
        return np.asarray(ndtr(x))
    return np.asarray(0.5 + betainc(0.5, (width - 1) / 2, np.minimum(x * x / width, 1.0)) / 2)


# --- 1/x ------------------------------------------------------------------------------------------


def _is_reciprocal(net: Network) -> bool:
    phi: Activation = net.activation
    if net.sigma_b or net.keep_probability < 1:
        return False
    named = phi.name.replace(" ", "") in _RECIPROCAL
    x = np.concatenate([_PROBES, -_PROBES])
    return named and bool(np.allclose(phi(x), 1 / x, rtol=1e-14, atol=0))


def _reciprocal_law(net: Network, width: int, layer: int) -> NodeLaw:
    """Give the law of a node in closed form: one normal a layer is enough.

    The mean of N terms 1 / h^2 is N L / v, with L = 1 / Z^2. So ``v_2 = sigma_w^2 N / (v_1 Z_1^2)``
    and ``v_3 = v_1 Z_1^2 / Z_2^2``, and so on: log|h| is a constant and a sum of logarithms of
    independent |Z|, half of which come with a minus.
    """
    even = layer % 2 == 0
    scale = math.sqrt(width / net.input_length if even else net.first_variance)
    reason = "the node has no variance"
    if layer == 2:
        name = f"Cauchy, scale {scale:.4g}"
        return NodeLaw(lambda x: 0.5 + np.arctan(x / scale) / math.pi, reason=reason, name=name)
    # h is a product of so many independent Cauchys, and at odd layers of one normal.
    grid, cumulated = _products(layer // 2, normal=not even)

    def cdf(x: Array) -> Array:
        x = np.asarray(x, dtype=np.float64)
        with np.errstate(divide="ignore"):
            below = np.interp(np.log(np.abs(x) / scale), grid, cumulated) / 2
        return np.where(x < 0, 0.5 - below, 0.5 + below)

    return NodeLaw(cdf, reason=reason)


def _products(cauchys: int, *, normal: bool) -> tuple[Array, Array]:
    """Cdf of log|product|, on a grid: its characteristic function, turned back."""
    from scipy.special import loggamma

    reach = 24.0 * math.sqrt(cauchys)
    y = np.linspace(-reach, reach, 4001)
    t = (np.arange(600) + 0.5) * (0.5 * math.pi / reach)
    transform = np.cosh(math.pi * t / 2) ** -float(cauchys) + 0j
    if normal:
        moment = loggamma((1 + 1j * t) / 2) + 0.5j * t * math.log(2)  # of |Z|^(i t)
        transform *= np.exp(moment) / math.sqrt(math.pi)
    # Gil-Pelaez by the midpoint rule, which is exact but for the mass beyond twice the reach.
    waves = np.exp(-1j * np.outer(y, t)) * transform
    cdf = 0.5 - (waves.imag / t).sum(axis=1) * (t[1] - t[0]) / math.pi
    return y, np.maximum.accumulate(np.clip(cdf, 0.0, 1.0))
