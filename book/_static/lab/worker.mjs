// Lets a network sleep in the background. The page tells it what to do, and it tells the page what is to be seen.

import { Sleep } from "./kernel.mjs";
import { confusion, histogram, outputs, settled, sparse } from "./network.mjs";
import { Stimulus } from "./stimulus.mjs";

const BUSY = 25; // milliseconds of a piece of the sleep, so that a message never waits long
const MEASURED = 24; // how often the network is tested in a sleep, more often at its beginning
const SHOWN = 40; // pieces of a sleep at least, each of which is shown
const PARTS = 48; // bars of a histogram
const INPUT_ROWS = 40; // inputs whose spikes are shown, of those whose mean is above
const DARK = 0.05;
const TRACE = 600; // potentials of the chosen neuron in a sleep

let network; // {name, sizes, mean, weights, rectified, tests, ranges}
let now; // weights, as they are
let asleep = null; // {sleep, stimulus, steps, pace, probe, …}
let measured = {}; // what was found last, after how many spikes of this sleep
let timer = null;

const commands = {
  network(given) {
    network = given;
    network.ranges = given.weights.map((w) => 1.25 * w.reduce((most, v) => Math.max(most, Math.abs(v)), 0));
    const bright = [...given.mean.keys()].filter((i) => given.mean[i] > DARK);
    network.rowOf = new Int16Array(given.mean.length).fill(-1); // where the spikes of an input are shown
    for (let row = 0; row < INPUT_ROWS; row++) network.rowOf[bright[Math.floor((row * bright.length) / INPUT_ROWS)]] = row;
    commands.reset();
  },

  reset() {
    stop();
    asleep = null;
    now = network.weights;
    measure(0, "before");
  },

  start({ config, gain, seeds, pace, probe }) {
    commands.reset();
    const rows = config.steps * config.batch;
    const stimulus = new Stimulus(network.mean, rows, gain, seeds, config.window);
    const sleep = new Sleep(network.weights, network.sizes, config);
    const started = performance.now();
    asleep = { sleep, stimulus, steps: config.steps, batch: config.batch, pace, probe, test: 1, spikes: 0, started };
    commands.resume();
  },

  resume() {
    if (asleep && timer === null) timer = setTimeout(piece, 0);
  },

  pause() {
    stop();
    if (asleep) measure(asleep.sleep.step, "paused");
  },

  step() {
    stop();
    if (!asleep || asleep.sleep.step === asleep.steps) return;
    advance(1);
    measure(asleep.sleep.step, "paused");
  },

  watch({ pace, probe }) {
    if (asleep) Object.assign(asleep, { pace, probe });
  },

  settle() {
    stop();
    asleep = null;
    now = settled(network.weights, network.sizes, network.mean);
    measure(0, "settled");
  },

  recognise({ pixels }) {
    const image = sparse(pixels);
    const of = (weights) => outputs(weights, network.sizes, image, network.rectified);
    tell({ kind: "recognised", before: of(network.weights), now: of(current()) });
  },
};

function tell(message) {
  postMessage({ ...message, of: network.name });
}

function current() {
  return asleep ? asleep.sleep.weights() : now;
}

function stop() {
  clearTimeout(timer);
  timer = null;
}

/** Test the network and tell what is seen of it. */
function measure(step, when) {
  const spikes = asleep?.spikes;
  if (spikes === undefined || spikes !== measured.spikes) { // without a spike no weight has changed
    const weights = current();
    measured = {
      spikes,
      counts: confusion(weights, network.sizes, network.tests, network.rectified),
      histograms: weights.map((w, layer) => histogram(w, network.ranges[layer], PARTS)),
    };
  }
  const { counts, histograms } = measured;
  tell({ kind: "measured", when, step, counts, histograms, ranges: network.ranges });
}

function piece() {
  timer = null;
  const paced = asleep.pace === null ? Math.max(1, Math.ceil(asleep.steps / SHOWN)) : Math.max(1, asleep.pace / 20);
  advance(Math.round(paced));
  if (asleep && asleep.sleep.step < asleep.steps) timer = setTimeout(piece, asleep.pace === null ? 0 : 50);
}

/** Advance by so many steps, fewer when they take long, and tell what happened in them. */
function advance(most) {
  const { sleep, stimulus, steps, batch, probe } = asleep;
  const end = Math.min(steps, sleep.step + most);
  const until = performance.now() + BUSY;
  const every = Math.ceil(steps / TRACE);
  const seen = { step: [], layer: [], row: [] };
  const trace = [];
  let tested = false;
  while (sleep.step < end && !tested && performance.now() < until) {
    const at = sleep.step;
    const inputs = Array.from({ length: batch }, () => stimulus.next());
    const fired = sleep.advance(inputs);
    note(seen, at, 0, inputs[0], (i) => network.rowOf[i]);
    fired.forEach((lists, layer) => {
      for (const list of lists) asleep.spikes += list.length;
      note(seen, at, layer + 1, lists[0], (k) => k);
    });
    if (at % every === 0) trace.push([at, sleep.potential(probe.layer, probe.neuron)]);
    tested = sleep.step === testAt();
  }
  const seconds = (performance.now() - asleep.started) / 1000;
  tell({ kind: "slept", step: sleep.step, steps, seen, trace, spikes: asleep.spikes, seconds });
  if (tested) {
    asleep.test += 1;
    measure(sleep.step, sleep.step === steps ? "end" : "during");
  }
}

/** Return the next step after which the network is tested: these lie as roots on the axis of time. */
function testAt() {
  const { test, steps, sleep } = asleep;
  for (let n = test; ; n++) {
    const at = Math.ceil(steps * (n / MEASURED) ** 2);
    if (at >= sleep.step) {
      asleep.test = n;
      return at;
    }
  }
}

/** Note the spikes of a layer in a step, by what `row` makes of a neuron; -1: it is not shown. */
function note(seen, step, layer, list, row) {
  for (const k of list) {
    const shown = row(k);
    if (shown < 0) continue;
    seen.step.push(step);
    seen.layer.push(layer);
    seen.row.push(shown);
  }
}

addEventListener("message", ({ data }) => {
  try {
    commands[data.kind](data);
  } catch (error) {
    stop();
    asleep = null;
    tell({ kind: "failed", why: error.message });
  }
});
