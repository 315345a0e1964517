// SPDX-License-Identifier: MIT
import { flamegraph } from 'd3-flame-graph';
import 'd3-flame-graph/dist/d3-flamegraph.css';
import { select } from 'd3-selection';
import { drawable, follow, makeTree, pathTo } from './tree.js';
import { baseName, nameText, sizeText, signed } from './text.js';

function hue(text) {
  let hash = 0;
  for (let i = 0; i < Math.min(text.length, 200); i++) hash = (hash * 31 + text.charCodeAt(i)) | 0;
  return 20 + (Math.abs(hash) % 40);
}

/** Red has grown, blue has shrunk; how much of the width went one way is how strong it is. */
function colour(model, node, compared, matches) {
  if (matches) return '#d63ae0';
  if (node.frame < 0) return '#c8ccd2';
  if (!compared) return `hsl(${hue(model.files[model.frames[node.frame].file])} 85% 68%)`;
  const part = node.width > 0 ? node.diff / node.width : 0, light = 92 - 34 * Math.abs(part);
  return `hsl(${part >= 0 ? 4 : 212} 80% ${light}%)`;
}

export class Flame {
  constructor(box, model, events) {
    Object.assign(this, { box, model, events, key: '', tree: null });
    new ResizeObserver(() => this.drawn && this.draw()).observe(box);
  }

  name(node) {
    if (node.frame < 0) return this.state.within ? 'selection' : 'all';
    const { file, line, name } = this.model.frames[node.frame];
    return nameText(`${name || baseName(this.model.files[file])}  ${baseName(this.model.files[file])}:${line}`, 200);
  }

  label(node) {
    const share = this.tree.root.width ? ((100 * node.width) / this.tree.root.width).toFixed(1) : '0.0';
    const diff = this.state.old >= 0 ? `, ${signed(node.diff, sizeText)}` : '';
    const place = node.frame < 0 ? 'all' : nameText(`${this.model.frames[node.frame].name} ` +
      `${this.model.files[this.model.frames[node.frame].file]}:${this.model.frames[node.frame].line}`, 400);
    return `${place}\n${sizeText(node.size)}${diff}, ${share}% of the width`;
  }

  show(state) {
    const key = JSON.stringify([state.new, state.old, state.figure, state.domain, state.inverted, state.merged, state.within]);
    this.state = state;
    if (key !== this.key) this.tree = makeTree(this.model, state);
    this.key = key;
    this.drawn = true;
    this.draw();
  }

  matches(node) {
    const term = this.state.search.toLowerCase();
    if (!term || node.frame < 0) return false;
    const frame = this.model.frames[node.frame];
    return frame.name.toLowerCase().includes(term) || this.model.files[frame.file].toLowerCase().includes(term);
  }

  draw() {
    const width = this.box.clientWidth;
    if (!width) return;
    const { at, depth } = follow(this.tree.root, this.state.zoom);
    this.at = at;
    this.box.replaceChildren();
    if (at.width === 0) {
      this.box.textContent = this.state.old >= 0 ? 'Nothing differs.' : 'Nothing is there.';
      return;
    }
    const chart = flamegraph().width(width - 2).cellHeight(19).inverted(true).transitionDuration(0).minFrameSize(1)
      .title('').sort((a, b) => b.value - a.value).getName((d) => this.name(d.data.node))
      .setColorMapper((d) => colour(this.model, d.data.node, this.state.old >= 0, this.matches(d.data.node)))
      .onClick((d) => d.data.node !== at && this.events.zoom(pathTo(d.data.node)))
      .onHover((d) => this.events.hover && this.events.hover(d.data.node));
    chart.setLabelHandler((d) => this.label(d.data.node));
    select(this.box).datum(drawable(at)).call(chart);
    this.depth = depth;
    this.events.drawn(this.legend());
  }

  legend() {
    let found = 0;
    const left = this.state.search ? [this.at] : [];
    while (left.length) { // tracebacks may be deeper than calls can nest
      const node = left.pop();
      if (this.matches(node)) found += node.width;
      else left.push(...node.children.values());
    }
    const share = this.at.width ? ((100 * found) / this.at.width).toFixed(1) : '0.0';
    const what = this.state.old >= 0 ? `width: bytes that changed, red grown, blue shrunk; ${signed(this.at.diff, sizeText)} in all`
      : `width: bytes; ${sizeText(this.at.width)} in all`;
    return this.state.search ? `${what}. Found: ${sizeText(found)}, ${share}%` : what;
  }
}
