// A person's picture: the first letter of the name on a colour made from the name, or over it what the person has chosen.
// Everyone sees the same one.

import { el } from './dom.js';
import { pictured } from './pictures.js';

const HUES = [25, 55, 95, 130, 160, 195, 230, 260, 290, 325];

/** Decorative: the name stands beside it, so the letter is drawn and no text. The colours are in css/base.css, which mixes them for light and dark. */
export function avatar(name) {
  const node = el('span', { class: 'avatar', 'aria-hidden': 'true', data: { letter: initial(name) } });
  node.style.setProperty('--hue', HUES[hash(name) % HUES.length]);
  return pictured(node, name);
}

// One character as people count them: an emoji of several code points is one.
const segmenter = new Intl.Segmenter();

function initial(name) {
  const [first] = segmenter.segment(name.trim());
  return (first?.segment ?? '?').toLocaleUpperCase();
}

// FNV-1a: short, and spreads similar names well.
function hash(name) {
  let sum = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  return (sum ^ (sum >>> 15)) >>> 0;
}
