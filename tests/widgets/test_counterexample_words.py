"""Where the counterexample's axes end, and what it says of a phi that no simulation can see."""

import numpy as np
import pytest

import lengthlab as ll
from lengthlab.widgets.correlation import CorrelationView
from lengthlab.widgets.counterexample import CounterexampleView
from lengthlab.widgets.histograms import Histograms
from lengthlab.widgets.words import unseen

pytestmark = pytest.mark.filterwarnings("error")


def seen(phi, **parameters):
    view = CounterexampleView(phi, **parameters)
    view._receive(None, {"kind": "view", "width": 960, "ratio": 1}, [])
    return view


def frame(view):
    view._receive(None, {"kind": "frame", "slot": 1}, [])


def axis(panel):
    return panel.axes.get_yscale(), panel.axes.get_ylim()


# --- axes -----------------------------------------------------------------------------------------


def watched(view, width):
    """Paint frames until there are networks of this width, and none yet of the largest."""
    sample = next(sample for sample in view.sides[0].samples if sample.width == width)
    while not sample.drawn:
        frame(view)
    assert view.drawn == 0


def test_a_change_to_a_phi_that_converges_brings_its_own_axes_at_once():
    # A network of width 10^7 takes a hundred frames: as long nobody should look at 1/x's axis.
    view = seen("reciprocal", width=10**7)
    watched(view, 1000)
    assert axis(view._artists.panels[0][2])[0] == "log"
    view.activation = "tanh"
    watched(view, 10)
    means, _, lengths, over = view._artists.panels[0]
    assert means.words.get_text() == ""
    assert axis(over)[0] == "log"
    for panel in (means, lengths):
        scale, limits = axis(panel)
        assert scale == "linear"
        assert limits[1] <= 2
    view.activation = "reciprocal"
    watched(view, 1000)
    means, _, lengths, _ = view._artists.panels[0]
    for panel in (means, lengths):
        scale, limits = axis(panel)
        assert scale == "log"
        assert limits[1] > 100
        assert panel.words.get_text() == "length map:\ninfinite"
    view.close()


def test_a_slight_change_keeps_the_axes():
    view = seen("reciprocal", width=10_000)
    view.run(200)
    assert view.figure
    panels = [panel for row in view._artists.panels for panel in row]
    before = [axis(panel) for panel in panels]
    view.sigma_w = 1.01
    frame(view)
    for panel, (scale, (low, high)) in zip(panels, before, strict=True):
        now = axis(panel)
        assert now[0] == scale
        assert now[1][0] <= low  # a network may be beyond what 90 % of those before were
        assert high <= now[1][1] <= 10 * high
    view.close()


@pytest.mark.parametrize("phi", ["tanh", "exp", "reciprocal", ll.formula("0*x"), "exp_power"])
def test_in_the_end_the_axes_do_not_depend_on_what_was_before(phi):
    view, fresh = seen("reciprocal", width=1000), seen(phi, width=1000)
    view.run(50)
    assert view.figure
    view.activation = phi
    frame(view)
    for each in (view, fresh):
        each.run(50)
        assert each.figure
    for row, like in zip(view._artists.panels, fresh._artists.panels, strict=True):
        for panel, other in zip(row, like, strict=True):
            assert panel.blank == other.blank
            if not panel.blank:
                assert axis(panel) == axis(other)
                np.testing.assert_array_equal(panel.axes.get_yticks(), other.axes.get_yticks())
    view.close()
    fresh.close()


def test_a_phi_that_is_0_is_seen_to_be_0():
    view = seen(ll.formula("0*x"), width=1000)
    view.run(20)
    assert view.figure
    means, _, lengths, over = view._artists.panels[0]
    for panel in (means, lengths):
        assert axis(panel)[0] == "linear"
        assert 0 in panel.axes.get_yticks()
    assert np.nanmax(means.curves.get_ydata()) == 0
    assert over.blank  # of a logarithm
    view.close()


# --- what no simulation can see -------------------------------------------------------------------


def test_the_indicator_of_the_rationals_is_not_said_to_converge_to_what_is_seen():
    view = CounterexampleView("dirichlet", sigma_b=0.5, width=1000)
    view.run(100)
    assert [found.kind for found in view.outcomes] == 2 * ["converges"]
    pairs = view._pairs()
    assert pairs[0] == ("dirichlet", "converges (no float can tell)")
    assert pairs[1] == ("length map", "0.25")
    assert pairs[2][0] == "q_2 of floats at N = 1000"
    assert 1.1 < float(pairs[2][1].split()[0]) < 1.4
    note = next(line for line in view._notes if line.startswith("dirichlet: "))
    assert "every float is rational" in note
    assert "no float can tell" in view.summary
    assert "no float can tell" in view.alt
    assert view.figure
    suspect, other = view._artists.panels
    assert suspect[0].unseen.get_text() == "as floats see it;\nthe map is another"
    assert suspect[0].unseen.get_visible()
    view.activation = "reciprocal"
    view.run(20)
    assert view.figure
    assert suspect[0].unseen.get_text() == other[0].unseen.get_text() == ""
    view.against = "dirichlet"
    view.run(20)
    assert view.figure
    assert other[0].unseen.get_visible()
    assert "dirichlet converges (no float can tell)" in view.summary
    view.close()


@pytest.mark.parametrize("kind", [CorrelationView, Histograms])
def test_every_picture_with_its_networks_says_so(kind):
    view = kind("dirichlet", depth=3)
    assert unseen(view.activation)[0] in view._notes
    view.activation = "tanh"
    assert not any("simulation" in line for line in view._notes)
    view.close()


def test_a_readers_own_phi_of_that_name_is_seen():
    assert unseen(ll.Activation(np.tanh, name="dirichlet")) == []


def test_the_length_map_is_among_the_numbers():
    view = CounterexampleView("reciprocal", width=100)
    view.run(10)
    assert [value for label, value in view._pairs() if label == "length map"] == [
        "infinite",
        "0.3943",
    ]
    view.activation, view.layer = "exp_power", 4
    view.run(10)
    assert ("length map", "beyond every float") in view._pairs()
    view.close()
