"""Everything the package knows of one activation, as plain frozen data."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from lengthlab.activations import Activation
from lengthlab.assumptions import Assessment, assess
from lengthlab.fixed_points import FixedPoints, chi, fixed_points, slope
from lengthlab.gains import LAYERS, Gain, gains
from lengthlab.gaussian import Estimate, mean_fourth, mean_square
from lengthlab.network import Network
from lengthlab.outcome import Outcome, outcome


@dataclass(frozen=True)
class Scale:
    """One scale of the weights, and what becomes of a network with it.

    Attributes
    ----------
    gain : Gain
        Its name, source and sigma_w, and its lengths at some layers.
    outcome : Outcome
        What becomes of its lengths as the width grows, down to layer 10.
    """

    gain: Gain
    outcome: Outcome

    @property
    def sigma_w(self) -> float:
        """Standard deviation of the weights times sqrt(N)."""
        return self.gain.sigma_w


@dataclass(frozen=True)
class Passport:
    """What the package knows of one activation.

    Attributes
    ----------
    activation : Activation
        phi.
    assessment : Assessment
        The three assumptions.
    mean_square, mean_fourth : Estimate
        E phi(Z)^2 and E phi(Z)^4 for a standard normal Z.
    unit_scale : float or None
        The sigma_w that keeps a length of 1, without biases; None where there is none.
    slope, chi : Estimate or None
        V'(1) and chi at unit scale.
    fixed_points : FixedPoints or None
        Of the length map at unit scale.
    scales : tuple of Scale
        The scales in common use, without biases.
    """

    activation: Activation
    assessment: Assessment
    mean_square: Estimate
    mean_fourth: Estimate
    unit_scale: float | None
    slope: Estimate | None
    chi: Estimate | None
    fixed_points: FixedPoints | None
    scales: tuple[Scale, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: what is infinite or unknown is None."""
        phi, assessed, fixed = self.activation, self.assessment, self.fixed_points
        facts = {
            "activation": phi.label,
            "formula": phi.formula or None,
            "kinks": list(phi.kinks),
            "permissible": assessed.permissible,
            "certain": assessed.certain,
            **{name: asdict(getattr(assessed, name)) for name in ASSUMPTIONS},
            "poles": [asdict(pole) for pole in assessed.poles],
            "critical_variance": assessed.critical_variance,
            "growth_constant": assessed.growth_constant,
            "mean_square": asdict(self.mean_square),
            "mean_fourth": asdict(self.mean_fourth),
            "unit_scale": self.unit_scale,
            "slope": asdict(self.slope) if self.slope else None,
            "chi": asdict(self.chi) if self.chi else None,
            "fixed_points": [asdict(point) for point in fixed] if fixed is not None else None,
            "every_q_is_fixed": fixed.every_q if fixed is not None else None,
            "layers": list(LAYERS),
            "scales": [{**asdict(s.gain), "outcome": asdict(s.outcome)} for s in self.scales],
        }
        plain: dict[str, Any] = finite(facts)
        return plain


ASSUMPTIONS = ("bounded", "growth", "measurable")
"""Names of the three assumptions in an Assessment, in the order of the theorem."""


def passport(activation: str | Activation) -> Passport:
    """Collect what is known of an activation.

    Parameters
    ----------
    activation : str or Activation
        A name from `catalogue`, or an `Activation`, for example made by `formula`.

    Returns
    -------
    Passport

    Raises
    ------
    TypeError, ValueError
        If `activation` is neither, or its name is unknown, or phi gives nan.

    Notes
    -----
    Source: `assess`, `unit_scale`, `fixed_points`, `gains` and `outcome`, each with its own.

    Examples
    --------
    >>> known = passport("relu")
    >>> known.assessment.permissible, round(known.unit_scale, 4), known.fixed_points.every_q
    (True, 1.4142, True)
    >>> [scale.outcome.kind for scale in passport("reciprocal").scales]
    ['fails', 'fails', 'fails']
    """
    phi = Network(activation).activation
    scales = tuple(
        Scale(gain, outcome(Network(phi, sigma_w=gain.sigma_w), depth=10)) for gain in gains(phi)
    )
    unit = next((scale.sigma_w for scale in scales if scale.gain.name == "unit scale"), None)
    net = Network(phi, sigma_w=unit) if unit is not None else None
    return Passport(
        phi,
        assess(phi),
        mean_square(phi, 1.0).estimate,
        mean_fourth(phi, 1.0),
        unit,
        slope(net, 1.0) if net else None,
        chi(net, 1.0) if net else None,
        fixed_points(net) if net else None,
        scales,
    )


def finite(value: Any) -> Any:
    """Copy plain data with None in the place of inf and nan, which JSON does not have."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
