"""What the benchmark of live figures shows: numpy and matplotlib only."""

from __future__ import annotations

import time

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from lengthlab.live import LiveFigure

DEPTH, BINS, NETWORKS, WIDTH, TOP = 10, 60, 64, 100, 2.4
EDGES = np.linspace(0, TOP, BINS + 1)
LAYERS = np.arange(1, DEPTH + 1)


class Chain:
    """Lengths of tanh networks, collected in one histogram a layer."""

    def __init__(self, sigma_w: float) -> None:
        self.generation = 0
        self.rng = np.random.default_rng(0)
        self.start(sigma_w)

    def start(self, sigma_w: float) -> None:
        """Forget everything and sample with another parameter."""
        self.sigma_w = sigma_w
        self.generation += 1
        self.counts = np.zeros((DEPTH, BINS))
        self.sums, self.networks = np.zeros((2, DEPTH)), 0

    def advance(self, seconds: float) -> None:
        """Sample for that long."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            lengths = np.ones(NETWORKS)
            for layer in range(DEPTH):
                nodes = np.sqrt(lengths)[:, None] * self.rng.standard_normal((NETWORKS, WIDTH))
                lengths = self.sigma_w**2 * (np.tanh(nodes) ** 2).mean(axis=1)
                self.counts[layer] += np.histogram(lengths, EDGES)[0]
                self.sums[:, layer] += lengths.sum(), (lengths**2).sum()
            self.networks += NETWORKS


class Panels:
    """Ten panels with a histogram and a curve each, and one with a curve, a band and dots."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.figure = Figure(figsize=(9, 5.4), layout="constrained")
        names = [[f"layer {1 + k + 5 * row}" for k in range(5)] for row in range(2)]
        panels = self.figure.subplot_mosaic([*names, ["lengths"] * 5])
        last = panels.pop("lengths")
        self.histograms, self.curves = [], []
        for title, axes in panels.items():
            axes.set(xlim=(0, TOP), ylim=(0, 8), title=title)
            self.histograms.append(axes.stairs(np.zeros(BINS), EDGES, fill=True, alpha=0.6))
            self.curves += axes.plot([], [], color="black", linewidth=1.2)
        last.set(xlim=(0.5, DEPTH + 0.5), ylim=(0, TOP), xlabel="layer", ylabel="length")
        self.band = last.fill_between(LAYERS, 0 * LAYERS, 1, alpha=0.3, linewidth=0, label="spread")
        (self.mean,) = last.plot(LAYERS, 0 * LAYERS, "o-", label="mean")
        last.legend()
        self.moving = [*self.histograms, *self.curves, self.band, self.mean]

    def update(self) -> None:
        """Show what the chain has."""
        chain = self.chain
        count = max(chain.networks, 1)
        mean = chain.sums[0] / count
        spread = np.sqrt(np.maximum(chain.sums[1] / count - mean**2, 1e-6))
        grid = np.linspace(0, TOP, 120)
        density = chain.counts / count * BINS / TOP
        for layer in range(DEPTH):
            self.histograms[layer].set_data(density[layer])
            bell = np.exp(-(((grid - mean[layer]) / spread[layer]) ** 2) / 2)
            self.curves[layer].set_data(grid, bell / spread[layer] / np.sqrt(2 * np.pi))
        self.band.set_data(LAYERS, mean - spread, mean + spread)
        self.mean.set_data(LAYERS, mean)


def make_demo() -> ipywidgets.VBox:
    """Eleven panels under a slider."""
    chain = Chain(1.5)
    panels = Panels(chain)
    live = LiveFigure(
        panels.figure,
        panels.moving,
        advance=chain.advance,
        update=panels.update,
        generation=lambda: chain.generation,
        readout=lambda: [("networks", f"{chain.networks}")],
        running=True,
    )
    slider = ipywidgets.FloatSlider(value=1.5, min=0.5, max=2.5, step=0.02)

    def change(event: dict[str, float]) -> None:
        chain.start(event["new"])
        live.refresh()

    slider.observe(change, "value")
    return ipywidgets.VBox([slider, live])


def make_small() -> LiveFigure:
    """One panel with one line."""
    figure = Figure(figsize=(4, 2))
    (line,) = figure.subplots().plot([0, 1], [0, 1])
    return LiveFigure(figure, [line], running=True)
