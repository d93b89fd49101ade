"""Seeds and block streams: every random number of the package starts here."""

from typing import TypeAlias

import numpy as np

RandomState: TypeAlias = int | np.random.Generator | np.random.SeedSequence | None
"""What an `rng` argument accepts: a seed, a Generator, a SeedSequence, None (fresh entropy)."""


def seed_sequence(rng: RandomState) -> np.random.SeedSequence:
    """Turn an `rng` argument into a SeedSequence; the global state is never touched.

    A Generator is advanced by the draw, so that two calls with the same Generator differ; a seed
    or a SeedSequence gives the same streams each time.

    Parameters
    ----------
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        ``None`` takes fresh entropy from the operating system.

    Returns
    -------
    numpy.random.SeedSequence

    Raises
    ------
    TypeError
        If `rng` is none of these.
    ValueError
        If a seed is negative.

    Examples
    --------
    >>> seed_sequence(7).entropy
    7
    >>> seed_sequence("7")
    Traceback (most recent call last):
        ...
    TypeError: rng must be an integer >= 0, a numpy Generator, a SeedSequence or None, got '7'
    """
    rule = f"rng must be an integer >= 0, a numpy Generator, a SeedSequence or None, got {rng!r}"
    if isinstance(rng, np.random.SeedSequence):
        return rng
    if isinstance(rng, np.random.Generator):
        return np.random.SeedSequence(rng.integers(2**32, size=4, dtype=np.uint32).tolist())
    if rng is None:
        return np.random.SeedSequence()
    if isinstance(rng, bool) or not isinstance(rng, (int, np.integer)):
        raise TypeError(rule)
    if rng < 0:
        raise ValueError(rule)
    return np.random.SeedSequence(int(rng))


def block_generator(seed: np.random.SeedSequence, block: int) -> np.random.Generator:
    """Independent stream number `block` of `seed`, whatever was drawn before.

    Unlike ``seed.spawn`` it leaves `seed` as it is, so blocks can be computed in any order, by any
    thread, and more than once.

    Examples
    --------
    >>> seed = seed_sequence(0)
    >>> block_generator(seed, 5).random() == block_generator(seed, 5).random()
    True
    """
    key = (*seed.spawn_key, block)
    child = np.random.SeedSequence(seed.entropy, spawn_key=key, pool_size=seed.pool_size)
    return np.random.Generator(np.random.SFC64(child))
