// SPDX-License-Identifier: MIT
// Nodes to rows: group by file, line, function or traceback; cumulative counts a node once for each key on its way.
import { nodeSums, total } from './model.js';

const KEY_OF_FRAME = { filename: (f) => f.file, lineno: (f) => f.site, function: (f) => f.fn };

function nodeKeys(model, group) {
  const keys = new Int32Array(model.parents.length);
  if (group === 'traceback') return keys.map((_, i) => i);
  const ofFrame = Int32Array.from(model.frames, KEY_OF_FRAME[group]);
  // By file and line machine frames are passed over.
  const nodeOf = (i) => (group === 'function' ? i : model.places[i]);
  for (let i = 1; i < keys.length; i++) keys[i] = ofFrame[model.nodeFrames[nodeOf(i)]];
  return keys;
}

function keyCount(model, group) {
  return { filename: model.files.length, lineno: model.sites.length, function: model.functions.length,
    traceback: model.parents.length }[group];
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

export function subtreeSums(model, values) {
  const sums = Float64Array.from(values);
  for (let i = sums.length - 1; i > 0; i--) sums[model.parents[i]] += sums[i];
  return sums;
}

function byKey(values, keys, count, first) {
  const sums = new Float64Array(count);
  for (let i = 1; i < values.length; i++) if (!first || first[i]) sums[keys[i]] += values[i];
  return sums;
}

/** Which nodes lie below what was drilled into: a file, a line or a function. */
export function restrict(model, within, sums) {
  if (!within) return sums;
  const keys = nodeKeys(model, within.group);
  const pass = (values) => values.map((value, i) => (keys[i] === within.key ? value : 0));
  return { size: pass(sums.size), blocks: pass(sums.blocks) };
}

export function makeRows(model, state) {
  const { group } = state, cumulative = state.cumulative && group !== 'traceback';
  const keys = nodeKeys(model, group), count = keyCount(model, group);
  const first = cumulative ? outermost(model, keys, count) : null;
  const sum = (values) => byKey(cumulative ? subtreeSums(model, values) : values, keys, count, first);
  const now = restrict(model, state.within, nodeSums(model, state.new, state.figure, state.domain));
  const before = restrict(model, state.within, nodeSums(model, state.old, state.figure, state.domain));
  const [size, blocks, oldSize, oldBlocks] = [now.size, now.blocks, before.size, before.blocks].map(sum);
  const rows = [];
  for (let key = 0; key < count; key++) if (size[key] || blocks[key] || oldSize[key] || oldBlocks[key]) rows.push(key);
  return { group, keys: rows, size, count: blocks, sizeDiff: size.map((v, i) => v - oldSize[i]),
    countDiff: blocks.map((v, i) => v - oldBlocks[i]), total: total(now.size), oldTotal: total(before.size),
    totalCount: total(now.blocks), nodeKeys: keys };
}

/** What a row says of itself: file, line, function. */
export function placeOf(model, group, key) {
  switch (group) {
    case 'filename': return { file: model.files[key], line: 0, name: '' };
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
