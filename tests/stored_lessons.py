"""The lessons as they are stored: what their tests read."""

import json
from pathlib import Path

import pytest
from normalise_notebooks import joined

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "lessons"
LESSONS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
FULL = [path for path in LESSONS if not path.name.startswith("00_")]

each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
full_lesson = pytest.mark.parametrize("path", FULL, ids=lambda path: path.stem)


def notebook(path):
    return json.loads(path.read_text(encoding="utf-8"))


def cells(path, kind=None, tag=None):
    return [
        cell
        for cell in notebook(path)["cells"]
        if kind in (None, cell["cell_type"]) and tag in (None, *cell["metadata"]["tags"])
    ]


def source(cell):
    return joined(cell["source"])


def number_of(path):
    return int(path.name[:2])


def printed(cell):
    """Everything textual that a cell has left behind, without the html around pictures."""
    texts = []
    for output in cell.get("outputs", ()):
        texts.append(joined(output.get("text", "")))
        texts.append(joined(output.get("data", {}).get("text/plain", "")))
    return "\n".join(texts)
