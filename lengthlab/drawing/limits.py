"""Axis limits, scales and bins for an experiment: what to show of lengths that keep coming."""

import math

import numpy as np

from lengthlab.activations import Array
from lengthlab.convergence import Bins, Experiment
from lengthlab.drawing.parts import round_up
from lengthlab.finite_width import Band

_LOG_FROM = 30.0  # ratio of the largest to the smallest length from which the axis is logarithmic
_LOST = 0.25  # part of an axis below which there is no shape to see
_DETAIL_BINS = 60
_ENOUGH = 20_000  # networks that say where nearly all lengths lie
_SHOWN = (0.002, 0.998)  # of a layer's lengths lie within the limits
_FALL = 30.0  # decades
_WIDER = 1.75  # times as far from the prediction in log q as the ends of the 90 % band
# Beyond these matplotlib takes an axis for empty or its ticks overflow.
_LEAST, _MOST, _DECADES, _TICKS_END = 1e-280, 1e299, 299, 305


class Limits:
    """Axis limits, scale and bins for an experiment as far as it has come."""

    def __init__(self, experiment: Experiment, asked: str, floor: "Limits | None" = None) -> None:
        self.experiment, self.asked = experiment, asked
        self.seen = min(experiment.drawn, _ENOUGH)
        low, high = _range(experiment, slice(None))
        if floor is not None:
            low, high = _drawable(min(low, floor.low), max(high, floor.high))
        self.low: float = low
        self.high: float = high
        wide = high > _LOG_FROM * low or (floor is not None and floor.log)
        self.log: bool = low > 0 and (asked == "log" or (asked == "auto" and wide))
        self.limits = _log_limits(low, high) if self.log else (0.0, round_up(1.04 * high))
        self._detail: dict[int, Bins] = {}

    def serves(self, experiment: Experiment, scale: str) -> bool:
        """Whether it was made for this experiment and scale."""
        return self.experiment is experiment and self.asked == scale

    def is_fresh(self) -> bool:
        """Whether the limits need no second look: not until a third more networks are there."""
        drawn = min(self.experiment.drawn, _ENOUGH)
        return drawn < max(1.33 * self.seen, self.seen + 20)

    def main_bins(self, layer: int) -> Bins:
        """Bins of one layer in the main picture: fine enough for the shape of a narrow one."""
        low, high = self.limits
        ends = [low, high, *band_at(self.experiment.band, layer)]
        if self.log:
            ends = [math.log(end) if end > 0 else -math.inf for end in ends]
        number = 90
        if len(ends) == 4 and 0 < ends[3] - ends[2] < math.inf:
            number = int(min(max(18 * (ends[1] - ends[0]) / (ends[3] - ends[2]), number), 20_000))
        return Bins(low, high, number, self.log)

    def detail_bins(self, layer: int) -> Bins:
        """Bins of the layer that is shown large; their limits are those of its axis."""
        if layer not in self._detail:
            low, high = _detail_limits(self.experiment, layer, log=self.log)
            log = self.log and high > 3 * low > 0
            self._detail[layer] = Bins(low, high, _DETAIL_BINS, log)
        return self._detail[layer]


def is_lost(low: float, high: float, limits: tuple[float, float], *, log: bool) -> bool:
    """Whether numbers from `low` to `high`, above 0, fill too little of an axis to show a shape.

    Examples
    --------
    >>> is_lost(0.3, 0.5, (0.01, 1e9), log=True), is_lost(0.3, 0.5, (0.0, 0.8), log=False)
    (True, False)
    """
    if log:
        below, above = min(low, limits[0]), max(high, limits[1])
        return math.log(high) - math.log(low) < _LOST * (math.log(above) - math.log(below))
    return high > _LOG_FROM * low or high < _LOST * limits[1]


def _range(experiment: Experiment, layers: slice) -> tuple[float, float]:
    """Smallest and largest length to show: prediction, band, and nearly all lengths.

    What nearly all will be is guessed from the band: or each first network, while a control moves,
    would change the limits, which takes longer than all else in a frame.

    The few that are farther than a factor of 10^4 from all that is typical are left to the mark at
    the axis' end, or one exploding network would flatten all others.
    A length that falls to 0 in a few layers would do so too: its way ends below the axis.
    """
    band = experiment.band
    typical = [experiment.prediction.values[layers], band.lower[layers], band.upper[layers]]
    lengths = experiment.lengths[:_ENOUGH, layers]
    predicted = typical[0][: len(typical[1])]
    with np.errstate(all="ignore"):
        far = [predicted * (end / predicted) ** _WIDER for end in typical[1:]]
    if len(lengths):
        shares = [_SHOWN[0], 0.25, 0.75, _SHOWN[1]]
        quantiles = np.quantile(lengths, shares, axis=0, method="inverted_cdf")
        typical += [quantiles[1], quantiles[2]]
        far += [quantiles[0], quantiles[3]]
    core = _positive(np.concatenate(typical))
    if not len(core):
        return 0.0, 1.0
    first = next(iter(_positive(typical[0])), core.max())
    low, high = _without_fall(core, float(first)), float(core.max())
    tails = _positive(np.concatenate(far))
    if len(tails):
        low = min(low, max(float(tails.min()), 1e-4 * low))
        high = max(high, min(float(tails.max()), 1e4 * high))
    return _drawable(low, high)


def _without_fall(values: Array, first: float) -> float:
    """Least of the values, down from the first, before a gap of so many decades that it is a fall.

    Examples
    --------
    >>> _without_fall(np.array([3.0, 1.0, 1e-2, 1e-90]), 1.0)
    0.01
    """
    below = np.sort(np.append(values[values < first], first))[::-1]
    falls = np.flatnonzero(np.diff(np.log10(below)) < -_FALL)
    return float(below[falls[0]] if len(falls) else below[-1])


def _drawable(low: float, high: float) -> tuple[float, float]:
    """Clamp to what one axis can show, keeping the larger lengths; 0 stays 0."""
    high = min(max(high, _LEAST), _MOST)
    return (min(max(low, _LEAST, high / 10.0**_DECADES), high) if low > 0 else 0.0), high


def _positive(values: Array) -> Array:
    return values[np.isfinite(values) & (values > 0)]


def band_at(band: Band, layer: int) -> list[float]:
    """Give the ends of the band at a layer; none where it has none."""
    return [float(end[layer - 1]) for end in (band.lower, band.upper) if layer <= len(end)]


def _log_limits(low: float, high: float, parts: int = 1) -> tuple[float, float]:
    """Limits that are whole decades, or whole parts of one.

    Matplotlib's ticks go half of the axis beyond its top, where floats must not end: of an axis too
    long for that the top is cut off, and the mark at its end stands for the lengths there.
    """
    bottom = math.floor(parts * math.log10(low)) / parts
    top = max(math.ceil(parts * math.log10(high)) / parts, bottom + 1 / parts)
    return 10.0**bottom, 10.0 ** min(top, (2 * _TICKS_END + bottom) // 3)


def _detail_limits(experiment: Experiment, layer: int, *, log: bool) -> tuple[float, float]:
    """Limits of one layer's lengths, on a grid of round steps."""
    low, high = _range(experiment, slice(layer - 1, layer))
    if log and high > 3 * low > 0:
        return _log_limits(low, high, parts=4)
    room = 0.15 * (high - low) if high > low else 0.1 * high
    step = round_up((high - low + 2 * room) / 6)
    return max(0.0, step * math.floor((low - room) / step)), step * math.ceil((high + room) / step)
