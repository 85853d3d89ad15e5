// The palette: a field that leads anywhere by its name, a room, a person, a message. By keyboard alone: the arrows choose, Enter
// goes, Escape closes.

import { ask } from './api.js';
import { avatar } from './avatar.js';
import { byId, el, text } from './dom.js';
import { icon } from './icons.js';
import { inOneLine, marked } from './marked.js';
import { words } from './words.js';

const OF_A_KIND = 6;     // rooms, or people, that are offered at once
const MESSAGES = 5;
const TITLE = 200;       // letters of a choice that are told where it is pointed at
const SETTLED = 200;     // ms without a key until the messages are searched

export class Palette {
  #chat;
  #act;
  #dialog = byId('palette');
  #input = byId('palette-input');
  #list = byId('palette-list');
  #choices = [];    // {group, key, label, detail, sign, take}
  #found = [];      // messages, as choices
  #people = [];     // the names of those who have an account
  #at = 0;
  #timer = null;
  #asked = 0;

  /** `act`: {room(name), person(name), message(room, seq), search(query)}: goes there. */
  constructor(chat, act) {
    this.#chat = chat;
    this.#act = act;
    addEventListener('keydown', event => {
      const wanted = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k';
      if (!wanted || event.isComposing || byId('app').hidden) return;
      event.preventDefault();
      if (this.#dialog.open) this.#dialog.close();
      else if (!document.querySelector('dialog[open]')) this.open();
    });
    this.#input.addEventListener('input', () => this.#changed());
    this.#input.addEventListener('keydown', event => this.#key(event));
    this.#list.addEventListener('mousedown', event => event.preventDefault());
    this.#list.addEventListener('click', event => {
      const option = event.target.closest('[role=option]');
      if (option) this.#take(Number(option.dataset.at));
    });
    this.#dialog.addEventListener('click', event => { if (event.target === this.#dialog) this.#dialog.close(); });
    this.#dialog.addEventListener('close', () => { clearTimeout(this.#timer); this.#asked += 1; });
  }

  open() {
    this.#input.value = '';
    this.#found = [];
    this.#dialog.showModal();
    this.#input.focus();
    this.#draw();
    ask('GET', '/api/people').then(people => { this.#people = people.map(({ name }) => name); this.#draw(); }, () => {});
  }

  #changed() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    this.#found = [];
    this.#at = 0;
    if (this.#input.value.trim().length > 1) this.#timer = setTimeout(() => this.#search(), SETTLED);
    this.#draw();
  }

  async #search() {
    const mine = this.#asked;
    // What is half written is no query yet: nothing is found, and nothing said.
    const found = await this.#chat.search(this.#input.value.trim(), { limit: MESSAGES }).catch(() => null);
    if (!found || mine !== this.#asked) return;
    this.#found = found.hits.map(({ room, seq, from, text: said, marks }) => ({
      group: 'messages', key: `message ${room} ${seq}`, label: marked(...inOneLine(said, marks)), sign: () => avatar(from),
      detail: words.palette.said(from, this.#chat.rooms.find(room)?.title ?? room), take: () => this.#act.message(room, seq),
    }));
    this.#draw();
  }

  #key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    const count = this.#choices.length;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && count > 0) {
      event.preventDefault();
      this.#at = (this.#at + step + count) % count;
      this.#drawChosen();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (count > 0) this.#take(this.#at);
    }
  }

  #take(at) {
    const { take } = this.#choices[at];
    this.#dialog.close();
    take();
  }

  #draw() {
    const chosen = this.#choices[this.#at]?.key;
    const wanted = this.#input.value.trim();
    const query = wanted === '' ? [] : [{ group: 'messages', key: 'search', label: [words.palette.search(wanted)], sign: () => icon('search'),
      take: () => this.#act.search(wanted) }];
    this.#choices = [...this.#rooms(wanted), ...this.#persons(wanted), ...this.#found, ...query];
    // What comes late does not take the place of what was chosen.
    this.#at = Math.max(0, this.#choices.findIndex(({ key }) => key === chosen && this.#at > 0));
    let group = '';
    const nodes = this.#choices.flatMap((choice, at) => {
      const head = choice.group === group ? [] : [el('li', { class: 'palette-group', role: 'presentation' }, words.palette.groups[choice.group])];
      group = choice.group;
      return [...head, el('li', { id: `palette-${at}`, class: 'palette-choice', role: 'option', 'aria-selected': 'false', title: whole(choice), data: { at, group, key: choice.key } },
        choice.sign(), el('span', { class: 'palette-label', dir: 'auto' }, ...choice.label), choice.detail && el('bdi', { class: 'palette-detail' }, choice.detail))];
    });
    this.#list.replaceChildren(...nodes);
    text(byId('palette-status'), words.palette.count(this.#choices.length));
    this.#drawChosen();
  }

  #drawChosen() {
    for (const option of this.#list.querySelectorAll('[role=option]')) option.setAttribute('aria-selected', String(Number(option.dataset.at) === this.#at));
    const chosen = byId(`palette-${this.#at}`);
    if (chosen) this.#input.setAttribute('aria-activedescendant', chosen.id);
    else this.#input.removeAttribute('aria-activedescendant');
    if (this.#at === 0) this.#list.scrollTop = 0;
    else chosen?.scrollIntoView({ block: 'nearest' });
  }

  #rooms(wanted) {
    const { rooms } = this.#chat;
    const all = [...rooms.mine(), ...rooms.others()].filter(room => room.kind !== 'direct' && room !== this.#chat.room);
    const recent = (a, b) => (wanted === '' ? b.unread - a.unread : 0);
    return best(all.sort(recent), wanted, room => room.title, room => room.name).map(room => ({
      group: 'rooms', key: `room ${room.name}`, label: [room.title], detail: room.closed || room.title.toLowerCase() === room.name ? null : `#${room.name}`,
      sign: () => icon(room.kind === 'private' ? 'lock' : room.archived ? 'archive' : 'room'), take: () => this.#act.room(room.name),
    }));
  }

  #persons(wanted) {
    const { rooms, me } = this.#chat;
    const names = new Set([...rooms.all().flatMap(room => [...room.people]), ...this.#people]);
    names.delete(me);
    return best([...names].sort((a, b) => a.localeCompare(b)), wanted, name => name).map(name => ({
      group: 'people', key: `person ${name}`, label: [name], sign: () => avatar(name), take: () => this.#act.person(name),
    }));
  }
}

// Those in whose names each word that is wanted begins a word; those that begin with it all come first.
function best(all, wanted, ...names) {
  const parts = plain(wanted).split(/\s+/).filter(Boolean);
  const fits = item => parts.every(part => names.some(name => plain(name(item)).split(/[\s-]+/).some(word => word.startsWith(part))));
  const begins = item => plain(names[0](item)).startsWith(plain(wanted));
  return all.filter(fits).sort((a, b) => begins(b) - begins(a)).slice(0, OF_A_KIND);
}

// A label that does not fit is cut.
const whole = ({ label, detail }) => [label.map(part => part.textContent ?? part).join('').slice(0, TITLE), detail].filter(Boolean).join('\n');

const plain = name => name.toLowerCase().normalize('NFKD').replace(/\p{M}/gu, '');
