"""What the commands read, and how they refuse it."""

import argparse
import math
import os
import sys
from pathlib import Path

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.formula import formula

PLOT_FORMATS = (".png", ".svg", ".pdf")


class CommandError(Exception):
    """What the reader has to know, in one line."""


def flush() -> None:
    """Write out what was printed; a shell's ``>&-`` leaves nowhere to write it."""
    if sys.stdout is not None:
        sys.stdout.flush()


def real(text: str) -> float:
    """Read a number; its range is checked where it is used."""
    try:
        return float(text)
    except ValueError:
        msg = f"must be a number, got {text!r}"
        raise argparse.ArgumentTypeError(msg) from None


def count(text: str) -> int:
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


def parameter(text: str) -> tuple[str, float]:
    """Read NAME=NUMBER."""
    name, equals, number = text.partition("=")
    if not name or not equals:
        msg = f"must be NAME=NUMBER, for example slope=0.2, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return name, real(number)


def add_activation(parser: argparse.ArgumentParser) -> None:
    """Add phi and its parameters."""
    parser.add_argument(
        "activation", help="a name of the catalogue, or a formula such as 'x*exp(-x^2)'"
    )
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        type=parameter,
        metavar="NAME=NUMBER",
        help="of the catalogue's activation, for example exponent=-0.3 of power; repeatable",
    )


def read_activation(arguments: argparse.Namespace) -> Activation:
    """Make phi of what `add_activation` has read: a name first, else a formula."""
    text, parameters = arguments.activation, dict(arguments.parameter)
    name = text.strip()
    if name in catalogue() or parameters or (name.isidentifier() and name not in ("x", "pi", "e")):
        return activation(name, **parameters)
    return formula(text)


def add_plot(parser: argparse.ArgumentParser) -> None:
    """Add the picture to write."""
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="write the picture: .png, .svg or .pdf"
    )


def check_plot(path: Path) -> None:
    """Refuse a picture that could not be written, before anything is computed."""
    if path.suffix.lower() not in PLOT_FORMATS:
        msg = f"plot must end in {', '.join(PLOT_FORMATS)}, got '{path}'"
        raise CommandError(msg)
    place = path if path.exists() else path.parent
    if not path.parent.is_dir() or path.is_dir() or not os.access(place, os.W_OK):
        msg = f"plot must be a file in a folder that you can write to, got '{path}'"
        raise CommandError(msg)
