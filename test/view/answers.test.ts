import { describe, expect, it } from 'vitest';
import { Answers } from '../../src/view/answers.js';

/** An answer that tells how often it was put together. */
function counted() {
  let made = 0;
  return {
    make: () => {
      made += 1;
      return `answer ${made}`;
    },
    get made() {
      return made;
    },
  };
}

describe('kept answers', () => {
  it('are put together once for as long as the stamp stays', () => {
    const answers = new Answers();
    const { make } = counted();
    expect([answers.get('first page', 1, make), answers.get('first page', 1, make)]).toEqual(['answer 1', 'answer 1']);
    expect(answers.get('first page', 2, make)).toBe('answer 2');
    // Stamps only grow, but one that was is as good as another.
    expect(answers.get('first page', 1, make)).toBe('answer 3');
  });

  it('are of their key alone', () => {
    const answers = new Answers();
    const { make } = counted();
    expect([answers.get('a', 1, make), answers.get('b', 1, make), answers.get('a', 1, make)]).toEqual([
      'answer 1',
      'answer 2',
      'answer 1',
    ]);
  });

  it('are a few, the oldest of which goes first', () => {
    const answers = new Answers();
    const counter = counted();
    for (let page = 0; page < 100; page += 1) answers.get(`page ${page}`, 1, counter.make);
    const { bytes } = answers;
    expect(bytes).toBeLessThan(2_000);
    for (let page = 99; page > 96; page -= 1) answers.get(`page ${page}`, 1, counter.make);
    expect(counter.made).toBe(100);
    answers.get('page 0', 1, counter.make);
    expect(counter.made).toBe(101);
  });

  it('state the bytes of what is kept, and none when nothing is', () => {
    const answers = new Answers();
    answers.get('a', 1, () => 'x'.repeat(10_000));
    const { bytes } = answers;
    expect(bytes).toBeGreaterThan(10_000);
    answers.get('a', 2, () => 'x'.repeat(96));
    expect(answers.bytes).toBe(bytes - 9_904);
    answers.clear();
    expect(answers.bytes).toBe(0);
    expect(answers.get('a', 2, () => 'anew')).toBe('anew');
  });

  it('are none when putting one together fails', () => {
    const answers = new Answers();
    const fail = () => {
      throw new Error('no row');
    };
    answers.get('a', 1, () => 'x');
    expect(() => answers.get('a', 2, fail)).toThrow('no row');
    expect(answers.bytes).toBe(0);
    expect(answers.get('a', 2, () => 'y')).toBe('y');
  });
});
