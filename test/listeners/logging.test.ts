import { randomBytes } from 'node:crypto';
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import { load } from '../../src/engines/load.js';
import { linear } from '../../src/flows/linear.js';
import { DynamicLoggingListener } from '../../src/listeners/dynamic-logging-listener.js';
import { LoggingListener } from '../../src/listeners/logging-listener.js';
import { PrintingListener } from '../../src/listeners/printing-listener.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { encryptingCodec } from '../../src/persistence/codecs/encrypting.js';
import { rejection, step, throwing } from '../engines/steps.js';
import { RecordingLogger } from './recording-logger.js';

const good = () => linear('f').add(step('a', { provides: 'x' }), step('b', { requires: ['x'] }));
const bad = () => linear('f').add(step('a'), step('b', { execute: throwing(new Error('Woot!')) }));

class Sink extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

describe('the logging listener', () => {
  it('logs everything but retries at one level, debug by default', async () => {
    const logger = new RecordingLogger();
    const engine = await load(linear('f', { retry: times({ name: 'r' }) }).add(step('a')));
    await new LoggingListener(engine, { logger }).during(() => engine.run());
    const { flowUuid } = engine.storage;
    const uuid = engine.storage.getAtomUuid('a');
    expect(logger.entries).toEqual([
      ['debug', `Flow 'f' (${flowUuid}) has moved into state RUNNING from state PENDING`],
      ['debug', `Task 'a' (${uuid}) has moved into state RUNNING from state PENDING`],
      ['debug', `Task 'a' (${uuid}) has moved into state SUCCESS from state RUNNING with result 'a'`],
      ['debug', `Flow 'f' (${flowUuid}) has moved into state SUCCESS from state RUNNING`],
    ]);
  });

  it('logs at the level that it is given', async () => {
    const logger = new RecordingLogger();
    const engine = await load(good());
    await new LoggingListener(engine, { logger, level: 'info' }).during(() => engine.run());
    expect(logger.levels).toEqual(new Set(['info']));
    expect(() => new LoggingListener(engine, { level: 'loud' as never })).toThrow(
      'level takes one of trace, debug, info, warn, error, got "loud"',
    );
  });

  it('logs one stack of a run that fails', async () => {
    const logger = new RecordingLogger();
    const engine = await load(bad());
    await rejection(new LoggingListener(engine, { logger }).during(() => engine.run()));
    expect(logger.withStack).toHaveLength(1);
    expect(logger.withStack[0]?.[1]).toMatch(
      /Task 'b' .* into state FAILURE .*Failure: Error: Woot!\nError: Woot!\n +at /,
    );
  });

  it('logs nothing without a logger', async () => {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const errors = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const engine = await load(bad());
    await rejection(new LoggingListener(engine).during(() => engine.run()));
    const again = await load(bad());
    await rejection(new DynamicLoggingListener(again).during(() => again.run()));
    expect([written.mock.calls, errors.mock.calls]).toEqual([[], []]);
    vi.restoreAllMocks();
  });

  it.each(['trace', 'debug', 'info', 'warn', 'error'] as const)('writes to a real console, at %s', async (level) => {
    const [out, err] = [new Sink(), new Sink()];
    const engine = await load(good());
    await new LoggingListener(engine, { logger: new Console(out, err), level }).during(() => engine.run());
    const isOut = level === 'debug' || level === 'info';
    expect(isOut ? out.text : err.text).toContain("into state SUCCESS from state RUNNING with result 'b'\n");
    expect(isOut ? err.text : out.text).toBe('');
  });

  it('writes to what has the shape of pino, one text a message', async () => {
    /** As pino declares the functions of its levels. */
    interface LogFunction {
      (merged: object, message?: string, ...args: unknown[]): void;
      (message: string, ...args: unknown[]): void;
    }
    // Its methods are those of an object, and belong to it.
    class Pino {
      readonly lines: string[] = [];
      readonly silent: readonly string[] = ['trace', 'debug'];
      readonly trace: LogFunction = () => undefined;
      readonly debug: LogFunction = () => undefined;
      info(this: Pino, ...given: unknown[]): void {
        this.lines.push(JSON.stringify(given));
      }
      warn(this: Pino, ...given: unknown[]): void {
        this.lines.push(JSON.stringify(given));
      }
      error(this: Pino, ...given: unknown[]): void {
        this.lines.push(JSON.stringify(given));
      }
      isLevelEnabled(this: Pino, level: string): boolean {
        return !this.silent.includes(level);
      }
    }
    const logger = new Pino();
    const engine = await load(bad());
    await rejection(new DynamicLoggingListener(engine, { logger, level: 'info' }).during(() => engine.run()));
    const given = logger.lines.map((line) => JSON.parse(line) as unknown[]);
    expect(given.length).toBe(10);
    expect(given.every((args) => args.length === 1 && typeof args[0] === 'string')).toBe(true);
  });

  it('writes what is to be traced to debug where there is no trace', async () => {
    const lines: string[] = [];
    const nothing = () => undefined;
    const logger = { debug: (text: string) => void lines.push(text), info: nothing, warn: nothing, error: nothing };
    const engine = await load(good());
    await new LoggingListener(engine, { logger, level: 'trace' }).during(() => engine.run());
    expect(lines).toHaveLength(6);
  });

  it('masks and shortens results', async () => {
    const logger = new RecordingLogger();
    const execute = () => ({ card: { pin: 'hunter2' }, list: [{ pin: 'hunter2' }], long: 'x'.repeat(500) });
    const engine = await load(linear('f').add(step('a', { execute })));
    await new LoggingListener(engine, { logger, maskKeys: ['pin'] }).during(() => engine.run());
    expect(logger.text).toContain("{ card: { pin: '***' }, list: [ { pin: '***' } ], long: 'xxx");
    expect(logger.text).toMatch(/x… \(\d+ more\)/);
  });
});

describe('the printing listener', () => {
  it('prints to where it is told to, with the stack of a failure', async () => {
    const output = { text: '', write: (text: string) => (output.text += text) };
    const engine = await load(bad());
    await rejection(new PrintingListener(engine, { output }).during(() => engine.run()));
    const lines = output.text.split('\n');
    expect(lines[0]).toBe(`Flow 'f' (${engine.storage.flowUuid}) has moved into state RUNNING from state PENDING`);
    expect(output.text.match(/^Error: Woot!$/gm)).toHaveLength(1);
    expect(output.text.endsWith('into state REVERTED from state RUNNING\n')).toBe(true);
  });

  it('prints to the standard output by itself', async () => {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const engine = await load(good());
    await new PrintingListener(engine).during(() => engine.run());
    expect(written).toHaveBeenCalledTimes(6);
    vi.restoreAllMocks();
  });
});

describe.each(['round', 'change'] as const)('the dynamic logging listener, with a commit each %s', (checkpoint) => {
  it('logs a run without failures at the normal level', async () => {
    const logger = new RecordingLogger();
    const engine = await load(good(), { checkpoint });
    await new DynamicLoggingListener(engine, { logger }).during(() => engine.run());
    expect(logger.levels).toEqual(new Set(['debug']));
    expect(logger.text).toContain("with result 'a'");
  });

  it('logs what went wrong at the failure level, with one stack and its place in the flow', async () => {
    const logger = new RecordingLogger();
    const engine = await load(bad(), { checkpoint });
    await rejection(new DynamicLoggingListener(engine, { logger }).during(() => engine.run()));
    expect(logger.levels).toEqual(new Set(['debug', 'warn']));
    expect(logger.withStack).toHaveLength(1);
    const [level, message] = logger.withStack[0]!;
    expect(level).toBe('warn');
    expect(message).toContain('2 predecessors (most recent first):');
    expect(message).toContain("└─ Atom 'a' { intention: 'EXECUTE', state: 'SUCCESS', requires: {}, provides: 'a' }");
    const states = logger.entries.map(
      ([at, text]) => `${at} ${/'(.)'.* into state (\w+)/.exec(text)?.slice(1).join(' ') ?? ''}`,
    );
    // As TaskFlow's code has it: a revert that succeeded at the failure level, one that begins at the normal one.
    expect(states).toEqual([
      'debug f RUNNING',
      'debug a RUNNING',
      'debug a SUCCESS',
      'debug b RUNNING',
      'warn b FAILURE',
      'debug b REVERTING',
      'warn b REVERTED',
      'debug a REVERTING',
      'warn a REVERTED',
      'warn f REVERTED',
    ]);
  });

  it('takes other levels', async () => {
    const logger = new RecordingLogger();
    const engine = await load(bad(), { checkpoint });
    const listener = new DynamicLoggingListener(engine, { logger, failureLevel: 'error', level: 'trace' });
    await rejection(listener.during(() => engine.run()));
    expect(logger.levels).toEqual(new Set(['trace', 'error']));
  });
});

describe('the dynamic logging listener', () => {
  it('tells of a revert that failed, with its stack', async () => {
    const logger = new RecordingLogger();
    const flow = linear('f').add(
      step('a', { revert: throwing(new Error('stuck')) }),
      step('b', { execute: throwing(new Error('Woot!')) }),
    );
    const engine = await load(flow);
    await rejection(new DynamicLoggingListener(engine, { logger }).during(() => engine.run()));
    expect(logger.withStack.map(([level, text]) => [level, /into state (\w+)/.exec(text)?.[1]])).toEqual([
      ['warn', 'FAILURE'],
      ['warn', 'REVERT_FAILURE'],
    ]);
    expect(logger.entries.at(-1)).toEqual(['warn', expect.stringContaining('FAILURE from state RUNNING')]);
  });

  it('shows results only where somebody reads them, and never those of hidden tasks', async () => {
    const quiet = new RecordingLogger(['info', 'warn', 'error']);
    const engine = await load(good());
    await new DynamicLoggingListener(engine, { logger: quiet, failureLevel: 'info' }).during(() => engine.run());
    expect(quiet.entries).toEqual([]);

    const logger = new RecordingLogger();
    const again = await load(good());
    const options = { logger, hideInputsOutputsOf: ['a'] };
    await new DynamicLoggingListener(again, options).during(() => again.run());
    expect(logger.text).toContain("with result 'b'");
    expect(logger.text).not.toContain("with result 'a'");
  });

  it('asks a formatter of its own, where it is given one', async () => {
    const logger = new RecordingLogger();
    const engine = await load(bad());
    const failFormatter = { format: () => 'as I said' };
    await rejection(new DynamicLoggingListener(engine, { logger, failFormatter }).during(() => engine.run()));
    expect(logger.withStack[0]?.[1]).toMatch(/FAILURE from state RUNNING\nas I said\nError: Woot!\n/);
  });

  it('masks arguments and results by key', async () => {
    const logger = new RecordingLogger();
    const flow = linear('f').add(
      step('a', { requires: ['password'], provides: 'x', execute: () => ({ token: 'hunter2', user: 'ann' }) }),
      step('b', { requires: ['x'], execute: throwing(new Error('Woot!')) }),
    );
    const engine = await load(flow, { store: { password: 'hunter2' } });
    const options = { logger, maskInputsKeys: ['password', 'token'], maskOutputsKeys: ['token'] };
    await rejection(new DynamicLoggingListener(engine, options).during(() => engine.run()));
    expect(logger.text).not.toContain('hunter2');
    expect(logger.text).toContain("with result { token: '***', user: 'ann' }");
    expect(logger.text).toContain("requires: { password: '***' }, provides: { token: '***', user: 'ann' }");
  });
});

describe('secrets', () => {
  it('that a codec keeps are in no message of any listener', async () => {
    const MARKER = 'hunter2';
    const codec = encryptingCodec({ keys: { k: randomBytes(32) }, current: 'k' });
    const flow = linear('f').add(
      step('a', { requires: ['password'], provides: 'x', execute: () => MARKER, revert: () => MARKER }),
      step('b', { requires: ['x'], execute: throwing(Object.assign(new Error('Woot!'), { token: MARKER })) }),
    );
    const engine = await load(flow, { backend: memoryBackend({ codec }), store: { password: MARKER } });
    const logger = new RecordingLogger();
    const output = { text: '', write: (text: string) => (output.text += text) };
    using _plain = new LoggingListener(engine, { logger }).register();
    using _dynamic = new DynamicLoggingListener(engine, { logger }).register();
    using _printing = new PrintingListener(engine, { output }).register();
    await rejection(engine.run());
    expect(logger.entries.length).toBe(20);
    expect(logger.text).toContain("Atom 'a' { intention: 'EXECUTE', state: 'SUCCESS' }");
    expect(logger.text + output.text).not.toContain(MARKER);
    expect(engine.statistics.listenerErrors).toBe(0);
  });
});
