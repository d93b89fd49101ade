"""Lesson 13: your own phi."""

import math
from typing import Any

import numpy as np

from lengthlab.activations import Activation, activation
from lengthlab.assumptions import assess
from lengthlab.exercises.functions import Function
from lengthlab.exercises.kinds import (
    Choice,
    Find,
    Number,
    Solution,
    Words,
    Wrong,
)
from lengthlab.exercises.predictions import LENGTH, Prediction
from lengthlab.exercises.texts import read_formula, require_formula, values
from lengthlab.fixed_points import slope
from lengthlab.formula import formula
from lengthlab.gaussian import critical_variance, mean_square
from lengthlab.length_map import length_map
from lengthlab.network import Network
from lengthlab.unit_scale import unit_scale

X_COS = formula("x * cos(x)")
UNIT = unit_scale(X_COS)


def exponent(phi: Activation) -> float:
    """V'(1) at unit scale: the power of x that phi resembles there."""
    return slope(Network(phi, sigma_w=unit_scale(phi)), 1.0).value


X_COS_EXPONENT = exponent(X_COS)
START = float(
    length_map(Network(X_COS, sigma_w=UNIT, input_length=0.9 / UNIT**2), depth=60).values[-1]
)


def _closed_form(
    q: float, sigma_w: float, *, factor: float = 0.5, shift: float = -4.0, by_q: bool = True
) -> float:
    """V(q) for x cos x without bias, or a mistake that is made in finding it."""
    mean = factor * (1 + (1 + shift * (q if by_q else 1.0)) * math.exp(-2 * q))
    return sigma_w**2 * q * mean


# --- 13.5: bounded, and yet unstable --------------------------------------------------------------

_FAR = np.logspace(-3, 6, 4001)
_UNSTABLE = 1.1


def _bounded(phi: Activation) -> bool:
    """Whether |phi| stays within what it reaches for |x| < 1000, as far as 10^6."""
    if assess(phi).bounded.holds is False:
        return False
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(phi(_FAR)), np.abs(phi(-_FAR)))
    near, far = size[_FAR < 1e3].max(), size[_FAR >= 1e3].max()
    return bool(np.isfinite(far) and far <= 1.01 * near)


def _not_so(text: Any) -> str | None:
    phi = read_formula(text)
    if not _bounded(phi):
        return "this phi is not bounded: |phi(x)| grows beyond every limit."
    try:
        found = exponent(phi)
    except ValueError:
        return "this phi has no unit scale: E phi(Z)^2 is 0, or infinite."
    if found >= _UNSTABLE:
        return None
    return f"bounded, with V'(1) = {found:.4g} at unit scale: that is not {_UNSTABLE} or more."


ENTRIES = (
    Choice(
        id="13.a",
        title="Two inputs, x cos x without bias, at a length that is kept",
        right="b",
        wrong=(
            Wrong("a", "that is so for chi <= 1. An odd phi without bias has chi > 1."),
            Wrong("c", "all pairs but equal and opposite ones go to the same fixed point."),
        ),
        hints=("x cos x is odd. What is R(0)?", "Exercise 12.6."),
        solution=Solution(
            'answer = "b"',
            "phi is odd and sigma_b = 0, so R(0) = 0, and R lies below the diagonal.",
        ),
        then="One line of the passport, without any computation.",
    ),
    Number(
        id="13.b",
        title="The Q of exp(0.1 x^2)",
        target=lambda: critical_variance(activation("exp_square", c=0.1), 2),
        tolerance=1e-6,
        wrong=(
            Wrong(5, "phi is squared: E exp(0.2 q Z^2) is finite for 0.2 q < 1/2."),
            Wrong(10, "the density exp(-z^2 / 2) has a factor 1/2, and phi is squared."),
            Wrong(
                1.25, "that is where the variance of phi^2 becomes infinite. Q is about its mean."
            ),
        ),
        hints=("phi(sqrt(q) Z)^2 = exp(0.2 q Z^2).", "E exp(s Z^2) is finite for s < 1/2."),
        solution=Solution(
            "answer = 1 / (4 * 0.1)",
            "E exp(2 c q Z^2) = (1 - 4 c q)^(-1/2), finite for q < 1/(4c).",
        ),
        then="A passport gives Q, and the length map says whether a network gets there.",
    ),
    Prediction(
        id="13.1",
        title="length map at layer 10: x cos x at unit scale, default input",
        quantity=LENGTH,
    ),
    Choice(
        id="13.2",
        title="x cos x at unit scale, an input in {-1, 1}^N, width one million, layer 20",
        right="c",
        wrong=(
            Wrong(
                "a",
                "unit scale says V(1) = 1 and no more. The input enters at sigma_w^2 = "
                f"{UNIT**2:.4g}, not at 1.",
            ),
            Wrong(
                "b",
                f"from below 1 it would go to {START:.4g}. The input enters above 1, and V(q) > q "
                "there.",
            ),
            Wrong(
                "d",
                "the theorem says that q_20 comes close to the map, wherever the map is. Here the "
                "map itself runs off.",
            ),
        ),
        hints=(
            "At which length does the input enter?",
            f"1 is a fixed point with slope {X_COS_EXPONENT:.4g}. On which side do you start?",
        ),
        solution=Solution(
            'answer = "c"',
            f"The input enters at {UNIT**2:.4g}, above the unstable fixed point 1. For large q the "
            "cosine averages out, V(q) is about sigma_w^2 q / 2, and the length grows by "
            f"{UNIT**2 / 2:.4g} a layer.",
        ),
        then="Which input_length would you choose for this network?",
    ),
    Number(
        id="13.3",
        title="V'(1) at unit scale for x^3",
        target=lambda: exponent(formula("x^3")),
        tolerance=1e-4,
        wrong=(
            Wrong(7, "that is M = E Z^8 / E Z^6. The slope is (M - 1) / 2."),
            Wrong(6, "that is M - 1. Halve it."),
            Wrong(3.5, "that is M / 2. The slope is (M - 1) / 2."),
            Wrong(1, "unit scale fixes V(1) = 1, not the slope."),
        ),
        hints=(
            "M = E Z^2 phi(Z)^2 / E phi(Z)^2 = E Z^8 / E Z^6.",
            "E Z^6 = 15 and E Z^8 = 105.",
        ),
        solution=Solution(
            "answer = (105 / 15 - 1) / 2",
            "M = 105 / 15 = 7 and the slope is 3, the exponent: V(q) = sigma_w^2 15 q^3 = q^3.",
        ),
        then="And for |x|^p? E|Z|^(2p + 2) = (2p + 1) E|Z|^(2p), by parts.",
    ),
    Function(
        id="13.4",
        title="V for x cos x, in closed form",
        name="V",
        reference=lambda q, sigma_w: sigma_w**2 * mean_square(X_COS, q).estimate.value,
        cases=((1.0, 1.5), (0.25, 1.0), (2.0, 1.2)),
        wrong=(
            Wrong(
                lambda q, sigma_w: sigma_w**2 * q * (1 + math.exp(-2 * q)) / 2,
                "you took E Z^2 cos^2 as E Z^2 times E cos^2. Both see the same Z.",
            ),
            Wrong(
                lambda q, sigma_w: _closed_form(q, sigma_w, shift=4.0),
                "a sign: E Z^2 cos(tZ) is minus the second derivative of exp(-t^2 / 2) by t.",
            ),
            Wrong(
                lambda q, sigma_w: _closed_form(q, sigma_w, factor=1.0),
                "cos^2 = (1 + cos 2x) / 2: the half is missing.",
            ),
            Wrong(
                lambda q, sigma_w: _closed_form(q, sigma_w, shift=-1.0),
                "the angle is doubled: t = 2 sqrt(q), so t^2 = 4q.",
            ),
            Wrong(
                lambda q, sigma_w: _closed_form(q, sigma_w, by_q=False),
                "t^2 = 4q, also in the factor 1 - t^2.",
            ),
            Wrong(
                lambda q, sigma_w: _closed_form(q, sigma_w) / q,
                "phi(x)^2 = x^2 cos(x)^2, and x^2 = q Z^2: a factor q is missing.",
            ),
            Wrong(
                lambda q, sigma_w: _closed_form(q, sigma_w) / sigma_w,
                "sigma_w is a standard deviation: V carries sigma_w^2.",
            ),
        ),
        hints=(
            "cos(x)^2 = (1 + cos(2x)) / 2.",
            "E cos(tZ) = exp(-t^2 / 2). Differentiate twice by t to find E Z^2 cos(tZ).",
            "E Z^2 cos(tZ) = (1 - t^2) exp(-t^2 / 2), with t = 2 sqrt(q).",
        ),
        solution=Solution(
            "import math\n\n"
            "def answer(q, sigma_w):\n"
            "    return sigma_w**2 * q / 2 * (1 + (1 - 4 * q) * math.exp(-2 * q))",
            "E phi(sqrt(q) Z)^2 = q E Z^2 (1 + cos(2 sqrt(q) Z)) / 2, and E Z^2 cos(tZ) = "
            "(1 - t^2) exp(-t^2 / 2).",
        ),
        then="For small q this is sigma_w^2 q, for large q half of it. Why?",
    ),
    Find(
        id="13.5",
        title="A bounded phi with V'(1) of 1.1 or more at unit scale",
        form=require_formula,
        missing=_not_so,
        plain=values,
        wrong=(
            Wrong(
                "tanh(x)",
                "here |phi(x)| / |x| falls: by the criterion the slope is below 1.",
            ),
            Wrong(
                "x*cos(x)",
                "its slope is above 1, but it is not bounded: it swings up to |x|.",
            ),
            Wrong("x^2", "its slope is 2, but it is not bounded."),
            Wrong(
                "step(x)",
                "its length is 1/2 whatever q is: slope 0. Where does a step have to "
                "stand, so that a longer input crosses it more often?",
            ),
            Wrong(
                "1-exp(-x^2)",
                "near 0 it grows like x^2, but Z is often where it is already flat: the slope is "
                f"{exponent(formula('1-exp(-x^2)')):.4g}.",
            ),
        ),
        hints=(
            "V'(1) > 1 needs M > 3: most of phi^2 must sit where Z^2 is above 3.",
            "Let phi be 0 for all but large x.",
            '"step(x - t)", and a t.',
        ),
        solution=Solution(
            'answer = "step(x - 2)"',
            "Only nodes above 2 count, so phi^2 sits where Z^2 > 4, and M > 4. Here the slope is "
            f"{exponent(formula('step(x - 2)')):.4g}. A bounded phi keeps lengths finite; it need "
            "not keep them at 1.",
        ),
        then="Where do lengths above 1 end with your phi, and where those below 1?",
    ),
    Words(
        id="13.6",
        title="Proof step: the unit scale of GELU is unstable",
        points=(
            "GELU is x F(x), with F the normal distribution function, and F(-x) = 1 - F(x)",
            "g(x) = (F(x)^2 + (1 - F(x))^2) / 2 for x > 0",
            "with u = F(x) - 1/2 this is 1/4 + u^2: it grows with x > 0, and is not constant",
            "so V(q) / q = sigma_w^2 E Z^2 g(sqrt(q)|Z|) grows strictly in q, and is 1 at q = 1",
            "lengths above 1 grow: a limit would be a fixed point above 1, and there is none",
            "the default input enters at sigma_w^2 > 1, because E GELU(Z)^2 < E Z^2 = 1",
        ),
        hints=(
            "Compute g(x) = (phi(x)^2 + phi(-x)^2) / (2 x^2).",
            "a^2 + (1 - a)^2 = 1/2 + 2 (a - 1/2)^2.",
        ),
        solution=Solution(
            'answer = "g = 1/4 + (F - 1/2)^2 grows, so V(q)/q grows through 1."',
            "V(q) / q is a mean of g(sqrt(q)|Z|) with weight Z^2, and g grows. So V(q) > q for "
            "q > 1: the lengths rise, and as no fixed point is above 1, beyond every bound. SiLU "
            "has the logistic function in the place of F: the same proof.",
        ),
        then="And ELU? On the left |phi(x)| / |x| falls, on the right it is constant.",
    ),
    Words(
        id="13.7",
        title="Open: the passport of your own phi",
        points=(
            "the three assumptions, each with a reason of your own, not only the program's",
            "Q, and whether the lengths come near it",
            "E phi(Z)^2 by hand or by two ways, and unit sigma_w",
            "the slope there, what the criterion says, and which fixed points there are",
            "a network that you would use: sigma_w, sigma_b, input_length, with its reason",
            "band and N_0 for that network, and the layer of explosion if there is one",
            "three of these claims checked by simulation, with an error rate, and one "
            "neighbouring wrong claim that the same check refuses",
            "what is a theorem, what is computed, what is only an experiment",
        ),
        hints=(
            'phi = ll.formula("..."), then page("mine", phi).',
            "A check that cannot fail is worth nothing: try it on a wrong claim.",
        ),
        solution=Solution(
            'answer = "The page of x cos x in this lesson is one example."',
            "There is no single answer. A good passport says of each line how it is known, and "
            "somebody else can refute it with ten lines of code.",
        ),
        then="Give it to a friend who tries to refute a line.",
    ),
)
