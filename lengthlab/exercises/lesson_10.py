"""Lesson 10: fixed points and stability."""

import math
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
    require_number,
)
from lengthlab.exercises.predictions import SHARE, Prediction
from lengthlab.fixed_points import slope
from lengthlab.gaussian import mean_square
from lengthlab.network import Network
from lengthlab.unit_scale import unit_scale

E_TANH_2 = mean_square(activation("tanh"), 1.0).estimate.value
SILU = slope(Network("silu", sigma_w=unit_scale("silu")), 1.0).value
WANTED = -0.45


def normal_density(t: float) -> float:
    """Density of Normal(0, 1)."""
    return math.exp(-t * t / 2) / math.sqrt(2 * math.pi)


def _step_slope(q: float, sigma_w: float) -> float:
    """V'(q) for the step at 1: phi(x) = 1 for x > 1, and 0 otherwise."""
    t = 1 / math.sqrt(q)
    return sigma_w**2 * normal_density(t) * t**3 / 2


def gaussian_fixed_point(sigma_w: float) -> tuple[float, float]:
    """Return the fixed point of the map of exp(-x^2), and the slope there (sigma_b = 0).

    In log q the map ``sigma_w^2 (1 + 4 q)^(-1/2)`` is a contraction by 1/2, from every start.
    """
    q = 1.0
    for _ in range(120):
        q = sigma_w**2 / math.sqrt(1 + 4 * q)
    return q, -2 * q / (1 + 4 * q)


def _scale(answer: Any) -> None:
    require_number(answer)
    if not 0 < answer < 1e50:
        msg = f"a sigma_w > 0 of ordinary size is wanted here, not {answer:.4g}."
        raise Refusal(msg)


def _too_flat(sigma_w: Any) -> str | None:
    q, steep = gaussian_fixed_point(float(sigma_w))
    if steep < WANTED:
        return None
    return f"with sigma_w = {sigma_w:.4g} the fixed point is {q:.4g} and the slope {steep:.4g}."


ENTRIES = (
    Number(
        id="10.a",
        title="V(1) for tanh with sigma_w^2 = 2, sigma_b = 0, given E tanh(Z)^2 = 0.3943",
        target=lambda: 2 * E_TANH_2,
        wrong=(
            Wrong(math.sqrt(2) * E_TANH_2, "V carries sigma_w^2, and here sigma_w^2 = 2."),
            Wrong(1, "He's scale keeps a length of 1 for ReLU. This is tanh."),
            Wrong(E_TANH_2, "that is E tanh(Z)^2; V multiplies it by sigma_w^2."),
            Wrong(4 * E_TANH_2, "sigma_w^2 is 2 already: do not square it again."),
        ),
        hints=("V(q) = sigma_w^2 E phi(sqrt(q) Z)^2 + sigma_b^2, at q = 1.",),
        solution=Solution(
            "answer = 2 * 0.3943",
            "At q = 1 the mean is E tanh(Z)^2. The length 1 is not kept: it falls in one layer.",
        ),
        then="By which factor must sigma_w grow for V(1) = 1?",
    ),
    Choice(
        id="10.b",
        title="q_1 in one random network of width 512 when the map starts at 1",
        right="b",
        wrong=(
            Wrong("a", "the map is exact only at infinite width: q_1 = v_1 |z_1|^2 / N is random."),
            Wrong(
                "c",
                "lesson 1: Var q_1 = 2 v_1^2 / N, which is small at N = 512, not of size 1.",
            ),
        ),
        hints=("Lesson 1: q_1 = v_1 chi2_N / N.", "Its sd is sqrt(2 / N)."),
        solution=Solution(
            'answer = "b"',
            "v_1 = 1 and q_1 = chi2_N / N has mean 1 and sd sqrt(2 / 512) = 1/16.",
        ),
        then="The next layer starts with a length that is off by a few per cent. What does V do "
        "with this error?",
    ),
    Prediction(
        id="10.1", title="share of GELU networks with q_40 between 1/2 and 2", quantity=SHARE
    ),
    Choice(
        id="10.2",
        title="GELU at width 512 and the theorem",
        right="c",
        wrong=(
            Wrong(
                "a",
                "GELU is permissible, so the theorem holds for it. Look at the order of its "
                "quantifiers: depth first, then N_0.",
            ),
            Wrong(
                "b",
                "GELU is continuous and |phi(x)| <= |x|: all three conditions hold.",
            ),
            Wrong(
                "d",
                "rounding is 14 powers of ten smaller than the chance in a layer of 512 "
                "nodes, sqrt(2 / 512) = 1/16. Chance starts it.",
            ),
        ),
        hints=(
            "In which order do D, eps, delta and N_0 appear in the theorem?",
            "What does the theorem say about N = 512?",
        ),
        solution=Solution(
            'answer = "c"',
            "For every D there is an N_0. With a slope above 1 it grows with D like a power of "
            "that slope, and 512 is far below N_0 for D = 40.",
        ),
        then="How fast does N_0 grow with D when the slope is below 1, 1, or above 1? Lesson 11.",
    ),
    Number(
        id="10.3",
        title="sigma_b at which the slope at 1 is 1, for SiLU at unit scale",
        target=lambda: math.sqrt(1 - 1 / SILU),
        wrong=(
            Wrong(1 - 1 / SILU, "that is sigma_b^2. The question asks for sigma_b."),
            Wrong(
                math.sqrt(SILU - 1),
                "the slope is multiplied by 1 - sigma_b^2; solve s (1 - sigma_b^2) = 1, not "
                "s - sigma_b^2 = 1.",
            ),
            Wrong(
                math.sqrt(1 / SILU),
                "1 / s is the share of the length that the weights keep, 1 - sigma_b^2.",
            ),
            Wrong(
                1 - 1 / math.sqrt(SILU),
                "variances add, not standard deviations: the weights keep 1 - sigma_b^2, not "
                "(1 - sigma_b)^2.",
            ),
            Wrong(0, f"without a bias the slope is {SILU:.4g}."),
        ),
        hints=(
            "Unit scale with a bias: sigma_w^2 = (1 - sigma_b^2) / E phi(Z)^2.",
            "The slope is sigma_w^2 times something that does not know the bias. So at unit scale "
            "it is s (1 - sigma_b^2), with s its value at sigma_b = 0.",
            's = ll.slope(ll.Network("silu", sigma_w=ll.unit_scale("silu")), 1.0).value',
        ),
        solution=Solution(
            "import lengthlab as ll\n\n"
            'net = ll.Network("silu", sigma_w=ll.unit_scale("silu"))\n'
            "s = ll.slope(net, 1.0).value\n"
            "answer = (1 - 1 / s) ** 0.5",
            "The bias adds a fixed share sigma_b^2 to the length, and what is fixed does not "
            "multiply errors. The slope s (1 - sigma_b^2) falls to 1 at "
            f"sigma_b = {math.sqrt(1 - 1 / SILU):.4g}. Just above that value the fixed point is "
            "stable, but another one lies close above 1: an input that starts beyond it still "
            "grows without end.",
        ),
        then="What is this sigma_b for x^2, whose slope is 2?",
    ),
    Function(
        id="10.4",
        title="The slope of V for the step at 1",
        name="slope",
        reference=_step_slope,
        cases=((1.0, 1.5), (0.25, 1.0), (4.0, 2.0)),
        tolerance=1e-3,
        wrong=(
            Wrong(
                lambda q, sigma_w: 0.0,
                "phi' is 0 wherever it exists, and V still rises: the jump counts. Differentiate "
                "V, or use the formula without phi'.",
            ),
            Wrong(
                lambda q, sigma_w: _step_slope(q, 1.0),
                "sigma_w does not change your answer: V carries the factor sigma_w^2.",
            ),
            Wrong(
                lambda q, sigma_w: 2 * _step_slope(q, sigma_w),
                "a factor 1/2 is missing: it comes with the derivative of 1 / sqrt(q).",
            ),
            Wrong(
                lambda q, sigma_w: -_step_slope(q, sigma_w),
                "the sign: P(Z > t) falls in t, and t = 1 / sqrt(q) falls in q.",
            ),
            Wrong(
                lambda q, sigma_w: sigma_w**2 * normal_density(q**-0.5),
                "the chain rule: t = 1 / sqrt(q) has a derivative too.",
            ),
            Wrong(
                lambda q, sigma_w: q * _step_slope(q, sigma_w),
                "right at q = 1 only: the formula divides by 2 q, not by 2.",
            ),
            Wrong(
                lambda q, sigma_w: sigma_w**2 * normal_density(1 / q) / q**2,
                "the threshold is 1 / sqrt(q), not 1 / q: h = sqrt(q) Z.",
            ),
            Wrong(
                lambda q, sigma_w: _step_slope(q, math.sqrt(sigma_w)),
                "sigma_w is a standard deviation: V carries sigma_w^2.",
            ),
        ),
        hints=(
            "Lesson 3: V(q) = sigma_w^2 P(Z > 1 / sqrt(q)) + sigma_b^2.",
            "The derivative of P(Z > t) in t is minus the normal density at t.",
            "The derivative of q^(-1/2) is -q^(-3/2) / 2.",
        ),
        solution=Solution(
            "import math\n\n"
            "def answer(q, sigma_w):\n"
            "    density = math.exp(-1 / (2 * q)) / math.sqrt(2 * math.pi)\n"
            "    return sigma_w**2 * density / (2 * q**1.5)",
            "The chain rule, twice. The formula of the lesson gives the same: "
            "E[(Z^2 - 1); Z > t] = t times the density at t, with t = 1 / sqrt(q). Nobody "
            "needed a derivative of phi, which is 0 almost everywhere.",
        ),
        then="At which q is V steepest?",
    ),
    Find(
        id="10.5",
        title="A sigma_w for which the slope at the fixed point of exp(-x^2) is below -0.45",
        form=_scale,
        missing=_too_flat,
        wrong=(
            Wrong(
                1,
                f"there the slope is {gaussian_fixed_point(1.0)[1]:.4g}: negative, and not yet "
                "enough. Which way must q* go?",
            ),
            Wrong(
                unit_scale("gaussian"),
                "that is the unit scale: q* = 1, and the slope is -2/5 exactly.",
            ),
            Wrong(
                1.5,
                "1.5 is the root of q* = 2.25. But sigma_w^2 is not q*: it is q* sqrt(1 + 4 q*).",
            ),
            Wrong(
                2.25,
                "2.25 is the length q* at which the slope is -0.45. Now find the sigma_w that "
                "has this fixed point.",
            ),
        ),
        hints=(
            "V(q) = sigma_w^2 (1 + 4 q)^(-1/2). Differentiate, then put sigma_w^2 = "
            "q* sqrt(1 + 4 q*).",
            "The slope at the fixed point is -2 q* / (1 + 4 q*). Solve for q*.",
            "q* > 2.25, and sigma_w^2 = q* sqrt(1 + 4 q*).",
        ),
        solution=Solution(
            "q = 2.3\nanswer = (q * (1 + 4 * q) ** 0.5) ** 0.5",
            "V'(q) = -2 sigma_w^2 (1 + 4 q)^(-3/2), which at the fixed point is "
            "-2 q* / (1 + 4 q*). It is below -0.45 when q* > 2.25, and every q* is reached by "
            "sigma_w^2 = q* sqrt(1 + 4 q*). So every sigma_w above about 2.667 will do.",
        ),
        then="How far down can the slope go when sigma_w grows without end?",
    ),
    Words(
        id="10.6",
        title="Proof step: the slope formula, and a floor under every slope",
        points=(
            "V(q) - sigma_b^2 is sigma_w^2 times the integral of phi(x)^2 against the density of "
            "Normal(0, q): q stands in the density only",
            "the derivative of that density in q is the density times (x^2 / q - 1) / (2 q)",
            "for q in [a, b], a > 0, this is bounded by one integrable function of x; phi is "
            "bounded: so one may differentiate under the integral",
            "x = sqrt(q) z gives V'(q) = sigma_w^2 E[phi(sqrt(q) Z)^2 (Z^2 - 1)] / (2 q)",
            "E[phi^2 Z^2] >= 0, so V'(q) >= -(V(q) - sigma_b^2) / (2 q)",
            "at a fixed point V(q) = q, so V'(q) >= -1/2",
        ),
        hints=(
            "Substitute x = sqrt(q) z, so that phi is read at a fixed x (exercise 3.7).",
            "The logarithm of the density is -x^2 / (2 q) - log(q) / 2 + constant.",
            "For the floor, drop the term with Z^2.",
        ),
        solution=Solution(
            'answer = "Differentiate the density; then drop E phi^2 Z^2 >= 0."',
            "d/dq log density = x^2 / (2 q^2) - 1 / (2 q). Under the integral, and back to z, "
            "this is the formula. Of its two terms the first is not negative, and the second is "
            "-(V(q) - sigma_b^2) / (2 q), which is -(1 - sigma_b^2 / q) / 2 at a fixed point, and "
            "so -1/2 or more.",
        ),
        then="So no fixed point is unstable by overshooting. Could the map still jump between "
        "two lengths for ever? The folded proof has the answer.",
    ),
    Words(
        id="10.7",
        title="Open: which unit scales are stable, and why?",
        points=(
            "you computed the slope at 1 at unit scale for many names of ll.catalogue(), and left "
            "out those whose E phi(Z)^2 is 0 or infinite",
            "the bounded ones (tanh, erf, sin, sigmoid, sign) came out stable",
            "x^2, its one-sided form and exp came out with slope 2",
            "GELU, SiLU and mish lie a little above 1; ELU and SELU a little below",
            "you compared phi(x)^2 + phi(-x)^2 with x^2: where the quotient falls with |x| the "
            "fixed point is stable, where it rises it is not",
            "you found a phi whose quotient is not monotone (sin, exp), for which the rule is "
            "silent and the slope must be computed",
        ),
        hints=(
            "for name in ll.catalogue(): ll.unit_scale raises ValueError where there is none.",
            "Plot (phi(x)^2 + phi(-x)^2) / (2 x^2) for x > 0.",
        ),
        solution=Solution(
            'answer = "Stable: phi^2 grows more slowly than x^2. Unstable: faster."',
            "V(q) / q = sigma_w^2 E[Z^2 G(sqrt(q) |Z|)] with G(x) = (phi(x)^2 + phi(-x)^2) / "
            "(2 x^2). If G falls, V(q) / q falls, so V is above the diagonal to the left of 1 and "
            "below it to the right. If G rises it is the other way round. ReLU, abs and the "
            "identity have a constant G: every length is kept. That GELU is unstable is no "
            "accident of a decimal: G rises from 1/4 to 1/2.",
        ),
        then="Is a stable fixed point always what you want? Lesson 12 looks at two inputs.",
    ),
)
