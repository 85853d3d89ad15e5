// Puts a text on the clipboard. Browsers let a page do so only over HTTPS and on localhost; on a LAN the old way serves.

import { el } from './dom.js';

/** Resolves to whether it is there. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyFromField(text);
  }
}

function copyFromField(text) {
  const before = document.activeElement;
  const field = el('textarea', { class: 'visually-hidden', readonly: true });
  field.value = text;
  // Within a dialog or a menu nothing outside of it can have the focus.
  (before?.closest('dialog, [popover]') ?? document.body).append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  before?.focus();
  return done;
}
