/** Excel workbooks (.xlsx), one sheet as rows of text. Loaded only when such a file is given. */
import readXlsxFile from 'read-excel-file/universal';
import { GyeotError } from '../core/index.js';

export interface Sheet {
  name: string;
  /** Rows as they stand in the sheet, so that `cells[4]` is its row 5. */
  cells: string[][];
}

/** A sheet by its name or its number from 1; the first, where none is asked for. */
export async function readWorkbook(
  bytes: Uint8Array,
  file: string,
  wanted?: string,
): Promise<Sheet> {
  let sheets: Awaited<ReturnType<typeof readXlsxFile>>;
  try {
    // A buffer of its own: what Node reads small files into is shared.
    sheets = await readXlsxFile(new Uint8Array(bytes).buffer);
  } catch (cause) {
    const { message } = cause as Error;
    throw new GyeotError('format', `${file} could not be read as an Excel workbook: ${message}`, {
      file,
      cause,
    });
  }
  const found = wanted === undefined
    ? sheets[0]
    : sheets.find(({ sheet }) => sheet === wanted) ?? sheets[Number(wanted) - 1];
  if (!found) {
    const names = sheets.map(({ sheet }) => `"${sheet}"`).join(', ') || 'none';
    throw new GyeotError('argument', `${file} has no sheet "${wanted ?? 1}"; it has ${names}`, { file });
  }
  return { name: found.sheet, cells: found.data.map((row) => row.map(text)) };
}

/** As the cell reads in the sheet, near enough: days without a time, whole numbers without a point. */
function text(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  if (value instanceof Date) {
    const [day, time] = value.toISOString().split('T') as [string, string];
    return time.startsWith('00:00:00') ? day : `${day} ${time.slice(0, 5)}`;
  }
  return String(value);
}
