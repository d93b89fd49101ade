"""Axis and bins of the explorer of widths, where no band foretells them and where phi changes."""

import math

import numpy as np
import pytest

import lengthlab as ll
from lengthlab.widgets.widths import WidthExplorer

pytestmark = pytest.mark.filterwarnings("error")


def filled(explorer):
    """Bins with networks, by width."""
    return {w: int((c.counts > 0).sum()) for w, c in explorer._artists.counted.items()}


@pytest.mark.parametrize(
    ("phi", "parameters"),
    [
        (ll.activation("power", exponent=-0.3), {}),  # V is finite, s is not
        (ll.activation("power", exponent=-0.45), {}),
        ("reciprocal", {}),
        ("exp_power", {"sigma_w": 1.5}),
    ],
)
def test_histograms_show_their_shape_where_there_is_no_band(phi, parameters):
    explorer = WidthExplorer(phi, depth=2, **parameters)
    explorer.run(150)
    assert explorer.figure
    assert len(explorer.model.experiment.band.lower) < 2
    low, high = explorer._artists.view.limits
    for sample, (width, bins) in zip(explorer.by_width, filled(explorer).items(), strict=True):
        q = np.quantile(sample.lengths[:, 1], [0.05, 0.95])
        share = (
            math.log(q[1] / q[0]) / math.log(high / low)
            if explorer._artists.view.log
            else (q[1] - q[0]) / (high - low)
        )
        assert bins >= min(15, 0.8 * 400 * share), width  # a pixel is the least there is to see
    explorer.close()


def test_bins_are_the_bands_where_there_is_one():
    explorer = WidthExplorer("tanh", sigma_w=1.5, sigma_b=0.3, depth=3)
    axis = explorer._artists.view
    band = ll.band(explorer.model.experiment.net, width=1000, depth=3, level=0.9)
    spread = math.log(band.upper[2] / band.lower[2]) * math.sqrt(band.upper[2] * band.lower[2])
    wanted = 18 * axis.limits[1] / spread
    assert axis.bins(1000).number == pytest.approx(wanted, rel=0.02)
    assert axis.bins(250).number == pytest.approx(wanted / 2, rel=0.02)
    explorer.close()


def test_narrow_networks_are_on_a_logarithmic_axis_too():
    explorer = WidthExplorer("exp_power", sigma_w=1.5, depth=2)
    explorer.run(100)
    assert explorer.figure
    view = explorer._artists.view
    assert view.log
    assert np.quantile(explorer.by_width[0].lengths[:, 1], 0.05) >= view.limits[0]
    explorer.close()


def test_a_change_to_a_phi_that_converges_brings_its_own_axis_soon():
    # Ten networks of width 10^6 take long: so long nobody should look at 1/x's axis.
    explorer = WidthExplorer("reciprocal")
    explorer._receive(None, {"kind": "view", "width": 960, "ratio": 1}, [])
    explorer.model.advance(2.0)
    explorer._receive(None, {"kind": "frame", "slot": 1}, [])
    assert explorer._artists.lengths.get_yscale() == "log"
    explorer.activation = "tanh"
    while sum(sample.drawn for sample in explorer.by_width) < 200:
        explorer._receive(None, {"kind": "frame", "slot": 1}, [])
    assert explorer.drawn < 10
    assert explorer._artists.lengths.get_yscale() == "linear"
    assert explorer._artists.lengths.get_ylim()[1] < 1
    explorer.close()
