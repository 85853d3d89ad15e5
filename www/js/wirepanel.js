// The wire panel: every frame of this connection as it comes and goes, and what it is for.

import { byId, el, soon, text } from './dom.js';
import { icon } from './icons.js';
import { browser } from './keep.js';
import { link } from './spotlight.js';
import { Tap } from './tap.js';
import { words } from './words.js';
import { wireRow } from './wirerow.js';

const AT_MOST = 500;
const NEAR_END = 40;
const PACKED_FROM = 1024;   // bytes: what is shorter the server does not pack
const SETTLED = 400;        // ms after the last of these it is asked what that saved

export class WirePanel {
  #chat;
  #log;
  #list = el('ol', { id: 'wire-list', class: 'wire-list', 'aria-label': words.wire.label, tabindex: '0' });
  #held = el('p', { class: 'wire-held', role: 'status', hidden: true });
  #saved = el('p', { id: 'wire-saved', class: 'wire-saved', hidden: true });
  #asking;
  #empty = el('p', { class: 'wire-empty' }, words.wire.empty);
  #pauseButton;
  #entries = [];             // come, not drawn yet
  #about = new Map();        // row → keys of the messages that it is about
  #filter = 'all';
  #paused = false;
  #unlink = null;
  #flush = soon(() => this.#draw());

  constructor(chat, log, close) {
    this.#chat = chat;
    this.#log = log;
    this.#pauseButton = iconButton('wire-pause', 'pause', words.wire.pause, () => this.#pause());
    byId('wire').append(
      el('header', { class: 'side-head' }, el('h2', {}, words.wire.title), el('span', { class: 'spring' }),
        this.#pauseButton,
        iconButton('wire-clear', 'clear', words.wire.clear, () => this.#clear()),
        iconButton('wire-close', 'close', words.close, close)),
      this.#filters(), ...this.#intro(), this.#saved, this.#held, this.#list, this.#empty);
    this.#drawPause();
  }

  /** Begins to listen. The connection may have been there before: its handshake comes first. */
  open() {
    if (this.#chat.line.tap) return;
    const tap = new Tap(entry => this.#take(entry), () => this.#chat.me);
    this.#chat.line.tap = tap;
    if (this.#chat.line.handshake) tap.opened(this.#chat.line.handshake, true);
    if (this.#packs) this.#askWhatWasSaved(0);
    this.#unlink = link(this.#log.element, this.#list, {
      messages: row => (this.#about.get(row) ?? []).map(key => this.#log.find(key)).filter(Boolean),
      frames: message => [...this.#about].filter(([row, keys]) => !row.hidden && keys.includes(message.dataset.key)).map(([row]) => row),
    });
  }

  /** Stops listening and forgets: what passes now is not seen, so what was seen would have a hole. */
  shut() {
    this.#chat.line.tap = null;
    clearTimeout(this.#asking);
    this.#unlink?.();
    this.#unlink = null;
    this.#clear();
  }

  #take(entry) {
    if (entry.kind === 'handshake') this.#saved.hidden = true;
    if (entry.direction === 'received' && entry.size?.payload >= PACKED_FROM && this.#packs) this.#askWhatWasSaved();
    if (entry.direction === 'received' && entry.frame?.packed) this.#drawSaved(entry.frame.packed);
    this.#entries.push(entry);
    if (this.#entries.length > AT_MOST) this.#entries.shift();
    this.#flush();
  }

  get #packs() {
    return this.#chat.line.handshake?.extensions.includes('permessage-deflate') ?? false;
  }

  // A page sees messages unpacked: what that saved only the server knows, and says with a pong.
  #askWhatWasSaved(wait = SETTLED) {
    clearTimeout(this.#asking);
    this.#asking = setTimeout(() => this.#chat.line.send({ type: 'ping', t: Date.now() }), wait);
  }

  #drawSaved({ frames, saved }) {
    this.#saved.hidden = frames === 0;
    text(this.#saved, words.wire.saved(frames, saved));
  }

  #draw() {
    this.#held.hidden = !this.#paused || this.#entries.length === 0;
    if (this.#paused) return text(this.#held, words.wire.held(this.#entries.length));
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    for (const entry of this.#entries.splice(0)) this.#add(entry);
    while (this.#list.childElementCount > AT_MOST) this.#drop(this.#list.firstChild);
    this.#empty.hidden = this.#list.childElementCount > 0;
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }

  #add(entry) {
    const row = wireRow(entry);
    row.hidden = !this.#shows(row);
    if (entry.messages.length > 0) this.#about.set(row, entry.messages);
    this.#list.append(row);
  }

  #drop(row) {
    this.#about.delete(row);
    row.remove();
  }

  #clear() {
    this.#entries = [];
    this.#about.clear();
    this.#list.replaceChildren();
    this.#draw();
    this.#empty.hidden = false;
  }

  #pause() {
    this.#paused = !this.#paused;
    this.#drawPause();
    this.#draw();
  }

  #drawPause() {
    const label = this.#paused ? words.wire.resume : words.wire.pause;
    this.#pauseButton.setAttribute('aria-pressed', this.#paused);
    this.#pauseButton.setAttribute('aria-label', label);
    this.#pauseButton.title = label;
    this.#pauseButton.replaceChildren(icon(this.#paused ? 'play' : 'pause'));
  }

  // The beginning and the end of a connection always show: without them the rest has no frame.
  #shows(row) {
    return this.#filter === 'all' || row.dataset.group === this.#filter || row.dataset.group === 'line';
  }

  #filters() {
    const choose = ({ target }) => {
      this.#filter = target.value;
      for (const row of this.#list.children) row.hidden = !this.#shows(row);
      this.#list.scrollTop = this.#list.scrollHeight;
    };
    return el('fieldset', { class: 'filters' }, el('legend', { class: 'visually-hidden' }, words.wire.filter),
      ...Object.entries(words.wire.filters).map(([value, label]) =>
        el('label', {},
          el('input', { type: 'radio', name: 'wire-filter', value, checked: value === 'all', onchange: choose }), el('span', {}, label))));
  }

  #intro() {
    if (browser.read('wire-intro-read')) return [];
    const intro = el('section', { id: 'wire-intro', class: 'wire-intro' },
      ...words.wire.intro.map(sentence => el('p', {}, sentence)),
      el('button', { class: 'link', type: 'button', onclick: () => this.#introRead(intro) }, words.wire.introDone));
    return [intro];
  }

  #introRead(intro) {
    intro.remove();
    browser.write('wire-intro-read', true);
  }
}

const iconButton = (id, drawing, label, onclick) =>
  el('button', { id, class: 'icon-button', type: 'button', 'aria-label': label, title: label, onclick }, icon(drawing));
