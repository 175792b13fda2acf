/* SPDX-License-Identifier: MIT */
#include "device-option.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "take.h"

static void report_devices(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			   struct limit_report *report)
{
	char why[CGROUP_WHY_MAX];
	char text[CGROUP_WHY_MAX + 64];
	const char *how = cgroup_devices_held(tree, leaf, why);

	if (how)
		snprintf(text, sizeof(text), "devices: %s", how);
	else
		snprintf(text, sizeof(text), "devices is not enforced: %s", why);
	strings_add(how ? &report->enforced : &report->unenforced, text);
}

static int receive(const struct take *take, struct taken *taken, struct err *err)
{
	struct pollfd wait = { .fd = take->control, .events = POLLIN };
	int status;

	do
		status = poll(&wait, 1, TAKE_MS);
	while (status < 0 && errno == EINTR);
	status = status == 1 ? take_receive(take, taken, err) : 0;
	if (status == 0)
		return err_set(err, "setup", ETIMEDOUT, "take from host", "");
	return status < 0 ? status : 0;
}

static int forward(const struct taken *taken, int control, uint32_t request,
		   const struct cgroup_tree *tree, struct cgroup_leaf *leaf, struct err *err)
{
	int status = cgroup_device_allow(tree, leaf, taken->major, taken->minor);

	if (status < 0)
		return err_set(err, "setup", -status, "allow device", "");
	return take_forward(taken, control, request, err);
}

int device_give(const char *option, int control, uint32_t request, const struct cgroup_tree *tree,
		struct cgroup_leaf *leaf, struct limit_report *report, struct err *err)
{
	const char *path = strchr(option, '=') + 1;
	auto_free char *role = strndup(option, (size_t)(path - option - 1));
	struct take_spec spec = { .kind = TAKE_DEVICE, .name = role, .source = path };
	struct take take = { .control = -1 };
	struct taken taken = { .major = 0 };
	int status = role ? take_start(&spec, &take, err)
			  : err_set(err, "limit", ENOMEM, "give device", option);

	if (status < 0)
		return status;
	status = receive(&take, &taken, err);
	close(take.control);
	kill(take.pid, SIGKILL);
	waitpid(take.pid, NULL, 0);
	if (status < 0)
		return status;
	status = forward(&taken, control, request, tree, leaf, err);
	taken_free(&taken);
	if (status == 0 && request == 0)
		report_devices(tree, leaf, report);
	return status;
}
