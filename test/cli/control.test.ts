import { chmod, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask } from '../../src/cli/control/client.js';
import type { Asking } from '../../src/cli/control/client.js';
import type { RuntimeFolder } from '../../src/cli/control/runtime-folder.js';
import { newSocketPath, runtimeFolder } from '../../src/cli/control/runtime-folder.js';
import { announce } from '../../src/cli/control/server.js';
import type { Announcement, ControlledRun } from '../../src/cli/control/server.js';
import { systemEnvironment } from '../../src/environment.js';
import { InvalidStateError } from '../../src/errors.js';
import { VirtualClock } from '../../src/testing/virtual-environment.js';

const RUN = '0f3c8a52-1111-4222-8333-444455556666';

let place: string;
let folder: RuntimeFolder;
let asked: string[];
const announcements: Announcement[] = [];
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'flowstate-control-'));
  folder = await runtimeFolder({ XDG_RUNTIME_DIR: place });
  asked = [];
});
afterEach(async () => {
  for (const announcement of announcements.splice(0)) await announcement.end('SUSPENDED');
  await rm(place, { recursive: true, force: true });
});

const socketPath = () => newSocketPath(folder, RUN, systemEnvironment.newId);

const begin = async (changed: Partial<ControlledRun> = {}) => {
  const run = {
    uuid: RUN,
    storePath: '/runs.db',
    pid: 42,
    state: () => 'RUNNING',
    suspend: () => void asked.push('suspend'),
    cancel: () => void asked.push('cancel'),
    ...changed,
  };
  const announcement = await announce(run, socketPath());
  announcements.push(announcement);
  return announcement;
};

const asking = (changed: Partial<Asking> = {}): Asking => ({
  folder,
  clock: systemEnvironment.clock,
  run: RUN,
  storePath: '/runs.db',
  ...changed,
});

describe('a run that is announced', () => {
  it('is asked to stop, and says how it ended', async () => {
    const announcement = await begin();
    for (const command of ['status', 'suspend', 'cancel'] as const) {
      const reply = await ask(command, asking());
      if (reply.kind !== 'accepted') throw new Error(reply.kind);
      expect(reply).toMatchObject({ pid: 42, state: 'RUNNING' });
      if (command !== 'cancel') reply.leave();
      else {
        await announcement.end('REVERTED');
        expect(await reply.ended()).toBe('REVERTED');
      }
    }
    expect(asked).toEqual(['suspend', 'cancel']);
    expect(await readdir(folder.path)).toEqual([]);
    expect(await ask('status', asking())).toEqual({ kind: 'nobody' });
  });

  it('says why it cannot be stopped', async () => {
    await begin({
      suspend: () => {
        throw new InvalidStateError('A flow that is SUCCESS cannot be suspended');
      },
    });
    expect(await ask('suspend', asking())).toEqual({
      kind: 'refused',
      why: 'A flow that is SUCCESS cannot be suspended',
    });
  });

  it('is not taken for another one, nor for its copy in another store', async () => {
    await begin();
    const namesake = `${RUN.slice(0, -1)}7`;
    expect(await ask('suspend', asking({ run: namesake }))).toEqual({ kind: 'refused', why: 'it is another run' });
    expect(await ask('suspend', asking({ storePath: '/copy.db' }))).toEqual({
      kind: 'refused',
      why: 'the process 42 runs a copy of it that is kept in /runs.db',
    });
    expect(asked).toEqual([]);
  });

  it('is found among what processes left behind that are gone', async () => {
    for (let left = 0; left < 3; left++) {
      // Closed by nobody: as after SIGKILL, the file stays.
      const path = socketPath();
      const server = createServer();
      await new Promise<void>((resolve) => void server.listen(`${path}.gone`, resolve));
      await rename(`${path}.gone`, path);
      await new Promise((resolve) => server.close(resolve));
    }
    expect(await readdir(folder.path)).toHaveLength(3);
    await begin();
    expect(await ask('status', asking())).toMatchObject({ kind: 'accepted', pid: 42 });
    await announcements[0]!.end('SUCCESS');
    expect(await ask('status', asking())).toEqual({ kind: 'nobody' });
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('does not listen to what is no request', async () => {
    await begin();
    const [name] = await readdir(folder.path);
    for (const text of ['nonsense\n', '1\n', 'x'.repeat(20_000)]) {
      const socket = connect(join(folder.path, name!));
      socket.on('error', () => undefined);
      socket.write(text);
      await new Promise((resolve) => socket.on('close', resolve).resume());
    }
    expect(await ask('status', asking())).toMatchObject({ kind: 'accepted' });
    expect(asked).toEqual([]);
  });
});

describe('a process that does not answer', () => {
  it('is given five seconds', async () => {
    const clock = new VirtualClock();
    let heard = () => {};
    const isHeard = new Promise<void>((resolve) => (heard = resolve));
    const server = createServer((socket) => socket.on('error', () => undefined).on('data', heard));
    await new Promise<void>((resolve) => void server.listen(socketPath(), resolve));
    const reply = ask('suspend', asking({ clock }));
    await isHeard;
    clock.advance(5000);
    expect(await reply).toEqual({ kind: 'silent' });
    await new Promise((resolve) => server.close(resolve));
  });

  it('and one that dies meanwhile, is nobody', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => void server.listen(socketPath(), resolve));
    expect(await ask('suspend', asking())).toEqual({ kind: 'nobody' });
    await new Promise((resolve) => server.close(resolve));
  });

  it('and one that dies before the run has ended, leaves that open', async () => {
    const server = createServer((socket) => {
      socket.on('data', () => socket.end('{"pid":1,"state":"RUNNING"}\n'));
    });
    await new Promise<void>((resolve) => void server.listen(socketPath(), resolve));
    const reply = await ask('suspend', asking());
    expect(reply.kind === 'accepted' && (await reply.ended())).toBeNull();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('the folder of announcements', () => {
  it('is its owner’s alone', async () => {
    await chmod(folder.path, 0o777);
    await expect(runtimeFolder({ XDG_RUNTIME_DIR: place })).rejects.toThrow(
      'not a folder that only its owner writes to',
    );
  });

  it('is said to be of no use where it cannot be', async () => {
    await expect(runtimeFolder({ XDG_RUNTIME_DIR: join(place, 'missing') })).rejects.toThrow('cannot be announced in');
  });
});
