"""Pictures: matplotlib artists made once and moved to the present data."""

from lengthlab.drawing.cobweb import (
    Cobweb,
    arrange_cobweb,
    caption_cobweb,
    cobweb,
    draw_cobweb,
    update_cobweb,
)
from lengthlab.drawing.histograms import (
    AXES,
    arrange_histograms,
    caption_histograms,
    draw_histograms,
    layers_shown,
    update_histograms,
)
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
from lengthlab.drawing.tally import PLAIN, Backdrop

__all__ = [
    "AXES",
    "PLAIN",
    "SCALES",
    "Backdrop",
    "Cobweb",
    "LabArtists",
    "arrange_cobweb",
    "arrange_histograms",
    "arrange_lab",
    "caption_cobweb",
    "caption_histograms",
    "caption_lab",
    "cobweb",
    "draw_cobweb",
    "draw_histograms",
    "draw_lab",
    "draw_passport",
    "layers_shown",
    "save_lab",
    "save_passport",
    "update_cobweb",
    "update_histograms",
    "update_lab",
]
