"""m(q) = E phi(sqrt(q) Z)^2 for every q at once: where the length maps of a phi have fixed points.

``log m`` as a function of ``log q`` is analytic, and a straight line where phi is a power; it is
tabulated in Chebyshev pieces. A network's fixed points are where ``q - gain m(q) = sigma_b^2``: the
level sigma_b^2 of a curve that belongs to its gain.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.polynomial.chebyshev import chebder, chebval, chebvander
from numpy.typing import NDArray

from lengthlab.activations import Activation, Array
from lengthlab.gaussian import Estimate, critical_variance, mean_square, window
from lengthlab.measure import Measure, measure, square
from lengthlab.network import Network

_DEGREE = 24
_NODES = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
_TO_SERIES = np.linalg.inv(chebvander(_NODES, _DEGREE))
_WIDEST, _NARROWEST = 8.0, 1e-9  # pieces, in log q
_MOST_PIECES = 100
_LOWEST, _HIGHEST = 1e-300, 1e307  # lengths whose logarithms are tabulated
_LOG_TINY, _LOG_MAX = math.log(np.finfo(float).tiny), math.log(np.finfo(float).max)
_LOG_NOTHING = -600.0  # what is smaller adds nothing to a length: its shape is of no interest
_FEW_PANELS = 4_000  # of one mean among many
_PER_PIECE = 60  # points of the grid


@dataclass(frozen=True, eq=False)
class LogSeries:
    """log f as a function of x = log q, in Chebyshev pieces.

    Attributes
    ----------
    edges : ndarray, shape (pieces + 1,)
        Ascending, in x.
    series : ndarray, shape (degree + 1, pieces)
        Chebyshev coefficients of log f.
    errors : ndarray, shape (pieces,)
        Bounds on the errors of log f: of f itself, and as far as the last coefficients tell.
    """

    edges: Array
    series: Array
    errors: Array

    def __call__(self, x: Array, *, derivative: bool = False) -> Array:
        """Log f, or its derivative in x, at points within the edges."""
        piece = self._piece(x)
        low, high = self.edges[piece], self.edges[piece + 1]
        t = (2 * x - low - high) / (high - low)
        if not derivative:
            return np.asarray(chebval(t, self.series[:, piece], tensor=False))
        slopes = chebval(t, chebder(self.series)[:, piece], tensor=False)
        return np.asarray(slopes * 2 / (high - low))

    def error(self, x: Array) -> Array:
        """Bound on the error of log f at points within the edges."""
        return np.asarray(self.errors[self._piece(x)])

    def _piece(self, x: Array) -> NDArray[np.intp]:
        found = self.edges.searchsorted(x, side="right") - 1
        return np.clip(found, 0, len(self.edges) - 2)


def log_series(
    f: Callable[[float], Estimate],
    low: float,
    high: float,
    *,
    tolerance: float = 1e-11,
    pieces: int = _MOST_PIECES,
) -> LogSeries:
    """Tabulate log f between two values of q; f is finite there, and ``>= 0``.

    Parameters
    ----------
    f : callable
        Of q, a float; gives an Estimate.
    low, high : float
        ``0 < low < high``.
    tolerance : float
        Of the logarithm: what a piece's last coefficients may add up to.
    pieces : int
        At most so many; with more, what the tolerance asks for may still be missed.

    Returns
    -------
    LogSeries

    Examples
    --------
    >>> line = log_series(lambda q: Estimate(3 * q * q, 0.0), 1e-3, 1e3)
    >>> bool(abs(line(np.log(np.array([5.0]))) - np.log(75.0)) < 1e-13)
    True
    """
    first, last = math.log(low), math.log(high)
    cuts = np.linspace(first, last, max(2, 1 + math.ceil((last - first) / _WIDEST))).tolist()
    waiting = list(pairwise(cuts))
    done: list[tuple[float, float, float, Array]] = []
    while waiting:
        a, b = waiting.pop()
        x = np.clip((a + b) / 2 + (b - a) / 2 * _NODES, first, last)
        values = np.array([_value_and_error(f, t, low, high) for t in x.tolist()])
        logs = np.log(values[:, 0])
        noise = float((values[:, 1] / values[:, 0]).max())
        series = _TO_SERIES @ logs
        left = float(np.abs(series[-4:]).sum())
        nothing = float(logs.min()) < _LOG_NOTHING and b - a < 1
        room = b - a > _NARROWEST and len(done) + len(waiting) < pieces
        vague = math.isinf(noise) and b - a > 1  # perhaps at one end alone
        if (left > max(tolerance, noise) or vague) and room and not nothing:
            waiting += [((a + b) / 2, b), (a, (a + b) / 2)]
        else:
            done.append((a, b, noise if nothing else left + noise, series))
    done.sort(key=lambda piece: piece[0])
    low_ends, high_ends, errors, table = zip(*done, strict=True)
    return LogSeries(
        np.array([*low_ends, high_ends[-1]]), np.stack(table, axis=1), np.array(errors)
    )


def _value_and_error(
    f: Callable[[float], Estimate], x: float, low: float, high: float
) -> tuple[float, float]:
    q = min(max(math.exp(x), low), high)
    found = f(q)
    if math.isinf(found.value):
        raise _InfiniteError(q)
    return max(found.value, math.exp(_LOG_TINY)), found.error if found.value > 0 else 0.0


class _InfiniteError(Exception):
    """f is infinite at the length q."""

    def __init__(self, q: float) -> None:
        self.q = q
        super().__init__(q)


def log_series_while(
    known: Callable[[float], bool],
    f: Callable[[float], Estimate],
    low: float,
    high: float,
    *,
    tolerance: float,
    pieces: int = _MOST_PIECES,
) -> LogSeries | None:
    """`log_series` up to `high`, or to where f is infinite; None if that is at `low`.

    Parameters
    ----------
    known : callable
        Of q, a float: whether f is well enough known for a table to end there.
    f, low, high, tolerance, pieces
        As for `log_series`.

    Examples
    --------
    >>> pole = lambda q: Estimate(1 / (2 - q) if q < 2 else math.inf, 0.0)
    >>> table = log_series_while(lambda q: q < 1.9, pole, 0.5, 5.0, tolerance=1e-9)
    >>> round(math.exp(table.edges[-1]), 2)
    1.89
    """
    while high > low:
        try:
            return log_series(f, low, high, tolerance=tolerance, pieces=pieces)
        except _InfiniteError as end:
            high = last_finite(known, low, end.q, within=1e-2)
    return None


@dataclass(frozen=True, eq=False)
class LengthCurve:
    """m(q) of a phi, tabulated where it is finite.

    Attributes
    ----------
    phi : Activation
    log_m : LogSeries
        log m as a function of log q.
    certain : bool
        False where finiteness rests on probing a plain Python phi.
    """

    phi: Activation
    log_m: LogSeries
    certain: bool

    @cached_property
    def grid(self) -> Array:
        """Points in x = log q, dense where m bends; shape (points,)."""
        edges = self.log_m.edges
        t = np.linspace(0, 1, _PER_PIECE, endpoint=False)
        inner = edges[:-1, None] + np.diff(edges)[:, None] * t
        return np.append(inner.ravel(), edges[-1])

    @cached_property
    def m(self) -> Array:
        """M at the points of the grid."""
        return np.exp(self.log_m(self.grid))

    @property
    def highest(self) -> float:
        """Largest q of the table."""
        return math.exp(self.log_m.edges[-1])

    def followed_by(self, other: "LengthCurve") -> "LengthCurve":
        """One table of two, of which the other begins where this one ends."""
        mine, its = self.log_m, other.log_m
        series = LogSeries(
            np.concatenate([mine.edges, its.edges[1:]]),
            np.concatenate([mine.series, its.series], axis=1),
            np.concatenate([mine.errors, its.errors]),
        )
        return replace(self, log_m=series)

    def turning_points(self, gains: Array) -> list[Array]:
        """Where q - gain m(q) turns, as x = log q, for each gain: between two it is monotone."""
        with np.errstate(over="ignore"):
            relative = np.exp(self.log_m(self.grid) - self.grid)
            slopes = gains[:, None] * (relative * self.log_m(self.grid, derivative=True))
        rising = self._rising(slopes)
        row, k = np.nonzero(rising[:, 1:] != rising[:, :-1])
        low, high, before = self.grid[k], self.grid[k + 1], rising[row, k]
        for _ in range(40 if len(k) else 0):
            x = (low + high) / 2
            with np.errstate(over="ignore"):
                slope = gains[row] * np.exp(self.log_m(x) - x) * self.log_m(x, derivative=True)
            same = self._rising(slope) == before
            low, high = np.where(same, x, low), np.where(same, high, x)
        found = (low + high) / 2
        return [found[row == i] for i in range(len(gains))]

    @staticmethod
    def _rising(slope: Array) -> NDArray[np.bool_]:
        """Whether q - V(q) rises where V has the slope; a slope of 1 to rounding counts as one."""
        return np.asarray(slope < 1 + 1e-11)


def check_scales(net: Network) -> None:
    """Refuse scales whose squares no float holds: they have no map to tabulate.

    Examples
    --------
    >>> check_scales(Network("tanh", sigma_w=1e200))
    Traceback (most recent call last):
        ...
    ValueError: sigma_w must have a square that a float holds, also divided by keep_probability \
1.0, got 1e+200; scale phi instead
    """
    if math.isinf(net.gain):
        msg = (
            "sigma_w must have a square that a float holds, also divided by keep_probability "
            f"{net.keep_probability!r}, got {net.sigma_w!r}; scale phi instead"
        )
        raise ValueError(msg)
    if math.isinf(net.sigma_b * net.sigma_b):
        msg = (
            f"sigma_b must have a square that a float holds, got {net.sigma_b!r}; scale phi instead"
        )
        raise ValueError(msg)


def length_curve(
    phi: Activation, low: float, high: float, *, tolerance: float = 1e-11
) -> LengthCurve | None:
    """Tabulate m(q) from `low` to `high`, or to where it leaves the floats; None if always inf.

    Parameters
    ----------
    phi : Activation
    low, high : float
        Squared lengths, ``0 < low < high``; brought within 1e-300 and 1e307.
    tolerance : float
        Of log m.

    Returns
    -------
    LengthCurve or None

    Raises
    ------
    ValueError
        If phi gives nan at the lengths in the middle of the range.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> length_curve(activation("reciprocal"), 1e-6, 1e6) is None
    True
    >>> length_curve(activation("exp_square"), 1e-6, 1e6).highest  # up to 1 / (4 c) = 2.5
    2.4999975
    """
    low, high = max(low, _LOWEST), min(max(high, 2 * _LOWEST), _HIGHEST)
    means = _Means(phi, low, tolerance)
    top = min(high, critical_variance(phi, 2) * (1 - 1e-6))
    if top <= low:
        return None
    if not means.in_floats(top):  # a look at phi alone
        top = min(top, last_finite(means.in_floats, low, top, within=1e-2) * 1.02)
    means.tabulate(top)
    start = min(max(low, 1.0), _middle(low, top))
    if start < top and math.isfinite(means.alone(start).value) and not means.finite(top):
        top = means.end(start, top)
    elif not means.finite(top):
        if not means.finite(low):
            return None
        top = means.end(low, min(start, top))
    if top <= low:
        return None
    if means.table is None or phi.growth is None:  # what is known now of its growth
        means.tabulate(top)
    series = log_series_while(means.finite, means, low, top, tolerance=tolerance)
    return LengthCurve(phi, series, phi.growth is not None) if series else None


class _Means:
    """m(q) from `low` on: from a table of panels, or one by one."""

    def __init__(self, phi: Activation, low: float, tolerance: float) -> None:
        self.phi, self.low, self.tolerance = phi, low, tolerance
        self.table: Measure | None = None

    def __call__(self, q: float) -> Estimate:
        found = self.table(q) if self.table else None
        return found or self.alone(q)

    def alone(self, q: float) -> Estimate:
        """One integral, or the closed form."""
        with np.errstate(over="ignore"):  # it says itself where it leaves the floats
            return mean_square(self.phi, q, budget=_FEW_PANELS).estimate

    def tabulate(self, top: float) -> None:
        """Integrate phi^2 once for every q up to `top`, where there is no closed form."""
        self.table = None
        if self.phi.mean_square is None:
            with suppress(ValueError):  # phi leaves the floats too early: means are taken alone
                self.table = measure(self.phi, square, self.low, top, tolerance=self.tolerance)

    def in_floats(self, q: float) -> bool:
        """Whether floats may hold m(q), from the height of phi alone."""
        if self.phi.mean_square is not None:
            return True
        try:
            found = window(self.phi, q)
        except ValueError:
            return False
        return found is not None and found[1] < _LOG_MAX

    def finite(self, q: float) -> bool:
        """Whether m(q) is finite."""
        return math.isfinite(self._carefully(q).value)

    def end(self, low: float, high: float) -> float:
        """Where m ends: near a wall it bends, near the end of the floats it does not."""
        within = 1e-3 if self._carefully(high).overflow else 1e-6
        return last_finite(self.finite, low, high, within=within)

    def _carefully(self, q: float) -> Estimate:
        try:
            return self(q)
        except ValueError:  # phi leaves the floats too early: the table ends before
            return Estimate(math.inf, math.inf, overflow=True)


def last_finite(
    finite: Callable[[float], bool], low: float, high: float, *, within: float = 1e-6
) -> float:
    """Find the largest q, nearly, with a finite mean: finite at `low`, not at `high`."""
    while high > low * (1 + within):
        middle = _middle(low, high)
        low, high = (middle, high) if finite(middle) else (low, middle)
    return low


def _middle(low: float, high: float) -> float:
    """Geometric mean; the product itself may leave the floats."""
    return math.sqrt(low) * math.sqrt(high)
