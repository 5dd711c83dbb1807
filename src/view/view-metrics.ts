import type { Metrics } from '../runtime/metrics.js';
import type { Views } from './views.js';

/** Adds the metrics of the mail that is kept in memory. */
export function addViewMetrics(metrics: Metrics, views: Views): void {
  metrics.gauge('views_bytes', 'Memory of all that is kept of mail, in bytes.', [], (set) => set({}, views.bytes));
  metrics.gauge('views_limit_bytes', 'Most memory that it may take.', [], (set) => set({}, views.limits.now.bytes));
  metrics.gauge('views_entries', 'Folders, opened messages and answers that are kept.', [], (set) =>
    set({}, views.entries),
  );
  metrics.total(
    'view_confirmations_total',
    'How a folder in memory was found to be true: idle: the end of an IDLE; noop: one NOOP, where the connection had stayed in it; select: by opening it.',
    ['way'],
    (set) => {
      for (const way of ['idle', 'noop', 'select'] as const) set({ way }, views.confirmations[way]);
    },
  );
  metrics.total(
    'view_recalls_total',
    'Opened messages that were asked for again, by whether they were still in memory: hit, miss.',
    ['outcome'],
    (set) => {
      for (const outcome of ['hit', 'miss'] as const) set({ outcome }, views.recalls[outcome]);
    },
  );
}
