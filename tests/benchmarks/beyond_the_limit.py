"""Cost of what lies beyond the length map: joint theory, two inputs, hidden nodes, Grams."""

import math
import statistics
import time
from collections.abc import Callable

import numpy as np

from lengthlab.convergence.first_order import box_probability, deviations
from lengthlab.correlation import correlation_map, gram_spectrum, product_mean, sample_gram
from lengthlab.hidden_nodes import sample_hidden_nodes
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network

REPETITIONS = 7
SHAPE = {"width": 1000, "depth": 10, "rng": 0}


def seconds(task: Callable[[], object]) -> float:
    """Median time of a task."""
    times = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def report(what: str, task: Callable[[], object], base: float | None = None) -> float:
    """One line: milliseconds, and the ratio to `base` if there is one."""
    taken = seconds(task)
    ratio = "" if base is None else f"{taken / base:>8.2f}"
    print(f"{what:<58} {1e3 * taken:>10.2f} {ratio}")
    return taken


def joint_theory(depth: int) -> None:
    """The forward recursion beside scipy's randomised rectangle."""
    from scipy.stats import multivariate_normal

    law = deviations(Network("tanh", sigma_w=1.5, sigma_b=0.3), depth=depth)
    reach = 2 * math.sqrt(law.variance.max())
    ours = report(f"box probability, depth {depth}", lambda: box_probability(law, reach))
    if depth <= 20:
        ends, scipys = np.full(depth, reach), multivariate_normal(cov=law.covariance())
        report("  scipy's multivariate normal", lambda: scipys.cdf(ends, lower_limit=-ends), ours)


if __name__ == "__main__":
    print(f"median of {REPETITIONS}; the last column is a ratio to the line that it belongs to")
    print(f"{'':<58} {'ms':>10} {'ratio':>8}")
    for layers in (6, 20, 100):
        joint_theory(layers)
    net = Network("tanh", sigma_w=1.5, sigma_b=0.3)
    for name in ("erf", "tanh", "hardtanh", "cbrt", "power"):
        phi = Network(name).activation
        report(f"E phi(U) phi(V), {name}", lambda phi=phi: product_mean(phi, 1.0, 1.0, 0.5))
    report("correlation map, tanh, 10 layers", lambda: correlation_map(net, depth=10, rho=0.5))
    angle = 2 * np.pi * np.arange(64) / 64
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    report("spectrum, relu, 64 points", lambda: gram_spectrum("relu", circle))
    report("spectrum, tanh, 64 points", lambda: gram_spectrum("tanh", circle))
    cloud = np.random.default_rng(0).standard_normal((8, 5))  # 36 entries, all different
    for name in ("tanh", "gelu", "exp"):
        report(
            f"gradient spectrum, {name}, 8 points",
            lambda name=name: gram_spectrum(name, cloud, matrix="gradient"),
        )
    lengths = report(
        "lengths, 100 networks of 10 x 1000",
        lambda: sample_lengths(net, trials=100, threads=1, **SHAPE),
    )
    report(
        "  hidden nodes",
        lambda: sample_hidden_nodes(net, trials=100, threads=1, **SHAPE),
        lengths,
    )
    for k in (1, 2, 8):
        report(
            f"  Gram matrices of {k} inputs",
            lambda k=k: sample_gram(net, np.eye(k), trials=100, threads=1, **SHAPE),
            lengths,
        )
