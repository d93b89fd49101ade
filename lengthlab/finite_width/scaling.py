"""Runs of nodes from which the next law is the same but for a power of v: one column serves all.

So it is wherever |phi| is proportional to a power of |h|: for ReLU everywhere, for tanh near 0.
Nothing declared is needed: the outputs at the nodes are compared.
"""

import math
from typing import NamedTuple

import numpy as np

from lengthlab.activations import Array
from lengthlab.finite_width.kernel import Kernel

_SHORTEST = 9  # nodes of a run that is worth a comparison
_STEEPEST = 20  # degree in v
_TOO_LARGE = 1e280  # a mean output beyond which v' is taken to leave the floats
_SIDE = np.geomspace(1e-5, 8.5, 48)
_POINTS = np.concatenate([-_SIDE[::-1], _SIDE])


class Run(NamedTuple):
    """Nodes ``low <= j < high``: v' goes like v^degree; it leaves the floats if degree is None."""

    low: int
    high: int
    degree: int | None
    dead: bool = False


def runs(kernel: Kernel, low: int, high: int) -> list[Run]:
    """Find the runs at both ends of the nodes low, ..., high - 1."""
    found: list[Run] = []
    if high - low < _SHORTEST:
        return found
    outputs = _outputs(kernel, np.arange(low, high, dtype=np.float64))
    mean = outputs @ (
        np.gradient(_POINTS) * np.exp(-_POINTS * _POINTS / 2) / math.sqrt(2 * math.pi)
    )
    large = int((~(mean < _TOO_LARGE)).sum())
    small = int((mean < 1 / _TOO_LARGE).sum()) if kernel.noise == 0 else 0
    if large:
        found.append(Run(high - large, high, None))
    if small:
        found.append(Run(low, low + small, None, dead=True))
    outputs, mean = outputs[small : len(mean) - large], mean[small : len(mean) - large]
    low, high = low + small, high - large
    bottom, degree = _alike(kernel, outputs, mean)
    if bottom:
        found.append(Run(low, low + bottom, degree))
    top, degree = _alike(kernel, outputs[bottom:][::-1], mean[bottom:][::-1])
    if top:
        found.append(Run(high - top, high, degree))
    return found


def _outputs(kernel: Kernel, nodes: Array) -> Array:
    phi = kernel.net.activation
    h = np.sqrt(kernel.variance(nodes))[:, None] * _POINTS
    values = phi(h)
    phi.refuse_nan(h, values)
    with np.errstate(over="ignore"):
        return np.asarray(np.minimum(values * values, 1e290))


def _alike(kernel: Kernel, outputs: Array, mean: Array) -> tuple[int, int]:
    """Count the nodes, from the first on, with outputs proportional to v^degree; the degree."""
    if len(mean) < _SHORTEST or not (mean[[0, _SHORTEST - 1]] > 0).all():
        return 0, 0
    tolerance = 1e-5 * kernel.step
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = np.log(mean / mean[0]) / kernel.step
        change = np.abs(outputs / mean[:, None] - outputs[0] / mean[0])
    steps = np.arange(len(mean))
    degree = round(abs(float(rise[_SHORTEST - 1])) / (_SHORTEST - 1))
    if degree > _STEEPEST or not _is_power(outputs[0], degree, tolerance * mean[0]):
        return 0, 0  # the points of all the nodes may lie on one side of a jump
    alike = (change <= tolerance * outputs[0] / mean[0]).all(axis=1)
    alike &= np.abs(np.abs(rise) - degree * steps) * kernel.step <= tolerance
    if kernel.noise > 0:  # it must not be felt by the smallest lengths that matter
        with np.errstate(divide="ignore"):
            felt = kernel.noise * math.exp(20 / kernel.width) / (kernel.factor * mean)
        zeros = float((outputs[0] == 0).mean()) * kernel.net.keep_probability
        zeros += 1 - kernel.net.keep_probability
        alike &= (felt <= tolerance) & (zeros**kernel.width < 1e-12)
    count = len(alike) if alike.all() else int(np.argmin(alike))
    return (count, degree) if count >= _SHORTEST else (0, 0)


def _is_power(outputs: Array, degree: int, tolerance: float) -> bool:
    """Whether the outputs at `_POINTS` are a multiple of |point|^(2 degree) on either side."""
    power = _SIDE ** (2.0 * degree)
    sides = outputs[: len(_SIDE)][::-1], outputs[len(_SIDE) :]
    return all(np.abs(side - side[-1] * (power / power[-1])).max() <= tolerance for side in sides)
