// One entry of the wire panel as DOM: a line to skim, and, opened, the frame's bytes and JSON.

import { preciseTime } from './clock.js';
import { strip } from './bytes.js';
import { el } from './dom.js';
import { prettyJson } from './json.js';
import { words } from './words.js';

const PREVIEW = 160;
const ARROWS = { sent: '↑', received: '↓', both: '⇅', none: '×' };
const OPCODES = { 0x1: 'text', 0x8: 'close' };

export function wireRow(entry) {
  const { type, group, direction, opcode, size, trip, about, preview, at } = entry;
  const data = { type, group, direction };
  if (opcode !== null) data.opcode = `0x${opcode}`;
  if (size) data.size = size.total;
  if (trip !== null) data.trip = trip.toFixed(1);
  const detail = el('div', { class: 'frame-detail', hidden: true });
  const head = el('button', { class: 'frame-head', type: 'button', 'aria-expanded': 'false' },
    el('span', { class: 'arrow' }, el('span', { 'aria-hidden': 'true' }, ARROWS[direction]), hiddenWord(direction)),
    el('span', { class: 'chip' }, type),
    el('span', { class: 'opcode' }, ...opcodeName(entry)),
    el('span', { class: 'spring' }),
    trip !== null && el('span', { class: 'trip', title: words.wire.roundTripTitle }, words.wire.roundTrip(trip < 10 ? trip.toFixed(1) : Math.round(trip))),
    size && el('span', { class: 'size', title: words.wire.bytesTitle }, words.wire.bytes(size.total)),
    el('time', { datetime: at.toISOString() }, preciseTime(at)),
    el('span', { class: 'about' }, about),
    el('code', { class: 'preview' }, preview.slice(0, PREVIEW)));
  head.addEventListener('click', () => {
    const open = detail.hidden;
    if (open && !detail.hasChildNodes()) detail.append(...details(entry));
    detail.hidden = !open;
    head.setAttribute('aria-expanded', open);
  });
  return el('li', { class: 'frame', data }, head, detail);
}

const hiddenWord = direction =>
  words.wire[direction] && el('span', { class: 'visually-hidden' }, words.wire[direction]);

function opcodeName({ kind, opcode }) {
  if (kind === 'handshake') return ['HTTP 101'];
  return opcode === null ? [words.wire.noFrame] : [`0x${opcode}`, el('span', {}, ` ${OPCODES[opcode]}`)];
}

// Made when first opened: most rows never are.
function details(entry) {
  if (entry.kind === 'handshake') return handshakeDetails(entry.handshake);
  return [
    entry.size && strip(entry),
    entry.size && el('p', { class: 'breakdown' }, words.wire.breakdown(entry.size)),
    prettyJson(entry.frame),
  ].filter(Boolean);
}

function handshakeDetails({ url, protocol, extensions }) {
  const { host, pathname } = new URL(url);
  const request = [
    `GET ${pathname} HTTP/1.1`, `Host: ${host}`, `Origin: ${location.origin}`, 'Connection: Upgrade', 'Upgrade: websocket',
    'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${words.wire.hiddenKey}`, `Sec-WebSocket-Protocol: ${protocol}`,
    `Cookie: parlor_session=${words.wire.hiddenCookie}`,
  ];
  const answer = [
    'HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket',
    `Sec-WebSocket-Accept: ${words.wire.hiddenAccept}`, `Sec-WebSocket-Protocol: ${protocol}`,
    ...(extensions ? [`Sec-WebSocket-Extensions: ${extensions}`] : []),
  ];
  return [
    el('pre', { class: 'json http sent' }, request.join('\n')),
    el('pre', { class: 'json http received' }, answer.join('\n')),
    el('p', { class: 'breakdown' }, words.wire.handshakeNote),
    extensions.includes('permessage-deflate') && el('p', { class: 'breakdown' }, words.wire.compressed),
  ].filter(Boolean);
}
