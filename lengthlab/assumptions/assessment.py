"""Is phi permissible? The three assumptions, each with a verdict, a reason and evidence."""

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.assumptions.probing import probe
from lengthlab.assumptions.report import Assessment, Assumption
from lengthlab.assumptions.verdict import decide
from lengthlab.formula import parse

SECONDS = 0.8
"""A question that is open after this time stays open."""

_RATIONALS = Assessment(
    bounded=Assumption(True, "phi takes the values 0 and 1 only."),
    growth=Assumption(True, "phi takes the values 0 and 1 only."),
    measurable=Assumption(
        True,
        "The rationals are countable, so phi is measurable, and 0 except on a set of measure 0. "
        "No float can tell: every float is rational.",
    ),
    critical_variance=float("inf"),
    growth_constant=0.0,
)


def assess(activation: str | Activation, **parameters: float) -> Assessment:
    """Decide each of the three assumptions on phi under which the length process converges.

    Parameters
    ----------
    activation : str or Activation
        A name of the catalogue, or an Activation, for example made by ``formula``.
    **parameters : float
        Of an activation of the catalogue, as ``exponent`` of power.

    Returns
    -------
    Assessment
        `permissible`, and `bounded`, `growth` and `measurable`, each with `holds`, `reason` and
        `evidence`. None stands for "not decided", with the reason; nothing is guessed. The answer
        comes within about 1 s.

    Raises
    ------
    TypeError
        If `activation` is neither, or has no such parameter.
    ValueError
        If the name is unknown, or a parameter out of range.

    Notes
    -----
    A formula is decided on its expansions (`germs`) far out and near every point where it could be
    singular (`search`), with at least 85 digits: two numbers that agree to 60 digits and more than
    the formula can write are taken for equal. Where it has no value, phi is 0. A plain Python
    function is only probed: `certain` is False then.
    Source: Long & Sedghi (2019), permissible activations.

    Examples
    --------
    >>> assess("tanh").permissible
    True
    >>> answer = assess("power", exponent=-0.45)
    >>> answer.permissible, answer.critical_variance
    (False, inf)
    >>> print(answer.bounded.reason)
    |phi(x)| grows like 1 / |x|^0.45 as x tends to 0 from the right.
    >>> print(assess("exp_square", c=0.1).growth.reason)
    log|phi(x)| / x^2 tends to 0.1 as x tends to +infinity.
    """
    phi = _checked(activation, parameters)
    if phi.expression:
        return decide(parse(phi.expression), SECONDS)
    if phi.name == "dirichlet" and phi.growth is not None:
        return _RATIONALS
    return probe(phi, SECONDS)


def _checked(phi: str | Activation, parameters: dict[str, float]) -> Activation:
    if isinstance(phi, Activation):
        if parameters:
            key, value = next(iter(parameters.items()))
            msg = f"parameters go with a name of the catalogue, got {key}={value!r}; leave it out"
            raise TypeError(msg)
        return phi
    if isinstance(phi, str) and phi not in catalogue():
        msg = (
            f"activation must be an Activation or one of {', '.join(catalogue())}; got {phi!r}; "
            f"for a typed formula write assess(formula({phi!r}))"
        )
        raise ValueError(msg)
    if not isinstance(phi, str):
        msg = (
            f"activation must be a name or an Activation, got {phi!r}; "
            "for a Python function write assess(Activation(f))"
        )
        raise TypeError(msg)
    return activation(phi, **parameters)
