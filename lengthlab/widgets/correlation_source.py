"""Networks that see two inputs: the correlation of their pre-activations, layer by layer."""

import math
import time

import numpy as np

from lengthlab.activations import Array
from lengthlab.blocks import Block
from lengthlab.correlation.gram import Grams
from lengthlab.network import Network
from lengthlab.rng import block_generator, seed_sequence
from lengthlab.widgets.run import Run

_MOST_UNITS = 4e8  # drawn at most: some seconds of work
_MOST_NUMBERS = 2_000_000  # kept: 16 MB


class PairedNetworks:
    """Networks that see two inputs; the n-th of a seed is that of `sample_gram`.

    Attributes
    ----------
    rho : float
        Correlation of the two inputs, for the networks that `restart` begins.
    most : int
        How many are drawn: few where they take long, none where one alone would take too long.
    """

    most = 0
    _count = _asked = 0

    def __init__(self, rho: float) -> None:
        self.rho = rho
        self._rows = np.empty((0, 1))

    def restart(self, run: Run) -> None:
        """Begin anew with the parameters of a generation."""
        net, width, depth = run.experiment.net, run.experiment.width, run.experiment.depth
        inputs = net.input_length * np.array([[1.0, self.rho], [self.rho, 1.0]])
        self._law = Grams(net, inputs, width, depth)
        self._seed = seed_sequence(run.values["seed"])
        self._block: Block | None = None
        self._count = self._asked = 0
        self._rows = np.empty((256, depth))
        self.most = most_pairs(net, width=width, depth=depth)

    @property
    def correlations(self) -> Array:
        """Of the networks so far, shape (n, depth); nan where a length is 0 or infinite."""
        rows = self._rows[: self._count]
        rows.flags.writeable = False
        return rows

    @property
    def drawn(self) -> int:
        """Networks drawn, as far as there are any to draw."""
        return self._count if self._count < self.most else max(self._count, self._asked)

    def advance(self, seconds: float, trials: int) -> None:
        """Draw for about so long, until there are `trials`."""
        self._asked = max(self._asked, trials)
        deadline, wanted = time.perf_counter() + seconds, min(trials, self.most)
        while self._count < wanted:
            index, taken = divmod(self._count, self._law.trials)
            block = self._block
            if block is None:
                block = Block(self._law, block_generator(self._seed, index))
            self._block = None  # if phi raises it is begun anew
            while not block.finished and time.perf_counter() < deadline:
                block.drive(self._law.buffers(), lambda: time.perf_counter() >= deadline)
            self._block = block
            if not block.finished:
                return
            self._take(block.rows[taken : taken + wanted - self._count])
            if self._count % self._law.trials == 0:
                self._block = None

    def _take(self, rows: Array) -> None:
        total = self._count + len(rows)
        if total > len(self._rows):
            grown = np.empty((max(total, 2 * len(self._rows)), self._rows.shape[1]))
            grown[: self._count] = self._rows[: self._count]
            self._rows = grown
        gram = rows.reshape(len(rows), -1, 4)
        with np.errstate(all="ignore"):
            found = gram[:, :, 1] / np.sqrt(gram[:, :, 0]) / np.sqrt(gram[:, :, 3])
        self._rows[self._count : total] = np.clip(found, -1.0, 1.0)
        self._count = total


def most_pairs(net: Network, *, width: int, depth: int) -> int:
    """How many networks are drawn at most.

    Examples
    --------
    >>> [most_pairs(Network("tanh"), width=width, depth=10) for width in (100, 10**6, 10**9)]
    [200000, 20, 0]
    """
    few = math.floor(_MOST_UNITS / (2.0 * width * depth))
    return min(_MOST_NUMBERS // depth, few)
