"""Lesson 0: one guess and one question, to see how it goes."""

from lengthlab.exercises.kinds import Choice, Solution, Wrong
from lengthlab.exercises.predictions import RATIO, Prediction

ENTRIES = (
    Prediction(
        id="0.1",
        title="sd of q_1 at width 64, divided by sd of q_1 at width 10,000",
        quantity=RATIO,
    ),
    Choice(
        id="0.2",
        title="What does convergence in probability say?",
        right="b",
        wrong=(
            Wrong(
                "a",
                "a wider network is a new draw: it may well lie further from the map. What "
                "shrinks with N is the probability of that.",
            ),
            Wrong(
                "c",
                "that is a statement about means. Convergence in probability says nothing of "
                "them: a few networks with huge lengths can spoil a mean.",
            ),
            Wrong(
                "d",
                "not every network: at width 10,000 a network far from the map is unlikely, and "
                "not impossible.",
            ),
        ),
        hints=(
            "Which words of the sentence are about chance?",
            "Fix a distance first, then ask how likely it is to be exceeded.",
        ),
        solution=Solution(
            'answer = "b"',
            "First a distance is fixed, then the probability of exceeding it goes to 0 with N.",
        ),
        then="In the picture of the two widths: what would you fix as the distance, and where do "
        "you see the probability fall?",
    ),
)
