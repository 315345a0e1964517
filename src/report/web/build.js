// SPDX-License-Identifier: MIT
// Bundles the page into one file with a mark where tm-report puts the data.
//
//   node build.js MODULES OUTPUT     MODULES is the folder node_modules that `npm ci` made of package-lock.json
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [modules, output] = process.argv.slice(2).map((path) => resolve(path));
const page = join(dirname(fileURLToPath(import.meta.url)), 'page');
const { build } = createRequire(join(modules, 'package.json'))('esbuild');

const result = await build({
  entryPoints: [join(page, 'main.js')],
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2020',
  charset: 'ascii',
  outdir: 'out',
  write: false,
  nodePaths: [modules],
  legalComments: 'inline',
});
const text = (ending) => result.outputFiles.find((file) => file.path.endsWith(ending)).text;
const inside = (code, tag) => {
  if (code.toLowerCase().includes(`</${tag}`)) throw new Error(`the bundle ends its own <${tag}>`);
  return code;
};
const template = readFileSync(join(page, 'index.html'), 'utf8');
const whole = template
  .replace('/*STYLE*/', () => inside(text('.css'), 'style'))
  .replace('/*SCRIPT*/', () => inside(text('.js'), 'script'));
if (whole.split('@TM_DATA@').length !== 2) throw new Error('the page must have one mark for the data');
writeFileSync(output, whole);
