"""The lab's picture: limits, counts, and artists that are moved and never made anew."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

import lengthlab as ll
from lengthlab.convergence import Bins, Experiment
from lengthlab.drawing import arrange_lab, caption_lab, draw_lab, save_lab, update_lab
from lengthlab.drawing.limits import Limits
from lengthlab.drawing.parts import round_up
from lengthlab.drawing.places import Places, Room, put_legend
from lengthlab.drawing.tally import Tally
from lengthlab.widgets import (
    AssumptionsView,
    CorrelationView,
    CounterexampleView,
    HiddenNodesView,
    WidthExplorer,
)

pytestmark = pytest.mark.filterwarnings("error")


def experiment(name="tanh", *, width=64, depth=4, trials=0, sigma_w=1.5, **parameters):
    net = ll.Network(ll.activation(name, **parameters), sigma_w=sigma_w, sigma_b=0.3)
    made = Experiment(net, width=width, depth=depth)
    if trials:
        made.add(ll.sample_lengths(net, width=width, depth=depth, trials=trials, rng=0))
    return made


@given(st.floats(1e-300, 1e300))
def test_round_numbers_are_near_and_not_below(x):
    rounded = round_up(x)
    assert x <= rounded <= 1.5 * x
    digits = f"{rounded:.6e}".split("e")[0].rstrip("0").rstrip(".")
    assert digits in {"1", "1.2", "1.5", "2", "2.5", "3", "4", "5", "6", "8"}


class TestLimits:
    def test_linear_from_zero_where_lengths_are_alike(self):
        limits = Limits(experiment(trials=200), "auto")
        assert not limits.log
        assert limits.limits[0] == 0
        assert limits.limits[1] in (4.0, 5.0)

    def test_logarithmic_where_they_are_not(self):
        limits = Limits(experiment("identity", depth=12), "auto")
        assert limits.log
        assert np.log10(limits.limits) == pytest.approx(np.round(np.log10(limits.limits)))

    def test_by_hand(self):
        assert Limits(experiment(), "log").log
        assert not Limits(experiment("identity", depth=12), "linear").log

    def test_all_zero_has_limits_too(self):
        net = ll.Network("dirichlet")
        limits = Limits(Experiment(net, width=5, depth=2), "auto")
        assert np.isfinite(limits.limits).all()

    def test_one_exploding_network_does_not_flatten_the_others(self):
        calm = experiment(trials=100)
        wild = experiment(trials=100)
        wild.add(np.full((1, 4), 1e40))
        wild.add(np.full((1, 4), np.inf))
        assert Limits(wild, "linear").limits[1] <= 1e5 * Limits(calm, "linear").limits[1]

    def test_they_only_grow_while_a_run_goes_on(self):
        made = experiment()
        first = Limits(made, "auto")
        made.add(np.full((50, 4), 9.0))
        second = Limits(made, "auto", floor=first)
        assert second.limits[1] > first.limits[1]
        assert not first.is_fresh()
        assert second.is_fresh()

    def test_an_axis_too_long_for_its_ticks_loses_its_top(self):
        low, high = Limits(deep_relu(), "log").limits
        assert low <= 4
        assert 1e180 < high <= 1e300


def deep_relu():
    return Experiment(ll.Network("relu", sigma_w=2.0), width=20, depth=1000)


EXTREMES = [
    *[("tanh", {"sigma_w": sigma_w}) for sigma_w in (1e-154, 5e-155, 1e-160, 1e-161, 1.34e154)],
    *[("relu", {"sigma_w": sigma_w}) for sigma_w in (1e20, 1e140, 1.3e154, 1.34e154)],
    ("tanh", {"sigma_w": 1e154, "sigma_b": 1e154}),
]


@pytest.mark.parametrize("scale", ["auto", "linear", "log"])
@pytest.mark.parametrize(("name", "scales"), EXTREMES)
def test_lengths_at_the_ends_of_the_floats_are_drawn(name, scales, scale):
    made = Experiment(ll.Network(name, **scales), width=100, depth=10)
    made.add(ll.sample_lengths(made.net, width=100, depth=10, trials=50, rng=0))
    for layer in (1, 2, 10):
        draw_lab(made, layer=layer, scale=scale).figure.draw_without_rendering()


@pytest.mark.parametrize("layer", [1, 500, 1000])
def test_hundreds_of_decades_are_drawn(layer):
    made = deep_relu()
    made.add(ll.sample_lengths(made.net, width=20, depth=1000, trials=50, rng=0))
    artists = draw_lab(made, layer=layer, scale="log")
    arrange_lab(artists, 400)
    artists.figure.set_size_inches(3.2, 4.2)
    artists.figure.draw_without_rendering()
    assert len(artists.beyond.get_xdata()) > 0


class TestTally:
    def test_counting_in_pieces_is_counting_at_once(self):
        rng = np.random.default_rng(0)
        made = experiment(depth=1)
        tally = Tally(made, 1, Bins(0.0, 5.0, 37))
        for size in (1, 5, 0, 80):
            if size:
                made.add(rng.exponential(2.0, (size, 1)))
            tally.outline()
        lengths = made.lengths[:, 0]
        np.testing.assert_array_equal(tally.counts, np.histogram(lengths, tally.edges)[0])
        assert tally.above == (lengths >= 5).sum()

    def test_outline_is_a_closed_staircase_of_height_one(self):
        made = experiment(depth=1, trials=300)
        lengths, heights = Tally(made, 1, Bins(0.0, 5.0, 40)).outline()
        assert (heights[0], heights[-1], heights.max()) == (0, 0, 1)
        assert (np.diff(lengths) >= 0).all()


class TestLab:
    def test_artists_are_moved_and_not_made_anew(self):
        made = experiment()
        artists = draw_lab(made)
        before = [set(map(id, axes.get_children())) for axes in artists.figure.axes]
        for _ in range(3):
            made.add(ll.sample_lengths(made.net, width=64, depth=4, trials=50, rng=1))
            update_lab(artists, made, layer=2)
        assert [set(map(id, axes.get_children())) for axes in artists.figure.axes] == before

    def test_what_is_shown_is_what_was_computed(self):
        made = experiment(trials=500)
        artists = draw_lab(made, layer=3)
        np.testing.assert_array_equal(artists.curve.get_ydata(), made.prediction.values)
        assert artists.predicted.get_xdata() == [made.prediction.values[2]] * 2
        s = made.summary(3)
        assert list(artists.quantiles.get_xdata()) == [s.low, s.median, s.high]
        band = artists.band.get_path().vertices
        assert set(made.band.lower) | set(made.band.upper) == set(band[:, 1])

    def test_an_infinite_map_ends_and_exploding_networks_are_marked(self):
        made = experiment("exp_square", c=0.2, depth=6, width=10, trials=100)
        artists = draw_lab(made)
        curve = np.asarray(artists.curve.get_ydata())
        first = made.prediction.first_infinite
        assert np.isfinite(curve[: first - 1]).all()
        assert np.isnan(curve[first - 1 :]).all()
        assert len(artists.beyond.get_xdata()) > 0

    def test_data_far_outside_does_not_squeeze_the_axes(self):
        artists = draw_lab(experiment())
        artists.figure.draw_without_rendering()
        before = artists.main.get_position().bounds
        artists.predicted.set_data([1e6, 1e6], [0.0, 1.0])
        artists.curve.set_ydata([1e6] * 4)
        artists.figure.draw_without_rendering()
        assert artists.main.get_position().bounds == pytest.approx(before)

    def test_narrow_pages_stack_the_axes(self):
        artists = draw_lab(experiment())
        assert arrange_lab(artists, 400) > 1
        assert arrange_lab(artists, 410) is None
        artists.figure.set_size_inches(4, 6.8)
        artists.figure.draw_without_rendering()
        assert artists.main.get_position().y0 > artists.detail.get_position().y1
        assert arrange_lab(artists, 900) < 1

    @pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
    def test_saving(self, tmp_path, suffix):
        path = tmp_path / f"lab.{suffix}"
        save_lab(path, experiment(trials=50), caption="tanh")
        assert path.stat().st_size > 5000

    def test_caption(self):
        artists = draw_lab(experiment())
        caption_lab(artists, "tanh, width 64")
        assert artists.main.get_title(loc="left") == "tanh, width 64"


def test_in_grey_print_band_bars_and_curve_are_apart():
    artists = draw_lab(experiment(trials=50))

    def grey(artist, colour):
        red, green, blue = to_rgb(colour)
        alpha = 1.0 if artist.get_alpha() is None else artist.get_alpha()
        return alpha * (0.299 * red + 0.587 * green + 0.114 * blue) + 1 - alpha

    band = grey(artists.detail_band, artists.detail_band.get_facecolor())
    bars = grey(artists.detail_bars, artists.detail_bars.get_facecolor())
    line = grey(artists.predicted, artists.predicted.get_color())
    assert 1 > band > bars + 0.15 > line + 0.3


# --- places ---------------------------------------------------------------------------------------


def test_margins_are_kept_in_inches_at_every_size():
    figure = Figure(figsize=(8, 4), layout=Places())
    grid = GridSpec(2, 2, figure)
    axes = figure.subplots(2, 2)
    cells = {axes[k, j]: grid[k, j] for k in range(2) for j in range(2)}
    room = Room(0.6, 0.2, 0.5, 0.4, across=0.7, down=0.3)
    figure.get_layout_engine().put(grid, cells, room)
    for size in ((8, 4), (5, 7)):
        figure.set_size_inches(size)
        figure.draw_without_rendering()
        (x0, y0), (x1, y1) = axes[1, 0].get_position().get_points() * size
        assert (x0, y0) == pytest.approx((0.6, 0.5))
        (x2, y2), (x3, y3) = axes[0, 1].get_position().get_points() * size
        assert (x2 - x1, y2 - y1) == pytest.approx((0.7, 0.3))
        assert (size[0] - x3, size[1] - y3) == pytest.approx((0.2, 0.4))
    figure.set_size_inches(0.5, 0.5)  # too small for any margin
    figure.draw_without_rendering()
    assert axes[0, 0].get_position().width > 0


def test_a_legend_replaces_the_one_before_and_fits_its_height():
    figure = Figure(figsize=(8, 4), layout=Places())
    line = figure.subplots().plot([0, 1])[0]
    others = figure.axes[0].plot([[0, 0], [1, 2]])
    for columns in (3, 1):
        labels = dict(zip([line, *others], "abc", strict=True))
        height = put_legend(figure, labels, columns=columns)
        (legend,) = figure.legends
        figure.draw_without_rendering()
        box = legend.get_window_extent()
        below = (figure.bbox.y1 - box.y0) / figure.dpi
        assert below - 0.1 < height < below + 0.1


def texts_drawn(view):
    """Boxes of all that is written, with what stands there."""
    with view._captioned():
        view.png()
        figure, renderer = view._artists.figure, view._scene._canvas.get_renderer()
        found = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
        for axes in figure.axes:
            if not axes.axison:
                found += axes.texts
                continue
            found += [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
            for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
                for tick in axis.get_major_ticks(len(axis.get_majorticklocs())):
                    low, high = sorted(limits)
                    if low <= tick.get_loc() <= high and tick.label1.get_visible():
                        found.append(tick.label1)
        boxes = [
            (text.get_text(), text.get_window_extent(renderer).padded(-1))
            for text in found
            if text.get_visible() and text.get_text().strip()
        ]
        return boxes, figure.bbox.frozen()


ODD = {
    "tanh": {},
    "reciprocal": {},
    "power": {"exponent": -0.3},
    "exp_square": {},
    "exp_power": {},
}


@pytest.mark.parametrize("width", [960, 640, 400])
@pytest.mark.parametrize("name", [*ODD, "x*exp(-x^2)+1/(1+x^2)", "exp(abs(x)^1.9)"])
@pytest.mark.parametrize(
    "kind", [HiddenNodesView, CorrelationView, CounterexampleView, AssumptionsView, WidthExplorer]
)
def test_no_text_is_cut_or_lies_on_another(kind, name, width):
    phi = ll.activation(name, **ODD[name]) if name in ODD else ll.formula(name)
    own = {} if kind is AssumptionsView else {"depth": 3, "width": 100}
    own |= {"against": "exp_power"} if kind is CounterexampleView else {}
    view = kind(phi, **own)
    view._receive(None, {"kind": "view", "width": width, "ratio": 1}, [])
    if kind is not AssumptionsView:
        view.run(3)
    boxes, page = texts_drawn(view)
    view.close()
    assert len(boxes) > 15
    for text, box in boxes:
        assert page.x0 <= box.x0 < box.x1 <= page.x1, f"{text!r} is cut"
        assert page.y0 <= box.y0 < box.y1 <= page.y1, f"{text!r} is cut"
    for (first, one), (second, other) in combinations(boxes, 2):
        assert not one.overlaps(other), f"{first!r} lies on {second!r}"
