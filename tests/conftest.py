"""What all tests share: how they are dealt out to processes, and what garbage collection skips."""

import gc

import pytest

collect_ignore = ["conftest.py", "browser/conftest.py"]  # modules of one name hold no doctests


def pytest_collection_finish():
    """Leave the thousands of collected tests out of every later collection of garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Deal out whole files, and all browser tests to one process.

    They wait much and share a server; two browsers at a time only take the processors from each
    other, while the rest of the tests can use what one leaves.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduler(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            path = nodeid.split("::", 1)[0]
            return "browser" if path.startswith("tests/browser/") else path

    return Scheduler(config, log)
