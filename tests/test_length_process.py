"""The sampler against closed forms, against real weight matrices, and against itself."""

import math
import multiprocessing
import subprocess
import sys
import threading
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import polygamma, psi
from scipy.stats import binom, chi2, f, kstest, norm

from lengthlab import blocks, length_process
from lengthlab.activations import Activation, Homogeneous, activation
from lengthlab.dense_network import sample_lengths_dense
from lengthlab.finite_width import length_variance
from lengthlab.length_map import length_map
from lengthlab.length_process import LengthProcess, sample_lengths
from lengthlab.network import Network

ERROR_RATE = 1e-9  # of each sampled test that is right


def radius(trials):
    """DKW: an empirical distribution function is nearer to the true one than this."""
    return math.sqrt(math.log(2 / ERROR_RATE) / (2 * trials))


def distance(a, b):
    """Largest difference of two empirical distribution functions."""
    a, b, both = np.sort(a), np.sort(b), np.sort(np.concatenate([a, b]))
    cdf_a, cdf_b = (np.searchsorted(c, both, side="right") / len(c) for c in (a, b))
    return np.abs(cdf_a - cdf_b).max()


def views(q):
    """What two samples of (trials, 3) are compared by: lengths, and how they hang together."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return [q[:, 0], q[:, 1], q[:, 2], np.nan_to_num(q[:, 2] / q[:, 1], nan=-1.0)]


def same_law(a, b):
    return all(
        distance(x, y) < radius(len(x)) + radius(len(y))
        for x, y in zip(views(a), views(b), strict=True)
    )


def plain(phi):
    """The same function, of which nothing is known."""
    return Activation(phi.function, name=phi.name)


# --- exact ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("name", ["tanh", "relu"])
@pytest.mark.parametrize("width", [1, 5, 8])
def test_layer_1_is_chi_square(name, depth, width):
    net = Network(name, sigma_w=1.5, sigma_b=0.3, input_length=2.0, keep_probability=0.5)
    trials, s = 100_000, net.first_variance
    q = sample_lengths(net, width=width, depth=depth, trials=trials, rng=1)[:, 0]
    assert kstest(q, chi2(width, scale=s / width).cdf).statistic < radius(trials)
    assert kstest(q, chi2(width + 1, scale=s / (width + 1)).cdf).statistic > radius(trials)


@pytest.mark.parametrize("homogeneous", [True, False])
@pytest.mark.parametrize("keep", [1.0, 0.6])
def test_heaviside_at_width_4_by_enumeration(keep, homogeneous):
    phi = activation("heaviside")
    net = Network(phi if homogeneous else plain(phi), keep_probability=keep)
    q = sample_lengths(net, width=4, depth=3, trials=400_000, rng=2)

    def cdf(x, p):
        """Of ``k chi2_4 / 16 p^2``, k of the 4 units being positive and kept."""
        scales = [k / (4 * keep * keep) / 4 for k in range(5)]
        laws = [np.ones_like(x), *(chi2(4, scale=scale).cdf(x) for scale in scales[1:])]
        return sum(binom(4, p).pmf(k) * law for k, law in enumerate(laws))

    x = np.linspace(0.0, 8.0, 2001)
    empirical = np.searchsorted(np.sort(q[:, 1]), x, side="right") / len(q)
    assert np.abs(empirical - cdf(x, keep / 2)).max() < radius(len(q))
    assert np.abs(empirical - cdf(x, keep / 2 + 0.01)).max() > radius(len(q))
    assert (q[q[:, 1] == 0, 2] == 0).all()  # no bias: what is 0 stays 0


@pytest.mark.parametrize("name", ["identity", "abs"])
def test_identity_is_a_product_of_chi_squares(name):
    trials, width, depth = 100_000, 10, 20
    log_q = np.log(
        sample_lengths(Network(name), width=width, depth=depth, trials=trials, rng=3)[:, -1]
    )

    def mean_fits(n):
        mean, sd = depth * (psi(n / 2) + math.log(2 / n)), math.sqrt(depth * polygamma(1, n / 2))
        return abs(log_q.mean() - mean) < norm.isf(ERROR_RATE / 2) * sd / math.sqrt(trials)

    assert mean_fits(width)
    assert not mean_fits(width + 1)


def test_sign_forgets_its_layers():
    q = sample_lengths(Network("sign"), width=7, depth=4, trials=100_000, rng=4)
    for column in q.T:
        assert kstest(column, chi2(7, scale=1 / 7).cdf).statistic < radius(len(q))
    assert distance(q[:, 3] - q[:, 2], q[:, 2] - q[:, 1]) < 2 * radius(len(q))


@pytest.mark.parametrize("width", [5, 500])
def test_reciprocal_is_a_ratio_of_chi_squares_at_every_width(width):
    """``v_2 = sigma_w^2 N L / v_1`` with L = 1 / chi2_1, so ``q_2 / N ~ F(N, 1)``."""
    trials = 40_000
    q = sample_lengths(
        Network("reciprocal", sigma_w=3.0), width=width, depth=2, trials=trials, rng=5
    )
    assert kstest(q[:, 1] / width, f(width, 1).cdf).statistic < radius(trials)
    assert kstest(q[:, 1] / width, f(width, 1, scale=1.2).cdf).statistic > radius(trials)


def test_infinite_activation_makes_the_next_layer_infinite():
    step = Activation(lambda x: np.where(x > 1.0, np.inf, 0.0), name="wall")
    net = Network(step, sigma_w=1.0, sigma_b=0.5)
    q = sample_lengths(net, width=3, depth=3, trials=100_000, rng=6)
    gone = np.isinf(q)
    assert not np.isnan(q).any()
    assert not gone[:, 0].any()
    assert (gone[:, 2] >= gone[:, 1]).all()
    finite = norm.cdf(1 / math.sqrt(net.first_variance)) ** 3
    assert abs(1 - gone[:, 1].mean() - finite) < radius(len(q))
    assert abs(1 - gone[:, 1].mean() - finite ** (4 / 3)) > radius(len(q))


# --- two ways -------------------------------------------------------------------------------------

NETWORKS = [
    Network("tanh", sigma_w=1.5),
    Network("tanh", sigma_w=2.5, sigma_b=0.3, keep_probability=0.7),
    Network("relu", sigma_w=1.4, sigma_b=0.2),
    Network("relu", sigma_w=1.0, keep_probability=0.5, input_length=0.5),
    Network("cos", sigma_w=1.2, keep_probability=0.8),
]


@pytest.mark.parametrize("net", NETWORKS, ids=lambda n: f"{n.activation.name}-{n.keep_probability}")
def test_chain_has_the_law_of_weight_matrices(net, monkeypatch):
    dense = sample_lengths_dense(net, width=3, depth=3, trials=5_000, rng=7)
    shape = {"width": 3, "depth": 3, "trials": 40_000}
    assert same_law(sample_lengths(net, **shape, rng=8), dense)
    assert not same_law(sample_lengths(net, **shape | {"width": 5}, rng=8), dense)
    if net.keep_probability < 1:
        every_unit = Network(net.activation, sigma_w=net.sigma_w, sigma_b=net.sigma_b)
        assert not same_law(sample_lengths(every_unit, **shape, rng=8), dense)


@pytest.mark.parametrize("phi", [activation("sign"), plain(activation("sign"))])
def test_dropped_units_count_in_the_length_and_not_in_the_next(phi):
    """At width 1, where a kept unit counts 1 / p^2 and a dropped one leaves the bias alone."""

    def cdf(x, p):
        kept = chi2(1, scale=4.0 / 0.3**2 + 0.25).cdf(x)
        return p * kept + (1 - p) * chi2(1, scale=0.25).cdf(x)

    net = Network(phi, sigma_w=2.0, sigma_b=0.5, keep_probability=0.3)
    q = sample_lengths(net, width=1, depth=2, trials=200_000, rng=9)
    assert kstest(q[:, 0], chi2(1, scale=4.25).cdf).statistic < radius(len(q))
    assert kstest(q[:, 1], lambda x: cdf(x, 0.3)).statistic < radius(len(q))
    assert kstest(q[:, 1], lambda x: cdf(x, 0.32)).statistic > radius(len(q))


@pytest.mark.parametrize("keep", [1.0, 0.6])
@pytest.mark.parametrize(
    "phi",
    [
        activation("relu"),
        activation("leaky_relu", slope=0.3),
        activation("abs"),
        activation("identity"),
        activation("heaviside"),
        activation("sign"),
        Activation(
            lambda x: np.where(x < 0, 0.5, 2.0), name="jump", homogeneous=Homogeneous(0, 2.0, 0.5)
        ),
    ],
    ids=lambda phi: phi.name,
)
def test_counting_has_the_law_of_the_vectors(phi, keep):
    parameters = {"sigma_w": 1.3, "sigma_b": 0.2, "keep_probability": keep}
    counted, vectors = Network(phi, **parameters), Network(plain(phi), **parameters)
    shape = {"width": 5, "depth": 3, "trials": 40_000}
    q = sample_lengths(counted, **shape, rng=10)
    assert same_law(q, sample_lengths(vectors, **shape, rng=11))
    assert not same_law(q, sample_lengths(vectors, **shape | {"width": 8}, rng=11))


@pytest.mark.parametrize("keep", [1.0, 0.6])
@pytest.mark.parametrize("chunk", [3, 18])
def test_chunks_do_not_change_the_law(keep, chunk, monkeypatch):
    """Trials in several chunks, and two trials a chunk, against thousands."""
    net = Network("tanh", sigma_w=2.0, sigma_b=0.2, keep_probability=keep)
    shape = {"width": 8, "depth": 3, "rng": 12}
    whole = sample_lengths(net, **shape, trials=30_000)
    other = sample_lengths(net, **shape | {"width": 16}, trials=30_000)
    monkeypatch.setattr(length_process, "_CHUNK", chunk)
    cut = sample_lengths(net, **shape | {"rng": 13}, trials=4_000)
    assert same_law(whole, cut)
    assert not same_law(other, cut)


# --- the same numbers, however they are asked for -------------------------------------------------

STREAMS = [
    ("tanh", 3, 4),
    ("tanh", 700, 3),
    ("tanh", 60_000, 2),
    ("gelu", 100, 3),
    ("relu", 100, 3),
    ("tanh", 10, 1),
]


@pytest.mark.parametrize("keep", [1.0, 0.7])
@pytest.mark.parametrize(("name", "width", "depth"), STREAMS)
@settings(max_examples=8, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 60), min_size=1, max_size=4), threads=st.sampled_from([1, 2, 5])
)
def test_cuts_and_threads_do_not_change_a_bit(name, width, depth, keep, cuts, threads):
    net = Network(name, sigma_w=1.5, keep_probability=keep)
    cuts = [min(cut, 1_000_000 // width) for cut in cuts]
    whole = sample_lengths(net, width=width, depth=depth, trials=sum(cuts), rng=14, threads=1)
    process = LengthProcess(net, width=width, depth=depth, rng=14, threads=threads)
    parts = [process.step(cut) for cut in cuts]
    assert [len(part) for part in parts] == cuts
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(("name", "width", "depth"), STREAMS)
def test_slices_of_time_do_not_change_a_bit(name, width, depth, threads):
    process = LengthProcess(Network(name), width=width, depth=depth, rng=15, threads=threads)
    parts = []
    while sum(map(len, parts)) < 20:
        parts += [process.advance(1e-4), process.advance(1e-9, trials=2), process.step(1)]
        assert len(parts[-2]) <= 2
    q = np.concatenate(parts)
    whole = sample_lengths(Network(name), width=width, depth=depth, trials=len(q), rng=15)
    np.testing.assert_array_equal(q, whole)


def test_a_slice_may_end_inside_a_trial():
    process = LengthProcess(Network("tanh"), width=10**6, depth=2, rng=16, threads=1)
    slices = [process.advance(1e-9) for _ in range(100)]  # one step of 25,000 normals each
    assert [len(q) for q in slices[:39]] == [0] * 39
    assert slices[0].shape == (0, 2)
    q = np.concatenate(slices)
    whole = sample_lengths(Network("tanh"), width=10**6, depth=2, trials=len(q), rng=16)
    np.testing.assert_array_equal(q, whole)
    assert len(q) == 2


def test_a_seed_is_a_seed():
    shape = {"width": 10, "depth": 2, "trials": 3}
    net = Network("tanh")
    q = sample_lengths(net, **shape, rng=17)
    np.testing.assert_array_equal(q, sample_lengths(net, **shape, rng=np.random.SeedSequence(17)))
    assert not (q == sample_lengths(net, **shape, rng=18)).any()
    generator = np.random.default_rng(17)
    assert not (sample_lengths(net, **shape, rng=generator) == q).any()
    assert not np.array_equal(*(sample_lengths(net, **shape, rng=generator) for _ in range(2)))
    assert not np.array_equal(*(sample_lengths(net, **shape) for _ in range(2)))
    dense = [sample_lengths_dense(net, **shape, rng=17) for _ in range(2)]
    np.testing.assert_allclose(dense[0], dense[1], rtol=1e-12)
    assert q.dtype == np.float64
    assert q.flags.c_contiguous
    assert q.flags.owndata


# --- threads --------------------------------------------------------------------------------------

SHAPE = {"width": 1000, "depth": 4, "trials": 200, "rng": 19}


def test_without_threads_the_numbers_are_the_same(monkeypatch):
    q = sample_lengths(Network("tanh"), **SHAPE, threads=2)

    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(blocks, "_pool", None)
    monkeypatch.setattr(threading.Thread, "start", start)
    np.testing.assert_array_equal(q, sample_lengths(Network("tanh"), **SHAPE, threads=2))
    assert blocks._pool is None  # nothing waits for a thread that never comes


def test_several_callers_at_once():
    with ThreadPoolExecutor(4) as callers:
        seeds = range(8)
        answers = callers.map(
            lambda seed: sample_lengths(Network("tanh"), **SHAPE | {"rng": seed}, threads=3), seeds
        )
        for seed, q in zip(seeds, answers, strict=True):
            alone = sample_lengths(Network("tanh"), **SHAPE | {"rng": seed}, threads=1)
            np.testing.assert_array_equal(q, alone)


def test_the_callers_function_stays_in_its_thread():
    seen = set()

    def phi(x):
        seen.add(threading.get_ident())
        return np.tanh(x)

    sample_lengths(Network(Activation(phi)), **SHAPE, threads=5)
    assert seen == {threading.get_ident()}


def _in_a_child(answers):
    answers.put(sample_lengths(Network("tanh"), **SHAPE, threads=3))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
def test_threads_survive_a_fork():
    q = sample_lengths(Network("tanh"), **SHAPE, threads=3)
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    child = fork.Process(target=_in_a_child, args=(answers,))
    child.start()
    np.testing.assert_array_equal(answers.get(timeout=60), q)
    child.join(60)
    assert child.exitcode == 0


def test_an_unfinished_trial_does_not_hold_the_interpreter():
    program = (
        "from lengthlab import LengthProcess, Network\n"
        "p = LengthProcess(Network('tanh'), width=10**9, depth=10, rng=0, threads=3)\n"
        "print(p.advance(0.01).shape)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)
    assert done.stdout.split() == [b"(0,", b"10)"]
    assert not done.stderr


# --- what cannot be computed ----------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    "net",
    [
        Network("exp", sigma_w=8.0),
        Network("exp", sigma_w=8.0, keep_probability=0.5),
        Network("square", sigma_w=3.0),
        Network("relu", sigma_w=1e31),
        Network("leaky_relu", sigma_w=1e31, keep_probability=0.5),
        Network("tanh", sigma_w=1e154),
        Network("relu", sigma_w=1e200),
        Network("exp", sigma_w=1e200),
    ],
    ids=lambda n: f"{n.activation.name}-{n.sigma_w:g}-{n.keep_probability}",
)
def test_overflow_is_an_answer(net, threads):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        q = sample_lengths(net, width=10, depth=12, trials=20_000, rng=20, threads=threads)
        sample_lengths_dense(net, width=10, depth=12, trials=5, rng=20)
    assert not np.isnan(q).any()
    gone = np.isinf(q)
    assert gone.any()
    assert (gone[:, 1:] >= gone[:, :-1]).all()


@pytest.mark.parametrize("name", ["relu", "sign", "heaviside", "tanh", "exp"])
def test_underflow_is_an_answer(name):
    q = sample_lengths(Network(name, sigma_w=1e-200), width=10, depth=3, trials=10, rng=21)
    assert (q == 0).all()


def test_a_homogeneous_function_at_0():
    """v = 0 makes every h = 0, and phi(0) belongs to neither side."""
    jump = Activation(
        lambda x: np.where(x == 0, 3.0, 1.0), name="jump", homogeneous=Homogeneous(0, 1.0, 1.0)
    )
    law = length_process._law(Network(jump), 10, 3)
    steps = law.layer(np.random.default_rng(0), np.zeros(4))
    next(steps)
    with pytest.raises(StopIteration) as done:
        steps.send(np.empty((2, 1)))
    assert (done.value.value[1] == 90).all()


def test_one_lost_trial_leaves_its_neighbours():
    """The trials of a group are computed side by side."""
    net = Network("square", sigma_w=1.2)
    q = sample_lengths(net, width=2, depth=40, trials=20_000, rng=22)
    gone = np.isinf(q[:, -1])
    assert gone.any()
    assert not gone.all()


@pytest.mark.parametrize("sampler", [sample_lengths, sample_lengths_dense])
def test_nan_is_refused(sampler):
    root = Network(Activation(np.sqrt, name="root"))
    with pytest.raises(ValueError, match=r"'root' must return .*, got nan at x = -\d.*np\.where"):
        sampler(root, width=10, depth=2, trials=3, rng=23)


def test_nan_at_0_of_a_homogeneous_function_is_refused():
    unit = Activation(lambda x: x / np.abs(x), name="unit", homogeneous=Homogeneous(0, 1.0, 1.0))
    with pytest.raises(ValueError, match=r"'unit' .* got nan at x = 0\.0"):
        sample_lengths(Network(unit, sigma_w=1e-200), width=10, depth=2, trials=3)


def test_nan_in_a_thread_is_refused_and_the_others_stop():
    def into(x, out):
        np.copyto(out, x)
        if threading.current_thread() is not threading.main_thread():
            out[-1] = np.nan

    net = Network(Activation(lambda x: x, name="bad", into=into))
    with pytest.raises(ValueError, match="'bad'"):
        sample_lengths(net, width=1000, depth=10, trials=10_000, rng=24, threads=3)


@pytest.mark.parametrize("bad_call", [1, 2, 6, 12])
def test_a_raising_function_leaves_the_stream_usable(bad_call):
    calls = 0

    def phi(x):
        nonlocal calls
        calls += 1
        if calls == bad_call:
            raise ZeroDivisionError("on purpose")
        return np.tanh(x)

    shape = {"width": 1000, "depth": 10, "rng": 25}
    process = LengthProcess(Network(Activation(phi)), **shape)
    parts = [process.advance(1e-9) for _ in range(bad_call - 1)]  # a step each, 9 a block
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        process.step(100)
    q = np.concatenate([*parts, process.step(100)])
    np.testing.assert_array_equal(q, sample_lengths(Network("tanh"), **shape, trials=len(q)))


def test_memory_does_not_grow_with_the_width():
    process = LengthProcess(Network("tanh", keep_probability=0.9), width=10**7, depth=3, rng=26)
    tracemalloc.start()
    for _ in range(10):
        process.advance(0.02)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6


def test_dense_refuses_large_matrices():
    message = (
        "width 10000 needs 800 MB of weights; "
        "use sample_lengths, which has the same law and needs none"
    )
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        sample_lengths_dense(Network("tanh"), width=10_000, depth=1, trials=1)
    assert str(refusal.value) == message


NET = Network("tanh")
GOOD = {"width": 3, "depth": 2, "trials": 1}


@pytest.mark.parametrize("sampler", [sample_lengths, sample_lengths_dense])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"width": 0}, ValueError, r"width must be an integer >= 1( and <= \d+)?, got 0"),
        ({"width": 3.0}, TypeError, r"width must be an integer >= 1.*, got 3\.0; write 3"),
        ({"depth": -1}, ValueError, "depth must be an integer >= 1, got -1"),
        ({"depth": "2"}, TypeError, "depth must be an integer >= 1, got '2'"),
        ({"trials": 0}, ValueError, "trials must be an integer >= 1, got 0"),
        ({"trials": True}, TypeError, "trials must be an integer >= 1, got True"),
        ({"rng": -1}, ValueError, "rng must be"),
        ({"rng": "7"}, TypeError, "rng must be"),
        (
            {"net": "tanh"},
            TypeError,
            r"net must be a Network, got 'tanh'; write Network\('tanh'\)",
        ),
    ],
)
def test_bad_arguments(sampler, arguments, error, message):
    with pytest.raises(error, match=message):
        sampler(**{"net": NET, **GOOD, **arguments})


def test_the_width_has_an_upper_limit():
    with pytest.raises(ValueError, match=r"width .* >= 1 and <= 1000000000000, got 1000000000001"):
        LengthProcess(NET, width=10**12 + 1, depth=2)


@pytest.mark.parametrize("keep", [1.0, 0.7])
@pytest.mark.parametrize("name", ["relu", "sign"])
def test_the_largest_width_costs_nothing_and_is_gaussian(name, keep):
    net, trials, width = Network(name, sigma_w=1.2, keep_probability=keep), 20_000, 10**12
    q = sample_lengths(net, width=width, depth=3, trials=trials, rng=27)
    spread = np.sqrt(length_variance(net, depth=3) / width)
    z = (q - length_map(net, depth=3).values) / spread
    for layer in range(3):
        assert kstest(z[:, layer], "norm").statistic < radius(trials)
        assert kstest(1.3 * z[:, layer], "norm").statistic > radius(trials)


@pytest.mark.parametrize(
    ("seconds", "error"),
    [
        (0, ValueError),
        (-1.0, ValueError),
        (math.inf, ValueError),
        (math.nan, ValueError),
        ("1", TypeError),
    ],
)
def test_bad_seconds(seconds, error):
    with pytest.raises(error, match=r"seconds must be a finite number > 0, got"):
        LengthProcess(NET, width=3, depth=2).advance(seconds)


def test_bad_threads():
    with pytest.raises(ValueError, match="threads must be an integer >= 1, got 0"):
        LengthProcess(NET, width=3, depth=2, threads=0)
