// SPDX-License-Identifier: MIT
// A table of which only the rows in sight are in the document, so that a hundred thousand cost no more than fifty.
import { countText, nameText, pathTail, signed, sizeText } from './text.js';
import { placeOf } from './rows.js';

const HEIGHT = 24, BEYOND = 8;
// Browsers have no elements higher than some 33 million pixels.
const HIGHEST = 30e6;

const COLUMNS = [
  { id: 'size', title: 'Size', width: '92px', text: (r, k) => sizeText(r.size[k]) },
  { id: 'sizeDiff', title: 'Diff', width: '98px', diff: true, text: (r, k) => signed(r.sizeDiff[k], sizeText), sign: (r, k) => r.sizeDiff[k] },
  { id: 'count', title: 'Count', width: '90px', text: (r, k) => countText(r.count[k]) },
  { id: 'countDiff', title: 'Diff', width: '90px', diff: true, text: (r, k) => signed(r.countDiff[k], countText), sign: (r, k) => r.countDiff[k] },
  { id: 'item', title: 'Item size', width: '84px', text: (r, k) => (r.count[k] ? sizeText(r.size[k] / r.count[k]) : '') },
  { id: 'share', title: '% Total', width: '84px', text: (r, k) => (r.total ? `${((100 * r.size[k]) / r.total).toFixed(1)}%` : '') },
];

const element = (tag, name, text) => {
  const made = document.createElement(tag);
  made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};

export class Table {
  constructor(box, model, events) {
    Object.assign(this, { box, model, events, rows: null, state: null, shown: [] });
    this.head = element('div', 'row head');
    this.space = element('div', 'space');
    this.box.append(this.head, this.space);
    box.addEventListener('scroll', () => this.paint());
    new ResizeObserver(() => this.paint()).observe(box);
    box.addEventListener('click', (event) => this.at(event, (key) => events.select(key)));
    box.addEventListener('dblclick', (event) => this.at(event, (key) => events.drill(key)));
    box.addEventListener('mouseover', (event) => this.at(event, (key) => events.hover(key, event)));
    box.addEventListener('mouseleave', () => events.leave());
    box.addEventListener('keydown', (event) => this.key(event));
  }

  at(event, then) {
    const row = event.target.closest('.row:not(.head)');
    if (row) then(Number(row.dataset.key));
  }

  columns() {
    return COLUMNS.filter((column) => this.state.old >= 0 || !column.diff);
  }

  /** ROWS as of rows.js; KEYS: those that are shown, in order. */
  show(rows, keys, state) {
    Object.assign(this, { rows, keys, state });
    this.layout = `${this.columns().map((column) => column.width).join(' ')} 1fr`;
    this.head.replaceChildren(...this.columns().map((column) => this.title(column.id, column.title)), this.title('place', 'Location', 'place'));
    this.head.style.gridTemplateColumns = this.layout;
    this.space.style.height = `${Math.min(keys.length * HEIGHT, HIGHEST)}px`;
    this.paint(true);
  }

  title(id, text, name = '') {
    const sorted = this.state.sort === id;
    const made = element('span', name, `${text}${sorted ? (this.state.ascending ? ' \u25b2' : ' \u25bc') : ''}`);
    made.dataset.sort = id;
    made.setAttribute('role', 'columnheader');
    made.addEventListener('click', () => id !== 'share' && this.events.sort(id));
    return made;
  }

  paint(all) {
    if (!this.rows) return;
    const whole = this.keys.length * HEIGHT, stretch = whole > HIGHEST ? (whole - this.box.clientHeight) / (HIGHEST - this.box.clientHeight) : 1;
    const top = this.box.scrollTop * stretch;
    const first = Math.max(0, Math.floor(top / HEIGHT) - BEYOND);
    const last = Math.min(this.keys.length, Math.ceil((top + this.box.clientHeight) / HEIGHT) + BEYOND);
    if (!all && first === this.first && last === this.last && stretch === 1) return;
    Object.assign(this, { first, last });
    this.shown.forEach((row) => row.remove());
    this.shown = this.keys.slice(first, last).map((key, i) => this.row(key, (first + i) * HEIGHT - top + this.box.scrollTop + HEIGHT));
    this.box.append(...this.shown);
  }

  row(key, top) {
    const made = element('div', 'row');
    made.dataset.key = key;
    made.setAttribute('role', 'row');
    made.setAttribute('aria-selected', String(key === this.state.selected));
    made.style.top = `${top}px`;
    made.style.gridTemplateColumns = this.layout;
    for (const column of this.columns()) {
      const cell = element('span', column.id, column.text(this.rows, key));
      if (column.sign) cell.classList.add(column.sign(this.rows, key) > 0 ? 'grown' : column.sign(this.rows, key) < 0 ? 'shrunk' : 'same');
      if (column.id === 'share' && this.rows.total) this.bar(cell, this.rows.size[key] / this.rows.total);
      made.append(cell);
    }
    made.append(element('span', 'place', this.place(key)));
    return made;
  }

  bar(cell, share) {
    cell.style.backgroundImage = 'linear-gradient(var(--bar), var(--bar))';
    cell.style.backgroundSize = `${Math.min(100, 100 * share)}% 70%`;
    cell.style.backgroundPosition = '0 50%';
  }

  place(key) {
    const { file, line, name } = placeOf(this.model, this.rows.group, key);
    const path = pathTail(nameText(file, 200)), where = line > 0 ? `${path}:${line}` : path;
    return name ? `${where}  ${nameText(name, 120)}` : where;
  }

  key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity };
    const at = this.keys ? this.keys.indexOf(this.state.selected) : -1;
    if (event.key === 'Enter' && at >= 0) this.events.drill(this.state.selected);
    if (!(event.key in steps) || !this.keys || !this.keys.length) return;
    event.preventDefault();
    const next = Math.min(this.keys.length - 1, Math.max(0, at + steps[event.key]));
    this.events.select(this.keys[next]);
    const y = next * HEIGHT;
    if (y < this.box.scrollTop) this.box.scrollTop = y;
    if (y + 2 * HEIGHT > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = y + 2 * HEIGHT - this.box.clientHeight;
  }
}
