"""Speed and memory of the sampler, as ratios within one run."""

import resource
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from lengthlab.blocks import cores
from lengthlab.dense_network import sample_lengths_dense
from lengthlab.length_process import _CHUNK, LengthProcess, sample_lengths
from lengthlab.network import Network
from lengthlab.rng import block_generator, seed_sequence

REPETITIONS = 31
TANH = Network("tanh", sigma_w=1.5, sigma_b=0.3)
RELU = Network("relu", sigma_w=2**0.5)


def seconds(*tasks: Callable[[], object], repetitions: int = REPETITIONS) -> list[list[float]]:
    """Times of the tasks, interleaved: a slow spell of the machine meets all of them."""
    times: list[list[float]] = [[] for _ in tasks]
    for _ in range(repetitions):
        for task, record in zip(tasks, times, strict=True):
            start = time.perf_counter()
            task()
            record.append(time.perf_counter() - start)
    return times


def ratio(numerator: list[float], denominator: list[float]) -> float:
    """Median of the ratios, repetition by repetition."""
    pairs = zip(numerator, denominator, strict=True)
    return statistics.median(top / bottom for top, bottom in pairs)


def bare_drawing(count: int, threads: int, pool: ThreadPoolExecutor) -> None:
    """Draw `count` normals and forget them: the same generators, buffers and number of threads."""

    def draw(thread: int) -> None:
        generator = block_generator(seed_sequence(0), thread)
        buffer = np.empty(_CHUNK)
        share = count // threads
        for start in range(0, share, _CHUNK):
            generator.standard_normal(out=buffer[: min(_CHUNK, share - start)])

    futures = [pool.submit(draw, thread) for thread in range(1, threads)]
    draw(0)
    for future in futures:
        future.result()


def against_drawing(threads: int) -> None:
    """200 networks of width 1000 and depth 10 against the drawing of 2e6 normals."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        chain, bare = seconds(
            lambda: sample_lengths(TANH, width=1000, depth=10, trials=200, rng=0, threads=threads),
            lambda: bare_drawing(2_000_000, threads, pool),
        )
    report(
        f"tanh, N = 1000, D = 10, 200 trials / 2e6 normals, {threads} thread(s)",
        f"{ratio(chain, bare):.2f}x ({1e3 * statistics.median(chain):.1f} ms)",
        "<= 1.7x",
    )


def against_dense() -> None:
    """A trial of the chain against a trial with weight matrices."""
    chain, dense = seconds(
        lambda: sample_lengths(TANH, width=1000, depth=10, trials=200, rng=0),
        lambda: sample_lengths_dense(TANH, width=1000, depth=10, trials=1, rng=0),
        repetitions=7,
    )
    report(
        "dense / chain, N = 1000, D = 10, a trial", f"{200 * ratio(dense, chain):.0f}x", ">= 500x"
    )


def homogeneous() -> None:
    """ReLU needs no vectors."""
    (times,) = seconds(
        lambda: sample_lengths(RELU, width=10**6, depth=50, trials=2000, rng=0), repetitions=7
    )
    report("relu, N = 10^6, D = 50, 2000 trials", f"{statistics.median(times):.3f} s", "< 1 s")


def memory() -> None:
    """Peak while a trial of width 10^7 runs."""
    process = LengthProcess(TANH, width=10**7, depth=2, rng=0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    process.step(2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    unit = 1 if sys.platform == "darwin" else 1024
    report(
        "memory at N = 10^7: numpy's peak, growth of the process",
        f"{peak / 1e6:.1f} MB, {kibibytes * unit / 1e6:.1f} MB",
        "< 64 MB",
    )


def slices() -> None:
    """How well `advance` keeps its time at width 10^6."""
    process = LengthProcess(TANH, width=10**6, depth=10, rng=0)
    (times,) = seconds(lambda: process.advance(0.015), repetitions=100)
    worst = 1e3 * max(times)
    report(
        "advance(15 ms) at N = 10^6: median, worst of 100",
        f"{1e3 * statistics.median(times):.1f} ms, {worst:.1f} ms",
        "",
    )


def report(what: str, measured: str, goal: str) -> None:
    """One line of the table."""
    print(f"{what:<68} {measured:>22}  {goal}", flush=True)


if __name__ == "__main__":
    memory()  # first: the peak of a process never falls
    for threads in sorted({1, cores()}):
        against_drawing(threads)
    against_dense()
    homogeneous()
    slices()
