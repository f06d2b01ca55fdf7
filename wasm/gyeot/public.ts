/** What `gyeot` gives besides `Gyeot` and what `gyeot/core` has. */
export type * from './types.js';
export { SafetyRules } from './safety.js';
