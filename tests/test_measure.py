"""Means from the panels of a measure against closed forms, and one integral at a time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lengthlab.activations import Activation
from lengthlab.derivative import mean_square_slope, mean_square_slopes
from lengthlab.formula import formula
from lengthlab.gaussian import critical_variance, mean_square
from lengthlab.length_curve import length_curve
from lengthlab.measure import flattened, measure, square

pytestmark = pytest.mark.filterwarnings("error")


def panels(phi, lowest, highest):
    return measure(phi, square, lowest, highest, tolerance=1e-11)


# --- exact ----------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.floats(-6, 4), st.integers(0, 6))
def test_powers(log_q, degree):
    q = 10.0**log_q
    table = panels(Activation(lambda x: x**degree), 1e-6, 2e4)
    truth = q**degree * math.prod(range(1, 2 * degree, 2))
    found = table(q)
    assert abs(found.value - truth) <= found.error <= 1e-10 * truth


@pytest.mark.parametrize("order", [0.1, 0.2, 0.4])
@pytest.mark.parametrize("q", [1e-5, 0.3, 1e3])
def test_a_pole_at_0(order, q):
    phi = Activation(lambda x: np.abs(x) ** -order, poles=((0.0, order),))
    found = panels(phi, 1e-6, 2e3)(q)
    truth = (2 * q) ** -order * math.gamma(0.5 - order) / math.sqrt(math.pi)
    assert abs(found.value - truth) <= found.error <= 1e-8 * truth


def test_a_fast_sine():
    table = panels(Activation(lambda x: np.sin(20 * x)), 1e-6, 1e3)
    for q in (1e-5, 1e-2, 1.0, 30.0, 900.0):
        found = table(q)
        truth = -math.expm1(-2 * 400 * q) / 2
        assert abs(found.value - truth) <= found.error
        assert found.error <= 1e-9 * truth or q > 100


def test_growth_is_taken_away():
    """exp(x^2 / 10) up to a millionth below its wall at 2.5."""
    table = panels(formula("exp(x^2/10)"), 1e-6, 2.5 * (1 - 1e-6))
    for q in (1e-5, 1.0, 2.0, 2.5 * (1 - 1e-3), 2.5 * (1 - 1e-6)):
        truth = (1 - q / 2.5) ** -0.5
        found = table(q)
        assert abs(found.value - truth) <= found.error + 1e-15 / (1 - q / 2.5) * truth
        assert found.error < 1e-7 * truth


def test_nothing_is_0():
    assert panels(Activation(lambda x: 0 * x), 1e-3, 10.0)(1.0).value == 0
    assert panels(Activation(lambda x: np.where(x > 5, 1.0, 0.0)), 1e-3, 10.0)(1e-3).value == 0


def test_what_diverges_is_no_measure():
    assert panels(Activation(lambda x: 1 / (x - 2), poles=((2.0, 1.0),)), 1e-3, 10.0) is None


def test_beyond_the_floats_a_mean_is_infinite_and_says_why():
    found = panels(formula("1e160*x"), 1e-3, 100.0)(1.0)
    assert found.value == math.inf
    assert found.overflow


def test_a_panel_that_is_steeper_than_the_floats_is_no_pole():
    table = panels(formula("exp(x)*(2 + sin(x))"), 1e-3, 1e4)
    assert table(1.0).value == pytest.approx(
        mean_square(formula("exp(x)*(2 + sin(x))"), 1.0).estimate.value, rel=1e-9
    )
    assert table(1e4).overflow


def test_an_unknown_growth_costs_no_table():
    phi = formula("exp(x^2/10)*sin(x)")
    assert phi.growth is None
    table = panels(phi, 1e-3, 2.4999)
    for q in (0.1, 2.0, 2.49):
        # E exp(2 c x^2) sin^2: a Gaussian of variance q / (1 - 4 c q), times 1 / sqrt(1 - 4 c q).
        room = 1 - 0.4 * q
        truth = -math.expm1(-2 * q / room) / 2 / math.sqrt(room)
        found = table(q)
        assert abs(found.value - truth) <= found.error + 1e-9 * truth


def test_a_steep_panel_is_flattened():
    shift, tilt = flattened(Activation(lambda x: np.exp(-20 * x)), 0.0, -2.0, -1.0)
    assert (shift, tilt) == pytest.approx((60, -20), rel=1e-12)


# --- two ways -------------------------------------------------------------------------------------

FORMULAS = [
    *("x*log(abs(x))", "floor(x)", "abs(x - 2)^-0.2", "log(abs(x - 1))*sin(3*x)", "log(x)"),
    *("exp(-1/x^2)", "x*cos(x)", "exp(x)*sin(x)", "x^20", "exp(abs(x)^1.5)", "sin(50*x)"),
    *("1e-8*tanh(1e8*x)", "1e8*x*exp(-abs(x))", "where(x > 1, x, -1)", "max(x - 30, 0)"),
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_curve_is_one_integral_at_a_time(text):
    phi = formula(text)
    curve = length_curve(phi, 1e-8, 1e3)
    first, last = curve.log_m.edges[[0, -1]]
    for x in np.linspace(first, last, 12)[:-1]:
        alone = mean_square(phi, math.exp(x)).estimate
        if alone.value > 1e-200:
            off = abs(math.exp(curve.log_m(np.array([x]))[0]) / alone.value - 1)
            assert off <= curve.log_m.error(np.array([x]))[0] + alone.error / alone.value + 1e-12


@pytest.mark.parametrize("text", ["x*log(abs(x))", "x*cos(x)", "exp(x^2/10)", "sin(50*x)", "x^5"])
def test_slopes_are_those_of_one_integral_at_a_time(text):
    phi = formula(text)
    high = min(100.0, critical_variance(phi, 2) * 0.99)
    stretch = mean_square_slopes(phi, 1e-3, high)
    for q in np.geomspace(1e-3, high, 7).tolist():
        alone, among = mean_square_slope(phi, q), stretch(q)
        assert abs(alone.value - among.value) <= alone.error + among.error
        assert among.error <= 5e-8 * among.value + 2 * alone.error


def test_a_jump_has_no_slope():
    stretch = mean_square_slopes(Activation(lambda x: np.where(x > 1, 2.0, 1.0)), 1e-3, 10.0)
    assert stretch(1.0).value == math.inf
