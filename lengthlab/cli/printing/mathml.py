"""TeX to MathML, spaced as TeX spaces it: a browser shows it without a script.

`latex2mathml` finds the structure. A browser would space operators by their form alone, and
names of functions not at all, so the spaces of TeX are put in between the atoms of each row.
"""

import html
import re
from xml.etree import ElementTree as ET

_RELATIONS = "=<>:≤≥≠≈∼≡∝→←↦⟶⟹⟸⟺⇒⇔∈∣"
_BINARY = "+−-±·⋅×∗*∘"
_OPENING, _CLOSING = "([{⟨", ")]}⟩!"
_LINES = {"―": "overline", "\u23df": "underbrace"}  # no font stretches them far enough
_OTHERWISE = {"∞": ("mi", "∞"), "◻": ("mi", "□"), "~": ("mo", "∼"), ":": ("mo", ":")}
_ROWS = ("math", "mrow", "mtd", "msqrt", "mstyle")
_SCRIPTED = ("msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts")
_PREFIX = (None, "binary", "operator", "relation", "open", "punctuation")
_THIN, _MEDIUM, _THICK = 0.167, 0.222, 0.278
_SPACES = {
    ("ordinary", "operator"): _THIN,
    ("operator", "ordinary"): _THIN,
    ("operator", "operator"): _THIN,
    ("close", "operator"): _THIN,
    ("ordinary", "dots"): _THIN,
    ("dots", "ordinary"): _THIN,
    ("dots", "punctuation"): _THIN,
}


def mathml(tex: str, *, display: bool = False) -> str:
    """Turn a formula into a ``<math>`` element.

    Parameters
    ----------
    tex : str
        LaTeX without the dollars.
    display : bool
        On a line of its own.

    Returns
    -------
    str
        The element, with `tex` as its text alternative.

    Examples
    --------
    >>> mathml("-q").startswith('<math display="inline" alttext="-q"><mrow><mo lspace="0"')
    True
    """
    from latex2mathml.converter import convert

    style = "block" if display else "inline"
    text = convert(tex.strip(), display=style).replace(
        ' xmlns="http://www.w3.org/1998/Math/MathML"', ""
    )
    tree = ET.fromstring(text)
    tree.set("alttext", tex.strip())
    _tidy(tree)
    _space(tree, script=not display, fraction=not display)
    return ET.tostring(tree, encoding="unicode")


def with_formulas(text: str) -> str:
    """Replace the formulas in a piece of HTML, between dollars, by MathML.

    Examples
    --------
    >>> with_formulas("no formula, 5 dollars")
    'no formula, 5 dollars'
    """

    def convert(found: re.Match[str]) -> str:
        block, inline = (part and html.unescape(part) for part in found.groups())
        return mathml(block, display=True) if block else mathml(inline or "")

    return re.sub(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", convert, text)


def _tidy(tree: ET.Element) -> None:
    """Mend what browsers would show badly."""
    for element in tree.iter():
        mark = (
            (element[1].text or "")
            if element.tag in ("mover", "munder") and len(element) == 2
            else ""
        )
        if mark in _LINES:
            element.tag = "mrow"
            element.set("class", _LINES[mark])
            element.remove(element[1])
        letters = [child.text or "" for child in element]
        upright = [child.get("mathvariant") == "normal" for child in element]
        if element.tag == "mrow" and letters and all(upright):
            element[:] = []
            element.tag, element.text = "mi", "".join(letters)  # Var is one word
            element.set("class", "word")
            if len(letters) == 1:
                element.set("mathvariant", "normal")
        if element.tag in ("mi", "mo") and element.text in _OTHERWISE:
            element.tag, element.text = _OTHERWISE[element.text]


def _core(element: ET.Element) -> ET.Element:
    while element.tag in _SCRIPTED and len(element):
        element = element[0]
    return element


def _kind(element: ET.Element) -> str:
    core = _core(element)
    text = core.text or ""
    if core.tag == "mi":
        return "operator" if len(text) > 1 and core.get("class") != "word" else "ordinary"
    if core.tag != "mo":
        return "ordinary"
    kinds = {
        "relation": _RELATIONS,
        "binary": _BINARY,
        "open": _OPENING,
        "close": _CLOSING,
        "punctuation": ",;",
        "operator": "∑∏∫",
        "dots": "…⋯",
        "bar": "|",
    }
    found = [kind for kind, members in kinds.items() if text and text in members]
    return found[0] if found else "operator" if text.isalpha() else "ordinary"


def _kinds(atoms: list[ET.Element]) -> list[str]:
    """Say what each atom of a row is, seen beside its neighbours."""
    kinds: list[str] = []
    inside = False  # a bar opens or closes
    for atom in atoms:
        kind = _kind(atom)
        if kind == "bar":
            kind, inside = ("close" if inside else "open"), not inside
        before = kinds[-1] if kinds else None
        if kind == "binary" and before in _PREFIX:
            kind = "ordinary"
        if before == "binary" and kind in ("relation", "close", "punctuation"):
            kinds[-1] = "ordinary"
        kinds.append(kind)
    return kinds


def _between(left: str, right: str, *, script: bool) -> float:
    if not script:
        if right == "relation" and left not in ("relation", "open"):
            return _THICK
        if left == "relation" and right not in ("relation", "close", "punctuation"):
            return _THICK
        if "binary" in (left, right):
            return _MEDIUM
        if left == "punctuation":
            return _THIN
    return _SPACES.get((left, right), 0.0)


def _space(element: ET.Element, *, script: bool, fraction: bool) -> None:
    """Put the spaces of TeX between the atoms of every row.

    In a script only names of functions have space; so do the parts of a fraction in a line.
    """
    small = script and element.tag != "math"
    for k, child in enumerate(element):
        deeper = small or (element.tag in _SCRIPTED and k > 0)
        if element.tag == "mfrac":
            deeper = deeper or fraction
        if child.tag == "mstyle":
            _space(child, script=deeper, fraction=child.get("displaystyle") == "false")
        else:
            _space(child, script=deeper, fraction=fraction or element.tag == "mfrac")
    if element.tag == "mo":
        element.set("lspace", "0")
        element.set("rspace", "0")
    if element.tag not in _ROWS:
        return
    children = list(element)
    atoms = [child for child in children if child.tag != "mspace"]
    kinds = dict(zip(map(id, atoms), _kinds(atoms), strict=True))
    row: list[ET.Element] = []
    left: str | None = None
    for child in children:
        if id(child) in kinds:
            right = kinds[id(child)]
            width = _between(left, right, script=small) if left else 0.0
            if width:
                row.append(ET.Element("mspace", {"width": f"{width}em"}))
            left = right
        row.append(child)
    element[:] = row
