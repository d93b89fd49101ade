"""One unit: the law of its squared output X = mask phi(h)^2, for all variances of h at once.

The nodes are points h, the same for every variance v; v enters by their Gaussian weights alone.
"""

import math
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from lengthlab.activations import Activation, Array
from lengthlab.network import Network

_REACH = 8.5  # standard deviations: 2e-17 of a Gaussian lies beyond
_FINEST = 2.0**-46  # relative width at which a panel is not bisected any more
_ENDS = np.array([1e-6 - 1, 1 - 1e-6])  # of a panel, but inside
_ROUGH = 1e-7  # what a panel's series may leave open, relative to E X
_DECADES = 8  # over which small outputs are resolved at width 1
_ROUGH_NEAR_0 = 1e-5
_MOST_PANELS = 1000
_TOO_ROUGH = 1e-3
_HUGE = 1e290


class UnresolvedError(ValueError):
    """The law of a layer is out of reach.

    Attributes
    ----------
    reason : str
        What is out of reach.
    resolved : int
        Up to this layer the law can be had; 0 if no layer's can.
    """

    def __init__(self, reason: str, resolved: int) -> None:
        self.reason, self.resolved = reason, resolved
        less = f"depth <= {resolved} or " if resolved else ""
        super().__init__(f"{reason}; use {less}sample_lengths, which needs no law")


@dataclass(frozen=True, eq=False)
class Units:
    """Nodes and weights of X, for some variances.

    Attributes
    ----------
    outputs : ndarray, shape (nodes,)
        Values of X, ascending; 0 among them, of masked units.
    weights : ndarray, shape (variances, nodes)
        Their probabilities: rows that add up to 1.
    below : ndarray, shape (variances, nodes + 1)
        Probabilities of the first 0, 1, ..., nodes of them.
    mean, ratio : ndarray, shape (variances,)
        E X, and E X^2 / (E X)^2, which is 1 where X is 0.
    largest : ndarray, shape (variances,)
        X at 6.3 standard deviations, or the largest before.
    """

    outputs: Array
    weights: Array
    below: Array
    mean: Array
    ratio: Array
    largest: Array

    @cached_property
    def silent(self) -> Array:
        """P(X = 0), shape (variances,)."""
        return self.cdf(0.0)

    def cdf(self, x: float) -> Array:
        """P(X <= x), shape (variances,)."""
        return np.asarray(self.below[:, self.outputs.searchsorted(x, side="right")])


def units(net: Network, variances: Array, *, width: int, order: int) -> Units:
    """Quadrature of one unit of `net`, for variances within a few powers of e.

    The mean of `width` units is wanted, so that the smallest outputs count only at small widths.
    """
    phi = net.activation
    live = variances[variances > 0] if variances.any() else np.ones(1)
    high = _REACH * math.sqrt(float(live.max()))
    smallest = math.sqrt(float(live.min()))
    low = smallest * 2.0 ** -math.ceil(1 + 20 / width)
    h, measure = _panels(phi, low, high, order, smallest, width)
    h, measure = np.append(h, [0.0, 0.0]), np.append(measure, [0.0, 0.0])
    outputs = _square(phi, h)
    outputs[-1] = 0.0
    scale = np.where(variances > 0, variances, 1.0)[:, None]
    density = measure * np.exp(-h * h / (2 * scale))
    density[variances == 0] = 0.0
    density[variances == 0, -2] = 1.0
    share = net.keep_probability / density.sum(axis=1)
    density *= share[:, None]
    density[:, -1] = 1 - net.keep_probability
    near = (np.abs(h) <= 6.3 * np.sqrt(variances)[:, None]) & (density > 0)
    mean = density @ outputs
    with np.errstate(over="ignore", invalid="ignore"):
        unit = np.where(mean > 0, mean, 1.0)
        relative = outputs / unit[:, None]
        square = (density * relative * relative).sum(axis=1)
        for place, missed in _missed_at_poles(phi, h[:-2], order):
            near_pole = share * np.exp(-place * place / (2 * scale[:, 0]))
            square += np.where(variances > 0, near_pole * missed / unit / unit, 0.0)
        ratio = np.where(mean > 0, square, 1.0)
    ratio = np.where(ratio < _HUGE, ratio, _HUGE)  # nan as well
    largest = np.where(near, outputs, 0.0).max(axis=1)
    rank = np.argsort(outputs)
    weights = density[:, rank]
    below = np.zeros((len(variances), len(outputs) + 1))
    np.cumsum(weights, axis=1, out=below[:, 1:])
    return Units(outputs[rank], weights, below, mean, ratio, largest)


def _square(phi: Activation, h: Array) -> Array:
    values = phi(h)
    phi.refuse_nan(h, values)
    with np.errstate(over="ignore"):
        return np.minimum(values * values, _HUGE)


def _panels(
    phi: Activation, low: float, high: float, order: int, smallest: float, width: int
) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on [-high, high], panels halved until phi^2 is resolved."""
    octaves = high * 0.5 ** np.arange(math.ceil(math.log2(high / low)) + 1)
    breaks = [*phi.kinks, *(pole.location for pole in phi.poles)]
    inside = [x for x in breaks if -high < x < high]
    edges = np.unique(np.concatenate([-octaves, [0.0], octaves, inside]))
    left, right = edges[:-1], edges[1:]
    rule, rule_weights, to_series, to_ends = _rule(order)
    done: list[tuple[Array, Array]] = []
    panels, scale = len(left), 0.0
    while len(left):
        half, middle = (right - left) / 2, (right + left) / 2
        h = middle[:, None] + half[:, None] * rule
        square = _square(phi, h)
        nearest = np.maximum(np.abs(middle) - half, 0.0)
        share = half / high * np.exp(-0.5 * (nearest * _REACH / high) ** 2)
        ends = _square(phi, middle[:, None] + half[:, None] * _ENDS)  # a jump beyond all nodes
        scale = scale or float(share @ (square @ rule_weights))
        left_open = share * _unresolved(square, ends, to_series, to_ends)
        rough = left_open > _ROUGH * scale
        for level, weight in _small_outputs(width) if scale else ():
            small = np.exp(-np.minimum(square / scale / level, 700.0))
            at_ends = np.exp(-np.minimum(ends / scale / level, 700.0))
            rough |= weight * share * _unresolved(small, at_ends, to_series, to_ends) > 1
        rough &= half > _FINEST * (np.abs(middle) + low)
        panels += int(rough.sum())
        if panels > _MOST_PANELS:
            inner = nearest[rough] < 3 * smallest  # the largest v of a block may hardly occur
            _refuse_unless_small(phi, float(left_open[rough][inner].sum()), scale)
            rough[:] = False
        done.append((h[~rough].ravel(), (half[:, None] * rule_weights)[~rough].ravel()))
        split = middle[rough]
        left, right = np.append(left[rough], split), np.append(split, right[rough])
    nodes, measures = zip(*done, strict=True)
    return np.concatenate(nodes), np.concatenate(measures)


def _missed_at_poles(phi: Activation, h: Array, order: int) -> list[tuple[float, float]]:
    """Poles, and what the panels beside each miss of the integral of phi^4.

    There phi goes like a power, and a Gauss rule's share of its integral is known.
    """
    rule, rule_weights = _rule(order)[:2]
    t, found = (1 + rule) / 2, []
    for pole in phi.poles:
        steep = 4 * pole.order
        if not 0 < steep < 1:
            continue
        missed = 1 / (1 - steep) - float(rule_weights @ t**-steep) / 2
        distance = np.abs(h - pole.location)
        nearest = [
            int(np.where(h * s > pole.location * s, distance, np.inf).argmin()) for s in (1, -1)
        ]
        squares = _square(phi, h[nearest]) ** 2
        length = distance[nearest] / t[0]
        found.append((pole.location, float(squares @ length) * t[0] ** steep * missed))
    return found


def _unresolved(values: Array, ends: Array, to_series: Array, to_ends: Array) -> Array:
    """Bound what a panel's series leaves open, by its last terms and its misses at the ends."""
    last = len(to_series) * np.abs(values @ to_series).sum(axis=1)
    return np.asarray(last + np.abs(values @ to_ends - ends).max(axis=1))


def _small_outputs(width: int) -> list[tuple[float, float]]:
    """Levels, relative to E X, at which P(X < level)^width counts, and its slope by that of one.

    Near a simple zero of phi, P(X < level) goes like sqrt(level).
    """
    levels = 0.1 ** np.arange(1.0, 1 + _DECADES // width)
    return [(t, width * t ** ((width - 1) / 2) / _ROUGH_NEAR_0) for t in levels.tolist()]


@cache
def _rule(order: int) -> tuple[Array, Array, Array, Array]:
    """Gauss-Legendre rule, and what takes values to a series' last terms and to `_ENDS`."""
    rule, weights = np.polynomial.legendre.leggauss(order)
    series = np.polynomial.legendre.legvander(rule, order - 1) * weights[:, None]
    series *= np.arange(order) + 0.5
    to_ends = series @ np.polynomial.legendre.legvander(_ENDS, order - 1).T
    return rule, weights, series[:, -3:] / (np.arange(order) + 0.5)[-3:], to_ends


def _refuse_unless_small(phi: Activation, left_open: float, scale: float) -> None:
    """Stop where panels would have to go on being halved, and it matters."""
    if not left_open <= _TOO_ROUGH * scale:
        reason = f"activation {phi.name!r} oscillates or jumps too often for a quadrature"
        raise UnresolvedError(reason, 1)
