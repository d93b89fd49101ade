"""f(x) dx in panels over which a Gaussian is a polynomial: means of f for every variance at once.

All that is rough in f is integrated once, against the Legendre polynomials of a panel. From then on
the panel stands for 15 weights, and a mean over a Gaussian costs some hundred exponentials. Panels
double in width from 0 on; those over which a Gaussian that matters bends too much are halved.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander
from numpy.typing import NDArray

from lengthlab.activations import Activation, Array
from lengthlab.gaussian import Estimate, window
from lengthlab.quadrature import integrate

_EPS = float(np.finfo(float).eps)
_TINY = float(np.finfo(float).tiny)
_LOG_MAX = math.log(np.finfo(float).max)
_NODES, _WEIGHTS = leggauss(15)
_POLYNOMIALS = legvander(_NODES, 14)  # (15 nodes, 15 degrees)
_TO_WEIGHTS = (np.arange(15) + 0.5)[:, None] * _POLYNOMIALS.T * _WEIGHTS
_PLACES = np.concatenate([[-1.0], _NODES, [1.0]])
_RHO = 1.5 ** np.arange(1.0, 20.0)  # of Bernstein's ellipses
_MAJOR, _MINOR = (_RHO + 1 / _RHO) / 2, (_RHO - 1 / _RHO) / 2
_STEEPEST = 300.0  # rise of log f in a panel; a steeper one is of no interest before it is halved
_FIRST = 0.37  # standard deviations that the innermost panels span
_APART = 0.02  # a doubling edge keeps this share of its distance from 0 away from a break
_HOPELESS = 30.0  # error over size: an oscillation stays below, what diverges does not
_ALMOST = 1 - 1e-6
_NOTHING = 745.0  # in a logarithm: what underflows is not computed
_FAR = 1e250  # more squared deviations than a Gaussian ever reaches
_FEW, _MANY = 2000, 6000  # evaluations of the rule in one panel: the rest is its error


@dataclass(frozen=True, eq=False)
class Moments:
    """What a panel [low, high] holds of f, divided by ``exp(shift + tilt t)`` for t in [-1, 1].

    Attributes
    ----------
    low, high : float
    values : ndarray, shape (15,)
        Integrals of f times the Legendre polynomials of the panel, degree 0 to 14.
    size, error : float
        Integral of |f|, and a bound on the error of that of f.
    shift, tilt : float
        Where f grows steeply outwards the tilt takes that away: what is left is a polynomial.
    whole : bool
        The panel is one piece: its weights are those of a Gauss rule.
    """

    low: float
    high: float
    values: Array
    size: float
    error: float
    shift: float
    tilt: float
    whole: bool

    @classmethod
    def of(
        cls,
        ends: tuple[float, float],
        pieces: Iterable[tuple[Array, Array, Array]],
        *,
        scale: float,
        error: float,
        shift: float,
        tilt: float,
    ) -> "Moments":
        """Add up pieces in z = x / scale: half-widths (n,), nodes and values of f (n, 15)."""
        low, high = ends[0] / scale, ends[1] / scale
        half, z, f = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
        mass = half[:, None] * f * _WEIGHTS
        polynomials = _POLYNOMIALS
        if len(half) > 1:
            t = np.clip((2 * z - low - high) / (high - low), -1, 1)
            polynomials = legvander(t.ravel(), 14)
        total, size = mass.ravel() @ polynomials, float(np.abs(mass).sum())
        return cls(*ends, scale * total, scale * size, scale * error, shift, tilt, len(half) == 1)


Integrator: TypeAlias = Callable[[float, float, int], Moments | None]
"""Takes a panel, and evaluations that it may cost, to its moments; None if f has no integral."""

Kind: TypeAlias = Callable[[Activation, float, float], Integrator]
"""Makes an integrator from phi, its growth (which is to be taken away), and a tolerance."""


class Measure:
    """f(x) dx, for means of f over centred Gaussians: call it with the variance.

    Parameters
    ----------
    panels : list of Moments
        Side by side.
    integrator : callable
        What made them; it makes their halves.
    tolerance : float
        Of a mean, relative: where the Gaussian's bending costs more, panels are halved.
    critical : float
        The variance from which on the mean of f is infinite; f has then been multiplied by
        ``exp(-x^2 / (2 critical))``, which takes its growth away.
    """

    def __init__(
        self,
        panels: list[Moments],
        integrator: Integrator,
        *,
        tolerance: float,
        critical: float = math.inf,
    ) -> None:
        self.integrator, self.tolerance, self.critical = integrator, tolerance, critical
        self.most = 100 + 3 * len(panels)
        self._take(panels)

    def _take(self, panels: list[Moments]) -> None:
        self.panels = panels = [panel for panel in panels if panel.size > 0]
        self.whole = np.array([p.whole for p in panels])
        numbers = [(p.low, p.high, p.size, p.error, p.shift, p.tilt) for p in panels]
        low, high, self.size, self.error, shift, tilt = np.reshape(numbers, (-1, 6)).T
        self.half = (high - low) / 2
        self.x = ((low + high) / 2)[:, None] + self.half[:, None] * _PLACES
        self.exponents = shift[:, None] + tilt[:, None] * _PLACES
        self.nearest = np.maximum(np.abs(low + high) / 2 - self.half, 0.0)
        self.log_most = shift + np.abs(tilt) + np.log(self.size)
        moments = np.reshape([p.values for p in panels], (-1, 15))
        self.weights = moments @ _TO_WEIGHTS
        self.rough = np.abs(moments[:, 12:]).sum(axis=1)

    def __call__(self, q: float) -> Estimate | None:
        """Mean of f over a centred Gaussian of variance `q`; None where it is too much for this.

        It is inf, and `overflow`, where no float holds it.
        """
        while True:
            found, bent = self._mean(q)
            if not bent.any():
                return found if found.value < math.inf or found.overflow else None
            if not self._halve(bent):
                return None

    def _mean(self, q: float) -> tuple[Estimate, NDArray[np.bool_]]:
        """Mean with its error, and where panels should be halved."""
        if not self.panels:
            return Estimate(0.0, 0.0), np.zeros(0, dtype=bool)
        room = 1 - q / self.critical
        deviation = math.sqrt(q / room)
        with np.errstate(over="ignore", under="ignore"):
            log_most = self.log_most - np.minimum((self.nearest / deviation) ** 2, _FAR) / 2
            felt = log_most > log_most.max() - _NOTHING
            size, error = self.size[felt], self.error[felt]
            z_squared = np.minimum((self.x[felt] / deviation) ** 2, _FAR)
            exponents = self.exponents[felt] - z_squared / 2
            base = float(exponents.max())
            exponents -= base
            mass = self.weights[felt] * np.exp(exponents[:, 1:-1])
            highest = np.exp(exponents.max(axis=1))
            left = self._left(exponents, self.half[felt] / deviation)
            off = float(np.exp(log_most[~felt] - base).sum())
        value = float(mass.sum())
        missed = left[0] * 30 * self.rough[felt] + left[1] * 2 * size * self.whole[felt]
        off += float((highest * error + missed).sum())
        off += 8 * _EPS * float((np.abs(mass) * (1 + z_squared[:, 1:-1] / room)).sum())
        log = base - math.log(2 * math.pi * q) / 2
        most = log + math.log(max(float((highest * size).sum()), _TINY))
        bent = np.zeros(len(self.panels), dtype=bool)
        bent[felt] = (missed > 0.03 * self.tolerance * value) & (error < 1e-6 * size)
        if most < -_LOG_MAX:
            return Estimate(0.0, 0.0), np.zeros_like(bent)
        if not bent.any() and not log + math.log(max(value, _TINY)) < _LOG_MAX - 1:
            return Estimate(math.inf, math.inf, overflow=off < value), bent
        root = math.exp(min(log, 2 * _LOG_MAX) / 2)
        return Estimate(value * root * root, off * root * root), bent

    @staticmethod
    def _left(exponents: Array, half: Array) -> Array:
        """Bound what degrees up to 14 and 29 leave of ``exp(a t - b t^2)``: shape (2, panels).

        Bernstein: on the ellipse with the foci -1, 1 and the sum of half-axes rho the function is
        at most M, and its coefficient of degree n at most M / rho^n.
        """
        a = np.abs(exponents[:, -1] - exponents[:, 0]) / 2
        middle = exponents[:, len(_PLACES) // 2]
        largest = a[:, None] * _MAJOR + (half * half / 2)[:, None] * _MINOR**2
        bounds = [middle + (largest - n * np.log(_RHO)).min(axis=1) for n in (15, 30)]
        return np.asarray(np.exp(np.minimum(bounds, exponents.max(axis=1))))

    def _halve(self, which: NDArray[np.bool_]) -> bool:
        """Halve some panels; False if that cannot be done."""
        if len(which) + which.sum() > self.most:
            return False
        panels: list[Moments] = []
        for panel, chosen in zip(self.panels, which.tolist(), strict=True):
            panels += self._halves(panel) if chosen else [panel]
        grown = len(self.panels) < len(panels)
        self._take(panels)
        return grown

    def _halves(self, panel: Moments) -> list[Moments]:
        middle = (panel.low + panel.high) / 2
        left = self.integrator(panel.low, middle, _MANY)
        right = self.integrator(middle, panel.high, _MANY)
        return [panel] if left is None or right is None else [left, right]


def measure(
    phi: Activation, kind: Kind, lowest: float, highest: float, *, tolerance: float
) -> Measure | None:
    """Integrate what is made of phi panel by panel, for Gaussians of many variances.

    Parameters
    ----------
    phi : Activation
    kind : callable
        `square`, or another maker of integrators.
    lowest, highest : float
        Variances, ``> 0``; E phi^2 is finite at the latter.
    tolerance : float
        Of a mean, relative.

    Returns
    -------
    Measure or None
        None where it diverges in some panel.

    Examples
    --------
    >>> table = measure(Activation(np.tanh), square, 0.1, 10.0, tolerance=1e-11)
    >>> round(table(1.0).value, 9)
    0.39429449
    """
    found = window(phi, highest)
    if found is None:
        return None
    edges = _edges(phi, lowest, math.sqrt(highest) * max(-found[0][0], found[0][-1]))
    # Where nobody knows the growth, no more than what leaves a mean at the highest variance.
    growth = _ALMOST / (4 * highest) if phi.growth is None else max(phi.growth, 0.0)
    integrator = kind(phi, growth, tolerance)
    panels: list[Moments] = []
    for low, high in pairwise(edges):
        panel = integrator(low, high, _FEW)
        if panel is None:
            return None
        panels.append(panel)
    _settle(panels, integrator, tolerance)
    critical = 1 / (4 * growth) if growth > 0 else math.inf
    return Measure(panels, integrator, tolerance=tolerance, critical=critical)


def _edges(phi: Activation, lowest: float, reach: float) -> list[float]:
    """Edges that double from 0 to `reach`, on both sides, and the breaks of phi."""
    first = _FIRST * math.sqrt(lowest)
    doublings = max(1, math.ceil(math.log2(reach) - math.log2(first)))
    ladder = np.minimum(first * 2.0 ** np.arange(doublings + 1), reach)
    breaks = [*phi.kinks, *(pole.location for pole in phi.poles)]
    inside = np.array([x for x in breaks if 0 < abs(x) < ladder[-1]])
    edges = np.concatenate([-ladder, ladder])
    if len(inside):
        apart = np.abs(edges[:, None] - inside).min(axis=1) > _APART * np.abs(edges)
        apart[[doublings, -1]] = True
        edges = edges[apart]
    found: list[float] = np.unique(np.concatenate([edges, inside, [0.0]])).tolist()
    return found


def _settle(panels: list[Moments], integrator: Integrator, tolerance: float) -> None:
    """Work more on the panels beside those that are known.

    A phi that oscillates too fast in one panel does so still more in the next, or at last in the
    panels towards 0; there the effort would be lost.
    """
    for order in (range(len(panels)), reversed(range(len(panels)))):
        known = False
        for k in order:
            panel = panels[k]
            if known and panel.error > tolerance * panel.size:
                panel = integrator(panel.low, panel.high, _MANY) or panel
                panels[k] = panel
            known = panel.error <= tolerance * panel.size


def square(phi: Activation, growth: float, tolerance: float) -> Integrator:
    """phi^2 as an integrator, times ``exp(-2 growth x^2)``.

    Examples
    --------
    >>> found = square(Activation(np.cos), 0.0, 1e-11)(0.0, 1.0, 1000)
    >>> round(float(found.values[0]) * math.exp(found.shift), 9)  # 1/2 + sin(2) / 4
    0.727324357
    """

    def integrated(low: float, high: float, budget: int) -> Moments | None:
        scale = max(abs(low), abs(high))
        shift, tilt = flattened(phi, growth, low, high)
        noise = rounding(shift, tilt, growth * scale * scale)

        def f(z: Array) -> Array:
            t = (2 * z * scale - low - high) / (high - low)
            return np.asarray(np.exp(_log_square(phi, growth, scale * z) - shift - tilt * t))

        ends = [low / scale, high / scale]
        pieces = integrate(f, ends, max(tolerance / 30, noise), budget=budget)
        if pieces is None or pieces.error > _HOPELESS * pieces.size:
            return None
        error = pieces.error + noise * pieces.size
        return Moments.of(
            (low, high), pieces.panels, scale=scale, error=error, shift=shift, tilt=tilt
        )

    return integrated


def flattened(phi: Activation, growth: float, low: float, high: float) -> tuple[float, float]:
    """Shift and tilt that take the size of phi^2 and its rise outwards from a panel.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> shift, tilt = flattened(activation("exp"), 0.0, 10.0, 20.0)  # exp(2 x) = exp(30 + 10 t)
    >>> round(shift, 9), round(tilt, 9)
    (30.0, 10.0)
    """
    logs = _log_square(phi, growth, (low + high) / 2 + (high - low) / 2 * _PLACES)
    logs = np.where(logs < math.inf, logs, -math.inf)
    left, right = float(logs[1:6].max()), float(logs[-6:-1].max())
    rise = left - right if low < 0 else right - left
    tilt = (right - left) / float(_NODES[-1] - _NODES[4]) if 1 < rise < _STEEPEST else 0.0
    shift = float((logs - tilt * _PLACES).max())
    return (shift, tilt) if math.isfinite(shift) else (0.0, 0.0)


def rounding(shift: float, tilt: float, growth: float) -> float:
    """Relative rounding of f where these exponents cancel."""
    return 4 * _EPS * (abs(shift) + abs(tilt) + 4 * growth)


def _log_square(phi: Activation, growth: float, x: Array) -> Array:
    """Logarithm of phi^2, less 2 growth x^2."""
    with np.errstate(all="ignore"):
        if phi.log_abs is not None:
            return np.asarray(2 * (phi.log_abs(x) - growth * x * x))
        values = phi(x)
        phi.refuse_nan(x, values)
        return np.asarray(2 * (np.log(np.abs(values)) - growth * x * x))
