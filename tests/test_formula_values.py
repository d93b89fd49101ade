"""Values of typed formulas against 50-digit arithmetic, one number at a time."""

import math
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lengthlab.activations import activation, catalogue
from lengthlab.formula import Node, formula, parse
from lengthlab.formula.names import FUNCTIONS
from lengthlab.formula.tree import constant
from lengthlab.formula.values import Values, steps

pytestmark = pytest.mark.filterwarnings("error")

INF = math.inf


class NoValue(Exception):
    """The formula has no value at this point."""


def demand(condition):
    if not condition:
        raise NoValue


def power(a, b):
    if a == 0:
        demand(b >= 0)
        return mp.mpf(1 if b == 0 else 0)
    demand(a > 0 or mp.isint(b))
    return mp.power(a, b)


def guarded(function, inside):
    def apply(a):
        demand(inside(a))
        return function(a)

    return apply


SLOW = {
    "neg": lambda a: -a,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: (demand(b != 0), a / b)[1],
    "**": power,
    "<": lambda a, b: mp.mpf(a < b),
    "<=": lambda a, b: mp.mpf(a <= b),
    ">": lambda a, b: mp.mpf(a > b),
    ">=": lambda a, b: mp.mpf(a >= b),
    "==": lambda a, b: mp.mpf(a == b),
    "!=": lambda a, b: mp.mpf(a != b),
    "abs": abs,
    "sign": mp.sign,
    "step": lambda a: mp.mpf(a > 0),
    "floor": mp.floor,
    "ceil": mp.ceil,
    "trunc": lambda a: mp.sign(a) * mp.floor(abs(a)),
    "rint": mp.nint,
    "sqrt": guarded(mp.sqrt, lambda a: a >= 0),
    "cbrt": lambda a: mp.sign(a) * mp.cbrt(abs(a)),
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": guarded(mp.log, lambda a: a > 0),
    "log1p": guarded(mp.log1p, lambda a: a > -1),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "arcsin": guarded(mp.asin, lambda a: abs(a) <= 1),
    "arccos": guarded(mp.acos, lambda a: abs(a) <= 1),
    "arctan": mp.atan,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "arcsinh": mp.asinh,
    "arccosh": guarded(mp.acosh, lambda a: a >= 1),
    "arctanh": guarded(mp.atanh, lambda a: abs(a) < 1),
    "erf": mp.erf,
    "erfc": mp.erfc,
    "normcdf": lambda a: mp.erfc(-a / mp.sqrt(2)) / 2,
    "max": max,
    "min": min,
}


def slow(tree, x):
    """Value of a tree at a number, by the textbook."""
    if tree.op == "x":
        return mp.mpf(x)
    if tree.op == "number":
        return mp.mpf(tree.value.numerator) / tree.value.denominator
    if tree.op in ("pi", "e"):
        return +getattr(mp, tree.op)
    if tree.op == "where":
        return slow(tree.args[1 if slow(tree.args[0], x) != 0 else 2], x)
    return SLOW[tree.op](*(slow(arg, x) for arg in tree.args))


def phi(tree, x):
    try:
        return slow(tree, x)
    except NoValue:
        return mp.mpf(0)


def test_the_slow_functions_are_those_that_may_be_typed():
    operators = {"neg", "+", "-", "*", "/", "**", "<", "<=", ">", ">=", "==", "!="}
    assert set(SLOW) | {"where"} == set(FUNCTIONS) | operators


@pytest.mark.parametrize("name", [n for n, (fewest, _) in FUNCTIONS.items() if fewest == 1])
def test_every_function(name):
    x = np.array([-30.2, -4.5, -1.5, -1, -0.7, -1e-3, -1e-12, 0, 1e-9, 0.3, 0.5, 1, 1.7, 2.5, 25.3])
    values, logs = Values(parse(f"{name}(x)"))(x), Values(parse(f"{name}(x)")).log_abs(x)
    with mp.workdps(50):
        truth = [phi(Node(name, (Node("x"),)), float(one)) for one in x]
        sizes = [float(mp.log(abs(one))) if one else -INF for one in truth]
    # What is left of 0 at -30.2 is as good as its argument.
    np.testing.assert_allclose(values, np.array(truth, dtype=float), rtol=2e-13)
    np.testing.assert_allclose(logs, sizes, rtol=1e-13, atol=2e-13)


# --- what is typed is what is computed ------------------------------------------------------------

ACCEPTED = [
    ("-x^2", -2.0, -4.0),
    ("-x**2", 3.0, -9.0),
    ("(-x)^2", 3.0, 9.0),
    ("1+x^2", 3.0, 10.0),
    ("2*x^3", 2.0, 16.0),
    ("x^-2", 2.0, 0.25),
    ("2^-x", 3.0, 0.125),
    ("x**2**0.5", 3.0, 3.0 ** (2.0**0.5)),
    ("x^3^2", 2.0, 512.0),
    ("-2^-x", 1.0, -0.5),
    ("2 - 3 - x", 1.0, -2.0),
    ("8/4/x", 2.0, 1.0),
    ("8/4*x", 2.0, 4.0),
    ("--x", 2.0, 2.0),
    ("+-+x", 2.0, -2.0),
    ("2*-x", 2.0, -4.0),
    (" x\t+\n1 ", 2.0, 3.0),
    ("x +\u00a01", 2.0, 3.0),  # as copied from a page
    ("007", 0.0, 7.0),
    (".5*x", 3.0, 1.5),
    ("5.*x", 3.0, 15.0),
    ("1E3", 0.0, 1000.0),
    ("2.5e-3*x", 2.0, 0.005),
    ("0e9999", 1.0, 0.0),
    ("pi", 0.0, math.pi),
    ("e^x", 1.0, math.e),
    ("x > 0", 1.0, 1.0),
    ("x > 0", 0.0, 0.0),
    ("x >= 0", 0.0, 1.0),
    ("x == 2", 2.0, 1.0),
    ("x != 2", 2.0, 0.0),
    ("(x > 0) - (x < 0)", -3.0, -1.0),
    ("(0 < x)*(x < 1)", 0.5, 1.0),
    ("where(x > 0, x, exp(x) - 1)", -1.0, math.expm1(-1)),
    ("where(x, 5, 7)", 0.0, 7.0),
    ("where(x, 5, 7)", -0.1, 5.0),
    ("step(x)", 0.0, 0.0),
    ("step(x)", 0.1, 1.0),
    ("heaviside(x)", -0.1, 0.0),
    ("max(x, 1, 2)", 3.0, 3.0),
    ("max(x, 1, 2)", -3.0, 2.0),
    ("minimum(x, 1)", 3.0, 1.0),
    ("maximum(x, 1)", -3.0, 1.0),
    ("relu(x)", -1.0, 0.0),
    ("relu(x)", 1.5, 1.5),
    ("clip(x, -1, 2)", 3.0, 2.0),
    ("clip(x, -1, 2)", -3.0, -1.0),
    ("square(x)", -3.0, 9.0),
    ("reciprocal(x)", 4.0, 0.25),
    ("negative(x) + positive(x)", 4.0, 0.0),
    ("exp2(x)", 3.0, 8.0),
    ("log2(x)", 8.0, 3.0),
    ("log10(x)", 100.0, 2.0),
    ("degrees(x)", math.pi, 180.0),
    ("radians(x)", 180.0, math.pi),
    ("rad2deg(x) - deg2rad(0)", math.pi, 180.0),
    ("absolute(x) + fabs(x)", -2.0, 4.0),
    ("rint(x)", 2.5, 2.0),
    ("round(x)", -3.5, -4.0),
    ("fix(x)", -3.5, -3.0),
    ("asin(x)", 1.0, math.pi / 2),
    ("arccos(x) - acos(x)", 0.3, 0.0),
    ("atanh(x)", 0.5, math.atanh(0.5)),
    ("normcdf(x)", 0.0, 0.5),
    ("cbrt(x)", -8.0, -2.0),
]


@pytest.mark.parametrize(("text", "x", "value"), ACCEPTED)
def test_accepted(text, x, value):
    assert float(formula(text)(x)) == pytest.approx(value, rel=1e-15, abs=1e-15)


@pytest.mark.parametrize("name", [n for n in catalogue() if activation(n).expression])
def test_the_expressions_of_the_catalogue(name):
    entry = activation(name)
    typed = formula(entry.expression)
    x = np.concatenate([np.linspace(-40, 40, 4001), [0.0, -0.0, 1e-300, -1e-9, 700.0, -700.0]])
    # exp(u) is as good as its argument: at u = -650 to 650 roundings.
    np.testing.assert_allclose(typed(x), entry(x), rtol=4e-13, atol=1e-300)


def test_the_expressions_of_parameters():
    x = np.linspace(-3, 3, 61)
    for entry in (
        activation("leaky_relu", slope=-0.25),
        activation("leaky_relu", slope=1e-7),
        activation("power", exponent=0.5),
        activation("power", exponent=-1),
        activation("power", exponent=0),
        activation("exp_square", c=-0.3),
        activation("exp_power", p=1, c=-2),
    ):
        np.testing.assert_allclose(formula(entry.expression)(x), entry(x), rtol=1e-14)


def test_only_what_cannot_be_typed_has_no_expression():
    assert [n for n in catalogue() if not activation(n).expression] == ["dirichlet"]
    assert activation("exp_square", c=1e-305).expression == ""
    assert activation("dirichlet").formula
    assert activation("relu").formula == activation("relu").expression


# --- no value, and beyond the floats --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("1/x", 0.0), ("1/x", -0.0), ("x/x", 0.0), ("0/0", 1.0), ("log(x)", 0.0), ("log(x)", -1.0),
        ("log1p(x)", -1.0), ("sqrt(x)", -1.0), ("x^0.5", -1.0), ("x^(1/3)", -8.0), ("x^-1", 0.0),
        ("x^-0.5", 0.0), ("arcsin(x)", 1.5), ("arccosh(x)", 0.5), ("arctanh(x)", 1.0),
        ("1 + 1/x", 0.0), ("(1/x)^0", 0.0), ("1^(1/x)", 0.0), ("(1/x > 0) + 5", 0.0),
        ("1 + step(1/x)", 0.0), ("1 + sign(1/x)", 0.0), ("max(1/x, 3)", 0.0), ("min(3, 1/x)", 0.0),
        ("where(1/x, 2, 3)", 0.0), ("tanh(1/x)", 0.0), ("exp(-1/x^2)", 0.0), ("sin(x)/x", 0.0),
        ("cbrt(log(x))", -1.0), ("abs(sqrt(x)) + 1", -4.0), ("x^x", -2.5),
    ],
)  # fmt: skip
def test_phi_is_0_where_the_formula_has_no_value(text, x):
    assert float(formula(text)(x)) == 0
    assert float(Values(parse(text)).log_abs(np.float64(x))) == -INF


def test_a_branch_that_is_not_taken_needs_no_value():
    typed = formula("where(x > 0, log(x), 7)")
    assert typed([-1.0, 0.0, 1.0]).tolist() == [7.0, 7.0, 0.0]


BEYOND = [
    ("exp(x)", 800.0), ("-exp(x)", 800.0), ("exp(x)/(1 + exp(x))", 800.0), ("exp(-x^2)", 40.0),
    ("log(exp(-x^2))", 40.0), ("log(exp(-x^2))", 1e100), ("sqrt(exp(x))", 1000.0),
    ("sqrt(exp(x))", -1000.0), ("cbrt(-exp(x))", 1500.0), ("log(1 + exp(x))", 800.0),
    ("log1p(exp(x))", 1e5), ("exp(-x^2)^0.001", 28.0), ("1/(1e-300*exp(x))", 720.0),
    ("exp(x^2)*exp(-x^2)", 100.0), ("1/exp(-exp(x))", 6.7), ("exp(800)", 0.0), ("x^2000", 3.0),
    ("x^2000", 0.1), ("(x^2000)^0.001", 0.1), ("x^-2001", -0.1), ("sin(exp(-x^2))/exp(-x^2)", 50.0),
    ("expm1(exp(-x^2))/exp(-x^2)", 50.0), ("normcdf(-x)/normcdf(-x - 1)", 50.0),
    ("erfc(x)/erfc(x + 0.1)", 60.0), ("cosh(x)/exp(x)", 800.0), ("sinh(x)/exp(-x)", -800.0),
    ("max(exp(x), exp(2*x))/exp(2*x)", 1000.0), ("min(exp(-x), exp(-2*x))/exp(-2*x)", 1000.0),
    ("(exp(x) < exp(2*x))", 900.0), ("exp(-x) <= exp(-2*x)", 900.0), ("exp(x) == exp(x)", 900.0),
    ("step(exp(-x))", 900.0), ("sign(-exp(-x))", 900.0), ("where(exp(-x), 2, 3)", 900.0),
    ("arcsinh(exp(x))", 900.0), ("arcsinh(-exp(x))", 900.0), ("arccosh(exp(x))", 900.0),
    ("tanh(exp(x))", 900.0), ("exp(exp(x))^exp(-x)", 7.0), ("1/x", 1e-320), ("1/x", -1e-320),
    ("exp(x) - exp(x)/2", 800.0), ("x*exp(x) - exp(x)", 1.0), ("abs(-exp(x))/exp(x)", 800.0),
    ("1/(x*x)", 1e-200), ("exp(x)/x^3", -800.0), ("1/(1 + 1/exp(x))", -800.0),
    ("floor(exp(-x))", 900.0), ("floor(exp(x))/exp(x)", 900.0), ("floor(exp(x))^0", 900.0),
    ("exp(x^2)*(exp(-x^2) + exp(-x^2))", 100.0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "x"), BEYOND)
def test_beyond_the_floats(text, x):
    """Through numbers that no float can hold to one that can; inf, with its sign, if none can."""
    with mp.workdps(50):
        truth = slow(parse(text), x)
    value = float(formula(text)(x))
    if abs(truth) > mp.mpf(1.7e308):
        assert value == math.copysign(INF, truth)
    else:
        assert value == pytest.approx(float(truth), rel=1e-11)
    log = float(Values(parse(text)).log_abs(np.float64(x)))
    if truth != 0:
        assert log == pytest.approx(float(mp.log(abs(truth))), rel=1e-12, abs=1e-11)
    else:
        assert log == -INF


@pytest.mark.parametrize("text", ["sin(x)", "x*exp(-x)", "1/x", "x^x", "floor(x)", "3", "0/0"])
def test_shapes_and_what_is_not_finite(text):
    typed = formula(text)
    for x in (0.5, [], [[1.0, -2.0]], np.ones((2, 3, 4)), [INF, -INF, 0.0]):
        value = typed(x)
        assert value.shape == np.shape(x)
        assert value.dtype == np.float64
        assert not np.isnan(value).any()
    x = np.linspace(-2, 2, 6)
    given_x = x.copy()
    typed(x)
    assert (x == given_x).all()
    if "x" in text:
        assert math.isnan(typed(math.nan))


def test_equal_subtrees_are_computed_once():
    tree = parse("exp(x)/(1 + exp(x)) + exp(x)")
    assert [str(step.node) for step in steps(tree)].count("exp(x)") == 1
    assert len(steps(tree)) == 6


# --- random trees ---------------------------------------------------------------------------------

NUMBERS = st.builds(
    lambda digits, places: constant(Fraction(digits, 10**places)),
    st.integers(0, 10**6), st.integers(0, 8),
)  # fmt: skip
LEAVES = st.one_of(NUMBERS, st.sampled_from([Node("x"), Node("x"), Node("pi"), Node("e")]))
BINARY = ("+", "-", "*", "/", "max", "min", "<", "<=", ">", ">=", "==", "!=")
UNARY = ("neg", *(name for name, (fewest, _) in FUNCTIONS.items() if fewest == 1))


def extend(children):
    return st.one_of(
        st.builds(lambda op, a: Node(op, (a,)), st.sampled_from(UNARY), children),
        st.builds(lambda op, a, b: Node(op, (a, b)), st.sampled_from(BINARY), children, children),
        st.builds(lambda a, b: Node("**", (a, b)), children, LEAVES),
        st.builds(lambda *abc: Node("where", abc), children, children, children),
    )


COMPARED = []
TREES = st.recursive(LEAVES, extend, max_leaves=8)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(TREES)
def test_a_tree_is_read_back_from_its_text(tree):
    assert parse(str(tree)) == tree


def interval(tree, x):
    """Value by interval arithmetic in floats: None where it is too uncertain to compare."""
    try:
        with mp.workdps(60):
            exact = phi(tree, x)
        with mp.workdps(16):
            rough = [phi(tree, x * (1 + k * mp.mpf(2) ** -44)) for k in (-3, -1, 0, 1, 3)]
    except (OverflowError, ValueError, MemoryError, ZeroDivisionError, mp.libmp.NoConvergence):
        return None
    spread = max(abs(value - exact) for value in rough)
    return exact, spread


@settings(deadline=None, max_examples=200, derandomize=True)
@given(TREES, st.sampled_from([-7.25, -2.0, -1.0, -0.3, 0.0, 0.7, 1.0, 1.9, 3.5, 20.0]))
def test_values_of_random_trees(tree, x):
    """Equal to the slow value wherever moving x, and rounding, leaves that value alone."""
    typed = float(Values(tree)(np.float64(x)))
    assert not math.isnan(typed)
    if any(node.op == "exp" for node in walk(tree)) and depth_of_exp(tree) > 2:
        return  # towers that mpmath would write out
    found = interval(tree, x)
    if found is None or found[1] > 1e-6 * abs(found[0]) or abs(found[0]) > 1e300:
        return
    COMPARED.append(str(tree))
    assert typed == pytest.approx(float(found[0]), rel=1e-5, abs=1e-300)


def test_random_trees_were_compared():
    assert len(COMPARED) > 100


def walk(tree):
    yield tree
    for arg in tree.args:
        yield from walk(arg)


def depth_of_exp(tree):
    mine = tree.op in ("exp", "expm1", "sinh", "cosh", "**")
    return mine + max(map(depth_of_exp, tree.args), default=0)
