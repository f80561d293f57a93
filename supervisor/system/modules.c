/* modules.c - the files that a process is made of, and which of them holds an address. */
#include "supervisor/system/modules.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define SEGMENTS_MOST 64   /* of a file */
#define NOTES_MOST    4096 /* bytes; a usual file has some hundred */

struct mapping {
	uint64_t begin, end, offset; /* in memory; in the file */
	const char *path;
};

struct modules {
	pid_t pid;
	struct mapping *mapping;
	size_t count;
};

/* "7f2d4c000000-7f2d4c021000 r-xp 00002000 fd:01 1234   /usr/lib/…", proc_pid_maps(5) */
static bool read_mapping(struct arena *arena, const char *line, struct mapping *mapping)
{
	unsigned long long begin, end, offset;
	int path = 0;

	if (sscanf(line, "%llx-%llx %*s %llx %*s %*s %n", &begin, &end, &offset, &path) != 3 ||
	    path == 0)
		return false;
	*mapping = (struct mapping){ begin, end, offset,
		arena_copy(arena, line + path, strcspn(line + path, "\n")) };
	return true;
}

struct modules *modules_read(struct arena *arena, pid_t pid)
{
	struct modules *modules = arena_alloc(arena, sizeof(*modules));
	size_t room = 0, length = 0;
	char path[32], *line = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return NULL;
	modules->pid = pid;
	while (getline(&line, &length, file) > 0) {
		struct mapping mapping;

		if (!read_mapping(arena, line, &mapping))
			continue;
		if (modules->count == room) {
			size_t more = room * 2 + 64;

			modules->mapping = arena_grow(arena, modules->mapping,
			    room * sizeof(mapping), more * sizeof(mapping));
			room = more;
		}
		modules->mapping[modules->count++] = mapping;
	}
	free(line);
	fclose(file);
	return modules;
}

static bool copy_memory(pid_t pid, uint64_t address, void *room, size_t size)
{
	struct iovec to = { room, size };
	struct iovec from = { .iov_len = size };

	memcpy(&from.iov_base, &address, sizeof(from.iov_base)); /* never followed here */
	return process_vm_readv(pid, &to, 1, &from, 1, 0) == (ssize_t)size;
}

/* A name and a value, each filled up to a multiple of four bytes, behind their sizes: elf(5). */
bool modules_build_id(const void *notes, size_t length, char build_id[static MODULE_BUILD_ID])
{
	const unsigned char *bytes = notes;
	Elf64_Nhdr note;

	while (length >= sizeof(note)) {
		size_t name, value, whole;

		memcpy(&note, bytes, sizeof(note));
		name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
		value = ((size_t)note.n_descsz + 3) & ~(size_t)3;
		whole = sizeof(note) + name + value;
		if (whole > length)
			return false;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
		    memcmp(bytes + sizeof(note), "GNU", sizeof("GNU")) == 0 && note.n_descsz > 0 &&
		    note.n_descsz <= (MODULE_BUILD_ID - 1) / 2) {
			for (size_t i = 0; i < note.n_descsz; i++)
				snprintf(
				    build_id + 2 * i, 3, "%02x", bytes[sizeof(note) + name + i]);
			return true;
		}
		bytes += whole;
		length -= whole;
	}
	return false;
}

/*
 * Of the file as it is in memory, for the one on the disk may be another by now.
 * HEAD is the mapping that begins with the file's own head.
 */
static bool read_build_id(pid_t pid, uint64_t head, char build_id[static MODULE_BUILD_ID])
{
	Elf64_Phdr segment[SEGMENTS_MOST];
	unsigned char notes[NOTES_MOST];
	Elf64_Ehdr file;

	if (!copy_memory(pid, head, &file, sizeof(file)) ||
	    memcmp(file.e_ident, ELFMAG, SELFMAG) != 0 || file.e_ident[EI_CLASS] != ELFCLASS64 ||
	    file.e_phnum > SEGMENTS_MOST ||
	    !copy_memory(pid, head + file.e_phoff, segment, file.e_phnum * sizeof(*segment)))
		return false;
	for (size_t i = 0; i < file.e_phnum; i++) {
		size_t size = segment[i].p_filesz < NOTES_MOST ? segment[i].p_filesz : NOTES_MOST;

		/* The head of the file is mapped, and what lies near it in the file with it. */
		if (segment[i].p_type == PT_NOTE &&
		    copy_memory(pid, head + segment[i].p_offset, notes, size) &&
		    modules_build_id(notes, size, build_id))
			return true;
	}
	return false;
}

bool modules_find(const struct modules *modules, uint64_t address, struct module *module)
{
	const struct mapping *head = NULL;

	for (size_t i = 0; i < modules->count; i++) {
		const struct mapping *mapping = &modules->mapping[i];

		if (mapping->offset == 0)
			head = mapping;
		if (address < mapping->begin || address >= mapping->end)
			continue;
		*module = (struct module){ .path = mapping->path,
			.offset = address - mapping->begin + mapping->offset };
		if (head != NULL && strcmp(head->path, mapping->path) == 0)
			read_build_id(modules->pid, head->begin, module->build_id);
		return true;
	}
	return false;
}
