"""The slides of the 50-minute route in a real browser, from a file, without a network."""

import re
from pathlib import Path

import pytest
from harness import ROOT

from lengthlab.__main__ import main
from lengthlab.cli.printing.document import whole_page
from lengthlab.cli.printing.notebooks import convert, placed, read_chapters

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    target = tmp_path_factory.mktemp("slides") / "slides.html"
    assert main(["lessons", "--to", "slides", "--route", "50", "--output", str(target)]) == 0
    return target


@pytest.fixture
def page(chromium, file):
    """The deck on a projector; whatever it asks for but itself is noted and refused."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    strangers, errors = [], []

    def only_itself(route):
        if route.request.url.partition("#")[0] == file.as_uri():
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    context.route("**/*", only_itself)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console", lambda message: errors.append(message.text) if message.type == "error" else 0
    )
    page.goto(file.as_uri())
    yield page
    context.close()
    assert strangers == []
    assert errors == []


def shown(page):
    """Names of the slides that can be seen."""
    return page.locator(".slide:visible").evaluate_all("all => all.map(slide => slide.id)")


def number(page):
    """Number of slides, and of the one that is shown."""
    now, count = map(int, page.locator("#where").inner_text().split(" / "))
    return now, count


def test_keys_and_buttons_turn_the_slides_over(page):
    now, count = number(page)
    assert (now, len(shown(page))) == (1, 1)
    assert count == page.locator(".slide").count() >= 18
    for key in ("ArrowRight", "PageDown", " "):
        page.keyboard.press(key)
    assert number(page)[0] == 4
    page.keyboard.press("Shift+ ")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="next slide").click()
    assert number(page)[0] == 3
    page.get_by_role("button", name="previous slide").click()
    assert number(page)[0] == 2
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    assert number(page)[0] == count
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    assert number(page)[0] == 1
    assert len(shown(page)) == 1


def test_the_address_names_a_slide(page, file):
    page.evaluate("location.hash = '#7'")
    page.wait_for_function("document.getElementById('where').textContent.startsWith('7 ')")
    page.keyboard.press("ArrowRight")
    assert page.url.endswith("#8")
    page.reload()
    assert number(page)[0] == 8
    page.goto(f"{file.as_uri()}#lesson-03-point")
    page.reload()
    assert shown(page) == ["lesson-03-point"]


def test_the_slides_are_those_of_the_plan(page):
    text = (ROOT / "lessons" / "instructor" / "routes.md").read_text(encoding="utf-8")
    plan = text.partition("## 50 minutes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| \d+ \| \d+ \| (\d+) \| .* \| ([^|]*) \|$", plan, flags=re.M)
    wanted = [
        f"lesson-{int(lesson):02d}-{re.findall('`([a-z0-9-]+)`', cells)[0]}"
        for lesson, cells in rows
    ]
    names = page.locator(".slide").evaluate_all("all => all.map(slide => slide.id)")
    assert [name for name in names if name in wanted] == wanted


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (1024, 768)])
def test_every_slide_fits_and_can_be_read_from_the_last_row(page, width, height):
    """Text of at least 3 hundredths of the height, code of at least 2; nothing to scroll."""
    page.set_viewport_size({"width": width, "height": height})
    page.keyboard.press("Home")
    for _ in range(page.locator(".slide").count()):
        slide = page.locator(".slide:visible")
        assert slide.evaluate("s => s.scrollHeight <= s.clientHeight"), shown(page)
        assert slide.evaluate("s => s.scrollWidth <= s.clientWidth"), shown(page)
        letters = slide.evaluate("s => parseFloat(getComputedStyle(s).fontSize)")
        assert letters >= 0.03 * height, shown(page)
        code = slide.locator("pre").evaluate_all(
            "all => all.map(pre => parseFloat(getComputedStyle(pre).fontSize))"
        )
        assert all(size >= 0.02 * height for size in code), shown(page)
        page.keyboard.press("ArrowRight")


def test_every_slide_fits_in_width_shows_its_pictures_and_its_formulas(page):
    _, count = number(page)
    pictures = 0
    for k in range(count):
        page.evaluate("k => { location.hash = `#${k}`; }", k + 1)
        page.wait_for_function(
            "k => document.getElementById('where').textContent.startsWith(`${k} `)", arg=k + 1
        )
        slide = page.locator(".slide:visible")
        assert slide.inner_text().strip()
        over = slide.evaluate("slide => slide.scrollWidth - slide.clientWidth")
        assert over <= 1, (shown(page), over)
        sizes = slide.locator("img").evaluate_all("all => all.map(i => [i.naturalWidth, i.width])")
        assert all(natural > 100 and width > 100 for natural, width in sizes)
        pictures += len(sizes)
        heights = slide.locator("math").evaluate_all(
            "all => all.map(formula => formula.getBoundingClientRect().height)"
        )
        assert all(height > 5 for height in heights)
    assert pictures >= 4


def test_formulas_are_set_in_the_font_that_came_along(page):
    page.evaluate("location.hash = '#lesson-03-point'")
    page.wait_for_function("document.querySelector('#lesson-03-point').checkVisibility()")
    assert page.evaluate(
        "document.fonts.ready.then(() => document.fonts.check('20px \"Course Math\"'))"
    )
    loaded = page.evaluate(
        "[...document.fonts].filter(f => f.status === 'loaded')"
        ".map(f => f.family.replaceAll('\"', ''))"
    )
    assert {"Course", "Course Math"} <= set(loaded)


def test_without_a_script_and_on_paper_all_slides_are_there(chromium, file, tmp_path):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    count = page.locator(".slide").count()
    assert page.locator(".slide:visible").count() == count
    pdf = Path(tmp_path, "slides.pdf")
    page.pdf(path=str(pdf), prefer_css_page_size=True)
    assert len(re.findall(rb"/Type /Page\b", pdf.read_bytes())) >= count
    context.close()


def test_the_course_on_a_telephone_scrolls_its_tables_and_not_the_page(chromium):
    folder = ROOT / "lessons"
    lesson = next(c for c in read_chapters(folder) if c.anchor == "lesson-09")
    cells = [cell for cell in lesson.cells if cell.id in ("equation", "table")]
    context = chromium.new_context(viewport={"width": 400, "height": 800})
    page = context.new_page()
    page.set_content(whole_page(placed(convert(cells, folder), "x"), "course.css"))
    table = page.locator(".output_area pre")
    lines = len(table.inner_text().rstrip().splitlines())
    line = table.evaluate("pre => parseFloat(getComputedStyle(pre).lineHeight)")
    assert table.evaluate("pre => pre.clientHeight") < (lines + 2) * line
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    context.close()
