// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_ANY_SOURCE_HPP
#define VICINAL_BACKEND_ANY_SOURCE_HPP

#include <vicinal/migrate/concept.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// Any source, its type forgotten: for programs that learn at run time what they read. One virtual
/// call a batch.
class any_source {
public:
    using neighbours = std::vector<std::pair<std::string, float>>;

    template <basic_source S>
        requires(!std::same_as<S, any_source>)
    explicit any_source(S source) : source_(std::make_unique<model<S>>(std::move(source))) {}

    [[nodiscard]] result<schema> describe() { return source_->describe(); }
    [[nodiscard]] result<void> rewind() { return source_->rewind(); }
    [[nodiscard]] result<void> read(std::vector<record>& batch, std::size_t most) {
        return source_->read(batch, most);
    }
    void pass_over(bad_record_handler tell) { source_->pass_over(std::move(tell)); }
    [[nodiscard]] result<std::optional<neighbours>> nearest(std::vector<float> const& query,
                                                            std::size_t k) const {
        return source_->nearest(query, k);
    }

private:
    struct interface {
        interface() = default;
        interface(interface const&) = delete;
        interface& operator=(interface const&) = delete;
        virtual ~interface() = default;
        virtual result<schema> describe() = 0;
        virtual result<void> rewind() = 0;
        virtual result<void> read(std::vector<record>& batch, std::size_t most) = 0;
        virtual void pass_over(bad_record_handler tell) = 0;
        virtual result<std::optional<neighbours>> nearest(std::vector<float> const& query,
                                                          std::size_t k) const = 0;
    };
    /// What a source has not, it answers for: nothing is passed over, nothing searched.
    template <class S>
    struct model final : interface {
        explicit model(S s) : source(std::move(s)) {}
        result<schema> describe() override { return source.describe(); }
        result<void> rewind() override { return source.rewind(); }
        result<void> read(std::vector<record>& batch, std::size_t most) override {
            return source.read(batch, most);
        }
        void pass_over(bad_record_handler tell) override {
            if constexpr (requires { source.pass_over(tell); }) source.pass_over(std::move(tell));
        }
        result<std::optional<neighbours>> nearest(std::vector<float> const& query,
                                                  std::size_t k) const override {
            if constexpr (requires { source.nearest(query, k); })
                return source.nearest(query, k);
            else
                return std::optional<neighbours>();
        }
        S source;
    };

    std::unique_ptr<interface> source_;
};

static_assert(basic_source<any_source>);

} // namespace vicinal::inline VICINAL_ABI

#endif
