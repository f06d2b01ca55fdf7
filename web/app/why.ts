/** 「왜 이 답인가요?」: what was found, how near it was, what else was near, how it was read. */

import type { GyeotBot, TokenPiece } from '../../wasm/gyeot/types.js';
import { h } from './dom.js';
import { number, t } from './i18n.js';
import type { Reason, Turn } from './turn.js';

/** Runners-up shown below the winner. */
const runnersUp = 4;

/** Cosines of sentences fill only the upper part of -1 to 1; the bar shows that part. */
const barFrom = 0.6;

/** Fills the panel; the tokens follow when the bot has read the sentence again. */
export function showReason(
  turn: Turn,
  panel: HTMLElement,
  bot: GyeotBot | null,
  language: string,
): void {
  const { reason } = turn;
  if (!reason) return;
  const parts: (Node | null)[] = [];
  if (reason.answer.kind === 'crisis') parts.push(h('p', {}, t('why.crisis')));
  if (reason.answer.kind === 'fallback') parts.push(h('p', {}, t('why.fallback')));
  if (reason.joined) parts.push(h('p', {}, t('why.joined', { before: reason.joined })));
  if (reason.answer.truncated) parts.push(h('p', {}, t('why.truncated')));
  parts.push(nearest(reason, language), others(reason, language));
  const tokens = bot ? h('div', {}) : null;
  parts.push(tokens);
  parts.push(h('p.fine', {}, t('why.time', { ms: number(Math.max(1, reason.answer.ms)) })));
  panel.replaceChildren(...parts.filter((part): part is Node => part !== null));
  if (!bot || !tokens) return;
  bot.tokenize(reason.read).then(
    (pieces) => tokens.replaceChildren(...readAs(reason.read, pieces, language)),
    () => tokens.remove(),
  );
}

function nearest(reason: Reason, language: string): HTMLElement | null {
  const { answer, threshold } = reason;
  const best = answer.question
    ? { question: answer.question, group: answer.group ?? '', score: answer.score }
    : answer.candidates[0]?.best;
  if (!best || !best.question) return null;
  // Where the table weighs the nearness with more, the limit is held against that.
  const weighed = answer.question !== null && answer.confidence !== answer.score;
  return h(
    'div',
    {},
    h('h2', {}, t(answer.kind === 'fallback' ? 'why.nearest' : 'why.matched')),
    h('blockquote', { lang: language }, best.question),
    group(best.group, language),
    weighed && h('p.group', {}, t('why.score.plain', { score: number(best.score, 3) })),
    bar(weighed ? answer.confidence : best.score, threshold, weighed ? 'why.sure' : 'why.score'),
  );
}

function group(name: string, language: string): HTMLElement | null {
  if (!name) return null;
  return h('p.group', { lang: language }, name.replaceAll('/', ' › '));
}

/** How near, with a mark where an answer begins to be given. */
function bar(score: number, threshold: number, words: 'why.score' | 'why.sure'): HTMLElement {
  const place = (value: number): string =>
    `${(100 * Math.min(1, Math.max(0, (value - barFrom) / (1 - barFrom)))).toFixed(1)}%`;
  const fill = h('span.fill');
  fill.style.inlineSize = place(score);
  const mark = h('span.mark');
  mark.style.insetInlineStart = place(threshold);
  const text = threshold
    ? t(words, { score: number(score, 3), threshold: number(threshold, 3) })
    : t('why.score.plain', { score: number(score, 3) });
  return h(
    'div.nearness',
    {},
    h('span.bar', { 'aria-hidden': 'true' }, fill, threshold ? mark : null),
    h('span', {}, text),
  );
}

function others(reason: Reason, language: string): HTMLElement | null {
  const { candidates, group: winner, kind } = reason.answer;
  const rest = candidates
    .filter((candidate, at) => (kind === 'fallback' ? at > 0 : candidate.group !== winner))
    .slice(0, runnersUp);
  if (rest.length === 0) return null;
  const list = h('ol.runners');
  for (const { best, share, group: name } of rest) {
    list.append(
      h(
        'li',
        {},
        h('span', { lang: language }, best.question),
        h(
          'small',
          {},
          h('span', { lang: language }, name.replaceAll('/', ' › ')),
          ` · ${number(best.score, 3)} · ${t('why.share', { share: number(100 * share) })}`,
        ),
      ),
    );
  }
  return h('div', {}, h('h2', {}, t('why.others')), list);
}

/** The sentence as the model met it, one box a piece, with its number in the vocabulary. */
function readAs(text: string, pieces: TokenPiece[], language: string): Node[] {
  const list = h('ol.tokens', { lang: language });
  for (const piece of pieces) {
    // Marks and the model's own prompt stand for nothing that was typed.
    const special = piece.begin === piece.end;
    const shown = special ? piece.piece.replace('▁', '') : text.slice(piece.begin, piece.end).trim() || '␣';
    const item = h('li', {}, h('b', {}, shown), h('small', {}, String(piece.id)));
    if (special) item.classList.add('special');
    else if (piece.piece.startsWith('▁')) item.classList.add('word');
    list.append(item);
  }
  const count = pieces.filter((piece) => piece.begin !== piece.end).length;
  return [
    h('h2', {}, t('why.tokens')),
    h('p.fine', {}, t('why.tokens.about', { count: number(count) })),
    list,
  ];
}
