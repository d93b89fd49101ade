"""Logarithms of lengths against the depth: exact for a homogeneous phi, else to first order."""

import math
from dataclasses import dataclass

import numpy as np

from lengthlab.activations import Array, Homogeneous
from lengthlab.convergence import LEVEL, Experiment

_STEP, _ENDS = 0.125, (-42.0, 120.0)  # of log t, where everything has died away


@dataclass(frozen=True, eq=False)
class DepthLaw:
    """What is known of log q_l, layer by layer; nan where it is not.

    Attributes
    ----------
    limit : ndarray, shape (depth,)
        Logarithm of the length map, log qt_l.
    deviation : ndarray, shape (depth,)
        The standard deviation of log q_l.
    low, high : ndarray, shape (depth,)
        Ends of the central 90 %.
    exact : bool
        Whether deviation and mean are exact at this width, of networks that are not dead, and not
        those of first order. `low` and `high` then take log q_l for normal.
    mean, first_order : ndarray, shape (depth,)
        E log q_l if it is exact, and the same to first order in 1/N; else nan.
    """

    limit: Array
    deviation: Array
    low: Array
    high: Array
    exact: bool
    mean: Array
    first_order: Array


def depth_law(experiment: Experiment) -> DepthLaw:
    """Mean and spread of log q_l at the width of an experiment.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    DepthLaw

    Notes
    -----
    For positively homogeneous phi without bias ``q_l = v_1 chi_l prod_{k<l} gain S_k / (p N)`` with
    independent factors: S_k is a sum of N terms, each there with the keep probability p, and
    ``N chi_l`` is chi-square with N degrees. To first
    order ``E log q_l = log qt_l - ((l - 1) kappa + 2) / (2 N)`` and ``Var log q_l = ((l - 1) kappa
    + 2) / N``, where kappa is the relative variance of a term: 5 for ReLU. Source: Hanin & Nica
    (2020) for the variance.

    Examples
    --------
    >>> from lengthlab.network import Network
    >>> he = depth_law(Experiment(Network("relu", sigma_w=2**0.5), width=100, depth=20))
    >>> round(float(he.deviation[-1] ** 2), 3), he.exact
    (1.007, True)
    """
    phi = experiment.net.activation.homogeneous
    if phi is not None and phi.degree == 1 and experiment.net.sigma_b == 0 and any(phi[1:]):
        return _homogeneous(experiment, phi)
    nothing = np.full(experiment.depth, math.nan)
    limit, low, high = nothing.copy(), nothing.copy(), nothing.copy()
    band = experiment.band
    with np.errstate(divide="ignore"):
        limit[:] = np.log(experiment.prediction.values)
        low[: len(band.lower)], high[: len(band.upper)] = np.log(band.lower), np.log(band.upper)
    for values in (limit, low, high):
        values[~np.isfinite(values)] = math.nan
    deviation = (high - low) / (2 * normal_reach())
    return DepthLaw(limit, deviation, low, high, exact=False, mean=nothing, first_order=nothing)


def normal_reach() -> float:
    """Return the standard deviations on each side that hold the central 90 % of a normal law."""
    from scipy.special import ndtri

    return float(ndtri((1 + LEVEL) / 2))


def _homogeneous(experiment: Experiment, phi: Homogeneous) -> DepthLaw:
    from scipy.special import digamma, polygamma

    net, width = experiment.net, experiment.width
    before = np.arange(experiment.depth, dtype=float)
    keep, squares = net.keep_probability, phi.right**2 + phi.left**2
    start, step = math.log(net.first_variance), math.log(net.gain * squares / 2)
    of_sum, variance = log_sum_moments(phi, width=width, keep=keep)
    # q_l = v_l chi_l: the last factor has a law of its own.
    chi = math.log(2 / width) + float(digamma(width / 2)), float(polygamma(1, width / 2))
    limit = start + before * step
    kappa = 6 * (phi.right**4 + phi.left**4) / (keep * squares**2) - 1
    mean = start + before * (math.log(net.gain / keep / width) + of_sum) + chi[0]
    deviation = np.sqrt(before * variance + chi[1])
    reach = normal_reach() * deviation
    first_order = limit - (before * kappa + 2) / (2 * width)
    return DepthLaw(limit, deviation, mean - reach, mean + reach, True, mean, first_order)


def log_sum_moments(phi: Homogeneous, *, width: int, keep: float = 1.0) -> tuple[float, float]:
    """Mean and variance of the logarithm of a sum S of N terms phi(z)^2, given that it is not 0.

    Parameters
    ----------
    phi : Homogeneous
        Of degree 1.
    width : int
        Number of terms.
    keep : float
        Probability that a term is there.

    Returns
    -------
    tuple of float

    Notes
    -----
    With X exponential and independent of S, ``P(X / S > t) = E exp(-t S) = g(t)^N`` is known in
    closed form. So the law of ``log X - log S`` is, and log X has mean -gamma and variance pi^2/6.

    Examples
    --------
    >>> mean, variance = log_sum_moments(Homogeneous(1, 1.0, 1.0), width=2)
    >>> np.allclose([mean, variance], [math.log(2) - np.euler_gamma, math.pi**2 / 6], rtol=1e-12)
    True
    """
    centre = -math.log(width * keep * (phi.right**2 + phi.left**2) / 2)  # -log S, about
    u = np.arange(*_ENDS, _STEP)
    t = np.exp(u + centre)
    below, slope = np.zeros_like(t), np.zeros_like(t)  # 1 - g, and -g'
    for weight in (phi.right**2, phi.left**2):
        below -= keep / 2 * np.expm1(-0.5 * np.log1p(2 * weight * t))
        slope += keep / 2 * weight * (1 + 2 * weight * t) ** -1.5
    others = np.log1p(-np.minimum(below, 1 - 1e-16))
    with np.errstate(under="ignore"):
        density = t * slope * np.exp((width - 1) * others)
    # The trapezoid rule is exact to rounding here; what the sum's atom at 0 takes is divided out.
    density /= density.sum()
    mean = float(density @ u)
    variance = float(density @ (u - mean) ** 2) - math.pi**2 / 6
    return -np.euler_gamma - mean - centre, max(variance, 0.0)
