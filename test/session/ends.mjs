// @ts-check
// A broker's part in a list of ended sessions, as a process of its own: ends sessions and prints each id that is on the disk.
const [program = '', folder = '', name = '', count = '0', spareLines = '1000'] = process.argv.slice(2);
const { Revocations } = await import(new URL('../src/session/revocations.js', program).href);
const { KeyRing } = await import(new URL('../src/session/key-ring.js', program).href);

const keys = KeyRing.ofFile(`${folder}/session.keys`, { create: true });
const revocations = new Revocations(`${folder}/revoked.jsonl`, {
  spareLines: Number(spareLines),
  onTrouble: (/** @type {unknown} */ error) => error && console.error(error),
});
console.log(JSON.stringify({ line: revocations.opening().line, key: keys.newest.id }));
for (let index = 0; index < Number(count); index += 1) {
  const id = `${name}-${index}`;
  if (revocations.session({ id, tenant: 'shop', endsAt: Date.now() + 3_600_000 })) console.log(id);
}
revocations.close();
