// A text with marks in it, as DOM. The server counts in characters, not in the halves that JavaScript has for some of them.

import { el } from './dom.js';

/** The nodes of `text`, with each of `marks` (begin and end) in a `<mark>`. */
export function marked(text, marks) {
  const chars = [...text];
  const nodes = [];
  let from = 0;
  for (const [begin, end] of marks) {
    if (begin > from) nodes.push(chars.slice(from, begin).join(''));
    nodes.push(el('mark', {}, chars.slice(begin, end).join('')));
    from = end;
  }
  if (from < chars.length) nodes.push(chars.slice(from).join(''));
  return nodes;
}

const BEFORE = 20;   // characters that stand before the first mark in a single line

/** The text and its marks for a single line: what would push the first mark out of sight is left out. */
export function inOneLine(text, marks) {
  const cut = (marks[0]?.[0] ?? 0) - BEFORE;
  if (cut < BEFORE) return [text, marks];
  return [`…${[...text].slice(cut).join('')}`, marks.map(([begin, end]) => [begin - cut + 1, end - cut + 1])];
}
