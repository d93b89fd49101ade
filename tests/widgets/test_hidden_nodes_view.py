"""One node against the Gaussian, two nodes together: the sample, the laws, the picture."""

import json
import math

import numpy as np
import pytest
from scipy import stats

import lengthlab as ll
from lengthlab.convergence import Experiment
from lengthlab.drawing.node_law import node_law
from lengthlab.drawing.node_sample import SHARES, NodeSample, node_statistics
from lengthlab.widgets.hidden_nodes import HiddenNodesView
from lengthlab.widgets.model import Model

pytestmark = pytest.mark.filterwarnings("error")
ALPHA = 1e-9


@pytest.fixture
def view():
    view = HiddenNodesView("relu", width=5, depth=4, trials=400)
    yield view
    view.close()


def type_into(view, name, text):
    view._hear(None, {"kind": "edit", "name": name, "text": text}, [])


def receive(view, kind, **content):
    view._receive(None, {"kind": kind, **content}, [])


def radius(n):
    """DKW: a correct sampler fails once in 1e9."""
    return math.sqrt(math.log(2 / ALPHA) / (2 * n))


def distance(sample, cdf):
    """Kolmogorov's distance, where the law may have an atom at 0."""
    x = np.sort(sample[sample != 0])
    rank = np.arange(len(x)) + np.where(x > 0, len(sample) - len(x), 0)
    ends = [np.abs(cdf(x) - (rank + k) / len(sample)).max() for k in (0, 1)]
    return max(ends)


def sampled(name, *, width, layer, trials, **parameters):
    net = ll.Network(name, **parameters)
    experiment = Experiment(net, width=width, depth=layer)
    experiment.add(ll.sample_lengths(net, width=width, depth=layer, trials=trials, rng=1))
    nodes = NodeSample(experiment, layer=layer, seed=1)
    nodes.update()
    return nodes


# --- the sample -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "width", "layer"), [("relu", 3, 2), ("tanh", 2, 3), ("tanh", 1, 2), ("abs", 40, 3)]
)
def test_nodes_have_the_law_of_the_joint_sampler(name, width, layer):
    trials = 40_000
    nodes = sampled(name, width=width, layer=layer, trials=trials, sigma_w=1.5).nodes
    net = ll.Network(name, sigma_w=1.5)
    h = ll.sample_hidden_nodes(net, width=width, depth=layer, trials=trials, rng=2)[:, -1]
    limit = 2 * radius(trials)
    for f in (lambda x: x[:, 0], lambda x: (x[:, :2] ** 2).sum(axis=1), lambda x: x[:, :2].prod(1)):
        assert stats.ks_2samp(f(nodes), f(h)).statistic < limit
    other = ll.sample_hidden_nodes(net, width=width + 1, depth=1, trials=trials, rng=2)[:, -1]
    assert stats.ks_2samp(nodes[:, 0], other[:, 0]).statistic > limit


def test_run_and_frames_give_the_same_nodes_however_they_are_cut(view):
    view.run(400)
    whole = view.sample.nodes.copy()
    assert whole.shape == (400, 2)
    np.testing.assert_allclose(
        np.hypot(*whole.T) ** 2 / 5 <= view.model.experiment.lengths[:, 1] * (1 + 1e-12), True
    )
    view.model.replay()
    while view.running:
        receive(view, "frame", slot=1)
    np.testing.assert_array_equal(view.sample.nodes, whole)
    view.layer = 3
    view.layer = 2
    np.testing.assert_array_equal(view.sample.nodes, whole)
    view.seed = 1
    view.run(400)
    assert not np.array_equal(view.sample.nodes, whole)


def test_more_networks_than_a_block():
    few = sampled("relu", width=5, layer=2, trials=5000).nodes
    many = sampled("relu", width=5, layer=2, trials=9000).nodes
    np.testing.assert_array_equal(few, many[:5000])


# --- the laws -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "width", "layer"),
    [("relu", 2, 2), ("relu", 5, 3), ("tanh", 3, 2), ("tanh", 1, 3), ("heaviside", 4, 2)],
)
def test_one_node_has_its_law(name, width, layer):
    trials = 40_000
    net = ll.Network(name, sigma_w=1.5)
    h = ll.sample_hidden_nodes(net, width=width, depth=layer, trials=trials, rng=3)[:, -1, 0]
    assert distance(h, node_law(net, width=width, layer=layer).cdf) < radius(trials)
    wrong = node_law(ll.Network(name, sigma_w=1.8), width=width, layer=layer)
    assert distance(h, wrong.cdf) > radius(trials)


@pytest.mark.parametrize("layer", [2, 3, 4, 5])
def test_nodes_of_the_reciprocal_in_closed_form(layer):
    trials = 40_000
    net = ll.Network("reciprocal", sigma_w=1.3, input_length=0.5)
    law = node_law(net, width=7, layer=layer)
    h = ll.sample_hidden_nodes(net, width=7, depth=layer, trials=trials, rng=4)[:, -1, 0]
    assert distance(h, law.cdf) < radius(trials)
    wrong = ll.Network("reciprocal", sigma_w=2.5, input_length=0.35)  # each layer's scale differs
    other = node_law(wrong, width=7, layer=layer)
    assert distance(h, other.cdf) > radius(trials)
    assert (law.kurtosis, law.reason) == (None, "the node has no variance")


def test_layer_two_of_the_reciprocal_is_cauchy_and_layer_four_a_product_of_two():
    net = ll.Network("reciprocal", sigma_w=0.7)
    x = np.array([-30.0, -2.0, 0.0, 0.1, 3.0, 400.0])
    law = node_law(net, width=9, layer=2)
    np.testing.assert_allclose(law.cdf(x), stats.cauchy(scale=3.0).cdf(x), rtol=1e-12)
    assert law.name == "Cauchy, scale 3"
    y = np.array([0.3, 0.9, 1.2, 5.0, 40.0])
    step = 1e-2
    cdf = node_law(net, width=9, layer=4).cdf
    density = (cdf(3 * y * (1 + step)) - cdf(3 * y * (1 - step))) / (2 * step * y)
    np.testing.assert_allclose(density, 2 * np.log(y) / (np.pi**2 * (y**2 - 1)), rtol=1e-3)
    assert node_law(ll.Network(ll.formula("1/x")), width=9, layer=2).name
    assert not node_law(ll.Network("reciprocal", sigma_b=0.1), width=9, layer=2).name


@pytest.mark.parametrize(
    ("name", "width", "ratio"),
    [("relu", 5, 5 / 5), ("relu", 50, 5 / 50), ("identity", 4, 2 / 4), ("heaviside", 2, 1 / 2)],
)
def test_kurtosis_in_closed_form(name, width, ratio):
    law = node_law(ll.Network(name, sigma_w=1.2), width=width, layer=2)
    assert law.kurtosis == pytest.approx(3 * (1 + ratio), rel=1e-9)
    assert law.of_squares == pytest.approx(ratio / (2 + 3 * ratio), rel=1e-9)


def test_kurtosis_in_a_deeper_layer_is_that_of_a_product():
    law = node_law(ll.Network("relu", sigma_w=1.2), width=6, layer=4)
    assert law.kurtosis == pytest.approx(3 * (1 + 5 / 6) ** 3, rel=1e-6)
    assert node_law(ll.Network("tanh"), width=6, layer=1).kurtosis == pytest.approx(3)


def test_sampled_numbers_are_those_of_the_sample():
    nodes = sampled("tanh", width=4, layer=3, trials=30_000, sigma_w=1.5)
    found = node_statistics(nodes)
    h = nodes.nodes
    kurtosis = np.mean(h**4) / np.mean(h**2) ** 2
    assert found.kurtosis == pytest.approx(kurtosis)
    law = node_law(nodes.experiment.net, width=4, layer=3)
    assert abs(found.kurtosis - law.kurtosis) < 6 * found.error
    assert abs(3 - law.kurtosis) > 6 * found.error
    assert abs(found.of_squares - law.of_squares) < 0.05
    for share, ring in zip(SHARES, found.radii, strict=True):
        assert np.mean(np.hypot(*h.T) <= ring) == pytest.approx(share, abs=1e-3)
    blocks = h.reshape(100, 300, 2)
    each = (blocks**4).mean(axis=(1, 2)) / (blocks**2).mean(axis=(1, 2)) ** 2
    assert found.error == pytest.approx(each.std() / 10, rel=0.5)


# --- the picture ----------------------------------------------------------------------------------


def test_bars_gaussian_and_rings_are_what_they_say(view):
    view.run(300)
    assert view.figure
    artists, h = view._artists, view.sample.nodes
    reach = artists.one.get_xlim()[1]
    edges = np.linspace(-reach, reach, 121)
    counts, _ = np.histogram(h[h[:, 0] != 0, 0], bins=edges)
    corners = artists.bars.get_path().vertices[:-1]
    heights = corners[1:-1:2, 1]
    np.testing.assert_allclose(heights, counts / (300 * (edges[1] - edges[0])), atol=1e-12)
    x, y = artists.gaussian.get_data()
    np.testing.assert_allclose(y, stats.norm(scale=math.sqrt(2)).pdf(x), rtol=1e-9)
    x, y = artists.rings.get_data()
    found = np.unique(np.hypot(x, y)[np.isfinite(x)].round(9))
    np.testing.assert_allclose(found, np.sqrt(2 * stats.chi2(2).ppf(SHARES)))
    x, y = artists.sampled_rings.get_data()
    found = np.unique(np.hypot(x, y)[np.isfinite(x)].round(9))
    np.testing.assert_allclose(found, node_statistics(view.sample).radii)
    x, y = artists.pairs.get_data()
    assert len(x) == (np.abs(h) < reach).all(axis=1).sum()


def test_the_law_waits_and_its_density_has_the_mass_of_what_lives(view):
    receive(view, "view", width=960, ratio=1)
    assert view._due()
    assert len(view._artists.law.get_xdata()) == 0
    receive(view, "finish")
    assert not view._due()
    x, y = view._artists.law.get_data()
    assert np.trapezoid(y, x) == pytest.approx(1 - 2**-5, abs=0.01)
    view.layer = 3
    assert view._due()
    view.layer = 2


def test_tails_on_a_logarithmic_axis(view):
    view.run(400)
    type_into(view, "log", "on")
    assert view.figure
    assert view._artists.one.get_yscale() == "log"
    assert (view._artists.bars.get_path().vertices[:, 1] > 0).all()
    view._moved_by_key("ArrowDown")
    assert view.log is False
    assert view.figure
    assert view._artists.one.get_yscale() == "linear"


def test_cauchy_tails_are_on_the_axis():
    view = HiddenNodesView("reciprocal", sigma_w=1.0, width=4, trials=2000)
    view.run(2000)
    assert "Cauchy, scale 2" in view.summary
    assert view.figure
    reach = view._artists.one.get_xlim()[1]
    assert 16 <= reach <= 60
    x, y = view._artists.law.get_data()
    far = np.abs(x) > 4
    np.testing.assert_allclose(y[far], stats.cauchy(scale=2).pdf(x[far]), rtol=0.05)
    assert len(view._artists.gaussian.get_xdata()) == 0
    assert "infinite" in view._artists.no_gaussian.get_text()
    assert "no variance" in " ".join(view._notes)
    view.close()


def test_a_layer_of_width_one_says_so(view):
    view.width = 1
    view.run(100)
    assert view.sample.nodes.shape == (100, 1)
    assert "has no second node" in " ".join(view._notes)
    assert view.figure
    assert "no second node" in view._artists.no_second.get_text()
    assert len(view._artists.pairs.get_xdata()) == 0
    view.width = 5
    assert view.figure
    assert view._artists.no_second.get_text() == ""


def test_layers_by_key_text_and_depth(view):
    type_into(view, "layer", "3")
    assert (view.layer, view.message) == (3, "")
    for text in ("0", "9", "1.5", "two"):
        type_into(view, "layer", text)
        assert view.message.startswith("layer must be an integer >= 1")
        assert view.layer == 3
    type_into(view, "layer", "9")
    assert view.message.endswith("<= 4, got 9; make depth larger first")
    receive(view, "key", key="End")
    assert view.layer == 4
    view.depth = 2
    assert view.layer == 2
    receive(view, "key", key="Home")
    assert view.layer == 1
    with pytest.raises(TypeError, match="log must be True or False"):
        view.log = 1


ODD = [
    ("reciprocal", {}),
    ("exp_square", {}),
    ("exp_power", {}),
    ("dirichlet", {}),
    ("heaviside", {}),
    (ll.activation("power", exponent=-0.6), {}),
    (ll.formula("x*exp(-x^2)"), {}),
    ("tanh", {"width": 10**9, "depth": 1, "layer": 1}),
    ("relu", {"width": 10**9}),
    ("relu", {"width": 1}),
    ("square", {"width": 3, "sigma_w": 4.0, "depth": 10, "layer": 10}),
    ("tanh", {"keep_probability": 0.5, "sigma_w": 1e-3}),
]


@pytest.mark.parametrize(("phi", "parameters"), ODD)
def test_odd_networks(phi, parameters, capfd):
    view = HiddenNodesView(phi, **parameters)
    receive(view, "view", width=400, ratio=2)
    view.run(60)
    for log in (True, False):
        view.log = log
        still = view.still()
        assert still["text/plain"] == view.summary
    assert "nan" not in view.summary
    assert "nan" not in " ".join(view._notes)
    assert view.message == ""
    assert 'alt="' in still["text/html"]
    assert len(still["image/png"]) > 1000
    json.dumps(still)
    view.close()
    assert capfd.readouterr() == ("", "")


def test_a_phi_that_raises_is_a_sentence(capfd):
    left = [10**9]

    def moody(x):
        left[0] -= 1
        if left[0] < 0:
            raise OSError("no more")
        return np.tanh(x)

    view = HiddenNodesView(ll.Activation(moody, name="moody"), width=50, trials=10**5)
    left[0] = 100
    while view.running:
        receive(view, "frame", slot=1)
    assert view.message.startswith("activation 'moody' raised OSError: no more")
    type_into(view, "activation", "relu")
    assert view.message == ""
    view.close()
    assert capfd.readouterr() == ("", "")


def test_summary_digits_table_and_close():
    model = Model("relu", width=7, depth=3, trials=50)
    before = sum(len(h) for kinds in model._trait_notifiers.values() for h in kinds.values())
    view = HiddenNodesView(model, presentation=True)
    view.run(50)
    words = [word.strip(",:()%") for word in view.summary.split()]
    numbers = [word for word in words if word.lstrip("-").replace(".", "").isdigit()]
    assert max(sum(c.isdigit() for c in n.lstrip("-0.")) for n in numbers) <= 4
    rows = np.loadtxt(view.saved("csv")[0].decode().splitlines(), delimiter=",", skiprows=1)
    np.testing.assert_array_equal(rows, view.sample.nodes)
    view.close()
    view.close()
    after = sum(len(h) for kinds in model._trait_notifiers.values() for h in kinds.values())
    assert after == before
    with pytest.raises(TypeError, match="shared model"):
        HiddenNodesView(model, width=3)
    with pytest.raises(ValueError, match="layer"):
        HiddenNodesView(model, layer=4)


# --- where there is no kurtosis -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phi", "layer", "sigma_w", "why"),
    [
        ("reciprocal", 2, 1.0, "the node has no variance"),
        ("tan", 3, 1.0, "the node has no variance"),
        (ll.activation("power", exponent=-0.3), 2, 1.0, "E h^4 of the node is infinite"),
        ("exp_square", 2, 1.2, "E h^4 of the node is infinite"),  # 4 c q is 0.576, 8 c q above 1
        ("exp_square", 2, 1.7, "the node has no variance"),  # 4 c q is 1.156
        ("exp_square", 3, 0.5, "the node has no variance"),  # the length of layer 2 is random
        ("square", 3, 1.0, "too rare"),
    ],
)
def test_no_kurtosis_where_there_is_none(phi, layer, sigma_w, why):
    view = HiddenNodesView(phi, layer=layer, sigma_w=sigma_w, depth=3)
    view.run(100)
    assert "kurtosis" not in view.summary
    assert "Corr" not in view.summary
    lines = [line for line in view._notes if "No kurtosis and no Corr(h_1^2, h_2^2)" in line]
    assert len(lines) == 1
    assert why in lines[0]
    assert not any("exact kurtosis" in line for line in view._notes)
    view.close()


@pytest.mark.parametrize(
    ("phi", "layer", "sigma_w"), [("relu", 3, 1.0), ("exp_square", 2, 1.1), ("log_abs", 3, 1.0)]
)
def test_a_kurtosis_where_there_is_one(phi, layer, sigma_w):
    view = HiddenNodesView(phi, layer=layer, sigma_w=sigma_w, depth=3)
    view.run(100)
    assert "kurtosis" in view.summary
    assert "Corr(h_1^2, h_2^2)" in view.summary
    assert not any("No kurtosis" in line for line in view._notes)
    view.close()


def absolute(power):
    """E |Z|^power."""
    return 2 ** (power / 2) * math.gamma((power + 1) / 2) / math.sqrt(math.pi)


@pytest.mark.parametrize("name", ["tanh", "relu", "gelu"])
def test_the_law_at_width_2_is_smooth(name):
    """A coordinate of a direction has an infinite density at its ends; lengths smooth it."""
    law = node_law(ll.Network(name, sigma_w=1.5, sigma_b=0.3), width=2, layer=4)
    x = np.linspace(-8, 8, 401)
    density = np.diff(law.cdf(x)) / np.diff(x)
    assert np.abs(np.diff(density, 2))[np.abs(x[2:-1]) > 0.3].max() < 5e-3


def test_the_kurtosis_of_powers_with_a_pole():
    """At layer 3 and width 1 too: v_3 = v_2^a |Z|^(2a), and v_2 = |Z|^(2a)."""
    net = ll.Network(ll.activation("power", exponent=-0.2))
    spread = absolute(-0.8) / absolute(-0.4) ** 2
    second = node_law(net, width=5, layer=2)
    assert second.kurtosis == pytest.approx(3 * (4 + spread) / 5, rel=1e-6)
    before = absolute(0.16) / absolute(0.08) ** 2
    third = node_law(net, width=1, layer=3)
    assert third.kurtosis == pytest.approx(3 * spread * before, rel=1e-4)


def test_the_legend_names_what_is_there():
    def names(view):
        assert view.figure
        return {text.get_text() for text in view._artists.figure.legends[0].get_texts()}

    view = HiddenNodesView("relu", depth=2)
    view.run(50)
    everything = names(view)
    gaussian = {"Gaussian, infinite width", "50, 90 % of Gaussian pairs"}
    assert gaussian | {"its exact law", "two nodes"} < everything
    view.activation = "reciprocal"
    view.run(50)
    assert everything - names(view) == gaussian
    view.activation = ll.activation("power", exponent=-0.3)
    view.run(50)
    assert everything - names(view) == {"its exact law"}
    view.activation, view.width = "relu", 1
    view.run(50)
    assert names(view) == {"one node, sampled", "its exact law", "Gaussian, infinite width"}
    view.close()


def test_a_moved_control_lends_its_limits_until_there_are_enough_networks():
    view = HiddenNodesView("tanh", sigma_w=1.5, trials=200)
    receive(view, "view", width=960, ratio=1)
    while view.running:
        receive(view, "frame", slot=1)
    limits = view._artists.one.get_xlim(), view._artists.one.get_ylim()
    for sigma_w in (1.52, 1.54, 1.56):
        view.sigma_w = sigma_w
        assert view.drawn < 40
        assert (view._artists.one.get_xlim(), view._artists.one.get_ylim()) == limits
    view.sigma_w = 6.0  # whose nodes do not fit
    assert view._artists.one.get_xlim() != limits[0]
    view.sigma_w = 1.54
    view.run(200)
    assert view.figure
    assert not view._artists.view.lent
    view.close()
