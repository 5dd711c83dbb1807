import { main } from '../../src/cli/main.js';

/** Runs the command line in this process and gathers what it prints. */
export async function runMain(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const printed = { out: '', err: '' };
  const code = await main(args, {
    out: (text) => {
      printed.out += text;
    },
    outBytes: async (bytes) => {
      printed.out += Buffer.from(bytes).toString('latin1');
    },
    err: (text) => {
      printed.err += text;
    },
  });
  return { code, ...printed };
}
