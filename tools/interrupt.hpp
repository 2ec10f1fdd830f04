// SPDX-License-Identifier: MIT
#ifndef VICINAL_TOOLS_INTERRUPT_HPP
#define VICINAL_TOOLS_INTERRUPT_HPP

#include <csignal>
#include <stdexcept>

namespace tool {

/// What ends a migration whose user has had enough.
struct interrupted : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// While it lives, the first Ctrl-C (or SIGTERM) is remembered for `check`, so that a batch ends
/// whole; a second one ends the program at once.
class interrupt_guard {
public:
    interrupt_guard();
    interrupt_guard(interrupt_guard const&) = delete;
    interrupt_guard& operator=(interrupt_guard const&) = delete;
    ~interrupt_guard();

    /// Throws `interrupted` after a Ctrl-C.
    void check() const;

private:
    struct ::sigaction before_int_ {};
    struct ::sigaction before_term_ {};
};

} // namespace tool

#endif
