"""``lengthlab assess``: the three assumptions on phi, decided with reasons."""

import argparse
import json
import math
import textwrap
from dataclasses import asdict
from typing import Any

from lengthlab.assumptions import Assessment, Evidence, assess
from lengthlab.cli.arguments import add_activation, read_activation
from lengthlab.passport import ASSUMPTIONS, finite

WIDTH = 88
QUESTIONS = {
    "bounded": "(a) bounded on every finite interval",
    "growth": "(b) grows slower than exp(eps x^2), for every eps > 0",
    "measurable": "(c) measurable",
}
ANSWERS = {True: "yes", False: "no", None: "not decided"}
VERDICTS = {
    True: "phi is permissible: the length process converges to the length map "
    "(Long & Sedghi 2019).",
    False: "phi is not permissible: the theorem does not say whether the length process converges.",
    None: "Whether phi is permissible was not decided.",
}


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "assess",
        help="the three assumptions on phi, with reasons",
        description="Decide the three assumptions on phi under which the length process converges.",
        allow_abbrev=False,
    )
    add_activation(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of sentences")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    phi = read_activation(arguments)
    assessment = assess(phi)
    if arguments.json:
        answer = {"activation": phi.label, "permissible": assessment.permissible}
        print(json.dumps(finite({**answer, **asdict(assessment)}), indent=1, allow_nan=False))
    else:
        print("\n".join([f"phi(x) = {phi.formula or phi.label}", *verdicts(assessment)]))
    return 0


def verdicts(assessment: Assessment) -> list[str]:
    """Say the three verdicts and what follows, in lines."""
    lines = []
    for name in ASSUMPTIONS:
        assumption = getattr(assessment, name)
        lines += [f"{QUESTIONS[name]}: {ANSWERS[assumption.holds]}", *indented(assumption.reason)]
        lines += _numbers(assumption.evidence)
    lines += textwrap.wrap(VERDICTS[assessment.permissible], WIDTH)
    if not assessment.certain:
        lines.append("This rests on probing a Python function at finitely many points.")
    return lines


def _numbers(evidence: tuple[Evidence, ...]) -> list[str]:
    """One line for each number; one for two limits that agree."""
    lines: dict[str, list[str]] = {}  # with the sides
    for item in evidence:
        quantity, _, side = item.quantity.partition(" from the ")
        # A distance of 1e-8 from a pole is to be seen.
        where = f" at x = {item.x:.12g}" if math.isfinite(item.x) else ""
        sides = lines.setdefault(f"      {quantity}{{}} = {item.value:.6g}{where}", [])
        sides += [side] if side else []
    return [
        line.format(f" from the {sides[0]}" if len(sides) == 1 else "")
        for line, sides in lines.items()
    ]


def indented(text: str) -> list[str]:
    """Wrap a sentence under its heading."""
    return textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")
