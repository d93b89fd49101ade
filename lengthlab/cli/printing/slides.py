"""A route through the course as slides: one page that a browser turns over, without a network.

The route is the table of ``lessons/instructor/routes.md``: the lecturer's plan and the slides
cannot disagree. Code is for reading at home: the slides show what it prints.
"""

import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lengthlab.cli.arguments import CommandError
from lengthlab.cli.printing.document import whole_page
from lengthlab.cli.printing.notebooks import Chapter, convert, markdown, placed, read_chapters

# The class guesses aloud: what a notebook says of the guess is not for a slide.
_GUESS = re.compile(r"^ *your prediction: .*\n", re.M)
_NEW = ("slide", "subslide", "skip")  # kinds of cell that begin a slide


@dataclass(frozen=True)
class Stop:
    """A row of a route.

    Parameters
    ----------
    minutes : int
        How long it takes.
    lesson : int
        The lesson's number.
    cells : tuple of str
        Names of its cells, in the order shown.
    joined : frozenset of str
        Those that stay on the slide of the cell before; in the table a + stands in front.
    """

    minutes: int
    lesson: int
    cells: tuple[str, ...]
    joined: frozenset[str] = frozenset()


def read_routes(folder: Path) -> dict[str, list[Stop]]:
    """Read the routes that have slides: those whose rows name minutes, a lesson and cells.

    Parameters
    ----------
    folder : Path
        That of the lessons.

    Returns
    -------
    dict
        From the number of minutes in a heading to the rows of its table.
    """
    path = folder / "instructor" / "routes.md"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        msg = f"'{path}' must be a file that can be read: {error}"
        raise CommandError(msg) from error
    routes = {}
    for minutes, plan in re.findall(r"^## (\d+) minutes$(.*?)(?=^## |\Z)", text, flags=re.M | re.S):
        rows = re.findall(r"^\| \d+ \| (\d+) \| (\d+) \| [^|]* \| ([^|]*) \|$", plan, flags=re.M)
        routes[minutes] = [
            Stop(
                int(took),
                int(lesson),
                tuple(re.findall(r"`([\w-]+)`", cells)),
                frozenset(re.findall(r"\+ `([\w-]+)`", cells)),
            )
            for took, lesson, cells in rows
        ]
    return routes


def deck(folder: Path, route: str) -> str:
    """Make the slides of a route.

    Parameters
    ----------
    folder : Path
        That of the lessons.
    route : str
        Its number of minutes, as in the plan's heading.

    Returns
    -------
    str
        A page that is complete in itself.
    """
    routes = read_routes(folder)
    if route not in routes:
        msg = f"route must be one of {', '.join(routes)}, got {route!r}"
        raise CommandError(msg)
    chapters = {int(chapter.path.name[:2]): chapter for chapter in _lessons(folder)}
    slides = []
    for stop in routes[route]:
        if stop.lesson not in chapters:
            msg = f"route {route} names lesson {stop.lesson}, and there is none"
            raise CommandError(msg)
        slides += _slides(chapters[stop.lesson], stop, folder)
    total = sum(stop.minutes for stop in routes[route])
    first = (
        f'<section class="slide title"><h1>The lengths of random networks</h1>'
        f"<p>A lecture of {total} minutes, after Long and Sedghi (2019)</p></section>"
    )
    buttons = "".join(
        f'<button type="button" id="{name}" aria-label="{label}">{sign}</button>'
        for name, label, sign in (("back", "previous slide", "‹"), ("on", "next slide", "›"))
    )
    turning = f'<nav class="turn">{buttons}<output id="where" aria-live="polite"></output></nav>'
    return whole_page(
        f"<main>{first}{''.join(slides)}</main>{turning}", "slides.css", script="slides.js"
    )


def _lessons(folder: Path) -> list[Chapter]:
    return [chapter for chapter in read_chapters(folder) if chapter.path.name[:2].isdecimal()]


def _slides(chapter: Chapter, stop: Stop, folder: Path) -> list[str]:
    """Slides of one row: a cell that goes on from the one above stays on its slide."""
    known = {cell.id: cell for cell in chapter.cells}
    groups: list[list[Any]] = []
    for name in stop.cells:
        if name not in known:
            msg = f"a route names the cell {name!r} of {chapter.path.name}, and there is none"
            raise CommandError(msg)
        kind = known[name].metadata.get("slideshow", {}).get("slide_type", "-")
        if groups and (name in stop.joined or kind not in _NEW):
            groups[-1].append(known[name])
        else:
            groups.append([known[name]])
    made = []
    for cells in groups:
        place = f"{chapter.anchor}-{cells[0].id}"
        body = placed(_GUESS.sub("", convert(cells, folder, code=False)), place)
        label = html.escape(f"{chapter.path.name}, {cells[0].id}", quote=True)
        above = "" if "<h2" in body else _section(chapter, cells[0])
        head = f'<p class="lesson">{markdown(chapter.title + above)}</p>'
        made.append(
            f'<section class="slide" id="{place}" data-cells="{label}">{head}{body}</section>'
        )
    return made


def _section(chapter: Chapter, cell: Any) -> str:
    """Return the heading that a cell without one stands under, with a sign before it."""
    before = chapter.cells[: chapter.cells.index(cell)]
    found = [re.search(r"^## (.+)$", one.source, flags=re.M) for one in before]
    titles = [match[1] for match in found if match]
    return f" · {titles[-1]}" if titles else ""
