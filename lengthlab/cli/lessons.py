"""``lengthlab lessons``: the whole course as one document, or a route through it as slides."""

import argparse
import importlib.util
import os
from pathlib import Path
from typing import Any

from lengthlab.cli.arguments import CommandError
from lengthlab.cli.lab import lessons_folder

NEEDED = ("nbconvert", "nbformat", "latex2mathml")
FILES = {
    "html": "lengthlab-lessons.html",
    "pdf": "lengthlab-lessons.pdf",
    "slides": "lengthlab-slides-{route}.html",
}


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "lessons",
        help="the whole course as one page or one PDF, or a lecture's slides",
        description="Write the whole course into one file: a page to read without Python, a PDF "
        "to print, or the slides of a lecture. The file needs no network.",
        epilog="A PDF is printed by Chromium, which has to be installed.",
        allow_abbrev=False,
    )
    parser.add_argument("--to", required=True, choices=sorted(FILES), help="what to make")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="where to write it (default: here)"
    )
    parser.add_argument("--route", metavar="MINUTES", help="which lecture the slides are for (50)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.route is not None and arguments.to != "slides":
        msg = "route is for slides: use --to slides, or leave --route out"
        raise CommandError(msg)
    for module in NEEDED:
        if importlib.util.find_spec(module) is None:
            msg = f'{module} is not installed; get it with: pip install "lengthlab[print]"'
            raise CommandError(msg)
    route = arguments.route or "50"
    target = arguments.output or Path(FILES[arguments.to].format(route=route))
    _check_target(target, arguments.to)
    content = _made(arguments.to, route)
    target.write_bytes(content)
    print(f"Wrote {target}, {len(content) / 1e6:.1f} MB")
    return 0


def _check_target(target: Path, kind: str) -> None:
    """Refuse a file that could not be written, before anything is made."""
    ending = ".pdf" if kind == "pdf" else ".html"
    if target.suffix.lower() != ending:
        msg = f"output must end in {ending}, got '{target}'"
        raise CommandError(msg)
    place = target if target.exists() else target.parent
    if not target.parent.is_dir() or target.is_dir() or not os.access(place, os.W_OK):
        msg = f"output must be a file in a folder that you can write to, got '{target}'"
        raise CommandError(msg)


def _made(kind: str, route: str) -> bytes:
    # nbconvert: only where it is wanted
    from lengthlab.cli.printing import chromium, document, slides

    folder = lessons_folder()
    if kind == "pdf":
        chromium.find_chromium()
        return document.course_pdf(folder)
    if kind == "html":
        return document.course_html(folder).encode()
    return slides.deck(folder, route).encode()
