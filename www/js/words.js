// Every word that people read, and nothing else. Another language is another object of this shape.
// Frame and close code texts are shown by the wire panel.

const plural = (n, one, many) => `${n} ${n === 1 ? one : many}`;

/** What the server says about a problem, as a sentence: it begins small and ends bare there, as errors do. */
export const sentence = text => text.charAt(0).toLocaleUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? '' : '.');

export const words = {
  language: 'en',
  name: 'Parlor',
  close: 'Close',
  cancel: 'Cancel',

  welcome: {
    title: 'Come in',
    text: 'Choose a name. The people in the room will see it beside what you write.',
    field: 'Your name',
    join: 'Join',
    empty: 'Please type a name.',
    away: 'The server does not answer. Please try again.',
  },

  me: { change: 'Change name', you: 'you' },

  rooms: {
    label: 'Rooms',
    open: 'Show rooms',
    yours: 'Your rooms',
    others: 'Other rooms',
    create: 'New room',
    unread: n => plural(n, 'new message', 'new messages'),
  },

  room: {
    menu: 'Room menu',
    leave: 'Leave this room',
    stay: 'Everyone is in the lobby',
  },

  create: {
    title: 'New room',
    name: 'Name',
    example: 'Reading club',
    address: 'Address',
    submit: 'Create room',
    noTitle: 'Please give the room a name.',
    badSlug: 'Use 1 to 32 of a–z, 0–9 and the hyphen.',
    taken: 'There is already a room with this address.',
    offline: 'There is no connection right now. Please try again in a moment.',
  },

  log: {
    label: 'Messages',
    opening: 'One moment…',
    emptyTitle: 'Nothing here yet',
    emptyText: 'Say hello. Whoever comes later can read it.',
    missingTitle: name => `There is no room “${name}”`,
    missingText: 'Perhaps it was never made. You can make it now.',
    missingCreate: 'Create it',
    beginning: title => `The beginning of ${title}`,
    older: 'Loading older messages…',
    divider: 'New',
    today: 'Today',
    yesterday: 'Yesterday',
    jump: 'Latest',
    jumpNew: n => plural(n, 'new message', 'new messages'),
    spoken: (from, body) => `${from}: ${body}`,
    spokenMany: n => plural(n, 'new message', 'new messages'),
    pending: 'Sending',
    sent: 'Sent',
    failed: reason => `Not sent. ${reason}`,
    retry: 'Retry',
    edit: 'Edit',
    discard: 'Discard',
  },

  composer: {
    label: 'Your message',
    placeholder: title => `Write to ${title}`,
    send: 'Send',
    skip: 'Skip to the message box',
    hint: 'Enter sends, Shift+Enter starts a new line',
    left: n => `${plural(n, 'byte', 'bytes')} left`,
    over: n => `${plural(n, 'byte', 'bytes')} too long`,
    refused: (n, limit) => `Not sent: ${plural(n, 'byte', 'bytes')} over the limit of ${limit}`,
  },

  typing: {
    one: a => [{ name: a }, ' is typing'],
    two: (a, b) => [{ name: a }, ' and ', { name: b }, ' are typing'],
    many: 'Several people are typing',
  },

  people: {
    label: 'People',
    here: 'Here now',
    count: n => `${n}`,
    button: n => `${plural(n, 'person', 'people')} here. Show who`,
    crowd: n => `${plural(n, 'person is', 'people are')} here. Names are shown for up to 100.`,
    unknown: 'Shown when you are connected.',
  },

  banner: {
    connecting: 'Connecting…',
    gone: 'The connection is gone.',
    back: 'Connected again.',
    stopped: reason => `The server closed the connection: ${reason}`,
    again: seconds => `Trying again in ${seconds} s.`,
    kept: n => (n === 0 ? 'You can go on writing.' : `${plural(n, 'message waits', 'messages wait')} and will be sent then.`),
    now: 'Try now',
    dismiss: 'OK',
  },

  title: (unread, room) => `${unread > 0 ? `(${unread}) ` : ''}${room} · Parlor`,

  wire: {
    label: 'Wire',
    title: 'Wire',
    toggle: 'Watch the frames of this connection',
    intro: [
      'This is your connection to the server, live. It stays open, and both sides send frames whenever they like; each is one JSON object.',
      'Point at a message to find its frames, or at a frame to find its message. Open a frame to see its bytes.',
    ],
    introDone: 'Got it',
    pause: 'Pause',
    resume: 'Resume',
    held: n => `Paused. ${plural(n, 'frame', 'frames')} held back.`,
    clear: 'Clear',
    filter: 'Show',
    filters: { all: 'All', messages: 'Messages', rooms: 'Rooms', presence: 'Presence', pings: 'Pings' },
    empty: 'Quiet. The next frame appears here.',
    sent: 'sent',
    received: 'received',
    roundTrip: ms => `${ms} ms`,
    roundTripTitle: 'Round trip: from the frame sent to this answer',
    bytes: n => `${n} B`,
    bytesTitle: 'Size on the wire, header included',
    breakdown: ({ header, mask, payload, total }) =>
      [`${total} bytes on the wire: ${header} of header`, mask && `${mask} of masking key`, `${payload} of payload`].filter(Boolean).join(' + '),
    compressed: 'This connection compresses (permessage-deflate): sizes are before compression.',
    handshake: 'handshake',
    handshakeAbout: 'An HTTP request asked to switch to WebSocket; 101 agreed. From here on only frames.',
    handshakeEarlier: 'How this connection began, before you opened this panel.',
    handshakeNote: 'Put together from what the browser tells a page; what it hides is in brackets.',
    hiddenKey: '[16 random bytes]',
    hiddenAccept: '[proof made from the key]',
    hiddenCookie: '[the session cookie]',
    close: 'close',
    noFrame: 'no frame',
    unknown: 'A frame this page does not know. It is ignored, as the protocol asks.',
    strip: {
      label: 'Layout of the frame, RFC 6455 section 5.2',
      fin: 'FIN', rsv: 'RSV', opcode: 'opcode', mask: 'MASK', length: 'length',
      extended: 'extended length', key: 'masking key', payload: 'payload',
      bits: n => plural(n, 'bit', 'bits'), bytes: n => plural(n, 'byte', 'bytes'),
      hidden: 'random', code: 'close code',
    },
  },

  // What a frame of each type is for. [sent by this page, received by it]
  frames: {
    join: ['Enter a room and hear what was missed: everything after number “since”, or the “last” few messages.'],
    leave: ['Leave a room; its messages stop coming.'],
    create: ['Make a room and enter it.'],
    post: ['Say something. The id is made here, so that sending it twice stores it once.'],
    edit: ['Change one of your messages.'],
    delete: ['Take back one of your messages.'],
    react: ['Answer a message with a sign.'],
    typing: ['Tell the room that you are writing; at most once in 3 seconds.', 'Somebody is writing. Forgotten again after 5 seconds.'],
    read: ['Remember how far you have read, for your other devices.', 'You have read up to here on another device.'],
    history: ['Ask for older messages, those before number “before”.', 'Older messages, asked for by scrolling up.'],
    ping: ['Is the line alive? Sent after 20 seconds of silence; a page cannot send the protocol’s own ping, opcode 0x9.'],
    welcome: [null, 'First frame: who you are, the rooms, and the epoch in which all numbers hold.'],
    message: [null, 'A message as it now stands. “rev” rises by exactly 1 in its room, so a gap would show.'],
    receipt: [null, 'Your own message, stored and numbered: its receipt.'],
    joined: [null, 'The replay is done; what follows is live.'],
    presence: [null, 'Who came and went; at most once a second in a room.'],
    room: [null, 'A room was made or changed.'],
    pong: [null, 'The line is alive: the answer to a ping, with the same “t”.'],
    error: [null, 'Something was refused. The connection stays open.'],
  },

  closeCodes: {
    1000: 'Normal end: the work is done.',
    1001: 'Going away: the server stops or the page closes. Come back later.',
    1002: 'A side broke the WebSocket protocol.',
    1003: 'A kind of data that is not accepted here, such as binary.',
    1005: 'Closed without giving a code.',
    1006: 'No close frame came: the line simply broke. This code is never sent, browsers make it up.',
    1007: 'Text that is not valid UTF-8.',
    1008: 'A rule of this server was broken; the reason says which.',
    1009: 'A message too big.',
    1011: 'A fault in the server.',
    1012: 'The server restarts.',
    1013: 'The server is too busy. Come back later.',
    4000: 'This side read too slowly. It comes back with “since” and loses nothing.',
    4001: 'Signed out.',
    other: 'A code this page does not know.',
  },

  // Why a post failed, where the server's own sentence would not help; {code: text}.
  reasons: {
    too_long: 'It is too long.',
    rate_limited: 'That was too fast. Wait a moment.',
    not_a_member: 'You are not in this room.',
    no_such_room: 'The room is gone.',
    unavailable: 'The server cannot store it right now.',
    unknown: 'The server refused it.',
  },
};
