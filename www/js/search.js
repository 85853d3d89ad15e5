// The button of search, and its key. What stands in the panel is loaded when it is first opened.

import { byId } from './dom.js';

// Narrower than this there is no room for search and the wire beside the chat; see search.css.
const WIDE = 1440;

export class Search {
  #chat;
  #go;
  #button = byId('search-toggle');
  #panel = null;
  #open = false;
  #opener = null;

  /** `go(room, seq)` shows a message in its place. */
  constructor(chat, go) {
    this.#chat = chat;
    this.#go = go;
    byId('wire-toggle').addEventListener('click', () => { if (innerWidth < WIDE) this.close(); });
    this.#button.addEventListener('click', () => (this.#open ? this.close() : this.open()));
    // Before the others: what is open behind it stays open.
    addEventListener('keydown', event => this.#key(event), true);
    addEventListener('resize', () => { if (this.#open) this.#overlay(); });
  }

  /** Opens it; with a query, finds that. */
  async open(query = null) {
    if (!this.#open) this.#opener = document.activeElement;
    if (innerWidth < WIDE && byId('wire-toggle').getAttribute('aria-expanded') === 'true') byId('wire-toggle').click();
    this.#set(true);
    if (!this.#panel) {
      const { SearchPanel } = await import('./searchpanel.js');
      this.#panel ??= new SearchPanel(this.#chat, (room, seq) => this.#show(room, seq), () => this.close());
    }
    this.#panel.focus();
    if (query !== null) this.#panel.find(query);
  }

  close() {
    if (!this.#open) return;
    const focusWasInside = byId('search').contains(document.activeElement);
    this.#set(false);
    if (focusWasInside) (this.#opener?.isConnected && this.#opener !== document.body ? this.#opener : this.#button).focus();
  }

  // Where it covers the chat, what was found is behind it.
  #show(room, seq) {
    if (byId('chat').inert) this.close();
    this.#go(room, seq);
  }

  #key(event) {
    if (event.isComposing) return;
    // Whatever lies above the panel closes first.
    const above = 'dialog[open], .side.open, [popover]:popover-open, #search-completion:not([hidden])';
    if (event.key === 'Escape' && this.#open && byId('search').contains(event.target) && !document.querySelector(above)) {
      event.stopImmediatePropagation();
      return this.close();
    }
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
    if (byId('app').hidden || event.target.closest('input, textarea, [contenteditable]') || document.querySelector('dialog[open]')) return;
    event.preventDefault();
    this.open();
  }

  #set(open) {
    this.#open = open;
    this.#button.setAttribute('aria-expanded', open);
    byId('app').dataset.search = open ? 'open' : 'closed';
    byId('search').hidden = !open;
    this.#overlay();
  }

  #overlay() {
    byId('chat').inert = this.#open && getComputedStyle(byId('search')).position === 'fixed';
  }
}
