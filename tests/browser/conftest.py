"""Fixtures for tests in a real browser: one server and one Chromium for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness import JupyterServer, Notebook, launched_chromium, missing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none, unless it is required."""
    lack = missing()
    if lack is None or os.environ.get("LENGTHLAB_REQUIRE_BROWSER") == "1":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=lack))


@pytest.fixture(scope="session")
def jupyter_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """JupyterLab on a loopback port."""
    lack = missing()
    if lack is not None:
        pytest.fail(lack)
    server = JupyterServer(tmp_path_factory.mktemp("jupyter"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def chromium(jupyter_server: JupyterServer) -> Iterator[Any]:
    """A headless Chromium."""
    with launched_chromium() as browser:
        yield browser


def _open_notebooks(
    chromium: Any, jupyter_server: JupyterServer
) -> Iterator[Callable[..., Notebook]]:
    made: list[Notebook] = []

    def make(cells: list[str], **options: Any) -> Notebook:
        notebook = Notebook(chromium, jupyter_server, **options)
        made.append(notebook)
        notebook.open(cells)
        return notebook

    yield make
    for notebook in made:
        notebook.close()


# Factories of notebooks: ``make_notebook(cells, width=...)``. A page that stays open goes on
# drawing, which slows down all that comes after it: only what tests share stays till the module
# ends.
make_notebook = pytest.fixture(_open_notebooks, scope="function", name="make_notebook")
keep_notebook = pytest.fixture(_open_notebooks, scope="module", name="keep_notebook")
