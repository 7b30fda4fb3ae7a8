import { KindRegistry } from '../kind-registry.js';
import type { PersistenceBackend } from './backend.js';

/** The backends that can be asked for by name. */
export class BackendRegistry extends KindRegistry<PersistenceBackend> {
  constructor() {
    super('backend');
  }

  override copy(): BackendRegistry {
    return new BackendRegistry().takeOver(this);
  }
}
