"""What all views have: their own values, what is drawn for them, files, lectures, slow work."""

import json

import numpy as np
import pytest

import lengthlab as ll
from lengthlab.dense_network import DenseProcess, sample_lengths_dense
from lengthlab.widgets import Histograms, LengthLab, LengthMapView, Model
from lengthlab.widgets.sources import WIDEST_DENSE, DenseNetworks

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def lab():
    lab = LengthLab("tanh", sigma_w=1.5, sigma_b=0.3, width=32, depth=3, trials=200)
    yield lab
    lab.close()


@pytest.fixture
def sent(lab, monkeypatch):
    """What the widget sends to the browser: pairs of content and buffers."""
    messages = []
    monkeypatch.setattr(
        lab, "send", lambda content, buffers=None: messages.append((content, buffers))
    )
    return messages


def type_into(view, name, text):
    view._hear(None, {"kind": "edit", "name": name, "text": text}, [])


def look(view):
    view._receive(None, {"kind": "view", "width": 960, "ratio": 1}, [])


# --- a typed formula ------------------------------------------------------------------------------


def test_a_formula_is_typed_and_a_catalogue_name_too(lab):
    type_into(lab, "formula", " x * exp(-x^2) ")
    assert lab.message == ""
    assert lab.activation.name == "x * exp(-x^2)"
    np.testing.assert_allclose(lab.activation(0.7), 0.7 * np.exp(-0.49))
    assert lab._values["activation"] == lab._values["formula"] == "x * exp(-x^2)"
    phi, generation = lab.activation, lab.generation
    type_into(lab, "formula", "x  * exp(-x^2)")
    assert lab.activation is phi
    assert lab.generation == generation
    type_into(lab, "formula", "relu")
    assert lab.activation.name == "relu"
    type_into(lab, "activation", "x * exp(-x^2)")
    assert lab.activation is phi
    assert lab._options["activation"].count("x * exp(-x^2)") == 1


@pytest.mark.parametrize("text", ["x +", "__import__('os')", "2x", "", "x" * 600])
def test_a_bad_formula_is_a_sentence_and_the_old_phi_stays(lab, text):
    type_into(lab, "formula", text)
    assert lab.message.startswith("formula")
    assert lab.activation.name == "tanh"
    type_into(lab, "formula", "x^2")
    assert (lab.message, lab.activation.name) == ("", "x^2")


# --- what stands behind the bars ------------------------------------------------------------------


def test_the_law_waits_until_the_hand_rests_and_is_the_law(lab, sent):
    look(lab)
    assert sent[-1][0]["due"] is True
    assert len(lab._artists.law.get_path().vertices) == 0
    lab._receive(None, {"kind": "finish"}, [])
    assert sent[-1][0]["due"] is False
    law = ll.length_law(lab.model.experiment.net, width=32, depth=3)
    tally = lab._artists.tallies[lab.model.experiment][1]
    middles, heights = (side[1:-1] for side in lab._artists.shapes.outline(tally))
    step = tally.edges[1] - tally.edges[0]
    density = law.pdf(middles, layer=2)
    # Before a network is drawn the highest bin is 1; a bin's mass is the density over its width.
    shape = density * step / np.diff(law.cdf(tally.edges, layer=2)).max()
    np.testing.assert_allclose(heights, shape, atol=0.01)
    lab.sigma_w = 1.2
    assert sent[-1][0]["due"] is True
    lab.behind = "band"
    assert sent[-1][0]["due"] is False


def test_the_law_grows_with_the_bars(lab):
    lab.run(200)
    assert lab.figure is not None  # which finishes what is due
    tally = lab._artists.tallies[lab.model.experiment][0]
    law = ll.length_law(lab.model.experiment.net, width=32, depth=3)
    _, heights = lab._artists.shapes.outline(tally)
    expected = 200 * np.diff(law.cdf(tally.edges, layer=1)).max() / tally.counts.max()
    assert heights.max() == pytest.approx(expected)


def test_a_law_that_is_refused_is_a_sentence(lab):
    lab.activation = ll.formula("sinh(x)*exp(x)")
    lab.width, lab.sigma_w, lab.depth = 2, 4, 10
    lab.complete()
    lab.figure  # noqa: B018
    notes = " ".join(lab._notes)
    assert ("No exact law at this width" in notes) == (lab._law[1] is None)
    assert lab.message == ""


@pytest.mark.parametrize(
    ("behind", "band", "law"),
    [("band and law", 1, 1), ("band", 1, 0), ("law", 0, 1), ("nothing", 0, 0)],
)
def test_each_backdrop_shows_what_it_names(lab, behind, band, law):
    type_into(lab, "behind", behind)
    lab.run(50)
    assert lab.figure is not None
    assert bool(len(lab._artists.band.get_path().vertices)) == band
    assert bool(len(lab._artists.law.get_path().vertices)) == law
    labels = [text.get_text() for text in lab._artists.figure.legends[0].get_texts()]
    assert ("90 % at this width" in labels, "law at this width" in labels) == (band, law)


# --- networks with weight matrices ----------------------------------------------------------------


def test_dense_networks_are_those_of_the_seed_however_they_are_cut():
    net = ll.Network("tanh", sigma_w=1.5)
    whole = sample_lengths_dense(net, width=20, depth=4, trials=7, rng=3)
    process = DenseProcess(net, width=20, depth=4, rng=3)
    pieces = [process.advance(1e-9, trials=2) for _ in range(40)]
    np.testing.assert_array_equal(np.concatenate(pieces)[:7], whole)
    assert max(map(len, pieces)) <= 2


def test_a_switch_draws_dense_networks_too(lab):
    type_into(lab, "dense", "on")
    lab.run(150)
    dense = lab._matrices.experiment
    expected = sample_lengths_dense(dense.net, width=32, depth=3, trials=150, rng=0)
    np.testing.assert_array_equal(dense.lengths, expected)
    assert dict(lab._pairs())["with matrices"] == "150"
    assert len(lab._artists.dense.get_path().vertices) > 0 or lab.figure
    assert len(lab._artists.dense.get_path().vertices) > 0
    type_into(lab, "dense", "off")
    assert lab.figure
    assert len(lab._artists.dense.get_path().vertices) == 0
    assert "with matrices" not in dict(lab._pairs())


def test_equal_shares_are_equally_high_whatever_was_drawn(lab):
    lab.dense = True
    lab.run(200)
    more = lab._matrices.experiment
    more.add(more.lengths.copy())
    assert lab.figure
    bars, dense = (lab._artists.tallies[e][0] for e in (lab.model.experiment, more))
    _, heights = dense.outline(like=bars)
    highest = dense.counts.max() / dense.seen / (bars.counts.max() / bars.seen)
    assert heights.max() == pytest.approx(highest)


def test_dense_is_for_narrow_networks(lab):
    lab.dense = True
    lab.width = WIDEST_DENSE + 1
    assert lab.message == ""
    assert any("up to a width of 1000" in note for note in lab._notes)
    lab.run(20)
    assert lab.drawn == 20
    lab.dense = False
    type_into(lab, "dense", "on")
    assert lab.message.startswith("dense takes a width <= 1000, got 1001")
    assert lab.dense is False
    lab.width = 100
    lab.dense = True
    lab.run(5)
    assert lab._matrices.experiment.drawn == 5


def test_wide_dense_networks_are_few_and_do_not_hold_up_the_run():
    source = DenseNetworks()
    source.restart(Model("tanh", width=1000, depth=50)._run)
    assert source._most == 100
    source.experiment.add(np.ones((100, 50)))
    assert source.drawn > 10**9


# --- several views of one model -------------------------------------------------------------------


def test_what_no_view_shows_is_not_drawn():
    model = Model("tanh", width=16, depth=2, trials=50)

    class Counter:
        drawn = 0

        def restart(self, run):
            self.drawn = 0

        def advance(self, seconds, trials):
            self.drawn += 1

    source = Counter()
    model.enlist(source)
    model.run(12)
    assert (source.drawn, model.drawn, model.experiment.drawn) == (12, 12, 0)
    lab = LengthLab(model)
    assert model.drawn == 0  # its own networks are behind
    model.run(12)
    assert (source.drawn, model.experiment.drawn) == (12, 12)
    lab.close()
    assert not lab.shown or model._watchers == 0
    model.dismiss(source)
    model.run(3)
    assert model.experiment.drawn == 3


def test_a_change_in_one_view_moves_all():
    model = Model("tanh", sigma_w=1.5, sigma_b=0.3, width=16, depth=4)
    views = [Histograms(model), LengthMapView(model), LengthLab(model)]
    generation = model.generation
    type_into(views[1], "sigma_w", "1.2")
    assert model.generation == generation + 1
    for view in views:
        assert view._values["sigma_w"] == 1.2
        assert "sigma_w 1.2" in view.summary
        view.close()
    assert model.sigma_w == 1.2


# --- files, lectures, screen readers --------------------------------------------------------------


def test_files_for_the_reader(lab, sent, tmp_path):
    lab.run(20)
    for form, start in [("png", b"\x89PNG"), ("svg", b"<?xml"), ("csv", b"q_1,q_2,q_3\n")]:
        lab._hear(None, {"kind": "save", "form": form}, [])
        content, (data,) = sent[-1]
        assert (content["kind"], content["form"]) == ("file", form)
        assert data.startswith(start)
        lab.save(tmp_path / f"lab.{form}")
        assert (tmp_path / f"lab.{form}").read_bytes().startswith(start)
    lab.save(str(tmp_path / "lab.pdf"))
    table = np.loadtxt(tmp_path / "lab.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(table, lab.model.experiment.lengths)
    with pytest.raises(ValueError, match="path must end in one of png, svg, csv, pdf; got 'gif'"):
        lab.save(tmp_path / "lab.gif")


@pytest.mark.parametrize("view", [LengthLab, Histograms, LengthMapView])
def test_a_lecture_has_larger_letters_and_fewer_controls(view):
    plain, lecture = view("tanh"), view("tanh", presentation=True)
    assert len([f for f in plain._fields if not f["more"]]) <= 5
    assert len(lecture._fields) <= 3
    assert len(lecture._buttons) == (2 if view.samples else 0)
    for each in (plain, lecture):
        look(each)
    assert lecture.figure.dpi == 1.5 * plain.figure.dpi
    widths = [each.figure.get_figwidth() * each.figure.dpi for each in (plain, lecture)]
    assert widths == [960, 960]
    plain.close()
    lecture.close()


def test_a_screen_reader_hears_the_summary_when_a_run_ends_and_not_before(lab):
    heard = []
    lab.observe(lambda change: heard.append(change["new"]), "status")
    look(lab)
    while lab.running:
        lab._receive(None, {"kind": "frame", "slot": 1}, [])
    assert heard == [lab.summary]


@pytest.mark.parametrize("view", [LengthLab, Histograms, LengthMapView])
def test_still_picture_and_numbers(view):
    made = view("gelu", sigma_w=1.4, width=20, depth=3)
    if view.samples:
        made.run(30)
    still = made.still()
    assert still["text/plain"] == made.summary
    assert 'alt="' in still["text/html"]
    assert len(still["image/png"]) > 1000
    json.dumps(still)
    made.close()
    made.close()


# --- the views of this file -----------------------------------------------------------------------


def test_histograms_are_those_of_the_networks():
    view = Histograms("relu", sigma_w=2**0.5, width=40, depth=5)
    view.run(300)
    assert view.figure
    for panel, layer in zip(view._artists.panels, range(1, 6), strict=False):
        q = view.model.experiment.lengths[:, layer - 1]
        counts, _ = np.histogram(q, bins=panel.tally.edges)
        np.testing.assert_array_equal(panel.tally.counts, counts)
        assert panel.predicted.get_xdata()[0] == pytest.approx(2.0)
    limits = {panel.axes.get_xlim() for panel in view._artists.panels[:5]}
    assert len(limits) == 1
    type_into(view, "axes", "free")
    assert view.figure
    assert len({panel.axes.get_xlim() for panel in view._artists.panels[:5]}) > 1
    view.close()


@pytest.mark.parametrize("depth", [1, 2, 12, 13, 50])
def test_as_many_panels_as_layers_and_twelve_at_most(depth):
    view = Histograms("tanh", depth=4)
    look(view)
    view.depth = depth
    visible = [p.axes.get_title(loc="left") for p in view._artists.panels if p.axes.get_visible()]
    assert len(visible) == min(depth, 12)
    assert (visible[0], visible[-1]) == ("layer 1", f"layer {depth}")
    view.close()


def test_the_cobweb_climbs_the_length_map():
    view = LengthMapView("tanh", sigma_w=1.5, sigma_b=0.3, steps=5)
    expected = ll.length_map(view.model.experiment.net, depth=6).values
    np.testing.assert_allclose(view.made.path, expected, rtol=1e-12)
    assert view.figure
    x, y = view._artists.web.get_data()
    np.testing.assert_allclose(x[::2], expected)
    np.testing.assert_allclose(y[1::2], expected[1:])
    found = ll.fixed_points(view.model.experiment.net)
    np.testing.assert_allclose(view._artists.stable.get_xdata(), [p.q for p in found])
    inside = view.made.q > 0.01
    v = np.interp(0.9, view.made.q[inside], view.made.v[inside])
    exact = ll.length_map(ll.Network("tanh", sigma_w=1.5, sigma_b=0.3, input_length=0.36), depth=2)
    assert np.interp(exact.values[0], view.made.q, view.made.v) == pytest.approx(
        exact.values[1], rel=1e-3
    )
    assert v < 1
    view.close()


def test_the_start_is_dragged_typed_and_moved_by_keys():
    view = LengthMapView("tanh", sigma_w=1.5, sigma_b=0.3)
    look(view)
    assert view.start == pytest.approx(2.34)
    axes = view._artists.main
    width, height = view._scene.size

    def at(x):
        pixel = axes.transData.transform((x, 0.5))
        return {"x": pixel[0] / width, "y": 1 - pixel[1] / height}

    view._receive(None, {"kind": "pick", **at(1.0)}, [])
    assert view.start == pytest.approx(1.0, rel=0.01)
    top = view.made.top
    view._receive(None, {"kind": "drag", **at(0.8)}, [])
    assert view.start == pytest.approx(0.8, rel=0.01)
    view._receive(None, {"kind": "drag", "x": -5.0, "y": 0.5}, [])
    assert 0 < view.start < 0.01
    type_into(view, "start", "3.5")
    assert view.start == 3.5
    for key, change in [("ArrowRight", 1), ("ArrowLeft", -1)]:
        before = view.start
        view._receive(None, {"kind": "key", "key": key}, [])
        assert np.sign(view.start - before) == change
    view._receive(None, {"kind": "key", "key": "ArrowUp"}, [])
    assert view.steps == 11
    view._receive(None, {"kind": "key", "key": "Home"}, [])
    assert view.start == pytest.approx(2.34)
    assert view.message == ""
    for name, text in [("start", "0"), ("start", "nan"), ("steps", "-1"), ("steps", "1e6")]:
        type_into(view, name, text)
        assert view.message.startswith(f"{name} must be")
    assert top > 0
    view.close()


@pytest.mark.parametrize(
    ("phi", "word"),
    [
        ("reciprocal", "∞"),
        ("exp_square", "∞"),
        ("dirichlet", "to 1"),
        ("identity", "fixed points every length"),
        ("heaviside", "fixed point 0.5 slope"),
        ("exp", "in 10 steps"),
    ],
)
def test_maps_that_end_or_rest(phi, word):
    view = LengthMapView(phi, sigma_w=1.0, start=3.0)
    assert word in view.summary
    assert "nan" not in view.summary
    assert view.figure
    assert view.message == ""
    view.close()
