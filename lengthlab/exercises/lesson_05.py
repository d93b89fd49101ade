"""Lesson 5: bounded on finite intervals."""

import math
from typing import Any

from lengthlab.activations import activation
from lengthlab.exercises.functions import Function
from lengthlab.exercises.kinds import (
    Choice,
    Find,
    Number,
    Solution,
    Words,
    Wrong,
    require_number,
)
from lengthlab.exercises.predictions import LENGTH, Prediction
from lengthlab.network import Network
from lengthlab.outcome import outcome

A = 0.45
MILDER = 0.42  # of exercise 5.5: its width for 10 % can be reached
MEDIAN = 4.2  # of q_2 at width 10^4 for that exponent, as the exercise says
FACTOR = 3.0  # the estimate of the width for 10 % is accepted within this factor


def moment(q: float, a: float) -> float:
    """E |sqrt(q) Z|^(-2a), finite for a < 1/2."""
    return float((2 * q) ** -a * math.gamma(0.5 - a) / math.sqrt(math.pi))


def ten_percent_width(a: float = MILDER) -> float:
    """Width at which the median of q_2 is within 10 % of the map, as the package estimates it."""
    net = Network(activation("power", exponent=-a), sigma_w=1.0, sigma_b=0.0)
    width = outcome(net, depth=2).width
    assert width is not None  # the lengths converge
    return width


def extrapolated(rate: float, gap: float) -> float:
    """Width at which a gap that falls like N^-rate from that at 10^4 is down to `gap`."""
    return float(1e4 * ((moment(1.0, MILDER) - MEDIAN) / gap) ** (1 / rate))


def _width(answer: Any) -> None:
    require_number(answer)


def _not_ten_percent(width: Any) -> str | None:
    target = ten_percent_width()
    if target / FACTOR <= width <= FACTOR * target:
        return None
    side = "narrow" if width < target else "wide"
    return f"too {side}, by more than a factor of {FACTOR:.0f}."


ENTRIES = (
    Number(
        id="5.a",
        title="The eps that 300 nodes can keep, if 0.2 needs 1065",
        target=lambda: 0.2 * math.sqrt(1065 / 300),
        wrong=(
            Wrong(0.2 * 1065 / 300, "N_0 goes like 1 / eps^2: take a square root."),
            Wrong(0.2 * 300 / 1065, "fewer nodes keep to a larger distance, not a smaller one."),
            Wrong(
                0.2 * math.sqrt(300 / 1065),
                "this is smaller than 0.2. Fewer nodes keep to a larger distance.",
            ),
            Wrong(0.04 * 1065 / 300, "that is eps^2."),
        ),
        hints=("Lesson 4: N_0 eps^2 is a constant.", "1065 * 0.2^2 = 300 * eps^2."),
        solution=Solution(
            "answer = 0.2 * (1065 / 300) ** 0.5",
            "N_0 eps^2 = 42.6 for this network, depth and delta.",
        ),
        then="This law rests on a variance. What if there is none?",
    ),
    Choice(
        id="5.b",
        title="What assumption (a) was used for",
        right="b",
        wrong=(
            Wrong(
                "a",
                "layer 1 is v_1 chi2_N / N for every phi: it comes before phi.",
            ),
            Wrong(
                "c",
                "that is what growth, assumption (b), is for. A phi may be bounded on every "
                "finite interval and grow as fast as it likes.",
            ),
            Wrong(
                "d",
                "no continuity of phi was used anywhere; V is continuous because the density is.",
            ),
        ),
        hints=("Look for the letter C in the proof of lesson 3.", "Which moment was bounded by K?"),
        solution=Solution(
            'answer = "b"',
            "(a) and (b) together give |phi(x)| <= C exp(c x^2), on which the bound of E phi^4 "
            "rests; (b) takes care of large x, (a) of all the others.",
        ),
        then="Which is it that the proof really needs: the bound of phi, or that of the moment?",
    ),
    Prediction(
        id="5.1",
        title="median of q_2 at width 100 for |x|^(-0.45), where the map says 8.041",
        quantity=LENGTH,
    ),
    Choice(
        id="5.2",
        title="log|x|, a pole at 0",
        right="b",
        wrong=(
            Wrong(
                "a",
                "the theorem does not say this. It says what follows if phi is permissible, "
                "and nothing of a phi that is not.",
            ),
            Wrong(
                "c",
                "that is |x|^(-0.45), whose phi^2 has no variance. Every power of log|Z| has a "
                "finite mean.",
            ),
            Wrong(
                "d",
                "a bias does not keep nodes away from 0: h is normal with or without it, and its "
                "density at 0 is positive.",
            ),
        ),
        hints=(
            "Is E (log|Z|)^4 finite? Near 0 compare log^4 with 1 / sqrt(x).",
            "Sufficient, or necessary?",
        ),
        solution=Solution(
            'answer = "b"',
            "log|x| is below |x|^(-a) near 0 for every a > 0, so it behaves like the mildest "
            "poles: mean and variance of phi^2 are finite at every length, V is continuous, and "
            "the proof of lesson 3 goes through with its bound on E phi^4.",
        ),
        then="Would |x|^(-0.2) have done as well? And log|x| / |x|^0.2?",
    ),
    Function(
        id="5.3",
        title="The moment E |sqrt(q) Z|^(-2a)",
        name="moment",
        reference=moment,
        cases=((1.0, 0.2), (4.0, 0.3), (0.5, 0.45)),
        tolerance=1e-3,
        wrong=(
            Wrong(
                lambda q, a: moment(1.0, a),
                "sqrt(q) is a factor of Z: its power q^(-a) stands before the mean.",
            ),
            Wrong(
                lambda q, a: q ** (-2 * a) * moment(1.0, a),
                "(sqrt(q))^(-2a) is q^(-a), not q^(-2a).",
            ),
            Wrong(
                lambda q, a: moment(q, a / 2),
                "that is E |phi|: the exponent of the mean square is -2a.",
            ),
            Wrong(
                lambda q, a: moment(q, a) / 2,
                "Z has two sides: both halves of the line count.",
            ),
            Wrong(
                lambda q, a: moment(q, a) * math.sqrt(math.pi),
                "the density of Z brings a factor 1 / sqrt(2 pi): a sqrt(pi) is left over.",
            ),
            Wrong(
                lambda q, a: (2 * q) ** a * math.gamma(0.5 + a) / math.sqrt(math.pi),
                "this is the moment of |x|^a. Here the exponent is negative.",
            ),
        ),
        hints=(
            "Pull out q^(-a). What is left is E |Z|^(-2a).",
            "Write it as twice the integral over z > 0, and substitute t = z^2 / 2.",
            "The integral of t^(s - 1) e^(-t) is Gamma(s), math.gamma(s); here s = 1/2 - a.",
        ),
        solution=Solution(
            "import math\n\n"
            "def answer(q, a):\n"
            "    return (2 * q) ** -a * math.gamma(0.5 - a) / math.sqrt(math.pi)",
            "With t = z^2 / 2, E |Z|^(-2a) = 2^(-a) / sqrt(pi) times the integral of "
            "t^(-a - 1/2) e^(-t), which is Gamma(1/2 - a). It diverges at t = 0 if a >= 1/2.",
        ),
        then="Where in this computation does a = 1/4 appear? Look at E phi^4.",
    ),
    Number(
        id="5.4",
        title="Factor of N that halves the gap of |x|^(-0.45)",
        target=lambda: 2 ** (1 / (1 - 2 * A)),
        wrong=(
            Wrong(4, "that is the rate 1/sqrt(N). Here the gap shrinks like N^(2a - 1)."),
            Wrong(2, "that would be the rate 1/N."),
            Wrong(2**0.1, "the other way round: N^0.1 must be 2."),
            Wrong(2 ** (1 / A), "the gap shrinks like N^(-0.1), not like N^(-0.45)."),
            Wrong(2**5, "2a - 1 = -0.1, not -0.2."),
        ),
        hints=("2a - 1 = -0.1.", "N^(-0.1) halves when N^0.1 doubles."),
        solution=Solution(
            "answer = 2 ** (1 / (1 - 2 * 0.45))",
            "The gap is a constant times N^(-0.1), so it halves when N grows 2^10 times.",
        ),
        then="With this rate, what does a machine gain that is ten times as large?",
    ),
    Find(
        id="5.5",
        title="A width for 10 %: the median of q_2 for |x|^(-0.42)",
        form=_width,
        missing=_not_ten_percent,
        wrong=(
            Wrong(
                extrapolated(0.5, 0.1 * moment(1.0, MILDER)),
                "you extrapolated with 1/sqrt(N). For this phi the gap shrinks like N^(-0.16).",
            ),
            Wrong(
                extrapolated(0.1, 0.1 * moment(1.0, MILDER)),
                "you extrapolated with N^(-0.1), the rate of a = 0.45. Here 2a - 1 = -0.16.",
            ),
            Wrong(
                extrapolated(0.16, 0.1),
                "that is the width for a gap of 0.1. Asked for is 10 % of the map, 5.06.",
            ),
            Wrong(
                2e9,
                "that is the width for a = 0.45, from the lesson's table. Here a is 0.42.",
            ),
        ),
        hints=(
            "The map at layer 2 is your moment(1, 0.42), about 5.06.",
            "At N = 10^4 the gap is about 5.06 - 4.2 = 0.86. Which gap is wanted?",
            "0.86 * (N / 10^4)^(-0.16) = 0.506: solve for N.",
        ),
        solution=Solution(
            "answer = 1e4 * ((5.06 - 4.2) / 0.506) ** (1 / 0.16)",
            "The gap must fall by a factor of 1.7, and that takes a width larger by its power "
            f"1 / 0.16 = 6.25: about {ten_percent_width():.1g} nodes a layer. At a = 0.45 the "
            f"power is 10, and the width about {ten_percent_width(A):.1g}.",
        ),
        then="The mean of q_2 is exactly 5.06 at every width. Why is that no help?",
    ),
    Words(
        id="5.6",
        title="Proof step: 1/x keeps its law for ever",
        points=(
            "v_1 = sigma_w^2, and h_1 = sigma_w z: so v_2 = sigma_w^2 mean(1 / (sigma_w z)^2), "
            "that is the mean of N independent copies of 1 / Z^2",
            "the Laplace transform of that mean at s is exp(-sqrt(2 s / N)) to the power N, "
            "that is exp(-sqrt(2 s N))",
            "this is the Laplace transform of N / Z^2, and a Laplace transform determines the "
            "law: v_2 / N has the law of 1 / Z^2 at every N",
            "in the same way v_3 = (sigma_w^2 / v_2) times the mean of fresh 1 / z^2, which is "
            "N L_2: v_3 = sigma_w^2 L_2 / L_1, and N has cancelled",
            "a law that is the same at every N, and is not a point, does not tend to a number",
        ),
        hints=(
            "First write v_2 with sigma_w cancelled.",
            "The transform of a sum of N independent terms is the N-th power; of a mean, at s / N.",
            "Compare exp(-sqrt(2 s N)) with the transform of N / Z^2 at s.",
        ),
        solution=Solution(
            'answer = "The mean of N copies of 1/Z^2 has the law of N / Z^2."',
            "E exp(-s mean) = (E exp(-(s/N) / Z^2))^N = exp(-N sqrt(2 s / N)) = exp(-sqrt(2 s N)), "
            "which is E exp(-s N / Z^2). So v_2 = N L_1 with L_1 of the law of 1 / Z^2. Layer 3: "
            "v_3 = (sigma_w^2 / v_2) N L_2 = sigma_w^2 L_2 / L_1, independent of N.",
        ),
        then="What does a bias sigma_b > 0 change in layer 2, and what in layer 3?",
    ),
    Words(
        id="5.7",
        title="Open: move the pole to 3",
        points=(
            "1/(x - 3) is not permissible and does not converge: the density of h at 3 is small "
            "but positive, and 1/(x - 3)^2 has no mean there",
            "at widths up to some hundreds the lengths look calm: no node comes close to 3",
            "from about ten thousand nodes on the median of q_2 grows in proportion to N, as for "
            "the pole at 0",
            "the threshold stays at a = 1/2: |x - 3|^(-0.45) converges, since only the order of "
            "the pole counts; where it stands decides how soon one sees it",
            "so a quiet simulation at N = 100 proves nothing about a pole",
        ),
        hints=(
            'll.formula("1/(x-3)") makes the activation; sample depth 2 at N = 10 to 10^5.',
            "How many of N nodes fall within 1/N of 3? Multiply by the density of h there.",
            "Ask ll.assess and ll.outcome as well.",
        ),
        solution=Solution(
            'answer = "It fails as well, but later: the pole is rarely met."',
            "Among N standard normal nodes the one nearest to 3 is at a distance of about 100 / N: "
            "the density at 3 is 0.0044, against 0.399 at 0. To the mean of phi^2 it "
            "contributes about N / 10,000: nothing at N = 100, everything at N = 10^6.",
        ),
        then="Which tests of a claim could have found the pole without meeting it?",
    ),
)
