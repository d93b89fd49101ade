// Paints recorded operations on a canvas. Knows nothing of figures.

const MOVE = 1, LINE = 2, QUADRATIC = 3, CUBIC = 4, CLOSE = 79;

// Buffers may be misaligned, hence the copy.
function unpack(header, buffer) {
  const bytes = buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength);
  const { ops, styles, count } = header;
  return {
    ops,
    styles,
    xy: new Float32Array(bytes, 0, 2 * count),
    codes: new Uint8Array(bytes, 8 * count, count),
    pixels: new Uint8ClampedArray(bytes, 9 * count),
  };
}

function trace(g, { xy, codes }, first, count) {
  for (let i = first; i < first + count; ) {
    const j = 2 * i;
    if (codes[i] === LINE) {
      g.lineTo(xy[j], xy[j + 1]);
      i += 1;
    } else if (codes[i] === MOVE) {
      g.moveTo(xy[j], xy[j + 1]);
      i += 1;
    } else if (codes[i] === QUADRATIC) {
      g.quadraticCurveTo(xy[j], xy[j + 1], xy[j + 2], xy[j + 3]);
      i += 2;
    } else if (codes[i] === CUBIC) {
      g.bezierCurveTo(xy[j], xy[j + 1], xy[j + 2], xy[j + 3], xy[j + 4], xy[j + 5]);
      i += 3;
    } else {
      if (codes[i] === CLOSE) g.closePath();
      i += 1;
    }
  }
}

function clip(g, record, style) {
  if (style.b) {
    g.beginPath();
    g.rect(...style.b);
    g.clip();
  }
  if (style.p) {
    g.beginPath();
    trace(g, record, ...style.p);
    g.clip();
  }
}

// The first row of an image is its lowest.
function paintImage(g, record, [offset, width, height], first) {
  const pixels = record.pixels.subarray(offset, offset + 4 * width * height);
  const image = newCanvas(width, height);
  image.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  g.translate(record.xy[2 * first], record.xy[2 * first + 1] + height);
  g.scale(1, -1);
  g.drawImage(image, 0, 0);
}

function paintShape(g, record, style, first, count) {
  g.beginPath();
  trace(g, record, first, count);
  if (style.f) {
    g.fillStyle = style.f;
    g.fill();
  }
  if (style.s) {
    g.strokeStyle = style.s;
    g.lineWidth = style.w;
    g.lineJoin = style.j;
    g.lineCap = style.c;
    g.miterLimit = 4;
    g.setLineDash(style.d ?? []);
    g.lineDashOffset = style.o ?? 0;
    g.stroke();
  }
}

function paint(g, record, [from, to]) {
  for (const [number, first, count] of record.ops.slice(from, to)) {
    const style = record.styles[number];
    g.save();
    clip(g, record, style);
    if (style.i) paintImage(g, record, style.i, first);
    else paintShape(g, record, style, first, count);
    g.restore();
  }
}

function newCanvas(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

// What is painted again and again is kept as a bitmap.
function bitmap(record, span, [x, y, width, height]) {
  const canvas = newCanvas(width, height);
  const g = canvas.getContext("2d");
  g.translate(-x, -y);
  paint(g, record, span);
  return { canvas, x, y };
}
