"""E phi'(sqrt(q) Z)^2 without phi': closed forms, jumps, singular slopes, rounding."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erfcx

from lengthlab.activations import Activation, Homogeneous, activation, catalogue
from lengthlab.derivative import mean_square_slope, square_slope_at_zero
from lengthlab.gaussian import expectation, mean_square

pytestmark = pytest.mark.filterwarnings("error")

CLOSED = {
    "identity": lambda q: 1.0,
    "relu": lambda q: 0.5,
    "leaky_relu": lambda q: (1 + 1e-4) / 2,
    "abs": lambda q: 1.0,
    "sin": lambda q: (1 + math.exp(-2 * q)) / 2,
    "cos": lambda q: -math.expm1(-2 * q) / 2,
    "erf": lambda q: 4 / math.pi / math.sqrt(1 + 4 * q),
    "hardtanh": lambda q: math.erf(1 / math.sqrt(2 * q)),
    "square": lambda q: 4 * q,
    "relu_squared": lambda q: 2 * q,
    "gaussian": lambda q: 4 * q * (1 + 4 * q) ** -1.5,
    "exp": lambda q: math.exp(2 * q),
    "exp_square": lambda q: 0.04 * q * (1 - 0.4 * q) ** -1.5,
    "elu": lambda q: 0.5 + erfcx(math.sqrt(2 * q)) / 2,
}
"""By hand: the derivative squared, integrated."""


# --- exact ----------------------------------------------------------------------------------------


CASES = [
    (name, q)
    for name in CLOSED
    for q in (1e-3, 0.3, 1.0, 2.2, 30.0, 1e3)
    if q < {"exp": 300, "exp_square": 2.5}.get(name, math.inf)  # beyond every float, or infinite
]


@pytest.mark.parametrize(("name", "q"), CASES)
def test_closed_forms(name, q):
    truth = CLOSED[name](q)
    found = mean_square_slope(activation(name), q)
    assert abs(found.value - truth) <= found.error
    assert found.error <= 1e-7 * truth
    assert abs(found.value / truth - 1) <= 1e-11
    assert found.certain
    # Power: a phi whose slope is larger by 1e-7 of itself is told apart.
    assert abs(truth * (1 + 2e-7) - found.value) > found.error


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "abs", "hardtanh", "elu", "selu"])
@pytest.mark.parametrize("q", [0.01, 1.0, 7.3])
def test_undeclared_kinks_are_found(name, q):
    phi = activation(name)
    plain = mean_square_slope(Activation(phi.function), q)
    shifted = mean_square_slope(Activation(lambda x: -3 * phi(x) + 7), q)
    known = mean_square_slope(phi, q)
    assert abs(plain.value - known.value) <= plain.error + known.error
    assert abs(shifted.value - 9 * known.value) <= shifted.error + 9 * known.error
    assert plain.error <= 1e-9 * known.value
    assert not plain.certain


def test_a_tiny_length_does_not_lose_the_slope_to_rounding():
    """cos(1e-4 z) is 1 to eight digits: its slope is found on phi's own scale."""
    found = mean_square_slope(activation("cos"), 1e-8)
    assert found.value == pytest.approx(1e-8, rel=1e-7)
    assert abs(found.value - CLOSED["cos"](1e-8)) <= found.error
    assert mean_square_slope(activation("sigmoid"), 1e-20).value == pytest.approx(1 / 16, rel=1e-10)


@pytest.mark.parametrize("exponent", [0.6, 0.75, 0.9, 1.5, 2.5])
def test_powers(exponent):
    """a^2 E|U|^(2 a - 2), finite for a > 1/2 although the slope is infinite at 0."""
    log_moment = math.lgamma(exponent - 0.5) + (exponent - 1) * math.log(2) - math.lgamma(0.5)
    truth = exponent**2 * math.exp(log_moment) * 2.0 ** (exponent - 1)
    for phi in (
        activation("power", exponent=exponent),
        Activation(lambda x: np.abs(x) ** exponent),
    ):
        found = mean_square_slope(phi, 2.0)
        assert abs(found.value - truth) <= found.error
        assert found.value == pytest.approx(truth, rel=1e-10)


@pytest.mark.parametrize(
    "phi",
    [
        activation("heaviside"),
        activation("sign"),
        activation("cbrt"),
        activation("reciprocal"),
        activation("power"),
        activation("log_abs"),
        activation("tan"),
        activation("sin_reciprocal"),
        activation("power", exponent=0.5),
        activation("exp_power", p=3),
        activation("exp_square", c=0.3),
        Activation(lambda x: np.where(x > 0, 1.0, 0.0), name="step"),
        Activation(lambda x: np.where(x > 0.37, 1.0, 0.0), name="step aside"),
        Activation(lambda x: np.tanh(x) + 1e-4 * (x > 0.37), name="small step"),
        Activation(np.floor, name="floor"),
        Activation(lambda x: np.sqrt(np.abs(x - 0.3)), name="root aside"),
        Activation(lambda x: np.where(x > 40, 1.0, 0.0), kinks=(40.0,), name="far, declared"),
    ],
    ids=lambda phi: phi.label,
)
def test_infinite(phi):
    found = mean_square_slope(phi, 1.0)
    assert (found.value, found.error) == (math.inf, math.inf)


@pytest.mark.parametrize("value", [0.0, 1.0, -1e6, 1e-200])
def test_a_constant_has_no_slope(value):
    for q in (1e-10, 1e-3, 1.0, 1e4):
        found = mean_square_slope(Activation(lambda x: value + 0 * x), q)
        assert found.value <= found.error <= 1e-20 * value**2 / q + 1e-300


def test_a_steep_slope_is_not_a_jump():
    for steepness in (1e3, 1e6):
        phi = Activation(lambda x, s=steepness: np.clip(s * x, -1, 1), kinks=(0.0,))
        found = mean_square_slope(phi, 1.0)
        truth = steepness**2 * math.erf(1 / (steepness * math.sqrt(2)))
        assert abs(found.value - truth) <= found.error
        assert found.value == pytest.approx(truth, rel=1e-8)


def test_the_mean_beyond_every_float_is_an_overflow():
    found = mean_square_slope(activation("exp"), 400.0)
    assert found.value == math.inf
    assert found.overflow
    assert not mean_square_slope(activation("exp_square"), 3.0).overflow


# --- two ways, and properties ---------------------------------------------------------------------


@pytest.mark.parametrize("q", [0.2, 1.0, 9.0])
@pytest.mark.parametrize(
    ("name", "derivative"),
    [
        ("tanh", lambda x: 1 / np.cosh(x) ** 2),
        ("sigmoid", lambda x: 1 / (2 * np.cosh(x / 2)) ** 2),
        ("softplus", lambda x: 0.5 * (1 + np.tanh(x / 2))),
        ("arctan", lambda x: 1 / (1 + x * x)),
        ("softsign", lambda x: 1 / (1 + np.abs(x)) ** 2),
    ],
)
def test_the_integral_of_a_derivative_that_is_known(name, derivative, q):
    phi = activation(name)
    known = mean_square(Activation(derivative, kinks=phi.kinks, growth=0.0), q).estimate
    found = mean_square_slope(phi, q)
    assert abs(found.value - known.value) <= found.error + known.error


@given(st.floats(0.05, 20), st.floats(-3, 3), st.floats(0.1, 3))
def test_scaling(q, factor, stretch):
    """phi(s x): slopes grow by s, at the variance s^2 q."""
    phi = activation("tanh")
    scaled = mean_square_slope(Activation(lambda x: factor * np.tanh(stretch * x)), q)
    plain = mean_square_slope(phi, q * stretch**2)
    gain = (factor * stretch) ** 2
    assert abs(scaled.value - gain * plain.value) <= scaled.error + gain * plain.error + 1e-300


@pytest.mark.parametrize("name", catalogue())
def test_poincare(name):
    """Var phi(U) <= q E phi'(U)^2, with equality for straight lines alone."""
    phi = activation(name)
    for q in (0.1, 1.0, 2.4):
        m = mean_square(phi, q).estimate.value
        if not math.isfinite(m) or name in ("dirichlet", "sin_reciprocal"):
            continue
        breaks = (*phi.kinks, *(pole.location for pole in phi.poles))
        mean = expectation(phi, q, breakpoints=breaks).value
        bound = q * mean_square_slope(phi, q).value
        assert m - mean * mean <= bound * (1 + 1e-9)
        if name == "identity":
            assert m - mean * mean >= bound * (1 - 1e-9)


# --- at 0 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phi", "slope"),
    [
        (activation("tanh"), 1.0),
        (activation("relu"), 0.5),
        (activation("selu"), (1.0507009873554805**2 + 1.7580993408473766**2) / 2),
        (activation("gelu"), 0.25),
        (activation("erf"), 4 / math.pi),
        (activation("square"), 0.0),
        (Activation(lambda x: np.expm1(x)), 1.0),
        (Activation(lambda x: np.exp(x) - 1), 1.0),
        (Activation(lambda x: np.abs(x) ** 1.5), 0.0),
        (activation("heaviside"), math.inf),
        (activation("cbrt"), math.inf),
        (activation("power", exponent=0.9), math.inf),
        (activation("power"), math.inf),
        (Activation(lambda x: x * np.log(np.abs(x) + (x == 0))), math.inf),
    ],
    ids=lambda v: v.label if isinstance(v, Activation) else "",
)
def test_the_slope_at_0(phi, slope):
    found = square_slope_at_zero(phi)
    if math.isinf(slope):
        assert found.value == math.inf
    else:
        assert abs(found.value - slope) <= found.error + 1e-15
        assert found.error <= 1e-10


def test_the_limit_of_small_lengths():
    for name in ("tanh", "selu", "silu", "mish"):
        phi = activation(name)
        near = mean_square(phi, 1e-10).estimate.value / 1e-10
        assert square_slope_at_zero(phi).value == pytest.approx(near, rel=1e-4)


def test_nan_is_refused():
    with pytest.raises(ValueError, match=r"'root' must return .* got nan at x = -"):
        mean_square_slope(Activation(np.sqrt, name="root"), 1.0)
    with pytest.raises(ValueError, match="nan"):
        square_slope_at_zero(Activation(np.sqrt, name="root"))


def test_a_homogeneous_step_of_signs():
    steps = Activation(np.sign, kinks=(0.0,), homogeneous=Homogeneous(0, 1.0, 1.0))
    assert mean_square_slope(steps, 1.0).value == math.inf
