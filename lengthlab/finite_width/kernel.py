"""One layer: the law of v' = gain S + sigma_b^2 given v, S the mean of N squared outputs.

The Laplace transform of v' is the N-th power of one unit's, whatever phi is: no density of S is
needed, atoms and singularities included. A spline of log v' is a function of v' that has a Fourier
series on a window [start, end), damped by ``exp(-a v')`` so that what lies beyond the window does
not count. The mean of the spline is then a sum over values of the transform.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.finite_width import splines
from lengthlab.finite_width.units import Units, units
from lengthlab.network import Network

LOWEST, HIGHEST = -690.0, 690.0
"""Log v of which a float can hold v, with room for its square root and the like."""

Mask: TypeAlias = NDArray[np.bool_]

_NEGLIGIBLE = 1e-9  # mass of one column that may be left out


class Resolution(NamedTuple):
    """How finely a law is computed.

    `spacing` of the nodes in units of sqrt(2 / N), in which every functional of a layer is a smooth
    function of log v; Gauss `order` a panel; highest frequency `band` of a spline, in cycles per
    step times 2 pi; `damping` exponent at the end of a window.
    """

    spacing: float
    order: int
    band: float
    damping: float


FINE = Resolution(spacing=0.45, order=12, band=13.0, damping=14.0)
COARSE = Resolution(spacing=0.6, order=9, band=10.0, damping=12.0)
# v^2 lifts the far tail, which has to be free of what longer series would resolve.
MOMENTS = FINE._replace(spacing=0.35, band=20.0)
COARSE_MOMENTS = COARSE._replace(spacing=0.45, band=15.0)


@dataclass(frozen=True, eq=False)
class Columns:
    """Laws of log v' given v, for several v.

    Attributes
    ----------
    first : int
        Index of the first target node.
    weights : ndarray, shape (sources, targets)
        Weights at the target nodes; see `splines`.
    dead, escaped : ndarray, shape (sources,)
        P(v' = 0), and the probability that v' leaves the floats.
    mean, ratio : ndarray, shape (sources,)
        E v', and E v'^2 / (E v')^2.
    """

    first: int
    weights: Array
    dead: Array
    escaped: Array
    mean: Array
    ratio: Array


class _Window(NamedTuple):
    """Series of the splines of one window, in units of its first node."""

    end: float
    damping: Array  # (1,)
    frequencies: Array
    series: Array  # (splines, frequencies) complex


class Kernel:
    """Transition of one network at one width; nodes are ``x_i = origin + i step``.

    The targets' nodes are `finer` times as dense.
    """

    def __init__(self, net: Network, width: int, resolution: Resolution, *, finer: int = 1) -> None:
        self.net, self.width, self.resolution = net, width, resolution
        self.step = resolution.spacing * math.sqrt(2 / (width + 1))
        self.origin = math.log(net.first_variance)
        self.factor = net.gain / net.keep_probability  # v' = factor S + noise
        self.noise = net.sigma_b * net.sigma_b
        self.target = self.step / finer
        self._per_window = int(np.clip(1.4 / self.target, 2, 64))
        self._from_zero: dict[float, _Window] = {}

    def variance(self, nodes: Array) -> Array:
        """V at nodes."""
        return np.asarray(np.exp(self.origin + self.step * nodes))

    def columns(self, variances: Array) -> Columns:
        """Laws given each of `variances`, which are all within a few powers of e, or are 0."""
        unit = self._units(variances)
        mean = self.factor * unit.mean + self.noise
        deviation = self._deviation(unit)
        silent = unit.weights[:, unit.outputs == 0].sum(axis=1) ** self.width
        dead = silent if self.noise == 0 else np.zeros_like(silent)
        top = self._top(unit)
        first, moments = self._moments(unit, top)
        weights = splines.weights(moments)
        missing = np.maximum(1 - weights.sum(axis=1) - dead, 0.0)
        escaped = np.where(top >= HIGHEST, missing, 0.0)
        used = np.flatnonzero(np.abs(weights).max(axis=0) > 1e-14)
        low, high = (used[0], used[-1] + 1) if len(used) else (0, 1)
        return Columns(
            first - splines.MARGIN + int(low),
            weights[:, low:high],
            dead,
            escaped,
            mean,
            1 + (deviation / np.where(mean > 0, mean, 1.0)) ** 2,
        )

    def mixture(self, variances: Array, shares: Array) -> tuple[int, Array]:
        """First target and means of the splines themselves under a mixture of laws."""
        unit = self._units(variances)
        first, moments = self._moments(unit, self._top(unit))
        return first, shares @ moments

    def _units(self, variances: Array) -> Units:
        return units(self.net, variances, width=self.width, order=self.resolution.order)

    def _deviation(self, unit: Units) -> Array:
        spread = np.sqrt(np.maximum(unit.ratio - 1, 0.0) / self.width)
        return np.asarray(self.factor * unit.mean * spread)

    def _top(self, unit: Units) -> Array:
        """Above this there is next to nothing of log v'."""
        mean = self.factor * unit.mean + self.noise
        top = mean + 8 * self._deviation(unit) + self.factor * unit.largest / self.width
        with np.errstate(divide="ignore"):
            return np.clip(np.log(top), LOWEST, HIGHEST)

    def _moments(self, unit: Units, top: Array) -> tuple[int, Array]:
        """Means of the splines, window by window from the top down."""
        count = self._per_window
        floor = self._floor(unit)
        highest = (float(top.max()) - self.origin) / self.target + splines.SUPPORT
        window = math.floor(highest / count)
        open_ = np.ones(len(top), dtype=bool)
        found: list[Array] = []
        while (open_.any() and self.origin + window * count * self.target > LOWEST) or not found:
            first = window * count
            foot = self.origin + first * self.target
            moments = np.zeros((len(top), count))
            here = open_ & (top > foot - splines.SUPPORT * self.target)
            if here.any():
                start = float(floor[here].min()) / math.exp(foot)
                moments[here] = self._means(unit, here, foot, start)
                edge = math.exp(foot + splines.SUPPORT * self.target)
                open_[here] = (floor[here] < edge) & (self._below(unit, here, edge) > _NEGLIGIBLE)
            found.append(moments)
            window -= 1
        return (window + 1) * count, np.concatenate(found[::-1], axis=1)

    def _floor(self, unit: Units) -> Array:
        """Below this lies at most exp(-16 - damping): Chernoff's bound for a mean of X >= 0."""
        exponent = 16 + self.resolution.damping
        share = np.maximum(1 - np.sqrt(2 * exponent * unit.ratio / self.width), 0.0)
        return np.asarray(self.factor * unit.mean * share + self.noise)

    def _means(self, unit: Units, here: Mask, foot: float, start: float) -> Array:
        """Means of the splines of one window."""
        scale = math.exp(foot)
        # Little lies beyond a window in the upper tail; damping would lift its series' errors.
        bulk_below = float(unit.mean[here].max()) * self.factor + self.noise < scale
        damped = self.resolution.damping * (0.35 if bulk_below else 1.0)
        window, start = self._window(start, damped)
        damping, frequencies = window.damping / scale, window.frequencies / scale
        begin, end = start * scale, window.end * scale
        values = self._transform(unit, here, damping, frequencies, begin, end)
        return np.asarray((values @ window.series.T).real)

    def _below(self, unit: Units, here: Mask, point: float) -> Array:
        """Bound on P(v' <= point) by Markov's inequality for exp(-rate v')."""
        rates = np.array([1.0, 4.0, 16.0, 64.0]) / point
        values = self._transform(unit, here, rates, np.zeros(1), point, point).real
        if self.noise == 0:  # apart from the mass at 0
            silent = unit.weights[here][:, unit.outputs == 0].sum(axis=1) ** self.width
            at_zero = silent[:, None] * np.exp(rates * point)
            values = np.maximum(values - at_zero, 1e-15 * at_zero)
        return np.asarray(values.min(axis=1))

    def _transform(
        self, unit: Units, here: Mask, damping: Array, frequencies: Array, begin: float, end: float
    ) -> Array:
        """E exp((i frequency - damping) (v' - begin)) for every source."""
        n = self.width
        limit = 100.0 * n * end / self.factor  # exp(-1000) at the lowest rate: it counts no more
        outputs = np.minimum(unit.outputs, limit)
        centre = min(float(np.median(unit.mean[here])), max(end - self.noise, 0.0) / self.factor)
        mine = unit.weights[here]
        each = (outputs - centre) * (self.factor / n)
        felt = each * damping.min() < 60  # the others' exponential is 0
        each, silent = each[felt], mine[:, ~felt].sum(axis=1, keepdims=True)
        real, imag = _exp_minus_1(np.outer(each, -damping), np.outer(each, frequencies))
        real, imag = mine[:, felt] @ real - silent, mine[:, felt] @ imag
        with np.errstate(divide="ignore"):  # log(1 + real + i imag), -inf at 0
            log_abs = np.log1p(real * (2 + real) + imag * imag) / 2
        angle = np.arctan2(imag, 1 + real)
        shift = self.noise + self.factor * centre - begin
        power = n * log_abs - damping * shift
        return np.asarray(np.exp(power + 1j * (n * angle + frequencies * shift)))

    def _window(self, start: float, damping: float) -> tuple[_Window, float]:
        """Series of the splines at nodes 0, 1, ... on [start, end), in units of the first node."""
        start = min(start, math.exp(-splines.SUPPORT * self.target))
        if start >= 0.3:
            return self._series(start, damping), start
        if damping not in self._from_zero:  # a window that begins at 0 serves everywhere
            self._from_zero[damping] = self._series(0.0, damping)
        return self._from_zero[damping], 0.0

    def _series(self, start: float, damping: float) -> _Window:
        count, step, support = self._per_window, self.target, splines.SUPPORT
        end = math.exp((count - 1 + support) * step)
        length = end - start
        cycles = length * self.resolution.band / (2 * math.pi * step * math.exp(-step))
        frequencies = max(16, math.ceil(cycles))
        points = 2 ** math.ceil(math.log2(4 * frequencies))
        v = start + length * np.arange(points) / points
        with np.errstate(divide="ignore"):
            x = np.maximum(np.log(v) / step, -support - 1.0)
        damping /= length
        lifted = np.exp(damping * (v - start))
        values = np.zeros((count + 2 * support + 2, points))
        nearest = np.rint(x)
        for offset in range(-support, support + 1):
            row = nearest.astype(int) + offset
            inside = (row >= 0) & (row < count)
            values[row[inside], np.flatnonzero(inside)] = (
                splines.basis(x[inside] - row[inside]) * lifted[inside]
            )
        series = np.fft.rfft(values[:count], axis=1)[:, :frequencies] / points
        series[:, 1:] *= 2
        cycle = 2 * math.pi / length
        return _Window(
            end, np.array([damping]), cycle * np.arange(frequencies, dtype=np.float64), series
        )


def _exp_minus_1(growth: Array, angle: Array) -> tuple[Array, Array]:
    """Real and imaginary part of ``exp(growth + i angle) - 1``: for wide layers it is small."""
    growth = np.expm1(growth)
    sine, cosine = np.sin(angle / 2), np.cos(angle / 2)
    versine = 2 * sine * sine
    return growth - (1 + growth) * versine, (1 + growth) * (2 * sine * cosine)
