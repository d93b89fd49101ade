"""Every exercise, solved and answered wrongly; answers in every form; the two kinds of function."""

import math
import re
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from asked import EXERCISES, by_id, flat, said
from scipy.stats import chi2, kstest, levy_stable, norm

from lengthlab.exercises import check
from lengthlab.exercises.desk import entries, forget, lessons
from lengthlab.exercises.functions import dkw_radius, ks_distance
from lengthlab.exercises.kinds import Choice, Number, Words
from lengthlab.exercises.lesson_02 import correlation
from lengthlab.exercises.lesson_05 import MEDIAN, moment, ten_percent_width
from lengthlab.gaussian import expectation
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network

WRONG = [(exercise, k) for exercise in EXERCISES for k in range(len(exercise.wrong))]


@pytest.fixture(autouse=True)
def _fresh_desk():
    forget()
    yield
    forget()


def solved(exercise):
    names = {}
    exec(exercise.solution.code, names)
    return names["answer"]


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_id)
def test_the_reference_solution_is_correct(exercise):
    verdict = exercise.judge(solved(exercise))
    expected = "for you to judge" if isinstance(exercise, Words) else "correct"
    assert (verdict.status, exercise.then in verdict.message) == (expected, True)


@pytest.mark.parametrize(("exercise", "k"), WRONG, ids=[f"{e.id}-{k}" for e, k in WRONG])
def test_a_known_wrong_answer_gets_its_own_message(exercise, k):
    wrong = exercise.wrong[k]
    verdict = exercise.judge(wrong.answer)
    assert (verdict.status, verdict.message) == ("not yet", wrong.message)


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_id)
def test_not_attempted_and_wrong_kind(exercise):
    assert exercise.judge(...).status == "not attempted"
    for nonsense in (None, [1, 2], {}, object()):
        assert exercise.judge(nonsense).status == "wrong kind"


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_id)
def test_no_answer_in_a_repr(exercise):
    assert repr(exercise) == (
        f"{type(exercise).__name__}(id={exercise.id!r}, title={exercise.title!r}"
        + (f", name={exercise.name!r}" if hasattr(exercise, "name") else "")
        + (f", tolerance={exercise.tolerance!r}" if hasattr(exercise, "tolerance") else "")
        + (f", error_rate={exercise.error_rate!r}" if hasattr(exercise, "error_rate") else "")
        + ")"
    )


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_id)
def test_every_exercise_leads_on(exercise):
    assert exercise.hints
    assert exercise.then
    assert exercise.solution.words
    assert isinstance(exercise, Words) or exercise.wrong
    messages = [wrong.message for wrong in exercise.wrong]
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize("number", lessons())
def test_ids_are_unique_and_belong_to_their_lesson(number):
    ids = [entry.id for entry in entries(number)]
    assert len(set(ids)) == len(ids)
    assert all(id.startswith(f"{number}.") for id in ids)


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if isinstance(e, Number)], ids=by_id)
def test_another_number_gets_a_direction(exercise):
    target = exercise.target()
    assert exercise.judge(1.37 * target).message == "too large."
    assert exercise.judge(0.0123 * target).message == "too small, by more than a factor of ten."
    assert exercise.judge(math.nan).status == "wrong kind"
    assert exercise.judge(True).status == "wrong kind"
    assert exercise.judge(np.float64(target)).status == "correct"


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("1.a", Fraction(50, 2)),
        ("1.a", Decimal(25)),
        ("1.a", np.array(25.0)),
        ("1.a", np.array([25])),
        ("1.a", np.int64(25)),
        ("1.6", np.float32(20_000)),
        ("1.6", 1 / (0.01 / 2**0.5) ** 2),  # 20,000 but for a rounding error
        ("1.2", " C) "),
        ("3.4", lambda q, w, b=0.3, **_: np.array([w**2 * norm.sf(q**-0.5) + b**2])),
        ("1.5", lambda width, trials, rng, v=2.34: list(v * rng.chisquare(width, trials) / width)),
        ("7.5", "p, p, p, p, c, c, f, f, c, f"),
        ("7.5", "P;p;p;p;c;c;f;f;c;f"),
        ("7.5", ["p", "p", "p", "p", "c", "c", "f", "f", "c", "f"]),
        ("7.5", np.array(list("PPPPCCFFCF"))),
        ("6.6", "A; b d f h"),
        ("6.6", {"h", "a", "f", "b", "d"}),
        ("6.6", ("h", "A", "f", "b", "d")),
    ],
)
def test_other_forms_of_a_right_answer_are_right(id, answer):
    assert said(check, id, answer).startswith(f"{id} correct.")


@pytest.mark.parametrize(
    ("id", "answer", "sentence"),
    [
        ("1.6", Fraction(1, 2), "a whole number >= 1, not 0.5."),
        ("1.2", "d", "It is not 0 when N >= 3"),
        ("1.6", 19_999, "at N = 19,999 the sd of q_1 is a little more than 1 % of its mean."),
        ("1.3", 0.41, "too small, but close: an answer within 0.5 % is right."),
        ("1.a", 25.1, "too large, but close: the exact value is asked for, not a rounded one."),
        ("1.7", "  ", "the text is empty."),
        ("3.6", expectation(np.square, 1.0), "not an Estimate (its number is .value)."),
        ("3.6", Fraction(-1, 2), "a sigma_w > 0 is wanted here, not -0.5."),
        ("3.5", 0.277, "Try just beside a node."),
        ("3.4", lambda q, w, b: w**2 * 0.1587 + b**2, "your V does not see q."),
        ("11.3", 2.8, "too large, but close: an answer within 0.1 % is right."),
        ("11.5", 2000.5, "a whole number >= 1, not 2000.5."),
        ("11.5", 10**9, "no more than 1,000,000 nodes are needed"),
        ("7.5", "pppp", "ten letters are wanted here, each of them p, c or f, not 4."),
        ("7.5", "ppppccffcx", "each of the ten letters must be p, c or f, not 'x'."),
        ("7.5", "P P P P F F F F F C", "6 of ten are right. Number 5 is not 'f'"),
        ("7.5", set("pcf"), "a set has no order, and here the order counts"),
        ("7.5", ["p", 3], 'letters in quotes are wanted here, such as "pcf...", not a list of'),
        ("6.6", "abz", "the letters go from a to h; 'z' is none of them."),
        ("6.6", {1, 2}, 'letters in quotes are wanted here, such as "ab", not a set of other'),
    ],
)
def test_an_answer_beside_the_mark_gets_a_sentence(id, answer, sentence):
    assert sentence in said(check, id, answer)


@pytest.mark.parametrize(
    ("id", "k", "answer"),
    [
        ("7.5", 0, "P P P P F F F F F F"),
        ("7.5", 0, "1: p, 2: p, 3: p, 4: p, 5: f, 6: f, 7: f, 8: f, 9: f, 10: f"),
        ("7.5", 1, list("pfppccffcf")),
        ("7.5", 1, "p;f;p;p;c;c;f;f;c;f"),
        ("6.6", 1, "B, D, F, H"),
        ("6.6", 1, {"h", "b", "f", "d"}),
        ("6.6", 4, ["f", "d", "b", "a"]),
        ("7.6", 0, " x^-1 "),
        ("7.6", 2, "exp( x**2 )"),
        ("9.5", 2, "2.5363 * tanh(x)"),
        ("13.5", 4, "1 - exp(-x*x)"),
    ],
)
def test_a_known_wrong_answer_is_known_in_every_spelling(id, k, answer):
    exercise = next(e for e in EXERCISES if e.id == id)
    assert said(check, id, answer) == flat(f"{id} not yet: {exercise.wrong[k].message}")


def test_a_close_answer_says_how_near_is_asked_for():
    for exercise in EXERCISES:
        if isinstance(exercise, Number):
            target, tolerance = exercise.target(), exercise.tolerance
            message = exercise.judge(target * (1 + 1.5 * tolerance)).message
            asked = "the exact value" if tolerance <= 1e-6 else f"within {100 * tolerance:.4g} %"
            assert message.startswith("too large, but close: ")
            assert asked in message


def test_messages_hold_four_significant_digits_at_most():
    texts = [w.message for e in EXERCISES for w in e.wrong]
    texts += [text for e in EXERCISES for text in (e.then, e.solution.words, *e.hints)]
    for text in texts:
        for number in re.findall(r"\d+\.\d+", text):
            assert len(number.replace(".", "").lstrip("0")) <= 4, text


def test_every_choice_has_a_message_for_each_wrong_letter():
    for exercise in EXERCISES:
        if isinstance(exercise, Choice):
            assert exercise.letters == tuple("abcde"[: len(exercise.letters)])
            assert len(exercise.letters) >= 3


# --- functions that misbehave ---------------------------------------------------------------------


def broken(*args):
    return 1 / 0


@pytest.mark.parametrize(
    ("id", "answer", "sentence"),
    [
        ("3.4", broken, "your function stopped with ZeroDivisionError: division by zero."),
        ("3.4", lambda q: q, "your function stopped with TypeError"),
        ("3.4", lambda q, a, b: "one", "must return a number, and it returned text."),
        ("3.4", lambda q, a, b: math.nan, "which is not a finite number."),
        ("3.4", lambda q, a, b: 10.0, "V(1, 1.5, 0.3) = 10 is too large"),
        ("2.3", broken, "your function stopped with ZeroDivisionError"),
        ("2.3", lambda p, w, b, n, d, t, rng: np.ones((d, t)), "(trials, depth)"),
        ("2.3", lambda p, w, b, n, d, t, rng: np.full((t, d), math.nan), "not finite"),
        ("2.3", lambda p, w, b, n, d, t, rng: ["q"], "must return an array of numbers"),
        ("2.3", lambda p, w, b, n, d, t, rng: np.ones((t, d)), "two different seeds"),
        ("1.5", lambda n, t, rng: np.random.default_rng().chisquare(n, t), "the same seed gave"),
        ("1.5", lambda n, t, rng: 2.2 * rng.chisquare(n, t) / n, "does not have the right law"),
        ("1.5", 3, "a function is wanted here, not an integer"),
    ],
)
def test_a_function_answer_gets_a_sentence_and_no_traceback(id, answer, sentence):
    assert sentence in said(check, id, answer)


def matrices_1(width, trials, rng):
    noise = rng.normal(0, 0.3, (trials, width))
    weights = rng.normal(0, 1.5 / math.sqrt(width), (trials, width, width))
    return np.mean((weights.sum(axis=2) + noise) ** 2, axis=1)


def matrices_2(phi, sigma_w, sigma_b, width, depth, trials, rng):
    x, lengths = np.ones((trials, width)), []
    for _ in range(depth):
        weights = rng.normal(0, sigma_w / math.sqrt(width), (trials, width, width))
        h = np.einsum("tij,tj->ti", weights, x) + rng.normal(0, sigma_b, (trials, width))
        lengths.append(np.mean(h**2, axis=1))
        x = phi(h)
    return np.column_stack(lengths)


@pytest.mark.parametrize(
    ("id", "answer", "drawn"),
    [("1.5", matrices_1, "about 20 random numbers"), ("2.3", matrices_2, "about 70 random")],
)
def test_the_right_law_by_way_of_a_matrix_is_refused(id, answer, drawn):
    text = said(check, id, answer)
    assert text.startswith(f"{id} not yet: your function drew {drawn}")
    assert "that is a weight matrix" in text


def test_distance_and_radius():
    rng = np.random.default_rng([0, 1])
    first, second = rng.standard_normal((2, 500))
    assert ks_distance(first, first) == 0
    assert ks_distance(first, first + 100) == 1
    assert math.isclose(ks_distance(first, second), kstest(first, second).statistic)
    assert dkw_radius(400, 1e-9) == 2 * dkw_radius(1600, 1e-9)


# --- what the solutions claim, against the exact laws ---------------------------------------------


def test_the_solution_of_1_5_has_the_exact_law():
    trials = 200_000
    q = solved(next(e for e in EXERCISES if e.id == "1.5"))(8, trials, np.random.default_rng(5))
    radius = dkw_radius(trials, 1e-9)
    assert kstest(q, chi2(8, scale=2.34 / 8).cdf).statistic < radius
    assert kstest(q, chi2(9, scale=2.34 / 9).cdf).statistic > radius


def test_the_solution_of_2_3_has_the_exact_law():
    chain = solved(next(e for e in EXERCISES if e.id == "2.3"))
    q = chain(lambda x: x, 1.0, 0.5, 8, 4, 20_000, np.random.default_rng(6))
    radius = dkw_radius(20_000, 1e-9)
    v = np.column_stack([np.full(20_000, 1.25), q[:, :-1] + 0.25])
    for layer in range(4):
        assert kstest(8 * q[:, layer] / v[:, layer], chi2(8).cdf).statistic < radius
    assert kstest(8 * q[:, 1] / v[:, 1].mean(), chi2(8).cdf).statistic > radius


def test_the_correlation_formula_against_the_sampler():
    trials = 40_000
    for sigma_w, sigma_b in ((1.5, 0.3), (1.0, 0.0)):
        net = Network("tanh", sigma_w=sigma_w, sigma_b=sigma_b)
        q = sample_lengths(net, width=64, depth=2, trials=trials, rng=11)
        seen = np.corrcoef(q.T)[0, 1]
        spread = 6.5 / math.sqrt(trials)  # Fisher's z: more than six standard errors
        assert abs(np.arctanh(seen) - np.arctanh(correlation(net, 64))) < spread
        assert abs(np.arctanh(seen) - np.arctanh(correlation(net, 64) + 0.07)) > spread


def test_the_correlation_does_not_fade_with_width():
    net = Network("tanh", sigma_w=1.5, sigma_b=0.3)
    values = [correlation(net, width) for width in (64, 10**4, 10**6)]
    assert all(0.2707 < value < 0.2714 for value in values)
    assert all(low < high for low, high in pairwise(values))


def test_the_median_that_5_5_gives():
    """By the stable law of the lesson; the package's estimate of the width agrees with it."""
    a, index = 0.42, 1 / 0.84
    unit = (1 - index) / (math.gamma(2 - index) * math.cos(math.pi * index / 2))
    scale = (math.sqrt(2 / math.pi) / unit) ** (1 / index)
    gap = -levy_stable.ppf(0.5, index, 1, scale=scale)
    limit = moment(1.0, a)
    assert f"{limit - gap * 1e4 ** (2 * a - 1):.1f}" == f"{MEDIAN:.1f}"
    assert f"{limit - gap * 1e5 ** (2 * a - 1):.1f}" != f"{MEDIAN:.1f}"
    by_the_law = (gap / (0.1 * limit)) ** (1 / (1 - 2 * a))
    assert math.isclose(by_the_law, ten_percent_width(), rel_tol=0.01)
    exercise = next(e for e in EXERCISES if e.id == "5.5")
    assert math.isclose(solved(exercise), by_the_law, rel_tol=0.1)
