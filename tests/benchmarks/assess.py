"""Time of an assessment for the formulas of the reference, beside parsing and typing them."""

import json
import statistics
import time
from pathlib import Path

from lengthlab.assumptions import assess
from lengthlab.formula import formula

REPETITIONS = 3
TRUTH: dict[str, bool] = {
    entry["formula"]: entry["permissible"]
    for entry in json.loads(
        (Path(__file__).parents[1] / "reference" / "permissibility.json").read_text("utf-8")
    )
}


def once(text: str) -> tuple[float, float]:
    """Seconds to make the activation, and to assess it."""
    start = time.perf_counter()
    phi = formula(text)
    made = time.perf_counter()
    assess(phi)
    return made - start, time.perf_counter() - made


def judged(text: str) -> str:
    """Whether the verdict on a formula is right."""
    answer = assess(formula(text)).permissible
    return "undecided" if answer is None else "right" if answer == TRUTH[text] else "wrong"


if __name__ == "__main__":
    assess("tanh")  # loads mpmath
    rows = []
    verdicts = {text: judged(text) for text in TRUTH}
    for text in TRUTH:
        times = [once(text) for _ in range(REPETITIONS)]
        made, assessed = (statistics.median(column) for column in zip(*times, strict=True))
        rows.append((assessed, made, text))
    rows.sort(reverse=True)
    print(f"{len(rows)} formulas, median of {REPETITIONS} repetitions each")
    for word in ("right", "wrong", "undecided"):
        print(f"{word}: {sum(verdict == word for verdict in verdicts.values())}")
    print(f"assess: median {1e3 * statistics.median(r[0] for r in rows):.1f} ms")
    print(f"formula: median {1e3 * statistics.median(r[1] for r in rows):.1f} ms")
    print(f"{'assess, ms':>10} {'ratio':>7}  the slowest ten")
    for assessed, made, text in rows[:10]:
        print(f"{1e3 * assessed:>10.1f} {assessed / made:>7.1f}  {text}")
    print(
        "undecided:", *(text for text, word in verdicts.items() if word == "undecided"), sep="\n  "
    )
