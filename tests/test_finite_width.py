"""First order in 1 / width: closed forms, the sampler, and what has no band."""

import math

import numpy as np
import pytest
from scipy.stats import binom, chi2, norm

from lengthlab.activations import Activation, Homogeneous, activation
from lengthlab.finite_width import Band, InfiniteSpreadError, band, length_variance
from lengthlab.length_map import length_map
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network

pytestmark = pytest.mark.filterwarnings("error")

ERROR_RATE = 1e-9  # of each sampled test that is right


# --- exact ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 2, 20])
def test_he_relu(depth):
    """N Var(log q_l) -> 5 l - 3 (Hanin & Nica 2020), at length 2."""
    spread = length_variance(Network("relu", sigma_w=math.sqrt(2)), depth=depth)
    np.testing.assert_allclose(spread, 4 * (5 * np.arange(1, depth + 1) - 3), rtol=1e-9)


@pytest.mark.parametrize("keep", [1.0, 0.4])
@pytest.mark.parametrize(("sigma_w", "sigma_b"), [(1.0, 0.0), (0.8, 0.5), (2.0, 0.1)])
@pytest.mark.parametrize(
    "phi",
    [
        activation("identity"),
        activation("abs"),
        activation("relu"),
        activation("leaky_relu", slope=0.3),
    ],
    ids=lambda phi: phi.name,
)
def test_homogeneous_functions(phi, sigma_w, sigma_b, keep):
    """m(q) = a q and E phi^4 = b q^2, by hand."""
    right, left = phi.homogeneous.right, phi.homogeneous.left
    a, b = (right**2 + left**2) / 2, 3 * (right**4 + left**4) / 2
    net = Network(phi, sigma_w=sigma_w, sigma_b=sigma_b, keep_probability=keep)
    q, u, expected = net.first_variance, 0.0, []
    for _ in range(6):
        expected.append(2 * q * q + u)
        u = net.gain**2 * ((b / keep - a * a) * q * q + a * a * u)
        q = net.gain * a * q + sigma_b**2
    np.testing.assert_allclose(length_variance(net, depth=6), expected, rtol=1e-9)


def test_a_constant_length_has_the_spread_of_layer_1():
    """sign: r = 1 whatever h was, so every layer is v chi2_N / N."""
    net = Network("sign", sigma_w=1.5, sigma_b=0.5)
    np.testing.assert_allclose(length_variance(net, depth=5), 2 * 2.5**2, rtol=1e-9)
    dropped = length_variance(
        Network("sign", sigma_w=1.5, sigma_b=0.5, keep_probability=0.5), depth=3
    )
    v = 2.25 * 2 + 0.25  # units are 0 or 1 / p: variance 1 / p - 1 of the mean of r
    np.testing.assert_allclose(dropped[1:], 2 * v**2 + (2.25 * 2) ** 2 * (2 - 1), rtol=1e-9)


def test_layer_1_is_chi_square():
    for name in ("tanh", "reciprocal"):
        net = Network(name, sigma_w=1.5, sigma_b=0.3)
        for width in (1, 7, 1000):
            found = band(net, width=width, depth=1, level=0.8)
            law = chi2(width, scale=2.34 / width)
            np.testing.assert_allclose(found.lower, law.ppf(0.1), rtol=1e-10)
            np.testing.assert_allclose(found.upper, law.ppf(0.9), rtol=1e-10)


def test_beyond_layer_1_the_logarithm_is_normal():
    net = Network("relu", sigma_w=math.sqrt(2))
    found = band(net, width=400, depth=5, level=0.9)
    deviation = np.sqrt((5 * np.arange(2, 6) - 3) / 400)
    np.testing.assert_allclose(found.lower[1:], 2 * np.exp(norm.ppf(0.05) * deviation), rtol=1e-9)
    np.testing.assert_allclose(found.upper[1:], 2 * np.exp(norm.ppf(0.95) * deviation), rtol=1e-9)


# --- properties -----------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 10, 10**12])
@pytest.mark.parametrize("level", [1e-6, 0.5, 0.999999])
@pytest.mark.parametrize("name", ["relu", "tanh", "exp_square", "cbrt", "cos"])
def test_a_band_is_never_negative_and_holds_the_length_map(name, level, width):
    net = Network(name, sigma_w=0.8)
    depth = 30 if name != "exp_square" else 5
    found, middle = band(net, width=width, depth=depth, level=level), length_map(net, depth=depth)
    assert (found.lower >= 0).all()
    assert (found.lower[1:] <= middle.values[1:]).all()
    assert (middle.values[1:] <= found.upper[1:]).all()
    assert (found.lower <= found.upper).all()


def test_bands_are_nested_and_shrink():
    net = Network("tanh", sigma_w=1.5, sigma_b=0.3)
    for small, large in [
        (band(net, width=100, depth=6, level=0.5), band(net, width=100, depth=6, level=0.9)),
        (band(net, width=400, depth=6), band(net, width=100, depth=6)),
    ]:
        assert (large.lower < small.lower).all()
        assert (small.upper < large.upper).all()
    wide, wider = (band(net, width=w, depth=6) for w in (10**6, 10**8))
    ratio = np.log(wide.upper / wide.lower) / np.log(wider.upper / wider.lower)
    np.testing.assert_allclose(ratio, 10, rtol=1e-2)


def test_lengths_of_0_have_a_band_of_0():
    found = band(Network("relu", sigma_w=1e-120), width=10, depth=3)
    assert found.lower[1:].tolist() == found.upper[1:].tolist() == [0, 0]


def test_a_band_too_wide_for_the_floats():
    found = band(Network("exp", sigma_w=2.0), width=10, depth=2)
    assert found.lower[1] == 0
    assert found.upper[1] == math.inf


# --- sampled --------------------------------------------------------------------------------------


def spread_interval(q, width):
    """N Var(q) with a radius from the fourth moment and the error rate, by the delta method."""
    trials = len(q)
    centred = (q - q.mean()) ** 2
    deviation = centred.std() / math.sqrt(trials)
    radius = norm.isf(ERROR_RATE / 2 / 4) * deviation
    return width * (centred.mean() - radius), width * (centred.mean() + radius)


SPREADS = [
    Network("tanh", sigma_w=1.5, sigma_b=0.3),
    Network("relu", sigma_w=1.4, sigma_b=0.2, keep_probability=0.7),
    Network("cos", sigma_w=1.5),
    Network(activation("power", exponent=-0.2), sigma_b=0.5),
]


@pytest.mark.parametrize("net", SPREADS, ids=lambda net: net.activation.name)
def test_the_spread_of_sampled_lengths(net):
    """At N = 2000, where what is left out is of relative order 1 / N."""
    width, depth = 2000, 4
    expected = length_variance(net, depth=depth)
    q = sample_lengths(net, width=width, depth=depth, trials=3000, rng=1)
    slack = 0.03 if net.activation.poles else 30 / width  # heavier tails
    for layer in range(depth):
        low, high = spread_interval(q[:, layer], width)
        assert low * (1 - slack) < expected[layer] < high * (1 + slack)
    without = 2 * length_map(net, depth=depth).values ** 2  # as if v_l were known
    outside = [
        not spread_interval(q[:, k], width)[0] * (1 - slack) < without[k] for k in range(1, depth)
    ]
    if net.activation.name in ("relu", "power"):
        assert any(outside)


def test_coverage():
    net, trials, level = Network("tanh", sigma_w=1.5, sigma_b=0.3), 4000, 0.9
    q = sample_lengths(net, width=3000, depth=5, trials=trials, rng=2)

    def covered(found, layer):
        inside = (found.lower <= q.T[layer][:, None]) & (q.T[layer][:, None] <= found.upper)
        return int(inside[:, layer].sum())

    least, most = binom(trials, level).ppf([ERROR_RATE / 2, 1 - ERROR_RATE / 2])
    right = band(net, width=3000, depth=5, level=level)
    assert all(least <= covered(right, layer) <= most for layer in range(5))
    for wrong in (
        band(net, width=2000, depth=5, level=level),
        band(net, width=4500, depth=5, level=level),
        band(Network("tanh", sigma_w=1.52, sigma_b=0.3), width=3000, depth=5, level=level),
    ):
        assert not any(least <= covered(wrong, layer) <= most for layer in range(5))


# --- no band --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "layer", "reason"),
    [
        (Network("reciprocal"), 2, "phi^2 has infinite variance at layer 1, where the length is 1"),
        (Network("tan"), 2, "phi^2 has infinite variance at layer 1, where the length is 1"),
        (Network(activation("power", exponent=-0.3)), 2, "phi^2 has infinite variance at layer 1"),
        (Network("exp_square"), 3, "phi^2 has infinite variance at layer 2"),
        (Network("exp"), 4, "phi^2 has a variance beyond every float at layer 3"),
        (Network("relu", sigma_w=1e200), 1, "the length map is beyond every float at layer 1"),
        (Network("relu", sigma_w=1e90), 2, "phi^2 has a variance beyond every float at layer 1"),
    ],
    ids=lambda v: v.activation.name if isinstance(v, Network) else str(v)[:8],
)
def test_where_there_is_no_spread(net, layer, reason):
    for call in (
        lambda: length_variance(net, depth=8),
        lambda: band(net, width=100, depth=8),
    ):
        with pytest.raises(InfiniteSpreadError) as refusal:
            call()
        assert refusal.value.layer == layer
        assert refusal.value.reason.startswith(reason.split(", where")[0])
        assert isinstance(refusal.value, ValueError)
        if layer > 1:
            assert str(refusal.value).endswith(f"; ask for depth < {layer}")
    if layer > 1:
        assert len(length_variance(net, depth=layer - 1)) == layer - 1


def test_infinite_variance_of_a_plain_function_is_probed():
    net = Network(Activation(lambda x: np.where(x == 0, 0, np.abs(x) + 1e-300) ** -0.3))
    with pytest.raises(InfiniteSpreadError):
        length_variance(net, depth=2)


def test_a_homogeneous_jump():
    jump = Activation(
        lambda x: np.where(x < 0, 0.5, 2.0),
        kinks=(0.0,), degree=0, growth=0.0, homogeneous=Homogeneous(0, 2.0, 0.5),
    )  # fmt: skip
    m, fourth = (4 + 0.25) / 2, (16 + 0.0625) / 2
    np.testing.assert_allclose(
        length_variance(Network(jump), depth=3), [2, *[2 * m * m + fourth - m * m] * 2], rtol=1e-9
    )


NET = Network("tanh")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"net": "tanh"}, TypeError, r"net must be a Network, got 'tanh'; write Network\('tanh'\)"),
        ({"net": 1}, TypeError, "net must be a Network, got 1"),
        ({"width": 0}, ValueError, "width must be an integer >= 1 and <= 1000000000000, got 0"),
        ({"width": 10**13}, ValueError, "width must be .* <= 1000000000000, got 10000000000000"),
        ({"width": 10.0}, TypeError, r"width must be .*, got 10\.0; write 10"),
        ({"width": "10"}, TypeError, "width must be .*, got '10'"),
        ({"depth": 0}, ValueError, "depth must be an integer >= 1, got 0"),
        ({"depth": None}, TypeError, "depth must be .*, got None"),
        ({"level": 0}, ValueError, "level must be a finite number > 0 and < 1, got 0"),
        ({"level": 1}, ValueError, "level must be a finite number > 0 and < 1, got 1"),
        ({"level": -0.1}, ValueError, r"level must be .*, got -0\.1"),
        ({"level": 95}, ValueError, "level must be a finite number > 0 and < 1, got 95"),
        ({"level": math.nan}, ValueError, "level must be .*, got nan"),
        ({"level": "0.9"}, TypeError, "level must be .*, got '0.9'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    call = {"net": NET, "width": 10, "depth": 2} | arguments
    with pytest.raises(error, match=message):
        band(call.pop("net"), **call)
    if "net" in arguments or "depth" in arguments:
        with pytest.raises(error, match=message):
            length_variance(arguments.get("net", NET), depth=arguments.get("depth", 2))


def test_a_band_is_frozen():
    with pytest.raises(AttributeError):
        Band(np.zeros(1), np.ones(1)).lower = 3
