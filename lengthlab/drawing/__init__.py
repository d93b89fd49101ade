"""Pictures: matplotlib artists made once and moved to the present data."""

from lengthlab.drawing.lab import (
    SCALES,
    LabArtists,
    arrange_lab,
    caption_lab,
    draw_lab,
    save_lab,
    update_lab,
)
from lengthlab.drawing.passport import draw_passport, save_passport

__all__ = [
    "SCALES",
    "LabArtists",
    "arrange_lab",
    "caption_lab",
    "draw_lab",
    "draw_passport",
    "save_lab",
    "save_passport",
    "update_lab",
]
