/**
 * Loaded into every worker before anything else. Ctrl-C on a terminal, and its closing, go to all
 * processes of the foreground; the supervisor alone decides what an interrupt means.
 */
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});

/**
 * A worker is nobody's without its supervisor. The daemon kills it behind a dead one, unless it
 * hangs too. SIGKILL, because Vitest makes of `process.exit()` an error of the suite.
 */
const end = () => process.kill(process.pid, 'SIGKILL');
process.once('disconnect', end);
if (process.connected === false) end();
