"""Quintic B-splines on a uniform grid of x = log v: how a law is held by a few numbers.

A smooth function is ``h(x) = sum_i c_i B(x / spacing - i)``. Its mean under a law is then
``sum_i c_i E B_i``, and as the c_i are a fixed filter of the values ``h(x_i)``, the same filter
turns the moments ``E B_i`` into weights: ``E h = sum_i weight_i h(x_i)``, whatever the law is.
"""

from functools import cache

import numpy as np

from lengthlab.activations import Array

SUPPORT = 3
"""A spline vanishes this many steps from its node."""

_BINOMIALS = (1.0, -6.0, 15.0)
_TAPS = 32  # the filter falls by 0.43 a tap


def basis(t: Array) -> Array:
    """B(t), the density of a sum of six uniforms on (-1/2, 1/2).

    Examples
    --------
    >>> (120 * basis(np.array([-1.0, 0.0, 2.0, 3.0]))).round(12)
    array([26., 66.,  1.,  0.])
    """
    distance = np.abs(t)
    total = np.zeros_like(distance)
    for k, binomial in enumerate(_BINOMIALS):
        left = np.maximum(3.0 - k - distance, 0.0)
        square = left * left
        total += binomial / 120 * (square * square * left)
    return total


def weights(moments: Array) -> Array:
    """Weights at the nodes from moments, along the last axis; `_TAPS` nodes longer at both ends.

    Examples
    --------
    >>> moments = basis(np.arange(-3.0, 4.0) - 0.3)  # of a law that sits at x = 0.3
    >>> nodes = np.arange(-3 - _TAPS, 4 + _TAPS)
    >>> float((weights(moments) @ nodes**3).round(6))
    0.027
    """
    filter_ = _inverse()
    rows = np.zeros((*moments.shape[:-1], moments.shape[-1] + len(filter_) - 1))
    rows[..., : moments.shape[-1]] = moments  # zeros between them keep the rows apart
    return np.asarray(np.convolve(rows.ravel(), filter_)[: rows.size].reshape(rows.shape))


@cache
def _inverse() -> Array:
    """Filter that undoes (1, 26, 66, 26, 1) / 120."""
    angle = 2 * np.pi * np.arange(1024) / 1024
    inverse = np.fft.ifft(120 / (66 + 52 * np.cos(angle) + 2 * np.cos(2 * angle))).real
    return np.asarray(np.roll(inverse, _TAPS)[: 2 * _TAPS + 1])


MARGIN = _TAPS
"""Nodes by which `weights` is longer at each end."""
