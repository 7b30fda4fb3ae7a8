/** Making and running engines: the functions of `engines` in the public surface. */
export { load, run } from './load.js';
