"""The README's gallery: each widget once, five lines that run, a picture that is described."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from gallery import ROOT, entries, made

from lengthlab.widgets import VIEWS

GALLERY = entries()


def test_each_widget_has_its_place():
    assert [entry["name"] for entry in GALLERY] == [view.__name__ for view in VIEWS]


@pytest.mark.parametrize("entry", GALLERY, ids=lambda entry: entry["name"])
def test_five_lines_make_it(entry):
    assert len(entry["code"].splitlines()) <= 5
    assert len(entry["alt"].split()) >= 8
    assert (ROOT / entry["picture"]).stat().st_size > 5000
    view = made(entry["code"])
    assert type(view).__name__ == entry["name"]
    assert view.message == ""
    assert "nan" not in view.summary
    view.close()
