"""The law of v_l itself, which chi-squares do not smooth: finer targets, and lattices exactly."""

import math

import numpy as np

from lengthlab.activations import Array
from lengthlab.finite_width.chain import Law
from lengthlab.finite_width.kernel import FINE, Kernel
from lengthlab.finite_width.units import units

_FINER = 8
_CHUNK = 48
_MOST_ATOMS = 10**4
_SMOOTH = 400  # nodes from which a law has no structure at the scale of one step


class Steps:
    """A law by its cdf at points, linear in the logarithm between them, with atoms at both ends."""

    def __init__(self, log_points: Array, cdf: Array, dead: float) -> None:
        self._x, self._cdf, self._dead = log_points, cdf, dead
        # What the correction for the spline leaves is of fourth order; an atom, half its mass.
        self.error = float(np.abs(np.diff(cdf, 4)).max(initial=0.0))

    def cdf(self, q: Array) -> Array:
        """P(v <= q)."""
        with np.errstate(divide="ignore"):
            y = np.log(q)
        inside = np.interp(y, self._x, self._cdf, left=self._dead)
        return np.asarray(np.where(np.isinf(q), 1.0, inside))

    def pdf(self, q: Array) -> Array:
        """Density: the cdf's slope."""
        y, rise = np.log(q), np.diff(self._cdf) / np.diff(self._x)
        cell = np.searchsorted(self._x, y) - 1
        inside = (cell >= 0) & (cell < len(rise))
        return np.asarray(np.where(inside, rise[np.clip(cell, 0, len(rise) - 1)], 0.0) / q)

    def quantile(self, p: Array) -> Array:
        """Inverse of the cdf."""
        kept = np.append(True, np.diff(self._cdf) > 0)
        y = np.interp(p, self._cdf[kept], self._x[kept])
        q = np.where(p <= self._dead, 0.0, np.exp(y))
        return np.asarray(np.where(p > self._cdf[-1], math.inf, q))


class Atoms:
    """Law on finitely many points."""

    error = 0.0

    def __init__(self, points: Array, cdf: Array) -> None:
        self._points, self._cdf = points, cdf

    def cdf(self, q: Array) -> Array:
        """P(v <= q)."""
        below = np.searchsorted(self._points, q * (1 + 1e-12), side="right")
        return np.asarray(np.append(0.0, self._cdf)[below])

    def pdf(self, q: Array) -> Array:
        """0: there is no density."""
        return np.zeros_like(q)

    def quantile(self, p: Array) -> Array:
        """First point whose cdf reaches p."""
        place = np.searchsorted(self._cdf, p * (1 - 1e-12))
        return np.asarray(self._points[np.minimum(place, len(self._points) - 1)])


def conditional(kernel: Kernel, before: Law | None, law: Law) -> Steps | Atoms:
    """Law of v at a layer, from that of the layer before; None for layer 1."""
    if before is None:
        return Atoms(np.array([kernel.net.first_variance]), np.ones(1))
    return _lattice(kernel, before) or _smooth(kernel, before, law)


def _lattice(kernel: Kernel, before: Law) -> Atoms | None:
    """Exact law where X takes two values: the number of units at the upper one is binomial."""
    from scipy.special import bdtr

    variances = kernel.variance(before.nodes)
    zero = [0.0] if before.dead > 0 else []
    unit = units(kernel.net, np.append(variances, zero), width=kernel.width, order=FINE.order)
    present = unit.outputs[(unit.weights > 0).any(axis=0)]
    values = np.unique(present)
    if len(values) > 2 or kernel.width > _MOST_ATOMS:
        return None
    upper = unit.weights[:, unit.outputs == values[-1]].sum(axis=1)
    shares = np.append(before.weights, before.dead if zero else [])
    count = np.arange(kernel.width + 1 if len(values) == 2 else 1)
    cdf = np.zeros(len(count))
    for share, p in zip(shares, np.clip(upper, 0.0, 1.0), strict=True):
        cdf += share * bdtr(count, kernel.width, p) if len(values) == 2 else share
    mean = values[0] + (values[-1] - values[0]) * count / kernel.width
    return Atoms(kernel.factor * mean + kernel.noise, np.maximum.accumulate(np.clip(cdf, 0, 1)))


def _smooth(kernel: Kernel, before: Law, law: Law) -> Steps:
    """Law of log v, smoothed by a spline of 1 / 8 of a node's step, but for the bias."""
    first, shares, step = law.first, law.weights, kernel.step
    if len(law.weights) < _SMOOTH:
        fine = Kernel(kernel.net, kernel.width, FINE, finer=_FINER)
        step = fine.target
        parts = []
        for start in range(0, len(before.weights), _CHUNK):
            nodes = before.nodes[start : start + _CHUNK]
            mass = before.weights[start : start + _CHUNK]
            parts.append(fine.mixture(kernel.variance(nodes), mass))
        first = min(f for f, _ in parts)
        shares = np.zeros(max(f + len(m) for f, m in parts) - first)
        for f, m in parts:
            shares[f - first : f - first + len(m)] += m
    cdf = law.dead + np.cumsum(shares)
    # A spline of variance 1/2 adds a quarter of the second difference to a smooth cdf.
    cdf[1:-1] -= np.diff(cdf, 2) / 4
    cdf = np.clip(np.maximum.accumulate(cdf), law.dead, 1.0)
    x = kernel.origin + step * (first + 0.5 + np.arange(len(shares)))
    return Steps(np.append(x[0] - step, x), np.append(law.dead, cdf), law.dead)
