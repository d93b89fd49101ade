"""One generation of a model: its parameters, and what is drawn with them."""

import functools
import time
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from numpy.typing import ArrayLike

from lengthlab.activations import Activation, Array
from lengthlab.blocks import cores
from lengthlab.checks import check_count
from lengthlab.convergence import Experiment
from lengthlab.length_process import LengthProcess
from lengthlab.network import Network

PARAMETERS = (
    "activation",
    "sigma_w",
    "sigma_b",
    "width",
    "depth",
    "input_length",
    "keep_probability",
    "seed",
)
"""Each starts a new generation when it changes."""
_DEEPEST = 1000
_SLOWEST = 1.0  # seconds that a reader's own phi may take for one call


@dataclass(frozen=True)
class Run:
    """One generation: accepted parameters, and what was made of them."""

    values: dict[str, Any]
    experiment: Experiment
    process: LengthProcess = field(repr=False)

    @property
    def drawn(self) -> int:
        """Networks drawn."""
        return self.experiment.drawn

    def advance(self, seconds: float, trials: int) -> None:
        """Draw networks for about so long, until there are `trials`."""
        wanted = trials - self.drawn
        if wanted > 0:
            self.experiment.add(self.process.advance(seconds, trials=wanted))


class Source(Protocol):
    """What a view draws at random besides the model's networks, anew for each generation.

    It is drawn with the model's seed, in its own stream; its first draws do not depend on how the
    calls are cut.
    """

    @property
    def drawn(self) -> int:
        """Trials that are complete."""

    def restart(self, run: Run) -> None:
        """Begin anew with the parameters of a generation; quick: a control may be moving."""

    def advance(self, seconds: float, trials: int) -> None:
        """Draw for about so long, until there are `trials`."""


def start(values: dict[str, Any]) -> Run:
    """Make what a generation needs of its parameters.

    Parameters
    ----------
    values : dict
        By the names of `PARAMETERS`, as somebody set them.

    Returns
    -------
    Run

    Raises
    ------
    TypeError, ValueError
        If a value breaks its rule.
    Exception
        What phi raises.
    """
    phi = values["activation"]
    net = Network(
        _watched(phi) if isinstance(phi, Activation) else phi,
        sigma_w=values["sigma_w"],
        sigma_b=values["sigma_b"],
        input_length=values["input_length"],
        keep_probability=values["keep_probability"],
    )
    width, depth = check_count("width", values["width"]), check_count("depth", values["depth"])
    if depth > _DEEPEST:
        msg = f"depth must be an integer >= 1 and <= {_DEEPEST}, got {depth}; use sample_lengths"
        raise ValueError(msg)
    seed = check_count("seed", values["seed"], minimum=0)
    accepted = {name: getattr(net, name, None) for name in PARAMETERS}
    accepted |= {"width": width, "depth": depth, "seed": seed}
    if isinstance(phi, Activation):
        accepted["activation"] = phi
    # One core stays free: the browser paints while the kernel draws.
    threads = max(1, cores() - 1)
    process = LengthProcess(net, width=width, depth=depth, rng=seed, threads=threads)
    return Run(accepted, Experiment(net, width=width, depth=depth), process)


@functools.lru_cache(maxsize=8)
def _watched(phi: Activation) -> Activation:
    """Return phi as it is drawn: a Python function of the reader's must not hold up the picture."""
    if phi.into is not None or phi.expression:
        return phi

    def function(x: Array) -> ArrayLike:
        start = time.perf_counter()
        values = phi.function(x)
        took = time.perf_counter() - start
        if took > _SLOWEST:
            msg = (
                f"activation {phi.name!r} took {took:.1f} s for one call, with {x.size} numbers; "
                "write it with numpy's elementwise functions, or choose another"
            )
            raise ValueError(msg)
        return values

    return replace(phi, function=function)
