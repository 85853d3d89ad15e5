// Search, beside the chat: what is looked for, what was found, and a way to each message in its place.

import { fullTime, shortDate } from './clock.js';
import { byId, el, text } from './dom.js';
import { icon } from './icons.js';
import { marked } from './marked.js';
import { QueryCompletion } from './querycompletion.js';
import { words } from './words.js';

export class SearchPanel {
  #chat;
  #go;
  #input = el('input', { id: 'search-input', type: 'search', maxlength: '300', autocapitalize: 'none', autocomplete: 'off', spellcheck: 'false',
    enterkeyhint: 'search', 'aria-label': words.search.label, placeholder: words.search.placeholder, 'aria-describedby': 'search-error search-help' });
  #completion;
  #here = el('button', { id: 'search-here', class: 'search-chip', type: 'button', 'aria-pressed': 'false', onclick: () => this.#toggleHere() }, words.search.here);
  #error = el('p', { id: 'search-error', class: 'search-error', role: 'alert' });
  #status = el('p', { id: 'search-status', class: 'search-status', role: 'status' });
  #hits = el('ol', { id: 'search-hits', class: 'search-hits' });
  #more = el('button', { id: 'search-more', class: 'quiet', type: 'button', hidden: true, onclick: () => this.#ask(this.#cursor) }, words.search.more);
  #cursor = null;
  #asked = 0;      // of several questions the last counts
  #query = '';     // what the hits belong to

  /** `go(room, seq)` shows a message. */
  constructor(chat, go, close) {
    this.#chat = chat;
    this.#go = go;
    this.#completion = new QueryCompletion(chat, this.#input);
    const submit = event => { event.preventDefault(); this.find(this.#input.value); };
    byId('search').append(
      el('header', { class: 'side-head' }, el('h2', {}, words.search.title), el('span', { class: 'spring' }),
        el('button', { id: 'search-close', class: 'icon-button', type: 'button', 'aria-label': words.close, title: words.close, onclick: close }, icon('close'))),
      el('form', { id: 'search-form', class: 'search-form', role: 'search', novalidate: true, onsubmit: submit },
        el('div', { class: 'search-field' }, this.#input,
          el('button', { id: 'search-submit', class: 'send', type: 'submit', 'aria-label': words.search.submit, title: words.search.submit }, icon('search'))),
        this.#completion.list, this.#error, this.#here),
      el('div', { class: 'search-scroll', tabindex: '0', role: 'region', 'aria-label': words.search.results }, this.#status, this.#hits, this.#more, help()));
    this.#input.addEventListener('input', () => { this.#complain(''); this.#drawHere(); });
    this.#input.addEventListener('keydown', event => {
      if (this.#completion.key(event)) return event.preventDefault();
      if (event.key !== 'ArrowDown' || event.isComposing) return;
      event.preventDefault();
      this.#hits.querySelector('a')?.focus();
    });
    this.#hits.addEventListener('keydown', event => this.#walk(event));
    this.#hits.addEventListener('click', event => this.#chosen(event));
    chat.on('room', () => this.#drawHere());
    this.#drawHere();
  }

  focus() {
    this.#input.focus();
    this.#input.select();
  }

  /** Looks for that, and shows what is found. */
  find(query) {
    this.#input.value = query;
    this.#drawHere();
    return this.#ask(null);
  }

  async #ask(cursor) {
    const mine = this.#asked += 1;
    const query = cursor === null ? this.#input.value.trim() : this.#query;
    this.#complain('');
    if (query === '') return this.#show(null);
    text(this.#status, words.search.searching);
    try {
      const found = await this.#chat.search(query, { cursor: cursor ?? undefined });
      if (mine === this.#asked) this.#show(found, query, cursor !== null);
    } catch ({ message }) {
      if (mine !== this.#asked) return;
      if (cursor === null) this.#show(null);
      this.#complain(plainly(message));
    }
  }

  // What was found; `further`: behind what is there.
  #show(found, query = '', further = false) {
    this.#query = query;
    this.#cursor = found?.cursor ?? null;
    this.#more.hidden = this.#cursor === null;
    const first = found && further ? this.#hits.childElementCount : 0;
    const nodes = (found?.hits ?? []).map(hit => this.#hit(hit));
    if (further) this.#hits.append(...nodes);
    else this.#hits.replaceChildren(...nodes);
    const shown = this.#hits.childElementCount;
    const count = found && words.search.found(shown, this.#cursor !== null);
    text(this.#status, found ? [count, found.indexing && words.search.indexing].filter(Boolean).join(' ') : '');
    byId('search-help').hidden = shown > 0;
    if (further) nodes[0]?.querySelector('a').focus();
    else if (first === 0) this.#hits.parentElement.scrollTop = 0;
  }

  #hit({ room, seq, from, at, text: said, marks }) {
    const when = new Date(at);
    const title = this.#chat.rooms.find(room)?.title ?? room;
    return el('li', {}, el('a', { class: 'hit', href: `#${room}/${seq}`, data: { room, seq } },
      el('span', { class: 'hit-head' }, el('bdi', { class: 'author', title: from }, from), el('span', { class: 'hit-room', title }, words.search.inRoom(title)),
        el('time', { datetime: at, title: fullTime(when) }, shortDate(when))),
      el('span', { class: 'hit-text', dir: 'auto' }, ...marked(said, marks))));
  }

  #chosen(event) {
    const link = event.target.closest('a');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    for (const other of this.#hits.querySelectorAll('[aria-current]')) other.removeAttribute('aria-current');
    link.setAttribute('aria-current', 'true');
    this.#go(link.dataset.room, Number(link.dataset.seq));
  }

  #walk(event) {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    const links = [...this.#hits.querySelectorAll('a')];
    const next = links.indexOf(document.activeElement) + way;
    if (next < 0) this.#input.focus();
    else if (next === links.length && !this.#more.hidden) this.#more.focus();
    else links[next]?.focus();
  }

  // `in:` the open room, or everywhere.
  get #hereWords() {
    return `in:${this.#chat.room.name}`;
  }

  #toggleHere() {
    const parts = this.#input.value.split(/\s+/).filter(Boolean);
    const without = parts.filter(part => part.toLowerCase() !== this.#hereWords);
    const now = without.length < parts.length ? without : [...parts, this.#hereWords];
    this.#input.value = now.join(' ');
    this.#complain('');
    this.#drawHere();
    if (without.length > 0) this.#ask(null);
    this.#input.focus();
  }

  #drawHere() {
    this.#here.setAttribute('aria-pressed', String(this.#input.value.toLowerCase().split(/\s+/).includes(this.#hereWords)));
  }

  #complain(problem) {
    text(this.#error, problem);
    this.#input.setAttribute('aria-invalid', problem !== '');
    if (problem) text(this.#status, '');
  }
}

// The server names the field; here it stands above.
const plainly = message => message.replace(/^"query", character (\d+): /, (_, at) => words.search.at(at));

function help() {
  return el('div', { id: 'search-help', class: 'search-help' }, el('p', {}, words.search.help),
    el('dl', {}, ...words.search.ways.flatMap(([way, what]) => [el('dt', {}, el('code', {}, way)), el('dd', {}, what)])));
}
