"""The table of gains: who recommends what, and what it does."""

import math

import numpy as np
import pytest

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.gains import LAYERS, gains
from lengthlab.length_map import length_map
from lengthlab.network import Network
from lengthlab.unit_scale import unit_scale

pytestmark = pytest.mark.filterwarnings("error")


def table(phi):
    return {gain.name: gain for gain in gains(phi)}


@pytest.mark.parametrize(
    ("phi", "torch"),
    [
        ("identity", 1.0),
        ("sigmoid", 1.0),
        ("tanh", 5 / 3),
        ("relu", math.sqrt(2)),
        ("leaky_relu", math.sqrt(2 / (1 + 0.01**2))),
        (activation("leaky_relu", slope=0.2), math.sqrt(2 / 1.04)),
        ("selu", 0.75),
    ],
    ids=str,
)
def test_recommended_scales(phi, torch):
    rows = table(phi)
    assert list(rows) == ["unit scale", "LeCun", "Glorot", "He", "PyTorch"]
    assert rows["PyTorch"].sigma_w == pytest.approx(torch, rel=1e-15)
    assert (rows["LeCun"].sigma_w, rows["Glorot"].sigma_w) == (1, 1)
    assert rows["He"].sigma_w == math.sqrt(2)


def test_where_they_agree():
    """He is the unit scale of ReLU, LeCun that of the identity, and SELU was made for LeCun."""
    assert table("relu")["He"].sigma_w == table("relu")["unit scale"].sigma_w
    assert table("identity")["LeCun"].image == 1
    assert table("selu")["LeCun"].image == pytest.approx(1, abs=1e-9)
    assert "Klambauer" in table("selu")["LeCun"].source
    assert table("leaky_relu")["PyTorch"].image == pytest.approx(1, abs=1e-12)
    assert table("tanh")["PyTorch"].image == pytest.approx(25 / 9 * 0.3942944903978, rel=1e-10)
    assert table("selu")["PyTorch"].image == pytest.approx(9 / 16, abs=1e-9)


@pytest.mark.parametrize("name", catalogue())
def test_what_each_does(name):
    rows = gains(name)
    for gain in rows:
        values = length_map(Network(name, sigma_w=gain.sigma_w), depth=max(LAYERS)).values
        assert list(gain.lengths) == [values[layer - 1] for layer in LAYERS]
        assert not math.isnan(gain.limit)
        assert gain.source
        if values[-1] < math.inf and abs(values[-1] - values[-2]) < 1e-10 * values[-1]:
            assert gain.limit == pytest.approx(values[-1], rel=1e-7)
    names = [gain.name for gain in rows]
    assert ("unit scale" in names) == (name not in ("reciprocal", "tan", "dirichlet"))
    if "unit scale" in names:
        assert rows[0].sigma_w == unit_scale(name)
        assert rows[0].image == pytest.approx(1, abs=1e-11)


def test_slow_growth_is_growth():
    """Softplus at He's scale gains a little in every layer, in the end less than floats see."""
    assert table("softplus")["He"].limit == math.inf
    assert table("hardtanh")["LeCun"].limit == 0


def test_a_plain_function():
    rows = gains(Activation(lambda x: np.tanh(x), name="mine"))
    assert [gain.name for gain in rows] == ["unit scale", "LeCun", "Glorot", "He"]


@pytest.mark.parametrize(
    ("phi", "error", "message"),
    [
        ("thanh", ValueError, "activation must be one of .*; got 'thanh'"),
        (None, TypeError, "activation must be a name or an Activation, got None"),
        (np.tanh, TypeError, "activation must be a name or an Activation"),
        (Activation(np.sqrt, name="r"), ValueError, "'r' .* got nan at x = -"),
    ],
)
def test_bad_arguments(phi, error, message):
    with pytest.raises(error, match=message):
        gains(phi)
