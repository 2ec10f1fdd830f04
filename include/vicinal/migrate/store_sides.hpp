// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_STORE_SIDES_HPP
#define VICINAL_MIGRATE_STORE_SIDES_HPP

#include <vicinal/migrate/concept.hpp>
#include <vicinal/payload/as_fields.hpp>
#include <vicinal/payload/none.hpp>
#include <vicinal/store/store.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

namespace detail {

template <class S>
struct is_store : std::false_type {};
template <class M, class I, class S, class P, class Id>
struct is_store<store<M, I, S, P, Id>> : std::true_type {};

/// Whether a store has no vectors to give back, only what codes stand for.
template <class Store>
inline constexpr bool keeps_codes_alone = codec::alone<
    typename Store::index_policy::codec_type::template of<typename Store::metric_type>>;

} // namespace detail

/// A store of floats, whose records a migration can carry.
template <class S>
concept float_store = detail::is_store<S>::value && std::same_as<typename S::scalar_type, float>;

/// Any vicinal store as a source, in the order of ids. A payload that is not made of fields stays
/// behind and is named as a loss.
template <float_store Store>
class store_source {
public:
    explicit store_source(Store const& s) noexcept : store_(&s) {}
    /// A source that keeps its store.
    explicit store_source(std::unique_ptr<Store> s) noexcept
        : owned_(std::move(s)), store_(owned_.get()) {}

    [[nodiscard]] result<schema> describe() {
        schema s;
        s.dim = store_->dim();
        s.metric = metric::name_of<typename Store::metric_type>();
        s.records = store_->size();
        s.description = "a vicinal store in memory";
        if constexpr (Store::storage_policy::durable) s.description = "vicinal:" + store_->path();
        if constexpr (!carries_fields &&
                      !std::same_as<typename Store::payload_policy, payload::none>)
            s.losses.push_back("payloads of another form than fields are not carried over");
        if constexpr (codes_alone)
            s.losses.push_back("vectors are decoded from codes of " + codec_name() +
                               ", the only form that the source keeps of them");
        return s;
    }
    [[nodiscard]] result<void> rewind() {
        scan_.reset();
        auto scan = store_->try_scan_reconstructed();
        VICINAL_CHECK(scan);
        scan_.emplace(std::move(*scan));
        return {};
    }
    [[nodiscard]] result<void> read(std::vector<record>& batch, std::size_t most) {
        if (!scan_) VICINAL_CHECK(rewind());
        batch.clear();
        while (batch.size() < most) {
            auto next = scan_->try_next();
            VICINAL_CHECK(next);
            if (!*next) break;
            auto& r = **next;
            record out;
            if constexpr (std::same_as<typename Store::id_type, std::string>)
                out.id = std::move(r.id);
            else
                out.id = detail::id_traits<typename Store::id_type>::text(r.id);
            out.vector = std::move(r.vector);
            if constexpr (carries_fields) {
                auto all = payload::as_fields<typename Store::payload_policy>(std::move(r.payload));
                VICINAL_CHECK(all);
                out.payload = std::move(*all);
            }
            batch.push_back(std::move(out));
        }
        return {};
    }
    /// The store's own answer, from its index.
    [[nodiscard]] result<std::optional<std::vector<std::pair<std::string, float>>>>
    nearest(std::vector<float> const& query, std::size_t k) const {
        auto const found = store_->try_search(query, {.k = k});
        VICINAL_CHECK(found);
        std::vector<std::pair<std::string, float>> list;
        list.reserve(found->size());
        for (auto const& h : *found)
            list.emplace_back(detail::id_traits<typename Store::id_type>::text(h.id), h.distance);
        return std::optional(std::move(list));
    }

private:
    static constexpr bool carries_fields = payload::made_of_fields<typename Store::payload_policy>;
    static constexpr bool codes_alone = detail::keeps_codes_alone<Store>;
    [[nodiscard]] static std::string codec_name() {
        return std::string(Store::index_policy::codec_type::name);
    }

    std::unique_ptr<Store> owned_;
    Store const* store_;
    std::optional<typename Store::scan_type> scan_;
};

/// Any vicinal store as a sink. A durable one is verified from its files: `reopen` opens them anew.
template <float_store Store>
class store_sink {
public:
    explicit store_sink(Store& s) noexcept : store_(&s) {}

    [[nodiscard]] result<void> begin(schema const& incoming) {
        VICINAL_CHECK(check(incoming));
        // What a source says of itself is a hint: it may be damaged, and have far fewer.
        if (incoming.records)
            static_cast<void>(store_->try_reserve(
                static_cast<std::size_t>((std::min)(*incoming.records, most_expected()))));
        return {};
    }
    /// The same for a run that goes on: nothing has to be done.
    [[nodiscard]] result<void> resume(schema const& incoming) { return begin(incoming); }

    /// Refuses what `write` would refuse, and writes nothing: for dry runs.
    [[nodiscard]] result<void> check(schema const& incoming) {
        if (incoming.dim != 0 && incoming.dim != store_->dim())
            return error{errc::dimension_mismatch,
                         "a source of " + std::to_string(store_->dim()) + " elements a vector",
                         std::to_string(incoming.dim)};
        return {};
    }
    [[nodiscard]] result<void> check(std::span<record const> batch) {
        VICINAL_CHECK(convert(batch));
        detail::batch<typename Store::metric_type, typename Store::payload_policy,
                      typename Store::id_type>
            checked(store_->dim());
        for (auto const& r : converted_) VICINAL_CHECK(checked.add(r.id, r.vector, r.payload));
        return checked.check_ids();
    }

    [[nodiscard]] sink_traits traits() const {
        sink_traits t;
        t.metric = metric::name_of<typename Store::metric_type>();
        t.keeps_payloads = carries_fields;
        t.keeps_vectors = !detail::keeps_codes_alone<Store>;
        t.takes_no_vector = false;
        t.dim = store_->dim();
        return t;
    }
    /// Beside the directory of a durable store; empty for one in memory, which no run can go on
    /// with.
    [[nodiscard]] std::string token_path() const {
        if constexpr (Store::storage_policy::durable)
            return store_->path() + ".migration";
        else
            return {};
    }

    /// What the sink will not keep, as sentences.
    [[nodiscard]] std::vector<std::string> losses(schema const& incoming) const {
        std::vector<std::string> list;
        std::string const own(metric::name_of<typename Store::metric_type>());
        if (!incoming.metric.empty() && incoming.metric != own)
            list.push_back("the source's metric is " + incoming.metric + ", the sink's is " + own +
                           ": distances and order will differ");
        if constexpr (!carries_fields) list.push_back("the sink keeps no payload");
        if constexpr (detail::keeps_codes_alone<Store>)
            list.push_back("the sink keeps codes of " +
                           std::string(Store::index_policy::codec_type::name) +
                           " alone: vectors do not come back as they were, and are not compared");
        return list;
    }

    [[nodiscard]] result<std::uint64_t> count() { return std::uint64_t{store_->size()}; }

    /// Whether the sink holds a record of that id with the same vector and payload. One of codes
    /// alone never knows, and is written again.
    [[nodiscard]] result<bool> holds(record const& r) {
        if constexpr (detail::keeps_codes_alone<Store>) return false;
        auto id = id_of(r.id);
        VICINAL_CHECK(id);
        auto mine = store_->try_get(*id);
        VICINAL_CHECK(mine);
        if (!*mine || (**mine).vector.size() != r.vector.size()) return false;
        if (std::memcmp((**mine).vector.data(), r.vector.data(), r.vector.size() * sizeof(float)) !=
            0)
            return false;
        if constexpr (carries_fields) {
            auto const all =
                payload::as_fields<typename Store::payload_policy>(std::move((**mine).payload));
            VICINAL_CHECK(all);
            return *all == r.payload;
        } else {
            return true;
        }
    }

    [[nodiscard]] result<void> write(std::span<record const> batch) {
        if constexpr (std::same_as<typename Store::record, record>) {
            return store_->try_upsert(batch);
        } else {
            VICINAL_CHECK(convert(batch));
            return store_->try_upsert(converted_);
        }
    }
    [[nodiscard]] result<void> finish() {
        if constexpr (Store::storage_policy::durable)
            return store_->try_checkpoint();
        else
            return {};
    }
    [[nodiscard]] result<store_source<Store>> reopen() {
        if constexpr (Store::storage_policy::durable) {
            typename Store::options o;
            o.read_only = true;
            auto again = Store::try_open(store_->path(), o);
            VICINAL_CHECK(again);
            return store_source<Store>(std::make_unique<Store>(std::move(*again)));
        } else {
            return store_source<Store>(*store_);
        }
    }

private:
    static constexpr bool carries_fields = payload::made_of_fields<typename Store::payload_policy>;

    /// As many as have 256 MiB of vectors, or a million: more than that grows as it comes.
    [[nodiscard]] std::uint64_t most_expected() const noexcept {
        constexpr std::uint64_t bytes = std::uint64_t{1} << 28;
        return (std::min)(std::uint64_t{1} << 20, bytes / (sizeof(float) * store_->dim()));
    }

    [[nodiscard]] result<void> convert(std::span<record const> batch) {
        converted_.resize(batch.size());
        for (std::size_t i = 0; i < batch.size(); ++i) {
            auto id = id_of(batch[i].id);
            VICINAL_CHECK(id);
            converted_[i].id = std::move(*id);
            converted_[i].vector = batch[i].vector;
            if constexpr (carries_fields) {
                auto payload =
                    payload::from_fields<typename Store::payload_policy>(batch[i].payload);
                if (!payload)
                    return error{payload.error().code(), payload.error().expected(),
                                 payload.error().got() + " for '" + batch[i].id + "'"};
                converted_[i].payload = std::move(*payload);
            }
        }
        return {};
    }
    [[nodiscard]] static result<typename Store::id_type> id_of(std::string const& text) {
        return detail::id_traits<typename Store::id_type>::from_text(text);
    }

    Store* store_;
    std::vector<typename Store::record> converted_;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
