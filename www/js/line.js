// The line: one WebSocket that comes back by itself. It knows frames as JSON objects and nothing of rooms.
//
//   stopped ──start()──► connecting ──► open ──► waiting ──► connecting …
//                             └──────────────────►┘   (until stop(), or code 4001)

const PROTOCOL = 'parlor.v1';

const FIRST_WAIT = 1_000;      // doubles with each failure…
const LONGEST_WAIT = 30_000;   // …up to this; the jitter keeps a crowd from returning in step
const STEADY_AFTER = 5_000;    // open this long: the failures before are forgiven
const SILENCE = 20_000;        // nothing heard for so long: ask with a ping
const PATIENCE = 8_000;        // no answer to it for so long: the line is dead, whatever TCP believes

const AWAY = 1001;
const ELSEWHERE = 'come back at once';   // the reason where other servers go on behind the same address
const TOO_SLOW = 4000;
const SIGNED_OUT = 4001;
const CHANGED = 4002;
export const BROKE_A_RULE = 1008;
const NO_CLOSE_FRAME = 1006;

export class Line {
  /** 'stopped', 'connecting', 'open' or 'waiting'. */
  state = 'stopped';
  /** While waiting: when the next try is due, in ms since 1970; Infinity: when the person says so. */
  retryAt = 0;
  /** Why the last connection ended: {code, reason}, or null. */
  ended = null;
  /** The wire panel, or null while it is closed: {opened, sent, received, closing, closed}. The only cost is the `?.`. */
  tap = null;
  /** What is known of the handshake of the open connection. */
  handshake = null;

  #url;
  #on;
  #socket = null;
  #failures = 0;
  #heardAt = 0;
  #retryTimer;
  #heartTimer;

  /**
   * `on.frame(frame)`, `on.state()`, `on.signedOut()`, and `on.refused()`: async, asked when a handshake failed,
   * says what to do: 'again' now, 'wait', or 'stop'. (A page cannot see the HTTP status of a refused handshake.)
   */
  constructor(url, on) {
    this.#url = url;
    this.#on = on;
    addEventListener('online', () => this.nudge());
    addEventListener('offline', () => { if (this.state === 'open') this.#probe(); });
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.nudge(); });
  }

  start() {
    if (this.state === 'stopped') this.#connect();
  }

  stop() {
    const socket = this.#drop();
    if (socket?.readyState === WebSocket.OPEN) this.tap?.closing(1000, '');
    socket?.close(1000);
    this.#enter('stopped');
  }

  /** The person is impatient. */
  tryNow() {
    if (this.state === 'waiting') this.#connect();
  }

  /** Something hints that the line changed: find out now rather than at the next heartbeat. */
  nudge() {
    if (this.state === 'waiting' && this.retryAt < Infinity) this.#connect();
    else if (this.state === 'open') this.#probe();
  }

  /** False if there is no line to send on; the frame is then not kept here. */
  send(frame) {
    // A socket that the server is just closing takes a frame, drops it and complains.
    if (this.state !== 'open' || this.#socket.readyState !== WebSocket.OPEN) return false;
    const text = JSON.stringify(frame);
    this.#socket.send(text);
    this.tap?.sent(frame, text);
    return true;
  }

  #connect() {
    this.#drop();
    const began = performance.now();
    const socket = new WebSocket(this.#url, PROTOCOL);
    let opened = 0;
    this.#socket = socket;
    socket.onopen = () => {
      opened = performance.now();
      this.handshake = { at: new Date(), took: opened - began, url: socket.url, protocol: socket.protocol, extensions: socket.extensions };
      this.tap?.opened(this.handshake);
      this.#heard();
      this.#enter('open');
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => {
      if (opened) this.tap?.closed(code, reason);
      this.#lost(code, reason, opened);
    };
    this.#enter('connecting');
  }

  #receive(text) {
    this.#heard();
    let frame;
    try { frame = JSON.parse(text); } catch { return; }
    this.tap?.received(frame, text);
    this.#on.frame(frame);
  }

  async #lost(code, reason, opened) {
    this.#drop();
    this.ended = { code, reason };
    if (code === SIGNED_OUT) {
      this.#enter('stopped');
      return this.#on.signedOut(reason);
    }
    // Shown the door: it comes back when the person says so, not by itself.
    if (code === BROKE_A_RULE) {
      this.retryAt = Infinity;
      return this.#enter('waiting');
    }
    if (opened && performance.now() - opened > STEADY_AFTER) this.#failures = 0;
    // Too slow, somebody else now, or a server that leaves its clients to others, means: come back at once with `since`. Twice in a row means: not quite at once.
    const elsewhere = code === AWAY && reason.startsWith(ELSEWHERE);
    if ((code === TOO_SLOW || code === CHANGED || elsewhere) && this.#failures === 0) {
      this.#failures = 1;
      return this.#connect();
    }
    this.#wait();
    if (!opened) await this.#askWhy();
  }

  async #askWhy() {
    const due = this.retryAt;
    const advice = await this.#on.refused();
    if (this.state !== 'waiting' || this.retryAt !== due) return;   // meanwhile somebody tried now
    if (advice === 'again') this.#connect();
    if (advice === 'stop') this.#drop(), this.#enter('stopped');
  }

  #wait() {
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures);
    const wait = longest * (1 + Math.random()) / 2 + (this.#failures === 0 ? FIRST_WAIT / 2 : 0);
    this.#failures += 1;
    this.retryAt = Date.now() + wait;
    this.#retryTimer = setTimeout(() => this.#connect(), wait);
    this.#enter('waiting');
  }

  #heard() {
    this.#heardAt = performance.now();
    clearTimeout(this.#heartTimer);
    this.#heartTimer = setTimeout(() => this.#probe(), SILENCE);
  }

  // Whatever arrives counts as the answer. A close handshake on a dead line takes minutes, so this does not wait for one.
  #probe() {
    const asked = performance.now();
    this.send({ type: 'ping', t: Date.now() });
    clearTimeout(this.#heartTimer);
    this.#heartTimer = setTimeout(() => {
      if (this.#heardAt >= asked) return;
      this.tap?.closed(NO_CLOSE_FRAME, '');
      this.#drop()?.close();
      this.#lost(NO_CLOSE_FRAME, '', asked);
    }, PATIENCE);
  }

  /** Lets go of the socket and of every timer; returns the socket, deaf now. */
  #drop() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#heartTimer);
    const socket = this.#socket;
    this.#socket = null;
    this.handshake = null;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    return socket;
  }

  #enter(state) {
    this.state = state;
    this.#on.state();
  }
}
