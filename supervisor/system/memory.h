/* memory.h - how much memory the machine has left. */
#ifndef SUPERVISOR_SYSTEM_MEMORY_H
#define SUPERVISOR_SYSTEM_MEMORY_H

/*
 * Bytes that programs can have without swapping: MemAvailable, proc_meminfo(5).
 * -1: the kernel does not tell.
 */
long long memory_available(void);

#endif
