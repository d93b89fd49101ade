"""Unit scale beside the scales in common use: numbers, words, clicks, keys, odd activations."""

import gc
import json
import math
import re

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

import lengthlab as ll
from lengthlab.drawing.scale_maps import LAYERS, Moments, scale_maps
from lengthlab.widgets.model import Model
from lengthlab.widgets.unit_scale import UnitScaleView

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def view():
    view = UnitScaleView("tanh", sigma_w=1.5)
    look(view)
    view._receive(None, {"kind": "finish"}, [])
    yield view
    view.close()


def look(view, width=960):
    view._receive(None, {"kind": "view", "width": width, "ratio": 1}, [])


def type_into(view, name, text):
    view._hear(None, {"kind": "edit", "name": name, "text": text}, [])


def press(view, key):
    view._receive(None, {"kind": "key", "key": key}, [])


def at(view, axes, x, y):
    """The message of a click on a place in an axes."""
    width, height = view._scene.size
    pixel = axes.transData.transform((x, y))
    return {"kind": "pick", "x": pixel[0] / width, "y": 1 - pixel[1] / height}


def curve(view, name):
    row = view._artists.own if name == "this model" else view._artists.rows[name]
    return np.asarray(row.curve.get_ydata())


# --- numbers --------------------------------------------------------------------------------------


def test_lines_are_the_length_maps_of_their_scales(view):
    assert view.figure
    scales = {gain.name: gain.sigma_w for gain in ll.gains("tanh")} | {"this model": 1.5}
    for name in ("this model", "unit scale", "LeCun", "He", "PyTorch"):
        net = ll.Network("tanh", sigma_w=scales[name])
        expected = ll.length_map(net, depth=LAYERS).values  # integrals, where the view has a table
        np.testing.assert_allclose(curve(view, name), expected, rtol=1e-9)
        wrong = ll.length_map(ll.Network("tanh", sigma_w=scales[name] * 1.001), depth=LAYERS)
        assert not np.allclose(curve(view, name), wrong.values, rtol=1e-5)
    assert len(curve(view, "Glorot")) == 0  # which is LeCun's


@pytest.mark.parametrize(
    ("phi", "sigma_b", "unit", "steep", "word"),
    [
        ("relu", 0.0, math.sqrt(2), 1.0, "marginal"),
        ("relu", 0.6, math.sqrt(1.28), 0.64, "stable"),
        ("identity", 0.0, 1.0, 1.0, "marginal"),
        ("square", 0.0, math.sqrt(1 / 3), 2.0, "unstable"),  # V(q) = sigma_w^2 3 q^2
        ("sign", 0.0, 1.0, 0.0, "stable"),
        ("exp", 0.5, math.sqrt(0.75 / math.exp(2)), 1.5, "unstable"),  # V' = 2 (V - sigma_b^2)
    ],
)
def test_unit_scale_and_slope_are_closed_forms(phi, sigma_b, unit, steep, word):
    view = UnitScaleView(phi, sigma_b=sigma_b)
    assert view.unit_scale == pytest.approx(unit, rel=1e-12)
    pairs = dict(view._pairs())
    assert pairs["unit scale"] == f"{unit:.4g}"
    value, said = pairs["slope V'(1)"].split(" ", 1)
    assert float(value) == pytest.approx(steep, abs=1e-4)
    assert said == word
    view.close()


def test_dropout_and_the_input_length_are_those_of_the_model():
    view = UnitScaleView("gelu", sigma_w=1.3, sigma_b=0.2, keep_probability=0.8, input_length=0.5)
    view.complete()
    assert view.figure
    shared = {"sigma_b": 0.2, "keep_probability": 0.8, "input_length": 0.5}
    for name, sigma_w in [("this model", 1.3), ("LeCun", 1.0), ("unit scale", view.unit_scale)]:
        expected = ll.length_map(ll.Network("gelu", sigma_w=sigma_w, **shared), depth=LAYERS)
        np.testing.assert_allclose(curve(view, name), expected.values, rtol=1e-8)
    # The unit scale keeps a length of 1: an input that makes q_1 = 1 stays there.
    start = (1 - 0.04) / view.unit_scale**2
    net = ll.Network("gelu", sigma_w=view.unit_scale, **{**shared, "input_length": start})
    np.testing.assert_allclose(ll.length_map(net, depth=3).values, 1.0, rtol=1e-9)
    assert any("Dropout" in line for line in view._notes)
    view.close()


@pytest.mark.parametrize("phi", ["tanh", "relu", "exp_square", "selu", "cbrt", "sin"])
def test_words_are_those_of_the_gains(phi):
    view = UnitScaleView(phi)
    view.complete()
    fates = {name: m.fate for m in view._maps()[1:] for name in m.names}
    for gain in ll.gains(phi):
        prediction = ll.length_map(ll.Network(phi, sigma_w=gain.sigma_w), depth=LAYERS)
        if prediction.first_infinite:
            expected = f"infinite from layer {prediction.first_infinite} on"
        elif gain.limit == 0:
            expected = "decays to 0"
        elif math.isinf(gain.limit):
            expected = "grows without end"
        else:
            assert fates[gain.name].split()[0] in ("settles", "stays")
            expected = f"{fates[gain.name].split()[0]} at {gain.limit:.4g}"
        assert fates[gain.name] == expected
    view.close()


def test_maps_in_closed_form():
    net = ll.Network("relu", sigma_b=0.5)
    (found,) = scale_maps(net, [(("one",), 1.2)], Moments(net.activation))
    q, expected = 1.44 + 0.25, []
    for _ in range(LAYERS):
        expected.append(q)
        q = 0.72 * q + 0.25
    np.testing.assert_allclose(found.values, expected, rtol=1e-13)


# --- what is slow waits ---------------------------------------------------------------------------


def test_the_model_is_shown_at_once_and_the_rest_when_the_hand_rests(view):
    type_into(view, "activation", "gelu")
    assert view._due()
    net = view.model.experiment.net
    np.testing.assert_allclose(curve(view, "this model"), ll.length_map(net, depth=50).values)
    assert len(curve(view, "He")) == 0
    assert dict(view._pairs())["unit scale"] == f"{ll.unit_scale('gelu'):.4g}"
    view._receive(None, {"kind": "finish"}, [])
    assert not view._due()
    assert len(curve(view, "He")) == LAYERS
    type_into(view, "sigma_b", "0.1")  # with the table all lines move at once
    expected = ll.length_map(ll.Network("gelu", sigma_w=2**0.5, sigma_b=0.1), depth=50).values
    np.testing.assert_allclose(curve(view, "He"), expected, rtol=1e-8)


def test_artists_are_moved_and_not_made_anew(view):
    before = [set(map(id, axes.get_children())) for axes in view.figure.axes]
    for phi in ("relu", "exp_square", "tanh"):
        view.activation = phi
        view.complete()
        assert view.figure
    assert [set(map(id, axes.get_children())) for axes in view.figure.axes] == before


# --- the picture ----------------------------------------------------------------------------------


def test_infinite_maps_end_with_a_mark_and_are_named():
    view = UnitScaleView("exp_square", sigma_w=1.0)
    view.complete()
    assert view.figure
    first = ll.length_map(ll.Network("exp_square", sigma_w=1.0), depth=LAYERS).first_infinite
    values = curve(view, "this model")
    assert np.isfinite(values[: first - 1]).all()
    assert np.isnan(values[first - 1 :]).all()
    ends = dict(zip(*view._artists.ends.get_data(), strict=True))
    assert ends[first - 1] == pytest.approx(values[first - 2])
    assert f"this model (sigma_w 1): infinite from layer {first} on." in view._notes
    assert view._artists.own.fate.get_text() == f"infinite from layer {first} on"
    view.close()


def test_lines_that_leave_the_axes_are_marked():
    view = UnitScaleView("exp", sigma_w=1.0)
    view.complete()
    assert view.figure
    assert len(view._artists.above.get_xdata()) > 0
    assert view._artists.main.get_ylim()[1] <= 1e9
    assert "leaves the floats" in view.summary
    view.close()
    view = UnitScaleView("tanh", sigma_w=0.05)
    assert view.figure
    assert len(view._artists.below.get_xdata()) > 0
    view.close()


def test_scales_of_one_value_are_one_line():
    view = UnitScaleView("relu")
    view.complete()
    names = [m.names for m in view._maps()]
    assert names == [("this model",), ("unit scale", "He", "PyTorch"), ("LeCun", "Glorot")]
    assert len(curve(view, "He")) == 0
    view.close()


def test_pages_of_all_widths(view):
    for width, above in [(400, True), (960, False), (640, False), (500, True)]:
        look(view, width)
        main, strip = (axes.get_position() for axes in view._artists.figure.axes)
        assert (main.y0 > strip.y1) == above
        assert main.x1 > 0.5


# --- from the reader ------------------------------------------------------------------------------


def test_a_click_on_a_line_or_its_row_takes_its_scale(view):
    main, strip = view._artists.main, view._artists.strip
    he = float(ll.length_map(ll.Network("tanh", sigma_w=2**0.5), depth=30).values[-1])
    view._receive(None, at(view, main, 30, he), [])
    assert view.sigma_w == pytest.approx(2**0.5)
    view._receive(None, at(view, strip, 0.5, -2.5), [])
    assert view.sigma_w == 1.0
    view._receive(None, at(view, strip, 0.5, -1.5), [])
    assert view.sigma_w == ll.unit_scale("tanh")
    before = view.generation
    view._receive(None, at(view, strip, 0.5, -0.5), [])  # its own row
    view._receive(None, at(view, strip, 0.5, -5.5), [])  # an empty one
    view._receive(None, at(view, main, 45, 5.0), [])  # no line there
    assert view.generation == before


def test_keys(view):
    press(view, "Home")
    assert view.sigma_w == ll.unit_scale("tanh")
    press(view, "ArrowUp")
    assert view.sigma_w == pytest.approx(5 / 3)
    press(view, "ArrowUp")
    assert view.sigma_w == pytest.approx(5 / 3)
    for expected in (ll.unit_scale("tanh"), 2**0.5, 1.0, 1.0):
        press(view, "ArrowDown")
        assert view.sigma_w == pytest.approx(expected)
    press(view, "ArrowRight")
    assert view.sigma_w == pytest.approx(1.05)
    for _ in range(30):
        press(view, "ArrowLeft")
    assert view.sigma_w == 0.05
    press(view, "End")
    assert view.message == ""


@pytest.mark.parametrize(
    ("phi", "sigma_b", "word"),
    [("tan", 0.0, "infinite"), ("tanh", 1.5, "sigma_b"), ("dirichlet", 0.0, "almost every x")],
)
def test_where_there_is_no_unit_scale(phi, sigma_b, word):
    view = UnitScaleView(phi, sigma_b=sigma_b)
    look(view)
    assert view.unit_scale is None
    assert "unit scale none" in view.summary
    assert any(line.startswith("No unit scale") for line in view._notes)
    press(view, "Home")
    assert view.message.startswith("No unit scale")
    assert view.sigma_w == 1.0
    type_into(view, "sigma_w", "1.1")
    assert view.message == ""
    view.close()


@pytest.mark.parametrize(("name", "text"), [("sigma_w", "0"), ("sigma_b", "-1"), ("formula", "x+")])
def test_refused_values_keep_the_old_ones(view, name, text):
    before = view.summary
    type_into(view, name, text)
    assert view.message.startswith(name)
    assert view.summary == before


# --- whatever phi does ----------------------------------------------------------------------------

ODD = [
    *("reciprocal", "exp_square", "exp_power", "dirichlet", "heaviside", "log_abs"),
    *("x*exp(-x^2)", "sinh(x)*exp(x)", "1/x^2"),
]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("sigma_w", [0.05, 4.0])
def test_odd_activations(name, sigma_w):
    phi = ll.activation(name) if name in ll.catalogue() else ll.formula(name)
    view = UnitScaleView(phi, sigma_w=sigma_w, width=1, depth=1)
    look(view)
    view._receive(None, {"kind": "finish"}, [])
    assert view.message == ""
    assert "nan" not in view.summary
    assert "nan" not in str(view._pairs()) + str(view._notes) + view.alt
    assert len(view.still()["image/png"]) > 1000
    view.close()


def test_a_power_without_a_mean():
    view = UnitScaleView(ll.activation("power", exponent=-0.6), width=10**9)
    assert view.summary.endswith("sigma_w 1 infinite from layer 2 on")
    assert view.still()
    view.close()


@pytest.mark.parametrize("moment", ["at once", "while the hand rests"])
def test_a_phi_that_raises_becomes_a_sentence(moment):
    broken = [False]

    def moody(x):
        if broken[0]:
            raise RuntimeError("no more")
        return np.tanh(x)

    view = UnitScaleView(ll.Activation(moody, name="moody"), sigma_w=1.2)
    look(view)
    if moment == "at once":
        broken[0] = True
        view._made = None, None
        view.refresh()
    broken[0] = True
    view._receive(None, {"kind": "finish"}, [])
    assert "activation 'moody' raised RuntimeError: no more" in view.message
    assert view.summary
    assert view.still()["image/png"]
    type_into(view, "activation", "relu")
    assert view.message == ""
    assert "unit scale 1.414" in view.summary
    view.close()


# --- words, files, closing ------------------------------------------------------------------------


@pytest.mark.parametrize("phi", ["tanh", "exp_square", "reciprocal", "exp"])
def test_summary_has_at_most_four_digits(phi):
    view = UnitScaleView(phi, sigma_w=1.23456789, sigma_b=0.123456)
    numbers = re.findall(r"\d[\d.]*", view.summary)
    assert max(len(n.replace(".", "").lstrip("0")) for n in numbers) <= 4
    view.close()


def test_still_and_table(view):
    still = view.still()
    assert still["text/plain"] == view.summary
    assert 'alt="' in still["text/html"]
    json.dumps(still)
    data, mime = view.saved("csv")
    assert mime == "text/csv"
    header, *rows = data.decode().splitlines()
    assert header.split(",")[:2] == ["layer", "this model 1.5"]
    table = np.array([[float(x) for x in row.split(",")] for row in rows])
    expected = ll.length_map(ll.Network("tanh", sigma_w=1.5), depth=LAYERS).values
    np.testing.assert_allclose(table[:, 1], expected, rtol=1e-9)


def test_close_leaves_nothing():
    model = Model("relu")

    def watchers():
        return sum(len(h) for kinds in model._trait_notifiers.values() for h in kinds.values())

    def cycle():
        view = UnitScaleView(model)
        look(view)
        view.complete()
        view.close()
        view.close()

    cycle()
    gc.collect()
    before = watchers(), len(_instances)
    for _ in range(3):
        cycle()
    assert (watchers(), len(_instances)) == before
