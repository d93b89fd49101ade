"""Whole laws against the sampler: seconds, error estimate, and the largest distance of any layer.

The distance times sqrt(networks) is about 2 at most where nothing but sampling noise is left: each
of 10 layers exceeds 2.0 with probability 0.0007 and 2.5 with 8e-6. ``--networks 1`` runs the table
with a tenth of the networks; ``--networks 0`` gives times and estimates alone.
"""

import argparse
import math
import statistics
import time

import numpy as np

from lengthlab.activations import Array
from lengthlab.finite_width import LengthLaw, UnresolvedError, length_law
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network

ACTIVATIONS = (
    "tanh", "relu", "elu", "gelu", "silu", "square", "heaviside", "hardtanh", "sin",
)  # fmt: skip
SCALES = ((1.5, 0.3), (1.0, 0.0), (1.7, 0.4), (math.sqrt(2), 0.0), (0.8, 0.1))
NETWORKS = {2: 10**6, 5: 10**6, 11: 10**6, 20: 10**6, 100: 10**6, 1000: 10**5, 10**5: 2000}


def distance(law: LengthLaw, sample: Array, layer: int) -> float:
    """Largest distance between the law and a sample of one layer's lengths."""
    seen = np.clip(sample, 1e-250, 1e250)  # beyond, the law does not tell lengths apart
    points, counts = np.unique(seen, return_counts=True)
    upper = np.cumsum(counts) / len(sample)
    at = law.cdf(points, layer=layer)
    at[points == 1e250] = 1.0
    before = np.where(points > 1e-250, law.cdf(points * (1 - 1e-9), layer=layer), 0.0)
    return float(max(np.abs(at - upper).max(), np.abs(before - upper + counts / len(sample)).max()))


def row(net: Network, width: int, depth: int, networks: int) -> tuple[float, float]:
    """Print one line; return the seconds and the distance in units of the sampling noise."""
    start = time.perf_counter()
    try:
        law = length_law(net, width=width, depth=depth)
    except UnresolvedError as refusal:
        print(
            f"{net.activation.name:<10} {net.sigma_w:5.2f} {net.sigma_b:4.1f} {width:>7} {refusal}"
        )
        return time.perf_counter() - start, 0.0
    seconds, scaled, excess = time.perf_counter() - start, 0.0, 0.0
    if networks:
        q = sample_lengths(net, width=width, depth=depth, trials=networks, rng=width)
        raw = np.array([distance(law, q[:, k], k + 1) for k in range(depth)])
        scaled = float(raw.max()) * math.sqrt(networks)
        excess = float((raw - law.error).max()) * math.sqrt(networks)
    print(
        f"{net.activation.name:<10} {net.sigma_w:5.2f} {net.sigma_b:4.1f} {width:>7} "
        f"{seconds:8.3f} {law.error.max():9.1e} {scaled:8.2f} {excess:8.2f} {networks:>9}",
        flush=True,
    )
    return seconds, scaled


def main() -> None:
    """Run the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=float, default=10, help="in tenths of the full number")
    parser.add_argument("--depth", type=int, default=10)
    parser.add_argument("--widths", type=int, nargs="*", default=list(NETWORKS))
    parser.add_argument("--activations", nargs="*", default=list(ACTIVATIONS))
    options = parser.parse_args()
    length_law(Network("tanh"), width=10, depth=2)  # what the first call imports is not counted
    print(f"{options.depth} layers")
    print("activation sigma_w, sigma_b  width  seconds  estimate distance  - error  networks")
    rows = [
        row(
            Network(name, sigma_w=sigma_w, sigma_b=sigma_b),
            width,
            options.depth,
            int(NETWORKS.get(width, 2000) * options.networks / 10),
        )
        for width in options.widths
        for name in options.activations
        for sigma_w, sigma_b in SCALES
    ]
    seconds = [time_ for time_, _ in rows]
    print(f"{len(rows)} laws: median {statistics.median(seconds):.3f} s, most {max(seconds):.3f} s")
    print(f"largest distance x sqrt(networks): {max(found for _, found in rows):.2f}")


if __name__ == "__main__":
    main()
