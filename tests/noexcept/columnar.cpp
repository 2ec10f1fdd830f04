// SPDX-License-Identifier: MIT
// Tables written and read, built with -fno-exceptions -fno-rtti.
#include "check.hpp"

#include <vicinal/migrate/columnar/sink.hpp>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using namespace vicinal;

template <class Sink>
void use(Sink sink) {
    std::vector<record> const batch{{"a", {1, 2}, {{"year", 2024}}}, {"b", {}, {}}};
    VICINAL_EXPECT(sink.begin({}));
    VICINAL_EXPECT(sink.write(batch));
    VICINAL_EXPECT(sink.write({}));
    VICINAL_EXPECT(sink.finish());
    auto source = sink.reopen();
    VICINAL_EXPECT(source);
    std::vector<record> read;
    VICINAL_EXPECT(source->read(read, 10));
    VICINAL_EXPECT(read.size() == 2 && read[0].id == "a" && read[0].vector == batch[0].vector);
    VICINAL_EXPECT(read[0].payload == batch[0].payload && read[1].vector.empty());
}

} // namespace

int main() {
    char directory[] = "/tmp/vicinal-columnar-XXXXXX";
    VICINAL_EXPECT(::mkdtemp(directory) != nullptr);
    auto const parquet = std::string(directory) + "/a.parquet";
    auto const arrow = std::string(directory) + "/a.arrow";
    use(backend::parquet_sink::try_open(parquet).value());
    use(backend::arrow_sink::try_open(arrow).value());
    VICINAL_EXPECT(backend::columnar_source::try_open("/none").error().code() == errc::not_found);
    ::unlink(parquet.c_str());
    ::unlink(arrow.c_str());
    ::rmdir(directory);
}
