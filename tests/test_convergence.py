"""The experiment as plain data: what was drawn, its summaries, its bins."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lengthlab.activations import activation
from lengthlab.convergence import LEVEL, Bins, Experiment
from lengthlab.finite_width import band
from lengthlab.length_map import length_map
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network

pytestmark = pytest.mark.filterwarnings("error")

INF = math.inf
NET = Network("tanh", sigma_w=1.5, sigma_b=0.3)


def experiment(depth=3, width=64, net=NET):
    return Experiment(net, width=width, depth=depth)


# --- the experiment -------------------------------------------------------------------------------


def test_it_begins_with_the_prediction():
    empty = experiment()
    np.testing.assert_array_equal(empty.prediction.values, length_map(NET, depth=3).values)
    expected = band(NET, width=64, depth=3, level=LEVEL)
    np.testing.assert_array_equal(empty.band.lower, expected.lower)
    np.testing.assert_array_equal(empty.band.upper, expected.upper)
    assert empty.why_no_band == ""
    assert empty.drawn == 0
    assert empty.lengths.shape == (0, 3)


def test_nothing_drawn_is_not_a_number():
    layer = experiment().summary(2)
    assert (layer.layer, layer.drawn, layer.infinite) == (2, 0, 0)
    assert layer.predicted == pytest.approx(1.3222, rel=1e-3)
    sampled = (layer.median, layer.low, layer.high, layer.mean, layer.standard_error)
    assert all(math.isnan(value) for value in sampled)


@given(st.lists(st.integers(0, 700), max_size=5))
def test_it_keeps_every_network_in_order(cuts):
    drawn = experiment()
    q = np.random.default_rng(0).random((sum(cuts), 3))
    for part in np.split(q, np.cumsum(cuts)[:-1]) if cuts else []:
        drawn.add(part)
    np.testing.assert_array_equal(drawn.lengths, q)
    assert drawn.drawn == len(q)


def test_lengths_are_read_only_and_adding_copies():
    drawn, q = experiment(), np.ones((2, 3))
    drawn.add(q)
    q[0] = 7
    assert drawn.lengths[0].tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        drawn.lengths[0, 0] = 3
    drawn.add([[1, 2, 3]])  # and goes on after somebody has looked
    assert drawn.lengths[2].tolist() == [1, 2, 3]


def test_summary_of_known_numbers():
    drawn = experiment(depth=1)
    drawn.add(np.arange(1.0, 101)[:, None])
    layer = drawn.summary(1)
    assert (layer.low, layer.median, layer.high) == (5, 50, 95)
    assert layer.mean == 50.5
    assert layer.standard_error == pytest.approx(np.arange(1, 101).std(ddof=1) / 10)
    assert (layer.drawn, layer.infinite) == (100, 0)


def test_summary_of_one_network():
    drawn = experiment(depth=1)
    drawn.add([[3.0]])
    layer = drawn.summary(1)
    assert layer.low == layer.median == layer.high == layer.mean == 3
    assert layer.standard_error == INF


@pytest.mark.parametrize("infinite", [1, 3, 6, 10])
def test_infinite_lengths_do_not_turn_into_nan(infinite):
    drawn = experiment(depth=1)
    q = np.arange(1.0, 11)
    q[10 - infinite :] = INF
    drawn.add(q[:, None])
    layer = drawn.summary(1)
    assert layer.infinite == infinite
    assert layer.median == (5 if infinite <= 5 else INF)
    assert layer.high == layer.mean == layer.standard_error == INF
    assert layer.low == (1 if infinite < 10 else INF)


def test_huge_lengths_do_not_overflow_into_nan():
    drawn = experiment(depth=1)
    drawn.add([[1e308], [1.5e308]])
    layer = drawn.summary(1)
    assert layer.median == 1e308
    assert layer.mean == layer.standard_error == INF
    assert layer.infinite == 0


@pytest.mark.parametrize(
    ("net", "layers", "reason"),
    [
        (Network("exp_square"), 2, "phi^2 has infinite variance at layer 2"),
        (Network("reciprocal"), 1, "phi^2 has infinite variance at layer 1"),
        (Network("relu", sigma_w=1e200), 0, "the length map is beyond every float at layer 1"),
    ],
    ids=lambda v: v.activation.name if isinstance(v, Network) else "",
)
def test_the_band_ends_where_there_is_none(net, layers, reason):
    found = experiment(depth=5, net=net)
    assert found.band.lower.shape == found.band.upper.shape == (layers,)
    assert found.why_no_band.startswith(reason)


def test_an_infinite_prediction_is_summarised():
    found = experiment(depth=4, net=Network(activation("exp_square", c=0.2)))
    found.add(sample_lengths(found.net, width=64, depth=4, trials=50, rng=0))
    assert found.summary(3).predicted == INF
    assert found.summary(4).median > 0


def test_medians_come_near_the_prediction_as_the_width_grows():
    """Sampled: at N = 10^4 the median of 400 is within 7 deviations of the map, at N = 10 not."""
    distances = []
    for width in (10, 10_000):
        drawn = experiment(width=width)
        drawn.add(sample_lengths(NET, width=width, depth=3, trials=400, rng=3))
        layer = drawn.summary(3)
        distances.append(abs(layer.median - layer.predicted))
        deviation = 1.2533 * (layer.high - layer.low) / 3.29 / 20
    assert distances[1] < 7 * deviation
    assert distances[0] > 7 * deviation


# --- bins -----------------------------------------------------------------------------------------

lengths = st.lists(st.floats(0, 20) | st.sampled_from([0.0, 0.5, 4.0, 1e300, INF, 5e-324]))


@given(lengths, st.sampled_from([0.0, 0.5, 1.0]), st.floats(2, 10), st.integers(1, 40))
def test_equal_bins_count_like_numpy(q, low, high, number):
    q, bins = np.array(q), Bins(low, high, number)
    assert_counts_like_numpy(q, bins)


@given(lengths, st.floats(1e-6, 1), st.floats(2, 1e6), st.integers(1, 40))
def test_logarithmic_bins_count_like_numpy(q, low, high, number):
    assert_counts_like_numpy(np.array(q), Bins(low, high, number, log=True))


def assert_counts_like_numpy(q, bins):
    counts = bins.count(q)
    assert counts.shape == (bins.number,)
    inside = q[(q >= bins.low) & (q < bins.high)]
    assert counts.sum() == len(inside)
    # A length within rounding of an edge may fall on either side of it.
    edges = bins.edges
    clear = inside[(np.abs(inside[:, None] - edges) > 1e-12 * (1 + edges)).all(axis=1)]
    np.testing.assert_array_equal(bins.count(clear), np.histogram(clear, edges)[0])


@pytest.mark.parametrize("log", [False, True])
def test_edges(log):
    edges = Bins(0.5, 8.0, 4, log=log).edges
    assert edges[0] == 0.5
    assert edges[-1] == 8
    steps = np.diff(np.log(edges) if log else edges)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-12)
    other = np.diff(edges if log else np.log(edges))
    assert np.ptp(other) > 0.1


@pytest.mark.parametrize("log", [False, True])
def test_the_ends(log):
    bins = Bins(1.0, 16.0, 4, log=log)
    last = np.nextafter(16.0, 0)
    assert bins.count(np.array([1.0, last])).tolist() == [1, 0, 0, 1]
    outside = np.array([0.0, 16.0, 17.0, INF, np.nextafter(1.0, 0)])
    assert bins.count(outside).tolist() == [0, 0, 0, 0]
    assert bins.count(np.array([])).tolist() == [0, 0, 0, 0]


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Experiment("tanh", width=3, depth=2), TypeError, r"write Network\('tanh'\)"),
        (lambda: experiment(width=0), ValueError, "width must be an integer >= 1 and .*, got 0"),
        (lambda: experiment(width=10**12 + 1), ValueError, "<= 1000000000000, got 1000000000001"),
        (lambda: experiment(width=2.0), TypeError, r"width must be .*, got 2\.0; write 2"),
        (lambda: experiment(depth=0), ValueError, "depth must be an integer >= 1, got 0"),
        (lambda: experiment(depth="3"), TypeError, "depth must be .*, got '3'"),
        (lambda: experiment().summary(0), ValueError, "layer must be an integer >= 1.*, got 0"),
        (lambda: experiment().summary(4), ValueError, "layer .* >= 1 and <= 3, got 4"),
        (lambda: experiment().summary(1.5), TypeError, r"layer must be .*, got 1\.5"),
        (lambda: experiment().add(np.ones(3)), ValueError, r"shape \(trials, 3\), got \(3,\)"),
        (lambda: experiment().add(np.ones((2, 4))), ValueError, r"lengths must .* got \(2, 4\)"),
        (lambda: experiment().add(np.ones((1, 2, 3))), ValueError, r"got \(1, 2, 3\)"),
        (lambda: experiment().add(3.0), ValueError, r"lengths must have shape .*, got \(\)"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_refused_array_changes_nothing():
    drawn = experiment()
    drawn.add(np.ones((2, 3)))
    with pytest.raises(ValueError, match="lengths"):
        drawn.add(np.ones((2, 2)))
    assert drawn.drawn == 2
