// SPDX-License-Identifier: MIT
// Any bytes as the docstore beside a FAISS index of LangChain: payloads or an error.
#include "fuzz/memory_file.hpp"

#include <vicinal/migrate/graphs/langchain_docstore.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    vicinal_fuzz::memory_file const file(data, size);
    auto docstore = vicinal::detail::langchain_docstore::open(file.path());
    if (!docstore) return 0;
    for (int position = 0; position < 4; ++position) {
        vicinal::record r{"0", {}, {}};
        docstore->fill(position, r);
        if (r.id.empty()) std::abort();
    }
    return 0;
}
