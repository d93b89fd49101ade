"""A route of the course as a deck: its plan, its cells, and no network."""

import json
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from lengthlab.cli.arguments import CommandError
from lengthlab.cli.printing import slides
from lengthlab.cli.printing.notebooks import PAGES

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "lessons"
ROUTES = FOLDER / "instructor" / "routes.md"
LESSONS = sorted(path for path in FOLDER.glob("[0-9][0-9]_*.ipynb"))


@pytest.fixture(scope="module")
def deck():
    return slides.deck(FOLDER, "50")


def plan():
    """Rows of the table of the 50-minute route: from, minutes, lesson, cells."""
    text = ROUTES.read_text(encoding="utf-8").partition("## 50 minutes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \| .* \| ([^|]*) \|$", text, flags=re.M)
    return [(*map(int, row[:3]), re.findall(r"`([\w-]+)`", row[3])) for row in rows]


def test_the_deck_has_the_cells_of_the_route_in_order(deck):
    shown = re.findall(r'data-cells="(\d\d)_\w+\.ipynb, ([\w-]+)"', deck)
    first = [(f"{lesson:02d}", cells[0]) for _, _, lesson, cells in plan()]
    assert [place for place in shown if place in first] == first
    assert len(shown) >= len(first)
    assert deck.count('<section class="slide') == len(shown) + 1


def test_the_route_takes_its_minutes():
    begin = 0
    for start, minutes, _, _ in plan():
        assert start == begin
        begin += minutes
    assert begin == 50


def test_every_cell_of_every_route_exists():
    rows = re.findall(
        r"^\| \d+ \| \d+ \| (\d+) \| [^|]* \| (`[^|]*) \|$", ROUTES.read_text("utf-8"), flags=re.M
    )
    assert len(rows) > 30
    for lesson, cells in rows:
        (path,) = FOLDER.glob(f"{int(lesson):02d}_*.ipynb")
        known = {cell["id"] for cell in json.loads(path.read_text("utf-8"))["cells"]}
        assert set(re.findall(r"`([\w-]+)`", cells)) <= known, path.name


def test_the_routes_take_their_minutes_too():
    """Every table of minutes goes on where the row before ends; the lectures are of 90 minutes."""
    text = ROUTES.read_text(encoding="utf-8")
    ends = []
    for table in re.findall(r"\| from \| minutes .*?\n\n", text, flags=re.S):
        begin = 0
        for start, minutes in re.findall(r"^\| (\d+) \| (\d+) \|", table, flags=re.M):
            assert int(start) == begin
            begin += int(minutes)
        ends.append(begin)
    assert ends == [50, 90, 90]


def test_a_plus_in_the_plan_puts_a_cell_on_the_slide_before(tmp_path, deck):
    for path in (*LESSONS[:2], *(FOLDER / name for name in PAGES)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "instructor").mkdir()
    routes = tmp_path / "instructor" / "routes.md"
    for sign, number in (("", 3), ("+ ", 2)):
        row = f"| 0 | 5 | 1 | what | `point`, {sign}`ks` |"
        routes.write_text(f"# Routes\n\n## 50 minutes\n\n{row}\n")
        assert slides.deck(tmp_path, "50").count('<section class="slide') == number


def test_a_slide_without_a_heading_says_what_it_stands_under(deck):
    soup = BeautifulSoup(deck, "html.parser")
    assert soup.select_one("#lesson-06-race-picture .lesson").get_text() == (
        "Lesson 6: Growth below exp(x^2) · A race of two exponents"
    )
    for slide in soup.select(".slide:not(.title)"):
        assert slide.h2 or " · " in slide.select_one(".lesson").get_text()


def test_no_slide_speaks_of_a_prediction_of_the_reader(deck):
    assert "result: " in deck
    assert "your prediction" not in deck


def test_the_deck_fetches_nothing_and_has_formulas_and_pictures(deck):
    soup = BeautifulSoup(deck, "html.parser")
    assert soup.select("link, script[src]") == []
    assert all(img["src"].startswith("data:") and img["alt"] for img in soup.select("img"))
    assert len(soup.select("img")) >= 4
    assert len(soup.select("math")) > 50
    assert "default_rng" not in deck
    for element in soup.select("math, style, script, pre, code"):
        element.decompose()
    assert "$" not in soup.get_text()


def test_a_route_that_names_what_is_not_there(tmp_path, monkeypatch):
    (tmp_path / "instructor").mkdir()
    for path in (*LESSONS[:2], *(FOLDER / name for name in PAGES)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    routes = tmp_path / "instructor" / "routes.md"
    with pytest.raises(CommandError, match="must be a file that can be read"):
        slides.deck(tmp_path, "50")
    for row, complaint in (
        ("| 0 | 5 | 0 | what | `nowhere` |", "the cell 'nowhere' of 00_start_here.ipynb"),
        ("| 0 | 5 | 9 | what | `point` |", "lesson 9, and there is none"),
    ):
        routes.write_text(f"# Routes\n\n## 50 minutes\n\n{row}\n")
        with pytest.raises(CommandError, match=re.escape(complaint)):
            slides.deck(tmp_path, "50")
