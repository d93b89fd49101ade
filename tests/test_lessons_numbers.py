"""Numbers of the lessons: short where they are printed, and found by a cell where they are told."""

import ast
import re

from stored_lessons import ROOT, cells, each_lesson, number_of, printed, source

NUMBER = re.compile(r"(?<![\w.])\d[\d,_]*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]\d)")


def significant(number):
    digits = re.sub(r"e.*|[,_.]", "", number).lstrip("0")
    return digits if "." in number else digits.rstrip("0")


@each_lesson
def test_outputs_have_four_significant_digits_at_most(path):
    for cell in cells(path, "code"):
        for number in NUMBER.findall(printed(cell)):
            assert len(significant(number)) <= 4, (cell["id"], number)


def constants(code):
    """Numbers that a cell of code is told: neither its comments nor what it says of a picture."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield str(node.value)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "formula":
            yield from NUMBER.findall(ast.unparse(node))


def known_numbers(path):
    """Values that a cell prints or is told, with exercises' own numbers left out."""
    found = []
    for cell in cells(path, "code"):
        told = constants(source(cell))
        shown = re.sub(r"^\[picture: .*\]$", "", printed(cell), flags=re.M)
        found += [*told, *NUMBER.findall(shown)]
    return [float(number.replace(",", "").replace("_", "")) for number in found]


WORK = r"\*[A-Z][^*]+\* \d+ \(\d{4}\)(, \d+-\d+)?|\(([A-Z][^()]*, )?\d{4}\)|\bin (19|20)\d\d\b"
DECIMAL, LARGE = r"(?<![\w.])\d+\.\d+", r"(?<![\w.])\d{1,3}(?:,\d{3})+"
WHOLE = r"(?<![\w.,^{\\/-])\d{3,}(?![\w}]|[.,]\d| minutes)"  # short ones count parts and layers


def unknown(text, known):
    """Decimals and large numbers of a text that are the rounding of nothing known.

    A number that is given, not found, is named in a comment of its cell: ``<!-- given: 0.5 -->``.
    """
    given = set(re.findall(r"[\d.,]+\d", " ".join(re.findall(r"<!-- given:(.*?)-->", text))))
    text = re.sub(rf"<!--.*?-->|`[^`]*`|\]\([^)]*\)|arXiv:[\d.]+|{WORK}", " ", text, flags=re.S)
    text = re.sub(r"\*\*\d+\.\w+|(exercise|question|Question|Exercise)s? \d+\.\d+", " ", text)
    missing = []
    for token in re.findall(f"{LARGE}|{DECIMAL}|{WHOLE}", text):
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
    assert unknown("At width 267, in 120 minutes (Klambauer et al., 2017).", []) == ["267"]
    assert [*constants('ll.formula("1.7159 * x")  # 0.3\nshow(fig, alt="near 2.2", lw=1.5)')] == [
        "1.7159",
        "1.5",
    ]
