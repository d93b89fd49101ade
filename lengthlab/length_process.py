"""The exact sampler of the length process, streaming."""

import itertools
import math
import time
from collections.abc import Generator, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.blocks import Block, Run, Steps, allowed_threads, share
from lengthlab.checks import check_count, check_real, check_width
from lengthlab.network import Network, check_network
from lengthlab.rng import RandomState, seed_sequence

Layer: TypeAlias = Generator[None, Array, tuple[Array, Array]]

_CHUNK = 25_000  # doubles a step at most, in each of two buffers
_BLOCK = 65536  # normals a block at least: choosing a stream costs 10 us
_DEEP = 2**21  # normals a block at most, unless one trial takes more
_MOST = float(np.finfo(np.float64).max)


def sample_lengths(
    net: Network,
    *,
    width: int,
    depth: int,
    trials: int,
    rng: RandomState = None,
    threads: int | None = None,
) -> Array:
    """Squared lengths of the pre-activations of independent random networks.

    Parameters
    ----------
    net : Network
        Activation and scales.
    width : int
        Units N a layer, from 1 to 10^12.
    depth : int
        Layers, ``>= 1``.
    trials : int
        Independent networks, ``>= 1``.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        The same seed gives the same numbers, whatever the number of threads.
    threads : int, optional
        Threads to use; by default one a core, and one alone for a Python function of the caller's.

    Returns
    -------
    numpy.ndarray, shape (trials, depth)
        ``q_l = |h_l|^2 / N``, layer 1 first. From the layer on where a trial leaves the floats, or
        the activation is infinite, it is ``inf``; never nan.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or the activation returns nan.

    Notes
    -----
    Exact at every width, without weight matrices: given the layer before, the entries of ``h_l``
    are independent ``Normal(0, v_l)``, so fresh normals and ``v_{l+1} = sigma_w^2 mean(phi(h_l)^2)
    + sigma_b^2`` have the law of the network. Source: Long & Sedghi (2019), section 2. Where |phi|
    is positively homogeneous, chi-squares replace the normals and the width costs nothing.

    Examples
    --------
    >>> q = sample_lengths(Network("tanh", sigma_w=1.5), width=1000, depth=10, trials=200, rng=0)
    >>> q.shape
    (200, 10)
    """
    return LengthProcess(net, width=width, depth=depth, rng=rng, threads=threads).step(trials)


class LengthProcess:
    """The trials of `sample_lengths` as a stream.

    The n-th trial of a seed is the same bit for bit, however the calls are cut and however many
    threads run.

    Parameters
    ----------
    net : Network
        Activation and scales.
    width : int
        Units N a layer, from 1 to 10^12.
    depth : int
        Layers, ``>= 1``.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Where the stream starts.
    threads : int, optional
        Threads to use; by default one a core, and one alone for a Python function of the caller's.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule.

    Notes
    -----
    Memory does not depend on the width. An exception raised by the activation, or an interrupt,
    leaves the stream where it was: the next call tries the same trials again. One call at a time.

    Examples
    --------
    >>> process = LengthProcess(Network("relu"), width=100, depth=3, rng=0)
    >>> q = np.concatenate([process.step(3), process.step(61)])
    >>> np.array_equal(q, sample_lengths(Network("relu"), width=100, depth=3, trials=64, rng=0))
    True
    """

    def __init__(
        self,
        net: Network,
        *,
        width: int,
        depth: int,
        rng: RandomState = None,
        threads: int | None = None,
    ) -> None:
        width, depth = check_width(width), check_count("depth", depth)
        self._law = _law(check_network(net), width, depth)
        self._seed = seed_sequence(rng)
        self._threads = allowed_threads(threads, safe=net.activation.into is not None)
        self._blocks: dict[int, Block] = {}  # begun or finished, not yet handed out
        self._first = 0  # the block that is handed out next
        self._taken = 0  # its trials that already are

    def step(self, trials: int) -> Array:
        """Draw the next `trials` trials.

        Parameters
        ----------
        trials : int
            ``>= 1``.

        Returns
        -------
        numpy.ndarray, shape (trials, depth)
            ``q_l``, layer 1 first.

        Raises
        ------
        TypeError, ValueError
            If `trials` is no count, or the activation returns nan.
        """
        trials = check_count("trials", trials)
        self._compute(trials, math.inf)
        return self._hand_out(trials)

    def advance(self, seconds: float, *, trials: int | None = None) -> Array:
        """Draw for about `seconds`, and return the trials finished by then.

        A trial that is not finished goes on in the next call.

        Parameters
        ----------
        seconds : float
            Time to spend, ``> 0``; overrun by about 0.3 ms (more if phi is slow).
        trials : int, optional
            At most so many trials, ``>= 1``; the call ends when they are there.

        Returns
        -------
        numpy.ndarray, shape (k, depth)
            ``q_l`` of the ``k >= 0`` next trials, layer 1 first.

        Raises
        ------
        TypeError, ValueError
            If an argument breaks its rule, or the activation returns nan.
        """
        deadline = time.perf_counter() + check_real("seconds", seconds, above=0)
        limit = None if trials is None else check_count("trials", trials)
        self._compute(limit, deadline)
        return self._hand_out(limit)

    def _compute(self, trials: int | None, deadline: float) -> None:
        candidates: Iterator[int] = itertools.count(self._first)
        helpers = self._threads - 1
        if trials is not None:
            needed = -(-(self._taken + trials) // self._law.trials)
            candidates = iter(range(self._first, self._first + needed))
            helpers = min(helpers, needed - 1)
        share(Run(self._law, self._seed, self._blocks, candidates, deadline), helpers)

    def _hand_out(self, limit: int | None) -> Array:
        """Rows of the finished blocks, in order, at most `limit`."""
        finished = 0
        while (block := self._blocks.get(self._first + finished)) and block.finished:
            finished += 1
        ready = finished * self._law.trials - self._taken
        out = np.empty((ready if limit is None else min(ready, limit), self._law.depth))
        first, taken, filled = self._first, self._taken, 0
        while filled < len(out):
            rows = self._blocks[first].rows[taken:][: len(out) - filled]
            out[filled : filled + len(rows)] = rows
            filled += len(rows)
            taken += len(rows)
            if taken == self._law.trials:
                first, taken = first + 1, 0
        for index in range(self._first, first):
            del self._blocks[index]
        self._first, self._taken = first, taken
        return out


# --- the law --------------------------------------------------------------------------------------


class _Law:
    """The chain ``v_l -> (q_l, v_{l+1})``; a subclass draws a layer, `trials` make a block."""

    trials: int
    together: int  # trials computed side by side

    def __init__(self, net: Network, width: int, depth: int) -> None:
        self.net, self.width, self.depth = net, width, depth
        self._noise = net.sigma_b * net.sigma_b
        self._gain = min(net.gain / net.keep_probability / width, _MOST)  # inf * 0 is no number

    def layer(self, rng: np.random.Generator, v: Array) -> Layer:
        """``|z|^2`` and ``|mask phi(sqrt(v) z)|^2``, shape (rows,) each; unused where v is inf."""
        raise NotImplementedError

    def buffers(self) -> Array:
        """Work space of one thread: two small enough for the second-level cache."""
        return np.empty((2, _CHUNK))

    def block(self, rng: np.random.Generator, out: Array) -> Steps:
        """Fill `out`, shape (trials, depth)."""
        out.fill(math.inf)
        for top in range(0, len(out), self.together):
            yield from self._chain(rng, out[top : top + self.together])

    def _chain(self, rng: np.random.Generator, out: Array) -> Steps:
        v = np.full(len(out), self.net.first_variance)
        for layer in range(self.depth - 1):
            if np.minimum.reduce(v) == math.inf:
                return
            squares, images = yield from self.layer(rng, v)
            q = v * (squares / self.width)
            v = images * self._gain + self._noise
            if not np.add.reduce(q + v) < math.inf:
                lost = ~np.isfinite(q)
                q[lost] = math.inf
                v[lost | ~np.isfinite(images)] = math.inf
            out[:, layer] = q
        # Nothing follows the last layer, so its length alone is drawn: chi-square with N degrees.
        q = v * (_chi_square(rng, np.full(len(out), self.width)) / self.width)
        out[:, -1] = np.where(np.isinf(v), math.inf, q)


class _Vectors(_Law):
    """Any phi: normals, in steps of at most `_CHUNK` of them."""

    def __init__(self, net: Network, width: int, depth: int) -> None:
        super().__init__(net, width, depth)
        self.together = max(1, min(_CHUNK // width, _DEEP // (width * depth)))
        groups = _BLOCK / (self.together * width * max(1, depth - 1))
        self.trials = self.together * max(1, round(groups))

    def layer(self, rng: np.random.Generator, v: Array) -> Layer:
        """Units are exchangeable: the first K are kept; of the others only |z|^2 is drawn."""
        rows, drawn, kept = len(v), self.width, None
        if self.net.keep_probability < 1:
            kept = rng.binomial(self.width, self.net.keep_probability, size=(rows, 1))
            drawn = int(kept.max())
        scale = np.sqrt(np.where(v < math.inf, v, 1.0))[:, None]
        squares, images = np.zeros((2, rows))
        for start in range(0, drawn, _CHUNK):  # once, unless there is but one row
            columns = min(_CHUNK, drawn - start)
            z, image = (yield)[:, : rows * columns]
            z_rows, image_rows = _by_row(z, rows), _by_row(image, rows)
            rng.standard_normal(out=z)
            np.multiply(z, z, out=image)
            squares += np.add.reduce(image_rows, axis=1)
            np.multiply(z_rows, scale, out=z_rows)
            self.net.activation.evaluate(z, image)
            np.multiply(image, image, out=image)
            if kept is not None and rows > 1:
                np.copyto(image_rows, 0.0, where=np.arange(columns) >= kept)
            images += np.add.reduce(image_rows, axis=1)
            if math.isnan(np.add.reduce(images)):
                seen = v < math.inf
                self.net.activation.refuse_nan(z_rows[seen], image_rows[seen])
        if drawn < self.width:
            squares += _chi_square(rng, np.full(rows, self.width - drawn))
        return squares, images


class _Counts(_Law):
    """Homogeneous |phi| of degree 0 or 1: counts and chi-squares, whatever the width."""

    def __init__(self, net: Network, width: int, depth: int) -> None:
        super().__init__(net, width, depth)
        self.together = self.trials = max(64, _CHUNK // depth)

    def layer(self, rng: np.random.Generator, v: Array) -> Layer:
        """Given how many kept h are positive, their |z|^2 is chi-square with so many degrees."""
        yield
        law = self.net.activation.homogeneous
        assert law is not None
        kept = np.full(len(v), self.width)
        if self.net.keep_probability < 1:
            kept = rng.binomial(kept, self.net.keep_probability)
        right = rng.binomial(kept, 0.5)
        z_right, z_left = _chi_square(rng, right), _chi_square(rng, kept - right)
        squares = z_right + z_left + _chi_square(rng, self.width - kept)
        if law.degree == 0:
            images = law.right * (law.right * right) + law.left * (law.left * (kept - right))
        else:
            images = v * (law.right * (law.right * z_right) + law.left * (law.left * z_left))
        if (v == 0).any():  # h = 0, on neither side
            at_zero = self.net.activation(np.zeros(1))
            self.net.activation.refuse_nan(np.zeros(1), at_zero)
            images[v == 0] = (kept * at_zero**2)[v == 0]
        return squares, images


def _law(net: Network, width: int, depth: int) -> _Law:
    homogeneous = net.activation.homogeneous
    if depth == 1 or (homogeneous is not None and homogeneous.degree in (0, 1)):
        return _Counts(net, width, depth)  # at depth 1 no phi is asked
    return _Vectors(net, width, depth)


def _chi_square(rng: np.random.Generator, degrees: NDArray[np.int64]) -> Array:
    """Like ``rng.chisquare``, and 0 for 0 degrees."""
    return 2.0 * rng.standard_gamma(degrees / 2)


def _by_row(flat: Array, rows: int) -> Array:
    """`flat` as (rows, columns), the longer axis contiguous: sums along either are then fast."""
    columns = flat.size // rows
    return flat.reshape(rows, columns) if columns >= rows else flat.reshape(columns, rows).T
