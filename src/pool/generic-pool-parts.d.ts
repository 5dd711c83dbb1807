// The parts of generic-pool 3.9.0 that its own types leave out: the constructor with injected collaborators.
declare module 'generic-pool/lib/Pool.js' {
  import type { Factory, Options, Pool as PublicPool } from 'generic-pool';

  const Pool: new <T>(
    evictor: unknown,
    deque: new () => unknown,
    priorityQueue: unknown,
    factory: Factory<T>,
    options: Options,
  ) => PublicPool<T>;
  export default Pool;
}
declare module 'generic-pool/lib/DefaultEvictor.js' {
  const Evictor: unknown;
  export default Evictor;
}
declare module 'generic-pool/lib/PriorityQueue.js' {
  const PriorityQueue: unknown;
  export default PriorityQueue;
}
