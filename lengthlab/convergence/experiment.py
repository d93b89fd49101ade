"""Sampled networks beside their prediction, as plain data for pictures and tables."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.checks import check_count, check_width
from lengthlab.finite_width import Band, InfiniteSpreadError, band_around
from lengthlab.length_map import LengthMap, length_map
from lengthlab.network import Network

LEVEL = 0.9
"""Probability of the band, and of the range of sampled lengths beside it."""
NO_BAND = Band(np.empty(0), np.empty(0))


@dataclass(frozen=True)
class LayerSummary:
    """One layer in numbers; the sampled ones are nan before a network was drawn.

    Attributes
    ----------
    layer : int
        Counted from 1.
    predicted : float
        qt_l of the length map; inf if it is infinite or beyond every float.
    median, low, high, mean, standard_error : float
        Of the sampled q_l; `low` and `high` enclose the central 90 %.
    drawn, infinite, zero : int
        Networks drawn, and those among them whose q_l left the floats, or is 0 (a dead network).
    """

    layer: int
    predicted: float
    median: float
    low: float
    high: float
    mean: float
    standard_error: float
    drawn: int
    infinite: int
    zero: int


class Experiment:
    """Random networks of one width and depth beside the length map.

    Parameters
    ----------
    net : Network
        Activation and scales.
    width, depth : int
        Units a layer, from 1 to 10^12, and number of layers, ``>= 1``.

    Attributes
    ----------
    prediction : LengthMap
        The limit.
    band : Band
        The central 90 % of this width, to first order, for as many layers as have one.
    why_no_band : str
        Why the layers after those have none, else "".

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or phi cannot be integrated.

    Examples
    --------
    >>> from lengthlab.length_process import sample_lengths
    >>> net = Network("tanh", sigma_w=1.5, sigma_b=0.3)
    >>> experiment = Experiment(net, width=64, depth=4)
    >>> experiment.add(sample_lengths(net, width=64, depth=4, trials=500, rng=0))
    >>> layer = experiment.summary(2)
    >>> layer.drawn, round(layer.predicted, 3), layer.low < layer.predicted < layer.high
    (500, 1.322, True)
    """

    def __init__(self, net: Network, *, width: int, depth: int) -> None:
        self.net = net
        self.width = check_width(width)
        self.depth = check_count("depth", depth)
        self.prediction: LengthMap = length_map(net, depth=self.depth)
        self.why_no_band = ""
        try:
            self.band = self._band(self.prediction)
        except InfiniteSpreadError as error:
            self.why_no_band = error.reason
            layers = error.layer - 1
            self.band = self._band(length_map(net, depth=layers)) if layers else NO_BAND
        self._rows = np.empty((256, self.depth))
        self.drawn = 0
        self._last: dict[int, LayerSummary] = {}

    def _band(self, prediction: LengthMap) -> Band:
        return band_around(prediction, self.net, width=self.width, level=LEVEL)

    @property
    def lengths(self) -> Array:
        """All lengths so far, shape (drawn, depth), layer 1 first; read-only."""
        rows = self._rows[: self.drawn]
        rows.flags.writeable = False
        return rows

    def add(self, lengths: Array) -> None:
        """Take in more networks.

        Parameters
        ----------
        lengths : ndarray, shape (trials, depth)
            q_l of new networks, as `sample_lengths` gives them.

        Raises
        ------
        ValueError
            If the shape is another.
        """
        lengths = np.asarray(lengths, dtype=np.float64)
        if lengths.ndim != 2 or lengths.shape[1] != self.depth:
            msg = f"lengths must have shape (trials, {self.depth}), got {lengths.shape}"
            raise ValueError(msg)
        total = self.drawn + len(lengths)
        if total > len(self._rows):
            grown = np.empty((max(total, 2 * len(self._rows)), self.depth))
            grown[: self.drawn] = self._rows[: self.drawn]
            self._rows = grown
        self._rows[self.drawn : total] = lengths
        self.drawn = total

    def table(self) -> str:
        """All lengths so far as comma separated values: a row a network, a column a layer."""
        header = ",".join(f"q_{layer}" for layer in range(1, self.depth + 1))
        rows = (",".join(map(repr, row)) for row in self.lengths.tolist())
        return "\n".join([header, *rows, ""])

    def summary(self, layer: int, *, patience: float = 0.0) -> LayerSummary:
        """One layer in numbers.

        Parameters
        ----------
        layer : int
            From 1 to the depth.
        patience : float
            The last answer will do until so large a share of networks more is there: order
            statistics take time, and a picture asks thirty times a second.

        Returns
        -------
        LayerSummary

        Raises
        ------
        ValueError
            If there is no such layer.
        """
        if check_count("layer", layer) > self.depth:
            msg = f"layer must be an integer >= 1 and <= {self.depth}, got {layer}"
            raise ValueError(msg)
        last = self._last.get(layer)
        if last is None or not last.drawn <= self.drawn <= (1 + patience) * last.drawn:
            last = self._last[layer] = self._summarise(layer)
        return last

    def _summarise(self, layer: int) -> LayerSummary:
        q = self.lengths[:, layer - 1].copy()  # in one piece: it is gone through seven times
        predicted = float(self.prediction.values[layer - 1])
        counts = len(q), int(np.isinf(q).sum()), int((q == 0).sum())
        if not len(q):
            return LayerSummary(layer, predicted, *(math.nan,) * 5, *counts)
        tail = (1 - LEVEL) / 2
        low, median, high = _quantiles(q, [tail, 0.5, 1 - tail])
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(q.mean())
            error = float(q.std(ddof=1)) / math.sqrt(len(q)) if len(q) > 1 else math.inf
        if not math.isfinite(mean):
            error = math.inf
        return LayerSummary(layer, predicted, median, low, high, mean, error, *counts)


def _quantiles(q: Array, probabilities: list[float]) -> list[float]:
    """Order statistics, which infinite lengths do not turn into nan."""
    found = np.quantile(q, probabilities, method="inverted_cdf")
    return [float(value) for value in found]


@dataclass(frozen=True)
class Bins:
    """Equal bins from `low` to `high`, of the length or of its logarithm.

    Examples
    --------
    >>> Bins(0.0, 4.0, 4).count(np.array([0.5, 1.0, 3.9, 4.0, 9.0, np.inf])).tolist()
    [1, 1, 0, 1]
    """

    low: float
    high: float
    number: int
    log: bool = False

    @property
    def edges(self) -> Array:
        """The bins' ends, ascending, shape (number + 1,)."""
        if self.log:
            return np.geomspace(self.low, self.high, self.number + 1)
        return np.linspace(self.low, self.high, self.number + 1)

    def count(self, q: Array) -> NDArray[np.intp]:
        """Lengths in each bin, shape (number,); those outside, or infinite, are left out."""
        low, high = self.low, self.high
        inside = q[(q >= low) & (q < high)]
        if self.log:
            inside, low, high = np.log(inside), math.log(low), math.log(high)
        place = ((inside - low) / (high - low) * self.number).astype(np.intp)
        np.minimum(place, self.number - 1, out=place)
        return np.bincount(place, minlength=self.number)
