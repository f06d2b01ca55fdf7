/** Where to call: the list in a message, and the dialog behind the button that is always there. */

import type { HelpLine } from '../../wasm/gyeot/types.js';
import { h, icon } from './dom.js';
import { t } from './i18n.js';

/** Lines as large tappable rows; `language` is that of the names. */
export function helpList(lines: HelpLine[], language: string): HTMLUListElement {
  const list = h('ul.help-lines', { lang: language });
  for (const line of lines) {
    const call = h(
      'a.call',
      { href: `tel:${line.number.replace(/[^\d+*#]/g, '')}` },
      icon('phone'),
      h('span.line', {}, h('b.number', {}, line.number), h('span.name', {}, line.name)),
      line.description ? h('span.about', {}, line.description) : null,
    );
    list.append(h('li', {}, call));
  }
  return list;
}


export function fillHelp(place: HTMLElement, lines: HelpLine[], language: string): void {
  place.replaceChildren(
    lines.length > 0 ? helpList(lines, language) : h('p', {}, t('help.none')),
  );
}
