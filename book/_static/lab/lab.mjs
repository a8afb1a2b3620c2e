// The page of the sleep lab: what a reader chooses goes to a worker, what the worker sees is shown.

import { Course, drawHistograms, Raster } from "./charts.mjs";
import { Drawing } from "./drawing.mjs";
import { accuracy, largest, readNetwork, readTests } from "./network.mjs";
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
} from "./settings.mjs";

const PROTOCOLS = ["released", "described", "tuned"];
const DATASETS = { mnist: "MNIST", patches: "Patches" };
const root = document.getElementById("lab");
const find = (selector) => root.querySelector(selector);
const colors = JSON.parse(root.dataset.colors);
const published = JSON.parse(root.dataset.published);
const source = new URL(root.dataset.source, document.baseURI);
const still = matchMedia("(prefers-reduced-motion: reduce)"); // then charts change only when the network is tested
const said = find(".said");
const percent = (share) => `${Math.round(100 * share)} %`;

const worker = new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });
const raster = new Raster(find("[data-raster]"));
const course = new Course(find("[data-course]"));
const trace = new Course(find("[data-potential]"));
const tests = new Map(); // that were loaded, by name

let index; // lab.json
let name; // of the network
let network; // its entry, with what its file holds
let fields; // of its sleep
let preset; // the protocol whose sleep it is
let values; // of the fields
let state = "idle"; // or running, paused, done
let before; // what was measured before the sleep
let threshold = 0; // of the chosen neuron
const held = []; // spikes that are not drawn yet

// Loading

async function load(file, told) {
  const response = await fetch(new URL(file, source));
  if (!response.ok) throw new Error(`${file} is missing: ${response.status}`);
  const total = Number(response.headers.get("Content-Length")) || Infinity;
  const parts = [];
  let size = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    told(Math.min(1, size / total));
  }
  return new Blob(parts).arrayBuffer();
}

async function choose(wanted) {
  const bar = find("progress");
  const entry = index.networks[wanted];
  bar.hidden = false;
  said.textContent = "Loading the network …";
  if (!tests.has(entry.tests)) {
    const buffer = await load(`${entry.tests}.bin`, (share) => {
      bar.value = share / 2;
    });
    tests.set(entry.tests, readTests(buffer, index.tests[entry.tests]));
  }
  const buffer = await load(`${wanted}.bin`, (share) => {
    bar.value = 0.5 + share / 2;
  });
  bar.hidden = true;
  name = wanted;
  before = undefined;
  network = { ...entry, sizes: entry.layers, ...readNetwork(buffer, entry.layers), tests: tests.get(entry.tests) };
  fields = fieldsOf(network);
  find("[name=network]").value = name;
  find("[name=layer]").replaceChildren(...entry.layers.slice(1).map((_, k) => new Option(String(k + 1), k)));
  find("[name=neuron]").value = 0;
  find(".own").hidden = entry.dataset !== "mnist";
  for (const button of root.querySelectorAll("[data-sleep]")) button.disabled = !night(button.dataset.sleep);
  const { sizes, mean, weights, rectified, tests: tested } = network;
  state = "idle";
  worker.postMessage({ kind: "network", name, sizes, mean, weights, rectified, tests: tested });
}

/** Return the sleep of a protocol after the network's task, null if there is none. */
function night(protocol) {
  return index.sleeps[network.dataset][protocol]?.[network.task - 1] ?? null;
}

// Parameters

function usePreset(protocol, changes = {}) {
  preset = protocol;
  values = valuesOf(night(protocol), fields);
  for (const field of fields) {
    const value = field.key in changes ? understood(field, changes[field.key]) : undefined;
    if (value !== undefined) values[field.key] = value;
  }
  if ("strict" in changes) values.strict = changes.strict === "true";
  showFields();
  remember();
}

function showFields() {
  const published = valuesOf(night("released") ?? night(preset), fields);
  find(".fields").replaceChildren(
    ...fields.map((field) => fieldOf(field, published[field.key])),
    strictField(),
  );
  for (const button of root.querySelectorAll("[data-sleep]"))
    button.setAttribute("aria-pressed", String(button.dataset.sleep === preset));
}

function fieldOf(field, mark) {
  const block = document.createElement("div");
  block.className = "field";
  block.innerHTML = `<label for="lab-${field.key}"></label><input type="text" inputmode="decimal" id="lab-${field.key}">
    <span class="slide"><input type="range" min="0" max="${POSITIONS}" step="1"><i></i></span>`;
  const [box, slider] = block.querySelectorAll("input");
  block.querySelector("label").textContent = field.label;
  slider.setAttribute("aria-label", `${field.label}, slider`);
  const tick = block.querySelector("i");
  tick.style.left = `${position(field, mark) / (POSITIONS / 100)}%`;
  tick.title = `released: ${mark === null ? field.none[1] : mark}`;
  if (field.none) box.placeholder = field.none[1];
  const show = () => {
    const value = values[field.key];
    box.value = value === null ? "" : String(Number(value.toPrecision(6)));
    slider.value = position(field, value);
    slider.setAttribute("aria-valuetext", box.value || field.none[1]);
    box.removeAttribute("aria-invalid");
  };
  const set = (value) => {
    values[field.key] = value;
    show();
    changed();
  };
  slider.addEventListener("input", () => set(valueAt(field, Number(slider.value))));
  box.addEventListener("change", () => {
    const value = understood(field, box.value);
    if (value === undefined) box.setAttribute("aria-invalid", "true");
    else set(value);
  });
  show();
  return block;
}

function strictField() {
  const label = document.createElement("label");
  label.className = "check";
  label.innerHTML = '<input type="checkbox" name="strict"> fires only above the threshold, not at it';
  const box = label.querySelector("input");
  box.checked = values.strict;
  box.addEventListener("change", () => {
    values.strict = box.checked;
    changed();
  });
  return label;
}

/** A sleep with other parameters is another sleep: what ran before is given up. */
function changed() {
  remember();
  if (state !== "idle") reset();
}

function remember() {
  const address = toAddress(name, preset, values, valuesOf(night(preset), fields));
  history.replaceState(null, "", `#${address}`);
}

// The sleep

function start() {
  const { config, gain, seeds } = sleepOf(values, network, night(preset).dt);
  clearCharts();
  state = "running";
  showState();
  worker.postMessage({ kind: "start", config, gain, seeds, ...watched() });
}

function watched() {
  const layer = Number(find("[name=layer]").value);
  const neurons = network.sizes[layer + 1];
  const neuron = Math.max(0, Math.min(neurons - 1, Math.round(Number(find("[name=neuron]").value)) || 0));
  find("[name=neuron]").value = neuron;
  threshold = values[`beta${layer}`];
  const pace = find("[name=pace]").value;
  return { pace: pace === "" ? null : Number(pace), probe: { layer, neuron } };
}

function reset() {
  state = "idle";
  showState();
  clearCharts();
  worker.postMessage({ kind: "reset" });
}

function showState() {
  find("[data-start]").textContent = { idle: "Start", running: "Pause", paused: "Go on", done: "Once more" }[state];
}

function clearCharts() {
  held.length = 0;
  const { sizes } = network;
  const bands = [["noise", 40], ...sizes.slice(1).map((neurons, k) => [`layer ${k + 1}`, neurons])];
  const ink = getComputedStyle(root).color;
  raster.start(bands, values.steps, [ink, ...sizes.slice(1).map((_, k) => colors[(k + 1) % colors.length])]);
  const mark = published[network.dataset];
  const marks = mark !== undefined && network.task === network.tasks.length ? [[mark / 100, "paper"]] : [];
  course.start(values.steps, 0, 1, marks);
  if (before) addToCourse(0, before);
  course.draw();
  trace.start(values.steps, Math.min(0, 1.2 * threshold), Math.max(0, 1.2 * threshold), [[threshold, "threshold"]]);
  find("[data-spikes]").textContent = "A dot is a spike: of some inputs, and of every neuron.";
}

function showHeld() {
  for (const seen of held.splice(0)) raster.add(seen);
  trace.draw();
}

function addToCourse(step, counts) {
  learned().forEach((classes, k) => course.add(k, colors[k], step, accuracy(counts, classes)));
  course.add("all", getComputedStyle(root).color, step, accuracy(counts, network.tasks.flat()));
}

function learned() {
  return network.tasks.slice(0, network.task);
}

const heard = {
  slept({ step, steps, seen, trace: potentials, spikes, seconds }) {
    held.push(seen);
    for (const [at, value] of potentials) trace.add("potential", colors[1], at, value);
    if (!still.matches) showHeld();
    const rate = seconds > 0.05 ? `, ${Math.round(step / seconds).toLocaleString("en")} steps a second` : "";
    find("[data-spikes]").textContent =
      `Step ${step.toLocaleString("en")} of ${steps.toLocaleString("en")}: ` +
      `${spikes.toLocaleString("en")} spikes of the network${rate}.`;
  },

  measured({ when, step, counts, histograms, ranges }) {
    if (when === "before") {
      before = counts;
      network.histograms = histograms;
      clearCharts();
    } else {
      if (when === "settled") {
        clearCharts();
        addToCourse(values.steps, counts);
      } else addToCourse(step, counts);
      course.draw();
      showHeld();
    }
    showTasks(counts);
    drawHistograms(find("[data-histogram]"), network.histograms, histograms, ranges, colors[2]);
    if (when !== "during") showConfusions(counts, when);
    if (when === "end") state = "done";
    if (when === "settled") state = "idle";
    showState();
    if (when !== "during") tell(when, step, counts);
    askAgain();
  },

  recognised({ before: first, now }) {
    const text = (outputs) => {
      const best = largest(outputs);
      return outputs[best] > 0 || !network.rectified ? String(best) : `${best} (no output is active)`;
    };
    find(".answer-digit").textContent = `Before the sleep the network says ${text(first)}, now ${text(now)}.`;
  },

  failed({ why }) {
    state = "idle";
    showState();
    said.textContent = `This cannot sleep: ${why}.`;
  },
};

function tell(when, step, counts) {
  const of = (found) =>
    learned()
      .map((classes) => `${classes.join("/")} ${percent(accuracy(found, classes))}`)
      .join(", ");
  const all = percent(accuracy(counts, network.tasks.flat()));
  const start = {
    before: "Before the sleep",
    settled: "After the closed form",
    end: "After the sleep",
    paused: `After step ${step.toLocaleString("en")}`,
  }[when];
  said.textContent = `${start}: ${of(counts)}; of all classes ${all}.`;
}

function showTasks(counts) {
  const rows = [...learned().map((classes, k) => [classes.join("/"), classes, colors[k]])];
  rows.push(["all classes", network.tasks.flat(), "currentColor"]);
  find(".tasks").replaceChildren(
    ...rows.map(([label, classes, color]) => {
      const [was, is] = [accuracy(before, classes), accuracy(counts, classes)];
      const row = document.createElement("div");
      row.className = "task";
      row.innerHTML = `<span></span><span class="gauge"><b></b><i></i></span><span></span>`;
      const [title, , number] = row.children;
      title.textContent = label;
      number.textContent = `${percent(was)} → ${percent(is)}`;
      row.querySelector("b").style.cssText = `width: ${100 * is}%; background: ${color}`;
      row.querySelector("i").style.left = `${100 * was}%`;
      const mark = published[network.dataset];
      if (label === "all classes" && mark !== undefined && network.task === network.tasks.length) {
        const line = document.createElement("em");
        line.style.left = `${mark}%`;
        line.title = `the paper: ${mark} %`;
        row.querySelector(".gauge").append(line);
        number.textContent += ` (paper ${Math.round(mark)} %)`;
      }
      return row;
    }),
  );
}

function showConfusions(counts, when) {
  const titles = when === "before" ? [["before", counts]] : [["before", before], ["now", counts]];
  find(".confusions").replaceChildren(...titles.map(([title, found]) => confusionTable(title, found)));
}

function confusionTable(title, counts) {
  const table = document.createElement("table");
  table.className = "confusion";
  table.innerHTML = `<caption></caption><thead><tr><td></td></tr></thead><tbody></tbody>`;
  table.caption.textContent = `${title}: rows are what is shown, columns what it is taken for`;
  const heading = (text, scope) => {
    const cell = document.createElement("th");
    cell.scope = scope;
    cell.textContent = text;
    return cell;
  };
  counts.forEach((row, k) => {
    table.tHead.rows[0].append(heading(k, "col"));
    const line = table.tBodies[0].insertRow();
    line.append(heading(k, "row"));
    const all = row.reduce((a, b) => a + b, 0);
    for (const count of row) {
      const cell = line.insertCell();
      cell.textContent = count || "";
      cell.style.setProperty("--share", `${Math.round((70 * count) / all)}%`);
    }
  });
  return table;
}

// A digit of one's own

let shown = null; // the image that the network is asked about
let example = -1;
const drawing = new Drawing(find("[data-draw]"), (pixels) => {
  shown = pixels;
  askAgain();
});

function askAgain() {
  if (shown && network?.dataset === "mnist") worker.postMessage({ kind: "recognise", pixels: shown });
}

function showExample() {
  example = (example + 1) % network.tests.images.length;
  const { places, values: gray } = network.tests.images[example];
  const pixels = new Float32Array(network.sizes[0]);
  places.forEach((place, n) => {
    pixels[place] = gray[n];
  });
  drawing.show(pixels);
}

// What a reader does

const clicks = {
  start() {
    if (state === "idle" || state === "done") return start();
    const running = state === "running";
    state = running ? "paused" : "running";
    showState();
    worker.postMessage({ kind: running ? "pause" : "resume" });
  },
  step() {
    if (state === "idle" || state === "done") start();
    state = "paused";
    showState();
    worker.postMessage({ kind: "step" });
  },
  reset,
  settle() {
    worker.postMessage({ kind: "settle" });
  },
  async link() {
    await navigator.clipboard.writeText(location.href);
    said.textContent = "The link to this setting is copied.";
  },
  clear() {
    drawing.clear();
    shown = null;
    find(".answer-digit").textContent = "";
  },
  example: showExample,
};

function listen() {
  worker.addEventListener("message", ({ data }) => data.of === name && heard[data.kind](data)); // not of one before
  root.addEventListener("click", ({ target }) => {
    const { sleep, ...rest } = target.dataset;
    if (sleep) {
      usePreset(sleep);
      reset();
    }
    for (const key of Object.keys(rest)) if (target.tagName === "BUTTON") clicks[key]?.();
  });
  for (const key of ["pace", "neuron", "layer"])
    find(`[name=${key}]`).addEventListener("change", () => worker.postMessage({ kind: "watch", ...watched() }));
  find("[name=network]").addEventListener("change", ({ target }) => open(target.value));
  window.addEventListener("hashchange", openAddress);
}

/** Open a network with the sleep of a protocol, its own one where that has none, and changes to it as text. */
async function open(wanted, protocol, changes) {
  try {
    await choose(wanted);
    const order = [protocol, network.protocol, ...PROTOCOLS];
    usePreset(order.find((each) => each && night(each)), changes);
    clearCharts();
  } catch (error) {
    said.textContent = `The network could not be loaded: ${error.message}.`;
  }
}

function openAddress() {
  const { network: wanted, sleep, changes } = fromAddress(location.hash);
  const known = wanted in index.networks ? wanted : "mnist_released_2";
  return open(known, sleep, changes);
}

function options() {
  const groups = new Map();
  for (const [key, entry] of Object.entries(index.networks)) {
    const title = entry.dataset === "mnist" ? `${DATASETS.mnist}, ${entry.protocol}` : `${DATASETS.patches} of Fig. 1`;
    const label = entry.dataset === "mnist" ? `after task ${entry.task}` : `overlap of ${entry.overlap} pixels`;
    if (!groups.has(title)) groups.set(title, Object.assign(document.createElement("optgroup"), { label: title }));
    groups.get(title).append(new Option(`${title}, ${label}`, key));
  }
  find("[name=network]").replaceChildren(...groups.values());
}

find(".without").hidden = true;
find(".with").hidden = false;
try {
  index = JSON.parse(new TextDecoder().decode(await load("lab.json", () => {})));
  options();
  listen();
  await openAddress();
} catch (error) {
  said.textContent = `The lab could not be loaded: ${error.message}.`;
}
