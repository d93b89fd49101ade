"""The command that prints the course: what it is told, and what it refuses in one line."""

import subprocess
import sys

import pytest

from lengthlab.__main__ import main
from lengthlab.cli import lessons
from lengthlab.cli.printing import chromium, document


def test_the_name_of_the_file_may_be_left_out(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lessons, "_made", lambda kind, route: kind.encode())
    for kind in lessons.FILES:
        assert main(["lessons", "--to", kind]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "lengthlab-lessons.html",
        "lengthlab-lessons.pdf",
        "lengthlab-slides-50.html",
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "required: --to"),
        (("--to", "docx"), "invalid choice: 'docx'"),
        (("--to", "html", "--route", "50"), "route is for slides"),
        (("--to", "slides", "--route", "51"), "route must be one of 50, got '51'"),
        (("--to", "pdf", "--output", "course.html"), "output must end in .pdf, got 'course.html'"),
        (("--to", "html", "--output", "course.pdf"), "output must end in .html, got 'course.pdf'"),
        (("--to", "html", "--output", "no/such/course.html"), "a folder that you can write to"),
        (("--to", "html", "--output", "."), "output must end in .html"),
    ],
)
def test_bad_input_is_refused_in_one_line(tmp_path, arguments, complaint):
    command = [sys.executable, "-m", "lengthlab", "lessons", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert complaint in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", lessons.NEEDED)
def test_without_a_package_one_line_says_how_to_get_it(tmp_path, monkeypatch, capsys, module):
    found = lessons.importlib.util.find_spec
    monkeypatch.setattr(
        lessons.importlib.util, "find_spec", lambda name: None if name == module else found(name)
    )
    assert main(["lessons", "--to", "html", "--output", str(tmp_path / "c.html")]) == 2
    said = capsys.readouterr().err
    assert said == (
        f'lengthlab: {module} is not installed; get it with: pip install "lengthlab[print]"\n'
    )


def test_the_command_loads_nbconvert_only_when_asked():
    code = "import sys, lengthlab.__main__ as m; m._parser(); print('nbconvert' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False"


def test_without_chromium_one_line_says_how_to_get_one(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("LENGTHLAB_CHROMIUM", raising=False)
    monkeypatch.setattr(chromium.shutil, "which", lambda name: None)
    monkeypatch.setattr(document, "course_html", lambda folder: pytest.fail("too late"))
    assert main(["lessons", "--to", "pdf", "--output", str(tmp_path / "c.pdf")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "apt-get install chromium" in said
    monkeypatch.setenv("LENGTHLAB_CHROMIUM", "/no/such/program")
    assert main(["lessons", "--to", "pdf", "--output", str(tmp_path / "c.pdf")]) == 2
    assert "'/no/such/program'" in capsys.readouterr().err
