"""Tables over many networks and widths: in this process, in a pool, or on a cluster.

A setting, one network at one width, is cut into chunks that depend on nothing but its size, each
with a random stream of its own. Where and when a chunk is computed cannot be seen in the table.
"""

import contextlib
import math
import pickle
import queue
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Activation, Array
from lengthlab.checks import check_count, check_width
from lengthlab.length_map import LengthMap, length_map
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network
from lengthlab.rng import RandomState, seed_sequence

Table: TypeAlias = NDArray[np.void]
Progress: TypeAlias = Callable[[int, int], object]

_WORK = 2**24  # normals a chunk, about
_LENGTHS = 2**17  # of a chunk's answer, 1 MB
_IN_FLIGHT = 512  # chunks that an executor holds at a time
_PATIENCE = 1.0  # seconds without an answer, after which an executor is looked at
_ATTEMPTS = 4  # for a chunk whose worker is lost
_QUANTILES = (0.05, 0.5, 0.95)


class SweepError(RuntimeError):
    """Some settings failed; the others were finished.

    Attributes
    ----------
    table : numpy.ndarray
        Rows of the settings that were finished, in order.
    failures : dict of int to BaseException
        What went wrong, by the number of the setting: the row it would have had.
    """

    def __init__(self, message: str, table: Table, failures: dict[int, BaseException]) -> None:
        self.table, self.failures = table, failures
        super().__init__(message)


def sweep(
    networks: Iterable[Network],
    *,
    widths: Iterable[int],
    depth: int,
    trials: int,
    rng: RandomState = 0,
    executor: Any = None,
    progress: bool | Progress = True,
) -> Table:
    """Sample lengths and set them beside the length map, for every network at every width.

    Parameters
    ----------
    networks : iterable of Network
        Activations and scales.
    widths : iterable of int
        Units a layer, each from 1 to 10^12.
    depth, trials : int
        Layers, from 1 to 10^7, and networks a setting, from 1 to 10^12.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Each setting has streams of its own, by its row.
    executor : None, concurrent.futures.Executor or dask.distributed.Client
        Who computes; None is this process. The table is the same bit for bit.
    progress : bool or callable
        True shows a bar on a terminal after a second; a callable is told
        ``progress(networks_done, networks_in_all)`` after each chunk.

    Returns
    -------
    numpy.ndarray, shape (networks * widths,), structured
        One row a setting, the widths of the first network first: ``activation`` (its label),
        ``sigma_w``, ``sigma_b``, ``keep_probability``, ``input_length``, ``width``, ``trials``,
        ``first_infinite`` and ``first_overflow`` (layers of the length map, 0 if there is none),
        and, each of shape (depth,): ``predicted`` and its ``error``, ``sampled_mean``,
        ``standard_error``, ``sampled_low``, ``sampled_median`` and ``sampled_high`` (order
        statistics at 5, 50 and 95 %), ``infinite_trials``. inf where a number is not finite (the
        standard error of a single network as well), never nan.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or a network cannot be sent to other processes.
    SweepError
        If a setting fails; raised when all others are finished, and holding them.

    Notes
    -----
    A chunk whose worker dies, or that is cancelled, is given out again; when the executor takes no
    more, what is left is computed in this process. Chunk c of row r draws the networks of
    ``sample_lengths`` for the seed ``SeedSequence(entropy, spawn_key=(r, c))``.

    Examples
    --------
    >>> table = sweep([Network("relu"), Network("tanh")], widths=[10, 100], depth=3, trials=50)
    >>> table["activation"].tolist(), table["width"].tolist()
    (['relu', 'relu', 'tanh', 'tanh'], [10, 100, 10, 100])
    >>> table["predicted"].shape
    (4, 3)
    """
    nets, sizes = _check_networks(networks), _check_widths(widths)
    depth = check_count("depth", depth, maximum=10**7)
    trials = check_count("trials", trials, maximum=10**12)
    seed, (runner, alive) = seed_sequence(rng), _check_executor(executor)
    if isinstance(runner, ProcessPoolExecutor):
        _check_picklable(nets)
    settings = [_Setting(net, width, depth, trials) for net in nets for width in sizes]
    chunks = [chunk for row, setting in enumerate(settings) for chunk in setting.chunks(row, seed)]
    with _report(progress, trials * len(settings)) as advance:
        for chunk, answer in _compute(chunks, runner, alive):
            settings[chunk.row].take(chunk, answer)
            advance(chunk.trials)
    return _table(settings)


# --- settings and chunks --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chunk:
    """Consecutive networks of one setting, from one random stream."""

    row: int
    number: int
    net: Network
    width: int
    depth: int
    trials: int
    seed: np.random.SeedSequence

    def __call__(self, threads: int | None = 1) -> Array | LengthMap:
        """Draw the lengths; number 0 is the prediction instead."""
        if self.number == 0:
            return length_map(self.net, depth=self.depth)
        shape = {"width": self.width, "depth": self.depth, "trials": self.trials}
        return sample_lengths(self.net, **shape, rng=self.seed, threads=threads)


@dataclass
class _Setting:
    """One network at one width: what is known of its row so far."""

    net: Network
    width: int
    depth: int
    trials: int
    answers: dict[int, Array | LengthMap] = field(default_factory=dict)
    expected: int = 0
    failure: BaseException | None = None
    row: tuple[Any, ...] | None = None

    def chunks(self, row: int, seed: np.random.SeedSequence) -> Iterator[_Chunk]:
        """Cut the setting, by its size alone."""
        law = self.net.activation.homogeneous
        units = 1 if law is not None and law.degree in (0, 1) else self.width
        size = max(1, min(_WORK // (units * self.depth), _LENGTHS // self.depth))
        self.expected = 1 + -(-self.trials // size)
        for number in range(self.expected):
            key = (*seed.spawn_key, row, number - 1) if number else seed.spawn_key
            stream = np.random.SeedSequence(seed.entropy, spawn_key=key, pool_size=seed.pool_size)
            trials = min(size, self.trials - (number - 1) * size) if number else 0
            yield _Chunk(row, number, self.net, self.width, self.depth, trials, stream)

    def take(self, chunk: _Chunk, answer: Array | LengthMap | BaseException) -> None:
        """Keep the answer to one chunk; with the last one the row is complete."""
        if isinstance(answer, BaseException):
            self.failure = self.failure or answer
            self.answers.clear()
        elif self.failure is None:
            self.answers[chunk.number] = answer
            if len(self.answers) == self.expected:
                self.row = self._summarise()
                self.answers.clear()

    def _summarise(self) -> tuple[Any, ...]:
        prediction = self.answers[0]
        assert isinstance(prediction, LengthMap)
        parts = [self.answers[number] for number in range(1, self.expected)]
        q = np.concatenate([part for part in parts if not isinstance(part, LengthMap)])
        net, error = self.net, np.full(self.depth, math.inf)
        with np.errstate(all="ignore"):  # overflow is an answer
            mean = q.mean(axis=0)
            if len(q) > 1:
                error = q.std(axis=0, ddof=1) / math.sqrt(len(q))
        error[~np.isfinite(error) | ~np.isfinite(mean)] = math.inf
        scales = (net.sigma_w, net.sigma_b, net.keep_probability, net.input_length)
        firsts = (prediction.first_infinite or 0, prediction.first_overflow or 0)
        order = np.quantile(q, _QUANTILES, axis=0, method="inverted_cdf")
        sampled = (mean, error, *order, np.isinf(q).sum(axis=0))
        head = (net.activation.label, *scales, self.width, self.trials, *firsts)
        return (*head, prediction.values, prediction.errors, *sampled)


def _table(settings: list[_Setting]) -> Table:
    """Rows of the finished settings; SweepError if there are others."""
    depth = settings[0].depth
    longest = max(len(setting.net.activation.label) for setting in settings)
    scales = ("sigma_w", "sigma_b", "keep_probability", "input_length")
    counts = ("width", "trials", "first_infinite", "first_overflow")
    layers = ["predicted", "error", "sampled_mean", "standard_error"]
    layers += ["sampled_low", "sampled_median", "sampled_high"]
    kind = np.dtype(
        [("activation", f"U{longest}")]
        + [(name, "f8") for name in scales]
        + [(name, "i8") for name in counts]
        + [(name, "f8", (depth,)) for name in layers]
        + [("infinite_trials", "i8", (depth,))]
    )
    table = np.array([setting.row for setting in settings if setting.row is not None], dtype=kind)
    failures = {k: s.failure for k, s in enumerate(settings) if s.failure is not None}
    if failures:
        first = min(failures)
        where = f"{settings[first].net.activation.label} at width {settings[first].width}"
        msg = (
            f"{len(failures)} of {len(settings)} settings failed, first row {first}, {where}: "
            f"{failures[first]!r}; the others are in the table of this exception"
        )
        raise SweepError(msg, table, failures) from failures[first]
    return table


# --- who computes ---------------------------------------------------------------------------------

_Answer: TypeAlias = Array | LengthMap | BaseException


def _compute(
    chunks: Sequence[_Chunk], executor: Executor | None, alive: Callable[[], bool]
) -> Iterator[tuple[_Chunk, _Answer]]:
    """Answers in any order; those of other processes first, then what they left."""
    left, failed = deque(chunks), set[int]()
    if executor is not None:
        left = yield from _delegate(left, failed, executor, alive)
    for chunk in left:
        if chunk.row in failed:
            continue  # its row is lost already
        answer: _Answer
        try:
            answer = chunk(None if executor is None else 1)
        except Exception as error:
            answer = error
            failed.add(chunk.row)
        yield chunk, answer


def _delegate(
    waiting: deque[_Chunk], failed: set[int], executor: Executor, alive: Callable[[], bool]
) -> Generator[tuple[_Chunk, _Answer], None, deque[_Chunk]]:
    """Have an executor compute what is `waiting`; return what it does not take, or keeps losing."""
    # A callback is told of a cancelled future at once; `concurrent.futures.wait` may never be.
    done: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
    running: dict[Future[Any], _Chunk] = {}
    attempts: Counter[tuple[int, int]] = Counter()
    lost: deque[_Chunk] = deque()
    try:
        while True:
            while waiting and len(running) < _IN_FLIGHT:
                future = _submit(executor, waiting[0])
                if future is None:
                    break
                running[future] = waiting.popleft()
                future.add_done_callback(done.put)
            if not running:
                return lost + waiting
            try:
                future = done.get(timeout=_PATIENCE)
            except queue.Empty:
                if alive():
                    continue
                return lost + deque(running.values()) + waiting
            chunk = running.pop(future)
            if chunk.row in failed:
                continue
            attempts[chunk.row, chunk.number] += 1
            try:
                answer: _Answer = future.result()
            except (CancelledError, BrokenExecutor):
                again = attempts[chunk.row, chunk.number] < _ATTEMPTS
                (waiting if again else lost).append(chunk)
                continue
            except Exception as error:
                answer = error
                failed.add(chunk.row)
            yield chunk, answer
    finally:
        for future in running:
            future.cancel()


def _submit(executor: Executor, chunk: _Chunk) -> Future[Any] | None:
    """Hand a chunk over; None where the executor takes none: it is broken, shut down, or closed."""
    try:
        return executor.submit(chunk)
    except Exception:  # a cluster has exceptions of its own for it
        return None


# --- arguments and progress -----------------------------------------------------------------------


def _check_networks(networks: Any) -> list[Network]:
    if isinstance(networks, (Network, str)) or not _is_list(networks):
        way_out = f"; write [{networks!r}]" if isinstance(networks, Network) else ""
        msg = f"networks must be a list of Network, got {networks!r}{way_out}"
        raise TypeError(msg)
    nets = list(networks)
    for net in nets:
        if not isinstance(net, Network):
            way_out = f"; write Network({net!r})" if isinstance(net, (str, Activation)) else ""
            msg = f"networks must be a list of Network, got {net!r} among them{way_out}"
            raise TypeError(msg)
    if not nets:
        msg = "networks must hold a Network at least, got none"
        raise ValueError(msg)
    return nets


def _is_list(values: Any) -> bool:
    """Whether one can go through them; numpy's numbers are Iterable but say no."""
    return isinstance(values, Iterable) and getattr(values, "ndim", 1) > 0


def _check_widths(widths: Any) -> list[int]:
    if isinstance(widths, str) or not _is_list(widths):
        msg = f"widths must be a list of integers, got {widths!r}; write [{widths!r}]"
        raise TypeError(msg)
    sizes = [check_width(width) for width in widths]
    if not sizes:
        msg = "widths must hold a width at least, got none"
        raise ValueError(msg)
    return sizes


def _check_executor(executor: Any) -> tuple[Executor | None, Callable[[], bool]]:
    """Return an Executor, and what says whether it may still answer; a dask Client makes one."""
    if executor is None or isinstance(executor, Executor):
        return executor, lambda: True
    if callable(getattr(executor, "get_executor", None)):
        made = executor.get_executor(pure=False)
        if isinstance(made, Executor):
            # The futures of a client that is closed never say a word.
            return made, lambda: getattr(executor, "status", "") not in ("closing", "closed")
    msg = (
        "executor must be None, a concurrent.futures.Executor or a dask.distributed.Client, "
        f"got {executor!r}"
    )
    raise TypeError(msg)


def _check_picklable(nets: list[Network]) -> None:
    for net in nets:
        try:
            pickle.dumps(net)
        except Exception as error:
            msg = (
                f"networks must be such that other processes can load them, got {net.activation!r} "
                f"with functions that cannot be pickled ({error}); write phi as a function of a "
                "module, or use a ThreadPoolExecutor"
            )
            raise ValueError(msg) from error


@contextlib.contextmanager
def _report(progress: Any, total: int) -> Generator[Callable[[int], None]]:
    """Give a function to call with the number of networks of each finished chunk."""
    if callable(progress):
        finished = 0

        def tell(networks: int) -> None:
            nonlocal finished
            finished += networks
            progress(finished, total)

        yield tell
    elif not isinstance(progress, bool):
        msg = f"progress must be True, False or a function of two numbers, got {progress!r}"
        raise TypeError(msg)
    elif not progress:
        yield lambda networks: None
    else:
        from tqdm import tqdm

        # `disable=None`: only where stderr is a terminal.
        with tqdm(total=total, unit=" networks", delay=1, disable=None, leave=False) as bar:
            yield lambda networks: bar.update(networks)
