"""Sums whose terms may be too large to settle, and lengths at several widths: what is drawn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.network import Network

PATHS = 6
"""Networks whose sums are followed term by term."""

_POINTS = 25  # a decade, of a sum that is followed
_QUANTILES = (0.05, 0.5, 0.95)


class LayerSample:
    """Lengths of one layer, in networks of one width.

    Examples
    --------
    >>> sample = LayerSample(10)
    >>> sample.add(np.array([[9.0, 1.0], [9.0, 3.0], [9.0, np.inf]]))
    >>> sample.quantiles()
    (1.0, 3.0, inf)
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.drawn = 0
        self._rows = np.empty(64)
        self._last: tuple[int, tuple[float, ...]] = 0, (math.nan,) * 3

    @property
    def lengths(self) -> Array:
        """All lengths so far."""
        return self._rows[: self.drawn]

    def add(self, lengths: Array) -> None:
        """Take in more networks, shape (trials, depth): the last layer."""
        total = self.drawn + len(lengths)
        if total > len(self._rows):
            room = max(total, 2 * len(self._rows)) - self.drawn
            self._rows = np.concatenate([self.lengths, np.empty(room)])
        self._rows[self.drawn : total] = lengths[:, -1]
        self.drawn = total

    def quantiles(self, patience: float = 0.0) -> tuple[float, ...]:
        """5, 50 and 95 % of them; the last answer will do for so large a share of new networks."""
        seen, found = self._last
        if not seen <= self.drawn <= (1 + patience) * seen or not seen:
            found = (math.nan,) * 3
            if self.drawn:
                found = tuple(np.quantile(self.lengths, _QUANTILES, method="inverted_cdf").tolist())
            self._last = self.drawn, found
        return found


class Sums:
    """Sums of phi(h_i)^2 over the first n units of a layer, in a few networks, as n grows.

    Attributes
    ----------
    n : ndarray
        Numbers of terms that are looked at.
    values : ndarray, shape (PATHS, points)
        ``gain`` times the mean of the first n terms plus ``noise``: v_l of a network that has but
        these units. nan where no network is yet.
    shares : ndarray, shape (PATHS, points)
        Share of the largest of them in their sum; nan where the sum is 0 or infinite.

    Examples
    --------
    >>> sums = Sums(4, gain=2.0, noise=1.0)
    >>> sums.begin(0)
    >>> sums.follow(np.array([1.0, 3.0]))
    >>> sums.follow(np.array([0.0, 4.0]))
    >>> sums.values[0].tolist(), sums.shares[0].tolist()
    ([3.0, 5.0, 3.6666666666666665, 5.0], [1.0, 0.75, 0.75, 0.5])
    """

    def __init__(self, width: int, *, gain: float, noise: float) -> None:
        points = 1 + math.ceil(_POINTS * math.log10(width))
        self.n: NDArray[np.int64] = np.unique(np.geomspace(1, width, points).round().astype(int))
        self.gain, self.noise = gain, noise
        self.values = np.full((PATHS, len(self.n)), np.nan)
        self.shares = np.full((PATHS, len(self.n)), np.nan)

    def begin(self, path: int) -> None:
        """Begin with the sum of this network."""
        self._path, self._seen, self._sum, self._top = path, 0, 0.0, 0.0
        self.values[path] = self.shares[path] = np.nan

    def follow(self, terms: Array) -> None:
        """Take in the next terms, ``>= 0``, some of them perhaps infinite."""
        first, last = np.searchsorted(self.n, [self._seen, self._seen + len(terms)], side="right")
        at = self.n[first:last] - self._seen - 1
        with np.errstate(all="ignore"):
            sums = self._sum + np.cumsum(terms)
            tops = np.maximum(np.maximum.accumulate(terms), self._top)
            known = (sums[at] > 0) & (sums[at] < math.inf)
            means = sums[at] / self.n[first:last]
            self.values[self._path, first:last] = self.gain * means + self.noise
            self.shares[self._path, first:last] = np.where(known, tops[at] / sums[at], np.nan)
        self._seen, self._sum, self._top = self._seen + len(terms), sums[-1], tops[-1]

    @property
    def value(self) -> float:
        """v_l of the network that is followed, as far as it goes."""
        with np.errstate(all="ignore"):
            return float(self.gain * self._sum / max(self._seen, 1) + self.noise)


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two activations.

    Attributes
    ----------
    net : Network
    limit : float
        qt_l of the length map; inf where it is infinite or beyond every float, nan where phi does
        not let it be known.
    sums : Sums
        Of the terms of layer l.
    samples : sequence of LayerSample
        q_l in networks of each width, ascending.
    overflow : bool
        The limit is a number, if none that a float can hold.
    name : str
        Of the activation; its label if not given.
    faithful : bool
        Whether networks of floats show what becomes of those of real numbers.
    """

    net: Network
    limit: float
    sums: Sums
    samples: Sequence[LayerSample]
    overflow: bool = False
    name: str = ""
    faithful: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.net.activation.label)

    @property
    def no_limit(self) -> str:
        """What the limit is if no number that floats hold, "" if it is one."""
        if math.isnan(self.limit):
            return "not known"
        return ("beyond every float" if self.overflow else "infinite") * math.isinf(self.limit)


def sizes(width: int) -> tuple[int, ...]:
    """Widths up to the largest: powers of ten, and that one.

    Examples
    --------
    >>> sizes(300), sizes(1000), sizes(7)
    ((10, 100, 300), (10, 100, 1000), (7,))
    """
    powers = [10**k for k in range(1, len(str(width)))]
    return tuple(sorted({*powers, width}))


def sides_table(sides: Sequence[Side], layer: int) -> str:
    """Comma separated values: a row an activation and width, with quantiles of the lengths."""
    rows = [f"activation,width,networks,q_{layer}_5,q_{layer}_50,q_{layer}_95"]
    for side in sides:
        name = '"{}"'.format(side.name.replace('"', '""'))
        for sample in side.samples:
            found = sample.quantiles() if sample.drawn else ("", "", "")
            rows.append(",".join([name, *map(str, (sample.width, sample.drawn, *found))]))
    return "\n".join([*rows, ""])
