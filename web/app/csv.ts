/** A spreadsheet's CSV: which encoding, which columns, which rows. */

import Papa from 'papaparse';
import type { Row } from '../../wasm/gyeot/types.js';

/** Files above this are no table to embed in a browser. */
export const csvLimit = 20 * 1024 * 1024;
export const rowLimit = 20_000;

export interface Decoded {
  text: string;
  encoding: 'UTF-8' | 'UTF-16' | 'CP949';
}

/**
 * Excel in Korea writes UTF-8 with a mark, or CP949. What is not valid UTF-8 is read as CP949,
 * which browsers call euc-kr.
 */
export function decode(bytes: Uint8Array): Decoded {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) {
    return { text: new TextDecoder('utf-16le').decode(bytes), encoding: 'UTF-16' };
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), encoding: 'UTF-8' };
  } catch {
    return { text: new TextDecoder('euc-kr').decode(bytes), encoding: 'CP949' };
  }
}

export function parse(text: string): string[][] {
  const { data } = Papa.parse<string[]>(text, { skipEmptyLines: 'greedy' });
  return data;
}

export interface Columns {
  question: number;
  /** -1 for none. */
  answer: number;
  group: number;
  /** Whether the first line names the columns. */
  header: boolean;
}

const names = {
  question: /^(유저|질문|문의|사용자|user|question|q|utterance|input|text)/i,
  answer: /^(챗봇|답|응답|대답|bot|chatbot|answer|a|response|reply|output)$|^(챗봇|답|응답|답변|answer)/i,
  group: /^(구분|분류|그룹|주제|카테고리|group|category|intent|label|topic)/i,
};

/** Which column is which, by its name; without names, by the order of a table of three or two. */
export function guess(lines: string[][]): Columns {
  const first = (lines[0] ?? []).map((cell) => cell.trim());
  const find = (name: RegExp): number => first.findIndex((cell) => name.test(cell));
  const [question, answer, group] = [find(names.question), find(names.answer), find(names.group)];
  if (question >= 0) {
    return { question, answer: answer === question ? -1 : answer, group, header: true };
  }
  const width = Math.max(0, ...lines.slice(0, 20).map((line) => line.length));
  if (width >= 3) return { question: 1, answer: 2, group: 0, header: false };
  return { question: 0, answer: width > 1 ? 1 : -1, group: -1, header: false };
}

export interface Rows {
  rows: Row[];
  /** Lines left out because their question is empty. */
  skipped: number;
}

/**
 * Rows as the table takes them. Without a group column, rows with the same answer are one group:
 * they are different ways to ask one thing.
 */
export function toRows(lines: string[][], columns: Columns): Rows {
  const rows: Row[] = [];
  let skipped = 0;
  const cell = (line: string[], at: number): string => (at < 0 ? '' : (line[at] ?? '').trim());
  for (const line of columns.header ? lines.slice(1) : lines) {
    const question = cell(line, columns.question);
    if (!question) {
      skipped++;
      continue;
    }
    const answer = cell(line, columns.answer);
    const group = columns.group < 0 ? answer || question : cell(line, columns.group);
    rows.push({ question, answer, group });
  }
  return { rows, skipped };
}
