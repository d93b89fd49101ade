"""The course as one document: a title, contents, a chapter for each notebook, the answers."""

import html
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from lengthlab import __version__
from lengthlab.cli.printing.answers import TITLES, answers, with_links
from lengthlab.cli.printing.chromium import page_numbers, print_pdf
from lengthlab.cli.printing.fonts import font_faces
from lengthlab.cli.printing.notebooks import Chapter, convert, markdown, placed, read_chapters

_FOLDER = Path(__file__).parent
_NUMBER = '<span class="page" data-place="{place}"></span>'


def course_html(folder: Path) -> str:
    """Make one page of the whole course, complete in itself.

    Parameters
    ----------
    folder : Path
        That of the lessons.

    Returns
    -------
    str
    """
    chapters = read_chapters(folder)
    bodies = {
        chapter.anchor: placed(convert(with_links(chapter), folder), chapter.anchor)
        for chapter in chapters
    }
    lessons = [chapter for chapter in chapters if chapter.anchor.startswith("lesson-")]
    bodies |= {name: answers(lessons, name) for name in TITLES}
    sections = [
        f'<section class="chapter" id="{name}">{body}</section>' for name, body in bodies.items()
    ]
    body = "\n".join([_title(), _contents(chapters), f"<main>{''.join(sections)}</main>"])
    return whole_page(body, "course.css")


def course_pdf(folder: Path) -> bytes:
    """Print the whole course: proofs unfolded, pages numbered, the contents with page numbers.

    Parameters
    ----------
    folder : Path
        That of the lessons.

    Returns
    -------
    bytes
    """
    page = _unfolded(course_html(folder))
    numbers = page_numbers(print_pdf(page))

    def numbered(found: re.Match[str]) -> str:
        return f'<span class="page">{numbers.get(found[1], "")}</span>'

    return print_pdf(re.sub(_NUMBER.format(place='([^"]*)'), numbered, page))


def _unfolded(page: str) -> str:
    """Make plain blocks of the folds: a print would part their titles from what they hold."""
    for fold, block in (
        ("<details>", '<div class="unfolded">'),
        ("</details>", "</div>"),
        ("<summary>", '<p class="summary">'),
        ("</summary>", "</p>"),
    ):
        page = page.replace(fold, block)
    return page


def whole_page(body: str, sheet: str, *, script: str = "") -> str:
    """Put style and fonts around a body: a page that asks for nothing else.

    Parameters
    ----------
    body : str
        HTML.
    sheet : str
        Name of a style sheet in this folder, after the common one.
    script : str
        Name of a script in this folder.

    Returns
    -------
    str
    """
    formatters: Any = import_module("pygments.formatters")  # untyped
    colours = formatters.HtmlFormatter(style="friendly").get_style_defs(".highlight")
    css = "\n".join(
        [
            font_faces(re.sub(r"base64,[A-Za-z0-9+/=\s]+", "", body)),
            str(colours),
            *((_FOLDER / name).read_text(encoding="utf-8") for name in ("common.css", sheet)),
        ]
    )
    code = f"<script>{(_FOLDER / script).read_text(encoding='utf-8')}</script>" if script else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>lengthlab: the lessons</title>\n<style>\n{css}\n</style>\n</head>\n"
        f"<body>\n{body}\n{code}\n</body>\n</html>\n"
    )


def _title() -> str:
    return (
        '<header class="title"><h1>The lengths of random networks</h1>'
        "<p>A course on the length process and the length map, after Long and Sedghi (2019)</p>"
        f"<p>lengthlab {html.escape(__version__)}</p></header>"
    )


def _contents(chapters: list[Chapter]) -> str:
    rows = []
    for chapter in chapters:
        question = f"<br><em>{markdown(chapter.question)}</em>" if chapter.question else ""
        number = _NUMBER.format(place=chapter.anchor)
        rows.append(
            f'<li><a href="#{chapter.anchor}">{markdown(chapter.title)}</a>{number}{question}</li>'
        )
    for name, title in TITLES.items():
        rows.append(f'<li><a href="#{name}">{title}</a>{_NUMBER.format(place=name)}</li>')
    return f'<nav class="contents"><h2>Contents</h2><ul>{"".join(rows)}</ul></nav>'
