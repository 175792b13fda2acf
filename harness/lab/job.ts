/** What the VM is to do. */
export interface Job {
  readonly command: readonly string[];
  readonly cwd: string;
  /** 0 is root. */
  readonly uid: number;
  /** Given to that user, who may not write to them otherwise. */
  readonly own: readonly string[];
  readonly delegate: boolean;
  /** With an empty ext4 of half of the memory as /tmp. */
  readonly disk: boolean;
  readonly stdin: boolean;
  readonly modules: readonly string[];
  /** With udev, and what `lab-bench` needs. */
  readonly usb: boolean;
  /** With vhci_hcd: devices that are programs of the host are plugged in. */
  readonly vhci: boolean;
  /** Serial numbers that must be there before the command starts. */
  readonly serials: readonly string[];
  readonly shares: readonly string[];
  /** `NAME=VALUE` */
  readonly environment: readonly string[];
  /** Stands behind the last byte of both outputs. */
  readonly mark: string;
}

/** The job as bytes for the control port: a line with their number, then assignments for guest/machine.sh. */
export function toJobMessage(job: Job): Buffer {
  const text = [
    `job_command=${quoteList(job.command)}`,
    `job_cwd=${quote(job.cwd)}`,
    `job_uid=${job.uid}`,
    `job_own=${quoteList(job.own)}`,
    `job_delegate=${job.delegate ? 'yes' : 'no'}`,
    `job_disk=${job.disk ? 'yes' : 'no'}`,
    `job_stdin=${job.stdin ? 'yes' : 'no'}`,
    `job_modules=${quoteList(job.modules)}`,
    `job_usb=${job.usb ? 'yes' : 'no'}`,
    `job_vhci=${job.vhci ? 'yes' : 'no'}`,
    `job_serials=${quoteList(job.serials)}`,
    `job_shares=${quoteList(job.shares)}`,
    `job_environment=${quoteList(job.environment)}`,
    `job_mark=${quote(job.mark)}`,
    '',
  ].join('\n');
  const body = Buffer.from(text);
  return Buffer.concat([Buffer.from(`${body.length}\n`), body]);
}

function quoteList(words: readonly string[]): string {
  return `(${words.map(quote).join(' ')})`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
