"""Blocks of independent trials, each from its own random stream, shared among threads.

What a trial is, a law knows: it computes a block in short steps, between which a thread may stop.
"""

import math
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lengthlab.checks import check_count
from lengthlab.rng import RandomState, block_generator, seed_sequence

Array: TypeAlias = NDArray[np.float64]
Steps: TypeAlias = Generator[None, Array, None]
"""A computation in steps of about 0.3 ms; each is sent the buffers of its thread."""

_ROUND = 64  # blocks that `draw` keeps before they are copied to the answer
_MOST_THREADS = 8  # a tenth of the time is spent in Python code, one thread at a time


class Law(Protocol):
    """What a block is a sample of."""

    trials: int  # of a block
    depth: int

    def buffers(self) -> Array:
        """Work space of one thread."""

    def block(self, rng: np.random.Generator, out: Array) -> Steps:
        """Fill `out`, shape (trials, depth)."""


class Block:
    """Consecutive trials from one random stream."""

    def __init__(self, law: Law, rng: np.random.Generator) -> None:
        self.rows = np.empty((law.trials, law.depth))
        self.finished = False
        self._steps = law.block(rng, self.rows)
        self._begun = False

    def drive(self, buffers: Array, expired: Callable[[], bool]) -> None:
        """Compute until the block is finished, or a step ends after the call `expired`."""
        with np.errstate(all="ignore"):  # overflow is an answer
            try:
                if not self._begun:
                    self._begun = True
                    next(self._steps)
                self._steps.send(buffers)
                while not expired():
                    self._steps.send(buffers)
            except StopIteration:
                self.finished = True


@dataclass(eq=False)
class Run:
    """One call of `step` or `advance`: its workers take blocks in order, each its own."""

    law: Law
    seed: np.random.SeedSequence
    blocks: dict[int, Block]
    candidates: Iterator[int]
    deadline: float
    stopped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expired(self) -> bool:
        """Whether the workers are to stop."""
        return self.stopped or time.perf_counter() >= self.deadline

    def work(self) -> None:
        """Drive blocks until none is left or time is over.

        A block is away from `blocks` while it is driven: if it fails, it is begun anew next time.
        """
        buffers = self.law.buffers()
        try:
            while (index := self._take()) is not None:
                block = self.blocks.pop(index, None)
                if block is None:
                    block = Block(self.law, block_generator(self.seed, index))
                block.drive(buffers, self.expired)
                self.blocks[index] = block
                if self.expired():
                    return
        except BaseException:
            self.stopped = True
            raise

    def _take(self) -> int | None:
        with self.lock:
            for index in self.candidates:
                block = self.blocks.get(index)
                if block is None or not block.finished:
                    return index
        return None


def cores() -> int:
    """Threads that are worth starting here."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(_MOST_THREADS, usable or 1)


def allowed_threads(threads: int | None, *, safe: bool) -> int:
    """Threads to use; one where nobody promised that phi is `safe` in two at once."""
    wanted = cores() if threads is None else check_count("threads", threads)
    return wanted if safe else 1


_pool: ThreadPoolExecutor | None = None


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)  # threads do not survive a fork


def _start(work: Callable[[], None], helpers: int) -> list[Future[None]]:
    """`work` in up to `helpers` other threads; in fewer where no thread can start (Pyodide)."""
    global _pool
    futures: list[Future[None]] = []
    try:
        for _ in range(helpers):
            _pool = _pool or ThreadPoolExecutor(max_workers=64, thread_name_prefix="lengthlab")
            futures.append(_pool.submit(work))
    except RuntimeError:
        _pool = None  # with what waits in its queue
    return futures


def share(run: Run, helpers: int) -> None:
    """`run.work` in this thread, and in `helpers` others as far as there are any."""
    futures = _start(run.work, helpers)
    try:
        run.work()
        for future in futures:
            if not future.cancel():
                future.result()
    except BaseException:
        run.stopped = True
        for future in futures:
            if not future.cancel():
                future.exception()
        raise


def draw(law: Law, trials: int, *, rng: RandomState, threads: int) -> Array:
    """Take the first `trials` trials of a seed, shape (trials, law.depth)."""
    seed, out = seed_sequence(rng), np.empty((trials, law.depth))
    needed = -(-trials // law.trials)
    for first in range(0, needed, _ROUND):
        blocks: dict[int, Block] = {}
        last = min(first + _ROUND, needed)
        run = Run(law, seed, blocks, iter(range(first, last)), math.inf)
        share(run, min(threads, last - first) - 1)
        for index in range(first, last):
            rows = out[index * law.trials :][: law.trials]
            rows[:] = blocks[index].rows[: len(rows)]
    return out
