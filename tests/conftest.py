"""What all tests share."""

import gc


def pytest_collection_finish():
    """Leave the thousands of collected tests out of every later collection of garbage."""
    gc.collect()
    gc.freeze()
