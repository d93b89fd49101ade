"""The sampler of Gram matrices: enumeration, closed forms, real weight matrices, one input."""

import math
import threading

import numpy as np
import pytest
from scipy.stats import beta, chi2, kstest, norm

from lengthlab.activations import Activation
from lengthlab.correlation import sample_gram
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


def pair(rho, size=1.0):
    return [[size, rho * size], [rho * size, size]]


# --- exact ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.6, 1.0, -1.0])
def test_layer_1_is_wishart(rho):
    """Each diagonal is chi-square, and the sum and difference of the inputs are independent."""
    width, trials, net = 6, 40_000, Network("tanh", sigma_w=1.5, sigma_b=0.3)
    gram = sample_gram(net, pair(rho), width=width, depth=1, trials=trials, rng=1)[:, 0]
    v, c = 2.34, 2.25 * rho + 0.09
    total = gram.sum(axis=(1, 2))
    apart = gram[:, 0, 0] + gram[:, 1, 1] - 2 * gram[:, 0, 1]
    for found, variance in [(gram[:, 0, 0], v), (total, 2 * (v + c)), (apart, 2 * (v - c))]:
        if variance < 1e-12:
            np.testing.assert_allclose(found, 0, atol=1e-12)
            continue
        law = chi2(width, scale=variance / width)
        assert kstest(found, law.cdf).statistic < radius(trials)
        wrong = chi2(width, scale=1.1 * variance / width)
        assert kstest(found, wrong.cdf).statistic > radius(trials)


def test_independent_directions_have_a_beta_law():
    """Orthogonal inputs, no bias: (r + 1) / 2 is Beta((N - 1) / 2, (N - 1) / 2) in layer 1."""
    width, trials = 5, 40_000
    gram = sample_gram(Network("relu"), np.eye(2), width=width, depth=1, trials=trials, rng=2)[:, 0]
    r = gram[:, 0, 1] / np.sqrt(gram[:, 0, 0] * gram[:, 1, 1])
    assert kstest((r + 1) / 2, beta(2, 2).cdf).statistic < radius(trials)
    assert kstest((r + 1) / 2, beta(2.5, 2.5).cdf).statistic > radius(trials)


@pytest.mark.parametrize("keep", [1.0, 0.5])
def test_the_same_input_twice(keep):
    """Without masks it stays the same; with them the two agree as often as both are kept."""
    net = Network("sign", sigma_w=1.0, keep_probability=keep)
    trials, width = 20_000, 10
    gram = sample_gram(net, pair(1.0), width=width, depth=2, trials=trials, rng=3)
    np.testing.assert_allclose(gram[:, 0, 0, 1], gram[:, 0, 0, 0], rtol=1e-9)
    if keep == 1:
        np.testing.assert_allclose(gram[:, 1, 0, 1], gram[:, 1, 1, 1], rtol=1e-9)
        return
    product, square = gram[:, 1, 0, 1], gram[:, 1, 0, 0]
    reach = norm.isf(ERROR_RATE / 2) / math.sqrt(trials)
    assert abs(product.mean() - 1.0) < reach * product.std()  # 1, not 1 / p
    assert abs(square.mean() - 1 / keep) < reach * square.std()
    assert abs(product.mean() - 1 / keep) > reach * product.std()


# --- two ways -------------------------------------------------------------------------------------


def dense_gram(net, inputs, width, depth, trials, rng):
    """With weight matrices, biases and a mask for each input; inputs of the Gram matrix given."""
    values, vectors = np.linalg.eigh(np.asarray(inputs))
    roots = vectors * np.sqrt(np.maximum(values, 0))  # (k, k): rows with these inner products
    grams = np.empty((trials, depth, len(roots), len(roots)))
    for trial in range(trials):
        x = np.zeros((width, len(roots)))
        x[: len(roots)] = roots.T * math.sqrt(width)
        for layer in range(depth):
            w = rng.standard_normal((width, width)) * net.sigma_w / math.sqrt(width)
            h = w @ x + net.sigma_b * rng.standard_normal((width, 1))
            grams[trial, layer] = h.T @ h / width
            mask = rng.random(h.shape) < net.keep_probability
            x = net.activation(h) * mask / net.keep_probability
    return grams


@pytest.mark.parametrize(
    "net",
    [
        Network("tanh", sigma_w=1.5, sigma_b=0.5),
        Network("relu", sigma_w=1.4, sigma_b=0.2, keep_probability=0.6),
    ],
    ids=lambda net: net.activation.name,
)
def test_chain_has_the_law_of_weight_matrices(net):
    inputs = np.array([[1.0, 0.5, -0.2], [0.5, 2.0, 0.0], [-0.2, 0.0, 0.5]])
    shape = {"width": 3, "depth": 3}
    dense = dense_gram(net, inputs, **shape, trials=4_000, rng=np.random.default_rng(4))
    found = sample_gram(net, inputs, **shape, trials=30_000, rng=5)
    other = sample_gram(net, inputs, width=6, depth=3, trials=30_000, rng=5)
    reach = radius(4_000) + radius(30_000)
    for a, b in [(0, 0), (0, 1), (1, 2), (2, 2)]:
        assert distance(found[:, 2, a, b], dense[:, 2, a, b]) < reach
    assert distance(other[:, 2, 0, 0], dense[:, 2, 0, 0]) > reach
    ratio, its = (
        g[:, 2, 0, 1] / np.sqrt(g[:, 2, 0, 0] * g[:, 2, 1, 1] + 1e-9) for g in (found, dense)
    )
    assert distance(ratio, its) < reach


@pytest.mark.parametrize("keep", [1.0, 0.6])
@pytest.mark.parametrize("name", ["tanh", "relu", "sign"])
def test_one_input_has_the_law_of_sample_lengths(name, keep):
    net = Network(name, sigma_w=1.3, sigma_b=0.2, keep_probability=keep, input_length=2.0)
    shape = {"width": 4, "depth": 3, "trials": 40_000}
    found = sample_gram(net, [[2.0]], **shape, rng=6)[:, :, 0, 0]
    lengths = sample_lengths(net, **shape, rng=7)
    for layer in range(3):
        assert distance(found[:, layer], lengths[:, layer]) < 2 * radius(40_000)
    other = sample_gram(net, [[1.5]], **shape, rng=6)[:, 0, 0, 0]
    assert distance(other, lengths[:, 0]) > 2 * radius(40_000)


@pytest.mark.parametrize("chunk", [7, 40])
def test_chunks_do_not_change_the_law(chunk, monkeypatch):
    net, shape = Network("tanh", sigma_w=2.0, keep_probability=0.7), {"width": 8, "depth": 3}
    whole = sample_gram(net, pair(0.5), **shape, trials=20_000, rng=8)
    monkeypatch.setattr("lengthlab.correlation.gram._CHUNK", chunk)
    cut = sample_gram(net, pair(0.5), **shape, trials=3_000, rng=9)
    reach = radius(20_000) + radius(3_000)
    for a, b in [(0, 0), (0, 1)]:
        assert distance(whole[:, 2, a, b], cut[:, 2, a, b]) < reach
    assert distance(1.3 * whole[:, 2, 0, 0], cut[:, 2, 0, 0]) > reach


# --- properties -----------------------------------------------------------------------------------


def test_they_are_gram_matrices():
    inputs = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    gram = sample_gram(Network("gelu"), inputs, width=3, depth=4, trials=200, rng=10)
    np.testing.assert_allclose(gram, gram.transpose(0, 1, 3, 2), rtol=1e-12)
    assert (np.linalg.eigvalsh(gram) > -1e-12).all()  # of rank 3
    assert np.abs(np.linalg.eigvalsh(gram)[..., 0]).max() < 1e-9


@pytest.mark.parametrize(("width", "depth", "k"), [(3, 2, 2), (300, 4, 3), (50_000, 2, 2)])
def test_a_prefix_is_a_prefix(width, depth, k):
    net, inputs = Network("tanh", keep_probability=0.9), np.eye(k)
    shape = {"width": width, "depth": depth, "rng": 11}
    few = sample_gram(net, inputs, **shape, trials=3, threads=1)
    many = sample_gram(net, inputs, **shape, trials=7, threads=3)
    np.testing.assert_array_equal(many[:3], few)
    assert len(np.unique(many[:, 0, 0, 0])) == 7


def test_the_callers_function_stays_in_its_thread():
    seen = set()

    def phi(x):
        seen.add(threading.get_ident())
        return np.tanh(x)

    net = Network(Activation(phi))
    sample_gram(net, np.eye(2), width=1000, depth=3, trials=200, rng=12, threads=5)
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize(("name", "sigma_w"), [("exp", 8.0), ("relu", 1e200), ("square", 1e3)])
def test_overflow_is_infinite_and_never_nan(name, sigma_w):
    net = Network(name, sigma_w=sigma_w, keep_probability=0.7)
    gram = sample_gram(net, pair(0.0), width=3, depth=12, trials=100, rng=13)
    assert not np.isnan(gram).any()
    gone = np.isinf(gram)
    assert gone[:, -1].any()
    assert (gone.all(axis=(2, 3)) == gone.any(axis=(2, 3))).all()
    assert (gone[:, 1:] >= gone[:, :-1]).all()


def test_a_zero_input_has_length_0():
    net = Network("relu")
    gram = sample_gram(net, [[0.0, 0.0], [0.0, 1.0]], width=3, depth=2, trials=50, rng=14)
    assert (gram[:, :, 0, :] == 0).all()
    assert (gram[:, 0, 1, 1] > 0).all()


# --- arguments ------------------------------------------------------------------------------------


def test_nan_of_the_activation_is_refused():
    root = Network(Activation(np.sqrt, name="root"))
    with pytest.raises(ValueError, match=r"activation 'root' must return .* got nan at x = -"):
        sample_gram(root, np.eye(2), width=3, depth=2, trials=5, rng=15)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"net": "tanh"}, TypeError, r"net must be a Network, got 'tanh'; write Network\('tanh'\)"),
        ({"inputs_gram": 1.0}, ValueError, r"inputs_gram must be a square .*; write \[\[1\.0\]\]"),
        ({"inputs_gram": [1.0, 0.5]}, ValueError, r"inputs_gram must be .* got shape \(2,\)"),
        ({"inputs_gram": [[1, 0, 0], [0, 1, 0]]}, ValueError, r"square matrix .* shape \(2, 3\)"),
        ({"inputs_gram": []}, ValueError, "inputs_gram must be a square matrix"),
        ({"inputs_gram": "eye"}, TypeError, "inputs_gram must be a square .* got 'eye'"),
        ({"inputs_gram": [[1, 2j], [0, 1]]}, TypeError, "inputs_gram must be a square matrix of"),
        ({"inputs_gram": [[1.0, math.nan], [0, 1]]}, ValueError, "must be finite, got nan in it"),
        ({"inputs_gram": [[math.inf]]}, ValueError, "inputs_gram must be finite, got inf in it"),
        ({"inputs_gram": [[1, 0.5], [0.4, 1]]}, ValueError, r"symmetric, got 0\.5 and 0\.4; comp"),
        ({"inputs_gram": pair(1.5)}, ValueError, r"no negative eigenvalue, got -0\.5 among them"),
        ({"inputs_gram": [[-1.0]]}, ValueError, "no negative eigenvalue, got -1 among them"),
        ({"width": 0}, ValueError, "width must be an integer >= 1 .*, got 0"),
        ({"width": 2.0}, TypeError, r"width must be .*, got 2\.0; write 2"),
        ({"depth": 10**400}, ValueError, "depth must be an integer >= 1 and <= "),
        ({"trials": 10**400}, ValueError, "trials must be an integer >= 1 and <= "),
        ({"depth": 0}, ValueError, "depth must be an integer >= 1 .*, got 0"),
        ({"trials": 0}, ValueError, "trials must be an integer >= 1 .*, got 0"),
        (
            {"trials": 10**9},
            ValueError,
            "1000000000 trials of 2 matrices 2 x 2 need 64000 MB, more",
        ),
        ({"threads": 0}, ValueError, "threads must be an integer >= 1, got 0"),
        ({"rng": 1.5}, TypeError, r"rng must be .*, got 1\.5"),
    ],
)
def test_bad_arguments(arguments, error, message):
    call = {"net": Network("tanh"), "inputs_gram": pair(0.5), "width": 3, "depth": 2, "trials": 1}
    call |= arguments
    with pytest.raises(error, match=message):
        sample_gram(call.pop("net"), call.pop("inputs_gram"), **call)
