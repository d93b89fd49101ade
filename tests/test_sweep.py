"""Sweeps: the same table bit for bit, whoever computes it and whatever happens to them."""

import math
import os
import pickle
import random
import signal
import sys
import threading
import time
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from dataclasses import replace

import numpy as np
import pytest

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.length_map import length_map
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network
from lengthlab.sweep import SweepError, sweep

module = sys.modules["lengthlab.sweep"]  # the package has a function of that name
NETWORKS = [
    Network("tanh", sigma_w=1.5, sigma_b=0.3),
    Network("relu", sigma_w=math.sqrt(2), keep_probability=0.8),
    Network(activation("leaky_relu", slope=0.2), input_length=0.5),
]
SHAPE = {"widths": [5, 40], "depth": 3, "trials": 60}


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Chunks of 10 trials at most: every setting has several."""
    monkeypatch.setattr(module, "_LENGTHS", 30)


@pytest.fixture(scope="module")
def here():
    """The table of this process, with the same small chunks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_LENGTHS", 30)
        return sweep(NETWORKS, **SHAPE)


def same(a, b):
    return a.dtype == b.dtype and a.tobytes() == b.tobytes()


# --- the table ------------------------------------------------------------------------------------


def test_rows_are_the_settings_in_order(here):
    assert here["activation"].tolist() == [
        *["tanh"] * 2, *["relu"] * 2, *["leaky_relu(slope=0.2)"] * 2,
    ]  # fmt: skip
    assert here["width"].tolist() == [5, 40] * 3
    assert here["keep_probability"].tolist() == [1, 1, 0.8, 0.8, 1, 1]
    assert here["sigma_b"].tolist() == [0.3, 0.3, 0, 0, 0, 0]
    assert here["input_length"].tolist() == [1, 1, 1, 1, 0.5, 0.5]
    assert (here["trials"] == 60).all()
    for net, row in zip(NETWORKS, here[::2], strict=True):
        prediction = length_map(net, depth=3)
        assert row["sigma_w"] == net.sigma_w
        np.testing.assert_array_equal(row["predicted"], prediction.values)
        np.testing.assert_array_equal(row["error"], prediction.errors)


def test_a_row_is_what_sample_lengths_draws_from_its_seeds(here):
    for row in (1, 2):
        net = NETWORKS[row // 2]
        parts = [
            sample_lengths(
                net, width=int(here["width"][row]), depth=3, trials=10,
                rng=np.random.SeedSequence(0, spawn_key=(row, chunk)),
            )
            for chunk in range(6)
        ]  # fmt: skip
        q = np.concatenate(parts)
        np.testing.assert_array_equal(here["sampled_mean"][row], q.mean(axis=0))
        np.testing.assert_allclose(here["standard_error"][row] * math.sqrt(60), q.std(0, ddof=1))
        order = np.sort(q, axis=0)
        for name, k in [("sampled_low", 2), ("sampled_median", 29), ("sampled_high", 56)]:
            np.testing.assert_array_equal(here[name][row], order[k])


def test_settings_and_seeds_differ(here):
    assert not (here["sampled_mean"][0] == here["sampled_mean"][1]).any()
    twice = sweep([NETWORKS[0]] * 2, **SHAPE)
    assert not (twice["sampled_mean"][0] == twice["sampled_mean"][2]).any()  # rows are independent
    assert same(sweep(NETWORKS, **SHAPE, rng=np.random.SeedSequence(0)), here)
    assert not same(sweep(NETWORKS, **SHAPE, rng=1), here)
    generator = np.random.default_rng(0)
    tables = [sweep(NETWORKS, **SHAPE, rng=generator) for _ in range(2)]
    assert not same(*tables)


def test_infinities_are_inf_and_never_nan():
    networks = [Network("exp", sigma_w=2.0), Network("reciprocal"), Network("tanh", sigma_w=1e200)]
    table = sweep(networks, widths=[3], depth=6, trials=20)
    for name in table.dtype.names[1:]:
        assert not np.isnan(table[name]).any()
    assert table["infinite_trials"][0, -1] > 0
    assert math.isinf(table["standard_error"][0, -1])
    assert table["first_overflow"].tolist() == [3, 0, 1]
    assert table["first_infinite"].tolist() == [0, 2, 0]
    one = sweep([Network("tanh")], widths=[3], depth=1, trials=1)
    assert np.isinf(one["standard_error"]).all()
    assert one["sampled_low"] == one["sampled_high"] == one["sampled_mean"]


def test_default_chunks_depend_on_the_size_alone(monkeypatch):
    monkeypatch.setattr(module, "_LENGTHS", 2**17)
    seed = np.random.SeedSequence(0)

    def sizes(net, width, depth, trials):
        return [c.trials for c in module._Setting(net, width, depth, trials).chunks(0, seed)][1:]

    assert sizes(Network("tanh"), 1000, 10, 4000) == [1677, 1677, 646]
    assert sizes(Network("tanh"), 10**9, 10, 3) == [1, 1, 1]
    assert sizes(Network("relu"), 10**12, 10, 20_000) == [13107, 6893]  # width costs nothing


# --- whoever computes -----------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_threads(here, workers):
    with ThreadPoolExecutor(workers) as pool:
        assert same(sweep(NETWORKS, **SHAPE, executor=pool), here)


def test_processes(here, monkeypatch):
    monkeypatch.setattr(module, "_IN_FLIGHT", 5)
    with ProcessPoolExecutor(2) as pool:
        assert same(sweep(NETWORKS, **SHAPE, executor=pool), here)


class Shuffled(Executor):
    """Runs what it was given when it holds enough, in random order; loses some of it on the way."""

    def __init__(self, seed, holds=7, cancels=0.0, breaks=0.0, closes_after=math.inf):
        self.random, self.holds, self.cancels, self.breaks = (
            random.Random(seed),
            holds,
            cancels,
            breaks,
        )
        self.left, self.tasks, self.submitted = closes_after, [], 0
        self.lock = threading.Lock()

    def submit(self, fn, /, *args, **kwargs):
        if self.submitted >= self.left:
            raise RuntimeError("cannot schedule new futures after shutdown")
        self.submitted += 1
        future = Future()
        self.tasks.append((future, fn, args, kwargs))
        threading.Thread(target=self.turn).start()
        return future

    def turn(self):
        time.sleep(0.001)
        with self.lock:
            future, fn, args, kwargs = self.tasks.pop(self.random.randrange(len(self.tasks)))
        fate = self.random.random()
        if fate < self.cancels:
            future.cancel()
        elif fate < self.cancels + self.breaks:
            future.set_exception(BrokenExecutor("the worker is gone"))
        else:
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:
                future.set_exception(error)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "fate", [{}, {"cancels": 0.3}, {"breaks": 0.3}, {"cancels": 1.0}, {"closes_after": 11}]
)
def test_any_order_and_any_loss(here, seed, fate):
    assert same(sweep(NETWORKS, **SHAPE, executor=Shuffled(seed, **fate)), here)


def test_a_pool_that_is_shut_down_on_the_way(here):
    """Its waiting futures are cancelled without a word to `concurrent.futures.wait`."""
    pool = ThreadPoolExecutor(1)
    told = []

    def progress(done, total):
        told.append((done, total))
        if len(told) == 5:
            pool.shutdown(wait=False, cancel_futures=True)

    assert same(sweep(NETWORKS, **SHAPE, executor=pool, progress=progress), here)
    assert told[-1] == (360, 360)


class DiesOnce:
    """phi(x) = tanh(x); the first worker that meets a mark in a file is killed."""

    def __init__(self, mark):
        self.mark, self.home = mark, os.getpid()

    def __call__(self, x):
        if os.getpid() != self.home:
            try:
                os.remove(self.mark)
            except FileNotFoundError:
                return np.tanh(x)
            os.kill(os.getpid(), signal.SIGKILL)
        return np.tanh(x)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_process_of_a_pool_is_killed(tmp_path):
    mark = tmp_path / "mark"
    networks = [Network(Activation(DiesOnce(str(mark)), name="dies")), NETWORKS[0]]
    expected = sweep(networks, **SHAPE)
    mark.touch()
    with ProcessPoolExecutor(2) as pool:
        assert same(sweep(networks, **SHAPE, executor=pool), expected)
    assert not mark.exists()  # it was met


@pytest.fixture(scope="module")
def client():
    """Two worker processes of a real cluster, on this machine alone."""
    distributed = pytest.importorskip("distributed", reason="needs the extra `dask`")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_a_cluster(here, client):
    assert same(sweep(NETWORKS, **SHAPE, executor=client), here)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.filterwarnings("ignore")
def test_a_worker_of_a_cluster_is_killed(client):
    """In the middle, with its answers: another computes them again."""
    shape = {"widths": [300, 1500], "depth": 10, "trials": 200}
    expected = sweep(NETWORKS, **shape)
    workers = client.run(os.getpid)
    assert len(workers) == 2
    killed = []

    def progress(done, total):
        if done > total / 5 and not killed:
            killed.append(next(iter(workers.values())))
            os.kill(killed[0], signal.SIGKILL)

    assert same(sweep(NETWORKS, **shape, executor=client, progress=progress), expected)
    assert killed
    assert killed[0] not in client.run(os.getpid).values()


@pytest.mark.filterwarnings("ignore")
def test_a_client_that_is_closed_on_the_way(here, client):
    """Its futures would keep silent for ever."""
    distributed = pytest.importorskip("distributed")
    other, told = distributed.Client(client.cluster.scheduler_address), []

    def progress(done, total):
        told.append(done)
        if len(told) == 5:
            other.close()

    assert same(sweep(NETWORKS, **SHAPE, executor=other, progress=progress), here)
    assert told[-1] == 360


def test_functions_without_a_name_reach_a_cluster(client):
    networks = [Network(Activation(lambda x: np.tanh(2 * x), name="local"))]
    assert same(sweep(networks, **SHAPE, executor=client), sweep(networks, **SHAPE))


# --- what fails -----------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor, Shuffled])
def test_one_failure_loses_nothing_else(here, executor):
    root = Network(Activation(np.sqrt, name="root"))
    networks = [NETWORKS[0], root, NETWORKS[1]]
    pool = None if executor is None else executor(2)
    with pytest.raises(SweepError) as caught:
        sweep(networks, **SHAPE, executor=pool)
    failures, table = caught.value.failures, caught.value.table
    assert sorted(failures) == [2, 3]
    assert all(isinstance(error, ValueError) for error in failures.values())
    assert table["activation"].tolist() == ["tanh"] * 2 + ["relu"] * 2
    assert same(table[:2], here[:2].astype(table.dtype))  # to the bit; the labels are shorter
    text = str(caught.value)
    assert text.startswith("2 of 6 settings failed, first row 2, root at width 5: ValueError(")
    assert "got nan at x = " in text
    assert caught.value.__cause__ is failures[2]


def test_all_may_fail():
    with pytest.raises(SweepError) as caught:
        sweep([Network(Activation(np.sqrt, name="root"))], **SHAPE)
    assert caught.value.table.shape == (0,)


def test_an_interrupt_stops_at_once():
    def progress(done, total):
        raise KeyboardInterrupt

    for executor in (None, ThreadPoolExecutor(2)):
        with pytest.raises(KeyboardInterrupt):
            sweep(NETWORKS, **SHAPE, executor=executor, progress=progress)


# --- pickles --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", catalogue())
def test_the_catalogue_can_be_sent(name):
    phi = activation(name)
    again = pickle.loads(pickle.dumps(phi))
    assert (again.label, again.kinks, again.poles) == (phi.label, phi.kinks, phi.poles)
    x = np.linspace(-3, 3, 41)
    np.testing.assert_array_equal(again(x), phi(x))
    assert (again.mean_square is None) == (phi.mean_square is None)


def test_parameters_and_networks_can_be_sent():
    net = Network(activation("power", exponent=-0.2), sigma_w=1.5, sigma_b=0.2)
    again = pickle.loads(pickle.dumps(net))
    assert again.activation.label == "power(exponent=-0.2)"
    assert (again.sigma_w, again.sigma_b) == (1.5, 0.2)
    assert pickle.loads(pickle.dumps(Activation(np.tanh, name="mine")))(1.0) == np.tanh(1.0)


@pytest.mark.parametrize(
    "phi",
    [
        Activation(lambda x: x, name="relu"),
        replace(activation("relu"), kinks=(1.0,)),
        replace(activation("relu"), into=lambda x, out: out.fill(3.0)),
    ],
)
def test_what_only_bears_the_name_of_an_entry_is_not_sent_as_one(phi):
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(phi)


def test_functions_without_a_name_are_refused_with_the_way_out():
    message = (
        r"networks must be such that other processes can load them, got <Activation local> with "
        r"functions that cannot be pickled \(.*\); write phi as a function of a module, or use a "
        r"ThreadPoolExecutor"
    )
    networks = [Network(Activation(lambda x: x, name="local"))]
    with ProcessPoolExecutor(1) as pool, pytest.raises(ValueError, match=message):
        sweep(networks, **SHAPE, executor=pool)


# --- progress and arguments -----------------------------------------------------------------------


def test_progress_is_told_and_nothing_is_printed(here, capfd):
    told = []
    assert same(sweep(NETWORKS, **SHAPE, progress=lambda *numbers: told.append(numbers)), here)
    assert told[-1] == (360, 360)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    for progress in (True, False):  # stderr is no terminal
        assert same(sweep(NETWORKS, **SHAPE, progress=progress), here)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"networks": []}, ValueError, "networks must hold a Network at least, got none"),
        ({"networks": "tanh"}, TypeError, "networks must be a list of Network, got 'tanh'"),
        ({"networks": NETWORKS[0]}, TypeError, r"networks must be a list .*; write \[Network\("),
        ({"networks": 3}, TypeError, "networks must be a list of Network, got 3"),
        ({"networks": ["tanh"]}, TypeError, r"networks must be .*, got 'tanh' among them; write N"),
        ({"networks": np.array(3)}, TypeError, r"networks must be a list of Network, got array\(3"),
        ({"networks": [3]}, TypeError, "networks must be a list of Network, got 3 among them"),
        ({"widths": np.array(3)}, TypeError, r"widths must be a list of integers, got array\(3"),
        ({"widths": 5}, TypeError, r"widths must be a list of integers, got 5; write \[5\]"),
        ({"widths": "5"}, TypeError, "widths must be a list of integers, got '5'"),
        ({"widths": []}, ValueError, "widths must hold a width at least, got none"),
        ({"widths": [0]}, ValueError, "width must be an integer >= 1 .*, got 0"),
        ({"widths": [1.5]}, TypeError, r"width must be an integer >= 1 .*, got 1\.5"),
        ({"depth": 10**400}, ValueError, "depth must be an integer >= 1 and <= "),
        ({"trials": 10**400}, ValueError, "trials must be an integer >= 1 and <= "),
        ({"depth": 0}, ValueError, "depth must be an integer >= 1 .*, got 0"),
        ({"trials": 0}, ValueError, "trials must be an integer >= 1 .*, got 0"),
        ({"trials": "9"}, TypeError, "trials must be an integer >= 1 .*, got '9'"),
        ({"rng": -3}, ValueError, "rng must be an integer >= 0.*, got -3"),
        ({"executor": 2}, TypeError, r"executor must be None, a concurrent\.futures\.Executor or"),
        ({"executor": "dask"}, TypeError, "executor must be None, .*, got 'dask'"),
        ({"progress": 1}, TypeError, "progress must be True, False or a function .*, got 1"),
    ],
)
def test_bad_arguments(arguments, error, message):
    call = {"networks": NETWORKS, "widths": [3], "depth": 2, "trials": 2} | arguments
    with pytest.raises(error, match=message):
        sweep(call.pop("networks"), **call)
