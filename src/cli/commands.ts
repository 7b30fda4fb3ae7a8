import type { DefineCommand } from './command.js';
import { defineCancel } from './commands/cancel.js';
import { defineCheck } from './commands/check.js';
import { defineExplain } from './commands/explain.js';
import { defineExport } from './commands/export.js';
import { defineGraph } from './commands/graph.js';
import { defineImport } from './commands/import.js';
import { defineInspect } from './commands/inspect.js';
import { defineJournal } from './commands/journal.js';
import { defineLs } from './commands/ls.js';
import { definePrune } from './commands/prune.js';
import { defineResume } from './commands/resume.js';
import { defineRun } from './commands/run.js';
import { defineShow } from './commands/show.js';
import { defineSuspend } from './commands/suspend.js';
import { defineUpgrade } from './commands/upgrade.js';
import { defineWhy } from './commands/why.js';
import { defineWorker } from './commands/worker.js';

/** All commands, in the order in which help lists them. */
export const COMMANDS: readonly DefineCommand[] = [
  defineRun,
  defineResume,
  defineSuspend,
  defineCancel,
  defineLs,
  defineShow,
  defineWhy,
  defineExplain,
  defineJournal,
  defineGraph,
  defineInspect,
  defineCheck,
  defineExport,
  defineImport,
  definePrune,
  defineUpgrade,
  defineWorker,
];
