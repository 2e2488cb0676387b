/** Faults that change the service under a running client: keys that go away, grants that are taken back. */
import type { Fault } from './faults.ts';
import { startDeletion } from './key-clock.ts';
import { isPendingDeletion, type KmsKey } from './kms-key.ts';
import type { KmsState } from './operations/operation.ts';

const WINDOW_DAYS = 7;

/** Does to the key of a request what the fault says; nothing for the other kinds. */
export function changeKey(kms: KmsState, fault: Fault, key: KmsKey | undefined): void {
  if (key === undefined || isPendingDeletion(key)) return;
  if (fault.kind === 'disable-key') {
    key.state = 'Disabled';
    key.stateEndsAt = undefined;
    kms.store.changed();
  }
  if (fault.kind === 'delete-key') startDeletion(kms.store, key, WINDOW_DAYS, kms.now());
  if (fault.kind === 'revoke-grants') kms.store.removeGrants(kms.store.grants(key));
}
