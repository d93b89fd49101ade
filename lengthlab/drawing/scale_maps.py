"""Length maps at several scales of the weights: the model's own, unit scale, those in use."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lengthlab.activations import Activation, Array
from lengthlab.fixed_points import slope
from lengthlab.gains import Gain, gains
from lengthlab.gaussian import Estimate, mean_square
from lengthlab.length_curve import LengthCurve, length_curve
from lengthlab.network import Network
from lengthlab.phase_diagram import phase_diagram
from lengthlab.unit_scale import unit_scale

LAYERS = 50
OWN = "this model"
"""Name of the model's own scale."""
_TABLE = 1e-9, 1e5  # lengths of the table; those outside are integrated one by one


class Moments:
    """m(q) of one phi, for many networks: from its closed form, or a table once it is made."""

    def __init__(self, phi: Activation) -> None:
        self.phi = phi
        self.quick = phi.mean_square is not None
        self._curve: LengthCurve | None = None

    def tabulate(self) -> None:
        """Make the table, which takes some tenths of a second; `quick` from then on."""
        if not self.quick:
            self._curve = length_curve(self.phi, *_TABLE)
        self.quick = True

    def __call__(self, q: Array) -> tuple[Array, list[bool]]:
        """Means at some lengths, and whether each is finite, but beyond every float."""
        values, beyond = np.full(len(q), math.inf), [False] * len(q)
        if self._curve is not None:
            low, high = self._curve.log_m.edges[[0, -1]]
            with np.errstate(divide="ignore"):
                x = np.log(q)
            inside = (low <= x) & (x <= high)
            values[inside] = np.exp(self._curve.log_m(x[inside]))
        else:
            inside = np.zeros(len(q), dtype=bool)
        for k in np.flatnonzero(~inside & np.isfinite(q)).tolist():
            found = mean_square(self.phi, float(q[k])).estimate
            values[k], beyond[k] = found.value, found.overflow
        return values, beyond


@dataclass(frozen=True, eq=False)
class ScaleMap:
    """The length map of one scale of the weights.

    Attributes
    ----------
    names : tuple of str
        Those who use it.
    sigma_w : float
    values : ndarray, shape (LAYERS,)
        Lengths, layer 1 first; inf from `first_infinite` or `first_overflow` on.
    first_infinite, first_overflow : int or None
        First layer whose length is infinite, or finite, but beyond every float.
    limit : float or None
        What the lengths tend to; None where that is not known.
    """

    names: tuple[str, ...]
    sigma_w: float
    values: Array
    first_infinite: int | None = None
    first_overflow: int | None = None
    limit: float | None = None

    @property
    def fate(self) -> str:
        """What it does to the lengths, in words; "" where that is not known."""
        if self.first_infinite:
            return f"infinite from layer {self.first_infinite} on"
        if self.first_overflow:
            return f"grows, leaves the floats at layer {self.first_overflow}"
        if self.limit is None or not len(self.values):
            return ""
        if self.limit == 0:
            return "decays to 0" if self.values[0] > 0 else "is 0"
        if math.isinf(self.limit):
            return "grows without end"
        stays = np.allclose(self.values, self.limit, rtol=1e-9, atol=0)
        return f"{'stays' if stays else 'settles'} at {self.limit:.4g}"


def scale_maps(
    net: Network, scales: Sequence[tuple[tuple[str, ...], float]], moments: Moments
) -> list[ScaleMap]:
    """Length maps of a network at several scales of its weights.

    Parameters
    ----------
    net : Network
        Its sigma_w is not used.
    scales : sequence of (names, sigma_w)
    moments : Moments
        Of its phi.

    Returns
    -------
    list of ScaleMap

    Examples
    --------
    >>> net = Network("relu")
    >>> he, lecun = scale_maps(net, [(("He",), 2**0.5), (("LeCun",), 1.0)], Moments(net.activation))
    >>> he.values[:3].round(12).tolist(), lecun.values[:3].tolist()
    ([2.0, 2.0, 2.0], [1.0, 0.5, 0.25])
    """
    squares = np.array([sigma_w * sigma_w for _, sigma_w in scales])
    bias, gains = net.sigma_b * net.sigma_b, squares / net.keep_probability
    values = np.full((LAYERS, len(scales)), math.inf)
    infinite: dict[int, int] = {}
    overflow: dict[int, int] = {}
    with np.errstate(over="ignore"):
        values[0] = squares * net.input_length + bias
        for layer in range(2, LAYERS + 1):
            means, beyond = moments(values[layer - 2])
            values[layer - 1] = np.where(means < math.inf, gains * means + bias, math.inf)
            for k in np.flatnonzero(np.isinf(values[layer - 1])).tolist():
                if k not in infinite and k not in overflow:
                    lost = beyond[k] or np.isfinite(means[k]) or np.isinf(values[0, k])
                    (overflow if lost else infinite)[k] = layer
    return [
        ScaleMap(names, sigma_w, values[:, k], infinite.get(k), overflow.get(k))
        for k, (names, sigma_w) in enumerate(scales)
    ]


def _with_limits(maps: Sequence[ScaleMap], limits: Sequence[float | None]) -> list[ScaleMap]:
    """Give each map what it tends to."""
    return [replace(m, limit=limit) for m, limit in zip(maps, limits, strict=True)]


def scale_table(maps: Sequence[ScaleMap]) -> str:
    """Comma separated values: a row a layer, a column a scale."""
    header = ",".join(["layer", *(f"{'/'.join(m.names)} {m.sigma_w!r}" for m in maps)])
    columns = [m.values.tolist() for m in maps]
    rows = (",".join(map(repr, (k + 1, *row))) for k, row in enumerate(zip(*columns, strict=True)))
    return "\n".join([header, *rows, ""])


class Shown(NamedTuple):
    """What the picture shows of one network: its own map first, and the unit scale."""

    maps: list[ScaleMap]
    unit: float | None = None
    why_none: str = ""
    slope: Estimate | None = None


class KnownScales:
    """What is known of one phi: a table of its integrals, the scales in use, limits of lengths."""

    def __init__(self, phi: Activation) -> None:
        self.phi, self.moments = phi, Moments(phi)
        self.gains: tuple[Gain, ...] = ()
        self.broken = False
        self._stretch: Estimate | None = None  # dm/dq at 1
        self._limits: dict[tuple[float, ...], float] = {}

    def shown(self, net: Network) -> Shown:
        """Compute the maps of all scales that are known, and the unit scale."""
        unit, why = self._unit(net)
        steep = None if unit is None else self._slope(unit / math.sqrt(net.keep_probability))
        scales: list[tuple[tuple[str, ...], float]] = [((OWN,), net.sigma_w)]
        if self.moments.quick:  # else the model's own is all that a moving control can wait for
            named = {gain.name: gain.sigma_w for gain in self.gains if gain.name != "unit scale"}
            groups: dict[float, list[str]] = {}
            for name, sigma_w in [*([("unit scale", unit)] if unit else []), *named.items()]:
                same = (s for s in groups if math.isclose(s, sigma_w))
                groups.setdefault(next(same, sigma_w), []).append(name)
            scales += [(tuple(names), sigma_w) for sigma_w, names in groups.items()]
        return Shown(scale_maps(net, scales, self.moments), unit, why, steep)

    def _unit(self, net: Network) -> tuple[float | None, str]:
        try:
            return unit_scale(self.phi, net.sigma_b) * math.sqrt(net.keep_probability), ""
        except ValueError as error:
            return None, str(error)

    def _slope(self, sigma_w: float) -> Estimate:
        if self._stretch is None:
            self._stretch = slope(Network(self.phi), 1.0)
        gain = sigma_w * sigma_w
        return Estimate(gain * self._stretch.value, gain * self._stretch.error)

    def with_limits(self, net: Network, maps: list[ScaleMap]) -> list[ScaleMap]:
        """Add what each tends to, as far as that is known."""
        key = net.sigma_b, net.keep_probability, net.input_length
        return _with_limits(maps, [self._limits.get((*key, m.sigma_w)) for m in maps])

    def lacks(self, net: Network, maps: list[ScaleMap]) -> bool:
        """Whether something is left to learn."""
        unknown = any(m.limit is None for m in self.with_limits(net, maps))
        return bool(maps) and not self.broken and (not self.gains or unknown)

    def learn(self, net: Network) -> None:
        """Tabulate m(q), and find the scales in use and where the lengths of each end."""
        self.moments.tabulate()
        self.gains = self.gains or gains(self.phi)
        key = net.sigma_b, net.keep_probability, net.input_length
        if key == (0.0, 1.0, 1.0):
            self._limits |= {(*key, gain.sigma_w): gain.limit for gain in self.gains}
        maps = self.with_limits(net, self.shown(net).maps)
        missing = [m.sigma_w for m in maps if m.limit is None]
        if missing:
            found = phase_diagram(
                self.phi,
                sigma_w=missing,
                sigma_b=[net.sigma_b],
                keep_probability=net.keep_probability,
                input_length=net.input_length,
            ).q_star[0]
            self._limits |= {(*key, s): float(q) for s, q in zip(missing, found, strict=True)}
