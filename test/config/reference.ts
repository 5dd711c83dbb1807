import { z } from 'zod';
import { configSchema } from '../../src/config/schema.js';
import type { Reload } from '../../src/config/schema-parts.js';

type Node = z.core.JSONSchema.JSONSchema;

/** What the table says of a reload. */
const reloads: Record<Reload, string> = {
  live: 'at once',
  content: 'reads the file again',
  restart: 'needs a restart',
};

/** The key tables of docs/configuration.md, one for each section, as the schema has them. */
export function referenceTables(): Map<string, string> {
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  const tables = new Map<string, string>();
  const top: string[] = [];
  for (const [key, node] of properties(schema)) {
    const table = node.items ?? node;
    if (typeof table === 'object' && !Array.isArray(table) && table.properties) {
      const rows = properties(table).map(([name, value]) =>
        row(name, { reload: node.reload ?? table.reload, ...value }, table.required?.includes(name) ?? false),
      );
      tables.set(node.items ? `[[${key}]]` : `[${key}]`, tableOf(rows));
    } else {
      top.push(row(key, node, schema.required?.includes(key) ?? false));
    }
  }
  tables.set('Top level', tableOf(top));
  return tables;
}

function properties(node: Node): Array<[string, Node]> {
  return Object.entries(node.properties ?? {}).filter((entry): entry is [string, Node] => typeof entry[1] === 'object');
}

function tableOf(rows: readonly string[]): string {
  return ['| key | value | default | reload | meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}

function row(name: string, node: Node, required: boolean): string {
  const fallback =
    node.default === undefined ? (required ? 'required' : 'none') : `\`${JSON.stringify(node.default)}\``;
  return `| \`${name}\` | ${kindOf(node)} | ${fallback} | ${reloads[(node.reload as Reload | undefined) ?? 'restart']} | ${node.description} |`;
}

function kindOf(node: Node): string {
  if (node.enum) return node.enum.map((value) => `\`"${value}"\``).join(', ');
  if (node.type === 'array')
    return `list of 1 to ${node.maxItems} strings`.replace('1 to', node.minItems ? '1 to' : 'up to');
  if (node.type === 'integer' || node.type === 'number') {
    const kind = node.type === 'integer' ? 'integer' : 'number';
    return `${kind}, ${node.minimum} to ${node.maximum}`;
  }
  return `${node.type}`;
}
