"""The model, its controls and the lab, driven as a reader does, without a browser."""

import gc
import json
import math
import sys
import warnings

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

import lengthlab as ll
from lengthlab.widgets import LengthLab, Model

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def lab():
    lab = LengthLab("tanh", sigma_w=1.5, sigma_b=0.3, width=64, depth=5, trials=300)
    yield lab
    lab.close()


def type_into(lab, name, text):
    """What the browser sends when the reader has typed."""
    lab._hear(None, {"kind": "edit", "name": name, "text": text}, [])


def press(lab, button):
    """What the browser sends when the reader has pressed a button."""
    lab._hear(None, {"kind": "press", "button": button}, [])


def frame(lab):
    """One request of the browser."""
    lab._receive(None, {"kind": "frame", "slot": 1}, [])


class TestModel:
    def test_run_draws_exactly_the_networks_of_the_seed_and_rests(self):
        model = Model("tanh", sigma_w=1.5, width=32, depth=3, seed=5)
        model.run(77)
        expected = ll.sample_lengths(model.experiment.net, width=32, depth=3, trials=77, rng=5)
        np.testing.assert_array_equal(model.experiment.lengths, expected)
        assert (model.drawn, model.running) == (77, False)

    def test_streaming_in_pieces_draws_the_same_networks(self):
        model = Model("tanh", width=32, depth=3, seed=5, trials=77)
        while model.running:
            model.advance(0.001, at_most=10)
        expected = ll.sample_lengths(model.experiment.net, width=32, depth=3, trials=77, rng=5)
        np.testing.assert_array_equal(model.experiment.lengths, expected)

    def test_changed_parameter_starts_from_nothing(self):
        model = Model("tanh", width=32, depth=3)
        model.run(50)
        before = model.generation
        model.sigma_w = 1.7
        assert (model.drawn, model.generation, model.running) == (0, before + 1, True)

    def test_a_model_paused_by_hand_stays_paused(self):
        model = Model("tanh", width=32, depth=3)
        model.running = False
        model.sigma_w = 1.7
        assert not model.running
        model.advance(0.01)
        assert model.drawn == 0
        model.resume()
        assert model.running

    def test_same_value_keeps_what_was_drawn(self):
        model = Model("tanh", sigma_w=1.5, width=32)
        model.run(50)
        model.sigma_w = 1.5
        assert model.drawn == 50

    def test_same_seed_replays_and_new_seed_shows_itself(self):
        model = Model("tanh", width=32, depth=2)
        model.run(20)
        first = model.experiment.lengths.copy()
        model.replay()
        assert model.drawn == 0
        model.run(20)
        np.testing.assert_array_equal(model.experiment.lengths, first)
        model.reseed()
        assert model.seed != 0
        model.run(20)
        assert not np.array_equal(model.experiment.lengths, first)

    def test_resume_at_the_target_doubles_it(self):
        model = Model("tanh", width=8, depth=2, trials=10)
        model.run(10)
        model.resume()
        assert (model.trials, model.running, model.drawn) == (20, True, 10)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("sigma_w", math.nan),
            ("sigma_w", 0),
            ("sigma_w", -1),
            ("sigma_w", math.inf),
            ("sigma_w", "wide"),
            ("sigma_w", None),
            ("sigma_b", -0.1),
            ("width", 0),
            ("width", 2.5),
            ("width", True),
            ("depth", 0),
            ("depth", 10**9),
            ("input_length", 0),
            ("keep_probability", 0),
            ("keep_probability", 1.5),
            ("seed", -1),
            ("trials", 0),
            ("trials", 10**12),
            ("activation", "tanhh"),
            ("activation", 3),
            ("activation", ll.Activation(lambda x: x / 0 if 1 / 0 else x, name="raises")),
            ("activation", ll.Activation(lambda x: np.full_like(x, np.nan), name="no number")),
            ("activation", ll.Activation(lambda x: x[:1], name="short")),
        ],
    )
    def test_bad_value_is_refused_in_a_sentence(self, name, value, capfd):
        model = Model("tanh", sigma_w=1.5, width=32, depth=3)
        model.run(30)
        before = {trait: getattr(model, trait) for trait in (*model.traits(), "summary")}
        setattr(model, name, value)
        assert name in model.message
        assert "\n" not in model.message
        after = {trait: getattr(model, trait) for trait in (*model.traits(), "summary")}
        assert {**after, "message": ""} == before
        good = {"activation": "relu", "sigma_w": 1.2, "sigma_b": 0.1, "trials": 70}.get(name, 1)
        setattr(model, name, good)
        assert model.message == ""
        model.run(5)
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize(
        ("error", "parameters"),
        [
            (ValueError, {"sigma_w": -1}),
            (ValueError, {"width": 0}),
            (TypeError, {"width": "wide"}),
            (ValueError, {"activation": "tanhh"}),
            (TypeError, {"wdth": 3}),
            (ValueError, {"trials": 0}),
        ],
    )
    def test_constructor_raises(self, error, parameters):
        with pytest.raises(error, match=next(iter(parameters))):
            Model(**parameters)

    def test_phi_that_raises_later_rests_with_a_sentence(self):
        calls = iter(range(10**9))

        def moody(x):
            if next(calls) > 300:
                raise RuntimeError("no more")
            return np.tanh(x)

        model = Model(ll.Activation(moody, name="moody"), width=8, depth=3, trials=10**6)
        while model.running:
            model.advance(0.05)
        assert model.message == (
            "activation 'moody' raised RuntimeError: no more; mend it or choose another"
        )
        model.activation = "relu"
        assert model.message == ""
        model.run(5)

    def test_the_next_good_value_works_after_a_failure(self):
        model = Model("tanh", width=32, depth=3, trials=50)
        model.fail(RuntimeError("no more"))
        assert not model.running
        model.activation = "relu"
        assert (model.message, model.running) == ("", True)

    def test_run_that_fails_keeps_count(self):
        left = [10**9]

        def moody(x):
            left[0] -= 1
            if left[0] < 0:
                raise OSError("no more")
            return np.tanh(x)

        model = Model(ll.Activation(moody, name="moody"), width=1000, depth=3)
        left[0] = 150
        with pytest.raises(OSError, match="no more"):
            model.run(100_000)
        assert model.drawn == model.experiment.drawn
        assert not model.running

    def test_dead_networks_are_counted(self):
        model = Model("relu", width=1, depth=8)
        model.run(100)
        zero = int((model.experiment.lengths[:, -1] == 0).sum())
        assert f"zero {zero}" in model.summary

    def test_changes_held_together(self):
        model = Model("tanh", width=32, depth=3)
        model.run(30)
        generation = model.generation
        with model.hold_trait_notifications():
            model.sigma_w = -1
            model.trials = 0
        assert (model.sigma_w, model.trials, model.drawn) == (1.0, 2000, 30)
        assert model.generation == generation
        assert model.message

    def test_running_and_good_values_take_messages_back(self):
        model = Model("tanh", width=32, depth=3)
        for way_on in (lambda: model.run(5), model.replay, model.resume):
            model.width = 0
            assert model.message
            way_on()
            assert model.message == ""

    def test_parameters_of_phi_are_named(self):
        model = Model(ll.activation("leaky_relu", slope=0.2))
        assert model.caption.startswith("leaky_relu(slope=0.2), ")

    def test_read_only_traits(self):
        model = Model()
        for name in ("drawn", "generation", "message"):
            with pytest.raises(Exception, match="read-only"):
                setattr(model, name, getattr(model, name))

    def test_infinite_lengths_are_counted(self):
        model = Model(ll.activation("exp_square", c=0.2), width=10, depth=6)
        model.run(50)
        s = model.experiment.summary(6)
        assert s.infinite > 0
        assert math.isinf(s.predicted)
        assert f"infinite {s.infinite}" in model.summary


class TestLab:
    def test_forwards_the_model(self, lab):
        lab.width = 1000
        assert lab.model.width == 1000
        lab.run(40)
        assert (lab.drawn, lab.running) == (40, False)
        assert lab.summary.startswith("tanh, sigma_w 1.5, sigma_b 0.3, width 1000, depth 5")

    def test_summary_has_at_most_four_digits(self, lab):
        lab.run(123)
        numbers = [word.strip(",:") for word in lab.summary.split()]
        digits = [sum(c.isdigit() for c in n.lstrip("0.")) for n in numbers if n[0].isdigit()]
        assert digits
        assert max(digits) <= 4

    def test_frames_run_to_the_target_and_no_further(self, lab):
        frames = 0
        while lab.running:
            frame(lab)
            frames += 1
        assert lab.drawn == 300
        assert frames >= 100  # or nobody would see it grow
        frame(lab)
        assert lab.drawn == 300

    def test_nothing_is_drawn_while_paused(self, lab):
        press(lab, "run")
        frame(lab)
        assert lab.drawn == 0
        press(lab, "run")
        for _ in range(100):  # a slow machine may need several to finish a network
            frame(lab)
        assert lab.drawn > 0

    def test_seed_buttons(self, lab):
        lab.run(10)
        first = lab.model.experiment.lengths.copy()
        press(lab, "new")
        assert lab.seed != 0
        assert lab.running
        lab.seed = 0
        press(lab, "same")
        lab.run(10)
        np.testing.assert_array_equal(lab.model.experiment.lengths, first)

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("sigma_w", "1.25", 1.25),
            ("sigma_b", "0", 0.0),
            ("width", "1e3", 1000),
            ("depth", "7", 7),
            ("trials", "50", 50),
            ("seed", "12", 12),
            ("input_length", "0.5", 0.5),
            ("keep_probability", ".8", 0.8),
            ("layer", "3", 3),
        ],
    )
    def test_typing_reaches_the_model_and_comes_back(self, lab, name, text, value):
        type_into(lab, name, text)
        assert lab.message == ""
        assert getattr(lab, name) == value
        assert lab._values[name] == value

    @pytest.mark.parametrize("text", ["", "nan", "0", "-3", "abc", "1e999", "1.5.2", "<b>"])
    def test_bad_text_becomes_a_message(self, lab, text, capfd):
        lab.run(20)
        type_into(lab, "width", text)
        assert lab.message.startswith("width must be an integer >= 1, got")
        assert (lab.width, lab.drawn) == (64, 20)
        type_into(lab, "width", "65")
        assert lab.message == ""
        assert capfd.readouterr() == ("", "")

    def test_bad_layer_is_named(self, lab):
        type_into(lab, "layer", "9")
        assert lab.message == "layer must be an integer >= 1 and <= 5, got 9"
        type_into(lab, "layer", "2")
        assert lab.message == ""

    def test_choosing_phi(self, lab):
        mine = ll.Activation(lambda x: np.sin(3 * x), name="mine")
        lab.activation = mine
        assert "mine" in lab._options["activation"]
        type_into(lab, "activation", "relu")
        assert lab.activation.name == "relu"
        type_into(lab, "activation", "mine")
        assert lab.activation is mine

    def test_activations_of_one_name_are_told_apart(self, lab):
        first, second = ll.activation("power", exponent=-0.3), ll.Activation(np.sin, name="tanh")
        for phi in (first, second):
            lab.activation = phi
        options = lab._options["activation"]
        assert {"power(exponent=-0.3)", "tanh (2)"} < set(options)
        for name, phi in [("power(exponent=-0.3)", first), ("tanh (2)", second)]:
            type_into(lab, "activation", "relu")
            type_into(lab, "activation", name)
            assert lab.activation is phi

    def test_paused_lab_shows_what_run_has_drawn(self, lab):
        sent = []
        lab._receive(None, {"kind": "view", "width": 900, "ratio": 1, "fresh": True}, [])
        lab.running = False
        lab.send = lambda content, buffers=None: sent.append(content)
        lab.run(70)
        assert ("networks drawn", "70") in sent[-1]["readout"]

    def test_big_seeds_are_kept(self, lab):
        type_into(lab, "seed", "9007199254740993")
        assert lab.seed == 9007199254740993

    def test_layer_by_click_and_keys(self, lab):
        lab._picked(lab._artists.main, 2.3, 1.0)
        assert lab.layer == 2
        lab._picked(lab._artists.detail, 4.0, 0.5)
        assert lab.layer == 2
        lab._moved_by_key("ArrowRight")
        assert lab.layer == 3
        lab._moved_by_key("End")
        assert lab.layer == 5
        lab._moved_by_key("ArrowRight")
        assert lab.layer == 5
        lab._moved_by_key("Home")
        assert lab.layer == 1
        assert lab.summary.split(": ")[1].startswith("layer 1, predicted 2.34")

    def test_layer_follows_a_smaller_depth(self, lab):
        assert lab.layer == 5
        lab.depth = 3
        assert lab.layer == 3

    def test_scale_by_hand(self, lab):
        lab.run(10)
        assert lab.figure.axes[0].get_yscale() == "linear"
        type_into(lab, "scale", "log")
        lab.still()
        assert lab.figure.axes[0].get_yscale() == "log"
        with pytest.raises(ValueError, match="scale must be one of auto, linear, log; got 'cubic'"):
            lab.scale = "cubic"

    def test_two_views_of_one_model(self):
        model = Model("tanh", width=32, depth=3, trials=20)
        left, right = LengthLab(model), LengthLab(model)
        left.sigma_w = 1.9
        assert right.sigma_w == 1.9
        assert right._values["sigma_w"] == 1.9
        press(right, "run")
        assert not left.running
        left.close()
        model.sigma_w = 1.1
        assert right._values["sigma_w"] == 1.1
        right.close()

    def test_shared_model_takes_no_parameters(self):
        with pytest.raises(TypeError, match="sigma_w"):
            LengthLab(Model(), sigma_w=2.0)

    def test_stored_picture_and_numbers(self, lab):
        lab.run(200)
        bundle, _ = lab._repr_mimebundle_()
        assert bundle["text/plain"] == lab.summary
        assert bundle["image/png"].startswith("iVBOR")
        assert "alt=" in bundle["text/html"]
        assert "tanh, sigma_w 1.5" in bundle["text/html"]
        assert json.dumps(bundle["text/plain"]).isascii()

    def test_pictures_where_there_is_no_band(self):
        for name, parameters in [("reciprocal", {}), ("exp_square", {"c": 0.2}), ("tan", {})]:
            lab = LengthLab(ll.activation(name, **parameters), width=20, depth=6)
            lab.run(30)
            notes = "\n".join(lab._notes)
            assert "No band from layer" in notes
            assert "The length map is infinite from layer" in notes
            lab.still()
            lab.close()

    def test_resizing_rearranges(self, lab):
        lab._receive(None, {"kind": "view", "width": 400, "ratio": 1, "fresh": True}, [])
        assert lab.aspect > 1
        upper, lower = (axes.get_position() for axes in lab.figure.axes)
        assert upper.y0 > lower.y1
        assert upper.width > 0.7
        lab._receive(None, {"kind": "view", "width": 900, "ratio": 2}, [])
        left, right = (axes.get_position() for axes in lab.figure.axes)
        assert left.x1 < right.x0

    def test_close_leaves_nothing(self):
        def cycle(model=None):
            lab = LengthLab(model or Model("tanh", width=16, depth=3))
            lab.run(5)
            lab._receive(None, {"kind": "view", "width": 900, "ratio": 1}, [])
            lab.close()
            lab.close()

        model = Model("tanh", width=16, depth=3)
        cycle()
        cycle(model)
        gc.collect()
        before = len(_instances), len(gc.get_objects())
        watchers = sum(len(h) for kinds in model._trait_notifiers.values() for h in kinds.values())
        for _ in range(10):
            cycle()
            cycle(model)
        gc.collect()
        assert len(_instances) == before[0]
        assert len(gc.get_objects()) - before[1] < 200
        assert watchers == sum(
            len(h) for kinds in model._trait_notifiers.values() for h in kinds.values()
        )

    def test_nothing_is_printed_or_warned(self, capfd):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for name in ("dirichlet", "exp", "log_abs", "sin_reciprocal", "heaviside", "power"):
                lab = LengthLab(name, width=3, depth=8, sigma_w=2.0)
                lab.run(20)
                lab.still()
                lab.close()
        assert capfd.readouterr() == ("", "")


def test_widgets_load_lazily():
    assert "lengthlab.widgets" in sys.modules
    assert "widgets" not in ll.__all__
