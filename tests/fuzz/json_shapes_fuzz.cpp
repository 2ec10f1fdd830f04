// SPDX-License-Identifier: MIT
// Any bytes as a JSON export: read twice the same, or refused; what was read can be written for
// another system and be read back.
#include <vicinal/migrate/json/recognise.hpp>
#include <vicinal/migrate/json_sink.hpp>
#include <vicinal/migrate/json_source.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace vicinal;

result<std::vector<record>> read(std::string const& path) {
    auto source = backend::json_source::try_open(path, {.vector = "default"});
    if (!source) return source.error();
    source->pass_over([](bad_record const&) {});
    std::vector<record> all;
    std::vector<record> batch;
    do {
        VICINAL_CHECK(source->read(batch, 7));
        all.insert(all.end(), batch.begin(), batch.end());
    } while (!batch.empty());
    static_cast<void>(source->describe());
    return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    int const fd = ::memfd_create("json", 0);
    if (fd < 0 || ::write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
    auto const path = "/proc/self/fd/" + std::to_string(fd);
    static_cast<void>(
        detail::sight_of(std::string_view(reinterpret_cast<char const*>(data), size)));
    auto const first = read(path);
    auto const second = read(path);
    ::close(fd);
    if (static_cast<bool>(first) != static_cast<bool>(second)) std::abort();
    if (!first) return 0;
    if (first->size() != second->size()) std::abort();
    for (std::size_t i = 0; i < first->size(); ++i) {
        auto const& r = (*first)[i];
        if (r.id.empty() || r.id != (*second)[i].id || r.payload != (*second)[i].payload)
            std::abort();
        for (auto const shape : {backend::json_shape::pinecone, backend::json_shape::qdrant,
                                 backend::json_shape::weaviate, backend::json_shape::chroma}) {
            detail::json_page page(shape, {}, false);
            std::string out;
            if (!page.add(r)) continue;
            page.flush(out);
            detail::json_parser parser;
            if (!parser.parse(out)) std::abort();
        }
    }
    return 0;
}
