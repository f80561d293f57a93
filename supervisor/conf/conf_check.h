/*
 * conf_check.h - what no single setting can tell: names that must exist, rules
 * of a kind, pools that fit together.  Called while the file is read.
 */
#ifndef SUPERVISOR_CONF_CONF_CHECK_H
#define SUPERVISOR_CONF_CONF_CHECK_H

struct complaints;
struct conf;
struct pool_conf;
struct scale_conf;

/* The group `workers` by itself. */
void conf_check_scale(const struct scale_conf *, struct complaints *);

/* One pool by itself: its kind's rules, and that everything it names is there. */
void conf_check_pool(const struct pool_conf *, struct complaints *);

/* All pools together, and the folders of control socket and pid file. */
void conf_check_all(const struct conf *, struct complaints *);

#endif
