// The button of the wire panel. While the panel is closed nothing of it runs; before it is first opened nothing is even loaded.

import { byId } from './dom.js';
import { tab } from './keep.js';

export class WireToggle {
  /** Settled when the panel listens, or is not wanted. */
  ready = Promise.resolve();

  #chat;
  #log;
  #button = byId('wire-toggle');
  #panel = null;
  #open = false;

  constructor(chat, log) {
    this.#chat = chat;
    this.#log = log;
    this.#button.addEventListener('click', () => this.#set(!this.#open));
    addEventListener('keydown', event => {
      // Whatever lies above the panel closes first.
      const above = 'dialog[open], .side.open, [popover]:popover-open';
      if (event.key === 'Escape' && this.#open && !event.isComposing && !document.querySelector(above)) this.#set(false);
    });
    addEventListener('resize', () => { if (this.#open) this.#overlay(); });
    // Open before a reload, open after it: who waits for `ready` shows a connection from its first byte.
    if (tab.read('wire')) this.ready = this.#set(true).catch(() => {});
  }

  async #set(open) {
    const focusWasInside = byId('wire').contains(document.activeElement);
    this.#open = open;
    tab.write('wire', open);
    this.#button.setAttribute('aria-expanded', open);
    byId('app').dataset.wire = open ? 'open' : 'closed';
    byId('wire').hidden = !open;
    if (open && !this.#panel) {
      const { WirePanel } = await import('./wirepanel.js');
      this.#panel ??= new WirePanel(this.#chat, this.#log, () => this.#set(false));
    }
    if (this.#open) this.#panel?.open();
    else this.#panel?.shut();
    this.#overlay();
    if (focusWasInside && !open) this.#button.focus();
    if (byId('chat').inert) byId('wire-close').focus();
  }

  // On a phone the panel covers the chat: what is behind it must not take the focus.
  #overlay() {
    byId('chat').inert = this.#open && getComputedStyle(byId('wire')).position === 'fixed';
  }
}
