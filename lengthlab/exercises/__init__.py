"""Predict, check, hint and solution: what the lessons ask, and what they answer.

An exercise is one entry in one file, ``lesson_NN.py``. Nothing here needs a widget: every answer
is printed, with at most four significant digits, so a stored notebook reads as a live one does.
"""

from lengthlab.exercises.desk import check, hint, predict, progress, reveal, solution
from lengthlab.exercises.picture import show

__all__ = ["check", "hint", "predict", "progress", "reveal", "show", "solution"]
