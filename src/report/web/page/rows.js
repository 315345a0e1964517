// SPDX-License-Identifier: MIT
// Nodes to rows: group by file, line, function, module, domain or traceback; cumulative counts a node once for each key
// on its way.
import { DOMAINS, nodeSums, total } from './model.js';

const KEY_OF_FRAME = { filename: (f) => f.file, lineno: (f) => f.site, function: (f) => f.fn, module: (f) => f.module };

/** By file and line machine frames are passed over. */
const isOfPython = (group) => group === 'filename' || group === 'lineno';
export const canCumulate = (group) => group !== 'traceback' && group !== 'domain';

function nodeKeys(model, group) {
  const keys = new Int32Array(model.parents.length);
  if (group === 'traceback') return keys.map((_, i) => i);
  const ofFrame = Int32Array.from(model.frames, KEY_OF_FRAME[group]), ofPython = isOfPython(group);
  for (let i = 1; i < keys.length; i++) keys[i] = ofFrame[model.nodeFrames[ofPython ? model.places[i] : i]];
  return keys;
}

function keyCount(model, group) {
  return { filename: model.files.length, lineno: model.sites.length, function: model.functions.length,
    module: model.modules.length, domain: DOMAINS.length, traceback: model.parents.length }[group];
}

/** By node: 1 where no older frame has the same key, so that recursion counts once. */
function outermost(model, keys, count) {
  const open = new Int32Array(count), first = new Uint8Array(keys.length);
  let node = model.firstChild[0];
  while (node > 0) {
    first[node] = open[keys[node]]++ === 0 ? 1 : 0;
    if (model.firstChild[node]) {
      node = model.firstChild[node];
      continue;
    }
    for (;;) {
      open[keys[node]]--;
      if (model.nextSibling[node]) {
        node = model.nextSibling[node];
        break;
      }
      node = model.parents[node];
      if (node === 0) break;
    }
  }
  return first;
}

/** By node: is it a Python frame below which are machine frames only?  By file and line these do not count then. */
function beforePython(model, node) {
  const isNative = (one) => model.frames[model.nodeFrames[one]].native, place = model.places[model.parents[node]];
  return place !== 0 && !isNative(node) && isNative(place);
}

function subtreeSums(model, group, values) {
  const sums = Float64Array.from(values), ofPython = isOfPython(group);
  for (let i = sums.length - 1; i > 0; i--) if (!ofPython || !beforePython(model, i)) sums[model.parents[i]] += sums[i];
  return sums;
}

function byKey(values, keys, count, first) {
  const sums = new Float64Array(count);
  for (let i = 1; i < values.length; i++) if (!first || first[i]) sums[keys[i]] += values[i];
  return sums;
}

/** By node: 1 where it has the key; with ALL also where an older frame has it. */
function withKey(model, { group, key, all }, keys = nodeKeys(model, group)) {
  const has = new Uint8Array(keys.length), ofPython = isOfPython(group);
  for (let i = 1; i < has.length; i++) {
    const older = all && has[model.parents[i]] && !(ofPython && beforePython(model, i));
    has[i] = keys[i] === key || older ? 1 : 0;
  }
  return has;
}

/** What lies below what was drilled into: a file, a line, a function or a module. */
export function restrict(model, within, sums) {
  if (!within) return sums;
  const has = withKey(model, within);
  const pass = (values) => values.map((value, i) => (has[i] ? value : 0));
  return { size: pass(sums.size), blocks: pass(sums.blocks) };
}

/** Bytes and blocks by node of what counts in snapshot number `index`. */
export const sumsOf = (model, state, index) => restrict(model, state.within, nodeSums(model, index, state));

/** A domain is no property of a traceback: each is summed by itself. */
function sumDomains(model, state, index) {
  const all = DOMAINS.map((_, i) => sumsOf(model, { ...state, only: i }, index));
  return [all.map((one) => total(one.size)), all.map((one) => total(one.blocks))];
}

/** The nodes that are counted in the row of KEY. */
export function rowNodes(model, state, rows, key) {
  const cumulative = state.cumulative && canCumulate(rows.group), nodes = [];
  const has = rows.nodeKeys ? withKey(model, { group: rows.group, key, all: cumulative }, rows.nodeKeys) : null;
  for (let i = 1; i < model.parents.length; i++) if (!has || has[i]) nodes.push(i);
  return nodes;
}

/** STATE as it is for the row of KEY: in a row of a domain only that domain counts. */
export const rowState = (state, rows, key) => (rows && rows.group === 'domain' && key in DOMAINS ? { ...state, only: key } : state);

/** The frame that gives the row of KEY its place; of a domain none. */
export function rowFrame(model, rows, key) {
  const node = rows.nodeKeys ? rows.nodeKeys.findIndex((one, i) => i > 0 && one === key) : 0;
  return node > 0 ? model.frames[model.nodeFrames[isOfPython(rows.group) ? model.places[node] : node]] : null;
}

export function makeRows(model, state) {
  const { group } = state, cumulative = state.cumulative && canCumulate(group);
  const keys = group === 'domain' ? null : nodeKeys(model, group), count = keyCount(model, group);
  const first = cumulative ? outermost(model, keys, count) : null;
  const sum = (values) => byKey(cumulative ? subtreeSums(model, group, values) : values, keys, count, first);
  const now = sumsOf(model, state, state.new), before = sumsOf(model, state, state.old);
  const [size, blocks, oldSize, oldBlocks] = group === 'domain'
    ? [...sumDomains(model, state, state.new), ...sumDomains(model, state, state.old)]
    : [now.size, now.blocks, before.size, before.blocks].map(sum);
  const rows = [];
  for (let key = 0; key < count; key++) if (size[key] || blocks[key] || oldSize[key] || oldBlocks[key]) rows.push(key);
  return { group, keys: rows, size, count: blocks, sizeDiff: size.map((v, i) => v - oldSize[i]),
    countDiff: blocks.map((v, i) => v - oldBlocks[i]), total: total(now.size), oldTotal: total(before.size),
    totalCount: total(now.blocks), nodeKeys: keys };
}

/** What a row says of itself: file (or what stands for it), line, function. */
export function placeOf(model, group, key) {
  switch (group) {
    case 'filename': return { file: model.files[key], line: 0, name: '' };
    case 'module': return { file: model.modules[key], line: 0, name: '' };
    case 'domain': return { file: DOMAINS[key], line: 0, name: '' };
    case 'function': return { file: model.files[model.functions[key].file], line: 0, name: model.functions[key].name };
    case 'lineno': {
      const site = model.sites[key];
      return { file: model.files[site.file], line: site.line, name: model.functions[site.fn].name };
    }
    default: {
      const frame = model.frames[model.nodeFrames[key]];
      return { file: model.files[frame.file], line: frame.line, name: frame.name };
    }
  }
}

const COLUMN = { size: (r) => r.size, sizeDiff: (r) => r.sizeDiff, count: (r) => r.count, countDiff: (r) => r.countDiff };

export function sortRows(model, rows, column, descending, labels) {
  const sign = descending ? -1 : 1;
  if (column === 'place') {
    const text = new Map(rows.keys.map((key) => [key, labels(key)]));
    const compare = (a, b) => (text.get(a) < text.get(b) ? -1 : text.get(a) > text.get(b) ? 1 : a - b);
    return rows.keys.sort((a, b) => sign * compare(a, b));
  }
  const values = column === 'item' ? rows.size.map((v, i) => (rows.count[i] ? v / rows.count[i] : 0)) : COLUMN[column](rows);
  const weight = column === 'sizeDiff' || column === 'countDiff' ? values.map(Math.abs) : values;
  return rows.keys.sort((a, b) => sign * (weight[a] - weight[b]) || sign * (rows.size[a] - rows.size[b]) || a - b);
}
