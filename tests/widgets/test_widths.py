"""The explorer of widths, driven as a reader does, without a browser."""

import base64
import gc
import json
import math
import re
import warnings

import numpy as np
import pytest
from numpy.random import SeedSequence
from scipy.stats import binom, chi2, multivariate_normal

import lengthlab as ll
from lengthlab.convergence.first_order import deviations
from lengthlab.convergence.probability import clopper_pearson
from lengthlab.drawing.width_samples import WIDTHS, width_theory
from lengthlab.widgets.model import Model
from lengthlab.widgets.widths import NEAREST, WidthExplorer
from lengthlab.widgets.widths_source import most_networks

pytestmark = pytest.mark.filterwarnings("error")

TANH = {"sigma_w": 1.5, "sigma_b": 0.3}


@pytest.fixture
def explorer():
    # ReLU needs no units: all widths are quick.
    explorer = WidthExplorer("relu", sigma_w=2**0.5, depth=3, trials=300, seed=4)
    yield explorer
    explorer.close()


def type_into(view, name, text):
    view._hear(None, {"kind": "edit", "name": name, "text": text}, [])


def look(view, width=960):
    view._receive(None, {"kind": "view", "width": width, "ratio": 1}, [])


def show(view):
    """Bring the picture up to date, with what is slow."""
    return view.figure


def frame(view):
    view._receive(None, {"kind": "frame", "slot": 1}, [])


def independent(view, width, trials):
    """The networks of one width, by the public sampler."""
    rng = SeedSequence(view.seed, spawn_key=(width,))
    net = view.model.experiment.net
    return ll.sample_lengths(net, width=width, depth=view.depth, trials=trials, rng=rng)


# --- what is drawn --------------------------------------------------------------------------------


def test_run_draws_the_networks_of_each_width_in_a_stream_of_its_own(explorer):
    explorer.run(70)
    assert [sample.width for sample in explorer.by_width] == list(WIDTHS)
    for sample in explorer.by_width:
        np.testing.assert_array_equal(
            sample.lengths, independent(explorer, sample.width, sample.drawn)
        )
        assert sample.drawn == 70
    assert (explorer.drawn, explorer.running) == (70, False)


def test_frames_draw_the_same_networks_as_run():
    view = WidthExplorer("tanh", **TANH, depth=2, trials=12)
    look(view)
    frames = 0
    while view.running:
        frame(view)
        frames += 1
    assert frames >= 11
    live = [sample.lengths.copy() for sample in view.by_width]
    view.run(12)
    for sample, lengths in zip(view.by_width, live, strict=True):
        np.testing.assert_array_equal(sample.lengths, lengths)
        assert sample.drawn == 12
    view.close()


def test_all_widths_grow_together():
    view = WidthExplorer("tanh", **TANH, depth=2, trials=100)
    while view.by_width[-1].drawn < 5:
        view.model.advance(0.01)
    shares = [sample.drawn / 100 for sample in view.by_width]
    assert max(shares) <= 0.1
    assert min(shares) >= 0.03
    view.close()


def test_wide_networks_are_few_and_the_picture_says_so():
    view = WidthExplorer("tanh", **TANH, depth=10, trials=2000)
    few = [most_networks(view.model.experiment.net, width=n, depth=10) for n in WIDTHS]
    assert few[-1] == int(2e8 / 9e6)
    assert sum(min(n, 2000) * width for n, width in zip(few, WIDTHS, strict=True)) * 9 < 1.1e9
    assert f"{few[-1]} of width 1000000" in "\n".join(view._notes)
    assert most_networks(ll.Network("relu"), width=10**6, depth=10) == 200_000
    view.trials = 20
    assert not any("Wide networks" in note for note in view._notes)
    view.close()


def test_a_run_ends_where_no_width_may_have_more():
    view = WidthExplorer("tanh", depth=2, trials=3)
    view.run(2)
    for part in view._networks.parts:
        part.most = 2
    view.trials = 5
    while view.running:
        view.model.advance(0.05)
    assert [sample.drawn for sample in view.by_width] == [2] * len(WIDTHS)
    assert view.drawn == 5
    view.close()


# --- the picture ----------------------------------------------------------------------------------


def test_points_are_the_sampled_probabilities_with_their_intervals(explorer):
    explorer.run(150)
    explorer.eps = 0.4
    show(explorer)
    widths, shares = explorer._artists.points.get_data()
    np.testing.assert_array_equal(widths, WIDTHS)
    ends = explorer._artists.intervals.get_ydata().reshape(-1, 3)
    for width, share, (low, high, _) in zip(WIDTHS, shares, ends, strict=True):
        p = ll.convergence_probability(
            explorer.model.experiment.net,
            width=width,
            depth=3,
            eps=0.4,
            trials=150,
            rng=SeedSequence(4, spawn_key=(width,)),
        )
        assert (share, low, high) == (p.value, p.lower, p.upper)


def test_theory_is_the_rectangle_probability_of_a_gaussian(explorer):
    explorer.eps = 0.4
    show(explorer)
    widths, p = explorer._artists.theory.get_data()
    law = deviations(explorer.model.experiment.net, depth=3)
    for width in (30, 300, 1000, 5000):
        reach = np.full(3, 0.4 * math.sqrt(width))
        box = multivariate_normal(np.zeros(3), law.covariance(), seed=0)
        expected = box.cdf(reach, lower_limit=-reach)
        assert np.interp(np.log(width), np.log(widths), p) == pytest.approx(expected, abs=2e-3)
        assert explorer.theory.at(width) == pytest.approx(expected, abs=1e-4)
    assert p[-1] == 1


def test_n0_is_the_smallest_width_that_is_enough(explorer):
    show(explorer)
    least = explorer.theory.required
    assert explorer.theory.at(least) >= 0.95 > explorer.theory.at(least - 1)
    for marked in (explorer._artists.required, explorer._artists.narrowest):
        np.testing.assert_array_equal(marked.get_xdata(), [least, least])
    np.testing.assert_array_equal(explorer._artists.level.get_ydata(), [0.95, 0.95])
    explorer.delta = 0.5
    show(explorer)
    assert explorer.theory.required < least
    np.testing.assert_array_equal(explorer._artists.level.get_ydata(), [0.5, 0.5])


def test_the_axis_reaches_a_far_n0(explorer):
    explorer.eps = 0.001
    show(explorer)
    least = explorer.theory.required
    assert least > 1e8
    assert explorer._artists.chance.get_xlim()[1] > least
    assert len(explorer._artists.narrowest.get_xdata()) == 0
    explorer.eps = 1e-9
    show(explorer)
    assert explorer._artists.chance.get_xlim()[1] == 5e6
    assert "e+" in dict(explorer._pairs())["N_0"]
    explorer.eps = 1e-200
    explorer.complete()
    assert any("eps must be large enough" in note for note in explorer._notes)


def test_sampled_probabilities_agree_with_the_exact_law_of_layer_1():
    view = WidthExplorer("tanh", depth=1, eps=0.3, trials=2000)
    view.run(2000)

    def exact(width, eps):
        return chi2.cdf(width * (1 + eps), width) - chi2.cdf(width * (1 - eps), width)

    wrong = 0
    for sample in view.by_width:
        low, high = clopper_pearson(sample.near(0.3), 2000, 1 - 1e-9)
        assert low <= exact(sample.width, 0.3) <= high
        wrong += not low <= exact(sample.width, 0.36) <= high
    assert wrong >= 2
    view.close()


def test_first_order_theory_agrees_with_networks_of_n0():
    view = WidthExplorer("tanh", **TANH, depth=4, eps=0.5)
    least = view.theory.required
    q = ll.sample_lengths(view.model.experiment.net, width=least, depth=4, trials=20_000, rng=1)
    near = (np.abs(q - view.model.experiment.prediction.values) <= 0.5).all(axis=1).sum()
    assert binom.ppf(1e-9, 20_000, 0.94) < near < binom.ppf(1 - 1e-9, 20_000, 0.96)
    assert not binom.ppf(1e-9, 20_000, 0.90) < near < binom.ppf(1 - 1e-9, 20_000, 0.92)
    view.close()


def test_histograms_are_the_counts_of_the_layer(explorer):
    explorer.run(200)
    explorer.layer = 2
    show(explorer)
    path = explorer._artists.bars.get_path()
    outlines = path.to_polygons(closed_only=True)
    assert len(outlines) == len(WIDTHS)
    for width, outline in zip(WIDTHS, outlines, strict=True):
        counts = explorer._artists.counted[width]
        found, _ = np.histogram(independent(explorer, width, 200)[:, 1], counts.bins.edges)
        np.testing.assert_array_equal(counts.counts, found)
        heights = (np.log(outline[:, 0] / width) / math.log(4) - 0.06) / 0.78
        assert heights.min() == pytest.approx(0, abs=1e-9)
        assert heights.max() == pytest.approx(1)
        filled = counts.bins.edges[[np.flatnonzero(found)[0], np.flatnonzero(found)[-1] + 1]]
        np.testing.assert_allclose([outline[:, 1].min(), outline[:, 1].max()], filled)


def test_the_line_and_the_band_are_where_the_length_map_is(explorer):
    show(explorer)
    np.testing.assert_allclose(explorer._artists.limit.get_ydata(), 2.0)
    heights = explorer._artists.band.get_path().vertices[:, 1]
    assert (heights.min(), heights.max()) == (pytest.approx(1.8), pytest.approx(2.2))


def test_histograms_count_new_networks_only_once(explorer):
    explorer.run(20)
    show(explorer)
    explorer.trials = 400
    while explorer.running:
        explorer.model.advance(0.01)
        explorer._move()
    for width in WIDTHS:
        counts = explorer._artists.counted[width]
        q = independent(explorer, width, 400)[:, 2]
        found, _ = np.histogram(q, counts.bins.edges)
        np.testing.assert_array_equal(counts.counts, found)
        assert counts.above == (q >= counts.bins.high).sum()


def test_narrow_pages_stack_the_axes(explorer):
    look(explorer, 400)
    assert explorer.aspect > 1.2
    upper, lower = (axes.get_position() for axes in explorer.figure.axes)
    assert upper.y0 > lower.y1
    look(explorer, 900)
    left, right = (axes.get_position() for axes in explorer.figure.axes)
    assert left.x1 < right.x0


# --- what the reader does -------------------------------------------------------------------------


def test_eps_and_delta_keep_the_networks(explorer):
    explorer.run(50)
    for name, text in [("eps", "0.5"), ("delta", "1e-3"), ("layer", "2"), ("at_width", "64")]:
        type_into(explorer, name, text)
        assert explorer.message == ""
        assert str(explorer._values[name]) in (text, str(float(text)))
    assert (explorer.eps, explorer.delta, explorer.layer) == (0.5, 0.001, 2)
    assert explorer.drawn == 50
    pairs = dict(explorer._pairs())
    assert pairs["networks of it"] == "50"
    assert "P at width 64" in pairs


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("eps", "0", "eps must be a finite number > 0, got 0"),
        ("eps", "nan", "eps must be a finite number > 0, got nan"),
        ("eps", "small", "eps must be a finite number > 0, got 'small'"),
        ("delta", "1", "delta must be a finite number >= 1e-09 and < 1, got 1"),
        ("layer", "4", "layer must be an integer >= 1 and <= 3, got 4"),
        ("layer", "-1", "layer must be an integer >= 1 and <= 3, got -1"),
        ("at_width", "5", "at_width must be one of nearest to N_0, 4, 16"),
        ("sigma_w", "-1", "sigma_w must be a finite number > 0, got -1"),
    ],
)
def test_refused_values_keep_the_old_ones(explorer, name, text, rule):
    explorer.run(20)
    before = getattr(explorer, name)
    type_into(explorer, name, text)
    assert explorer.message.startswith(rule)
    assert getattr(explorer, name) == before
    assert explorer.drawn == 20
    type_into(explorer, "eps", "0.3")
    assert explorer.message == ""


def test_keys_and_clicks(explorer):
    look(explorer)
    assert explorer.layer == 3
    explorer._receive(None, {"kind": "key", "key": "ArrowLeft"}, [])
    assert explorer.layer == 2
    explorer._receive(None, {"kind": "key", "key": "Home"}, [])
    assert explorer.layer == 1
    explorer._receive(None, {"kind": "key", "key": "End"}, [])
    assert explorer.layer == 3
    explorer.complete()
    assert explorer.at_width == NEAREST
    nearest = explorer._data().chosen
    assert nearest == min(WIDTHS, key=lambda n: abs(math.log(n / explorer.theory.required)))
    explorer._receive(None, {"kind": "key", "key": "ArrowUp"}, [])
    assert explorer.at_width == str(WIDTHS[WIDTHS.index(nearest) + 1])
    explorer._picked(explorer._artists.lengths, 90.0, 1.0)
    assert explorer.at_width == "64"
    explorer._picked(explorer._artists.chance, 260.0, 0.5)
    assert explorer.at_width == "256"
    for _ in range(12):
        explorer._receive(None, {"kind": "key", "key": "ArrowDown"}, [])
    assert explorer.at_width == "4"
    explorer.at_width = 1000
    assert explorer._data().chosen == 1000


def test_the_theory_waits_until_the_hand_rests(explorer):
    look(explorer)
    explorer.complete()
    explorer.sigma_w = 1.1
    assert explorer._due()
    assert "N_0" not in dict(explorer._pairs())
    explorer._receive(None, {"kind": "finish"}, [])
    assert not explorer._due()
    assert "N_0" in dict(explorer._pairs())
    assert f"N_0 about {int(float(f'{explorer.theory.required:.4g}'))}" in explorer.alt


# --- words ----------------------------------------------------------------------------------------


def test_summary_has_at_most_four_digits(explorer):
    explorer.run(123)
    settings = "relu, sigma_w 1.414, sigma_b 0, depth 3, seed 4, eps 0.2, delta 0.05"
    assert explorer.summary.startswith(f"{settings}: layer 3")
    for word in re.findall(r"[\d.]+", explorer.summary.split(": ")[1]):
        digits = word.replace(".", "").lstrip("0") if "." in word else word.strip("0")
        assert len(digits) <= 4, word


def test_stored_picture(explorer):
    explorer.run(60)
    still = explorer.still()
    assert still["text/plain"] == explorer.summary
    assert json.dumps(still["text/plain"]).isascii()
    assert base64.b64decode(still["image/png"]).startswith(b"\x89PNG")
    assert "alt=" in still["text/html"]
    assert "Left and right arrow keys" in explorer.alt


def test_table(explorer):
    explorer.run(60)
    data, mime = explorer.saved("csv")
    assert mime == "text/csv"
    header, *rows = data.decode().splitlines()
    assert len(rows) == len(WIDTHS)
    row = dict(zip(header.split(","), rows[4].split(","), strict=True))
    q = independent(explorer, 1000, 60)
    near = int((np.abs(q - 2) <= 0.2).all(axis=1).sum())
    assert (row["width"], row["networks"], row["near"]) == ("1000", "60", str(near))
    assert float(row["q_50"]) == np.quantile(q[:, 2], 0.5, method="inverted_cdf")


# --- whatever a phi does --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phi", "parameters"),
    [
        ("reciprocal", {}),
        (ll.activation("exp_square", c=0.2), {}),
        (ll.activation("exp_power", c=0.5), {"sigma_w": 1.5}),
        ("dirichlet", {}),
        (ll.activation("power", exponent=-0.6), {}),
        ("heaviside", {}),
        ("tan", {}),
        ("exp", {"sigma_w": 4.0, "depth": 8}),
        (ll.formula("max(x, 0) * exp(-x^2)"), {"sigma_b": 0.2}),
        ("tanh", {"width": 1, "depth": 1}),
        ("relu", {"width": 10**9, "depth": 30}),
        ("sign", {"keep_probability": 0.5, "input_length": 2.0}),
    ],
)
def test_odd_activations(phi, parameters, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        view = WidthExplorer(phi, **{"depth": 4, "eps": 0.2, **parameters})
        look(view)
        view.run(3)
        still = view.still()
        words = [*(value for pair in view._pairs() for value in pair), *view._lines(), view.alt]
        assert "nan" not in " ".join([still["text/plain"], *words]).replace("permissible", "")
        assert view.message == ""
        view.sigma_w = 0.9
        frame(view)
        look(view, 400)
        view.close()
    assert capfd.readouterr() == ("", "")


def test_an_infinite_map_is_said():
    view = WidthExplorer("reciprocal", depth=3)
    view.run(3)
    show(view)
    assert view._artists.no_limit.get_text() == "length map: infinite"
    assert view._artists.no_theory.get_text() == "no first-order theory"
    assert "The length map is infinite from layer 2 on." in view._notes
    assert any("infinite variance" in note for note in view._notes)
    assert "N_0 none" in view.summary
    np.testing.assert_array_equal(view._artists.points.get_ydata(), 0)
    view.layer = 1
    show(view)
    assert view._artists.no_limit.get_text() == ""
    view.close()


def test_a_phi_that_raises_later_is_a_sentence():
    left = [10**9]

    def moody(x):
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("no more")
        return np.tanh(x)

    view = WidthExplorer(ll.Activation(moody, name="moody"), depth=3, trials=200)
    look(view)
    left[0] = 300
    while view.running:
        frame(view)
    assert view.message == (
        "activation 'moody' raised RuntimeError: no more; mend it or choose another"
    )
    assert view.theory.reason == "phi raised RuntimeError: no more"
    view.still()
    view.activation = "relu"
    assert view.message == ""
    view.run(5)
    assert view.theory.required
    view.close()


# --- sharing and closing --------------------------------------------------------------------------


def test_shared_model_takes_no_parameters():
    with pytest.raises(TypeError, match="sigma_w"):
        WidthExplorer(Model(), sigma_w=2.0)


@pytest.mark.parametrize(
    ("error", "own"),
    [
        (ValueError, {"eps": 0}),
        (TypeError, {"eps": "wide"}),
        (ValueError, {"delta": 0}),
        (ValueError, {"layer": 11}),
        (ValueError, {"at_width": 7}),
    ],
)
def test_constructor_raises(error, own):
    with pytest.raises(error, match=next(iter(own))):
        WidthExplorer("tanh", **own)


def test_close_leaves_no_observers():
    def observers():
        return sum(len(h) for kinds in model._trait_notifiers.values() for h in kinds.values())

    model = Model("relu", depth=2)
    before = observers()
    for _ in range(3):
        view = WidthExplorer(model)
        view.run(5)
        look(view)
        view.close()
        view.close()
    gc.collect()
    assert observers() == before
    assert model._sources == []


def test_in_a_lecture_three_controls_and_two_buttons():
    view = WidthExplorer("relu", presentation=True)
    assert len(view._fields) == 3
    assert view.presentation
    view.close()


def test_theory_of_a_network_without_spread():
    theory = width_theory(ll.Network("tan"), depth=3, eps=0.1, delta=0.05)
    assert theory.law is None
    assert theory.at(100) is None


def test_the_grey_column_has_a_name(explorer):
    (legend,) = explorer._artists.figure.legends
    names = {
        text.get_text(): handle
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
    }
    grey = explorer._artists.chosen.get_facecolor()
    assert names["numbers below"].get_facecolor() == grey


def test_a_map_beyond_every_float_is_not_called_infinite():
    view = WidthExplorer("exp_power", depth=10, trials=3)
    view.run(3)
    assert view.figure
    assert view._artists.no_limit.get_text() == "length map: beyond every float"
    assert len(view._artists.lengths.get_yticks()) == 0
    view.activation = "reciprocal"
    view.run(3)
    assert view.figure
    assert view._artists.no_limit.get_text() == "length map: infinite"
    assert len(view._artists.lengths.get_yticks()) > 2
    view.close()
