/* conf_table.h - private to conf*.c: the table of all settings. */
#ifndef SUPERVISOR_CONF_CONF_TABLE_H
#define SUPERVISOR_CONF_CONF_TABLE_H

#include "base/settings.h"

extern const struct section conf_table; /* fills a struct conf */

#endif
