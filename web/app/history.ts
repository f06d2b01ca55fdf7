/** Keeping the conversation, only where the reader asked for it; and forgetting it. */

import { clock, t } from './i18n.js';
import { KeyVal } from './keyval.js';
import { stored } from './place.js';
import type { Turn } from './turn.js';

/** One record a message, so that two tabs never write over each other. */
const turns = new KeyVal<Turn>(stored.history);

export function keep(turn: Turn): Promise<void> {
  return turns.set(turn.id, turn);
}

/** The kept messages, oldest first. */
export function kept(): Promise<Turn[]> {
  return turns.all();
}

/** Takes the kept conversation off the device; what is on the screen stays. */
export function dropKept(): Promise<void> {
  return turns.drop();
}

export function asText(turns: Turn[], title: string): string {
  const day = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'full' });
  const lines = [title, ''];
  let today = '';
  for (const turn of turns) {
    const date = day.format(turn.at);
    if (date !== today) lines.push((today = date), '');
    const who = t(turn.who === 'you' ? 'log.you' : 'log.bot');
    lines.push(`[${clock(turn.at)}] ${who}: ${turn.text}`);
    for (const line of turn.help ?? []) lines.push(`    ${line.number}  ${line.name}`);
  }
  return lines.join('\r\n') + '\r\n';
}

export function asJson(turns: Turn[], title: string): string {
  const messages = turns.map((turn) => ({
    time: new Date(turn.at).toISOString(),
    who: turn.who,
    kind: turn.kind,
    text: turn.text,
    group: turn.reason?.answer.group ?? undefined,
    question: turn.reason?.answer.question ?? undefined,
    score: turn.reason?.answer.score,
  }));
  return JSON.stringify({ format: 'gyeot-conversation', version: 1, title, messages }, null, 2);
}

/** Deletes settings, conversation and tables. What is in memory goes on working until the page closes. */
export async function forgetStored(): Promise<void> {
  localStorage.removeItem(stored.settings);
  sessionStorage.removeItem(stored.handover);
  await turns.drop();
  await new KeyVal(stored.tables).drop();
}
