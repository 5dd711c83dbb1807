/** Where a first try listens unless it is told otherwise. */
export const defaultListen = '127.0.0.1:7143';
