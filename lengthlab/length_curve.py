"""m(q) = E phi(sqrt(q) Z)^2 for every q at once: where the length maps of a phi have fixed points.

``log m`` as a function of ``log q`` is analytic, and a straight line where phi is a power; it is
tabulated in Chebyshev pieces. A network's fixed points are where ``q - gain m(q) = sigma_b^2``: the
level sigma_b^2 of a curve that belongs to its gain.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.polynomial.chebyshev import chebder, chebval, chebvander
from numpy.typing import NDArray

from lengthlab.activations import Activation, Array
from lengthlab.gaussian import Estimate, critical_variance, mean_square
from lengthlab.measure import measure, square
from lengthlab.network import Network

_DEGREE = 24
_NODES = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
_TO_SERIES = np.linalg.inv(chebvander(_NODES, _DEGREE))
_WIDEST, _NARROWEST = 8.0, 1e-9  # pieces, in log q
_MOST_PIECES = 100
_LOWEST, _HIGHEST = 1e-300, 1e307  # lengths whose logarithms are tabulated
_LOG_TINY = math.log(np.finfo(float).tiny)
_LOG_NOTHING = -600.0  # what is smaller adds nothing to a length: its shape is of no interest
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
    f: Callable[[float], Estimate], low: float, high: float, *, tolerance: float = 1e-11
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
        room = b - a > _NARROWEST and len(done) + len(waiting) < _MOST_PIECES
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
    found = f(min(max(math.exp(x), low), high))
    return max(found.value, math.exp(_LOG_TINY)), found.error if found.value > 0 else 0.0


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
    certain = phi.growth is not None

    def m(q: float) -> Estimate:
        with np.errstate(over="ignore"):  # it says itself where it leaves the floats
            return mean_square(phi, q).estimate

    def finite(q: float) -> bool:
        try:
            return math.isfinite(m(q).value)
        except ValueError:  # phi leaves the floats too early: the table ends before
            return False

    low, high = max(low, _LOWEST), min(max(high, 2 * _LOWEST), _HIGHEST)
    top = min(high, critical_variance(phi, 2) * (1 - 1e-6))
    start = min(max(low, 1.0), _middle(low, high))
    if top <= low:
        return None
    if start < top and math.isfinite(m(start).value) and not finite(top):
        top = last_finite(finite, start, top)
    elif not finite(top):
        if not finite(low):
            return None
        top = last_finite(finite, low, min(start, top))
    if top <= low:
        return None
    closed = phi.mean_square is not None
    table = None if closed else measure(phi, square, low, top, tolerance=tolerance)

    def tabulated(q: float) -> Estimate:
        found = table(q) if table else None
        return found or m(q)

    return LengthCurve(phi, log_series(tabulated, low, top, tolerance=tolerance), certain)


def last_finite(finite: Callable[[float], bool], low: float, high: float) -> float:
    """Largest q, within a millionth, with a finite mean: finite at `low`, not at `high`."""
    while high > low * (1 + 1e-6):
        middle = _middle(low, high)
        low, high = (middle, high) if finite(middle) else (low, middle)
    return low


def _middle(low: float, high: float) -> float:
    """Geometric mean; the product itself may leave the floats."""
    return math.sqrt(low) * math.sqrt(high)
