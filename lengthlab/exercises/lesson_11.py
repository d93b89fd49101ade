"""Lesson 11: depth against width."""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from lengthlab.activations import activation
from lengthlab.exercises.functions import Function
from lengthlab.exercises.kinds import (
    Choice,
    Find,
    Number,
    Refusal,
    Solution,
    Words,
    Wrong,
    require_number,
)
from lengthlab.exercises.predictions import LENGTH, Prediction
from lengthlab.fixed_points import slope
from lengthlab.gaussian import mean_fourth, mean_square
from lengthlab.network import Network
from lengthlab.unit_scale import unit_scale

GELU = slope(Network("gelu", sigma_w=unit_scale("gelu")), 1.0).value

_TANH = activation("tanh")
_GAIN = unit_scale("tanh") ** 2
_M = mean_square(_TANH, 1.0)
NOISE = _GAIN**2 * (mean_fourth(_TANH, 1.0).value - _M.estimate.value**2)
SLOPE = _GAIN * _M.slope
SETTLED = 2 + NOISE / (1 - SLOPE**2)
WIDEST = 1_000_000

DEPTH, SHARE = 50, 0.95


@lru_cache(maxsize=64)
def probability_within_factor_2(width: int, depth: int = DEPTH) -> float:
    """P(1 <= q_D <= 4) for ReLU at He's scale, without sampling.

    Notes
    -----
    log q_D is a sum of independent terms: log 2, D - 1 times log(2 A / N), and log(B / N), where A
    is chi-square with Binomial(N, 1/2) degrees and B with N. The characteristic function of
    log chi2_k is ``2^(it) Gamma(k/2 + it) / Gamma(k/2)``; Gil-Pelaez (1951) inverts the product.
    """
    from scipy.special import gammaln, loggamma

    reach = 10 * math.sqrt(width) / 2
    k = np.arange(max(1, math.floor(width / 2 - reach)), min(width, width / 2 + reach) + 1)
    log_weight = gammaln(width + 1) - gammaln(k + 1) - gammaln(width - k + 1) - width * math.log(2)
    end = 9 / math.sqrt((5 * depth - 3) / width)
    step = min(0.5, end / 150)
    t = np.arange(step / 2, end, step)  # midpoints
    powers = loggamma(k[:, None] / 2 + 1j * t) - gammaln(k / 2)[:, None]
    factor = np.exp(log_weight[:, None] + powers).sum(axis=0) * np.exp(1j * t * math.log(4 / width))
    fresh = np.exp(loggamma(width / 2 + 1j * t) - gammaln(width / 2) + 1j * t * math.log(2 / width))
    # log(q_D / 2) between -log 2 and log 2
    wave = factor ** (depth - 1) * fresh * 2 * np.sin(t * math.log(2)) / t
    return float(wave.real.sum() * step / math.pi)


@lru_cache(maxsize=1)
def smallest_width() -> int:
    """Return the smallest width at which `SHARE` of the networks is within a factor of 2."""
    low, high = 200, 20_000
    while high - low > 1:
        middle = (low + high) // 2
        enough = probability_within_factor_2(middle) >= SHARE
        low, high = (low, middle) if enough else (middle, high)
    return high


def _width(answer: Any) -> None:
    require_number(answer)
    if answer < 1 or answer != int(answer):
        msg = f"a width is a whole number >= 1, not {float(answer):.10g}."
        raise Refusal(msg)
    if answer > WIDEST:  # the exact law is a table of so many numbers
        msg = f"no more than {WIDEST:,} nodes are needed; take a smaller width."
        raise Refusal(msg)


def _not_smallest(answer: Any) -> str | None:
    width, least = int(answer), smallest_width()
    if width < 200:  # the inversion is for widths at which log q_D has all its moments
        return f"at N = {width} far more than 5 % of the networks are outside."
    share = 100 * probability_within_factor_2(width)
    if width < 0.99 * least:
        return f"at N = {width:,} only {share:.3g} % of the networks are between 1 and 4."
    if width < least:
        return (
            f"at N = {width:,} the share is {share:.2f} %, by the exact law. The normal law is "
            "an approximation: take one per cent more."
        )
    if width > 1.05 * least:
        return f"N = {width:,} is enough, and more than is needed by over 5 %."
    return None


def exact_variance(depth: float, width: float) -> float:
    """Var q_D for ReLU at He's scale and an input in {-1, 1}^N: 4 ((1+5/N)^(D-1) (1+2/N) - 1)."""
    return 4 * float((1 + 5 / width) ** (depth - 1) * (1 + 2 / width) - 1)


ENTRIES = (
    Number(
        id="11.a",
        title="1.144 to the power 20",
        target=lambda: GELU**20,
        tolerance=0.02,
        wrong=(
            Wrong(20 * GELU, "the slopes of 20 layers multiply; they do not add."),
            Wrong(1 + 20 * (GELU - 1), "14 % of a growing error is more each time: multiply."),
            Wrong(GELU**40, "that is the factor of the variance. Asked for is that of the error."),
        ),
        hints=("Lesson 10: in each layer an error is multiplied by the slope.",),
        solution=Solution("answer = 1.144**20", "Twenty layers, twenty factors."),
        then="By which factor does its variance grow?",
    ),
    Choice(
        id="11.b",
        title="What N_0 may depend on",
        right="b",
        wrong=(
            Wrong("a", "the depth D is chosen before N_0, so N_0 may depend on it. It does."),
            Wrong(
                "c",
                "N_0 is a number, not random: it is chosen before any weight is drawn.",
            ),
        ),
        hints=("Lesson 3: for all sigma_w, sigma_b, D, eps, delta there is an N_0 ...",),
        solution=Solution(
            'answer = "b"',
            "What stands before 'there is an N_0' may change it: the network, D, eps and delta.",
        ),
        then="How does N_0 grow with D? The theorem does not say.",
    ),
    Prediction(id="11.1", title="median of q_50 (ReLU, He's scale, width 100)", quantity=LENGTH),
    Choice(
        id="11.2",
        title="The average of q_100 over 5000 networks of width 50",
        right="b",
        wrong=(
            Wrong(
                "a",
                "the law of large numbers holds, but 5000 is not large here: q_100 has a "
                f"standard deviation of about {math.sqrt(exact_variance(100, 50)):.0f}.",
            ),
            Wrong(
                "c",
                "2 is the mean, not the median. The law of q_100 is far from symmetric: log q_100 "
                "is, nearly, and its middle lies far below log 2.",
            ),
            Wrong(
                "d",
                "the mean does not fall: E q_l = 2 in every layer, exactly, because V is a "
                "straight line. What falls is the median.",
            ),
        ),
        hints=(
            "D / N = 2: log(q_D / 2) is about Normal(-5, 10).",
            "Which networks carry the mean of exp(X) when X is Normal(-5, 10)?",
        ),
        solution=Solution(
            'answer = "b"',
            "The median is near 2 exp(-5), and the mean 2 is carried by networks with X around "
            "+5, more than three standard deviations above the middle: about one in a thousand.",
        ),
        then="Which would you report of a deep network, the mean or the median of its length?",
    ),
    Number(
        id="11.3",
        title="N Var q_l for tanh at unit scale, in deep layers",
        target=lambda: SETTLED,
        tolerance=1e-3,  # the table of the lesson shows 2.8
        wrong=(
            Wrong(SETTLED - 2, "that is U, of v_l. The fresh part of q_l adds 2 q*^2 = 2."),
            Wrong(2 + NOISE, "that is layer 2. Later layers inherit V'^2 times what was before."),
            Wrong(
                2 + NOISE / (1 - SLOPE),
                "an error is multiplied by V', so its variance by V'^2: the sum is that of the "
                "powers of V'^2.",
            ),
            Wrong(2, "that is layer 1, where v_1 is not random."),
            Wrong(
                2 + NOISE / _GAIN / (1 - SLOPE**2),
                "the noise of v carries sigma_w^4, not sigma_w^2: it is a variance of "
                "sigma_w^2 times a mean.",
            ),
        ),
        hints=(
            "At the fixed point U = V'^2 U + sigma_w^4 Var phi(Z)^2. Solve for U.",
            "Var tanh(Z)^2 = E tanh(Z)^4 - (E tanh(Z)^2)^2; V' = 0.461 from lesson 10.",
            "Then N Var q = 2 + U.",
        ),
        solution=Solution(
            "import lengthlab as ll\nimport numpy as np\n\n"
            "m2 = ll.expectation(lambda z: np.tanh(z) ** 2, 1.0).value\n"
            "m4 = ll.expectation(lambda z: np.tanh(z) ** 4, 1.0).value\n"
            'net = ll.Network("tanh", sigma_w=ll.unit_scale("tanh"))\n'
            "noise = (m4 - m2**2) / m2**2  # sigma_w^2 = 1 / m2\n"
            "answer = 2 + noise / (1 - ll.slope(net, 1.0).value ** 2)",
            "A geometric series in V'^2. It converges because the slope is below 1: a deep tanh "
            f"network varies as little as one of a few layers, by {SETTLED:.4g} / N.",
        ),
        then="What does the series do when the slope is 1?",
    ),
    Function(
        id="11.4",
        title="The exact variance of q_D for ReLU at He's scale",
        name="variance",
        reference=exact_variance,
        cases=((1, 10), (2, 64), (20, 100), (50, 100)),
        tolerance=1e-6,
        wrong=(
            Wrong(
                lambda depth, width: 4 * (5 * depth - 3) / width,
                "right to first order in 1/N, and too small in deep networks. Asked for is the "
                "exact value.",
            ),
            Wrong(
                lambda depth, width: exact_variance(depth, width) / 4,
                "that is the variance of q_D / 2: the mean is 2, not 1.",
            ),
            Wrong(
                lambda depth, width: exact_variance(depth, width) + 4,
                "that is E q_D^2. Subtract (E q_D)^2 = 4.",
            ),
            Wrong(
                lambda depth, width: 4 * ((1 + 5 / width) ** (depth - 1) - 1),
                "that is Var v_D. q_D = v_D |z_D|^2 / N has one more factor, with second moment "
                "1 + 2/N.",
            ),
            Wrong(
                lambda depth, width: 4 * ((1 + 5 / width) ** depth * (1 + 2 / width) - 1),
                "one factor too many: between layer 1 and layer D lie D - 1 steps, and v_1 = 2 is "
                "not random.",
            ),
            Wrong(
                lambda depth, width: 4 * ((1 + 5 / width) ** depth - 1),
                "D - 1 factors 2 mean(ReLU(z)^2) and one factor |z|^2 / N: they are not all alike.",
            ),
            Wrong(
                lambda depth, width: 4 * ((1 + 2 / width) ** depth - 1),
                "that holds for the identity. For ReLU one term is 2 ReLU(z)^2, with variance "
                "4 * 3/2 - 1 = 5.",
            ),
            Wrong(
                lambda depth, width: 4 * ((1 + 6 / width) ** (depth - 1) * (1 + 2 / width) - 1),
                "E (2 ReLU(z)^2)^2 = 6 is a second moment; the variance of one term is 6 - 1.",
            ),
            Wrong(
                lambda depth, width: 4 * ((1 + 5 / width) ** (depth - 1) * (1 + 3 / width) - 1),
                "E z^4 = 3 is a second moment of z^2; its variance is 2.",
            ),
        ),
        hints=(
            "q_D = 2 F_2 ... F_D B with independent factors of mean 1: multiply second moments.",
            "F is the mean of N independent terms 2 ReLU(z)^2: E F^2 = 1 + Var(one term) / N.",
            "E ReLU(z)^4 = 3/2. And B = |z|^2 / N has E B^2 = 1 + 2/N.",
        ),
        solution=Solution(
            "def answer(depth, width):\n"
            "    steps = (1 + 5 / width) ** (depth - 1)\n"
            "    return 4 * (steps * (1 + 2 / width) - 1)",
            "Second moments of independent factors multiply. To first order this is "
            "4 (5 D - 3) / N; for D above N it grows like exp(5 D / N).",
        ),
        then="At D = N, what is the standard deviation of q_D beside its median?",
    ),
    Find(
        id="11.5",
        title="A width for 50 layers of ReLU: 95 % of networks with q_50 between 1 and 4",
        form=_width,
        missing=_not_smallest,
        wrong=(
            Wrong(
                math.ceil((5 * DEPTH - 3) * (1.96 / math.log(2)) ** 2),
                "you centred log q_50 at log 2. Its middle lies lower, by (5 D - 3) / (2 N).",
            ),
            Wrong(
                math.ceil((5 * DEPTH - 3) / math.log(2) ** 2),
                "that makes log 2 one standard deviation: it holds about 68 % of a normal law, "
                "not 95 %.",
            ),
            Wrong(50, "as wide as deep: D / N = 1, and log q_50 has a standard deviation above 2."),
            Wrong(
                math.ceil(4 * (5 * DEPTH - 3) * 1.96**2),
                "you took q_50 for normal, within 1 of 2. The interval from 1 to 4 is symmetric "
                "in the logarithm: use log q_50.",
            ),
        ),
        hints=(
            "log(q_50 / 2) is about Normal(-s^2 / 2, s^2) with s^2 = 247 / N, and must lie between "
            "-log 2 and log 2.",
            "scipy.stats.norm.cdf gives the probability for each N; search for the smallest.",
            "Or sample: ll.sample_lengths is quick for ReLU at any width.",
        ),
        solution=Solution(
            "import numpy as np\nfrom scipy.stats import norm\n\n"
            "N = np.arange(500, 5000)\n"
            "s = np.sqrt(247 / N)\n"
            "law = norm(-(s**2) / 2, s)  # of log(q_50 / 2), nearly\n"
            "inside = law.cdf(np.log(2)) - law.cdf(-np.log(2))\n"
            "answer = int(1.01 * N[inside >= 0.95][0])  # nearly: 1 % more",
            "A little more than 2000 nodes a layer for 50 layers, forty times the depth. For a "
            "hundred layers it is twice that: only D / N counts. The check uses the exact law of "
            "q_50, by its characteristic function; the normal approximation is off by less than "
            "1 % in N.",
        ),
        then="What would be enough for tanh at unit scale? Compare exercise 11.3.",
    ),
    Words(
        id="11.6",
        title="Proof step: at every width the lengths die, and their mean does not",
        points=(
            "v_D = 2 F_2 ... F_D with independent, identically distributed factors F >= 0, "
            "E F = 1, so E v_D = 2 for every D",
            "log is strictly concave and F is not constant: E log F < log E F = 0 (Jensen); it "
            "may be minus infinity, because F = 0 has the probability 2^(-N)",
            "strong law of large numbers: (log F_2 + ... + log F_D) / (D - 1) tends to E log F < 0 "
            "with probability 1",
            "so log v_D tends to minus infinity and v_D to 0, with probability 1, at every N",
            "the limits do not commute: N first gives 2, D first gives 0",
        ),
        hints=(
            "Take logarithms: a product becomes a sum.",
            "Which inequality compares E log F with log E F?",
            "There is a second proof in one line: what happens once F_l = 0?",
        ),
        solution=Solution(
            'answer = "E log F < log E F = 0; law of large numbers for log F."',
            "Or: with probability 2^(-N) all N nodes of a layer are negative, then F = 0 and the "
            "network is dead from there on. In infinitely many independent layers that happens. "
            "This second proof is right and misleading: at N = 100 it takes about 10^30 layers, "
            "while Jensen's inequality is at work from the first layer on.",
        ),
        then="E v_D = 2 and v_D -> 0: why does this not contradict dominated convergence?",
    ),
    Words(
        id="11.7",
        title="Open: a budget of 100,000 nodes",
        points=(
            "you fixed what 'keeps its length' means: a distance, a share of the networks, which "
            "layers",
            "ReLU: D / N must stay below a constant, and D N = 100,000 then gives D and N; you "
            "checked it by sampling",
            "tanh at unit scale: only the width counts for the last layer, so N may be fixed and "
            "D as large as the budget allows",
            "GELU at unit scale: D is about the logarithm of N over twice the logarithm of the "
            "slope; more nodes hardly make it deeper",
            "you said what changes when every layer must stay near, and not the last one alone",
        ),
        hints=(
            "Start with: 95 % of the networks have their last length within a factor of 2.",
            "For each phi write the condition on D and N from the recursion, then put "
            "D N = 100,000.",
        ),
        solution=Solution(
            'answer = "ReLU 50 layers, tanh any number, GELU about 15."',
            "With the factor 2 and 95 %: ReLU needs about N = 40 D, hence D = 50 and N = 2000. "
            "Tanh needs about N = 26 at any depth. GELU needs about eight times the "
            "variance N Var q_D of the lesson, and that grows by 31 % a layer.",
        ),
        then="All this is about lengths. Two inputs at once are lesson 12.",
    ),
)
