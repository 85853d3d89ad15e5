// The message log: draws the rows of the open room and looks after the scroll position, which is the harder half.

import { byId, clear, el, keyed, soon, text } from './dom.js';
import { dayName } from './clock.js';
import { makeMessage, updateMessage } from './message.js';
import { rows } from './rows.js';
import { walk } from './walk.js';
import { words } from './words.js';

const NEAR_END = 48;      // px from the end that still count as the end
const NEAR_EDGE = 600;    // px from the start at which older messages are fetched; the same at the end of what was jumped to

export class Log {
  #chat;
  #actions;
  #view = byId('log');
  #rows = byId('log-rows');
  #jump = byId('jump');
  #stuck = true;          // the view follows the end
  #placed = false;        // the room just opened has been scrolled to where reading begins
  #wanted = null;         // the number of the message that is to be shown, once it is loaded
  #jumping = null;        // the same, while it is on its way

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
    this.#jump.addEventListener('click', () => this.#back());
    // The composer grows, the phone's keyboard opens, the banner comes: the end stays in view.
    const resized = new ResizeObserver(() => { if (this.#stuck) this.#toEnd(); });
    resized.observe(this.#view);
    resized.observe(this.#rows);
    this.#drawAtMidnight();
    walk(this.#view);
  }

  /** Shows a certain message of the open room, fetching what stands around it if need be. */
  show(seq) {
    this.#wanted = seq;
    this.#seek();
  }

  /** The end of the log is in view. */
  get atEnd() {
    return this.#stuck && this.#placed && !this.#chat.room.past;
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
    this.#jumping = null;
    this.#draw();
  }

  #draw() {
    const { room, outbox, me } = this.#chat;
    if ((this.#stuck || room.past) && this.#wanted === null && !document.hidden) room.trim();
    // What is being sent stands at the end, wherever that is.
    const posts = room.past ? [] : outbox.of(room.name);
    const list = rows(room, posts, me);
    const anchor = this.#stuck ? null : this.#anchor();
    if (this.#rows.firstChild?.classList.contains('empty')) clear(this.#rows);
    if (room.messages.length + posts.length === 0) this.#drawEmpty(room);
    else keyed(this.#rows, list, { key: row => row.key, sign, make, update: (node, row) => update(node, row, this.#actions, room) });
    if (!this.#placed && (room.live || posts.length > 0 || room.messages.length > 0)) this.#place(room);
    else if (this.#stuck && !room.past) this.#toEnd();
    else this.#restore(anchor);
    this.#drawJump();
    this.#seek();
    this.#fetch();
  }

  // On the way to a message that is wanted.
  #seek() {
    const { room } = this.#chat;
    if (this.#wanted === null || !room.live) return;
    const node = this.#rows.querySelector(`[data-seq="${this.#wanted}"]`);
    if (node) return this.#arrive(node);
    // Just loaded, and drawn in a moment.
    if (room.find(this.#wanted)) return;
    if (room.loaded(this.#wanted)) return this.#chat.back();
    if (this.#jumping !== this.#wanted) this.#leap();
  }

  async #leap() {
    const seq = this.#jumping = this.#wanted;
    let problem = '';
    try {
      if (!(await this.#chat.jump(seq))) problem = words.log.noSuchMessage;
    } catch ({ code, message }) {
      // Without a line it is tried again when there is one.
      if (code !== 'offline') problem = message;
    }
    if (this.#jumping === seq) this.#jumping = null;
    if (!problem || this.#wanted !== seq) return;
    this.#wanted = null;
    this.#chat.emit('notice', problem);
  }

  #back() {
    this.#wanted = null;
    this.#chat.room.back();
    this.#stuck = true;
    this.#draw();
    this.#toEnd();
    this.#scrolled();
  }

  // What comes next, before the edge is reached.
  #fetch() {
    const { scrollHeight, scrollTop, clientHeight } = this.#view;
    if (scrollTop < NEAR_EDGE) this.#chat.older();
    if (scrollHeight - scrollTop - clientHeight < NEAR_EDGE) this.#chat.newer();
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
    if (this.atEnd) this.#chat.look();
    this.#fetch();
  }

  #measure() {
    const { scrollHeight, scrollTop, clientHeight } = this.#view;
    this.#stuck = !this.#chat.room.past && scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  #drawJump() {
    const { unread, past } = this.#chat.room;
    this.#jump.hidden = this.#stuck && !past;
    this.#jump.dataset.count = unread;
    text(byId('jump-count'), unread > 0 ? words.log.jumpNew(unread) : past ? words.log.back : words.log.jump);
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
