// The parameters of a sleep as a reader sets them: sliders beside numbers, and what of them stands in the address.

const POSITIONS = 1000; // of a slider

/**
 * Return the fields of a network's sleep. Of each: key; label; range; log: its slider is logarithmic; whole: whole
 * numbers only; none: which end of the slider means that there is no such thing, and what is then said.
 */
export function fieldsOf(network) {
  const layers = network.layers.length - 1;
  const named = (layer) => (layers === 1 ? "" : ` of layer ${layer + 1}`);
  const side = Math.round(Math.sqrt(network.layers[0]));
  return [
    { key: "rate", label: "Rate of the noise (Hz)", min: 1, max: 2000, log: true },
    { key: "window", label: "Side of the window (pixels)", min: 1, max: side, whole: true, none: ["max", "all"] },
    { key: "inc", label: "Increase, both fire", min: 1e-6, max: 0.2, log: true },
    { key: "dec", label: "Decrease, one fires", min: 1e-6, max: 0.2, log: true },
    { key: "alpha", label: "Gain", min: 0.1, max: 200, log: true },
    ...Array.from({ length: layers }, (_, layer) => ({
      key: `beta${layer}`,
      label: `Threshold${named(layer)}`,
      min: 0.01,
      max: 100,
      log: true,
    })),
    { key: "leak", label: "Leak of a potential per step", min: 1e-5, max: 1, log: true, none: ["min", "none"] },
    { key: "gate", label: "Gate (scale of a weight)", min: 1e-4, max: 0.1, log: true, none: ["min", "none"] },
    { key: "steps", label: "Steps", min: 10, max: 60000, log: true, whole: true },
    { key: "batch", label: "Streams of noise at once", min: 1, max: 64, whole: true },
    { key: "seed", label: "Seed of the noise", min: 0, max: 99, whole: true },
  ];
}

/** Return the values of the fields for a sleep of `lab.json`. */
export function valuesOf(sleep, fields) {
  const { beta, decay, window, gate, ...rest } = sleep;
  const values = { seed: 0, window, gate, leak: decay === 1 ? null : 1 - decay, strict: sleep.strict };
  for (const { key } of fields) {
    if (key.startsWith("beta")) values[key] = Array.isArray(beta) ? beta[Number(key.slice(4))] : beta;
    else if (key in rest) values[key] = rest[key];
  }
  return values;
}

/** Return the settings of the kernel and of the noise for values of the fields. */
export function sleepOf(values, network, dt) {
  const layers = network.layers.length - 1;
  const config = {
    alpha: network.scales.map((scale) => values.alpha * scale),
    beta: Array.from({ length: layers }, (_, layer) => values[`beta${layer}`]),
    inc: values.inc,
    dec: values.dec,
    decay: 1 - (values.leak ?? 0),
    gate: values.gate,
    strict: values.strict,
    steps: values.steps,
    batch: values.batch,
    window: values.window,
  };
  return { config, gain: 2 * dt * values.rate, seeds: [values.seed, network.task - 1] };
}

/** Return where a value stands on a slider, from 0 to POSITIONS. */
export function position(field, value) {
  if (value === null) return field.none[0] === "min" ? 0 : POSITIONS;
  const [low, high, at] = [field.min, field.max, value].map((v) => (field.log ? Math.log(Math.max(v, 1e-12)) : v));
  return Math.max(0, Math.min(POSITIONS, ((at - low) / (high - low)) * POSITIONS));
}

/** Return the value at a place of a slider, three digits of it, or null where that end means none. */
export function valueAt(field, place) {
  if (field.none && place === (field.none[0] === "min" ? 0 : POSITIONS)) return null;
  const share = place / POSITIONS;
  const value = field.log ? field.min * (field.max / field.min) ** share : field.min + (field.max - field.min) * share;
  return field.whole ? Math.round(value) : Number(value.toPrecision(3));
}

/** Return a value as it stands in the address and in its box. */
export function written(value) {
  return value === null ? "" : String(value);
}

/** Return the value that a text says, undefined if it says none that a field allows. */
export function understood(field, text) {
  if (text.trim() === "") return field.none ? null : undefined;
  const value = Number(text);
  const least = field.whole ? field.min : field.log ? 0 : field.min;
  if (!Number.isFinite(value) || value < least || (field.whole && !Number.isInteger(value))) return undefined;
  if ((field.key === "window" || field.key === "leak") && value > field.max) return undefined;
  if ((field.key === "gate" || field.key === "alpha") && value === 0) return undefined;
  return value;
}

/** Return the part of an address that says network, preset, and every value that is not the preset's. */
export function toAddress(name, preset, values, presetValues) {
  const changed = Object.entries(values).filter(([key, value]) => value !== presetValues[key]);
  const parts = [["network", name], ["sleep", preset], ...changed.map(([key, value]) => [key, written(value)])];
  return new URLSearchParams(parts).toString();
}

/** Return what an address says: network, sleep, and its other entries as text. */
export function fromAddress(hash) {
  const { network, sleep, ...changes } = Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
  return { network, sleep, changes };
}

export { POSITIONS };
