import io

import numpy as np
import pytest
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.layout_engine import ConstrainedLayoutEngine

from lengthlab.live.scene import Scene


@pytest.fixture
def figure():
    figure = Figure(figsize=(4, 2), dpi=100)
    figure.subplots(1, 2)
    figure.suptitle("two")
    return figure


@pytest.fixture
def line(figure):
    return figure.axes[0].plot([0, 1], [0, 1])[0]


@pytest.fixture
def scene(figure, line):
    scene = Scene(figure, [line])
    scene.record()
    return scene


def renewed(scene):
    """Numbers of the units that the next record renews."""
    still = scene.record()[0]["still"]
    return [] if still is None else list(still["units"])


def pixels(png):
    return imread(io.BytesIO(png))


def test_the_first_record_has_everything(figure, line):
    header, payload = Scene(figure, [line]).record()
    assert header["number"] == 1
    assert header["still"]["base"] == 0
    assert header["still"]["size"] == (400, 200)
    assert list(header["still"]["units"]) == [0, 1, 2]
    assert len(payload) == 9 * header["count"]


def test_a_moved_artist_renews_nothing(scene, line):
    before = scene.record()
    line.set_data([0, 1], [1, 0])
    after = scene.record()
    assert before[0]["still"] is after[0]["still"] is None
    assert before[0]["number"] == after[0]["number"] == 1
    assert before[1] != after[1]


@pytest.mark.parametrize(
    ("change", "units"),
    [
        (lambda f: f.axes[0].set_xlim(0, 3), [1]),
        (lambda f: f.axes[1].set_yscale("log"), [2]),
        (lambda f: f.axes[1].title.set_text("new"), [2]),
        (lambda f: f.axes[1].xaxis.label.set_color("red"), [2]),
        (lambda f: f.axes[0].set_visible(False), [1]),
        (lambda f: f.suptitle("three"), [0]),
        (lambda f: f.patch.set_facecolor("black"), [0]),
        (lambda f: f.text(0, 0, "new"), [0]),
    ],
)
def test_only_what_changed_is_renewed(scene, figure, change, units):
    change(figure)
    assert renewed(scene) == units
    assert renewed(scene) == []


def test_a_renewal_says_what_it_builds_upon(scene, figure):
    figure.axes[0].set_xlim(0, 3)
    header, _ = scene.record()
    assert header["still"]["base"] == 1
    assert header["number"] == 2
    assert scene.record(everything=True)[0]["still"]["base"] == 0


def test_limits_that_a_new_line_widens_later_are_noticed(scene, figure):
    figure.axes[1].plot([0, 5], [0, 5])
    renewed(scene)
    figure.axes[1].lines[0].set_data([0, 50], [0, 50])
    figure.axes[1].relim()
    figure.axes[1].autoscale()
    assert renewed(scene) == [2]
    assert figure.axes[1].get_xlim()[1] > 50


def test_shared_limits_renew_both(figure):
    figure.axes[0].sharex(figure.axes[1])
    scene = Scene(figure, [])
    scene.record()
    figure.axes[0].set_xlim(0, 3)
    assert renewed(scene) == [1, 2]


def test_an_axes_that_is_added_or_removed_renews_everything(scene, figure):
    added = figure.add_axes((0, 0, 0.1, 0.1))
    assert renewed(scene) == [0, 1, 2, 3]
    added.remove()
    assert renewed(scene) == [0, 1, 2]


def test_saving_by_hand_does_not_hide_a_change(scene, figure):
    figure.axes[0].set_xlim(0, 3)
    figure.savefig(io.BytesIO(), format="png")
    assert 1 in renewed(scene)


def test_saving_renews_nothing_and_leaves_size_and_dpi(scene, figure):
    scene.save(dpi=50)
    assert renewed(scene) == []
    assert scene.size == (400, 200)
    assert figure.dpi == 100


def test_the_saved_picture_has_what_moves(figure, line):
    text = figure.text(0.5, 0.5, "on the figure")
    scene = Scene(figure, [line, text])
    whole = pixels(scene.save())
    text.set_visible(False)
    without_text = pixels(scene.save())
    line.set_visible(False)
    without_both = pixels(scene.save())
    assert whole.shape == (200, 400, 4)
    assert (whole != without_text).any()
    assert (without_text != without_both).any()
    assert line.get_animated()


def kinds(scene, unit):
    pile = scene.record(everything=True)[0]["still"]["units"][unit]
    return [next(iter(part)) for part in pile]


def test_a_pile_keeps_the_order_of_the_artists():
    figure = Figure()
    axes = figure.subplots()
    band = axes.fill_between([0, 1], [0, 0], [1, 1])
    (line,) = axes.plot([0, 1], [0, 1])
    axes.set_axisbelow(True)  # the ticks lie under what moves, the spines over it
    scene = Scene(figure, [line, band])
    pile = scene.record()[0]["still"]["units"][1]
    assert [part.get("moving", "layer") for part in pile] == ["layer", 1, 0, "layer"]


def test_the_figure_has_places_for_its_axes_and_its_own_moving_artists(figure):
    scene = Scene(figure, [figure.text(0, 0, "moves")])
    assert kinds(scene, 0) == ["layer", "unit", "unit", "layer", "moving"]


def test_subfigures_are_part_of_the_figure():
    figure = Figure()
    for part in figure.subfigures(1, 2):
        part.subplots()
        part.suptitle("part")
    scene = Scene(figure, [])
    assert kinds(scene, 0) == ["layer", "unit", "layer", "unit", "layer"]


def test_a_moving_artist_of_an_inset_moves_within_its_parent():
    figure = Figure()
    inset = figure.subplots().inset_axes((0.5, 0.5, 0.4, 0.4))
    scene = Scene(figure, inset.plot([0, 1], [0, 1]))
    assert kinds(scene, 1) == ["layer", "moving", "layer"]


class CountingEngine(ConstrainedLayoutEngine):
    runs = 0

    def execute(self, fig):
        self.runs += 1
        super().execute(fig)


def test_the_layout_runs_once_for_each_size():
    engine = CountingEngine()
    figure = Figure(layout=engine)
    axes = figure.subplots()
    scene = Scene(figure, [])
    scene.record()
    axes.set_ylabel("a label\nof two lines")
    scene.record()
    scene.save()
    assert engine.runs == 1
    scene.resize(500, aspect=0.5, pixel_ratio=2)
    scene.resize(500, aspect=0.5, pixel_ratio=2)
    scene.record()
    assert engine.runs == 2
    assert scene.size == (1000, 500)
    scene.relayout()
    assert renewed(scene) == [0, 1]
    assert engine.runs == 3


def test_a_canvas_too_small_for_its_layout_warns_nobody(recwarn):
    figure = Figure(layout="constrained")
    figure.subplots(4, 4)
    scene = Scene(figure, [])
    scene.resize(60, aspect=0.5, pixel_ratio=1)
    scene.record()
    assert not recwarn.list


def test_points_are_located_in_data_coordinates(scene, figure):
    axes = figure.axes[1]
    axes.set(xscale="log", xlim=(1, 100), ylim=(0, 4))
    box = axes.get_position()
    found, x, y = scene.locate(box.x0 + box.width / 2, 1 - (box.y0 + box.height / 4))
    assert found is axes
    np.testing.assert_allclose((x, y), (10, 1))
    assert scene.locate(0, 0) is None


def test_the_uppermost_axes_is_found(scene, figure):
    below = figure.axes[0]
    inset = below.inset_axes((0, 0, 1, 1))
    box = below.get_position()
    centre = box.x0 + box.width / 2, 1 - (box.y0 + box.height / 2)
    assert scene.locate(*centre)[0] is inset
    inset.set_visible(False)
    assert scene.locate(*centre)[0] is below


def test_a_released_figure_is_an_ordinary_one(line):
    figure = line.figure
    callbacks = [part.stale_callback for part in (figure, *figure.axes)]
    engine = ConstrainedLayoutEngine()
    figure.set_layout_engine(engine)
    scene = Scene(figure, [line])
    scene.record()
    scene.release()
    assert [part.stale_callback for part in (figure, *figure.axes)] == callbacks
    assert figure.get_layout_engine() is engine
    assert type(figure.canvas) is FigureCanvasBase
    assert not line.get_animated()
    assert "draw" not in vars(line)
