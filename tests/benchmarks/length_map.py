"""Time of a 10-layer length map for every catalogue activation, beside a Gauss-Hermite map."""

import math
import statistics
import time
from collections.abc import Callable

import numpy as np

from lengthlab.activations import catalogue
from lengthlab.length_map import length_map
from lengthlab.network import Network

DEPTH = 10
REPETITIONS = 31
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(256)
WEIGHTS = WEIGHTS / math.sqrt(2 * math.pi)


def seconds(tasks: list[Callable[[], object]]) -> list[list[float]]:
    """Times of the tasks, interleaved: a slow spell of the machine meets all of them."""
    times: list[list[float]] = [[] for _ in tasks]
    for _ in range(REPETITIONS):
        for task, record in zip(tasks, times, strict=True):
            start = time.perf_counter()
            task()
            record.append(time.perf_counter() - start)
    return times


def gauss_hermite(net: Network) -> float:
    """Map the length with 256 fixed nodes: no error, no kinks, no infinities."""
    q = net.first_variance
    with np.errstate(all="ignore"):
        for _ in range(DEPTH - 1):
            phi = net.activation(math.sqrt(q) * NODES)
            q = net.gain * float(WEIGHTS @ (phi * phi)) + net.sigma_b**2
    return q


def report(name: str, adaptive: list[float], fixed: list[float]) -> None:
    """One line of the table."""
    ratio = statistics.median(a / b for a, b in zip(adaptive, fixed, strict=True))
    microseconds = 1e6 * statistics.median(adaptive)
    print(f"{name:<16} {microseconds:>10.0f} {1e6 * statistics.median(fixed):>14.0f} {ratio:>8.2f}")


if __name__ == "__main__":
    networks = [Network(name, sigma_w=0.9, sigma_b=0.2) for name in catalogue()]
    tasks: list[Callable[[], object]] = []
    for net in networks:
        tasks += [lambda net=net: length_map(net, depth=DEPTH), lambda net=net: gauss_hermite(net)]
    times = seconds(tasks)
    print(f"{DEPTH} layers, median of {REPETITIONS} interleaved repetitions")
    print(f"{'activation':<16} {'map, us':>10} {'256 nodes, us':>14} {'ratio':>8}")
    for k, net in enumerate(networks):
        report(net.activation.name, times[2 * k], times[2 * k + 1])
    slowest = max(range(len(networks)), key=lambda k: statistics.median(times[2 * k]))
    print(f"slowest: {networks[slowest].activation.name}")
