"""What the commands read, and how they refuse it."""

import argparse
import math
import sys


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
