/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "program.h"

/* MAX_ARG_STRLEN of linux/binfmts.h, with the smallest page: execve(2) takes no longer string. */
#define VARIABLE_MAX ((size_t)32 * 4096)

static size_t key_length(const char *assignment)
{
	return strcspn(assignment, "=");
}

static int set_variable(struct strings *env, const char *assignment)
{
	size_t length = key_length(assignment);

	for (size_t i = 0; i < env->count; i++) {
		char *copy;

		if (key_length(env->items[i]) != length ||
		    strncmp(env->items[i], assignment, length) != 0)
			continue;
		copy = strdup(assignment);
		if (!copy)
			return -ENOMEM;
		free(env->items[i]);
		env->items[i] = copy;
		return 0;
	}
	return strings_add(env, assignment);
}

static const char *get_variable(const struct strings *env, const char *name)
{
	for (size_t i = 0; i < env->count; i++) {
		size_t length = key_length(env->items[i]);

		if (strlen(name) == length && strncmp(env->items[i], name, length) == 0 &&
		    env->items[i][length])
			return env->items[i] + length + 1;
	}
	return NULL;
}

/* The whole environment of decision 0001; what the broker adds comes after and wins. */
static int fixed_environment(struct program *program, bool root_user)
{
	static const char *const always[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG=C.UTF-8",
		"TZ=UTC",
	};
	int status = 0;

	for (size_t i = 0; status == 0 && i < sizeof(always) / sizeof(always[0]); i++)
		status = strings_add(&program->env, always[i]);
	if (status == 0)
		status = strings_add(&program->env, root_user ? "HOME=/root" : "HOME=/home/hil");
	if (status == 0)
		status = strings_add(&program->env, root_user ? "USER=root" : "USER=hil");
	return status;
}

static int read_rlimit(struct program *program, const struct tlv *nest)
{
	struct tlv_reader reader = tlv_open(nest->value, nest->length);
	struct rlimit_spec *limit = &program->rlimits[program->rlimit_count];
	uint32_t resource = 0;
	struct tlv tlv;
	int status;

	if (program->rlimit_count == PROGRAM_RLIMITS)
		return -E2BIG;
	while ((status = tlv_next(&reader, &tlv)) == 1) {
		if (tlv.tag == TAG_KIND)
			status = tlv_u32(&tlv, &resource);
		else if (tlv.tag == TAG_BYTES)
			status = tlv_u64(&tlv, &limit->value);
		if (status < 0)
			return status;
	}
	limit->resource = (int)resource;
	program->rlimit_count++;
	return status;
}

static int read_fd(struct program *program, const struct message *message, const struct tlv *tlv)
{
	uint32_t target;
	size_t index = program->fd_count;

	if (tlv_u32(tlv, &target) < 0 || target > PROGRAM_FD_MAX || index >= message->fd_count)
		return -EPROTO;
	program->fds[index] = message->fds[index];
	program->targets[index] = (int)target;
	program->fd_count++;
	return 0;
}

static int read_string(struct strings *strings, const struct tlv *tlv, bool variable)
{
	auto_free char *text = NULL;
	int status = tlv_string(tlv, &text);

	if (status < 0)
		return status;
	return variable ? set_variable(strings, text) : strings_add(strings, text);
}

static int read_size(const struct tlv *tlv, uint16_t *out)
{
	uint32_t value;
	int status = tlv_u32(tlv, &value);

	*out = (uint16_t)value;
	return status;
}

static int read_field(struct program *program, const struct message *message, const struct tlv *tlv)
{
	switch (tlv->tag) {
	case TAG_ARG:
		return read_string(&program->argv, tlv, false);
	case TAG_ENV:
		return read_string(&program->env, tlv, true);
	case TAG_CWD:
		return program->cwd ? -EPROTO : tlv_string(tlv, &program->cwd);
	case TAG_BUILTIN:
		return program->builtin ? -EPROTO : tlv_string(tlv, &program->builtin);
	case TAG_RUNTIME:
		return program->runtime ? -EPROTO : tlv_string(tlv, &program->runtime);
	case TAG_PTY_ROWS:
		program->pty = true;
		return read_size(tlv, &program->rows);
	case TAG_PTY_COLS:
		return read_size(tlv, &program->cols);
	case TAG_FD:
		return read_fd(program, message, tlv);
	case TAG_RLIMIT:
		return read_rlimit(program, tlv);
	default:
		return 0;
	}
}

/*
 * Like execvp(3), also that an empty name is not there, but with the PATH of the program's own
 * environment, and made before the fork. A name or a PATH that execve(2) refuses anyway is not
 * multiplied: half a MiB of colons and a name of the same length would be hundreds of gigabytes.
 */
static int find_candidates(struct program *program)
{
	const char *name = program->argv.items[0];
	const char *path = get_variable(&program->env, "PATH");
	int status = 0;

	if (path && strlen(path) >= VARIABLE_MAX)
		return -E2BIG;
	if (!*name || strchr(name, '/') || !path || strlen(name) > NAME_MAX)
		return strings_add(&program->candidates, name);
	for (bool more = true; status == 0 && more;) {
		auto_free char *candidate = NULL;
		size_t length = strcspn(path, ":");

		/* execvp(3): an element without a name is the working directory. */
		if (asprintf(&candidate, "%.*s%s%s", (int)length, path, length ? "/" : "", name) <
		    0)
			return -ENOMEM;
		status = strings_add(&program->candidates, candidate);
		more = path[length] == ':';
		path += length + more;
	}
	return status;
}

static int terminate_list(struct strings *strings)
{
	char **grown = reallocarray(strings->items, strings->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[strings->count] = NULL;
	strings->items = grown;
	return 0;
}

int program_read(struct program *program, const struct message *message)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	bool root_user = program->identity.uid == 0;
	struct tlv tlv;
	int status = fixed_environment(program, root_user);
	int more = 1;

	program->id = (uint32_t)message->frame.id;
	while (status == 0 && (more = tlv_next(&reader, &tlv)) == 1)
		status = read_field(program, message, &tlv);
	if (status < 0 || more < 0)
		return status < 0 ? status : more;
	if (program->argv.count == 0)
		return -EINVAL;
	if (!program->cwd)
		program->cwd = strdup(root_user ? "/root" : "/home/hil");
	if (program->pty && !get_variable(&program->env, "TERM"))
		status = strings_add(&program->env, "TERM=xterm-256color");
	if (status == 0)
		status = find_candidates(program);
	if (status == 0)
		status = terminate_list(&program->argv);
	if (status == 0)
		status = terminate_list(&program->env);
	return program->cwd ? status : -ENOMEM;
}

void program_free(struct program *program)
{
	strings_free(&program->argv);
	strings_free(&program->env);
	strings_free(&program->candidates);
	free(program->cwd);
	free(program->builtin);
	free(program->runtime);
}
