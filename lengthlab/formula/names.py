"""What may stand in a formula: the one table of names, and the way out for those not in it."""

import difflib

CONSTANTS = ("x", "pi", "e")

FUNCTIONS = {
    **dict.fromkeys(("abs", "sign", "step", "floor", "ceil", "trunc", "rint"), (1, 1)),
    **dict.fromkeys(("sqrt", "cbrt", "exp", "expm1", "log", "log1p"), (1, 1)),
    **dict.fromkeys(("sin", "cos", "tan", "arcsin", "arccos", "arctan"), (1, 1)),
    **dict.fromkeys(("sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"), (1, 1)),
    **dict.fromkeys(("erf", "erfc", "normcdf"), (1, 1)),
    **dict.fromkeys(("max", "min"), (2, 99)),
    "where": (3, 3),
}
"""Functions that are an operation of the tree, with their fewest and most arguments."""

SHORTHANDS = {
    **dict.fromkeys(("relu", "square", "reciprocal", "negative", "positive"), (1, 1)),
    **dict.fromkeys(("exp2", "log2", "log10", "degrees", "radians"), (1, 1)),
    "clip": (3, 3),
}
"""Functions that the tree writes with other operations."""

ALIASES = {
    "absolute": "abs", "fabs": "abs", "maximum": "max", "minimum": "min", "heaviside": "step",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
    "round": "rint", "fix": "trunc", "rad2deg": "degrees", "deg2rad": "radians",
}  # fmt: skip
"""Other spellings of both, numpy's among them."""

ARITY = {**FUNCTIONS, **SHORTHANDS}
ARITY |= {alias: ARITY[name] for alias, name in ALIASES.items()}
"""All names of functions that may be typed."""

_WAYS_OUT = {
    "X": "write x",
    "ln": "write log",
    "lambda": "write the formula of phi(x) alone",
    "if": "write where(x > 0, a, b) for a if x > 0, else b",
    "else": "write where(x > 0, a, b) for a if x > 0, else b",
    "and": "write (a)*(b) for a and b",
    "or": "write max(a, b) for a or b",
    "not": "write 1 - (a) for not a",
    "sigmoid": "write 1/(1 + exp(-x))",
    "softplus": "write log(1 + exp(x))",
    "pow": "write a^b",
    "power": "write a^b",
    "inf": "write a number",
    "nan": "write a number",
    "np": "write exp(x) for np.exp(x)",
    "numpy": "write exp(x) for numpy.exp(x)",
    "math": "write exp(x) for math.exp(x)",
}


def way_out(name: str) -> str:
    """Say what to write instead of an unknown name.

    Examples
    --------
    >>> way_out("sinx")
    'write sin(x)'
    >>> way_out("tanhh")
    'write tanh'
    """
    if name in _WAYS_OUT:
        return _WAYS_OUT[name]
    known = {**ARITY, **dict.fromkeys(CONSTANTS, (0, 0))}
    function = max((f for f in ARITY if name.startswith(f)), key=len, default="")
    rest = name.removeprefix(function)
    if function and (rest in CONSTANTS or rest.isdecimal()):
        return f"write {function}({rest})"
    if set(name) == {"x"}:
        return "write " + "*".join(name)
    close = difflib.get_close_matches(name[:20], known, n=1, cutoff=0.8)
    if close:
        return f"write {close[0]}"
    return "the variable is x, and the functions are " + ", ".join(sorted(FUNCTIONS))
