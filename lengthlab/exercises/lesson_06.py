"""Lesson 6: growth below exp(x^2)."""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from lengthlab.activations import activation
from lengthlab.assumptions import assess
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
from lengthlab.exercises.predictions import LAYER, Prediction
from lengthlab.exercises.texts import letters
from lengthlab.formula import formula
from lengthlab.length_map import length_map
from lengthlab.network import Network

DEEP = 300
THRESHOLD = 1 / math.sqrt(108)  # of c sigma_w^2, at sigma_b = 0
LIST = {
    "a": "x^100",
    "b": "sinh(x)^3",
    "c": "exp(0.001 * x^2)",
    "d": "exp(abs(x)^1.9)",
    "e": "exp(x) * exp(-x^3)",
    "f": "exp(x^2 / log(2 + x^2))",
    "g": "1.01^(x^2)",
    "h": "exp(x^2) * exp(-x^2 + x)",
}


def first_infinite(c: float, sigma_w: float = 1.0, sigma_b: float = 0.0) -> int | None:
    """First layer whose length is infinite in the map of exp(c x^2), None within `DEEP` layers."""
    net = Network(activation("exp_square", c=c), sigma_w=sigma_w, sigma_b=sigma_b)
    return length_map(net, depth=DEEP).first_infinite


def _reference(c: float, sigma_w: float, sigma_b: float) -> float:
    return float(first_infinite(c, sigma_w, sigma_b) or math.inf)


def _layers(
    c: float,
    sigma_w: float,
    sigma_b: float,
    *,
    wall: float = 4.0,
    factor: float = 4.0,
    start: float | None = None,
    gain_power: int = 2,
    shift: int = 1,
) -> float:
    """Count layers to the first infinite one, or make one of the mistakes that are made."""
    gain, bias = sigma_w**gain_power, sigma_b**gain_power
    q, layer = gain + bias if start is None else start, 1
    while wall * c * q < 1 and factor * c * q < 1 and layer < DEEP:
        q, layer = gain / math.sqrt(1 - factor * c * q) + bias, layer + 1
    return layer + shift


def _mistake(**changes: Any) -> Callable[..., float]:
    return partial(_layers, **changes)


def _without_bias(c: float, sigma_w: float, sigma_b: float) -> float:
    return _layers(c, sigma_w, 0.0)


def _positive(answer: Any) -> None:
    require_number(answer)
    if answer <= 0:
        msg = f"a c > 0 is wanted here, not {answer:.4g}."
        raise Refusal(msg)


def _wrong_layer(c: Any) -> str | None:
    layer = first_infinite(float(c), 0.8, 0.5)
    if layer == 5:
        return None
    if layer is None:
        return (
            f"with c = {c:.4g} the map stays finite, here in all of {DEEP} layers: c is too small."
        )
    side = "too large" if layer < 5 else "too small"
    return f"with c = {c:.4g} layer {layer} is the first infinite one: c is {side}."


def _chosen(answer: Any) -> str:
    return letters(answer, example="ab", ordered=False)


def _of_the_list(answer: Any) -> None:
    unknown = sorted(set(_chosen(answer)) - set(LIST))
    if unknown:
        msg = f"the letters go from a to {max(LIST)}; {unknown[0]!r} is none of them."
        raise Refusal(msg)


@cache
def fulfils(letter: str) -> bool:
    """Whether one phi of the list fulfils condition (b)."""
    return assess(formula(LIST[letter])).growth.holds is True


def _misjudged(answer: Any) -> str | None:
    off = [letter for letter in LIST if (letter in _chosen(answer)) != fulfils(letter)]
    if not off:
        return None
    first = off[0]
    return (
        f"look at {first} again, {LIST[first]}: where does log|phi(x)| / x^2 tend, on either side? "
        f"({len(LIST) - len(off)} of {len(LIST)} are right.)"
    )


ENTRIES = (
    Number(
        id="6.a",
        title="phi(x) = |x|^(-a): below which a has phi(Z)^2 a finite variance?",
        target=lambda: 1 / 4,
        wrong=(
            Wrong(1 / 2, "below 1/2 the mean E|Z|^(-2a) is finite. The variance needs E|Z|^(-4a)."),
            Wrong(1, "E|Z|^(-1) is infinite already: the integral of 1/x diverges at 0."),
            Wrong(1 / 8, "phi(Z)^2 is |Z|^(-2a); its square is |Z|^(-4a), not |Z|^(-8a)."),
        ),
        hints=("The variance is finite when E phi(Z)^4 is.", "Near 0 the integrand is |z|^(-4a)."),
        solution=Solution(
            "answer = 1 / 4",
            "E|Z|^(-4a) is finite exactly when 4a < 1: the density is about constant near 0.",
        ),
        then="And the mean: below which a is that finite?",
    ),
    Number(
        id="6.b",
        title="The map at layer 2 for phi(x) = exp(x), sigma_w = 1, sigma_b = 0",
        target=lambda: float(length_map(Network("exp"), depth=2).values[1]),
        wrong=(
            Wrong(math.exp(1 / 2), "that is E exp(Z). The map carries the mean of the square."),
            Wrong(math.exp(1), "that is (E exp(Z))^2. The square stands inside the mean."),
            Wrong(1, "that is the map at layer 1."),
        ),
        hints=("E exp(t Z) = exp(t^2 / 2).", "exp(Z)^2 = exp(2 Z)."),
        solution=Solution(
            "import math\n\nanswer = math.exp(2**2 / 2)",
            "E exp(Z)^2 = E exp(2 Z) = exp(2): with t = 2, t^2 / 2 = 2.",
        ),
        then="What is layer 3, and what would layer 4 look like?",
    ),
    Prediction(
        id="6.1", title="last layer with a finite length, exp(0.1 x^2), sigma_w = 1", quantity=LAYER
    ),
    Choice(
        id="6.2",
        title="exp(0.05 x^2) with sigma_w = 1, sigma_b = 0",
        right="b",
        wrong=(
            Wrong(
                "a",
                "the theorem says what follows from (a), (b), (c). It says nothing of a phi that "
                "breaks one of them.",
            ),
            Wrong(
                "c",
                "V is increasing and has a fixed point at 1.138. A path that begins below a fixed "
                "point of an increasing map stays below it, however deep.",
            ),
            Wrong(
                "d",
                "it is the other way round. The map stays below 1/(8c) = 2.5, so the lengths "
                "converge, at the usual rate. But at every width v_2 is beyond the wall with some "
                "tiny probability, and so the mean of q_3 is infinite.",
            ),
        ),
        hints=(
            "Where is the wall, 1 / (4c)?",
            "Does q^2 (1 - 4cq) = 1 have a solution below the wall? Compare c with 0.0962.",
        ),
        solution=Solution(
            'answer = "b"',
            "c = 0.05 is below 1/sqrt(108) = 0.0962, so the map has a fixed point, 1.138, and "
            "rises to it. The wall is at 5. The three conditions are sufficient, not necessary.",
        ),
        then="Keep phi and change sigma_w: can you make it explode?",
    ),
    Number(
        id="6.3",
        title="Largest sigma_w with a finite map in every layer, exp(0.1 x^2), sigma_b = 0",
        target=lambda: math.sqrt(THRESHOLD / 0.1),
        wrong=(
            Wrong(THRESHOLD / 0.1, "that is sigma_w^2. The question asks for sigma_w."),
            Wrong(
                math.sqrt(1 / 0.4),
                "that keeps layer 1 below the wall, and says nothing of the layers after it.",
            ),
            Wrong(math.sqrt(1 / 0.8), "1/(8c) is where the variance ends, not the mean."),
            Wrong(
                1,
                "at sigma_w = 1 and c = 0.1 layer 13 is infinite: the lesson's example. A little "
                "less.",
            ),
        ),
        hints=(
            "Write u = q / sigma_w^2: the map becomes u -> (1 - 4 c sigma_w^2 u)^(-1/2).",
            "So c sigma_w^2 takes the place of c: it may be 1/sqrt(108) at most.",
        ),
        solution=Solution(
            "import math\n\nanswer = math.sqrt(1 / math.sqrt(108) / 0.1)",
            "With u = q / sigma_w^2 the map is that of sigma_w = 1 with c sigma_w^2 for c. It "
            "stays finite exactly when c sigma_w^2 <= 1/sqrt(108).",
        ),
        then="Which c would allow sigma_w = 10?",
    ),
    Function(
        id="6.4",
        title="First infinite layer of the map of exp(c x^2)",
        name="answer",
        reference=_reference,
        cases=(
            (0.1, 1.0, 0.0),
            (0.12, 1.0, 0.0),
            (0.05, 2.0, 0.0),
            (0.1, 1.0, 0.5),
            (0.3, 0.8, 0.2),
            (0.25, 1.0, 0.0),
        ),
        wrong=(
            Wrong(
                _mistake(shift=0),
                "that is the last finite layer. If q_l is at the wall or beyond, layer l + 1 is "
                "the first infinite one.",
            ),
            Wrong(
                _mistake(wall=8.0),
                "you stop at 1/(8c), where the variance of phi^2 becomes infinite. The mean lasts "
                "to 1/(4c).",
            ),
            Wrong(
                _mistake(wall=2.0, factor=2.0),
                "that is E phi, with 2c in place of 4c: the square of phi is exp(2 c x^2).",
            ),
            Wrong(_mistake(start=1.0), "layer 1 starts at sigma_w^2 + sigma_b^2, not at 1."),
            Wrong(
                _mistake(gain_power=1),
                "sigma_w and sigma_b are standard deviations: square them.",
            ),
            Wrong(_without_bias, "the bias adds its variance sigma_b^2 in every layer."),
        ),
        hints=(
            "Start with q = sigma_w**2 + sigma_b**2 at layer 1.",
            "While q < 1 / (4 c), go on: q = sigma_w**2 / sqrt(1 - 4 c q) + sigma_b**2.",
            "At the wall itself the mean is infinite too: test q >= 1 / (4 c) before the root.",
        ),
        solution=Solution(
            "import math\n\n"
            "def answer(c, sigma_w, sigma_b):\n"
            "    q, layer = sigma_w**2 + sigma_b**2, 1\n"
            "    while 4 * c * q < 1:\n"
            "        q = sigma_w**2 / math.sqrt(1 - 4 * c * q) + sigma_b**2\n"
            "        layer += 1\n"
            "    return layer + 1",
            "The loop leaves layer l with q_l at the wall or beyond it; then E phi^2 is infinite "
            "and so is layer l + 1. For a c with a fixed point the loop never ends: a careful "
            "program would count.",
        ),
        then="How would you tell, before the loop, that it will never end?",
    ),
    Find(
        id="6.5",
        title="A c for which layer 5 is the first infinite one (sigma_w = 0.8, sigma_b = 0.5)",
        form=_positive,
        missing=_wrong_layer,
        wrong=(
            Wrong(
                0.12,
                "this c belongs to sigma_w = 1, sigma_b = 0. Here the map stays finite with it.",
            ),
            Wrong(
                THRESHOLD,
                "this is the last c without explosion at sigma_w = 1, sigma_b = 0. Here sigma_w is "
                "smaller, and a larger c is needed.",
            ),
            Wrong(
                1 / (4 * (0.8**2 + 0.5**2)),
                "this c puts layer 1 at the wall: layer 2 is infinite. Go down.",
            ),
        ),
        hints=(
            "Use your function of 6.4, or ll.length_map(...).first_infinite.",
            "The larger c, the sooner: search by halving.",
        ),
        solution=Solution(
            "import lengthlab as ll\n\n"
            "def first_infinite(c):\n"
            '    phi = ll.activation("exp_square", c=c)\n'
            "    net = ll.Network(phi, sigma_w=0.8, sigma_b=0.5)\n"
            "    return ll.length_map(net, depth=100).first_infinite\n\n"
            "low, high = 0.1, 0.3\n"
            "answer = 0.2\n"
            "while (layer := first_infinite(answer)) != 5:\n"
            "    if layer and layer < 5:\n"
            "        high = answer\n"
            "    else:\n"
            "        low = answer\n"
            "    answer = (low + high) / 2",
            "The first infinite layer falls as c grows, so halving finds it: c near 0.15 will do.",
        ),
        then="For which layers is the interval of such c very short, and why?",
    ),
    Find(
        id="6.6",
        title="Which of eight phi fulfil condition (b)?",
        form=_of_the_list,
        missing=_misjudged,
        plain=_chosen,
        wrong=(
            Wrong(
                "abcdfgh",
                "a small c does not help: log|phi(x)| / x^2 must come below every positive number, "
                "however small.",
            ),
            Wrong("bdfh", "x^100 is a power: 100 log|x| / x^2 tends to 0."),
            Wrong("abdefh", "look at both sides: (b) must hold as x goes to minus infinity too."),
            Wrong(
                "abdh",
                "x^2 / log(2 + x^2) is o(x^2): divided by x^2 it is 1 / log(2 + x^2), which "
                "tends to 0.",
            ),
            Wrong("abdf", "multiply out h before you judge it."),
        ),
        hints=(
            "Take logarithms and divide by x^2: does the quotient tend to 0 as x grows?",
            "1.01^(x^2) is exp(x^2 log 1.01).",
            "In e put x = -t: exp(-t) exp(t^3).",
        ),
        solution=Solution(
            'answer = "abdfh"',
            "c and g are exp(c x^2) with a small c, and e grows like exp(|x|^3) to the left. The "
            "others have log|phi(x)| / x^2 tending to 0 on both sides; h is exp(x).",
        ),
        then="Is there a largest function that (b) allows?",
    ),
    Words(
        id="6.7",
        title="Proof step: under (b) and (a) every moment is finite at every q",
        points=(
            "by (b), for every c > 0 there is an x_0 with |phi(x)| <= exp(c x^2) for |x| >= x_0",
            "by (a), |phi| is at most some M on [-x_0, x_0]; so |phi(x)| <= C exp(c x^2) for all "
            "x, with C = max(M, 1)",
            "then E|phi(sqrt(q) Z)|^k <= C^k E exp(k c q Z^2)",
            "this is C^k (1 - 2 k c q)^(-1/2), finite if c < 1/(2 k q)",
            "the order: q and k are given first, then c is chosen, then x_0 and C follow",
        ),
        hints=(
            "Write (b) with its quantifiers first.",
            "E exp(s Z^2) = (1 - 2s)^(-1/2) for s < 1/2.",
        ),
        solution=Solution(
            'answer = "Take c = 1/(4 k q) and bound |phi| by C exp(c x^2)."',
            "With c = 1/(4 k q) the bound is C^k E exp(Z^2 / 4) = sqrt(2) C^k. The c that is "
            "needed depends on q and k; (b) offers every c > 0, so no wall is left.",
        ),
        then="Where did the proof use (a)? Which lesson is about that?",
    ),
    Words(
        id="6.8",
        title="Open: how fast is the divergence beyond the wall?",
        points=(
            "you took sigma_w = 1, sigma_b = 0 and a c above 1/4, so that v_1 = 1 lies beyond the "
            "wall and layer 2 is the first to diverge",
            "the largest of N squared normal numbers is about 2 log N, so the largest term "
            "exp(2 c z^2) is about N^(4c)",
            "divided by N that gives N^(4c - 1), up to powers of log N: for c = 0.3 a factor of "
            "only 1.58 in q_2 for ten times the width",
            "you compared this with medians at several widths",
            "one layer further on the same rule has v_2 in place of 1 and v_2 grows: soon no "
            "float holds the length",
        ),
        hints=(
            "Which term decides a sum of terms with infinite mean?",
            "P(Z^2 > t) is about exp(-t/2): when is that 1/N?",
        ),
        solution=Solution(
            'answer = "q_2 grows like N^(4c - 1), up to powers of log N."',
            "The sum is about as large as its largest term, exp(2 c z^2) with z^2 = 2 log N, "
            "which is N^(4c). At the wall itself, c = 1/4, no single term rules: the mean of N "
            "terms grows like 2 sqrt(log N / pi), which no picture would show as divergence.",
        ),
        then="A simulation at c = 0.26: what would you conclude from it, without the theory?",
    ),
)
