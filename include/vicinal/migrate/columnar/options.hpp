// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_OPTIONS_HPP
#define VICINAL_MIGRATE_COLUMNAR_OPTIONS_HPP

#include <vicinal/core/config.hpp>
#include <vicinal/migrate/files/input.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// What a path of columnar files holds.
enum class columnar_layout : std::uint8_t {
    /// A table file, or a directory of them.
    tables,
    /// DIR/<namespace>/*.parquet with `id`, `values` and `metadata`.
    pinecone_import,
    /// <Class>_<shard>_<n>.parquet, as Weaviate's export makes them.
    weaviate_export,
    /// A vector dataset: VDF_META.json and the Parquet files that it names.
    vdf,
    /// chroma-collections.parquet and chroma-embeddings.parquet, as Chroma 0.3 kept them.
    chroma_0_3,
};

/// How columns become records. Everything may be left out where that leaves no doubt.
struct columnar_options {
    columnar_layout layout = columnar_layout::tables;
    /// The column of the ids. Left out: `id`, `_id`, `uuid`, `pk` or the like; without such a
    /// column rows are numbered from 0.
    std::string id = {};
    /// The column of the vectors, or the name of one of Weaviate's named vectors ("default" for
    /// the one without a name). Left out: the only column of lists of floats.
    std::string vector = {};
    /// Columns of JSON text that become nested fields, besides those that are declared as JSON.
    std::vector<std::string> json = {};
    /// Pinecone and vector datasets.
    std::string name_space = {};
    /// Vector datasets.
    std::string index = {};
    /// Weaviate and Chroma 0.3.
    std::string collection = {};
    /// Opens Arrow files and streams; those may then be compressed as a whole.
    input_opener open = open_file;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
