"""Two inputs at infinite width: the kernel two ways and more, the correlation map and its limit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from scipy.stats import norm

from lengthlab.activations import Activation, Homogeneous, activation
from lengthlab.correlation import correlation_map, product_mean, sample_gram
from lengthlab.correlation.closed_forms import closed_form
from lengthlab.correlation.kernel import _quadrature
from lengthlab.gaussian import mean_square
from lengthlab.length_map import length_map
from lengthlab.network import Network

pytestmark = pytest.mark.filterwarnings("error")

ERROR_RATE = 1e-9  # of each sampled test that is right
CORRELATIONS = [0.0, 0.3, -0.7, 0.99, -0.999, 1 - 1e-6, 1 - 1e-12, 1.0, -1.0]


def plain(phi):
    """The same function without a closed form."""
    return Activation(
        phi.function,
        "plain",
        kinks=phi.kinks,
        poles=phi.poles,
        growth=phi.growth,
        degree=phi.degree,
        log_abs=phi.log_abs,
    )


# --- the kernel: closed forms and quadrature ------------------------------------------------------

CLOSED = ["identity", "relu", "abs", "heaviside", "sign", "erf", "sin", "cos", "exp", "square"]
CLOSED += ["relu_squared", "gaussian", "log_abs"]


@pytest.mark.parametrize("c", CORRELATIONS)
@pytest.mark.parametrize("name", CLOSED)
def test_quadrature_finds_the_closed_forms(name, c):
    phi = activation(name)
    assert closed_form(phi) is not None
    for p, q in [(1.0, 1.0), (0.3, 4.0)]:
        exact = product_mean(phi, p, q, c)
        found = _quadrature(phi, p, q, c, 1e-11)
        slack = exact.error + 1e-15 * closed_form(phi)(p, q, abs(c))
        assert abs(found.value - exact.value) <= found.error + slack
        assert found.error <= 1e-10 * abs(closed_form(phi)(p, q, 1.0)) + 1e-14


@pytest.mark.parametrize("slope", [0.2, -0.5])
def test_leaky_relu_by_hand(slope):
    """E phi(U) phi(V) = (1 + s^2) J(c) - 2 s J(-c) at unit variances, J the arc-cosine kernel."""
    for c in (-1.0, -0.4, 0.0, 0.8, 1.0):
        angle = math.acos(c)
        j, j_opposite = (
            (math.sin(a) + math.cos(a) * (math.pi - a)) / (2 * math.pi)
            for a in (angle, math.pi - angle)
        )
        expected = (1 + slope**2) * j - 2 * slope * j_opposite
        found = product_mean(activation("leaky_relu", slope=slope), 1.0, 1.0, c)
        assert found.value == pytest.approx(expected, abs=1e-15)


def absolute_power(a, c):
    """E |U|^a |V|^a = 2^a / pi Gamma((a + 1) / 2)^2 2F1(-a/2, -a/2; 1/2; c^2)."""
    with mp.workdps(30):
        a, c = mp.mpf(a), mp.mpf(c)
        series = mp.hyp2f1(-a / 2, -a / 2, mp.mpf(1) / 2, c * c)
        return float(2**a / mp.pi * mp.gamma((a + 1) / 2) ** 2 * series)


def odd_power(a, c):
    """The same for sign(U) |U|^a."""
    with mp.workdps(30):
        c = mp.mpf(c)
        series = mp.hyp2f1((1 - a) / 2, (1 - a) / 2, mp.mpf(3) / 2, c * c)
        return float(c * 2 ** (a + 1) / mp.pi * mp.gamma(1 + a / 2) ** 2 * series)


@pytest.mark.parametrize("c", [0.0, 0.3, -0.9, 0.99, 1 - 1e-6, 1.0])
def test_roots_and_poles_by_hypergeometric_series(c):
    for exponent in (-0.45, -0.2, 0.75):
        found = product_mean(activation("power", exponent=exponent), 1.0, 1.0, c)
        assert abs(found.value - absolute_power(exponent, c)) <= found.error + 1e-14
        assert found.error < 1e-9
    with mp.workdps(30):
        third = mp.mpf(1) / 3
    found = product_mean(activation("cbrt"), 1.0, 1.0, c)
    assert abs(found.value - odd_power(third, c)) <= found.error + 1e-14
    assert found.error < 1e-10


NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(120)
WEIGHTS = WEIGHTS / math.sqrt(2 * math.pi)


def mehler(phi, p, q, c, terms=60):
    """Sum of a_k(p) a_k(q) c^k over the normalised Hermite coefficients of phi."""
    total, here, before = 0.0, np.ones_like(NODES), np.zeros_like(NODES)
    for k in range(terms):
        coefficients = [float(WEIGHTS @ (phi(math.sqrt(v) * NODES) * here)) for v in (p, q)]
        total += math.prod(coefficients) * c**k
        following = (NODES * here - math.sqrt(k) * before) / math.sqrt(k + 1)
        here, before = following, here
    return total


@pytest.mark.parametrize("c", [0.0, 0.4, -0.6])
@pytest.mark.parametrize(
    "name", ["tanh", "sigmoid", "gelu", "gelu_tanh", "silu", "softplus", "mish", "arctan"]
)
def test_smooth_functions_by_hermite_series(name, c):
    phi = activation(name)
    found = product_mean(phi, 0.5, 0.8, c)
    assert found.value == pytest.approx(mehler(phi, 0.5, 0.8, c), abs=1e-11)
    assert found.value != pytest.approx(mehler(phi, 0.5, 0.8, c + 1e-6), abs=1e-11)
    assert found.error < 1e-10


SHIFTED_POLE = Activation(
    lambda x: np.abs(np.where(x == 1, np.inf, x - 1)) ** -0.3,
    name="pole at 1", poles=((1.0, 0.3),), growth=0.0,
)  # fmt: skip
OTHERS = [
    SHIFTED_POLE,
    *map(activation, ["elu", "selu", "hardtanh", "softsign", "gaussian"]),
    activation("exp_power", c=0.5),
    activation("exp_square", c=0.05),
    Activation(lambda x: np.sin(20 * x), name="sin 20 x"),
    Activation(lambda x: np.clip(np.floor(x), -6, 6), name="stairs", kinks=tuple(range(-6, 7))),
    Activation(lambda x: (x > 0.3) * 1.0, name="a step that nobody declared"),
]


@pytest.mark.parametrize(
    ("phi", "c"),
    [(phi, c) for phi in OTHERS for c in (0.3, -0.9, 0.999, 1 - 1e-9)][2:],  # the pole takes long
    ids=lambda value: getattr(value, "label", None),
)
def test_either_variable_may_be_the_inner_one(phi, c):
    """Two different sets of nodes; and the diagonal bounds the rest (Cauchy and Schwarz)."""
    one, other = product_mean(phi, 0.8, 2.0, c), product_mean(phi, 2.0, 0.8, c)
    assert abs(one.value - other.value) <= one.error + other.error
    bound = math.sqrt(math.prod(mean_square(phi, v).estimate.value for v in (0.8, 2.0)))
    assert abs(one.value) <= bound * (1 + 1e-9)
    declared = "nobody" not in phi.name
    assert max(one.error, other.error) <= (1e-8 if declared else 1e-2) * bound


@settings(max_examples=40, deadline=None)
@given(
    c=st.floats(-1.0, 1.0), p=st.floats(1e-3, 50.0), a=st.floats(-2.0, 2.0), b=st.floats(-2.0, 2.0)
)
def test_quadrature_of_any_two_sided_power_at_any_correlation(c, p, a, b):
    phi = Activation(
        lambda x: np.where(x > 0, a, b) * np.abs(x), name="two-sided", kinks=(0.0,), growth=0.0,
        degree=1, homogeneous=Homogeneous(1, abs(a), abs(b)),
    )  # fmt: skip
    exact, found = product_mean(phi, p, 1.0, c), product_mean(plain(phi), p, 1.0, c)
    assert abs(exact.value - found.value) <= exact.error + found.error + 1e-14 * math.sqrt(p)


def test_a_closed_form_belongs_to_what_phi_does():
    """Neither a name nor the absolute value alone makes a closed form."""
    assert closed_form(Activation(lambda x: np.sin(2 * x), name="sin")) is None
    bent = Activation(
        lambda x: x * np.sign(np.sin(x)),
        name="zigzag",
        kinks=tuple(math.pi * k for k in range(-9, 10)),
        growth=0.0,
        degree=1,
        homogeneous=Homogeneous(1, 1.0, 1.0),
    )
    assert closed_form(bent) is None
    assert product_mean(bent, 1.0, 1.0, 1.0).value == pytest.approx(1.0)
    assert product_mean(bent, 4.0, 4.0, 0.5).value != pytest.approx(0.717995562 * 4, abs=0.1)


def test_a_variance_of_0_is_a_constant():
    assert product_mean(activation("cos"), 0.0, 2.0, 0.5).value == pytest.approx(math.exp(-1))
    assert product_mean(activation("tanh"), 2.0, 0.0, 0.5).value == 0.0


@pytest.mark.parametrize(("name", "variance"), [("reciprocal", 1.0), ("exp_square", 3.0)])
def test_infinite_means_are_refused(name, variance):
    with pytest.raises(ValueError, match=f"phi must have a finite mean square, got {name} at"):
        product_mean(activation(name), variance, variance, 0.5)


# --- the correlation map --------------------------------------------------------------------------


def arc_cosine(c):
    """He's ReLU: c -> (sqrt(1 - c^2) + c (pi - arccos c)) / pi (Cho & Saul 2009)."""
    return (math.sqrt(1 - c * c) + c * (math.pi - math.acos(c))) / math.pi


@pytest.mark.parametrize("rho", [-1.0, -0.5, 0.0, 0.9, 1.0])
def test_he_relu(rho):
    found = correlation_map(Network("relu", sigma_w=math.sqrt(2)), depth=8, rho=rho)
    expected = [rho]
    for _ in range(7):
        expected.append(arc_cosine(min(expected[-1], 1.0)))
    assert (np.abs(found.values - expected) <= found.errors + 1e-14).all()
    assert found.errors.max() < 1e-11
    assert found.chi == pytest.approx(1.0, rel=1e-12)
    assert found.fixed_point == 1.0


def test_erf_with_biases_and_masks_along_the_length_map():
    """By Williams's formula, with 1/p in the lengths and none in the product."""
    net = Network("erf", sigma_w=1.4, sigma_b=0.3, keep_probability=0.7, input_length=2.0)
    found = correlation_map(net, depth=6, rho=0.4)
    q = 1.4**2 * 2 + 0.09
    c, expected = (1.4**2 * 2 * 0.4 + 0.09) / q, []
    for _ in range(6):
        expected.append(c)
        product = 2 / math.pi * math.asin(2 * q * c / (1 + 2 * q))
        q_next = 1.4**2 / 0.7 * 2 / math.pi * math.asin(2 * q / (1 + 2 * q)) + 0.09
        c, q = (1.4**2 * product + 0.09) / q_next, q_next
    np.testing.assert_allclose(found.values, expected, atol=1e-13)
    assert (np.abs(found.values - expected) <= found.errors + 1e-14).all()


@pytest.mark.parametrize(
    "net",
    [
        Network("tanh", sigma_w=1.5, sigma_b=0.3),
        Network("hardtanh", sigma_w=1.5, sigma_b=0.1, keep_probability=0.6),
        Network("gelu", sigma_w=1.3, sigma_b=0.2, input_length=0.5),
        Network("heaviside", sigma_w=1.3, sigma_b=0.5),
    ],
    ids=lambda net: net.activation.name,
)
def test_wide_networks_follow_it(net):
    """The mean of h(a).h(b) / N over networks of width 2000, at the error rate; bias is O(1/N)."""
    width, depth, trials, rho = 2000, 4, 600, 0.3
    size = net.input_length
    inputs = [[size, rho * size], [rho * size, size]]
    grams = sample_gram(net, inputs, width=width, depth=depth, trials=trials, rng=1)
    products = grams[:, :, 0, 1]
    radius = norm.isf(ERROR_RATE / 8) * products.std(axis=0) / math.sqrt(trials)
    slack = radius + 10 * length_map(net, depth=depth).values / width

    def follows(rho):
        values = correlation_map(net, depth=depth, rho=rho).values
        expected = values * length_map(net, depth=depth).values
        return (np.abs(products.mean(axis=0) - expected) < slack).all()

    assert follows(rho)
    assert not follows(rho + 0.05)


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(["relu", "erf", "sin", "cos", "sign", "square", "gaussian"]),
    sigma_w=st.floats(0.3, 3.0),
    sigma_b=st.floats(0.0, 2.0),
    keep=st.floats(0.2, 1.0),
    rho=st.floats(-1.0, 1.0),
)
def test_correlations_are_correlations_and_ordered(name, sigma_w, sigma_b, keep, rho):
    net = Network(name, sigma_w=sigma_w, sigma_b=sigma_b, keep_probability=keep)
    depth = 3
    found = correlation_map(net, depth=depth, rho=rho)
    assert (np.abs(found.values) <= 1).all()
    assert (found.errors >= 0).all()
    assert found.values.shape == found.errors.shape == (depth,)
    if rho >= 0:  # a power series with coefficients >= 0 keeps the order
        higher = correlation_map(net, depth=depth, rho=min(rho + 0.01, 1.0))
        assert (higher.values >= found.values - found.errors - higher.errors).all()
    for value in (found.fixed_point, found.chi):
        assert value is None or not math.isnan(value)


# --- its limit ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "net",
    [
        Network("erf", sigma_w=1.5, sigma_b=0.3),  # chaos: below 1
        Network("erf", sigma_w=1.0, sigma_b=0.5),  # order: 1
        Network("erf", sigma_w=1.5, sigma_b=0.3, keep_probability=0.8),  # masks: below 1
        Network("sin", sigma_w=2.5),  # odd, no bias: 0
        Network("cos", sigma_w=1.5, sigma_b=0.1),
        Network("relu", sigma_w=1.0, sigma_b=0.5),
        Network("heaviside", sigma_w=1.0),
    ],
    ids=lambda net: f"{net.activation.name}-{net.sigma_w}-{net.sigma_b}-{net.keep_probability}",
)
@pytest.mark.parametrize("rho", [-0.9, 0.2, 0.9])
def test_deep_layers_reach_the_fixed_point(net, rho):
    deep = correlation_map(net, depth=1000, rho=rho)
    assert deep.fixed_point == pytest.approx(deep.values[-1], abs=1e-6)
    assert correlation_map(net, depth=1, rho=rho).fixed_point == pytest.approx(
        deep.fixed_point, abs=1e-9
    )


def test_fixed_points_of_what_has_no_closed_form():
    chaotic = correlation_map(Network("tanh", sigma_w=2.5, sigma_b=0.3), depth=40, rho=0.9)
    assert chaotic.chi > 1
    assert chaotic.fixed_point == pytest.approx(chaotic.values[-1], abs=2e-3)
    ordered = correlation_map(Network("tanh", sigma_w=0.9, sigma_b=0.3), depth=2, rho=-0.5)
    assert ordered.chi < 1
    assert ordered.fixed_point == 1.0


def test_equal_and_opposite_inputs():
    chaotic = Network("tanh", sigma_w=2.5)
    for rho in (1.0, -1.0):
        found = correlation_map(chaotic, depth=5, rho=rho)
        assert found.values.tolist() == [rho] * 5
        assert found.errors.tolist() == [0.0] * 5
        assert found.fixed_point == rho
    masked = correlation_map(Network("erf", sigma_w=1.5, keep_probability=0.5), depth=3, rho=1.0)
    assert masked.values[0] == 1.0
    assert masked.values[1] < 0.6  # another mask, another vector
    linear = correlation_map(Network("identity"), depth=3, rho=0.25)
    assert linear.values == pytest.approx([0.25] * 3)
    assert linear.fixed_point == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("net", "chi"),
    [
        (Network("relu", sigma_w=1.2), 0.72),
        (Network("sign"), math.inf),
        (Network("cbrt", sigma_w=1.2), math.inf),
        (Network("tanh", sigma_w=0.5), 0.25),  # at length 0
        (Network("identity", sigma_w=0.5, sigma_b=1.0), 0.25),
    ],
    ids=lambda value: value.activation.name if isinstance(value, Network) else "",
)
def test_chi(net, chi):
    assert correlation_map(net, depth=2, rho=0.5).chi == pytest.approx(chi, rel=1e-9)


def test_chi_of_erf_in_closed_form():
    net = Network("erf", sigma_w=1.5, sigma_b=0.3)
    q = float(length_map(net, depth=200).values[-1])
    chi = 1.5**2 * 4 / math.pi / math.sqrt(1 + 4 * q)
    assert correlation_map(net, depth=3, rho=0.5).chi == pytest.approx(chi, rel=1e-9)


def test_where_lengths_do_not_settle_there_is_no_limit():
    grows = correlation_map(Network("relu", sigma_w=2.0, sigma_b=0.5), depth=3, rho=0.5)
    assert (grows.fixed_point, grows.chi) == (None, None)
    on_the_way = correlation_map(Network("tanh", sigma_w=0.5), depth=3, rho=0.5)
    assert on_the_way.fixed_point is None  # small lengths: every c is fixed


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "depth", "message"),
    [
        (Network("reciprocal"), 2, "the length map is infinite at layer 2, where .* depth < 2"),
        (Network("tan"), 3, "the length map is infinite at layer 2"),
        (Network("exp_square"), 14, "the length map is infinite at layer 13"),
        (Network("exp", sigma_w=2.0), 9, "the length map is beyond every float at layer"),
        (Network("relu", sigma_w=1e200), 1, "beyond every float at layer 1, .* change sigma_w"),
        (Network("dirichlet"), 2, "the length map is 0 at layer 2"),
        (Network("square", sigma_w=0.5), 12, "the length map is 0 at layer"),
    ],
    ids=lambda value: value.activation.name if isinstance(value, Network) else "",
)
def test_without_a_length_there_is_no_correlation(net, depth, message):
    with pytest.raises(ValueError, match=message):
        correlation_map(net, depth=depth, rho=0.5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"net": "tanh"}, TypeError, r"net must be a Network, got 'tanh'; write Network\('tanh'\)"),
        ({"depth": 0}, ValueError, "depth must be an integer >= 1, got 0"),
        ({"depth": 1.5}, TypeError, r"depth must be an integer >= 1, got 1\.5"),
        ({"rho": 1.1}, ValueError, r"rho must be a finite number >= -1 and <= 1, got 1\.1"),
        ({"rho": -2}, ValueError, "rho must be .*, got -2"),
        ({"rho": math.nan}, ValueError, "rho must be .*, got nan"),
        ({"rho": "0.5"}, TypeError, "rho must be .*, got '0.5'"),
        ({"rho": None}, TypeError, "rho must be .*, got None"),
    ],
)
def test_bad_arguments(arguments, error, message):
    call = {"net": Network("tanh"), "depth": 2, "rho": 0.5} | arguments
    with pytest.raises(error, match=message):
        correlation_map(call.pop("net"), **call)


@pytest.mark.parametrize(
    ("p", "q", "c", "message"),
    [
        (-1.0, 1.0, 0.0, r"p must be a finite number >= 0, got -1\.0"),
        (1.0, math.inf, 0.0, "q must be a finite number >= 0, got inf"),
        (1.0, 1.0, 1.01, r"c must be a finite number >= -1 and <= 1, got 1\.01"),
    ],
)
def test_bad_arguments_of_product_mean(p, q, c, message):
    with pytest.raises(ValueError, match=message):
        product_mean(activation("tanh"), p, q, c)


@pytest.mark.parametrize(
    ("phi", "rtol", "error", "message"),
    [
        ("tanh", 1e-9, TypeError, r"phi must be .*, got 'tanh'; write activation\('tanh'\)"),
        (None, 1e-9, TypeError, "phi must be an Activation, got None"),
        (activation("tanh"), 0.0, ValueError, r"rtol must be a finite number > 0, got 0\.0"),
        (activation("tanh"), math.nan, ValueError, "rtol must be a finite number > 0, got nan"),
        (activation("tanh"), "9", TypeError, "rtol must be a finite number > 0, got '9'"),
    ],
)
def test_bad_kinds_of_product_mean(phi, rtol, error, message):
    with pytest.raises(error, match=message):
        product_mean(phi, 1.0, 1.0, 0.5, rtol=rtol)


def test_nan_of_the_activation_is_refused():
    root = Activation(np.sqrt, name="root")
    with pytest.raises(ValueError, match=r"activation 'root' must return a number or inf, got nan"):
        correlation_map(Network(root), depth=2, rho=0.5)
