// Completion in the field of search: people behind `from:`, rooms behind `in:`. The list stands below the field; the arrows
// choose, Enter and Tab take, Escape goes on without.

import { avatar } from './avatar.js';
import { el } from './dom.js';
import { icon } from './icons.js';
import { words } from './words.js';

const SHOWN = 6;
const BEGUN = /(?:^|\s)(from|in):(?:"([^"]*)|([^"\s]*))$/i;

export class QueryCompletion {
  /** Where it is shown. */
  list = el('ul', { id: 'search-completion', class: 'completion', role: 'listbox', 'aria-label': words.composer.completion, hidden: true });

  #chat;
  #input;
  #choices = [];   // {text, label, sign}
  #from = 0;       // where in the field what is completed begins
  #at = 0;

  constructor(chat, input) {
    this.#chat = chat;
    this.#input = input;
    for (const [name, value] of Object.entries({ role: 'combobox', 'aria-autocomplete': 'list', 'aria-controls': 'search-completion' })) input.setAttribute(name, value);
    input.addEventListener('input', event => { if (!event.isComposing) this.#look(); });
    input.addEventListener('blur', () => this.close());
    this.list.addEventListener('mousedown', event => event.preventDefault());
    this.list.addEventListener('click', event => {
      const option = event.target.closest('[role=option]');
      if (option) this.#take([...this.list.children].indexOf(option));
    });
    this.#draw();
  }

  close() {
    this.#choices = [];
    this.#draw();
  }

  /** True: the key was for the list. */
  key(event) {
    const count = this.#choices.length;
    if (count === 0 || event.isComposing || event.keyCode === 229 || event.shiftKey) return false;
    if (event.key === 'ArrowDown') this.#at = (this.#at + 1) % count;
    else if (event.key === 'ArrowUp') this.#at = (this.#at + count - 1) % count;
    else if (event.key === 'Escape') this.#choices = [];
    else if (event.key === 'Enter' || event.key === 'Tab') return this.#take(this.#at), true;
    else return false;
    this.#draw();
    return true;
  }

  #look() {
    const before = this.#input.value.slice(0, this.#input.selectionStart);
    const [, key, quoted, bare] = before.match(BEGUN) ?? [];
    const begun = (quoted ?? bare ?? '').toLowerCase();
    const all = !key ? [] : key.toLowerCase() === 'in' ? this.#rooms(begun.replace(/^#/, '')) : this.#people(begun);
    this.#from = before.length - begun.length - (quoted === undefined ? 0 : 1);
    // What is written out needs no list.
    this.#choices = all.every(({ text }) => text.replaceAll('"', '').toLowerCase() === begun) ? [] : all.slice(0, SHOWN);
    this.#at = 0;
    this.#draw();
  }

  #people(begun) {
    const names = new Set([this.#chat.me, ...this.#chat.rooms.all().flatMap(room => [...room.people])]);
    return [...names].filter(name => name.toLowerCase().startsWith(begun)).sort((a, b) => a.localeCompare(b))
      .map(name => ({ text: /\s/.test(name) ? `"${name}"` : name, label: name, sign: () => avatar(name) }));
  }

  #rooms(begun) {
    const { rooms } = this.#chat;
    const begins = room => [room.name, room.title.toLowerCase()].some(name => name.startsWith(begun));
    return [...rooms.mine(), ...rooms.others()].filter(begins)
      .map(room => ({ text: room.name, label: room.title, sign: () => (room.kind === 'direct' ? avatar(room.title) : icon(room.kind === 'private' ? 'lock' : 'room')) }));
  }

  #take(at) {
    const { text } = this.#choices[at];
    this.#input.setRangeText(`${text} `, this.#from, this.#input.selectionStart, 'end');
    this.close();
    this.#input.dispatchEvent(new Event('input'));
  }

  #draw() {
    const open = this.#choices.length > 0;
    this.list.hidden = !open;
    this.#input.setAttribute('aria-expanded', String(open));
    this.list.replaceChildren(...this.#choices.map(({ label, sign }, at) =>
      el('li', { id: `search-completion-${at}`, role: 'option', 'aria-selected': String(at === this.#at) }, sign(), el('bdi', {}, label))));
    if (open) this.#input.setAttribute('aria-activedescendant', `search-completion-${this.#at}`);
    else this.#input.removeAttribute('aria-activedescendant');
  }
}
