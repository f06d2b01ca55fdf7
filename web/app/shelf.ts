/** Tables that the reader made and kept on this device. */

import { KeyVal } from './keyval.js';
import { stored } from './place.js';

export interface ShelvedTable {
  id: string;
  name: string;
  rows: number;
  groups: number;
  fingerprint: string;
  /** The table as one safetensors file. */
  bytes: Uint8Array;
}

const shelf = new KeyVal<ShelvedTable>(stored.tables);

export const listTables = (): Promise<ShelvedTable[]> => shelf.all();
export const getTable = (id: string): Promise<ShelvedTable | undefined> => shelf.get(id);
export const putTable = (table: ShelvedTable): Promise<void> => shelf.set(table.id, table);
export const dropTable = (id: string): Promise<void> => shelf.delete(id);
