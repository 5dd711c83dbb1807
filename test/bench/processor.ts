import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

let ticks: number | undefined;

/** Seconds of processor time that a process has used so far, with all of its threads, in user mode and in the kernel. */
export function processorSeconds(pid: number): number {
  ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return ticksIn(readFileSync(`/proc/${pid}/stat`, 'utf8')) / ticks;
}

/** The ticks in a line of /proc/PID/stat (proc(5)): utime and stime. */
export function ticksIn(line: string): number {
  // The name of the program stands in brackets and may hold blanks and brackets: the fields are counted behind it.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
