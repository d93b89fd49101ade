"""E phi(sqrt(p) U) phi(sqrt(q) V) for two correlated Gaussians, with an error estimate.

Each factor takes half of its Gaussian weight along, F(z) = phi(sqrt(q) z) exp(-z^2 / 4), which is
what has a finite square. Given u, the other variable is w = kappa u + sigma z; the integral over z
is split where phi breaks, and near a break it is a product rule: F, however rough, is integrated
once against the polynomials through 15 nodes, for all u. The outer integral is adaptive. Nothing
degenerates as the correlation tends to 1 or -1, where sigma tends to 0.

The mean product of the slopes is taken by parts, from phi alone: ``E phi'(u) phi'(v)`` is
``E phi(u) phi(v) H(u, v)``, where H is the mixed derivative of the density over the density.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from lengthlab.activations import Activation, Array
from lengthlab.checks import check_real
from lengthlab.correlation.closed_forms import closed_form
from lengthlab.gaussian import Estimate, expectation, mean_square, window
from lengthlab.quadrature import Pieces, integrate

_Factor: TypeAlias = Callable[[Array, Array], Array]  # of u and v, standard normals

_EPS = float(np.finfo(float).eps)
_LOG_MAX = math.log(np.finfo(float).max)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(15)
_COARSE, _COARSE_WEIGHTS = np.polynomial.legendre.leggauss(10)
_LEVELS = 52  # dyadic panels beside a break
_MOST_PANELS = 192  # of an inner integral
_AT_ONCE = 2**19  # numbers in a work array
_AROUND = (-8.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0)


def product_mean(phi: Activation, p: float, q: float, c: float, *, rtol: float = 1e-11) -> Estimate:
    """E phi(sqrt(p) U) phi(sqrt(q) V) for standard normals U, V with correlation `c`.

    Parameters
    ----------
    phi : Activation
        With ``E phi(sqrt(p) U)^2`` and ``E phi(sqrt(q) V)^2`` finite.
    p, q : float
        Variances, ``>= 0``.
    c : float
        Correlation, from -1 to 1.
    rtol : float
        Requested error relative to the mean of the absolute product, ``> 0``, where there is no
        closed form.

    Returns
    -------
    Estimate
        `error` is a bound from the quadrature rules, or from rounding.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, a mean square is infinite, or phi gives nan.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> found = product_mean(activation("relu"), 1.0, 4.0, 0.0)
    >>> round(found.value * 3.141592653589793, 12)
    1.0
    """
    _check_activation(phi)
    p, q = check_real("p", p, at_least=0), check_real("q", q, at_least=0)
    c, rtol = check_real("c", c, at_least=-1, at_most=1), check_real("rtol", rtol, above=0)
    for variance in {p, q}:
        if math.isinf(mean_square(phi, variance).estimate.value):
            msg = f"phi must have a finite mean square, got {phi.label} at variance {variance!r}"
            raise ValueError(msg)
    if p == 0 or q == 0:
        return _with_a_constant(phi, max(p, q))
    kernel = closed_form(phi)
    if kernel is not None:
        value = kernel(p, q, c)
        return Estimate(value, 16 * _EPS * (abs(value) + abs(kernel(p, q, abs(c)))))
    return _quadrature(phi, p, q, c, rtol)


def _check_activation(phi: Activation) -> None:
    if not isinstance(phi, Activation):
        way_out = f"; write activation({phi!r})" if isinstance(phi, str) else ""
        msg = f"phi must be an Activation, got {phi!r}{way_out}"
        raise TypeError(msg)


def slope_product_mean(phi: Activation, p: float, q: float, c: float) -> Estimate:
    """E phi'(sqrt(p) U) phi'(sqrt(q) V) for standard normals U, V with correlation `c`.

    Parameters
    ----------
    phi : Activation
        Without jumps, and with a slope of finite mean square at both variances.
    p, q : float
        Variances, ``> 0``.
    c : float
        Correlation, strictly between -1 and 1.

    Returns
    -------
    Estimate
        `error` is a bound from the quadrature rules; it grows like ``1 / (1 - c^2)``.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, phi gives nan, or a mean is infinite.

    Notes
    -----
    Source: integration by parts in both variables.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> found = slope_product_mean(activation("sin"), 1.0, 1.0, 0.0)  # (E cos U)^2 = 1 / e
    >>> abs(found.value - np.exp(-1)) <= found.error < 1e-12
    True
    """
    _check_activation(phi)
    p, q = check_real("p", p, above=0), check_real("q", q, above=0)
    c = check_real("c", c, above=-1, below=1)
    r2, scale = (1 - c) * (1 + c), math.sqrt(p) * math.sqrt(q)

    def mixed(u: Array, v: Array) -> Array:
        return (u - c * v) * (v - c * u) / (r2 * r2) + c / r2

    found = _quadrature(phi, p, q, c, 1e-12, mixed)
    return Estimate(found.value / scale, found.error / scale, found.certain)


def _with_a_constant(phi: Activation, q: float) -> Estimate:
    """One variable is 0: phi(0) E phi(sqrt(q) V)."""
    breaks = (*phi.kinks, *(pole.location for pole in phi.poles))
    mean, constant = expectation(phi, q, breakpoints=breaks), float(phi(0.0))
    return Estimate(constant * mean.value, abs(constant) * mean.error, phi.growth is not None)


def _quadrature(
    phi: Activation, p: float, q: float, c: float, rtol: float, factor: _Factor | None = None
) -> Estimate:
    """Mean product, times a polynomial `factor` if there is one."""
    outer, inner = _Half(phi, p), _Half(phi, q)
    r2 = (1 - c) * (1 + c)
    kappa, sigma = 2 * c / (1 + c * c), math.sqrt(2 * r2 / (1 + c * c))
    edges = _edges(outer, inner, kappa, sigma)

    def weigh(u: Array) -> Array:
        return outer(u) * np.exp(-r2 / (4 * (1 + c * c)) * u * u)

    samples = np.array([a + share * (b - a) for a, b in pairwise(edges) for share in (0.3, 0.8)])
    g = _Inner(inner, kappa, sigma, factor)
    error, size = g.refine(samples, np.abs(weigh(samples)) * np.diff(edges).repeat(2) / 2)

    def integrand(u: Array) -> Array:
        # On top of a Gaussian as large as the absolute product: a mean that nearly cancels is
        # wanted to so much, not to itself.
        return weigh(u) * g(u)[0] + size * np.exp(-u * u / 2)

    pieces = integrate(integrand, edges, max(rtol, error / size)) if size else Pieces()
    if pieces is None:
        msg = f"phi must have a finite mean product, got {phi.label} at correlation {c!r}"
        raise ValueError(msg)
    unit = math.exp((outer.shift + inner.shift) / 2) / (math.sqrt(2 * (1 + c * c)) * math.pi)
    value = pieces.value - size * math.sqrt(2 * math.pi)
    error += pieces.error + 16 * _EPS * pieces.size
    return Estimate(value * unit, error * unit, phi.growth is not None)


def _edges(outer: "_Half", inner: "_Half", kappa: float, sigma: float) -> list[float]:
    """Where to split the outer integral: its own edges, and where w crosses those of the other."""
    centres = [x / kappa for x in inner.breaks] if kappa else []
    spots = [x + sigma / kappa * step for x in centres for step in _AROUND]
    found = {*outer.edges, *inner.edges}
    low, high = min(found), max(found)
    return sorted({*found, *(x for x in spots if low < x < high)})


class _Half:
    """F(z) = phi(sqrt(q) z) exp(-z^2 / 4 - shift / 2), whose square is integrable."""

    def __init__(self, phi: Activation, q: float) -> None:
        self.phi, self.scale = phi, math.sqrt(q)
        found = window(phi, q)
        assert found is not None  # the mean square is finite
        self.edges, height = found
        self.shift = height if phi.log_abs is not None or height > _LOG_MAX / 4 else 0.0
        places = {*phi.kinks, *(pole.location for pole in phi.poles)}
        self.breaks = sorted(x / self.scale for x in places)

    def __call__(self, z: Array) -> Array:
        return self.beside(0.0, z)

    def beside(self, z: float, t: Array) -> Array:
        """F(z + t), for t that is small against z as well."""
        x, place = self.scale * t + self.scale * z, z + t
        with np.errstate(all="ignore"):
            phi = self.phi(x)
            self.phi.refuse_nan(x, phi)
            if self.phi.log_abs is None:
                return np.asarray(phi * np.exp(-place * place / 4 - self.shift / 2))
            logarithm = self.phi.log_abs(x) - place * place / 4 - self.shift / 2
            return np.asarray(np.sign(phi) * np.exp(logarithm))


@dataclass(frozen=True)
class _Zone:
    """Around one break: nodes less its place, and weights that hold F integrated."""

    place: float
    half: float
    nodes: Array
    weights: Array
    error: float


class _Inner:
    """G(u), the integral of F(kappa u + sigma z) exp(-z^2 / 2) over z, and that of |F|.

    A `factor` of u and ``v = kappa u + sigma z``, smooth in both, may come on top.
    """

    def __init__(self, half: _Half, kappa: float, sigma: float, factor: _Factor | None) -> None:
        self.half, self.kappa, self.sigma, self.factor = half, kappa, sigma, factor
        # Beyond 9, exp(-z^2 / 2) is 3e-18; only a phi without a degree may weigh it up.
        self.reach = 9.0 if half.phi.degree is not None else 14.0
        self.panels = 12
        self.zones = [_zone(half, sigma, k) for k in range(len(half.breaks))] if sigma else []

    def refine(self, u: Array, weights: Array) -> tuple[float, float]:
        """Double the panels until G is right; return what it misses, and how large it may be.

        Both are integrals over u, by samples with weights that hold the other factor.
        """
        if self.sigma == 0:
            return 0.0, float(weights @ self(u)[1])
        value, _ = self._once(u, self.panels)
        while True:
            finer, size = self._once(u, 2 * self.panels)
            missed = np.abs(finer - value) + self._missed_near_breaks(u)
            error, bound = float(weights @ missed), float(weights @ size)
            if error <= 1e-13 * bound or self.panels >= _MOST_PANELS:
                return error, bound
            self.panels, value = 2 * self.panels, finer

    def __call__(self, u: Array) -> tuple[Array, Array]:
        if self.sigma == 0:
            value = math.sqrt(2 * math.pi) * self.half(self.kappa * u)
            return value, np.abs(value)
        rows = max(1, _AT_ONCE // (15 * (self.panels + 2 * len(self.zones))))
        parts = [self._once(u[top : top + rows], self.panels) for top in range(0, len(u), rows)]
        values, sizes = zip(*parts, strict=True)
        return np.concatenate(values), np.concatenate(sizes)

    def _places(self, u: Array) -> list[Array]:
        """Where phi breaks, in z, a column a break."""
        return [(zone.place - self.kappa * u[:, None]) / self.sigma for zone in self.zones]

    def _missed_near_breaks(self, u: Array) -> Array:
        missed = np.zeros(len(u))
        for zone, at in zip(self.zones, self._places(u), strict=True):
            nearest = np.maximum(np.abs(at[:, 0]) - zone.half, 0.0)
            weight = np.exp(-nearest * nearest / 2)
            if self.factor is not None:
                weight *= np.abs(self._factor_near(zone, u)).max(axis=1)
            missed += zone.error * weight
        return missed

    def _factor_near(self, zone: "_Zone", u: Array) -> Array:
        assert self.factor is not None
        return self.factor(u[:, None], zone.place + self.sigma * zone.nodes)

    def _once(self, u: Array, panels: int) -> tuple[Array, Array]:
        """G with so many equal panels, cut at the zones around breaks, which come on top."""
        places = self._places(u)
        columns = [np.tile(np.linspace(-self.reach, self.reach, panels + 1), (len(u), 1))]
        for zone, at in zip(self.zones, places, strict=True):
            columns += [at - zone.half, at + zone.half]
        edges = np.sort(np.clip(np.concatenate(columns, axis=1), -self.reach, self.reach), axis=1)
        middle, width = (edges[:, 1:] + edges[:, :-1]) / 2, np.diff(edges, axis=1) / 2
        for zone, at in zip(self.zones, places, strict=True):
            width[np.abs(middle - at) < zone.half] = 0.0
        z = middle[:, :, None] + width[:, :, None] * _NODES
        v = self.kappa * u[:, None, None] + self.sigma * z
        f = self.half(v) * np.exp(-z * z / 2)
        if self.factor is not None:
            f *= self.factor(u[:, None, None], v)
        f[width == 0] = 0.0  # there F may be infinite
        total = np.asarray((width * (f @ _WEIGHTS)).sum(axis=1))
        size = np.asarray((width * (np.abs(f) @ _WEIGHTS)).sum(axis=1))
        for zone, at in zip(self.zones, places, strict=True):
            density = np.exp(-((at + zone.nodes) ** 2) / 2)
            if self.factor is not None:
                density *= self._factor_near(zone, u)
            total += density @ zone.weights
            size += np.abs(density) @ np.abs(zone.weights)
        return np.where(np.abs(total) > 8 * _EPS * size, total, 0.0), size  # noise is no function


def _zone(half: _Half, sigma: float, index: int) -> _Zone:
    """Product rule within 1 of a break, or half-way to the next one, in units of z."""
    breaks = half.breaks
    place = breaks[index]
    gaps = np.diff(breaks)[max(index - 1, 0) : index + 1] / (2 * sigma)
    reach = min([1.0, *gaps.tolist()])
    nodes = reach * (1 + _NODES) / 2
    sides = [_moments(half, place, sigma, side * nodes) for side in (-1.0, 1.0)]
    weights = np.concatenate([weights for weights, _ in sides])
    return _Zone(place, reach, np.concatenate([-nodes, nodes]), weights, sum(e for _, e in sides))


def _moments(half: _Half, place: float, sigma: float, nodes: Array) -> tuple[Array, float]:
    """Integrals of F beside a break against the polynomials that are 1 at one of the nodes.

    Dyadic panels lead to the break, as far as the floats tell them apart; below the last F is taken
    as a power.
    """
    side, reach = math.copysign(1.0, nodes[0]), 2 * abs(nodes[7])
    room = reach * sigma / (8 * _EPS * abs(place)) if place else math.inf
    levels = int(np.clip(math.log2(room), 2, _LEVELS))
    top = reach * 0.5 ** np.arange(levels)
    masses, errors, total = np.zeros(levels), 0.0, np.zeros(len(nodes))
    t = top[:, None] * (3 + _NODES) / 4
    f = half.beside(place, side * sigma * t) * (top[:, None] / 4)
    total = _lagrange(t.ravel() / reach).T @ (f * _WEIGHTS).ravel()
    masses = f @ _WEIGHTS
    s = top[:, None] * (3 + _COARSE) / 4
    coarse = (half.beside(place, side * sigma * s) * (top[:, None] / 4)) @ _COARSE_WEIGHTS
    errors = float(np.abs(masses - coarse).sum())
    ratio = masses[-1] / masses[-2] if masses[-2] else 0.0
    rest = masses[-1] * ratio / (1 - ratio) if abs(ratio) < 0.999 else masses[-1]
    total += _lagrange(np.zeros(1))[0] * rest
    return total, errors + 1e-6 * abs(rest)


def _lagrange(t: Array) -> Array:
    """Polynomials through the nodes (1 + _NODES) / 2 of [0, 1], at t: shape (len(t), 15)."""
    series = (np.polynomial.legendre.legvander(_NODES, 14) * _WEIGHTS[:, None]) * (
        np.arange(15) + 0.5
    )
    return np.asarray(np.polynomial.legendre.legvander(2 * t - 1, 14) @ series.T)
