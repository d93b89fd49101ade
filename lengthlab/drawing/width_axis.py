"""Axis and bins of lengths at many widths: for histograms that narrow, and keep coming."""

import math

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.convergence import Bins
from lengthlab.drawing.limits import band_at, is_lost
from lengthlab.drawing.parts import round_up
from lengthlab.drawing.width_samples import WidthSample, WidthsData

_LOG_FROM = 30.0
_LEAST, _MOST = 1e-280, 1e290
_TYPICAL = 64  # width from which on lengths count as typical
_BEYOND = 4.0  # how far the axis goes beyond what is typical
_CENTRAL = 0.05, 0.95  # as a band
_ACROSS = 18  # bins of these
_FEWEST_BINS, _MOST_BINS = 60, 400  # a bin is a pixel at least


class LengthAxis:
    """Limits, scale and bins of the lengths of one layer."""

    def __init__(
        self, data: WidthsData, floor: "LengthAxis | None" = None, *, lent: bool = False
    ) -> None:
        self.lent = lent  # by other networks
        self.by_width, self.layer, self.experiment = data.samples, data.layer, data.experiment
        self.seen = self._drawn()
        low, high, ends = self._range(data.predicted)
        bottom, top = ends
        if floor is not None and lent and self.seen:  # of other networks
            lost = is_lost(low, high, (floor.low, floor.high), log=floor.log)
            floor = None if lost else floor
        if floor is not None:
            low, high = min(low, floor.low), max(high, floor.high)
            bottom, top = min(bottom, floor.bottom), max(top, floor.top)
        self.low: float = low
        self.high: float = high
        self.bottom: float = bottom
        self.top: float = top
        self.log: bool = high > _LOG_FROM * low or (floor is not None and floor.log)
        self.limits = (0.0, round_up(1.04 * top))
        if self.log:
            first, last = math.floor(math.log10(bottom)), math.ceil(math.log10(max(high, top)))
            self.limits = 10.0**first, 10.0 ** max(last, first + 1)

    def _drawn(self) -> int:
        return sum(sample.drawn for sample in self.by_width)

    def serves(self, data: WidthsData) -> bool:
        """Whether it was made for this layer of these networks."""
        return self.by_width is data.samples and self.layer == data.layer

    def is_fresh(self) -> bool:
        """Whether it needs no second look: not until a third more networks are there."""
        return self._drawn() < max(1.33 * self.seen, self.seen + 40)

    def _range(self, predicted: float) -> tuple[float, float, tuple[float, float]]:
        """Give the least and largest typical length, and what the narrowest networks come to.

        These decide the ends of an axis and not its scale: they would flatten all others.
        """
        typical, least, extreme = [predicted], [], []
        self.spreads: dict[int, tuple[float, float]] = {}  # the central 90 %, by width
        for sample in self.by_width:
            if sample.drawn:
                q = sample.lengths[:, self.layer - 1]
                shares = [0.1, 0.9, 0.99, *_CENTRAL]
                ends = np.quantile(q, shares, method="inverted_cdf").tolist()
                typical += ends[:2] if sample.width >= _TYPICAL else []
                least.append(ends[3])
                extreme.append(ends[2])
                self.spreads[sample.width] = ends[3], ends[4]
        known = [q for q in typical if 0 < q < math.inf]
        self.nothing = not any(0 <= q < math.inf for q in typical)
        known = known or [1.0]
        low, high = min(known), min(max(*known, _LEAST), _MOST)
        low = min(max(low, _LEAST, high * 1e-280), high)
        ends = [q for q in extreme if q < math.inf] or [2 * high]
        # No farther below what is typical than that reaches from its least to its largest.
        bottom = max(min([low, *(q for q in least if q > 0)]), low * (low / high), _LEAST)
        return low, high, (bottom, min(max(high, *ends), _BEYOND * high))

    def bins(self, width: int) -> Bins:
        """Fine enough for the shape of a narrow histogram, as far as pixels go."""
        low, high = self.limits
        number, spread = _FEWEST_BINS, self._spread(width)
        if spread > 0:
            span = math.log(high / low) if self.log else high - low
            number = int(min(max(_ACROSS * span / spread, number), _MOST_BINS))
        return Bins(low, high, number, self.log)

    def _spread(self, width: int) -> float:
        """Where 90 % of this width's lengths lie, how far on the axis; 0 if that is not known.

        By the band, which needs no networks; by those that are there where it has no layer.
        """
        ends = band_at(self.experiment.band, self.layer)
        if len(ends) == 2 and 0 < ends[0] < ends[1] < math.inf:
            spread = math.log(ends[1] / ends[0]) * math.sqrt(self.experiment.width / width)
            return spread if self.log else spread * math.sqrt(ends[0] * ends[1])
        low, high = self.spreads.get(width, (0.0, 0.0))
        if not 0 < low < high < math.inf:
            return 0.0
        return math.log(high / low) if self.log else high - low


class Counts:
    """Counts of one width's networks in bins, kept up to date by counting new ones only."""

    def __init__(self, sample: WidthSample, view: LengthAxis) -> None:
        self.sample, self.layer, self.bins = sample, view.layer, view.bins(sample.width)
        self.counts: NDArray[np.intp] = np.zeros(self.bins.number, dtype=np.intp)
        self.seen = self.above = 0

    def serves(self, sample: WidthSample, view: LengthAxis) -> bool:
        """Whether it counts just this."""
        same = self.sample is sample and self.layer == view.layer
        return same and self.bins == view.bins(sample.width)

    def outline(self) -> tuple[Array, Array]:
        """Corners of the staircase around the counts, highest bin 1; none of empty stretches."""
        new = self.sample.lengths[self.seen :, self.layer - 1]
        self.counts += self.bins.count(new)
        self.above += int((new >= self.bins.high).sum())
        self.seen += len(new)
        heights = np.concatenate([[0], self.counts, [0]]) / max(self.counts.max(), 1)
        turns = np.flatnonzero(np.diff(heights))
        corners = np.column_stack([heights[turns], heights[turns + 1]])
        return np.repeat(self.bins.edges[turns], 2), corners.ravel()
