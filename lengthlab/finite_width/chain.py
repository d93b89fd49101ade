"""The law of v_l, layer by layer: weights at nodes of log v, pushed through the kernel."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lengthlab.activations import Array
from lengthlab.finite_width.kernel import HIGHEST, LOWEST, Columns, Kernel
from lengthlab.finite_width.scaling import Run, runs
from lengthlab.finite_width.units import UnresolvedError

TRIM = 3e-8
"""Sum of the weights at either end that a layer may drop."""

_CHUNK = 96  # nodes that are computed together: their quadrature is shared
_AHEAD = 8  # nodes that the next layer will want too: alone they would cost as much
_MOST_NODES = 400_000
_LOG_MAX = 709.0


@dataclass(frozen=True, eq=False)
class Law:
    """Law of v: weights at the nodes ``first``, ``first + 1``, ..., and what has no logarithm.

    A smooth function of log v has mean ``weights @ values at the nodes`` over 0 < v < inf; the
    weights are not probabilities and may be negative. `dead` is P(v = 0), `escaped` the
    probability that v is beyond every float.
    """

    first: int
    weights: Array
    dead: float = 0.0
    escaped: float = 0.0

    @property
    def nodes(self) -> Array:
        """Indices of the nodes."""
        return self.first + np.arange(len(self.weights), dtype=np.float64)

    def highest(self, kernel: Kernel) -> float:
        """Largest v that counts."""
        return math.inf if self.escaped > 0 else float(kernel.variance(self.nodes[-1:])[0])

    @property
    def missing(self) -> float:
        """Probability that is not accounted for."""
        return 1.0 - float(self.weights.sum()) - self.dead - self.escaped


class _Piece(Protocol):
    """Columns of the nodes ``low <= j < high``."""

    low: int
    high: int

    def push(self, weights: Array, power: int) -> tuple[int, Array, float, float]:
        """First target, weights there, and the masses at 0 and beyond the floats."""

    def steps(self) -> tuple[Array, Array]:
        """Mean and standard deviation of the next v, given each node."""


class _Chunk:
    """Columns that were computed one by one."""

    def __init__(self, low: int, high: int, kernel: Kernel) -> None:
        self.low, self.high, self.kernel = low, high, kernel
        self.columns = kernel.columns(kernel.variance(np.arange(low, high, dtype=np.float64)))
        self._tilted = {0: self.columns.weights}

    def push(self, weights: Array, power: int) -> tuple[int, Array, float, float]:
        columns = self.columns
        if power not in self._tilted:
            self._tilted[power] = _tilt(
                columns, self.kernel, np.arange(self.low, self.high, dtype=np.float64), power
            )
        dead, escaped = float(weights @ columns.dead), float(weights @ columns.escaped)
        return columns.first, weights @ self._tilted[power], dead, escaped

    def steps(self) -> tuple[Array, Array]:
        return self.columns.mean, self.columns.deviation


class _Scaled:
    """Columns of nodes from which v' is the same but for a power of v: one column, shifted."""

    def __init__(self, run: Run, degree: int, kernel: Kernel) -> None:
        self.low, self.high, self.degree, self._kernel = run.low, run.high, degree, kernel
        # The column whose v' is nearest to 1 is furthest from both ends of the floats.
        self._middle = min(max(run.low, round(-kernel.origin / kernel.step)), run.high - 1)
        self._one = _Chunk(self._middle, self._middle + 1, kernel)

    def push(self, weights: Array, power: int) -> tuple[int, Array, float, float]:
        first, column, dead, escaped = self._one.push(np.ones(1), power)
        total = float(weights.sum())
        stride = max(self.degree, 1)  # at degree 0 all of them go to the same place
        spread = np.zeros(stride * (len(weights) - 1) + 1)
        ahead = (self.degree - 1) * (np.arange(self.low, self.high) - self._middle)
        with np.errstate(over="ignore", invalid="ignore"):
            rise = np.exp(power * self._kernel.step * ahead)
            spread[::stride] = np.where(weights == 0, 0.0, weights * rise)
        if self.degree == 0:
            return first, spread.sum() * column, total * dead, total * escaped
        first -= self.degree * (self._middle - self.low)
        return first, np.convolve(spread, column), total * dead, total * escaped

    def steps(self) -> tuple[Array, Array]:
        nodes = np.arange(self.low, self.high) - self._middle
        with np.errstate(over="ignore"):
            rise = np.exp(self.degree * self._kernel.step * nodes)
        mean, deviation = self._one.steps()
        return mean * rise, deviation * rise


class _Lost:
    """Nodes from which v' leaves the floats, at either end."""

    def __init__(self, run: Run) -> None:
        self.low, self.high, self._dead = run.low, run.high, run.dead

    def push(self, weights: Array, power: int) -> tuple[int, Array, float, float]:
        total = float(weights.sum())
        gone = (total, 0.0) if self._dead else (0.0, total)
        return self.low, np.zeros(1), *gone

    def steps(self) -> tuple[Array, Array]:
        gone = np.full(self.high - self.low, 0.0 if self._dead else math.inf)
        return gone, np.zeros_like(gone)


def _tilt(columns: Columns, kernel: Kernel, sources: Array, power: int) -> Array:
    """Columns of the measure (v' / v)^power, with its exact mass."""
    targets = columns.first + np.arange(columns.weights.shape[1])
    gain = np.exp(power * kernel.step * (targets - sources[:, None]))
    tilted = columns.weights * gain
    exact = (columns.mean / kernel.variance(sources)) ** power
    exact = exact * columns.ratio if power == 2 else exact
    total = tilted.sum(axis=1)
    return np.asarray(tilted * (exact / np.where(total > 0, total, 1.0))[:, None])


class Chain:
    """Laws of v_1, v_2, ... of one network at one width, and their first two moments."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._pieces: list[_Piece] = []
        self._zero: Columns | None = None

    def laws(self, depth: int) -> list[Law]:
        """Laws of v_1, ..., v_depth."""
        laws = [Law(0, np.ones(1))]
        while len(laws) < depth:
            if len(laws[-1].weights) > _MOST_NODES:
                reason = f"the law of layer {len(laws)} is too wide to tabulate"
                raise UnresolvedError(reason, len(laws) - 1)
            try:
                laws.append(self._next(laws[-1]))
            except UnresolvedError as refusal:
                raise UnresolvedError(refusal.reason, len(laws)) from None
        return laws

    def spread(self, laws: list[Law]) -> tuple[Array, Array]:
        """Mean and variance of each v, where the laws' nodes carry them.

        A mean over a layer is a smooth function of log v on the scale of the nodes, at every width;
        v itself, at widths of 1 or 2, is not.
        """
        mean, variance = np.zeros((2, len(laws)))
        mean[0] = self.kernel.net.first_variance
        for k, law in enumerate(laws[:-1], start=1):
            means, deviations = self._steps(law)
            shares = np.append(law.weights, law.dead)
            middle = means[len(law.weights) // 2]  # of what the weights lack of 1
            with np.errstate(over="ignore", invalid="ignore"):
                mean[k] = middle + shares @ (means - middle)
                variance[k] = shares @ ((means - mean[k]) ** 2 + deviations**2)
        return np.maximum(mean, 0.0), np.maximum(variance, 0.0)

    def _steps(self, law: Law) -> tuple[Array, Array]:
        """Mean and deviation of the next v given each node, and given v = 0."""
        self._cover(law.first, law.first + len(law.weights))
        found = np.zeros((2, len(law.weights) + 1))
        for piece in self._pieces:
            low = max(piece.low, law.first)
            high = min(piece.high, law.first + len(law.weights))
            if low < high:
                given = np.array(piece.steps())[:, low - piece.low : high - piece.low]
                found[:, low - law.first : high - law.first] = given
        if law.dead > 0:
            zero = self._from_zero()
            found[:, -1] = zero.mean[0], zero.deviation[0]
        return found[0], found[1]

    def moments(self, depth: int, power: int) -> Array:
        """E v_l^power for l = 1, ..., depth; nan from where lengths that no float holds carry it.

        The measure v^power P(v) is pushed forward: moments that a far tail carries are then as good
        as those that the bulk does.
        """
        found, log_moment = np.full(depth, math.nan), power * self.kernel.origin
        first, shares = 0, np.ones(1)
        for layer, law in enumerate(self.laws(depth)):
            if not log_moment <= _LOG_MAX:
                break
            found[layer] = math.exp(log_moment)
            if layer + 1 == depth:
                break
            first, shares, _, escaped = self._push(first, shares, power)
            if law.dead > 0 and self._from_zero().mean[0] > 0:
                again = law.dead * self._raised(power) * math.exp(-log_moment)
                first, shares = _add([(first, shares), (self._from_zero().first, again)])
            total = float(shares.sum())
            if total == 0 and escaped == 0:
                found[layer + 1 :] = 0.0
                break
            first, shares, _, above = self._within_floats(first, shares)
            if not (total > 0 and max(abs(escaped), abs(above)) <= 1e-6 * total):
                break
            first, shares = _trim(first, shares / total)
            log_moment += math.log(total)
        return found

    def _raised(self, power: int) -> Array:
        """Weights of the measure v'^power given v = 0."""
        zero = self._from_zero()
        targets = zero.first + np.arange(zero.weights.shape[1], dtype=np.float64)
        raised = zero.weights[0] * self.kernel.variance(targets) ** power
        exact = float(zero.mean[0]) ** power * (float(zero.ratio[0]) if power == 2 else 1.0)
        return np.asarray(raised * (exact / raised.sum()))

    def _next(self, law: Law) -> Law:
        first, weights, dead, escaped = self._push(law.first, law.weights, 0)
        escaped += law.escaped
        if law.dead > 0:
            zero = self._from_zero()
            dead += law.dead * float(zero.dead[0])
            if zero.mean[0] > 0:
                first, weights = _add([(first, weights), (zero.first, law.dead * zero.weights[0])])
        first, weights, below, above = self._within_floats(first, weights)
        return Law(*_trim(first, weights), dead + below, escaped + above)

    def _within_floats(self, first: int, weights: Array) -> tuple[int, Array, float, float]:
        """Cut the nodes beyond the floats; their weights are returned."""
        kernel = self.kernel
        low = max(0, math.ceil((LOWEST - kernel.origin) / kernel.step) - first)
        high = max(0, math.floor((HIGHEST - kernel.origin) / kernel.step) + 1 - first)
        return (
            first + low,
            weights[low:high],
            float(weights[:low].sum()),
            float(weights[high:].sum()),
        )

    def _from_zero(self) -> Columns:
        if self._zero is None:
            self._zero = self.kernel.columns(np.zeros(1))
        return self._zero

    def _push(self, first: int, weights: Array, power: int) -> tuple[int, Array, float, float]:
        self._cover(first, first + len(weights))
        found, dead, escaped = [], 0.0, 0.0
        for piece in self._pieces:
            low, high = max(piece.low, first), min(piece.high, first + len(weights))
            if low < high:
                part = np.zeros(piece.high - piece.low)
                part[low - piece.low : high - piece.low] = weights[low - first : high - first]
                target, moved, lost, gone = piece.push(part, power)
                found.append((target, moved))
                dead, escaped = dead + lost, escaped + gone
        return *_add(found), dead, escaped

    def _cover(self, low: int, high: int) -> None:
        """Compute the columns of the nodes low, ..., high - 1 that are not there yet."""
        pieces = sorted(self._pieces, key=lambda piece: piece.low)
        if pieces and not any(piece.low <= low < piece.high for piece in pieces):
            low -= _AHEAD
        if pieces and not any(piece.low < high <= piece.high for piece in pieces):
            high += _AHEAD
        for piece in pieces:
            if piece.high > low and piece.low < high:
                if piece.low > low:
                    self._pieces += _pieces(self.kernel, low, piece.low)
                low = piece.high
        if low < high:
            self._pieces += _pieces(self.kernel, low, high)


def _add(parts: list[tuple[int, Array]]) -> tuple[int, Array]:
    """Sum of weights that begin at different nodes."""
    low = min(first for first, _ in parts)
    total = np.zeros(max(first + len(weights) for first, weights in parts) - low)
    for first, weights in parts:
        total[first - low : first - low + len(weights)] += weights
    return low, total


def _trim(first: int, weights: Array) -> tuple[int, Array]:
    size = np.abs(weights)
    used = np.flatnonzero((np.cumsum(size) > TRIM) & (np.cumsum(size[::-1])[::-1] > TRIM))
    if not len(used):
        return first, np.zeros(1)
    return first + int(used[0]), weights[used[0] : used[-1] + 1]


def _pieces(kernel: Kernel, low: int, high: int) -> list[_Piece]:
    """Columns of the nodes low, ..., high - 1: what is proportional is computed once."""
    found: list[_Piece] = []
    left, right = low, high
    for run in runs(kernel, low, high):
        found.append(_Lost(run) if run.degree is None else _Scaled(run, run.degree, kernel))
        left, right = (run.high, right) if run.low == left else (left, run.low)
    while left < right:
        end = min(left + _CHUNK, right)
        found.append(_Chunk(left, end, kernel))
        left = end
    return found
