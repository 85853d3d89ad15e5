// JSON pretty-printed and lightly coloured, as DOM.

import { el } from './dom.js';

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

export function prettyJson(value) {
  const source = JSON.stringify(value, null, 2);
  const nodes = [];
  let from = 0;
  for (const match of source.matchAll(TOKEN)) {
    const [all, string, colon] = match;
    nodes.push(source.slice(from, match.index));
    nodes.push(el('span', { class: colon ? 'json-key' : string ? 'json-string' : 'json-value' }, string ?? all));
    from = match.index + (string ?? all).length;
  }
  return el('pre', { class: 'json', tabindex: '0' }, el('code', {}, ...nodes, source.slice(from)));
}
