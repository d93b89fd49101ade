"""The whole law at width N: closed forms, the sampler, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma, polygamma
from scipy.stats import binom, chi2, norm

from lengthlab.activations import Activation, activation
from lengthlab.finite_width import LengthLaw, UnresolvedError, length_law
from lengthlab.finite_width.chain import Chain
from lengthlab.finite_width.kernel import FINE, MOMENTS, Kernel, Resolution, _power
from lengthlab.finite_width.lengths import Table
from lengthlab.formula import formula
from lengthlab.gaussian import mean_fourth, mean_square
from lengthlab.length_map import length_map
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network

pytestmark = pytest.mark.filterwarnings("error")

ERROR_RATE = 1e-9  # of each sampled test that is right
FINER = Resolution(spacing=0.25, order=16, band=24.0, damping=17.0)


def law_of(name, width, depth=6, **scales):
    return length_law(Network(name, **scales), width=width, depth=depth)


def quadrature(law, layer, function, points=20_001):
    """E function(q) by the midpoint rule in the quantile."""
    p = (np.arange(points) + 0.5) / points
    return float(np.mean(function(law.quantile(p, layer=layer))))


# --- exact ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tanh", "reciprocal", "dirichlet"])
@pytest.mark.parametrize("width", [1, 7, 10**4])
def test_layer_1_is_chi_square(name, width):
    """No activation is asked; the input's length and the bias enter through v_1."""
    net = Network(name, sigma_w=1.5, sigma_b=0.3, input_length=2.0)
    law, exact = length_law(net, width=width, depth=1), chi2(width, scale=4.59 / width)
    q = exact.ppf([1e-6, 0.1, 0.5, 0.9, 1 - 1e-6])
    np.testing.assert_allclose(law.cdf(q, layer=1), exact.cdf(q), atol=law.error[0])
    np.testing.assert_allclose(law.pdf(q, layer=1), exact.pdf(q), rtol=1e-7)
    np.testing.assert_allclose(law.quantile(exact.cdf(q), layer=1), q, rtol=1e-6)
    np.testing.assert_allclose([law.mean[0], law.variance[0]], [4.59, 2 * 4.59**2 / width])


def relu_log_moments(width, depth):
    """Mean and variance of log q_depth for He's ReLU, sigma_b = 0, given that no layer is dead.

    log q_depth = log 2 + sum of log(2 S_l) + log(chi2_N / N), where N S_l is chi-square with k
    degrees, k binomial(N, 1/2) and not 0.
    """
    k = np.arange(1, width + 1)
    share = binom.pmf(k, width, 0.5) / (1 - 0.5**width)
    log_s = digamma(k / 2) + math.log(2) - math.log(width)
    mean = share @ log_s
    variance = share @ (polygamma(1, k / 2) + (log_s - mean) ** 2)
    last = digamma(width / 2) + math.log(2 / width)
    total = math.log(2) + (depth - 1) * (math.log(2) + mean) + last
    return total, (depth - 1) * variance + polygamma(1, width / 2)


@pytest.mark.parametrize(
    ("width", "depth", "known"), [(100, 20, 1.007), (200, 50, 1.258), (6, 4, None)]
)
def test_he_relu_in_the_logarithm(width, depth, known):
    """Digamma and trigamma functions give the law's first two log-moments (Hanin & Nica 2020)."""
    mean, variance = relu_log_moments(width, depth)
    if known:
        assert variance == pytest.approx(known, abs=5e-4)
    law = law_of("relu", width, depth, sigma_w=math.sqrt(2))
    dead = 1 - (1 - 0.5**width) ** (depth - 1)
    assert law.cdf(0.0, layer=depth) == pytest.approx(dead, abs=1e-6)
    p = dead + (1 - dead) * (np.arange(40_000) + 0.5) / 40_000
    log_q = np.log(law.quantile(p, layer=depth))
    assert log_q.mean() == pytest.approx(mean, abs=2e-3)
    assert log_q.var() == pytest.approx(variance, rel=4e-3)


@pytest.mark.parametrize("width", [1, 2, 5, 20, 1000])
@pytest.mark.parametrize(("sigma_b", "keep"), [(0.0, 1.0), (0.4, 1.0), (0.0, 0.6), (0.4, 0.6)])
def test_moments_of_relu(width, sigma_b, keep):
    """E S = v / 2 and E S^2 = v^2 (1/4 + (3 / (2 p) - 1/4) / N), by hand."""
    net = Network("relu", sigma_w=1.2, sigma_b=sigma_b, keep_probability=keep)
    law = length_law(net, width=width, depth=8)
    v, square, means, variances = net.first_variance, net.first_variance**2, [], []
    for _ in range(8):
        means.append(v)
        variances.append((1 + 2 / width) * square - v * v)
        ratio = 0.25 + (1.5 / keep - 0.25) / width
        gain = 1.44 / keep
        square = gain**2 * ratio * square + gain * sigma_b**2 * v + sigma_b**4
        v = gain * v / 2 + sigma_b**2
    np.testing.assert_allclose(law.mean, means, rtol=1e-12)
    np.testing.assert_allclose(law.variance, variances, rtol=1e-9)
    if width in (5, 20) and keep == 1:  # what other activations use
        chain = Chain(Kernel(net, width, MOMENTS))
        np.testing.assert_allclose(chain.moments(8, 1), means, rtol=1e-4)
        squares = (np.array(variances) + np.array(means) ** 2) / (1 + 2 / width)
        np.testing.assert_allclose(chain.moments(8, 2), squares, rtol=2e-3)


@pytest.mark.parametrize("name", ["heaviside", "tanh", "hardtanh", "sin", "elu"])
@pytest.mark.parametrize("width", [1, 2, 5, 1000])
@pytest.mark.parametrize(("sigma_b", "keep"), [(0.0, 1.0), (0.3, 0.5)])
def test_moments_of_layer_2_are_integrals(name, width, sigma_b, keep):
    """v_1 is known: E v_2 and Var v_2 = gain^2 (E phi^4 / p - (E phi^2)^2) / N, by quadrature."""
    net = Network(name, sigma_w=1.5, sigma_b=sigma_b, keep_probability=keep)
    law = length_law(net, width=width, depth=2)
    m = mean_square(net.activation, net.first_variance).estimate.value
    fourth = mean_fourth(net.activation, net.first_variance).value / keep
    mean, spread = net.gain * m + sigma_b**2, net.gain**2 * (fourth - m * m) / width
    np.testing.assert_allclose(law.mean[1], mean, rtol=1e-6)
    np.testing.assert_allclose(
        law.variance[1], (1 + 2 / width) * spread + 2 * mean**2 / width, rtol=1e-5
    )


def binomial_chain(net, width, depth, threshold=0.0):
    """Mixture weights of v_depth for a unit step: counts of units above the threshold."""
    counts = np.arange(width + 1)
    v, share = np.array([net.first_variance]), np.ones(1)
    factor = net.gain / net.keep_probability
    for _ in range(depth - 1):
        with np.errstate(divide="ignore", invalid="ignore"):
            above = net.keep_probability * chi2_tail(threshold / np.sqrt(v))
        above[v == 0] = 0.0
        share = share @ np.array([binom.pmf(counts, width, p) for p in above])
        v = factor * counts / width + net.sigma_b**2
    return v, share


def chi2_tail(z):
    from scipy.special import ndtr

    return ndtr(-z)


@pytest.mark.parametrize("width", [2, 5, 20])
@pytest.mark.parametrize("threshold", [0.0, 1.0])
@pytest.mark.parametrize(
    "scales",
    [
        {"sigma_w": 1.5, "sigma_b": 0.3},
        {"sigma_w": 1.0},
        {"sigma_w": 1.2, "sigma_b": 0.2, "keep_probability": 0.6},
    ],
)
def test_a_step_is_a_binomial_chain(width, threshold, scales):
    """Enumeration of the counts, with dropout's binomial mask in it."""
    step = Activation(lambda x: (x > threshold) * 1.0, kinks=(threshold,), degree=0, growth=0.0)
    net = Network(step, **scales)
    law = length_law(net, width=width, depth=5)
    assert law.error.max() < 3e-4
    for layer in (2, 3, 5):
        v, share = binomial_chain(net, width, layer, threshold)
        q = np.geomspace(1e-3, 20, 101)
        exact = share[v > 0] @ chi2(width).cdf(width * q / v[v > 0][:, None]) + share[v == 0].sum()
        distance = np.abs(law.cdf(q, layer=layer) - exact).max()
        assert distance <= law.error[layer - 1]
        mean = share @ v
        np.testing.assert_allclose(law.mean[layer - 1], mean, atol=law.error[layer - 1])
        variance = (1 + 2 / width) * (share @ v**2) - mean**2
        np.testing.assert_allclose(law.variance[layer - 1], variance, atol=2 * law.error[layer - 1])
        found = law.cdf(np.unique(v), layer=layer, of="v")
        exact = np.array([share[v <= point].sum() for point in np.unique(v)])
        np.testing.assert_allclose(found, exact, atol=2e-4)


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("width", [2000, 10**5])
def test_a_jump_off_0_is_seen_by_a_narrow_law(width, declared):
    """Nodes so close that no jump lies between their samples are not alike for that."""
    kinks = (1.0,) if declared else ()
    net = Network(Activation(lambda x: (x > 1) * 1.0, kinks=kinks, degree=0, growth=0.0))
    law = length_law(net, width=width, depth=4)
    v, share = np.ones(1), np.ones(1)  # likely counts alone: all of them are too many
    for _ in range(2):
        above = chi2_tail(1 / np.sqrt(v))
        low, high = (binom.ppf(level, width, above) for level in (1e-10, 1 - 1e-10))
        counts = np.arange(low.min(), high.max() + 1)
        share = share @ binom.pmf(counts, width, above[:, None])
        kept = (share > 1e-9) & (counts > 0)
        v, share = counts[kept] / width, share[kept]
    assert law.mean[2] == pytest.approx(share @ v, rel=1e-4)
    q = (share @ v) * np.linspace(0.5, 1.5, 41)
    exact = 1 - share.sum() + share @ chi2(width).cdf(width * q / v[:, None])
    assert np.abs(law.cdf(q, layer=3) - exact).max() <= law.error[2] < 5e-4
    assert law.cdf(0.0, layer=4) == pytest.approx(1, abs=1e-4)
    assert law.quantile([0.0, 0.3, 0.9], layer=4).tolist() == [0, 0, 0]


def test_a_rare_unit_counts_in_a_very_wide_layer():
    """At N = 10^12 one unit in 10^12 is beyond 7 standard deviations, and decides what follows."""
    step = Activation(lambda x: (x > 7) * 1.0, kinks=(7.0,), degree=0, growth=0.0)
    with pytest.raises(UnresolvedError, match="spread too wide to tabulate; use depth <= 1"):
        length_law(Network(step), width=10**12, depth=3)


def test_a_refusal_names_the_layers_that_can_be_had():
    """sin oscillates only where lengths have become large."""
    net = Network(Activation(lambda x: np.where(np.abs(x) < 30, x * x, np.sin(x * x) * 900)))
    with pytest.raises(UnresolvedError, match="oscillates") as refusal:
        length_law(net, width=1000, depth=9)
    assert refusal.value.resolved > 1
    assert length_law(net, width=1000, depth=refusal.value.resolved).error.max() < 1e-3


def test_the_layers_that_a_refusal_names_are_not_refused():
    """The coarser computation, which the error is measured by, may give up a layer earlier."""
    net = Network(formula("x*cos(x)"), sigma_w=1.5, sigma_b=0.3, keep_probability=0.5)
    with pytest.raises(UnresolvedError, match="oscillates") as refusal:
        length_law(net, width=5, depth=10)
    assert length_law(net, width=5, depth=refusal.value.resolved).error.max() < 0.01


def test_the_error_bounds_what_fifty_layers_lose():
    """Every layer drops a little weight at both ends, and gains by its windows."""
    net = Network(formula("sin(5*x)"), sigma_w=1.5, sigma_b=0.3, keep_probability=0.5)
    law = length_law(net, width=20, depth=50)
    chain = Chain(Kernel(net, 20, FINER))
    for layer, finer in enumerate(chain.laws(50)[1:], start=2):
        table = Table(finer, chain.kernel)
        q = table.points()[::7]
        distance = np.abs(law.cdf(q, layer=layer) - table.cdf(q)).max()
        assert distance <= law.error[layer - 1] < 5e-5


def test_quantiles_that_no_length_escapes_to_are_finite():
    law = law_of("relu", 200, 50, sigma_w=math.sqrt(2))
    assert np.isfinite(law.quantile(1 - 1e-6, layer=50))
    assert law.quantile(1.0, layer=50) == math.inf


def test_a_constant_output_leaves_a_chi_square():
    """sign: r = 1, so that every layer is v chi2_N / N with a v that is known."""
    law = law_of("sign", 7, 5, sigma_w=1.5, sigma_b=0.5)
    q = chi2(7, scale=2.5 / 7).ppf(np.linspace(0.001, 0.999, 99))
    for layer in range(2, 6):
        exact = chi2(7, scale=2.5 / 7).cdf(q)
        assert np.abs(law.cdf(q, layer=layer) - exact).max() <= law.error[layer - 1]
        assert law.quantile([0.1, 0.9], layer=layer, of="v") == pytest.approx(2.5)
    np.testing.assert_allclose(law.variance, 2 * 2.5**2 / 7, rtol=1e-4)


# --- two ways -------------------------------------------------------------------------------------

CASES = [
    ("tanh", 2, 1.0, 0.0), ("relu", 2, 1.7, 0.4), ("gelu", 11, 1.7, 0.4), ("elu", 5, 1.0, 0.0),
    ("silu", 20, 1.5, 0.3), ("square", 20, 0.8, 0.1), ("hardtanh", 2, 1.5, 0.3),
    ("sin", 5, 1.7, 0.4), ("cbrt", 100, 0.8, 0.1), ("tanh", 10**5, 1.5, 0.3), ("cos", 20, 1.5, 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "width", "sigma_w", "sigma_b"), CASES)
def test_the_error_bounds_the_distance_to_a_much_finer_computation(name, width, sigma_w, sigma_b):
    net, depth = Network(name, sigma_w=sigma_w, sigma_b=sigma_b), 6
    law = length_law(net, width=width, depth=depth)
    assert law.error.max() < 5e-4
    chain = Chain(Kernel(net, width, FINER))
    for layer, finer in enumerate(chain.laws(depth)[1:], start=2):
        table = Table(finer, chain.kernel)
        q = table.points()[::7]
        assert np.abs(law.cdf(q, layer=layer) - table.cdf(q)).max() <= law.error[layer - 1]


def test_the_law_tends_to_the_length_map_and_its_first_order_spread():
    from lengthlab.finite_width import length_variance

    net = Network("tanh", sigma_w=1.5, sigma_b=0.3)
    law = length_law(net, width=10**9, depth=6)
    np.testing.assert_allclose(law.mean, length_map(net, depth=6).values, rtol=1e-7)
    np.testing.assert_allclose(law.variance * 1e9, length_variance(net, depth=6), rtol=1e-3)
    middle = [float(law.quantile(0.5, layer=k)) for k in range(1, 7)]
    np.testing.assert_allclose(middle, law.mean, rtol=1e-5)


@pytest.mark.parametrize("layer", [1, 2, 5])
def test_cdf_density_quantile_and_moments_agree(layer):
    law = law_of("tanh", 5, sigma_w=1.5, sigma_b=0.3)
    q = np.linspace(0.2, 3, 41)
    step = 1e-4
    slope = (law.cdf(q + step, layer=layer) - law.cdf(q - step, layer=layer)) / (2 * step)
    np.testing.assert_allclose(law.pdf(q, layer=layer), slope, atol=2e-4)
    p = np.linspace(0.01, 0.99, 33)
    np.testing.assert_allclose(law.cdf(law.quantile(p, layer=layer), layer=layer), p, atol=1e-9)
    mean = quadrature(law, layer, lambda x: x)
    square = quadrature(law, layer, lambda x: x * x)
    assert law.mean[layer - 1] == pytest.approx(mean, rel=1e-3)
    assert law.variance[layer - 1] == pytest.approx(square - mean**2, rel=1e-2)


# --- properties -----------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["tanh", "relu", "gelu", "abs", "cos", "heaviside"]),
    st.integers(3, 2000),  # at 2 the variance may be refused
    st.floats(0.3, 2),
    st.floats(0.05, 1),
    st.sampled_from([1.0, 0.7]),
)
def test_a_law_is_a_law(name, width, sigma_w, sigma_b, keep):
    net = Network(name, sigma_w=sigma_w, sigma_b=sigma_b, keep_probability=keep)
    law = length_law(net, width=width, depth=3)
    q = np.geomspace(1e-6, 1e4, 300)
    for layer in (1, 2, 3):
        below = law.cdf(q, layer=layer)
        assert (np.diff(below) >= -1e-6).all()
        assert (below >= 0).all()
        assert below[-1] == pytest.approx(1, abs=1e-3)
        assert (law.pdf(q, layer=layer) >= 0).all()
        quantiles = law.quantile(np.linspace(0, 1, 21), layer=layer)
        assert (np.diff(quantiles) >= 0).all()
        # Var q >= (E q)^2 2 / N, with equality where v is known
        assert law.variance[layer - 1] >= 2 / width * law.mean[layer - 1] ** 2 * (1 - 1e-3)
    assert law.error.max() < 1e-3


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 1, 4)])
@pytest.mark.parametrize("of", ["q", "v"])
def test_shapes(shape, of):
    law = law_of("tanh", 20, 2)
    q = np.full(shape, 0.4)
    for function in (law.cdf, law.pdf, law.quantile):
        assert function(q, layer=2, of=of).shape == shape
    assert law.mean.shape == law.variance.shape == law.error.shape == (2,)


@pytest.mark.parametrize("of", ["q", "v"])
def test_ends(of):
    law = law_of("heaviside", 3, 3)
    dead = 1 - (7 / 8) ** 2
    points = [-math.inf, -1.0, 0.0, 1e-300, 1e300, math.inf]
    expected = [0, 0, dead, dead, 1, 1]
    np.testing.assert_allclose(law.cdf(points, layer=3, of=of), expected, atol=1e-5)
    np.testing.assert_array_equal(law.pdf([-1.0, 0.0, math.inf], layer=3, of=of), 0)
    assert law.quantile([0.0, dead / 2], layer=3, of=of).tolist() == [0, 0]
    assert law.quantile(0.99, layer=3, of=of) > 0


def test_atoms_of_v_that_nothing_smooths_are_refused():
    """ReLU at N = 2: with probability 1/4 no unit is alive and v = sigma_b^2 exactly."""
    law = law_of("relu", 2, 3, sigma_w=1.7, sigma_b=0.4)
    assert law.conditional_error(layer=2) > 0.1
    for ask in (law.cdf, law.pdf, law.quantile):
        with pytest.raises(UnresolvedError, match=r"v_2 has atoms or jumps: .* sample_lengths"):
            ask(0.5, layer=2, of="v")
    assert law.error.max() < 1e-3


def test_lengths_that_leave_the_floats_are_infinite():
    """x^2 at 1.5: log v doubles from layer to layer."""
    law = law_of("square", 20, 12, sigma_w=1.5)
    q = sample_lengths(law.net, width=20, depth=12, trials=20_000, rng=3)
    for layer in (8, 10, 12):
        gone = 1 - law.cdf(1e300, layer=layer)
        assert gone == pytest.approx(np.mean(q[:, layer - 1] > 1e300), abs=0.04)
    assert law.quantile(0.9, layer=12) == math.inf
    assert np.isfinite(law.error).all()


# --- sampled --------------------------------------------------------------------------------------


def distance(law, sample, layer, of="q"):
    """Largest distance of the cdf to the empirical one, on both sides of each jump."""
    points, counts = np.unique(sample, return_counts=True)
    upper = np.cumsum(counts) / len(sample)
    at = law.cdf(points, layer=layer, of=of)
    before = np.where(points > 0, law.cdf(points * (1 - 1e-9), layer=layer, of=of), 0.0)
    return max(np.abs(at - upper).max(), np.abs(before - (upper - counts / len(sample))).max())


SAMPLED = [
    ("tanh", 5, {"sigma_w": 1.5, "sigma_b": 0.3}, 200_000),
    ("relu", 2, {"sigma_w": math.sqrt(2)}, 200_000),
    ("gelu", 11, {"sigma_w": 1.7, "sigma_b": 0.4}, 200_000),
    ("square", 20, {"sigma_w": 0.8, "sigma_b": 0.1}, 100_000),
    ("hardtanh", 100, {"sigma_w": 1.0}, 40_000),
    ("silu", 5, {"sigma_w": 1.5, "sigma_b": 0.3, "keep_probability": 0.5}, 200_000),
    ("log_abs", 20, {"sigma_w": 1.5, "sigma_b": 0.3, "input_length": 3.0}, 100_000),
]


@pytest.mark.parametrize(("name", "width", "scales", "trials"), SAMPLED, ids=lambda v: str(v)[:12])
def test_sampled_lengths(name, width, scales, trials):
    """DKW: a right law fails once in 1e9; the law of a neighbouring network does fail."""
    net, depth = Network(name, **scales), 6
    law = length_law(net, width=width, depth=depth)
    q = sample_lengths(net, width=width, depth=depth, trials=trials, rng=1)
    radius = math.sqrt(math.log(2 / (ERROR_RATE / depth)) / (2 * trials))
    for layer in range(1, depth + 1):
        assert distance(law, q[:, layer - 1], layer) <= radius + law.error[layer - 1]
    wider = length_law(net, width=width + max(1, width // 8), depth=depth)
    louder = length_law(
        Network(name, **(scales | {"sigma_w": scales["sigma_w"] * 1.03})), width=width, depth=depth
    )
    for wrong in (wider, louder):
        found = [distance(wrong, q[:, k - 1], k) - wrong.error[k - 1] for k in range(1, depth + 1)]
        assert max(found) > radius


def test_sampled_conditional_variances():
    """v of layer 2 from hidden vectors, where nothing smooths it."""
    net, width, trials = Network("tanh", sigma_w=1.5, sigma_b=0.3), 20, 100_000
    law = length_law(net, width=width, depth=3)
    rng, v = np.random.default_rng(5), np.full((trials, 1), net.first_variance)
    for layer in (2, 3):
        h = np.sqrt(v) * rng.standard_normal((trials, width))
        v = 1.5**2 * np.mean(np.tanh(h) ** 2, axis=1, keepdims=True) + 0.3**2
        radius = math.sqrt(math.log(2 / (ERROR_RATE / 2)) / (2 * trials))
        assert law.conditional_error(layer=layer) < 1e-3
        found = distance(law, v[:, 0], layer, of="v")
        assert found <= radius + law.conditional_error(layer=layer)
        wrong = length_law(net, width=23, depth=3)
        assert distance(wrong, v[:, 0], layer, of="v") > radius + 1e-3


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "reason"),
    [
        (Network("reciprocal"), "infinite variance at every length; use depth <= 1"),
        (Network("tan"), "infinite variance at every length"),
        (Network(activation("power", exponent=-0.3)), "infinite variance at every length"),
        (Network(activation("power", exponent=-0.45)), "infinite variance at every length"),
        (Network("exp_square"), r"infinite variance at lengths from 1\.25 on"),
        (Network(Activation(lambda x: np.sin(1e5 * x))), "oscillates or jumps too often"),
        (Network("relu", sigma_w=1e160), "first_variance must be between"),
        (Network("relu", sigma_w=1e-170), "first_variance must be between"),
    ],
    ids=lambda v: v.activation.name if isinstance(v, Network) else "",
)
def test_what_is_out_of_reach(net, reason):
    with pytest.raises(UnresolvedError, match=reason) as refusal:
        length_law(net, width=10, depth=3)
    assert isinstance(refusal.value, ValueError)
    assert "sample_lengths" in str(refusal.value)
    if refusal.value.resolved:
        assert length_law(net, width=10, depth=refusal.value.resolved).depth == 1


def test_moments_that_are_carried_by_rare_lengths():
    law = law_of("square", 20, 10)
    with pytest.raises(UnresolvedError, match=r"the \w+ of layer \d is carried by lengths too"):
        _ = law.mean
    shallow = law_of("square", 20, 3)
    np.testing.assert_allclose(shallow.mean[:2], [1, 3], rtol=1e-9)
    # E S^2 at layer 2 is 9 + 96 / N, and E v_3 three times that
    assert shallow.mean[2] == pytest.approx(3 * (9 + 96 / 20), rel=1e-3)


LAW = length_law(Network("tanh"), width=10, depth=2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: length_law("tanh", width=10, depth=2), TypeError, "net must be a Network"),
        (lambda: length_law(None, width=10, depth=2), TypeError, "net must be a Network, got None"),
        (lambda: length_law(LAW.net, width=0, depth=2), ValueError, "width must be .* got 0"),
        (lambda: length_law(LAW.net, width=10**13, depth=2), ValueError, "width must be"),
        (lambda: length_law(LAW.net, width=2.0, depth=2), TypeError, r"got 2\.0; write 2"),
        (lambda: length_law(LAW.net, width="2", depth=2), TypeError, "width must be .* got '2'"),
        (lambda: length_law(LAW.net, width=None, depth=2), TypeError, "width must be .* got None"),
        (lambda: length_law(LAW.net, width=True, depth=2), TypeError, "width must be .* got True"),
        (lambda: length_law(LAW.net, width=2, depth=0), ValueError, "depth must be .* got 0"),
        (
            lambda: length_law(LAW.net, width=2, depth=10**18),
            ValueError,
            "depth must be .* <= 10000",
        ),
        (lambda: length_law(LAW.net, width=2, depth=-1), ValueError, "depth must be .* got -1"),
        (lambda: length_law(LAW.net, width=2, depth=1.5), TypeError, r"depth must be .* got 1\.5"),
        (lambda: LAW.cdf(1.0, layer=0), ValueError, "layer must be .* >= 1 and <= 2, got 0"),
        (lambda: LAW.cdf(1.0, layer=3), ValueError, "layer must be .* <= 2, got 3"),
        (lambda: LAW.cdf(1.0, layer="2"), TypeError, "layer must be .* got '2'"),
        (lambda: LAW.cdf(1.0, layer=1.0), TypeError, r"layer must be .* got 1\.0; write 1"),
        (lambda: LAW.cdf(math.nan, layer=1), ValueError, "q must be a number .* got nan"),
        (lambda: LAW.cdf(10**400, layer=1), TypeError, "q must be a number"),
        (lambda: LAW.cdf("a", layer=1), TypeError, "q must be a number .* got 'a'"),
        (lambda: LAW.cdf(None, layer=1), ValueError, "q must be a number"),
        (lambda: LAW.cdf([[1], [1, 2]], layer=1), TypeError, "q must be a number"),
        (lambda: LAW.pdf([1.0, math.nan], layer=1), ValueError, "q must be a number"),
        (lambda: LAW.pdf(1.0, layer=9), ValueError, "layer must be"),
        (lambda: LAW.pdf(1.0, layer=1, of="h"), ValueError, "of must be 'q', .* got 'h'"),
        (lambda: LAW.cdf(1.0, layer=1, of=None), ValueError, "of must be 'q', .* got None"),
        (lambda: LAW.quantile(-0.1, layer=1), ValueError, r"p must be .* from 0 to 1, got -0\.1"),
        (lambda: LAW.quantile([0.5, 1.5], layer=1), ValueError, r"p must be .* got 1\.5"),
        (lambda: LAW.quantile(math.nan, layer=1), ValueError, "p must be a number .* got nan"),
        (lambda: LAW.quantile("half", layer=1), TypeError, "p must be a number .* got 'half'"),
        (lambda: LAW.quantile(0.5, layer=0, of="v"), ValueError, "layer must be"),
        (lambda: LAW.conditional_error(layer=5), ValueError, "layer must be .* got 5"),
        (
            lambda: length_law(Network(Activation(np.sqrt, name="root")), width=2, depth=2),
            ValueError,
            "activation 'root' must return a number or inf, got nan",
        ),
    ],
)
def test_bad_calls(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_law_is_frozen():
    assert isinstance(LAW, LengthLaw)
    with pytest.raises(AttributeError):
        LAW.width = 3
    before = LAW.mean
    LAW.mean[:] = 0
    np.testing.assert_array_equal(LAW.mean, before)


@pytest.mark.parametrize("exponent", [-0.1, -0.2, -0.24, -0.249])
def test_moments_beside_a_pole(exponent):
    """One unit of |x|^a: v' = v^a |Z|^(2a), so that log v is a sum of independent terms.

    At a near -1/4, E phi^4 rests on units nearer to 0 than any node.
    """
    depth = 5

    def moment(layer, power):
        """E v_layer^power."""
        if layer == 1:
            return 1.0
        p = 2 * exponent * power
        of_normal = 2 ** (p / 2) * math.gamma((p + 1) / 2) / math.sqrt(math.pi)
        return of_normal * moment(layer - 1, exponent * power)

    law = length_law(Network(activation("power", exponent=exponent)), width=1, depth=depth)
    mean, square = (np.array([moment(k + 1, p) for k in range(depth)]) for p in (1, 2))
    np.testing.assert_allclose(law.mean, mean, rtol=5e-4)
    np.testing.assert_allclose(law.variance, 3 * square - mean**2, rtol=1e-3)
    np.testing.assert_allclose(law.variance[1], 3 * square[1] - mean[1] ** 2, rtol=1e-9)


def test_powers_of_a_transform():
    """As repeated products and by the logarithm, where it is 0 and where all of it is 1 as well."""
    less = np.array([[0.0, -1.0, -0.5 + 0.2j, 1e-9 - 2e-9j]])
    for n in (3, 99, 100, 1000):
        np.testing.assert_allclose(_power(less, n), (1 + less) ** n, rtol=1e-12, atol=0)
    least = 1e-12 * np.array([[1.0 + 1j]])  # all digits at n = 10^12
    np.testing.assert_allclose(_power(least, 10**12), np.exp(1 + 1j), rtol=1e-11)


@pytest.mark.parametrize("width", [1, 2])
def test_zeros_off_0_are_resolved_at_small_widths(width):
    """cos: v_2 is next to 0 where h is next to pi / 2; all rests on log v_2 there."""
    net = Network("cos", sigma_w=1.2)
    law = length_law(net, width=width, depth=2)
    q = np.array([1e-8, 1e-6, 1e-4, 1e-2, 0.1, 1.0])
    z = norm.ppf((np.arange(1000) + 0.5) / 1000)
    x = 1.44 * np.cos(1.2 * z) ** 2
    if width == 2:
        x = (x[:, None] + x).ravel() / 2
    exact = [np.mean(chi2(width).cdf(width * point / x)) for point in q]
    np.testing.assert_allclose(law.cdf(q, layer=2), exact, atol=2e-4)


def test_jumps_that_are_not_declared_are_found():
    """floor(3 tanh x): a jump that lies between a panel's end and its last node."""
    kinks = tuple(float(np.arctanh(k / 3)) for k in (-2, -1, 0, 1, 2))
    scales = {"sigma_w": 2.872, "sigma_b": 1.0, "keep_probability": 0.6}
    laws = [
        length_law(
            Network(Activation(lambda x: np.floor(3 * np.tanh(x)), kinks=k), **scales),
            width=300,
            depth=3,
        )
        for k in ((), kinks)
    ]
    q = np.linspace(50, 110, 61)
    difference = np.abs(laws[0].cdf(q, layer=2) - laws[1].cdf(q, layer=2)).max()
    assert difference <= laws[0].error[1] < 1e-4


def test_steep_growth_is_refused_without_a_warning():
    net = Network("exp_power", sigma_w=0.3, sigma_b=1.0, keep_probability=0.6)
    with pytest.raises(UnresolvedError, match="known within"):
        length_law(net, width=6, depth=6)


def test_the_resolution_matters():
    """A column's weights add up to 1 only if the window's series is long enough."""
    net = Network("tanh", sigma_w=1.5, sigma_b=0.3)
    fine = Kernel(net, 5, FINE).columns(np.array([1.0, 2.0]))
    rough = Kernel(net, 5, FINE._replace(band=2.0)).columns(np.array([1.0, 2.0]))
    np.testing.assert_allclose(fine.weights.sum(axis=1), 1, atol=1e-5)
    assert np.abs(rough.weights.sum(axis=1) - 1).max() > 1e-4
