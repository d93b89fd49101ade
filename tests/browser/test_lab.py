"""The length lab in a real browser: what a reader sees and does."""

import json

import pytest

pytestmark = pytest.mark.browser

LAB = """
from lengthlab.widgets import LengthLab, Model
lab = LengthLab("tanh", sigma_w=1.5, sigma_b=0.3, width=64, depth=6, trials=4000)
lab
"""


@pytest.fixture(scope="module")
def page(keep_notebook):
    return keep_notebook([LAB, "1 + 1", "LengthLab(lab.model)"])


@pytest.fixture
def notebook(page):
    """A fresh lab in the first cell."""
    notebook = page
    notebook.run_cell(0)
    notebook.canvas().scroll_into_view_if_needed()
    notebook.wait_frames(1)
    yield notebook
    assert notebook.errors == []
    assert notebook.strangers == []


def drawn(notebook):
    return notebook.execute("", "lab.drawn")


def slider(notebook, name, cell=0):
    return notebook.cell(cell).get_by_role("slider", name=f"{name} slider")


def field(notebook, name, cell=0):
    return notebook.cell(cell).get_by_role("textbox", name=name, exact=True)


def press(notebook, name, cell=0):
    notebook.cell(cell).get_by_role("button", name=name).click()


def readout(notebook, label, cell=0):
    row = notebook.cell(cell).locator(".lengthlab-live dl > div", has_text=label)
    return row.locator("dd").inner_text()


def pixels(notebook, cell=0):
    return notebook.canvas(cell).evaluate("canvas => canvas.toDataURL()")


def test_lab_appears_grows_and_rests(notebook):
    notebook.wait_frames(20)
    first = pixels(notebook)
    grown = int(readout(notebook, "networks drawn"))
    assert 0 < grown < 4000
    notebook.wait_frames(10)
    assert pixels(notebook) != first
    assert int(readout(notebook, "networks drawn")) > grown
    notebook.wait_value("lab.running", False)
    assert drawn(notebook) == 4000
    frames = notebook.frames()
    notebook.page.wait_for_timeout(300)
    assert notebook.frames() <= frames + 2  # at rest nothing is asked for


def test_slider_moves_the_curve(notebook):
    generation = notebook.execute("", "lab.generation")
    slider(notebook, "sigma_w").focus()
    notebook.page.keyboard.press("ArrowRight")
    notebook.wait_generation(generation + 1)
    assert notebook.execute("", "lab.sigma_w") == 1.55
    notebook.wait_input(field(notebook, "sigma_w"), "1.55")
    curve = notebook.execute("", "[float(y) for y in lab._artists.curve.get_ydata()]")
    assert curve[0] == pytest.approx(1.55**2 + 0.3**2)


def test_pause_stops_and_run_goes_on(notebook):
    press(notebook, "Pause")
    notebook.wait_value("lab.running", False)
    still = drawn(notebook)
    notebook.page.wait_for_timeout(300)
    assert drawn(notebook) == still < 4000
    press(notebook, "Run")
    notebook.wait_value("lab.running", True)
    notebook.wait_frames(5)
    assert drawn(notebook) > still


def test_seeds(notebook):
    press(notebook, "New seed")
    notebook.wait_value("lab.seed != 0", True)
    generation = notebook.execute("", "lab.generation")
    press(notebook, "Same seed")
    notebook.wait_generation(generation + 1)
    press(notebook, "More")
    notebook.wait_input(field(notebook, "seed"), str(notebook.execute("", "lab.seed")))


def test_bad_input_is_a_sentence_and_the_picture_stays(notebook):
    notebook.wait_value("lab.running", False)
    picture = pixels(notebook)
    alert = notebook.cell().locator(".lengthlab-alert").first
    bad = [("width", "0", "0"), ("sigma_w", "nan", "nan"), ("sigma_w", "-1", "-1.0")]
    for name, text, shown in [*bad, ("depth", "ten", "'ten'")]:
        field(notebook, name).fill(text)
        field(notebook, name).press("Enter")
        notebook.wait_text(alert, f"got {shown}")
        assert alert.inner_text().startswith(f"{name} must be")
        notebook.wait_attribute(field(notebook, name), "aria-invalid", "true")
    assert pixels(notebook) == picture
    field(notebook, "width").fill("100")
    field(notebook, "width").press("Enter")
    notebook.wait_value("(lab.width, lab.message)", (100, ""))
    assert "Traceback" not in notebook.outputs(0)


def test_choice_of_phi_and_layer_by_keyboard_and_click(notebook):
    notebook.cell().get_by_role("combobox", name="activation").select_option("relu")
    notebook.wait_value("lab.activation.name", "relu")
    notebook.canvas().focus()
    notebook.page.keyboard.press("ArrowLeft")
    notebook.wait_value("lab.layer", 5)
    notebook.page.keyboard.press("Home")
    notebook.wait_value("lab.layer", 1)
    box = notebook.canvas().bounding_box()
    x, y = notebook.execute(
        "", "[float(c) for c in lab.figure.axes[0].transAxes.transform((0.46, 0.5))]"
    )
    width, height = notebook.execute("", "list(map(int, lab.figure.canvas.get_width_height()))")
    notebook.page.mouse.click(
        box["x"] + x / width * box["width"], box["y"] + (1 - y / height) * box["height"]
    )
    notebook.wait_value("lab.layer", 3)
    notebook.wait_text(notebook.cell().locator(".lengthlab-live dl"), "layer\n3")


def test_every_control_is_reached_by_tab(notebook):
    notebook.wait_value("lab.running", False)
    notebook.cell().get_by_role("combobox", name="activation").focus()
    seen = []
    for _ in range(13):
        seen.append(
            notebook.page.evaluate(
                "() => { const e = document.activeElement;"
                " return e.getAttribute('aria-label') || e.labels?.[0]?.textContent"
                " || e.textContent.trim(); }"
            )
        )
        notebook.page.keyboard.press("Tab")
    numbers = ["sigma_w", "sigma_b", "width", "depth"]
    expected = [part for n in numbers for part in (f"{n} slider", n)]
    assert seen[:9] == ["activation", *expected]
    assert seen[9:] == ["Run", "Same seed", "New seed", "More"]


def test_second_view_of_the_model_follows(notebook):
    notebook.run_cell(2)
    notebook.canvas(2).scroll_into_view_if_needed()
    notebook.wait_frames(3, 2)
    slider(notebook, "width").focus()
    notebook.page.keyboard.press("ArrowRight")
    generation = notebook.execute("", "lab.generation")
    notebook.wait_generation(generation, 0)
    notebook.wait_generation(generation, 2)
    width = str(notebook.execute("", "lab.width"))
    assert width != "64"
    notebook.wait_input(field(notebook, "width", 2), width)


def test_log_slider_steps_through_the_integers(notebook):
    field(notebook, "width").fill("1")
    field(notebook, "width").press("Enter")
    notebook.wait_value("lab.width", 1)
    notebook.page.wait_for_function(
        "([f]) => f.value === '0'", arg=[slider(notebook, "width").element_handle()]
    )
    for wanted in (2, 3, 4):
        slider(notebook, "width").focus()
        notebook.page.keyboard.press("ArrowRight")
        notebook.wait_value("(lab.width, lab.message)", (wanted, ""))


def test_what_is_typed_while_the_kernel_is_busy_is_kept(notebook):
    notebook.execute("import time; lab.running = False")
    notebook.page.evaluate(
        """() => { const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
                   kernel.requestExecute({ code: "time.sleep(1.5)" }); }"""
    )
    for name, text in [("width", "500"), ("depth", "3"), ("sigma_b", "0.7")]:
        field(notebook, name).fill(text)
        field(notebook, name).press("Tab")
    notebook.wait_value("(lab.width, lab.depth, lab.sigma_b)", (500, 3, 0.7))


def test_half_typed_text_is_the_readers(notebook):
    notebook.wait_value("lab.running", False)
    field(notebook, "width").fill("77")
    notebook.execute("lab.sigma_w = 1.9")
    notebook.wait_attribute(slider(notebook, "sigma_w"), "aria-valuetext", "1.9")
    assert field(notebook, "width").input_value() == "77"


def test_another_cell_runs_while_it_draws(notebook):
    notebook.execute("lab.trials = 100_000")
    notebook.run_cell(1)
    assert "2" in notebook.outputs(1)
    assert notebook.execute("", "lab.running")


def test_kernel_restart_leaves_a_readable_picture(notebook):
    notebook.wait_frames(10)
    notebook.execute("lab.running = False")
    notebook.page.wait_for_timeout(200)
    picture, frames = pixels(notebook), notebook.frames()
    notebook.restart_kernel()
    notebook.wait_text(notebook.cell().locator(".lengthlab-alert").first, "The kernel is gone")
    assert slider(notebook, "sigma_w").is_disabled()
    assert pixels(notebook) == picture
    assert notebook.frames() == frames
    assert notebook.canvas().is_visible()
    notebook.run_cell(0)
    notebook.wait_frames(3)


def test_hidden_below_the_fold_nothing_is_computed(make_notebook):
    notebook = make_notebook([LAB, 'print("line\\n" * 200)'])
    notebook.run_cell(0)
    notebook.wait_frames(2)
    notebook.execute("lab.trials = 100_000")
    notebook.run_cell(1)
    notebook.cell(1).locator("pre").first.evaluate("pre => pre.scrollIntoView({block: 'end'})")
    notebook.page.wait_for_timeout(400)
    still = drawn(notebook)
    notebook.page.wait_for_timeout(400)
    assert drawn(notebook) == still


def test_closed_labs_leave_the_page(make_notebook):
    loop = (
        "from IPython.display import clear_output, display\n"
        "from lengthlab.widgets import LengthLab\n"
        "for _ in range(5):\n    lab = LengthLab(trials=100)\n    clear_output(wait=True)\n"
        "    display(lab)\n    lab.close()"
    )
    notebook = make_notebook([loop, "1"])
    notebook.run_cell(0)
    before = held_by(notebook.page)
    notebook.run_cell(0)
    after = held_by(notebook.page)
    # One picture left in each cycle would be 5 of each and more.
    assert all(after[kind] - before[kind] < 3 for kind in before), (before, after)


def held_by(page):
    """Elements and front ends that the page holds after a collection of garbage."""
    page.wait_for_timeout(3000)  # anywidget holds a new model for two seconds
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    prototype = session.send("Runtime.evaluate", {"expression": "HTMLCanvasElement.prototype"})
    found = session.send(
        "Runtime.queryObjects", {"prototypeObjectId": prototype["result"]["objectId"]}
    )
    count = session.send(
        "Runtime.callFunctionOn",
        {
            "objectId": found["objects"]["objectId"],
            "functionDeclaration": "function () { return this.length; }",
            "returnByValue": True,
        },
    )
    session.detach()
    return {"nodes": metrics["Nodes"], "canvases": count["result"]["value"]}


def test_narrow_page(make_notebook):
    notebook = make_notebook([LAB], width=560)
    notebook.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    notebook.run_cell(0)
    notebook.wait_frames(5)
    cell = notebook.cell().locator(".jp-OutputArea-output").last.bounding_box()
    assert cell["width"] < 450
    for role in ("slider", "textbox", "button", "combobox"):
        for control in notebook.cell().locator(".jp-OutputArea").get_by_role(role).all():
            box = control.bounding_box()
            if box:
                assert box["x"] + box["width"] <= cell["x"] + cell["width"] + 1
    notebook.wait_value("lab.aspect > 1", True)


def test_stored_notebook_has_the_picture_and_the_numbers(make_notebook):
    notebook = make_notebook([LAB.replace("\nlab\n", "\nlab.run(500)\nlab\n")])
    notebook.run_cell(0)
    notebook.wait_painted()
    notebook.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    text = (notebook.server.notebooks / notebook.name).read_text(encoding="utf-8")
    data = json.loads(text)["cells"][0]["outputs"][0]["data"]
    assert "networks drawn 500" in "".join(data["text/plain"])
    assert "image/png" in data
    assert "alt=" in "".join(data["text/html"])
    assert not notebook.cell().locator(".lengthlab-still").is_visible()  # the live one is there
    for session in notebook.server.get("/api/sessions"):
        if session["path"] == notebook.name:
            notebook.server.delete(f"/api/sessions/{session['id']}")
    notebook.load()
    still = notebook.cell().locator(".lengthlab-still")
    notebook.wait_text(still, "networks drawn 500")
    assert still.locator("img").bounding_box()["height"] > 200
