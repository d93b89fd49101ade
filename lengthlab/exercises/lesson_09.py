"""Lesson 9: unit scale."""

import math
from collections.abc import Callable
from typing import Any

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
)
from lengthlab.exercises.predictions import LENGTH, Prediction
from lengthlab.exercises.texts import read_formula, require_formula, values
from lengthlab.fixed_points import chi
from lengthlab.gaussian import mean_square
from lengthlab.length_map import length_map
from lengthlab.network import Network
from lengthlab.unit_scale import unit_scale

TANH = unit_scale("tanh")
LEAKY = activation("leaky_relu", slope=0.2)
CHI_TANH = chi(Network("tanh", sigma_w=TANH), 1.0).value
MEAN_SIGMOID_2 = mean_square(activation("sigmoid"), 1.0).estimate.value


def sine_scale(c: float, sigma_b: float, keep: float) -> float:
    """Return the unit scale of sin(c x): E sin(c Z)^2 = (1 - exp(-2 c^2)) / 2."""
    return math.sqrt(keep * (1 - sigma_b**2) / _sine_square(c))


def _sine_square(c: float) -> float:
    return (1 - math.exp(-2 * c**2)) / 2


def _with_moment(moment: Callable[[float], float]) -> Callable[[float, float, float], float]:
    """Put a wrong E sin(c Z)^2 into the right equation."""
    return lambda c, sigma_b, keep: math.sqrt(keep * (1 - sigma_b**2) / moment(c))


def _other_scale(answer: Any) -> str | None:
    phi = read_formula(answer)
    points = (-2.0, -1.0, 0.5, 3.0)
    if all(math.isclose(phi(t), t * phi(1.0), abs_tol=1e-12) for t in points):
        return "this phi is linear. Bend it."
    if all(phi(t) == phi(1.0) for t in points):
        return "this phi is constant: no layer sees the one before it."
    moment = mean_square(phi, 1.0).estimate
    if moment.overflow:
        return "E phi(Z)^2 is finite here, and too large for a computer: choose a tamer phi."
    if math.isinf(moment.value):
        return "E phi(Z)^2 is infinite: with this phi no sigma_w keeps a length of 1."
    try:
        scale = unit_scale(phi)
    except ValueError as error:
        raise Refusal(f"{error}.") from None
    if abs(scale - 1) <= 0.005:
        return None
    return f"the unit scale of {answer} is {scale:.4g}, and 1 is wanted."


ENTRIES = (
    Number(
        id="9.a",
        title="V(0.8) for ReLU with sigma_w = 1, sigma_b = 0.5",
        target=lambda: 0.8 / 2 + 0.5**2,
        wrong=(
            Wrong(0.8 / 2 + 0.5, "sigma_b is a standard deviation: square it."),
            Wrong(0.8 + 0.5**2, "ReLU halves the mean square: E ReLU(sqrt(q) Z)^2 = q/2."),
            Wrong(0.8 / 2, "the bias adds its variance sigma_b^2 too."),
        ),
        hints=("Lesson 3: V(q) = sigma_w^2 E phi(sqrt(q) Z)^2 + sigma_b^2.",),
        solution=Solution("answer = 0.8 / 2 + 0.5**2", "V(q) = q/2 + 0.25 with these scales."),
        then="Which q does this V keep?",
    ),
    Number(
        id="9.b",
        title="Width at which ReLU's layer 2 has excess kurtosis 0.15",
        target=lambda: 15 / 0.15,
        tolerance=1e-6,
        wrong=(
            Wrong(15 * 0.15, "the excess is 15/N: solve 15/N = 0.15 for N."),
            Wrong(5 / 0.15, "5/N is the relative variance of v_2. The excess is 3 times that."),
            Wrong(0.01, "the other way round: N = 15 / 0.15."),
        ),
        hints=("Lesson 8: the excess kurtosis in layer 2 is 15/N, without biases.",),
        solution=Solution("answer = 15 / 0.15", "15/N = 0.15 at N = 100."),
        then="And in layer 3?",
    ),
    Prediction(
        id="9.1", title="length at layer 50 of tanh with sigma_w = 1, sigma_b = 0", quantity=LENGTH
    ),
    Choice(
        id="9.2",
        title="tanh at unit scale with an input in {-1, 1}^N",
        right="c",
        wrong=(
            Wrong(
                "a",
                "unit scale keeps a length of 1 that a layer has already. There is no phi in front "
                "of layer 1, so an input with |x_0|^2 / N = 1 gives it the length sigma_w^2.",
            ),
            Wrong(
                "b",
                "ReLU keeps every length, because its V is a straight line through 0. The V of "
                "tanh bends: it keeps 1, and moves everything else.",
            ),
            Wrong(
                "d",
                "so it would be at sigma_w = 1. At unit scale the weights make up for what tanh "
                "takes away, exactly at length 1 and more than that below.",
            ),
        ),
        hints=(
            "Layer 1 has no phi in front of it: what is the length of W_1 x_0 per node?",
            "Draw the cobweb of lesson 3, with V(1) = 1 and a V that flattens.",
        ),
        solution=Solution(
            'answer = "c"',
            f"Layer 1 has length sigma_w^2 = {TANH**2:.4g}. Above 1 the curve of V lies below the "
            "diagonal, below 1 above it, and V rises: so the lengths fall to 1, "
            f"{length_map(Network('tanh', sigma_w=TANH), depth=3).values[2]:.4g} in layer 3.",
        ),
        then="By which factor would you scale the input so that it enters at 1?",
    ),
    Number(
        id="9.3",
        title="Unit scale of the leaky ReLU with slope 0.2, sigma_b = 0.6",
        target=lambda: unit_scale(LEAKY, sigma_b=0.6),
        wrong=(
            Wrong(unit_scale(LEAKY), "that is the scale without biases; they give 0.36 already."),
            Wrong(unit_scale(LEAKY, sigma_b=0.6) ** 2, "that is sigma_w^2. Take the root."),
            Wrong(math.sqrt(2), "that is He's scale, for slope 0 and no biases."),
            Wrong(
                math.sqrt((1 - 0.6) / 0.52),
                "the biases give sigma_b^2 of the length, not sigma_b.",
            ),
            Wrong(
                math.sqrt(0.64 / 0.6),
                "the slope enters squared: E phi(Z)^2 = (1 + s^2) / 2, not (1 + s) / 2.",
            ),
            Wrong(math.sqrt(0.64 * 0.52), "divide by E phi(Z)^2, do not multiply."),
        ),
        hints=(
            "Half of the nodes are positive: E phi(Z)^2 = (1 + s^2) / 2.",
            "1 = sigma_w^2 * 0.52 + 0.36.",
        ),
        solution=Solution(
            "answer = ((1 - 0.6**2) / ((1 + 0.2**2) / 2)) ** 0.5",
            "E phi(Z)^2 = (1 + 0.04) / 2 = 0.52, so sigma_w^2 = 0.64 / 0.52.",
        ),
        then="Is every length kept here, as without biases?",
    ),
    Function(
        id="9.4",
        title="Unit scale of sin(c x), with biases and dropout",
        name="unit",
        reference=sine_scale,
        cases=((1.0, 0.0, 1.0), (2.0, 0.3, 0.8), (0.5, 0.6, 0.5)),
        wrong=(
            Wrong(
                lambda c, sigma_b, keep: sine_scale(c, sigma_b, 1.0),
                "dropout is missing: it divides E phi^2 by the keep probability.",
            ),
            Wrong(
                lambda c, sigma_b, keep: sine_scale(c, sigma_b, 1 / keep),
                "the wrong way round: dropout makes the next layer longer, so sigma_w becomes "
                "smaller.",
            ),
            Wrong(
                lambda c, sigma_b, keep: sine_scale(c, sigma_b, keep**2),
                "a node that is kept is divided by p, its square by p^2, and it is kept with "
                "probability p: one factor 1/p is left.",
            ),
            Wrong(
                lambda c, sigma_b, keep: sine_scale(c, 0.0, keep),
                "the biases are missing: they give sigma_b^2 of the length 1.",
            ),
            Wrong(
                lambda c, sigma_b, keep: math.sqrt(keep * (1 - sigma_b) / _sine_square(c)),
                "sigma_b is a standard deviation: square it.",
            ),
            Wrong(
                lambda c, sigma_b, keep: sine_scale(c, sigma_b, keep) ** 2,
                "that is sigma_w^2. Take the root.",
            ),
            Wrong(
                _with_moment(lambda c: 0.5),
                "E sin(c Z)^2 = 1/2 would be right for very large c, where the phase is uniform.",
            ),
            Wrong(
                _with_moment(lambda c: (1 - math.exp(-2 * c)) / 2),
                "the variance of c Z is c^2, not c.",
            ),
            Wrong(
                _with_moment(lambda c: (1 - math.exp(-(c**2) / 2)) / 2),
                "E cos(t Z) = exp(-t^2 / 2), and here t = 2c.",
            ),
        ),
        hints=(
            "sin(y)^2 = (1 - cos(2 y)) / 2, and E cos(t Z) = exp(-t^2 / 2).",
            "With probability p a node is divided by p, else it is 0: E phi^2 is divided by p.",
            "1 = sigma_w^2 / p * (1 - exp(-2 c^2)) / 2 + sigma_b^2.",
        ),
        solution=Solution(
            "import math\n\n"
            "def answer(c, sigma_b, keep):\n"
            "    second_moment = (1 - math.exp(-2 * c**2)) / 2\n"
            "    return math.sqrt(keep * (1 - sigma_b**2) / second_moment)",
            "E sin(c Z)^2 = (1 - exp(-2 c^2)) / 2. Biases take sigma_b^2 of the length away from "
            "what the weights must give, and dropout divides E phi^2 by the keep probability.",
        ),
        then="What does the scale tend to when c goes to 0, and why must it?",
    ),
    Find(
        id="9.5",
        title="A phi of your own, with unit scale 1",
        form=require_formula,
        missing=_other_scale,
        plain=values,
        wrong=(
            Wrong("x", "right, and too easy: it is linear. Bend it."),
            Wrong("tanh(x)", f"its unit scale is {TANH:.4g}. By what must phi be multiplied?"),
            Wrong(
                f"{TANH**2:.4g}*tanh(x)",
                "that is sigma_w^2. In the map phi is squared: multiply it by sigma_w.",
            ),
            Wrong(
                f"tanh({TANH:.4g}*x)",
                "this scales what goes in, and tanh bends it. Scale what comes out.",
            ),
            Wrong(
                f"tanh(x)/{TANH:.4g}",
                "E phi(Z)^2 is too small already: multiply, do not divide.",
            ),
        ),
        hints=(
            "Unit scale 1 means E phi(Z)^2 = 1.",
            "Take any phi with unit scale s. What is the unit scale of s * phi?",
            'll.unit_scale(ll.formula("...")) tells it.',
        ),
        solution=Solution(
            f'answer = "{TANH:.4g}*tanh(x)"',
            "The network sees sigma_w and phi in the product sigma_w phi only. So s * phi has "
            "unit scale 1 when phi has s: this is how SELU got its constants. abs(x) works too.",
        ),
        then="SELU has E phi(Z) = 0 as well. Which second constant would do this for yours?",
    ),
    Number(
        id="9.6",
        title="|x_0|^2 / N at which tanh at unit scale starts at length 1 (sigma_b = 0)",
        target=lambda: 1 / TANH**2,
        wrong=(
            Wrong(1, "then layer 1 has length sigma_w^2: the input is not passed through phi."),
            Wrong(TANH**2, "the other way round: sigma_w^2 |x_0|^2 / N must be 1."),
            Wrong(1 / TANH, "a squared length is asked for."),
            Wrong(TANH, "that is sigma_w."),
        ),
        hints=("q_1 has the mean sigma_w^2 |x_0|^2 / N.", "1 / sigma_w^2, which is E tanh(Z)^2."),
        solution=Solution(
            'import lengthlab as ll\n\nanswer = 1 / ll.unit_scale("tanh") ** 2',
            "1 = sigma_w^2 |x_0|^2 / N. That is E tanh(Z)^2: the length after phi of a layer that "
            "has length 1 before it. The input then looks like the output of such a layer.",
        ),
        then="With biases, and the unit scale that belongs to them, the answer is the same. Why?",
    ),
    Words(
        id="9.7",
        title="Proof step: tanh with sigma_w = 1 decays like 1/(2 l)",
        points=(
            "tanh(x)^2 < x^2 for x not 0, so V(q) < q for q > 0: the lengths fall, to a limit "
            "that V keeps, and 0 is the only one",
            "tanh(x)^2 = x^2 - (2/3) x^4 + a rest below C x^6 for all x, and E Z^4 = 3: "
            "V(q) = q - 2 q^2 + a rest below C' q^3",
            "1/V(q) - 1/q = (q - V(q)) / (q V(q)) tends to 2 as q goes to 0",
            "so the differences of 1/q_l tend to 2, and so does their average: 1/(l q_l) tends "
            "to 2 (Cesaro)",
        ),
        hints=(
            "Expand tanh(x)^2 at 0 and take means: V(q) = q - 2 q^2 + ...",
            "Look at 1/q_l instead of q_l: by how much does it grow in one layer?",
        ),
        solution=Solution(
            'answer = "1/q grows by about 2 a layer: so q_l is about 1/(2 l)."',
            "V(q) = q - 2 q^2 + O(q^3) gives 1/V(q) = 1/q + 2 + O(q). The lengths go to 0, so "
            "1/q_(l+1) - 1/q_l tends to 2. Averages of a convergent sequence tend to its limit: "
            "1/(l q_l) tends to 2.",
        ),
        then="For another odd phi with slope 1 at 0 and phi(x) = x - a x^3 + ..., a > 0: what "
        "takes the place of 1/2?",
    ),
    Words(
        id="9.8",
        title="Open: what unit scale does not promise",
        points=(
            "one number was made right, the squared length at 1; you named another quantity and "
            "looked at it for a few activations",
            "a length near 1 may run away from 1: the slope of V there (ll.slope) is above 1 for "
            "GELU and SiLU",
            "differences of two inputs, and gradients, change by the factor ll.chi in each layer: "
            f"{CHI_TANH:.4g} for tanh at unit scale",
            f"part of the length may say nothing of the input: for sigmoid E phi(Z)^2 is "
            f"{MEAN_SIGMOID_2:.4g}, of which the square of the mean makes up {0.5**2:.4g}",
            "at finite width the lengths vary, and more with depth; the weights do not stay "
            "random once training begins",
        ),
        hints=(
            "ll.slope(net, 1.0) and ll.chi(net, 1.0), with net at unit scale.",
            "Compare relu, tanh, gelu and sigmoid.",
        ),
        solution=Solution(
            'answer = "It keeps the length 1. Angles and gradients it does not."',
            "Unit scale is one condition on one number, so it can keep one quantity. ReLU is the "
            "lucky case: slope and chi are 1 as well. For tanh a choice must be made between the "
            "length (unit scale) and the gradients (chi = 1, at another sigma_w).",
        ),
        then="Which of these would you rather keep, if you could keep only one?",
    ),
)
