/** Excel workbooks as input of the command, made here as Excel writes them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { strToU8, zipSync } from 'fflate';
import { gyeot, model } from './support.js';

let folder;
before(async () => (folder = await mkdtemp(path.join(tmpdir(), 'gyeot-workbooks-'))));
after(() => rm(folder, { recursive: true, force: true }));
const at = (name) => path.join(folder, name);

const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const relations = 'http://schemas.openxmlformats.org/package/2006/relationships';
const xml = (text) => strToU8(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n${text}`);
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/**
 * A workbook of `{ name: rows }`. A cell is a text (kept among the shared ones), a number, null for
 * none, or raw XML of a cell's inside with its attributes.
 */
function workbook(sheets) {
  const names = Object.keys(sheets);
  const shared = [];
  const cell = (value, row, column) => {
    const place = `r="${String.fromCharCode(65 + column)}${row + 1}"`;
    if (value === null) return '';
    if (typeof value === 'number') return `<c ${place}><v>${value}</v></c>`;
    if (typeof value === 'object') return `<c ${place} ${value.attributes}>${value.inside}</c>`;
    shared.push(value);
    return `<c ${place} t="s"><v>${shared.length - 1}</v></c>`;
  };
  const files = {};
  names.forEach((name, index) => {
    const rows = sheets[name].map((cells, row) =>
      cells.length === 0 ? '' : `<row r="${row + 1}">${cells.map((value, column) => cell(value, row, column)).join('')}</row>`);
    files[`xl/worksheets/sheet${index + 1}.xml`] =
      xml(`<worksheet xmlns="${main}"><sheetData>${rows.join('')}</sheetData></worksheet>`);
  });
  const part = (name, type) => `<Override PartName="/xl/${name}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.${type}+xml"/>`;
  const relation = (id, type, target) => `<Relationship Id="rId${id}" Type="${office}/${type}" Target="${target}"/>`;
  return zipSync({
    '[Content_Types].xml': xml('<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">' +
      '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
      '<Default Extension="xml" ContentType="application/xml"/>' + part('workbook', 'sheet.main') +
      part('styles', 'styles') + part('sharedStrings', 'sharedStrings') +
      names.map((_, index) => part(`worksheets/sheet${index + 1}`, 'worksheet')).join('') + '</Types>'),
    '_rels/.rels': xml(`<Relationships xmlns="${relations}">${relation(1, 'officeDocument', 'xl/workbook.xml')}</Relationships>`),
    'xl/workbook.xml': xml(`<workbook xmlns="${main}" xmlns:r="${office}"><sheets>` +
      names.map((name, index) => `<sheet name="${escape(name)}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`).join('') +
      '</sheets></workbook>'),
    'xl/_rels/workbook.xml.rels': xml(`<Relationships xmlns="${relations}">` +
      names.map((_, index) => relation(index + 1, 'worksheet', `worksheets/sheet${index + 1}.xml`)).join('') +
      relation(names.length + 1, 'styles', 'styles.xml') +
      relation(names.length + 2, 'sharedStrings', 'sharedStrings.xml') + '</Relationships>'),
    // The second style shows days.
    'xl/styles.xml': xml(`<styleSheet xmlns="${main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`),
    'xl/sharedStrings.xml': xml(`<sst xmlns="${main}">` +
      shared.map((text) => `<si><t xml:space="preserve">${escape(text)}</t></si>`).join('') + '</sst>'),
    ...files,
  });
}

const faq = [
  ['번호', '분류', '질문', '답변'],
  [1, '수면', '잠이 안 와요', '뒤척이는 <밤> & "새벽"은 길죠.'],
  [2, '수면', { attributes: 't="inlineStr"', inside: '<is><t>밤에 자꾸 깨요</t></is>' }, null],
  [],
  [3, '문의', '번호가 뭔가요?', 1588],
  [4, '문의', '언제 여나요?', { attributes: 's="1"', inside: '<v>45292</v>' }],
  [5, '문의', '어디 있나요?', { attributes: 't="str"', inside: '<f>"서울"&amp;"역"</f><v>서울역</v>' }],
  [6, '문의', '줄이\n바뀌나요?', '네\n바뀌어요'],
];

async function table(file, ...more) {
  return gyeot(['table', file, '--out', at('out.safetensors'), '--model', model, ...more]);
}

test('a workbook is read as a CSV would be, empty rows and all kinds of cells', async () => {
  await writeFile(at('faq.xlsx'), workbook({ '자주 묻는 질문': faq, 다른: [['질문', '답변'], ['안녕', '반가워요']] }));
  const built = await table(at('faq.xlsx'));
  assert.equal(built.code, 0, built.stderr);
  assert.match(built.stderr, /faq\.xlsx: 6 rows \(sheet "자주 묻는 질문"; question "질문", answer "답변", group "분류"\)/);
  const { stdout } = await gyeot(['match', '문의', '--table', at('out.safetensors'), '--model', model, '-k', '9', '--json']);
  const answers = Object.fromEntries(JSON.parse(stdout).map(({ question, answer }) => [question, answer]));
  assert.deepEqual(answers, {
    '잠이 안 와요': '뒤척이는 <밤> & "새벽"은 길죠.',
    '밤에 자꾸 깨요': '',
    '번호가 뭔가요?': '1588',
    '언제 여나요?': '2024-01-01',
    '어디 있나요?': '서울역',
    '줄이\n바뀌나요?': '네\n바뀌어요',
  });
});

test('another sheet is taken by name or number', async () => {
  for (const sheet of ['다른', '2']) {
    const built = await table(at('faq.xlsx'), '--sheet', sheet);
    assert.match(built.stderr, /1 rows \(sheet "다른"/);
  }
});

test('what is wrong with a workbook is said in a line', async () => {
  const cases = {
    'row.xlsx': [workbook({ 가: [['유저', '챗봇'], ['안녕', '반가워'], [], ['누구세요', null]] }),
      /row\.xlsx: row 4, column "챗봇": the answer is empty/],
    'columns.xlsx': [workbook({ 가: [['이름', '값'], ['가', '나']] }), /which column is the question.*"이름", "값"/],
    'empty.xlsx': [workbook({ 가: [] }), /empty\.xlsx is empty/],
    'zip.xlsx': [zipSync({ 'a.txt': strToU8('가') }), /could not be read as an Excel workbook/],
    'cut.xlsx': [workbook({ 가: faq }).subarray(0, 1500), /could not be read as an Excel workbook/],
    'old.xls': [Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1), /old kind.*save it as \.xlsx or CSV/],
  };
  for (const [name, [bytes, pattern]] of Object.entries(cases)) {
    await writeFile(at(name), bytes);
    const { code, stderr } = await table(at(name));
    assert.equal(code, 2, name);
    assert.match(stderr, pattern);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  }
  const none = await table(at('faq.xlsx'), '--sheet', '없는');
  assert.match(none.stderr, /no sheet "없는"; it has "자주 묻는 질문", "다른"/);
  await writeFile(at('plain.csv'), '유저,챗봇\n안녕,반가워\n');
  assert.match((await table(at('plain.csv'), '--sheet', '1')).stderr, /--sheet is for workbooks/);
  assert.match((await table(at('faq.xlsx'), '--encoding', 'cp949')).stderr, /--encoding is for CSV/);
});

test('a workbook with flipped bytes gives an error or a table, never anything else', async () => {
  const { readWorkbook } = await import('../../dist/xlsx.js');
  const file = workbook({ 가: faq });
  let seed = 20250101;
  for (let round = 0; round < 300; round++) {
    const broken = file.slice();
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    broken[seed % file.length] ^= 1 << (seed >>> 29);
    try {
      const { cells } = await readWorkbook(broken, 'broken.xlsx');
      assert.ok(cells.every((row) => row.every((cell) => typeof cell === 'string')));
    } catch (error) {
      assert.equal(error.name, 'GyeotError', `seed ${seed}: ${error?.stack}`);
    }
  }
});
