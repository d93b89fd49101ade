"""A reader's progress: one small file beside the notebook, or memory, and never a traceback."""

import json
import subprocess
import sys
import threading
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from normalise_notebooks import joined

from lengthlab.exercises import check, desk, predict, progress, progress_file
from lengthlab.exercises.desk import entries, forget, lessons
from lengthlab.exercises.kinds import Exercise

ROOT = Path(__file__).resolve().parents[1]
START = ROOT / "lessons" / "00_start_here.ipynb"
NBVAL = ("-q", "-p", "no:cacheprovider", "--nbval", "--nbval-cell-timeout=120")


@pytest.fixture(autouse=True)
def _fresh_desk():
    forget()
    yield
    forget()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that stands for that of a notebook."""
    monkeypatch.setattr(progress_file, "_folder", lambda: tmp_path)
    return tmp_path


def stored(folder):
    return json.loads((folder / progress_file.FILE).read_text(encoding="utf-8"))["verdicts"]


def shown(capsys):
    capsys.readouterr()
    progress()
    return capsys.readouterr().out


def exercise_ids(number):
    return [entry.id for entry in entries(number) if isinstance(entry, Exercise)]


def row(text, lesson):
    """The line of one lesson as correct, tried, exercises, open."""
    (line,) = [line for line in text.splitlines()[1:-2] if line.split()[:1] == [str(lesson)]]
    _, correct, tried, number, left = line.split(maxsplit=4)
    return int(correct), int(tried), int(number), left


# --- what is noted --------------------------------------------------------------------------------


def test_the_best_verdict_of_an_attempt_is_noted(folder, capsys):
    check("1.3", "text")
    assert stored(folder) == {"1.3": "wrong kind"}
    check("1.3", 3.0)
    assert stored(folder) == {"1.3": "not yet"}
    check("1.3", 0.4137)
    check("1.3", 3.0)
    check("1.7", "the density depends on the norm only")
    assert stored(folder) == {"1.3": "correct", "1.7": "for you to judge"}
    assert [path.name for path in folder.iterdir()] == [progress_file.FILE]


def test_not_attempted_leaves_no_trace(folder, capsys):
    for id in ("0.2", "1.3", "4.7"):
        check(id, ...)
    assert list(folder.iterdir()) == []
    assert shown(capsys).startswith("No exercise tried yet, of ")


def test_outside_a_notebook_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress_file, "_start", tmp_path)
    check("1.3", 0.4137)
    assert list(tmp_path.iterdir()) == []
    assert row(shown(capsys), 1)[:2] == (1, 1)
    assert "Kept until this session ends." in shown(capsys)


def test_the_file_outlives_the_kernel(folder, capsys):
    check("1.3", 0.4137)
    forget()
    check("0.2", "a")
    text = shown(capsys)
    assert stored(folder) == {"0.2": "not yet", "1.3": "correct"}
    assert row(text, 0) == (0, 1, 1, "all")
    correct, tried, number, left = row(text, 1)
    assert (correct, tried) == (1, 1)
    assert "1.3" not in left
    assert "1.4" in left
    assert number == 9
    assert row(text, 4) == (0, 0, len(exercise_ids(4)), "all")
    assert f"Kept in {progress_file.FILE}, beside this notebook." in text
    assert max(map(len, text.splitlines())) <= 72


def test_everything_done(folder, capsys):
    everything = [id for number in lessons() for id in exercise_ids(number)]
    content = {"verdicts": dict.fromkeys(everything, "correct")}
    (folder / progress_file.FILE).write_text(json.dumps(content))
    text = shown(capsys)
    assert row(text, 4) == (*(len(exercise_ids(4)),) * 3, "-")
    assert f"{len(everything)} correct and 0 for you to judge, of {len(everything)}." in text


# --- files that are not as they should be ---------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"[1, 2]",
        b'{"verdicts": 3}',
        b'{"verdicts": {"1.3": 4, "1.4": "splendid", "1.5": null}}',
    ],
)
def test_a_broken_file_counts_as_none_and_is_mended(folder, capsys, content):
    (folder / progress_file.FILE).write_bytes(content)
    assert shown(capsys).startswith("No exercise tried yet")
    check("1.3", 0.4137)
    assert stored(folder) == {"1.3": "correct"}


def test_where_nothing_can_be_written_memory_serves(folder, capsys):
    (folder / progress_file.FILE).mkdir()  # root may write everywhere, but no file over a folder
    check("1.3", 0.4137)
    assert "correct" in capsys.readouterr().out
    assert "Kept until this session ends." in shown(capsys)
    assert [path.name for path in folder.iterdir()] == [progress_file.FILE]


def test_a_folder_that_went_away(folder, capsys, monkeypatch):
    monkeypatch.setattr(progress_file, "_folder", lambda: folder / "gone")
    check("1.3", 0.4137)
    assert row(shown(capsys), 1)[:2] == (1, 1)


def test_a_full_disk_leaves_the_old_file(folder, capsys, monkeypatch):
    check("1.3", 3.0)

    def full(handle, *options, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(progress_file.os, "fdopen", full)
    check("1.3", 0.4137)
    assert stored(folder) == {"1.3": "not yet"}
    assert [path.name for path in folder.iterdir()] == [progress_file.FILE]
    assert row(shown(capsys), 1)[0] == 1


def test_a_file_out_of_reach_is_left_alone(folder, capsys, monkeypatch):
    """That of another user in a shared folder: it may well hold something."""
    theirs = json.dumps({"verdicts": {"1.4": "correct"}})
    (folder / progress_file.FILE).write_text(theirs)
    reading = Path.read_text

    def refused(path, **options):
        if path.name == progress_file.FILE:
            raise PermissionError(13, "Permission denied")
        return reading(path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_text", refused)
        check("1.3", 0.4137)
        assert "Kept until this session ends." in shown(capsys)
    assert (folder / progress_file.FILE).read_text() == theirs


def test_what_could_not_be_written_is_written_with_the_next_verdict(folder, capsys, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(progress_file, "_folder", lambda: folder / "gone")
        check("1.3", 0.4137)
    check("1.4", 1000.0)
    check("1.4", 1000.0)
    assert stored(folder) == {"1.3": "correct", "1.4": "correct"}
    (folder / progress_file.FILE).unlink()
    check("1.4", 1000.0)
    assert stored(folder) == {"1.3": "correct", "1.4": "correct"}


def test_an_interrupt_leaves_no_second_file(folder, monkeypatch):
    def interrupted(path, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check("1.3", 0.4137)
    assert list(folder.iterdir()) == []


OTHER_NOTEBOOK = """
import sys
from pathlib import Path
from lengthlab.exercises import progress_file
progress_file._folder = lambda: Path(sys.argv[1])
print("ready", flush=True)
progress_file.record("1.4", "correct")
"""


def test_two_notebooks_at_once_lose_nothing(folder, capsys, monkeypatch):
    """The other notebook checks an answer between our reading and our writing."""
    pytest.importorskip("fcntl")
    others, writing = [], progress_file._write

    def slowly(place, verdicts):
        command = [sys.executable, "-c", OTHER_NOTEBOOK, str(place)]
        other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        others.append(other)
        assert other.stdout.readline() == "ready\n"
        time.sleep(0.3)
        writing(place, verdicts)

    monkeypatch.setattr(progress_file, "_write", slowly)
    check("1.3", 0.4137)
    assert others[0].wait(timeout=60) == 0
    others[0].stdout.close()
    assert stored(folder) == {"1.3": "correct", "1.4": "correct"}


def test_a_lock_that_is_never_given_back_is_not_waited_for(folder, capsys, monkeypatch):
    pytest.importorskip("fcntl")
    monkeypatch.setattr(progress_file, "_PATIENCE", 0.05)
    with progress_file._alone(folder):
        check("1.3", 0.4137)
    assert stored(folder) == {"1.3": "correct"}


def test_a_folder_that_was_deleted_under_the_kernel(tmp_path):
    code = (
        "import os, sys; os.chdir(sys.argv[1]); os.rmdir(sys.argv[1]);"
        "from lengthlab.exercises import check, progress; check('1.3', 0.4137); progress()"
    )
    (tmp_path / "gone").mkdir()
    command = [sys.executable, "-c", code, str(tmp_path / "gone")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.stderr == ""
    assert "1.3  correct." in done.stdout


def test_a_reader_never_finds_half_a_file(folder):
    many = {f"{k}.{n}": "correct" for k in range(14) for n in range(20)}
    progress_file._write(folder, many)
    stop, broken = threading.Event(), []

    def look():
        while not stop.is_set():
            if progress_file.read(folder) != many:
                broken.append(1)

    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(300):
        progress_file._write(folder, many)
    stop.set()
    thread.join()
    assert not broken


# --- the lesson -----------------------------------------------------------------------------------


def test_the_stored_lesson_shows_a_reader_without_progress(capsys):
    (cell,) = [
        cell
        for cell in json.loads(START.read_text(encoding="utf-8"))["cells"]
        if "progress" in cell["metadata"]["tags"] and cell["cell_type"] == "code"
    ]
    assert joined(cell["source"]) == "progress()"
    assert joined(cell["outputs"][0]["text"]) == shown(capsys)
    # A reader's own progress is no failure of the lesson: nbval does not compare this cell.
    assert "nbval-ignore-output" in cell["metadata"]["tags"]


def kernel_copy(tmp_path):
    """The cells of lesson 0 that need no picture, in a folder of their own."""
    content = json.loads(START.read_text(encoding="utf-8"))
    wanted = ("setup", "check-answer", "progress")
    content["cells"] = [cell for cell in content["cells"] if cell["id"] in wanted]
    assert len(content["cells"]) == len(wanted)
    (tmp_path / START.name).write_text(json.dumps(content), encoding="utf-8")
    command = (sys.executable, "-m", "pytest", *NBVAL, f"--rootdir={tmp_path}", "-c", "/dev/null")
    return (*command, START.name), {"cwd": tmp_path, "capture_output": True, "timeout": 100}


def test_nbval_leaves_no_file_and_reads_one(tmp_path):
    command, options = kernel_copy(tmp_path)
    assert subprocess.run(command, **options).returncode == 0
    assert not (tmp_path / progress_file.FILE).exists()
    progress_file._write(tmp_path, {"0.2": "correct", "1.3": "not yet"})
    before = (tmp_path / progress_file.FILE).read_bytes()
    assert subprocess.run(command, **options).returncode == 0
    assert (tmp_path / progress_file.FILE).read_bytes() == before


def test_a_kernel_keeps_its_progress_in_its_folder(tmp_path):
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    code = (
        "import os; from lengthlab.exercises import check, progress; os.chdir('/')",
        'check("1.3", 0.4137)',
        "progress()",
    )
    notebook = new_notebook(cells=[new_code_cell(line) for line in code])
    NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    assert stored(tmp_path) == {"1.3": "correct"}
    assert f"Kept in {progress_file.FILE}" in notebook.cells[2].outputs[0]["text"]


def test_git_does_not_see_the_file():
    assert progress_file.FILE in (ROOT / ".gitignore").read_text().split()


# --- answers that nobody foresaw ------------------------------------------------------------------


class Odd:
    """A reader's own object, which raises whatever is asked of it."""

    def __float__(self):
        raise RuntimeError("no number")

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    __hash__ = None


def returning(value):
    return lambda *args, **kwargs: value


def leaving(*args, **kwargs):
    sys.exit(1)


HUGE = 10**400
ODD = [
    HUGE,
    -HUGE,
    Fraction(HUGE, 3),
    Decimal("sNaN"),
    np.array(HUGE, dtype=object),
    Odd(),
    "\ud800",
]
ODD += [leaving, *(returning(value) for value in (HUGE, Decimal("sNaN"), Odd(), 1j, None))]


@pytest.mark.parametrize("answer", ODD)
@pytest.mark.parametrize("id", ["1.2", "1.3", "1.5", "1.6", "1.7", "3.4", "4.5", "7.6"])
def test_no_answer_ends_in_a_traceback(id, answer, capsys):
    check(id, answer)
    said = capsys.readouterr().out
    assert said.startswith(f"{id}  ")
    assert "correct" not in said


@pytest.mark.parametrize(
    ("id", "answer", "message"),
    [
        ("1.3", HUGE, "this integer is too large for a float (above 1.8e308, in size)."),
        ("1.3", Fraction(-HUGE, 3), "a finite number is wanted here, not -inf."),
        ("1.3", Decimal("sNaN"), "a finite number is wanted here, not nan."),
        (
            "3.4",
            returning(HUGE),
            "your function returned an integer that is too large for a float.",
        ),
        ("3.4", leaving, "your function stopped with SystemExit: 1."),
        ("1.5", returning(Odd()), "your function must return an array of numbers"),
    ],
)
def test_what_an_odd_answer_lacks_is_said(id, answer, message, capsys):
    check(id, answer)
    assert message in " ".join(capsys.readouterr().out.split())


def test_an_answer_that_breaks_the_check_is_not_correct(capsys, monkeypatch):
    def broken(self, answer):
        raise MemoryError("too much")

    monkeypatch.setattr(type(desk._find("1.3")), "lack", broken)
    check("1.3", 0.4)
    said = " ".join(capsys.readouterr().out.split())
    assert said == "1.3 not yet: check could not judge this answer: MemoryError: too much"


def test_a_prediction_beyond_every_float_is_not_noted(capsys):
    predict("1.1", HUGE)
    assert "1.1  not noted: this integer is too large" in capsys.readouterr().out


def test_a_number_in_the_place_of_an_id_is_said_to_be_one():
    with pytest.raises(ValueError, match=r'must be text, such as "1\.2" with its quotes, got 1\.3'):
        check(1.3, 0.4137)
