// SPDX-License-Identifier: MIT
// The page in a real browser, as a reader of it would use it.
//
//   node page_test.js MODULES CHROMIUM TM_REPORT TMS_FROM_TEXT [FOLDER]     FOLDER gets a picture of each view
import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, chromium, report, converter, shots] = process.argv.slice(2);
const { chromium: driver } = createRequire(join(resolve(modules), 'package.json'))('playwright-core');
const folder = mkdtempSync(join(tmpdir(), 'tm-page-'));

const escape = (text) => [...Buffer.from(text)].map((b) => `%${b.toString(16).padStart(2, '0')}`).join('');
const HOSTILE = ['</script><script>window.broken=1</script>', '<img src=x onerror="window.broken=1">', '"\'`${window.broken=1}', '\u202egnp.exe.py',
  '\u2028line\u2029', '<!--<script>', `${'x'.repeat(100000)}.py`, '%41&amp;&lt;'];

function snapshot(name, lines) {
  const path = join(folder, name);
  execFileSync(converter, [path], { input: `${lines.join('\n')}\n` });
  return path;
}

function page(name, paths, ...options) {
  const path = join(folder, name);
  execFileSync(report, ['html', ...options, ...paths, '-o', path]);
  return path;
}

const source = join(folder, 'app.py');
const facts = (second) => [`meta pid u64 ${4711}`, `meta time_ns u64 ${1700000000 + second}000000000`, 'meta python bytes 3.11.7', 'meta traceback_limit u64 25'];
const app = escape(source);

function small(second, rows) {
  return snapshot(`small-${second}.tms`, [...facts(second),
    `trace obj live=${rows * 100}/${rows} ever=${rows * 200}/${rows * 2} python-peak=900000/9000 heap-peak=800000/8000 | ${app}:2:main ${app}:4:load`,
    `trace obj live=5000/50 ever=5000/50 | ${app}:2:main ${app}:5:keep`,
    `trace mem live=${8000 - second}/7 ever=9000/9 | ${app}:2:main ${app}:4:load ${app}:4:load ${app}:4:load ${app}:6:deep`,
    `trace native live=3000/3 ever=3000/3 | /lib/other.py:9:extension`,
    ...HOSTILE.map((text, i) => `trace obj live=${100 + i}/1 ever=${100 + i}/1 | ${escape(text)}:${i + 1}:${escape(text)}`)]);
}

/** A page of a hundred thousand tracebacks: its data are put into PATH's place of them. */
function large(path) {
  const strings = [''], frames = [0, 0, 0], tracebacks = [0, 0], counters = [], ids = new Map();
  const string = (text) => ids.get(text) || (ids.set(text, strings.push(text) - 1), strings.length - 1);
  const known = new Map();
  const once = (key, make) => known.get(key) || (known.set(key, make()), known.get(key));
  const frame = (file, line, name) => once(`f ${file} ${line}`, () => frames.push(string(file), string(name), line) / 3 - 1);
  for (let i = 0; i < 100000; i++) {
    let node = 0;
    for (let depth = 0; depth < 11; depth++) {
      const last = depth === 10, line = last ? i + 1 : 1 + (((i * 7) >> (10 - depth)) % 900);
      const one = frame(last ? '/srv/leaf.py' : `/srv/lib${(i >> (9 - depth)) % 97}/m${depth}.py`, line, `f${depth}`), parent = node;
      node = once(`n ${parent} ${one}`, () => tracebacks.push(parent, one) / 2 - 1);
    }
    const bytes = 64 + ((i * 7919) % 100003), blocks = 1 + (i % 13);
    counters.push(node, 2, bytes, blocks, bytes, blocks, bytes, blocks, 200000, 20, 0, 0);
  }
  const modules = strings.flatMap((text, i) => (text.startsWith('/') ? [i, text.slice(0, text.lastIndexOf('/'))] : []));
  const text = readFileSync(path, 'utf8'), start = text.indexOf('id="data">') + 10, end = text.indexOf('</script>', start);
  const data = { snapshots: [{ facts: { path: 'large.tms' }, strings, frames, modules, tracebacks, counters }], sources: {} };
  const target = join(folder, 'large.html');
  writeFileSync(target, text.slice(0, start) + JSON.stringify(data) + text.slice(end));
  return target;
}

class Reader {
  constructor(tab) {
    this.tab = tab;
    this.problems = [];
    tab.on('pageerror', (error) => this.problems.push(String(error)));
    tab.on('console', (message) => message.type() === 'error' && this.problems.push(message.text()));
    tab.on('request', (request) => !request.url().startsWith('file:') && this.problems.push(`request: ${request.url().slice(0, 100)}`));
  }
  async open(path, hash = '') {
    await this.tab.goto('about:blank');
    const start = Date.now();
    await this.tab.goto(pathToFileURL(path).href + hash);
    await this.tab.waitForSelector('html[data-ready]', { timeout: 60000 });
    await this.tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    return Date.now() - start;
  }
  rows() {
    return this.tab.$$eval('.row:not(.head)', (all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
  }
  async choose(id, value) {
    await this.tab.selectOption(`#${id}`, value);
  }
  text(selector) {
    return this.tab.textContent(selector);
  }
  async shot(name) {
    if (!shots) return;
    await this.tab.waitForTimeout(600); // flame graphs move into their place
    await this.tab.screenshot({ path: join(shots, `${name}.png`) });
  }
}

const place = (rows) => rows.map((row) => row[row.length - 1]);

async function table(reader, path) {
  await reader.open(path);
  let rows = await reader.rows();
  assert.equal(rows.length, 12, 'a row for each line');
  assert.deepEqual(rows[0].slice(0, 4), ['293 KiB', '+195 KiB', '3,000', '+2,000'], 'the largest difference first');
  assert.ok(place(rows)[0].endsWith('app.py:4  load'));
  assert.match(await reader.text('#footer'), /^12 of 12 lines; total 309 KiB \(\+195 KiB\)/);
  await reader.shot('table');
  await reader.tab.click('[data-sort=count]');
  rows = await reader.rows();
  const counts = rows.map((row) => Number(row[2].replace(/,/g, '')));
  assert.deepEqual(counts, [...counts].sort((a, b) => b - a), 'sorted by count');
  await reader.tab.click('[data-sort=count]');
  assert.equal((await reader.rows())[0][2], '1', 'the other way round');
  await reader.choose('group', 'filename');
  assert.equal((await reader.rows()).length, 10, 'grouped by file');
  await reader.choose('group', 'function');
  assert.equal((await reader.rows()).length, 12, 'grouped by function');
  await reader.choose('group', 'module');
  assert.ok(place(await reader.rows()).includes('/lib') && (await reader.rows()).length === 6, 'grouped by module');
  await reader.choose('group', 'lineno');
  await reader.tab.check('#cumulative');
  const main = (await reader.rows()).find((row) => row[row.length - 1].endsWith('app.py:2  main'));
  assert.equal(main[0], '306 KiB', 'main and what it called');
  await reader.tab.uncheck('#cumulative');
  await reader.choose('domain', 'native');
  assert.deepEqual(place(await reader.rows()), ['/lib/other.py:9  extension']);
  await reader.choose('domain', 'all');
  await reader.choose('figure', 'peak');
  assert.equal((await reader.rows()).length, 1, 'at the peak one line is known');
  await reader.choose('figure', 'live');
}

async function closer(reader, path) {
  await reader.open(path, '#group=domain');
  assert.deepEqual((await reader.rows()).map((row) => [row[0], row[row.length - 1]]),
    [['299 KiB', 'obj'], ['7.70 KiB', 'mem'], ['2.93 KiB', 'native']], 'grouped by domain');
  await reader.tab.click('.row:not(.head) >> nth=2');
  assert.match(await reader.text('#traceback'), /^1 traceback, .*2\.93 KiB .* in 3 blocks.*other\.py:9/s, 'of one domain');
  await reader.tab.dblclick('.row:not(.head) >> nth=2');
  assert.equal(await reader.tab.inputValue('#domain'), 'native', 'a double click looks into a domain');
  assert.deepEqual(place(await reader.rows()), ['/lib']);
  await reader.open(path, '#group=lineno&cumulative=1&sort=size');
  await reader.tab.dblclick('.row:not(.head) >> nth=0');
  assert.equal(await reader.tab.inputValue('#group'), 'traceback');
  assert.match(await reader.text('#crumbs'), /only .*app\.py:2 main/);
  assert.equal((await reader.rows()).length, 3, 'all that main called');
  await reader.tab.keyboard.press('Escape');
  await reader.tab.keyboard.press('g');
  assert.equal(await reader.tab.inputValue('#group'), 'lineno', 'g is the next grouping');
  await reader.tab.keyboard.press('c');
  assert.equal(await reader.tab.isChecked('#cumulative'), false);
}

async function search(reader, path) {
  await reader.open(path);
  await reader.tab.keyboard.press('/');
  await reader.tab.keyboard.type('KEEP');
  await reader.tab.waitForFunction(() => document.querySelectorAll('.row:not(.head)').length === 1);
  assert.match(await reader.text('#footer'), /^1 of 12 lines, 4.88 KiB shown/);
  await reader.tab.fill('#search', '*/app.py');
  await reader.tab.waitForFunction(() => document.querySelectorAll('.row:not(.head)').length === 3);
}

async function pair(reader, path) {
  await reader.open(path);
  await reader.choose('old', '1');
  assert.equal((await reader.rows())[0][1], '+97.7 KiB', 'compared to the second');
  await reader.choose('old', '-1');
  assert.equal((await reader.rows())[0].length, 5, 'no differences without a pair');
  await reader.tab.goBack();
  assert.equal((await reader.rows())[0][1], '+97.7 KiB', 'back is back');
}

async function sources(reader, path) {
  await reader.open(path);
  await reader.tab.click('.row:not(.head) >> nth=0');
  assert.match(await reader.text('#traceback'), /1 traceback, .*293 KiB \(\+195 KiB\) in 3,000 blocks.*app\.py:2, in main.*load\(\).*app\.py:4, in load/s);
  assert.equal(await reader.text('#source .here'), '    return [object() for _ in range(1000)]');
  assert.ok(await reader.tab.$('#source .line.marked'), 'lines that allocate are marked');
  await reader.shot('source');
  await reader.tab.hover('.row:not(.head) >> nth=1');
  await reader.tab.waitForSelector('#hover:not([hidden])');
  await reader.tab.dblclick('.row:not(.head) >> nth=0');
  assert.equal(await reader.tab.inputValue('#group'), 'traceback', 'a double click looks closer');
  assert.equal((await reader.rows()).length, 1);
  const hash = await reader.tab.evaluate(() => location.hash);
  await reader.open(path, hash);
  assert.equal((await reader.rows()).length, 1, 'the fragment has the view');
}

async function flame(reader, path) {
  await reader.open(path);
  await reader.tab.keyboard.press('2');
  await reader.tab.waitForSelector('#flame rect');
  await reader.shot('flame-diff');
  await reader.choose('old', '-1');
  const frames = () => reader.tab.$$eval('#flame g.frame', (all) => all.map((one) => one.getAttribute('name')));
  const whole = await frames();
  assert.ok(whole.some((name) => name.startsWith('main')) && whole.some((name) => name.startsWith('extension')));
  assert.equal(whole.filter((name) => name.startsWith('load ')).length, 3, 'recursion is there');
  await reader.tab.check('#merged');
  assert.equal((await frames()).filter((name) => name.startsWith('load ')).length, 1, 'and merged');
  await reader.tab.keyboard.press('m');
  assert.equal((await frames()).filter((name) => name.startsWith('load ')).length, 3, 'and not');
  await reader.shot('flame');
  await reader.tab.click('#flame g.frame[name^="main"]');
  await reader.tab.waitForFunction(() => !document.querySelector('#flame g.frame[name^="extension"]'));
  assert.ok((await frames()).some((name) => name.startsWith('load')), 'zoomed');
  await reader.tab.keyboard.press('Escape');
  await reader.tab.waitForSelector('#flame g.frame[name^="extension"]');
  await reader.tab.keyboard.press('i');
  await reader.tab.waitForSelector('#flame g.frame[name^="keep"]');
  await reader.tab.fill('#search', 'keep');
  await reader.tab.waitForFunction(() => /Found: 4.88 KiB/.test(document.querySelector('#legend').textContent));
  await reader.shot('flame-inverted');
}

async function others(reader, path) {
  await reader.open(path);
  await reader.tab.keyboard.press('3');
  await reader.tab.waitForSelector('#timeline canvas');
  await reader.tab.click('#theme');
  await reader.shot('timeline');
  await reader.tab.keyboard.press('4');
  assert.match(await reader.text('#facts'), /traceback_limit/);
  await reader.shot('facts');
}

async function hostile(reader, path) {
  for (const view of ['table', 'flame', 'facts']) await reader.open(path, `#view=${view}&group=traceback`);
  await reader.open(path, '#view=nonsense&new=99&old=-7&zoom=1.99999&within=lineno:99999&selected=123456&sort=__proto__&group=constructor');
  await reader.open(path, '#group=domain&selected=123456&within=module:0:all&figure=temporary');
  await reader.open(path, '#view=nonsense&sort=__proto__&group=constructor');
  assert.equal(await reader.tab.evaluate(() => window.broken), undefined, 'nothing of a name ran');
  const names = place(await reader.rows());
  assert.ok(names.some((name) => name.startsWith('</script><script>')), 'and all is shown');
  assert.ok(names.some((name) => name.includes('\\u202egnp')), 'what turns text around is shown as its code');
  assert.ok(Math.max(...names.map((name) => name.length)) < 500);
}

/** Deeper than calls can nest in the browser. */
async function deep(reader) {
  const frames = Array.from({ length: 20000 }, (_, i) => `/a.py:${1 + (i % 7)}:f${i % 7}`);
  const path = page('deep.html', [snapshot('deep.tms', [...facts(0), `trace obj live=100/1 | ${frames.join(' ')}`])]);
  for (const options of ['', '&inverted=1', '&merged=1', '&search=f3']) {
    await reader.open(path, `#view=flame${options}`);
    await reader.tab.waitForSelector('#flame rect');
  }
  await reader.open(path, '#group=function&cumulative=1');
  assert.deepEqual((await reader.rows()).map((row) => row[0]), Array(7).fill('100 B'), 'recursion counts once');
}

async function size(reader, path) {
  const shown = await reader.open(path);
  const sort = async (column) => reader.tab.evaluate((id) => {
    const start = performance.now();
    document.querySelector(`[data-sort=${id}]`).click();
    return performance.now() - start;
  }, column);
  await reader.choose('group', 'traceback');
  assert.match(await reader.text('#footer'), /^100,000 of 100,000 lines/);
  const sorts = [await sort('count'), await sort('count'), await sort('size')].map(Math.round);
  const elements = await reader.tab.$$eval('.row', (all) => all.length);
  assert.ok(elements < 120, 'only rows in sight are there');
  await reader.tab.evaluate(() => { document.querySelector('#table').scrollTop = 1e9; });
  await reader.tab.waitForFunction(() => document.querySelectorAll('.row:not(.head)').length > 5);
  const start = Date.now();
  await reader.tab.keyboard.press('2');
  await reader.tab.waitForSelector('#flame rect');
  console.log(`100,000 tracebacks of 11 frames, ${(statSync(path).size / 1e6).toFixed(1)} MB: first paint ${shown} ms, ` +
    `sorts ${sorts.join(', ')} ms, flame graph ${Date.now() - start} ms`);
  // What was asked for is 3 s and 300 ms on a machine of its own; tests run beside others.
  assert.ok(shown < 9000 && Math.max(...sorts) < 900, 'a large report is usable');
}

/** Of a forked process its own blocks only, and no peak, which is of all blocks together. */
async function forked(reader) {
  const worker = snapshot('forked.tms', [...facts(0), 'meta forked_from u64 1', `trace obj live=300/3 ever=300/3 heap-peak=300/3 | ${app}:2:main`,
    `inherited obj live=200/2 ever=200/2 | ${app}:2:main`]);
  const peaks = () => reader.tab.$$eval('#figure option[value=peak]', (all) => all.length);
  await reader.open(page('all.html', [worker]), '#figure=peak');
  assert.match(await reader.text('#footer'), /total 300 B in 3 blocks$/);
  assert.equal(await peaks(), 1);
  await reader.open(page('own.html', [worker], '--since-fork'), '#figure=peak');
  assert.match(await reader.text('#footer'), /total 100 B in 1 block$/);
  assert.equal(await peaks(), 0);
  assert.equal(await reader.tab.inputValue('#figure'), 'live');
}

async function main() {
  writeFileSync(source, 'def main():\n    load()\ndef load():\n    return [object() for _ in range(1000)]\nkept = [0]\n    deep()\n</script>\n');
  const snapshots = [small(0, 1000), small(60, 2000), small(120, 3000)];
  const path = page('page.html', snapshots), bare = page('bare.html', snapshots, '--no-source');
  const browser = await driver.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const reader = new Reader(await browser.newPage({ viewport: { width: 1280, height: 720 } }));
    for (const test of [table, closer, search, pair, sources, flame, others, hostile]) {
      await test(reader, path);
      assert.deepEqual(reader.problems, [], test.name);
      console.log(`ok ${test.name}`);
    }
    await deep(reader);
    await reader.open(bare);
    await reader.tab.click('.row:not(.head) >> nth=0');
    assert.match(await reader.text('#source'), /its source is not in this report/);
    await size(reader, large(bare));
    assert.deepEqual(reader.problems, []);
    const empty = page('empty.html', [snapshot('empty.tms', facts(0))]);
    await reader.open(empty);
    assert.match(await reader.text('#footer'), /^0 of 0 lines; total 0 B/);
    assert.ok(statSync(empty).size < 1.5e6, 'without data the page is small');
    const sampled = page('sampled.html', [snapshot('sampled.tms', [...facts(0), 'meta sample_rate u64 524288', `trace obj live=100/1 | ${app}:2:main`])]);
    await reader.open(sampled);
    assert.match(await reader.text('#footer'), /^1 of 1 line; total 100 B in 1 block; estimates from one sample in 512 KiB$/);
    await forked(reader);
    assert.deepEqual(reader.problems, []);
  } finally {
    await browser.close();
  }
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
