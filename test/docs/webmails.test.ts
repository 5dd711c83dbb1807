import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { contract, isMethod } from '../../src/protocol/contract.js';

const page = readFileSync(new URL('../../docs/webmails.md', import.meta.url), 'utf8');

interface Need {
  webmail: string;
  method: string;
  state: string;
  call: string;
  notes: string;
}

function needs(): Need[] {
  return page
    .split('\n## ')
    .slice(1)
    .flatMap((section) => {
      const [webmail = '', ...lines] = section.split('\n');
      const rows = lines.filter((line) => line.startsWith('| `'));
      return rows.map((row) => {
        const [method = '', state = '', call = '', notes = ''] = row
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim());
        return { webmail, method, state, call, notes };
      });
    });
}

/** Calls such as `message.list {filter, sort}`, wherever the page names one. */
function calls(): { method: string; params: string[] }[] {
  return [...page.matchAll(/`([a-z]+\.[a-z]+) \{([^}`]*)\}`/gi)].map(([, method = '', params = '']) => ({
    method,
    params: params.split(',').map((name) => name.trim()),
  }));
}

describe('docs/webmails.md', () => {
  it('has a row for each need of the three webmails', () => {
    const counts = new Map<string, number>();
    for (const { webmail } of needs()) counts.set(webmail, (counts.get(webmail) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({ Roundcube: 86, 'Nextcloud Mail': 42, SnappyMail: 77 });
    const names = needs().map(({ webmail, method }) => `${webmail} ${method}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('names calls and params that the contract has', () => {
    expect(calls().length).toBeGreaterThan(200);
    for (const { method, params } of calls()) {
      expect(isMethod(method), method).toBe(true);
      if (isMethod(method))
        expect(Object.keys(contract[method].params.shape), method).toEqual(expect.arrayContaining(params));
    }
  });

  it('says of each need how far it is covered, and counts them right', () => {
    const by = (state: string) => needs().filter((need) => need.state === state);
    const counted = ['covered', 'partly', 'no', "the caller's"].map((state) => by(state).length);
    expect(counted.reduce((sum, count) => sum + count)).toBe(205);
    const [covered = 0, partly, no, own] = counted;
    expect(covered).toBeGreaterThanOrEqual(165);
    expect(page.replaceAll(/\s+/g, ' ')).toContain(
      `${covered} are covered, ${partly} partly, ${no} not; ${own} are an application's own affair.`,
    );
    for (const { method, call, notes } of by('covered')) expect(call || notes, method).not.toBe('');
    for (const { method, notes } of [...by('partly'), ...by('no')]) expect(notes, method).not.toBe('');
  });
});
