import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** What a process is known by to others on its machine. */
export interface ProcessIdentity {
  /** Of one name are those processes that see one another by their ids. */
  readonly machine: string;
  readonly pid: number;
  /** When the process began, as the system counts it: ids are given out again. null where that is not known. */
  readonly began: string | null;
}

export function isProcessIdentity(value: unknown): value is ProcessIdentity {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'machine') === 'string' &&
    typeof Reflect.get(value, 'pid') === 'number'
  );
}

let known: ProcessIdentity | null = null;

export function thisProcess(): ProcessIdentity {
  known ??= { machine: machineName(), pid: process.pid, began: beginningOf(process.pid) };
  return known;
}

/** Whether a process is still there; unknown for one of another machine. */
export function lifeOfProcess({ machine, pid, began }: ProcessIdentity): 'alive' | 'gone' | 'unknown' {
  if (machine !== thisProcess().machine) return 'unknown';
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be asked, but it is there.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH' ? 'gone' : 'alive';
  }
  return beginningOf(pid) === began ? 'alive' : 'gone';
}

/** On Linux another one after each start, and in each container that counts its processes for itself. */
function machineName(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** null where it is not known, and for a process that has ended and is not buried yet. */
function beginningOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
