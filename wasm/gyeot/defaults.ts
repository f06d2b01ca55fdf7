/** The bundled safety rules (model/safety.ko.json), set by the build; null in a build without. */
declare const GYEOT_SAFETY: unknown;

/** The rules that hold unless the caller brings others or says `null`. */
export const defaultSafety: unknown = GYEOT_SAFETY;
