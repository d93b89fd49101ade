"""What one decision works with: its precision, its length of expansions, and its deadline.

Each decision has a workspace of its own (a context variable): threads do not disturb each other,
and mpmath's global precision is never touched.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from lengthlab.assumptions.expression import UndecidedError


class OutOfTimeError(UndecidedError):
    """The deadline has passed."""


@dataclass(frozen=True)
class Workspace:
    """Numbers of a given precision, and the time by which to answer.

    Attributes
    ----------
    mp : mpmath.MPContext
        Arithmetic with a third more digits than results are trusted to.
    tolerance : mpf
        Numbers that agree to this relative difference are taken for equal.
    terms : int
        Length of expansions.
    deadline : float
        On the clock ``time.thread_time``: what else the machine does changes no verdict.
    seconds : float
        What the deadline allowed in all, for messages.
    """

    mp: Any
    tolerance: Any
    terms: int
    deadline: float
    seconds: float


_CURRENT: ContextVar[Workspace] = ContextVar("workspace")


def workspace() -> Workspace:
    """Give the workspace of the decision that is under way."""
    return _CURRENT.get()


def mp() -> Any:
    """Give its mpmath context."""
    return _CURRENT.get().mp


def tick() -> None:
    """Stop the decision when its time is over; called in every loop that can be long."""
    current = _CURRENT.get(None)
    if current is not None and time.thread_time() > current.deadline:
        msg = f"not decided within {current.seconds:g} s"
        raise OutOfTimeError(msg)


@contextmanager
def working(*, digits: int, seconds: float) -> Iterator[None]:
    """Work with this many trusted digits, for so long."""
    from mpmath import MPContext

    deadline = time.thread_time() + seconds
    token = _CURRENT.set(Workspace(MPContext(), None, 7, deadline, seconds))
    trust(digits)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def trust(digits: int) -> None:
    """Change the number of trusted digits."""
    mp().dps = digits * 4 // 3
    _CURRENT.set(replace(_CURRENT.get(), tolerance=mp().mpf(10) ** -digits))


@contextmanager
def changed(**fields: Any) -> Iterator[None]:
    """Work with other fields of the workspace for a while."""
    token = _CURRENT.set(replace(_CURRENT.get(), **fields))
    try:
        yield
    finally:
        _CURRENT.reset(token)
