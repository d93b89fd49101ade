import base64
import gc
import json
import threading
import weakref

import ipywidgets
import numpy as np
import pytest
from matplotlib.figure import Figure

from lengthlab.live import LiveFigure, figure
from lengthlab.live import __all__ as public

VIEW = {"kind": "view", "width": 400, "ratio": 1, "fresh": True}
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def make():
    """Live figures with one line on two axes, and what each has sent."""
    made = []

    def make(**options):
        plot = Figure(figsize=(4, 2))
        (line,) = plot.subplots(1, 2)[0].plot([0, 1], [0, 1])
        live = LiveFigure(plot, [line], **options)
        live.line, live.sent = line, []
        live.send = lambda content, buffers: live.sent.append({**content, "buffers": buffers})
        made.append(live)
        return live

    yield make
    for live in made:
        live.close()


def ask(live, **content):
    """What the figure sends when the browser's message arrives."""
    live.sent.clear()
    live._receive(live, content, [])
    return list(live.sent)


def test_the_package_exports_its_names():
    assert public == ["LiveFigure", "UnsupportedArtistError"]


def test_a_new_view_gets_the_whole_figure_at_its_size(make):
    live = make()
    (message,) = ask(live, **{**VIEW, "width": 600, "ratio": 2})
    assert message["still"]["size"] == (1200, 600)
    assert message["slot"] is None
    assert list(message["still"]["units"]) == [0, 1, 2]


def test_each_request_is_answered_in_its_slot(make):
    live = make()
    ask(live, **VIEW)
    (message,) = ask(live, kind="frame", slot=7)
    assert message["slot"] == 7
    assert message["still"] is None
    assert len(message["buffers"][0]) == 9 * message["count"]


def test_messages_are_strict_json(make):
    live = make(readout=lambda: [("q", 1.5)], generation=lambda: np.int64(3))
    (message,) = ask(live, **VIEW)
    header = {key: value for key, value in message.items() if key != "buffers"}
    assert json.loads(json.dumps(header, allow_nan=False))["readout"] == [["q", "1.5"]]
    assert message["generation"] == 3


def test_work_is_done_only_while_running(make):
    budgets = []
    live = make(advance=budgets.append)
    ask(live, **VIEW)
    ask(live, kind="frame", slot=1)
    assert budgets == []
    live.running = True
    ask(live, kind="frame", slot=2)
    assert budgets == [figure.BUDGET]


def test_the_budget_is_small_while_a_control_moves(make, monkeypatch):
    now = 100.0
    monkeypatch.setattr(figure.time, "monotonic", lambda: now)
    live = make()
    assert live.budget == figure.BUDGET
    live.refresh()
    assert live.budget == figure.HASTY_BUDGET
    now += 2 * figure.HASTE
    assert live.budget == figure.BUDGET


def test_artists_are_updated_before_every_recording(make):
    live = make(update=lambda: live.line.set_ydata([1, 0]))
    ask(live, **VIEW)
    assert list(live.line.get_ydata()) == [1, 0]


def test_refresh_sends_a_frame_that_frees_no_slot(make):
    live = make()
    live.refresh()
    assert live.sent == []  # nobody looks
    ask(live, **VIEW)
    live.sent.clear()
    live.line.axes.set_xlim(0, 5)
    live.refresh()
    (message,) = live.sent
    assert message["slot"] is None
    assert list(message["still"]["units"]) == [1]


def test_relayout_sends_the_whole_figure(make):
    live = make()
    ask(live, **VIEW)
    live.sent.clear()
    live.relayout()
    assert live.sent[0]["still"]["base"] == 0


def test_a_request_is_answered_when_the_work_fails(make, capsys):
    errors = []

    def fail(seconds):
        raise ArithmeticError("no q")

    live = make(advance=fail, on_error=errors.append, running=True)
    ask(live, **VIEW)
    (message,) = ask(live, kind="frame", slot=3)
    assert message["slot"] == 3
    assert message["error"] == ""
    assert [type(error) for error in errors] == [ArithmeticError]
    assert not live.running
    assert capsys.readouterr() == ("", "")


def test_without_a_listener_an_error_is_sent_to_be_shown(make):
    live = make(update=lambda: 1 / 0)
    (message,) = ask(live, **VIEW)
    assert message["error"] == "division by zero"


@pytest.mark.parametrize("message", [{"kind": "view"}, {"kind": "pick", "x": None}, {"kind": "?"}])
def test_messages_that_make_no_sense_harm_nothing(make, message, capsys):
    live = make(on_error=lambda error: None)
    ask(live, **message)
    assert ask(live, **VIEW)[0]["still"]["base"] == 0
    assert capsys.readouterr() == ("", "")


def test_what_a_failure_kept_back_can_be_asked_for(make):
    readings = iter([[], ArithmeticError("no q"), [], []])

    def read():
        reading = next(readings)
        if isinstance(reading, Exception):
            raise reading
        return reading

    live = make(readout=read, on_error=lambda error: None)
    ask(live, **VIEW)
    live.line.axes.set_xlim(0, 5)
    assert "number" not in ask(live, kind="frame", slot=1)[0]
    (message,) = ask(live, kind="frame", slot=2)
    assert (message["number"], message["still"]) == (2, None)  # a browser with number 1 asks anew
    assert ask(live, **VIEW)[0]["still"]["base"] == 0


def test_the_owner_may_set_the_aspect_when_the_width_is_known(make):
    widths = []

    def narrow(width):
        widths.append(width)
        live.aspect = 2.0 if width < 500 else 0.5

    live = make(on_resize=narrow)
    (message,) = ask(live, **VIEW)
    assert message["still"]["size"] == (400, 800)
    (message,) = ask(live, **{**VIEW, "width": 600})
    assert message["still"]["size"] == (600, 300)
    assert widths == [400, 600]


def test_a_new_aspect_is_shown_at_once(make):
    live = make()
    ask(live, **VIEW)
    live.sent.clear()
    live.aspect = 1
    assert live.sent[0]["still"]["size"] == (400, 400)


def test_absurd_sizes_are_limited(make):
    live = make(aspect=1)
    (message,) = ask(live, **{**VIEW, "width": 1e9, "ratio": 1e9})
    assert message["still"]["size"] == (4096 * 4, 4096 * 4)


def test_moving_artists_can_be_replaced(make):
    live = make()
    ask(live, **VIEW)
    (other,) = live.figure.axes[1].plot([0, 1], [1, 0])
    live.moving = [other]
    assert live.moving == (other,)
    assert not live.line.get_animated()
    assert len(ask(live, kind="frame", slot=1)[0]["moving"]) == 1


def test_a_click_arrives_in_data_coordinates(make):
    picks = []
    live = make(on_pick=lambda *pick: picks.append(pick))
    assert live._takes_picks
    assert not live._takes_keys
    ask(live, **VIEW)
    axes = live.figure.axes[1]
    axes.set(yscale="log", ylim=(1, 100), xlim=(0, 4))
    box = axes.get_position()
    at = {"x": box.x0 + box.width / 4, "y": 1 - (box.y0 + box.height / 2)}
    ask(live, kind="pick", **at)
    assert picks[0][0] is axes
    np.testing.assert_allclose(picks[0][1:], (1, 10))
    ask(live, kind="pick", x=0, y=0)
    assert len(picks) == 1


def test_keys_arrive(make):
    keys = []
    live = make(on_key=keys.append)
    assert live._takes_keys
    ask(live, kind="key", key="ArrowLeft")
    assert keys == ["ArrowLeft"]


def test_the_still_picture_says_the_same_in_three_ways(make):
    live = make(alt='a "line" <up>', summary=lambda: "q = 1.5")
    still = live.still()
    assert still["text/plain"] == "q = 1.5"
    assert base64.b64decode(still["image/png"]).startswith(b"\x89PNG")
    assert 'alt="a &quot;line&quot; &lt;up&gt;"' in still["text/html"]
    assert still["image/png"] in still["text/html"]
    assert make(alt="a line").still()["text/plain"] == "a line"


def test_the_display_has_the_view_and_the_still_picture(make):
    live = make(update=lambda: live.line.set_ydata([1, 0]), summary=lambda: "q = 1.5")
    data, _ = live._repr_mimebundle_()
    assert data[WIDGET]["model_id"] == live.model_id
    assert data["text/plain"] == "q = 1.5"
    assert list(live.line.get_ydata()) == [1, 0]


def test_pictures_take_the_options_of_savefig(make):
    assert make().png(format="svg").startswith(b"<?xml")


def test_what_the_owner_gives_runs_under_its_lock(make):
    lock = threading.RLock()
    held = []
    live = make(lock=lock, advance=lambda seconds: held.append(lock._is_owned()), running=True)
    ask(live, **VIEW)
    ask(live, kind="frame", slot=1)
    assert held == [True]


def test_the_front_end_is_one_string_for_all(make):
    one, other = make(), make()
    assert one._front_end is other._front_end
    assert one._esm is other._esm
    assert isinstance(one._esm, str)


def test_a_closed_figure_leaves_nothing(make):
    def widgets():
        return len(ipywidgets.widget._instances)

    before = widgets()
    plot = Figure()
    (line,) = plot.subplots().plot([0, 1], [0, 1])
    live = LiveFigure(plot, [line])
    live._receive(live, VIEW, [])
    live.close()
    live.close()
    assert widgets() == before
    assert not line.get_animated()
    with pytest.raises(RuntimeError, match="closed"):
        live.png()
    live.refresh()
    gone = weakref.ref(live), weakref.ref(plot)
    del live, plot, line
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


def test_many_closed_figures_leave_no_objects():
    def cycle():
        plot = Figure(figsize=(2, 1))
        live = LiveFigure(plot, plot.subplots().plot([0, 1], [0, 1]))
        live._receive(live, VIEW, [])
        live.close()

    def objects():
        gc.collect()
        return len(gc.get_objects())

    cycle()
    before = objects()
    for _ in range(10):
        cycle()
    assert objects() - before < 20  # one figure alone is hundreds
