import assert from "node:assert/strict";
import { test } from "node:test";
import { centred } from "../../../book/_static/lab/drawing.mjs";
import { accuracy, confusion, halves, histogram, outputs, settled, sparse } from "../../../book/_static/lab/network.mjs";
import {
  fieldsOf,
  fromAddress,
  POSITIONS,
  position,
  sleepOf,
  toAddress,
  understood,
  valueAt,
  valuesOf,
} from "../../../book/_static/lab/settings.mjs";

const sizes = [3, 2, 2];
const weights = [new Float32Array([1, -1, 0, -2, 1, 1]), new Float32Array([1, 0, -1, 2])];

test("numbers of half precision", () => {
  const bits = [0x0000, 0x3c00, 0xbc00, 0x3555, 0x0001, 0x7bff, 0xc248];
  assert.deepEqual([...halves(bits)], [0, 1, -1, 0.333251953125, 2 ** -24, 65504, -3.140625]);
});

test("a network answers", () => {
  assert.deepEqual(outputs(weights, sizes, sparse([3, 1, 0]), false), [2, -2]);
  assert.deepEqual(outputs(weights, sizes, sparse([3, 1, 0]), true), [2, 0]);
  const tests = { images: [sparse([3, 1, 0]), sparse([0, 0, 1]), sparse([0, 0, 0])], labels: [0, 0, 1] };
  const counts = confusion(weights, sizes, tests, true);
  assert.deepEqual(counts, [[1, 1], [1, 0]]); // what activates no output is taken for class 0
  assert.equal(accuracy(counts, [0]), 0.5);
  assert.equal(accuracy(counts, [0, 1]), 1 / 3);
});

test("after the closed form the mean input excites no hidden neuron, and no other weight moved", () => {
  const mean = [0.8, 0.5, 0.25];
  const after = settled(weights, sizes, mean);
  for (const k of [0, 1]) {
    const row = [...after[0].slice(3 * k, 3 * k + 3)];
    const z = row.reduce((sum, w, i) => sum + w * mean[i], 0);
    assert.ok(z <= 1e-6, `neuron ${k}: ${z}`);
    row.forEach((w, i) => assert.ok(weights[0][3 * k + i] < 0 ? w <= weights[0][3 * k + i] : w === weights[0][3 * k + i]));
  }
  assert.ok(after[0][1] < -1);
  assert.deepEqual([...after[1]], [...weights[1]]); // the outputs keep their weights
  assert.deepEqual([...weights[0]], [1, -1, 0, -2, 1, 1]);
});

test("a histogram counts every weight", () => {
  assert.deepEqual(histogram([-9, -0.6, -0.1, 0.1, 0.4, 9], 1, 4), [2, 1, 2, 1]);
});

const network = { layers: [784, 20, 10], scales: [0.5, 2], task: 3 };
const night = {
  alpha: 4, beta: [1.5, 2], inc: 0.01, dec: 0.002, decay: 0.999, gate: 0.001, strict: false, steps: 900, rate: 239.515363,
  dt: 0.001, window: 11, batch: 1, max_updates: null,
};

test("a preset is the sleep that it names, to the last bit", () => {
  const { config, gain, seeds } = sleepOf(valuesOf(night, fieldsOf(network)), network, night.dt);
  const { rate, dt, max_updates: unused, ...same } = night;
  assert.deepEqual(config, { ...same, alpha: [2, 8] });
  assert.equal(gain, 2 * dt * rate);
  assert.deepEqual(seeds, [0, 2]);
});

test("an address gives back what it was made of", () => {
  const fields = fieldsOf(network);
  const values = { ...valuesOf(night, fields), beta1: 0.125, gate: null, seed: 7, leak: 0.0123456789 };
  const address = toAddress("net", "released", values, valuesOf(night, fields));
  const found = fromAddress(`#${address}`);
  assert.equal(found.network, "net");
  assert.equal(found.sleep, "released");
  assert.deepEqual(Object.keys(found.changes).sort(), ["beta1", "gate", "leak", "seed"]);
  for (const field of fields.filter(({ key }) => key in found.changes))
    assert.equal(understood(field, found.changes[field.key]), values[field.key]);
});

test("a slider covers what is between its ends", () => {
  for (const field of fieldsOf(network)) {
    assert.equal(position(field, field.min), 0);
    assert.equal(position(field, field.max), POSITIONS);
    const middle = valueAt(field, 600);
    assert.ok(Math.abs(position(field, middle) - 600) < (field.whole ? 30 : 3), field.key);
    if (field.none) assert.equal(valueAt(field, position(field, null)), null);
  }
});

test("a value that no sleep has is not understood", () => {
  const fields = Object.fromEntries(fieldsOf(network).map((field) => [field.key, field]));
  for (const [key, text] of [["steps", "0"], ["steps", "1.5"], ["steps", "many"], ["window", "29"], ["rate", "-1"],
    ["leak", "1.1"], ["rate", ""], ["alpha", "0"], ["seed", "-1"], ["beta0", "Infinity"]])
    assert.equal(understood(fields[key], text), undefined, `${key} = ${text}`);
  assert.equal(understood(fields.window, ""), null);
  assert.equal(understood(fields.gate, " "), null);
});

test("a digit is moved to the middle and made as large as those of MNIST", () => {
  const pixels = new Float32Array(784);
  for (let row = 2; row < 12; row++) pixels[28 * row + 3] = 1; // a short line, far from the middle
  const lit = [...centred(pixels).entries()].filter(([, value]) => value > 0.5).map(([at]) => at);
  const rows = lit.map((at) => Math.floor(at / 28));
  assert.deepEqual([Math.min(...rows), Math.max(...rows)], [4, 23]);
  assert.ok(lit.every((at) => [13, 14].includes(at % 28)));
  assert.ok(centred(new Float32Array(784)).every((value) => value === 0));
});
