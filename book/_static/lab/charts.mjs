// What is drawn of a sleep. Every chart has a canvas that is as sharp as the screen and takes its colours from the page.

/** Return the drawing context of a canvas, cleared, with the size of the canvas in CSS pixels. */
export function cleared(canvas) {
  const { clientWidth: width } = canvas;
  const height = Number(canvas.dataset.height ?? (canvas.dataset.height = canvas.getAttribute("height")));
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.font = "12px sans-serif";
  const style = getComputedStyle(canvas);
  return { context, width, height, ink: style.color, faint: style.getPropertyValue("--pst-color-border") || "#bbb" };
}

const LEFT = 62; // pixels left of all time axes, for names

/** Return where a step lies on an axis of time, from 0 to 1: most happens at the beginning, which has more room. */
function share(step, steps) {
  return Math.sqrt(step / steps);
}

/** The spikes of a sleep: the noise on top, then a band for each layer. */
export class Raster {
  constructor(canvas) {
    this.canvas = canvas;
  }

  /** bands: [name, rows] of each layer, the noise first. */
  start(bands, steps, colors) {
    this.drawing = cleared(this.canvas);
    Object.assign(this, { steps, colors });
    const { context, height, width, ink, faint } = this.drawing;
    const all = bands.length;
    const gap = 8;
    const each = (height - gap * (all - 1)) / all;
    this.bands = bands.map(([, rows], k) => ({ top: k * (each + gap), height: each, rows }));
    bands.forEach(([name], k) => {
      context.fillStyle = ink;
      context.fillText(name, 0, this.bands[k].top + each / 2 + 4);
      context.strokeStyle = faint;
      context.strokeRect(LEFT - 0.5, this.bands[k].top + 0.5, width - LEFT, each - 1);
    });
  }

  add({ step, layer, row }) {
    const { context, width } = this.drawing;
    for (let n = 0; n < step.length; n++) {
      const band = this.bands[layer[n]];
      context.fillStyle = this.colors[layer[n]];
      const x = LEFT + share(step[n], this.steps) * (width - LEFT - 2);
      context.fillRect(x, band.top + ((row[n] + 0.5) / band.rows) * (band.height - 2), 1.5, 2);
    }
  }
}

/** Lines over the steps of a sleep. */
export class Course {
  constructor(canvas) {
    this.canvas = canvas;
  }

  /** low, high: of the axis, which grows where a value lies beyond. marks: [value, name] of lines across it. */
  start(steps, low, high, marks) {
    Object.assign(this, { steps, low, high, marks, lines: new Map() });
    this.draw();
  }

  add(name, color, step, value) {
    if (!this.lines.has(name)) this.lines.set(name, { color, points: [] });
    this.lines.get(name).points.push([step, value]);
    this.low = Math.min(this.low, value);
    this.high = Math.max(this.high, value);
  }

  draw() {
    const { context, width, height, ink, faint } = cleared(this.canvas);
    const x = (step) => LEFT + share(step, this.steps) * (width - LEFT - 4);
    const y = (value) => 6 + (1 - (value - this.low) / (this.high - this.low)) * (height - 12);
    context.strokeStyle = faint;
    context.strokeRect(LEFT - 0.5, 5.5, width - LEFT, height - 11);
    context.fillStyle = ink;
    for (const [value, name] of this.marks) {
      context.fillText(name, 0, y(value) + 4);
      context.setLineDash([4, 4]);
      context.strokeStyle = ink;
      context.beginPath();
      context.moveTo(LEFT, y(value));
      context.lineTo(width, y(value));
      context.stroke();
    }
    context.setLineDash([]);
    for (const { color, points } of this.lines.values()) {
      context.strokeStyle = color;
      context.lineWidth = 2;
      context.beginPath();
      points.forEach(([step, value], n) => {
        if (n === 0) context.moveTo(x(step), y(value));
        else context.lineTo(x(step), y(value));
      });
      context.stroke();
    }
  }
}

/** Draw histograms of the weights of every layer side by side: before as an outline, now filled; heights as roots. */
export function drawHistograms(canvas, before, now, ranges, color) {
  const { context, width, height, ink } = cleared(canvas);
  const each = width / now.length;
  now.forEach((counts, layer) => {
    const left = layer * each;
    const room = each - 16;
    const most = Math.sqrt(Math.max(...counts, ...before[layer]));
    const bar = room / counts.length;
    const tall = (count) => (Math.sqrt(count) / most) * (height - 34);
    context.fillStyle = color;
    counts.forEach((count, n) => context.fillRect(left + n * bar, height - 18 - tall(count), bar - 0.5, tall(count)));
    context.strokeStyle = ink;
    context.beginPath();
    before[layer].forEach((count, n) => {
      context.lineTo(left + n * bar, height - 18 - tall(count));
      context.lineTo(left + (n + 1) * bar, height - 18 - tall(count));
    });
    context.stroke();
    context.fillStyle = ink;
    const range = ranges[layer].toPrecision(2);
    context.fillText(`−${range}`, left, height - 4);
    context.textAlign = "center";
    context.fillText(now.length === 1 ? "0" : `layer ${layer + 1}`, left + room / 2, height - 4);
    context.textAlign = "right";
    context.fillText(range, left + room, height - 4);
    context.textAlign = "left";
  });
}
