"""Networks of several widths at once, that all grow together."""

import math
import time
from collections.abc import Sequence
from typing import Protocol

from numpy.random import SeedSequence

from lengthlab.activations import Array
from lengthlab.blocks import cores
from lengthlab.drawing.width_samples import WIDTHS, WidthSample
from lengthlab.length_process import LengthProcess
from lengthlab.network import Network
from lengthlab.widgets.run import Run

_MOST_UNITS = 2e8  # drawn at one width: about two seconds of work
_MOST_LENGTHS = 2_000_000  # kept of one width: 16 MB
_PORTIONS = 200  # that a run is cut into
_FRAMES = 120  # a run is spread over so many at least, or nobody would see it grow


class Sample(Protocol):
    """Where networks of one width are kept."""

    @property
    def width(self) -> int:
        """Units a layer."""

    @property
    def drawn(self) -> int:
        """Networks so far."""

    def add(self, lengths: Array) -> None:
        """Take in more networks, shape (trials, depth)."""


class Part(Protocol):
    """One of several things that are drawn together."""

    @property
    def drawn(self) -> int:
        """Trials that are complete."""

    @property
    def most(self) -> int:
        """How many there may be."""

    def share(self, trials: int) -> float:
        """How much of its part of `trials` is done, from 0 to 1."""

    def advance(self, seconds: float, trials: int) -> None:
        """Draw for about so long, one portion at most."""


class Together:
    """Draws its parts so that all grow together; a source needs `restart` besides.

    Attributes
    ----------
    parts : sequence of Part
        Those that come first are drawn first.
    """

    parts: Sequence[Part] = ()
    _asked = 0

    def begin(self, parts: Sequence[Part]) -> None:
        """Draw these from now on."""
        self.parts, self._asked = parts, 0

    @property
    def drawn(self) -> int:
        """Trials of every part, as far as it may have so many."""
        unfinished = [part.drawn for part in self.parts if part.drawn < part.most]
        return min(unfinished, default=self._asked)

    def advance(self, seconds: float, trials: int) -> None:
        """Draw for about so long, always of what is farthest behind; a little of a run at most."""
        self._asked = max(self._asked, trials)
        deadline = time.perf_counter() + seconds
        goal = min(1.0, min(part.share(trials) for part in self.parts) + 1 / _FRAMES)
        while (left := deadline - time.perf_counter()) > 0:
            behind = min(self.parts, key=lambda part: part.share(trials))
            if behind.share(trials) >= goal:
                return
            behind.advance(left, trials)


class Networks:
    """Networks of one width, in a stream of their own; a part.

    Parameters
    ----------
    net : Network
    sample : Sample
        Where they go.
    depth, seed : int
    """

    def __init__(self, net: Network, sample: Sample, *, depth: int, seed: int) -> None:
        self.sample, width = sample, sample.width
        threads = max(1, cores() - 1)  # one stays free for the browser
        rng = stream(seed, width)
        self._process = LengthProcess(net, width=width, depth=depth, rng=rng, threads=threads)
        self.most = most_networks(net, width=width, depth=depth)

    @property
    def drawn(self) -> int:
        """Networks that are complete."""
        return self.sample.drawn

    def share(self, trials: int) -> float:
        """How much of its part of `trials` is done."""
        return self.drawn / min(trials, self.most)

    def advance(self, seconds: float, trials: int) -> None:
        """Draw for about so long, one portion at most."""
        wanted = min(trials, self.most)
        portion = min(math.ceil(wanted / _PORTIONS), wanted - self.drawn)
        self.sample.add(self._process.advance(seconds, trials=portion))


class NetworksOfAllWidths(Together):
    """Networks of widths from 4 to 10^6; few where they take long.

    Attributes
    ----------
    samples : sequence of WidthSample
        One a width, ascending; another sequence in each generation.
    """

    samples: Sequence[WidthSample] = ()

    def restart(self, run: Run) -> None:
        """Begin anew with the parameters of a generation."""
        experiment, seed = run.experiment, run.values["seed"]
        net, depth = experiment.net, experiment.depth
        self.samples = tuple(WidthSample(width, experiment.prediction) for width in WIDTHS)
        self.begin([Networks(net, sample, depth=depth, seed=seed) for sample in self.samples])


def stream(seed: int, key: int) -> SeedSequence:
    """Return a stream of a seed: the networks of each width have their own."""
    return SeedSequence(seed, spawn_key=(key,))


def most_networks(net: Network, *, width: int, depth: int) -> int:
    """How many networks of one width are drawn at most.

    Examples
    --------
    >>> [most_networks(Network("tanh"), width=width, depth=11) for width in (1000, 10**6)]
    [20000, 20]
    """
    few = _MOST_LENGTHS // depth
    homogeneous = net.activation.homogeneous
    if depth == 1 or (homogeneous is not None and homogeneous.degree in (0, 1)):
        return few  # its length needs no units
    return max(1, min(few, int(_MOST_UNITS / ((depth - 1) * width))))
