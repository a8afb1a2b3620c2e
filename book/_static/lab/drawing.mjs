// A place to draw a digit, with mouse, finger or keyboard, and how it becomes an image such as those of MNIST.

const SIDE = 28; // pixels of an image
const INNER = 20; // of these, the longer side of the digit, which is centred by its mass
const PEN = 1.1; // radius, in pixels of the image

export class Drawing {
  /** canvas: square. changed: called with the image, Float32Array (784,) of values in [0, 1]. */
  constructor(canvas, changed) {
    Object.assign(this, { canvas, changed, pixels: new Float32Array(SIDE * SIDE), pen: [SIDE / 2, SIDE / 2] });
    this.down = false;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.last = null;
      this.move(event);
    });
    canvas.addEventListener("pointermove", (event) => event.buttons && this.move(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
    this.draw();
  }

  move(event) {
    const box = this.canvas.getBoundingClientRect();
    const to = [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
    this.line(this.last ?? to, to);
    this.last = to;
  }

  key(event) {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === " ") this.down = !this.down;
    else if (!(event.key in ways)) return;
    event.preventDefault();
    const from = this.pen;
    const way = ways[event.key] ?? [0, 0];
    this.pen = from.map((value, axis) => Math.max(1, Math.min(SIDE - 1, value + way[axis])));
    if (this.down) this.line(from, this.pen);
    else this.draw();
  }

  line(from, to) {
    const parts = Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) * 2) + 1;
    for (let n = 0; n <= parts; n++) {
      const [x, y] = from.map((value, axis) => value + ((to[axis] - value) * n) / parts);
      for (let row = 0; row < SIDE; row++)
        for (let column = 0; column < SIDE; column++) {
          const ink = 1.6 * PEN - Math.hypot(column + 0.5 - x, row + 0.5 - y);
          const at = row * SIDE + column;
          this.pixels[at] = Math.max(this.pixels[at], Math.min(1, ink));
        }
    }
    this.draw();
    this.changed(centred(this.pixels));
  }

  clear() {
    this.pixels.fill(0);
    this.down = false;
    this.draw();
  }

  /** Show an image as it is, Float32Array (784,). */
  show(pixels) {
    this.pixels.set(pixels);
    this.draw();
    this.changed(pixels);
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const size = this.canvas.width / SIDE;
    context.fillStyle = "black";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.pixels.forEach((value, at) => {
      if (value === 0) return;
      context.fillStyle = `rgb(255 255 255 / ${value})`;
      context.fillRect((at % SIDE) * size, Math.floor(at / SIDE) * size, size, size);
    });
    context.strokeStyle = this.down ? "orange" : "gray";
    context.strokeRect(this.pen[0] * size - 4, this.pen[1] * size - 4, 8, 8);
  }
}

/** Return an image whose digit is as large as those of MNIST and lies where they lie; an empty one stays empty. */
export function centred(pixels) {
  const lit = [...pixels.keys()].filter((at) => pixels[at] > 0.1);
  if (lit.length === 0) return pixels.slice();
  const [rows, columns] = [lit.map((at) => Math.floor(at / SIDE)), lit.map((at) => at % SIDE)];
  const mass = lit.reduce((sum, at) => sum + pixels[at], 0);
  const middle = (places) => lit.reduce((sum, at, n) => sum + pixels[at] * (places[n] + 0.5), 0) / mass;
  const [y, x] = [middle(rows), middle(columns)];
  const extent = (places) => Math.max(...places) - Math.min(...places) + 1;
  const scale = Math.max(extent(rows), extent(columns)) / INNER;
  return Float32Array.from(pixels, (_, at) => {
    const row = y + (Math.floor(at / SIDE) + 0.5 - SIDE / 2) * scale - 0.5;
    const column = x + ((at % SIDE) + 0.5 - SIDE / 2) * scale - 0.5;
    return between(pixels, row, column);
  });
}

/** Return the value of an image between its pixels. */
function between(pixels, row, column) {
  const [top, left] = [Math.floor(row), Math.floor(column)];
  const value = (r, c) => (r < 0 || c < 0 || r >= SIDE || c >= SIDE ? 0 : pixels[r * SIDE + c]);
  const [down, right] = [row - top, column - left];
  const upper = value(top, left) * (1 - right) + value(top, left + 1) * right;
  const lower = value(top + 1, left) * (1 - right) + value(top + 1, left + 1) * right;
  return upper * (1 - down) + lower * down;
}
