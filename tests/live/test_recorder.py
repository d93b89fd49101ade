import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from lengthlab.live.recorder import FAR, Recorder, UnsupportedArtistError


def drawn(*artists, dpi=100, size=(200, 100)):
    """Record artists given in pixels, y upwards, on a canvas of `size`."""
    figure = Figure(figsize=(size[0] / dpi, size[1] / dpi), dpi=dpi)
    recorder = Recorder(*size, dpi)
    for artist in artists:
        artist.set_figure(figure)
        artist.draw(recorder)
    return recorder


def parts(recorder):
    """Vertices and codes as the browser finds them in the payload."""
    count, payload = recorder.header()["count"], recorder.payload()
    xy = np.frombuffer(payload, "<f4", 2 * count).reshape(-1, 2)
    return xy, np.frombuffer(payload, np.uint8, count, 8 * count)


def styles(recorder):
    return [recorder.styles[style] for style, *_ in recorder.ops]


def sides(xy, codes):
    """Differences between the ends of each side of the recorded shapes."""
    drawn_to = np.flatnonzero(codes == Path.LINETO)
    return xy[drawn_to] - xy[drawn_to - 1]


def test_a_filled_rectangle_is_recorded_with_y_downwards():
    recorder = drawn(Rectangle((10, 20), 30, 40, facecolor="red", linewidth=0))
    xy, codes = parts(recorder)
    corners = {(x, y) for x, y in xy[codes != Path.CLOSEPOLY].tolist()}
    assert corners == {(10, 80), (40, 80), (40, 40), (10, 40)}
    assert styles(recorder) == [{"f": "rgba(255,0,0,1)"}]
    assert recorder.bounds((0, 1)) == (9, 39, 32, 42)


def test_line_widths_and_dashes_are_in_device_pixels():
    line = Line2D([0, 100], [50, 50], linewidth=3, color="#00ff0080", dashes=(2, 1))
    (style,) = styles(drawn(line, dpi=144))
    assert style["w"] == 6
    assert style["d"] == [12, 6]
    assert style["s"] == "rgba(0,255,0,0.502)"
    assert "f" not in style


def test_equal_styles_are_sent_once():
    lines = [Line2D([0, 50], [y, y], color="black") for y in (10, 20, 30)]
    recorder = drawn(*lines)
    assert len(recorder.ops) == 3
    assert len(recorder.styles) == 1


def test_invisible_paint_is_not_recorded():
    assert drawn(Rectangle((0, 0), 9, 9, facecolor="none", edgecolor="none")).ops == []
    assert drawn(Line2D([0, 9], [0, 9], linewidth=0)).ops == []
    assert drawn(Line2D([], [])).ops == []
    assert drawn().payload() == b""


@pytest.mark.parametrize("gap", [np.nan, np.inf])
def test_a_line_breaks_where_it_is_not_finite(gap):
    recorder = drawn(Line2D([0, 10, 20, 30, 40], [5, 10, gap, 10, 5], color="black"))
    _, codes = parts(recorder)
    assert codes.tolist() == [1, 2, 1, 2]


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_an_infinite_step_stays_upright(infinite):
    axes = Figure().subplots()
    steps = axes.stairs([1, infinite, 2], [0, 1, 2, 3], fill=True)
    axes.set(xlim=(0, 3), ylim=(0, 3))
    recorder = Recorder(640, 480, 100)
    steps.draw(recorder)
    xy, codes = parts(recorder)
    assert np.isfinite(xy).all()
    assert np.abs(xy).max() == FAR
    assert (np.min(np.abs(sides(xy, codes)), axis=1) == 0).all()


def test_a_filled_part_with_a_nan_goes_as_a_whole():
    square = [(0, 0), (0, 9), (9, 9), (9, 0)]
    broken = [(50, 0), (50, 9), (np.nan, 9), (59, 0)]
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO]
    recorder = drawn(PathPatch(Path(square + broken, codes * 2), linewidth=0))
    xy, _ = parts(recorder)
    assert len(xy) == 4
    assert xy[:, 0].max() == 9


def test_what_is_far_away_stays_within_float32():
    recorder = drawn(Rectangle((0, 0), 10, 1e300, linewidth=0))
    xy, _ = parts(recorder)
    assert np.abs(xy).max() == FAR


def test_markers_are_one_shape_unless_their_overlap_shows():
    x = [10, 12, np.nan, 50]
    opaque = Line2D(x, [30] * 4, marker="s", linestyle="", color="black")
    translucent = Line2D(x, [30] * 4, marker="s", linestyle="", color="black", alpha=0.5)
    assert len(drawn(opaque).ops) == 1
    assert len(drawn(translucent).ops) == 3


def test_markers_stand_on_whole_pixels():
    recorder = drawn(Line2D([10.4], [30.4], marker="s", linestyle="", color="k", markersize=7.2))
    xy, codes = parts(recorder)
    xy = xy[codes != Path.CLOSEPOLY]
    assert ((xy - 0.5) % 1 == 0).all()
    np.testing.assert_allclose(xy.mean(axis=0), (10, 70), atol=1)


def test_text_is_recorded_as_outlines():
    recorder = drawn(Text(10, 10, r"V $\sigma_w^2$", color="blue"))
    assert {tuple(style) for style in styles(recorder)} == {("f",)}
    _, codes = parts(recorder)
    assert Path.CURVE3 in codes


def test_clips_fall_on_whole_pixels():
    rectangle = Rectangle((0, 0), 90, 90, linewidth=0)
    rectangle.set_clip_box(Bbox.from_bounds(10.4, 20.4, 30, 40))
    (style,) = styles(drawn(rectangle))
    assert style["b"] == [10, 40, 30, 40]


def test_a_clip_path_is_part_of_the_record():
    rectangle = Rectangle((0, 0), 90, 90, linewidth=0)
    triangle = Path([(0, 0), (40, 0), (0, 40), (0, 0)])
    rectangle.set_clip_path(PathPatch(triangle, transform=None))
    recorder = drawn(rectangle)
    first, count = styles(recorder)[0]["p"]
    xy, _ = parts(recorder)
    np.testing.assert_array_equal(xy[first : first + count], triangle.vertices * (1, -1) + (0, 100))


def test_a_hatch_is_painted_within_its_shape():
    recorder = drawn(Rectangle((0, 0), 90, 90, facecolor="white", hatch="//", linewidth=0))
    fill, hatch = styles(recorder)
    assert "p" not in fill
    assert hatch["p"][1] >= 4
    assert hatch["s"] == hatch["f"] == "rgba(0,0,0,1)"


def image_axes():
    axes = Figure(figsize=(2, 2), dpi=100).subplots()
    return axes, axes.imshow([[0.0, 1.0], [2.0, 3.0]])


def test_pixels_of_an_image_follow_the_codes():
    axes, image = image_axes()
    recorder = Recorder(200, 200, 100)
    axes.apply_aspect()
    image.draw(recorder)
    (style,) = styles(recorder)
    offset, width, height = style["i"]
    assert offset == 0
    assert len(recorder.payload()) == 9 * recorder.header()["count"] + 4 * width * height
    box = recorder.bounds((0, 1))
    assert box[2:] == (width + 2, height + 2)


def test_moving_images_and_meshes_are_refused_by_name():
    axes, image = image_axes()
    mesh = axes.pcolormesh([[0.0, 1.0], [2.0, 3.0]])
    assert isinstance(mesh, QuadMesh)
    for artist, what in ((image, "AxesImage"), (mesh, "QuadMesh")):
        recorder = Recorder(200, 200, 100)
        message = f"{what}.*leave it out of the moving artists"
        with recorder.moving(artist), pytest.raises(UnsupportedArtistError, match=message):
            artist.draw(recorder)
        artist.draw(recorder)
        assert recorder.ops


def test_gouraud_shading_is_refused_with_a_way_out():
    mesh = Figure().subplots().pcolormesh(np.zeros((3, 3)), shading="gouraud")
    with pytest.raises(UnsupportedArtistError, match="shading='flat'"):
        mesh.draw(Recorder(640, 480, 100))


def test_bounds_stay_on_the_canvas():
    recorder = drawn(Rectangle((-500, 20), 520, 10, linewidth=0))
    assert recorder.bounds((0, 1)) == (0, 69, 21, 12)
    assert recorder.bounds((1, 1)) is None
    assert drawn(Rectangle((-500, 20), 20, 10, linewidth=0)).bounds((0, 1)) is None
