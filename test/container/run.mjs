#!/usr/bin/env node
// `npm run test:container`: builds the images of the Dockerfiles and runs what container/compose.yaml says as containers. On Debian, as
// root, with Debian's podman and runc in place of Docker, and in place of a registry with base images made of Debian's packages and of
// npm's Node, under the names that the Dockerfiles ask for. All of it is in a network of its own, which leads nowhere.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installModules, installPackages, say, unpackNode, unpackServer } from '../support/install.mjs';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
/** Where images are kept, below the project's folder; and what is of one boot alone, whose path has to be short. */
const STORE = resolve('node_modules/.cache/imap-broker-containers');
const RUN = '/run/imap-broker-test';
const NETWORK = `imap-broker-${process.pid}`;
/** Milliseconds that a service has to become healthy. */
const HEALTHY_MS = 60_000;
const MESSAGE = 'From: ben@example.org\nSubject: Hello\n\nHello Anna.\n';

installModules();
const has = (program) => () => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
installPackages([
  ['podman', has('podman')],
  ['runc', has('runc')],
  ['debootstrap', has('debootstrap')],
  ['iproute2', has('ip')],
]);
unpackServer('prometheus');
const { parse } = await import('yaml');

/** The folder that stands for a clone, with secrets of its own. */
const folder = mkdtempSync(join(tmpdir(), 'imap-broker-containers-'));
for (const name of ['container', 'grafana']) cpSync(name, join(folder, name), { recursive: true });
rmSync(join(folder, 'container/secrets'), { recursive: true, force: true });
const { services } = parse(readFileSync('container/compose.yaml', 'utf8'));
const started = [];
let failures = 0;
process.once('exit', () => {
  for (const name of started) podman(['rm', '--force', '--time', '0', name]);
  podman(['volume', 'prune', '--force']);
  spawnSync('ip', ['netns', 'delete', NETWORK]);
  rmSync(folder, { recursive: true, force: true });
});

makeBaseImages();
say('Building the images of the Dockerfiles');
for (const [name, context] of [
  ['imap-broker', '.'],
  ['imap-broker-dovecot', 'container/dovecot'],
])
  build(`localhost/${name}:local`, context);
makePrometheusImage();
command('ip', ['netns', 'add', NETWORK]);
command('ip', ['-n', NETWORK, 'link', 'set', 'lo', 'up']);
await tryAll();
console.log(failures === 0 ? '\nAll of it works.' : `\n${failures} of it failed.`);
process.exit(failures === 0 ? 0 : 1);

async function tryAll() {
  const said = command('sh', [join(folder, 'container/setup.sh')]);
  const [, token] = /^Token of the web application: +(\S+)$/m.exec(said);
  const [, password] = /anna (\S+)$/m.exec(said);
  say('Starting the services');
  check('certificates are made', run('certificates').status === 0);
  run('dovecot');
  await healthy('dovecot');
  run('broker');
  await healthy('broker');
  run('prometheus');

  say('Trying them');
  const inside = (name, ...args) => podman(['exec', name, ...args]);
  check('the broker runs as user 1000', inside('broker', 'id', '-u').stdout === '1000\n');
  check('its program is the first process', /imap-broker/.test(inside('broker', 'cat', '/proc/1/cmdline').stdout));
  check('it has no rights', /^CapBnd:\s+0+$/m.test(inside('broker', 'cat', '/proc/1/status').stdout));
  check('its files are read-only', /Read-only/.test(inside('broker', 'touch', '/opt/imap-broker/new').stderr));
  const delivered = podman(['exec', '--interactive', 'dovecot', 'doveadm', 'save', '-u', 'anna'], MESSAGE);
  check('a message is delivered', delivered.status === 0);
  const call = (method, params) =>
    JSON.parse(
      inside('broker', 'imap-broker', 'call', method, JSON.stringify(params), '--token', token).stdout || '{}',
    );
  const { session } = call('session.open', { server: 'main', user: 'anna', auth: { password } });
  const subject = () => call('message.list', { session, mailbox: 'INBOX' }).messages?.[0]?.envelope.subject;
  check('the web application lists it, by TLS', subject() === 'Hello');
  check('imap-broker status answers', /\bmain\b/.test(inside('broker', 'imap-broker', 'status').stdout));
  const up = 'http://127.0.0.1:9090/api/v1/query?query=up{job="imap-broker"}==1';
  const scraped = () => /"value":\[[\d.]+,"1"\]/.test(fetched(up));
  check('Prometheus scrapes the broker, by TLS', await until(scraped));

  say('Stopping and starting the broker');
  const stopped = podman(['stop', '--time', '40', 'broker']);
  const code = podman(['inspect', '--format', '{{.State.ExitCode}}', 'broker']).stdout.trim();
  check('it ends in order at SIGTERM, with exit code 0', stopped.status === 0 && code === '0');
  check('and says so', /"msg":"stopped"/.test(podman(['logs', 'broker']).stdout));
  podman(['start', 'broker']);
  await healthy('broker');
  check('the session goes on, with the keys in its volume', subject() === 'Hello');
}

/** Starts a service as Compose does, as far as compose.yaml has it. */
function run(name) {
  const service = services[name];
  const { entrypoint, environment = {}, secrets = [], volumes = [], tmpfs = [] } = service;
  const once = name === 'certificates';
  const at = (path) => (path.startsWith('.') ? resolve(folder, 'container', path) : `${NETWORK}_${path}`);
  const [program, ...rest] = entrypoint ?? [];
  const args = [
    ...(once ? ['--rm'] : ['--detach', '--name', name]),
    // Podman's own are higher than what root may have here. Its health checks would need systemd: they are run below.
    ...['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=4096:4096', '--health-interval', 'disable'],
    ...(service.network_mode === 'none' ? ['--network', 'none'] : ['--network', `ns:/run/netns/${NETWORK}`]),
    ...Object.keys(services).flatMap((host) => (service.network_mode ? [] : ['--add-host', `${host}:127.0.0.1`])),
    ...Object.entries(environment).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...secrets.flatMap((secret) => ['--volume', `${at(`./secrets/${secret}`)}:/run/secrets/${secret}:ro`]),
    ...volumes.map((line) => line.split(/:(.*)/s)).flatMap(([from, to]) => ['--volume', `${at(from)}:${to}`]),
    // Podman has no uid= there: the folder is given to the user of the image.
    ...tmpfs.flatMap((line) => ['--mount', `type=tmpfs,destination=${line.split(':')[0]},chown=true,tmpfs-mode=0700`]),
    ...(service.cap_drop ?? []).map((right) => `--cap-drop=${right}`),
    ...(service.cap_add ?? []).map((right) => `--cap-add=${right}`),
    ...(service.security_opt ?? []).map((option) => `--security-opt=${option.replace(':true', '')}`),
    ...(service.read_only ? ['--read-only'] : []),
    ...(program ? ['--entrypoint', program] : []),
  ];
  if (!once) started.push(name);
  const result = podman(['run', '--pull=never', ...args, `localhost/${service.image}`, ...rest]);
  if (result.status !== 0) console.error(result.stderr);
  return result;
}

async function healthy(name) {
  check(`${name} is healthy`, await until(() => podman(['healthcheck', 'run', name]).status === 0));
}

/** Asks again and again, for as long as a service has to become healthy. */
async function until(holds) {
  const end = Date.now() + HEALTHY_MS;
  while (!holds()) {
    if (Date.now() > end) return false;
    await new Promise((wake) => setTimeout(wake, 500));
  }
  return true;
}

/** What a page answers in the network of the services. */
function fetched(url) {
  const script = `fetch(${JSON.stringify(url)}).then((a) => a.text()).then(console.log, () => {})`;
  return spawnSync('ip', ['netns', 'exec', NETWORK, process.execPath, '-e', script], { encoding: 'utf8' }).stdout;
}

function check(what, holds) {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}`);
  if (!holds) failures += 1;
}

/** Makes the images that the Dockerfiles begin with, unless they are there. */
function makeBaseImages() {
  const debian = 'localhost/debian:bookworm-slim';
  if (!exists(debian)) {
    say("Making a base image of Debian's packages");
    const root = join(folder, 'debian');
    command('debootstrap', ['--variant=minbase', 'bookworm', root]);
    command('tar', ['-C', root, '-cf', `${root}.tar`, '.']);
    must(podman(['import', '--change', 'CMD ["bash"]', `${root}.tar`, debian]));
  }
  const [, major] = /^FROM node:(\d+)-bookworm-slim/m.exec(readFileSync('Dockerfile', 'utf8'));
  const node = `localhost/node:${major}-bookworm-slim`;
  if (exists(node)) return;
  say(`Making a base image with Node ${major}`);
  const npm = dirname(dirname(spawnSync('readlink', ['-f', which('npm')], { encoding: 'utf8' }).stdout.trim()));
  const context = join(folder, 'node');
  cpSync(unpackNode(major), join(context, 'node'));
  cpSync(npm, join(context, 'npm'), { recursive: true });
  const lines = [
    `FROM ${debian}`,
    'COPY node /usr/local/bin/node',
    'COPY npm /usr/local/lib/node_modules/npm',
    'RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --create-home node \\',
    ' && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm',
  ];
  writeFileSync(join(context, 'Dockerfile'), lines.join('\n'));
  build(node, context);
}

/** Debian's Prometheus, called and started as the image that compose.yaml names. */
function makePrometheusImage() {
  say("Making an image of Debian's Prometheus");
  const context = join(folder, 'prometheus');
  mkdirSync(context);
  cpSync('node_modules/.cache/imap-broker-servers/prometheus/usr/bin/prometheus', join(context, 'prometheus'));
  const lines = [
    'FROM debian:bookworm-slim',
    'COPY prometheus /bin/prometheus',
    'RUN install -d -o 65534 -g 65534 /prometheus',
    'USER 65534',
    'ENTRYPOINT ["/bin/prometheus"]',
    'CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]',
  ];
  writeFileSync(join(context, 'Dockerfile'), lines.join('\n'));
  build(`localhost/${services.prometheus.image}`, context);
}

function build(image, context) {
  const options = ['--isolation', 'chroot', '--pull-never', '--format', 'docker', ...authorities()];
  must(podman(['build', ...options, '--tag', image, context]));
}

/** What npm needs where this machine reaches its registry by an authority of its own. */
function authorities() {
  const own = process.env.NODE_EXTRA_CA_CERTS;
  if (own === undefined || !existsSync(own)) return [];
  const inside = '/usr/local/etc/authorities.pem';
  const npmrc = join(folder, 'npmrc');
  writeFileSync(npmrc, `cafile=${inside}\n`);
  return ['--volume', `${npmrc}:/usr/local/etc/npmrc:ro`, '--volume', `${own}:${inside}:ro`];
}

function exists(image) {
  return podman(['image', 'exists', image]).status === 0;
}

/** Runs podman, on a store of its own. */
function podman(args, input = '') {
  const own = ['--root', STORE, '--runroot', RUN, '--cgroup-manager', 'cgroupfs'];
  return spawnSync('podman', [...own, '--runtime', 'runc', ...args], { encoding: 'utf8', input, maxBuffer: 2 ** 26 });
}

function command(program, args) {
  return must(spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })).stdout;
}

/** Ends this program where a step failed without which nothing else can be tried. */
function must(result) {
  if (result.status === 0) return result;
  console.error(result.error?.message ?? result.stdout + result.stderr);
  process.exit(1);
}

function which(program) {
  return spawnSync('which', [program], { encoding: 'utf8' }).stdout.trim();
}
