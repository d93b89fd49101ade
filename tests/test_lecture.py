"""The lecture template: executed, with slides, notes and two widgets in large print."""

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from normalise_notebooks import joined, normal

PATH = Path(__file__).parents[1] / "lessons" / "lecture_template.ipynb"
BOOK = json.loads(PATH.read_text(encoding="utf-8"))
CODE = [cell for cell in BOOK["cells"] if cell["cell_type"] == "code"]


def test_stored_executed_and_in_the_normal_form():
    assert normal(BOOK) == PATH.read_text(encoding="utf-8")
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))


def test_two_widgets_in_large_print_leave_pictures_and_numbers():
    shown = [cell for cell in CODE if "widget" in cell["metadata"]["tags"]]
    assert len(shown) == 2
    source = "\n".join(joined(cell["source"]) for cell in CODE)
    assert len(re.findall(r"presentation=True", source)) == 4  # two widgets in each picture
    for cell in shown:
        data = cell["outputs"][0]["data"]
        assert "image/png" in data
        assert len(joined(data["text/plain"]).splitlines()) == 2
        alts = re.findall(r'alt="([^"]*)"', joined(data["text/html"]))
        assert len(alts) == 2
        assert all(len(alt.split()) > 20 for alt in alts)


def test_it_is_a_deck_with_notes():
    kinds = [cell["metadata"]["slideshow"]["slide_type"] for cell in BOOK["cells"]]
    assert kinds.count("slide") >= 5
    assert kinds.count("notes") == 2
