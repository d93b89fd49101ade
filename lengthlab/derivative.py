"""E phi'(sqrt(q) Z)^2 for a phi whose derivative nobody wrote down.

On each panel phi is the polynomial of degree 14 through its values at the Gauss nodes, and phi' is
that polynomial's derivative. Panels are bisected until what a lower degree would give agrees: as
good as a formula for phi', and a jump shows, because no panel around it is ever small enough.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.polynomial.legendre import legder, leggauss, legval, legvander
from numpy.typing import NDArray

from lengthlab.activations import Activation, Array
from lengthlab.gaussian import Estimate, critical_variance, window
from lengthlab.measure import Integrator, Moments, flattened, measure, rounding

_EPS = float(np.finfo(float).eps)
_LOG_MAX = math.log(np.finfo(float).max)
_LOG_DENSITY = -math.log(2 * math.pi) / 2
_NODES, _WEIGHTS = leggauss(15)
_COARSE, _COARSE_WEIGHTS = leggauss(10)
_ENDS = np.array([-1.0, 1.0]) * (1 - 1e-12)  # inside, whatever an edge is rounded to
_MAX_BISECTED, _FEW_BISECTED = 20_000, 4_000  # for one length, and for one of many
_RTOL = 1e-11
_NOISE = 60 * _EPS  # of a derivative on [-1, 1], relative to the largest value
_DIVERGENT = 0.998  # of the ratio of dyadic panels: |x|^(-1) and steeper
_NEAR = 1e-4  # below this length phi may be a polynomial where the Gaussian lives


def _legendre() -> tuple[Array, Array, Array, Array]:
    """Matrices from a panel's values: to the series, to slopes, and to values where none was."""
    degrees = np.arange(15)
    series = (legvander(_NODES, 14) * _WEIGHTS[:, None]).T * (degrees + 0.5)[:, None]
    slope_at = legvander(np.concatenate([_NODES, _COARSE]), 13) @ legder(np.eye(15))
    rough_at = slope_at[:15] * (degrees <= 10)
    value_at = legvander(np.concatenate([_COARSE, _ENDS]), 14)
    found = [np.asarray((at @ series).T) for at in (slope_at, rough_at, value_at)]
    return np.asarray(series), found[0], found[1], found[2]


_TO_SERIES, _TO_SLOPES, _TO_ROUGH, _TO_VALUES = _legendre()


def mean_square_slope(phi: Activation, q: float, *, budget: int = _MAX_BISECTED) -> Estimate:
    """E phi'(sqrt(q) Z)^2: how much phi stretches small differences, in the mean square.

    Parameters
    ----------
    phi : Activation
    q : float
        Squared length per unit, ``> 0``.
    budget : int
        Panels to bisect; what is left of an endless oscillation goes into the error.

    Returns
    -------
    Estimate
        inf where phi jumps, or its slope has no finite mean square. A jump that is not among
        ``phi.kinks`` is found if the Gaussian gives it a weight above 1e-11.

    Raises
    ------
    ValueError
        If phi gives nan, or leaves the floats before the Gaussian weight has made it small.

    Notes
    -----
    It is d/drho E phi(u) phi(u') / q at rho = 1, for u, u' of variance q and correlation rho, which
    is how a jump makes it infinite. Where E phi^2 is infinite it is too, by Poincare's inequality
    ``Var phi(u) <= q E phi'(u)^2``.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> mean_square_slope(activation("relu"), 3.0).value
    0.5
    >>> round(mean_square_slope(activation("sin"), 1.0).value, 10)  # (1 + exp(-2)) / 2
    0.5676676416
    >>> mean_square_slope(activation("heaviside"), 1.0).value
    inf
    """
    certain = phi.growth is not None
    infinite = Estimate(math.inf, math.inf, certain)
    law = phi.homogeneous
    if law is not None and law.degree == 1:
        value = (law.right * law.right + law.left * law.left) / 2
        return Estimate(value, 4 * _EPS * value)
    if q >= critical_variance(phi, 2):
        return infinite
    if phi.poles or any(_jumps(phi, kink) for kink in phi.kinks):
        return Estimate(math.inf, math.inf)
    near = _near_zero(phi, q) if q < _NEAR else infinite
    if near.error <= 1e-9 * near.value < math.inf:
        return replace(near, certain=certain)
    found = window(phi, q)
    if found is None:
        return infinite
    edges, height = found
    if height > _LOG_MAX + 40:
        return Estimate(math.inf, math.inf, certain, overflow=True)
    shift = height if phi.log_abs is not None or height > _LOG_MAX / 4 else 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # what leaves the floats ends as inf
        panels = _Panels(phi, math.sqrt(q), lambda z: _LOG_DENSITY - shift - z * z / 2)
        total = _integrate(panels, np.asarray(edges), budget)
    if total is None or total.endless:
        return replace(near, certain=certain)
    if shift + math.log(max(total.value, 1e-300)) > _LOG_MAX:
        return Estimate(math.inf, math.inf, certain, overflow=True)
    factor = math.exp(shift)
    away = Estimate(total.value * factor, total.error * factor, certain)
    return away if away.error <= near.error else replace(near, certain=certain)


def mean_square_slopes(phi: Activation, low: float, high: float) -> Callable[[float], Estimate]:
    """`mean_square_slope` for many lengths between two at which it is finite.

    Parameters
    ----------
    phi : Activation
    low, high : float

    Returns
    -------
    callable
        Of q, a float; within about 1e-9 of the value, or as near as one by one.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> stretch = mean_square_slopes(activation("sin"), 0.1, 2.0)
    >>> round(stretch(1.0).value, 9)
    0.567667642
    """

    def alone(q: float) -> Estimate:
        return mean_square_slope(phi, q, budget=_FEW_BISECTED)

    closed = phi.homogeneous is not None
    table = None if closed else measure(phi, _square_slope, low, high, tolerance=1e-9)

    def among(q: float) -> Estimate:
        found = table(q) if table else None
        # Near 0 one polynomial is nearer than differences of phi.
        if found is None or (q < _NEAR and found.error > 1e-9 * found.value):
            return alone(q)
        endless = found.error > found.value
        return Estimate(math.inf, math.inf) if endless else found

    return among


def _square_slope(phi: Activation, growth: float, _tolerance: float) -> Integrator:
    """phi'^2 for a `Measure`, times ``exp(-2 growth x^2)``."""

    def integrated(low: float, high: float, budget: int) -> Moments | None:
        scale, middle = max(abs(low), abs(high)), (low + high) / 2
        shift, tilt = flattened(phi, growth, low, high)

        def weight(z: Array) -> Array:
            x = scale * z
            return np.asarray(-shift - tilt * (x - middle) / (high - middle) - 2 * growth * x * x)

        total = _integrate(_Panels(phi, scale, weight), np.array([low, high]) / scale, budget)
        if total is None:
            return None
        pieces = [batch.piece() for batch in total.batches]
        error = total.error + rounding(shift, tilt, growth * scale * scale) * total.value
        return Moments.of((low, high), pieces, scale=scale, error=error, shift=shift, tilt=tilt)

    return integrated


def _jumps(phi: Activation, x: float) -> bool:
    """Whether phi jumps at x: its spread there does not fall with the distance."""
    spreads, size = [], 0.0
    for distance in (2.0**-20, 2.0**-40):
        steps = distance * max(1.0, abs(x)) * np.array([-1.0, -0.7, -0.3, 0.3, 0.7, 1.0])
        values = phi(x + steps)
        with np.errstate(invalid="ignore"):
            spreads.append(float(np.ptp(values)))
        size = float(np.abs(values).max())
    far, near = spreads
    return near > 0.25 * far and near > 1e-9 * size


# --- the integral ---------------------------------------------------------------------------------


@dataclass
class _Batch:
    """Panels with their integrals of phi'^2, (panels,), and phi at both ends, (panels, 2)."""

    low: Array
    high: Array
    value: Array
    error: Array
    noise: Array  # what rounding may do to the value
    floor: Array  # what it makes of a constant phi
    density: Array  # phi'^2 and its weight at the nodes, (panels, 15)
    ends: Array
    spread: Array

    def piece(self) -> tuple[Array, Array, Array]:
        """Half-widths, nodes and values."""
        half = (self.high - self.low) / 2
        return half, ((self.low + self.high) / 2)[:, None] + half[:, None] * _NODES, self.density


class _Panels:
    """phi'(scale z)^2 times a weight, given by its logarithm, panel by panel in z."""

    def __init__(self, phi: Activation, scale: float, weight: Callable[[Array], Array]) -> None:
        self.phi, self.scale, self.log_weight = phi, scale, weight

    def __call__(self, low: Array, high: Array) -> _Batch:
        half = ((high - low) / 2)[:, None]
        z = (low + high)[:, None] / 2 + half * np.concatenate([_NODES, _COARSE, _ENDS])
        x = self.scale * np.delete(z, np.s_[15:25], axis=1)
        logarithm = self.phi.log_abs
        with np.errstate(all="ignore"):
            phi = np.asarray(self.phi(x) if logarithm is None else logarithm(x))
            self.phi.refuse_nan(x, phi)
            inner = phi[:, :15]
            largest = np.abs(inner).max(axis=1, keepdims=True)
            level = phi[:, 7:8].copy()  # a constant has slope 0, to the last digit
            inner, ends = inner - level, phi[:, 15:]
            guess = inner @ _TO_VALUES  # at the coarse nodes and the ends
            log_root = self.log_weight(z[:, :25]) / 2
            if logarithm is not None:  # phi' = phi (log phi)'
                log_root += level + np.concatenate([inner, guess[:, :10]], axis=1)
            root = np.exp(log_root) / (half * self.scale)
            slope = root * (inner @ _TO_SLOPES)
            weights = half * _WEIGHTS
            value = (weights * slope[:, :15] ** 2).sum(axis=1)
            coarse = (half * _COARSE_WEIGHTS * slope[:, 15:] ** 2).sum(axis=1)
            slope, root = slope[:, :15], root[:, :15]
            lower = (weights * (root * (inner @ _TO_ROUGH)) ** 2).sum(axis=1)
            # Between the last node and the end lies what no node has seen.
            missed = np.abs(ends - level - guess[:, 10:]).max(axis=1, keepdims=True)
            error = np.abs(value - coarse) + np.abs(value - lower)
            error += self._off(weights, slope, root * 15 * missed)
            spread = np.ptp(inner, axis=1, keepdims=True)
            size = largest + np.abs(z[:, :15]) / half * spread  # z is rounded too
            floor = (weights * (root * _NOISE * largest) ** 2).sum(axis=1)
            floor[half[:, 0] < 1e-3] = 0.0  # where a small jump may be meant
            noise = self._off(weights, slope, root * _NOISE * size)
            error[~np.isfinite(error)] = np.inf
        return _Batch(low, high, value, error, noise, floor, slope**2, ends, spread[:, 0])

    @staticmethod
    def _off(weights: Array, slope: Array, by: Array) -> Array:
        """Bound the change of the integral of slope^2 where the slope is off by `by`."""
        return np.asarray((weights * (2 * np.abs(slope) + by) * by).sum(axis=1))


@dataclass
class _Total:
    value: float = 0.0
    error: float = 0.0
    batches: list[_Batch] = field(default_factory=list)
    endless: bool = False  # an oscillation that is finer than all panels


def _integrate(panels: _Panels, edges: Array, budget: int) -> _Total | None:
    """Bisect until the error is small; None where phi jumps or the integral diverges."""
    total, low, high, bisected = _Total(), edges[:-1], edges[1:], 0
    while len(low):
        batch = panels(low, high)
        if np.isinf(batch.value).any():  # beyond the floats, however small the panels
            return None
        finite = np.isfinite(batch.error)
        known = batch.error < 0.1 * batch.value  # a panel that is too wide may have any value
        size = total.value + float(batch.value[known].sum())
        half, nearest = (high - low) / 2, np.minimum(np.abs(low), np.abs(high))
        # Where rounding rules bisection does not help, unless phi spans many orders of magnitude.
        rounded = np.minimum(50 * batch.noise, np.maximum(1e-3 * batch.value, batch.floor))
        rounded[half > 0.2] = 0.0
        good = batch.error <= np.maximum(_RTOL / 4 * size, rounded)
        stuck = ~good & (half < 1e-13 * nearest + 1e-60)
        if stuck.any():
            ratio = _ratio(panels, low[stuck], high[stuck], batch.value[stuck])
            if not ratio < _DIVERGENT:
                return None
            batch.error[stuck] += batch.value[stuck] / (1 - ratio)
        if bisected > budget:  # an endless oscillation: what is left goes into the error
            stuck = ~good
        done = good | (stuck & finite)
        total.value += float(batch.value[done].sum())
        total.error += float((batch.error + batch.noise)[done].sum())
        total.batches.append(_select(batch, done))
        again = ~(good | stuck)
        # The worst first: what the others may be off by is known when the size is.
        worst = again & (batch.error >= 1e-6 * batch.error[again].max(initial=0.0))
        bisected += int(worst.sum())
        later, middle = again & ~worst, (low[worst] + high[worst]) / 2
        low, high = (
            np.concatenate([low[later], low[worst], middle]),
            np.concatenate([high[later], middle, high[worst]]),
        )
    total.endless = bisected > budget and total.error > total.value
    return None if _broken(total.batches) else total


def _select(batch: _Batch, keep: NDArray[np.bool_]) -> _Batch:
    return _Batch(*(getattr(batch, name)[keep] for name in _Batch.__dataclass_fields__))


def _ratio(panels: _Panels, low: Array, high: Array, value: Array) -> float:
    """Of successive dyadic panels beside the worst panel that is too small; inf at a jump."""
    worst = int(np.where(np.isnan(value), np.inf, value).argmax())
    centre = (low[worst] + high[worst]) / 2
    if _jumps(panels.phi, panels.scale * centre):
        return math.inf
    reach = max(1.0, abs(centre)) * 2.0 ** -np.arange(14.0, 31.0)
    sides = [panels(centre - reach, centre - reach / 2), panels(centre + reach / 2, centre + reach)]
    found = np.maximum(sides[0].value, sides[1].value)
    with np.errstate(all="ignore"):
        return float(np.median(found[1:] / found[:-1]))


def _broken(kept: list[_Batch]) -> bool:
    """Whether phi jumps between neighbouring panels."""
    names = ("low", "high", "ends", "spread")
    low, high, ends, spread = (np.concatenate([getattr(b, name) for b in kept]) for name in names)
    order = np.argsort(low)
    ends = ends[order]
    with np.errstate(invalid="ignore"):
        rounding = 1e-14 * np.maximum(np.abs(low), np.abs(high)) / (high - low)
        loose = (spread * (1e-6 + rounding))[order]
        gap = np.abs(ends[1:, 0] - ends[:-1, 1])
        slack = loose[1:] + loose[:-1] + 1e-9 * np.abs(ends[1:, 0])
    return bool((gap > slack).any())


# --- near length 0 --------------------------------------------------------------------------------


def square_slope_at_zero(phi: Activation) -> Estimate:
    """Limit of E phi(sqrt(q) Z)^2 / q as q falls to 0, for phi(0) = 0: its mean squared slope at 0.

    It is (phi'(0+)^2 + phi'(0-)^2) / 2, also the limit of E phi'(sqrt(q) Z)^2; inf where phi jumps
    at 0 or leaves it vertically.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> round(square_slope_at_zero(activation("selu")).value, 10)  # (1.0507^2 + 1.7581^2) / 2
    2.0974429286
    >>> square_slope_at_zero(activation("cbrt")).value
    inf
    """
    return _near_zero(phi, 0.0)


def _near_zero(phi: Activation, q: float) -> Estimate:
    """E phi'(sqrt(q) Z)^2 with one polynomial for phi on each side of 0."""
    if any(pole.location == 0 for pole in phi.poles):
        return Estimate(math.inf, math.inf)
    nodes, weights = leggauss(40)
    z = 5.5 * (1 + nodes)  # to 11 standard deviations
    weights *= 5.5 * np.exp(_LOG_DENSITY - z * z / 2)
    value = error = 0.0
    for side in (1.0, -1.0):
        slope, off = _one_side(phi, side, math.sqrt(q) * z)
        with np.errstate(over="ignore", invalid="ignore"):
            value += float(weights @ slope**2)
            error += float(weights @ ((2 * np.abs(slope) + off) * off))
    if math.isnan(value + error):
        return Estimate(math.inf, math.inf)
    return Estimate(value, error + 4 * _EPS * value)


def _one_side(phi: Activation, side: float, u: Array) -> tuple[Array, float]:
    """Slopes of phi at side * u, and their error; inf where phi has no slope at 0.

    Of polynomials on [0, h], the one whose error is least.
    """
    lengths = 4.0 ** -np.arange(25.0)
    origin = phi(np.zeros(1))
    values = phi(side * lengths[:, None] * (1 + _NODES) / 2) - origin
    phi.refuse_nan(side * lengths[:, None] * (1 + _NODES) / 2, values)
    size = np.abs(values).max(axis=1)
    with np.errstate(all="ignore"):
        series = _TO_SERIES @ values.T
        slopes, rough = (2 * side / lengths * legval(-1, legder(c)) for c in (series, series[:11]))
        noise = 2000 * _EPS * (size + abs(origin)) / lengths
        errors = np.abs(slopes - rough) + noise
        errors[~np.isfinite(errors + slopes) | (lengths < u[-1])] = np.inf
        best = int(errors.argmin())
        steep = np.abs(slopes) - abs(slopes[best]) > 10 * (errors[best] + errors)
        steep |= np.abs(slopes) > 4 * abs(slopes[best]) + 10 * noise
        steep &= np.abs(slopes) > np.abs(slopes[8])
    # Judged at h = 6e-8 to 2e-10: smaller differences of phi may be nothing but rounding.
    if size[16] > 0.25 * size[8] or steep[12:17].any() or math.isinf(errors[best]):
        return u + math.inf, math.inf
    slope = legval(2 * u / lengths[best] - 1, legder(series[:, best])) * 2 * side / lengths[best]
    return np.asarray(slope), float(errors[best])
