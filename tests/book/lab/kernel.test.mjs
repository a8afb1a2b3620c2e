// Run by tests/book/test_lab.py, which writes the cases into the folder $LAB_CASES.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { exp, Sleep } from "../../../book/_static/lab/kernel.mjs";
import { Stimulus } from "../../../book/_static/lab/stimulus.mjs";

const folder = process.env.LAB_CASES;
const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const floats = (name) => new Float32Array(new Uint8Array(readFileSync(join(folder, name))).buffer);

/** Return the weights of a file with all layers in a row. */
function layered(all, sizes) {
  let at = 0;
  return sizes.slice(1).map((neurons, layer) => all.slice(at, (at += neurons * sizes[layer])));
}

for (const { name, sizes, config, tolerance } of read("sleeps.json")) {
  test(`every spike of ${name} is equal`, () => {
    const { inputs, fired } = read(`${name}.json`); // lists of each row; of each layer and row
    const sleep = new Sleep(layered(floats(`${name}.before`), sizes), sizes, config);
    for (let row = 0; row < inputs.length; row += config.batch) {
      const found = sleep.advance(inputs.slice(row, row + config.batch));
      found.forEach((layer, l) => {
        assert.deepEqual(layer, fired[l].slice(row, row + config.batch), `layer ${l}, row ${row}`);
      });
    }
    const after = layered(floats(`${name}.after`), sizes);
    sleep.weights().forEach((found, layer) => {
      const worst = found.reduce((most, w, i) => Math.max(most, Math.abs(w - after[layer][i])), 0);
      assert.ok(worst <= tolerance, `layer ${layer} differs by ${worst}`);
    });
  });
}

for (const { name, mean, rows, gain, seeds, window } of read("stimuli.json")) {
  test(`the noise of ${name} is equal`, () => {
    const stimulus = new Stimulus(Float64Array.from(mean), rows, gain, seeds, window);
    assert.deepEqual(
      Array.from({ length: rows }, () => stimulus.next()),
      read(`${name}.json`),
    );
  });
}

test("the exponential is rounded as that of the package", () => {
  const found = floats("exp.x").map(exp);
  const expected = floats("exp.y");
  assert.deepEqual(found, expected);
});

test("what does not fit is refused", () => {
  const config = { alpha: 1, beta: [1], inc: 0, dec: 0 };
  assert.throws(() => new Sleep([new Float32Array(5)], [2, 3], config), /5 weights: allowed is 6/);
  assert.throws(() => new Sleep([new Float32Array(6), new Float32Array(3)], [2, 3, 1], config), /beta of layer 1/);
  assert.throws(() => new Stimulus(new Float64Array(9), 1, 1, [0], 4), /window = 4 with 9 inputs/);
});
