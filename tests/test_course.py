"""The course as a whole: wrong answers, glossary, references, map, links, spelling, what it has."""

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from normalise_notebooks import joined, normal
from stored_lessons import FOLDER, LESSONS, ROOT, cells, each_lesson, number_of, source

from lengthlab.exercises.desk import check, entries, forget, lessons
from lengthlab.exercises.kinds import Exercise
from lengthlab.exercises.predictions import Prediction

GLOSSARY, REFERENCES = FOLDER / "glossary.ipynb", FOLDER / "references.ipynb"
PAGES = [GLOSSARY, REFERENCES]
NOTES = sorted((FOLDER / "instructor").glob("*.md"))

each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def text_of(path, tag=None):
    return "\n".join(source(cell) for cell in cells(path, "markdown", tag))


def flat(text):
    return re.sub(r"\s+", " ", text).strip()


# --- what the course has --------------------------------------------------------------------------


def test_fourteen_lessons_sixty_exercises_ten_predictions_twelve_proofs():
    everything = [entry for number in lessons() for entry in entries(number)]
    assert [number_of(path) for path in LESSONS] == list(lessons()) == list(range(14))
    assert sum(isinstance(entry, Exercise) for entry in everything) >= 60
    assert sum(isinstance(entry, Prediction) for entry in everything) >= 10
    proofs = [cell for path in LESSONS for cell in cells(path, "markdown", "proof")]
    assert sum(source(cell).startswith("<details>") for cell in proofs) >= 12


def test_every_lesson_asks_on():
    for path in LESSONS[1:]:
        assert "Next question: " in text_of(path, "summary"), path.name


# --- wrong mode -----------------------------------------------------------------------------------


def as_source(answer):
    """Source that makes an answer, or None where it is a function."""
    plain = answer.item() if hasattr(answer, "item") and not callable(answer) else answer
    text = repr(plain)
    with contextlib.suppress(Exception):
        if eval(text, {}) == plain:
            return text
    return None


@each_lesson
def test_wrong_mode(path):
    """Each known wrong answer, put into its answer cell, gets its own message there."""
    forget()
    names, written = {}, 0
    exec(source(cells(path, "code", "setup")[0]), names)
    exercises = {e.id: e for e in entries(number_of(path)) if isinstance(e, Exercise)}
    for cell in cells(path, "code", "answer"):
        (id,) = re.findall(r'^check\("(.*?)"', source(cell), flags=re.M)
        _, _, rest = source(cell).partition("\n")
        for wrong in exercises[id].wrong:
            text, out = as_source(wrong.answer), io.StringIO()
            with contextlib.redirect_stdout(out):
                if text is None:
                    check(id, wrong.answer)
                else:
                    exec(f"answer = {text}\n{rest}", names)
            written += text is not None
            assert flat(out.getvalue()) == flat(f"{id} not yet: {wrong.message}")
    forget()
    assert written >= 3


# --- the glossary ---------------------------------------------------------------------------------

REWORDED = {  # read beside one another: the page says the same, without the lesson around it
    "$\\delta$": "the probability that is allowed for a larger distance in some layer.",
    "$N_0(\\varepsilon, \\delta)$": "the smallest width such that it and every larger width keep "
    "to both.",
    "$r_\\ell$": "the same after the activation, $|x_\\ell|^2 / N$.",
    "confidence interval": "computed from a sample so that it holds the true value with a given "
    "probability, here 95 %.",
    "joint theory": "the probability of being inside in all layers, from the Gaussian limit of "
    "$\\sqrt N (q - \\tilde q)$.",
    "stable": "lengths nearby come back to it; here, whenever $|V'(q^*)| < 1$.",
    "unstable": "lengths nearby, however near, move away; here, whenever $V'(q^*) > 1$.",
    "typical length": "the median over all networks; not the mean.",
    "uniform integrability": "the parts $E[X_v; X_v > M]$ tend to 0 as $M$ grows, uniformly in "
    '$v$. Line 2 of "why" is this.',
}
AGAIN = {  # a later lesson says it again, in other words and with the same meaning
    ("convergence in probability", 4),
    ("dead network", 11),
    ("he's scale", 11),
    ("lévy law", 8),
    ("out of reach", 6),
    ("permissible", 6),
    ("unit scale", 10),
    ("unit scale", 13),
}


def items(text):
    return re.findall(r"^\* (.+)$", text, flags=re.M)


def terms(item):
    """Terms that an item sets in bold, without a cross-reference's target."""
    return re.findall(r"\*\*(.+?)\*\*", item.partition(": see ")[0])


def meaning(item):
    """What an item says after its first term, without the lesson."""
    return re.sub(r" \(\[lesson \d+\]\([\w.]+\)\)$", "", item).partition("**: ")[2] or item


def in_lessons():
    """Every item of the lessons' glossaries, in order: lesson, item."""
    return [
        (number_of(path), item) for path in LESSONS for item in items(text_of(path, "glossary"))
    ]


@pytest.fixture(scope="module")
def page():
    return items(text_of(GLOSSARY, "glossary"))


def test_no_term_of_a_lesson_is_missing_and_none_is_there_twice(page):
    wanted = {term.lower() for _, item in in_lessons() for term in terms(item)}
    known = [terms(item)[0].lower() for item in page]
    assert len(set(known)) == len(known)
    assert wanted - {term.lower() for item in page for term in terms(item)} == set()
    assert set(known) <= wanted


def test_a_term_says_what_its_lesson_says(page):
    """Verbatim, or as written down above: a lesson that changes its mind is noticed."""
    known = {terms(item)[0].lower(): item for item in page if ": see **" not in item}
    introduced = {}
    for number, item in in_lessons():
        term = terms(item)[0]
        if term.lower() in introduced:
            assert (term.lower(), number) in AGAIN, "read both, and note it above"
            continue
        introduced[term.lower()] = number
        if term == "$Q$":
            continue
        entry = known.get(term.lower())
        if entry is None:  # said beside another term of the same lesson before
            assert (term.lower(), number) in AGAIN
            continue
        assert f"([lesson {number}]({LESSONS[number].name}))" in entry
        if term in REWORDED:
            assert item.partition("**: ")[2] == REWORDED[term]
            assert entry.partition("**: ")[2].split(" (")[0] != REWORDED[term]
        else:
            assert entry.startswith(item.rstrip())


def test_cross_references_lead_to_a_term(page):
    known = {terms(item)[0] for item in page if ": see **" not in item}
    for item in page:
        for target in re.findall(r": see \*\*(.+?)\*\*", item):
            assert target in known


def test_the_glossary_is_in_alphabetical_order(page):
    headings = re.findall(r"^## (\w) to (\w)$", text_of(GLOSSARY, "glossary"), flags=re.M)
    assert headings[0][0] == "A"
    assert headings[-1][1] == "Z"
    words = [re.sub(r"^(the|to) ", "", terms(item)[0].lower()) for item in page]
    plain = [word for word in words if re.fullmatch(r"[a-z' -]+", word)]
    assert plain == sorted(plain, key=lambda word: re.sub(r"[^a-z' -]", "", word))


# --- the references -------------------------------------------------------------------------------

AUTHOR = re.compile(r"(?:[A-Z]\.[ -])+(?:van der )?[A-Z][\w-]+")


def works(text):
    """Titles of journals, books and meetings, years, authors and addresses that a text names."""
    return (
        set(AUTHOR.findall(text))
        | set(re.findall(r"https://[^)]+", text))
        | set(re.findall(r"\*([A-Z][^*]{8,})\*", text))
    )


def test_every_work_of_a_lesson_is_on_the_page_and_no_other():
    cited = set().union(*(works(text_of(path, "references")) for path in LESSONS))
    listed = works(text_of(REFERENCES, "references"))
    cited = {work for work in cited if not re.match(r"One (page|hour|week)", work)}
    assert cited - listed == set()
    # Two works that a lesson names in its text: of SELU, and of a set that is not measurable.
    elsewhere = {"Fundamenta Mathematicae", "G. Klambauer", "T. Unterthiner", "A. Mayr"}
    assert listed - cited <= elsewhere | {"S. Hochreiter"}
    prose = "".join(text_of(path) for path in LESSONS)
    assert "Klambauer et al., 2017" in prose
    assert "Łoś and Marczewski, *Fundamenta Mathematicae* 36 (1949)" in prose


def test_an_hour_comes_first_and_is_an_hour():
    sections = re.findall(r"^## (.+)$", text_of(REFERENCES), flags=re.M)
    assert sections[0] == "What to read in an hour"
    hour = source(cells(REFERENCES, tag="references")[0])
    minutes = {"Ten": 10, "Twenty": 20, "Thirty": 30}
    assert sum(minutes[word] for word in re.findall(r"^\d\. (\w+) minutes", hour, re.M)) == 60


def test_a_work_names_the_lessons_that_cite_it():
    for item in items(text_of(REFERENCES, "references")):
        found = re.findall(r"\[(\d+)\]\((\d\d)_\w+\.ipynb\)", item)
        assert found, item
        for shown, name in found:
            assert int(shown) == int(name)
            first = AUTHOR.findall(item)
            surname = first[0].split()[-1] if first else "Marczewski"
            assert surname in text_of(LESSONS[int(shown)]), (surname, shown)


# --- the map --------------------------------------------------------------------------------------


def test_the_map_the_table_and_the_alternative_agree():
    start = LESSONS[0]
    (table,) = [text for text in map(source, cells(start, tag="course")) if "| needs |" in text]
    rows = re.findall(
        r"^\| \[(\d+), .*?\]\((\w+\.ipynb)\) \| (.+?) \| (.+?) \| (\d+) min", table, re.M
    )
    assert [int(row[0]) for row in rows] == list(range(1, 14))
    (picture,) = [cell for cell in cells(start, "code") if cell["id"] == "map"]
    printed = joined(picture["outputs"][0]["data"]["text/plain"])
    shown = dict(re.findall(r"(\d+) needs ([\d and]+)", printed))
    for number, name, question, needs, minutes in rows:
        lesson = LESSONS[int(number)]
        assert lesson.name == name
        assert f"**Time:** {minutes} minutes alone" in text_of(lesson, "opening")
        assert question.endswith("?")
        assert set(re.findall(r"\d+", needs)) == set(re.findall(r"\d+", shown.get(number, "")))
    alternative = printed.partition("[picture: ")[2]
    for said in ("from 4 an arrow to 5", "from 5 to 8", "from 3 to 9", "10 to 11 and to 12"):
        assert said in alternative


def test_a_lesson_needs_what_the_map_says():
    """The lessons that the map puts before a lesson hold all that its opening asks for."""
    (picture,) = [cell for cell in cells(LESSONS[0], "code") if cell["id"] == "map"]
    printed = joined(picture["outputs"][0]["data"]["text/plain"]).partition("\n")[0]
    needs = {
        int(number): set(map(int, re.findall(r"\d+", names)))
        for number, names in re.findall(r"(\d+) needs ([\d and]+)", printed)
    }
    before = {}
    for number in range(1, 14):
        before[number] = set().union(*({k} | before[k] for k in needs.get(number, set())), set())
        asked = re.findall(r"\*\*You need:\*\* (.*)", text_of(LESSONS[number], "opening"))[0]
        named = set()
        for words in re.findall(r"lessons? ([\d, andto]+)", asked):
            for first, last in re.findall(r"(\d+) to (\d+)", words):
                named |= set(range(int(first), int(last) + 1))
            named |= set(map(int, re.findall(r"\d+", words)))
        assert named <= before[number], number


# --- pages, links, pictures, spelling -------------------------------------------------------------


@each_page
def test_a_page_is_markdown_in_the_stored_form(path):
    text = path.read_text(encoding="utf-8")
    assert normal(json.loads(text)) == text
    assert {cell["cell_type"] for cell in cells(path)} == {"markdown"}
    ids = [cell["id"] for cell in cells(path)]
    assert len(set(ids)) == len(ids)


def test_links_resolve_between_lessons_pages_and_notes():
    known = {path.name for path in [*LESSONS, *PAGES]}
    for path in [*LESSONS, *PAGES]:
        for link in re.findall(r"\]\(([^)\s]+)\)", text_of(path)):
            target, _, place = link.partition("#")
            if not link.startswith("https://"):
                assert (path.parent / target).is_file(), (path.name, link)
                assert not place, "headings have other addresses on other hosts"
    for path in NOTES:
        for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
            assert link.startswith("https://") or (path.parent / link).is_file()
    start = text_of(LESSONS[0])
    assert {name for name in known if f"]({name})" in start} == known - {LESSONS[0].name}


def test_every_picture_of_the_course_has_a_text_alternative():
    pictures = 0
    for path in [*LESSONS, *PAGES]:
        for cell in cells(path):
            alts = re.findall(r"!\[(.*?)\]\(", source(cell))
            for output in cell.get("outputs", ()):
                data = output.get("data", {})
                html = joined(data.get("text/html", ""))
                assert html.count("<img ") == html.count(' alt="')
                alts += re.findall(r'<img [^>]*alt="([^"]*)"', html)
                assert "image/png" not in data or "<img " in html
            pictures += len(alts)
            assert all(len(alt.split()) >= 8 for alt in alts)
    assert pictures >= 35


ALLOWED = ("nin",)  # a misspelling that a test of formulas needs


def test_spelling(tmp_path):
    """Codespell over what is read: lessons with their outputs, notes, documents, code."""
    program = shutil.which("codespell", path=str(Path(sys.executable).parent))
    assert program, "pip install codespell"
    for path in [*LESSONS, *PAGES]:
        words = [source(cell) for cell in cells(path)]
        for cell in cells(path, "code"):
            for output in cell["outputs"]:
                words.append(joined(output.get("text", "")))
                words.append(joined(output.get("data", {}).get("text/plain", "")))
        (tmp_path / f"{path.stem}.txt").write_text("\n".join(words), encoding="utf-8")
    code = sorted((ROOT / "lengthlab").rglob("*.py")) + sorted((ROOT / "tests").rglob("*.py"))
    documents = [*ROOT.glob("*.md"), *NOTES, *(ROOT / "lengthlab").rglob("*.js")]
    command = [program, "-L", ",".join(ALLOWED), str(tmp_path), *map(str, documents + code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_spelling_test_can_fail(tmp_path):
    program = shutil.which("codespell", path=str(Path(sys.executable).parent))
    wrong = "".join(("rec", "ieve"))
    (tmp_path / "page.txt").write_text(f"Layers {wrong} inputs.\n")
    done = subprocess.run([program, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert wrong in done.stdout
