// SPDX-License-Identifier: MIT
// A source's input that is the bytes of the fuzzer, so that no file is written.
#ifndef VICINAL_TESTS_FUZZ_MEMORY_INPUT_HPP
#define VICINAL_TESTS_FUZZ_MEMORY_INPUT_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/migrate/bad_record.hpp>
#include <vicinal/migrate/files/input.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal_fuzz {

inline std::string_view& bytes() {
    static std::string_view now;
    return now;
}

class memory_input final : public vicinal::backend::input {
public:
    vicinal::result<std::size_t> read(void* to, std::size_t most) override {
        auto const n = (std::min)(most, bytes().size() - at_);
        std::copy_n(bytes().data() + at_, n, static_cast<char*>(to));
        at_ += n;
        return n;
    }
    std::string const& path() const noexcept override { return path_; }

private:
    std::size_t at_ = 0;
    std::string path_ = "fuzz";
};

inline vicinal::result<std::unique_ptr<vicinal::backend::input>> open(std::string const&) {
    return std::unique_ptr<vicinal::backend::input>(std::make_unique<memory_input>());
}

/// Reads a source to its end, past bad records; its records must have ids and, where they have a
/// vector, all the same dimension.
template <class Source>
void read_all(vicinal::result<Source> source) {
    if (!source) return;
    source->pass_over([](vicinal::bad_record const&) {});
    std::vector<vicinal::record> batch;
    std::size_t dim = 0;
    for (;;) {
        if (!source->read(batch, 10) || batch.empty()) break;
        for (auto const& r : batch) {
            if (r.id.empty()) std::abort();
            if (!r.vector.empty() && dim != 0 && r.vector.size() != dim) std::abort();
            if (!r.vector.empty()) dim = r.vector.size();
        }
    }
    if (!source->describe()) return;
}

} // namespace vicinal_fuzz

#endif
