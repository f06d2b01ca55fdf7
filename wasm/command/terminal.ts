/** What the command says: results to stdout, everything else to stderr, progress only to people. */
import type { Progress } from '../gyeot/types.js';

export interface Terminal {
  /** A line of the result. */
  print(line: string): void;
  /** A remark for people; silent with `--quiet`. */
  note(line: string): void;
  progress(progress: Progress): void;
  /** Removes the progress line. */
  clear(): void;
}

export function terminal(quiet: boolean): Terminal {
  const live = Boolean(process.stderr.isTTY) && !quiet;
  let shown = '';
  let begin = 0;
  let phase = '';
  const draw = (line: string) => {
    if (line === shown) return;
    process.stderr.write(`\r${line}\x1b[K`);
    shown = line;
  };
  const clear = () => {
    if (shown !== '') process.stderr.write('\r\x1b[K');
    shown = '';
  };
  return {
    print(line) {
      clear();
      process.stdout.write(`${line}\n`);
    },
    note(line) {
      if (quiet) return;
      clear();
      process.stderr.write(`${line}\n`);
    },
    progress(state) {
      if (!live) return;
      if (state.phase !== phase) {
        phase = state.phase;
        begin = performance.now();
      }
      const seconds = (performance.now() - begin) / 1000;
      const share = state.total === 0 ? 1 : state.loaded / state.total;
      const percent = `${Math.floor(share * 100)}`.padStart(3);
      if (state.phase !== 'embed') {
        draw(`${state.phase} ${percent} %`);
        return;
      }
      const rate = seconds > 0 ? state.loaded / seconds : 0;
      const left = rate > 0 ? Math.ceil((state.total - state.loaded) / rate) : 0;
      draw(`embed ${percent} %  ${state.loaded} of ${state.total}  ${rate.toFixed(1)}/s  ${left} s left`);
    },
    clear,
  };
}

/** The lines of stdin or a file, without their ends. */
export async function* lines(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  const { createInterface } = await import('node:readline');
  yield* createInterface({ input: stream, crlfDelay: Infinity });
}
