// Who has a picture; whoever has none gets a letter. Asked for once, and again when there may be somebody new; the server tells
// when somebody around here takes another.

import { ask } from './api.js';
import { knowBots } from './bots.js';

const ASKED_EVERY = 30_000;

let having = new Map();   // name → which one it is, so that a new one is not taken for the one before
let shown = 0;
let askedAt = -Infinity;

/** Asks who has a picture, and puts them where letters stand. */
export async function loadPictures() {
  askedAt = performance.now();
  const people = await ask('GET', '/api/people').catch(() => []);
  knowBots(people);
  shown += 1;
  having = new Map(people.filter(({ avatar }) => avatar).map(({ name }) => [name, shown]));
  document.querySelectorAll('.avatar').forEach(picture);
}

/** That person has another picture, or none any more. */
export function showPicture({ name, avatar }) {
  shown += 1;
  if (avatar) having.set(name, shown);
  else having.delete(name);
  for (const node of document.querySelectorAll('.avatar')) if (node.dataset.of === name) picture(node);
}

/** Somebody has come, who may have made an account or have another name since these were asked for. */
export function meet(names) {
  const isNew = names.some(name => !having.has(name));
  if (isNew && performance.now() - askedAt > ASKED_EVERY) loadPictures();
}

/** Puts the person's picture over the letter, now or as soon as it is known that there is one. */
export function pictured(node, name) {
  node.dataset.of = name;
  picture(node);
  return node;
}

function picture(node) {
  node.querySelector('img')?.remove();
  const which = having.get(node.dataset.of);
  if (!which) return;
  const image = document.createElement('img');
  image.alt = '';
  image.onerror = () => image.remove();
  image.src = `/api/people/${encodeURIComponent(node.dataset.of)}/avatar?${which}`;
  node.append(image);
}
