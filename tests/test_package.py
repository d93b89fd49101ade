"""What holds for the package as a whole: ranks, lazy imports, public names, files, the wheel."""

import ast
import datetime
import importlib.metadata
import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import lengthlab

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "lengthlab"
MODULES = sorted(PACKAGE.rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


# --- ranks ----------------------------------------------------------------------------------------

RANKS = {
    "checks": 0,
    "rng": 0,
    "activations": 1,
    "blocks": 1,
    "formula": 1.5,
    "quadrature": 1.5,
    "network": 2,
    "gaussian": 2,
    "measure": 2.5,
    "assumptions": 3,
    "dense_network": 3,
    "derivative": 3,
    "hidden_nodes": 3,
    "length_curve": 3,
    "length_map": 3,
    "length_process": 3,
    "unit_scale": 3,
    "finite_width": 4,
    "fixed_points": 4,
    "outcome": 4,
    "phase_diagram": 4,
    "correlation": 4,
    "convergence": 5,
    "gains": 5,
    "passport": 5.5,
    "sweep": 5,
    "drawing": 6,
    "live": 6,
    "widgets": 7,
    "exercises": 7,
    "__init__": 8,
    "cli": 9,
    "__main__": 10,
}
"""A module imports only from ranks below its own; a package is one module here."""

ALONE = {"live"}
"""Imports nothing of the package."""

FRAMEWORKS = {
    "matplotlib": 6,
    "anywidget": 6,
    "ipywidgets": 6,
    "traitlets": 6,
    "IPython": 6,
    "tqdm": 5,
}
"""The lowest rank that may import each: the mathematics draws nothing."""


def unit(path):
    """Name in RANKS of the module in a file."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(source, name):
    """Dotted names that a source imports, wherever in it; `name` is the module's own."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = name.split(".")[: -node.level]
                base = ".".join([*above, *filter(None, [base])])
            if base == "lengthlab":  # a module of the package, or a name of its __init__
                found += [f"lengthlab.{alias.name}" for alias in node.names]
            else:
                found.append(base)
    return found


def violations(source, path):
    """Imports of one source that its rank does not allow, as sentences."""
    mine, name = unit(path), ".".join(path.relative_to(ROOT).with_suffix("").parts)
    broken = []
    for imported in imports(source, name):
        top, _, rest = imported.partition(".")
        if top in FRAMEWORKS and RANKS[mine] < FRAMEWORKS[top]:
            broken.append(f"{mine} (rank {RANKS[mine]}) imports {top}")
        if top != "lengthlab":
            continue
        other = rest.partition(".")[0]
        other = other if other in RANKS else "__init__"
        if other == mine:
            continue
        if RANKS[other] >= RANKS[mine] or mine in ALONE:
            broken.append(f"{mine} (rank {RANKS[mine]}) imports {other} (rank {RANKS[other]})")
    return broken


def test_every_module_has_a_rank():
    missing = {unit(path) for path in MODULES} - set(RANKS)
    assert not missing, f"give these modules a rank in {Path(__file__).name}: {sorted(missing)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_import_only_from_ranks_below_their_own(path):
    assert violations(path.read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize(
    ("module", "source", "broken"),
    [
        ("length_map", "from lengthlab.length_process import sample_lengths", True),
        ("length_map", "import lengthlab.widgets", True),
        ("length_map", "from lengthlab import sample_lengths", True),
        ("length_map", "import lengthlab", True),
        ("length_map", "from . import drawing", True),
        ("length_map", "from .widgets.model import Model", True),
        ("length_map", "def f():\n    from lengthlab.convergence import Experiment", True),
        ("length_map", "if TYPE_CHECKING:\n    from lengthlab.sweep import sweep", True),
        ("length_map", "from matplotlib.figure import Figure", True),
        ("live/figure", "from lengthlab.checks import check_real", True),
        ("activations/core", "from ..network import Network", True),
        ("length_map", "from lengthlab.gaussian import mean_square", False),
        ("length_map", "from lengthlab import gaussian", False),
        ("length_map", "from .network import Network\nimport numpy as np", False),
        ("live/figure", "from lengthlab.live.scene import Scene\nimport matplotlib", False),
        ("live/figure", "from .scene import Scene", False),
        ("activations/core", "from ..checks import check_real", False),
    ],
)
def test_the_rank_test_has_power(module, source, broken):
    assert bool(violations(source, PACKAGE / f"{module}.py")) is broken


# --- imports --------------------------------------------------------------------------------------


def fresh(code):
    """What a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


HEAVY = [
    "matplotlib",
    "ipywidgets",
    "anywidget",
    "traitlets",
    "IPython",
    "tqdm",
    "scipy.stats",
    "scipy.integrate",
    "scipy.optimize",
    "lengthlab.widgets",
    "lengthlab.live",
    "lengthlab.drawing",
]


def test_importing_the_package_loads_no_framework():
    code = (
        f"import json, sys, lengthlab; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    )
    assert json.loads(fresh(code)) == []


def test_widgets_are_there_when_asked_for():
    code = "import sys, lengthlab; lengthlab.widgets.LengthLab; print('ipywidgets' in sys.modules)"
    assert fresh(code) == "True"


def test_an_unknown_name_is_an_ordinary_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = lengthlab.no_such_name


# --- public names ---------------------------------------------------------------------------------

FUNCTIONS = [name for name in lengthlab.__all__ if inspect.isfunction(getattr(lengthlab, name))]
CLASSES = [name for name in lengthlab.__all__ if inspect.isclass(getattr(lengthlab, name))]


def test_public_names_are_functions_and_classes():
    assert sorted(FUNCTIONS + CLASSES) == sorted(set(lengthlab.__all__))
    assert set(lengthlab.__all__) <= set(dir(lengthlab))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_is_documented(name):
    function = getattr(lengthlab, name)
    text = inspect.getdoc(function)
    parameters = list(inspect.signature(function).parameters.values())
    sections = ["Returns", "Examples"] + (["Parameters", "Raises"] if parameters else [])
    assert [s for s in sections if f"\n{s}\n{'-' * len(s)}\n" not in text] == []
    for parameter in parameters:
        assert re.search(rf"^[\w*, ]*\b{parameter.name}\b[\w, ]* : ", text, re.MULTILINE), parameter
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert len(positional) <= 2


@pytest.mark.parametrize("name", CLASSES)
def test_a_public_class_is_documented(name):
    text = inspect.getdoc(getattr(lengthlab, name))
    assert "\nParameters\n" in text or "\nAttributes\n" in text


# --- files ----------------------------------------------------------------------------------------


def project_files():
    """Files that belong to the project: tracked, or new and not ignored."""
    try:
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    paths = (ROOT / name for name in listing.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def texts():
    """(name, text) of the project's text files."""
    for path in project_files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield path.relative_to(ROOT).as_posix(), content.decode("utf-8")


def test_the_top_level_is_small():
    assert {path.relative_to(ROOT).parts[0] for path in project_files()} <= {
        ".ci",
        ".gitignore",
        "binder",
        "CHANGELOG.md",
        "CITATION.cff",
        "lengthlab",
        "lessons",
        "LICENSE",
        "pyproject.toml",
        "README.md",
        "tests",
    }


# Split, so that this file does not contain what it forbids.
HOSTS = [
    "py" + "pi.",
    "python" + "hosted.",
    "npm" + "js.",
    "conda." + "anaconda",
    "deb.deb" + "ian",
]
FORBIDDEN = {
    "a registry host": "|".join(map(re.escape, HOSTS)),
    "a path of one machine": r"(?<![\w./}:<-])/(?:home|root|Users|work|tmp|mnt|opt)"
    + r"/\w|\b[A-Z]:\\Users",
    "unfinished work": r"\b(?:TO"
    + r"DO|FIX"
    + r"ME|XX"
    + r"X)\b|\b(?i:place"
    + r"holder)\b(?!\s*=)",
}


def offences(text):
    """What of FORBIDDEN a text contains: kinds and lines."""
    return [
        (kind, line.strip()[:200])
        for line in re.sub(r"[A-Za-z0-9+/=]{200,}", "", text).splitlines()  # pictures in base64
        for kind, pattern in FORBIDDEN.items()
        if re.search(pattern, line)
    ]


def test_files_name_no_registry_no_machine_and_no_unfinished_work():
    assert {name: found for name, text in texts() if (found := offences(text))} == {}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("pip install -i https://py" + "pi.org/simple x", "a registry host"),
        ('open("/ho' + 'me/someone/x")', "a path of one machine"),
        ("see /wo" + "rk/notes", "a path of one machine"),
        ("# TO" + "DO: later", "unfinished work"),
        ("a place" + "holder", "unfinished work"),
        ("Text(place" + 'holder="x*exp(-x^2)")', None),
        ("https://example.org/ho" + "me/page", None),
        ("lessons/tmp/x", None),
    ],
)
def test_the_file_test_has_power(text, kind):
    assert [found for found, _ in offences(text)] == ([kind] if kind else [])


def code_lines(function):
    """Lines of a function without its docstring."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_and_functions_hold_one_idea(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 400  # about 400, and one that grows past it has two ideas in it
    assert {f.name: code_lines(f) for f in functions(path) if code_lines(f) >= 60} == {}


# --- README ---------------------------------------------------------------------------------------

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_first_two_blocks_are_the_commands():
    for language, command in BLOCKS[:2]:
        assert language == "sh"
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    opens, tests = (command for _, command in BLOCKS[:2])
    assert opens.endswith(".venv/bin/lengthlab lab\n")
    assert tests.endswith(".venv/bin/python -m pytest\n")


def test_what_the_readme_points_to_is_there():
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", README)
    paths = [link for link in links if not link.startswith("https://")]
    text = re.sub(r"https://\S+", "", README)
    paths += re.findall(r"\b(?:tests|lessons|binder|lengthlab)/[\w./-]+\w", text)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_readmes_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = README.partition("\n## The widgets\n")[0]  # what follows is run by test_gallery.py
    examples = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(examples) == 1
    exec(compile(examples[0], "README.md", "exec"), {})


def test_the_readmes_commands_are_the_command_lines(capsys):
    from lengthlab.__main__ import main

    commands = [
        line for language, code in BLOCKS[2:] if language == "sh" for line in code.splitlines()
    ]
    compared = [line.split() for line in commands if line.startswith("lengthlab compare")]
    assert compared
    for _, *arguments in compared:
        plot = arguments.index("--plot") if "--plot" in arguments else len(arguments)
        assert main(arguments[:plot] + arguments[plot + 2 :]) == 0
        assert capsys.readouterr().out


# --- metadata -------------------------------------------------------------------------------------


def test_one_version_everywhere():
    assert PROJECT["version"] == lengthlab.__version__
    assert importlib.metadata.version("lengthlab") == lengthlab.__version__
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == lengthlab.__version__
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## [{lengthlab.__version__}]" in changes


def test_citation_names_us_and_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert citation["authors"] == [{"name": PROJECT["authors"][0]["name"]}]
    assert citation["repository-code"] == PROJECT["urls"]["Repository"]
    assert citation["license"] == PROJECT["license"]
    (paper,) = citation["references"]
    assert [author["family-names"] for author in paper["authors"]] == ["Long", "Sedghi"]
    assert (paper["journal"], paper["year"]) == ("Neural Computation", 2019)
    assert (paper["volume"], paper["issue"], paper["start"], paper["end"]) == (31, 12, 2562, 2580)
    assert paper["identifiers"] == [{"type": "other", "value": "arXiv:1901.02104"}]


def test_the_changelog_is_dated():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(.+?)\] - (.+)$", changes, re.MULTILINE)
    assert versions
    for _, day in versions:
        assert day == "Unreleased" or datetime.date.fromisoformat(day)


# --- the wheel ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from this checkout by pip."""
    folder = tmp_path_factory.mktemp("wheel")
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", *offline, "-w", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("lengthlab-*.whl")
    return path


def test_the_wheel_carries_code_front_end_and_lessons_and_nothing_else(wheel):
    code = {p for p in project_files() if p.is_relative_to(PACKAGE)}
    lessons = {
        p.relative_to(ROOT / "lessons")
        for p in project_files()
        if p.is_relative_to(ROOT / "lessons")
    }
    expected = {p.relative_to(ROOT).as_posix() for p in code}
    expected |= {f"lengthlab/_lessons/{p.as_posix()}" for p in lessons}
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == expected
    assert {"lengthlab/live/pump.js", "lengthlab/live/live.css"} <= inside
    assert any(re.fullmatch(r"lengthlab/_lessons/00_\w+\.ipynb", name) for name in inside)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_wheel_alone_opens_the_lessons_from_anywhere(wheel, tmp_path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    zipfile.ZipFile(wheel).extractall(site)
    elsewhere.mkdir()
    # Stops where JupyterLab would begin: what would be run, and where.
    code = """if True:
        import json, os, sys
        from lengthlab.__main__ import main
        os.execve = lambda path, command, environment: (print(json.dumps(command)), sys.exit(0))
        main(["lab", "--no-browser"])
    """
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    *_, said = done.stdout.splitlines()
    copied = elsewhere / "lengthlab-lessons"
    assert f"--ServerApp.root_dir={copied}" in json.loads(said)
    names = {path.relative_to(ROOT / "lessons") for path in (ROOT / "lessons").glob("*.ipynb")}
    assert names <= {path.relative_to(copied) for path in copied.rglob("*")}
    where = "import lengthlab; print(lengthlab.__file__)"
    command = [sys.executable, "-c", where]
    found = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert Path(found.stdout.strip()).is_relative_to(site)
