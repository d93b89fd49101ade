"""Fonts that travel with the page: it looks the same on a machine that has none.

Formulas need a font that knows mathematics: `math.woff` is a part of STIX Two Math. The others
are those of matplotlib, cut down to the letters that the page has.
"""

import base64
import io
from importlib import import_module
from pathlib import Path
from typing import Any

_MATH = Path(__file__).with_name("math.woff")
_FACES = (  # family, weight, style, file of matplotlib
    ("Course", "normal", "normal", "STIXGeneral.ttf"),
    ("Course", "bold", "normal", "STIXGeneralBol.ttf"),
    ("Course", "normal", "italic", "STIXGeneralItalic.ttf"),
    ("Course Mono", "normal", "normal", "DejaVuSansMono.ttf"),
)


def font_faces(text: str) -> str:
    """CSS that brings the fonts along.

    Parameters
    ----------
    text : str
        Everything that is to be set.

    Returns
    -------
    str
    """
    import matplotlib

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    letters = "".join(sorted(set(text) | set(map(chr, range(32, 127)))))
    faces = [_face("Course Math", "normal", "normal", _MATH.read_bytes(), "woff")]
    for family, weight, style, name in _FACES:
        faces.append(_face(family, weight, style, _part(folder / name, letters), "woff"))
    return "\n".join(faces)


def _face(family: str, weight: str, style: str, data: bytes, form: str) -> str:
    encoded = base64.b64encode(data).decode()
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {style}; '
        f'src: url(data:font/{form};base64,{encoded}) format("{form}"); }}'
    )


def _part(path: Path, letters: str) -> bytes:
    """Cut a font down to some letters, as a WOFF file."""
    subset: Any = import_module("fontTools.subset")  # untyped
    options = subset.Options()
    options.flavor = "woff"
    options.hinting = False
    options.drop_tables += ["FFTM"]
    font = subset.load_font(str(path), options)
    cut = subset.Subsetter(options)
    cut.populate(text=letters)
    cut.subset(font)
    out = io.BytesIO()
    subset.save_font(font, out, options)
    font.close()
    return out.getvalue()
