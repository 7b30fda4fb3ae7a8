import type { Job } from './measure.js';
import { measure } from './measure.js';

// Makes one measurement in a process of its own: forked with the job, as JSON, for its only argument.
// Started by itself, under a profiler for instance, it prints the measurement.
const [job = ''] = process.argv.slice(2);
const measurement = await measure(JSON.parse(job) as Job);
if (process.send === undefined) console.log(JSON.stringify(measurement));
else {
  process.send(measurement);
  process.disconnect();
}
