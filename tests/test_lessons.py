"""The lessons as stored: their skeleton, code that compares well, links, the lecturer's notes."""

import ast
import re
import tomllib
from itertools import pairwise

from normalise_notebooks import VIEW, joined
from stored_lessons import (
    FULL,
    LESSONS,
    ROOT,
    cells,
    each_lesson,
    full_lesson,
    number_of,
    printed,
    source,
)

from lengthlab.exercises.desk import entries
from lengthlab.exercises.kinds import Choice, Exercise, Words
from lengthlab.exercises.predictions import Prediction

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
    objectives = re.findall(r"^(\d)\. ", opening, flags=re.M)
    assert objectives == [str(k) for k in range(1, len(objectives) + 1)]
    assert 3 <= len(objectives) <= 5
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
def test_the_lines_of_a_caption_read_on_and_stay_lines(path):
    """Read aloud they are joined: each but the last ends in punctuation. To the eye each is one."""
    for cell in cells(path, "code"):
        for output in cell["outputs"]:
            html = joined(output.get("data", {}).get("text/html", ""))
            for caption in re.findall(r"<figcaption>(.*?)</figcaption>", html, flags=re.S):
                *first, _ = caption.split("<br>")
                assert all(line[-1] in ";:,." for line in first), cell["id"]
                assert "\n" not in caption, cell["id"]


@each_lesson
def test_printed_lines_fit_a_narrow_page(path):
    for cell in cells(path, "code"):
        for output in cell["outputs"]:
            for line in joined(output.get("text", "")).splitlines():
                assert len(line) <= 90, (cell["id"], line)


def test_the_first_page_tells_a_newcomer_what_to_do():
    _opening, guide, setup = cells(LESSONS[0])[:3]
    assert (guide["metadata"]["tags"], setup["metadata"]["tags"]) == (["help"], ["setup"])
    text = source(guide)
    assert text.startswith("<details>\n<summary><b>New to notebooks?</b></summary>\n\n* ")
    assert text.endswith("</details>")
    assert 3 <= len(re.findall(r"^\* ", text, flags=re.M)) <= 4
    for word in ("Shift and Enter", "three dots", "Restart Kernel"):
        assert word in text


@full_lesson
def test_the_references_say_what_to_read_in_which_time(path):
    (references,) = cells(path, "markdown", "references")
    assert re.findall(r"^\* \*(.+?)\*", source(references), flags=re.M) == [
        "One page.",
        "One hour.",
        "One week.",
    ]


@each_lesson
def test_every_lesson_has_a_widget(path):
    assert cells(path, "code", "widget")


@each_lesson
def test_widgets_leave_a_picture_and_a_line_of_numbers(path):
    for cell in cells(path, "code", "widget"):
        assert re.search(r"\d\.\d", printed(cell))
        assert "object at" not in printed(cell)
        assert "Lab(" not in printed(cell)


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
            word = "Next" if neighbour > path else "Previous"
            assert re.search(rf"{word}: \[[^\]]+\]\({re.escape(neighbour.name)}\)", opening)


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
