import type { Metrics } from '../runtime/metrics.js';
import type { Hub } from './hub.js';

/** Adds the metrics of watches. */
export function addWatchMetrics(metrics: Metrics, hub: Hub): void {
  metrics.gauge('watches', 'Accounts that are watched.', [], (set) => set({}, hub.stats.topics));
  metrics.gauge('watching_sockets', 'Sockets that hear of changes.', [], (set) => set({}, hub.stats.subscribers));
  metrics.gauge('event_log_bytes', 'Memory of events that are kept for sockets that come back.', [], (set) =>
    set({}, hub.stats.logBytes),
  );
}
