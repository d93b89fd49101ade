"""Gaussian means: the reported error bounds the true one, and what is infinite is called so."""

import math
from dataclasses import replace
from fractions import Fraction

import closed_forms
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gamma, ndtr

from lengthlab.activations import Activation, Pole, activation, catalogue
from lengthlab.formula import formula
from lengthlab.gaussian import Estimate, critical_variance, expectation, mean_fourth, mean_square

pytestmark = pytest.mark.filterwarnings("error")

INF = math.inf


def quiet(f):
    """`f` without numpy's warnings, which are the caller's business, not a failure."""

    def g(u):
        with np.errstate(all="ignore"):
            return f(u)

    return g


def density(z):
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def assert_bounded(estimate, truth, *, at_most=None):
    """The error bounds the distance to the truth, itself known to a rounding or two."""
    distance = abs(estimate.value - truth)
    assert distance <= estimate.error + 4e-16 * abs(truth)
    assert at_most is None or estimate.error <= at_most * abs(truth)


# --- honest errors --------------------------------------------------------------------------------

BREAKS = [0.3, 1 / 3, math.e, -2.3, 7.7, 1e-3, 1.4 + 1e-4]


@pytest.mark.parametrize("variance", [1e-2, 1.0, 1e4])
@pytest.mark.parametrize("at", BREAKS)
@pytest.mark.parametrize("declared", [True, False])
def test_kinks_and_jumps(at, variance, declared):
    sigma = math.sqrt(variance)
    if at / sigma > 9:
        return  # test_what_happens_far_out
    breakpoints = (at,) if declared else ()
    beyond = float(ndtr(-at / sigma))
    jump = expectation(lambda u: np.where(u > at, 1.0, 0.0), variance, breakpoints=breakpoints)
    assert_bounded(jump, beyond, at_most=1e-10)
    kink = expectation(lambda u: np.maximum(u - at, 0.0), variance, breakpoints=breakpoints)
    truth = sigma * density(at / sigma) - at * beyond
    # The truth cancels, and its parts are as good as exp(-z^2 / 2).
    parts = abs(at) * beyond + sigma * density(at / sigma)
    rounding = 4e-16 * (1 + at * at / variance) * parts
    assert abs(kink.value - truth) <= kink.error + rounding
    assert kink.error <= 1e-10 * kink.value


@settings(deadline=None)
@given(
    st.lists(st.floats(-4, 4), min_size=1, max_size=4, unique=True).map(sorted),
    st.lists(st.floats(-5, 5), min_size=5, max_size=5),
    st.floats(-6, 6).map(lambda k: 10**k),
    st.booleans(),
)
def test_piecewise_constant_functions(points, heights, variance, declared):
    """Against the normal cdf. Undeclared pieces must be wide enough to be met by a node."""
    if not declared and len(points) > 1 and min(np.diff(points)) < 0.3:
        points = points[:1]
    sigma = math.sqrt(variance)
    cuts = sigma * np.array(points)

    def f(u):
        return np.choose(np.searchsorted(cuts, u), heights[: len(cuts) + 1])

    found = expectation(f, variance, breakpoints=tuple(cuts) if declared else ())
    cdf = np.concatenate([[0.0], ndtr(points), [1.0]])
    truth = float(np.diff(cdf) @ heights[: len(cuts) + 1])
    # A jump at 1e-12 of an edge's panel is not told from one at the edge.
    assert abs(found.value - truth) <= found.error + 1e-12
    assert found.error <= 1e-9 * max(map(abs, heights)) + 1e-300


@settings(deadline=None)
@given(st.lists(st.floats(-10, 10), min_size=1, max_size=13), st.floats(-5, 5).map(lambda k: 10**k))
def test_random_polynomials(coefficients, variance):
    """Against exact moments: E U^2k = (2k - 1)!! variance^k."""
    moments = [
        0.0 if k % 2 else math.prod(range(1, k, 2)) * variance ** (k // 2)
        for k in range(len(coefficients))
    ]
    polynomial = np.polynomial.Polynomial(coefficients)
    found = expectation(polynomial, variance)
    terms = np.array(coefficients) * moments
    rounding = 1e-14 * float(np.abs(terms).sum()) + 1e-300
    assert abs(found.value - float(terms.sum())) <= found.error + rounding
    # The error is relative to E |f|, which E of the absolute terms bounds.
    absolute = sum(
        abs(c) * variance ** (k / 2) * 2 ** (k / 2) * gamma((k + 1) / 2) / math.sqrt(math.pi)
        for k, c in enumerate(coefficients)
    )
    assert found.error <= 1.1e-10 * absolute + 1e-300


@pytest.mark.parametrize("order", [0.05, 0.1, 0.24, 0.25, 0.3, 0.45, 0.5, 0.6, 0.75, 0.9, 0.95])
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("variance", [1e-6, 1.0, 1e6])
def test_a_pole_at_0(order, declared, variance):
    truth = variance ** (-order / 2) * 2 ** (-order / 2) * gamma((1 - order) / 2)
    truth /= math.sqrt(math.pi)
    f = quiet(lambda u: np.abs(u) ** -order)
    found = expectation(f, variance, breakpoints=(0.0,) if declared else ())
    assert abs(found.value - truth) <= found.error + 1e-14 * truth
    assert found.error <= 1e-9 * truth


POLES = {
    (0.9, 0.1): 1.03467020075812003, (0.9, 0.25): 1.11908422398461199,
    (0.9, 0.45): 1.33664172426680797, (0.9, 0.5): 1.42402377159083247,
    (0.9, 0.75): 2.44530285256962301, (0.9, 0.9): 5.61514050632790573,
    (1.0, 0.1): 1.02717927397445658, (1.0, 0.25): 1.09816844067777441,
    (1.0, 0.45): 1.28957182845239546, (1.0, 0.5): 1.36763278380493777,
    (1.0, 0.75): 2.29049089221545442, (1.0, 0.9): 5.17040325178925351,
    (-3.0, 0.1): 0.903212764276112777, (-3.0, 0.25): 0.778383452980426747,
    (-3.0, 0.45): 0.644561410442085673, (-3.0, 0.5): 0.616341579245317253,
    (-3.0, 0.75): 0.508058620957693464, (-3.0, 0.9): 0.501202460959713562,
}  # fmt: skip
"""E |Z - location|^-order: mpmath 1.3, 40 digits, after t = |Z - location|^(1 - order)."""


@pytest.mark.parametrize(("pole", "truth"), POLES.items())
@pytest.mark.parametrize("declared", [True, False])
def test_a_pole_elsewhere(pole, truth, declared):
    location, order = pole
    f = quiet(lambda u: np.abs(u - location) ** -order)
    found = expectation(f, 1.0, breakpoints=(location,) if declared else ())
    assert_bounded(found, truth)
    # Floats are 1e-16 apart there, so that a strong pole cannot be seen from nearer.
    assert found.error <= (1e-3 if order > 0.6 else 1e-8 if order > 0.5 else 1e-9) * truth


LOGARITHMS = {1: -0.63518142273073908496, 2: 1.6371559899183982, 4: 19.148024309488148}
"""E log|Z| = -(gamma + log 2) / 2; the others from its cumulants, psi and its derivatives."""


@pytest.mark.parametrize(("power", "truth"), LOGARITHMS.items())
@pytest.mark.parametrize("declared", [True, False])
def test_logarithms(power, truth, declared):
    f = quiet(lambda u: np.log(np.abs(u)) ** power)
    found = expectation(f, 1.0, breakpoints=(0.0,) if declared else ())
    assert_bounded(found, truth, at_most=1e-9)


@pytest.mark.parametrize("variance", [1e-4, 1.0, 1e2, 1e4])
def test_a_fast_sine(variance):
    found = mean_square(Activation(lambda x: np.sin(5 * x)), variance).estimate
    assert_bounded(found, -math.expm1(-50 * variance) / 2, at_most=1e-8)


def test_a_sine_too_fast_for_every_budget():
    found = mean_square(Activation(lambda x: np.sin(5 * x)), 1e6).estimate
    assert_bounded(found, 0.5)
    assert 1e-9 < found.error < 0.1  # it knows


def test_x_to_the_100():
    truth = math.prod(range(1, 200, 2))
    found = mean_square(Activation(lambda x: x**100), 1.0).estimate
    assert found.value == pytest.approx(float(truth), rel=1e-10)
    assert_bounded(found, float(truth), at_most=1e-11)


TANH = {1e12: 0.9999992021154391974628, 1e-12: 9.99999999998e-13, 4.0: 0.6352612342569399248564}
"""E tanh(sqrt(q) Z)^2 by mpmath 1.3 at 40 digits."""


@pytest.mark.parametrize(("q", "truth"), TANH.items())
def test_tanh_at_every_scale(q, truth):
    for phi in (activation("tanh"), Activation(np.tanh)):
        assert_bounded(mean_square(phi, q).estimate, truth, at_most=1e-12)


EXP_POWER = {
    (1.5, 0.5, 4.0): 8.013928996939396048226e23,  # the integrand's peak is at z = 18
    (1.5, 1.0, 0.85): 11353.0922320708534886,
    (1.0, 1.0, 2.0): 108.9409043899779724124,
    (1.9, 0.3, 1.0): 7.686766196085017849238,
}
"""(p, c, q): E exp(2 c |sqrt(q) Z|^p) by mpmath 1.3 at 40 digits, Gauss-Legendre pieces of 2."""


@pytest.mark.parametrize(("setting", "truth"), EXP_POWER.items())
def test_exponential_growth(setting, truth):
    p, c, q = setting
    found = mean_square(activation("exp_power", p=p, c=c), q).estimate
    assert_bounded(found, truth, at_most=1e-12)
    assert found.certain
    plain = mean_square(Activation(lambda x: np.exp(c * np.abs(x) ** p)), q).estimate
    assert_bounded(plain, truth, at_most=1e-11)
    assert not plain.certain


@pytest.mark.parametrize("c", [0.05, 0.1, 0.3, 1 / 3, 0.7, 12.5])
@pytest.mark.parametrize("ulps", [1, 2, 3, 10, 1000, 10**6, 10**9])
def test_just_below_the_wall(c, ulps):
    """E exp(2 c q Z^2) = (1 - 4 c q)^(-1/2), whose every digit is lost one float below."""
    phi = activation("exp_square", c=c)
    q = critical_variance(phi, 2)
    q -= ulps * math.ulp(q)
    room = 1 - 4 * Fraction(c) * Fraction(q)
    found = mean_square(phi, q)
    assert math.isfinite(found.estimate.value)
    assert not found.estimate.overflow
    if room > 0:
        assert_bounded(found.estimate, 1 / math.sqrt(room))
    assert mean_square(phi, critical_variance(phi, 2)).estimate == Estimate(INF, INF)


@pytest.mark.parametrize("distance", [0.5, 0.1, 1e-3, 1e-6])
def test_the_wall_by_quadrature(distance):
    """Through the logarithm, as a caller of one's own would."""
    growth = (1 - distance) / 4
    phi = Activation(
        lambda x: np.exp(growth * x * x), log_abs=lambda x: growth * x * x, growth=growth
    )
    found = mean_square(phi, 1.0).estimate
    assert_bounded(found, (1 - 4 * growth) ** -0.5)
    assert found.error <= 1e-8 * found.value


@pytest.mark.parametrize("name", ["gelu", "elu", "selu", "hardtanh"])
def test_closed_forms_that_the_package_does_not_use(name):
    phi = activation(name)
    f = Activation(phi.function, name=name, kinks=phi.kinks)
    for q in (0.1, 1.0, 10.0):
        found, truth = mean_square(f, q).estimate, float(getattr(closed_forms, name)(q))
        assert abs(found.value - truth) <= found.error + 4e-15 * max(1.0, q)
        assert found.error <= 1e-11 * truth


def test_sin_of_the_reciprocal_is_honest_as_a_plain_function():
    f = quiet(lambda x: np.where(x == 0, 0.0, np.sin(1 / x)))
    found = mean_square(Activation(f), 1.0).estimate
    assert_bounded(found, 0.57820350277783419387)
    assert found.error < 0.01


def test_what_no_probe_meets():
    """A piece between two probes for the window, on a side where there is nothing else."""
    found = expectation(lambda u: np.where((u < 0) | ((u > 3.5) & (u < 3.875)), 1.0, 0.0), 1.0)
    assert_bounded(found, 0.5 + float(ndtr(3.875) - ndtr(3.5)), at_most=1e-10)


def test_what_happens_far_out():
    """All the mass beyond 27 deviations: the window goes where the integrand is."""
    found = expectation(lambda u: np.where(u > 27.2, 1.0, 0.0), 1.0)
    assert_bounded(found, float(ndtr(-27.2)), at_most=1e-9)
    nothing = expectation(lambda u: np.where(u > 50.0, 1.0, 0.0), 1.0)
    assert nothing.value == 0
    assert 0 < nothing.error < 1e-300


@pytest.mark.parametrize("f", [lambda u: 0 * u, lambda u: 0 * u + 7, lambda u: 3])
def test_constants(f):
    for variance in (0.0, 1e-300, 1.0, 1e300):
        found = expectation(f, variance)
        assert_bounded(found, float(np.max(f(0.0))))


# --- two ways -------------------------------------------------------------------------------------

MOMENTS = {
    ("tanh", 0.5): (0.2736763079367389090183, 0.1397784092452742120165),
    ("tanh", 4.0): (0.6352612342569399248564, 0.526472911739088762099),
    ("gelu", 0.5): (0.1895565418322276020221, 0.2686451468942777132297),
    ("gelu", 4.0): (1.929865015864443146342, 23.71281484036177404107),
    ("cos", 0.5): (0.6839397205857211607978, 0.5612291754468129333345),
    ("cos", 4.0): (0.5001677313139512559194, 0.3751677313139528389401),
    ("softplus", 0.5): (0.6972250044122632764193, 0.9659336627868247742694),
    ("softplus", 4.0): (2.329781463624305316513, 25.44480833200047049496),
}
"""E phi^2 and E phi^4 by mpmath 1.3 at 40 digits."""


@pytest.mark.parametrize(("setting", "truths"), MOMENTS.items())
def test_second_and_fourth_moments(setting, truths):
    phi = activation(setting[0])
    assert_bounded(mean_square(phi, setting[1]).estimate, truths[0], at_most=1e-12)
    assert_bounded(mean_fourth(phi, setting[1]), truths[1], at_most=1e-9)


@pytest.mark.parametrize("q", [1e-6, 0.3, 1.0, 5.0, 1e5])
@pytest.mark.parametrize(
    ("name", "fourth"),
    [
        ("identity", lambda q: 3 * q * q),
        ("relu", lambda q: 1.5 * q * q),
        ("square", lambda q: 105 * q**4),
        ("sign", lambda q: 1),
        ("heaviside", lambda q: 0.5),
        ("sin", lambda q: (3 - 4 * math.exp(-2 * q) + math.exp(-8 * q)) / 8),
        ("gaussian", lambda q: (1 + 8 * q) ** -0.5),
    ],
)
def test_closed_fourth_moments(name, fourth, q):
    found = mean_fourth(activation(name), q)
    truth = fourth(q)
    if name == "sin" and q < 1e-3:
        truth = 3 * q * q - 10 * q**3  # what is left of the cancellation
    assert abs(found.value - truth) <= found.error + 1e-9 * truth
    assert found.error <= 1e-8 * truth


@pytest.mark.parametrize("q", [1e-4, 0.3, 1.0, 50.0])
@pytest.mark.parametrize("name", ["sin_reciprocal", "relu", "leaky_relu", "heaviside", "abs"])
def test_a_closed_fourth_moment_is_that_of_quadrature(name, q):
    phi = activation(name)
    slow = mean_fourth(replace(phi, mean_fourth=None, homogeneous=None), q)
    closed = mean_fourth(phi, q)
    assert abs(closed.value - slow.value) <= closed.error + slow.error
    assert closed.error < 1e-13 * max(closed.value, 1)


@pytest.mark.parametrize("name", ["exp_square", "exp"])
def test_fourth_moments_of_growing_functions(name):
    assert_bounded(mean_fourth(activation("exp"), 3.0), math.exp(24), at_most=1e-9)
    assert_bounded(mean_fourth(activation("exp_square"), 1.2), (1 - 0.96) ** -0.5, at_most=1e-9)


@pytest.mark.parametrize("q", [1e-6, 0.01, 1.0, 7.0, 100.0])
@pytest.mark.parametrize("name", [n for n in catalogue() if n not in ("tan", "reciprocal")])
def test_the_slope_is_the_difference_quotient(name, q):
    phi = activation(name)
    q = min(q, critical_variance(phi, 2) / 2)
    if name == "exp_power" and q > 1.5:
        return  # beyond every float soon after
    h = 1e-5 * q
    quotient = mean_square(phi, q + h).estimate.value - mean_square(phi, q - h).estimate.value
    quotient /= 2 * h
    found = mean_square(phi, q)
    rounding = 4 * (found.estimate.error + 1e-16 * found.estimate.value) / h
    assert abs(found.slope - quotient) <= rounding + 2e-6 * (abs(quotient) + abs(found.slope))


# --- infinite, or beyond the floats ---------------------------------------------------------------

DIVERGENT = {
    "1/x": lambda x: 1 / x,
    "1/(x-1)": lambda x: 1 / (x - 1),
    "1/(x-0.9)": lambda x: 1 / (x - 0.9),
    "1/(x-pi)": lambda x: 1 / (x - math.pi),
    "1/(x+0.75)": lambda x: 1 / (x + 0.75),
    "tan": np.tan,
    "|x|^-1/2": lambda x: np.abs(x) ** -0.5,
    "|x|^-3": lambda x: np.abs(x) ** -3,
    "exp(x^2)": lambda x: np.exp(x * x),
    "exp(x^2/4)": lambda x: np.exp(x * x / 4),
    "exp(|x|^3)": lambda x: np.exp(np.abs(x) ** 3),
    "exp(x^2), x > 0": lambda x: np.where(x > 0, np.exp(x * x), 0.0),
}


@pytest.mark.parametrize("f", DIVERGENT.values(), ids=DIVERGENT)
def test_infinity_is_recognised_in_plain_functions(f):
    found = mean_square(Activation(quiet(f)), 1.0)
    assert found.estimate == Estimate(INF, INF, certain=False, overflow=False)
    assert mean_fourth(Activation(quiet(f)), 1.0) == found.estimate
    square = expectation(quiet(lambda u: f(u) ** 2), 1.0)
    assert square == found.estimate


@pytest.mark.parametrize(
    ("phi", "infinite_from"),
    [
        (activation("reciprocal"), 0.0),
        (activation("tan"), 0.0),
        (activation("power", exponent=-0.5), 0.0),
        (activation("power", exponent=-0.499), INF),
        (activation("exp_square", c=0.1), 2.5),
        (activation("exp_power", p=2, c=0.1), 2.5),
        (activation("exp_power", p=2.5, c=1e-9), 0.0),
        (activation("exp_power", p=1.999, c=1e-9), INF),
        (activation("exp_square", c=-3), INF),
        (activation("exp"), INF),
        (Activation(lambda x: np.exp(-x * x), growth=-1.0), INF),
        (Activation(np.tanh), INF),
        (Activation(np.tanh, poles=(Pole(1.0, 0.5),)), 0.0),
        (Activation(np.tanh, poles=(1.0,)), INF),  # of unknown order: probed
    ],
    ids=repr,
)
def test_the_critical_variance(phi, infinite_from):
    assert critical_variance(phi, 2) == infinite_from
    if 0 < infinite_from < INF:
        assert critical_variance(phi, 4) == infinite_from / 2
        assert math.isfinite(mean_square(phi, 0.99 * infinite_from).estimate.value)
    if infinite_from < INF:
        q = infinite_from or 1e-6
        assert mean_square(phi, q).estimate == Estimate(INF, INF)


def test_variance_ends_before_the_mean():
    phi = activation("power", exponent=-0.3)
    assert math.isfinite(mean_square(phi, 1.0).estimate.value)
    assert mean_fourth(phi, 1.0) == Estimate(INF, INF)


@pytest.mark.parametrize("name", catalogue())
@pytest.mark.parametrize("q", [0.0, 5e-324, 1e-320, 1e-300, 1e-12, 1.0, 1e12, 1e200, 1.79e308])
def test_never_nan_and_never_a_warning(name, q):
    phi = activation(name)
    moment = mean_square(phi, q)
    for found in (moment.estimate, mean_fourth(phi, q)):
        assert not math.isnan(found.value)
        assert not math.isnan(found.error)
        assert found.certain
        assert math.isinf(found.error) or math.isfinite(found.value)
        assert not found.overflow or found.value == INF
    assert not math.isnan(moment.slope)


@pytest.mark.parametrize(
    ("name", "q"),
    [("exp", 400.0), ("square", 1e200), ("exp_power", 100.0), ("relu_squared", 1e300)],
)
def test_overflow_is_not_infinity(name, q):
    found = mean_square(activation(name), q).estimate
    assert found == Estimate(INF, INF, overflow=True)


def test_overflow_of_plain_functions():
    huge = Activation(lambda x: 1e200 * x)
    assert mean_square(huge, 1.0).estimate == Estimate(INF, INF, certain=False, overflow=True)
    assert mean_square(huge, 0.0).estimate.value == 0
    one = Activation(lambda x: 0 * x + 1e200)
    assert mean_square(one, 0.0).estimate.overflow
    assert mean_square(Activation(lambda x: 1e150 * x), 1e6).estimate.value == pytest.approx(1e306)
    assert_bounded(mean_square(Activation(lambda x: 1e-150 * x), 1.0).estimate, 1e-300)


def test_values_near_the_end_of_the_floats():
    assert_bounded(mean_fourth(activation("relu"), 1e150), 1.5e300, at_most=1e-9)
    assert_bounded(mean_square(activation("elu"), 1e307).estimate, 5e306, at_most=1e-9)
    assert_bounded(mean_square(activation("exp"), 354.0).estimate, math.exp(708))


@pytest.mark.parametrize("name", catalogue())
def test_what_is_certain(name):
    phi = activation(name)
    assert mean_square(phi, 0.5).estimate.certain
    assert expectation(phi.function, 0.0).certain is False
    if name not in ("tan", "reciprocal"):
        plain = Activation(quiet(phi.function))
        assert not mean_square(plain, 0.01).estimate.certain


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [0.0, 1.0])
def test_nan_is_refused(q):
    hole = Activation(lambda x: np.where(x >= 0, np.nan, x), name="hole")
    message = r"activation 'hole' must return a number or inf, got nan at x = \d.*; give it a value"
    for moment in (mean_square, mean_fourth):
        with pytest.raises(ValueError, match=message):
            moment(hole, q)
    with pytest.raises(ValueError, match=message.replace("hole", "<lambda>")):
        expectation(hole.function, q)


def test_nan_in_an_expectation_names_the_function():
    def hole(u):
        return np.where(u > 1, np.nan, u)

    with pytest.raises(ValueError, match=r"'hole' must return a number or inf, got nan at x = \d"):
        expectation(hole, 1.0)


def test_out_of_reach_says_the_way_out():
    """exp(0.499 u^2) has a mean, but no float holds it where its mass is."""
    message = r"leaves the floats at x = -?\d.*log_abs=\.\.\."
    with pytest.raises(ValueError, match=message):
        expectation(quiet(lambda u: np.exp(0.499 * u * u)), 1.0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"variance": -1}, ValueError, "variance must be a finite number >= 0, got -1"),
        ({"variance": math.nan}, ValueError, "variance must be .*, got nan"),
        ({"variance": INF}, ValueError, "variance must be .*, got inf"),
        ({"variance": "1"}, TypeError, "variance must be .*, got '1'"),
        ({"variance": None}, TypeError, "variance must be .*, got None"),
        ({"rtol": 0}, ValueError, "rtol must be a finite number >= 1e-14 and <= 1, got 0"),
        ({"rtol": 2.0}, ValueError, r"rtol must be .*, got 2\.0"),
        ({"rtol": "a"}, TypeError, "rtol must be .*, got 'a'"),
        ({"breakpoints": 0.0}, TypeError, r"breakpoints must be .*, got 0\.0; write \(0\.0,\)"),
        ({"breakpoints": ("a",)}, TypeError, "breakpoints must be .*, got 'a'"),
        ({"breakpoints": (INF,)}, ValueError, "breakpoints must be .*, got inf"),
        ({"f": 3}, TypeError, "f must be callable .*, got 3"),
        ({"f": np.diff}, ValueError, "'diff' must return a real array of the shape"),
        ({"f": lambda u: u + 1j}, ValueError, "complex128"),
    ],
)
def test_bad_arguments(arguments, error, message):
    call = {"f": np.cos, "variance": 1.0} | arguments
    f, variance = call.pop("f"), call.pop("variance")
    with pytest.raises(error, match=message):
        expectation(f, variance, **call)


@pytest.mark.parametrize("text", ["1e200*x", "1e160*x^3", "max(1e160*x, 0)"])
def test_a_mean_that_no_float_holds_is_not_called_infinite(text):
    estimate = mean_square(formula(text), 1.0).estimate
    assert (estimate.value, estimate.overflow, estimate.certain) == (math.inf, True, True)
