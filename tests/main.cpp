// SPDX-License-Identifier: MIT
// The entry point of every test program, and a listener that notes the outcome of each test case
// in the file VICINAL_TEST_RESULTS, from which scripts/count_tests.py makes the totals. Console
// output stays Catch's own.
#if !__has_include(<catch2/catch_all.hpp>)
#    define CATCH_CONFIG_MAIN
#endif
#include "catch.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

#if __has_include(<catch2/catch_all.hpp>)
using listener_base = Catch::EventListenerBase;
#    define VICINAL_LISTENER_RESULT void
#    define VICINAL_LISTENER_RETURN
#else
using listener_base = Catch::TestEventListenerBase;
#    define VICINAL_LISTENER_RESULT bool
#    define VICINAL_LISTENER_RETURN return false
#endif

// AddressSanitizer and ThreadSanitizer ask for their defaults here. Without this an allocation that
// is refused, which tests provoke, ends the program instead of giving a null pointer.
extern "C" char const* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" char const* __tsan_default_options() { return "allocator_may_return_null=1"; }
extern "C" char const* __ubsan_default_options() { return "print_stacktrace=1"; }

namespace {

struct outcome_listener : listener_base {
    using listener_base::listener_base;

    void testCaseStarting(Catch::TestCaseInfo const& info) override {
        skipped_ = false;
        // Flushed before the case runs: a case that begins and never ends has crashed.
        note("begin", info.name);
    }

    VICINAL_LISTENER_RESULT assertionEnded(Catch::AssertionStats const& stats) override {
        for (auto const& info : stats.infoMessages) see(info.message);
        if (stats.assertionResult.getResultType() == Catch::ResultWas::Warning)
            see(std::string(stats.assertionResult.getMessage()));
        VICINAL_LISTENER_RETURN;
    }

    void testCaseEnded(Catch::TestCaseStats const& stats) override {
        note(!stats.totals.assertions.allOk() ? "failed"
             : skipped_                       ? "skipped"
                                              : "passed",
             stats
                 .testInfo
#if __has_include(<catch2/catch_all.hpp>)
                 ->name);
#else
                 .name);
#endif
    }

private:
    void see(std::string const& message) {
        if (message.rfind("SKIPPED", 0) == 0) skipped_ = true;
    }

    void note(char const* what, std::string const& name) {
        if (!file_.is_open())
            if (auto const* path = std::getenv("VICINAL_TEST_RESULTS")) file_.open(path);
        if (file_.is_open()) file_ << what << '\t' << name << std::endl;
    }

    bool skipped_ = false;
    std::ofstream file_;
};

} // namespace

CATCH_REGISTER_LISTENER(outcome_listener)
