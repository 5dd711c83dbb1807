import type { Field } from './generated/models.js';

/** Members of rows, as `fields` takes them. */
export type Fields = readonly Field[];

/** What rows have where `fields` is not given. */
export type DefaultFields = readonly ['envelope', 'flags', 'size', 'internalDate'];

type MemberOf<F> = F extends string ? F : 'headers';

/** A row whose members of `fields` are there for certain. Where `fields` is no literal, any member may be missing. */
export type Row<T, F extends Fields> = number extends F['length']
  ? T
  : T & Required<Pick<T, Extract<MemberOf<F[number]>, keyof T>>>;
