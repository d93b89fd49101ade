"""Lesson 1: one random layer."""

import math
from typing import Any

import numpy as np

from lengthlab.exercises.functions import (
    Sampler,
    Samples,
    called,
    counting_rng,
    require_no_matrix,
    require_samples,
)
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
from lengthlab.exercises.predictions import RATIO, Prediction
from lengthlab.network import Network

NET = Network("tanh", sigma_w=1.5, sigma_b=0.3)
V_1 = NET.first_variance


def _draw(function: Any, seed: int) -> Samples:
    """q_1 at two widths; a narrow layer tells a chi-squared law from a Gaussian one."""
    trials, columns = 20_000, []
    for width in (4, 64):
        rng = counting_rng(seed, width)
        values = called(function, width, trials, rng)
        columns.append(require_samples(values, (trials,), "of shape (trials,)"))
        require_no_matrix(rng, width=width, layers=trials)
    return np.stack(columns, axis=1)


def _whole_number(answer: Any) -> None:
    require_number(answer)
    # 1 / (0.01 / 2**0.5) ** 2 is 20,000 but for a rounding error: as good as the whole number.
    if round(answer) < 1 or not math.isclose(answer, round(answer), rel_tol=1e-12):
        msg = f"a width is wanted here, a whole number >= 1, not {answer:.10g}."
        raise Refusal(msg)


def _not_the_smallest(answer: Any) -> str | None:
    width = round(answer)
    if width < 20_000:  # 2 / N <= 0.01^2, in whole numbers
        percent = f"{100 * math.sqrt(2 / width):.4g}"
        size = f"{percent} %" if float(percent) > 1 else "a little more than 1 %"
        return f"at N = {width:,} the sd of q_1 is {size} of its mean."
    return "that is wide enough, and a narrower layer would do." if width > 20_000 else None


ENTRIES = (
    Number(
        id="1.a",
        title="Variance of 3X + 4Y for independent standard normal X and Y",
        target=lambda: 3.0**2 + 4.0**2,
        tolerance=1e-6,
        wrong=(
            Wrong(7, "you added the coefficients. Variances add, with squared coefficients."),
            Wrong(5, "5 is the standard deviation; the question asks for the variance."),
            Wrong(49, "(3 + 4)^2 belongs to 3X + 4X, the same variable twice."),
        ),
        hints=("Var(aX) = a^2 Var(X).", "Variances of independent variables add."),
        solution=Solution(
            "answer = 3**2 + 4**2",
            "9 Var(X) + 16 Var(Y) = 25, and 3X + 4Y is again normal. The vector (3, 4) enters "
            "through its squared length only: this is the whole lesson in small.",
        ),
        then="What would (5, 0) give instead of (3, 4)?",
    ),
    Number(
        id="1.b",
        title="Variance of Z^2 for a standard normal Z",
        target=lambda: 3.0 - 1.0,
        tolerance=1e-6,
        wrong=(
            Wrong(3, "3 is E Z^4. The variance is E Z^4 - (E Z^2)^2."),
            Wrong(1, "1 is the mean of Z^2, and the variance of Z. Ask for the variance of Z^2."),
        ),
        hints=("Var(Y) = E Y^2 - (E Y)^2 with Y = Z^2.", "E Z^4 = 3."),
        solution=Solution("answer = 3 - 1**2", "E Z^4 - (E Z^2)^2 = 3 - 1 = 2."),
        then="What is then the variance of a sum of N independent such squares?",
    ),
    Prediction(
        id="1.1",
        title="sd of q_1 for the spike, divided by sd of q_1 for the flat input",
        quantity=RATIO,
    ),
    Choice(
        id="1.2",
        title="Two inputs through one network",
        right="c",
        wrong=(
            Wrong(
                "a",
                "the two inputs differ, so W_1 x and W_1 x' differ. To have one law is less than "
                "to be one vector.",
            ),
            Wrong(
                "b",
                "the law of q_1 depends on the length alone; its value in one network does not. "
                "Two dice have one law and show different faces.",
            ),
            Wrong(
                "d",
                "one and the same W_1 acts on both: the covariance of h_1,i(x) and h_1,i(x') is "
                "sigma_w^2 (1 - 2/N). It is not 0 when N >= 3, and for large N it is nearly the "
                "variance sigma_w^2 itself.",
            ),
        ),
        hints=(
            "Separate two questions: which values are likely, and which value came.",
            "What is h_1(x) - h_1(x') for a given W_1?",
        ),
        solution=Solution(
            'answer = "c"',
            "Both inputs have squared length N, so q_1 has one law for both. Their difference has "
            "one entry that is not 0, which moves each node by 2 sigma_w / sqrt(N) times a "
            "standard normal variable: the values differ with probability 1. (At width 2 the two "
            "inputs are orthogonal, and then d is true as well: hence N >= 3.)",
        ),
        then="For which pairs x, x' are h_1(x) and h_1(x') independent when sigma_b = 0?",
    ),
    Number(
        id="1.3",
        title="sd of q_1 at width 64 (sigma_w = 1.5, sigma_b = 0.3)",
        target=lambda: V_1 * math.sqrt(2 / 64),
        wrong=(
            Wrong(V_1**2 * 2 / 64, "that is the variance of q_1. Take its square root."),
            Wrong(V_1 * math.sqrt(1 / 64), "a factor 2 is missing: Var(Z^2) = 2, not 1."),
            Wrong(V_1 * math.sqrt(2), "that is the sd of one square h_i^2. q_1 averages 64."),
            Wrong(
                1.8 * math.sqrt(2 / 64),
                "sigma_w and sigma_b are standard deviations: their squares add, not they.",
            ),
            Wrong(1.5**2 * math.sqrt(2 / 64), "the bias adds its variance sigma_b^2 too."),
            Wrong(V_1, "that is the mean of q_1."),
        ),
        hints=(
            "q_1 is v_1 times the mean of 64 independent squares Z^2, with v_1 = 2.34.",
            "The variance of a mean of 64 independent terms is the variance of one, over 64.",
            "Var(q_1) = v_1^2 * 2 / 64.",
        ),
        solution=Solution(
            "answer = (1.5**2 + 0.3**2) * (2 / 64) ** 0.5",
            "Var(q_1) = v_1^2 Var(Z^2) / N = 2 v_1^2 / N; the sd is its root.",
        ),
        then="How much wider must the layer be to halve it?",
    ),
    Number(
        id="1.4",
        title="E q_1 at width 1000 when the weights have variance 1",
        target=lambda: 1000.0,
        wrong=(
            Wrong(1, "that is the answer for weights of variance 1/N. Here nothing divides."),
            Wrong(
                math.sqrt(1000),
                "that is the typical size of one node h_i. q_1 is the mean of the h_i^2.",
            ),
            Wrong(1e6, "that is E |h_1|^2; q_1 divides by N once."),
        ),
        hints=(
            "One node is the sum of 1000 terms W_ij x_j with x_j = 1 or -1.",
            "Each term has variance 1 here.",
        ),
        solution=Solution(
            "answer = 1000 * 1",
            "Var(h_i) = sum over j of Var(W_ij) x_j^2 = N, so E q_1 = N: it grows without bound "
            "with the width, and no limit exists. With variance 1/N the sum stays at 1.",
        ),
        then="Apply tanh to every entry of such an h_1. What do most of the results look like?",
    ),
    Sampler(
        id="1.5",
        title="Draw q_1 without drawing a matrix",
        draw=_draw,
        reference=lambda width, trials, rng: V_1 * rng.chisquare(width, size=trials) / width,
        wrong=(
            Wrong(
                lambda width, trials, rng: V_1 * rng.chisquare(width, size=trials),
                "this is |h_1|^2: divide by the width.",
            ),
            Wrong(
                lambda width, trials, rng: rng.normal(V_1, V_1 * math.sqrt(2 / width), size=trials),
                "mean and sd are right, the law is not: at width 4 yours is negative at times, "
                "and q_1 never is.",
            ),
            Wrong(
                lambda width, trials, rng: V_1 * rng.chisquare(1, size=trials),
                "this is the square of one node. q_1 is the mean over all N of them.",
            ),
            Wrong(
                lambda width, trials, rng: V_1**2 * rng.chisquare(width, size=trials) / width,
                "2.34 is a variance already: h_1 is sqrt(2.34) z, and its square 2.34 z^2.",
            ),
            Wrong(
                lambda width, trials, rng: 1.8**2 * rng.chisquare(width, size=trials) / width,
                "the variances sigma_w^2 and sigma_b^2 add, not the standard deviations.",
            ),
            Wrong(
                lambda width, trials, rng: rng.chisquare(width, size=trials) / width,
                "the shape is right; the factor sigma_w^2 + sigma_b^2 is missing.",
            ),
        ),
        hints=(
            "h_1 has N independent Normal(0, 2.34) entries: draw them, no matrix is needed.",
            "h = np.sqrt(2.34) * rng.standard_normal((trials, width)), then the mean of squares.",
            "Shorter still: a sum of N squares of standard normals has the law rng.chisquare(N).",
        ),
        solution=Solution(
            "def answer(width, trials, rng):\n"
            "    return (1.5**2 + 0.3**2) * rng.chisquare(width, size=trials) / width",
            "The law of q_1 is v_1 chi^2_N / N, so one number a network is enough: width 10^9 "
            "costs as much as width 1.",
        ),
        then="Can the same trick give q_2? Lesson 2 begins there.",
    ),
    Find(
        id="1.6",
        title="The smallest width at which the sd of q_1 is at most 1 % of its mean",
        form=_whole_number,
        missing=_not_the_smallest,
        wrong=(
            Wrong(10_000, "at N = 10,000 it is 1.414 %: the variance of Z^2 is 2, not 1."),
            Wrong(200, "2/N = 0.01 makes the variance 1 %, in units of the squared mean."),
            Wrong(100, "1/N = 0.01 lacks the 2 of Var(Z^2) and the square root of the sd."),
        ),
        hints=(
            "sd over mean does not depend on sigma_w and sigma_b.",
            "sd / mean = sqrt(2 / N).",
        ),
        solution=Solution(
            "answer = 2 * 100**2", "sqrt(2/N) <= 1/100 means N >= 2 * 100^2 = 20,000."
        ),
        then="One more digit of accuracy costs how much more width?",
    ),
    Words(
        id="1.7",
        title="Proof step: rotating the input changes no law",
        points=(
            "for an orthogonal Q, the vector Q^T w is again standard normal when w is: its "
            "density exp(-|w|^2 / 2) depends on |w| only, and Q^T keeps |w|",
            "this holds for the rows of W_1, which are independent: W_1 Q has the law of W_1",
            "hence W_1 (Q x) = (W_1 Q) x has the law of W_1 x",
            "any two vectors of one length are joined by an orthogonal Q",
            "all later layers are functions of h_1 and of independent weights, so their joint law "
            "is the same too",
        ),
        hints=(
            "Write W_1 (Q x) = (W_1 Q) x and look at one row of W_1.",
            "What does the density of a standard normal vector depend on?",
        ),
        solution=Solution(
            'answer = "W(Qx) = (WQ)x, and WQ ~ W: the density sees |w| only."',
            "Let x' = Qx with Q orthogonal. A row w of W_1 has a density that depends on |w| "
            "alone, and |Q^T w| = |w|, so w and Q^T w have one law. The rows are independent, so "
            "W_1 Q and W_1 have one law, and W_1 x' = (W_1 Q) x has the law of W_1 x. "
            "The biases and all later weights are independent of W_1, so the whole length process "
            "has one law.",
        ),
        then="Where did you use that the weights are Gaussian? Exercise 1.8 takes it away.",
    ),
    Words(
        id="1.8",
        title="Open: weights that are not Gaussian",
        points=(
            "mean and variance of h_i stay: they need only E W = 0 and Var W = sigma_w^2 / N",
            "the spike: every h_i is sigma_w or -sigma_w, so q_1 = sigma_w^2 without any chance",
            "the flat input: h_i is a sum of N coin flips, close to Gaussian by the central "
            "limit theorem, and sd of q_1 is close to sigma_w^2 sqrt(2/N)",
            "so with these weights the direction matters: Gaussian weights were used, not only "
            "their variance",
        ),
        hints=(
            "Take sigma_b = 0 and the spike first: h_i has one term.",
            "For the flat input, compare with the central limit theorem.",
        ),
        solution=Solution(
            'answer = "The spike: q_1 = sigma_w^2, always. Flat: q_1 varies."',
            "Only Gaussian weights are rotation invariant. With signs, the spike gives "
            "h_i = +-sigma_w and q_1 = sigma_w^2 in every network, while the flat input gives "
            "nearly the Gaussian law. Inputs in {-1, 1}^N are all flat up to signs: for them the "
            "law of h_1 is one and the same again.",
        ),
        then="For inputs in {-1, 1}^N, does the direction matter with these weights?",
    ),
)
