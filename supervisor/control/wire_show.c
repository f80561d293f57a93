/*
 * wire_show.c - what the processes of a pool may do: a line of JSON for each.
 *
 * ostlerctl shows the members as they come, so that one more needs no word there.
 */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "supervisor/control/wire.h"
#include "supervisor/control/wire_json.h"
#include "supervisor/pool/pool.h"
#include "supervisor/system/capability.h"
#include "supervisor/system/identity.h"
#include "supervisor/system/in_force.h"
#include "supervisor/system/landlock.h"

static json_t *text_or_null(const char *text)
{
	return text[0] != '\0' ? wire_text(text, strlen(text)) : json_null();
}

static json_t *numbers(const unsigned *number, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_integer(number[i]));
	return list;
}

static json_t *group_names(const struct in_force *found)
{
	json_t *list = json_array();
	char name[IDENTITY_NAME];

	for (size_t i = 0; i < found->groups; i++)
		json_array_append_new(
		    list, text_or_null(identity_group_name(found->group[i], name)));
	return list;
}

static json_t *capability_names(uint64_t set)
{
	json_t *list = json_array();
	char name[CAPABILITY_NAME];

	for (int i = 0; i < 64; i++)
		if (set >> i & 1)
			json_array_append_new(list, json_string(capability_name(i, name)));
	return list;
}

static json_t *capabilities_of(const struct in_force *found)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "bounding", capability_names(found->bounding),
	    "effective", capability_names(found->effective), "permitted",
	    capability_names(found->permitted), "inheritable", capability_names(found->inheritable),
	    "ambient", capability_names(found->ambient));
}

static json_t *limit_value(rlim_t value)
{
	return value == RLIM_INFINITY ? json_null() : json_integer((json_int_t)value);
}

static json_t *limits_of(const struct in_force *found)
{
	json_t *limits = json_object();

	for (size_t i = 0; i < found->limits; i++)
		json_object_set_new(limits, limit_name(found->limit[i].resource),
		    json_pack("{s:o, s:o}", "soft", limit_value(found->limit[i].value.rlim_cur),
			"hard", limit_value(found->limit[i].value.rlim_max)));
	return limits;
}

/* The kernel shows it nowhere; but a worker that could not enter its ruleset has not begun. */
static const char *landlock_of(const struct worker *worker)
{
	if (!worker->generation->plan.confinement.files_limited)
		return "none";
	return landlock_version() > 0 ? "limits its files" : "not known to this kernel";
}

static void add_rights(json_t *object, const struct in_force *found)
{
	static const char *const seccomp[] = { "none", "strict", "filter" };
	char user[IDENTITY_NAME], group[IDENTITY_NAME], mask[16];

	snprintf(mask, sizeof(mask), "%04o", found->umask);
	json_object_set_new(
	    object, "user", text_or_null(identity_user_name(found->uid[ID_EFFECTIVE], user)));
	json_object_set_new(object, "uids", numbers(found->uid, ID_KINDS));
	json_object_set_new(
	    object, "group", text_or_null(identity_group_name(found->gid[ID_EFFECTIVE], group)));
	json_object_set_new(object, "gids", numbers(found->gid, ID_KINDS));
	json_object_set_new(object, "groups", group_names(found));
	json_object_set_new(object, "umask", json_string(mask));
	json_object_set_new(object, "directory", text_or_null(found->directory));
	json_object_set_new(object, "no_new_privs", json_boolean(found->no_new_privileges));
	json_object_set_new(object, "capabilities", capabilities_of(found));
	json_object_set_new(object, "seccomp",
	    json_string(found->seccomp >= 0 && found->seccomp < (int)COUNT(seccomp)
			    ? seccomp[found->seccomp]
			    : "?"));
}

static void add_shares(json_t *object, const struct in_force *found)
{
	json_object_set_new(object, "nice", json_integer(found->niceness));
	json_object_set_new(object, "cpus", text_or_null(found->processors));
	json_object_set_new(object, "oom_score_adj", json_integer(found->oom_score_adjust));
	json_object_set_new(object, "cgroup", text_or_null(found->cgroup));
	json_object_set_new(object, "limits", limits_of(found));
}

char *wire_show(const struct worker *worker)
{
	struct in_force found;
	json_t *in_force;

	if (worker->pid <= 0 || !in_force_read(worker->pid, &found))
		return NULL;
	in_force = json_object();
	add_rights(in_force, &found);
	json_object_set_new(in_force, "landlock", json_string(landlock_of(worker)));
	add_shares(in_force, &found);
	return wire_line(json_pack("{s:o, s:I, s:i, s:I, s:s, s:o}", "pool",
	    text_or_null(worker->generation->pool->name), "slot", (json_int_t)worker->slot, "pid",
	    (int)worker->pid, "generation", (json_int_t)worker->generation->number, "state",
	    worker_state_names[worker->state], "in_force", in_force));
}

/* --- as ostlerctl shows it -------------------------------------------------------------------- */

static void print_value(struct buffer *text, const json_t *value);

/* As in the configuration: one value, or the soft and the hard one. */
static void print_limit(struct buffer *text, const json_t *limit)
{
	const json_t *soft = json_object_get(limit, "soft"), *hard = json_object_get(limit, "hard");

	print_value(text, soft);
	if (json_equal(soft, hard))
		return;
	buffer_print(text, ":");
	print_value(text, hard);
}

static void print_members(struct buffer *text, const json_t *object)
{
	const json_t *before = NULL;
	const char *name;
	json_t *value;

	/* json_object_foreach takes an object that may be changed; this one is not. */
	json_object_foreach((json_t *)object, name, value)
	{
		bool limit = json_object_get(value, "soft") != NULL;

		if (before != NULL)
			buffer_print(text, limit ? " " : "; ");
		buffer_print(text, "%s%s", name, limit ? "=" : ": ");
		if (limit)
			print_limit(text, value);
		else if (json_array_size(value) > 2 && json_equal(value, before))
			buffer_print(text, "the same"); /* root's capabilities are 41 names */
		else
			print_value(text, value);
		before = value;
	}
}

static void print_value(struct buffer *text, const json_t *value)
{
	if (json_is_string(value))
		buffer_print(text, "%s", json_string_value(value));
	else if (json_is_integer(value))
		buffer_print(text, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		buffer_print(text, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_object(value))
		print_members(text, value);
	else if (json_is_array(value) && json_array_size(value) > 0)
		for (size_t i = 0; i < json_array_size(value); i++) {
			buffer_print(text, "%s", i > 0 ? " " : "");
			print_value(text, json_array_get(value, i));
		}
	else
		buffer_print(text, "%s", json_is_array(value) ? "none" : "unlimited");
}

static const char *text_of(struct arena *arena, const json_t *value)
{
	struct buffer text;

	if (json_is_null(value))
		return "-";
	buffer_start(&text, arena, 256);
	print_value(&text, value);
	buffer_add_char(&text, '\0');
	return text.data;
}

bool wire_read_shown(struct arena *arena, const char *line, size_t length, struct wire_shown *shown)
{
	json_t *object = json_loadb(line, length, 0, NULL);
	json_t *in_force = json_object_get(object, "in_force");
	const char *name;
	json_t *value;
	bool good = json_is_object(in_force);

	*shown = (struct wire_shown){ .pool = text_of(arena, json_object_get(object, "pool")),
		.slot = wire_member_number(object, "slot"),
		.pid = wire_member_number(object, "pid"),
		.generation = wire_member_number(object, "generation"),
		.state = text_of(arena, json_object_get(object, "state")) };
	shown->trait = arena_alloc(arena, (json_object_size(in_force) + 1) * sizeof(*shown->trait));
	json_object_foreach(in_force, name, value)
	{
		shown->trait[shown->count++] = (struct wire_trait){
			arena_copy(arena, name, strlen(name)), text_of(arena, value)
		};
	}
	json_decref(object);
	return good;
}
