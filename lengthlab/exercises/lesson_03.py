"""Lesson 3: the length map."""

import math
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
from lengthlab.gaussian import mean_square
from lengthlab.length_map import length_map
from lengthlab.network import Network

NET = Network("tanh", sigma_w=1.5, sigma_b=0.3)
QT = length_map(NET, depth=3).values
E_TANH_2 = mean_square(activation("tanh"), NET.first_variance).estimate.value
END = float(length_map(NET, depth=100).values[-1])
UNIT = (1 - 0.3**2) / mean_square(activation("tanh"), 1.0).estimate.value  # a variance


def upper_tail(t: float) -> float:
    """P(Z > t) for a standard normal Z."""
    return math.erfc(t / math.sqrt(2)) / 2


def _step_map(q: float, sigma_w: float, sigma_b: float) -> float:
    """V(q) for the step at 1: phi(x) = 1 for x > 1, and 0 otherwise."""
    return sigma_w**2 * upper_tail(1 / math.sqrt(q)) + sigma_b**2


def rule_error(t: float, nodes: int = 128) -> float:
    """Error of the Gauss-Hermite rule on P(Z > t)."""
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    return float(np.sum(w[x > t]) / np.sum(w)) - upper_tail(t)


def _too_accurate(t: Any) -> str | None:
    error = rule_error(float(t))
    if abs(error) >= 0.03:
        return None
    return f"at t = {t:.4g} the rule is wrong by {abs(error):.2g} only. Try just beside a node."


def _positive(answer: Any) -> None:
    require_number(answer)
    if answer <= 0:
        msg = f"a sigma_w > 0 is wanted here, not {answer:.4g}."
        raise Refusal(msg)


def _settles_elsewhere(sigma_w: Any) -> str | None:
    net = Network("tanh", sigma_w=float(sigma_w), sigma_b=0.3)
    end = float(length_map(net, depth=100).values[-1])
    if abs(end - 1) < 0.005:
        return None
    return f"with sigma_w = {sigma_w:.4g} the map settles at {end:.4g}."


ENTRIES = (
    Number(
        id="3.a",
        title="E q_2 at width 64, given E tanh(H)^2 = 0.5475",
        target=lambda: float(QT[1]),
        wrong=(
            Wrong(1.5**2 * E_TANH_2, "the bias adds its variance sigma_b^2 too."),
            Wrong(
                1.5 * E_TANH_2 + 0.3, "sigma_w and sigma_b are standard deviations: square them."
            ),
            Wrong(float(QT[0]), "that is E q_1."),
            Wrong(float(QT[1]) / 64, "the mean of 64 equal means is that mean: do not divide."),
        ),
        hints=("Lesson 2: E q_2 = E v_2.", "v_2 = sigma_w^2 mean(phi(h_1)^2) + sigma_b^2."),
        solution=Solution(
            "answer = 1.5**2 * 0.5475 + 0.3**2",
            "E v_2 = sigma_w^2 E tanh(H)^2 + sigma_b^2, and the width plays no part in it.",
        ),
        then="Why can the same step not be made from layer 2 to layer 3?",
    ),
    Choice(
        id="3.b",
        title="Why q_1 and q_2 are correlated",
        right="b",
        wrong=(
            Wrong("a", "W_1 and W_2 are independent; each layer draws its own weights."),
            Wrong(
                "c",
                "the correlation is 0.27 at every sample size and nearly at every width: "
                "lesson 2 computed it without sampling.",
            ),
        ),
        hints=("From which numbers is v_2 computed?",),
        solution=Solution('answer = "b"', "v_2 and q_1 are two means over the same h_1."),
        then="What is left of this dependence when both lengths stop varying?",
    ),
    Prediction(
        id="3.1", title="length at which the map of tanh, 1.5, 0.3 settles", quantity=LENGTH
    ),
    Choice(
        id="3.2",
        title="The mean of q_l and the map, at width 64",
        right="b",
        wrong=(
            Wrong(
                "a",
                "at layers 1 and 2 yes, because v_1 is not random. At layer 3 a random v_2 goes "
                "through the curved V, and E V(v_2) is not V(E v_2).",
            ),
            Wrong(
                "c",
                "E q_1 = v_1 at every width, and E q_2 = V(v_1) because v_1 is not random.",
            ),
            Wrong(
                "d",
                "1/sqrt(N) is the size of the fluctuation of one network. Their mean over many "
                "networks is much closer.",
            ),
        ),
        hints=(
            "Which of v_1, v_2, v_3 are random?",
            "E q_3 = E V(v_2), and the map says V(E v_2). When do they differ?",
        ),
        solution=Solution(
            'answer = "b"',
            "E q_1 = v_1 and E q_2 = E v_2 = V(v_1) exactly. From then on V is applied to a random "
            "v: by Taylor's formula E V(v) - V(E v) is about V'' Var(v) / 2, of order 1/N.",
        ),
        then="The sign of that bias: what does it say about the curvature of V?",
    ),
    Number(
        id="3.3",
        title="The map at layer 10 for ReLU with sigma_w^2 = 2, sigma_b = 0",
        target=lambda: float(
            length_map(Network("relu", sigma_w=math.sqrt(2)), depth=10).values[-1]
        ),
        tolerance=1e-6,
        wrong=(
            Wrong(1, "1 would stay at 1. The input of length 1 enters layer 1 as sigma_w^2 * 1."),
            Wrong(1024, "ReLU halves the mean square: E ReLU(sqrt(q) Z)^2 = q/2, not q."),
            Wrong(2 * 0.5**9, "multiply by sigma_w^2 = 2 in each layer as well as by 1/2."),
            Wrong(math.sqrt(2), "sigma_w is sqrt(2); the map carries sigma_w^2."),
        ),
        hints=("E ReLU(sqrt(q) Z)^2 = q/2: half of a symmetric mean.", "So V(q) = 2 * q / 2 = q."),
        solution=Solution(
            "answer = 2 * 1.0**9",
            "V(q) = sigma_w^2 q / 2 = q: every length is kept, and layer 1 starts at "
            "sigma_w^2 = 2.",
        ),
        then="Which inputs would be kept at length 1?",
    ),
    Function(
        id="3.4",
        title="V for the step at 1",
        name="V",
        reference=_step_map,
        cases=((1.0, 1.5, 0.3), (0.25, 1.0, 0.0), (4.0, 2.0, 0.5)),
        tolerance=1e-3,
        wrong=(
            Wrong(
                lambda q, sigma_w, sigma_b: sigma_w**2 * upper_tail(1.0) + sigma_b**2,
                "h is sqrt(q) Z, so h > 1 means Z > 1 / sqrt(q): your V does not see q.",
            ),
            Wrong(
                lambda q, sigma_w, sigma_b: sigma_w**2 * upper_tail(1 / q) + sigma_b**2,
                "q is the variance of h; its standard deviation is sqrt(q).",
            ),
            Wrong(
                lambda q, sigma_w, sigma_b: sigma_w**2 * upper_tail(math.sqrt(q)) + sigma_b**2,
                "sqrt(q) Z > 1 means Z > 1 / sqrt(q), not Z > sqrt(q).",
            ),
            Wrong(
                lambda q, sigma_w, sigma_b: (
                    sigma_w**2 * upper_tail(1 / math.sqrt(q)) ** 2 + sigma_b**2
                ),
                "the square stands inside the mean, and 1^2 = 1: do not square the probability.",
            ),
            Wrong(
                lambda q, sigma_w, sigma_b: (
                    sigma_w**2 * 2 * upper_tail(1 / math.sqrt(q)) + sigma_b**2
                ),
                "the step is one-sided: nodes below -1 count 0.",
            ),
            Wrong(
                lambda q, sigma_w, sigma_b: sigma_w**2 * upper_tail(1 / math.sqrt(q)),
                "the bias adds its variance sigma_b^2 too.",
            ),
            Wrong(
                lambda q, sigma_w, sigma_b: upper_tail(1 / math.sqrt(q)),
                "that is E phi(sqrt(q) Z)^2. V multiplies it by sigma_w^2 and adds sigma_b^2.",
            ),
            Wrong(
                lambda q, sigma_w, sigma_b: sigma_w * upper_tail(1 / math.sqrt(q)) + sigma_b,
                "sigma_w and sigma_b are standard deviations: square them.",
            ),
            Wrong(
                lambda q, sigma_w, sigma_b: (
                    sigma_w**2 * (1 - upper_tail(1 / math.sqrt(q))) + sigma_b**2
                ),
                "this is the probability of the other side, Z <= 1 / sqrt(q).",
            ),
        ),
        hints=(
            "phi^2 = phi for a step, so E phi(sqrt(q) Z)^2 = P(sqrt(q) Z > 1).",
            "P(Z > t) is math.erfc(t / math.sqrt(2)) / 2, or scipy.stats.norm.sf(t).",
        ),
        solution=Solution(
            "import math\n\n"
            "def answer(q, sigma_w, sigma_b):\n"
            "    t = 1 / math.sqrt(q)\n"
            "    return sigma_w**2 * math.erfc(t / math.sqrt(2)) / 2 + sigma_b**2",
            "V(q) = sigma_w^2 P(Z > 1/sqrt(q)) + sigma_b^2: smooth in q > 0, although phi jumps.",
        ),
        then="Where does V(q) = q hold? Draw it before you compute.",
    ),
    Find(
        id="3.5",
        title="Break a quadrature: a t where 128 Gauss-Hermite nodes miss P(Z > t) by 0.03",
        form=require_number,
        missing=_too_accurate,
        wrong=(
            Wrong(
                0,
                "at t = 0 the symmetry of the nodes saves the rule: half of the weight lies "
                "on each side.",
            ),
            Wrong(5, "so far out the probability and the rule are both nearly 0."),
        ),
        hints=(
            "As a function of t the rule is a staircase that jumps at its nodes.",
            "Near 0 a node carries a weight of about 0.11: just beside it half of that is missed.",
            "x, w = np.polynomial.hermite_e.hermegauss(128); the node next to 0 is x[64].",
        ),
        solution=Solution(
            "import numpy as np\n\n"
            "x, w = np.polynomial.hermite_e.hermegauss(128)\n"
            "answer = x[64] + 0.001",
            "Just right of a node the rule has dropped its whole weight and the probability has "
            "lost half of it. More nodes make the stairs smaller, like 1/sqrt(nodes), and never "
            "take them away: split the integral at the jump instead.",
        ),
        then="What would the rule say if the integral were split at t?",
    ),
    Find(
        id="3.6",
        title="A sigma_w for which the tanh map with sigma_b = 0.3 settles at 1",
        form=_positive,
        missing=_settles_elsewhere,
        wrong=(
            Wrong(
                math.sqrt(UNIT / (1 - 0.3**2)),
                "that is the value for sigma_b = 0. The bias gives 0.09 of the length already.",
            ),
            Wrong(UNIT, "that is sigma_w^2. The question asks for sigma_w."),
            Wrong(1.5, f"close: with 1.5 the map settles at {END:.4g}. A little more."),
            Wrong(1, "sigma_w = 1 keeps a length for the identity; tanh shrinks it."),
        ),
        hints=(
            "At the end q = V(q) with q = 1.",
            "1 = sigma_w^2 E tanh(Z)^2 + 0.09, and E tanh(Z)^2 comes from ll.expectation.",
        ),
        solution=Solution(
            "import lengthlab as ll\nimport numpy as np\n\n"
            "second_moment = ll.expectation(lambda z: np.tanh(z) ** 2, 1.0).value\n"
            "answer = ((1 - 0.3**2) / second_moment) ** 0.5",
            "1 = V(1) gives sigma_w^2 = (1 - sigma_b^2) / E tanh(Z)^2 = "
            f"0.91 / {0.91 / UNIT:.4f}, so sigma_w = {math.sqrt(UNIT):.4g}. That the map goes "
            "there, and does not only stay there, needs "
            "a slope of V below 1 at q = 1: the cobweb shows it.",
        ),
        then="Does the map still settle at 1 if the input is ten times longer?",
    ),
    Words(
        id="3.7",
        title="Proof step: a phi that jumps, and a V that does not",
        points=(
            "write V(q) - sigma_b^2 as sigma_w^2 times the integral of phi(x)^2 against the "
            "density of Normal(0, q): q sits in the density, not in phi",
            "the density is continuous in q for every x, and for q between two positive numbers "
            "it lies below one integrable function",
            "phi is bounded, so phi(x)^2 times that function is an integrable bound",
            "dominated convergence: V is continuous at every q > 0",
            "at q = 0 the argument ends: there the Gaussian is a point mass",
        ),
        hints=(
            "Substitute x = sqrt(q) z, so that phi is read at a fixed x.",
            "Dominated convergence, with q in a closed interval inside (0, infinity): if functions "
            "tend to f at every x and lie below one integrable function, then their integrals "
            "tend to the integral of f.",
        ),
        solution=Solution(
            'answer = "Move q into the density, then use dominated convergence."',
            "E phi(sqrt(q) Z)^2 is the integral of phi(x)^2 exp(-x^2 / (2q)) / sqrt(2 pi q). For "
            "q in [a, b] with a > 0 the integrand is at most sup phi^2 exp(-x^2 / (2b)) / "
            "sqrt(2 pi a), which is integrable, and it is continuous in q. Differentiating under "
            "the integral in the same way shows that V is smooth.",
        ),
        then="For a permissible phi that is not bounded, what replaces the bound? Recall "
        "|phi(x)| = exp(o(x^2)).",
    ),
    Words(
        id="3.8",
        title="Open: where is width 64 furthest from its map?",
        points=(
            "you compared the average over many networks with the map, layer by layer, with a "
            "standard error beside it",
            "saturating activations (tanh, erf, sign) stay close, within a few per cent",
            "where V is a straight line (identity, abs, relu) the average is the map, exactly, in "
            "every layer: what you saw there was the noise of the sample",
            "convex V or a growing phi (relu_squared, exp, square) is off by more, and more "
            "with depth",
            "for wild activations the average itself jumps from seed to seed: a median is the "
            "better witness",
            "you noted a case where 64 is enough and one where it is not",
        ),
        hints=(
            "Loop over a few names from ll.catalogue(), depth 5, 2000 networks each.",
            "Divide the gap by its standard error before you call it a gap.",
        ),
        solution=Solution(
            'answer = "Bounded activations follow the map; exp and square leave it."',
            "The first-order bias is V'' Var(v) / 2 passed on from layer to layer by V'. Where V' "
            "is below 1 it is forgotten; where V' is above 1 it grows with depth.",
        ),
        then="The question how wide is wide enough has an answer with three quantities in it: a "
        "distance, a probability, a width.",
    ),
)
