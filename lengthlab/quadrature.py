"""Adaptive quadrature on an interval: all panels of a round in one call of the integrand.

A panel's value is the 15-point Gauss-Legendre rule, its error the distance to the 10-point rule,
which is far above the true error of the former where the integrand is smooth. Where it is not, the
two may agree by chance; the error is then at least what the panel's Legendre series leaves open.
A panel that fails is bisected. One that still fails at the resolution of the floats sits on a
singularity, which is then approached along dyadic panels: their ratio tells an integrable one from
a divergent one, and sums what is left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Array

Integrand: TypeAlias = Callable[[Array], Array]

_EPS = float(np.finfo(float).eps)
_FINE_NODES, _FINE_WEIGHTS = np.polynomial.legendre.leggauss(15)
_COARSE_NODES, _COARSE_WEIGHTS = np.polynomial.legendre.leggauss(10)
_ENDS = np.array([-1.0, 1.0]) * (1 - 1e-12)  # inside, whatever a break is rounded to
_NODES = np.concatenate([_FINE_NODES, _COARSE_NODES, _ENDS])
MOST_PANELS = 20_000
_SMALLEST = 1e-13  # half-width of a panel that is not bisected any more, relative to max(1, |z|)
_ROUGH = 1e-3  # of a panel's range: where more than that is unresolved, it counts in full
_TINY = float(np.finfo(float).tiny)
_LADDER_TOP = 2.0**-8


def _surprise() -> Array:
    """Matrix from a panel's values to what is 0 for a polynomial of degree 11.

    These are Legendre coefficients 12 to 14, and the values at both ends, near which no node lies,
    less the extrapolated ones.
    """
    legendre = np.polynomial.legendre.legvander(_FINE_NODES, 14)
    to_coefficients = (legendre * _FINE_WEIGHTS[:, None] * (np.arange(15) + 0.5)).T
    to_ends = np.polynomial.legendre.legvander(_ENDS, 14) @ to_coefficients
    rows = np.zeros((5, len(_NODES)))
    rows[:3, :15] = to_coefficients[12:]
    rows[3:, :15] = -to_ends
    rows[3:, 25:] = np.eye(2)
    return rows.T


_SURPRISE = _surprise()


@dataclass
class Pieces:
    """Accepted panels with their evaluations, and what they add up to."""

    panels: list[tuple[Array, Array, Array]] = field(default_factory=list)
    value: float = 0.0
    size: float = 0.0  # integral of |f|
    error: float = 0.0
    stuck: list[tuple[float, float]] = field(default_factory=list)  # panels too small to bisect
    stuck_error: float = 0.0

    def weighted(self, weight: Callable[[Array], Array]) -> float:
        """Integral of ``weight(z) f(z)`` from the same evaluations of f."""
        unit = self.size or 1.0  # the product may leave the floats where f does not
        with np.errstate(all="ignore"):
            return unit * sum(
                float(half @ ((values / unit * weight(z)) @ _FINE_WEIGHTS))
                for half, z, values in self.panels
            )


def integrate(
    f: Integrand, edges: Sequence[float], rtol: float, *, budget: int = MOST_PANELS
) -> Pieces | None:
    """Integrate `f` over ``[edges[0], edges[-1]]``, split at `edges`; None if it diverges.

    Parameters
    ----------
    f : callable, (n,) -> (n,)
        Finite, except at isolated points.
    edges : sequence of float
        Ascending; kinks, jumps and poles of `f` belong here.
    rtol : float
        Requested error relative to the integral of |f|.
    budget : int
        Panels to look at; where more are needed, as by an endless oscillation, what is left goes
        into the error.

    Returns
    -------
    Pieces or None
    """
    cuts = np.asarray(edges, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # what leaves the floats is inf
        pieces = _bisect(f, cuts[:-1], cuts[1:], rtol, budget, Pieces())
        if pieces.stuck_error <= max(rtol, 1e-9) * pieces.size:
            return pieces
        return _integrate_around(f, cuts, _locations(pieces.stuck, cuts), rtol, budget)


@dataclass
class _Panels:
    """The rule on the panels [low, high], each (panels,): values, sizes, errors."""

    half: Array
    z: Array  # (panels, 15)
    f: Array  # (panels, 15)
    value: Array
    size: Array
    error: Array

    def __init__(self, f: Integrand, low: Array, high: Array) -> None:
        self.half = (high - low) / 2
        z = ((low + high) / 2)[:, None] + self.half[:, None] * _NODES
        with np.errstate(all="ignore"):
            values = f(z.ravel()).reshape(z.shape)
            self.z, self.f = z[:, :15], values[:, :15]
            self.value = self.half * (self.f @ _FINE_WEIGHTS)
            self.size = self.half * (np.abs(self.f) @ _FINE_WEIGHTS)
            coarse = self.half * (values[:, 15:25] @ _COARSE_WEIGHTS)
            self.error = np.abs(self.value - coarse)
            left = np.abs(values @ _SURPRISE).sum(axis=1)
            spread = values.max(axis=1) - values.min(axis=1) + _TINY
            left *= np.minimum(left / (_ROUGH * spread), 1.0)  # falls geometrically: counts less
            np.maximum(self.error, self.half * left, out=self.error)
        self.error[np.isnan(self.error)] = np.inf

    def add_to(self, pieces: Pieces, keep: NDArray[np.bool_]) -> None:
        """Put the panels of the mask `keep` into `pieces`."""
        pieces.panels.append((self.half[keep], self.z[keep], self.f[keep]))
        pieces.value += float(self.value[keep].sum())
        pieces.size += float(self.size[keep].sum())
        pieces.error += float(self.error[keep].sum())


def _bisect(
    f: Integrand, low: Array, high: Array, rtol: float, budget: int, pieces: Pieces
) -> Pieces:
    evaluated = 0
    while len(low):
        panels = _Panels(f, low, high)
        evaluated += len(low)
        finite = np.isfinite(panels.error)
        total = pieces.size + float(panels.size[finite].sum())
        good = finite & (panels.error <= np.maximum(rtol / 4 * total, 30 * _EPS * panels.size))
        if good.all():
            panels.add_to(pieces, good)
            break
        bad = ~good
        stuck = bad & (panels.half < _SMALLEST * np.maximum(1.0, np.abs(low)))
        if evaluated > budget:  # an endless oscillation: what is left goes into the error
            stuck, good = bad & ~finite, good | finite
        pieces.stuck += zip(low[stuck].tolist(), high[stuck].tolist(), strict=True)
        pieces.stuck_error += float(panels.error[stuck].sum())
        panels.add_to(pieces, good | (stuck & finite))
        again = ~(good | stuck)
        low, high = low[again], high[again]
        middle = (low + high) / 2
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    return pieces


def _locations(stuck: list[tuple[float, float]], edges: Array) -> list[float]:
    """One point a cluster of stuck panels: a declared edge beside it, or the cluster's middle."""
    clusters: list[list[float]] = []
    for low, high in sorted(stuck):
        if clusters and low - clusters[-1][1] < 1e-9 * max(1.0, abs(low)):
            clusters[-1][1] = high
        else:
            clusters.append([low, high])
    found = []
    for low, high in clusters:
        nearest = float(edges[np.abs(edges - low).argmin()])
        close = abs(nearest - low) < 1e-9 * max(1.0, abs(low))
        found.append(nearest if close else (low + high) / 2)
    return found


def _integrate_around(
    f: Integrand, cuts: Array, singular: list[float], rtol: float, budget: int
) -> Pieces | None:
    """Integrate with each point of `singular` approached along dyadic panels from both sides."""
    pieces, near, rims = Pieces(), np.zeros(len(cuts), dtype=bool), []
    for location in singular:
        for side, end in ((-1.0, cuts[0]), (1.0, cuts[-1])):
            distance = side * (cuts - location)
            top = min(_LADDER_TOP, side * (end - location) / 2)
            near |= np.abs(distance) <= 1e-9 * max(1.0, abs(location))
            if top < 1e-7 * abs(location) + 1e-50:  # it is the end
                continue
            near |= (distance >= 0) & (distance <= top)
            rims.append(location + side * top)
            if not _descend(f, location, side, top, pieces):
                return None
    points = np.array(singular)
    edges = np.unique(np.concatenate([cuts[~near], rims]))
    low, high = edges[:-1], edges[1:]
    outside = ~((low[:, None] < points) & (points < high[:, None])).any(axis=1)
    return _bisect(f, low[outside], high[outside], rtol, budget, pieces)


def _descend(f: Integrand, location: float, side: float, top: float, pieces: Pieces) -> bool:
    """Add the panels [t / 2, t] beside `location`, t <= top, and the rest; False if infinite.

    For |t|^(-a) the ratio of successive panels is 2^(a - 1): 1 where the integral diverges.
    """
    smallest = 1e-60 if location == 0 else 1e-9 * abs(location)
    t = top * 0.5 ** np.arange(int(np.log2(top / smallest)))
    near, far = location + side * t / 2, location + side * t
    panels = _Panels(f, np.minimum(near, far), np.maximum(near, far))
    last = panels.value[-6:]
    if not np.isfinite(panels.value).all():
        return False
    if not last.all():  # nothing is left down there
        panels.add_to(pieces, np.isfinite(panels.error))
        return True
    ratios = last[1:] / last[:-1]
    ratio = float(np.median(ratios))
    if ratio > 0.999:
        return False
    rest = float(last[-1]) * ratio / (1 - ratio)
    panels.add_to(pieces, np.isfinite(panels.error))
    pieces.value += rest
    pieces.panels.append((np.ones(1), np.full((1, 15), location), np.full((1, 15), rest / 2)))
    pieces.error += abs(rest) * min(1.0, 1e-9 + float(np.ptp(ratios)) / (1 - ratio))
    return True
