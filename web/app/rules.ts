/** The safety rules, read before the model is there: danger must not wait for a download. */

import { SafetyRules } from '../../wasm/gyeot/index.js';
import type { HelpLine } from '../../wasm/gyeot/types.js';
import type { Watch } from './conversation.js';
import { breathe } from './dom.js';
import type { Site } from './site.js';

/** After the first paint, before anyone has typed a sentence. */
const warmMs = 1000;

export type PageRules = Watch & { help: HelpLine[] };

/** `null` where a site has no rules, or they cannot be read: the bot then reports it itself. */
export async function readRules(site: Site): Promise<PageRules | null> {
  if (site.safety === null) return null;
  try {
    const response = await fetch(new URL(site.safety, document.baseURI));
    if (!response.ok) return null;
    const rules = SafetyRules.parse(await response.json());
    // The first check compiles the rules; a phone should not do that when a message is sent.
    setTimeout(() => void rules.warm(breathe), warmMs);
    return {
      help: rules.help,
      check(text) {
        const found = rules.check(text);
        return found && { answers: found.answers, help: found.help };
      },
    };
  } catch {
    return null;
  }
}
