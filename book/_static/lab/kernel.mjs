// The sleep kernel of srclib/sleep/event.py, step by step through all layers, so that a sleep can be watched.
//
// Weights, potentials and sums are float32, rounded after every operation and summed in the same order, so that it
// fires the very spikes. Work is done only where an input spiked: a silent stretch is one power of the decay.

const { fround } = Math;

// exp(x) = 2^(n / 32) 2^(r / 32), n whole and |r| <= 1/2: the algorithm of srclib/sleep/event_kernels.py, whose source
// is S. Nagy, Arm Optimized Routines, math/expf.c. A product is split where that file rounds it once with a sum.
const PARTS = 32;
const LOW = -20; // of x: g is 2 to the last bit
const HIGH = 80; // g is below 1e-34
const FIRST = -30 * PARTS; // n of the first power in the table, below 32 LOW / log(2)
const POWERS = Float64Array.from({ length: 147 * PARTS }, (_, n) => 2 ** ((FIRST + n) / PARTS));
const PER_E = 1.4426950408889634 * PARTS; // 32 / log(2)
const PER_E_HIGH = fround(PER_E); // its product with a float32 is exact
const PER_E_LOW = PER_E - PER_E_HIGH;
const CUBIC = 0.05550361559341535 / PARTS ** 3;
const SQUARE = 0.2402284522445722 / PARTS ** 2;
const LINEAR = 0.6931471806916203 / PARTS;

/** Return the exponential of a float32 in [-20, 80], rounded to float32. */
export function exp(x) {
  const n = Math.floor(PER_E * x + 0.5);
  const r = PER_E_HIGH * x - n + PER_E_LOW * x;
  return fround(((CUBIC * r + SQUARE) * (r * r) + (LINEAR * r + 1)) * POWERS[n - FIRST]);
}

/** Return what is kept of a potential after so many steps, as NumPy computes it. */
function kept(decay, steps) {
  return fround(steps === 1 ? decay : decay ** steps);
}

class Layer {
  /** weights: Float32Array (out, in), row by row, which stays as it is; see `Sleep` for the rest. */
  constructor(weights, inputs, neurons, alpha, beta, config) {
    Object.assign(this, { inputs, neurons, config });
    this.alpha = fround(alpha);
    this.beta = fround(beta);
    this.byInput = new Float32Array(weights.length); // (in, out): those of a step add up as rows
    for (let k = 0; k < neurons; k++)
      for (let i = 0; i < inputs; i++) this.byInput[i * neurons + k] = weights[k * inputs + i];
    const streams = config.batch;
    this.potentials = Array.from({ length: streams }, () => new Float32Array(neurons));
    this.last = new Int32Array(streams).fill(-1); // step in which a stream was last advanced
    this.restFires = beta < 0 || (beta === 0 && !config.strict);
    this.drive = new Float32Array(neurons);
    this.both = new Float32Array(inputs); // in how many streams an input fired together with a neuron
    this.counts = new Int32Array(neurons);
  }

  /** Advance the potentials of a stream by the inputs that spike, ascending; return the neurons that fire. */
  advance(step, stream, spikes) {
    const { neurons, byInput, drive, alpha, beta } = this;
    if (spikes.length === 0 && !this.restFires) return [];
    const v = this.potentials[stream];
    const d = kept(this.config.decay, step - this.last[stream]);
    this.last[stream] = step;
    drive.fill(0);
    for (const i of spikes) {
      const row = i * neurons;
      for (let k = 0; k < neurons; k++) drive[k] = fround(drive[k] + byInput[row + k]);
    }
    const fired = [];
    const { strict } = this.config;
    for (let k = 0; k < neurons; k++) {
      const now = fround(fround(v[k] * d) + fround(alpha * drive[k]));
      v[k] = now;
      if (now > beta || (now === beta && !strict)) {
        v[k] = 0;
        fired.push(k);
      }
    }
    return fired;
  }

  /** Change the weights by the spikes of a step: lists of inputs and of neurons that fired, one for each stream. */
  learn(spikes, fired) {
    if (fired.length === 1) {
      for (const k of fired[0]) this.learnOne(k, [spikes[0]]);
      return;
    }
    const streams = new Map(); // of every neuron that fired
    fired.forEach((neurons, stream) => {
      for (const k of neurons) streams.has(k) ? streams.get(k).push(spikes[stream]) : streams.set(k, [spikes[stream]]);
    });
    for (const [k, lists] of streams) this.learnOne(k, lists);
  }

  learnOne(k, lists) {
    const { inputs, neurons, byInput, both } = this;
    const inc = fround(this.config.inc);
    const dec = fround(this.config.dec);
    const gate = fround(this.config.gate ?? 0);
    const times = lists.length;
    this.counts[k] += times;
    for (const list of lists) for (const i of list) both[i] += 1;
    for (let i = 0, at = k; i < inputs; i++, at += neurons) {
      const w = byInput[at];
      let change = fround(fround(inc * both[i]) - fround(dec * (times - both[i])));
      if (gate > 0) change = fround(change * scaled(fround(w / gate)));
      byInput[at] = w + change;
    }
    for (const list of lists) for (const i of list) both[i] = 0;
  }

  /** Return the weights as they are, Float32Array (out, in). */
  weights() {
    const rows = new Float32Array(this.byInput.length);
    for (let k = 0; k < this.neurons; k++)
      for (let i = 0; i < this.inputs; i++) rows[k * this.inputs + i] = this.byInput[i * this.neurons + k];
    return rows;
  }
}

/** Return g = 2 / (1 + exp(x)) of a weight over the gate. */
function scaled(x) {
  return fround(2 / fround(1 + exp(x < LOW ? LOW : x > HIGH ? HIGH : x)));
}

export class Sleep {
  /**
   * weights: of every layer, Float32Array (out, in) row by row; they stay as they are. sizes: inputs and neurons of
   * every layer. config: as `SleepConfig` in srclib/sleep/config.py, with a list of one number per layer, or one
   * number, as alpha (times the scale of the layer) and beta. Throws RangeError where they do not fit.
   */
  constructor(weights, sizes, config) {
    const whole = { batch: 1, decay: 1, gate: null, strict: true, ...config };
    const number = (name, layer) => {
      const value = Array.isArray(whole[name]) ? whole[name][layer] : whole[name];
      if (!Number.isFinite(value)) throw new RangeError(`${name} of layer ${layer} = ${value}: allowed is a number`);
      return value;
    };
    this.config = whole;
    this.step = 0;
    this.layers = weights.map((w, layer) => {
      if (w.length !== sizes[layer] * sizes[layer + 1])
        throw new RangeError(`layer ${layer} has ${w.length} weights: allowed is ${sizes[layer] * sizes[layer + 1]}`);
      return new Layer(w, sizes[layer], sizes[layer + 1], number("alpha", layer), number("beta", layer), whole);
    });
  }

  /**
   * Advance by a step. inputs: for each stream the inputs that spike, ascending. Returns for every layer, for each
   * stream, the neurons that fired, ascending.
   */
  advance(inputs) {
    const { step } = this;
    let spikes = inputs;
    const all = this.layers.map((layer) => {
      const fired = spikes.map((list, stream) => layer.advance(step, stream, list));
      if (fired.some((list) => list.length > 0)) layer.learn(spikes, fired);
      spikes = fired;
      return fired;
    });
    this.step += 1;
    return all;
  }

  /** Return the potential of a neuron in the first stream after the last step. */
  potential(layer, neuron) {
    const { potentials, last } = this.layers[layer];
    return potentials[0][neuron] * this.config.decay ** (this.step - 1 - last[0]);
  }

  weights() {
    return this.layers.map((layer) => layer.weights());
  }

  /** Return how often every neuron fired, Int32Array per layer. */
  counts() {
    return this.layers.map((layer) => layer.counts);
  }
}
