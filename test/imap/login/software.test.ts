import { describe, expect, it } from 'vitest';
import { capabilitiesOf, offeredBy } from '../../../src/imap/connection/capabilities.js';
import { softwareOf } from '../../../src/imap/login/software.js';
import { opened, scripted } from '../scripted.js';

describe('what a server calls itself', () => {
  const told = async (id: string | undefined) => {
    const server = await scripted({
      capabilities: `IMAP4rev1 SASL-IR AUTH=PLAIN NAMESPACE${id === undefined ? '' : ' ID'}`,
      on: { ID: (command, peer) => peer.send(`* ID ${id}`, `${command.tag} OK done`) },
    });
    return (await opened(server)).software;
  };

  it('is told with all fields', async () => {
    expect(await told('("name" "Dovecot" "Version" "2.3" "support-url" "https://example.com/" "os" NIL)')).toEqual({
      name: 'Dovecot',
      version: '2.3',
      'support-url': 'https://example.com/',
    });
  });

  it.each([[undefined], ['NIL'], ['()'], ['("name")'], ['("name" NIL)']])('is not told by %s', async (id) => {
    expect(await told(id)).toBeUndefined();
  });

  it('has at most 30 fields, each cut at 200 characters', async () => {
    const fields = Array.from({ length: 1000 }, (_, at) => `"f${at}" "${'v'.repeat(60)}"`);
    const software = await told(`("name" "${'n'.repeat(500)}" ${fields.join(' ')})`);
    expect(Object.keys(software ?? {})).toHaveLength(30);
    expect(software?.name).toBe('n'.repeat(200));
  });

  it('has no control characters, and no names that mean something else to a program', () => {
    const fields = JSON.parse('{"name":"a\\u0000b\\u001b[31m","__proto__":"x","constructor\\n":"y","long":""}');
    expect(softwareOf({ ...fields, ['x'.repeat(31)]: 'z', version: 3 })).toEqual({ name: 'a b [31m' });
    expect(Object.keys(softwareOf(fields) ?? {})).toEqual(['name']);
  });

  it('is one object for all connections', async () => {
    expect(await told('("name" "One")')).toBe(await told('("name" "One")'));
  });
});

describe('the capabilities that are told', () => {
  const connected = async (words: string) =>
    opened(await scripted({ capabilities: `IMAP4rev1 SASL-IR AUTH=PLAIN NAMESPACE ${words}` }));

  it('are all of them, in the words of the server', async () => {
    const connection = await connected('X-OWN APPENDLIMIT=5000 THREAD=REFS');
    expect(offeredBy(connection)).toEqual(
      expect.arrayContaining(['IMAP4rev1', 'X-OWN', 'APPENDLIMIT=5000', 'THREAD=REFS']),
    );
    expect(offeredBy(connection)).toBe(offeredBy(connection));
    expect(capabilitiesOf(connection).appendLimit).toBe(5000);
  });

  it('are at most 250, none of more than 64 characters', async () => {
    const words = Array.from({ length: 3000 }, (_, at) => `X-WORD-${at}`).join(' ');
    const offered = offeredBy(await connected(`${'Y'.repeat(65)} ${words}`));
    expect(offered).toHaveLength(250);
    expect(offered.every((word) => word.length <= 64)).toBe(true);
  });
});
