"""How probable it is that all layers are near the length map: sampled, and to first order."""

import math
from dataclasses import dataclass

import numpy as np

from lengthlab.checks import check_count, check_real, check_width
from lengthlab.convergence.first_order import box_probability, deviations
from lengthlab.finite_width import InfiniteSpreadError
from lengthlab.length_map import LengthMap, length_map
from lengthlab.length_process import LengthProcess
from lengthlab.network import Network, check_network
from lengthlab.rng import RandomState

CONFIDENCE = 0.95
"""Confidence of the interval around a sampled probability."""
_MOST_LENGTHS = 2**20  # held at once
_MOST_TRIALS = 10**12


@dataclass(frozen=True)
class Probability:
    """A sampled probability beside its theory.

    Attributes
    ----------
    value : float
        Share of the sampled networks.
    lower, upper : float
        Clopper-Pearson interval: it holds the true probability with 95 % confidence at least.
    theory : float or None
        To first order in 1 / sqrt(width); None where there is no such order.
    reason : str
        Why `theory` is None, else "".
    trials : int
        Networks drawn.
    """

    value: float
    lower: float
    upper: float
    theory: float | None
    reason: str
    trials: int


def convergence_probability(
    net: Network, *, width: int, depth: int, eps: float, trials: int, rng: RandomState = None
) -> Probability:
    """Probability that ``|q_l - qt_l| <= eps`` in every layer l at once.

    Parameters
    ----------
    net : Network
        Activation and scales.
    width, depth : int
        Units a layer, from 1 to 10^12, and number of layers, ``>= 1``.
    eps : float
        Largest distance of a length from the length map, ``> 0``.
    trials : int
        Networks to draw, from 1 to 10^12.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Of the networks of `sample_lengths`.

    Returns
    -------
    Probability
        `value` is 0 where the length map is infinite, or beyond every float, at some layer: no
        length is near it.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or phi cannot be integrated.

    Notes
    -----
    The theorem of Long & Sedghi (2019) says that it tends to 1 as the width grows, for permissible
    phi. Interval: Clopper & Pearson (1934), exact. Theory: the Gaussian chain of `first_order`.

    Examples
    --------
    >>> net = Network("tanh", sigma_w=1.5, sigma_b=0.3)
    >>> p = convergence_probability(net, width=400, depth=6, eps=0.2, trials=2000, rng=0)
    >>> p.lower < 0.7016 < p.upper, round(p.theory, 4)
    (True, 0.7015)
    """
    check_network(net)
    width, depth = check_width(width), check_count("depth", depth)
    eps, trials = (
        check_real("eps", eps, above=0),
        check_count("trials", trials, maximum=_MOST_TRIALS),
    )
    prediction = length_map(net, depth=depth)
    process = LengthProcess(net, width=width, depth=depth, rng=rng)
    near = count_near(process, prediction, eps, trials)
    theory, reason = None, ""
    try:
        theory = box_probability(deviations(net, depth=depth), eps * math.sqrt(width))
    except InfiniteSpreadError as error:
        reason = error.reason
    lower, upper = clopper_pearson(near, trials, CONFIDENCE)
    return Probability(near / trials, lower, upper, theory, reason, trials)


def count_near(process: LengthProcess, prediction: LengthMap, eps: float, trials: int) -> int:
    """How many of the next `trials` networks are within `eps` of the prediction in every layer."""
    most = max(1, _MOST_LENGTHS // len(prediction.values))
    near = 0
    for start in range(0, trials, most):
        q = process.step(min(most, trials - start))
        with np.errstate(invalid="ignore"):  # inf - inf is not near
            near += int((np.abs(q - prediction.values) <= eps).all(axis=1).sum())
    return near


def clopper_pearson(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """Exact confidence interval of a probability.

    Examples
    --------
    >>> [round(end, 4) for end in clopper_pearson(0, 10, 0.95)]
    [0.0, 0.3085]
    """
    from scipy.special import betaincinv

    tail, failures = (1 - confidence) / 2, trials - successes
    lower = betaincinv(successes, failures + 1, tail) if successes else 0.0
    upper = betaincinv(successes + 1, failures, 1 - tail) if failures else 1.0
    return float(lower), float(upper)
