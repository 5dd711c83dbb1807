import { describe, expect, it } from 'vitest';
import { capabilitiesOf } from '../../src/imap/connection/capabilities.js';

const of = (offered: string, appendLimit?: boolean | number) => {
  const capabilities = new Map<string, boolean | number>(offered.split(' ').map((name) => [name, true]));
  if (appendLimit !== undefined) capabilities.set('APPENDLIMIT', appendLimit);
  return capabilitiesOf({ capabilities });
};

describe('capabilities in the words of the broker', () => {
  it('are all false on a server of IMAP4rev1 alone', () => {
    const { thread, appendLimit, ...flags } = of('IMAP4rev1');
    expect(new Set(Object.values(flags))).toEqual(new Set([false]));
    expect([thread, appendLimit]).toEqual([[], null]);
  });

  it('follow what the server offers', () => {
    expect(of('IMAP4rev1 MOVE SORT THREAD=REFERENCES THREAD=ORDEREDSUBJECT QRESYNC QUOTA=RES-STORAGE')).toMatchObject({
      move: true,
      sort: true,
      thread: ['REFERENCES', 'ORDEREDSUBJECT'],
      qresync: true,
      condstore: true,
      quota: true,
      uidPlus: false,
      preview: false,
    });
  });

  it('include what IMAP4rev2 made part of itself', () => {
    expect(of('IMAP4rev2')).toMatchObject({
      ...{ move: true, uidPlus: true, listStatus: true, specialUse: true, idle: true, esearch: true, statusSize: true },
      ...{ sort: false, condstore: false, quota: false },
    });
  });

  it('tell an APPENDLIMIT only where it is one for all folders', () => {
    expect(of('IMAP4rev1', 35_651_584).appendLimit).toBe(35_651_584);
    expect(of('IMAP4rev1', true).appendLimit).toBeNull();
  });
});
