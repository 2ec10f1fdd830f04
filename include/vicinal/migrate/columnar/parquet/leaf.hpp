// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_PARQUET_LEAF_HPP
#define VICINAL_MIGRATE_COLUMNAR_PARQUET_LEAF_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/parquet/convert.hpp>
#include <vicinal/migrate/columnar/parquet/pages.hpp>
#include <vicinal/migrate/columnar/parquet/values.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet {

/// Where a leaf stands in the schema.
struct leaf_place {
    std::string path; // as in "sparse_values.indices.list.element"
    schema_element about;
    unsigned repeated = 0; // its highest repetition level
    unsigned defined = 0;  // its highest definition level: the value is there
};

/// A leaf from its first entry to its last, over all row groups. An entry is a value, a null, or a
/// list that is empty or null; its two levels say which (Melnik et al. 2010, "Dremel").
class leaf_reader {
public:
    leaf_reader(source_file const& file, leaf_place place, std::vector<column_chunk> chunks)
        : place_(std::move(place)), chunks_(std::move(chunks)), pages_(file, place_.path),
          type_(static_cast<physical>(place_.about.type)),
          width_(value_width(type_, place_.about.width)) {}

    /// Makes `repetition` and `definition` those of the next entry; false behind the last.
    [[nodiscard]] result<bool> ready() {
        while (at_ == held_) {
            if (left_ == 0) {
                auto const more = next_page();
                if (!more || !*more) return more;
                continue;
            }
            VICINAL_CHECK(take_levels());
        }
        return true;
    }
    [[nodiscard]] unsigned repetition() const noexcept { return repetitions_[at_]; }
    [[nodiscard]] unsigned definition() const noexcept { return definitions_[at_]; }
    [[nodiscard]] bool present() const noexcept { return definition() == place_.defined; }
    [[nodiscard]] leaf_place const& place() const noexcept { return place_; }

    /// Steps over the entry; its value, if it has one, stays readable until the next call.
    [[nodiscard]] result<void> step(std::string_view& raw) {
        raw = {};
        if (present() && !values_.next(raw)) return pages_.wrong("fewer values than claimed");
        ++at_;
        return {};
    }

    /// Steps over the rest of the row, or over all of the next one.
    [[nodiscard]] result<void> skip_row() {
        std::string_view raw;
        for (bool first = true;; first = false) {
            auto const more = ready();
            if (!more) return more.error();
            if (!*more || (!first && repetition() == 0)) return {};
            VICINAL_CHECK(step(raw));
        }
    }

    /// Appends the values of the list whose first element is the next entry, and steps over it: a
    /// page's floats at once where they lie together. Elements beyond `most` and null ones are
    /// noted in `row`.
    [[nodiscard]] result<void> list_of_floats(float_row& row, std::size_t most,
                                              std::vector<float>& out) {
        for (bool first = true;; first = false) {
            auto const more = ready();
            if (!more) return more.error();
            if (!*more) return {};
            auto end = at_ + (first ? 1 : 0);
            while (end < held_ && repetitions_[end] != 0) ++end;
            if (end == at_) return {};
            auto from = at_;
            while (from < end) {
                auto to = from;
                while (to < end && definitions_[to] == place_.defined) ++to;
                VICINAL_CHECK(append_floats(to - from, row, most, out));
                for (; to < end && definitions_[to] != place_.defined; ++to)
                    row.wrong = float_row::fault::null_element;
                from = to;
            }
            at_ = end;
            if (at_ < held_) return {};
        }
    }

    [[nodiscard]] error wrong(std::string_view what) const { return pages_.wrong(what); }
    [[nodiscard]] std::string where() const { return pages_.place(); }

private:
    [[nodiscard]] result<void> append_floats(std::size_t n, float_row& row, std::size_t most,
                                             std::vector<float>& out) {
        std::string_view raw;
        if (n > most - out.size()) row.wrong = float_row::fault::too_many;
        bool const keep = row.wrong == float_row::fault::none;
        if (keep && type_ == physical::float32 && values_.take(n, raw)) {
            append_plain_floats(raw, out);
            return {};
        }
        for (; n > 0; --n) {
            if (!values_.next(raw)) return pages_.wrong("fewer values than claimed");
            if (keep) row.add(number_of(place_.about, raw), out);
        }
        return {};
    }

    [[nodiscard]] result<bool> next_page() {
        for (;;) {
            page p;
            if (started_) {
                auto const more = pages_.next(p);
                if (!more) return more;
                if (!*more) started_ = false;
            }
            if (!started_) {
                if (chunk_ == chunks_.size()) return false;
                VICINAL_CHECK(pages_.start(chunks_[chunk_++], place_.repeated, place_.defined));
                values_.forget_dictionary();
                started_ = true;
                continue;
            }
            if (p.dictionary) {
                if (!values_.dictionary(p.bytes, p.values, width_))
                    return pages_.wrong("a dictionary with fewer values than claimed");
                continue;
            }
            if (p.encoding < 0 || p.encoding > 9 ||
                !values_.start(static_cast<encoding>(p.encoding), type_, width_, p.bytes))
                return error{errc::unsupported,
                             "values that are plain, in a dictionary, in runs, delta-encoded or "
                             "split into streams of bytes",
                             pages_.place() + "encoding " + std::to_string(p.encoding)};
            repeated_ = run_reader(p.repetitions, bits_for(place_.repeated));
            defined_ = run_reader(p.definitions, bits_for(place_.defined));
            left_ = p.values;
            at_ = held_ = 0;
            return true;
        }
    }

    [[nodiscard]] result<void> take_levels() {
        auto const n = (std::min)(std::size_t{left_}, repetitions_.size());
        auto const take = [n](unsigned most, run_reader& runs, auto& to) {
            if (most == 0) {
                std::fill_n(to.begin(), n, 0U);
                return true;
            }
            return runs.take(to.data(), n) == n &&
                   *std::max_element(to.begin(), to.begin() + static_cast<std::ptrdiff_t>(n)) <=
                       most;
        };
        if (!take(place_.repeated, repeated_, repetitions_) ||
            !take(place_.defined, defined_, definitions_))
            return pages_.wrong("fewer levels than claimed, or too high ones");
        left_ -= static_cast<std::uint32_t>(n);
        at_ = 0;
        held_ = n;
        return {};
    }

    leaf_place place_;
    std::vector<column_chunk> chunks_;
    page_reader pages_;
    physical type_;
    std::size_t width_;
    std::size_t chunk_ = 0; // the next one
    bool started_ = false;
    std::uint32_t left_ = 0; // entries of the page whose levels were not taken yet
    run_reader repeated_;
    run_reader defined_;
    value_reader values_;
    std::size_t at_ = 0;
    std::size_t held_ = 0;
    std::array<std::uint32_t, 512> repetitions_{};
    std::array<std::uint32_t, 512> definitions_{};
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet

#endif
