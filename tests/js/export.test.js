/** What `gyeot export` writes, read back by what it is written for: lines of JSON and PostgreSQL. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { gyeot, model } from './support.js';

/** Questions and answers that trip up whoever writes SQL or JSON without care. */
const awkward = [
  ['감정', "그랬'군요''", "O'Reilly; DROP TABLE gyeot_rows; --"],
  ['감정', '역슬래시 \\ 와 \\n 과 E\\x27', '\\'],
  ['한 줄 더', '첫 줄\n둘째 줄\r\n셋째', '탭\t과 "따옴표"'],
  ['이모지 👩‍👩‍👧', '𠮷野家 🫠', '🫠'],
  ['이모지 👩‍👩‍👧', '빈 답', ''],
  ['$$', '$1 $$ :name %s {0}', 'U+2028:\u2028 끝'],
  ['수면', '잠이 안 와요', '눈만 감고 있어 봐요.'],
];
const asked = ['잠을 못 자겠어', '팀장 때문에 힘들다', '우리 강아지가 떠났어요', '너는 누구야?'];

let folder;
let table;
let db;
const at = (name) => path.join(folder, name);
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gyeot-export-'));
  table = await awkwardTable();
  db = new PGlite({ extensions: { vector } });
  await db.waitReady;
});
after(async () => {
  await db?.close();
  await rm(folder, { recursive: true });
});

async function ok(args, input) {
  const { code, stdout, stderr } = await gyeot(args, { input });
  assert.equal(code, 0, stderr);
  return stdout;
}

/** The awkward table, as the package itself reads it. */
async function awkwardTable() {
  const cell = (text) => `"${text.replaceAll('"', '""')}"`;
  const csv = [['구분', '유저', '챗봇'], ...awkward].map((row) => row.map(cell).join(',')).join('\n');
  await writeFile(at('awkward.csv'), csv);
  await ok(['table', at('awkward.csv'), '--out', at('awkward.safetensors'), '--model', model]);
  return tableOf(await readFile(at('awkward.safetensors')));
}

/** The rows and the metadata of a table file, read from its bytes alone. */
function tableOf(file) {
  const size = Number(file.readBigUInt64LE());
  const { __metadata__: meta, ...tensors } = JSON.parse(file.subarray(8, 8 + size));
  const bytes = (name) => new Uint8Array(file).slice(...tensors[name].data_offsets.map((x) => x + 8 + size));
  const texts = (name) => {
    const ends = new Uint32Array(bytes(`${name}_offsets`).buffer);
    return (row) => Buffer.from(bytes(`${name}_bytes`).subarray(ends[row], ends[row + 1])).toString();
  };
  const [count, dimension] = tensors.vectors.shape;
  assert.equal(tensors.vectors.dtype, 'F32');
  const vectors = new Float32Array(bytes('vectors').buffer);
  const [group, question, answer] = ['group', 'question', 'answer'].map(texts);
  const rows = Array.from({ length: count }, (_, id) => ({
    id,
    group: group(id),
    question: question(id),
    answer: answer(id),
    vector: Array.from(vectors.subarray(id * dimension, (id + 1) * dimension)),
  }));
  return { meta, rows };
}

test('JSON lines give every text and every float back', async () => {
  await ok(['export', '--table', at('awkward.safetensors'), '--to', 'jsonl', '--out', at('t.jsonl')]);
  const read = (await readFile(at('t.jsonl'), 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(read.map(({ group, question, answer }) => [group, question, answer]), awkward);
  assert.deepEqual(read, table.rows);
});

test('PostgreSQL gives every text and every float back', async () => {
  await ok([
    'export', '--table', at('awkward.safetensors'), '--to', 'pgvector', '--out', at('t.sql'), '--name', 'faq',
  ]);
  // A session that reads backslashes as escapes still reads the file as it was written.
  await db.exec('SET standard_conforming_strings = off');
  await db.exec(await readFile(at('t.sql'), 'utf8'));
  await db.exec('RESET standard_conforming_strings');
  const { rows } = await db.query('SELECT id, grp AS "group", question, answer, vector::text AS v FROM faq ORDER BY id');
  const read = rows.map(({ v, ...row }) => ({ ...row, vector: JSON.parse(v).map(Math.fround) }));
  assert.deepEqual(read, table.rows);
  const comment = await db.query("SELECT obj_description('faq'::regclass) AS text");
  assert.equal(comment.rows[0].text, `model ${table.meta.fingerprint}`);
});

/** The search of a table of bytes reads the question in 14 bits. */
const rounding = 5e-5;

test('pgvector finds the rows of the default table that `gyeot match` finds', async (context) => {
  await ok(['export', '--to', 'pgvector', '--out', at('ko.sql')]);
  const lines = await ok(['embed'], asked.map((text) => `${JSON.stringify(text)}\n`).join(''));
  const queries = lines.trimEnd().split('\n');
  await db.exec(await readFile(at('ko.sql'), 'utf8'));
  let worst = 0;
  let same = 0;
  for (const [index, query] of queries.entries()) {
    const ours = JSON.parse(await ok(['match', asked[index], '-k', '10', '--json']));
    const nearest = (scan) => db.transaction(async (session) => {
      await session.exec(`SET LOCAL ${scan} = off; SET LOCAL hnsw.ef_search = 200`);
      const found = await session.query(
        'SELECT id, 1 - (vector <=> $1::vector) AS score FROM gyeot_rows ORDER BY vector <=> $1::vector LIMIT 10',
        [query],
      );
      const plan = await session.query(
        'EXPLAIN SELECT id FROM gyeot_rows ORDER BY vector <=> $1::vector LIMIT 10', [query],
      );
      return { rows: found.rows, plan: JSON.stringify(plan.rows) };
    });
    const exact = await nearest('enable_indexscan');
    const indexed = await nearest('enable_seqscan');
    assert.match(exact.plan, /Seq Scan/);
    assert.match(indexed.plan, /Index Scan using gyeot_rows_vector_idx/);
    for (const rank of ours.keys()) {
      // Scores fall in one order in both; rows may change places only where their scores are the same.
      const gap = Math.abs(exact.rows[rank].score - ours[rank].score);
      worst = Math.max(worst, gap);
      assert.ok(gap < rounding, `${asked[index]}: rank ${rank} differs by ${gap}`);
      const other = ours.find(({ row }) => row === exact.rows[rank].id);
      assert.ok(other ? Math.abs(other.score - ours[rank].score) < rounding : rank === 9);
    }
    same += indexed.rows.filter(({ id }) => ours.some(({ row }) => row === id)).length;
  }
  context.diagnostic(`exact: scores within ${worst.toExponential(1)}; by the index: ${same} of ${asked.length * 10} rows`);
  assert.ok(same >= asked.length * 9.5);
});
