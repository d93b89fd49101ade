"""What goes wrong between reader and kernel: the lab says so, goes on, and shows nothing old."""

import time

import pytest
from harness import SlowLink

pytestmark = pytest.mark.browser

LAB = """
import time
import numpy as np
import lengthlab as ll
from lengthlab.widgets import LengthLab
lab = LengthLab("tanh", sigma_w=1.5, sigma_b=0.3, width=64, depth=6, trials=3_000_000)
lab
"""
WATCH = """(canvas) => {
    canvas.seen = [];
    new MutationObserver(() => canvas.seen.push(Number(canvas.dataset.generation)))
        .observe(canvas, { attributes: true, attributeFilter: ["data-frame"] });
}"""


@pytest.fixture(scope="module")
def slow_link(jupyter_server):
    link = SlowLink(jupyter_server, 0.2)
    yield link
    link.close()


@pytest.fixture
def open_lab(make_notebook):
    """A page with a running lab that notes the generation of each frame it paints."""

    def make(**options):
        notebook = make_notebook([LAB, "time.sleep(4)"], **options)
        notebook.run_cell(0)
        notebook.wait_painted()
        notebook.canvas().evaluate(WATCH)
        return notebook

    return make


def move(notebook, times=1):
    notebook.cell().get_by_role("slider", name="sigma_w slider").focus()
    for _ in range(times):
        notebook.page.keyboard.press("ArrowRight")


def assert_no_old_frame(notebook):
    seen = notebook.canvas().evaluate("(canvas) => canvas.seen")
    assert seen == sorted(seen)
    assert notebook.errors == []


def alert(notebook):
    return notebook.cell().locator(".lengthlab-alert").first


def test_on_a_slow_link_frames_flow_and_none_is_old(open_lab, slow_link):
    notebook = open_lab(link=slow_link)
    notebook.wait_frames(20)
    move(notebook, 5)
    notebook.wait_generation(notebook.execute("", "lab.generation"))
    notebook.wait_frames(5)
    assert notebook.execute("", "round(lab.sigma_w, 2)") == 1.75
    assert_no_old_frame(notebook)
    notebook.close()


def test_a_busy_kernel_is_waited_for_and_hears_the_latest_word(open_lab):
    notebook = open_lab()
    generation = notebook.execute("", "lab.generation")
    notebook.run_cell(1, wait=False)
    move(notebook, 3)
    assert notebook.canvas().is_visible()
    notebook.wait_generation(generation + 1)
    notebook.wait_value("round(lab.sigma_w, 2)", 1.65)
    notebook.wait_generation(notebook.execute("", "lab.generation"))
    notebook.wait_frames(5)
    assert_no_old_frame(notebook)
    notebook.close()


def test_a_phi_that_raises_at_its_thousandth_call_is_named(open_lab):
    notebook = open_lab()
    notebook.execute(
        "calls = 0\n"
        "def moody(x):\n"
        "    global calls\n"
        "    calls += 1\n"
        "    if calls == 1000:\n"
        "        raise RuntimeError('no more')\n"
        "    return np.tanh(x)\n"
        "lab.activation = ll.Activation(moody, name='moody')"
    )
    notebook.wait_text(alert(notebook), "activation 'moody' raised RuntimeError: no more")
    assert notebook.execute("", "(lab.running, calls)") == (False, 1000)
    assert "Traceback" not in notebook.outputs(0)
    notebook.cell().get_by_role("combobox", name="activation").select_option("relu")
    notebook.wait_value("(lab.activation.name, lab.message)", ("relu", ""))
    notebook.wait_frames(5)
    assert_no_old_frame(notebook)
    notebook.close()


def test_a_phi_that_takes_two_seconds_is_refused_and_one_that_becomes_slow_rests(open_lab):
    notebook = open_lab()
    notebook.execute(
        "def slow(x):\n"
        "    time.sleep(2)\n"
        "    return np.tanh(x)\n"
        "lab.activation = ll.Activation(slow, name='slow')"
    )
    notebook.wait_text(alert(notebook), "activation 'slow' took 2.0 s for one call")
    assert notebook.execute("", "lab.activation.name") == "tanh"
    notebook.wait_frames(5)
    notebook.execute(
        "nap = 0.0\n"
        "def sleepy(x):\n"
        "    time.sleep(nap)\n"
        "    return np.tanh(x)\n"
        "lab.activation = ll.Activation(sleepy, name='sleepy')"
    )
    notebook.wait_value("(lab.activation.name, lab.message)", ("sleepy", ""))
    notebook.wait_frames(5)
    notebook.execute("nap = 2.0")
    notebook.wait_text(alert(notebook), "activation 'sleepy' took")
    assert notebook.execute("nap = 0.0", "lab.running") is False
    notebook.cell().get_by_role("button", name="Run").click()
    notebook.wait_frames(5)
    assert_no_old_frame(notebook)
    notebook.close()


def test_a_tab_that_was_hidden_for_long_goes_on(open_lab):
    """A minute passes by the page's own clock; meanwhile nothing is drawn."""
    notebook = open_lab()
    notebook.page.clock.install()
    set_visibility(notebook, "hidden")
    notebook.page.clock.run_for(2_000)
    before = at_rest(notebook)
    notebook.page.clock.run_for(60_000)
    assert notebook.execute("", "lab.drawn") == before
    set_visibility(notebook, "visible")
    notebook.page.clock.resume()
    notebook.wait_frames(5)
    assert notebook.execute("", "lab.drawn") > before
    assert_no_old_frame(notebook)
    notebook.close()


def at_rest(notebook):
    """Networks drawn once no request that was under way is left."""
    drawn = [-1, notebook.execute("", "lab.drawn")]
    while drawn[-1] != drawn[-2]:
        time.sleep(1)
        drawn.append(notebook.execute("", "lab.drawn"))
        assert len(drawn) < 10, drawn
    return drawn[-1]


def set_visibility(notebook, state):
    notebook.page.evaluate(
        """(state) => {
            const options = { value: state, configurable: true };
            Object.defineProperty(document, "visibilityState", options);
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )
