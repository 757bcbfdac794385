// One file on its way in: chosen, read through without writing, its columns put right, then imported.
import { ask } from '../api';
import { Work } from '../queue/work.svelte';
import { headerOf } from './header';
import type { Imported, Kind, Mappings } from './types';

const MOST_BYTES = 64 << 20;
const WITHIN_MS = 600_000;

export class Bring {
  kind = $state<Kind>('households');
  file = $state.raw<File | null>(null);
  /** Why the file is not even tried. */
  unfit = $state<'tooLarge' | 'wrongForm' | null>(null);
  saved = $state.raw<Mappings | null>(null);
  columns = $state.raw<string[]>([]);
  /** As the person has it: field -> column. */
  mapping = $state<Record<string, string>>({});
  /** The saved mapping that is used; '': the header decides. */
  name = $state('');
  changed = $state(false);
  tried = $state.raw<Imported | null>(null);
  done = $state.raw<Imported | null>(null);
  doing = $state<'try' | 'import' | null>(null);
  readonly work = new Work();

  async choose(kind: Kind): Promise<void> {
    if (this.work.busy) return;
    this.kind = kind;
    this.#forget();
    this.name = '';
    this.saved = null;
    try {
      const saved = await ask<Mappings>('GET', `/api/import-mappings?kind=${kind}`);
      if (this.kind !== kind) return;
      this.saved = saved;
    } catch (error) {
      this.work.problem = error;
      return;
    }
    if (this.file !== null) await this.try();
  }

  async take(file: File): Promise<void> {
    if (this.work.busy) return;
    this.#forget();
    this.file = null;
    this.unfit = file.size > MOST_BYTES ? 'tooLarge' : /\.(csv|csv\.gz|xlsx)$/i.test(file.name) ? null : 'wrongForm';
    if (this.unfit !== null) return;
    this.file = file;
    this.columns = await headerOf(file);
    await this.try();
  }

  /** Another column for a field; '' reads it from none. */
  change(field: string, column: string): void {
    if (column === '') delete this.mapping[field];
    else this.mapping[field] = column;
    this.changed = true;
  }

  async use(name: string): Promise<void> {
    this.name = name;
    this.changed = false;
    await this.try();
  }

  /** Read through; a changed mapping is saved first under its name. */
  async try(): Promise<void> {
    if (this.changed && !(await this.#save())) return;
    this.doing = 'try';
    const answer = await this.#send(true);
    this.doing = null;
    if (answer === null) return;
    this.tried = answer;
    this.mapping = { ...answer.mapping };
    this.changed = false;
    const used = Object.values(answer.mapping).filter((column) => !column.startsWith('='));
    this.columns = [...new Set([...this.columns, ...used, ...answer.ignored_columns])];
  }

  async import(): Promise<void> {
    this.doing = 'import';
    this.done = await this.#send(false);
    this.doing = null;
  }

  another(): void {
    this.file = null;
    this.columns = [];
    this.#forget();
  }

  #forget(): void {
    this.tried = this.done = null;
    this.mapping = {};
    this.changed = false;
    this.unfit = null;
    this.work.forget();
  }

  async #save(): Promise<boolean> {
    const saved = await this.work.send('/api/import-mappings', { kind: this.kind, name: this.name, mapping: this.mapping });
    if (saved === null) return false;
    this.saved = await ask<Mappings>('GET', `/api/import-mappings?kind=${this.kind}`);
    return true;
  }

  async #send(dry: boolean): Promise<Imported | null> {
    const { file } = this;
    if (file === null) return null;
    const query = new URLSearchParams({ file_name: file.name, dry: String(dry) });
    if (this.name !== '') query.set('mapping', this.name);
    return this.work.send<Imported>(`/api/imports/${this.kind}?${query}`, new Blob([file]), WITHIN_MS);
  }
}
