/**
 * Korean as it is typed: spaces and signs left out, laughter, letters drawn long, letters put
 * between to hide a word, jamo not put together, and the commonest slips of spelling.
 */

const initials = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ';
const vowels = 'ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ';
const finals = ' ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ';
/** U+FFA1–U+FFDC, half-width, in the order of their code points; spaces are unassigned. */
const halfWidth = 'ㄱㄲㄳㄴㄵㄶㄷㄸㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅃㅄㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ   ㅏㅐㅑㅒㅓㅔ  ㅕㅖㅗㅘㅙㅚ  ㅛㅜㅝㅞㅟㅠ  ㅡㅢㅣ';

const first = 0xac00;
const perVowel = finals.length;
const perInitial = vowels.length * perVowel;

const foldedFinal = table(finals, 'ㅆㅅ ㄶㄴ ㅀㄹ ㅄㅂ ㅍㅂ ㄲㄱ');
const foldedVowel = table(vowels, 'ㅒㅐ ㅖㅔ ㅙㅚ ㅞㅚ');

/** For each letter of `letters` the position of what it is folded to; `pairs` are from-to. */
function table(letters: string, pairs: string): number[] {
  const to = new Map(pairs.split(' ').map((pair) => [pair.charAt(0), pair.charAt(1)]));
  return [...letters].map((letter) => letters.indexOf(to.get(letter) ?? letter));
}

/** Folds spellings that are often confused: 했/햇, 않/안, 싫/실, 없/업, 싶/십, 돼/되, 떄/때. */
export function fold(text: string): string {
  return text.replace(/[가-힣]/gu, (syllable) => {
    const code = syllable.charCodeAt(0) - first;
    const vowel = Math.floor((code % perInitial) / perVowel);
    // 얘기 is no slip for 애기.
    const slip = syllable >= '얘' && syllable <= '얳' ? vowel : foldedVowel[vowel] ?? vowel;
    return String.fromCharCode(first + code - (code % perInitial)
      + slip * perVowel + (foldedFinal[code % perVowel] ?? 0));
  });
}

/**
 * The text in folded letters and digits alone, in each way in which it may be meant: as it stands;
 * without single letters and digits that stand between syllables (자1살, 죽고싶ㅇ어); with single
 * consonants as the end of the syllable before them (주ㄱ고).
 */
export function readings(text: string): string[] {
  const plain = text
    .replace(/[\uffa1-\uffdc]/gu, (half) => halfWidth.charAt(half.charCodeAt(0) - 0xffa1))
    .normalize('NFC')
    .toLowerCase();
  const bare = plain.replace(/([가-힣])[0-9a-z](?=[가-힣])/gu, '$1');
  const whole = squeeze(plain);
  return [...new Set([
    whole,
    squeeze(bare).replace(/([가-힣])[ㄱ-ㅣ]{1,2}(?=[가-힣])/gu, '$1'),
    whole.replace(/[가-힣][ㄱ-ㅎ](?=[가-힣])/gu, closed),
  ])].map(fold);
}

function squeeze(text: string): string {
  return text
    // U+115F, U+1160, U+3164 and U+FFA0 are letters that are not seen.
    .replace(/[^\p{L}\p{N}]+|[\u115f\u1160\u3164\uffa0]/gu, '')
    .replace(/([ㄱ-ㅊㅌ-ㅎ])([ㅏ-ㅣ])([ㄱ-ㅎ](?![ㅏ-ㅣ]))?/gu, joined)
    .replace(/[ㅋㅠㅜ]+|ㅎ{2,}/gu, '')
    .replace(/([가-힣])([아야어여오요우유으이애에])\2+/gu, shortened)
    .replace(/(.)\1{2,}/gu, '$1');
}

function syllable(initial: number, vowel: number, final: number): string {
  return String.fromCharCode(first + initial * perInitial + vowel * perVowel + final);
}

/** Jamo typed one by one: ㅈㅜㄱ is 죽. */
function joined(all: string, initial: string, vowel: string, final: string | undefined): string {
  const [i, v, f] = [initials.indexOf(initial), vowels.indexOf(vowel), final ? finals.indexOf(final) : 0];
  if (i < 0) return all;
  return f < 0 ? syllable(i, v, 0) + final : syllable(i, v, f);
}

/** An open syllable takes the consonant that follows it: 주ㄱ is 죽. */
function closed(pair: string): string {
  const code = pair.charCodeAt(0) - first;
  const final = finals.indexOf(pair.charAt(1));
  return code % perVowel === 0 && final > 0 ? String.fromCharCode(first + code + final) : pair;
}

/** A vowel drawn long is that vowel: 고오오 is 고. */
function shortened(all: string, before: string, drawn: string): string {
  const vowel = (letter: string) => Math.floor(((letter.charCodeAt(0) - first) % perInitial) / perVowel);
  const open = (before.charCodeAt(0) - first) % perVowel === 0;
  return open && vowel(before) === vowel(drawn) ? before : all;
}
