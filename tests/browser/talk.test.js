/** The conversation: waiting, answers, other stories, follow-ups, fallbacks, why. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  answered, asked, begin, lastReply, modelFiles, open, outside, phone, ready, reply, say, serve, toast, visitor,
} from './harness.js';

let browser;
let page;
let end;

before(async () => {
  const permissions = ['clipboard-read', 'clipboard-write'];
  ({ browser, page, end } = await begin({ viewport: phone, permissions }));
});
after(() => end());

const last = () => lastReply(page);

test('the first visit reads at once, shows bytes and time left, and keeps the question', async () => {
  const { weights } = modelFiles();
  const slow = await serve({
    override: (name) => (weights.includes(name) ? { bytesPerSecond: 7_000_000 } : null),
  });
  const { context, check } = await visitor(browser, { viewport: phone });
  const first = await context.newPage();
  await first.goto(slow.url);
  const intro = await first.locator('.intro').innerText();
  for (const words of ['이 기기를 떠나지 않아요', '의학적 조언', '프로그램']) assert.ok(intro.includes(words));
  await first.fill('#message', asked);
  await first.press('#message', 'Enter');
  assert.match(await first.locator('.turn.you').innerText(), /준비되면 답할게요/);
  const seen = { bytes: false, time: false, values: [] };
  for (;;) {
    const state = await first.evaluate(() => ({
      done: document.querySelector('#progress').hidden,
      detail: document.querySelector('#progress-detail').textContent,
      value: document.querySelector('#progress-bar').position,
    }));
    if (state.done) break;
    seen.bytes ||= /[\d.]+ \/ [\d.]+ MB/.test(state.detail);
    seen.time ||= /남았어요|곧 끝나요/.test(state.detail);
    seen.values.push(state.value);
    await first.waitForTimeout(60);
  }
  assert.ok(seen.bytes, 'megabytes are shown');
  assert.ok(seen.time, 'the time left is shown');
  const download = seen.values.filter((value) => value >= 0 && value <= 1);
  assert.ok(download.length > 5);
  assert.equal(await reply(first, 1), answered, 'answered when ready');
  assert.doesNotMatch(await first.locator('.turn.you').innerText(), /준비되면/);
  assert.match(await first.textContent('#status'), /준비됐어요/);
  check(slow.url);
  await context.close();
  await slow.stop();
});

test('responses of a group take turns and do not repeat', async () => {
  const replies = [];
  for (let i = 0; i < 3; i++) replies.push(await say(page, '요즘 잠이 안 와요'));
  assert.equal(new Set(replies).size, 3, replies.join(' | '));
});

test('why: the matched question, its score, runners-up, and the sentence token by token', async () => {
  await say(page, asked);
  const button = last().locator('.why-button');
  assert.equal(await button.getAttribute('aria-expanded'), 'false');
  await button.click();
  assert.equal(await button.getAttribute('aria-expanded'), 'true');
  const panel = last().locator('.why');
  await panel.locator('.tokens li').first().waitFor();
  const text = await panel.innerText();
  assert.match(text, /가장 가까운 문장/);
  assert.match(text, /감정/);
  assert.match(text, /비슷한 정도 0\.\d{3}/);
  assert.ok((await panel.locator('.runners li').count()) > 0);
  const tokens = await panel.locator('.tokens li:not(.special) b').allInnerTexts();
  assert.equal(tokens.join('').replaceAll(/[ ␣]/g, ''), asked.replaceAll(' ', ''), 'nothing of it is lost');
  await panel.press('Escape').catch(() => {});
  await button.focus();
});

test('another story is offered as chips; a tap asks it', async () => {
  const count = await page.locator('.turn.bot').count();
  await say(page, outside[0]);
  assert.match(await last().getAttribute('class'), /fallback/);
  const chips = last().locator('.chip');
  assert.ok((await chips.count()) > 0 && (await chips.count()) <= 3);
  const text = await chips.first().innerText();
  await chips.first().click();
  await reply(page, count + 1);
  assert.equal(await page.locator('.turn.you').last().locator('.bubble').innerText(), text);
  assert.match(await last().getAttribute('class'), /match/);
  assert.equal(await page.locator('.fallback .chip').count(), 0, 'older offers go away');
});

test('a fallback says so honestly, differently each time', async () => {
  const first = await say(page, outside[0]);
  const second = await say(page, outside[1]);
  assert.notEqual(first, second);
  await last().locator('.why-button').click();
  assert.match(await last().locator('.why').innerText(), /충분히 가까운 문장이 없어서/);
});

test('a follow-up of one or two words is read with the turn before it', async () => {
  await say(page, '남자친구와 헤어졌어요');
  await say(page, '너무 슬퍼');
  const turn = last();
  await turn.locator('.why-button').click();
  const text = await turn.locator('.why').innerText();
  assert.match(text, /남자친구와 헤어졌어요.*이어서 읽었어요|너무 슬퍼요/s);
});

test('a reply can be copied', async () => {
  const text = await say(page, asked);
  await last().locator('.actions button').first().click();
  await toast(page, '복사');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
});

test('reading further up is not interrupted: a button leads to the new answer', async () => {
  await say(page, Array(40).fill('긴 이야기').join('\n'));
  await page.evaluate(() => {
    // A reply that comes while the reader is elsewhere: ask, then scroll away at once.
    const field = document.querySelector('#message');
    field.value = '요즘 잠이 안 와요';
    field.dispatchEvent(new InputEvent('input', { bubbles: true }));
    field.form.requestSubmit();
    document.querySelector('#scroller').scrollTo(0, 0);
  });
  await page.locator('#jump').waitFor({ state: 'visible' });
  await page.click('#jump');
  const gap = await page.$eval('#scroller', (box) => box.scrollHeight - box.scrollTop - box.clientHeight);
  assert.ok(gap < 2, `${gap} px from the end`);
});

test('the keyboard of a phone does not hide the field', async () => {
  await page.setViewportSize({ width: 360, height: 420 });
  const box = await page.locator('#message').boundingBox();
  assert.ok(box.y + box.height <= 420, 'the field is in view');
  const meta = await page.getAttribute('meta[name=viewport]', 'content');
  assert.match(meta, /interactive-widget=resizes-content/);
  await page.setViewportSize(phone);
});

test('in the view of a chat app, without service workers: a word about a real browser, and answers', async () => {
  const kakao = 'Mozilla/5.0 (Linux; Android 14; SM-S918N; wv) AppleWebKit/537.36 (KHTML, like Gecko) ' +
    'Version/4.0 Chrome/124.0.0.0 Mobile Safari/537.36;KAKAOTALK 2410820';
  const { context, check } = await visitor(browser, { viewport: phone, userAgent: kakao });
  await context.addInitScript(() =>
    Object.defineProperty(Navigator.prototype, 'serviceWorker', { get: () => undefined }));
  const inside = await serve();
  const view = await open(context, inside.url);
  assert.match(await view.locator('.note').first().innerText(), /크롬이나 사파리로 열면/);
  assert.equal(await say(view, asked), answered);
  await view.click('#open-settings');
  assert.match(await view.textContent('#offline-state'), /인터넷/);
  check(inside.url);
  await context.close();
  await inside.stop();
  assert.equal(await page.locator('.talk .note').count(), 0, 'not in a browser of its own');
});

test('on paper: the whole conversation, dark on light, without buttons', async () => {
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  for (const gone of ['.dock', '.tools', '.actions', '.starters']) {
    for (const element of await page.locator(gone).all()) assert.equal(await element.isVisible(), false, gone);
  }
  const look = await page.evaluate(() => {
    const scroller = document.querySelector('#scroller');
    const style = getComputedStyle(document.querySelector('.turn.bot .bubble'));
    const light = (colour) => {
      const [r, g, b] = colour.match(/[\d.]+/g).map(Number);
      return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
    };
    return {
      cut: scroller.scrollHeight - scroller.clientHeight,
      text: light(style.color),
      page: light(getComputedStyle(document.body).backgroundColor),
    };
  });
  assert.ok(look.cut <= 1, `${look.cut} px are cut off`);
  assert.ok(look.text < 0.4, 'dark ink');
  assert.ok(look.page > 0.9, 'on light paper');
  await page.emulateMedia({ media: null, colorScheme: null });
});

test('a metered connection is asked before the download', async () => {
  const { context, check } = await visitor(browser);
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'connection', { get: () => ({ saveData: true }) });
  });
  const fresh = await serve();
  const metered = await context.newPage();
  await metered.goto(fresh.url);
  await metered.waitForSelector('#progress[data-state="asking"]');
  assert.match(await metered.textContent('#progress-detail'), /\d+\.\d MB/);
  await metered.waitForTimeout(300);
  assert.ok(!fresh.requests.some((name) => /onnx|ort-wasm/.test(name)), 'nothing large was fetched');
  await metered.click('#progress-button');
  await ready(metered);
  assert.equal(await say(metered, asked), answered);
  check(fresh.url);
  await context.close();
  await fresh.stop();
});

test('a failed download is explained, and trying again heals it', async () => {
  let broken = true;
  const shaky = await serve({
    override: (name) => (broken && name === modelFiles().weights[0]
      ? { body: Buffer.from('<!doctype html><title>not found</title>'), type: 'text/html' } : null),
  });
  const { context, check } = await visitor(browser);
  const visit = await context.newPage();
  await visit.goto(shaky.url);
  await visit.waitForSelector('#progress[data-state="failed"]');
  assert.match(await visit.textContent('#alert'), /온전하지 않아요/);
  broken = false;
  await visit.click('#progress-button');
  await ready(visit);
  assert.equal(await say(visit, asked), answered);
  check(shaky.url);
  await context.close();
  await shaky.stop();
});
