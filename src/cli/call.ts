import { text } from 'node:stream/consumers';
import { type Client, createClient, type MethodName, RpcError } from '../client/index.js';
import { contract } from '../protocol/contract.js';
import { CliError, type ExitCode, exitCodes, type Output } from './output.js';
import { asCliError, reach } from './reach.js';

export interface CallOptions {
  url?: string | undefined;
  token?: string | undefined;
}

/**
 * Calls one method through the client and prints its result as JSON; bytes of a result go to standard output, and the
 * rest of such a result to standard error.
 * @throws CliError
 */
export async function call(method: string, params: string, options: CallOptions, output: Output): Promise<ExitCode> {
  const { url, token } = options;
  if (url === undefined || token === undefined) {
    throw new CliError(
      'call needs --url and --token, or IMAP_BROKER_URL and IMAP_BROKER_TOKEN in the environment.',
      exitCodes.usage,
    );
  }
  const name = methodName(method);
  const parsed = parseParams(params === '-' ? await text(process.stdin) : params);
  await reach(url);
  const client = createClient({ url, token });
  try {
    await print(await invoke(client, name, parsed), output);
    return exitCodes.ok;
  } catch (error) {
    throw error instanceof RpcError ? asCliError(error) : error;
  } finally {
    client.close();
  }
}

function methodName(method: string): MethodName {
  if (Object.hasOwn(contract, method)) return method as MethodName;
  throw new CliError(
    `there is no method ${method}; the methods are ${Object.keys(contract).join(', ')}.`,
    exitCodes.usage,
  );
}

function parseParams(json: string): Record<string, unknown> {
  try {
    const params: unknown = JSON.parse(json);
    if (typeof params === 'object' && params !== null && !Array.isArray(params)) return { ...params };
  } catch {
    // Told below.
  }
  throw new CliError('the params are not a JSON object.', exitCodes.usage);
}

type Verbs = Record<string, (params: Record<string, unknown>) => Promise<object>>;

async function invoke(client: Client, method: MethodName, params: Record<string, unknown>): Promise<object> {
  const [area = '', verb = ''] = method.split('.');
  const verbs = client[area as keyof Client] as unknown as Verbs | undefined;
  const answer = verbs?.[verb]?.(params);
  if (!answer)
    throw new CliError(
      `${method} cannot be called from here: a watch ends with the socket of its command.`,
      exitCodes.usage,
    );
  return await answer;
}

async function print(result: object, output: Output): Promise<void> {
  if (!('body' in result && result.body instanceof ReadableStream)) {
    output.out(`${JSON.stringify(result, undefined, 2)}\n`);
    return;
  }
  const { body, ...rest } = result;
  output.err(`${JSON.stringify(rest, undefined, 2)}\n`);
  for await (const bytes of body) await output.outBytes(bytes);
}
