/** The key of an account; JSON, so that two accounts never have the same key, whatever their names. */
export function accountKey({
  tenant,
  server,
  user,
}: {
  tenant: string;
  server: { name: string };
  user: string;
}): string {
  return JSON.stringify([tenant, server.name, user]);
}

/** Selects accounts by tenant, server and user; a name that is not given matches all. */
export interface AccountFilter {
  tenant?: string | undefined;
  server?: string | undefined;
  user?: string | undefined;
}

/** The names that an account's key is made of. */
export function namesOf(key: string): { tenant: string; server: string; user: string } {
  const [tenant = '', server = '', user = ''] = JSON.parse(key) as string[];
  return { tenant, server, user };
}

/**
 * Tells the keys of some accounts from others without parsing them, for there may be many: within a JSON string a quote
 * has a backslash before it, so these pieces are found nowhere but between names.
 */
export function keyMatcher({ tenant, server, user }: AccountFilter): (key: string) => boolean {
  const begin = tenant === undefined ? '' : `[${JSON.stringify(tenant)},`;
  const middle = server === undefined ? '' : `,${JSON.stringify(server)},`;
  const end = user === undefined ? '' : `,${JSON.stringify(user)}]`;
  return (key) => key.startsWith(begin) && key.includes(middle) && key.endsWith(end);
}
