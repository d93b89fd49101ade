"""The lessons as stored: the normal form, solved mode, slides, and what nbval sees."""

import contextlib
import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

from normalise_notebooks import VIEW, joined, main, normal
from stored_lessons import FULL, ROOT, cells, each_lesson, notebook, number_of, source

from lengthlab.exercises.desk import entries, forget
from lengthlab.exercises.kinds import Exercise, Words

NBVAL = ("--nbval", "--nbval-cell-timeout=120", "--nbval-sanitize-with")


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


def change_words(content):
    cells = {change_a_digit(content), change_the_alt(content)}
    return len(cells - {None}) == 2


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
    changes = {"words": change_words, "pixels": change_the_pixels}
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
    assert failed == {"words": 2, "pixels": 0}  # two cells, and no other
