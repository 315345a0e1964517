// SPDX-License-Identifier: MIT
// The page's rows are those of `tm-report export --to json`: every figure, grouping and set of domains, cumulative or
// not, of one snapshot and of two.
//
//   node rows_test.js TM_REPORT PAGE_SCRIPTS SNAPSHOT...
import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [report, scripts, ...snapshots] = process.argv.slice(2);
const script = (name) => import(pathToFileURL(join(resolve(scripts), name)).href);
const { makeModel } = await script('model.js');
const { makeRows, placeOf } = await script('rows.js');
const { GROUPS } = await script('state.js');

const FIGURES = ['live', 'peak', 'ever', 'temporary'];
const DOMAIN_LISTS = ['all', 'python', 'raw', 'mem', 'obj', 'native', 'mmap'];
const run = (...options) => execFileSync(report, options, { encoding: 'utf8', maxBuffer: 1 << 28 });

function modelOf(paths) {
  const page = run('html', '--no-source', '--no-symbols', ...paths);
  const start = page.indexOf('id="data">') + 'id="data">'.length;
  return makeModel(JSON.parse(page.slice(start, page.indexOf('</script>', start))));
}

function tracebackOf(model, node) {
  const frames = [];
  for (; node > 0; node = model.parents[node]) frames.unshift(model.frames[model.nodeFrames[node]]);
  return frames.map(({ file, line, native, name }) => `${model.files[file]}:${line}${native && line === 0 ? `:${name}` : ''}`).join(';');
}

function keyOfRow(model, group, key) {
  const { file, line, name } = placeOf(model, group, key);
  if (group === 'traceback') return tracebackOf(model, key);
  return group === 'function' ? `${file} ${name}` : group === 'lineno' && line > 0 ? `${file}:${line}` : group === 'lineno' ? `${file} ${name}` : file;
}

function keyOfStatistic(group, { traceback, module, domain }) {
  if (group === 'module') return module;
  if (group === 'domain') return domain;
  if (group === 'traceback') return traceback.map((one) => `${one.filename}:${one.lineno}${one.native && one.lineno === 0 ? `:${one.function}` : ''}`).join(';');
  const { filename, lineno, function: name } = traceback[traceback.length - 1];
  return group === 'function' ? `${filename} ${name}` : group === 'lineno' && lineno > 0 ? `${filename}:${lineno}` : group === 'lineno' ? `${filename} ${name}` : filename;
}

let compared = 0;

function compare(model, paths, group, figure, domain, cumulative) {
  const options = ['export', '--to', 'json', '--no-symbols', '-g', group, '-f', figure, '-d', domain, ...(cumulative ? ['-c'] : []), ...paths];
  const diff = paths.length > 1, told = JSON.parse(run(...options));
  const state = { new: paths.length - 1, old: diff ? 0 : -1, figure, domain, group, cumulative, within: null };
  const rows = makeRows(model, state);
  const text = (key, ...numbers) => `${key}: ${numbers.join(' ')}`;
  const expected = told.statistics.map((one) => text(keyOfStatistic(group, one), one.size, one.count, ...(diff ? [one.size_diff, one.count_diff] : [])));
  const found = rows.keys.map((key) => text(keyOfRow(model, group, key), rows.size[key], rows.count[key], ...(diff ? [rows.sizeDiff[key], rows.countDiff[key]] : [])));
  assert.deepEqual(found.sort(), expected.sort(), options.join(' '));
  assert.deepEqual([rows.total, rows.totalCount], [told.total.size, told.total.count], options.join(' '));
  compared += found.length;
}

for (const paths of [...snapshots.map((one) => [one]), snapshots.slice(0, 2)]) {
  const model = modelOf(paths);
  for (const group of GROUPS) {
    for (const figure of FIGURES) {
      for (const domain of DOMAIN_LISTS) {
        compare(model, paths, group, figure, domain, false);
        if (group !== 'traceback' && group !== 'domain') compare(model, paths, group, figure, domain, true);
      }
    }
  }
}
assert.ok(compared > 100);
console.log(`${compared} rows are the same`);
