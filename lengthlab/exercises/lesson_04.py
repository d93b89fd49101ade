"""Lesson 4: how wide is wide enough."""

import math
from typing import Any

from scipy.special import gammainc, ndtri

from lengthlab.convergence import required_width
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
from lengthlab.exercises.predictions import WIDTH, Prediction
from lengthlab.network import Network

NET = Network("tanh", sigma_w=1.5, sigma_b=0.3)
V_1 = 1.5**2 + 0.3**2
V_HALF = 1.0**2 + 0.5**2  # sigma_w = 1, sigma_b = 0.5: exercise 4.3
Z = float(ndtri(0.975))  # of delta = 0.05, both sides


def required(net: Network, *, eps: float, delta: float = 0.05, depth: int = 5) -> int:
    """N_0 by the joint first-order theory; `Refusal` where there is none."""
    try:
        found = required_width(net, depth=depth, eps=eps, delta=delta, budget=0).theory
    except ValueError:
        found = None
    if found is None:
        msg = "for this network no required width could be computed; take a tamer one."
        raise Refusal(msg)
    return found


def first_layer_width(v: float, eps: float, quantile: float = Z) -> float:
    """Width at which eps is `quantile` standard deviations of q_1."""
    return 2 * v**2 * quantile**2 / eps**2


def chi_square_cdf(x: float, degrees: float) -> float:
    """P(chi-squared <= x)."""
    return float(gammainc(degrees / 2, max(x, 0.0) / 2))


def normal_within(t: float) -> float:
    """P(|Z| <= t) for a standard normal Z."""
    return math.erf(t / math.sqrt(2))


def near(width: int, eps: float, v: float) -> float:
    """P(|q_1 - v| <= eps), exactly."""
    return chi_square_cdf(width * (1 + eps / v), width) - chi_square_cdf(
        width * (1 - eps / v), width
    )


def _positive(answer: Any) -> None:
    require_number(answer)
    if answer <= 0:
        msg = f"a sigma_w > 0 is wanted here, not {answer:.4g}."
        raise Refusal(msg)


def _not_a_hundred(sigma_w: Any) -> str | None:
    width = required(Network("tanh", sigma_w=float(sigma_w), sigma_b=0.3), eps=0.2)
    if 95 <= width <= 105:
        return None
    return f"with sigma_w = {sigma_w:.4g} the five layers need {width:.4g} nodes."


ENTRIES = (
    Number(
        id="4.a",
        title="Standard deviation of q_1 at width 100 (sigma_w = 1.5, sigma_b = 0.3)",
        target=lambda: V_1 * math.sqrt(2 / 100),
        wrong=(
            Wrong(2 * V_1**2 / 100, "that is the variance. Take its square root."),
            Wrong(V_1 / 10, "the variance of Z^2 is 2, not 1: a factor sqrt(2) is missing."),
            Wrong(V_1 * math.sqrt(2), "this is the sd for one node; a mean over 100 has less."),
            Wrong(
                1.8 * math.sqrt(2 / 100),
                "sigma_w and sigma_b are standard deviations: square them.",
            ),
        ),
        hints=("Lesson 1: q_1 = v_1 chi2_N / N.", "Var(chi2_N) = 2 N, so Var(q_1) = 2 v_1^2 / N."),
        solution=Solution(
            "answer = (1.5**2 + 0.3**2) * (2 / 100) ** 0.5",
            "q_1 is v_1 times a mean of 100 independent squares, each of variance 2.",
        ),
        then="Is a distance of 0.4 from the map rare at this width, or common?",
    ),
    Number(
        id="4.b",
        title="Chebyshev's bound for P(|q_1 - v_1| > 0.4) at width 1000",
        target=lambda: 2 * V_1**2 / 1000 / 0.4**2,
        wrong=(
            Wrong(2 * V_1**2 / 1000 / 0.4, "in Chebyshev's inequality the distance is squared."),
            Wrong(
                V_1 * math.sqrt(2 / 1000) / 0.4,
                "Chebyshev divides the variance by the squared distance; you took both unsquared.",
            ),
            Wrong(V_1**2 / 1000 / 0.4**2, "Var(q_1) = 2 v_1^2 / N: the 2 is missing."),
            Wrong(
                1 - 2 * V_1**2 / 1000 / 0.4**2,
                "that is the bound for being near. Asked for is the bound for being far.",
            ),
        ),
        hints=("P(|X - E X| > t) <= Var(X) / t^2.", "Var(q_1) = 2 v_1^2 / N with v_1 = 2.34."),
        solution=Solution(
            "answer = 2 * (1.5**2 + 0.3**2) ** 2 / 1000 / 0.4**2",
            "Var(q_1) / 0.4^2. It is a bound; the probability itself is far smaller, as this "
            "lesson shows.",
        ),
        then="The proof of lesson 3 used nothing sharper. What does that cost?",
    ),
    Prediction(
        id="4.1", title="width for eps = 0.1, if 267 nodes do for eps = 0.4", quantity=WIDTH
    ),
    Choice(
        id="4.2",
        title="One width for every eps?",
        right="b",
        wrong=(
            Wrong(
                "a",
                "the theorem lets N_0 depend on eps: first eps is given, then N_0 is found. At a "
                "fixed width the probability of being within eps goes to 0 with eps.",
            ),
            Wrong(
                "c",
                "at every finite width q_1 has a density on the whole half line, so the "
                "probability of being within eps is below 1: delta cannot be 0.",
            ),
            Wrong(
                "d",
                "the theorem does not speak of means. Where a mean differs from the map by "
                "something of order 1/N, that is less than any eps once N is large.",
            ),
        ),
        hints=(
            "Hold the width fixed and let eps shrink. What happens to the probability?",
            "q_1 has a density: how probable is it to be in an interval of length 2 eps?",
        ),
        solution=Solution(
            'answer = "b"',
            "For all eps and delta there is an N_0: eps comes first. The claim says that there is "
            "an N_0 for all eps, and that is false for every phi: at fixed width "
            "P(|q_1 - v_1| <= eps) tends to 0 as eps does.",
        ),
        then="May N_0 depend on the input? On D? Look for both in the theorem of lesson 3.",
    ),
    Number(
        id="4.3",
        title="N_0 of layer 1 by the CLT (sigma_w = 1, sigma_b = 0.5, eps = 0.1, delta = 0.05)",
        target=lambda: first_layer_width(V_HALF, 0.1),
        wrong=(
            Wrong(
                2 * V_HALF**2 / 0.05 / 0.1**2,
                "that is Chebyshev's answer: right as a bound, and more than five times too wide.",
            ),
            Wrong(
                first_layer_width(V_HALF, 0.1, float(ndtri(0.95))),
                "q_1 can be too long or too short: delta is shared by two sides, 0.025 each.",
            ),
            Wrong(first_layer_width(V_HALF, 0.1) / 2, "Var(q_1) = 2 v_1^2 / N: the 2 is missing."),
            Wrong(
                first_layer_width(V_HALF, 0.1) * 0.1,
                "N is proportional to 1 / eps^2: square the distance.",
            ),
            Wrong(
                math.sqrt(2) * V_HALF * Z / 0.1,
                "that is sqrt(N). Square it.",
            ),
            Wrong(
                first_layer_width(1.5, 0.1),
                "v_1 = sigma_w^2 + sigma_b^2; you added the standard deviations.",
            ),
        ),
        hints=(
            "eps must be 1.96 standard deviations of q_1.",
            "sd(q_1) = v_1 sqrt(2 / N) with v_1 = 1 + 0.25.",
            "0.1 = 1.96 * 1.25 * sqrt(2 / N): solve for N.",
        ),
        solution=Solution(
            "answer = 2 * (1.0**2 + 0.5**2) ** 2 * 1.96**2 / 0.1**2",
            "By the central limit theorem q_1 is nearly normal with mean v_1 and variance "
            "2 v_1^2 / N. It is within 1.96 standard deviations with probability 0.95. phi does "
            "not enter: layer 1 comes before it.",
        ),
        then="If the question asked for a relative distance, |q_1 / v_1 - 1| <= eps, would the "
        "sigmas matter?",
    ),
    Function(
        id="4.4",
        title="P(|q_1 - v| <= eps), exactly",
        name="near",
        reference=near,
        cases=((10, 0.5, 1.25), (50, 0.3, 2.34), (1000, 0.1, 2.34)),
        tolerance=1e-3,
        wrong=(
            Wrong(
                lambda width, eps, v: normal_within(eps / (v * math.sqrt(2 / width))),
                "that is the central limit theorem. The exact law of N q_1 / v is chi-squared; at "
                "width 10 the two differ by 2 %.",
            ),
            Wrong(
                lambda width, eps, v: 1 - near(width, eps, v),
                "that is the probability of being further away than eps.",
            ),
            Wrong(
                lambda width, eps, v: chi_square_cdf(width * (1 + eps / v), width),
                "q_1 can also be too short: subtract the probability of q_1 < v - eps.",
            ),
            Wrong(
                lambda width, eps, v: near(width - 1, eps, v),
                "N degrees of freedom, not N - 1: no mean is estimated here.",
            ),
            Wrong(
                lambda width, eps, v: near(width, eps * v, v),
                "that is the relative distance. |q_1 - v| <= eps means |q_1 / v - 1| <= eps / v.",
            ),
            Wrong(
                lambda width, eps, v: near(width, eps * math.sqrt(v), v),
                "v is a variance already: N q_1 / v is chi-squared, not N q_1 / sqrt(v).",
            ),
            Wrong(
                lambda width, eps, v: (
                    chi_square_cdf((v + eps) / v, width) - chi_square_cdf((v - eps) / v, width)
                ),
                "q_1 is a mean: N q_1 / v is chi-squared, and the N is missing.",
            ),
        ),
        hints=(
            "N q_1 / v has the chi-squared law with N degrees of freedom, exactly.",
            "v - eps <= q_1 <= v + eps, times N / v, is an interval for a chi-squared variable.",
            "scipy.stats.chi2.cdf(x, N) is its distribution function.",
        ),
        solution=Solution(
            "from scipy import stats\n\n"
            "def answer(width, eps, v):\n"
            "    law = stats.chi2(width, scale=v / width)\n"
            "    return law.cdf(v + eps) - law.cdf(v - eps)",
            "q_1 = v chi2_N / N, so the event is N (v - eps) / v <= chi2_N <= N (v + eps) / v.",
        ),
        then="Use it to find the smallest width for eps = 0.2 and delta = 0.05 at v = 2.34.",
    ),
    Find(
        id="4.5",
        title="A sigma_w for which five tanh layers need 100 nodes (eps = 0.2, delta = 0.05)",
        form=_positive,
        missing=_not_a_hundred,
        wrong=(
            Wrong(1.5, f"that is the network of the lesson: {required(NET, eps=0.2)} nodes."),
            Wrong(
                1.5 * 100 / 1065,
                "you scaled N_0 like sigma_w. It goes like a variance of q: like v_1^2.",
            ),
            Wrong(
                1.5 * math.sqrt(100 / 1065),
                "you scaled N_0 like sigma_w^2. The variance of q_1 is 2 v_1^2 / N, and v_1 "
                "contains sigma_w^2: so nearly like sigma_w^4.",
            ),
            Wrong(
                1.5 * (100 / 1065) ** 0.25,
                "nearly: you scaled like sigma_w^4, and the bias does not shrink along. "
                "v_1 = sigma_w^2 + 0.09, and N_0 goes like v_1^2.",
            ),
        ),
        hints=(
            "Layer 1 decides almost alone. Its N_0 is proportional to v_1^2.",
            "ll.required_width(net, depth=5, eps=0.2, delta=0.05, budget=0).theory draws no "
            "networks: try values of sigma_w.",
            "v_1 must shrink by sqrt(100 / 1065), from 2.34 to about 0.72.",
        ),
        solution=Solution(
            "v = 2.34 * (100 / 1065) ** 0.5\nanswer = (v - 0.3**2) ** 0.5",
            "N_0 is nearly proportional to v_1^2, because layer 1 decides. v_1 = 0.717 gives "
            f"sigma_w = {math.sqrt(V_1 * math.sqrt(100 / 1065) - 0.09):.4g}.",
        ),
        then="Is the smaller network better? Its lengths are smaller too: compare eps / qt_5.",
    ),
    Words(
        id="4.6",
        title="Proof step: an infinite mean at every width",
        points=(
            "E q_3 = E v_3, because q_3 = v_3 times a mean of z^2 that is independent of v_3",
            "given v_2, E v_3 = sigma_w^2 E exp(2 sqrt(v_2) |Z|), and this is at least "
            "sigma_w^2 exp(2 v_2): E exp(t |Z|) >= E exp(t Z) = exp(t^2 / 2)",
            "v_2 is at least sigma_w^2 exp(2 |h|) / N, where h is one node of layer 1: the other "
            "terms of the mean are positive",
            "so E q_3 is at least sigma_w^2 E exp(2 sigma_w^2 exp(2 |h|) / N) with h normal",
            "the exponential of an exponential beats the density exp(-h^2 / (2 v_1)): for every "
            "N the integral is infinite",
        ),
        hints=(
            "Go backwards: first the mean over layer 3 and z_2 given v_2, then over layer 1.",
            "E exp(t Z) = exp(t^2 / 2). Use it with t = 2 sqrt(v_2).",
            "Keep a single node of layer 1: it is enough for infinity.",
        ),
        solution=Solution(
            'answer = "E q_3 >= sigma_w^2 E exp(c exp(2|h|)), infinite for c > 0."',
            "E[v_3 | v_2] = sigma_w^2 E exp(2 sqrt(v_2) |Z|) + sigma_b^2 >= sigma_w^2 exp(2 v_2), "
            "and v_2 >= sigma_w^2 exp(2 |h|) / N for any node h of layer 1. The exponent "
            "(2 sigma_w^2 / N) exp(2 |h|) exceeds h^2 / (2 v_1) for all large h, whatever N is, "
            "so the integral over h diverges.",
        ),
        then="Is E q_2 infinite too? And which of these means is infinite for tanh?",
    ),
    Words(
        id="4.7",
        title="Open: what does one more layer cost?",
        points=(
            "you compared N_0 at several depths, with the same eps and delta",
            "tanh, 1.5, 0.3: almost nothing is added. Layer 1 varies most, and where the slope "
            "of V is below 1 its chance is forgotten on the way",
            "ReLU with sigma_w^2 = 2: the slope of V is 1, nothing is forgotten, each layer adds "
            "its own chance: N Var(q_l) = 20 l - 12 to first order, and N_0 grows about as D does",
            "so N_0 belongs to a depth: no single width serves ReLU at every depth",
            "you noted that this is first-order theory, and checked one value by sampling",
        ),
        hints=(
            "ll.required_width(net, depth=D, eps=0.2, delta=0.05, budget=0).theory for "
            "D = 1, 5, 10, 20, 40.",
            'Compare with ll.Network("relu", sigma_w=2**0.5). What is V\'(q) for it?',
        ),
        solution=Solution(
            'answer = "tanh: N_0 hardly depends on D. ReLU: N_0 grows like D."',
            "A deviation in one layer is multiplied by the slope of V in the next. Below 1 it "
            "fades, at 1 it stays and new ones are added, above 1 it grows geometrically.",
        ),
        then="What if depth and width grow together? Lesson 11.",
    ),
)
