"""The correlation map of any phi, quickly: a power series by Hermite functions."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np

from lengthlab.activations import Activation, Array
from lengthlab.correlation.closed_forms import Kernel, closed_form
from lengthlab.gaussian import mean_square
from lengthlab.length_map import LengthMap
from lengthlab.network import Network

Rule: TypeAlias = tuple[Array, Array, Array]
Map: TypeAlias = Callable[[Array], Array]

_TERMS = 128  # the last power; even
_POWERS = np.arange(_TERMS + 1.0)
_REACH = 27.0  # where its Hermite function has died away
_PANEL = 0.5
_LEVELS = 40  # panels that lead to a pole, each half as long
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_SAME = 1e-5  # relatively: lengths that share their integrals
_KNOWN = 1e-3  # a product mean that is known no better is not shown


@dataclass(frozen=True, eq=False)
class ProductSeries:
    """E phi(sqrt(q) U) phi(sqrt(q) V) as a power series in the correlation c of U and V.

    Attributes
    ----------
    coefficients : ndarray
        Of c^0, c^1, ..., all ``>= 0``.
    even, odd : float
        Sums of the coefficients beyond them, of even and of odd powers.

    Notes
    -----
    Source: Mehler's formula; a coefficient is ``(E phi(sqrt(q) Z) He_k(Z))^2 / k!``.
    """

    coefficients: Array
    even: float
    odd: float

    def __call__(self, c: Array) -> Array:
        """Values; exact at -1, 0 and 1."""
        return np.asarray(np.asarray(c)[..., None] ** _POWERS @ self.coefficients + self._rest(c))

    def error(self, c: Array) -> Array:
        """Bound on what the powers beyond the last one may change."""
        return np.asarray(np.abs(self._rest(np.abs(c))) * (np.abs(c) < 1))

    def _rest(self, c: Array) -> Array:
        last = len(self.coefficients)
        return np.asarray(self.odd * c**last + self.even * c ** (last + 1))


def product_series(phi: Activation, q: float) -> ProductSeries | None:
    """Series of phi at one length; None where its integrals need more care than is taken here.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> round(float(product_series(activation("relu"), 1.0)(np.array(0.0))) * 2 * np.pi, 6)
    1.0
    """
    top, scale = mean_square(phi, q).estimate.value, math.sqrt(q)
    coefficients, opposite, square = np.zeros(_TERMS + 1), 0.0, 0.0
    for z, weights, basis in _rule(phi, scale):
        density = np.exp(-z * z / 4) / (2 * math.pi) ** 0.25
        with np.errstate(all="ignore"):
            f, mirrored = density * phi(scale * z), density * phi(-scale * z)
            coefficients += (weights * f) @ basis
            square += float(weights @ (f * f))
            opposite += float(weights @ (f * mirrored))
    if not (np.isfinite(coefficients).all() and 0 < top < math.inf and 0 < square < math.inf):
        return None
    if not phi.poles and abs(square - top) > _KNOWN * top:
        return None
    opposite *= top / square  # of what no rule catches beside a pole, the same share is even
    coefficients = coefficients**2
    found_even, found_odd = coefficients[::2].sum(), coefficients[1::2].sum()
    even = max((top + opposite) / 2 - found_even, 0.0)
    return ProductSeries(
        coefficients, float(even), float(max(top - found_even - found_odd - even, 0.0))
    )


def _rule(phi: Activation, scale: float) -> list[Rule]:
    """Nodes, weights, Hermite functions: everywhere but in panels with breaks, and in these."""
    poles = [pole.location / scale for pole in phi.poles]
    breaks = sorted({*(kink / scale for kink in phi.kinks), *poles})
    inside = [x for x in breaks if abs(x) < _REACH and (x in poles or x % _PANEL)]
    whole = _plain_rule()
    if not inside:
        return [whole]
    z, weights, basis = whole
    edges = np.arange(-_REACH, _REACH + _PANEL / 2, _PANEL)
    near = np.searchsorted(edges, inside, side="right") - 1
    near = np.unique([near, near - np.isin(inside, edges)])  # a pole may lie between two panels
    weights = weights.copy().reshape(-1, len(_NODES))
    weights[near] = 0.0
    steps = _PANEL * 0.5 ** np.arange(_LEVELS)
    finer = [pole + side * steps for pole in poles for side in (-1, 1)]
    cuts = np.unique(np.concatenate([inside, *finer]))
    pieces = []
    for left, right in edges[[near, near + 1]].T.tolist():
        ends = np.array([left, *cuts[(cuts > left) & (cuts < right)].tolist(), right])
        pieces.append(np.column_stack([ends[:-1], ends[1:]]))
    return [(z, weights.ravel(), basis), _panels(np.concatenate(pieces))]


@cache
def _plain_rule() -> Rule:
    edges = np.arange(-_REACH, _REACH + _PANEL / 2, _PANEL)
    return _panels(np.column_stack([edges[:-1], edges[1:]]))


def _panels(ends: Array) -> Rule:
    half = (ends[:, 1] - ends[:, 0]) / 2
    z = (ends.mean(axis=1)[:, None] + half[:, None] * _NODES).ravel()
    basis = np.empty((_TERMS + 1, len(z)))
    # Normalised: He_k(z) exp(-z^2 / 4) / sqrt(k! sqrt(2 pi)).
    basis[0] = np.exp(-z * z / 4) / (2 * math.pi) ** 0.25
    basis[1] = z * basis[0]
    for k in range(1, _TERMS):
        basis[k + 1] = (z * basis[k] - math.sqrt(k) * basis[k - 1]) / math.sqrt(k + 1)
    return z, (half[:, None] * _WEIGHTS).ravel(), basis.T


# --- along a network ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class CorrelationSteps:
    """The maps c_l -> c_{l+1} of a network's layers, as far as there is a correlation.

    Attributes
    ----------
    net : Network
    layers : int
        That have a finite length above 0.
    steps : tuple of callable
        One a layer, each elementwise from correlation to correlation; fewer where the next length
        is infinite, or the map is not known here.
    errors : tuple of callable
        Bounds on them.
    reason : str
        Why there are no more layers or steps, else "".
    """

    net: Network
    layers: int
    steps: tuple[Map, ...]
    errors: tuple[Map, ...]
    reason: str = ""

    def first(self, rho: float) -> float:
        """c_1, for inputs of correlation `rho`."""
        net = self.net
        inputs = net.sigma_w * net.sigma_w * net.input_length
        return (inputs * rho + net.sigma_b * net.sigma_b) / net.first_variance

    def path(self, rho: float) -> Array:
        """c_1, c_2, ... as far as they follow within 0.001."""
        values = [self.first(rho)]
        for step, error in zip(self.steps[: self.layers - 1], self.errors, strict=False):
            c = np.array(values[-1])
            if error(c) > _KNOWN:
                break
            values.append(float(step(c)))
        return np.array(values)

    def curve(self, c: Array) -> Array:
        """Map the correlations by the last step; nan where it is not known."""
        if not self.steps:
            return np.full_like(c, math.nan)
        return np.where(self.errors[-1](c) > _KNOWN, math.nan, self.steps[-1](c))


def correlation_steps(net: Network, lengths: LengthMap) -> CorrelationSteps:
    """Make the maps of a network's layers along its length map.

    Parameters
    ----------
    net : Network
        Activation and scales.
    lengths : LengthMap
        Of this network.

    Returns
    -------
    CorrelationSteps

    Examples
    --------
    >>> from lengthlab.length_map import length_map
    >>> net = Network("relu", sigma_w=2**0.5)
    >>> correlation_steps(net, length_map(net, depth=3)).path(0.0).round(4)
    array([0.    , 0.3183, 0.4937])
    """
    q = lengths.values
    there = np.isfinite(q) & (q > 1e-290)
    layers = int(there.argmin()) if not there.all() else len(q)
    reason = ""
    if layers < len(q):
        what = "infinite" if lengths.first_infinite == layers + 1 else "beyond every float"
        what = "0" if q[layers] <= 1e-290 else what
        reason = f"no correlation from layer {layers + 1} on, where the length map is {what}"
    steps, errors = [], []
    make = _Maker(net)
    for k in range(layers):
        following = float(q[k + 1]) if k + 1 < len(q) else _following(net, float(q[k]))
        if not 1e-290 < following < math.inf:
            break
        made = make(float(q[k]), following)
        if made is None:
            reason = "the correlation map of this phi takes slower integrals"
            break
        steps.append(made[0])
        errors.append(made[1])
    return CorrelationSteps(net, layers, tuple(steps), tuple(errors), reason)


def _following(net: Network, q: float) -> float:
    return net.gain * mean_square(net.activation, q).estimate.value + net.sigma_b**2


class _Maker:
    """Makes the steps of a network; lengths that are nearly the same share a series."""

    def __init__(self, net: Network) -> None:
        self._net, self._kernel = net, closed_form(net.activation)
        self._at = math.nan
        self._series: ProductSeries | None = None

    def __call__(self, q: float, following: float) -> tuple[Map, Map] | None:
        """Step from a length to the following one, and a bound on its error."""
        if self._kernel is not None:
            return _closed_step(self._net, self._kernel, q, following), np.zeros_like
        if not abs(q / self._at - 1) < _SAME:
            self._at, self._series = q, product_series(self._net.activation, q)
        return None if self._series is None else _series_step(self._net, self._series, following)


def _closed_step(net: Network, kernel: Kernel, q: float, following: float) -> Map:
    def step(c: Array) -> Array:
        products = [kernel(q, q, x) for x in np.clip(c, -1.0, 1.0).ravel().tolist()]
        return _next(net, np.reshape(products, np.shape(c)), following)

    return step


def _series_step(net: Network, series: ProductSeries, following: float) -> tuple[Map, Map]:
    weight = net.sigma_w * net.sigma_w / following
    return (lambda c: _next(net, series(c), following)), (lambda c: weight * series.error(c))


def _next(net: Network, products: Array, following: float) -> Array:
    weight = net.sigma_w * net.sigma_w
    return np.asarray(np.clip((weight * products + net.sigma_b**2) / following, -1.0, 1.0))
