"""JupyterLab and Chromium for tests: a server of its own, a notebook that a test can drive."""

from __future__ import annotations

import ast
import json
import os
import queue
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30
"""Seconds after which what does not happen counts as broken."""

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAY_OUT = "pip install lengthlab[test] and, on Debian or Ubuntu, apt-get install chromium"


def find_chromium() -> str | None:
    """Path of the Chromium to use: LENGTHLAB_CHROMIUM, or the first that is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = (shutil.which(name) for name in names)
    return os.environ.get("LENGTHLAB_CHROMIUM") or next(filter(None, found), None)


def missing() -> str | None:
    """What the browser tests lack, and how to get it; None where nothing is."""
    try:
        import jupyterlab  # noqa: F401
        import playwright  # noqa: F401
    except ImportError as error:
        return f"{error}: {WAY_OUT}"
    return None if find_chromium() else f"no Chromium found: {WAY_OUT}"


@contextmanager
def launched_chromium() -> Iterator[Any]:
    """A headless Chromium with a fresh profile, as a Playwright browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), headless=True, args=list(FLAGS)
        )
        yield browser
        browser.close()


class JupyterServer:
    """JupyterLab on a free loopback port, with nothing of the user's and no network.

    Parameters
    ----------
    folder : Path
        An empty folder for its files, settings and notebooks.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notebooks = folder / "notebooks"
        self.token = secrets.token_hex(16)
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._write_settings()
        self._log = (folder / "server.log").open("wb")
        self._process = subprocess.Popen(
            self._command(),
            env=self._environment(),
            cwd=self.notebooks,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._wait_until_up()

    def _command(self) -> list[str]:
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": self.port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": self.notebooks,
            "ServerApp.allow_root": True,
            "ServerApp.open_browser": False,
            "IdentityProvider.token": self.token,
            "LabApp.extension_manager": "readonly",
            "LabApp.expose_app_in_browser": True,
            "JupyterNotebookApp.expose_app_in_browser": True,
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        return [sys.executable, "-m", "jupyterlab", *arguments]

    def _environment(self) -> dict[str, str]:
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        return {
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_DATA_DIR": str(self.folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "IPYTHONDIR": str(self.folder / "ipython"),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }

    def _write_settings(self) -> None:
        extensions = (
            "@jupyterlab/apputils-extension:announcements",
            "@jupyterlab/extensionmanager-extension:plugin",
        )
        files = {
            # A data directory hides the user's kernels: this interpreter is the only one.
            "data/kernels/python3/kernel.json": {
                "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                "display_name": "Python 3",
                "language": "python",
            },
            "config/labconfig/page_config.json": {
                "disabledExtensions": dict.fromkeys(extensions, True)
            },
            # Every cell stays in the page, so that a test can find it by its number.
            "config/lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {
                "windowingMode": "none"
            },
        }
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content), encoding="utf-8")
        self.notebooks.mkdir()

    def _wait_until_up(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            try:
                self.get("/api/status")
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
            else:
                return
        self.close()
        log = (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")
        msg = f"JupyterLab did not start on {self.url}:\n{log[-4000:]}"
        raise RuntimeError(msg)

    def get(self, path: str) -> Any:
        """Read the server's REST API."""
        return self._request(path, "GET")

    def delete(self, path: str) -> Any:
        """Delete through the server's REST API."""
        return self._request(path, "DELETE")

    def _request(self, path: str, method: str) -> Any:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(self.url + path, headers=headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE) as response:
            body = response.read()
        return json.loads(body) if body else None

    def close(self) -> None:
        """End the server and its kernels."""
        self._process.terminate()
        try:
            self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class SlowLink:
    """A port on loopback that passes everything on to a server, half of `delay` later each way.

    Parameters
    ----------
    server : JupyterServer
        Where the bytes go.
    delay : float
        Seconds that are added to a round trip.
    """

    def __init__(self, server: JupyterServer, delay: float) -> None:
        self._delay = delay / 2
        self._target = ("127.0.0.1", server.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                for source, sink in ((near, far), (far, near)):
                    pieces: queue.Queue[tuple[float, bytes]] = queue.Queue()
                    for work in (self._read, self._write):
                        end = source if work == self._read else sink
                        threading.Thread(target=work, args=(end, pieces), daemon=True).start()

    def _read(self, source: socket.socket, pieces: queue.Queue[tuple[float, bytes]]) -> None:
        data = b"."
        while data:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            pieces.put((time.monotonic() + self._delay, data))

    def _write(self, sink: socket.socket, pieces: queue.Queue[tuple[float, bytes]]) -> None:
        with suppress(OSError), sink:
            while True:
                due, data = pieces.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()


class Notebook:
    """A notebook in JupyterLab, open in a page of its own.

    Parameters
    ----------
    browser : playwright Browser
        The browser to open it in.
    server : JupyterServer
        The server that runs its kernel.
    width, height : int
        Size of the page in CSS pixels.
    pixel_ratio : float
        Device pixels per CSS pixel.
    link : SlowLink, optional
        Between the page and the server.
    """

    def __init__(
        self,
        browser: Any,
        server: JupyterServer,
        *,
        width: int = 1280,
        height: int = 900,
        pixel_ratio: float = 1,
        link: SlowLink | None = None,
    ) -> None:
        self.server = server
        self.url = link.url if link else server.url
        self.name = ""
        self.strangers: list[str] = []
        self.errors: list[str] = []
        self._closed = False
        self._clients: dict[str, Any] = {}
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._context = browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=pixel_ratio
        )
        self._context.route("**/*", self._only_loopback)
        self.page = self._context.new_page()
        self.page.set_default_timeout(1000 * PATIENCE)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _only_loopback(self, route: Any) -> None:
        url = route.request.url
        if url.startswith((self.url, "blob:", "data:")):
            route.continue_()
        else:
            self.strangers.append(url)
            route.abort()

    def open(self, cells: Sequence[str]) -> None:
        """Write a notebook with these code cells and open it."""
        self.name = f"{secrets.token_hex(6)}.ipynb"
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, self.server.notebooks / self.name)
        self.load()

    def load(self, page: Any = None) -> None:
        """Show the notebook in `page` (this one's if None), in a workspace without a past."""
        page = page or self.page
        workspace = secrets.token_hex(6)
        page.goto(
            f"{self.url}/lab/workspaces/{workspace}/tree/{self.name}?token={self.server.token}"
        )
        page.wait_for_function(
            """() => {
                const panel = window.jupyterapp?.shell.currentWidget;
                const kernel = panel?.sessionContext?.session?.kernel;
                return panel?.content?.widgets?.length && kernel?.status === "idle";
            }"""
        )
        # What starts late (sidebars, status bar) changes the width of the cells.
        page.evaluate("() => window.jupyterapp.restored")

    def new_page(self) -> Any:
        """Save the notebook and open it in a second page of the same browser."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        page = self._context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        self.load(page)
        return page

    def run_cell(self, number: int, *, wait: bool = True) -> None:
        """Run a cell; with `wait`, until the kernel has done it."""
        self.page.evaluate(
            """([number, wait]) => {
                const app = window.jupyterapp;
                app.shell.currentWidget.content.activeCellIndex = number;
                const done = app.commands.execute("notebook:run-cell");
                return wait ? done : undefined;
            }""",
            [number, wait],
        )

    def run_all(self) -> None:
        """Run all cells."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def cell(self, number: int = 0) -> Any:
        """Locator of a code cell."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(number)

    def outputs(self, number: int = 0) -> str:
        """Text of a cell's outputs."""
        return str(self.cell(number).locator(".jp-OutputArea").inner_text())

    def canvas(self, number: int = 0) -> Any:
        """Locator of the first canvas of a live figure in a cell's outputs."""
        return self.cell(number).locator(".lengthlab-live canvas").first

    def frames(self, number: int = 0) -> int:
        """Frames that a cell's canvas has painted."""
        return int(self.canvas(number).get_attribute("data-frame"))

    def wait_frames(self, count: int, number: int = 0) -> None:
        """Wait until a cell's canvas has painted `count` more frames."""
        goal = self.frames(number) + count
        self.wait_for(number, "(canvas, goal) => Number(canvas.dataset.frame) >= goal", goal)

    def wait_painted(self, number: int = 0) -> None:
        """Wait until a cell's canvas shows something, also one that is at rest."""
        self.wait_for(number, "(canvas) => Number(canvas.dataset.frame) >= 1")

    def wait_generation(self, generation: int, number: int = 0) -> None:
        """Wait until a cell's canvas shows a generation."""
        self.wait_for(
            number, "(canvas, wanted) => Number(canvas.dataset.generation) >= wanted", generation
        )

    def wait_for(self, number: int, condition: str, argument: Any = None) -> None:
        """Wait until ``condition(canvas, argument)``, in JavaScript, holds in the page."""
        canvas = self.canvas(number).element_handle()
        self.page.wait_for_function(
            f"([canvas, argument]) => ({condition})(canvas, argument)", arg=[canvas, argument]
        )
        canvas.dispose()  # or the page keeps it

    def wait_text(self, locator: Any, text: str) -> None:
        """Wait until what a locator finds shows a text."""
        from playwright.sync_api import expect

        expect(locator).to_contain_text(text, timeout=1000 * PATIENCE, use_inner_text=True)

    def wait_attribute(self, locator: Any, name: str, value: str) -> None:
        """Wait until what a locator finds has an attribute with a value."""
        from playwright.sync_api import expect

        expect(locator).to_have_attribute(name, value, timeout=1000 * PATIENCE)

    def wait_input(self, locator: Any, value: str) -> None:
        """Wait until a field that a locator finds holds a value."""
        from playwright.sync_api import expect

        expect(locator).to_have_value(value, timeout=1000 * PATIENCE)

    def repaint(self, code: str, number: int = 0) -> None:
        """Run code that sends a frame, and wait until a cell's canvas has painted it."""
        goal = self.frames(number) + 1
        self.execute(code)
        self.wait_for(number, "(canvas, goal) => Number(canvas.dataset.frame) >= goal", goal)

    def execute(self, code: str, value: str = "None") -> Any:
        """Run code in the notebook's kernel without a cell; then the value of an expression.

        The value has to be a literal: a number, a string, a list of them.
        """
        # Playwright keeps an event loop running in this thread, on which a client would wait.
        return self._thread.submit(self._execute, self.kernel_id(), code, value).result()

    def _execute(self, kernel: str, code: str, value: str) -> Any:
        client = self._client(kernel)
        # The value comes with the reply: a running figure never leaves the other channel quiet.
        reply = client.execute(
            code,
            silent=False,
            store_history=False,
            user_expressions={"value": value},
            reply=True,
            timeout=PATIENCE,
        )["content"]
        answer = reply if reply["status"] == "error" else reply["user_expressions"]["value"]
        if answer["status"] == "error":
            raise RuntimeError("\n".join(answer["traceback"]))
        return ast.literal_eval(answer["data"]["text/plain"])

    def wait_value(self, expression: str, wanted: Any) -> None:
        """Wait until an expression has a value in the kernel."""
        end = time.monotonic() + PATIENCE
        while (value := self.execute("", expression)) != wanted:
            if time.monotonic() > end:
                msg = f"{expression} is still {value!r}, not {wanted!r}"
                raise TimeoutError(msg)

    def kernel_id(self) -> str:
        """Number of the notebook's kernel."""
        sessions = self.server.get("/api/sessions")
        return next(s["kernel"]["id"] for s in sessions if s["path"] == self.name)

    def _client(self, kernel: str) -> Any:
        from jupyter_client import BlockingKernelClient

        if kernel not in self._clients:
            file = self.server.folder / "runtime" / f"kernel-{kernel}.json"
            client = BlockingKernelClient(connection_file=str(file))
            client.load_connection_file()
            client.start_channels(iopub=False, stdin=False, hb=False, control=False)
            self._clients[kernel] = client
        return self._clients[kernel]

    def restart_kernel(self) -> None:
        """Restart the kernel, as the menu does, and wait until it is there again."""
        self.page.evaluate(
            """async () => {
                const { session } = window.jupyterapp.shell.currentWidget.sessionContext;
                await session.kernel.restart();
                await session.kernel.info;
            }"""
        )
        self._thread.submit(self._stop_clients).result()

    def _stop_clients(self) -> None:
        for client in self._clients.values():
            client.stop_channels()
        self._clients.clear()

    def close(self) -> None:
        """Close the page and end the kernel; once is enough."""
        if self._closed:
            return
        self._closed = True
        self._thread.submit(self._stop_clients).result()
        self._thread.shutdown()
        self._context.close()
        for session in self.server.get("/api/sessions"):
            if session["path"] == self.name:
                self.server.delete(f"/api/sessions/{session['id']}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
