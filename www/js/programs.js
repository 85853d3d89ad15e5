// The settings for programs: tokens that they come in with, bots that they are, and webhooks that they are sent messages by.

import { ask } from './api.js';
import { badge } from './bots.js';
import { copy } from './copy.js';
import { el } from './dom.js';
import { loadPictures } from './pictures.js';
import { words } from './words.js';

const say = words.programs;

/** The sections for this person; `kit` is what all settings are made with, see settings.js. */
export function programs(me, kit) {
  const owner = me.role === 'owner';
  const shared = { bots: [], changed: [] };   // who listens when a bot was made
  return [...(owner ? [bots(me, kit, shared)] : []), tokens(me, kit, shared, owner), webhooks(me, kit, shared, owner)];
}

// Something that is told once: in a field to be copied, with a button for it.
function secret(id, label, value) {
  const field = el('input', { id, type: 'text', readonly: true, value, 'aria-label': label, onfocus: event => event.target.select() });
  const button = el('button', { class: 'side-button', type: 'button', onclick: async () => {
    if (await copy(value)) button.textContent = say.copied;
  } }, say.copy);
  return [el('span', { class: 'grow' }, field), button];
}

const option = (value, label) => el('option', { value }, label);

function bots(me, { section, saying, tried, sideButton, wait }, shared) {
  const said = saying();
  const list = el('div', { class: 'entries' });
  const name = el('input', { id: 'bot-name', type: 'text', maxlength: 64, autocomplete: 'off', spellcheck: 'false' });
  const draw = async () => {
    shared.bots = await ask('GET', '/api/bots');
    list.replaceChildren(...shared.bots.map(bot => el('div', { class: 'entry', data: { robot: bot.name } }, el('span', {}, el('bdi', {}, bot.name), ' ', badge(bot.name)))));
    for (const each of shared.changed) each();
  };
  const make = event => {
    event.preventDefault();
    tried(said, async () => {
      await ask('POST', '/api/bots', { name: name.value.trim() });
      name.value = '';
      await loadPictures();
      await draw();
    }, say.botMade);
  };
  wait(tried(said, draw));
  return section('bots', say.bots, el('p', {}, say.botsText), list,
    el('form', { onsubmit: make }, el('label', { for: 'bot-name' }, say.botName),
      el('div', { class: 'row' }, el('span', { class: 'grow' }, name), sideButton(say.makeBot, () => {}, { id: 'make-bot', type: 'submit' }))), said);
}

function tokens(me, { section, saying, tried, sideButton, wait, when }, shared, owner) {
  const said = saying();
  const list = el('div', { class: 'entries' });
  const made = el('div', { class: 'row once', hidden: true });
  const label = el('input', { id: 'token-label', type: 'text', maxlength: 64, autocomplete: 'off' });
  const whose = el('select', { id: 'token-whose', 'aria-label': say.whose, hidden: true, onchange: () => { made.hidden = true; tried(said, draw); } });
  const place = () => whose.value ? `/api/bots/${encodeURIComponent(whose.value)}/tokens` : '/api/me/tokens';
  const draw = async () => list.replaceChildren(...(await ask('GET', place())).map(entry));
  const entry = one => el('div', { class: 'entry', data: { token: one.id } },
    el('span', {}, one.label, el('small', {}, one.used_at ? say.used(when(one.used_at)) : say.neverUsed)),
    el('button', { class: 'quiet', type: 'button', 'aria-label': say.revokeOf(one.label), onclick: () => revoke(one.id) }, say.revoke));
  const revoke = id => tried(said, async () => { await ask('DELETE', `${place()}/${id}`); made.hidden = true; await draw(); }, say.revoked);
  const make = event => {
    event.preventDefault();
    tried(said, async () => {
      const one = await ask('POST', place(), { label: label.value.trim() });
      label.value = '';
      made.replaceChildren(...secret('token-made', say.token, one.token));
      made.hidden = false;
      await draw();
      made.querySelector('input').focus();
    }, say.tokenOnce);
  };
  shared.changed.push(() => {
    const before = whose.value;
    whose.replaceChildren(option('', say.own), ...shared.bots.map(bot => option(bot.name, say.of(bot.name))));
    whose.value = before;
    whose.hidden = shared.bots.length === 0;
  });
  wait(tried(said, draw));
  return section('tokens', say.tokens, el('p', {}, say.tokensText), owner && whose, list,
    el('form', { onsubmit: make }, el('label', { for: 'token-label' }, say.label),
      el('div', { class: 'row' }, el('span', { class: 'grow' }, label), sideButton(say.makeToken, () => {}, { id: 'make-token', type: 'submit' }))), made, said);
}

function webhooks(me, { section, saying, tried, sideButton, wait, when }, shared, owner) {
  const said = saying();
  const list = el('div', { class: 'entries' });
  const made = el('div', { class: 'row once', hidden: true });
  const url = el('input', { id: 'webhook-url', type: 'url', maxlength: 2000, placeholder: 'https://', autocomplete: 'off', spellcheck: 'false' });
  const what = el('select', { id: 'webhook-what', 'aria-label': say.what });
  let rooms = [];
  // The value is the request, but for the URL.
  const fill = () => what.replaceChildren(option('{}', say.ownMentions),
    ...(owner ? shared.bots.map(bot => option(JSON.stringify({ bot: bot.name }), say.mentions(bot.name))) : []),
    ...rooms.map(({ room, title }) => option(JSON.stringify({ room }), say.allOf(title))),
    ...(owner ? shared.bots.flatMap(bot => rooms.map(({ room, title }) => option(JSON.stringify({ room, bot: bot.name }), say.allOfFor(title, bot.name)))) : []));
  const runs = room => room.kind !== 'direct' && (room.maker === me.name || me.role === 'moderator' || owner);
  const draw = async () => {
    rooms = (await ask('GET', '/api/rooms')).rooms.filter(runs);
    fill();
    list.replaceChildren(...(await ask('GET', '/api/webhooks')).map(entry));
  };
  const title = name => rooms.find(({ room }) => room === name)?.title ?? name;
  const state = one => one.paused ? say.paused(one.error) : one.error ? say.failing(one.error) : one.delivered_at ? say.delivered(when(one.delivered_at)) : say.nothingYet;
  const entry = one => el('div', { class: 'entry', data: { webhook: one.id, paused: one.paused } },
    el('span', { class: 'broken' }, one.url, el('small', {}, one.room ? say.allOfFor(title(one.room), one.of) : say.mentions(one.of)), el('small', {}, state(one))),
    one.paused && el('button', { class: 'link', type: 'button', onclick: () => change('PATCH', one.id, { paused: false }) }, say.resume),
    el('button', { class: 'quiet', type: 'button', 'aria-label': say.removeOf(one.url), onclick: () => change('DELETE', one.id) }, say.remove));
  const change = (method, id, body) => tried(said, async () => { await ask(method, `/api/webhooks/${id}`, body); made.hidden = true; await draw(); });
  const make = event => {
    event.preventDefault();
    tried(said, async () => {
      const one = await ask('POST', '/api/webhooks', { ...JSON.parse(what.value), url: url.value.trim() });
      url.value = '';
      made.replaceChildren(...secret('webhook-secret', say.secret, one.secret));
      made.hidden = false;
      await draw();
      made.querySelector('input').focus();
    }, say.secretOnce);
  };
  shared.changed.push(fill);
  wait(tried(said, draw));
  return section('webhooks', say.webhooks, el('p', {}, say.webhooksText), list,
    el('form', { onsubmit: make, novalidate: true }, el('label', { for: 'webhook-url' }, say.url), url,
      el('div', { class: 'row' }, el('span', { class: 'grow' }, what), sideButton(say.makeWebhook, () => {}, { id: 'make-webhook', type: 'submit' }))), made, said);
}
