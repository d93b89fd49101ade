"""The fate of the length map for a whole plane of networks, from one table of phi."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lengthlab.activations import Activation, Array
from lengthlab.checks import check_real
from lengthlab.derivative import mean_square_slope, mean_square_slopes, square_slope_at_zero
from lengthlab.length_curve import check_scales, last_finite, length_curve, log_series_while
from lengthlab.network import Network

_LOW = 1e-6  # lengths below are taken for 0, where there is no bias
_PIECES = 12  # of the table of slopes: where one costs much, as near a pole, it has to end
_CRITICAL = 1e-6  # |chi - 1| that counts as 1


@dataclass(frozen=True, eq=False)
class PhaseDiagram:
    """Where the length map ends, for every pair of a sigma_w and a sigma_b.

    Attributes
    ----------
    activation : Activation
    sigma_w : ndarray, shape (columns,)
    sigma_b : ndarray, shape (rows,)
    q_star : ndarray, shape (rows, columns)
        Limit of the length map; 0 where lengths fall below 10^-6 of the gain (or of 1) for want of
        a bias, inf where they grow for ever or V becomes
        infinite. Never nan.
    chi : ndarray, shape (rows, columns)
        ``sigma_w^2 / keep_probability E phi'(sqrt(q_star) Z)^2``: growth of small differences.
        Where q_star is inf, at the largest length of the table. Inf where phi jumps, or its slopes
        have no mean square, or oscillate too fast for an integral. Its contour at 1 is the edge of
        chaos.
    certain : bool
        False where finiteness rests on probing a plain Python phi.
    """

    activation: Activation
    sigma_w: Array
    sigma_b: Array
    q_star: Array
    chi: Array
    certain: bool = True

    @property
    def phase(self) -> NDArray[np.str_]:
        """What becomes of two inputs: shape (rows, columns).

        "vanishing" (q_star = 0), "exploding" (q_star = inf), else by chi: "ordered" below 1,
        "chaotic" above, "critical" within 1e-6 of it.
        """
        kinds = np.where(self.chi < 1, "ordered", "chaotic")
        kinds = np.where(np.abs(self.chi - 1) < _CRITICAL, "critical", kinds)
        kinds = np.where(self.q_star == 0, "vanishing", kinds)
        return np.asarray(np.where(np.isinf(self.q_star), "exploding", kinds), dtype=np.str_)


def phase_diagram(
    activation: str | Activation,
    *,
    sigma_w: ArrayLike,
    sigma_b: ArrayLike,
    keep_probability: float = 1.0,
    input_length: float = 1.0,
    q_max: float | None = None,
) -> PhaseDiagram:
    """Limit of the length map and chi there, on a grid of networks.

    Parameters
    ----------
    activation : str or Activation
        A name from `catalogue`, or an `Activation`.
    sigma_w : array_like of float, shape (columns,)
        Scales of the weights, each ``> 0``.
    sigma_b : array_like of float, shape (rows,)
        Scales of the biases, each ``>= 0``.
    keep_probability : float
        Of dropout, ``0 < p <= 1``.
    input_length : float
        ``|x_0|^2 / N > 0``: the map starts at ``sigma_w^2 |x_0|^2 / N + sigma_b^2``.
    q_max : float, optional
        A length that grows past it counts as infinite, ``>= 1e-290``; by default 10^4 times the
        largest scale, and 10^12 times if some length is still growing there.

    Returns
    -------
    PhaseDiagram

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or phi gives nan.

    Notes
    -----
    Source: Poole et al. (2016), Schoenholz et al. (2017). A length map never oscillates for ever:
    as ``sqrt(q) m(q)`` never falls, log V falls by at most half of what log q rises, and so there
    is no cycle of two lengths, hence no cycle at all. The limit is a fixed point, 0 or inf. Where V
    rises it is the next one in the direction of the first step; where V may fall, that of the 60th.
    (The indicator of the rationals, which alternates without a bias, is given the limit 0.)

    Examples
    --------
    >>> diagram = phase_diagram("tanh", sigma_w=[0.9, 1.5], sigma_b=[0.0, 0.3])
    >>> diagram.q_star.round(4)
    array([[0.    , 0.7934],
           [0.2165, 0.9608]])
    >>> diagram.phase.tolist()
    [['vanishing', 'chaotic'], ['ordered', 'chaotic']]
    """
    weights, biases = _scales("sigma_w", sigma_w), _scales("sigma_b", sigma_b)
    for w in weights.tolist():  # one network a column and a row: its checks are ours
        check_scales(Network(activation, sigma_w=w, keep_probability=keep_probability))
    for b in biases.tolist():
        net = Network(
            activation, sigma_b=b, keep_probability=keep_probability, input_length=input_length
        )
        check_scales(net)
    plane = _Plane(net, weights, biases, q_max)
    return PhaseDiagram(
        net.activation,
        weights,
        biases,
        plane.q_star,
        plane.chi(),
        net.activation.growth is not None,
    )


def _scales(name: str, value: Any) -> Array:
    """One-dimensional array of floats, or say how to write one."""
    rule = f"{name} must be an array of numbers of shape (n,), got {value!r}"
    if isinstance(value, (str, bytes)):
        raise TypeError(rule)
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(rule) from None
    if array.ndim != 1 or not array.size:
        way_out = f"; write [{value!r}]" if array.ndim == 0 else ""
        raise ValueError(rule + way_out)
    return array


class _Plane:
    """The networks of a diagram, flattened: index row * columns + column."""

    def __init__(self, net: Network, weights: Array, biases: Array, q_max: float | None) -> None:
        self.phi, self.shape = net.activation, (len(biases), len(weights))
        squares, levels = weights * weights, biases * biases
        self.gains = squares / net.keep_probability
        self.levels = levels
        self.gain = np.tile(self.gains, len(levels))
        self.level = np.repeat(levels, len(weights))
        with np.errstate(over="ignore"):
            self.start = np.tile(squares * net.input_length, len(levels)) + self.level
        scale = float(max(1.0, self.gain.max(), self.start[np.isfinite(self.start)].max(initial=0)))
        top = 1e4 * scale
        if q_max is not None:
            top = check_real("q_max", q_max, at_least=1e-290)
        curve = length_curve(self.phi, self._lowest(top), top, tolerance=1e-9)
        self.curve = curve
        found = self._limits()
        # An infinite limit may be one of the table alone, where V is finite at its end.
        if q_max is None and np.isinf(found).any() and curve and curve.highest > top * (1 - 1e-9):
            more = length_curve(self.phi, curve.highest, 1e12 * scale, tolerance=1e-9)
            self.curve = curve.followed_by(more) if more else curve
            found = self._limits()
        self.q_star = found.reshape(self.shape)

    def _lowest(self, top: float) -> float:
        biased = self.level[self.level > 0]
        low = min(_LOW * min(1.0, float(self.gains.min())), top / 2)
        return min(low, float(biased.min(initial=math.inf)) / 2)

    def _limits(self) -> Array:
        """q_star of every network, shape (networks,)."""
        if self.curve is None:  # E phi^2 is infinite at every q > 0
            return np.where(self.start > 0, math.inf, 0.0)
        lowest, highest = self.curve.log_m.edges[[0, -1]]
        with np.errstate(divide="ignore"):
            x = np.log(self.start)
        x = np.maximum(x, lowest)
        falls = (self.curve.log_m(self.curve.grid, derivative=True) < -1e-9).any()
        for _ in range(60 if falls else 0):
            x = np.where(x <= highest, self._next(np.minimum(x, highest)), x)
            x = np.maximum(x, lowest)
        limit = np.where(x > highest, math.inf, 0.0)
        inside = np.flatnonzero(x <= highest)
        limit[inside] = self._approach(x[inside], inside)
        return limit

    def _next(self, x: Array, which: NDArray[np.intp] | slice = slice(None)) -> Array:
        """Log V(q) at x = log q."""
        assert self.curve is not None
        with np.errstate(over="ignore", divide="ignore"):
            return np.log(self.gain[which] * np.exp(self.curve.log_m(x)) + self.level[which])

    def _approach(self, x: Array, which: NDArray[np.intp]) -> Array:
        """Find the fixed point that each network comes to from x, steps all in one direction."""
        assert self.curve is not None
        columns = self.shape[1]
        step = self._next(x, which) - x
        found = np.exp(x)  # where it starts at a fixed point it stays
        moving = np.abs(step) > self.curve.log_m.error(x) + 1e-12
        low, high = np.empty((2, len(x)))
        turning = self.curve.turning_points(self.gains)
        for column in range(columns):
            here = np.flatnonzero(moving & (which % columns == column))
            if not len(here):
                continue
            knots = np.sort(np.concatenate([self.curve.grid, turning[column]]))
            q = np.exp(knots)
            with np.errstate(over="ignore"):
                curve = q - self.gains[column] * np.exp(self.curve.log_m(knots))
            # V(q) - q at the knots, of which only what exceeds the table's error is a sign.
            excess = self.level[which[here], None] - curve
            slack = (self.curve.log_m.error(knots) + 1e-12) * q
            up = step[here] > 0
            place = knots.searchsorted(x[here])
            index = np.arange(len(knots))
            ends = np.where(
                up[:, None],
                (excess < -slack) & (index >= place[:, None]),
                (excess > slack) & (index < place[:, None]),
            )
            reached = ends.any(axis=1)
            found[here[~reached & up]] = math.inf
            found[here[~reached & ~up]] = 0.0
            first, last = ends.argmax(axis=1), len(knots) - 1 - ends[:, ::-1].argmax(axis=1)
            low[here] = np.where(up, np.maximum(knots[first - 1], x[here]), knots[last])
            high[here] = np.where(
                up, knots[first], np.minimum(knots[np.minimum(last + 1, len(knots) - 1)], x[here])
            )
            moving[here[~reached]] = False
        solve = np.flatnonzero(moving)
        found[solve] = np.exp(self._solve(low[solve], high[solve], which[solve]))
        return found

    def _solve(self, low: Array, high: Array, which: NDArray[np.intp]) -> Array:
        """Root of log V(q) - log q, which is positive to its left."""
        assert self.curve is not None
        x = (low + high) / 2
        for _ in range(12):
            image = self._next(x, which)
            excess = image - x
            low, high = np.where(excess > 0, x, low), np.where(excess > 0, high, x)
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                share = self.gain[which] * np.exp(self.curve.log_m(x) - image)
                newton = x - excess / (share * self.curve.log_m(x, derivative=True) - 1)
            good = (low <= newton) & (newton <= high)
            x = np.where(good, newton, (low + high) / 2)
        return x

    def chi(self) -> Array:
        """gain E phi'^2 at q_star, shape (rows, columns)."""
        q = self.q_star.ravel()
        stretch = np.full(len(q), math.inf)
        if (q == 0).any():
            stretch[q == 0] = square_slope_at_zero(self.phi).value
        if self.curve is not None and np.isinf(q).any():
            stretch[np.isinf(q)] = mean_square_slope(self.phi, self.curve.highest).value
        inside = np.flatnonzero((q > 0) & (q < math.inf))
        if len(inside):
            stretch[inside] = self._stretch(q[inside])
        with np.errstate(over="ignore"):
            return np.asarray(self.gain * stretch).reshape(self.shape)

    def _stretch(self, q: Array) -> Array:
        """E phi'(sqrt(q) Z)^2 at many lengths, from a table of its own."""
        low, high = float(q.min()), float(q.max())
        values = np.full(len(q), math.inf)
        if math.isinf(mean_square_slope(self.phi, low).value):
            return values
        stretch = mean_square_slopes(self.phi, low, high)

        def known(at: float) -> bool:
            found = stretch(at)
            return found.error <= 0.01 * found.value < math.inf

        if not known(high):
            high = last_finite(known, low, high, within=1e-2)
            stretch = mean_square_slopes(self.phi, low, high)
        high = max(high, low * (1 + 1e-9))  # a table needs room
        table = log_series_while(known, stretch, low, high, tolerance=1e-9, pieces=_PIECES)
        if table:
            inside = np.log(q) <= table.edges[-1]
            values[inside] = np.exp(table(np.log(q[inside])))
        return values
