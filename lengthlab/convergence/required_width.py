"""N_0(eps, delta): the width from which on all layers are near the length map, and its proof."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lengthlab.checks import MOST_UNITS, check_count, check_real
from lengthlab.convergence.first_order import Deviations, box_probability, deviations
from lengthlab.convergence.probability import count_near
from lengthlab.finite_width import InfiniteSpreadError
from lengthlab.length_map import LengthMap, length_map
from lengthlab.length_process import LengthProcess
from lengthlab.network import Network, check_network
from lengthlab.rng import RandomState, block_generator, seed_sequence

ERROR_RATE = 1e-3
"""Probability with which a wrong verdict on one width is let through."""
_TINY = 1e-300
_BATCH = 500  # networks between two looks: the verdict may be reached at any of them
_MOST_NETWORKS = 100_000
_MOST_NODES = 2 * 10**9  # half a minute, by and large


@dataclass(frozen=True)
class RequiredWidth:
    """The width that the theory asks for, and what sampled networks say to it.

    Attributes
    ----------
    theory : int or None
        N_0, the smallest width with probability ``1 - delta`` by the first-order theory; None where
        there is no such order.
    confirmed : bool or None
        True: networks of width 1.1 N_0 are near often enough, those of 0.9 N_0 are not. False:
        one of the two is refuted. None: the budget ended first, or there is no N_0.
    reason : str
        What a None, or a False, rests on; else "".
    networks : int
        Networks drawn.
    """

    theory: int | None
    confirmed: bool | None
    reason: str
    networks: int


def required_width(
    net: Network,
    *,
    depth: int,
    eps: float,
    delta: float,
    budget: int | None = None,
    rng: RandomState = None,
) -> RequiredWidth:
    """Smallest width with ``|q_l - qt_l| <= eps`` in all layers with probability 1 - delta.

    Parameters
    ----------
    net : Network
        Activation and scales.
    depth : int
        Number of layers, ``>= 1``.
    eps : float
        Largest distance of a length from the length map, ``> 0``.
    delta : float
        Probability that is allowed for more, ``1e-9 <= delta < 1``.
    budget : int, optional
        Networks to draw at most, ``>= 0``, for both widths together; a verdict mostly takes about
        10^4. Each costs ``depth * N_0`` hidden nodes, of which one processor draws 4 to 10 times
        10^7 a second; where |phi| is homogeneous, as for ReLU, a layer costs as much as one node.
        Without a budget, what 2 * 10^9 nodes make, and 100,000 at most: half a minute, by and
        large. 0 draws none: then the theory stands alone.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Of the networks.

    Returns
    -------
    RequiredWidth

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, phi cannot be integrated, or N_0 is beyond every float.

    Notes
    -----
    The N_0 of Long & Sedghi's (2019) theorem, to first order, where the deviations shrink like
    1 / sqrt(N). A width is judged by a likelihood ratio, averaged over the probabilities on one
    side of delta: if the truth is on the other side, it ever exceeds 1 / 0.001 with probability
    0.001 at most (Ville's inequality), however often one looks.

    Examples
    --------
    >>> net = Network("relu", sigma_w=2**0.5)
    >>> required_width(net, depth=5, eps=0.1, delta=0.05, rng=0)
    RequiredWidth(theory=36301, confirmed=True, reason='', networks=8000)
    """
    check_network(net)
    depth, eps = check_count("depth", depth), check_real("eps", eps, above=0)
    delta = check_real("delta", delta, at_least=1e-9, below=1)
    if budget is not None:
        budget = check_count("budget", budget, minimum=0)
    seed = seed_sequence(rng)
    try:
        law = deviations(net, depth=depth)
    except InfiniteSpreadError as error:
        return RequiredWidth(None, None, error.reason, 0)
    theory = _smallest_width(law, eps, delta)
    if budget is None:
        nodes = depth if net.activation.homogeneous is not None else depth * theory
        budget = min(_MOST_NETWORKS, _MOST_NODES // nodes)
    bench = _Bench(net, length_map(net, depth=depth), eps, delta, budget)
    return bench.judge(theory, seed)


def _smallest_width(law: Deviations, eps: float, delta: float) -> int:
    """Search between the width of the worst layer alone and the width of a union bound."""
    from scipy.special import ndtri

    with np.errstate(over="ignore", divide="ignore"):
        worst = float(law.variance.max() / np.square(eps))
    least, most = (
        worst * float(ndtri(tail / 2)) ** 2 for tail in (delta, delta / len(law.variance))
    )
    if not math.isfinite(most):
        msg = f"eps must be large enough for a width that is a float, got {eps!r}; ask for a larger"
        raise ValueError(msg)

    def excess(width: int) -> float:
        """How many more standard deviations than wanted, were it one layer: nearly straight."""
        found = min(box_probability(law, eps * math.sqrt(width)), 1 - 2.0**-52)
        return float(ndtri((1 + found) / 2) - ndtri(1 - delta / 2))

    return _first_enough(excess, max(0, math.floor(least) - 1), math.ceil(most) + 1)


def _first_enough(excess: Callable[[int], float], low: int, high: int) -> int:
    """Smallest width with ``excess >= 0``, which `high` has and `low` has not.

    Chandrupatla (1997): bisection, or a parabola where three widths lie on a smooth curve. Widths
    beyond 10^15 are told apart to so many digits.
    """
    new, far, old, share = low, high, low, 0.5  # between `new` and `far` the answer lies
    value = {low: excess(low), high: excess(high)}
    value[low], value[high] = min(value[low], -_TINY), max(value[high], 0.0)
    while abs(far - new) > max(1.0, 1e-15 * high):
        trial = new + round(share * (far - new))
        value[trial] = excess(trial)
        same = (value[trial] >= 0) == (value[new] >= 0)
        old, far = (new, far) if same else (far, new)
        new = trial
        a, b, c = value[new], value[far], value[old]
        x, y = (new - far) / (old - far), (a - b) / (c - b)
        share = 0.5
        if y * y < x and (1 - y) ** 2 < 1 - x:
            share = a / (b - a) * c / (b - c) + (old - new) / (far - new) * a / (c - a) * b / (
                c - b
            )
        least = max(1.0, 1e-15 * high) / abs(far - new)
        share = min(max(share, least), 1 - least) if least < 0.5 else 0.5
    return max(new, far)


@dataclass
class _Bench:
    """Judges widths by sampled networks, as long as the budget lasts."""

    net: Network
    prediction: LengthMap
    eps: float
    delta: float
    budget: int
    drawn: int = 0

    def judge(self, theory: int, seed: np.random.SeedSequence) -> RequiredWidth:
        """Try 1.1 N_0, which must be enough, then 0.9 N_0, which must not."""
        for number, (share, width) in enumerate(
            [("1.1", -(-11 * theory // 10)), ("0.9", 9 * theory // 10)]
        ):
            expected = number == 0
            if width == 0:
                continue  # no network is so narrow: nothing to refute
            if width > MOST_UNITS:
                return self._answer(theory, None, f"width {width} is too large to be sampled")
            enough = self._enough(width, block_generator(seed, number))
            if enough is None:
                reason = f"the budget of {self.budget} networks ended first, at {share} N_0"
                return self._answer(theory, None, reason)
            if enough != expected:
                reason = f"{share} N_0 = {width} is {'' if enough else 'not '}enough"
                return self._answer(theory, False, reason)
        return self._answer(theory, True, "")

    def _answer(self, theory: int, confirmed: bool | None, reason: str) -> RequiredWidth:
        return RequiredWidth(theory, confirmed, reason, self.drawn)

    def _enough(self, width: int, rng: np.random.Generator) -> bool | None:
        """Whether networks of this width are far with a probability below delta."""
        depth = len(self.prediction.values)
        process = LengthProcess(self.net, width=width, depth=depth, rng=rng)
        far = trials = 0
        while self.drawn < self.budget:
            batch = min(_BATCH, self.budget - self.drawn)
            far += batch - count_near(process, self.prediction, self.eps, batch)
            trials, self.drawn = trials + batch, self.drawn + batch
            below, above = log_evidence(far, trials, self.delta)
            if max(below, above) > -math.log(ERROR_RATE):
                return below > above
        return None


def log_evidence(successes: int, trials: int, p: float) -> tuple[float, float]:
    """Log likelihood ratios against a probability `p`: of all smaller, and of all larger ones.

    Each is averaged over its side with equal weights. Before every trial the expected value of the
    next ratio is the present one, or less if the truth lies on the other side.

    Examples
    --------
    >>> below, above = log_evidence(10, 1000, 0.05)
    >>> below > 7 > 0 > above
    True
    """
    from scipy.special import betainc, betaincc, betaln

    failures = trials - successes
    at_p = successes * math.log(p) + failures * math.log1p(-p)
    both = float(betaln(successes + 1, failures + 1)) - at_p
    sides = (
        betainc(successes + 1, failures + 1, p) / p,
        betaincc(successes + 1, failures + 1, p) / (1 - p),
    )
    below, above = (both + math.log(side) if side > 0 else -math.inf for side in map(float, sides))
    return below, above
