"""The passport's picture: phi, its length map, and the lengths that common scales lead to."""

import math
from pathlib import Path as FilePath

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lengthlab.activations import Array
from lengthlab.drawing.parts import BAND, BAR, CURVE, INK
from lengthlab.gaussian import mean_square
from lengthlab.length_map import length_map
from lengthlab.network import Network
from lengthlab.passport import Passport

_LAYERS = 50
_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_COLOURS = (CURVE, BAR, "#009e73", "#56b4e9", "#cc79a7")


def draw_passport(passport: Passport) -> Figure:
    """Draw three panels: phi, the map V(q) at unit scale, the lengths of the common scales.

    Parameters
    ----------
    passport : Passport

    Returns
    -------
    Figure
        Made without pyplot.
    """
    figure = Figure(figsize=(11, 3.9), layout="constrained")
    phi, verdict = passport.activation, passport.assessment.permissible
    words = {True: "permissible", False: "not permissible", None: "not decided"}[verdict]
    figure.suptitle(f"{phi.label}: {words}", color=INK, fontsize=11)
    left, middle, right = figure.subplots(1, 3)
    _draw_phi(left, passport)
    _draw_map(middle, passport)
    _draw_lengths(right, passport)
    for axes in (left, middle, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def save_passport(path: str | FilePath, passport: Passport) -> None:
    """Write the passport's picture to a file; its suffix chooses the format (png, svg, pdf)."""
    draw_passport(passport).savefig(path, dpi=150)


def _draw_phi(axes: Axes, passport: Passport) -> None:
    """Phi over four standard deviations, with the normal density behind it."""
    phi = passport.activation
    # Of even number and without 0: the points straddle most kinks and poles.
    x = np.linspace(-4, 4, 1600)
    y = phi(x)
    y[~np.isfinite(y)] = np.nan
    breaks = np.array([*phi.kinks, *(pole.location for pole in phi.poles)])
    inside = np.searchsorted(x, breaks[np.abs(breaks) < 4])
    size = _size(y)
    jumps = [k for k in inside if abs(y[k] - y[k - 1]) > 0.02 * size]
    axes.plot(np.insert(x, jumps, np.nan), np.insert(y, jumps, np.nan), color=CURVE)
    axes.set_ylim(max(np.nanmin(y, initial=0), -size) - size / 20, _top(y, size))
    low, high = axes.get_ylim()
    foot = max(low, 0.0)
    axes.fill_between(x, foot, foot + (high - foot) * np.exp(-x * x / 2), color=BAND, zorder=0)
    axes.set(xlabel="x", title="phi, and the standard normal density")


def _size(y: Array) -> float:
    """Size of what to show: a pole does not set the limits."""
    sizes = np.abs(y[np.isfinite(y)])
    return float(np.quantile(sizes, 0.97) * 1.3) if len(sizes) and sizes.max() > 0 else 1.0


def _top(y: Array, size: float) -> float:
    return float(min(np.nanmax(y, initial=0), size) + size / 20)


def _draw_map(axes: Axes, passport: Passport) -> None:
    """V(q) at unit scale beside the diagonal, with its fixed points."""
    axes.set(xlabel="q", ylabel="V(q)", title="length map, at unit scale")
    if passport.unit_scale is None:
        axes.text(0.5, 0.5, "No sigma_w keeps\na length of 1.", ha="center", va="center")
        axes.set(xticks=[], yticks=[])
        return
    net = Network(passport.activation, sigma_w=passport.unit_scale)
    q = np.linspace(0, 2.5, 101)
    v = np.array([net.gain * mean_square(net.activation, x).estimate.value for x in q])
    v[~np.isfinite(v)] = np.nan
    axes.plot(q, q, color=INK, linewidth=0.8)
    axes.plot(q, v, color=CURVE)
    fixed = passport.fixed_points
    for point in fixed or ():
        if point.q <= q[-1] and fixed is not None and not fixed.every_q:
            fill = CURVE if point.stable else "white"
            axes.plot(point.q, point.q, "o", markerfacecolor=fill, markeredgecolor=CURVE)
    axes.set(xlim=(0, 2.5), ylim=(0, 2.5), aspect="equal")


def _draw_lengths(axes: Axes, passport: Passport) -> None:
    """Draw the length map down the layers, once for scales that are the same."""
    drawn: dict[float, list[str]] = {}
    for scale in passport.scales:
        drawn.setdefault(round(scale.sigma_w, 9), []).append(scale.gain.name)
    layers = np.arange(1, _LAYERS + 1)
    shown = []
    for k, (sigma_w, names) in enumerate(drawn.items()):
        prediction = length_map(Network(passport.activation, sigma_w=sigma_w), depth=_LAYERS)
        values, label = prediction.values, f"{', '.join(names)}: {sigma_w:.4g}"
        if prediction.first_infinite:
            label += f", infinite from layer {prediction.first_infinite}"
        seen = np.isfinite(values) & (values > 0)
        (line,) = axes.plot(layers[seen], values[seen], color=_COLOURS[k % 5])
        line.set(linestyle=_LINES[k % 5], label=label, marker="o" if seen.sum() == 1 else "")
        shown.append(values[seen])
    ends = np.concatenate(shown) if shown else np.ones(1)
    if len(ends) and math.log10(ends.max()) - math.log10(ends.min()) > 1.5:
        axes.set_yscale("log")
        axes.set_ylim(max(ends.min() / 2, 1e-8), min(2 * ends.max(), 1e8))
    else:
        axes.set_ylim(0, 1.1 * float(ends.max(initial=1.0)))
    axes.set(xlabel="layer", title="predicted length, by sigma_w", xlim=(0, _LAYERS))
    axes.legend(frameon=False, fontsize=8)
