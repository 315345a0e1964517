// SPDX-License-Identifier: MIT
// Beside the views: tracebacks of what is selected, the source of a frame, the facts of the snapshots.
import { framesOf, nodeSums } from './model.js';
import { sumsOf } from './rows.js';
import { countOf, countText, nameText, shorten, signed, sizeText } from './text.js';

const TRACEBACKS = 5;

export const element = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};

export function linesOf(model, file) {
  const text = Object.prototype.hasOwnProperty.call(model.sources, file) ? model.sources[file] : null;
  return text === null ? null : text.split(/\r\n|\n|\r/);
}

export const lineOf = (model, frame) => {
  const lines = frame.line > 0 ? linesOf(model, model.files[frame.file]) : null;
  return lines && frame.line <= lines.length ? shorten(lines[frame.line - 1].trim(), 200) : '';
};

const whereText = (model, frame) => `${nameText(model.files[frame.file])}:${frame.line}${frame.name ? `, in ${nameText(frame.name, 200)}` : ''}`;

function frameElement(model, frame, choose) {
  const box = element('div', 'frame'), button = element('button', '', whereText(model, frame));
  button.type = 'button';
  button.addEventListener('click', () => choose(frame));
  box.append(button);
  const line = lineOf(model, frame);
  if (line) box.append(element('code', '', line));
  return box;
}

/** The largest tracebacks among NODES. */
function largest(model, state, nodes) {
  const now = sumsOf(model, state, state.new), before = sumsOf(model, state, state.old);
  const weight = (node) => (state.old >= 0 ? Math.abs(now.size[node] - before.size[node]) : now.size[node]);
  const found = nodes.filter((node) => weight(node) > 0 || now.blocks[node] > 0).sort((a, b) => weight(b) - weight(a));
  return { found, now, before };
}

export function showTracebacks(box, model, state, nodes, choose) {
  box.replaceChildren();
  const { found, now, before } = largest(model, state, nodes);
  box.append(element('p', '', found.length ? `${countOf(found.length, 'traceback')}, the largest first`
    : 'Select a row to see who asked for it.'));
  for (const node of found.slice(0, TRACEBACKS)) {
    const one = element('div', 'one');
    const diff = state.old >= 0 ? ` (${signed(now.size[node] - before.size[node], sizeText)})` : '';
    one.append(element('strong', '', `${sizeText(now.size[node])}${diff} in ${countOf(now.blocks[node], 'block')}`));
    framesOf(model, node).forEach((frame) => one.append(frameElement(model, frame, choose)));
    box.append(one);
  }
  if (found.length > TRACEBACKS) box.append(element('p', '', `${countText(found.length - TRACEBACKS)} more`));
  return found.length ? framesOf(model, found[0]).pop() : null;
}

/** Bytes by line of FILE, of the most recent frames and of the most recent Python frames. */
function amounts(model, state, file) {
  const sums = nodeSums(model, state.new, state).size, lines = new Map();
  for (let node = 1; node < sums.length; node++) {
    const frames = [node, model.places[node]].map((one) => model.frames[model.nodeFrames[one]]);
    const frame = frames.find((one) => one.file === file);
    if (sums[node] > 0 && frame) lines.set(frame.line, (lines.get(frame.line) || 0) + sums[node]);
  }
  return lines;
}

export function showSource(box, model, state, frame) {
  box.replaceChildren();
  if (!frame) return;
  const name = model.files[frame.file], lines = linesOf(model, name);
  box.append(element('p', '', `${nameText(name)}${lines ? '' : ': its source is not in this report'}`));
  if (!lines) return;
  const code = element('pre', 'code'), bytes = amounts(model, state, frame.file);
  let here = null;
  lines.forEach((text, i) => {
    const amount = bytes.get(i + 1), marked = amount ? ' marked' : '';
    const line = element('span', `line${marked}${i + 1 === frame.line ? ' here' : ''}`, shorten(text, 2000));
    code.append(element('span', `number${marked}`, String(i + 1)), element('span', `amount${marked}`, amount ? sizeText(amount) : ''), line);
    if (i + 1 === frame.line) here = line;
  });
  box.append(code);
  if (here) box.scrollTop = Math.max(0, here.offsetTop - box.offsetTop - box.clientHeight / 2);
}

const factText = (value) => nameText(typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value), 2000);

export function showFacts(box, model) {
  const table = element('table'), head = element('tr');
  const keys = new Set(model.snapshots.flatMap((snapshot) => Object.keys(snapshot.facts)));
  head.append(element('th', '', ''), ...model.snapshots.map((snapshot) => element('th', '', nameText(snapshot.facts.path))));
  table.append(head);
  for (const key of keys) {
    const row = element('tr');
    row.append(element('th', '', nameText(key)));
    for (const { facts } of model.snapshots) row.append(element('td', '', key in facts && facts[key] !== null ? factText(facts[key]) : ''));
    table.append(row);
  }
  box.replaceChildren(table);
}

export function showHover(box, model, state, node, x, y) {
  box.replaceChildren();
  for (const frame of framesOf(model, node).slice(-12)) {
    box.append(element('div', '', whereText(model, frame)));
    const line = lineOf(model, frame);
    if (line) box.append(element('code', '', line));
  }
  box.hidden = false;
  box.style.left = `${Math.max(0, Math.min(x + 16, innerWidth - box.offsetWidth - 8))}px`;
  box.style.top = `${Math.max(0, Math.min(y + 16, innerHeight - box.offsetHeight - 8))}px`;
}
