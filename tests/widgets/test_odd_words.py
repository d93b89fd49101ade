"""What widgets say and show of activations at which something is infinite, or 0."""

import math

import numpy as np
import pytest

import lengthlab as ll
from lengthlab.convergence import Experiment
from lengthlab.drawing.limits import Limits
from lengthlab.widgets import (
    VIEWS,
    AssumptionsView,
    CorrelationView,
    CounterexampleView,
    DepthWidth,
    HiddenNodesView,
    LengthLab,
    LengthMapView,
    PhaseDiagram,
    UnitScaleView,
    WidthExplorer,
)

pytestmark = pytest.mark.filterwarnings("error")


def notes(view):
    """Its sentences, with those that take their time."""
    view.complete()
    view._show_parameters()
    return view._notes


@pytest.mark.parametrize("phi", ["reciprocal", ll.activation("power", exponent=-0.3)])
def test_a_band_that_does_not_exist_is_not_called_one_of_first_order(phi):
    view = DepthWidth(phi, width=50, depth=20)
    assert any(line.startswith("No band from layer 2 on: phi^2 has") for line in notes(view))
    assert not any("first order" in line for line in view._notes)
    view.activation = "tanh"
    assert any("of first order" in line for line in notes(view))
    view.close()


def test_a_map_that_is_infinite_at_every_length_is_said_to_be_so():
    view = LengthMapView("reciprocal")
    assert "The map is infinite at every q > 0." in notes(view)
    view.activation = "exp_square"
    assert "The map is infinite from q = 2.5 on (dotted line)." in notes(view)
    view.close()


def test_chi_is_called_infinite_only_where_it_is():
    view = PhaseDiagram(ll.formula("where(x>1, x, 0)"))
    view.complete()
    assert dict(view._pairs())["chi"] == "0"  # at 0, where this model rests
    assert any(
        line.startswith("Where lengths rest above 0 chi is infinite") for line in notes(view)
    )
    view.close()


def test_why_there_is_no_exact_law_is_no_advice_to_a_programmer():
    view = LengthLab("reciprocal")
    line = next(line for line in notes(view) if line.startswith("No exact law"))
    assert line.endswith("has infinite variance at every length.")
    view.close()


def test_a_length_that_stays_at_1_is_above_the_ends_of_a_logarithmic_axis():
    view = UnitScaleView("identity")
    view.complete()
    assert view.figure
    assert view._artists.main.get_yscale() == "log"
    assert view._artists.main.get_ylim()[0] < 1
    view.close()


def test_lengths_that_are_0_have_an_axis_with_numbers():
    view = WidthExplorer(ll.formula("0*x"), depth=2)
    view.run(20)
    assert view.figure
    assert 0 in view._artists.lengths.get_yticks()
    view.close()


def test_a_fall_to_0_does_not_flatten_what_came_before():
    # phi needs x > 1, so the map falls: 1, 0.4, 0.1, 1e-3, and then below every float.
    experiment = Experiment(ll.Network(ll.formula("where(x>1, x, 0)")), width=100, depth=10)
    assert experiment.prediction.values[4] < 1e-100
    found = Limits(experiment, "auto")
    assert found.log
    assert 1e-20 < found.limits[0] < 1e-3


def test_a_steady_decay_is_shown_to_its_end():
    experiment = Experiment(ll.Network("relu", sigma_w=0.05), width=100, depth=50)
    low, high = Limits(experiment, "auto").limits
    assert low < experiment.prediction.values[-1] < experiment.prediction.values[0] < high
    assert math.log10(high / low) > 100


@pytest.mark.parametrize("kind", VIEWS, ids=lambda view: view.__name__)
def test_a_lecture_has_only_the_sentences_that_warn(kind):
    view = kind(ll.formula("tanh(x) + x/2"), presentation=True)
    assert "phi(x) = tanh(x) + x/2" not in notes(view)
    view.close()
    ordinary = kind(ll.formula("tanh(x) + x/2"))
    shown = any(line == "phi(x) = tanh(x) + x/2" for line in notes(ordinary))
    assert shown is (kind.__name__ != "CounterexampleView")  # there each of two has its name
    ordinary.close()


@pytest.mark.parametrize(
    ("kind", "moved"),
    [
        (HiddenNodesView, "width"),
        (DepthWidth, "depth"),
        (CorrelationView, "angle"),
        (CounterexampleView, "against"),
        (WidthExplorer, "eps"),
    ],
)
def test_a_lecture_keeps_the_control_that_the_picture_is_about(kind, moved):
    view = kind(presentation=True)
    assert moved in [field["name"] for field in view._fields]
    assert len(view._fields) == 3
    view.close()


def test_in_a_lecture_a_verdict_is_still_given():
    view = AssumptionsView("reciprocal", presentation=True)
    assert any("bounded on finite intervals" in line for line in notes(view))
    view.close()


def test_numbers_of_the_fall_are_not_lost():
    view = LengthLab(ll.formula("where(x>1, x, 0)"), depth=10)
    view.run(50)
    assert ("zero", "50") in view._pairs()
    assert np.isfinite(view._artists.main.get_ylim()).all()
    view.close()
