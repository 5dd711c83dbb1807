/** An argument of a command: an atom or string, or a list in parentheses. */
export type Token = { text: string; quoted: boolean } | Token[];

/** Reads arguments as a scripted server gets them: octets as latin1, a literal as `{3}\r\nabc`. */
export function readTokens(args: string): Token[] {
  let at = 0;
  const list = (): Token[] => {
    const members: Token[] = [];
    while (at < args.length && args[at] !== ')') {
      if (args[at] === ' ') at += 1;
      else members.push(token());
    }
    at += 1;
    return members;
  };
  const token = (): Token => {
    const rest = args.slice(at);
    if (rest.startsWith('(')) {
      at += 1;
      return list();
    }
    const [literal, octets] = /^\{(\d+)\+?\}\r\n/.exec(rest) ?? [];
    if (literal !== undefined) {
      const value = rest.slice(literal.length, literal.length + Number(octets));
      at += literal.length + value.length;
      return { text: utf8(value), quoted: true };
    }
    const [quoted] = /^"(?:[^"\\]|\\.)*"/.exec(rest) ?? [];
    if (quoted !== undefined) {
      at += quoted.length;
      return { text: utf8(quoted.slice(1, -1).replace(/\\(.)/g, '$1')), quoted: true };
    }
    // A section such as BODY[HEADER.FIELDS (To)]<0.10> is one atom.
    const [atom = ''] = /^(?:\[[^\]]*\]|[^ ()])+/.exec(rest) ?? [];
    at += Math.max(atom.length, 1);
    return { text: atom, quoted: false };
  };
  return list();
}

/** The text of a token; empty for a list. */
export const textOf = (token: Token | undefined): string => (token && !Array.isArray(token) ? token.text : '');

/** The members of a list; the token alone where it is none. */
export const membersOf = (token: Token | undefined): Token[] =>
  Array.isArray(token) ? token : token === undefined ? [] : [token];

/** A quoted string. */
export const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

const utf8 = (latin1: string) => Buffer.from(latin1, 'latin1').toString('utf8');
