// The chat: what each frame does to the rooms, and what this person's doing sends. It draws nothing.
//
// Emits: 'line' · 'rooms' · 'room' (another one is open) · 'log' room · 'people' room · 'typing' room ·
//        'said' {room, message, mention} (live, by somebody else; mention: it speaks to this person) · 'own' room ·
//        'me' {name, role} · 'signedOut' reason · 'notice' text · 'gone' room (no longer for this person) ·
//        'members' room (one more or less) · 'came' names · 'picture' {name, avatar} · 'standing' (this person may not speak, or
//        may again)

import { Emitter } from './events.js';
import { browser } from './keep.js';
import { BROKE_A_RULE, Line } from './line.js';
import { speaksTo } from './mentions.js';
import { LOBBY, Rooms } from './model.js';
import { newId } from './outbox.js';
import { Pacing } from './pacing.js';
import { sentence, words } from './words.js';

const TYPING_EVERY = 3_500;   // the server takes one in 3 s, and clocks are not one
const TYPING_SHOWN = 5_000;
const A_PAGE = 50;           // messages of history at once
const READ_AFTER = 400;      // a moment in view and the unread count goes…
const READ_EVERY = 1_000;    // …while in a room that is followed live, nobody waits for it

export class Chat extends Emitter {
  me = '';
  role = 'guest';
  /** {until?, reason?} while this person may not speak, else null. */
  muted = null;
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
  #asked = [];   // requests that wait for an answer: {ref, answers(frame), resolve, reject}
  #typedAt = 0;
  #changes = new Set();   // the refs of edits, deletions and reactions that may still be refused
  #pacing;
  #muteTimer = null;
  #readTimer = null;
  #seen = 0;

  /** `renew` is asked when a handshake was refused, see Line. */
  constructor({ url, outbox, renew }) {
    super();
    this.outbox = outbox;
    this.#pacing = new Pacing({ pending: room => outbox.pending(room), send: post => this.#send(post), again: frame => this.line.send(frame) });
    for (const name of [LOBBY, ...browser.read('rooms', [])]) this.rooms.of(name).mine = true;
    this.line = new Line(url, {
      frame: frame => this.#receive(frame),
      state: () => this.#lineChanged(),
      refused: renew,
      signedOut: reason => this.emit('signedOut', reason),
    });
  }

  /** Opens a room, joining it if need be. */
  open(name) {
    const room = this.rooms.of(name);
    if (this.room !== room) {
      this.settle();
      this.room.back();
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
    if (room.name === LOBBY || room.closed) return;
    room.mine = false;
    this.line.send({ type: 'leave', room: room.name });
    room.forget();
    this.#rememberRooms();
    this.emit('rooms');
  }

  /** Makes a room. Resolves when this person is in it; rejects with {code, message}. */
  create(name, title, kind, members = []) {
    return new Promise((resolve, reject) => {
      const frame = { type: 'create', room: name, title, kind, members: members.length > 0 ? members : undefined, ref: newId() };
      this.#pacing.remember(frame);
      if (!this.line.send(frame)) return reject({ code: 'offline', message: words.create.offline });
      this.#creating = { name, ref: frame.ref, resolve, reject };
    });
  }

  /** Finds or makes the room of these people and this person. Resolves with its name; rejects with {code, message}. */
  async direct(people) {
    const ref = newId();
    const { room } = await this.#ask({ type: 'direct', people, ref }, frame => frame.type === 'room' && frame.ref === ref);
    this.rooms.of(room).used = true;
    return room;
  }

  /** Changes what is given of {title, topic, archived}. As all of these: rejects with {code, message}. */
  change(room, what) {
    return this.#ask({ type: 'change', room: room.name, ...what }, frame => frame.type === 'room' && frame.room === room.name);
  }

  invite(room, name) {
    return this.#ask({ type: 'invite', room: room.name, name }, frame => frame.type === 'members' && frame.room === room.name);
  }

  expel(room, name) {
    return this.#ask({ type: 'remove', room: room.name, name }, frame => frame.type === 'members' && frame.room === room.name);
  }

  /** Leaves a private room for good. */
  quit(room) {
    room.quitting = true;
    return this.#ask({ type: 'quit', room: room.name }, frame => frame.gone && frame.room === room.name)
      .finally(() => { room.quitting = false; });
  }

  /** The names of a room's members. */
  async members(room) {
    const ref = newId();
    return (await this.#ask({ type: 'members', room: room.name, ref }, frame => frame.type === 'members' && frame.ref === ref)).people;
  }

  /** Whether this person may change a room, invite and remove. */
  mayRun(room) {
    return room.kind !== 'direct' && this.looksAfter(room);
  }

  /** Whether a room is never read only or slow for this person. */
  looksAfter(room) {
    return room.maker === this.me || this.keepsOrder;
  }

  /** Whether this person may mute, show out and ban. */
  get keepsOrder() {
    return ['moderator', 'owner'].includes(this.role);
  }

  post(body, replyTo, room = this.room) {
    const post = this.outbox.add(room.name, body, replyTo);
    room.back();
    if (room.live && !this.#pacing.holds(room.name)) this.#send(post);
    if (room === this.room) this.emit('own', room);
    this.emit('log', room);
    this.emit('line');
  }

  retry(id) {
    this.outbox.retry(id);
    const post = this.outbox.find(id);
    if (this.rooms.of(post.room).live && !this.#pacing.holds(post.room)) this.#send(post);
    this.emit('log', this.rooms.of(post.room));
    this.emit('line');
  }

  discard(id) {
    const post = this.outbox.find(id);
    this.outbox.remove(id);
    this.emit('log', this.rooms.of(post.room));
  }

  /** Gives a message of the open room other words. True: it is on its way. */
  edit(seq, body, room = this.room) {
    return this.#change({ type: 'edit', seq, body }, room);
  }

  remove(seq) {
    return this.#change({ type: 'delete', seq });
  }

  react(seq, emoji, on) {
    return this.#change({ type: 'react', seq, emoji, on });
  }

  /** Whether this person may edit and delete that message. */
  mayChange(message) {
    return !message.deleted && (message.from === this.me || ['moderator', 'owner'].includes(this.role));
  }

  // Unlike a post, a change is not kept for later: who is without a line is told.
  #change(frame, room = this.room) {
    const ref = newId();
    this.#pacing.remember({ ...frame, room: room.name, ref });
    if (!room.live || !this.line.send({ ...frame, room: room.name, ref })) {
      this.emit('notice', words.log.offline);
      return false;
    }
    this.#changes.add(ref);
    return true;
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
    if (this.room.older) this.#fetch(false, { before: this.room.shown[0]?.seq ?? Number.MAX_SAFE_INTEGER });
  }

  /** The same for newer ones, where a jump led away from the end. */
  newer() {
    if (this.room.past?.newer) this.#fetch(true, { after: this.room.shown.at(-1).seq });
  }

  #fetch(forward, where) {
    const room = this.room;
    if (!room.live || room.fetching) return;
    room.fetching = newId();
    room.forward = forward;
    this.line.send({ type: 'history', room: room.name, ...where, limit: A_PAGE, ref: room.fetching });
  }

  /** Shows the messages around a certain one of the open room. Resolves with false if there is no such message. */
  async jump(seq) {
    const room = this.room;
    const page = where => {
      const ref = newId();
      return this.#ask({ type: 'history', room: room.name, ...where, limit: A_PAGE, ref }, frame => frame.type === 'history' && frame.ref === ref);
    };
    // What changes between the answers must not be lost between them.
    room.meanwhile ??= [];
    try {
      const [before, after] = await Promise.all([page({ before: seq + 1 }), page({ after: seq })]);
      if (before.messages.at(-1)?.seq !== seq) return false;
      if (room === this.room) room.visit(before, after);
      return true;
    } finally {
      room.meanwhile = null;
      this.emit('log', room);
    }
  }

  /** Shows the end of the open room again. */
  back() {
    if (this.room.back()) this.emit('log', this.room);
  }

  /** A page of what is found; `cursor` is that of the page before. As all of these: rejects with {code, message}. */
  search(query, { cursor, limit = 20 } = {}) {
    const ref = newId();
    return this.#ask({ type: 'search', query, cursor, limit, ref }, frame => frame.type === 'found' && frame.ref === ref);
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
    const answered = this.#asked.filter(({ answers }) => answers(frame));
    this.#asked = this.#asked.filter(each => !answered.includes(each));
    for (const { resolve } of answered) resolve(frame);
  }

  #on = {
    welcome: ({ you, epoch, rooms, more, limits }) => {
      // Another person's marks are not this one's.
      if (this.me !== you.name) for (const room of this.rooms.all()) room.readTo = 0;
      this.me = this.rooms.me = you.name;
      this.role = you.role;
      this.#changes.clear();
      this.emit('me', you);
      this.#stand(you);
      Object.assign(this.limits, limits);
      if (this.#epoch !== null && this.#epoch !== epoch) for (const room of this.rooms.all()) room.forget();
      this.#epoch = epoch;
      this.#welcomed = true;
      for (const described of rooms) this.rooms.of(described.room).describe(described);
      // What was closed to this person meanwhile is not there; nor is what another person had here before.
      const listed = new Set(rooms.map(({ room }) => room));
      for (const room of this.rooms.all()) if (room.closed && !more && !listed.has(room.name)) this.#gone(room);
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
      if (confirmed) this.#pacing.settled(message.room);
      // A late one from a room just left would put a wrong number on the next visit.
      const news = room.live || room.joining ? room.take(message) : 'known';
      if (confirmed) this.emit('line');
      if (news === 'known' && !confirmed) return;
      if (news === 'new') room.typing.delete(message.from);
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
      if (room.forward) room.append(frame);
      else room.prepend(frame);
      this.emit('log', room);
    },

    presence: frame => {
      const room = this.rooms.find(frame.room);
      if (!room) return;
      room.presence(frame);
      if (frame.joined?.length) this.emit('came', frame.joined);
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
      if (frame.gone) return this.#removed(frame.room);
      const room = this.rooms.of(frame.room);
      const opened = room === this.room && room.missing;
      room.describe(frame);
      // One that was just made, or that this person was invited to.
      if (room.closed && !room.live) this.#join(room);
      if (opened) this.open(room.name);
      this.emit('rooms');
      this.emit('log', room);
    },

    members: frame => {
      const room = this.rooms.find(frame.room);
      if (room && !frame.people) this.emit('members', room);
    },

    person: frame => this.emit('picture', frame),

    you: frame => this.#stand(frame),

    error: ({ code, message, id, ref, room: name, retry_after: wait }) => {
      const room = this.rooms.find(name);
      // Too soon: it comes again by itself, and nobody need know.
      if (wait !== undefined && id && this.outbox.find(id)) {
        const post = this.outbox.find(id);
        if (room?.slow) room.spokeAt = Math.max(room.spokeAt, Date.now() + wait - room.slow * 1000);
        this.#pacing.postpone(post.room, id, wait);
        return this.emit('standing');
      }
      if (wait !== undefined && this.#pacing.repeat(ref, wait)) return;
      const creating = this.#creating?.name;
      const asked = this.#asked.find(each => each.ref === ref);
      if (asked) {
        this.#asked = this.#asked.filter(each => each !== asked);
        asked.reject({ code, message: sentence(message ?? code) });
      } else if (id && this.outbox.find(id)) {
        this.outbox.fail(id, words.reasons[code] ?? (message ? sentence(message) : words.reasons.unknown));
        this.#pacing.settled(this.outbox.find(id).room);
        this.emit('log', this.rooms.of(this.outbox.find(id).room));
      } else if (this.#changes.delete(ref)) {
        this.emit('notice', sentence(message ?? code));
      } else if (ref && ref === this.#creating?.ref) {
        this.#settleCreate(creating, { code, message: sentence(message ?? code) });
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
    if (live) this.emit('said', { room, message, mention: speaksTo(message.body, this.me, room.known) });
  }

  // ---- frames out ----

  #join(room) {
    if (!this.#welcomed || room.joining) return;
    room.joining = this.line.send(room.join);
  }

  #send({ room, id, body, reply_to }) {
    this.line.send({ type: 'post', room, id, body, reply_to });
  }

  // ---- the rest ----

  // A mute that ends by itself ends here as well.
  #stand({ muted }) {
    clearTimeout(this.#muteTimer);
    const left = muted?.until ? Date.parse(muted.until) - Date.now() : Infinity;
    this.muted = muted && left > 0 ? muted : null;
    if (this.muted && left < 2 ** 31) this.#muteTimer = setTimeout(() => this.#stand({}), left);
    this.emit('standing');
  }

  #lineChanged() {
    if (this.line.state !== 'open') {
      this.#welcomed = false;
      this.#pacing.forget();
      for (const room of this.rooms.all()) room.disconnect();
      const offline = { code: 'offline', message: words.create.offline };
      this.#settleCreate(this.#creating?.name, offline);
      for (const { reject } of this.#asked.splice(0)) reject(offline);
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

  // Sends a frame; an error that names it by its `ref` is a refusal.
  #ask(frame, answers) {
    const ref = frame.ref ?? newId();
    this.#pacing.remember({ ...frame, ref });
    return new Promise((resolve, reject) => {
      if (!this.line.send({ ...frame, ref })) return reject({ code: 'offline', message: words.create.offline });
      this.#asked.push({ ref, answers, resolve, reject });
    });
  }

  #removed(name) {
    const room = this.rooms.find(name);
    if (!room) return;
    if (!room.quitting) this.emit('notice', words.room.removed(room.title));
    this.#gone(room);
  }

  #gone(room) {
    for (const post of this.outbox.pending(room.name)) this.outbox.fail(post.id, words.reasons.no_such_room);
    room.mine = false;
    room.disconnect();   // what was just read there is nobody's business any more
    this.rooms.remove(room.name);
    this.emit('gone', room);
    if (room === this.room) this.open(LOBBY);
    this.emit('rooms');
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
    browser.write('rooms', this.rooms.mine().filter(room => room.name !== LOBBY && !room.closed).map(room => room.name));
  }

  /** The reason when the server closed the line for breaking a rule, else ''. */
  get scolded() {
    const { code, reason } = this.line.ended ?? {};
    return code === BROKE_A_RULE && reason ? sentence(reason) : '';
  }
}
