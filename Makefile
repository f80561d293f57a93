# Ostler.  `make help` says what can be made.

VAR      ?= var
PORT     ?= 8080
PREFIX   ?= /usr/local
LIBDIR   ?= $(PREFIX)/lib
UNITDIR  ?= $(PREFIX)/lib/systemd/system
DESTDIR  ?=
BUILD    ?= build
SANITIZE ?=
BENCH    ?=
FUZZ_SECONDS ?= 60
MINUTES  ?= 10
VERBOSE  ?=
MAKEFLAGS += --no-print-directory
COMMA     := ,
QUIET      = $(if $(VERBOSE),,@)

# --- how it is compiled -----------------------------------------------------------------------

CC         = gcc
# The newest of CHANGELOG.md, which is the one place that names it.
VERSION   := $(shell sed -n 's/^\#\# \([0-9][^ ]*\).*/\1/p;/^\#\# /q' CHANGELOG.md)
LIBRARIES  = fcgi libpq hiredis jansson libconfig libpcre2-8 libsodium libcrypto libjwt liboath libqrencode libseccomp
# What a program of somebody else includes; what these include is installed with them.
HEADERS    = app/program.h app/core/core.h app/core/answer/json.h base/clock.h base/log.h base/text.h
WARNINGS   = -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS    ?= -O2 -g
# Packagers' flags (CPPFLAGS) may ask for less.
GUARDED    = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
VARIANT    = plain
ifeq ($(SANITIZE),thread)
GUARDED    = -fsanitize=thread
VARIANT    = thread
else ifneq ($(SANITIZE),)
GUARDED    = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
VARIANT    = address
endif
ifeq ($(SANITIZE),fuzz) # libFuzzer is clang's
CC         = clang-14
GUARDED   += -fsanitize=fuzzer-no-link
VARIANT    = fuzz
endif
ifneq ($(BENCH),)
GUARDED   += -DOSTLER_BENCH
VARIANT   := $(VARIANT)-bench
endif
COMPILE    = $(CC) -std=c11 -D_GNU_SOURCE '-DOSTLER_VERSION="$(VERSION)"' -iquote . -iquote app $(WARNINGS) $(CPPFLAGS) $(CFLAGS) $(GUARDED) \
	-fPIE $(POSITION) -pthread -MMD -MP $$(pkg-config --cflags $(LIBRARIES))
LINK       = $(CC) $(CFLAGS) $(GUARDED) $(LDFLAGS) -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed
LINKED     = $$(pkg-config --libs $(LIBRARIES))
# Modules are found beside a program that was built, and in lib/ostler beside one that was installed;
# they use what the program has (base/log.h above all), so that has all of base/ and shows it.
# A sanitizer's dlopen calls the real one itself, for which only the older kind of path counts.
PATHS      = $(if $(SANITIZE),-Wl$(COMMA)--disable-new-dtags)
HOSTING    = -rdynamic $(PATHS) '-Wl,-rpath,$$ORIGIN:$$ORIGIN/..:$$ORIGIN/../lib/ostler' \
	-Wl,--whole-archive $(call archive,base) -Wl,--no-whole-archive

# Objects of a plain and of a sanitized build live side by side; the programs in $(BUILD) are of
# the variant made last, which the stamp remembers.
OBJECTS    = $(BUILD)/$(VARIANT)
STAMP      = $(BUILD)/variant
objects    = $(patsubst %.c,$(OBJECTS)/%.o,$(wildcard $(1)))
archive    = $(OBJECTS)/$(1).a
PROGRAMS   = $(BUILD)/ostlerd $(BUILD)/ostlerctl $(BUILD)/ostler-app
MODULES    = $(BUILD)/ostler-s3.so $(BUILD)/ostler-smtp.so $(BUILD)/ostler-kafka.so $(BUILD)/ostler-otlp.so
FUZZERS    = $(patsubst t/fuzz/%.c,$(BUILD)/%,$(filter-out %/world.c %/things.c,$(wildcard t/fuzz/*.c)))
UNITS      = $(patsubst t/unit/%.c,$(BUILD)/t/%,$(wildcard t/unit/*_test.c))

HELLO      = $(abspath $(BUILD))/hello

.PHONY: all deps run hello stop new-feature check check-deps check-unit check-kafka check-otel check-fuzz fuzz fuzzers lint soak bench bench-events bench-jobs bench-supervisor install uninstall deb clean help FORCE

all: $(PROGRAMS) $(MODULES) $(BUILD)/libostler.a ## compile ostlerd, ostlerctl and ostler-app into build/

$(BUILD)/ostlerd: $(OBJECTS)/supervisor/ostlerd.o $(call archive,supervisor) $(call archive,base)
$(BUILD)/ostlerctl: $(OBJECTS)/supervisor/ostlerctl.o $(call archive,supervisor) $(call archive,base)
$(BUILD)/ostler-app: $(call objects,app/ostler-app.c app/features.c app/features/*/*.c) \
	$(if $(BENCH),$(OBJECTS)/t/bench/bench.o) $(call archive,app) $(call archive,base)
$(BUILD)/minimal: $(call objects,t/bench/minimal*.c) $(call archive,base)
$(BUILD)/open: $(call objects,t/bench/open.c t/bench/bench.c app/features/health/*.c app/features/tasks/*.c) $(call archive,app) $(call archive,base)
$(BUILD)/ostler-app $(BUILD)/open: LINK += $(HOSTING)
# What only the supervisor uses: libostler.a, and whoever links it, does without.
$(BUILD)/ostlerd $(BUILD)/ostlerctl $(UNITS) $(FUZZERS): LINKED += $$(pkg-config --libs libcap libunwind-ptrace)
$(PROGRAMS) $(BUILD)/minimal $(BUILD)/open: $(STAMP)
	@echo "link     $@"
	$(QUIET)$(LINK) -o $@ $(filter %.o %.a,$^) $(LINKED)

# What only some processes load: each is linked to its library, and no program is (store/module.h).
$(OBJECTS)/app/store/modules/%.o: POSITION = -fPIC
$(BUILD)/ostler-s3.so: LINKED = $$(pkg-config --libs libcurl expat)
$(BUILD)/ostler-s3.so: $(call objects,app/store/modules/s3*.c)
$(BUILD)/ostler-smtp.so: LINKED = $$(pkg-config --libs libcurl)
$(BUILD)/ostler-smtp.so: $(call objects,app/store/modules/smtp.c)
$(BUILD)/ostler-otlp.so: LINKED = $$(pkg-config --libs libcurl)
$(BUILD)/ostler-otlp.so: $(call objects,app/store/modules/otlp.c)
$(BUILD)/ostler-kafka.so: LINKED = $$(pkg-config --libs rdkafka)
$(BUILD)/ostler-kafka.so: $(call objects,app/store/modules/kafka*.c)
$(MODULES): $(STAMP)
	@echo "link     $@"
	$(QUIET)$(filter-out -pie,$(LINK)) -shared -o $@ $(filter %.o,$^) $(LINKED)

$(call archive,base): $(call objects,base/*.c)
$(call archive,supervisor): $(filter-out %/ostlerd.o %/ostlerctl.o,$(call objects,supervisor/*.c supervisor/*/*.c))
$(call archive,app): $(filter-out %/ostler-app.o %/features.o,$(call objects,app/*.c app/store/*.c app/core/*.c app/core/*/*.c))
$(BUILD)/libostler.a: $(filter-out %/ostler-app.o %/features.o,$(call objects,app/*.c app/store/*.c app/core/*.c app/core/*/*.c base/*.c)) $(STAMP)
	@rm -f $@; ar rcs $@ $(filter %.o,$^)
.SECONDARY: # objects of the tests are kept, as all others
%.a:
	@rm -f $@; ar rcs $@ $^

# Words that are no password: a table made of Debian's word lists and our own (app/words).
DICT       = /usr/share/dict
WORDS      = $(DICT)/american-english $(DICT)/brazilian app/words/known.txt
$(BUILD)/common-words: LINK := $(LINK)
$(BUILD)/common-words: $(OBJECTS)/app/words/make_words.o $(OBJECTS)/app/core/identity/word.o $(WORDS)
	@echo "make     $@"
	$(QUIET)$(LINK) -o $@.maker $(filter %.o,$^)
	$(QUIET)$@.maker $(WORDS) >$@.new && mv $@.new $@ && rm $@.maker
$(OBJECTS)/app/core/identity/common.o: $(BUILD)/common-words
$(OBJECTS)/app/core/identity/common.o: COMPILE += '-DCOMMON_WORDS="$(BUILD)/common-words"'
$(DICT)/%:
	@echo "there is no $@ here: run make deps" >&2; exit 1

$(OBJECTS)/%.o: %.c
	@mkdir -p $(@D); echo "compile  $<"
	$(QUIET)$(COMPILE) -c -o $@ $<

$(STAMP): FORCE
	@mkdir -p $(@D); echo $(VARIANT) | cmp -s - $@ || echo $(VARIANT) >$@

-include $(shell find $(OBJECTS) -name '*.d' 2>/dev/null)

# --- run --------------------------------------------------------------------------------------

deps: ## install what building and running need (apt, through sudo unless root)
	@stack/packages build run

run: deps ## build all, then run the stack in the foreground: make run PORT=8080 VAR=var
	@$(MAKE) all
	@VAR='$(VAR)' PORT='$(PORT)' BUILD='$(BUILD)' stack/start

hello: deps ## run app/examples/hello, built with an installed copy of the library: make hello PORT=8080
	@$(MAKE) install PREFIX='$(HELLO)' DESTDIR= >/dev/null
	@PKG_CONFIG_PATH='$(HELLO)/lib/pkgconfig' $(MAKE) -C '$(HELLO)/share/ostler/examples/hello' run \
		PORT='$(PORT)' VAR='$(HELLO)/var' CFLAGS='$(CFLAGS) $(GUARDED)'

stop: ## end the stack that runs in VAR
	@'$(BUILD)/ostlerctl' -s '$(VAR)/ctl/ostlerd.sock' stop

# --- check ------------------------------------------------------------------------------------

new-feature: ## write a feature with its table, migration and test: make new-feature NAME=horses
	@app/new-feature '$(NAME)'

check-deps: deps
	@stack/packages check
	@t/node/install '$(BUILD)/node'
	@t/kafka/fetch '$(BUILD)/kafka' || test -z "$$CI"
	@t/deb/chroot '$(BUILD)/chroot' || test -z "$$CI"

check: check-deps ## build all, lint, and pass every test
	@$(MAKE) all lint check-unit check-fuzz
	@BUILD='$(BUILD)' prove -j2 t/

check-unit: ## pass the unit tests alone
	@$(MAKE) $(UNITS) $(MODULES)
	@CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $(UNITS)

$(BUILD)/t/%: LINK += $(HOSTING)
# Features are in no archive.
$(BUILD)/t/simulate_test: $(call objects,app/features/events/simulate.c app/features/events/shop.c)
$(BUILD)/t/%: $(OBJECTS)/t/unit/%.o $(call archive,app) $(call archive,supervisor) $(call archive,base) $(STAMP)
	@mkdir -p $(@D); echo "link     $@"
	$(QUIET)$(LINK) -o $@ $(filter %.o %.a,$^) $(LINKED) -lcmocka

check-kafka: deps ## hold a real broker of Kafka, fetched with Maven, to what a broker promises
	@stack/packages check
	@t/kafka/fetch '$(BUILD)/kafka'
	@$(MAKE) all '$(BUILD)/t/broker_test'
	@CI=true BUILD='$(BUILD)' prove t/kafka.t

check-otel: deps ## send traces to a real OpenTelemetry collector, built with Go from its modules
	@stack/packages check
	@cd t/otel && go build -o '$(abspath $(BUILD))/otel/collector' .
	@$(MAKE) all
	@BUILD='$(BUILD)' prove t/otel/check

fuzz: deps ## feed every parser random input: make fuzz FUZZ_SECONDS=60, seconds for each
	@stack/packages fuzz
	@$(MAKE) BUILD='$(BUILD)/fuzz' SANITIZE=fuzz fuzzers
	@BUILD='$(BUILD)/fuzz' t/fuzz/run '$(FUZZ_SECONDS)'

check-fuzz: # every fuzzer over the inputs that were worth keeping
	@$(MAKE) BUILD='$(BUILD)/fuzz' SANITIZE=fuzz fuzzers
	@BUILD='$(BUILD)/fuzz' t/fuzz/run kept

fuzzers: $(FUZZERS)
$(FUZZERS): $(BUILD)/%: $(OBJECTS)/t/fuzz/%.o $(OBJECTS)/t/fuzz/world.o $(OBJECTS)/t/fuzz/things.o $(call archive,app) $(call archive,supervisor) $(call archive,base) $(STAMP)
	@echo "link     $@"
	$(QUIET)$(LINK) -fsanitize=fuzzer -o $@ $(filter %.o %.a,$^) $(LINKED)

lint: ## check formatting, C code, scripts and manual pages
	@BUILD='$(BUILD)' t/lint

soak: check-deps all ## put ostlerd through everything for so long: make soak MINUTES=10
	@BUILD='$(BUILD)' MINUTES='$(MINUTES)' prove -v t/soak

bench: deps ## measure the application beside a minimal hand-written worker, and what sessions cost
	@stack/packages bench
	@$(MAKE) BUILD='$(BUILD)/bench' BENCH=1 all '$(BUILD)/bench/minimal' '$(BUILD)/bench/open'
	@BUILD='$(BUILD)/bench' t/bench/run

bench-supervisor: deps ## measure what ostlerd costs and how fast it acts, under load
	@stack/packages bench
	@$(MAKE) all
	@BUILD='$(BUILD)' VAR='$(VAR)' t/bench/supervisor

bench-jobs: deps ## measure the queue beside Celery: make bench-jobs SECONDS=600 for the long form
	@stack/packages bench
	@$(MAKE) all
	@BUILD='$(BUILD)' t/bench/jobs

bench-events: deps ## measure the way of events: in, through the broker, into all tables
	@stack/packages bench
	@$(MAKE) all
	@BUILD='$(BUILD)' VAR='$(VAR)' t/bench/events

# --- install ----------------------------------------------------------------------------------

# The compiler knows what HEADERS include.
public = $$($(CC) -MM -iquote . -iquote app $(HEADERS) | tr ' \\' '\n\n' | grep '\.h$$' | sort -u)

# Files that name where the others are.
PLACED           = sed -e 's|@PREFIX@|$(abspath $(PREFIX))|'
UNITS_OF_SYSTEMD = $(wildcard systemd/*.service systemd/*.socket systemd/*.timer)

install: all ## install programs, manual pages and the stack: make install PREFIX=/usr DESTDIR=
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BUILD)/ostlerd $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(BUILD)/ostlerctl $(BUILD)/ostler-app $(DESTDIR)$(PREFIX)/bin
	for page in man/*.[1-9]; do \
		install -D -m 644 "$$page" "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}"; done
	install -D -m 644 supervisor/ostlerctl.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/ostlerctl
	install -m 644 backup/ostler-backup.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/ostler-backup
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	for unit in $(UNITS_OF_SYSTEMD); do $(PLACED) "$$unit" >"$(DESTDIR)$(UNITDIR)/$${unit##*/}"; done
	for kind in sysusers tmpfiles; do \
		install -m 644 systemd/ostler.$$kind $(DESTDIR)$(PREFIX)/lib/$$kind.d/ostler.conf; done
	install -D -m 644 $(BUILD)/libostler.a $(DESTDIR)$(LIBDIR)/libostler.a
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/lib/ostler
	install -m 644 $(MODULES) $(DESTDIR)$(PREFIX)/lib/ostler
	$(PLACED) -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBRARIES@|$(LIBRARIES)|' -e 's|@LIBDIR@|$(abspath $(LIBDIR))|' \
		app/ostler.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/ostler.pc
	for header in $(public); do to="$(DESTDIR)$(PREFIX)/include/ostler/$${header#app/}"; \
		install -d "$${to%/*}" && sed 's|^#include "\(.*\)"|#include <ostler/\1>|' "$$header" >"$$to"; done
	install -d $(DESTDIR)$(PREFIX)/share/ostler
	cp -R stack nginx sql backup $(DESTDIR)$(PREFIX)/share/ostler
	echo '$(VERSION)' >$(DESTDIR)$(PREFIX)/share/ostler/backup/version
	ln -sf ../share/ostler/backup/ostler-backup $(DESTDIR)$(PREFIX)/sbin/ostler-backup
	install -d $(DESTDIR)$(PREFIX)/share/ostler/examples
	cp -R app/examples/hello $(DESTDIR)$(PREFIX)/share/ostler/examples
	install -d $(DESTDIR)$(PREFIX)/share/ostler/examples/etc
	for file in etc/*; do $(PLACED) "$$file" >"$(DESTDIR)$(PREFIX)/share/ostler/examples/$$file"; done

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/sbin/ostlerd $(DESTDIR)$(PREFIX)/sbin/ostler-backup
	rm -f $(DESTDIR)$(PREFIX)/bin/ostlerctl $(DESTDIR)$(PREFIX)/bin/ostler-app
	for page in man/*.[1-9]; do \
		rm -f "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}"; done
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ostlerctl \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/ostler-backup
	for unit in $(UNITS_OF_SYSTEMD); do rm -f "$(DESTDIR)$(UNITDIR)/$${unit##*/}"; done
	rm -f $(DESTDIR)$(PREFIX)/lib/sysusers.d/ostler.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/ostler.conf
	rm -f $(DESTDIR)$(LIBDIR)/libostler.a $(DESTDIR)$(LIBDIR)/pkgconfig/ostler.pc
	rm -rf $(DESTDIR)$(PREFIX)/share/ostler $(DESTDIR)$(PREFIX)/include/ostler \
		$(DESTDIR)$(PREFIX)/lib/ostler

deb: ## build Debian packages, with dpkg-buildpackage, into build/deb
	@stack/packages build deb
	@debian/build '$(BUILD)/deb'

clean: ## remove what was compiled; data in VAR stays
	rm -rf '$(BUILD)'

help: ## print this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14
