// Rooms and their messages, as this page knows them. Pure: no DOM, no network, no clock.

import { folded, speaksTo } from './mentions.js';
import { Past } from './past.js';

export const LOBBY = 'lobby';

const KEPT = 400;        // messages kept when a long log is cut…
const TOO_MANY = 800;    // …which happens at this many

export class Room {
  title;
  kind = 'public';
  topic = '';
  /** It can be read, and not posted to. */
  archived = false;
  /** Seconds between two posts of one person; 0: none. */
  slow = 0;
  /** Only those who look after it may post. */
  readOnly = false;
  /** When this person last said something here, in ms. */
  spokeAt = 0;
  /** Who made it and may change it. */
  maker = '';
  /** Something was said here, or this person began to: else a direct room is not worth a line in the list. */
  used = false;
  /** One of this person's rooms: joined on every connection. */
  mine = false;
  /** A join is under way on this connection. */
  joining = false;
  /** Joined on this connection, the replay done. */
  live = false;
  /** The server says it does not exist. */
  missing = false;

  /** The last number seen: what `since` is for. 0 before the first join. */
  rev = 0;
  /** Ascending by seq, without holes from the first loaded one on. */
  messages = [];
  /** There are older messages than the first loaded one. */
  more = false;
  /** The `ref` of the history request under way; and whether that is for newer ones. */
  fetching = null;
  forward = false;
  /** What is shown instead of the end, where somebody jumped to a message from long ago. */
  past = null;
  /** What comes while a jump is under way; else null. */
  meanwhile = null;

  /** Names, or null in a room too big to name everyone. */
  members = null;
  count = 0;
  /** Who is typing: name → when that is to be forgotten, in ms. */
  typing = new Map();

  unread = 0;
  /** How many of the unread messages speak to this person. */
  mentions = 0;
  /** This person's name. */
  me = '';
  /** The seq of the first unread message, where known. */
  firstUnread = null;
  /** The seq above which the unread line stands while the room is open. */
  divider = null;
  /** The head when the server counted `unread`; what is newer is counted here. Infinity: nothing, until joined. */
  countedTo = Infinity;
  /** What this person is known to have read up to, and what of it the server was told on this connection. */
  readTo = 0;
  toldTo = 0;

  #joinedBefore = false;

  constructor(name) {
    this.name = name;
    this.title = name;
  }

  /** Not open to everybody: whoever sees it is in it. */
  get closed() {
    return this.kind !== 'public';
  }

  /** How to join: with the number, or, the first time, for the last few messages. */
  get join() {
    const how = this.#joinedBefore ? { since: this.rev } : { last: 50 };
    return { type: 'join', room: this.name, ...how };
  }

  /** Takes what `welcome.rooms` and `room` tell. */
  describe({ title, kind, topic = '', archived = false, slow = 0, read_only: readOnly = false, maker = '', head, unread, mentions = 0 }) {
    this.title = title || this.name;
    // What was said before it became slow does not count.
    if (slow && !this.slow && this.live) this.spokeAt = 0;
    Object.assign(this, { kind: kind ?? this.kind, topic, archived, slow, readOnly, maker });
    this.used ||= head > 0;
    if (this.closed) this.mine = true;
    this.missing = false;
    if (unread === undefined) return;
    this.unread = unread;
    this.mentions = mentions;
    this.countedTo = head;
    if (unread === 0) this.firstUnread = null;
  }

  /**
   * Takes a message as it now stands. 'known': seen before, nothing changed. 'changed': an older message in its
   * place. 'new': a message never seen. A number not above `rev` is a repeat, except in the first replay.
   */
  take(message) {
    this.meanwhile?.push(message);
    const shown = this.past?.take(message) ?? false;
    const news = this.#take(message);
    return news === 'known' && shown ? 'changed' : news;
  }

  #take(message) {
    if (this.#joinedBefore && message.rev <= this.rev) return 'known';
    this.rev = Math.max(this.rev, message.rev);
    this.used = true;
    if (message.from === this.me) this.spokeAt = Math.max(this.spokeAt, Date.parse(message.at));
    const at = this.#place(message.seq);
    if (this.messages[at]?.seq === message.seq) {
      if (this.messages[at].rev >= message.rev) return 'known';
      this.messages[at] = message;
      return 'changed';
    }
    // An old message changed that is not loaded: inserting it would leave a hole. A first replay has no such order.
    if (at === 0 && this.messages.length > 0 && this.#joinedBefore) return 'known';
    this.messages.splice(at, 0, message);
    return message.seq === message.rev ? 'new' : 'changed';
  }

  /** What stands in the log: the messages up to the end, or those around the one that was jumped to. */
  get shown() {
    return this.past?.messages ?? this.messages;
  }

  /** There are older messages than the first shown one. */
  get older() {
    return this.past?.older ?? this.more;
  }

  /** The message with that number, if it is shown. */
  find(seq) {
    if (this.past) return this.past.find(seq);
    return this.loaded(seq);
  }

  /** The same, if it is among those that reach to the end. */
  loaded(seq) {
    const at = this.#place(seq);
    return this.messages[at]?.seq === seq ? this.messages[at] : undefined;
  }

  /** The last message of this person that can still be edited. */
  get lastOwn() {
    return this.messages.findLast(message => message.from === this.me && !message.deleted);
  }

  /** Who can be spoken to here: who is here, and who has written. */
  get people() {
    const names = new Set(this.members ?? []);
    for (const { from } of this.messages) names.add(from);
    return names;
  }

  /** The same as names are compared, and this person among them. */
  get known() {
    return new Set([...this.people, this.me].filter(Boolean).map(folded));
  }

  /** The replay is done. True the first time on this connection; later ones only refresh the members. */
  enter({ head, count, members }) {
    const first = !this.live;
    this.live = true;
    this.joining = false;
    this.missing = false;
    this.count = count;
    this.members = members ? new Set(members) : null;
    if (!first) return false;
    this.rev = Math.max(this.rev, head);
    this.countedTo = Math.min(this.countedTo, head);
    if (this.#joinedBefore) this.readUpTo(this.readTo);
    else this.more = this.messages[0]?.seq > 1;
    this.#joinedBefore = true;
    this.#findFirstUnread();
    return true;
  }

  /** Shows the messages around one that is not loaded: two pages of history that meet. */
  visit(before, after) {
    this.past = new Past([...before.messages, ...after.messages], before.more, after.more);
    for (const message of this.meanwhile ?? []) this.past.take(message);
    this.fetching = null;
    this.#meet();
  }

  /** Shows the end again. */
  back() {
    if (!this.past) return false;
    this.past = null;
    this.fetching = null;
    return true;
  }

  /** Adds newer messages behind those that were jumped to. */
  append(page) {
    this.past.append(page);
    this.fetching = null;
    this.#meet();
  }

  // What was jumped to has come up to what is loaded: from here on they are one again.
  #meet() {
    const { messages, older, newer } = this.past;
    const first = this.messages[0]?.seq ?? Infinity;
    if (newer && messages.at(-1).seq < first) return;
    this.messages.unshift(...messages.filter(message => message.seq < first));
    this.more = older;
    this.past = null;
  }

  /** Adds older messages in front. */
  prepend({ messages, more }) {
    if (this.past) {
      this.past.prepend({ messages, more });
      this.fetching = null;
      return;
    }
    const oldest = this.messages[0]?.seq ?? Infinity;
    const older = messages.filter(message => message.seq < oldest);
    const reached = this.divider === oldest && this.unread > this.messages.length;
    this.messages.unshift(...older);
    this.more = more && older.length > 0;
    this.fetching = null;
    if (reached) {
      this.firstUnread = null;
      this.#findFirstUnread();
      this.divider = this.firstUnread;
    }
  }

  /** Who came, who went. */
  presence({ count, joined = [], left = [] }) {
    this.count = count;
    if (!this.members) return;
    for (const name of left) this.members.delete(name), this.typing.delete(name);
    for (const name of joined) this.members.add(name);
    if (this.members.size > 100) this.members = null;
  }

  countUnread(message) {
    if (message.rev <= this.countedTo) return;
    // With older unread ones not yet placed, this is not the first: see #findFirstUnread.
    if (this.unread === 0) this.firstUnread = message.seq;
    this.unread += 1;
    if (speaksTo(message.body, this.me, this.known)) this.mentions += 1;
  }

  /** Read up to `rev`, here or on another device of this person. */
  readUpTo(rev) {
    this.readTo = Math.max(this.readTo, rev);
    if (this.readTo === 0) return;
    const left = this.messages.filter(message => message.seq > this.readTo);
    this.unread = Math.min(this.unread, left.length);
    const known = this.known;
    this.mentions = this.unread === 0 ? 0
      : Math.min(this.mentions, left.filter(({ body, from }) => from !== this.me && speaksTo(body, this.me, known)).length);
    this.firstUnread = this.unread > 0 ? left[0].seq : null;
  }

  /** Becomes one of this person's rooms. On a first visit nothing in it is new. */
  adopt() {
    this.mine = true;
    Object.assign(this, { unread: 0, mentions: 0, firstUnread: null, countedTo: Infinity });
  }

  /** The line broke: what was true only there is forgotten, the messages are kept. */
  disconnect() {
    this.live = false;
    this.joining = false;
    this.fetching = null;
    this.meanwhile = null;
    this.toldTo = 0;
    this.typing.clear();
    // Half of a first replay is no base for the next: there may be a hole between the two.
    if (!this.#joinedBefore) Object.assign(this, { rev: 0, messages: [] });
  }

  /** Another epoch: no number means anything any more. */
  forget() {
    this.#joinedBefore = false;
    this.past = null;
    this.disconnect();
    Object.assign(this, { more: false, members: null, count: 0, unread: 0, mentions: 0, firstUnread: null, divider: null,
      countedTo: Infinity, readTo: 0 });
  }

  /** Keeps a log that grows for days from filling the memory; the older messages can be fetched again. */
  trim() {
    if (this.messages.length < TOO_MANY) return;
    this.messages.splice(0, this.messages.length - KEPT);
    this.more = true;
  }

  // The server gives the number of unread messages; the first of them is so many from the end.
  #findFirstUnread() {
    if (this.unread === 0 || this.messages.length === 0) return;
    this.firstUnread ??= this.messages[Math.max(0, this.messages.length - this.unread)].seq;
  }

  // The index at which `seq` is, or belongs. Nearly always the end, so look there first.
  #place(seq) {
    let at = this.messages.length;
    while (at > 0 && this.messages[at - 1].seq >= seq) at -= 1;
    return at;
  }
}

export class Rooms {
  #byName = new Map();
  #me = '';

  find(name) {
    return this.#byName.get(name);
  }

  /** The room of that name, made here if it was not known. */
  of(name) {
    if (!this.#byName.has(name)) this.#byName.set(name, Object.assign(new Room(name), { me: this.#me }));
    return this.#byName.get(name);
  }

  all() {
    return [...this.#byName.values()];
  }

  remove(name) {
    this.#byName.delete(name);
  }

  /** This person's rooms, the lobby first. */
  mine() {
    return this.all().filter(room => room.mine).sort(lobbyFirst);
  }

  /** Talks between this person and others. */
  direct() {
    return this.mine().filter(room => room.kind === 'direct');
  }

  others() {
    return this.all().filter(room => !room.mine && !room.missing).sort(lobbyFirst);
  }

  /** Who sits here: whose messages are own, and who is spoken to. */
  set me(name) {
    this.#me = name;
    for (const room of this.all()) room.me = name;
  }

  get unread() {
    return this.mine().reduce((sum, room) => sum + room.unread, 0);
  }
}

const lobbyFirst = (a, b) => (b.name === LOBBY) - (a.name === LOBBY) || a.title.localeCompare(b.title);
