// The dialog that makes a room: a title as people like it, and an address proposed from it; or the people of a talk.

import { byId, text } from './dom.js';
import { newId } from './outbox.js';
import { PeoplePicker } from './peoplepicker.js';
import { words } from './words.js';

const KINDS = ['public', 'private', 'direct'];
const TALKERS = 8;   // in a direct room, besides oneself

/** A room's name as the protocol has it. */
export const isSlug = name => /^[a-z0-9-]{1,32}$/.test(name);

export class RoomDialog {
  #chat;
  #dialog = byId('room-dialog');
  #title = byId('room-title-input');
  #slug = byId('room-slug-input');
  #people = new PeoplePicker();
  #proposing = true;
  #spare = '';      // an address for a title without a single Latin letter

  constructor(chat) {
    this.#chat = chat;
    for (const kind of KINDS) byId(`room-kind-${kind}`).addEventListener('change', () => this.#choose());
    this.#title.addEventListener('input', () => this.#propose());
    this.#slug.addEventListener('input', () => { this.#proposing = this.#slug.value === ''; this.#complain('slug', ''); });
    byId('room-cancel').addEventListener('click', () => this.#dialog.close());
    byId('room-form').addEventListener('submit', event => { event.preventDefault(); this.#submit(); });
  }

  /** Opens it, with the address given or empty. */
  open(slug = '') {
    this.#title.value = '';
    this.#slug.value = slug;
    this.#proposing = slug === '';
    byId('room-kind-public').checked = true;
    this.#people.open(this.#chat.room.people, this.#chat.me);
    this.#choose();
    this.#spare = `room-${Math.random().toString(36).slice(2, 6)}`;
    this.#complain('title', '');
    this.#complain('slug', '');
    this.#dialog.showModal();
    this.#title.focus();
  }

  get #kind() {
    return KINDS.find(kind => byId(`room-kind-${kind}`).checked);
  }

  // The address of a private room is made up: whoever tries a name learns whether it is taken, so it must tell nothing.
  #choose() {
    const kind = this.#kind;
    byId('room-name').hidden = kind === 'direct';
    byId('room-address').hidden = kind !== 'public';
    byId('room-people').hidden = kind === 'public';
    text(byId('room-create'), kind === 'direct' ? words.create.begin : words.create.submit);
    text(byId('room-people-label'), words.create.people[kind] ?? '');
    this.#complain('slug', '');
    this.#people.complain('');
  }

  #propose() {
    this.#complain('title', '');
    if (!this.#proposing) return;
    const title = this.#title.value;
    this.#slug.value = title.trim() === '' ? '' : slugOf(title) || this.#spare;
    this.#complain('slug', '');
  }

  async #submit() {
    const kind = this.#kind;
    if (kind === 'direct') return this.#talk();
    const title = this.#title.value.trim();
    const slug = kind === 'private' ? `p-${newId()}` : this.#slug.value.trim();
    if (title === '') return this.#complain('title', words.create.noTitle);
    if (!isSlug(slug)) return this.#complain('slug', words.create.badSlug);
    byId('room-create').disabled = true;
    try {
      await this.#chat.create(slug, title, kind, kind === 'private' ? this.#people.names : []);
      this.#dialog.close();
      location.hash = slug;
    } catch (problem) {
      if (kind === 'private') this.#people.refuse(problem);
      else this.#complain('slug', problem.code === 'room_exists' ? words.create.taken : problem.message);
    } finally {
      byId('room-create').disabled = false;
    }
  }

  async #talk() {
    const people = this.#people.names;
    if (people.length === 0) return this.#people.complain(words.create.noPeople);
    if (people.length > TALKERS) return this.#people.complain(words.create.tooMany);
    byId('room-create').disabled = true;
    try {
      location.hash = await this.#chat.direct(people);
      this.#dialog.close();
    } catch (problem) {
      this.#people.refuse(problem);
    } finally {
      byId('room-create').disabled = false;
    }
  }

  #complain(field, problem) {
    text(byId(`room-${field}-error`), problem);
    byId(`room-${field}-input`).setAttribute('aria-invalid', problem !== '');
    if (problem) byId(`room-${field}-input`).focus();
  }
}

/** 'Café Größe 2' becomes 'cafe-grosse-2'; '' if nothing is left. */
export function slugOf(title) {
  return title.toLowerCase().replaceAll('ß', 'ss').normalize('NFKD').replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-').replace(/^-+/, '').slice(0, 32).replace(/-+$/, '');
}
