"""Depth against width: exact laws of the logarithm, sampled numbers, the picture."""

import json
import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import digamma, polygamma

import lengthlab as ll
from lengthlab.activations.core import Homogeneous
from lengthlab.convergence import Experiment
from lengthlab.drawing.depth_laws import depth_law, log_sum_moments
from lengthlab.drawing.depth_width import X_AXES, DepthTally
from lengthlab.widgets.depth_width import DepthWidth
from lengthlab.widgets.model import Model

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def view():
    view = DepthWidth("relu", width=20, depth=30, trials=300)
    yield view
    view.close()


def type_into(view, name, text):
    view._hear(None, {"kind": "edit", "name": name, "text": text}, [])


def receive(view, kind, **content):
    view._receive(None, {"kind": kind, **content}, [])


def binomial_moments(width):
    """Mean and variance of log chi2_k for k ~ Binomial(width, 1/2), k > 0."""
    k = np.arange(1, width + 1)
    weights = stats.binom(width, 0.5).pmf(k)
    weights /= weights.sum()
    means = digamma(k / 2) + math.log(2)
    mean = weights @ means
    return mean, weights @ (polygamma(1, k / 2) + means**2) - mean**2


# --- the law --------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 2, 5, 50, 1000])
def test_moments_of_log_sums_are_those_of_digamma(width):
    found = log_sum_moments(Homogeneous(1, 1.0, 0.0), width=width)
    np.testing.assert_allclose(found, binomial_moments(width), rtol=1e-10, atol=1e-12)
    exact = digamma(width / 2) + math.log(2), polygamma(1, width / 2)
    found = log_sum_moments(Homogeneous(1, 1.0, 1.0), width=width)
    np.testing.assert_allclose(found, exact, rtol=1e-10, atol=1e-12)


def test_moments_scale_and_widest():
    small, large = (log_sum_moments(Homogeneous(1, a, 0.3 * a), width=9) for a in (1.0, 1e3))
    assert large[0] - small[0] == pytest.approx(2 * math.log(1e3))
    assert large[1] == pytest.approx(small[1])
    mean, variance = log_sum_moments(Homogeneous(1, 1.0, 0.0), width=10**9)
    assert mean == pytest.approx(math.log(10**9 / 2), rel=1e-9)
    assert variance == pytest.approx(5e-9, rel=1e-5)


@pytest.mark.parametrize(("width", "depth", "variance"), [(100, 20, 1.007), (200, 50, 1.258)])
def test_spread_of_he_relu_as_computed_before(width, depth, variance):
    law = depth_law(Experiment(ll.Network("relu", sigma_w=2**0.5), width=width, depth=depth))
    assert law.deviation[-1] ** 2 == pytest.approx(variance, abs=5e-4)
    assert law.exact
    mean, _ = binomial_moments(width)
    by_hand = (depth - 1) * (mean + math.log(2 / width)) + digamma(width / 2) + math.log(4 / width)
    assert law.mean[-1] == pytest.approx(by_hand)
    np.testing.assert_allclose(law.limit, math.log(2))


def test_first_order_is_half_of_the_first_order_variance_below_the_limit():
    for name, parameters in [("relu", {}), ("leaky_relu", {}), ("abs", {"keep_probability": 0.7})]:
        net = ll.Network(name, sigma_w=1.3, **parameters)
        experiment = Experiment(net, width=10**6, depth=40)
        law = depth_law(experiment)
        np.testing.assert_allclose(law.limit, np.log(experiment.prediction.values), atol=1e-10)
        ends = np.log(experiment.band.upper[1:] / experiment.band.lower[1:])
        variance = (ends / (2 * stats.norm.ppf(0.95))) ** 2
        np.testing.assert_allclose((law.limit - law.first_order)[1:], variance / 2, rtol=1e-6)
        np.testing.assert_allclose(law.mean, law.first_order, atol=1e-9)
        np.testing.assert_allclose(law.deviation[1:] ** 2, variance, rtol=1e-4)
    # For ReLU, (5 (l - 1) + 2) / (2 N).
    law = depth_law(Experiment(ll.Network("relu"), width=100, depth=3))
    np.testing.assert_allclose(law.limit - law.first_order, [0.01, 0.035, 0.06])


@pytest.mark.parametrize(
    ("name", "parameters", "width"),
    [("relu", {}, 3), ("relu", {"keep_probability": 0.6}, 8), ("leaky_relu", {}, 2)],
)
def test_sampled_logarithms_have_these_moments(name, parameters, width):
    net, depth, trials = ll.Network(name, sigma_w=1.4, **parameters), 6, 200_000
    law = depth_law(Experiment(net, width=width, depth=depth))
    q = ll.sample_lengths(net, width=width, depth=depth, trials=trials, rng=1)[:, -1]
    logs = np.log(q[q > 0])
    error = logs.std() / math.sqrt(len(logs))
    assert abs(logs.mean() - law.mean[-1]) < 6 * error
    assert abs(logs.mean() - law.first_order[-1]) > 6 * error
    assert logs.var() == pytest.approx(law.deviation[-1] ** 2, rel=0.03)


def test_other_activations_have_the_band_of_first_order():
    experiment = Experiment(ll.Network("tanh", sigma_w=1.5, sigma_b=0.3), width=50, depth=5)
    law = depth_law(experiment)
    assert not law.exact
    np.testing.assert_allclose(np.exp(law.low), experiment.band.lower)
    np.testing.assert_allclose(np.exp(law.high), experiment.band.upper)
    assert np.isnan(law.mean).all()
    law = depth_law(Experiment(ll.Network("reciprocal"), width=50, depth=5))
    assert np.isfinite(law.limit).tolist() == [True, False, False, False, False]
    assert not depth_law(Experiment(ll.Network("relu", sigma_b=0.1), width=5, depth=2)).exact


# --- the sample -----------------------------------------------------------------------------------


def test_numbers_are_those_of_the_networks(view):
    view.run(300)
    sample, q = view.sample, view.model.experiment.lengths
    assert sample.layers.tolist() == list(range(1, 31))
    low, median, high = np.quantile(q, [0.05, 0.5, 0.95], axis=0, method="inverted_cdf")
    for found, expected in [(sample.low, low), (sample.median, median), (sample.high, high)]:
        np.testing.assert_array_equal(found, np.log(expected))
    np.testing.assert_allclose(sample.log_mean, np.log(q.mean(axis=0)))
    np.testing.assert_allclose(sample.mean_log, np.log(q).mean(axis=0))
    np.testing.assert_allclose(sample.deviation, np.log(q).std(axis=0))
    assert (sample.alive == 300).all()


def test_dead_networks_are_counted_and_left_out_of_the_logarithm():
    experiment = Experiment(ll.Network("relu", sigma_w=1.4), width=2, depth=9)
    experiment.add(ll.sample_lengths(experiment.net, width=2, depth=9, trials=500, rng=0))
    sample = DepthTally(experiment, depth_law(experiment)).sample()
    last = experiment.lengths[:, -1]
    assert sample.alive[-1] == (last > 0).sum() < 400
    assert sample.mean_log[-1] == pytest.approx(np.log(last[last > 0]).mean())
    assert sample.low[-1] == -math.inf


def test_patience_and_pieces():
    experiment = Experiment(ll.Network("relu"), width=9, depth=100)
    tally = DepthTally(experiment, depth_law(experiment))
    q = ll.sample_lengths(experiment.net, width=9, depth=100, trials=1040, rng=0)
    experiment.add(q[:1000])
    first = tally.sample(patience=0.05)
    assert len(first.layers) == 60
    assert (first.layers[0], first.layers[-1]) == (1, 100)
    experiment.add(q[1000:])
    assert tally.sample(patience=0.05) is first
    whole = DepthTally(experiment, depth_law(experiment)).sample()
    again = tally.sample()
    np.testing.assert_array_equal(again.median, whole.median)
    np.testing.assert_allclose(again.mean_log, whole.mean_log)


def test_run_and_frames_draw_the_same(view):
    view.run(300)
    first = view.summary
    lengths = view.model.experiment.lengths.copy()
    view.model.replay()
    while view.running:
        receive(view, "frame", slot=1)
    np.testing.assert_array_equal(view.model.experiment.lengths, lengths)
    assert view.summary == first


# --- the picture ----------------------------------------------------------------------------------


def test_curves_and_axes(view):
    view.run(300)
    assert view.figure
    artists, law, sample = view._artists, view.law, view.sample
    x, y = artists.mean.get_data()
    np.testing.assert_allclose(x, np.arange(1, 31) / 20)
    np.testing.assert_array_equal(y, law.mean)
    np.testing.assert_array_equal(artists.limit.get_ydata(), law.limit)
    np.testing.assert_allclose(artists.median.get_data(), [sample.layers / 20, sample.median])
    x, y = artists.edges.get_data()
    np.testing.assert_array_equal(y[:30], law.low)
    np.testing.assert_array_equal(y[31:], law.high)
    outline = artists.spread.get_path().vertices
    np.testing.assert_allclose(outline[:30, 1], sample.low)
    np.testing.assert_allclose(outline[30:60, 1][::-1], sample.high)
    fan = artists.fan.get_ydata().reshape(-1, 31)
    np.testing.assert_allclose(fan[:, :-1], np.log(view.model.experiment.lengths[:15]))
    assert artists.main.get_xlim() == pytest.approx((0, 30.5 / 20))
    type_into(view, "x_axis", "layers")
    assert view.figure
    assert artists.main.get_xlim() == (0, 30.5)
    assert artists.median.get_xdata()[-1] == 30
    assert artists.main.get_xlabel() == "layer"


def test_keys_choose_what_the_x_axis_counts_and_bad_values_are_refused(view):
    for key, value in [("ArrowUp", "layers"), ("ArrowDown", "depth / width")]:
        receive(view, "key", key=key)
        assert view.x_axis == value
    with pytest.raises(
        ValueError, match="x_axis must be one of depth / width, layers; got 'miles'"
    ):
        view.x_axis = "miles"
    type_into(view, "depth", "1001")
    assert view.message.startswith("depth must be")
    assert view.depth == 30
    type_into(view, "depth", "1000")
    assert (view.message, view.depth) == ("", 1000)
    field = next(f for f in view._fields if f["name"] == "depth")
    assert field["max"] == 1000


def test_the_mean_stays_and_the_median_falls():
    view = DepthWidth(width=50, depth=100)
    view.run(2000)
    sample = view.sample
    slope = np.polyfit(sample.layers, sample.median, 1)[0]
    assert slope == pytest.approx(-2.5 / 50, rel=0.15)
    assert np.abs(sample.log_mean[:20] - math.log(2)).max() < 0.3
    assert sample.deviation[-1] == pytest.approx(view.law.deviation[-1], rel=0.1)
    view.close()


@pytest.mark.parametrize(
    ("phi", "parameters"),
    [
        ("reciprocal", {"depth": 6}),
        ("exp_square", {"depth": 20, "sigma_w": 1.0}),
        ("exp_power", {"depth": 5}),
        ("dirichlet", {"depth": 4}),
        ("heaviside", {"depth": 12, "width": 3}),
        (ll.activation("power", exponent=-0.6), {"depth": 5}),
        (ll.formula("x*exp(-x^2)"), {"depth": 5}),
        ("identity", {"width": 1, "depth": 1000, "sigma_w": 4.0}),
        ("relu", {"width": 1}),
        ("relu", {"width": 10**9, "sigma_w": 1e-3}),
        ("tanh", {"width": 10**9, "depth": 1}),
        ("square", {"width": 3, "sigma_w": 4.0, "depth": 20}),
    ],
)
def test_odd_networks(phi, parameters, capfd):
    view = DepthWidth(phi, **parameters)
    receive(view, "view", width=400, ratio=2)
    assert view.figure
    view.run(40)
    for x_axis in X_AXES:
        view.x_axis = x_axis
        still = view.still()
    assert still["text/plain"] == view.summary
    assert "nan" not in view.summary
    assert "nan" not in view.saved("csv")[0].decode()
    assert view.message == ""
    assert 'alt="' in still["text/html"]
    assert len(still["image/png"]) > 1000
    json.dumps(still)
    view.close()
    assert capfd.readouterr() == ("", "")


def test_a_phi_that_raises_is_a_sentence(capfd):
    left = [10**9]

    def moody(x):
        left[0] -= 1
        if left[0] < 0:
            raise OSError("no more")
        return np.tanh(x)

    view = DepthWidth(ll.Activation(moody, name="moody"), depth=4, trials=10**5)
    left[0] = 100
    while view.running:
        receive(view, "frame", slot=1)
    assert view.message.startswith("activation 'moody' raised OSError: no more")
    type_into(view, "activation", "relu")
    assert view.message == ""
    view.close()
    assert capfd.readouterr() == ("", "")


def test_summary_digits_and_close():
    model = Model("leaky_relu", width=7, depth=30, trials=50)
    before = sum(len(h) for kinds in model._trait_notifiers.values() for h in kinds.values())
    view = DepthWidth(model, presentation=True)
    view.run(50)
    words = [word.strip(",:()%") for word in view.summary.split()]
    numbers = [word for word in words if word.lstrip("-").replace(".", "").isdigit()]
    assert max(sum(c.isdigit() for c in n.lstrip("-0.")) for n in numbers) <= 4
    view.close()
    view.close()
    after = sum(len(h) for kinds in model._trait_notifiers.values() for h in kinds.values())
    assert after == before


def test_a_control_that_moves_keeps_limits_that_will_do():
    # At 1.35 the map falls to -6 or so, at 1.37 to -3: one axis serves both.
    view = DepthWidth(sigma_w=1.35)
    view._receive(None, {"kind": "view", "width": 960, "ratio": 1}, [])
    ends = view._artists.main.get_ylim()
    for sigma_w in (1.36, 1.37):
        view.sigma_w = sigma_w
        view._receive(None, {"kind": "frame", "slot": 1}, [])
        assert view._artists.main.get_ylim() == ends
    view.sigma_w = 2.0  # and rises to 70
    view._receive(None, {"kind": "frame", "slot": 1}, [])
    assert view._artists.main.get_ylim()[1] > 60
    view.sigma_w = 1.4
    view._receive(None, {"kind": "frame", "slot": 1}, [])
    assert view._artists.main.get_ylim()[1] < 30
    view.close()


def test_at_rest_the_limits_do_not_depend_on_what_was_before():
    view, fresh = DepthWidth(sigma_w=1.35), DepthWidth(sigma_w=1.4)
    view.run(50)
    view.sigma_w = 1.4
    for each in (view, fresh):
        each.run(50)
        assert each.figure
    assert view._artists.main.get_ylim() == fresh._artists.main.get_ylim()
    view.close()
    fresh.close()


def test_two_axes_beside_each_other_have_their_numbers_once():
    view = DepthWidth(width=50, depth=20)
    for width, seen in ((960, False), (400, True)):
        view._receive(None, {"kind": "view", "width": width, "ratio": 1}, [])
        assert view._artists.main.yaxis.get_tick_params()["labelleft"]
        assert view._artists.single.yaxis.get_tick_params()["labelleft"] is seen
    view.close()
