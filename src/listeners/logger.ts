/** From what is rarely wanted to what always is. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/**
 * What listeners write to. `console`, pino and most others are one as they are: each message is one text.
 *
 * @see TaskFlow `logging.py`. TRACE goes to `debug` where a logger has no `trace`.
 */
export interface Logger {
  trace?(message: string): void;
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** Whether messages of the level are kept. Default: they are. */
  isEnabledFor?(level: LogLevel): boolean;
  /** The same, as pino calls it. */
  isLevelEnabled?(level: LogLevel): boolean;
}

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];

/** @throws {RangeError} naming the option. */
export function checkLevel(option: string, level: LogLevel): LogLevel {
  if (LEVELS.includes(level)) return level;
  throw new RangeError(`${option} takes one of ${LEVELS.join(', ')}, got ${JSON.stringify(level)}`);
}

/** Keeps nothing: what listeners write to that were given no logger. */
export const NO_LOGGER: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  isEnabledFor: () => false,
};

export function isEnabledFor(logger: Logger, level: LogLevel): boolean {
  return logger.isEnabledFor?.(level) ?? logger.isLevelEnabled?.(level) ?? true;
}

export function log(logger: Logger, level: LogLevel, message: string): void {
  if (level === 'trace' && logger.trace === undefined) logger.debug(message);
  else logger[level]?.(message);
}
