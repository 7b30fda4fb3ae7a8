import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';

/*
 * A thread beside the main one of a process that runs tasks. It ends the process when that of the engine is gone, however
 * it went and however busy the main thread is: the engine holds the other end of a pipe, which closes with it.
 */

const pipe = new Socket({ fd: workerData as number });
pipe.on('error', () => undefined);
pipe.on('close', () => process.kill(process.pid, 'SIGKILL'));
pipe.resume();
