"""phi as a Gaussian of one variance sees it, and where the integral of its square lives."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss, legint, legval, legvander

from lengthlab.activations import Activation, Array
from lengthlab.drawing.parts import round_up
from lengthlab.gaussian import Estimate, critical_variance, mean_square, window

PART = 0.05, 0.95
"""Shares of the integral between which most of it lives."""
_SEEN = 0.0005, 0.9995  # shares of the integral that the axis shows
_DEVIATIONS = 4.0  # of the Gaussian, that the picture of phi shows
_POINTS = 1200  # of the picture of phi
_LENGTHS = 61  # at which m(q) is computed
_BEYOND = 1e290  # phi that no axis can show
_EVEN = 800  # points that tell the height of an integrand with poles
_NODES, _WEIGHTS = leggauss(9)
# Row i integrates, from the panel's left end to node i, the polynomial through the nodes' values.
_TO_NODES = legval(_NODES, legint(np.eye(9), lbnd=-1)).T @ (
    (legvander(_NODES, 8) * _WEIGHTS[:, None]).T * (np.arange(9) + 0.5)[:, None]
)
_RUNGS = 2.0 ** -np.arange(1.0, 160.0, 1.5)  # distances from a pole at which panels end
_FEW_RUNGS = 4.0 ** -np.arange(1.0, 7.0)
_LOG_DENSITY = -math.log(2 * math.pi) / 2
_LOG_MOST = 600.0  # of an integrand that is drawn
_FAITHFUL = 0.03  # relative difference up to which floats show the integral
_AT = 1e-3  # a peak so near to a kink is at the kink
_LOG_FROM = 1e3  # ratio of m(q) from which its axis is logarithmic
_HUGE = 1e280  # of m(q) that an axis can show
_TWIN = 0.9  # a second peak is named if it is so high beside the first


@dataclass(frozen=True, eq=False)
class View:
    """phi on the scale of a Gaussian of variance q.

    Attributes
    ----------
    x, phi : ndarray, shape (points,)
        The curve, nan at jumps and poles.
    reach : float
        The axis is from -reach to reach.
    low, high : float
        Ends of the other axis: of phi that goes beyond them only a part is shown.
    kinks : ndarray, shape (marks, 2)
        Those within the axis, as points of the curve: both ends of a jump.
    poles : ndarray
        Those within the axis.
    """

    x: Array
    phi: Array
    reach: float
    low: float
    high: float
    kinks: Array
    poles: Array


def view_of(phi: Activation, q: float, poles: tuple[float, ...] = ()) -> View:
    """Evaluate phi over four standard deviations.

    Parameters
    ----------
    phi : Activation
    q : float
        Variance, ``> 0``.
    poles : tuple of float
        More of them than phi declares.

    Returns
    -------
    View
    """
    reach = round_up(_DEVIATIONS * math.sqrt(q))
    kinks = np.array([k for k in phi.kinks if abs(k) < reach])
    gaps = np.array(sorted({*poles, *(p.location for p in phi.poles)}))
    gaps = gaps[np.abs(gaps) < reach]
    # Both sides of every break: jumps are upright, and no point falls on a pole.
    beside = np.concatenate([kinks, gaps])[:, None] + 1e-9 * reach * np.array([-1.0, 1.0])
    x = np.unique(np.concatenate([np.linspace(-reach, reach, _POINTS), beside.ravel()]))
    y = phi(x)
    y[~(np.abs(y) < _BEYOND)] = np.nan
    size = _size(y)
    low, high = _end(-y, size), _end(y, size)
    ends = phi(kinks[:, None] + 1e-9 * reach * np.array([-1.0, 1.0]))
    jumps = kinks[np.abs(ends[:, 1] - ends[:, 0]) > 1e-3 * size]
    marks = np.column_stack([np.repeat(kinks, 2), ends.ravel()])
    cuts = x.searchsorted(np.concatenate([gaps, jumps]))
    # A change of sign from one side of the axes to the other is a pole that nobody declared.
    signs = np.sign(y)
    far = (
        np.flatnonzero((signs[1:] * signs[:-1] < 0) & (np.minimum(abs(y[1:]), abs(y[:-1])) > size))
        + 1
    )
    cuts = np.unique(np.concatenate([cuts, far]))
    x, y = np.insert(x, cuts, np.nan), np.insert(y, cuts, np.nan)
    return View(x, y, reach, -low, max(high, 1e-12 * size), marks, gaps)


def _size(y: Array) -> float:
    """Size of what to show: a pole, or a steep end, does not set the limits."""
    sizes = np.abs(y[np.isfinite(y)])
    if not len(sizes) or sizes.max() == 0:
        return 1.0
    return float(min(sizes.max(), max(1.3 * np.quantile(sizes, 0.97), 1e-250)))


def _end(y: Array, size: float) -> float:
    """Round end of an axis upwards; 0 where y is nowhere above."""
    highest = min(float(np.nanmax(y, initial=0.0)), size)
    return round_up(1.08 * highest) if highest > 1e-3 * size else 0.0


@dataclass(frozen=True, eq=False)
class Integrand:
    """``phi(sqrt(q) z)^2`` times the standard normal density, and its integral.

    Attributes
    ----------
    q : float
        Squared length per unit.
    mean : Estimate
        The integral, m(q).
    z, height : ndarray, shape (points,)
        The curve; empty where it is beyond the floats.
    reach, top : float
        The axes: z from -reach to reach, and the largest height that is shown.
    poles : ndarray
        Of phi, in z, within the axis.
    part : tuple of float or None
        Between these z lie 5 to 95 % of the integral; None where it is infinite or 0, or floats do
        not tell.
    peaks : tuple of float
        Where the integrand is highest.
    grows : bool
        It does not decay: the integral is infinite for want of decay, not for a pole.
    faithful : bool
        Whether the curve is that of the integral; not if phi is one that no float can tell.
    """

    q: float
    mean: Estimate
    z: Array
    height: Array
    reach: float
    top: float
    poles: Array
    part: tuple[float, float] | None
    peaks: tuple[float, ...]
    grows: bool = False
    faithful: bool = True


def integrand(phi: Activation, q: float, poles: tuple[float, ...] = ()) -> Integrand:
    """Look at the integrand of m(q) = E phi(sqrt(q) Z)^2.

    Parameters
    ----------
    phi, q, poles
        As in `view_of`.

    Returns
    -------
    Integrand

    Raises
    ------
    ValueError
        If phi gives nan, or leaves the floats before the Gaussian weight has made it small.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> found = integrand(activation("exp"), 1.0)  # the density of Normal(2, 1), times exp(2)
    >>> [round(z, 3) for z in found.part]
    [0.355, 3.645]
    """
    mean, look, scale = mean_square(phi, q).estimate, window(phi, q), math.sqrt(q)
    gaps = np.array(sorted({*poles, *(p.location for p in phi.poles)})) / scale
    steep = any(not pole.order < 0.5 for pole in phi.poles)  # or of an order that is not known
    grows = math.isinf(mean.value) and not mean.overflow and not steep
    edges = np.linspace(-10, 10, 81) if look is None or grows else np.array(look[0])
    kinks = np.array(phi.kinks) / scale
    z, below, total, logs = _panels(phi, scale, edges, gaps, kinks)
    highest = float(logs.max(initial=-math.inf))
    nothing = np.empty(0)
    if not -math.inf < highest < _LOG_MOST:
        return Integrand(q, mean, nothing, nothing, 4.0, 1.0, nothing, None, ())
    faithful, reach = True, 4.0
    part: tuple[float, float] | None = None
    peaks: tuple[float, ...] = ()
    if math.isfinite(mean.value):
        exact = mean.value * math.exp(-highest)
        faithful = abs(total - exact) <= _FAITHFUL * max(total, exact)
        ends = np.interp(_SEEN, below / total, z)
        reach = max(reach, round_up(1.05 * float(np.abs(ends).max())))
        if faithful and mean.value > 0:
            heights = np.exp(logs - highest)
            low, high = (_quantile(share * total, z, below, heights) for share in PART)
            part, peaks = (low, high), _peaks(z, logs, gaps, kinks)
    elif grows:
        reach = 8.0
    gaps = gaps[np.abs(gaps) < reach]
    top = _top(phi, scale, reach, math.exp(highest), len(gaps) > 0)
    shown = np.abs(z) <= reach * 1.01
    heights = np.exp(logs[shown])
    return Integrand(q, mean, z[shown], heights, reach, top, gaps, part, peaks, grows, faithful)


def _panels(
    phi: Activation, scale: float, edges: Array, gaps: Array, kinks: Array
) -> tuple[Array, Array, float, Array]:
    """Nodes, the integral up to each and in all, by the highest integrand, and its logarithm."""
    inside = gaps[(edges[0] < gaps) & (gaps < edges[-1])][:40]
    near = inside[:, None] + np.concatenate([-_RUNGS, [0.0], _RUNGS])
    # Beside a kink phi may oscillate, as sin(1/x) does.
    rough = kinks[(edges[0] < kinks) & (kinks < edges[-1])][:40]
    rungs = rough[:, None] + np.concatenate([-_FEW_RUNGS, [0.0], _FEW_RUNGS])
    edges = np.unique(np.concatenate([edges, near.ravel(), rungs.ravel()]))
    edges = np.unique(np.concatenate([edges, (edges[1:] + edges[:-1]) / 2]))
    half = np.diff(edges)[:, None] / 2
    z = edges[:-1, None] + half * (1 + _NODES)
    logs = _log_integrand(phi, scale, z)
    logs[np.isnan(logs)] = -np.inf
    highest = float(logs.max())
    heights = np.exp(logs - highest) if math.isfinite(highest) else np.zeros_like(logs)
    parts = half[:, 0] * (heights @ _WEIGHTS)
    before = np.cumsum(parts) - parts
    below = before[:, None] + half * (heights @ _TO_NODES.T)
    return z.ravel(), below.ravel(), float(parts.sum()), logs.ravel()


def _quantile(target: float, z: Array, below: Array, heights: Array) -> float:
    """Where the integral up to z is `target`; between two nodes the integrand is a line."""
    k = min(max(int(below.searchsorted(target)), 1), len(z) - 1)
    step = z[k] - z[k - 1]
    first, bend = heights[k - 1], (heights[k] - heights[k - 1]) / step
    missing = target - below[k - 1]
    root = math.sqrt(max(first * first + 2 * bend * missing, 0.0))
    share = 2 * missing / (first + root) / step if first + root > 0 else 0.5
    return float(z[k - 1] + min(max(share, 0.0), 1.0) * step)


def _log_integrand(phi: Activation, scale: float, z: Array) -> Array:
    with np.errstate(all="ignore"):
        x = scale * z
        log_phi = phi.log_abs(x) if phi.log_abs is not None else np.log(np.abs(phi(x)))
        return np.asarray(2 * log_phi + (_LOG_DENSITY - z * z / 2))


def _peaks(z: Array, logs: Array, gaps: Array, kinks: Array) -> tuple[float, ...]:
    """Highest places, one on each side of 0 where both are about as high."""
    if len(gaps):  # it is highest at a pole, and that is drawn as one
        return ()
    best = int(logs.argmax())
    found = [best]
    other = np.flatnonzero(z * z[best] < -0.01)
    if len(other):
        second = other[int(logs[other].argmax())]
        found += [int(second)] if logs[second] > logs[best] + math.log(_TWIN) else []
    tops = (_summit(z, logs, k) for k in found)
    near = ((top, kinks[np.abs(kinks - top) < _AT]) for top in tops)
    return tuple(sorted(float(at[0]) if len(at) else top for top, at in near))


def _summit(z: Array, logs: Array, k: int) -> float:
    """Top of the parabola through a node and those beside it; the node where there is none."""
    if not 0 < k < len(z) - 1 or not np.isfinite(logs[k - 1 : k + 2]).all():
        return float(z[k])
    left, right = z[k] - z[k - 1], z[k + 1] - z[k]
    rise, fall = (logs[k] - logs[k - 1]) / left, (logs[k] - logs[k + 1]) / right
    if rise < 0 or fall < 0 or rise + fall == 0:
        return float(z[k])
    top = float(z[k] + (rise * right - fall * left) / (2 * (rise + fall)))
    return 0.0 if abs(top) < 1e-6 else top


def _top(phi: Activation, scale: float, reach: float, highest: float, poles: bool) -> float:
    """Round height of the axes: a pole does not set it."""
    if poles:
        z = np.linspace(-reach, reach, _EVEN)  # of even number, and without 0
        heights = np.exp(np.minimum(_log_integrand(phi, scale, z), _LOG_MOST))
        heights = heights[np.isfinite(heights)]
        highest = min(highest, 1.3 * float(np.quantile(heights, 0.97)))
    return round_up(1.1 * max(highest, 1e-250))


# --- the integral at every length -----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class MeanCurve:
    """m(q) on (0, top]: nan where it is infinite.

    Attributes
    ----------
    q, m : ndarray, shape (points,)
    top : float
        End of the axis.
    wall : float
        From which q on it is infinite; inf if nowhere.
    """

    q: Array
    m: Array
    top: float
    wall: float


def mean_curve(phi: Activation, top: float, wall: float | None = None) -> MeanCurve:
    """Compute m(q) over an axis, up to the wall.

    Parameters
    ----------
    phi : Activation
    top : float
        End of the axis, ``> 0``.
    wall : float, optional
        From which q on it is infinite, if more is known than phi declares.

    Returns
    -------
    MeanCurve

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> mean_curve(activation("exp_square", c=0.1), 5.0).wall
    2.5
    """
    wall = min(critical_variance(phi, 2), math.inf if wall is None else wall)
    end = min(top, wall)
    q = np.linspace(0.0, end, _LENGTHS)[1:] if end > 0 else np.empty(0)
    if end > 0:
        q = np.concatenate([1e-6 * end * np.array([1.0, 1e2, 1e4]), q])
    if wall <= top and end > 0:
        q = np.unique(np.concatenate([q[:-1], wall * (1 - 10.0 ** -np.arange(1.5, 5))]))
    means = [mean_square(phi, x).estimate.value for x in q.tolist()]
    m = np.array([x if math.isfinite(x) else math.nan for x in means])
    return MeanCurve(q, m, top, wall)


def q_axis(q: float, wall: float = math.inf) -> float:
    """End of the axis of q, a round number: the wall is on it if it is not far.

    Examples
    --------
    >>> q_axis(1.0), q_axis(7.0), q_axis(1.0, wall=10.0)
    (5.0, 10.0, 12.0)
    """
    ends = [5.0, round_up(1.25 * q) if q > 4.5 else 0.0]
    return max(*ends, round_up(1.2 * wall) if 0 < wall <= 20.0 else 0.0)


def mean_axis(m: Array, here: float) -> tuple[bool, float, float]:
    """Whether the axis of m(q) is logarithmic, and its ends: a wall does not set them."""
    m = m[(m > 0) & (m < _HUGE)]
    low, high = np.quantile(m, [0.1, 0.9]).tolist() if len(m) else (1.0, 1.0)
    if 0 < here < _HUGE:
        low, high = min(low, here), max(high, here)
    if high < _LOG_FROM * low:
        return False, 0.0, round_up(1.15 * high)
    return True, 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high) + 0.1)
