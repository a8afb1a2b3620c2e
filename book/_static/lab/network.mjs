// A network awake: its files as srclib/experiments/lab.py writes them, what it recognises, and what its weights are.

/** Return numbers of 16 bits (IEEE half precision, as Uint16Array) as Float32Array. */
export function halves(bits) {
  return Float32Array.from(bits, (b) => {
    const sign = b & 0x8000 ? -1 : 1;
    const exponent = (b >> 10) & 31;
    const fraction = b & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

/** Return the mean input, Float64Array (inputs,), and the weights of every layer, Float32Array (out, in) row by row. */
export function readNetwork(buffer, sizes) {
  let at = 8 * sizes[0];
  const weights = sizes.slice(1).map((neurons, layer) => {
    const count = neurons * sizes[layer];
    at += 2 * count;
    return halves(new Uint16Array(buffer, at - 2 * count, count));
  });
  return { mean: new Float64Array(buffer, 0, sizes[0]), weights };
}

/** Return images, each as lists of the pixels that are not 0 and of their values in [0, 1], and their labels. */
export function readTests(buffer, count) {
  const inputs = buffer.byteLength / count - 1;
  const images = Array.from({ length: count }, (_, n) => sparse(new Uint8Array(buffer, n * inputs, inputs), 255));
  return { images, labels: new Uint8Array(buffer, count * inputs, count) };
}

/** Return an image as its pixels that are not 0: their places and their values over `largest`. */
export function sparse(pixels, largest = 1) {
  const places = Uint16Array.from([...pixels.keys()].filter((i) => pixels[i] !== 0));
  return { places, values: Float64Array.from(places, (i) => pixels[i] / largest) };
}

/** Return the activity of the outputs for an image; that of hidden neurons, and of rectified outputs, is at least 0. */
export function outputs(weights, sizes, image, rectified) {
  let { places, values } = image;
  const last = weights.length - 1;
  for (let layer = 0; layer < last; layer++) {
    const all = sums(weights[layer], sizes[layer], sizes[layer + 1], places, values);
    const active = new Uint16Array(all.length);
    let n = 0;
    for (let k = 0; k < all.length; k++) if (all[k] > 0) active[n++] = k;
    places = active.subarray(0, n);
    values = Float64Array.from(places, (k) => all[k]);
  }
  const found = sums(weights[last], sizes[last], sizes[last + 1], places, values);
  return Array.from(found, (z) => (rectified ? Math.max(0, z) : z));
}

/** Return the input of every neuron of a layer, whose inputs are 0 but at some places. */
function sums(w, inputs, neurons, places, values) {
  const found = new Float64Array(neurons);
  for (let k = 0, row = 0; k < neurons; k++, row += inputs) {
    let z = 0;
    for (let p = 0; p < places.length; p++) z += w[row + places[p]] * values[p];
    found[k] = z;
  }
  return found;
}

/** Return the place of the largest number, the first of equals. */
export function largest(numbers) {
  return numbers.reduce((best, value, k) => (value > numbers[best] ? k : best), 0);
}

/** Return how often an image of each class is taken for each class, a list of rows. */
export function confusion(weights, sizes, tests, rectified) {
  const classes = sizes.at(-1);
  const counts = Array.from({ length: classes }, () => new Array(classes).fill(0));
  tests.images.forEach((image, n) => {
    counts[tests.labels[n]][largest(outputs(weights, sizes, image, rectified))] += 1;
  });
  return counts;
}

/** Return the share that is recognised of the images of some classes, given what `confusion` returns. */
export function accuracy(counts, classes) {
  const right = classes.reduce((sum, k) => sum + counts[k][k], 0);
  const all = classes.reduce((sum, k) => sum + counts[k].reduce((a, b) => a + b, 0), 0);
  return right / all;
}

/**
 * Return the weights after a change in closed form, without spikes, noise or parameters: from the bottom up, the
 * negative weights of each hidden neuron are lowered by one number, so that the mean input no longer excites it.
 */
export function settled(weights, sizes, mean) {
  let activity = Float64Array.from(mean);
  return weights.map((w, layer) => {
    const inputs = sizes[layer];
    const next = new Float64Array(sizes[layer + 1]);
    const changed = w.slice();
    for (let k = 0, row = 0; k < next.length; k++, row += inputs) {
      let z = 0;
      let inhibited = 0;
      for (let i = 0; i < inputs; i++) {
        z += w[row + i] * activity[i];
        if (w[row + i] < 0) inhibited += activity[i];
      }
      next[k] = Math.max(0, z);
      if (layer === weights.length - 1 || z <= 0 || inhibited === 0) continue;
      for (let i = 0; i < inputs; i++) if (w[row + i] < 0) changed[row + i] -= z / inhibited;
    }
    activity = next;
    return changed;
  });
}

/** Return how many weights lie in each of so many equal parts of [-range, range]; those beyond count at the ends. */
export function histogram(weights, range, parts) {
  const counts = new Array(parts).fill(0);
  for (const w of weights) {
    counts[Math.max(0, Math.min(parts - 1, Math.floor(((w + range) / (2 * range)) * parts)))] += 1;
  }
  return counts;
}
