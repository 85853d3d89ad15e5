// `?` lists the keys.

import { el } from './dom.js';
import { words } from './words.js';

export function listKeysOnDemand() {
  let dialog = null;
  addEventListener('keydown', event => {
    if (event.key !== '?' || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest('input, textarea, [contenteditable]') || document.querySelector('dialog[open]')) return;
    event.preventDefault();
    dialog ??= make();
    dialog.showModal();
  });
}

// Read from its beginning: else the browser goes to the button at the end.
function make() {
  const rows = words.keys.list.flatMap(([keys, what]) => [
    el('dt', {}, ...keys.map(key => el('kbd', {}, key))),
    el('dd', {}, what),
  ]);
  const dialog = el('dialog', { id: 'keys', class: 'dialog', 'aria-labelledby': 'keys-title' },
    el('h2', { id: 'keys-title', tabindex: '-1', autofocus: true }, words.keys.title),
    el('dl', { class: 'keys' }, ...rows),
    el('div', { class: 'dialog-actions' },
      el('button', { class: 'quiet', type: 'button', onclick: () => dialog.close() }, words.close)));
  document.body.append(dialog);
  return dialog;
}
