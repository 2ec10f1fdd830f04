// SPDX-License-Identifier: MIT
// Any line as JSON Lines: a record or an error. A record that is read must read back equal once it
// is written, and its vector must be the same by way of the parser's tree.
#include <vicinal/migrate/json/record.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace vicinal;

bool same(std::vector<float> const& a, std::vector<float> const& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i])) return false;
    return true;
}

result<void> read(std::string line, record& out) {
    auto const size = line.size();
    line.append(simdjson::SIMDJSON_PADDING, '\0');
    detail::record_reader reader;
    return reader.read({line.data(), size}, out);
}

result<std::vector<float>> by_tree(std::string const& line) {
    detail::json_parser parser;
    auto const root = parser.parse(line);
    if (!root) return root.error();
    simdjson::dom::object object;
    if (root->get_object().get(object) != simdjson::SUCCESS) return error{errc::invalid_json};
    std::vector<float> out;
    std::size_t member = 0;
    for (auto const [name, element] : object) {
        if (name == "vector") {
            simdjson::dom::array array;
            if (element.get_array().get(array) != simdjson::SUCCESS)
                return error{errc::invalid_json};
            VICINAL_CHECK(detail::read_floats(array, parser.text(), member, out));
        }
        ++member;
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string const line(reinterpret_cast<char const*>(data), size);
    record first;
    if (!read(line, first)) return 0;
    auto const tree = by_tree(line);
    if (!tree || !same(*tree, first.vector)) std::abort();
    std::string text;
    record second;
    if (!detail::append_record(first, text) || !read(text, second)) std::abort();
    if (first.id != second.id || !same(first.vector, second.vector) ||
        first.payload != second.payload)
        std::abort();
    return 0;
}
