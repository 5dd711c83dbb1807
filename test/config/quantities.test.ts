import { describe, expect, it } from 'vitest';
import { bytesIn, secondsIn } from '../../src/config/quantities.js';

describe('the seconds of', () => {
  it.each([
    ['300', 300],
    ['5m', 300],
    ['5 min', 300],
    ['1h30m', 5400],
    ['1.5h', 5400],
    ['500ms', 0.5],
    ['2 Days', 172_800],
    ['1 h 5', undefined],
    ['5 parsecs', undefined],
    ['-5m', undefined],
    ['', undefined],
  ])('%j are %s', (text, seconds) => {
    expect(secondsIn(text)).toBe(seconds);
  });
});

describe('the bytes of', () => {
  it.each([
    ['4096', 4096],
    ['64k', 65_536],
    ['256M', 268_435_456],
    ['256 MiB', 268_435_456],
    ['256MB', 268_435_456],
    ['1.5G', 1_610_612_736],
    ['10 bytes', 10],
    ['M', undefined],
    ['5m/s', undefined],
    ['', undefined],
  ])('%j are %s', (text, bytes) => {
    expect(bytesIn(text)).toBe(bytes);
  });
});
