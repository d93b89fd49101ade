"""A thousand widgets opened and closed leave nothing behind."""

import gc
import sys

import psutil
import pytest
from ipywidgets.widgets.widget import _instances

from lengthlab.widgets import VIEWS, Model

pytestmark = pytest.mark.filterwarnings("error")

TIMES = -(-1000 // len(VIEWS))
MOST_BYTES = 25e6  # of the process, for each kind: what is made once, and no 91 figures of 0.2 MB


def held():
    """Objects, blocks of memory and widgets that are alive."""
    for _ in range(3):
        gc.collect()
    return len(gc.get_objects()), sys.getallocatedblocks(), len(_instances)


def observers(model):
    return sum(len(h) for by_type in model._trait_notifiers.values() for h in by_type.values())


def open_and_close(view, model):
    made = view(model)
    made._receive(None, {"kind": "view", "width": 500, "ratio": 1}, [])
    made._receive(None, {"kind": "frame", "slot": 1}, [])
    made.close()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_closed_widgets_leave_nothing(view):
    model = Model("tanh", sigma_w=1.5, sigma_b=0.3, width=20, depth=3, trials=10)
    for _ in range(5):
        open_and_close(view, model)
    watching, before = observers(model), held()
    resident = psutil.Process().memory_info().rss
    for _ in range(TIMES):
        open_and_close(view, model)
    after = held()
    assert after[2] == before[2]
    assert observers(model) == watching
    assert model._sources == []
    assert model._watchers == 0
    # Caches of matplotlib and numpy come to rest; one object a widget would be seen.
    assert after[0] - before[0] < TIMES / 2
    assert after[1] - before[1] < 10 * TIMES  # a figure that stays holds thousands
    assert psutil.Process().memory_info().rss - resident < MOST_BYTES
