"""Argument checks: what passes, and what each refusal says."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lengthlab.checks import check_count, check_real, check_sequence, check_size


@pytest.mark.parametrize("value", [1, 64, 10**30, np.int8(7), np.uint64(2**63), np.array(5)])
def test_a_count_comes_back_as_an_int(value):
    count = check_count("width", value)
    assert type(count) is int
    assert count == value


@given(st.integers(), st.integers())
def test_a_count_has_a_minimum(value, minimum):
    if value >= minimum:
        assert check_count("width", value, minimum=minimum) == value
    else:
        with pytest.raises(ValueError, match=f"width must be an integer >= {minimum}, got {value}"):
            check_count("width", value, minimum=minimum)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (0, ValueError, "width must be an integer >= 1, got 0"),
        (-3, ValueError, "width must be an integer >= 1, got -3"),
        (True, TypeError, "width must be an integer >= 1, got True"),
        (3.0, TypeError, "width must be an integer >= 1, got 3.0; write 3"),
        (3.5, TypeError, "width must be an integer >= 1, got 3.5"),
        (math.inf, TypeError, "width must be an integer >= 1, got inf"),
        (math.nan, TypeError, "width must be an integer >= 1, got nan"),
        ("3", TypeError, "width must be an integer >= 1, got '3'"),
        (None, TypeError, "width must be an integer >= 1, got None"),
        ([3], TypeError, "width must be an integer >= 1, got [3]"),
        (3j, TypeError, "width must be an integer >= 1, got 3j"),
    ],
)
def test_a_bad_count_is_told_what_a_count_is(value, error, message):
    with pytest.raises(error) as refusal:
        check_count("width", value)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    "value", [1, 1.5, -2, np.float32(0.5), Fraction(1, 3), Decimal("0.1"), np.array(2.0), 1e308]
)
def test_a_real_comes_back_as_a_float(value):
    number = check_real("eps", value)
    assert type(number) is float
    assert number == float(value)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e3, 1e3))
def test_bounds(value, bound):
    for keyword, inside in [
        ("above", value > bound),
        ("at_least", value >= bound),
        ("below", value < bound),
        ("at_most", value <= bound),
    ]:
        if inside:
            assert check_real("eps", value, **{keyword: bound}) == value
        else:
            with pytest.raises(ValueError, match="eps must be a finite number"):
                check_real("eps", value, **{keyword: bound})


@pytest.mark.parametrize(
    ("value", "bounds", "error", "message"),
    [
        (math.nan, {}, ValueError, "eps must be a finite number, got nan"),
        (math.inf, {}, ValueError, "eps must be a finite number, got inf"),
        (-math.inf, {"at_most": 1}, ValueError, "eps must be a finite number <= 1, got -inf"),
        (math.nan, {"above": 0}, ValueError, "eps must be a finite number > 0, got nan"),
        (0, {"above": 0}, ValueError, "eps must be a finite number > 0, got 0"),
        (-1, {"at_least": 0}, ValueError, "eps must be a finite number >= 0, got -1"),
        (
            2,
            {"above": 0, "at_most": 1},
            ValueError,
            "eps must be a finite number > 0 and <= 1, got 2",
        ),
        (1, {"above": 0, "below": 1}, ValueError, "eps must be a finite number > 0 and < 1, got 1"),
        (True, {}, TypeError, "eps must be a finite number, got True"),
        ("1", {}, TypeError, "eps must be a finite number, got '1'"),
        (b"1", {}, TypeError, "eps must be a finite number, got b'1'"),
        (None, {}, TypeError, "eps must be a finite number, got None"),
        (1j, {}, TypeError, "eps must be a finite number, got 1j"),
        ([1.0], {}, TypeError, "eps must be a finite number, got [1.0]"),
        (10**400, {}, TypeError, f"eps must be a finite number, got {10**400}"),
    ],
    ids=repr,
)
def test_a_bad_real_is_told_what_is_wanted(value, bounds, error, message):
    with pytest.raises(error) as refusal:
        check_real("eps", value, **bounds)
    assert str(refusal.value) == message


def test_a_sequence():
    assert check_sequence("kinks", (1, 2)) == (1, 2)
    assert check_sequence("kinks", []) == []
    for value in (0.5, "ab", b"ab", None, {1.0}, iter([1.0])):
        with pytest.raises(TypeError) as refusal:
            check_sequence("kinks", value)
        assert str(refusal.value) == (
            f"kinks must be a tuple of numbers, got {value!r}; write ({value!r},)"
        )


@pytest.mark.parametrize("digits", [4302, 5000, 20_000])
def test_an_integer_of_any_length_is_refused_with_a_message(digits):
    value = 10 ** (digits - 1)
    told = f"got an integer of {digits} digits"
    with pytest.raises(ValueError, match=f"width must be an integer >= 1 and <= 64, {told}"):
        check_count("width", value, maximum=64)
    with pytest.raises(ValueError, match=told):
        check_count("width", -value)
    with pytest.raises(TypeError, match=f"eps must be a finite number, {told}"):
        check_real("eps", value)
    with pytest.raises(ValueError, match=f"got an integer of {digits - 1} digits"):
        check_count("width", value - 1, maximum=64)
    with pytest.raises(TypeError, match=f"kinks must be a tuple of numbers, {told}"):
        check_sequence("kinks", value)
    assert check_count("width", value) == value


@pytest.mark.filterwarnings("error")
def test_a_masked_element_is_no_number():
    with pytest.raises(TypeError, match="sigma_w must be a finite number > 0"):
        check_real("sigma_w", np.ma.masked, above=0)


def test_a_size_beyond_the_floats_is_refused_all_the_same():
    with pytest.raises(
        ValueError, match=r"so many trials need over 10\^12 MB, more than 256 MB; less"
    ):
        check_size((10**400, 2), "so many trials", "less")
