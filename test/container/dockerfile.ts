import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../cli/built.js';

/** One instruction of a Dockerfile, such as `COPY` with `src src`. */
export interface Instruction {
  name: string;
  args: string;
}

/** What is copied into an image: from the context, or from an earlier stage. */
export interface Copied {
  from: string | undefined;
  sources: string[];
  target: string;
}

/** The stages of a Dockerfile, each with the image that it begins with. */
export interface Stage {
  image: string;
  name: string | undefined;
  instructions: Instruction[];
}

/** Reads a Dockerfile by its path from the top of the project. */
export function stagesOf(file: string): Stage[] {
  const text = readFileSync(join(projectRoot, file), 'utf8').replaceAll(/^\s*#.*\n/gm, '');
  const stages: Stage[] = [];
  for (const line of text.replaceAll(/\\\n/g, ' ').split('\n')) {
    const [, name = '', args = ''] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (name === 'FROM') {
      const [, image = '', stage] = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(args) ?? [];
      stages.push({ image, name: stage, instructions: [] });
    } else if (name !== '') stages.at(-1)?.instructions.push({ name, args });
  }
  return stages;
}

export function copiedIn({ instructions }: Stage): Copied[] {
  return instructions
    .filter(({ name }) => name === 'COPY')
    .map(({ args }) => {
      const [, from, paths = ''] = /^(?:--from=(\S+)\s+)?(.*)$/.exec(args) ?? [];
      const all = paths.split(/\s+/);
      return { from, sources: all.slice(0, -1), target: all.at(-1) ?? '' };
    });
}

/** The last instruction of a name, which is the one that counts. */
export function lastOf({ instructions }: Stage, name: string): string | undefined {
  return instructions.findLast((one) => one.name === name)?.args;
}

/** The command of CMD, ENTRYPOINT or HEALTHCHECK, in the form that no shell reads. */
export function commandIn(args = ''): string[] {
  return JSON.parse(args.slice(args.indexOf('['))) as string[];
}
