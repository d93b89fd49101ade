"""A matplotlib renderer that records what artists draw instead of painting it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Affine2DBase, Transform
from numpy.typing import ArrayLike, NDArray

from .text import TextOutlines, text_size

Style = dict[str, Any]
Span = tuple[int, int]

FAR = 1e5
"""Pixels; coordinates beyond it are moved to it, as float32 and canvases lose precision there."""
HUGE = 1e30
"""What an infinite coordinate of a filled shape becomes before an affine transform sees it."""
MARGIN = 64
"""Pixels around the canvas outside of which lines are cut."""
_OUTLINES = TextOutlines()
CAPS = {"butt": "butt", "round": "round", "projecting": "square"}


class Shape(NamedTuple):
    """Vertices with codes that are always there, as Path's are not."""

    vertices: NDArray[np.float64]
    codes: NDArray[np.uint8]


class UnsupportedArtistError(TypeError):
    """An artist draws something that cannot be repainted at every frame."""


class Recorder(RendererBase):
    """Flat record of a drawing, in device pixels with y downwards.

    Parameters
    ----------
    width, height : float
        Size of the canvas in device pixels.
    dpi : float
        Device pixels per inch.

    Attributes
    ----------
    ops : list of [style, first vertex, number of vertices]
        What to paint, in order; `style` indexes `styles`.
    styles : list of dict
        Keys: ``f`` fill, ``s`` stroke, ``w`` line width, ``j`` join, ``c`` cap, ``d`` dashes,
        ``o`` dash offset, ``b`` clip rectangle (x, y, w, h), ``p`` clip path (first, number),
        ``i`` image (first byte among the images, w, h).
    """

    def __init__(self, width: float, height: float, dpi: float) -> None:
        super().__init__()
        self.width, self.height, self.dpi = float(width), float(height), dpi
        self.ops: list[tuple[int, int, int]] = []
        self.styles: list[Style] = []
        self._known: dict[str, int] = {}
        self._vertices: list[NDArray[np.float64]] = []
        self._codes: list[NDArray[np.uint8]] = []
        self._images: list[bytes] = []
        self._count = self._image_bytes = 0
        self._flip = Affine2D().scale(1, -1).translate(0, height)
        self._mover: object = None
        self._text2path = _OUTLINES

    # What matplotlib asks of a renderer, with its names

    def get_canvas_width_height(self) -> tuple[float, float]:
        """Return the size in pixels."""
        return self.width, self.height

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: Any
    ) -> tuple[float, float, float]:
        """Measure a text, in pixels."""
        return text_size(self, s, prop, ismath, self.dpi)

    def points_to_pixels(self, points: Any) -> Any:
        """Return a length given in points."""
        return points * self.dpi / 72

    def draw_path(
        self,
        gc: GraphicsContextBase,
        path: Path,
        transform: Transform,
        rgbFace: Any = None,  # noqa: N803
    ) -> None:
        """Record a path."""
        style = self._paint_style(gc, rgbFace)
        hatch = gc.get_hatch_path()
        if not np.size(path.vertices) or not (style or hatch):
            return
        shape = self._cleaned(gc, path, transform, filled="f" in style or hatch is not None)
        if style:
            self._append(style | self._clip_style(gc), shape)
        if hatch is not None:
            self._append_hatch(gc, hatch, shape)

    def draw_markers(
        self,
        gc: GraphicsContextBase,
        marker_path: Path,
        marker_trans: Transform,
        path: Path,
        trans: Transform,
        rgbFace: Any = None,  # noqa: N803
    ) -> None:
        """Record the same marker at many places."""
        places = np.asarray(trans.transform(path.vertices))
        places = np.clip(places[np.isfinite(places).all(axis=1)], -FAR, FAR)
        places = places * (1, -1) + (0, self.height)
        if gc.get_snap() is not False:  # on whole pixels, as Agg puts them
            places = np.floor(places + 0.5)
        marker = _shape(
            marker_path.cleaned(
                marker_trans + Affine2D().scale(1, -1),
                curves=True,
                snap=gc.get_snap(),
                stroke_width=self.points_to_pixels(gc.get_linewidth()),
            )
        )
        style = self._paint_style(gc, rgbFace)
        if not style or not len(places):
            return
        style |= self._clip_style(gc)
        # One shape for all of them only where it cannot show that overlaps are painted once.
        together = _is_opaque(gc, rgbFace)
        for some in (places,) if together else places[:, None]:
            xy = (some[:, None] + marker.vertices).reshape(-1, 2)
            self._append(style, Shape(xy, np.tile(marker.codes, len(some))))

    def draw_image(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        im: ArrayLike,
        transform: Affine2DBase | None = None,
    ) -> None:
        """Record the pixels of an image."""
        self._refuse_if_moving("an image")
        pixels = np.ascontiguousarray(im, dtype=np.uint8)
        height, width = pixels.shape[:2]
        left, top = round(x), round(self.height - y - height)
        corners = np.array([(left, top), (left + width, top + height)], dtype=float)
        style = {"i": [self._image_bytes, width, height], **self._clip_style(gc)}
        self._images.append(pixels.tobytes())
        self._image_bytes += pixels.nbytes
        self._append(style, _shape(Path(corners)))

    def draw_quad_mesh(self, gc: GraphicsContextBase, *args: Any, **kwargs: Any) -> None:
        """Record a mesh cell by cell."""
        self._refuse_if_moving("a mesh of quadrilaterals")
        super().draw_quad_mesh(gc, *args, **kwargs)

    def draw_gouraud_triangles(
        self,
        gc: GraphicsContextBase,
        triangles_array: ArrayLike,
        colors_array: ArrayLike,
        transform: Transform,
    ) -> None:
        """Refuse: a canvas has no such gradients."""
        if self._mover is None:
            msg = "Gouraud shading cannot be painted by the browser; use shading='flat'"
            raise UnsupportedArtistError(msg)
        self._refuse_if_moving("a Gouraud-shaded mesh")

    # What the scene asks of a record

    @contextmanager
    def moving(self, artist: object) -> Iterator[None]:
        """While it lasts, `artist` is drawn, which is to be drawn again at every frame."""
        self._mover = artist
        try:
            yield
        finally:
            self._mover = None

    def bounds(self, span: Span) -> tuple[int, int, int, int] | None:
        """Rectangle (x, y, w, h) around the operations of `span` within the canvas."""
        ops = self.ops[slice(*span)]
        if not ops:
            return None
        first, last = ops[0][1], ops[-1][1] + ops[-1][2]
        drawn = self._all_codes()[first:last] != Path.CLOSEPOLY  # which has a vertex, anywhere
        vertices = self._all_vertices()[first:last][drawn]
        pad = 1 + 2 * max(self.styles[style].get("w", 0) for style, *_ in ops)
        low = np.floor(np.clip(vertices.min(axis=0) - pad, 0, None)).astype(int)
        high = np.ceil(vertices.max(axis=0) + pad).astype(int)
        high = np.minimum(high, [int(self.width), int(self.height)])
        width, height = (int(size) for size in high - low)
        return (int(low[0]), int(low[1]), width, height) if min(width, height) > 0 else None

    def header(self) -> dict[str, Any]:
        """Return what describes the bytes of `payload`."""
        return {"ops": self.ops, "styles": self.styles, "count": self._count}

    def payload(self) -> bytes:
        """Vertices as float32 pairs, then codes as uint8, then the pixels of images."""
        if not self._count:
            return b""
        vertices = self._all_vertices().astype("<f4").tobytes()
        codes = self._all_codes().tobytes()
        return b"".join([vertices, codes, *self._images])

    # Internals

    def _cleaned(
        self, gc: GraphicsContextBase, path: Path, transform: Transform, *, filled: bool
    ) -> Shape:
        if filled:
            path, transform = _finite(path, transform)
        line = not filled  # only then may segments be cut or left out, as in Agg
        far = (-MARGIN, -MARGIN, self.width + MARGIN, self.height + MARGIN)
        cleaned = path.cleaned(
            transform + self._flip,
            remove_nans=True,
            clip=far if line else None,
            simplify=line and path.should_simplify,
            curves=True,
            stroke_width=self.points_to_pixels(gc.get_linewidth()),
            snap=gc.get_snap(),
            sketch=gc.get_sketch_params(),
        )
        return _shape(cleaned)

    def _paint_style(self, gc: GraphicsContextBase, face: Any) -> Style:
        style: Style = {}
        if face is not None:
            own_alpha = len(face) > 3 and not gc.get_forced_alpha()
            fill = _css((*face[:3], face[3] if own_alpha else gc.get_alpha()))
            if fill:
                style["f"] = fill
        stroke, width = _css(gc.get_rgb()), self.points_to_pixels(gc.get_linewidth())
        if stroke and width > 0:
            style |= {"s": stroke, "w": round(width, 3)}
            style |= {"j": str(gc.get_joinstyle()), "c": CAPS[str(gc.get_capstyle())]}
            offset, dashes = gc.get_dashes()
            if dashes is not None and np.size(dashes):
                dashes = np.ravel(dashes)
                style["d"] = [round(self.points_to_pixels(dash), 2) for dash in dashes]
                style["o"] = round(self.points_to_pixels(offset or 0), 2)
        return style

    def _clip_style(self, gc: GraphicsContextBase) -> Style:
        style: Style = {}
        box = gc.get_clip_rectangle()
        if box is not None:  # on whole pixels, as in Agg
            x0, y0, x1, y1 = (int(np.floor(value + 0.5)) for value in box.extents)
            style["b"] = [x0, int(self.height) - y1, x1 - x0, y1 - y0]
        path, transform = cast(tuple[Path | None, Transform], gc.get_clip_path())
        if path is not None:
            style["p"] = self._add(_shape(path.cleaned(transform + self._flip, curves=True)))
        return style

    def _append(self, style: Style, shape: Shape) -> None:
        first, count = self._add(shape)
        if count:
            key = repr(style)
            if key not in self._known:
                self._known[key] = len(self.styles)
                self.styles.append(style)
            self.ops.append((self._known[key], first, count))

    def _append_hatch(self, gc: GraphicsContextBase, hatch: Path, shape: Shape) -> None:
        """Tiles of `hatch`, one inch wide as in Agg, wherever `shape` is."""
        color, width = _css(gc.get_hatch_color()), self.points_to_pixels(gc.get_hatch_linewidth())
        low = np.clip(shape.vertices.min(axis=0), 0, (self.width, self.height))
        high = np.clip(shape.vertices.max(axis=0), 0, (self.width, self.height))
        inch = int(self.dpi)
        (i0, j0), (i1, j1) = np.floor(low / inch), np.ceil(high / inch)
        tile = _shape(hatch.cleaned(Affine2D().scale(1, -1).translate(0, 1), curves=True))
        places = [(i, j) for i in np.arange(i0, i1) for j in np.arange(j0, j1)]
        if not places:
            return
        xy = (np.array(places)[:, None] + tile.vertices).reshape(-1, 2) * inch
        style = {"f": color, "s": color, "w": round(width, 3), "j": "miter", "c": "butt"}
        style |= {**self._clip_style(gc), "p": self._add(shape)}
        self._append(style, Shape(xy, np.tile(tile.codes, len(places))))

    def _add(self, shape: Shape) -> Span:
        first, count = self._count, len(shape.codes)
        self._vertices.append(np.clip(shape.vertices, -FAR, FAR))
        self._codes.append(shape.codes)
        self._count += count
        return first, count

    def _all_vertices(self) -> NDArray[np.float64]:
        if len(self._vertices) > 1:
            self._vertices = [np.concatenate(self._vertices)]
        return self._vertices[0]

    def _all_codes(self) -> NDArray[np.uint8]:
        if len(self._codes) > 1:
            self._codes = [np.concatenate(self._codes)]
        return self._codes[0]

    def _refuse_if_moving(self, what: str) -> None:
        if self._mover is None:
            return
        msg = (
            f"{self._mover} draws {what}, which is too heavy to be sent at every frame; "
            "leave it out of the moving artists, so that it is sent only when its axes changes"
        )
        raise UnsupportedArtistError(msg)


def _finite(path: Path, transform: Transform) -> tuple[Path, Transform]:
    """Return a shape to be filled without nan or inf.

    Leaving out a corner would tilt the sides next to it: a part of the shape with a nan goes
    as a whole, and what is infinite goes far away in its own direction.
    """
    path, affine = transform.transform_path_non_affine(path), transform.get_affine()
    vertices, codes = _shape(path)
    if np.isfinite(vertices).all():
        return path, affine
    part = np.cumsum(codes == Path.MOVETO)
    missing = np.isnan(vertices).any(axis=1) & (codes != Path.CLOSEPOLY)
    kept = ~np.isin(part, part[missing])
    vertices = np.nan_to_num(vertices, nan=0.0, posinf=HUGE, neginf=-HUGE)
    return Path(vertices[kept], codes[kept]), affine


def _shape(path: Path) -> Shape:
    """Return vertices and codes, without the STOP that cleaning leaves at the end."""
    vertices = np.asarray(path.vertices, dtype=np.float64)
    if path.codes is None:
        codes = np.full(len(vertices), Path.LINETO, dtype=np.uint8)
        codes[:1] = Path.MOVETO
    else:
        codes = np.asarray(path.codes, dtype=np.uint8)
    if len(codes) and codes[-1] == Path.STOP:
        vertices, codes = vertices[:-1], codes[:-1]
    return Shape(vertices, codes)


def _is_opaque(gc: GraphicsContextBase, face: Any) -> bool:
    if gc.get_forced_alpha():
        return bool(gc.get_alpha() == 1)
    return bool((face is None or len(face) == 3 or face[3] == 1) and gc.get_rgb()[3] == 1)


def _css(rgba: Any) -> str | None:
    red, green, blue = (round(255 * float(part)) for part in rgba[:3])
    alpha = float(rgba[3]) if len(rgba) > 3 and rgba[3] is not None else 1.0
    return f"rgba({red},{green},{blue},{alpha:.4g})" if alpha > 0 else None
