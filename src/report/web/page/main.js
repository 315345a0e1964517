// SPDX-License-Identifier: MIT
import { DOMAINS, makeModel, nodeSums, total } from './model.js';
import { canCumulate, makeRows, placeOf, rowFrame, rowNodes, rowState, sortRows, sumsOf } from './rows.js';
import { GROUPS, readState, writeState } from './state.js';
import { Table } from './table.js';
import { Flame } from './flame.js';
import { showFacts, showHover, showSource, showTracebacks, element } from './panes.js';
import { showTimeline } from './timeline.js';
import './style.css'; // behind the libraries' own
import { baseName, countOf, countText, nameText, signed, sizeText } from './text.js';

const byId = (id) => document.getElementById(id);
const VIEWS = ['table', 'flame', 'timeline', 'facts'];
const NEXT_GROUP = { module: 'filename', filename: 'lineno', function: 'lineno', lineno: 'traceback' };

const model = makeModel(JSON.parse(byId('data').textContent));
byId('data').remove();
const counts = { filename: model.files.length, lineno: model.sites.length, function: model.functions.length,
  module: model.modules.length };
const hasPeak = !model.snapshots.some((snapshot) => snapshot.facts.since_fork);
let state = readState(location.hash, model.snapshots.length, counts, hasPeak);
let rows = null, rowsKey = '', sortKey = '', sorted = [];

function setState(change, replace) {
  const hash = writeState({ ...state, ...change });
  if (hash === location.hash) return;
  if (replace) history.replaceState(null, '', hash);
  else history.pushState(null, '', hash);
  render();
}

const placeText = (group, key) => {
  const { file, line, name } = placeOf(model, group, key);
  return `${file}:${line} ${name}`;
};

/** Does any of what a row says contain the words?  With * or ? a pattern for the whole file name. */
function makeFilter(search, group) {
  if (!search) return null;
  const term = search.toLowerCase();
  if (/[*?]/.test(term)) {
    const source = term.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*').replace(/\?/g, '.');
    const pattern = new RegExp(`^${source}$`, 's');
    const known = new Map();
    const matches = (file) => {
      if (!known.has(file)) known.set(file, pattern.test(file.toLowerCase().slice(0, 4096)));
      return known.get(file);
    };
    return (key) => matches(placeOf(model, group, key).file);
  }
  return (key) => placeText(group, key).toLowerCase().includes(term);
}

function showTable() {
  const wanted = JSON.stringify([state.new, state.old, state.figure, state.domain, state.group, state.cumulative, state.within]);
  if (wanted !== rowsKey) rows = makeRows(model, state);
  if (wanted !== rowsKey || sortKey !== `${state.sort} ${state.ascending}`) sortRows(model, rows, state.sort, !state.ascending, (key) => placeText(state.group, key));
  rowsKey = wanted;
  sortKey = `${state.sort} ${state.ascending}`;
  const filter = makeFilter(state.search, state.group);
  sorted = filter ? rows.keys.filter(filter) : rows.keys;
  table.show(rows, sorted, state);
  showFooter(filter !== null);
}

function showFooter(filtered) {
  let size = 0;
  if (filtered) for (const key of sorted) size += rows.size[key];
  const diff = state.old >= 0 ? ` (${signed(rows.total - rows.oldTotal, sizeText)})` : '';
  byId('footer').textContent = `${countText(sorted.length)} of ${countOf(rows.keys.length, 'line')}` +
    `${filtered ? `, ${sizeText(size)} shown` : ''}; total ${sizeText(rows.total)}${diff} in ${countOf(rows.totalCount, 'block')}${sampledText()}`;
}

/** Figures of a sampled snapshot are estimates. */
function sampledText() {
  const rates = [state.new, state.old].map((i) => (i >= 0 && model.snapshots[i].facts.sample_rate) || 0);
  return Math.max(...rates) > 0 ? `; estimates from one sample in ${sizeText(Math.max(...rates))}` : '';
}

/** Nodes of the row that is selected, or of the frames that were zoomed into. */
function selectedNodes() {
  return state.selected < 0 || !rows || state.view !== 'table' ? [] : rowNodes(model, state, rows, state.selected);
}

function showAside() {
  if (state.view === 'flame' && !state.zoom.length) {
    byId('traceback').replaceChildren(element('p', '', 'Click a frame to zoom and to see its source; Escape goes back.'));
    byId('source').replaceChildren();
    return;
  }
  if (state.view === 'flame') {
    const frame = model.frames[state.zoom[state.zoom.length - 1]];
    byId('traceback').replaceChildren(element('p', '', 'Frames of the zoom'), ...state.zoom.map((id) => {
      const one = model.frames[id];
      return one ? element('div', 'frame', `${nameText(model.files[one.file])}:${one.line}, in ${nameText(one.name, 200)}`) : '';
    }));
    showSource(byId('source'), model, state, frame || null);
    return;
  }
  const counted = rowState(state, rows, state.selected);
  const choose = (frame) => showSource(byId('source'), model, counted, frame);
  const recent = showTracebacks(byId('traceback'), model, counted, selectedNodes(), choose);
  const own = state.selected >= 0 && rows ? rowFrame(model, rows, state.selected) : null;
  showSource(byId('source'), model, counted, state.view === 'table' ? own || recent : null);
}

function showCrumbs() {
  const crumbs = byId('crumbs'), parts = [];
  const add = (text, change) => {
    const button = element('button', '', text);
    button.addEventListener('click', () => setState(change));
    parts.push(button);
  };
  if (state.within) {
    add(`\u2715 only ${nameText(placeText(state.within.group, state.within.key), 200)}`, { within: null, selected: -1 });
  }
  if (state.view === 'flame' && state.zoom.length) {
    add('\u2912 all', { zoom: [] });
    state.zoom.forEach((id, i) => {
      const frame = model.frames[id];
      if (frame) add(nameText(frame.name || baseName(model.files[frame.file]), 60), { zoom: state.zoom.slice(0, i + 1) });
    });
  }
  crumbs.hidden = parts.length === 0;
  crumbs.replaceChildren(...parts);
}

function showControls() {
  for (const id of ['new', 'old', 'figure', 'domain', 'group', 'search']) if (document.activeElement !== byId(id)) byId(id).value = String(state[id]);
  for (const id of ['cumulative', 'inverted', 'merged']) byId(id).checked = state[id];
  byId('cumulative').disabled = !canCumulate(state.group);
  for (const view of VIEWS) {
    byId(`view-${view}`).hidden = state.view !== view;
    document.querySelector(`[data-view=${view}]`).setAttribute('aria-selected', String(state.view === view));
  }
  document.querySelector('aside').hidden = state.view === 'facts' || state.view === 'timeline';
  document.querySelectorAll('.of-table').forEach((one) => { one.hidden = state.view !== 'table'; });
  document.querySelectorAll('.of-flame').forEach((one) => { one.hidden = state.view !== 'flame'; });
}

function render() {
  state = readState(location.hash, model.snapshots.length, counts, hasPeak);
  byId('hover').hidden = true;
  showControls();
  showCrumbs();
  if (state.view === 'table') showTable();
  if (state.view === 'flame') flame.show(state);
  if (state.view === 'timeline') showTimeline(byId('timeline'), model, state, (index) => setState({ new: index, view: 'table', selected: -1 }));
  if (state.view === 'facts') showFacts(byId('facts'), model);
  showAside();
}

function drill(key) {
  const closer = { group: NEXT_GROUP[state.group], selected: -1, search: '' };
  if (state.group === 'domain') setState({ ...closer, domain: DOMAINS[key], group: 'module' });
  else if (closer.group) setState({ ...closer, within: { group: state.group, key, all: state.cumulative } });
}

/** The largest traceback of a row. */
function hoverRow(key, event) {
  const sums = sumsOf(model, rowState(state, rows, key), state.new).size;
  const best = rowNodes(model, state, rows, key).reduce((most, node) => (most < 0 || sums[node] > sums[most] ? node : most), -1);
  if (best > 0) showHover(byId('hover'), model, state, best, event.clientX, event.clientY);
}

let hoverTimer = 0;
const table = new Table(byId('table'), model, {
  select: (key) => setState({ selected: key }, true),
  drill,
  sort: (id) => setState(id === state.sort ? { ascending: !state.ascending } : { sort: id, ascending: id === 'place' }),
  hover: (key, event) => {
    clearTimeout(hoverTimer);
    byId('hover').hidden = true;
    hoverTimer = setTimeout(() => hoverRow(key, event), 500);
  },
  leave: () => {
    clearTimeout(hoverTimer);
    byId('hover').hidden = true;
  },
});
const flame = new Flame(byId('flame'), model, {
  zoom: (path) => setState({ zoom: path }),
  drawn: (text) => { byId('legend').textContent = text; },
});

function snapshotText(snapshot, i) {
  const { path, time } = snapshot.facts, when = time ? new Date(time * 1000).toISOString().slice(0, 19).replace('T', ' ') : '';
  const size = sizeText(total(nodeSums(model, i, { figure: 'live', domain: 'all' }).size));
  return nameText(`${baseName(path)}: ${size}, ${countText(new Set(snapshot.node).size)} traces ${when}`, 120);
}

function startControls() {
  const option = (text, value) => {
    const made = element('option', '', text);
    made.value = value;
    return made;
  };
  byId('old').append(option('nothing', '-1'));
  model.snapshots.forEach((snapshot, i) => ['new', 'old'].forEach((id) => byId(id).append(option(snapshotText(snapshot, i), String(i)))));
  if (!hasPeak) byId('figure').querySelector('[value=peak]').remove(); // the highest moment is that of all blocks together
  document.querySelector('[data-view=timeline]').hidden = model.snapshots.length < 3;
  byId('controls').addEventListener('submit', (event) => event.preventDefault());
  for (const id of ['new', 'old']) byId(id).addEventListener('change', () => setState({ [id]: Number(byId(id).value), ...(id === 'old' ? { sort: byId(id).value === '-1' ? 'size' : 'sizeDiff' } : {}) }));
  for (const id of ['figure', 'domain']) byId(id).addEventListener('change', () => setState({ [id]: byId(id).value }));
  byId('group').addEventListener('change', () => setState({ group: byId('group').value, selected: -1 }));
  for (const id of ['cumulative', 'inverted', 'merged']) byId(id).addEventListener('change', () => setState({ [id]: byId(id).checked, zoom: [] }));
  let timer = 0;
  byId('search').addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => setState({ search: byId('search').value }, true), 120);
  });
  document.querySelectorAll('[data-view]').forEach((one) => one.addEventListener('click', () => setState({ view: one.dataset.view })));
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  if (state.view === 'timeline') render();
}
const flipTheme = () => setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');

function onKey(event) {
  const typing = event.target.matches('select, input:not([type=checkbox])');
  if (event.key === 'Escape') {
    if (typing) event.target.blur();
    else if (state.view === 'flame' && state.zoom.length) setState({ zoom: state.zoom.slice(0, -1) });
    else if (state.within) setState({ within: null });
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const view = VIEWS['1234'.indexOf(event.key)];
  if (view && '1234'.includes(event.key) && !document.querySelector(`[data-view=${view}]`).hidden) setState({ view });
  else if (event.key === '/') {
    event.preventDefault();
    byId('search').focus();
  } else if (event.key === 'i' && state.view === 'flame') setState({ inverted: !state.inverted, zoom: [] });
  else if (event.key === 'm' && state.view === 'flame') setState({ merged: !state.merged, zoom: [] });
  else if (event.key === 'c' && state.view === 'table' && canCumulate(state.group)) setState({ cumulative: !state.cumulative, zoom: [] });
  else if (event.key === 'g' && state.view === 'table') setState({ group: GROUPS[(GROUPS.indexOf(state.group) + 1) % GROUPS.length], selected: -1 });
  else if (event.key === 'd') flipTheme();
  else return;
  if (view === 'table') byId('table').focus();
}

startControls();
setTheme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
byId('theme').addEventListener('click', flipTheme);
document.addEventListener('keydown', onKey);
addEventListener('popstate', render);
addEventListener('hashchange', render);
render();
document.documentElement.dataset.ready = '1';
