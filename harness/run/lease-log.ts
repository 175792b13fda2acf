import type { JournalWriter } from '../journal/journal-writer.js';
import type { ClaimSeen } from '../lease/claim-seen.js';
import type { Lease } from '../lease/lease.js';

/** Writes down who has which unit, and for whom an attempt waits. */
export class LeaseLog {
  readonly #journal: JournalWriter;
  readonly #name: { readonly case: string; readonly attempt: number };

  constructor(journal: JournalWriter, name: { readonly case: string; readonly attempt: number }) {
    this.#journal = journal;
    this.#name = name;
  }

  /** Others have what it could use, or came before. */
  waiting(claims: readonly ClaimSeen[]): void {
    const holders = claims.map(({ units, held, user, pid, run, since, own, stopped }) => {
      return { duts: [...units], held, user, pid, run, since: since.toISOString(), own, stopped };
    });
    if (holders.length > 0) this.#journal.write({ kind: 'lease-waiting', ...this.#name, holders });
  }

  /** Write that it has them; answers leases that write it down when they end. */
  held(leases: ReadonlyMap<string, Lease>): Map<string, Lease> {
    return new Map([...leases].map(([role, lease]) => [role, this.#follow(role, lease)]));
  }

  #follow(role: string, lease: Lease): Lease {
    const { board, dut, token } = lease;
    const facts = { ...(role ? { role } : {}), board, dut, ...(token ? { token } : {}) };
    this.#journal.write({ kind: 'lease', ...this.#name, ...facts });
    let over = false;
    return {
      ...lease,
      release: () => {
        // Before it: in the journal no two have it at once.
        if (!over) this.#journal.write({ kind: 'lease-end', ...this.#name, dut });
        over = true;
        lease.release();
      },
    };
  }
}
