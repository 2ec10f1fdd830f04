// SPDX-License-Identifier: MIT
// clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude -Itests
//         tests/fuzz/filter_fuzz.cpp
//
// The input is a filter, a zero byte, and an encoded payload, both hostile. What must hold: a
// filter prints to an equal filter, an accepted payload encodes to an equal one again, and
// `matches` agrees with the slow evaluation of the decoded fields.
#include "payload/naive_filter.hpp"

#include <vicinal/payload/fields.hpp>
#include <vicinal/payload/filter.hpp>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const all(reinterpret_cast<char const*>(data), size);
    auto const text = all.substr(0, all.find('\0'));
    auto const rest = all.substr((std::min)(size, text.size() + 1));
    auto const payload = std::as_bytes(std::span<char const>(rest.data(), rest.size()));

    auto const decoded = vicinal::payload::fields::decode(payload);
    if (decoded) {
        std::string again;
        require(static_cast<bool>(vicinal::payload::fields::encode(*decoded, again)));
        auto const back = vicinal::payload::fields::decode(
            std::as_bytes(std::span<char const>(again.data(), again.size())));
        require(back && *back == *decoded);
    }

    auto const filter = vicinal::filter::parse(text);
    if (!filter) return 0;
    auto const printed = filter->print();
    if (printed.size() <= vicinal::payload::detail::max_filter_bytes) {
        auto const again = vicinal::filter::parse(printed);
        require(again && *again == *filter && again->print() == printed);
    }
    bool const got = filter->matches(payload);
    if (decoded && !filter->empty()) {
        auto const expression = naive::from_tree(filter->tree(), 0);
        require(got == naive::evaluate(expression, *decoded).value_or(false));
    }
    return 0;
}
