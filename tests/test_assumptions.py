"""The assumptions on phi: known truths, tricky formulas, the catalogue, plain functions."""

import json
import math
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_formula import GREEDY

from lengthlab import gaussian
from lengthlab.activations import Activation, activation, catalogue
from lengthlab.assumptions import Assessment, Assumption, Singularity, assess, verdict
from lengthlab.formula import formula, parse

pytestmark = pytest.mark.filterwarnings("error")

INF = math.inf
REFERENCE = json.loads(
    (Path(__file__).parent / "reference" / "permissibility.json").read_text(encoding="utf-8")
)
"""Formulas with known truth, and where known the critical variance Q."""

PATIENCE = 2.0
"""Seconds: on a slow machine the answers are to be the same."""


def decided(text):
    return verdict.decide(parse(text), PATIENCE)


# --- known truths ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answers():
    return [(entry, verdict.decide(parse(entry["formula"]), 1.0)) for entry in REFERENCE]


def test_no_verdict_of_the_reference_is_wrong(answers):
    wrong = [e["formula"] for e, a in answers if a.permissible is (not e["permissible"])]
    assert wrong == []


def test_at_most_one_in_ten_is_left_open(answers):
    assert len(answers) == 270
    assert sum(a.permissible is None for _, a in answers) <= 27


def test_what_is_open_says_so(answers):
    for _, a in answers:
        for part in (a.bounded, a.growth):
            assert part.reason.endswith(".")
            assert (part.holds is None) == part.reason.startswith("Not decided")
        assert a.measurable.holds
        assert a.certain


def test_critical_variances(answers):
    known = [(e, a) for e, a in answers if e["Q"] is not None]
    for e, a in known:
        if a.critical_variance is not None:
            assert a.critical_variance == pytest.approx(e["Q"], rel=1e-6), e["formula"]
    assert sum(a.critical_variance is None for _, a in known) <= 2
    assert all(a.critical_variance == INF for _, a in answers if a.permissible)


TRICKY = {
    # Rounding and cancellation.
    "1/(x - 1e-70)": False,
    "1/log((0.001 - 5*x)^2)": False,
    "1/log(1.3*x + 0.07)": False,
    "1/(1e40*x - 1e40*sqrt(2) + 0.5)": False,
    "x^2/(x^2 + sin(x)^2)": True,
    "(x - sqrt(2 + 1e-100))/(x^2 - 2)": False,
    "1/(x^2 - 1e-300)": False,
    "1/(x^2 + 1e-300)": True,
    "1/(x^4 - 2*x^2 + 1 + 1e-30)": True,
    "1/(x^4 - 2*x^2 + 1 - 1e-30)": False,
    "1/(x*exp(x) + 0.36787944117144233)": True,
    "exp(x^2*(1 - 1e-30))/exp(x^2)": True,
    "exp(x^2*(1 + 1e-30))/exp(x^2)": False,
    "exp(1e-20*x^2)": False,
    "1/(pi - 3.14159265358979323846264338327950288)": True,
    # Where parts have no value.
    "1/(relu(x) + relu(-x - 1))": False,
    "exp(x^3)*(1 + (sqrt(-x) - sqrt(-x)))": True,
    "exp(-x^3)*relu(x)/relu(x)": True,
    "exp(x^3)*relu(-x)^relu(-x)": False,
    "exp(x^3) + relu(-x)^x": False,
    "1/(1/x - 1/x)": True,
    "1/0": True,
    # Zeros that are limits, and switches at poles.
    "1/erfc(1/(x - 3)^2)": False,
    "1/where(1/(x - 3.3) > 0, x - 20, 1)": False,
    "1/where(1/(x - 3.3) > 0, x - 2, 1)": True,
    "1/(1 - x*(x < 1.5))": False,
    "1/(2 - x*(x < 1.5))": True,
    "where(x == 0, 1/x, x)": True,
    "(x != x)*exp(x^2)": True,
    "1/trunc(x)": True,
    # Tails.
    "1 + erf(x)": True,
    "exp(x^2)*(1 + erf(x))": False,
    "exp(x^2)*(1 + erf(-abs(x)))": True,
    "log(erf(x))": False,
    "exp(x^2)*log(erf(abs(x) + 1))": True,
    "exp(1.01*x^2)*log(erf(abs(x) + 1))": False,
    "exp(x^2)*erfc(abs(x)*0.999)": False,
    "exp(abs(x)^1.999999)": True,
    "exp(x^2/log(2 + x^2))": True,
    "1/(tanh(x) - 1)": True,
    "cosh((2*x)^1.5 - arctanh(normcdf(0.1*x)))": False,
    # Oscillation.
    "cos(x)*exp(x^2)": False,
    "exp(-1/sin(x)^2)/sin(x)^9": True,
    "1/(2 + x*sin(x))": False,
    "1/(1 + x^2*sin(x)^2)": True,
    "arctan(exp(tan(x)))": True,
}


@pytest.mark.parametrize("text", TRICKY)
def test_tricky(text):
    assert decided(text).permissible is TRICKY[text]


OPEN_OR_TRUE = [
    "cos(x)^2*exp(x^2) - exp(x^2) + sin(x)^2*exp(x^2)",
    "exp(x^2)*((sin(x)^2 + cos(x)^2 - 1)/(sin(x)^2 + cos(x)^2 - 1))",
    "exp(x^2) + sqrt(sin(x)^2 + cos(x)^2 - 2)",
    "exp(x^2) + where(sin(x)^2 + cos(x)^2 > 0.5, log(-1 - x^2), 1)",
    "exp(x^2)*(1 + exp(log(sin(x)^2 + cos(x)^2 - 1.5)))",
    "1/(cosh(x)^2 - sinh(x)^2 - 1)",
    "1/(1 + x - floor(x))",
    "1/(2.0001 + sin(x) + sin(1.4142135623730951*x))",
    "log(2 + log(2 + log(2 + abs(x))))",
    "x*10^(-700)",
    "x*9^9^9",
]
"""Permissible, and hard to know: an honest None is as good as True."""


@pytest.mark.parametrize("text", OPEN_OR_TRUE)
def test_hard_ones_are_never_refused(text):
    assert verdict.decide(parse(text), 0.5).permissible in (None, True)


@settings(max_examples=25, derandomize=True, deadline=None)
@given(
    st.sampled_from([entry for entry in REFERENCE if "floor" not in entry["formula"]]),
    st.sampled_from(["2*x", "-x", "0.7*x", "x/3", "-5*x", "pi*x"]),
    st.sampled_from(["", " + 1", " - 0.3", " + 0.001", " - 100", " + sqrt(2)", " - pi", " + 1e-9"]),
)
def test_a_change_of_scale_and_origin_changes_no_verdict(entry, scaled, shift):
    plain = entry["formula"].replace("exp", "EXP").replace("max", "MAX")
    moved = plain.replace("x", f"({scaled}{shift})").replace("EXP", "exp").replace("MAX", "max")
    if len(moved) <= 300:
        answer = verdict.decide(parse(moved), 0.5).permissible
        assert answer in (None, entry["permissible"])


# --- reasons, evidence, poles ---------------------------------------------------------------------


def test_reason_and_poles_of_a_shifted_root():
    a = assess(formula("abs(x - 2)^-0.3*log(abs(x - 2))^2"))
    assert a.permissible is False
    assert a.bounded.reason == (
        "|phi(x)| grows like |log |x - 2||^2 / |x - 2|^0.3 as x tends to 2 from the right."
    )
    assert a.poles == (Singularity(2.0, 1, 0.3, 2.0), Singularity(2.0, -1, 0.3, 2.0))
    assert a.critical_variance == INF
    for point in a.bounded.evidence:
        h = abs(point.x - 2)
        assert point.value == pytest.approx(h**-0.3 * math.log(h) ** 2, rel=1e-6)
    assert [e.value for e in a.bounded.evidence] == sorted(e.value for e in a.bounded.evidence)


@pytest.mark.parametrize("c", [1e-6, 0.1, 0.25, 3.0])
def test_growth_constant(c):
    a = assess("exp_square", c=c)
    assert (a.bounded.holds, a.growth.holds, a.permissible) == (True, False, False)
    assert a.growth_constant == c
    assert a.critical_variance == pytest.approx(1 / (4 * c), rel=1e-15)
    assert a.growth.reason == f"log|phi(x)| / x^2 tends to {c:.6g} as x tends to +infinity."
    assert all(e.value == pytest.approx(c) for e in a.growth.evidence)


@pytest.mark.parametrize(
    ("exponent", "critical"), [(-0.1, INF), (-0.499, INF), (-0.5, 0.0), (-0.501, 0.0), (-2, 0.0)]
)
def test_the_order_of_a_pole_decides(exponent, critical):
    a = assess("power", exponent=exponent)
    assert {(p.location, p.order) for p in a.poles} == {(0.0, -exponent)}
    assert a.critical_variance == critical


def test_half_a_pole_with_a_logarithm():
    # phi^2 = 1 / (|x| log^k): integrable at 0 for k > 1 only.
    for k, critical in ((0.4, 0.0), (0.5, 0.0), (0.6, INF)):
        a = decided(f"where(abs(x) < 0.5, abs(x)^-0.5*abs(log(abs(x)))^-{k}, 0)")
        assert a.critical_variance == critical


def test_one_side_only():
    a = decided("exp(-1/x)")
    assert a.poles == (Singularity(0.0, -1, INF),)
    assert "from the left" in a.bounded.reason


def test_limits_are_the_evidence_of_boundedness():
    a = decided("sin(x)/x")
    at_zero = [e for e in a.bounded.evidence if e.x == 0]
    assert [e.value for e in at_zero] == [1.0, 1.0]
    assert {e.quantity for e in at_zero} == {
        "limit of phi from the right",
        "limit of phi from the left",
    }


def test_sentences():
    a = decided("sin(x)/(x*(x - pi))")
    assert a.bounded.reason == (
        "phi could be unbounded only near where x - pi or x is 0; it is bounded there."
    )
    assert a.growth.reason == "phi(x) tends to 0 as |x| grows."
    b = assess("elu")
    assert b.bounded.reason == (
        "On a finite interval a formula grows without end only where a denominator, or what a "
        "logarithm is taken of, approaches 0: here none does."
    )
    assert b.growth.reason == (
        "|phi(x)| grows like |x| as x tends to +infinity; "
        "phi(x) stays bounded as x tends to -infinity."
    )
    assert decided("x*exp(x)").growth.reason == (
        "|phi(x)| grows like exp(|x|) up to slower factors as x tends to +infinity, so that "
        "log|phi(x)| / x^2 tends to 0; phi(x) tends to 0 as x tends to -infinity."
    )
    assert decided("arccos(x)").growth.reason == (
        "phi has no value, and is taken for 0, as |x| grows."
    )
    assert "arbitrarily far out it is unbounded again" in decided("1/cos(x)").growth.reason


def test_evidence_as_far_as_the_numbers_go():
    """exp(exp(100)) is beyond what is computed; what comes before is still shown."""
    (seen,) = decided("exp(exp(x))").growth.evidence
    assert (seen.x, seen.value) == (10.0, pytest.approx(math.exp(10) / 100))


def test_a_periodic_pole_is_met_arbitrarily_far_out():
    a = assess("tan")
    assert (a.bounded.holds, a.growth.holds) == (False, False)
    assert {round(abs(p.location), 12) for p in a.poles} >= {round(math.pi / 2, 12)}
    assert a.critical_variance == 0.0


def test_results_are_frozen_and_compose():
    a = assess("tanh")
    with pytest.raises(FrozenInstanceError):
        a.certain = False
    yes, no, open_ = (Assumption(holds, "") for holds in (True, False, None))
    assert Assessment(yes, yes, yes).permissible is True
    assert Assessment(yes, open_, yes).permissible is None
    assert Assessment(no, open_, yes).permissible is False


# --- the catalogue --------------------------------------------------------------------------------

NOT_PERMISSIBLE = {"reciprocal", "power", "log_abs", "tan", "exp_square"}


@pytest.mark.parametrize("name", catalogue())
def test_catalogue(name):
    a = assess(name)
    assert a.permissible is (name not in NOT_PERMISSIBLE)
    assert a.certain
    assert a.critical_variance == gaussian.critical_variance(activation(name), 2)
    assert a.growth_constant == max(activation(name).growth, 0.0)


def test_no_float_can_tell_the_rationals():
    a = assess("dirichlet")
    assert a.permissible
    assert "no float can tell" in a.measurable.reason.lower()


# --- plain Python functions -----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(catalogue()) - {"dirichlet"}))
def test_probing_agrees_with_the_proof(name):
    phi = activation(name)
    a = assess(Activation(phi.function))
    assert not a.certain
    assert a.permissible is assess(name).permissible
    assert a.critical_variance == pytest.approx(assess(name).critical_variance, rel=1e-3)
    assert "rests on probing" in a.bounded.reason
    assert "rests on probing" in a.growth.reason


PLAIN = [
    (lambda x: 1 / (x - 0.7123), False, 0.0),
    (lambda x: np.log(np.abs(x - 3.3)), False, INF),
    (lambda x: np.exp(1 / x), False, 0.0),
    (lambda x: np.abs(x) ** -2.5, False, 0.0),
    (lambda x: np.exp(x**3), False, 0.0),
    (lambda x: np.exp(np.exp(x)), False, 0.0),
    (lambda x: 1 / np.sqrt(np.abs(x - 2)), False, None),
    (lambda x: 1 - np.abs(x) ** 0.5, True, INF),
    (lambda x: 1 - np.abs(x) ** 0.05, None, None),
    (lambda x: 1000 * np.cos(x) + x**3, True, INF),
    (np.sqrt, True, INF),
    (np.floor, True, INF),
]


@pytest.mark.parametrize(("f", "permissible", "critical"), PLAIN)
def test_probing(f, permissible, critical):
    a = assess(Activation(f))
    assert (a.permissible, a.critical_variance, a.certain) == (permissible, critical, False)


def test_declarations_are_believed():
    a = assess(Activation(np.tanh, poles=((0.5, 0.25),), growth=0.5))
    assert (a.bounded.holds, a.growth.holds, a.critical_variance) == (False, False, 0.5)
    assert "declared" in a.bounded.reason
    assert "declared" in a.growth.reason


def test_a_slow_function_is_left_open(monkeypatch):
    monkeypatch.setattr("lengthlab.assumptions.assessment.SECONDS", 0.0)
    a = assess(Activation(np.tanh))
    assert (a.permissible, a.critical_variance) == (None, None)
    assert "within 0 s" in a.bounded.reason


# --- the deadline, threads, imports, bad calls ----------------------------------------------------


HEAVY = [
    "where(x > 0, " * 28 + "x" + ", 1)" * 28, "where(" * 36 + "x" + ", x, 1)" * 36,
    "1/(" + " + ".join(f"sin({k}.1*x)" for k in range(1, 36)) + ")", "exp(x^20)*erfc(x^10)",
    "erf(1/erf(1/erf(1/x)))", "1/sin(1/sin(1/sin(x)))", "tan(1/x)^tan(x)", "(1 + 1/x)^(x^x)",
    "1/(erf(x) - 0.99999999999999999999999999999999999)", "1/sin(1e100*x)", "sin(1e300*x)/x",
    "exp(cosh(sinh(tan(x))))", "1/(x^20 + x^19 + x^18 + x^17 + x^3 - 1)^20", "x^" + "9" * 290,
    "normcdf(100*x)^x^9", "1/log(erfc(1/x)/normcdf(x^3))", "1/(x - 1e299) + 1/(x - 1e-299)",
]  # fmt: skip


@pytest.mark.parametrize("text", ["1/(x^3 - x - 1)", "exp(x^2)*sin(x)", "x*log(x^2)"])
def test_past_the_deadline_everything_is_open(text):
    a = verdict.decide(parse(text), 0.0)
    assert (a.bounded.holds, a.growth.holds, a.critical_variance) == (None, None, None)
    assert "not decided within 0 s" in a.bounded.reason


@pytest.mark.parametrize("text", [*GREEDY, *HEAVY], ids=lambda text: f"{text[:24]}-{len(text)}")
def test_an_answer_within_a_second_whatever_is_typed(text):
    """In the time of one thread: what else a machine does is not counted."""
    phi = formula(text)
    start = time.thread_time()
    assess(phi)
    assert time.thread_time() - start < 1


@pytest.mark.parametrize("name", ["tan", "trunc", "sinh", "arccosh", "arcsin"])
def test_what_doubles_with_every_bracket_is_left_open(name):
    """Written in sin and cos, tan(tan(...)) of 49 has 2^49 parts."""
    a = assess(formula(f"{name}(" * 49 + "x" + ")" * 49))
    assert a.permissible is None
    assert a.bounded.reason == (
        "Not decided: written in exp, log, sin, ... alone, the formula is too long."
    )


def test_threads_and_mpmath_are_not_disturbed():
    before = mpmath.mp.dps
    texts = [entry["formula"] for entry in REFERENCE[:12]]
    alone = [decided(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(decided, texts))
    assert together == alone
    assert mpmath.mp.dps == before


def test_mpmath_is_loaded_when_it_is_needed():
    code = "import lengthlab.assumptions, sys; assert 'mpmath' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: assess("x*exp(-x^2)"), ValueError, "assess(formula('x*exp(-x^2)'))"),
        (lambda: assess("Tanh"), ValueError, "activation must be an Activation or one of identity"),
        (lambda: assess(np.tanh), TypeError, "assess(Activation(f))"),
        (lambda: assess(None), TypeError, "got None"),
        (lambda: assess("tanh", slope=1), TypeError, "takes no parameter, got slope=1"),
        (lambda: assess("power", exponent=INF), ValueError, "exponent must be a finite number"),
        (lambda: assess(formula("x"), c=1), TypeError, "got c=1; leave it out"),
        (lambda: assess(Activation(lambda x: x[:2])), ValueError, "array of the shape"),
    ],
)
def test_bad_calls(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
