"""phi, the integrand and the lights: closed forms, the wall, the pole, words, clicks, odd phis."""

import gc
import json
import math
import re

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from scipy.stats import chi2, norm

import lengthlab as ll
from lengthlab.drawing.integrand import integrand, mean_curve, view_of
from lengthlab.gaussian import mean_square
from lengthlab.widgets.assumptions import AssumptionsView
from lengthlab.widgets.model import Model

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def view():
    view = AssumptionsView("tanh", sigma_w=1.5, sigma_b=0.3)
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


def at(view, kind, axes, x, y):
    width, height = view._scene.size
    pixel = axes.transData.transform((x, y))
    return {"kind": kind, "x": pixel[0] / width, "y": 1 - pixel[1] / height}


# --- where the integral lives: closed forms -------------------------------------------------------

NORMAL_95 = norm.ppf(0.95)


@pytest.mark.parametrize("q", [0.05, 1.0, 3.7])
@pytest.mark.parametrize(
    ("name", "part", "peaks"),
    [
        # phi^2 times the density is a density of its own:
        ("exp", lambda q: [2 * q**0.5 - NORMAL_95, 2 * q**0.5 + NORMAL_95], lambda q: [2 * q**0.5]),
        (
            "relu",
            lambda q: [chi2(3).ppf(0.05) ** 0.5, chi2(3).ppf(0.95) ** 0.5],
            lambda q: [2**0.5],
        ),
        (
            "identity",
            lambda q: [-(chi2(3).ppf(0.9) ** 0.5), chi2(3).ppf(0.9) ** 0.5],
            lambda q: [-(2**0.5), 2**0.5],
        ),
        ("sign", lambda q: [-NORMAL_95, NORMAL_95], lambda q: [0.0]),
        ("heaviside", lambda q: [norm.ppf(0.525), norm.ppf(0.975)], lambda q: [0.0]),
        (
            "gaussian",  # exp(-2 q z^2) times the density
            lambda q: [-NORMAL_95 / (1 + 4 * q) ** 0.5, NORMAL_95 / (1 + 4 * q) ** 0.5],
            lambda q: [0.0],
        ),
    ],
)
def test_parts_and_peaks(name, part, peaks, q):
    found = integrand(ll.activation(name), q)
    np.testing.assert_allclose(found.part, part(q), atol=2e-4)
    np.testing.assert_allclose(found.peaks, peaks(q), atol=2e-3)
    assert found.faithful
    # A neighbouring answer, 4 to 94 %, is told apart.
    assert abs(found.part[0] - part(q)[0]) < 0.01 * (part(q)[1] - part(q)[0])


def test_a_pole_that_can_be_integrated():
    """|x|^(-0.9) times the density: z^2 / 2 is Gamma(0.05)."""
    from scipy.special import gammaincinv

    found = integrand(ll.activation("power"), 2.0)
    expected = math.sqrt(2 * gammaincinv(0.05, 0.9))
    np.testing.assert_allclose(found.part, [-expected, expected], rtol=1e-3)
    assert found.poles.tolist() == [0.0]
    assert found.peaks == ()
    assert found.top < 100


@pytest.mark.parametrize("q", [1.0, 2.4, 2.5, 3.0])
def test_the_wall_of_exp_square(q):
    found = integrand(ll.activation("exp_square", c=0.1), q)
    if q < 2.5:
        reach = NORMAL_95 / math.sqrt(1 - 0.4 * q)
        np.testing.assert_allclose(found.part, [-reach, reach], rtol=1e-3)
        assert found.mean.value == pytest.approx((1 - 0.4 * q) ** -0.5)
        assert not found.grows
    else:
        assert found.part is None
        assert math.isinf(found.mean.value)
        assert found.grows


def test_the_curve_is_the_integrand(view):
    assert view.figure
    z, height = view._artists.integrand.get_data()
    expected = np.tanh(math.sqrt(2.34) * z) ** 2 * norm.pdf(z)
    np.testing.assert_allclose(height, expected, rtol=1e-12, atol=1e-300)
    assert np.trapezoid(height, z) == pytest.approx(
        mean_square(view.activation, 2.34).estimate.value, rel=1e-3
    )
    x, y = view._artists.phi.get_data()
    seen = np.isfinite(x)
    np.testing.assert_allclose(y[seen], np.tanh(x[seen]), rtol=1e-12)


def test_the_dark_part_holds_nine_tenths(view):
    assert view.figure
    corners = view._artists.part.get_path().vertices
    low, high = view.made.integrand.part
    assert (corners[:, 0].min(), corners[:, 0].max()) == (low, high)
    x, y = corners.T
    area = abs((x * np.roll(y, 1) - y * np.roll(x, 1)).sum()) / 2
    assert area == pytest.approx(0.9 * view.made.integrand.mean.value, rel=1e-3)


def test_mean_curves():
    curve = mean_curve(ll.activation("relu"), 5.0)
    np.testing.assert_allclose(curve.m, curve.q / 2)
    assert math.isinf(curve.wall)
    curve = mean_curve(ll.activation("exp_square", c=0.1), 5.0)
    np.testing.assert_allclose(curve.m, (1 - 0.4 * curve.q) ** -0.5, rtol=1e-9)
    assert curve.q.max() < curve.wall == 2.5
    assert len(mean_curve(ll.activation("reciprocal"), 5.0).q) == 0


# --- phi itself -----------------------------------------------------------------------------------


def test_jumps_are_gaps_and_poles_are_marked():
    shown = view_of(ll.activation("heaviside"), 1.0)
    assert shown.kinks.tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert np.isnan(shown.phi).sum() == 1
    shown = view_of(ll.activation("reciprocal"), 1.0)
    assert shown.poles.tolist() == [0.0]
    assert shown.high < 100
    assert np.isnan(shown.phi).any()
    # A pole that nobody declared is no line from top to bottom.
    shown = view_of(ll.Activation(np.tan, name="mine"), 4.0)
    y = shown.phi
    with np.errstate(invalid="ignore"):
        leaps = (np.abs(np.diff(y)) > shown.high - shown.low) & (y[1:] * y[:-1] < 0)
    assert not leaps.any()


def test_what_goes_on_beyond_the_axes_is_marked():
    view = AssumptionsView("reciprocal")
    assert view.figure
    assert len(view._artists.above.get_xdata()) == 1
    assert len(view._artists.below.get_xdata()) == 1
    x, y = view._artists.poles.get_data()
    assert x[0] == 0.0
    assert y[1] > 0
    view.close()


@pytest.mark.parametrize("q", [1e-100, 1e-6, 1.0, 1e6, 1e100])
@pytest.mark.parametrize("name", ["tanh", "relu", "identity", "power"])
def test_any_length(name, q):
    view = AssumptionsView(name, q=q)
    look(view)
    view.complete()
    assert view.message == ""
    assert view.still()
    assert "nan" not in view.summary
    view.close()


# --- lights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phi", "symbols"),
    [
        (ll.activation("tanh"), "✓✓✓"),
        (ll.activation("exp_square"), "✓✗✓"),
        (ll.activation("reciprocal"), "✗✓✓"),
        (ll.formula("tan(x)"), "✗✗✓"),
        (ll.activation("dirichlet"), "✓✓✓"),
        (ll.Activation(lambda x: np.sin(3 * x), name="mine"), None),
    ],
)
def test_lights_are_the_assessment_in_words_and_in_the_picture(phi, symbols):
    view = AssumptionsView(phi)
    look(view)
    assert [symbol.get_text() for symbol, _ in view._artists.lights] == ["…"] * 3
    assert view._due()
    view._receive(None, {"kind": "finish"}, [])
    found = ll.assess(phi)
    three = [found.bounded, found.growth, found.measurable]
    lines = [line for line in view._notes if line[0] in "✓✗?"]
    assert len(lines) == 3
    for line, light, (symbol, words) in zip(lines, three, view._artists.lights, strict=True):
        expected = {True: "✓", False: "✗", None: "?"}[light.holds]
        assert line[0] == symbol.get_text() == expected
        assert line.endswith(light.reason)
        word = {True: "yes", False: "no", None: "not decided"}[light.holds]
        assert words.get_text().endswith(f": {word}")
        assert f": {word}. " in line
    if symbols:
        assert "".join(line[0] for line in lines) == symbols
    assert any("probing" in line for line in view._notes) == (not found.certain)
    assert view.assessment.permissible == found.permissible
    view.close()


def test_colours_of_the_lights_follow_their_symbols(view):
    def colours():
        return [symbol.get_bbox_patch().get_facecolor() for symbol, _ in view._artists.lights]

    assert view.figure
    assert len(set(colours())) == 1
    view.activation = "exp_square"
    assert view.figure
    assert colours()[0] == colours()[2] != colours()[1]


def test_sufficient_only():
    view = AssumptionsView(ll.activation("power", exponent=-0.2))
    view.complete()
    assert "permissible no" in view.summary
    assert any("sufficient" in line for line in view._notes)
    view.close()


def test_the_wall_is_drawn_and_named():
    view = AssumptionsView("exp_square", q=1.0)
    view.complete()
    assert view.figure
    assert list(view._artists.wall.get_xdata()) == [2.5, 2.5]
    assert dict(view._pairs())["wall"] == "q = 2.5"
    assert len(view._artists.infinite.get_xdata()) == 0
    view.q = 2.6
    assert view.figure
    assert list(view._artists.infinite.get_xdata()) == [2.6]
    assert dict(view._pairs())["m(q)"] == "infinite"
    assert view._artists.verdict.get_text().startswith("the integral is infinite")
    assert view._artists.middle.get_yscale() == "log"
    type_into(view, "scale", "linear")
    assert view.figure
    assert view._artists.middle.get_yscale() == "linear"
    view.close()


def test_the_wall_of_a_typed_formula_and_of_one_far_away():
    view = AssumptionsView(ll.formula("exp(0.02*x^2)"))
    view.complete()
    assert view.figure
    assert view._artists.wall.get_xdata()[0] == pytest.approx(12.5)
    assert view._artists.right.get_xlim()[1] == 15.0
    view.close()


def test_floats_that_do_not_tell_are_said_not_to():
    view = AssumptionsView("dirichlet")
    view.complete()
    assert view.figure
    assert "m(q) 0" in view.summary
    assert view.made.integrand.part is None
    assert view._artists.verdict.get_text().startswith("as floats see it")
    assert any("floats" in line for line in view._notes)
    view.close()


# --- from the reader ------------------------------------------------------------------------------


def test_q_is_that_of_layer_1_until_it_is_chosen(view):
    assert view.q == pytest.approx(2.34)
    view.sigma_w = 1.0
    assert view.q == pytest.approx(1.09)
    type_into(view, "q", "0.7")
    assert view.q == 0.7
    view.sigma_w = 2.0
    assert view.q == 0.7
    assert dict(view._pairs())["m(q)"] == f"{mean_square(view.activation, 0.7).estimate.value:.4g}"
    press(view, "Home")
    assert view.q == pytest.approx(4.09)


def test_q_is_dragged_and_moved_by_keys(view):
    right = view._artists.right
    view._receive(None, at(view, "pick", right, 1.5, 0.3), [])
    assert view.q == pytest.approx(1.5, abs=0.02)
    view._receive(None, at(view, "drag", right, 3.0, 0.3), [])
    assert view.q == pytest.approx(3.0, abs=0.02)
    assert view._artists.point.get_xdata()[0] == view.q
    view._receive(None, {"kind": "drag", "x": -9.0, "y": 0.5}, [])
    assert 0 < view.q < 0.01
    for key in ("ArrowUp", "ArrowUp", "ArrowRight", "ArrowDown", "ArrowLeft"):
        before = view.q
        press(view, key)
        assert (view.q > before) == (key in ("ArrowUp", "ArrowRight"))
    for _ in range(5):
        press(view, "ArrowDown")
    assert view.q == 0.05
    before = view.q
    view._receive(None, at(view, "pick", view._artists.left, 0.5, 0.1), [])
    assert view.q == before


@pytest.mark.parametrize(
    ("name", "text"),
    [("q", "0"), ("q", "nan"), ("q", "1e200"), ("q", "x"), ("scale", "cubic"), ("sigma_w", "0")],
)
def test_refused_values_keep_the_old_ones(view, name, text):
    before = view.summary
    type_into(view, name, text)
    assert view.message.startswith(f"{name} must be")
    assert view.summary == before
    type_into(view, "q", "1")
    assert view.message == ""


def test_the_constructor_raises():
    with pytest.raises(ValueError, match="q must be"):
        AssumptionsView(q=-1)
    with pytest.raises(ValueError, match="scale must be"):
        AssumptionsView(scale="cubic")


# --- what is slow waits, what moves is moved ------------------------------------------------------


def test_moving_q_waits_for_nothing(view):
    assert not view._due()
    for q in (0.3, 1.0, 4.4):
        view.q = q
        assert not view._due()
    view.activation = "relu"
    assert view._due()
    assert view.made.integrand.mean.value == pytest.approx(2.2)


def test_artists_are_moved_and_not_made_anew(view):
    before = [set(map(id, axes.get_children())) for axes in view.figure.axes]
    for phi in ("reciprocal", "exp_square", "heaviside"):
        view.activation = phi
        assert view.figure
    assert [set(map(id, axes.get_children())) for axes in view.figure.axes] == before


# --- whatever phi does ----------------------------------------------------------------------------


@pytest.mark.parametrize("sigma_w", [0.05, 4.0])
@pytest.mark.parametrize(
    "name",
    [
        *("reciprocal", "exp_square", "exp_power", "dirichlet", "heaviside", "sin_reciprocal"),
        *("log_abs", "tan", "exp", "x*exp(-x^2)", "exp(x^3)", "1/(x-1)^2", "0*x"),
    ],
)
def test_odd_activations(name, sigma_w):
    phi = ll.activation(name) if name in ll.catalogue() else ll.formula(name)
    view = AssumptionsView(phi, sigma_w=sigma_w, width=1, depth=1)
    look(view)
    view._receive(None, {"kind": "finish"}, [])
    assert view.message == ""
    words = view.summary + str(view._pairs()) + str(view._notes) + view.alt
    assert "nan" not in words
    for scale in ("log", "linear", "auto"):
        view.scale = scale
        assert len(view.still()["image/png"]) > 1000
    view.close()


def test_a_power_without_a_mean():
    view = AssumptionsView(ll.activation("power", exponent=-0.6), width=10**9)
    view.complete()
    assert view.figure
    assert "m(q) infinite" in view.summary
    assert view._artists.note.get_text() == "infinite at every q > 0"
    assert "too much at a pole" in view._artists.verdict.get_text()
    view.close()


@pytest.mark.parametrize("moment", ["at once", "while the hand rests"])
def test_a_phi_that_raises_becomes_a_sentence(moment):
    broken = [False]

    def moody(x):
        if broken[0]:
            raise RuntimeError("no more")
        return np.tanh(x)

    view = AssumptionsView(ll.Activation(moody, name="moody"), sigma_w=1.2)
    look(view)
    broken[0] = True
    if moment == "at once":
        view.q = 0.9
    else:
        view._receive(None, {"kind": "finish"}, [])
    assert "activation 'moody' raised RuntimeError: no more" in view.message
    assert view.summary
    assert view.still()["image/png"]
    assert not view._due()
    type_into(view, "activation", "relu")
    assert view.message == ""
    assert "permissible yes" in view.summary
    view.close()


# --- words, pages, closing ------------------------------------------------------------------------


@pytest.mark.parametrize("phi", ["tanh", "exp_square", "power", "exp_power"])
def test_summary_has_at_most_four_digits(phi):
    view = AssumptionsView(phi, sigma_w=1.23456789, sigma_b=0.123456)
    numbers = re.findall(r"\d[\d.]*", view.summary.split("):")[-1].replace("e+", " "))
    assert max(len(n.strip(".").replace(".", "").lstrip("0")) for n in numbers) <= 4
    view.close()


def test_still(view):
    still = view.still()
    assert still["text/plain"] == view.summary
    assert 'alt="' in still["text/html"]
    assert "arrow keys" in view.alt
    assert "bounded on finite intervals: yes" in view.alt
    json.dumps(still)


def test_pages_of_all_widths(view):
    for width, rows in [(400, 4), (960, 2), (640, 2)]:
        look(view, width)
        places = [axes.get_position() for axes in view._artists.figure.axes]
        assert len({round(place.y0, 2) for place in places}) == rows
        assert all(place.width > 0.2 for place in places)


def test_close_leaves_nothing():
    model = Model("relu")

    def watchers():
        return sum(len(h) for kinds in model._trait_notifiers.values() for h in kinds.values())

    def cycle():
        view = AssumptionsView(model, presentation=True)
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


def test_axes_without_a_height_have_no_ticks():
    view = AssumptionsView(ll.formula("exp(abs(x)^1.9)"))
    assert view.figure
    middle, right = view._artists.middle, view._artists.right
    assert len(middle.get_yticks()) == 0
    assert middle.get_xlim() == (-4, 4)
    assert len(right.get_yticks()) > 2
    view.activation = "reciprocal"
    assert view.figure
    assert len(middle.get_yticks()) > 2
    assert len(right.get_yticks()) == 0
    view.activation = "tanh"
    assert view.figure
    assert len(middle.get_yticks()) > 2 < len(right.get_yticks())
    view.close()


def test_a_steep_mean_leaves_the_axes_and_does_not_lie_on_their_top():
    view = AssumptionsView("exp_power")
    assert view.figure
    top = view._artists.right.get_ylim()[1]
    m = view._artists.mean.get_ydata()
    beyond = m[m > top]
    assert len(beyond)
    shown = view._artists.right.transData.transform([[0, y] for y in (top, beyond.min())])
    assert shown[1, 1] > shown[0, 1] + 2  # pixels
    view.close()
