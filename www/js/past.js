// A part of a room's line away from its end, to which somebody jumped. Pure. What is said meanwhile does not belong to it: it
// is shown as it was loaded, without holes, until its end meets what the room itself has loaded.

export class Past {
  /** Ascending by seq, without holes. */
  messages;
  /** There are others before the first… */
  older;
  /** …and after the last. */
  newer;

  constructor(messages, older, newer) {
    Object.assign(this, { messages, older, newer });
  }

  find(seq) {
    return this.messages.find(message => message.seq === seq);
  }

  /** Takes a message that changed, in its place. True: it is here. */
  take(message) {
    const at = this.messages.findIndex(({ seq }) => seq === message.seq);
    if (at !== -1 && this.messages[at].rev < message.rev) this.messages[at] = message;
    return at !== -1;
  }

  prepend({ messages, more }) {
    this.messages.unshift(...messages.filter(message => message.seq < this.messages[0].seq));
    this.older = more;
  }

  append({ messages, more }) {
    this.messages.push(...messages.filter(message => message.seq > this.messages.at(-1).seq));
    this.newer = more;
  }
}
