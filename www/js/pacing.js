// What came too soon comes again by itself, when the server has said. Posts of a room go on one by one and in order: the
// first again, and behind its receipt the next.

const REMEMBERED = 200;   // changes that may still be refused

export class Pacing {
  #pending;
  #send;
  #again;
  #rooms = new Map();    // room → the timer of its first post, or null while that is on its way
  #frames = new Map();   // ref → the change that was sent with it
  #timers = new Set();

  /** `pending(room)` are the posts that wait there, `send(post)` and `again(frame)` send. */
  constructor({ pending, send, again }) {
    this.#pending = pending;
    this.#send = send;
    this.#again = again;
  }

  /** Whether a new post has to wait behind others. */
  holds(room) {
    return this.#rooms.has(room);
  }

  /** A post was too soon, and may come again in `wait` ms. Those behind it are refused as well, and wait with it. */
  postpone(room, id, wait) {
    if (this.#rooms.get(room)) return;
    if (this.#rooms.has(room) && this.#pending(room)[0]?.id !== id) return;
    this.#rooms.set(room, setTimeout(() => this.#next(room), wait));
  }

  /** A post was stored, or refused for good: the next may go. */
  settled(room) {
    if (this.#rooms.get(room) === null) this.#next(room);
  }

  #next(room) {
    const [first] = this.#pending(room);
    if (!first) return this.#rooms.delete(room);
    this.#rooms.set(room, null);
    this.#send(first);
  }

  /** Keeps a change, in case that it is too soon. */
  remember(frame) {
    this.#frames.set(frame.ref, frame);
    if (this.#frames.size > REMEMBERED) this.#frames.delete(this.#frames.keys().next().value);
  }

  /** A change was too soon. False: nothing is known of it. */
  repeat(ref, wait) {
    const frame = this.#frames.get(ref);
    if (!frame) return false;
    const timer = setTimeout(() => { this.#timers.delete(timer); this.#again(frame); }, wait);
    this.#timers.add(timer);
    return true;
  }

  /** The line broke: posts begin anew on the next, and changes are over. */
  forget() {
    for (const timer of [...this.#rooms.values(), ...this.#timers]) clearTimeout(timer);
    this.#rooms.clear();
    this.#timers.clear();
    this.#frames.clear();
  }
}
