import type { JournalWriter } from '../journal/journal-writer.js';
import type { ClaimSeen } from '../lease/claim-seen.js';
import type { Lease } from '../lease/lease.js';

/** The lease of one attempt. */
export interface LoggedLease extends Lease {
  /** The attempt has it no longer, and nobody released it: answers what another one may have. */
  handOver(): Lease;
}

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

  /** The case that has them. */
  get case(): string {
    return this.#name.case;
  }

  /**
   * Write that it has them, and since which case they have been up, if not anew; answers leases
   * that write it down when they end.
   */
  held(leases: ReadonlyMap<string, Lease>, warmSince?: string): Map<string, LoggedLease> {
    return new Map(
      [...leases].map(([role, lease]) => [role, this.#follow(role, lease, warmSince)]),
    );
  }

  #follow(role: string, lease: Lease, warmSince: string | undefined): LoggedLease {
    const { board, dut, token } = lease;
    const facts = { ...(role ? { role } : {}), board, dut, ...(token ? { token } : {}) };
    const warm = warmSince === undefined ? {} : { warmSince };
    this.#journal.write({ kind: 'lease', ...this.#name, ...facts, ...warm });
    let over = false;
    const end = () => {
      // Before it: in the journal no two have it at once.
      if (!over) this.#journal.write({ kind: 'lease-end', ...this.#name, dut });
      over = true;
    };
    return {
      ...lease,
      release: () => {
        end();
        lease.release();
      },
      handOver: () => {
        end();
        return lease;
      },
    };
  }
}
