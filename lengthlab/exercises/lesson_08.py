"""Lesson 8: neither Gaussian nor independent."""

import math
from typing import Any

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
from lengthlab.exercises.predictions import Prediction, Quantity

_DRAWS = round(1 / math.erfc(4 / math.sqrt(2)), -1)  # a Gaussian is beyond 4 sd once in so many
FACTOR = Quantity(
    name=f"such a factor (once in {_DRAWS:,.0f} draws can at most become every draw)",
    low=0,
    high=_DRAWS,
)


def kurtosis(mean: float, variance: float) -> float:
    """Kurtosis of sqrt(v) Z from the mean and the variance of v, independent of Z."""
    return 3 * (1 + variance / mean**2)


def relu_kurtosis(width: int, layer: int) -> float:
    """Kurtosis of a node of a ReLU network without biases."""
    return float(3 * (1 + 5 / width) ** (layer - 1))


def relu_excess(sigma_b: float, *, width: int = 5) -> float:
    """Excess kurtosis in layer 2 of ReLU with sigma_w^2 = 2 and biases.

    Notes
    -----
    v_1 = 2 + sigma_b^2, E v_2 = v_1 + sigma_b^2 and Var v_2 = 4 (5/4) v_1^2 / N.
    """
    v_1 = 2 + sigma_b**2
    return kurtosis(v_1 + sigma_b**2, 5 * v_1**2 / width) - 3


def step_kurtosis(width: float, sigma_w: float, sigma_b: float) -> float:
    """Kurtosis in layer 2 for the Heaviside step: the number of active nodes is binomial."""
    mean = sigma_w**2 / 2 + sigma_b**2
    return kurtosis(mean, sigma_w**4 / (4 * width))


def _equal_counts(width: float, sigma_w: float, sigma_b: float) -> float:
    counts = range(int(width) + 1)
    v = [sigma_w**2 * k / width + sigma_b**2 for k in counts]
    return 3 * (sum(x * x for x in v) / len(v)) / (sum(v) / len(v)) ** 2


def _unsquared(width: float, sigma_w: float, sigma_b: float) -> float:
    """Take the mean of v where that of v^2 is needed."""
    mean = sigma_w**2 / 2 + sigma_b**2
    return 3 * mean / mean**2


# The bias that brings the excess to 1 solves sqrt(3) (2 + s) = 2 + 2 s, with s = sigma_b^2.
BIAS = math.sqrt(2 * (math.sqrt(3) - 1) / (2 - math.sqrt(3)))
# The same with v_1 held at 2, as if biases entered in layer 2 only: 2 sqrt(3) = 2 + s.
BIAS_IN_LAYER_2_ONLY = math.sqrt(2 * math.sqrt(3) - 2)


def _bias(answer: Any) -> None:
    require_number(answer)
    if answer < 0:
        msg = f"a sigma_b >= 0 is wanted here, not {answer:.4g}."
        raise Refusal(msg)


def _other_excess(sigma_b: Any) -> str | None:
    excess = relu_excess(float(sigma_b))
    if abs(excess - 1) <= 0.01:
        return None
    return f"with sigma_b = {sigma_b:.4g} the excess kurtosis is {excess:.4g}."


MEDIAN = 100  # of |h_2| in exercise 8.6

ENTRIES = (
    Number(
        id="8.a",
        title="E h^4 for a node of layer 2, given v_2 = 1.5",
        target=lambda: 3 * 1.5**2,
        wrong=(
            Wrong(3, "that is E Z^4. The node is sqrt(v_2) Z."),
            Wrong(3 * 1.5, "h^4 = v_2^2 Z^4: square v_2."),
            Wrong(1.5**2, "that is (E h^2)^2. The factor E Z^4 is missing."),
            Wrong(3 * 1.5**4, "v_2 is a variance: h^4 = v_2^2 Z^4, not v_2^4 Z^4."),
        ),
        hints=("Given v_2 the node is sqrt(v_2) Z with Z standard normal.", "E Z^4 = 3."),
        solution=Solution("answer = 3 * 1.5**2", "E h^4 = v_2^2 E Z^4 = 3 v_2^2."),
        then="And if v_2 is 1 or 2, each with probability 1/2?",
    ),
    Choice(
        id="8.b",
        title="E phi(Z)^2 for phi(x) = 1/x",
        right="b",
        wrong=(
            Wrong("a", "the mean of 1/Z^2 is not 1 over the mean of Z^2: it is far larger."),
            Wrong(
                "c",
                "a mean of a positive measurable function always exists, if infinity counts "
                "as a value; here it is infinite.",
            ),
        ),
        hints=("Near 0 the density of Z is nearly constant, and 1/z^2 is not integrable there.",),
        solution=Solution(
            'answer = "b"',
            "The density of Z is above 0.2 on [-1, 1], and the integral of 1/z^2 over that "
            "interval is infinite: the pole is of order 1, and 1/2 is already too much.",
        ),
        then="The length map says infinity. What do the networks themselves do?",
    ),
    Prediction(
        id="8.1",
        title="how many times more often than a Gaussian node (ReLU, layer 2, width 5)",
        quantity=FACTOR,
    ),
    Choice(
        id="8.2",
        title="Two nodes of layer 2 at width 1000",
        right="c",
        wrong=(
            Wrong(
                "a",
                "given layer 1 the sum is exactly Gaussian, with variance v_2. But v_2 is "
                "random, and a mixture of Gaussians of several variances is not Gaussian.",
            ),
            Wrong(
                "b",
                "uncorrelated is less than independent. The two share v_2: if one is large, "
                "v_2 tends to be large, and so does the other.",
            ),
            Wrong(
                "d",
                "the sign of one node says nothing about the sign of the other: given v_2 the "
                "mean of their product is 0. What is correlated is their squares.",
            ),
        ),
        hints=(
            "Take means given v_2 first, of h_i h_j and of h_i^2 h_j^2.",
            "E h_i h_j = 0 at every width. And Cov(h_i^2, h_j^2) = Var v_2.",
        ),
        solution=Solution(
            'answer = "c"',
            "Given v_2 the nodes are independent with mean 0, so E h_i h_j = 0. But "
            f"Cov(h_i^2, h_j^2) = Var v_2 > 0: at N = 1000 the squares have correlation "
            f"{5 / 2015:.2g}, and the excess kurtosis is {15 / 1000:.2g}: small, and not 0.",
        ),
        then="A layer has N (N - 1) / 2 pairs of nodes. What becomes of all these small "
        "correlations in q_2, the mean of the squares?",
    ),
    Number(
        id="8.3",
        title="Excess kurtosis in layer 3 (ReLU, no biases, N = 10)",
        target=lambda: relu_kurtosis(10, 3) - 3,
        wrong=(
            Wrong(relu_kurtosis(10, 2) - 3, "that is layer 2."),
            Wrong(relu_kurtosis(10, 3), "that is the kurtosis. The excess is what it has above 3."),
            Wrong(
                2 * (relu_kurtosis(10, 2) - 3),
                "excesses do not add up: E v^2 / (E v)^2 is multiplied by 1 + 5/N in each layer.",
            ),
            Wrong(
                (relu_kurtosis(10, 2) - 3) ** 2,
                "it is E v^2 / (E v)^2 that is multiplied from layer to layer, not the excess.",
            ),
            Wrong(relu_kurtosis(10, 4) - 3, "one layer too far: in layer 1 the factor is 1."),
        ),
        hints=(
            "The kurtosis is 3 E v^2 / (E v)^2.",
            "Each layer multiplies E v^2 / (E v)^2 by 1 + 5/N, and layer 1 has 1.",
        ),
        solution=Solution(
            "answer = 3 * (1 + 5 / 10) ** 2 - 3",
            "v_1 is a constant, v_2 carries one factor 1 + 5/N, and v_3 two of them.",
        ),
        then="At which depth is the kurtosis of a ReLU network of width 1000 twice that of a "
        "Gaussian?",
    ),
    Function(
        id="8.4",
        title="Kurtosis in layer 2 for the Heaviside step",
        name="kurtosis",
        reference=step_kurtosis,
        cases=((4, 1.0, 0.0), (4, 1.5, 0.3), (6, 1.0, 0.5)),
        wrong=(
            Wrong(
                lambda width, sigma_w, sigma_b: 3.0,
                "that is the kurtosis given v_2. Average h^2 and h^4 over v_2 first, and "
                "divide afterwards.",
            ),
            Wrong(
                lambda width, sigma_w, sigma_b: step_kurtosis(width, sigma_w, sigma_b) - 3,
                "that is the excess. Asked for is the kurtosis itself.",
            ),
            Wrong(
                _equal_counts,
                "the patterns are equally likely, the numbers of active nodes are not: two of "
                "four are active in 6 patterns, all four in one.",
            ),
            Wrong(
                lambda width, sigma_w, sigma_b: 3 * (1 + 1 / width),
                "the biases are missing: they add sigma_b^2 to v_2, which then varies less "
                "relative to its mean.",
            ),
            Wrong(
                lambda width, sigma_w, sigma_b: kurtosis(
                    sigma_w / 2 + sigma_b, sigma_w**2 / (4 * width)
                ),
                "sigma_w and sigma_b are standard deviations: square them.",
            ),
            Wrong(
                lambda width, sigma_w, sigma_b: step_kurtosis(width, sigma_w, sigma_b) / 3,
                "E h^4 = E v^2 E Z^4, and E Z^4 = 3.",
            ),
            Wrong(
                _unsquared,
                "E h^4 = 3 E v_2^2: square each v_2 before you take the mean.",
            ),
        ),
        hints=(
            "A node is active with probability 1/2, whatever v_1: all 2^N patterns of active "
            "nodes are equally likely.",
            "A pattern with k active nodes gives v_2 = sigma_w^2 k / N + sigma_b^2.",
            "itertools.product((0, 1), repeat=width) lists the patterns; then "
            "3 * mean(v**2) / mean(v)**2.",
        ),
        solution=Solution(
            "from itertools import product\n\n"
            "import numpy as np\n\n"
            "def answer(width, sigma_w, sigma_b):\n"
            "    patterns = np.array(list(product((0, 1), repeat=width)))\n"
            "    v = sigma_w**2 * patterns.mean(axis=1) + sigma_b**2\n"
            "    return 3 * np.mean(v**2) / np.mean(v) ** 2",
            "In closed form: k is binomial, so E v_2 = sigma_w^2 / 2 + sigma_b^2, "
            "Var v_2 = sigma_w^4 / (4 N), and the kurtosis is 3 (1 + Var v_2 / (E v_2)^2). "
            "Without biases that is 3 (1 + 1/N).",
        ),
        then="The step forgets v_1. What does that make of the kurtosis in layer 3?",
    ),
    Find(
        id="8.5",
        title="A sigma_b that brings the excess kurtosis to 1 (ReLU, sigma_w^2 = 2, N = 5)",
        form=_bias,
        missing=_other_excess,
        wrong=(
            Wrong(0, f"without biases it is 15/N = {relu_excess(0):.4g}."),
            Wrong(BIAS**2, "that is sigma_b^2. The question asks for sigma_b."),
            Wrong(
                BIAS_IN_LAYER_2_ONLY,
                "the biases act in layer 1 as well: v_1 = 2 + sigma_b^2 grows with them, and "
                "Var v_2 with v_1^2.",
            ),
            Wrong(
                100,
                "too large: the excess then nears 3/4. The biases of layer 1 pass through phi "
                "like everything else.",
            ),
        ),
        hints=(
            "v_1 = 2 + sigma_b^2, E v_2 = v_1 + sigma_b^2 and Var v_2 = 5 v_1^2 / N.",
            "With N = 5 the excess is 3 v_1^2 / (v_1 + sigma_b^2)^2: set it to 1 and take roots.",
        ),
        solution=Solution(
            "import math\n\n"
            "s = (2 * math.sqrt(3) - 2) / (2 - math.sqrt(3))  # sigma_b^2\n"
            "answer = math.sqrt(s)",
            "sqrt(3) (2 + s) = 2 + 2 s is linear in s = sigma_b^2, and sigma_b is "
            f"{BIAS:.4g}. However large the biases, the excess stays above 3/4.",
        ),
        then="Which part of v_2 do biases make less random, and which more?",
    ),
    Number(
        id="8.6",
        title="Width at which the median of |h_2| is 100, for phi(x) = 1/x",
        target=lambda: float(MEDIAN**2),
        tolerance=1e-6,
        wrong=(
            Wrong(MEDIAN, "h_2 grows like sqrt(N), not like N."),
            Wrong(
                math.sqrt(MEDIAN), "the other way round: |h_2| is sqrt(N) times a Cauchy variable."
            ),
            Wrong(
                (MEDIAN / 0.6745) ** 2,
                "0.6745 is the median of |Z|. That of the absolute value of a Cauchy variable is "
                "1: the ratio of two normal variables is as often above 1 as below.",
            ),
        ),
        hints=(
            "h_2 = sqrt(N) times a standard Cauchy variable, a ratio Z / Z'.",
            "By symmetry |Z| > |Z'| with probability 1/2. What is the median of |Z / Z'|?",
        ),
        solution=Solution(
            "answer = 100**2",
            "The median of |Z / Z'| is 1, so that of |h_2| is sqrt(N), at every width.",
        ),
        then="What is the median of v_3, and on which parameters does it depend?",
    ),
    Words(
        id="8.7",
        title="Proof step: 15/N",
        points=(
            "given v_2 the node is sqrt(v_2) Z with Z independent of v_2: E h^2 = E v_2 and "
            "E h^4 = 3 E v_2^2",
            "so the kurtosis is 3 E v_2^2 / (E v_2)^2 = 3 (1 + Var v_2 / (E v_2)^2)",
            "v_2 is sigma_w^2 times a mean of N independent terms phi(h_1)^2, because v_1 is a "
            "constant",
            "for ReLU, E phi(H)^2 = v_1 / 2 and E phi(H)^4 = 3 v_1^2 / 2, each half of a "
            "symmetric mean: the variance of one term is 5 v_1^2 / 4",
            "Var v_2 / (E v_2)^2 = (5/4) / N / (1/4) = 5/N: sigma_w and v_1 cancel, because "
            "sigma_b = 0",
        ),
        hints=(
            "Take the mean given v_2 first, then the mean over v_2.",
            "ReLU sets half of the nodes to 0 and leaves the other half as it is.",
        ),
        solution=Solution(
            'answer = "kurtosis = 3 E v^2 / (E v)^2, and Var v_2 / (E v_2)^2 = 5/N"',
            "E h^4 / (E h^2)^2 = 3 E v_2^2 / (E v_2)^2. One term phi(h_1)^2 has mean v_1 / 2 and "
            "variance 3 v_1^2 / 2 - v_1^2 / 4 = 5 v_1^2 / 4. A mean of N of them has relative "
            "variance 5/N. So the kurtosis is 3 + 15/N.",
        ),
        then="Which activation has the same formula with 6 in place of 15?",
    ),
    Words(
        id="8.8",
        title="Open: does the kurtosis grow with depth?",
        points=(
            "you fixed a width and compared layers, for ReLU and for an activation that saturates, "
            "with an error for each estimate",
            "ReLU without biases: multiplied by 1 + 5/N in each layer, without end",
            "tanh: after a few layers it settles; a layer whose v is too large is brought back by "
            "the next, because the slope of V is below 1",
            "you estimated 3 E v^2 / (E v)^2 rather than E h^4: less noise for the same networks",
            "deep in a ReLU network the sample kurtosis is most often too small: it is carried by "
            "rare, long networks that a sample does not contain",
        ),
        hints=(
            "ll.sample_hidden_nodes gives h; v of the next layer is sigma_w^2 mean(phi(h)^2) + "
            "sigma_b^2.",
            "Repeat each estimate with a few seeds. Where do they disagree most?",
        ),
        solution=Solution(
            'answer = "ReLU: without end. tanh: it settles, because V forgets."',
            "To first order in 1/N, Var v_(l+1) is a fresh part plus the slope of V squared times "
            "Var v_l. For ReLU without biases relative errors are passed on whole and add up. For "
            "tanh (1.5, 0.3) the slope is below 1, and old errors fade.",
        ),
        then="How many layers would it take until ReLU at width 1000 is visibly not Gaussian?",
    ),
)
