// The bytes of a frame on the wire, RFC 6455 section 5.2, and a drawing of them.

import { el } from './dom.js';
import { words } from './words.js';

const encoder = new TextEncoder();

/** How many bytes a text takes in UTF-8. */
export const utf8Length = text => encoder.encode(text).length;

/** The parts of a frame in bytes. A client must mask what it sends, a server must not: that is 4 bytes. */
export function sizeOf(payload, masked) {
  const header = payload < 126 ? 2 : payload < 65_536 ? 4 : 10;
  const mask = masked ? 4 : 0;
  return { header, mask, payload, total: header + mask + payload };
}

/** Draws the header's fields, the first 16 bits to scale, then whatever else there is before the payload. */
export function strip({ size, opcode, direction, preview }) {
  const labels = words.wire.strip;
  const masked = direction === 'sent';
  const length = size.header === 2 ? size.payload : size.header === 4 ? 126 : 127;
  const bits = (n, name, value) => field(name, value, labels.bits(n), n, 'bits');
  const bytes = (n, name, value) => field(name, value, labels.bytes(n), Math.min(n, 20), name === labels.payload ? 'payload' : '');
  return el('div', { class: 'strip', role: 'img', 'aria-label': labels.label },
    el('div', { class: 'strip-row' },
      bits(1, labels.fin, '1'), bits(3, labels.rsv, '000'), bits(4, labels.opcode, `0x${opcode.toString(16)}`),
      bits(1, labels.mask, masked ? '1' : '0'), bits(7, labels.length, length)),
    el('div', { class: 'strip-row' },
      size.header > 2 && bytes(size.header - 2, labels.extended, size.payload),
      masked && bytes(4, labels.key, labels.hidden),
      size.payload > 0 && bytes(size.payload, labels.payload, preview.slice(0, 60))));
}

function field(name, value, width, scale, kind) {
  const node = el('div', { class: `field ${kind}`, title: `${name}: ${width}` },
    el('span', { class: 'field-value' }, String(value)), el('span', { class: 'field-name' }, name), el('span', { class: 'field-width' }, width));
  node.style.flexGrow = scale;
  return node;
}
