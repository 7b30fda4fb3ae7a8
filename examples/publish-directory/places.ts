import { join } from 'node:path';

/** Where things are in the output folder. */
export class Places {
  readonly stagings: string;
  readonly versions: string;
  /** A symbolic link to the newest version. */
  readonly latest: string;
  /** Old versions wait here until nothing can bring them back. */
  readonly trash: string;
  readonly state: string;
  /** The inspector page of the last run. */
  readonly page: string;
  /** Space that is set aside for the state, should the disk fill up. */
  readonly reserve: string;

  constructor(readonly out: string) {
    this.stagings = join(out, 'staging');
    this.versions = join(out, 'published');
    this.latest = join(this.versions, 'latest');
    this.trash = join(out, 'trash');
    this.state = join(out, 'state.db');
    this.page = join(out, 'run.html');
    this.reserve = join(out, 'reserve');
  }

  /** Where a version is put together. */
  staging(version: number): string {
    return join(this.stagings, String(version));
  }

  version(version: number): string {
    return join(this.versions, String(version));
  }

  /** Where the files of a version are, below its folder. */
  static packed(folder: string, path: string): string {
    return join(folder, 'files', `${path}.gz`);
  }

  static manifest(folder: string): string {
    return join(folder, 'manifest.json');
  }
}
