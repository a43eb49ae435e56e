# edgewatch: make | make demo | make check | make bench | make fuzz | make install
# A flavour has its own build folder: FLAVOUR=release (default), asan, debug, fuzz (clang).
# One library of everything but cli/main.c; programs and tests link against it.

PREFIX  ?= /usr/local
FLAVOUR ?= release
B       := build/$(FLAVOUR)
VERSION := $(shell sed -n '1s/^edgewatch \([0-9.]*\).*/\1/p' CHANGES 2>/dev/null)

DIRS    := capture flows flows/wire storage report cli
SRCS    := $(filter-out cli/main.c,$(wildcard $(addsuffix /*.c,$(DIRS))))
HELP    := $(wildcard tests/help/*.c)
UNIT    := $(wildcard tests/unit/test_*.c)
FUZZ    := $(wildcard tests/fuzz/fuzz_*.c)
LIB     := $(B)/libedgewatch.a
TESTS   := $(UNIT:tests/unit/%.c=$(B)/tests/%)
PKGS    := sqlite3 smartcols jansson

WARN    := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wvla -Wwrite-strings
STD     := -std=c17 -D_GNU_SOURCE -I. -DEW_VERSION='"$(VERSION)"'
# -fwrapv: libnids keeps stream offsets in int and lets them wrap (docs/DESIGN.md)
OPT     := -O2 -g -fwrapv
ifeq ($(FLAVOUR),asan)
OPT     := -O1 -g -fwrapv -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize=signed-integer-overflow -fno-sanitize-recover=undefined
endif
ifeq ($(FLAVOUR),debug)
OPT     := -O0 -g -fwrapv
endif
ifeq ($(FLAVOUR),fuzz)
CC      := clang
OPT     := -O1 -g -fwrapv -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=signed-integer-overflow -fno-sanitize-recover=undefined
endif
CFLAGS  ?=
ALLC    := $(STD) $(OPT) $(WARN) $(shell pkg-config --cflags $(PKGS) 2>/dev/null) $(CFLAGS)
LIBS    := -lnids -lpcap -linih $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lcap-ng -lpthread -lm
Q       := $(if $(V),,@)

all: edgewatch

edgewatch: $(B)/edgewatch
	$(Q)cp -f $< $@

$(B)/edgewatch: $(B)/cli/main.o $(LIB)
	@echo "  LD    $@"
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ $(LIBS)

OBJS := $(SRCS:%.c=$(B)/%.o)
$(LIB): $(OBJS)
	@echo "  AR    $@"
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALLC) -MMD -MP -c -o $@ $<

$(B)/tests/%: $(B)/tests/unit/%.o $(HELP:%.c=$(B)/%.o) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

tests: $(TESTS)

$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPT) -fsanitize=fuzzer -o $@ $^ $(LIBS)

fuzzers: $(FUZZ:tests/fuzz/%.c=$(B)/fuzz/%)

clean:
	rm -rf build edgewatch

.PHONY: all tests fuzzers clean
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)

# --- samples and generators: make samples | build/.../bench/generate ---
SAMPLER := $(B)/pcaps-make/make-samples
SAMPLEC := $(wildcard pcaps/make/*.c)

$(B)/pcaps-make/%.o: pcaps/make/%.c Makefile
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
