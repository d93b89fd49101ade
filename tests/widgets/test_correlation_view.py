"""Two inputs: the quick correlation map, the paired networks, the picture."""

import json
import math

import numpy as np
import pytest

import lengthlab as ll
from lengthlab.correlation.kernel import product_mean
from lengthlab.drawing.correlation import cosine
from lengthlab.drawing.correlation_series import correlation_steps, product_series
from lengthlab.widgets.correlation import CorrelationView, _chi_in_words
from lengthlab.widgets.correlation_source import PairedNetworks, most_pairs
from lengthlab.widgets.model import Model

pytestmark = pytest.mark.filterwarnings("error")
ALPHA = 1e-9


@pytest.fixture
def view():
    view = CorrelationView("tanh", sigma_w=1.5, sigma_b=0.3, width=40, depth=4, trials=200)
    yield view
    view.close()


def type_into(view, name, text):
    view._hear(None, {"kind": "edit", "name": name, "text": text}, [])


def receive(view, kind, **content):
    view._receive(None, {"kind": kind, **content}, [])


def gram(view):
    rho = cosine(view.angle)
    return view.input_length * np.array([[1.0, rho], [rho, 1.0]])


# --- the quick map --------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [0.3, 2.3])
@pytest.mark.parametrize(
    "name", ["relu", "tanh", "gelu", "hardtanh", "elu", "heaviside", "log_abs", "erf", "cos"]
)
def test_the_series_is_the_product_mean_within_its_bound(name, q):
    phi = ll.activation(name)
    series = product_series(phi, q)
    for c in (-1.0, -0.97, -0.4, 0.0, 0.3, 0.9, 0.99, 1.0):
        exact = product_mean(phi, q, q, c, rtol=1e-8)
        off = abs(float(series(np.array(c))) - exact.value)
        top = product_mean(phi, q, q, 1.0).value
        assert off <= float(series.error(np.array(c))) + exact.error + 1e-9 * top


def test_kinks_and_poles_where_the_panels_meet_and_where_not():
    for text in ("where(x > 0.5, x, 0)", "where(x > 0.37, 1, -0.2)", "max(x, 1) - min(x, -0.5)"):
        phi = ll.formula(text)
        series = product_series(phi, 1.0)
        for c in (-0.6, 0.2, 0.8):
            exact = product_mean(phi, 1.0, 1.0, c, rtol=1e-8).value
            bound = float(series.error(np.array(c)))
            assert abs(float(series(np.array(c))) - exact) <= bound + 1e-7
    phi = ll.activation("power", exponent=-0.2)
    exact = product_mean(phi, 0.7, 0.7, 0.5, rtol=1e-6).value
    assert float(product_series(phi, 0.7)(np.array(0.5))) == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("relu", {"sigma_w": 2**0.5}),
        ("tanh", {"sigma_w": 1.5, "sigma_b": 0.3}),
        ("hardtanh", {"sigma_w": 1.2, "input_length": 0.5, "sigma_b": 0.2}),
        ("gelu", {"sigma_w": 1.3, "keep_probability": 0.8}),
        ("erf", {"sigma_w": 1.4, "keep_probability": 0.9, "sigma_b": 0.1}),
    ],
)
@pytest.mark.parametrize("angle", [0, 35, 90, 150, 180])
def test_the_path_is_that_of_the_correlation_map(name, parameters, angle):
    net = ll.Network(name, **parameters)
    path = correlation_steps(net, ll.length_map(net, depth=4)).path(cosine(angle))
    exact = ll.correlation_map(net, depth=4, rho=cosine(angle)).values
    np.testing.assert_allclose(path, exact, atol=3e-5)


def test_where_there_is_no_map():
    net = ll.Network("reciprocal")
    steps = correlation_steps(net, ll.length_map(net, depth=5))
    assert (steps.layers, len(steps.steps)) == (1, 0)
    assert steps.reason == "no correlation from layer 2 on, where the length map is infinite"
    net = ll.Network("dirichlet")
    steps = correlation_steps(net, ll.length_map(net, depth=5))
    assert steps.reason == "no correlation from layer 2 on, where the length map is 0"
    net = ll.Network("sin_reciprocal")
    steps = correlation_steps(net, ll.length_map(net, depth=3))
    assert "slower" in steps.reason
    assert len(steps.path(0.5)) == 1


# --- paired networks ------------------------------------------------------------------------------


def test_networks_are_those_of_sample_gram_however_they_are_cut(view):
    view.run(200)
    whole = view.sampled.copy()
    net = view.model.experiment.net
    grams = ll.sample_gram(net, gram(view), width=40, depth=4, trials=200, rng=0)
    expected = grams[:, :, 0, 1] / np.sqrt(grams[:, :, 0, 0] * grams[:, :, 1, 1])
    np.testing.assert_allclose(whole, expected, rtol=1e-12)
    view.model.replay()
    while view.running:
        receive(view, "frame", slot=1)
    np.testing.assert_array_equal(view.sampled, whole)
    source = PairedNetworks(cosine(60.0))
    source.restart(view.model._run)
    while source.drawn < 200:
        source.advance(1e-6, min(source.drawn + 7, 200))
    np.testing.assert_array_equal(source.correlations, whole)


def test_another_angle_draws_other_networks(view):
    view.run(200)
    generation = view.generation
    view.angle = 120
    assert (len(view.sampled), view.drawn, view.running) == (0, 0, True)
    assert view.generation == generation
    view.run(200)
    grams = ll.sample_gram(
        view.model.experiment.net, gram(view), width=40, depth=4, trials=200, rng=0
    )
    expected = grams[:, :, 0, 1] / np.sqrt(grams[:, :, 0, 0] * grams[:, :, 1, 1])
    np.testing.assert_allclose(view.sampled, expected, rtol=1e-12)
    view.running = True
    view.running = False  # by hand: another angle leaves it so
    view.angle = 30
    assert not view.running


def test_wide_networks_come_near_the_prediction():
    view = CorrelationView("tanh", sigma_w=1.5, width=20_000, depth=3, angle=50)
    view.run(20)
    path = view.made.path
    spread = np.abs(view.sampled.mean(axis=0) - path)
    assert (spread < 0.01).all()
    other = ll.correlation_map(view.model.experiment.net, depth=3, rho=cosine(55)).values
    assert (np.abs(view.sampled.mean(axis=0) - other) > 0.01).all()
    view.close()


def test_too_wide_networks_are_not_drawn():
    view = CorrelationView("tanh", width=10**9, trials=20)
    view.run(20)
    assert len(view.sampled) == 0
    assert "none of them are drawn" in " ".join(view._notes)
    assert "sampled" not in view.summary
    view.close()
    assert most_pairs(ll.Network("tanh"), width=10**6, depth=10) == 20


def test_few_networks_do_not_hold_up_the_run(monkeypatch):
    monkeypatch.setattr("lengthlab.widgets.correlation_source._MOST_UNITS", 2 * 50 * 3 * 7)
    view = CorrelationView("tanh", width=50, depth=3, trials=20)
    view.run(20)
    assert (len(view.sampled), view.running, view.drawn) == (7, False, 20)
    view.close()


# --- the picture ----------------------------------------------------------------------------------


def test_map_path_and_fixed_point(view):
    view.run(100)
    assert view.figure
    artists, net = view._artists, view.model.experiment.net
    exact = ll.correlation_map(net, depth=5, rho=0.5)
    x, y = artists.points.get_data()
    np.testing.assert_allclose(x, exact.values[:3], atol=1e-6)
    np.testing.assert_allclose(y, exact.values[1:4], atol=1e-6)
    x, y = artists.curve.get_data()
    # The last curve leads from layer 4 to layer 5.
    assert np.interp(exact.values[3], x, y) == pytest.approx(exact.values[4], abs=1e-3)
    assert y[-1] == pytest.approx(1)
    assert artists.fixed.get_xdata()[0] == pytest.approx(exact.fixed_point)
    x, y = artists.path.get_data()
    np.testing.assert_allclose(y, np.degrees(np.arccos(exact.values[:4])), rtol=1e-5)
    assert (artists.input.get_xdata()[0], artists.input.get_ydata()[0]) == (0, pytest.approx(60))
    x, y = artists.web.get_data()
    np.testing.assert_allclose(x[::2], exact.values[:4], atol=1e-6)
    assert f"chi {exact.chi:.4g} (chaotic)" in view.summary


@pytest.mark.parametrize("scale", ["angle", "correlation"])
def test_bars_count_the_networks(view, scale):
    type_into(view, "scale", scale)
    view.run(200)
    assert view.figure
    shown = np.degrees(np.arccos(view.sampled)) if scale == "angle" else view.sampled
    counts = view._artists.counts
    low, high = view._artists.layers.get_ylim()
    expected = [np.histogram(shown[:, k], bins=160, range=(low, high))[0] for k in range(4)]
    assert np.abs(counts.counts - expected).sum() <= 4  # rounding at an edge
    assert counts.counts.sum() >= 0.99 * 800


def test_the_slow_part_waits_and_serves_other_angles(view):
    receive(view, "view", width=960, ratio=1)
    assert view._due()
    assert len(view._artists.points.get_xdata()) == 3  # at once
    assert len(view._artists.fixed.get_xdata()) == 0
    receive(view, "finish")
    assert not view._due()
    assert len(view._artists.fixed.get_xdata()) == 1
    view.angle = 20
    assert not view._due()
    view.angle = 180
    assert view._due()
    view.angle = 20
    view.sigma_w = 1.2
    assert view._due()


def test_linear_phi_keeps_every_correlation():
    view = CorrelationView("identity", depth=3, angle=60)
    assert "fixed point c = 0.5" in view.summary
    view.angle = 90
    assert view._due()
    assert "fixed point c = 0, chi 1 (edge of chaos)" in view.summary
    view.close()


@pytest.mark.parametrize(("sigma_w", "word"), [(0.8, "ordered"), (1.8, "chaotic")])
def test_ordered_and_chaotic(sigma_w, word):
    view = CorrelationView("erf", sigma_w=sigma_w, sigma_b=0.05)
    chi = ll.correlation_map(view.model.experiment.net, depth=1, rho=0.5).chi
    assert f"chi {chi:.4g} ({word})" in view.summary
    view.close()


def test_the_angle_is_dragged_typed_and_moved_by_keys(view):
    receive(view, "view", width=960, ratio=1)
    net, axes = view.model.experiment.net, view._artists.map
    width, height = view._scene.size

    def at(axes, x, y):
        pixel = axes.transData.transform((x, y))
        return {"x": pixel[0] / width, "y": 1 - pixel[1] / height}

    receive(view, "pick", **at(axes, 0.0, 0.0))
    first = (net.sigma_w**2 * cosine(view.angle) + net.sigma_b**2) / net.first_variance
    assert first == pytest.approx(0.0, abs=0.01)
    receive(view, "drag", x=-5.0, y=0.5)
    assert view.angle == 180
    receive(view, "pick", **at(view._artists.layers, 2.0, 45.0))
    assert view.angle == pytest.approx(45, abs=1)
    type_into(view, "angle", "70.5")
    assert view.angle == 70.5
    for key, angle in [
        ("ArrowRight", 71.5),
        ("ArrowUp", 81.5),
        ("ArrowDown", 71.5),
        ("ArrowLeft", 70.5),
        ("End", 180),
        ("ArrowRight", 180),
        ("Home", 0),
    ]:
        receive(view, "key", key=key)
        assert view.angle == angle
    assert view.message == ""
    for text in ("-1", "181", "nan", "right"):
        type_into(view, "angle", text)
        assert view.message.startswith("angle must be a finite number >= 0 and <= 180, got")
        assert view.angle == 0
    with pytest.raises(ValueError, match="scale must be one of angle, correlation"):
        view.scale = "radians"


ODD = [
    ("reciprocal", {"depth": 4}),
    ("exp_square", {"sigma_w": 1.0, "depth": 14}),
    ("exp_power", {"depth": 3}),
    ("dirichlet", {"depth": 4}),
    ("dirichlet", {"depth": 4, "sigma_b": 0.5}),
    ("heaviside", {"width": 3}),
    (ll.activation("power", exponent=-0.6), {"depth": 3}),
    (ll.formula("x*exp(-x^2)"), {"depth": 12}),
    ("relu", {"width": 1, "depth": 6}),
    ("tanh", {"depth": 1}),
    ("square", {"width": 5, "sigma_w": 4.0, "depth": 20}),
    ("relu", {"sigma_w": 0.05, "depth": 200, "width": 10}),
    (ll.Activation(lambda x: np.tanh(x), name="mine"), {"depth": 3, "keep_probability": 0.5}),
]


@pytest.mark.parametrize(("phi", "parameters"), ODD)
def test_odd_networks(phi, parameters, capfd):
    view = CorrelationView(phi, **parameters)
    receive(view, "view", width=400, ratio=2)
    view.run(30)
    for angle in (60, 0, 180):
        view.angle = angle
        view.run(30)
        still = view.still()
    assert still["text/plain"] == view.summary
    assert "nan" not in view.summary
    assert "nan" not in " ".join(view._notes)
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

    view = CorrelationView(ll.Activation(moody, name="moody"), depth=3, trials=10**5)
    left[0] = 30
    while view.running:
        receive(view, "frame", slot=1)
    assert view.message.startswith("activation 'moody' raised OSError: no more")
    receive(view, "view", width=900, ratio=1)
    receive(view, "finish")
    assert view.message.startswith("activation 'moody' raised OSError: no more")
    left[0] = 10**9
    before = view.sampled.copy()
    view.run(len(before) + 5)
    np.testing.assert_array_equal(view.sampled[: len(before)], before)
    type_into(view, "activation", "relu")
    assert view.message == ""
    view.close()
    assert capfd.readouterr() == ("", "")


def test_summary_digits_table_and_close():
    model = Model("gelu", width=7, depth=3, trials=50)
    before = sum(len(h) for kinds in model._trait_notifiers.values() for h in kinds.values())
    view = CorrelationView(model, presentation=True)
    view.angle = 33.333333
    view.run(50)
    words = [word.strip(",:()%°") for word in view.summary.split()]
    numbers = [word for word in words if word.lstrip("-").replace(".", "").isdigit()]
    assert max(sum(c.isdigit() for c in n.lstrip("-0.")) for n in numbers) <= 4
    rows = np.loadtxt(view.saved("csv")[0].decode().splitlines(), delimiter=",", skiprows=1)
    np.testing.assert_array_equal(rows, view.sampled)
    view.close()
    view.close()
    after = sum(len(h) for kinds in model._trait_notifiers.values() for h in kinds.values())
    assert after == before
    assert model._sources == []
    assert math.isfinite(rows.sum())
    with pytest.raises(ValueError, match="angle"):
        CorrelationView(model, angle=200)


@pytest.mark.parametrize(
    ("chi", "words"),
    [
        (1.0, "1 (edge of chaos)"),
        (1.00002, "1 + 2e-05 (chaotic)"),
        (0.99998, "1 - 2e-05 (ordered)"),
        (1.061, "1.061 (chaotic)"),
        (math.inf, "∞ (chaotic)"),
    ],
)
def test_chi_is_told_from_the_edge(chi, words):
    assert _chi_in_words(chi) == words


def test_small_angles_fill_the_axes():
    view = CorrelationView("exp_square", depth=10, angle=3, trials=300)
    view.run(300)
    assert view.figure
    low, high = view._artists.layers.get_ylim()
    assert (low, high) == (0.0, 5.0)  # a few networks have more
    beyond = (np.degrees(np.arccos(view.sampled)) > 5).any(axis=0)
    assert beyond.any()
    x, y = view._artists.beyond.get_data()
    np.testing.assert_array_equal(x.astype(int), np.flatnonzero(beyond) + 1)
    assert (y == 5.0).all()
    view.scale = "correlation"
    view.run(300)
    assert view.figure
    assert view._artists.layers.get_ylim() == (0.996, 1.0)
    assert view._artists.beyond.get_marker() == "v"
    view.close()


@pytest.mark.parametrize("scale", ["angle", "correlation"])
def test_equal_inputs_have_no_angle_and_plain_ticks(scale):
    view = CorrelationView("relu", sigma_w=2**0.5, depth=3, angle=0, scale=scale)
    view.run(50)
    assert "sampled 0° ± 0°" in view.summary  # not that of a rounding
    assert view.figure
    axis = view._artists.layers.yaxis
    assert axis.get_major_formatter().get_offset() == ""
    assert view._artists.layers.get_ylim() == ((0, 1) if scale == "angle" else (0.99, 1))
    view.close()
