"""``lengthlab compare``: sampled lengths beside the length map, in a table."""

import argparse
import json
import math
import sys
from typing import Any

import numpy as np
from tqdm import tqdm

from lengthlab.checks import check_count
from lengthlab.cli.arguments import (
    CommandError,
    add_activation,
    add_plot,
    check_plot,
    count,
    read_activation,
    real,
)
from lengthlab.convergence import Experiment
from lengthlab.length_process import LengthProcess
from lengthlab.network import Network

MOST_LENGTHS = 2**27  # trials x depth that are kept: 1 GiB
DEEPEST = 10_000  # the length map, before any network, takes a millisecond a layer
TICK = 0.1  # seconds between two looks at the progress bar

JSON_KEYS = """\
--json prints one object. `predicted`, `sampled_mean` and their errors are null where they are not
finite: the prediction from layer `first_infinite` on (an infinite length) or `first_overflow` on
(finite, beyond every float), the sampled ones where `infinite_trials`, the number of networks that
left the floats at that layer, is not 0; `standard_error` also for a single network, or where it
overflows.
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    compare = commands.add_parser(
        "compare",
        help="sampled lengths beside the length map, as a table",
        description="Sample random networks and print their mean lengths beside the length map.",
        epilog=JSON_KEYS,
        allow_abbrev=False,
    )
    add = compare.add_argument
    add_activation(compare)
    a_real: dict[str, Any] = {"type": real, "metavar": "X"}
    a_count: dict[str, Any] = {"type": count, "metavar": "N"}
    add("--sigma-w", default=1.0, **a_real, help="sd of the weights times sqrt(N) (%(default)g)")
    add("--sigma-b", default=0.0, **a_real, help="sd of the biases (%(default)g)")
    add("--keep-probability", default=1.0, **a_real, help="of dropout (%(default)g: none)")
    add("--input-length", default=1.0, **a_real, help="|x_0|^2 / N (%(default)g)")
    add("--width", default=1000, **a_count, help="units a layer (%(default)d)")
    add("--depth", default=10, **a_count, help="layers (%(default)d)")
    add("--trials", default=200, **a_count, help="networks (%(default)d)")
    add("--seed", default=0, **a_count, help="the same seed gives the same table (%(default)d)")
    add_plot(compare)
    add("--json", action="store_true", help="print JSON instead of the table")
    compare.set_defaults(run=_run_compare)


def _run_compare(arguments: argparse.Namespace) -> int:
    if arguments.plot is not None:
        check_plot(arguments.plot)
    net = Network(
        read_activation(arguments),
        sigma_w=arguments.sigma_w,
        sigma_b=arguments.sigma_b,
        keep_probability=arguments.keep_probability,
        input_length=arguments.input_length,
    )
    trials = check_count("trials", arguments.trials)
    check_count("seed", arguments.seed, minimum=0)
    depth = check_count("depth", arguments.depth, maximum=DEEPEST)
    if trials * depth > MOST_LENGTHS:
        msg = f"trials times depth must be at most {MOST_LENGTHS}, got {trials * depth}"
        raise CommandError(msg)
    experiment = Experiment(net, width=arguments.width, depth=depth)
    _sample(experiment, trials, arguments.seed)
    print(_json(experiment, arguments) if arguments.json else _table(experiment, arguments.seed))
    if arguments.plot is not None:
        from lengthlab.drawing import save_lab  # matplotlib: only where a picture is wanted

        save_lab(arguments.plot, experiment, caption=_title(experiment, arguments.seed))
    return 0


def _sample(experiment: Experiment, trials: int, seed: int) -> None:
    """Add the networks of `sample_lengths`, with a progress bar on a terminal after one second."""
    process = LengthProcess(
        experiment.net, width=experiment.width, depth=experiment.depth, rng=seed
    )
    options: dict[str, Any] = {"delay": 1, "mininterval": 0.5, "miniters": 0, "leave": False}
    # `disable=None`: only where stderr is a terminal.
    with tqdm(total=trials, unit=" networks", file=sys.stderr, disable=None, **options) as bar:
        while experiment.drawn < trials:
            lengths = process.advance(TICK, trials=trials - experiment.drawn)
            experiment.add(lengths)
            bar.update(len(lengths))


def _title(experiment: Experiment, seed: int) -> str:
    net = experiment.net
    more = "".join(
        f", {name} = {value:g}"
        for name, value in [
            ("keep_probability", net.keep_probability),
            ("input_length", net.input_length),
        ]
        if value != 1
    )
    return (
        f"{net.activation.name}, sigma_w = {net.sigma_w:g}, sigma_b = {net.sigma_b:g}{more}: "
        f"{experiment.drawn} networks of width {experiment.width}, seed {seed}"
    )


def _table(experiment: Experiment, seed: int) -> str:
    layers = [experiment.summary(layer) for layer in range(1, experiment.depth + 1)]
    lengths = _column([row.predicted for row in layers] + [row.mean for row in layers], digits=6)
    first = experiment.prediction.first_overflow
    if first is not None:
        lengths[first - 1 : len(layers)] = ["overflow"] * (len(layers) + 1 - first)
    errors = _column([row.standard_error for row in layers], digits=4, inf="-")
    columns = [
        ["layer", *(str(row.layer) for row in layers)],
        ["predicted", *lengths[: len(layers)]],
        ["sampled mean", *lengths[len(layers) :]],
        ["standard error", *errors],
    ]
    for column in columns:
        width = max(map(len, column))
        column[:] = [cell.rjust(width) for cell in column]
    return "\n".join(
        [_title(experiment, seed), *("  ".join(row) for row in zip(*columns, strict=True))]
    )


def _column(values: list[float], *, digits: int, inf: str = "inf") -> list[str]:
    """Numbers under one another, with `digits` significant digits for the largest of them."""
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    form = f".{digits - 1}e"
    if not sizes or (max(sizes) <= 100 * min(sizes) and 1e-4 < max(sizes) < 10**digits):
        decimals = digits - 1 - math.floor(math.log10(max(sizes, default=1.0)))
        form = f".{max(decimals, 0)}f"
    return [format(value, form) if math.isfinite(value) else inf for value in values]


def _json(experiment: Experiment, arguments: argparse.Namespace) -> str:
    net, prediction = experiment.net, experiment.prediction
    layers = []
    for layer in range(1, experiment.depth + 1):
        numbers = experiment.summary(layer)
        median = float(np.median(experiment.lengths[:, layer - 1]))
        layers.append(
            {
                "layer": layer,
                "predicted": _finite(numbers.predicted),
                "error": _finite(float(prediction.errors[layer - 1])),
                "sampled_mean": _finite(numbers.mean),
                "standard_error": _finite(numbers.standard_error),
                "sampled_median": _finite(median),
                "infinite_trials": numbers.infinite,
            }
        )
    answer = {
        "activation": arguments.activation,
        "parameters": dict(arguments.parameter),
        "sigma_w": net.sigma_w,
        "sigma_b": net.sigma_b,
        "keep_probability": net.keep_probability,
        "input_length": net.input_length,
        "width": experiment.width,
        "depth": experiment.depth,
        "trials": experiment.drawn,
        "seed": arguments.seed,
        "first_infinite": prediction.first_infinite,
        "first_overflow": prediction.first_overflow,
        "layers": layers,
    }
    return json.dumps(answer, indent=1, allow_nan=False)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
