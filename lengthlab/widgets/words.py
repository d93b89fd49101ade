"""Parameters and numbers in words, for widgets and stored notebooks."""

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

from lengthlab.activations import Activation, common, special
from lengthlab.convergence import Experiment


def caption(values: dict[str, Any], counts: Sequence[str] = ("width", "depth", "seed")) -> str:
    """Say the parameters in one line; those that most readers leave alone, only if changed.

    Of width, depth and seed those in `counts`: a view names what its picture depends on.
    """
    parts = [named(values["activation"])]
    parts += [f"{name} {values[name]:.4g}" for name in ("sigma_w", "sigma_b")]
    parts += [f"{name} {values[name]}" for name in counts if name != "seed"]
    for name in ("input_length", "keep_probability"):
        if values[name] != 1:
            parts.append(f"{name} {values[name]:.4g}")
    return ", ".join([*parts, *(["seed {seed}".format_map(values)] if "seed" in counts else [])])


def named(phi: Activation) -> str:
    """Name phi with all its parameters, also those that nobody gave.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> named(activation("power")), named(activation("exp_power", p=1.2)), named(activation("tanh"))
    ('power(exponent=-0.45)', 'exp_power(p=1.2, c=1)', 'tanh')
    """
    build = {**vars(common), **vars(special)}.get(phi.name)
    if phi.into is None or not inspect.isfunction(build):  # not of the catalogue
        return phi.label
    known = {name: p.default for name, p in inspect.signature(build).parameters.items()}
    known |= dict(phi.parameters)
    inside = ", ".join(f"{name}={value:g}" for name, value in known.items())
    return f"{phi.name}({inside})" if inside else phi.name


def in_words(pairs: Iterable[tuple[str, str]]) -> str:
    """Say labels and values in one line."""
    return ", ".join(f"{label} {value}" for label, value in pairs)


def readout(experiment: Experiment, layer: int, *, patience: float = 0.0) -> list[tuple[str, str]]:
    """One layer's numbers as pairs of label and value, at most four significant digits."""
    s = experiment.summary(layer, patience=patience)
    pairs = [("layer", str(layer)), ("predicted", number(s.predicted))]
    if s.drawn:
        pairs += [
            ("median", number(s.median)),
            ("90 % range", f"{number(s.low)} to {number(s.high)}"),
        ]
    if s.infinite:
        pairs.append(("infinite", str(s.infinite)))
    if s.zero:
        pairs.append(("zero", str(s.zero)))
    return [*pairs, ("networks drawn", str(experiment.drawn))]


def describe_layer(experiment: Experiment, layer: int) -> str:
    """Say one layer's numbers in one line."""
    return in_words(readout(experiment, layer))


def number(x: float) -> str:
    """At most four significant digits; infinity in a sign."""
    return f"{x:.4g}" if abs(x) < float("inf") else "∞"


def formula_note(phi: Activation) -> list[str]:
    """Say phi's formula, if it is known."""
    return [f"phi(x) = {phi.formula}"] if phi.formula else []


def unseen(phi: Activation) -> list[str]:
    """Say what no simulation can see of phi.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> print(*unseen(activation("dirichlet")), *unseen(activation("tanh")))  # doctest: +ELLIPSIS
    No simulation can see this phi: every float is rational, so networks of floats have phi = 1...
    """
    if phi.into is None or phi.name != "dirichlet":  # others of that name are not the catalogue's
        return []
    return [
        "No simulation can see this phi: every float is rational, so networks of floats have "
        "phi = 1. A node of variance above 0 is irrational with probability 1, so the length map "
        "has phi = 0."
    ]


def notes(experiment: Experiment, *, band: bool) -> list[str]:
    """Say what the picture does not: where the map or the band ends, and why.

    Of the band only if the picture shows one.
    """
    prediction, found = experiment.prediction, []
    if prediction.first_infinite:
        found.append(f"The length map is infinite from layer {prediction.first_infinite} on.")
    if prediction.first_overflow:
        found.append(f"The length map leaves the floats at layer {prediction.first_overflow}.")
    if band and experiment.why_no_band:
        first = len(experiment.band.lower) + 1
        found.append(f"No band from layer {first} on: {experiment.why_no_band}.")
    return found
