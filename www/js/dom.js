// The few helpers that build DOM. Data only ever becomes text nodes and attributes, never markup.

import { icon } from './icons.js';
import { words } from './words.js';

export const byId = id => document.getElementById(id);

/**
 * Makes an element. `on…` attributes are listeners, `data` is the dataset; `null`, `undefined` and `false`
 * leave an attribute out and `true` sets it empty.
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'data') Object.assign(node.dataset, value);
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else attribute(node, name, value);
  }
  node.append(...children.filter(child => child != null && child !== false));
  return node;
}

/** Sets an attribute, or takes it away for null, undefined and false. */
export function attribute(node, name, value) {
  if (value == null || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? '' : value);
}

/** Sets text only where it differs: screen readers and selections notice a needless change. */
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** Puts the words and icons that index.html asks for in their places. */
export function furnish(root) {
  for (const node of root.querySelectorAll('[data-word]')) node.textContent = word(node.dataset.word);
  for (const node of root.querySelectorAll('[data-placeholder]')) node.placeholder = word(node.dataset.placeholder);
  for (const node of root.querySelectorAll('[data-title]')) node.title = word(node.dataset.title);
  for (const node of root.querySelectorAll('[data-label]')) {
    node.setAttribute('aria-label', word(node.dataset.label));
    if (node.tagName === 'BUTTON') node.title = word(node.dataset.label);
  }
  for (const node of root.querySelectorAll('[data-icon]')) node.prepend(icon(node.dataset.icon));
}

const word = path => path.split('.').reduce((at, step) => at[step], words);

const entries = new WeakMap();

/**
 * Makes `parent`'s children match `items`, keeping the node of every key that stays: focus, selection and
 * scroll position survive. `make(item)` builds a node, `update(node, item)` mends one whose `sign` changed.
 */
export function keyed(parent, items, { key, sign, make, update }) {
  const before = entries.get(parent) ?? new Map();
  const after = new Map();
  for (const item of items) {
    const entry = before.get(key(item)) ?? { node: make(item), sign: null };
    const now = sign(item);
    if (entry.sign !== now) update?.(entry.node, item);
    entry.sign = now;
    after.set(key(item), entry);
  }
  for (const [name, { node }] of before) if (!after.has(name)) node.remove();
  let cursor = parent.firstChild;
  for (const { node } of after.values()) {
    if (node === cursor) cursor = cursor.nextSibling;
    else parent.insertBefore(node, cursor);
  }
  entries.set(parent, after);
}

/** Empties a keyed list, so that nothing of it is reused. */
export function clear(parent) {
  entries.delete(parent);
  parent.replaceChildren();
}

/** Wraps `draw` so that many calls in one animation frame draw once. A hidden page has no frames: a timer serves. */
export function soon(draw) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    const run = () => { waiting = false; draw(); };
    if (document.hidden) setTimeout(run, 0);
    else requestAnimationFrame(run);
  };
}
