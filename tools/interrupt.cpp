// SPDX-License-Identifier: MIT
#include "interrupt.hpp"

namespace tool {

namespace {

volatile std::sig_atomic_t seen = 0;

extern "C" void remember(int) { seen = 1; }

} // namespace

interrupt_guard::interrupt_guard() {
    seen = 0;
    struct ::sigaction once {};
    once.sa_handler = remember;
    // The second one finds the default action again, and calls that wait are gone on with.
    once.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    ::sigaction(SIGINT, &once, &before_int_);
    ::sigaction(SIGTERM, &once, &before_term_);
}

interrupt_guard::~interrupt_guard() {
    ::sigaction(SIGINT, &before_int_, nullptr);
    ::sigaction(SIGTERM, &before_term_, nullptr);
}

void interrupt_guard::check() const {
    if (seen != 0)
        throw interrupted("interrupted; the batches that were written stay, and the same command "
                          "with --resume goes on");
}

} // namespace tool
