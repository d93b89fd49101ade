"""The adaptive rule: exact where it should be, honest where it is not."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from lengthlab.quadrature import integrate

pytestmark = pytest.mark.filterwarnings("error")

RTOL = 1e-10
location = st.floats(-0.9, 0.9).filter(lambda x: abs(x) > 1e-6)


def true_error(pieces, truth):
    """What `error` must account for: what is left after a few roundings."""
    return max(0.0, abs(pieces.value - truth) - 1e-15 * pieces.size)


# --- exact ----------------------------------------------------------------------------------------


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=19), st.floats(-3, 0), st.floats(0.1, 3))
def test_polynomials_up_to_degree_18(coefficients, low, high):
    polynomial = Polynomial(coefficients)
    pieces = integrate(polynomial, [low, high], 1e-9)
    antiderivative = polynomial.integ()
    size = Polynomial(np.abs(coefficients)).integ()
    rounding = 1e-14 * (size(abs(low)) + size(abs(high))) + 1e-300
    assert true_error(pieces, antiderivative(high) - antiderivative(low)) <= rounding


def test_a_smooth_integrand_needs_one_round():
    calls = 0

    def f(z):
        nonlocal calls
        calls += 1
        return np.exp(z)

    pieces = integrate(f, [-1.0, 0.0, 1.0], 1e-13)
    assert calls == 1
    assert true_error(pieces, 2 * math.sinh(1)) <= pieces.error <= 1e-13


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8, unique=True))
def test_edges_do_not_change_an_integral(edges):
    edges = sorted(edges)
    pieces = integrate(np.cos, edges, RTOL)
    truth = math.sin(edges[-1]) - math.sin(edges[0])
    assert true_error(pieces, truth) <= pieces.error + 1e-14


def test_weights_reuse_the_evaluations():
    pieces = integrate(lambda z: np.exp(-z * z / 2), [-12.0, 0.0, 12.0], 1e-13)
    for power, moment in ((0, 1), (1, 0), (2, 1), (4, 3), (6, 15)):
        value = pieces.weighted(lambda z, power=power: z**power)
        assert value == pytest.approx(moment * math.sqrt(2 * math.pi), abs=1e-12)


def test_size_is_the_integral_of_the_absolute_value():
    pieces = integrate(np.sin, [-math.pi, 0.0, math.pi], RTOL)
    assert pieces.value == pytest.approx(0, abs=1e-15)
    assert pieces.size == pytest.approx(4, rel=1e-12)


# --- honest errors --------------------------------------------------------------------------------


@given(location, st.floats(-3, 3), st.floats(0.1, 10))
def test_an_undeclared_jump(at, left, right):
    right += left
    pieces = integrate(lambda z: np.where(z < at, left, right), [-1.0, 0.0, 1.0], RTOL)
    assert true_error(pieces, left * (at + 1) + right * (1 - at)) <= pieces.error
    assert pieces.error <= 2 * RTOL * pieces.size


@given(st.floats(1e-6, 0.006), st.sampled_from([-1, 1]), st.sampled_from([-1.0, 0.0, 1.0]))
def test_a_jump_between_an_edge_and_the_first_node(distance, side, edge):
    """Where no node lies: the two rules agree perfectly, and both are wrong."""
    at = edge + side * distance
    pieces = integrate(lambda z: np.where(z < at, 1.0, 2.0), [-2.0, -1.0, 0.0, 1.0, 2.0], RTOL)
    assert true_error(pieces, 6 - at) <= pieces.error
    assert pieces.error <= 2 * RTOL * pieces.size


@given(location, st.floats(0.1, 3))
def test_an_undeclared_kink(at, slope):
    pieces = integrate(lambda z: np.exp(z) + slope * np.abs(z - at), [-1.0, 1.0], RTOL)
    truth = math.e - 1 / math.e + slope * ((1 + at) ** 2 + (1 - at) ** 2) / 2
    assert true_error(pieces, truth) <= pieces.error
    assert pieces.error <= 2 * RTOL * pieces.size


@settings(max_examples=30)
@given(st.floats(0.01, 0.95), st.sampled_from([0.0, 0.25, -0.7, 0.123456]), st.booleans())
def test_an_integrable_pole(order, at, declared):
    edges = [-1.0, at, 1.0] if declared else [-1.0, 1.0]

    def f(z):
        return np.abs(z - at) ** -order

    pieces = integrate(f, edges, RTOL)
    truth = ((1 + at) ** (1 - order) + (1 - at) ** (1 - order)) / (1 - order)
    assert true_error(pieces, truth) <= pieces.error
    if at == 0:
        assert pieces.error <= 1e-9 * truth


@pytest.mark.parametrize("order", [1.0, 1.5, 2.0, 5.0])
@pytest.mark.parametrize("at", [0.0, 0.25, -0.7, 0.123456])
@pytest.mark.parametrize("declared", [True, False])
def test_a_divergent_pole_is_recognised(order, at, declared):
    edges = [-1.0, at, 1.0] if declared else [-1.0, 1.0]
    assert integrate(lambda z: np.abs(z - at) ** -order, edges, RTOL) is None


def test_a_pole_at_the_end_of_the_interval():
    pieces = integrate(lambda z: z**-0.75, [0.0, 1.0], RTOL)
    assert true_error(pieces, 4) <= pieces.error
    assert integrate(lambda z: 1 / z, [0.0, 1.0], RTOL) is None


def test_several_singularities():
    def f(z):
        return np.abs(z - 0.5) ** -0.5 + np.abs(z + 0.25) ** -0.25 + np.log(np.abs(z - 0.75)) ** 2

    pieces = integrate(f, [-1.0, 1.0], RTOL)
    first = 2 * (1.5**0.5 + 0.5**0.5)
    second = (0.75**0.75 + 1.25**0.75) / 0.75

    def log_square(t):
        return t * (math.log(t) ** 2 - 2 * math.log(t) + 2)

    truth = first + second + log_square(1.75) + log_square(0.25)
    assert true_error(pieces, truth) <= pieces.error <= 1e-6 * truth


def test_an_endless_oscillation_ends_with_a_large_error():
    evaluations = 0

    def f(z):
        nonlocal evaluations
        evaluations += z.size
        return np.sin(1e7 * z) ** 2

    pieces = integrate(f, [0.0, 1.0], RTOL)
    assert evaluations < 2e6
    assert true_error(pieces, 0.5 - math.sin(2e7) / 4e7) <= pieces.error
    assert pieces.error > RTOL


@pytest.mark.parametrize("distance", [1e-3, 1e-5])
@pytest.mark.parametrize("side", [0, 1])
def test_a_pole_closer_to_the_end_than_the_ladder_is_long(distance, side):
    at = 1 - distance if side else distance
    pieces = integrate(lambda z: np.abs(z - at) ** -0.4, [0.0, at, 1.0], 1e-12)
    truth = (at**0.6 + (1 - at) ** 0.6) / 0.6
    assert abs(pieces.value - truth) < 1e-8


@pytest.mark.filterwarnings("error")
def test_beyond_the_floats_nothing_warns():
    pieces = integrate(lambda z: 1e307 * np.exp(z), [-9.0, 0.0, 9.0], 1e-12)
    assert pieces is None or not np.isfinite(pieces.value)
    near = integrate(lambda z: 1e307 * np.exp(-(z**2)), [-9.0, 0.0, 9.0], 1e-12)
    assert near.weighted(lambda z: 100 * z * z) == math.inf
