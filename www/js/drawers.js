// Rooms and people: columns on a wide window, drawers over the chat on a narrow one. CSS decides which; while a
// drawer is open the chat behind it is inert.

import { byId } from './dom.js';

const chat = () => byId('chat');

export class Drawers {
  #open = null;
  #opener = null;

  constructor() {
    for (const name of ['rooms', 'people']) {
      byId(`open-${name}`).addEventListener('click', event => this.#toggle(name, event.currentTarget));
    }
    byId('close-people').addEventListener('click', () => this.close());
    byId('scrim').addEventListener('click', () => this.close());
    addEventListener('keydown', event => { if (event.key === 'Escape' && this.#open) this.close(); });
    // A window made wider shows the columns again.
    new ResizeObserver(() => {
      if (this.#open && !this.#isDrawer(this.#open)) this.close();
      this.#reflect();
    }).observe(chat());
  }

  close() {
    if (!this.#open) return;
    byId(this.#open).classList.remove('open');
    byId('scrim').hidden = true;
    chat().inert = byId('wire').inert = byId('search').inert = false;
    if (byId(this.#open).contains(document.activeElement) || document.activeElement === document.body) this.#opener.focus();
    this.#open = null;
    this.#reflect();
  }

  #toggle(name, opener) {
    if (!this.#isDrawer(name)) return void byId('app').classList.toggle(`without-${name}`);
    this.#open = name;
    this.#opener = opener;
    byId(name).classList.add('open');
    byId('scrim').hidden = false;
    chat().inert = byId('wire').inert = byId('search').inert = true;
    this.#reflect();
    byId(name).querySelector('[aria-current], button, a')?.focus();
  }

  // What the buttons say of themselves is what is to be seen.
  #reflect() {
    for (const name of ['rooms', 'people']) {
      byId(`open-${name}`).setAttribute('aria-expanded', getComputedStyle(byId(name)).display !== 'none');
    }
  }

  #isDrawer(name) {
    return getComputedStyle(byId(name)).position === 'fixed';
  }
}
