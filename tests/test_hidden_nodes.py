"""Hidden nodes against enumeration, closed forms, moments, and the sampler of lengths."""

import itertools
import math
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, cauchy, kstest, norm

from lengthlab.activations import Activation, activation
from lengthlab.hidden_nodes import sample_hidden_nodes
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network

pytestmark = pytest.mark.filterwarnings("error")

ERROR_RATE = 1e-9  # of each sampled test that is right


def radius(trials):
    """DKW: an empirical distribution function is nearer to the true one than this."""
    return math.sqrt(math.log(2 / ERROR_RATE) / (2 * trials))


def distance(a, b):
    """Largest difference of two empirical distribution functions."""
    both = np.sort(np.concatenate([a, b]))
    cdf_a, cdf_b = (np.searchsorted(np.sort(c), both, side="right") / len(c) for c in (a, b))
    return np.abs(cdf_a - cdf_b).max()


def mean_fits(values, expected):
    """Whether the mean of independent values is the one expected, at the error rate."""
    error = values.std() / math.sqrt(len(values))
    return abs(values.mean() - expected) < norm.isf(ERROR_RATE / 2) * error


# --- exact ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [1.0, 0.6])
def test_heaviside_at_width_4_by_enumeration(keep):
    """The signs of all 8 nodes of two layers, and the size of the second layer's."""
    net, trials = Network("heaviside", keep_probability=keep), 200_000
    h = sample_hidden_nodes(net, width=4, depth=2, trials=trials, rng=1)
    positive = (h[:, 0] > 0).sum(axis=1)

    def probability(signs, count, p):
        """Of one pattern of layer 1 with `count` of its positive units kept."""
        k = sum(signs)
        return 2.0**-4 * (binom(k, p).pmf(count) if count <= k else 0.0)

    # A cell: the pattern of layer 1, and whether units 0 and 1 of layer 2 are both beyond 1.
    beyond = (np.abs(h[:, 1, :2]) > 1).all(axis=1)
    pattern = (h[:, 0] > 0) @ np.array([8, 4, 2, 1])
    cell_counts = np.bincount(2 * pattern + beyond, minlength=32)

    def expected(p):
        cells = []
        for signs in itertools.product((0, 1), repeat=4):
            tails = [0.0] + [2 * norm.sf(1 / math.sqrt(c / (4 * keep**2))) for c in range(1, 5)]
            hit = sum(probability(signs, c, p) * tails[c] ** 2 for c in range(5))
            cells += [2.0**-4 - hit, hit]
        return np.array(cells)

    def fits(p):
        law = binom(trials, expected(p))
        least, most = (law.ppf(level) for level in (ERROR_RATE / 64, 1 - ERROR_RATE / 64))
        return bool(((least <= cell_counts) & (cell_counts <= most)).all())

    assert fits(keep)
    assert not fits(keep - 0.2)
    dead = (h[:, 1] == 0).all(axis=1)
    assert dead[positive == 0].all()
    assert mean_fits(dead.astype(float), (1 - keep / 2) ** 4)
    assert not mean_fits(dead.astype(float), (1 - keep / 2) ** 5)


def test_a_mask_belongs_to_its_unit():
    """Unit 1 of layer 1 and the length of layer 2, which the first kept units would not give."""
    net = Network("relu", keep_probability=0.5)
    h = sample_hidden_nodes(net, width=3, depth=2, trials=100_000, rng=2)
    size = (h[:, 1] ** 2).mean(axis=1)
    first, last = (np.maximum(h[:, 0, unit], 0) ** 2 * size for unit in (0, 2))

    def expected(kept):
        """E (u+)^2 v_2 for a unit kept so often: itself 3/2, each other kept one 1/4."""
        return 2 * 2 / 3 * (kept * 3 / 2 + (3 / 2 - kept) / 4)

    for product in (first, last):
        assert mean_fits(product, expected(1 / 2))
        assert not mean_fits(product, expected(7 / 8))
        assert not mean_fits(product, expected(1 / 8))


@pytest.mark.parametrize("width", [1, 5, 200])
def test_reciprocal_is_cauchy_at_every_width(width):
    """``v_2 = N L / v_1`` with L ~ Levy, so h_2 is sqrt(N / v_1) times a Cauchy at every width."""
    net, trials = Network("reciprocal", sigma_w=2.0), 40_000
    h = sample_hidden_nodes(net, width=width, depth=2, trials=trials, rng=3)
    assert kstest(h[:, 1, 0] / math.sqrt(width), cauchy.cdf).statistic < radius(trials)
    assert kstest(1.2 * h[:, 1, 0] / math.sqrt(width), cauchy.cdf).statistic > radius(trials)


@pytest.mark.parametrize("width", [2, 5, 20])
def test_relu_has_the_excess_and_the_covariance_of_a_shared_variance(width):
    """Var(v_2) = (5/4) v_1^2 / N at E v_2 = v_1 / 2 = 1/2, exactly."""
    trials, variance = 400_000, 5 / 4 / width
    h = sample_hidden_nodes(Network("relu"), width=width, depth=2, trials=trials, rng=4)[:, 1]
    assert mean_fits(h[:, 0], 0.0)
    assert mean_fits(h[:, 0] * h[:, 1], 0.0)
    assert mean_fits(h[:, 0] ** 2, 1 / 2)
    assert mean_fits(h[:, 0] ** 2 * h[:, 1] ** 2, 1 / 4 + variance)
    assert mean_fits(h[:, 0] ** 4, 3 * (1 / 4) * (1 + variance / (1 / 4)))
    if width <= 5:
        assert not mean_fits(h[:, 0] ** 2 * h[:, 1] ** 2, 1 / 4)  # as if independent
        assert not mean_fits(h[:, 0] ** 4, 3 / 4)  # as if Gaussian


@pytest.mark.parametrize("net", [Network("tanh", sigma_w=1.5, sigma_b=0.3), Network("heaviside")])
def test_layer_1_is_gaussian_and_independent(net):
    trials = 100_000
    h = sample_hidden_nodes(net, width=3, depth=1, trials=trials, rng=5)[:, 0]
    scale = math.sqrt(net.first_variance)
    for z in (h / scale).T:
        assert kstest(z, "norm").statistic < radius(trials)
        assert kstest(1.05 * z, "norm").statistic > radius(trials)
    assert mean_fits(h[:, 0] ** 2 * h[:, 1] ** 2, scale**4)


# --- two ways -------------------------------------------------------------------------------------

NETWORKS = [
    Network("tanh", sigma_w=1.5, sigma_b=0.3),
    Network("tanh", sigma_w=2.5, keep_probability=0.7, input_length=2.0),
    Network("relu", sigma_w=1.4, sigma_b=0.2, keep_probability=0.5),
    Network("sign", sigma_w=2.0, sigma_b=0.5, keep_probability=0.3),
    Network(activation("power", exponent=-0.2), sigma_b=0.5),
]


@pytest.mark.parametrize("net", NETWORKS, ids=lambda net: net.activation.name)
def test_their_lengths_are_those_of_sample_lengths(net):
    trials = 40_000
    shape = {"depth": 3, "trials": trials}
    h = sample_hidden_nodes(net, width=3, **shape, rng=6)
    q = (h * h).mean(axis=2)
    lengths, wider = (sample_lengths(net, width=w, **shape, rng=7) for w in (3, 5))
    for layer in range(3):
        assert distance(q[:, layer], lengths[:, layer]) < 2 * radius(trials)
        assert distance(q[:, layer], wider[:, layer]) > 2 * radius(trials)
    both = distance(q[:, 2] / (q[:, 1] + 1e-9), lengths[:, 2] / (lengths[:, 1] + 1e-9))
    assert both < 2 * radius(trials)


# --- the same numbers, however they are asked for -------------------------------------------------


@pytest.mark.parametrize("keep", [1.0, 0.7])
@pytest.mark.parametrize(("width", "depth"), [(3, 2), (200, 40), (70_000, 3), (5, 1)])
@settings(max_examples=6, deadline=None)
@given(trials=st.integers(1, 60), more=st.integers(1, 60), threads=st.sampled_from([1, 2, 5]))
def test_a_prefix_is_a_prefix(width, depth, keep, trials, more, threads):
    net = Network("tanh", sigma_w=1.5, keep_probability=keep)
    if width * depth > 10_000:
        trials, more = min(trials, 3), min(more, 2)
    shape = {"width": width, "depth": depth, "rng": 8}
    few = sample_hidden_nodes(net, **shape, trials=trials, threads=1)
    many = sample_hidden_nodes(net, **shape, trials=trials + more, threads=threads)
    np.testing.assert_array_equal(many[:trials], few)


def test_blocks_join_without_a_seam():
    """More blocks than are kept at once: nothing is repeated, nothing is left out."""
    shape = {"width": 70_000, "depth": 1, "rng": 9}
    h = sample_hidden_nodes(Network("tanh"), **shape, trials=70)
    assert len(np.unique(h[:, 0, 0])) == 70
    assert not (h == 0).any()


def test_a_seed_is_a_seed():
    shape = {"width": 4, "depth": 2, "trials": 3}
    h = sample_hidden_nodes(Network("tanh"), **shape, rng=10)
    again = sample_hidden_nodes(Network("tanh"), **shape, rng=np.random.SeedSequence(10))
    np.testing.assert_array_equal(h, again)
    assert not (h == sample_hidden_nodes(Network("tanh"), **shape, rng=11)).any()
    generator = np.random.default_rng(10)
    one, two = (sample_hidden_nodes(Network("tanh"), **shape, rng=generator) for _ in range(2))
    assert not (one == two).any()
    assert h.flags.c_contiguous
    assert h.dtype == np.float64


def test_the_callers_function_stays_in_its_thread():
    seen = set()

    def phi(x):
        seen.add(threading.get_ident())
        return np.tanh(x)

    shape = {"width": 1000, "depth": 3, "trials": 200}
    sample_hidden_nodes(Network(Activation(phi)), **shape, rng=12, threads=5)
    assert seen == {threading.get_ident()}


# --- what cannot be computed ----------------------------------------------------------------------


@pytest.mark.parametrize("keep", [1.0, 0.5])
@pytest.mark.parametrize(
    ("name", "sigma_w"), [("exp", 8.0), ("square", 1e3), ("relu", 1e200), ("tanh", 1e200)]
)
def test_overflow_is_infinite_and_never_nan(name, sigma_w, keep):
    net = Network(name, sigma_w=sigma_w, keep_probability=keep)
    h = sample_hidden_nodes(net, width=3, depth=12, trials=200, rng=13)
    assert not np.isnan(h).any()
    gone = np.isinf(h)
    assert gone[:, -1].any()
    assert (gone.all(axis=2) == gone.any(axis=2)).all()  # a layer leaves the floats together
    assert (gone[:, 1:] >= gone[:, :-1]).all()  # and does not come back


def test_nan_of_the_activation_is_refused():
    root = Activation(np.sqrt, name="root")
    with pytest.raises(ValueError, match=r"activation 'root' must return .* got nan at x = -"):
        sample_hidden_nodes(Network(root), width=3, depth=2, trials=5, rng=14)
    assert sample_hidden_nodes(Network(root), width=3, depth=1, trials=5, rng=14).shape == (5, 1, 3)


def test_large_answers_are_refused_before_anything_is_drawn():
    message = (
        "1000000 trials of 10 x 1000 units need 80000 MB, more than 256 MB; "
        "ask for fewer trials, or use sample_lengths, which keeps one number a layer"
    )
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        sample_hidden_nodes(Network("tanh"), width=1000, depth=10, trials=10**6)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"net": "tanh"}, TypeError, r"net must be a Network, got 'tanh'; write Network\('tanh'\)"),
        ({"net": None}, TypeError, "net must be a Network, got None"),
        ({"width": 0}, ValueError, "width must be an integer >= 1 and <= 1000000000000, got 0"),
        ({"width": 5.0}, TypeError, r"width must be an integer .*, got 5\.0; write 5"),
        ({"width": 10**13}, ValueError, "width must be .*, got 10000000000000"),
        ({"depth": 10**400}, ValueError, "depth must be an integer >= 1 and <= "),
        ({"trials": 10**400}, ValueError, "trials must be an integer >= 1 and <= "),
        ({"depth": 0}, ValueError, "depth must be an integer >= 1 .*, got 0"),
        ({"depth": "2"}, TypeError, "depth must be an integer >= 1 .*, got '2'"),
        ({"trials": -1}, ValueError, "trials must be an integer >= 1 .*, got -1"),
        ({"trials": True}, TypeError, "trials must be an integer >= 1 .*, got True"),
        ({"threads": 0}, ValueError, "threads must be an integer >= 1, got 0"),
        ({"rng": -1}, ValueError, "rng must be an integer >= 0.*, got -1"),
        ({"rng": "7"}, TypeError, "rng must be an integer >= 0.*, got '7'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    call = {"net": Network("tanh"), "width": 3, "depth": 2, "trials": 1} | arguments
    with pytest.raises(error, match=message):
        sample_hidden_nodes(call.pop("net"), **call)
