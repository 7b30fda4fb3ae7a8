import { describe, expect, it } from 'vitest';
import { put } from '../../src/persistence/atom-details.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { describeCopyingBackend, describePersistenceBackend } from './backend-suite.js';
import { aBook, aFlow, aTask } from './made-up-runs.js';

describePersistenceBackend('memory', () => memoryBackend());
describePersistenceBackend('memory without copies', () => memoryBackend({ deepCopy: false }), { runs: false });
describeCopyingBackend('memory', () => memoryBackend());

describe('memory persistence', () => {
  it('shares nothing with another memory backend', async () => {
    const [one, other] = [memoryBackend(), memoryBackend()];
    await usingConnection(one, (connection) => connection.saveLogbook(aBook('book')));
    expect(await usingConnection(other, (connection) => connection.getLogbooks())).toEqual([]);
  });

  it('without copies takes any value and gives out the same', async () => {
    const backend = memoryBackend({ deepCopy: false });
    const socket = new Map([['open', () => true]]);
    const atom = put(aTask('a'), 'SUCCESS', socket);
    await usingConnection(backend, (connection) => connection.saveLogbook(aBook('book', aFlow('f', atom))));
    expect(await usingConnection(backend, (connection) => connection.getAtomDetail(atom.uuid))).toBe(atom);
    expect(backend.codec).toBeUndefined();
  });

  it('keeps what another codec writes', async () => {
    const codec = {
      encode: (value: unknown) =>
        JSON.stringify(value, (_, part: unknown) => (part instanceof Map ? { map: [...part] } : part)),
      decode: (text: string): unknown =>
        JSON.parse(text, (_, part: unknown) =>
          typeof part === 'object' && part !== null && 'map' in part && Array.isArray(part.map)
            ? new Map(part.map)
            : part,
        ),
    };
    const backend = memoryBackend({ codec });
    const atom = put(aTask('a'), 'SUCCESS', new Map([[1, 'one']]));
    await usingConnection(backend, (connection) => connection.saveLogbook(aBook('book', aFlow('f', atom))));
    expect((await usingConnection(backend, (connection) => connection.getAtomDetail(atom.uuid))).results).toEqual(
      new Map([[1, 'one']]),
    );
  });

  it('takes a codec only where it copies', () => {
    const codec = { encode: String, decode: String };
    expect(() => memoryBackend({ deepCopy: false, codec })).toThrow(TypeError);
  });
});
