// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_SCAN_HPP
#define VICINAL_STORE_SCAN_HPP

#include <vicinal/store/engine.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// All records of a store as of the moment when the scan began, in the order of their ids.
///
/// What a writer does meanwhile is not seen: slots of replaced and erased records are kept for the
/// scan. The order makes a scan resumable: `scan(id)` goes on behind that id, whether or not it is
/// still there. A range for one pass; the store must outlive it. Beginning costs a sort of the ids.
template <class Engine, class Record>
class record_scan {
public:
    /// To be made while the engine is being read, so that no slot is given away before it is
    /// pinned. `decoded`: whether vectors that are not kept are decoded.
    record_scan(Engine& engine, std::vector<slot> slots, bool decoded)
        : engine_(&engine), slots_(std::move(slots)), decoded_(decoded) {
        engine_->pin();
    }
    record_scan(record_scan&& other) noexcept
        : engine_(std::exchange(other.engine_, nullptr)), slots_(std::move(other.slots_)),
          next_(other.next_), decoded_(other.decoded_) {}
    record_scan& operator=(record_scan&&) = delete;
    ~record_scan() {
        if (engine_) engine_->unpin();
    }

    /// The next record, or nothing at the end. Errors: corrupt_snapshot, vector_not_kept,
    /// out_of_memory.
    [[nodiscard]] result<std::optional<Record>> try_next() {
        return detail::guarded([this]() -> result<std::optional<Record>> {
            if (next_ == slots_.size()) return std::optional<Record>();
            auto r = decoded_ ? engine_->template reconstruct<Record>(slots_[next_])
                              : engine_->template copy_record<Record>(slots_[next_]);
            VICINAL_CHECK(r);
            ++next_;
            return std::optional<Record>(std::move(*r));
        });
    }

    /// How many records are left.
    [[nodiscard]] std::size_t left() const noexcept { return slots_.size() - next_; }

#if VICINAL_EXCEPTIONS
    /// An iterator of one pass.
    class iterator {
    public:
        using value_type = Record;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;

        iterator() = default;
        explicit iterator(record_scan& scan) : scan_(&scan) { ++*this; }
        [[nodiscard]] Record const& operator*() const noexcept { return *current_; }
        [[nodiscard]] Record const* operator->() const noexcept { return &*current_; }
        iterator& operator++() {
            current_ = scan_->try_next().value();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(iterator const& i, std::default_sentinel_t) noexcept {
            return !i.current_;
        }

    private:
        record_scan* scan_ = nullptr;
        std::optional<Record> current_;
    };

    [[nodiscard]] iterator begin() { return iterator(*this); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
#endif

private:
    Engine* engine_;
    std::vector<slot> slots_;
    std::size_t next_ = 0;
    bool decoded_;
};

namespace detail {

/// The live slots whose ids come behind `after`, in the order of their ids.
template <class Rows, class IdView>
[[nodiscard]] std::vector<slot> slots_by_id(Rows const& rows, std::optional<IdView> after) {
    std::vector<slot> slots;
    slots.reserve(rows.live_count());
    for (slot s = 0; s < rows.count(); ++s)
        if (rows.live(s) && (!after || *after < rows.id(s))) slots.push_back(s);
    std::sort(slots.begin(), slots.end(),
              [&rows](slot a, slot b) { return rows.id(a) < rows.id(b); });
    return slots;
}

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif
