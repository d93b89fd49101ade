"""The command line, as a reader's shell sees it."""

import json
import math
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

import lengthlab
from lengthlab.__main__ import main
from lengthlab.cli import lab
from lengthlab.cli.compare import MOST_LENGTHS

PATIENCE = 60
SMALL = ["--width", "50", "--depth", "3", "--trials", "20"]
TANH = ["compare", "tanh", "--sigma-w", "1.5", "--sigma-b", "0.3"]
NET = lengthlab.Network("tanh", sigma_w=1.5, sigma_b=0.3)


def shell(*arguments, **options):
    """Run ``python -m lengthlab`` in a process of its own."""
    command = [sys.executable, "-m", "lengthlab", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **options)


def status_of(arguments):
    """Exit status, whether `main` returns it or argparse leaves with it."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as leaving:
        return leaving.code


def table_of(text):
    """Rows of the printed table as lists of cells, without title and heads."""
    return [line.split() for line in text.splitlines()[2:]]


# --- compare --------------------------------------------------------------------------------------


def test_table_has_the_numbers_of_the_library(capsys):
    assert main([*TANH, *SMALL, "--seed", "5"]) == 0
    printed, said = capsys.readouterr()
    q = lengthlab.sample_lengths(NET, width=50, depth=3, trials=20, rng=5)
    expected = np.column_stack(
        [
            [1, 2, 3],
            lengthlab.length_map(NET, depth=3).values,
            q.mean(axis=0),
            q.std(axis=0, ddof=1) / math.sqrt(20),
        ]
    )
    title, heads = printed.splitlines()[:2]
    assert title == "tanh, sigma_w = 1.5, sigma_b = 0.3: 20 networks of width 50, seed 5"
    assert heads.split("  ")[-1] == "standard error"
    # 6 significant digits of the largest length, 4 of the largest error: half a unit of the last.
    np.testing.assert_allclose(
        np.array(table_of(printed), float)[:, :3], expected[:, :3], atol=6e-6
    )
    np.testing.assert_allclose(np.array(table_of(printed), float)[:, 3], expected[:, 3], atol=6e-5)
    assert said == ""
    assert len({len(line) for line in printed.splitlines()[1:]}) == 1  # columns are aligned


def test_json_has_the_numbers_of_the_library(capsys):
    assert main([*TANH, *SMALL, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    layers = answer.pop("layers")
    assert answer == {
        "activation": "tanh",
        "parameters": {},
        "sigma_w": 1.5,
        "sigma_b": 0.3,
        "keep_probability": 1.0,
        "input_length": 1.0,
        "width": 50,
        "depth": 3,
        "trials": 20,
        "seed": 0,
        "first_infinite": None,
        "first_overflow": None,
    }
    q = lengthlab.sample_lengths(NET, width=50, depth=3, trials=20, rng=0)
    prediction = lengthlab.length_map(NET, depth=3)
    for k, layer in enumerate(layers):
        assert layer["layer"] == k + 1
        assert layer["predicted"] == prediction.values[k]
        assert layer["error"] == prediction.errors[k]
        assert layer["sampled_mean"] == pytest.approx(q[:, k].mean(), rel=1e-13)
        assert layer["standard_error"] == pytest.approx(q[:, k].std(ddof=1) / math.sqrt(20))
        assert layer["sampled_median"] == np.median(q[:, k])
        assert layer["infinite_trials"] == 0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_infinite_lengths_are_inf_in_the_table_and_null_in_json(capsys):
    explosion = ["compare", "exp_square", "--parameter", "c=0.2", "--sigma-w", "2", *SMALL]
    assert main(explosion) == 0
    first, *_, last = table_of(capsys.readouterr().out)
    assert first[1] != "inf"
    assert last == ["3", "inf", "inf", "-"]
    assert main([*explosion, "--json"]) == 0

    def refuse(constant):
        pytest.fail(f"{constant} is not JSON")

    answer = json.loads(capsys.readouterr().out, parse_constant=refuse)
    net = lengthlab.Network(lengthlab.activation("exp_square", c=0.2), sigma_w=2.0)
    assert answer["parameters"] == {"c": 0.2}
    assert answer["first_infinite"] == lengthlab.length_map(net, depth=3).first_infinite == 2
    last = answer["layers"][-1]
    assert last["infinite_trials"] > 0
    names = ("predicted", "error", "sampled_mean", "standard_error")
    assert [last[name] for name in names] == [None] * 4


def test_overflow_is_not_called_infinite(capsys):
    assert main(["compare", "relu", "--sigma-w", "1e100", *SMALL]) == 0
    rows = table_of(capsys.readouterr().out)
    assert [row[1] for row in rows] == ["1.00000e+200", "overflow", "overflow"]


def test_one_network_has_no_standard_error(capsys):
    assert main([*TANH, "--width", "50", "--depth", "2", "--trials", "1"]) == 0
    assert [row[3] for row in table_of(capsys.readouterr().out)] == ["-", "-"]
    assert main([*TANH, "--width", "50", "--depth", "2", "--trials", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layers"][0]["standard_error"] is None


def test_options_reach_the_network(capsys):
    extra = ["--keep-probability", "0.5", "--input-length", "2", "--parameter", "slope=0.5"]
    assert main(["compare", "leaky_relu", *extra, *SMALL, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    net = lengthlab.Network(
        lengthlab.activation("leaky_relu", slope=0.5), keep_probability=0.5, input_length=2.0
    )
    predicted = [layer["predicted"] for layer in answer["layers"]]
    assert predicted == lengthlab.length_map(net, depth=3).values.tolist()
    assert main(["compare", "leaky_relu", *extra, *SMALL]) == 0
    assert "keep_probability = 0.5, input_length = 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("suffix", "begin"), [(".png", b"\x89PNG"), (".PDF", b"%PDF"), (".svg", b"<?xml")]
)
def test_plot_writes_the_picture_in_the_format_of_its_name(tmp_path, capsys, suffix, begin):
    picture = tmp_path / f"lab{suffix}"
    assert main([*TANH, *SMALL, "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(begin)
    assert len(table_of(capsys.readouterr().out)) == 3


def test_the_picture_bears_the_title_of_the_table(tmp_path, monkeypatch, capsys):
    captions = []
    monkeypatch.setattr(lengthlab.drawing, "save_lab", lambda *_, caption: captions.append(caption))
    assert main([*TANH, *SMALL, "--plot", str(tmp_path / "lab.png")]) == 0
    assert captions == [capsys.readouterr().out.splitlines()[0]]


BAD = [
    ([], "COMMAND"),
    (["guess"], "'guess'"),
    (["compare"], "activation"),
    (["compare", "nope"], "got 'nope'"),
    (["compare", "tanh", "--sigma-w", "nan"], "sigma_w must be a finite number > 0, got nan"),
    (["compare", "tanh", "--sigma-w", "0"], "sigma_w"),
    (["compare", "tanh", "--sigma-w", "-1e3"], "sigma_w must be a finite number > 0, got -1000.0"),
    (["compare", "tanh", "--sigma-w", "-inf"], "sigma_w must be a finite number > 0, got -inf"),
    (
        ["compare", "tanh", "--sigma-w", "-.5e-3"],
        "sigma_w must be a finite number > 0, got -0.0005",
    ),
    (["compare", "tanh", "-x"], "unrecognized arguments: -x"),
    (["compare", "tanh", "--sigma-b", "-1"], "sigma_b"),
    (["compare", "tanh", "--sigma-b", "much"], "--sigma-b: must be a number, got 'much'"),
    (["compare", "tanh", "--keep-probability", "1.5"], "keep_probability"),
    (["compare", "tanh", "--input-length", "inf"], "input_length"),
    (
        ["compare", "tanh", "--width", "0"],
        "width must be an integer >= 1 and <= 1000000000000, got 0",
    ),
    (["compare", "tanh", "--width", "1e13"], "<= 1000000000000, got 10000000000000"),
    (["compare", "tanh", "--width", "1e300"], "width must be an integer >= 1 and <= 1000000000000"),
    (["compare", "tanh", "--width", "10.5"], "--width: must be an integer, got '10.5'"),
    (["compare", "tanh", "--width", "nan"], "--width"),
    (["compare", "tanh", "--depth", "-3"], "depth must be an integer >= 1 and <= 10000, got -3"),
    (["compare", "tanh", "--depth", "100000", "--trials", "1"], "<= 10000, got 100000"),
    (["compare", "tanh", "--trials", "0"], "trials"),
    (["compare", "tanh", "--trials", "1e12"], str(MOST_LENGTHS)),
    (["compare", "tanh", "--seed", "-1"], "seed must be an integer >= 0, got -1"),
    (["compare", "tanh", "--wid", "10"], "--wid"),
    (["compare", "tanh", "--parameter", "slope"], "NAME=NUMBER"),
    (["compare", "tanh", "--parameter", "slope=0.1"], "takes no parameter"),
    (["compare", "power", "--parameter", "exponent=x"], "must be a number, got 'x'"),
    (["compare", "tanh", "--plot", "lab.bmp"], "lab.bmp"),
    (["compare", "tanh", "--plot", "no/such/folder/lab.png"], "no/such/folder"),
    (["lab", "--port", "0"], "port"),
    (["lab", "--port", "65536"], "port"),
    (["lab", "--port", "http"], "--port"),
]


@pytest.mark.parametrize(("arguments", "names"), BAD, ids=[" ".join(case[0]) for case in BAD])
def test_bad_input_is_one_line_and_status_2(arguments, names, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert status_of(arguments) == 2
    printed, said = capsys.readouterr()
    assert printed == ""
    assert said.startswith("lengthlab: ")
    assert said.count("\n") == 1
    assert names in said
    assert not list(tmp_path.iterdir())


def test_a_plot_that_cannot_be_written_is_refused_before_sampling(tmp_path, capsys):
    (tmp_path / "lab.png").mkdir()
    assert status_of([*TANH, "--trials", "1e7", "--plot", tmp_path / "lab.png"]) == 2
    assert "plot" in capsys.readouterr().err


def test_version(capsys):
    assert status_of(["--version"]) == 0
    assert capsys.readouterr().out == f"lengthlab {lengthlab.__version__}\n"


def test_a_broken_pipe_is_quiet():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "lengthlab", *TANH, *SMALL]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=PATIENCE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_error(closed):
    command = [sys.executable, "-m", "lengthlab", *TANH, *SMALL]
    in_a_shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *command]
    done = subprocess.run(in_a_shell, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bool(done.stdout) == (closed == "2>&-")


@pytest.mark.parametrize("more", [[], ["--width", "1e5", "--trials", "2000"]])
def test_without_a_terminal_there_is_no_progress_bar(more):
    done = shell(*TANH, *SMALL, *more)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_long_run_shows_a_progress_bar_and_ctrl_c_ends_it_quietly():
    # A test runner in the background may have left its children deaf to Ctrl-C.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from lengthlab.__main__ import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", code, *TANH, "--width", "1e5", "--trials", "1e6"]
    terminal, end = os.openpty()
    termios.tcsetwinsize(end, (24, 80))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=end)
    said = b""
    while b"0%|" not in said:
        assert select.select([terminal], [], [], PATIENCE)[0]
        said += os.read(terminal, 1000)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=PATIENCE)
    os.write(end, b".")  # or there might be nothing left to read
    said += os.read(terminal, 10_000)
    os.close(terminal)
    os.close(end)
    assert b"Traceback" not in said
    assert (process.returncode, printed) == (130, b"")


# --- lab ------------------------------------------------------------------------------------------


@pytest.fixture
def source(tmp_path):
    """Lessons of a package: two notebooks and a picture."""
    folder = tmp_path / "package"
    (folder / "images").mkdir(parents=True)
    (folder / "00_start.ipynb").write_text("start")
    (folder / "01_next.ipynb").write_text("next")
    (folder / "images" / "lab.png").write_bytes(b"picture")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "00_start.ipynb").write_text("old")
    return folder


def test_lessons_are_copied_with_their_pictures(source, tmp_path):
    target = tmp_path / "deep" / "mine"
    assert lab.copy_lessons(source, target) == []
    assert (target / "00_start.ipynb").read_text() == "start"
    assert (target / "images" / "lab.png").read_bytes() == b"picture"
    assert not (target / ".ipynb_checkpoints").exists()


def test_a_changed_lesson_is_kept_and_named(source, tmp_path):
    target = tmp_path / "mine"
    lab.copy_lessons(source, target)
    (target / "01_next.ipynb").write_text("my answer")
    for _ in range(2):
        assert lab.copy_lessons(source, target) == ["01_next.ipynb"]
        assert (target / "01_next.ipynb").read_text() == "my answer"
    (target / "01_next.ipynb").unlink()
    assert lab.copy_lessons(source, target) == []
    assert (target / "01_next.ipynb").read_text() == "next"


def test_an_untouched_lesson_follows_the_package(source, tmp_path):
    target = tmp_path / "mine"
    lab.copy_lessons(source, target)
    (target / "01_next.ipynb").write_text("my answer")
    (source / "00_start.ipynb").write_text("a better start")
    (source / "01_next.ipynb").write_text("a better lesson")
    assert lab.copy_lessons(source, target) == ["01_next.ipynb"]
    assert (target / "00_start.ipynb").read_text() == "a better start"
    assert (target / "01_next.ipynb").read_text() == "my answer"


def test_a_second_copy_writes_no_lesson(source, tmp_path):
    target = tmp_path / "mine"
    lab.copy_lessons(source, target)
    before = (target / "00_start.ipynb").stat().st_mtime_ns
    lab.copy_lessons(source, target)
    assert (target / "00_start.ipynb").stat().st_mtime_ns == before


def test_a_file_of_the_readers_from_before_is_kept(source, tmp_path):
    target = tmp_path / "mine"
    target.mkdir()
    (target / "00_start.ipynb").write_text("something else of mine")
    (target / lab.MANIFEST).write_text("no json")
    assert lab.copy_lessons(source, target) == ["00_start.ipynb"]
    assert (target / "00_start.ipynb").read_text() == "something else of mine"


def test_the_lessons_folder_itself_can_be_opened(source):
    assert lab.copy_lessons(source, source) == []
    assert not (source / lab.MANIFEST).exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path, capsys):
    (tmp_path / "mine").write_text("")
    assert status_of(["lab", "--folder", tmp_path / "mine"]) == 2
    assert "is not a folder; choose another with --folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "kind"),
    [("00_start.ipynb", "folder"), (lab.MANIFEST, "folder"), ("images", "file")],
)
def test_something_in_the_place_of_a_lesson_is_refused(source, tmp_path, name, kind):
    target = tmp_path / "mine"
    target.mkdir()
    (target / name).mkdir() if kind == "folder" else (target / name).write_text("")
    with pytest.raises(lab.CommandError, match="is a") as refused:
        lab.copy_lessons(source, target)
    assert str(refused.value) == (
        f"{target / name} is a {kind} in the place of a lesson; "
        "rename it, or choose another folder with --folder"
    )


@pytest.mark.parametrize("module", ["jupyterlab", "ipykernel"])
def test_without_jupyterlab_lab_says_how_to_get_it(module, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    found = lab.importlib.util.find_spec
    monkeypatch.setattr(
        lab.importlib.util, "find_spec", lambda name: None if name == module else found(name)
    )
    assert status_of(["lab"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert 'pip install "lengthlab[lab]"' in said
    assert not list(tmp_path.iterdir())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """``lengthlab lab`` in a folder of its own, with a stranger's kernel on the user's path."""

    def __init__(self, folder, *options):
        self.folder, self.port, self.token = folder, free_port(), "reader"
        decoy = folder / "data" / "kernels" / "python3" / "kernel.json"
        decoy.parent.mkdir(parents=True)
        argv = ["stranger", "-f", "{connection_file}"]
        decoy.write_text(json.dumps({"argv": argv, "display_name": "S", "language": "python"}))
        environment = {
            **os.environ,
            "JUPYTER_TOKEN": self.token,
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_PREFER_ENV_PATH": "0",
        }
        self.log = folder / "server.log"
        command = [sys.executable, "-m", "lengthlab", "lab", "--no-browser"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), *options],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def get(self, path):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        request.add_header("Authorization", f"token {self.token}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return opener.open(request, timeout=PATIENCE).read().decode()
            except (urllib.error.URLError, ConnectionError) as error:
                over = time.monotonic() > end or self.process.poll() is not None
                if over or isinstance(error, urllib.error.HTTPError):
                    raise AssertionError(self.log.read_text()) from error
                time.sleep(0.1)

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE)


def test_lab_serves_lesson_0_with_this_interpreters_kernel_and_no_news(tmp_path):
    server = Server(tmp_path)
    try:
        lesson = min(lab.lessons_folder().glob("00_*.ipynb"))
        served = json.loads(server.get(f"/api/contents/{lesson.name}"))["content"]
        kernel = json.loads(server.get("/api/kernelspecs"))["kernelspecs"]["python3"]["spec"]
        page = server.get(f"/lab/tree/{lesson.name}")
        update = json.loads(server.get("/lab/api/update"))
    finally:
        status = server.stop()
    said = server.log.read_text()
    assert status in (0, -signal.SIGTERM)
    assert len(served["cells"]) == len(json.loads(lesson.read_text(encoding="utf-8"))["cells"])
    assert kernel["argv"][0] != "stranger"
    assert '"news": {"disabled": true}' in page
    assert '"@jupyterlab/apputils-extension:announcements"' in page  # disabled: it would ask
    assert update == {"notification": None}
    assert f"/lab/tree/{lesson.name}" in said  # the address that is printed opens lesson 0
    assert f"The lessons are in {tmp_path / 'lengthlab-lessons'}" in said
    assert "Traceback" not in said


def test_the_command_runs_this_interpreter_on_the_readers_folder(source):
    command = lab.lab_command(source, browser=False, port=9000)
    assert command[0] == sys.executable
    assert f"--ServerApp.root_dir={source}" in command
    assert "--LabApp.default_url=/lab/tree/00_start.ipynb" in command
    assert {"--no-browser", "--ServerApp.port=9000"} <= set(command)
    assert "--no-browser" not in lab.lab_command(source)


def test_an_installation_without_lessons_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(lab, "PACKAGE", Path(tmp_path, "lengthlab"))
    with pytest.raises(lab.CommandError, match="no lessons"):
        lab.lessons_folder()
