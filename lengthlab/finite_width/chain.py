"""The law of v_l, layer by layer: weights at nodes of log v, pushed through the kernel."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lengthlab.activations import Array
from lengthlab.finite_width.kernel import HIGHEST, LOWEST, Columns, Kernel
from lengthlab.finite_width.scaling import Run, runs
from lengthlab.finite_width.units import UnresolvedError

_TRIM = 3e-7  # sum of the weights at either end that may be dropped
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

    def moments(self, kernel: Kernel) -> tuple[float, float, float]:
        """Mean and variance, and how many means away the highest node is."""
        v = kernel.variance(self.nodes)
        middle = float(v[len(v) // 2])
        shift = float(self.weights @ (v - middle)) - self.dead * middle
        mean = middle + shift
        reach = math.inf if self.escaped > 0 else float(v[-1]) / max(mean, 1e-300)
        if not mean < 1e100:
            return mean, math.nan, math.inf
        spread = float(self.weights @ (v - mean) ** 2) + self.dead * mean * mean
        return max(mean, 0.0), max(spread, 0.0), reach

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


class _Lost:
    """Nodes from which v' leaves the floats, at either end."""

    def __init__(self, run: Run) -> None:
        self.low, self.high, self._dead = run.low, run.high, run.dead

    def push(self, weights: Array, power: int) -> tuple[int, Array, float, float]:
        total = float(weights.sum())
        gone = (total, 0.0) if self._dead else (0.0, total)
        return self.low, np.zeros(1), *gone


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
    used = np.flatnonzero((np.cumsum(size) > _TRIM) & (np.cumsum(size[::-1])[::-1] > _TRIM))
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
