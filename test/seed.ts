import { configureGlobal } from 'fast-check';

/*
 * Property tests take the same random cases in each run, so that a failure is about what was changed. Others are tried
 * with FLOWSTATE_SEED=random, or with the seed that a failure printed.
 */

const DEFAULT_SEED = 20_261_122;

const given = process.env['FLOWSTATE_SEED'];
if (given !== 'random') configureGlobal({ seed: given === undefined ? DEFAULT_SEED : Number(given) });
