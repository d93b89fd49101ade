"""The law of q_l from that of v_l: given v, q is v chi2_N / N."""

import math
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.finite_width.chain import Law
from lengthlab.finite_width.kernel import Kernel

_PER_STEP = 6  # points of the table a node: an error of 1e-7 between them
TABLE_ERROR = 1e-6
LOG_REACH = 575.0
"""Lengths from 1e-250 to 1e250 are told apart; others may count as 0 or infinite."""


class Distribution(Protocol):
    """A law of positive numbers, with atoms at 0 and at inf."""

    def cdf(self, q: Array) -> Array:
        """P(length <= q) for q >= 0."""

    def pdf(self, q: Array) -> Array:
        """Density for q > 0."""

    def quantile(self, p: Array) -> Array:
        """Smallest length with cdf >= p, for 0 <= p <= 1."""


class ChiSquare:
    """v chi2_N / N."""

    def __init__(self, width: int, variance: float) -> None:
        self._half, self._rate = width / 2, width / (2 * variance)

    def cdf(self, q: Array) -> Array:
        """P(length <= q)."""
        from scipy.special import gammainc

        return np.asarray(gammainc(self._half, self._rate * q))

    def pdf(self, q: Array) -> Array:
        """Density."""
        log_q = np.log(q) + math.log(self._rate)
        return np.asarray(_log_chi_density(self._half, log_q - math.log(self._half)) / q)

    def quantile(self, p: Array) -> Array:
        """Inverse of the cdf."""
        from scipy.special import gammaincinv

        return np.asarray(gammaincinv(self._half, p) / self._rate)


class Table:
    """A law tabulated in the logarithm, with its density and the density's slope."""

    def __init__(self, law: Law, kernel: Kernel) -> None:
        from scipy.special import gammainc

        half = kernel.width / 2
        self._tail = half  # P(q <= e^y) goes like e^(N y / 2) on the far left
        self._step = kernel.step / _PER_STEP
        left = math.ceil((8 * math.sqrt(1 / half) + 24 / half) / self._step)
        right = math.ceil((7 * math.sqrt(1 / half) + math.log1p(30 / half)) / self._step)
        count = _PER_STEP * math.ceil((left + 1 + right) / _PER_STEP)
        self._r = self._step * np.arange(-left, count - left, dtype=np.float64)  # log chi2_N / N
        self._weights, self._density = law.weights, _log_chi_density(half, self._r)
        chi = np.stack([gammainc(half, half * np.exp(self._r)), self._density])
        below, density = _convolve(law.weights, chi)
        # To the right of its points, the cdf of chi is 1.
        below[count:] += np.cumsum(law.weights[:-1]).repeat(_PER_STEP)
        self._start = kernel.origin + kernel.step * law.first - left * self._step
        self._dead, self._escaped = law.dead, law.escaped
        self._cdf = np.clip(np.maximum.accumulate(law.dead + below), 0.0, 1.0)
        self._pdf = np.maximum(density, 0.0)

    @cached_property
    def _slope(self) -> Array:
        """Slope of the density."""
        return _convolve(self._weights, -self._tail * np.expm1(self._r) * self._density)

    def cdf(self, q: Array) -> Array:
        """P(length <= q)."""
        with np.errstate(divide="ignore"):
            y = np.log(q)
        inside = _hermite(self._place(y), self._step, self._cdf, self._pdf)
        first = max(float(self._cdf[0]) - self._dead, 0.0)
        tail = self._dead + first * np.exp(self._tail * np.minimum(y - self._start, 0.0))
        inside = np.where(np.isinf(q), 1.0, np.clip(inside, 0.0, 1.0))
        return np.asarray(np.where(y < self._start, tail, inside))

    def pdf(self, q: Array) -> Array:
        """Density."""
        y = np.log(q)
        inside = np.maximum(_hermite(self._place(y), self._step, self._pdf, self._slope), 0.0)
        tail = self._pdf[0] * np.exp(self._tail * np.minimum(y - self._start, 0.0))
        end = self._start + self._step * (len(self._cdf) - 1)
        return np.asarray(np.where(y < self._start, tail, np.where(y > end, 0.0, inside)) / q)

    def quantile(self, p: Array) -> Array:
        """Inverse of the cdf, by bisection in the cell of the table."""
        cell = np.clip(np.searchsorted(self._cdf, p) - 1, 0, len(self._cdf) - 2)
        low, high = cell.astype(float), cell + 1.0
        for _ in range(40):
            middle = (low + high) / 2
            less = _hermite(middle, self._step, self._cdf, self._pdf) < p
            low, high = np.where(less, middle, low), np.where(less, high, middle)
        first = self._cdf[0] - self._dead
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            tail = self._start + np.log((p - self._dead) / first) / self._tail
        y = np.where(p < self._cdf[0], tail, self._start + self._step * high)
        q = np.where(p <= self._dead, 0.0, np.exp(y))
        # What the weights lack of 1 is an error of theirs; only what escaped is infinite.
        above = (p > max(float(self._cdf[-1]), 1 - self._escaped)) | (p == 1)
        return np.asarray(np.where(above, math.inf, q))

    def _place(self, y: Array) -> Array:
        return np.asarray(np.clip((y - self._start) / self._step, 0.0, len(self._cdf) - 1.0))

    def points(self) -> Array:
        """Lengths at and between the table's points."""
        y = self._start + self._step / 2 * np.arange(2 * len(self._cdf) - 1)
        return np.asarray(np.exp(y[np.abs(y) < LOG_REACH]))


def _log_chi_density(half: float, r: Array) -> Array:
    """Density of log(chi2_N / N), N = 2 half; constant by Stirling's series."""
    constant = math.log(half / (2 * math.pi)) / 2 - 1 / (12 * half) + 1 / (360 * half**3)
    if half < 50:
        constant = half * math.log(half) - half - math.lgamma(half)
    return np.asarray(np.exp(constant + half * (r - np.expm1(r))))


def _convolve(weights: Array, dense: Array) -> Array:
    """Full convolution, along the last axis of `dense`, of which `_PER_STEP` points go to a weight.

    Points that are a whole number of steps apart see the same weights: one convolution for each of
    the `_PER_STEP` places within a step.
    """
    places = np.swapaxes(dense.reshape(*dense.shape[:-1], -1, _PER_STEP), -1, -2)
    size = len(weights) + places.shape[-1] - 1
    points = min(f * 2 ** max(math.ceil(math.log2(size / f)), 0) for f in (1, 3, 5, 9, 15))
    product = np.fft.rfft(weights, points) * np.fft.rfft(places, points)
    found = np.swapaxes(np.fft.irfft(product, points)[..., :size], -1, -2)
    return np.asarray(found.reshape(*dense.shape[:-1], -1))


def _hermite(place: Array, step: float, values: Array, slopes: Array) -> Array:
    """Cubic between the points 0, 1, ... from values and slopes there."""
    cell: NDArray[np.int64] = np.minimum(place.astype(np.int64), len(values) - 2)
    t = place - cell
    low, high = values[cell], values[cell + 1]
    rise, fall = step * slopes[cell], step * slopes[cell + 1]
    blend = t * t * (3 - 2 * t)
    return np.asarray(low + (high - low) * blend + t * (1 - t) * ((1 - t) * rise - t * fall))
