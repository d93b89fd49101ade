"""Everything that the lessons ask, and what is printed of an answer."""

import contextlib
import io
import re

from lengthlab.exercises.desk import entries, lessons
from lengthlab.exercises.kinds import Exercise

EVERYTHING = [entry for number in lessons() for entry in entries(number)]
EXERCISES = [entry for entry in EVERYTHING if isinstance(entry, Exercise)]


def flat(text):
    return re.sub(r"\s+", " ", text).strip()


def said(function, *args):
    """What a call prints, in one line."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        function(*args)
    return flat(out.getvalue())


def by_id(entry):
    return entry.id
