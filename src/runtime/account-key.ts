/** The key of an account; JSON, so that no choice of names makes two of them meet. */
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
