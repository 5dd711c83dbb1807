import { readFile } from 'node:fs/promises';
import { simpleParser } from 'mailparser';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deterministicBytes, message } from '../support/mail.js';
import { PIXEL } from '../support/mail-fixtures-structure.js';
import { frame, open, startTrap, subjects, type WebmailPlace } from './webmail-place.js';

/** Tests of messages, opened and written, for one place with the others. */
export function messageTests(place: () => WebmailPlace): void {
  describe('a message', () => {
    it('runs nothing and reaches no other server, and shows the pictures that came with it', async () => {
      const trap = await startTrap();
      onTestFinished(trap.close);
      const bad = `http://${trap.host}`;
      const html = `<link rel="preconnect" href="${bad}"><link rel="stylesheet" href="${bad}/a.css"><meta http-equiv="refresh" content="0;url=${bad}/m">
      <base href="${bad}/"><style>@import url(${bad}/b.css); body { background: url(${bad}/c.png) } @font-face { font-family: x; src: url(${bad}/f) } p { font-family: x }</style>
      <script>parent.hacked = 1; top.document.title = 'hacked'; fetch('${bad}/s')</script>
      <img src="${bad}/d.png" onerror="top.hacked = 2" onload="top.hacked = 3"><img src="/logout" srcset="${bad}/e.png 2x"><svg onload="top.hacked = 4"><use href="${bad}/u.svg#a"/></svg>
      <iframe src="${bad}/f" srcdoc="<script>top.hacked = 5</script>"></iframe><object data="${bad}/o"></object><embed src="${bad}/e"><video src="${bad}/v" poster="${bad}/p" autoplay></video><audio src="${bad}/w" autoplay></audio>
      <form action="${bad}/g"><input name="a" autofocus onfocus="top.hacked = 6"><button>Send</button></form>
      <a id="js" href="javascript:top.hacked=7" target="_self">script</a> <a id="self" href="${bad}/x" target="_self">self</a> <a id="top" href="${bad}/y" target="_top">top</a>
      <img id="own" src="cid:pixel%40example.com" alt="own"><p>The visible text</p></textarea></title></noscript><!-- --!><plaintext>`;
      const user = place().dovecot.user();
      const attachments = [{ contentId: 'pixel@example.com', contentType: 'image/png', content: PIXEL }];
      await place().dovecot.deliver(
        user,
        'INBOX',
        message({
          subject: '<script>top.hacked = 8</script>',
          from: '"<img src=x onerror=top.hacked=9>" <a@example.com>',
          html,
          attachments,
        }),
      );
      const { page } = await place().signedIn(user);
      const address = page.url();
      const dialogs: string[] = [];
      page.on('dialog', (dialog) => dialogs.push(dialog.message()));
      await open(page, '<script>top.hacked = 8</script>');
      await frame(page).getByText('The visible text').waitFor();
      expect(
        await frame(page)
          .locator('#own')
          .evaluate((it) => (it as unknown as { naturalWidth: number }).naturalWidth),
      ).toBe(1);
      const opened = page.url();
      await page.getByText('Pictures from other servers are not loaded').waitFor();
      expect(trap.connections()).toBe(0);
      for (const link of ['#js', '#top', 'form button']) {
        await frame(page).locator(link).click({ noWaitAfter: true });
        expect([link, trap.connections()]).toEqual([link, 0]);
      }
      // A link that is clicked may connect. What it names is not shown in place of the message all the same.
      await frame(page).locator('#self').click({ noWaitAfter: true });
      expect(await page.evaluate('window.hacked')).toBeUndefined();
      expect(await page.title()).toContain('<script>');
      expect(page.url()).toBe(opened);
      expect(opened.startsWith(address)).toBe(true);
      expect(dialogs).toEqual([]);
      await page.getByText('Pictures from other servers are not loaded').waitFor();
      // Still signed in: the picture that names /logout changed nothing.
      await page.reload();
      await frame(page).getByText('The visible text').waitFor();
    });

    it('in plain text keeps its lines, and has links that open elsewhere', async () => {
      const user = place().dovecot.user();
      const text = 'One\n  two <b>&amp; \nsee https://example.com/a?b=1&c=2>, or (http://example.org/x).';
      await place().dovecot.deliver(user, 'INBOX', message({ subject: 'Plain', text }));
      const { page } = await place().signedIn(user);
      await open(page, 'Plain');
      expect((await frame(page).locator('body').textContent())?.trim()).toBe(text);
      const links = frame(page).locator('a');
      expect(await links.evaluateAll((all) => all.map((it) => it.getAttribute('href')))).toEqual([
        'https://example.com/a?b=1&c=2',
        'http://example.org/x',
      ]);
    });

    it('gives its attachments byte for byte, whatever they are called, and never as a page', async () => {
      const contents = new Map<string, Buffer>([
        ['Übersicht – 見積もり.pdf', deterministicBytes(300_001)],
        ['page.html', Buffer.from('<script>alert(1)</script>')],
        ['nothing.txt', Buffer.alloc(0)],
        ['../../etc/"passwd"; x=\'y\'.svg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
      ]);
      const attachments = [...contents].map(([filename, content]) => ({
        filename,
        content,
        contentType: filename.endsWith('html') ? 'text/html' : 'image/svg+xml',
      }));
      const user = place().dovecot.user();
      await place().dovecot.deliver(user, 'INBOX', message({ subject: 'Files', text: 'x', attachments }));
      const { page } = await place().signedIn(user);
      await open(page, 'Files');
      const links = page.getByRole('list', { name: 'Attachments' }).getByRole('link');
      const names: string[] = [];
      for (const [at, content] of [...contents.values()].entries()) {
        const [download] = await Promise.all([page.waitForEvent('download'), links.nth(at).click()]);
        expect(await readFile(await download.path())).toEqual(content);
        names.push(download.suggestedFilename());
      }
      expect(names.slice(0, 3)).toEqual(['Übersicht – 見積もり.pdf', 'page.html', 'nothing.txt']);
      expect(names[3]).not.toContain('/');
      const answer = await page.request.get(new URL((await links.nth(1).getAttribute('href')) ?? '', place().url).href);
      expect(answer.headers()).toMatchObject({
        'content-type': 'application/octet-stream',
        'x-content-type-options': 'nosniff',
      });
    });

    it('is shown within its conversation, with the answer that is in Sent', async () => {
      const user = place().dovecot.user();
      const ids = ['<1@example.com>', '<2@example.com>', '<3@example.com>'];
      await place().dovecot.deliver(user, 'INBOX', [
        message({ subject: 'Lunch', messageId: ids[0] ?? '', text: 'At noon?' }),
        message({
          subject: 'Re: Lunch',
          messageId: ids[2] ?? '',
          references: ids.slice(0, 2),
          text: 'Good.',
          date: new Date('2024-05-08T07:00:00Z'),
        }),
      ]);
      await place().dovecot.deliver(
        user,
        'Sent',
        message({
          subject: 'Re: Lunch',
          messageId: ids[1] ?? '',
          references: ids.slice(0, 1),
          from: 'Me <me@example.com>',
          text: 'At one.',
          date: new Date('2024-05-07T07:00:00Z'),
        }),
      );
      const { page } = await place().signedIn(user);
      await open(page, 'Lunch');
      await frame(page).getByText('At noon?').waitFor();
      const thread = page.locator('.thread a');
      expect(await thread.locator('.preview').allTextContents()).toEqual(['At one.', 'Good.']);
      await thread.filter({ hasText: 'At one.' }).click();
      await frame(page).getByText('At one.').waitFor();
      // The list is still that of the inbox.
      expect(await subjects(page)).toEqual(['Re: Lunch', 'Lunch']);
    });
  });

  describe('an answer', () => {
    it('is put into Sent once, however often it is sent, and marks what it answers', async () => {
      const user = place().dovecot.user();
      await place().dovecot.deliver(user, 'Sent', message({ subject: 'Older' }));
      await place().dovecot.deliver(
        user,
        'INBOX',
        message({
          subject: 'Grüße',
          messageId: '<q@example.com>',
          from: 'Bo "B." Sørensen <bo@example.com>',
          text: 'Wie geht es?',
        }),
      );
      const { page } = await place().signedIn(user);
      await open(page, 'Grüße');
      await page.getByRole('link', { name: 'Reply', exact: true }).click();
      expect(await page.getByLabel('Subject').inputValue()).toBe('Re: Grüße');
      await page.getByLabel('Text').fill('Gut!\nBcc: evil@example.com\n\n見');
      await page
        .getByLabel('Subject')
        .evaluate((it) => Object.assign(it, { value: `Re: Grüße ${'lang '.repeat(40)}` }));
      await page.getByLabel('Cc').fill('no address');
      await page.getByRole('button', { name: 'Send' }).click();
      expect(await page.getByRole('alert').textContent()).toContain('“no address” is not an address');
      expect(await page.getByLabel('Text').inputValue()).toBe('Gut!\nBcc: evil@example.com\n\n見');
      await page.getByLabel('Cc').fill('Weiß, Greta <greta@example.com>');
      await page.getByLabel('Cc').fill('"Weiß, Greta" <greta@example.com>, x@example.com');
      const fields = await page
        .locator('form[action="/send"] [name]')
        .evaluateAll((all) =>
          all
            .map((it) => it as unknown as { name: string; value: string })
            .map(({ name, value }) => [name, value] as const),
        );
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByText('Put into Sent.').waitFor();
      const again = await page.request.post(`${place().url}/send`, {
        form: Object.fromEntries(fields),
        headers: { origin: place().url },
      });
      expect(await again.text()).toMatch(/This message was sent before|Put into Sent/);
      await page.getByRole('heading', { name: 'Inbox' }).waitFor();
      expect(await page.locator('.row .mark').getByText('Answered').count()).toBe(1);

      const flow = await place().dovecot.client(user);
      await flow.mailboxOpen('Sent');
      expect(await flow.status('Sent', { messages: true })).toMatchObject({ messages: 2 });
      const sent = await flow.fetchOne('2', { source: true, flags: true });
      const { source, flags } = sent || {};
      await flow.logout();
      expect(flags?.has('\\Seen')).toBe(true);
      const text = source?.toString('latin1') ?? '';
      expect(text.split('\r\n').every((line) => /^[ -~]*$/.test(line) && line.length <= 998)).toBe(true);
      const parsed = await simpleParser(source ?? '');
      expect(parsed.subject).toBe(`Re: Grüße ${'lang '.repeat(40)}`.trim());
      expect(parsed.text?.trimEnd()).toBe('Gut!\nBcc: evil@example.com\n\n見');
      expect(parsed.to).toMatchObject({ value: [{ name: 'Bo "B." Sørensen', address: 'bo@example.com' }] });
      expect(parsed.cc).toMatchObject({
        value: [{ name: 'Weiß, Greta', address: 'greta@example.com' }, { address: 'x@example.com' }],
      });
      expect([parsed.inReplyTo, parsed.references, parsed.bcc]).toEqual([
        '<q@example.com>',
        '<q@example.com>',
        undefined,
      ]);
    });
  });
}
