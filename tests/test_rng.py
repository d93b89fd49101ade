"""Seeds and block streams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lengthlab.rng import block_generator, seed_sequence


def words(seed):
    """What a SeedSequence hands out; it does not change by being asked."""
    return seed.generate_state(4).tolist()


@given(st.integers(0, 2**200))
def test_a_seed_is_a_seed(seed):
    assert words(seed_sequence(seed)) == words(np.random.SeedSequence(seed))


def test_a_numpy_integer_is_a_seed():
    assert words(seed_sequence(np.int64(7))) == words(seed_sequence(7))


def test_a_seed_sequence_stays_what_it_is():
    seed = np.random.SeedSequence(7, spawn_key=(3,))
    assert seed_sequence(seed) is seed


def test_a_generator_is_advanced():
    generator = np.random.default_rng(7)
    first, second = seed_sequence(generator), seed_sequence(generator)
    assert words(first) != words(second)
    assert words(first) == words(seed_sequence(np.random.default_rng(7)))


def test_none_is_fresh_and_the_global_state_is_left_alone():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    assert words(seed_sequence(None)) != words(seed_sequence(None))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize(
    ("rng", "error"),
    [
        (-1, ValueError),
        (np.int64(-1), ValueError),
        ("7", TypeError),
        (7.0, TypeError),
        (True, TypeError),
        ([1, 2], TypeError),
        (np.random.RandomState(0), TypeError),
    ],
)
def test_bad_seeds(rng, error):
    with pytest.raises(error) as refusal:
        seed_sequence(rng)
    assert str(refusal.value) == (
        f"rng must be an integer >= 0, a numpy Generator, a SeedSequence or None, got {rng!r}"
    )


def test_a_block_is_the_same_in_any_order():
    seed = seed_sequence(7)
    forward = [block_generator(seed, block).random(3).tolist() for block in range(5)]
    seed.spawn(2)
    backward = [block_generator(seed, block).random(3).tolist() for block in reversed(range(5))]
    assert forward == backward[::-1]


def test_blocks_and_seeds_differ():
    seeds = [seed_sequence(0), seed_sequence(1), np.random.SeedSequence(0, spawn_key=(0,))]
    draws = {block_generator(seed, block).random() for seed in seeds for block in range(100)}
    assert len(draws) == 300


def test_a_block_is_the_child_that_spawn_would_make():
    first = np.random.SeedSequence(7).spawn(1)[0]
    child = np.random.Generator(np.random.SFC64(first))
    assert block_generator(seed_sequence(7), 0).random() == child.random()


def test_blocks_are_uncorrelated():
    seed, draws, blocks = seed_sequence(0), 2000, 30
    z = np.array([block_generator(seed, b).standard_normal(draws) for b in range(blocks)])
    # 435 correlations, each about Normal(0, 1 / draws): beyond 6.7 deviations once in 1e8.
    off = np.abs(np.corrcoef(z)[np.triu_indices(blocks, 1)]).max() * draws**0.5
    assert off < 6.7
    z[1] += 0.2 * z[0]
    assert np.abs(np.corrcoef(z)[np.triu_indices(blocks, 1)]).max() * draws**0.5 > 6.7
