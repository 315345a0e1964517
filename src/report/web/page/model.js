// SPDX-License-Identifier: MIT
// What the file holds: the snapshots with ids of their own, as one tree of tracebacks with ids for all.
//
// A node is a traceback: `frame` is its most recent frame, `parent` the older ones; node 0 is none.  Parents have smaller
// ids.  A frame is a line (file and number) in a function.

const FIGURES = { live: 0, peakPython: 2, peakHeap: 4, ever: 6, temporary: 8 };
const VALUES = 10, WORDS = 2 + VALUES; // of a counter: traceback, domain, then bytes and blocks of each figure
export const DOMAINS = ['raw', 'mem', 'obj', 'native', 'mmap'];
export const DOMAIN_SETS = { all: 0b1111, python: 0b111, raw: 1, mem: 2, obj: 4, native: 8, mmap: 16 };

class Ids {
  constructor() {
    this.map = new Map();
    this.items = [];
  }
  of(key, item) {
    let id = this.map.get(key);
    if (id === undefined) {
      id = this.items.push(item) - 1;
      this.map.set(key, id);
    }
    return id;
  }
}

const UNKNOWN = '<unknown>'; // frame 0

/** [key, value, key, value, ...] */
function pairs(list) {
  const map = new Map();
  for (let i = 0; i < list.length; i += 2) map.set(list[i], list[i + 1]);
  return map;
}

function addFrames(model, snapshot, frameMap) {
  const { strings, frames } = snapshot, natives = pairs(snapshot.native || []), modules = pairs(snapshot.modules);
  for (let i = 0; i * 3 < frames.length; i++) {
    const line = frames[i * 3 + 2], native = natives.has(i);
    const path = i === 0 ? UNKNOWN : strings[frames[i * 3]];
    const file = model.files.of(path, path);
    const name = strings[frames[i * 3 + 1]];
    const fn = model.functions.of(`${file}:${name}`, { file, name });
    // Machine frames have names where they have no lines.
    const site = model.sites.of(native && line === 0 ? `${file}:0:${name}` : `${file}:${line}`, { file, line, fn });
    const its = native ? snapshot.native_modules[natives.get(i)] : i === 0 ? UNKNOWN : modules.get(frames[i * 3]);
    const module = model.modules.of(its, its);
    frameMap[i] = model.frames.of(`${site}:${fn}:${native}`, { file, line, name, fn, site, native, module });
  }
}

function addNodes(model, snapshot, frameMap) {
  const { tracebacks } = snapshot;
  const nodes = new Int32Array(tracebacks.length / 2);
  const width = model.frames.items.length + 1;
  for (let i = 0; i < nodes.length; i++) {
    // Traceback 0 is the one without frames: frame 0 is the unknown one.
    const older = tracebacks[i * 2], parent = older === 0 ? 0 : nodes[older];
    const frame = frameMap[tracebacks[i * 2 + 1]];
    nodes[i] = model.nodes.of(parent * width + frame, 0);
    model.parents[nodes[i]] = parent;
    model.nodeFrames[nodes[i]] = frame;
  }
  return nodes;
}

function takeCounters(snapshot, nodes) {
  const { counters } = snapshot, count = counters.length / WORDS;
  const node = new Int32Array(count), domain = new Uint8Array(count), values = new Float64Array(count * VALUES);
  for (let i = 0; i < count; i++) {
    node[i] = nodes[counters[i * WORDS]];
    domain[i] = 1 << counters[i * WORDS + 1];
    for (let j = 0; j < VALUES; j++) values[i * VALUES + j] = counters[i * WORDS + 2 + j];
  }
  return { node, domain, values, facts: snapshot.facts };
}

function link(model) {
  const count = model.parents.length;
  model.parents = Int32Array.from(model.parents);
  model.nodeFrames = Int32Array.from(model.nodeFrames);
  model.firstChild = new Int32Array(count);
  model.nextSibling = new Int32Array(count);
  for (let i = count - 1; i > 0; i--) {
    model.nextSibling[i] = model.firstChild[model.parents[i]];
    model.firstChild[model.parents[i]] = i;
  }
}

/** By node: that of its most recent Python frame, itself where it has machine frames only. */
function placeNodes(model) {
  const isNative = (node) => model.frames[model.nodeFrames[node]].native;
  model.places = new Int32Array(model.parents.length);
  for (let i = 1; i < model.places.length; i++) {
    const place = model.places[model.parents[i]];
    model.places[i] = isNative(i) && place > 0 && !isNative(place) ? place : i;
  }
}

export function makeModel(data) {
  const model = { files: new Ids(), functions: new Ids(), modules: new Ids(), sites: new Ids(), frames: new Ids(), nodes: new Ids(), parents: [0],
    nodeFrames: [0], sources: data.sources, snapshots: [] };
  const frameMaps = data.snapshots.map((snapshot) => {
    const map = new Int32Array(snapshot.frames.length / 3);
    addFrames(model, snapshot, map);
    return map;
  });
  model.nodes.of(-1, 0);
  data.snapshots.forEach((snapshot, i) => {
    const nodes = addNodes(model, snapshot, frameMaps[i]);
    model.snapshots.push(takeCounters(snapshot, nodes));
  });
  for (const name of ['files', 'functions', 'modules', 'sites', 'frames']) model[name] = model[name].items;
  delete model.nodes;
  link(model);
  placeNodes(model);
  return model;
}

function word(figure, domains) {
  if (figure !== 'peak') return FIGURES[figure];
  return domains & ~DOMAIN_SETS.python ? FIGURES.peakHeap : FIGURES.peakPython;
}

/** Bytes and blocks by node of snapshot number `index`; of nothing when it is -1.  ONLY: number of the domain that counts
    among those that would; the peak is still that of all of them. */
export function nodeSums(model, index, { figure, domain: domainName, only }) {
  const count = model.parents.length, size = new Float64Array(count), blocks = new Float64Array(count);
  if (index >= 0) {
    const { node, domain, values } = model.snapshots[index];
    const at = word(figure, DOMAIN_SETS[domainName]), domains = DOMAIN_SETS[domainName] & (only === undefined ? -1 : 1 << only);
    for (let i = 0; i < node.length; i++) {
      if (domain[i] & domains) {
        size[node[i]] += values[i * VALUES + at];
        blocks[node[i]] += values[i * VALUES + at + 1];
      }
    }
  }
  return { size, blocks };
}

/** Frames of a node, oldest first. */
export function framesOf(model, node) {
  const frames = [];
  for (; node > 0; node = model.parents[node]) frames.push(model.frames[model.nodeFrames[node]]);
  return frames.reverse();
}

export function total(values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}
