"""``lengthlab passport``: everything the package knows of one activation, on one page."""

import argparse
import json
import math
from typing import Any

from lengthlab.cli.arguments import (
    add_activation,
    add_plot,
    check_plot,
    read_activation,
)
from lengthlab.cli.assess import indented, verdicts
from lengthlab.gains import LAYERS
from lengthlab.gaussian import Estimate
from lengthlab.passport import Passport, passport


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "passport",
        help="everything known of one activation, on one page",
        description="Print what is known of an activation: the three assumptions, its moments, "
        "the sigma_w to choose, and what becomes of networks with the scales in common use.",
        epilog="--json prints one object; what is infinite or unknown is null.",
        allow_abbrev=False,
    )
    add_activation(parser)
    add_plot(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the page")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.plot is not None:
        check_plot(arguments.plot)
    known = passport(read_activation(arguments))
    if arguments.json:
        print(json.dumps(known.as_dict(), indent=1, allow_nan=False))
    else:
        print("\n".join(_page(known)))
    if arguments.plot is not None:
        from lengthlab.drawing import save_passport  # matplotlib: only where a picture is wanted

        save_passport(arguments.plot, known)
    return 0


def _page(known: Passport) -> list[str]:
    phi = known.activation
    title = f"{phi.label}: phi(x) = {phi.formula}" if phi.formula != phi.label else phi.label
    return [
        title,
        "=" * len(title),
        *verdicts(known.assessment),
        "",
        *_moments(known),
        "",
        *_choice(known),
        "",
        *_scales(known),
    ]


def _moments(known: Passport) -> list[str]:
    critical = known.assessment.critical_variance
    if critical == math.inf:
        sentence = "E phi(sqrt(q) Z)^2 is finite for every variance q."
    elif critical == 0:
        sentence = "E phi(sqrt(q) Z)^2 is infinite for every variance q > 0."
    elif critical is None:
        sentence = "For which variances q E phi(sqrt(q) Z)^2 is finite was not decided."
    else:
        sentence = f"E phi(sqrt(q) Z)^2 is finite below the variance q = {critical:.6g} only."
    return [
        f"E phi(Z)^2 = {_value(known.mean_square)}, E phi(Z)^4 = {_value(known.mean_fourth)} "
        "for a standard normal Z",
        sentence,
    ]


def _choice(known: Passport) -> list[str]:
    if known.unit_scale is None or known.slope is None or known.chi is None:
        return ["No sigma_w keeps a length of 1."]
    lines = [
        f"sigma_w = {known.unit_scale:.6g} (sigma_b = 0) keeps a length of 1; there "
        f"V'(1) = {_value(known.slope)} and chi = {_value(known.chi)}",
    ]
    fixed = known.fixed_points
    if fixed is not None and fixed.every_q:
        return [*lines, "Every length is kept at that sigma_w."]
    kinds = {True: "stable", False: "unstable", None: "neutral, or not decided"}
    for point in fixed or ():
        lines.append(
            f"  fixed point q = {point.q:.6g}: slope {_number(point.slope)}, "
            f"chi {_number(point.chi)}, {kinds[point.stable]}"
        )
    return lines


def _scales(known: Passport) -> list[str]:
    head = ["scale", "sigma_w", "V(1)", *(f"layer {layer}" for layer in LAYERS), "limit", "lengths"]
    rows = [head]
    for scale in known.scales:
        gain = scale.gain
        numbers = [gain.sigma_w, gain.image, *gain.lengths, gain.limit]
        rows.append([gain.name, *map(_number, numbers), scale.outcome.kind])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [
        "  ".join(
            cell.ljust(width) if k in (0, len(row) - 1) else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    reasons: dict[str, list[str]] = {}
    for scale in known.scales:
        reasons.setdefault(scale.outcome.reason, []).append(scale.gain.name)
    notes = []
    for reason, names in reasons.items():
        notes += [f"{', '.join(names)}:", *indented(reason)]
    return ["Lengths along the layers, without biases, for an input in {-1, 1}^N:", *table, *notes]


def _value(estimate: Estimate) -> str:
    return _number(estimate.value)


def _number(x: float) -> str:
    return f"{x:.5g}" if math.isfinite(x) else "infinite"
