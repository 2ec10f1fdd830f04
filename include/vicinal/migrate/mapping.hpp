// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_MAPPING_HPP
#define VICINAL_MIGRATE_MAPPING_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/payload/encoding.hpp>
#include <vicinal/payload/filter.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// What becomes of a record that has no vector.
enum class absent_vector : std::uint8_t {
    /// It goes on as it is; a sink that needs a vector refuses it.
    keep,
    /// It is left out, and counted.
    skip,
    /// It gets the vector (1, 0, 0, ...), which every metric takes, and the field "no_vector":
    /// true,
    /// by which a filter leaves it out.
    placeholder,
};

/// What is changed about records on their way. Everything is done in the order in which it stands
/// here; verification reads the source through the same mapping.
struct record_mapping {
    /// Only records whose payload matches this filter go on; empty: all. See docs/filters.md.
    std::string where = {};
    /// The new id of a record; where it gives an empty one, the record is a bad one.
    std::function<std::string(record const&)> id = {};
    /// The field whose text or integer becomes the id; it stays in the payload.
    std::string id_field = {};
    /// Put in front of every id.
    std::string id_prefix = {};
    /// Fields that stay behind.
    std::vector<std::string> drop = {};
    /// Fields by their old and new names. A field of the new name that was there is replaced.
    std::vector<std::pair<std::string, std::string>> rename = {};
    absent_vector without_vector = absent_vector::keep;

    [[nodiscard]] bool empty() const noexcept {
        return where.empty() && !id && id_field.empty() && id_prefix.empty() && drop.empty() &&
               rename.empty() && without_vector == absent_vector::keep;
    }
};

namespace detail {

/// A source seen through a mapping. Costs nothing where the mapping is empty.
template <basic_source Source>
class mapped_source {
public:
    /// Errors: invalid_filter.
    [[nodiscard]] static result<mapped_source> make(Source& from, record_mapping const& mapping) {
        mapped_source s(from, mapping);
        auto where = filter::parse(mapping.where);
        if (!where) return where.error();
        s.where_ = *std::move(where);
        return s;
    }

    [[nodiscard]] result<schema> describe() {
        auto s = from_->describe();
        if (!s || mapping_->empty()) return s;
        if (mapping_->without_vector == absent_vector::placeholder) {
            if (s->dim == 0) s->dim = placeholder_dim_;
            dim_ = s->dim;
        }
        if (!where_.empty() || mapping_->without_vector == absent_vector::skip) s->records.reset();
        return s;
    }
    [[nodiscard]] result<void> rewind() {
        left_out_ = 0;
        return from_->rewind();
    }
    [[nodiscard]] result<void> read(std::vector<record>& batch, std::size_t most) {
        do {
            VICINAL_CHECK(from_->read(batch, most));
            if (batch.empty()) return {};
            if (!mapping_->empty()) VICINAL_CHECK(map(batch));
            if (!refused_.empty())
                std::erase_if(batch, [this](record const& r) { return refused(r.id); });
        } while (batch.empty());
        return {};
    }
    void pass_over(bad_record_handler tell) {
        if constexpr (requires { from_->pass_over(tell); }) from_->pass_over(tell);
        bad_.pass_over(std::move(tell));
    }

    /// How many elements a placeholder has where the source has no vector at all.
    void placeholders(std::size_t dim) noexcept { placeholder_dim_ = dim; }

    /// From now on the records of these ids, by their hashes, are not there.
    void leave_out(std::vector<std::uint64_t> ids) {
        refused_ = std::move(ids);
        std::sort(refused_.begin(), refused_.end());
    }

    /// Records since the last rewind that the filter or the lack of a vector kept back.
    [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_; }

private:
    mapped_source(Source& from, record_mapping const& mapping) : from_(&from), mapping_(&mapping) {}

    [[nodiscard]] result<void> map(std::vector<record>& batch) {
        std::size_t kept = 0;
        for (auto& r : batch) {
            auto const wanted = one(r);
            if (!wanted) {
                VICINAL_CHECK(bad_.meet({}, r.id, wanted.error()));
                continue;
            }
            if (!*wanted) {
                ++left_out_;
                continue;
            }
            if (&r != &batch[kept]) std::swap(batch[kept], r);
            ++kept;
        }
        batch.resize(kept);
        return {};
    }

    [[nodiscard]] bool refused(std::string const& id) const noexcept {
        return std::binary_search(refused_.begin(), refused_.end(), hash_bytes(id));
    }

    /// Whether the record goes on.
    [[nodiscard]] result<bool> one(record& r) {
        if (!where_.empty()) {
            bytes_.clear();
            VICINAL_CHECK(payload::detail::encode(r.payload, bytes_));
            if (!where_.matches(std::as_bytes(std::span(bytes_)))) return false;
        }
        VICINAL_CHECK(rename_record(r));
        for (auto const& name : mapping_->drop) r.payload.erase(name);
        for (auto const& [from, to] : mapping_->rename)
            if (auto const* v = r.payload.find(from)) {
                auto moved = *v;
                r.payload.erase(from);
                r.payload.set(to, std::move(moved));
            }
        if (!r.vector.empty() || mapping_->without_vector == absent_vector::keep) return true;
        if (mapping_->without_vector == absent_vector::skip) return false;
        if (dim_ == 0) VICINAL_CHECK(describe());
        r.vector.assign(dim_, 0.0F);
        r.vector[0] = 1;
        r.payload.set("no_vector", true);
        return true;
    }

    [[nodiscard]] result<void> rename_record(record& r) const {
        if (mapping_->id) r.id = mapping_->id(r);
        if (!mapping_->id_field.empty()) {
            auto const& v = r.payload[mapping_->id_field];
            if (auto const* text = v.get_if<std::string>())
                r.id = *text;
            else if (auto const* number = v.get_if<std::int64_t>())
                r.id = std::to_string(*number);
            else
                return error{errc::invalid_id,
                             "text or an integer in the field '" + mapping_->id_field + "'",
                             "none in record '" + r.id + "'"};
        }
        if (!mapping_->id_prefix.empty()) r.id.insert(0, mapping_->id_prefix);
        return {};
    }

    Source* from_;
    record_mapping const* mapping_;
    filter where_;
    bad_records bad_;
    std::vector<std::uint64_t> refused_; // sorted
    std::string bytes_;
    std::size_t placeholder_dim_ = 1; // the least that a store takes
    std::size_t dim_ = 0;
    std::uint64_t left_out_ = 0;
};

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif
