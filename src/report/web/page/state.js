// SPDX-License-Identifier: MIT
// What is looked at, kept in the URL's fragment: a view can be sent with the file, and Back goes back.

export const GROUPS = ['lineno', 'filename', 'function', 'module', 'domain', 'traceback'];
const CHOICES = {
  view: ['table', 'flame', 'timeline', 'facts'],
  figure: ['live', 'peak', 'ever', 'temporary'],
  domain: ['all', 'python', 'raw', 'mem', 'obj', 'native', 'mmap'],
  group: GROUPS,
};
const WITHIN = /^(filename|lineno|function|module):(\d+)(:all)?$/;
export const SORTS = ['size', 'sizeDiff', 'count', 'countDiff', 'item', 'place'];

const number = (text, low, high, fallback) => {
  const value = text === null || text === '' ? NaN : Number(text);
  return Number.isInteger(value) && value >= low && value <= high ? value : fallback;
};

function readWithin(text, counts) {
  const match = WITHIN.exec(text || '');
  return match && Number(match[2]) < counts[match[1]] ? { group: match[1], key: Number(match[2]), all: Boolean(match[3]) } : null;
}

/** The state that the fragment says; whatever in it makes no sense is the default.  HASPEAK: of all snapshots it is known. */
export function readState(hash, snapshotCount, counts, hasPeak = true) {
  const words = new URLSearchParams(hash.replace(/^#/, '')), state = {};
  for (const [name, choices] of Object.entries(CHOICES)) {
    state[name] = choices.includes(words.get(name)) ? words.get(name) : choices[0];
  }
  if (state.figure === 'peak' && !hasPeak) state.figure = 'live';
  state.new = number(words.get('new'), 0, snapshotCount - 1, snapshotCount - 1);
  state.old = number(words.get('old'), -1, snapshotCount - 1, snapshotCount > 1 ? 0 : -1);
  state.cumulative = words.get('cumulative') === '1';
  state.inverted = words.get('inverted') === '1';
  state.merged = words.get('merged') === '1';
  state.search = (words.get('search') || '').slice(0, 1000);
  state.sort = SORTS.includes(words.get('sort')) ? words.get('sort') : state.old >= 0 ? 'sizeDiff' : 'size';
  state.ascending = words.get('ascending') === '1';
  state.selected = number(words.get('selected'), 0, 2 ** 31, -1);
  state.zoom = /^\d+(\.\d+)*$/.test(words.get('zoom') || '') ? words.get('zoom').split('.').map(Number) : [];
  state.within = readWithin(words.get('within'), counts);
  return state;
}

export function writeState(state) {
  const words = new URLSearchParams();
  for (const name of ['view', 'group', 'figure', 'domain', 'new', 'old', 'sort']) words.set(name, state[name]);
  for (const name of ['cumulative', 'inverted', 'merged', 'ascending']) if (state[name]) words.set(name, '1');
  if (state.search) words.set('search', state.search);
  if (state.selected >= 0) words.set('selected', state.selected);
  if (state.zoom.length) words.set('zoom', state.zoom.join('.'));
  if (state.within) words.set('within', `${state.within.group}:${state.within.key}${state.within.all ? ':all' : ''}`);
  return `#${words}`;
}
