"""Two nodes of a layer in sampled networks, and their numbers."""

import math
from dataclasses import dataclass

import numpy as np

from lengthlab.activations import Array
from lengthlab.convergence import Experiment
from lengthlab.rng import block_generator

SHARES = (0.5, 0.9)
"""Of all pairs, within the rings."""
_BLOCK = 4096  # networks whose directions are drawn together
_STREAM = 8  # of the seed: what is drawn besides the lengths


class NodeSample:
    """Two nodes of one layer in each network of an experiment, by the exact law given its length.

    Given the length of a layer and of those before, the direction of its vector is uniform.

    Attributes
    ----------
    nodes : ndarray, shape (drawn, 2)
        h_1 and h_2, or h_1 alone, shape (drawn, 1), at width 1; inf where the length is.

    Parameters
    ----------
    experiment : Experiment
        Whose networks they belong to, also those that it takes in later.
    layer : int
        From 1.
    seed : int
        Of the directions; the n-th network's does not depend on how many there are.

    Examples
    --------
    >>> from lengthlab.length_process import sample_lengths
    >>> from lengthlab.network import Network
    >>> experiment = Experiment(Network("relu"), width=3, depth=2)
    >>> experiment.add(sample_lengths(experiment.net, width=3, depth=2, trials=100, rng=0))
    >>> sample = NodeSample(experiment, layer=2, seed=0)
    >>> sample.update()
    >>> sample.nodes.shape
    (100, 2)
    """

    def __init__(self, experiment: Experiment, *, layer: int, seed: int) -> None:
        self.experiment, self.layer, self.seed = experiment, layer, seed
        self._columns = min(experiment.width, 2)
        self._rows = np.empty((256, self._columns))
        self.drawn = 0
        self._block: tuple[int, Array] = (-1, np.empty((0, self._columns)))

    @property
    def nodes(self) -> Array:
        """Of the networks taken in so far."""
        return self._rows[: self.drawn]

    def update(self) -> None:
        """Take in the experiment's new networks."""
        total = self.experiment.drawn
        if total > len(self._rows):
            grown = np.empty((max(total, 2 * len(self._rows)), self._columns))
            grown[: self.drawn] = self.nodes
            self._rows = grown
        while self.drawn < total:
            block, start = divmod(self.drawn, _BLOCK)
            stop = min(start + total - self.drawn, _BLOCK)
            rows = slice(self.drawn, self.drawn + stop - start)
            lengths = np.sqrt(self.experiment.lengths[rows, self.layer - 1])
            self._rows[rows] = lengths[:, None] * self._directions(block)[start:stop]
            self.drawn = rows.stop

    def _directions(self, block: int) -> Array:
        """First two coordinates of uniform vectors of length sqrt(N)."""
        if self._block[0] != block:
            key = np.random.SeedSequence(self.seed, spawn_key=(_STREAM, self.layer))
            rng, width = block_generator(key, block), self.experiment.width
            z = rng.standard_normal((_BLOCK, self._columns))
            rest = 2 * rng.standard_gamma((width - self._columns) / 2, size=_BLOCK)
            size = np.sqrt((z * z).sum(axis=1) + rest)
            self._block = block, z * (math.sqrt(width) / size)[:, None]
        return self._block[1]


@dataclass(frozen=True)
class NodeStatistics:
    """Numbers of sampled nodes; None where there are too few.

    Attributes
    ----------
    drawn, dead, infinite : int
        Networks, and those among them with h = 0, or beyond every float.
    kurtosis, error : float or None
        E h^4 / (E h^2)^2 and its standard error.
    of_squares : float or None
        Corr(h_1^2, h_2^2).
    radii : tuple of float
        Around 0, of circles that contain `SHARES` of the pairs.
    """

    drawn: int
    dead: int
    infinite: int
    kurtosis: float | None = None
    error: float | None = None
    of_squares: float | None = None
    radii: tuple[float, ...] = ()


def node_statistics(sample: NodeSample) -> NodeStatistics:
    """Kurtosis, correlation of squares, and what is dead or infinite; the mean of h is 0."""
    first = sample.nodes[:, 0]
    counts = len(first), int((first == 0).sum()), int(np.isinf(first).sum())
    h = sample.nodes[np.isfinite(first)]
    size = float(np.abs(h).max(initial=0.0))
    if len(h) < 2 or size == 0:
        return NodeStatistics(*counts)
    squares = (h / size) ** 2  # or fourth powers would leave the floats
    second, fourth = squares.mean(axis=1), (squares**2).mean(axis=1)
    m2, m4, root = float(second.mean()), float(fourth.mean()), math.sqrt(len(h))
    if m2 * m2 < 1e-300:
        return NodeStatistics(*counts)
    kurtosis = m4 / m2**2
    error = float(np.std(fourth / m2**2 - 2 * kurtosis * second / m2, ddof=1)) / root
    if squares.shape[1] == 1:
        return NodeStatistics(*counts, kurtosis, error)
    variance = m4 - m2**2
    shared = float((squares[:, 0] * squares[:, 1]).mean()) - m2**2
    of_squares = shared / variance if variance > 1e-12 * m4 else None
    radii = size * np.sqrt(np.quantile(squares.sum(axis=1), SHARES))
    return NodeStatistics(*counts, kurtosis, error, of_squares, tuple(radii.tolist()))


def nodes_table(sample: NodeSample) -> str:
    """Comma separated values: a row a network."""
    names = ",".join(f"h_{sample.layer}_{k + 1}" for k in range(sample.nodes.shape[1]))
    return "\n".join([names, *(",".join(map(repr, row)) for row in sample.nodes.tolist()), ""])
