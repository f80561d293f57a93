/* minimal_store.c - the yardstick's connections: a stack of lanes behind one lock. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "t/bench/minimal.h"

struct store {
	pthread_mutex_t lock;
	pthread_cond_t given_back;
	struct lane *idle;
	char user[24];
};

static PGresult *must_have_rows(PGconn *pg, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		die("PostgreSQL: %s", PQerrorMessage(pg));
	return result;
}

/* --- opening --- */

#define COLUMNS "id, title, description, completed, version, created_at, updated_at"

/* Word for word what app/features/tasks/tasks.c asks, so that the plans are the same. */
static const struct {
	const char *name, *sql;
} statements[] = {
	{ READ_TASK, "SELECT " COLUMNS " FROM tasks WHERE id = $1 AND user_id = $2" },
	{ LIST_TASKS, "SELECT " COLUMNS " FROM tasks WHERE user_id = $1"
		      " AND (created_at, id) < (coalesce($2::timestamptz, 'infinity'), $3::bigint)"
		      " AND ($4::boolean IS NULL OR completed = $4)"
		      " ORDER BY created_at DESC, id DESC LIMIT $5::bigint + 1" },
	{ INSERT_TASK, "INSERT INTO tasks (user_id, title, description, completed)"
		       " VALUES ($1, $2, $3, $4) RETURNING " COLUMNS },
};

static PGconn *open_database(const char *conninfo)
{
	PGconn *pg = PQconnectdb(conninfo);

	if (PQstatus(pg) != CONNECTION_OK)
		die("PostgreSQL: %s", PQerrorMessage(pg));
	/* As ostler-app's sessions are: planning E3 anew each time costs more than running it. */
	PQclear(must_have_rows(pg, PQexec(pg, "SET timezone = 'UTC'; SET datestyle = 'ISO';"
					      " SET plan_cache_mode = 'force_generic_plan'")));
	for (size_t i = 0; i < COUNT(statements); i++)
		PQclear(must_have_rows(
		    pg, PQprepare(pg, statements[i].name, statements[i].sql, 0, NULL)));
	return pg;
}

static redisContext *open_redis(const char *path)
{
	redisContext *redis = redisConnectUnix(path);

	if (redis == NULL || redis->err != 0)
		die("Redis at %s: %s", path, redis != NULL ? redis->errstr : "out of memory");
	return redis;
}

static void find_user(struct store *store, PGconn *pg)
{
	PGresult *found = must_have_rows(
	    pg, PQexec(pg, "SELECT id FROM users WHERE username = 'demo'"));

	if (PQntuples(found) != 1)
		die("there is no user \"demo\"");
	snprintf(store->user, sizeof(store->user), "%s", PQgetvalue(found, 0, 0));
	PQclear(found);
}

struct store *store_open(const char *conninfo, const char *redis_socket, int connections)
{
	struct store *store = calloc(1, sizeof(*store));
	struct lane *lanes = calloc((size_t)connections, sizeof(*lanes));

	if (store == NULL || lanes == NULL)
		die("out of memory");
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->given_back, NULL);
	for (int i = 0; i < connections; i++) {
		lanes[i].pg = open_database(conninfo);
		lanes[i].redis = open_redis(redis_socket);
		store_give_back(store, &lanes[i]);
	}
	find_user(store, lanes[0].pg);
	return store;
}

/* --- lending --- */

struct lane *store_take(struct store *store)
{
	struct lane *lane;

	pthread_mutex_lock(&store->lock);
	while (store->idle == NULL)
		pthread_cond_wait(&store->given_back, &store->lock);
	lane = store->idle;
	store->idle = lane->next;
	pthread_mutex_unlock(&store->lock);
	return lane;
}

void store_give_back(struct store *store, struct lane *lane)
{
	pthread_mutex_lock(&store->lock);
	lane->next = store->idle;
	store->idle = lane;
	pthread_cond_signal(&store->given_back);
	pthread_mutex_unlock(&store->lock);
}

const char *store_user(const struct store *store)
{
	return store->user;
}
