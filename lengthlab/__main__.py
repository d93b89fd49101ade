"""The command line: ``lengthlab lab`` opens the lessons, the other commands print and draw."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from lengthlab import __version__
from lengthlab.cli import assess, compare, lab, lessons, passport
from lengthlab.cli.arguments import CommandError, flush

INTERRUPTED = 130  # what a shell reports after Ctrl-C


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, and exits with status 2."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # A number is no option: argparse knows -1 and -0.5, but not -1e3 or -inf.
        self._negative_number_matcher = re.compile(r"-(\.?\d|inf|nan)")

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"lengthlab: {message}; see {self.prog} --help\n")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        flush()  # here, where a broken pipe is expected
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
        flush()
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
    lab.add_to(commands)
    for command in (compare, assess, passport, lessons):
        command.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
