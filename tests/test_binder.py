"""The Binder image, as far as it shows without a container engine."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
BINDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LESSONS = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.ipynb"))


@pytest.fixture(scope="module")
def image():
    """What repo2docker would build, and what it said."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_image_has_the_python_of_runtime_txt(image):
    runtime = (BINDER / "runtime.txt").read_text(encoding="utf-8").strip()
    version = re.fullmatch(r"python-(3\.\d+)", runtime)[1]
    assert f"python={version}" in image
    assert version in SpecifierSet(PROJECT["requires-python"])


def test_the_image_installs_the_pins_and_then_the_package(image):
    (pins,) = re.findall(
        r"^RUN .*pip install .*-r \"binder/requirements\.txt\"$", image, re.MULTILINE
    )
    (build,) = re.findall(r"^RUN \./binder/postBuild$", image, re.MULTILINE)
    assert image.index(pins) < image.index(build)


def pins():
    """Name and version of each line of requirements.txt."""
    text = (BINDER / "requirements.txt").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]
    found = {}
    for line in lines:
        name, version = re.fullmatch(r"([\w.-]+)==([\w.]+)", line).groups()
        assert canonicalize_name(name) not in found
        found[canonicalize_name(name)] = version
    return found


@pytest.mark.parametrize(
    "requirement", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["lab"]
)
def test_the_pins_satisfy_what_the_package_asks_for(requirement):
    wanted = Requirement(requirement)
    assert wanted.specifier.contains(pins()[canonicalize_name(wanted.name)])


def test_the_package_itself_is_not_pinned():
    assert "lengthlab" not in pins()


def test_post_build_installs_this_checkout_and_warms_the_font_cache():
    script = BINDER / "postBuild"
    text = script.read_text(encoding="utf-8")
    assert os.access(script, os.X_OK)
    assert text.startswith("#!/usr/bin/env bash\n")
    for line in (
        "set -euo pipefail",
        "pip install --no-cache-dir --no-deps .",
        'python -c "import matplotlib.font_manager"',
    ):
        assert line in text.splitlines()


# --- links ----------------------------------------------------------------------------------------


def binder_address(repository):
    """Beginning of every Binder link to the repository, up to the file that it opens."""
    where = urlsplit(repository)
    kind = {"github.com": "gh", "gitlab.com": "gl"}[where.netloc]
    path = where.path.strip("/")
    path = path if kind == "gh" else path.replace("/", "%2F")
    return f"https://mybinder.org/v2/{kind}/{path}/HEAD?urlpath=lab/tree/"


def links(text):
    """Binder links in a text."""
    return re.findall(r"https?://[\w.-]*binder\.org/v2[^\s)\"'\\<>]*", text)


def text_of(path):
    """Markdown of a file: for a notebook, of its cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


@pytest.mark.parametrize("path", [ROOT / "README.md", *LESSONS], ids=lambda path: path.name)
def test_binder_links_are_derived_from_the_repository(path):
    address = binder_address(PROJECT["urls"]["Repository"])
    found = links(text_of(path))
    assert found
    for link in found:
        assert link.startswith(address)
        assert (ROOT / link.removeprefix(address)).is_file()
    if path.suffix == ".ipynb":  # a lesson's link opens that lesson
        assert f"{address}lessons/{path.name}" in found


def test_the_link_test_has_power():
    ours = binder_address("https://github.com/one/two")
    assert ours == "https://mybinder.org/v2/gh/one/two/HEAD?urlpath=lab/tree/"
    (other,) = links("[Open](https://mybinder.org/v2/gh/one/three/HEAD?urlpath=lab/tree/x.ipynb)")
    assert not other.startswith(ours)
