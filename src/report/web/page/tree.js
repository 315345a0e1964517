// SPDX-License-Identifier: MIT
// Nodes to the tree that a flame graph shows: as it is or inverted (most recent frame first), with or without
// recursion.  Where two snapshots are compared the width is what changed, whichever way; the difference is its colour.
import { total } from './model.js';
import { sumsOf } from './rows.js';

const NARROWEST = 1 / 2500; // of the width; less is nothing on a screen
const DEEPEST = 400; // levels drawn at once; zooming goes on from there

function pathOf(model, node, state) {
  const path = [];
  for (; node > 0; node = model.parents[node]) path.push(model.nodeFrames[node]);
  if (!state.inverted) path.reverse();
  return path;
}

/** Back to where the function was entered first. */
function enter(model, at, frame, merged) {
  if (merged) {
    const { fn } = model.frames[frame];
    for (let up = at; up.frame >= 0; up = up.parent) if (model.frames[up.frame].fn === fn) return up;
  }
  let child = at.children.get(frame);
  if (!child) {
    child = { frame, parent: at, children: new Map(), width: 0, size: 0, diff: 0 };
    at.children.set(frame, child);
  }
  return child;
}

export function makeTree(model, state) {
  const compared = state.old >= 0;
  const now = sumsOf(model, state, state.new).size, before = sumsOf(model, state, state.old).size;
  const root = { frame: -1, parent: null, children: new Map(), width: 0, size: 0, diff: 0 };
  for (let node = 1; node < now.length; node++) {
    const diff = now[node] - before[node], width = compared ? Math.abs(diff) : now[node];
    if (width === 0) continue;
    let at = root;
    for (const frame of pathOf(model, node, state)) at = enter(model, at, frame, state.merged);
    for (let one = at; one; one = one.parent) {
      one.width += width;
      one.size += now[node];
      one.diff += compared ? diff : 0;
    }
  }
  return { root, total: total(now) };
}

/** The subtree at the end of PATH (frames from the root on), and how much of the path there was. */
export function follow(root, path) {
  let at = root, depth = 0;
  while (depth < path.length && at.children.has(path[depth])) at = at.children.get(path[depth++]);
  return { at, depth };
}

/** What d3-flame-graph draws of the tree at AT. */
export function drawable(at) {
  const least = at.width * NARROWEST;
  const copy = (one, depth) => ({ name: '', node: one, value: one.width,
    children: depth < DEEPEST ? [...one.children.values()].filter((child) => child.width > least).map((child) => copy(child, depth + 1)) : [] });
  return copy(at, 0);
}

export function pathTo(node) {
  const path = [];
  for (; node.frame >= 0; node = node.parent) path.push(node.frame);
  return path.reverse();
}
