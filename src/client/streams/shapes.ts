/** Says what is wrong with a value, behind the way to the member that is wrong; undefined where nothing is. */
export type Shape = (value: unknown) => string | undefined;

export const boolean: Shape = (value) => (typeof value === 'boolean' ? undefined : 'no boolean');

export function text(most = Number.POSITIVE_INFINITY, pattern = /^/): Shape {
  return (value) => {
    if (typeof value !== 'string') return 'no text';
    return value.length <= most && pattern.test(value) ? undefined : 'not such a text';
  };
}

export function number(least = Number.NEGATIVE_INFINITY): Shape {
  return (value) => (typeof value === 'number' && value >= least ? undefined : 'no such number');
}

export function integer(least: number = Number.MIN_SAFE_INTEGER, most: number = Number.MAX_SAFE_INTEGER): Shape {
  return (value) => {
    return Number.isInteger(value) && Number(value) >= least && Number(value) <= most ? undefined : 'no such number';
  };
}

export function oneOf(...values: readonly string[]): Shape {
  return (value) => (values.some((one) => one === value) ? undefined : `none of ${values.join(', ')}`);
}

export function optional(shape: Shape): Shape {
  return (value) => (value === undefined ? undefined : shape(value));
}

export function nullable(shape: Shape): Shape {
  return (value) => (value === null ? undefined : shape(value));
}

export function list(shape: Shape, most = Number.POSITIVE_INFINITY): Shape {
  return (value) => {
    if (!Array.isArray(value)) return 'no list';
    if (value.length > most) return `more than ${most}`;
    for (const [at, one] of value.entries()) {
      const complaint = shape(one);
      if (complaint !== undefined) return `${at}: ${complaint}`;
    }
    return undefined;
  };
}

/** An object with these members; it may have others. */
export function object(members: Record<string, Shape>): Shape {
  const shapes = Object.entries(members);
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'no object';
    for (const [name, shape] of shapes) {
      const complaint = shape((value as Record<string, unknown>)[name]);
      if (complaint !== undefined) return `${name}: ${complaint}`;
    }
    return undefined;
  };
}
