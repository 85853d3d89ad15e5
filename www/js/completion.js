// Completion in the composer: people behind @, emoji behind a colon. The list stands above it; the arrows choose, Enter and
// Tab take, Escape goes on without.

import { avatar } from './avatar.js';
import { byId, el } from './dom.js';
import { beginsName, folded } from './mentions.js';

const SHOWN = 5;   // all in view, with a mouse and with a finger
const LONGEST = 32;
const EMOJI = /(?:^|[^\p{L}\p{N}:]):([a-z0-9_+-]{2,})$/iu;
const WHOLE = /:[a-z0-9_+-]+:/i;
const NAMED = /:([a-z0-9_+-]+):/gi;

export class Completion {
  #chat;
  #input;
  #list = byId('completion');
  #choices = [];   // {text, label, sign}
  #from = 0;       // where in the text what is completed begins
  #at = 0;
  #emoji = null;   // the module with the names, once something asked for it

  constructor(chat, input) {
    this.#chat = chat;
    this.#input = input;
    input.addEventListener('input', event => { if (!event.isComposing) this.#look(); });
    input.addEventListener('click', () => this.#look());
    input.addEventListener('blur', () => this.close());
    // The focus stays in the text.
    this.#list.addEventListener('mousedown', event => event.preventDefault());
    this.#list.addEventListener('click', event => {
      const option = event.target.closest('[role=option]');
      if (option) this.#take([...this.#list.children].indexOf(option));
    });
  }

  get isOpen() {
    return this.#choices.length > 0;
  }

  close() {
    this.#choices = [];
    this.#draw();
  }

  /** True: the key was for the list. */
  key(event) {
    if (!this.isOpen || event.isComposing || event.keyCode === 229) return false;
    const count = this.#choices.length;
    if (event.key === 'ArrowDown') this.#at = (this.#at + 1) % count;
    else if (event.key === 'ArrowUp') this.#at = (this.#at + count - 1) % count;
    else if (event.key === 'Escape') return this.close(), true;
    else if ((event.key === 'Enter' && !event.shiftKey) || (event.key === 'Tab' && !event.shiftKey)) return this.#take(this.#at), true;
    else return false;
    this.#draw();
    return true;
  }

  /** The text with each emoji in the place of its `:name:`, so that it is one for everybody; a promise of it the first time. */
  signed(text) {
    if (!WHOLE.test(text)) return text;
    const sign = ({ named }) => text.replaceAll(NAMED, (all, name) => named(name) ?? all);
    return this.#emoji ? sign(this.#emoji) : this.#names().then(sign, () => text);
  }

  async #look() {
    const before = this.#input.value.slice(0, this.#input.selectionStart);
    this.#choices = this.#input.selectionStart === this.#input.selectionEnd ? this.#people(before) : [];
    const emoji = before.match(EMOJI);
    if (this.#choices.length === 0 && emoji) {
      const { find } = await this.#names();
      // Something else may have been written meanwhile.
      if (this.#input.value.slice(0, this.#input.selectionStart) !== before) return;
      this.#from = before.length - emoji[1].length - 1;
      this.#choices = find(emoji[1].toLowerCase(), SHOWN).map(({ emoji, name }) => ({ text: emoji, label: `:${name}:`, sign: () => el('span', { class: 'emoji' }, emoji) }));
    }
    this.#at = 0;
    this.#draw();
  }

  // Those whose name goes on as it was begun; a name may have spaces in it.
  #people(before) {
    for (let at = before.lastIndexOf('@'); at !== -1 && before.length - at <= LONGEST + 1; at = before.lastIndexOf('@', at - 1)) {
      const begun = folded(before.slice(at + 1));
      if (begun.includes('\n') || !beginsName(before, at)) continue;
      const { room, me } = this.#chat;
      const names = [...room.people].filter(name => name !== me && folded(name).startsWith(begun));
      // What is written out needs no list.
      if (names.every(name => folded(name) === begun)) continue;
      this.#from = at;
      return names.sort((a, b) => (room.members?.has(b) ?? false) - (room.members?.has(a) ?? false) || a.localeCompare(b)).slice(0, SHOWN)
        .map(name => ({ text: `@${name}`, label: name, sign: () => avatar(name) }));
    }
    return [];
  }

  async #names() {
    this.#emoji ??= await import('./emoji.js');
    return this.#emoji;
  }

  #take(at) {
    const { text } = this.#choices[at];
    this.#choices = [];
    // As if it were typed: undo takes it back.
    this.#input.setSelectionRange(this.#from, this.#input.selectionStart);
    this.#input.focus();
    if (!document.execCommand('insertText', false, `${text} `)) this.#input.setRangeText(`${text} `, this.#from, this.#input.selectionEnd, 'end');
    this.close();
    this.#input.dispatchEvent(new Event('input'));
  }

  #draw() {
    const open = this.isOpen;
    this.#list.hidden = !open;
    this.#list.replaceChildren(...this.#choices.map(({ label, sign }, at) =>
      el('li', { id: `completion-${at}`, role: 'option', 'aria-selected': String(at === this.#at) }, sign(), el('bdi', {}, label))));
    if (open) this.#input.setAttribute('aria-activedescendant', `completion-${this.#at}`);
    else this.#input.removeAttribute('aria-activedescendant');
    this.#list.children[this.#at]?.scrollIntoView({ block: 'nearest' });
  }
}
