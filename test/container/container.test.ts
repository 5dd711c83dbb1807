import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../cli/built.js';
import { runMain } from '../cli/run-main.js';
import { composeFolder, mountsOf, readCompose } from './compose.js';
import { commandIn, copiedIn, lastOf, stagesOf } from './dockerfile.js';

const compose = readCompose();
const services = Object.entries(compose.services);
const textOf = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

/** An image of a registry is named with a version, so that an update is a change of the file. */
const PINNED = /^[a-z0-9./-]+:(?!latest$)[a-z0-9.-]*\d[a-z0-9.-]*$|^debian:bookworm-slim$/;

describe.each(['Dockerfile', 'container/dovecot/Dockerfile'])('%s', (file) => {
  const stages = stagesOf(file);
  const last = stages.at(-1) ?? { image: '', name: undefined, instructions: [] };

  it('begins with images of a version', () => {
    expect(stages.length).toBeGreaterThan(0);
    for (const { image } of stages) expect(image).toMatch(PINNED);
  });

  it('has commands that no shell reads, so that signals reach the program, and a health check', () => {
    expect(commandIn(lastOf(last, 'ENTRYPOINT')).length).toBeGreaterThan(0);
    expect(commandIn(lastOf(last, 'HEALTHCHECK')).length).toBeGreaterThan(0);
  });

  it('copies what is there', () => {
    const folder = join(projectRoot, file, '..');
    const earlier = stages.map(({ name }) => name);
    for (const { from, sources } of stages.flatMap(copiedIn)) {
      if (from !== undefined) expect(earlier).toContain(from);
      else expect(sources.filter((source) => !existsSync(join(folder, source)))).toEqual([]);
    }
  });
});

describe('the image of the broker', () => {
  const [, last = { image: '', name: undefined, instructions: [] }] = stagesOf('Dockerfile');
  const context = stagesOf('Dockerfile')
    .flatMap(copiedIn)
    .filter(({ from }) => from === undefined);

  it('is built of what .dockerignore lets through, which is nothing else', () => {
    const lines = textOf('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines[0]).toBe('*');
    const through = lines.slice(1).map((line) => line.replace(/^!/, ''));
    expect(through).toEqual([...new Set(context.flatMap(({ sources }) => sources))].sort());
  });

  it('takes from the build what npm run build makes, with the files that it reads', () => {
    const { extends: base } = JSON.parse(textOf('tsconfig.build.json')) as { extends: string };
    expect(context.flatMap(({ sources }) => sources)).toEqual(expect.arrayContaining([base.replace('./', '')]));
  });

  it('runs as a user without rights, by number, so that Kubernetes can see that it is not root', () => {
    expect(lastOf(last, 'USER')).toBe('1000:1000');
    const folders = last.instructions.find(({ args }) => args.includes('install -d'))?.args;
    expect(folders).toContain('-o 1000 -g 1000 -m 700 /var/lib/imap-broker /run/imap-broker');
  });

  it('says the ports, the folder and the file that the configuration of compose.yaml has', () => {
    const toml = textOf('container/broker.toml');
    const ports = [...toml.matchAll(/^port = (7\d+)$/gm)].map(([, port]) => port);
    expect(lastOf(last, 'EXPOSE')?.split(' ')).toEqual(ports);
    expect(toml).toContain(`state_dir = "${lastOf(last, 'VOLUME')}"`);
    const mounted = mountsOf(compose.services.broker ?? { image: '' }).map(({ target }) => target);
    expect(mounted).toContain(commandIn(lastOf(last, 'CMD')).at(-1));
  });

  it('checks its health by a command that the program has, at the admin socket of that configuration', async () => {
    const [program, ...args] = commandIn(lastOf(last, 'HEALTHCHECK'));
    expect([program]).toEqual(commandIn(lastOf(last, 'ENTRYPOINT')));
    const [, socket] = /^socket = "(.*)"$/m.exec(textOf('container/broker.toml')) ?? [];
    const { code, out } = await runMain(...args, '--help');
    expect(code).toBe(0);
    expect(out).toContain(`unix:${socket}`);
  });
});

describe('compose.yaml', () => {
  it('names what is there: files, secrets that setup.sh makes, volumes, services', () => {
    const setup = textOf('container/setup.sh');
    for (const [name, service] of services) {
      const { build, secrets = [], depends_on: needs = {}, tmpfs = [] } = service;
      if (build) expect(existsSync(join(composeFolder, build.context, 'Dockerfile')), name).toBe(true);
      for (const { source, readOnly } of mountsOf(service)) {
        if (!source.startsWith('.')) expect(compose.volumes, name).toHaveProperty([source]);
        else expect([source, existsSync(join(composeFolder, source)), readOnly]).toEqual([source, true, true]);
      }
      for (const secret of secrets) expect(compose.secrets, name).toHaveProperty([secret]);
      for (const need of Object.keys(needs)) expect(compose.services, name).toHaveProperty([need]);
      for (const line of tmpfs) expect(line).toMatch(/^\/[a-z/-]+(?::[a-z0-9=,]+)?$/);
    }
    for (const { file } of Object.values(compose.secrets)) expect(setup).toContain(`> ${file.replace('./', '')}`);
    const used = services.flatMap(([, service]) => mountsOf(service).map(({ source }) => source));
    expect(Object.keys(compose.volumes).filter((volume) => !used.includes(volume))).toEqual([]);
  });

  it('takes images of a version, or builds them', () => {
    const images = new Map(services.map(([name, { image, build }]) => [name, build ? 'built' : image]));
    expect([...images.values()].filter((image) => image !== 'built' && !PINNED.test(image))).toEqual([]);
    expect([...images.values()].filter((image) => image === 'built')).toHaveLength(3);
  });

  it('publishes ports to this host alone', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(3);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('has no secret in it, and none in an environment', () => {
    const text = textOf('container/compose.yaml');
    expect(text).not.toMatch(/\b[0-9a-f]{32,}\b|ibt_/);
    for (const [name, { environment = {} }] of services) {
      for (const [key, value] of Object.entries(environment)) {
        if (/PASSWORD|TOKEN|SECRET/.test(key)) expect(value, name).toMatch(/^\/run\/secrets\//);
      }
    }
    expect(textOf('.gitignore')).toContain('container/secrets/');
  });

  it('lets no service have more rights than it needs', () => {
    for (const [name, { security_opt: options, cap_drop: dropped, read_only: readOnly }] of services) {
      expect(options, name).toEqual(['no-new-privileges:true']);
      // Dovecot's first process gives up its rights itself.
      if (name !== 'dovecot') expect(dropped, name).toEqual(['ALL']);
      if (name === 'broker') expect(readOnly).toBe(true);
    }
  });

  it('waits until each service that another one needs is healthy, and gives the broker the time of a drain', () => {
    for (const [name, { depends_on: needs = {} }] of services) {
      for (const [need, { condition }] of Object.entries(needs)) {
        const once = need === 'certificates';
        expect(condition, `${name}: ${need}`).toBe(once ? 'service_completed_successfully' : 'service_healthy');
        const { build, healthcheck } = compose.services[need] ?? {};
        // The images that are built here have a check of their own.
        expect(once || build !== undefined || healthcheck !== undefined, need).toBe(true);
      }
    }
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(textOf('systemd/imap-broker.service')) ?? [];
    expect(compose.services.broker?.stop_grace_period).toBe(`${seconds}s`);
  });

  it('gives Grafana the dashboard, and a Prometheus that it names', () => {
    const provision = (path: string) => parse(textOf(`container/grafana/${path}`));
    const { providers } = provision('dashboards.yaml') as { providers: [{ options: { path: string } }] };
    const { datasources } = provision('datasources.yaml') as {
      datasources: [{ type: string; url: string; jsonData: object }];
    };
    const mounts = new Map(
      mountsOf(compose.services.grafana ?? { image: '' }).map((mount) => [mount.source, mount.target]),
    );
    expect(mounts.get('../grafana/imap-broker.json')).toBe(`${providers[0].options.path}/imap-broker.json`);
    expect(compose.services.grafana?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH).toBe(
      mounts.get('../grafana/imap-broker.json'),
    );
    expect(mounts.get('./grafana/dashboards.yaml')).toMatch(/^\/etc\/grafana\/provisioning\/dashboards\/.*\.yaml$/);
    expect(mounts.get('./grafana/datasources.yaml')).toMatch(/^\/etc\/grafana\/provisioning\/datasources\/.*\.yaml$/);
    const [published = ''] = compose.services.prometheus?.ports ?? [];
    expect(datasources).toMatchObject([
      { type: 'prometheus', url: `http://prometheus:${published.split(':').at(-1)}` },
    ]);
    const { global } = parse(textOf('container/prometheus.yml')) as { global: { scrape_interval: string } };
    expect(datasources[0].jsonData).toEqual({ timeInterval: global.scrape_interval });
  });
});
