"""Kinks, poles and growth of typed formulas, and the Gaussian means that rest on them."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_formula_values import TREES, phi

from lengthlab.activations import activation, catalogue
from lengthlab.formula import formula, parse
from lengthlab.formula.breaks import breaks
from lengthlab.formula.growth import Growth, growth
from lengthlab.formula.polynomials import polynomial, real_roots
from lengthlab.formula.values import Values
from lengthlab.gaussian import critical_variance, mean_square

pytestmark = pytest.mark.filterwarnings("error")

INF, NAN = math.inf, math.nan
ROOT_2 = math.sqrt(2)

# --- kinks and poles ------------------------------------------------------------------------------

KINKS = [
    ("x*tanh(x) + exp(-x^2)", []),
    ("abs(x)", [0]),
    ("abs(x - 0.1)*abs(3*x + 1)", [-1 / 3, 0.1]),
    ("relu(x - 1000000)", [1e6]),
    ("clip(x, -1, 2)", [-1, 2]),
    ("where(x < 0.3, x, 5)", [0.3]),
    ("where(x^2 > 2, 1, 0)", [-ROOT_2, ROOT_2]),
    ("abs(x^3 - x)", [-1, 0, 1]),
    ("step((x - 1)^2*(x + 2))", [-2, 1]),
    ("max(x, exp(-x))", [0.56714329040978387]),
    ("sign(cos(x) - x)", [0.7390851332151607]),
    ("sqrt(x - 2)", [2]),
    ("cbrt(x + 1) + (x - 4)^1.5", [-1, 4]),
    ("arcsin(x/2)", [-2, 2]),
    ("arccosh(x)", [1]),
    ("step(x - 1)*step(1 - x)", [1]),
    ("sin(x)/x", [0]),  # no value at 0
    ("(x^2 - 1)/(x - 1)", [1]),
    ("sin(1/x)", [0]),
    ("exp(-1/x^2)", [0]),
    ("x^x", [0]),
    ("1/(1 + x^2) + 1/cosh(x) + 1/(2 + sin(x))", []),
    ("1/(x^4 - 4*x^2 + 4.0001)", []),
    ("1/(1.0000001 + cos(x))", []),
    ("1/(exp(x) - x)", []),
    ("(1 - cos(x))/x^2", [0]),
    ("(sin(x) - x + x^3/6)/x^5", [0]),  # in floats it looks like a pole of order 5
    ("(sqrt(1 + x) - 1 - x/2)/x^2", [-1, 0]),
    ("(exp(x) - e)/(x - 1)", [1]),
    ("(x^2 - 2)^2/(x^4 - 4*x^2 + 4)", [-ROOT_2, ROOT_2]),
    ("max(-3, min(3, 1/x))", [-1 / 3, 0, 1 / 3]),
    ("x*log(abs(x))", [0]),
    ("abs(x)^-0.2*exp(-1/x^2)", [0]),
    ("x/sinh(x) + arctan(1/x)", [0]),
]


@pytest.mark.parametrize(("text", "kinks"), KINKS)
def test_kinks(text, kinks):
    found, poles = breaks(parse(text))
    assert poles == ()
    assert list(found) == pytest.approx(kinks, rel=4e-16, abs=1e-15)


POLES = [
    ("1/x", [(0, 1)]),
    ("1/abs(x - 3)^0.45", [(3, 0.45)]),
    ("x^-2", [(0, 2)]),
    ("x^(-1/3)", [(0, 1 / 3)]),
    ("1/x^0.1 + 1/x^0.2", [(0, NAN)]),  # on the way to 0.2, and not there yet
    ("abs(x)^(-1/pi)", [(0, 1 / math.pi)]),
    ("log(abs(x))", [(0, 0)]),
    ("5 + 3*log(x)^2", [(0, 0)]),
    ("log(x)^2/abs(x)^0.1", [(0, NAN)]),
    ("arctanh(x)", [(-1, 0), (1, 0)]),
    ("log1p(-x)", [(1, 0)]),
    ("log(log(x))", [(1, 0)]),
    ("1/sqrt(1 - x^2)", [(-1, 0.5), (1, 0.5)]),
    ("1/(x^4 - 4*x^2 + 4)", [(-ROOT_2, 2), (ROOT_2, 2)]),
    ("1/(x^2 - 2)^0.2", [(-ROOT_2, 0.2), (ROOT_2, 0.2)]),
    ("(x - 1)/(x^2 - 3*x + 2)", [(2, 1)]),
    ("1/(x - 0.1 - 0.2) - 1/(x - 0.3) + 1/x", [(0, 1)]),
    ("1/(x - 1e-70)", [(1e-70, 1)]),
    ("1/(cos(x) - x)", [(0.7390851332151607, 1)]),
    ("(x - sin(x))/x^4", [(0, 1)]),
    ("1/(1 - exp(-x^2))", [(0, 2)]),
    ("1/relu(x)", [(0, 1)]),
    ("1/where(x > 1, x - 1, 0)", [(1, 1)]),
    ("exp(1/x)", [(0, NAN)]),
    ("sin(1/x)/x", [(0, NAN)]),
    ("max(1/x, 0)*step(-x) + 1/(x + 1)", [(-1, 1)]),
    ("tan(x)*step(2 - abs(x))", [(-math.pi / 2, 1), (math.pi / 2, 1)]),
    ("sqrt(-log(abs(x)))", [(0, 0)]),
]


@pytest.mark.parametrize(("text", "poles"), POLES)
def test_poles(text, poles):
    found = breaks(parse(text))[1]
    assert [tuple(pole) for pole in found] == [
        (pytest.approx(location, rel=4e-16, abs=0), pytest.approx(order, rel=1e-12, nan_ok=True))
        for location, order in poles
    ]


def test_of_poles_without_end_the_nearest_are_declared():
    poles = breaks(parse("1/(1 + cos(x))"))[1]
    assert {(-math.pi, 2.0), (math.pi, 2.0), (3 * math.pi, 2.0)} <= set(poles)
    assert len(poles) <= 8
    tan = breaks(parse("tan(x)"))[1]
    assert set(activation("tan").poles) <= set(tan)


def test_of_kinks_without_end_the_nearest_are_declared():
    for text, period, shift in (
        ("abs(sin(x))", math.pi, 0),
        ("floor(x)", 1, 0),
        ("rint(x)", 1, 0.5),
    ):
        kinks = np.array(breaks(parse(text))[0])
        assert 60 <= len(kinks) <= 64
        expected = period * (np.arange(-28, 29) + shift)
        assert all(np.abs(kinks - x).min() < 1e-14 * (1 + abs(x)) for x in expected)


@pytest.mark.parametrize("name", [n for n in catalogue() if n not in ("dirichlet", "tan")])
def test_the_breaks_of_the_catalogue(name):
    entry = activation(name)
    typed = formula(entry.expression)
    assert typed.kinks == entry.kinks
    assert typed.poles == entry.poles
    assert typed.growth == entry.growth


@settings(deadline=None, max_examples=50, derandomize=True)
@given(TREES)
def test_a_pole_is_where_a_random_tree_is_large(tree):
    """|phi| at 1e-12 is larger than at 1e-3 and 1e-6 on one side, by the declared order."""
    import mpmath as mp

    for location, order in breaks(tree)[1]:
        if not order > 0 or location != round(location, 3):
            continue  # the float beside an irrational pole is not the pole
        with mp.workdps(120):
            near, far = (
                max(abs(phi(tree, mp.mpf(location) + side * mp.mpf(10) ** -k)) for side in (-1, 1))
                for k in (60, 40)
            )
            assert float(mp.log10(near / far)) == pytest.approx(20 * order, rel=0.2)


# --- polynomials ----------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(-30, 30), min_size=1, max_size=5))
def test_rational_roots_are_found_exactly(roots):
    text = "*".join(f"(4*x - {root})" for root in roots)
    found = {exact for _, exact in real_roots(polynomial(parse(text)))}
    assert {4 * root for root in found} == set(roots)


def test_what_is_no_polynomial():
    for text in ("x^21", "x^-1", "x^0.5", "1/x", "sin(x)", "x*pi", "x^x", "x/0", "(x^5)^5"):
        assert polynomial(parse(text)) is None
    assert polynomial(parse("x - x")) == [0]


# --- growth ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rate", "degree"),
    [
        ("x", 0, 1), ("3", 0, 0), ("0", 0, 0), ("0/0", 0, 0), ("x^2 - x^2", 0, 2),
        ("x^2.5", 0, 2.5),
        ("sin(x)*x", 0, 1), ("x/(1 + abs(x))", 0, 0), ("sqrt(x^4 + 1)", 0, 2), ("log(x)", 0, 0.01),
        ("1/x", 0, 0), ("x*normcdf(x)", 0, 1), ("x^3*exp(-x^2)", 0, 0), ("log(1 + exp(x))", 0, 1),
        ("x*tanh(log1p(exp(x)))", 0, 1), ("floor(x^2)", 0, 2), ("where(x > 3, x^2, exp(x))", 0, 2),
        ("max(x, exp(-x))", 0, None), ("exp(x)", 0, None), ("exp(x)*sin(x)", 0, None),
        ("2^x - 3^x", 0, None), ("exp(abs(x)^1.9)", 0, None),
        ("x^x", None, None), ("abs(x)^x", 0, None),
        ("exp(x^2/10)", 0.1, None), ("exp(-x^2)", 0, 0), ("1/exp(-x^2)", 1, None),
        ("exp(2*x^2)*exp(-1.5*x^2)", 0.5, None), ("exp(x^2)/exp(x^2)", None, None),
        ("cosh(x^2)", 1, None), ("cosh(x^2)*x^7 - exp(x)", 1, None), ("2^(x^2)", math.log(2), None),
        ("sqrt(exp(x^2))", 0.5, None), ("exp(x^2) - 1", 1, None), ("expm1(x^2)", 1, None),
        ("exp(x^2*normcdf(x))", 1, None), ("exp(x^2*arctan(x))", math.pi / 2, None),
        ("exp(x^3)", INF, None), ("max(exp(exp(x)), x^2)", INF, None),
        ("exp(exp(x)) + x^3", INF, None), ("exp(exp(-x))", INF, None), ("exp(-x^3)", INF, None),
        ("1/normcdf(-x^2)", INF, None), ("exp(x^2/2)*normcdf(-abs(x))", None, None),
        ("exp(x^2*sin(x))", None, None), ("exp(x^2) - exp(x^2)", None, None),
        ("tan(x)", None, None),
        ("exp(0.3*x^2) - exp((0.1 + 0.2)*x^2)", None, None), ("exp(sin(x)*x^1.5)", 0, None),
        ("exp(x^2)*step(1 - abs(x))", 0, 0), ("exp(x^2)*step(abs(x) - 9)", 1, None),
        ("arcsinh(exp(x))", 0, 1), ("arccosh(x)", 0, 0.01), ("arcsin(x)*exp(x^2)", 0, 0),
        ("min(exp(x^2), exp(x))", 0, None), ("max(exp(x^2/9), x)", 1 / 9, None),
        ("erfc(x)*exp(x^2/2)", 0.5, None), ("log(exp(x^2) + 1)", 0, 2), ("x^0.6*x^1.4", 0, 2),
    ],
)  # fmt: skip
def test_growth(text, rate, degree):
    assert growth(parse(text)) == Growth(
        None if rate is None else pytest.approx(rate, rel=1e-12),
        None if degree is None else pytest.approx(degree, rel=1e-12),
    )


@settings(deadline=None, max_examples=200, derandomize=True)
@given(TREES)
def test_the_growth_of_random_trees(tree):
    """log|phi| far out is what was claimed: a power's bound, and the rate of x^2."""
    claimed = growth(tree)
    x = np.array([-1e12, -3e10, 5e10, 2e11, 1e12])
    log = Values(tree).log_abs(x)
    if claimed.degree is not None:
        near, far = (
            Values(tree).log_abs(np.outer([-1, 1], scale * np.linspace(1, 2, 25))).max()
            for scale in (1e100, 1e120)
        )
        assert near == -INF or far <= near + (claimed.degree + 0.1) * math.log(1e20)
    if claimed.growth is not None and claimed.growth < INF:
        slack = 1e-5 * (1 + claimed.growth)
        assert (log / x**2 <= claimed.growth + slack).all()
        if claimed.growth > 0:
            assert (log / x**2).max() >= claimed.growth * 0.99
    if claimed.growth == INF:
        assert (log / x**2).max() > 1


@pytest.mark.parametrize(
    ("text", "power", "critical"),
    [
        ("exp(x^2/10)", 2, 2.5), ("exp(x^2/10)", 4, 1.25), ("exp(x^2/10) + x^9", 2, 2.5),
        ("1/x", 2, 0), ("abs(x)^-0.25", 2, INF), ("abs(x)^-0.25", 4, 0), ("exp(abs(x)^3)", 2, 0),
        ("exp(x)", 2, INF), ("log(abs(x))", 4, INF),
    ],
)  # fmt: skip
def test_critical_variance(text, power, critical):
    assert critical_variance(formula(text), power) == pytest.approx(critical, rel=1e-12)


# --- Gaussian means -------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [1e-6, 0.01, 0.3, 1.0, 7.0, 1e3])
@pytest.mark.parametrize("name", [n for n in catalogue() if n != "dirichlet"])
def test_means_of_typed_and_named_activations_agree(name, q):
    entry = activation(name)
    named, typed = (
        mean_square(entry, q).estimate,
        mean_square(formula(entry.expression), q).estimate,
    )
    if math.isinf(named.value):
        assert typed == named
        return
    assert abs(named.value - typed.value) <= named.error + typed.error
    if name != "sin_reciprocal":  # it oscillates without end
        assert typed.error <= 1e-9 * typed.value
    assert typed.certain


NEWCOMERS = {
    ("x*exp(-x^2)", 1): 0.0894427190999915879,
    ("sin(x)/x", 1): 0.763955654940914549,
    ("max(x, 0)*tanh(x)", 2): 0.873881283934771377,
    ("abs(x)^0.3", 0.5): 0.656846277340602432,
    ("abs(x - 1)^-0.25", 1): 1.36763278380493776,
    ("log(abs(x))*x", 1): 0.366793144456937524,
    ("log(abs(x - 2))", 4): 1.35517272133871162,
    ("1/(1 + x^2)", 3): 0.327290767535981555,
    ("sqrt(x)", 1): 0.398942280401432678,
    ("sqrt(abs(1 - x^2))", 1): 0.967882898076573399,
    ("log(x)", 1): 0.818577994959207847,
    ("x^(1/3)", 2): 0.505468088156089278,
    ("cbrt(x - 1)", 1): 1.04313438992326156,
    ("floor(x)", 2): 2.33333333333333339,
    ("x - floor(x)", 1): 0.333333333604396679,
    ("rint(2*x)/2", 0.3): 0.320833333270077891,
    ("where(abs(x) < 1, x^2, 2 - x)", 1): 2.18279666861096811,
    ("step(x - 1) + step(x + 2)", 2): 1.64060057975528763,
    ("clip(x, -0.5, 2)", 1): 0.552832645391521607,
    ("relu(x - 3)", 1): 0.00020343508048692374,
    ("relu(1 - abs(x))", 1): 0.253551311706727782,
    ("exp(abs(x))", 1): 14.4419081954149592,
    ("exp(x)/(1 + exp(2*x))", 9): 0.0637083230016442541,
    ("cosh(x)*exp(-abs(x))", 2): 0.411947702561518219,
    ("exp(x^2/10)", 1.5): 1.58113883008418967,
    ("exp(x^2/8)*cos(x)", 1): 0.720057893646535505,
    ("exp(0.5*abs(x)^1.5)", 2): 2436.83834519405692,
    ("sin(3*x)*exp(-abs(x))", 1): 0.146728452474976235,
    ("(exp(x) - 1)/x", 1): 1.97628668986998795,
    ("tanh(x)^3 - x/(1 + abs(x))", 5): 0.0348785817559302041,
    ("erfc(x)", 1): 1.46455905439753998,
    ("normcdf(3*x - 1)*x^2", 1): 1.48858058141703288,
    ("arcsin(x)", 1): 0.271703000230703729,
    ("arccos(x/2)", 1): 2.58930022946566024,
    ("arctanh(x)", 0.2): 0.28861121832738232,
    ("arccosh(x)", 2): 0.334047181441829908,
    ("arcsinh(x)*x", 2): 4.72759809356630388,
    ("max(sin(x), x/2, -1)", 4): 0.749916134343024372,
    ("min(x^2, 4, 1/abs(x))", 1): 0.27893362143348349,
    ("exp(-1/x^2)", 1): 0.135335283236612692,
    ("2^x - x^2", 1): 1.84916186341680168,
    ("(x^3 - x)/(x^2 - 1)", 1): 1.0,
    ("sign(x^2 - 2)*x", 1): 1.0,
    ("abs(x^2 - 1)^-0.2", 1): 1.30885359762927288,
    ("log1p(x)", 0.5): 0.645794491228099314,
}
"""E phi(sqrt(q) Z)^2 of formulas that the catalogue lacks: mpmath 1.3, 30 digits, split by hand."""


@pytest.mark.parametrize(("typed", "truth"), NEWCOMERS.items())
def test_means_of_newcomers(typed, truth):
    text, q = typed
    found = mean_square(formula(text), q).estimate
    assert abs(found.value - truth) <= found.error + 1e-15 * truth
    assert found.error <= 1e-10 * truth
    assert abs(found.value - truth * (1 + 1e-9)) > found.error


def test_there_are_newcomers_enough():
    assert len(NEWCOMERS) >= 40


@pytest.mark.parametrize("exponent", ["0.1", "0.24", "0.3", "0.45", "1/3", "0.49"])
@pytest.mark.parametrize("q", [1e-4, 1.0, 1e6])
def test_means_around_a_pole(exponent, q):
    """The closed form of |x|^-a; at a = 1/2 it ends."""
    phi, a = formula(f"1/abs(x)^({exponent})"), float(Fraction(exponent))
    truth = q**-a * 2**-a * math.gamma(0.5 - a) / math.sqrt(math.pi)
    found = mean_square(phi, q).estimate
    assert abs(found.value - truth) <= found.error + 4e-15 * truth
    assert found.error <= 1e-8 * truth


@pytest.mark.parametrize(
    "text",
    ["1/x", "1/sqrt(abs(x))", "tan(x)", "exp(1/x)", "1/sin(x)", "1/(x^2 - 2)", "exp(x^2)",
     "1/relu(x)", "exp(abs(x)^3)", "exp(exp(exp(1/x)))", "1/(x*log(x)^3)"],
)  # fmt: skip
def test_infinite_means(text):
    assert mean_square(formula(text), 1.0).estimate.value == INF


@pytest.mark.parametrize("q", [1e-3, 0.5, 1.0, 30.0])
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("relu(x - 3)", lambda q: _beyond(3, q)),
        ("where(x > 3, x - 3, 0)", lambda q: _beyond(3, q)),
        ("step(x - 12)", lambda q: 0.5 * math.erfc(12 / math.sqrt(2 * q))),
        ("normcdf(x - 50)*0 + step(x - 5)", lambda q: 0.5 * math.erfc(5 / math.sqrt(2 * q))),
    ],
)
def test_means_of_what_is_0_at_the_centre(text, moment, q):
    """A window around 0 would miss them."""
    found, truth = mean_square(formula(text), q).estimate, moment(q)
    if truth > 1e-290:
        assert abs(found.value - truth) <= found.error + 1e-13 * truth * (1 + 144 / q)
        assert found.error <= 1e-9 * truth


def _beyond(a, q):
    """E max(U - a, 0)^2 for the variance q, without cancellation."""
    import mpmath as mp

    with mp.workdps(400):
        s = mp.sqrt(q)
        z = a / s
        return float((q + a * a) * mp.erfc(z / mp.sqrt(2)) / 2 - a * s * mp.npdf(z))
