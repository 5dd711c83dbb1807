/** Where `serve` without a configuration file listens unless told otherwise. */
export const defaultListen = '127.0.0.1:7143';
