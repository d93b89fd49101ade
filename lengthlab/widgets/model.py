"""The model behind the widgets: parameters, the networks drawn so far, and what is wrong."""

import threading
from typing import Any

import numpy as np
import traitlets

from lengthlab.activations import Activation
from lengthlab.checks import check_count
from lengthlab.convergence import Experiment
from lengthlab.widgets.run import PARAMETERS, Run, Source, start
from lengthlab.widgets.words import caption, describe_layer

_DEFAULTS = dict(zip(PARAMETERS, ("tanh", 1.0, 0.0, 100, 10, 1.0, 1.0, 0), strict=True))
_MOST_LENGTHS = 20_000_000  # 160 MB


class _Parameter(traitlets.Any):
    """A trait of any kind: the model's validators judge it, None too."""

    allow_none = False


class Model(traitlets.HasTraits):
    """Random networks, drawn one after the other, beside their prediction; widgets are its views.

    It needs no browser. A bad value for a parameter is refused: the old one stays, and `message`
    says what is wrong and the way out. A changed parameter starts from nothing.

    Parameters
    ----------
    activation : str or Activation
        phi: a name of the catalogue, or an `Activation`.
    **traits
        Any of the traits below that can be set.

    Attributes
    ----------
    activation : Activation
        Set by name or as an object.
    sigma_w, sigma_b, input_length, keep_probability : float
        As in `Network`.
    width, depth : int
        Units a layer and number of layers, ``>= 1``.
    seed : int
        Of the stream of networks, ``>= 0``.
    trials : int
        How many networks to draw before it rests, ``>= 1``.
    running : bool
        Whether it draws when a view asks for more.
    drawn, generation : int
        Networks drawn with the present parameters, and how often these were started. Read-only.
    message : str
        What is wrong, or "". Read-only.

    Raises
    ------
    TypeError, ValueError
        By the constructor only, if a parameter breaks its rule.

    Examples
    --------
    >>> model = Model("tanh", sigma_w=1.5, sigma_b=0.3, width=64, depth=4)
    >>> model.run(200)
    >>> model.drawn
    200
    >>> model.sigma_w = -1
    >>> model.message
    'sigma_w must be a finite number > 0, got -1'
    >>> model.sigma_w
    1.5
    """

    activation = _Parameter()
    sigma_w = _Parameter()
    sigma_b = _Parameter()
    width = _Parameter()
    depth = _Parameter()
    input_length = _Parameter()
    keep_probability = _Parameter()
    seed = _Parameter()
    trials = _Parameter()
    running = traitlets.Bool(True)
    drawn = traitlets.Int(0, read_only=True)
    generation = traitlets.Int(0, read_only=True)
    message = traitlets.Unicode("", read_only=True)

    def __init__(self, activation: str | Activation = "tanh", **traits: Any) -> None:
        settable = {*PARAMETERS, "trials", "running"}
        for name in set(traits) - settable:
            msg = f"Model takes {', '.join(sorted(settable))}; got {name}={traits[name]!r}"
            raise TypeError(msg)
        self.lock = threading.RLock()
        self._rests = False  # stopped at a target, not by hand
        self._sources: list[Source] = []
        self._watchers = 0  # of the model's own networks
        trials, running = traits.pop("trials", 2000), traits.pop("running", True)
        if not isinstance(running, bool):
            msg = f"running must be True or False, got {running!r}"
            raise TypeError(msg)
        self._run = start({**_DEFAULTS, **traits, "activation": activation})
        self._shown = self._run  # the one that the present generation is of
        self._trials = _check_trials(trials, self._run.values["depth"])
        super().__init__(**self._run.values, trials=self._trials, running=running)

    # What a view uses

    @property
    def experiment(self) -> Experiment:
        """The networks drawn so far, with their prediction."""
        return self._run.experiment

    @property
    def caption(self) -> str:
        """The parameters, in one line."""
        return caption(self._run.values)

    def captioned(self, *counts: str) -> str:
        """Say the parameters in one line, of width, depth and seed only those named."""
        return caption(self._run.values, counts)

    @property
    def summary(self) -> str:
        """One line of numbers: the parameters, the networks drawn, the last layer."""
        return f"{self.caption}: {describe_layer(self.experiment, self.experiment.depth)}"

    def enlist(self, source: Source | None) -> None:
        """Draw `source` too, for a view that shows it; None: the model's own networks.

        Where no view shows these they are not drawn.
        """
        with self.lock:
            if source is None:
                self._watchers += 1
            else:
                self._sources.append(source)
                source.restart(self._run)
            self._count()
            if self._rests and self.drawn < self.trials:
                self.running = True

    def dismiss(self, source: Source | None) -> None:
        """Draw `source` no more: its view was closed."""
        with self.lock:
            if source is None:
                self._watchers -= 1
            else:
                self._sources.remove(source)
            self._count()

    def run(self, trials: int) -> None:
        """Start again from the seed, draw exactly so many networks, and rest.

        Parameters
        ----------
        trials : int
            ``>= 1``.

        Raises
        ------
        TypeError, ValueError
            If `trials` is no count, or what phi raises.
        """
        with self.lock:
            trials = _check_trials(trials, self._run.values["depth"])
            self.replay()
            try:
                for source in self._drawing():
                    while source.drawn < trials:
                        source.advance(1.0, trials)
            finally:  # also where phi raises, or the reader interrupts
                self._count()
                self._rest()

    def replay(self) -> None:
        """Start again from the same seed."""
        with self.lock:
            self.set_trait("message", "")
            self._run = start(self._run.values)
            self._renew()

    def reseed(self) -> None:
        """Start again from a new seed, which `seed` then shows."""
        self.seed = int(np.random.default_rng().integers(1_000_000))

    def resume(self) -> None:
        """Draw on; at the target, as many networks again."""
        with self.lock:
            self.set_trait("message", "")
            if self.drawn >= self.trials:
                self.trials = 2 * self.drawn
            self.running = self.drawn < self.trials

    def advance(self, seconds: float, *, at_most: int | None = None) -> None:
        """Draw networks for about so long, if it is running; at `trials` it rests.

        Parameters
        ----------
        seconds : float
            ``> 0``. What phi raises meanwhile goes into `message`.
        at_most : int, optional
            Draw no more networks than this.
        """
        with self.lock:
            if not self.running:
                return
            goal = min(self.trials, self.drawn + (at_most or self.trials))
            wanting = [source for source in self._drawing() if source.drawn < goal]
            try:
                for source in wanting:
                    source.advance(seconds / len(wanting), goal)
            except Exception as error:
                self.fail(error)
                return
            self._count()
            if self.drawn >= self.trials:
                self._rest()

    def fail(self, error: Exception) -> None:
        """Rest, and say why in `message`; the next good parameter goes on."""
        self.set_trait("message", self._sentence(error))
        self._rest()

    def complain(self, sentence: str) -> None:
        """Put a view's sentence into `message`; "" takes it back."""
        self.set_trait("message", sentence)

    # Changes

    @traitlets.validate(*PARAMETERS)
    def _accept(self, proposal: Any) -> Any:
        """Make the run of the new parameters before the old one is given up."""
        name, value = proposal["trait"].name, proposal["value"]
        with self.lock:
            present = self._run.values[name]
            if value is present:  # also while the constructor fills the traits
                self.set_trait("message", "")
                return value
            try:
                run = start({**self._run.values, name: value})
                if name == "depth":
                    _check_lengths(self._trials, run.values["depth"])
            except Exception as error:
                self.set_trait("message", self._sentence(error, value))
                return present
            self.set_trait("message", "")
            if run.values[name] == present:
                return present
            self._run = run
            return run.values[name]

    @traitlets.observe(*PARAMETERS)
    def _restarted(self, change: Any) -> None:
        if self._run is not self._shown:
            self._renew()

    @traitlets.validate("trials")
    def _accept_trials(self, proposal: Any) -> Any:
        try:
            self._trials = _check_trials(proposal["value"], self._run.values["depth"])
        except (TypeError, ValueError) as error:
            self.set_trait("message", str(error))
        else:
            self.set_trait("message", "")
        return self._trials

    @traitlets.observe("trials")
    def _retargeted(self, change: Any) -> None:
        if self._rests and self.drawn < self.trials:
            self.running = True

    @traitlets.observe("running")
    def _started_or_stopped(self, change: Any) -> None:
        self._rests = False  # by hand; _rest says otherwise

    def _drawing(self) -> list[Source | Run]:
        """List what is drawn: the model's own networks if a view shows them, or nothing else."""
        own = [self._run] if self._watchers or not self._sources else []
        return [*own, *self._sources]

    def _count(self) -> None:
        self.set_trait("drawn", min(source.drawn for source in self._drawing()))

    def _rest(self) -> None:
        self.running = False
        self._rests = True

    def _renew(self) -> None:
        """Begin a generation: it draws, unless somebody has paused the model."""
        self._shown = self._run
        for source in self._sources:
            source.restart(self._run)
        self.set_trait("drawn", 0)
        if self._rests:
            self.running = True
        self.set_trait("generation", self.generation + 1)

    def _sentence(self, error: Exception, culprit: Any = None) -> str:
        """Say what is wrong; an exception that phi raises by itself does not name phi."""
        text = str(error)
        own = isinstance(error, (TypeError, ValueError))
        if own and text.startswith(("'", "activation", "trials", *PARAMETERS)):
            return text
        phi = culprit if isinstance(culprit, Activation) else self._run.values["activation"]
        return (
            f"activation {phi.name!r} raised {type(error).__name__}: {text}; "
            "mend it or choose another"
        )


def _check_trials(trials: Any, depth: int) -> int:
    count = check_count("trials", trials)
    most = _MOST_LENGTHS // depth
    if count > most:
        msg = f"trials must be an integer >= 1 and <= {most} at depth {depth}, got {count}"
        raise ValueError(msg)
    return count


def _check_lengths(trials: int, depth: int) -> None:
    most = _MOST_LENGTHS // trials
    if depth > most:
        msg = f"depth must be an integer >= 1 and <= {most} at trials {trials}, got {depth}"
        raise ValueError(msg)
