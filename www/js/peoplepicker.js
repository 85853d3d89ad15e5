// A field that names of people are put into, one after the other. It proposes those who are here.

import { ask } from './api.js';
import { avatar } from './avatar.js';
import { attribute, byId, el, text } from './dom.js';
import { icon } from './icons.js';
import { words } from './words.js';

export class PeoplePicker {
  #input = byId('room-people-input');
  #names = [];

  constructor() {
    this.#input.addEventListener('keydown', event => this.#key(event));
    this.#input.addEventListener('input', () => this.complain(''));
  }

  /** Begins with nobody; `known` are names to propose, and everyone with an account is proposed too. */
  async open(known, me) {
    this.#names = [];
    this.#input.value = '';
    this.complain('');
    this.#draw();
    this.#propose(known, me);
    const people = await ask('GET', '/api/people').catch(() => []);
    this.#propose([...known, ...people.map(({ name }) => name)], me);
  }

  /** The names so far, with what is still in the field. */
  get names() {
    this.#add();
    return [...this.#names];
  }

  focus() {
    this.#input.focus();
  }

  complain(problem) {
    text(byId('room-people-error'), problem);
    attribute(this.#input, 'aria-invalid', String(problem !== ''));
    if (problem) this.focus();
  }

  /** Says what the server had against the names. */
  refuse({ code, message }) {
    const unknown = this.#names.find(name => message.includes(name));
    this.complain(code === 'bad_field' && unknown ? words.members.nobody(unknown) : message);
  }

  #propose(names, me) {
    const others = [...new Set(names)].filter(name => name !== me).sort((a, b) => a.localeCompare(b));
    byId('room-people-known').replaceChildren(...others.map(name => el('option', { value: name })));
  }

  // Enter takes what is written; on nothing it goes on to the form. Backspace on nothing takes the last one out.
  #key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Enter' && this.#input.value.trim() !== '') {
      event.preventDefault();
      this.#add();
    } else if (event.key === 'Backspace' && this.#input.value === '' && this.#names.length > 0) {
      this.#remove(this.#names.at(-1));
    }
  }

  #add() {
    const name = this.#input.value.trim();
    this.#input.value = '';
    if (name === '' || this.#names.includes(name)) return;
    this.#names.push(name);
    this.#draw();
  }

  #remove(name) {
    this.#names = this.#names.filter(other => other !== name);
    this.complain('');
    this.#draw();
    this.focus();
  }

  #draw() {
    byId('room-people-chosen').replaceChildren(...this.#names.map(name => {
      const label = words.create.takeOut(name);
      const out = el('button', { class: 'icon-button', type: 'button', 'aria-label': label, title: label, onclick: () => this.#remove(name) }, icon('close'));
      return el('li', { data: { name } }, avatar(name), el('bdi', {}, name), out);
    }));
  }
}
