// SPDX-License-Identifier: MIT
// Any bytes as JSON around values: the splitter gives the same values whatever its buffer, each a
// part of the text, and ends.
#include <vicinal/migrate/json/splitter.hpp>
#include <vicinal/migrate/json/walker.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace vicinal;

class text_input final : public backend::input {
public:
    explicit text_input(std::string_view text) : text_(text) {}
    [[nodiscard]] result<std::size_t> read(void* to, std::size_t most) override {
        auto const n = (std::min)(most, text_.size() - at_);
        if (n > 0) std::memcpy(to, text_.data() + at_, n);
        at_ += n;
        return n;
    }
    [[nodiscard]] std::string const& path() const noexcept override { return path_; }

private:
    std::string_view text_;
    std::string path_;
    std::size_t at_ = 0;
};

// The elements of the array at the start, and whether it was whole.
std::pair<std::vector<std::string>, bool> elements(std::string_view text, std::size_t buffer) {
    std::vector<std::string> all;
    detail::json_splitter s(std::make_unique<text_input>(text), buffer);
    auto const c = s.peek();
    if (!c || *c != '[') return {all, false};
    s.enter();
    for (;;) {
        auto const more = s.more(']');
        if (!more || !*more) return {all, static_cast<bool>(more)};
        auto const one = s.take();
        if (!one) return {all, false};
        if (text.find(*one) == std::string_view::npos) std::abort();
        all.emplace_back(*one);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    if (elements(text, 16) != elements(text, std::size_t{1} << 16)) std::abort();
    detail::json_walker walker(std::make_unique<text_input>(text));
    for (;;) {
        auto const item = walker.next();
        if (!item || item->what == detail::json_item::kind::end) return 0;
        if (item->what == detail::json_item::kind::row &&
            text.find(item->text) == std::string_view::npos)
            std::abort();
    }
}
