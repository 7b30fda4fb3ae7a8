import { parentPort, workerData } from 'node:worker_threads';
import type { Timer } from '../../environment.js';
import { systemEnvironment } from '../../environment.js';
import { MessageCodec } from '../protocol/codec.js';
import { signing } from '../protocol/signing.js';
import { transport } from '../transport-registry.js';
import type { HeartOrder, HeartStart, RunningText } from './heart-thread.js';
import { Beats } from './heart.js';
import { textsIn } from './shared-texts.js';

/* The thread in which the heart of a worker beats. */

const port = parentPort;
if (port === null) throw new Error('heart-main runs in a worker thread');
const start = workerData as HeartStart;
const { clock } = systemEnvironment;
const early: HeartOrder[] = [];
const keep = (order: HeartOrder) => early.push(order);
port.on('message', keep);

const link = await (await transport(start.transport)).open();
const codec = new MessageCodec({ signing: signing(start.signing, clock), maxMessageBytes: start.maxMessageBytes });
const beats = new Beats({ workerId: start.workerId, link, codec, firstBeat: start.firstBeat });
const pulse = new Int32Array(start.pulse);
let timer: Timer;
let felt = { count: Atomics.load(pulse, 0), at: clock.now() };

let seen: readonly RunningText[] = [];
/** Takes over what runs now. */
const look = () => {
  for (const [id] of seen) beats.remove(id);
  seen = textsIn(start.running).map((text) => JSON.parse(text) as RunningText);
  for (const [id, key, mailbox] of seen) beats.add(id, key, mailbox);
};

const beat = () => {
  const count = Atomics.load(pulse, 0);
  if (count !== felt.count) felt = { count, at: clock.now() };
  if (clock.now() - felt.at <= start.patienceMs) {
    look();
    beats.send();
  }
  timer = clock.setTimer(start.everyMs, beat);
};
timer = clock.setTimer(start.everyMs, beat);

const obey = (order: HeartOrder) => {
  if (order.type === 'add') beats.add(order.id, order.key, order.mailbox);
  else if (order.type === 'remove') beats.remove(order.id);
  else {
    timer.cancel();
    port.close();
    void link.close();
  }
};
port.off('message', keep);
for (const order of early) obey(order);
port.on('message', obey);
