// Any emoji, found by its name: for a reaction that the menu does not offer.

import { byId, el } from './dom.js';
import { place } from './messagemenu.js';
import { words } from './words.js';

const SHOWN = 48;

export class EmojiPicker {
  #popover = byId('emoji-picker');
  #input = byId('emoji-search');
  #grid = byId('emoji-grid');
  #picked = () => {};

  constructor() {
    this.#input.addEventListener('input', () => this.#draw());
    this.#input.addEventListener('keydown', event => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      this.#grid.querySelector('button')?.click();
    });
  }

  /** Shows it beside an element; `picked` is told the emoji. */
  async open(beside, picked) {
    this.#picked = picked;
    this.#input.value = '';
    this.#popover.showPopover();
    place(this.#popover, beside);
    this.#input.focus();
    await this.#draw();
    place(this.#popover, beside);
  }

  async #draw() {
    const { find } = await import('./emoji.js');
    const found = find(this.#input.value.trim().replaceAll(':', ''), SHOWN);
    this.#grid.replaceChildren(...found.map(({ emoji, name }) =>
      el('button', { type: 'button', class: 'emoji', title: `:${name}:`, 'aria-label': name.replaceAll('_', ' '),
        onclick: () => { this.#popover.hidePopover(); this.#picked(emoji); } }, emoji)),
    ...(found.length === 0 ? [el('p', { class: 'note' }, words.message.noEmoji)] : []));
  }
}
