"""The whole course as one page and a PDF: complete, and with no network."""

import os
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from lengthlab.__main__ import main
from lengthlab.cli.arguments import CommandError
from lengthlab.cli.printing import chromium, document, fonts
from lengthlab.cli.printing.mathml import mathml, with_formulas
from lengthlab.cli.printing.notebooks import convert, markdown, placed, read_chapters
from lengthlab.exercises.desk import entries
from lengthlab.exercises.kinds import Exercise

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "lessons"
ROUTES = FOLDER / "instructor" / "routes.md"
LESSONS = sorted(path for path in FOLDER.glob("[0-9][0-9]_*.ipynb"))


class Page(HTMLParser):
    """Elements of a page, and its text outside formulas, code and style."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self.quiet = [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.quiet += tag in ("math", "style", "script", "pre", "code")

    def handle_endtag(self, tag):
        self.quiet -= tag in ("math", "style", "script", "pre", "code")

    def handle_data(self, data):
        if not self.quiet:
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def course():
    return document.course_html(FOLDER)


@pytest.fixture(scope="module")
def page(course):
    return Page(course)


@pytest.fixture(scope="module")
def soup(course):
    return BeautifulSoup(course, "html.parser")


# --- the page -------------------------------------------------------------------------------------


def test_every_lesson_and_page_is_a_chapter_and_in_the_contents(page):
    wanted = [f"lesson-{path.name[:2]}" for path in LESSONS]
    wanted += ["glossary", "references", "hints", "solutions"]
    chapters = [a["id"] for a in page.all("section") if a.get("class") == "chapter"]
    assert chapters == wanted
    links = [a["href"][1:] for a in page.all("a") if a.get("href", "").startswith("#")]
    assert links[: len(wanted)] == wanted
    assert len(wanted) == 18


def test_names_are_unique_and_links_lead_somewhere(page):
    names = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(names) == len(set(names))
    for attrs in page.all("a"):
        target = attrs["href"]
        assert target.startswith(("https://", "#"))
        assert not target.startswith("#") or target[1:] in names


def test_nothing_is_fetched(course, page):
    assert page.all("script") == []
    assert page.all("link") == []
    assert page.all("iframe") == []
    assert all(attrs["src"].startswith("data:") for attrs in page.all("img"))
    assert set(re.findall(r"url\((\w+):", course)) == {"data"}
    assert "@import" not in course


def test_every_picture_has_a_text_alternative(page):
    pictures = page.all("img")
    assert len(pictures) >= 35
    assert all(len(attrs["alt"].split()) >= 8 for attrs in pictures)


def test_pictures_of_markdown_cells_are_in_the_page():
    lesson = next(c for c in read_chapters(FOLDER) if c.anchor == "lesson-01")
    body = convert(lesson.cells[:1], FOLDER)
    assert "One random layer" in body
    assert "prompt" not in re.sub(r"<style.*?</style>", "", body, flags=re.S)


def test_a_notebook_that_is_none_is_named(tmp_path):
    (tmp_path / "00_broken.ipynb").write_text("{")
    with pytest.raises(CommandError, match=r"00_broken\.ipynb' must be a notebook"):
        read_chapters(tmp_path)


def test_every_formula_is_one(course, page):
    assert len(page.all("math")) > 1500
    text = "".join(page.text)
    assert "$" not in text
    assert not re.search(r"\\[a-zA-Z]+", text)
    assert "<mtext>\\" not in course
    assert "merror" not in course


def test_answers_are_there_and_the_code_of_pictures_is_not(course, page):
    assert course.count('class="cell border-box-sizing code_cell') > 200
    assert "celltag_answer" in course
    assert "not attempted: put your answer in place of the three dots." in course
    assert "figsize" not in course
    assert course.count("<details>") >= 12
    assert "In&nbsp;[" not in course


def test_a_fold_holds_its_proof(soup):
    folds = soup.select(".celltag_proof details")
    assert len(folds) >= 12
    others = [fold for fold in soup.select("details") if fold not in folds]
    assert [fold.summary.get_text() for fold in others] == ["New to notebooks?"]
    for fold in folds:
        assert len(fold.get_text()) > 300 + len(fold.summary.get_text())
        assert fold.select("math")


def test_formulas_on_lines_of_their_own_stand_beside_paragraphs(soup):
    assert len(soup.select("div.formula")) > 80
    assert soup.select("p div") == []
    assert [p for p in soup.select("p") if not p.get_text(strip=True) and not p.find(True)] == []


def test_text_around_a_formula_stays_in_paragraphs():
    body = placed(f"<p>so {markdown('$$a$$')} and {markdown('$$b$$')}, with <b>c</b>.</p>", "x")
    assert re.sub(r"<math.*?</math>", "*", body) == (
        '<p>so </p><div class="formula">*</div><p> and </p><div class="formula">*</div>'
        "<p>, with <b>c</b>.</p>"
    )


def test_a_formula_never_loses_its_full_stop(course):
    assert course.count('<span class="together">') > 500
    assert re.findall(r"</math>[.,;:!?)]+(?!.{0,2}</span>)", course) == []


def test_the_hints_and_solutions_of_every_exercise_are_there_and_linked(soup):
    asked = [e for n in range(len(LESSONS)) for e in entries(n) if isinstance(e, Exercise)]
    assert len(asked) > 100
    found = {box["id"]: box for box in soup.select(".answer[id]")}
    links = [link["href"] for link in soup.select(".celltag_toward a")]
    for exercise in asked:
        number = exercise.id.replace(".", "-")
        hints, solution = found[f"hints-{number}"], found[f"solutions-{number}"]
        assert [item.get_text() for item in hints.select("li")] == list(exercise.hints)
        assert exercise.solution.words in solution.get_text()
        assert links.count(f"#hints-{number}") == links.count(f"#solutions-{number}") == 1
    assert len(links) == len(found) == 2 * len(asked)
    assert found["solutions-1-2"].strong.find_next("strong").get_text() == "c"
    assert "d: " in found["solutions-1-2"].get_text()
    assert "rng.chisquare" in found["solutions-1-5"].pre.get_text()


def test_the_command_writes_the_page(tmp_path, capsys, course):
    target = tmp_path / "course.html"
    assert main(["lessons", "--to", "html", "--output", str(target)]) == 0
    assert target.read_text(encoding="utf-8") == course  # and twice the same
    assert capsys.readouterr().out.startswith(f"Wrote {target}, ")


# --- formulas -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tex", "spaces"),
    [
        ("a + b", ["0.222em", "0.222em"]),
        ("-a", []),
        ("a = -b", ["0.278em", "0.278em"]),
        ("a, b", ["0.167em"]),
        (r"E \log q", ["0.167em", "0.167em"]),
        (r"\log(q)", []),
        (r"|a - b| \le |c|", ["0.222em", "0.222em", "0.278em", "0.278em"]),
        (r"|-a|", []),
        (r"e^{a + b}", []),
        (r"1/N", []),
        (r"\{x : x < 1\}", ["0.278em"] * 4),
        (r"H \sim N", ["0.278em", "0.278em"]),
        (r"q_1, \dots, q_D", ["0.167em"] * 3),
        (r"\phi(-x)", []),
    ],
)
def test_spaces_are_those_of_tex(tex, spaces):
    assert re.findall(r'<mspace width="([\d.]+em)"', mathml(tex)) == spaces


def test_words_lines_and_alternatives():
    assert '<mi class="word">Var</mi>' in mathml(r"\mathrm{Var}\, q")
    assert '<mrow class="overline">' in mathml(r"\overline{a + b}")
    assert '<mrow class="underbrace">' in mathml(r"\underbrace{a + b}_{c}")
    assert 'display="block"' in mathml("q", display=True)
    assert 'alttext="a &lt; b"' in mathml("a < b")
    assert "xmlns" not in mathml("q")


def test_formulas_in_html():
    text = with_formulas("<summary>$a &lt; b$ and $$c$$</summary>")
    assert text.startswith('<summary><math display="inline" alttext="a &lt; b">')
    assert '<math display="block" alttext="c">' in text
    assert with_formulas("5 dollars") == "5 dollars"


def test_a_full_stop_stays_with_its_formula():
    body = placed(f"<p>as {markdown('$q$')}.</p>", "x")
    assert '<span class="together"><math' in body
    assert "</math>.</span>" in body


def test_the_fonts_have_every_letter_of_the_course(course):
    from fontTools.ttLib import TTFont

    known = set(TTFont(fonts._MATH).getBestCmap())
    texts = "".join(re.findall(r"<m[ion][^>]*>([^<]*)</m[ion]>", course))
    missing = {letter for letter in texts if ord(letter) > 32 and ord(letter) not in known}
    assert not {letter for letter in missing if letter not in "\xa0\u2061\u2062"}
    assert "MATH" in TTFont(fonts._MATH)


def test_the_font_comes_with_its_licence():
    assert "SIL OPEN FONT LICENSE" in (fonts._MATH.parent / "OFL.txt").read_text()


# --- the PDF --------------------------------------------------------------------------------------


needs_chromium = pytest.mark.browser


def pdf_of(*pages):
    """A PDF as Chromium writes one, as far as its places go."""
    kids = " ".join(f"{10 + k} 0 R" for k in range(len(pages)))
    names = "\n".join(f"/{name} [{10 + k} 0 R /XYZ 0 700 0]" for k, name in enumerate(pages))
    body = [f"{10 + k} 0 obj\n<</Type /Page>>\nendobj" for k in range(len(pages))]
    top = "1 0 obj\n<</Type /Catalog /Pages 2 0 R /Dests 3 0 R>>\nendobj"
    tree = f"2 0 obj\n<</Type /Pages /Kids [{kids}]>>\nendobj"
    places = f"3 0 obj\n<<{names}>>\nendobj"
    return "\n".join([*body, top, tree, places, "trailer <</Root 1 0 R>>"]).encode()


def test_places_are_found_on_their_pages():
    assert chromium.page_numbers(pdf_of("one", "two")) == {"one": 1, "two": 2}
    assert chromium.page_numbers(b"%PDF-1.4 something else") == {}


def test_places_in_a_stream_of_objects():
    inner = b"<</Type /Pages /Kids [7 0 R]>> <</Type /Page>> <</a [7 0 R /XYZ 0 0 0]>>"
    starts = [0, 31, 48]
    head = " ".join(f"{n} {s}" for n, s in zip((2, 7, 8), starts, strict=True)).encode() + b" "
    data = zlib.compress(head + inner)
    pdf = b"5 0 obj\n<</Type /ObjStm /First %d>>\nstream\n" % len(head) + data
    pdf += b"\nendstream\nendobj\n1 0 obj\n<</Pages 2 0 R>>\nendobj\ntrailer <</Root 1 0 R>>"
    assert chromium.page_numbers(pdf) == {"a": 1}


@needs_chromium
def test_the_pdf_has_pages_with_numbers_in_the_contents(tmp_path, monkeypatch):
    """Two chapters instead of sixteen: what is printed is the same."""
    chapters = [c for c in read_chapters(FOLDER) if c.anchor in ("lesson-00", "references")]
    monkeypatch.setattr(document, "read_chapters", lambda folder: chapters)
    printed = []
    original = document.print_pdf
    monkeypatch.setattr(document, "print_pdf", lambda page: printed.append(page) or original(page))
    pdf = document.course_pdf(FOLDER)
    assert pdf.startswith(b"%PDF")
    numbers = chromium.page_numbers(pdf)
    assert numbers["lesson-00"] == 3
    assert numbers["references"] > 6
    assert f'<span class="page">{numbers["references"]}</span>' in printed[1]
    assert "<details>" not in printed[1]
    assert '<p class="summary">' in document._unfolded("<details><summary>The proof</summary>")


@needs_chromium
def test_the_outline_of_the_pdf_names_every_heading_once(monkeypatch):
    """Chromium repeats a title whose margin the top of a new page swallows."""
    chapters = [c for c in read_chapters(FOLDER) if c.anchor == "lesson-02"]
    page = document.whole_page(
        document._unfolded(placed(convert(chapters[0].cells, FOLDER), "x")), "course.css"
    )
    titles = re.findall(rb"/Title \((.+?)\)\n", chromium.print_pdf(page))[1:]
    assert len(titles) >= 12
    assert [title for title in titles if title[: len(title) // 2] == title[len(title) // 2 :]] == []


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands for Chromium")
def test_a_chromium_that_fails_is_named(tmp_path, monkeypatch):
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\necho broken >&2\nexit 7\n")
    fake.chmod(0o755)
    monkeypatch.setenv("LENGTHLAB_CHROMIUM", str(fake))
    with pytest.raises(CommandError, match=r"made no PDF \(status 7\): broken .*set TMPDIR"):
        chromium.print_pdf("<p>")
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(chromium, "PATIENCE", 0.2)
    with pytest.raises(CommandError, match="did not print"):
        chromium.print_pdf("<p>")
