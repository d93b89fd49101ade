"""The desk: predictions, checks, hints, solutions and pictures, as a reader meets them."""

import ast
import contextlib
import io
import math

import numpy as np
import pytest
from asked import EVERYTHING, EXERCISES, by_id, said
from matplotlib.figure import Figure

from lengthlab.exercises import check, hint, predict, reveal, show, solution
from lengthlab.exercises.desk import forget
from lengthlab.exercises.predictions import Prediction


@pytest.fixture(autouse=True)
def _fresh_desk():
    forget()
    yield
    forget()


def test_predict_then_reveal():
    assert said(reveal, "1.1", 1.0).endswith("your prediction: no prediction yet result: 1")
    assert "no prediction yet" in said(predict, "1.1", ...)
    assert said(predict, "1.1", 0.3) == "1.1 noted: 0.3. Now run the next cell."
    assert said(reveal, "1.1", 1.00234).endswith("your prediction: 0.3 result: 1.002")
    assert "not noted" in said(predict, "1.1", "a third")
    assert "0.3" in said(reveal, "1.1", 1.0)
    said(predict, "1.1", ...)
    assert "no prediction yet" in said(reveal, "1.1", 1.0)


@pytest.mark.parametrize(
    ("id", "guess", "sentence"),
    [
        ("0.1", -2, "a ratio of standard deviations is a number, 0 or more; -2 is not."),
        ("2.1", -1.5, "a correlation is a number from -1 to 1; -1.5 is not."),
        ("3.1", -0.5, "a squared length is a number, 0 or more; -0.5 is not."),
        ("4.1", 1068.5, "a width is a whole number, 1 or more; 1,068.5 is not."),
        ("6.1", 0, "the number of a layer is a whole number, 1 or more; 0 is not."),
        ("8.1", 1e6, "a number from 0 to 15,790; 1,000,000 is not."),
        ("10.1", 90, "a share (50 % is 0.5) is a number from 0 to 1; 90 is not."),
        ("12.1", 1.0000001, "a correlation is a number from -1 to 1; 1.0000001 is not."),
        ("12.1", math.nan, "a finite number is wanted here, not nan."),
    ],
)
def test_a_guess_that_cannot_be_an_answer_is_not_recorded(id, guess, sentence):
    said(predict, id, 1)
    assert said(predict, id, guess).endswith(sentence)
    assert "your prediction: 1 " in said(reveal, id, 0.5)


PREDICTIONS = [entry for entry in EVERYTHING if isinstance(entry, Prediction)]


@pytest.mark.parametrize("prediction", PREDICTIONS, ids=by_id)
def test_every_prediction_takes_what_is_possible_and_nothing_else(prediction):
    low, high = prediction.quantity.low, prediction.quantity.high
    assert "noted: " in said(predict, prediction.id, np.float64(low))
    assert "not noted: " in said(predict, prediction.id, low - 1)
    if math.isfinite(high):
        assert said(predict, prediction.id, high).endswith("Now run the next cell.")
        assert "not noted: " in said(predict, prediction.id, high + 1)


def test_hints_go_in_steps_and_end_at_the_solution():
    steps = [said(hint, "1.3") for _ in range(4)]
    for k, step in enumerate(steps[:3]):
        assert step.startswith(f"1.3 hint {k + 1} of 3: ")
    assert 'solution("1.3")' in steps[3]


def test_check_prints_id_status_and_message():
    assert said(check, "1.3", ...).startswith("1.3 not attempted:")
    assert said(check, "1.3", "x") == "1.3 wrong kind: a number is wanted here, not text."
    assert said(check, "1.3", 0.4137).startswith("1.3 correct. ")
    assert "[ ]" in said(check, "1.7", "the density depends on the norm only")
    assert said(check, "1.2", "z").startswith("1.2 wrong kind: one letter")


def test_solution_prints_code_that_runs_and_words():
    text = said(solution, "2.3")
    assert "def answer(phi" in text
    assert "No weight matrix appears" in text
    for exercise in EXERCISES:
        ast.parse(exercise.solution.code)


def test_lines_fit_a_page():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for exercise in EXERCISES:
            for answer in (..., None, *(wrong.answer for wrong in exercise.wrong)):
                check(exercise.id, answer)
            solution(exercise.id)
            for _ in range(len(exercise.hints) + 1):
                hint(exercise.id)
    assert max(map(len, out.getvalue().splitlines())) <= 72


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: check("99.1", 0), "number of a lesson"),
        (lambda: check("one", 0), "number of a lesson"),
        (lambda: check("1.99", 0), "must be one of 1.a, 1.b"),
        (lambda: check("1.1", 0), 'use predict\\("1.1", guess\\)'),
        (lambda: predict("1.2", 0), 'use check\\("1.2", answer\\)'),
    ],
)
def test_an_unknown_id_names_the_known_ones(call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call()


# --- pictures -------------------------------------------------------------------------------------


def test_a_picture_carries_text_and_alternative():
    figure = Figure(figsize=(2, 1))
    figure.add_subplot().plot([0, 1])
    picture = show(figure, alt='A line "up" & away.', summary="slope 1")
    data, metadata = picture._repr_mimebundle_()
    assert data["text/plain"] == 'slope 1\n[picture: A line "up" & away.]'
    assert 'alt="A line &quot;up&quot; &amp; away."' in data["text/html"]
    assert data["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == 'A line "up" & away.'


def test_the_lines_of_a_summary_stay_lines_under_the_picture():
    data, _ = show(Figure(), alt="Nothing.", summary="a < b\nc = 2")._repr_mimebundle_()
    assert "<figcaption>a &lt; b<br>c = 2</figcaption>" in data["text/html"]
    assert data["text/plain"].startswith("a < b\nc = 2\n")
