"""`formula`: typed text into an Activation."""

import numpy as np

from lengthlab.activations import Activation
from lengthlab.formula.breaks import breaks
from lengthlab.formula.growth import growth
from lengthlab.formula.tree import parse
from lengthlab.formula.values import Values

_SCALES = 2.0 ** np.arange(-32, 33)
_Z = 2.0 ** np.arange(-6, 24, 0.125)
_NEAR, _FAR, _APART = 5.0, 9.0, 15.0


def formula(text: str) -> Activation:
    """Read an activation from typed text; nothing that is typed is executed as code.

    Parameters
    ----------
    text : str
        phi(x), of at most 500 characters: numbers, ``x``, ``pi``, ``e``, ``+ - * /``, ``^`` or
        ``**`` for powers, comparisons (1 where they hold, else 0), ``where(condition, a, b)``,
        ``step``, ``max``, ``min``, ``relu``, ``clip``, ``erf``, ``erfc``, ``normcdf``, and numpy's
        elementwise functions of one real number. ``-x^2`` is ``-(x^2)``.

    Returns
    -------
    Activation
        Named by its text. phi is 0 where the formula has no value: at 0 for ``1/x``, left of 0 for
        ``log(x)`` and for ``x^(1/3)`` (the real third root is ``cbrt(x)``). A number too large for
        the floats is inf. Kinks, poles and growth are found where the text shows them; what is not
        known is left open, and then probed by whoever needs it.

    Raises
    ------
    TypeError
        If `text` is not a string.
    ValueError
        If it is no such formula; the message says where, and what to write instead.

    Examples
    --------
    >>> phi = formula("x*exp(-x^2)")
    >>> phi([0.0, 1.0]).round(4)
    array([0.    , 0.3679])
    >>> formula("abs(x - 1)/x").poles
    (Pole(location=0.0, order=1.0),)
    >>> formula("2x")
    Traceback (most recent call last):
        ...
    ValueError: formula must have an operator between 2 and x, got 'x' at character 2; write 2*x
    """
    tree = parse(text)
    values, far = Values(tree), growth(tree)
    kinks, poles = breaks(tree)
    expression = " ".join(text.split())
    return Activation(
        values,
        name=expression,
        kinks=kinks,
        poles=poles,
        growth=far.growth,
        degree=far.degree if _is_tame(values) else None,
        log_abs=values.log_abs if far.degree is None else None,
        expression=expression,
    )


def _is_tame(values: Values) -> bool:
    """Whether on every scale s the mass of phi(s z)^2 exp(-z^2 / 2) lies well within |z| < 9.

    It does for most that grow like a power, but not for ``max(x - 1, 0)`` on small scales.
    """
    x = np.outer(_SCALES, np.concatenate([-_Z, _Z]))
    z = np.concatenate([_Z, _Z])
    with np.errstate(invalid="ignore"):
        log = values.log_abs(x) - z * z / 4
    near = log[:, z < _NEAR].max(axis=1)
    far = log[:, z > _FAR].max(axis=1)
    return bool((near > far + _APART).all())
