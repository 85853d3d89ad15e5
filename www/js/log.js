// The message log: draws the rows of the open room and looks after the scroll position, which is the harder half.

import { byId, clear, el, keyed, soon, text } from './dom.js';
import { dayName } from './clock.js';
import { makeMessage, updateMessage } from './message.js';
import { rows } from './rows.js';
import { walk } from './walk.js';
import { words } from './words.js';

const NEAR_END = 48;      // px from the end that still count as the end
const NEAR_START = 600;   // px from the start at which older messages are fetched
const A_PAGE = 200;       // messages fetched at once on the way to a certain one

export class Log {
  #chat;
  #actions;
  #view = byId('log');
  #rows = byId('log-rows');
  #jump = byId('jump');
  #stuck = true;          // the view follows the end
  #placed = false;        // the room just opened has been scrolled to where reading begins
  #wanted = null;         // the number of the message that is to be shown, once it is loaded

  /**
   * `actions`: what the buttons of a message do, {react}, and of a failed one, {retry, edit, discard}; and `create` for a
   * missing room.
   */
  constructor(chat, actions) {
    this.#chat = chat;
    this.#actions = { ...actions, show: seq => this.show(seq) };
    const draw = soon(() => this.#draw());
    chat.on('room', () => this.#reset());
    chat.on('log', room => { if (room === chat.room) draw(); });
    chat.on('rooms', () => this.#drawJump());
    chat.on('own', () => this.#toEnd());
    this.#view.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#jump.addEventListener('click', () => { this.#toEnd(); this.#scrolled(); });
    // The composer grows, the phone's keyboard opens, the banner comes: the end stays in view.
    const resized = new ResizeObserver(() => { if (this.#stuck) this.#toEnd(); });
    resized.observe(this.#view);
    resized.observe(this.#rows);
    this.#drawAtMidnight();
    walk(this.#view);
  }

  /** Shows a certain message of the open room, fetching what is between if need be. */
  show(seq) {
    this.#wanted = seq;
    this.#seek();
  }

  /** The end of the log is in view. */
  get atEnd() {
    return this.#stuck && this.#placed;
  }

  /** The element of the message with that key, if it is drawn. */
  find(key) {
    return this.#rows.querySelector(`[data-key="${CSS.escape(key)}"]`);
  }

  get element() {
    return this.#view;
  }

  #reset() {
    clear(this.#rows);
    this.#stuck = true;
    this.#placed = false;
    this.#wanted = null;
    this.#draw();
  }

  #draw() {
    const { room, outbox, me } = this.#chat;
    if (this.#stuck && this.#wanted === null && !document.hidden) room.trim();
    const posts = outbox.of(room.name);
    const list = rows(room, posts, me);
    const anchor = this.#stuck ? null : this.#anchor();
    if (this.#rows.firstChild?.classList.contains('empty')) clear(this.#rows);
    if (room.messages.length + posts.length === 0) this.#drawEmpty(room);
    else keyed(this.#rows, list, { key: row => row.key, sign, make, update: (node, row) => update(node, row, this.#actions, room) });
    if (!this.#placed && (room.live || posts.length > 0 || room.messages.length > 0)) this.#place(room);
    else if (this.#stuck) this.#toEnd();
    else this.#restore(anchor);
    this.#drawJump();
    this.#seek();
    if (this.#view.scrollTop < NEAR_START) this.#chat.older();
  }

  // On the way to a message that is wanted.
  #seek() {
    const { room } = this.#chat;
    if (this.#wanted === null || !room.live) return;
    const node = this.#rows.querySelector(`[data-seq="${this.#wanted}"]`);
    if (node) return this.#arrive(node);
    const first = room.messages[0]?.seq ?? 0;
    if (room.more && first > this.#wanted) return this.#chat.older(A_PAGE);
    // Just loaded, and drawn in a moment; or there is no such message.
    if (room.find(this.#wanted)) return;
    this.#wanted = null;
    this.#chat.emit('notice', words.log.noSuchMessage);
  }

  #arrive(node) {
    this.#wanted = null;
    this.#placed = true;
    const { top, height } = node.getBoundingClientRect();
    this.#view.scrollTop += top - this.#view.getBoundingClientRect().top - Math.max(0, (this.#view.clientHeight - height) / 2);
    this.#measure();
    this.#drawJump();
    node.focus({ preventScroll: true });
    node.classList.remove('found');
    // Begins anew where it was just found before.
    void node.offsetWidth;
    node.classList.add('found');
  }

  // Instead of the rows, a few kind words.
  #drawEmpty(room) {
    const state = room.missing ? 'missing' : room.live ? 'empty' : 'opening';
    clear(this.#rows);
    this.#rows.append(el('div', { class: 'empty', data: { state } }, ...this.#emptyWords(room, state)));
  }

  #emptyWords(room, state) {
    if (state === 'opening') return [el('p', {}, words.log.opening)];
    if (state === 'empty') return [el('h2', {}, words.log.emptyTitle), el('p', {}, room.archived ? words.log.emptyArchived : words.log.emptyText)];
    return [el('h2', {}, words.log.missingTitle(room.name)), el('p', {}, words.log.missingText),
      el('button', { class: 'primary', type: 'button', onclick: () => this.#actions.create(room.name) }, words.log.missingCreate)];
  }

  // Reading begins at the unread line, where there is one; else at the end.
  #place(room) {
    this.#placed = room.live;
    this.#toEnd();
    const divider = this.#rows.querySelector('.divider');
    if (divider && divider.offsetTop < this.#view.scrollTop) {
      this.#view.scrollTop = divider.offsetTop - this.#view.clientHeight / 4;
      this.#measure();
    }
    // Where all of it is in view nothing scrolls, and no event would tell that the end is seen.
    if (this.atEnd) this.#chat.look();
  }

  // A row in view, and where it stands on the screen; what is added above must not move it.
  #anchor() {
    const top = this.#view.getBoundingClientRect().top;
    for (const node of this.#rows.querySelectorAll('.message')) {
      const box = node.getBoundingClientRect();
      if (box.bottom > top) return { node, at: box.top };
    }
    return null;
  }

  #restore(anchor) {
    if (anchor?.node.isConnected) this.#view.scrollTop += anchor.node.getBoundingClientRect().top - anchor.at;
  }

  #toEnd() {
    this.#stuck = true;
    this.#view.scrollTop = this.#view.scrollHeight;
  }

  #scrolled() {
    this.#measure();
    this.#drawJump();
    if (this.#stuck) this.#chat.look();
    if (this.#view.scrollTop < NEAR_START) this.#chat.older();
  }

  #measure() {
    const { scrollHeight, scrollTop, clientHeight } = this.#view;
    this.#stuck = scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  #drawJump() {
    const { unread } = this.#chat.room;
    this.#jump.hidden = this.#stuck;
    this.#jump.dataset.count = unread;
    text(byId('jump-count'), unread > 0 ? words.log.jumpNew(unread) : words.log.jump);
  }

  // 'Today' becomes 'Yesterday'.
  #drawAtMidnight() {
    const now = new Date();
    const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 0, 0, 1);
    setTimeout(() => { this.#draw(); this.#drawAtMidnight(); }, midnight - now);
  }
}

// What of a row shows; equal signs need no drawing.
function sign(row) {
  if (row.kind === 'message') return [row.state, row.reason, row.first, row.message.rev, row.own, row.quoted?.rev].join();
  if (row.kind === 'day') return dayName(row.at);
  return row.state ?? '';
}

function make(row) {
  if (row.kind === 'message') return makeMessage(row);
  if (row.kind === 'divider') return el('div', { class: 'divider', role: 'separator' }, el('span', {}, words.log.divider));
  if (row.kind === 'day') return el('div', { class: 'day', role: 'separator' }, el('span'));
  return el('div', { class: 'top' });
}

const beginning = ({ kind, title }) => (kind === 'direct' ? words.log.beginningWith : words.log.beginning)(title);

function update(node, row, actions, room) {
  if (row.kind === 'message') updateMessage(node, row, actions, room);
  if (row.kind === 'day') text(node.firstChild, dayName(row.at));
  if (row.kind === 'top') text(node, row.state === 'older' ? words.log.older : beginning(room));
}
