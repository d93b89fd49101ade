"""The failing case beside a converging one, driven as a reader does, without a browser."""

import base64
import gc
import json
import re
import warnings

import numpy as np
import pytest
from numpy.random import SeedSequence
from scipy.stats import f as fisher
from scipy.stats import kstest

import lengthlab as ll
from lengthlab.drawing.sums import PATHS, sizes
from lengthlab.rng import block_generator
from lengthlab.widgets.counterexample import CounterexampleView
from lengthlab.widgets.model import Model

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def view():
    view = CounterexampleView(width=1000, trials=200, seed=3)
    yield view
    view.close()


def type_into(view, name, text):
    view._hear(None, {"kind": "edit", "name": name, "text": text}, [])


def look(view, width=960):
    view._receive(None, {"kind": "view", "width": width, "ratio": 1}, [])


def show(view):
    """Bring the picture up to date, with what is slow."""
    return view.figure


def frame(view):
    view._receive(None, {"kind": "frame", "slot": 1}, [])


def normals(view, path, layers):
    """The normals of one network, layer by layer."""
    rng = block_generator(SeedSequence(view.seed, spawn_key=(0,)), path)
    return [rng.standard_normal(min(view.width, 10**7)) for _ in range(layers)]


def independent(view, side, width, trials):
    rng = SeedSequence(view.seed, spawn_key=(width,))
    depth = view.layer
    return ll.sample_lengths(side.net, width=width, depth=depth, trials=trials, rng=rng)[:, -1]


def radius(trials):
    """DKW: a correct sampler fails once in 1e9."""
    return np.sqrt(np.log(2 / 1e-9) / (2 * trials))


# --- sums -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 7, 1000, 60_001])
@pytest.mark.parametrize("layer", [2, 3])
def test_sums_are_those_of_the_same_normals_for_both(width, layer):
    view = CounterexampleView(
        "reciprocal", sigma_w=1.3, sigma_b=0.4, width=width, layer=layer, seed=5
    )
    view.run(2)
    for path in range(2):
        layers = normals(view, path, layer - 1)
        for side in view.sides:
            v = 1.3**2 + 0.4**2
            for z in layers:
                terms = side.net.activation(np.sqrt(v) * z) ** 2
                v = 1.3**2 * terms.mean() + 0.4**2
            n = side.sums.n
            means = np.cumsum(terms)[n - 1] / n
            shares = np.maximum.accumulate(terms)[n - 1] / np.cumsum(terms)[n - 1]
            np.testing.assert_allclose(side.sums.values[path], 1.3**2 * means + 0.4**2)
            np.testing.assert_allclose(side.sums.shares[path], shares)
            assert side.sums.values[path, -1] == pytest.approx(v)
        assert np.isnan(side.sums.values[2:]).all()
    view.close()


def test_dropped_units_add_nothing():
    view = CounterexampleView("relu", width=20_000, keep_probability=0.5, seed=5)
    view.run(PATHS)
    # Half of the units are kept, and twice as large: their mean square is 4 * 0.5 * 0.5.
    assert view.sides[0].limit == pytest.approx(1.0)
    np.testing.assert_allclose(view.sides[0].sums.values[:, -1].mean(), 1.0, rtol=0.05)
    view.close()


def test_both_rows_are_equal_for_the_same_activation():
    view = CounterexampleView("tanh", against="tanh", width=1000)
    view.run(20)
    first, second = view.sides
    np.testing.assert_array_equal(first.sums.values, second.sums.values)
    for left, right in zip(first.samples, second.samples, strict=True):
        np.testing.assert_array_equal(left.lengths, right.lengths)
    view.close()


# --- lengths --------------------------------------------------------------------------------------


def test_run_draws_the_networks_of_the_seed(view):
    view.run(30)
    for side in view.sides:
        assert [sample.width for sample in side.samples] == [10, 100, 1000]
        for sample in side.samples:
            np.testing.assert_array_equal(sample.lengths, independent(view, side, sample.width, 30))
    assert (view.drawn, view.running) == (30, False)


def test_frames_draw_the_same_as_run(view):
    look(view)
    frames = 0
    while view.running:
        frame(view)
        frames += 1
    assert frames >= 100
    live = [(s.sums.values.copy(), [a.lengths.copy() for a in s.samples]) for s in view.sides]
    view.run(200)
    for side, (values, lengths) in zip(view.sides, live, strict=True):
        np.testing.assert_array_equal(side.sums.values, values)
        for sample, q in zip(side.samples, lengths, strict=True):
            np.testing.assert_array_equal(sample.lengths, q)


def test_lengths_of_the_reciprocal_over_n_have_the_same_law_at_every_width():
    # q_2 / N is a mean of N squared normals over the square of one: F with N and 1 degrees.
    view = CounterexampleView("reciprocal", sigma_w=1.0, width=10_000)
    view.run(2000)
    for sample in view.sides[0].samples:
        scaled = sample.lengths / sample.width
        assert kstest(scaled, fisher(sample.width, 1).cdf).statistic < radius(2000)
        assert kstest(scaled, fisher(sample.width, 2).cdf).statistic > radius(2000)
        if sample.width >= 1000:
            assert kstest(sample.lengths, fisher(sample.width, 1).cdf).statistic > 0.9
    view.close()


def test_one_settles_and_the_other_never_does(view):
    view.run(200)
    suspect, other = view.sides
    assert np.median(suspect.sums.shares[:, -1]) > 0.1
    assert np.median(other.sums.shares[:, -1]) < 0.01
    low, median, high = other.samples[-1].quantiles()
    assert high - low < 0.2 * median
    low, median, high = suspect.samples[-1].quantiles()
    assert high > 10 * low
    assert [found.kind for found in view.outcomes] == ["fails", "converges"]


def test_one_activation_has_two_fates():
    fates = []
    for sigma_w in (0.8, 1.0):
        view = CounterexampleView("exp_square", sigma_w=sigma_w, layer=13, width=10)
        fates.append(view.outcomes[0])
        view.close()
    assert [fate.kind for fate in fates] == ["converges", "fails"]
    assert fates[1].layer == 13


def test_slow_convergence_by_jumps():
    view = CounterexampleView("power", width=100_000)
    view.run(100)
    assert view.sides[0].limit == pytest.approx(8.04, abs=0.01)
    assert np.median(view.sides[0].samples[3].lengths) < 0.8 * view.sides[0].limit
    assert view.outcomes[0].kind == "out of reach"
    view.close()


# --- the picture ----------------------------------------------------------------------------------


def test_curves_and_marks_show_the_data(view):
    view.run(100)
    show(view)
    for side, panels in zip(view.sides, view._artists.panels, strict=True):
        means, shares, lengths, over = panels
        points = len(side.sums.n) + 1
        for panel, values in ((means, side.sums.values), (shares, side.sums.shares)):
            x, y = panel.curves.get_data()
            np.testing.assert_array_equal(y.reshape(PATHS, points)[:, :-1], values)
            np.testing.assert_array_equal(x.reshape(PATHS, points)[:, :-1], [side.sums.n] * PATHS)
        for panel, scale in ((lengths, 1.0), (over, np.array([10, 100, 1000]))):
            q = np.array([independent(view, side, width, 100) for width in (10, 100, 1000)])
            low, median, high = np.quantile(q, [0.05, 0.5, 0.95], axis=1, method="inverted_cdf")
            np.testing.assert_array_equal(panel.medians.get_ydata(), median / scale)
            ends = panel.ranges.get_ydata().reshape(-1, 3)
            np.testing.assert_array_equal(ends[:, 0], np.maximum(low / scale, panel_bottom(panel)))
            top = panel.axes.get_ylim()[1]
            np.testing.assert_array_equal(ends[:, 1], np.minimum(high / scale, top))
            assert len(panel.beyond.get_xdata()) == (high / scale > top).sum()


def panel_bottom(panel):
    return panel.axes.get_ylim()[0]


def test_the_length_map_is_a_line_or_said_in_words(view):
    show(view)
    suspect, other = view._artists.panels
    for k in (0, 2):
        assert suspect[k].words.get_text() == "length map:\ninfinite"
        assert len(suspect[k].limit.get_xdata()) == 0
        assert other[k].words.get_text() == ""
        predicted = ll.length_map(ll.Network("tanh"), depth=2).values[1]
        np.testing.assert_allclose(other[k].limit.get_ydata(), predicted)


def test_narrow_pages_turn_rows_into_columns(view):
    look(view, 400)
    assert view.aspect > 1.8
    places = [[panel.axes.get_position() for panel in row] for row in view._artists.panels]
    assert places[0][0].y0 > places[0][1].y1
    assert places[0][0].x1 < places[1][0].x0
    assert view._artists.panels[0][0].axes.get_title() == "reciprocal"
    look(view, 900)
    places = [[panel.axes.get_position() for panel in row] for row in view._artists.panels]
    assert places[0][0].x1 < places[0][1].x0
    assert places[0][0].y0 > places[1][0].y1


# --- what the reader does -------------------------------------------------------------------------


def test_another_layer_or_activation_begins_anew(view):
    view.run(20)
    for name, text in [("against", "relu"), ("layer", "3"), ("layer", "2"), ("against", "tanh")]:
        type_into(view, name, text)
        assert view.message == ""
        assert str(view._values[name]) == text
        assert (view.drawn, view.running) == (0, True)
        assert view.sides[1].net.activation.name == view.against
        view.run(20)
        for side in view.sides:
            np.testing.assert_array_equal(side.samples[1].lengths, independent(view, side, 100, 20))
    view.trials = 20
    view.against = "tanh"
    assert view.drawn == 20


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("layer", "1", "layer must be an integer >= 2 and <= 50, got 1"),
        ("layer", "2.5", "layer must be an integer >= 2 and <= 50, got 2.5"),
        ("layer", "x", "layer must be an integer >= 2 and <= 50, got 'x'"),
        ("against", "tanhh", "against must be one of identity, relu"),
        ("sigma_w", "0", "sigma_w must be a finite number > 0, got 0"),
        ("formula", "x.y", ""),
    ],
)
def test_refused_values_keep_the_old_ones(view, name, text, rule):
    view.run(20)
    before = view._values[name]
    type_into(view, name, text)
    assert view.message.startswith(rule)
    assert view.message
    assert view._values[name] == before
    assert view.drawn == 20


def test_keys_choose_the_layer(view):
    look(view)
    for key, layer in [("ArrowRight", 3), ("ArrowRight", 4), ("ArrowLeft", 3), ("Home", 2)]:
        view._receive(None, {"kind": "key", "key": key}, [])
        assert view.layer == layer
    view._receive(None, {"kind": "key", "key": "ArrowLeft"}, [])
    assert view.layer == 2


def test_the_outcome_waits_until_the_hand_rests(view):
    look(view)
    view.complete()
    view.sigma_w = 1.1
    assert dict(view._pairs())["reciprocal"] == "…"
    view._receive(None, {"kind": "finish"}, [])
    assert dict(view._pairs())["reciprocal"] == "fails at layer 2"
    assert dict(view._pairs())["tanh"] == "converges"
    assert any(note.startswith("reciprocal: At layer 1") for note in view._notes)


def test_a_paused_view_stays_paused(view):
    view.model.running = False
    view.layer = 3
    assert not view.running
    frame(view)
    assert view.drawn == 0


# --- words ----------------------------------------------------------------------------------------


def test_summary_has_at_most_four_digits(view):
    view.run(50)
    assert view.summary.startswith("reciprocal, sigma_w 1, sigma_b 0, width 1000, seed 3: ")
    for word in re.findall(r"\d[\d.]*", view.summary):
        digits = word.replace(".", "").lstrip("0") if "." in word else word.strip("0")
        assert len(digits) <= 4, word
    assert "tanh converges" in view.summary


def test_stored_picture(view):
    view.run(40)
    still = view.still()
    assert still["text/plain"] == view.summary
    assert json.dumps(still["text/plain"]).isascii()
    assert base64.b64decode(still["image/png"]).startswith(b"\x89PNG")
    assert "alt=" in still["text/html"]
    assert "arrow keys" in view.alt


def test_table(view):
    view.run(40)
    header, *rows = view.saved("csv")[0].decode().splitlines()
    assert header == "activation,width,networks,q_2_5,q_2_50,q_2_95"
    name, width, networks, _, median, _ = rows[1].split(",")
    assert (name, width, networks) == ('"reciprocal"', "100", "40")
    q = independent(view, view.sides[0], 100, 40)
    assert float(median) == np.quantile(q, 0.5, method="inverted_cdf")


# --- whatever a phi does --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phi", "own", "parameters"),
    [
        (ll.activation("exp_square", c=0.2), {}, {}),
        (ll.activation("exp_power", c=0.5), {"layer": 4}, {"sigma_w": 1.5}),
        ("dirichlet", {"against": "reciprocal"}, {}),
        (ll.activation("power", exponent=-0.6), {"layer": 3}, {}),
        ("heaviside", {"against": "power"}, {}),
        ("exp", {"layer": 6, "against": "exp_square"}, {"sigma_w": 4.0}),
        ("reciprocal", {"layer": 50}, {"width": 3}),
        (ll.formula("max(x, 0) * exp(-x^2)"), {}, {"sigma_b": 0.2}),
        ("relu", {"layer": 9}, {"width": 1}),
        ("reciprocal", {}, {"width": 1, "depth": 1}),
        ("tanh", {}, {"keep_probability": 0.01, "input_length": 2.0, "width": 20}),
    ],
)
def test_odd_activations(phi, own, parameters, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        view = CounterexampleView(phi, **own, **{"width": 1000, **parameters})
        look(view)
        view.run(8)
        still = view.still()
        words = [*(value for pair in view._pairs() for value in pair), view.alt]
        assert "nan" not in " ".join([still["text/plain"], *words])
        assert view.message == ""
        view.sigma_w = 0.9
        frame(view)
        look(view, 400)
        view.close()
    assert capfd.readouterr() == ("", "")


def test_widths_beyond_reach_are_not_drawn():
    view = CounterexampleView(width=10**9, trials=1)
    assert [sample.width for sample in view.sides[0].samples][-1] == 10**7
    assert "Drawn up to N = 10000000: wider networks take minutes." in view._notes
    look(view)
    frame(view)
    view.close()
    assert sizes(2) == (2,)


def test_a_phi_that_raises_later_is_a_sentence():
    left = [10**9]

    def moody(x):
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("no more")
        return np.tanh(x)

    phi = ll.Activation(moody, name="moody")
    view = CounterexampleView(phi, width=1000, trials=10**5)
    look(view)
    left[0] = 20
    while view.running:
        frame(view)
    assert view.message == (
        "activation 'moody' raised RuntimeError: no more; mend it or choose another"
    )
    assert view.outcomes[0].kind == "undecided"
    view.still()
    left[0] = 10**9
    view.activation = "relu"
    assert view.message == ""
    view.run(5)
    assert view.outcomes[0].kind == "converges"
    view.close()


def test_a_walk_that_was_interrupted_begins_that_network_anew():
    left = [10**9]

    def moody(x):
        left[0] -= 1
        if left[0] < 0:
            raise OSError("no more")
        return 1.0 / np.cosh(x)

    phi = ll.Activation(moody, name="moody")
    view = CounterexampleView(phi, width=60_000)
    walk = view._pair.parts[0]
    left[0] = 4  # a network takes three steps
    for _ in range(4):
        walk.advance(1.0, 3)
    with pytest.raises(OSError, match="no more"):
        walk.advance(1.0, 3)
    assert walk.drawn == 1
    left[0] = 10**9
    while walk.drawn < 2:
        walk.advance(1.0, 3)
    found = view.sides[0].sums.values[1, -1]
    assert found == pytest.approx((np.cosh(normals(view, 1, 1)[0]) ** -2).mean())
    view.close()


# --- sharing and closing --------------------------------------------------------------------------


def test_shared_model_takes_no_parameters():
    with pytest.raises(TypeError, match="sigma_w"):
        CounterexampleView(Model(), sigma_w=2.0)
    view = CounterexampleView(Model("power", width=50))
    assert (view.width, view.activation.name) == (50, "power")
    view.close()


@pytest.mark.parametrize(
    ("error", "own"),
    [(ValueError, {"against": "tanhh"}), (ValueError, {"layer": 1}), (TypeError, {"layer": 2.0})],
)
def test_constructor_raises(error, own):
    with pytest.raises(error, match=next(iter(own))):
        CounterexampleView(**own)


def test_close_leaves_no_observers():
    def observers():
        return sum(len(h) for kinds in model._trait_notifiers.values() for h in kinds.values())

    model = Model("reciprocal", width=20)
    before = observers()
    for _ in range(3):
        view = CounterexampleView(model)
        view.layer = 3
        view.run(5)
        look(view)
        view.close()
        view.close()
    gc.collect()
    assert observers() == before
    assert model._sources == []


def test_in_a_lecture_three_controls_and_two_buttons():
    view = CounterexampleView(width=10, presentation=True)
    assert len(view._fields) == 3
    view.close()


def test_names_have_their_parameters_in_words_and_in_the_picture():
    view = CounterexampleView("power", against="exp_square", width=20)
    view.run(3)
    names = "power(exponent=-0.45)", "exp_square(c=0.1)"
    assert view.summary.startswith(names[0])
    for name in names:
        assert any(name in line for line in view._notes)
        assert f", {name} " in view.summary.replace(": ", ", ")
        assert name in view.saved("csv")[0].decode()
    assert view.figure
    rows = [row[0].axes.get_ylabel().replace("\n", "") for row in view._artists.panels]
    assert tuple(rows) == names
    view.close()


def test_where_every_length_is_beyond_the_floats():
    view = CounterexampleView("exp_power", layer=4, width=30)
    view.run(3)
    assert view.figure
    means, shares, lengths, over = view._artists.panels[0]
    assert "beyond every float" in means.words.get_text()  # it is finite
    assert "infinite" not in means.words.get_text()
    for panel in (means, lengths, over):
        assert len(panel.axes.get_yticks()) == 0
    assert len(lengths.beyond.get_xdata()) > 0
    legend = [text.get_text() for text in view._artists.figure.legends[0].get_texts()]
    assert "beyond the axis" in legend
    view.activation = "tanh"
    view.run(3)
    assert view.figure
    for panel in (means, shares, lengths, over):
        assert len(panel.axes.get_yticks()) > 2
    view.close()
