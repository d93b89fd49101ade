"""Time of a diagram of 10,000 networks, beside the length maps of as many as take as long."""

import math
import statistics
import time

import numpy as np

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.formula import formula
from lengthlab.length_map import length_map
from lengthlab.network import Network
from lengthlab.phase_diagram import phase_diagram

SIGMA_W, SIGMA_B = np.linspace(0.05, 4, 100), np.linspace(0, 2, 100)
REPETITIONS = 3
OTHERS = [
    formula("sin(5*x)"),
    formula("x*exp(-x^2)"),
    formula("log(1 + x^2)"),
    *map(formula, ("x*tanh(log(1 + exp(x)))", "where(x > 0, x, exp(x) - 1)", "x^20", "x^x")),
    *map(formula, ("log(x)", "abs(x)^-0.3", "sqrt(x)", "where(x > 1, 1, 0)")),
    *map(formula, ("exp(abs(x)^1.5)", "abs(x - 2)^-0.2", "x*log(abs(x))", "sin(50*x)")),
    *map(formula, ("log(abs(x - 1))*sin(3*x)", "floor(x)", "sin(1/x)", "exp(x^2/10)")),
    *map(formula, ("x*cos(x)", "x*sin(x^2)", "x^3*sin(x)", "sin(exp(x))", "sin(x^2)*exp(x)")),
    Activation(lambda x: np.maximum(x, 0), name="lambda"),
    Activation(np.vectorize(math.tanh, otypes=[float]), name="slow Python"),
    Activation(lambda x: np.where(x > 1, 1.0, 0.0), name="hidden step"),
]


def seconds(phi: Activation) -> float:
    """Median time of one diagram, of one thread: what else the machine does is not counted."""
    times = []
    for _ in range(REPETITIONS):
        start = time.thread_time()
        phase_diagram(phi, sigma_w=SIGMA_W, sigma_b=SIGMA_B)
        times.append(time.thread_time() - start)
    return statistics.median(times)


def one_network(phi: Activation) -> float:
    """Time of one length map of 50 layers."""
    start = time.thread_time()
    length_map(Network(phi, sigma_w=0.9, sigma_b=0.2), depth=50)
    return time.thread_time() - start


if __name__ == "__main__":
    networks = len(SIGMA_W) * len(SIGMA_B)
    print(f"{networks} networks, median of {REPETITIONS}; maps: networks whose 50-layer length map")
    print("takes as long")
    print(f"{'activation':<28} {'ms':>8} {'maps':>8}")
    rows = [(phi.label, seconds(phi), one_network(phi)) for phi in map(activation, catalogue())]
    rows += [(phi.name[:28], seconds(phi), one_network(phi)) for phi in OTHERS]
    for name, diagram, single in rows:
        print(f"{name:<28} {1e3 * diagram:>8.0f} {diagram / single:>8.0f}")
    slowest = max(rows, key=lambda row: row[1])
    print(f"slowest: {slowest[0]}, {slowest[1]:.2f} s")
