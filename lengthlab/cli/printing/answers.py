"""Hints and solutions as the last chapters: paper has no kernel that would print them."""

import html
import re
from importlib import import_module
from typing import Any

from lengthlab.cli.printing.notebooks import Chapter, markdown
from lengthlab.exercises.desk import entries
from lengthlab.exercises.kinds import Choice, Exercise, Words

TITLES = {"hints": "Hints", "solutions": "Solutions"}  # by the name of the place
_OPENINGS = {
    "hints": "Each hint goes a step further than the one before. Read one, and try again.",
    "solutions": "For a proof or an open question: what a complete answer contains.",
}
_ASKED = re.compile(r'^check\("([^"]+)"', re.M)


def with_links(chapter: Chapter) -> list[Any]:
    """Put links to its hints and its solution after every exercise.

    Parameters
    ----------
    chapter : Chapter
        A lesson, or another page.

    Returns
    -------
    list
        Its cells, and the new ones.
    """
    nbformat: Any = import_module("nbformat")  # untyped
    cells = []
    for cell in chapter.cells:
        cells.append(cell)
        asked = _ASKED.search(cell.source) if cell.cell_type == "code" else None
        if asked:
            hints, solution = (f"(#{_place(name, asked[1])})" for name in TITLES)
            links = nbformat.v4.new_markdown_cell(
                f"{asked[1]}: [hints]{hints} · [solution]{solution}",
                id=f"{cell.id}-toward",
                metadata={"tags": ["toward"]},
            )
            cells.append(links)
    return cells


def answers(lessons: list[Chapter], name: str) -> str:
    """Make the chapter of the hints, or that of the solutions.

    Parameters
    ----------
    lessons : list of Chapter
        The lessons to answer.
    name : str
        One of `TITLES`.

    Returns
    -------
    str
        HTML.
    """
    write = _hints if name == "hints" else _solution
    body = [f"<h1>{TITLES[name]}</h1><p>{_OPENINGS[name]}</p>"]
    for lesson in lessons:
        body.append(f'<h2 id="{name}-{lesson.anchor}">{markdown(lesson.title)}</h2>')
        for entry in entries(int(lesson.path.name[:2])):
            if isinstance(entry, Exercise):
                title = f"<p><strong>{entry.id}</strong> {html.escape(entry.title)}</p>"
                place = _place(name, entry.id)
                body.append(f'<div class="answer" id="{place}">{title}{write(entry)}</div>')
    return "".join(body)


def _place(name: str, id: str) -> str:
    return f"{name}-{id.replace('.', '-')}"


def _list(lines: Any) -> str:
    return "".join(f"<li>{html.escape(line)}</li>" for line in lines)


def _hints(exercise: Exercise) -> str:
    return f"<ol>{_list(exercise.hints)}</ol>"


def _solution(exercise: Exercise) -> str:
    words = f"<p>{html.escape(exercise.solution.words)}</p>"
    if isinstance(exercise, Choice):
        others = (f"{wrong.answer}: {wrong.message}" for wrong in exercise.wrong)
        return f"<p><strong>{exercise.right}</strong></p>{words}<ul>{_list(others)}</ul>"
    if isinstance(exercise, Words):
        return f"{words}<ul>{_list(exercise.points)}</ul>"
    return f'<div class="input_area">{_code(exercise.solution.code)}</div>{words}'


def _code(text: str) -> str:
    pygments: Any = import_module("pygments")  # untyped
    lexers: Any = import_module("pygments.lexers")
    formatters: Any = import_module("pygments.formatters")
    return str(pygments.highlight(text, lexers.PythonLexer(), formatters.HtmlFormatter()))
