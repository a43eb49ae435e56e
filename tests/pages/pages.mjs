// The pages of serve in a real browser. usage: node pages.mjs URL ODD-URL FAILURE CALL FILES [SHOTS]
// URL serves the samples, ODD-URL the same with hostile texts in it; FAILURE and CALL are ids of the first incident.
// FILES: a folder with reports and stories as files, NAME.html; those that begin with "two-" are for two sheets of A4.
// Prints a line per test (tests/help/protocol.sh). SHOTS: a folder for screenshots, to be looked at.
import {readdirSync} from 'node:fs';
import {createRequire} from 'node:module';
const require = createRequire(process.env.EW_MODULES + '/');
const {chromium} = require('playwright-core');
const axe = require('axe-core').source;

const [url, odd, failure, call, files, shots] = process.argv.slice(2);
let failed = 0;
function test(name, found) {
  if (!found || found.length === 0) return console.log(`ok ${name}`);
  failed++;
  console.log(`not ok ${name}: ${[].concat(found).join('; ').slice(0, 1500)}`);
}
const same = (name, want, got) =>
  test(name, JSON.stringify(want) === JSON.stringify(got) ? '' : `expected ${JSON.stringify(want)}, got ${JSON.stringify(got)}`);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

// A page that notes whatever goes wrong on it.
async function open(options = {}) {
  const context = await browser.newContext({bypassCSP: false, viewport: {width: 1440, height: 900}, ...options});
  const page = await context.newPage();
  page.wrong = [];
  page.on('console', m => { if (['error', 'warning'].includes(m.type())) page.wrong.push(m.text()); });
  page.on('pageerror', e => page.wrong.push(String(e)));
  page.on('dialog', d => { page.wrong.push(`dialog ${d.message()}`); d.dismiss(); });
  page.on('requestfailed', r => page.wrong.push(`failed ${r.url()}`));
  page.on('request', r => { if (!r.url().startsWith(url) && !r.url().startsWith(odd) && !r.url().startsWith('file:')) page.wrong.push(`asked ${r.url()}`); });
  return page;
}

const pages = ['', '?hours=168', 'failures', 'failures?all=1&verdict=refused', `failures/${failure}`, 'calls', `calls/${call}`,
  'partners?since=2012-01-01', 'health?since=2012-01-01', 'decode', 'decode?text=0x320', 'failures?user=nobody'];

// ---- every page: opens, says nothing on the console, fits, has no serious fault, light and dark, wide and narrow ----
const looks = [['light', 1440], ['light', 390], ['dark', 1440], ['dark', 390]];
async function visit(base, colorScheme, width, judge, pages) {
  const page = await open({colorScheme, viewport: {width, height: 900}});
  for (const path of pages) {
    const name = `${base === odd ? 'odd ' : ''}/${path} ${width} ${colorScheme}`;
    const answer = await page.goto(base + path, {waitUntil: 'load'});
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    const found = [...page.wrong];
    page.wrong.length = 0;
    if (answer.status() !== 200 && !base.startsWith('file:')) found.push(`status ${answer.status()}`);
    if (over > 0) found.push(`wider than the screen by ${over}`);
    test(`opens ${name}`, found);
    if (judge) {
      await page.evaluate(axe); // by the driver, past the page's own policy
      // what is dark differs in its contrasts alone
      const result = await page.evaluate(rules => window.axe.run(document, rules ? {runOnly: rules} : {}), colorScheme === 'dark' && !shots ? ['color-contrast'] : null);
      page.wrong.length = 0;
      test(`axe ${name}`, result.violations.filter(v => ['serious', 'critical'].includes(v.impact))
        .map(v => `${v.id}: ${v.nodes[0].html.slice(0, 160)} (${v.nodes.length})`));
    }
    if (shots)
      await page.screenshot({path: `${shots}/${base === odd ? 'odd-' : ''}${path.replace(/[^a-z0-9]+/gi, '_') || 'overview'}-${width}-${colorScheme}.png`, fullPage: true});
  }
  await page.context().close();
}
const main = ['', 'failures', `failures/${failure}`, 'decode?text=0x320'];
for (const [colorScheme, width] of shots ? looks : looks.slice(0, 3)) await visit(url, colorScheme, width, true, pages);
for (const width of [1440, 390]) await visit(odd, 'light', width, false, [...main, `calls/${call}`, 'health?since=2012-01-01', 'partners?since=2012-01-01']);

// ---- reports and stories as files: the same, and printed ----
{
  const names = readdirSync(files).filter(n => n.endsWith('.html')).sort();
  for (const [colorScheme, width] of shots ? looks : [looks[0], looks[3]]) await visit(`file://${files}/`, colorScheme, width, true, names);
  const page = await open();
  for (const name of names.filter(n => n.startsWith('two-'))) {
    await page.goto(`file://${files}/${name}`);
    const pdf = await page.pdf({format: 'A4', ...(shots ? {path: `${shots}/${name}.pdf`} : {})});
    const sheets = (pdf.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g) || []).length;
    test(`prints ${name} on two sheets of A4`, sheets >= 1 && sheets <= 2 ? '' : `${sheets} sheets`);
  }
  await page.context().close();
}

// ---- filters, typed and clicked, with and without script ----
for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with script' : 'without script';
  const page = await open({javaScriptEnabled});
  await page.goto(url + 'failures');
  await page.getByLabel('User').fill('user1');
  await page.getByLabel('Verdict').selectOption('refused');
  await page.getByRole('button', {name: 'Search'}).click();
  same(`filter in the address, ${how}`, ['user1', 'refused'], [...['user', 'verdict'].map(n => new URL(page.url()).searchParams.get(n))]);
  same(`filter finds it, ${how}`, [failure], await page.locator('.list tbody th a').allTextContents());
  await page.getByRole('link', {name: failure, exact: true}).click();
  same(`failure opens, ${how}`, `/failures/${failure}`, new URL(page.url()).pathname);
  // by tshark: the SYN at 10:43:59.4569, its reset 42.5 ms later
  const ladder = await page.locator('figure').first().textContent();
  test(`ladder has the times, ${how}`, ['10:43:49.321', '10:43:59.456', '10:43:59.499', '10:44:00.590'].filter(t => !ladder.includes(t)));
  test(`ladder has the messages, ${how}`, ['INVITE', 'SYN 3074395695', 'RST, ACK', 'Allocate'].filter(t => !ladder.includes(t)));
  const rows = await page.locator('.packets tbody tr').count();
  same(`six packets, ${how}`, 6, rows);
  await page.goBack();
  await page.getByRole('link', {name: 'Clear'}).click();
  test(`clear lists all, ${how}`, (await page.locator('.list tbody tr').count()) > 5 ? '' : 'few rows');
  await page.goto(url + 'failures?limit=5');
  const first = await page.locator('.list tbody th a').allTextContents();
  await page.getByRole('link', {name: 'Older'}).click();
  const second = await page.locator('.list tbody th a').allTextContents();
  test(`older are others, ${how}`, second.length === 5 && !second.some(x => first.includes(x)) ? '' : `${first} then ${second}`);
  await page.getByRole('link', {name: 'Newest'}).click();
  same(`newest again, ${how}`, first, await page.locator('.list tbody th a').allTextContents());
  await page.goto(url + 'decode');
  await page.getByRole('textbox').fill('24; reason="Call failed";CallerMediaDebug="application-sharing:ICEWarn=0x320"');
  await page.getByRole('button', {name: 'Explain'}).click();
  test(`decode explains, ${how}`, (await page.locator('pre.story').textContent()).includes('application sharing') ? '' : 'no words');
  same(`decode keeps the text, ${how}`, true, (await page.getByRole('textbox').inputValue()).startsWith('24; reason="Call'));
  await page.goto(url + 'failures?since=banana');
  test(`a bad time is told, ${how}`, (await page.locator('.problem').textContent()).includes('banana') ? '' : 'not told');
  page.wrong = page.wrong.filter(w => !/status of 400/.test(w));
  test(`nothing went wrong, ${how}`, page.wrong);
  await page.context().close();
}

// ---- keyboard ----
{
  const page = await open();
  await page.goto(url + 'failures');
  await page.keyboard.press('Tab');
  same('first tab goes to the content', 'To the content', await page.evaluate(() => document.activeElement.textContent));
  await page.keyboard.press('Enter');
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('/');
  same('slash goes to the search', 'f-user', await page.evaluate(() => document.activeElement.id));
  await page.context().close();
}

// ---- downloads ----
{
  const page = await open({acceptDownloads: true});
  await page.goto(url + `failures/${failure}`);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', {name: 'pcapng', exact: true}).click()]);
  same('the packets are a file', `failure-${failure}.pcapng`, download.suggestedFilename());
  await page.context().close();
}

// ---- what came over the wire stays text ----
{
  const page = await open();
  await page.goto(odd + `failures/${failure}`);
  const text = await page.locator('main').textContent();
  test('script is shown as text', text.includes('<script>alert(1)</script>') ? '' : 'not there');
  same('no element of it', 0, await page.locator('main script, main img, main b[onmouseover]').count());
  await page.goto(odd + 'failures');
  const box = await page.locator('.list').boundingBox();
  test('a name of 2,000 characters stays in the list', box.width <= 1440 ? '' : `${box.width} wide`);
  test('nothing ran', page.wrong);
  await page.context().close();
}

await browser.close();
process.exit(failed ? 1 : 0);
