"""The command line: ``lengthlab lab`` opens the lessons, ``lengthlab compare`` prints a table."""

import argparse
import hashlib
import importlib.util
import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from tqdm import tqdm

from lengthlab import __version__
from lengthlab.activations import activation
from lengthlab.checks import check_count
from lengthlab.convergence import Experiment
from lengthlab.length_process import LengthProcess
from lengthlab.network import Network

PACKAGE = Path(__file__).resolve().parent
MANIFEST = ".lengthlab.json"
PLOT_FORMATS = (".png", ".svg", ".pdf")
MOST_LENGTHS = 2**27  # trials x depth that are kept: 1 GiB
TICK = 0.1  # seconds between two looks at the progress bar
INTERRUPTED = 130  # what a shell reports after Ctrl-C

JSON_KEYS = """\
--json prints one object. `predicted`, `sampled_mean` and their errors are null where they are not
finite: the prediction from layer `first_infinite` on (an infinite length) or `first_overflow` on
(finite, beyond every float), the sampled ones where `infinite_trials`, the number of networks that
left the floats at that layer, is not 0; `standard_error` also for a single network, or where it
overflows.
"""


class CommandError(Exception):
    """What the reader has to know, in one line."""


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, and exits with status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"lengthlab: {message}; see {self.prog} --help\n")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        sys.stdout.flush()  # here, where a broken pipe is expected
        super().exit(status, message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; by default those of the process.

    Returns
    -------
    int
        Exit status: 0, or 2 after one line on stderr that says what is wrong.
    """
    try:
        arguments = _parser().parse_args(argv)
        status = int(arguments.run(arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output left: `lengthlab compare ... | head -2`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError as error:
        return _refuse(f"not enough memory; {error}")
    except (CommandError, ArithmeticError, OSError, TypeError, ValueError) as error:
        return _refuse(str(error))
    return status


def _refuse(reason: str) -> int:
    print(f"lengthlab: {' '.join(reason.split())}", file=sys.stderr)
    return 2


def _parser() -> _Parser:
    parser = _Parser(
        prog="lengthlab",
        description="The length process of random networks, beside the length map.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"lengthlab {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_lab(commands)
    _add_compare(commands)
    return parser


# --- lengthlab lab --------------------------------------------------------------------------------


def _add_lab(commands: Any) -> None:
    lab = commands.add_parser(
        "lab",
        help="open JupyterLab on lesson 0",
        description="Copy the lessons to a folder of yours and open JupyterLab on lesson 0. "
        "A file that you changed is kept.",
        allow_abbrev=False,
    )
    lab.add_argument(
        "--folder",
        type=Path,
        default=Path("lengthlab-lessons"),
        metavar="DIR",
        help="where your copy of the lessons is (default: ./%(default)s)",
    )
    lab.add_argument(
        "--no-browser", action="store_true", help="start the server and print its address"
    )
    lab.add_argument("--port", type=_count, metavar="N", help="port of the server")
    lab.set_defaults(run=_run_lab)


def _run_lab(arguments: argparse.Namespace) -> int:
    for module in ("jupyterlab", "ipykernel"):
        if importlib.util.find_spec(module) is None:
            msg = f'{module} is not installed; get it with: pip install "lengthlab[lab]"'
            raise CommandError(msg)
    if arguments.port is not None and not 1 <= arguments.port <= 65535:
        msg = f"port must be an integer >= 1 and <= 65535, got {arguments.port}"
        raise ValueError(msg)
    folder = arguments.folder.expanduser().resolve()
    kept = copy_lessons(lessons_folder(), folder)
    print(f"The lessons are in {folder}")
    if kept:
        print(
            f"Kept as you left them: {', '.join(kept)} (rename or delete one to get the original)"
        )
    sys.stdout.flush()
    return _become(
        lab_command(folder, browser=not arguments.no_browser, port=arguments.port),
        {**os.environ, "JUPYTER_PATH": _jupyter_path()},
    )


def lessons_folder() -> Path:
    """Where the lessons are: inside an installed package, beside it in a checkout.

    Returns
    -------
    Path

    Raises
    ------
    CommandError
        If there are none.
    """
    for folder in (PACKAGE / "_lessons", PACKAGE.parent / "lessons"):
        if any(folder.glob("00_*.ipynb")):
            return folder
    msg = "this installation has no lessons; install lengthlab again"
    raise CommandError(msg)


def copy_lessons(source: Path, target: Path) -> list[str]:
    """Copy the lessons, but never over a file that the reader changed.

    A file that is as an earlier call wrote it is the package's, and follows it to a new version;
    what was written is remembered in the folder itself.

    Parameters
    ----------
    source : Path
        The package's lessons.
    target : Path
        The reader's folder; made if it is not there.

    Returns
    -------
    list of str
        Files that were kept because the reader changed them.

    Raises
    ------
    OSError
        If the folder cannot be written.
    CommandError
        If something else is in its place.
    """
    if target == source.resolve():
        return []
    if target.exists() and not target.is_dir():
        msg = f"{target} is not a folder; choose another with --folder"
        raise CommandError(msg)
    target.mkdir(parents=True, exist_ok=True)
    record = target / MANIFEST
    written = _read_manifest(record)
    kept = []
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if not path.is_file() or any(part.startswith((".", "__")) for part in name.parts):
            continue
        content, copy = path.read_bytes(), target / name
        there = copy.read_bytes() if copy.exists() else None
        if there not in (None, content) and _digest(there) != written.get(name.as_posix()):
            kept.append(name.as_posix())
            continue
        written[name.as_posix()] = _digest(content)
        if there != content:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
    record.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return kept


def _read_manifest(record: Path) -> dict[str, str]:
    try:
        written = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return written if isinstance(written, dict) else {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def lab_command(folder: Path, *, browser: bool = True, port: int | None = None) -> list[str]:
    """Command that starts JupyterLab on lesson 0, by this interpreter.

    Parameters
    ----------
    folder : Path
        The reader's lessons; nothing above it is served.
    browser : bool
        Open a browser.
    port : int, optional
        Port of the server; the next free one where it is taken.

    Returns
    -------
    list of str
    """
    first = min(path.name for path in folder.glob("00_*.ipynb"))
    command = [
        *(sys.executable, "-P", "-m", "jupyterlab"),  # -P: not what lies about in this folder
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{first}",
        # JupyterLab asks the network for news, for newer versions and for extensions.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    if not browser:
        command.append("--no-browser")
    if port is not None:
        command.append(f"--ServerApp.port={port}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def _jupyter_path() -> str:
    """JUPYTER_PATH with this environment first: its kernel is the one that has lengthlab."""
    here = str(Path(sys.prefix, "share", "jupyter"))
    return os.pathsep.join(filter(None, [here, os.environ.get("JUPYTER_PATH")]))


def _become(command: list[str], environment: dict[str, str]) -> int:
    """Run a command in the place of this process: signals and exit status are its own."""
    if os.name == "posix":
        os.execve(command[0], command, environment)
    with subprocess.Popen(command, env=environment) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the child has it too, and decides
                continue


# --- lengthlab compare ----------------------------------------------------------------------------


def _add_compare(commands: Any) -> None:
    compare = commands.add_parser(
        "compare",
        help="sampled lengths beside the length map, as a table",
        description="Sample random networks and print their mean lengths beside the length map.",
        epilog=JSON_KEYS,
        allow_abbrev=False,
    )
    add = compare.add_argument
    add("activation", help="a name of the catalogue, for example tanh")
    add(
        "--parameter",
        action="append",
        default=[],
        type=_parameter,
        metavar="NAME=NUMBER",
        help="of the activation, for example exponent=-0.3 of power; repeatable",
    )
    real, count = {"type": _real, "metavar": "X"}, {"type": _count, "metavar": "N"}
    add("--sigma-w", default=1.0, **real, help="sd of the weights times sqrt(N) (%(default)g)")
    add("--sigma-b", default=0.0, **real, help="sd of the biases (%(default)g)")
    add("--keep-probability", default=1.0, **real, help="of dropout (%(default)g: none)")
    add("--input-length", default=1.0, **real, help="|x_0|^2 / N (%(default)g)")
    add("--width", default=1000, **count, help="units a layer (%(default)d)")
    add("--depth", default=10, **count, help="layers (%(default)d)")
    add("--trials", default=200, **count, help="networks (%(default)d)")
    add("--seed", default=0, **count, help="the same seed gives the same table (%(default)d)")
    add("--plot", type=Path, metavar="FILE", help="write the picture: .png, .svg or .pdf")
    add("--json", action="store_true", help="print JSON instead of the table")
    compare.set_defaults(run=_run_compare)


def _run_compare(arguments: argparse.Namespace) -> int:
    if arguments.plot is not None:
        _check_plot(arguments.plot)
    net = Network(
        activation(arguments.activation, **dict(arguments.parameter)),
        sigma_w=arguments.sigma_w,
        sigma_b=arguments.sigma_b,
        keep_probability=arguments.keep_probability,
        input_length=arguments.input_length,
    )
    trials = check_count("trials", arguments.trials)
    check_count("seed", arguments.seed, minimum=0)
    if trials * check_count("depth", arguments.depth) > MOST_LENGTHS:
        msg = f"trials times depth must be at most {MOST_LENGTHS}, got {trials * arguments.depth}"
        raise CommandError(msg)
    experiment = Experiment(net, width=arguments.width, depth=arguments.depth)
    _sample(experiment, trials, arguments.seed)
    print(_json(experiment, arguments) if arguments.json else _table(experiment, arguments.seed))
    if arguments.plot is not None:
        from lengthlab.drawing import save_lab  # matplotlib: only where a picture is wanted

        save_lab(arguments.plot, experiment)
    return 0


def _sample(experiment: Experiment, trials: int, seed: int) -> None:
    """Add the networks of `sample_lengths`, with a progress bar after one second."""
    process = LengthProcess(
        experiment.net, width=experiment.width, depth=experiment.depth, rng=seed
    )
    options: dict[str, Any] = {"delay": 1, "miniters": 0, "leave": False}
    with tqdm(total=trials, unit=" networks", file=sys.stderr, **options) as bar:
        while experiment.drawn < trials:
            lengths = process.advance(TICK, trials=trials - experiment.drawn)
            experiment.add(lengths)
            bar.update(len(lengths))


def _check_plot(path: Path) -> None:
    """Refuse a picture that could not be written, before anything is sampled."""
    if path.suffix.lower() not in PLOT_FORMATS:
        msg = f"plot must end in {', '.join(PLOT_FORMATS)}, got '{path}'"
        raise CommandError(msg)
    place = path if path.exists() else path.parent
    if not path.parent.is_dir() or path.is_dir() or not os.access(place, os.W_OK):
        msg = f"plot must be a file in a folder that you can write to, got '{path}'"
        raise CommandError(msg)


def _table(experiment: Experiment, seed: int) -> str:
    net = experiment.net
    layers = [experiment.summary(layer) for layer in range(1, experiment.depth + 1)]
    first = experiment.prediction.first_overflow or math.inf
    predicted = _column([row.predicted for row in layers], digits=6)
    columns = [
        ["layer", *(str(row.layer) for row in layers)],
        ["predicted"]
        + [
            "overflow" if row.layer >= first else text
            for row, text in zip(layers, predicted, strict=True)
        ],
        ["sampled mean", *_column([row.mean for row in layers], digits=6)],
        ["standard error", *_column([row.standard_error for row in layers], digits=4, inf="-")],
    ]
    for column in columns:
        width = max(map(len, column))
        column[:] = [cell.rjust(width) for cell in column]
    title = (
        f"{net.activation.name}, sigma_w = {net.sigma_w:g}, sigma_b = {net.sigma_b:g}: "
        f"{experiment.drawn} networks of width {experiment.width}, seed {seed}"
    )
    return "\n".join([title, *("  ".join(row) for row in zip(*columns, strict=True))])


def _column(values: list[float], *, digits: int, inf: str = "inf") -> list[str]:
    """Numbers under one another, with `digits` significant digits for the largest of them."""
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    form = f".{digits - 1}e"
    if not sizes or (max(sizes) <= 100 * min(sizes) and 1e-4 < max(sizes) < 10**digits):
        decimals = digits - 1 - math.floor(math.log10(max(sizes, default=1.0)))
        form = f".{max(decimals, 0)}f"
    return [format(value, form) if math.isfinite(value) else inf for value in values]


def _json(experiment: Experiment, arguments: argparse.Namespace) -> str:
    net, prediction = experiment.net, experiment.prediction
    layers = []
    for layer in range(1, experiment.depth + 1):
        numbers = experiment.summary(layer)
        median = float(np.median(experiment.lengths[:, layer - 1]))
        layers.append(
            {
                "layer": layer,
                "predicted": _finite(numbers.predicted),
                "error": _finite(float(prediction.errors[layer - 1])),
                "sampled_mean": _finite(numbers.mean),
                "standard_error": _finite(numbers.standard_error),
                "sampled_median": _finite(median),
                "infinite_trials": numbers.infinite,
            }
        )
    answer = {
        "activation": arguments.activation,
        "parameters": dict(arguments.parameter),
        "sigma_w": net.sigma_w,
        "sigma_b": net.sigma_b,
        "keep_probability": net.keep_probability,
        "input_length": net.input_length,
        "width": experiment.width,
        "depth": experiment.depth,
        "trials": experiment.drawn,
        "seed": arguments.seed,
        "first_infinite": prediction.first_infinite,
        "first_overflow": prediction.first_overflow,
        "layers": layers,
    }
    return json.dumps(answer, indent=1, allow_nan=False)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


# --- what argparse reads --------------------------------------------------------------------------


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        msg = f"must be a number, got {text!r}"
        raise argparse.ArgumentTypeError(msg) from None


def _count(text: str) -> int:
    """Read an integer, also one written as 1e6; its range is checked where it is used."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not number.is_integer():
        msg = f"must be an integer, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return int(number)


def _parameter(text: str) -> tuple[str, float]:
    name, equals, number = text.partition("=")
    if not name or not equals:
        msg = f"must be NAME=NUMBER, for example slope=0.2, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return name, _real(number)


if __name__ == "__main__":
    sys.exit(main())
