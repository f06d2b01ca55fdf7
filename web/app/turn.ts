/** One message of the conversation. */

import type { Answer, HelpLine } from '../../wasm/gyeot/types.js';

/** Why this answer: what the matcher found, as shown and as kept. */
export interface Reason {
  /** The sentence that was read: the message, with the turn before it for a follow-up. */
  read: string;
  /** The turn before, where it was read together with this one. */
  joined: string | null;
  threshold: number;
  answer: Answer;
}

export interface Turn {
  id: string;
  who: 'you' | 'bot';
  kind: 'text' | 'match' | 'fallback' | 'crisis';
  text: string;
  at: number;
  help?: HelpLine[];
  /** Sentences offered below the message. */
  chips?: string[];
  reason?: Reason;
}

let count = 0;

/** Ids sort by time, also between tabs. */
export function newTurn(who: Turn['who'], kind: Turn['kind'], text: string): Turn {
  const at = Date.now();
  const tail = `${(count++).toString(36).padStart(4, '0')}${Math.random().toString(36).slice(2, 6)}`;
  return { id: `${at.toString(36).padStart(9, '0')}-${tail}`, who, kind, text, at };
}
