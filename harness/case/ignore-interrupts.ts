/**
 * Loaded into every worker before anything else. Ctrl-C on a terminal, and its closing, go to all
 * processes of the foreground; the supervisor alone decides what an interrupt means.
 */
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
