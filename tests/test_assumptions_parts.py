"""What a decision is made of: normal form, bounds, germs, zeros; each against values."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath import mp

from lengthlab.activations import Activation
from lengthlab.assumptions import assess, probing, verdict
from lengthlab.assumptions.algebra import derivative, lowered, negative, plain, smooth
from lengthlab.assumptions.enclosure import bounded, enclose, excludes_zero
from lengthlab.assumptions.evaluation import value
from lengthlab.assumptions.expansion import germ_at
from lengthlab.assumptions.expression import ONE, ZERO, UndecidedError, X, number
from lengthlab.assumptions.germs import Germ, NoValueError
from lengthlab.assumptions.hazards import hazards, period, zero_sources
from lengthlab.assumptions.roots import zeros
from lengthlab.assumptions.workspace import working
from lengthlab.formula import formula, parse

INF = math.inf
QUICK = settings(max_examples=150, derandomize=True, deadline=None)


def tree(text):
    return lowered(parse(text))


@pytest.fixture
def work():
    with working(digits=80, seconds=60):
        yield


# --- trees for hypothesis -------------------------------------------------------------------------

LEAVES = st.sampled_from(["x", "x", "x", "1", "2", "0.5", "3", "pi", "0.1"])
UNARY = [
    "exp", "log", "sin", "cos", "tanh", "sqrt", "abs", "arctan", "sinh", "cosh", "erf", "erfc",
    "sign", "step", "relu", "floor", "cbrt", "tan", "arcsin", "log1p", "expm1", "arcsinh",
    "normcdf", "arccos",
]  # fmt: skip


def larger(inner):
    pair = st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})")
    one = st.tuples(st.sampled_from(UNARY), inner).map(lambda t: f"{t[0]}({t[1]})")
    powers = st.sampled_from(["2", "3", "0.5", "-1", "-2", "(1/3)", "-0.3"])
    raised = st.tuples(inner, powers).map(lambda t: f"({t[0]})^{t[1]}")
    chosen = st.tuples(inner, inner, inner).map(lambda t: f"where({t[0]} < {t[1]}, {t[2]}, x)")
    return st.one_of(pair, pair, one, one, raised, chosen)


TREES = st.recursive(LEAVES, larger, max_leaves=6)


# --- whole verdicts against numbers ---------------------------------------------------------------


@settings(QUICK, max_examples=50)
@given(TREES)
def test_verdicts_agree_with_values(text):
    """Probing sees poles from -50 to 50; where it sees one, no proof may say "bounded"."""
    answer = verdict.decide(parse(text), 0.5)
    phi = formula(text)
    if answer.bounded.holds:
        values = [probing._look(_clock(phi), a, side) for a in (0.0, 1.0, -1.0) for side in (-1, 1)]
        assert not any(look.pole and look.pole.order > 0.2 for look in values)
    far = [_ratio(text, side * 10.0**k) for side in (-1, 1) for k in (1, 2, 3, 4)]
    assume(None not in far)
    if answer.growth.holds:
        assert max(far[3], far[7]) < max(0.01, 0.9 * max(far))
    elif answer.growth.holds is False and answer.growth_constant:
        assert max(far) > 0.2 * min(answer.growth_constant, 1.0)


def _clock(phi):
    return probing._Clock(Activation(phi.function), INF, 0.0)


def _ratio(text, x):
    with working(digits=120, seconds=60):
        try:
            v = value(tree(text), mp.mpf(x))
        except UndecidedError:
            return None
        return float(mp.log(abs(v)) / x**2) if v else 0.0


def test_the_comparison_would_see_a_wrong_verdict():
    assert probing._look(_clock(formula("1/(x-1)")), 1.0, 1).pole.order == 1.0
    assert _ratio("exp(0.3*x^2 + x)", 1e4) == pytest.approx(0.3001)
    assert _ratio("exp(abs(x)^1.5)", 1e4) == pytest.approx(0.01)


# --- normal form ----------------------------------------------------------------------------------


@settings(QUICK, max_examples=60)
@given(TREES, st.floats(-4, 4))
def test_the_normal_form_has_the_values_of_the_formula(text, x):
    with working(digits=60, seconds=60):
        try:
            found = value(tree(text), mp.mpf(x))
        except UndecidedError:
            return
    phi = formula(text)
    typed = float(phi(x))
    assume(math.isfinite(typed) and (found is None or abs(found) < 1e300))
    near = [float(phi(x + h)) for h in (-1e-9, 1e-9)]
    assume(np.ptp([*near, typed]) <= 1e-3 * (1e-3 + abs(typed)))  # not at a jump or a pole
    assert float(found or 0) == pytest.approx(typed, rel=2e-2, abs=1e-4)


def test_merging_keeps_what_has_no_value():
    assert tree("x/x") == ONE
    assert tree("exp(x^2) - exp(x^2)") == ZERO
    assert tree("(x^2)^0.5") == tree("abs(x)")
    assert tree("log(x^2)") == tree("2*log(abs(x))")
    assert tree("relu(x)/relu(x)") != ONE
    assert tree("1/x - 1/x") != ZERO
    assert tree("sqrt(x)^2") != X
    u = "(sin(x)^2 + cos(x)^2 - 1)"
    assert tree(f"{u}/{u}") != ONE  # 0/0 everywhere, though no part shows it


@QUICK
@given(TREES, st.floats(-3, 3))
def test_derivatives(text, x):
    with working(digits=60, seconds=60), mp.workdps(60):
        t = tree(text)
        try:
            slope = value(derivative(t), mp.mpf(x))
            points = [value(t, mp.mpf(x) + k * mp.mpf("1e-12")) for k in (-1, 1)]
            smooth_here = [value(derivative(t), mp.mpf(x) + k * mp.mpf("1e-9")) for k in (-1, 1)]
        except UndecidedError:
            return
        assume(slope is not None and None not in points and None not in smooth_here)
        assume(abs(smooth_here[0] - smooth_here[1]) < 1e-4 * (1 + abs(slope)))
        assert float((points[1] - points[0]) / mp.mpf("2e-12")) == pytest.approx(
            float(slope), rel=1e-3, abs=1e-3
        )


# --- bounds ---------------------------------------------------------------------------------------


@QUICK
@given(TREES, st.floats(-30, 30), st.floats(0, 5), st.floats(0, 1))
def test_bounds_hold_all_values(text, low, width, part):
    high = low + width
    with working(digits=60, seconds=60):
        t = tree(text)
        bounds, x = enclose(t, low, high), mp.mpf(low) + mp.mpf(part) * (mp.mpf(high) - low)
        try:
            v = value(t, x)
        except UndecidedError:
            return
    if v is not None:
        assert bounds is not None
        assert bounds[0] <= v <= bounds[1]


def test_bounds_are_tight_and_round_outwards():
    low, high = enclose(tree("0.1 + 0.2"), 0, 0)
    assert Fraction(low) < Fraction(3, 10) < Fraction(high)
    assert high - low < 1e-14
    assert enclose(tree("exp(x)"), -2000, -1000) == (0.0, pytest.approx(5e-324, abs=1e-323))
    assert enclose(tree("x^2 + 1"), -1, 1) == (pytest.approx(1), pytest.approx(2))
    assert enclose(tree("log(x)"), -2, -1) is None
    assert [bounded(tree(t)) for t in ("sin(x)/(2 + cos(x))", "x", "1/x")] == [True, False, False]


def test_what_is_smooth():
    assert smooth(tree("tanh(x) + log(1 + x^2)*sqrt(1 + exp(x))"))
    assert not any(smooth(tree(t)) for t in ("1/x", "abs(x)", "sqrt(x)", "log(x)", "floor(x)"))
    assert not plain(tree("sin(x)^2 + cos(x)^2 - 1"))


# --- germs ----------------------------------------------------------------------------------------


@QUICK
@given(TREES, st.sampled_from([0, 1, -1, 2, INF]), st.sampled_from([1, -1]))
def test_leading_terms_are_limits(text, point, side):
    """At X = 10^30 the leading term alone is right to a relative error that falls to 0."""
    with working(digits=150, seconds=60):
        t = tree(text)
        try:
            germ = germ_at(t, Fraction(point) if point != INF else INF, side)
        except (UndecidedError, NoValueError):
            return
        if not germ.terms or len(germ.terms[0].monomial.exponent) or germ.sign is None:
            return
        m, c = germ.terms[0]
        big = mp.mpf(10) ** 30
        with mp.workdps(300):
            x = side * big if point == INF else point + side / big
            log = mp.log(big)
            powers = [float(p) if isinstance(p, Fraction) else p for p in m[1:]]
            leading = c * big ** powers[0] * log ** powers[1] * mp.log(log) ** powers[2]
            try:
                v = value(t, x)
            except UndecidedError:
                return
        assume(not any(u.monomial.log or u.monomial.loglog for u in germ.terms[:2]))
        assert v is not None
        assert float(v / leading) == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize(
    ("text", "point", "order", "coefficient"),
    [
        ("sin(x)/x", 0, 0, 1),
        ("1/(exp(x) - 1 - x)", 0, 2, 2),
        ("(sin(x) - x + x^3/6)/x^5", 0, 0, Fraction(1, 120)),
        ("(sqrt(1 + x) - 1 - x/2)/x^2", 0, 0, Fraction(-1, 8)),
        ("x^3/(x - sin(x))", 0, 0, 6),
        ("(arctan(x) - x)/x^3", 0, 0, Fraction(-1, 3)),
        ("tan(x)^2/x^5", 0, 3, 1),
        ("(1 + x^2)/(2*x^2)", INF, 0, Fraction(1, 2)),
        ("(sqrt(x^4 + x^2) - x^2)", INF, 0, Fraction(1, 2)),
        ("x^2*(exp(1/x) - 1 - 1/x)", INF, 0, Fraction(1, 2)),
    ],
)
def test_exact_limits(work, text, point, order, coefficient):
    germ = germ_at(tree(text), point if point == INF else Fraction(point), 1)
    m, c = germ.terms[0]
    assert (m.exponent, m.power, m.log) == ((), order, 0)
    assert c == coefficient


def test_no_value_on_one_side(work):
    with pytest.raises(NoValueError):
        germ_at(tree("sqrt(x)"), Fraction(0), -1)
    assert germ_at(tree("sqrt(x)"), Fraction(0), 1).tends_to_zero
    assert germ_at(tree("0*log(abs(x))"), Fraction(0), 1) == Germ()


# --- zeros ----------------------------------------------------------------------------------------


@settings(QUICK, max_examples=20)
@given(st.lists(st.integers(-12, 12), min_size=1, max_size=3), st.integers(1, 3))
def test_zeros_of_polynomials_with_known_zeros(roots, divisor):
    roots = [Fraction(r, divisor) for r in roots]
    coefficients = [Fraction(1)]
    for r in roots:  # multiplied out: the factors are not seen
        shifted = [*coefficients, Fraction(0)]
        coefficients = [
            a - r * b for a, b in zip(shifted, [Fraction(0), *coefficients], strict=True)
        ]
    degree = len(roots)
    text = " + ".join(f"({c})*x^{degree - k}" for k, c in enumerate(coefficients))
    with working(digits=80, seconds=60):
        found = zeros(tree(text), Fraction(-64), Fraction(64))
    assert set(roots) <= {Fraction(z).limit_denominator(10**6) for z in map(_fraction, found)}
    assert len(found) <= degree * (degree + 1)


def _fraction(z):
    return z if isinstance(z, Fraction) else Fraction(str(mp.nstr(z, 25)))


@pytest.mark.parametrize(
    ("text", "a", "b", "expected"),
    [
        ("x - cos(x)", 0, 2, [0.7390851332151607]),
        ("exp(x) - 3*x", -INF, INF, [0.6190612867359452, 1.5121345516578424]),
        ("exp(x) - x", -INF, INF, []),
        ("log(x) - 1/x", 0, INF, [1.7632228343518968]),
        ("x^5 - x + 0.1", -64, 64, [-1.0235771, 0.1000100, 0.9732595]),
        ("tanh(x) - x/2", 1, INF, [1.9150080481545375]),
        ("sqrt(x) - x/3", 1, INF, [9]),
    ],
)
def test_zeros(work, text, a, b, expected):
    ends = [e if abs(e) == INF else Fraction(e) for e in (a, b)]
    found = [float(z) for z in zeros(tree(text), *ends)]
    assert found == pytest.approx(expected, abs=1e-6)


def test_what_is_not_certain_is_refused(work):
    with pytest.raises(UndecidedError):
        zeros(tree("sin(1/x)"), Fraction(0), Fraction(1))
    with pytest.raises(UndecidedError):
        zeros(tree("floor(x) + 0.5"), Fraction(-1), Fraction(1))


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("exp(x) - exp(2*x + 1)", ["x + 1"]),
        ("1/(1 + exp(-x)) - 0.5", ["x"]),
        ("exp(x) + exp(-x)", []),
        ("log(x^2 + 3)", []),
        ("log(x^2)", ["abs(x) - 1"]),
        ("sqrt(1 + x^2) - x", []),
        ("x^2 + sin(x)^2", ["x"]),
        ("erf(x - 1)", ["x - 1"]),
    ],
)
def test_simpler_functions_with_the_same_zeros(text, sources):
    found = {min(s, negative(s)) for s in zero_sources(tree(text)) if not excludes_zero(enclose(s))}
    assert found == {min(tree(s), negative(tree(s))) for s in sources}


def test_hazards_and_periods(work):
    assert hazards(tree("tanh(x) + exp(-x^2)")) == []
    assert X in hazards(tree("1/erfc(1/x)"))
    assert hazards(tree("log(x - 1)/(x^2 - 2)")) == [tree("x^2 - 2"), tree("x - 1")]
    assert period(tree("sin(2*x) + cos(3*x)")) == 1
    assert period(tree("sin(x/2)*exp(cos(x))")) == 2
    assert period(tree("x + sin(x)")) is None
    assert period(number(3)) == 0


def test_expressions_are_written_for_students():
    assert str(tree("-x^2 + 2*(x - 1)/exp(x)")) == str(tree("2*(x - 1)*exp(-x) - x^2"))
    assert str(tree("x^2 - 2")) == "x^2 - 2"
    assert str(tree("1/sqrt(x)")) == "x^(-1/2)"
    assert assess(formula("1/(x+2)")).bounded.reason.endswith("as x tends to -2 from the right.")
