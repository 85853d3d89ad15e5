// Listens to the line while the wire panel is open and turns what passes into entries. Draws nothing.

import { sizeOf, utf8Length } from './bytes.js';
import { about, aboutClose, answers, groupOf, messagesOf, question } from './frames.js';
import { words } from './words.js';

const TEXT = 0x1;
const CLOSE = 0x8;
const ASKED_AT_MOST = 200;   // answers waited for; the oldest question is then given up

export class Tap {
  #show;
  #me;
  #asked = new Map();   // question → when it was sent, in ms of performance.now()

  /** `show(entry)` is called for each entry; `me()` gives this person's name. */
  constructor(show, me) {
    this.#show = show;
    this.#me = me;
  }

  sent(frame, text) {
    const name = question(frame);
    if (name) this.#asked.set(name, performance.now());
    if (this.#asked.size > ASKED_AT_MOST) this.#asked.delete(this.#asked.keys().next().value);
    this.#frame('sent', frame, text, null);
  }

  received(frame, text) {
    const now = performance.now();
    const name = answers(frame, this.#me()).find(answer => this.#asked.has(answer));
    const trip = name ? now - this.#asked.get(name) : null;
    this.#asked.delete(name);
    this.#frame('received', frame, text, trip);
  }

  opened(handshake, earlier = false) {
    this.#asked.clear();
    this.#show({ kind: 'handshake', type: words.wire.handshake, group: 'line', at: handshake.at, direction: 'both', opcode: null, size: null,
      trip: handshake.took, messages: [], about: earlier ? words.wire.handshakeEarlier : words.wire.handshakeAbout,
      preview: '101 Switching Protocols', handshake });
  }

  /** This side closes. */
  closing(code, reason) {
    this.#close('sent', code, reason);
  }

  /** The line has ended; 1005 and 1006 stand for a missing code and a missing frame. */
  closed(code, reason) {
    this.#close('received', code, reason);
  }

  #frame(direction, frame, text, trip) {
    this.#show({ kind: 'frame', type: String(frame.type ?? '?'), group: groupOf(frame), at: new Date(), direction, opcode: TEXT,
      size: sizeOf(utf8Length(text), direction === 'sent'), trip, messages: messagesOf(frame, this.#me()),
      about: about(frame, direction, this.#me()), preview: text, frame });
  }

  #close(direction, code, reason) {
    const came = code !== 1006;
    const payload = code === 1005 ? 0 : 2 + utf8Length(reason);
    this.#show({ kind: 'close', type: words.wire.close, group: 'line', at: new Date(),
      direction: came ? direction : 'none', opcode: came ? CLOSE : null, size: came ? sizeOf(payload, direction === 'sent') : null, trip: null, messages: [],
      about: aboutClose(code), preview: [code, reason].filter(Boolean).join(' '), frame: { code, reason } });
  }
}
