"""Counts of lengths in bins, and their outline."""

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.convergence import Bins, Experiment


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

    def outline(self) -> tuple[Array, Array]:
        """Staircase around the counts, highest bin 1: lengths and heights, corner by corner."""
        new = self.experiment.lengths[self.seen :, self.layer - 1]
        self.counts += self.bins.count(new)
        self.above += int((new >= self.bins.high).sum())
        self.seen += len(new)
        filled = np.flatnonzero(self.counts)
        if not len(filled):
            return np.empty(0), np.empty(0)
        first, last = int(filled[0]), int(filled[-1]) + 1
        heights = self.counts[first:last] / self.counts.max()
        lengths = np.repeat(self.edges[first : last + 1], 2)
        return lengths, np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])
