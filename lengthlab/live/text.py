"""Outlines and sizes of text, remembered: a figure draws the same few labels again and again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from matplotlib.backend_bases import RendererBase
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

T = TypeVar("T")

_MOST = 1000
_memory: dict[Hashable, Any] = {}


def _remembered(key: Hashable, compute: Callable[[], T]) -> T:
    if key not in _memory:
        if len(_memory) >= _MOST:
            _memory.clear()
        _memory[key] = compute()
    return _memory[key]  # type: ignore[no-any-return]


class TextOutlines(TextToPath):
    """The glyph outlines of a text; what a renderer has as its ``_text2path``."""

    # matplotlib's versions differ in the options that they hand over.
    def get_text_path(self, prop: FontProperties, s: str, *args: Any, **options: Any) -> Any:
        """Return vertices and codes."""
        outline = super().get_text_path
        # The copy: font properties can change, and what they hash to with them.
        key = ("outline", s, prop.copy(), repr((args, sorted(options.items()))))
        return _remembered(key, lambda: outline(prop, s, *args, **options))


def text_size(
    renderer: RendererBase, s: str, prop: FontProperties, ismath: Any, dpi: float
) -> tuple[float, float, float]:
    """Width, height and descent of a text in pixels, as `RendererBase` measures it."""
    measure = RendererBase.get_text_width_height_descent
    key = ("size", s, prop.copy(), ismath, dpi)
    return _remembered(key, lambda: measure(renderer, s, prop, ismath))
