import type { LogLevel, Logger } from '../../src/listeners/logger.js';

/** Keeps what is logged, and has the shape of pino: methods that need their object. */
export class RecordingLogger implements Logger {
  readonly entries: (readonly [level: LogLevel, message: string])[] = [];

  constructor(private readonly enabled: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error']) {}

  readonly #record = (level: LogLevel, message: string): void => {
    if (this.enabled.includes(level)) this.entries.push([level, message]);
  };

  trace(message: string): void {
    this.#record('trace', message);
  }
  debug(message: string): void {
    this.#record('debug', message);
  }
  info(message: string): void {
    this.#record('info', message);
  }
  warn(message: string): void {
    this.#record('warn', message);
  }
  error(message: string): void {
    this.#record('error', message);
  }
  isLevelEnabled(level: LogLevel): boolean {
    return this.enabled.includes(level);
  }

  get levels(): Set<LogLevel> {
    return new Set(this.entries.map(([level]) => level));
  }

  /** Entries with the stack of an error. */
  get withStack(): readonly (readonly [level: LogLevel, message: string])[] {
    return this.entries.filter(([, message]) => /\n +at /.test(message));
  }

  get text(): string {
    return this.entries.map(([level, message]) => `${level} ${message}`).join('\n');
  }
}
