"""The lessons as stored: skeleton, outputs, links, numbers, solutions, slides, and nbval itself."""

import ast
import contextlib
import io
import json
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from normalise_notebooks import VIEW, joined, main, normal

from lengthlab.exercises.desk import entries, forget
from lengthlab.exercises.kinds import Choice, Exercise, Prediction, Words

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.ipynb"))
FULL = [path for path in LESSONS if not path.name.startswith("00_")]
SECTIONS = (
    "opening",
    "warm-up",
    "predict",
    "point",
    "why",
    "proof",
    "standing",
    "check",
    "exercises",
    "summary",
    "glossary",
    "references",
)
SLIDES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
NBVAL = ("--nbval", "--nbval-cell-timeout=120", "--nbval-sanitize-with")

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


# --- skeleton -------------------------------------------------------------------------------------


def test_there_are_lessons():
    assert [number_of(path) for path in LESSONS] == list(range(len(LESSONS)))
    assert len(FULL) >= 3


@full_lesson
def test_sections_come_in_order(path):
    tags = [tag for cell in cells(path) for tag in cell["metadata"]["tags"]]
    assert all(section in tags for section in SECTIONS)
    first = [tags.index(section) for section in SECTIONS]
    assert first == sorted(first)


@full_lesson
def test_the_opening_says_what_when_and_for_whom(path):
    opening = source(cells(path)[0])
    assert re.match(rf"# Lesson {number_of(path)}: .+\n\n\*\*.+\?.*\*\*\n", opening)
    assert 3 <= len(re.findall(r"^\d\. ", opening, flags=re.M)) <= 5
    for part in ("**You need:**", "**Time:**", "minutes as a lecture", "Previous: ["):
        assert part in opening


@full_lesson
def test_point_why_proof_and_standing(path):
    point, why, proof, standing = (
        source(cells(path, "markdown", tag)[0]) for tag in ("point", "why", "proof", "standing")
    )
    assert "**" in point
    assert "$$" in point
    assert re.search(r"\d\.\d", point)
    assert len(re.findall(r"^\d\. ", why, flags=re.M)) == 3
    assert proof.startswith("<details>")
    assert proof.rstrip().endswith("</details>")
    assert 200 < len(proof.split()) < 600
    for word in ("[LS]", "our remark", "experiment"):
        assert word in standing


@full_lesson
def test_kinds_of_exercises(path):
    found = [entry for entry in entries(number_of(path)) if isinstance(entry, Exercise)]
    warm_up = [entry for entry in found if entry.id[-1].isalpha()]
    body = [entry for entry in found if entry not in warm_up]
    assert len(warm_up) == 2
    assert sum(isinstance(entry, Choice) for entry in body) == 1
    assert 3 <= len(body) - 1 <= 6
    assert sum(isinstance(entry, Words) for entry in body) == 2
    assert {type(entry).__name__ for entry in body} & {"Function", "Sampler"}
    assert {type(entry).__name__ for entry in body} >= {"Number", "Find"}


@each_lesson
def test_every_cell_has_a_slide_type_tags_and_a_readable_id(path):
    ids = [cell["id"] for cell in cells(path)]
    assert len(set(ids)) == len(ids)
    for cell in cells(path):
        assert cell["metadata"]["slideshow"]["slide_type"] in SLIDES
        assert cell["metadata"]["tags"]


@each_lesson
def test_the_answer_cell_stands_right_under_its_exercise(path):
    all_cells = cells(path)
    asked = []
    for above, below in pairwise(all_cells):
        if "exercise" not in above["metadata"]["tags"]:
            continue
        (id,) = re.findall(r"^\*\*(\d+\.\w+)", source(above), flags=re.M)
        asked.append(id)
        assert "answer" in below["metadata"]["tags"]
        first, *rest = source(below).splitlines()
        assert re.fullmatch(r"answer = \.\.\.(  # def answer\(.*)?", first)
        assert rest == [f'check("{id}", answer)', f'# hint("{id}")', f'# solution("{id}")']
    assert asked == [e.id for e in entries(number_of(path)) if isinstance(e, Exercise)]
    assert len(cells(path, tag="answer")) == len(asked)


@each_lesson
def test_predictions_come_before_their_reveal_and_stay_open(path):
    code = "\n".join(source(cell) for cell in cells(path, "code"))
    for entry in entries(number_of(path)):
        if isinstance(entry, Prediction):
            assert code.index(f'predict("{entry.id}", ...)') < code.index(f'reveal("{entry.id}"')
    assert any("no prediction yet" in printed(cell) for cell in cells(path, "code"))


@each_lesson
def test_options_in_the_text_are_those_of_the_exercise(path):
    texts = [source(cell) for cell in cells(path, "markdown", "exercise")]
    for entry in entries(number_of(path)):
        if isinstance(entry, Choice):
            (text,) = [text for text in texts if f"**{entry.id}**" in text]
            assert tuple(re.findall(r"^\* \*\*([a-e])\*\*", text, flags=re.M)) == entry.letters


# --- code that compares well ----------------------------------------------------------------------


@each_lesson
def test_code_has_seeds_and_nothing_that_leaks(path):
    seeds = []
    for cell in cells(path, "code"):
        text = source(cell)
        assert not re.search(r"\binteract|\bOutput\b|clear_output|random\.seed|^[%!]", text)
        assert not text.rstrip().endswith(";")
        last = ast.parse(text).body[-1]
        if isinstance(last, ast.Expr):
            assert isinstance(last.value, ast.Call | ast.Name)
        seeds += re.findall(r"default_rng\((.*?)\)", text)
    for seed in seeds:
        assert seed.startswith(f"[{number_of(path)}, ")
    assert len(set(seeds)) == len(seeds)


@each_lesson
def test_outputs_are_stored_and_counted(path):
    code = cells(path, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        assert all(output["output_type"] != "error" for output in cell["outputs"])
        assert all(output.get("name") != "stderr" for output in cell["outputs"])
        if "setup" not in cell["metadata"]["tags"]:
            assert cell["outputs"]


@each_lesson
def test_pictures_have_a_text_alternative(path):
    for cell in cells(path):
        assert "<img" not in source(cell)
        assert all(re.findall(r"!\[(.*?)\]", source(cell)))
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            assert VIEW not in data
            if "image/png" in data:
                alts = re.findall(r'<img [^>]*alt="([^"]*)"', joined(data["text/html"]))
                assert alts
                assert all(len(alt.split()) >= 8 for alt in alts)
                assert joined(data["text/plain"]).strip()


@each_lesson
def test_the_lines_of_a_caption_read_on(path):
    """A browser joins the lines of a caption: each but the last ends in punctuation."""
    for cell in cells(path, "code"):
        for output in cell["outputs"]:
            html = joined(output.get("data", {}).get("text/html", ""))
            for caption in re.findall(r"<figcaption>(.*?)</figcaption>", html, flags=re.S):
                assert all(line[-1] in ";:,." for line in caption.splitlines()[:-1]), cell["id"]


@each_lesson
def test_widgets_leave_a_picture_and_a_line_of_numbers(path):
    for cell in cells(path, "code", "widget"):
        assert re.search(r"\d\.\d", printed(cell))
        assert "object at" not in printed(cell)
        assert "Lab(" not in printed(cell)


NUMBER = re.compile(r"(?<![\w.])\d[\d,_]*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]\d)")


def significant(number):
    digits = re.sub(r"e.*|[,_.]", "", number).lstrip("0")
    return digits if "." in number else digits.rstrip("0")


@each_lesson
def test_outputs_have_four_significant_digits_at_most(path):
    for cell in cells(path, "code"):
        for number in NUMBER.findall(printed(cell)):
            assert len(significant(number)) <= 4, (cell["id"], number)


# --- every number in prose is computed, or given in the open --------------------------------------


def known_numbers(path):
    """Values that a cell prints or is told, with exercises' own numbers left out."""
    text = "\n".join(source(cell) + "\n" + printed(cell) for cell in cells(path, "code"))
    return [float(number.replace(",", "").replace("_", "")) for number in NUMBER.findall(text)]


def unknown(text, known):
    """Decimals and large numbers of a text that are the rounding of nothing known.

    A number that is given, not found, is named in a comment of its cell: ``<!-- given: 0.5 -->``.
    """
    given = set(re.findall(r"[\d.,]+\d", " ".join(re.findall(r"<!-- given:(.*?)-->", text))))
    text = re.sub(r"<!--.*?-->|`[^`]*`|\]\([^)]*\)|arXiv:[\d.]+", " ", text, flags=re.S)
    text = re.sub(r"\*\*\d+\.\w+|(exercise|question|Question|Exercise)s? \d+\.\d+", " ", text)
    missing = []
    for token in re.findall(r"(?<![\w.])\d{1,3}(?:,\d{3})+|(?<![\w.])\d+\.\d+", text):
        value, places = float(token.replace(",", "")), len(token.partition(".")[2])
        if token not in given and all(
            f"{each:.{places}f}" != f"{value:.{places}f}" for each in known
        ):
            missing.append(token)
    return missing


@each_lesson
def test_every_number_in_prose_is_in_a_cell(path):
    known = known_numbers(path)
    for cell in cells(path, "markdown"):
        if "references" not in cell["metadata"]["tags"]:
            assert not unknown(source(cell), known), cell["id"]


@each_lesson
def test_every_number_of_the_instructor_is_in_the_lesson(path):
    notes = ROOT / "lessons" / "instructor" / f"{number_of(path):02d}.md"
    assert not unknown(notes.read_text(encoding="utf-8"), known_numbers(path))


def test_the_number_test_can_fail():
    assert unknown("The mean is 2.35.", [2.34]) == ["2.35"]
    assert unknown("The mean is 2.3, of 10,000.", [2.34, 10_000]) == []
    assert unknown("Take 0.5 <!-- given: 0.5 -->, exercise 1.3 and `f(0.7)`.", []) == []


# --- links, and the notes for the lecturer --------------------------------------------------------


@each_lesson
def test_links_resolve(path):
    with (ROOT / "pyproject.toml").open("rb") as file:
        repository = tomllib.load(file)["project"]["urls"]["Repository"]
    owner_and_name = repository.removeprefix("https://github.com/")
    place = f"https://mybinder.org/v2/gh/{owner_and_name}/HEAD?urlpath=lab/tree/lessons/"
    links = re.findall(r"\]\(([^)]+)\)", "\n".join(map(source, cells(path, "markdown"))))
    binder = [link for link in links if "mybinder.org" in link]
    assert binder == [place + path.name]
    for link in set(links) - set(binder):
        if link.startswith("https://"):
            assert re.match(r"https://(arxiv\.org/abs|doi\.org)/", link)
        else:
            assert (path.parent / link).is_file(), link


@each_lesson
def test_previous_and_next(path):
    opening = source(cells(path)[0])
    k = LESSONS.index(path)
    for neighbour in LESSONS[max(k - 1, 0) : k + 2]:
        if neighbour != path:
            assert f"]({neighbour.name})" in opening


@each_lesson
def test_the_lecturer_has_a_plan(path):
    notes = (ROOT / "lessons" / "instructor" / f"{number_of(path):02d}.md").read_text("utf-8")
    assert notes.startswith(f"# Lesson {number_of(path)}")
    if path in FULL:
        for part in ("On the board", "Timing", "Where a class gets stuck", "Questions to ask"):
            assert f"## {part}" in notes
        for route in ("50 minutes", "Two lectures", "Three weeks"):
            assert route in notes
        named = set(re.findall(r"`([a-z0-9-]+)`", notes))
        assert named <= {cell["id"] for cell in cells(path)}, "a cell that does not exist"


# --- stored form, solutions, slides, nbval --------------------------------------------------------


@each_lesson
def test_stored_in_the_normal_form(path):
    text = path.read_text(encoding="utf-8")
    once = normal(json.loads(text))
    assert once == text
    assert "widgets" not in json.loads(text)["metadata"]


def test_the_normaliser_is_idempotent_and_cleans(tmp_path, capsys):
    dirty = notebook(FULL[0])
    dirty["metadata"]["widgets"] = {"state": {}}
    dirty["metadata"]["language_info"]["version"] = "3.11.7"
    for cell in dirty["cells"]:
        cell["metadata"]["execution"] = {"iopub.status.busy": "2026-01-01T00:00:00Z"}
        for output in cell.get("outputs", ()):
            if "data" in output:
                output["data"][VIEW] = {"model_id": "0"}
    path = tmp_path / "dirty.ipynb"
    path.write_text(json.dumps(dirty), encoding="utf-8")
    assert main([str(path), "--check"]) == 1
    assert path.read_text(encoding="utf-8") == json.dumps(dirty)
    assert main([str(path)]) == 0
    assert path.read_text(encoding="utf-8") == FULL[0].read_text(encoding="utf-8")
    assert main([str(path), "--check"]) == 0
    capsys.readouterr()


@each_lesson
def test_solved_mode(path):
    """Each reference solution, put into its answer cell, is correct there."""
    forget()
    names = {}
    exec(source(cells(path, "code", "setup")[0]), names)
    exercises = {e.id: e for e in entries(number_of(path)) if isinstance(e, Exercise)}
    for cell in cells(path, "code", "answer"):
        (id,) = re.findall(r'^check\("(.*?)"', source(cell), flags=re.M)
        _, _, rest = source(cell).partition("\n")
        solved = exercises[id].solution.code + "\n" + rest
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(solved, names)
        expected = "for you to judge" if isinstance(exercises[id], Words) else "correct"
        assert out.getvalue().startswith(f"{id}  {expected}")


def test_slides(tmp_path):
    """The lecturer's command makes slides; what is tagged skip stays out, alt texts come along."""
    notes = (ROOT / "lessons" / "instructor" / "00.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^    jupyter (nbconvert --to slides .+)$", notes, flags=re.M)
    assert FULL[0].name in line
    command = (sys.executable, "-m", *line.split(), "--output-dir", str(tmp_path))
    subprocess.run(command, check=True, capture_output=True, timeout=100, cwd=FULL[0].parent)
    html = (tmp_path / (FULL[0].stem + ".slides.html")).read_text(encoding="utf-8")
    assert html.count("<section") > 15
    assert "Two histograms of q_1" in html
    assert "The proof in full" not in html
    assert "first_layer" in html
    assert "figsize" not in html  # the code of a picture


def altered(path, change):
    """The first half of a lesson, down to its picture, with one change."""
    content = notebook(path)
    ids = [cell["id"] for cell in content["cells"]]
    content["cells"] = content["cells"][: ids.index("picture") + 1]
    assert change(content)
    return json.dumps(content)


def change_nothing(content):
    return True


def change_a_digit(content):
    """In the first printed number with a decimal point, add one to the last digit."""
    for cell in content["cells"]:
        for output in cell.get("outputs", ()):
            text = joined(output.get("text", ""))
            found = re.search(r"mean \d\.\d+", text)
            if found:
                end = found.end()
                last = str((int(text[end - 1]) + 1) % 10)
                output["text"] = text[: end - 1] + last + text[end:]
                return cell["id"]
    return None


def change_the_alt(content):
    return change_html(content, 'alt="', 'alt="Not ')


def change_the_pixels(content):
    return change_html(content, "base64,", "base64,iVBO")


def change_html(content, before, after):
    for cell in content["cells"]:
        for output in cell.get("outputs", ()):
            html = joined(output.get("data", {}).get("text/html", ""))
            if before in html:
                output["data"]["text/html"] = html.replace(before, after, 1)
                return cell["id"]
    return None


def test_nbval_sees_a_changed_digit_and_a_changed_alt_text_and_no_pixels(tmp_path):
    """The negative control: a comparison that cannot fail would be worth nothing."""
    path = FULL[0]
    changes = {
        "same": change_nothing,
        "digit": change_a_digit,
        "alt": change_the_alt,
        "pixels": change_the_pixels,
    }
    for name, change in changes.items():
        (tmp_path / f"{name}.ipynb").write_text(altered(path, change), encoding="utf-8")
    result = tmp_path / "result.xml"
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *NBVAL)
    sanitize = str(ROOT / "tests" / "nbval_sanitize.cfg")
    where = (f"--junitxml={result}", f"--rootdir={tmp_path}", "-c", "/dev/null", str(tmp_path))
    subprocess.run((*command, sanitize, *where), capture_output=True, timeout=200, cwd=ROOT)
    failed = {}
    for case in ET.parse(result).iter("testcase"):
        name = re.findall(r"(\w+)\.ipynb|^(\w+)$", case.get("classname"))
        name = next(part for part in name[0] if part)
        failed.setdefault(name, 0)
        failed[name] += len(case.findall("failure")) + len(case.findall("error"))
    assert failed == {"same": 0, "digit": 1, "alt": 1, "pixels": 0}
