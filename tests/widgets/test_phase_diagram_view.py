"""The plane of sigma_w and sigma_b: numbers, the edge, places and phases, clicks, odd phis."""

import gc
import json
import math
import re

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

import lengthlab as ll
from lengthlab.drawing.phase_diagram import SIGMA_B, SIGMA_W, _colours, rest, rest_near
from lengthlab.widgets import LengthMapView
from lengthlab.widgets.model import Model
from lengthlab.widgets.phase_diagram import PhaseDiagram

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def kept():
    """One view for all tests that only move the point: its plane takes a second."""
    view = PhaseDiagram("tanh", sigma_w=1.5, sigma_b=0.3)
    look(view)
    view._receive(None, {"kind": "finish"}, [])
    yield view
    view.close()


@pytest.fixture
def view(kept):
    kept.sigma_w, kept.sigma_b = 1.5, 0.3
    return kept


def look(view, width=960):
    view._receive(None, {"kind": "view", "width": width, "ratio": 1}, [])


def type_into(view, name, text):
    view._hear(None, {"kind": "edit", "name": name, "text": text}, [])


def press(view, key):
    view._receive(None, {"kind": "key", "key": key}, [])


def at(view, kind, x, y):
    """The message of a click or a drag at a place of the plane."""
    width, height = view._scene.size
    pixel = view._artists.main.transData.transform((x, y))
    return {"kind": kind, "x": pixel[0] / width, "y": 1 - pixel[1] / height}


# --- numbers --------------------------------------------------------------------------------------


def test_the_readout_is_the_fixed_point_and_chi(view):
    for sigma_w, sigma_b in [(1.5, 0.3), (0.8, 0.11), (3.21, 1.47), (1.05, 0.0)]:
        view.sigma_w, view.sigma_b = sigma_w, sigma_b
        net = ll.Network("tanh", sigma_w=sigma_w, sigma_b=sigma_b)
        view.complete()
        point = ll.fixed_points(net)[-1]
        found = view._rest()
        assert found.q_star == pytest.approx(point.q, rel=1e-9)
        assert found.chi == pytest.approx(point.chi, rel=1e-7)
        assert f"q* {point.q:.4g}, chi {point.chi:.4g}" in view.summary
        assert ("chaotic" in view.summary) == (point.chi > 1)


def test_a_moving_point_is_exact_at_once_where_its_neighbours_tell(view):
    rng = np.random.default_rng(0)
    told = 0
    for sigma_w, sigma_b in zip(rng.uniform(*SIGMA_W, 30), rng.uniform(*SIGMA_B, 30), strict=True):
        net = ll.Network("tanh", sigma_w=sigma_w, sigma_b=sigma_b)
        quick = rest_near(net, view._plane)
        if quick is not None:
            told += 1
            exact = rest(net)
            assert quick.q_star == pytest.approx(exact.q_star, rel=1e-8)
            assert quick.chi == pytest.approx(exact.chi, rel=1e-6)
            assert quick.phase == exact.phase
    assert told > 25


def test_no_guess_at_the_border_of_two_fates():
    view = PhaseDiagram("exp_square", sigma_w=0.9)
    view.complete()
    for sigma_w in (0.9, 0.95, 0.96, 0.97, 0.98, 0.99, 1.2):
        net = ll.Network("exp_square", sigma_w=sigma_w, sigma_b=0.02)
        quick, exact = rest_near(net, view._plane), rest(net)
        assert quick is None or quick.q_star == pytest.approx(exact.q_star, rel=1e-6)
        assert (quick is None) or exact.phase != "exploding"
    view.close()


def test_dropout_and_the_input_are_those_of_the_model():
    view = PhaseDiagram("tanh", sigma_w=1.2, sigma_b=0.2, keep_probability=0.8, input_length=0.5)
    net = view.model.experiment.net
    view.complete()
    point = ll.fixed_points(net)[-1]
    assert view._rest().q_star == pytest.approx(point.q, rel=1e-9)
    assert view._rest().chi == pytest.approx(ll.chi(net, point.q).value, rel=1e-7)
    plane = view._plane
    view.keep_probability = 1.0
    assert view._plane is None
    assert view._due()
    view.complete()
    assert view._plane is not plane
    view.close()


def edge(view):
    x, y = (np.asarray(data) for data in view._artists.edge.get_data())
    return x[np.isfinite(x)], y[np.isfinite(x)]


def test_the_edge_of_chaos_is_where_chi_is_one(view):
    assert view.figure
    x, y = edge(view)
    assert len(x) > 30
    for sigma_w, sigma_b in list(zip(x, y, strict=True))[::20]:
        if sigma_b > 0.05:
            assert rest(ll.Network("tanh", sigma_w=sigma_w, sigma_b=sigma_b)).chi == pytest.approx(
                1, abs=0.003
            )


def test_the_edge_of_relu_is_that_of_he():
    view = PhaseDiagram("relu", sigma_w=1.0, sigma_b=0.5)
    assert "q* 0.5, chi 0.5, ordered" in view.summary
    assert view.figure
    x, _ = edge(view)
    assert len(x) > 30
    np.testing.assert_allclose(x, math.sqrt(2), atol=1e-3)
    view.close()


def test_where_chi_jumps_over_one_there_is_no_edge():
    """x^2: lengths that rest are ordered (chi = 2/3 at most), the others grow without end."""
    view = PhaseDiagram("square", sigma_w=0.3, sigma_b=0.1)
    view.complete()
    assert view.figure
    assert len(edge(view)[0]) == 0
    view.close()


def test_lines_of_q_star_have_its_value(view):
    assert view.figure
    numbers = [text for text in view._artists.labels if text.get_visible()]
    assert 4 <= len(numbers) <= 8
    for text in numbers:
        sigma_w, sigma_b = text.get_position()
        found = rest(ll.Network("tanh", sigma_w=sigma_w, sigma_b=sigma_b))
        assert found.q_star == pytest.approx(float(text.get_text()), rel=0.05)


def test_names_stand_in_their_phases(view):
    assert view.figure
    for kind, text in view._artists.names.items():
        assert text.get_visible() == (kind != "exploding")
        if text.get_visible():
            sigma_w, sigma_b = text.get_position()
            found = rest(ll.Network("tanh", sigma_w=sigma_w, sigma_b=sigma_b))
            assert found.phase == kind


def test_colours_rise_in_grey_from_order_to_chaos():
    pixels = _colours(np.linspace(-2, 2, 50)[None])[0] @ np.array([0.299, 0.587, 0.114])
    inside = np.abs(np.linspace(-2, 2, 50)) < math.log(4)
    assert (np.diff(pixels[inside]) > 0).all()
    assert pixels.max() - pixels.min() > 80


def test_pixels_are_the_colours_of_chi(view):
    assert view.figure
    pixels = np.asarray(view._artists.image.get_array())
    plane = view._plane
    rows, columns = (np.linspace(0, n - 1, 7).astype(int) for n in plane.chi.shape)
    for row in rows:
        for column in columns:
            place = row / 99 * (pixels.shape[0] - 1), column / 99 * (pixels.shape[1] - 1)
            seen = pixels[round(place[0]), round(place[1])].astype(int)
            expected = _colours(np.log(plane.chi[row, column])[None])[0].astype(int)
            assert np.abs(seen - expected).max() <= 10


# --- what is slow waits ---------------------------------------------------------------------------


def test_the_plane_waits_and_stays_while_phi_does(view):
    assert not view._due()
    plane, image = view._plane, view._artists.image.get_array()
    messages = []
    view.send, send = lambda content, buffers=None: messages.append(content), view.send
    for sigma_w in (1.2, 1.3, 1.4):
        view.sigma_w = sigma_w
    view.send = send
    assert view._plane is plane
    assert view._artists.image.get_array() is image
    # A moved point sends no pixel: the still part stays.
    assert [message["still"] for message in messages if "still" in message] == [None] * 3
    assert all(message["due"] is False for message in messages if "due" in message)


def test_a_new_phi_has_no_plane_until_the_hand_rests():
    view = PhaseDiagram("relu", sigma_w=1.0, sigma_b=0.5)
    look(view)
    view.complete()
    type_into(view, "activation", "erf")
    assert view._due()
    assert view._pairs() == []
    assert view._artists.waiting.get_text() == "the plane is being computed"
    assert not any(text.get_visible() for text in view._artists.names.values())
    assert len(edge(view)[0]) == 0
    view._receive(None, {"kind": "finish"}, [])
    assert not view._due()
    assert view._artists.waiting.get_text() == ""
    assert dict(view._pairs())["phase"].startswith("ordered")
    children = set(map(id, view._artists.main.get_children()))
    view.activation = "abs"
    view.complete()
    assert view.figure
    assert set(map(id, view._artists.main.get_children())) == children
    view.close()


# --- from the reader ------------------------------------------------------------------------------


def test_a_click_takes_all_views_there_as_one_generation(view):
    other = LengthMapView(view.model)
    generation = view.generation
    view._receive(None, at(view, "pick", 2.3, 1.1), [])
    assert (view.sigma_w, view.sigma_b) == (pytest.approx(2.3, abs=0.02), pytest.approx(1.1, 0.02))
    assert view.generation == generation + 1
    assert f"sigma_w {view.sigma_w:.4g}" in other.summary
    assert tuple(view._artists.marker.get_data()) == ([view.sigma_w], [view.sigma_b])
    other.close()


def test_the_point_is_dragged_and_stays_on_the_plane(view):
    view._receive(None, at(view, "pick", 1.5, 0.3), [])
    view._receive(None, at(view, "drag", 1.0, 0.5), [])
    assert view.sigma_w == pytest.approx(1.0, abs=0.02)
    assert view.sigma_b == pytest.approx(0.5, abs=0.02)
    view._receive(None, {"kind": "drag", "x": 5.0, "y": -5.0}, [])
    assert (view.sigma_w, view.sigma_b) == (4.0, 2.0)
    view._receive(None, {"kind": "drag", "x": -5.0, "y": 5.0}, [])
    assert (view.sigma_w, view.sigma_b) == (0.05, 0.0)
    assert view.message == ""


def test_a_click_beside_the_plane_changes_nothing(view):
    before = view.generation
    view._picked(view._artists.bar, 0.5, 0.5)
    assert view.generation == before


def test_arrow_keys(view):
    for key, place in [
        ("ArrowRight", (1.55, 0.3)),
        ("ArrowUp", (1.55, 0.35)),
        ("ArrowLeft", (1.5, 0.35)),
        ("ArrowDown", (1.5, 0.3)),
        ("Home", (1.5, 0.3)),
    ]:
        press(view, key)
        assert (view.sigma_w, view.sigma_b) == pytest.approx(place)


def test_a_point_outside_is_an_arrow_at_the_border(view):
    view.sigma_w = 7.0
    assert view.figure
    assert len(view._artists.marker.get_xdata()) == 0
    assert tuple(view._artists.outside.get_data()) == ([4.0], [0.3])
    assert any("outside of the picture" in line for line in view._notes)
    net = ll.Network("tanh", sigma_w=7.0, sigma_b=0.3)
    assert f"q* {ll.fixed_points(net)[-1].q:.4g}" in view.summary
    view.sigma_w = 1.5
    assert not any("outside of the picture" in line for line in view._notes)


@pytest.mark.parametrize(("name", "text"), [("sigma_w", "0"), ("sigma_b", "-1"), ("formula", "x+")])
def test_refused_values_keep_the_old_ones(view, name, text):
    before = view.summary
    type_into(view, name, text)
    assert view.message.startswith(name)
    assert view.summary == before
    type_into(view, "sigma_w", "1.45")
    assert view.message == ""


# --- whatever phi does ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("reciprocal", "q* ∞, chi does not apply, no rest"),
        ("exp_square", "q* 1.088"),  # 0.81 / sqrt(1 - 0.4 q) + 0.01 = q
        ("exp_power", "no rest"),
        ("dirichlet", "q* 0.01"),
        ("heaviside", "q* 0.415, chi ∞, chaotic"),
        ("x*exp(-x^2)", "ordered"),
    ],
)
def test_odd_activations(name, word):
    phi = ll.activation(name) if name in ll.catalogue() else ll.formula(name)
    view = PhaseDiagram(phi, sigma_w=0.9, sigma_b=0.1, width=1, depth=1)
    look(view)
    view._receive(None, {"kind": "finish"}, [])
    assert view.message == ""
    assert word in view.summary
    assert "nan" not in str(view._pairs()) + str(view._notes) + view.alt
    assert any("chi is infinite" in line for line in view._notes) == (name == "heaviside")
    assert len(view.still()["image/png"]) > 1000
    view.close()


def test_the_plane_of_a_pole_is_all_stripes():
    view = PhaseDiagram(ll.activation("power", exponent=-0.6), width=10**9)
    view.complete()
    assert view.figure
    visible = [kind for kind, text in view._artists.names.items() if text.get_visible()]
    assert visible == ["exploding"]
    pixels = np.asarray(view._artists.image.get_array())
    assert (pixels.max(axis=-1) == pixels.min(axis=-1)).all()  # grey
    view.close()


def test_a_phi_that_raises_becomes_a_sentence():
    broken = [False]

    def moody(x):
        if broken[0]:
            raise RuntimeError("no more")
        return np.tanh(x)

    view = PhaseDiagram(ll.Activation(moody, name="moody"), sigma_w=1.2)
    look(view)
    broken[0] = True
    view._receive(None, {"kind": "finish"}, [])
    assert "activation 'moody' raised RuntimeError: no more" in view.message
    assert view.summary.endswith("not known")
    assert view._artists.waiting.get_text() == "no plane of this phi"
    assert view.still()["image/png"]
    assert not view._due()
    type_into(view, "activation", "relu")
    assert view.message == ""
    assert "chi 0.72" in view.summary
    view.close()


# --- words, closing -------------------------------------------------------------------------------


def test_pages_of_all_widths(view):
    for width in (400, 960):
        look(view, width)
        assert view._artists.main.get_position().width > 0.6
        assert (view.aspect > 1) == (width == 400)
    assert len([t for t in view._artists.labels if t.get_visible()]) >= 4


def test_summary_and_still(view):
    view.sigma_w, view.sigma_b = 1.23456789, 0.123456
    numbers = re.findall(r"\d[\d.]*", view.summary)
    assert max(len(n.replace(".", "").lstrip("0")) for n in numbers) <= 4
    still = view.still()
    assert still["text/plain"] == view.summary
    assert 'alt="' in still["text/html"]
    assert "arrow keys" in view.alt
    json.dumps(still)


def test_close_leaves_nothing():
    model = Model("sign")

    def watchers():
        return sum(len(h) for kinds in model._trait_notifiers.values() for h in kinds.values())

    def cycle():
        view = PhaseDiagram(model, presentation=True)
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
