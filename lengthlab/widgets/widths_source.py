"""Networks of all widths at once, for the explorer of widths."""

import math
import time
from collections.abc import Sequence

from numpy.random import SeedSequence

from lengthlab.blocks import cores
from lengthlab.drawing.widths import WIDTHS, WidthSample
from lengthlab.length_process import LengthProcess
from lengthlab.network import Network
from lengthlab.widgets.model import Run

_MOST_UNITS = 2e8  # drawn at one width: about two seconds of work
_MOST_LENGTHS = 2_000_000  # kept of one width: 16 MB
_PORTIONS = 200  # that a run is cut into, so that all widths grow together


def stream(seed: int, width: int) -> SeedSequence:
    """Return the stream of the networks of one width."""
    return SeedSequence(seed, spawn_key=(width,))


class _Stream:
    """The networks of one width, and how many there may be."""

    def __init__(self, run: Run, width: int, threads: int) -> None:
        net, depth = run.experiment.net, run.experiment.depth
        self.sample = WidthSample(width, run.experiment.prediction)
        seed = stream(run.values["seed"], width)
        self._process = LengthProcess(net, width=width, depth=depth, rng=seed, threads=threads)
        self.most = most_networks(net, width=width, depth=depth)

    def share(self, trials: int) -> float:
        """How much of its part of `trials` is done."""
        return self.sample.drawn / min(trials, self.most)

    def advance(self, seconds: float, trials: int) -> None:
        """Draw for about so long, one portion at most."""
        wanted = min(trials, self.most)
        portion = min(math.ceil(wanted / _PORTIONS), wanted - self.sample.drawn)
        self.sample.add(self._process.advance(seconds, trials=portion))


class NetworksOfAllWidths:
    """Networks of widths from 4 to 10^6; few where they take long.

    Attributes
    ----------
    samples : sequence of WidthSample
        One a width, ascending; another sequence in each generation.
    """

    samples: Sequence[WidthSample] = ()
    _streams: Sequence[_Stream] = ()
    _asked = 0

    def restart(self, run: Run) -> None:
        """Begin anew with the parameters of a generation."""
        threads = max(1, cores() - 1)  # one stays free for the browser
        self._streams = [_Stream(run, width, threads) for width in WIDTHS]
        self.samples = tuple(stream.sample for stream in self._streams)
        self._asked = 0

    @property
    def drawn(self) -> int:
        """Networks drawn at every width, as far as it may have so many."""
        unfinished = [s.sample.drawn for s in self._streams if s.sample.drawn < s.most]
        return min(unfinished, default=self._asked)

    def advance(self, seconds: float, trials: int) -> None:
        """Draw for about so long, at the width that is farthest behind; the narrow ones first."""
        self._asked = max(self._asked, trials)
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            behind = min(self._streams, key=lambda stream: stream.share(trials))
            if behind.share(trials) >= 1:
                return
            behind.advance(left, trials)


def most_networks(net: Network, *, width: int, depth: int) -> int:
    """How many networks of one width are drawn at most.

    Examples
    --------
    >>> [most_networks(Network("tanh"), width=width, depth=10) for width in (1000, 10**6)]
    [20000, 20]
    """
    few = _MOST_LENGTHS // depth
    homogeneous = net.activation.homogeneous
    if depth == 1 or (homogeneous is not None and homogeneous.degree in (0, 1)):
        return few  # its length needs no units
    return max(1, min(few, int(_MOST_UNITS / (depth * width))))
