"""Lengths that a network keeps, and whether its layers come back to them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import overload

import numpy as np

from lengthlab.activations import Array
from lengthlab.checks import check_real
from lengthlab.derivative import mean_square_slope, square_slope_at_zero
from lengthlab.gaussian import Estimate, critical_variance, mean_square
from lengthlab.length_curve import LengthCurve, check_scales, length_curve
from lengthlab.network import Network, check_network

_EPS = float(np.finfo(float).eps)
_EVERY = 1e-6  # |V(q) / q - 1| at most, where every q is fixed
_FLOOR = 1e-15  # smallest fixed point that is looked for, relative to the scale of the weights


@dataclass(frozen=True)
class FixedPoint:
    """A length q that the length map keeps: V(q) = q.

    Attributes
    ----------
    q, error : float
        The length, and a bound on its error.
    slope : float
        V'(q); at q = 0 the slope from the right, inf where V jumps.
    chi : float
        ``gain E phi'(sqrt(q) Z)^2``, as `chi`; inf where phi jumps.
    stable : bool or None
        Whether lengths nearby return to q. None where they stay where they are, or where the
        numbers do not tell.
    """

    q: float
    slope: float
    chi: float
    stable: bool | None
    error: float = 0.0


@dataclass(frozen=True)
class FixedPoints(Sequence[FixedPoint]):
    """Fixed points of a length map, q ascending: a sequence.

    Attributes
    ----------
    points : tuple of FixedPoint
        What the sequence holds.
    every_q : bool
        Every length is kept, as by He's ReLU; `points` then holds q = 0 alone.
    q_max : float
        How far the search went; less than asked for where V is infinite, or beyond the floats.
    certain : bool
        False where finiteness rests on probing a plain Python phi.
    """

    points: tuple[FixedPoint, ...]
    every_q: bool
    q_max: float
    certain: bool = True

    @overload
    def __getitem__(self, index: int) -> FixedPoint: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[FixedPoint, ...]: ...
    def __getitem__(self, index: int | slice) -> FixedPoint | tuple[FixedPoint, ...]:
        return self.points[index]

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[FixedPoint]:
        return iter(self.points)


def slope(net: Network, q: float) -> Estimate:
    """Slope V'(q) of the length map: how much a small change of a layer's length grows in the next.

    Parameters
    ----------
    net : Network
        Activation and scales.
    q : float
        Squared length per unit, ``> 0``.

    Returns
    -------
    Estimate
        inf where V is infinite. The error is that between two ways: an integral, which needs no
        derivative of phi, and differences of V.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or phi gives nan.

    Notes
    -----
    ``V'(q) = gain E phi(sqrt(q) Z)^2 (Z^2 - 1) / (2 q)``: integration by parts moves the derivative
    from phi to the Gaussian. It is never below ``-(V(q) - sigma_b^2) / (2 q)``, because
    ``sqrt(q) m(q)`` never falls.

    Examples
    --------
    >>> from lengthlab.unit_scale import unit_scale
    >>> round(slope(Network("tanh", sigma_w=unit_scale("tanh")), 1.0).value, 2)
    0.46
    """
    phi, q = check_network(net).activation, check_real("q", q, above=0)
    check_scales(net)
    middle = mean_square(phi, q)
    if math.isinf(middle.estimate.value):
        return replace(middle.estimate)
    relative = min(1e-3, (critical_variance(phi, 2) - q) / (8 * q))
    near, far = (
        [mean_square(phi, q * (1 + side * step)).estimate for side in (1, -1)]
        for step in (relative, 2 * relative)
    )
    rise = (8 * (near[0].value - near[1].value) - (far[0].value - far[1].value)) / 12
    rounding = 2 * max(e.error for e in (*near, *far)) / (relative * q)
    difference = abs(middle.slope - rise / (relative * q))
    if not math.isfinite(difference):  # V leaves the floats just beyond q
        difference = abs(middle.slope)
    error = difference + rounding + 4 * _EPS * abs(middle.slope)
    return Estimate(net.gain * middle.slope, net.gain * error, middle.estimate.certain)


def chi(net: Network, q: float) -> Estimate:
    """Growth of small differences of two inputs in a layer of length q: the edge of chaos is 1.

    Parameters
    ----------
    net : Network
        Activation and scales.
    q : float
        Squared length per unit of the layer before, ``> 0``.

    Returns
    -------
    Estimate
        ``gain E phi'(sqrt(q) Z)^2``; inf where phi jumps, or its slope has no mean square. Found
        from phi itself; nobody has to know phi'.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or phi gives nan.

    Notes
    -----
    Source: Poole et al. (2016); Schoenholz et al. (2017). Gradients grow by the same factor on the
    way back. With dropout the gain is ``sigma_w^2 / keep_probability``, for two inputs, or a
    forward and a backward pass, under the same mask.

    Examples
    --------
    >>> chi(Network("relu", sigma_w=2**0.5), 2.0).value.__round__(12)
    1.0
    >>> chi(Network("sign"), 1.0).value
    inf
    """
    phi, q = check_network(net).activation, check_real("q", q, above=0)
    check_scales(net)
    found = mean_square_slope(phi, q)
    return replace(found, value=net.gain * found.value, error=net.gain * found.error)


def fixed_points(net: Network, *, q_max: float | None = None) -> FixedPoints:
    """All lengths up to `q_max` that the length map keeps: V(q) = q.

    Parameters
    ----------
    net : Network
        Activation and scales.
    q_max : float, optional
        How far to look, ``>= 1e-290``; by default 10^4 times the largest of 1, the gain and
        sigma_b^2. At most 10^307 is looked at.

    Returns
    -------
    FixedPoints
        Empty where there is none. 0 is among them where V(0) = 0.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or phi gives nan.

    Notes
    -----
    Source: Poole et al. (2016). V is analytic in q > 0, so that fixed points are isolated unless
    every q is one. log V is tabulated in log q, and q - V(q) is monotone between its turning
    points: no fixed point falls between two points of a grid. Two are told apart where V(q) / q
    departs from 1 by more than about 1e-11 between them; where V only touches the diagonal, to that
    precision, the touching point is one fixed point, and not stable. Below 1e-15 times the scale of
    the weights none is looked for, except 0.

    Examples
    --------
    >>> points = fixed_points(Network("tanh", sigma_w=1.5))
    >>> [(round(point.q, 4), round(point.slope, 4), point.stable) for point in points]
    [(0.0, 2.25, False), (0.7934, 0.5047, True)]
    >>> fixed_points(Network("relu", sigma_w=2**0.5)).every_q
    True
    """
    check_scales(check_network(net))
    bias = net.sigma_b * net.sigma_b
    scale = max(1.0, net.gain, bias)
    q_max = 1e4 * scale if q_max is None else check_real("q_max", q_max, at_least=1e-290)
    low = min(_FLOOR * min(1.0, net.gain), q_max / 2)
    low = min(low, bias / 2) if bias > 0 else low
    curve = length_curve(net.activation, low, q_max)
    certain = net.activation.growth is not None
    if curve is None:
        return FixedPoints(_at_zero(net, None), False, 0.0, certain)
    knots = _Knots(curve, net)
    points = (*_at_zero(net, knots), *(_point(net, *found) for found in knots.roots()))
    return FixedPoints(points, knots.all_fixed, curve.highest, certain)


class _Knots:
    """Points x = log q between which q - V(q) is monotone, and the sign of V(q) - q at each."""

    def __init__(self, curve: LengthCurve, net: Network) -> None:
        self.curve, self.net = curve, net
        turning = curve.turning_points(np.array([net.gain]))[0]
        self.x = np.sort(np.concatenate([curve.grid, turning]))
        self.excess = self.above(self.x)
        # Where V is q within its error there is no sign.
        self.signs = np.where(
            np.abs(self.excess) <= curve.log_m.error(self.x) + 1e-12, 0, np.sign(self.excess)
        )

    @property
    def all_fixed(self) -> bool:
        """Whether V is q everywhere, and that is no mere want of numbers."""
        return not self.signs.any() and bool((np.abs(self.excess) < _EVERY).all())

    def above(self, x: Array) -> Array:
        """V(q) / q - 1 at q = exp(x)."""
        with np.errstate(over="ignore"):
            bias = self.net.sigma_b**2 * np.exp(-x)
            return np.asarray(self.net.gain * np.exp(self.curve.log_m(x) - x) + bias - 1)

    def roots(self) -> Iterator[tuple[float, float, float]]:
        """Each fixed point as x = log q, with the signs of V(q) - q to its left and right."""
        told = np.flatnonzero(self.signs)
        for i, k in pairwise(told.tolist()):
            left, right = float(self.signs[i]), float(self.signs[k])
            if left != right:
                yield self._crossing(float(self.x[i]), float(self.x[k]), left), left, right
            elif k > i + 1:  # V touches the diagonal
                touching = i + 1 + int(np.abs(self.excess[i + 1 : k]).argmin())
                yield float(self.x[touching]), left, right

    def _crossing(self, low: float, high: float, left: float) -> float:
        for _ in range(60):
            middle = (low + high) / 2
            if float(self.above(np.array([middle]))[0]) * left > 0:
                low = middle
            else:
                high = middle
        return (low + high) / 2


def _at_zero(net: Network, knots: _Knots | None) -> tuple[FixedPoint, ...]:
    """q = 0, where it is fixed."""
    if net.sigma_b > 0 or mean_square(net.activation, 0.0).estimate.value > 0:
        return ()
    if knots is None:  # E phi^2 is infinite at every q > 0
        return (FixedPoint(0.0, math.inf, math.inf, False),)
    estimate = square_slope_at_zero(net.activation)
    steep, error = net.gain * estimate.value, net.gain * estimate.error
    stable: bool | None = steep < 1
    if abs(steep - 1) <= error + 8 * _EPS:
        told = knots.signs[np.flatnonzero(knots.signs)]
        stable = bool(told[0] < 0) if len(told) else None
    return (FixedPoint(0.0, steep, steep, stable),)


def _point(net: Network, x: float, left: float, right: float) -> FixedPoint:
    """Polish a fixed point of the table by Newton's method on V itself."""
    q = math.exp(x)
    bias = net.sigma_b * net.sigma_b
    crosses = left != right
    for _ in range(3):
        m = mean_square(net.activation, q)
        if not crosses or not abs(net.gain * m.slope - 1) > 1e-6:
            break
        step = (net.gain * m.estimate.value + bias - q) / (net.gain * m.slope - 1)
        if not abs(step) < 1e-6 * q:
            break
        q -= step
    m = mean_square(net.activation, q)
    off = net.gain * m.estimate.error + abs(net.gain * m.estimate.value + bias - q) + 4 * _EPS * q
    steep = slope(net, q)
    away = abs(steep.value - 1)
    error = off / away if away > 1e-5 else math.sqrt(off * q)  # where V bends like q^2 / q
    stable: bool | None = crosses and left > 0
    return FixedPoint(q, steep.value, chi(net, q).value, stable, error)
