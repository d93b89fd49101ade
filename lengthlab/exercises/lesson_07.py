"""Lesson 7: measurable; sufficient, not necessary."""

import math
from functools import cache
from typing import Any

import numpy as np

from lengthlab.activations import Activation, activation
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
)
from lengthlab.exercises.predictions import LENGTH, Prediction
from lengthlab.exercises.texts import letters, read_formula, require_formula, values
from lengthlab.length_map import length_map
from lengthlab.network import Network

A, B = 0.64, 1.44  # the variances of exercise 7.3
TEN: tuple[tuple[str, dict[str, float]], ...] = (
    ("heaviside", {}),
    ("sin_reciprocal", {}),
    ("exp_power", {"p": 1.0, "c": 1.0}),
    ("dirichlet", {}),
    ("log_abs", {}),
    ("power", {"exponent": -0.45}),
    ("power", {"exponent": -0.5}),
    ("tan", {}),
    ("exp_square", {"c": 0.05}),
    ("exp_square", {"c": 0.3}),
)
MEANING = {
    "p": "permissible",
    "c": "not permissible, and convergent",
    "f": "not permissible, and failing",
}


def fate(phi: Activation, *, sigma_w: float, sigma_b: float, depth: int) -> str | None:
    """One of the letters of `MEANING`, by the criterion of the lesson; None if undecided.

    Notes
    -----
    The lengths converge if the map stays below Q, the critical variance, in every layer that feeds
    another one; beyond Q the next layer diverges. Our remark, proved in the lesson.
    """
    known = assess(phi)
    if known.permissible is not False:
        return "p" if known.permissible else None
    critical = known.critical_variance
    if critical is None or math.isinf(critical):
        return None if critical is None else "c"
    prediction = length_map(Network(phi, sigma_w=sigma_w, sigma_b=sigma_b), depth=depth)
    feeding, errors = prediction.values[:-1], np.array(prediction.errors[:-1])
    errors[0] = 0.0  # layer 1 is given
    if (feeding + errors < critical).all():
        return "c"
    first = int(np.argmax(feeding + errors >= critical))
    return "f" if feeding[first] - errors[first] > critical or critical == 0 else None


@cache
def verdicts() -> str:
    """Return the ten letters of exercise 7.5."""
    found = (
        fate(activation(name, **more), sigma_w=1.0, sigma_b=0.0, depth=3) for name, more in TEN
    )
    return "".join(letter or "?" for letter in found)


def _row(answer: Any) -> str:
    return letters(answer, example="pcf...", ordered=True)


def _ten_letters(answer: Any) -> None:
    row = _row(answer)
    if len(row) != len(TEN):
        msg = f"ten letters are wanted here, each of them p, c or f, not {len(row)}."
        raise Refusal(msg)
    for strange in sorted(set(row) - set(MEANING)):
        msg = f"each of the ten letters must be p, c or f, not {strange!r}."
        raise Refusal(msg)


def _misjudged(answer: Any) -> str | None:
    row = _row(answer)
    off = [k for k, letter in enumerate(verdicts()) if row[k] != letter]
    if not off:
        return None
    number, given = off[0] + 1, row[off[0]]
    return (
        f"{len(TEN) - len(off)} of ten are right. Number {number} is not {given!r} "
        f"({MEANING[given]}): check (a), (b), (c) first, then Q."
    )


def critical_length(a: float, c: float) -> float:
    """Q of |x|^(-a) exp(c x^2), for a, c > 0."""
    return 0.0 if a >= 1 / 2 else 1 / (4 * c)


def _not_an_example(answer: Any) -> str | None:
    found = fate(read_formula(answer), sigma_w=1.0, sigma_b=0.3, depth=5)
    if found is None:
        return "the package cannot decide this one; choose a simpler formula."
    if found == "c":
        return None
    return {
        "p": "this phi is permissible: it converges by the theorem. Break (a) or (b).",
        "f": "this phi breaks too much: some layer of the map is beyond Q.",
    }[found]


ENTRIES = (
    Number(
        id="7.a",
        title="The wall of exp(0.2 x^2)",
        target=lambda: float(assess(activation("exp_square", c=0.2)).critical_variance or math.nan),
        wrong=(
            Wrong(1 / 0.4, "phi is squared before its mean is taken: exp(0.4 x^2)."),
            Wrong(1 / 1.6, "that is 1/(8c), where the variance of phi^2 becomes infinite."),
            Wrong(1 / 0.2, "compare 2 c x^2 with x^2 / (2q)."),
        ),
        hints=("Lesson 6: the wall is at 1 / (4c).",),
        solution=Solution(
            "answer = 1 / (4 * 0.2)", "exp(2 c x^2) against exp(-x^2 / (2q)): even at q = 1/(4c)."
        ),
        then="Is the mean finite at the wall itself?",
    ),
    Choice(
        id="7.b",
        title="1/x with sigma_b = 0",
        right="c",
        wrong=(
            Wrong("a", "E 1/Z^2 is infinite at every variance: there is no map to converge to."),
            Wrong(
                "b",
                "condition (b) holds, and (a) does not: 1/x is unbounded near 0. The theorem does "
                "not speak of it.",
            ),
        ),
        hints=("Among N nodes the smallest |h| is about 1/N.", "Its 1/h^2 is about N^2."),
        solution=Solution(
            'answer = "c"',
            "The largest of the N terms 1/h^2 is about N^2, and so is their sum: the mean is about "
            "N, times a random factor whose law does not depend on N.",
        ),
        then="And layer 3, where 1/h^2 is taken of nodes that are about sqrt(N) in size?",
    ),
    Prediction(
        id="7.1",
        title="mean of q_2 as simulated, rationals, sigma_w = 1, sigma_b = 0.5",
        quantity=LENGTH,
    ),
    Choice(
        id="7.2",
        title="What follows from log|x| being unbounded near 0",
        right="b",
        wrong=(
            Wrong(
                "a",
                "that would need (a) to be necessary. The theorem says that (a), (b), (c) are "
                "enough.",
            ),
            Wrong(
                "c",
                "sigma_b plays no part: E (log|h|)^2 is finite for every Gaussian h with a "
                "positive variance.",
            ),
            Wrong(
                "d",
                "a simulation can support it and cannot decide it. Q decides it: the mean of "
                "phi^2 is an integral, and it is finite.",
            ),
        ),
        hints=("What is Q for log|x|?", "Is the integral of (log x)^2 from 0 to 1 finite?"),
        solution=Solution(
            'answer = "b"',
            "The integral of (log x)^2 from 0 to 1 is 2. So E (log|h|)^2 is finite at every "
            "variance, Q is infinite, and every length of the map is below it.",
        ),
        then="Which poles are mild enough for the same argument?",
    ),
    Number(
        id="7.3",
        title="Smallest K with p_v <= K p_b for all v in [a, b], a = 0.64, b = 1.44",
        target=lambda: math.sqrt(B / A),
        wrong=(
            Wrong(B / A, "the densities carry 1/sqrt(v): take the root."),
            Wrong(math.sqrt(A / B), "the other way round: at x = 0 the narrow bell is higher."),
            Wrong(1, "at x = 0 the bell of variance a is higher than the one of variance b."),
            Wrong(
                1 / math.sqrt(2 * math.pi * A),
                "that is the density of variance a at 0. Divide it by that of variance b.",
            ),
        ),
        hints=(
            "p_v(x) / p_b(x) = sqrt(b/v) exp(-(1/v - 1/b) x^2 / 2).",
            "For v <= b it is largest at x = 0. For which v is it largest there?",
        ),
        solution=Solution(
            "import math\n\nanswer = math.sqrt(1.44 / 0.64)",
            "The ratio is sqrt(b/v) at x = 0 and smaller elsewhere; v = a is the worst: "
            "sqrt(b/a) = 1.5.",
        ),
        then="Why does it not work the other way, p_b <= K p_v?",
    ),
    Function(
        id="7.4",
        title="Q for |x|^(-a) exp(c x^2)",
        name="Q",
        reference=critical_length,
        cases=((0.2, 0.1), (0.45, 0.25), (0.5, 0.1), (0.8, 0.3), (0.3, 0.05), (1.2, 0.2)),
        wrong=(
            Wrong(
                lambda a, c: 1 / (4 * c), "the pole at 0 counts as well: for which a is it mild?"
            ),
            Wrong(
                lambda a, c: 0.0 if a > 1 / 2 else 1 / (4 * c),
                "at a = 1/2 itself the integral of 1/|x| diverges at 0.",
            ),
            Wrong(
                lambda a, c: 0.0 if a >= 1 / 4 else 1 / (4 * c),
                "at a = 1/4 the variance of phi^2 becomes infinite. Q asks for its mean.",
            ),
            Wrong(
                lambda a, c: 0.0 if a >= 1 else 1 / (4 * c),
                "phi is squared: |x|^(-2a) is integrable at 0 for 2a < 1.",
            ),
            Wrong(
                lambda a, c: 0.0 if a >= 1 / 2 else 1 / (2 * c),
                "phi is squared: exp(2 c x^2) against exp(-x^2 / (2q)).",
            ),
            Wrong(
                lambda a, c: 0.0 if a >= 1 / 2 else 1 / (8 * c),
                "1/(8c) is where the variance of phi^2 ends. Q asks for its mean.",
            ),
        ),
        hints=(
            "The integral has two dangerous places: 0 and infinity. Look at each by itself.",
            "At 0: |x|^(-2a) is integrable exactly when 2a < 1, whatever q is.",
            "At infinity: the wall of lesson 6.",
        ),
        solution=Solution(
            "def answer(a, c):\n    return 0.0 if a >= 1 / 2 else 1 / (4 * c)",
            "For a >= 1/2 the mean is infinite at every q, so that Q = 0. For a < 1/2 the pole is "
            "harmless, and far out the factor |x|^(-2a) does not move the wall.",
        ),
        then="For a < 1/2: is the mean finite at q = Q itself? And if phi has one more factor "
        "1/(1 + |x|)?",
    ),
    Find(
        id="7.5",
        title="Classify ten phi (sigma_w = 1, sigma_b = 0, three layers)",
        form=_ten_letters,
        missing=_misjudged,
        plain=_row,
        wrong=(
            Wrong(
                "ppppffffff",
                "you took the three conditions as necessary. Look for those that break one of "
                "them and have the map below Q all the same.",
            ),
            Wrong(
                "pfppccffcf",
                "sin(1/x) has no limit at 0, but it is bounded by 1: (a) asks for no more.",
            ),
            Wrong(
                "pppfccffcf",
                "a countable set is measurable, and its indicator is bounded: permissible. That "
                "a program sees something else is another matter.",
            ),
            Wrong(
                "ppfpccffcf",
                "exp(|x|) is permissible: it converges. That no machine will see it at layer 3 is "
                "another matter.",
            ),
            Wrong(
                "ppppcccfcf",
                "|x|^(-1/2), squared, is 1/|x|: its integral diverges at 0.",
            ),
            Wrong(
                "ppppccffff",
                "number 9: the wall of exp(0.05 x^2) is at 5, and the map starts at 1.",
            ),
            Wrong(
                "ppppccffcc",
                "number 10: the wall of exp(0.3 x^2) is at 0.8333, and the map starts at 1.",
            ),
        ),
        hints=(
            "p first: which of them are bounded on finite intervals and grow below exp(x^2)?",
            "For the others find Q: a pole |x|^(-a) is mild for a < 1/2; tan has poles of order 1.",
            "For exp(c x^2): is q_1 = 1 below 1/(4c), and is q_2?",
        ),
        solution=Solution(
            'answer = "ppppccffcf"',
            "1 to 4 fulfil (a), (b), (c). 5 and 6 have infinite Q. 7 and 8 have Q = 0. For 9, Q = "
            "5 and the map stays near 1.1. For 10, Q = 0.8333 lies below q_1 = 1.",
        ),
        then="Which of the verdicts would change with sigma_w?",
    ),
    Find(
        id="7.6",
        title="A formula that is not permissible and converges (sigma_w = 1, sigma_b = 0.3)",
        form=require_formula,
        missing=_not_an_example,
        plain=values,
        wrong=(
            Wrong("1/x", "a pole of order 1 is too strong: 1/x^2 is not integrable at 0."),
            Wrong("sin(1/x)", "it oscillates, but between -1 and 1: bounded, and so permissible."),
            Wrong("exp(x^2)", "its wall is at 0.25, and the map starts at 1.09."),
            Wrong(
                "1/log(abs(x))",
                "it is tame at 0, where it tends to 0. But it has a pole of order 1 at x = 1.",
            ),
        ),
        hints=(
            "Either a mild pole (lesson 5) or a wall that is far enough (lesson 6).",
            "A pole may stand anywhere: try abs(x - 1) to a power between -1/2 and 0.",
        ),
        solution=Solution(
            'answer = "abs(x - 1)^(-0.3)"',
            "It is unbounded near 1, so (a) fails; its square is integrable there, so Q is "
            "infinite. Other answers: log(abs(x)), exp(0.05 * x^2).",
        ),
        then="Can phi have infinitely many poles and still converge?",
    ),
    Words(
        id="7.7",
        title="Proof step: one bell bounds the tails of all its narrower neighbours",
        points=(
            "p_v(x) / p_b(x) = sqrt(b/v) exp(-(1/v - 1/b) x^2 / 2), and 1/v >= 1/b",
            "so p_v <= sqrt(b/v) p_b <= sqrt(b/a) p_b at every x, for every v in [a, b]",
            "the set where phi(x)^2 > M does not depend on v: integrate phi^2 over it against "
            "both sides",
            "the bound sqrt(b/a) E[phi(sqrt(b) Z)^2; phi^2 > M] does not depend on v",
            "it tends to 0 as M grows, because phi(sqrt(b) Z)^2 has a finite mean (dominated "
            "convergence)",
        ),
        hints=(
            "Write both sides as integrals over x, with the variance in the density only.",
            "If X >= 0 has a finite mean, then E[X; X > M] tends to 0 as M grows.",
        ),
        solution=Solution(
            'answer = "p_v <= sqrt(b/a) p_b: compare the tails at v and at b."',
            "E[phi(sqrt(v) Z)^2; phi^2 > M] is the integral of phi^2 over the set phi^2 > M "
            "against p_v, which is at most sqrt(b/a) times the same at b. That is the tail of one "
            "integrable variable and tends to 0.",
        ),
        then="Where would the proof break for b = Q?",
    ),
    Words(
        id="7.8",
        title="Open: what if a length of the map is exactly Q?",
        points=(
            "if the mean is infinite at Q, the truncation argument applies: the next layer tends "
            "to infinity",
            "if it is finite at Q and l = 1, v_1 = Q is no random variable: the law of large "
            "numbers gives convergence",
            "if it is finite at Q and l > 1, v_l is random, and for about half of the networks "
            "above Q, where the mean is infinite",
            "but it is above by a small amount only, and N nodes reach out to |z| of about "
            "sqrt(2 log N) only",
            "so it matters how fast v_l comes to Q: if (v_l - Q) log N tends to 0 in probability, "
            "a density ratio on |z| <= 2 sqrt(log N) proves convergence",
            "you said which part you proved and which you only made plausible",
        ),
        hints=(
            "Distinguish: is E phi(sqrt(Q) Z)^2 finite or not? Is l = 1 or not?",
            "An example with a finite mean at Q: exp(0.1 x^2) / sqrt(1 + x^2), where Q = 2.5.",
            "Compare the densities p_v and p_Q only where the N nodes can be.",
        ),
        solution=Solution(
            'answer = "Infinite at Q: diverges. Finite: it depends on v_l - Q."',
            "The case of a finite mean at Q and l > 1 is not settled by this lesson in general. "
            "If v_l - Q is of order 1/sqrt(N), as it is when phi(h)^2 has a finite variance in "
            "the layers before, then (v_l - Q) log N tends to 0 and the lengths converge.",
        ),
        then="Can you build a phi for which v_l comes to Q more slowly than 1 / log N?",
    ),
)
