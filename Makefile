# edgewatch: make | make demo | make check | make bench | make fuzz | make install | make deb
#
# A flavour has its own build folder: FLAVOUR=release (default), asan, fuzz (clang), lint (clang).
# One library of everything but cli/main.c for the tests; the released program is made of objects of its
# own (WHOLE), optimised over all files at once.
# V=1 shows commands, WERROR=1 turns warnings into errors, DEPS=skip installs nothing, LTO= links the
# program like the tests: sooner done after a change, and a twentieth slower.

PREFIX  ?= /usr/local
BINDIR  := $(DESTDIR)$(PREFIX)/bin
MANDIR  := $(DESTDIR)$(PREFIX)/share/man
DOCDIR  := $(DESTDIR)$(PREFIX)/share/doc/edgewatch
SYSTEMD ?= $(PREFIX)/lib/systemd/system
UNITDIR := $(DESTDIR)$(SYSTEMD)
FLAVOUR ?= release
B       := build/$(FLAVOUR)
VERSION := $(shell sed -n '1s/^edgewatch \([0-9.]*\).*/\1/p' CHANGES)

DIRS    := capture flows flows/wire storage report cli
SRCS    := $(filter-out cli/main.c,$(wildcard $(addsuffix /*.c,$(DIRS))))
OBJS    := $(SRCS:%.c=$(B)/%.o)
HELP    := $(wildcard tests/help/*.c)
UNIT    := $(wildcard tests/unit/test_*.c)
FUZZ    := $(wildcard tests/fuzz/fuzz_*.c)
LIB     := $(B)/libedgewatch.a
LTO     ?= 1
WHOLE   := $(and $(LTO),$(filter release,$(FLAVOUR)),$(patsubst %.c,$(B)/whole/%.o,$(SRCS) cli/main.c))
PKGS    := sqlite3 smartcols jansson zlib libsystemd libseccomp
PKGS    += libmicrohttpd ncursesw
PKGS    += expat
PKGS    += libcrypto

# -fwrapv: libnids keeps stream offsets in int and lets them wrap (docs/DESIGN.md)
# -O3 without the detour of a PLT: 100,000 calls in 5 to 7 % less time than with -O2
OPT.release := -O3 -fno-plt
OPT.asan    := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
               -fno-sanitize=signed-integer-overflow -fno-sanitize-recover=undefined
OPT.fuzz    := $(OPT.asan) -fsanitize=fuzzer-no-link
OPT.lint    := -O2
CC.fuzz     := clang
CC.lint     := clang
ifneq ($(CC.$(FLAVOUR)),)
CC          := $(CC.$(FLAVOUR))
endif

WARN    := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wvla -Wwrite-strings \
           $(if $(WERROR),-Werror)
OPT     := $(OPT.$(FLAVOUR)) -g -fwrapv
PLAIN   := -std=c17 -D_GNU_SOURCE -I. $(WARN) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
CFLAGS  ?=
CPPFLAGS ?=
ALLC    := $(PLAIN) -DEW_VERSION='"$(VERSION)"' $(OPT) $(CPPFLAGS) $(CFLAGS)
LIBS    := -lnids -lpcap -linih $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lcap-ng -lpthread -lm
Q       := $(if $(V),,@)

# ---- the program ----

all: edgewatch

# whichever flavour was made last
edgewatch: $(B)/edgewatch FORCE
	$(Q)cmp -s $< $@ || cp -f $< $@

$(B)/edgewatch: $(or $(WHOLE),$(B)/cli/main.o $(LIB)) $(B)/linked
	@echo "  LD    $@"
	$(Q)$(CC) $(OPT) $(if $(WHOLE),-flto=auto) $(LDFLAGS) -o $@ $(filter-out $(B)/linked,$^) $(LIBS)

$(LIB): $(OBJS)
	@echo "  AR    $@"
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALLC) -MMD -MP -c -o $@ $<

$(B)/whole/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALLC) -flto=auto -MMD -MP -c -o $@ $<

# other flags than last time: everything is made anew
export NOW := $(CC) $(ALLC)
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$NOW" | cmp -s - $@ || printf '%s\n' "$$NOW" >$@

# made of other objects than last time: it is linked anew
export LINKED := $(if $(WHOLE),whole,library) $(LDFLAGS)
$(B)/linked: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$LINKED" | cmp -s - $@ || printf '%s\n' "$$LINKED" >$@

# SQL scripts and the style sheet are part of the program (.incbin in storage/schema.c, settle.c, report/html.c)
$(B)/storage/schema.o $(B)/whole/storage/schema.o: storage/schema.sql
$(B)/storage/settle.o $(B)/whole/storage/settle.o: storage/settle.sql storage/settle_logs.sql
$(B)/report/html.o $(B)/whole/report/html.o: report/style.css
# ... and so are what a browser loads beside the pages, and the description of the API
$(B)/report/site.o $(B)/whole/report/site.o: report/site.css report/site.js
$(B)/report/web_api.o $(B)/whole/report/web_api.o: report/openapi.json

# ---- on a fresh machine ----

deps:
	@deploy/deps.sh build

demo: deps
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) edgewatch
	@deploy/demo.sh

check:
	@deploy/deps.sh check
	@MAKE="$(MAKE)" tests/run.sh

# ---- tests ----

TESTS   := $(UNIT:tests/unit/%.c=$(B)/tests/%)
FUZZERS := $(FUZZ:tests/fuzz/%.c=$(B)/fuzz/%)
GOLDEN  := $(B)/golden/facts $(B)/golden/cuts $(B)/golden/shed_cut

tests: $(TESTS) $(GOLDEN) bench-tools

$(B)/tests/%: $(B)/tests/unit/%.o $(HELP:%.c=$(B)/%.o) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ $(LIBS) -lssl -lcmocka

# facts listens at the doors between parsers and sessions, which --wrap opens
DOORS   := calls_sip allocations_turn rfc4571_parse joiner_attempt tracker_counts
$(B)/golden/facts: LDFLAGS += $(DOORS:%=-Wl,--wrap=%)
$(B)/golden/%: $(B)/tests/golden/%.o $(B)/tests/help/deaf.o $(LIB)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ $(LIBS)

fuzzers: $(FUZZERS)

$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(LIB)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(OPT) -fsanitize=fuzzer -o $@ $^ $(LIBS)

# for long: seconds for all fuzzers together; what they find out stays in build/corpus
FUZZ_SECONDS ?= 3600
fuzz:
	@deploy/deps.sh check
	$(Q)$(MAKE) --no-print-directory FLAVOUR=fuzz fuzzers
	@tests/fuzz/run.sh $(FUZZ_SECONDS) build/corpus

# ---- the look of the code ----

ALLSRC  := $(SRCS) cli/main.c $(HELP) $(UNIT) $(FUZZ) $(wildcard tests/*/*.c pcaps/make/*.c)

format:
	clang-format -i $(sort $(ALLSRC) $(wildcard */*.h */*/*.h))

# every C file through clang, warnings as errors
lint: $(sort $(ALLSRC:%.c=$(B)/%.linted))
$(B)/%.linted: %.c $(B)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLC) -Werror -fsyntax-only -MMD -MP -MT $@ -MF $(@:.linted=.d) $< && touch $@

print-flags:
	$(info $(PLAIN))@:

# ---- install ----

UNITS := $(wildcard deploy/systemd/*.service deploy/systemd/*.timer)

install: edgewatch
	install -d $(BINDIR) $(MANDIR)/man1 $(MANDIR)/man5 $(DOCDIR) $(UNITDIR)
	install -m 755 edgewatch $(BINDIR)/edgewatch
	install -m 644 man/*.1 $(MANDIR)/man1
	install -m 644 man/*.5 $(MANDIR)/man5
	install -m 644 README.md INSTALL CHANGES docs/DESIGN.md docs/QUERIES.md deploy/edgewatch.conf $(DOCDIR)
	for unit in $(UNITS); do \
	    sed 's|@BINDIR@|$(PREFIX)/bin|' $$unit >$(UNITDIR)/$${unit##*/} || exit 1; done
	install -D -m 644 deploy/completion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/edgewatch
	install -D -m 644 deploy/systemd/edgewatch.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/edgewatch.conf
	install -D -m 644 deploy/systemd/edgewatch.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/edgewatch.conf
	[ -z "$(SYSCONFDIR)" ] || install -D -m 640 deploy/edgewatch.conf $(DESTDIR)$(SYSCONFDIR)/edgewatch/edgewatch.conf

uninstall:
	rm -f $(BINDIR)/edgewatch
	rm -f $(patsubst man/%,$(MANDIR)/man1/%,$(wildcard man/*.1))
	rm -f $(patsubst man/%,$(MANDIR)/man5/%,$(wildcard man/*.5))
	rm -f $(UNITS:deploy/systemd/%=$(UNITDIR)/%)
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/edgewatch
	rm -f $(DESTDIR)$(PREFIX)/lib/sysusers.d/edgewatch.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/edgewatch.conf
	rm -rf $(DOCDIR)

# a Debian package: build/deb/edgewatch_*.deb
deb:
	@deploy/deps.sh deb
	@deploy/deb.sh

clean:
	rm -rf build edgewatch

FORCE:
.PHONY: all deps demo check tests fuzzers fuzz format lint print-flags install uninstall deb clean FORCE
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)

# --- samples and generators: make samples | build/.../bench/generate ---
SAMPLER := $(B)/pcaps-make/make-samples
SAMPLEC := $(wildcard pcaps/make/*.c)

$(B)/pcaps-make/%.o: pcaps/make/%.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALLC) -MMD -MP -c -o $@ $<

$(SAMPLER): $(SAMPLEC:pcaps/make/%.c=$(B)/pcaps-make/%.o)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^

samples: $(SAMPLER)
	$(Q)$(SAMPLER) pcaps

# the committed samples are what the builder makes, byte for byte
check-samples: $(SAMPLER)
	$(Q)rm -rf $(B)/samples && mkdir -p $(B)/samples && $(SAMPLER) $(B)/samples
	$(Q)diff -r -x make $(B)/samples pcaps

# the generators write packets and messages with the same builders
$(B)/bench/generate: $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/gen*.c)) \
    $(addprefix $(B)/pcaps-make/,packet.o turn.o stun.o sip.o)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ -lm

.PHONY: samples check-samples

# --- differential test: byte streams against tshark's (tests/golden/streams.sh) ---
tests: $(B)/golden/stream_dump

check-streams: $(B)/golden/stream_dump
	$(Q)tests/golden/streams.sh

.PHONY: check-streams

# --- speed, against a bare libpcap loop: make bench [ROUNDS=5] ---
ROUNDS ?= 5
BENCH  := $(addprefix $(B)/bench/,freeze generate loop loop_live measure refuse send tls_speed)

$(B)/bench/tls_speed: $(B)/tests/bench/tls_speed.o $(B)/tests/help/tls_make.o $(LIB)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/bench/freeze $(B)/bench/loop $(B)/bench/loop_live $(B)/bench/measure $(B)/bench/refuse $(B)/bench/send: $(B)/bench/%: $(B)/tests/bench/%.o
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ -lpcap -lseccomp

bench-tools: $(BENCH)

bench:
	@deploy/deps.sh check
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) edgewatch bench-tools
	@tests/bench/run.sh $(ROUNDS)
	@tests/bench/tls.sh

.PHONY: bench bench-tools

# --- every failure path made to happen: make faults [FAULTS=all] ---
FAULTS ?= all

$(B)/faults/shim.so: tests/faults/shim.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(PLAIN) -O2 -g -fPIC -shared -o $@ $< -ldl

$(B)/faults/sweep: $(B)/tests/faults/sweep.o
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ -lsqlite3

tests: $(B)/faults/shim.so $(B)/faults/sweep

faults: edgewatch $(B)/faults/shim.so $(B)/faults/sweep
	@tests/faults/run.sh $(FAULTS)

.PHONY: faults

# live, in network namespaces, as root: each says in its file what it shows
MINUTES ?= 60
CALLS   ?= 235
LIVE    := bench-live soak flood stalls blocks
$(LIVE): live-tools
live-tools:
	@deploy/deps.sh check
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) edgewatch bench-tools

bench-live:
	@tests/bench/live.sh $(ROUNDS) bulk
	@tests/bench/live.sh $(ROUNDS) calls
soak:
	@tests/bench/soak.sh $(MINUTES) $(CALLS)
flood:
	@tests/bench/flood.sh
stalls:
	@tests/live/stalls.sh 150000
	@tests/live/stalls.sh 150000 --no-shed --ring-mb 256
blocks:
	@tests/live/blocks.sh 40

.PHONY: live-tools $(LIVE)
