"""Whole laws against the sampler and against a much finer computation, with seconds and estimates.

The distance times sqrt(networks) is about 2 at most where nothing but sampling noise is left: each
of 10 layers exceeds 2.0 with probability 0.0007 and 2.5 with 8e-6. ``--networks 1`` runs the table
with a tenth of the networks; ``--networks 0`` gives times and errors alone. Seconds are those of
one processor, which other processes do not lengthen; set OPENBLAS_NUM_THREADS=1 beside them.
"""

import argparse
import math
import statistics
import time

import numpy as np

from lengthlab.activations import Activation, Array, activation
from lengthlab.finite_width import LengthLaw, UnresolvedError, length_law
from lengthlab.finite_width.chain import Chain
from lengthlab.finite_width.kernel import Kernel, Resolution
from lengthlab.finite_width.lengths import Table
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network

ACTIVATIONS = (
    "tanh", "relu", "elu", "gelu", "silu", "square", "heaviside", "step(x - 1)", "hardtanh", "sin",
)  # fmt: skip
FINER = Resolution(spacing=0.3, order=16, band=32.0, damping=15.0)
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


def phi(name: str) -> Activation:
    """Activation of the table."""
    if name == "step(x - 1)":
        return Activation(lambda x: (x > 1) * 1.0, name=name, kinks=(1.0,), degree=0, growth=0.0)
    return activation(name)


def true_error(law: LengthLaw) -> Array:
    """Distance of every layer to a computation with every parameter finer, also between nodes.

    The finer one is itself off by up to exp(-15) = 3e-7 a layer, what its damping leaves of the
    mass beyond a window: at 50 layers that is 1.5e-5, more than some estimates.
    """
    chain, found = Chain(Kernel(law.net, law.width, FINER)), np.zeros(law.depth)
    for k, finer in enumerate(chain.laws(law.depth)[1:], start=1):
        table = Table(finer, chain.kernel)
        q = table.points()
        found[k] = float(np.abs(law.cdf(q, layer=k + 1) - table.cdf(q)).max(initial=0.0))
    return found


def row(net: Network, width: int, depth: int, networks: int) -> tuple[float, float, float, float]:
    """Print one line; return seconds, true error, its share of the estimate, scaled distance."""
    start = time.process_time()
    head = f"{net.activation.name:<12} {net.sigma_w:5.2f} {net.sigma_b:4.1f} {width:>7} "
    try:
        law = length_law(net, width=width, depth=depth)
    except UnresolvedError as refusal:
        print(head, refusal)
        return time.process_time() - start, 0.0, 0.0, 0.0
    seconds, scaled, excess = time.process_time() - start, 0.0, 0.0
    true = true_error(law)
    share = float((true / law.error).max())
    if networks:
        q = sample_lengths(net, width=width, depth=depth, trials=networks, rng=width)
        raw = np.array([distance(law, q[:, k], k + 1) for k in range(depth)])
        scaled = float(raw.max()) * math.sqrt(networks)
        excess = float((raw - law.error).max()) * math.sqrt(networks)
    print(
        f"{head}{seconds:8.3f} {law.error.max():9.1e} {true.max():9.1e} {share:6.2f} "
        f"{scaled:8.2f} {excess:8.2f} {networks:>9}",
        flush=True,
    )
    return seconds, float(true.max()), share, scaled


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
    print(
        "phi       sigma_w, sigma_b   width  seconds  estimate  true error, share  distance, - est."
    )
    rows = [
        row(
            Network(phi(name), sigma_w=sigma_w, sigma_b=sigma_b),
            width,
            options.depth,
            int(NETWORKS.get(width, 2000) * options.networks / 10),
        )
        for width in options.widths
        for name in options.activations
        for sigma_w, sigma_b in SCALES
    ]
    seconds, true, share, scaled = zip(*rows, strict=True)
    print(f"{len(rows)} laws: median {statistics.median(seconds):.3f} s, most {max(seconds):.3f} s")
    print(f"largest true error {max(true):.1e}, at most {max(share):.2f} of its estimate")
    print(f"largest distance x sqrt(networks): {max(scaled):.2f}")


if __name__ == "__main__":
    main()
