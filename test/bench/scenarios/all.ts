import type { Ending } from '../ending.js';
import { haproxyIsThere } from '../haproxy.js';
import { phpIsThere } from '../php-worker.js';
import type { Section } from '../report.js';
import type { Stage } from '../stage.js';
import { attachment } from './attachment.js';
import { cluster } from './cluster.js';
import { distance } from './distance.js';
import { idleAccounts } from './idle-accounts.js';
import { indexPage } from './index-page.js';
import { noisyNeighbour } from './noisy-neighbour.js';
import { openAgain, openFirst } from './open-message.js';
import { phpPage } from './php-page.js';
import { overFolders, readingPages, unchangedPage } from './reading.js';
import { folderCounts, search, setFlag } from './small-commands.js';
import { stalls } from './stalls.js';
import { storm } from './storm.js';

export interface Scenario {
  /** What `--only` takes. */
  name: string;
  run: (stage: Stage, ending: Ending) => Promise<Section>;
  /** Whether what it needs is there; it is left out otherwise, unless `--only` names it. Default: it needs nothing more. */
  able?: () => boolean;
}

/** In the order of the report. */
export const scenarios: readonly Scenario[] = [
  { name: 'index', run: indexPage },
  { name: 'unchanged', run: unchangedPage },
  { name: 'reading', run: readingPages },
  { name: 'open-first', run: openFirst },
  { name: 'open-again', run: openAgain },
  { name: 'flag', run: setFlag },
  { name: 'counts', run: folderCounts },
  { name: 'attachment', run: attachment },
  { name: 'search', run: search },
  { name: 'folders', run: overFolders },
  { name: 'distance', run: distance },
  { name: 'php', run: phpPage, able: phpIsThere },
  { name: 'storm', run: storm },
  { name: 'neighbour', run: noisyNeighbour },
  { name: 'idle', run: idleAccounts },
  { name: 'stalls', run: stalls },
  { name: 'cluster', run: cluster, able: haproxyIsThere },
];
