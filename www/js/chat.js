// The chat: what each frame does to the rooms, and what this person's doing sends. It draws nothing.
//
// Emits: 'line' · 'rooms' · 'room' (another one is open) · 'log' room · 'people' room · 'typing' room ·
//        'said' {room, message} (live, by somebody else) · 'own' room · 'signedOut' · 'notice' text

import { Emitter } from './events.js';
import { browser } from './keep.js';
import { BROKE_A_RULE, Line } from './line.js';
import { LOBBY, Rooms } from './model.js';
import { newId } from './outbox.js';
import { sentence, words } from './words.js';

const TYPING_EVERY = 3_000;
const TYPING_SHOWN = 5_000;
const READ_AFTER = 400;      // a moment in view and the unread count goes…
const READ_EVERY = 1_000;    // …while in a room that is followed live, nobody waits for it

export class Chat extends Emitter {
  me = '';
  limits = { body: 8192, room_name: 32, name: 32 };
  rooms = new Rooms();
  /** The room that is open. */
  room = this.rooms.of(LOBBY);
  line;
  outbox;
  /** True while the person sees the end of the open room; set by the page. */
  attending = () => false;

  #epoch = null;
  #welcomed = false;
  #creating = null;
  #typedAt = 0;
  #readTimer = null;
  #seen = 0;

  /** `renew` is asked when a handshake was refused, see Line. */
  constructor({ url, outbox, renew }) {
    super();
    this.outbox = outbox;
    for (const name of [LOBBY, ...browser.read('rooms', [])]) this.rooms.of(name).mine = true;
    this.line = new Line(url, {
      frame: frame => this.#receive(frame),
      state: () => this.#lineChanged(),
      refused: renew,
      signedOut: () => this.emit('signedOut'),
    });
  }

  /** Opens a room, joining it if need be. */
  open(name) {
    const room = this.rooms.of(name);
    if (this.room !== room) {
      this.settle();
      this.room.divider = null;
      room.divider = room.firstUnread;
    }
    this.room = room;
    if (!room.mine) this.#adopt(room);
    if (!room.live) this.#join(room);
    this.emit('rooms');
    this.emit('room');
    this.look();
  }

  leave(room) {
    if (room.name === LOBBY) return;
    room.mine = false;
    this.line.send({ type: 'leave', room: room.name });
    room.forget();
    this.#rememberRooms();
    this.emit('rooms');
  }

  /** Makes a room. Resolves when this person is in it; rejects with {code, message}. */
  create(name, title) {
    return new Promise((resolve, reject) => {
      if (!this.line.send({ type: 'create', room: name, title })) return reject({ code: 'offline', message: words.create.offline });
      this.#creating = { name, resolve, reject };
    });
  }

  post(body) {
    const post = this.outbox.add(this.room.name, body);
    if (this.room.live) this.#send(post);
    this.emit('own', this.room);
    this.emit('log', this.room);
    this.emit('line');
  }

  retry(id) {
    this.outbox.retry(id);
    const post = this.outbox.find(id);
    if (this.rooms.of(post.room).live) this.#send(post);
    this.emit('log', this.rooms.of(post.room));
    this.emit('line');
  }

  discard(id) {
    const post = this.outbox.find(id);
    this.outbox.remove(id);
    this.emit('log', this.rooms.of(post.room));
  }

  /** Something is being written in the open room. */
  typing() {
    const now = Date.now();
    if (!this.room.live || now - this.#typedAt < TYPING_EVERY) return;
    this.#typedAt = now;
    this.line.send({ type: 'typing', room: this.room.name });
  }

  /** Asks for older messages of the open room, unless that is under way. */
  older() {
    const room = this.room;
    if (!room.live || !room.more || room.fetching) return;
    room.fetching = newId();
    this.line.send({ type: 'history', room: room.name, before: room.messages[0].seq, limit: 50, ref: room.fetching });
  }

  /** The person may just have seen the end of the open room. If so the server is told, but not at every message. */
  look() {
    if (!this.attending()) return;
    this.#seen = this.room.rev;
    this.#readTimer ??= setTimeout(() => this.settle(), this.room.unread > 0 ? READ_AFTER : READ_EVERY);
  }

  /** Tells the server now what was seen: the person turns to another room, or away. */
  settle() {
    if (!this.#readTimer) return;
    clearTimeout(this.#readTimer);
    this.#readTimer = null;
    this.#read(this.room, this.#seen);
  }

  #read(room, rev) {
    room.readUpTo(rev);
    if (room.live && room.toldTo < rev) {
      room.toldTo = rev;
      this.line.send({ type: 'read', room: room.name, rev });
    }
    this.emit('rooms');
  }

  // ---- frames in ----

  #receive(frame) {
    this.#on[frame.type]?.(frame);
  }

  #on = {
    welcome: ({ you, epoch, rooms, limits }) => {
      // Another person's marks are not this one's.
      if (this.me !== you.name) for (const room of this.rooms.all()) room.readTo = 0;
      this.me = you.name;
      Object.assign(this.limits, limits);
      if (this.#epoch !== null && this.#epoch !== epoch) for (const room of this.rooms.all()) room.forget();
      this.#epoch = epoch;
      this.#welcomed = true;
      for (const described of rooms) this.rooms.of(described.room).describe(described);
      for (const room of [this.room, ...this.rooms.mine()]) this.#join(room);
      this.emit('line');
      this.emit('rooms');
      this.emit('log', this.room);
    },

    message: message => {
      const room = this.rooms.find(message.room);
      if (!room) return;
      const own = message.from === this.me;
      const confirmed = own && this.outbox.remove(message.id);
      // A late one from a room just left would put a wrong number on the next visit.
      const news = room.live || room.joining ? room.take(message) : 'known';
      if (confirmed) this.emit('line');
      if (news === 'known' && !confirmed) return;
      room.typing.delete(message.from);
      if (news === 'new' && !own) this.#heard(room, message);
      if (news === 'new' && room === this.room) this.look();
      this.emit('log', room);
      this.emit('typing', room);
    },

    joined: frame => {
      const room = this.rooms.of(frame.room);
      if (!room.mine) this.#adopt(room);
      const first = room.enter(frame);
      if (first) {
        // Opened before its messages came: only now is it known where the unread ones begin.
        if (room === this.room) room.divider ??= room.firstUnread;
        for (const post of this.outbox.pending(room.name)) this.#send(post);
        this.#settleCreate(room.name, null);
        if (room === this.room) this.look();
      }
      this.emit('rooms');
      this.emit('people', room);
      this.emit('log', room);
    },

    history: frame => {
      const room = this.rooms.find(frame.room);
      if (room?.fetching !== frame.ref) return;
      room.prepend(frame);
      this.emit('log', room);
    },

    presence: frame => {
      const room = this.rooms.find(frame.room);
      if (!room) return;
      room.presence(frame);
      this.emit('people', room);
      this.emit('typing', room);
    },

    typing: ({ room: name, from }) => {
      const room = this.rooms.find(name);
      if (!room || from === this.me) return;
      room.typing.set(from, Date.now() + TYPING_SHOWN);
      setTimeout(() => {
        if (room.typing.get(from) > Date.now()) return;
        room.typing.delete(from);
        this.emit('typing', room);
      }, TYPING_SHOWN + 50);
      this.emit('typing', room);
    },

    read: ({ room: name, rev }) => {
      this.rooms.find(name)?.readUpTo(rev);
      this.emit('rooms');
    },

    room: frame => {
      const room = this.rooms.of(frame.room);
      const opened = room === this.room && room.missing;
      room.describe(frame);
      if (opened) this.open(room.name);
      this.emit('rooms');
    },

    error: ({ code, message, id, ref, room: name }) => {
      const room = this.rooms.find(name);
      const creating = this.#creating?.name;
      if (id && this.outbox.find(id)) {
        this.outbox.fail(id, words.reasons[code] ?? (message ? sentence(message) : words.reasons.unknown));
        this.emit('log', this.rooms.of(this.outbox.find(id).room));
      } else if (ref) {
        // The next scroll asks again; at once would be a loop.
        for (const each of this.rooms.all()) if (each.fetching === ref) setTimeout(() => { each.fetching = null; }, TYPING_SHOWN);
      } else if (creating && (name ?? creating) === creating) {
        this.#settleCreate(creating, { code, message: sentence(message ?? code) });
      } else if (room && (code === 'no_such_room' || room.joining)) {
        this.#noSuchRoom(room);
        if (code !== 'no_such_room') this.emit('notice', sentence(message ?? code));
      } else {
        this.emit('notice', sentence(message ?? code));
      }
    },
  };

  #heard(room, message) {
    const live = room.live;
    if (room !== this.room || !this.attending()) {
      room.countUnread(message);
      // Another room gets its line when it is opened; this one keeps the line that it has.
      if (room === this.room) room.divider ??= room.firstUnread;
      this.emit('rooms');
    }
    if (live) this.emit('said', { room, message });
  }

  // ---- frames out ----

  #join(room) {
    if (!this.#welcomed || room.joining) return;
    room.joining = this.line.send(room.join);
  }

  #send({ room, id, body }) {
    this.line.send({ type: 'post', room, id, body });
  }

  // ---- the rest ----

  #lineChanged() {
    if (this.line.state !== 'open') {
      this.#welcomed = false;
      for (const room of this.rooms.all()) room.disconnect();
      this.#settleCreate(this.#creating?.name, { code: 'offline', message: words.create.offline });
      this.emit('typing', this.room);
      this.emit('log', this.room);
    }
    this.emit('line');
  }

  #settleCreate(name, problem) {
    if (!this.#creating || this.#creating.name !== name) return;
    const { resolve, reject } = this.#creating;
    this.#creating = null;
    if (problem) reject(problem);
    else resolve();
  }

  #noSuchRoom(room) {
    room.missing = true;
    room.joining = false;
    room.mine = false;
    for (const post of this.outbox.pending(room.name)) this.outbox.fail(post.id, words.reasons.no_such_room);
    this.#rememberRooms();
    this.emit('rooms');
    this.emit('log', room);
  }

  #adopt(room) {
    room.adopt();
    this.#rememberRooms();
  }

  #rememberRooms() {
    browser.write('rooms', this.rooms.mine().map(room => room.name).filter(name => name !== LOBBY));
  }

  /** The reason when the server closed the line for breaking a rule, else ''. */
  get scolded() {
    const { code, reason } = this.line.ended ?? {};
    return code === BROKE_A_RULE && reason ? sentence(reason) : '';
  }
}
