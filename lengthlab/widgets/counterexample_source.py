"""Two activations on the same normal draws: sums of terms, and networks of several widths."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from lengthlab.drawing.sums import PATHS, LayerSample, Side, Sums, sizes
from lengthlab.length_map import length_map
from lengthlab.network import Network
from lengthlab.rng import block_generator
from lengthlab.widgets.run import Run
from lengthlab.widgets.widths_source import Networks, Together, stream
from lengthlab.widgets.words import named, unseen

LARGEST = 10**7
"""Largest width that is drawn."""
_CHUNK = 25_000  # normals a step
_MOST_UNITS = 2e8  # of all networks that are followed term by term


class Walk:
    """The networks whose sums are followed term by term, for both activations; a part.

    Parameters
    ----------
    sides : sequence of Side
    layer, width, seed : int
    """

    def __init__(self, sides: Sequence[Side], *, layer: int, width: int, seed: int) -> None:
        self._sides, self._layers, self._width, self._seed = sides, layer - 1, width, seed
        self.most = max(1, min(PATHS, int(_MOST_UNITS / (self._layers * width))))
        self._length = self._layers * -(-width // _CHUNK)  # steps of one network
        self.drawn = 0
        self._begin()

    def _begin(self) -> None:
        self._done, self._steps = 0, self._walk(self.drawn)

    def share(self, trials: int) -> float:
        """How much of its part of `trials` is done."""
        return (self.drawn + self._done / self._length) / min(trials, self.most)

    def advance(self, seconds: float, trials: int) -> None:
        """Draw one step; each takes a millisecond or less."""
        try:
            next(self._steps)
            self._done += 1
        except BaseException:  # phi raised, or somebody interrupted: this network once more
            self._begin()
            raise
        if self._done == self._length:
            self.drawn += 1
            self._begin()

    def _walk(self, path: int) -> Iterator[None]:
        """Go through the layers of one network; the same normals for both activations."""
        rng = block_generator(stream(self._seed, 0), path)
        variances = [side.net.first_variance for side in self._sides]
        for layer in range(self._layers):
            last = layer == self._layers - 1
            sums = [side.sums if last else _anew(side.sums) for side in self._sides]
            for tally in sums:
                tally.begin(path if last else 0)
            for start in range(0, self._width, _CHUNK):
                z = rng.standard_normal(min(_CHUNK, self._width - start))
                keep = self._sides[0].net.keep_probability
                kept = None if keep == 1 else rng.random(len(z)) < keep
                for side, v, tally in zip(self._sides, variances, sums, strict=True):
                    tally.follow(_terms(side.net, v, z, kept))
                yield
            variances = [tally.value for tally in sums]


def _anew(sums: Sums) -> Sums:
    return Sums(1, gain=sums.gain, noise=sums.noise)


def _terms(net: Network, variance: float, z: np.ndarray, kept: np.ndarray | None) -> np.ndarray:
    """phi^2 of the units of a layer."""
    if math.isinf(variance):
        return np.full(len(z), math.inf)
    h = math.sqrt(variance) * z
    image = net.activation(h)
    net.activation.refuse_nan(h, image)
    with np.errstate(all="ignore"):
        terms = image * image
    return terms if kept is None else np.where(kept, terms, 0.0)


class BothSides(Together):
    """The model's activation, and another one, at one layer.

    Attributes
    ----------
    against : str
        The other activation.
    layer : int
        From 2.
    sides : sequence of Side
        The two; another sequence in each generation.
    """

    sides: Sequence[Side] = ()

    def __init__(self, against: str, layer: int) -> None:
        self.against, self.layer = against, layer

    def restart(self, run: Run) -> None:
        """Begin anew with the parameters of a generation."""
        net, seed, width = run.experiment.net, run.values["seed"], run.experiment.width
        other = Network(
            self.against,
            sigma_w=net.sigma_w,
            sigma_b=net.sigma_b,
            keep_probability=net.keep_probability,
            input_length=net.input_length,
        )
        width = min(width, LARGEST)
        self.sides = tuple(self._side(each, width) for each in (net, other))
        walk = Walk(self.sides, layer=self.layer, width=width, seed=seed)
        networks = [
            Networks(side.net, sample, depth=self.layer, seed=seed)
            for k in range(len(sizes(width)))
            for side in self.sides
            for sample in side.samples[k : k + 1]
        ]
        self.begin([walk, *networks])

    def _side(self, net: Network, width: int) -> Side:
        # Of units that are dropped nothing is left, the others are divided by keep_probability.
        gain = net.gain / net.keep_probability
        sums = Sums(width, gain=gain, noise=net.sigma_b**2)
        samples = tuple(LayerSample(size) for size in sizes(width))
        name, faithful = named(net.activation), not unseen(net.activation)
        try:
            found = length_map(net, depth=self.layer)
        except Exception:  # whatever a phi does: the run will say it
            return Side(net, math.nan, sums, samples, name=name, faithful=faithful)
        overflow = found.first_infinite is None and found.first_overflow is not None
        return Side(net, float(found.values[-1]), sums, samples, overflow, name, faithful)
