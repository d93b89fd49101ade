"""One layer: the law of v' = gain S + sigma_b^2 given v, S the mean of N squared outputs.

The Laplace transform of v' is the N-th power of one unit's, whatever phi is: no density of S is
needed, atoms and singularities included. A spline of log v' is a function of v' that has a Fourier
series on a window [start, end), damped by ``exp(-a v')`` so that what lies beyond the window does
not count. The mean of the spline is then a sum over values of the transform.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.finite_width import splines
from lengthlab.finite_width.units import Units, UnresolvedError, units
from lengthlab.network import Network

LOWEST, HIGHEST = -690.0, 690.0
"""Log v of which a float can hold v, with room for its square root and the like."""

Mask: TypeAlias = NDArray[np.bool_]
Complex: TypeAlias = NDArray[np.complex128]
Number = TypeVar("Number", Array, Complex)

_COARSER = 1.3  # ratio of the lengths by which windows are begun below their first node
_NEGLIGIBLE = 1e-9  # mass of one column that may be left out
_MOST_TARGETS = 40_000  # nodes of one column
_MOST_FREQUENCIES = 20_000
_TOO_WIDE = "what a layer makes of one v is spread too wide to tabulate"
_NOTHING = 1e-16  # share of a mean that may be taken for 0


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


FINE = Resolution(spacing=0.45, order=12, band=14.0, damping=14.0)
COARSE = Resolution(spacing=0.6, order=9, band=11.0, damping=12.0)
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
    mean, deviation : ndarray, shape (sources,)
        Mean and standard deviation of v'.
    """

    first: int
    weights: Array
    dead: Array
    escaped: Array
    mean: Array
    deviation: Array

    @property
    def ratio(self) -> Array:
        """E v'^2 / (E v')^2, shape (sources,); 1 where v' is 0."""
        return np.asarray(1 + (self.deviation / np.where(self.mean > 0, self.mean, 1.0)) ** 2)


class _Window(NamedTuple):
    """Series of the splines of one window, in units of its first node."""

    start: float
    end: float
    damping: float
    cycle: float  # of the frequencies 0, cycle, 2 cycle, ...
    series: Array  # (frequencies, splines) complex


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
        self._per_window = int(np.clip(2.0 / self.target, 2, 64))
        self._series: dict[tuple[float, float], _Window] = {}

    def variance(self, nodes: Array) -> Array:
        """V at nodes."""
        return np.asarray(np.exp(self.origin + self.step * nodes))

    def columns(self, variances: Array) -> Columns:
        """Laws given each of `variances`, which are all within a few powers of e, or are 0."""
        unit = self._units(variances)
        mean = self.factor * unit.mean + self.noise
        dead = unit.silent**self.width if self.noise == 0 else np.zeros_like(mean)
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
            self._deviation(unit),
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
                open_[here] = floor[here] < edge
                open_ = self._reaches_below(unit, open_, edge)
            found.append(moments)
            window -= 1
            if len(found) * count > _MOST_TARGETS:
                raise UnresolvedError(_TOO_WIDE, 1)
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
        window = self._window(start, damped)
        values = self._transform(unit, here, window, scale)
        return np.asarray(values.real @ window.series.real - values.imag @ window.series.imag)

    def _transform(self, unit: Units, here: Mask, window: _Window, scale: float) -> Complex:
        """E exp((i k cycle - damping) (v' - start)) for every source and k of the series."""
        count, n = len(window.series), self.width
        damping, cycle = window.damping / scale, window.cycle / scale
        felt = _Felt(self, unit, here, window.end * scale, damping)
        rise = _waves_minus_1(felt.each, damping, cycle, count)
        less = felt.mean(rise)[:, :count]
        shift = self.noise + n * felt.centre - window.start * scale
        turns = np.exp((1j * cycle * np.arange(count) - damping) * shift)
        return np.asarray(_power(less, n) * turns)

    def _reaches_below(self, unit: Units, open_: Mask, point: float) -> Mask:
        """Of the sources that are open, those with 0 < v' <= point not negligibly rare."""
        if not open_.any():
            return open_
        # All X <= a share of the mean of N of them, or all X <= N times it: bounds on both sides.
        n, share = self.width, max(point - self.noise, 0.0) / self.factor
        silent = unit.silent**n if self.noise == 0 else 0.0
        surely = unit.cdf(share) ** n - silent > _NEGLIGIBLE
        unsure = open_ & ~surely & (unit.cdf(n * share) ** n - silent > _NEGLIGIBLE)
        reaches = open_ & surely
        if unsure.any():
            reaches[unsure] = self._below(unit, unsure, point) > _NEGLIGIBLE
        return reaches

    def _below(self, unit: Units, here: Mask, point: float) -> Array:
        """Bound on P(0 < v' <= point) by Markov's inequality for exp(-rate v')."""
        n, rates = self.width, np.array([1.0, 4.0, 16.0, 64.0]) / point
        felt = _Felt(self, unit, here, point, rates[0])
        less = felt.mean(np.expm1(np.outer(felt.each, -rates)))
        values = (1 + less) ** n * np.exp(rates * (point - self.noise - n * felt.centre))
        if self.noise == 0:  # apart from the mass at 0
            at_zero = (unit.silent[here] ** n)[:, None] * np.exp(rates * point)
            values = np.maximum(values - at_zero, 1e-15 * at_zero)
        return np.asarray(values.min(axis=1))

    def _window(self, start: float, damping: float) -> _Window:
        """Series of the splines at nodes 0, 1, ... on [start, end), in units of the first node.

        The start is lowered to one of a few, and the series serves wherever it is wanted again.
        """
        steps = max(-math.log(max(start, 1e-300)) / (splines.SUPPORT * self.target), 1.0)
        steps = splines.SUPPORT * _COARSER ** math.ceil(math.log(steps, _COARSER) - 1e-9)
        start = math.exp(-steps * self.target)
        start = start if start >= 0.3 else 0.0
        if (start, damping) not in self._series:
            self._series[start, damping] = self._new_window(start, damping)
        return self._series[start, damping]

    def _new_window(self, start: float, damping: float) -> _Window:
        count, step, support = self._per_window, self.target, splines.SUPPORT
        end = math.exp((count - 1 + support) * step)
        length = end - start
        cycles = length * self.resolution.band / (2 * math.pi * step * math.exp(-step))
        if cycles > _MOST_FREQUENCIES:
            raise UnresolvedError(_TOO_WIDE, 1)
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
        return _Window(start, end, damping, 2 * math.pi / length, series.T.copy())


class _Felt:
    """Shares of one unit in v', from `centre` on, that ``exp(-damping v')`` can tell apart.

    What is next to nothing beside `end` counts as 0, and what leaves no exponential as infinite.
    """

    def __init__(self, kernel: Kernel, unit: Units, here: Mask, end: float, damping: float) -> None:
        factor, mean = kernel.factor / kernel.width, unit.mean[here]
        most = max(end - kernel.noise, 0.0) / kernel.width
        self.centre = min(factor * float(mean[len(mean) // 2]), most)
        low = int(unit.outputs.searchsorted(_NOTHING * end / factor))
        high = int(unit.outputs.searchsorted((self.centre + 60 / damping) / factor))
        rows = slice(None) if here.all() else here
        weights, below = unit.weights[rows], unit.below[rows]
        self.each = np.append(0.0, factor * unit.outputs[low:high]) - self.centre
        self._weights = weights[:, low:high]
        self._zero = below[:, low, None]
        self._lost = (below[:, -1] - below[:, high])[:, None]

    def mean(self, less: Number) -> Number:
        """Mean of values less 1, from those at `each`; they are -1 at infinity."""
        inside = (self._weights @ less[1:].view(np.float64)).view(less.dtype)
        inside += self._zero * less[0]
        inside -= self._lost
        return inside


def _power(less: Complex, n: int) -> Complex:
    """(1 + less)^n."""
    if n < 100:
        return np.asarray((1 + less) ** n)
    real, imag = less.real, less.imag
    with np.errstate(divide="ignore"):  # log(1 + less), -inf at 0
        log_abs = np.log1p(real * (2 + real) + imag * imag) / 2
    return np.asarray(np.exp(n * log_abs + 1j * (n * np.arctan2(imag, 1 + real))))


def _waves_minus_1(each: Array, damping: float, cycle: float, count: int) -> Complex:
    """exp(each (i k cycle - damping)) - 1 for at least `count` k, by two short lists of factors."""
    near = math.ceil(math.sqrt(count))
    small = _turns_minus_1(each, cycle, near)
    large = _turns_minus_1(each, cycle * near, math.ceil(count / near))
    small = _product_minus_1(np.expm1(-damping * each)[:, None], small)
    return _product_minus_1(large[:, :, None], small[:, None, :]).reshape(len(each), -1)


def _product_minus_1(a: Number, b: Complex) -> Complex:
    """(1 + a) (1 + b) - 1, with all digits where both are small, as for wide layers."""
    product = a * (1 + b)
    product += b
    return product


def _turns_minus_1(each: Array, cycle: float, count: int) -> Complex:
    """exp(i k cycle each) - 1 for every k < count."""
    half = np.outer(each, cycle / 2 * np.arange(count))
    sine = np.sin(half)
    found = np.empty(half.shape, dtype=np.complex128)
    found.real = -2 * sine * sine
    found.imag = 2 * sine * np.cos(half)
    return found
