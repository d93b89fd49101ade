"""Chromium as a printer: where it is, and a PDF of a page."""

import os
import re
import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path

from lengthlab.cli.arguments import CommandError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 300
_WAY_OUT = (
    "no Chromium found; on Debian or Ubuntu get one with: apt-get install chromium "
    "(or name yours in LENGTHLAB_CHROMIUM, or print the html page from any browser)"
)


def find_chromium() -> str:
    """Path of the Chromium to use: LENGTHLAB_CHROMIUM, or the first that is installed.

    Returns
    -------
    str

    Raises
    ------
    CommandError
        If there is none.
    """
    named = os.environ.get("LENGTHLAB_CHROMIUM")
    if named:
        if shutil.which(named) is None:
            msg = f"LENGTHLAB_CHROMIUM must be a program that can be run, got '{named}'"
            raise CommandError(msg)
        return named
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise CommandError(_WAY_OUT)
    return found


def print_pdf(page: str) -> bytes:
    """Print a page that is complete in itself.

    Parameters
    ----------
    page : str
        The HTML.

    Returns
    -------
    bytes
        The PDF.

    Raises
    ------
    CommandError
        If Chromium does not make one.
    """
    chromium = find_chromium()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        source, target = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(page, encoding="utf-8")
        try:
            done = subprocess.run(
                [chromium, *_options(folder), f"--print-to-pdf={target}", source.as_uri()],
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            msg = f"{chromium} did not print: {error}"
            raise CommandError(msg) from error
        if not target.is_file():
            said = done.stderr.decode(errors="replace").strip().splitlines()
            msg = (
                f"{chromium} made no PDF (status {done.returncode}): {''.join(said[-1:])} "
                f"(one from a snap sees no other program's files in {tempfile.gettempdir()}: "
                "set TMPDIR to a folder in your home)"
            )
            raise CommandError(msg)
        return target.read_bytes()


def _options(folder: str) -> list[str]:
    options = [
        "--headless",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
        f"--user-data-dir={folder}/profile",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium does not run as root otherwise
    return options


def page_numbers(pdf: bytes) -> dict[str, int]:
    """On which page each place of a PDF is that a link goes to.

    Parameters
    ----------
    pdf : bytes
        As Chromium writes it.

    Returns
    -------
    dict
        From the name of a place to a number, from 1; empty where it is written otherwise.
    """
    objects = {
        int(number): body
        for number, body in re.findall(rb"(?m)^(\d+) 0 obj\s(.*?)\sendobj", pdf, flags=re.S)
    }
    for body in list(objects.values()):
        objects.update(_packed(body))
    order: list[int] = []
    root = re.search(rb"/Root (\d+) 0 R", pdf)
    catalog = objects.get(int(root[1]), b"") if root else b""
    top = re.search(rb"/Pages (\d+) 0 R", catalog)
    _walk(objects, int(top[1]) if top else -1, order)
    places: dict[str, int] = {}
    for body in objects.values():
        for name, page in re.findall(rb"/([\w-]+) ?\[(\d+) 0 R ?/XYZ", body):
            if int(page) in order:
                places[name.decode()] = order.index(int(page)) + 1
    return places


def _packed(body: bytes) -> dict[int, bytes]:
    """Objects in a stream of objects."""
    if b"/ObjStm" not in body:
        return {}
    head, _, rest = body.partition(b"stream")
    first = re.search(rb"/First (\d+)", head)
    try:
        text = zlib.decompressobj().decompress(rest.lstrip(b"\r\n"))
    except zlib.error:
        return {}
    start = int(first[1]) if first else 0
    numbers = list(map(int, text[:start].split()))
    places = [*(start + place for place in numbers[1::2]), len(text)]
    return {number: text[places[k] : places[k + 1]] for k, number in enumerate(numbers[::2])}


def _walk(objects: dict[int, bytes], number: int, order: list[int]) -> None:
    """Add the pages below a node, in their order."""
    body = objects.get(number, b"")
    kids = re.search(rb"/Kids ?\[(.*?)\]", body, flags=re.S)
    if kids is None:
        order.append(number)
        return
    for kid in re.findall(rb"(\d+) 0 R", kids[1]):
        _walk(objects, int(kid), order)
