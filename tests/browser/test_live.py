import base64
import io
from importlib import resources

import numpy as np
import pytest
from matplotlib.image import imread

pytestmark = pytest.mark.browser

# One of everything: what moves is numbered; the rest is still.
GALLERY = """
import numpy as np
from matplotlib.figure import Figure
from lengthlab.live import LiveFigure

figure = Figure(figsize=(7, 4), layout="constrained")
a, b, c, d = figure.subplots(2, 2).flat
figure.suptitle("A title over all")
x = np.linspace(0, 1, 50)
moving = [a.stairs(np.arange(1, 9), fill=True, alpha=0.5), *a.plot(8 * x, 8 * x**2, "k--")]
a.grid(True)
a.set_title(r"steps $q_\\ell = |h_\\ell|^2 / N$")
moving += b.loglog(x + 0.01, (x + 0.01) ** 2, "o-", color="tab:red", markersize=4)
moving += [b.fill_between(x + 0.01, 0.01, x + 0.02, alpha=0.3, label="band")]
b.legend()
c.imshow(np.arange(12).reshape(3, 4), extent=(0, 1, 0, 1), interpolation="nearest")
c.bar([0.2, 0.7], [0.5, 0.8], width=0.2, hatch="//", facecolor="white", edgecolor="black")
moving += [c.text(0.3, 0.9, "moving text", rotation=20, color="white")]
twin = d.twinx()
moving += d.plot(x, np.sin(7 * x), linewidth=3) + twin.plot(x, 100 * x, ":", color="green")
d.set_ylabel("left")
twin.set_ylabel("right")
inset = d.inset_axes((0.1, 0.1, 0.3, 0.3))
moving += inset.plot(x, x)

picks, keys, widths = [], [], []
live = LiveFigure(
    figure, moving, alt="a gallery", generation=lambda: 5, on_resize=widths.append,
    readout=lambda: [("networks", "12"), ("<b>q</b>", "<i>1.5</i>")],
    on_pick=lambda axes, x, y: picks.append((figure.axes.index(axes), x, y)), on_key=keys.append,
)
live
"""

COUNTER = """
import ipywidgets
from matplotlib.figure import Figure
from lengthlab.live import LiveFigure

steps, fail, errors = 0, False, []
def make_counter():
    figure = Figure(figsize=(4, 2))
    (line,) = figure.subplots().plot([0, 1], [0, 1])
    def advance(seconds):
        global steps
        steps += 1
        if fail:
            raise ArithmeticError("no q")
        line.set_ydata([steps % 7, 1])
    return LiveFigure(figure, [line], advance=advance, on_error=errors.append, running=True,
                      generation=lambda: steps)
counter = make_counter()
counter
"""


@pytest.fixture(scope="module", params=[1, 2])
def gallery(request, keep_notebook):
    notebook = keep_notebook([GALLERY, "live"], pixel_ratio=request.param)
    notebook.run_cell(0)
    notebook.canvas().wait_for()
    notebook.wait_for(0, "(canvas) => canvas.dataset.frame > 0")
    return notebook


@pytest.fixture(scope="module")
def counter(keep_notebook):
    notebook = keep_notebook([COUNTER, "counter", "import time\ntime.sleep(1)"])
    notebook.run_cell(0)
    notebook.canvas().wait_for()
    return notebook


def canvas_pixels(notebook, number=0):
    url = notebook.canvas(number).evaluate("(canvas) => canvas.toDataURL('image/png')")
    return picture(url.split(",")[1])


def picture(encoded):
    return imread(io.BytesIO(base64.b64decode(encoded)))[..., :3]


def differing(one, other):
    """Share of the pixels that differ visibly, and the largest difference of 8 x 8 blocks."""
    assert one.shape == other.shape
    height, width = (8 * (size // 8) for size in one.shape[:2])
    difference = (one - other)[:height, :width]
    blocks = difference.reshape(height // 8, 8, width // 8, 8, 3).mean(axis=(1, 3))
    return (np.abs(difference).max(axis=-1) > 32 / 255).mean(), np.abs(blocks).max()


def saved_pixels(notebook):
    png = "live.png(dpi=live.figure.dpi)"
    return picture(notebook.execute("import base64", f"base64.b64encode({png}).decode()"))


def test_the_browser_paints_what_matplotlib_saves(gallery):
    gallery.repaint("live.refresh()")
    painted = canvas_pixels(gallery)
    share, block = differing(painted, saved_pixels(gallery))
    assert share < 0.02
    assert block < 0.25
    gallery.execute("moving[0].set_visible(False)")
    share, block = differing(painted, saved_pixels(gallery))
    gallery.execute("moving[0].set_visible(True)")
    assert share > 0.02
    assert block > 0.25


def test_the_canvas_has_the_device_s_pixels(gallery):
    ratio = gallery.page.evaluate("window.devicePixelRatio")
    width, css = gallery.canvas().evaluate("(canvas) => [canvas.width, canvas.clientWidth]")
    assert width == pytest.approx(ratio * css, abs=1)
    assert gallery.execute("", "widths[-1]") == css


def test_readers_find_a_name_and_the_numbers(gallery):
    canvas = gallery.canvas()
    assert canvas.get_attribute("role") == "img"
    assert canvas.get_attribute("aria-label") == "a gallery"
    assert canvas.get_attribute("data-generation") == "5"
    readout = gallery.cell(0).locator(".lengthlab-readout")
    assert readout.locator("dt").all_inner_texts() == ["networks", "<b>q</b>"]
    assert readout.locator("dd").all_inner_texts() == ["12", "<i>1.5</i>"]
    gallery.execute("live.alt = 'another'")
    gallery.wait_for(0, "(canvas) => canvas.getAttribute('aria-label') === 'another'")
    gallery.execute("live.alt = 'a gallery'")


def test_keys_reach_the_owner_and_not_the_notebook(gallery):
    gallery.execute("keys.clear()")
    gallery.canvas().focus()
    style = gallery.canvas().evaluate("(canvas) => getComputedStyle(canvas).outlineStyle")
    for key in ("ArrowLeft", "ArrowDown", "Home", "x"):
        gallery.page.keyboard.press(key)
    gallery.page.keyboard.press("Space")
    gallery.page.keyboard.press("Space")
    gallery.page.keyboard.press("End")
    gallery.wait_value("keys", ["ArrowLeft", "ArrowDown", "Home", "End"])
    assert style == "solid"
    assert gallery.canvas().evaluate("(canvas) => canvas === document.activeElement")


def test_clicks_reach_the_owner_in_data_coordinates(gallery):
    gallery.execute("picks.clear()")
    box = gallery.canvas().bounding_box()
    place = gallery.execute("", "[float(v) for v in figure.axes[1].get_position().bounds]")
    x, y, width, height = place
    at = {"x": (x + width / 2) * box["width"], "y": (1 - y - height / 2) * box["height"]}
    gallery.canvas().click(position=at)
    gallery.wait_value("len(picks)", 1)
    number, found_x, found_y = gallery.execute("", "picks[0]")
    low, high, bottom, top = gallery.execute(
        "", "[float(v) for v in (*figure.axes[1].get_xlim(), *figure.axes[1].get_ylim())]"
    )
    assert number == 1
    assert np.log(found_x) == pytest.approx(np.log(low * high) / 2, abs=0.05)
    assert np.log(found_y) == pytest.approx(np.log(bottom * top) / 2, abs=0.1)


def test_a_second_view_shows_the_same(gallery):
    gallery.run_cell(1)
    gallery.canvas(1).wait_for()
    gallery.wait_for(1, "(canvas) => canvas.dataset.frame > 0")
    np.testing.assert_array_equal(canvas_pixels(gallery, 0), canvas_pixels(gallery, 1))
    gallery.repaint("moving[1].set_linewidth(9); live.refresh()", 1)
    np.testing.assert_array_equal(canvas_pixels(gallery, 0), canvas_pixels(gallery, 1))


def test_a_narrow_page_gets_a_narrow_figure(gallery):
    gallery.execute("live.max_width = 400")
    gallery.wait_for(0, "(canvas) => canvas.width === 400 * devicePixelRatio")
    assert gallery.execute("", "widths[-1]") == 400


def test_nothing_went_wrong_or_elsewhere(gallery):
    assert gallery.errors == []
    assert gallery.strangers == []


def test_frames_flow_while_running(counter):
    counter.wait_frames(5)
    counter.execute("counter.running = False")
    painted = counter.execute("counter.refresh()", "steps")
    counter.wait_generation(painted)
    pass_frames(counter)
    assert counter.execute("", "steps") == painted
    counter.execute("counter.running = True")
    counter.wait_frames(5)


def test_both_views_of_a_running_figure_are_painted(counter):
    counter.run_cell(1)
    counter.canvas(1).wait_for()
    counter.wait_frames(5, 1)
    counter.wait_frames(5, 0)


@pytest.mark.parametrize("hidden", ["tab", "view"])
def test_nothing_is_asked_that_nobody_sees(counter, hidden):
    counter.wait_frames(1)
    set_hidden(counter, hidden, True)
    pass_frames(counter)  # while which what was asked for before is answered
    steps = counter.execute("", "steps")
    pass_frames(counter)
    assert counter.execute("", "steps") == steps
    set_hidden(counter, hidden, False)
    counter.wait_frames(5)


def set_hidden(notebook, what, value):
    if what == "tab":
        notebook.page.evaluate(
            """(value) => {
                const state = value ? "hidden" : "visible";
                Object.defineProperty(document, "visibilityState",
                                      { value: state, configurable: true });
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            value,
        )
    else:
        display = "none" if value else ""
        notebook.page.locator(".jp-Notebook").evaluate(
            "(notebook, display) => { notebook.style.display = display; }", display
        )


def pass_frames(notebook):
    """Let the page come 20 times to the moment when it could paint, and ask."""
    notebook.page.evaluate(
        """async () => {
            for (let k = 0; k < 20; k++) await new Promise(requestAnimationFrame);
        }"""
    )


def test_an_error_stops_the_figure_and_reaches_its_owner(counter):
    counter.execute("fail = True")
    counter.wait_value("counter.running", False)
    assert counter.execute("", "[repr(error) for error in errors]") == ["ArithmeticError('no q')"]
    assert "no q" not in counter.outputs(0)
    counter.execute("fail = False; counter.running = True")
    counter.wait_frames(3)


def test_frames_flow_again_after_a_busy_kernel(counter):
    counter.run_cell(2)
    counter.wait_frames(5)


def test_a_restarted_kernel_leaves_the_picture_and_can_start_anew(counter):
    before = canvas_pixels(counter)
    counter.restart_kernel()
    assert canvas_pixels(counter).shape == before.shape
    assert canvas_pixels(counter).std() > 0
    counter.run_cell(0)
    counter.wait_for(0, "(canvas) => canvas.dataset.frame > 0")
    counter.wait_frames(5)
    assert counter.errors == []


def test_a_second_page_gets_the_whole_figure(counter):
    counter.execute("counter.running = True")
    page = counter.new_page()
    canvas = page.locator(".lengthlab-live canvas").first
    canvas.wait_for()
    page.wait_for_function(
        "() => document.querySelector('.lengthlab-live canvas')?.dataset.frame > 3"
    )
    page.close()


@pytest.fixture
def pump(chromium):
    """A page with a pump, a model that never answers by itself, and a clock to be moved by hand."""
    page = chromium.new_page()
    page.clock.install(time=0)
    page.clock.pause_at(1)
    source = resources.files("lengthlab.live").joinpath("pump.js").read_text(encoding="utf-8")
    page.add_script_tag(content=source)
    page.evaluate(
        """() => {
            window.sent = [];
            window.seen = window.running = true;
            const values = { get running() { return running; }, fps: 30 };
            const model = { get: (name) => values[name], send: (message) => sent.push(message) };
            window.pump = new Pump(model, () => seen);
        }"""
    )
    yield page
    page.close()


def asked(page):
    return page.evaluate("sent.length")


def answer(page, number=-1):
    page.evaluate("(number) => pump.heard(sent.at(number).slot)", number)


def test_two_requests_are_in_flight_at_most(pump):
    pump.evaluate("pump.ask()")
    pump.clock.run_for(5000)
    assert asked(pump) == 2
    pump.evaluate("pump.heard(undefined)")  # a frame that was not asked for
    pump.clock.run_for(1000)
    assert asked(pump) == 2
    answer(pump)
    pump.clock.run_for(1000)
    assert asked(pump) == 3


def test_the_pace_is_kept_when_answers_are_quick(pump):
    pump.evaluate("pump.ask()")
    for _ in range(100):
        pump.clock.run_for(10)
        answer(pump)
    assert asked(pump) == pytest.approx(30, abs=2)


def test_a_slow_link_gets_a_third_request(pump):
    pump.evaluate("pump.ask()")
    for number in range(20):
        pump.clock.run_for(300)
        answer(pump, number)
    pump.clock.run_for(1000)
    assert pump.evaluate("pump.asked.size") == 3


def test_lost_answers_do_not_stop_it_and_are_not_piled_up(pump):
    pump.evaluate("pump.ask()")
    pump.clock.run_for(9_000)
    assert asked(pump) == 2
    pump.clock.run_for(2_000)
    assert asked(pump) == 3  # one try, as the kernel may only be busy
    pump.clock.run_for(300_000)
    assert asked(pump) == 7
    answer(pump)
    pump.clock.run_for(1_000)
    assert pump.evaluate("pump.asked.size") == 2


@pytest.mark.parametrize("reason", ["seen", "running"])
def test_nothing_is_asked_without_need(pump, reason):
    pump.evaluate(f"window.{reason} = false; pump.ask()")
    pump.clock.run_for(60_000)
    assert asked(pump) == 0
    pump.evaluate(f"window.{reason} = true; pump.ask()")
    assert asked(pump) == 1


def test_a_dead_kernel_is_not_asked_until_it_is_heard_again(pump):
    pump.evaluate("pump.ask(); pump.disconnect()")
    pump.clock.run_for(60_000)
    assert asked(pump) == 1
    pump.evaluate("pump.heard(undefined)")
    assert asked(pump) == 2
