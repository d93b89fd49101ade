"""From typed text to tokens that can be trusted.

Whatever does not belong is refused here, with the place and the way out, before Python's parser
sees anything: it is given known names, operators, brackets that match, and no number at all.
"""

import re
import reprlib
from fractions import Fraction
from typing import NamedTuple, NoReturn

from lengthlab.formula.names import ARITY, CONSTANTS, way_out

LONGEST = 500
"""Characters of a formula."""

MOST_BRACKETS = 50
"""Brackets open at one place: Python's parser is recursive."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<operator>\*\*|<=|>=|==|!=|[-+*/^<>(),]))"
)
_WAYS_OUT = {
    ".": "write exp(x) for np.exp(x), and 0.5 for a half",
    "|": "write abs(x) for |x|",
    "=": "write == to compare, and leave out 'phi(x) ='",
    "%": "write a - b*floor(a/b) for the remainder",
    "[": "write round brackets",
    "{": "write round brackets",
    "²": "write ^2",
    "³": "write ^3",
    "−": "write -",
    "–": "write -",
    "×": "write *",
    "·": "write *",
    "÷": "write /",
    "π": "write pi",
    "√": "write sqrt(x)",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
}


class Token(NamedTuple):
    """A number, a name or an operator, and where it starts in the text."""

    kind: str
    text: str
    start: int


def refuse(rule: str, got: str, start: int, instead: str) -> NoReturn:
    """Raise ValueError: the rule, what was typed and where (counted from 1), and the way out."""
    shown = got if len(got) <= 30 else got[:30] + "..."
    msg = f"formula must {rule}, got {shown!r} at character {start + 1}; {instead}"
    raise ValueError(msg)


def tokens(text: str) -> list[Token]:
    """Cut `text` into tokens that follow each other as in a formula.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Token
        ``^`` has become ``**``.

    Raises
    ------
    TypeError
        If `text` is not a string.
    ValueError
        If it is no formula.

    Examples
    --------
    >>> [token.text for token in tokens("-x^2")]
    ['-', 'x', '**', '2']
    >>> tokens("2x")
    Traceback (most recent call last):
        ...
    ValueError: formula must have an operator between 2 and x, got 'x' at character 2; write 2*x
    """
    if not isinstance(text, str):
        msg = f"formula must be a string like 'x*exp(-x^2)', got {reprlib.repr(text)}"
        raise TypeError(msg)
    if len(text) > LONGEST:
        msg = f"formula must have at most {LONGEST} characters, got {len(text)}; write it shorter"
        raise ValueError(msg)
    found = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            _refuse_character(text, at)
        kind = match.lastgroup or ""
        word = "**" if match[kind] == "^" else match[kind]
        found.append(Token(kind, word, match.start(kind)))
        at = match.end()
    if not found:
        msg = f"formula must not be empty, got {text!r}; write for example x*exp(-x^2)"
        raise ValueError(msg)
    _check_order(found)
    return found


def number(token: Token) -> Fraction:
    """Value of a number token, exactly as typed.

    Examples
    --------
    >>> number(Token("number", "0.1", 0))
    Fraction(1, 10)
    """
    mantissa = re.split("[eE]", token.text)[0]
    if not mantissa.strip("0."):
        return Fraction(0)
    if not 1e-300 <= float(token.text) <= 1e300:  # also keeps 10^exponent from being written out
        refuse("have numbers from 1e-300 to 1e300", token.text, token.start, "scale it")
    return Fraction(token.text)


def _refuse_character(text: str, at: int) -> NoReturn:
    at += len(text[at:]) - len(text[at:].lstrip())
    instead = _WAYS_OUT.get(text[at], "write numbers, x, functions and + - * / ^ ( ) , < > only")
    refuse("be written in plain letters, digits and operators", text[at], at, instead)


def _check_order(found: list[Token]) -> None:
    """Check that operands and operators alternate and that brackets match."""
    opened: list[tuple[Token, bool]] = []  # with: is it a function's?
    previous: Token | None = None
    complete = False  # does what stands to the left make an operand?
    for token in found:
        if token.kind == "name" and token.text not in ARITY and token.text not in CONSTANTS:
            refuse("have known names only", token.text, token.start, way_out(token.text))
        calls = previous is not None and previous.text in ARITY
        if calls and previous is not None and token.text != "(":
            _refuse_bare(previous, token)
        if token.text == "(":
            if complete and previous is not None:
                _refuse_implicit(previous, token)
            opened.append((token, calls))
            if len(opened) > MOST_BRACKETS:
                rule = f"have at most {MOST_BRACKETS} brackets inside each other"
                refuse(rule, "(", token.start, "write it flatter")
        elif token.kind == "operator":
            complete = _check_operator(token, previous, complete, opened)
        else:
            if complete and previous is not None:
                _refuse_implicit(previous, token)
            complete = token.text not in ARITY
        previous = token
    _check_end(found[-1], complete, opened)


def _check_operator(
    token: Token, previous: Token | None, complete: bool, opened: list[tuple[Token, bool]]
) -> bool:
    """Check an operator, a comma or a closing bracket; True if an operand is complete after it."""
    if not complete:
        if token.text in "+-":
            return False
        after = f"after {previous.text!r}" if previous else "at the start"
        rule = f"have a number, x or a function {after}"
        refuse(rule, token.text, token.start, "write what is missing, or take it out")
    if token.text == ")":
        if not opened:
            refuse("close only brackets that were opened", ")", token.start, "take it out")
        opened.pop()
        return True
    if token.text == "," and not (opened and opened[-1][1]):
        instead = "write a decimal point for 0,5, and commas in max(a, b)"
        refuse("have a comma only between a function's arguments", ",", token.start, instead)
    return False


def _check_end(last: Token, complete: bool, opened: list[tuple[Token, bool]]) -> None:
    if last.text in ARITY:
        _refuse_bare(last, None)
    if not complete:
        rule = f"have a number, x or a function after {last.text!r}"
        refuse(rule, last.text, last.start, "write what is missing, or take it out")
    if opened:
        refuse("close every bracket", "(", opened[-1][0].start, "write the missing )")


def _refuse_implicit(left: Token, right: Token) -> NoReturn:
    rule = f"have an operator between {left.text} and {right.text}"
    before = "(...)" if left.text == ")" else left.text
    after = right.text + "(...)" * (right.text in ARITY)
    instead = f"write {before}*{'(...)' if after == '(' else after}"
    if left.kind == right.kind == "number":
        instead = "write one number, or * between two"
    refuse(rule, right.text, right.start, instead)


def _refuse_bare(name: Token, following: Token | None) -> NoReturn:
    argument = following.text if following and following.kind != "operator" else "x"
    instead = f"write {name.text}({argument})" if argument not in ARITY else f"write {name.text}(x)"
    refuse("have an argument in brackets after a function", name.text, name.start, instead)
