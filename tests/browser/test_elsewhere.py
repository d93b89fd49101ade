"""The same widgets in JupyterLab, Notebook 7 and Voila, on narrow, enlarged and dark pages."""

import secrets
from pathlib import Path

import axe_playwright_python
import nbformat
import pytest
from playwright.sync_api import expect

from lengthlab import widgets

pytestmark = pytest.mark.browser

VIEWS = [view.__name__ for view in widgets.VIEWS]
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
MS = 60_000
VOILAS_OWN = ("https://cdn.jsdelivr.net/npm/", "https://cdnjs.cloudflare.com/ajax/libs/mathjax/")
"""Where Voila's template looks for fonts and formulas, with no widget of ours or with one."""
PAINTED = ".lengthlab-live canvas:not([data-frame='0'])"


class Page:
    """A notebook on a page of some front end, with its cells run."""

    def __init__(self, browser, server, front_end, *cells, **options):
        self.name = f"{secrets.token_hex(6)}.ipynb"
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(code) for code in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(book, server.notebooks / self.name)
        self.server = server
        self.context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, **options}
        )
        self.strangers, self.errors = [], []
        self.context.route("**/*", self._only_loopback)
        self.page = self.context.new_page()
        self.page.set_default_timeout(MS)
        self.page.on("pageerror", self._note)
        paths = {
            "lab": f"/lab/workspaces/{secrets.token_hex(6)}/tree/{self.name}",
            "notebook": f"/notebooks/{self.name}",
            "voila": f"/voila/render/{self.name}",
        }
        self.page.goto(f"{server.url}{paths[front_end]}?token={server.token}")
        if front_end != "voila":
            self.page.wait_for_function(
                """() => {
                    const panel = window.jupyterapp?.shell.currentWidget;
                    const idle = panel?.sessionContext?.session?.kernel?.status === "idle";
                    return idle && panel.content.widgets.length;
                }"""
            )
            self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        self.canvas().wait_for(state="attached")
        self.canvas().scroll_into_view_if_needed()  # what nobody sees is not painted
        self.page.locator(PAINTED).first.wait_for()

    def _note(self, error):
        # The front ends have faults of their own; ours is loaded from a blob.
        if "blob:" in (error.stack or ""):
            self.errors.append(str(error))

    def _only_loopback(self, route):
        url = route.request.url
        if url.startswith((self.server.url, "blob:", "data:")):
            route.continue_()
        else:
            self.strangers.append(url)
            route.abort()

    def canvas(self):
        return self.page.locator(".lengthlab-live canvas").first

    def generation(self):
        return int(self.canvas().get_attribute("data-generation"))

    def moved(self, generation):
        """Wait until a later generation is painted."""
        self.page.wait_for_function(
            """(generation) => [...document.querySelectorAll(".lengthlab-live canvas")].some(
                (canvas) => Number(canvas.dataset.generation) > generation)""",
            arg=generation,
        )

    def close(self):
        self.context.close()
        for session in self.server.get("/api/sessions"):
            if session["path"].endswith(self.name):
                self.server.delete(f"/api/sessions/{session['id']}")


@pytest.fixture
def open_page(chromium, jupyter_server):
    made = []

    def make(front_end, code, **options):
        made.append(Page(chromium, jupyter_server, front_end, code, **options))
        return made[-1]

    yield make
    for page in made:
        page.close()
        assert page.errors == []
        assert [url for url in page.strangers if not url.startswith(VOILAS_OWN)] == []


@pytest.mark.parametrize("front_end", ["notebook", "voila"])
def test_a_widget_lives_in_other_front_ends(open_page, front_end):
    """It appears, grows, and a slider moves all the model's views."""
    page = open_page(
        front_end,
        "from ipywidgets import HBox\n"
        "from lengthlab.widgets import Cobweb, Histograms, Model\n"
        'model = Model("tanh", sigma_w=1.5, sigma_b=0.3, trials=100_000)\n'
        "HBox([Histograms(model), Cobweb(model)])",
    )
    expect(page.page.locator(PAINTED)).to_have_count(2)
    before = int(page.canvas().get_attribute("data-frame"))
    page.page.wait_for_function(
        """(before) => Number(document.querySelector(".lengthlab-live canvas").dataset.frame)
                       > before + 5""",
        arg=before,
    )
    generation = page.generation()
    slider = page.page.get_by_role("slider", name="sigma_w slider").first
    slider.focus()
    page.page.keyboard.press("ArrowRight")
    page.moved(generation)
    for field in page.page.get_by_role("textbox", name="sigma_w", exact=True).all():
        expect(field).to_have_value("1.55")
    assert page.page.locator(".lengthlab-still:visible").count() == 0


@pytest.fixture(scope="module")
def all_views(chromium, jupyter_server):
    """One page with a cell for each widget."""
    cells = [f"from lengthlab.widgets import {name}\n{name}(trials=50)" for name in VIEWS]
    page = Page(chromium, jupyter_server, "lab", *cells)
    page.page.add_script_tag(path=str(AXE))
    yield page
    page.close()
    assert page.errors == []


def set_theme(page, theme):
    page.page.evaluate(
        """async (theme) => {
            await window.jupyterapp.commands.execute("apputils:change-theme", { theme });
            await new Promise((done) => setTimeout(done, 500));
        }""",
        theme,
    )


def show(page, name):
    """Bring a widget into sight, with all its controls; return where it is."""
    widget = page.page.locator(".lengthlab-widget").nth(VIEWS.index(name))
    widget.locator("canvas").scroll_into_view_if_needed()
    widget.locator(PAINTED.split()[1]).wait_for()
    more = widget.get_by_role("button", name="More")
    if more.count() and more.get_attribute("aria-expanded") == "false":
        more.click()
    return widget


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_no_barrier_that_axe_knows(all_views, theme):
    """Roles, names, labels and contrast of all widgets, with every control in sight."""
    set_theme(all_views, f"JupyterLab {theme}")
    for name in VIEWS:
        show(all_views, name)
    assert all_views.page.locator(".lengthlab-widget canvas").count() == len(VIEWS)
    found = all_views.page.evaluate(
        """async () => (await axe.run(".lengthlab-widget")).violations.map(
            ({ id, nodes }) => [id, nodes.map((node) => node.html)])"""
    )
    assert found == []


@pytest.mark.parametrize("name", VIEWS)
def test_every_control_is_reached_and_worked_by_keyboard(all_views, name):
    """Tab comes by all controls in the order of the page, and keys alone move each of them."""
    widget = show(all_views, name)
    keys = all_views.page.keyboard
    number = """(widget) => [...widget.querySelectorAll("input, select, button, canvas")]
        .filter((control) => control.offsetParent).indexOf(document.activeElement)"""
    controls = widget.locator("input:visible, select:visible, button:visible, canvas:visible")
    controls.first.focus()
    reached = [widget.evaluate(number)]
    for _ in range(controls.count() - 1):
        keys.press("Tab")
        reached.append(widget.evaluate(number))
    assert reached == list(range(len(reached)))
    for slider in widget.get_by_role("slider").all():
        before = slider.input_value()
        slider.focus()
        keys.press("ArrowLeft")
        if slider.input_value() == before:  # it stood at its end
            keys.press("ArrowRight")
        assert slider.input_value() != before
    for box in widget.get_by_role("checkbox").all():
        before = box.is_checked()
        box.focus()
        keys.press("Space")
        assert box.is_checked() != before
    for choice in widget.get_by_role("combobox").all():
        before = choice.input_value()
        choice.focus()
        keys.press("ArrowDown")
        if choice.input_value() == before:
            keys.press("ArrowUp")
        assert choice.input_value() != before
    expect(widget.locator("[aria-invalid]")).to_have_count(0)


@pytest.mark.parametrize("name", VIEWS)
def test_nothing_is_cut_off_at_400_pixels(all_views, name):
    all_views.page.set_viewport_size({"width": 500, "height": 900})
    all_views.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    all_views.page.wait_for_timeout(300)
    widget = show(all_views, name)
    cell = widget.bounding_box()
    assert cell["width"] < 420
    for role in ("slider", "textbox", "button", "combobox", "checkbox"):
        for control in widget.locator(".lengthlab-panel").get_by_role(role).all():
            box = control.bounding_box()
            if box:
                assert box["x"] + box["width"] <= cell["x"] + cell["width"] + 1, role
    assert widget.locator("canvas").bounding_box()["width"] <= cell["width"]


def test_enlarged_to_200_percent_all_stays_in_reach(open_page):
    page = open_page(
        "lab",
        "from lengthlab.widgets import LengthLab\nlab = LengthLab(trials=50)\nlab",
        viewport={"width": 640, "height": 450},
        device_scale_factor=2,
    )
    page.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    page.page.wait_for_timeout(700)
    cell = page.page.locator(".lengthlab-widget").first.bounding_box()
    assert page.canvas().bounding_box()["width"] <= cell["width"]
    # The bitmap has the device's pixels: letters stay sharp.
    ratio = page.canvas().evaluate("(canvas) => canvas.width / canvas.clientWidth")
    assert ratio == pytest.approx(2, rel=0.02)
    slider = page.page.get_by_role("slider", name="width slider")
    slider.focus()
    generation = page.generation()
    page.page.keyboard.press("ArrowRight")
    page.moved(generation)
