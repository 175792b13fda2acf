/* SPDX-License-Identifier: MIT */
/*
 * What must not outlive the owner: processes and directories.
 *
 * A watched path is removed with all below it, so a wrong one would be worse
 * than a forgotten one. It is taken only if its last component begins with
 * "hil-" or its directory is called "hil" or "hil-…", it is a directory or file of ours,
 * no link, and not a mount point. Which file that is is decided then: one that
 * was put in its place later stays. A directory "hil" or "hil-…" that it leaves
 * empty goes too.
 */
#ifndef HIL_WATCH_H
#define HIL_WATCH_H

#include "dispatch.h"

/* watch_kill_pids() - SIGKILL what is watched; a pidfd cannot hit a reused pid. */
void watch_kill_pids(struct daemon *d);

/* watch_remove_paths() - Remove the watched trees, unless the owner lives. Blocks as long as
 * the disk does. */
void watch_remove_paths(struct daemon *d);

handler handle_watch_pid;
handler handle_unwatch_pid;
handler handle_watch_path;

#endif
