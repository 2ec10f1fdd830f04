// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_URI_HPP
#define VICINAL_BACKEND_URI_HPP

#include <vicinal/core/result.hpp>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// Where a store is: scheme, path and parameters, as in "chroma:./db?collection=docs". `%41` stands
/// for a byte, so that a path or name may hold ? and &.
class uri {
public:
    /// Errors: invalid_uri.
    [[nodiscard]] static result<uri> parse(std::string_view text) {
        auto const colon = text.find(':');
        if (colon == std::string_view::npos || colon == 0)
            return error{errc::invalid_uri, "SCHEME:PATH, as in vicinal:docs.vicinal",
                         "'" + std::string(text) + "'"};
        uri u;
        u.scheme_ = text.substr(0, colon);
        auto const question = text.find('?', colon);
        auto const path =
            text.substr(colon + 1, question == std::string_view::npos ? std::string_view::npos
                                                                      : question - colon - 1);
        if (!decode(path, u.path_))
            return error{errc::invalid_uri,
                         "two hexadecimal digits behind each % (which itself is %25), not 00",
                         "'" + std::string(path) + "'"};
        if (u.path_.empty())
            return error{errc::invalid_uri, "a path behind '" + u.scheme_ + ":'", "''"};
        if (question == std::string_view::npos) return u;
        for (auto rest = text.substr(question + 1); !rest.empty();) {
            auto const end = (std::min)(rest.find('&'), rest.size());
            auto const item = rest.substr(0, end);
            rest.remove_prefix((std::min)(end + 1, rest.size()));
            auto const equals = item.find('=');
            std::pair<std::string, std::string> p;
            if (equals == std::string_view::npos || equals == 0 ||
                !decode(item.substr(0, equals), p.first) ||
                !decode(item.substr(equals + 1), p.second) || u.find(p.first))
                return error{errc::invalid_uri, "NAME=VALUE parameters, each name once",
                             "'" + std::string(item) + "'"};
            u.parameters_.push_back(std::move(p));
        }
        return u;
    }

    [[nodiscard]] std::string const& scheme() const noexcept { return scheme_; }
    [[nodiscard]] std::string const& path() const noexcept { return path_; }

    /// The parameter of that name, or nullptr.
    [[nodiscard]] std::string const* find(std::string_view name) const noexcept {
        for (auto const& [n, v] : parameters_)
            if (n == name) return &v;
        return nullptr;
    }
    [[nodiscard]] std::string get(std::string_view name, std::string_view otherwise = {}) const {
        auto const* v = find(name);
        return v ? *v : std::string(otherwise);
    }

    /// Refuses parameters that the scheme does not know: a misspelt one would be without effect.
    [[nodiscard]] result<void> only(std::initializer_list<std::string_view> known) const {
        for (auto const& [n, v] : parameters_) {
            if (std::find(known.begin(), known.end(), n) != known.end()) continue;
            std::string list;
            for (auto const k : known) list.append(list.empty() ? "" : ", ").append(k);
            return error{errc::invalid_uri,
                         list.empty() ? "no parameters for " + scheme_ + ":"
                                      : "the parameters " + list + " for " + scheme_ + ":",
                         "'" + n + "'"};
        }
        return {};
    }

private:
    [[nodiscard]] static int hex(char c) noexcept {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    }
    [[nodiscard]] static bool decode(std::string_view text, std::string& out) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\0') return false;
            if (text[i] != '%') {
                out.push_back(text[i]);
                continue;
            }
            bool const whole = text.size() - i > 2;
            int const high = whole ? hex(text[i + 1]) : -1;
            int const low = whole ? hex(text[i + 2]) : -1;
            // A zero byte would end the name of a file in the middle.
            if (high < 0 || low < 0 || high + low == 0) return false;
            out.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        }
        return true;
    }

    std::string scheme_;
    std::string path_;
    std::vector<std::pair<std::string, std::string>> parameters_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
