"""Counts of lengths in bins, what stands beside them, and the outlines of both."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.convergence import Bins, Experiment
from lengthlab.finite_width import LengthLaw


@dataclass(frozen=True)
class Backdrop:
    """What stands beside the sampled networks.

    Attributes
    ----------
    band : bool
        Whether the first-order band is shown.
    law : LengthLaw, optional
        The exact law at this width.
    dense : Experiment, optional
        Networks with weight matrices.
    """

    band: bool = True
    law: LengthLaw | None = None
    dense: Experiment | None = None


PLAIN = Backdrop()


class Tally:
    """Counts of one layer in bins, kept up to date by counting new networks only."""

    def __init__(self, experiment: Experiment, layer: int, bins: Bins) -> None:
        self.experiment, self.layer, self.bins = experiment, layer, bins
        self.edges = bins.edges
        self.counts: NDArray[np.intp] = np.zeros(bins.number, dtype=np.intp)
        self.seen = self.above = 0

    def serves(self, experiment: Experiment, layer: int, bins: Bins) -> bool:
        """Whether it counts just this."""
        return (self.experiment, self.layer, self.bins) == (experiment, layer, bins)

    def outline(self, like: "Tally | None" = None) -> tuple[Array, Array]:
        """Staircase around the counts, highest bin 1: lengths and heights, corner by corner.

        With `like`, in the same bins, to the scale of that one: equal shares are equally high.
        """
        new = self.experiment.lengths[self.seen :, self.layer - 1]
        self.counts += self.bins.count(new)
        self.above += int((new >= self.bins.high).sum())
        self.seen += len(new)
        if like is None or not self.seen or not like.seen:
            like = self
        highest = like.counts.max() * self.seen / max(like.seen, 1)
        return _staircase(self.edges, self.counts / max(highest, 1e-9))


class Shapes:
    """Outlines of a law, in the bins and to the scale of a tally."""

    def __init__(self, law: LengthLaw) -> None:
        self.law = law
        self._masses: dict[tuple[int, Bins], Array] = {}

    def outline(self, tally: Tally) -> tuple[Array, Array]:
        """Lengths and heights at the bins' middles; before a network is drawn the highest is 1."""
        key = tally.layer, tally.bins
        if key not in self._masses:
            self._masses[key] = np.diff(self.law.cdf(tally.edges, layer=tally.layer))
        masses = self._masses[key]
        highest = float(tally.counts.max())
        scale = tally.seen / highest if highest else 1 / max(float(masses.max()), 1e-300)
        middles = (tally.edges[:-1] + tally.edges[1:]) / 2
        shown = scale * masses > 1e-3
        lengths, heights = middles[shown], scale * masses[shown]
        if not len(lengths):
            return lengths, heights
        # Down to the axis at both ends, or the outline's way back would cut across.
        return (
            np.concatenate([lengths[:1], lengths, lengths[-1:]]),
            np.concatenate([[0.0], heights, [0.0]]),
        )


def _staircase(edges: Array, heights: Array) -> tuple[Array, Array]:
    """Corners of a histogram, from the first to the last bin that is not empty."""
    filled = np.flatnonzero(heights)
    if not len(filled):
        return np.empty(0), np.empty(0)
    first, last = int(filled[0]), int(filled[-1]) + 1
    lengths = np.repeat(edges[first : last + 1], 2)
    return lengths, np.concatenate([[0.0], np.repeat(heights[first:last], 2), [0.0]])
