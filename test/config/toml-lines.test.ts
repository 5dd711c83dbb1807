import { describe, expect, it } from 'vitest';
import { lineOf } from '../../src/config/toml-lines.js';

const TEXT = `top = 1
[pool]
size = 2
[[server]]
name = "a"
[[server]]
"name" = "b"
host = "c"
[log] # comment
level = "x"
`;

describe('the line of a key', () => {
  it.each([
    [['top'], 1],
    [['pool'], 2],
    [['pool', 'size'], 3],
    [['server', 0, 'name'], 5],
    [['server', 1, 'name'], 7],
    [['server', 0, 'host'], 4],
    [['server', 1, 'host'], 8],
    [['log', 'level'], 10],
    [['log', 'size'], 9],
    [['server', 2, 'name'], undefined],
    [['size'], undefined],
  ])('%j is %s', (path, line) => {
    expect(lineOf(TEXT, path)).toBe(line);
  });
});
