/** One press of Enter sends a Hangul message once, in the event order of every engine. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { launch, serve, visitor } from './harness.js';

let browser;
let host;
let person;
let page;

before(async () => {
  browser = await launch();
  // The composer needs no answers: the model's manifest never arrives.
  host = await serve({ override: (name) => (name === 'model/gyeot.json' ? { delay: 600_000 } : null) });
  person = await visitor(browser);
  page = await person.context.newPage();
  await page.goto(host.url);
  await page.waitForSelector('.turn.bot');
});
after(async () => {
  person.check(host.url);
  await browser.close();
  await host.stop();
});
beforeEach(async () => {
  await page.evaluate(() => {
    document.querySelectorAll('.turn.you').forEach((turn) => turn.remove());
    const field = document.querySelector('#message');
    field.value = '';
    field.blur();
    field.focus();
  });
});

const sent = () => page.locator('.turn.you .bubble').allInnerTexts();
const left = () => page.inputValue('#message');

/**
 * Plays what an engine does: `key` is a keydown of Enter, `compose` and `commit` are an input
 * method's, `break` is the line break that the engine inserts unless it was prevented.
 */
async function play(steps) {
  await page.evaluate(async (list) => {
    const field = document.querySelector('#message');
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    let prevented = false;
    for (const step of list) {
      if (step.compose !== undefined) {
        field.value = (step.before ?? '') + step.compose;
        field.dispatchEvent(new CompositionEvent('compositionupdate', { data: step.compose, bubbles: true }));
        field.dispatchEvent(new InputEvent('input', { bubbles: true, isComposing: true }));
      } else if (step.commit !== undefined) {
        field.dispatchEvent(new CompositionEvent('compositionend', { data: step.commit, bubbles: true }));
      } else if (step.key !== undefined) {
        const event = new KeyboardEvent('keydown', {
          key: step.key.key ?? 'Enter',
          code: step.key.code ?? 'Enter',
          isComposing: step.key.composing ?? false,
          shiftKey: step.key.shift ?? false,
          bubbles: true,
          cancelable: true,
        });
        Object.defineProperty(event, 'keyCode', { value: step.key.keyCode ?? 13 });
        prevented = !field.dispatchEvent(event);
      } else if (step.break) {
        const event = new InputEvent('beforeinput', {
          inputType: 'insertLineBreak', bubbles: true, cancelable: true,
        });
        if (!prevented && field.dispatchEvent(event)) {
          field.value += '\n';
          field.dispatchEvent(new InputEvent('input', { bubbles: true }));
        }
      } else if (step.wait !== undefined) {
        await pause(step.wait);
      }
    }
    await pause(30);
  }, steps);
}

const composing = { composing: true, keyCode: 229 };

const orders = {
  'Chrome on macOS: commit, then the same key again': [
    { compose: '힘들어요' }, { key: composing }, { commit: '요' }, { key: {} }, { break: true },
  ],
  'Chrome on Windows: Process key, commit, a plain key in the next task': [
    { compose: '힘들어요' }, { key: { ...composing, key: 'Process' } }, { commit: '요' },
    { wait: 5 }, { key: {} }, { break: true },
  ],
  'Chrome on Linux: commit and no second key': [
    { compose: '힘들어요' }, { key: composing }, { commit: '요' },
  ],
  'Firefox: commit, then a line break of its own': [
    { compose: '힘들어요' }, { key: composing }, { commit: '요' }, { break: true },
  ],
  'Safari: commit first, then keydown 229': [
    { compose: '힘들어요' }, { commit: '요' }, { key: { keyCode: 229 } }, { break: true },
  ],
  'Android: commit, a plain key a moment later': [
    { compose: '힘들어요' }, { commit: '힘들어요' }, { wait: 80 }, { key: {} }, { break: true },
  ],
};

for (const [name, steps] of Object.entries(orders)) {
  test(`sends once: ${name}`, async () => {
    await play(steps);
    assert.deepEqual(await sent(), ['힘들어요']);
    assert.equal(await left(), '');
  });
}

test('Japanese and Chinese: Enter picks a candidate and sends nothing', async () => {
  await play([{ compose: 'つかれた' }, { key: composing }, { commit: '疲れた' }]);
  assert.deepEqual(await sent(), []);
  await play([{ compose: '疲れた' }, { commit: '疲れた' }, { key: { keyCode: 229 } }]);
  assert.deepEqual(await sent(), []);
  await play([{ key: {} }]);
  assert.deepEqual(await sent(), ['疲れた'], 'the next Enter sends');
});

test('another key takes a waiting send back', async () => {
  const letter = { key: 'a', code: 'KeyA', keyCode: 65, composing: true };
  await play([{ compose: '힘들' }, { key: composing }, { key: letter }, { commit: '들' }]);
  assert.deepEqual(await sent(), []);
});

test('Shift+Enter starts a line, blank messages are not sent', async () => {
  await page.focus('#message');
  await page.keyboard.type('한 줄');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('두 줄');
  await page.keyboard.press('Enter');
  assert.deepEqual(await sent(), ['한 줄\n두 줄']);
  await page.keyboard.type('   ');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  assert.equal((await sent()).length, 1);
});

test("Chromium's own input method: composed through the DevTools protocol", async () => {
  const session = await page.context().newCDPSession(page);
  await page.focus('#message');
  for (const text of ['ㅎ', '하', '한']) {
    await session.send('Input.imeSetComposition', { text, selectionStart: 1, selectionEnd: 1 });
  }
  await session.send('Input.dispatchKeyEvent', {
    type: 'rawKeyDown', key: 'Process', code: 'Enter', windowsVirtualKeyCode: 229,
  });
  await session.send('Input.insertText', { text: '한' });
  await page.waitForTimeout(50);
  await page.keyboard.press('Enter');
  await page.waitForTimeout(50);
  assert.deepEqual(await sent(), ['한']);
  assert.equal(await left(), '');
});

test('the field grows to five lines, takes 10,000 characters and emoji', async () => {
  const height = () => page.$eval('#message', (field) => field.getBoundingClientRect().height);
  const one = await height();
  await page.fill('#message', '하나\n둘\n셋');
  const three = await height();
  assert.ok(three > one + 40, `${one} → ${three}`);
  await page.fill('#message', Array(30).fill('줄').join('\n'));
  const full = await height();
  const line = await page.$eval('#message', (field) => parseFloat(getComputedStyle(field).lineHeight));
  assert.ok(full <= 5 * line + 24, `${full} px for five lines of ${line}`);
  assert.equal(await page.$eval('#message', (field) => getComputedStyle(field).fontSize), '16px');
  const long = '가나다라마바사아자차'.repeat(1_000) + '👩‍👩‍👧🏽';
  await page.fill('#message', long);
  await page.press('#message', 'Enter');
  assert.equal((await page.locator('.turn.you .bubble').evaluate((bubble) => bubble.textContent)), long);
  assert.equal(await height(), one, 'small again');
});

test('Up brings the last message back, only into an empty field', async () => {
  await page.fill('#message', '방금 한 말');
  await page.press('#message', 'Enter');
  await page.press('#message', 'ArrowUp');
  assert.equal(await left(), '방금 한 말');
  await page.fill('#message', '새 말');
  await page.press('#message', 'ArrowUp');
  assert.equal(await left(), '새 말');
});
