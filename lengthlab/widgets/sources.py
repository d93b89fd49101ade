"""What views draw at random besides the model's own networks."""

from lengthlab.convergence import Experiment
from lengthlab.dense_network import DenseProcess
from lengthlab.widgets.run import Run

WIDEST_DENSE = 1000
"""Units a layer up to which networks with weight matrices are drawn."""
_MOST_WEIGHTS = 2e9  # some 20 seconds of work
_ALL = 2**62  # drawn, where there is nothing more to draw


class DenseNetworks:
    """Networks with weight matrices, of the model's parameters; few where they take long.

    Attributes
    ----------
    experiment : Experiment or None
        None where the width is too large.
    """

    experiment: Experiment | None = None

    def restart(self, run: Run) -> None:
        """Begin anew with the parameters of a generation."""
        net, width, depth = run.experiment.net, run.experiment.width, run.experiment.depth
        self.experiment = None
        if width <= WIDEST_DENSE:
            self.experiment = Experiment(net, width=width, depth=depth)
            self._process = DenseProcess(net, width=width, depth=depth, rng=run.values["seed"])
            self._most = max(100, int(_MOST_WEIGHTS / (depth * width**2)))

    @property
    def drawn(self) -> int:
        """Networks drawn."""
        if self.experiment is None or self.experiment.drawn >= self._most:
            return _ALL
        return self.experiment.drawn

    def advance(self, seconds: float, trials: int) -> None:
        """Draw for about so long."""
        if self.experiment is not None:
            missing = min(trials, self._most) - self.experiment.drawn
            self.experiment.add(self._process.advance(seconds, trials=missing))
