"""Networks of many widths, and how probable it is that all layers are near: what is drawn of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lengthlab.activations import Array
from lengthlab.convergence import Experiment, required_width
from lengthlab.convergence.first_order import Deviations, box_probability, deviations
from lengthlab.convergence.probability import CONFIDENCE, clopper_pearson
from lengthlab.finite_width import InfiniteSpreadError
from lengthlab.length_map import LengthMap
from lengthlab.network import Network

WIDTHS = (4, 16, 64, 256, 1000, 4000, 16_000, 64_000, 250_000, 1_000_000)
"""Units a layer of the networks that are drawn."""
FARTHEST = 1e13
"""Width up to which the theory is drawn, if N_0 is so large."""


class WidthSample:
    """Networks of one width: their lengths, and how far from the length map each one gets.

    Parameters
    ----------
    width : int
    prediction : LengthMap
        For as many layers as the networks have.

    Examples
    --------
    >>> from lengthlab.length_map import length_map
    >>> sample = WidthSample(4, length_map(Network("tanh"), depth=1))
    >>> sample.add(np.array([[0.5], [1.1], [np.inf]]))
    >>> sample.drawn, sample.near(0.2), sample.interval(0.2)[0].__round__(3)
    (3, 1, 0.008)
    """

    def __init__(self, width: int, prediction: LengthMap) -> None:
        self.width, self._centre = width, prediction.values
        self._rows = np.empty((64, len(self._centre)))
        self._farthest = np.empty(64)
        self.drawn = 0

    @property
    def lengths(self) -> Array:
        """q_l of all networks so far, shape (drawn, depth)."""
        return self._rows[: self.drawn]

    def add(self, lengths: Array) -> None:
        """Take in more networks, shape (trials, depth)."""
        total = self.drawn + len(lengths)
        if total > len(self._rows):
            room = max(total, 2 * len(self._rows)) - self.drawn
            self._rows = np.concatenate([self.lengths, np.empty((room, lengths.shape[1]))])
            self._farthest = np.concatenate([self._farthest[: self.drawn], np.empty(room)])
        self._rows[self.drawn : total] = lengths
        with np.errstate(all="ignore"):  # inf - inf is not near
            off = np.abs(lengths - self._centre)
        self._farthest[self.drawn : total] = np.where(np.isnan(off), np.inf, off).max(axis=1)
        self.drawn = total

    def near(self, eps: float) -> int:
        """How many networks are within `eps` of the length map in every layer."""
        return int((self._farthest[: self.drawn] <= eps).sum())

    def interval(self, eps: float) -> tuple[float, float]:
        """Clopper-Pearson interval of the probability to be within `eps` in every layer."""
        return clopper_pearson(self.near(eps), self.drawn, CONFIDENCE)


@dataclass(frozen=True, eq=False)
class WidthTheory:
    """The probability that all layers are near, to first order.

    Attributes
    ----------
    law : Deviations or None
        None where there is no such order.
    eps : float
    required : int or None
        N_0, the smallest width with probability ``1 - delta``.
    reason : str
        Why one of the two is None, else "".
    widths, probabilities : ndarray
        A curve; empty if `law` is None.
    """

    law: Deviations | None
    eps: float
    required: int | None
    reason: str
    widths: Array
    probabilities: Array

    def at(self, width: int) -> float | None:
        """Probability at one width."""
        if self.law is None:
            return None
        return box_probability(self.law, self.eps * math.sqrt(width))


def width_theory(net: Network, *, depth: int, eps: float, delta: float) -> WidthTheory:
    """Compute the theory that stands beside sampled networks.

    Parameters
    ----------
    net : Network
    depth : int
        Number of layers, ``>= 1``.
    eps : float
        Largest distance of a length from the length map, ``> 0``.
    delta : float
        Probability that is allowed for more, ``1e-9 <= delta < 1``.

    Returns
    -------
    WidthTheory

    Examples
    --------
    >>> theory = width_theory(Network("relu", sigma_w=2**0.5), depth=5, eps=0.1, delta=0.05)
    >>> theory.required, round(theory.at(theory.required), 4)
    (36301, 0.95)
    >>> width_theory(Network("power"), depth=2, eps=0.1, delta=0.05).reason
    'phi^2 has infinite variance at layer 1, where the length is 1'
    """
    try:
        law = deviations(net, depth=depth)
    except InfiniteSpreadError as error:
        return no_theory(eps, error.reason)
    required, reason = None, ""
    try:
        required = required_width(net, depth=depth, eps=eps, delta=delta, budget=0).theory
    except ValueError as error:  # N_0 is beyond every float
        reason = str(error)
    widths = np.geomspace(1, FARTHEST, 209)
    return WidthTheory(law, eps, required, reason, widths, _curve(law, eps * np.sqrt(widths)))


def no_theory(eps: float, reason: str) -> WidthTheory:
    """Say why there is none."""
    return WidthTheory(None, eps, None, reason, np.empty(0), np.empty(0))


def _curve(law: Deviations, reaches: Array) -> Array:
    """Box probabilities, ascending; those that differ from 0 or 1 by 1e-3 at most are not asked."""
    from scipy.special import ndtr

    with np.errstate(divide="ignore", over="ignore"):
        beyond = np.sum(2 * ndtr(-reaches[:, None] / np.sqrt(law.variance)), axis=1)
    found: Array = np.maximum(1 - beyond, 0.0)  # a union bound: what is left where it is nearly 1
    for k in np.flatnonzero(beyond > 1e-3)[::-1]:
        found[k] = box_probability(law, float(reaches[k]))
        if found[k] < 1e-3:
            found[:k] = 0.0
            break
    return found


@dataclass(frozen=True)
class WidthsData:
    """What the picture shows.

    Attributes
    ----------
    experiment : Experiment
        Of the same network, for its prediction and its band.
    samples : sequence of WidthSample
        Networks of each width, ascending.
    layer : int
        The layer whose lengths are shown, from 1.
    eps, delta : float
    theory : WidthTheory or None
        None while it is not there yet.
    chosen : int or None
        A width to point out.
    """

    experiment: Experiment
    samples: Sequence[WidthSample]
    layer: int
    eps: float
    delta: float
    theory: WidthTheory | None = None
    chosen: int | None = None

    @property
    def predicted(self) -> float:
        """qt of the layer; inf where it is infinite."""
        return float(self.experiment.prediction.values[self.layer - 1])

    @property
    def required(self) -> int | None:
        """N_0, if it is known."""
        return self.theory.required if self.theory else None


def widths_table(data: WidthsData) -> str:
    """Comma separated values, a row a width: the probability, and the lengths of the layer."""
    names = ("width", "networks", "near", "lower", "upper", "first_order", "q_5", "q_50", "q_95")
    rows = [",".join(names)]
    for sample in data.samples:
        row: list[float | None] = [sample.width, sample.drawn]
        if sample.drawn:
            row += [sample.near(data.eps), *sample.interval(data.eps)]
            row.append(data.theory.at(sample.width) if data.theory else None)
            q = sample.lengths[:, data.layer - 1]
            row += np.quantile(q, [0.05, 0.5, 0.95], method="inverted_cdf").tolist()
        rows.append(",".join("" if value is None else repr(value) for value in row))
    return "\n".join([*rows, ""])
