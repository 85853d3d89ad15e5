// Who has a picture. Asked for once, and again when this person has changed theirs; whoever has none gets a letter.

import { ask } from './api.js';

const having = new Set();
let version = 0;

/** Asks who has a picture, and puts them where letters stand. */
export async function loadPictures() {
  const people = await ask('GET', '/api/people').catch(() => []);
  having.clear();
  for (const { name, avatar } of people) if (avatar) having.add(name);
  version += 1;
  document.querySelectorAll('.avatar').forEach(picture);
}

/** Puts the person's picture over the letter, now or as soon as it is known that there is one. */
export function pictured(node, name) {
  node.dataset.of = name;
  picture(node);
  return node;
}

function picture(node) {
  node.querySelector('img')?.remove();
  if (!having.has(node.dataset.of)) return;
  const image = document.createElement('img');
  image.alt = '';
  image.onerror = () => image.remove();
  image.src = `/api/people/${encodeURIComponent(node.dataset.of)}/avatar?${version}`;
  node.append(image);
}
