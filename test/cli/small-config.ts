/** A configuration with all that is needed, to which a test adds; its paths are relative to its folder. */
export const SMALL_CONFIG = `
[admin]
socket = "admin.sock"
[[listener]]
unix = "broker.sock"
[[server]]
name = "main"
host = "127.0.0.1"
[[tenant]]
name = "webmail"
token_hashes = ["${'0'.repeat(64)}"]
`;
