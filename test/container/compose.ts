import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../cli/built.js';

/** A service of container/compose.yaml, as far as tests read it. */
export interface Service {
  image: string;
  build?: { context: string };
  entrypoint?: string[];
  environment?: Record<string, string>;
  secrets?: string[];
  volumes?: string[];
  ports?: string[];
  tmpfs?: string[];
  cap_drop?: string[];
  security_opt?: string[];
  read_only?: boolean;
  restart?: string;
  stop_grace_period?: string;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
}

export interface Compose {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, unknown>;
}

/** The folder of compose.yaml, to which its paths are relative. */
export const composeFolder = join(projectRoot, 'container');

export function readCompose(): Compose {
  return parse(readFileSync(join(composeFolder, 'compose.yaml'), 'utf8')) as Compose;
}

/** What is mounted where, such as `./broker.toml` at `/etc/imap-broker/config.toml`; the source is a path or a volume. */
export function mountsOf({ volumes = [] }: Service): { source: string; target: string; readOnly: boolean }[] {
  return volumes.map((line) => {
    const [source = '', target = '', mode] = line.split(':');
    return { source, target, readOnly: mode === 'ro' };
  });
}
