// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_ANY_SINK_HPP
#define VICINAL_BACKEND_ANY_SINK_HPP

#include <vicinal/backend/any_source.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// Any sink, its type forgotten. One virtual call a batch.
class any_sink {
public:
    template <basic_sink S>
        requires(!std::same_as<S, any_sink>)
    explicit any_sink(S sink) : sink_(std::make_unique<model<S>>(std::move(sink))) {}

    [[nodiscard]] result<void> begin(schema const& incoming) { return sink_->begin(incoming); }
    [[nodiscard]] result<void> resume(schema const& incoming) { return sink_->resume(incoming); }
    [[nodiscard]] result<bool> holds(record const& r) { return sink_->holds(r); }
    [[nodiscard]] result<std::uint64_t> count() { return sink_->count(); }
    [[nodiscard]] std::vector<std::string> losses(schema const& incoming) const {
        return sink_->losses(incoming);
    }
    [[nodiscard]] sink_traits traits() const { return sink_->traits(); }
    [[nodiscard]] std::string token_path() const { return sink_->token_path(); }
    [[nodiscard]] result<void> check(schema const& incoming) { return sink_->check(incoming); }
    [[nodiscard]] result<void> check(std::span<record const> batch) { return sink_->check(batch); }
    [[nodiscard]] result<void> write(std::span<record const> batch) { return sink_->write(batch); }
    [[nodiscard]] result<void> finish() { return sink_->finish(); }
    [[nodiscard]] result<any_source> reopen() { return sink_->reopen(); }

private:
    struct interface {
        interface() = default;
        interface(interface const&) = delete;
        interface& operator=(interface const&) = delete;
        virtual ~interface() = default;
        virtual result<void> begin(schema const& incoming) = 0;
        virtual result<void> resume(schema const& incoming) = 0;
        virtual result<bool> holds(record const& r) = 0;
        virtual result<std::uint64_t> count() = 0;
        virtual std::vector<std::string> losses(schema const& incoming) const = 0;
        virtual sink_traits traits() const = 0;
        virtual std::string token_path() const = 0;
        virtual result<void> check(schema const& incoming) = 0;
        virtual result<void> check(std::span<record const> batch) = 0;
        virtual result<void> write(std::span<record const> batch) = 0;
        virtual result<void> finish() = 0;
        virtual result<any_source> reopen() = 0;
    };
    /// What a sink has not, it answers for: nothing held, nothing lost, empty at the start, and
    /// no objection.
    template <class S>
    struct model final : interface {
        explicit model(S s) : sink(std::move(s)) {}
        result<void> begin(schema const& incoming) override { return sink.begin(incoming); }
        result<void> resume(schema const& incoming) override {
            if constexpr (requires { sink.resume(incoming); })
                return sink.resume(incoming);
            else
                return detail::cannot_go_on();
        }
        result<bool> holds(record const& r) override {
            if constexpr (requires { sink.holds(r); })
                return sink.holds(r);
            else
                return false;
        }
        result<std::uint64_t> count() override {
            if constexpr (requires { sink.count(); })
                return sink.count();
            else
                return std::uint64_t{0};
        }
        std::vector<std::string> losses(schema const& incoming) const override {
            if constexpr (requires { sink.losses(incoming); })
                return sink.losses(incoming);
            else
                return {};
        }
        sink_traits traits() const override {
            if constexpr (requires { sink.traits(); })
                return sink.traits();
            else
                return {};
        }
        std::string token_path() const override {
            if constexpr (requires { sink.token_path(); })
                return sink.token_path();
            else
                return {};
        }
        result<void> check(schema const& incoming) override {
            if constexpr (requires { sink.check(incoming); })
                return sink.check(incoming);
            else
                return {};
        }
        result<void> check(std::span<record const> batch) override {
            if constexpr (requires { sink.check(batch); })
                return sink.check(batch);
            else
                return {};
        }
        result<void> write(std::span<record const> batch) override { return sink.write(batch); }
        result<void> finish() override { return sink.finish(); }
        result<any_source> reopen() override {
            auto again = sink.reopen();
            VICINAL_CHECK(again);
            return any_source(std::move(*again));
        }
        S sink;
    };

    std::unique_ptr<interface> sink_;
};

static_assert(basic_sink<any_sink>);

} // namespace vicinal::inline VICINAL_ABI

#endif
