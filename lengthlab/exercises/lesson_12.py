"""Lesson 12: two inputs."""

import math
from typing import Any

from lengthlab.activations import activation
from lengthlab.correlation import correlation_map
from lengthlab.derivative import mean_square_slope
from lengthlab.exercises.functions import (
    Sampler,
)
from lengthlab.exercises.gram_chain import draw, mistake, right
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
from lengthlab.exercises.predictions import CORRELATION, Prediction
from lengthlab.fixed_points import chi, slope
from lengthlab.gaussian import mean_square
from lengthlab.length_map import length_map
from lengthlab.network import Network
from lengthlab.unit_scale import unit_scale

TANH, SIGMA_B = activation("tanh"), 0.3
UNIT = unit_scale(TANH)
SLOPE = round(slope(Network(TANH, sigma_w=UNIT), 1.0).value, 2)


def edge_of_chaos(sigma_b: float) -> float:
    """Return the sigma_w at which chi = 1 for tanh, by one equation for the length q.

    Notes
    -----
    chi = 1 says sigma_w^2 = 1 / E tanh'(sqrt(q) Z)^2, and q = V(q) then has no other unknown. Its
    right side is below q for large q, where 1 / E tanh'^2 grows like sqrt(q).
    """
    from scipy.optimize import brentq

    def gap(q: float) -> float:
        gain = 1 / mean_square_slope(TANH, q).value
        return gain * mean_square(TANH, q).estimate.value + sigma_b**2 - q

    q = float(brentq(gap, sigma_b**2, 100.0))
    return 1 / math.sqrt(mean_square_slope(TANH, q).value)


EDGE = edge_of_chaos(SIGMA_B)
AT_ONE = 1 / math.sqrt(mean_square_slope(TANH, 1.0).value)


def settled_chi(sigma_w: float, sigma_b: float = SIGMA_B) -> float:
    """Chi of tanh at the length where the layers settle."""
    net = Network(TANH, sigma_w=sigma_w, sigma_b=sigma_b)
    return chi(net, float(length_map(net, depth=200).values[-1])).value


# --- 12.5 -----------------------------------------------------------------------------------------


def _a_scale(answer: Any) -> None:
    require_number(answer)
    if not 0 < answer <= 100:
        msg = f"a sigma_w > 0, and at most 100, is wanted here, not {float(answer):.4g}."
        raise Refusal(msg)


def _off_the_edge(sigma_w: Any) -> str | None:
    found = settled_chi(float(sigma_w))
    if abs(found - 1) <= 0.01:
        return None
    fate = "inputs part" if found > 1 else "inputs merge"
    return f"with sigma_w = {sigma_w:.4g}, chi = {found:.4g}: {fate}."


ENTRIES = (
    Number(
        id="12.a",
        title="|x_0|^2 / N at which He's ReLU keeps every length at 1",
        target=lambda: 1 / Network("relu", sigma_w=math.sqrt(2)).gain,
        tolerance=1e-6,
        wrong=(
            Wrong(1, "an input of length 1 enters layer 1 at sigma_w^2 * 1 = 2, and stays there."),
            Wrong(2, "the other way round: sigma_w^2 |x_0|^2 / N must be 1."),
            Wrong(1 / math.sqrt(2), "the squared length is wanted, not its root."),
        ),
        hints=("q_1 tends to sigma_w^2 |x_0|^2 / N.", "For He's ReLU V(q) = q."),
        solution=Solution(
            "answer = 1 / 2",
            "Layer 1 sees sigma_w^2 |x_0|^2 / N = 2 |x_0|^2 / N, and He's ReLU keeps every length.",
        ),
        then="Two inputs of that length: what does the length map say about their angle? Nothing.",
    ),
    Number(
        id="12.b",
        title="Distance from 1 after three layers, from 0.01, where V(1) = 1 and V'(1) = 0.46",
        target=lambda: 0.01 * SLOPE**3,
        tolerance=0.02,
        wrong=(
            Wrong(0.01 * SLOPE, "that is one layer. The distance is multiplied once a layer."),
            Wrong(0.01 * 3 * SLOPE, "slopes of maps that follow each other multiply."),
            Wrong(1 + 0.01 * SLOPE**3, "that is the length. Its distance from 1 is asked."),
        ),
        hints=("One layer takes 1 + d to about 1 + 0.46 d.",),
        solution=Solution(
            "answer = 0.01 * 0.46**3",
            "Near a fixed point a layer multiplies the distance by the slope there.",
        ),
        then="In this lesson the same is done with another map, which has a fixed point at 1 too.",
    ),
    Prediction(
        id="12.1",
        title="correlation at layer 50 of two inputs at a right angle, He's ReLU",
        quantity=CORRELATION,
    ),
    Choice(
        id="12.2",
        title="Two inputs with correlation 0.99, tanh at unit scale, 100 layers",
        right="b",
        wrong=(
            Wrong(
                "a",
                "unit scale keeps lengths. The angle has a map of its own, with slope "
                f"{settled_chi(UNIT, 0.0):.4g} at correlation 1.",
            ),
            Wrong(
                "c",
                "that would need chi <= 1. Here chi > 1: a squared difference grows by that factor "
                "in every layer, as long as it is small.",
            ),
            Wrong(
                "d",
                "the width decides how far a network strays from the map, not where the map goes.",
            ),
        ),
        hints=(
            "Which number decides whether a small angle grows?",
            "tanh is odd and sigma_b = 0. What is R(0)?",
        ),
        solution=Solution(
            'answer = "b"',
            f"chi = {settled_chi(UNIT, 0.0):.4g} > 1, so 1 repels. As tanh is odd and there is no "
            "bias, R(0) = 0: every pair of inputs ends at a right angle.",
        ),
        then="The lengths are perfect and the network has forgotten which inputs were neighbours. "
        "What would a reader of its last layer see?",
    ),
    Number(
        id="12.3",
        title="Correlation at layer 2 for |x|, inputs at a right angle, sigma_b = 0",
        target=lambda: float(correlation_map(Network("abs"), depth=2, rho=0.0).values[1]),
        wrong=(
            Wrong(1 / math.pi, "that is the value of ReLU. Here both signs of a node count."),
            Wrong(
                0,
                "Z_1 and Z_2 are independent, but |Z_1| and |Z_2| have a mean above 0, and so has "
                "their product.",
            ),
            Wrong(math.sqrt(2 / math.pi), "that is E|Z|. The product has two such factors."),
            Wrong(math.pi / 2, "upside down: a correlation is at most 1."),
        ),
        hints=(
            "c_1 = 0: Z_1 and Z_2 are independent, so E|Z_1||Z_2| = (E|Z|)^2.",
            "E|Z| = sqrt(2 / pi), and E|Z|^2 = 1.",
        ),
        solution=Solution(
            "import math\n\nanswer = 2 / math.pi",
            "c_2 = (E|Z|)^2 / E|Z|^2 = 2/pi. A phi with a mean makes all inputs more alike: R(0) = "
            "sigma_w^2 (E phi)^2 / q when there is no bias.",
        ),
        then="chi = 1 for |x| at sigma_w = 1 too. Where does the correlation end?",
    ),
    Sampler(
        id="12.4",
        title="Write the chain of Gram matrices",
        draw=draw,
        reference=right,
        wrong=(
            Wrong(
                mistake("own bias"),
                "the bias b_i is the same for all inputs: sigma_b^2 stands in every entry of the "
                "covariance, not on the diagonal only.",
            ),
            Wrong(mistake("no bias"), "the bias is missing: add sigma_b^2 to every entry."),
            Wrong(
                mistake("apart"),
                "you drew the inputs independently. They meet the same weights: their nodes have "
                "the covariance sigma_w^2 G(a, b) + sigma_b^2.",
            ),
            Wrong(
                mistake("turned"),
                "with z in rows the covariance of z @ A is A^T A. For a Cholesky factor, S = L L^T,"
                " take z @ L^T.",
            ),
            Wrong(
                mistake("no root"),
                "you multiplied by the covariance itself: take a root of it, such as Cholesky's.",
            ),
            Wrong(
                mistake("stale"),
                "every layer needs fresh normal variables: W_2 is independent of W_1.",
            ),
            Wrong(
                mistake("after"),
                "these are the Gram matrices after phi. Asked for are those of h, before it.",
            ),
            Wrong(
                mistake("cosine"),
                "you divided by the lengths. Return the inner products over N.",
            ),
            Wrong(
                mistake("pooled"),
                "the mean runs over the nodes of one network; yours, over all networks at once.",
            ),
        ),
        hints=(
            "Keep one k x k matrix G for every network, at first the given one.",
            "Covariance of a row: S = sigma_w**2 * G + sigma_b**2, the bias in every entry. "
            "L = np.linalg.cholesky(S) works on a whole stack of matrices.",
            "h = rng.standard_normal((trials, width, k)) @ np.swapaxes(L, 1, 2); then "
            "np.swapaxes(h, 1, 2) @ h / width, and the same with phi(h) for the next G.",
        ),
        solution=Solution(
            "import numpy as np\n\n"
            "def answer(phi, sigma_w, sigma_b, gram, width, depth, trials, rng):\n"
            "    k = len(gram)\n"
            "    G = np.broadcast_to(gram, (trials, k, k))\n"
            "    out = np.empty((trials, depth, k, k))\n"
            "    for layer in range(depth):\n"
            "        L = np.linalg.cholesky(sigma_w**2 * G + sigma_b**2)\n"
            "        z = rng.standard_normal((trials, width, k))\n"
            "        h = z @ np.swapaxes(L, 1, 2)\n"
            "        out[:, layer] = np.swapaxes(h, 1, 2) @ h / width\n"
            "        x = phi(h)\n"
            "        G = np.swapaxes(x, 1, 2) @ x / width\n"
            "    return out",
            "Given the layer before, the rows of (h(1), ..., h(k)) are independent normal vectors "
            "with covariance sigma_w^2 G + sigma_b^2. Nothing else is needed of the past.",
        ),
        then="At infinite width the same loop carries the expectations. What is in the diagonal?",
    ),
    Find(
        id="12.5",
        title="The edge of chaos: a sigma_w with chi = 1 for tanh, sigma_b = 0.3",
        form=_a_scale,
        missing=_off_the_edge,
        wrong=(
            Wrong(
                AT_ONE,
                "here chi is 1 at the length 1. But with this sigma_w the layers settle at another "
                "length, and chi must be taken there.",
            ),
            Wrong(EDGE**2, "that is sigma_w^2. The question asks for sigma_w."),
            Wrong(
                UNIT,
                "that is unit scale without a bias: lengths are kept, and chi is above 1.",
            ),
            Wrong(
                1,
                "this is the edge for sigma_b = 0, where tanh settles at the length 0. With a bias "
                f"chi = {settled_chi(1.0):.4g} here.",
            ),
        ),
        hints=(
            "ll.fixed_points(net)[-1].chi is chi at the length where the layers settle.",
            f"chi is below 1 at sigma_w = 1 and {settled_chi(1.5):.4g} at 1.5: bisect.",
            "Or one equation: chi = 1 says sigma_w^2 = 1 / E tanh'(sqrt(q) Z)^2; put it into "
            "q = V(q) and solve for q.",
        ),
        solution=Solution(
            "import lengthlab as ll\n\n"
            "low, high = 1.0, 1.5\n"
            "for _ in range(6):\n"
            "    answer = (low + high) / 2\n"
            '    net = ll.Network("tanh", sigma_w=answer, sigma_b=0.3)\n'
            "    q = ll.length_map(net, depth=100).values[-1]\n"
            "    if ll.chi(net, q).value < 1:\n"
            "        low = answer\n"
            "    else:\n"
            "        high = answer",
            f"sigma_w = {EDGE:.4g}. The layers settle at a length of their own for each sigma_w, "
            "and chi is taken there.",
        ),
        then="With which sigma_b is sigma_w = 1.5 on the edge?",
    ),
    Words(
        id="12.6",
        title="Proof step: an odd phi without bias sends every pair to a right angle",
        points=(
            "phi odd: in the series only odd powers of c remain, so R(0) = 0 "
            "(or: Z_1, Z_2 are independent and E phi(sqrt(q) Z_1) = 0)",
            "R(1) = 1, because V(q) = q",
            "phi is not linear, so R has a power c^3 or higher with a positive coefficient and is "
            "strictly convex on [0, 1]",
            "so R lies strictly below the chord from (0, 0) to (1, 1): R(c) < c for 0 < c < 1, and "
            "c_l falls",
            "its limit is a fixed point in [0, 1), and 0 is the only one; so chi > 1",
        ),
        hints=(
            "Where does R meet the diagonal? Two points are known at once.",
            "A strictly convex curve meets a line at most twice.",
        ),
        solution=Solution(
            'answer = "R(0) = 0, R(1) = 1, R strictly convex: R(c) < c between."',
            "Convexity puts R below the diagonal between 0 and 1, so the correlations fall and "
            "tend to the only fixed point that is left, 0. A slope of at most 1 at c = 1 would put "
            "R above the diagonal just below 1: hence chi > 1. Negative c follow by R(-c) = -R(c).",
        ),
        then="Which of your favourite activations are odd? What does a bias change in R(0)?",
    ),
    Words(
        id="12.7",
        title="Open: the Gram matrix of data of your own",
        points=(
            "you said what the inputs are, and how long: lengths matter",
            "you said which matrix: features or gradient",
            "a kinked phi (relu, hardtanh) beside a smooth one (gelu, erf, tanh), on the same "
            "inputs",
            "two inputs that come close to each other: the smallest eigenvalue falls for every "
            "phi, and you saw how fast",
            "you did not read eigenvalues below 1e-12 of the largest: they are rounding",
            "the dimension of the data matters: on random points in high dimension the smooth "
            "phi is far better off than on a circle",
        ),
        hints=(
            "ll.gram_spectrum(phi, X, matrix='gradient'), with a row of X for an input.",
            "Try 8 points in 2 dimensions, then 8 random points of the same length in 20.",
        ),
        solution=Solution(
            'answer = "Smooth phi: tiny eigenvalues on a circle, not in 20-d."',
            "A smooth phi has a kernel whose series falls fast, so it tells few inputs apart on "
            "data of low dimension. In high dimension the linear term alone separates them.",
        ),
        then="A network that cannot tell two inputs apart cannot fit two labels. Can one that can?",
    ),
)
