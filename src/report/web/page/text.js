// SPDX-License-Identifier: MIT
// Sizes, counts and names for people.  Names are data of another program: what could turn a line around or hide in it
// is shown as its code, and nobody needs a name of 100 kB on a screen.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
// Control characters, directions of text, lone surrogates.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export function sizeText(bytes) {
  let value = Math.abs(bytes), unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${bytes < 0 ? '-' : ''}${value.toFixed(digits)} ${UNITS[unit]}`;
}

export const countText = (count) => Math.round(count).toLocaleString('en');
export const countOf = (count, word) => `${countText(count)} ${word}${Math.round(count) === 1 ? '' : 's'}`;
export const signed = (value, text) => (value > 0 ? '+' : '') + text(value);

export function shorten(text, limit) {
  return text.length <= limit ? text : `${text.slice(0, limit >> 1)}\u2026${text.slice(text.length - (limit >> 1))}`;
}

export function nameText(text, limit = 400) {
  return shorten(text, limit).replace(HIDDEN, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export const baseName = (path) => path.slice(path.lastIndexOf('/') + 1);

/** The end of a long absolute path, which says more than its beginning. */
export function pathTail(path) {
  if (path.length <= 32 || !path.startsWith('/')) return path;
  const parts = path.split('/');
  return parts.length > 4 ? `\u2026/${parts.slice(-3).join('/')}` : path;
}
