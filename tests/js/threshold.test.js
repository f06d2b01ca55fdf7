/** Tables for which nobody has named a threshold: what is not theirs gets the fallback all the same. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gyeot } from '../../dist/node.js';
import { gyeot, model } from './support.js';

let folder;
before(async () => (folder = await mkdtemp(path.join(tmpdir(), 'gyeot-threshold-'))));
after(() => rm(folder, { recursive: true, force: true }));

/** Builds a table of lines and gives it with what the command said. */
async function table(lines, ...more) {
  const out = path.join(folder, 't.safetensors');
  await rm(out, { force: true });
  await writeFile(path.join(folder, 't.csv'), ['질문,답변,구분', ...lines].join('\n'));
  const { code, stdout, stderr } = await gyeot(['table', path.join(folder, 't.csv'), '--out', out, '--json', ...more]);
  assert.equal(code, 0, stderr);
  return { report: JSON.parse(stdout), bytes: new Uint8Array(await readFile(out)) };
}

const shop = [
  '영업시간이 어떻게 되나요?,평일 9시부터 6시까지예요.,', '주차 되나요?,건물 지하에 무료 주차장이 있어요.,',
  '배송은 얼마나 걸려요?,이틀 안에 도착해요.,', '환불하고 싶어요,7일 안에 환불해 드려요.,',
  '회원 탈퇴는 어떻게 하나요?,설정에서 하실 수 있어요.,',
];

test('a table of five rows answers its own questions and not what is asked elsewhere', async () => {
  const { report, bytes } = await table(shop);
  const bot = await Gyeot.load({ model, table: bytes, safety: null });
  assert.equal(bot.table.threshold, report.threshold);
  assert.ok(report.threshold > 0.7 && report.threshold < 0.8, `${report.threshold}`);
  const kinds = async (...texts) => Promise.all(texts.map(async (text) => (await bot.ask(text)).kind));
  assert.deepEqual(await kinds('몇 시에 문 열어요?', '차 대도 되나요', '돈 돌려받을 수 있나요', '탈퇴할래요'),
    Array(4).fill('match'));
  assert.deepEqual(await kinds('파이썬으로 퀵정렬 코드 짜 줘', '삼성전자 주가 얼마야', '김치찌개 끓이는 법', 'ㅋㅋㅋㅋ'),
    Array(4).fill('fallback'));
  bot.close();
});

test('it is lower where the table’s own questions are far from each other', async () => {
  const far = ['운동화 얼마예요?', '제주도에 비가 오나요', '첨부한 서류를 봐 주세요', '고양이가 밥을 안 먹어요', '이사 날짜를 바꿀래요',
    '피아노는 몇 층에서 쳐요', '와이파이가 끊겨요', '생일 케이크 예약', '버스가 몇 분마다 와요', '영수증을 잃어버렸어요',
    '수영장 물이 차가워요', '졸업식은 언제 하나요', '엘리베이터가 멈췄어요', '김장 담그는 법', '사진이 흐리게 나와요',
    '가입할 때 주민번호가 필요해요?', '감자튀김 빼 주세요', '회의실 불이 안 켜져요', '머리를 짧게 자를까요', '택시를 불러 주세요',
    '책을 연장하고 싶어요', '열이 사십 도예요', '줄넘기 몇 개 했어요', '외국에서 카드가 안 돼요'];
  const alone = await table(far.map((text, row) => `${text},네,${row}`));
  const paired = await table(far.map((text, row) => `${text},네,${row >> 1}`));
  assert.ok(paired.report.threshold < alone.report.threshold,
    `${paired.report.threshold} in pairs, ${alone.report.threshold} alone`);
});

test('a threshold that is named is the one', async () => {
  assert.equal((await table(shop, '--threshold', '0.5')).report.threshold, 0.5);
  assert.equal((await table(shop, '--threshold', '0')).report.threshold, 0);
});

test('a table that an app or a page makes has the one of its model', async () => {
  const bot = await Gyeot.load({ model, table: null, safety: null });
  const rows = shop.map((line) => line.split(',')).map(([question, answer]) => ({ question, answer }));
  const { threshold } = await bot.addTable(rows, { replace: true });
  assert.ok(threshold > 0.7, `${threshold}`);
  assert.equal((await bot.ask('차 대도 되나요')).kind, 'match');
  assert.equal((await bot.ask('파이썬으로 퀵정렬 코드 짜 줘')).kind, 'fallback');
  bot.close();
});
