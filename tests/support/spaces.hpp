// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SUPPORT_SPACES_HPP
#define VICINAL_TESTS_SUPPORT_SPACES_HPP

#include "support/temporary_directory.hpp"

#include <vicinal/storage/memory.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/storage/open_options.hpp>
#include <vicinal/storage/properties.hpp>

namespace vicinal_test {

/// An opened storage for a test of building blocks, in a directory of its own where it needs one.
template <class Storage>
class opened_space {
public:
    [[nodiscard]] typename Storage::space& operator*() noexcept { return space_; }
    [[nodiscard]] typename Storage::space* operator->() noexcept { return &space_; }

private:
    [[nodiscard]] static typename Storage::space open(temporary_directory const& directory) {
        if constexpr (Storage::durable) {
            vicinal::storage::open_options how;
            how.durability = vicinal::durability::off;
            return Storage::space::open(directory.path("space"), {}, how).value();
        } else {
            return {};
        }
    }

    temporary_directory directory_;
    typename Storage::space space_ = open(directory_);
};

} // namespace vicinal_test

#endif
