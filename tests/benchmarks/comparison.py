"""Beside what else there is: ``python tests/benchmarks/comparison.py`` prints the README's table.

Ratios within one run: the tasks of a row take turns, so that a slow spell meets all of them.
neural-tangents is compared where it can be imported: release 0.6.5, its last, asks for an older jax
than it says; with jax 0.4.23 and numpy 1.26 it runs.
"""

import math
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import quad

from lengthlab.dense_network import sample_lengths_dense
from lengthlab.length_map import length_map
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network

DEPTH, NODES = 10, 256
Z, WEIGHTS = np.polynomial.hermite_e.hermegauss(NODES)
WEIGHTS = WEIGHTS / math.sqrt(2 * math.pi)
TANH = Network("tanh", sigma_w=1.5, sigma_b=0.3)
KINKED = Network("hardtanh", sigma_w=1.5, sigma_b=0.3)


def medians(tasks: list[Callable[[], object]], repetitions: int) -> list[float]:
    """Median seconds of each task, all in turn."""
    times: list[list[float]] = [[] for _ in tasks]
    for _ in range(repetitions):
        for task, record in zip(tasks, times, strict=True):
            start = time.perf_counter()
            task()
            record.append(time.perf_counter() - start)
    return [statistics.median(record) for record in times]


def iterated(net: Network, m: Callable[[float], float]) -> float:
    """Length of the last layer, by any way of computing m(q) = E phi(sqrt(q) Z)^2."""
    q = net.first_variance
    for _ in range(DEPTH - 1):
        q = net.gain * m(q) + net.sigma_b**2
    return q


def by_hermite(net: Network) -> float:
    """Fixed Gauss-Hermite nodes: no error estimate, no kinks, no infinities."""
    return iterated(net, lambda q: float(WEIGHTS @ net.activation(math.sqrt(q) * Z) ** 2))


def by_quad(net: Network) -> float:
    """scipy's adaptive rule over the whole line."""

    def m(q: float) -> float:
        def integrand(z: float) -> float:
            return float(net.activation(math.sqrt(q) * z)) ** 2 * math.exp(-z * z / 2)

        return float(quad(integrand, -math.inf, math.inf, epsabs=1e-12)[0]) / math.sqrt(2 * math.pi)

    return iterated(net, m)


def row(what: str, other: str, ours: float, theirs: float, error: str = "") -> None:
    """Print one line of the table."""
    print(f"| {what} | {other} | {1e3 * ours:.3g} ms | {theirs / ours:.3g} | {error} |")


def neural_tangents(net: Network) -> Callable[[], float] | None:
    """The length of the last layer by its numerical activation; None if it cannot be imported."""
    try:
        import jax
        import jax.numpy as jnp
        from neural_tangents import stax
    except ImportError as error:
        print(f"no comparison with neural-tangents: {error}", file=sys.stderr)
        return None
    jax.config.update("jax_enable_x64", True)
    functions: dict[str, Any] = {"tanh": jnp.tanh, "hardtanh": lambda x: jnp.clip(x, -1, 1)}
    fn = functions[net.activation.name]
    dense = stax.Dense(1, W_std=net.sigma_w, b_std=net.sigma_b)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its error depends on the number of nodes
        numerical = stax.ElementwiseNumerical(fn, deg=25)
    layers = [dense, *[numerical, dense] * (DEPTH - 1)]
    kernel = jax.jit(lambda x: stax.serial(*layers)[2](x, None, "nngp"))
    x = np.ones((1, 4))
    return lambda: float(kernel(x)[0, 0])


def main() -> None:
    """Print the table."""
    print("| task | the other way | lengthlab | times as long | its relative error |")
    print("|---|---|---|---|---|")
    shape = {"width": 1000, "depth": DEPTH, "rng": 0}
    ours, theirs = medians(
        [
            lambda: sample_lengths(TANH, trials=200, threads=1, **shape),
            lambda: sample_lengths_dense(TANH, trials=2, **shape),
        ],
        5,
    )
    row("a network, N = 1000, 10 layers, tanh", "weight matrices", ours / 200, theirs / 2)
    for net in (TANH, KINKED):
        name = net.activation.name
        exact = float(length_map(net, depth=DEPTH).values[-1])
        ways: list[tuple[str, Callable[[], float]]] = [
            (f"{NODES}-node Gauss-Hermite, no error estimate", lambda net=net: by_hermite(net)),
            ("`scipy.integrate.quad`", lambda net=net: by_quad(net)),
        ]
        numerical = neural_tangents(net)
        if numerical is not None:
            ways.append(("neural-tangents, 25-node numerical activation, compiled", numerical))
        for other, way in ways:
            seconds = medians([lambda net=net: length_map(net, depth=DEPTH), way], 7)
            row(f"length map, {name}, 10 layers", other, *seconds, f"{abs(way() / exact - 1):.1e}")


if __name__ == "__main__":
    main()
