"""Notebooks as HTML: nbconvert does it, with formulas as MathML and links within one page."""

import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from lengthlab.cli.arguments import CommandError

PAGES = ("glossary.ipynb", "references.ipynb")
# A formula and the full stop after it stay on one line.
_ENDED = re.compile(r'(<math [^>]*display="inline"(?:(?!</math>).)*</math>)([.,;:!?)]+)', re.S)
_LESSON = re.compile(r"\d\d_\w+\.ipynb")


@dataclass(frozen=True)
class Chapter:
    """A notebook that is a chapter.

    Parameters
    ----------
    path : Path
        The notebook.
    title : str
        Its heading, as Markdown.
    question : str
        The question of a lesson, as Markdown; empty for other pages.
    cells : list
        As stored.
    """

    path: Path
    title: str
    question: str
    cells: list[Any]

    @property
    def anchor(self) -> str:
        """Name of its place in the page."""
        return anchor(self.path.name)


def anchor(name: str) -> str:
    """Name of the place of a notebook in the page.

    Examples
    --------
    >>> anchor("04_how_wide.ipynb"), anchor("glossary.ipynb")
    ('lesson-04', 'glossary')
    """
    return f"lesson-{name[:2]}" if _LESSON.fullmatch(name) else name.partition(".")[0]


def read_chapters(folder: Path) -> list[Chapter]:
    """Read the lessons in order, then the other pages.

    Parameters
    ----------
    folder : Path
        That of the lessons.

    Returns
    -------
    list of Chapter
    """
    lessons = [path for path in sorted(folder.glob("*.ipynb")) if _LESSON.fullmatch(path.name)]
    return [_read(path) for path in [*lessons, *(folder / name for name in PAGES)]]


def _read(path: Path) -> Chapter:
    nbformat: Any = import_module("nbformat")  # untyped
    try:
        cells = list(nbformat.read(path, as_version=4).cells)
        opening = str(cells[0].source)
    except (OSError, ValueError, IndexError, AttributeError) as error:
        msg = f"'{path}' must be a notebook that can be read: {error}"
        raise CommandError(msg) from error
    title = re.search(r"^# (.+)$", opening, flags=re.M)
    question = re.search(r"^\*\*(.+\?)\*\*$", opening, flags=re.M)
    return Chapter(path, title[1] if title else path.stem, question[1] if question else "", cells)


def markdown(text: str) -> str:
    """Turn a line of Markdown into HTML, without a paragraph around it."""
    renderer = _renderer_class()(escape=False)
    return _kept_together(re.sub(r"^<p>|</p>$", "", _with_math(renderer, text).strip()))


def _kept_together(body: str) -> str:
    return _ENDED.sub(r'<span class="together">\1\2</span>', body)


def _with_math(renderer: Any, text: str) -> str:
    from nbconvert.filters.markdown_mistune import MarkdownWithMath

    return str(MarkdownWithMath(renderer=renderer).render(text))


def _renderer_class() -> Any:
    """Make nbconvert's renderer of Markdown leave formulas to `mathml`."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer

    from lengthlab.cli.printing.mathml import mathml, with_formulas

    class Renderer(IPythonRenderer):
        def inline_math(self, body: str) -> str:
            return mathml(body)

        def block_math(self, body: str) -> str:
            return f'<div class="formula">{mathml(body, display=True)}</div>'

        def latex_environment(self, name: str, body: str) -> str:
            return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")

        def block_html(self, html: str) -> str:
            # nbconvert closes what this piece of HTML leaves open: a fold would hold nothing.
            whole = str(super().block_html(html)) if "<img" in html else html
            return with_formulas(whole)

    return Renderer


def convert(cells: list[Any], folder: Path, *, code: bool = True) -> str:
    """Turn cells into HTML: the code of pictures is left out, pictures are in the page.

    Parameters
    ----------
    cells : list
        Cells of one notebook.
    folder : Path
        That of the notebook.
    code : bool
        Show it, not its outputs alone.

    Returns
    -------
    str
    """
    from jinja2 import pass_context
    from traitlets.config import Config

    nbformat: Any = import_module("nbformat")  # untyped
    exporters: Any = import_module("nbconvert.exporters")
    config = Config()
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_input_tags = {"picture"}
    exporter = exporters.HTMLExporter(
        config=config,
        template_name="basic",
        embed_images=True,
        exclude_input=not code,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        anchor_link_text="",
    )
    renderer = _renderer_class()

    @pass_context
    def filtered(context: Any, source: str) -> str:
        attachments = context.get("cell", {}).get("attachments", {})
        made = renderer(escape=False, attachments=attachments, embed_images=True, path=str(folder))
        return _with_math(made, source)

    exporter.register_filter("markdown2html", filtered)
    notebook = nbformat.v4.new_notebook(cells=cells)
    body, _ = exporter.from_notebook_node(notebook, {"metadata": {"path": str(folder)}})
    return str(body)


def placed(body: str, name: str) -> str:
    """Make the headings' names unique, and links to notebooks links within the page.

    Parameters
    ----------
    body : str
        HTML of a notebook.
    name : str
        Name of its place.

    Returns
    -------
    str
    """
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(_kept_together(body), "html.parser")
    for k, heading in enumerate(soup.find_all(["h1", "h2", "h3", "h4"])):
        heading["id"] = f"{name}-{k}"
    for cell in soup.select('[id^="cell-id="]'):
        cell["id"] = f"{name}-cell-{str(cell['id']).partition('=')[2]}"
    for empty in soup.select("a.anchor-link"):
        empty.decompose()
    for link in soup.find_all("a", href=True):
        target = str(link["href"])
        if target.endswith(".ipynb") and "/" not in target:
            link["href"] = f"#{anchor(target)}"
    for figure in soup.find_all("img"):
        del figure["style"]
    for formula in soup.select("p > div.formula"):
        _set_apart(soup, formula)
    return str(soup)


def _set_apart(soup: Any, formula: Any) -> None:
    """Take a formula on its own line out of its paragraph: none may stand in one."""
    paragraph, rest = formula.parent, soup.new_tag("p")
    rest.extend(list(formula.next_siblings))
    paragraph.insert_after(formula.extract())
    formula.insert_after(rest)
    for part in (paragraph, rest):
        if not part.get_text(strip=True) and part.find(True) is None:
            part.decompose()
